/*
 * cf_interval.h
 *		How far off a combination has been, by steps ahead: the radius of its intervals.
 */
#ifndef CF_INTERVAL_H
#define CF_INTERVAL_H

#include "core/cf_core.h"
#include "core/engine/cf_combine.h"
#include "core/engine/cf_prepare.h"

extern size_t cf_interval_worksize(int n);

/*
 * radius: n_levels rows of horizon, on the prepared scale, for 1 to horizon steps after the
 * last value (those of the steps without a value before the series' end are not set).  A
 * larger level never has the smaller radius.  *error_scale: root mean square of the one-step errors.
 */
extern CfStatus cf_interval_radius(const CfPrepared *p, const CfCombination *c, int horizon,
								   const double *levels, int n_levels, const CfStop *stop,
								   double *work, double *radius, double *error_scale);

#endif							/* CF_INTERVAL_H */
