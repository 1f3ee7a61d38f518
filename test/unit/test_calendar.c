/*
 * The calendar in forecasts and dates: what repeats every year is found, what does not is left alone, and both tell
 * one story.
 */
#include <string.h>

#include "core/engine/cf_forecast.h"
#include "core/engine/cf_reach.h"
#include "made.h"
#include "tap.h"

#define MOST 1600
#define H 90

/* Of 2000-01-01, a Saturday. */
static const double weekdays[7] = {0.7, 0.6, 1.1, 1.15, 1.1, 1.15, 1.2};

/* 0 to 1 about the day of the year, as a bell of so many days. */
static double
bell(int64_t day, double at, double days)
{
	double		d = (double) (day % 1461 % 365) - at;

	d = d > 182.5 ? d - 365.0 : d < -182.5 ? d + 365.0 : d;
	return cf_num_exp(-d * d / (2.0 * days * days));
}

typedef struct Asked
{
	CfOptions	options;
	CfForecastInfo info;
	double		yhat[H];
	double		lower[2 * H];
	double		upper[2 * H];
} Asked;

static void
ask(const double *y, int n, int64_t first_day, bool is_plain, Asked *a)
{
	static const double levels[2] = {0.80, 0.95};
	double	   *work = tap_memory(cf_forecast_worksize(n, H));

	cf_options_init(&a->options);
	a->options.kind = CF_KIND_FLOW;
	a->options.season_hint = 7;
	a->options.has_days = true;
	a->options.first_day = first_day;
	if (is_plain)
		cf_forecast_plain(y, n, &a->options, H, levels, 2, NULL, work, a->yhat, a->lower, a->upper, &a->info);
	else
		cf_forecast(y, n, &a->options, H, levels, 2, NULL, work, a->yhat, a->lower, a->upper, &a->info);
	free(work);
}

static double
error_of(const double *yhat, const double *actual)
{
	double		sum = 0.0;

	for (int k = 0; k < H; k++)
		sum += fabs(yhat[k] - actual[k]);
	return sum / H;
}

static double
within(const Asked *a, const double *actual, int level)
{
	double		sum = 0.0;

	for (int k = 0; k < H; k++)
		sum += a->lower[level * H + k] <= actual[k] && actual[k] <= a->upper[level * H + k];
	return sum / H;
}

/* Sales that grow, with a weekend, a summer, and a peak before Christmas. */
static void
make_sales(double *y, int n, int64_t first_day, uint64_t seed)
{
	for (int t = 0; t < n; t++)
	{
		int64_t		day = first_day + t;
		double		year = 1.0 + 0.2 * bell(day, 180.0, 40.0) + 1.5 * bell(day, 345.0, 14.0);

		y[t] = 800.0 * (1.0 + 0.0002 * t) * year * weekdays[day % 7] * (1.0 + 0.03 * made_noise(&seed));
	}
}

static void
test_year(void)
{
	static const int histories[3] = {1460, 1095, 730};
	double		y[MOST];

	for (int i = 0; i < 3; i++)
		for (int start = 0; start < 2; start++)
		{
			int			n = histories[i];
			int64_t		first_day = 7000 + 150 * start;
			Asked		a;
			Asked		plain;
			double		ours;
			double		without;
			double		naive = 0.0;

			make_sales(y, n + H, first_day, (uint64_t) (10 * i + start + 1));
			ask(y, n, first_day, false, &a);
			ask(y, n, first_day, true, &plain);
			ours = error_of(a.yhat, y + n);
			without = error_of(plain.yhat, y + n);
			for (int k = 0; k < H; k++)
				naive += fabs(y[n + k] - y[n + k - 364]) / H;
			ok(ours < 0.5 * without && ours < 1.2 * naive, "%d days from %d: error %.0f, without the year %.0f, of the year before %.0f",
			   n, (int) first_day, ours, without, naive);
			ok(within(&a, y + n, 0) > 0.6 && within(&a, y + n, 1) > 0.85, "its bounds hold %.2f and %.2f",
			   within(&a, y + n, 0), within(&a, y + n, 1));
			ok(a.info.calendar.has_year && a.info.calendar.year_strength > 0.5, "and it says so: %.2f",
			   a.info.calendar.year_strength);
		}
}

