/*
 * host_history.c
 *		The statements that rebuild history from created_at, cancelled_at and the like.
 *
 * A row of the host's tables tells when it came and, where its state has ended, when;
 * rows that were deleted tell nothing, and what a state was before the present one is
 * known only where a timestamp remains.  Where it does not, the statement says so in an
 * unknown_ column instead of guessing.
 */
#include "postgres.h"

#include "host/host_history.h"

/* An instant that is not known counts from the beginning, as unknown. */
#define BIN(at) "date_bin('1 day', coalesce(" at ", $1), $1)"

/*
 * A vendor is active from its creation on; one that is not active any more was until its
 * last subscription was cancelled.
 */
#define VENDORS \
	"SELECT " BIN("e.at") ", sum(e.total) AS total_vendors, sum(e.total_unknown) AS unknown_total_vendors, " \
	"       sum(e.active) AS active_vendors, sum(e.active_unknown) AS unknown_active_vendors " \
	"  FROM (SELECT {v:vendors.created_at} AS born, {v:vendors.is_active} AS active, s.left_at " \
	"          FROM {vendors} v LEFT JOIN (" \
	"            SELECT {s:vendor_subscriptions.vendor_id} AS vendor, max({s:vendor_subscriptions.cancelled_at}) AS left_at " \
	"              FROM {vendor_subscriptions} s GROUP BY 1) s " \
	"            ON NOT {v:vendors.is_active} AND s.vendor = {v:vendors.id}) v " \
	"  CROSS JOIN LATERAL (VALUES " \
	"    (born, 1, (born IS NULL)::integer, (active OR left_at IS NOT NULL)::integer, " \
	"     (born IS NULL OR NOT active AND left_at IS NULL)::integer), " \
	"    (CASE WHEN NOT active AND left_at <= $2 THEN greatest(left_at, born) END, 0, 0, -1, 0)" \
	"  ) e(at, total, total_unknown, active, active_unknown) " \
	" WHERE e.at IS NOT NULL OR e.total > 0 GROUP BY 1"

/*
 * Active or on trial from the creation until it ended.  One that is past_due was paid for
 * until its period began, and since then it is not known when it became so.  A trial is
 * known where its end remains on record.
 */
#define SUBSCRIPTION_STATES \
	"SELECT {s:vendor_subscriptions.created_at} AS born, {s:vendor_subscriptions.status} AS status, " \
	"       {s:vendor_subscriptions.trial_ends_at} AS trial_ends, " \
	"       {s:vendor_subscriptions.period_start} AS period_start, " \
	"       CASE {s:vendor_subscriptions.status} " \
	"         WHEN 'cancelled' THEN CASE WHEN {s:vendor_subscriptions.cancel_at_period_end} " \
	"           THEN greatest({s:vendor_subscriptions.cancelled_at}, {s:vendor_subscriptions.period_end}) " \
	"           ELSE {s:vendor_subscriptions.cancelled_at} END " \
	"         WHEN 'expired' THEN coalesce({s:vendor_subscriptions.cancelled_at}, " \
	"           {s:vendor_subscriptions.trial_ends_at}, {s:vendor_subscriptions.period_end}) END AS ended " \
	"  FROM {vendor_subscriptions} s"

#define SUBSCRIPTIONS \
	"SELECT " BIN("e.at") ", sum(e.total) AS total_subscriptions, sum(e.total_unknown) AS unknown_total_subscriptions, " \
	"       sum(e.counted) AS active_subscriptions, sum(e.counted_unknown) AS unknown_active_subscriptions, " \
	"       sum(e.trial) AS trial_vendors, sum(e.trial_unknown) AS unknown_trial_vendors " \
	"  FROM (SELECT *, status NOT IN ('active', 'trial', 'past_due') AND (ended IS NULL OR ended > $2) AS lost, " \
	"               status = 'trial' OR trial_ends <= $2 AS trial_known " \
	"          FROM (" SUBSCRIPTION_STATES ") s) s " \
	"  CROSS JOIN LATERAL (VALUES " \
	"    (born, 1, (born IS NULL)::integer, 1, (born IS NULL OR lost)::integer, " \
	"     (trial_known IS TRUE)::integer, (born IS NULL OR trial_known IS NOT TRUE)::integer), " \
	"    (CASE WHEN NOT lost AND ended IS NOT NULL THEN greatest(ended, born) END, 0, 0, -1, 0, 0, 0), " \
	"    (CASE WHEN status = 'past_due' THEN greatest(period_start, born) END, 0, 0, 0, 1, 0, 0), " \
	"    (CASE WHEN trial_known AND status <> 'trial' THEN greatest(least(trial_ends, ended), born) END, 0, 0, 0, 0, -1, 0)" \
	"  ) e(at, total, total_unknown, counted, counted_unknown, trial, trial_unknown) " \
	" WHERE e.at IS NOT NULL OR e.total > 0 GROUP BY 1"

