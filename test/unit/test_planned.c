/* What is planned: effects on forecasts, bounds and thresholds, alone and one upon another, on edges. */
#include "core/engine/cf_planned.h"
#include "core/engine/cf_planned_reach.h"
#include "tap.h"

#define H 10

static CfPlanned
event(CfEffect effect, int first, int last, double low, double usual, double high)
{
	CfPlanned	e = {effect, first, last, {low, usual, high}, 0.0};

	return e;
}

static CfPlanned
sure(CfEffect effect, int first, int last, double amount)
{
	return event(effect, first, last, amount, amount, amount);
}

/* A forecast of 101 to 110, bounds 5 away, one level. */
static void
made(double *yhat, double *lower, double *upper)
{
	for (int h = 0; h < H; h++)
	{
		yhat[h] = 101 + h;
		lower[h] = 96 + h;
		upper[h] = 106 + h;
	}
}

/* A threshold undone is the value that becomes it. */
static bool
is_inverse(const CfPlanned *e, int n)
{
	double		thresholds[H];
	bool		all = true;

	cf_planned_thresholds(e, n, CF_AMOUNT_USUAL, 130.0, 1.0, H, thresholds);
	for (int k = 1; k <= H; k++)
		all = all && (fabs(thresholds[k - 1]) >= 1e300
					  || fabs(cf_planned_value(e, n, k, CF_AMOUNT_USUAL, thresholds[k - 1]) - 130.0) < 1e-9);
	return all;
}

/* Days to 100 in a stock of 40 values that grows by one a day, last 39. */
static CfReach
reach(double step, const CfPlanned *events, int n_events, double threshold, CfDirection direction)
{
	double		y[40];
	double		chance[100];
	CfReachOptions o = {.threshold = threshold, .direction = direction, .horizon = 100, .curve = 100, .confidence_level = 0.8,
		.kind = CF_KIND_STOCK, .season_hint = 7, .seed = 3};
	double	   *work = malloc(sizeof(double) * cf_planned_reach_worksize(40, 100));
	CfReach		r;

	for (int t = 0; t < 40; t++)
		y[t] = step * t;
	ok(cf_planned_reach(y, 40, &o, events, n_events, NULL, work, chance, &r) == CF_OK, "runs");
	for (int k = 1; k < 100; k++)
		if (chance[k] < chance[k - 1] - 1e-12)
			ok(0, "a chance falls");
	free(work);
	return r;
}

