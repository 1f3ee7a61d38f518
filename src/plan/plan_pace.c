/*
 * plan_pace.c
 *		The chance that a vendor uses up what its plan allows before the period ends: the SQL
 *		face of cf_pace.h.
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
#include "host/host_sql.h"
#include "host/host_vendor.h"
#include "plan/plan_usage.h"
#include "plan/rules/cf_pace.h"

/* PostgreSQL counts from a Saturday, too. */
#define WEEKDAY_OF(day)	((((day) % CF_WEEK) + CF_WEEK) % CF_WEEK)

static Datum
array_of(const double *values, int n)
{
	Datum	   *elements = palloc(sizeof(Datum) * n);

	for (int i = 0; i < n; i++)
		elements[i] = Float8GetDatum(values[i]);
	return PointerGetDatum(construct_array(elements, n, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* An argument of so many numbers; 22004, 2202E where it is not one. */
static const double *
numbers(FunctionCallInfo fcinfo, int argument, int n)
{
	ArrayType  *array;

	row_require(fcinfo, argument, "numbers");
	array = PG_GETARG_ARRAYTYPE_P(argument);
	if (ARR_ELEMTYPE(array) != FLOAT8OID || ARR_HASNULL(array) || ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != n)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("argument %d must hold %d numbers", argument + 1, n)));
	return (const double *) ARR_DATA_PTR(array);
}

static void
take_pace(FunctionCallInfo fcinfo, int first, CfPace *pace)
{
	memcpy(pace->count, numbers(fcinfo, first, CF_WEEK), sizeof(pace->count));
	memcpy(pace->square, numbers(fcinfo, first + 1, CF_WEEK), sizeof(pace->square));
	memcpy(pace->days, numbers(fcinfo, first + 2, CF_WEEK), sizeof(pace->days));
}

/* ---------- what is known of a vendor ---------- */

/* What each day but the first known one added. */
static double *
additions(const Series *daily)
{
	const double *y = SERIES_VALUES(daily);
	double	   *added = palloc(sizeof(double) * daily->n);

	for (int i = 1; i < daily->n; i++)
		added[i - 1] = y[i] - y[i - 1];
	return added;
}

/*
 * capforecast._vendor_pace(vendor, captured_until) → (resource, used, counts, squares, days)
 *		A day is captured as it begins: what it has more than the one before came on that one.
 */
PG_FUNCTION_INFO_V1(capforecast_vendor_pace);
Datum
capforecast_vendor_pace(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Series	   *changes[N_RESOURCES];
	DateADT		captured_until;
	MemoryContext work;
	MemoryContext caller;

	CHECK_FOR_INTERRUPTS();
	row_require(fcinfo, 0, "vendor");
	row_require(fcinfo, 1, "captured_until");
	captured_until = PG_GETARG_DATEADT(1);
	row_set(fcinfo, 5);
	work = AllocSetContextCreate(CurrentMemoryContext, "capforecast vendor", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(work);
	usage_read_changes(PG_GETARG_DATUM(0), captured_until, changes);
	for (int r = 0; r < N_RESOURCES; r++)
	{
		Series	   *daily = usage_daily(changes[r], r == RESOURCE_ORDERS_MONTHLY, captured_until);
		Datum		values[5];
		bool		nulls[5] = {false};
		CfPace		pace;

		if (daily == NULL)
			continue;
		cf_pace_fill(&pace, additions(daily), daily->n - 1, WEEKDAY_OF(captured_until - (daily->n - 1)));
		values[0] = Int32GetDatum(r + 1);
		values[1] = Float8GetDatum(SERIES_VALUES(daily)[daily->n - 1]);
		values[2] = array_of(pace.count, CF_WEEK);
		values[3] = array_of(pace.square, CF_WEEK);
		values[4] = array_of(pace.days, CF_WEEK);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return (Datum) 0;
}

/* ---------- of all, and the chance ---------- */

/* capforecast._pace_weights(counts, days) → float8[] */
PG_FUNCTION_INFO_V1(capforecast_pace_weights);
Datum
capforecast_pace_weights(PG_FUNCTION_ARGS)
{
	double		weight[CF_WEEK];

	cf_pace_weights(numbers(fcinfo, 0, CF_WEEK), numbers(fcinfo, 1, CF_WEEK), weight);
	PG_RETURN_DATUM(array_of(weight, CF_WEEK));
}

/* capforecast._pace_sums(counts, squares, days, weights) → float8[] */
PG_FUNCTION_INFO_V1(capforecast_pace_sums);
Datum
capforecast_pace_sums(PG_FUNCTION_ARGS)
{
	CfPace		pace;
	double		sums[CF_PACE_SUMS];

	take_pace(fcinfo, 0, &pace);
	cf_pace_sums(&pace, numbers(fcinfo, 3, CF_WEEK), sums);
	PG_RETURN_DATUM(array_of(sums, CF_PACE_SUMS));
}

/*
 * capforecast._pace_chance(counts, squares, days, weights, sums, at_least, from_time, until) → (chance, expected)
 */
PG_FUNCTION_INFO_V1(capforecast_pace_chance);
Datum
capforecast_pace_chance(PG_FUNCTION_ARGS)
{
	CfPace		pace;
	CfPacePrior prior;
	const double *weight;
	double		chance;
	double		expected;
	Datum		values[2];
	bool		nulls[2] = {false};
	TupleDesc	desc = row_type(fcinfo, lengthof(values));

	take_pace(fcinfo, 0, &pace);
	weight = numbers(fcinfo, 3, CF_WEEK);
	cf_pace_prior(numbers(fcinfo, 4, CF_PACE_SUMS), &prior);
	for (int i = 5; i < 8; i++)
		row_require(fcinfo, i, "a number or time");
	if (TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(6)) || TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(7)))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("times must be finite")));
	chance = cf_pace_chance(&pace, weight, &prior, PG_GETARG_FLOAT8(5),
							cf_pace_ahead(PG_GETARG_TIMESTAMPTZ(6), PG_GETARG_TIMESTAMPTZ(7), weight), &expected);
	values[0] = Float8GetDatum(chance);
	nulls[0] = isnan(chance);
	values[1] = Float8GetDatum(expected);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/* ---------- the vendors ---------- */

