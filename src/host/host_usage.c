/*
 * host_usage.c
 *		The statements that count usage and limits in the host's tables.
 *
 * Limits are those of subscriptions that are active or on trial, without add-ons, as
 * capforecast._quota() defines them.  A subscription whose tier has no row counts in the
 * distribution only.  What a table or column that is not there would tell is NULL.
 */
#include "postgres.h"

#include "host/host_usage.h"

/*
 * A tier's row, at most one however the codes are kept.  Codes are equal when their
 * bytes are: the two columns may have different collations.
 */
#define TIER_OF(tier) \
	"LEFT JOIN LATERAL (SELECT true AS found, {t:subscription_tiers.products_limit} AS products_limit, " \
	"         {t:subscription_tiers.orders_per_month} AS orders_limit, " \
	"         {t:subscription_tiers.team_members} AS team_limit " \
	"    FROM {subscription_tiers} t WHERE {t:subscription_tiers.code} COLLATE \"C\" = " tier " LIMIT 1) t ON true "

#define TIER_IF_ANY(tier) \
	"{if:subscription_tiers}" TIER_OF(tier) \
	"{else}LEFT JOIN (SELECT NULL::boolean AS found, NULL::bigint AS products_limit, NULL::bigint AS orders_limit, " \
	"         NULL::bigint AS team_limit) t ON true {end}"

/*
 * Subscriptions by tier.  own_x: sum of the finite limits of their own; plan_x: how
 * many take their tier's: the sum of _quota() without asking it of each row.  The rows are first summed by tier and status, without a
 * condition, so that what depends on the status is asked of a handful of sums and not
 * of each row: a third of the time.
 */
#define OWN_AND_PLAN(column, name) \
	"sum(greatest({s:vendor_subscriptions." column "}, 0)) AS own_" name ", " \
	"count(*) - count({s:vendor_subscriptions." column "}) AS plan_" name

#define BY_TIER_AND_STATUS \
	"SELECT {s:vendor_subscriptions.tier} COLLATE \"C\" AS tier, {s:vendor_subscriptions.status} AS status, " \
	"       count(*) AS total, sum({s:vendor_subscriptions.orders_this_period}) AS orders, " \
	OWN_AND_PLAN("custom_products_limit", "products") ", " \
	OWN_AND_PLAN("custom_orders_limit", "orders") ", " \
	OWN_AND_PLAN("custom_team_limit", "team") \
	"  FROM {vendor_subscriptions} s GROUP BY 1, 2"
#define EACH_BY_TIER_AND_STATUS "{each:vendor_subscriptions}" BY_TIER_AND_STATUS "{end}"

#define COUNTED(sum) "sum(" sum ") FILTER (WHERE status IN ('active', 'trial')) AS " sum

#define BY_TIER \
	"SELECT tier, sum(total) AS total, sum(orders) AS orders, " \
	"       coalesce(sum(total) FILTER (WHERE status IN ('active', 'trial')), 0)::bigint AS counted, " \
	"       sum(total) FILTER (WHERE status = 'trial') AS trial, " \
	COUNTED("own_products") ", " COUNTED("plan_products") ", " COUNTED("own_orders") ", " \
	COUNTED("plan_orders") ", " COUNTED("own_team") ", " COUNTED("plan_team") \
	"  FROM (" EACH_BY_TIER_AND_STATUS ") s GROUP BY tier"

#define LIMIT_SUM(own, plan, tier_limit, column) \
	"{if:subscription_tiers." column "}" \
	"coalesce(sum(coalesce(" own ", 0) + coalesce(" plan " * t." tier_limit ", 0)) FILTER (WHERE t.found), 0)::bigint" \
	"{else}NULL::bigint{end}"

#define SUBSCRIPTION_COUNTS \
	"coalesce(sum(total), 0)::bigint AS total_subscriptions, " \
	"coalesce(sum(counted), 0)::bigint AS active_subscriptions, " \
	"coalesce(sum(trial), 0)::bigint AS trial_vendors, " \
	"{if:vendor_subscriptions.orders_this_period}coalesce(sum(orders), 0)::bigint{else}NULL::bigint{end} AS total_orders_month, " \
	"coalesce(jsonb_object_agg(coalesce(tier, 'null'), counted) FILTER (WHERE counted > 0), '{}') AS tier_distribution"

