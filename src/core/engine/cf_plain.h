/*
 * cf_plain.h
 *		The engine on values that no calendar has to be taken out of.
 *
 * cf_forecast and cf_reach look for a calendar first (cf_layer) and call these with what is left.
 */
#ifndef CF_PLAIN_H
#define CF_PLAIN_H

#include "core/engine/cf_forecast.h"
#include "core/engine/cf_frame.h"
#include "core/engine/cf_reach.h"

extern size_t cf_forecast_plain_worksize(int n, int horizon);
extern CfStatus cf_forecast_plain(const double *y, int n, const CfOptions *options, int horizon,
								  const double *levels, int n_levels, const CfStop *stop, double *work,
								  double *yhat, double *lower, double *upper, CfForecastInfo *info);

/* With a frame (NULL: none), y are its x; the threshold is a value, and the last value is short of it. */
extern size_t cf_reach_plain_worksize(int n, int steps);
extern CfStatus cf_reach_plain(const double *y, int n, const CfReachOptions *options, const CfFrame *frame,
							   const CfStop *stop, double *work, double *probability, CfReach *reach);

#endif							/* CF_PLAIN_H */
