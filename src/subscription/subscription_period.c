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

#include "fmgr.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

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
 * capforecast._months_before(anchor timestamp, zone text, instant timestamptz) → integer
 *		The last boundary at or before the instant.  The difference of calendar months
 *		gives it or its neighbour: clamping and clock changes move it by one either way.
 */
PG_FUNCTION_INFO_V1(capforecast_months_before);
Datum
capforecast_months_before(PG_FUNCTION_ARGS)
{
	Timestamp	anchor = PG_GETARG_TIMESTAMP(0);
	Datum		zone = PG_GETARG_DATUM(1);
	TimestampTz instant = PG_GETARG_TIMESTAMPTZ(2);
	Timestamp	local = DatumGetTimestamp(DirectFunctionCall2(timestamptz_zone, zone, TimestampTzGetDatum(instant)));
	int			months = calendar_month(local) - calendar_month(anchor);

	if (boundary(anchor, zone, months) > instant)
		months--;
	else if (boundary(anchor, zone, months + 1) <= instant)
		months++;
	PG_RETURN_INT32(months);
}
