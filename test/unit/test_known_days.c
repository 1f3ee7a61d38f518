/*
 * Named days and the ends of months: each does what it did, is kept out of everything else, and one that was never seen
 * is no guess.
 */
#include <string.h>

#include "core/engine/cf_forecast.h"
#include "core/engine/cf_reach.h"
#include "core/time/cf_calendar.h"
#include "made.h"
#include "tap.h"

#define MOST 1600
#define H 60

static CfNamedDay named[4000];
static int	n_named;

typedef struct Asked
{
	CfForecastInfo info;
	double		yhat[H];
	double		lower[2 * H];
	double		upper[2 * H];
} Asked;

static const double levels[2] = {0.80, 0.95};

/* Names: 0 is 25 December, 1 the 26th, 2 New Year, 3 a day in May; day is of the months since 2000-01. */
static void
name_years(int from, int years)
{
	n_named = 0;
	for (int year = from; year < from + years; year++)
	{
		named[n_named++] = (CfNamedDay) {cf_calendar_time(12 * year, 1, 0) / CF_DAY, 2, 0};
		named[n_named++] = (CfNamedDay) {cf_calendar_time(12 * year + 4, 1, 0) / CF_DAY, 3, 0};
		named[n_named++] = (CfNamedDay) {cf_calendar_time(12 * year + 11, 25, 0) / CF_DAY, 0, 0};
		named[n_named++] = (CfNamedDay) {cf_calendar_time(12 * year + 11, 26, 0) / CF_DAY, 1, 0};
	}
}

static int64_t
day_of(int year, int month, int day)
{
	return cf_calendar_time(12 * year + month - 1, day, 0) / CF_DAY;
}

static void
ask(const double *y, int n, int64_t first_day, bool is_count, Asked *a)
{
	double	   *work = tap_memory(cf_forecast_worksize(n, H));
	CfOptions	o;

	cf_options_init(&o);
	o.kind = CF_KIND_FLOW;
	o.season_hint = 7;
	o.has_days = true;
	o.first_day = first_day;
	o.named = named;
	o.n_named = n_named;
	o.floor = 0.0;
	o.is_count = is_count;
	ok(cf_forecast(y, n, &o, H, levels, 2, NULL, work, a->yhat, a->lower, a->upper, &a->info) == CF_OK, "a forecast with named days");
	free(work);
}

static const double weekdays[7] = {0.6, 0.5, 1.2, 1.2, 1.2, 1.15, 1.15};

/* Whether a shop is closed, and what is sold where it is not. */
static void
make_shop(double *y, int n, int64_t first_day, double closed, uint64_t seed)
{
	for (int t = 0; t < n; t++)
	{
		CfDate		date = cf_calendar_date((first_day + t) * CF_DAY);
		int			month = (int) (date.month % 12) + 1;
		bool		is_closed = (month == 12 && (date.day == 25 || date.day == 26)) || (month == 1 && date.day == 1);
		double		usual = 400.0 * (1.0 + 0.0003 * t) * weekdays[(first_day + t) % 7] * (1.0 + 0.06 * made_noise(&seed));

		y[t] = floor((is_closed ? closed : 1.0) * usual + 0.5);
	}
}

static double
error_of(const double *yhat, const double *actual, int from, int to)
{
	double		sum = 0.0;

	for (int k = from; k < to; k++)
		sum += fabs(yhat[k] - actual[k]) / (to - from);
	return sum;
}

/* Closed days that were seen three times are forecast closed, and lie within the bounds; so whether 0 or nearly. */
static void
test_closed_days(void)
{
	static const double left[3] = {0.0, 0.04, 0.5};
	int64_t		first_day = day_of(10, 12, 10);
	int			n = (int) (day_of(13, 12, 10) - first_day);

	name_years(10, 5);
	for (int i = 0; i < 3; i++)
	{
		double		y[MOST];
		Asked		a;
		int			held = 0;

		make_shop(y, n + H, first_day, left[i], 10 + (uint64_t) i);
		ask(y, n, first_day, true, &a);
		for (int k = 15; k <= 22; k++)
			if (k == 15 || k == 16 || k == 22)
				held += a.lower[H + k] <= y[n + k] && y[n + k] <= a.upper[H + k] && a.upper[k] < 1.2 * (left[i] + 0.1) * 520.0;
		ok(held == 3, "closed to %.2f: %d of 3 closed days lie within narrow bounds: [%.0f, %.0f] %.0f", left[i], held, a.lower[15], a.upper[15], y[n + 15]);
		ok(error_of(a.yhat, y + n, 0, H) < 60.0, "the error is %.1f", error_of(a.yhat, y + n, 0, H));
		ok(a.info.calendar.named_days >= 3 && a.info.events.n == 0, "%d days do something, and none is news", a.info.calendar.named_days);
		ok(a.info.n_points >= n - 20, "they count for nothing else");
	}
}

/* A history that ends within the days it is closed says nothing of the level after them. */
static void
test_end_in_closed_days(void)
{
	int64_t		first_day = day_of(10, 12, 1);
	int			n = (int) (day_of(13, 12, 27) - first_day);
	double		y[MOST];
	Asked		a;

	name_years(10, 5);
	make_shop(y, n + H, first_day, 0.05, 20);
	ask(y, n, first_day, true, &a);
	ok(error_of(a.yhat, y + n, 0, 30) < 60.0, "after two closed days the level is the old one: error %.1f", error_of(a.yhat, y + n, 0, 30));
}

