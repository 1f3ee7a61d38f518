/*
 * cf_running.h
 *		Medians and means of the values about each step.
 */
#ifndef CF_RUNNING_H
#define CF_RUNNING_H

#include "core/cf_core.h"

#define CF_RUNNING_SIDE 14		/* steps on either side, at most */

/*
 * centre[t]: median, or mean, of the 2 side + 1 values about step t; near the ends, of the outermost 2 side + 1 (of
 * all, where there are fewer).  centre must not be x.
 */
extern void cf_running_median(const double *x, int n, int side, double *centre);
extern void cf_running_mean(const double *x, int n, int side, double *centre);

/* The same, of a straight line through those values: near the ends it keeps the trend. */
extern void cf_running_line(const double *x, int n, int side, double *centre);

#endif							/* CF_RUNNING_H */
