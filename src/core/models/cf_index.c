/*
 * cf_index.c
 *		Seasonal indices of one period, shrunk by how sure they are.
 *
 * The trend is taken out by a centred moving average over a period (four periods and more), or by
 * a line; what is left is grouped by phase.  Then twice more with the trend of the values freed
 * from that season, by lines through a period on either side, which reach to the ends of the series.
 *
 * With F the one-way ANOVA statistic of phases, 1 - 1/F is the share of the spread between phases
 * that is not chance, and the indices are shrunk by it (James & Stein 1961 in this setting).  That
 * finds a weekly pattern in two weeks, where an autocorrelation test needs three periods, and
 * leaves noise alone.  Single outliers are drawn in to four robust standard
 * deviations from their phase's median; older periods weigh less, so that the season may move.
 */
#include <math.h>

#include "core/models/cf_index.h"
#include "core/numerics/cf_num.h"

#define REFINEMENTS 2
#define OUTLIER 4.0
#define SMALLEST_FACTOR 0.05

/* The steps that take part, and how. */
typedef struct Groups
{
	int			first;
	int			last;
	const bool *is_known;
	int			period;
	double		decay;
	bool		is_factor;
	const CfStop *stop;
} Groups;

/* Scratch and results of one estimate. */
typedef struct Arrays
{
	double	   *trend;
	double	   *d;				/* values about the trend */
	double	   *scratch;
	double	   *prefix;			/* 2 (n + 1) */
	double	   *centre;			/* by phase */
	double	   *count;
	double	   *weight;
	double	   *trial;			/* indices being tried */
} Arrays;

size_t
cf_index_worksize(int n, int period)
{
	return 5 * (size_t) n + 2 + 4 * (size_t) period;
}

static void
arrays_take(Arrays *a, double *work, int n, int period)
{
	a->trend = work;
	a->d = a->trend + n;
	a->scratch = a->d + n;
	a->prefix = a->scratch + n;
	a->centre = a->prefix + 2 * n + 2;
	a->count = a->centre + period;
	a->weight = a->count + period;
	a->trial = a->weight + period;
}

/* Centred moving average over one period, where it exists. */
static void
trend_average(const double *y, int n, int period, double *prefix, double *trend, Groups *g)
{
	int			half = period / 2;

	g->first = half;
	g->last = n - 1 - half;
	prefix[0] = 0.0;
	for (int t = 0; t < n; t++)
		prefix[t + 1] = prefix[t] + (y[t] - y[0]);
	for (int t = g->first; t <= g->last; t++)
	{
		double		sum = prefix[t + half + 1] - prefix[t - half];

		if (period % 2 == 0)
			sum -= 0.5 * ((y[t - half] - y[0]) + (y[t + half] - y[0]));
		trend[t] = y[0] + sum / period;
	}
}

/* At each step the line through the values up to reach steps away. */
static void
trend_lines(const double *v, int n, int reach, double *prefix, double *trend, Groups *g)
{
	double	   *moment = prefix + n + 1;

	g->first = 0;
	g->last = n - 1;
	prefix[0] = moment[0] = 0.0;
	for (int t = 0; t < n; t++)
	{
		prefix[t + 1] = prefix[t] + (v[t] - v[0]);
		moment[t + 1] = moment[t] + t * (v[t] - v[0]);
	}
	for (int t = 0; t < n; t++)
	{
		int			a = t > reach ? t - reach : 0;
		int			b = t + reach < n ? t + reach : n - 1;
		double		count = b - a + 1;
		double		middle = (a + b) / 2.0;
		double		sum = prefix[b + 1] - prefix[a];
		double		spread = count * (count * count - 1.0) / 12.0;
		double		slope = (moment[b + 1] - moment[a] - middle * sum) / spread;

		trend[t] = v[0] + sum / count + slope * (t - middle);
	}
}

static bool
takes_part(const Groups *g, int t)
{
	return g->is_known == NULL || g->is_known[t];
}

