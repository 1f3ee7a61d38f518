/*
 * cf_year.c
 *		The year in daily values.
 *
 * A line, the days of the week and a sum of waves of 365 days are fitted in turn (backfitting), values far off drawn in.
 * Values are taken together by day of the year, of which there are 365, so that the waves are orthogonal.
 *
 * Each wave is shrunk by 1 - 1/F, F against the noise that it would have if there were no year.  That noise is found from
 * how the waves differ from year to year, which is right however the days depend on one another; from a single year,
 * by a first-order autoregression of the residuals.  As a whole the year counts as far as each year is like the others;
 * a single one by half, and less or not at all where it does not end as it began.
 */
#include <math.h>

#include "core/models/cf_year.h"
#include "core/numerics/cf_num.h"
#include "core/time/cf_calendar.h"

#define DAYS 365
#define WAVES 18				/* the shortest of 20 days: a peak of a month is resolved */
#define WAVES_OF_ONE_YEAR 12
#define ROUNDS 3
#define MOST_YEARS (CF_YEAR_MOST / DAYS)
#define MONTH 28
#define FAR 3.0					/* robust standard deviations */
#define NEAR_ZERO 0.02			/* of the median */
#define COVERED 0.75
#define GUARD_DAYS 160
#define GUARD_LEAST 1.1
#define LEAST_FACTOR 0.1
/* of an angle of 2 pi / 365 */
#define COSINE 0.9998518392091162
#define SINE 0.017213356155834685

typedef struct Waves
{
	double		cosine[WAVES];
	double		sine[WAVES];
} Waves;

/* What is being fitted: all by step but for what is by day of the year. */
typedef struct Fit
{
	int			n;
	int			first;			/* day of the year of step 0 */
	int			weekday;
	int			leap_step;		/* first step that is a 29 February; 1461 from one to the next */
	int			years;
	int			waves;
	double	   *v;				/* values on the scale of the fit; NaN: missing */
	double	   *rest;			/* v less line and week */
	double	   *clipped;		/* rest less waves, drawn in */
	double	   *weight;
	double	   *scratch;
	double	   *curve;			/* the waves by day of the year */
	double	   *mean;			/* mean of rest by day of the year */
	double	   *count;
	int		   *day;			/* day of the year, 0 to 364 */
	double		week[7];
	double		level;
	double		slope;
	double		spread;			/* of the residuals, robust */
	double		variance;		/* of the drawn-in residuals */
	Waves		sum;			/* the waves of curve */
	Waves		of_year[MOST_YEARS];
	double		noise[WAVES];
	double		shrink[WAVES];
	double		beta;			/* how fast the noise falls with the wave's number */
} Fit;

size_t
cf_year_worksize(int n)
{
	return 6 * (size_t) n + 3 * DAYS;
}

/* Cosines and sines of the angles of a day's step, by wave. */
static void
set_turn(int waves, Waves *turn)
{
	turn->cosine[0] = COSINE;
	turn->sine[0] = SINE;
	for (int k = 1; k < waves; k++)
	{
		turn->cosine[k] = turn->cosine[k - 1] * COSINE - turn->sine[k - 1] * SINE;
		turn->sine[k] = turn->sine[k - 1] * COSINE + turn->cosine[k - 1] * SINE;
	}
}

static void
turn_on(int waves, Waves *angle, const Waves *turn)
{
	for (int k = 0; k < waves; k++)
	{
		double		cosine = angle->cosine[k] * turn->cosine[k] - angle->sine[k] * turn->sine[k];

		angle->sine[k] = angle->sine[k] * turn->cosine[k] + angle->cosine[k] * turn->sine[k];
		angle->cosine[k] = cosine;
	}
}

static void
set_start(int waves, Waves *angle)
{
	for (int k = 0; k < waves; k++)
	{
		angle->cosine[k] = 1.0;
		angle->sine[k] = 0.0;
	}
}

/* The waves in values by day of the year. */
static void
take_waves(const double *by_day, int waves, Waves *sum)
{
	Waves		turn;
	Waves		angle;

	set_turn(waves, &turn);
	set_start(waves, &angle);
	for (int k = 0; k < waves; k++)
		sum->cosine[k] = sum->sine[k] = 0.0;
	for (int d = 0; d < DAYS; d++)
	{
		for (int k = 0; k < waves; k++)
		{
			sum->cosine[k] += by_day[d] * angle.cosine[k];
			sum->sine[k] += by_day[d] * angle.sine[k];
		}
		turn_on(waves, &angle, &turn);
	}
	for (int k = 0; k < waves; k++)
	{
		sum->cosine[k] *= 2.0 / DAYS;
		sum->sine[k] *= 2.0 / DAYS;
	}
}

