/*
 * thresholds.c
 *		When a series reaches a threshold: how good the chances and the ranges are.
 *
 * Of stocks the threshold is the last value and the growth of the last 0.6 h steps; of flows a tenth above the highest
 * of the last 28 values.  Neither knows what came.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/cf_reach.h"
#include "measure.h"

#define BACK 28

typedef struct ReachTally
{
	int			n;				/* forecasts */
	double		brier;			/* summed over four dates each */
	double		came;			/* the same, of what came */
	int			covered;
	int			half_covered[2];
	int			n_half[2];
	double		half_brier[2];
	double		seconds;
	double		bin_said[10];
	double		bin_came[10];
	int			bin_n[10];
} ReachTally;

typedef struct ReachCase
{
	const char *id;
	bool		is_stock;
	int			season;
	const double *y;
	int			n;
	const double *actual;
	int			h;
} ReachCase;

/* The first of actual[h] at or above the threshold, from 1; h + 1: none. */
static int
first_crossing(const double *actual, int h, double threshold)
{
	for (int k = 0; k < h; k++)
		if (actual[k] >= threshold)
			return k + 1;
	return h + 1;
}

/* NaN: none is above the last value. */
static double
choose_threshold(const ReachCase *c)
{
	int			back = c->is_stock ? (int) (0.6 * c->h) : BACK;
	double		last = c->y[c->n - 1];
	double		top = last;

	back = back >= c->n ? c->n - 1 : back;
	if (c->is_stock)
		top = last + (last - c->y[c->n - 1 - back]);
	else
	{
		for (int t = c->n - back; t < c->n; t++)
			top = c->y[t] > top ? c->y[t] : top;
		top *= 1.1;
	}
	return top > last ? top : (double) NAN;
}

static void
measure_reach(const ReachCase *c, ReachTally *tally)
{
	static double probability[CF_REACH_MAX_HORIZON];
	CfReachOptions o = {0};
	CfReach		reach;
	int			crossing;
	int			half = measure_half(c->id);
	int			earliest;
	int			latest;
	double		start;
	double	   *work;

	o.threshold = choose_threshold(c);
	if (isnan(o.threshold))
		return;
	o.direction = CF_UPWARD;
	o.horizon = c->h;
	o.confidence_level = 0.80;
	o.kind = c->is_stock ? CF_KIND_STOCK : CF_KIND_FLOW;
	o.season_hint = c->season;
	o.seed = 42;
	work = measure_workspace(cf_reach_worksize(c->n, c->h));
	start = measure_seconds();
	if (cf_reach(c->y, c->n, &o, NULL, work, probability, &reach) != CF_OK)
		return;
	tally->seconds += measure_seconds() - start;
	tally->n++;
	crossing = first_crossing(c->actual, c->h, o.threshold);
	for (int i = 1; i <= 4; i++)
	{
		int			by = i * c->h / 4;
		double		p = probability[by - 1];
		double		came = crossing <= by;
		int			bin = p >= 1.0 ? 9 : (int) (10.0 * p);

		tally->brier += (p - came) * (p - came);
		tally->half_brier[half] += (p - came) * (p - came);
		tally->came += came;
		tally->bin_said[bin] += p;
		tally->bin_came[bin] += came;
		tally->bin_n[bin]++;
	}
	earliest = reach.earliest < 0 ? c->h + 1 : reach.earliest;
	latest = reach.latest < 0 ? c->h + 1 : reach.latest;
	tally->covered += earliest <= crossing && crossing <= latest;
	tally->half_covered[half] += earliest <= crossing && crossing <= latest;
	tally->n_half[half]++;
}

