/*
 * host_orders.c
 *		Orders of the period, counted where the host keeps no counter of them.
 */
#include "postgres.h"

#include "host/host_orders.h"

#define THIS_MONTH	"date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'"

/* NULL: it cannot be read. */
static char *
value_of(const HostBinding *binding, const char *name, const char *prefix)
{
	char	   *value;
	HostProblem problem = host_binding_column_problem(binding, host_schema_column_named(binding->entity, name), prefix, &value);

	return problem.sqlstate == 0 ? value : NULL;
}

HostBinding *
host_orders_countable(const HostBinding *subscriptions)
{
	const HostColumn *counter = host_schema_column_named(subscriptions->entity, "orders_this_period");
	const HostBoundColumn *bound = &subscriptions->columns[counter - subscriptions->entity->columns];
	HostBinding *orders;

	if (bound->name != NULL || bound->expression != NULL)
		return NULL;
	orders = host_binding_find(host_schema_entity_named("orders"));
	if (host_binding_table_problem(orders).sqlstate != 0 ||
		value_of(orders, "vendor_id", "") == NULL || value_of(orders, "created_at", "") == NULL ||
		value_of(subscriptions, "id", "") == NULL || value_of(subscriptions, "vendor_id", "") == NULL ||
		value_of(subscriptions, "period_start", "") == NULL)
		return NULL;
	return orders;
}

/* The condition that an order o is of the subscription. */
static char *
is_of(const HostBinding *subscriptions, const HostBinding *orders, const char *prefix)
{
	return psprintf("%s = %s AND %s >= coalesce(%s, " THIS_MONTH ")",
					value_of(orders, "vendor_id", "o."), value_of(subscriptions, "vendor_id", prefix),
					value_of(orders, "created_at", "o."), value_of(subscriptions, "period_start", prefix));
}

char *
host_orders_source(const HostBinding *subscriptions, const HostBinding *orders, const char *alias, bool with_newest,
				   bool is_lookup)
{
	char	   *rows = host_binding_source(subscriptions, NULL, with_newest);
	char	   *ordered = host_binding_source(orders, NULL, true);
	char	   *suffix = alias ? psprintf(" AS %s", alias) : "";

	if (is_lookup)
		return psprintf("(SELECT q.*, (SELECT count(*) FROM %s o WHERE %s) AS " HOST_ORDERS_COLUMN " FROM %s q)%s",
						ordered, is_of(subscriptions, orders, "q."), rows, suffix);
	return psprintf("(SELECT q.*, coalesce(c.n, 0) AS " HOST_ORDERS_COLUMN " FROM %s q "
					"LEFT JOIN (SELECT %s AS id, count(*) AS n FROM %s q JOIN %s o ON %s GROUP BY 1) c ON c.id = %s)%s",
					rows, value_of(subscriptions, "id", "q."), rows, ordered, is_of(subscriptions, orders, "q."),
					value_of(subscriptions, "id", "q."), suffix);
}
