/*
 * job_run.c
 *		CALL run_job(name): what the scheduler calls.
 *
 * Several transactions, so that a run which fails or is killed is on record: the row is
 * inserted as running and committed, the job runs in a subtransaction, the row is
 * settled with what came of it and committed.  In between, a job that writes the host's
 * tables works a few rows at a time (run/run_ahead.h).  It is C and not PL/pgSQL because a
 * procedure with a pinned search_path could not commit, and one without would have to
 * qualify every operator; here the path is pinned anew in each transaction.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "portability/instr_time.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "common/attempt.h"
#include "common/scope.h"
#include "run/run_ahead.h"
#include "run/run_log.h"

/*
 * The host's statements wait for the rows that are worked on at once, at most: a few at
 * first, then as many as have taken about so long.
 */
#define ROWS_AT_FIRST	5
#define ROWS_AT_MOST	1000
#define LOCKED_MS		20.0

typedef struct Run
{
	char	   *job;
	char	   *statement;
	bool		writes_host;
	int64		run_id;
	MemoryContext context;		/* lives through the commits */
	RunSet	   *set;			/* worked on ahead, from a row on */
	int			first;
	int			rows_at_once;
} Run;

static void
require_own_transaction(FunctionCallInfo fcinfo)
{
	CallContext *call = (CallContext *) fcinfo->context;

	if (call == NULL || !IsA(call, CallContext) || call->atomic)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("run_job cannot run inside a transaction block or a function"),
				 errdetail("It commits, so that a failed run stays on record."),
				 errhint("Call the job's function itself, or run CALL on its own.")));
}

static char *
job_argument(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("name of the job must not be null"),
				 errhint("SELECT name FROM capforecast.job lists the jobs.")));
	return text_to_cstring(PG_GETARG_TEXT_PP(0));
}

static void
find_job(Run *run)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(run->job)};
	bool		is_null;

	scope_execute("SELECT statement, writes_host FROM capforecast.job WHERE name = $1",
				  1, types, values, NULL, false, SPI_OK_SELECT);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("job \"%s\" does not exist", run->job),
				 errhint("SELECT name FROM capforecast.job lists the jobs.")));
	run->statement = MemoryContextStrdup(run->context, SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1));
	run->writes_host = DatumGetBool(scope_datum(0, 2, &is_null));
}

static void
insert_running(Run *run)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(run->job)};
	bool		is_null;

	scope_execute("INSERT INTO capforecast.job_run (job, started_at, as_of, status) "
				  "VALUES ($1, clock_timestamp(), clock_timestamp(), 'running') RETURNING run_id",
				  1, types, values, NULL, false, SPI_OK_INSERT_RETURNING);
	run->run_id = DatumGetInt64(scope_datum(0, 1, &is_null));
}

static void
run_statement(void *arg)
{
	Run		   *run = arg;

	scope_execute(run->statement, 0, NULL, NULL, NULL, false, SPI_OK_SELECT);
	/* what the host has deferred belongs to the job, and fails it here and not in the commit */
	scope_execute("SET CONSTRAINTS ALL IMMEDIATE", 0, NULL, NULL, NULL, false, SPI_OK_UTILITY);
}

/* ---------- ahead ---------- */

static void
plan_ahead(void *arg)
{
	Run		   *run = arg;

	scope_execute(psprintf("SELECT capforecast.%s(dry_run => true)", quote_identifier(run->job)), 0, NULL, NULL, NULL, false, SPI_OK_SELECT);
}

static void
work_ahead(void *arg)
{
	Run		   *run = arg;
	RunSet	   *set = run->set;
	int			n = Min(run->rows_at_once, set->n_ids - run->first);
	Oid			types[6] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, TEXTOID};
	Datum		values[6];

	values[0] = CStringGetTextDatum(run->job);
	values[1] = CStringGetTextDatum(set->worker);
	values[2] = CStringGetTextDatum(set->condition);
	values[3] = CStringGetTextDatum(set->options);
	values[4] = PointerGetDatum(construct_array(set->ids + run->first, n, TEXTOID, -1, false, TYPALIGN_INT));
	values[5] = CStringGetTextDatum(set->counts ? set->counts : "{}");
	scope_execute("SELECT capforecast._work_ahead($1, $2, $3, $4::jsonb, $5, $6::jsonb)::text", 6, types, values, NULL, false, SPI_OK_SELECT);
	set->counts = MemoryContextStrdup(run->context, SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1));
	SPI_freetuptable(SPI_tuptable);
}

