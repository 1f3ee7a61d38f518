/*
 * cf_year_parts.c
 *		A line, the days of the week and waves of the year, fitted in turn (backfitting), values far off drawn in.
 *
 * Values are taken together by day of the year, of which there are 365, so that the waves are orthogonal.
 */
#include <math.h>

#include "core/models/cf_year_parts.h"
#include "core/numerics/cf_num.h"
#include "core/time/cf_calendar.h"

#define ROUNDS 3
#define FAR 3.0					/* robust standard deviations */
#define LEAP_DAY 59				/* day of a leap year, from 0 */

CfYearDay
cf_year_day_start(int64_t day)
{
	CfDate		date = cf_calendar_date(day * CF_DAY);
	int64_t		year = cf_floor_div(date.month, 12);

	return (CfYearDay) {
		.year = year,
		.in_year = (int) (day - cf_calendar_time(12 * year, 1, 0) / CF_DAY),
		.is_leap = cf_calendar_month_length(12 * year + 1) == 29
	};
}

int
cf_year_day_next(CfYearDay *day)
{
	int			of_year = day->is_leap && day->in_year >= LEAP_DAY ? day->in_year - 1 : day->in_year;

	if (++day->in_year == CF_WAVES_DAYS + day->is_leap)
	{
		day->in_year = 0;
		day->is_leap = cf_calendar_month_length(12 * ++day->year + 1) == 29;
	}
	return of_year;
}

static double
line_at(const CfYearParts *f, int t)
{
	return f->level + f->slope * (t - (f->n - 1) / 2.0);
}

/* Weighted least squares; one year cannot tell its slope from its season, and has none. */
static void
fit_line(CfYearParts *f)
{
	double		middle = (f->n - 1) / 2.0;
	double		w = 0.0;
	double		wt = 0.0;
	double		wx = 0.0;
	double		wtt = 0.0;
	double		wtx = 0.0;
	double		spread;

	for (int t = 0; t < f->n; t++)
	{
		double		a = f->weight[t];
		double		x;

		if (isnan(f->v[t]))
			continue;
		x = f->v[t] - f->week[(t + f->weekday) % 7] - f->curve[f->day[t]];
		w += a;
		wt += a * (t - middle);
		wx += a * x;
		wtt += a * (t - middle) * (t - middle);
		wtx += a * (t - middle) * x;
	}
	spread = wtt - wt * wt / w;
	f->slope = f->years >= 2 && spread > 0.0 ? (wtx - wt * wx / w) / spread : 0.0;
	f->level = (wx - f->slope * wt) / w;
}

static void
fit_week(CfYearParts *f)
{
	double		sum[7] = {0.0};
	double		count[7] = {0.0};
	double		mean = 0.0;

	for (int t = 0; t < f->n; t++)
	{
		int			d = (t + f->weekday) % 7;

		if (isnan(f->v[t]))
			continue;
		sum[d] += f->weight[t] * (f->v[t] - line_at(f, t) - f->curve[f->day[t]]);
		count[d] += f->weight[t];
	}
	for (int d = 0; d < 7; d++)
	{
		f->week[d] = count[d] > 0.0 ? sum[d] / count[d] : 0.0;
		mean += f->week[d] / 7.0;
	}
	for (int d = 0; d < 7; d++)
		f->week[d] -= mean;
}

/* Residuals from the curve so far, drawn in; their spread. */
static void
take_residuals(CfYearParts *f, bool is_first)
{
	int			m = 0;
	double		tail;

	for (int t = 0; t < f->n; t++)
	{
		f->rest[t] = f->v[t] - line_at(f, t) - f->week[(t + f->weekday) % 7];
		f->clipped[t] = f->rest[t] - f->curve[f->day[t]];
		if (isnan(f->v[t]))
			continue;
		f->scratch[m++] = f->clipped[t];
	}
	f->spread = cf_num_mad(f->scratch, m, 0.0);
	/* a narrow season that is not yet in the curve is in the tail */
	tail = cf_num_select(f->scratch, m, (int) (0.98 * m)) / 2.33;
	if (is_first || !(f->spread > 0.0))
		f->spread = f->spread > tail ? f->spread : tail;
	f->variance = 0.0;
	for (int t = 0; t < f->n; t++)
	{
		double		r = f->clipped[t];

		if (isnan(r))
			continue;
		f->weight[t] = fabs(r) > FAR * f->spread ? FAR * f->spread / fabs(r) : 1.0;
		f->clipped[t] = r * f->weight[t];
		f->variance += f->clipped[t] * f->clipped[t] / m;
	}
}

/* Days of the year without a value stand between their neighbours'. */
static void
fill_days(double *mean, const double *count)
{
	int			from = -1;

	for (int d = 0; d < 2 * CF_WAVES_DAYS; d++)
	{
		if (count[d % CF_WAVES_DAYS] == 0.0)
			continue;
		for (int i = from + 1; from >= 0 && i < d; i++)
			if (count[i % CF_WAVES_DAYS] == 0.0)
				mean[i % CF_WAVES_DAYS] = mean[from % CF_WAVES_DAYS] + (mean[d % CF_WAVES_DAYS] - mean[from % CF_WAVES_DAYS]) * (i - from) / (d - from);
		from = d;
	}
}

void
cf_year_parts_take_days(const CfYearParts *f, int s, int e)
{
	for (int d = 0; d < CF_WAVES_DAYS; d++)
		f->mean[d] = f->count[d] = 0.0;
	for (int t = s; t < e; t++)
	{
		if (isnan(f->clipped[t]))
			continue;
		f->mean[f->day[t]] += f->curve[f->day[t]] + f->clipped[t];
		f->count[f->day[t]] += 1.0;
	}
	for (int d = 0; d < CF_WAVES_DAYS; d++)
		f->mean[d] = f->count[d] > 0.0 ? f->mean[d] / f->count[d] : 0.0;
	fill_days(f->mean, f->count);
}

void
cf_year_parts_fit(CfYearParts *f, int64_t first_day)
{
	CfYearDay	day = cf_year_day_start(first_day);

	f->weekday = (int) (first_day - 7 * cf_floor_div(first_day, 7));
	for (int t = 0; t < f->n; t++)
		f->day[t] = cf_year_day_next(&day);
	for (int d = 0; d < CF_WAVES_DAYS; d++)
		f->curve[d] = 0.0;
	for (int d = 0; d < 7; d++)
		f->week[d] = 0.0;
	for (int t = 0; t < f->n; t++)
		f->weight[t] = 1.0;
	for (int round = 0; round < ROUNDS; round++)
	{
		fit_line(f);
		fit_week(f);
		take_residuals(f, round == 0);
		cf_year_parts_take_days(f, 0, f->n);
		cf_waves_take(f->mean, f->waves, &f->sum);
		cf_waves_put(&f->sum, NULL, f->waves, f->curve);
	}
	take_residuals(f, false);
}
