/*
 * fresh.c
 *		Forecasts of fresh_tasks.csv: given and inferred kind, beside the best of other methods, and coverage.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/cf_forecast.h"
#include "core/engine/cf_score.h"
#include "measure.h"

#define MAX_H 1000
#define MAX_CELLS 64
#define FEWEST 30				/* tasks of a cell that stands alone; smaller ones are pooled */

typedef struct CellTally
{
	char		name[40];
	int			n;
	int			n_mase;
	double		mase[2];		/* given, inferred */
	double		mase_half[2];	/* given, by half */
	int			n_half[2];
	double		covered[2];
	double		steps;
	double		ours[N_RIVALS];	/* on the tasks that the rival has */
	double		theirs[N_RIVALS];
	int			n_rival[N_RIVALS];
	double		seconds;
} CellTally;

static int
scale_lag(const FreshTask *t)
{
	return t->is_stock || t->freq == 'W' ? 1 : t->season;
}

static bool
forecast(const FreshTask *t, CfKind kind, CfScore *s80, CfScore *s95)
{
	static const double levels[2] = {0.80, 0.95};
	static double yhat[MAX_H];
	static double lower[2 * MAX_H];
	static double upper[2 * MAX_H];
	CfOptions	o;
	CfForecastInfo info;
	double		scale;
	double		square;

	cf_options_init(&o);
	o.kind = kind;
	o.season_hint = t->season;
	o.floor = 0.0;
	o.has_days = t->freq == 'D';
	o.first_day = t->first_day;
	if (cf_forecast(t->history, t->n, &o, t->h, levels, 2, NULL, measure_workspace(cf_forecast_worksize(t->n, t->h)), yhat,
					lower, upper, &info) != CF_OK)
		return false;
	cf_score_scale(t->history, t->n, scale_lag(t), &scale, &square);
	cf_score(t->future, yhat, lower, upper, t->h, 0.80, scale, square, s80);
	cf_score(t->future, yhat, lower + t->h, upper + t->h, t->h, 0.95, scale, square, s95);
	return s95->n > 0;
}

static void
measure(const FreshTask *t, CellTally *tally)
{
	CfScore		s80;
	CfScore		s95;
	CfScore		inferred;
	double		start = measure_seconds();
	int			half = measure_half(t->series);

	if (!forecast(t, t->is_stock ? CF_KIND_STOCK : CF_KIND_FLOW, &s80, &s95))
		return;
	tally->seconds += measure_seconds() - start;
	tally->n++;
	tally->covered[0] += s80.coverage * s80.n;
	tally->covered[1] += s95.coverage * s95.n;
	tally->steps += s95.n;
	if (isnan(s95.mase))
		return;
	tally->n_mase++;
	tally->mase[0] += s95.mase;
	tally->mase_half[half] += s95.mase;
	tally->n_half[half]++;
	for (int b = 0; b < N_RIVALS; b++)
	{
		if (isnan(t->mase[b]))
			continue;
		tally->ours[b] += s95.mase;
		tally->theirs[b] += t->mase[b];
		tally->n_rival[b]++;
	}
	if (forecast(t, CF_KIND_AUTO, &s80, &inferred))
		tally->mase[1] += inferred.mase;
}

static void
print_row(const CellTally *t)
{
	int			most = 0;
	int			best = -1;

	for (int b = 0; b < N_RIVALS; b++)
		most = t->n_rival[b] > most ? t->n_rival[b] : most;
	/* a rival that most of the tasks have */
	for (int b = 0; b < N_RIVALS; b++)
		if (t->n_rival[b] > 0.9 * most
			&& (best < 0 || t->ours[b] / t->theirs[b] > t->ours[best] / t->theirs[best]))
			best = b;
	printf("%-32s %4d %7.3f %7.3f %7.3f %7.3f %6.3f %6.3f", t->name, t->n, t->mase[0] / t->n_mase, t->mase[1] / t->n_mase,
		   t->n_half[0] > 0 ? t->mase_half[0] / t->n_half[0] : 0.0, t->n_half[1] > 0 ? t->mase_half[1] / t->n_half[1] : 0.0,
		   t->covered[0] / t->steps, t->covered[1] / t->steps);
	if (best >= 0)
		printf(" %-6s %4d %7.3f %6.3f", rival_names[best], t->n_rival[best], t->theirs[best] / t->n_rival[best],
			   t->ours[best] / t->theirs[best]);
	printf(" %7.0f\n", 1e6 * t->seconds / t->n);
}

static void
add(const CellTally *from, CellTally *to)
{
	to->n += from->n;
	to->n_mase += from->n_mase;
	to->steps += from->steps;
	to->seconds += from->seconds;
	for (int i = 0; i < 2; i++)
	{
		to->mase[i] += from->mase[i];
		to->mase_half[i] += from->mase_half[i];
		to->n_half[i] += from->n_half[i];
		to->covered[i] += from->covered[i];
	}
	for (int b = 0; b < N_RIVALS; b++)
	{
		to->ours[b] += from->ours[b];
		to->theirs[b] += from->theirs[b];
		to->n_rival[b] += from->n_rival[b];
	}
}

static CellTally *
find(CellTally *cells, int *n, const char *name)
{
	for (int i = 0; i < *n; i++)
		if (strcmp(cells[i].name, name) == 0)
			return &cells[i];
	if (*n == MAX_CELLS)
		exit(2);
	memset(&cells[*n], 0, sizeof(CellTally));
	snprintf(cells[*n].name, sizeof(cells[*n].name), "%s", name);
	return &cells[(*n)++];
}

void
forecasts_fresh(const Data *data)
{
	CellTally	cells[MAX_CELLS];
	CellTally	small = {.name = "smaller cells"};
	CellTally	flows = {.name = "daily flows"};
	CellTally	stocks = {.name = "daily stocks"};
	int			n_cells = 0;

	printf("\nFresh tasks: MASE with the kind given and inferred, both halves, coverage; the best rival on the tasks it has\n");
	printf("%-32s %4s %7s %7s %7s %7s %6s %6s %-6s %4s %7s %6s %7s\n", "", "n", "given", "infer.", "half A", "half B", "cov80", "cov95",
		   "rival", "n", "its", "ratio", "us each");
	for (int i = 0; i < data->n_fresh; i++)
		measure(&data->fresh[i], find(cells, &n_cells, data->fresh[i].cell));
	for (int c = 0; c < n_cells; c++)
	{
		if (cells[c].n >= FEWEST)
			print_row(&cells[c]);
		else
			add(&cells[c], &small);
		if (strstr(cells[c].name, " stock ") != NULL)
			add(&cells[c], &stocks);
		else if (strstr(cells[c].name, " flow ") != NULL)
			add(&cells[c], &flows);
	}
	print_row(&small);
	print_row(&flows);
	print_row(&stocks);
}
