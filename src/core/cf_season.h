/*
 * cf_season.h
 *		Seasons: detection, indices, and the decomposition of a series.
 */
#ifndef CF_SEASON_H
#define CF_SEASON_H

#include "cf_core.h"

typedef struct CfSeason
{
	int			period;			/* steps; 1: none */
	double		strength;		/* 0 to 1: share of the variance about the trend that it explains */
	double		f;				/* F statistic of the values about the trend by phase */
} CfSeason;

extern size_t cf_season_worksize(int n);

/*
 * The season of y[n] (NaN: missing).  hint (0 or 1: none) is tested first and wins where
 * it explains something; else the best of 2 to n/3 by autocorrelation, tested the same way.
 * period 1, strength 0 where there is none.  CF_TOO_FEW below 4 values.
 */
extern CfStatus cf_season_detect(const double *y, int n, int hint, const CfStop *stop, double *work, CfSeason *season);

extern size_t cf_decompose_worksize(int n);

/*
 * y = level + trend + season + remainder, each an array of n.  level is constant between
 * level shifts; trend is what moves smoothly about it; season repeats every period steps and sums to 0
 * over them.  Where y is missing, remainder is 0 and the sum of the others is the
 * value that stands in for it.  period 0: detect by hint; *season tells what was used.
 */
extern CfStatus cf_decompose(const double *y, int n, int period, int hint, const CfStop *stop, double *work,
							 double *level, double *trend, double *season_out, double *remainder, CfSeason *season);

#endif							/* CF_SEASON_H */
