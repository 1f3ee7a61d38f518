/*
 * series_grid.h
 *		A series on the regular grid that the core works on.
 */
#ifndef CAPFORECAST_SERIES_GRID_H
#define CAPFORECAST_SERIES_GRID_H

#include "core/time/cf_grid.h"
#include "series/series.h"

typedef struct SeriesGrid
{
	CfGrid		grid;
	double	   *y;				/* grid.n values, NaN where a step has none */
	int			n_filled;		/* steps that have one */
	double		last;			/* the newest value, whatever the last step holds */
	char	   *remark;			/* what a reader must know of the steps, a sentence without its full stop; NULL: nothing */
	bool		is_uncounted;	/* single events that were not counted: the values say nothing */
} SeriesGrid;

/*
 * Puts the first n (at least 1) points, all finite, onto a grid; the arrays are in the current memory
 * context.  step: microseconds, or 0 to detect it.  A step holds the sum of a flow's values, the last of
 * a stock's, else the mean; counts whose zeros were left out get them.  CF_TOO_BIG: more steps than the core takes;
 * then only the grid's step and start are set.
 */
extern CfStatus series_grid_make(const Series *series, int n, CfKind kind, int64 step, SeriesGrid *on_grid);

/*
 * The same for what a limit is measured against: where several values share a step, the highest of them counts
 * (is_upward; else the lowest), but for a flow still their sum.  Steps shorter than an hour become hours, and
 * those of which more than most_steps are needed until that instant become days.
 */
extern CfStatus series_grid_make_peaks(const Series *series, int n, CfKind kind, bool is_upward,
									   TimestampTz until, int most_steps, SeriesGrid *on_grid);

/* The first of n values that is NaN or infinite; -1: none. */
extern int	series_first_not_finite(const Series *series, int n);

/* Whether the time of step k (from 0) can be stored.  Ask before cf_grid_time where k is large. */
extern bool series_grid_can_reach(const CfGrid *grid, int64 k);

/* The day that step k is called by: of the local clock whose midnights the points are, else in UTC. */
extern DateADT series_grid_day(const CfGrid *grid, int64 k);

/*
 * The same, where the points lie at one time of day that is midnight in the session's time zone: its day.
 * Only for functions that are not IMMUTABLE.
 */
extern DateADT series_grid_session_day(const CfGrid *grid, int64 k);

/* Bucket of any time that can be stored. */
extern int64 series_grid_bucket(const CfGrid *grid, TimestampTz time);

/* Scratch for the core, from a *_worksize function: 54000 where that says 0 or it is too much. */
extern double *series_work(size_t n_doubles);

#endif							/* CAPFORECAST_SERIES_GRID_H */
