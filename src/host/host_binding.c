/*
 * host_binding.c
 *		Resolves logical names to the host's tables and columns.
 *
 * Bindings are kept as names, not as OIDs: the application finds its tables by
 * name, too, so that a migration that swaps a table keeps working, nothing of
 * the host ever depends on the extension, and a dump restores them in any order.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "common/compat.h"
#include "common/scope.h"
#include "host/host_binding.h"

/* ---------- finding ---------- */

HostBinding *
host_binding_find(const HostEntity *entity)
{
	HostBinding *binding = palloc0(sizeof(HostBinding));
	Oid			types[1] = {TEXTOID};
	Datum		values[1];
	Oid			schema_oid;

	binding->entity = entity;
	binding->schema = "public";
	binding->table = pstrdup(entity->name);
	binding->column_names = palloc0(sizeof(char *) * entity->n_columns);
	for (int i = 0; i < entity->n_columns; i++)
		binding->column_names[i] = pstrdup(entity->columns[i].name);

	values[0] = CStringGetTextDatum(entity->name);
	scope_execute("SELECT b.schema_name::text, b.table_name::text, c.key, c.value "
				  "FROM capforecast.binding b LEFT JOIN LATERAL jsonb_each_text(b.columns) c ON true "
				  "WHERE b.entity = $1", 1, types, values, NULL, true, SPI_OK_SELECT);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[row];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		char	   *logical = SPI_getvalue(tuple, desc, 3);

		binding->is_bound = true;
		binding->schema = SPI_getvalue(tuple, desc, 1);
		binding->table = SPI_getvalue(tuple, desc, 2);
		for (int i = 0; logical != NULL && i < entity->n_columns; i++)
			if (strcmp(entity->columns[i].name, logical) == 0)
				binding->column_names[i] = SPI_getvalue(tuple, desc, 4);
	}

	binding->relation = quote_qualified_identifier(binding->schema, binding->table);
	schema_oid = get_namespace_oid(binding->schema, true);
	if (OidIsValid(schema_oid))
		binding->relid = get_relname_relid(binding->table, schema_oid);
	return binding;
}

/* ---------- problems ---------- */

void
host_problem_raise(const HostProblem *problem)
{
	ereport(ERROR,
			(errcode(problem->sqlstate),
			 errmsg("%s", problem->message),
			 problem->detail ? errdetail("%s", problem->detail) : 0,
			 problem->statement ?
			 errhint("%s Run: %s", problem->fix, problem->statement) :
			 errhint("%s", problem->fix)));
}

static char *
current_role_name(void)
{
	return pstrdup(quote_identifier(GetUserNameFromId(GetUserId(), false)));
}

