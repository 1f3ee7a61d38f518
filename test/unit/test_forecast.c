/* What must hold of every forecast. */
#include "core/engine/cf_forecast.h"
#include "made.h"
#include "tap.h"

#define MAX_N 400
#define H 40

static const double levels[2] = {0.80, 0.95};

typedef struct Made
{
	CfStatus	status;
	CfForecastInfo info;
	double		yhat[H];
	double		lower[2 * H];
	double		upper[2 * H];
} Made;

static CfOptions
options_of(CfKind kind, CfModel model)
{
	CfOptions	o;

	cf_options_init(&o);
	o.kind = kind;
	o.model = model;
	o.season_hint = 7;
	return o;
}

static Made
made_by(const double *y, int n, const CfOptions *o, int h)
{
	Made		m;
	double	   *work = tap_memory(cf_forecast_worksize(n, h));

	memset(&m, 0, sizeof(m));
	m.status = cf_forecast(y, n, o, h, levels, 2, NULL, work, m.yhat, m.lower, m.upper, &m.info);
	free(work);
	return m;
}

/* Calls a check for every model on a flow and on a stock. */
static void
for_all(void (*check) (const char *name, const double *y, int n, const CfOptions *o))
{
	double		flow[MAX_N];
	double		stock[MAX_N];

	made_flow(flow, 100, 50.0, 0.1, 10.0, 2.0, 3);
	made_stock(stock, 100, 500.0, 2.0, 4);
	for (int model = 0; model < CF_MODEL_COUNT; model++)
	{
		CfOptions	o = options_of(CF_KIND_FLOW, (CfModel) model);

		check(cf_model_entry((CfModel) model)->name, flow, 100, &o);
		o.kind = CF_KIND_STOCK;
		check(cf_model_entry((CfModel) model)->name, stock, 100, &o);
	}
}

static void
check_powers_of_two(const char *name, const double *y, int n, const CfOptions *o)
{
	double		scaled[MAX_N];
	Made		a = made_by(y, n, o, H);
	Made		b;
	int			is_same = 1;

	for (int t = 0; t < n; t++)
		scaled[t] = y[t] * 1024.0;
	b = made_by(scaled, n, o, H);
	for (int k = 0; k < H; k++)
		is_same = is_same && b.yhat[k] == 1024.0 * a.yhat[k] && b.lower[H + k] == 1024.0 * a.lower[H + k]
			&& b.upper[k] == 1024.0 * a.upper[k];
	ok(a.status == CF_OK && is_same, "%s: 1024 times the series, 1024 times the forecast, to the bit", name);
}

static void
check_shift(const char *name, const double *y, int n, const CfOptions *o)
{
	CfOptions	additive = *o;
	double		shifted[MAX_N];
	double		worst = 0.0;
	Made		a;
	Made		b;

	additive.is_additive = true;
	for (int t = 0; t < n; t++)
		shifted[t] = y[t] + 1000.0;
	a = made_by(y, n, &additive, H);
	b = made_by(shifted, n, &additive, H);
	for (int k = 0; k < H; k++)
		worst = fmax(worst, fmax(fabs(b.yhat[k] - a.yhat[k] - 1000.0), fabs(b.upper[k] - a.upper[k] - 1000.0)));
	ok(worst < 1e-6, "%s: 1000 more, 1000 more (to %g)", name, worst);
}

static void
check_prefix(const char *name, const double *y, int n, const CfOptions *o)
{
	Made		a = made_by(y, n, o, H);
	int			is_same = 1;

	for (int h = 1; h < H; h += 9)
	{
		Made		b = made_by(y, n, o, h);

		for (int k = 0; k < h; k++)
			is_same = is_same && a.yhat[k] == b.yhat[k] && a.lower[k] == b.lower[k] && a.upper[H + k] == b.upper[h + k];
	}
	ok(is_same, "%s: a shorter horizon is the beginning of a longer one", name);
}

static void
check_nesting(const char *name, const double *y, int n, const CfOptions *o)
{
	Made		a = made_by(y, n, o, H);
	int			holds = 1;

	for (int k = 0; k < H; k++)
		holds = holds && a.lower[H + k] <= a.lower[k] && a.lower[k] <= a.yhat[k]
			&& a.yhat[k] <= a.upper[k] && a.upper[k] <= a.upper[H + k];
	ok(holds, "%s: 80 %% lies within 95 %%, the forecast within both", name);
}

