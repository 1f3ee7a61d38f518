/*
 * fuzz_core.c
 *		Feeds the core's entry points with arbitrary numbers and checks what must always hold.
 *
 * With libFuzzer (clang -fsanitize=fuzzer) the input comes from the fuzzer; compiled with
 * -DRANDOM_DRIVER it comes from a generator: fuzz_core SECONDS [SEED].  Under the sanitizers both look for
 * reads and writes out of bounds, undefined behaviour, and broken promises (abort).
 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/engine/cf_backtest.h"
#include "core/engine/cf_change.h"
#include "core/engine/cf_decompose.h"
#include "core/engine/cf_forecast.h"
#include "core/engine/cf_reach.h"
#include "core/engine/cf_season.h"
#include "core/models/cf_slope.h"
#include "core/numerics/cf_num.h"
#include "core/numerics/cf_round.h"
#include "core/time/cf_fill.h"
#include "core/time/cf_grid.h"
#include "plan/rules/cf_growth.h"

#define MAX_N 300
#define MAX_H 120

#define PROMISE(condition) \
	do { \
		if (!(condition)) \
		{ \
			fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input, taken from the front; zeros when it is used up. */
typedef struct Input
{
	const uint8_t *data;
	size_t		left;
} Input;

static void
take(Input *in, void *to, size_t size)
{
	memset(to, 0, size);
	if (size > in->left)
		size = in->left;
	if (size > 0)
		memcpy(to, in->data, size);
	in->data += size;
	in->left -= size;
}

static unsigned
take_below(Input *in, unsigned limit)
{
	uint16_t	v;

	take(in, &v, sizeof(v));
	return v % limit;
}

/* Exactly the memory promised to be enough, so that the sanitizer sees one double too many. */
static double *
memory(size_t doubles)
{
	double	   *m = malloc(doubles > 0 ? doubles * sizeof(double) : 1);

	if (m == NULL)
		exit(2);
	for (size_t i = 0; i < doubles; i++)
		m[i] = 1e300;
	return m;
}

/* A value in one of several styles: raw bits, small counts, a range, gaps. */
static double
take_value(Input *in, unsigned style, double before)
{
	double		v;
	int8_t		step;

	switch (style)
	{
		case 0:
			take(in, &v, sizeof(v));
			return v;
		case 1:
			take(in, &step, sizeof(step));
			return step == 127 ? (double) NAN : (double) step;
		case 2:
			take(in, &step, sizeof(step));
			return before + abs(step);
		case 3:
			take(in, &step, sizeof(step));
			return step < 0 ? (double) NAN : ldexp(1.0, step - 64);
		default:
			take(in, &step, sizeof(step));
			return before + step * 1e-3;
	}
}

static double *
take_series(Input *in, int *n)
{
	unsigned	style = take_below(in, 5);
	double	   *y;
	double		before = 0.0;

	*n = (int) take_below(in, MAX_N + 1);
	y = memory((size_t) *n);
	for (int t = 0; t < *n; t++)
	{
		y[t] = take_value(in, style, before);
		before = isfinite(y[t]) && fabs(y[t]) < 1e12 ? y[t] : 0.0;
	}
	return y;
}

static double
take_limit(Input *in)
{
	return ((const double[]) {NAN, 0.0, 100.0, -50.0, 1e6})[take_below(in, 5)];
}

static void
take_options(Input *in, CfOptions *o)
{
	cf_options_init(o);
	o->kind = (CfKind) take_below(in, 3);
	o->model = (CfModel) take_below(in, CF_MODEL_COUNT);
	o->season_length = take_below(in, 2) ? 0 : (int) take_below(in, 40);
	o->season_hint = take_below(in, 2) ? 7 : (int) take_below(in, 30);
	o->is_additive = take_below(in, 2);
	o->floor = take_limit(in);
	o->cap = take_limit(in);
	o->is_count = take_below(in, 2);
}

static double
largest_of(const double *y, int n)
{
	double		largest = 0.0;

	for (int t = 0; t < n; t++)
		if (fabs(y[t]) > largest)
			largest = fabs(y[t]);
	return largest;
}

