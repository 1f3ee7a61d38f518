/*
 * plan_health.c
 *		platform_health(): sizes, infrastructure tier, what approaches its limit.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"

#include "common/clock.h"
#include "common/row.h"
#include "common/scope.h"
#include "core/numerics/cf_round.h"
#include "host/host_sql.h"
#include "host/host_usage.h"
#include "plan/plan_health.h"

/* From here on the next size is announced. */
#define TRIGGER_PERCENT	70.0

/* Columns of _health before those of the shares. */
#define N_FACTS 15
#define N_COLUMNS (N_FACTS + N_TIER_METRICS + N_RESOURCES + 1)

/* Columns of the statement below, counted from 1. */
enum
{
	COLUMN_USAGE = 1, COLUMN_NAME, COLUMN_COST, COLUMN_CURRENCY, COLUMN_EXCEEDED, COLUMN_NEXT, COLUMN_FIRST_MAX
};

/* The tier that carries the usage, as the plan has it; parameters in the order of TierMetric. */
static const char *const tier_statement =
"SELECT u.usage, (f.tier).name, (f.tier).monthly_cost_cents, (f.tier).currency::text, f.is_exceeded, "
"       (SELECT n.name FROM capforecast.infrastructure_tiers n WHERE n.position > (f.tier).position ORDER BY n.position LIMIT 1), "
"       (f.tier).max_vendors, (f.tier).max_products, (f.tier).max_orders_month, (f.tier).max_db_size_mb, (f.tier).max_storage_gb "
"  FROM (SELECT jsonb_strip_nulls(jsonb_build_object('vendors', nullif($1, 'NaN'), 'products', nullif($2, 'NaN'), "
"                                                    'orders', nullif($3, 'NaN'), 'db_size_mb', nullif($4, 'NaN'), "
"                                                    'storage_gb', nullif($5, 'NaN'))) AS usage) u "
"  LEFT JOIN LATERAL capforecast._tier_for(u.usage) f ON true";

static const char *const tier_metric_names[N_TIER_METRICS] = {
	"vendors", "products", "orders", "database", "storage"
};

/* Approaching Small tier (vendors: 84%, products: 35%) */
static char *
trigger_text(const char *next, const double share_percent[N_TIER_METRICS])
{
	StringInfoData text;
	bool		near = false;

	initStringInfo(&text);
	appendStringInfo(&text, "Approaching %s tier (", next);
	for (int m = 0; m < N_TIER_METRICS; m++)
	{
		if (isnan(share_percent[m]))
			continue;
		near = near || share_percent[m] > TRIGGER_PERCENT;
		appendStringInfo(&text, "%s%s: %.0f%%", text.data[text.len - 1] == '(' ? "" : ", ",
						 tier_metric_names[m], share_percent[m]);
	}
	appendStringInfoChar(&text, ')');
	return near ? text.data : NULL;
}

static InfrastructureTier
tier_read(const double usage[N_TIER_METRICS])
{
	static SPIPlanPtr plan = NULL;
	InfrastructureTier tier = {0};
	Oid			types[N_TIER_METRICS];
	Datum		values[N_TIER_METRICS];
	char	   *next;
	bool		is_null;

	for (int m = 0; m < N_TIER_METRICS; m++)
	{
		types[m] = FLOAT8OID;
		values[m] = Float8GetDatum(usage[m]);
	}
	scope_read_kept(&plan, tier_statement, N_TIER_METRICS, types, values);
	tier.usage = datumCopy(scope_datum(0, COLUMN_USAGE, &is_null), false, -1);
	tier.name = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, COLUMN_NAME);
	if (tier.name == NULL)
		return tier;
	tier.currency = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, COLUMN_CURRENCY);
	tier.monthly_cost_cents = DatumGetInt64(scope_datum(0, COLUMN_COST, &is_null));
	tier.exceeded = DatumGetBool(scope_datum(0, COLUMN_EXCEEDED, &is_null));
	for (int m = 0; m < N_TIER_METRICS; m++)
	{
		Datum		maximum = scope_datum(0, COLUMN_FIRST_MAX + m, &is_null);

		tier.share_percent[m] = cf_percent(usage[m], is_null ? (double) NAN : (double) DatumGetInt64(maximum));
	}
	next = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, COLUMN_NEXT);
	if (next != NULL)
		tier.next_trigger = trigger_text(next, tier.share_percent);
	return tier;
}

