/*
 * series_count.c
 *		The aggregate count_series(ts [, from_date, to_date]): events to a series of counts by UTC day.
 *
 * A day without an event is a 0, and so are the days after the last one until yesterday:
 * who has left counts nothing, and is not of unknown use.  The day that is not over yet
 * is left out.
 */
#include "postgres.h"

#include "access/xact.h"
#include "libpq/pqformat.h"

#include "common/clock.h"
#include "series/series.h"

typedef struct CountState
{
	SeriesBuilder events;		/* how many on each day that has any */
	bool		has_from;
	bool		has_to;
	DateADT		from;
	DateADT		to;
} CountState;

/* False: NULL. */
static bool
date_argument(FunctionCallInfo fcinfo, int argument, const char *name, DateADT *date)
{
	if (PG_NARGS() <= argument || PG_ARGISNULL(argument))
		return false;
	*date = PG_GETARG_DATEADT(argument);
	if (DATE_NOT_FINITE(*date))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s must be finite", name),
				 errhint("Give NULL for the first event's day, or for yesterday.")));
	return true;
}

static CountState *
state_make(FunctionCallInfo fcinfo, MemoryContext context)
{
	CountState *state = MemoryContextAllocZero(context, sizeof(CountState));

	series_builder_init(&state->events, context);
	state->events.is_summing = true;
	state->has_from = date_argument(fcinfo, 2, "from_date", &state->from);
	state->has_to = date_argument(fcinfo, 3, "to_date", &state->to);
	if (state->has_from && state->has_to && state->from > state->to)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("from_date must not be after to_date"),
				 errdetail("They are %s and %s.", clock_date_text(state->from), clock_date_text(state->to)),
				 errhint("Both days are counted.")));
	return state;
}

static bool
is_same_date(bool has_a, DateADT a, bool has_b, DateADT b)
{
	return has_a == has_b && (!has_a || a == b);
}

/* A series has one first and one last day. */
static void
check_dates(const CountState *state, bool has_from, DateADT from, bool has_to, DateADT to)
{
	if (!is_same_date(state->has_from, state->from, has_from, from) ||
		!is_same_date(state->has_to, state->to, has_to, to))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("from_date and to_date must be the same in all rows of a group"),
				 errhint("Group by them, too, or give constants.")));
}

static Datum
accumulate(FunctionCallInfo fcinfo, TimestampTz day)
{
	MemoryContext context = series_aggregate_context(fcinfo);
	CountState *state = PG_ARGISNULL(0) ? state_make(fcinfo, context) : (CountState *) PG_GETARG_POINTER(0);
	DateADT		from = 0;
	DateADT		to = 0;
	bool		has_from = date_argument(fcinfo, 2, "from_date", &from);
	bool		has_to = date_argument(fcinfo, 3, "to_date", &to);

	check_dates(state, has_from, from, has_to, to);
	if (!PG_ARGISNULL(1))
		series_builder_add(&state->events, day, 1.0);
	PG_RETURN_POINTER(state);
}

/* A timestamp counts the same microseconds, and is read as UTC. */
PG_FUNCTION_INFO_V1(capforecast_count_accum);
Datum
capforecast_count_accum(PG_FUNCTION_ARGS)
{
	TimestampTz instant = PG_ARGISNULL(1) ? 0 : PG_GETARG_TIMESTAMPTZ(1);

	return accumulate(fcinfo, TIMESTAMP_NOT_FINITE(instant) ? instant : clock_day_start(clock_utc_day(instant)));
}

PG_FUNCTION_INFO_V1(capforecast_count_accum_date);
Datum
capforecast_count_accum_date(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, PG_ARGISNULL(1) ? 0 : series_date_instant(PG_GETARG_DATEADT(1)));
}

PG_FUNCTION_INFO_V1(capforecast_count_combine);
Datum
capforecast_count_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = series_aggregate_context(fcinfo);
	CountState *state = PG_ARGISNULL(0) ? NULL : (CountState *) PG_GETARG_POINTER(0);
	CountState *other = PG_ARGISNULL(1) ? NULL : (CountState *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
	{
		/* the other one may live in a context that is reset after this call */
		state = MemoryContextAlloc(context, sizeof(CountState));
		*state = *other;
		series_builder_init(&state->events, context);
		state->events.is_summing = true;
	}
	check_dates(state, other->has_from, other->from, other->has_to, other->to);
	series_builder_append(&state->events, &other->events);
	PG_RETURN_POINTER(state);
}

