/*
 * plan_usage.c
 *		When a vendor passes a limit of its plan: from the changes that vendor_usage holds.
 *
 * One call per vendor and resource, with no SQL inside, so that a statement over all
 * vendors runs on as many cores as the server gives it.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "common/clock.h"
#include "core/cf_usage.h"
#include "forecast/forecast_reach.h"
#include "series/series.h"

/* What a vendor did longer ago says little of the next weeks. */
#define LOOKBACK_DAYS	180

/* The pace that the projected use follows. */
#define PACE_DAYS		30

/* A limit further away than so many times the largest daily gain is not looked at closer. */
#define REACH_FACTOR	3.0

#define CONFIDENCE_LEVEL	0.80

/* ---------- the aggregate ---------- */

/*
 * capforecast._usage_accum(internal, first_day, at, values) → internal
 */
PG_FUNCTION_INFO_V1(capforecast_usage_accum);
Datum
capforecast_usage_accum(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	SeriesBuilder *state = PG_ARGISNULL(0) ? NULL : (SeriesBuilder *) PG_GETARG_POINTER(0);
	ArrayType  *at,
			   *amounts;
	TimestampTz first;
	int			n;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	if (state == NULL)
	{
		state = MemoryContextAlloc(context, sizeof(SeriesBuilder));
		series_builder_init(state, context);
	}
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		PG_RETURN_POINTER(state);
	first = clock_day_start(PG_GETARG_DATEADT(1));
	at = PG_GETARG_ARRAYTYPE_P(2);
	amounts = PG_GETARG_ARRAYTYPE_P(3);
	if (ARR_ELEMTYPE(at) != INT2OID || ARR_ELEMTYPE(amounts) != INT8OID || ARR_HASNULL(at) || ARR_HASNULL(amounts))
		elog(ERROR, "a row of vendor_usage holds other arrays than those of the capture");
	n = Min(ArrayGetNItems(ARR_NDIM(at), ARR_DIMS(at)), ArrayGetNItems(ARR_NDIM(amounts), ARR_DIMS(amounts)));
	for (int i = 0; i < n; i++)
		series_builder_add(state, first + ((int16 *) ARR_DATA_PTR(at))[i] * USECS_PER_DAY,
						   (double) ((int64 *) ARR_DATA_PTR(amounts))[i]);
	PG_RETURN_POINTER(state);
}

/* ---------- the outlook ---------- */

/* The use on each of the last days until the last capture, or NULL where there is none. */
static Series *
daily_use(const Series *changes, bool is_counter, DateADT captured_until)
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
	double		projected;		/* at the end of the horizon, at the pace of the last weeks */
} UsageOutlook;

static void
look_ahead(const Series *daily, const ReachRequest *request, UsageOutlook *outlook)
{
	const double *y = SERIES_VALUES(daily);
	double		days = (double) (request->until - request->as_of) / USECS_PER_DAY;

	outlook->current = y[daily->n - 1];
	outlook->projected = outlook->current + Max(cf_usage_pace(y, daily->n, PACE_DAYS), 0.0) * days;
	if (outlook->current + REACH_FACTOR * cf_usage_largest_gain(y, daily->n) * days < request->threshold)
		outlook->reach.verdict.status = FORECAST_BEYOND_HORIZON;
	else
		reach_run(daily, request, &outlook->reach);
}

static void
put_date(Datum *values, bool *nulls, int at, bool is_known, DateADT day)
{
	values[at] = DateADTGetDatum(day);
	nulls[at] = !is_known;
}

/*
 * capforecast._usage_outlook(used, is_counter, quota, captured_until, as_of, until) →
 *		(status, current_value, projected_value, breach_date, earliest, latest, breach_probability)
 */
PG_FUNCTION_INFO_V1(capforecast_usage_outlook);
Datum
capforecast_usage_outlook(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(caller, "capforecast usage", ALLOCSET_DEFAULT_SIZES);
	ReachRequest request = {.has_threshold = true, .direction = CF_UPWARD, .level = CONFIDENCE_LEVEL, .kind = CF_KIND_STOCK};
	UsageOutlook outlook = {.current = NAN, .projected = NAN};
	Series	   *daily;
	Datum		values[7];
	bool		nulls[7] = {false};
	TupleDesc	desc;
	HeapTuple	tuple;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	MemoryContextSwitchTo(work);
	request.threshold = (double) PG_GETARG_INT64(2);
	request.as_of = PG_GETARG_TIMESTAMPTZ(4);
	request.until = PG_GETARG_TIMESTAMPTZ(5);
	daily = daily_use(PG_GETARG_SERIES(0), PG_GETARG_BOOL(1), PG_GETARG_DATEADT(3));
	if (daily == NULL)
		outlook.reach.verdict.status = FORECAST_INSUFFICIENT_HISTORY;
	else
		look_ahead(daily, &request, &outlook);
	MemoryContextSwitchTo(caller);

	values[0] = forecast_status_datum(outlook.reach.verdict.status, TupleDescAttr(desc, 0)->atttypid);
	values[1] = Float8GetDatum(outlook.current);
	nulls[1] = isnan(outlook.current);
	values[2] = Float8GetDatum(outlook.projected);
	nulls[2] = isnan(outlook.projected);
	put_date(values, nulls, 3, outlook.reach.has_breach, outlook.reach.breach);
	put_date(values, nulls, 4, outlook.reach.has_earliest, outlook.reach.earliest);
	put_date(values, nulls, 5, outlook.reach.has_latest, outlook.reach.latest);
	values[6] = Float8GetDatum(outlook.reach.probability);
	nulls[6] = !outlook.reach.has_probability;
	tuple = heap_form_tuple(desc, values, nulls);
	MemoryContextDelete(work);
	PG_RETURN_DATUM(HeapTupleGetDatum(tuple));
}
