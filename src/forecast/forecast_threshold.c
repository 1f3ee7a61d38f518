/*
 * forecast_threshold.c
 *		time_to_threshold(series, …) and time_to_threshold(metric, …): one row each.
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

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
	COLUMN_READY, N_COLUMNS
};

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

static void
put_row(ReturnSetInfo *rsinfo, const ReachRequest *request, const Reach *reach)
{
	Row			row;
	Oid			enum_type = TupleDescAttr(rsinfo->setDesc, COLUMN_STATUS)->atttypid;
	const char *reason = reach->verdict.reason;

	put(&row, COLUMN_STATUS, true, forecast_status_datum(reach->verdict.status, enum_type));
	put(&row, COLUMN_REASON, reason != NULL, reason == NULL ? (Datum) 0 : CStringGetTextDatum(reason));
	put(&row, COLUMN_CURRENT, reach->has_current, Float8GetDatum(reach->current));
	put(&row, COLUMN_THRESHOLD, request->has_threshold, Float8GetDatum(request->threshold));
	put(&row, COLUMN_DAYS_LEFT, reach->has_breach, Int32GetDatum(reach->days_left));
	put(&row, COLUMN_BREACH, reach->has_breach, DateADTGetDatum(reach->breach));
	put(&row, COLUMN_EARLIEST, reach->has_earliest, DateADTGetDatum(reach->earliest));
	put(&row, COLUMN_LATEST, reach->has_latest, DateADTGetDatum(reach->latest));
	put(&row, COLUMN_PROBABILITY, reach->has_probability, Float8GetDatum(reach->probability));
	put(&row, COLUMN_MODEL, true, CStringGetTextDatum(MODEL_NAME));
	put(&row, COLUMN_POINTS, true, Int32GetDatum(reach->n_points));
	put(&row, COLUMN_COVERAGE, reach->has_coverage, Float8GetDatum(reach->coverage_ratio));
	put(&row, COLUMN_READY, reach->has_ready, DateADTGetDatum(reach->ready));
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row.values, row.nulls);
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
	ForecastMetric metric;
	Reach		reach;

	row_set(fcinfo, N_COLUMNS);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	work = AllocSetContextCreate(CurrentMemoryContext, "capforecast threshold", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(work);
	reach_request_read(fcinfo, 1, &request);
	metric = forecast_metric_read(PG_GETARG_TEXT_PP(0), request.as_of);
	if (request.kind == CF_KIND_AUTO)
		request.kind = metric.kind;
	reach_run(metric.series, &request, &reach);
	put_row(rsinfo, &request, &reach);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return (Datum) 0;
}
