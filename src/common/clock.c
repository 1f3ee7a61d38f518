/*
 * clock.c
 *		The one reading of as_of, and days in UTC, whatever the session's time zone.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/datetime.h"

#include "common/clock.h"
#include "common/settings.h"

DateADT
clock_utc_day(TimestampTz instant)
{
	int64		day = instant / USECS_PER_DAY;

	/* C division goes towards zero, days go down */
	if (instant % USECS_PER_DAY < 0)
		day--;
	return (DateADT) day;
}

TimestampTz
clock_day_start(DateADT day)
{
	return (TimestampTz) day * USECS_PER_DAY;
}

TimestampTz
clock_as_of(FunctionCallInfo fcinfo, int argument, TimestampTz now)
{
	TimestampTz as_of;

	if (PG_ARGISNULL(argument))
		return now;
	as_of = PG_GETARG_TIMESTAMPTZ(argument);
	if (TIMESTAMP_NOT_FINITE(as_of))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("as_of must be finite"),
				 errhint("Leave it out for now.")));
	return as_of;
}

TimestampTz
clock_as_of_writing(FunctionCallInfo fcinfo, int argument, TimestampTz now)
{
	TimestampTz as_of = clock_as_of(fcinfo, argument, now);

	if (as_of > now + CLOCK_TOLERANCE_MINUTES * USECS_PER_MINUTE && !setting_allow_time_travel)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("as_of is in the future"),
				 errdetail("as_of_in_future: it is more than %d minutes ahead of the server's clock.",
						   CLOCK_TOLERANCE_MINUTES),
				 errhint("Leave it out for now; a superuser can set capforecast.allow_time_travel.")));
	return as_of;
}

char *
clock_date_text(DateADT day)
{
	char		text[MAXDATELEN + 1];
	struct pg_tm tm = {0};

	j2date(day + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	EncodeDateOnly(&tm, USE_ISO_DATES, text);
	return pstrdup(text);
}

/*
 * capforecast._instant(as_of timestamptz), capforecast._now(as_of timestamptz)
 *		The same for what is written in SQL: reads, and functions that write.
 */
PG_FUNCTION_INFO_V1(capforecast_instant);
Datum
capforecast_instant(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(clock_as_of(fcinfo, 0, GetCurrentTimestamp()));
}

PG_FUNCTION_INFO_V1(capforecast_now);
Datum
capforecast_now(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(clock_as_of_writing(fcinfo, 0, GetCurrentTimestamp()));
}
