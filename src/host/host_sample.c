/*
 * host_sample.c
 *		The rows of the host behind an entity, counted or not, and why.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "host/host_binding.h"
#include "host/host_expression.h"

static char *
value_of(const HostBinding *binding, const char *name, const char *prefix)
{
	const HostColumn *column = host_schema_column(binding->entity, name);
	char	   *value = NULL;

	if (column != NULL)
		(void) host_binding_column_problem(binding, column, prefix, &value);
	return value;
}

/* The first reason that keeps a row out, NULL: none. */
static char *
why_not(const HostBinding *binding)
{
	StringInfoData text;
	char	   *status = value_of(binding, "status", "x.");
	char	   *vendor = value_of(binding, "vendor_id", "x.");

	initStringInfo(&text);
	if (binding->filter != NULL)
	{
		HostExpression filter = host_expression(binding->filter, binding->relid);

		appendStringInfo(&text, " WHEN %s IS NOT TRUE THEN 'the filter leaves it out'", host_expression_text(&filter, "x."));
	}
	for (int i = 0; i < binding->n_words && status != NULL; i++)
		if (binding->words[i].ours == NULL)
			appendStringInfo(&text, " WHEN %s = %s THEN %s", status, quote_literal_cstr(binding->words[i].theirs),
							 quote_literal_cstr(psprintf("status %s is not counted", binding->words[i].theirs)));
	if (binding->newest_by != NULL && vendor != NULL)
		appendStringInfo(&text, " WHEN EXISTS (SELECT FROM %s y WHERE y.%s > x.%s AND %s = %s) THEN 'its vendor has a newer one'",
						 host_binding_source(binding, NULL, false), quote_identifier(binding->newest_by),
						 quote_identifier(binding->newest_by), vendor, value_of(binding, "vendor_id", "y."));
	return text.len > 0 ? psprintf("CASE%s END", text.data) : "NULL::text";
}

/* The logical columns as a document. */
static char *
logical_row(const HostBinding *binding)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < binding->entity->n_columns; i++)
	{
		const char *name = binding->entity->columns[i].name;
		char	   *value = value_of(binding, name, "x.");

		appendStringInfo(&text, "%s'%s', %s", i ? ", " : "", name, value ? value : "NULL");
	}
	return psprintf("jsonb_build_object(%s)", text.data);
}

char *
host_binding_sample(const HostBinding *binding)
{
	char	   *key = value_of(binding, binding->entity->columns[0].name, "x.");

	return psprintf("(SELECT (%s)::text AS row_id, %s AS why, %s AS logical, to_jsonb(x) AS host FROM %s x)",
					key ? key : "NULL", why_not(binding), logical_row(binding), binding->relation);
}
