/*
 * A floor under the accuracy: on made series the automatic model beats the naive
 * forecast and the straight line, computed here, and its intervals hold what they say.
 */
#include "core/engine/cf_forecast.h"
#include "core/engine/cf_score.h"
#include "made.h"
#include "tap.h"

#define N 90
#define H 28
#define SERIES 200

typedef struct Sums
{
	double		ours;
	double		naive;
	double		line;
	double		covered[2];
} Sums;

static void
add_series(const double *y, CfKind kind, Sums *sums)
{
	static const double levels[2] = {0.80, 0.95};
	double		yhat[H];
	double		lower[2 * H];
	double		upper[2 * H];
	CfOptions	o;
	CfForecastInfo info;
	double	   *work = tap_memory(cf_forecast_worksize(N, H));
	double		mean = 0.0;
	double		sum = 0.0;

	cf_options_init(&o);
	o.kind = kind;
	o.season_hint = 7;
	cf_forecast(y, N, &o, H, levels, 2, NULL, work, yhat, lower, upper, &info);
	for (int t = 0; t < N; t++)
		mean += y[t] / N;
	for (int t = 0; t < N; t++)
		sum += (t - (N - 1) / 2.0) * (y[t] - mean);
	sum /= (double) N * ((double) N * N - 1.0) / 12.0;
	for (int k = 0; k < H; k++)
	{
		double		actual = y[N + k];

		sums->ours += fabs(actual - yhat[k]);
		sums->naive += fabs(actual - (kind == CF_KIND_FLOW ? y[N - 7 + k % 7] : y[N - 1]));
		sums->line += fabs(actual - (mean + sum * (N + k - (N - 1) / 2.0)));
		for (int l = 0; l < 2; l++)
			sums->covered[l] += (lower[l * H + k] <= actual && actual <= upper[l * H + k]) / (double) (H * SERIES);
	}
	free(work);
}

static void
check(const char *name, const Sums *s)
{
	ok(s->ours < 0.9 * s->naive, "%s: error %.2f of naive", name, s->ours / s->naive);
	ok(s->ours < 0.9 * s->line, "%s: error %.2f of the line", name, s->ours / s->line);
	ok(fabs(s->covered[0] - 0.80) < 0.06, "%s: 80 %% intervals hold %.3f", name, s->covered[0]);
	ok(fabs(s->covered[1] - 0.95) < 0.04, "%s: 95 %% intervals hold %.3f", name, s->covered[1]);
}

int
main(void)
{
	double		y[N + H];
	Sums		flows = {0};
	Sums		stocks = {0};

	for (uint64_t seed = 1; seed <= SERIES; seed++)
	{
		uint64_t	random = seed * 1000;
		double		level = 0.0;
		double		pace = 3.0;

		/* flows: a week, noise, and a level that wanders */
		made_flow(y, N + H, 100.0, 0.0, 15.0, 5.0, seed);
		for (int t = 0; t < N + H; t++)
			y[t] += level += 1.0 * made_noise(&random);
		add_series(y, CF_KIND_FLOW, &flows);

		/* stocks: increments whose pace wanders */
		level = 500.0;
		for (int t = 0; t < N + H; t++)
		{
			pace = fabs(pace + 0.1 * made_noise(&random));
			level += floor(2.0 * pace * cf_num_uniform(&random) + 0.5);
			y[t] = level;
		}
		add_series(y, CF_KIND_STOCK, &stocks);
	}
	check("flows", &flows);
	check("stocks", &stocks);
	return tap_done();
}
