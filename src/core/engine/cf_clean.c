/*
 * cf_clean.c
 *		Draws single outliers in (a Hampel filter that keeps the direction).
 */
#include <math.h>

#include "core/engine/cf_clean.h"
#include "core/numerics/cf_num.h"
#include "core/numerics/cf_running.h"

#define SIDE 7
#define LIMIT 4.0

size_t
cf_clean_worksize(int n)
{
	return 2 * (size_t) n;
}

/* Median of the slopes between pairs of x[count], then of what is left: values at 0, 1, … */
static void
robust_line(const double *x, int count, double *at_zero, double *slope)
{
	double		slopes[(2 * SIDE + 1) * SIDE];
	int			n = 0;

	for (int i = 0; i < count; i++)
		for (int j = i + 1; j < count; j++)
			slopes[n++] = (x[j] - x[i]) / (j - i);
	*slope = cf_num_median(slopes, n);
	for (int i = 0; i < count; i++)
		slopes[i] = x[i] - *slope * i;
	*at_zero = cf_num_median(slopes, count);
}

void
cf_clean_outliers(const double *x, int n, double *work, double *clean)
{
	double	   *centre = work;
	double	   *scratch = work + n;
	int			side = n > 2 * SIDE ? SIDE : (n - 1) / 2;
	int			width = 2 * side + 1;
	double		at_zero;
	double		slope;
	double		limit;

	cf_running_median(x, n, side, centre);
	robust_line(x, width, &at_zero, &slope);
	for (int t = 0; t < side; t++)
		centre[t] = at_zero + slope * t;
	robust_line(x + n - width, width, &at_zero, &slope);
	for (int i = side + 1; i < width; i++)
		centre[n - width + i] = at_zero + slope * i;
	for (int t = 0; t < n; t++)
		scratch[t] = x[t] - centre[t];
	limit = LIMIT * cf_num_mad(scratch, n, 0.0);
	for (int t = 0; t < n; t++)
	{
		clean[t] = x[t];
		if (!(limit > 0.0))
			continue;
		if (x[t] > centre[t] + limit)
			clean[t] = centre[t] + limit;
		else if (x[t] < centre[t] - limit)
			clean[t] = centre[t] - limit;
	}
}
