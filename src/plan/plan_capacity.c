/*
 * plan_capacity.c
 *		subscription_capacity(): what the subscriptions allow against what is used.
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"

#include "common/row.h"
#include "common/scope.h"
#include "core/numerics/cf_round.h"
#include "host/host_sql.h"
#include "host/host_usage.h"
#include "plan/plan_capacity.h"

/* Columns of host_usage_capacity that the percentage is made from, counted from 1. */
#define COLUMN_LIMIT			2
#define COLUMN_ACTUAL_LIMITED	5
#define COLUMN_ACTUAL			8

/* utilization_percent stands after this column. */
#define COLUMN_BEFORE_PERCENT	COLUMN_ACTUAL

/* NaN: not known */
static double
count_at(uint64 row, int column)
{
	bool		is_null;
	Datum		count = scope_datum(row, column, &is_null);

	return is_null ? (double) NAN : (double) DatumGetInt64(count);
}

/* Of exactly the subscriptions that have a limit: unlimited ones would only blur it. */
static double
utilization_percent(uint64 row)
{
	return cf_round(cf_percent(count_at(row, COLUMN_ACTUAL_LIMITED), count_at(row, COLUMN_LIMIT)), 2);
}

void
capacity_read(ResourceCapacity capacity[N_RESOURCES])
{
	host_sql_read(host_usage_capacity);
	if (SPI_processed != N_RESOURCES)
		elog(ERROR, "capacity has " UINT64_FORMAT " rows", SPI_processed);
	for (int r = 0; r < N_RESOURCES; r++)
	{
		capacity[r].name = SPI_getvalue(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, 1);
		capacity[r].theoretical_limit = isnan(count_at(r, COLUMN_LIMIT)) ? 0 : (int64) count_at(r, COLUMN_LIMIT);
		capacity[r].actual = count_at(r, COLUMN_ACTUAL);
		capacity[r].utilization_percent = utilization_percent(r);
	}
}

PG_FUNCTION_INFO_V1(capforecast_subscription_capacity);
Datum
capforecast_subscription_capacity(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Scope		scope;

	InitMaterializedSRF(fcinfo, 0);
	scope_enter(&scope);
	host_sql_read(host_usage_capacity);
	row_check(rsinfo->setDesc, SPI_tuptable->tupdesc->natts + 1);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		int			n_columns = rsinfo->setDesc->natts;
		Datum	   *values = palloc0(sizeof(Datum) * n_columns);
		bool	   *nulls = palloc0(sizeof(bool) * n_columns);
		double		percent = utilization_percent(row);
		int			out = 0;

		for (int c = 1; c < n_columns; c++)
		{
			values[out] = scope_datum(row, c, &nulls[out]);
			out++;
			if (c != COLUMN_BEFORE_PERCENT)
				continue;
			values[out] = Float8GetDatum(percent);
			nulls[out++] = isnan(percent);
		}
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	scope_leave(&scope);
	return (Datum) 0;
}