/* The first so many waves, each times its share (NULL: whole), by day of the year. */
static void
add_waves(const Waves *sum, const double *share, int waves, double *by_day)
{
	Waves		turn;
	Waves		angle;
	Waves		part;

	set_turn(waves, &turn);
	set_start(waves, &angle);
	for (int k = 0; k < waves; k++)
	{
		double		s = share == NULL ? 1.0 : share[k];

		part.cosine[k] = s * sum->cosine[k];
		part.sine[k] = s * sum->sine[k];
	}
	for (int d = 0; d < DAYS; d++)
	{
		double		term[WAVES];
		double		value = 0.0;

		for (int k = 0; k < waves; k++)
			term[k] = part.cosine[k] * angle.cosine[k] + part.sine[k] * angle.sine[k];
		for (int k = 0; k < waves; k++)
			value += term[k];
		by_day[d] = value;
		turn_on(waves, &angle, &turn);
	}
}

/* Days of the year: 29 February shares that of the 28th. */
static void
set_days(Fit *f, int64_t first_day)
{
	CfDate		date = cf_calendar_date(first_day * CF_DAY);
	int64_t		year = cf_floor_div(date.month, 12);
	int64_t		start = cf_calendar_time(12 * year, 1, 0) / CF_DAY;
	int			leap = cf_calendar_month_length(12 * year + 1) == 29;
	int			in_year = (int) (first_day - start);

	for (int t = 0; t < f->n; t++)
	{
		f->day[t] = leap && in_year >= 59 ? in_year - 1 : in_year;
		if (++in_year == DAYS + leap)
		{
			in_year = 0;
			leap = cf_calendar_month_length(12 * ++year + 1) == 29;
		}
	}
	f->weekday = (int) (first_day - 7 * cf_floor_div(first_day, 7));
}

static double
line_at(const Fit *f, int t)
{
	return f->level + f->slope * (t - (f->n - 1) / 2.0);
}

/* Weighted least squares; one year cannot tell its slope from its season, and has none. */
static void
fit_line(Fit *f)
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
fit_week(Fit *f)
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
take_residuals(Fit *f, bool is_first)
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

	for (int d = 0; d < 2 * DAYS; d++)
	{
		if (count[d % DAYS] == 0.0)
			continue;
		for (int i = from + 1; from >= 0 && i < d; i++)
			if (count[i % DAYS] == 0.0)
				mean[i % DAYS] = mean[from % DAYS] + (mean[d % DAYS] - mean[from % DAYS]) * (i - from) / (d - from);
		from = d;
	}
}

/* Means by day of the year, of the steps from s to e - 1: the curve and the drawn-in residuals. */
static void
take_days(const Fit *f, int s, int e)
{
	for (int d = 0; d < DAYS; d++)
		f->mean[d] = f->count[d] = 0.0;
	for (int t = s; t < e; t++)
	{
		if (isnan(f->clipped[t]))
			continue;
		f->mean[f->day[t]] += f->curve[f->day[t]] + f->clipped[t];
		f->count[f->day[t]] += 1.0;
	}
	for (int d = 0; d < DAYS; d++)
		f->mean[d] = f->count[d] > 0.0 ? f->mean[d] / f->count[d] : 0.0;
	fill_days(f->mean, f->count);
}

static void
fit_waves(Fit *f)
{
	for (int d = 0; d < DAYS; d++)
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
		take_days(f, 0, f->n);
		take_waves(f->mean, f->waves, &f->sum);
		add_waves(&f->sum, NULL, f->waves, f->curve);
	}
	take_residuals(f, false);
}

/* Logs of what waves have as noise, by wave from the one numbered first on, as a power of their number. */
static void
fit_noise(Fit *f, const double *logs, int first, int count)
{
	double		sx = 0.0;
	double		sy = 0.0;
	double		sxx = 0.0;
	double		sxy = 0.0;
	double		alpha;

	for (int i = 0; i < count; i++)
	{
		double		x = cf_num_log(first + i);

		sx += x / count;
		sy += logs[i] / count;
		sxx += x * x;
		sxy += x * logs[i];
	}
	f->beta = -(sxy - count * sx * sy) / (sxx - count * sx * sx);
	f->beta = f->beta < 0.0 ? 0.0 : f->beta > 2.0 ? 2.0 : f->beta;
	alpha = sy + f->beta * sx;
	for (int k = 0; k < f->waves; k++)
		f->noise[k] = cf_num_exp(alpha - f->beta * cf_num_log(k + 1.0));
}

