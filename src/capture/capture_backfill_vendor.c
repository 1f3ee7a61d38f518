/*
 * capture_backfill_vendor.c
 *		backfill_vendor_usage(): what vendors used before the first capture.
 *
 * Only products have a past that can be known: what they were created by tells how many
 * there were.  The rows are those that captures would have written, with nothing in them
 * of orders and team members.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/date.h"

#include "capture/capture_day.h"
#include "common/clock.h"
#include "common/scope.h"
#include "host/host_history.h"
#include "host/host_sql.h"
#include "run/run_lock.h"
#include "run/run_log.h"

/* $1 an instant of the time of day, $2 the first day, $3 today. */
static const char *const statement =
"WITH born AS MATERIALIZED (%s), "
"edge AS (SELECT vendor_id, min(first_day) AS first FROM capforecast.vendor_usage GROUP BY 1), "
"changes AS ("
"  SELECT b.vendor, greatest(b.day, $2) AS day, sum(b.n)::bigint AS n "
"    FROM born b LEFT JOIN edge e ON e.vendor_id = b.vendor "
"   WHERE b.day < coalesce(e.first, $3) AND $2 < coalesce(e.first, $3) "
"     AND NOT EXISTS (SELECT FROM born u WHERE u.vendor = b.vendor AND u.day IS NULL) GROUP BY 1, 2), "
"totals AS ("
"  SELECT vendor, day, (sum(n) OVER w)::bigint AS total, (row_number() OVER w - 1) / 64 AS part "
"    FROM changes WINDOW w AS (PARTITION BY vendor ORDER BY day)) "
"INSERT INTO capforecast.vendor_usage "
"       (vendor_id, first_day, products_at, products, orders_at, orders, team_members_at, team_members) "
"SELECT vendor, first, array_agg((day - first)::smallint ORDER BY day), array_agg(total ORDER BY day), '{}', '{}', '{}', '{}' "
"  FROM (SELECT *, min(day) OVER (PARTITION BY vendor, part) AS first FROM totals) t "
" GROUP BY vendor, part, first ON CONFLICT DO NOTHING";

PG_FUNCTION_INFO_V1(capforecast_backfill_vendor_usage);
Datum
capforecast_backfill_vendor_usage(PG_FUNCTION_ARGS)
{
	TimestampTz now = GetCurrentTimestamp();
	DateADT		today = clock_utc_day(now);
	DateADT		from = PG_GETARG_DATEADT(0);
	Oid			types[3] = {TIMESTAMPTZOID, DATEOID, DATEOID};
	Datum		values[3];
	RunRecord	record;
	Scope		scope;

	PreventCommandIfReadOnly("backfill_vendor_usage()");
	if (DATE_NOT_FINITE(from) || from >= today || from < today - CAPTURE_MAX_DAYS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("from_date must be a past day, at most %d days ago", CAPTURE_MAX_DAYS),
				 errhint("Today is captured with capture_vendor_usage().")));
	/* long before every product: date_bin() counts from here */
	values[0] = TimestampTzGetDatum(clock_day_start(from - CAPTURE_MAX_DAYS) + PG_GETARG_TIMEADT(1));
	values[1] = DateADTGetDatum(from);
	values[2] = DateADTGetDatum(today);

	scope_enter(&scope);
	run_record_start(&record, "backfill_vendor_usage", now, now);
	run_lock(CAPTURE_VENDOR_USAGE);
	record.changed = host_sql_write(psprintf(statement, host_history_vendor_products), 3, types, values);
	record.examined = record.changed;
	run_record_settle(&record);
	scope_leave(&scope);
	PG_RETURN_INT64(record.changed);
}
