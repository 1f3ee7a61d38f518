/*
 * cf_grid.h
 *		From points in time to a regular row of values, and on into the future.
 *
 * Times are microseconds since 2000-01-01 00:00 UTC (what the server counts from).  A
 * grid is a row of buckets of one step: a fixed number of microseconds, or a whole
 * number of calendar months (months, quarters, years), so that dates never drift.
 *
 * Where the points are midnights of a local clock, the grid is one of its days, weeks or
 * months, and its start a local time.
 *
 * Use: cf_grid_sort, cf_grid_detect, allocate grid.n doubles, cf_fill_grid.  A bucket
 * without a point holds NaN, which all of the core takes as "missing".
 */
#ifndef CF_GRID_H
#define CF_GRID_H

#include "core/cf_core.h"
#include "core/time/cf_calendar.h"
#include "core/time/cf_zone.h"

#define CF_GRID_MAX 1000000		/* buckets */

typedef struct CfGrid
{
	int64_t		step;			/* microseconds; 0 where the step is calendar months */
	int			months;			/* calendar months; 0 where the step is fixed */
	CfZone		zone;			/* whose days they are */
	bool		is_local;		/* the points are surely midnights of the zone, not just times of day */
	bool		is_regular;		/* all points lie on the grid */
	int64_t		lead;			/* what a point may lie before its bucket's time */
	int64_t		start;			/* time of bucket 0 (fixed), or its time of day (months) */
	int			start_month;	/* months since 2000-01 of bucket 0 */
	int			month_day;		/* day of the month, 1 to 31; cut to the month's length */
	int			n;				/* buckets from the first point to the last */
} CfGrid;

/* Into order of time, then value: results do not depend on the order of input. */
extern void cf_grid_sort(int64_t *time, double *value, int n);

/*
 * Finds step and extent of n points in order of time.  Where all times lie on a grid (of
 * calendar months, else the greatest common divisor of their distances) that is at least
 * a quarter full, that grid; months, weeks and days begin by the local clock whose midnights
 * the points are.  Else the median distance, taken to the nearest usual step:
 * 1, 5, 10, 15 or 30 minutes, 1, 2, 3, 4, 6, 8 or 12 hours, 1 day, 1 or 2 weeks (from
 * Monday), 1, 3, 6 or 12 months, with buckets from round times in UTC; points that lie about
 * those times, some before and some after, belong to the nearest one.
 * step 0, months 0 in *grid: detect; else the step is taken as given.
 * A single point gives n = 1 and a step of a day.  work: n doubles.
 * CF_TOO_FEW: n < 1.  CF_BAD_ARGUMENT: not in order, bad step.  CF_TOO_BIG: more than
 * CF_GRID_MAX buckets, or times beyond 36 000 years.
 */
extern CfStatus cf_grid_detect(const int64_t *time, int n, double *work, CfGrid *grid);

/*
 * Bucket of a time (may be negative, or beyond the last), and time of a bucket: k = grid->n is the
 * first step of the future; INT64_MAX or INT64_MIN beyond 36 000 years.
 */
extern int64_t cf_grid_bucket(const CfGrid *grid, int64_t time);
extern int64_t cf_grid_time(const CfGrid *grid, int64_t k);

/* The midnight, read as UTC, of the day that a bucket is called by: of the local clock where the grid is local. */
extern int64_t cf_grid_day(const CfGrid *grid, int64_t k);

/* Whether a step is one of those that series usually have: listed above, and calendar months, quarters and so on. */
extern bool cf_grid_is_usual(const CfGrid *grid);

/*
 * The season a step suggests, in steps: 7 for days, 24 for hours, 52 for weeks, 12, 4 or
 * 2 for months, quarters and half-years, a day's worth for minutes; 1 where none.
 */
extern int	cf_grid_season(const CfGrid *grid);

/* Steps of the grid that cover a time span of so many days, rounded up, at least 1. */
extern int64_t cf_grid_steps_in(const CfGrid *grid, double days);

#endif							/* CF_GRID_H */
