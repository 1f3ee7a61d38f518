/*
 * cf_smooth.c
 *		Exponential smoothing, fitted by exact profiling.
 *
 * The best initial states follow in closed form from one pass (cf_lanes), which leaves a search over
 * at most three bounded parameters: a grid, then a shrinking pattern about the best.
 */
#include <math.h>

#include "core/models/cf_smooth.h"
#include "core/numerics/cf_lanes.h"
#include "core/numerics/cf_num.h"

/* A candidate in the coordinates of the search. */
typedef struct Point
{
	double		a;				/* logit of alpha */
	double		b;				/* logit of beta / alpha */
	double		phi;
} Point;

static double
logistic(double u)
{
	return 1.0 / (1.0 + cf_num_exp(-u));
}

static void
lanes_set(CfLanes *lanes, int lane, Point p)
{
	lanes->alpha[lane] = logistic(p.a);
	lanes->beta[lane] = lanes->alpha[lane] * logistic(p.b);
	lanes->phi[lane] = p.phi;
}

static void
pass(const double *x, int n, CfTrendForm form, CfLanes *lanes)
{
	if (form == CF_TREND_NONE)
		cf_lanes_pass_level(x, n, lanes);
	else
		cf_lanes_pass_slope(x, n, lanes);
}

/* Evaluates count <= 8 candidates; keeps the best so far in *best and *fit. */
static bool
try_points(const double *x, int n, const Point *points, int count, CfSmooth *fit, Point *best)
{
	CfLanes		lanes;
	bool		is_better = false;

	for (int j = 0; j < CF_LANES; j++)
		lanes_set(&lanes, j, points[j < count ? j : count - 1]);
	pass(x, n, fit->form, &lanes);
	for (int j = 0; j < count; j++)
	{
		if (!(lanes.sse[j] < fit->sse))
			continue;
		fit->sse = lanes.sse[j];
		fit->alpha = lanes.alpha[j];
		fit->beta = fit->form == CF_TREND_NONE ? 0.0 : lanes.beta[j];
		fit->phi = fit->form == CF_TREND_NONE ? 1.0 : lanes.phi[j];
		fit->level0 = lanes.level0[j];
		fit->slope0 = lanes.slope0[j];
		*best = points[j];
		is_better = true;
	}
	return is_better;
}

#define LOGIT_MIN (-5.0)
#define LOGIT_MAX 4.0
#define PHI_MIN 0.80
#define PHI_MAX 0.98

