/*
 * cf_calendar.c
 *		Days and months of the (proleptic Gregorian) calendar.
 *
 * Counts days in 400-year cycles of years that begin in March, so that the leap day comes last.
 */
#include "core/time/cf_calendar.h"

int64_t
cf_floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

/* Days since 2000-03-01 of the first of a month counted from 2000-03. */
static int64_t
days_before_march_month(int64_t month)
{
	int64_t		year = cf_floor_div(month, 12);
	int64_t		in_year = month - 12 * year;

	return 365 * year + cf_floor_div(year, 4) - cf_floor_div(year, 100) + cf_floor_div(year, 400)
		+ (153 * in_year + 2) / 5;
}

int
cf_calendar_month_length(int64_t month)
{
	return (int) (days_before_march_month(month - 1) - days_before_march_month(month - 2));
}

CfDate
cf_calendar_date(int64_t time)
{
	CfDate		date;
	int64_t		days = cf_floor_div(time, CF_DAY);
	int64_t		since_march = days - 60;
	int64_t		month = cf_floor_div(since_march * 4800, 146097);	/* right, or off by one */

	while (days_before_march_month(month) > since_march)
		month--;
	while (days_before_march_month(month + 1) <= since_march)
		month++;
	date.month = month + 2;
	date.day = (int) (since_march - days_before_march_month(month)) + 1;
	date.time_of_day = time - days * CF_DAY;
	return date;
}

int64_t
cf_calendar_time(int64_t month, int day, int64_t time_of_day)
{
	int			length = cf_calendar_month_length(month);
	int64_t		days = days_before_march_month(month - 2) + 60;

	return (days + (day > length ? length : day) - 1) * CF_DAY + time_of_day;
}
