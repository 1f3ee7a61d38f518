/*
 * host_values.h
 *		A table or query of the operator's that holds times and values.
 */
#ifndef CAPFORECAST_HOST_VALUES_H
#define CAPFORECAST_HOST_VALUES_H

#include "postgres.h"

/*
 * A SELECT of the columns at (timestamptz; naive times and dates are read as UTC) and value (double
 * precision) from a query, or where that is NULL from a relation.  Raises 42809, 42703, 42804 or 42501 for
 * what cannot be read so, 42601 for a query that is not one SELECT.  Needs an open Scope.
 */
extern char *host_values_select(Oid relid, const char *query, const char *ts_column, const char *value_column);

#endif							/* CAPFORECAST_HOST_VALUES_H */
