/*
 * host_sql.h
 *		Templates (host_template.h) run from C.
 */
#ifndef CAPFORECAST_HOST_SQL_H
#define CAPFORECAST_HOST_SQL_H

#include "postgres.h"

/* Run a SELECT that counts, kept and planned as host_statement.h says; rows in SPI_tuptable. */
extern void host_sql_read(const char *template);

/* The same with parameters ($1, ...), none of them NULL. */
extern void host_sql_read_with(const char *template, int nargs, const Oid *types, const Datum *values);

/* The same for a statement that writes; returns how many rows. */
extern uint64 host_sql_write(const char *template, int nargs, const Oid *types, const Datum *values);

#endif							/* CAPFORECAST_HOST_SQL_H */