/* 29 February is a day like the 28th: what comes on 1 March comes on 1 March. */
static void
test_leap_year(void)
{
	double		y[MOST];
	int			n = 1461 - 60;
	Asked		a;
	double		at[3];

	/* 366 days of 2000, 365 of 2001, 2002 and 2003: March is high */
	for (int t = 0; t < n + H; t++)
	{
		int			year = t < 366 ? 0 : (t - 1) / 365;
		int			in_year = t < 366 ? t : (t - 1) % 365;
		int			march = year == 0 ? 60 : 59;
		uint64_t	seed = (uint64_t) t;

		y[t] = (in_year >= march && in_year < march + 31 ? 180.0 : 100.0) + made_noise(&seed);
	}
	/* the history ends in October 2003, the horizon would end before March: look at it from January 2003 on */
	n = 366 + 365 + 365 + 20;
	ask(y, n, 0, false, &a);
	at[0] = a.yhat[59 - 20 - 6];
	at[1] = a.yhat[59 - 20 + 6];
	at[2] = a.yhat[59 - 20 + 25];
	ok(at[0] < 120.0 && at[1] > 160.0 && at[2] > 160.0, "March is March: %.0f before it, %.0f and %.0f in it", at[0], at[1], at[2]);
}

/* What is no season is left alone: growth, noise, wandering; and then the answer is the same to the last bit. */
static void
test_no_year(void)
{
	static const int histories[2] = {730, 365};
	static const double most[2] = {1.01, 1.05};
	static const int untouched[2] = {40, 10};

	for (int i = 0; i < 2; i++)
	{
		int			n = histories[i];
		double		ours = 0.0;
		double		without = 0.0;
		int			off = 0;

		for (uint64_t series = 0; series < 60; series++)
		{
			double		y[MOST];
			uint64_t	seed = 500 + series;
			double		x = 200.0;
			Asked		a;
			Asked		plain;

			for (int t = 0; t < n + H; t++)
			{
				x += made_noise(&seed);
				y[t] = series % 2 == 0 ? 100.0 + 10.0 * made_noise(&seed) : x;
			}
			ask(y, n, (int64_t) (31 * series), false, &a);
			ask(y, n, (int64_t) (31 * series), true, &plain);
			ours += error_of(a.yhat, y + n);
			without += error_of(plain.yhat, y + n);
			off += memcmp(a.yhat, plain.yhat, sizeof(a.yhat)) == 0 && memcmp(a.lower, plain.lower, sizeof(a.lower)) == 0;
		}
		ok(ours <= most[i] * without, "random walks and noises of %d days: %.3f of the error without", n, ours / without);
		ok(off >= untouched[i], "not touched are %d of 60", off);
	}
	{
		double		y[MOST];
		Asked		a;
		Asked		plain;
		uint64_t	seed = 3;

		for (int t = 0; t < 365; t++)
			y[t] = 100.0 * cf_num_exp(0.002 * t) * (1.0 + 0.05 * made_noise(&seed));
		ask(y, 365, 8000, false, &a);
		ask(y, 365, 8000, true, &plain);
		ok(memcmp(a.yhat, plain.yhat, sizeof(a.yhat)) == 0 && !a.info.calendar.has_year, "a year's growth is no season");
	}
}

/* A stock and a counter that starts again have no season of their own. */
static void
test_other_kinds(void)
{
	double		y[MOST];
	CfOptions	o;
	CfForecastInfo info;
	double		yhat[2][H];
	double	   *work = tap_memory(cf_forecast_worksize(MOST, H));

	make_sales(y, 1095, 7000, 4);
	for (int t = 1; t < 1095; t++)
		y[t] += y[t - 1];
	cf_options_init(&o);
	o.kind = CF_KIND_STOCK;
	o.season_hint = 7;
	o.has_days = true;
	o.first_day = 7000;
	cf_forecast(y, 1095, &o, H, NULL, 0, NULL, work, yhat[0], NULL, NULL, &info);
	cf_forecast_plain(y, 1095, &o, H, NULL, 0, NULL, work, yhat[1], NULL, NULL, &info);
	ok(memcmp(yhat[0], yhat[1], sizeof(yhat[0])) == 0, "a stock is forecast as it was");
	free(work);
}

