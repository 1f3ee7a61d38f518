/*
 * host_registered.c
 *		Runs a query that an operator registered, as the role that registered it.
 *
 * The query's text is code of somebody who may hold fewer rights than the caller, or
 * more, and what it touches may be code of others again (views, functions).  So it runs
 * as its owner in a security-restricted operation, like the body of a materialized view:
 * no SET ROLE, no temporary objects, no PREPARE, LISTEN or DISCARD; read-only, through a
 * read-only cursor, so that not even a volatile function writes; and in a subtransaction
 * that is rolled back in any case, so that what goes past read-only (large objects,
 * settings, notifications, locks) is undone.  What no rollback undoes is refused while
 * the query runs: session-level advisory locks.
 *
 * The caller's temporary objects are out of reach: the query itself may not name one,
 * and since functions look names up when they run, temporary objects of a role that the
 * owner does not trust keep the query from running at all.
 *
 * The time limit is a cancel.  A query that catches it is cancelled again: when the
 * subtransaction of the block that caught it has been rolled back, and every tenth of a
 * second, so that it ends in as many steps as it has blocks around it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/spi_priv.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "storage/latch.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/regproc.h"
#include "utils/resowner.h"
#include "utils/syscache.h"
#include "utils/timeout.h"

#include "common/scope.h"
#include "host/host_registered.h"
#include "run/run_log.h"

#define CANCEL_AGAIN_MS		100
#define TOO_SLOW_HINT		"Make the query faster, or push the value instead."

static bool is_running = false;
static volatile sig_atomic_t time_is_up = false;
static TimestampTz started_at;
static TimeoutId limit;
static object_access_hook_type next_object_access_hook = NULL;

/* ---------- the time limit ---------- */

/* Signal handler: the same as a user's cancel, with a note that it was ours. */
static void
stop_query(void)
{
	time_is_up = true;
	InterruptPending = true;
	QueryCancelPending = true;
	SetLatch(MyLatch);
}

/* Whoever has caught the cancel is cancelled at the next chance. */
static void
stop_query_again(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB && is_running && time_is_up)
	{
		InterruptPending = true;
		QueryCancelPending = true;
	}
}

static void
start_clock(void)
{
	static bool registered = false;

	if (!registered)
	{
		limit = RegisterTimeout(USER_TIMEOUT, stop_query);
		RegisterSubXactCallback(stop_query_again, NULL);
		registered = true;
	}
	is_running = true;
	time_is_up = false;
	started_at = GetCurrentTimestamp();
	enable_timeout_every(limit, TimestampTzPlusMilliseconds(started_at, HOST_REGISTERED_LIMIT_MS), CANCEL_AGAIN_MS);
}

/* A cancel of ours that nobody has seen yet must not meet the caller. */
static bool
stop_clock(void)
{
	bool		was_up;

	disable_timeout(limit, false);
	was_up = time_is_up;
	is_running = false;
	time_is_up = false;
	if (was_up && !get_timeout_indicator(STATEMENT_TIMEOUT, false))
		QueryCancelPending = false;
	return was_up;
}

/* Was it the server that cancelled, and not a query that raises the same code? */
static bool
is_cancel(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_QUERY_CANCELED && error->funcname != NULL &&
		strcmp(error->funcname, "ProcessInterrupts") == 0;
}

static bool
is_user_request(const ErrorData *error)
{
	return error->message_id != NULL && strcmp(error->message_id, "canceling statement due to user request") == 0;
}

/* ---------- what it may not call ---------- */

static const Oid not_allowed[] = {
	F_PG_ADVISORY_LOCK_INT8, F_PG_ADVISORY_LOCK_SHARED_INT8,
	F_PG_TRY_ADVISORY_LOCK_INT8, F_PG_TRY_ADVISORY_LOCK_SHARED_INT8,
	F_PG_ADVISORY_UNLOCK_INT8, F_PG_ADVISORY_UNLOCK_SHARED_INT8,
	F_PG_ADVISORY_LOCK_INT4_INT4, F_PG_ADVISORY_LOCK_SHARED_INT4_INT4,
	F_PG_TRY_ADVISORY_LOCK_INT4_INT4, F_PG_TRY_ADVISORY_LOCK_SHARED_INT4_INT4,
	F_PG_ADVISORY_UNLOCK_INT4_INT4, F_PG_ADVISORY_UNLOCK_SHARED_INT4_INT4,
	F_PG_ADVISORY_UNLOCK_ALL,
	F_PG_CANCEL_BACKEND, F_PG_TERMINATE_BACKEND
};

