/*
 * cf_layer.h
 *		The calendar in a series: what it does to each step, and what is left for the engine.
 */
#ifndef CF_LAYER_H
#define CF_LAYER_H

#include "core/cf_core.h"
#include "core/engine/cf_event.h"
#include "core/engine/cf_found.h"
#include "core/engine/cf_frame.h"
#include "core/models/cf_days.h"

/* What is known of the series. */
typedef struct CfLayerTask
{
	CfKind		kind;
	int			season_length;	/* these as in CfOptions */
	int			season_hint;
	bool		has_days;
	int64_t		first_day;
	const CfNamedDay *named;
	int			n_named;
	int			ahead;			/* steps after the last that will be asked about */
} CfLayerTask;

typedef struct CfLayer
{
	int			season_length;	/* for the engine, whether a calendar was found or not; 0: as asked */
	bool		is_on;			/* false: nothing was found, and the rest is not set */
	double	   *x;				/* the values without the calendar, n; NaN: missing */
	double	   *factor;			/* value = factor x + shift, by step, those ahead too */
	double	   *shift;
	double	   *spread;			/* standard deviation of the factor, over the factor */
	double		widen;			/* of errors */
	double		widest;			/* nothing is said that lies further off */
	int			from;			/* the engine needs x from here on */
	CfCalendarFound found;
	CfEvents	ahead;			/* named days that were never seen, the first of them */
} CfLayer;

extern size_t cf_layer_worksize(int n, int ahead);

/* So many doubles of work are used by *layer itself; the rest is free again. */
extern size_t cf_layer_keep(int n, int ahead);

/* Values that cannot be computed with are no reason to stop: nothing is found in them.  CF_OK or CF_STOPPED. */
extern CfStatus cf_layer_find(const double *y, int n, const CfLayerTask *task, const CfStop *stop, double *work,
							  CfLayer *layer);

#endif							/* CF_LAYER_H */
