/*
 * cf_usage.h
 *		From changes of a value to its value on every day; counters that start again.
 */
#ifndef CF_USAGE_H
#define CF_USAGE_H

#include "core/cf_core.h"

/*
 * out[k], 0 <= k < n_out: the value of the last change at or before time start + k * step,
 * NaN before the first.  time ascends.
 */
extern void cf_usage_carry(const int64_t *time, const double *value, int n,
						   int64_t start, int64_t step, int n_out, double *out);

/*
 * Turns a counter that starts again from 0 now and then into what was counted in all, so
 * that the last value stays as it is.  A value below the one before has started again.
 */
extern void cf_usage_unroll(double *y, int n);

/* Largest gain from one step to the next, and mean gain per step over the last steps; 0 below 2 values. */
extern double cf_usage_largest_gain(const double *y, int n);
extern double cf_usage_pace(const double *y, int n, int steps);

#endif							/* CF_USAGE_H */
