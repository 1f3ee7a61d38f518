/*
 * clock.h
 *		The clock read once, and days in UTC.
 */
#ifndef CAPFORECAST_CLOCK_H
#define CAPFORECAST_CLOCK_H

#include "fmgr.h"
#include "utils/date.h"
#include "utils/timestamp.h"

/* The UTC day of an instant. */
extern DateADT clock_utc_day(TimestampTz instant);

/* Midnight UTC of a day. */
extern TimestampTz clock_day_start(DateADT day);

/*
 * The argument as_of, the one reading of it: the given instant, or now where it is NULL.  Infinite: 22023.
 * Where the function writes, so is an instant that lies ahead of the clock, unless
 * capforecast.allow_time_travel is on.
 */
extern TimestampTz clock_as_of(FunctionCallInfo fcinfo, int argument, TimestampTz now);
extern TimestampTz clock_as_of_writing(FunctionCallInfo fcinfo, int argument, TimestampTz now);

/* 2026-11-24, whatever DateStyle says. */
extern char *clock_date_text(DateADT day);

#endif							/* CAPFORECAST_CLOCK_H */
