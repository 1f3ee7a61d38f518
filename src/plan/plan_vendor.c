/*
 * plan_vendor.c
 *		vendor_outlook(): which vendor passes which limit of its plan, when, and the tier
 *		that would fit.
 *
 * One statement over all subscriptions.  What is slow, simulating the futures of a
 * vendor's use, is done in a part that may run in parallel workers; the rest sees only the
 * vendors that are near a limit.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "common/clock.h"
#include "common/row.h"
#include "common/scope.h"
#include "forecast/forecast_request.h"
#include "host/host_sql.h"
#include "host/host_vendor.h"

#define MAX_WITHIN_DAYS	366

/*
 * $1 as_of, $2 the end of the horizon, $3 the last day captured.  "near" is apart so that it
 * is planned as a whole: what comes after it must not keep it on one core.  The function
 * stands in the target list, where the planner counts its cost for every row.
 */
static const char *const statement =
"WITH near AS MATERIALIZED ("
"  SELECT n.vendor, n.tier, n.period_end, n.products_extra, n.orders_extra, n.team_members_extra, (n.r).* "
"    FROM (SELECT v.*, capforecast._vendor_near(v.vendor, v.products_limit, v.orders_limit, v.team_members_limit, "
"                       v.period_end, $3, $1, $2) AS r FROM (%1$s OFFSET 0) v OFFSET 0) n) "
"SELECT near.vendor, n.name, near.resource, near.tier, near.current_value, near.quota::bigint, "
"       near.current_value / nullif(near.quota, 0), near.status, greatest(near.breach_date - ($1 AT TIME ZONE 'UTC')::date, 0), "
"       near.breach_date, near.breach_date_earliest, near.breach_date_latest, near.breach_probability, "
"       CASE near.position WHEN 1 THEN near.projected_products WHEN 2 THEN near.projected_orders ELSE near.projected_team END, "
"       fit.code, fit.price, fit.currency, "
"       format(CASE WHEN near.status <> 'already_breached' THEN '%%s of %%s %%s are used, and all of them by about %%s%%s' "
"                   WHEN near.breach_date IS NULL THEN '%%s of %%s %%s have been used on every day known%%5$s' "
"                   ELSE '%%s of %%s %%s are used since %%s%%s' END, "
"              near.current_value, near.quota, near.in_words, near.breach_date, "
"              CASE WHEN near.resource = 'orders_monthly' THEN format(' (the period ends on %%s)', (near.period_end AT TIME ZONE 'UTC')::date) END) "
"       || CASE WHEN fit.code IS NULL THEN '; no active tier would carry what is expected.' "
"               WHEN fit.code = near.tier THEN '; its tier alone would carry it: the limit is the subscription''s own.' "
"               ELSE format('; tier %%s would carry what is expected.', fit.code) END "
"  FROM near "
"  LEFT JOIN LATERAL (SELECT t.code, t.price, t.currency FROM (%2$s OFFSET 0) t "
"     WHERE (t.products_limit IS NULL OR near.projected_products <= t.products_limit + near.products_extra) "
"       AND (t.orders_limit IS NULL OR near.projected_orders <= t.orders_limit + near.orders_extra) "
"       AND (t.team_limit IS NULL OR near.projected_team <= t.team_limit + near.team_members_extra) "
"     ORDER BY t.price, t.position, t.code LIMIT 1) fit ON true "
"  LEFT JOIN (%3$s OFFSET 0) n ON n.vendor = near.vendor "
" ORDER BY near.status <> 'already_breached', near.breach_date NULLS FIRST, near.vendor COLLATE \"C\", near.position";

/* The last day whose use is known at as_of; false: none. */
static bool
last_captured(TimestampTz as_of, DateADT *day)
{
	Oid			types[1] = {DATEOID};
	Datum		values[1] = {DateADTGetDatum(clock_utc_day(as_of))};
	bool		is_null;

	scope_execute("SELECT max(day) FROM capforecast.metric_value "
				  "WHERE metric IN ('limited_products', 'limited_orders', 'limited_team_members') AND day <= $1",
				  1, types, values, NULL, true, SPI_OK_SELECT);
	*day = DatumGetDateADT(scope_datum(0, 1, &is_null));
	return !is_null;
}

PG_FUNCTION_INFO_V1(capforecast_vendor_outlook);
Datum
capforecast_vendor_outlook(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz as_of = clock_as_of(fcinfo, 1, GetCurrentTimestamp());
	TimestampTz until = request_period_end(fcinfo, 0, "within", as_of, 0, MAX_WITHIN_DAYS);
	Oid			types[3] = {TIMESTAMPTZOID, TIMESTAMPTZOID, DATEOID};
	Datum		values[3] = {TimestampTzGetDatum(as_of), TimestampTzGetDatum(until)};
	DateADT		last;
	Scope		scope;

	row_set(fcinfo, 18);
	scope_enter(&scope);
	if (last_captured(as_of, &last))
	{
		values[2] = DateADTGetDatum(last);
		scope_set("datestyle", "ISO");
		/* the table is small beside the work that each of its rows is */
		scope_set("min_parallel_table_scan_size", "0");
		/* costs say little of one call in thousands: compiling takes longer than it saves */
		scope_set("jit", "off");
		host_sql_read_with(psprintf(statement, host_vendor_limits, host_vendor_tiers, host_vendor_names), 3, types, values);
		for (uint64 row = 0; row < SPI_processed; row++)
			tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[row]);
	}
	scope_leave(&scope);
	return (Datum) 0;
}
