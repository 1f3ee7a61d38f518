/*
 * host_column.c
 *		What to write into a statement for a logical column, and for the rows of an entity.
 *
 * A column is read as a value of its kind, whatever the host keeps it as: enums and keys as
 * text, naive times as UTC, limits below 0 as unlimited, status words as ours, money in
 * minor units.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "host/host_binding.h"
#include "host/host_expression.h"

/* Currencies whose smallest unit is the currency itself, as payment services count them. */
#define WITHOUT_MINOR_UNITS \
	"'BIF', 'CLP', 'DJF', 'GNF', 'JPY', 'KMF', 'KRW', 'MGA', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'"

#define STATUS	"status"

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

/* A value of the host's type as one of the kind. */
static char *
as_kind(HostType wanted, Oid type, const char *value)
{
	Oid			base = getBaseType(type);

	if (wanted == HOST_LIMIT)
		return psprintf("(CASE WHEN %s >= 0 THEN %s END)", value, value);
	if (wanted == HOST_TEXT && type != TEXTOID)
		return text_expression(base, value);
	if (wanted == HOST_TIME && base == TIMESTAMPOID)
		return psprintf("(%s AT TIME ZONE 'UTC')", value);
	if (wanted == HOST_TIME && base == DATEOID)
		return psprintf("(%s::timestamp AT TIME ZONE 'UTC')", value);
	return pstrdup(value);
}

/* ---------- words and money ---------- */

/* One word for another, where they differ; the others stay. */
static char *
translated(const HostBinding *binding, const char *value, bool to_ours)
{
	StringInfoData text;
	int			n = 0;

	initStringInfo(&text);
	appendStringInfo(&text, "(CASE %s", value);
	for (int i = 0; i < binding->n_words; i++)
	{
		HostWord   *word = &binding->words[i];

		if (word->ours == NULL || strcmp(word->ours, word->theirs) == 0)
			continue;
		appendStringInfo(&text, " WHEN %s THEN %s", quote_literal_cstr(to_ours ? word->theirs : word->ours),
						 quote_literal_cstr(to_ours ? word->ours : word->theirs));
		n++;
	}
	appendStringInfo(&text, " ELSE %s END)", value);
	return n == 0 ? pstrdup(value) : text.data;
}

static char *
as_minor(const HostBinding *binding, const char *value, const char *prefix)
{
	const HostColumn *currency = host_schema_column(binding->entity, "currency");
	char	   *code = NULL;

	if (currency != NULL)
		(void) host_binding_column_problem(binding, currency, prefix, &code);
	if (code == NULL)
		return psprintf("(%s::numeric * 100)", value);
	return psprintf("(%s::numeric * CASE WHEN upper(%s) IN (" WITHOUT_MINOR_UNITS ") THEN 1 ELSE 100 END)", value, code);
}

/* ---------- columns ---------- */

static const HostBoundColumn *
bound_column(const HostBinding *binding, const HostColumn *column)
{
	return &binding->columns[column - binding->entity->columns];
}

static char *
physical_name(const HostBinding *binding, const HostColumn *column)
{
	return bound_column(binding, column)->name;
}

