/*
 * cf_score.h
 *		Error measures of forecasts.
 *
 * As in the M4 competition: sMAPE = mean of 200 |y - f| / (|y| + |f|) (0 where both are
 * 0), MASE = mean |y - f| over the in-sample mean |y_t - y_(t-m)|, RMSSE the same with
 * squares, MSIS the interval score over that scale.  Steps where y is NaN do not count.
 */
#ifndef CF_SCORE_H
#define CF_SCORE_H

#include "core/cf_core.h"

typedef struct CfScore
{
	int			n;				/* steps compared */
	double		mae;
	double		rmse;
	double		bias;			/* mean of forecast - actual */
	double		smape;			/* percent, 0 to 200 */
	double		mase;			/* NaN where the scale is 0 or unknown, as rmsse and msis */
	double		rmsse;
	double		coverage;		/* share of actuals within the bounds; NaN without bounds, as the next three */
	double		width;			/* mean */
	double		interval_score;	/* mean (upper - lower) + 2 / (1 - level) * distance outside */
	double		msis;			/* the same over the scale */
} CfScore;

/*
 * The scales: mean |y_t - y_(t-lag)| and root mean (y_t - y_(t-lag))^2 of y[n] over the pairs
 * of which both values are known; NaN where there are none.
 */
extern void cf_score_scale(const double *y, int n, int lag, double *absolute, double *square);

/*
 * Compares yhat[h] with actual[h]; lower and upper may be NULL (then level is not looked
 * at).  absolute_scale and square_scale as from cf_score_scale, or NaN.
 */
extern void cf_score(const double *actual, const double *yhat, const double *lower, const double *upper, int h,
					 double level, double absolute_scale, double square_scale, CfScore *score);

/* Mean of the scores, each weighted by its n; NaN members are left out of their own mean. */
extern void cf_score_mean(const CfScore *scores, int n_scores, CfScore *mean);

#endif							/* CF_SCORE_H */
