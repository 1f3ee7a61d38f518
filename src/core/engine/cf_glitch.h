/*
 * cf_glitch.h
 *		Wrong values: single ones that their neighbours deny.
 */
#ifndef CF_GLITCH_H
#define CF_GLITCH_H

#include "core/cf_core.h"

#define CF_MAX_GLITCHES 32

typedef struct CfGlitches
{
	int			n;
	int			index[CF_MAX_GLITCHES];	/* ascending */
	double		seen[CF_MAX_GLITCHES];
	bool		is_last;		/* the newest of them is the last value, which no other denies yet */
} CfGlitches;

/*
 * Finds them in y[n] (no value missing) and puts in their place what the neighbours say.  period: steps after which
 * a pattern may repeat (1: none).  work: n doubles.
 */
extern void cf_glitch_mend(double *y, int n, int period, double *work, CfGlitches *glitches);

#endif							/* CF_GLITCH_H */
