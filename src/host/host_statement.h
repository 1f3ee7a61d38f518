/*
 * host_statement.h
 *		Statements on the host's tables, expanded and planned once per session.
 */
#ifndef CAPFORECAST_HOST_STATEMENT_H
#define CAPFORECAST_HOST_STATEMENT_H

#include "executor/spi.h"

typedef enum HostUse
{
	HOST_COUNT,					/* a read of whole tables: may go parallel, planned for the values at hand */
	HOST_LOOKUP,				/* a read of a few rows: one plan for all values */
	HOST_WRITE					/* sees what this transaction has written, and may write */
} HostUse;

typedef struct HostStatement HostStatement;

/*
 * The template (host_template.h) as a statement of the current role, ready to run.  Raises
 * what host_template_expand() raises.  Needs an open Scope.
 */
extern HostStatement *host_statement(const char *template, HostUse use, int nargs, const Oid *types);

/* The columns it returns; NULL: none. */
extern TupleDesc host_statement_result(HostStatement *statement);

/*
 * Runs it, with row security refusing rather than filtering.  Rows go to the receiver, or
 * where that is NULL to SPI_tuptable; returns how many there were or were written.
 */
extern uint64 host_statement_run(HostStatement *statement, const Oid *types, const Datum *values, const char *nulls,
								 DestReceiver *receiver);

#endif							/* CAPFORECAST_HOST_STATEMENT_H */
