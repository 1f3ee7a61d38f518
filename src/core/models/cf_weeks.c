/*
 * cf_weeks.c
 *		The year in weekly values.
 *
 * What a week is over its trend is a smooth part, the mean of three weeks, and a spike, the rest.  How much one year says
 * about the next is measured for each: the correlation g of weeks a year apart, shrunk by how few there are.  The mean of
 * k years then says k g / (1 + (k - 1) g) of the next one (Spearman 1910, Brown 1910).  Free indices shrunk by an F
 * statistic know nothing of how weeks depend on one another, and take a slow wandering for a season.
 */
#include <math.h>

#include "core/models/cf_weeks.h"
#include "core/numerics/cf_num.h"

#define P CF_WEEKS_PERIOD
#define DECAY 0.7				/* weight of a year against the one after it */
#define COVERED 0.75
#define LEAST_FACTOR 0.1
#define WIDEST 3.0

typedef struct Fit
{
	int			n;
	bool		is_factor;
	double		mean;
	const double *y;			/* filled */
	double	   *trend;
	double	   *part[2];		/* smooth, spikes: over the trend */
	double	   *scratch;
	double	   *index[2];		/* by phase */
	double		likeness[2];
} Fit;

size_t
cf_weeks_worksize(int n)
{
	size_t		m = (size_t) (n < CF_WEEKS_MOST ? n : CF_WEEKS_MOST);

	return 5 * m + 2 * P;
}

/* Gaps by straight lines; false where there are too many. */
static bool
fill(const double *y, int n, double *filled)
{
	int			before = -1;
	int			known = 0;

	for (int t = 0; t < n; t++)
	{
		if (isnan(y[t]))
			continue;
		filled[t] = y[t];
		for (int i = before + 1; i < t; i++)
			filled[i] = before < 0 ? y[t] : y[before] + (y[t] - y[before]) * (i - before) / (t - before);
		before = t;
		known++;
	}
	for (int t = before + 1; before >= 0 && t < n; t++)
		filled[t] = y[before];
	return known >= COVERED * n;
}

static double
mean_of(const double *y, int n)
{
	return cf_num_sum(y, n) / n;
}

/* A line whose slope is that of one year to the next, as far as there are weeks to tell. */
static void
trend_of_one_year(Fit *f)
{
	double		slope = 0.0;
	int			both = f->n - P;

	for (int t = P; t < f->n; t++)
		slope += (f->y[t] - f->y[t - P]) / both / P;
	slope *= both / (both + 20.0);
	for (int t = 0; t < f->n; t++)
		f->trend[t] = f->mean + slope * (t - (f->n - 1) / 2.0);
}

/* Means of a year about each week; on to the ends with half of the slope between the outermost two years. */
static void
trend_of_means(Fit *f)
{
	int			half = P / 2;
	int			last = f->n - 1 - half;
	double		first_slope = (mean_of(f->y + P, P) - mean_of(f->y, P)) / P / 2.0;
	double		last_slope = (mean_of(f->y + f->n - P, P) - mean_of(f->y + f->n - 2 * P, P)) / P / 2.0;

	for (int t = half; t <= last; t++)
		f->trend[t] = (cf_num_sum(f->y + t - half + 1, P - 1) + (f->y[t - half] + f->y[t + half]) / 2.0) / P;
	for (int t = 0; t < half; t++)
		f->trend[t] = f->trend[half] - first_slope * (half - t);
	for (int t = last + 1; t < f->n; t++)
		f->trend[t] = f->trend[last] + last_slope * (t - last);
}

/* Lines through the values without season up to a year away. */
static void
trend_of_lines(Fit *f)
{
	double	   *v = f->scratch;

	for (int t = 0; t < f->n; t++)
	{
		double		effect = f->index[0][t % P] + f->index[1][t % P];

		v[t] = f->is_factor ? f->y[t] / (1.0 + effect > LEAST_FACTOR ? 1.0 + effect : LEAST_FACTOR) : f->y[t] - effect;
	}
	for (int t = 0; t < f->n; t++)
	{
		int			a = t > P ? t - P : 0;
		int			b = t + P < f->n ? t + P : f->n - 1;
		double		count = b - a + 1;
		double		middle = (a + b) / 2.0;
		double		mean = cf_num_sum(v + a, b - a + 1) / count;
		double		moment = 0.0;

		for (int i = a; i <= b; i++)
			moment += (i - middle) * (v[i] - mean);
		f->trend[t] = mean + moment / (count * (count * count - 1.0) / 12.0) * (t - middle);
	}
}

static void
take_parts(Fit *f)
{
	double	   *d = f->scratch;

	for (int t = 0; t < f->n; t++)
	{
		double		trend = f->trend[t] > 0.05 * f->mean ? f->trend[t] : 0.05 * f->mean;

		d[t] = f->is_factor ? f->y[t] / trend - 1.0 : f->y[t] - f->trend[t];
	}
	for (int t = 0; t < f->n; t++)
	{
		int			a = t > 0 ? t - 1 : 0;
		int			b = t + 1 < f->n ? t + 1 : t;
		double		sum = 0.0;

		for (int i = a; i <= b; i++)
			sum += d[i];
		f->part[0][t] = sum / (b - a + 1);
		f->part[1][t] = d[t] - f->part[0][t];
	}
}

/* Sums for the correlation of a[t] - a[t - lag] (lag 0: a[t]) with the same a year before. */
static void
add_pairs(const double *a, int n, int lag, double *xy, double *xx, double *yy)
{
	for (int t = P + lag; t < n; t++)
	{
		double		now = a[t] - (lag > 0 ? a[t - lag] : 0.0);
		double		then = a[t - P] - (lag > 0 ? a[t - P - lag] : 0.0);

		*xy += now * then;
		*xx += now * now;
		*yy += then * then;
	}
}

