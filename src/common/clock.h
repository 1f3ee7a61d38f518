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

/* The argument as_of: the given instant, or now where it is NULL.  Infinite: 22023. */
extern TimestampTz clock_as_of(FunctionCallInfo fcinfo, int argument, TimestampTz now);

/* 2026-11-24, whatever DateStyle says. */
extern char *clock_date_text(DateADT day);

#endif							/* CAPFORECAST_CLOCK_H */
