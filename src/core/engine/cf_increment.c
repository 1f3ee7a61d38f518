/*
 * cf_increment.c
 *		The increments of a stock.
 *
 * A one-off is far outside of what the steps about it do, and rare: where there are many, that is how
 * the stock grows.  They are level shifts (Chen & Liu 1993): kept in the level, left out of every pace.
 */
#include <math.h>

#include "core/engine/cf_increment.h"
#include "core/numerics/cf_num.h"
#include "core/numerics/cf_running.h"

#define SIDE 10					/* steps on either side that say what is usual */
#define ONE_OFF 9.0				/* usual sizes; below about 9 real stocks lose growth that comes in bursts */
#define MOST_ONE_OFFS 0.08		/* share of the steps */
#define MANY_STEPS 42			/* fewer say too little about a rate, unless hardly anything moved */
#define RARE_ONE_OFF 10.0		/* mean sizes of the others */
#define RARE 0.4				/* share of the steps that move, below which moves are counted one by one */
#define WHOLE_NOISE 0.3			/* of the unit: rounding alone */

size_t
cf_increment_worksize(int n)
{
	return 6 * (size_t) n;
}

static double
mean_size(const double *a, int n)
{
	double		sum = 0.0;

	for (int i = 0; i < n; i++)
		sum += fabs(a[i]);
	return n > 0 ? sum / n : 0.0;
}

/* How many one-offs in a row, three or more of one direction, the history of n steps ends with: they are a new pace. */
static int
count_run_at_end(const CfIncrements *inc, int n)
{
	int			count = 0;

	while (count < inc->n_one_offs && inc->one_off_at[inc->n_one_offs - 1 - count] == n - count
		   && inc->one_off[inc->n_one_offs - 1 - count] * inc->one_off[inc->n_one_offs - 1] > 0.0)
		count++;
	return count >= 3 ? count : 0;
}

/* Are there two more of its size a week or two away?  Then it is a rhythm. */
static bool
comes_weekly(const double *d, int n, int t)
{
	int			alike = 0;

	for (int k = -2; k <= 2; k++)
	{
		int			other = t + 7 * k;

		if (k != 0 && other >= 0 && other < n)
			alike += fabs(d[other] - d[t]) < 0.4 * fabs(d[t]);
	}
	return alike >= 2;
}

/* Takes one-offs out of d[n], and lists them. */
static void
take_out_one_offs(double *d, int n, double unit, double *work, CfIncrements *inc)
{
	double	   *centre = work;
	double	   *away = work + n;
	double	   *usual = work + 2 * n;
	int			most = (int) (MOST_ONE_OFFS * n) < CF_MAX_ONE_OFFS ? (int) (MOST_ONE_OFFS * n) : CF_MAX_ONE_OFFS;
	double		typical;
	double		overall;

	inc->n_one_offs = 0;
	cf_running_median(d, n, SIDE, centre);
	for (int t = 0; t < n; t++)
		away[t] = fabs(d[t] - centre[t]);
	for (int t = 0; t < n; t++)
		usual[t] = fabs(d[t]);
	typical = cf_num_median(usual, n);
	for (int t = 0; t < n; t++)
		usual[t] = away[t];
	overall = 1.4826 * cf_num_median(usual, n);
	cf_running_median(away, n, SIDE, usual);
	for (int t = 0; t < n; t++)
	{
		double		size = 1.4826 * usual[t] > 0.3 * overall ? 1.4826 * usual[t] : 0.3 * overall;
		int			from = t < SIDE ? 0 : t - SIDE;
		int			to = t + SIDE < n ? t + SIDE : n - 1;
		double		near;

		if (!(away[t] > ONE_OFF * size) || !(away[t] > 3.0 * typical) || !(away[t] > 5.0 * unit))
			continue;
		near = (mean_size(away + from, to - from + 1) * (to - from + 1) - away[t]) / (to > from ? to - from : 1);
		if (!(away[t] > 4.0 * near) || comes_weekly(d, n, t))
			continue;
		if (inc->n_one_offs == most)
		{
			inc->n_one_offs = 0;
			return;
		}
		inc->one_off_at[inc->n_one_offs] = t + 1;
		inc->one_off[inc->n_one_offs++] = d[t] - centre[t];
	}
	inc->n_one_offs -= count_run_at_end(inc, n);
	for (int i = 0; i < inc->n_one_offs; i++)
		d[inc->one_off_at[i] - 1] = centre[inc->one_off_at[i] - 1];
}

double
cf_increment_growth(const double *y, int n, double *work)
{
	CfIncrements inc;
	double		sum = 0.0;

	for (int t = 1; t < n; t++)
		work[t - 1] = y[t] - y[t - 1];
	take_out_one_offs(work, n - 1, cf_num_unit(y, n), work + n, &inc);
	for (int t = 0; t < n - 1; t++)
		sum += work[t];
	return sum;
}

