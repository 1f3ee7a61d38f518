/*
 * cf_gamma.h
 *		The gamma function and gamma variates.
 */
#ifndef CF_GAMMA_H
#define CF_GAMMA_H

#include "core/cf_core.h"

/* log of the gamma function, x > 0; relative error below 1e-9. */
extern double cf_gamma_log(double x);

/* A gamma variate of that shape (> 0) and scale 1 (Marsaglia & Tsang 2000). */
extern double cf_gamma_draw(double shape, uint64_t *random);

#endif							/* CF_GAMMA_H */
