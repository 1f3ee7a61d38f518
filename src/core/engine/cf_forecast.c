/*
 * cf_forecast.c
 *		Forecast of a regular series: prepare, fit, combine, bound.
 */
#include <math.h>

#include "core/engine/cf_band.h"
#include "core/engine/cf_combine.h"
#include "core/engine/cf_edge.h"
#include "core/engine/cf_forecast.h"
#include "core/engine/cf_insight.h"
#include "core/engine/cf_interval.h"
#include "core/engine/cf_prepare.h"
#include "core/engine/cf_season.h"
#include "core/engine/cf_story.h"
#include "core/numerics/cf_num.h"

#define SHORT 14
#define COVERED 0.75
#define HARDLY_COVERED 0.5
#define INTERMITTENT 0.4
#define SEED UINT64_C(1)			/* of the futures behind a forecast */
#define FRESH 42				/* steps since a change: fewer may be a burst (real stocks, 60 days: MASE 3 % worse with 28) */
#define SETTLED 70
#define DOUBTFUL_TURN 12.0		/* standard deviations of a pace that a change of it may be by burst: real stocks reach 15 */
#define CERTAIN_TURN 18.0
#define LONG_SINCE 0.3			/* of the history */
#define FEW_MOVES 4				/* of a stock that moves rarely: counting them is all that can be done */
#define MANY_MOVES 12
#define WORTH_IT 0.1				/* width: below, bounds hardly change, and simulating costs as much as all else */
#define RECENT 112				/* steps that a remark about the level looks at */

size_t
cf_forecast_plain_worksize(int n, int horizon)
{
	size_t		prepare;
	size_t		detect;

	if (n < 0 || n > CF_MAX_POINTS || horizon < 1 || horizon > CF_MAX_HORIZON)
		return 0;
	detect = cf_season_worksize(n, 0);
	prepare = cf_prepare_worksize(n, CF_MAX_SEASON) + cf_combine_worksize(n) + cf_interval_worksize(n)
		+ CF_MAX_LEVELS * ((size_t) horizon + (size_t) n) + cf_insight_worksize(n, cf_band_ahead(horizon + n))
		+ cf_band_worksize(horizon + n);
	return prepare > detect ? prepare : detect;
}

static bool
are_options_valid(const CfOptions *o, const double *levels, int n_levels)
{
	if (cf_model_entry(o->model) == NULL || o->kind < CF_KIND_AUTO || o->kind > CF_KIND_GAUGE
		|| o->season_length < 0 || o->season_length > CF_MAX_SEASON
		|| o->season_hint < 0 || o->season_hint > CF_MAX_SEASON
		|| o->floor > o->cap || isinf(o->floor) || isinf(o->cap)
		|| n_levels < 0 || n_levels > CF_MAX_LEVELS)
		return false;
	for (int l = 0; l < n_levels; l++)
		if (!(levels[l] > 0.0) || !(levels[l] < 1.0))
			return false;
	return true;
}

/* The period to work with, looked for where nobody knows. */
static CfStatus
settle_season(const double *y, int n, CfOptions *options, const CfStop *stop, double *work)
{
	CfSeason	season;
	CfStatus	status;

	if (options->season_length > 0)
		return CF_OK;
	options->season_length = options->season_hint;
	if (options->season_hint > 0)
		return CF_OK;
	status = cf_season_detect(y, n, 0, stop, work, &season);
	options->season_length = season.period;
	return status == CF_TOO_FEW ? CF_OK : status;
}