static void
check_forecast(const double *y, int n, const CfOptions *o, int h, const double *yhat, const double *lower,
			   const double *upper)
{
	double		limit = 2.1e6 * largest_of(y, n) + 1e6 + 1.0;

	for (int k = 0; k < h; k++)
	{
		PROMISE(isfinite(yhat[k]) && isfinite(lower[k]) && isfinite(upper[k]));
		PROMISE(!(yhat[k] < o->floor) && !(yhat[k] > o->cap));
		PROMISE(!(o->is_count && isnan(o->floor) && lower[k] < 0.0));
		PROMISE(lower[k] <= yhat[k] && yhat[k] <= upper[k]);
		PROMISE(lower[h + k] <= lower[k] && upper[k] <= upper[h + k]);
		PROMISE(upper[h + k] - lower[h + k] <= limit);
	}
}

static void
fuzz_forecast(Input *in, const double *y, int n)
{
	static const double levels[2] = {0.80, 0.95};
	CfOptions	o;
	CfForecastInfo info;
	int			h = 1 + (int) take_below(in, MAX_H);
	double	   *work = memory(cf_forecast_worksize(n, h));
	double	   *yhat = memory((size_t) h);
	double	   *lower = memory(2 * (size_t) h);
	double	   *upper = memory(2 * (size_t) h);

	take_options(in, &o);
	if (cf_forecast(y, n, &o, h, levels, 2, NULL, work, yhat, lower, upper, &info) == CF_OK)
		check_forecast(y, n, &o, h, yhat, lower, upper);
	free(work);
	free(yhat);
	free(lower);
	free(upper);
}

static void
fuzz_reach(Input *in, const double *y, int n)
{
	CfReachOptions o = {0};
	CfReach		reach;
	double	   *work;
	double	   *probability;
	int			steps;

	o.horizon = 1 + (int) take_below(in, MAX_H);
	o.curve = (int) take_below(in, MAX_H);
	steps = o.curve > o.horizon ? o.curve : o.horizon;
	o.threshold = take_value(in, take_below(in, 2), 0.0);
	o.direction = take_below(in, 2) ? CF_UPWARD : CF_DOWNWARD;
	o.confidence_level = 0.8;
	o.kind = (CfKind) take_below(in, 3);
	o.season_hint = (int) take_below(in, 10);
	o.seed = take_below(in, 100);
	work = memory(cf_reach_worksize(n, steps));
	probability = memory((size_t) steps);
	if (cf_reach(y, n, &o, NULL, work, probability, &reach) == CF_OK)
	{
		for (int k = 0; k < steps; k++)
		{
			PROMISE(probability[k] >= 0.0 && probability[k] <= 1.0);
			PROMISE(k == 0 || probability[k] >= probability[k - 1]);
		}
		PROMISE(reach.never >= 0.0 && reach.never <= 1.0);
		PROMISE(reach.median < 0 || (reach.earliest >= 0 && reach.earliest <= reach.median));
		PROMISE(reach.latest < 0 || reach.median <= reach.latest);
	}
	free(work);
	free(probability);
}

static void
fuzz_parts(Input *in, const double *y, int n)
{
	int			period = 1 + (int) take_below(in, 30);
	double	   *work = memory(cf_decompose_worksize(n, period));
	double	   *part = memory(4 * (size_t) n);
	double		limit = 1e-9 * largest_of(y, n);
	CfDecomposeOptions options = {take_below(in, 2), take_below(in, 2) ? 7 : 24, take_below(in, 2), take_below(in, 5000)};

	if (cf_decompose(y, n, period, &options, NULL, work, part, part + n, part + 2 * n, part + 3 * n) == CF_OK)
		for (int t = 0; t < n; t++)
			PROMISE(isnan(y[t]) || fabs(part[t] + part[n + t] + part[2 * n + t] + part[3 * n + t] - y[t]) <= limit);
	free(work);
	free(part);
}