/* The noise of each wave, as a spectral density, from how the years differ. */
static void
noise_of_years(Fit *f)
{
	static const double bias[3] = {0.577, 0.270, 0.176};	/* of the log of a chi-square over its freedom, 2 (J - 1) */
	double		add = f->years <= 4 ? bias[f->years - 2] : 1.0 / (2.0 * (f->years - 1));
	double		logs[WAVES];

	for (int j = 0; j < f->years; j++)
	{
		take_days(f, f->n - DAYS * (j + 1), f->n - DAYS * j);
		take_waves(f->mean, f->waves, &f->of_year[j]);
	}
	for (int k = 0; k < f->waves; k++)
	{
		double		c = 0.0;
		double		s = 0.0;
		double		v = 0.0;

		for (int j = 0; j < f->years; j++)
		{
			c += f->of_year[j].cosine[k] / f->years;
			s += f->of_year[j].sine[k] / f->years;
		}
		for (int j = 0; j < f->years; j++)
		{
			double		dc = f->of_year[j].cosine[k] - c;
			double		ds = f->of_year[j].sine[k] - s;

			v += dc * dc + ds * ds;
		}
		v *= DAYS / (4.0 * (f->years - 1));
		/* what is exact stays so */
		logs[k] = cf_num_log(v + 1e-18 * (f->variance + f->sum.cosine[k] * f->sum.cosine[k] + f->sum.sine[k] * f->sum.sine[k]) + 1e-290) + add;
	}
	fit_noise(f, logs, 1, f->waves);
}

/* The same of a single year: a first-order autoregression's. */
static void
noise_of_residuals(Fit *f)
{
	double		lagged = 0.0;
	double		square = 0.0;
	double		rho;
	double		variance = f->variance * f->n / (f->n - 2.0 * f->waves - 8.0);
	Waves		turn;

	for (int t = 0; t < f->n; t++)
	{
		if (isnan(f->clipped[t]))
			continue;
		square += f->clipped[t] * f->clipped[t];
		if (t > 0 && !isnan(f->clipped[t - 1]))
			lagged += f->clipped[t] * f->clipped[t - 1];
	}
	rho = square > 0.0 ? lagged / square : 0.0;
	rho = rho < 0.0 ? 0.0 : rho > 0.97 ? 0.97 : rho;
	set_turn(f->waves, &turn);
	for (int k = 0; k < f->waves; k++)
		f->noise[k] = variance * (1.0 - rho * rho) / (1.0 - 2.0 * rho * turn.cosine[k] + rho * rho);
	f->variance = variance;
}

static void
shrink_waves(Fit *f)
{
	for (int k = 0; k < f->waves; k++)
	{
		double		power = f->n * (f->sum.cosine[k] * f->sum.cosine[k] + f->sum.sine[k] * f->sum.sine[k]) / 4.0;

		f->shrink[k] = power > f->noise[k] ? 1.0 - f->noise[k] / power : 0.0;
	}
}

/* How alike changes over 28, 56 and 84 days are: those of each year, and of the mean of the others. */
static double
likeness(const Fit *f)
{
	double		both = 0.0;
	double		own = 0.0;
	double		others = 0.0;
	Waves		turn;

	set_turn(f->waves, &turn);
	for (int k = 0; k < f->waves; k++)
	{
		double		g = 0.0;
		Waves		angle;
		double		c = 0.0;
		double		s = 0.0;

		set_start(1, &angle);
		for (int lag = 1; lag <= 84; lag++)
		{
			double		cosine = angle.cosine[0] * turn.cosine[k] - angle.sine[0] * turn.sine[k];

			angle.sine[0] = angle.sine[0] * turn.cosine[k] + angle.cosine[0] * turn.sine[k];
			angle.cosine[0] = cosine;
			if (lag % 28 == 0)
				g += 2.0 * (1.0 - cosine);
		}
		for (int j = 0; j < f->years; j++)
		{
			c += f->of_year[j].cosine[k];
			s += f->of_year[j].sine[k];
		}
		for (int j = 0; j < f->years; j++)
		{
			double		zc = f->of_year[j].cosine[k];
			double		zs = f->of_year[j].sine[k];
			double		lc = f->shrink[k] * (c - zc) / (f->years - 1);
			double		ls = f->shrink[k] * (s - zs) / (f->years - 1);

			both += g * (zc * lc + zs * ls);
			own += g * (zc * zc + zs * zs);
			others += g * (lc * lc + ls * ls);
		}
	}
	return own > 0.0 && others > 0.0 ? both / sqrt(own * others) : 0.0;
}

