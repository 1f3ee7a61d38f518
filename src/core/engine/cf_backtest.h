/*
 * cf_backtest.h
 *		Back-test: forecasts from earlier days, compared with what came.
 *
 * Rolling origin: fold f (0 is the earliest) knows y[0 .. origin - 1] and forecasts the
 * horizon steps from origin on.  The last fold ends with the series; origins are one horizon
 * apart, or closer where the history does not allow that.
 */
#ifndef CF_BACKTEST_H
#define CF_BACKTEST_H

#include "core/cf_core.h"
#include "core/engine/cf_forecast.h"
#include "core/engine/cf_score.h"

#define CF_MAX_FOLDS 1000

typedef struct CfFold
{
	int			origin;			/* index of the first step forecast */
	CfStatus	status;			/* CF_OK, or why this fold has no forecast (the score is then empty) */
	CfModel		model;
	CfScore		score;
} CfFold;

extern size_t cf_backtest_worksize(int n, int horizon);

/*
 * folds[n_folds] is filled; *made says how many the history allows (the earliest origin
 * leaves max(min_points of the model, 4, n / 4) values), which may be fewer, and they come first in folds.  yhat, lower,
 * upper: n_folds rows of horizon, or NULL.  *total: mean over the folds made.
 * CF_TOO_FEW: not one fold is possible.
 */
extern CfStatus cf_backtest(const double *y, int n, const CfOptions *options, int horizon, int n_folds, double level,
							const CfStop *stop, double *work, CfFold *folds, int *made, CfScore *total,
							double *yhat, double *lower, double *upper);

#endif							/* CF_BACKTEST_H */
