/*
 * cf_change.h
 *		Change points: where the level jumped or the slope turned.
 */
#ifndef CF_CHANGE_H
#define CF_CHANGE_H

#include "core/cf_core.h"

typedef enum CfChangeKind
{
	CF_CHANGE_LEVEL,			/* a step: the values go on from another level */
	CF_CHANGE_SLOPE				/* a bend: they go on at another pace */
} CfChangeKind;

typedef struct CfChange
{
	int			index;			/* first step of the regime that begins */
	CfChangeKind kind;
	double		size;			/* level: the jump; slope: difference of the slopes, per step */
	double		score;			/* the same in robust standard errors; those below 5 are not reported */
} CfChange;

extern size_t cf_change_worksize(int n);

/*
 * Change points of y[n] (NaN: missing), in order of index, at most max of them (the
 * strongest).  period as in cf_season (1: none).  No change within 4 steps of either end.
 */
extern CfStatus cf_change_detect(const double *y, int n, int period, int max, const CfStop *stop, double *work,
								 CfChange *changes, int *n_changes);

#endif							/* CF_CHANGE_H */
