/*
 * cf_insight.c
 *		What is going on in a series.
 *
 * A stock's regimes cost little and are always found.  Those of a level cost more than all else that a forecast does: where
 * the full answer is not asked for, a look at one form over a coarse grid of starts says whether there is anything to find.
 */
#include <math.h>

#include "core/engine/cf_insight.h"
#include "core/numerics/cf_num.h"

#define SURE_SLOPE 6.0			/* posterior sd: a trend so sure that a flow's usual forecast, which damps it, says less */
#define PLAIN_SEASON 0.8		/* share of the variance about the trend */
#define FALLS_BACK 0.25			/* of all that it moves */
#define LOOK 1.0				/* log odds of a change that are worth a closer look */
#define LONGEST (2 * CF_LEARN_POINTS + 8 * CF_MAX_SEASON)

size_t
cf_insight_worksize(int n, int ahead)
{
	int			m = n < LONGEST ? n : LONGEST;

	return cf_increment_worksize(m) + cf_form_worksize(m, CF_MAX_SEASON, ahead) + cf_regime_worksize(m)
		+ 4 * (size_t) m + 2 * (size_t) ahead;
}

/* y as it would be without one-offs, from 0 on. */
static void
add_up(const CfIncrements *inc, double *sum)
{
	sum[0] = 0.0;
	for (int t = 1; t < inc->n; t++)
		sum[t] = sum[t - 1] + inc->value[t];
}

/* Does it grow and fall back within each season, as what is emptied every week? */
static bool
falls_back(const CfPrepared *p, const CfIncrements *inc)
{
	double		falls = 0.0;
	double		sum = 0.0;

	for (int t = 1; t < inc->n; t++)
	{
		falls += inc->value[t] < 0.0 ? -inc->value[t] : 0.0;
		sum += fabs(inc->value[t]);
	}
	return p->season.period > 1 && p->season.strength > PLAIN_SEASON && falls > FALLS_BACK * sum;
}

static CfStatus
find_stock(const CfPrepared *p, const CfStop *stop, double *work, CfInsight *in)
{
	double	   *y = work;
	double	   *rest = y + p->n;
	CfStatus	status;

	in->grows = cf_increment_growth(p->y, p->n, rest) < 0.0 ? -1.0 : 1.0;
	for (int t = 0; t < p->n; t++)
		y[t] = in->grows * p->y[t];
	cf_increment_analyse(y, p->n, rest, &in->inc);
	rest += cf_increment_worksize(p->n);
	in->future.period = falls_back(p, &in->inc) ? p->season.period : 0;
	if (in->future.period > 0)
	{
		for (int t = 0; t < p->n; t++)
			rest[t] = in->grows * p->scale * p->x[t];
		cf_paths_pace(rest, p->n, rest + p->n, &in->pace);
	}
	else if (in->inc.n_one_offs > CF_FEW_ONE_OFFS)
		cf_paths_pace(y, p->n, rest, &in->pace);
	else
	{
		add_up(&in->inc, rest);
		cf_paths_pace(rest, p->n, rest + p->n, &in->pace);
	}
	cf_form_stock(&in->inc, rest, &in->family);
	rest += cf_form_worksize(p->n, 1, 0);
	status = cf_regime_find(&in->family, stop, rest, &in->regimes);
	in->has_regimes = true;
	in->future.y = y;
	in->future.seen = in->grows * p->other;
	return status;
}

static double
least_value(const CfPrepared *p)
{
	double		least = p->y[0];

	for (int t = 1; t < p->n; t++)
		least = p->y[t] < least ? p->y[t] : least;
	return least;
}

