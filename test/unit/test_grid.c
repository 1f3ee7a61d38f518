/* Regular grid from raw points: step, calendar, gaps, duplicates, future dates. */
#include "core/time/cf_calendar.h"
#include "core/time/cf_fill.h"
#include "tap.h"

#define MAX 400

static int64_t
date(int year, int month, int day)
{
	return cf_calendar_time(12 * (int64_t) (year - 2000) + month - 1, day, 0);
}

static CfStatus
detect(const int64_t *time, int n, CfGrid *grid)
{
	double		work[MAX];

	memset(grid, 0, sizeof(*grid));
	return cf_grid_detect(time, n, work, grid);
}

static void
test_calendar(void)
{
	CfDate		d;
	int			is_right = 1;

	ok(cf_calendar_time(0, 1, 0) == 0, "time starts at 2000-01-01");
	ok(date(1999, 12, 31) == -CF_DAY, "the day before");
	ok(date(2024, 2, 29) == 8825 * CF_DAY, "2024-02-29 is day 8825 (as the server's date - '2000-01-01')");
	ok(date(2023, 2, 31) == date(2023, 2, 28), "a day beyond the month's end is its last");
	ok(cf_calendar_month_length(12 * -100 + 1) == 28 && cf_calendar_month_length(1) == 29,
	   "1900 had no 29 February, 2000 had one");
	for (int64_t day = -800000; day < 800000; day += 13)
	{
		d = cf_calendar_date(day * CF_DAY + 5);
		is_right = is_right && d.time_of_day == 5 && cf_calendar_time(d.month, d.day, 5) == day * CF_DAY + 5;
	}
	ok(is_right, "dates and times agree over four thousand years");
}

static void
test_days(void)
{
	int64_t		time[MAX];
	double		value[MAX];
	double		out[MAX];
	CfGrid		g;
	CfFilled	filled;

	for (int i = 0; i < 10; i++)
	{
		time[i] = date(2026, 1, 1) + (i < 5 ? i : i + 2) * CF_DAY;
		value[i] = i;
	}
	ok(detect(time, 10, &g) == CF_OK && g.step == CF_DAY && g.n == 12, "days, two of them missing");
	ok(cf_fill_grid(&g, time, value, 10, CF_PICK_LAST, out, &filled) == CF_OK && filled.n_filled == 10, "ten values in twelve buckets");
	ok(isnan(out[5]) && isnan(out[6]) && out[7] == 5.0, "gaps are marked, not filled");
	ok(cf_grid_time(&g, g.n) == date(2026, 1, 13), "the future starts on the next day");
	ok(cf_grid_season(&g) == 7, "days suggest a week");
	ok(cf_grid_steps_in(&g, 30.0) == 30, "thirty steps in thirty days");
	ok(detect(time, 1, &g) == CF_OK && g.n == 1 && g.step == CF_DAY, "one point makes a grid of days");
	ok(detect(time, 0, &g) == CF_TOO_FEW, "no point makes none");
	time[0] = time[1] + 1;
	ok(detect(time, 10, &g) == CF_BAD_ARGUMENT, "times out of order are refused");
}

static void
test_months(void)
{
	int64_t		time[MAX];
	CfGrid		g;

	for (int i = 0; i < 14; i++)
		time[i] = cf_calendar_time(i, 31, 0);
	ok(detect(time, 14, &g) == CF_OK && g.months == 1 && g.n == 14, "ends of months are months");
	ok(cf_grid_time(&g, 25) == date(2002, 2, 28) && cf_grid_time(&g, 26) == date(2002, 3, 31), "the future ends months too");
	ok(cf_grid_season(&g) == 12, "months suggest a year");
	for (int i = 0; i < 8; i++)
		time[i] = cf_calendar_time(3 * i, 15, 6 * CF_HOUR);
	ok(detect(time, 8, &g) == CF_OK && g.months == 3 && cf_grid_season(&g) == 4, "quarters");
	ok(cf_grid_time(&g, 1000) == cf_calendar_time(3000, 15, 6 * CF_HOUR), "a thousand quarters on, still the 15th at six");
	for (int i = 0; i < 6; i++)
		time[i] = date(2010 + i, 2, 28);
	ok(detect(time, 6, &g) == CF_OK && g.months == 12 && cf_grid_season(&g) == 1, "years have no season");
	time[3] += 40 * CF_DAY;
	ok(detect(time, 6, &g) == CF_OK && g.months == 12, "years with one late point are years all the same");
}

