/*
 * cf_forecast.h
 *		Forecast of a regular series, with prediction intervals.
 */
#ifndef CF_FORECAST_H
#define CF_FORECAST_H

#include "core/cf_core.h"
#include "core/engine/cf_event.h"
#include "core/engine/cf_found.h"
#include "core/engine/cf_options.h"
#include "core/models/cf_models.h"

/* What deserves a remark; a forecast with CF_FLAG_UNRELIABLE should be shown as such. */
#define CF_FLAG_SHORT 0x01		/* fewer than 14 points: little more than a guess */
#define CF_FLAG_GAPS 0x02		/* less than three quarters of the steps hold a value */
#define CF_FLAG_CONSTANT 0x04	/* all values are equal */
#define CF_FLAG_INTERMITTENT 0x08	/* a flow with more than 40 % zeros */
#define CF_FLAG_LONG_HORIZON 0x10	/* further ahead than the history is long */
#define CF_FLAG_LEVEL_SHIFT 0x20	/* the level jumped not long before the end */
/*
 * Not to be acted on: fewer than 4 points, less than half the steps hold a value, or more than
 * four times as far ahead as the history is long.
 */
#define CF_FLAG_UNRELIABLE 0x40

typedef struct CfForecastInfo
{
	CfModel		model;			/* the one asked for; where that was auto and one model was used alone, that one */
	CfModel		members[8];		/* what was combined */
	int			n_members;
	CfKind		kind;			/* given or inferred */
	int			season_length;	/* used; 1: none */
	bool		is_multiplicative;	/* the season's form */
	double		season_strength;	/* 0 to 1: share of the variance about the trend the season explains */
	int			n_points;		/* values not missing, from the first on */
	double		coverage_ratio;	/* n_points over the steps from the first value to the last */
	double		error_scale;	/* typical one-step error (root mean square) */
	unsigned	flags;
	CfEvents	events;			/* what has happened; index in steps of y */
	CfCalendarFound calendar;	/* what else repeats */
} CfForecastInfo;

/* Doubles of scratch that cf_forecast needs; 0 where an argument is out of range. */
extern size_t cf_forecast_worksize(int n, int horizon);

/*
 * Forecasts y[n] (NaN: missing; leading gaps are dropped, trailing ones shift the start:
 * step 1 is the step after y[n - 1]) for horizon steps, at n_levels confidence levels
 * (0 < level < 1, any order).  yhat[horizon]; lower and upper hold n_levels rows of
 * horizon, or are NULL (then no intervals are computed).  Bounds of a smaller level lie
 * within those of a larger one, and yhat within all.  Where kind says stock and none of 14 or
 * more values is below the one before, nothing that auto says lies below the last value.
 *
 * CF_TOO_FEW: fewer values than the model's min_points (auto: 1).  CF_NOT_FINITE: an
 * infinite value, or one beyond 1e150.  CF_BAD_ARGUMENT: n, horizon, options or levels out of range,
 * floor above cap.
 */
extern CfStatus cf_forecast(const double *y, int n, const CfOptions *options, int horizon,
							const double *levels, int n_levels, const CfStop *stop, double *work,
							double *yhat, double *lower, double *upper, CfForecastInfo *info);

/* The same of values that no calendar has to be taken out of: none is looked for (cf_layered.c). */
extern size_t cf_forecast_plain_worksize(int n, int horizon);
extern CfStatus cf_forecast_plain(const double *y, int n, const CfOptions *options, int horizon,
								  const double *levels, int n_levels, const CfStop *stop, double *work,
								  double *yhat, double *lower, double *upper, CfForecastInfo *info);

#endif							/* CF_FORECAST_H */
