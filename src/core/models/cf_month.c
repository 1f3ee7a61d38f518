/*
 * cf_month.c
 *		The first and the last days of months.
 *
 * Months are no fixed number of steps: what is due on the first or the last day has no period.  Each of eight days of the
 * month stands out against a running median, the median of its weekday and the middle of months; its factor is shrunk by
 * how sure it is, and as a whole by how sure they are together.
 */
#include <math.h>

#include "core/models/cf_month.h"
#include "core/numerics/cf_num.h"
#include "core/numerics/cf_running.h"
#include "core/time/cf_calendar.h"

#define FIRST 5
#define LAST 3
#define CELLS (FIRST + LAST)
#define MOST_MONTHS (CF_MONTH_MOST / 28 + 2)
#define SIDE CF_RUNNING_SIDE
#define FAR 8.0
#define CUT 2.0
#define PRIOR_FREEDOM 4.0
#define OFTEN 5					/* months from which on a median is taken, whose variance is larger */
#define MEDIAN_VARIANCE 1.57
#define LEAST_MONTHS 3
#define LEAST_FACTOR 0.1
#define COVERED 0.75

typedef struct Fit
{
	int			n;
	int			weekday;
	double	   *u;				/* values over their mean */
	double	   *level;
	double	   *packed;
	double	   *scratch;
	signed char *cell;			/* by step; -1: the middle of a month */
	double		spread;			/* of days in the middle */
	double		factor[CELLS];
} Fit;

size_t
cf_month_worksize(int n)
{
	size_t		m = (size_t) (n < CF_MONTH_MOST ? n : CF_MONTH_MOST);

	return 4 * m + m / sizeof(double) + 1;
}

/* Walks on by days. */
typedef struct Place
{
	int64_t		month;
	int			day;
	int			length;
} Place;

static Place
place_of(int64_t day)
{
	CfDate		date = cf_calendar_date(day * CF_DAY);

	return (Place) {date.month, date.day, cf_calendar_month_length(date.month)};
}

static void
walk_on(Place *p)
{
	if (++p->day <= p->length)
		return;
	p->day = 1;
	p->length = cf_calendar_month_length(++p->month);
}

static int
cell_of(const Place *p)
{
	if (p->day <= FIRST)
		return p->day - 1;
	return p->day > p->length - LAST ? CELLS - 1 - (p->length - p->day) : -1;
}

static bool
set_values(const double *y, const double *other, Fit *f)
{
	double		sum = 0.0;
	double		slope = 0.0;
	double		middle = (f->n - 1) / 2.0;
	int			m = 0;

	for (int t = 0; t < f->n; t++)
	{
		if (isnan(y[t]))
			continue;
		if (y[t] < 0.0)
			return false;
		sum += y[t];
		m++;
	}
	if (m < COVERED * f->n || !(sum > 0.0))
		return false;
	sum /= m;
	for (int t = 0; t < f->n; t++)
		slope += isnan(y[t]) ? 0.0 : (t - middle) * (y[t] - sum);
	slope /= (double) f->n * ((double) f->n * f->n - 1.0) / 12.0;
	for (int t = 0; t < f->n; t++)
	{
		double		base = sum + slope * (t - middle);

		f->u[t] = y[t] / other[t] / (base > 0.2 * sum ? base : 0.2 * sum);
	}
	return true;
}

/* A running median, of the middles of months where these stand out; what is missing lies on a line. */
static void
take_level(Fit *f, bool of_middles)
{
	int			m = 0;
	int			before = -1;

	for (int t = 0; t < f->n; t++)
		if (!isnan(f->u[t]) && !(of_middles && f->cell[t] >= 0))
			f->packed[m++] = f->u[t];
	cf_running_median(f->packed, m, SIDE, f->scratch);
	m = 0;
	for (int t = 0; t < f->n; t++)
	{
		if (isnan(f->u[t]) || (of_middles && f->cell[t] >= 0))
			continue;
		f->level[t] = f->scratch[m++];
		for (int i = before + 1; i < t; i++)
			f->level[i] = before < 0 ? f->level[t]
				: f->level[before] + (f->level[t] - f->level[before]) * (i - before) / (t - before);
		before = t;
	}
	for (int i = before + 1; i < f->n; i++)
		f->level[i] = f->level[before];
}

