/*
 * host_bind.c
 *		bind() and unbind(): other names than the default ones; and the findings
 *		about bindings that doctor() shows.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "common/row.h"
#include "common/scope.h"
#include "host/host_binding.h"
#include "host/host_sql.h"

/* It must be there to stay, and to select from. */
static void
check_relation(const HostEntity *entity, Oid relid)
{
	char	   *table = get_rel_name(relid);

	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid),
				 errhint("Give the table's name: SELECT capforecast.bind('%s', 'your_schema.your_table').", entity->name)));
	if (!host_binding_is_readable_kind(relid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table or view", table),
				 errhint("Give the table or view that holds the %s.", entity->name)));
	if (isAnyTempNamespace(get_rel_namespace(relid)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("cannot bind temporary table \"%s\"", table),
				 errdetail("Other sessions would not find it.")));
	if (host_binding_is_off_limits(relid))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" cannot stand for entity \"%s\"", table, entity->name),
				 errdetail("It belongs to the server or to the extension."),
				 errhint("Bind the entity to a table or view of the application.")));
}

/* Every key must be a logical column; every value a column of the table, or null. */
static void
check_columns(const HostEntity *entity, Oid relid, Jsonb *columns)
{
	Oid			types[1] = {JSONBOID};
	Datum		values[1] = {JsonbPGetDatum(columns)};

	if (!JB_ROOT_IS_OBJECT(columns))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("columns must be a JSON object"),
				 errhint("Write it as '{\"is_active\": \"enabled\"}': logical name, then the column's name or null.")));

	scope_execute("SELECT key, value FROM jsonb_each_text($1)", 1, types, values, NULL, true, SPI_OK_SELECT);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		char	   *logical = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1);
		char	   *physical = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 2);
		const HostColumn *column = host_schema_column_named(entity, logical);

		if (physical == NULL && column->absent == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" of entity \"%s\" cannot be bound to null", logical, entity->name),
					 errdetail("Nothing can stand for it.")));
		if (physical != NULL && get_attnum(relid, physical) <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of table \"%s\" does not exist", physical, get_rel_name(relid)),
					 errhint("Give the name of an existing column for \"%s\", or null if there is none.", logical)));
	}
}

PG_FUNCTION_INFO_V1(capforecast_bind);
Datum
capforecast_bind(PG_FUNCTION_ARGS)
{
	const HostEntity *entity = host_schema_entity_named(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	Oid			relid = PG_GETARG_OID(1);
	Jsonb	   *columns = PG_GETARG_JSONB_P(2);
	Oid			types[4] = {TEXTOID, TEXTOID, TEXTOID, JSONBOID};
	Datum		values[4];
	Scope		scope;

	check_relation(entity, relid);
	scope_enter(&scope);
	check_columns(entity, relid, columns);
	values[0] = CStringGetTextDatum(entity->name);
	values[1] = CStringGetTextDatum(get_namespace_name(get_rel_namespace(relid)));
	values[2] = CStringGetTextDatum(get_rel_name(relid));
	values[3] = JsonbPGetDatum(columns);
	scope_execute("INSERT INTO capforecast.binding (entity, schema_name, table_name, columns) "
				  "VALUES ($1, $2, $3, $4) ON CONFLICT (entity) DO UPDATE "
				  "SET schema_name = excluded.schema_name, table_name = excluded.table_name, "
				  "    columns = excluded.columns",
				  4, types, values, NULL, false, SPI_OK_INSERT);
	scope_leave(&scope);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(capforecast_unbind);
Datum
capforecast_unbind(PG_FUNCTION_ARGS)
{
	const HostEntity *entity = host_schema_entity_named(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(entity->name)};
	Scope		scope;

	scope_enter(&scope);
	scope_execute("DELETE FROM capforecast.binding WHERE entity = $1",
				  1, types, values, NULL, false, SPI_OK_DELETE);
	scope_leave(&scope);
	PG_RETURN_VOID();
}

/* ---------- what doctor() shows of it ---------- */

/* The sentence of the detail becomes a part of the message. */
static char *
problem_text(const HostProblem *problem)
{
	char	   *detail;

	if (problem->detail == NULL)
		return problem->message;
	detail = pnstrdup(problem->detail, strlen(problem->detail) - 1);
	detail[0] = pg_tolower((unsigned char) detail[0]);
	return psprintf("%s: %s", problem->message, detail);
}

static void
put_problem(ReturnSetInfo *rsinfo, const char *subject, const HostProblem *problem)
{
	Datum		values[4];
	bool		nulls[4] = {false, false, false, false};

	values[0] = CStringGetTextDatum(subject);
	values[1] = CStringGetTextDatum(unpack_sql_state(problem->sqlstate));
	values[2] = CStringGetTextDatum(problem_text(problem));
	values[3] = CStringGetTextDatum(problem->statement ? problem->statement : problem->fix);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* A column that need not be there is not, but one of another usual name is. */
static HostProblem
lookalike(const HostBinding *binding, const HostColumn *column)
{
	HostProblem problem = {0};
	char	   *physical = binding->column_names[column - binding->entity->columns];
	char	   *guess;

	if (physical == NULL || get_attnum(binding->relid, physical) > 0)
		return problem;
	guess = host_binding_likely_column(binding, column);
	if (guess == NULL)
		return problem;
	problem.sqlstate = ERRCODE_WARNING;
	problem.message = psprintf("column \"%s\" of table %s may be what \"%s\" stands for, and is not read",
							   guess, binding->relation, column->name);
	problem.statement = host_binding_proposal(binding);
	return problem;
}

/*
 * capforecast._host_problems() → (subject, sqlstate, problem, fix)
 */
PG_FUNCTION_INFO_V1(capforecast_host_problems);
Datum
capforecast_host_problems(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const HostEntity *entities;
	int			n_entities;
	Scope		scope;

	row_set(fcinfo, 4);
	scope_enter(&scope);
	entities = host_schema_entities(&n_entities);
	for (int i = 0; i < n_entities; i++)
	{
		HostBinding *binding = host_binding_find(&entities[i]);
		HostProblem problem = host_binding_table_problem(binding);

		if (problem.sqlstate == 0)
			problem = host_binding_trust_problem(binding);
		if (problem.sqlstate != 0)
			put_problem(rsinfo, entities[i].name, &problem);
		if (problem.sqlstate != 0 && problem.sqlstate != ERRCODE_WARNING_PRIVILEGE_NOT_GRANTED)
			continue;
		for (int c = 0; c < entities[i].n_columns; c++)
		{
			char	   *expression;

			problem = host_binding_column_problem(binding, &entities[i].columns[c], "", &expression);
			if (problem.sqlstate == 0)
				problem = lookalike(binding, &entities[i].columns[c]);
			if (problem.sqlstate != 0)
				put_problem(rsinfo, psprintf("%s.%s", entities[i].name, entities[i].columns[c].name), &problem);
		}
	}
	scope_leave(&scope);
	return (Datum) 0;
}