/* Of seven days of the year. */
static double
week_sum(const double *by_day, int from)
{
	double		sum = 0.0;

	for (int d = from; d < from + 7; d++)
		sum += by_day[d % DAYS];
	return sum;
}

/* Does the year make the newest days smoother, or has it ended? */
static bool
has_ended(const Fit *f, const double *curve)
{
	double		with = 0.0;
	double		without = 0.0;
	int			from = f->n - GUARD_DAYS;
	double		usual = 0.0;
	double	   *u = f->scratch;	/* seven-day sums: with the year, then without */
	double	   *e = f->weight;

	for (int t = from - 62; t < f->n; t++)
	{
		double		a = 0.0;
		double		b = 0.0;

		for (int i = t - 6; i <= t; i++)
		{
			double		x = isnan(f->clipped[i]) ? 0.0 : f->clipped[i];

			a += f->curve[f->day[i]] + x;
			b += f->curve[f->day[i]] + x - curve[f->day[i]];
		}
		u[t] = a;
		e[t] = b;
	}
	for (int t = from; t < f->n; t++)
	{
		without += fabs(u[t] - u[t - 28]) + fabs(u[t] - u[t - 56]);
		with += fabs(e[t] - e[t - 28]) + fabs(e[t] - e[t - 56]);
	}
	/* the usual change, of as many days of the curve: ripples about a narrow peak far from now are no news */
	for (int d = 0; d < DAYS; d++)
		usual += (fabs(week_sum(curve, d) - week_sum(curve, d + 28)) + fabs(week_sum(curve, d) - week_sum(curve, d + 56)))
			* GUARD_DAYS / DAYS;
	return with > GUARD_LEAST * without && with > 0.25 * usual;
}

/* Values on the scale of the fit; false where there are too few. */
static bool
set_values(const double *y, Fit *f, CfYearScale *scale)
{
	double		least = (double) INFINITY;
	double		sum = 0.0;
	double		slope = 0.0;
	double		median;
	double		mean;
	double		middle = (f->n - 1) / 2.0;
	int			m = 0;

	for (int t = 0; t < f->n; t++)
	{
		if (isnan(y[t]))
			continue;
		f->scratch[m++] = y[t];
		sum += y[t];
		least = y[t] < least ? y[t] : least;
	}
	if (m < COVERED * f->n)
		return false;
	median = cf_num_median(f->scratch, m);
	mean = sum / m;
	for (int t = 0; t < f->n; t++)
		slope += isnan(y[t]) ? 0.0 : (t - middle) * (y[t] - mean);
	slope /= (double) f->n * ((double) f->n * f->n - 1.0) / 12.0;
	*scale = CF_YEAR_PLAIN;
	if (least >= 0.0 && mean > 0.0)
		*scale = f->years >= 2 && least > NEAR_ZERO * median ? CF_YEAR_LOG : CF_YEAR_RATIO;
	for (int t = 0; t < f->n; t++)
	{
		double		base = f->years < 2 ? mean : mean + slope * (t - middle);

		base = base > 0.2 * mean ? base : 0.2 * mean;
		f->v[t] = isnan(y[t]) ? (double) NAN : *scale == CF_YEAR_LOG ? cf_num_log(y[t])
			: *scale == CF_YEAR_RATIO ? y[t] / base : y[t];
	}
	return true;
}

/* Mean of the values about line and week, drawn in, of the 28 days to t. */
static double
month_mean(const Fit *f, int t)
{
	double		sum = 0.0;
	int			m = 0;

	for (int i = t - MONTH + 1; i <= t; i++)
	{
		if (isnan(f->clipped[i]))
			continue;
		sum += f->curve[f->day[i]] + f->clipped[i];
		m++;
	}
	return m > 0 ? sum / m : 0.0;
}

