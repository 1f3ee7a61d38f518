/* Chances of counts (core/numerics/cf_tail.h) and of vendors (plan/rules/cf_pace.h). */
#include "core/numerics/cf_tail.h"
#include "plan/rules/cf_pace.h"

#include "tap.h"

#define DAY	INT64_C(86400000000)

static int
near(double got, double want, double tolerance)
{
	return fabs(got - want) <= tolerance * fmax(fabs(want), 1e-300);
}

/* Values of mpmath 1.3 (gammainc and betainc, regularized, 30 digits). */
static void
tails(void)
{
	static const double poisson[][3] = {
		{1, 0.5, 0.39346934028736658}, {3, 2, 0.32332358381693654}, {10, 10, 0.54207028552814779},
		{100, 80, 0.017108313035133114}, {100, 130, 0.99724959163269347}, {1000, 1000, 0.50420524418021551},
		{50000, 49800, 0.18562581119914363}, {5, 0.01, 8.2641856418064986e-13}
	};
	static const double negative[][4] = {
		{1, 0.5, 0.3, 0.254908892328777}, {3, 2, 1, 0.2962962962962963}, {10, 10, 5, 0.47550046843289179},
		{100, 80, 40, 0.10834629409403791}, {100, 130, 2.5, 0.57295568805314432}, {1000, 1000, 300, 0.49528580449066883},
		{1, 1e-6, 0.2, 9.9999700001099991e-7}, {40, 12, 1e6, 1.5593090868378564e-10}, {7, 3, 0.001, 0.0055440175464315431}
	};

	for (int i = 0; i < (int) (sizeof(poisson) / sizeof(poisson[0])); i++)
		ok(near(cf_tail_poisson(poisson[i][0], poisson[i][1]), poisson[i][2], 1e-7), "at least %g of a mean of %g: %.17g", poisson[i][0],
		   poisson[i][1], cf_tail_poisson(poisson[i][0], poisson[i][1]));
	for (int i = 0; i < (int) (sizeof(negative) / sizeof(negative[0])); i++)
		ok(near(cf_tail_negative_binomial(negative[i][0], negative[i][1], negative[i][2]), negative[i][3], 1e-6),
		   "at least %g of a mean of %g, shape %g: %.17g", negative[i][0], negative[i][1], negative[i][2],
		   cf_tail_negative_binomial(negative[i][0], negative[i][1], negative[i][2]));
	ok(cf_tail_poisson(0, 3) == 1.0 && cf_tail_poisson(-2, 0) == 1.0 && cf_tail_poisson(1, 0) == 0.0, "none is always reached, one of nothing never");
	ok(cf_tail_negative_binomial(0, 3, 1) == 1.0 && cf_tail_negative_binomial(2, 0, 1) == 0.0, "so with differing means");
	ok(near(cf_tail_negative_binomial(12, 9, 1e9), cf_tail_poisson(12, 9), 1e-12), "one that is fixed is a Poisson count's");
	ok(cf_tail_poisson(1e9, 1.0) == 0.0 && cf_tail_poisson(2.0, 1e9) == 1.0, "far away from the mean");
}

static void
weeks(void)
{
	double		count[CF_WEEK] = {0, 140, 140, 140, 140, 140, 0};
	double		days[CF_WEEK] = {10, 10, 10, 10, 10, 10, 10};
	double		none[CF_WEEK] = {0};
	double		weight[CF_WEEK];
	double		sum = 0.0;

	cf_pace_weights(none, none, weight);
	ok(weight[0] == 1.0 && weight[6] == 1.0, "nothing known: each day is like the others");
	cf_pace_weights(count, days, weight);
	for (int d = 0; d < CF_WEEK; d++)
		sum += weight[d];
	ok(near(sum, 7.0, 1e-12) && weight[0] < 0.5 && weight[1] > 1.2, "weekends that are idle: %.3f, %.3f", weight[0], weight[1]);

	weight[0] = 0.0;			/* Saturday */
	for (int d = 1; d < CF_WEEK; d++)
		weight[d] = 7.0 / 6.0;
	ok(near(cf_pace_ahead(0, 7 * DAY, weight), 7.0, 1e-12) && cf_pace_ahead(0, DAY, weight) == 0.0, "a week, and its Saturday");
	ok(near(cf_pace_ahead(DAY / 2, DAY * 3 / 2, weight), 7.0 / 12.0, 1e-12), "half a Saturday and half a Sunday");
	ok(near(cf_pace_ahead(-DAY, 0, weight), 7.0 / 6.0, 1e-12) && cf_pace_ahead(-7 * DAY, -6 * DAY, weight) == 0.0, "days before 2000");
	ok(near(cf_pace_ahead(0, 70 * DAY, weight), 70.0, 1e-12) && cf_pace_ahead(DAY, 0, weight) == 0.0, "weeks, and nothing");
}