Health
health_read(TimestampTz now)
{
	Health		health = {0};
	double		usage[N_TIER_METRICS];
	Datum		active;
	bool		is_null;

	capacity_read(health.capacity);
	host_sql_read(host_usage_active_vendors);
	active = scope_datum(0, 1, &is_null);
	health.active_vendors = is_null ? (double) NAN : (double) DatumGetInt64(active);
	health.size = host_size_read();
	health.storage = host_storage_read(now);
	health.storage_gb = health.storage.known ?
		DatumGetFloat8(DirectFunctionCall1(numeric_float8, host_storage_gigabytes(health.storage.bytes))) :
		(double) NAN;

	usage[TIER_VENDORS] = health.active_vendors;
	usage[TIER_PRODUCTS] = health.capacity[RESOURCE_PRODUCTS].actual;
	usage[TIER_ORDERS_MONTH] = health.capacity[RESOURCE_ORDERS_MONTHLY].actual;
	usage[TIER_DB_SIZE_MB] = health.size.known ? (double) health.size.bytes / 1048576.0 : (double) NAN;
	usage[TIER_STORAGE_GB] = health.storage_gb;
	health.tier = tier_read(usage);
	return health;
}

static void
put_text(Datum *values, bool *nulls, int at, const char *text)
{
	nulls[at] = text == NULL;
	values[at] = text ? CStringGetTextDatum(text) : (Datum) 0;
}

static void
put_percent(Datum *values, bool *nulls, int at, double percent)
{
	nulls[at] = isnan(percent);
	values[at] = Float8GetDatum(cf_round(percent, 2));
}

/*
 * capforecast._health_now(as_of): the facts; the verdict is made in SQL.
 */
PG_FUNCTION_INFO_V1(capforecast_platform_health);
Datum
capforecast_platform_health(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz now = clock_as_of(fcinfo, 0, GetCurrentTimestamp());
	Datum		values[N_COLUMNS] = {0};
	bool		nulls[N_COLUMNS] = {false};
	Health		health;
	Scope		scope;

	row_set(fcinfo, N_COLUMNS);
	scope_enter(&scope);
	health = health_read(now);
	values[0] = Int64GetDatum(health.size.bytes);
	nulls[0] = !health.size.known;
	values[1] = Int64GetDatum(health.storage.bytes);
	nulls[1] = !health.storage.known;
	values[2] = health.storage.known ? host_storage_gigabytes(health.storage.bytes) : (Datum) 0;
	nulls[2] = !health.storage.known;
	put_text(values, nulls, 3, health.storage.source);
	values[4] = TimestampTzGetDatum(health.storage.measured_at);
	nulls[4] = !health.storage.known;
	put_text(values, nulls, 5, host_storage_status(&health.storage));
	put_text(values, nulls, 6, health.storage.reason);
	nulls[7] = isnan(health.active_vendors);
	values[7] = Int64GetDatum(nulls[7] ? 0 : (int64) health.active_vendors);
	nulls[8] = isnan(health.capacity[RESOURCE_PRODUCTS].actual);
	values[8] = Int64GetDatum(nulls[8] ? 0 : (int64) health.capacity[RESOURCE_PRODUCTS].actual);
	put_text(values, nulls, 9, health.tier.name);
	values[10] = BoolGetDatum(health.tier.exceeded);
	values[11] = Int64GetDatum(health.tier.monthly_cost_cents);
	nulls[11] = health.tier.name == NULL;
	put_text(values, nulls, 12, health.tier.currency);
	put_text(values, nulls, 13, health.tier.next_trigger);
	values[14] = health.tier.usage;
	for (int m = 0; m < N_TIER_METRICS; m++)
		put_percent(values, nulls, N_FACTS + m, health.tier.name ? health.tier.share_percent[m] : (double) NAN);
	for (int r = 0; r < N_RESOURCES; r++)
		put_percent(values, nulls, N_FACTS + N_TIER_METRICS + r, health.capacity[r].utilization_percent);
	put_text(values, nulls, N_COLUMNS - 1, health.size.reason);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	scope_leave(&scope);
	return (Datum) 0;
}