static void
commit(Run *run)
{
	SPI_commit();
	MemoryContextSwitchTo(run->context);
	scope_pin_search_path();
}

/* Twice as many where there was room for them, half as many where it took too long. */
static void
suit_rows_at_once(Run *run, double ms)
{
	if (ms < LOCKED_MS / 2.0)
		run->rows_at_once = Min(run->rows_at_once * 2, ROWS_AT_MOST);
	else if (ms > LOCKED_MS)
		run->rows_at_once = Max(run->rows_at_once / 2, 1);
}

/* False: it was cancelled. What fails otherwise is left to the run, which says so. */
static bool
run_ahead(Run *run, AttemptFailure *failure)
{
	ListCell   *cell;
	bool		done;

	run_ahead_plan(run->context);
	done = attempt_run_catch_all(plan_ahead, run, failure);
	commit(run);
	foreach(cell, run_ahead_work())
	{
		run->set = lfirst(cell);
		run->rows_at_once = ROWS_AT_FIRST;
		for (run->first = 0; done && run->first < run->set->n_ids;)
		{
			int			n = run->rows_at_once;
			instr_time	start;
			instr_time	taken;

			INSTR_TIME_SET_CURRENT(start);
			done = attempt_run_catch_all(work_ahead, run, failure);
			commit(run);
			INSTR_TIME_SET_CURRENT(taken);
			INSTR_TIME_SUBTRACT(taken, start);
			suit_rows_at_once(run, INSTR_TIME_GET_MILLISEC(taken));
			run->first += n;
		}
	}
	run_ahead_tell();
	return done || !attempt_was_cancelled(failure);
}

/* A job whose function does not settle the row itself. */
static void
settle_done(Run *run)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(run->run_id)};

	scope_execute("UPDATE capforecast.job_run SET finished_at = clock_timestamp(), status = 'ok' "
				  "WHERE run_id = $1 AND status = 'running'", 1, types, values, NULL, false, SPI_OK_UPDATE);
}

static void
settle_failed(Run *run, const AttemptFailure *failure)
{
	Oid			types[4] = {INT8OID, TEXTOID, TEXTOID, TEXTOID};
	char		nulls[5] = "    ";
	Datum		values[4];

	values[0] = Int64GetDatum(run->run_id);
	values[1] = CStringGetTextDatum(failure->sqlstate);
	values[2] = CStringGetTextDatum(run_log_text(failure->message));
	values[3] = failure->hint ? CStringGetTextDatum(run_log_text(failure->hint)) : (Datum) 0;
	nulls[3] = failure->hint ? ' ' : 'n';
	scope_execute("UPDATE capforecast.job_run SET finished_at = clock_timestamp(), status = 'failed', "
				  "detail = jsonb_strip_nulls(jsonb_build_object('error', "
				  "jsonb_build_object('sqlstate', $2, 'message', $3, 'hint', $4))) WHERE run_id = $1",
				  4, types, values, nulls, false, SPI_OK_UPDATE);
}

PG_FUNCTION_INFO_V1(capforecast_run_job);
Datum
capforecast_run_job(PG_FUNCTION_ARGS)
{
	bool		raise_error = PG_ARGISNULL(1) || PG_GETARG_BOOL(1);
	AttemptFailure failure;
	Run			run = {0};
	bool		done;

	require_own_transaction(fcinfo);
	PreventCommandDuringRecovery("run_job()");

	run.context = AllocSetContextCreate(PortalContext, "capforecast run_job", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(run.context);
	run.job = job_argument(fcinfo);

	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	scope_pin_search_path();
	find_job(&run);
	insert_running(&run);
	commit(&run);

	done = !run.writes_host || run_ahead(&run, &failure);
	if (done)
	{
		run_log_begin(run.job, run.run_id);
		done = attempt_run_catch_all(run_statement, &run, &failure);
		run_log_end();
	}
	run_ahead_end();
	if (done)
		settle_done(&run);
	else
		settle_failed(&run, &failure);
	SPI_commit();

	/* Whoever cancels a run of several jobs means all of them. */
	if (!done && (raise_error || attempt_was_cancelled(&failure)))
		ReThrowError(failure.error);
	SPI_finish();
	PG_RETURN_VOID();
}