#define SEVEN_OF(column) \
	"ARRAY[sum(" column "[1]), sum(" column "[2]), sum(" column "[3]), sum(" column "[4]), " \
	"      sum(" column "[5]), sum(" column "[6]), sum(" column "[7])]"

/*
 * Once more: limits, tiers and names of the host (host_vendor.h).  $1 is now, $2 the last
 * captured day.  A vendor without a period is judged by the month.
 */
static const char *const statement =
"WITH used AS MATERIALIZED ("
"  SELECT l.vendor, l.tier, l.products_extra, l.orders_extra, l.team_members_extra, p.resource, p.used, p.counts, p.squares, p.days, "
"         (ARRAY[l.products_limit, l.orders_limit, l.team_members_limit])[p.resource] AS quota, "
"         CASE WHEN l.period_end > $1 THEN l.period_end "
"              ELSE date_trunc('month', $1 AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + interval '1 month' END AS period_end "
"    FROM (%1$s) l CROSS JOIN LATERAL capforecast._vendor_pace(l.vendor, $2) p), "
"week AS MATERIALIZED (SELECT resource, capforecast._pace_weights(" SEVEN_OF("counts") ", " SEVEN_OF("days") ") AS weights "
"    FROM used GROUP BY resource), "
"everyone AS MATERIALIZED (SELECT u.resource, w.weights, "
"         ARRAY[sum(s[1]), sum(s[2]), sum(s[3]), sum(s[4]), sum(s[5]), sum(s[6])] AS sums "
"    FROM used u JOIN week w USING (resource) CROSS JOIN LATERAL capforecast._pace_sums(u.counts, u.squares, u.days, w.weights) s "
"   GROUP BY 1, 2), "
"judged AS MATERIALIZED ("
"  SELECT u.*, c.chance, u.used + c.expected AS expected, "
/* whoever comes to a limit wants more than it */
"         CASE WHEN c.chance >= $3 OR u.used >= u.quota THEN greatest(u.used + c.expected, u.quota + 1) ELSE u.used + c.expected END AS wanted "
"    FROM used u JOIN everyone e USING (resource) "
"   CROSS JOIN LATERAL capforecast._pace_chance(u.counts, u.squares, u.days, e.weights, e.sums, "
"         coalesce(u.quota, 0) - u.used, $2::timestamp AT TIME ZONE 'UTC', u.period_end) c), "
/* a tier must carry all three */
"whole AS (SELECT vendor, tier, coalesce(max(wanted) FILTER (WHERE resource = 1), 0) AS products, "
"         coalesce(max(wanted) FILTER (WHERE resource = 2), 0) AS orders, coalesce(max(wanted) FILTER (WHERE resource = 3), 0) AS team "
"    FROM judged GROUP BY 1, 2) "
"SELECT j.vendor, n.name, (ARRAY['products', 'orders_monthly', 'team_members'])[j.resource], j.tier, j.used, j.quota, "
"       j.period_end, j.chance, ceil(extract(epoch FROM j.period_end - $1) / 86400)::integer, j.expected, j.used >= j.quota, fit.code "
"  FROM judged j JOIN whole w ON w.vendor = j.vendor AND w.tier IS NOT DISTINCT FROM j.tier "
"  LEFT JOIN LATERAL (SELECT t.code FROM (%2$s) t "
"     WHERE (t.products_limit IS NULL OR w.products <= t.products_limit + j.products_extra) "
"       AND (t.orders_limit IS NULL OR w.orders <= t.orders_limit + j.orders_extra) "
"       AND (t.team_limit IS NULL OR w.team <= t.team_limit + j.team_members_extra) "
"     ORDER BY t.price, t.position, t.code LIMIT 1) fit ON true "
"  LEFT JOIN (%3$s) n ON n.vendor = j.vendor "
" WHERE j.quota IS NOT NULL AND (j.chance >= $3 OR j.used >= j.quota) "
/* who was at a limit, and not above, on every day known, as is usual where plans allow one, has not come to it */
"   AND NOT (j.resource <> 2 AND j.used = j.quota AND 0 >= ALL (j.counts)) "
" ORDER BY j.period_end, j.vendor COLLATE \"C\", j.resource";

/* Columns of _vendor_chance. */
#define N_COLUMNS	12

/*
 * capforecast._vendor_chances(as_of, captured_until, least_chance): a row for each limit that is reached, or
 * will be before the period ends with at least that chance.
 */
PG_FUNCTION_INFO_V1(capforecast_vendor_chances);
Datum
capforecast_vendor_chances(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			types[3] = {TIMESTAMPTZOID, DATEOID, FLOAT8OID};
	Datum		values[3];
	Scope		scope;

	for (int i = 0; i < lengthof(types); i++)
	{
		row_require(fcinfo, i, i == 0 ? "as_of" : i == 1 ? "captured_until" : "least_chance");
		values[i] = PG_GETARG_DATUM(i);
	}
	row_set(fcinfo, N_COLUMNS);
	scope_enter(&scope);
	/* costs say little of one call in thousands: compiling takes longer than it saves */
	scope_set("jit", "off");
	host_sql_read_with(psprintf(statement, host_vendor_limits, host_vendor_tiers, host_vendor_names), lengthof(types), types, values);
	for (uint64 row = 0; row < SPI_processed; row++)
		tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[row]);
	scope_leave(&scope);
	return (Datum) 0;
}
