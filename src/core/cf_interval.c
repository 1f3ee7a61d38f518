/*
 * cf_interval.c
 *		The radius of prediction intervals, from the combination's own errors in the sample.
 *
 * The states of every model exist after every value, so that the combination's forecast from every
 * origin of the past costs a few multiplications.  For a thinned set of distances k the
 * radius at a level is the quantile of the absolute errors k steps ahead; between them it is
 * interpolated; beyond the last k with enough errors it grows as k^g, g from the growth seen.
 */
#include <math.h>

#include "cf_interval.h"
#include "cf_num.h"

#define MAX_NODES 32

typedef struct Nodes
{
	int			n;
	int			k[MAX_NODES];
	double		radius[CF_MAX_LEVELS][MAX_NODES];
	double		rms[MAX_NODES];
} Nodes;

size_t
cf_interval_worksize(int n, int horizon)
{
	(void) horizon;
	return (size_t) n;
}

static int
next_distance(int k)
{
	return k < 6 ? k + 1 : k + k / 4 + 1;
}

/* Absolute errors k steps ahead; returns how many. */
static int
errors_at(const CfPrepared *p, const CfCombination *c, int k, int first, double *error)
{
	double		reach[CF_MAX_MEMBERS];
	int			count = 0;

	cf_combine_reach(c, k, reach);
	for (int t = first; t + k < p->n; t++)
		if (p->is_known[t + k])
			error[count++] = fabs(p->x[t + k] - cf_combine_at(c, t, reach));
	return count;
}

static double
root_mean_square(const double *e, int n)
{
	double		sum = 0.0;

	for (int i = 0; i < n; i++)
		sum += e[i] * e[i];
	return n > 0 ? sqrt(sum / n) : 0.0;
}

static CfStatus
collect(const CfPrepared *p, const CfCombination *c, int horizon, const double *levels, int n_levels,
		const CfStop *stop, double *error, Nodes *nodes)
{
	int			first = p->n / 4;

	nodes->n = 0;
	for (int k = 1; k <= horizon && nodes->n < MAX_NODES; k = next_distance(k))
	{
		int			count;

		if (cf_stop_requested(stop))
			return CF_STOPPED;
		count = errors_at(p, c, k, first, error);
		if (nodes->n > 0 && count < 8 + k / 2)
			break;
		if (count < 1)
			break;
		nodes->rms[nodes->n] = root_mean_square(error, count);
		cf_num_sort(error, count);
		for (int l = 0; l < n_levels; l++)
		{
			double		q = cf_num_quantile(error, count, levels[l]);
			nodes->radius[l][nodes->n] = q;
		}
		nodes->k[nodes->n++] = k;
	}
	return CF_OK;
}

/* Exponent of growth with distance: half regression on log k, half 1/2. */
static double
growth(const Nodes *nodes)
{
	double		sx = 0.0;
	double		sy = 0.0;
	double		sxx = 0.0;
	double		sxy = 0.0;
	double		g;

	if (nodes->n < 3)
		return 0.5;
	for (int i = 0; i < nodes->n; i++)
	{
		double		x = cf_num_log(nodes->k[i]);
		double		y = cf_num_log(nodes->rms[i] > 1e-12 ? nodes->rms[i] : 1e-12);

		sx += x;
		sy += y;
		sxx += x * x;
		sxy += x * y;
	}
	g = (sxy - sx * sy / nodes->n) / (sxx - sx * sx / nodes->n);
	g = 0.5 * g + 0.25;
	return g < 0.15 ? 0.15 : g > 1.0 ? 1.0 : g;
}

static double
radius_at(const Nodes *nodes, int l, double g, int k)
{
	int			i = 0;

	while (i < nodes->n && nodes->k[i] < k)
		i++;
	if (i < nodes->n)
	{
		double		share;

		if (nodes->k[i] == k || i == 0)
			return nodes->radius[l][i];
		share = (double) (k - nodes->k[i - 1]) / (nodes->k[i] - nodes->k[i - 1]);
		return nodes->radius[l][i - 1] + share * (nodes->radius[l][i] - nodes->radius[l][i - 1]);
	}
	return nodes->radius[l][nodes->n - 1] * cf_num_pow((double) k / nodes->k[nodes->n - 1], g);
}

CfStatus
cf_interval_radius(const CfPrepared *p, const CfCombination *c, int horizon, const double *levels, int n_levels,
				   const CfStop *stop, double *work, double *radius)
{
	Nodes		nodes;
	CfStatus	status = collect(p, c, horizon, levels, n_levels, stop, work, &nodes);
	double		factor = 1.1 * sqrt((double) p->n / (p->n > 10 ? p->n - 5 : p->n / 2.0));
	double		g;

	if (status != CF_OK)
		return status;
	g = growth(&nodes);
	for (int l = 0; l < n_levels; l++)
		for (int k = 1; k <= horizon; k++)
			radius[(size_t) l * (size_t) horizon + (size_t) (k - 1)] =
				nodes.n == 0 ? 0.0 : factor * radius_at(&nodes, l, g, k);
	return CF_OK;
}
