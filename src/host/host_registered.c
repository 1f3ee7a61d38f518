/*
 * host_registered.c
 *		Runs a query that an operator registered, as the role that registered it.
 *
 * The query's text is code of somebody who may hold fewer rights than the caller,
 * and what it touches may be code of others again (views, functions).  So it runs
 * as its owner in a security-restricted operation, like the body of a materialized
 * view: no SET ROLE, no temporary objects, settings it makes are undone; and in a
 * read-only transaction through a read-only cursor, so that not even a volatile
 * function writes.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/timeout.h"

#include "common/scope.h"
#include "host/host_registered.h"

static volatile sig_atomic_t time_is_up = false;

/* Signal handler: the same as a user's cancel, with a note that it was ours. */
static void
stop_query(void)
{
	time_is_up = true;
	InterruptPending = true;
	QueryCancelPending = true;
	SetLatch(MyLatch);
}

static TimeoutId
time_limit_id(void)
{
	static TimeoutId id;
	static bool registered = false;

	if (!registered)
	{
		id = RegisterTimeout(USER_TIMEOUT, stop_query);
		registered = true;
	}
	return id;
}

/* The value of an opened statement, as text. */
static char *
fetch_value(const char *sql, MemoryContext context)
{
	SPIPlanPtr	plan = SPI_prepare(sql, 0, NULL);
	Portal		portal;
	char	   *value;

	if (plan == NULL || !SPI_is_cursor_plan(plan))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("registered query is not a single SELECT"),
				 errhint("Register one statement that returns one row with one number.")));
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	SPI_cursor_fetch(portal, true, 2);
	if (SPI_processed != 1 || SPI_tuptable->tupdesc->natts != 1)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("registered query does not return one row of one column"),
				 errhint("Register one statement that returns one row with one number.")));
	value = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	if (value != NULL)
	{
		/* numeric's own reader decides what a number is */
		(void) DirectFunctionCall3(numeric_in, CStringGetDatum(value),
								   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
		value = MemoryContextStrdup(context, value);
	}
	SPI_cursor_close(portal);
	return value;
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

char *
host_registered_number(const char *sql, const char *registrar, int timeout_ms)
{
	MemoryContext context = CurrentMemoryContext;
	TimeoutId	limit = time_limit_id();
	Oid			saved_user;
	int			saved_security;
	int			nest;
	bool		saved_read_only = XactReadOnly;
	char	   *volatile value = NULL;

	GetUserIdAndSecContext(&saved_user, &saved_security);
	SetUserIdAndSecContext(host_registered_role(registrar), saved_security | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
	nest = NewGUCNestLevel();
	scope_pin_search_path();
	scope_set("row_security", "on");
	/* what transaction_read_only stands for, which cannot be set for a while; an error restores it with the transaction */
	XactReadOnly = true;
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");

	time_is_up = false;
	enable_timeout_after(limit, timeout_ms);
	PG_TRY();
	{
		value = fetch_value(sql, context);
		disable_timeout(limit, false);
		if (time_is_up)
			CHECK_FOR_INTERRUPTS(); /* ours must not be left for the caller */
	}
	PG_CATCH();
	{
		disable_timeout(limit, false);
		if (time_is_up && geterrcode() == ERRCODE_QUERY_CANCELED)
		{
			FlushErrorState();
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("registered query exceeded its time limit of %d ms", timeout_ms),
					 errhint("Make the query faster, or push the value instead.")));
		}
		PG_RE_THROW();
	}
	PG_END_TRY();

	SPI_finish();
	XactReadOnly = saved_read_only;
	/* as if rolled back: even what the query has set for the session is undone */
	AtEOXact_GUC(false, nest);
	SetUserIdAndSecContext(saved_user, saved_security);
	return value;
}