/* Twelve days at a third of what is usual, seen twice: no part of the year, also where the history ends within them. */
static void
test_dips(void)
{
	for (int i = 0; i < 2; i++)
	{
		int64_t		first_day = day_of(11, 9, 20);
		int			n = (int) (day_of(13, 12, i == 0 ? 5 : 28) - first_day);
		uint64_t	seed = 70 + (uint64_t) i;
		double		y[MOST];
		double		last_year = 0.0;
		Asked		a;

		n_named = 0;
		for (int t = 0; t < n + H; t++)
		{
			CfDate		date = cf_calendar_date((first_day + t) * CF_DAY);
			int			month = (int) (date.month % 12) + 1;
			bool		is_dip = (month == 12 && date.day >= 23) || (month == 1 && date.day <= 3);

			y[t] = 300.0 * weekdays[(first_day + t) % 7] * (is_dip ? 0.3 : 1.0) * (1.0 + 0.08 * made_noise(&seed));
			if (is_dip)
				named[n_named++] = (CfNamedDay) {first_day + t, date.day, 0};
		}
		ask(y, n, first_day, false, &a);
		for (int k = 0; k < H; k++)
			last_year += fabs(y[n + k - 364] - y[n + k]) / H;
		ok(error_of(a.yhat, y + n, 0, H) < 0.8 * last_year, "a dip that was seen twice: error %.1f, of last year's days %.1f",
		   error_of(a.yhat, y + n, 0, H), last_year);
	}
}

/* Never seen: a wide band and a word, and the days around it as ever. */
static void
test_never_seen(void)
{
	int64_t		first_day = day_of(12, 2, 1);
	int			n = (int) (day_of(12, 12, 10) - first_day);
	double		y[MOST];
	Asked		a;
	Asked		none;

	make_shop(y, n, first_day, 1.0, 30);
	name_years(12, 1);
	ask(y, n, first_day, true, &a);
	n_named = 0;
	ask(y, n, first_day, true, &none);
	ok(a.upper[15] - a.lower[15] > 1.8 * (none.upper[15] - none.lower[15]) && a.yhat[15] == none.yhat[15],
	   "a day never seen has a wide band, and no guess");
	ok(memcmp(a.yhat, none.yhat, sizeof(a.yhat)) == 0 && memcmp(a.lower, none.lower, 15 * sizeof(double)) == 0
	   && a.upper[20] == none.upper[20], "the days around it are as without it");
	ok(a.info.events.n >= 2 && a.info.events.event[a.info.events.n - 1].kind == CF_EVENT_KNOWN_DAY
	   && a.info.events.event[a.info.events.n - 2].period == 0 && a.info.events.event[a.info.events.n - 2].index == n + 15,
	   "and it is said");
}

/* A date is not reached on a closed day, nor by a day that only looks like growth. */
static void
test_date(void)
{
	int64_t		first_day = day_of(10, 12, 10);
	int			n = (int) (day_of(13, 12, 10) - first_day);
	double		y[MOST];
	double		chance[H];
	CfReachOptions o = {.direction = CF_DOWNWARD, .threshold = 60.0, .horizon = H, .confidence_level = 0.8, .kind = CF_KIND_FLOW,
		.season_hint = 7, .has_days = true, .first_day = first_day, .seed = 3, .named = named};
	CfReach		r;
	double	   *work = tap_memory(cf_reach_worksize(MOST, H));

	name_years(10, 5);
	o.n_named = n_named;
	make_shop(y, n, first_day, 0.05, 40);
	ok(cf_reach(y, n, &o, NULL, work, chance, &r) == CF_OK && r.median == 16 && chance[14] < 0.05,
	   "the first day below a floor is the first closed one: day %d", r.median);
	free(work);
}

/* Month ends: what is due on the last day and the first two. */
static void
test_months(void)
{
	static const int histories[3] = {400, 240, 90};
	int64_t		first_day = day_of(11, 3, 14);
	double		y[MOST];

	n_named = 0;
	for (int i = 0; i < 3; i++)
	{
		int			n = histories[i];
		uint64_t	seed = 50 + (uint64_t) i;
		Asked		a;
		Asked		plain;
		double		ours;
		double		without;
		double	   *work = tap_memory(cf_forecast_worksize(n, H));
		CfOptions	o;

		for (int t = 0; t < n + H; t++)
		{
			CfDate		date = cf_calendar_date((first_day + t) * CF_DAY);
			bool		is_last = date.day == cf_calendar_month_length(date.month);

			y[t] = 100.0 * weekdays[(first_day + t) % 7] * (is_last ? 2.0 : date.day <= 2 ? 1.6 : 1.0) * (1.0 + 0.05 * made_noise(&seed));
		}
		ask(y, n, first_day, false, &a);
		cf_options_init(&o);
		o.kind = CF_KIND_FLOW;
		o.season_hint = 7;
		o.has_days = true;
		o.first_day = first_day;
		o.floor = 0.0;
		cf_forecast_plain(y, n, &o, H, levels, 2, NULL, work, plain.yhat, plain.lower, plain.upper, &plain.info);
		ours = error_of(a.yhat, y + n, 0, H);
		without = error_of(plain.yhat, y + n, 0, H);
		if (n < 120)
			ok(memcmp(a.yhat, plain.yhat, sizeof(a.yhat)) == 0, "three months are too few");
		else
			ok(a.info.calendar.has_month && ours < 0.6 * without, "%d days with ends of months: error %.1f, without %.1f", n, ours, without);
		free(work);
	}
}

int
main(void)
{
	test_closed_days();
	test_end_in_closed_days();
	test_dips();
	test_never_seen();
	test_date();
	test_months();
	return tap_done();
}
