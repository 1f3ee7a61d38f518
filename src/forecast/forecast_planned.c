/*
 * forecast_planned.c
 *		What is planned for a metric, and what that makes of its forecasts and dates.
 *
 * Fetched once per call.  What holds from some day on is in the history when that day is, and changes nothing any more;
 * what is to be over again is left out of the history while it lasts, so that the forecast is of the time without it.
 */
#include "postgres.h"

#include <ctype.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

#include "common/clock.h"
#include "common/row.h"
#include "common/scope.h"
#include "core/engine/cf_planned_reach.h"
#include "forecast/forecast_core.h"
#include "forecast/forecast_planned.h"

/* Fewer values than these are not worth the gap. */
#define LEAST_LEFT	14

static CfEffect
effect_of(const char *name)
{
	return strcmp(name, "add") == 0 ? CF_EFFECT_ADD : strcmp(name, "factor") == 0 ? CF_EFFECT_FACTOR : CF_EFFECT_LEVEL;
}

static double
double_column(uint64 row, int column)
{
	bool		is_null;

	return DatumGetFloat8(scope_datum(row, column, &is_null));
}

static PlannedEvent
event_of_row(uint64 row, MemoryContext context)
{
	PlannedEvent event;
	char	   *note = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 8);
	bool		is_null;

	event.id = DatumGetInt64(scope_datum(row, 1, &is_null));
	event.from = DatumGetDateADT(scope_datum(row, 2, &is_null));
	event.to = DatumGetDateADT(scope_datum(row, 3, &is_null));
	event.effect = effect_of(SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 4));
	for (int a = 0; a < 3; a++)
		event.amount[a] = double_column(row, 5 + a);
	event.note = note == NULL ? NULL : MemoryContextStrdup(context, note);
	return event;
}

PlannedEvents
planned_events_read(text *metric, DateADT day, int64 without)
{
	static SPIPlanPtr plan = NULL;
	MemoryContext caller = CurrentMemoryContext;
	PlannedEvents events;
	Scope		scope;
	Oid			types[3] = {TEXTOID, DATEOID, INT8OID};
	Datum		values[3] = {PointerGetDatum(metric), DateADTGetDatum(day), Int64GetDatum(without)};

	scope_enter(&scope);
	scope_read_kept(&plan, "SELECT planned_event_id, from_date, coalesce(to_date, 'infinity'), effect, "
					"       coalesce(amount_low, amount), amount, coalesce(amount_high, amount), note "
					"  FROM capforecast.planned_event "
					" WHERE metric = $1 AND (to_date IS NULL OR to_date >= $2 - 400) AND planned_event_id <> $3 "
					" ORDER BY from_date, planned_event_id", 3, types, values);
	events.n = (int) SPI_processed;
	events.event = MemoryContextAlloc(caller, sizeof(PlannedEvent) * Max(events.n, 1));
	for (int i = 0; i < events.n; i++)
		events.event[i] = event_of_row(i, caller);
	scope_leave(&scope);
	MemoryContextSwitchTo(caller);
	return events;
}

void
planned_events_add(PlannedEvents *events, const PlannedEvent *event)
{
	events->event = events->event == NULL ? palloc(sizeof(PlannedEvent))
		: repalloc(events->event, sizeof(PlannedEvent) * (events->n + 1));
	events->event[events->n++] = *event;
}

void
planned_change_read(FunctionCallInfo fcinfo, int first, PlannedEvents *events)
{
	PlannedEvent event = {0, DATEVAL_NOBEGIN, DATEVAL_NOEND, CF_EFFECT_GROWTH};
	double		add;
	double		growth;

	row_require(fcinfo, first, "add");
	row_require(fcinfo, first + 1, "growth_multiplier");
	add = PG_GETARG_FLOAT8(first);
	growth = PG_GETARG_FLOAT8(first + 1);
	if (!(fabs(add) < 1e150 && growth >= 0.0 && growth < 1e150))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("add and growth_multiplier must be finite, and the latter not below 0")));
	if (!PG_ARGISNULL(first + 2))
		event.from = PG_GETARG_DATEADT(first + 2);
	for (int a = 0; a < 3; a++)
		event.amount[a] = growth;
	if (growth != 1.0)
		planned_events_add(events, &event);
	event.effect = CF_EFFECT_ADD;
	for (int a = 0; a < 3; a++)
		event.amount[a] = add;
	if (add != 0.0)
		planned_events_add(events, &event);
}

