/*
 * host_statement.c
 *		Statements on the host's tables, expanded and planned once per session.
 *
 * Kept by template, role, use and types of the parameters.  A statement is good while the
 * names in it stand for the same (host_watch.h, host_bound.h), its plan is valid and those
 * whose objects it reaches are trusted.  All of this is asked with the relations locked, so
 * that nothing changes between the question and the run.
 *
 * When names may have changed the template is expanded again, and the plan stays where the
 * text that comes out is the same: that is what happens after each ANALYZE.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "nodes/params.h"
#include "storage/lmgr.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

#include "common/scope.h"
#include "host/host_binding.h"
#include "host/host_bound.h"
#include "host/host_parts.h"
#include "host/host_statement.h"
#include "host/host_template.h"
#include "host/host_trust.h"
#include "host/host_watch.h"

/* More than any session has use for; beyond, all that do not run are dropped. */
#define MAX_KEPT		250

typedef struct StatementKey
{
	uint64		template_hash;
	uint64		types_hash;
	Oid			role;
	int32		use;
} StatementKey;

struct HostStatement
{
	StatementKey key;			/* first, for the hash table */
	int			nargs;
	int			running;		/* how many times, one within the other */
	char	   *template;
	char	   *sql;
	SPIPlanPtr	plan;			/* NULL: none yet */
	bool		needs_values;	/* its planner must see the parameters */
	bool		is_spread;		/* reads tables that are spread over servers */
	uint64		names;			/* counters of host_watch.h when it was made */
	uint64		roles;
};

static HTAB *kept = NULL;
static MemoryContext kept_context = NULL;
static bool some_run = false;

/* ---------- what is kept ---------- */

/* After an error nobody says that a statement has stopped. */
static void
at_end_of_transaction(XactEvent event, void *arg)
{
	HASH_SEQ_STATUS scan;
	HostStatement *statement;

	if (!some_run)
		return;
	some_run = false;
	hash_seq_init(&scan, kept);
	while ((statement = hash_seq_search(&scan)) != NULL)
		statement->running = 0;
}

static void
start(void)
{
	HASHCTL		control = {0};

	if (kept != NULL)
		return;
	kept_context = AllocSetContextCreate(TopMemoryContext, "capforecast statements", ALLOCSET_DEFAULT_SIZES);
	control.keysize = sizeof(StatementKey);
	control.entrysize = sizeof(HostStatement);
	control.hcxt = kept_context;
	kept = hash_create("capforecast statements", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	RegisterXactCallback(at_end_of_transaction, NULL);
}

/* A plan that runs further up is left to the session. */
static void
forget(HostStatement *statement)
{
	if (statement->plan != NULL && statement->running == 0)
		SPI_freeplan(statement->plan);
	statement->plan = NULL;
	if (statement->sql != NULL)
		pfree(statement->sql);
	statement->sql = NULL;
}

static void
make_room(void)
{
	HASH_SEQ_STATUS scan;
	HostStatement *statement;

	if (hash_get_num_entries(kept) < MAX_KEPT)
		return;
	hash_seq_init(&scan, kept);
	while ((statement = hash_seq_search(&scan)) != NULL)
		if (statement->running == 0)
		{
			forget(statement);
			pfree(statement->template);
			hash_search(kept, &statement->key, HASH_REMOVE, NULL);
		}
}

static HostStatement *
entry_of(const char *template, HostUse use, int nargs, const Oid *types)
{
	StatementKey key = {0};
	HostStatement *statement;
	bool		found;

	key.template_hash = DatumGetUInt64(hash_any_extended((const unsigned char *) template, strlen(template), 0));
	key.types_hash = DatumGetUInt64(hash_any_extended((const unsigned char *) types, nargs * sizeof(Oid), nargs));
	key.role = GetUserId();
	key.use = use;
	statement = hash_search(kept, &key, HASH_FIND, NULL);
	if (statement != NULL)
	{
		if (strcmp(statement->template, template) != 0)
			elog(ERROR, "two statements on the host's tables have the same hash");
		return statement;
	}
	make_room();
	{
		char	   *copy = MemoryContextStrdup(kept_context, template);

		statement = hash_search(kept, &key, HASH_ENTER, &found);
		memset((char *) statement + sizeof(key), 0, sizeof(HostStatement) - sizeof(key));
		statement->template = copy;
	}
	statement->nargs = nargs;
	return statement;
}

/* ---------- making one ---------- */

static CachedPlanSource *
source_of(const HostStatement *statement)
{
	return linitial_node(CachedPlanSource, SPI_plan_get_plan_sources(statement->plan));
}

static bool
reads_spread_tables(CachedPlanSource *source)
{
	ListCell   *cell;

	foreach(cell, source->relationOids)
		if (host_parts_are_foreign(lfirst_oid(cell)))
			return true;
	return false;
}

static int
plan_options(HostUse use, bool needs_values)
{
	switch (use)
	{
		case HOST_COUNT:
			return CURSOR_OPT_PARALLEL_OK;
		case HOST_LOOKUP:
			return CURSOR_OPT_PARALLEL_OK | (needs_values ? 0 : CURSOR_OPT_GENERIC_PLAN);
		case HOST_WRITE:
			break;
	}
	return 0;
}

static void
check_trust(CachedPlanSource *source)
{
	Oid			owner;
	char	   *object = host_trust_find(source->query_list, &owner);
	HostProblem problem;

	if (object == NULL)
		return;
	problem = host_problem_untrusted(object, owner);
	host_problem_raise(&problem);
}

/* What happens to the children of a table does not make the statement anew. */
static bool
has_children(CachedPlanSource *source)
{
	ListCell   *cell;

	foreach(cell, source->relationOids)
		if (has_subclass(lfirst_oid(cell)))
			return true;
	return false;
}

/* Analysed and rewritten, but not planned: that may run code. */
static void
prepare(HostStatement *statement, const char *sql, const Oid *types)
{
	/* Citus plans for the values that it sends to the nodes: none that is good for all of them. */
	bool		needs_values = host_parts_by_citus();
	SPIPlanPtr	plan = SPI_prepare_cursor(sql, statement->nargs, unconstify(Oid *, types),
										  plan_options((HostUse) statement->key.use, needs_values));

	if (plan == NULL)
		elog(ERROR, "could not prepare: %s", sql);
	if (list_length(SPI_plan_get_plan_sources(plan)) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("template is not a single statement")));
	check_trust(linitial_node(CachedPlanSource, SPI_plan_get_plan_sources(plan)));
	forget(statement);
	statement->sql = MemoryContextStrdup(kept_context, sql);
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep: %s", sql);
	statement->plan = plan;
	statement->needs_values = needs_values;
	statement->is_spread = reads_spread_tables(source_of(statement));
	statement->roles = host_watch_roles();
}

