/*
 * cf_hours.h
 *		Day and week in values of hours and parts of hours.
 */
#ifndef CF_HOURS_H
#define CF_HOURS_H

#include "core/cf_core.h"

#define CF_HOURS_MIN_DAYS 14
#define CF_HOURS_MOST_DAYS 168	/* the newest looked at */
#define CF_HOURS_MOST 96		/* steps of a day */

typedef struct CfHours
{
	bool		is_factor;		/* effects are factors, else summands */
	bool		is_moving;		/* the shape of the day changes from day to day */
	double		gate;			/* 0: days of the week are alike; 1: surely not */
	double		strength;		/* share of the variance about a week's mean that day and week explain */
	double		fitted;			/* share of the residuals' variance that the fit has taken up, 0 to 0.5 */
} CfHours;

extern size_t cf_hours_worksize(int n, int per_day);

/*
 * The length of a day in steps: per_day, or one more or less where values so far apart are much more alike.
 * n >= 14 per_day.
 */
extern int	cf_hours_day_length(const double *y, int n, int per_day);

/*
 * Day and week in y[n] (NaN: missing), per_day steps a day.  True where there is a week:
 * effect[total], total >= n, is then the factor or summand of each step.
 */
extern bool cf_hours_fit(const double *y, int n, int per_day, int total, const CfStop *stop, double *work, double *effect,
						 CfHours *hours);

#endif							/* CF_HOURS_H */
