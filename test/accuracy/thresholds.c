/*
 * thresholds.c
 *		When a stock reaches a threshold: how good the chances and the ranges are.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/cf_reach.h"
#include "measure.h"

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
	int			half = measure_half(task->series->id);
	int			earliest;
	int			latest;
	double		growth;
	double		start;
	double	   *work;

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
	work = measure_workspace(cf_reach_worksize(task->n, task->h));
	start = measure_seconds();
	if (cf_reach(y, task->n, &o, NULL, work, probability, &reach) != CF_OK)
		return;
	tally->seconds += measure_seconds() - start;
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

void
thresholds(const Data *data)
{
	ReachTally	tally[7];

	memset(tally, 0, sizeof(tally));
	printf("\nThresholds: last value and the growth of the last 0.6 h days; chance of crossing by h/4, h/2, 3h/4, h\n");
	printf("%-10s %5s %8s %8s %8s %8s %8s %8s\n", "", "n", "Brier", "yes/no", "in 80 %", "half A", "half B", "us each");
	for (int i = 0; i < data->n_tasks; i++)
	{
		const Task *task = &data->tasks[i];
		int			from = task->origin - task->n + 1;

		if (!task->is_stock || from < 0 || task->origin + task->h >= task->series->n)
			continue;
		measure_reach(task, task->series->value + from, task->series->value + task->origin + 1, &tally[cell_of(task)]);
	}
	for (int cell = 0; cell < 7; cell++)
	{
		const ReachTally *t = &tally[cell];
		char		name[16] = "ALL";

		if (cell < 6)
			snprintf(name, sizeof(name), "n=%d", cell_lengths[cell]);
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
		printf("%d0 %%: n %4d said %.3f came %.3f off by %+.3f\n", b, tally[6].bin_n[b],
			   tally[6].bin_said[b] / tally[6].bin_n[b],
			   tally[6].bin_came[b] / tally[6].bin_n[b], (tally[6].bin_came[b] - tally[6].bin_said[b]) / tally[6].bin_n[b]);
}

