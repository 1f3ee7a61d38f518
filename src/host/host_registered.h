/*
 * host_registered.h
 *		Runs a query that an operator registered.
 */
#ifndef CAPFORECAST_HOST_REGISTERED_H
#define CAPFORECAST_HOST_REGISTERED_H

#include "postgres.h"

/*
 * The single value of a registered query as numeric text in the current memory
 * context, or NULL where the value is NULL.
 *
 * The query runs as its registrar, restricted and read-only, with search_path pg_catalog,
 * and for timeout_ms at most.  Errors, all to be caught by the caller: those of the
 * query itself; 54000 over the time limit; 42601 when it is not one SELECT; 21000
 * when it does not return one row of one column; 22P02 when that is no number;
 * 42501 (suspended_binding) when the registrar is NULL or does not exist.
 */
extern char *host_registered_number(const char *sql, const char *registrar, int timeout_ms);

/* The role; 42501 suspended_binding where there is none, or NULL was given. */
extern Oid	host_registered_role(const char *registrar);

#endif							/* CAPFORECAST_HOST_REGISTERED_H */
