/*
 * cf_grid.c
 *		From points in time to a regular row of values.
 *
 * Detection looks, in this order, for the midnights of a local clock (months, weeks, days),
 * for one day of the month and time of day shared by all points (calendar months), for the
 * greatest common divisor of the distances, and last for the usual step nearest to the
 * median distance (points collected about once a day, say).
 */
#include <math.h>

#include "core/numerics/cf_num.h"
#include "core/time/cf_calendar.h"
#include "core/time/cf_grid.h"

#define FIRST_MONDAY (2 * CF_DAY)	/* 2000-01-03 */

/* Times and steps a grid may have, about 36 000 years: sums and small multiples stay inside int64. */
#define TIME_LIMIT (INT64_MAX / 8)

#define MONTH_LIMIT (36000 * 12)

static const int64_t usual_steps[] = {
	CF_MINUTE, 5 * CF_MINUTE, 10 * CF_MINUTE, 15 * CF_MINUTE, 30 * CF_MINUTE,
	CF_HOUR, 2 * CF_HOUR, 3 * CF_HOUR, 4 * CF_HOUR, 6 * CF_HOUR, 8 * CF_HOUR, 12 * CF_HOUR,
	CF_DAY, CF_WEEK, 2 * CF_WEEK
};
static const int usual_months[] = {1, 3, 6, 12};

