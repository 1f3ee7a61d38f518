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
#include "utils/fmgrprotos.h"

#include "common/clock.h"
#include "common/scope.h"
#include "host/host_sql.h"
#include "host/host_vendor.h"

#define MAX_WITHIN_DAYS	366

/* $1 as_of, $2 the end of the horizon, $3 the last day captured. */
static const char *const statement =
"WITH near AS MATERIALIZED ("
"  SELECT v.vendor, v.tier, v.period_end, v.products_extra, v.orders_extra, v.team_members_extra, "
"         v.products_limit, v.orders_limit, v.team_members_limit, "
"         p.status AS p_status, p.current_value AS p_value, p.projected_value AS p_projected, p.breach_date AS p_date, "
"         p.breach_date_earliest AS p_earliest, p.breach_date_latest AS p_latest, p.breach_probability AS p_chance, "
"         o.status AS o_status, o.current_value AS o_value, o.projected_value AS o_projected, o.breach_date AS o_date, "
"         o.breach_date_earliest AS o_earliest, o.breach_date_latest AS o_latest, o.breach_probability AS o_chance, "
"         m.status AS m_status, m.current_value AS m_value, m.projected_value AS m_projected, m.breach_date AS m_date, "
"         m.breach_date_earliest AS m_earliest, m.breach_date_latest AS m_latest, m.breach_probability AS m_chance "
"    FROM (%1$s) v "
"    CROSS JOIN LATERAL (SELECT max(u.first_day) AS first FROM capforecast.vendor_usage u "
"                         WHERE u.vendor_id = v.vendor AND u.first_day <= $3 - 180) since "
"    CROSS JOIN LATERAL (SELECT capforecast._usage_agg(u.first_day, u.products_at, u.products) AS products, "
"                               capforecast._usage_agg(u.first_day, u.orders_at, u.orders) AS orders, "
"                               capforecast._usage_agg(u.first_day, u.team_members_at, u.team_members) AS team_members "
"                          FROM capforecast.vendor_usage u "
"                         WHERE u.vendor_id = v.vendor AND u.first_day >= coalesce(since.first, '-infinity')) u "
"    CROSS JOIN LATERAL capforecast._usage_outlook(u.products, false, v.products_limit, $3, $1, $2) p "
"    CROSS JOIN LATERAL capforecast._usage_outlook(u.orders, true, v.orders_limit, $3, $1, "
"                         CASE WHEN v.period_end > $1 THEN least($2, v.period_end) ELSE $2 END) o "
"    CROSS JOIN LATERAL capforecast._usage_outlook(u.team_members, false, v.team_members_limit, $3, $1, $2) m "
"   WHERE num_nonnulls(p.breach_date, o.breach_date, m.breach_date) > 0) "
"SELECT near.vendor, n.name, r.resource, near.tier, r.value, r.quota, "
"       CASE WHEN r.quota > 0 THEN r.value / r.quota END, r.status, (r.breach - ($1 AT TIME ZONE 'UTC')::date), "
"       r.breach, r.earliest, r.latest, r.chance, r.projected, fit.code, fit.price, fit.currency, "
"       CASE WHEN r.status = 'already_breached' THEN format('%%s of %%s %%s are used since %%s', r.value, r.quota, r.what, r.breach) "
"            ELSE format('%%s of %%s %%s are used, and all of them by about %%s%%s', r.value, r.quota, r.what, r.breach, "
"                   CASE WHEN r.resource = 'orders_monthly' THEN format(' (the period ends on %%s)', (near.period_end AT TIME ZONE 'UTC')::date) END) END "
"       || CASE WHEN fit.code IS NULL THEN '; no active tier would carry what is expected.' "
"               WHEN fit.code = near.tier THEN '; the tier itself would do: the limit is the subscription''s own.' "
"               ELSE format('; tier %%s would carry what is expected.', fit.code) END "
"  FROM near "
"  CROSS JOIN LATERAL (VALUES "
"    (1, 'products', 'products', p_value, products_limit, p_status, p_date, p_earliest, p_latest, p_chance, p_projected), "
"    (2, 'orders_monthly', 'orders of the period', o_value, orders_limit, o_status, o_date, o_earliest, o_latest, o_chance, o_projected), "
"    (3, 'team_members', 'team members', m_value, team_members_limit, m_status, m_date, m_earliest, m_latest, m_chance, m_projected) "
"  ) r(position, resource, what, value, quota, status, breach, earliest, latest, chance, projected) "
"  LEFT JOIN LATERAL (SELECT t.code, t.price, t.currency FROM (%2$s) t "
"     WHERE (t.products_limit IS NULL OR coalesce(near.p_projected, 0) <= t.products_limit + near.products_extra) "
"       AND (t.orders_limit IS NULL OR coalesce(near.o_projected, 0) <= t.orders_limit + near.orders_extra) "
"       AND (t.team_limit IS NULL OR coalesce(near.m_projected, 0) <= t.team_limit + near.team_members_extra) "
"     ORDER BY t.price, t.position, t.code LIMIT 1) fit ON true "
"  LEFT JOIN (%3$s) n ON n.vendor = near.vendor "
" WHERE r.breach IS NOT NULL "
" ORDER BY r.breach, near.vendor, r.position";

