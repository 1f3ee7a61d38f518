/*
 * forecast_rows.c
 *		forecast(series, …) and forecast(metric, …).
 *
 * One call works in a memory context of its own, deleted at its end: a statement that
 * forecasts a million series needs no more memory than one that forecasts a single one.
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "common/clock.h"
#include "common/row.h"
#include "forecast/forecast_events.h"
#include "forecast/forecast_metric.h"
#include "forecast/forecast_run.h"

/* Columns of both row types: two keys, then these. */
#define COLUMN_VALUE	2
#define COLUMN_LOWER	3
#define COLUMN_UPPER	4
#define COLUMN_MODEL	5
#define COLUMN_STATUS	6
#define COLUMN_REASON	7
#define COLUMN_KIND		8
#define COLUMN_EVENTS	9
#define COLUMN_AT		10			/* of a metric alone */
#define N_SERIES_COLUMNS	10
#define N_COLUMNS		11

static const char *
model_name(const Forecast *forecast, const ForecastRequest *request)
{
	return cf_model_entry(forecast->has_numbers ? forecast->info.model : request->options.model)->name;
}

/* The columns that are the same in every row of a forecast. */
static void
common_columns(ReturnSetInfo *rsinfo, const Forecast *forecast, const ForecastRequest *request,
			   Datum *values, bool *nulls)
{
	memset(nulls, true, N_COLUMNS * sizeof(bool));
	values[COLUMN_MODEL] = CStringGetTextDatum(model_name(forecast, request));
	nulls[COLUMN_MODEL] = false;
	values[COLUMN_STATUS] = forecast_status_datum(forecast->verdict.status,
												  TupleDescAttr(rsinfo->setDesc, COLUMN_STATUS)->atttypid);
	nulls[COLUMN_STATUS] = false;
	if (forecast->verdict.reason != NULL)
	{
		values[COLUMN_REASON] = CStringGetTextDatum(forecast->verdict.reason);
		nulls[COLUMN_REASON] = false;
	}
	if (forecast->has_numbers)
	{
		values[COLUMN_KIND] = CStringGetTextDatum(forecast_kind_name(forecast->info.kind));
		nulls[COLUMN_KIND] = false;
	}
	if (forecast->events != NULL)
	{
		values[COLUMN_EVENTS] = CStringGetTextDatum(forecast->events);
		nulls[COLUMN_EVENTS] = false;
	}
}

/* metric: NULL in the form for a series. */
static void
put_rows(ReturnSetInfo *rsinfo, const Forecast *forecast, const ForecastRequest *request, text *metric)
{
	Datum		values[N_COLUMNS];
	bool		nulls[N_COLUMNS];

	common_columns(rsinfo, forecast, request, values, nulls);
	if (metric != NULL)
	{
		values[0] = PointerGetDatum(metric);
		nulls[0] = false;
	}
	if (!forecast->has_numbers)
	{
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		return;
	}
	memset(nulls, false, COLUMN_MODEL * sizeof(bool));
	for (int h = 0; h < forecast->horizon; h++)
	{
		TimestampTz time = forecast_input_time(&forecast->input, h + 1);

		if (metric == NULL)
			values[0] = Int32GetDatum(h + 1);
		values[1] = metric == NULL ? TimestampTzGetDatum(time) : DateADTGetDatum(clock_utc_day(time));
		values[COLUMN_VALUE] = Float8GetDatum(forecast->yhat[h]);
		values[COLUMN_LOWER] = Float8GetDatum(forecast->lower[h]);
		values[COLUMN_UPPER] = Float8GetDatum(forecast->upper[h]);
		values[COLUMN_AT] = TimestampTzGetDatum(time);
		nulls[COLUMN_AT] = false;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

PG_FUNCTION_INFO_V1(capforecast_forecast_series);
Datum
capforecast_forecast_series(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext work;
	MemoryContext caller;
	ForecastRequest request;
	Forecast	forecast;

	row_set(fcinfo, N_SERIES_COLUMNS);
	work = AllocSetContextCreate(CurrentMemoryContext, "capforecast forecast", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(work);
	forecast_request_read(fcinfo, 1, &request);
	forecast_run(PG_ARGISNULL(0) ? NULL : PG_GETARG_SERIES(0), &request, &forecast);
	put_rows(rsinfo, &forecast, &request, NULL);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(capforecast_forecast_metric);
Datum
capforecast_forecast_metric(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext work;
	MemoryContext caller;
	ForecastRequest request;
	ForecastMetric *metric;
	Forecast	forecast;
	text	   *name;

	row_set(fcinfo, N_COLUMNS);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	work = AllocSetContextCreate(CurrentMemoryContext, "capforecast forecast", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(work);
	name = PG_GETARG_TEXT_PP(0);
	forecast_request_read(fcinfo, 1, &request);
	metric = forecast_metric_request(name, FORECAST_AS_CAPTURED, &request);
	request.miss_factor = forecast_metric_miss_factor(name, request.as_of);
	forecast_run(metric->series, &request, &forecast);
	put_rows(rsinfo, &forecast, &request, name);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return (Datum) 0;
}

/*
 * capforecast._planned_forecast(metric, horizon, confidence_level, as_of, without, add, growth_multiplier, from_date)
 *		forecast(metric, …) without one of the planned events, or with a change.
 */
PG_FUNCTION_INFO_V1(capforecast_planned_forecast);
Datum
capforecast_planned_forecast(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext work;
	MemoryContext caller;
	ForecastRequest request = {.may_be_count = true, .has_as_of = true};
	ForecastMetric *metric;
	Forecast	forecast;
	text	   *name;

	row_set(fcinfo, N_COLUMNS);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	work = AllocSetContextCreate(CurrentMemoryContext, "capforecast forecast", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(work);
	name = PG_GETARG_TEXT_PP(0);
	cf_options_init(&request.options);
	request.horizon = request_count(fcinfo, 1, "horizon", FORECAST_MAX_HORIZON, "Give a number of days, for example 30.");
	request.level = request_level(fcinfo, 2);
	request.as_of = clock_as_of(fcinfo, 3, GetCurrentTimestamp());
	request.options.kind = request_kind(fcinfo, 8);
	metric = forecast_metric_request(name, FORECAST_BY_DAYS, &request);
	row_require(fcinfo, 4, "without");
	metric->planned = planned_events_read(name, clock_utc_day(request.as_of), PG_GETARG_INT64(4));
	planned_change_read(fcinfo, 5, &metric->planned);
	request.miss_factor = forecast_metric_miss_factor(name, request.as_of);
	forecast_run(metric->series, &request, &forecast);
	put_rows(rsinfo, &forecast, &request, name);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return (Datum) 0;
}