static int64_t
greatest_divisor(int64_t a, int64_t b)
{
	while (b != 0)
	{
		int64_t		rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static int64_t
bucket_of(const CfGrid *grid, int64_t time)
{
	CfDate		date;
	int64_t		month;

	time = cf_zone_local(&grid->zone, time) + grid->lead;
	if (grid->months == 0)
		return cf_floor_div(time - grid->start, grid->step);
	date = cf_calendar_date(time);
	month = date.month;
	if (time < cf_calendar_time(month, grid->month_day, grid->start))
		month--;
	return cf_floor_div(month - grid->start_month, grid->months);
}

int64_t
cf_grid_bucket(const CfGrid *grid, int64_t time)
{
	return bucket_of(grid, time);
}

/* On the local clock; the extremes beyond all years. */
static int64_t
local_time(const CfGrid *grid, int64_t k)
{
	if (grid->months == 0)
	{
		if (k > TIME_LIMIT / grid->step || k < -TIME_LIMIT / grid->step)
			return k > 0 ? INT64_MAX : INT64_MIN;
		return grid->start + k * grid->step;
	}
	if (k > MONTH_LIMIT / grid->months || k < -MONTH_LIMIT / grid->months)
		return k > 0 ? INT64_MAX : INT64_MIN;
	return cf_calendar_time(grid->start_month + k * grid->months, grid->month_day, grid->start);
}

int64_t
cf_grid_time(const CfGrid *grid, int64_t k)
{
	int64_t		local = local_time(grid, k);

	return local == INT64_MAX || local == INT64_MIN ? local : cf_zone_utc(&grid->zone, local);
}

int64_t
cf_grid_day(const CfGrid *grid, int64_t k)
{
	int64_t		time = grid->is_local ? local_time(grid, k) : cf_grid_time(grid, k);

	return time == INT64_MAX || time == INT64_MIN ? time : cf_floor_div(time, CF_DAY) * CF_DAY;
}

bool
cf_grid_is_usual(const CfGrid *grid)
{
	for (size_t i = 0; grid->months == 0 && i < sizeof(usual_steps) / sizeof(usual_steps[0]); i++)
		if (grid->step == usual_steps[i])
			return true;
	return grid->months > 0 && grid->months <= 12 && 12 % grid->months == 0;
}

/*
 * All points on one day of the month (or on the last day of shorter months) at one time
 * of day, by the grid's zone: fills the rest of the grid and returns true.
 */
static bool
on_calendar(const int64_t *time, int n, int months, CfGrid *grid)
{
	CfDate		first = cf_calendar_date(cf_zone_local(&grid->zone, time[0]));
	int64_t		divisor = months;
	int			day = 1;

	for (int i = 0; i < n; i++)
	{
		CfDate		date = cf_calendar_date(cf_zone_local(&grid->zone, time[i]));

		if (date.time_of_day != first.time_of_day || (months == 0 && time[i] != time[0] && date.month == first.month))
			return false;
		if (date.day > day)
			day = date.day;
	}
	for (int i = 0; i < n; i++)
	{
		CfDate		date = cf_calendar_date(cf_zone_local(&grid->zone, time[i]));
		int			length = cf_calendar_month_length(date.month);

		if (date.day != (day < length ? day : length))
			return false;
		divisor = greatest_divisor(divisor, date.month - first.month);
	}
	if (divisor == 0 || (months > 0 && divisor != months) || divisor > 120000)
		return false;
	grid->step = 0;
	grid->months = (int) divisor;
	grid->start = first.time_of_day;
	grid->start_month = (int) first.month;
	grid->month_day = day;
	return true;
}

static void
start_fixed(CfGrid *grid, int64_t first, int64_t step, bool from_round_time)
{
	int64_t		anchor = step % CF_WEEK == 0 ? FIRST_MONDAY : 0;

	grid->step = step;
	grid->months = 0;
	grid->start = from_round_time ? anchor + cf_floor_div(first - anchor, step) * step : first;
	grid->start_month = 0;
	grid->month_day = 1;
}

static void
start_months(CfGrid *grid, int64_t first, int months)
{
	grid->step = 0;
	grid->months = months;
	grid->start = 0;
	grid->start_month = (int) (cf_floor_div(cf_calendar_date(first).month, months) * months);
	grid->month_day = 1;
}

/* The usual step nearest to a distance, by ratio. */
static void
usual_step(int64_t distance, int64_t first, CfGrid *grid)
{
	double		nearest = (double) INFINITY;

	for (size_t i = 0; i < sizeof(usual_steps) / sizeof(usual_steps[0]); i++)
	{
		double		ratio = (double) distance / (double) usual_steps[i];

		ratio = ratio < 1.0 ? 1.0 / ratio : ratio;
		if (ratio < nearest)
		{
			nearest = ratio;
			start_fixed(grid, first, usual_steps[i], true);
		}
	}
	for (size_t i = 0; i < sizeof(usual_months) / sizeof(usual_months[0]); i++)
	{
		double		ratio = (double) distance / (usual_months[i] * 30.436875 * (double) CF_DAY);

		ratio = ratio < 1.0 ? 1.0 / ratio : ratio;
		if (ratio < nearest)
		{
			nearest = ratio;
			start_months(grid, first, usual_months[i]);
		}
	}
}

/* Distances between different times into work; returns their number, and the divisor. */
static int
distances(const int64_t *time, int n, double *work, int64_t *divisor)
{
	int			n_distances = 0;

	*divisor = 0;
	for (int i = 1; i < n; i++)
	{
		if (time[i] == time[i - 1])
			continue;
		*divisor = greatest_divisor(time[i] - time[i - 1], *divisor);
		work[n_distances++] = (double) (time[i] - time[i - 1]);
	}
	return n_distances;
}

static const CfZone utc = {0, 0, CF_ZONE_NO_RULE};

/* The greatest common divisor of the distances between days of the local clock; 0 where there are none. */
static int64_t
local_divisor(const int64_t *time, int n, const CfZone *zone)
{
	int64_t		divisor = 0;
	int64_t		before = cf_zone_local(zone, time[0]);

	for (int i = 1; i < n; i++)
	{
		int64_t		at = cf_zone_local(zone, time[i]);

		divisor = greatest_divisor(at - before, divisor);
		before = at;
	}
	return divisor;
}

/*
 * Months, weeks or days of a local clock.  One time of day alone is taken for midnights where that makes them
 * the first days of months, the last ones where they are not of UTC, or Mondays; days of it are an hour later after a
 * summer, but keep the name that they have in UTC.
 */
static bool
on_local_clock(const int64_t *time, int n, CfGrid *grid)
{
	CfZoneSight sight = cf_zone_detect(time, n, &grid->zone);
	int64_t		first = cf_zone_local(&grid->zone, time[0]);
	int64_t		divisor;

	if (sight == CF_ZONE_NONE)
		return false;
	grid->is_local = true;
	if (on_calendar(time, n, 0, grid) && (sight == CF_ZONE_TWO || grid->month_day == 1))
		return true;
	divisor = local_divisor(time, n, &grid->zone);
	if (divisor > 0 && (time[n - 1] - time[0]) / divisor <= 4 * (int64_t) (n - 1))
	{
		grid->is_local = sight == CF_ZONE_TWO || (divisor % CF_WEEK == 0 && (first - FIRST_MONDAY) % CF_WEEK == 0);
		if (grid->is_local || divisor % CF_WEEK != 0)
		{
			start_fixed(grid, first, divisor, false);
			return true;
		}
	}
	if (sight == CF_ZONE_TWO)
		return false;
	grid->zone = utc;
	grid->is_local = false;
	if (on_calendar(time, n, 0, grid))
		return true;
	(void) cf_zone_detect(time, n, &grid->zone);
	grid->is_local = on_calendar(time, n, 0, grid);
	return grid->is_local;
}

/* Points about the times that the buckets begin at, some before and some after, are of the nearest one. */
static void
lead_points(const int64_t *time, int n, CfGrid *grid)
{
	int			before = 0;
	int			after = 0;

	if (grid->months > 0)
		return;
	for (int i = 0; i < n; i++)
	{
		int64_t		late = time[i] - grid->start - cf_floor_div(time[i] - grid->start, grid->step) * grid->step;

		before += late >= grid->step - grid->step / 8;
		after += late <= grid->step / 8;
	}
	if (before == 0 || after == 0 || before + after < n - n / 10)
		return;
	grid->lead = grid->step / 2;
	if (bucket_of(grid, time[0]) == 1)
		grid->start += grid->step;
}

static void
detect_step(const int64_t *time, int n, double *work, CfGrid *grid)
{
	int64_t		divisor;
	int64_t		span = time[n - 1] - time[0];
	int			n_distances = distances(time, n, work, &divisor);

	grid->is_regular = true;
	if (n_distances == 0)
		start_fixed(grid, time[0], CF_DAY, false);
	else if (on_local_clock(time, n, grid))
		return;
	else
	{
		grid->zone = utc;
		grid->is_local = false;
		if (on_calendar(time, n, 0, grid))
			return;
		if (span / divisor <= 4 * (int64_t) n_distances)
		{
			start_fixed(grid, time[0], divisor, false);
			return;
		}
		grid->is_regular = false;
		usual_step((int64_t) cf_num_median(work, n_distances), time[0], grid);
		lead_points(time, n, grid);
	}
}

CfStatus
cf_grid_detect(const int64_t *time, int n, double *work, CfGrid *grid)
{
	int64_t		last;

	grid->zone = utc;
	grid->is_local = false;
	grid->lead = 0;
	if (n < 1)
		return CF_TOO_FEW;
	if (grid->step < 0 || grid->months < 0 || (grid->step > 0 && grid->months > 0)
		|| grid->step > TIME_LIMIT || grid->months > 120000)
		return CF_BAD_ARGUMENT;
	if (time[0] < -TIME_LIMIT || time[n - 1] > TIME_LIMIT)
		return CF_TOO_BIG;
	for (int i = 1; i < n; i++)
		if (time[i] < time[i - 1])
			return CF_BAD_ARGUMENT;

	if (grid->step > 0)
	{
		bool		is_aligned = true;
		int64_t		step = grid->step;

		for (int i = 1; i < n && is_aligned; i++)
			is_aligned = (time[i] - time[0]) % step == 0;
		start_fixed(grid, time[0], step, !is_aligned);
		grid->is_regular = is_aligned;
	}
	else if (grid->months > 0)
	{
		int			months = grid->months;

		grid->is_regular = on_calendar(time, n, months, grid);
		if (!grid->is_regular)
			start_months(grid, time[0], months);
	}
	else
		detect_step(time, n, work, grid);

	last = bucket_of(grid, time[n - 1]);
	if (last >= CF_GRID_MAX)
		return CF_TOO_BIG;
	grid->n = (int) last + 1;
	return CF_OK;
}

int
cf_grid_season(const CfGrid *grid)
{
	if (grid->months > 0)
		return grid->months < 12 && 12 % grid->months == 0 ? 12 / grid->months : 1;
	if (grid->step % CF_DAY == 0)
		return grid->step == CF_DAY ? 7 : grid->step == CF_WEEK ? 52 : 1;
	if (grid->step >= CF_MINUTE && grid->step <= CF_DAY / 2 && CF_DAY % grid->step == 0)
		return (int) (CF_DAY / grid->step);
	return 1;
}

int64_t
cf_grid_steps_in(const CfGrid *grid, double days)
{
	double		step_days = grid->months > 0 ? grid->months * 30.436875 : (double) grid->step / (double) CF_DAY;
	double		steps = ceil(days / step_days - 1e-9);

	if (!(steps >= 1.0))
		return 1;
	return steps < 9e15 ? (int64_t) steps : INT64_C(9000000000000000);
}

static bool
is_before(int64_t time_a, double a, int64_t time_b, double b)
{
	if (time_a != time_b)
		return time_a < time_b;
	return a < b || (isnan(b) && !isnan(a));
}

static void
sift_down(int64_t *time, double *value, int root, int n)
{
	int64_t		t = time[root];
	double		v = value[root];
	int			child;

	while ((child = 2 * root + 1) < n)
	{
		if (child + 1 < n && is_before(time[child], value[child], time[child + 1], value[child + 1]))
			child++;
		if (!is_before(t, v, time[child], value[child]))
			break;
		time[root] = time[child];
		value[root] = value[child];
		root = child;
	}
	time[root] = t;
	value[root] = v;
}

void
cf_grid_sort(int64_t *time, double *value, int n)
{
	bool		is_sorted = true;

	for (int i = 1; i < n && is_sorted; i++)
		is_sorted = !is_before(time[i], value[i], time[i - 1], value[i - 1]);
	if (is_sorted)
		return;
	for (int i = n / 2 - 1; i >= 0; i--)
		sift_down(time, value, i, n);
	for (int i = n - 1; i > 0; i--)
	{
		int64_t		t = time[0];
		double		v = value[0];

		time[0] = time[i];
		value[0] = value[i];
		time[i] = t;
		value[i] = v;
		sift_down(time, value, 0, i);
	}
}
