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
#define MOST_FALLING 0.3		/* share of the steps */
#define MONTH_SHARE 0.8			/* of the falls on a first, and of the firsts with a fall */
#define FEWEST 3				/* falls, without a calendar */
#define TWICE_SAME 0.025		/* spread of the levels of two falls that are one level: 5 % between them */
#define SHORTEST 10				/* steps; shorter ones are a season */
#define EVEN 0.15				/* spread of distances or levels, of their mean */
#define SAME_LEVEL 0.05			/* spread of levels that are one */
#define ONE_FALL 4				/* steps within which several falls are one, up and down again by noise */
#define OVERDUE 1.4				/* periods since the last fall: it does not fall any more */
#define OUTGROWN 1.15			/* highest peaks: the same of a fall that is late at all */

static bool
is_fall(const double *y, int t)
{
	return y[t - 1] > 0.0 && y[t] >= 0.0 && y[t] < FALL * y[t - 1];
}

/* On the first of a month that begins a period of so many. */
static bool
is_first(const CfTeeth *teeth, int t, int months)
{
	CfDate		date = cf_calendar_date((teeth->first_day + t) * CF_DAY);

	return date.day == 1 && date.month % months == 0;
}

typedef struct Seen
{
	int			falls;
	int			declines;
} Seen;

/* Marks where teeth end, one step each: growth[t] is 1 there, 2 at further falls of the same, else 0. */
static Seen
look(const double *y, int n, double *growth, CfTeeth *teeth)
{
	Seen		seen = {0, 0};
	int			before = -ONE_FALL;

	for (int t = 0; t < n; t++)
		growth[t] = 0.0;
	for (int t = 1; t < n; t++)
	{
		if (is_fall(y, t) && t - before >= ONE_FALL)
		{
			growth[t] = 1.0;
			seen.falls++;
			teeth->last_fall = before = t;
		}
		else if (t - before < ONE_FALL && (is_fall(y, t) || y[t] > FALL * y[before - 1]))
			growth[t] = 2.0;
		else
			seen.declines += y[t] < y[t - 1];
	}
	return seen;
}

/* Do falls come with the calendar, on the firsts of every so many months? */
static bool
is_by_calendar(const double *growth, int n, const Seen *seen, int months, const CfTeeth *teeth)
{
	int			firsts = 0;
	int			together = 0;

	for (int t = 1; t < n; t++)
	{
		bool		first = is_first(teeth, t, months);

		firsts += first;
		together += first && growth[t] == 1.0;
	}
	return together >= 2 && together >= MONTH_SHARE * firsts && together >= MONTH_SHARE * seen->falls;
}

/* Spread over mean, of the distances between falls and of the values before them. */
static void
measure(const double *y, const double *growth, int n, int falls, CfTeeth *teeth, double *uneven_distance, double *uneven_level)
{
	double		distance[3] = {0.0, 0.0, 0.0};
	double		level[3] = {0.0, 0.0, 0.0};
	double		trough = 0.0;
	int			before = 0;

	teeth->peak_low = (double) INFINITY;
	teeth->peak_high = 0.0;
	for (int t = 1; t < n; t++)
	{
		if (growth[t] != 1.0)
			continue;
		if (before > 0)
		{
			distance[0] += 1.0;
			distance[1] += t - before;
			distance[2] += (double) (t - before) * (t - before);
		}
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

/* What a step usually adds. */
static double
usual_growth(const double *y, const double *growth, int n)
{
	double		sum = 0.0;
	int			count = 0;

	for (int t = 1; t < n; t++)
	{
		if (growth[t] != 0.0)
			continue;
		sum += y[t] - y[t - 1];
		count++;
	}
	return count > 0 && sum > 0.0 ? sum / count : 0.0;
}

/* What each step added, in place of the marks: of a counter, the value after a fall is the step's own. */
static void
put_growth(const double *y, int n, double usual, double *growth, CfTeeth *teeth)
{
	for (int t = 1; t < n; t++)
	{
		if (growth[t] == 0.0)
			growth[t] = y[t] - y[t - 1];
		else
			growth[t] = growth[t] == 2.0 || teeth->base > 0.0 ? usual : y[t];
	}
	growth[0] = n > 7 ? growth[7] : growth[1];
}

/* Which of the ways to end teeth have; has_calendar: their falls come with it. */
static CfToothEnd
choose_end(const CfTeeth *teeth, const Seen *seen, bool has_calendar, double uneven_distance, double uneven_level)
{
	bool		is_even = seen->falls >= FEWEST && teeth->period >= SHORTEST && fmin(uneven_distance, uneven_level) <= EVEN;

	/* what starts from nothing on a first is a counter; what does not may meet the firsts by chance */
	if (has_calendar && (teeth->base == 0.0 || !is_even))
		return CF_TOOTH_MONTH;
	if (!is_even)
		return seen->falls == 2 && teeth->period >= SHORTEST && uneven_level <= TWICE_SAME ? CF_TOOTH_LEVEL : CF_TOOTH_NONE;
	return uneven_distance <= uneven_level && (teeth->base == 0.0 || uneven_level > SAME_LEVEL) ? CF_TOOTH_PERIOD : CF_TOOTH_LEVEL;
}

void
cf_teeth_find(const double *y, int n, bool has_days, int64_t first_day, double *growth, CfTeeth *teeth)
{
	static const int calendar[] = {1, 3, 12};
	Seen		seen;
	double		uneven_distance;
	double		uneven_level;
	double		usual;
	int			by = 0;

	*teeth = (CfTeeth) {.end = CF_TOOTH_NONE, .first_day = first_day};
	if (n < 28)
		return;
	seen = look(y, n, growth, teeth);
	if (seen.falls < 2 || seen.declines > MOST_FALLING * (n - 1))
		return;
	while (has_days && by < 3 && !is_by_calendar(growth, n, &seen, calendar[by], teeth))
		by++;
	measure(y, growth, n, seen.falls, teeth, &uneven_distance, &uneven_level);
	usual = usual_growth(y, growth, n);
	teeth->base -= usual < teeth->base ? usual : teeth->base;
	if (teeth->base < 2.0 * usual)
		teeth->base = 0.0;
	teeth->end = choose_end(teeth, &seen, has_days && by < 3, uneven_distance, uneven_level);
	if (teeth->end == CF_TOOTH_NONE)
		return;
	teeth->months = teeth->end == CF_TOOTH_MONTH ? calendar[by] : 0;
	if (y[n - 1] > teeth->peak_high && (n - teeth->last_fall > OVERDUE * teeth->period
										|| (n - teeth->last_fall > teeth->period + ONE_FALL && y[n - 1] > OUTGROWN * teeth->peak_high)))
	{
		teeth->end = CF_TOOTH_NONE;
		teeth->has_ended = true;
		return;
	}
	teeth->next_fall = teeth->last_fall + teeth->period > n ? teeth->last_fall + teeth->period : n;
	put_growth(y, n, usual, growth, teeth);
}

bool
cf_teeth_is_fall(const CfTeeth *teeth, int t, double before, double peak)
{
	switch (teeth->end)
	{
		case CF_TOOTH_MONTH:
			return is_first(teeth, t, teeth->months);
		case CF_TOOTH_PERIOD:
			return t >= teeth->next_fall && (t - teeth->next_fall) % teeth->period == 0;
		case CF_TOOTH_LEVEL:
			return before >= peak;
		default:
			return false;
	}
}
