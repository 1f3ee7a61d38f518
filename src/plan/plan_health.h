/*
 * plan_health.h
 *		The state of the platform, live.
 */
#ifndef CAPFORECAST_PLAN_HEALTH_H
#define CAPFORECAST_PLAN_HEALTH_H

#include "host/host_size.h"
#include "host/host_storage.h"
#include "plan/plan_capacity.h"

/* What a size of infrastructure is measured by, in the order of the view's columns. */
typedef enum TierMetric
{
	TIER_VENDORS,
	TIER_PRODUCTS,
	TIER_ORDERS_MONTH,
	TIER_DB_SIZE_MB,
	TIER_STORAGE_GB,
	N_TIER_METRICS
} TierMetric;

typedef struct InfrastructureTier
{
	char	   *name;			/* NULL: there is no tier at all */
	bool		exceeded;		/* above the last one */
	int64		monthly_cost_cents;
	char	   *currency;
	char	   *next_trigger;	/* NULL: far from the next, or there is none */
	double		share_percent[N_TIER_METRICS];	/* of the tier's maxima; NaN: none, or not known */
	Datum		usage;			/* jsonb: metric to number, without what is not known */
} InfrastructureTier;

typedef struct Health
{
	double		active_vendors; /* NaN: not known */
	HostSize	size;
	ResourceCapacity capacity[N_RESOURCES];
	HostStorage storage;
	double		storage_gb;		/* 2 decimals; NaN: not known */
	InfrastructureTier tier;
} Health;

/* Reads the host's tables now, each once, with the caller's rights.  Needs an open Scope. */
extern Health health_read(TimestampTz now);

#endif							/* CAPFORECAST_PLAN_HEALTH_H */
