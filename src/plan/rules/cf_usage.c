/*
 * cf_usage.c
 *		From changes of a value to its value on every day; counters that start again.
 */
#include <math.h>

#include "plan/rules/cf_usage.h"

void
cf_usage_carry(const int64_t *time, const double *value, int n,
			   int64_t start, int64_t step, int n_out, double *out)
{
	int			at = 0;
	double		last = (double) NAN;

	for (int k = 0; k < n_out; k++)
	{
		for (; at < n && time[at] <= start + k * step; at++)
			last = value[at];
		out[k] = last;
	}
}

void
cf_usage_unroll(double *y, int n)
{
	double		raw_last = n > 0 ? y[n - 1] : 0.0;
	double		total = 0.0;

	/* from the last value back, less what was counted since */
	for (int i = n - 1; i >= 0 && !isnan(y[i]); i--)
	{
		double		gain = 0.0;

		if (i > 0 && !isnan(y[i - 1]))
			gain = y[i] >= y[i - 1] ? y[i] - y[i - 1] : y[i];
		y[i] = raw_last - total;
		total += gain;
	}
}

double
cf_usage_largest_gain(const double *y, int n)
{
	double		largest = 0.0;

	for (int i = 1; i < n; i++)
		if (y[i] - y[i - 1] > largest)
			largest = y[i] - y[i - 1];
	return largest;
}

double
cf_usage_pace(const double *y, int n, int steps)
{
	int			k = n - 1 < steps ? n - 1 : steps;

	while (k > 0 && isnan(y[n - 1 - k]))
		k--;
	return k < 1 ? 0.0 : (y[n - 1] - y[n - 1 - k]) / k;
}
