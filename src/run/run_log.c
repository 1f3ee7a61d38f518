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
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "common/scope.h"
#include "run/run_lock.h"
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

static bool
is_under_run_job(const RunRecord *record)
{
	return current_run_id != 0 && strcmp(current_job, record->job) == 0;
}

char *
run_log_text(const char *text)
{
	int			length = (int) strlen(text);

	if (length <= RUN_TEXT_MAX)
		return pstrdup(text);
	return psprintf("%.*s...", pg_mbcliplen(text, length, RUN_TEXT_MAX - 3), text);
}

void
run_record_start(RunRecord *record, const char *job, TimestampTz started_at, TimestampTz as_of)
{
	memset(record, 0, sizeof(*record));
	record->job = job;
	record->started_at = started_at;
	record->as_of = as_of;
	record->status = "ok";
	initStringInfo(&record->detail);
}

bool
run_record_lock(RunRecord *record)
{
	if (!is_under_run_job(record))
		run_lock(record->job);
	else if (!run_lock_if_free(record->job))
	{
		record->status = "already_running";
		return false;
	}
	return true;
}

static void
add_member(RunRecord *record, const char *part, const char *sqlstate, const char *message, const char *hint)
{
	StringInfo	detail = &record->detail;

	record->failed++;
	if (record->failed > RUN_PARTS_MAX)
		return;
	appendStringInfoString(detail, detail->len > 0 ? ", " : "");
	escape_json(detail, run_log_text(part));
	appendStringInfoString(detail, ": {\"message\": ");
	escape_json(detail, run_log_text(message));
	if (sqlstate != NULL)
	{
		appendStringInfoString(detail, ", \"sqlstate\": ");
		escape_json(detail, sqlstate);
	}
	if (hint != NULL)
	{
		appendStringInfoString(detail, ", \"hint\": ");
		escape_json(detail, run_log_text(hint));
	}
	appendStringInfoChar(detail, '}');
}

void
run_record_failure(RunRecord *record, const char *part, const AttemptFailure *failure)
{
	add_member(record, part, failure->sqlstate, failure->message, failure->hint);
}

void
run_record_reason(RunRecord *record, const char *part, const char *reason)
{
	add_member(record, part, NULL, reason, NULL);
}

void
run_record_settle(RunRecord *record)
{
	Oid			types[10] = {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, INT8OID, INT8OID, INT8OID,
	TEXTOID, TEXTOID, INT8OID};
	char		nulls[11] = "          ";
	Datum		values[10];

	if (record->failed > RUN_PARTS_MAX && record->detail.len > 0)
		appendStringInfo(&record->detail, ", \"(more)\": {\"message\": \"" INT64_FORMAT " parts failed beside these\"}",
						 record->failed - RUN_PARTS_MAX);
	values[0] = CStringGetTextDatum(record->job);
	values[1] = TimestampTzGetDatum(record->started_at);
	values[2] = TimestampTzGetDatum(record->as_of);
	values[3] = Int64GetDatum(record->examined);
	values[4] = Int64GetDatum(record->changed);
	values[5] = Int64GetDatum(record->skipped_locked);
	values[6] = Int64GetDatum(record->failed);
	values[7] = CStringGetTextDatum(psprintf("{%s}", record->detail.data));
	nulls[7] = record->detail.len > 0 ? ' ' : 'n';
	values[8] = CStringGetTextDatum(record->status);
	values[9] = Int64GetDatum(current_run_id);
	if (is_under_run_job(record))
		scope_execute("UPDATE capforecast.job_run SET finished_at = clock_timestamp(), status = $9, "
					  "as_of = $3, examined = $4, changed = $5, skipped_locked = $6, failed = $7, detail = $8::jsonb "
					  "WHERE run_id = $10",
					  10, types, values, nulls, false, SPI_OK_UPDATE);
	else
		scope_execute("INSERT INTO capforecast.job_run "
					  "(job, started_at, finished_at, status, as_of, examined, changed, skipped_locked, failed, detail) "
					  "VALUES ($1, $2, clock_timestamp(), $9, $3, $4, $5, $6, $7, $8::jsonb)",
					  9, types, values, nulls, false, SPI_OK_INSERT);
}

/* The members of a JSON object without its braces; of one that is too long, how it begins. */
static void
add_object(RunRecord *record, Jsonb *detail)
{
	char	   *text;
	int			length;

	if (!JB_ROOT_IS_OBJECT(detail))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("detail of a run must be a JSON object")));
	text = JsonbToCString(NULL, &detail->root, VARSIZE(detail));
	length = (int) strlen(text);
	if (length <= RUN_DETAIL_MAX)
		appendBinaryStringInfo(&record->detail, text + 1, length - 2);
	else
	{
		appendStringInfoString(&record->detail, "\"(cut)\": ");
		escape_json(&record->detail, run_log_text(text));
	}
}

static void
refuse_nulls(FunctionCallInfo fcinfo, int n_arguments, const char *function)
{
	for (int i = 0; i < n_arguments; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument %d of %s must not be null", i + 1, function)));
}

/*
 * capforecast._begin_run(job, started_at, as_of, dry_run, waits) → boolean
 *		run_record_lock() for jobs that are written in SQL.
 */
PG_FUNCTION_INFO_V1(capforecast_begin_run);
Datum
capforecast_begin_run(PG_FUNCTION_ARGS)
{
	RunRecord	record;
	bool		dry_run = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
	bool		waits = PG_ARGISNULL(4) || PG_GETARG_BOOL(4);
	bool		locked;
	Scope		scope;

	refuse_nulls(fcinfo, 3, "_begin_run");
	PreventCommandIfReadOnly(psprintf("%s()", text_to_cstring(PG_GETARG_TEXT_PP(0))));
	scope_enter(&scope);
	run_record_start(&record, text_to_cstring(PG_GETARG_TEXT_PP(0)),
					 PG_GETARG_TIMESTAMPTZ(1), PG_GETARG_TIMESTAMPTZ(2));
	if (waits)
		locked = run_record_lock(&record);
	else if (!(locked = run_lock_if_free(record.job)))
		record.status = "already_running";
	if (!locked && !dry_run)
		run_record_settle(&record);
	scope_leave(&scope);
	PG_RETURN_BOOL(locked);
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

	refuse_nulls(fcinfo, 7, "_settle_run");
	scope_enter(&scope);
	run_record_start(&record, text_to_cstring(PG_GETARG_TEXT_PP(0)),
					 PG_GETARG_TIMESTAMPTZ(1), PG_GETARG_TIMESTAMPTZ(2));
	record.examined = PG_GETARG_INT64(3);
	record.changed = PG_GETARG_INT64(4);
	record.skipped_locked = PG_GETARG_INT64(5);
	record.failed = PG_GETARG_INT64(6);
	if (!PG_ARGISNULL(7))
		add_object(&record, PG_GETARG_JSONB_P(7));
	run_record_settle(&record);
	if (!is_under_run_job(&record))
	{
		scope_execute("SELECT currval('capforecast.job_run_run_id_seq')", 0, NULL, NULL, NULL, false, SPI_OK_SELECT);
		run_id = DatumGetInt64(scope_datum(0, 1, &is_null));
	}
	scope_leave(&scope);
	PG_RETURN_INT64(run_id);
}
