/*
 * cf_tail.h
 *		Chances of counts: how likely is it that at least so many come?
 */
#ifndef CF_TAIL_H
#define CF_TAIL_H

#include "core/cf_core.h"

/* Of a Poisson count of that mean (>= 0): at least k. */
extern double cf_tail_poisson(double k, double mean);

/*
 * Of a negative binomial count: a Poisson one whose mean is itself a gamma variate of that
 * mean (>= 0) and shape (> 0).
 */
extern double cf_tail_negative_binomial(double k, double mean, double shape);

#endif							/* CF_TAIL_H */
