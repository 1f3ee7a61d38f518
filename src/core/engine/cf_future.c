/*
 * cf_future.c
 *		Simulated futures of a series in which something may have happened.
 *
 * What is drawn is spread evenly over the futures where it decides most (component, view); random numbers
 * are each future's own, so that it is the same future whatever is asked of it.
 */
#include <math.h>

#include "core/engine/cf_future.h"
#include "core/numerics/cf_gamma.h"
#include "core/numerics/cf_num.h"

#define BLOCK 7					/* steps of noise that stay together */
#define STOCK_WIDTH 0.9			/* of the posterior */
#define LEVEL_WIDTH 1.5
#define WANDER 0.02				/* sd of a step of the pace's own walk, of the pace */
#define LEVEL_WANDER (0.002 * 2.6457513110645906)	/* of a week's of the level's, of its range or in logs */
#define LARGEST_GROWTH 7.3890560989306502	/* of a pace: e^2 */
#define STOCK_DOUBT 0.05
#define FALL_DOUBT 0.02
#define RISE_DOUBT 0.2

static uint64_t
seed_of_path(uint64_t seed, int path)
{
	uint64_t	state = seed ^ ((uint64_t) path * UINT64_C(0xD1342543DE82EF95));

	return cf_num_random(&state);
}

const CfComponent *
cf_future_component(const CfRegimes *r, int path, int n_paths)
{
	double		at = (path + 0.5) / n_paths;
	int			i = 0;

	for (; i < r->n_components - 1 && at > r->component[i].weight; i++)
		at -= r->component[i].weight;
	return &r->component[i];
}

/* A number in [0, 1) for each path, evenly spread and unlike its component's place. */
static double
spread(int path, int n_paths, int stride)
{
	return (path * stride % n_paths + 0.5) / n_paths;
}

static bool
are_last_monotone(const CfRegimes *r)
{
	const CfSegment *s = r->segment + r->n_segments - 3;

	if (r->n_segments < 3)
		return false;
	return (s[0].fit.slope < s[1].fit.slope && s[1].fit.slope < s[2].fit.slope)
		|| (s[0].fit.slope > s[1].fit.slope && s[1].fit.slope > s[2].fit.slope);
}

/* By its odds, and of paces by their ratio: those of real stocks that differ less come back. */
double
cf_future_distinctness(const CfRegimes *r)
{
	double		plain = cf_num_share(r->log_odds, 0.0, 8.0);
	double		a = fabs(r->segment[0].fit.slope);
	double		b;

	if (r->n_all != 2)
		return 0.0;
	b = fabs(r->segment[1].fit.slope);
	if (r->segment[0].terms != CF_TERMS_SLOPE)
		return plain;
	return plain * cf_num_share(a > b ? a : b, 2.0 * (a < b ? a : b), 3.0 * (a < b ? a : b));
}

double
cf_future_turn(const CfRegimes *r)
{
	const CfSegment *after = &r->segment[r->n_segments - 1];
	const CfPosterior *fit = &after->fit;
	double		sd = sqrt(fit->rate / fit->shape * (fit->root21 * fit->root21 + fit->root22 * fit->root22));

	if (r->n_segments < 2 || !(sd > 0.0))
		return 0.0;
	return fabs(fit->slope - after[-1].fit.slope) / sd;
}

double
cf_future_calm(const CfRegimes *r, const CfComponent *c)
{
	double		share = 1.0;

	share *= 1.0 - 0.9 * cf_future_distinctness(r);
	if (are_last_monotone(r))
		share *= 0.4;
	if (c->bend != 0.0)
		share *= 0.15;
	return share;
}

/* Chance a step that an old pace comes back. */
static double
return_chance(const CfRegimes *r, const CfComponent *c, int n, int k)
{
	double		chance = 0.06 / (n - c->start + k) + (r->n_all > 2 ? 3.0 * (r->n_all - 2) / n : 0.0);

	if (are_last_monotone(r))
		chance *= 0.4;
	if (c->bend != 0.0)
		chance *= 0.1;
	return chance;
}

