/*
 * cf_year_parts.h
 *		What daily values of a year or more are made of: a line, the days of the week, waves of the year.
 */
#ifndef CF_YEAR_PARTS_H
#define CF_YEAR_PARTS_H

#include "core/models/cf_waves.h"

#define CF_YEAR_MOST 4096		/* the newest days looked at */

/* What is being fitted: all by step but for what is by day of the year. */
typedef struct CfYearParts
{
	int			n;
	int			weekday;
	int			years;
	int			waves;
	double	   *v;				/* values on the scale of the fit; NaN: missing */
	double	   *rest;			/* v less line and week */
	double	   *clipped;		/* rest less waves, drawn in */
	double	   *weight;
	double	   *scratch;
	double	   *curve;			/* the waves by day of the year */
	double	   *mean;			/* mean of rest by day of the year */
	double	   *count;
	int		   *day;			/* day of the year, 0 to 364 */
	double		week[7];
	double		level;
	double		slope;
	double		spread;			/* of the residuals, robust */
	double		variance;		/* of the drawn-in residuals */
	CfWaves		sum;			/* the waves of curve */
	CfWaves		of_year[CF_YEAR_MOST / CF_WAVES_DAYS];
	double		noise[CF_WAVES_MOST];
	double		shrink[CF_WAVES_MOST];
	double		beta;			/* how fast the noise falls with the wave's number */
} CfYearParts;

/* The day of the year, 0 to 364, of one day after another: 29 February shares that of the 28th. */
typedef struct CfYearDay
{
	int64_t		year;
	int			in_year;
	bool		is_leap;
} CfYearDay;

extern CfYearDay cf_year_day_start(int64_t day);
extern int	cf_year_day_next(CfYearDay *day);

/* Fits the parts to v[n], of which the first is first_day, by turns. */
extern void cf_year_parts_fit(CfYearParts *f, int64_t first_day);

/* mean[], count[] by day of the year, of the steps from s to e - 1: the curve and the drawn-in residuals. */
extern void cf_year_parts_take_days(const CfYearParts *f, int s, int e);

/* Finds noise[] and shrink[]. */
extern void cf_year_shrink(CfYearParts *f);

/* How far the year counts, 0 to 1; curve: the shrunken waves by day of the year. */
extern double cf_year_gate(CfYearParts *f, const double *curve);

#endif							/* CF_YEAR_PARTS_H */
