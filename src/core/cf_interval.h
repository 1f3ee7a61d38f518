/*
 * cf_interval.h
 *		How far off a combination has been, by steps ahead: the radius of its intervals.
 */
#ifndef CF_INTERVAL_H
#define CF_INTERVAL_H

#include "cf_combine.h"
#include "cf_core.h"
#include "cf_prepare.h"

extern size_t cf_interval_worksize(int n, int horizon);

/*
 * radius: n_levels rows of horizon, on the prepared scale, for 1 to horizon steps after
 * the last value.  Never falls with the level.
 */
extern CfStatus cf_interval_radius(const CfPrepared *p, const CfCombination *c, int horizon, const double *levels, int n_levels,
								   const CfStop *stop, double *work, double *radius);

#endif							/* CF_INTERVAL_H */
