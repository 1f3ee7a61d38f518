/*
 * cf_hours.c
 *		Day and week in values of hours.
 *
 * Values over, or less, a week's running mean are laid out as days by hours.  A profile is the shape of the day, the level
 * of each day of the week, and how the shape of each day of the week differs; each shrunk by 1 - 1/F, F of a one-way
 * analysis of variance with all hours pooled, so that it is right however the hours of a day depend on one another.
 *
 * Where the shape moves, the profile is what double exponential smoothing over days (Taylor 2003) predicts of each day
 * from those before, its rates chosen by how well it did.
 */
#include <math.h>

#include "core/models/cf_hours.h"
#include "core/numerics/cf_num.h"

#define WEEK 7
#define DECAY 0.85				/* weight of a week against the one after it */
#define COVERED 0.75
#define FAR 4.0
#define CLIP_DAYS 21
#define MOVES 0.5				/* a rate of the day's shape at or above which it moves */
#define BETTER 0.995
#define LEAST_FACTOR 0.1

static const double shape_rates[] = {0.0, 0.1, 0.25, 0.5, 0.8, 1.0};
static const double week_rates[] = {-1.0, 0.0, 0.15, 0.4};	/* -1: days of the week have one shape */

#define N_SHAPE_RATES ((int) (sizeof(shape_rates) / sizeof(shape_rates[0])))
#define N_WEEK_RATES ((int) (sizeof(week_rates) / sizeof(week_rates[0])))

typedef struct Fit
{
	int			days;
	int			per_day;
	int			n;				/* days x per_day */
	bool		is_factor;
	const double *y;			/* filled, n */
	const double *trend;
	double	   *z;				/* values about the trend; then about their day's mean, too */
	double	   *day;			/* mean of each day */
	double	   *shape;			/* per_day */
	double	   *differs;		/* WEEK x per_day */
	double		level[WEEK];
	double		f_level;
	double		f_differs;
	double		share_shape;
	double		share_level;
	double		share_differs;
	double		shape_rate;		/* the best ones */
	double		week_rate;
	double		error;
	double	   *moving;			/* the state of smoothing: per_day, then WEEK x per_day */
} Fit;

size_t
cf_hours_worksize(int n, int per_day)
{
	int			most = CF_HOURS_MOST_DAYS * per_day;
	size_t		m = (size_t) (n < most ? n : most);

	return 5 * m + (size_t) CF_HOURS_MOST_DAYS + 2 * (2 + 2 * WEEK) * (size_t) per_day;
}

static double
mean_change(const double *y, int n, int lag, int steps)
{
	double		sum = 0.0;
	int			m = 0;

	for (int t = n - steps > lag ? n - steps : lag; t < n; t++)
	{
		if (isnan(y[t]) || isnan(y[t - lag]))
			continue;
		sum += fabs(y[t] - y[t - lag]);
		m++;
	}
	return m > 0 ? sum / m : (double) INFINITY;
}

int
cf_hours_day_length(const double *y, int n, int per_day)
{
	double		half = mean_change(y, n, per_day, WEEK * per_day) / 2.0;

	for (int lag = per_day - 1; lag <= per_day + 1; lag += 2)
		if (mean_change(y, n, lag, WEEK * per_day) < half)
			return lag;
	return per_day;
}

/* Missing values are those of a week or a day before, or after where there was none. */
static bool
fill(const double *y, int n, int per_day, double *filled)
{
	int			known = 0;

	for (int t = 0; t < n; t++)
	{
		filled[t] = y[t];
		known += !isnan(y[t]);
		if (isnan(filled[t]) && t >= WEEK * per_day)
			filled[t] = filled[t - WEEK * per_day];
		if (isnan(filled[t]) && t >= per_day)
			filled[t] = filled[t - per_day];
	}
	for (int t = n - 1; t >= 0; t--)
		if (isnan(filled[t]) && t + per_day < n)
			filled[t] = filled[t + per_day];
	for (int t = 0; t < n; t++)
		if (isnan(filled[t]))
			return false;
	return known >= COVERED * n;
}