/* How far from where it began a year ends, over how far it goes in between: what grows or wanders does not come back. */
static double
open_share(const Fit *f)
{
	double		first = month_mean(f, MONTH - 1);
	double		last = month_mean(f, f->n - 1);
	double		low = first;
	double		high = first;

	for (int t = MONTH - 1; t < f->n; t += 7)
	{
		double		mean = month_mean(f, t);

		low = mean < low ? mean : low;
		high = mean > high ? mean : high;
	}
	return high > low ? fabs(last - first) / (high - low) : 0.0;
}

static double
gate_of(Fit *f, const double *curve)
{
	double		least;

	if (f->years < 2)
		return 0.5 * cf_num_share(-open_share(f), -0.5, -0.3);
	/* more than years of white noise or of a random walk have in common by chance */
	least = 0.30 + (0.35 + 0.15 * f->beta) / f->years;
	if (has_ended(f, curve))
		return 0.0;
	return cf_num_share(likeness(f), least, least + 0.25);
}

static double
factor_of(CfYearScale scale, double e)
{
	double		factor = scale == CF_YEAR_LOG ? cf_num_exp(e) : 1.0 + e;

	if (scale == CF_YEAR_PLAIN)
		return e;
	return factor < LEAST_FACTOR ? LEAST_FACTOR : factor > 1.0 / LEAST_FACTOR ? 1.0 / LEAST_FACTOR : factor;
}

/* The effect of each day, and what it is worth. */
static void
put_effect(Fit *f, int64_t first_day, int total, double *effect, CfYear *year)
{
	double		explained = 0.0;
	double		taken = 0.0;
	double	   *curve = f->mean;
	CfDate		date = cf_calendar_date(first_day * CF_DAY);
	int64_t		of = cf_floor_div(date.month, 12);
	int64_t		day = first_day - cf_calendar_time(12 * of, 1, 0) / CF_DAY;

	for (int d = 0; d < DAYS; d++)
	{
		explained += curve[d] * curve[d] * year->gate * year->gate / DAYS;
		f->count[d] = factor_of(year->scale, year->gate * curve[d]);
	}
	for (int t = 0; t < total; t++)
	{
		bool		is_leap = cf_calendar_month_length(12 * of + 1) == 29;

		effect[t] = f->count[is_leap && day >= 59 ? day - 1 : day];
		if (++day == DAYS + is_leap)
		{
			day = 0;
			of++;
		}
	}
	for (int k = 0; k < f->waves; k++)
		taken += 2.0 * f->shrink[k] * f->noise[k];
	taken *= f->years < 2 ? year->gate * year->gate : year->gate;
	year->fitted = f->variance > 0.0 ? taken / (f->n * f->variance) : 0.0;
	year->fitted = year->fitted > 0.5 ? 0.5 : year->fitted;
	year->strength = explained > 0.0 ? explained / (explained + f->variance) : 0.0;
}

bool
cf_year_fit(const double *y, int n, int64_t first_day, int total, double *work, double *effect, CfYear *year)
{
	Fit			f = {.n = n};
	int			skip = n > CF_YEAR_MOST ? n - CF_YEAR_MOST : 0;

	year->gate = 0.0;
	if (n < CF_YEAR_MIN)
		return false;
	f.n = n - skip;
	f.years = f.n / DAYS;
	f.waves = f.years < 2 ? WAVES_OF_ONE_YEAR : WAVES;
	f.v = work;
	f.rest = f.v + f.n;
	f.clipped = f.rest + f.n;
	f.weight = f.clipped + f.n;
	f.scratch = f.weight + f.n;
	f.day = (int *) (f.scratch + f.n);
	f.curve = f.scratch + 2 * f.n;
	f.mean = f.curve + DAYS;
	f.count = f.mean + DAYS;
	if (!set_values(y + skip, &f, &year->scale))
		return false;
	set_days(&f, first_day + skip);
	fit_waves(&f);
	if (!(f.spread > 0.0) && !(fabs(f.sum.cosine[0]) + fabs(f.sum.sine[0]) > 0.0))
		return false;
	if (f.years >= 2)
		noise_of_years(&f);
	else
		noise_of_residuals(&f);
	shrink_waves(&f);
	add_waves(&f.sum, f.shrink, f.waves, f.mean);
	year->years = f.years;
	year->gate = gate_of(&f, f.mean);
	if (!(year->gate > 0.0))
		return false;
	put_effect(&f, first_day, total, effect, year);
	return true;
}