/* ---------- steps ---------- */

/* Step 1 follows the last one of the series; days beyond the calendar are far away. */
static int64
step_at(const CfGrid *grid, TimestampTz time)
{
	return series_grid_bucket(grid, time) - (grid->n - 1);
}

static TimestampTz
start_of(DateADT day)
{
	if (day < DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE)
		return MIN_TIMESTAMP;
	return day >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE ? END_TIMESTAMP - 1 : clock_day_start(day);
}

/* Steps of the event; false: none of them is ahead, within the horizon. */
static bool
steps_of(const PlannedEvent *event, const SeriesGrid *on_grid, int horizon, int64 *first, int64 *last)
{
	const CfGrid *grid = &on_grid->grid;
	TimestampTz newest = cf_grid_time(grid, grid->n - 1);
	bool		is_lasting = DATE_IS_NOEND(event->to);

	*first = step_at(grid, start_of(event->from));
	*last = is_lasting ? CF_PLANNED_FOREVER : step_at(grid, start_of(event->to + 1) - 1);
	/* the first day's value is what it begins with: the event is in the history from the next on */
	if (is_lasting && event->id != 0 && start_of(event->from) < newest)
		return false;
	return *first <= horizon && (is_lasting || *last >= 1);
}

/* The days so far of what is to be over again, if enough is left without them. */
static bool
leave_out(const SeriesGrid *on_grid, int64 first, double **y)
{
	int			n = on_grid->grid.n;
	int64		from = first + n - 1;
	int			left = 0;
	double	   *rest;

	for (int i = 0; i < from && i < n; i++)
		left += isnan((*y != NULL ? *y : on_grid->y)[i]) ? 0 : 1;
	if (left < LEAST_LEFT)
		return false;
	if (*y == NULL)
	{
		rest = palloc(sizeof(double) * n);
		memcpy(rest, on_grid->y, sizeof(double) * n);
		*y = rest;
	}
	for (int64 i = from; i < n; i++)
		(*y)[i] = (double) NAN;
	return true;
}

PlannedSteps
planned_on_grid(const PlannedEvents *events, const SeriesGrid *on_grid, int horizon)
{
	PlannedSteps planned = {0, NULL, NULL, on_grid->y};
	int			n = events == NULL ? 0 : events->n;
	double	   *y = NULL;

	if (n == 0)
		return planned;
	planned.step = palloc0(sizeof(CfPlanned) * n);
	planned.event = palloc(sizeof(PlannedEvent *) * n);
	for (int i = 0; i < n; i++)
	{
		const PlannedEvent *event = &events->event[i];
		CfPlanned  *step = &planned.step[planned.n];
		int64		first;
		int64		last;

		if (!steps_of(event, on_grid, horizon, &first, &last))
			continue;
		if (first < 0 && event->id != 0 && !leave_out(on_grid, first, &y))
			continue;
		step->effect = event->effect;
		step->first = (int) Max(first, 1);
		step->last = (int) Min(last, CF_MAX_HORIZON);
		memcpy(step->amount, event->amount, sizeof(step->amount));
		planned.event[planned.n++] = event;
	}
	if (y != NULL)
		planned.y = y;
	return planned;
}

/* ---------- words ---------- */

static void
append_size(StringInfo text, const PlannedEvent *event)
{
	double		amount = event->amount[CF_AMOUNT_USUAL];

	if (event->effect == CF_EFFECT_ADD)
		appendStringInfo(text, fabs(amount) >= 99.5 ? " %+.0f" : " %+.3g", amount);
	else
		appendStringInfo(text, fabs(amount) >= 99.5 ? " %s%.0f" : " %s%.3g",
						 event->effect == CF_EFFECT_FACTOR ? "x" : "to ", amount);
}