/* Mean of a week about each step; level at the ends. */
static void
take_trend(const double *y, int n, int width, double *trend)
{
	int			before = width / 2;
	double		sum = 0.0;

	for (int t = 0; t < width; t++)
		sum += y[t];
	for (int t = 0; t < n; t++)
	{
		int			last = t - before + width - 1;

		if (t > before && last < n)
			sum += y[last] - y[last - width];
		trend[t] = sum / width;
	}
}

/* Values far from the median of their hour and day of the week are drawn in. */
static void
draw_in(Fit *f, double *median, double *scratch)
{
	double		limit;

	if (f->days < CLIP_DAYS)
		return;
	for (int c = 0; c < WEEK * f->per_day; c++)
	{
		int			m = 0;

		for (int t = c; t < f->n; t += WEEK * f->per_day)
			scratch[m++] = f->z[t];
		median[c] = cf_num_median(scratch, m);
	}
	for (int t = 0; t < f->n; t++)
		scratch[t] = f->z[t] - median[t % (WEEK * f->per_day)];
	limit = FAR * cf_num_mad(scratch, f->n, 0.0);
	for (int t = 0; t < f->n && limit > 0.0; t++)
	{
		double		centre = median[t % (WEEK * f->per_day)];

		if (f->z[t] > centre + limit)
			f->z[t] = centre + limit;
		else if (f->z[t] < centre - limit)
			f->z[t] = centre - limit;
	}
}

static double
share_of(double f)
{
	return f > 1.0 ? 1.0 - 1.0 / f : 0.0;
}

static double
ratio(double between, double between_freedom, double within, double within_freedom)
{
	if (!(between > 0.0))
		return 0.0;
	if (!(within > 1e-20 * between))
		return 1e20;
	return (between / between_freedom) / (within / within_freedom);
}

/* Means by day of the week of what is at a[0], a[stride], ...; between and within them. */
static void
analyse_week(const double *a, int days, int stride, double subtract, double *mean, double *between, double *within)
{
	double		sum[WEEK] = {0.0};
	double		count[WEEK] = {0.0};
	double		grand = 0.0;

	for (int j = 0; j < days; j++)
	{
		sum[j % WEEK] += a[j * stride] - subtract;
		count[j % WEEK] += 1.0;
		grand += (a[j * stride] - subtract) / days;
	}
	for (int d = 0; d < WEEK; d++)
	{
		mean[d] = sum[d] / count[d];
		*between += count[d] * (mean[d] - grand) * (mean[d] - grand);
	}
	for (int j = 0; j < days; j++)
	{
		double		r = a[j * stride] - subtract - mean[j % WEEK];

		*within += r * r;
	}
}

/* The same means with newer weeks weighing more. */
static void
weigh_week(const double *a, int days, int stride, double subtract, double *mean)
{
	double		weight[WEEK] = {0.0};

	for (int d = 0; d < WEEK; d++)
		mean[d] = 0.0;
	for (int j = 0; j < days; j++)
	{
		int			d = j % WEEK;

		mean[d] = DECAY * mean[d] + a[j * stride] - subtract;
		weight[d] = DECAY * weight[d] + 1.0;
	}
	for (int d = 0; d < WEEK; d++)
		mean[d] /= weight[d];
}

static void
take_profile(Fit *f)
{
	int			p = f->per_day;
	double		neutral = f->is_factor ? 1.0 : 0.0;
	double		between = 0.0;
	double		within = 0.0;
	double		between_week = 0.0;
	double		within_week = 0.0;
	double		mean[WEEK];
	double		sum = 0.0;

	for (int j = 0; j < f->days; j++)
	{
		f->day[j] = cf_num_sum(f->z + j * p, p) / p;
		for (int h = 0; h < p; h++)
			f->z[j * p + h] -= f->day[j];
	}
	for (int h = 0; h < p; h++)
	{
		double		moment[WEEK];

		f->shape[h] = 0.0;
		for (int j = 0; j < f->days; j++)
			f->shape[h] += f->z[j * p + h] / f->days;
		between += f->days * f->shape[h] * f->shape[h];
		for (int j = 0; j < f->days; j++)
			within += (f->z[j * p + h] - f->shape[h]) * (f->z[j * p + h] - f->shape[h]);
		analyse_week(f->z + h, f->days, p, f->shape[h], moment, &between_week, &within_week);
		weigh_week(f->z + h, f->days, p, f->shape[h], moment);
		for (int d = 0; d < WEEK; d++)
			f->differs[d * p + h] = moment[d];
	}
	f->share_shape = share_of(ratio(between, p - 1, within, (double) f->n - p));
	f->f_differs = ratio(between_week, (WEEK - 1.0) * p, within_week, (f->days - (double) WEEK) * p);
	f->share_differs = share_of(f->f_differs);
	between = within = 0.0;
	analyse_week(f->day, f->days, 1, 0.0, mean, &between, &within);
	weigh_week(f->day, f->days, 1, neutral, f->level);
	f->f_level = ratio(between, WEEK - 1, within, f->days - WEEK);
	f->share_level = share_of(f->f_level);
	for (int d = 0; d < WEEK; d++)
		sum += f->level[d] / WEEK;
	for (int d = 0; d < WEEK; d++)
		f->level[d] = f->share_level * (f->level[d] - sum);
}

