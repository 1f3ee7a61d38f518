/*
 * cf_decompose.h
 *		A series taken apart: level, trend, season, remainder.
 */
#ifndef CF_DECOMPOSE_H
#define CF_DECOMPOSE_H

#include "core/cf_core.h"
#include "core/engine/cf_season.h"

typedef struct CfDecomposeOptions
{
	bool		has_calendar;	/* the season holds the year and what else the calendar does, too */
	int			season_hint;	/* these as in CfOptions */
	bool		has_days;
	int64_t		first_day;
} CfDecomposeOptions;

extern size_t cf_decompose_worksize(int n, int period);

/*
 * y = level + trend + season + remainder, each an array of n.  level is constant between level shifts (cf_change),
 * and is the mean there; trend is what moves smoothly about it; season repeats every period steps and sums to 0
 * over them, but for what a calendar adds.  Where y is missing, remainder is 0 and the sum of the others is the value that
 * stands in for it; before the first and after the last value all four are NaN.
 * period: as found by cf_season_detect, or as wanted; 1: none.  CF_TOO_FEW below 4 values.
 */
extern CfStatus cf_decompose(const double *y, int n, int period, const CfDecomposeOptions *options, const CfStop *stop,
							 double *work, double *level, double *trend, double *season, double *remainder);

/* The same where no calendar is looked for (cf_layered.c). */
extern size_t cf_decompose_plain_worksize(int n, int period);
extern CfStatus cf_decompose_plain(const double *y, int n, int period, const CfStop *stop, double *work,
								   double *level, double *trend, double *season, double *remainder);

#endif							/* CF_DECOMPOSE_H */
