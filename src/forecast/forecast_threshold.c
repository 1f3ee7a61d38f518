/*
 * forecast_threshold.c
 *		time_to_threshold(series, …) and time_to_threshold(metric, …): one row each.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "common/clock.h"
#include "common/row.h"
#include "forecast/forecast_metric.h"
#include "forecast/forecast_reach.h"

/* The name in the column model: not one of those that forecast() takes. */
#define MODEL_NAME "first_passage"

/* The attributes of threshold_forecast, in order. */
enum
{
	COLUMN_STATUS, COLUMN_REASON, COLUMN_CURRENT, COLUMN_THRESHOLD, COLUMN_DAYS_LEFT, COLUMN_BREACH,
	COLUMN_EARLIEST, COLUMN_LATEST, COLUMN_PROBABILITY, COLUMN_MODEL, COLUMN_POINTS, COLUMN_COVERAGE,
	COLUMN_READY, COLUMN_KIND, COLUMN_EVENTS,
	COLUMN_BREACH_TIME, COLUMN_EARLIEST_TIME, COLUMN_LATEST_TIME, N_COLUMNS
};

/* The attributes of threshold_curve, in order. */
enum
{
	CURVE_FORECAST, CURVE_CHANCES, N_CURVE_COLUMNS
};

/* Position of chance_days among the arguments of _threshold_curve. */
#define ARGUMENT_CHANCE_DAYS	8

typedef struct Row
{
	Datum		values[N_COLUMNS];
	bool		nulls[N_COLUMNS];
} Row;

static void
put(Row *row, int column, bool is_known, Datum value)
{
	row->values[column] = value;
	row->nulls[column] = !is_known;
}

static Row
row_of(TupleDesc desc, const ReachRequest *request, const Reach *reach)
{
	Row			row;
	Oid			enum_type = TupleDescAttr(desc, COLUMN_STATUS)->atttypid;
	const char *reason = reach->verdict.reason;

	put(&row, COLUMN_STATUS, true, forecast_status_datum(reach->verdict.status, enum_type));
	put(&row, COLUMN_REASON, reason != NULL, reason == NULL ? (Datum) 0 : CStringGetTextDatum(reason));
	put(&row, COLUMN_CURRENT, reach->has_current, Float8GetDatum(reach->current));
	put(&row, COLUMN_THRESHOLD, request->has_threshold, Float8GetDatum(request->threshold));
	put(&row, COLUMN_DAYS_LEFT, reach->has_days_left, Int32GetDatum(reach->days_left));
	put(&row, COLUMN_BREACH, reach->has_breach, DateADTGetDatum(reach->breach));
	put(&row, COLUMN_EARLIEST, reach->has_earliest, DateADTGetDatum(reach->earliest));
	put(&row, COLUMN_LATEST, reach->has_latest, DateADTGetDatum(reach->latest));
	put(&row, COLUMN_PROBABILITY, reach->has_probability, Float8GetDatum(reach->probability));
	put(&row, COLUMN_MODEL, true, CStringGetTextDatum(MODEL_NAME));
	put(&row, COLUMN_POINTS, true, Int32GetDatum(reach->n_points));
	put(&row, COLUMN_COVERAGE, reach->has_coverage, Float8GetDatum(reach->coverage_ratio));
	put(&row, COLUMN_READY, reach->has_ready, DateADTGetDatum(reach->ready));
	put(&row, COLUMN_KIND, reach->kind != NULL, reach->kind == NULL ? (Datum) 0 : CStringGetTextDatum(reach->kind));
	put(&row, COLUMN_EVENTS, reach->events != NULL, reach->events == NULL ? (Datum) 0 : CStringGetTextDatum(reach->events));
	put(&row, COLUMN_BREACH_TIME, reach->has_times && reach->has_breach, TimestampTzGetDatum(reach->breach_time));
	put(&row, COLUMN_EARLIEST_TIME, reach->has_times && reach->has_earliest, TimestampTzGetDatum(reach->earliest_time));
	put(&row, COLUMN_LATEST_TIME, reach->has_times && reach->has_latest, TimestampTzGetDatum(reach->latest_time));
	return row;
}

static void
put_row(ReturnSetInfo *rsinfo, const ReachRequest *request, const Reach *reach)
{
	Row			row = row_of(rsinfo->setDesc, request, reach);

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row.values, row.nulls);
}