/* Means and counts by phase; returns the F statistic, and the share of variance explained. */
static double
analyse(const double *d, const Groups *g, double *mean, double *count, double *strength)
{
	double		grand = 0.0;
	double		within = 0.0;
	double		between = 0.0;
	double		total = 0.0;
	int			phases = 0;

	for (int p = 0; p < g->period; p++)
		mean[p] = count[p] = 0.0;
	for (int t = g->first; t <= g->last; t++)
	{
		if (!takes_part(g, t))
			continue;
		mean[t % g->period] += d[t];
		count[t % g->period] += 1.0;
		grand += d[t];
		total += 1.0;
	}
	*strength = 0.0;
	if (total < 1.0)
		return 0.0;
	grand /= total;
	for (int p = 0; p < g->period; p++)
	{
		if (count[p] == 0.0)
			continue;
		mean[p] /= count[p];
		between += count[p] * (mean[p] - grand) * (mean[p] - grand);
		phases++;
	}
	for (int t = g->first; t <= g->last; t++)
		if (takes_part(g, t))
			within += (d[t] - mean[t % g->period]) * (d[t] - mean[t % g->period]);
	if (phases < 2 || total - phases < 1.0 || !(between > 0.0))
		return 0.0;
	*strength = between / (between + within);
	if (!(within > 1e-20 * between))
		return 1e20;
	return (between / (phases - 1)) / (within / (total - phases));
}

/* Medians by phase, where there are five values; else the mean stays. */
static void
take_medians(const double *d, const Groups *g, double *scratch, double *centre)
{
	for (int p = 0; p < g->period; p++)
	{
		int			n = 0;

		for (int t = g->first + (p - g->first % g->period + g->period) % g->period; t <= g->last; t += g->period)
			if (takes_part(g, t))
				scratch[n++] = d[t];
		if (n >= 5)
			centre[p] = cf_num_median(scratch, n);
	}
}

static void
draw_in_outliers(const Groups *g, Arrays *a)
{
	int			n = 0;
	double		limit;

	take_medians(a->d, g, a->scratch, a->centre);
	for (int t = g->first; t <= g->last; t++)
		if (takes_part(g, t))
			a->scratch[n++] = a->d[t] - a->centre[t % g->period];
	limit = OUTLIER * cf_num_mad(a->scratch, n, 0.0);
	if (!(limit > 0.0))
		return;
	for (int t = g->first; t <= g->last; t++)
	{
		double		centre = a->centre[t % g->period];

		if (a->d[t] > centre + limit)
			a->d[t] = centre + limit;
		else if (a->d[t] < centre - limit)
			a->d[t] = centre - limit;
	}
}

/* Means by phase in which older periods weigh less. */
static void
take_weighted_means(const double *d, const Groups *g, double *weight, double *index)
{
	for (int p = 0; p < g->period; p++)
		index[p] = weight[p] = 0.0;
	for (int t = g->first; t <= g->last; t++)
	{
		int			p = t % g->period;

		if (!takes_part(g, t))
			continue;
		index[p] = g->decay * index[p] + d[t];
		weight[p] = g->decay * weight[p] + 1.0;
	}
	for (int p = 0; p < g->period; p++)
		if (weight[p] > 0.0)
			index[p] /= weight[p];
}

/* Shrinks about the neutral value; phases nobody saw stay neutral. */
static void
shrink_indices(double *index, const double *count, const Groups *g, double shrink)
{
	double		neutral = g->is_factor ? 1.0 : 0.0;
	double		sum = 0.0;
	int			seen = 0;

	for (int p = 0; p < g->period; p++)
	{
		if (count[p] == 0.0)
			continue;
		sum += index[p];
		seen++;
	}
	for (int p = 0; p < g->period; p++)
	{
		double		v = count[p] == 0.0 ? neutral : g->is_factor ? index[p] * seen / sum : index[p] - sum / seen;

		index[p] = neutral + shrink * (v - neutral);
		if (g->is_factor && index[p] < SMALLEST_FACTOR)
			index[p] = SMALLEST_FACTOR;
	}
}

