/*
 * forecast_events.c
 *		What has happened in a history, in words.
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"

#include "common/clock.h"
#include "forecast/forecast_events.h"
#include "series/series_grid.h"

static const char *const words[] = {
	[CF_EVENT_ONE_OFF] = "one-off",
	[CF_EVENT_PACE] = "pace changed",
	[CF_EVENT_LEVEL] = "level changed",
	[CF_EVENT_STOPPED] = "stopped",
	[CF_EVENT_FALLS_BACK] = "falls back every",
	[CF_EVENT_WRONG_VALUE] = "wrong value",
	[CF_EVENT_SATURATES] = "saturates",
	[CF_EVENT_KNOWN_DAY] = "known day",
};

const char *
forecast_kind_name(CfKind kind)
{
	return kind == CF_KIND_STOCK ? "stock" : kind == CF_KIND_GAUGE ? "gauge" : "flow";
}

/* Steps in words: days are days, the rest steps. */
static void
append_period(StringInfo text, int period, const CfGrid *grid)
{
	bool		is_daily = grid->step == CF_DAY;

	if (period == 0)
		appendStringInfoString(text, " month");
	else if (period < 0)
		appendStringInfo(text, " %d months", 1 - period);
	else if (is_daily && period == 7)
		appendStringInfoString(text, " week");
	else
		appendStringInfo(text, " %d %s", period, is_daily ? "days" : "steps");
}

char *
forecast_events_text(const CfEvents *events, const CfGrid *grid, const NamedDays *named)
{
	StringInfoData text;

	if (events->n == 0)
		return NULL;
	initStringInfo(&text);
	for (int i = 0; i < events->n; i++)
	{
		const CfEvent *e = &events->event[i];

		appendStringInfo(&text, "%s%s", i > 0 ? "; " : "", words[e->kind]);
		if (e->kind == CF_EVENT_FALLS_BACK)
			append_period(&text, e->period, grid);
		if (e->kind == CF_EVENT_KNOWN_DAY)
			appendStringInfo(&text, " %s", named->names[e->period]);
		if (e->size != 0.0)
			appendStringInfo(&text, fabs(e->size) >= 99.5 ? " %+.0f" : " %+.3g", e->size);
		if (e->kind != CF_EVENT_FALLS_BACK)
			appendStringInfo(&text, " on %s", clock_date_text(series_grid_day(grid, e->index)));
	}
	return text.data;
}
