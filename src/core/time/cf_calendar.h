/*
 * cf_calendar.h
 *		Days and months of the (proleptic Gregorian) calendar.
 *
 * Times are microseconds, days and months whole numbers since 2000-01-01, floored.
 */
#ifndef CF_CALENDAR_H
#define CF_CALENDAR_H

#include "core/cf_core.h"

#define CF_MINUTE INT64_C(60000000)
#define CF_HOUR (60 * CF_MINUTE)
#define CF_DAY (24 * CF_HOUR)
#define CF_WEEK (7 * CF_DAY)

typedef struct CfDate
{
	int64_t		month;			/* months since 2000-01 */
	int			day;			/* 1 to 31 */
	int64_t		time_of_day;	/* microseconds since midnight */
} CfDate;

/* Quotient rounded towards minus infinity; b > 0. */
extern int64_t cf_floor_div(int64_t a, int64_t b);

extern CfDate cf_calendar_date(int64_t time);

extern int	cf_calendar_month_length(int64_t month);

/* Time of a date; a day beyond the month's end means its last day. */
extern int64_t cf_calendar_time(int64_t month, int day, int64_t time_of_day);

#endif							/* CF_CALENDAR_H */