static void
check_lead(const char *name, const double *y, int n, const CfOptions *o)
{
	double		led[MAX_N];
	Made		a = made_by(y, n, o, H);
	Made		b;

	for (int t = 0; t < 7; t++)
		led[t] = (double) NAN;
	memcpy(led + 7, y, (size_t) n * sizeof(double));
	b = made_by(led, n + 7, o, H);
	ok(memcmp(a.yhat, b.yhat, sizeof(a.yhat)) == 0, "%s: gaps before the first value change nothing", name);
}

static void
test_lines(void)
{
	double		y[MAX_N];
	CfOptions	o = options_of(CF_KIND_AUTO, CF_MODEL_AUTO);
	Made		m;

	for (int t = 0; t < 90; t++)
		y[t] = t;
	for (int kind = CF_KIND_AUTO; kind <= CF_KIND_FLOW; kind++)
	{
		o.kind = (CfKind) kind;
		m = made_by(y, 90, &o, 30);
		ok(fabs(m.yhat[29] - 119.0) < 1e-6 && m.upper[59] - m.lower[59] < 1e-5,
		   "a line without noise goes on, with no width to speak of (kind %d: %g)", kind, m.upper[59] - m.lower[59]);
	}
	for (int t = 30; t < 50; t++)
		y[t] = (double) NAN;
	m = made_by(y, 90, &o, 30);
	ok(fabs(m.yhat[29] - 119.0) < 1e-6, "a gap does not bend it");
	near_to(m.info.coverage_ratio, 70.0 / 90.0, 1e-15, "and its share is told");
	for (int t = 0; t < 90; t++)
		y[t] = 100.0 - t;
	o.kind = CF_KIND_AUTO;
	m = made_by(y, 90, &o, 30);
	ok(fabs(m.yhat[29] + 19.0) < 1e-5 && m.upper[59] - m.lower[59] < 1e-5, "a falling line goes on falling");
	o.floor = 0.0;
	m = made_by(y, 90, &o, 30);
	ok(m.yhat[29] == 0.0 && m.lower[59] == 0.0, "not below the floor");
}

static void
test_limits(void)
{
	double		y[MAX_N];
	CfOptions	o = options_of(CF_KIND_STOCK, CF_MODEL_AUTO);
	Made		m;

	made_stock(y, 60, 90.0, 2.0, 9);
	o.cap = y[59] + 5.0;
	m = made_by(y, 60, &o, H);
	ok(m.yhat[H - 1] == o.cap && m.upper[2 * H - 1] == o.cap, "not above the cap");
	o.cap = (double) NAN;
	m = made_by(y, 60, &o, H);
	ok(m.lower[H] == y[59] && m.lower[2 * H - 1] >= y[59], "a stock that never fell is not forecast to");
	y[30] = y[29] - 1.0;
	m = made_by(y, 60, &o, H);
	ok(m.lower[H] < y[59], "one that did may");
	o.is_count = true;
	m = made_by(y, 60, &o, H);
	ok(m.lower[5] == floor(m.lower[5]) && m.upper[5] == ceil(m.upper[5]), "bounds of counts are whole");
	o.floor = 10.0;
	o.cap = 5.0;
	ok(made_by(y, 60, &o, H).status == CF_BAD_ARGUMENT, "a floor above the cap is refused");
}

static void
test_short(void)
{
	double		y[14] = {5, 7, 6, 9, 8, 8, 7, 9, 10, 9, 11, 10, 9, 12};
	CfOptions	o = options_of(CF_KIND_FLOW, CF_MODEL_AUTO);
	Made		m = made_by(y, 1, &o, 10);

	ok(m.status == CF_OK && m.yhat[9] == 5.0 && m.upper[9] > m.yhat[9], "one value: itself, with a width");
	ok((m.info.flags & CF_FLAG_UNRELIABLE) != 0, "and not to be relied on");
	ok(made_by(y, 0, &o, 10).status == CF_TOO_FEW, "no value: no forecast");
	for (int n = 2; n <= 14; n++)
	{
		m = made_by(y, n, &o, 10);
		ok(m.status == CF_OK && isfinite(m.yhat[9]) && m.upper[10] > m.lower[10], "%d values", n);
	}
	ok((m.info.flags & (CF_FLAG_SHORT | CF_FLAG_UNRELIABLE)) == 0, "fourteen values are not short");
	o.model = CF_MODEL_ETS;
	ok(made_by(y, 7, &o, 10).status == CF_TOO_FEW, "a model has its own least number of values");
}

static void
test_trailing_gap(void)
{
	double		y[MAX_N];
	CfOptions	o = options_of(CF_KIND_STOCK, CF_MODEL_DRIFT);
	Made		m;

	for (int t = 0; t < 50; t++)
		y[t] = t < 45 ? 2.0 * t : (double) NAN;
	m = made_by(y, 50, &o, 10);
	near_to(m.yhat[0], 100.0, 1e-9, "step 1 is the step after the series, however long ago the last value was");
}