static void
test_jitter(void)
{
	int64_t		time[MAX];
	double		value[MAX];
	double		out[MAX];
	CfGrid		g;
	CfFilled	filled;

	for (int i = 0; i < 60; i++)
	{
		time[i] = date(2026, 1, 1) + i * CF_DAY + CF_HOUR + (i * 7919 % 3600) * INT64_C(1000000);
		value[i] = i;
	}
	ok(detect(time, 60, &g) == CF_OK && g.step == CF_DAY && g.n == 60, "about once a day is days");
	ok(g.start == date(2026, 1, 1), "in UTC days");
	cf_fill_grid(&g, time, value, 60, CF_PICK_MEAN, out, &filled);
	ok(filled.n_filled == 60 && out[59] == 59.0, "each in its own");
	for (int i = 0; i < 20; i++)
		time[i] = date(2026, 1, 5) + i * CF_WEEK + (i % 3) * CF_HOUR + i;
	ok(detect(time, 20, &g) == CF_OK && g.step == CF_WEEK && g.start == date(2026, 1, 5), "weeks from Monday");
	ok(cf_grid_season(&g) == 52, "weeks suggest a year");
	for (int i = 0; i < 40; i++)
		time[i] = i * 5 * CF_MINUTE;
	ok(detect(time, 40, &g) == CF_OK && g.step == 5 * CF_MINUTE && cf_grid_season(&g) == 288, "five minutes suggest a day");
}

static void
test_duplicates(void)
{
	int64_t		time[] = {3 * CF_DAY, CF_DAY, 2 * CF_DAY, 2 * CF_DAY + CF_HOUR, 2 * CF_DAY + CF_HOUR};
	double		value[] = {5, 1, 2, 7, 3};
	double		out[3];
	CfGrid		g = {.step = CF_DAY};
	double		work[5];
	CfFilled	filled;

	cf_grid_sort(time, value, 5);
	ok(time[0] == CF_DAY && value[2] == 3 && value[3] == 7, "sorted by time, then value");
	ok(cf_grid_detect(time, 5, work, &g) == CF_OK && g.n == 3, "a step as given");
	cf_fill_grid(&g, time, value, 5, CF_PICK_LAST, out, &filled);
	near_to(out[1], 7.0, 0.0, "a level's day holds its last time, of equal times the last point");
	ok(filled.n_equal == 1 && filled.n_shared == 1, "and both are told");
	cf_fill_grid(&g, time, value, 5, CF_PICK_MEAN, out, &filled);
	near_to(out[1], 4.5, 0.0, "the mean over the day's times");
	cf_fill_grid(&g, time, value, 5, CF_PICK_SUM, out, &filled);
	near_to(out[1], 12.0, 0.0, "the sum of all that the day has");
	cf_fill_grid(&g, time, value, 5, CF_PICK_HIGHEST, out, &filled);
	near_to(out[1], 7.0, 0.0, "its peak");
	cf_fill_grid(&g, time, value, 5, CF_PICK_LOWEST, out, &filled);
	near_to(out[1], 2.0, 0.0, "its lowest");
	value[0] = (double) INFINITY;
	ok(cf_fill_grid(&g, time, value, 5, CF_PICK_MEAN, out, &filled) == CF_NOT_FINITE, "infinity is refused");
	value[0] = (double) NAN;
	ok(cf_fill_grid(&g, time, value, 5, CF_PICK_MEAN, out, &filled) == CF_OK && filled.n_filled == 2, "NaN is no value");
}

int
main(void)
{
	CfGrid		g = {.step = CF_MINUTE};
	int64_t		far[2] = {0, INT64_C(20000) * 366 * CF_DAY};
	double		work[2];

	test_calendar();
	test_days();
	test_months();
	test_jitter();
	test_duplicates();
	ok(cf_grid_detect(far, 2, work, &g) == CF_TOO_BIG, "no grid of more than a million buckets");
	g.step = CF_DAY;
	ok(cf_grid_time(&g, INT64_MAX / 2) == INT64_MAX, "times beyond all years are the extreme");
	return tap_done();
}
