/*
 * cf_decompose.c
 *		A series taken apart: level, trend, season, remainder.
 *
 * Season: additive indices (cf_index).  Level: means between level shifts (cf_change).  Trend: of
 * what is left, lines through the values on either side of each step, within the stretch between
 * two shifts.  The remainder is what is missing to the value, so that the four add up.
 */
#include <math.h>

#include "core/engine/cf_change.h"
#include "core/engine/cf_decompose.h"
#include "core/engine/cf_options.h"
#include "core/engine/cf_prepare.h"
#include "core/models/cf_index.h"

#define MAX_SHIFTS 16

size_t
cf_decompose_plain_worksize(int n, int period)
{
	if (n < 0 || n > CF_MAX_POINTS || period < 1 || period > CF_MAX_SEASON)
		return 0;
	return cf_prepare_worksize(n, period) + cf_change_worksize(n);
}

/* Mean and smooth course of x[from .. to - 1]. */
static CfStatus
take_stretch(const double *x, int from, int to, int reach, const CfStop *stop, double *level, double *trend)
{
	double		mean = 0.0;
	int			poll_every = 1 + 500000 / reach;

	for (int t = from; t < to; t++)
		mean += (x[t] - mean) / (t - from + 1);
	for (int t = from; t < to; t++)
	{
		int			a = t - reach > from ? t - reach : from;
		int			b = t + reach < to - 1 ? t + reach : to - 1;
		double		middle = (a + b) / 2.0;
		double		count = b - a + 1;
		double		sum = 0.0;
		double		moment = 0.0;

		if (t % poll_every == 0 && cf_stop_requested(stop))
			return CF_STOPPED;
		for (int i = a; i <= b; i++)
		{
			sum += x[i] - mean;
			moment += (i - middle) * (x[i] - mean);
		}
		level[t] = mean;
		trend[t] = sum / count;
		if (count > 2.0)
			trend[t] += moment / (count * (count * count - 1.0) / 12.0) * (t - middle);
	}
	return CF_OK;
}

/* Steps on either side that a trend looks at: an eighth of the series, at most 200, and at least a period. */
static int
reach_of(int n, int period)
{
	int			reach = n / 8 < 200 ? n / 8 : 200;

	reach = reach < 3 ? 3 : reach;
	return reach < period ? period : reach;
}

CfStatus
cf_decompose_plain(const double *y, int n, int period, const CfStop *stop, double *work,
				   double *level, double *trend, double *season, double *remainder)
{
	CfOptions	options;
	CfPrepared	p;
	CfChange	changes[MAX_SHIFTS];
	CfStatus	status;
	int			n_changes = 0;
	int			from = 0;

	if (cf_decompose_plain_worksize(n, period) == 0)
		return CF_BAD_ARGUMENT;
	cf_options_init(&options);
	options.season_length = period;
	options.is_additive = true;
	status = cf_prepare(y, n, &options, 0, stop, work, &p);
	if (status != CF_OK)
		return status;
	if (p.n_known < 4)
		return CF_TOO_FEW;
	work += cf_prepare_worksize(n, period);
	status = cf_change_detect(y, n, period, MAX_SHIFTS, stop, work, changes, &n_changes);
	if (status != CF_OK)
		return status;

	for (int t = 0; t < n; t++)
		level[t] = trend[t] = season[t] = remainder[t] = (double) NAN;
	for (int i = 0; i <= n_changes; i++)
	{
		int			to = i < n_changes ? changes[i].index - p.lead : p.n;

		if (i < n_changes && changes[i].kind != CF_CHANGE_LEVEL)
			continue;
		status = take_stretch(p.x, from, to, reach_of(p.n, period), stop, level + p.lead, trend + p.lead);
		if (status != CF_OK)
			return status;
		from = to;
	}
	for (int t = 0; t < p.n; t++)
	{
		int			i = t + p.lead;

		level[i] = level[i] * p.scale + p.offset;
		trend[i] *= p.scale;
		season[i] = p.season.period > 1 ? p.index[t % p.season.period] : 0.0;
		remainder[i] = p.is_known[t] ? y[i] - (level[i] + trend[i] + season[i]) : 0.0;
	}
	return CF_OK;
}
