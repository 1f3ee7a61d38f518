/* Season search, decomposition, change points. */
#include "core/engine/cf_change.h"
#include "core/engine/cf_decompose.h"
#include "core/engine/cf_season.h"
#include "core/models/cf_index.h"
#include "made.h"
#include "tap.h"

#define N 140

static CfSeason
season_of(const double *y, int n, int hint)
{
	CfSeason	s;
	double	   *work = tap_memory(cf_season_worksize(n, hint));

	if (cf_season_detect(y, n, hint, NULL, work, &s) != CF_OK)
		s.period = -1;
	free(work);
	return s;
}

static void
test_season(void)
{
	double		y[N];
	CfSeason	s;
	int			false_alarms = 0;

	made_flow(y, N, 10.0, 0.05, 2.0, 0.5, 21);
	s = season_of(y, N, 0);
	ok(s.period == 7 && s.strength > 0.7, "a week among trend and noise: period %d, strength %.2f", s.period, s.strength);
	ok(season_of(y, N, 7).period == 7 && season_of(y, N, 5).period == 1, "a hint is tested, not believed");
	ok(season_of(y, N, 1).period == 1, "none is looked for when there can be none");
	for (uint64_t seed = 1; seed <= 200; seed++)
	{
		made_flow(y, N, 10.0, 0.0, 0.0, 1.0, seed);
		false_alarms += season_of(y, N, 7).period > 1;
	}
	ok(false_alarms <= 8, "noise has a week in %d of 200 (2 expected)", false_alarms);
	ok(season_of(y, 3, 0).period == -1, "three values are too few");
}

static void
test_index(void)
{
	double		y[28];
	double		index[7];
	double		work[300];
	CfIndex		info;

	for (int t = 0; t < 28; t++)
		y[t] = 10.0 + (t % 7 == 0 ? 6.0 : -1.0);
	cf_index_estimate(y, NULL, 28, 7, false, 1.0, NULL, work, index, &info);
	near_to(index[0], 6.0, 1e-9, "a pattern without noise is found as it is");
	near_to(index[3], -1.0, 1e-9, "on every day");
	cf_index_estimate(y, NULL, 28, 7, true, 1.0, NULL, work, index, &info);
	ok(info.is_multiplicative == 1 || info.is_multiplicative == 0, "factors are allowed");
	cf_index_estimate(y, NULL, 13, 7, false, 1.0, NULL, work, index, &info);
	ok(info.period == 1, "less than two periods have no season");
}

static void
test_decompose(void)
{
	double		y[N];
	double		part[4][N];
	double	   *work = tap_memory(cf_decompose_worksize(N, 7));
	CfDecomposeOptions options = {0};
	double		worst = 0.0;
	double		week = 0.0;

	made_flow(y, N, 100.0, 0.2, 10.0, 1.0, 8);
	y[50] = (double) NAN;
	ok(cf_decompose(y, N, 7, &options, NULL, work, part[0], part[1], part[2], part[3]) == CF_OK, "decompose");
	for (int t = 0; t < N; t++)
		if (t != 50)
			worst = fmax(worst, fabs(part[0][t] + part[1][t] + part[2][t] + part[3][t] - y[t]));
	ok(worst < 1e-10, "the parts add up (to %g)", worst);
	ok(part[3][50] == 0.0 && fabs(part[0][50] + part[1][50] + part[2][50] - 110.0) < 12.0, "a gap gets a value");
	for (int t = 0; t < 7; t++)
		week += part[2][t];
	near_to(week, 0.0, 1e-9, "the season sums to 0 over a week");
	ok(part[2][3] == part[2][10] && part[0][3] == part[0][100], "season repeats, level stays");
	ok(fabs(part[1][120] - part[1][20] - 20.0) < 3.0, "the trend is the slope's");
	free(work);
}

static void
test_change(void)
{
	double		y[N];
	CfChange	changes[4];
	int			n;
	int			false_alarms = 0;
	double	   *work = tap_memory(cf_change_worksize(N));

	made_flow(y, N, 100.0, 0.0, 10.0, 1.0, 5);
	for (int t = 90; t < N; t++)
		y[t] += 50.0;
	ok(cf_change_detect(y, N, 7, 4, NULL, work, changes, &n) == CF_OK && n >= 1, "a jump is found");
	ok(changes[0].kind == CF_CHANGE_LEVEL && changes[0].index == 90 && fabs(changes[0].size - 50.0) < 3.0,
	   "on its day: %d, and of its size: %.1f", changes[0].index, changes[0].size);
	for (int t = 0; t < N; t++)
		y[t] = t < 70 ? t : 70 + 5.0 * (t - 70);
	cf_change_detect(y, N, 1, 4, NULL, work, changes, &n);
	ok(n >= 1 && changes[0].kind == CF_CHANGE_SLOPE && abs(changes[0].index - 70) <= 2
	   && fabs(changes[0].size - 4.0) < 0.5, "a bend is found: %d changes, at %d by %.2f", n, changes[0].index, changes[0].size);
	for (int t = 0; t < N; t++)
		y[t] = 3.0 * t;
	cf_change_detect(y, N, 1, 4, NULL, work, changes, &n);
	ok(n == 0, "a line has none");
	for (uint64_t seed = 1; seed <= 100; seed++)
	{
		made_flow(y, N, 100.0, 0.3, 5.0, 2.0, seed);
		cf_change_detect(y, N, 7, 4, NULL, work, changes, &n);
		false_alarms += n > 0;
	}
	ok(false_alarms <= 10, "trend, week and noise have some in %d of 100", false_alarms);
	free(work);
}

int
main(void)
{
	test_season();
	test_index();
	test_decompose();
	test_change();
	return tap_done();
}
