/*
 * cf_pace.c
 *		How fast a vendor uses what its plan allows, and the chance that it uses it up.
 */
#include <math.h>
#include <string.h>

#include "core/numerics/cf_num.h"
#include "core/numerics/cf_tail.h"
#include "plan/rules/cf_pace.h"

#define DAY_MICROSECONDS	INT64_C(86400000000)

/* A day counts half as much as one that is so many days younger. */
#define HALF_LIFE_DAYS		90.0

/* Counts that stand for "every day of the week is like the others". */
#define EVEN_WEEK_COUNT		50.0

/* Expected counts that stand for "a vendor's days are scattered like those of all". */
#define SCATTER_COUNT		10.0

/* Rates are never taken to be closer to each other than this, as a share of their mean squared. */
#define LEAST_SPREAD		1e-4

void
cf_pace_fill(CfPace *pace, const double *added, int n, int first_weekday)
{
	double		fade = cf_num_pow(0.5, 1.0 / HALF_LIFE_DAYS);
	double		counts = 1.0;

	memset(pace, 0, sizeof(*pace));
	for (int i = n - 1; i >= 0; i--, counts *= fade)
	{
		int			d = (first_weekday + i) % CF_WEEK;

		if (isnan(added[i]))
			continue;
		pace->count[d] += counts * added[i];
		pace->square[d] += counts * added[i] * added[i];
		pace->days[d] += counts;
	}
}

void
cf_pace_weights(const double count[CF_WEEK], const double days[CF_WEEK], double weight[CF_WEEK])
{
	double		total = 0.0;
	double		n = 0.0;
	double		sum = 0.0;

	for (int d = 0; d < CF_WEEK; d++)
	{
		total += fmax(count[d], 0.0);
		n += days[d];
	}
	for (int d = 0; d < CF_WEEK; d++)
	{
		double		even = n > 0.0 ? total / n * days[d] : 0.0;

		weight[d] = (fmax(count[d], 0.0) + EVEN_WEEK_COUNT) / (even + EVEN_WEEK_COUNT);
		sum += weight[d];
	}
	for (int d = 0; d < CF_WEEK; d++)
		weight[d] *= CF_WEEK / sum;
}

/* What was added in all, in how many days of average weight. */
static void
total(const CfPace *pace, const double weight[CF_WEEK], double *count, double *days)
{
	*count = 0.0;
	*days = 0.0;
	for (int d = 0; d < CF_WEEK; d++)
	{
		*count += pace->count[d];
		*days += pace->days[d] * weight[d];
	}
	*count = fmax(*count, 0.0);
}

static double
residual(const CfPace *pace, const double weight[CF_WEEK], double rate)
{
	double		sum = 0.0;

	for (int d = 0; d < CF_WEEK; d++)
	{
		double		mean = rate * weight[d];

		sum += pace->square[d] - 2.0 * mean * pace->count[d] + mean * mean * pace->days[d];
	}
	return fmax(sum, 0.0);
}

void
cf_pace_sums(const CfPace *pace, const double weight[CF_WEEK], double sums[CF_PACE_SUMS])
{
	double		count;
	double		days;

	memset(sums, 0, sizeof(double) * CF_PACE_SUMS);
	total(pace, weight, &count, &days);
	if (days <= 0.0)
		return;
	sums[CF_PACE_COUNT] = count;
	sums[CF_PACE_WEIGHT] = days;
	sums[CF_PACE_RESIDUAL] = residual(pace, weight, count / days);
	sums[CF_PACE_WEIGHT_SQUARE] = days * days;
	sums[CF_PACE_RATE_SQUARE] = count * count / days;
	sums[CF_PACE_VENDORS] = 1.0;
}

/* By moments: what the rates differ by beyond what chance makes of equal ones. */
void
cf_pace_prior(const double sums[CF_PACE_SUMS], CfPacePrior *prior)
{
	double		days = sums[CF_PACE_WEIGHT];
	double		mean = days > 0.0 ? sums[CF_PACE_COUNT] / days : 0.0;
	double		free_days;
	double		spread;

	*prior = (CfPacePrior) {.dispersion = 1.0};
	if (mean <= 0.0)
		return;
	prior->dispersion = fmax((sums[CF_PACE_RESIDUAL] + SCATTER_COUNT) / (sums[CF_PACE_COUNT] + SCATTER_COUNT), 1.0);
	free_days = days - sums[CF_PACE_WEIGHT_SQUARE] / days;
	spread = sums[CF_PACE_RATE_SQUARE] - mean * sums[CF_PACE_COUNT] - (sums[CF_PACE_VENDORS] - 1.0) * prior->dispersion * mean;
	spread = free_days > 0.0 ? fmax(spread / free_days, LEAST_SPREAD * mean * mean) : mean * mean;
	prior->shape = mean * mean / spread;
	prior->scale = mean / spread;
}

double
cf_pace_ahead(int64_t from, int64_t until, const double weight[CF_WEEK])
{
	double		sum = 0.0;

	/* weeks first: periods may be years */
	if (until - from > CF_WEEK * DAY_MICROSECONDS)
	{
		int64_t		weeks = (until - from) / (CF_WEEK * DAY_MICROSECONDS);

		sum = (double) (weeks * CF_WEEK);
		from += weeks * CF_WEEK * DAY_MICROSECONDS;
	}
	while (from < until)
	{
		int64_t		day = from >= 0 ? from / DAY_MICROSECONDS : -((-from + DAY_MICROSECONDS - 1) / DAY_MICROSECONDS);
		int64_t		next = (day + 1) * DAY_MICROSECONDS;

		if (next > until)
			next = until;
		sum += weight[((day % CF_WEEK) + CF_WEEK) % CF_WEEK] * (double) (next - from) / DAY_MICROSECONDS;
		from = next;
	}
	return sum;
}

/* A vendor's own scatter, as far as it has shown any. */
static double
own_dispersion(const CfPace *pace, const double weight[CF_WEEK], const CfPacePrior *prior, double count, double days)
{
	double		seen = days > 0.0 ? residual(pace, weight, count / days) : 0.0;

	return fmax((seen + SCATTER_COUNT * prior->dispersion) / (count + SCATTER_COUNT), 1.0);
}

double
cf_pace_chance(const CfPace *pace, const double weight[CF_WEEK], const CfPacePrior *prior,
			   double at_least, double ahead, double *expected)
{
	double		count;
	double		days;
	double		dispersion;
	double		shape;
	double		scale;
	double		excess;

	*expected = 0.0;
	total(pace, weight, &count, &days);
	if (prior->shape <= 0.0)
		return at_least <= 0.0 ? 1.0 : days > 0.0 ? 0.0 : (double) NAN;
	dispersion = own_dispersion(pace, weight, prior, count, days);
	/* scattered days tell less of the rate */
	shape = prior->shape + count / dispersion;
	scale = prior->scale + days / dispersion;
	*expected = ahead * shape / scale;
	/* variance beyond a Poisson count's: of the days, and of the rate */
	excess = (dispersion - 1.0) * *expected + *expected * *expected / shape;
	return cf_tail_negative_binomial(ceil(at_least), *expected, *expected * *expected / excess);
}