static void
test_constant(void)
{
	double		y[MAX_N];
	CfOptions	o = options_of(CF_KIND_AUTO, CF_MODEL_AUTO);
	Made		m;

	for (int t = 0; t < 50; t++)
		y[t] = 40.0;
	m = made_by(y, 50, &o, 10);
	ok(m.status == CF_OK && m.yhat[9] == 40.0 && (m.info.flags & CF_FLAG_CONSTANT) != 0, "what never moved stays");
	y[20] = (double) INFINITY;
	ok(made_by(y, 50, &o, 10).status == CF_NOT_FINITE, "infinity is refused");
	y[20] = 1e200;
	ok(made_by(y, 50, &o, 10).status == CF_NOT_FINITE, "and what cannot be squared");
}

static void
test_season(void)
{
	double		y[MAX_N];
	CfOptions	o = options_of(CF_KIND_FLOW, CF_MODEL_AUTO);
	Made		m;

	made_flow(y, 84, 100.0, 0.0, 30.0, 1.0, 5);
	m = made_by(y, 84, &o, 14);
	ok(m.info.season_length == 7 && m.info.season_strength > 0.9, "a week is found");
	ok(fabs(m.yhat[1] - 115.0) < 3.0 && fabs(m.yhat[6] - 76.0) < 3.0, "and put back: %g, %g", m.yhat[1], m.yhat[6]);
	o.season_length = 1;
	m = made_by(y, 84, &o, 14);
	ok(m.info.season_length == 1 && fabs(m.yhat[1] - m.yhat[2]) < 1.0, "unless told that there is none");
	o.season_length = 0;
	o.season_hint = 0;
	m = made_by(y, 84, &o, 14);
	ok(m.info.season_length == 7, "it is found without a hint");
	o.model = CF_MODEL_SNAIVE;
	m = made_by(y, 84, &o, 14);
	ok(m.yhat[0] == y[77] && m.yhat[13] == y[83], "seasonal naive is the last week again");
}

static void
test_flags(void)
{
	double		y[MAX_N];
	CfOptions	o = options_of(CF_KIND_FLOW, CF_MODEL_AUTO);
	Made		m;
	int			false_alarms = 0;

	made_flow(y, 84, 100.0, 0.0, 30.0, 2.0, 5);
	for (int t = 70; t < 84; t++)
		y[t] += 80.0;
	m = made_by(y, 84, &o, 10);
	ok((m.info.flags & CF_FLAG_LEVEL_SHIFT) != 0, "a jump two weeks ago is remarked on");
	for (uint64_t seed = 1; seed <= 200; seed++)
	{
		made_flow(y, 84, 100.0, 0.5, 30.0, 5.0, seed);
		false_alarms += (made_by(y, 84, &o, 10).info.flags & CF_FLAG_LEVEL_SHIFT) != 0;
	}
	ok(false_alarms <= 4, "where none was, %d times of 200", false_alarms);
	for (int t = 0; t < 84; t++)
		y[t] = t % 2 == 0 ? 0.0 : 5.0;
	m = made_by(y, 84, &o, 10);
	ok((m.info.flags & CF_FLAG_INTERMITTENT) != 0, "half zeros are intermittent");
	m = made_by(y, 20, &o, H);
	ok((m.info.flags & CF_FLAG_LONG_HORIZON) != 0, "further ahead than the history is long");
}

static bool
stop_at_once(void *arg)
{
	++*(int *) arg;
	return true;
}

static void
test_stop(void)
{
	static double y[20000];
	double		yhat[1];
	int			asked = 0;
	CfStop		stop = {stop_at_once, &asked};
	CfOptions	o = options_of(CF_KIND_AUTO, CF_MODEL_AUTO);
	CfForecastInfo info;
	double	   *work = tap_memory(cf_forecast_worksize(20000, 1));

	made_flow(y, 20000, 100.0, 0.0, 30.0, 1.0, 5);
	ok(cf_forecast(y, 20000, &o, 1, NULL, 0, &stop, work, yhat, NULL, NULL, &info) == CF_STOPPED && asked == 1,
	   "a request to stop is heard");
	free(work);
}

int
main(void)
{
	for_all(check_powers_of_two);
	for_all(check_shift);
	for_all(check_prefix);
	for_all(check_nesting);
	for_all(check_lead);
	test_lines();
	test_limits();
	test_short();
	test_trailing_gap();
	test_constant();
	test_season();
	test_flags();
	test_stop();
	return tap_done();
}
