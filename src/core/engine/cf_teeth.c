/*
 * cf_teeth.c
 *		Saw-teeth.
 *
 * A fall is to less than half.  Falls are teeth if they recur, on the first of each month, at even distances, or from an
 * even level, and the values hardly fall otherwise.
 */
#include <math.h>

#include "core/engine/cf_teeth.h"
#include "core/time/cf_calendar.h"

#define FALL 0.5				/* of the value before */
#define MOST_FALLING 0.15		/* share of the steps */
#define MONTH_SHARE 0.8			/* of the falls on a first, and of the firsts with a fall */
#define FEWEST 3				/* falls, without a calendar */
#define SHORTEST 10				/* steps; shorter ones are a season */
#define EVEN 0.15				/* spread of distances or levels, of their mean */

static bool
is_fall(const double *y, int t)
{
	return y[t - 1] > 0.0 && y[t] >= 0.0 && y[t] < FALL * y[t - 1];
}

static bool
is_first(const CfTeeth *teeth, int t)
{
	return cf_calendar_date((teeth->first_day + t) * CF_DAY).day == 1;
}

typedef struct Seen
{
	int			falls;
	int			declines;
	int			firsts;
	int			falls_on_first;
} Seen;

static Seen
look(const double *y, int n, bool has_days, CfTeeth *teeth)
{
	Seen		seen = {0};

	for (int t = 1; t < n; t++)
	{
		bool		falls = is_fall(y, t);
		bool		first = has_days && is_first(teeth, t);

		seen.declines += y[t] < y[t - 1];
		seen.falls += falls;
		seen.firsts += first;
		seen.falls_on_first += falls && first;
		if (falls)
			teeth->last_fall = t;
	}
	return seen;
}

/* Spread over mean, of the distances between falls and of the values before them. */
static void
measure(const double *y, int n, int falls, CfTeeth *teeth, double *uneven_distance, double *uneven_level)
{
	double		distance[3] = {0.0, 0.0, 0.0};
	double		level[3] = {0.0, 0.0, 0.0};
	double		trough = 0.0;
	int			before = 0;

	for (int t = 1; t < n; t++)
	{
		if (!is_fall(y, t))
			continue;
		if (before > 0)
		{
			distance[0] += 1.0;
			distance[1] += t - before;
			distance[2] += (double) (t - before) * (t - before);
		}
		if (before == 0)
			teeth->peak_low = teeth->peak_high = y[t - 1];
		teeth->peak_low = y[t - 1] < teeth->peak_low ? y[t - 1] : teeth->peak_low;
		teeth->peak_high = y[t - 1] > teeth->peak_high ? y[t - 1] : teeth->peak_high;
		level[0] += 1.0;
		level[1] += y[t - 1];
		level[2] += y[t - 1] * y[t - 1];
		trough += y[t];
		before = t;
	}
	teeth->period = (int) (distance[1] / distance[0] + 0.5);
	teeth->base = trough / falls;
	*uneven_distance = sqrt(fmax(distance[2] / distance[0] - (distance[1] / distance[0]) * (distance[1] / distance[0]), 0.0))
		/ (distance[1] / distance[0]);
	*uneven_level = sqrt(fmax(level[2] / level[0] - (level[1] / level[0]) * (level[1] / level[0]), 0.0)) / (level[1] / level[0]);
}

static void
put_growth(const double *y, int n, double *growth, CfTeeth *teeth)
{
	double		sum = 0.0;
	int			count = 0;

	growth[0] = 0.0;
	for (int t = 1; t < n; t++)
	{
		growth[t] = y[t] - y[t - 1];
		if (teeth->end != CF_TOOTH_MONTH && is_fall(y, t))
			continue;
		sum += growth[t] > 0.0 ? growth[t] : 0.0;
		count++;
	}
	/* of a counter, the value after a fall is the step's own; else it is what such a step usually adds */
	if (teeth->end != CF_TOOTH_MONTH && teeth->base > 0.0)
		teeth->base -= sum / count < teeth->base ? sum / count : teeth->base;
	if (teeth->end == CF_TOOTH_MONTH || teeth->base < 2.0 * sum / count)
		teeth->base = 0.0;
	for (int t = 1; t < n; t++)
		if (is_fall(y, t))
			growth[t] = teeth->base > 0.0 ? sum / count : y[t];
	growth[0] = n > 7 ? growth[7] : growth[1];
}

void
cf_teeth_find(const double *y, int n, bool has_days, int64_t first_day, double *growth, CfTeeth *teeth)
{
	Seen		seen;
	double		uneven_distance;
	double		uneven_level;

	*teeth = (CfTeeth) {.end = CF_TOOTH_NONE, .first_day = first_day};
	if (n < 28)
		return;
	seen = look(y, n, has_days, teeth);
	if (seen.falls < 2 || seen.declines > MOST_FALLING * (n - 1))
		return;
	if (seen.firsts >= 2 && seen.falls_on_first >= 2 && seen.falls_on_first >= MONTH_SHARE * seen.firsts
		&& seen.falls_on_first >= MONTH_SHARE * seen.falls)
		teeth->end = CF_TOOTH_MONTH;
	else if (seen.falls >= FEWEST)
	{
		measure(y, n, seen.falls, teeth, &uneven_distance, &uneven_level);
		if (teeth->period < SHORTEST || fmin(uneven_distance, uneven_level) > EVEN)
			return;
		teeth->end = uneven_distance <= uneven_level ? CF_TOOTH_PERIOD : CF_TOOTH_LEVEL;
	}
	if (teeth->end != CF_TOOTH_NONE)
		put_growth(y, n, growth, teeth);
}

bool
cf_teeth_is_fall(const CfTeeth *teeth, int t, double before, double peak)
{
	switch (teeth->end)
	{
		case CF_TOOTH_MONTH:
			return is_first(teeth, t);
		case CF_TOOTH_PERIOD:
			return (t - teeth->last_fall) % teeth->period == 0;
		case CF_TOOTH_LEVEL:
			return before >= peak;
		default:
			return false;
	}
}