/* Entries are joined by "; ", and a note is one entry. */
static void
append_note(StringInfo text, const char *note)
{
	appendStringInfoChar(text, ' ');
	for (const char *c = note; *c != '\0'; c++)
		appendStringInfoChar(text, *c == ';' ? ',' : iscntrl((unsigned char) *c) ? ' ' : *c);
}

char *
planned_told(const PlannedSteps *planned, const CfGrid *grid, char *happened)
{
	StringInfoData text;
	int			told = 0;

	initStringInfo(&text);
	if (happened != NULL)
		appendStringInfoString(&text, happened);
	for (int i = 0; i < planned->n; i++)
	{
		const PlannedEvent *event = planned->event[i];

		if (event->id == 0)
			continue;
		told++;
		appendStringInfo(&text, "%splanned", text.len > 0 ? "; " : "");
		if (event->note != NULL)
			append_note(&text, event->note);
		append_size(&text, event);
		appendStringInfo(&text, " on %s", clock_date_text(event->from));
		if (!DATE_IS_NOEND(event->to) && event->to != event->from)
			appendStringInfo(&text, " to %s", clock_date_text(event->to));
	}
	return told == 0 ? happened : text.data;
}

/* ---------- numbers ---------- */

static void
find_bases(PlannedSteps *planned, int n, const CfOptions *options, int horizon)
{
	double	   *work = series_work(cf_planned_bases_worksize(n, planned->step, planned->n, options, horizon));
	CfStatus	status;

	FORECAST_CALL(status, cf_planned_bases(planned->y, n, options, planned->step, planned->n, horizon, &forecast_stop, work));
	pfree(work);
	forecast_check(status);
}

void
planned_change(PlannedSteps *planned, int n, const CfOptions *options, int horizon, int n_levels,
			   double *yhat, double *lower, double *upper)
{
	if (planned->n == 0)
		return;
	find_bases(planned, n, options, horizon);
	cf_planned_apply(planned->step, planned->n, options, horizon, n_levels, yhat, lower, upper);
}

/* The forecast that bases are taken from, for a date. */
static CfOptions
options_of(const CfReachOptions *reach)
{
	CfOptions	options;

	cf_options_init(&options);
	options.kind = reach->kind;
	options.season_length = reach->season_length;
	options.season_hint = reach->season_hint;
	options.has_days = reach->has_days;
	options.first_day = reach->first_day;
	options.named = reach->named;
	options.n_named = reach->n_named;
	return options;
}

static int
last_step(const CfReachOptions *options)
{
	return Max(options->horizon, options->curve);
}

CfStatus
planned_reach(PlannedSteps *planned, int n, const CfReachOptions *options, double *chance, CfReach *passage)
{
	CfOptions	of_bases = options_of(options);
	CfStatus	status;
	double	   *work;

	if (planned->n > 0)
		find_bases(planned, n, &of_bases, last_step(options));
	work = series_work(planned->n > 0 ? cf_planned_reach_worksize(n, last_step(options)) : cf_reach_worksize(n, last_step(options)));
	if (planned->n > 0)
		FORECAST_CALL(status, cf_planned_reach(planned->y, n, options, planned->step, planned->n, &forecast_stop, work, chance,
											   passage));
	else
		FORECAST_CALL(status, cf_reach(planned->y, n, options, &forecast_stop, work, chance, passage));
	pfree(work);
	return status;
}

double
planned_now(PlannedSteps *planned, int n, const CfReachOptions *options, double value)
{
	PlannedSteps at_once = {0, palloc(sizeof(CfPlanned) * Max(planned->n, 1)), NULL, planned->y};
	CfOptions	of_bases = options_of(options);

	for (int i = 0; i < planned->n; i++)
		if (planned->event[i]->id == 0 && planned->step[i].first == 1)
			at_once.step[at_once.n++] = planned->step[i];
	if (at_once.n == 0)
		return value;
	find_bases(&at_once, n, &of_bases, 1);
	return cf_planned_value(at_once.step, at_once.n, 0, CF_AMOUNT_USUAL, value);
}
