/* Robust line, growth rates, doubling time, acceleration. */
#include "core/models/cf_slope.h"
#include "made.h"
#include "tap.h"

int
main(void)
{
	static double y[1000];
	double	   *work = tap_memory(cf_slope_worksize(1000));
	double		slope;
	double		intercept;
	double		a;

	for (int t = 0; t < 1000; t++)
		y[t] = 5.0 + 2.0 * t;
	ok(cf_slope_robust(y, 1000, work, &slope, &intercept) == CF_OK && slope == 2.0 && intercept == 5.0, "a line is itself");
	for (int t = 0; t < 50; t++)
		y[3 * t] = 1e6;
	cf_slope_robust(y, 200, work, &slope, &intercept);
	ok(fabs(slope - 2.0) < 0.2, "a quarter of outliers moves it little: %g", slope);
	/* slopes of the pairs of 0, 1, 5: 1, 4, 2.5; median 2.5 */
	cf_slope_robust((double[]) {0, 1, 5}, 3, work, &slope, &intercept);
	near_to(slope, 2.5, 0.0, "three points by hand: slope");
	near_to(intercept, 0.0, 0.0, "three points by hand: intercept is the median of 0, -1.5, 0");
	cf_slope_robust((double[]) {0, (double) NAN, (double) NAN, 6, (double) NAN}, 5, work, &slope, &intercept);
	near_to(slope, 2.0, 0.0, "a gap does not bend it");
	ok(cf_slope_robust((double[]) {(double) NAN, 1}, 2, work, &slope, &intercept) == CF_TOO_FEW, "one value has no slope");
	near_to(cf_slope_cagr(100, 121, 2 * 365.25), 0.1, 1e-14, "121 after two years is 10 % a year");
	ok(isnan(cf_slope_cagr(0, 121, 365)) && isnan(cf_slope_cagr(1, 2, 0)), "no rate from nothing or in no time");
	near_to(cf_slope_doubling_days(100, 400, 30), 15.0, 1e-13, "fourfold in 30 days doubles in 15");
	ok(isnan(cf_slope_doubling_days(100, 100, 30)), "what does not grow does not double");
	for (int t = 0; t < 100; t++)
		y[t] = t < 50 ? t : 50 + 3.0 * (t - 50);
	ok(cf_slope_acceleration(y, 100, work, &a) == CF_OK && fabs(a - 2.0 / 50.0) < 1e-12, "from 1 to 3 a step in 50 steps");
	ok(cf_slope_acceleration(y, 7, work, &a) == CF_TOO_FEW, "seven values say nothing of acceleration");
	free(work);
	return tap_done();
}
