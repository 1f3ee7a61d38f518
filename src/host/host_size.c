/*
 * host_size.c
 *		How large the database is that holds the host's tables.
 *
 * A database of one server is what the server says.  Where the host's tables reach a
 * foreign table, some of their rows are not in it, and nobody says how much there is of
 * the rest.  Citus has the same database on each node: their sum is the whole.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "common/attempt.h"
#include "common/scope.h"
#include "host/host_binding.h"
#include "host/host_parts.h"
#include "host/host_size.h"

/* The bound relations ($1) and all that they are made of: partitions, children, what a view reads. */
#define REACHED \
	"WITH RECURSIVE reached(relid) AS (SELECT unnest($1) UNION " \
	"  SELECT n.relid FROM reached r CROSS JOIN LATERAL (" \
	"    SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = r.relid UNION ALL " \
	"    SELECT d.refobjid FROM pg_rewrite w JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid " \
	"      AND d.refclassid = 'pg_class'::regclass WHERE w.ev_class = r.relid AND w.ev_type = '1') n(relid)) "

static const char *const elsewhere_statement = REACHED
"SELECT format('table %s is on server %I, whose size it does not tell', f.ftrelid::regclass, s.srvname) "
"  FROM reached r JOIN pg_foreign_table f ON f.ftrelid = r.relid JOIN pg_foreign_server s ON s.oid = f.ftserver ORDER BY 1 LIMIT 1";

static const char *const distributed_statement = REACHED
"SELECT count(*) FROM reached r JOIN pg_catalog.pg_dist_partition p ON p.logicalrelid = r.relid";

static const char *const nodes_statement =
"SELECT sum(CASE WHEN success THEN result::bigint END)::bigint, min(format('node %s: %s', nodeid, result)) FILTER (WHERE NOT success) "
"  FROM pg_catalog.run_command_on_all_nodes('SELECT pg_catalog.pg_database_size(pg_catalog.current_database())')";

static Datum
bound_relations(void)
{
	int			n_entities;
	const HostEntity *entities = host_schema_entities(&n_entities);
	Datum		relids[HOST_MAX_ENTITIES];
	int			n = 0;

	for (int i = 0; i < n_entities; i++)
	{
		HostBinding *binding = host_binding_find(&entities[i]);

		if (OidIsValid(binding->relid))
			relids[n++] = ObjectIdGetDatum(binding->relid);
	}
	return PointerGetDatum(construct_array(relids, n, OIDOID, sizeof(Oid), true, TYPALIGN_INT));
}

/* Why the relations are not in this database alone; NULL: they are. */
static char *
elsewhere(Datum relations)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[1] = {OIDARRAYOID};

	scope_read_kept(&plan, elsewhere_statement, 1, types, &relations);
	return SPI_processed > 0 ? SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1) : NULL;
}

static bool
is_distributed(Datum relations)
{
	Oid			types[1] = {OIDARRAYOID};
	bool		is_null;

	if (!host_parts_by_citus())
		return false;
	scope_execute(distributed_statement, 1, types, &relations, NULL, true, SPI_OK_SELECT);
	return DatumGetInt64(scope_datum(0, 1, &is_null)) > 0;
}

static void
sum_of_nodes(void *arg)
{
	HostSize   *size = arg;
	bool		is_null;

	scope_execute(nodes_statement, 0, NULL, NULL, NULL, true, SPI_OK_SELECT);
	size->reason = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	size->bytes = DatumGetInt64(scope_datum(0, 1, &is_null));
	size->known = size->reason == NULL && !is_null;
}

HostSize
host_size_read(void)
{
	HostSize	size = {0};
	Datum		relations = bound_relations();
	AttemptFailure failure;
	bool		is_null;

	size.reason = elsewhere(relations);
	if (size.reason != NULL)
		return size;
	if (is_distributed(relations))
	{
		if (!attempt_run(sum_of_nodes, &size, &failure))
			size.reason = failure.message;
		return size;
	}
	scope_execute("SELECT pg_database_size(current_database())", 0, NULL, NULL, NULL, true, SPI_OK_SELECT);
	size.bytes = DatumGetInt64(scope_datum(0, 1, &is_null));
	size.known = true;
	return size;
}

Datum
host_size_megabytes(int64 bytes)
{
	Numeric		megabytes = numeric_div_opt_error(int64_to_numeric(bytes), int64_to_numeric(INT64CONST(1048576)), NULL);

	return DirectFunctionCall2(numeric_round, NumericGetDatum(megabytes), Int32GetDatum(2));
}
