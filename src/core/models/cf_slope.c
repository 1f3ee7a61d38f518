/*
 * cf_slope.c
 *		Plain facts about growth.
 *
 * Robust line: Theil 1950, Sen 1968.  All pairs are O(n^2); beyond 100 values a fixed set of
 * pairs, far and near, stands for them.  Growth rates are plain compounding.
 */
#include <math.h>

#include "core/models/cf_slope.h"
#include "core/numerics/cf_num.h"

#define ALL_PAIRS 100

size_t
cf_slope_worksize(int n)
{
	size_t		m = n < ALL_PAIRS ? (size_t) n : ALL_PAIRS;
	size_t		pairs = m * m / 2 + m;

	return pairs > (size_t) n ? pairs : (size_t) n;
}

/* Index of the i-th of m values spread evenly over n. */
static int
spread(int i, int m, int n)
{
	return m == n ? i : (int) ((int64_t) i * (n - 1) / (m - 1));
}

CfStatus
cf_slope_robust(const double *y, int n, double *work, double *slope, double *intercept)
{
	int			m = n < ALL_PAIRS ? n : ALL_PAIRS;
	int			count = 0;

	for (int i = 0; i < m; i++)
	{
		int			a = spread(i, m, n);

		if (isnan(y[a]))
			continue;
		for (int j = i + 1; j < m; j++)
		{
			int			b = spread(j, m, n);

			if (!isnan(y[b]))
				work[count++] = (y[b] - y[a]) / (b - a);
		}
	}
	if (count == 0)
		return CF_TOO_FEW;
	*slope = cf_num_median(work, count);
	count = 0;
	for (int t = 0; t < n; t++)
		if (!isnan(y[t]))
			work[count++] = y[t] - *slope * t;
	*intercept = cf_num_median(work, count);
	return CF_OK;
}

double
cf_slope_cagr(double start, double end, double days)
{
	if (!(start > 0.0) || !(end > 0.0) || !(days > 0.0) || !isfinite(start) || !isfinite(end))
		return (double) NAN;
	return cf_num_exp((cf_num_log(end) - cf_num_log(start)) * 365.25 / days) - 1.0;
}

double
cf_slope_doubling_days(double start, double end, double days)
{
	if (!(start > 0.0) || !(end > start) || !(days > 0.0) || !isfinite(end))
		return (double) NAN;
	return days * 0.69314718055994530942 / (cf_num_log(end) - cf_num_log(start));
}

CfStatus
cf_slope_acceleration(const double *y, int n, double *work, double *acceleration)
{
	double		first;
	double		second;
	double		unused;
	int			half = n / 2;
	int			known = 0;

	for (int t = 0; t < n; t++)
		known += !isnan(y[t]);
	if (known < 8
		|| cf_slope_robust(y, half, work, &first, &unused) != CF_OK
		|| cf_slope_robust(y + half, n - half, work, &second, &unused) != CF_OK)
		return CF_TOO_FEW;
	*acceleration = (second - first) / (n / 2.0);
	return CF_OK;
}