static const HostUsagePart parts[] = {
	{"vendors", {
			"SELECT sum(total)::bigint AS total_vendors, sum(active)::bigint AS active_vendors FROM ({each:vendors}"
			"SELECT count(*) AS total, count(*) FILTER (WHERE {vendors.is_active}) AS active FROM {vendors}{end}) v",
			"SELECT sum(n)::bigint AS total_vendors FROM ({each:vendors}SELECT count(*) AS n FROM {vendors}{end}) v"
	}},
	{"subscriptions", {
			"SELECT " SUBSCRIPTION_COUNTS ", "
			LIMIT_SUM("own_products", "plan_products", "products_limit", "products_limit") " AS theoretical_products_limit, "
			LIMIT_SUM("own_orders", "plan_orders", "orders_limit", "orders_per_month") " AS theoretical_orders_limit, "
			LIMIT_SUM("own_team", "plan_team", "team_limit", "team_members") " AS theoretical_team_limit "
			"FROM (" BY_TIER ") s " TIER_OF("s.tier"),
			"SELECT " SUBSCRIPTION_COUNTS " FROM (" BY_TIER ") s"
	}},
	{"products", {
			"SELECT sum(n)::bigint AS total_products FROM ({each:products}SELECT count(*) AS n FROM {products}{end}) p"
	}},
	{"team_members", {
			"SELECT sum(n)::bigint AS total_team_members FROM ({each:vendor_users}"
			"SELECT count(*) FILTER (WHERE {vendor_users.is_active}) AS n FROM {vendor_users}{end}) u"
	}},
};

const HostUsagePart *
host_usage_parts(int *n_parts)
{
	*n_parts = lengthof(parts);
	return parts;
}

const char *const host_usage_active_vendors =
"{if:vendors}SELECT sum(n)::bigint AS active_vendors FROM ({each:vendors}SELECT count(*) FILTER (WHERE {vendors.is_active}) AS n FROM {vendors}{end}) v"
"{else}SELECT NULL::bigint{end}";

/* Keys of vendors are of the host's type. */
#define NO_USE \
	"{if:vendor_subscriptions}SELECT {vendor_subscriptions.vendor_id} AS vendor, NULL::bigint AS n FROM {vendor_subscriptions} WHERE false" \
	"{else}SELECT NULL::text AS vendor, NULL::bigint AS n WHERE false{end}"

/* A number of each vendor's rows; no rows where there is no such table. */
#define USE_OF(entity, count) \
	"{if:" entity "}SELECT {" entity ".vendor_id} AS vendor, " count " AS n FROM {" entity "} GROUP BY 1" \
	"{else}" NO_USE "{end}"

#define LIMIT_OF(own, tier_limit) \
	"capforecast._quota({s:vendor_subscriptions." own "}::bigint, t." tier_limit "::bigint, 0)"

/* Is it known at all? */
#define IS_THERE(name)	"{if:" name "}true{else}false{end}"

