/*
 * cf_prepare.c
 *		A series made ready for the models.
 *
 * Gaps are filled on the scale without season: first by straight lines, to find the
 * indices; then by straight lines between the values freed from the season, which get it back.
 */
#include <math.h>

#include "core/engine/cf_clean.h"
#include "core/engine/cf_increment.h"
#include "core/engine/cf_prepare.h"
#include "core/numerics/cf_num.h"

#define SEASON_DECAY 0.85		/* weight of a period against the one after it; a stock's noise adds up, and all count alike */
#define FEWEST_TO_START 14		/* steps */
#define LEARN_PERIODS 8
#define SPARSE 0.4				/* share of zeros beyond which the values that are none are no outliers */
#define DAYS_OF_WEEK 7
#define LARGEST 1e150			/* squares and their sums stay finite */

size_t
cf_prepare_worksize(int n, int max_period)
{
	return 8 * (size_t) n + (size_t) n / sizeof(double) + 1 + (size_t) max_period + cf_index_worksize(n, max_period);
}

/* Finds the first and the last value; CF_NOT_FINITE for what cannot be computed with. */
static CfStatus
trim(const double *y, int n, CfPrepared *p)
{
	int			first = -1;
	int			last = -1;

	p->n_known = 0;
	for (int t = 0; t < n; t++)
	{
		if (isnan(y[t]))
			continue;
		if (fabs(y[t]) > LARGEST)
			return CF_NOT_FINITE;
		if (first < 0)
			first = t;
		last = t;
		p->n_known++;
	}
	if (first < 0)
		return CF_TOO_FEW;
	p->lead = first;
	p->n = last - first + 1;
	p->trail = n - 1 - last;
	return CF_OK;
}

/* Straight lines over the gaps of a[n], whose first and last values are known. */
static void
fill_gaps(double *a, const bool *is_known, int n)
{
	int			before = 0;

	for (int t = 1; t < n; t++)
	{
		if (!is_known[t])
			continue;
		for (int i = before + 1; i < t; i++)
			a[i] = a[before] + (a[t] - a[before]) * (i - before) / (t - before);
		before = t;
	}
}

static void
look_at_values(const double *y, CfPrepared *p)
{
	int			zeros = 0;

	p->is_constant = true;
	for (int t = 0; t < p->n; t++)
	{
		zeros += p->is_known[t] && y[t] == 0.0;
		if (t == 0)
			continue;
		p->is_constant = p->is_constant && y[t] == y[t - 1];
	}
	p->zero_share = (double) zeros / p->n_known;
}

/*
 * A stock seldom falls, and has grown but for what came at once: a purge is not how it moves.  What is mostly 0 is a
 * flow, however rarely it falls.
 */
static CfKind
infer_kind(const double *y, const CfPrepared *p, double *work)
{
	int			falls = 0;
	int			steps = 0;
	int			before = 0;

	for (int t = 1; t < p->n; t++)
	{
		if (!p->is_known[t])
			continue;
		steps++;
		falls += y[t] < y[before];
		before = t;
	}
	if (p->n_known < 7 || p->zero_share > 0.5 || falls > 0.1 * steps)
		return CF_KIND_FLOW;
	return y[p->n - 1] > y[0] || cf_increment_growth(y, p->n, work) > 0.0 ? CF_KIND_STOCK : CF_KIND_FLOW;
}

static double
season_of(const CfPrepared *p, int64_t t)
{
	return p->index[t % p->season.period];
}

double
cf_prepare_restore(const CfPrepared *p, int64_t t, double x)
{
	double		value = x * p->scale + p->offset;

	if (p->season.period == 1)
		return value;
	return p->season.is_multiplicative ? value * season_of(p, t) : value + season_of(p, t);
}

double
cf_prepare_restore_width(const CfPrepared *p, int64_t t, double width)
{
	return width * p->scale * (p->season.period > 1 && p->season.is_multiplicative ? season_of(p, t) : 1.0);
}

static void
take_out_season(CfPrepared *p)
{
	for (int t = 0; t < p->n; t++)
	{
		if (p->season.period == 1)
			p->x[t] = p->y[t];
		else if (p->season.is_multiplicative)
			p->x[t] = p->y[t] / season_of(p, t);
		else
			p->x[t] = p->y[t] - season_of(p, t);
	}
}

static void
scale_values(CfPrepared *p)
{
	double		largest = 0.0;

	p->offset = p->x[0];
	for (int t = 0; t < p->n; t++)
	{
		p->x[t] -= p->offset;
		if (fabs(p->x[t]) > largest)
			largest = fabs(p->x[t]);
	}
	p->scale = cf_num_binary_scale(largest);
	for (int t = 0; t < p->n; t++)
		p->x[t] /= p->scale;
}

/* Gaps again, now between the values freed from the season, which get it back. */
static void
fill_gaps_without_season(CfPrepared *p)
{
	fill_gaps(p->x, p->is_known, p->n);
	for (int t = 0; t < p->n; t++)
		if (!p->is_known[t])
			p->y[t] = p->season.is_multiplicative ? p->x[t] * season_of(p, t) : p->x[t] + season_of(p, t);
}

