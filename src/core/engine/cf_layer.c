/*
 * cf_layer.c
 *		The calendar in a series.
 *
 * It is looked for in flows and gauges; a stock adds up what its days bring, and a counter that starts again has a calendar
 * of its own.
 */
#include <math.h>

#include "core/engine/cf_daily.h"
#include "core/engine/cf_edge.h"
#include "core/engine/cf_layer.h"
#include "core/engine/cf_options.h"
#include "core/engine/cf_prepare.h"
#include "core/models/cf_hours.h"
#include "core/models/cf_month.h"
#include "core/models/cf_weeks.h"

#define DAYS_OF_WEEK 7
/* without its calendar a series says no more with what is older */
#define NEWEST_DAYS 400
#define NEWEST_DAYS_OF_HOURS 28
#define MOST_UNSEEN 3			/* told */
#define MOVING_WIDER 1.3		/* errors about a shape that moves */
#define SURE 0.5					/* of a week that is told */

size_t
cf_layer_keep(int n, int ahead)
{
	return (size_t) n + 3 * ((size_t) n + (size_t) ahead);
}

size_t
cf_layer_worksize(int n, int ahead)
{
	size_t		prepare = cf_prepare_worksize(n, 1);
	size_t		daily = cf_daily_worksize(n, n + ahead) + (size_t) n / sizeof(double) + 1;

	size_t		hours = cf_hours_worksize(n, CF_HOURS_MOST) + (size_t) n + (size_t) ahead;
	size_t		weeks = cf_weeks_worksize(n) + (size_t) n + (size_t) ahead;
	size_t		most = prepare > daily ? prepare : daily;

	most = most > weeks ? most : weeks;
	return cf_layer_keep(n, ahead) + (most > hours ? most : hours);
}

static double
largest_value(const double *y, int n)
{
	double		largest = 0.0;

	for (int t = 0; t < n; t++)
		if (fabs(y[t]) > largest)
			largest = fabs(y[t]);
	return largest;
}

