/*
 * subscription_period.c
 *		Where periods begin.
 *
 * Boundary n of an anchor is the anchor plus n months on the local clock of its zone,
 * clamped to the month's last day, and always counted from the anchor: 31 January gives
 * 28 February, 31 March, 30 April.  The detour over local time is what makes it
 * independent of the session's time zone.  C, because a job asks it a few times for each
 * of some hundred thousand subscriptions.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "common/row.h"

static TimestampTz
boundary(Timestamp anchor, Datum zone, int months)
{
	Interval	step = {.time = 0, .day = 0, .month = months};
	Datum		local = DirectFunctionCall2(timestamp_pl_interval, TimestampGetDatum(anchor), IntervalPGetDatum(&step));

	return DatumGetTimestampTz(DirectFunctionCall2(timestamp_zone, zone, local));
}

static int
calendar_month(Timestamp local)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (timestamp2tm(local, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return tm.tm_year * MONTHS_PER_YEAR + tm.tm_mon;
}

/*
 * capforecast._boundary(anchor timestamp, zone text, months integer) → timestamptz
 */
PG_FUNCTION_INFO_V1(capforecast_boundary);
Datum
capforecast_boundary(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(boundary(PG_GETARG_TIMESTAMP(0), PG_GETARG_DATUM(1), PG_GETARG_INT32(2)));
}

/*
 * The last boundary at or before the instant.  The difference of calendar months gives it
 * or its neighbour: clamping and clock changes move it by one either way.
 */
static int
months_before(Timestamp anchor, Datum zone, TimestampTz instant)
{
	Timestamp	local = DatumGetTimestamp(DirectFunctionCall2(timestamptz_zone, zone, TimestampTzGetDatum(instant)));
	int			months = calendar_month(local) - calendar_month(anchor);

	if (boundary(anchor, zone, months) > instant)
		months--;
	else if (boundary(anchor, zone, months + 1) <= instant)
		months++;
	return months;
}

/*
 * capforecast._months_before(anchor timestamp, zone text, instant timestamptz) → integer
 */
PG_FUNCTION_INFO_V1(capforecast_months_before);
Datum
capforecast_months_before(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(months_before(PG_GETARG_TIMESTAMP(0), PG_GETARG_DATUM(1), PG_GETARG_TIMESTAMPTZ(2)));
}

/* A row of three columns; its type is looked up once in a statement. */
static Datum
three_columns(FunctionCallInfo fcinfo, Datum *values)
{
	bool		nulls[3] = {false, false, false};
	TupleDesc	desc = fcinfo->flinfo->fn_extra;
	MemoryContext caller;

	if (desc == NULL)
	{
		caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		desc = row_type(fcinfo, lengthof(nulls));
		MemoryContextSwitchTo(caller);
		fcinfo->flinfo->fn_extra = desc;
	}
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/*
 * capforecast._window(anchor timestamp, zone text, after timestamptz, step integer, instant timestamptz,
 *		OUT starts timestamptz, OUT ends timestamptz, OUT missed integer)
 *		The window of step months that holds the instant, or the first one after "after",
 *		which is where an earlier one ended: nothing begins before it.  missed: how many
 *		boundaries lie between.
 */
PG_FUNCTION_INFO_V1(capforecast_window);
Datum
capforecast_window(PG_FUNCTION_ARGS)
{
	Timestamp	anchor = PG_GETARG_TIMESTAMP(0);
	Datum		zone = PG_GETARG_DATUM(1);
	TimestampTz after = PG_GETARG_TIMESTAMPTZ(2);
	int			step = PG_GETARG_INT32(3);
	TimestampTz instant = Max(PG_GETARG_TIMESTAMPTZ(4), after);
	int			first = months_before(anchor, zone, after);
	int			missed = (months_before(anchor, zone, instant) - first) / step;
	Datum		values[3];

	values[0] = TimestampTzGetDatum(missed == 0 ? after : boundary(anchor, zone, first + missed * step));
	values[1] = TimestampTzGetDatum(boundary(anchor, zone, first + (missed + 1) * step));
	values[2] = Int32GetDatum(missed);
	return three_columns(fcinfo, values);
}

/*
 * capforecast._terms(anchor timestamp, zone text, step integer, starts timestamptz, ends timestamptz,
 *		OUT periods integer, OUT first integer, OUT whole_from timestamptz)
 *		How many periods of step months end with "ends", and where the first of them begins
 *		on the grid: in months from the anchor, and as an instant, which is before "starts"
 *		where that one is short.  Off the grid what there is counts as whole.
 */
PG_FUNCTION_INFO_V1(capforecast_terms);
Datum
capforecast_terms(PG_FUNCTION_ARGS)
{
	Timestamp	anchor = PG_GETARG_TIMESTAMP(0);
	Datum		zone = PG_GETARG_DATUM(1);
	int			step = PG_GETARG_INT32(2);
	TimestampTz starts = PG_GETARG_TIMESTAMPTZ(3);
	TimestampTz ends = PG_GETARG_TIMESTAMPTZ(4);
	int			last = months_before(anchor, zone, ends);
	int			periods = Max((last - months_before(anchor, zone, starts) + step - 1) / step, 1);
	int			first = last - periods * step;
	bool		on_grid = boundary(anchor, zone, last) == ends;
	Datum		values[3];

	values[0] = Int32GetDatum(periods);
	values[1] = Int32GetDatum(first);
	values[2] = TimestampTzGetDatum(on_grid ? Min(boundary(anchor, zone, first), starts) : starts);
	return three_columns(fcinfo, values);
}
