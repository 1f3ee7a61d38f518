/*
 * cf_year.h
 *		The year in daily values: a curve by day of the year, shrunk by how sure it is.
 */
#ifndef CF_YEAR_H
#define CF_YEAR_H

#include "core/cf_core.h"

#define CF_YEAR_MIN 365			/* days */

/* How a day of the year adds to the others. */
typedef enum CfYearScale
{
	CF_YEAR_LOG,				/* factors, from logs */
	CF_YEAR_RATIO,				/* factors, from values over their line: some are near 0 */
	CF_YEAR_PLAIN				/* summands: some are negative */
} CfYearScale;

typedef struct CfYear
{
	CfYearScale scale;
	int			years;			/* whole ones seen */
	double		gate;			/* 0: there is no year; 1: it is sure */
	double		strength;		/* share of the variance about the line and the week that it explains */
	double		fitted;			/* share of the residuals' variance that the fit has taken up, 0 to 0.5 */
} CfYear;

extern size_t cf_year_worksize(int n);

/*
 * The year in y[n] (NaN: missing), whose first step is first_day, days since 2000-01-01.  True where there is one:
 * effect[total], total >= n, is then the factor (CF_YEAR_PLAIN: the summand) of each day from the first on.
 */
extern bool cf_year_fit(const double *y, int n, int64_t first_day, int total, double *work, double *effect, CfYear *year);

#endif							/* CF_YEAR_H */
