/*
 * plan_trends.c
 *		growth_trends() and days_until_threshold(): the first and the last snapshot of a
 *		window, compared.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "common/clock.h"
#include "common/row.h"
#include "common/scope.h"
#include "forecast/forecast_request.h"
#include "plan/plan_trends.h"

const char *const trend_metric_names[N_TRENDS] = {
	"vendors", "products", "orders", "team_members", "storage_gb"
};

static int
trends_days(FunctionCallInfo fcinfo, int argument)
{
	return request_count(fcinfo, argument, "days", TREND_DAYS_MAX, "Give the number of days to look back, for example 30.");
}

/*
 * capforecast._check_days(days) → integer
 */
PG_FUNCTION_INFO_V1(capforecast_check_days);
Datum
capforecast_check_days(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(trends_days(fcinfo, 0));
}

/* The first day whose midnight is not before the instant. */
static DateADT
first_day_from(TimestampTz instant)
{
	DateADT		day = clock_utc_day(instant);

	return clock_day_start(day) < instant ? day + 1 : day;
}

/* The first and the last row of the window, in this order: at most two. */
static void
read_window(int days, TimestampTz as_of, bool bounded)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[2] = {DATEOID, DATEOID};
	Datum		values[2];

	values[0] = DateADTGetDatum(first_day_from(as_of - (int64) days * USECS_PER_DAY));
	values[1] = DateADTGetDatum(bounded ? clock_utc_day(as_of) : DATEVAL_NOEND);
	scope_read_kept(&plan, "WITH seen AS MATERIALIZED ("
				  "  SELECT count(*) AS n, min(snapshot_date) AS first, max(snapshot_date) AS last"
				  "    FROM capforecast.capacity_snapshots"
				  "   WHERE snapshot_date BETWEEN $1 AND $2) "
				  "SELECT seen.n, s.snapshot_date, coalesce(s.active_vendors, 0)::numeric, "
				  "       coalesce(s.total_products, 0)::numeric, coalesce(s.total_orders_month, 0)::numeric, "
				  "       coalesce(s.total_team_members, 0)::numeric, coalesce(s.storage_used_gb, 0)::numeric "
				  "  FROM seen LEFT JOIN capforecast.capacity_snapshots s "
				  "    ON s.snapshot_date IN (seen.first, seen.last) ORDER BY s.snapshot_date",
				  2, types, values);
}

static Datum
numeric_column(uint64 row, int column)
{
	bool		is_null;

	return PointerGetDatum(DatumGetNumericCopy(scope_datum(row, column, &is_null)));
}

static double
as_double(Datum numeric)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8, numeric));
}

Trends
trends_read(int days, TimestampTz as_of, bool bounded)
{
	Trends		trends = {0};
	bool		is_null;

	read_window(days, as_of, bounded);
	trends.n_snapshots = DatumGetInt64(scope_datum(0, 1, &is_null));
	trends.known = trends.n_snapshots >= 2;
	if (!trends.known)
		return trends;

	trends.start_date = DatumGetDateADT(scope_datum(0, 2, &is_null));
	trends.end_date = DatumGetDateADT(scope_datum(1, 2, &is_null));
	trends.period_days = Max(trends.end_date - trends.start_date, 1);
	for (int m = 0; m < N_TRENDS; m++)
	{
		Trend	   *trend = &trends.metrics[m];

		trend->name = trend_metric_names[m];
		trend->start = numeric_column(0, 3 + m);
		trend->current = numeric_column(1, 3 + m);
		trend->change = DirectFunctionCall2(numeric_sub, trend->current, trend->start);
		trend->current_value = as_double(trend->current);
		if (m != TREND_STORAGE_GB)
			trend->growth = cf_growth(as_double(trend->start), trend->current_value, trends.period_days);
	}
	return trends;
}

/*
 * capforecast._growth_trends(days, as_of): five rows, whatever the number of
 * snapshots; without two, only snapshots_available is set.
 */
PG_FUNCTION_INFO_V1(capforecast_growth_trends);
Datum
capforecast_growth_trends(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		bounded = !PG_ARGISNULL(1);
	TimestampTz as_of = clock_as_of(fcinfo, 1, GetCurrentTimestamp());
	int			days;
	Trends		trends;
	Scope		scope;

	days = trends_days(fcinfo, 0);
	row_set(fcinfo, 11);
	scope_enter(&scope);
	trends = trends_read(days, as_of, bounded);
	for (int m = 0; m < N_TRENDS; m++)
	{
		const Trend *trend = &trends.metrics[m];
		Datum		values[11];
		bool		nulls[11] = {false};

		values[0] = CStringGetTextDatum(trend_metric_names[m]);
		values[10] = Int64GetDatum(trends.n_snapshots);
		values[1] = trend->start;
		values[2] = trend->current;
		values[3] = trend->change;
		values[4] = Float8GetDatum(trend->growth.rate_percent);
		values[5] = Float8GetDatum(trend->growth.daily_percent);
		values[6] = Float8GetDatum(trend->growth.monthly_projection);
		values[7] = Int32GetDatum(trends.period_days);
		values[8] = DateADTGetDatum(trends.start_date);
		values[9] = DateADTGetDatum(trends.end_date);
		for (int c = 1; c <= 9; c++)
			nulls[c] = !trends.known || (m == TREND_STORAGE_GB && c >= 4 && c <= 6);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	scope_leave(&scope);
	return (Datum) 0;
}

static TrendMetric
metric_argument(text *argument)
{
	char	   *name = text_to_cstring(argument);

	for (int m = 0; m < N_TRENDS; m++)
		if (strcmp(name, trend_metric_names[m]) == 0)
			return m;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("metric \"%s\" does not exist", name),
			 errdetail("The metrics of growth_trends() are vendors, products, orders, team_members and storage_gb."),
			 errhint("time_to_threshold() answers for every other metric, too, with a range and a status.")));
}

PG_FUNCTION_INFO_V1(capforecast_days_until_threshold);
Datum
capforecast_days_until_threshold(PG_FUNCTION_ARGS)
{
	TrendMetric metric;
	double		threshold;
	bool		bounded = !PG_ARGISNULL(2);
	TimestampTz as_of = clock_as_of(fcinfo, 2, GetCurrentTimestamp());
	Trends		trends;
	int64		days;
	bool		known;
	Scope		scope;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	metric = metric_argument(PG_GETARG_TEXT_PP(0));
	threshold = PG_GETARG_FLOAT8(1);
	if (isnan(threshold))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("threshold must be a number"),
				 errhint("Give the value that the metric must not reach.")));
	scope_enter(&scope);
	trends = trends_read(30, as_of, bounded);
	known = trends.known && metric != TREND_STORAGE_GB &&
		cf_growth_days_until(trends.metrics[metric].current_value,
							 trends.metrics[metric].growth.daily_percent, threshold, &days);
	scope_leave(&scope);
	if (!known)
		PG_RETURN_NULL();
	PG_RETURN_INT64(days);
}
