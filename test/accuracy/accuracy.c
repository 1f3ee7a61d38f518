/*
 * accuracy.c
 *		Measures the engine on real series: accuracy DIR [MODEL]
 *
 * DIR holds m3_info.csv, m3_long.csv, capdaily_info.csv, capdaily_long.csv,
 * capdaily_tasks.csv and capdaily_baselines.csv, plain or .gz: the 3003 series of the M3 competition; daily
 * series with rolling origins, and the scores of other methods on the same tasks.
 * Prints a table per question; every figure comes with the number of forecasts behind it.
 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/cf_forecast.h"
#include "core/cf_reach.h"
#include "core/cf_score.h"
#include "data.h"

static CfModel model = CF_MODEL_AUTO;
static double *work;
static size_t work_size;

typedef struct Tally
{
	int			n;
	int			n_half[2];
	double		smape;
	double		mase;
	double		mase_half[2];	/* by a hash of the series' name: a figure that holds in one half only is luck */
	int			n_mase;
	double		covered[2];		/* of the steps, at 80 and 95 % */
	double		steps;
	double		msis;
	int			n_msis;
	double		seconds;
	double		ours[N_BASELINES];	/* sums over the tasks that the baseline has */
	double		theirs[N_BASELINES];
	double		our_msis[N_BASELINES];
	double		their_msis[N_BASELINES];
} Tally;

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

static int
half_of(const char *id)
{
	unsigned	hash = 2166136261u;

	for (; *id != '\0'; id++)
		hash = (hash ^ (unsigned char) *id) * 16777619u;
	return (int) (hash >> 16 & 1u);
}

static double *
workspace(size_t size)
{
	if (size > work_size)
	{
		free(work);
		work = malloc(size * sizeof(double));
		work_size = size;
	}
	return work;
}

/* One forecast, scored and added to the tally. */
static void
measure(const char *id, const double *y, int n, const double *actual, int h, int season, CfKind kind, int lag,
		const Task *task, Tally *tally)
{
	static const double levels[2] = {0.80, 0.95};
	static double yhat[CF_REACH_MAX_HORIZON];
	static double lower[2 * CF_REACH_MAX_HORIZON];
	static double upper[2 * CF_REACH_MAX_HORIZON];
	CfOptions	options;
	CfForecastInfo info;
	CfStatus	status;
	CfScore		s80;
	CfScore		s95;
	double		scale;
	double		square;
	double		start;

	cf_options_init(&options);
	options.kind = kind;
	options.model = model;
	options.season_hint = season;
	if (task != NULL)
		options.floor = 0.0;
	workspace(cf_forecast_worksize(n, h));
	start = seconds();
	status = cf_forecast(y, n, &options, h, levels, 2, NULL, work, yhat, lower, upper, &info);
	tally->seconds += seconds() - start;
	if (status != CF_OK)
	{
		printf("# %s: %s\n", id, cf_status_text(status));
		return;
	}
	for (int k = 0; k < h; k++)
		if (!isfinite(yhat[k]) || !isfinite(lower[k]) || !isfinite(upper[h + k]))
			printf("# %s: not finite\n", id);
	cf_score_scale(y, n, lag, &scale, &square);
	cf_score(actual, yhat, lower, upper, h, 0.80, scale, square, &s80);
	cf_score(actual, yhat, lower + h, upper + h, h, 0.95, scale, square, &s95);
	if (s95.n == 0)
		return;
	tally->n++;
	tally->smape += s95.smape;
	tally->covered[0] += s80.coverage * s80.n;
	tally->covered[1] += s95.coverage * s95.n;
	tally->steps += s95.n;
	if (isnan(s95.mase))
		return;
	tally->n_mase++;
	tally->mase += s95.mase;
	tally->msis += s95.msis;
	tally->mase_half[half_of(id)] += s95.mase;
	tally->n_half[half_of(id)]++;
	for (int b = 0; task != NULL && b < N_BASELINES; b++)
	{
		if (isnan(task->mase[b]))
			continue;
		tally->ours[b] += s95.mase;
		tally->theirs[b] += task->mase[b];
		tally->our_msis[b] += s95.msis;
		tally->their_msis[b] += task->msis[b];
	}
	if (getenv("DUMP"))
		printf("DUMP %s %d %d %d %g %g %g %d\n", id, task ? task->origin : 0, n, h, s95.smape, s95.mase, task ? task->mase[2] : 0.0, info.kind);
}

