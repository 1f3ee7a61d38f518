/*
 * scope.c
 *		A safe place to run SQL from C: SPI connected, search_path pinned.
 *
 * The pin is a GUC nest level and not a SET clause of the SQL function, so that
 * procedures which commit can use it too, and so that no declaration in SQL can
 * forget it.
 */
#include "postgres.h"

#include "utils/guc.h"

#include "common/scope.h"

void
scope_set(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

void
scope_pin_search_path(void)
{
	scope_set("search_path", "pg_catalog, pg_temp");
}

void
scope_enter(Scope *scope)
{
	scope->guc_nest = NewGUCNestLevel();
	scope_pin_search_path();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	scope->connected = true;
}

void
scope_leave(Scope *scope)
{
	if (scope->connected && SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	scope->connected = false;
	AtEOXact_GUC(true, scope->guc_nest);
}

void
scope_execute(const char *sql, int nargs, Oid *types, Datum *values,
			  const char *nulls, bool read_only, int expected)
{
	int			rc;

	/*
	 * SPI_execute plans with CURSOR_OPT_PARALLEL_OK and may therefore read a
	 * large table with several workers; it is used wherever no parameter is
	 * needed.
	 */
	if (nargs == 0)
		rc = SPI_execute(sql, read_only, 0);
	else
		rc = SPI_execute_with_args(sql, nargs, types, values, nulls, read_only, 0);
	if (rc != expected)
		elog(ERROR, "statement returned %s instead of %s: %s",
			 SPI_result_code_string(rc), SPI_result_code_string(expected), sql);
}

void
scope_read_kept(SPIPlanPtr *plan, const char *sql, int nargs, Oid *types, Datum *values)
{
	int			rc;

	if (*plan == NULL)
	{
		SPIPlanPtr	prepared = SPI_prepare_cursor(sql, nargs, types, CURSOR_OPT_GENERIC_PLAN);

		if (prepared == NULL || SPI_keepplan(prepared) != 0)
			elog(ERROR, "could not prepare: %s", sql);
		*plan = prepared;
	}
	rc = SPI_execute_plan(*plan, values, NULL, true, 0);
	if (rc != SPI_OK_SELECT)
		elog(ERROR, "statement returned %s: %s", SPI_result_code_string(rc), sql);
}

Datum
scope_datum(uint64 row, int column, bool *is_null)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						 column, is_null);
}
