/* Local midnights: whose they are, and where the next ones will be. Expected times are the server's: timestamptz '2025-03-31 Europe/Berlin'. */
#include "core/time/cf_fill.h"
#include "core/time/cf_grid.h"
#include "tap.h"

#define MAX 900

static int64_t
utc(int year, int month, int day, int hour, int minute)
{
	return cf_calendar_time(12 * (int64_t) (year - 2000) + month - 1, day, hour * CF_HOUR + minute * CF_MINUTE);
}

static void
test_rules(void)
{
	static const struct
	{
		CfZone		zone;
		int			year, month, day;	/* of the last midnight before a change */
		int			hour, minute;	/* of the next one in UTC */
		int			back;		/* days before the local day */
		const char *name;
	}			changes[] = {
		{{CF_HOUR, CF_HOUR, 0}, 2025, 3, 30, 22, 0, 1, "Berlin, 2025-03-31"},
		{{CF_HOUR, CF_HOUR, 0}, 2025, 10, 26, 23, 0, 1, "Berlin, 2025-10-27"},
		{{0, CF_HOUR, 0}, 2026, 3, 29, 23, 0, 1, "London, 2026-03-30"},
		{{2 * CF_HOUR, CF_HOUR, 0}, 2027, 10, 31, 22, 0, 1, "Helsinki, 2027-11-01"},
		{{-5 * CF_HOUR, CF_HOUR, 1}, 2026, 3, 8, 4, 0, 0, "New York, 2026-03-09"},
		{{-5 * CF_HOUR, CF_HOUR, 1}, 2026, 11, 1, 5, 0, 0, "New York, 2026-11-02"},
		{{10 * CF_HOUR, CF_HOUR, 2}, 2026, 4, 5, 14, 0, 1, "Sydney, 2026-04-06"},
		{{10 * CF_HOUR, CF_HOUR, 2}, 2026, 10, 4, 13, 0, 1, "Sydney, 2026-10-05"},
		{{12 * CF_HOUR, CF_HOUR, 3}, 2026, 9, 27, 11, 0, 1, "Auckland, 2026-09-28"},
	};

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
	{
		const CfZone *zone = &changes[i].zone;
		int64_t		before = utc(changes[i].year, changes[i].month, changes[i].day, 0, 0);
		int64_t		time = cf_zone_utc(zone, before + CF_DAY);

		ok(time == before + (1 - changes[i].back) * CF_DAY + changes[i].hour * CF_HOUR + changes[i].minute * CF_MINUTE,
		   "midnight after the change: %s", changes[i].name);
		ok(cf_zone_utc(zone, before + CF_DAY) - cf_zone_utc(zone, before) != CF_DAY, "the day before is no day long");
		ok(cf_zone_local(zone, time) == before + CF_DAY, "and the way back");
	}
}

/* n midnights of a zone from a day on, every so many days. */
static void
make_days(const CfZone *zone, int64_t first, int n, int every, int64_t *time)
{
	for (int i = 0; i < n; i++)
		time[i] = cf_zone_utc(zone, first + (int64_t) i * every * CF_DAY);
}

static void
make_months(const CfZone *zone, int year, int month, int n, int every, int64_t *time)
{
	for (int i = 0; i < n; i++)
		time[i] = cf_zone_utc(zone, utc(year, month + i * every, 1, 0, 0));
}

static CfGrid
detect(const int64_t *time, int n)
{
	static double work[MAX];
	CfGrid		grid;

	memset(&grid, 0, sizeof(grid));
	ok(cf_grid_detect(time, n, work, &grid) == CF_OK, "a grid of %d points", n);
	return grid;
}

