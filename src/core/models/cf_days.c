/*
 * cf_days.c
 *		Named days in daily values.
 *
 * A day stands out against a running median and the median of its weekday, both of days without a name: as a factor on
 * what its weekday would be, or in place of it, whichever explains the series better.  Effects are shrunk by how sure they
 * are, 1 - c/F; a single day, and a neighbour that nobody named, have to stand out more.
 */
#include <math.h>

#include "core/models/cf_days.h"
#include "core/numerics/cf_num.h"
#include "core/numerics/cf_running.h"

#define NEAR_ZERO 0.02			/* of the median: below it there is no log */
#define SIDE 10
#define SIDE_WITHOUT_WEEK 7
#define LEAST_UNNAMED 28
#define LEAST_LEVEL 0.1			/* of the line */
#define LEAST_FACTOR 0.005
#define CUT_OFTEN 1.0
#define CUT_ONCE 4.0
#define CUT_NEIGHBOUR 9.0
#define PRIOR_FREEDOM 4.0		/* of the noise of all days in that of one name */
#define FAR 25.0				/* squared standard deviations: how much one day may say about the form */
#define OUT_FACTOR 0.3			/* a day that keeps less than this of what is usual tells nothing about it */
#define OUT_SPREAD 4.0			/* times the variance of other days */
#define NEVER_SEEN 0.7			/* spread of a day's logarithm: half as much, or twice */

typedef struct Fit
{
	int			n;
	int			weekday;		/* of step 0 */
	bool		is_log;
	const double *y;
	const double *other;
	const CfDays *days;
	double	   *u;				/* values on the scale of the fit */
	double	   *level;
	double	   *scratch;
	double	   *packed;
	double		base_level;		/* of the line that values are divided by where there is no log */
	double		base_slope;
	double		base_least;
	double		week[7];
	double		noise;			/* variance of days without a name */
} Fit;

size_t
cf_days_keep(int total)
{
	return (size_t) total / 2 + 1 + CF_DAYS_MOST * (sizeof(CfDayEffect) / sizeof(double) + 1);
}

size_t
cf_days_worksize(int n, int total)
{
	return cf_days_keep(total) + 4 * (size_t) n + CF_DAYS_MOST;
}

static int
find_effect(CfDays *days, int name, int offset, bool is_given)
{
	for (int i = 0; i < days->n; i++)
		if (days->effect[i].name == name && days->effect[i].offset == offset)
		{
			days->effect[i].is_given |= is_given;
			return i;
		}
	if (days->n == CF_DAYS_MOST)
		return -1;
	days->effect[days->n] = (CfDayEffect) {.name = name, .offset = offset, .is_given = is_given};
	return days->n++;
}

static int
distance(int offset)
{
	return offset < 0 ? -offset : offset;
}

/* A day has one name: the nearest, of those the first. */
static void
name_step(CfDays *days, int64_t step, int total, int name, int offset, bool is_given)
{
	int			i;
	int			at;

	if (step < 0 || step >= total)
		return;
	at = days->of_step[step];
	if (at >= 0 && distance(days->effect[at].offset) <= distance(offset))
		return;
	if (at >= 0 && !is_given)
		return;
	i = find_effect(days, name, offset, is_given);
	if (i >= 0)
		days->of_step[step] = i;
}

void
cf_days_lay_out(const CfNamedDay *named, int n_named, int64_t first_day, int total, double *work, CfDays *days)
{
	days->effect = (CfDayEffect *) work;
	days->of_step = (int *) (work + CF_DAYS_MOST * (sizeof(CfDayEffect) / sizeof(double) + 1));
	days->n = days->found = 0;
	for (int t = 0; t < total; t++)
		days->of_step[t] = -1;
	for (int i = 0; i < n_named; i++)
		name_step(days, named[i].day - first_day, total, named[i].name, named[i].offset, true);
	for (int i = 0; i < n_named; i++)
	{
		if (named[i].offset != 0)
			continue;
		name_step(days, named[i].day - first_day - 1, total, named[i].name, -1, false);
		name_step(days, named[i].day - first_day + 1, total, named[i].name, 1, false);
	}
}

static bool
is_usual(const Fit *f, int t)
{
	return f->days->of_step[t] < 0 && !isnan(f->u[t]);
}

static double
base_at(const Fit *f, int t)
{
	double		base = f->base_level + f->base_slope * (t - (f->n - 1) / 2.0);

	return base > f->base_least ? base : f->base_least;
}

