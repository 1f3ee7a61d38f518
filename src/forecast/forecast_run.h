/*
 * forecast_run.h
 *		A forecast of a series: what the SQL functions and the plan are made of.
 */
#ifndef CAPFORECAST_FORECAST_RUN_H
#define CAPFORECAST_FORECAST_RUN_H

#include "postgres.h"

#include "core/engine/cf_backtest.h"
#include "forecast/forecast_core.h"
#include "forecast/forecast_input.h"
#include "forecast/forecast_planned.h"
#include "forecast/forecast_request.h"

/* Fewer points than this say next to nothing. */
#define FORECAST_MIN_POINTS	4

typedef struct Forecast
{
	ForecastVerdict verdict;
	bool		has_numbers;	/* the rest is set: where the status is ok, or unreliable in a degree */
	ForecastInput input;
	CfForecastInfo info;
	char	   *events;			/* what has happened, and what is planned; NULL: nothing */
	PlannedSteps planned;		/* what of that changed it */
	bool		is_count;		/* taken for whole numbers that are never negative */
	int			horizon;
	int			n_levels;
	double	   *yhat;			/* horizon */
	double	   *lower;			/* n_levels rows of horizon */
	double	   *upper;
} Forecast;

/* Everything is in the current memory context; it is large, so the caller's own is to be deleted afterwards. */
extern void forecast_run(const Series *series, const ForecastRequest *request, Forecast *forecast);

/* The same at several levels (at most CF_MAX_LEVELS) instead of the request's own. */
extern void forecast_run_levels(const Series *series, const ForecastRequest *request,
								const double *levels, int n_levels, Forecast *forecast);

/* The level at which the engine is asked, for a stated one: what was learned from misses is applied. */
extern double forecast_level(double level, double miss_factor);

/* The season that the step suggests; 0: none, look for one. */
extern int	forecast_season_hint(const CfGrid *grid);

/* Whether steps are days; the day of the first one, since 2000-01-01. */
extern bool forecast_first_day(const CfGrid *grid, int64_t *day);

/* Whether all values are whole and none is negative. */
extern bool forecast_are_counts(const double *y, int n);

#endif							/* CAPFORECAST_FORECAST_RUN_H */