/* Takes the level, the weekdays and the middle of the month out, into packed. */
static void
take_off(Fit *f)
{
	double	   *off = f->packed;
	double		middle;
	int			m = 0;

	for (int t = 0; t < f->n; t++)
		off[t] = f->u[t] - f->level[t];
	for (int d = 0; d < 7; d++)
	{
		double		median;

		m = 0;
		for (int t = d; t < f->n; t += 7)
			if (!isnan(off[t]))
				f->scratch[m++] = off[t];
		median = m > 0 ? cf_num_median(f->scratch, m) : 0.0;
		for (int t = d; t < f->n; t += 7)
			off[t] -= median;
	}
	m = 0;
	for (int t = 0; t < f->n; t++)
		if (!isnan(off[t]) && f->cell[t] < 0)
			f->scratch[m++] = off[t];
	middle = cf_num_median(f->scratch, m);
	f->spread = cf_num_mad(f->scratch, m, middle);
	for (int t = 0; t < f->n; t++)
	{
		double		limit = FAR * f->spread;

		off[t] -= middle;
		off[t] = off[t] > limit ? limit : off[t] < -limit ? -limit : off[t];
	}
}

/* Factors of the cells from what is in packed; how sure they are together, 0 to 1. */
static double
take_cells(Fit *f)
{
	double		sure[CELLS];
	double		mean[CELLS];
	double		sum = 0.0;
	double		gate;

	for (int c = 0; c < CELLS; c++)
	{
		double		value[MOST_MONTHS];
		double		squares = 0.0;
		double		variance;
		int			k = 0;

		mean[c] = sure[c] = 0.0;
		for (int t = 0; t < f->n; t++)
			if (f->cell[t] == c && !isnan(f->packed[t]))
				value[k++] = f->packed[t];
		if (k < LEAST_MONTHS)
			continue;
		for (int i = 0; i < k; i++)
			mean[c] += value[i] / k;
		for (int i = 0; i < k; i++)
			squares += (value[i] - mean[c]) * (value[i] - mean[c]);
		variance = (PRIOR_FREEDOM * f->spread * f->spread + squares) / (PRIOR_FREEDOM + k - 1.0);
		if (k >= OFTEN)
		{
			mean[c] = cf_num_median(value, k);
			variance *= MEDIAN_VARIANCE;
		}
		sure[c] = variance > 0.0 ? k * mean[c] * mean[c] / variance : 0.0;
		sum += sure[c] / CELLS;
	}
	gate = cf_num_share(sum, CUT, CUT + 1.0);
	for (int c = 0; c < CELLS; c++)
	{
		f->factor[c] = 1.0 + (sure[c] > CUT ? gate * (1.0 - CUT / sure[c]) * mean[c] : 0.0);
		f->factor[c] = f->factor[c] < LEAST_FACTOR ? LEAST_FACTOR : f->factor[c];
	}
	return gate;
}

bool
cf_month_fit(const double *y, int n, int64_t first_day, const double *other, int total, double *work, double *factor)
{
	int			skip = n > CF_MONTH_MOST ? n - CF_MONTH_MOST : 0;
	Fit			f = {.n = n - skip};
	Place		place = place_of(first_day + skip);

	for (int t = 0; t < total; t++)
		factor[t] = 1.0;
	if (n < CF_MONTH_MIN)
		return false;
	f.u = work;
	f.level = f.u + f.n;
	f.packed = f.level + f.n;
	f.scratch = f.packed + f.n;
	f.cell = (signed char *) (f.scratch + f.n);
	for (int t = 0; t < f.n; t++, walk_on(&place))
		f.cell[t] = (signed char) cell_of(&place);
	if (!set_values(y + skip, other + skip, &f))
		return false;
	take_level(&f, false);
	take_off(&f);
	if (!(f.spread > 0.0) || !(take_cells(&f) > 0.0))
		return false;
	/* again, with a level that they do not draw up */
	take_level(&f, true);
	take_off(&f);
	if (!(take_cells(&f) > 0.0))
		return false;
	place = place_of(first_day);
	for (int t = 0; t < total; t++, walk_on(&place))
	{
		int			c = cell_of(&place);

		if (c >= 0)
			factor[t] = f.factor[c];
	}
	return true;
}
