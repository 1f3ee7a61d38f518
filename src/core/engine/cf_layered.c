/*
 * cf_layered.c
 *		Forecasts, dates and parts of a series with its calendar.
 *
 * The calendar (cf_layer) is taken out, the engine sees what is left, and what it says is put back into the calendar: the
 * means and bounds of a forecast, the threshold that simulated futures are to reach, and the season of a decomposition.
 */
#include <math.h>

#include "core/engine/cf_decompose.h"
#include "core/engine/cf_edge.h"
#include "core/engine/cf_forecast.h"
#include "core/engine/cf_layer.h"
#include "core/engine/cf_reach.h"
#include "core/numerics/cf_num.h"

static size_t
worksize(int n, int ahead, size_t plain)
{
	size_t		layer = cf_layer_worksize(n, ahead);
	size_t		after = cf_layer_keep(n, ahead) + plain;

	return plain == 0 ? 0 : layer > after ? layer : after;
}

size_t
cf_forecast_worksize(int n, int horizon)
{
	return worksize(n, horizon, cf_forecast_plain_worksize(n, horizon));
}

size_t
cf_reach_worksize(int n, int steps)
{
	return worksize(n, steps, cf_reach_plain_worksize(n, steps));
}

/* Indices count from the first step that the engine has seen; values that stood alone were in the calendar. */
static void
put_back_events(const CfLayer *layer, CfEvents *events)
{
	for (int i = 0; i < events->n; i++)
	{
		CfEvent    *e = &events->event[i];

		e->index += layer->from;
		if (e->kind == CF_EVENT_ONE_OFF || e->kind == CF_EVENT_WRONG_VALUE)
			e->size *= layer->factor[e->index];
	}
	for (int i = 0; i < layer->ahead.n; i++)
		cf_event_add(events, CF_EVENT_KNOWN_DAY, layer->ahead.event[i].index, 0.0, layer->ahead.event[i].period);
}

/* How far a bound is from the mean: as the engine says, wider, and by what is not known of the step's own factor. */
static double
put_back_radius(const CfLayer *layer, int t, double radius, double mean, double deviate)
{
	double		inside = radius * layer->widen * layer->factor[t];
	double		own = deviate * layer->spread[t] * fabs(mean);
	double		all = own > 0.0 ? sqrt(inside * inside + own * own) : inside;

	return all < layer->widest ? all : layer->widest;
}

static void
put_back_step(const CfLayer *layer, const CfOptions *options, int t, const double *deviate, int n_levels, int horizon,
			  double *yhat, double *lower, double *upper)
{
	double		x = *yhat;
	double		mean = layer->factor[t] * x + layer->shift[t];

	mean = mean > layer->widest ? layer->widest : mean < -layer->widest ? -layer->widest : mean;
	*yhat = cf_edge_value(options, mean);
	for (int l = 0; l < n_levels; l++)
	{
		size_t		at = (size_t) l * (size_t) horizon;

		lower[at] = cf_edge_lower(options, *yhat, put_back_radius(layer, t, x - lower[at], mean, deviate[l]));
		upper[at] = cf_edge_upper(options, *yhat, put_back_radius(layer, t, upper[at] - x, mean, deviate[l]));
	}
}

/* How many there are, of the steps from the first one to the last: what the engine did not look at counts, too. */
static void
count_values(const double *y, int n, int *n_known, double *coverage)
{
	int			first = -1;
	int			last = -1;

	*n_known = 0;
	for (int t = 0; t < n; t++)
	{
		if (isnan(y[t]))
			continue;
		first = first < 0 ? t : first;
		last = t;
		++*n_known;
	}
	*coverage = (double) *n_known / (last - first + 1);
}

static CfStatus
forecast_within(const CfLayer *layer, int n, const CfOptions *given, int horizon, const double *levels, int n_levels,
				const CfStop *stop, double *work, double *yhat, double *lower, double *upper, CfForecastInfo *info)
{
	CfOptions	inner = *given;
	CfOptions	options = *given;
	double		deviate[CF_MAX_LEVELS];
	bool		has_bounds = lower != NULL && upper != NULL;
	CfStatus	status;

	cf_edge_settle(&options);
	if (options.floor > options.cap || isinf(options.floor) || isinf(options.cap))
		return CF_BAD_ARGUMENT;
	/* of what is left nothing is whole, and the edges are those of the values */
	inner.is_count = false;
	inner.floor = inner.cap = (double) NAN;
	inner.first_day += layer->from;
	status = cf_forecast_plain(layer->x + layer->from, n - layer->from, &inner, horizon, levels, n_levels, stop, work,
							   yhat, lower, upper, info);
	if (status != CF_OK)
		return status;
	for (int l = 0; l < n_levels; l++)
		deviate[l] = cf_num_normal_quantile((1.0 + levels[l]) / 2.0);
	for (int h = 0; h < horizon; h++)
		put_back_step(layer, &options, n + h, deviate, has_bounds ? n_levels : 0, horizon, yhat + h,
					  has_bounds ? lower + h : NULL, has_bounds ? upper + h : NULL);
	put_back_events(layer, &info->events);
	if (layer->found.period > 0)
		info->season_length = layer->found.period;
	/* the history is longer than what the engine has seen of it */
	if (horizon <= n)
		info->flags &= ~(unsigned) CF_FLAG_LONG_HORIZON;
	return CF_OK;
}

