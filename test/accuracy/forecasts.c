/*
 * forecasts.c
 *		Point forecasts and intervals: errors, coverage, time.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/cf_forecast.h"
#include "core/engine/cf_score.h"
#include "measure.h"
#include "reader.h"

#define MAX_H 1000

typedef struct Tally
{
	int			n;
	int			n_half[2];
	double		smape;
	double		mase;
	double		mase_half[2];
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

/* A score, and where it belongs. */
typedef struct Measured
{
	CfScore		s80;
	CfScore		s95;
} Measured;

static void
add_score(const char *id, const Measured *m, const Task *task, Tally *tally)
{
	int			half = measure_half(id);

	tally->n++;
	tally->smape += m->s95.smape;
	tally->covered[0] += m->s80.coverage * m->s80.n;
	tally->covered[1] += m->s95.coverage * m->s95.n;
	tally->steps += m->s95.n;
	if (isnan(m->s95.mase))
		return;
	tally->n_mase++;
	tally->mase += m->s95.mase;
	tally->msis += m->s95.msis;
	tally->mase_half[half] += m->s95.mase;
	tally->n_half[half]++;
	for (int b = 0; task != NULL && b < N_BASELINES; b++)
	{
		if (isnan(task->mase[b]))
			continue;
		tally->ours[b] += m->s95.mase;
		tally->theirs[b] += task->mase[b];
		tally->our_msis[b] += m->s95.msis;
		tally->their_msis[b] += task->msis[b];
	}
}

/* What one forecast is made of and compared with. */
typedef struct Case
{
	const char *id;
	const double *y;
	int			n;
	const double *actual;
	int			h;
	int			lag;			/* of the scale */
	const Task *task;			/* NULL: M3 */
	CfOptions	options;
} Case;

static void
measure(const Case *c, Tally *tally)
{
	static const double levels[2] = {0.80, 0.95};
	static double yhat[MAX_H];
	static double lower[2 * MAX_H];
	static double upper[2 * MAX_H];
	CfForecastInfo info;
	CfStatus	status;
	Measured	m;
	double		scale;
	double		square;
	double	   *work = measure_workspace(cf_forecast_worksize(c->n, c->h));
	double		start = measure_seconds();

	status = cf_forecast(c->y, c->n, &c->options, c->h, levels, 2, NULL, work, yhat, lower, upper, &info);
	tally->seconds += measure_seconds() - start;
	if (status != CF_OK)
	{
		printf("# %s: %s\n", c->id, cf_status_text(status));
		return;
	}
	for (int k = 0; k < c->h; k++)
		if (!isfinite(yhat[k]) || !isfinite(lower[c->h + k]) || !isfinite(upper[c->h + k]))
			printf("# %s: not finite\n", c->id);
	cf_score_scale(c->y, c->n, c->lag, &scale, &square);
	cf_score(c->actual, yhat, lower, upper, c->h, 0.80, scale, square, &m.s80);
	cf_score(c->actual, yhat, lower + c->h, upper + c->h, c->h, 0.95, scale, square, &m.s95);
	if (m.s95.n > 0)
		add_score(c->id, &m, c->task, tally);
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

void
forecasts_m3(const Data *data, CfModel model)
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
		Case		c;
		int			g = 0;

		while (g < 3 && strcmp(names[g], s->group) != 0)
			g++;
		c = (Case) {.id = s->id, .y = s->value, .n = s->n, .actual = s->value + s->n, .h = s->horizon, .lag = s->season};
		cf_options_init(&c.options);
		c.options.model = model;
		c.options.season_hint = s->season;
		measure(&c, &tally[g]);
	}
	for (int g = 0; g < 4; g++)
	{
		add_tally(&tally[g], &tally[4]);
		print_m3_row(names[g], &tally[g]);
	}
	print_m3_row("ALL", &tally[4]);
}

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

void
forecasts_daily(const Data *data, CfModel model, bool is_stock)
{
	Tally		tally[7];

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
		int			from = task->origin - task->n + 1;
		Case		c = {.id = s->id, .y = s->value + from, .n = task->n, .h = task->h, .lag = is_stock ? 1 : 7, .task = task};
		double	   *actual;

		if (task->is_stock != is_stock || from < 0)
			continue;
		actual = calloc((size_t) task->h, sizeof(double));
		if (actual == NULL)
			exit(2);
		for (int k = 0; k < task->h; k++)
			actual[k] = task->origin + 1 + k < s->n ? s->value[task->origin + 1 + k] : (double) NAN;
		c.actual = actual;
		cf_options_init(&c.options);
		c.options.model = model;
		c.options.kind = is_stock ? CF_KIND_STOCK : CF_KIND_FLOW;
		c.options.season_hint = 7;
		c.options.has_days = true;
		c.options.first_day = s->first_day + from - reader_day("2000-01-01");
		c.options.floor = 0.0;
		measure(&c, &tally[cell_of(task)]);
		free(actual);
	}
	for (int cell = 0; cell < 6; cell++)
	{
		char		name[16];

		snprintf(name, sizeof(name), "n=%d", cell_lengths[cell]);
		print_daily_row(name, &tally[cell]);
		add_tally(&tally[cell], &tally[6]);
	}
	print_daily_row("ALL", &tally[6]);
}

