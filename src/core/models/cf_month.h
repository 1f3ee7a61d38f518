/*
 * cf_month.h
 *		The first and the last days of months in daily values.
 */
#ifndef CF_MONTH_H
#define CF_MONTH_H

#include "core/cf_core.h"

#define CF_MONTH_MIN 120		/* days: of three months half of all series seem to have something */
#define CF_MONTH_MOST 2048		/* the newest days looked at */

extern size_t cf_month_worksize(int n);

/*
 * The first five and the last three days of each month in y[n] (NaN: missing; none negative) without other[total], the
 * factors of the rest of the calendar: factor[total] of each day from first_day on.  False where they are like all others.
 */
extern bool cf_month_fit(const double *y, int n, int64_t first_day, const double *other, int total, double *work,
						 double *factor);

#endif							/* CF_MONTH_H */