CfStatus
cf_forecast(const double *y, int n, const CfOptions *options, int horizon,
			const double *levels, int n_levels, const CfStop *stop, double *work,
			double *yhat, double *lower, double *upper, CfForecastInfo *info)
{
	CfLayer		layer;
	CfLayerTask task = {options->kind, options->season_length, options->season_hint, options->has_days,
		options->first_day, options->named, options->n_named, horizon};
	CfOptions	inner = *options;
	CfStatus	status;

	if (cf_forecast_worksize(n, horizon) == 0)
		return CF_BAD_ARGUMENT;
	layer.is_on = false;
	layer.season_length = 0;
	if (options->model != CF_MODEL_SNAIVE)	/* it repeats the values themselves */
	{
		status = cf_layer_find(y, n, &task, stop, work, &layer);
		if (status != CF_OK)
			return status;
	}
	if (layer.season_length > 0)
		inner.season_length = layer.season_length;
	if (layer.is_on)
		status = forecast_within(&layer, n, &inner, horizon, levels, n_levels, stop, work + cf_layer_keep(n, horizon),
								 yhat, lower, upper, info);
	else
		status = cf_forecast_plain(y, n, &inner, horizon, levels, n_levels, stop, work, yhat, lower, upper, info);
	info->calendar = (CfCalendarFound) {0};
	if (status == CF_OK && layer.is_on)
	{
		info->calendar = layer.found;
		count_values(y, n, &info->n_points, &info->coverage_ratio);
	}
	return status;
}

static double
last_value(const double *y, int n)
{
	for (int t = n - 1; t >= 0; t--)
		if (!isnan(y[t]))
			return y[t];
	return (double) NAN;
}

CfStatus
cf_reach(const double *y, int n, const CfReachOptions *options, const CfStop *stop,
		 double *work, double *probability, CfReach *reach)
{
	int			steps = options->curve > options->horizon ? options->curve : options->horizon;
	CfLayer		layer;
	CfLayerTask task = {options->kind, options->season_length, options->season_hint, options->has_days,
		options->first_day, options->named, options->n_named, steps};
	CfReachOptions inner = *options;
	CfFrame		frame;
	double		sign = options->direction;
	double		last;
	CfStatus	status;

	if (cf_reach_worksize(n, steps) == 0)
		return CF_BAD_ARGUMENT;
	last = last_value(y, n);
	/* what is reached is reached */
	if (sign * last >= sign * options->threshold)
		return cf_reach_plain(y, n, options, NULL, stop, work, probability, reach);
	status = cf_layer_find(y, n, &task, stop, work, &layer);
	if (status != CF_OK)
		return status;
	if (layer.season_length > 0)
		inner.season_length = layer.season_length;
	if (!layer.is_on)
		return cf_reach_plain(y, n, &inner, NULL, stop, work, probability, reach);
	frame = (CfFrame) {layer.factor + layer.from, layer.shift + layer.from, layer.widen};
	inner.first_day += layer.from;
	status = cf_reach_plain(layer.x + layer.from, n - layer.from, &inner, &frame, stop, work + cf_layer_keep(n, steps),
							probability, reach);
	if (status != CF_OK)
		return status;
	reach->current = last;
	count_values(y, n, &reach->n_points, &reach->coverage_ratio);
	if (layer.found.period > 0)
		reach->season_length = layer.found.period;
	put_back_events(&layer, &reach->events);
	return CF_OK;
}

size_t
cf_decompose_worksize(int n, int period)
{
	return worksize(n, 0, cf_decompose_plain_worksize(n, period));
}

CfStatus
cf_decompose(const double *y, int n, int period, const CfDecomposeOptions *options, const CfStop *stop, double *work,
			 double *level, double *trend, double *season, double *remainder)
{
	CfLayer		layer = {.is_on = false};
	CfLayerTask task = {CF_KIND_AUTO, 0, options->season_hint, options->has_days, options->first_day, NULL, 0, 0};
	CfStatus	status;

	if (cf_decompose_worksize(n, period) == 0)
		return CF_BAD_ARGUMENT;
	if (options->has_calendar)
	{
		status = cf_layer_find(y, n, &task, stop, work, &layer);
		if (status != CF_OK)
			return status;
	}
	if (!layer.is_on)
		return cf_decompose_plain(y, n, period, stop, work, level, trend, season, remainder);
	status = cf_decompose_plain(layer.x, n, period, stop, work + cf_layer_keep(n, 0), level, trend, season, remainder);
	for (int t = 0; status == CF_OK && t < n; t++)
	{
		double		smooth = level[t] + trend[t];
		double		value = layer.factor[t] * (smooth + season[t]) + layer.shift[t];

		season[t] = value - smooth;
		remainder[t] = isnan(y[t]) ? remainder[t] : y[t] - value;
	}
	return status;
}
