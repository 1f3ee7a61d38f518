/*
 * attempt.h
 *		Work that may fail without taking the rest with it.
 */
#ifndef CAPFORECAST_ATTEMPT_H
#define CAPFORECAST_ATTEMPT_H

#include "postgres.h"

typedef struct AttemptFailure
{
	char	   *sqlstate;		/* five characters */
	char	   *message;
	char	   *hint;			/* NULL: none */
	ErrorData  *error;			/* to raise it after all (ReThrowError) */
} AttemptFailure;

/*
 * Runs work(arg) in a subtransaction of its own.  False: it raised an error, was
 * rolled back, and *failure (in the caller's memory context) says why.
 *
 * Errors that mean "stop" or "try again" are not failures of the work and are
 * raised: cancel and shutdown (57), serialization (40), lock timeout (55P03), and
 * what the server lacks (53).
 */
extern bool attempt_run(void (*work) (void *arg), void *arg, AttemptFailure *failure);

/* The same with no exception: for whoever must write something down before raising. */
extern bool attempt_run_catch_all(void (*work) (void *arg), void *arg, AttemptFailure *failure);

/* Was it a cancel, a time limit or a shutdown (57) that ended the work? */
extern bool attempt_was_cancelled(const AttemptFailure *failure);

#endif							/* CAPFORECAST_ATTEMPT_H */