/* Starts smoothing with nothing known; what is predicted of a day, and what is learned from it. */
static void
start_moving(Fit *f)
{
	for (int i = 0; i < (1 + WEEK) * f->per_day; i++)
		f->moving[i] = 0.0;
}

static double
predict(const Fit *f, double share, int j, int h)
{
	return f->moving[h] + share * f->moving[(1 + j % WEEK) * f->per_day + h];
}

static void
learn(Fit *f, double shape_rate, double week_rate, double share, int j)
{
	int			p = f->per_day;
	double		fast = 1.0 / (j + 1);
	double		slow = 1.0 / (j / WEEK + 2);
	double		a = shape_rate > fast ? shape_rate : fast;
	double		b = week_rate > slow ? week_rate : slow;
	double	   *shape = f->moving;
	double	   *week = f->moving + (1 + j % WEEK) * p;

	for (int h = 0; h < p; h++)
	{
		double		off = f->z[j * p + h] - shape[h];

		shape[h] += a * (off - share * week[h]);
		if (share > 0.0)
			week[h] += b * (off - week[h]);
	}
}

/* How far off predictions of days are, in values. */
static double
moving_error(Fit *f, double shape_rate, double week_rate)
{
	double		share = week_rate < 0.0 ? 0.0 : f->share_differs;
	int			from = f->days / 4 > WEEK ? f->days / 4 : WEEK;
	double		error = 0.0;

	start_moving(f);
	for (int j = 0; j < f->days; j++)
	{
		for (int h = 0; h < f->per_day && j >= from; h++)
		{
			int			t = j * f->per_day + h;

			error += fabs(f->z[t] - predict(f, share, j, h)) * (f->is_factor ? f->trend[t] : 1.0);
		}
		learn(f, shape_rate, week_rate, share, j);
	}
	return error;
}

/* False where stop asked to. */
static bool
choose_rates(Fit *f, const CfStop *stop)
{
	f->error = (double) INFINITY;
	for (int a = 0; a < N_SHAPE_RATES; a++)
		for (int b = 0; b < N_WEEK_RATES; b++)
		{
			double		error;

			if (week_rates[b] >= 0.0 && !(f->share_differs > 0.0))
				continue;
			if (cf_stop_requested(stop))
				return false;
			error = moving_error(f, shape_rates[a], week_rates[b]);
			if (!(error < BETTER * f->error))
				continue;
			f->error = error;
			f->shape_rate = shape_rates[a];
			f->week_rate = week_rates[b];
		}
	return true;
}

static void
fit_form(Fit *f, double *scratch)
{
	for (int t = 0; t < f->n; t++)
		f->z[t] = f->is_factor ? f->y[t] / f->trend[t] : f->y[t] - f->trend[t];
	draw_in(f, f->moving, scratch);
	take_profile(f);
}

static bool
may_be_factors(const Fit *f)
{
	double		mean = cf_num_sum(f->y, f->n) / f->n;

	for (int t = 0; t < f->n; t++)
		if (f->y[t] < 0.0 || !(f->trend[t] > 0.05 * mean))
			return false;
	return true;
}

