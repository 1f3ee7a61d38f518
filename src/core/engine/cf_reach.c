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
#include "core/engine/cf_insight.h"
#include "core/engine/cf_paths.h"
#include "core/engine/cf_prepare.h"
#include "core/engine/cf_reach.h"
#include "core/engine/cf_season.h"
#include "core/engine/cf_story.h"

#define FLOW_SHARE 0.5			/* of the forecast's own errors in a flow's chances, where nothing happened */
#define FEW 4
#define SHORT 14
#define HARDLY_COVERED 0.5

size_t
cf_reach_plain_worksize(int n, int steps)
{
	size_t		detect;
	size_t		simulate;

	if (n < 0 || n > CF_MAX_POINTS || steps < 1 || steps > CF_REACH_MAX_HORIZON)
		return 0;
	detect = cf_season_worksize(n, 0);
	simulate = cf_prepare_worksize(n, CF_MAX_SEASON) + cf_combine_worksize(n) + cf_paths_worksize(n, steps + n)
		+ 6 * ((size_t) steps + (size_t) n) + cf_insight_worksize(n, steps + n);
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
		&& o->kind >= CF_KIND_AUTO && o->kind <= CF_KIND_GAUGE
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
	reach->events.n = 0;
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

void
cf_reach_take(const double *chance, const CfReachOptions *o, CfReach *reach)
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
judge(const CfPrepared *p, const CfFrame *frame, double towards, double error, const CfReach *reach)
{
	if (reach->probability < 0.5 && towards < -error)
		return CF_REACH_SHRINKING;
	/* a calendar goes up and down where its values stay */
	if (frame == NULL && reach->probability < 0.5 && towards <= (p->kind == CF_KIND_STOCK ? 0.0 : error))
		return CF_REACH_NO_GROWTH;
	if (p->n_known < SHORT || reach->coverage_ratio < HARDLY_COVERED)
		return CF_REACH_UNRELIABLE;
	return reach->probability >= 0.5 ? CF_REACH_OK : CF_REACH_BEYOND;
}

/* A step's usual change, over the whole way: how large a slope may be by chance. */
static double
chance_slope(const CfPrepared *p, int horizon)
{
	double		squares = 0.0;

	for (int t = 1; t < p->n; t++)
		squares += (p->x[t] - p->x[t - 1]) * (p->x[t] - p->x[t - 1]);
	return p->scale * sqrt(squares / (p->n - 1)) / horizon;
}

/* Slope of a flow's forecast. */
static double
forecast_slope(const CfPrepared *p, const CfCombination *c, int horizon)
{
	double		near[CF_MAX_MEMBERS];
	double		far[CF_MAX_MEMBERS];

	cf_combine_reach(c, 1, near);
	cf_combine_reach(c, horizon + 1, far);
	return p->scale * (cf_combine_at(c, p->n - 1, far) - cf_combine_at(c, p->n - 1, near)) / horizon;
}

/* A flow's chances are the mean of two views: of its regimes, and of its forecast with errors as they were. */
static CfStatus
add_flow_view(const CfPrepared *p, const CfReachOptions *o, const CfFrame *frame, const double *thresholds, const CfStop *stop,
			  double share, double *work, double *chance, double *slope)
{
	double		sign = o->direction;
	CfPathTask	task = {sign * o->threshold, curve_steps(o) + p->trail, o->seed, frame, thresholds};
	CfCombination c;
	double	   *crossings = work + cf_combine_worksize(p->n);
	double		sum = 0.0;
	CfStatus	status = cf_combine_fit(p, CF_MODEL_AUTO, p->season.period, stop, work, &c);

	if (status != CF_OK)
		return status;
	*slope = (1.0 - share) * *slope + share * forecast_slope(p, &c, o->horizon);
	status = cf_paths_flow(p, &c, sign, &task, stop, crossings + task.steps, crossings);
	for (int k = 0; status == CF_OK && k < task.steps; k++)
	{
		sum += crossings[k];
		chance[k] = (1.0 - share) * chance[k] + share * sum / CF_PATHS;
	}
	return status;
}

/* The share of futures that have reached the goal by each step. */
static CfStatus
count_futures(const CfPrepared *p, const CfInsight *in, const CfReachOptions *o, const double *thresholds, int steps,
			  const CfStop *stop, double *work, double *chance)
{
	CfGoal		goal;
	double		sum = 0.0;

	cf_insight_goal(p, in, o->threshold, thresholds, o->direction, steps, work, &goal);
	for (int k = 0; k < steps; k++)
		chance[k] = 0.0;
	for (int i = 0; i < CF_INSIGHT_PATHS; i++)
	{
		int			step;

		if (i % 8 == 0 && cf_stop_requested(stop))
			return CF_STOPPED;
		step = cf_insight_walk(p, in, i, &goal, steps, work + 2 * steps);
		if (step > 0)
			chance[step - 1] += 1.0;
	}
	for (int k = 0; k < steps; k++)
	{
		sum += chance[k];
		chance[k] = sum / CF_INSIGHT_PATHS;
	}
	return CF_OK;
}

/* Thresholds by step from the last value on: those before the end of the series are the threshold. */
static const double *
from_last_value(const CfPrepared *p, const CfReachOptions *o, double *work)
{
	if (o->thresholds == NULL)
		return NULL;
	for (int k = 0; k < p->trail; k++)
		work[k] = o->threshold;
	for (int k = 0; k < curve_steps(o); k++)
		work[p->trail + k] = o->thresholds[k];
	return work;
}

/* What does not move reaches a threshold where that comes to it. */
static void
reach_constant(const CfReachOptions *o, const CfFrame *frame, int n, double current, double *probability, CfReach *reach)
{
	double		sign = o->direction;
	int			k = 0;

	reach->status = CF_REACH_NO_GROWTH;
	if (o->thresholds == NULL)
		return;
	while (k < curve_steps(o) && !(sign * current >= sign * cf_frame_inside(frame, (int64_t) n + k, o->thresholds[k])))
		k++;
	for (int i = k; probability != NULL && i < curve_steps(o); i++)
		probability[i] = 1.0;
	if (k >= o->horizon)
		return;
	reach->status = CF_REACH_OK;
	reach->earliest = reach->median = reach->latest = k + 1;
	reach->probability = 1.0;
	reach->never = 0.0;
}

static CfStatus
simulate(const CfPrepared *p, const CfReachOptions *o, const CfFrame *frame, const CfStop *stop, double *work,
		 double *chance, CfReach *reach)
{
	double		sign = o->direction;
	int			steps = curve_steps(o) + p->trail;
	CfInsightTask task = {steps, true, !(o->direction == CF_DOWNWARD && (o->threshold <= 0.0 || o->thresholds != NULL)),
		o->seed, frame};
	CfInsight	in;
	double		slope;
	const double *thresholds = from_last_value(p, o, work);
	CfStatus	status;

	work += steps;
	status = cf_insight_find(p, &task, stop, work, &in);
	if (status != CF_OK)
		return status;
	work += cf_insight_worksize(p->n, steps);
	status = count_futures(p, &in, o, thresholds, steps, stop, work, chance);
	slope = in.slope;
	if (status == CF_OK && p->kind == CF_KIND_FLOW && p->teeth.end == CF_TOOTH_NONE)
		status = add_flow_view(p, o, frame, thresholds, stop, FLOW_SHARE * in.calm, work, chance, &slope);
	if (status != CF_OK)
		return status;
	for (int k = 0; k < curve_steps(o); k++)
		chance[k] = chance[p->trail + k];
	cf_reach_take(chance, o, reach);
	reach->slope = slope;
	cf_story_tell(p, &in, &reach->events);
	reach->status = judge(p, frame, sign * slope, in.is_stock ? in.pace.error : chance_slope(p, o->horizon), reach);
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
	options.season_hint = o->season_hint;
	options.has_days = o->has_days;
	options.first_day = o->first_day;
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
cf_reach_plain(const double *y, int n, const CfReachOptions *options, const CfFrame *frame, const CfStop *stop,
			   double *work, double *probability, CfReach *reach)
{
	CfPrepared	p = {0};
	CfStatus	status;
	double	   *crossings;
	double		current;
	double		sign;
	int			steps = curve_steps(options);

	if (cf_reach_plain_worksize(n, steps) == 0 || !are_options_valid(options))
		return CF_BAD_ARGUMENT;
	status = prepare(y, n, options, stop, work, &p);
	if (status != CF_OK && status != CF_TOO_FEW)
		return status;
	if (probability != NULL)
		for (int k = 0; k < steps; k++)
			probability[k] = 0.0;
	if (status == CF_TOO_FEW)
		p.n = 1;
	current = status == CF_OK ? p.seen : (double) NAN;
	p.season.period = p.season.period > 0 ? p.season.period : 1;
	start_result(&p, current, reach);
	sign = options->direction;
	if (frame == NULL && sign * current >= sign * options->threshold)
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
		reach_constant(options, frame, n, current, probability, reach);
		return CF_OK;
	}
	work += cf_prepare_worksize(n, CF_MAX_SEASON);
	crossings = work;
	work += steps + n;
	status = simulate(&p, options, frame, stop, work, crossings, reach);
	for (int k = 0; status == CF_OK && probability != NULL && k < steps; k++)
		probability[k] = crossings[k];
	return status;
}
