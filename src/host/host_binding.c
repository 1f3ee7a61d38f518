/*
 * host_binding.c
 *		Resolves logical names to the host's tables and columns.
 *
 * Bindings are kept as names, not as OIDs: the application finds its tables by
 * name, too, so that a migration that swaps a table keeps working, nothing of
 * the host ever depends on the extension, and a dump restores them in any order.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "host/host_binding.h"
#include "host/host_bound.h"
#include "host/host_watch.h"

/* ---------- finding ---------- */

static HostBinding *
binding_by_default(const HostEntity *entity)
{
	HostBinding *binding = palloc0(sizeof(HostBinding));

	binding->entity = entity;
	binding->schema = "public";
	binding->table = pstrdup(entity->name);
	binding->column_names = palloc0(sizeof(char *) * entity->n_columns);
	for (int i = 0; i < entity->n_columns; i++)
		binding->column_names[i] = pstrdup(entity->columns[i].name);
	return binding;
}

HostBinding *
host_binding_find(const HostEntity *entity)
{
	HostBinding *binding = binding_by_default(entity);
	const HostBound *bound = host_bound_find(entity);
	Oid			schema_oid;
	int			n_entities;

	if (bound != NULL)
	{
		binding->is_bound = true;
		binding->schema = pstrdup(bound->schema);
		binding->table = pstrdup(bound->table);
		binding->registrar = bound->registrar;
		binding->registrar_name = pstrdup(bound->registrar_name);
		for (int i = 0; i < entity->n_columns; i++)
			binding->column_names[i] = bound->column_names[i] ? pstrdup(bound->column_names[i]) : NULL;
	}

	binding->relation = quote_qualified_identifier(binding->schema, binding->table);
	schema_oid = get_namespace_oid(binding->schema, true);
	if (OidIsValid(schema_oid))
		binding->relid = get_relname_relid(binding->table, schema_oid);
	host_watch_relation(entity - host_schema_entities(&n_entities), binding->relid);
	return binding;
}

HostBinding *
host_binding_to(const HostEntity *entity, Oid relid)
{
	HostBinding *binding = binding_by_default(entity);

	binding->relid = relid;
	binding->schema = get_namespace_name(get_rel_namespace(relid));
	binding->table = get_rel_name(relid);
	binding->relation = quote_qualified_identifier(binding->schema, binding->table);
	return binding;
}

/* ---------- columns ---------- */

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
		case HOST_LIMIT:
			switch (getBaseType(type))
			{
				case INT2OID:
				case INT4OID:
				case INT8OID:
				case FLOAT4OID:
				case FLOAT8OID:
				case NUMERICOID:
					return true;
			}
			return false;		/* money and oid are of the category, too */
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
		case HOST_LIMIT:
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

/*
 * Text of a type that is not the server's comes from its output function: a cast would run
 * code of whoever made the type.
 */
static char *
text_expression(Oid type, const char *value)
{
	Oid			output;
	bool		is_varlena;

	if (type < FirstNormalObjectId)
		return psprintf("%s::text", value);
	getTypeOutputInfo(type, &output, &is_varlena);
	return psprintf("pg_catalog.textin(%s.%s(%s))", quote_identifier(get_namespace_name(get_func_namespace(output))),
					quote_identifier(get_func_name(output)), value);
}

/* The column as a value of its kind: enums and keys as text, naive times as UTC. */
static char *
column_expression(HostType wanted, Oid type, const char *prefix, const char *quoted)
{
	Oid			base = getBaseType(type);
	char	   *value = psprintf("%s%s", prefix, quoted);

	if (wanted == HOST_LIMIT)
		return psprintf("(CASE WHEN %s >= 0 THEN %s END)", value, value);
	if (wanted == HOST_TEXT && type != TEXTOID)
		return text_expression(base, value);
	if (wanted == HOST_TIME && base == TIMESTAMPOID)
		return psprintf("(%s AT TIME ZONE 'UTC')", value);
	if (wanted == HOST_TIME && base == DATEOID)
		return psprintf("(%s::timestamp AT TIME ZONE 'UTC')", value);
	return value;
}

static char *
physical_name(const HostBinding *binding, const HostColumn *column)
{
	return binding->column_names[column - binding->entity->columns];
}

/* A column that ought to be there and is not counts as there: that is a problem, not an absence. */
bool
host_binding_has_column(const HostBinding *binding, const HostColumn *column)
{
	char	   *physical = physical_name(binding, column);
	bool		must_be_said = column->absent == NULL || column->absent[0] == '?';

	return physical != NULL && (must_be_said || get_attnum(binding->relid, physical) > 0);
}

char *
host_binding_column_name(const HostBinding *binding, const HostColumn *column)
{
	char	   *physical = physical_name(binding, column);

	if (physical == NULL || get_attnum(binding->relid, physical) <= 0)
		return NULL;
	return pstrdup(quote_identifier(physical));
}

/* Without the length that the type may have: too long a value is to be an error, not cut. */
char *
host_binding_cast(const HostBinding *binding, const HostColumn *column, const char *expression)
{
	char	   *physical = physical_name(binding, column);
	AttrNumber	attno = physical ? get_attnum(binding->relid, physical) : InvalidAttrNumber;

	if (attno <= 0)
		return pstrdup(expression);
	return psprintf("CAST((%s) AS %s)", expression,
					format_type_extended(get_atttype(binding->relid, attno), -1,
										 FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY));
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
			problem = host_binding_column_missing(binding, column, physical ? physical : column->name);
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
		problem.statement = psprintf("GRANT SELECT ON %s TO %s;", binding->relation,
									 quote_identifier(GetUserNameFromId(GetUserId(), false)));
		return problem;
	}
	*expression = column_expression(column->type, type, prefix, quote_identifier(physical));
	return problem;
}