static double
put(const Fit *f, double gate, double effect)
{
	double		factor = 1.0 + gate * effect;

	if (!f->is_factor)
		return gate * effect;
	return factor < LEAST_FACTOR ? LEAST_FACTOR : factor > 1.0 / LEAST_FACTOR ? 1.0 / LEAST_FACTOR : factor;
}

static double
profile_at(const Fit *f, int j, int h)
{
	int			d = j % WEEK;

	return f->share_shape * f->shape[h] + f->level[d] + f->share_differs * f->differs[d * f->per_day + h];
}

/* The effects of the days seen, from what was known before each; of the first week, and of a shape that stays, from all. */
static void
put_effects(Fit *f, double gate, bool is_moving, int total, double *effect)
{
	double		share = f->week_rate < 0.0 ? 0.0 : f->share_differs;
	int			p = f->per_day;

	start_moving(f);
	for (int t = 0; t < total; t += p)
	{
		int			j = t / p;

		for (int h = 0; h < p && t + h < total; h++)
			effect[t + h] = put(f, gate, is_moving && j >= WEEK ? f->level[j % WEEK] + predict(f, share, j, h) : profile_at(f, j, h));
		if (is_moving && j < f->days)
			learn(f, f->shape_rate, f->week_rate, share, j);
	}
}

/* Share of the variance about the trend that the effects explain. */
static double
strength_of(const Fit *f, const double *effect)
{
	double		all = 0.0;
	double		rest = 0.0;

	for (int t = 0; t < f->n; t++)
	{
		double		without = f->y[t] - f->trend[t];
		double		with = f->y[t] - (f->is_factor ? f->trend[t] * effect[t] : f->trend[t] + effect[t]);

		all += without * without;
		rest += with * with;
	}
	return all > 0.0 && rest < all ? 1.0 - rest / all : 0.0;
}

bool
cf_hours_fit(const double *y, int n, int per_day, int total, const CfStop *stop, double *work, double *effect,
			 CfHours *hours)
{
	Fit			form[2];
	int			days = n / per_day < CF_HOURS_MOST_DAYS ? n / per_day : CF_HOURS_MOST_DAYS;
	int			used = days * per_day;
	int			skip = n - used;
	double	   *filled = work;
	double	   *trend = filled + used;
	double	   *rest = trend + used;
	Fit		   *best = &form[0];
	double		f;

	hours->gate = 0.0;
	if (days < CF_HOURS_MIN_DAYS || per_day > CF_HOURS_MOST || !fill(y + skip, used, per_day, filled))
		return false;
	take_trend(filled, used, WEEK * per_day, trend);
	for (int i = 0; i < 2; i++)
	{
		Fit		   *g = &form[i];

		*g = (Fit) {.days = days, .per_day = per_day, .n = used, .is_factor = i == 1, .y = filled, .trend = trend, .z = rest};
		rest += used;
		g->shape = rest;
		g->differs = g->shape + per_day;
		g->moving = g->differs + WEEK * per_day;
		rest = g->moving + (1 + WEEK) * per_day;
	}
	form[0].day = form[1].day = rest;
	rest += CF_HOURS_MOST_DAYS;
	for (int i = 0; i < 2; i++)
	{
		if (i == 1 && !may_be_factors(&form[1]))
			break;
		fit_form(&form[i], rest);
		if (!choose_rates(&form[i], stop))
			return false;
		if (form[i].error < best->error)
			best = &form[i];
	}
	f = best->f_level > best->f_differs ? best->f_level : best->f_differs;
	hours->gate = cf_num_share(f, 1.0, 3.0);
	if (!(hours->gate > 0.0))
		return false;
	hours->is_factor = best->is_factor;
	hours->is_moving = best->shape_rate >= MOVES;
	for (int t = 0; t < skip; t++)
		effect[t] = best->is_factor ? 1.0 : 0.0;
	put_effects(best, hours->gate, hours->is_moving, total - skip, effect + skip);
	hours->strength = strength_of(best, effect + skip);
	hours->fitted = hours->gate * ((WEEK - 1.0) * best->share_level + (WEEK - 1.0) * (per_day - 1.0) * best->share_differs) / used;
	hours->fitted = hours->fitted > 0.5 ? 0.5 : hours->fitted;
	return true;
}
