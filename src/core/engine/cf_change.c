/*
 * cf_change.c
 *		Change points: where the level jumped or the slope turned.
 *
 * Level: medians of the values on either side of a step are compared, less what the usual slope
 * explains; slope: lines through the values on either side.  Both are measured in robust standard
 * deviations of the same statistic over all steps, so that a series that wanders anyway (a random
 * walk) is judged by how it wanders.  Peaks above the threshold are taken from the highest down, each
 * keeping its neighbourhood free.
 */
#include <math.h>

#include "core/engine/cf_change.h"
#include "core/engine/cf_options.h"
#include "core/engine/cf_prepare.h"
#include "core/numerics/cf_num.h"

#define THRESHOLD 5.0
#define END 4					/* steps at either end without a change */
#define MAX_SIDE 7
#define LARGEST_SCORE 1e6

size_t
cf_change_worksize(int n)
{
	return cf_prepare_worksize(n, CF_MAX_SEASON) + 5 * (size_t) n + 2;
}

static int
level_side(int n)
{
	int			side = n / 4 < MAX_SIDE ? n / 4 : MAX_SIDE;

	return side < END ? END : side;
}

static double
median_of(const double *x, int n)
{
	double		copy[MAX_SIDE];

	for (int i = 0; i < n; i++)
		copy[i] = x[i];
	return cf_num_median(copy, n);
}

/* Jump at each step, less the usual slope; 0 where a side is too short. */
static CfStatus
jumps(const double *x, int n, const CfStop *stop, double *scratch, double *jump)
{
	int			side = level_side(n);
	double		slope;

	for (int t = 1; t < n; t++)
		scratch[t - 1] = x[t] - x[t - 1];
	slope = cf_num_median(scratch, n - 1);
	for (int t = 0; t < n; t++)
	{
		int			before = t < side ? t : side;
		int			after = n - t < side ? n - t : side;

		jump[t] = 0.0;
		if (t % 16384 == 0 && cf_stop_requested(stop))
			return CF_STOPPED;
		if (before < END || after < END)
			continue;
		jump[t] = median_of(x + t, after) - median_of(x + t - before, before) - slope * (before + after) / 2.0;
	}
	return CF_OK;
}

/* Slope of the line through x[a .. b - 1], from prefix sums. */
static double
slope_between(const double *sum, const double *moment, int a, int b)
{
	double		count = b - a;
	double		middle = (a + b - 1) / 2.0;

	return (moment[b] - moment[a] - middle * (sum[b] - sum[a])) / (count * (count * count - 1.0) / 12.0);
}

static void
bends(const double *x, int n, int side, double *prefix, double *bend)
{
	double	   *moment = prefix + n + 1;

	prefix[0] = moment[0] = 0.0;
	for (int t = 0; t < n; t++)
	{
		prefix[t + 1] = prefix[t] + x[t];
		moment[t + 1] = moment[t] + t * x[t];
	}
	for (int t = 0; t < n; t++)
		bend[t] = t < side || n - t < side ? 0.0
			: slope_between(prefix, moment, t, t + side) - slope_between(prefix, moment, t - side, t);
}

/* Robust standard deviation of a statistic over the steps that have it, never 0. */
static double
usual_size(const double *a, int from, int to, double smallest, double *scratch)
{
	int			count = 0;
	double		size;

	for (int t = from; t < to; t++)
		scratch[count++] = a[t];
	size = count > 0 ? cf_num_mad(scratch, count, 0.0) : 0.0;
	return size > smallest ? size : smallest;
}

/* A median is the same for several steps about a jump: the steepest of them is the jump. */
static int
steepest_near(const double *x, const double *jump, int n, int t)
{
	int			best = t;

	for (int i = t - MAX_SIDE / 2; i <= t + MAX_SIDE / 2; i++)
		if (i >= END && i <= n - END && jump[i] * jump[t] > 0.0
			&& fabs(x[i] - x[i - 1]) > fabs(x[best] - x[best - 1]))
			best = i;
	return best;
}