static void
describe(const CfPrepared *p, const CfCombination *c, const CfOptions *options, int horizon, CfForecastInfo *info)
{
	info->model = options->model;
	info->n_members = 0;
	for (int i = 0; i < c->n_members; i++)
		if (c->member[i].weight > 0.0)
			info->members[info->n_members++] = c->member[i].model;
	if (options->model == CF_MODEL_AUTO && c->n_members == 1)
		info->model = c->member[0].model;
	info->kind = p->kind;
	info->season_length = c->lag > 0 ? c->lag : p->season.period;
	info->is_multiplicative = p->season.is_multiplicative;
	info->season_strength = p->season.strength;
	info->n_points = p->n_known;
	info->coverage_ratio = (double) p->n_known / p->n;
	info->error_scale = 0.0;
	info->flags = (p->n_known < SHORT ? CF_FLAG_SHORT : 0u)
		| (info->coverage_ratio < COVERED ? CF_FLAG_GAPS : 0u)
		| (p->is_constant ? CF_FLAG_CONSTANT : 0u)
		| (p->kind == CF_KIND_FLOW && p->zero_share > INTERMITTENT ? CF_FLAG_INTERMITTENT : 0u)
		| (horizon + p->trail > p->n ? CF_FLAG_LONG_HORIZON : 0u);
	if (p->n_known < 4 || info->coverage_ratio < HARDLY_COVERED || horizon + p->trail > 4 * p->n)
		info->flags |= CF_FLAG_UNRELIABLE;
}

/* A stock that has never fallen is not forecast to: its last value is a floor, where none is higher. */
static void
raise_floor(const CfPrepared *p, CfOptions *options)
{
	double		last = p->y[p->n - 1];
	double		before = p->y[0];

	if (options->model != CF_MODEL_AUTO || options->kind != CF_KIND_STOCK || p->n_known < SHORT
		|| options->floor >= last || options->cap <= last)
		return;
	for (int t = 1; t < p->n; t++)
	{
		if (!p->is_known[t])
			continue;
		if (p->y[t] < before)
			return;
		before = p->y[t];
	}
	options->floor = last;
}

static double
largest_value(const CfPrepared *p)
{
	double		largest = 0.0;

	for (int t = 0; t < p->n; t++)
		if (fabs(p->y[t]) > largest)
			largest = fabs(p->y[t]);
	return largest;
}

/* What one step needs to be written. */
typedef struct Output
{
	const CfPrepared *p;
	const CfOptions *options;
	double		largest;
	double	   *yhat;
	double	   *lower;
	double	   *upper;
	const double *radius;
	int			n_levels;
	int			horizon;
	int			ahead;			/* horizon and the steps without a value before it */
	const CfBand *band;			/* of simulated futures, with a share in the answer; NULL: none */
	double		share;			/* of the value */
	double		radius_share;	/* of the bounds' distance from it */
	double		width;			/* how far the bounds reach out to the futures', where those lie beyond */
} Output;

/* The bound on one side (sign) of a mixed value x; band: that of the futures, whose middle it is measured from. */
static double
mixed_bound(const Output *out, double x, double radius, double band, double middle, double sign)
{
	double		bound = x + sign * (1.0 - out->radius_share) * radius + out->radius_share * (band - middle);

	return sign * band > sign * bound ? bound + out->width * (band - bound) : bound;
}

/* A step of which simulated futures have a share. */
static void
write_mixed_step(const Output *out, int h, double x)
{
	int			k = h + 1 + out->p->trail;
	int64_t		t = (int64_t) out->p->n - 1 + k;
	double		limit = CF_EDGE_WIDEST * out->largest;
	double		middle = out->band->middle[k - 1];
	double		mean;

	x += out->share * (middle - x);
	mean = out->band->is_value ? middle : cf_prepare_restore(out->p, t, x);
	mean = mean > limit ? limit : mean < -limit ? -limit : mean;
	out->yhat[h] = cf_edge_value(out->options, mean);
	for (int l = 0; l < out->n_levels && out->lower != NULL; l++)
	{
		size_t		at = (size_t) l * (size_t) out->horizon + (size_t) h;
		size_t		from = (size_t) l * (size_t) out->ahead + (size_t) (k - 1);
		double		low = out->band->lower[from];
		double		high = out->band->upper[from];

		if (!out->band->is_value)
		{
			low = cf_prepare_restore(out->p, t, mixed_bound(out, x, out->radius[from], low, middle, -1.0));
			high = cf_prepare_restore(out->p, t, mixed_bound(out, x, out->radius[from], high, middle, 1.0));
		}
		low = low < -limit ? -limit : low;
		high = high > limit ? limit : high;
		out->lower[at] = cf_edge_lower(out->options, out->yhat[h], out->yhat[h] > low ? out->yhat[h] - low : 0.0);
		out->upper[at] = cf_edge_upper(out->options, out->yhat[h], high > out->yhat[h] ? high - out->yhat[h] : 0.0);
	}
}

