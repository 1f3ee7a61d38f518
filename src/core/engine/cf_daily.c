/*
 * cf_daily.c
 *		The calendar of daily values.
 *
 * Each part is fitted to the values without the others, named days first (a run of them is no season); where there is more
 * than one part, twice.
 */
#include <math.h>

#include "core/engine/cf_daily.h"
#include "core/models/cf_month.h"

#define ROUNDS 2
#define LEAST_FACTOR 0.01
#define MOST_FACTOR 30.0

/* What the parts are by step. */
typedef struct Parts
{
	double	   *year;
	double	   *named;
	double	   *month;
	double	   *other;
	double	   *rest;			/* n */
	double	   *scratch;
} Parts;

size_t
cf_daily_worksize(int n, int total)
{
	size_t		days = cf_days_worksize(n, total) - cf_days_keep(total);
	size_t		year = cf_year_worksize(n);
	size_t		month = cf_month_worksize(n);
	size_t		most = days > year ? days : year;

	return cf_days_keep(total) + 4 * (size_t) total + (size_t) n + (most > month ? most : month);
}

static void
multiply(const double *a, const double *b, int n, double *product)
{
	for (int t = 0; t < n; t++)
		product[t] = a[t] * b[t];
}

static void
fill(double *a, int n, double value)
{
	for (int t = 0; t < n; t++)
		a[t] = value;
}

static void
fit_year(const double *y, int n, const CfDailyTask *task, Parts *p, const bool *is_out, CfDaily *daily)
{
	multiply(p->named, p->month, n, p->other);
	for (int t = 0; t < n; t++)
		p->rest[t] = is_out[t] ? (double) NAN : y[t] / p->other[t];
	daily->has_year = cf_year_fit(p->rest, n, task->first_day, task->total, p->scratch, p->year, &daily->year);
	if (!daily->has_year)
		fill(p->year, task->total, 1.0);
}

static void
fit_month(const double *y, int n, const CfDailyTask *task, Parts *p, const bool *is_out, CfDaily *daily)
{
	multiply(p->year, p->named, task->total, p->other);
	for (int t = 0; t < n; t++)
		p->rest[t] = is_out[t] ? (double) NAN : y[t];
	daily->has_month = cf_month_fit(p->rest, n, task->first_day, p->other, task->total, p->scratch, p->month);
}

static void
fit_named(const double *y, int n, const CfDailyTask *task, Parts *p, double *spread, bool *is_out, CfDaily *daily)
{
	multiply(p->year, p->month, task->total, p->other);
	(void) cf_days_fit(y, n, task->first_day, p->other, task->total, p->scratch, &daily->days, p->named, spread, is_out);
}

/* Whether the year is a sum, which nothing is multiplied with: then some values are negative, and there is nothing else. */
static bool
is_sum(const CfDaily *daily)
{
	return daily->has_year && daily->year.scale == CF_YEAR_PLAIN;
}

void
cf_daily_find(const double *y, int n, const CfDailyTask *task, double *work, double *factor, double *shift, double *spread,
			  bool *is_out, CfDaily *daily)
{
	int			total = task->total;
	Parts		p;

	daily->has_year = daily->has_month = daily->has_unseen = false;
	cf_days_lay_out(task->named, task->n_named, task->first_day, total, work, &daily->days);
	p.year = work + cf_days_keep(total);
	p.named = p.year + total;
	p.month = p.named + total;
	p.other = p.month + total;
	p.rest = p.other + total;
	p.scratch = p.rest + n;
	fill(p.year, 3 * total, 1.0);
	fill(spread, total, 0.0);
	for (int t = 0; t < n; t++)
		is_out[t] = false;
	for (int round = 0; round < ROUNDS; round++)
	{
		if (daily->days.n > 0 && n >= CF_DAYS_MIN)
			fit_named(y, n, task, &p, spread, is_out, daily);
		if (task->has_seasons)
			fit_year(y, n, task, &p, is_out, daily);
		if (is_sum(daily))
			break;
		if (task->has_seasons)
			fit_month(y, n, task, &p, is_out, daily);
		if (daily->has_year + (daily->days.found > 0) + daily->has_month < 2)
			break;
	}
	for (int t = 0; t < total; t++)
	{
		double		product = p.year[t] * p.named[t] * p.month[t];

		factor[t] = is_sum(daily) ? 1.0 : product < LEAST_FACTOR ? LEAST_FACTOR : product > MOST_FACTOR ? MOST_FACTOR : product;
		shift[t] = is_sum(daily) ? p.year[t] : 0.0;
		daily->has_unseen |= t >= n && spread[t] > 0.0 && daily->days.effect[daily->days.of_step[t]].seen == 0;
	}
}
