/*
 * host_trust.c
 *		Whose code may run with the caller's rights.
 *
 * A statement over the host's tables runs with the rights of whoever calls, and with it
 * the code that it reaches: views and the functions in them, operators, casts, domains;
 * for whoever writes also triggers.  So every object of the analysed and rewritten
 * statement must belong to somebody whom the caller trusts.  Membership is asked as it was
 * granted: a superuser is a member of every role otherwise.
 *
 * Plain tables of others may be read, as anybody who types SELECT does, and written by
 * whoever is no superuser.  A superuser reads them only if they have no code of others
 * either (of indexes, constraints, statistics, partitions), because the planner runs it;
 * and writes to tables of superusers only if none of their triggers is code of others: who
 * was granted all on a table may put one there.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_partitioned_table.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "host/host_trust.h"

/* What was found; and what the walk is for. */
typedef struct Walk
{
	char	   *object;			/* NULL: nothing yet */
	Oid			owner;
} Walk;

static bool walk_node(Node *node, void *context);

/* ---------- roles ---------- */

/* A column of a catalog's row that holds an oid; InvalidOid: there is no such row. */
static Oid
catalog_oid(int cache, Oid key, AttrNumber attno)
{
	HeapTuple	tuple = SearchSysCache1(cache, ObjectIdGetDatum(key));
	bool		is_null;
	Oid			oid;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	oid = DatumGetObjectId(SysCacheGetAttr(cache, tuple, attno, &is_null));
	ReleaseSysCache(tuple);
	return is_null ? InvalidOid : oid;
}

/* The schema is made with the extension, and changes hands with it. */
static Oid
extension_owner(void)
{
	return catalog_oid(NAMESPACEOID, get_namespace_oid("capforecast", true), Anum_pg_namespace_nspowner);
}

bool
host_trust_role(Oid role)
{
	Oid			caller = GetUserId();

	if (role == caller || role == BOOTSTRAP_SUPERUSERID || superuser_arg(role))
		return true;
	if (superuser_arg(caller))
		return false;
	return is_member_of_role_nosuper(caller, role) ||
		role == catalog_oid(DATABASEOID, MyDatabaseId, Anum_pg_database_datdba) ||
		role == extension_owner();
}

/* What the extension itself consists of came with the library that runs. */
static bool
is_ours(Oid schema, Oid owner)
{
	return schema == get_namespace_oid("capforecast", true) && owner == extension_owner();
}

static bool
is_trusted(Oid schema, Oid owner)
{
	return host_trust_role(owner) || is_ours(schema, owner);
}

static bool
found(Walk *walk, const char *kind, char *name, Oid owner)
{
	walk->object = psprintf("%s %s", kind, name);
	walk->owner = owner;
	return true;
}

/* ---------- functions, operators, types ---------- */

static bool
walk_function(Oid function, void *context)
{
	Oid			owner;

	if (function < FirstUnpinnedObjectId)
		return false;
	owner = catalog_oid(PROCOID, function, Anum_pg_proc_proowner);
	if (is_trusted(get_func_namespace(function), owner))
		return false;
	return found(context, "function", format_procedure_qualified(function), owner);
}

static bool
walk_operator(Oid operator, Walk *walk)
{
	Oid			owner;

	if (operator < FirstUnpinnedObjectId)
		return false;
	if (walk_function(get_opcode(operator), walk))
		return true;
	owner = catalog_oid(OPEROID, operator, Anum_pg_operator_oprowner);
	if (is_trusted(catalog_oid(OPEROID, operator, Anum_pg_operator_oprnamespace), owner))
		return false;
	return found(walk, "operator", format_operator_qualified(operator), owner);
}

/* A type whose own code runs: a comparison that no operator names, the constraints of a domain. */
static bool
walk_type(Oid type, Walk *walk)
{
	Oid			owner;

	if (type < FirstUnpinnedObjectId)
		return false;
	owner = catalog_oid(TYPEOID, type, Anum_pg_type_typowner);
	if (is_trusted(catalog_oid(TYPEOID, type, Anum_pg_type_typnamespace), owner))
		return false;
	return found(walk, "type", format_type_be_qualified(type), owner);
}