/* Values on the scale of the fit; false where there are too few, or some are negative. */
static bool
set_values(Fit *f)
{
	double		least = (double) INFINITY;
	double		sum = 0.0;
	double		mean;
	double		middle = (f->n - 1) / 2.0;
	double		slope = 0.0;
	int			m = 0;

	for (int t = 0; t < f->n; t++)
	{
		if (isnan(f->y[t]))
			continue;
		f->scratch[m++] = f->y[t];
		sum += f->y[t];
		least = f->y[t] < least ? f->y[t] : least;
	}
	if (m < LEAST_UNNAMED || least < 0.0 || !(sum > 0.0))
		return false;
	mean = sum / m;
	f->is_log = least > NEAR_ZERO * cf_num_median(f->scratch, m);
	for (int t = 0; t < f->n; t++)
		slope += isnan(f->y[t]) ? 0.0 : (t - middle) * (f->y[t] - mean);
	f->base_level = mean;
	f->base_slope = slope / ((double) f->n * ((double) f->n * f->n - 1.0) / 12.0);
	f->base_least = 0.2 * mean;
	for (int t = 0; t < f->n; t++)
		f->u[t] = isnan(f->y[t]) ? (double) NAN : f->is_log ? cf_num_log(f->y[t] / f->other[t])
			: f->y[t] / f->other[t] / base_at(f, t);
	return true;
}

/* The running median of the days without a name, less their weekday; on named days between their neighbours'. */
static bool
take_level(Fit *f, int side)
{
	double	   *median = f->scratch;
	int			m = 0;
	int			before = -1;

	for (int t = 0; t < f->n; t++)
		if (is_usual(f, t))
			f->packed[m++] = f->u[t] - f->week[(t + f->weekday) % 7];
	if (m < LEAST_UNNAMED)
		return false;
	cf_running_median(f->packed, m, side, median);
	m = 0;
	for (int t = 0; t < f->n; t++)
	{
		if (!is_usual(f, t))
			continue;
		f->level[t] = median[m++];
		for (int i = before + 1; i < t; i++)
			f->level[i] = before < 0 ? f->level[t]
				: f->level[before] + (f->level[t] - f->level[before]) * (i - before) / (t - before);
		before = t;
	}
	for (int i = before + 1; i < f->n; i++)
		f->level[i] = f->level[before];
	return true;
}

static void
take_week(Fit *f)
{
	for (int d = 0; d < 7; d++)
	{
		int			m = 0;

		for (int t = (d - f->weekday + 7) % 7; t < f->n; t += 7)
			if (is_usual(f, t))
				f->scratch[m++] = f->u[t] - f->level[t];
		f->week[d] = m > 0 ? cf_num_median(f->scratch, m) : 0.0;
	}
}

static void
take_noise(Fit *f)
{
	int			m = 0;
	double		spread;

	for (int t = 0; t < f->n; t++)
		if (is_usual(f, t))
			f->scratch[m++] = f->u[t] - f->level[t] - f->week[(t + f->weekday) % 7];
	spread = cf_num_mad(f->scratch, m, 0.0);
	f->noise = spread * spread;
}

static double
off_at(const Fit *f, int t)
{
	return f->u[t] - f->level[t] - f->week[(t + f->weekday) % 7];
}

/* Means of the days of each effect, beside what is usual and beside the level alone. */
static void
take_means(const Fit *f, CfDays *days)
{
	for (int i = 0; i < days->n; i++)
	{
		days->effect[i].seen = 0;
		days->effect[i].effect = days->effect[i].own = 0.0;
	}
	for (int t = 0; t < f->n; t++)
	{
		CfDayEffect *e;

		if (days->of_step[t] < 0 || isnan(f->u[t]))
			continue;
		e = &days->effect[days->of_step[t]];
		e->seen++;
		e->effect += (off_at(f, t) - e->effect) / e->seen;
		e->own += (f->u[t] - f->level[t] - e->own) / e->seen;
	}
}

/* What is added at a step before it is shrunk; replaces: the day is alike whatever its weekday. */
static double
effect_at(const Fit *f, const CfDayEffect *e, int t, bool replaces)
{
	return replaces ? e->own - f->week[(t + f->weekday) % 7] : e->effect;
}

/* How far days are from what their effect says, by effect: sums of squares. */
static void
add_squares(const Fit *f, const CfDays *days, bool replaces, double *square)
{
	for (int i = 0; i < days->n; i++)
		square[i] = 0.0;
	for (int t = 0; t < f->n; t++)
	{
		int			i = days->of_step[t];
		double		r;

		if (i < 0 || isnan(f->u[t]))
			continue;
		r = off_at(f, t) - effect_at(f, &days->effect[i], t, replaces);
		square[i] += r * r;
	}
}

static double
variance_of(const Fit *f, const CfDayEffect *e, double square)
{
	return (PRIOR_FREEDOM * f->noise + square) / (PRIOR_FREEDOM + e->seen - 1.0);
}

