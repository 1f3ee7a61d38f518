/*
 * forecast_input.h
 *		What every analysis begins with: is there enough to say anything?
 */
#ifndef CAPFORECAST_FORECAST_INPUT_H
#define CAPFORECAST_FORECAST_INPUT_H

#include "postgres.h"

#include "forecast/forecast_status.h"
#include "series/series_grid.h"

/* What is asked of the input. */
typedef struct ForecastNeeds
{
	CfKind		kind;
	int			min_points;		/* steps that hold a value */
	int			min_days;		/* from the first point to the last; 0: any */
	int64		step;			/* microseconds of a step; 0: detect */
	bool		has_as_of;		/* points after as_of are left out, and the last may be stale */
	TimestampTz as_of;
	bool		for_limit;		/* the peaks count (series_grid_make_peaks), with what follows */
	bool		is_upward;		/* the limit is a maximum */
	TimestampTz until;			/* end of the horizon */
	int			most_steps;		/* until then */
} ForecastNeeds;

typedef struct ForecastInput
{
	ForecastVerdict verdict;	/* FORECAST_OK: all that follows is set */
	bool		has_grid;		/* on_grid is set and n_points is at least 1 */
	SeriesGrid	on_grid;
	int			n_points;		/* steps that hold a value */
	double		coverage_ratio; /* n_points over all steps */
	bool		has_ready_day;
	int64		ready_time;		/* when there will be enough, if a value comes at every step from as_of on */
} ForecastInput;

/*
 * Reads a series, which may be NULL.  The first thing that stands against an analysis is
 * the verdict: no points, a value that is not finite, stale, too many steps, too few
 * points or days, too many gaps.  Everything is in the current memory context.
 */
extern void forecast_input_read(const Series *series, const ForecastNeeds *needs, ForecastInput *input);

/* Time of step k after the last point (k may be 0 or less); 22008 beyond the calendar's end. */
extern TimestampTz forecast_input_time(const ForecastInput *input, int64 k);

/* A reason (NULL: none) and a remark about the steps (NULL: none) as sentences; NULL where there is neither. */
extern char *forecast_remarked(char *reason, const char *remark);

/* 2026-11-24, or with the time of day, in UTC: for reasons. */
extern char *forecast_time_text(TimestampTz time);

#endif							/* CAPFORECAST_FORECAST_INPUT_H */
