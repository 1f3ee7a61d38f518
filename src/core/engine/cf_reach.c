/*
 * cf_reach.c
 *		When a series reaches a threshold, as a distribution over the steps ahead.
 *
 * The first time each of many simulated futures (cf_paths) is at or past the threshold gives the
 * chance of having crossed by each step; dates are where that chance passes a level.  A downward
 * threshold is the upward one of the mirrored series.
 */
#include <math.h>

#include "core/engine/cf_combine.h"
#include "core/engine/cf_forecast.h"
#include "core/engine/cf_paths.h"
#include "core/engine/cf_prepare.h"
#include "core/engine/cf_reach.h"
#include "core/engine/cf_season.h"

#define FEW 4
#define SHORT 14
#define HARDLY_COVERED 0.5

size_t
cf_reach_worksize(int n, int steps)
{
	size_t		detect;
	size_t		simulate;

	if (n < 0 || n > CF_MAX_POINTS || steps < 1 || steps > CF_REACH_MAX_HORIZON)
		return 0;
	detect = cf_season_worksize(n, 0);
	simulate = cf_prepare_worksize(n, CF_MAX_SEASON) + cf_combine_worksize(n) + cf_paths_worksize(n, steps + n)
		+ (size_t) steps + (size_t) n;
	return detect > simulate ? detect : simulate;
}

static int
curve_steps(const CfReachOptions *o)
{
	return o->curve > o->horizon ? o->curve : o->horizon;
}

static bool
are_options_valid(const CfReachOptions *o)
{
	return isfinite(o->threshold) && o->horizon >= 1 && (o->direction == CF_UPWARD || o->direction == CF_DOWNWARD)
		&& o->confidence_level > 0.0 && o->confidence_level < 1.0
		&& o->kind >= CF_KIND_AUTO && o->kind <= CF_KIND_FLOW
		&& o->season_length >= 0 && o->season_length <= CF_MAX_SEASON
		&& o->season_hint >= 0 && o->season_hint <= CF_MAX_SEASON;
}

static void
start_result(const CfPrepared *p, double current, CfReach *reach)
{
	reach->kind = p->kind;
	reach->season_length = p->season.period;
	reach->current = current;
	reach->slope = 0.0;
	reach->earliest = reach->median = reach->latest = -1;
	reach->probability = 0.0;
	reach->never = 1.0;
	reach->n_points = p->n_known;
	reach->coverage_ratio = (double) p->n_known / p->n;
}

/* The first step by which the chance is at least p; -1: not within the horizon. */
static int
step_at(const double *chance, int horizon, double p)
{
	for (int k = 0; k < horizon; k++)
		if (chance[k] >= p - 1e-12)
			return k + 1;
	return -1;
}

/* Counts of first crossings, from the last value on, into chances by step after the series' end. */
static void
accumulate(double *crossings, int trail, int steps)
{
	double		sum = 0.0;

	for (int k = 0; k < trail; k++)
		sum += crossings[k];
	for (int k = 0; k < steps; k++)
	{
		sum += crossings[trail + k];
		crossings[k] = sum / CF_PATHS;
	}
}

static void
take_chances(const double *chance, const CfReachOptions *o, CfReach *reach)
{
	double		tail = (1.0 - o->confidence_level) / 2.0;

	reach->earliest = step_at(chance, o->horizon, tail);
	reach->median = step_at(chance, o->horizon, 0.5);
	reach->latest = step_at(chance, o->horizon, 1.0 - tail);
	reach->probability = chance[o->horizon - 1];
	reach->never = 1.0 - reach->probability;
}

/* Towards the threshold is upwards here; error is how large a slope may be by chance. */
static CfReachStatus
judge(const CfPrepared *p, double towards, double error, const CfReach *reach)
{
	if (reach->probability < 0.5 && towards < -error)
		return CF_REACH_SHRINKING;
	if (reach->probability < 0.5 && towards <= (p->kind == CF_KIND_STOCK ? 0.0 : error))
		return CF_REACH_NO_GROWTH;
	if (p->n_known < SHORT || reach->coverage_ratio < HARDLY_COVERED)
		return CF_REACH_UNRELIABLE;
	return reach->probability >= 0.5 ? CF_REACH_OK : CF_REACH_BEYOND;
}