static void
write_step(const Output *out, int h, double x)
{
	int			k = h + 1 + out->p->trail;
	int64_t		t = (int64_t) out->p->n - 1 + k;
	double		limit = CF_EDGE_WIDEST * out->largest;
	double		mean = cf_prepare_restore(out->p, t, x);

	mean = mean > limit ? limit : mean < -limit ? -limit : mean;
	out->yhat[h] = cf_edge_value(out->options, mean);
	for (int l = 0; l < out->n_levels && out->lower != NULL; l++)
	{
		size_t		at = (size_t) l * (size_t) out->horizon + (size_t) h;
		double		r = cf_prepare_restore_width(out->p, t, out->radius[(size_t) l * (size_t) out->ahead + (size_t) (k - 1)]);

		r = r > limit ? limit : r;
		out->lower[at] = cf_edge_lower(out->options, out->yhat[h], r);
		out->upper[at] = cf_edge_upper(out->options, out->yhat[h], r);
	}
}

/*
 * History before its one-offs as if they had been there from the beginning: kept in the level, in no pace.  One that
 * stands out less may be how the stock grows, and is shifted in part; so may many.
 */
static void
shift_one_offs(const CfInsight *in, CfPrepared *p)
{
	if (!in->is_stock || in->inc.n_one_offs > CF_FEW_ONE_OFFS)
		return;
	for (int i = 0; i < in->inc.n_one_offs; i++)
	{
		double		size = in->grows * in->inc.one_off[i] / p->scale
			* cf_num_share(fabs(in->inc.one_off[i]), 10.0 * in->inc.noise_size, 40.0 * in->inc.noise_size);

		for (int t = 0; t < in->inc.one_off_at[i]; t++)
		{
			p->x[t] += size;
			p->z[t] += size;
		}
	}
}

/* Has the level jumped in the newest quarter of the newest 112 steps? */
static bool
has_jumped_lately(const CfPrepared *p, const CfEvents *events)
{
	int			newest = (p->n < RECENT ? p->n : RECENT) / 4;

	for (int i = 0; i < events->n; i++)
		if (events->event[i].kind == CF_EVENT_LEVEL && events->event[i].index >= p->lead + p->n - newest)
			return true;
	return false;
}

/* How likely the pace fades, or has been growing for most of the history: what began to grow of late may be a burst. */
static double
share_of_bends(const CfPrepared *p, const CfRegimes *r)
{
	double		share = 0.0;

	for (int i = 0; i < r->n_components; i++)
		if (r->component[i].bend < 0.0 || (r->component[i].bend > 0.0 && r->component[i].start <= LONG_SINCE * p->n))
			share += r->component[i].weight;
	return share;
}

/*
 * How much of the answer is that of simulated futures: none where nothing has happened, or too lately to tell a new
 * pace from a burst, unless the new pace is so even that it can be nothing else.
 */
static double
share_of_futures(const CfPrepared *p, const CfInsight *in)
{
	const CfRegimes *r = &in->regimes;
	double		settled;
	double		certain;
	double		bent;

	if (!in->has_regimes)
		return 0.0;
	if (p->teeth.end != CF_TOOTH_NONE)
		return 1.0;
	if (in->is_stock && in->inc.is_rare)
		return (1.0 - cf_num_share(in->inc.n_moves, FEW_MOVES, MANY_MOVES)) * (p->n < 28 ? 0.5 : 1.0);
	settled = cf_num_share(p->n - r->segment[r->n_segments - 1].start, FRESH, SETTLED);
	certain = cf_num_share(cf_future_turn(r), DOUBTFUL_TURN, CERTAIN_TURN);
	settled = cf_future_distinctness(r) * (settled > certain ? settled : certain);
	bent = cf_num_share(share_of_bends(p, r), 0.5, 1.0);
	return settled > bent ? settled : bent;
}

