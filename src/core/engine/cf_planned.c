/*
 * cf_planned.c
 *		What is planned and changes the values to come.
 */
#include <math.h>

#include "core/engine/cf_planned.h"

#define NEVER 1e300

static bool
holds(const CfPlanned *e, int step)
{
	return step >= e->first && (e->last == CF_PLANNED_FOREVER || step <= e->last);
}

static bool
is_anchored(const CfPlanned *e)
{
	return e->effect == CF_EFFECT_GROWTH || (e->effect == CF_EFFECT_LEVEL && e->last == CF_PLANNED_FOREVER);
}

static double
changed(const CfPlanned *e, double amount, double value)
{
	switch (e->effect)
	{
		case CF_EFFECT_ADD:
			return value + amount;
		case CF_EFFECT_FACTOR:
			return value * amount;
		case CF_EFFECT_LEVEL:
			return is_anchored(e) ? value + (amount - e->base) : amount;
		case CF_EFFECT_GROWTH:
			return e->base + amount * (value - e->base);
	}
	return value;
}

/* What the value must be for the changed one to be the threshold. */
static double
undone(const CfPlanned *e, double amount, double threshold, double sign)
{
	bool		is_fixed = (e->effect == CF_EFFECT_LEVEL && !is_anchored(e))
		|| ((e->effect == CF_EFFECT_FACTOR || e->effect == CF_EFFECT_GROWTH) && amount == 0.0);

	if (fabs(threshold) >= NEVER)
		return threshold;
	if (is_fixed)
		return sign * changed(e, amount, 0.0) >= sign * threshold ? -sign * NEVER : sign * NEVER;
	switch (e->effect)
	{
		case CF_EFFECT_ADD:
			return threshold - amount;
		case CF_EFFECT_FACTOR:
			return threshold / amount;
		case CF_EFFECT_LEVEL:
			return threshold - (amount - e->base);
		case CF_EFFECT_GROWTH:
			return e->base + (threshold - e->base) / amount;
	}
	return threshold;
}

/* Steps that a base is the mean of. */
static int
base_steps(const CfPlanned *e, int season)
{
	return e->effect == CF_EFFECT_LEVEL && season > 1 ? season : 1;
}

int
cf_planned_anchor_step(const CfPlanned *events, int n, int season, int horizon)
{
	int			step = 0;

	for (int i = 0; i < n; i++)
		if (is_anchored(&events[i]) && events[i].first <= horizon && events[i].first + base_steps(&events[i], season) - 1 > step)
			step = events[i].first + base_steps(&events[i], season) - 1;
	return step;
}

void
cf_planned_anchor(CfPlanned *events, int n, double current, int season, const double *yhat, int horizon)
{
	for (int i = 0; i < n; i++)
	{
		CfPlanned  *e = &events[i];
		int			before = e->effect == CF_EFFECT_GROWTH ? 1 : 0;
		double		sum = 0.0;
		int			count = 0;

		if (!is_anchored(e))
			continue;
		for (int k = e->first - before; k <= horizon && count < base_steps(e, season); k++, count++)
			sum += k < 1 ? current : cf_planned_value(events, i, k, CF_AMOUNT_USUAL, yhat[k - 1]);
		if (count > 0)
			e->base = sum / count;
	}
}

double
cf_planned_value(const CfPlanned *events, int n, int step, CfAmount amount, double value)
{
	for (int i = 0; i < n; i++)
		if (holds(&events[i], step > 0 ? step : 1))
			value = changed(&events[i], events[i].amount[amount], value);
	return value;
}

static double
bounded(const CfOptions *options, double value)
{
	if (value < options->floor)
		return options->floor;
	if (value > options->cap)
		return options->cap;
	return value;
}

/* The lowest or the highest that the amounts make of a bound. */
static double
widest(const CfPlanned *events, int n, int step, double sign, double value)
{
	double		low = cf_planned_value(events, n, step, CF_AMOUNT_LOW, value);
	double		high = cf_planned_value(events, n, step, CF_AMOUNT_HIGH, value);

	return sign * low > sign * high ? low : high;
}

static bool
is_any_on(const CfPlanned *events, int n, int step)
{
	for (int i = 0; i < n; i++)
		if (holds(&events[i], step))
			return true;
	return false;
}

void
cf_planned_apply(const CfPlanned *events, int n, const CfOptions *options, int horizon, int n_levels,
				 double *yhat, double *lower, double *upper)
{
	for (int h = 0; h < horizon; h++)
	{
		if (!is_any_on(events, n, h + 1))
			continue;
		yhat[h] = bounded(options, cf_planned_value(events, n, h + 1, CF_AMOUNT_USUAL, yhat[h]));
		for (int l = 0; l < n_levels && lower != NULL && upper != NULL; l++)
		{
			size_t		at = (size_t) l * (size_t) horizon + (size_t) h;
			double		low = widest(events, n, h + 1, -1.0, lower[at]);
			double		high = widest(events, n, h + 1, 1.0, upper[at]);

			if (options->is_count)
			{
				low = floor(low + 1e-9 * fabs(low));
				high = ceil(high - 1e-9 * fabs(high));
			}
			low = bounded(options, low);
			high = bounded(options, high);
			lower[at] = low < yhat[h] ? low : yhat[h];
			upper[at] = high > yhat[h] ? high : yhat[h];
		}
	}
}

void
cf_planned_thresholds(const CfPlanned *events, int n, CfAmount amount, double threshold, double sign, int steps,
					  double *thresholds)
{
	for (int k = 0; k < steps; k++)
	{
		double		t = threshold;

		for (int i = n - 1; i >= 0; i--)
			if (holds(&events[i], k + 1))
				t = undone(&events[i], events[i].amount[amount], t, sign);
		thresholds[k] = t;
	}
}

bool
cf_planned_is_open(const CfPlanned *events, int n)
{
	for (int i = 0; i < n; i++)
		if (events[i].amount[CF_AMOUNT_LOW] < events[i].amount[CF_AMOUNT_HIGH])
			return true;
	return false;
}
