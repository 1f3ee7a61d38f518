/*
 * series_agg.c
 *		The aggregates series_agg(ts, y), over timestamptz, timestamp and date, and series_agg(series).
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
state_make(MemoryContext context, bool is_summing)
{
	SeriesBuilder *state = MemoryContextAlloc(context, sizeof(SeriesBuilder));

	series_builder_init(state, context);
	state->is_summing = is_summing;
	return state;
}

MemoryContext
series_aggregate_context(FunctionCallInfo fcinfo)
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
	MemoryContext context = series_aggregate_context(fcinfo);
	SeriesBuilder *state = PG_ARGISNULL(0) ? NULL : (SeriesBuilder *) PG_GETARG_POINTER(0);

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = state_make(context, false);
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

/* Points of equal time are added: two shards, say, hold parts of the same days. */
PG_FUNCTION_INFO_V1(capforecast_series_merge);
Datum
capforecast_series_merge(PG_FUNCTION_ARGS)
{
	MemoryContext context = series_aggregate_context(fcinfo);
	SeriesBuilder *state = PG_ARGISNULL(0) ? NULL : (SeriesBuilder *) PG_GETARG_POINTER(0);

	if (state == NULL)
		state = state_make(context, true);
	if (!PG_ARGISNULL(1))
		series_builder_append_series(state, PG_GETARG_SERIES(1));
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(capforecast_series_combine);
Datum
capforecast_series_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = series_aggregate_context(fcinfo);
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
		state = state_make(context, other->is_summing);
	series_builder_append(state, other);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(capforecast_series_serialize);
Datum
capforecast_series_serialize(PG_FUNCTION_ARGS)
{
	StringInfoData buffer;

	(void) series_aggregate_context(fcinfo);
	pq_begintypsend(&buffer);
	series_builder_send((SeriesBuilder *) PG_GETARG_POINTER(0), &buffer);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

PG_FUNCTION_INFO_V1(capforecast_series_deserialize);
Datum
capforecast_series_deserialize(PG_FUNCTION_ARGS)
{
	SeriesBuilder *state = palloc(sizeof(SeriesBuilder));
	StringInfoData buffer;
	bytea	   *serialized;

	(void) series_aggregate_context(fcinfo);
	serialized = PG_GETARG_BYTEA_PP(0);
	initStringInfo(&buffer);
	appendBinaryStringInfo(&buffer, VARDATA_ANY(serialized), VARSIZE_ANY_EXHDR(serialized));
	series_builder_receive(state, &buffer, CurrentMemoryContext);
	pq_getmsgend(&buffer);
	PG_RETURN_POINTER(state);
}

/* No rows, or none with a time and a value: the series without points. */
PG_FUNCTION_INFO_V1(capforecast_series_final);
Datum
capforecast_series_final(PG_FUNCTION_ARGS)
{
	SeriesBuilder empty;

	(void) series_aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
	{
		series_builder_init(&empty, CurrentMemoryContext);
		PG_RETURN_POINTER(series_builder_finish(&empty));
	}
	PG_RETURN_POINTER(series_builder_finish((SeriesBuilder *) PG_GETARG_POINTER(0)));
}
