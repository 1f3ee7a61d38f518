/*
 * capture_vendor.c
 *		capture_vendor_usage(): what each vendor uses, stored sparsely.
 *
 * One statement counts all vendors, compares with the last values, and appends to the
 * arrays of a vendor's current row, or begins a row where that is full.  A vendor that is
 * gone uses nothing from then on.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "capture/capture_day.h"
#include "common/attempt.h"
#include "common/clock.h"
#include "common/progress.h"
#include "common/row.h"
#include "common/scope.h"
#include "host/host_sql.h"
#include "host/host_template.h"
#include "host/host_usage.h"
#include "host/host_vendor.h"
#include "run/run_log.h"

static const char *const resources[] = {"products", "orders", "team_members"};

#define N_RESOURCES	((int) lengthof(resources))

/* The metrics that the sums are stored as, the resource's name in host_usage_capacity, and what must be there. */
static const char *const sums[N_RESOURCES][3] = {
	{"limited_products", "products", "vendor_subscriptions,products,subscription_tiers.products_limit"},
	{"limited_orders", "orders_monthly", "vendor_subscriptions.orders_this_period,subscription_tiers.orders_per_month"},
	{"limited_team_members", "team_members", "vendor_subscriptions,vendor_users,subscription_tiers.team_members"},
};

/* Columns of host_usage_capacity, counted from 1. */
#define COLUMN_RESOURCE			1
#define COLUMN_LIMIT			2
#define COLUMN_ACTUAL_LIMITED	5

/* Elements of a row's arrays, and days that smallint holds. */
#define ROW_IS_FULL \
	"greatest(cardinality(l.products_at), cardinality(l.orders_at), cardinality(l.team_members_at)) >= 64 OR $1 - l.first_day > 32000"

/*
 * The statement, a template: used is what there is, latest each vendor's last row.
 */
static char *
store_statement(void)
{
	StringInfoData sql,
				columns,
				changed,
				excluded;

	initStringInfo(&sql);
	initStringInfo(&columns);
	initStringInfo(&changed);
	initStringInfo(&excluded);
	for (int r = 0; r < N_RESOURCES; r++)
	{
		const char *x = resources[r];

		/* a row that is begun holds all that is known, one that is gone on with gets what changed */
		appendStringInfo(&columns,
						 ", CASE WHEN n.begins THEN {if:%2$s}'{0}'::smallint[]{else}'{}'::smallint[]{end} "
						 "WHEN n.%1$s_changed THEN n.%1$s_at || ($1 - n.first_day)::smallint ELSE n.%1$s_at END, "
						 "CASE WHEN n.begins THEN {if:%2$s}ARRAY[n.%1$s_now]{else}'{}'::bigint[]{end} "
						 "WHEN n.%1$s_changed THEN n.%1$s || n.%1$s_now ELSE n.%1$s END", x, host_vendor_usage_needs[r]);
		appendStringInfo(&changed, "%sn.%s_changed", r ? " OR " : "", x);
		appendStringInfo(&excluded, "%2$s%1$s_at = excluded.%1$s_at, %1$s = excluded.%1$s", x, r ? ", " : "");
	}
	appendStringInfo(&sql,
					 "WITH used AS MATERIALIZED (%s), "
					 "latest AS (SELECT DISTINCT ON (vendor_id) * FROM capforecast.vendor_usage ORDER BY vendor_id, first_day DESC), "
					 "stored AS (INSERT INTO capforecast.vendor_usage "
					 "(vendor_id, first_day, products_at, products, orders_at, orders, team_members_at, team_members) "
					 "SELECT n.vendor_id, CASE WHEN n.begins THEN $1 ELSE n.first_day END%s "
					 "FROM (SELECT coalesce(used.vendor, l.vendor_id) AS vendor_id, l.first_day, "
					 "l.vendor_id IS NULL OR " ROW_IS_FULL " AS begins",
					 host_vendor_usage, columns.data);
	for (int r = 0; r < N_RESOURCES; r++)
		appendStringInfo(&sql, ", l.%1$s_at, l.%1$s, coalesce(used.%1$s, 0) AS %1$s_now, "
						 "{if:%2$s}coalesce(used.%1$s, 0) IS DISTINCT FROM l.%1$s[cardinality(l.%1$s)]{else}false{end} AS %1$s_changed",
						 resources[r], host_vendor_usage_needs[r]);
	appendStringInfo(&sql,
					 " FROM used FULL JOIN latest l ON l.vendor_id = used.vendor) n WHERE %s "
					 "ON CONFLICT (vendor_id, first_day) DO UPDATE SET %s RETURNING 1) "
					 "SELECT (SELECT count(*) FROM used), (SELECT count(*) FROM stored)",
					 changed.data, excluded.data);
	return sql.data;
}

