/*
 * plan_trends.h
 *		Growth over the last days, from the snapshots.
 */
#ifndef CAPFORECAST_PLAN_TRENDS_H
#define CAPFORECAST_PLAN_TRENDS_H

#include "postgres.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "plan/rules/cf_growth.h"

#define N_TRENDS	5

typedef enum TrendMetric
{
	TREND_VENDORS,
	TREND_PRODUCTS,
	TREND_ORDERS,
	TREND_TEAM_MEMBERS,
	TREND_STORAGE_GB			/* has no rates */
} TrendMetric;

extern const char *const trend_metric_names[N_TRENDS];

/* What the snapshots of the window say of one metric; NULL values count as 0. */
typedef struct Trend
{
	const char *name;
	Datum		start;			/* numeric */
	Datum		current;		/* numeric */
	Datum		change;			/* numeric */
	double		current_value;
	CfGrowth	growth;			/* not of storage */
} Trend;

typedef struct Trends
{
	int64		n_snapshots;
	bool		known;			/* at least two snapshots: the rest is set */
	DateADT		start_date;
	DateADT		end_date;
	int			period_days;
	Trend		metrics[N_TRENDS];
} Trends;

#define TREND_DAYS_MAX	36500

/*
 * The trends over the snapshots from as_of - days x 24 h on; bounded is whether
 * snapshots after the day of as_of are left out.  Needs an open Scope; the Datums are
 * in the current memory context.
 */
extern Trends trends_read(int days, TimestampTz as_of, bool bounded);

#endif							/* CAPFORECAST_PLAN_TRENDS_H */
