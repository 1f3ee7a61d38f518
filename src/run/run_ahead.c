/*
 * run_ahead.c
 *		The sets of a job that are worked on ahead of its run (see run_ahead.h).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "run/run_ahead.h"

typedef enum
{
	AT_NOTHING,
	AT_PLAN,
	AT_WORK,
	AT_RUN
} Stage;

static Stage stage = AT_NOTHING;
static MemoryContext sets_context = NULL;
static List *sets = NIL;

static void
forget(void *unused)
{
	stage = AT_NOTHING;
	sets_context = NULL;
	sets = NIL;
}

void
run_ahead_plan(MemoryContext context)
{
	MemoryContextCallback *callback = MemoryContextAllocZero(context, sizeof(MemoryContextCallback));

	callback->func = forget;
	MemoryContextRegisterResetCallback(context, callback);
	forget(NULL);
	stage = AT_PLAN;
	sets_context = context;
}

List *
run_ahead_work(void)
{
	stage = AT_WORK;
	return sets;
}

void
run_ahead_tell(void)
{
	stage = AT_RUN;
}

void
run_ahead_end(void)
{
	forget(NULL);
}

/*
 * capforecast._put_aside(worker text, condition text, options jsonb, ids text[]) → boolean
 *		True: to be worked on later, and not now.
 */
PG_FUNCTION_INFO_V1(capforecast_put_aside);
Datum
capforecast_put_aside(PG_FUNCTION_ARGS)
{
	MemoryContext caller;
	RunSet	   *set;
	bool	   *nulls;

	if (stage != AT_PLAN)
		PG_RETURN_BOOL(false);
	caller = MemoryContextSwitchTo(sets_context);
	set = palloc0(sizeof(RunSet));
	set->worker = text_to_cstring(PG_GETARG_TEXT_PP(0));
	set->condition = text_to_cstring(PG_GETARG_TEXT_PP(1));
	set->options = JsonbToCString(NULL, &PG_GETARG_JSONB_P(2)->root, VARSIZE(PG_GETARG_DATUM(2)));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P_COPY(3), TEXTOID, -1, false, TYPALIGN_INT, &set->ids, &nulls, &set->n_ids);
	sets = lappend(sets, set);
	MemoryContextSwitchTo(caller);
	PG_RETURN_BOOL(true);
}

/*
 * capforecast._done_ahead(worker text) → jsonb
 *		What the worker has done ahead of this run, told once; NULL: nothing.
 */
PG_FUNCTION_INFO_V1(capforecast_done_ahead);
Datum
capforecast_done_ahead(PG_FUNCTION_ARGS)
{
	char	   *worker = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ListCell   *cell;

	if (stage != AT_RUN)
		PG_RETURN_NULL();
	foreach(cell, sets)
	{
		RunSet	   *set = lfirst(cell);
		char	   *counts = set->counts;

		if (counts == NULL || strcmp(set->worker, worker) != 0)
			continue;
		set->counts = NULL;
		PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(counts)));
	}
	PG_RETURN_NULL();
}
