/*
 * host_vendor.c
 *		The statements that count use and limits by vendor.
 *
 * Keys of vendors are compared as the host has them and leave as text, so that any type
 * of key is kept in the same tables.
 */
#include "postgres.h"

#include "host/host_vendor.h"

/* Counted per key first, so that a key is turned into text once per vendor, not per row. */
const char *const host_vendor_usage =
"SELECT coalesce(vendor, '') AS vendor, sum(products)::bigint AS products, sum(orders)::bigint AS orders, "
"       sum(team_members)::bigint AS team_members "
"  FROM (SELECT NULL::text AS vendor, 0 AS products, 0 AS orders, 0 AS team_members WHERE false "
"        {if:vendors}UNION ALL {each:vendors}SELECT {vendors.id}::text, 0, 0, 0 FROM {vendors}{end} {end}"
"        {if:products}UNION ALL "
"        {each:products}SELECT {products.vendor_id}::text, count(*), 0, 0 FROM {products} GROUP BY {products.vendor_id}{end} {end}"
"        {if:vendor_subscriptions}UNION ALL "
"        {each:vendor_subscriptions}SELECT {s:vendor_subscriptions.vendor_id}::text, 0, {s:vendor_subscriptions.orders_this_period}, 0 "
"          FROM {vendor_subscriptions} s{end} {end}"
"        {if:vendor_users}UNION ALL "
"        {each:vendor_users}SELECT {vendor_users.vendor_id}::text, 0, 0, count(*) FILTER (WHERE {vendor_users.is_active}) "
"          FROM {vendor_users} GROUP BY {vendor_users.vendor_id}{end}{end}) u GROUP BY 1";

const char *const host_vendor_usage_needs[3] = {
	"products", "vendor_subscriptions.orders_this_period", "vendor_users"
};

#define LIVE_ADDONS \
	"SELECT {a:vendor_addons.vendor_id} AS vendor, " \
	"       sum({a:vendor_addons.quantity} * {p:addon_products.grants_per_unit}) FILTER (WHERE {p:addon_products.grants_resource} = 'products') AS products, " \
	"       sum({a:vendor_addons.quantity} * {p:addon_products.grants_per_unit}) FILTER (WHERE {p:addon_products.grants_resource} IN ('orders', 'orders_monthly')) AS orders, " \
	"       sum({a:vendor_addons.quantity} * {p:addon_products.grants_per_unit}) FILTER (WHERE {p:addon_products.grants_resource} = 'team_members') AS team " \
	"  FROM {vendor_addons} a JOIN {addon_products} p ON {p:addon_products.id} = {a:vendor_addons.addon_product_id} " \
	" WHERE {a:vendor_addons.status} IN ('active', 'cancelling') GROUP BY 1"

/* Not by LIMIT 1 in a LATERAL, which would keep the whole statement on one core. */
#define TIERS \
	"SELECT DISTINCT ON ({t:subscription_tiers.code} COLLATE \"C\") {t:subscription_tiers.code} COLLATE \"C\" AS code, " \
	"       {t:subscription_tiers.products_limit} AS products_limit, " \
	"       {t:subscription_tiers.orders_per_month} AS orders_limit, " \
	"       {t:subscription_tiers.team_members} AS team_limit " \
	"  FROM {subscription_tiers} t ORDER BY {t:subscription_tiers.code} COLLATE \"C\""

/* What add-ons grant, where there are such. */
#define EXTRA(addon)	"coalesce({if:vendor_addons,addon_products}x." addon "{else}0{end}, 0)::bigint"

#define EFFECTIVE(own, tier_limit, addon) \
	"capforecast._quota({s:vendor_subscriptions." own "}::bigint, t." tier_limit "::bigint, " EXTRA(addon) ")"

const char *const host_vendor_limits =
"{if:vendor_subscriptions,subscription_tiers}SELECT {s:vendor_subscriptions.vendor_id}::text AS vendor, {s:vendor_subscriptions.tier} AS tier, "
"       {s:vendor_subscriptions.period_end} AS period_end, "
"       " EFFECTIVE("custom_products_limit", "products_limit", "products") " AS products_limit, "
"       " EFFECTIVE("custom_orders_limit", "orders_limit", "orders") " AS orders_limit, "
"       " EFFECTIVE("custom_team_limit", "team_limit", "team") " AS team_members_limit, "
"       " EXTRA("products") " AS products_extra, " EXTRA("orders") " AS orders_extra, "
"       " EXTRA("team") " AS team_members_extra "
"  FROM {vendor_subscriptions} s "
"  JOIN (" TIERS ") t ON t.code = {s:vendor_subscriptions.tier} COLLATE \"C\" "
"  {if:vendor_addons,addon_products}LEFT JOIN (" LIVE_ADDONS ") x ON x.vendor = {s:vendor_subscriptions.vendor_id} {end}"
" WHERE {s:vendor_subscriptions.status} IN ('active', 'trial')"
"{else}SELECT NULL::text AS vendor, NULL::text AS tier, NULL::timestamptz AS period_end, NULL::bigint AS products_limit, "
"       NULL::bigint AS orders_limit, NULL::bigint AS team_members_limit, 0::bigint AS products_extra, 0::bigint AS orders_extra, "
"       0::bigint AS team_members_extra WHERE false{end}";

const char *const host_vendor_tiers =
"{if:subscription_tiers}SELECT {t:subscription_tiers.code} AS code, {t:subscription_tiers.price_monthly_cents}::bigint AS price, "
"       {t:subscription_tiers.currency} AS currency, {t:subscription_tiers.display_order} AS position, "
"       {t:subscription_tiers.products_limit} AS products_limit, {t:subscription_tiers.orders_per_month} AS orders_limit, "
"       {t:subscription_tiers.team_members} AS team_limit "
"  FROM {subscription_tiers} t WHERE {t:subscription_tiers.is_active}"
"{else}SELECT NULL::text AS code, NULL::bigint AS price, NULL::text AS currency, NULL::integer AS position, "
"       NULL::bigint AS products_limit, NULL::bigint AS orders_limit, NULL::bigint AS team_limit WHERE false{end}";

const char *const host_vendor_names =
"{if:vendors}SELECT {v:vendors.id}::text AS vendor, {v:vendors.name} AS name FROM {vendors} v"
"{else}SELECT NULL::text AS vendor, NULL::text AS name WHERE false{end}";