/* Every zone that keeps summer time, from every month on: the next midnights are where they will be. */
static void
test_next(void)
{
	static const CfZone zones[] = {
		{CF_HOUR, CF_HOUR, 0}, {0, CF_HOUR, 0}, {2 * CF_HOUR, CF_HOUR, 0}, {-5 * CF_HOUR, CF_HOUR, 1},
		{-8 * CF_HOUR, CF_HOUR, 1}, {10 * CF_HOUR, CF_HOUR, 2}, {19 * CF_HOUR / 2, CF_HOUR, 2}, {12 * CF_HOUR, CF_HOUR, 3},
		{11 * CF_HOUR / 2, 0, CF_ZONE_NO_RULE}, {3 * CF_HOUR, 0, CF_ZONE_NO_RULE}, {8 * CF_HOUR, 0, CF_ZONE_NO_RULE}
	};
	int64_t		time[MAX];
	int			wrong_months = 0;
	int			wrong_quarters = 0;
	int			wrong_weeks = 0;
	int			wrong_days = 0;

	for (size_t z = 0; z < sizeof(zones) / sizeof(zones[0]); z++)
		for (int start = 0; start < 12; start++)
		{
			CfGrid		g;
			int64_t		monday = utc(2024, 1, 1, 0, 0) + start * 28 * CF_DAY;

			make_months(&zones[z], 2023, start + 1, 24, 1, time);
			g = detect(time, 14);
			wrong_months += g.months != 1 || g.n != 14 || !g.is_local || cf_grid_time(&g, 20) != time[20]
				|| cf_grid_day(&g, 14) != utc(2023, start + 15, 1, 0, 0);
			make_months(&zones[z], 2020, start + 1, 20, 3, time);
			g = detect(time, 9);
			wrong_quarters += g.months != 3 || !g.is_local || cf_grid_time(&g, 16) != time[16];
			make_days(&zones[z], monday, 80, 7, time);
			g = detect(time, 55);
			wrong_weeks += g.step != CF_WEEK || g.n != 55 || !g.is_local || cf_grid_time(&g, 70) != time[70];
			make_days(&zones[z], monday, 420, 1, time);
			g = detect(time, 300);
			wrong_days += g.step != CF_DAY || g.n != 300 || cf_grid_time(&g, 410) != time[410];
		}
	ok(wrong_months == 0, "months of local clocks go on (%d wrong)", wrong_months);
	ok(wrong_quarters == 0, "quarters (%d wrong)", wrong_quarters);
	ok(wrong_weeks == 0, "weeks (%d wrong)", wrong_weeks);
	ok(wrong_days == 0, "days (%d wrong)", wrong_days);
}

/* Only a summer was seen, or only a winter: no day to come begins the day before. */
static void
test_one_season(void)
{
	static const CfZone berlin = {CF_HOUR, CF_HOUR, 0};
	int64_t		time[MAX];
	CfGrid		g;
	int			early = 0;

	make_days(&berlin, utc(2025, 4, 10, 0, 0), 150, 1, time);
	g = detect(time, 150);
	ok(cf_grid_time(&g, 230) == cf_zone_utc(&berlin, utc(2025, 4, 10, 0, 0) + 230 * CF_DAY), "after a summer of days, winter time");
	ok(!g.is_local && cf_grid_day(&g, 0) == utc(2025, 4, 9, 0, 0), "but a time of day alone is not sure to be midnight");
	make_days(&berlin, utc(2025, 11, 3, 0, 0), 100, 1, time);
	g = detect(time, 100);
	for (int k = 100; k < 400; k++)
		early += cf_grid_time(&g, k) < cf_zone_utc(&berlin, utc(2025, 11, 3, 0, 0) + k * CF_DAY);
	ok(early == 0, "after a winter of days, none is early");
	make_months(&berlin, 2025, 5, 5, 1, time);
	g = detect(time, 5);
	ok(g.months == 1 && cf_grid_time(&g, 7) == utc(2025, 11, 30, 23, 0), "five months of a summer go on to 2025-12-01");
}

static void
test_others(void)
{
	static const CfZone kolkata = {11 * CF_HOUR / 2, 0, CF_ZONE_NO_RULE};
	int64_t		time[MAX];
	CfGrid		g;

	for (int i = 0; i < 14; i++)
		time[i] = cf_zone_utc(&kolkata, cf_calendar_time(276 + i, 31, 0));
	g = detect(time, 14);
	ok(g.months == 1 && cf_grid_time(&g, 14) == cf_zone_utc(&kolkata, cf_calendar_time(290, 31, 0)), "ends of local months");
	for (int i = 0; i < 14; i++)
		time[i] = cf_calendar_time(276 + i, 15, 6 * CF_HOUR);
	g = detect(time, 14);
	ok(g.months == 1 && !g.is_local && g.month_day == 15, "the 15th at six in UTC is just that");
	for (int i = 0; i < 40; i++)
		time[i] = utc(2026, 1, 1, 12, 0) + i * CF_DAY;
	g = detect(time, 40);
	ok(g.step == CF_DAY && !g.is_local && cf_grid_time(&g, 300) == utc(2026, 1, 1, 12, 0) + 300 * CF_DAY, "noon stays noon");
	for (int i = 0; i < 40; i++)
		time[i] = utc(2026, 1, 1, i % 2 == 0 ? 6 : 8, 0) + i * CF_DAY;
	g = detect(time, 40);
	ok(!g.is_local && g.zone.saving == 0, "six and eight are not two midnights");
	/* Damascus until 2022: no rule of ours, but the points tell summer from winter */
	for (int i = 0; i < 24; i++)
		time[i] = utc(2020, i + 1, 1, 0, 0) - (i % 12 >= 2 && i % 12 <= 10 ? 3 : 2) * CF_HOUR;
	g = detect(time, 24);
	ok(g.months == 1 && g.is_local && g.zone.rule == CF_ZONE_NO_RULE && cf_grid_day(&g, 24) == utc(2022, 1, 1, 0, 0),
	   "summer time by another rule");
	ok(cf_grid_bucket(&g, time[5]) == 5 && cf_grid_bucket(&g, time[0]) == 0, "each in its month");
}