/* The same as a value within the row, and the chances beside it. */
static void
put_curve(ReturnSetInfo *rsinfo, const ReachRequest *request, const Reach *reach)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(TupleDescAttr(rsinfo->setDesc, CURVE_FORECAST)->atttypid, -1);
	Row			row;
	Datum		values[N_CURVE_COLUMNS];
	bool		nulls[N_CURVE_COLUMNS] = {false};
	Datum	   *chances = palloc(sizeof(Datum) * (request->n_chances + 1));

	row_check(desc, N_COLUMNS);
	row = row_of(desc, request, reach);
	values[CURVE_FORECAST] = HeapTupleGetDatum(heap_form_tuple(desc, row.values, row.nulls));
	ReleaseTupleDesc(desc);
	for (int i = 0; i < request->n_chances; i++)
		chances[i] = Float8GetDatum(request->chance[i]);
	nulls[CURVE_CHANCES] = !reach->has_probability;
	values[CURVE_CHANCES] = PointerGetDatum(construct_array(chances, request->n_chances, FLOAT8OID,
															sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Days after as_of, each within what a horizon may be. */
static void
read_chance_days(FunctionCallInfo fcinfo, ReachRequest *request)
{
	ArrayType  *days = PG_ARGISNULL(ARGUMENT_CHANCE_DAYS) ? NULL : PG_GETARG_ARRAYTYPE_P(ARGUMENT_CHANCE_DAYS);
	int			n = days == NULL ? 0 : ArrayGetNItems(ARR_NDIM(days), ARR_DIMS(days));
	bool		is_valid;

	request->n_chances = n;
	request->chance_days = n == 0 ? NULL : (const int32 *) ARR_DATA_PTR(days);
	is_valid = n <= REACH_MAX_CHANCES && (n == 0 || !ARR_HASNULL(days));
	for (int i = 0; is_valid && i < n; i++)
		is_valid = request->chance_days[i] >= 1 && request->chance_days[i] <= CF_REACH_MAX_HORIZON;
	if (!is_valid)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("chance_days must be at most %d numbers from 1 to %d", REACH_MAX_CHANCES, CF_REACH_MAX_HORIZON)));
	request->chance = palloc0(sizeof(double) * (n + 1));
}

/* Of a metric's values; its kind where none is asked for. */
static void
reach_run_metric(text *name, ReachRequest *request, Reach *reach)
{
	ForecastMetric *metric = forecast_metric_read(name, FORECAST_AS_CAPTURED, request->as_of);

	if (request->kind == CF_KIND_AUTO)
		request->kind = metric->kind;
	request->planned = &metric->planned;
	request->metric = name;
	reach_run(metric->series, request, reach);
}

PG_FUNCTION_INFO_V1(capforecast_time_to_threshold_series);
Datum
capforecast_time_to_threshold_series(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext work;
	MemoryContext caller;
	ReachRequest request;
	Reach		reach;

	row_set(fcinfo, N_COLUMNS);
	work = AllocSetContextCreate(CurrentMemoryContext, "capforecast threshold", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(work);
	reach_request_read(fcinfo, 1, &request);
	reach_run(PG_ARGISNULL(0) ? NULL : PG_GETARG_SERIES(0), &request, &reach);
	put_row(rsinfo, &request, &reach);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(capforecast_time_to_threshold_metric);
Datum
capforecast_time_to_threshold_metric(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext work;
	MemoryContext caller;
	ReachRequest request;
	Reach		reach;

	row_set(fcinfo, N_COLUMNS);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	work = AllocSetContextCreate(CurrentMemoryContext, "capforecast threshold", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(work);
	reach_request_read(fcinfo, 1, &request);
	reach_run_metric(PG_GETARG_TEXT_PP(0), &request, &reach);
	put_row(rsinfo, &request, &reach);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return (Datum) 0;
}

/*
 * capforecast._planned_threshold(metric, threshold, direction, as_of, add, growth_multiplier, from_date)
 *		time_to_threshold(metric, …) with a change.
 */
PG_FUNCTION_INFO_V1(capforecast_planned_threshold);
Datum
capforecast_planned_threshold(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext work;
	MemoryContext caller;
	ReachRequest request = {.level = 0.80};
	ForecastMetric *metric;
	Reach		reach;

	row_set(fcinfo, N_COLUMNS);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	work = AllocSetContextCreate(CurrentMemoryContext, "capforecast threshold", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(work);
	reach_threshold_read(fcinfo, 1, &request);
	request.direction = request_direction(fcinfo, 2);
	request.as_of = clock_as_of(fcinfo, 3, GetCurrentTimestamp());
	request.until = request.as_of + REACH_USUAL_DAYS * USECS_PER_DAY;
	metric = forecast_metric_read(PG_GETARG_TEXT_PP(0), FORECAST_AS_CAPTURED, request.as_of);
	planned_change_read(fcinfo, 4, &metric->planned);
	request.kind = metric->kind;
	request.planned = &metric->planned;
	request.metric = PG_GETARG_TEXT_PP(0);
	reach_run(metric->series, &request, &reach);
	put_row(rsinfo, &request, &reach);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return (Datum) 0;
}

/*
 * capforecast._threshold_curve(metric, the arguments of time_to_threshold(), chance_days)
 */
PG_FUNCTION_INFO_V1(capforecast_threshold_curve);
Datum
capforecast_threshold_curve(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext work;
	MemoryContext caller;
	ReachRequest request;
	Reach		reach;

	row_set(fcinfo, N_CURVE_COLUMNS);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	work = AllocSetContextCreate(CurrentMemoryContext, "capforecast threshold", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(work);
	reach_request_read(fcinfo, 1, &request);
	read_chance_days(fcinfo, &request);
	reach_run_metric(PG_GETARG_TEXT_PP(0), &request, &reach);
	put_curve(rsinfo, &request, &reach);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return (Datum) 0;
}
