/*
 * cf_planned.h
 *		What is planned and changes the values to come.
 *
 * Events change a forecast after it has been made, and what a limit asks of the values before they change: the
 * engine itself knows nothing of them.  Those that overlap change what the ones before them in the array have made.
 */
#ifndef CF_PLANNED_H
#define CF_PLANNED_H

#include "core/cf_core.h"
#include "core/engine/cf_options.h"

#define CF_PLANNED_FOREVER 0	/* in place of a last step */

typedef enum CfEffect
{
	CF_EFFECT_ADD,				/* the amount comes on top */
	CF_EFFECT_FACTOR,			/* values are multiplied */
	CF_EFFECT_LEVEL,			/* values are the amount; forever: they go on from there as they would have */
	CF_EFFECT_GROWTH			/* what is gained from the step before is multiplied; forever */
} CfEffect;

/* Which of an event's amounts. */
typedef enum CfAmount
{
	CF_AMOUNT_LOW, CF_AMOUNT_USUAL, CF_AMOUNT_HIGH
} CfAmount;

typedef struct CfPlanned
{
	CfEffect	effect;
	int			first;			/* step, at least 1 */
	int			last;			/* step, at least first; CF_PLANNED_FOREVER */
	double		amount[3];		/* by CfAmount, ascending */
	double		base;			/* set by cf_planned_anchor: the value that a lasting level or growth starts from */
} CfPlanned;

/* The last step of a forecast that the bases of events within the horizon are taken from; 0: there are none. */
extern int	cf_planned_anchor_step(const CfPlanned *events, int n, int season, int horizon);

/*
 * Sets the bases.  yhat[horizon] is the forecast without events, current the value before step 1, season the steps
 * that a flow's level is a mean of (1: one).  Bases beyond the horizon are left alone.
 */
extern void cf_planned_anchor(CfPlanned *events, int n, double current, int season, const double *yhat, int horizon);

/* A value of a step (0: the last known one, for what holds at once) as the events make it. */
extern double cf_planned_value(const CfPlanned *events, int n, int step, CfAmount amount, double value);

/* Changes a forecast; bounds (n_levels rows of horizon, or NULL) with the low and high amounts. */
extern void cf_planned_apply(const CfPlanned *events, int n, const CfOptions *options, int horizon, int n_levels,
							 double *yhat, double *lower, double *upper);

/*
 * What a value without events must be at each step for the threshold to be reached: at or above where sign is 1, at or
 * below where it is -1; beyond 1e300 where it is never or always reached.
 */
extern void cf_planned_thresholds(const CfPlanned *events, int n, CfAmount amount, double threshold, double sign, int steps,
								  double *thresholds);

/* Do the amounts leave something open? */
extern bool cf_planned_is_open(const CfPlanned *events, int n);

#endif							/* CF_PLANNED_H */
