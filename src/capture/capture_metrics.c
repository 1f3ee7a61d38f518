/*
 * capture_metrics.c
 *		capture_metrics(): the day's and the hour's values of the operator's own metrics.
 *
 * Each metric is measured by itself (host_registered), so that one that fails is one
 * reason in the run's record.  A metric that has its value is not measured again: the job
 * runs hourly, and of the daily ones only repeats what failed.  The day's value of an
 * hourly one is the statistic of its hours so far.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "capture/capture_day.h"
#include "capture/capture_statistic.h"
#include "common/attempt.h"
#include "common/clock.h"
#include "common/row.h"
#include "common/scope.h"
#include "host/host_registered.h"
#include "run/run_log.h"

typedef struct OwnMetric
{
	char	   *name;
	char	   *registrar;		/* NULL: suspended */
	char	   *query;
	char	   *limit_query;	/* NULL: none */
	bool		value_known;	/* result: false where the query returned NULL */
	double		value;			/* result */
	bool		limit_known;	/* given as a number, or result of limit_query */
	double		limit;
	bool		is_hourly;
	const char *statistic;		/* of its hours, as SQL */
} OwnMetric;

/* ---------- measuring ---------- */

typedef struct Number
{
	bool		known;			/* false: NULL */
	double		value;
} Number;

/* A number that no series could hold is an error of the query. */
static void
read_number(const char *text, void *result)
{
	Number	   *number = result;

	number->known = text != NULL;
	if (text == NULL)
		return;
	number->value = DatumGetFloat8(DirectFunctionCall1(float8in, CStringGetDatum(text)));
	if (!isfinite(number->value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("registered query returned %s", text),
				 errhint("Return NULL where the value is not known.")));
}

/* False: one of the queries failed. */
static bool
measure(OwnMetric *metric, AttemptFailure *failure)
{
	Number		number;

	if (!host_registered_number(metric->query, metric->registrar, read_number, &number, failure))
		return false;
	metric->value_known = number.known;
	metric->value = number.known ? number.value : 0;
	if (metric->limit_query == NULL)
		return true;
	if (!host_registered_number(metric->limit_query, metric->registrar, read_number, &number, failure))
		return false;
	metric->limit_known = number.known;
	metric->limit = number.known ? number.value : 0;
	return true;
}

/* The columns of _metric_query in the order of the SELECTs below. */
static void
metric_from_row(OwnMetric *metric, uint64 row)
{
	HeapTuple	tuple = SPI_tuptable->vals[row];
	TupleDesc	desc = SPI_tuptable->tupdesc;
	bool		is_null;

	memset(metric, 0, sizeof(*metric));
	metric->name = SPI_getvalue(tuple, desc, 1);
	metric->registrar = SPI_getvalue(tuple, desc, 2);
	metric->query = SPI_getvalue(tuple, desc, 3);
	metric->limit_query = SPI_getvalue(tuple, desc, 4);
	metric->limit = DatumGetFloat8(scope_datum(row, 5, &is_null));
	metric->limit_known = !is_null;
	metric->is_hourly = DatumGetBool(scope_datum(row, 6, &is_null));
	metric->statistic = capture_statistic(SPI_getvalue(tuple, desc, 7), SPI_getvalue(tuple, desc, 8));
}

/*
 * capforecast._measure_metric(query, limit_query) → (value, limit_value)
 *		What a definition gives, before it is one.
 */
