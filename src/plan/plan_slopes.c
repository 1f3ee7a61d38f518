/*
 * plan_slopes.c
 *		What growth_trends() says beside the first and the last snapshot: the slope of all of
 *		them, and the rates that follow.
 *
 * A day without a value is a gap here, not 0, and one day out of line moves the slope
 * (Theil-Sen, core/cf_slope.h) hardly at all.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "common/row.h"
#include "common/scope.h"
#include "core/models/cf_slope.h"
#include "plan/plan_trends.h"

#define N_COLUMNS	5

static void
read_days(DateADT start, DateADT end)
{
	Oid			types[2] = {DATEOID, DATEOID};
	Datum		values[2] = {DateADTGetDatum(start), DateADTGetDatum(end)};

	scope_execute("SELECT snapshot_date, active_vendors::float8, total_products::float8, total_orders_month::float8, "
				  "       total_team_members::float8, storage_used_gb::float8 "
				  "  FROM capforecast.capacity_snapshots WHERE snapshot_date BETWEEN $1 AND $2",
				  2, types, values, NULL, true, SPI_OK_SELECT);
}

/* The metric's value on each day, NaN where there is none. */
static void
fill(double *y, int n, DateADT start, int metric)
{
	for (int i = 0; i < n; i++)
		y[i] = NAN;
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		bool		is_null;
		int			day = DatumGetDateADT(scope_datum(row, 1, &is_null)) - start;
		double		value = DatumGetFloat8(scope_datum(row, 2 + metric, &is_null));

		if (!is_null && day >= 0 && day < n)
			y[day] = value;
	}
}

static void
put(Datum *values, bool *nulls, int at, double value)
{
	values[at] = Float8GetDatum(value);
	nulls[at] = !isfinite(value);
}

static void
put_slopes(ReturnSetInfo *rsinfo, int metric, const double *y, int n, double *work)
{
	Datum		values[N_COLUMNS];
	bool		nulls[N_COLUMNS] = {false};
	double		slope = NAN,
				intercept,
				acceleration = NAN;
	double		days = n - 1;

	values[0] = CStringGetTextDatum(trend_metric_names[metric]);
	if (cf_slope_robust(y, n, work, &slope, &intercept) != CF_OK)
		slope = NAN;
	if (cf_slope_acceleration(y, n, work, &acceleration) != CF_OK)
		acceleration = NAN;
	put(values, nulls, 1, slope);
	put(values, nulls, 2, cf_slope_cagr(y[0], y[n - 1], days));
	put(values, nulls, 3, cf_slope_doubling_days(y[0], y[n - 1], days));
	put(values, nulls, 4, acceleration);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * capforecast._growth_slopes(start_date, end_date): a row per metric of growth_trends()
 */
PG_FUNCTION_INFO_V1(capforecast_growth_slopes);
Datum
capforecast_growth_slopes(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	DateADT		start = PG_GETARG_DATEADT(0);
	DateADT		end = PG_GETARG_DATEADT(1);
	int			n;
	double	   *y,
			   *work;
	Scope		scope;

	row_set(fcinfo, N_COLUMNS);
	if (DATE_NOT_FINITE(start) || DATE_NOT_FINITE(end) || end <= start || (int64) end - start > TREND_DAYS_MAX)
		return (Datum) 0;
	n = end - start + 1;
	scope_enter(&scope);
	read_days(start, end);
	y = palloc(sizeof(double) * n);
	work = palloc(sizeof(double) * cf_slope_worksize(n));
	for (int m = 0; m < N_TRENDS; m++)
	{
		CHECK_FOR_INTERRUPTS();
		fill(y, n, start, m);
		put_slopes(rsinfo, m, y, n, work);
	}
	scope_leave(&scope);
	return (Datum) 0;
}