/* Whether there may be a calendar: in values that go up and down. */
static CfStatus
may_have_calendar(const double *y, int n, const CfLayerTask *task, const CfStop *stop, double *work, bool *may)
{
	double		largest = largest_value(y, n);
	CfOptions	options;
	CfPrepared	p;
	CfStatus	status;

	cf_options_init(&options);
	options.kind = task->kind == CF_KIND_STOCK ? CF_KIND_STOCK : CF_KIND_AUTO;
	options.season_length = 1;
	options.has_days = task->has_days;
	options.first_day = task->first_day;
	status = cf_prepare(y, n, &options, CF_LEARN_POINTS, stop, work, &p);
	/* squares and their sums stay what they are */
	*may = status == CF_OK && largest < 1e100 && largest > 1e-100 && !p.is_constant && p.teeth.end == CF_TOOTH_NONE
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

/* The first named days ahead that were never seen. */
static void
tell_unseen(const CfDays *days, int n, int total, CfEvents *events)
{
	for (int t = n; t < total && events->n < MOST_UNSEEN; t++)
	{
		const CfDayEffect *e = days->of_step[t] < 0 ? NULL : &days->effect[days->of_step[t]];

		if (e != NULL && e->is_given && e->seen == 0)
			cf_event_add(events, CF_EVENT_KNOWN_DAY, t, 0.0, e->name);
	}
}

static void
find_days(const double *y, int n, const CfLayerTask *task, double *work, CfLayer *layer)
{
	CfDailyTask daily_task = {task->first_day, n + task->ahead, task->season_length == 0, task->named, task->n_named};
	bool	   *is_out = (bool *) work;
	CfDaily		daily;

	work += (size_t) n / sizeof(double) + 1;
	cf_daily_find(y, n, &daily_task, work, layer->factor, layer->shift, layer->spread, is_out, &daily);
	layer->is_on = daily.has_year || daily.has_month || daily.days.found > 0 || daily.has_unseen;
	if (!layer->is_on)
		return;
	layer->found.has_year = daily.has_year;
	layer->found.has_month = daily.has_month;
	layer->found.named_days = daily.days.found;
	if (daily.has_year)
	{
		layer->found.year_strength = daily.year.strength;
		layer->widen *= widening(daily.year.fitted);
		layer->from = n > NEWEST_DAYS ? n - NEWEST_DAYS : 0;
	}
	if (daily.has_unseen)
		tell_unseen(&daily.days, n, n + task->ahead, &layer->ahead);
	for (int t = 0; t < n; t++)
		layer->x[t] = is_out[t] ? (double) NAN : y[t];
}

static void
find_hours(const double *y, int n, const CfLayerTask *task, const CfStop *stop, double *work, CfLayer *layer)
{
	int			total = n + task->ahead;
	int			newest = NEWEST_DAYS_OF_HOURS * task->season_hint;
	double	   *effect = work;
	CfHours		hours;
	int			day = cf_hours_day_length(y, n, task->season_hint);

	layer->season_length = day == task->season_hint ? 0 : day;
	if (day != task->season_hint || !cf_hours_fit(y, n, day, total, stop, work + total, effect, &hours))
		return;
	layer->is_on = true;
	layer->found.has_week = hours.gate >= SURE;
	layer->found.week_strength = hours.strength;
	layer->found.period = day;
	layer->widen *= widening(hours.fitted) * (hours.is_moving ? MOVING_WIDER : 1.0);
	layer->from = n > newest ? n - newest : 0;
	take_in(effect, hours.is_factor, total, layer);
}

static void
find_weeks(const double *y, int n, const CfLayerTask *task, double *work, CfLayer *layer)
{
	int			total = n + task->ahead;
	double	   *effect = work;
	CfWeeks		weeks;

	if (!cf_weeks_fit(y, n, total, work + total, effect, &weeks))
		return;
	layer->is_on = true;
	layer->season_length = 1;
	layer->found.has_year = weeks.strength > 0.0;
	layer->found.period = layer->found.has_year ? CF_WEEKS_PERIOD : 0;
	layer->found.year_strength = weeks.strength;
	layer->widen *= weeks.widen;
	take_in(effect, weeks.is_factor, total, layer);
}

/* What steps are, as far as a calendar may be looked for in so many. */
typedef enum Steps
{
	STEPS_OTHER,
	STEPS_DAYS,
	STEPS_HOURS,
	STEPS_WEEKS
} Steps;

static Steps
kind_of_steps(int n, const CfLayerTask *task)
{
	int			hint = task->season_hint;

	if (task->has_days && (hint == 0 || hint == DAYS_OF_WEEK))
		return task->n_named > 0 || (task->season_length == 0 && n >= CF_MONTH_MIN) ? STEPS_DAYS : STEPS_OTHER;
	if (task->season_length > 0)
		return STEPS_OTHER;
	if (hint == CF_WEEKS_PERIOD)
		return n >= CF_WEEKS_MIN ? STEPS_WEEKS : STEPS_OTHER;
	/* a day's worth of hours, half-hours or quarters */
	if (!task->has_days && hint >= 24 && hint <= CF_HOURS_MOST && hint % 24 == 0)
		return n >= CF_HOURS_MIN_DAYS * hint ? STEPS_HOURS : STEPS_OTHER;
	return STEPS_OTHER;
}

CfStatus
cf_layer_find(const double *y, int n, const CfLayerTask *task, const CfStop *stop, double *work, CfLayer *layer)
{
	int			total = n + task->ahead;
	Steps		steps = kind_of_steps(n, task);
	bool		may;
	CfStatus	status;

	layer->season_length = 0;
	layer->is_on = false;
	layer->found = (CfCalendarFound) {0};
	if (steps == STEPS_OTHER)
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
	for (int t = 0; t < n; t++)
		layer->x[t] = y[t];
	layer->widen = 1.0;
	layer->widest = CF_EDGE_WIDEST * largest_value(y, n);
	layer->from = 0;
	layer->ahead.n = 0;
	if (steps == STEPS_DAYS)
		find_days(y, n, task, work, layer);
	else if (steps == STEPS_WEEKS)
		find_weeks(y, n, task, work, layer);
	else
		find_hours(y, n, task, stop, work, layer);
	if (cf_stop_requested(stop))
		return CF_STOPPED;
	for (int t = 0; t < n && layer->is_on; t++)
		layer->x[t] = (layer->x[t] - layer->shift[t]) / layer->factor[t];
	return CF_OK;
}