static CfStatus
find_level(const CfPrepared *p, const CfInsightTask *task, const CfStop *stop, double *work, CfInsight *in)
{
	bool		has_teeth = p->teeth.end != CF_TOOTH_NONE;
	const double *y = has_teeth ? p->growth : p->y;
	CfLevelTask level = {.period = p->period, .ahead = task->ahead, .widen = cf_frame_widen(task->frame)};
	CfStatus	status;

	level.allow_log = task->allow_log && !has_teeth && least_value(p) >= 0.0 && !(p->is_flow_given && p->zero_share > 0.0);
	cf_form_level(y, p->n, &level, work, &in->family);
	work += cf_form_worksize(p->n, p->period, task->ahead);
	status = cf_regime_find(&in->family, stop, work, &in->regimes);
	in->has_regimes = true;
	in->future.y = y;
	in->future.seen = p->other;
	in->future.has_doubt = in->future.has_doubt && !has_teeth;
	return status;
}

/* A change of x a step, as a change of the value. */
static double
in_values(const CfForm *form, double slope, double level)
{
	return form->is_log ? slope * cf_num_exp(level + form->mean) : slope;
}

/* What the mixture says in a word: how calm it is, and how fast it goes on. */
static void
sum_up(CfInsight *in)
{
	in->calm = in->slope = 0.0;
	for (int i = 0; i < in->regimes.n_components; i++)
	{
		const CfComponent *c = &in->regimes.component[i];
		double		calm = cf_future_calm(&in->regimes, c);
		CfPosterior fit;

		if (c->weight < 1e-4)
			continue;
		cf_regime_fit(&in->family, c, &fit);
		if (in->is_stock)
			in->slope += c->weight * in->grows * fit.slope;
		else
		{
			in->slope += c->weight * in_values(&in->family.form[c->form], fit.slope, fit.level);
			if (c->terms == CF_TERMS_BOTH && fabs(fit.slope) > SURE_SLOPE
				* sqrt(fit.rate / fit.shape * (fit.root21 * fit.root21 + fit.root22 * fit.root22)))
				calm *= 0.2;
		}
		in->calm += c->weight * calm;
	}
	if (in->is_stock && !in->inc.is_rare)
	{
		double		share = in->future.period > 0 ? 1.0 : CF_FUTURE_VIEWS * in->calm;

		in->slope = (1.0 - share) * in->slope + share * in->grows * in->pace.mean;
	}
}

/* A quick look at a level: may its regime have changed? */
static bool
may_have_changed(const CfPrepared *p, double *work)
{
	CfFamily	family;
	CfLevelTask task = {.period = 1, .widen = 1.0, .is_look = true};

	cf_form_level(p->x, p->n, &task, work, &family);
	return cf_regime_look(&family) > LOOK;
}

CfStatus
cf_insight_find(const CfPrepared *p, const CfInsightTask *task, const CfStop *stop, double *work, CfInsight *in)
{
	CfStatus	status;

	in->is_stock = p->kind == CF_KIND_STOCK && p->teeth.end == CF_TOOTH_NONE;
	in->grows = 1.0;
	in->future = (CfFuture) {&in->family, &in->regimes, &in->inc, &in->pace, NULL, p->n, task->seed, p->glitches.is_last,
		0.0, CF_INSIGHT_PATHS, 0};
	in->has_regimes = false;
	in->calm = 1.0;
	in->slope = 0.0;
	in->frame = task->frame;
	in->regimes.n_all = 1;
	if (in->is_stock)
		status = find_stock(p, stop, work, in);
	else if (task->in_full || p->glitches.is_last || p->teeth.end != CF_TOOTH_NONE || may_have_changed(p, work))
		status = find_level(p, task, stop, work, in);
	else
		status = CF_OK;
	if (status != CF_OK)
		return status;
	if (in->has_regimes)
		sum_up(in);
	return CF_OK;
}

/* Between units a stock's is reached with the next of them; a pace that was drawn has fractions. */
static double
stock_limit(const CfGoal *goal, double threshold)
{
	double		limit = goal->sign * threshold;

	return goal->unit > 0.0 ? goal->unit * (ceil(limit / goal->unit) - 0.5) : limit;
}

static double
threshold_at(const CfGoal *goal, int step)
{
	return goal->thresholds != NULL ? goal->thresholds[step - 1] : goal->threshold;
}