typedef struct Trial
{
	double		f;				/* at most 1: nothing found, the indices are not set */
	double		strength;
	double		error;			/* sum of absolute residuals */
} Trial;

/* One form, factors or summands, from the trend at hand into index. */
static Trial
estimate(const double *y, const Groups *g, Arrays *a, double *index)
{
	Trial		trial = {0.0, 0.0, 0.0};

	if (cf_stop_requested(g->stop))
		return trial;
	for (int t = g->first; t <= g->last; t++)
	{
		if (g->is_factor && !(a->trend[t] > 0.0))
			return trial;
		a->d[t] = g->is_factor ? y[t] / a->trend[t] : y[t] - a->trend[t];
	}
	if (g->is_known != NULL || g->last - g->first + 1 < 5 * g->period)
		(void) analyse(a->d, g, a->centre, a->count, &trial.strength);	/* means for phases without a median */
	draw_in_outliers(g, a);
	trial.f = analyse(a->d, g, a->centre, a->count, &trial.strength);
	if (!(trial.f > 1.0))
		return trial;
	take_weighted_means(a->d, g, a->weight, index);
	shrink_indices(index, a->count, g, 1.0 - 1.0 / trial.f);
	for (int t = g->first; t <= g->last; t++)
		if (takes_part(g, t))
			trial.error += fabs(g->is_factor ? y[t] - a->trend[t] * index[t % g->period]
								: y[t] - a->trend[t] - index[t % g->period]);
	return trial;
}

/* Again, with the trend of the values freed from the season. */
static Trial
refine(const double *y, int n, Groups *g, Arrays *a, Trial trial, double *index)
{
	for (int i = 0; i < REFINEMENTS; i++)
	{
		Trial		next;

		for (int t = 0; t < n; t++)
			a->scratch[t] = g->is_factor ? y[t] / index[t % g->period] : y[t] - index[t % g->period];
		trend_lines(a->scratch, n, g->period, a->prefix, a->trend, g);
		next = estimate(y, g, a, a->trial);
		if (!(next.f > 1.0))
			break;
		trial = next;
		for (int p = 0; p < g->period; p++)
			index[p] = a->trial[p];
	}
	return trial;
}

static bool
all_positive(const double *y, int n)
{
	for (int t = 0; t < n; t++)
		if (!(y[t] > 0.0))
			return false;
	return true;
}

void
cf_index_estimate(const double *y, const bool *is_known, int n, int period, bool allow_factors, double decay,
				  const CfStop *stop, double *work, double *index, CfIndex *info)
{
	Arrays		a;
	Groups		g = {0, n - 1, is_known, period, n >= 3 * period ? decay : 1.0, false, stop};
	Trial		trial;

	info->period = 1;
	info->is_multiplicative = false;
	info->f = info->shrink = info->strength = 0.0;
	if (period < 2 || n < 2 * period)
		return;
	arrays_take(&a, work, n, period);
	if (n >= 4 * period)
		trend_average(y, n, period, a.prefix, a.trend, &g);
	else
		trend_lines(y, n, n, a.prefix, a.trend, &g);
	trial = estimate(y, &g, &a, index);
	if (allow_factors && all_positive(y, n))
	{
		Trial		factors;

		g.is_factor = true;
		factors = estimate(y, &g, &a, a.trial);
		g.is_factor = factors.f > 1.0 && (!(trial.f > 1.0) || factors.error <= trial.error);
		if (g.is_factor)
		{
			trial = factors;
			for (int p = 0; p < period; p++)
				index[p] = a.trial[p];
		}
	}
	info->f = trial.f;
	if (!(trial.f > 1.0))
		return;
	if (decay < 1.0)
		trial = refine(y, n, &g, &a, trial, index);
	info->period = period;
	info->is_multiplicative = g.is_factor;
	info->f = trial.f;
	info->shrink = 1.0 - 1.0 / trial.f;
	info->strength = trial.strength * info->shrink;
}