/* The last day whose use is known at as_of; false: none. */
static bool
last_captured(TimestampTz as_of, DateADT *day)
{
	Oid			types[1] = {DATEOID};
	Datum		values[1] = {DateADTGetDatum(clock_utc_day(as_of))};
	bool		is_null;

	scope_execute("SELECT max(day) FROM capforecast.metric_value WHERE metric = 'limited_team_members' AND day <= $1",
				  1, types, values, NULL, true, SPI_OK_SELECT);
	*day = DatumGetDateADT(scope_datum(0, 1, &is_null));
	return !is_null;
}

static TimestampTz
horizon_end(FunctionCallInfo fcinfo, int argument, TimestampTz as_of)
{
	TimestampTz until;

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("within must not be null")));
	until = DatumGetTimestamp(DirectFunctionCall2(timestamp_pl_interval, TimestampGetDatum(as_of), PG_GETARG_DATUM(argument)));
	if (until <= as_of || until > as_of + MAX_WITHIN_DAYS * USECS_PER_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("within must be longer than 0 and at most %d days", MAX_WITHIN_DAYS),
				 errhint("Give an interval, for example '30 days'.")));
	return until;
}

PG_FUNCTION_INFO_V1(capforecast_vendor_outlook);
Datum
capforecast_vendor_outlook(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz as_of = clock_as_of(fcinfo, 1, GetCurrentTimestamp());
	TimestampTz until = horizon_end(fcinfo, 0, as_of);
	Oid			types[3] = {TIMESTAMPTZOID, TIMESTAMPTZOID, DATEOID};
	Datum		values[3] = {TimestampTzGetDatum(as_of), TimestampTzGetDatum(until)};
	DateADT		last;
	char	   *sql;
	Scope		scope;

	InitMaterializedSRF(fcinfo, 0);
	scope_enter(&scope);
	sql = psprintf(statement, host_sql_expand(host_vendor_limits), host_sql_expand(host_vendor_tiers),
				   host_sql_expand(host_vendor_names));
	if (last_captured(as_of, &last))
	{
		values[2] = DateADTGetDatum(last);
		scope_set("row_security", "off");
		/* the table is small beside the work that each of its rows is */
		scope_set("min_parallel_table_scan_size", "0");
		scope_execute(sql, 3, types, values, NULL, true, SPI_OK_SELECT);
		for (uint64 row = 0; row < SPI_processed; row++)
			tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[row]);
	}
	scope_leave(&scope);
	return (Datum) 0;
}
