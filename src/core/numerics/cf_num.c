/*
 * cf_num.c
 *		Small numeric helpers.
 *
 * Logarithm: x = 2^k f with f in [sqrt(1/2), sqrt(2)), log f = 2 atanh((f-1)/(f+1)) by its
 * series.  Exponential: x = k log 2 + r, Taylor series of e^r.  Normal quantile: P. Acklam's
 * rational approximation (2003).  Selection: Hoare, median of three.  Random bits: splitmix64
 * (Steele, Lea, Flood 2014).
 */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "core/numerics/cf_num.h"

#define NO_UNIT 1e-6			/* of the largest value */

#define LN2_HI 6.93147180369123816490e-01
#define LN2_LO 1.90821492927058770002e-10

double
cf_num_log(double x)
{
	/* 1 / 21, 1 / 19, ... 1 / 3 */
	static const double term[10] = {1.0 / 21.0, 1.0 / 19.0, 1.0 / 17.0, 1.0 / 15.0, 1.0 / 13.0, 1.0 / 11.0, 1.0 / 9.0,
	1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0};
	int			k;
	double		f = frexp(x, &k);
	double		s;
	double		z;
	double		sum = 0.0;

	if (f < 0.70710678118654752440)
	{
		f *= 2.0;
		k--;
	}
	s = (f - 1.0) / (f + 1.0);
	z = s * s;
	for (int i = 0; i < 10; i++)
		sum = (sum + term[i]) * z;
	return k * LN2_HI + (2.0 * s + (2.0 * s * sum + k * LN2_LO));
}

/* x times 2 to the k, for results that are not denormal. */
static double
times_power_of_two(double x, int k)
{
	uint64_t	bits = (uint64_t) (k + 1023) << 52;
	double		power;

	memcpy(&power, &bits, sizeof(power));
	return x * power;
}

double
cf_num_exp(double x)
{
	/* 1 / 14!, 1 / 13!, ... 1 / 2! */
	static const double term[13] = {1.0 / 87178291200.0, 1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0,
	1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0, 1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5};
	double		k;
	double		r;
	double		sum = 0.0;

	if (x > 709.0)
		x = 709.0;
	if (x < -745.0)
		return 0.0;
	k = floor(x / 0.69314718055994530942 + 0.5);
	r = (x - k * LN2_HI) - k * LN2_LO;
	for (int i = 0; i < 13; i++)
		sum = (sum + term[i]) * r;
	sum = 1.0 + (r + r * sum);
	return k > -1022.0 && k < 1024.0 ? times_power_of_two(sum, (int) k) : ldexp(sum, (int) k);
}

double
cf_num_pow(double x, double y)
{
	return cf_num_exp(y * cf_num_log(x));
}

