/*
 * cf_layer.c
 *		The calendar in a series.
 *
 * It is looked for in flows and gauges; a stock adds up what its days bring, and a counter that starts again has a calendar
 * of its own.
 */
#include <math.h>

#include "core/engine/cf_layer.h"
#include "core/engine/cf_options.h"
#include "core/engine/cf_prepare.h"
#include "core/models/cf_year.h"

#define DAYS_OF_WEEK 7
#define NEWEST_DAYS 400			/* without its year a series says no more with older days */

size_t
cf_layer_keep(int n, int ahead)
{
	return (size_t) n + 3 * ((size_t) n + (size_t) ahead);
}

size_t
cf_layer_worksize(int n, int ahead)
{
	size_t		prepare = cf_prepare_worksize(n, 1);
	size_t		year = cf_year_worksize(n) + (size_t) n + (size_t) ahead;

	return cf_layer_keep(n, ahead) + (prepare > year ? prepare : year);
}

/* Whether there may be a calendar: in values that go up and down. */
static CfStatus
may_have_calendar(const double *y, int n, const CfLayerTask *task, const CfStop *stop, double *work, bool *may)
{
	CfOptions	options;
	CfPrepared	p;
	CfStatus	status;

	cf_options_init(&options);
	options.kind = task->kind == CF_KIND_STOCK ? CF_KIND_STOCK : CF_KIND_AUTO;
	options.season_length = 1;
	options.has_days = task->has_days;
	options.first_day = task->first_day;
	status = cf_prepare(y, n, &options, CF_LEARN_POINTS, stop, work, &p);
	*may = status == CF_OK && !p.is_constant && p.teeth.end == CF_TOOTH_NONE
		&& (task->kind == CF_KIND_FLOW || task->kind == CF_KIND_GAUGE || p.kind != CF_KIND_STOCK);
	return status == CF_STOPPED ? CF_STOPPED : CF_OK;
}

/* Takes an effect into the frame: of factors, or of summands. */
static void
take_in(const double *effect, bool is_factor, int total, CfLayer *layer)
{
	for (int t = 0; t < total; t++)
	{
		if (is_factor)
			layer->factor[t] *= effect[t];
		else
			layer->shift[t] += effect[t];
	}
}

static double
widening(double fitted)
{
	return sqrt((1.0 + fitted) / (1.0 - fitted));
}

static void
find_days(const double *y, int n, const CfLayerTask *task, double *work, CfLayer *layer)
{
	int			total = n + task->ahead;
	double	   *effect = work;
	CfYear		year;

	layer->found.has_year = cf_year_fit(y, n, task->first_day, total, work + total, effect, &year);
	if (!layer->found.has_year)
		return;
	layer->is_on = true;
	layer->found.year_strength = year.strength;
	layer->widen *= widening(year.fitted);
	layer->from = n > NEWEST_DAYS ? n - NEWEST_DAYS : 0;
	take_in(effect, year.scale != CF_YEAR_PLAIN, total, layer);
}

CfStatus
cf_layer_find(const double *y, int n, const CfLayerTask *task, const CfStop *stop, double *work, CfLayer *layer)
{
	int			total = n + task->ahead;
	bool		may;
	CfStatus	status;

	layer->is_on = false;
	layer->found = (CfCalendarFound) {0};
	if (task->season_length > 0 || !task->has_days || n < CF_YEAR_MIN || (task->season_hint != 0 && task->season_hint != DAYS_OF_WEEK))
		return CF_OK;
	layer->x = work;
	layer->factor = layer->x + n;
	layer->shift = layer->factor + total;
	layer->spread = layer->shift + total;
	work += cf_layer_keep(n, task->ahead);
	status = may_have_calendar(y, n, task, stop, work, &may);
	if (status != CF_OK || !may)
		return status;
	for (int t = 0; t < total; t++)
	{
		layer->factor[t] = 1.0;
		layer->shift[t] = layer->spread[t] = 0.0;
	}
	layer->widen = 1.0;
	layer->from = 0;
	find_days(y, n, task, work, layer);
	for (int t = 0; t < n && layer->is_on; t++)
		layer->x[t] = (y[t] - layer->shift[t]) / layer->factor[t];
	return CF_OK;
}