/* What is left of each effect: less where it is not sure. */
static void
shrink(const Fit *f, const double *square, CfDays *days)
{
	for (int i = 0; i < days->n; i++)
	{
		CfDayEffect *e = &days->effect[i];
		double		cut = !e->is_given ? CUT_NEIGHBOUR : e->seen > 1 ? CUT_OFTEN : CUT_ONCE;
		double		noise = cut * variance_of(f, e, square[i]);
		double		power = e->seen * e->effect * e->effect;

		e->share = power > noise ? 1.0 - noise / power : 0.0;
	}
}

/* How far off a day to come may be: by how days differ from one another, how many there are, and what was shrunk away. */
static void
take_spreads(const Fit *f, const double *square, CfDays *days)
{
	for (int i = 0; i < days->n; i++)
	{
		CfDayEffect *e = &days->effect[i];
		double		variance = variance_of(f, e, square[i]);
		double		lost = (1.0 - e->share) * e->effect;

		e->spread = 0.0;
		if (e->share > 0.0)
			e->spread = sqrt((variance > f->noise ? variance - f->noise : 0.0) + variance / e->seen + lost * lost);
	}
}

/* How far off the days seen are in one form. */
static double
error_of(const Fit *f, const CfDays *days, bool replaces)
{
	double		error = 0.0;

	for (int t = 0; t < f->n; t++)
	{
		const CfDayEffect *e = days->of_step[t] < 0 ? NULL : &days->effect[days->of_step[t]];
		double		r;

		if (e == NULL || isnan(f->u[t]))
			continue;
		r = off_at(f, t) - e->share * effect_at(f, e, t, replaces);
		error += r * r < FAR * f->noise ? r * r : FAR * f->noise;
	}
	return error;
}

/* The effects in the form that explains the series better; whether that is the day in place of its weekday. */
static bool
take_effects(const Fit *f, CfDays *days, double *square)
{
	bool		replaces;

	take_means(f, days);
	add_squares(f, days, false, square);
	shrink(f, square, days);
	replaces = error_of(f, days, true) < error_of(f, days, false);
	if (replaces)
		add_squares(f, days, true, square);
	take_spreads(f, square, days);
	return replaces;
}

/* How unlike others a day may be that was never seen: as those that were. */
static double
spread_unseen(const CfDays *days)
{
	double		squares = 0.0;
	int			m = 0;

	for (int i = 0; i < days->n; i++)
	{
		if (!days->effect[i].is_given || days->effect[i].seen == 0)
			continue;
		squares += days->effect[i].share * days->effect[i].effect * days->effect[i].effect;
		m++;
	}
	squares = m > 0 ? sqrt(squares / m) : 0.0;
	return squares > NEVER_SEEN ? squares : NEVER_SEEN;
}

bool
cf_days_fit(const double *y, int n, int64_t first_day, const double *other, int total, double *scratch,
			CfDays *days, double *factor, double *spread, bool *is_out)
{
	Fit			f = {.n = n, .y = y, .other = other, .days = days};
	bool		replaces;
	double		unseen;

	f.weekday = (int) (((first_day % 7) + 7) % 7);
	f.u = scratch;
	f.level = f.u + n;
	f.scratch = f.level + n;
	f.packed = f.scratch + n;
	days->found = 0;
	for (int t = 0; t < total; t++)
	{
		factor[t] = 1.0;
		spread[t] = 0.0;
	}
	for (int t = 0; t < n; t++)
		is_out[t] = false;
	if (days->n == 0 || !set_values(&f) || !take_level(&f, SIDE))
		return false;
	take_week(&f);
	(void) take_level(&f, SIDE_WITHOUT_WEEK);
	take_noise(&f);
	replaces = take_effects(&f, days, f.packed + n);
	unseen = spread_unseen(days);
	for (int i = 0; i < days->n; i++)
		days->found += days->effect[i].share > 0.0;
	for (int t = 0; t < total; t++)
	{
		const CfDayEffect *e = days->of_step[t] < 0 ? NULL : &days->effect[days->of_step[t]];
		double		level;
		double		change;

		if (e == NULL)
			continue;
		if (e->seen == 0 && e->is_given)
			spread[t] = unseen;
		if (!(e->share > 0.0))
			continue;
		change = e->share * effect_at(&f, e, t, replaces);
		level = f.level[t < n ? t : n - 1] + f.week[(t + f.weekday) % 7];
		level = level > LEAST_LEVEL ? level : LEAST_LEVEL;
		factor[t] = f.is_log ? cf_num_exp(change) : (level + change) / level;
		factor[t] = factor[t] < LEAST_FACTOR ? LEAST_FACTOR : factor[t];
		spread[t] = f.is_log ? e->spread : e->spread / level / factor[t];
		if (t < n)
			is_out[t] = factor[t] < OUT_FACTOR || factor[t] > 1.0 / OUT_FACTOR
				|| e->spread * e->spread > OUT_SPREAD * f.noise;
	}
	return true;
}
