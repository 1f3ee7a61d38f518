/*
 * cf_num.h
 *		Small numeric helpers: order statistics, logarithm, generator of random bits.
 *
 * Of the C library only what IEEE 754 rounds exactly is used (sqrt, floor, ldexp …):
 * log and exp differ between libraries in the last bit, and these do not.
 */
#ifndef CF_NUM_H
#define CF_NUM_H

#include "core/cf_core.h"

/* Natural logarithm of a positive finite x, and e to the x; within 2 ulp. */
extern double cf_num_log(double x);
extern double cf_num_exp(double x);

/* x to the y for x > 0. */
extern double cf_num_pow(double x, double y);

/* The z with P(N(0,1) <= z) = p, 0 < p < 1; relative error below 1e-9 (Acklam's rational form, refined nowhere). */
extern double cf_num_normal_quantile(double p);

/* Ascending order, in place. */
extern void cf_num_sort(double *a, int n);

/* The k-th smallest (k from 0); reorders a. */
extern double cf_num_select(double *a, int n, int k);

/* Median; reorders a.  n >= 1. */
extern double cf_num_median(double *a, int n);

/* Median of absolute deviations from centre, times 1.4826; destroys a. */
extern double cf_num_mad(double *a, int n, double centre);

/* Quantile of sorted a at p by linear interpolation between (i + 1) / (n + 1) (type 6); the extremes beyond. */
extern double cf_num_quantile(const double *sorted, int n, double p);

/* Sum in eight fixed lanes: the same bits whether or not the compiler vectorizes. */
extern double cf_num_sum(const double *a, int n);

/* The largest power of two not above |x|; 1 where x is 0. */
extern double cf_num_binary_scale(double x);

/* The largest power of two that all of a[n] are multiples of; 0 where it is next to nothing of them, or all are 0. */
extern double cf_num_unit(const double *a, int n);

/* Where a is on the way from "from" to "to": 0 to 1. */
extern double cf_num_share(double a, double from, double to);

/* splitmix64: state is any 64 bits and is advanced; and the same as a double in [0, 1). */
extern uint64_t cf_num_random(uint64_t *state);
extern double cf_num_uniform(uint64_t *state);

/* A standard normal deviate, by the normal quantile of a uniform one. */
extern double cf_num_normal(uint64_t *state);

#endif							/* CF_NUM_H */
