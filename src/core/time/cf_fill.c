/*
 * cf_fill.c
 *		What the buckets of a grid hold.
 */
#include <math.h>

#include "core/time/cf_fill.h"

/*
 * Counts without a 0: one in ten is a 1, the neighbour of 0, or a fifth of the steps have none
 * and those that have are so small that a step without any is nothing unusual.
 */
#define MIN_COUNTS 3
#define SHARE_OF_ONES 0.1
#define SHARE_OF_GAPS 0.2
#define SMALL_COUNT 20.0
#define SHARE_OF_FALLS 0.2		/* of the steps of what does not accumulate */

/* The value at time[i], NaN where there is none; *next: the index after the points of that time. */
static double
value_at(const int64_t *time, const double *value, int n, int i, CfPick pick, int *next, CfFilled *filled)
{
	double		at = (double) NAN;
	int			first = i;

	for (; i < n && time[i] == time[first]; i++)
	{
		if (isnan(value[i]))
			continue;
		if (isnan(at))
			at = value[i];
		else
		{
			filled->n_equal++;
			if (pick == CF_PICK_SUM)
				at += value[i];
			else if (pick != CF_PICK_LOWEST)
				at = value[i];
		}
	}
	*next = i;
	return at;
}

/* A bucket that holds "held" of count values takes one more. */
static double
take_in(double held, double value, int count, CfPick pick)
{
	switch (pick)
	{
		case CF_PICK_MEAN:
			return held + (value - held) / (count + 1);
		case CF_PICK_SUM:
			return held + value;
		case CF_PICK_HIGHEST:
			return held > value ? held : value;
		case CF_PICK_LOWEST:
			return held < value ? held : value;
		case CF_PICK_LAST:
			break;
	}
	return value;
}

CfStatus
cf_fill_grid(const CfGrid *grid, const int64_t *time, const double *value, int n,
			 CfPick pick, double *out, CfFilled *filled)
{
	int			count = 0;		/* of times with a value in the bucket at hand */
	int64_t		at = -1;
	int			next;

	filled->n_filled = filled->n_equal = filled->n_shared = 0;
	for (int k = 0; k < grid->n; k++)
		out[k] = (double) NAN;
	for (int i = 0; i < n; i = next)
	{
		double		v = value_at(time, value, n, i, pick, &next, filled);
		int64_t		k = cf_grid_bucket(grid, time[i]);

		if (isnan(v))
			continue;
		if (k < 0 || k >= grid->n)
			return CF_BAD_ARGUMENT;
		if (k != at)
		{
			count = 0;
			filled->n_filled++;
		}
		out[k] = count == 0 ? v : take_in(out[k], v, count, pick);
		if (isinf(out[k]))
			return CF_NOT_FINITE;
		filled->n_shared += count > 0;
		count++;
		at = k;
	}
	return CF_OK;
}

int
cf_fill_coarser(CfGrid *grid, double *y, int64_t step, CfPick pick)
{
	int64_t		last = (int64_t) (grid->n - 1) * grid->step;
	int			n = (int) (last / step) + 1;
	int			n_filled = 0;
	int			i = 0;

	/* bucket k ends with what lies n - 1 - k steps before the last value: what is written was read */
	for (int k = 0; k < n; k++)
	{
		double		held = (double) NAN;
		int			count = 0;

		for (; i < grid->n && (int64_t) i * grid->step <= last - (int64_t) (n - 1 - k) * step; i++)
		{
			if (isnan(y[i]))
				continue;
			held = count == 0 ? y[i] : take_in(held, y[i], count, pick);
			count++;
		}
		y[k] = held;
		n_filled += count > 0;
	}
	/* called by the first of the shorter steps in a bucket; where those do not fit, by just after the last before it */
	grid->start += last - (int64_t) n * step + (step % grid->step == 0 ? grid->step : 1);
	grid->step = step;
	grid->n = n;
	return n_filled;
}

bool
cf_fill_lacks_zeros(const double *y, int n, int n_filled, CfKind kind)
{
	double		sum = 0.0;
	double		before = 0.0;
	int			ones = 0;
	int			falls = 0;
	bool		has_ones;

	if (kind == CF_KIND_STOCK || kind == CF_KIND_GAUGE || n_filled == n || n_filled < MIN_COUNTS)
		return false;
	for (int k = 0; k < n; k++)
	{
		if (isnan(y[k]))
			continue;
		if (y[k] < 1.0 || y[k] != floor(y[k]))
			return false;
		ones += y[k] == 1.0;
		falls += y[k] < before;
		sum += y[k];
		before = y[k];
	}
	has_ones = ones >= MIN_COUNTS && ones >= SHARE_OF_ONES * n_filled;
	if (kind == CF_KIND_AUTO)
		return has_ones && falls >= SHARE_OF_FALLS * n_filled;
	return has_ones || (n - n_filled >= SHARE_OF_GAPS * n && sum < SMALL_COUNT * n_filled);
}