/* Outliers of pace drawn in; noise_size; the noise as it was, over its size near by. */
static void
settle_noise(CfIncrements *inc, double *work)
{
	int			n = inc->n - 1;
	double	   *z = inc->pace + 1;
	double	   *noise = inc->noise + 1;
	double	   *near = work;
	double	   *about = work + n;
	double		floor_size;
	double		size;

	cf_running_mean(z, n, CF_RUNNING_SIDE, near);
	for (int t = 0; t < n; t++)
		about[t] = (z[t] - near[t]) * (z[t] - near[t]);
	cf_running_mean(about, n, CF_RUNNING_SIDE, noise);
	for (int t = 0; t < n; t++)
	{
		double		spread = sqrt(noise[t]);

		noise[t] = spread > 0.0 ? (z[t] - near[t]) / spread : 0.0;
	}
	cf_running_median(z, n, SIDE, near);
	for (int t = 0; t < n; t++)
		about[t] = fabs(z[t] - near[t]);
	size = mean_size(about, n);
	/* what moves without any noise is not rounded, either */
	floor_size = size > 0.0 ? WHOLE_NOISE * inc->unit : 0.0;
	cf_running_mean(about, n, SIDE, work + 2 * n);
	for (int t = 0; t < n; t++)
	{
		double		most = 4.0 * 1.25 * work[2 * n + t] + floor_size;

		z[t] = z[t] > near[t] + most ? near[t] + most : z[t] < near[t] - most ? near[t] - most : z[t];
	}
	inc->noise_size = 1.4826 * cf_num_median(about, n);
	if (inc->noise_size < 0.4 * size)
		inc->noise_size = 0.4 * size;
	if (inc->noise_size < floor_size)
		inc->noise_size = floor_size;
	inc->pace_size = 2.0 * mean_size(z, n);
	if (inc->pace_size < inc->noise_size)
		inc->pace_size = inc->noise_size;
}

/* Do the increments come so rarely that a count is all there is? */
static bool
are_rare(const double *d, int n)
{
	int			moves = 0;

	for (int t = 0; t < n; t++)
	{
		if (d[t] < 0.0)
			return false;
		moves += d[t] > 0.0;
	}
	return moves > 0 && moves < RARE * n && (n >= MANY_STEPS || moves <= 2);
}

/* The same for them: a single move that is out of all proportion is a one-off; sizes and spread of the others. */
static void
count_moves(CfIncrements *inc)
{
	double		squares = 0.0;
	double		largest = 0.0;
	double		rest;
	int			at = 0;

	inc->n_moves = 0;
	for (int t = 1; t < inc->n; t++)
	{
		inc->n_moves += inc->value[t] > 0.0;
		inc->total += inc->value[t];
		if (inc->value[t] > largest)
		{
			largest = inc->value[t];
			at = t;
		}
	}
	rest = inc->n_moves > 1 ? (inc->total - largest) / (inc->n_moves - 1) : 0.0;
	if (inc->n_moves > 2 && largest > 5.0 * inc->unit && largest > RARE_ONE_OFF * rest)
	{
		inc->one_off_at[0] = at;
		inc->one_off[inc->n_one_offs++] = largest;
		inc->value[at] = 0.0;
		inc->total -= largest;
	}
	inc->n_moves = 0;
	for (int t = 1; t < inc->n; t++)
	{
		inc->pace[t] = inc->value[t];
		squares += inc->value[t] * inc->value[t];
		if (inc->value[t] > 0.0)
			inc->noise[inc->n_moves++] = inc->value[t];
	}
	inc->dispersion = squares / inc->total > 1.0 ? squares / inc->total : 1.0;
	inc->noise_size = inc->pace_size = inc->total / (inc->n - 1);
}

void
cf_increment_analyse(const double *y, int n, double *work, CfIncrements *inc)
{
	double	   *scratch = work + 3 * n;

	inc->n = n;
	inc->value = work;
	inc->pace = work + n;
	inc->noise = work + 2 * n;
	inc->unit = cf_num_unit(y, n);
	inc->value[0] = inc->pace[0] = inc->noise[0] = 0.0;
	for (int t = 1; t < n; t++)
		inc->value[t] = y[t] - y[t - 1];
	inc->total = 0.0;
	inc->n_one_offs = 0;
	inc->is_rare = are_rare(inc->value + 1, n - 1);
	if (inc->is_rare)
	{
		count_moves(inc);
		return;
	}
	take_out_one_offs(inc->value + 1, n - 1, inc->unit, scratch, inc);
	for (int t = 1; t < n; t++)
		inc->total += inc->value[t];
	for (int t = 1; t < n; t++)
		inc->pace[t] = inc->value[t];
	settle_noise(inc, scratch);
}