/* The date that paths reach a threshold is the date that the forecast reaches it. */
static void
test_date(void)
{
	double		y[MOST];
	double		chance[H];
	int			n = 1095;
	int64_t		first_day = 7000 + 250;
	CfReachOptions o = {.direction = CF_UPWARD, .horizon = H, .confidence_level = 0.8, .kind = CF_KIND_FLOW, .season_hint = 7,
		.has_days = true, .first_day = first_day, .seed = 5};
	CfReach		r;
	double	   *work = tap_memory(cf_reach_worksize(MOST, H));
	int			came = 0;
	int			seen = 0;

	/* ends in early November: the peak before Christmas lies ahead, and twice as high as anything since */
	for (int i = 0; i < 20; i++)
	{
		n = 1095 + 5 * i;
		make_sales(y, n + H, first_day, 40 + (uint64_t) i);
		o.threshold = y[n - 1];
		for (int t = n - 100; t < n; t++)
			o.threshold = y[t] > o.threshold ? y[t] : o.threshold;
		o.threshold *= 1.3;
		if (cf_reach(y, n, &o, NULL, work, chance, &r) != CF_OK)
			continue;
		for (int k = 0; k < H; k++)
			if (y[n + k] >= o.threshold)
			{
				came++;
				seen += r.earliest > 0 && r.earliest <= k + 1 && (r.latest < 0 || r.latest >= k + 1) && r.probability > 0.5;
				break;
			}
	}
	ok(came >= 5 && seen >= came * 3 / 4, "the range of the date holds %d of %d peaks", seen, came);
	ok(r.current > 0.0, "the current value is the last one");
	make_sales(y, n, first_day, 40);
	o.threshold = y[n - 1];
	ok(cf_reach(y, n, &o, NULL, work, chance, &r) == CF_OK && r.status == CF_REACH_ALREADY && r.current == y[n - 1],
	   "a value at the threshold has reached it");
	free(work);
}

/* Hours: work from Monday to Friday from 8 to 18, little on weekends, and later; shape: of the working day. */
static void
make_hours(double *y, int n, double noise, uint64_t seed)
{
	for (int t = 0; t < n; t++)
	{
		int			h = t % 24;
		int			d = t / 24 % 7;
		double		work = d < 5 ? (h >= 8 && h < 18 ? 60.0 : 5.0) : (h >= 11 && h < 23 ? 18.0 : 4.0);

		y[t] = 20.0 + 0.003 * t + work + noise * made_noise(&seed);
	}
}

static void
ask_hours(const double *y, int n, bool is_plain, Asked *a)
{
	static const double levels[2] = {0.80, 0.95};
	double	   *work = tap_memory(cf_forecast_worksize(n, H));

	cf_options_init(&a->options);
	a->options.kind = CF_KIND_GAUGE;
	a->options.season_hint = 24;
	if (is_plain)
		cf_forecast_plain(y, n, &a->options, H, levels, 2, NULL, work, a->yhat, a->lower, a->upper, &a->info);
	else
		cf_forecast(y, n, &a->options, H, levels, 2, NULL, work, a->yhat, a->lower, a->upper, &a->info);
	free(work);
}

static void
test_hours(void)
{
	static const int histories[3] = {336, 672, 1344};
	double		y[MOST];
	Asked		a;
	Asked		plain;

	for (int i = 0; i < 3; i++)
	{
		int			n = histories[i] - 5;	/* ends within a day */

		make_hours(y, n + H, 1.0, 60 + (uint64_t) i);
		ask_hours(y, n, false, &a);
		ask_hours(y, n, true, &plain);
		if (n < 336)
		{
			ok(memcmp(a.yhat, plain.yhat, sizeof(a.yhat)) == 0, "less than two weeks of hours are forecast by the day");
			continue;
		}
		ok(error_of(a.yhat, y + n) < 1.6 && error_of(plain.yhat, y + n) > 4.0, "%d hours with another weekend: error %.2f, by the day %.2f",
		   n, error_of(a.yhat, y + n), error_of(plain.yhat, y + n));
		ok(within(&a, y + n, 0) > 0.55 && within(&a, y + n, 1) > 0.8, "the bounds hold %.2f and %.2f",
		   within(&a, y + n, 0), within(&a, y + n, 1));
		ok(a.info.calendar.has_week && a.info.calendar.week_strength > 0.8, "and it says so: %.2f", a.info.calendar.week_strength);
	}
	/* gaps, a shape that moves, days of 23 hours */
	make_hours(y, 672 + H, 1.0, 64);
	for (int t = 100; t < 672; t += 17)
		y[t] = (double) NAN;
	ask_hours(y, 672, false, &a);
	ok(error_of(a.yhat, y + 672) < 1.8, "with gaps: error %.2f", error_of(a.yhat, y + 672));
	for (int t = 0; t < 504 + H; t++)
	{
		uint64_t	seed = (uint64_t) t;

		y[t] = (t % 23 < 9 ? 50.0 : 10.0) + made_noise(&seed);
	}
	ask_hours(y, 504, false, &a);
	ok(error_of(a.yhat, y + 504) < 2.0 && a.info.season_length == 23, "a day of 23 steps is found: error %.2f", error_of(a.yhat, y + 504));
	/* days that are alike */
	for (int t = 0; t < 672 + H; t++)
	{
		uint64_t	seed = (uint64_t) t;

		y[t] = 30.0 + (t % 24 < 9 ? 15.0 : 10.0) + made_noise(&seed);
	}
	ask_hours(y, 672, false, &a);
	ask_hours(y, 672, true, &plain);
	ok(error_of(a.yhat, y + 672) < 1.05 * error_of(plain.yhat, y + 672), "days that are alike: error %.2f, %.2f without a week",
	   error_of(a.yhat, y + 672), error_of(plain.yhat, y + 672));
}