/* Long series of days, hours or weeks: what was taken, again and again, with days that are known. */
static void
fuzz_calendar(Input *in, const double *y, int n)
{
	static const int hints[] = {7, 24, 48, 52};
	static const double levels[2] = {0.80, 0.95};
	CfNamedDay	named[20];
	CfOptions	o;
	CfForecastInfo info;
	int			m = 50 + (int) take_below(in, 1100);
	int			h = 1 + (int) take_below(in, MAX_H);
	double	   *long_y = memory((size_t) m);
	double	   *work = memory(cf_forecast_worksize(m, h));
	double	   *yhat = memory((size_t) h);
	double	   *lower = memory(2 * (size_t) h);
	double	   *upper = memory(2 * (size_t) h);
	double	   *probability = memory((size_t) h);
	CfReachOptions r = {.threshold = take_value(in, take_below(in, 2), 0.0), .direction = CF_UPWARD, .horizon = h,
		.confidence_level = 0.8};
	CfReach		reach;

	for (int t = 0; t < m; t++)
		long_y[t] = n > 0 ? y[t % n] : 0.0;
	for (int i = 0; i < 20; i++)
		named[i] = (CfNamedDay) {(i == 0 ? 7000 : named[i - 1].day) + (int) take_below(in, 100), (int) take_below(in, 5),
			(int) take_below(in, 3) - 1};
	take_options(in, &o);
	o.season_hint = hints[take_below(in, 4)];
	o.has_days = o.season_hint == 7;
	o.first_day = 7000 + (int) take_below(in, 400);
	o.named = named;
	o.n_named = (int) take_below(in, 21);
	if (cf_forecast(long_y, m, &o, h, levels, 2, NULL, work, yhat, lower, upper, &info) == CF_OK)
		check_forecast(long_y, m, &o, h, yhat, lower, upper);
	free(work);
	r.kind = o.kind;
	r.season_hint = o.season_hint;
	r.has_days = o.has_days;
	r.first_day = o.first_day;
	r.named = named;
	r.n_named = o.n_named;
	work = memory(cf_reach_worksize(m, h));
	if (cf_reach(long_y, m, &r, NULL, work, probability, &reach) == CF_OK)
		for (int k = 0; k < h; k++)
			PROMISE(probability[k] >= 0.0 && probability[k] <= 1.0 && (k == 0 || probability[k] >= probability[k - 1]));
	free(work);
	free(long_y);
	free(yhat);
	free(lower);
	free(upper);
	free(probability);
}

static void
fuzz_changes(Input *in, const double *y, int n)
{
	CfChange	changes[5];
	CfSeason	season;
	int			n_changes = 0;
	int			hint = (int) take_below(in, 30);
	double	   *work = memory(cf_change_worksize(n));

	if (cf_change_detect(y, n, 1 + hint, 5, NULL, work, changes, &n_changes) == CF_OK)
		for (int i = 0; i < n_changes; i++)
			PROMISE(changes[i].index > 0 && changes[i].index < n && changes[i].score >= 5.0
					&& (i == 0 || changes[i - 1].index <= changes[i].index));
	free(work);
	work = memory(cf_season_worksize(n, hint));
	if (cf_season_detect(y, n, hint, NULL, work, &season) == CF_OK)
		PROMISE(season.period >= 1 && season.strength >= 0.0 && season.strength <= 1.0);
	free(work);
}

static void
fuzz_slope(const double *y, int n)
{
	double		a;
	double		b;
	double	   *work = memory(cf_slope_worksize(n));

	if (largest_of(y, n) <= 1e150 && cf_slope_robust(y, n, work, &a, &b) == CF_OK)
		PROMISE(isfinite(a) && isfinite(b));
	(void) cf_slope_acceleration(y, n, work, &a);
	free(work);
	if (n >= 3)
	{
		(void) cf_slope_cagr(y[0], y[1], y[2]);
		(void) cf_slope_doubling_days(y[0], y[1], y[2]);
		(void) cf_growth(y[0], y[1], 1);
	}
}

static void
fuzz_backtest(Input *in, const double *y, int n)
{
	CfFold		folds[4];
	CfScore		total;
	CfOptions	o;
	int			h = 1 + (int) take_below(in, 20);
	int			made;
	double	   *work = memory(cf_backtest_worksize(n, h));

	take_options(in, &o);
	if (cf_backtest(y, n, &o, h, 4, 0.9, NULL, work, folds, &made, &total, NULL, NULL, NULL) == CF_OK)
		PROMISE(made >= 1 && made <= 4 && folds[made - 1].origin == n - h);
	free(work);
}

