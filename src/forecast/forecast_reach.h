/*
 * forecast_reach.h
 *		When a series reaches a threshold.
 */
#ifndef CAPFORECAST_FORECAST_REACH_H
#define CAPFORECAST_FORECAST_REACH_H

#include "postgres.h"

#include "utils/date.h"

#include "forecast/forecast_input.h"
#include "forecast/forecast_request.h"

/* What a date is worth needs more than a forecast of values: two weeks of points, a week of days. */
#define REACH_MIN_POINTS	14
#define REACH_MIN_DAYS		7

/* The horizon where none is given. */
#define REACH_USUAL_DAYS	365

/* Chances may be asked for so many days. */
#define REACH_MAX_CHANCES	100

typedef struct ReachRequest
{
	bool		has_threshold;	/* false: there is no limit */
	double		threshold;
	CfDirection direction;
	TimestampTz as_of;
	TimestampTz until;			/* end of the horizon, counted from as_of */
	double		level;
	int			season_length;
	CfKind		kind;
	text	   *metric;			/* whose known days count; NULL: a series, which has none */
	const struct PlannedEvents *planned;	/* what is planned; NULL: nothing */
	int			n_chances;		/* so many days after as_of ... */
	const int32 *chance_days;
	double	   *chance;			/* ... the chance of having reached it by then is put here */
} ReachRequest;

typedef struct Reach
{
	ForecastVerdict verdict;
	bool		has_current;
	double		current;
	bool		has_days_left;	/* where it is reached, or will be within the horizon with a chance of a half */
	int			days_left;
	bool		has_breach;
	DateADT		breach;			/* reached by then with that chance; already_breached: since then, and known to be */
	bool		has_earliest;
	DateADT		earliest;
	bool		has_latest;
	DateADT		latest;
	bool		has_times;		/* steps are shorter than a day: the times of those that are known */
	TimestampTz breach_time;
	TimestampTz earliest_time;
	TimestampTz latest_time;
	bool		has_probability;
	double		probability;	/* of reaching it within the horizon; the chances asked for are set, too */
	int			n_points;
	bool		has_coverage;
	double		coverage_ratio;
	bool		has_ready;
	DateADT		ready;			/* enough points by then */
	const char *kind;			/* given or inferred; NULL: not asked */
	char	   *events;			/* what has happened; NULL: nothing */
} Reach;

/* The arguments from "first" on: threshold, horizon, confidence_level, direction, season_length, kind, as_of. */
extern void reach_request_read(FunctionCallInfo fcinfo, int first, ReachRequest *request);

/* The first of them alone. */
extern void reach_threshold_read(FunctionCallInfo fcinfo, int argument, ReachRequest *request);

/* Scratch and results are in the current memory context. */
extern void reach_run(const Series *series, const ReachRequest *request, Reach *reach);

#endif							/* CAPFORECAST_FORECAST_REACH_H */