static void
print_m3_row(const char *name, const Tally *t)
{
	printf("%-10s %5d %8.3f %7.3f %7.3f %7.3f %7.2f %6.3f %6.3f %8.1f\n", name, t->n, t->smape / t->n,
		   t->mase / t->n_mase, t->mase_half[0] / t->n_half[0], t->mase_half[1] / t->n_half[1],
		   t->msis / t->n_mase, t->covered[0] / t->steps, t->covered[1] / t->steps, 1e6 * t->seconds / t->n);
}

static void
add_tally(const Tally *from, Tally *to)
{
	const double *a = &from->smape;

	(void) a;
	to->n += from->n;
	to->smape += from->smape;
	to->mase += from->mase;
	to->n_mase += from->n_mase;
	to->msis += from->msis;
	to->steps += from->steps;
	to->seconds += from->seconds;
	for (int i = 0; i < 2; i++)
	{
		to->n_half[i] += from->n_half[i];
		to->mase_half[i] += from->mase_half[i];
		to->covered[i] += from->covered[i];
	}
	for (int b = 0; b < N_BASELINES; b++)
	{
		to->ours[b] += from->ours[b];
		to->theirs[b] += from->theirs[b];
		to->our_msis[b] += from->our_msis[b];
		to->their_msis[b] += from->their_msis[b];
	}
}

static void
run_m3(const Data *data)
{
	static const char *const names[4] = {"YEARLY", "QUARTERLY", "MONTHLY", "OTHER"};
	Tally		tally[5];

	memset(tally, 0, sizeof(tally));
	printf("M3: errors of the %d series, seconds on this machine\n", data->n_m3);
	printf("%-10s %5s %8s %7s %7s %7s %7s %6s %6s %8s\n", "", "n", "sMAPE", "MASE", "half A", "half B", "MSIS95", "cov80",
		   "cov95", "us each");
	for (int i = 0; i < data->n_m3; i++)
	{
		const Series *s = &data->m3[i];
		int			g = 0;

		while (g < 3 && strcmp(names[g], s->group) != 0)
			g++;
		measure(s->id, s->value, s->n, s->value + s->n, s->horizon, s->season, CF_KIND_AUTO, s->season, NULL, &tally[g]);
	}
	for (int g = 0; g < 4; g++)
	{
		add_tally(&tally[g], &tally[4]);
		print_m3_row(names[g], &tally[g]);
	}
	print_m3_row("ALL", &tally[4]);
}

static const int lengths[6] = {14, 28, 60, 90, 180, 365};

static void
print_daily_row(const char *name, const Tally *t)
{
	printf("%-10s %5d %8.3f %8.3f %8.3f", name, t->n, t->mase / t->n_mase, t->mase_half[0] / t->n_half[0],
		   t->mase_half[1] / t->n_half[1]);
	for (int b = 0; b < N_BASELINES; b++)
		printf(" %6.3f", t->ours[b] / t->theirs[b]);
	printf(" %6.3f %6.3f %8.2f %6.3f %8.1f\n", t->covered[0] / t->steps, t->covered[1] / t->steps, t->msis / t->n_mase,
		   t->our_msis[2] / t->their_msis[2], 1e6 * t->seconds / t->n);
}

