/*
 * cf_season.h
 *		Which season a series has.
 */
#ifndef CF_SEASON_H
#define CF_SEASON_H

#include "core/cf_core.h"

#define CF_SEASON_MAX_SEARCH 400	/* the longest period that is searched for */

typedef struct CfSeason
{
	int			period;			/* steps; 1: none */
	double		strength;		/* 0 to 1: share of the variance about the trend that it explains */
	double		z;				/* how sure: standard normal deviate of the F statistic by phase */
} CfSeason;

/* For a search (hint 0) or a test (the hint's period). */
extern size_t cf_season_worksize(int n, int hint);

/*
 * The season of y[n] (NaN: missing; the newest 20 000 steps are looked at).  hint of 2 or
 * more: that period, where it is there.  0: the
 * surest of the periods 2 to n/3 (at most CF_SEASON_MAX_SEARCH) at which the autocorrelation peaks.  1: none.
 * period 1, strength 0 where there is none at the 1 % level.
 * CF_TOO_FEW below 4 values; CF_NOT_FINITE, CF_STOPPED, CF_BAD_ARGUMENT.
 */
extern CfStatus cf_season_detect(const double *y, int n, int hint, const CfStop *stop, double *work, CfSeason *season);

#endif							/* CF_SEASON_H */
