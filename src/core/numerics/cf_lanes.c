/*
 * cf_lanes.c
 *		One pass of exponential smoothing over the data, for eight candidates at a time.
 *
 * At fixed smoothing parameters the one-step errors are linear in the initial states: the
 * recursion is run three times side by side, with the data from states of zero, and without data
 * from a unit level and from a unit slope.  The best initial states and the sum of squared
 * errors then follow from a 2 x 2 least squares problem (Golub & Pereyra 1973).  A recursion is bound by
 * latency, so eight candidates advance in lock-step; the compiler vectorizes the inner
 * loops without changing a bit.
 */
#include <math.h>

#include "core/numerics/cf_lanes.h"

/*
 * What is left of a unit start fades for ever; below 1e-100 it is nothing.  Denormal
 * numbers, a hundred times slower, never come up.
 */
static void
forget(double *state)
{
	for (int j = 0; j < CF_LANES; j++)
		if (fabs(state[j]) < 1e-100)
			state[j] = 0.0;
}

/* Level only: errors are r - level0 q. */
void
cf_lanes_pass_level(const double *x, int n, CfLanes *lanes)
{
	double		r[CF_LANES];
	double		q[CF_LANES];
	double		rr[CF_LANES] = {0};
	double		rq[CF_LANES] = {0};
	double		qq[CF_LANES] = {0};
	const double *a = lanes->alpha;

	for (int j = 0; j < CF_LANES; j++)
	{
		r[j] = 0.0;
		q[j] = 1.0;
	}
	for (int t = 0; t < n; t++)
	{
		if (t % 64 == 0)
			forget(q);
		for (int j = 0; j < CF_LANES; j++)
		{
			double		e = x[t] - r[j];

			rr[j] += e * e;
			rq[j] += e * q[j];
			qq[j] += q[j] * q[j];
			r[j] += a[j] * e;
			q[j] -= a[j] * q[j];
		}
	}
	for (int j = 0; j < CF_LANES; j++)
	{
		lanes->level0[j] = rq[j] / qq[j];
		lanes->slope0[j] = 0.0;
		lanes->sse[j] = rr[j] - rq[j] * rq[j] / qq[j];
	}
}

/* The sums of products of the three side-by-side errors. */
typedef struct Moments
{
	double		rr[CF_LANES];
	double		rq[CF_LANES];
	double		rp[CF_LANES];
	double		qq[CF_LANES];
	double		qp[CF_LANES];
	double		pp[CF_LANES];
} Moments;

static void
solve_initial(const Moments *m, CfLanes *lanes)
{
	for (int j = 0; j < CF_LANES; j++)
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
void
cf_lanes_pass_slope(const double *x, int n, CfLanes *lanes)
{
	Moments		m = {{0}, {0}, {0}, {0}, {0}, {0}};
	double		rl[CF_LANES] = {0};
	double		rs[CF_LANES] = {0};
	double		ql[CF_LANES];
	double		qs[CF_LANES] = {0};
	double		pl[CF_LANES] = {0};
	double		ps[CF_LANES];
	const double *a = lanes->alpha;
	const double *b = lanes->beta;
	const double *phi = lanes->phi;

	for (int j = 0; j < CF_LANES; j++)
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
		for (int j = 0; j < CF_LANES; j++)
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
