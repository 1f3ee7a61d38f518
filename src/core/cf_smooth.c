/*
 * cf_smooth.c
 *		Exponential smoothing, fitted by exact profiling.
 *
 * At fixed smoothing parameters the one-step errors are linear in the initial states: the
 * recursion is run three times side by side, with the data from states of zero, and without data
 * from a unit level and from a unit slope.  The best initial states and the sum of
 * squared errors then follow from a 2 x 2 least squares problem (Golub & Pereyra 1973), which leaves a
 * search over at most three bounded parameters: a grid, then a shrinking pattern
 * about the best.  One recursion is bound by latency, so eight candidates advance
 * in lock-step; the compiler vectorizes the inner loops without changing a bit.
 */
#include <math.h>

#include "cf_num.h"
#include "cf_smooth.h"

#define LANES 8

/* Eight candidates and what one pass finds out about them. */
typedef struct Lanes
{
	double		alpha[LANES];
	double		beta[LANES];
	double		phi[LANES];
	double		level0[LANES];
	double		slope0[LANES];
	double		sse[LANES];
} Lanes;

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
lanes_set(Lanes *lanes, int lane, Point p)
{
	lanes->alpha[lane] = logistic(p.a);
	lanes->beta[lane] = lanes->alpha[lane] * logistic(p.b);
	lanes->phi[lane] = p.phi;
}

/*
 * What is left of a unit start fades for ever; below 1e-100 it is nothing.  Denormal
 * numbers, a hundred times slower, never come up.
 */
static void
forget(double *state)
{
	for (int j = 0; j < LANES; j++)
		if (fabs(state[j]) < 1e-100)
			state[j] = 0.0;
}

/* Level only: errors are r - level0 q. */
static void
pass_level(const double *x, int n, Lanes *lanes)
{
	double		r[LANES];
	double		q[LANES];
	double		rr[LANES] = {0};
	double		rq[LANES] = {0};
	double		qq[LANES] = {0};
	const double *a = lanes->alpha;

	for (int j = 0; j < LANES; j++)
	{
		r[j] = 0.0;
		q[j] = 1.0;
	}
	for (int t = 0; t < n; t++)
	{
		if (t % 64 == 0)
			forget(q);
		for (int j = 0; j < LANES; j++)
		{
			double		e = x[t] - r[j];

			rr[j] += e * e;
			rq[j] += e * q[j];
			qq[j] += q[j] * q[j];
			r[j] += a[j] * e;
			q[j] -= a[j] * q[j];
		}
	}
	for (int j = 0; j < LANES; j++)
	{
		lanes->level0[j] = rq[j] / qq[j];
		lanes->slope0[j] = 0.0;
		lanes->sse[j] = rr[j] - rq[j] * rq[j] / qq[j];
	}
}

/* The sums of products of the three side-by-side errors. */
typedef struct Moments
{
	double		rr[LANES];
	double		rq[LANES];
	double		rp[LANES];
	double		qq[LANES];
	double		qp[LANES];
	double		pp[LANES];
} Moments;

static void
solve_initial(const Moments *m, Lanes *lanes)
{
	for (int j = 0; j < LANES; j++)
	{
		double		det = m->qq[j] * m->pp[j] - m->qp[j] * m->qp[j];

		if (det > 1e-10 * m->qq[j] * m->pp[j])
		{
			lanes->level0[j] = (m->rq[j] * m->pp[j] - m->rp[j] * m->qp[j]) / det;
			lanes->slope0[j] = (m->rp[j] * m->qq[j] - m->rq[j] * m->qp[j]) / det;
		}
		else
		{
			lanes->level0[j] = m->rq[j] / m->qq[j];
			lanes->slope0[j] = 0.0;
		}
		lanes->sse[j] = m->rr[j] - lanes->level0[j] * m->rq[j] - lanes->slope0[j] * m->rp[j];
	}
}