void
cf_insight_goal(const CfPrepared *p, const CfInsight *in, double threshold, const double *thresholds, double sign,
				int steps, double *limits, CfGoal *goal)
{
	bool		has_logs = !in->is_stock && in->family.form[in->family.n_forms - 1].is_log;

	*goal = (CfGoal) {sign, threshold, thresholds, in->is_stock ? in->inc.unit : 0.0, 0.0, {limits, limits + steps}};
	goal->stock = stock_limit(goal, threshold);
	for (int k = 0; k < steps && !in->is_stock; k++)
	{
		double		inside = cf_frame_inside(in->frame, (int64_t) p->lead + p->n + k, threshold_at(goal, k + 1));

		limits[k] = cf_future_x(&in->family, false, p->n, k + 1, inside);
		if (has_logs)
			limits[steps + k] = cf_future_x(&in->family, true, p->n, k + 1, inside);
	}
}

/* A stock's future to its end, and the first step that reaches the threshold of its own; 0: none. */
static int
walk_stock_of_steps(const CfInsight *in, int path, const CfGoal *goal, int steps, double *value)
{
	double		sign = goal->sign * in->grows;

	(void) cf_future_walk_stock(&in->future, path, sign, (double) INFINITY, steps, value);
	for (int k = 0; k < steps; k++)
		if (sign * value[k] >= stock_limit(goal, goal->thresholds[k]))
			return k + 1;
	return 0;
}

/* Adds up what a saw-tooth's steps add, from tooth to tooth; 0, or the step that reaches the goal. */
static int
walk_teeth(const CfPrepared *p, const CfInsight *in, int path, const CfGoal *goal, int steps, double *value)
{
	const CfTeeth *teeth = &p->teeth;
	double		y = p->y[p->n - 1];
	double		peak = teeth->peak_low + (path * 197 % CF_INSIGHT_PATHS + 0.5) / CF_INSIGHT_PATHS
		* (teeth->peak_high - teeth->peak_low);
	bool		is_log;

	(void) cf_future_walk_level(&in->future, path, 1.0, NULL, steps, value, &is_log);
	for (int k = 0; k < steps; k++)
	{
		double		added = cf_future_y(&in->family, false, p->n, k + 1, value[k]);

		y = (cf_teeth_is_fall(teeth, p->n + k, y, peak) ? teeth->base : y) + (added > 0.0 ? added : 0.0);
		value[k] = y;
		if (goal != NULL && goal->sign * y >= goal->sign * threshold_at(goal, k + 1))
			return k + 1;
	}
	return 0;
}

int
cf_insight_walk(const CfPrepared *p, const CfInsight *in, int path, const CfGoal *goal, int steps, double *value)
{
	bool		is_log;

	if (in->is_stock && goal->thresholds != NULL)
		return walk_stock_of_steps(in, path, goal, steps, value);
	if (in->is_stock)
		return cf_future_walk_stock(&in->future, path, goal->sign * in->grows, goal->stock, steps, value);
	if (p->teeth.end != CF_TOOTH_NONE)
		return walk_teeth(p, in, path, goal, steps, value);
	return cf_future_walk_level(&in->future, path, goal->sign, goal->level, steps, value, &is_log);
}

void
cf_insight_values(const CfPrepared *p, const CfInsight *in, int path, int steps, const int *at, int n_at, double *value)
{
	bool		is_log = false;

	if (in->is_stock)
		(void) cf_future_walk_stock(&in->future, path, 1.0, (double) INFINITY, steps, value);
	else if (p->teeth.end != CF_TOOTH_NONE)
		(void) walk_teeth(p, in, path, NULL, steps, value);
	else
		(void) cf_future_walk_level(&in->future, path, 1.0, NULL, steps, value, &is_log);
	for (int i = 0; i < n_at; i++)
	{
		double		v = value[at[i] - 1];

		if (in->is_stock)
			v *= in->grows;
		else if (p->teeth.end == CF_TOOTH_NONE)
			v = cf_future_unseasoned(&in->family, is_log, p->n, at[i], v);
		value[i] = v;
	}
}