typedef struct Found
{
	CfChange   *changes;
	int			n;
	int			max;
} Found;

static bool
is_free(const Found *found, int index, int distance)
{
	for (int i = 0; i < found->n; i++)
		if (found->changes[i].index < index + distance && index < found->changes[i].index + distance)
			return false;
	return true;
}

/* Takes peaks of |a| from the highest down. */
static void
take_peaks(const double *x, double *a, int n, double size, int distance, CfChangeKind kind,
		   const CfStop *stop, Found *found)
{
	while (found->n < found->max && !cf_stop_requested(stop))
	{
		int			peak = 0;
		CfChange   *change = &found->changes[found->n];

		for (int t = 1; t < n; t++)
			if (fabs(a[t]) > fabs(a[peak]))
				peak = t;
		if (!(fabs(a[peak]) >= THRESHOLD * size))
			return;
		change->kind = kind;
		change->index = kind == CF_CHANGE_LEVEL ? steepest_near(x, a, n, peak) : peak;
		change->size = a[peak];
		change->score = fabs(a[peak]) / size < LARGEST_SCORE ? fabs(a[peak]) / size : LARGEST_SCORE;
		if (is_free(found, change->index, distance))
			found->n++;
		for (int t = peak - distance + 1; t < peak + distance; t++)
			if (t >= 0 && t < n)
				a[t] = 0.0;
	}
}

static void
order_by_index(CfChange *changes, int n)
{
	for (int i = 1; i < n; i++)
	{
		CfChange	c = changes[i];
		int			j = i;

		for (; j > 0 && changes[j - 1].index > c.index; j--)
			changes[j] = changes[j - 1];
		changes[j] = c;
	}
}

CfStatus
cf_change_detect(const double *y, int n, int period, int max, const CfStop *stop, double *work,
				 CfChange *changes, int *n_changes)
{
	CfOptions	options;
	CfPrepared	p;
	CfStatus	status;
	Found		found = {changes, 0, max};
	double	   *statistic;
	double	   *scratch;
	int			side;

	*n_changes = 0;
	if (n < 0 || n > CF_MAX_POINTS || period < 1 || period > CF_MAX_SEASON || max < 0)
		return CF_BAD_ARGUMENT;
	cf_options_init(&options);
	options.season_length = period;
	options.is_additive = true;
	status = cf_prepare(y, n, &options, 0, stop, work, &p);
	if (status != CF_OK)
		return status;
	if (p.n < 2 * END || p.is_constant)
		return CF_OK;
	statistic = work + cf_prepare_worksize(n, CF_MAX_SEASON);
	scratch = statistic + n;

	/* x is of a magnitude about 1: what is below these is rounding */
	status = jumps(p.x, p.n, stop, scratch, statistic);
	if (status != CF_OK)
		return status;
	take_peaks(p.x, statistic, p.n, usual_size(statistic, END, p.n - END + 1, 1e-9, scratch),
			   2 * level_side(p.n), CF_CHANGE_LEVEL, stop, &found);
	if (cf_stop_requested(stop))
		return CF_STOPPED;
	side = p.n / 6 > 2 * MAX_SIDE ? p.n / 6 : 2 * MAX_SIDE;
	if (p.n >= 3 * side)
	{
		bends(p.x, p.n, side, scratch, statistic);
		take_peaks(p.x, statistic, p.n, usual_size(statistic, side, p.n - side + 1, 1e-9 / side, scratch + 2 * p.n + 2),
				   side, CF_CHANGE_SLOPE, stop, &found);
	}
	for (int i = 0; i < found.n; i++)
	{
		changes[i].size *= p.scale;
		changes[i].index += p.lead;
	}
	order_by_index(changes, found.n);
	*n_changes = found.n;
	return CF_OK;
}