/* Level and slope: errors are r - level0 q - slope0 p. */
static void
pass_slope(const double *x, int n, Lanes *lanes)
{
	Moments		m = {{0}, {0}, {0}, {0}, {0}, {0}};
	double		rl[LANES] = {0};
	double		rs[LANES] = {0};
	double		ql[LANES];
	double		qs[LANES] = {0};
	double		pl[LANES] = {0};
	double		ps[LANES];
	const double *a = lanes->alpha;
	const double *b = lanes->beta;
	const double *phi = lanes->phi;

	for (int j = 0; j < LANES; j++)
		ql[j] = ps[j] = 1.0;
	for (int t = 0; t < n; t++)
	{
		if (t % 64 == 0)
		{
			forget(ql);
			forget(qs);
			forget(pl);
			forget(ps);
		}
		for (int j = 0; j < LANES; j++)
		{
			double		fr = rl[j] + phi[j] * rs[j];
			double		q = ql[j] + phi[j] * qs[j];
			double		p = pl[j] + phi[j] * ps[j];
			double		r = x[t] - fr;

			rl[j] = fr + a[j] * r;
			rs[j] = phi[j] * rs[j] + b[j] * r;
			ql[j] = q - a[j] * q;
			qs[j] = phi[j] * qs[j] - b[j] * q;
			pl[j] = p - a[j] * p;
			ps[j] = phi[j] * ps[j] - b[j] * p;
			m.rr[j] += r * r;
			m.rq[j] += r * q;
			m.rp[j] += r * p;
			m.qq[j] += q * q;
			m.qp[j] += q * p;
			m.pp[j] += p * p;
		}
	}
	solve_initial(&m, lanes);
}

static void
pass(const double *x, int n, CfTrendForm form, Lanes *lanes)
{
	if (form == CF_TREND_NONE)
		pass_level(x, n, lanes);
	else
		pass_slope(x, n, lanes);
}

/* Evaluates count <= 8 candidates; keeps the best so far in *best and *fit. */
static bool
try_points(const double *x, int n, const Point *points, int count, CfSmooth *fit, Point *best)
{
	Lanes		lanes;
	bool		is_better = false;

	for (int j = 0; j < LANES; j++)
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
	Point		points[LANES];
	Point		best = {0.0, 0.0, 1.0};
	double		step = 0.5;

	for (int batch = 0; batch < 2; batch++)
	{
		for (int j = 0; j < LANES; j++)
			points[j].a = -4.0 + 0.5 * (batch * LANES + j), points[j].b = 0.0, points[j].phi = 1.0;
		try_points(x, n, points, LANES, fit, &best);
	}
	for (int round = 0; round < 2; round++)
	{
		Point		centre = best;

		step /= 5.0;
		for (int j = 0; j < LANES; j++)
			points[j] = moved(centre, step * (j < 4 ? j - 4 : j - 3), 0.0, 0.0);
		try_points(x, n, points, LANES, fit, &best);
	}
}

static void
search_slope(const double *x, int n, CfSmooth *fit)
{
	static const double grid_a[4] = {-2.5, -0.8, 0.6, 2.5};
	static const double grid_b[4] = {-4.5, -2.5, -1.0, 1.0};
	static const double grid_phi[3] = {0.96, 0.90, 0.82};
	Point		points[LANES];
	Point		best = {0.0, 0.0, 1.0};
	int			n_phi = fit->form == CF_TREND_DAMPED ? 3 : 1;
	double		step = 0.8;
	double		step_phi = fit->form == CF_TREND_DAMPED ? 0.03 : 0.0;

	for (int i = 0; i < 16 * n_phi; i += LANES)
	{
		for (int j = 0; j < LANES; j++)
		{
			points[j].a = grid_a[(i + j) % 4];
			points[j].b = grid_b[(i + j) / 4 % 4];
			points[j].phi = fit->form == CF_TREND_DAMPED ? grid_phi[(i + j) / 16] : 1.0;
		}
		try_points(x, n, points, LANES, fit, &best);
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
		if (!try_points(x, n, points, LANES, fit, &best))
		{
			step *= 0.5;
			step_phi *= 0.5;
		}
	}
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
	double		sum = 0.0;

	if (phi == 1.0)
		return k;
	for (int i = 0; i < k && power > 1e-17; i++)
	{
		power *= phi;
		sum += power;
	}
	return sum;
}