PG_FUNCTION_INFO_V1(capforecast_measure_metric);
Datum
capforecast_measure_metric(PG_FUNCTION_ARGS)
{
	Datum		values[2];
	bool		nulls[2];
	OwnMetric	metric = {0};
	AttemptFailure failure;
	TupleDesc	desc;
	Scope		scope;

	desc = row_type(fcinfo, lengthof(values));
	row_require(fcinfo, 0, "query");
	metric.registrar = GetUserNameFromId(GetUserId(), false);
	metric.query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	metric.limit_query = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	scope_enter(&scope);
	if (!measure(&metric, &failure))
		ReThrowError(failure.error);
	scope_leave(&scope);

	values[0] = Float8GetDatum(metric.value);
	nulls[0] = !metric.value_known;
	values[1] = Float8GetDatum(metric.limit);
	nulls[1] = !metric.limit_known;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/* ---------- capturing ---------- */

static TimestampTz
hour_of(TimestampTz as_of)
{
	return as_of - as_of % USECS_PER_HOUR;
}

/* Metrics without a value of the day, or of the hour, in order of name; in the current memory context. */
static OwnMetric *
metrics_to_measure(TimestampTz as_of, int *n_metrics)
{
	Oid			types[2] = {DATEOID, TIMESTAMPTZOID};
	Datum		values[2] = {DateADTGetDatum(clock_utc_day(as_of)), TimestampTzGetDatum(hour_of(as_of))};
	OwnMetric  *metrics;

	scope_execute("SELECT q.metric, capforecast._registrar(q.registrar, q.registrar_name)::text, q.query, q.limit_query, m.limit_value, "
				  "       m.every = '1 hour', m.statistic, m.direction "
				  "  FROM capforecast._metric_query q JOIN capforecast.own_metric m USING (metric) "
				  " WHERE CASE m.every WHEN '1 hour' "
				  "       THEN NOT EXISTS (SELECT FROM capforecast.metric_hour v WHERE v.metric = q.metric AND v.ts = $2) "
				  "       ELSE NOT EXISTS (SELECT FROM capforecast.metric_value v WHERE v.metric = q.metric AND v.day = $1) END "
				  " ORDER BY q.metric", 2, types, values, NULL, false, SPI_OK_SELECT);
	*n_metrics = (int) SPI_processed;
	metrics = palloc(sizeof(OwnMetric) * Max(*n_metrics, 1));
	for (int i = 0; i < *n_metrics; i++)
		metric_from_row(&metrics[i], i);
	return metrics;
}

static void
store(const OwnMetric *metric, DateADT day)
{
	Oid			types[4] = {TEXTOID, DATEOID, FLOAT8OID, FLOAT8OID};
	char		nulls[5] = "    ";
	Datum		values[4];

	values[0] = CStringGetTextDatum(metric->name);
	values[1] = DateADTGetDatum(day);
	values[2] = Float8GetDatum(metric->value);
	values[3] = Float8GetDatum(metric->limit);
	nulls[3] = metric->limit_known ? ' ' : 'n';
	scope_execute("INSERT INTO capforecast.metric_value (metric, day, value, limit_value) VALUES ($1, $2, $3, $4) "
				  "ON CONFLICT DO NOTHING", 4, types, values, nulls, false, SPI_OK_INSERT);
}

/* The hour, and the day so far. */
static void
store_hour(const OwnMetric *metric, TimestampTz as_of)
{
	Oid			types[5] = {TEXTOID, TIMESTAMPTZOID, FLOAT8OID, FLOAT8OID, DATEOID};
	char		nulls[6] = "     ";
	Datum		values[5];

	values[0] = CStringGetTextDatum(metric->name);
	values[1] = TimestampTzGetDatum(hour_of(as_of));
	values[2] = Float8GetDatum(metric->value);
	values[3] = Float8GetDatum(metric->limit);
	values[4] = DateADTGetDatum(clock_utc_day(as_of));
	nulls[3] = metric->limit_known ? ' ' : 'n';
	scope_execute("INSERT INTO capforecast.metric_hour (metric, ts, value, limit_value) VALUES ($1, $2, $3, $4) "
				  "ON CONFLICT DO NOTHING", 4, types, values, nulls, false, SPI_OK_INSERT);
	scope_execute(psprintf("INSERT INTO capforecast.metric_value AS v (metric, day, value, limit_value) "
						   "SELECT $1, $5, %s, $4 FROM (SELECT ts AS at, value FROM capforecast.metric_hour "
						   "  WHERE metric = $1 AND ts >= $5::timestamp AT TIME ZONE 'UTC' AND ts <= $2) h "
						   "ON CONFLICT (metric, day) DO UPDATE SET value = excluded.value, limit_value = excluded.limit_value, "
						   "  captured_at = excluded.captured_at WHERE v.source = 'captured'", metric->statistic),
				  5, types, values, nulls, false, SPI_OK_INSERT);
}

static void
capture_all(TimestampTz as_of, RunRecord *record)
{
	int			n_metrics;
	OwnMetric  *metrics = metrics_to_measure(as_of, &n_metrics);

	record->examined = n_metrics;
	for (int i = 0; i < n_metrics; i++)
	{
		AttemptFailure failure;

		CHECK_FOR_INTERRUPTS();
		if (!measure(&metrics[i], &failure))
			run_record_failure(record, metrics[i].name, &failure);
		else if (!metrics[i].value_known)
			run_record_reason(record, metrics[i].name, "the query returned NULL");
		else
		{
			if (metrics[i].is_hourly)
				store_hour(&metrics[i], as_of);
			else
				store(&metrics[i], clock_utc_day(as_of));
			record->changed++;
		}
	}
}

PG_FUNCTION_INFO_V1(capforecast_capture_metrics);
Datum
capforecast_capture_metrics(PG_FUNCTION_ARGS)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz as_of = clock_as_of_writing(fcinfo, 0, now);
	RunRecord	record;
	Scope		scope;

	PreventCommandIfReadOnly("capture_metrics()");
	capture_require_today(as_of, now);
	scope_enter(&scope);
	run_record_start(&record, CAPTURE_METRICS, now, as_of);
	if (run_record_lock(&record))
		capture_all(as_of, &record);
	run_record_settle(&record);
	scope_leave(&scope);
	PG_RETURN_INT64(record.changed);
}
