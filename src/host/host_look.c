/*
 * host_look.c
 *		What proposals of bindings are made from: the names that the schema knows, and what
 *		stands in a column of a relation that nobody has bound.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "common/row.h"
#include "common/scope.h"
#include "host/host_binding.h"
#include "host/host_trust.h"

/* ---------- names ---------- */

static const char *const kind_names[] = {
	[HOST_ANY] = "any", [HOST_BOOL] = "boolean", [HOST_NUMBER] = "number", [HOST_LIMIT] = "limit",
	[HOST_TEXT] = "text", [HOST_TIME] = "time", [HOST_JSON] = "json"
};

static Datum
words_of(const char *first, const char *others)
{
	ArrayBuildState *state = accumArrayResult(NULL, CStringGetTextDatum(first), false, TEXTOID, CurrentMemoryContext);
	char	   *list = pstrdup(others ? others : "");

	for (char *word = strtok(list, " "); word != NULL; word = strtok(NULL, " "))
		state = accumArrayResult(state, CStringGetTextDatum(word), false, TEXTOID, CurrentMemoryContext);
	return makeArrayResult(state, CurrentMemoryContext);
}

/*
 * capforecast._host_names() → (entity, logical, position, kind, is_needed, must_be_said, names)
 */
PG_FUNCTION_INFO_V1(capforecast_host_names);
Datum
capforecast_host_names(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const HostEntity *entities;
	int			n_entities;

	row_set(fcinfo, 7);
	entities = host_schema_entities(&n_entities);
	for (int e = 0; e < n_entities; e++)
		for (int c = -1; c < entities[e].n_columns; c++)
		{
			const HostColumn *column = c < 0 ? NULL : &entities[e].columns[c];
			Datum		values[7] = {CStringGetTextDatum(entities[e].name)};
			bool		nulls[7] = {false, c < 0, false, c < 0, c < 0, c < 0, false};

			values[2] = Int32GetDatum(c + 1);
			if (column != NULL)
			{
				values[1] = CStringGetTextDatum(column->name);
				values[3] = CStringGetTextDatum(kind_names[column->type]);
				values[4] = BoolGetDatum(column->absent == NULL);
				values[5] = BoolGetDatum(column->absent != NULL && column->absent[0] == '?');
				values[6] = words_of(column->name, column->other_names);
			}
			else
				values[6] = words_of(entities[e].name, entities[e].other_names);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
	return (Datum) 0;
}

/* ---------- contents ---------- */

/* The column as a status or a document of the relation: with the checks and casts of bound ones. */
static char *
value_of(Oid relid, const char *physical, HostBinding **binding)
{
	Oid			type = getBaseType(get_atttype(relid, get_attnum(relid, physical)));
	bool		is_json = type == JSONBOID || type == JSONOID;
	const HostEntity *entity = host_schema_entity_named(is_json ? "subscription_tiers" : "vendor_subscriptions");
	const HostColumn *column = host_schema_column_named(entity, is_json ? "features" : "status");
	char	   *value;
	HostProblem problem;

	*binding = host_binding_to(entity, relid);
	problem = host_binding_table_problem(*binding);
	if (problem.sqlstate != 0)
		return NULL;
	(*binding)->columns[column - entity->columns].name = pstrdup(physical);
	problem = host_binding_column_problem(*binding, column, "", &value);
	if (problem.sqlstate != 0)
		return NULL;
	return psprintf(is_json ? "%s::jsonb" : "to_jsonb(%s)", value);
}

/*
 * capforecast._host_look(relation regclass, column name) → jsonb
 *		What stands in the first rows, each once: documents, or text.
 */
PG_FUNCTION_INFO_V1(capforecast_host_look);
Datum
capforecast_host_look(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	char	   *physical = NameStr(*PG_GETARG_NAME(1));
	MemoryContext caller = CurrentMemoryContext;
	HostBinding *binding;
	Scope		scope;
	Oid			owner;
	char	   *value;
	Datum		found = (Datum) 0;
	bool		is_null = true;

	if (get_rel_name(relid) == NULL || !host_binding_is_readable_kind(relid) || host_binding_is_off_limits(relid) ||
		get_attnum(relid, physical) <= 0)
		PG_RETURN_NULL();
	scope_enter(&scope);
	scope_set("row_security", "off");
	value = value_of(relid, physical, &binding);
	if (value != NULL && host_trust_find_in_relation(binding->relation, &owner) == NULL)
	{
		scope_execute(psprintf("SELECT jsonb_agg(DISTINCT v) FROM (SELECT %s AS v FROM %s LIMIT 10000) s WHERE v IS NOT NULL",
							   value, binding->relation), 0, NULL, NULL, NULL, true, SPI_OK_SELECT);
		found = scope_datum(0, 1, &is_null);
		if (!is_null)
		{
			MemoryContext scoped = MemoryContextSwitchTo(caller);

			found = PointerGetDatum(PG_DETOAST_DATUM_COPY(found));
			MemoryContextSwitchTo(scoped);
		}
	}
	scope_leave(&scope);
	if (is_null)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(found);
}
