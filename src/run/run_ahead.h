/*
 * run_ahead.h
 *		A job's work done ahead of its run, in transactions of their own.
 *
 * A job locks the host's rows that it works on, and a run is one transaction: whoever wants
 * one of its rows would wait for all of them.  So run_job() first lets a dry run of the job
 * say what it would work on (the sets are put aside instead), then works on a few rows at
 * a time and commits, and the run itself does what is left, with the counts of what
 * was done before.
 */
#ifndef CAPFORECAST_RUN_AHEAD_H
#define CAPFORECAST_RUN_AHEAD_H

#include "nodes/pg_list.h"
#include "utils/palloc.h"

typedef struct RunSet
{
	char	   *worker;
	char	   *condition;
	char	   *options;		/* jsonb as text */
	int			n_ids;
	Datum	   *ids;			/* text */
	char	   *counts;			/* jsonb as text: what was done, NULL: nothing */
} RunSet;

/* From here on sets are put aside; ended by run_ahead_work(), or with the context. */
extern void run_ahead_plan(MemoryContext context);

/* The sets that were put aside (RunSet *); from here on work is done. */
extern List *run_ahead_work(void);

/* From here on the run itself asks for the counts; nothing is known after run_ahead_end(). */
extern void run_ahead_tell(void);
extern void run_ahead_end(void);

#endif							/* CAPFORECAST_RUN_AHEAD_H */