/* A column that ought to be there and is not counts as there: that is a problem, not an absence. */
bool
host_binding_has_column(const HostBinding *binding, const HostColumn *column)
{
	char	   *physical = physical_name(binding, column);
	bool		must_be_said = column->absent == NULL || column->absent[0] == '?';

	if (bound_column(binding, column)->expression != NULL)
		return true;
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

/* Without the length that the type, or a domain's, may have: too long a value is to be an error, not cut. */
char *
host_binding_cast(const HostBinding *binding, const HostColumn *column, const char *expression)
{
	char	   *physical = physical_name(binding, column);
	AttrNumber	attno = physical ? get_attnum(binding->relid, physical) : InvalidAttrNumber;

	if (attno <= 0)
		return pstrdup(expression);
	if (binding->n_words > 0 && strcmp(column->name, STATUS) == 0)
		expression = translated(binding, psprintf("(%s)::text", expression), false);
	return psprintf("CAST((%s) AS %s)", expression,
					format_type_extended(getBaseType(get_atttype(binding->relid, attno)), -1,
										 FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY));
}

/* No column of the table is named: what stands for it then, if anything may. */
static HostProblem
absent_column(const HostBinding *binding, const HostColumn *column, char **expression)
{
	HostProblem problem = {0};
	char	   *physical = physical_name(binding, column);
	bool		was_named = physical && strcmp(physical, column->name) != 0;

	if (physical == NULL && column->absent != NULL)
		*expression = pstrdup(column->absent + (column->absent[0] == '?'));
	else if (column->absent != NULL && column->absent[0] != '?' && !was_named)
		*expression = pstrdup(column->absent);
	else
		problem = host_binding_column_missing(binding, column, physical ? physical : column->name);
	return problem;
}

static HostProblem
wrong_type(const HostBinding *binding, const HostColumn *column, Oid type)
{
	HostProblem problem = {0};
	char	   *what = bound_column(binding, column)->expression ?
		psprintf("expression for \"%s\"", column->name) : psprintf("column \"%s\"", physical_name(binding, column));

	problem.sqlstate = ERRCODE_DATATYPE_MISMATCH;
	problem.message = psprintf("%s of table %s is of type %s, not %s", what,
							   binding->relation, format_type_be(type), type_wanted(column->type));
	problem.detail = psprintf("It stands for \"%s\" of entity \"%s\".", column->name, binding->entity->name);
	problem.fix = "Bind it to an expression that converts it, like {\"expression\": \"state > 0\"}.";
	return problem;
}

static HostProblem
not_granted(const HostBinding *binding, const char *physical)
{
	HostProblem problem = {0};

	problem.sqlstate = ERRCODE_INSUFFICIENT_PRIVILEGE;
	problem.message = psprintf("permission denied for column \"%s\" of table %s", physical, binding->relation);
	problem.detail = psprintf("Entity \"%s\" is read with the rights of the caller.", binding->entity->name);
	problem.fix = "Grant the role the right to read the table.";
	problem.statement = psprintf("GRANT SELECT ON %s TO %s;", binding->relation,
								 quote_identifier(GetUserNameFromId(GetUserId(), false)));
	return problem;
}

HostProblem
host_binding_column_problem(const HostBinding *binding, const HostColumn *column,
							const char *prefix, char **expression)
{
	HostProblem problem = {0};
	const HostBoundColumn *bound = bound_column(binding, column);
	AttrNumber	attno = bound->name ? get_attnum(binding->relid, bound->name) : InvalidAttrNumber;
	Oid			type;
	char	   *value;

	*expression = NULL;
	if (bound->expression != NULL)
	{
		HostExpression parsed = host_expression(bound->expression, binding->relid);

		type = parsed.type;
		value = host_expression_text(&parsed, prefix);
	}
	else if (attno <= 0)
		return absent_column(binding, column, expression);
	else
	{
		type = get_atttype(binding->relid, attno);
		value = psprintf("%s%s", prefix, quote_identifier(bound->name));
	}

	if (!type_fits(column->type, type))
		return wrong_type(binding, column, type);
	if (bound->expression == NULL && pg_class_aclcheck(binding->relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
		pg_attribute_aclcheck(binding->relid, attno, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		return not_granted(binding, bound->name);

	value = as_kind(column->type, type, value);
	if (binding->n_words > 0 && strcmp(column->name, STATUS) == 0)
		value = translated(binding, value, true);
	*expression = bound->is_major ? as_minor(binding, value, prefix) : value;
	return problem;
}

/* ---------- rows ---------- */

/* What a row must meet to be counted; NULL: nothing. */
static char *
condition(const HostBinding *binding)
{
	StringInfoData text;
	char	   *status = NULL;

	initStringInfo(&text);
	if (binding->filter != NULL)
	{
		HostExpression filter = host_expression(binding->filter, binding->relid);

		if (getBaseType(filter.type) != BOOLOID)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("filter of entity \"%s\" is of type %s, not boolean", binding->entity->name, format_type_be(filter.type)),
					 errhint("Give a condition, like 'deleted_at IS NULL'.")));
		appendStringInfoString(&text, filter.text);
	}
	for (int i = 0; i < binding->n_words; i++)
	{
		if (binding->words[i].ours != NULL)
			continue;
		if (status == NULL)
			(void) host_binding_column_problem(binding, host_schema_column_named(binding->entity, STATUS), "", &status);
		if (status != NULL)
			appendStringInfo(&text, "%s%s IS DISTINCT FROM %s", text.len ? " AND " : "", status,
							 quote_literal_cstr(binding->words[i].theirs));
	}
	return text.len > 0 ? text.data : NULL;
}

char *
host_binding_source(const HostBinding *binding, const char *alias, bool with_newest)
{
	char	   *where = condition(binding);
	char	   *vendor = NULL;
	StringInfoData text;

	if (binding->newest_by != NULL && with_newest)
		(void) host_binding_column_problem(binding, host_schema_column_named(binding->entity, "vendor_id"), "", &vendor);
	if (where == NULL && vendor == NULL)
		return pstrdup(binding->relation);
	initStringInfo(&text);
	appendStringInfoString(&text, "(SELECT ");
	if (vendor != NULL)
		appendStringInfo(&text, "DISTINCT ON (%s) ", vendor);
	appendStringInfo(&text, "* FROM %s", binding->relation);
	if (where != NULL)
		appendStringInfo(&text, " WHERE %s", where);
	if (vendor != NULL)
		appendStringInfo(&text, " ORDER BY %s, %s DESC NULLS LAST", vendor, quote_identifier(binding->newest_by));
	appendStringInfoChar(&text, ')');
	if (alias != NULL)
		appendStringInfo(&text, " AS %s", alias);
	return text.data;
}