#define PRODUCTS \
	"{each:products}SELECT " BIN("{products.created_at}") ", count(*) AS total_products, " \
	"       count(*) FILTER (WHERE {products.created_at} IS NULL) AS unknown_total_products " \
	"  FROM {products} GROUP BY 1{end}"

/* When a member was taken off the team is nowhere on record. */
#define TEAM \
	"{each:vendor_users}SELECT " BIN("{vendor_users.created_at}") ", count(*) FILTER (WHERE {vendor_users.is_active}) AS total_team_members, " \
	"       count(*) FILTER (WHERE {vendor_users.created_at} IS NULL OR NOT {vendor_users.is_active}) AS unknown_total_team_members " \
	"  FROM {vendor_users} GROUP BY 1{end}"

/*
 * An order counts from its creation to the end of the period that it falls into: periods
 * are as long as the present one and end where it began; what was ordered since counts
 * to this day.  Months are counted in UTC.
 */
#define PERIOD_MONTHS "CASE WHEN {s:vendor_subscriptions.is_annual} THEN 12 ELSE 1 END"
#define MONTHS_BETWEEN(early, late) \
	"((date_part('year', " late ") - date_part('year', " early ")) * 12 + " \
	" date_part('month', " late ") - date_part('month', " early "))::integer"

/* Of a subscription without a period; as host_orders.c counts. */
#define THIS_MONTH	"date_trunc('month', now() AT TIME ZONE 'UTC')"

#define ORDERS \
	"SELECT " BIN("e.at AT TIME ZONE 'UTC'") ", sum(e.n) AS total_orders_month, " \
	"       sum(e.n) FILTER (WHERE e.is_current) AS current_orders " \
	"  FROM (SELECT {s:vendor_subscriptions.vendor_id} AS vendor, " PERIOD_MONTHS " AS months, " \
	"               coalesce({s:vendor_subscriptions.period_start} AT TIME ZONE 'UTC', " THIS_MONTH ") AS period_start " \
	"          FROM {vendor_subscriptions} s) s " \
	"  JOIN (SELECT {o:orders.vendor_id} AS vendor, {o:orders.created_at} AT TIME ZONE 'UTC' AS born FROM {orders} o) o USING (vendor) " \
	"  CROSS JOIN LATERAL (SELECT " MONTHS_BETWEEN("born", "period_start") " / months AS n) back " \
	"  CROSS JOIN LATERAL (SELECT period_start - make_interval(months => back.n * months) AS at) b " \
	"  CROSS JOIN LATERAL (VALUES (born, 1, born >= period_start), " \
	"    (CASE WHEN born < period_start THEN CASE WHEN b.at > born THEN b.at " \
	"       ELSE period_start - make_interval(months => (back.n - 1) * months) END END, -1, false)) e(at, n, is_current) " \
	" WHERE e.at IS NOT NULL GROUP BY 1"

static const HostHistoryPart parts[] = {
	{"vendors", VENDORS},
	{"subscriptions", SUBSCRIPTIONS},
	{"products", PRODUCTS},
	{"team_members", TEAM},
	{"orders", ORDERS},
};

const HostHistoryPart *
host_history_parts(int *n_parts)
{
	*n_parts = lengthof(parts);
	return parts;
}

const char *const host_history_counted_orders =
"SELECT coalesce(sum({vendor_subscriptions.orders_this_period}), 0)::bigint FROM {vendor_subscriptions}";

const char *const host_history_vendor_products =
"{each:products}SELECT coalesce({products.vendor_id}::text, '') AS vendor, "
"       (date_bin('1 day', {products.created_at}, $1) AT TIME ZONE 'UTC')::date + 1 AS day, count(*) AS n "
"  FROM {products} GROUP BY {products.vendor_id}, 2{end}";
