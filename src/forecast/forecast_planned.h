/*
 * forecast_planned.h
 *		What is planned for a metric, and what that makes of its forecasts and dates.
 */
#ifndef CAPFORECAST_FORECAST_PLANNED_H
#define CAPFORECAST_FORECAST_PLANNED_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/date.h"

#include "core/engine/cf_options.h"
#include "core/engine/cf_planned.h"
#include "core/engine/cf_reach.h"
#include "series/series_grid.h"

/* A row of planned_event, or a change that what_if() asks about. */
typedef struct PlannedEvent
{
	int64		id;				/* 0: of what_if() */
	DateADT		from;			/* -infinity: at once */
	DateADT		to;				/* infinity: from then on */
	CfEffect	effect;
	double		amount[3];
	const char *note;			/* NULL: none */
} PlannedEvent;

typedef struct PlannedEvents
{
	int			n;
	PlannedEvent *event;		/* in the order in which they change the values */
} PlannedEvents;

/* On the steps of a series, of which some may have to be left out. */
typedef struct PlannedSteps
{
	int			n;
	CfPlanned  *step;
	const PlannedEvent **event;
	const double *y;			/* the series without the days so far of what is to be over again */
} PlannedSteps;

/* A metric's, that are not over on that day, but for one by its id (0: all); with the caller's rights. */
extern PlannedEvents planned_events_read(text *metric, DateADT day, int64 without);

/* One more, the last to change the values. */
extern void planned_events_add(PlannedEvents *events, const PlannedEvent *event);

/* The change of what_if() from the arguments "first" on: add, growth_multiplier (neither NULL), from_date (NULL: at once). */
extern void planned_change_read(FunctionCallInfo fcinfo, int first, PlannedEvents *events);

/* Those that change one of so many steps ahead; events may be NULL. */
extern PlannedSteps planned_on_grid(const PlannedEvents *events, const SeriesGrid *on_grid, int horizon);

/* What events[] of a forecast or date says of them, after what has happened (NULL: nothing). */
extern char *planned_told(const PlannedSteps *planned, const CfGrid *grid, char *happened);

/* Changes a forecast that was made of planned->y with those options. */
extern void planned_change(PlannedSteps *planned, int n, const CfOptions *options, int horizon, int n_levels,
						   double *yhat, double *lower, double *upper);

/* cf_reach() with them; chance holds as many steps as the larger of horizon and curve. */
extern CfStatus planned_reach(PlannedSteps *planned, int n, const CfReachOptions *options, double *chance, CfReach *passage);

/* The last value as events make it that hold at once. */
extern double planned_now(PlannedSteps *planned, int n, const CfReachOptions *options, double value);

#endif							/* CAPFORECAST_FORECAST_PLANNED_H */
