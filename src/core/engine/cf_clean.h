/*
 * cf_clean.h
 *		Draws single outliers in.
 */
#ifndef CF_CLEAN_H
#define CF_CLEAN_H

#include "core/cf_core.h"

#define CF_CLEAN_MIN 14			/* values */

extern size_t cf_clean_worksize(int n);

/*
 * clean[t] is x[t], drawn in to 4 robust standard deviations from the running median of up to 7
 * values on either side (near the ends, from a robust line through the outermost
 * values, so that a trend is not taken for an outlier).  n >= CF_CLEAN_MIN.
 */
extern void cf_clean_outliers(const double *x, int n, double *work, double *clean);

#endif							/* CF_CLEAN_H */
