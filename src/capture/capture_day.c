/*
 * capture_day.c
 *		Only today is captured.
 */
#include "postgres.h"

#include "capture/capture_day.h"
#include "common/clock.h"

void
capture_require_today(TimestampTz as_of, TimestampTz now)
{
	DateADT		today = clock_utc_day(now);

	if (clock_utc_day(as_of) != today)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot capture %s", clock_date_text(clock_utc_day(as_of))),
				 errdetail("Values are measured as of now, which is %s in UTC.", clock_date_text(today)),
				 errhint("Leave as_of out.")));
}