/* Whether the plan is good; the relations are locked from here to the end of the transaction. */
static bool
plan_is_good(const HostStatement *statement)
{
	ListCell   *cell;

	if (statement->plan == NULL || statement->roles != host_watch_roles())
		return false;
	foreach(cell, source_of(statement)->relationOids)
		LockRelationOid(lfirst_oid(cell), AccessShareLock);
	return source_of(statement)->is_valid && statement->roles == host_watch_roles();
}

static void
bring_up_to_date(HostStatement *statement, const Oid *types)
{
	for (;;)
	{
		uint64		names;
		char	   *sql;

		CHECK_FOR_INTERRUPTS();
		host_bound_refresh();
		names = host_watch_names();
		if (statement->names == names && plan_is_good(statement) && names == host_watch_names())
		{
			if (superuser() && has_children(source_of(statement)))
				check_trust(source_of(statement));
			return;
		}
		sql = host_template_expand(statement->template,
								   statement->key.use == HOST_LOOKUP ? HOST_ORDERS_LOOKED_UP : HOST_ORDERS_COUNTED);
		if (statement->sql == NULL || strcmp(sql, statement->sql) != 0 || !plan_is_good(statement))
			prepare(statement, sql, types);
		statement->names = names;
		pfree(sql);
	}
}

HostStatement *
host_statement(const char *template, HostUse use, int nargs, const Oid *types)
{
	HostStatement *statement;
	int			nest = NewGUCNestLevel();

	start();
	/* A policy that hides rows would make a smaller number, not an error. */
	scope_set("row_security", "off");
	statement = entry_of(template, use, nargs, types);
	bring_up_to_date(statement, types);
	AtEOXact_GUC(true, nest);
	return statement;
}

TupleDesc
host_statement_result(HostStatement *statement)
{
	return source_of(statement)->resultDesc;
}

/* ---------- running ---------- */

static ParamListInfo
parameters(int nargs, const Oid *types, const Datum *values, const char *nulls)
{
	ParamListInfo list = makeParamList(nargs);

	for (int i = 0; i < nargs; i++)
	{
		list->params[i].value = values[i];
		list->params[i].isnull = nulls != NULL && nulls[i] == 'n';
		list->params[i].pflags = PARAM_FLAG_CONST;
		list->params[i].ptype = types[i];
	}
	return list;
}

uint64
host_statement_run(HostStatement *statement, const Oid *types, const Datum *values, const char *nulls,
				   DestReceiver *receiver)
{
	SPIExecuteOptions options = {0};
	int			nest = NewGUCNestLevel();
	int			rc;

	scope_set("row_security", "off");
	/* The planner cannot know how few rows a lookup has, and compiling takes longer than running. */
	if (statement->key.use == HOST_LOOKUP)
		scope_set("jit", "off");
	if (statement->needs_values)
		scope_set("plan_cache_mode", "force_custom_plan");
	/* Joins and groups by vendor are then left to the servers whole. */
	if (statement->is_spread)
	{
		scope_set("enable_partitionwise_join", "on");
		scope_set("enable_partitionwise_aggregate", "on");
	}
	if (statement->nargs > 0)
		options.params = parameters(statement->nargs, types, values, nulls);
	options.read_only = statement->key.use != HOST_WRITE;
	options.dest = receiver;
	statement->running++;
	some_run = true;
	rc = SPI_execute_plan_extended(statement->plan, &options);
	statement->running--;
	if (rc < 0)
		elog(ERROR, "statement returned %s: %s", SPI_result_code_string(rc), statement->sql);
	AtEOXact_GUC(true, nest);
	return SPI_processed;
}
