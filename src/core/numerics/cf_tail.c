/*
 * cf_tail.c
 *		Chances of counts, by the incomplete gamma and beta functions.
 *
 * Their series and continued fractions are those of NIST DLMF 8.11.4, 8.9.2 and 8.17.22,
 * the fractions summed by the modified method of Lentz (Thompson & Barnett 1986).
 */
#include <math.h>

#include "core/numerics/cf_gamma.h"
#include "core/numerics/cf_num.h"
#include "core/numerics/cf_tail.h"

#define MAX_STEPS	100000
#define TINY		1e-300
#define EXACT		1e-12

/* From here on the mean of a negative binomial count is as good as fixed. */
#define FIXED_SHAPE	1e7

static double
away_from_zero(double x)
{
	return fabs(x) < TINY ? TINY : x;
}

/* A continued fraction, step by step: the terms of an odd and an even step together are one. */
typedef struct Fraction
{
	double		c;
	double		d;
	double		value;
} Fraction;

/* The factor by which the value changed. */
static double
fraction_step(Fraction *f, double numerator, double denominator)
{
	double		change;

	f->d = 1.0 / away_from_zero(denominator + numerator * f->d);
	f->c = away_from_zero(denominator + numerator / f->c);
	change = f->c * f->d;
	f->value *= change;
	return change;
}

/* Regularized lower incomplete gamma function, a and x above 0. */
static double
lower_gamma(double a, double x)
{
	double		front = cf_num_exp(a * cf_num_log(x) - x - cf_gamma_log(a));
	Fraction	f;

	if (x < a + 1.0)
	{
		double		term = 1.0 / a;
		double		sum = term;

		for (int n = 1; n < MAX_STEPS && term > sum * EXACT; n++)
		{
			term *= x / (a + n);
			sum += term;
		}
		return fmin(front * sum, 1.0);
	}
	f.c = 1.0 / TINY;
	f.d = 1.0 / (x + 1.0 - a);
	f.value = f.d;
	for (int n = 1; n < MAX_STEPS; n++)
		if (fabs(fraction_step(&f, -n * (n - a), x + 2.0 * n + 1.0 - a) - 1.0) < EXACT)
			break;
	return fmax(1.0 - front * f.value, 0.0);
}

/* The continued fraction of the incomplete beta function, x below (a + 1) / (a + b + 2). */
static double
beta_fraction(double x, double a, double b)
{
	Fraction	f = {1.0, 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0)), 0.0};

	f.value = f.d;
	for (int m = 1; m < MAX_STEPS; m++)
	{
		(void) fraction_step(&f, m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)), 1.0);
		if (fabs(fraction_step(&f, -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)), 1.0) - 1.0) < EXACT)
			break;
	}
	return f.value;
}

/* Regularized incomplete beta function; y is 1 - x, which may be too small to be told from it. */
static double
beta(double x, double y, double a, double b)
{
	double		front;

	if (x <= 0.0 || y <= 0.0)
		return x <= 0.0 ? 0.0 : 1.0;
	front = cf_num_exp(cf_gamma_log(a + b) - cf_gamma_log(a) - cf_gamma_log(b) + a * cf_num_log(x) + b * cf_num_log(y));
	if (x < (a + 1.0) / (a + b + 2.0))
		return fmin(front * beta_fraction(x, a, b) / a, 1.0);
	return fmax(1.0 - front * beta_fraction(y, b, a) / b, 0.0);
}

double
cf_tail_poisson(double k, double mean)
{
	if (k <= 0.0)
		return 1.0;
	return mean <= 0.0 ? 0.0 : lower_gamma(k, mean);
}

double
cf_tail_negative_binomial(double k, double mean, double shape)
{
	if (k <= 0.0)
		return 1.0;
	if (mean <= 0.0)
		return 0.0;
	if (shape > FIXED_SHAPE)
		return cf_tail_poisson(k, mean);
	return beta(mean / (mean + shape), shape / (mean + shape), k, shape);
}
