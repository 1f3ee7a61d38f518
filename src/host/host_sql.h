/*
 * host_sql.h
 *		Statements against the host's tables, written with logical names.
 */
#ifndef CAPFORECAST_HOST_SQL_H
#define CAPFORECAST_HOST_SQL_H

#include "postgres.h"

/*
 * A template is SQL with names in braces:
 *
 *		{vendors}						the bound table, quoted and qualified
 *		{vendors.is_active}				its column (as a value of the column's kind)
 *		{s:vendor_subscriptions.tier}	the same, of the alias s
 *		{!vendor_subscriptions.tier}	the bare column name, for INSERT and SET
 *
 * Returns the statement in the current memory context.  Raises 42P01, 42703,
 * 42804 or 42501 with a hint that names the fix where a name cannot be resolved
 * or read by the caller.  Needs an open Scope.
 */
extern char *host_sql_expand(const char *template);

/* Expand and run a SELECT, with row security refusing rather than filtering. */
extern void host_sql_read(const char *template);

/* The same with parameters ($1, …), none of them NULL. */
extern void host_sql_read_with(const char *template, int nargs, Oid *types, Datum *values);

#endif							/* CAPFORECAST_HOST_SQL_H */
