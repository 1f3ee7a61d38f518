/*
 * cf_round.h
 *		Decimal rounding and percentages.
 */
#ifndef CF_ROUND_H
#define CF_ROUND_H

/*
 * x to that many decimals (0 to 15), correctly from its exact binary value, ties to
 * even: as Python's round().  Values that are not finite come back as they are.
 */
extern double cf_round(double x, int decimals);

/* part / whole x 100, in that order of operations; NaN where whole is 0. */
extern double cf_percent(double part, double whole);

#endif							/* CF_ROUND_H */
