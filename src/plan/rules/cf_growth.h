/*
 * cf_growth.h
 *		Growth between two snapshots, the way the web application has always shown it.
 */
#ifndef CF_GROWTH_H
#define CF_GROWTH_H

#include "core/cf_core.h"

typedef struct CfGrowth
{
	double		rate_percent;	/* over the period, 2 decimals */
	double		daily_percent;	/* per day, 3 decimals */
	double		monthly_projection; /* value 30 days after the end, 0 decimals */
} CfGrowth;

/* period_days is at least 1. */
extern CfGrowth cf_growth(double start, double end, int period_days);

/*
 * Whole days until current, growing by the (rounded) daily percentage of itself each
 * day, has gained what is missing to threshold.  False: no answer, because it does not
 * grow, is there already, starts from 0, gets there at once, or later than *days can say.
 */
extern bool cf_growth_days_until(double current, double daily_percent, double threshold, int64_t *days);

#endif							/* CF_GROWTH_H */
