/*
 * host_sql.c
 *		Templates run from C, and what SQL asks about the names in them.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "common/scope.h"
#include "host/host_binding.h"
#include "host/host_sql.h"
#include "host/host_statement.h"
#include "host/host_template.h"
#include "host/host_trust.h"

void
host_sql_read(const char *template)
{
	host_sql_read_with(template, 0, NULL, NULL);
}

void
host_sql_read_with(const char *template, int nargs, const Oid *types, const Datum *values)
{
	(void) host_statement_run(host_statement(template, HOST_COUNT, nargs, types), types, values, NULL, NULL);
}

uint64
host_sql_write(const char *template, int nargs, const Oid *types, const Datum *values)
{
	return host_statement_run(host_statement(template, HOST_WRITE, nargs, types), types, values, NULL, NULL);
}

/*
 * capforecast._host_sql(template text) → text
 *		For the functions written in SQL: the template with the bound names in it.
 */
PG_FUNCTION_INFO_V1(capforecast_host_sql);
Datum
capforecast_host_sql(PG_FUNCTION_ARGS)
{
	Scope		scope;
	char	   *sql;
	MemoryContext caller = CurrentMemoryContext;

	scope_enter(&scope);
	sql = MemoryContextStrdup(caller, host_template_expand(text_to_cstring(PG_GETARG_TEXT_PP(0)),
													 HOST_ORDERS_NOT_COUNTED));
	scope_leave(&scope);
	PG_RETURN_TEXT_P(cstring_to_text(sql));
}

/*
 * capforecast._host_has(entity text) → boolean
 *		Is there a table at all?  One that the caller may not read is there.
 */
PG_FUNCTION_INFO_V1(capforecast_host_has);
Datum
capforecast_host_has(PG_FUNCTION_ARGS)
{
	Scope		scope;
	bool		has;

	scope_enter(&scope);
	has = OidIsValid(host_binding_find(host_schema_entity_named(text_to_cstring(PG_GETARG_TEXT_PP(0))))->relid);
	scope_leave(&scope);
	PG_RETURN_BOOL(has);
}

/*
 * capforecast._host_column(entity text, column text) → text
 *		The bare quoted name, for INSERT and SET; NULL where the table has no such column.
 */
PG_FUNCTION_INFO_V1(capforecast_host_column);
Datum
capforecast_host_column(PG_FUNCTION_ARGS)
{
	const HostEntity *entity = host_schema_entity_named(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	const HostColumn *column = host_schema_column_named(entity, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	MemoryContext caller = CurrentMemoryContext;
	Scope		scope;
	char	   *name;

	scope_enter(&scope);
	name = host_binding_column_name(host_binding_find(entity), column);
	if (name != NULL)
		name = MemoryContextStrdup(caller, name);
	scope_leave(&scope);
	if (name == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(name));
}

/*
 * capforecast._host_cast(entity text, column text, expression text) → text
 *		The expression as a value of the column's own type, for INSERT and SET.
 */
PG_FUNCTION_INFO_V1(capforecast_host_cast);
Datum
capforecast_host_cast(PG_FUNCTION_ARGS)
{
	const HostEntity *entity = host_schema_entity_named(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	const HostColumn *column = host_schema_column_named(entity, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	MemoryContext caller = CurrentMemoryContext;
	Scope		scope;
	char	   *cast;

	scope_enter(&scope);
	cast = MemoryContextStrdup(caller, host_binding_cast(host_binding_find(entity), column,
														 text_to_cstring(PG_GETARG_TEXT_PP(2))));
	scope_leave(&scope);
	PG_RETURN_TEXT_P(cstring_to_text(cast));
}

/*
 * capforecast._host_trusts(relation regclass) → boolean
 *		May the caller read it with its own rights, and all that it reaches?
 */
PG_FUNCTION_INFO_V1(capforecast_host_trusts);
Datum
capforecast_host_trusts(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	char	   *name = get_rel_name(relid);
	Oid			owner;

	if (name == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BOOL(host_trust_find_in_relation(quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), name),
											   &owner) == NULL);
}
