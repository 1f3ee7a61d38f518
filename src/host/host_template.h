/*
 * host_template.h
 *		Statements against the host's tables, written with logical names.
 */
#ifndef CAPFORECAST_HOST_TEMPLATE_H
#define CAPFORECAST_HOST_TEMPLATE_H

#include "postgres.h"

/* What stands for the counter of orders where it is bound to null and there is a table of orders. */
typedef enum HostOrders
{
	HOST_ORDERS_NOT_COUNTED,	/* NULL: it is not known */
	HOST_ORDERS_COUNTED,		/* in all orders, for many rows */
	HOST_ORDERS_LOOKED_UP		/* by vendor, for a few */
} HostOrders;

/*
 * A template is SQL with names in braces:
 *
 *		{vendors}						the bound table, quoted and qualified
 *		{vendors.is_active}				its column (as a value of the column's kind)
 *		{s:vendor_subscriptions.tier}	the same, of the alias s
 *		{!vendor_subscriptions.tier}	the bare column name, for INSERT and SET
 *		{$1:vendor_subscriptions.tier}	the parameter as a value of the column's own type: to
 *										compare a key (its index serves), or to write
 *		{sample:vendors}				a subquery of all its rows, counted or not (host_binding.h)
 *		{_tiers_sql()}					what the function of the extension returns for these
 *										arguments (constants), a template again
 *
 *		{if:vendor_addons,addon_products} ... {else} ... {end}
 *										one text where all of them are there, else the other
 *										(or nothing): a table, or a column that is not bound to null
 *
 *		{each:products} SELECT count(*) AS n FROM {products} {end}
 *										the text as it is, or UNION ALL of it for each partition where
 *										the table is spread over servers (host_parts.h): what stands
 *										around it adds up
 *
 * Returns the statement in the current memory context.  Raises 42P01, 42703,
 * 42804 or 42501 with a hint that names the fix where a name cannot be resolved
 * or read by the caller.  Needs an open Scope.
 */
extern char *host_template_expand(const char *template, HostOrders orders);

/* What {if:...} asks: are all tables and columns of the comma-separated list there? */
extern bool host_template_has(const char *names);

#endif							/* CAPFORECAST_HOST_TEMPLATE_H */
