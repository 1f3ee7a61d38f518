/*
 * host_values.c
 *		A table or query of the operator's that holds times and values.
 *
 * It is read once, with the rights of the caller, who has named it.  The server tells the
 * types of the two columns, so that a table and a query are one thing.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "parser/scansup.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"

#include "host/host_binding.h"
#include "host/host_values.h"

static const HostEntity values_entity = {"imported values", "imported values", "", NULL, 0};

/* What bind() would mend does not help here. */
static void
check_relation(Oid relid)
{
	HostBinding *binding;
	HostProblem problem;

	if (get_rel_name(relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	binding = host_binding_to(&values_entity, relid);
	problem = host_binding_table_problem(binding);
	if (problem.sqlstate != 0)
	{
		if (problem.sqlstate != ERRCODE_INSUFFICIENT_PRIVILEGE)
			problem.fix = problem.statement = NULL;
		host_problem_raise(&problem);
	}
	host_binding_check_trust(binding);
}

static SPIPlanPtr
prepare_select(const char *sql)
{
	SPIPlanPtr	plan = SPI_prepare(sql, 0, NULL);

	if (plan == NULL || !SPI_is_cursor_plan(plan))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("query is not a single SELECT"),
				 errhint("Give one statement that returns a column of times and a column of values.")));
	return plan;
}

/* The query without the semicolon at its end, which may follow a comment. */
static char *
trim_query(const char *query)
{
	char	   *text = pstrdup(query);
	size_t		length = strlen(text);

	while (length > 0 && (scanner_isspace(text[length - 1]) || text[length - 1] == ';'))
		text[--length] = '\0';
	return text;
}

/* The result types of both columns. */
static void
look_up_types(const char *source, const char *ts, const char *value, Oid types[2])
{
	SPIPlanPtr	plan = prepare_select(psprintf("SELECT %s, %s FROM %s", ts, value, source));
	TupleDesc	desc = ((CachedPlanSource *) linitial(SPI_plan_get_plan_sources(plan)))->resultDesc;

	for (int i = 0; i < 2; i++)
		types[i] = getBaseType(TupleDescAttr(desc, i)->atttypid);
	SPI_freeplan(plan);
}

static void
refuse_type(const char *column, Oid type, const char *wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column %s is of type %s", column, format_type_be(type)),
			 errdetail("It must be %s.", wanted),
			 errhint("Give a query that converts it.")));
}

static char *
time_expression(const char *column, Oid type)
{
	if (type == TIMESTAMPTZOID)
		return psprintf("%s::timestamptz", column);
	if (type != TIMESTAMPOID && type != DATEOID)
		refuse_type(column, type, "a timestamp or a date");
	return psprintf("%s::timestamp AT TIME ZONE 'UTC'", column);
}

char *
host_values_select(Oid relid, const char *query, const char *ts_column, const char *value_column)
{
	const char *ts = quote_identifier(ts_column);
	const char *value = quote_identifier(value_column);
	Oid			types[2];
	char		category;
	bool		is_preferred;
	char	   *source;

	if (query == NULL)
	{
		check_relation(relid);
		source = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
	}
	else
	{
		char	   *text = trim_query(query);

		SPI_freeplan(prepare_select(text));
		source = psprintf("(%s\n) AS source", text);
	}
	look_up_types(source, ts, value, types);
	get_type_category_preferred(types[1], &category, &is_preferred);
	if (category != TYPCATEGORY_NUMERIC || types[1] == CASHOID)
		refuse_type(value, types[1], "a number");
	return psprintf("SELECT %s AS at, %s::float8 AS value FROM %s", time_expression(ts, types[0]), value, source);
}