static void
refuse_function(ObjectAccessType access, Oid class, Oid object, int sub_id, void *arg)
{
	if (next_object_access_hook != NULL)
		next_object_access_hook(access, class, object, sub_id, arg);
	if (access != OAT_FUNCTION_EXECUTE || !is_running)
		return;
	for (int i = 0; i < lengthof(not_allowed); i++)
		if (object == not_allowed[i])
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("registered query cannot call %s", format_procedure(object)),
					 errdetail("What it does to the session outlives the query.")));
}

void
host_registered_init(void)
{
	next_object_access_hook = object_access_hook;
	object_access_hook = refuse_function;
}

/* ---------- temporary objects ---------- */

/* The session's own schema of temporary objects; InvalidOid: it has never had one. */
static Oid
temporary_schema(void)
{
	Oid			schema,
				toast;

	GetTempNamespaceState(&schema, &toast);
	return schema;
}

static Oid
function_of(Node *node)
{
	switch (nodeTag(node))
	{
		case T_FuncExpr:
			return ((FuncExpr *) node)->funcid;
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			return get_opcode(((OpExpr *) node)->opno);
		case T_ScalarArrayOpExpr:
			return get_opcode(((ScalarArrayOpExpr *) node)->opno);
		case T_Aggref:
			return ((Aggref *) node)->aggfnoid;
		case T_WindowFunc:
			return ((WindowFunc *) node)->winfnoid;
		default:
			return InvalidOid;
	}
}

static Oid
type_of(Node *node)
{
	switch (nodeTag(node))
	{
		case T_Const:
			return ((Const *) node)->consttype;
		case T_CoerceToDomain:
			return ((CoerceToDomain *) node)->resulttype;
		case T_CoerceViaIO:
			return ((CoerceViaIO *) node)->resulttype;
		case T_RelabelType:
			return ((RelabelType *) node)->resulttype;
		case T_RowExpr:
			return ((RowExpr *) node)->row_typeid;
		default:
			return InvalidOid;
	}
}

static Oid
schema_of_type(Oid type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	Oid			schema = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		schema = ((Form_pg_type) GETSTRUCT(tuple))->typnamespace;
		ReleaseSysCache(tuple);
	}
	return schema;
}

/* context: the schema of temporary objects */
static bool
reaches_temporary(Node *node, void *context)
{
	Oid			schema = *(Oid *) context;
	Oid			object;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;
		ListCell   *cell;

		foreach(cell, query->rtable)
		{
			RangeTblEntry *entry = lfirst(cell);

			if (OidIsValid(entry->relid) && get_rel_namespace(entry->relid) == schema)
				return true;
		}
		return query_tree_walker(query, reaches_temporary, context, 0);
	}
	object = function_of(node);
	if (OidIsValid(object) && get_func_namespace(object) == schema)
		return true;
	object = type_of(node);
	if (OidIsValid(object) && schema_of_type(object) == schema)
		return true;
	return expression_tree_walker(node, reaches_temporary, context);
}

static void
refuse_temporary(SPIPlanPtr plan)
{
	Oid			schema = temporary_schema();
	ListCell   *source,
			   *query;

	if (!OidIsValid(schema))
		return;
	foreach(source, SPI_plan_get_plan_sources(plan))
		foreach(query, ((CachedPlanSource *) lfirst(source))->query_list)
			if (reaches_temporary(lfirst(query), &schema))
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("registered query uses a temporary object"),
						 errdetail("The jobs run in sessions of their own, which do not have it."),
						 errhint("Use a table of a schema, and its full name.")));
}

/* A superuser trusts superusers; others trust them, too, and the roles that they were granted. */
static bool
trusts(Oid role, Oid other)
{
	return role == other || superuser_arg(other) ||
		(!superuser_arg(role) && is_member_of_role_nosuper(role, other));
}

/*
 * A function of the query may look up a name of its own when it runs, and find the
 * session's temporary object before the one it means.  Owners that are pinned (the
 * bootstrap superuser) are not in pg_shdepend.
 */
static void
refuse_strangers_objects(Oid owner)
{
	Oid			schema = temporary_schema();
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(schema)};
	bool		is_null;

	if (!OidIsValid(schema))
		return;
	scope_execute("SELECT DISTINCT s.refobjid FROM pg_depend d JOIN pg_shdepend s "
				  "ON s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) "
				  "AND s.classid = d.classid AND s.objid = d.objid AND s.deptype = 'o' "
				  "WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = $1",
				  1, types, values, NULL, true, SPI_OK_SELECT);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		Oid			other = DatumGetObjectId(scope_datum(row, 1, &is_null));

		if (!trusts(owner, other))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("session has temporary objects of role \"%s\"", GetUserNameFromId(other, true)),
					 errdetail("Role \"%s\", which the registered query runs as, does not trust them.",
							   GetUserNameFromId(owner, false)),
					 errhint("Run the job in a session of its own, or DISCARD TEMP first.")));
	}
}

/* ---------- running ---------- */