static double
clamp(double v, double lo, double hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

static Point
moved(Point p, double da, double db, double dphi)
{
	Point		q;

	q.a = clamp(p.a + da, LOGIT_MIN, LOGIT_MAX);
	q.b = clamp(p.b + db, LOGIT_MIN, LOGIT_MAX);
	q.phi = dphi == 0.0 ? p.phi : clamp(p.phi + dphi, PHI_MIN, PHI_MAX);
	return q;
}

static void
search_level(const double *x, int n, CfSmooth *fit)
{
	Point		points[CF_LANES];
	Point		best = {0.0, 0.0, 1.0};
	double		step = 0.5;

	for (int batch = 0; batch < 2; batch++)
	{
		for (int j = 0; j < CF_LANES; j++)
			points[j].a = -4.0 + 0.5 * (batch * CF_LANES + j), points[j].b = 0.0, points[j].phi = 1.0;
		try_points(x, n, points, CF_LANES, fit, &best);
	}
	for (int round = 0; round < 2; round++)
	{
		Point		centre = best;

		step /= 5.0;
		for (int j = 0; j < CF_LANES; j++)
			points[j] = moved(centre, step * (j < 4 ? j - 4 : j - 3), 0.0, 0.0);
		try_points(x, n, points, CF_LANES, fit, &best);
	}
}

static void
search_slope(const double *x, int n, CfSmooth *fit)
{
	static const double grid_a[4] = {-2.5, -0.8, 0.6, 2.5};
	static const double grid_b[4] = {-4.5, -2.5, -1.0, 1.0};
	static const double grid_phi[3] = {0.96, 0.90, 0.82};
	Point		points[CF_LANES];
	Point		best = {0.0, 0.0, 1.0};
	int			n_phi = fit->form == CF_TREND_DAMPED ? 3 : 1;
	double		step = 0.8;
	double		step_phi = fit->form == CF_TREND_DAMPED ? 0.03 : 0.0;

	for (int i = 0; i < 16 * n_phi; i += CF_LANES)
	{
		for (int j = 0; j < CF_LANES; j++)
		{
			points[j].a = grid_a[(i + j) % 4];
			points[j].b = grid_b[(i + j) / 4 % 4];
			points[j].phi = fit->form == CF_TREND_DAMPED ? grid_phi[(i + j) / 16] : 1.0;
		}
		try_points(x, n, points, CF_LANES, fit, &best);
	}
	for (int round = 0; round < 6; round++)
	{
		Point		c = best;

		points[0] = moved(c, step, 0.0, 0.0);
		points[1] = moved(c, -step, 0.0, 0.0);
		points[2] = moved(c, 0.0, step, 0.0);
		points[3] = moved(c, 0.0, -step, 0.0);
		points[4] = moved(c, step, -step, 0.0);
		points[5] = moved(c, -step, step, 0.0);
		points[6] = step_phi > 0.0 ? moved(c, 0.0, 0.0, step_phi) : moved(c, step, step, 0.0);
		points[7] = step_phi > 0.0 ? moved(c, 0.0, 0.0, -step_phi) : moved(c, -step, -step, 0.0);
		if (!try_points(x, n, points, CF_LANES, fit, &best))
		{
			step *= 0.5;
			step_phi *= 0.5;
		}
	}
}

#define AVERAGED 16				/* values of alpha, evenly spaced in its logit */

/* The values of alpha that are averaged, eight at a time. */
static void
averaged_lanes(int batch, CfLanes *lanes)
{
	for (int j = 0; j < CF_LANES; j++)
		lanes->alpha[j] = logistic(LOGIT_MIN + 0.45 * (batch * CF_LANES + j));
}

void
cf_smooth_average(const double *x, int n, double *level)
{
	CfLanes		lanes[AVERAGED / CF_LANES];
	double		best = (double) INFINITY;
	double		sum = 0.0;

	for (int b = 0; b < AVERAGED / CF_LANES; b++)
	{
		averaged_lanes(b, &lanes[b]);
		cf_lanes_pass_level(x, n, &lanes[b]);
		for (int j = 0; j < CF_LANES; j++)
			best = lanes[b].sse[j] < best ? lanes[b].sse[j] : best;
	}
	best = best > 1e-24 * n ? best : 1e-24 * n;
	for (int b = 0; b < AVERAGED / CF_LANES; b++)
	{
		/* sse becomes the weight: the likelihood at the best start, over that of the best alpha */
		for (int j = 0; j < CF_LANES; j++)
		{
			double		ratio = lanes[b].sse[j] > best ? lanes[b].sse[j] / best : 1.0;

			lanes[b].sse[j] = cf_num_exp(-0.5 * n * cf_num_log(ratio));
			sum += lanes[b].sse[j];
		}
	}
	for (int t = 0; t < n; t++)
		level[t] = 0.0;
	for (int b = 0; b < AVERAGED / CF_LANES; b++)
	{
		double	   *l = lanes[b].level0;

		for (int t = 0; t < n; t++)
		{
			double		part[CF_LANES];

			for (int j = 0; j < CF_LANES; j++)
			{
				l[j] += lanes[b].alpha[j] * (x[t] - l[j]);
				part[j] = lanes[b].sse[j] * l[j];
			}
			level[t] += ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
		}
	}
	for (int t = 0; t < n; t++)
		level[t] /= sum;
}

double
cf_smooth_aicc(double sse, int n, int k)
{
	double		penalty = 2.0 * k;

	if (n - k - 1 <= 0)
		return (double) INFINITY;
	if (!(sse > 1e-24 * n))
		sse = 1e-24 * n;
	return n * cf_num_log(sse / n) + penalty + penalty * (k + 1) / (n - k - 1);
}

void
cf_smooth_fit(const double *x, int n, CfTrendForm form, CfSmooth *fit)
{
	static const int parameters[] = {3, 5, 6};

	fit->form = form;
	fit->alpha = 0.5;
	fit->beta = 0.0;
	fit->phi = 1.0;
	fit->level0 = x[0];
	fit->slope0 = 0.0;
	fit->sse = (double) INFINITY;
	if (form == CF_TREND_NONE)
		search_level(x, n, fit);
	else
		search_slope(x, n, fit);
	if (fit->sse < 0.0)
		fit->sse = 0.0;
	fit->aicc = cf_smooth_aicc(fit->sse, n, parameters[form]);
}

void
cf_smooth_states(const CfSmooth *fit, const double *x, int n, double *level, double *slope)
{
	double		l = fit->level0;
	double		s = fit->slope0;

	for (int t = 0; t < n; t++)
	{
		double		f = l + fit->phi * s;
		double		e = x[t] - f;

		l = f + fit->alpha * e;
		s = fit->phi * s + fit->beta * e;
		level[t] = l;
		slope[t] = s;
	}
}

double
cf_smooth_reach(double phi, int k)
{
	double		power = 1.0;
	double		square = phi;

	if (phi == 1.0)
		return k;
	for (; k > 0; k /= 2)
	{
		if (k % 2 == 1)
			power *= square;
		square *= square;
		if (power < 1e-30 || square < 1e-100)
			square = 0.0;		/* no denormals */
	}
	return phi * (1.0 - power) / (1.0 - phi);
}