/* Slope of a flow's forecast, and its usual change from step to step over the whole way. */
static void
flow_pace(const CfPrepared *p, const CfCombination *c, double sign, int horizon, CfPace *pace)
{
	double		near[CF_MAX_MEMBERS];
	double		far[CF_MAX_MEMBERS];
	double		squares = 0.0;

	cf_combine_reach(c, 1, near);
	cf_combine_reach(c, horizon + 1, far);
	pace->mean = sign * p->scale * (cf_combine_at(c, p->n - 1, far) - cf_combine_at(c, p->n - 1, near)) / horizon;
	for (int t = 1; t < p->n; t++)
		squares += (p->x[t] - p->x[t - 1]) * (p->x[t] - p->x[t - 1]);
	pace->error = p->scale * sqrt(squares / (p->n - 1)) / horizon;
}

static CfStatus
simulate(const CfPrepared *p, const CfReachOptions *o, const CfStop *stop, double *work,
		 double *crossings, CfReach *reach)
{
	double		sign = o->direction;
	CfPathTask	task = {sign * o->threshold, curve_steps(o) + p->trail, o->seed};
	CfCombination c;
	CfPace		pace;
	CfStatus	status;

	if (p->kind == CF_KIND_STOCK)
	{
		for (int t = 0; t < p->n; t++)
			p->z[t] = sign * p->y[t];
		cf_paths_pace(p->z, p->n, work, &pace);
		status = cf_paths_stock(p->z, p->n, p->season.period, &pace, &task, stop, crossings);
	}
	else
	{
		status = cf_combine_fit(p, CF_MODEL_AUTO, p->season.period, stop, work, &c);
		if (status != CF_OK)
			return status;
		flow_pace(p, &c, sign, o->horizon, &pace);
		status = cf_paths_flow(p, &c, sign, &task, stop, work + cf_combine_worksize(p->n), crossings);
	}
	if (status != CF_OK)
		return status;
	accumulate(crossings, p->trail, curve_steps(o));
	take_chances(crossings, o, reach);
	reach->slope = sign * pace.mean;
	reach->status = judge(p, pace.mean, pace.error, reach);
	return CF_OK;
}

static CfStatus
prepare(const double *y, int n, const CfReachOptions *o, const CfStop *stop, double *work, CfPrepared *p)
{
	CfOptions	options;
	CfSeason	season;
	CfStatus	status;

	cf_options_init(&options);
	options.kind = o->kind;
	options.season_length = o->season_length > 0 ? o->season_length : o->season_hint;
	if (options.season_length == 0)
	{
		status = cf_season_detect(y, n, 0, stop, work, &season);
		if (status != CF_OK && status != CF_TOO_FEW)
			return status;
		options.season_length = season.period;
	}
	return cf_prepare(y, n, &options, CF_LEARN_POINTS, stop, work, p);
}

CfStatus
cf_reach(const double *y, int n, const CfReachOptions *options, const CfStop *stop,
		 double *work, double *probability, CfReach *reach)
{
	CfPrepared	p = {0};
	CfStatus	status;
	double	   *crossings;
	double		current;
	double		sign;
	int			steps = curve_steps(options);

	if (cf_reach_worksize(n, steps) == 0 || !are_options_valid(options))
		return CF_BAD_ARGUMENT;
	status = prepare(y, n, options, stop, work, &p);
	if (status != CF_OK && status != CF_TOO_FEW)
		return status;
	if (probability != NULL)
		for (int k = 0; k < steps; k++)
			probability[k] = 0.0;
	if (status == CF_TOO_FEW)
		p.n = 1;
	current = status == CF_OK ? p.y[p.n - 1] : (double) NAN;
	p.season.period = p.season.period > 0 ? p.season.period : 1;
	start_result(&p, current, reach);
	sign = options->direction;
	if (sign * current >= sign * options->threshold)
	{
		reach->status = CF_REACH_ALREADY;
		reach->earliest = reach->median = reach->latest = 0;
		reach->probability = 1.0;
		reach->never = 0.0;
		for (int k = 0; probability != NULL && k < steps; k++)
			probability[k] = 1.0;
		return CF_OK;
	}
	if (p.n_known < FEW)
	{
		reach->status = CF_REACH_TOO_FEW;
		return CF_OK;
	}
	if (p.is_constant)
	{
		reach->status = CF_REACH_NO_GROWTH;
		return CF_OK;
	}
	work += cf_prepare_worksize(n, CF_MAX_SEASON);
	crossings = work + cf_combine_worksize(n) + cf_paths_worksize(n, steps + n);
	status = simulate(&p, options, stop, work, crossings, reach);
	for (int k = 0; status == CF_OK && probability != NULL && k < steps; k++)
		probability[k] = crossings[k];
	return status;
}
