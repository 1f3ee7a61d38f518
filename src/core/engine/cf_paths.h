/*
 * cf_paths.h
 *		Simulated futures of a series, and when each first reaches a threshold.
 */
#ifndef CF_PATHS_H
#define CF_PATHS_H

#include "core/cf_core.h"
#include "core/engine/cf_combine.h"
#include "core/engine/cf_frame.h"
#include "core/engine/cf_prepare.h"

#define CF_PATHS 500			/* futures per series */

/* What is simulated; everything on the series' own scale, upwards. */
typedef struct CfPathTask
{
	double		threshold;
	int			steps;			/* to look ahead, from the last value on */
	uint64_t	seed;
	const CfFrame *frame;		/* values are within it; NULL: none */
	const double *thresholds;	/* of a flow, by step, on no sign's side; NULL: all are the threshold */
} CfPathTask;

/* The pace of a stock: four views of it, and the error of each. */
typedef struct CfPace
{
	double		view[4];
	double		mean;
	double		error;			/* standard deviation */
} CfPace;

extern size_t cf_paths_worksize(int n, int steps);

/* The pace of a stock y[n], n >= 4; work as above. */
extern void cf_paths_pace(const double *y, int n, double *work, CfPace *pace);

/*
 * crossings[k - 1]: how many of the CF_PATHS futures reach the threshold first at step k.
 *
 * Stock: blocks of its own increments, period steps long and in phase with it where period is 2 or more,
 * about a pace drawn for each future.  Polls.
 */
extern CfStatus cf_paths_stock(const double *y, int n, int period, const CfPace *pace, const CfPathTask *task,
							   const CfStop *stop, double *crossings);

/* Flow: the combination's forecast with errors drawn from its own, a part of which (alpha) stays. */
extern CfStatus cf_paths_flow(const CfPrepared *p, const CfCombination *c, double sign, const CfPathTask *task,
							  const CfStop *stop, double *work, double *crossings);

#endif							/* CF_PATHS_H */