/* What one year says about the next: a correlation, worth so many pairs. */
static double
reliability(double xy, double xx, double yy, double pairs)
{
	double		r = xx > 0.0 && yy > 0.0 ? xy / sqrt(xx * yy) : 0.0;

	if (!(r > 0.0) || !(r * r * pairs > 1.0))
		return 0.0;
	return r * (1.0 - 1.0 / (r * r * pairs));
}

static void
take_likeness(Fit *f)
{
	static const int lags[3] = {2, 4, 8};
	double		xy = 0.0;
	double		xx = 0.0;
	double		yy = 0.0;

	for (int i = 0; i < 3; i++)
		add_pairs(f->part[0], f->n, lags[i], &xy, &xx, &yy);
	f->likeness[0] = reliability(xy, xx, yy, (f->n - P) / 3.0);
	xy = xx = yy = 0.0;
	add_pairs(f->part[1], f->n, 0, &xy, &xx, &yy);
	f->likeness[1] = reliability(xy, xx, yy, f->n - P);
}

/* What the years but one (-1: but none) say of a phase. */
static double
index_of(const double *part, int n, int phase, double likeness, int without)
{
	double		sum = 0.0;
	double		weights = 0.0;
	double		squares = 0.0;
	double		years;

	for (int t = phase; t < n; t += P)
	{
		sum *= DECAY;
		weights *= DECAY;
		squares *= DECAY * DECAY;
		if (t == without)
			continue;
		sum += part[t];
		weights += 1.0;
		squares += 1.0;
	}
	if (!(weights > 0.0))
		return 0.0;
	years = weights * weights / squares;
	return years * likeness / (1.0 + (years - 1.0) * likeness) * sum / weights;
}

static void
take_indices(Fit *f)
{
	take_likeness(f);
	for (int i = 0; i < 2; i++)
		for (int p = 0; p < P; p++)
			f->index[i][p] = index_of(f->part[i], f->n, p, f->likeness[i], -1);
}

/* Root mean square of differences of errors over 1 to 4 weeks. */
static double
roughness(const double *e, int n)
{
	double		sum = 0.0;

	for (int lag = 1; lag <= 4; lag++)
		for (int t = lag; t < n; t++)
			sum += (e[t] - e[t - lag]) * (e[t] - e[t - lag]);
	return sqrt(sum);
}

static double
widening(Fit *f)
{
	double	   *own = f->scratch;
	double	   *others = f->trend;
	int			both = f->n - P;
	double		ratio;

	for (int t = P; t < f->n; t++)
	{
		double		d = f->part[0][t] + f->part[1][t];

		own[t - P] = d - f->index[0][t % P] - f->index[1][t % P];
		others[t - P] = d - index_of(f->part[0], f->n, t % P, f->likeness[0], t) - index_of(f->part[1], f->n, t % P, f->likeness[1], t);
	}
	ratio = roughness(own, both);
	ratio = ratio > 0.0 ? roughness(others, both) / ratio : 1.0;
	ratio = (ratio * both + 4.0) / (both + 4.0);
	ratio = ratio < 1.0 ? 1.0 : ratio > WIDEST ? WIDEST : ratio;
	return f->n >= 2 * P ? cf_num_pow(ratio, 2.0 / 3.0) : ratio;
}

static double
strength_of(const Fit *f)
{
	double		all = 0.0;
	double		rest = 0.0;

	for (int t = 0; t < f->n; t++)
	{
		double		d = f->part[0][t] + f->part[1][t];
		double		r = d - f->index[0][t % P] - f->index[1][t % P];

		all += d * d;
		rest += r * r;
	}
	return all > 0.0 && rest < all ? 1.0 - rest / all : 0.0;
}

bool
cf_weeks_fit(const double *y, int n, int total, double *work, double *effect, CfWeeks *weeks)
{
	int			skip = n > CF_WEEKS_MOST ? n - CF_WEEKS_MOST : 0;
	Fit			f = {.n = n - skip, .y = work, .is_factor = true};

	if (n < CF_WEEKS_MIN || !fill(y + skip, f.n, work))
		return false;
	f.trend = work + f.n;
	f.part[0] = f.trend + f.n;
	f.part[1] = f.part[0] + f.n;
	f.scratch = f.part[1] + f.n;
	f.index[0] = f.scratch + f.n;
	f.index[1] = f.index[0] + P;
	f.mean = mean_of(f.y, f.n);
	for (int t = 0; t < f.n; t++)
		f.is_factor = f.is_factor && f.y[t] >= 0.0;
	f.is_factor = f.is_factor && f.mean > 0.0;
	if (f.n < 2 * P)
		trend_of_one_year(&f);
	else
		trend_of_means(&f);
	take_parts(&f);
	take_indices(&f);
	if (f.n >= 2 * P)
	{
		trend_of_lines(&f);
		take_parts(&f);
		take_indices(&f);
	}
	weeks->is_factor = f.is_factor;
	weeks->strength = strength_of(&f);
	weeks->widen = widening(&f);
	for (int t = 0; t < total; t++)
	{
		int			p = ((t - skip) % P + P) % P;
		double		e = f.index[0][p] + f.index[1][p];
		double		factor = 1.0 + e < LEAST_FACTOR ? LEAST_FACTOR : 1.0 + e > 1.0 / LEAST_FACTOR ? 1.0 / LEAST_FACTOR : 1.0 + e;

		effect[t] = f.is_factor ? factor : e;
	}
	return true;
}
