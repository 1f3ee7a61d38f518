/*
 * host_sql.c
 *		The one place where SQL text against the host's tables is made and run.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "common/scope.h"
#include "host/host_binding.h"
#include "host/host_sql.h"

/* The bindings met so far in one template. */
static HostBinding *
binding_of(List **met, const char *name)
{
	ListCell   *cell;
	const HostEntity *entity = host_schema_entity_named(name);
	HostBinding *binding;
	HostProblem problem;

	foreach(cell, *met)
	{
		binding = lfirst(cell);
		if (binding->entity == entity)
			return binding;
	}
	binding = host_binding_find(entity);
	problem = host_binding_table_problem(binding);
	if (problem.sqlstate != 0)
		host_problem_raise(&problem);
	*met = lappend(*met, binding);
	return binding;
}

/* One name in braces, without them. */
static char *
expand_name(List **met, char *token)
{
	bool		bare = token[0] == '!';
	char	   *colon = strchr(token, ':');
	char	   *prefix = "";
	char	   *entity_name = token + bare;
	char	   *column_name;
	HostBinding *binding;
	const HostColumn *column;
	HostProblem problem;
	char	   *expression;

	if (colon != NULL)
	{
		prefix = psprintf("%.*s.", (int) (colon - token), token);
		entity_name = colon + 1;
	}
	column_name = strchr(entity_name, '.');
	if (column_name != NULL)
		*column_name++ = '\0';

	binding = binding_of(met, entity_name);
	if (column_name == NULL)
		return binding->relation;
	column = host_schema_column_named(binding->entity, column_name);
	problem = host_binding_column_problem(binding, column, prefix, &expression);
	if (problem.sqlstate != 0)
		host_problem_raise(&problem);
	if (!bare)
		return expression;
	expression = host_binding_column_name(binding, column);
	if (expression == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table %s has no column for \"%s\" of entity \"%s\"",
						binding->relation, column_name, entity_name),
				 errhint("Bind it with SELECT capforecast.bind('%s', '%s', '{\"%s\": \"your_column\"}').",
						 entity_name, binding->relation, column_name)));
	return expression;
}

char *
host_sql_expand(const char *template)
{
	StringInfoData sql;
	List	   *met = NIL;
	const char *at = template;
	const char *open;

	initStringInfo(&sql);
	while ((open = strchr(at, '{')) != NULL)
	{
		size_t		length = strspn(open + 1, "abcdefghijklmnopqrstuvwxyz_.:!");

		appendBinaryStringInfo(&sql, at, open - at);
		at = open + 1;
		if (length > 0 && at[length] == '}')
		{
			appendStringInfoString(&sql, expand_name(&met, pnstrdup(at, length)));
			at += length + 1;
		}
		else
			appendStringInfoChar(&sql, '{');	/* of an array or JSON literal */
	}
	appendStringInfoString(&sql, at);
	return sql.data;
}

void
host_sql_read(const char *template)
{
	host_sql_read_with(template, 0, NULL, NULL);
}

void
host_sql_read_with(const char *template, int nargs, Oid *types, Datum *values)
{
	char	   *sql = host_sql_expand(template);
	int			nest = NewGUCNestLevel();

	/* A policy that hides rows would make a smaller number, not an error. */
	scope_set("row_security", "off");
	scope_execute(sql, nargs, types, values, NULL, true, SPI_OK_SELECT);
	AtEOXact_GUC(true, nest);
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
	sql = MemoryContextStrdup(caller, host_sql_expand(text_to_cstring(PG_GETARG_TEXT_PP(0))));
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
