/*
 * cf_round.c
 *		Decimal rounding and percentages.
 *
 * floor(x * 100 + 0.5) / 100 rounds the product, not x: 2.675 lies below the tie and
 * must become 2.67.  The C library's conversion to decimal text is correctly rounded
 * from the exact binary value, and so is the way back (both in the "C" numeric locale,
 * which the server keeps).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/numerics/cf_round.h"

double
cf_round(double x, int decimals)
{
	char		text[400];		/* 1.8e308 has 309 digits before the point */

	if (!isfinite(x) || decimals < 0 || decimals > 15)
		return x;
	snprintf(text, sizeof(text), "%.*f", decimals, x);
	return strtod(text, NULL) + 0.0; /* no negative zero */
}

double
cf_percent(double part, double whole)
{
	if (whole == 0.0)
		return (double) NAN;
	return part / whole * 100.0;
}
