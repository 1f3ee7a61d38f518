/*
 * cf_year.h
 *		The year in daily values: a smooth curve, shrunk by how sure it is.
 */
#ifndef CF_YEAR_H
#define CF_YEAR_H

#include "core/cf_core.h"

#define CF_YEAR_MIN 730			/* days: two years tell a year from a trend */

extern size_t cf_year_worksize(int n);

/*
 * Fits a line and three waves of 365.25 days to x[n] by least squares; year[total], total >= n, is what the waves say
 * of each day from the first on, multiplied by 1 - 1/F.  False, and nothing written, where F is not above 4.
 */
extern bool cf_year_fit(const double *x, int n, int total, double *work, double *year);

#endif							/* CF_YEAR_H */
