/*
 * cf_year_trust.c
 *		How far a year in daily values is believed.
 *
 * Each wave is shrunk by 1 - 1/F, F against the noise that it would have if there were no year.  That noise is found from
 * how the waves differ from year to year, which is right however the days depend on one another; from a single year,
 * by a first-order autoregression of the residuals.  As a whole the year counts as far as each year is like the others;
 * a single one by half, and less or not at all where it does not end as it began.
 */
#include <math.h>

#include "core/models/cf_year_parts.h"
#include "core/numerics/cf_num.h"

#define MONTH 28
#define GUARD_DAYS 160
#define GUARD_LEAST 1.1

/* Logs of what waves have as noise, by wave from the one numbered first on, as a power of their number. */
static void
fit_noise(CfYearParts *f, const double *logs, int first, int count)
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
noise_of_years(CfYearParts *f)
{
	static const double bias[3] = {0.577, 0.270, 0.176};	/* of the log of a chi-square over its freedom, 2 (J - 1) */
	double		add = f->years <= 4 ? bias[f->years - 2] : 1.0 / (2.0 * (f->years - 1));
	double		logs[CF_WAVES_MOST];

	for (int j = 0; j < f->years; j++)
	{
		cf_year_parts_take_days(f, f->n - CF_WAVES_DAYS * (j + 1), f->n - CF_WAVES_DAYS * j);
		cf_waves_take(f->mean, f->waves, &f->of_year[j]);
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
		v *= CF_WAVES_DAYS / (4.0 * (f->years - 1));
		/* what is exact stays so */
		logs[k] = cf_num_log(v + 1e-18 * (f->variance + f->sum.cosine[k] * f->sum.cosine[k] + f->sum.sine[k] * f->sum.sine[k]) + 1e-290) + add;
	}
	fit_noise(f, logs, 1, f->waves);
}

/* The same of a single year: a first-order autoregression's. */
static void
noise_of_residuals(CfYearParts *f)
{
	double		lagged = 0.0;
	double		square = 0.0;
	double		rho;
	double		variance = f->variance * f->n / (f->n - 2.0 * f->waves - 8.0);
	CfWaves		turn;

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
	cf_waves_turn(f->waves, &turn);
	for (int k = 0; k < f->waves; k++)
		f->noise[k] = variance * (1.0 - rho * rho) / (1.0 - 2.0 * rho * turn.cosine[k] + rho * rho);
	f->variance = variance;
}

static void
shrink_waves(CfYearParts *f)
{
	for (int k = 0; k < f->waves; k++)
	{
		double		power = f->n * (f->sum.cosine[k] * f->sum.cosine[k] + f->sum.sine[k] * f->sum.sine[k]) / 4.0;

		f->shrink[k] = power > f->noise[k] ? 1.0 - f->noise[k] / power : 0.0;
	}
}

void
cf_year_shrink(CfYearParts *f)
{
	if (f->years >= 2)
		noise_of_years(f);
	else
		noise_of_residuals(f);
	shrink_waves(f);
}

/* How alike changes over 28, 56 and 84 days are: those of each year, and of the mean of the others. */
static double
likeness(const CfYearParts *f)
{
	double		both = 0.0;
	double		own = 0.0;
	double		others = 0.0;
	CfWaves		turn;

	cf_waves_turn(f->waves, &turn);
	for (int k = 0; k < f->waves; k++)
	{
		double		g = 0.0;
		CfWaves		angle;
		double		c = 0.0;
		double		s = 0.0;

		cf_waves_start(1, &angle);
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
		sum += by_day[d % CF_WAVES_DAYS];
	return sum;
}

/* Does the year make the newest days smoother, or has it ended? */
static bool
has_ended(const CfYearParts *f, const double *curve)
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
	for (int d = 0; d < CF_WAVES_DAYS; d++)
		usual += (fabs(week_sum(curve, d) - week_sum(curve, d + 28)) + fabs(week_sum(curve, d) - week_sum(curve, d + 56)))
			* GUARD_DAYS / CF_WAVES_DAYS;
	return with > GUARD_LEAST * without && with > 0.25 * usual;
}

/* Mean of the values about line and week, drawn in, of the 28 days to t. */
static double
month_mean(const CfYearParts *f, int t)
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
open_share(const CfYearParts *f)
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

double
cf_year_gate(CfYearParts *f, const double *curve)
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
