/*
 * plan_health.c
 *		platform_health(): sizes, infrastructure tier, what approaches its limit.
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "common/clock.h"
#include "common/row.h"
#include "common/scope.h"
#include "core/numerics/cf_round.h"
#include "host/host_sql.h"
#include "host/host_usage.h"
#include "plan/plan_health.h"
#include "plan/rules/cf_tier.h"

/* From here on the next size is announced. */
#define TRIGGER_PERCENT	70.0

/* Columns of infrastructure_tiers as read below, counted from 1. */
#define COLUMN_NAME			1
#define COLUMN_COST			2
#define COLUMN_CURRENCY		3
#define COLUMN_FIRST_MAX	4

static const char *const tier_metric_names[N_TIER_METRICS] = {
	"vendors", "products", "orders", "database", "storage"
};

static double
maximum_at(uint64 row, int metric)
{
	bool		is_null;
	Datum		value = scope_datum(row, COLUMN_FIRST_MAX + metric, &is_null);

	return is_null ? (double) NAN : (double) DatumGetInt64(value);
}

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
	InfrastructureTier tier = {0};
	double	   *maxima;
	int			n_tiers;
	int			at;
	bool		is_null;

	scope_execute("SELECT name, monthly_cost_cents, currency::text, "
				  "       max_vendors, max_products, max_orders_month, max_db_size_mb, max_storage_gb "
				  "  FROM capforecast.infrastructure_tiers ORDER BY position",
				  0, NULL, NULL, NULL, true, SPI_OK_SELECT);
	n_tiers = (int) SPI_processed;
	if (n_tiers == 0)
		return tier;
	maxima = palloc(sizeof(double) * n_tiers * N_TIER_METRICS);
	for (int t = 0; t < n_tiers; t++)
		for (int m = 0; m < N_TIER_METRICS; m++)
			maxima[t * N_TIER_METRICS + m] = maximum_at(t, m);

	at = cf_tier_fit(usage, maxima, n_tiers, N_TIER_METRICS, &tier.exceeded);
	tier.name = SPI_getvalue(SPI_tuptable->vals[at], SPI_tuptable->tupdesc, COLUMN_NAME);
	tier.currency = SPI_getvalue(SPI_tuptable->vals[at], SPI_tuptable->tupdesc, COLUMN_CURRENCY);
	tier.monthly_cost_cents = DatumGetInt64(scope_datum(at, COLUMN_COST, &is_null));
	for (int m = 0; m < N_TIER_METRICS; m++)
		tier.share_percent[m] = cf_percent(usage[m], maxima[at * N_TIER_METRICS + m]);
	if (at + 1 < n_tiers)
		tier.next_trigger = trigger_text(SPI_getvalue(SPI_tuptable->vals[at + 1], SPI_tuptable->tupdesc, COLUMN_NAME),
										 tier.share_percent);
	return tier;
}

Health
health_read(TimestampTz now)
{
	Health		health = {0};
	double		usage[N_TIER_METRICS];
	bool		is_null;

	capacity_read(health.capacity);
	host_sql_read(host_usage_active_vendors);
	health.active_vendors = DatumGetInt64(scope_datum(0, 1, &is_null));
	scope_execute("SELECT pg_database_size(current_database())", 0, NULL, NULL, NULL, true, SPI_OK_SELECT);
	health.db_size_bytes = DatumGetInt64(scope_datum(0, 1, &is_null));
	health.storage = host_storage_read(now);
	health.storage_gb = health.storage.known ?
		DatumGetFloat8(DirectFunctionCall1(numeric_float8, host_storage_gigabytes(health.storage.bytes))) :
		(double) NAN;

	usage[TIER_VENDORS] = (double) health.active_vendors;
	usage[TIER_PRODUCTS] = health.capacity[RESOURCE_PRODUCTS].actual;
	usage[TIER_ORDERS_MONTH] = health.capacity[RESOURCE_ORDERS_MONTHLY].actual;
	usage[TIER_DB_SIZE_MB] = (double) health.db_size_bytes / 1048576.0;
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
 * capforecast._platform_health(as_of): the facts; the verdict is made in SQL.
 */
PG_FUNCTION_INFO_V1(capforecast_platform_health);
Datum
capforecast_platform_health(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz now = clock_as_of(fcinfo, 0, GetCurrentTimestamp());
	Datum		values[14 + N_TIER_METRICS + N_RESOURCES] = {0};
	bool		nulls[14 + N_TIER_METRICS + N_RESOURCES] = {false};
	Health		health;
	Scope		scope;

	row_set(fcinfo, lengthof(values));
	scope_enter(&scope);
	health = health_read(now);
	values[0] = Int64GetDatum(health.db_size_bytes);
	values[1] = Int64GetDatum(health.storage.bytes);
	nulls[1] = !health.storage.known;
	values[2] = health.storage.known ? host_storage_gigabytes(health.storage.bytes) : (Datum) 0;
	nulls[2] = !health.storage.known;
	put_text(values, nulls, 3, health.storage.source);
	values[4] = TimestampTzGetDatum(health.storage.measured_at);
	nulls[4] = !health.storage.known;
	put_text(values, nulls, 5, host_storage_status(&health.storage));
	put_text(values, nulls, 6, health.storage.reason);
	values[7] = Int64GetDatum(health.active_vendors);
	nulls[8] = isnan(health.capacity[RESOURCE_PRODUCTS].actual);
	values[8] = Int64GetDatum(nulls[8] ? 0 : (int64) health.capacity[RESOURCE_PRODUCTS].actual);
	put_text(values, nulls, 9, health.tier.name);
	values[10] = BoolGetDatum(health.tier.exceeded);
	values[11] = Int64GetDatum(health.tier.monthly_cost_cents);
	nulls[11] = health.tier.name == NULL;
	put_text(values, nulls, 12, health.tier.currency);
	put_text(values, nulls, 13, health.tier.next_trigger);
	for (int m = 0; m < N_TIER_METRICS; m++)
		put_percent(values, nulls, 14 + m, health.tier.name ? health.tier.share_percent[m] : (double) NAN);
	for (int r = 0; r < N_RESOURCES; r++)
		put_percent(values, nulls, 14 + N_TIER_METRICS + r, health.capacity[r].utilization_percent);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	scope_leave(&scope);
	return (Datum) 0;
}
