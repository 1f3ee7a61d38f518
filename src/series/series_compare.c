/*
 * series_compare.c
 *		Order and equality of series, for DISTINCT, GROUP BY, UNION and indexes.
 *
 * Series are compared point by point, and the shorter comes first where it is the beginning
 * of the longer.  Equal series have equal bytes, which is what the hash is made of.
 */
#include "postgres.h"

#include "common/hashfn.h"

#include "series/series.h"

static int
compare(FunctionCallInfo fcinfo)
{
	Series	   *a = PG_GETARG_SERIES(0);
	Series	   *b = PG_GETARG_SERIES(1);
	int			order = 0;

	for (int i = 0; i < a->n && i < b->n && order == 0; i++)
		order = series_point_compare(a->time[i], SERIES_VALUES(a)[i], b->time[i], SERIES_VALUES(b)[i]);
	if (order == 0)
		order = a->n < b->n ? -1 : a->n > b->n;
	/* index code leaks what is detoasted */
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return order;
}

PG_FUNCTION_INFO_V1(capforecast_series_cmp);
Datum
capforecast_series_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare(fcinfo));
}

PG_FUNCTION_INFO_V1(capforecast_series_eq);
Datum
capforecast_series_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) == 0);
}

PG_FUNCTION_INFO_V1(capforecast_series_ne);
Datum
capforecast_series_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) != 0);
}

PG_FUNCTION_INFO_V1(capforecast_series_lt);
Datum
capforecast_series_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) < 0);
}

PG_FUNCTION_INFO_V1(capforecast_series_le);
Datum
capforecast_series_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) <= 0);
}

PG_FUNCTION_INFO_V1(capforecast_series_gt);
Datum
capforecast_series_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) > 0);
}

PG_FUNCTION_INFO_V1(capforecast_series_ge);
Datum
capforecast_series_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) >= 0);
}

PG_FUNCTION_INFO_V1(capforecast_series_hash);
Datum
capforecast_series_hash(PG_FUNCTION_ARGS)
{
	Series	   *series = PG_GETARG_SERIES(0);
	Datum		hash = hash_any((unsigned char *) series->time, (int) (SERIES_SIZE(series->n) - SERIES_SIZE(0)));

	PG_FREE_IF_COPY(series, 0);
	return hash;
}

PG_FUNCTION_INFO_V1(capforecast_series_hash_extended);
Datum
capforecast_series_hash_extended(PG_FUNCTION_ARGS)
{
	Series	   *series = PG_GETARG_SERIES(0);
	Datum		hash = hash_any_extended((unsigned char *) series->time, (int) (SERIES_SIZE(series->n) - SERIES_SIZE(0)),
										 (uint64) PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(series, 0);
	return hash;
}
