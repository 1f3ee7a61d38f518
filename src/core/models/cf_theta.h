/*
 * cf_theta.h
 *		The theta method and its dynamic optimised form.
 *
 * Both are given as a level and a slope after each value, so that k steps later they
 * say level + k slope.
 */
#ifndef CF_THETA_H
#define CF_THETA_H

#include "core/cf_core.h"

/* Half a line and half a smoothing of twice the distance to it.  x[n], n >= 3; work: n doubles. */
extern void cf_theta_states(const double *x, int n, double *work, double *level, double *slope);

/* The dynamic optimised theta model.  x[n], n >= 4; work: 2 n doubles. */
extern void cf_dotm_states(const double *x, int n, double *work, double *level, double *slope);

#endif							/* CF_THETA_H */
