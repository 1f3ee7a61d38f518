/*
 * cf_weeks.h
 *		The year in weekly values, from a single one on.
 */
#ifndef CF_WEEKS_H
#define CF_WEEKS_H

#include "core/cf_core.h"

#define CF_WEEKS_PERIOD 52
#define CF_WEEKS_MIN 56			/* a few weeks come again */
#define CF_WEEKS_MOST 1040		/* the newest looked at */

typedef struct CfWeeks
{
	bool		is_factor;		/* effects are factors, else summands */
	double		strength;		/* share of the variance about the trend that they explain */
	double		widen;			/* how much further off a year is by the others than by all, itself with them; 1 to 3 */
} CfWeeks;

extern size_t cf_weeks_worksize(int n);

/*
 * The year in y[n] (NaN: missing): effect[total], total >= n, is the factor or summand of each week, without any effect
 * where the years have nothing in common.  False where there are too few values.
 */
extern bool cf_weeks_fit(const double *y, int n, int total, double *work, double *effect, CfWeeks *weeks);

#endif							/* CF_WEEKS_H */