static void
store_usage(DateADT day, int64 *examined, int64 *changed)
{
	Oid			types[1] = {DATEOID};
	Datum		values[1] = {DateADTGetDatum(day)};
	bool		is_null;

	host_sql_write(store_statement(), 1, types, values);
	*examined = DatumGetInt64(scope_datum(0, 1, &is_null));
	*changed = DatumGetInt64(scope_datum(0, 2, &is_null));
}

/* That all that are known are there says that the day is captured. */
static void
store_sums(DateADT day)
{
	Oid			types[4] = {TEXTOID, DATEOID, FLOAT8OID, FLOAT8OID};
	Datum		values[N_RESOURCES][4];
	bool		is_known[N_RESOURCES];
	bool		is_null;

	host_sql_read(host_usage_capacity);
	if (SPI_processed != N_RESOURCES)
		elog(ERROR, "capacity has " UINT64_FORMAT " rows", SPI_processed);
	for (int r = 0; r < N_RESOURCES; r++)
	{
		char	   *resource = SPI_getvalue(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, COLUMN_RESOURCE);

		Assert(strcmp(resource, sums[r][1]) == 0);
		(void) resource;
		values[r][0] = CStringGetTextDatum(sums[r][0]);
		values[r][1] = DateADTGetDatum(day);
		values[r][2] = Float8GetDatum((double) DatumGetInt64(scope_datum(r, COLUMN_ACTUAL_LIMITED, &is_null)));
		is_known[r] = !is_null;
		values[r][3] = Float8GetDatum((double) DatumGetInt64(scope_datum(r, COLUMN_LIMIT, &is_null)));
	}
	/* where nobody has a limit there is none to reach */
	for (int r = 0; r < N_RESOURCES; r++)
		if (is_known[r])
			scope_execute("INSERT INTO capforecast.metric_value (metric, day, value, limit_value) VALUES ($1, $2, $3, nullif($4, 0)) "
						  "ON CONFLICT (metric, day) DO UPDATE SET value = excluded.value, limit_value = excluded.limit_value, "
						  "captured_at = clock_timestamp()", 4, types, values[r], NULL, false, SPI_OK_INSERT);
}

/* A table that has come since makes the day one to capture again. */
static bool
is_captured(DateADT day)
{
	Oid			types[2] = {TEXTOID, DATEOID};
	Datum		values[2] = {(Datum) 0, DateADTGetDatum(day)};
	bool		any = false;

	for (int r = 0; r < N_RESOURCES; r++)
	{
		if (!host_template_has(sums[r][2]))
			continue;
		any = true;
		values[0] = CStringGetTextDatum(sums[r][0]);
		scope_execute("SELECT FROM capforecast.metric_value WHERE metric = $1 AND day = $2",
					  2, types, values, NULL, false, SPI_OK_SELECT);
		if (SPI_processed == 0)
			return false;
	}
	return any;
}

PG_FUNCTION_INFO_V1(capforecast_count_vendor_usage);
Datum
capforecast_count_vendor_usage(PG_FUNCTION_ARGS)
{
	DateADT		day = PG_GETARG_DATEADT(0);
	int64		examined,
				changed;
	Datum		values[2];
	bool		nulls[2] = {false, false};
	TupleDesc	desc;
	Scope		scope;

	desc = row_type(fcinfo, lengthof(values));
	scope_enter(&scope);
	progress_report("capture_vendor_usage", 0, -1);
	store_usage(day, &examined, &changed);
	store_sums(day);
	progress_end();
	scope_leave(&scope);
	values[0] = Int64GetDatum(examined);
	values[1] = Int64GetDatum(changed);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

PG_FUNCTION_INFO_V1(capforecast_capture_vendor_usage);
Datum
capforecast_capture_vendor_usage(PG_FUNCTION_ARGS)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz as_of = clock_as_of_writing(fcinfo, 0, now);
	DateADT		day = clock_utc_day(as_of);
	RunRecord	record;
	Scope		scope;

	PreventCommandIfReadOnly("capture_vendor_usage()");
	capture_require_today(as_of, now);
	scope_enter(&scope);
	run_record_start(&record, CAPTURE_VENDOR_USAGE, now, as_of);
	if (run_record_lock(&record) && !is_captured(day))
	{
		store_usage(day, &record.examined, &record.changed);
		store_sums(day);
	}
	run_record_settle(&record);
	scope_leave(&scope);
	PG_RETURN_INT64(record.changed);
}
