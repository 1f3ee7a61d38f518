/*
 * forecast_metric.c
 *		A metric's history as a series.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/datum.h"

#include "common/clock.h"
#include "common/scope.h"
#include "forecast/forecast_metric.h"
#include "forecast/forecast_run.h"

/* Of daily values these are three years: enough to tell a year from what happened once. */
#define HISTORY_POINTS	1096

/* Of hourly ones four weeks. */
#define HISTORY_HOURS	672

/* So many names are listed in a hint. */
#define LISTED_METRICS	40

/* The level that forecasts in the archive are judged at (see sql/forecast/50_archive.sql). */
#define ARCHIVE_LEVEL	0.80

static void
refuse_metric(text *name)
{
	StringInfoData names;
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(LISTED_METRICS)};

	initStringInfo(&names);
	scope_execute("SELECT metric FROM capforecast.metrics ORDER BY metric LIMIT $1",
				  1, types, values, NULL, true, SPI_OK_SELECT);
	for (uint64 i = 0; i < SPI_processed; i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "",
						 SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("metric \"%s\" does not exist", text_to_cstring(name)),
			 errhint("The metrics are %s%s.", names.data,
					 SPI_processed == LISTED_METRICS ? " and others (SELECT metric FROM capforecast.metrics)" : "")));
}

static double
double_or_nan(int column)
{
	bool		is_null;
	Datum		value = scope_datum(0, column, &is_null);

	return is_null ? (double) NAN : DatumGetFloat8(value);
}

ForecastMetric *
forecast_metric_read(text *name, ForecastSteps steps, TimestampTz as_of)
{
	static SPIPlanPtr plan = NULL;
	MemoryContext caller = CurrentMemoryContext;
	ForecastMetric *metric = palloc0(sizeof(ForecastMetric));
	Scope		scope;
	bool		is_null;
	Datum		series;
	Oid			types[6] = {TEXTOID, DATEOID, INT4OID, TIMESTAMPTZOID, BOOLOID, INT4OID};
	Datum		values[6] = {PointerGetDatum(name), DateADTGetDatum(clock_utc_day(as_of)), Int32GetDatum(HISTORY_POINTS),
	TimestampTzGetDatum(as_of), BoolGetDatum(steps == FORECAST_AS_CAPTURED), Int32GetDatum(HISTORY_HOURS)};

	scope_enter(&scope);
	/* the views have a branch for each metric: they take longer to plan than to read */
	scope_read_kept(&plan, "SELECT m.kind, m.floor, m.cap, "
					"       CASE WHEN $5 AND m.every = '1 hour' AND capforecast._has_hours(m.metric, $4) THEN "
					"       (SELECT capforecast.series_agg(h.ts, h.value) FROM ("
					"         SELECT h.ts, h.value FROM capforecast.metric_hour h "
					"          WHERE h.metric = $1 AND h.ts <= $4 ORDER BY h.ts DESC LIMIT $6) h) "
					"       ELSE "
					"       (SELECT capforecast.series_agg(h.day, h.value) FROM ("
					"         SELECT h.day, h.value FROM capforecast.metric_history h "
					"          WHERE h.metric = $1 AND h.day <= $2 - (m.every = '1 hour')::integer ORDER BY h.day DESC LIMIT $3) h) END "
					"  FROM capforecast.metrics m WHERE m.metric = $1",
					6, types, values);
	if (SPI_processed == 0)
		refuse_metric(name);
	metric->kind = request_kind_by_name(SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1));
	metric->floor = double_or_nan(2);
	metric->cap = double_or_nan(3);
	series = scope_datum(0, 4, &is_null);
	MemoryContextSwitchTo(caller);
	metric->series = (Series *) PG_DETOAST_DATUM_COPY(series);
	scope_leave(&scope);
	MemoryContextSwitchTo(caller);
	metric->planned = planned_events_read(name, clock_utc_day(as_of), 0);
	return metric;
}

ForecastMetric *
forecast_metric_request(text *name, ForecastSteps steps, ForecastRequest *request)
{
	ForecastMetric *metric;

	if (!request->has_as_of)
		request->as_of = GetCurrentTimestamp();
	request->has_as_of = true;
	metric = forecast_metric_read(name, steps, request->as_of);
	if (request->options.kind == CF_KIND_AUTO)
		request->options.kind = metric->kind;
	request->planned = &metric->planned;
	request->metric = name;
	/* a floor of -Infinity says that there is none, and leaves NaN, too */
	if (isnan(request->options.floor) && request->may_be_count)
		request->options.floor = metric->floor;
	if (isnan(request->options.cap))
		request->options.cap = metric->cap;
	if (request->options.floor > request->options.cap)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("floor must not be above cap"),
				 errdetail("floor is %.15g, cap is %.15g; one of them is the metric's own.",
						   request->options.floor, request->options.cap),
				 errhint("Give both.")));
	return metric;
}

double
forecast_metric_miss_factor(text *name, TimestampTz as_of)
{
	Scope		scope;
	double		factor = 1.0;
	Oid			types[2] = {TEXTOID, DATEOID};
	Datum		values[2] = {PointerGetDatum(name), DateADTGetDatum(clock_utc_day(as_of))};
	bool		is_null;

	scope_enter(&scope);
	scope_execute("SELECT calibrated_level FROM capforecast.forecast_archive "
				  " WHERE metric = $1 AND made_on <= $2 ORDER BY made_on DESC LIMIT 1",
				  2, types, values, NULL, true, SPI_OK_SELECT);
	if (SPI_processed > 0)
		factor = (1.0 - DatumGetFloat8(scope_datum(0, 1, &is_null))) / (1.0 - ARCHIVE_LEVEL);
	scope_leave(&scope);
	return factor;
}

/*
 * capforecast.metric_series(metric, as_of) → series
 */
PG_FUNCTION_INFO_V1(capforecast_metric_series);
Datum
capforecast_metric_series(PG_FUNCTION_ARGS)
{
	TimestampTz as_of = clock_as_of(fcinfo, 1, GetCurrentTimestamp());

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(forecast_metric_read(PG_GETARG_TEXT_PP(0), FORECAST_BY_DAYS, as_of)->series);
}

void
forecast_metric_require(text *name)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {PointerGetDatum(name)};
	Scope		scope;

	scope_enter(&scope);
	scope_execute("SELECT FROM capforecast.metrics WHERE metric = $1", 1, types, values, NULL, true, SPI_OK_SELECT);
	if (SPI_processed == 0)
		refuse_metric(name);
	scope_leave(&scope);
}

/*
 * capforecast._known_metric(metric) → metric
 */
PG_FUNCTION_INFO_V1(capforecast_known_metric);
Datum
capforecast_known_metric(PG_FUNCTION_ARGS)
{
	text	   *name = PG_GETARG_TEXT_PP(0);

	forecast_metric_require(name);
	PG_RETURN_TEXT_P(name);
}
