/*
 * host_expression.c
 *		Expressions over the columns of one relation, as operators write them.
 *
 * An expression is parsed by the server, as the only target of a SELECT: so it is one
 * expression, whatever is in it, and can be put into another statement in parentheses.
 * It is looked at twice: as parsed, where names can still be seen, and as analysed.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "optimizer/optimizer.h"
#include "parser/analyze.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "common/compat.h"
#include "host/host_expression.h"

/* As much as anybody writes. */
#define MAX_LENGTH		4000
#define MAX_COLUMNS		100

static const char *const before = "SELECT ";

typedef struct Reading
{
	Oid			relid;
	int			n_columns;
	int			columns[MAX_COLUMNS];
} Reading;

pg_noreturn static void refuse(const char *what);

static void
refuse(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "bad_expression"),
			 errmsg("%s cannot stand in an expression", what),
			 errhint("Use columns of the relation, constants, and functions and operators of the server.")));
}

/* ---------- as parsed ---------- */

/* A name of a function, operator or type: of pg_catalog. */
static void
check_name(List *names)
{
	if (list_length(names) > 2 ||
		(list_length(names) == 2 && strcmp(strVal(linitial(names)), "pg_catalog") != 0))
		refuse(psprintf("\"%s\"", NameListToString(names)));
}

static void
check_column(ColumnRef *column, Reading *reading)
{
	char	   *name;

	if (list_length(column->fields) != 1 || !IsA(linitial(column->fields), String))
		refuse("a column with another name before it, or a star,");
	name = strVal(linitial(column->fields));
	if (get_attnum(reading->relid, name) == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of table \"%s\" does not exist", name, get_rel_name(reading->relid))));
	if (reading->n_columns == MAX_COLUMNS)
		refuse("more than 100 columns");
	reading->columns[reading->n_columns++] = column->location - (int) strlen(before);
}

static bool
read_node(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_SubLink:
			refuse("a subquery");
			break;
		case T_ParamRef:
			refuse("a parameter");
			break;
		case T_RowExpr:
			refuse("a row");
			break;
		case T_ColumnRef:
			check_column((ColumnRef *) node, context);
			return false;
		case T_FuncCall:
			check_name(((FuncCall *) node)->funcname);
			break;
		case T_A_Expr:
			check_name(((A_Expr *) node)->name);
			break;
		case T_TypeName:
			check_name(((TypeName *) node)->names);
			break;
		case T_CollateClause:
			check_name(((CollateClause *) node)->collname);
			break;
		default:
			break;
	}
	return raw_expression_tree_walker(node, read_node, context);
}

/* The one expression of a SELECT that has nothing else. */
static Node *
only_target(List *statements)
{
	SelectStmt *select;

	if (list_length(statements) != 1 || !IsA(linitial_node(RawStmt, statements)->stmt, SelectStmt))
		refuse("more than one statement");
	select = (SelectStmt *) linitial_node(RawStmt, statements)->stmt;
	if (list_length(select->targetList) != 1 || select->op != SETOP_NONE || select->distinctClause != NIL ||
		select->intoClause != NULL || select->fromClause != NIL || select->whereClause != NULL ||
		select->groupClause != NIL || select->havingClause != NULL || select->windowClause != NIL ||
		select->sortClause != NIL || select->limitCount != NULL || select->limitOffset != NULL ||
		select->lockingClause != NIL || select->withClause != NULL || select->valuesLists != NIL ||
		linitial_node(ResTarget, select->targetList)->name != NULL)
		refuse("more than one expression");
	return linitial_node(ResTarget, select->targetList)->val;
}

static int
compare_places(const void *a, const void *b)
{
	return *(const int *) a - *(const int *) b;
}

/* ---------- as analysed ---------- */

static bool
is_foreign_function(Oid function, void *context)
{
	return get_func_namespace(function) != PG_CATALOG_NAMESPACE;
}

static bool
has_foreign_function(Node *node, void *context)
{
	if (node == NULL)
		return false;
	return check_functions_in_node(node, is_foreign_function, context) ||
		expression_tree_walker(node, has_foreign_function, context);
}

static Oid
analysed_type(const char *text, Oid relid)
{
	char	   *sql = psprintf("SELECT %s FROM %s", text,
							   quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid)));
	Query	   *query = parse_analyze_fixedparams(linitial_node(RawStmt, pg_parse_query(sql)), sql, NULL, 0, NULL);
	Node	   *expression = (Node *) linitial_node(TargetEntry, query->targetList)->expr;

	if (query->hasAggs || query->hasWindowFuncs || query->hasTargetSRFs || query->hasSubLinks)
		refuse("a function of several rows");
	if (contain_volatile_functions(expression))
		refuse("a volatile function");
	if (has_foreign_function(expression, NULL))
		refuse("a function that is not the server's");
	return exprType(expression);
}

HostExpression
host_expression(const char *text, Oid relid)
{
	HostExpression expression;
	Reading		reading = {relid};

	if (strlen(text) > MAX_LENGTH)
		refuse("a text of more than 4000 characters");
	expression.text = psprintf("(%s)", text);
	(void) read_node(only_target(pg_parse_query(psprintf("%s%s", before, expression.text))), &reading);
	qsort(reading.columns, reading.n_columns, sizeof(int), compare_places);
	expression.n_columns = reading.n_columns;
	expression.columns = palloc(sizeof(int) * (reading.n_columns + 1));
	memcpy(expression.columns, reading.columns, sizeof(int) * reading.n_columns);
	expression.type = analysed_type(expression.text, relid);
	return expression;
}

char *
host_expression_text(const HostExpression *expression, const char *prefix)
{
	StringInfoData text;
	int			done = 0;

	initStringInfo(&text);
	for (int i = 0; i < expression->n_columns; i++)
	{
		appendBinaryStringInfo(&text, expression->text + done, expression->columns[i] - done);
		appendStringInfoString(&text, prefix);
		done = expression->columns[i];
	}
	appendStringInfoString(&text, expression->text + done);
	return text.data;
}
