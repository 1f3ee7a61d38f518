/*
 * clock.c
 *		Days in UTC, whatever the session's time zone.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/datetime.h"

#include "common/clock.h"

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

char *
clock_date_text(DateADT day)
{
	char		text[MAXDATELEN + 1];
	struct pg_tm tm = {0};

	j2date(day + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	EncodeDateOnly(&tm, USE_ISO_DATES, text);
	return pstrdup(text);
}