/* Drops all but the newest steps. */
static void
keep_newest(const double *y, int keep, CfPrepared *p)
{
	while (p->n > keep || isnan(y[p->lead]))
	{
		p->n_known -= !isnan(y[p->lead]);
		p->lead++;
		p->n--;
	}
}

/*
 * A stock that jumps the way it grows has most likely taken in much at once; one that falls, or a flow, may be seen wrong.
 * What is less likely stays in doubt.
 */
static void
settle_last(CfPrepared *p)
{
	double	   *last = &p->y[p->n - 1];

	p->other = p->seen;
	if (!p->glitches.is_last || p->kind != CF_KIND_STOCK || (p->seen - *last) * (p->y[p->n - 2] - p->y[0]) <= 0.0)
		return;
	p->other = *last;
	*last = p->seen;
	p->glitches.n--;
}

/* Drops all before a step. */
static void
start_at(CfPrepared *p, int start)
{
	CfGlitches *g = &p->glitches;
	int			kept = 0;

	p->n -= start;
	p->lead += start;
	p->n_known = 0;
	for (int t = 0; t < p->n; t++)
	{
		p->y[t] = p->y[start + t];
		p->is_known[t] = p->is_known[start + t];
		p->n_known += p->is_known[t];
	}
	for (int i = 0; i < g->n; i++)
		if (g->index[i] >= start)
		{
			g->index[kept] = g->index[i] - start;
			g->seen[kept++] = g->seen[i];
		}
	g->n = kept;
	look_at_values(p->y, p);
}

/*
 * Values of days and shorter steps may be wrong, and regimes begin within them.  Those of weeks, months and years are sums
 * of many: mending them and following their changes costs 0.7 and 1 % on the M3 competition.
 */
static bool
is_fine(int season_hint)
{
	return season_hint == 0 || season_hint == DAYS_OF_WEEK || (season_hint >= 24 && season_hint != 52);
}

CfStatus
cf_prepare(const double *y, int n, const CfOptions *options, int learn, const CfStop *stop, double *work,
		   CfPrepared *p)
{
	int			period = options->season_length > 1 ? options->season_length : 1;
	CfStatus	status = trim(y, n, p);
	double	   *scratch;

	if (status != CF_OK)
		return status;
	if (learn > 0)
		keep_newest(y, learn > LEARN_PERIODS * period ? learn : LEARN_PERIODS * period, p);
	p->y = work;
	p->x = p->y + n;
	p->z = p->x + n;
	p->growth = p->z + n;
	p->is_known = (bool *) (p->growth + n);
	p->index = p->growth + n + (size_t) n / sizeof(double) + 1;
	scratch = p->index + period;

	for (int t = 0; t < p->n; t++)
	{
		p->y[t] = y[p->lead + t];
		p->is_known[t] = !isnan(p->y[t]);
	}
	if (p->n_known < p->n)
		fill_gaps(p->y, p->is_known, p->n);
	if (cf_stop_requested(stop))
		return CF_STOPPED;
	p->period = period;
	p->glitches.n = 0;
	p->glitches.is_last = false;
	p->seen = p->y[p->n - 1];
	p->is_fine = is_fine(options->season_hint);
	if (p->is_fine)
		cf_glitch_mend(p->y, p->n, period, scratch, &p->glitches);
	look_at_values(p->y, p);
	cf_teeth_find(p->y, p->n, options->has_days, options->first_day + p->lead, p->growth, &p->teeth);
	if (p->teeth.has_ended && p->n - p->teeth.last_fall >= FEWEST_TO_START)
		start_at(p, p->teeth.last_fall);
	p->is_flow_given = options->kind == CF_KIND_FLOW;
	p->kind = options->kind != CF_KIND_AUTO ? options->kind : p->teeth.end != CF_TOOTH_NONE ? CF_KIND_FLOW : infer_kind(p->y, p, scratch);
	settle_last(p);
	p->is_flow = p->kind == CF_KIND_FLOW && (options->kind == CF_KIND_FLOW || options->season_hint == DAYS_OF_WEEK);
	cf_index_estimate(p->y, p->n_known < p->n ? p->is_known : NULL, p->n, period, !options->is_additive,
					  p->kind == CF_KIND_STOCK ? 1.0 : SEASON_DECAY, stop, scratch, p->index, &p->season);
	if (cf_stop_requested(stop))
		return CF_STOPPED;
	take_out_season(p);
	if (p->n_known < p->n && p->season.period > 1)
		fill_gaps_without_season(p);
	scale_values(p);
	if (cf_stop_requested(stop))
		return CF_STOPPED;
	if (p->is_flow && p->n >= CF_CLEAN_MIN && !(p->is_fine && p->zero_share > SPARSE))
		cf_clean_outliers(p->x, p->n, scratch, p->z);
	else
		for (int t = 0; t < p->n; t++)
			p->z[t] = p->x[t];
	return CF_OK;
}
