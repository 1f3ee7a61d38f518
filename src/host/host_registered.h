/*
 * host_registered.h
 *		Runs a query that an operator registered.
 */
#ifndef CAPFORECAST_HOST_REGISTERED_H
#define CAPFORECAST_HOST_REGISTERED_H

#include "common/attempt.h"

/* A registered query that takes longer than this is ended. */
#define HOST_REGISTERED_LIMIT_MS	5000

/* Takes the value, numeric text or NULL; an error that it raises is the query's. */
typedef void (*HostRegisteredReader) (const char *text, void *result);

/*
 * Runs a registered query as its registrar, hands its single value to read(), and undoes all
 * that it did.  False: it failed, and *failure (in the current memory context) says why:
 * failure->error for whoever registered it, failure->message for the run log, without
 * what may be data.
 *
 * Whatever the query raises is its own failure, but for a real cancel of the session,
 * which is raised.  Failures of the sandbox: 54000 over the time limit; 42601 when it is
 * not one SELECT; 21000 when it does not return one row of one column; 22P02 when that
 * is no number; 42501 (suspended_binding) when the registrar is NULL or does not exist; 0A000 for a temporary object in
 * the query, and for what a registered query may not call; 55000 in a session with
 * temporary objects of roles that the registrar does not trust, and within another
 * registered query.  Needs an open Scope.
 */
extern bool host_registered_number(const char *sql, const char *registrar, HostRegisteredReader read, void *result,
								   AttemptFailure *failure);

/* The role; 42501 suspended_binding where there is none, or NULL was given. */
extern Oid	host_registered_role(const char *registrar);

/* Called once, when the library is loaded. */
extern void host_registered_init(void);

#endif							/* CAPFORECAST_HOST_REGISTERED_H */