const char *const host_usage_capacity =
"WITH product_use AS MATERIALIZED (" USE_OF("products", "count(*)") "), "
"team_use AS MATERIALIZED (" USE_OF("vendor_users", "count(*) FILTER (WHERE {vendor_users.is_active})") "), "
"subs AS MATERIALIZED ("
"  {if:vendor_subscriptions}SELECT {s:vendor_subscriptions.tier} COLLATE \"C\" AS tier, {s:vendor_subscriptions.status} AS status, "
"         {s:vendor_subscriptions.status} IN ('active', 'trial') AS counted, t.found IS TRUE AS known, "
"         " LIMIT_OF("custom_products_limit", "products_limit") " AS products_limit, "
"         " LIMIT_OF("custom_orders_limit", "orders_limit") " AS orders_limit, "
"         " LIMIT_OF("custom_team_limit", "team_limit") " AS team_limit, "
"         coalesce(p.n, 0) AS products, coalesce({s:vendor_subscriptions.orders_this_period}, 0) AS orders, "
"         coalesce(u.n, 0) AS team "
"    FROM {vendor_subscriptions} s "
TIER_IF_ANY("{s:vendor_subscriptions.tier}")
"    LEFT JOIN product_use p ON p.vendor = {s:vendor_subscriptions.vendor_id} "
"    LEFT JOIN team_use u ON u.vendor = {s:vendor_subscriptions.vendor_id} "
"  {else}SELECT NULL::text AS tier, NULL::text AS status, false AS counted, false AS known, NULL::bigint AS products_limit, "
"         NULL::bigint AS orders_limit, NULL::bigint AS team_limit, 0::bigint AS products, 0::bigint AS orders, 0::bigint AS team "
"   WHERE false{end}), "
"tiers AS ("
"  SELECT coalesce(jsonb_object_agg(coalesce(tier, 'null'), n), '{}') AS tier_distribution, "
"         coalesce(sum(n), 0)::bigint AS counted_subscriptions, "
"         coalesce(sum(unknown), 0)::bigint AS unknown_tier_subscriptions "
"    FROM (SELECT tier, count(*) AS n, count(*) FILTER (WHERE NOT known) AS unknown "
"            FROM subs WHERE counted GROUP BY tier) d), "
"per_resource AS ("
"  SELECT resource, "
"         sum(quota) FILTER (WHERE counted AND known) AS theoretical_limit, "
"         count(*) FILTER (WHERE counted AND known AND quota IS NULL) AS unlimited_subscriptions, "
"         sum(used) FILTER (WHERE counted AND known AND quota IS NOT NULL) AS actual_limited, "
"         sum(used) FILTER (WHERE counted AND known AND quota IS NULL) AS actual_unlimited, "
"         sum(greatest(quota - used, 0)) FILTER (WHERE counted AND known AND quota IS NOT NULL) AS headroom, "
"         sum(greatest(used - quota, 0)) FILTER (WHERE counted AND known AND quota IS NOT NULL) AS over_limit, "
"         count(*) FILTER (WHERE counted AND known AND used > quota) AS vendors_over_limit, "
"         count(*) FILTER (WHERE status = 'past_due') AS at_risk_subscriptions, "
"         sum(quota) FILTER (WHERE status = 'past_due' AND known) AS at_risk_limit, "
"         sum(used) FILTER (WHERE status = 'past_due' AND known AND quota IS NOT NULL) AS at_risk_actual_limited "
"    FROM subs CROSS JOIN LATERAL (VALUES ('products', products_limit, products), "
"         ('orders_monthly', orders_limit, orders), ('team_members', team_limit, team)) r(resource, quota, used) "
"   GROUP BY resource), "
"totals(position, resource, actual, has_use, has_limit) AS ("
"  VALUES (1, 'products', (SELECT sum(n) FROM product_use), "
IS_THERE("products") ", " IS_THERE("vendor_subscriptions,subscription_tiers.products_limit") "), "
"         (2, 'orders_monthly', (SELECT sum(orders) FROM subs), "
IS_THERE("vendor_subscriptions.orders_this_period") ", " IS_THERE("vendor_subscriptions,subscription_tiers.orders_per_month") "), "
"         (3, 'team_members', (SELECT sum(n) FROM team_use), "
IS_THERE("vendor_users") ", " IS_THERE("vendor_subscriptions,subscription_tiers.team_members") ")) "
"SELECT resource, CASE WHEN has_limit THEN coalesce(theoretical_limit, 0)::bigint END AS theoretical_limit, "
"       CASE WHEN has_limit THEN coalesce(unlimited_subscriptions, 0) END AS unlimited_subscriptions, "
"       CASE WHEN has_limit THEN coalesce(unlimited_subscriptions, 0) > 0 END AS is_unlimited, "
"       CASE WHEN has_use AND has_limit THEN coalesce(actual_limited, 0)::bigint END AS actual_limited, "
"       CASE WHEN has_use AND has_limit THEN coalesce(actual_unlimited, 0)::bigint END AS actual_unlimited, "
"       CASE WHEN has_use AND has_limit THEN (coalesce(actual, 0) - coalesce(actual_limited, 0) - coalesce(actual_unlimited, 0))::bigint END AS actual_unsubscribed, "
"       CASE WHEN has_use THEN coalesce(actual, 0)::bigint END AS actual, "
"       CASE WHEN has_use AND has_limit THEN coalesce(headroom, 0)::bigint END AS headroom, "
"       CASE WHEN has_use AND has_limit THEN coalesce(over_limit, 0)::bigint END AS over_limit, "
"       CASE WHEN has_use AND has_limit THEN coalesce(vendors_over_limit, 0) END AS vendors_over_limit, "
"       counted_subscriptions, unknown_tier_subscriptions, "
"       coalesce(at_risk_subscriptions, 0) AS at_risk_subscriptions, "
"       CASE WHEN has_limit THEN coalesce(at_risk_limit, 0)::bigint END AS at_risk_limit, "
"       CASE WHEN has_use AND has_limit THEN coalesce(at_risk_actual_limited, 0)::bigint END AS at_risk_actual_limited, tier_distribution "
"  FROM totals LEFT JOIN per_resource USING (resource) CROSS JOIN tiers ORDER BY position";