static void
fuzz_grid(Input *in)
{
	int			n = (int) take_below(in, 40);
	static const CfZone zones[] = {{CF_HOUR, CF_HOUR, 0}, {-5 * CF_HOUR, CF_HOUR, 1}, {10 * CF_HOUR, CF_HOUR, 2},
	{CF_HOUR, CF_HOUR / 2, CF_ZONE_NO_RULE}, {11 * CF_HOUR / 2, 0, CF_ZONE_NO_RULE}};
	unsigned	style = take_below(in, 5);
	const CfZone *zone = &zones[take_below(in, 5)];
	int64_t    *time = malloc(((size_t) n + 1) * sizeof(int64_t));
	double	   *value = memory((size_t) n);
	double	   *work = memory((size_t) n);
	CfGrid		grid = {0};
	CfStatus	status;

	for (int i = 0; i < n; i++)
	{
		take(in, &time[i], style == 0 ? 8 : 2);
		time[i] = style == 2 ? cf_grid_time(&(CfGrid) {.months = 1, .month_day = 31}, time[i] & 0x3ff)
			: style == 1 ? (time[i] & 0xffff) * CF_HOUR
			: style == 3 ? cf_zone_utc(zone, (time[i] & 0x3ff) * CF_DAY)
			: style == 4 ? cf_zone_utc(zone, cf_calendar_time(time[i] & 0x3f, 1, 0)) : time[i];
		value[i] = take_value(in, 1, 0.0);
	}
	cf_grid_sort(time, value, n);
	status = cf_grid_detect(time, n, work, &grid);
	if (status == CF_OK)
	{
		double	   *out = memory((size_t) grid.n);
		CfPick		pick = (CfPick) take_below(in, 5);
		CfFilled	filled;

		PROMISE(cf_grid_bucket(&grid, time[0]) == 0 && cf_grid_bucket(&grid, time[n - 1]) == grid.n - 1);
		PROMISE(cf_grid_time(&grid, grid.n) > time[n - 1]);
		if (cf_grid_time(&grid, grid.n + 7) < INT64_MAX)
			PROMISE(cf_grid_bucket(&grid, cf_grid_time(&grid, grid.n + 7)) == grid.n + 7);
		PROMISE(cf_grid_season(&grid) >= 1 && cf_grid_steps_in(&grid, 30.0) >= 1);
		PROMISE(cf_grid_day(&grid, 0) % CF_DAY == 0);
		if (cf_fill_grid(&grid, time, value, n, pick, out, &filled) == CF_OK)
		{
			int64_t		step = CF_MINUTE * (1 + (int64_t) take_below(in, 20000));
			int64_t		last = cf_grid_time(&grid, grid.n - 1);

			PROMISE(filled.n_filled <= grid.n && filled.n_filled + filled.n_equal + filled.n_shared <= n);
			(void) cf_fill_lacks_zeros(out, grid.n, filled.n_filled, (CfKind) take_below(in, 3));
			if (grid.months == 0 && grid.lead == 0 && grid.zone.saving == 0 && grid.step <= step)
			{
				int			n_before = grid.n;

				PROMISE(cf_fill_coarser(&grid, out, step, pick) <= grid.n && grid.n <= n_before);
				PROMISE(cf_grid_bucket(&grid, last) == grid.n - 1 && cf_grid_bucket(&grid, time[0]) >= 0);
			}
		}
		free(out);
	}
	free(time);
	free(value);
	free(work);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input		in = {data, size};
	unsigned	what = take_below(&in, 9);
	int			n;
	double	   *y;

	if (what == 7)
	{
		fuzz_grid(&in);
		return 0;
	}
	y = take_series(&in, &n);
	switch (what)
	{
		case 0:
		case 1:
			fuzz_forecast(&in, y, n);
			break;
		case 2:
			fuzz_reach(&in, y, n);
			break;
		case 3:
			fuzz_parts(&in, y, n);
			break;
		case 4:
			fuzz_changes(&in, y, n);
			break;
		case 5:
			fuzz_slope(y, n);
			break;
		case 8:
			fuzz_calendar(&in, y, n);
			break;
		default:
			fuzz_backtest(&in, y, n);
			break;
	}
	free(y);
	return 0;
}

#ifdef RANDOM_DRIVER
int
main(int argc, char **argv)
{
	static uint8_t data[4096];
	double		seconds = argc > 1 ? atof(argv[1]) : 10.0;
	uint64_t	random = argc > 2 ? (uint64_t) atoll(argv[2]) : 1;
	time_t		end = time(NULL) + (time_t) seconds;
	long		runs = 0;

	for (; time(NULL) < end; runs++)
	{
		size_t		size = (size_t) (cf_num_random(&random) % sizeof(data));

		for (size_t i = 0; i < size; i++)
			data[i] = (uint8_t) (cf_num_random(&random) >> 56);
		LLVMFuzzerTestOneInput(data, size);
	}
	printf("%ld executions\n", runs);
	return 0;
}
#endif
