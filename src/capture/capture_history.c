/*
 * capture_history.c
 *		import_metric(): takes over the history of an own metric that was kept elsewhere.
 *
 * One statement reads the values, makes each past UTC day's one of them, and inserts the days that have none.  The
 * unique index decides that, so a capture running at the same time loses nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "capture/capture_statistic.h"
#include "common/clock.h"
#include "common/row.h"
#include "common/scope.h"
#include "host/host_values.h"

#define N_COUNTS	5

/* What a day's values become, as capture_metrics() would have measured it; and are its hours kept, too? */
static const char *
metric_statistic(Datum metric, bool *is_hourly)
{
	Oid			types[1] = {TEXTOID};
	bool		is_null;

	scope_execute("SELECT statistic, direction, every = '1 hour' FROM capforecast.own_metric WHERE metric = $1",
				  1, types, &metric, NULL, true, SPI_OK_SELECT);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no own metric \"%s\"", TextDatumGetCString(metric)),
				 errhint("Register it with add_metric() first; what is built in has import_snapshots()."),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "unknown_metric")));
	*is_hourly = DatumGetBool(scope_datum(0, 3, &is_null));
	return capture_statistic(SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1),
							 SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2));
}

/* The hours that are kept, one by one. */
static char *
hours_insert(const char *statistic)
{
	return psprintf("hourly AS (INSERT INTO capforecast.metric_hour (metric, ts, value) "
					"  SELECT $1, date_trunc('hour', at, 'UTC') AS ts, %s AS value FROM usable "
					"  WHERE day > $2 - capforecast._hours_kept() GROUP BY 2 HAVING abs(%s) < 'Infinity' ORDER BY 2 "
					"  ON CONFLICT (metric, ts) DO NOTHING), ", statistic, statistic);
}

/* Leaves the report in SPI_tuptable: imported, already_stored, skipped, first_day, last_day. */
static void
take_over(const char *source, const char *statistic, bool is_hourly, Datum metric)
{
	Oid			types[2] = {TEXTOID, DATEOID};
	Datum		values[2] = {metric, DateADTGetDatum(clock_utc_day(GetCurrentTimestamp()))};

	/* A policy that hides rows would make a hole in the history, not an error. */
	scope_set("row_security", "off");
	scope_execute(psprintf("WITH source AS MATERIALIZED (%s), "
						   "usable AS (SELECT (at AT TIME ZONE 'UTC')::date AS day, at, value FROM source "
						   "  WHERE isfinite(at) AND at < $2::timestamp AT TIME ZONE 'UTC' "
						   "    AND abs(value) < 'Infinity'), "
						   "%s"
						   "daily AS (SELECT day, %s AS value FROM usable GROUP BY day), "
						   "taken AS (INSERT INTO capforecast.metric_value (metric, day, value, source) "
						   "  SELECT $1, day, value, 'imported' FROM daily WHERE abs(value) < 'Infinity' ORDER BY day "
						   "  ON CONFLICT (metric, day) DO NOTHING RETURNING day) "
						   "SELECT count(*), (SELECT count(*) FROM daily) - count(*), "
						   "  (SELECT count(*) FROM source) - (SELECT count(*) FROM usable), "
						   "  min(day), max(day) FROM taken",
						   source, is_hourly ? hours_insert(statistic) : "", statistic),
				  2, types, values, NULL, false, SPI_OK_SELECT);
}

static void
check_arguments(FunctionCallInfo fcinfo)
{
	row_require(fcinfo, 0, "metric");
	row_require(fcinfo, 3, "ts_column");
	row_require(fcinfo, 4, "value_column");
	if (PG_ARGISNULL(1) == PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a history comes from one place"),
				 errhint("Give relation or query, not both."),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "one_source")));
}

PG_FUNCTION_INFO_V1(capforecast_import_metric);
Datum
capforecast_import_metric(PG_FUNCTION_ARGS)
{
	TupleDesc	desc = BlessTupleDesc(row_type(fcinfo, N_COUNTS));
	MemoryContext caller = CurrentMemoryContext;
	Datum		values[N_COUNTS];
	bool		nulls[N_COUNTS];
	const char *statistic;
	bool		is_hourly;
	char	   *source;
	Scope		scope;

	PreventCommandIfReadOnly("import_metric()");
	check_arguments(fcinfo);
	scope_enter(&scope);
	statistic = metric_statistic(PG_GETARG_DATUM(0), &is_hourly);
	source = host_values_select(PG_ARGISNULL(1) ? InvalidOid : PG_GETARG_OID(1),
								PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2)),
								NameStr(*PG_GETARG_NAME(3)), NameStr(*PG_GETARG_NAME(4)));
	take_over(source, statistic, is_hourly, PG_GETARG_DATUM(0));
	for (int c = 0; c < N_COUNTS; c++)
		values[c] = scope_datum(0, c + 1, &nulls[c]);
	scope_leave(&scope);
	MemoryContextSwitchTo(caller);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
