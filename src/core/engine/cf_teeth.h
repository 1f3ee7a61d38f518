/*
 * cf_teeth.h
 *		Saw-teeth: values that grow and fall back again and again, as counters of a month and things that are emptied do.
 */
#ifndef CF_TEETH_H
#define CF_TEETH_H

#include "core/cf_core.h"

typedef enum CfToothEnd
{
	CF_TOOTH_NONE,
	CF_TOOTH_MONTH,				/* falls on the first of each month, or of every so many */
	CF_TOOTH_PERIOD,			/* falls after so many steps */
	CF_TOOTH_LEVEL				/* falls where it has come to a level */
} CfToothEnd;

typedef struct CfTeeth
{
	CfToothEnd	end;
	int			months;			/* of CF_TOOTH_MONTH */
	bool		has_ended;		/* they were, and the newest has outgrown them all: what came before its start is no guide */
	int			period;			/* steps, usual distance of falls */
	int			last_fall;		/* step of the newest fall */
	int			next_fall;		/* where the next one is due: at once, if it should have come before */
	double		base;			/* what a tooth starts from, before its first step's growth */
	double		peak_low;		/* PEAK_LOW to peak_high: where it falls back */
	double		peak_high;
	int64_t		first_day;		/* of step 0, days since 2000-01-01; used by CF_TOOTH_MONTH */
} CfTeeth;

/*
 * Looks for them in y[n] (no value missing).  has_days: steps are days, the first of them first_day.  growth[n]: how
 * much each step added, a fall taken as the beginning of the next tooth.
 */
extern void cf_teeth_find(const double *y, int n, bool has_days, int64_t first_day, double *growth, CfTeeth *teeth);

/* Does the tooth end before step t, whose value would be y (one before it: the last)? */
extern bool cf_teeth_is_fall(const CfTeeth *teeth, int t, double before, double peak);

#endif							/* CF_TEETH_H */