/* Captured about midnight: some seconds before, some after. */
static void
test_about_midnight(void)
{
	int64_t		time[60];
	double		value[60];
	double		out[60];
	CfFilled	filled;
	CfGrid		g;

	for (int i = 0; i < 60; i++)
	{
		time[i] = utc(2026, 1, 10, 0, 0) + i * CF_DAY + (i % 3 - 1) * 20 * INT64_C(1000000) - (i == 0 ? 777 : 0);
		value[i] = 1;
	}
	g = detect(time, 60);
	ok(!g.is_regular && g.step == CF_DAY && g.n == 60, "60 days, none missing");
	ok(cf_fill_grid(&g, time, value, 60, CF_PICK_SUM, out, &filled) == CF_OK && filled.n_filled == 60 && filled.n_shared == 0,
	   "no day has two captures");
	ok(cf_grid_time(&g, 0) == utc(2026, 1, 10, 0, 0), "called by the midnight they are about");
}

static void
test_coarser(void)
{
	double		y[600];
	CfGrid		g = {.step = 5 * CF_MINUTE, .start = utc(2026, 3, 1, 0, 0), .n = 25, .zone = {0, 0, CF_ZONE_NO_RULE}};

	for (int i = 0; i < 25; i++)
		y[i] = i == 7 || i == 19 ? 90 : i == 2 ? (double) NAN : i;
	ok(cf_fill_coarser(&g, y, CF_HOUR, CF_PICK_HIGHEST) == 3 && g.n == 3 && g.step == CF_HOUR, "two hours and the first point");
	ok(y[0] == 0 && y[1] == 90 && y[2] == 90, "each hour by its peak, wherever in the hour it is");
	ok(cf_grid_bucket(&g, utc(2026, 3, 1, 2, 0)) == 2 && cf_grid_bucket(&g, utc(2026, 3, 1, 2, 5)) == 3, "the last hour ends with the last point");
	ok(cf_grid_time(&g, 2) == utc(2026, 3, 1, 1, 5), "and is called by its first step");
}

static void
test_zeros(void)
{
	double		sparse[] = {3, (double) NAN, 1, (double) NAN, 2, 1, (double) NAN, 1};
	double		large[] = {300, (double) NAN, 280, 310, 305, (double) NAN, 290, 300};
	double		zero[] = {3, (double) NAN, 0, (double) NAN, 2, 1, 1, 1};
	double		part[] = {3, (double) NAN, 1.5, (double) NAN, 2, 1, 1, 1};

	ok(cf_fill_lacks_zeros(sparse, 8, 5, CF_KIND_FLOW), "small counts, none of them 0, with gaps");
	ok(cf_fill_lacks_zeros(sparse, 8, 5, CF_KIND_AUTO), "even of an unknown kind, where they rise and fall");
	ok(!cf_fill_lacks_zeros(sparse, 8, 5, CF_KIND_STOCK), "a stock has no zeros left out");
	ok(!cf_fill_lacks_zeros(large, 8, 6, CF_KIND_FLOW), "hundreds a day: the gaps are gaps");
	ok(!cf_fill_lacks_zeros(zero, 8, 6, CF_KIND_FLOW), "where a 0 stands, the gaps are gaps");
	ok(!cf_fill_lacks_zeros(part, 8, 6, CF_KIND_FLOW), "no counts");
	ok(!cf_fill_lacks_zeros(sparse + 4, 2, 2, CF_KIND_FLOW), "no gaps");
}

int
main(void)
{
	test_rules();
	test_next();
	test_one_season();
	test_others();
	test_about_midnight();
	test_coarser();
	test_zeros();
	return tap_done();
}
