/* When a threshold is reached, as a distribution. */
#include "core/engine/cf_reach.h"
#include "made.h"
#include "tap.h"

#define H 200

static CfReachOptions
upward(double threshold, int horizon)
{
	CfReachOptions o = {.threshold = threshold, .direction = CF_UPWARD, .horizon = horizon, .confidence_level = 0.8,
		.kind = CF_KIND_STOCK, .season_length = 1, .seed = 1};

	return o;
}

static CfReach
reached(const double *y, int n, const CfReachOptions *o, double *probability)
{
	CfReach		r;
	double	   *work = tap_memory(cf_reach_worksize(n, o->curve > o->horizon ? o->curve : o->horizon));

	memset(&r, 0, sizeof(r));
	if (cf_reach(y, n, o, NULL, work, probability, &r) != CF_OK)
		r.n_points = -1;
	free(work);
	return r;
}

static void
test_line(void)
{
	double		y[60];
	double		p[H];
	CfReachOptions o = upward(100.0, H);
	CfReach		r;

	for (int t = 0; t < 60; t++)
		y[t] = t;
	r = reached(y, 60, &o, p);
	/* 59 grows by 1 a step: 100 is 41 steps away */
	ok(r.status == CF_REACH_OK && r.median == 41 && r.earliest == 41 && r.latest == 41, "a line arrives on its day");
	ok(p[39] == 0.0 && p[40] == 1.0, "for certain, and not before");
	near_to(r.slope, 1.0, 1e-9, "at its pace");
	o.threshold = 59.0;
	r = reached(y, 60, &o, p);
	ok(r.status == CF_REACH_ALREADY && r.median == 0 && r.probability == 1.0, "at the threshold is there already");
	o.threshold = 1e6;
	r = reached(y, 60, &o, p);
	ok(r.status == CF_REACH_BEYOND && r.median == -1 && r.never == 1.0, "too far for the horizon");
	o.direction = CF_DOWNWARD;
	o.threshold = -10.0;
	r = reached(y, 60, &o, p);
	ok(r.status == CF_REACH_SHRINKING && r.never == 1.0, "moving away from the threshold");
	for (int t = 0; t < 60; t++)
		y[t] = -t;
	o.threshold = -100.0;
	r = reached(y, 60, &o, p);
	ok(r.status == CF_REACH_OK && r.median == 41, "downwards is the mirror");
	near_to(r.slope, -1.0, 1e-9, "with the slope of the series itself");
}

/*
 * Oracle: Brownian motion with drift mu and variance s^2 reaches a level b away by time t with
 * probability Phi((mu t - b) / (s sqrt t)) + exp(2 mu b / s^2) Phi((-b - mu t) / (s sqrt t)) (inverse Gaussian).
 */
static double
brownian(double mu, double s, double b, double t)
{
	double		root = s * sqrt(t);

	return 0.5 * erfc(-(mu * t - b) / root / sqrt(2.0)) + exp(2.0 * mu * b / (s * s)) * 0.5 * erfc((b + mu * t) / root / sqrt(2.0));
}

static void
test_oracle(void)
{
	static double y[3000];
	double		p[H];
	uint64_t	random = 99;
	double		level = 1000.0;
	double		worst = 0.0;
	CfReachOptions o;

	for (int t = 0; t < 3000; t++)
		y[t] = level += 1.0 + 3.0 * made_noise(&random);
	o = upward(y[2999] + 60.0, H);
	(void) reached(y, 3000, &o, p);
	for (int k = 20; k < H; k += 10)
		worst = fmax(worst, fabs(p[k] - brownian((y[2999] - y[0]) / 2999.0, 3.0, 60.0, k + 1.0)));
	/* the pace is not taken for certain, which spreads the chances: a difference is right */
	ok(worst < 0.15, "a random walk with drift follows the inverse Gaussian to %.3f", worst);
}

static void
test_distribution(void)
{
	double		y[90];
	double		p[H];
	double		again[H];
	CfReachOptions o;
	CfReach		r;
	CfReach		wider;
	int			rises = 1;

	made_stock(y, 90, 100.0, 2.0, 17);
	o = upward(y[89] + 60.0, H);
	r = reached(y, 90, &o, p);
	for (int k = 1; k < H; k++)
		rises = rises && p[k] >= p[k - 1];
	ok(rises, "the chance of having crossed never falls");
	ok(r.status == CF_REACH_OK && r.earliest > 0 && r.earliest < r.median && r.median < r.latest, "early, likely and late differ");
	near_to(r.probability + r.never, 1.0, 1e-15, "crossing or not is certain");
	reached(y, 90, &o, again);
	ok(memcmp(p, again, sizeof(p)) == 0, "the same seed, the same answer");
	o.confidence_level = 0.95;
	wider = reached(y, 90, &o, again);
	ok(wider.earliest <= r.earliest && (wider.latest < 0 || wider.latest >= r.latest) && wider.median == r.median,
	   "a higher level is a wider range about the same middle");
	o.horizon = H / 2;
	wider = reached(y, 90, &o, again);
	ok(memcmp(p, again, H / 2 * sizeof(double)) == 0, "a shorter horizon sees the same futures");
	o.curve = H;
	r = reached(y, 90, &o, again);
	ok(memcmp(p, again, sizeof(p)) == 0, "a curve longer than the horizon is that of the longer horizon");
	ok(r.status == wider.status && r.latest == wider.latest && r.probability == wider.probability && r.slope == wider.slope,
	   "and the rest is that of the horizon");
	o.curve = CF_REACH_MAX_HORIZON + 1;
	ok(cf_reach(y, 90, &o, NULL, again, again, &r) == CF_BAD_ARGUMENT, "too long a curve is refused");
	o.curve = 0;
	o.threshold += 20.0;
	o.horizon = H;
	(void) reached(y, 90, &o, again);
	rises = 1;
	for (int k = 0; k < H; k++)
		rises = rises && again[k] <= p[k];
	ok(rises, "a higher threshold is never reached sooner");
}

static void
test_rest(void)
{
	double		y[90];
	double		p[H];
	CfReachOptions o = upward(200.0, H);
	CfReach		r;

	for (int t = 0; t < 90; t++)
		y[t] = 50.0;
	ok(reached(y, 90, &o, p).status == CF_REACH_NO_GROWTH, "what never moved does not grow");
	ok(reached(y, 3, &o, p).status == CF_REACH_TOO_FEW, "three values are too few");
	ok(reached(y, 0, &o, p).status == CF_REACH_TOO_FEW, "so is none");
	for (int t = 0; t < 90; t++)
		y[t] = 10.0 * t;
	ok(reached(y, 10, &o, p).status == CF_REACH_UNRELIABLE, "ten values give numbers not to be acted on");
	made_flow(y, 90, 100.0, 0.0, 20.0, 10.0, 2);
	o.kind = CF_KIND_FLOW;
	o.season_length = 0;
	o.season_hint = 7;
	o.threshold = 130.0;
	r = reached(y, 90, &o, p);
	ok(r.season_length == 7 && r.probability > 0.5, "a flow reaches what its good days nearly are (%.3f)", r.probability);
	o.threshold = 1000.0;
	r = reached(y, 90, &o, p);
	ok(r.probability < 0.05 && r.status == CF_REACH_NO_GROWTH, "but not what is out of its world");
	o.threshold = (double) NAN;
	ok(reached(y, 90, &o, p).n_points == -1, "no threshold is refused");
}

int
main(void)
{
	test_line();
	test_oracle();
	test_distribution();
	test_rest();
	return tap_done();
}
