/*
 * plan_capacity.h
 *		Theoretical against actual use, live.
 */
#ifndef CAPFORECAST_PLAN_CAPACITY_H
#define CAPFORECAST_PLAN_CAPACITY_H

#include "postgres.h"

#define N_RESOURCES	3

typedef enum Resource
{
	RESOURCE_PRODUCTS,
	RESOURCE_ORDERS_MONTHLY,
	RESOURCE_TEAM_MEMBERS
} Resource;

typedef struct ResourceCapacity
{
	const char *name;
	int64		theoretical_limit;	/* 0: none is finite, or they are not known */
	double		actual;			/* of all vendors: the plain count; NaN: not known */
	double		utilization_percent;	/* 2 decimals; NaN where there is no finite limit */
} ResourceCapacity;

/* Reads the host's tables now, with the caller's rights.  Needs an open Scope. */
extern void capacity_read(ResourceCapacity capacity[N_RESOURCES]);

#endif							/* CAPFORECAST_PLAN_CAPACITY_H */