int
main(void)
{
	double		yhat[H];
	double		lower[H];
	double		upper[H];
	double		thresholds[H];
	CfOptions	options;
	CfPlanned	e[3];

	cf_options_init(&options);

	made(yhat, lower, upper);
	e[0] = sure(CF_EFFECT_ADD, 4, 6, 20);
	cf_planned_apply(e, 1, &options, H, 1, yhat, lower, upper);
	ok(yhat[2] == 103 && yhat[3] == 124 && yhat[5] == 126 && yhat[6] == 107, "both days are with it, and those outside are not");
	ok(lower[3] == 119 && upper[3] == 129 && lower[6] == 102, "bounds go with it");

	made(yhat, lower, upper);
	e[0] = event(CF_EFFECT_ADD, 4, CF_PLANNED_FOREVER, 10, 20, 40);
	cf_planned_apply(e, 1, &options, H, 1, yhat, lower, upper);
	ok(yhat[9] == 130 && lower[9] == 115 && upper[9] == 155, "an open amount widens the range");
	ok(cf_planned_is_open(e, 1), "and is open");

	made(yhat, lower, upper);
	e[0] = sure(CF_EFFECT_FACTOR, 1, 1, 0);
	e[1] = event(CF_EFFECT_FACTOR, 2, 2, 0.5, 1, 2);
	cf_planned_apply(e, 2, &options, H, 1, yhat, lower, upper);
	ok(yhat[0] == 0 && lower[0] == 0 && upper[0] == 0, "factor 0 is closed");
	ok(yhat[1] == 102 && lower[1] == 48.5 && upper[1] == 214, "an open factor widens both ways");

	made(yhat, lower, upper);
	options.floor = 50;
	options.cap = 115;
	e[0] = sure(CF_EFFECT_LEVEL, 1, 1, 20);
	e[1] = sure(CF_EFFECT_ADD, 2, 2, 1000);
	cf_planned_apply(e, 2, &options, H, 1, yhat, lower, upper);
	ok(yhat[0] == 50 && lower[0] == 50 && upper[0] == 50, "a level below the floor is the floor");
	ok(yhat[1] == 115 && upper[1] == 115 && lower[1] == 115, "and above the cap the cap");
	options.floor = options.cap = (double) NAN;

	made(yhat, lower, upper);
	e[0] = sure(CF_EFFECT_LEVEL, 3, CF_PLANNED_FOREVER, 10);
	cf_planned_anchor(e, 1, 100, 1, yhat, H);
	cf_planned_apply(e, 1, &options, H, 1, yhat, lower, upper);
	ok(yhat[1] == 102 && yhat[2] == 10 && yhat[9] == 17, "a lasting level goes on as the forecast would have");
	ok(lower[9] == 12 && upper[9] == 22, "as wide as it was");

	made(yhat, lower, upper);
	e[0] = sure(CF_EFFECT_LEVEL, 3, CF_PLANNED_FOREVER, 10);
	cf_planned_anchor(e, 1, 100, 4, yhat, H);
	ok(e[0].base == 104.5, "a flow's is the mean of a season");
	ok(cf_planned_anchor_step(e, 1, 4, H) == 6 && cf_planned_anchor_step(e, 1, 1, 2) == 0, "which is looked up where it is within the horizon");

	made(yhat, lower, upper);
	e[0] = sure(CF_EFFECT_GROWTH, 4, CF_PLANNED_FOREVER, 3);
	e[1] = sure(CF_EFFECT_ADD, 4, CF_PLANNED_FOREVER, 7);
	cf_planned_anchor(e, 2, 100, 1, yhat, H);
	cf_planned_apply(e, 2, &options, H, 1, yhat, lower, upper);
	ok(yhat[2] == 103 && yhat[3] == 103 + 3 + 7 && yhat[9] == 103 + 21 + 7, "growth counts from the step before");
	e[0] = sure(CF_EFFECT_GROWTH, 1, CF_PLANNED_FOREVER, 0);
	cf_planned_anchor(e, 1, 100, 1, yhat, H);
	ok(e[0].base == 100, "or from the last value");

	made(yhat, lower, upper);
	options.is_count = true;
	e[0] = sure(CF_EFFECT_FACTOR, 1, CF_PLANNED_FOREVER, 1.1);
	cf_planned_apply(e, 1, &options, H, 1, yhat, lower, upper);
	ok(lower[0] == 105 && upper[0] == 117 && fabs(yhat[0] - 111.1) < 1e-9, "bounds of counts are whole");

	/* one upon another, in their order */
	made(yhat, lower, upper);
	e[0] = sure(CF_EFFECT_LEVEL, 1, 5, 10);
	e[1] = sure(CF_EFFECT_ADD, 3, 6, 5);
	e[2] = sure(CF_EFFECT_FACTOR, 4, 4, 2);
	cf_planned_apply(e, 3, &options, H, 1, yhat, lower, upper);
	ok(yhat[0] == 10 && yhat[2] == 15 && yhat[3] == 30 && yhat[5] == 111 && yhat[6] == 107, "events that overlap");
	ok(is_inverse(e, 3), "and their threshold");
	e[0] = sure(CF_EFFECT_GROWTH, 2, CF_PLANNED_FOREVER, 2);
	e[1] = sure(CF_EFFECT_FACTOR, 3, CF_PLANNED_FOREVER, 0.5);
	e[2] = sure(CF_EFFECT_LEVEL, 5, CF_PLANNED_FOREVER, 3);
	made(yhat, lower, upper);
	cf_planned_anchor(e, 3, 100, 1, yhat, H);
	ok(is_inverse(e, 3), "those that last");

	e[0] = sure(CF_EFFECT_FACTOR, 2, 3, 0);
	cf_planned_thresholds(e, 1, CF_AMOUNT_USUAL, 130.0, 1.0, H, thresholds);
	ok(thresholds[0] == 130 && thresholds[1] >= 1e300 && thresholds[3] == 130, "what is closed reaches nothing");
	cf_planned_thresholds(e, 1, CF_AMOUNT_USUAL, 10.0, -1.0, H, thresholds);
	ok(thresholds[1] >= 1e300 && thresholds[0] == 10, "but a minimum at once");
	cf_planned_thresholds(e, 1, CF_AMOUNT_USUAL, -10.0, -1.0, H, thresholds);
	ok(thresholds[1] <= -1e300, "unless that is lower still");

	/* dates */
	ok(reach(1, e, 0, 100, CF_UPWARD).median == 61, "without events: day 61");
	e[0] = sure(CF_EFFECT_ADD, 30, CF_PLANNED_FOREVER, 20);
	ok(reach(1, e, 1, 100, CF_UPWARD).median == 41, "twenty more from day 30 on: twenty days sooner");
	e[0] = sure(CF_EFFECT_ADD, 50, CF_PLANNED_FOREVER, 20);
	ok(reach(1, e, 1, 100, CF_UPWARD).median == 50, "from day 50 on: then");
	e[0] = sure(CF_EFFECT_ADD, 70, CF_PLANNED_FOREVER, 20);
	ok(reach(1, e, 1, 100, CF_UPWARD).median == 61, "from day 70 on: too late to matter");
	e[0] = sure(CF_EFFECT_ADD, 10, 12, 49);
	ok(reach(1, e, 1, 100, CF_UPWARD).median == 12, "what lasts three days is there on the last of them");
	e[0] = sure(CF_EFFECT_ADD, 10, 12, 40);
	ok(reach(1, e, 1, 100, CF_UPWARD).median == 61, "or leaves no trace");
	e[0] = event(CF_EFFECT_ADD, 30, CF_PLANNED_FOREVER, 10, 20, 25);
	{
		CfReach		r = reach(1, e, 1, 100, CF_UPWARD);

		ok(r.median == 41 && r.earliest == 36 && r.latest == 51, "an open amount gives a range");
	}
	e[0] = sure(CF_EFFECT_ADD, 30, CF_PLANNED_FOREVER, 20);
	ok(reach(0, e, 1, 15, CF_UPWARD).median == 30 && reach(0, e, 1, 15, CF_UPWARD).status == CF_REACH_OK, "what does not move is taken there");
	ok(reach(0, e, 1, 25, CF_UPWARD).status == CF_REACH_NO_GROWTH, "or not");
	e[0] = event(CF_EFFECT_ADD, 30, CF_PLANNED_FOREVER, 0, 20, 30);
	{
		CfReach		r = reach(0, e, 1, 25, CF_UPWARD);

		ok(r.status == CF_REACH_NO_GROWTH && r.probability == 0.25, "or perhaps");
	}
	e[0] = sure(CF_EFFECT_FACTOR, 5, 5, 0);
	ok(reach(1, e, 1, 10, CF_DOWNWARD).median == 5, "a minimum is passed where it is closed");
	return tap_done();
}
