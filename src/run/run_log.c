/*
 * run_log.c
 *		The run log.
 *
 * A job is a function in the caller's transaction that writes one settled row, so
 * that what it did and that it did are lost or kept together.  Under run_job() the
 * row exists already (committed as running) and is settled instead.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "common/scope.h"
#include "run/run_log.h"

static const char *current_job = NULL;
static int64 current_run_id = 0;

void
run_log_begin(const char *job, int64 run_id)
{
	current_job = job;
	current_run_id = run_id;
}

void
run_log_end(void)
{
	current_job = NULL;
	current_run_id = 0;
}

void
run_record_start(RunRecord *record, const char *job, TimestampTz started_at, TimestampTz as_of)
{
	memset(record, 0, sizeof(*record));
	record->job = job;
	record->started_at = started_at;
	record->as_of = as_of;
	initStringInfo(&record->detail);
}

static void
add_member(RunRecord *record, const char *part, const char *sqlstate, const char *message, const char *hint)
{
	StringInfo	detail = &record->detail;

	appendStringInfoString(detail, detail->len > 0 ? ", " : "");
	escape_json(detail, part);
	appendStringInfoString(detail, ": {\"message\": ");
	escape_json(detail, message);
	if (sqlstate != NULL)
	{
		appendStringInfoString(detail, ", \"sqlstate\": ");
		escape_json(detail, sqlstate);
	}
	if (hint != NULL)
	{
		appendStringInfoString(detail, ", \"hint\": ");
		escape_json(detail, hint);
	}
	appendStringInfoChar(detail, '}');
}

void
run_record_failure(RunRecord *record, const char *part, const AttemptFailure *failure)
{
	record->failed++;
	add_member(record, part, failure->sqlstate, failure->message, failure->hint);
}

void
run_record_reason(RunRecord *record, const char *part, const char *reason)
{
	record->failed++;
	add_member(record, part, NULL, reason, NULL);
}

void
run_record_settle(RunRecord *record)
{
	Oid			types[9] = {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, INT8OID, INT8OID, INT8OID, TEXTOID, INT8OID};
	char		nulls[10] = "         ";
	Datum		values[9];
	bool		under_run_job = current_run_id != 0 && strcmp(current_job, record->job) == 0;

	values[0] = CStringGetTextDatum(record->job);
	values[1] = TimestampTzGetDatum(record->started_at);
	values[2] = TimestampTzGetDatum(record->as_of);
	values[3] = Int64GetDatum(record->examined);
	values[4] = Int64GetDatum(record->changed);
	values[5] = Int64GetDatum(record->skipped_locked);
	values[6] = Int64GetDatum(record->failed);
	values[7] = CStringGetTextDatum(psprintf("{%s}", record->detail.data));
	nulls[7] = record->detail.len > 0 ? ' ' : 'n';
	values[8] = Int64GetDatum(current_run_id);
	if (under_run_job)
		scope_execute("UPDATE capforecast.job_run SET finished_at = clock_timestamp(), status = 'ok', "
					  "as_of = $3, examined = $4, changed = $5, skipped_locked = $6, failed = $7, detail = $8::jsonb "
					  "WHERE run_id = $9",
					  9, types, values, nulls, false, SPI_OK_UPDATE);
	else
		scope_execute("INSERT INTO capforecast.job_run "
					  "(job, started_at, finished_at, status, as_of, examined, changed, skipped_locked, failed, detail) "
					  "VALUES ($1, $2, clock_timestamp(), 'ok', $3, $4, $5, $6, $7, $8::jsonb)",
					  8, types, values, nulls, false, SPI_OK_INSERT);
}

/*
 * capforecast._settle_run(job, started_at, as_of, examined, changed, skipped_locked,
 * failed, detail) → run_id
 *		The same for jobs that are written in SQL.
 */
PG_FUNCTION_INFO_V1(capforecast_settle_run);
Datum
capforecast_settle_run(PG_FUNCTION_ARGS)
{
	RunRecord	record;
	Scope		scope;
	bool		is_null;
	int64		run_id = current_run_id;

	for (int i = 0; i < 7; i++)
		if (PG_ARGISNULL(i))
			elog(ERROR, "argument %d of _settle_run is null", i + 1);
	scope_enter(&scope);
	run_record_start(&record, text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_TIMESTAMPTZ(1), PG_GETARG_TIMESTAMPTZ(2));
	record.examined = PG_GETARG_INT64(3);
	record.changed = PG_GETARG_INT64(4);
	record.skipped_locked = PG_GETARG_INT64(5);
	record.failed = PG_GETARG_INT64(6);
	if (!PG_ARGISNULL(7))
	{
		char	   *object = DatumGetCString(DirectFunctionCall1(jsonb_out, PG_GETARG_DATUM(7)));

		/* the members without the braces of the object */
		appendBinaryStringInfo(&record.detail, object + 1, strlen(object) - 2);
	}
	run_record_settle(&record);
	if (run_id == 0 || strcmp(current_job, record.job) != 0)
	{
		scope_execute("SELECT currval('capforecast.job_run_run_id_seq')", 0, NULL, NULL, NULL, false, SPI_OK_SELECT);
		run_id = DatumGetInt64(scope_datum(0, 1, &is_null));
	}
	scope_leave(&scope);
	PG_RETURN_INT64(run_id);
}
