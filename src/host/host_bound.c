/*
 * host_bound.c
 *		The rows of capforecast.binding, kept for the session.
 *
 * Every statement on the host's tables asks for them.  Whether they have changed is told
 * by the rows themselves (their places and the transactions that wrote them), looked at
 * with the snapshot of the caller: a trigger that tells would not fire where a dump or a
 * logical replica writes them.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "common/scope.h"
#include "host/host_bound.h"
#include "host/host_watch.h"

static MemoryContext kept_context = NULL;
static uint64 kept_print = 0;
static HostBound kept[HOST_MAX_ENTITIES];
static int	n_kept = 0;

/* ---------- have they changed? ---------- */

static uint64
mixed(uint64 print, uint64 value)
{
	return hash_combine64(print, hash_bytes_uint32_extended((uint32) value, value >> 32));
}

/* Of the visible rows: what no other rows, and not the same rows changed, can have. */
static uint64
print_of_rows(void)
{
	Oid			relid = get_relname_relid("binding", get_namespace_oid("capforecast", false));
	Relation	relation;
	TableScanDesc scan;
	HeapTuple	tuple;
	uint64		print;

	if (pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, "binding");
	relation = table_open(relid, AccessShareLock);
	print = mixed(relid, relation->rd_rel->relfilenode);
	scan = table_beginscan(relation, GetActiveSnapshot(), 0, NULL);
	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		print = mixed(print, HeapTupleHeaderGetRawXmin(tuple->t_data));
		print = mixed(print, ((uint64) ItemPointerGetBlockNumber(&tuple->t_self) << 32) |
					  ItemPointerGetOffsetNumber(&tuple->t_self));
	}
	table_endscan(scan);
	table_close(relation, AccessShareLock);
	return print;
}

/* ---------- reading ---------- */

static void
start_bound(HostBound *bound, const HostEntity *entity, HeapTuple tuple, TupleDesc desc)
{
	bool		is_null;

	memset(bound, 0, sizeof(*bound));
	bound->entity = entity;
	bound->schema = SPI_getvalue(tuple, desc, 2);
	bound->table = SPI_getvalue(tuple, desc, 3);
	bound->registrar = DatumGetObjectId(SPI_getbinval(tuple, desc, 4, &is_null));
	bound->registrar_name = SPI_getvalue(tuple, desc, 5);
	bound->filter = SPI_getvalue(tuple, desc, 6);
	bound->newest_by = SPI_getvalue(tuple, desc, 7);
	bound->columns = palloc0(sizeof(HostBoundColumn) * entity->n_columns);
	for (int i = 0; i < entity->n_columns; i++)
		bound->columns[i].name = pstrdup(entity->columns[i].name);
}

static void
add_column(HostBound *bound, HeapTuple tuple, TupleDesc desc)
{
	char	   *logical = SPI_getvalue(tuple, desc, 8);
	const HostColumn *column = logical ? host_schema_column(bound->entity, logical) : NULL;
	char	   *unit;
	HostBoundColumn *to;

	if (column == NULL)
		return;
	to = &bound->columns[column - bound->entity->columns];
	to->name = SPI_getvalue(tuple, desc, 9);
	to->expression = SPI_getvalue(tuple, desc, 10);
	unit = SPI_getvalue(tuple, desc, 11);
	to->is_major = unit != NULL && strcmp(unit, "major") == 0;
}

static HostBound *
kept_bound(const char *entity_name)
{
	for (int i = 0; i < n_kept; i++)
		if (strcmp(kept[i].entity->name, entity_name) == 0)
			return &kept[i];
	return NULL;
}

/* One row per word. */
static void
read_words(MemoryContext context)
{
	scope_execute("SELECT b.entity, w.key, w.value "
				  "FROM capforecast.binding b CROSS JOIN LATERAL jsonb_each_text(b.words) w ORDER BY w.value IS NULL, w.key",
				  0, NULL, NULL, NULL, true, SPI_OK_SELECT);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[row];
		MemoryContext old = MemoryContextSwitchTo(context);
		HostBound  *bound = kept_bound(SPI_getvalue(tuple, SPI_tuptable->tupdesc, 1));

		if (bound != NULL)
		{
			if (bound->words == NULL)
				bound->words = palloc0(sizeof(HostWord) * SPI_processed);
			bound->words[bound->n_words].theirs = SPI_getvalue(tuple, SPI_tuptable->tupdesc, 2);
			bound->words[bound->n_words++].ours = SPI_getvalue(tuple, SPI_tuptable->tupdesc, 3);
		}
		MemoryContextSwitchTo(old);
	}
}

/* One row per bound column, at least one per entity. */
static void
read_rows(MemoryContext context)
{
	scope_execute("SELECT b.entity, b.schema_name::text, b.table_name::text, b.registrar, b.registrar_name::text, "
				  "       b.filter, b.newest_by, c.key, CASE jsonb_typeof(c.value) WHEN 'object' THEN NULL ELSE c.value #>> '{}' END, "
				  "       c.value ->> 'expression', c.value ->> 'unit' "
				  "FROM capforecast.binding b LEFT JOIN LATERAL jsonb_each(b.columns) c ON true ORDER BY b.entity",
				  0, NULL, NULL, NULL, true, SPI_OK_SELECT);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[row];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		MemoryContext old = MemoryContextSwitchTo(context);
		const HostEntity *entity = host_schema_entity(SPI_getvalue(tuple, desc, 1));

		if (entity != NULL && (n_kept == 0 || kept[n_kept - 1].entity != entity))
			start_bound(&kept[n_kept++], entity, tuple, desc);
		if (entity != NULL)
			add_column(&kept[n_kept - 1], tuple, desc);
		MemoryContextSwitchTo(old);
	}
}

void
host_bound_refresh(void)
{
	uint64		print = print_of_rows();

	MemoryContext context;

	if (kept_context != NULL && print == kept_print)
		return;
	if (kept_context != NULL)
		MemoryContextDelete(kept_context);
	kept_context = NULL;
	n_kept = 0;
	host_watch_names_changed();
	context = AllocSetContextCreate(CurrentMemoryContext, "capforecast bindings", ALLOCSET_SMALL_SIZES);
	read_rows(context);
	read_words(context);
	MemoryContextSetParent(context, TopMemoryContext);
	kept_context = context;
	kept_print = print;
}

const HostBound *
host_bound_find(const HostEntity *entity)
{
	host_bound_refresh();
	for (int i = 0; i < n_kept; i++)
		if (kept[i].entity == entity)
			return &kept[i];
	return NULL;
}
