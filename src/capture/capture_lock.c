/*
 * capture_lock.c
 *		One capture at a time, and only of today.
 *
 * The lock makes concurrent callers wait for one count instead of all counting; that a
 * day is stored once is the unique indexes' work.
 */
#include "postgres.h"

#include "utils/fmgrprotos.h"

#include "capture/capture_lock.h"
#include "common/clock.h"

/* First key of the advisory locks of capforecast: "capf". */
#define LOCK_CLASS		0x63617066

void
capture_lock(CaptureLock lock)
{
	DirectFunctionCall2(pg_advisory_xact_lock_int4, Int32GetDatum(LOCK_CLASS), Int32GetDatum(lock));
}

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
