/*
 * plan_usage.c
 *		When a vendor passes a limit of its plan: from the changes that vendor_usage holds.
 *
 * A function of one vendor that reads its rows itself, and not a subquery: the planner
 * runs functions of a row in parallel workers, but no correlated subquery.  So a statement
 * over all vendors takes as many cores as the server gives it.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "common/clock.h"
#include "common/row.h"
#include "common/scope.h"
#include "forecast/forecast_reach.h"
#include "plan/plan_capacity.h"
#include "plan/plan_usage.h"
#include "plan/rules/cf_usage.h"
#include "series/series.h"

/* What a vendor did longer ago says little of the next weeks. */
#define LOOKBACK_DAYS	180

/* The pace that the projected use follows. */
#define PACE_DAYS		30

/* A limit further away than so many times the largest daily gain is not looked at closer. */
#define REACH_FACTOR	3.0

#define CONFIDENCE_LEVEL	0.80

/* Columns of _vendor_limit. */
#define N_COLUMNS	(10 + N_RESOURCES)

/* As subscription_capacity() names it, and as a sentence does. */
typedef struct ResourceWords
{
	const char *name;
	const char *in_words;
} ResourceWords;

/* Orders are a counter that starts again with each period. */
static const ResourceWords words[N_RESOURCES] = {
	[RESOURCE_PRODUCTS] = {"products", "products"},
	[RESOURCE_ORDERS_MONTHLY] = {"orders_monthly", "orders of the period"},
	[RESOURCE_TEAM_MEMBERS] = {"team_members", "team members"},
};

/* ---------- the changes ---------- */

/*
 * Rows hold 64 changes each, so that four of them cover the days looked at.  Prepared once
 * in a session; every name is qualified, so that no search_path matters.
 */
static SPIPlanPtr
changes_plan(void)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[2] = {TEXTOID, DATEOID};

	if (plan == NULL)
	{
		plan = SPI_prepare("SELECT first_day, products_at, products, orders_at, orders, team_members_at, team_members "
						   "FROM capforecast.vendor_usage "
						   "WHERE vendor_id OPERATOR(pg_catalog.=) $1 AND first_day OPERATOR(pg_catalog.<=) $2 "
						   "ORDER BY first_day USING OPERATOR(pg_catalog.>) LIMIT 4", 2, types);
		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "could not prepare the reading of vendor_usage");
	}
	return plan;
}

static void
add_changes(SeriesBuilder *builder, DateADT first_day, ArrayType *at, ArrayType *amounts)
{
	TimestampTz first = clock_day_start(first_day);
	int			n;

	if (ARR_ELEMTYPE(at) != INT2OID || ARR_ELEMTYPE(amounts) != INT8OID || ARR_HASNULL(at) || ARR_HASNULL(amounts))
		elog(ERROR, "a row of vendor_usage holds other arrays than those of the capture");
	n = Min(ArrayGetNItems(ARR_NDIM(at), ARR_DIMS(at)), ArrayGetNItems(ARR_NDIM(amounts), ARR_DIMS(amounts)));
	for (int i = 0; i < n; i++)
		series_builder_add(builder, first + ((int16 *) ARR_DATA_PTR(at))[i] * USECS_PER_DAY,
						   (double) ((int64 *) ARR_DATA_PTR(amounts))[i]);
}