static const CfSegment *
segment_of(const CfRegimes *r, int t)
{
	for (int i = 0; i < r->n_segments; i++)
		if (t < r->segment[i].end)
			return &r->segment[i];
	return &r->segment[r->n_segments - 1];
}

/* How many futures follow the less likely reading of the last value: a day that is not over is seen as a fall. */
static double
share_of_doubt(const CfFuture *f)
{
	if (f->family->is_stock)
		return STOCK_DOUBT;
	return f->seen < f->y[f->n - 1] ? FALL_DOUBT : RISE_DOUBT;
}

static double
first_value(const CfFuture *f, int path)
{

	if (f->has_doubt && spread(path, f->n_paths, 131) < share_of_doubt(f))
		return f->seen;
	return f->y[f->n - 1];
}

/* One-offs a step in one future: hardly any after one, as often as they came after several. */
static double
one_off_chance(const CfIncrements *inc, uint64_t *random)
{
	static const double few[3] = {0.0, 0.05, 0.8};
	double		shape = inc->n_one_offs < 3 ? few[inc->n_one_offs] : inc->n_one_offs - 0.2;

	return shape > 0.0 ? cf_gamma_draw(shape, random) / inc->n : 0.0;
}

static double
one_off(const CfIncrements *inc, double chance, uint64_t *random)
{
	if (!(chance > 0.0) || cf_num_uniform(random) >= chance)
		return 0.0;
	return inc->one_off[(int) (cf_num_uniform(random) * inc->n_one_offs)];
}

/* Noise comes in blocks of the past; not in phase with the week, which costs more of the variety than it gains. */
static int
block_length(const CfFuture *f)
{
	if (f->period > 0)
		return f->period;
	return f->n < 28 ? 3 : BLOCK;
}

static int
draw_start(const CfFuture *f, int length, int step, uint64_t *random)
{
	if (f->period > 0)
	{
		int			first = 1 + (f->n - 1 + step - 1) % f->period;
		int			count = (f->n - length - first) / f->period + 1;

		return f->n - length < first ? 1 : first + f->period * (int) (cf_num_uniform(random) * count);
	}
	return f->n - 1 > length ? 1 + (int) (cf_num_uniform(random) * (f->n - length)) : 1;
}

/* All of the past: its increments about one of four views of the pace.  Several one-offs are how it grows. */
static int
walk_view(const CfFuture *f, int path, double sign, double limit, int steps, double *value, uint64_t *random)
{
	const CfIncrements *inc = f->inc;
	bool		all = inc->n_one_offs > CF_FEW_ONE_OFFS;
	int			length = block_length(f);
	double		level = first_value(f, path);
	double		chance = all ? 0.0 : one_off_chance(inc, random);
	double		mean = (all ? f->y[f->n - 1] - f->y[0] : inc->total) / (f->n - 1);
	double		pace = f->pace->view[path % 4] + f->pace->error * cf_num_normal_quantile(spread(path, f->n_paths, 197));
	int			step = 1;

	if (f->period > 0)
	{
		int			whole = (f->n - 1) / f->period * f->period;

		mean = (f->y[f->n - 1] - f->y[f->n - 1 - whole]) / whole;
	}
	pace = pace < 0.0 && mean > 0.0 ? 0.0 : pace;
	while (step <= steps)
	{
		int			start = draw_start(f, length, step, random);

		for (int i = 0; i < length && step <= steps; i++, step++)
		{
			int			t = start + i < f->n ? start + i : f->n - 1;

			level += (all ? f->y[t] - f->y[t - 1] : inc->value[t]) - mean + pace + one_off(inc, chance, random);
			value[step - 1] = level;
			if (sign * level >= limit)
				return step;
		}
	}
	return 0;
}

