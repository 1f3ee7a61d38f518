/*
 * cf_running.c
 *		Medians and means of the values about each step.
 *
 * Median: the window is kept sorted, and a step forward takes one value out and puts one in.
 */
#include <string.h>

#include "core/numerics/cf_running.h"

static int
place(const double *sorted, int n, double v)
{
	int			i = 0;

	while (i < n && sorted[i] < v)
		i++;
	return i;
}

static void
insert(double *sorted, int n, double v)
{
	int			i = place(sorted, n, v);

	memmove(sorted + i + 1, sorted + i, (size_t) (n - i) * sizeof(double));
	sorted[i] = v;
}

static void
take_out(double *sorted, int n, double v)
{
	int			i = place(sorted, n, v);

	memmove(sorted + i, sorted + i + 1, (size_t) (n - 1 - i) * sizeof(double));
}

static int
width_of(int n, int side)
{
	return n < 2 * side + 1 ? n : 2 * side + 1;
}

static double
middle(const double *sorted, int n)
{
	return n % 2 == 1 ? sorted[n / 2] : sorted[n / 2 - 1] + (sorted[n / 2] - sorted[n / 2 - 1]) / 2.0;
}

void
cf_running_median(const double *x, int n, int side, double *centre)
{
	double		sorted[2 * CF_RUNNING_SIDE + 2];
	int			width = width_of(n, side);
	int			t = 0;

	if (n < 1)
		return;
	for (int i = 0; i < width; i++)
		insert(sorted, i, x[i]);
	for (; t <= width / 2 && t < n; t++)
		centre[t] = middle(sorted, width);
	for (int last = width; last < n; last++, t++)
	{
		take_out(sorted, width, x[last - width]);
		insert(sorted, width - 1, x[last]);
		centre[t] = middle(sorted, width);
	}
	for (; t < n; t++)
		centre[t] = middle(sorted, width);
}

/* First step of the window about t. */
static int
window_start(int t, int n, int width)
{
	int			start = t - width / 2;

	return start < 0 ? 0 : start > n - width ? n - width : start;
}

void
cf_running_mean(const double *x, int n, int side, double *centre)
{
	int			width = width_of(n, side);

	for (int t = 0; t < n; t++)
	{
		int			from = window_start(t, n, width);
		double		sum = 0.0;

		if (t > 0 && from == window_start(t - 1, n, width))
		{
			centre[t] = centre[t - 1];
			continue;
		}
		for (int i = 0; i < width; i++)
			sum += x[from + i];
		centre[t] = sum / width;
	}
}

void
cf_running_line(const double *x, int n, int side, double *centre)
{
	int			width = width_of(n, side);
	double		squares = (double) width * ((double) width * width - 1.0) / 12.0;

	cf_running_mean(x, n, side, centre);
	for (int t = 0; t < n && width > 2; t++)
	{
		int			from = window_start(t, n, width);
		double		middle_at = from + (width - 1) / 2.0;
		double		moment = 0.0;

		if (t == middle_at)
			continue;
		for (int i = 0; i < width; i++)
			moment += (from + i - middle_at) * x[from + i];
		centre[t] += moment / squares * (t - middle_at);
	}
}