static void
send_date(StringInfo buffer, bool has_date, DateADT date)
{
	pq_sendbyte(buffer, has_date);
	pq_sendint32(buffer, has_date ? (uint32) date : 0);
}

static bool
receive_date(StringInfo buffer, DateADT *date)
{
	bool		has_date = pq_getmsgbyte(buffer) != 0;

	*date = (DateADT) pq_getmsgint(buffer, 4);
	return has_date;
}

PG_FUNCTION_INFO_V1(capforecast_count_serialize);
Datum
capforecast_count_serialize(PG_FUNCTION_ARGS)
{
	CountState *state;
	StringInfoData buffer;

	(void) series_aggregate_context(fcinfo);
	state = (CountState *) PG_GETARG_POINTER(0);
	pq_begintypsend(&buffer);
	send_date(&buffer, state->has_from, state->from);
	send_date(&buffer, state->has_to, state->to);
	series_builder_send(&state->events, &buffer);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

PG_FUNCTION_INFO_V1(capforecast_count_deserialize);
Datum
capforecast_count_deserialize(PG_FUNCTION_ARGS)
{
	CountState *state = palloc0(sizeof(CountState));
	StringInfoData buffer;
	bytea	   *serialized;

	(void) series_aggregate_context(fcinfo);
	serialized = PG_GETARG_BYTEA_PP(0);
	initStringInfo(&buffer);
	appendBinaryStringInfo(&buffer, VARDATA_ANY(serialized), VARSIZE_ANY_EXHDR(serialized));
	state->has_from = receive_date(&buffer, &state->from);
	state->has_to = receive_date(&buffer, &state->to);
	series_builder_receive(&state->events, &buffer, CurrentMemoryContext);
	pq_getmsgend(&buffer);
	PG_RETURN_POINTER(state);
}

/* The days from the first to the last one, in order, with what was counted on each. */
static Series *
fill_days(const SeriesBuilder *events, DateADT from, DateADT to)
{
	SeriesBuilder days;
	int			next = 0;

	series_builder_init(&days, CurrentMemoryContext);
	if ((int64) to - from >= SERIES_MAX_POINTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a series cannot have more than %d points", SERIES_MAX_POINTS),
				 errdetail("From %s to %s there are more days.", clock_date_text(from), clock_date_text(to)),
				 errhint("Give a later from_date, or leave out the events that are too early.")));
	for (int64 day = from; day <= to; day++)
	{
		TimestampTz start = clock_day_start((DateADT) day);
		bool		is_counted;

		while (next < events->n && events->points[next].time < start)
			next++;
		is_counted = next < events->n && events->points[next].time == start;
		series_builder_add(&days, start, is_counted ? events->points[next].value : 0.0);
	}
	return series_builder_finish(&days);
}

PG_FUNCTION_INFO_V1(capforecast_count_final);
Datum
capforecast_count_final(PG_FUNCTION_ARGS)
{
	CountState *state = PG_ARGISNULL(0) ? NULL : (CountState *) PG_GETARG_POINTER(0);
	DateADT		yesterday = clock_utc_day(GetCurrentStatementStartTimestamp()) - 1;
	SeriesBuilder empty;
	DateADT		from;
	DateADT		to;

	(void) series_aggregate_context(fcinfo);
	if (state != NULL && (state->has_from || state->events.n > 0))
	{
		series_builder_settle(&state->events);
		from = state->has_from ? state->from : clock_utc_day(state->events.points[0].time);
		to = state->has_to ? Min(state->to, yesterday) : yesterday;
		if (from <= to)
			PG_RETURN_POINTER(fill_days(&state->events, from, to));
	}
	series_builder_init(&empty, CurrentMemoryContext);
	PG_RETURN_POINTER(series_builder_finish(&empty));
}
