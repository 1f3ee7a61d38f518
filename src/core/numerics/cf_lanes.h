/*
 * cf_lanes.h
 *		One pass of exponential smoothing over the data, for eight candidates at a time.
 */
#ifndef CF_LANES_H
#define CF_LANES_H

#include "core/cf_core.h"

#define CF_LANES 8

/* Eight candidates (alpha, beta, phi as in CfSmooth) and what one pass finds out about them. */
typedef struct CfLanes
{
	double		alpha[CF_LANES];
	double		beta[CF_LANES];
	double		phi[CF_LANES];
	double		level0[CF_LANES];	/* the best start */
	double		slope0[CF_LANES];
	double		sse[CF_LANES];	/* sum of squared one-step errors from it */
} CfLanes;

/* A level alone (beta and phi are not looked at), and with a slope. */
extern void cf_lanes_pass_level(const double *x, int n, CfLanes *lanes);
extern void cf_lanes_pass_slope(const double *x, int n, CfLanes *lanes);

#endif							/* CF_LANES_H */
