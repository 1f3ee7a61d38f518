/*
 * forecast_request.h
 *		The arguments of forecasts, read and checked.
 *
 * Each reader takes the position of its argument and raises 22023 (22004 for a NULL that
 * means nothing) with a hint that names the fix.
 */
#ifndef CAPFORECAST_FORECAST_REQUEST_H
#define CAPFORECAST_FORECAST_REQUEST_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/timestamp.h"

#include "core/engine/cf_forecast.h"
#include "core/engine/cf_reach.h"

/* Ten years of days. */
#define FORECAST_MAX_HORIZON	3650

typedef struct ForecastRequest
{
	int			horizon;		/* steps */
	CfOptions	options;		/* floor and cap NaN where not given; is_count is not set here */
	double		level;			/* confidence level */
	double		miss_factor;	/* what the chance to miss (1 - level) is multiplied by; 1: nothing learned */
	bool		may_be_count;	/* a floor of -Infinity rules out that the values are counts */
	bool		has_as_of;		/* points after as_of are not known, and the last one may be stale */
	TimestampTz as_of;
	text	   *metric;			/* whose known days count; NULL: a series, which has none */
	const struct PlannedEvents *planned;	/* what is planned; NULL: nothing */
} ForecastRequest;

/* The arguments from "first" on: horizon, model, confidence_level, season_length, floor, cap, kind, as_of. */
extern void forecast_request_read(FunctionCallInfo fcinfo, int first, ForecastRequest *request);

extern int	request_count(FunctionCallInfo fcinfo, int argument, const char *name, int most, const char *hint);
extern double request_level(FunctionCallInfo fcinfo, int argument);
extern CfModel request_model(FunctionCallInfo fcinfo, int argument);
extern int	request_season_length(FunctionCallInfo fcinfo, int argument);
extern CfKind request_kind(FunctionCallInfo fcinfo, int argument);
extern CfDirection request_direction(FunctionCallInfo fcinfo, int argument);

/*
 * The end of an interval that begins at as_of.  It spans at least and at most so many days of the UTC calendar;
 * least 0: any time at all, REQUEST_MAY_BE_EMPTY: none, too.  Else 22023, 22004 where it is NULL.
 */
#define REQUEST_MAY_BE_EMPTY	(-1)
extern TimestampTz request_period_end(FunctionCallInfo fcinfo, int argument, const char *name, TimestampTz as_of,
									  int least, int most);

/* floor and cap of options, from the two arguments; infinite ones are none. */
extern void request_bounds(FunctionCallInfo fcinfo, int floor_argument, CfOptions *options, bool *may_be_count);

/* As the name of a kind in capforecast.metrics. */
extern CfKind request_kind_by_name(const char *name);

#endif							/* CAPFORECAST_FORECAST_REQUEST_H */