static void
run_daily(const Data *data, bool is_stock)
{
	Tally		tally[7];
	double		worst = 0.0;

	memset(tally, 0, sizeof(tally));
	printf("\nDaily %s: MASE, its ratio to the mean MASE of each baseline on the same tasks, coverage\n",
		   is_stock ? "stocks" : "flows");
	printf("%-10s %5s %8s %8s %8s", "", "n", "MASE", "half A", "half B");
	for (int b = 0; b < N_BASELINES; b++)
		printf(" /%5s", baseline_names[b]);
	printf(" %6s %6s %8s %6s %8s\n", "cov80", "cov95", "MSIS95", "/ets", "us each");
	for (int i = 0; i < data->n_tasks; i++)
	{
		const Task *task = &data->tasks[i];
		const Series *s = task->series;
		int			cell = 0;
		int			from = task->origin - task->n + 1;
		double	   *actual;

		if (task->is_stock != is_stock || from < 0)
			continue;
		while (cell < 5 && lengths[cell] != task->n)
			cell++;
		actual = calloc((size_t) task->h, sizeof(double));
		for (int k = 0; k < task->h; k++)
			actual[k] = task->origin + 1 + k < s->n ? s->value[task->origin + 1 + k] : (double) NAN;
		measure(s->id, s->value + from, task->n, actual, task->h, 7, is_stock ? CF_KIND_STOCK : CF_KIND_FLOW,
				is_stock ? 1 : 7, task, &tally[cell]);
		free(actual);
	}
	for (int cell = 0; cell < 6; cell++)
	{
		char		name[16];
		double		c80 = tally[cell].covered[0] / tally[cell].steps - 0.80;
		double		c95 = tally[cell].covered[1] / tally[cell].steps - 0.95;

		if (fabs(c80) / 0.04 > worst)
			worst = fabs(c80) / 0.04;
		if (fabs(c95) / 0.03 > worst)
			worst = fabs(c95) / 0.03;
		snprintf(name, sizeof(name), "n=%d", lengths[cell]);
		print_daily_row(name, &tally[cell]);
		add_tally(&tally[cell], &tally[6]);
	}
	print_daily_row("ALL", &tally[6]);
}

typedef struct ReachTally
{
	int			n;				/* forecasts */
	double		brier;			/* summed over four dates each */
	double		brier_yes_no;	/* of last value + mean growth, taken for certain */
	int			covered;
	int			half_covered[2];
	int			n_half[2];
	double		seconds;
	double		bin_said[10];
	double		bin_came[10];
	int			bin_n[10];
} ReachTally;

/* The first of actual[h] at or above the threshold, from 1; h + 1: none. */
static int
first_crossing(const double *actual, int h, double threshold)
{
	for (int k = 0; k < h; k++)
		if (actual[k] >= threshold)
			return k + 1;
	return h + 1;
}

static void
measure_reach(const Task *task, const double *y, const double *actual, ReachTally *tally)
{
	static double probability[CF_REACH_MAX_HORIZON];
	CfReachOptions o = {0};
	CfReach		reach;
	int			back = (int) (0.6 * task->h);
	int			crossing;
	int			half = half_of(task->series->id);
	int			earliest;
	int			latest;
	double		growth;
	double		start;

	if (back >= task->n)
		back = task->n - 1;
	growth = y[task->n - 1] - y[task->n - 1 - back];
	if (!(growth > 0.0))
		return;
	o.threshold = y[task->n - 1] + growth;
	o.direction = CF_UPWARD;
	o.horizon = task->h;
	o.confidence_level = 0.80;
	o.kind = CF_KIND_STOCK;
	o.season_hint = 7;
	o.seed = 42;
	workspace(cf_reach_worksize(task->n, task->h));
	start = seconds();
	if (cf_reach(y, task->n, &o, NULL, work, probability, &reach) != CF_OK)
		return;
	tally->seconds += seconds() - start;
	tally->n++;
	crossing = first_crossing(actual, task->h, o.threshold);
	for (int i = 1; i <= 4; i++)
	{
		int			by = i * task->h / 4;
		double		p = probability[by - 1];
		double		came = crossing <= by;
		double		pace = (y[task->n - 1] - y[0]) / (task->n - 1);
		double		yes_no = growth <= pace * by;
		int			bin = p >= 1.0 ? 9 : (int) (10.0 * p);

		tally->brier += (p - came) * (p - came);
		tally->brier_yes_no += (yes_no - came) * (yes_no - came);
		tally->bin_said[bin] += p;
		tally->bin_came[bin] += came;
		tally->bin_n[bin]++;
	}
	earliest = reach.earliest < 0 ? task->h + 1 : reach.earliest;
	latest = reach.latest < 0 ? task->h + 1 : reach.latest;
	tally->covered += earliest <= crossing && crossing <= latest;
	tally->half_covered[half] += earliest <= crossing && crossing <= latest;
	tally->n_half[half]++;
}

