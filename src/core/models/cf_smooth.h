/*
 * cf_smooth.h
 *		Exponential smoothing without a season: level; level and slope; damped slope.
 */
#ifndef CF_SMOOTH_H
#define CF_SMOOTH_H

#include "core/cf_core.h"

typedef enum CfTrendForm
{
	CF_TREND_NONE,				/* SES */
	CF_TREND_LINEAR,			/* Holt */
	CF_TREND_DAMPED
} CfTrendForm;

/*
 * With the forecast f = level + phi slope and the error e = x - f of a step, the next
 * level is f + alpha e and the next slope phi slope + beta e.
 */
typedef struct CfSmooth
{
	CfTrendForm form;
	double		alpha;
	double		beta;
	double		phi;
	double		level0;			/* states before the first value */
	double		slope0;
	double		sse;			/* sum of squared one-step errors */
	double		aicc;
} CfSmooth;

/* Fits x[n], n >= 3, no value missing, of a magnitude about 1. */
extern void cf_smooth_fit(const double *x, int n, CfTrendForm form, CfSmooth *fit);

/* States after each value: level[n], slope[n]. */
extern void cf_smooth_states(const CfSmooth *fit, const double *x, int n, double *level, double *slope);

/*
 * Simple smoothing averaged over alpha, each weighted by its likelihood: level[n] after each value.
 * Steadier than the single best alpha where few values or bursts leave that open.
 */
extern void cf_smooth_average(const double *x, int n, double *level);

/* Corrected Akaike criterion of a fit with k free parameters. */
extern double cf_smooth_aicc(double sse, int n, int k);

/* phi + phi^2 + … + phi^k: how many slopes away step k is. */
extern double cf_smooth_reach(double phi, int k);

#endif							/* CF_SMOOTH_H */
