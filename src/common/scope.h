/*
 * scope.h
 *		A safe place to run SQL from C.
 */
#ifndef CAPFORECAST_SCOPE_H
#define CAPFORECAST_SCOPE_H

#include "executor/spi.h"

/*
 * Between scope_enter and scope_leave SPI is connected and search_path is
 * pg_catalog, pg_temp, so that unqualified functions and operators are the
 * server's own whatever the caller has set.  An error in between restores
 * everything with the (sub)transaction.
 */
typedef struct Scope
{
	int			guc_nest;
	bool		connected;
} Scope;

extern void scope_enter(Scope *scope);
extern void scope_leave(Scope *scope);

/* The same for a procedure that commits: SPI stays as it is, only the path is pinned. */
extern void scope_pin_search_path(void);

/* Set one setting until the enclosing scope ends. */
extern void scope_set(const char *name, const char *value);

/* SPI_execute_with_args that raises an internal error where SPI reports one. */
extern void scope_execute(const char *sql, int nargs, Oid *types, Datum *values,
						  const char *nulls, bool read_only, int expected);

/*
 * A read whose plan is kept for the session in *plan (static, NULL at first): for
 * statements that take longer to plan than to run.  One plan for all parameters.
 */
extern void scope_read_kept(SPIPlanPtr *plan, const char *sql, int nargs, Oid *types, Datum *values);

/* A column of a row that the last statement returned. */
extern Datum scope_datum(uint64 row, int column, bool *is_null);

#endif							/* CAPFORECAST_SCOPE_H */