void
usage_read_changes(Datum vendor, DateADT until, Series *changes[N_RESOURCES])
{
	MemoryContext context = CurrentMemoryContext;
	Datum		values[2] = {vendor, DateADTGetDatum(until)};
	SeriesBuilder builders[N_RESOURCES];
	bool		is_null;

	for (int r = 0; r < N_RESOURCES; r++)
		series_builder_init(&builders[r], context);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_plan(changes_plan(), values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read vendor_usage");
	for (uint64 row = 0; row < SPI_processed; row++)
		for (int r = 0; r < N_RESOURCES; r++)
			add_changes(&builders[r], DatumGetDateADT(scope_datum(row, 1, &is_null)),
						DatumGetArrayTypeP(scope_datum(row, 2 + 2 * r, &is_null)),
						DatumGetArrayTypeP(scope_datum(row, 3 + 2 * r, &is_null)));
	SPI_finish();
	for (int r = 0; r < N_RESOURCES; r++)
		changes[r] = series_builder_finish(&builders[r]);
}

/* ---------- the outlook ---------- */

Series *
usage_daily(const Series *changes, bool is_counter, DateADT captured_until)
{
	int64		last = clock_day_start(captured_until);
	int64		first;
	int			n;
	Series	   *daily;
	double	   *y;

	if (changes->n == 0 || changes->time[0] > last)
		return NULL;
	first = Max(changes->time[0], last - (LOOKBACK_DAYS - 1) * USECS_PER_DAY);
	n = (int) ((last - first) / USECS_PER_DAY) + 1;
	daily = palloc(SERIES_SIZE(n));
	SET_VARSIZE(daily, SERIES_SIZE(n));
	daily->n = n;
	for (int i = 0; i < n; i++)
		daily->time[i] = first + i * USECS_PER_DAY;
	y = SERIES_VALUES(daily);
	cf_usage_carry(changes->time, SERIES_VALUES(changes), changes->n, first, USECS_PER_DAY, n, y);
	if (is_counter)
		cf_usage_unroll(y, n);
	return daily;
}

typedef struct UsageOutlook
{
	Reach		reach;
	double		current;
	double		projected;		/* at the end of the horizon, at the pace of the last weeks; above a limit reached */
} UsageOutlook;

static void
look_ahead(const Series *daily, const ReachRequest *request, UsageOutlook *outlook)
{
	const double *y = SERIES_VALUES(daily);
	double		days = (double) (request->until - request->as_of) / USECS_PER_DAY;

	outlook->current = y[daily->n - 1];
	outlook->projected = outlook->current + Max(cf_usage_pace(y, daily->n, PACE_DAYS), 0.0) * days;
	/* who is held at a limit wants one more */
	if (outlook->current == request->threshold)
		outlook->projected = Max(outlook->projected, outlook->current + 1.0);
	if (outlook->current + REACH_FACTOR * cf_usage_largest_gain(y, daily->n) * days < request->threshold)
		outlook->reach.verdict.status = FORECAST_BEYOND_HORIZON;
	else
		reach_run(daily, request, &outlook->reach);

	/* A team of one on a plan for one is no news: only who has come to its limit, or is above. */
	if (outlook->current == request->threshold && outlook->reach.verdict.status == FORECAST_ALREADY_BREACHED &&
		!outlook->reach.has_breach)
	{
		outlook->reach.has_days_left = false;
		outlook->reach.verdict.status = FORECAST_NO_GROWTH;
	}
}

static void
put_date(Datum *values, bool *nulls, int at, bool is_known, DateADT day)
{
	values[at] = DateADTGetDatum(day);
	nulls[at] = !is_known;
}

static void
put_row(ReturnSetInfo *rsinfo, int resource, double quota, const UsageOutlook outlooks[N_RESOURCES])
{
	const UsageOutlook *outlook = &outlooks[resource];
	Datum		values[N_COLUMNS];
	bool		nulls[N_COLUMNS] = {false};

	values[0] = CStringGetTextDatum(words[resource].name);
	values[1] = CStringGetTextDatum(words[resource].in_words);
	values[2] = Int32GetDatum(resource + 1);
	values[3] = Float8GetDatum(quota);
	values[4] = forecast_status_datum(outlook->reach.verdict.status, TupleDescAttr(rsinfo->setDesc, 4)->atttypid);
	values[5] = Float8GetDatum(outlook->current);
	put_date(values, nulls, 6, outlook->reach.has_breach, outlook->reach.breach);
	put_date(values, nulls, 7, outlook->reach.has_earliest, outlook->reach.earliest);
	put_date(values, nulls, 8, outlook->reach.has_latest, outlook->reach.latest);
	values[9] = Float8GetDatum(outlook->reach.probability);
	nulls[9] = !outlook->reach.has_probability;
	/* of all three, because a tier must carry all three */
	for (int r = 0; r < N_RESOURCES; r++)
		values[10 + r] = Float8GetDatum(outlooks[r].projected);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* The period's end stops the counter of orders. */
static TimestampTz
horizon_of(FunctionCallInfo fcinfo, int resource, const ReachRequest *request, TimestampTz until)
{
	TimestampTz period_end;

	if (resource != RESOURCE_ORDERS_MONTHLY || PG_ARGISNULL(4))
		return until;
	period_end = PG_GETARG_TIMESTAMPTZ(4);
	return period_end > request->as_of && period_end < until ? period_end : until;
}

/*
 * capforecast._vendor_near(vendor, products, orders and team limit, period_end, captured_until, as_of, until)
 *		A row for each limit that is reached, or will be with a chance of a half.
 */
PG_FUNCTION_INFO_V1(capforecast_vendor_near);
Datum
capforecast_vendor_near(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ReachRequest request = {.has_threshold = true, .direction = CF_UPWARD, .level = CONFIDENCE_LEVEL, .kind = CF_KIND_STOCK};
	UsageOutlook outlooks[N_RESOURCES];
	Series	   *changes[N_RESOURCES];
	DateADT		captured_until;
	MemoryContext work;
	MemoryContext caller;

	CHECK_FOR_INTERRUPTS();
	row_require(fcinfo, 0, "vendor");
	row_require(fcinfo, 5, "captured_until");
	row_require(fcinfo, 6, "as_of");
	row_require(fcinfo, 7, "until");
	captured_until = PG_GETARG_DATEADT(5);
	row_set(fcinfo, N_COLUMNS);
	work = AllocSetContextCreate(CurrentMemoryContext, "capforecast vendor", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(work);
	request.as_of = PG_GETARG_TIMESTAMPTZ(6);
	usage_read_changes(PG_GETARG_DATUM(0), captured_until, changes);
	for (int r = 0; r < N_RESOURCES; r++)
	{
		Series	   *daily = usage_daily(changes[r], r == RESOURCE_ORDERS_MONTHLY, captured_until);

		memset(&outlooks[r], 0, sizeof(UsageOutlook));
		request.until = horizon_of(fcinfo, r, &request, PG_GETARG_TIMESTAMPTZ(7));
		request.threshold = PG_ARGISNULL(1 + r) ? (double) INFINITY : (double) PG_GETARG_INT64(1 + r);
		if (daily != NULL)
			look_ahead(daily, &request, &outlooks[r]);
	}
	for (int r = 0; r < N_RESOURCES; r++)
		if (outlooks[r].reach.has_days_left)
			put_row(rsinfo, r, (double) PG_GETARG_INT64(1 + r), outlooks);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return (Datum) 0;
}