/* The domains within a type: their constraints are checked where a value is made. */
static bool
walk_domains(Oid type, Walk *walk)
{
	TupleDesc	desc;
	bool		is_found = false;

	check_stack_depth();
	if (type < FirstUnpinnedObjectId)
		return false;
	if (OidIsValid(get_element_type(type)))
		return walk_domains(get_element_type(type), walk);
	switch (get_typtype(type))
	{
		case TYPTYPE_DOMAIN:
			return walk_type(type, walk) || walk_domains(getBaseType(type), walk);
		case TYPTYPE_RANGE:
			return walk_domains(get_range_subtype(type), walk);
		case TYPTYPE_MULTIRANGE:
			return walk_domains(get_multirange_range(type), walk);
		case TYPTYPE_COMPOSITE:
			desc = lookup_rowtype_tupdesc_copy(type, -1);
			for (int i = 0; i < desc->natts; i++)
				is_found = is_found || walk_domains(TupleDescAttr(desc, i)->atttypid, walk);
			return is_found;
	}
	return false;
}

/* ---------- relations ---------- */

/* An expression that a catalog keeps as text. */
static bool
walk_stored(int cache, HeapTuple tuple, AttrNumber attno, Walk *walk)
{
	bool		is_null;
	Datum		stored = SysCacheGetAttr(cache, tuple, attno, &is_null);

	return !is_null && walk_node(stringToNode(TextDatumGetCString(stored)), walk);
}

static bool
walk_catalog_row(int cache, Oid key, AttrNumber first, AttrNumber second, Walk *walk)
{
	HeapTuple	tuple = SearchSysCache1(cache, ObjectIdGetDatum(key));
	bool		is_found;

	if (!HeapTupleIsValid(tuple))
		return false;
	is_found = walk_stored(cache, tuple, first, walk) ||
		(second != InvalidAttrNumber && walk_stored(cache, tuple, second, walk));
	ReleaseSysCache(tuple);
	return is_found;
}

/* What a write runs besides. */
static bool
walk_triggers(TriggerDesc *triggers, Walk *walk)
{
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (trigger->tgenabled != TRIGGER_DISABLED &&
			(walk_function(trigger->tgfoid, walk) ||
			 (trigger->tgqual != NULL && walk_node(stringToNode(trigger->tgqual), walk))))
			return true;
	}
	return false;
}

/* The code that the planner may run of a table, and what a write runs of it. */
static bool
walk_table(Oid relid, bool to_write, Walk *walk)
{
	Relation	relation = relation_open(relid, AccessShareLock);
	TupleConstr *constraints = relation->rd_att->constr;
	bool		is_found = walk_catalog_row(PARTRELID, relid, Anum_pg_partitioned_table_partexprs, InvalidAttrNumber, walk);
	ListCell   *cell;

	if (to_write)
	{
		is_found = is_found || walk_triggers(relation->trigdesc, walk);
		for (int i = 0; constraints != NULL && i < constraints->num_defval; i++)
			is_found = is_found || walk_node(stringToNode(constraints->defval[i].adbin), walk);
	}

	foreach(cell, RelationGetIndexList(relation))
		is_found = is_found || walk_catalog_row(INDEXRELID, lfirst_oid(cell), Anum_pg_index_indexprs,
												Anum_pg_index_indpred, walk);
	foreach(cell, RelationGetStatExtList(relation))
		is_found = is_found || walk_catalog_row(STATEXTOID, lfirst_oid(cell), Anum_pg_statistic_ext_stxexprs,
												InvalidAttrNumber, walk);
	for (int i = 0; constraints != NULL && i < constraints->num_check; i++)
		is_found = is_found || walk_node(stringToNode(constraints->check[i].ccbin), walk);
	relation_close(relation, AccessShareLock);
	return is_found;
}

static const char *
kind_in_words(char kind)
{
	switch (kind)
	{
		case RELKIND_VIEW:
			return "view";
		case RELKIND_FOREIGN_TABLE:
			return "foreign table";
		case RELKIND_MATVIEW:
			return "materialized view";
	}
	return "table";
}

static bool walk_owner(Oid relid, bool to_write, Walk *walk);