static void
run_reach(const Data *data)
{
	ReachTally	tally[7];

	memset(tally, 0, sizeof(tally));
	printf("\nThresholds: last value and the growth of the last 0.6 h days; chance of crossing by h/4, h/2, 3h/4, h\n");
	printf("%-10s %5s %8s %8s %8s %8s %8s %8s\n", "", "n", "Brier", "yes/no", "in 80 %", "half A", "half B", "us each");
	for (int i = 0; i < data->n_tasks; i++)
	{
		const Task *task = &data->tasks[i];
		int			from = task->origin - task->n + 1;
		int			cell = 0;

		if (!task->is_stock || from < 0 || task->origin + task->h >= task->series->n)
			continue;
		while (cell < 5 && lengths[cell] != task->n)
			cell++;
		measure_reach(task, task->series->value + from, task->series->value + task->origin + 1, &tally[cell]);
	}
	for (int cell = 0; cell < 7; cell++)
	{
		const ReachTally *t = &tally[cell];
		char		name[16] = "ALL";

		if (cell < 6)
			snprintf(name, sizeof(name), "n=%d", lengths[cell]);
		printf("%-10s %5d %8.4f %8.4f %8.3f %8.3f %8.3f %8.1f\n", name, t->n, t->brier / (4 * t->n),
			   t->brier_yes_no / (4 * t->n), (double) t->covered / t->n, (double) t->half_covered[0] / t->n_half[0],
			   (double) t->half_covered[1] / t->n_half[1], 1e6 * t->seconds / t->n);
		if (cell == 6)
			break;
		tally[6].n += t->n;
		tally[6].brier += t->brier;
		tally[6].brier_yes_no += t->brier_yes_no;
		tally[6].covered += t->covered;
		tally[6].seconds += t->seconds;
		for (int h = 0; h < 2; h++)
		{
			tally[6].half_covered[h] += t->half_covered[h];
			tally[6].n_half[h] += t->n_half[h];
		}
		for (int b = 0; b < 10; b++)
		{
			tally[6].bin_said[b] += t->bin_said[b];
			tally[6].bin_came[b] += t->bin_came[b];
			tally[6].bin_n[b] += t->bin_n[b];
		}
	}
	printf("\nReliability: chance said, share that came, by tenths\n");
	for (int b = 0; b < 10; b++)
		printf("%d0 %%: n %4d said %.3f came %.3f off by %+.3f\n", b, tally[6].bin_n[b], tally[6].bin_said[b] / tally[6].bin_n[b],
			   tally[6].bin_came[b] / tally[6].bin_n[b], (tally[6].bin_came[b] - tally[6].bin_said[b]) / tally[6].bin_n[b]);
}

int
main(int argc, char **argv)
{
	Data		data;

	if (argc < 2 || argc > 3)
	{
		fprintf(stderr, "usage: accuracy DIR [MODEL]\n");
		return 2;
	}
	if (argc == 3 && (model = cf_model_by_name(argv[2])) == CF_MODEL_COUNT)
	{
		fprintf(stderr, "no model \"%s\"\n", argv[2]);
		return 2;
	}
	if (!data_read(argv[1], &data))
		return 1;
	run_m3(&data);
	run_daily(&data, false);
	run_daily(&data, true);
	run_reach(&data);
	return 0;
}
