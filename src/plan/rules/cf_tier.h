/*
 * cf_tier.h
 *		Which size of infrastructure fits.
 */
#ifndef CF_TIER_H
#define CF_TIER_H

#include "core/cf_core.h"

/*
 * The first of n_tiers whose maxima are all at least the usage.  maxima holds n_tiers
 * rows of n_metrics; NaN is no maximum, and NaN in usage is a metric that is not known
 * and excludes no tier.  Where none fits: the last, and *exceeded is set.
 */
extern int	cf_tier_fit(const double *usage, const double *maxima, int n_tiers, int n_metrics, bool *exceeded);

#endif							/* CF_TIER_H */