CfStatus
cf_forecast_plain(const double *y, int n, const CfOptions *given, int horizon,
				  const double *levels, int n_levels, const CfStop *stop, double *work,
				  double *yhat, double *lower, double *upper, CfForecastInfo *info)
{
	CfOptions	options = *given;
	CfPrepared	p;
	CfCombination c;
	CfStatus	status;
	Output		out = {&p, &options, 0.0, yhat, lower, upper, NULL, n_levels, horizon, 0, NULL, 0.0, 0.0, 0.0};
	CfInsight	in;
	CfBand		band;
	double	   *radius;
	double		reach[CF_MAX_MEMBERS];
	int			lag;

	cf_edge_settle(&options);
	if (cf_forecast_plain_worksize(n, horizon) == 0 || !are_options_valid(&options, levels, n_levels))
		return CF_BAD_ARGUMENT;
	status = settle_season(y, n, &options, stop, work);
	if (status != CF_OK)
		return status;
	lag = options.season_length;
	if (options.model == CF_MODEL_SNAIVE)
		options.season_length = 1;	/* it repeats the values themselves */
	status = cf_prepare(y, n, &options, CF_LEARN_POINTS, stop, work, &p);
	if (status != CF_OK)
		return status;
	if (p.n_known < cf_model_entry(options.model)->min_points)
		return CF_TOO_FEW;
	work += cf_prepare_worksize(n, CF_MAX_SEASON);
	out.ahead = horizon + p.trail;
	info->events.n = 0;
	if (options.model == CF_MODEL_AUTO && p.n_known >= SHORT && !p.is_constant && p.is_fine)
	{
		CfInsightTask task = {cf_band_ahead(out.ahead), false, true, SEED, NULL};

		status = cf_insight_find(&p, &task, stop, work, &in);
		if (status != CF_OK)
			return status;
		work += cf_insight_worksize(n, cf_band_ahead(out.ahead));
		cf_story_tell(&p, &in, &info->events);
		shift_one_offs(&in, &p);
		out.share = share_of_futures(&p, &in);
		out.radius_share = in.is_stock && in.inc.is_rare ? 0.5 * out.share : out.share;
		out.width = in.has_regimes ? (in.is_stock || p.glitches.is_last ? 1.0 : 1.0 - in.calm) : 0.0;
	}
	if (out.share > 0.0 || out.width > WORTH_IT)
	{
		status = cf_band_find(&p, &in, out.ahead, levels, lower != NULL ? n_levels : 0, stop, work, &band);
		if (status != CF_OK)
			return status;
		work += cf_band_worksize(out.ahead);
		out.band = &band;
	}
	status = cf_combine_fit(&p, options.model, lag, stop, work, &c);
	if (status != CF_OK)
		return status;
	work += cf_combine_worksize(n);
	radius = work + cf_interval_worksize(n);
	describe(&p, &c, &options, horizon, info);
	if (has_jumped_lately(&p, &info->events))
		info->flags |= CF_FLAG_LEVEL_SHIFT;
	raise_floor(&p, &options);
	out.largest = largest_value(&p);
	out.radius = radius;
	if (lower != NULL && upper != NULL && n_levels > 0)
	{
		status = cf_interval_radius(&p, &c, out.ahead, levels, n_levels, stop, work, radius, &info->error_scale);
		if (status != CF_OK)
			return status;
		info->error_scale *= p.scale;
	}
	else
		out.lower = NULL;
	for (int h = 0; h < horizon; h++)
	{
		if (h % 4096 == 4095 && cf_stop_requested(stop))
			return CF_STOPPED;
		cf_combine_reach(&c, h + 1 + p.trail, reach);
		if (out.band != NULL)
			write_mixed_step(&out, h, cf_combine_at(&c, p.n - 1, reach));
		else
			write_step(&out, h, cf_combine_at(&c, p.n - 1, reach));
	}
	return CF_OK;
}
