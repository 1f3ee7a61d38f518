/*
 * series_value.c
 *		Making a series from arrays, and taking it apart again.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "common/row.h"
#include "series/series.h"

typedef struct ArrayParts
{
	int			n;
	Datum	   *elements;
	bool	   *nulls;
} ArrayParts;

static ArrayParts
array_parts(ArrayType *array, Oid type, int16 length, char align, const char *name)
{
	ArrayParts	parts;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("array \"%s\" must have one dimension", name),
				 errdetail("It has %d.", ARR_NDIM(array))));
	deconstruct_array(array, type, length, true, align, &parts.elements, &parts.nulls, &parts.n);
	return parts;
}

/* NULL on either side: not a point. */
static Datum
make(const ArrayParts *times, ArrayType *array, bool of_dates)
{
	ArrayParts	values = array_parts(array, FLOAT8OID, sizeof(float8), TYPALIGN_DOUBLE, "y");
	SeriesBuilder builder;

	if (times->n != values.n)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("arrays \"ts\" and \"y\" must have the same length"),
				 errdetail("They have %d and %d elements.", times->n, values.n),
				 errhint("Give one value for each time; NULL where it is not known.")));
	series_builder_init(&builder, CurrentMemoryContext);
	for (int i = 0; i < values.n; i++)
	{
		if (times->nulls[i] || values.nulls[i])
			continue;
		series_builder_add(&builder,
						   of_dates ? series_date_instant(DatumGetDateADT(times->elements[i])) :
						   DatumGetTimestampTz(times->elements[i]),
						   DatumGetFloat8(values.elements[i]));
	}
	PG_RETURN_POINTER(series_builder_finish(&builder));
}

/* series(timestamptz[], float8[]), and the same over timestamp[]: the same bytes, read as UTC. */
PG_FUNCTION_INFO_V1(capforecast_series_from_arrays);
Datum
capforecast_series_from_arrays(PG_FUNCTION_ARGS)
{
	ArrayType  *ts = PG_GETARG_ARRAYTYPE_P(0);
	ArrayParts	times = array_parts(ts, ARR_ELEMTYPE(ts), sizeof(int64), TYPALIGN_DOUBLE, "ts");

	return make(&times, PG_GETARG_ARRAYTYPE_P(1), false);
}

PG_FUNCTION_INFO_V1(capforecast_series_from_dates);
Datum
capforecast_series_from_dates(PG_FUNCTION_ARGS)
{
	ArrayParts	times = array_parts(PG_GETARG_ARRAYTYPE_P(0), DATEOID, sizeof(DateADT), TYPALIGN_INT, "ts");

	return make(&times, PG_GETARG_ARRAYTYPE_P(1), true);
}

PG_FUNCTION_INFO_V1(capforecast_points);
Datum
capforecast_points(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Series	   *series;

	row_set(fcinfo, 2);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	series = PG_GETARG_SERIES(0);
	for (int i = 0; i < series->n; i++)
	{
		Datum		values[2];
		bool		nulls[2] = {false, false};

		CHECK_FOR_INTERRUPTS();
		values[0] = TimestampTzGetDatum(series->time[i]);
		values[1] = Float8GetDatum(SERIES_VALUES(series)[i]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(capforecast_n_points);
Datum
capforecast_n_points(PG_FUNCTION_ARGS)
{
	Series	   *head = (Series *) PG_DETOAST_DATUM_SLICE(PG_GETARG_DATUM(0), 0, sizeof(int32));

	PG_RETURN_INT32(head->n);
}
