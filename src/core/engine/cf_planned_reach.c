/*
 * cf_planned_reach.c
 *		When a series reaches a threshold with what is planned.
 */
#include <math.h>

#include "core/engine/cf_forecast.h"
#include "core/engine/cf_planned_reach.h"

static int
season_of(const CfOptions *options)
{
	return options->season_length > 0 ? options->season_length : options->season_hint;
}

static int
anchor_step(const CfPlanned *events, int n_events, const CfOptions *options, int horizon)
{
	int			step = cf_planned_anchor_step(events, n_events, season_of(options), horizon);

	return step < CF_MAX_HORIZON ? step : CF_MAX_HORIZON;
}

size_t
cf_planned_bases_worksize(int n, const CfPlanned *events, int n_events, const CfOptions *options, int horizon)
{
	int			step = anchor_step(events, n_events, options, horizon);

	return step == 0 ? 1 : cf_forecast_worksize(n, step) + (size_t) step;
}

static double
last_known(const double *y, int n)
{
	while (n > 1 && isnan(y[n - 1]))
		n--;
	return y[n - 1];
}

CfStatus
cf_planned_bases(const double *y, int n, const CfOptions *options, CfPlanned *events, int n_events,
				 int horizon, const CfStop *stop, double *work)
{
	int			step = anchor_step(events, n_events, options, horizon);
	CfForecastInfo info;
	CfStatus	status;

	if (step == 0)
		return CF_OK;
	status = cf_forecast(y, n, options, step, NULL, 0, stop, work + step, work, NULL, NULL, &info);
	if (status == CF_OK)
		cf_planned_anchor(events, n_events, last_known(y, n), info.kind == CF_KIND_FLOW ? season_of(options) : 1, work, step);
	return status;
}

static int
curve_steps(const CfReachOptions *o)
{
	return o->curve > o->horizon ? o->curve : o->horizon;
}

size_t
cf_planned_reach_worksize(int n, int steps)
{
	size_t		size = cf_reach_worksize(n, steps);

	return size == 0 ? 0 : size + 2 * (size_t) steps;
}

/* With one of the amounts; thresholds: scratch. */
static CfStatus
reach_with(const double *y, int n, const CfReachOptions *options, const CfPlanned *events, int n_events, CfAmount amount,
		   const CfStop *stop, double *thresholds, double *probability, CfReach *reach)
{
	CfReachOptions o = *options;

	cf_planned_thresholds(events, n_events, amount, o.threshold, o.direction, curve_steps(&o), thresholds);
	o.thresholds = thresholds;
	return cf_reach(y, n, &o, stop, thresholds + 2 * curve_steps(&o), probability, reach);
}

/* A status that says how likely it is, by the mixed chance. */
static void
settle_status(CfReach *reach)
{
	bool		is_likely = reach->probability >= 0.5;

	if (is_likely && (reach->status == CF_REACH_BEYOND || reach->status == CF_REACH_NO_GROWTH
					  || reach->status == CF_REACH_SHRINKING))
		reach->status = CF_REACH_OK;
	else if (!is_likely && reach->status == CF_REACH_OK)
		reach->status = CF_REACH_BEYOND;
}

CfStatus
cf_planned_reach(const double *y, int n, const CfReachOptions *options, const CfPlanned *events, int n_events,
				 const CfStop *stop, double *work, double *probability, CfReach *reach)
{
	int			steps = curve_steps(options);
	double	   *other = work + steps;
	CfStatus	status;

	if (cf_planned_reach_worksize(n, steps) == 0)
		return CF_BAD_ARGUMENT;
	status = reach_with(y, n, options, events, n_events, CF_AMOUNT_USUAL, stop, work, probability, reach);
	if (status != CF_OK || reach->status == CF_REACH_ALREADY || reach->status == CF_REACH_TOO_FEW
		|| !cf_planned_is_open(events, n_events))
		return status;
	for (int k = 0; k < steps; k++)
		probability[k] *= 0.5;
	for (int amount = CF_AMOUNT_LOW; amount <= CF_AMOUNT_HIGH; amount += CF_AMOUNT_HIGH)
	{
		CfReach		extreme;

		status = reach_with(y, n, options, events, n_events, (CfAmount) amount, stop, work, other, &extreme);
		if (status != CF_OK)
			return status;
		for (int k = 0; k < steps; k++)
			probability[k] += 0.25 * other[k];
	}
	cf_reach_take(probability, options, reach);
	settle_status(reach);
	return CF_OK;
}
