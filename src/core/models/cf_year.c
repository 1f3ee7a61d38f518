/*
 * cf_year.c
 *		The year in daily values.
 *
 * The residuals of days depend on one another: F counts n (1 - r) / (1 + r) of them, r their first autocorrelation.
 */
#include <math.h>

#include "core/models/cf_year.h"

#define WAVES 3
#define TERMS (2 + 2 * WAVES)
#define LEAST_F 4.0
/* of an angle of 2 pi / 365.25 */
#define COSINE 0.9998520419557735
#define SINE 0.017201575418260506

typedef struct Angle
{
	double		cosine;
	double		sine;
} Angle;

size_t
cf_year_worksize(int n)
{
	return (size_t) n;
}

static Angle
turned(Angle a, Angle by)
{
	return (Angle) {a.cosine * by.cosine - a.sine * by.sine, a.sine * by.cosine + a.cosine * by.sine};
}

static void
put_terms(Angle day, double t, double *term)
{
	Angle		wave = day;

	term[0] = 1.0;
	term[1] = t;
	for (int i = 0; i < WAVES; i++)
	{
		term[2 + 2 * i] = wave.cosine;
		term[3 + 2 * i] = wave.sine;
		wave = turned(wave, day);
	}
}

/* Solves a b = c in place by Cholesky's method; false where a is not positive definite. */
static bool
solve(double a[TERMS][TERMS], double *c)
{
	for (int j = 0; j < TERMS; j++)
	{
		for (int k = 0; k < j; k++)
			a[j][j] -= a[j][k] * a[j][k];
		if (!(a[j][j] > 0.0))
			return false;
		a[j][j] = sqrt(a[j][j]);
		for (int i = j + 1; i < TERMS; i++)
		{
			for (int k = 0; k < j; k++)
				a[i][j] -= a[i][k] * a[j][k];
			a[i][j] /= a[j][j];
		}
	}
	for (int i = 0; i < TERMS; i++)
	{
		for (int k = 0; k < i; k++)
			c[i] -= a[i][k] * c[k];
		c[i] /= a[i][i];
	}
	for (int i = TERMS - 1; i >= 0; i--)
	{
		for (int k = i + 1; k < TERMS; k++)
			c[i] -= a[k][i] * c[k];
		c[i] /= a[i][i];
	}
	return true;
}

static double
wave_value(const double *coefficient, const double *term)
{
	double		sum = 0.0;

	for (int i = 2; i < TERMS; i++)
		sum += coefficient[i] * term[i];
	return sum;
}

/* F of the waves against the residuals, in work. */
static double
f_statistic(const double *x, int n, const double *coefficient, double *work)
{
	Angle		day = {1.0, 0.0};
	double		explained = 0.0;
	double		left = 0.0;
	double		lagged = 0.0;
	double		mean = 0.0;
	double		r;
	double		count;

	for (int t = 0; t < n; t++, day = turned(day, (Angle) {COSINE, SINE}))
	{
		double		term[TERMS];
		double		wave;

		put_terms(day, (double) t / n, term);
		wave = wave_value(coefficient, term);
		mean += wave / n;
		explained += wave * wave;
		work[t] = x[t] - coefficient[0] - coefficient[1] * term[1] - wave;
		left += work[t] * work[t];
		lagged += t > 0 ? work[t] * work[t - 1] : 0.0;
	}
	explained -= n * mean * mean;
	if (!(left > 0.0))
		return explained > 0.0 ? 1e6 : 0.0;
	r = lagged / left;
	r = r < 0.0 ? 0.0 : r;
	count = n * (1.0 - r) / (1.0 + r);
	if (!(count > TERMS + 1.0))
		return 0.0;
	/* of n days, count are worth something, on either side */
	return explained * (count / n) / (2.0 * WAVES) / (left * (count / n) / (count - TERMS));
}

bool
cf_year_fit(const double *x, int n, int total, double *work, double *year)
{
	double		a[TERMS][TERMS] = {{0.0}};
	double		c[TERMS] = {0.0};
	Angle		day = {1.0, 0.0};
	double		f;

	if (n < CF_YEAR_MIN)
		return false;
	for (int t = 0; t < n; t++, day = turned(day, (Angle) {COSINE, SINE}))
	{
		double		term[TERMS];

		put_terms(day, (double) t / n, term);
		for (int i = 0; i < TERMS; i++)
		{
			c[i] += term[i] * x[t];
			for (int j = 0; j <= i; j++)
				a[i][j] += term[i] * term[j];
		}
	}
	if (!solve(a, c))
		return false;
	f = f_statistic(x, n, c, work);
	if (!(f > LEAST_F))
		return false;
	day = (Angle) {1.0, 0.0};
	for (int t = 0; t < total; t++, day = turned(day, (Angle) {COSINE, SINE}))
	{
		double		term[TERMS];

		put_terms(day, (double) t / n, term);
		year[t] = (1.0 - 1.0 / f) * wave_value(c, term);
	}
	return true;
}
