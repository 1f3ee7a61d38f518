/*
 * calendar.c
 *		What the calendar gains: tasks with a year, hours and weeks, with holidays given; made series with and without one.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/cf_forecast.h"
#include "core/engine/cf_score.h"
#include "core/numerics/cf_num.h"
#include "core/time/cf_day_rule.h"
#include "measure.h"

#define MAX_H 400
#define MAX_NAMED 4000
#define FIRST_YEAR 2000
#define LAST_YEAR 2022

/* Of the country that most series of days are from, and of the one that those named opsd are from. */
static const char *const american[] = {"01-01", "3rd mon of 1", "3rd mon of 2", "last mon of 5", "07-04", "1st mon of 9",
	"2nd mon of 10", "11-11", "4th thu of 11", "12-25", NULL};
static const char *const german[] = {"01-01", "easter-2", "easter+1", "05-01", "easter+39", "easter+50", "10-03", "12-25",
	"12-26", NULL};

static CfNamedDay named[MAX_NAMED];

static int
compare_days(const void *a, const void *b)
{
	const CfNamedDay *p = a;
	const CfNamedDay *q = b;

	return p->day < q->day ? -1 : p->day > q->day ? 1 : p->name - q->name;
}

static int
name_days(const char *series)
{
	const char *const *rules = strncmp(series, "opsd", 4) == 0 ? german : american;
	int			n = 0;

	for (int i = 0; rules[i] != NULL; i++)
	{
		CfDayRule	rule;
		int64_t		day;

		if (!cf_day_rule_read(rules[i], &rule))
			continue;
		for (int year = FIRST_YEAR; year <= LAST_YEAR; year++)
			if (cf_day_rule_day(&rule, year, &day))
				named[n++] = (CfNamedDay) {day, i, 0};
	}
	qsort(named, (size_t) n, sizeof(CfNamedDay), compare_days);
	return n;
}

/* MASE of one forecast; with the calendar, or without. */
static double
mase_of(const double *y, int n, const double *future, int h, int lag, const CfOptions *o, bool is_plain, double *covered)
{
	static const double levels[2] = {0.80, 0.95};
	static double yhat[MAX_H];
	static double lower[2 * MAX_H];
	static double upper[2 * MAX_H];
	CfForecastInfo info;
	CfScore		score;
	double		scale;
	double		square;
	double	   *work = measure_workspace(cf_forecast_worksize(n, h));
	CfStatus	status = is_plain ? cf_forecast_plain(y, n, o, h, levels, 2, NULL, work, yhat, lower, upper, &info)
		: cf_forecast(y, n, o, h, levels, 2, NULL, work, yhat, lower, upper, &info);

	if (status != CF_OK)
		return (double) NAN;
	cf_score_scale(y, n, lag, &scale, &square);
	cf_score(future, yhat, lower, upper, h, 0.80, scale, square, &score);
	*covered = score.coverage;
	return score.mase;
}

typedef struct CalendarCell
{
	const char *name;
	int			n;
	double		with;
	double		named;			/* with holidays */
	double		without;
	double		covered;
} CalendarCell;

static void
measure_task(const FreshTask *t, CalendarCell *cell)
{
	CfOptions	o;
	double		covered;
	double		mase[3];

	cf_options_init(&o);
	o.kind = t->is_stock ? CF_KIND_STOCK : CF_KIND_FLOW;
	o.season_hint = t->season;
	o.floor = 0.0;
	o.has_days = t->freq == 'D';
	o.first_day = t->first_day;
	mase[0] = mase_of(t->history, t->n, t->future, t->h, t->freq == 'W' ? 1 : t->season, &o, true, &covered);
	mase[1] = mase_of(t->history, t->n, t->future, t->h, t->freq == 'W' ? 1 : t->season, &o, false, &covered);
	o.named = named;
	o.n_named = t->freq == 'D' ? name_days(t->series) : 0;
	mase[2] = mase_of(t->history, t->n, t->future, t->h, t->freq == 'W' ? 1 : t->season, &o, false, &covered);
	if (isnan(mase[0]) || isnan(mase[1]) || isnan(mase[2]))
		return;
	cell->n++;
	cell->without += mase[0];
	cell->with += mase[1];
	cell->named += mase[2];
	cell->covered += covered;
}

/* Series of two years that have no calendar: how much is lost by looking for one. */
static void
measure_without(const char *name, bool is_walk)
{
	double		with = 0.0;
	double		without = 0.0;
	int			n = 730;
	int			h = 90;
	double		y[820];

	for (int i = 0; i < 200; i++)
	{
		uint64_t	random = (uint64_t) (1000 + i);
		double		x = 200.0;
		double		covered;
		CfOptions	o;

		for (int t = 0; t < n + h; t++)
		{
			double		e = cf_num_normal(&random);

			x += e;
			y[t] = is_walk ? x : 200.0 + 10.0 * e;
		}
		cf_options_init(&o);
		o.kind = CF_KIND_FLOW;
		o.season_hint = 7;
		o.has_days = true;
		o.first_day = 5000 + 13 * i;
		with += mase_of(y, n, y + n, h, 7, &o, false, &covered);
		without += mase_of(y, n, y + n, h, 7, &o, true, &covered);
	}
	printf("200 %s of 730 days: %.4f of the error without a calendar\n", name, with / without);
}

void
calendar(const Data *data)
{
	CalendarCell cells[] = {{.name = "yearly flow n365 h60"}, {.name = "yearly flow n730 h90"}, {.name = "yearly flow n1095 h90"}, {.name = "hourly hourly n336 h48"},
	{.name = "hourly hourly n672 h168"}, {.name = "hourly hourly n1344 h168"}, {.name = "walmart walmart n96 h13"}, {.name = "walmart walmart n117 h13"},
	{.name = "walmart walmart n130 h13"}};
	int			n_cells = (int) (sizeof(cells) / sizeof(cells[0]));

	printf("\nCalendar: MASE without, with, and with holidays; 80 %% bounds\n");
	for (int i = 0; i < data->n_fresh; i++)
		for (int c = 0; c < n_cells; c++)
			if (strcmp(data->fresh[i].cell, cells[c].name) == 0)
				measure_task(&data->fresh[i], &cells[c]);
	for (int c = 0; c < n_cells; c++)
		if (cells[c].n > 0)
			printf("%-24s %4d %8.3f %8.3f %8.3f %8.3f\n", cells[c].name, cells[c].n, cells[c].without / cells[c].n,
				   cells[c].with / cells[c].n, cells[c].named / cells[c].n, cells[c].covered / cells[c].n);
	measure_without("random walks", true);
	measure_without("white noises", false);
}