static void
vendors(void)
{
	CfPace		busy;
	CfPace		idle;
	CfPace		unknown;
	CfPacePrior prior;
	double		added[60];
	double		weight[CF_WEEK] = {1, 1, 1, 1, 1, 1, 1};
	double		sums[CF_PACE_SUMS] = {0};
	double		one[CF_PACE_SUMS];
	double		expected;

	for (int i = 0; i < 60; i++)
		added[i] = i % 2 == 0 ? 11.0 : 9.0;
	cf_pace_fill(&busy, added, 60, 3);
	for (int i = 0; i < 60; i++)
		added[i] = i % 10 == 0 ? 1.0 : 0.0;
	cf_pace_fill(&idle, added, 60, 3);
	cf_pace_fill(&unknown, added, 0, 0);
	ok(busy.days[3] > busy.days[2] && near(busy.count[3] / busy.days[3], 10.0, 0.02), "nine days of the first weekday, eight of the others");
	cf_pace_sums(&unknown, weight, one);
	ok(one[CF_PACE_VENDORS] == 0.0, "who has no days is none");

	cf_pace_prior(sums, &prior);
	ok(isnan(cf_pace_chance(&unknown, weight, &prior, 5, 10, &expected)), "of nobody nothing is known");
	ok(cf_pace_chance(&unknown, weight, &prior, 0, 10, &expected) == 1.0, "what is reached is reached");
	for (int i = 0; i < 10; i++)
	{
		cf_pace_sums(i < 5 ? &busy : &idle, weight, one);
		for (int s = 0; s < CF_PACE_SUMS; s++)
			sums[s] += one[s];
	}
	cf_pace_prior(sums, &prior);
	ok(near(prior.shape / prior.scale, 5.05, 0.01) && prior.shape < 2.0 && prior.dispersion == 1.0, "rates of 10 and 0.1: shape %.2f, mean %.2f",
	   prior.shape, prior.shape / prior.scale);
	ok(cf_pace_chance(&busy, weight, &prior, 100, 10, &expected) > 0.4 && near(expected, 100.0, 0.02), "the busy one does ten a day");
	ok(cf_pace_chance(&busy, weight, &prior, 140, 10, &expected) < 0.01, "and hardly fourteen");
	ok(cf_pace_chance(&idle, weight, &prior, 20, 10, &expected) < 1e-6 && expected < 2.0, "the idle one does not");
	ok(cf_pace_chance(&unknown, weight, &prior, 100, 10, &expected) > 0.1 && near(expected, 50.5, 0.01), "who is new may be either");

	/* bursts: the same mean, known less well */
	for (int i = 0; i < 60; i++)
		added[i] = i % 10 == 0 ? 100.0 : 0.0;
	cf_pace_fill(&busy, added, 60, 3);
	ok(cf_pace_chance(&busy, weight, &prior, 140, 10, &expected) > 0.1, "bursts may be more than usual");

	/* a stock that shrinks */
	for (int i = 0; i < 60; i++)
		added[i] = -1.0;
	cf_pace_fill(&busy, added, 60, 3);
	ok(cf_pace_chance(&busy, weight, &prior, 5, 10, &expected) < 0.2, "what shrinks hardly grows");
	added[59] = (double) NAN;
	cf_pace_fill(&busy, added, 60, 3);
	ok(near(busy.count[6], -busy.days[6], 1e-12), "days that are not known are left out");
}

int
main(void)
{
	tails();
	weeks();
	vendors();
	return tap_done();
}
