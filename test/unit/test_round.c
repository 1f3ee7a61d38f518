/* Decimal rounding: correct from the exact binary value, ties to even, as Python's round(). */
#include "core/numerics/cf_round.h"
#include "tap.h"

int
main(void)
{
	/* 2.675 is 2.67499999999999982236431605997495353221893310546875 (Python's documentation of round) */
	near_to(cf_round(2.675, 2), 2.67, 0.0, "2.675 to 2 decimals lies below the tie");
	near_to(cf_round(0.5, 0), 0.0, 0.0, "0.5 to the even 0");
	near_to(cf_round(1.5, 0), 2.0, 0.0, "1.5 to the even 2");
	near_to(cf_round(2.5, 0), 2.0, 0.0, "2.5 to the even 2");
	near_to(cf_round(-2.5, 0), -2.0, 0.0, "-2.5 to the even -2");
	near_to(cf_round(0.125, 2), 0.12, 0.0, "0.125, an exact tie, to the even 0.12");
	near_to(cf_round(1e300, 2), 1e300, 0.0, "a huge value is itself");
	near_to(cf_round(INFINITY, 2), (double) INFINITY, 0.0, "infinity is itself");
	ok(isnan(cf_round((double) NAN, 2)), "NaN is itself");
	near_to(cf_round(1.25, 16), 1.25, 0.0, "decimals out of range leave the value alone");
	near_to(cf_percent(1.0, 3.0), 1.0 / 3.0 * 100.0, 0.0, "percent divides first");
	ok(isnan(cf_percent(1.0, 0.0)), "percent of nothing is not known");
	return tap_done();
}