/* A component: its pace, which wanders, grows or fades, and may give way to an old one. */
static int
walk_pace(const CfFuture *f, int path, const CfComponent *c, double sign, double limit, int steps, double *value,
		  uint64_t *random)
{
	const CfIncrements *inc = f->inc;
	int			length = block_length(f);
	CfPosterior fit;
	double		level = first_value(f, path);
	double		chance = one_off_chance(inc, random);
	double		bend = c->bend;
	double		size;
	double		pace;
	double		growth = 1.0;
	double		wander = 1.0;
	double		roam = inc->noise_size > 0.0 ? WANDER * sqrt(length) : 0.0;	/* what is exact stays so */
	double		factor = cf_num_exp(bend);
	int			step = 1;

	cf_regime_fit(f->family, c, &fit);
	size = sqrt(fit.rate / cf_gamma_draw(fit.shape, random));
	pace = fit.slope + STOCK_WIDTH * size * fit.root22 * cf_num_normal(random);
	if (pace < 0.0 && fit.slope > 0.0)
		pace = 0.0;
	while (step <= steps)
	{
		int			start = draw_start(f, length, step, random);

		wander += wander * roam * cf_num_normal(random);
		if (cf_num_uniform(random) < length * return_chance(f->regimes, c, f->n, step))
		{
			pace = segment_of(f->regimes, 1 + (int) (cf_num_uniform(random) * (f->n - 1)))->fit.slope;
			bend = 0.0;
			growth = factor = 1.0;
		}
		for (int i = 0; i < length && step <= steps; i++, step++)
		{
			double		grown = growth;

			growth *= factor;
			growth = growth > LARGEST_GROWTH ? LARGEST_GROWTH : growth;
			level += pace * wander * (grown + growth) / 2.0 + one_off(inc, chance, random)
				+ size * (bend > 0.0 ? growth : 1.0) * inc->noise[start + i < f->n ? start + i : f->n - 1];
			value[step - 1] = level;
			if (sign * level >= limit)
				return step;
		}
	}
	return 0;
}

/* A stock that moves rarely: a rate that is not known, and moves of sizes that have been. */
static int
walk_counts(const CfFuture *f, int path, const CfComponent *c, double sign, double limit, int steps, double *value,
			uint64_t *random)
{
	const CfIncrements *inc = f->inc;
	CfPosterior fit;
	double		level = first_value(f, path);
	double		one_offs = one_off_chance(inc, random);
	double		per_move = inc->n_moves / inc->total;
	double		chance;

	cf_regime_fit(f->family, c, &fit);
	chance = per_move * cf_gamma_draw(fit.shape, random) / fit.rate;
	for (int step = 1; step <= steps; step++)
	{
		if (step % BLOCK == 1 && cf_num_uniform(random) < BLOCK * return_chance(f->regimes, c, f->n, step))
			chance = per_move * segment_of(f->regimes, 1 + (int) (cf_num_uniform(random) * (f->n - 1)))->fit.slope;
		if (cf_num_uniform(random) < chance)
			level += inc->noise[(int) (cf_num_uniform(random) * inc->n_moves)];
		level += one_off(inc, one_offs, random);
		value[step - 1] = level;
		if (sign * level >= limit)
			return step;
	}
	return 0;
}

int
cf_future_walk_stock(const CfFuture *f, int path, double sign, double limit, int steps, double *value)
{
	const CfComponent *c = cf_future_component(f->regimes, path, f->n_paths);
	uint64_t	random = seed_of_path(f->seed, path);

	if (f->inc->is_rare)
		return walk_counts(f, path, c, sign, limit, steps, value, &random);
	if (f->period > 0 || spread(path, f->n_paths, 61) < CF_FUTURE_VIEWS * cf_future_calm(f->regimes, c))
		return walk_view(f, path, sign, limit, steps, value, &random);
	return walk_pace(f, path, c, sign, limit, steps, value, &random);
}

/* What the season and the mean add to x at step n - 1 + k. */
static double
offset_at(const CfFamily *family, bool is_log, int n, int k)
{
	int			f = 0;
	double		offset;

	while (family->form[f].is_log != is_log)
		f++;
	offset = family->form[f].mean;
	if (family->season[is_log] != NULL)
		offset += family->season[is_log][(n - 1 + k) % family->period];
	return offset;
}

double
cf_future_x(const CfFamily *family, bool is_log, int n, int k, double y)
{
	if (!is_log)
		return y - offset_at(family, is_log, n, k);
	if (!(y + family->shift > 0.0))
		return -1e300;
	return cf_num_log(y + family->shift) - offset_at(family, is_log, n, k);
}

