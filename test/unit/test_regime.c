/* What has happened in a history: dates, forecasts and words follow it. */
#include "core/engine/cf_forecast.h"
#include "core/engine/cf_reach.h"
#include "made.h"
#include "tap.h"

#define N 180
#define H 180

static CfReach
date_of(const double *y, int n, double threshold)
{
	CfReachOptions o = {.threshold = threshold, .direction = CF_UPWARD, .horizon = H, .confidence_level = 0.8,
		.season_hint = 7, .has_days = true, .first_day = 0, .seed = 3};
	CfReach		r;
	double	   *work = tap_memory(cf_reach_worksize(n, H));

	memset(&r, 0, sizeof(r));
	ok(cf_reach(y, n, &o, NULL, work, NULL, &r) == CF_OK, "a date can be asked for");
	free(work);
	return r;
}

static CfForecastInfo
forecast_of(const double *y, int n, double *yhat)
{
	static const double level = 0.8;
	double		lower[H];
	double		upper[H];
	CfOptions	o;
	CfForecastInfo info;
	double	   *work = tap_memory(cf_forecast_worksize(n, H));

	cf_options_init(&o);
	o.season_hint = 7;
	o.has_days = true;
	memset(&info, 0, sizeof(info));
	ok(cf_forecast(y, n, &o, H, &level, 1, NULL, work, yhat, lower, upper, &info) == CF_OK, "so can a forecast");
	free(work);
	return info;
}

static bool
tells(const CfEvents *events, CfEventKind kind, int from, int to)
{
	for (int i = 0; i < events->n; i++)
		if (events->event[i].kind == kind && events->event[i].index >= from && events->event[i].index <= to)
			return true;
	return false;
}

/* 20 a day, about. */
static void
made_growth(double *y, int n, uint64_t seed)
{
	double		level = 5000.0;

	for (int t = 0; t < n; t++)
		y[t] = level += (double) (int) (20.5 + 5.0 * made_noise(&seed));
}

static void
test_one_off(void)
{
	double		y[N];
	double		yhat[H];
	CfReach		r;
	CfForecastInfo info;

	made_growth(y, N, 11);
	for (int t = 150; t < N; t++)
		y[t] += 30000.0;
	r = date_of(y, N, y[N - 1] + 1200.0);
	ok(r.status == CF_REACH_OK && r.median >= 54 && r.median <= 66, "an import is no pace (day %d)", r.median);
	ok(r.kind == CF_KIND_STOCK && tells(&r.events, CF_EVENT_ONE_OFF, 150, 150), "it is told, with its day");
	info = forecast_of(y, N, yhat);
	ok(fabs(yhat[59] - y[N - 1] - 1200.0) < 150.0, "the forecast says so, too (%.0f)", yhat[59] - y[N - 1]);
	ok(tells(&info.events, CF_EVENT_ONE_OFF, 150, 150), "in the same word");
	made_growth(y, N, 11);
	for (int t = 120; t < N; t++)
		y[t] -= 4000.0;
	r = date_of(y, N, y[N - 1] + 1200.0);
	ok(r.kind == CF_KIND_STOCK && r.median >= 54 && r.median <= 66, "a purge changes neither kind nor pace (day %d)", r.median);
}

static void
test_pace(void)
{
	double		y[N];
	CfReach		r;
	uint64_t	random = 5;

	made_growth(y, N, 12);
	for (int t = 160; t < N; t++)
		y[t] = y[t - 1] + (double) (int) (200.5 + 20.0 * made_noise(&random));
	r = date_of(y, N, y[N - 1] + 8000.0);
	ok(r.status == CF_REACH_OK && r.median >= 36 && r.median <= 55, "a tenfold pace of 20 days is followed (day %d)", r.median);
	ok(r.earliest < r.median && (r.latest < 0 || r.latest - r.earliest >= 5), "with a range");
	ok(tells(&r.events, CF_EVENT_PACE, 157, 163), "and told");
	made_growth(y, N, 12);
	for (int t = 120; t < N; t++)
		y[t] = y[119] + made_noise(&random);
	r = date_of(y, N, y[N - 1] + 600.0);
	ok(r.probability < 0.3, "what has stopped keeps no date (%.2f)", r.probability);
	for (int t = 0; t < N; t++)
		y[t] = floor(1000.0 * cf_num_exp(0.01 * t) + 0.5);
	r = date_of(y, N, 2.0 * y[N - 1]);
	ok(r.median >= 60 && r.median <= 90, "compound growth of 1 %% a day doubles in 70 days (%d)", r.median);
}

static void
test_wrong_values(void)
{
	double		y[N];
	CfReach		r;

	made_growth(y, N, 13);
	y[80] = 0.0;
	r = date_of(y, N, y[N - 1] + 1200.0);
	ok(r.median >= 54 && r.median <= 66 && tells(&r.events, CF_EVENT_WRONG_VALUE, 80, 80), "a reading of 0 is a wrong value");
	made_growth(y, N, 13);
	r = date_of(y, N, y[N - 1] + 1200.0);
	ok(r.events.n == 0, "nothing is told where nothing happened");
	y[N - 1] = 0.0;
	r = date_of(y, N, y[N - 2] + 1200.0);
	ok(r.median >= 54 && r.median <= 70 && r.current == 0.0, "even the last one, until another confirms it (day %d)", r.median);
	ok(tells(&r.events, CF_EVENT_WRONG_VALUE, N - 1, N - 1), "and that is told");
}

static void
test_teeth(void)
{
	double		y[N];
	CfReach		r;
	double		sum = 0.0;
	uint64_t	random = 8;

	/* 2000-01-01 is a first; a counter of the month, about 100 a day */
	for (int t = 0, day = 1, month = 0; t < N; t++)
	{
		static const int length[] = {31, 29, 31, 30, 31, 30, 31};

		if (day == 1)
			sum = 0.0;
		y[t] = sum += floor(100.0 + 5.0 * made_noise(&random));
		if (day++ == length[month])
		{
			day = 1;
			month++;
		}
	}
	r = date_of(y, N, 3600.0);
	ok(r.probability < 0.1, "a counter that starts again every month does not add up (%.2f)", r.probability);
	ok(r.events.n == 1 && r.events.event[0].kind == CF_EVENT_FALLS_BACK && r.events.event[0].period == 0, "it is told as such");
	r = date_of(y, N, 2950.0);
	ok(r.probability > 0.9, "its peaks are what reaches a limit (%.2f)", r.probability);
}

static void
test_kinds(void)
{
	double		y[N];
	uint64_t	random = 4;
	double		yhat[H];

	for (int t = 0; t < N; t++)
		y[t] = cf_num_uniform(&random) < 0.05 ? 3.0 : 0.0;
	ok(forecast_of(y, N, yhat).kind == CF_KIND_FLOW, "what is mostly 0 is a flow");
	for (int t = 0; t < N; t++)
		y[t] = 60.0 + t / 30;
	ok(forecast_of(y, N, yhat).kind == CF_KIND_STOCK, "what moves rarely and never falls is a stock");
	for (int t = 0; t < N; t++)
		y[t] = 100.0 + 5.0 * made_noise(&random);
	ok(date_of(y, N, 200.0).probability < 0.02, "noise does not reach what is far away");
}

int
main(void)
{
	test_one_off();
	test_pace();
	test_wrong_values();
	test_teeth();
	test_kinds();
	return tap_done();
}
