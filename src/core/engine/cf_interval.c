/*
 * cf_interval.c
 *		The radius of prediction intervals, from the combination's own errors in the sample.
 *
 * The states of every model exist after every value, so that the combination's forecast from every
 * origin of the past costs a few multiplications.  For a thinned set of distances k (nodes) the
 * radius at a level is the quantile of the absolute errors k steps ahead.  Corrections:
 *
 *		- overlapping errors are not independent: count / k of them are, and the quantile is
 *		  stretched as Student's t with that many degrees of freedom exceeds the normal;
 *		- the sample has been fitted: sqrt(n / (n - 3));
 *		- a pace learned from t values is off by a part that grows with k / t: the errors of
 *		  a stock's early origins are brought to the full history;
 *		- the radius should not fall with distance: half of a fall is taken back.
 *
 * Between nodes the radius is interpolated; beyond the last one with enough errors it
 * grows as k^g, g half from the growth seen and half from a random walk's 1/2, and with the pace's error.
 */
#include <math.h>

#include "core/engine/cf_interval.h"
#include "core/numerics/cf_num.h"

#define MAX_NODES 48
#define CALIBRATION 0.97		/* of the whole, on real daily and M3 series */
#define FEW 4					/* values: below, a guess */
#define GUESS_BLIND 0.2			/* of the level, for the error of a step, from a single value */
#define GUESS 0.02				/* the least, from two or three */

typedef struct Nodes
{
	int			n;
	int			k[MAX_NODES];
	double		radius[CF_MAX_LEVELS][MAX_NODES];
	double		rms[MAX_NODES];
} Nodes;

size_t
cf_interval_worksize(int n)
{
	return (size_t) n;
}

static int
next_distance(int k)
{
	return k < 6 ? k + 1 : k + k / 4 + 1;
}

/* Variance of a forecast k steps ahead grows by this when the pace is learned from n steps. */
static double
pace_error(int k, double n)
{
	return 1.0 + k / n;
}

/* Absolute errors k steps ahead; returns how many. */
static int
errors_at(const CfPrepared *p, const CfCombination *c, int k, int first, double *error)
{
	double		reach[CF_MAX_MEMBERS];
	int			count = 0;

	cf_combine_reach(c, k, reach);
	for (int t = first; t + k < p->n; t++)
	{
		double		e;

		if (!p->is_known[t + k])
			continue;
		e = fabs(p->x[t + k] - cf_combine_at(c, t, reach));
		if (p->kind == CF_KIND_STOCK)
			e *= sqrt(pace_error(k, p->n) / pace_error(k, t + 1.0));
		error[count++] = e;
	}
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

/*
 * Type 6 quantile of a, which is reordered.  *below: that many are in their place, at the front and no
 * larger than the rest; what is asked for next is mostly among the rest.
 */
static double
quantile(double *a, int n, double p, int *below)
{
	double		at = p * (n + 1) - 1.0;
	int			i = at < 0.0 ? 0 : at >= n - 1 ? n - 1 : (int) at;
	int			from = i >= *below ? *below : 0;
	double		low = cf_num_select(a + from, n - from, i - from);
	double		high;

	*below = i;
	if (at <= 0.0 || i == n - 1)
		return low;
	high = a[i + 1];
	for (int j = i + 2; j < n; j++)
		if (a[j] < high)
			high = a[j];
	return low + (at - i) * (high - low);
}

/* Student's t over the normal, for the central interval of a level (Cornish-Fisher). */
static double
student_ratio(double level, double freedom)
{
	double		z = cf_num_normal_quantile(0.5 + level / 2.0);
	double		zz = z * z;

	return 1.0 + (zz + 1.0) / (4.0 * freedom) + ((5.0 * zz + 16.0) * zz + 3.0) / (96.0 * freedom * freedom);
}

static void
add_node(Nodes *nodes, int k, double *error, int count, const double *levels, int n_levels)
{
	int			i = nodes->n;
	double		freedom = (double) count / k - 2.0;
	int			below = 0;

	freedom = freedom < 3.0 ? 3.0 : freedom;
	nodes->rms[i] = root_mean_square(error, count);
	for (int l = 0; l < n_levels; l++)
	{
		double		radius = quantile(error, count, levels[l], &below) * student_ratio(levels[l], freedom);

		if (i > 0 && radius < nodes->radius[l][i - 1])
			radius = (radius + nodes->radius[l][i - 1]) / 2.0;
		nodes->radius[l][i] = radius;
	}
	nodes->k[i] = k;
	nodes->n++;
}

static CfStatus
collect(const CfPrepared *p, const CfCombination *c, int horizon, const double *levels, int n_levels,
		const CfStop *stop, double *error, Nodes *nodes)
{
	nodes->n = 0;
	/* up to a node at or beyond the horizon, so that a shorter horizon gives the same radius */
	for (int k = 1; nodes->n < MAX_NODES && (nodes->n == 0 || nodes->k[nodes->n - 1] < horizon); k = next_distance(k))
	{
		int			count;

		if (cf_stop_requested(stop))
			return CF_STOPPED;
		count = errors_at(p, c, k, p->n / 4, error);
		if (count < (nodes->n > 0 ? 8 + k / 2 : 1))
			break;
		add_node(nodes, k, error, count, levels, n_levels);
	}
	return CF_OK;
}

/* Exponent of growth with distance. */
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
	g = 0.5 * (sxy - sx * sy / nodes->n) / (sxx - sx * sx / nodes->n) + 0.25;
	return g < 0.15 ? 0.15 : g > 1.0 ? 1.0 : g;
}

