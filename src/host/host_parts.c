/*
 * host_parts.c
 *		The parts that a table of the host is spread over.
 *
 * The server adds up partitions by itself, but what it sends to another server is whole
 * aggregates: a count over all partitions is that of rows which have travelled.  So a statement
 * that adds up asks each partition for its sum (host_template.h, {each:...}); asked at the same
 * time where the foreign servers are async_capable.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

#include "common/scope.h"
#include "host/host_parts.h"

/* A statement of more parts than these would take longer to plan than to move the rows. */
#define MAX_PARTS	256

bool
host_parts_by_citus(void)
{
	return OidIsValid(get_relname_relid("pg_dist_partition", PG_CATALOG_NAMESPACE));
}

/* Partitions that hold rows; NIL where none of them is foreign. */
static List *
leaves_of(Oid relid)
{
	List	   *leaves = NIL;
	bool		some_are_foreign = false;
	ListCell   *cell;

	if (get_rel_relkind(relid) != RELKIND_PARTITIONED_TABLE)
		return NIL;
	foreach(cell, find_all_inheritors(relid, AccessShareLock, NULL))
	{
		Oid			leaf = lfirst_oid(cell);
		char		kind = get_rel_relkind(leaf);

		some_are_foreign |= kind == RELKIND_FOREIGN_TABLE;
		if (kind != RELKIND_PARTITIONED_TABLE)
			leaves = lappend_oid(leaves, leaf);
	}
	return some_are_foreign ? leaves : NIL;
}

bool
host_parts_are_foreign(Oid relid)
{
	return leaves_of(relid) != NIL;
}

/* Rights on the table are rights on its partitions only by way of the table. */
static bool
may_be_asked(Oid leaf)
{
	return schema_aclcheck(get_rel_namespace(leaf), GetUserId(), ACL_USAGE) == ACLCHECK_OK &&
		pg_class_aclcheck(leaf, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(leaf, InvalidOid, true) != RLS_ENABLED;
}

List *
host_parts(const HostBinding *binding)
{
	List	   *parts = NIL;
	List	   *leaves;
	ListCell   *cell;

	/* The newest row of a vendor may be in any of them. */
	if (binding->newest_by != NULL)
		return NIL;
	leaves = leaves_of(binding->relid);
	if (list_length(leaves) > MAX_PARTS)
		return NIL;
	foreach(cell, leaves)
	{
		Oid			leaf = lfirst_oid(cell);

		if (!may_be_asked(leaf))
			return NIL;
		parts = lappend(parts, quote_qualified_identifier(get_namespace_name(get_rel_namespace(leaf)), get_rel_name(leaf)));
	}
	return parts;
}

/* ---------- what Citus cannot do ---------- */

static bool
is_distributed(Oid relid)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(relid)};

	if (!host_parts_by_citus())
		return false;
	scope_execute("SELECT FROM pg_catalog.pg_dist_partition WHERE logicalrelid = $1 AND partmethod = 'h'",
				  1, types, values, NULL, true, SPI_OK_SELECT);
	return SPI_processed > 0;
}

/*
 * capforecast._host_lockable()
 *		0A000 where the rows of subscriptions cannot be locked several at a time.
 */
PG_FUNCTION_INFO_V1(capforecast_host_lockable);
Datum
capforecast_host_lockable(PG_FUNCTION_ARGS)
{
	HostBinding *binding;
	Scope		scope;

	scope_enter(&scope);
	binding = host_binding_find(host_schema_entity_named("vendor_subscriptions"));
	if (OidIsValid(binding->relid) && is_distributed(binding->relid))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "distributed_subscriptions"),
				 errmsg("rows of table %s, which Citus distributes, cannot be locked together", binding->relation),
				 errdetail("Jobs lock the subscriptions that they work on."),
				 errhint("Keep the tables of subscriptions, add-ons and invoices on the coordinator: SELECT undistribute_table(%s), and so on.",
						 quote_literal_cstr(binding->relation))));
	scope_leave(&scope);
	PG_RETURN_VOID();
}
