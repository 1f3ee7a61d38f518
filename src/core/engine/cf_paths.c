/*
 * cf_paths.c
 *		Simulated futures of a series.
 *
 * A stock moves by increments that come in bursts and by weekday: whole blocks of its own past are
 * strung together (Künsch 1989), about a pace.  The pace is the largest unknown: each future draws one of four
 * views of it (whole history; late history with a half-life of a third; the last 28 steps; smoothed)
 * and an error, with the variance of the mean that increments so dependent have.
 *
 * A flow moves about its forecast: by stretches of past errors, larger or smaller in each future because
 * few of them are independent; the share alpha that simple smoothing would learn from stays in the level.
 */
#include <math.h>

#include "core/engine/cf_paths.h"
#include "core/models/cf_smooth.h"
#include "core/numerics/cf_num.h"

#define LATE 28
#define STRETCH 7				/* steps of errors that stay together */
#define CALIBRATION 0.85		/* of a flow's errors, on real series */
#define KNOWN 90				/* a pace wanders: no more steps than these make its mean surer */

/*
 * Each future has random numbers of its own, so that it is the same future whatever is asked
 * of it: a longer horizon gives no other day, and a higher threshold never an earlier one.
 */
static uint64_t
seed_of_path(uint64_t seed, int path)
{
	uint64_t	state = seed ^ ((uint64_t) path * UINT64_C(0xD1342543DE82EF95));

	return cf_num_random(&state);
}

size_t
cf_paths_worksize(int n, int steps)
{
	return STRETCH * (size_t) n + 2 * (size_t) steps;
}

/* Variance of sums of length steps, per step. */
static double
variance_of_sums(const double *y, int n, double mean, int length)
{
	double		sum = 0.0;
	int			count = 0;

	for (int t = length; t < n; t++)
	{
		double		d = y[t] - y[t - length] - length * mean;

		sum += d * d;
		count++;
	}
	return count > 0 ? sum / count / length : 0.0;
}

void
cf_paths_pace(const double *y, int n, double *work, CfPace *pace)
{
	double		decay = cf_num_pow(0.5, 3.0 / n);
	double		sum = 0.0;
	double		weight = 0.0;
	int			late = n - 1 < LATE ? n - 1 : LATE;
	double		scale = 0.0;
	double		short_run;
	double		long_run;

	for (int t = 1; t < n; t++)
	{
		work[t - 1] = y[t] - y[t - 1];
		sum = sum * decay + work[t - 1];
		weight = weight * decay + 1.0;
		if (fabs(work[t - 1]) > scale)
			scale = fabs(work[t - 1]);
	}
	scale = cf_num_binary_scale(scale);
	for (int t = 0; t < n - 1; t++)
		work[t] /= scale;
	cf_smooth_average(work, n - 1, work + n);
	pace->view[0] = (y[n - 1] - y[0]) / (n - 1);
	pace->view[1] = sum / weight;
	pace->view[2] = (y[n - 1] - y[n - 1 - late]) / late;
	pace->view[3] = work[n + n - 2] * scale;
	if (pace->view[0] > 0.0)
		for (int i = 1; i < 4; i++)
			if (pace->view[i] < 0.0)
				pace->view[i] = 0.0;
	pace->mean = ((pace->view[0] + pace->view[1]) + (pace->view[2] + pace->view[3])) / 4.0;
	short_run = variance_of_sums(y, n, pace->view[0], n / 4 < 7 ? (n / 4 < 1 ? 1 : n / 4) : 7);
	/* sums of a week miss what moves more slowly */
	long_run = n >= 2 * LATE ? variance_of_sums(y, n, pace->view[0], LATE) : 1.5 * short_run;
	pace->error = sqrt((short_run > long_run ? short_run : long_run) / (n < KNOWN ? n : KNOWN));
}

/* Blocks of increments: where one for the step at hand may start. */
typedef struct Blocks
{
	int			n;				/* increments are 1 to n - 1 */
	int			length;
	bool		in_phase;
} Blocks;

static Blocks
choose_blocks(int n, int period)
{
	Blocks		b = {n, n < LATE ? 3 : 7, false};

	if (period >= 2 && n >= 4 * period)
	{
		b.length = period;
		b.in_phase = true;
	}
	if (b.length > n - 1)
		b.length = n - 1;
	return b;
}

static int
draw_start(const Blocks *b, int step, uint64_t *random)
{
	int			first = 1;
	int			stride = 1;
	int			count;

	if (b->in_phase)
	{
		stride = b->length;
		first = 1 + ((b->n - 1 + step - 1) % stride + stride) % stride;
	}
	count = (b->n - b->length - first) / stride + 1;
	if (b->n - b->length - first < 0)
		return 1;
	return first + stride * (int) (cf_num_uniform(random) * count);
}

/*
 * Where all values are whole, so is the future, and a path that has a fraction less than the
 * threshold because its pace was drawn has in truth reached it: half a unit of continuity correction.
 */
static double
effective_threshold(const double *y, int n, double threshold)
{
	for (int t = 0; t < n; t++)
		if (y[t] != floor(y[t]))
			return threshold;
	return ceil(threshold) - 0.5;
}

static int
walk_stock(const double *y, int n, const Blocks *b, double pace, double mean, const CfPathTask *task, uint64_t *random)
{
	double		level = y[n - 1];
	int			step = 1;

	while (step <= task->steps)
	{
		int			start = draw_start(b, step, random);

		for (int i = 0; i < b->length && step <= task->steps; i++, step++)
		{
			level += y[start + i] - y[start + i - 1] - mean + pace;
			if (level >= task->threshold)
				return step;
		}
	}
	return 0;
}

