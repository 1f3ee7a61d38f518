/*
 * cf_season.c
 *		Which season a series has.
 *
 * Candidates are the peaks of the autocorrelation of the values about a line through them; each is
 * tested by the F statistic by phase that the forecast uses too, turned into a normal deviate
 * (Paulson 1942), so that periods of different length compare.
 */
#include <math.h>

#include "core/engine/cf_options.h"
#include "core/engine/cf_prepare.h"
#include "core/engine/cf_season.h"
#include "core/models/cf_index.h"
#include "core/numerics/cf_num.h"

#define SEARCH_POINTS 20000	/* the newest values looked at */
#define CANDIDATES 4
#define SURE 2.326				/* the 1 % level */
#define PEAK 0.1				/* least autocorrelation worth a test */

static int
longest_search(int n)
{
	return n / 3 < CF_SEASON_MAX_SEARCH ? n / 3 : CF_SEASON_MAX_SEARCH;
}

size_t
cf_season_worksize(int n, int hint)
{
	int			longest = hint > 1 ? hint : CF_SEASON_MAX_SEARCH;

	if (n < 0 || n > CF_MAX_POINTS || hint < 0 || hint > CF_MAX_SEASON)
		return 0;
	return cf_prepare_worksize(n, 1) + (size_t) n + 2 * (size_t) longest + cf_index_worksize(n, longest);
}

/* F with m groups and n values as a standard normal deviate. */
static double
deviate(double f, int m, double n)
{
	double		a = 2.0 / (9.0 * (m - 1));
	double		b;
	double		root;

	if (!(n - m >= 1.0) || !(f > 0.0))
		return 0.0;
	b = 2.0 / (9.0 * (n - m));
	root = cf_num_pow(f < 1e12 ? f : 1e12, 1.0 / 3.0);
	return ((1.0 - b) * root - (1.0 - a)) / sqrt(b * root * root + a);
}

static void
test_period(const CfPrepared *p, int period, double *work, CfSeason *best)
{
	CfIndex		info;
	double		z;

	cf_index_estimate(p->y, p->n_known < p->n ? p->is_known : NULL, p->n, period, false, 1.0, NULL, work + period, work, &info);
	z = info.period > 1 ? deviate(info.f, period, p->n_known) : 0.0;
	if (z > SURE && z > best->z)
	{
		best->period = period;
		best->strength = info.strength;
		best->z = z;
	}
}

/* Values about their line, into d. */
static void
about_line(const double *y, int n, double *d)
{
	double		middle = (n - 1) / 2.0;
	double		mean = 0.0;
	double		sum = 0.0;
	double		slope;

	for (int t = 0; t < n; t++)
		mean += (y[t] - mean) / (t + 1);
	for (int t = 0; t < n; t++)
		sum += (t - middle) * (y[t] - mean);
	slope = sum / ((double) n * ((double) n * n - 1.0) / 12.0);
	for (int t = 0; t < n; t++)
		d[t] = y[t] - mean - slope * (t - middle);
}

static double
autocorrelation(const double *d, int n, int lag)
{
	double		lane[4] = {0};
	int			t = lag;

	for (; t + 4 <= n; t += 4)
		for (int j = 0; j < 4; j++)
			lane[j] += d[t + j] * d[t + j - lag];
	for (; t < n; t++)
		lane[0] += d[t] * d[t - lag];
	return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

static CfStatus
search(const CfPrepared *p, const CfStop *stop, double *work, CfSeason *season)
{
	double	   *d = work;
	double	   *r = work + p->n;
	int			longest = longest_search(p->n);
	double		variance;

	about_line(p->y, p->n, d);
	variance = autocorrelation(d, p->n, 0);
	if (!(variance > 0.0))
		return CF_OK;
	for (int lag = 1; lag <= longest; lag++)
	{
		if (lag % 8 == 0 && cf_stop_requested(stop))
			return CF_STOPPED;
		r[lag - 1] = autocorrelation(d, p->n, lag) / variance;
	}
	for (int i = 0; i < CANDIDATES; i++)
	{
		int			peak = 0;

		for (int lag = 2; lag <= longest; lag++)
			if (r[lag - 1] > PEAK && r[lag - 1] >= r[lag - 2] && (lag == longest || r[lag - 1] >= r[lag])
				&& (peak == 0 || r[lag - 1] > r[peak - 1]))
				peak = lag;
		if (peak == 0)
			break;
		if (cf_stop_requested(stop))
			return CF_STOPPED;
		test_period(p, peak, r + longest, season);
		r[peak - 1] = -1.0;
	}
	return CF_OK;
}

CfStatus
cf_season_detect(const double *y, int n, int hint, const CfStop *stop, double *work, CfSeason *season)
{
	CfOptions	options;
	CfPrepared	p;
	CfStatus	status;

	season->period = 1;
	season->strength = 0.0;
	season->z = 0.0;
	if (cf_season_worksize(n, hint) == 0)
		return CF_BAD_ARGUMENT;
	cf_options_init(&options);
	options.season_length = 1;
	status = cf_prepare(y, n, &options, SEARCH_POINTS, stop, work, &p);
	if (status != CF_OK)
		return status;
	if (p.n_known < 4)
		return CF_TOO_FEW;
	if (p.is_constant || hint == 1)
		return CF_OK;
	work += cf_prepare_worksize(n, 1);
	if (hint > 1)
	{
		test_period(&p, hint, work, season);
		return CF_OK;
	}
	return search(&p, stop, work, season);
}
