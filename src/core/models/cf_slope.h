/*
 * cf_slope.h
 *		Plain facts about growth: robust slope, growth rates, doubling time, acceleration.
 */
#ifndef CF_SLOPE_H
#define CF_SLOPE_H

#include "core/cf_core.h"

extern size_t cf_slope_worksize(int n);

/*
 * Theil-Sen line through y[n] at 0, 1, 2, … (NaN: missing): slope is the median of the slopes
 * of pairs, intercept the median of y - slope * index.  All pairs up to 100 values; beyond that all
 * pairs of 100 values spread evenly over the series.  CF_TOO_FEW below 2 values.
 */
extern CfStatus cf_slope_robust(const double *y, int n, double *work, double *slope, double *intercept);

/*
 * Growth per year of compounding growth from start to end in so many days, as a ratio (0.1 is
 * 10 %); NaN unless all are positive.
 */
extern double cf_slope_cagr(double start, double end, double days);

/* Days in which a value that grew from start to end in so many days doubles; NaN unless it grows. */
extern double cf_slope_doubling_days(double start, double end, double days);

/*
 * Acceleration: slope of the second half less slope of the first, over the distance of
 * the halves' middles: change of the slope per step.  CF_TOO_FEW below 8 values.
 */
extern CfStatus cf_slope_acceleration(const double *y, int n, double *work, double *acceleration);

#endif							/* CF_SLOPE_H */
