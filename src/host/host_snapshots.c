/*
 * host_snapshots.c
 *		Reads the table in which the application kept daily snapshots of its own.
 *
 * It is given by name once, not bound: after the import it is not read again.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/lsyscache.h"

#include "host/host_binding.h"
#include "host/host_snapshots.h"

#define COUNT(name) {name, HOST_NUMBER, "NULL::bigint", NULL}

static const HostColumn columns[] = {
	{"snapshot_date", HOST_TIME, NULL, "captured_at created_at day date"},
	COUNT("total_vendors"),
	COUNT("active_vendors"),
	COUNT("trial_vendors"),
	COUNT("total_subscriptions"),
	COUNT("active_subscriptions"),
	COUNT("total_products"),
	COUNT("total_orders_month"),
	COUNT("total_team_members"),
	COUNT("theoretical_products_limit"),
	COUNT("theoretical_orders_limit"),
	COUNT("theoretical_team_limit"),
	{"storage_used_gb", HOST_NUMBER, "NULL::numeric", NULL},
	{"db_size_mb", HOST_NUMBER, "NULL::numeric", NULL},
	{"tier_distribution", HOST_JSON, "NULL::jsonb", NULL},
};

static const HostEntity snapshots = {
	"capacity_snapshots", "imported snapshots", "", columns, lengthof(columns)
};

/* The type that capacity_snapshots has, after the last two colons of what stands for an absent column. */
static const char *
target_type(const HostColumn *column)
{
	return strstr(column->absent, "::");
}

/* bind() is not for this table: the fix is a right, or a view with the right names. */
static void
check_problem(HostProblem *problem)
{
	if (problem->sqlstate == 0)
		return;
	if (problem->sqlstate != ERRCODE_INSUFFICIENT_PRIVILEGE)
	{
		problem->fix = "Create a view with the columns of capforecast.capacity_snapshots, and import that.";
		problem->statement = NULL;
	}
	host_problem_raise(problem);
}

char *
host_snapshots_select(Oid relid, List **missing)
{
	HostBinding *binding;
	HostProblem problem;
	StringInfoData sql;

	if (get_rel_name(relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	binding = host_binding_to(&snapshots, relid);
	problem = host_binding_table_problem(binding);
	check_problem(&problem);
	host_binding_check_trust(binding);
	initStringInfo(&sql);
	for (int i = 0; i < lengthof(columns); i++)
	{
		char	   *value;

		problem = host_binding_column_problem(binding, &columns[i], "", &value);
		check_problem(&problem);
		if (i == 0)
			appendStringInfo(&sql, "SELECT %s AS at, (%s AT TIME ZONE 'UTC')::date AS snapshot_date", value, value);
		else
			appendStringInfo(&sql, ", (%s)%s AS %s", value, target_type(&columns[i]), columns[i].name);
		if (get_attnum(relid, columns[i].name) <= 0)
			*missing = lappend(*missing, pstrdup(columns[i].name));
	}
	appendStringInfo(&sql, " FROM %s", binding->relation);
	return sql.data;
}

char *
host_snapshots_columns(void)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 1; i < lengthof(columns); i++)
		appendStringInfo(&names, "%s%s", i > 1 ? ", " : "", columns[i].name);
	return names.data;
}
