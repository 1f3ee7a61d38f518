/*
 * forecast_request.c
 *		The arguments of forecasts, read and checked.
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/formatting.h"

#include "common/clock.h"
#include "common/row.h"
#include "forecast/forecast_request.h"

/* Names that models have elsewhere. */
static const struct
{
	const char *alias;
	CfModel		model;
}			aliases[] = {
	{"seasonal_naive", CF_MODEL_SNAIVE}, {"seasonalnaive", CF_MODEL_SNAIVE},
	{"random_walk_with_drift", CF_MODEL_DRIFT}, {"randomwalkwithdrift", CF_MODEL_DRIFT},
	{"damped_holt", CF_MODEL_DAMPED}, {"autoets", CF_MODEL_ETS}, {"dynamicoptimizedtheta", CF_MODEL_DOTM},
	{"robust_linear", CF_MODEL_LINE},
};

static void
refuse_null(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name),
				 errhint("Leave it out for its default.")));
}

int
request_count(FunctionCallInfo fcinfo, int argument, const char *name, int most, const char *hint)
{
	int			count;

	refuse_null(fcinfo, argument, name);
	count = PG_GETARG_INT32(argument);
	if (count < 1 || count > most)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between 1 and %d", name, most),
				 errdetail("It is %d.", count),
				 errhint("%s", hint)));
	return count;
}

double
request_level(FunctionCallInfo fcinfo, int argument)
{
	double		level;

	refuse_null(fcinfo, argument, "confidence_level");
	level = PG_GETARG_FLOAT8(argument);
	if (!(level > 0.0 && level < 1.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("confidence_level must be between 0 and 1, exclusive"),
				 errdetail("It is %.15g.", level),
				 level > 1.0 && level < 100.0 ?
				 errhint("It is a ratio, not a percentage: did you mean %.15g?", level / 100.0) :
				 errhint("Give a ratio, for example 0.95.")));
	return level;
}

static void
list_models(StringInfo list)
{
	for (int model = 0; model < CF_MODEL_COUNT; model++)
		appendStringInfo(list, "%s%s", model > 0 ? ", " : "", cf_model_entry((CfModel) model)->name);
}

CfModel
request_model(FunctionCallInfo fcinfo, int argument)
{
	StringInfoData list;
	char	   *name;
	char	   *lower;
	CfModel		model;

	refuse_null(fcinfo, argument, "model");
	name = text_to_cstring(PG_GETARG_TEXT_PP(argument));
	lower = asc_tolower(name, strlen(name));
	model = cf_model_by_name(lower);
	if (model != CF_MODEL_COUNT)
		return model;
	for (int i = 0; i < lengthof(aliases); i++)
		if (strcmp(lower, aliases[i].alias) == 0)
			return aliases[i].model;
	initStringInfo(&list);
	list_models(&list);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("model \"%s\" does not exist", name),
			 errhint("The models are %s.", list.data)));
}

/* NULL: detect (0 in the core); 0 and 1: none. */
int
request_season_length(FunctionCallInfo fcinfo, int argument)
{
	int			length;

	if (PG_ARGISNULL(argument))
		return 0;
	length = PG_GETARG_INT32(argument);
	if (length < 0 || length > CF_MAX_SEASON)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("season_length must be between 0 and %d", CF_MAX_SEASON),
				 errdetail("It is %d.", length),
				 errhint("Give the number of steps after which the pattern repeats (7 for a week of days), 1 for none, NULL to detect it.")));
	return Max(length, 1);
}

CfKind
request_kind_by_name(const char *name)
{
	if (strcmp(name, "stock") == 0)
		return CF_KIND_STOCK;
	if (strcmp(name, "flow") == 0)
		return CF_KIND_FLOW;
	if (strcmp(name, "gauge") == 0)
		return CF_KIND_GAUGE;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("kind \"%s\" does not exist", name),
			 errhint("Give stock for a level that accumulates, flow for an amount per step, gauge for a level that goes up and down, NULL to infer it.")));
}

CfKind
request_kind(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		return CF_KIND_AUTO;
	return request_kind_by_name(text_to_cstring(PG_GETARG_TEXT_PP(argument)));
}