/* The code of a relation that a superuser reads or writes, with all that is read or written with it. */
static bool
walk_family(Oid relid, bool to_write, Walk *walk)
{
	ListCell   *cell;

	foreach(cell, find_all_inheritors(relid, AccessShareLock, NULL))
	{
		Oid			child = lfirst_oid(cell);
		bool		is_foreign = get_rel_relkind(child) == RELKIND_FOREIGN_TABLE;

		if (child != relid && (is_foreign || to_write) && walk_owner(child, to_write, walk))
			return true;
		if (!is_foreign && walk_table(child, to_write, walk))
			return true;
	}
	return false;
}

/* Does it belong to somebody who is not trusted with what is done? */
static bool
walk_owner(Oid relid, bool to_write, Walk *walk)
{
	Oid			owner = catalog_oid(RELOID, relid, Anum_pg_class_relowner);
	char		kind = get_rel_relkind(relid);
	bool		is_plain = kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE || kind == RELKIND_MATVIEW;

	if (is_trusted(get_rel_namespace(relid), owner))
	{
		if (kind != RELKIND_FOREIGN_TABLE)
			return false;
		owner = GetForeignServer(GetForeignTable(relid)->serverid)->owner;
		if (host_trust_role(owner))
			return false;
	}
	else if (is_plain && !(to_write && superuser_arg(GetUserId())))
		return false;
	return found(walk, kind_in_words(kind),
				 quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid)), owner);
}

static bool
walk_relation(Oid relid, bool to_write, Walk *walk)
{
	if (relid < FirstUnpinnedObjectId)
		return false;
	if (walk_owner(relid, to_write, walk))
		return true;
	return superuser_arg(GetUserId()) && get_rel_relkind(relid) != RELKIND_FOREIGN_TABLE &&
		!is_ours(get_rel_namespace(relid), catalog_oid(RELOID, relid, Anum_pg_class_relowner)) &&
		walk_family(relid, to_write, walk);
}

/* ---------- queries ---------- */

static bool
walk_query(Query *query, Walk *walk)
{
	int			i = 0;
	ListCell   *cell;

	foreach(cell, query->rtable)
	{
		RangeTblEntry *entry = lfirst_node(RangeTblEntry, cell);

		i++;
		if (OidIsValid(entry->relid) && walk_relation(entry->relid, i == query->resultRelation, walk))
			return true;
	}
	return query_tree_walker(query, walk_node, (void *) walk, QTW_EXAMINE_SORTGROUP);
}

static bool
walk_node(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return walk_query((Query *) node, context);
	if (check_functions_in_node(node, walk_function, context))
		return true;
	switch (nodeTag(node))
	{
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			if (walk_operator(((OpExpr *) node)->opno, context))
				return true;
			break;
		case T_ScalarArrayOpExpr:
			if (walk_operator(((ScalarArrayOpExpr *) node)->opno, context))
				return true;
			break;
		case T_SortGroupClause:
			if (walk_operator(((SortGroupClause *) node)->eqop, context) ||
				walk_operator(((SortGroupClause *) node)->sortop, context))
				return true;
			break;
		case T_CoerceToDomain:
			if (walk_domains(((CoerceToDomain *) node)->resulttype, context))
				return true;
			break;
		case T_CoerceViaIO:
			if (walk_domains(((CoerceViaIO *) node)->resulttype, context))
				return true;
			break;
		case T_FuncExpr:
			if (walk_domains(((FuncExpr *) node)->funcresulttype, context))
				return true;
			break;
		case T_MinMaxExpr:
			if (walk_type(((MinMaxExpr *) node)->minmaxtype, context))
				return true;
			break;
		case T_TableSampleClause:
			if (walk_function(((TableSampleClause *) node)->tsmhandler, context))
				return true;
			break;
		default:
			break;
	}
	return expression_tree_walker(node, walk_node, context);
}

char *
host_trust_find(List *queries, Oid *owner)
{
	Walk		walk = {0};

	if (walk_node((Node *) queries, &walk))
		*owner = walk.owner;
	return walk.object;
}

char *
host_trust_find_in_relation(const char *relation, Oid *owner)
{
	char	   *sql = psprintf("SELECT FROM %s", relation);
	RawStmt    *statement = linitial_node(RawStmt, pg_parse_query(sql));

	return host_trust_find(pg_analyze_and_rewrite_fixedparams(statement, sql, NULL, 0, NULL), owner);
}
