/*
 * series_agg.c
 *		The aggregate series_agg(ts, y), over timestamptz, timestamp and date.
 *
 * The state is a SeriesBuilder in the aggregate's own memory context.  Points are sorted
 * once, at the end, and not by ORDER BY inside the aggregate, which would rule out
 * partial aggregation: so it runs in parallel workers and in partition-wise plans, and
 * the result does not depend on who read which rows.
 */
#include "postgres.h"

#include "libpq/pqformat.h"

#include "series/series.h"

static SeriesBuilder *
state_make(MemoryContext context)
{
	SeriesBuilder *state = MemoryContextAlloc(context, sizeof(SeriesBuilder));

	series_builder_init(state, context);
	return state;
}

static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	return context;
}

/* The state, made at the first row that has both a time and a value. */
static Datum
accumulate(FunctionCallInfo fcinfo, TimestampTz (*time_argument) (FunctionCallInfo fcinfo))
{
	MemoryContext context = aggregate_context(fcinfo);
	SeriesBuilder *state = PG_ARGISNULL(0) ? NULL : (SeriesBuilder *) PG_GETARG_POINTER(0);

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = state_make(context);
	series_builder_add(state, time_argument(fcinfo), PG_GETARG_FLOAT8(2));
	PG_RETURN_POINTER(state);
}

/* A timestamp counts the same microseconds, and is read as UTC. */
static TimestampTz
timestamp_argument(FunctionCallInfo fcinfo)
{
	return PG_GETARG_TIMESTAMPTZ(1);
}

static TimestampTz
date_argument(FunctionCallInfo fcinfo)
{
	return series_date_instant(PG_GETARG_DATEADT(1));
}

PG_FUNCTION_INFO_V1(capforecast_series_accum);
Datum
capforecast_series_accum(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, timestamp_argument);
}

PG_FUNCTION_INFO_V1(capforecast_series_accum_date);
Datum
capforecast_series_accum_date(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, date_argument);
}

PG_FUNCTION_INFO_V1(capforecast_series_combine);
Datum
capforecast_series_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	SeriesBuilder *state = PG_ARGISNULL(0) ? NULL : (SeriesBuilder *) PG_GETARG_POINTER(0);
	SeriesBuilder *other = PG_ARGISNULL(1) ? NULL : (SeriesBuilder *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	/* the other one may live in a context that is reset after this call */
	if (state == NULL)
		state = state_make(context);
	series_builder_append(state, other);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(capforecast_series_serialize);
Datum
capforecast_series_serialize(PG_FUNCTION_ARGS)
{
	SeriesBuilder *state;
	StringInfoData buffer;

	(void) aggregate_context(fcinfo);
	state = (SeriesBuilder *) PG_GETARG_POINTER(0);
	pq_begintypsend(&buffer);
	pq_sendint32(&buffer, state->n);
	for (int i = 0; i < state->n; i++)
	{
		pq_sendint64(&buffer, state->points[i].time);
		pq_sendfloat8(&buffer, state->points[i].value);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

PG_FUNCTION_INFO_V1(capforecast_series_deserialize);
Datum
capforecast_series_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *serialized;
	SeriesBuilder *state;
	StringInfoData buffer;
	int			n;

	(void) aggregate_context(fcinfo);
	serialized = PG_GETARG_BYTEA_PP(0);
	initStringInfo(&buffer);
	appendBinaryStringInfo(&buffer, VARDATA_ANY(serialized), VARSIZE_ANY_EXHDR(serialized));
	state = state_make(CurrentMemoryContext);
	n = pq_getmsgint(&buffer, 4);
	for (int i = 0; i < n; i++)
	{
		TimestampTz time = pq_getmsgint64(&buffer);

		series_builder_add(state, time, pq_getmsgfloat8(&buffer));
	}
	pq_getmsgend(&buffer);
	PG_RETURN_POINTER(state);
}

/* No rows, or none with a time and a value: the series without points. */
PG_FUNCTION_INFO_V1(capforecast_series_final);
Datum
capforecast_series_final(PG_FUNCTION_ARGS)
{
	SeriesBuilder empty;

	(void) aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
	{
		series_builder_init(&empty, CurrentMemoryContext);
		PG_RETURN_POINTER(series_builder_finish(&empty));
	}
	PG_RETURN_POINTER(series_builder_finish((SeriesBuilder *) PG_GETARG_POINTER(0)));
}
