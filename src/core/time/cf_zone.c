/*
 * cf_zone.c
 *		The days of a local clock, told from points that all lie on its midnights.
 *
 * Summer time follows the rules of the IANA time zone database as they are in force (EU since
 * 1996, US since 2007, AN since 2008, NZ since 2007).  Clocks are changed in the small hours of a
 * Sunday, so that the midnight of that Sunday is still one of the time before.
 */
#include "core/time/cf_zone.h"

#define QUARTER_HOUR (15 * CF_MINUTE)

typedef struct Rule
{
	int			first_month;	/* 0 to 11: summer begins on a Sunday of this month */
	int			first_sunday;	/* 1: the first one, 2: the second; 0: the last */
	int			last_month;		/* and ends on one of this */
	int			last_sunday;
	int			from_minutes;	/* zones that keep it are ahead of UTC, in standard time, by at least */
	int			to_minutes;		/* and at most */
} Rule;

static const Rule rules[] = {
	{2, 0, 9, 0, -60, 120},		/* Europe */
	{2, 2, 10, 1, -600, -210},	/* North America */
	{9, 1, 3, 1, 570, 630},		/* Australia */
	{8, 0, 3, 1, 720, 765},		/* New Zealand */
};

#define N_RULES ((int) (sizeof(rules) / sizeof(rules[0])))

/* The midnight of a Sunday of a month. */
static int64_t
sunday_of(int64_t month, int which)
{
	int64_t		first = cf_calendar_time(month, 1, 0) / CF_DAY;
	int			weekday = (int) (first - 2 - 7 * cf_floor_div(first - 2, 7));	/* Monday 0; 2000-01-03 was one */
	int			day = 7 - weekday;

	if (which == 0)
		day += (cf_calendar_month_length(month) - day) / 7 * 7;
	else
		day += 7 * (which - 1);
	return cf_calendar_time(month, day, 0);
}

/* Whether the day that begins at a local midnight begins in summer time. */
static bool
begins_in_summer(int rule, int64_t midnight)
{
	const Rule *r = &rules[rule];
	int64_t		january = 12 * cf_floor_div(cf_calendar_date(midnight).month, 12);
	bool		is_after_first = midnight > sunday_of(january + r->first_month, r->first_sunday);
	bool		is_after_last = midnight > sunday_of(january + r->last_month, r->last_sunday);

	return r->first_month < r->last_month ? is_after_first && !is_after_last : is_after_first || !is_after_last;
}

int64_t
cf_zone_local(const CfZone *zone, int64_t time)
{
	int64_t		local = time + zone->standard;
	int64_t		midnight = cf_floor_div(local + zone->saving, CF_DAY) * CF_DAY;

	if (zone->saving == 0)
		return local;
	if (zone->rule == CF_ZONE_NO_RULE)
		return local + zone->saving == midnight ? midnight : local;
	return begins_in_summer(zone->rule, midnight) ? local + zone->saving : local;
}

int64_t
cf_zone_utc(const CfZone *zone, int64_t local)
{
	if (zone->saving > 0 && zone->rule != CF_ZONE_NO_RULE
		&& begins_in_summer(zone->rule, cf_floor_div(local, CF_DAY) * CF_DAY))
		return local - zone->standard - zone->saving;
	return local - zone->standard;
}

/* The times of day that occur, at most two; returns their number, 3 for more, 0 for none on a quarter of an hour. */
static int
times_of_day(const int64_t *time, int n, int64_t *times)
{
	int			count = 0;

	for (int i = 0; i < n; i++)
	{
		int64_t		in_day = time[i] - cf_floor_div(time[i], CF_DAY) * CF_DAY;

		if (in_day % QUARTER_HOUR != 0)
			return 0;
		if ((count > 0 && in_day == times[0]) || (count > 1 && in_day == times[1]))
			continue;
		if (count == 2)
			return 3;
		times[count++] = in_day;
	}
	return count;
}

/* How far the clock is ahead whose midnight is a time of day in UTC; from 13 hours ahead to just under 11 behind. */
static int64_t
ahead(int64_t in_day)
{
	return in_day == 0 ? 0 : in_day >= 11 * CF_HOUR ? CF_DAY - in_day : -in_day;
}

static bool
may_keep(int rule, int64_t standard)
{
	int64_t		minutes = cf_floor_div(standard, CF_MINUTE);

	return minutes >= rules[rule].from_minutes && minutes <= rules[rule].to_minutes;
}

/* Whether summer time by the zone's rule is at just those points that are in it. */
static bool
holds(const CfZone *zone, const int64_t *time, int n)
{
	for (int i = 0; i < n; i++)
	{
		int64_t		in_summer = time[i] + zone->standard + zone->saving;
		bool		is_summer = in_summer == cf_floor_div(in_summer, CF_DAY) * CF_DAY;

		if (begins_in_summer(zone->rule, is_summer ? in_summer : in_summer - zone->saving) != is_summer)
			return false;
	}
	return true;
}

/* The first rule that a clock so far ahead may keep and that the points agree with; false: none. */
static bool
find_rule(CfZone *zone, const int64_t *time, int n)
{
	for (zone->rule = 0; zone->rule < N_RULES; zone->rule++)
		if (may_keep(zone->rule, zone->standard) && holds(zone, time, n))
			return true;
	zone->rule = CF_ZONE_NO_RULE;
	return false;
}

static CfZoneSight
see_two(int64_t a, int64_t b, const int64_t *time, int n, CfZone *zone)
{
	int64_t		later = b - a < 0 ? b - a + CF_DAY : b - a; /* from a on, around the day */
	int64_t		standard = later <= CF_DAY / 2 ? b : a;

	zone->saving = later <= CF_DAY / 2 ? later : CF_DAY - later;
	if (zone->saving != CF_HOUR && zone->saving != CF_HOUR / 2)
	{
		zone->saving = 0;
		return CF_ZONE_NONE;
	}
	zone->standard = ahead(standard);
	(void) find_rule(zone, time, n);
	return CF_ZONE_TWO;
}

static CfZoneSight
see_one(int64_t in_day, const int64_t *time, int n, CfZone *zone)
{
	if (in_day == 0)
		return CF_ZONE_NONE;
	zone->saving = CF_HOUR;
	zone->standard = ahead(in_day) - zone->saving;
	if (!find_rule(zone, time, n))
	{
		zone->saving = 0;
		zone->standard = ahead(in_day);
	}
	return CF_ZONE_ONE;
}

CfZoneSight
cf_zone_detect(const int64_t *time, int n, CfZone *zone)
{
	int64_t		times[2] = {0, 0};
	int			count = times_of_day(time, n, times);
	CfZoneSight sight = CF_ZONE_NONE;

	zone->standard = zone->saving = 0;
	zone->rule = CF_ZONE_NO_RULE;
	if (count == 2)
		sight = see_two(times[0], times[1], time, n, zone);
	else if (count == 1)
		sight = see_one(times[0], time, n, zone);
	return sight;
}
