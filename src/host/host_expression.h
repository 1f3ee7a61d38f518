/*
 * host_expression.h
 *		Expressions over the columns of one relation, as operators write them.
 */
#ifndef CAPFORECAST_HOST_EXPRESSION_H
#define CAPFORECAST_HOST_EXPRESSION_H

#include "postgres.h"

typedef struct HostExpression
{
	char	   *text;			/* in parentheses */
	Oid			type;
	int			n_columns;
	int		   *columns;		/* where the names of columns stand in text, from first to last */
} HostExpression;

/*
 * Reads an expression: columns of the relation, constants, functions, operators and types of
 * pg_catalog; no subquery, aggregate, window or set-returning function.  Raises 22023
 * (bad_expression) where it is something else, or what the parser raises.  Needs an open
 * Scope, whose search_path it is resolved with.
 */
extern HostExpression host_expression(const char *text, Oid relid);

/* Its text with a prefix ("s." or "") before each column. */
extern char *host_expression_text(const HostExpression *expression, const char *prefix);

#endif							/* CAPFORECAST_HOST_EXPRESSION_H */