HostProblem
host_binding_table_problem(const HostBinding *binding)
{
	HostProblem problem = {0};
	const char *entity = binding->entity->name;
	char		kind;

	if (!OidIsValid(binding->relid))
	{
		problem.sqlstate = ERRCODE_UNDEFINED_TABLE;
		problem.message = psprintf("table %s of entity \"%s\" does not exist", binding->relation, entity);
		problem.detail = psprintf("Without it there are no %s.", binding->entity->feeds);
		problem.fix = psprintf("Bind the entity to the table or view that holds it: "
							   "SELECT capforecast.bind('%s', 'your_schema.your_table').", entity);
		return problem;
	}
	kind = get_rel_relkind(binding->relid);
	if (strchr("rpvmf", kind) == NULL)
	{
		problem.sqlstate = ERRCODE_WRONG_OBJECT_TYPE;
		problem.message = psprintf("%s of entity \"%s\" is not a table or view", binding->relation, entity);
		problem.fix = psprintf("Bind the entity to a table or view: "
							   "SELECT capforecast.bind('%s', 'your_schema.your_table').", entity);
		return problem;
	}
	if (schema_aclcheck(get_rel_namespace(binding->relid), GetUserId(), ACL_USAGE) != ACLCHECK_OK)
	{
		problem.sqlstate = ERRCODE_INSUFFICIENT_PRIVILEGE;
		problem.message = psprintf("permission denied for schema %s", quote_identifier(binding->schema));
		problem.detail = psprintf("Entity \"%s\" is read with the rights of the caller.", entity);
		problem.fix = "Grant the role the use of the schema.";
		problem.statement = psprintf("GRANT USAGE ON SCHEMA %s TO %s;",
									 quote_identifier(binding->schema), current_role_name());
		return problem;
	}
	if (pg_class_aclcheck(binding->relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
		pg_attribute_aclcheck_all(binding->relid, GetUserId(), ACL_SELECT, ACLMASK_ANY) != ACLCHECK_OK)
	{
		problem.sqlstate = ERRCODE_INSUFFICIENT_PRIVILEGE;
		problem.message = psprintf("permission denied for table %s", binding->relation);
		problem.detail = psprintf("Entity \"%s\" is read with the rights of the caller.", entity);
		problem.fix = "Grant the role the right to read the table.";
		problem.statement = psprintf("GRANT SELECT ON %s TO %s;", binding->relation, current_role_name());
	}
	return problem;
}

/* The first of the names seen elsewhere that the table has; NULL when none. */
static char *
likely_column(const HostBinding *binding, const HostColumn *column)
{
	char	   *names,
			   *name;

	if (column->other_names == NULL)
		return NULL;
	names = pstrdup(column->other_names);
	for (name = strtok(names, " "); name != NULL; name = strtok(NULL, " "))
		if (get_attnum(binding->relid, name) > 0)
			return name;
	return NULL;
}

static HostProblem
column_missing(const HostBinding *binding, const HostColumn *column, const char *physical)
{
	HostProblem problem = {0};
	char	   *guess = likely_column(binding, column);
	bool		can_be_absent = column->absent != NULL && column->absent[0] == '?';

	problem.sqlstate = ERRCODE_UNDEFINED_COLUMN;
	problem.message = psprintf("column \"%s\" of table %s does not exist", physical, binding->relation);
	problem.detail = psprintf("It stands for \"%s\" of entity \"%s\".", column->name, binding->entity->name);
	problem.fix = can_be_absent ?
		psprintf("Bind it to the column that holds it, or to null if there is none (%s is then taken).",
				 column->absent + 1) :
		"Bind it to the column that holds it.";
	problem.statement = psprintf("SELECT capforecast.bind('%s', %s, '{\"%s\": %s}');",
								 binding->entity->name, quote_literal_cstr(binding->relation), column->name,
								 guess ? psprintf("\"%s\"", guess) : can_be_absent ? "null" : "\"your_column\"");
	return problem;
}

static bool
type_fits(HostType wanted, Oid type)
{
	char		category;
	bool		preferred;

	get_type_category_preferred(getBaseType(type), &category, &preferred);
	switch (wanted)
	{
		case HOST_BOOL:
			return category == TYPCATEGORY_BOOLEAN;
		case HOST_NUMBER:
			return category == TYPCATEGORY_NUMERIC;
		case HOST_TIME:
			return category == TYPCATEGORY_DATETIME && getBaseType(type) != TIMEOID &&
				getBaseType(type) != TIMETZOID;
		case HOST_JSON:
			return getBaseType(type) == JSONBOID || getBaseType(type) == JSONOID;
		case HOST_ANY:
		case HOST_TEXT:
			return true;
	}
	return false;
}

static const char *
type_wanted(HostType wanted)
{
	switch (wanted)
	{
		case HOST_BOOL:
			return "boolean";
		case HOST_NUMBER:
			return "a number";
		case HOST_TIME:
			return "a timestamp with time zone";
		case HOST_JSON:
			return "jsonb";
		case HOST_ANY:
		case HOST_TEXT:
			break;
	}
	return "any type";
}

/* The column as a value of its kind: enums and keys as text, naive times as UTC. */
static char *
column_expression(HostType wanted, Oid type, const char *prefix, const char *quoted)
{
	Oid			base = getBaseType(type);

	if (wanted == HOST_TEXT && base != TEXTOID && base != VARCHAROID)
		return psprintf("%s%s::text", prefix, quoted);
	if (wanted == HOST_TIME && base == TIMESTAMPOID)
		return psprintf("(%s%s AT TIME ZONE 'UTC')", prefix, quoted);
	if (wanted == HOST_TIME && base == DATEOID)
		return psprintf("(%s%s::timestamp AT TIME ZONE 'UTC')", prefix, quoted);
	return psprintf("%s%s", prefix, quoted);
}

static char *
physical_name(const HostBinding *binding, const HostColumn *column)
{
	return binding->column_names[column - binding->entity->columns];
}

char *
host_binding_column_name(const HostBinding *binding, const HostColumn *column)
{
	char	   *physical = physical_name(binding, column);

	if (physical == NULL || get_attnum(binding->relid, physical) <= 0)
		return NULL;
	return pstrdup(quote_identifier(physical));
}

HostProblem
host_binding_column_problem(const HostBinding *binding, const HostColumn *column,
							const char *prefix, char **expression)
{
	HostProblem problem = {0};
	char	   *physical = physical_name(binding, column);
	AttrNumber	attno = physical ? get_attnum(binding->relid, physical) : InvalidAttrNumber;
	Oid			type;

	*expression = NULL;
	if (physical == NULL && column->absent != NULL)
	{
		*expression = pstrdup(column->absent + (column->absent[0] == '?'));
		return problem;
	}
	if (attno <= 0)
	{
		bool		was_named = physical && strcmp(physical, column->name) != 0;

		if (column->absent != NULL && column->absent[0] != '?' && !was_named)
			*expression = pstrdup(column->absent);
		else
			problem = column_missing(binding, column, physical ? physical : column->name);
		return problem;
	}

	type = get_atttype(binding->relid, attno);
	if (!type_fits(column->type, type))
	{
		problem.sqlstate = ERRCODE_DATATYPE_MISMATCH;
		problem.message = psprintf("column \"%s\" of table %s is of type %s, not %s", physical,
								   binding->relation, format_type_be(type), type_wanted(column->type));
		problem.detail = psprintf("It stands for \"%s\" of entity \"%s\".", column->name, binding->entity->name);
		problem.fix = psprintf("Create a view that converts it, and bind \"%s\" to the view.",
							   binding->entity->name);
		return problem;
	}
	if (pg_class_aclcheck(binding->relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
		pg_attribute_aclcheck(binding->relid, attno, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
	{
		problem.sqlstate = ERRCODE_INSUFFICIENT_PRIVILEGE;
		problem.message = psprintf("permission denied for column \"%s\" of table %s", physical, binding->relation);
		problem.detail = psprintf("Entity \"%s\" is read with the rights of the caller.", binding->entity->name);
		problem.fix = "Grant the role the right to read the table.";
		problem.statement = psprintf("GRANT SELECT ON %s TO %s;", binding->relation, current_role_name());
		return problem;
	}
	*expression = column_expression(column->type, type, prefix, quote_identifier(physical));
	return problem;
}
