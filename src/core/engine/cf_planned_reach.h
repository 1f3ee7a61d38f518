/*
 * cf_planned_reach.h
 *		When a series reaches a threshold with what is planned.
 */
#ifndef CF_PLANNED_REACH_H
#define CF_PLANNED_REACH_H

#include "core/engine/cf_planned.h"
#include "core/engine/cf_reach.h"

/* Doubles of scratch; 0 where an argument is out of range. */
extern size_t cf_planned_bases_worksize(int n, const CfPlanned *events, int n_events, const CfOptions *options, int horizon);

/*
 * Sets the bases of events within the horizon (cf_planned_anchor), from a forecast of y[n] that knows nothing of them.
 * Status as of cf_forecast.
 */
extern CfStatus cf_planned_bases(const double *y, int n, const CfOptions *options, CfPlanned *events, int n_events,
								 int horizon, const CfStop *stop, double *work);

extern size_t cf_planned_reach_worksize(int n, int steps);

/*
 * cf_reach, for values that the events change; their bases are set.  Where amounts are open it is one part with the low
 * ones, two with the usual and one with the high ones.  probability: as many as the larger of horizon and curve.
 */
extern CfStatus cf_planned_reach(const double *y, int n, const CfReachOptions *options, const CfPlanned *events,
								 int n_events, const CfStop *stop, double *work, double *probability, CfReach *reach);

#endif							/* CF_PLANNED_REACH_H */