static void
fetch_value(const char *sql, HostRegisteredReader read, void *result)
{
	SPIPlanPtr	plan = SPI_prepare(sql, 0, NULL);
	Portal		portal;
	char	   *value;

	if (plan == NULL || !SPI_is_cursor_plan(plan))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("registered query is not a single SELECT"),
				 errhint("Register one statement that returns one row with one number.")));
	refuse_temporary(plan);
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	SPI_cursor_fetch(portal, true, 2);
	if (SPI_processed != 1 || SPI_tuptable->tupdesc->natts != 1)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("registered query does not return one row of one column"),
				 errhint("Register one statement that returns one row with one number.")));
	value = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	/* numeric's own reader decides what a number is */
	if (value != NULL)
		(void) DirectFunctionCall3(numeric_in, CStringGetDatum(value),
								   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	read(value, result);
	SPI_cursor_close(portal);
}

Oid
host_registered_role(const char *registrar)
{
	Oid			role = registrar ? get_role_oid(registrar, true) : InvalidOid;

	if (!OidIsValid(role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("registration is suspended"),
				 errdetail("The role that registered it does not exist, or goes by another name."),
				 errhint("Register it again as the role that it is to run as."),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "suspended_binding")));
	return role;
}

/* Whatever it sets here (user, settings, read-only) ends with the subtransaction. */
static void
run_as_owner(const char *sql, Oid owner, HostRegisteredReader read, void *result)
{
	Oid			caller;
	int			security;

	GetUserIdAndSecContext(&caller, &security);
	SetUserIdAndSecContext(owner, security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	(void) NewGUCNestLevel();
	scope_pin_search_path();
	/* a policy that hides rows would make a smaller number, not an error */
	scope_set("row_security", "off");
	/* what transaction_read_only stands for, which cannot be set for a while */
	XactReadOnly = true;
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	fetch_value(sql, read, result);
	SPI_finish();
}

/* Texts about the query and the server; what others say (a value that is no number, RAISE) may hold data. */
static bool
may_be_logged(int sqlstate)
{
	static const int classes[] = {
		ERRCODE_CARDINALITY_VIOLATION, ERRCODE_INVALID_TRANSACTION_STATE, ERRCODE_TRANSACTION_ROLLBACK,
		ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION, ERRCODE_INSUFFICIENT_RESOURCES, ERRCODE_PROGRAM_LIMIT_EXCEEDED,
		ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, ERRCODE_OPERATOR_INTERVENTION, ERRCODE_FEATURE_NOT_SUPPORTED
	};

	for (int i = 0; i < lengthof(classes); i++)
		if (ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_TO_CATEGORY(classes[i]))
			return true;
	return false;
}

static void
describe_failure(AttemptFailure *failure, ErrorData *error, const char *registrar)
{
	failure->error = error;
	failure->sqlstate = pstrdup(unpack_sql_state(error->sqlerrcode));
	error->message = run_log_text(error->message ? error->message : "an error without a message");
	if (may_be_logged(error->sqlerrcode))
	{
		failure->message = error->message;
		failure->hint = error->hint;
		return;
	}
	failure->message = pstrdup("the query failed; what it said may hold data, and is in the server's log");
	failure->hint = psprintf("Run the query as role \"%s\".", registrar);
	ereport(LOG_SERVER_ONLY,
			(errmsg("registered query of role \"%s\" failed: %s", registrar, error->message),
			 errhidestmt(true), errhidecontext(true)));
}

bool
host_registered_number(const char *sql, const char *registrar, HostRegisteredReader read, void *result,
					   AttemptFailure *failure)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner resources = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;
	bool		was_up;

	if (is_running)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("registered query cannot run another one")));
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	start_clock();
	PG_TRY();
	{
		Oid			role = host_registered_role(registrar);

		refuse_strangers_objects(role);
		run_as_owner(sql, role, read, result);
		if (time_is_up || TimestampDifferenceExceeds(started_at, GetCurrentTimestamp(), HOST_REGISTERED_LIMIT_MS))
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("registered query exceeded its time limit of %d ms", HOST_REGISTERED_LIMIT_MS),
					 errhint(TOO_SLOW_HINT)));
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	was_up = stop_clock();
	/* also where it succeeded: what a read-only query leaves behind is not wanted */
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = resources;

	if (error == NULL)
		return true;
	if (is_cancel(error))
	{
		if (!was_up || !is_user_request(error))
			ReThrowError(error);
		error->sqlerrcode = ERRCODE_PROGRAM_LIMIT_EXCEEDED;
		error->message = psprintf("registered query exceeded its time limit of %d ms", HOST_REGISTERED_LIMIT_MS);
		error->hint = pstrdup(TOO_SLOW_HINT);
	}
	describe_failure(failure, error, registrar);
	return false;
}