static double
tail_quantile(double p)
{
	double		q = sqrt(-2.0 * cf_num_log(p));

	return (((((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838e+00) * q
			  - 2.549732539343734e+00) * q + 4.374664141464968e+00) * q + 2.938163982698783e+00) /
		((((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996e+00) * q
		  + 3.754408661907416e+00) * q + 1.0);
}

double
cf_num_normal_quantile(double p)
{
	double		q = p - 0.5;
	double		r = q * q;

	if (p < 0.02425)
		return tail_quantile(p);
	if (p > 1.0 - 0.02425)
		return -tail_quantile(1.0 - p);
	return (((((-3.969683028665376e+01 * r + 2.209460984245205e+02) * r - 2.759285104469687e+02) * r
			  + 1.383577518672690e+02) * r - 3.066479806614716e+01) * r + 2.506628277459239e+00) * q /
		(((((-5.447609879822406e+01 * r + 1.615858368580409e+02) * r - 1.556989798598866e+02) * r
		   + 6.680131188771972e+01) * r - 1.328068155288572e+01) * r + 1.0);
}

static void
swap(double *a, int i, int j)
{
	double		t = a[i];

	a[i] = a[j];
	a[j] = t;
}

double
cf_num_select(double *a, int n, int k)
{
	int			lo = 0;
	int			hi = n - 1;

	while (hi - lo > 12)
	{
		int			mid = lo + (hi - lo) / 2;
		int			i = lo;
		int			j = hi;
		double		pivot;

		if (a[mid] < a[lo])
			swap(a, mid, lo);
		if (a[hi] < a[lo])
			swap(a, hi, lo);
		if (a[hi] < a[mid])
			swap(a, hi, mid);
		pivot = a[mid];
		while (i <= j)
		{
			while (a[i] < pivot)
				i++;
			while (a[j] > pivot)
				j--;
			if (i <= j)
				swap(a, i++, j--);
		}
		if (k <= j)
			hi = j;
		else if (k >= i)
			lo = i;
		else
			return a[k];
	}
	for (int i = lo + 1; i <= hi; i++)
	{
		double		v = a[i];
		int			j = i;

		for (; j > lo && a[j - 1] > v; j--)
			a[j] = a[j - 1];
		a[j] = v;
	}
	return a[k];
}

double
cf_num_median(double *a, int n)
{
	double		upper = cf_num_select(a, n, n / 2);
	double		lower;

	if (n % 2 == 1)
		return upper;
	lower = a[0];
	for (int i = 1; i < n / 2; i++)
		if (a[i] > lower)
			lower = a[i];
	return lower + (upper - lower) / 2.0;
}

double
cf_num_mad(double *a, int n, double centre)
{
	for (int i = 0; i < n; i++)
		a[i] = fabs(a[i] - centre);
	return 1.4826 * cf_num_median(a, n);
}

static void
sift_down(double *a, int root, int n)
{
	double		v = a[root];
	int			child;

	while ((child = 2 * root + 1) < n)
	{
		if (child + 1 < n && a[child] < a[child + 1])
			child++;
		if (a[child] <= v)
			break;
		a[root] = a[child];
		root = child;
	}
	a[root] = v;
}

void
cf_num_sort(double *a, int n)
{
	if (n <= 16)
	{
		for (int i = 1; i < n; i++)
		{
			double		v = a[i];
			int			j = i;

			for (; j > 0 && a[j - 1] > v; j--)
				a[j] = a[j - 1];
			a[j] = v;
		}
		return;
	}
	for (int i = n / 2 - 1; i >= 0; i--)
		sift_down(a, i, n);
	for (int i = n - 1; i > 0; i--)
	{
		swap(a, 0, i);
		sift_down(a, 0, i);
	}
}

double
cf_num_quantile(const double *sorted, int n, double p)
{
	double		at = p * (n + 1) - 1.0;
	int			i;

	if (at <= 0.0)
		return sorted[0];
	if (at >= n - 1)
		return sorted[n - 1];
	i = (int) at;
	return sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]);
}

double
cf_num_sum(const double *a, int n)
{
	double		lane[8] = {0};
	int			i = 0;

	for (; i + 8 <= n; i += 8)
		for (int j = 0; j < 8; j++)
			lane[j] += a[i + j];
	for (; i < n; i++)
		lane[i % 8] += a[i];
	return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

double
cf_num_binary_scale(double x)
{
	int			exponent;

	if (x == 0.0)
		return 1.0;
	(void) frexp(x, &exponent);
	return ldexp(1.0, exponent - 1);
}

double
cf_num_unit(const double *a, int n)
{
	double		largest = 0.0;
	int			lowest = INT_MAX;

	for (int i = 0; i < n; i++)
	{
		int			exponent;
		int64_t		mantissa;

		if (a[i] == 0.0)
			continue;
		largest = fabs(a[i]) > largest ? fabs(a[i]) : largest;
		mantissa = (int64_t) ldexp(fabs(frexp(a[i], &exponent)), 53);
		exponent -= 53;
		for (; mantissa % 2 == 0; mantissa /= 2)
			exponent++;
		lowest = exponent < lowest ? exponent : lowest;
	}
	if (largest == 0.0 || ldexp(1.0, lowest) < NO_UNIT * largest)
		return 0.0;
	return ldexp(1.0, lowest);
}

double
cf_num_share(double a, double from, double to)
{
	return a <= from ? 0.0 : a >= to ? 1.0 : (a - from) / (to - from);
}

uint64_t
cf_num_random(uint64_t *state)
{
	uint64_t	z = (*state += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

double
cf_num_uniform(uint64_t *state)
{
	return (double) (cf_num_random(state) >> 11) * 0x1p-53;
}

double
cf_num_normal(uint64_t *state)
{
	return cf_num_normal_quantile(((double) (cf_num_random(state) >> 12) + 0.5) * 0x1p-52);
}
