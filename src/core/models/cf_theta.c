/*
 * cf_theta.c
 *		The theta method and its dynamic optimised form.
 *
 * Theta: Assimakopoulos & Nikolopoulos 2000, with the lines 0 and 2.
 *
 * Dynamic optimised theta: Fiorucci et al. 2016,
 *		f(t+1) = l(t) + w ((1-a)^t A(t) + (1 - (1-a)^(t+1)) / a B(t)),  w = 1 - 1/theta,
 * where A, B are the line through the values so far and l smooths them with a.  A and
 * B hold no parameter and l is linear in its start, so that the error is linear in that start
 * and in w: a 2 x 2 problem per a, eight a at a time, and a search over a alone.
 */
#include <math.h>

#include "core/models/cf_smooth.h"
#include "core/models/cf_theta.h"
#include "core/numerics/cf_num.h"

#define LANES 8
#define FIRST 2					/* the first error that counts: the line needs two values */

void
cf_theta_states(const double *x, int n, double *work, double *level, double *slope)
{
	CfSmooth	fit;
	double		mean = cf_num_sum(x, n) / n;
	double		middle = (n - 1) / 2.0;
	double		sum = 0.0;
	double		b;

	for (int t = 0; t < n; t++)
		sum += (t - middle) * (x[t] - mean);
	b = sum / ((double) n * ((double) n * n - 1.0) / 12.0);
	for (int t = 0; t < n; t++)
		work[t] = 2.0 * x[t] - (mean + b * (t - middle));
	cf_smooth_fit(work, n, CF_TREND_NONE, &fit);
	cf_smooth_states(&fit, work, n, level, slope);
	for (int t = 0; t < n; t++)
	{
		level[t] = 0.5 * (level[t] + mean + b * (t - middle));
		slope[t] = 0.5 * b;
	}
}

typedef struct Lanes
{
	double		a[LANES];
	double		level0[LANES];
	double		w[LANES];
	double		sse[LANES];
} Lanes;

/* Lines through the values so far: A at the time before the first value, B per step. */
static void
running_lines(const double *x, int n, double *line_a, double *line_b)
{
	double		mean = x[0];
	double		b = 0.0;

	line_a[0] = x[0];
	line_b[0] = 0.0;
	for (int t = 2; t <= n; t++)
	{
		b = ((t - 2) * b + 6.0 * (x[t - 1] - mean) / t) / (t + 1);
		mean += (x[t - 1] - mean) / t;
		line_a[t - 1] = mean - b * (t + 1) / 2.0;
		line_b[t - 1] = b;
	}
}

static void
solve_lane(Lanes *lanes, int j, const double m[5], double rr)
{
	double		qq = m[0];
	double		qg = m[1];
	double		gg = m[2];
	double		rq = m[3];
	double		rg = m[4];
	double		det = qq * gg - qg * qg;
	double		w = det > 1e-10 * qq * gg ? (rg * qq - rq * qg) / det : 0.0;
	double		l;

	w = w < 0.0 ? 0.0 : w > 1.0 ? 1.0 : w;
	l = qq > 1e-200 ? (rq - w * qg) / qq : 0.0;
	lanes->w[j] = w;
	lanes->level0[j] = l;
	lanes->sse[j] = rr - 2.0 * (l * rq + w * rg) + l * l * qq + 2.0 * l * w * qg + w * w * gg;
}

static void
pass(const double *x, int n, const double *line_a, const double *line_b, Lanes *lanes)
{
	double		level[LANES] = {0};
	double		q[LANES];
	double		inverse[LANES];
	double		m[5][LANES] = {{0}, {0}, {0}, {0}, {0}};
	double		rr[LANES] = {0};
	const double *a = lanes->a;

	for (int j = 0; j < LANES; j++)
	{
		level[j] = a[j] * x[0];
		q[j] = 1.0 - a[j];		/* (1-a)^t and the level's share of its start are one thing */
		inverse[j] = 1.0 / a[j];
	}
	for (int t = 1; t < n; t++)
	{
		double		counts = t >= FIRST ? 1.0 : 0.0;

		/* what fades for ever is nothing below 1e-100, before it gets denormal and slow */
		for (int j = 0; j < LANES && t % 64 == 0; j++)
			if (q[j] < 1e-100)
				q[j] = 0.0;

		for (int j = 0; j < LANES; j++)
		{
			double		g = q[j] * line_a[t - 1] + (1.0 - q[j] * (1.0 - a[j])) * inverse[j] * line_b[t - 1];
			double		r = x[t] - level[j];
			double		rc = counts * r;
			double		qc = counts * q[j];

			rr[j] += rc * r;
			m[0][j] += qc * q[j];
			m[1][j] += qc * g;
			m[2][j] += counts * g * g;
			m[3][j] += rc * q[j];
			m[4][j] += rc * g;
			level[j] += a[j] * r;
			q[j] -= a[j] * q[j];
		}
	}
	for (int j = 0; j < LANES; j++)
	{
		double		mj[5] = {m[0][j], m[1][j], m[2][j], m[3][j], m[4][j]};

		solve_lane(lanes, j, mj, rr[j]);
	}
}

typedef struct Fit
{
	double		a;
	double		level0;
	double		w;
	double		sse;
} Fit;

static void
keep_best(const Lanes *lanes, Fit *fit)
{
	for (int j = 0; j < LANES; j++)
	{
		if (!(lanes->sse[j] < fit->sse))
			continue;
		fit->a = lanes->a[j];
		fit->level0 = lanes->level0[j];
		fit->w = lanes->w[j];
		fit->sse = lanes->sse[j];
	}
}

void
cf_dotm_states(const double *x, int n, double *work, double *level, double *slope)
{
	double	   *line_a = work;
	double	   *line_b = work + n;
	Lanes		lanes;
	Fit			fit = {0.5, x[0], 0.0, (double) INFINITY};
	double		step = 0.89 / 7;
	double		l;
	double		q = 1.0;

	running_lines(x, n, line_a, line_b);
	for (int j = 0; j < LANES; j++)
		lanes.a[j] = 0.1 + step * j;
	pass(x, n, line_a, line_b, &lanes);
	keep_best(&lanes, &fit);
	for (int round = 0; round < 3; round++)
	{
		double		centre = fit.a;

		step /= 4.5;
		for (int j = 0; j < LANES; j++)
		{
			double		a = centre + step * (j < 4 ? j - 4 : j - 3);

			lanes.a[j] = a < 0.1 ? 0.1 : a > 0.99 ? 0.99 : a;
		}
		pass(x, n, line_a, line_b, &lanes);
		keep_best(&lanes, &fit);
	}
	l = fit.level0;
	for (int t = 0; t < n; t++)
	{
		double		g;

		l += fit.a * (x[t] - l);
		q = q < 1e-100 ? 0.0 : q * (1.0 - fit.a);
		g = q * line_a[t] + (1.0 - q * (1.0 - fit.a)) / fit.a * line_b[t];
		/* k steps on, l has moved along by w B a step; what (1-a)^t adds fades and is left out */
		slope[t] = fit.w * line_b[t];
		level[t] = l + fit.w * g - slope[t];
	}
}
