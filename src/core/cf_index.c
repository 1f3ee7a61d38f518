/*
 * cf_index.c
 *		Seasonal indices of one period, shrunk by how sure they are.
 *
 * The trend is taken out by a centred moving average over a period (four periods and more), or by
 * a line.  What is left is grouped by phase: with F the one-way ANOVA statistic, 1 - 1/F is
 * the share of the spread between phases that is not chance (James & Stein 1961 in this
 * setting), and the indices are shrunk by it.  It finds a weekly pattern in two weeks where an
 * autocorrelation test needs three periods, and leaves noise alone.
 */
#include <math.h>

#include "cf_index.h"
#include "cf_num.h"

size_t
cf_index_worksize(int n, int period)
{
	return 3 * (size_t) n + 4 * (size_t) period;
}

/* Centred moving average; *first, *last: where it exists. */
static void
moving_average(const double *y, int n, int period, double *trend, int *first, int *last)
{
	int			half = period / 2;
	double		sum = 0.0;

	*first = half;
	*last = n - 1 - half;
	for (int t = 0; t < n; t++)
	{
		/* fresh sums now and then: rounding errors do not pile up */
		int			centre = t;

		if (centre < *first || centre > *last)
			continue;
		if (centre == *first || (centre - *first) % 64 == 0)
		{
			sum = 0.0;
			for (int i = centre - half; i <= centre + half; i++)
				sum += y[i];
		}
		else
			sum += y[centre + half] - y[centre - half - 1];
		trend[centre] = period % 2 == 1 ? sum / period
			: (sum - 0.5 * (y[centre - half] + y[centre + half])) / period;
	}
}

static void
line(const double *y, int n, double *trend, int *first, int *last)
{
	double		middle = (n - 1) / 2.0;
	double		mean = cf_num_sum(y, n) / n;
	double		sum = 0.0;
	double		slope;

	for (int t = 0; t < n; t++)
		sum += (t - middle) * (y[t] - mean);
	slope = sum / ((double) n * ((double) n * n - 1.0) / 12.0);
	for (int t = 0; t < n; t++)
		trend[t] = mean + slope * (t - middle);
	*first = 0;
	*last = n - 1;
}

typedef struct Groups
{
	int			first;			/* steps that take part */
	int			last;
	const bool *is_known;
	int			period;
} Groups;

static bool
takes_part(const Groups *g, int t)
{
	return g->is_known == NULL || g->is_known[t];
}

/* F statistic and strength of d by phase; mean[period] and count[period] are filled. */
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
	*strength = between + within > 0.0 ? between / (between + within) : 0.0;
	if (phases < 2 || total - phases < 1.0 || !(between > 0.0))
		return 0.0;
	if (!(within > 1e-20 * between))
		return 1e20;
	return (between / (phases - 1)) / (within / (total - phases));
}

/* Medians by phase, from five periods on: means bend to single days. */
static void
take_medians(const double *d, const Groups *g, double *mean, double *scratch)
{
	for (int p = 0; p < g->period; p++)
	{
		int			count = 0;

		for (int t = g->first + (p - g->first % g->period + g->period) % g->period; t <= g->last; t += g->period)
			if (takes_part(g, t))
				scratch[count++] = d[t];
		if (count > 0)
			mean[p] = cf_num_median(scratch, count);
	}
}

/* Shrinks about the neutral value; phases nobody saw stay neutral. */
static void
normalise(double *index, const double *count, int period, double neutral, double shrink)
{
	double		sum = 0.0;
	int			seen = 0;

	for (int p = 0; p < period; p++)
	{
		if (count[p] == 0.0)
			continue;
		sum += index[p];
		seen++;
	}
	for (int p = 0; p < period; p++)
	{
		double		v = count[p] == 0.0 ? neutral
			: neutral == 0.0 ? index[p] - sum / seen : index[p] * seen / sum;

		index[p] = neutral + shrink * (v - neutral);
		if (neutral == 1.0 && index[p] < 0.05)
			index[p] = 0.05;
	}
}

typedef struct Trial
{
	double		f;
	double		strength;
	double		error;			/* sum of absolute residuals */
} Trial;

/* One form, factors or summands, into index. */
static Trial
estimate_form(const double *y, const double *trend, const Groups *g, bool is_factor, double *d, double *scratch,
			  double *count, double *index)
{
	Trial		trial = {0.0, 0.0, 0.0};
	double		neutral = is_factor ? 1.0 : 0.0;

	for (int t = g->first; t <= g->last; t++)
		d[t] = is_factor ? y[t] / trend[t] : y[t] - trend[t];
	trial.f = analyse(d, g, index, count, &trial.strength);
	if (!(trial.f > 1.0))
		return trial;
	if (g->last - g->first + 1 >= 5 * g->period)
		take_medians(d, g, index, scratch);
	normalise(index, count, g->period, neutral, 1.0 - 1.0 / trial.f);
	for (int t = g->first; t <= g->last; t++)
		if (takes_part(g, t))
			trial.error += fabs(is_factor ? y[t] - trend[t] * index[t % g->period]
								: y[t] - trend[t] - index[t % g->period]);
	return trial;
}

static bool
all_positive(const double *y, const double *trend, const Groups *g, int n)
{
	for (int t = 0; t < n; t++)
		if (!(y[t] > 0.0) || (t >= g->first && t <= g->last && !(trend[t] > 0.0)))
			return false;
	return true;
}

void
cf_index_estimate(const double *y, const bool *is_known, int n, int period, bool allow_factors,
				  double *work, double *index, CfIndex *info)
{
	double	   *trend = work;
	double	   *d = work + n;
	double	   *scratch = work + 2 * n;
	double	   *count = work + 3 * n;
	double	   *other = count + period;
	Groups		g = {0, n - 1, is_known, period};
	Trial		trial;
	Trial		factors = {0.0, 0.0, INFINITY};

	info->period = 1;
	info->is_multiplicative = false;
	info->f = info->shrink = info->strength = 0.0;
	if (period < 2 || n < 2 * period)
		return;
	if (n >= 4 * period)
		moving_average(y, n, period, trend, &g.first, &g.last);
	else
		line(y, n, trend, &g.first, &g.last);
	trial = estimate_form(y, trend, &g, false, d, scratch, count, index);
	if (allow_factors && all_positive(y, trend, &g, n))
		factors = estimate_form(y, trend, &g, true, d, scratch, count, other);
	if (factors.f > 1.0 && (!(trial.f > 1.0) || factors.error <= trial.error))
	{
		for (int p = 0; p < period; p++)
			index[p] = other[p];
		info->is_multiplicative = true;
		trial = factors;
	}
	info->f = trial.f;
	if (!(trial.f > 1.0))
		return;
	info->period = period;
	info->shrink = 1.0 - 1.0 / trial.f;
	info->strength = trial.strength * info->shrink;
}
