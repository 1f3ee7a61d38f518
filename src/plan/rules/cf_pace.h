/*
 * cf_pace.h
 *		How fast a vendor uses what its plan allows, and the chance that it uses it up.
 *
 * What a vendor adds on a day is taken for a Poisson count whose rate is the vendor's own
 * times a weight of the day of the week.  Rates differ between vendors like gamma variates,
 * so that what is known of a vendor and what is known of all are joined by Bayes' rule
 * (empirical Bayes; Robbins 1956, Fader & Hardie 2005): who is new is judged like the others.
 */
#ifndef CF_PACE_H
#define CF_PACE_H

#include "core/cf_core.h"

#define CF_WEEK		7

/* By day of the week: what was added, its square, and how many days; older days count less. */
typedef struct CfPace
{
	double		count[CF_WEEK];
	double		square[CF_WEEK];
	double		days[CF_WEEK];
} CfPace;

/* Sums over vendors of what cf_pace_sums() gives. */
typedef enum CfPaceSum
{
	CF_PACE_COUNT,				/* what was added */
	CF_PACE_WEIGHT,				/* in days of average weight */
	CF_PACE_RESIDUAL,			/* squared difference from the vendor's own rate */
	CF_PACE_WEIGHT_SQUARE,
	CF_PACE_RATE_SQUARE,		/* count squared over weight */
	CF_PACE_VENDORS,			/* who have any days */
	CF_PACE_SUMS
} CfPaceSum;

typedef struct CfPacePrior
{
	double		shape;			/* of the gamma distribution of rates; 0: nothing is known */
	double		scale;			/* in days: shape / scale is the mean rate */
	double		dispersion;		/* variance over mean of a day's count, at least 1 */
} CfPacePrior;

/*
 * What was added on n consecutive days, the first of which is that day of the week (0 to 6);
 * NaN: not known.
 */
extern void cf_pace_fill(CfPace *pace, const double *added, int n, int first_weekday);

/* Weights of mean 1 of the days of the week, of the sums over all vendors. */
extern void cf_pace_weights(const double count[CF_WEEK], const double days[CF_WEEK], double weight[CF_WEEK]);

extern void cf_pace_sums(const CfPace *pace, const double weight[CF_WEEK], double sums[CF_PACE_SUMS]);

extern void cf_pace_prior(const double sums[CF_PACE_SUMS], CfPacePrior *prior);

/* Days of average weight between two times in microseconds since a Saturday's midnight. */
extern double cf_pace_ahead(int64_t from, int64_t until, const double weight[CF_WEEK]);

/*
 * The chance that at least so many are added in so many days of average weight; NaN where
 * nothing is known.  *expected is how many are.
 */
extern double cf_pace_chance(const CfPace *pace, const double weight[CF_WEEK], const CfPacePrior *prior,
							 double at_least, double ahead, double *expected);

#endif							/* CF_PACE_H */