/* The hour that a daily peak reaches a threshold for the first time: on Monday, not on Sunday. */
static void
test_hour(void)
{
	double		y[MOST];
	double		chance[H];
	int			n = 24 * 25;	/* ends on a Thursday at midnight */
	CfReachOptions o = {.threshold = 0.0, .direction = CF_UPWARD, .horizon = H, .confidence_level = 0.8,
		.kind = CF_KIND_GAUGE, .season_hint = 24, .seed = 5};
	CfReach		r;
	double	   *work = tap_memory(cf_reach_worksize(MOST, H));

	make_hours(y, n, 1.0, 70);
	o.threshold = 70.0;
	ok(cf_reach(y, n, &o, NULL, work, chance, &r) == CF_OK && r.status == CF_REACH_OK && r.median >= 9 && r.median <= 11
	   && chance[7] < 0.1, "a working day's load is reached when work begins: hour %d", r.median);
	n = 24 * 25 + 20;			/* Friday evening */
	make_hours(y, n, 1.0, 70);
	ok(cf_reach(y, n, &o, NULL, work, chance, &r) == CF_OK && r.status == CF_REACH_OK && r.median >= 61 && r.median <= 63
	   && chance[50] < 0.1, "on Friday evening, not before Monday: hour %d", r.median);
	free(work);
}

/* Weeks with a slow summer, two weeks that are twice as busy, and growth. */
static void
test_weeks(void)
{
	static const int histories[3] = {60, 96, 156};
	double		y[MOST];
	CfOptions	o;
	double	   *work = tap_memory(cf_forecast_worksize(MOST, H));
	Asked		a;
	Asked		plain;

	cf_options_init(&o);
	o.kind = CF_KIND_FLOW;
	o.season_hint = 52;
	for (int i = 0; i < 3; i++)
	{
		int			n = histories[i];
		uint64_t	seed = 80 + (uint64_t) i;
		double		error[2] = {0.0, 0.0};

		for (int t = 0; t < n + 26; t++)
			y[t] = (1000.0 + 2.0 * t) * (1.0 - 0.3 * cf_num_exp(-0.02 * (t % 52 - 30) * (t % 52 - 30)) + (t % 52 == 11 || t % 52 == 50))
				* (1.0 + 0.02 * made_noise(&seed));
		cf_forecast(y, n, &o, 26, NULL, 0, NULL, work, a.yhat, NULL, NULL, &a.info);
		cf_forecast_plain(y, n, &o, 26, NULL, 0, NULL, work, plain.yhat, NULL, NULL, &plain.info);
		for (int k = 0; k < 26; k++)
		{
			error[0] += fabs(a.yhat[k] - y[n + k]) / 26;
			error[1] += fabs(plain.yhat[k] - y[n + k]) / 26;
		}
		ok(error[0] < (n < 80 ? 1.02 : n < 104 ? 0.5 : 1.1) * error[1], "%d weeks: error %.0f, without last year's memory %.0f", n, error[0], error[1]);
		ok(a.info.season_length == (a.info.calendar.has_year ? 52 : 1), "the season is a year where there is one");
	}
	/* noise has no year */
	for (int t = 0; t < 130; t++)
	{
		uint64_t	seed = 900 + (uint64_t) t;

		y[t] = 500.0 + 20.0 * made_noise(&seed);
	}
	cf_forecast(y, 104, &o, 26, NULL, 0, NULL, work, a.yhat, NULL, NULL, &a.info);
	plain.yhat[0] = 0.0;
	for (int k = 0; k < 26; k++)
		plain.yhat[0] = fmax(plain.yhat[0], fabs(a.yhat[k] - 500.0));
	ok(plain.yhat[0] < 20.0, "noise of two years is forecast by its mean, at most %.1f off", plain.yhat[0]);
	free(work);
}

int
main(void)
{
	test_weeks();
	test_hours();
	test_hour();
	test_year();
	test_leap_year();
	test_no_year();
	test_other_kinds();
	test_date();
	return tap_done();
}