CfStatus
cf_paths_stock(const double *y, int n, int period, const CfPace *pace, const CfPathTask *given,
			   const CfStop *stop, double *crossings)
{
	Blocks		blocks = choose_blocks(n, period);
	CfPathTask	reachable = *given;
	const CfPathTask *task = &reachable;

	reachable.threshold = effective_threshold(y, n, given->threshold);
	for (int k = 0; k < task->steps; k++)
		crossings[k] = 0.0;
	for (int i = 0; i < CF_PATHS; i++)
	{
		/* views in turn, errors spread evenly over the normal distribution: less noise than drawing them */
		double		u = (i / 4 + 0.5) / (CF_PATHS / 4);
		double		drawn = pace->view[i % 4] + pace->error * cf_num_normal_quantile(u);
		uint64_t	random = seed_of_path(task->seed, i);
		int			step;

		if (i % 8 == 0 && cf_stop_requested(stop))
			return CF_STOPPED;
		if (drawn < 0.0 && pace->view[0] > 0.0)
			drawn = 0.0;
		step = walk_stock(y, n, &blocks, drawn, pace->view[0], task, &random);
		if (step > 0)
			crossings[step - 1] += 1.0;
	}
	return CF_OK;
}

/*
 * A flow's future follows the errors that came after one past origin, then those after another's; the
 * share of them that simple smoothing would have learned (alpha) stays in the level.
 */
typedef struct Flow
{
	const CfPrepared *p;
	double		sign;
	double		alpha;
	int			first;			/* earliest origin */
	int			origins;
	int			length;			/* of a stretch */
	const double *mean;			/* forecast by step */
	const double *limit;		/* the threshold by step */
	const double *error;		/* by origin, length of them */
} Flow;

/* When one future reaches the threshold first; 0: not. */
static int
walk_flow(const Flow *f, double spread, const CfPathTask *task, uint64_t *random)
{
	double		kept = 0.0;
	int			k = 1;

	while (k <= task->steps)
	{
		const double *error = f->error + (size_t) f->length * (size_t) (cf_num_uniform(random) * f->origins);
		double		learned = 0.0;

		for (int j = 0; j < f->length && k <= task->steps; j++, k++)
		{
			double		e = spread * error[j];

			if (f->sign * cf_prepare_restore(f->p, (int64_t) f->p->n - 1 + k, f->mean[k - 1] + kept + e) >= f->limit[k - 1])
				return k;
			learned += f->alpha * (e - learned);
		}
		kept += learned;
	}
	return 0;
}

/* Errors of stretches after every origin. */
static void
collect_errors(const CfCombination *c, const Flow *f, double *error)
{
	double		reach[STRETCH][CF_MAX_MEMBERS];

	for (int j = 0; j < f->length; j++)
		cf_combine_reach(c, j + 1, reach[j]);
	for (int i = 0; i < f->origins; i++)
		for (int j = 0; j < f->length; j++)
			error[i * f->length + j] = f->p->x[f->first + i + j + 1] - cf_combine_at(c, f->first + i, reach[j]);
}

/* How much larger or smaller than in the past errors are in future i: spread evenly, as Student's t has it. */
static double
spread_of(int i, double freedom)
{
	double		u = (i * 197 % CF_PATHS + 0.5) / CF_PATHS;	/* 197 has no divisor in common with 500 */
	double		part = 2.0 / (9.0 * freedom);
	double		root = 1.0 - part + cf_num_normal_quantile(u) * sqrt(part);

	root = root < 0.1 ? 0.1 : root;
	return CALIBRATION / sqrt(root * root * root);
}

CfStatus
cf_paths_flow(const CfPrepared *p, const CfCombination *c, double sign, const CfPathTask *task,
			  const CfStop *stop, double *work, double *crossings)
{
	double	   *limit = work + task->steps;
	double	   *error = limit + task->steps;
	Flow		f = {p, sign, 0.0, p->n / 4, 0, 0, work, limit, error};
	double		reach[CF_MAX_MEMBERS];
	CfSmooth	fit;
	double		freedom;

	for (int k = 1; k <= task->steps; k++)
	{
		crossings[k - 1] = 0.0;
		cf_combine_reach(c, k, reach);
		work[k - 1] = cf_combine_at(c, p->n - 1, reach);
		limit[k - 1] = sign * cf_frame_inside(task->frame, (int64_t) p->lead + p->n - 1 + k,
											  task->thresholds != NULL ? task->thresholds[k - 1] : sign * task->threshold);
	}
	f.length = (p->n - f.first) / 2 < STRETCH ? (p->n - f.first) / 2 : STRETCH;
	f.origins = p->n - f.first - f.length;
	collect_errors(c, &f, error);
	cf_smooth_fit(p->z, p->n, CF_TREND_NONE, &fit);
	f.alpha = fit.alpha;
	freedom = (double) (p->n - f.first) / f.length;
	freedom = freedom < 3.0 ? 3.0 : freedom;
	for (int i = 0; i < CF_PATHS; i++)
	{
		uint64_t	random = seed_of_path(task->seed, i);
		int			step;

		if (i % 8 == 0 && cf_stop_requested(stop))
			return CF_STOPPED;
		step = walk_flow(&f, cf_frame_widen(task->frame) * spread_of(i, freedom), task, &random);
		if (step > 0)
			crossings[step - 1] += 1.0;
	}
	return CF_OK;
}
