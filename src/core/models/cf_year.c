/*
 * cf_year.c
 *		The year in daily values: their scale, and what each day of the year is worth.
 */
#include <math.h>

#include "core/models/cf_year.h"
#include "core/models/cf_year_parts.h"
#include "core/numerics/cf_num.h"

#define WAVES_OF_ONE_YEAR 12
#define NEAR_ZERO 0.02			/* of the median */
#define COVERED 0.75
#define LEAST_FACTOR 0.1

size_t
cf_year_worksize(int n)
{
	return 6 * (size_t) n + 3 * CF_WAVES_DAYS;
}

/* Values on the scale of the fit; false where there are too few. */
static bool
set_values(const double *y, CfYearParts *f, CfYearScale *scale)
{
	double		least = (double) INFINITY;
	double		sum = 0.0;
	double		slope = 0.0;
	double		median;
	double		mean;
	double		middle = (f->n - 1) / 2.0;
	int			m = 0;

	for (int t = 0; t < f->n; t++)
	{
		if (isnan(y[t]))
			continue;
		f->scratch[m++] = y[t];
		sum += y[t];
		least = y[t] < least ? y[t] : least;
	}
	if (m < COVERED * f->n)
		return false;
	median = cf_num_median(f->scratch, m);
	mean = sum / m;
	for (int t = 0; t < f->n; t++)
		slope += isnan(y[t]) ? 0.0 : (t - middle) * (y[t] - mean);
	slope /= (double) f->n * ((double) f->n * f->n - 1.0) / 12.0;
	*scale = CF_YEAR_PLAIN;
	if (least >= 0.0 && mean > 0.0)
		*scale = f->years >= 2 && least > NEAR_ZERO * median ? CF_YEAR_LOG : CF_YEAR_RATIO;
	for (int t = 0; t < f->n; t++)
	{
		double		base = f->years < 2 ? mean : mean + slope * (t - middle);

		base = base > 0.2 * mean ? base : 0.2 * mean;
		f->v[t] = isnan(y[t]) ? (double) NAN : *scale == CF_YEAR_LOG ? cf_num_log(y[t])
			: *scale == CF_YEAR_RATIO ? y[t] / base : y[t];
	}
	return true;
}

static double
factor_of(CfYearScale scale, double e)
{
	double		factor = scale == CF_YEAR_LOG ? cf_num_exp(e) : 1.0 + e;

	if (scale == CF_YEAR_PLAIN)
		return e;
	return factor < LEAST_FACTOR ? LEAST_FACTOR : factor > 1.0 / LEAST_FACTOR ? 1.0 / LEAST_FACTOR : factor;
}

/* The effect of each day, and what it is worth. */
static void
put_effect(CfYearParts *f, int64_t first_day, int total, double *effect, CfYear *year)
{
	double		explained = 0.0;
	double		taken = 0.0;
	double	   *curve = f->mean;
	CfYearDay	day = cf_year_day_start(first_day);

	for (int d = 0; d < CF_WAVES_DAYS; d++)
	{
		explained += curve[d] * curve[d] * year->gate * year->gate / CF_WAVES_DAYS;
		f->count[d] = factor_of(year->scale, year->gate * curve[d]);
	}
	for (int t = 0; t < total; t++)
		effect[t] = f->count[cf_year_day_next(&day)];
	for (int k = 0; k < f->waves; k++)
		taken += 2.0 * f->shrink[k] * f->noise[k];
	taken *= f->years < 2 ? year->gate * year->gate : year->gate;
	year->fitted = f->variance > 0.0 ? taken / (f->n * f->variance) : 0.0;
	year->fitted = year->fitted > 0.5 ? 0.5 : year->fitted;
	year->strength = explained > 0.0 ? explained / (explained + f->variance) : 0.0;
}

bool
cf_year_fit(const double *y, int n, int64_t first_day, int total, double *work, double *effect, CfYear *year)
{
	CfYearParts			f = {.n = n};
	int			skip = n > CF_YEAR_MOST ? n - CF_YEAR_MOST : 0;

	year->gate = 0.0;
	if (n < CF_YEAR_MIN)
		return false;
	f.n = n - skip;
	f.years = f.n / CF_WAVES_DAYS;
	f.waves = f.years < 2 ? WAVES_OF_ONE_YEAR : CF_WAVES_MOST;
	f.v = work;
	f.rest = f.v + f.n;
	f.clipped = f.rest + f.n;
	f.weight = f.clipped + f.n;
	f.scratch = f.weight + f.n;
	f.day = (int *) (f.scratch + f.n);
	f.curve = f.scratch + 2 * f.n;
	f.mean = f.curve + CF_WAVES_DAYS;
	f.count = f.mean + CF_WAVES_DAYS;
	if (!set_values(y + skip, &f, &year->scale))
		return false;
	cf_year_parts_fit(&f, first_day + skip);
	if (!(f.spread > 0.0) && !(fabs(f.sum.cosine[0]) + fabs(f.sum.sine[0]) > 0.0))
		return false;
	cf_year_shrink(&f);
	cf_waves_put(&f.sum, f.shrink, f.waves, f.mean);
	year->years = f.years;
	year->gate = cf_year_gate(&f, f.mean);
	if (!(year->gate > 0.0))
		return false;
	put_effect(&f, first_day, total, effect, year);
	return true;
}
