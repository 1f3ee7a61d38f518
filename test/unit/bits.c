/*
 * bits.c
 *		Prints the exact bits of results of every part of the core, to compare builds.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/cf_change.h"
#include "core/engine/cf_decompose.h"
#include "core/engine/cf_forecast.h"
#include "core/engine/cf_reach.h"
#include "core/engine/cf_season.h"
#include "core/models/cf_slope.h"
#include "made.h"

#define H 30

static void
print_bits(const char *what, const double *v, int n)
{
	printf("%s", what);
	for (int i = 0; i < n; i++)
	{
		uint64_t	bits;

		memcpy(&bits, &v[i], sizeof(bits));
		printf(" %016" PRIx64, bits);
	}
	printf("\n");
}

static double *
memory(size_t doubles)
{
	double	   *m = malloc(doubles * sizeof(double));

	if (m == NULL)
		exit(2);
	return m;
}

static void
print_forecasts(const double *y, int n, CfKind kind)
{
	static const double levels[2] = {0.80, 0.95};
	double		yhat[H];
	double		lower[2 * H];
	double		upper[2 * H];
	double	   *work = memory(cf_forecast_worksize(n, H));

	for (int model = 0; model < CF_MODEL_COUNT; model++)
	{
		CfOptions	o;
		CfForecastInfo info;

		cf_options_init(&o);
		o.kind = kind;
		o.model = (CfModel) model;
		o.season_hint = model % 2 == 0 ? 7 : 0;
		if (cf_forecast(y, n, &o, H, levels, 2, NULL, work, yhat, lower, upper, &info) != CF_OK)
			continue;
		print_bits(cf_model_entry((CfModel) model)->name, yhat, H);
		print_bits("lower", lower, 2 * H);
		print_bits("upper", upper, 2 * H);
	}
	free(work);
}

static void
print_rest(const double *y, int n, CfKind kind)
{
	CfReachOptions o = {.threshold = y[n - 1] * 1.05 + 10.0, .direction = CF_UPWARD, .horizon = H,
		.confidence_level = 0.8, .kind = kind, .season_hint = 7, .seed = 42};
	CfReach		reach;
	CfSeason	season;
	CfChange	changes[5];
	double		probability[H];
	double		line[2];
	int			n_changes;
	double	   *work = memory(cf_reach_worksize(n, H) + cf_change_worksize(n) + cf_decompose_worksize(n, 7)
							  + cf_season_worksize(n, 0) + cf_slope_worksize(n));
	double	   *part = memory(4 * (size_t) n);
	CfDecomposeOptions parts = {true, 7, true, 7000};

	if (cf_reach(y, n, &o, NULL, work, probability, &reach) == CF_OK)
		print_bits("reach", probability, H);
	if (cf_season_detect(y, n, 0, NULL, work, &season) == CF_OK)
		print_bits("season", &season.z, 1);
	if (cf_change_detect(y, n, 7, 5, NULL, work, changes, &n_changes) == CF_OK)
		for (int i = 0; i < n_changes; i++)
			print_bits("change", &changes[i].size, 2);
	if (cf_decompose(y, n, 7, &parts, NULL, work, part, part + n, part + 2 * n, part + 3 * n) == CF_OK)
		print_bits("parts", part, 4 * n);
	if (cf_slope_robust(y, n, work, &line[0], &line[1]) == CF_OK)
		print_bits("line", line, 2);
	free(work);
	free(part);
}

/* The same with a year in it, of days. */
static void
print_calendar(double *y, int n)
{
	static const double levels[2] = {0.80, 0.95};
	double		yhat[H];
	double		lower[2 * H];
	double		upper[2 * H];
	double		probability[H];
	double	   *work = memory(cf_forecast_worksize(n, H) + cf_reach_worksize(n, H));
	CfReachOptions r = {.threshold = y[n - 1] + 30.0, .direction = CF_UPWARD, .horizon = H, .confidence_level = 0.8,
		.kind = CF_KIND_FLOW, .season_hint = 7, .has_days = true, .first_day = 7000, .seed = 42};
	CfReach		reach;
	CfOptions	o;
	CfForecastInfo info;

	for (int t = 0; t < n; t++)
		y[t] += t % 365 < 150 ? 60.0 : 0.0;
	cf_options_init(&o);
	o.kind = CF_KIND_FLOW;
	o.season_hint = 7;
	o.has_days = true;
	o.first_day = 7000;
	if (cf_forecast(y, n, &o, H, levels, 2, NULL, work, yhat, lower, upper, &info) == CF_OK)
	{
		print_bits("calendar", yhat, H);
		print_bits("lower", lower, 2 * H);
		print_bits("upper", upper, 2 * H);
	}
	if (cf_reach(y, n, &r, NULL, work, probability, &reach) == CF_OK)
		print_bits("reach", probability, H);
	free(work);
}

int
main(void)
{
	static const int lengths[] = {5, 14, 29, 90, 365, 1000};
	static double y[1000];

	for (int i = 0; i < 6; i++)
	{
		int			n = lengths[i];

		made_flow(y, n, 100.0, 0.1, 20.0, 5.0, (uint64_t) n);
		print_forecasts(y, n, CF_KIND_FLOW);
		print_forecasts(y, n, CF_KIND_AUTO);
		print_rest(y, n, CF_KIND_FLOW);
		print_calendar(y, n);
		made_stock(y, n, 1000.0, 3.0, (uint64_t) n);
		print_forecasts(y, n, CF_KIND_STOCK);
		print_rest(y, n, CF_KIND_STOCK);
	}
	return 0;
}