double
cf_future_y(const CfFamily *family, bool is_log, int n, int k, double x)
{
	double		y = x + offset_at(family, is_log, n, k);

	return is_log ? cf_num_exp(y) - family->shift : y;
}

double
cf_future_unseasoned(const CfFamily *family, bool is_log, int n, int k, double x)
{
	if (family->season[is_log] != NULL)
		x -= family->season[is_log][(n - 1 + k) % family->period];
	return cf_future_y(family, is_log, n, k, x);
}

/* Mean of x about a step, within its segment. */
static double
level_about(const CfForm *form, const CfSegment *segment, int t)
{
	int			from = t - 10 > segment->start ? t - 10 : segment->start;
	int			to = t + 10 < segment->end - 1 ? t + 10 : segment->end - 1;
	double		sum = 0.0;

	for (int i = from; i <= to; i++)
		sum += form->x[i];
	return sum / (to - from + 1);
}

/* No level in logs rises beyond this, nor a plain one beyond this and as much again per length of the history. */
static double
highest(const CfForm *form)
{
	double		top = form->x[0];

	for (int t = 1; t < form->n; t++)
		top = form->x[t] > top ? form->x[t] : top;
	return top + (form->is_log ? 1.5 : 8.0 * form->range);
}

int
cf_future_walk_level(const CfFuture *f, int path, double sign, const double *const *limit, int steps, double *value,
					 bool *is_log)
{
	const CfRegimes *r = f->regimes;
	const CfComponent *c = cf_future_component(r, path, f->n_paths);
	const CfForm *form = &f->family->form[c->form];
	const double *reach = limit == NULL ? NULL : limit[form->is_log];
	uint64_t	random = seed_of_path(f->seed, path);
	CfPosterior fit;
	double		size;
	double		level;
	double		slope;
	double		first;
	double		second;
	double		kept;
	double		wander = 0.0;
	double		growth = 1.0;
	double		factor = cf_num_exp(c->bend);
	double		top = highest(form);
	double		rise = form->is_log ? 0.0 : 8.0 * form->range / f->n;
	double		smooth = cf_num_pow(f->n, -0.2);	/* what came is not all that may come: a smoothed bootstrap */
	int			step = 1;

	*is_log = form->is_log;
	cf_regime_fit(f->family, c, &fit);
	size = form->widen * sqrt(fit.rate / cf_gamma_draw(fit.shape, &random));
	first = cf_num_normal(&random);
	second = cf_num_normal(&random);
	level = fit.level + LEVEL_WIDTH * size * fit.root11 * first;
	slope = fit.slope + LEVEL_WIDTH * size * (fit.root21 * first + fit.root22 * second);
	kept = form->x[f->n - 1] - level;
	if (f->has_doubt && first_value(f, path) == f->seen)
	{
		level += cf_future_x(f->family, form->is_log, f->n, 0, f->seen) - form->x[f->n - 1];
		slope = 0.0;
	}
	while (step <= steps)
	{
		int			start = draw_start(f, BLOCK, step, &random);
		int			other = draw_start(f, BLOCK, step, &random);

		wander += LEVEL_WANDER * (form->is_log ? 1.0 : form->range) * cf_num_normal(&random);
		if (r->n_all > 1 && cf_num_uniform(&random) <
			BLOCK * (0.3 / (f->n - c->start + step) + (r->n_all > 2 ? 0.5 * (r->n_all - 2) / f->n : 0.0)))
		{
			int			t = (int) (cf_num_uniform(&random) * f->n);

			level = level_about(form, segment_of(r, t), t);
			slope = 0.0;
		}
		for (int i = 0; i < BLOCK && step <= steps; i++, step++)
		{
			double		x;

			level += slope * growth;
			growth *= factor;
			growth = growth > LARGEST_GROWTH ? LARGEST_GROWTH : growth;
			kept = form->memory * kept + size * (form->noise[start + i < f->n ? start + i : f->n - 1]
												  + smooth * form->noise[other + i < f->n ? other + i : f->n - 1]);
			x = level + kept + wander;
			if (x > top + rise * step)
				x = top + rise * step;
			value[step - 1] = x;
			if (reach != NULL && sign * x >= sign * reach[step - 1])
				return step;
		}
	}
	return 0;
}