static void
print_row(const char *name, const ReachTally *t)
{
	double		rate = t->came / (4 * t->n);

	printf("%-14s %5d %8.4f %8.4f %8.4f %8.4f %8.3f %8.3f %8.3f %8.1f\n", name, t->n, t->brier / (4 * t->n),
		   rate * (1.0 - rate), t->half_brier[0] / (4 * t->n_half[0]), t->half_brier[1] / (4 * t->n_half[1]),
		   (double) t->covered / t->n, (double) t->half_covered[0] / t->n_half[0],
		   (double) t->half_covered[1] / t->n_half[1], 1e6 * t->seconds / t->n);
}

static void
add(const ReachTally *from, ReachTally *to)
{
	to->n += from->n;
	to->brier += from->brier;
	to->came += from->came;
	to->covered += from->covered;
	to->seconds += from->seconds;
	for (int h = 0; h < 2; h++)
	{
		to->half_covered[h] += from->half_covered[h];
		to->half_brier[h] += from->half_brier[h];
		to->n_half[h] += from->n_half[h];
	}
	for (int b = 0; b < 10; b++)
	{
		to->bin_said[b] += from->bin_said[b];
		to->bin_came[b] += from->bin_came[b];
		to->bin_n[b] += from->bin_n[b];
	}
}

/* The tasks of capdaily by length of history: cells 0 to 5. */
static void
measure_daily(const Data *data, bool is_stock, ReachTally *tally)
{
	for (int i = 0; i < data->n_tasks; i++)
	{
		const Task *task = &data->tasks[i];
		int			from = task->origin - task->n + 1;
		ReachCase	c = {task->series->id, is_stock, 7, task->series->value + from, task->n,
			task->series->value + task->origin + 1, task->h};

		if (task->is_stock == is_stock && from >= 0 && task->origin + task->h < task->series->n
			&& !isnan(c.y[task->n - 1]))
			measure_reach(&c, &tally[cell_of(task)]);
	}
}

static void
measure_fresh(const Data *data, bool is_stock, ReachTally *tally)
{
	for (int i = 0; i < data->n_fresh; i++)
	{
		const FreshTask *t = &data->fresh[i];
		ReachCase	c = {t->series, is_stock, t->season, t->history, t->n, t->future, t->h};

		if (t->is_stock == is_stock && t->freq == 'D' && !isnan(c.y[t->n - 1]))
			measure_reach(&c, tally);
	}
}

static void
table(const Data *data, bool is_stock)
{
	ReachTally	daily[N_CELLS + 1];
	ReachTally	fresh;
	ReachTally	all;

	memset(daily, 0, sizeof(daily));
	memset(&fresh, 0, sizeof(fresh));
	memset(&all, 0, sizeof(all));
	printf("\nThresholds of %s; chance of crossing by h/4, h/2, 3h/4, h\n", is_stock ? "stocks" : "flows");
	printf("%-14s %5s %8s %8s %8s %8s %8s %8s %8s %8s\n", "", "n", "Brier", "base", "half A", "half B", "in 80 %", "half A",
		   "half B", "us each");
	measure_daily(data, is_stock, daily);
	measure_fresh(data, is_stock, &fresh);
	for (int cell = 0; cell < N_CELLS; cell++)
	{
		char		name[16];

		snprintf(name, sizeof(name), "n=%d", cell_lengths[cell]);
		print_row(name, &daily[cell]);
		add(&daily[cell], &daily[N_CELLS]);
	}
	print_row("capdaily", &daily[N_CELLS]);
	print_row("fresh", &fresh);
	add(&daily[N_CELLS], &all);
	add(&fresh, &all);
	print_row("ALL", &all);
	printf("Reliability: chance said, share that came, by tenths\n");
	for (int b = 0; b < 10; b++)
		if (all.bin_n[b] > 0)
			printf("%d0 %%: n %4d said %.3f came %.3f off by %+.3f\n", b, all.bin_n[b], all.bin_said[b] / all.bin_n[b],
				   all.bin_came[b] / all.bin_n[b], (all.bin_came[b] - all.bin_said[b]) / all.bin_n[b]);
}

void
thresholds(const Data *data)
{
	table(data, true);
	table(data, false);
}