CfDirection
request_direction(FunctionCallInfo fcinfo, int argument)
{
	char	   *name;

	refuse_null(fcinfo, argument, "direction");
	name = text_to_cstring(PG_GETARG_TEXT_PP(argument));
	if (strcmp(name, "up") == 0)
		return CF_UPWARD;
	if (strcmp(name, "down") == 0)
		return CF_DOWNWARD;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("direction \"%s\" does not exist", name),
			 errhint("Give up where the threshold is a maximum, down where it is a minimum.")));
}

static bool
read_as_of(FunctionCallInfo fcinfo, int argument, TimestampTz *as_of)
{
	if (PG_ARGISNULL(argument))
		return false;
	*as_of = clock_as_of(fcinfo, argument, 0);
	return true;
}

TimestampTz
request_period_end(FunctionCallInfo fcinfo, int argument, const char *name, TimestampTz as_of, int least, int most)
{
	TimestampTz end;
	DateADT		days;

	refuse_null(fcinfo, argument, name);
	/* of timestamp, not timestamptz: months and days of the calendar in UTC */
	end = DatumGetTimestamp(DirectFunctionCall2(timestamp_pl_interval, TimestampGetDatum(as_of), PG_GETARG_DATUM(argument)));
	days = clock_utc_day(end) - clock_utc_day(as_of);
	if (least == 0 ? end <= as_of || end > as_of + most * USECS_PER_DAY : days < least || days > most || end < as_of)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 least == 0 ? errmsg("%s must be longer than 0 and at most %d days", name, most) :
				 errmsg("%s must be between %d and %d days", name, Max(least, 0), most),
				 errdetail("It ends %s.", end <= as_of ? "where it begins, or before" :
						   days < least ? "sooner than that" : "later than that"),
				 errhint("Give an interval, for example '30 days'.")));
	return end;
}

static double
bound(FunctionCallInfo fcinfo, int argument, const char *name)
{
	double		value;

	if (PG_ARGISNULL(argument))
		return (double) NAN;
	value = PG_GETARG_FLOAT8(argument);
	if (isnan(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a number", name),
				 errhint("Leave it out where there is none.")));
	return value;
}

void
request_bounds(FunctionCallInfo fcinfo, int floor_argument, CfOptions *options, bool *may_be_count)
{
	double		lower = bound(fcinfo, floor_argument, "floor");
	double		upper = bound(fcinfo, floor_argument + 1, "cap");

	if (lower > upper)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("floor must not be above cap"),
				 errdetail("floor is %.15g, cap is %.15g.", lower, upper),
				 errhint("No forecast lies below floor or above cap.")));
	*may_be_count = !(isinf(lower) && lower < 0.0);
	options->floor = isinf(lower) ? (double) NAN : lower;
	options->cap = isinf(upper) ? (double) NAN : upper;
}

void
forecast_request_read(FunctionCallInfo fcinfo, int first, ForecastRequest *request)
{
	cf_options_init(&request->options);
	request->horizon = request_count(fcinfo, first, "horizon", FORECAST_MAX_HORIZON,
										"Give a number of steps of the series, for example 30.");
	request->options.model = request_model(fcinfo, first + 1);
	request->level = request_level(fcinfo, first + 2);
	request->options.season_length = request_season_length(fcinfo, first + 3);
	request_bounds(fcinfo, first + 4, &request->options, &request->may_be_count);
	request->options.kind = request_kind(fcinfo, first + 6);
	request->has_as_of = read_as_of(fcinfo, first + 7, &request->as_of);
	request->miss_factor = 1.0;
	request->planned = NULL;
	request->metric = NULL;
}

/*
 * capforecast._period_days(argument, period, as_of, least_days, most_days) → integer
 */
PG_FUNCTION_INFO_V1(capforecast_period_days);
Datum
capforecast_period_days(PG_FUNCTION_ARGS)
{
	TimestampTz as_of;
	TimestampTz end;

	row_require(fcinfo, 0, "argument");
	row_require(fcinfo, 3, "least_days");
	row_require(fcinfo, 4, "most_days");
	row_require(fcinfo, 2, "as_of");
	as_of = clock_as_of(fcinfo, 2, 0);
	end = request_period_end(fcinfo, 1, text_to_cstring(PG_GETARG_TEXT_PP(0)), as_of, PG_GETARG_INT32(3), PG_GETARG_INT32(4));
	PG_RETURN_INT32(clock_utc_day(end) - clock_utc_day(as_of));
}