/* Radius k steps ahead; *i remembers the place between calls with growing k. */
static double
radius_at(const Nodes *nodes, int l, double g, int n, int k, int *i)
{
	const double *radius = nodes->radius[l];
	int			last = nodes->k[nodes->n - 1];

	while (*i < nodes->n && nodes->k[*i] < k)
		++*i;
	if (*i < nodes->n)
	{
		double		share;

		if (nodes->k[*i] == k || *i == 0)
			return radius[*i];
		share = (double) (k - nodes->k[*i - 1]) / (nodes->k[*i] - nodes->k[*i - 1]);
		return radius[*i - 1] + share * (radius[*i] - radius[*i - 1]);
	}
	return radius[nodes->n - 1] * cf_num_pow((double) k / last, g) * sqrt(pace_error(k, n) / pace_error(last, n));
}

/* Hardly any values: the steps seen, or a share of the level, as a random walk's with a pace nobody knows. */
static double
guessed_radius(const CfPrepared *p, double level, int k)
{
	double		size = (p->n_known == 1 ? GUESS_BLIND : GUESS) * fabs(p->y[p->n - 1]) / p->scale;
	double		growth_squared = k * (p->kind == CF_KIND_STOCK ? pace_error(k, p->n - 1.0 > 1.0 ? p->n - 1.0 : 1.0) : 1.0);

	for (int t = 1; t < p->n; t++)
		if (fabs(p->x[t] - p->x[t - 1]) > size)
			size = fabs(p->x[t] - p->x[t - 1]);
	return size * cf_num_normal_quantile(0.5 + level / 2.0) * sqrt(growth_squared);
}

CfStatus
cf_interval_radius(const CfPrepared *p, const CfCombination *c, int horizon,
				   const double *levels, int n_levels, const CfStop *stop,
				   double *work, double *radius, double *error_scale)
{
	Nodes		nodes;
	CfStatus	status = collect(p, c, horizon, levels, n_levels, stop, work, &nodes);
	double		fitted = sqrt((double) p->n / (p->n > 6 ? p->n - 3 : p->n / 2.0));
	double		gaps = sqrt((double) p->n / p->n_known);
	double		g;

	if (status != CF_OK)
		return status;
	*error_scale = nodes.n > 0 ? nodes.rms[0] : 0.0;
	g = growth(&nodes);
	for (int l = 0; l < n_levels; l++)
	{
		double	   *row = radius + (size_t) l * (size_t) horizon;
		int			place = 0;

		for (int k = p->trail + 1; k <= horizon; k++)
			row[k - 1] = p->n_known < FEW || nodes.n == 0 ? guessed_radius(p, levels[l], k)
				: CALIBRATION * fitted * gaps * radius_at(&nodes, l, g, p->n, k, &place);
	}
	return CF_OK;
}
