/* Error measures, worked by hand on three steps. */
#include "core/engine/cf_score.h"
#include "tap.h"

int
main(void)
{
	double		y[] = {1, 3, 2, 6, (double) NAN, 7};
	double		actual[] = {10, 0, 20, (double) NAN};
	double		yhat[] = {12, 0, 10, 99};
	double		lower[] = {9, 0, 5, 0};
	double		upper[] = {15, 1, 15, 0};
	double		absolute;
	double		square;
	CfScore		s[2];
	CfScore		mean;

	cf_score_scale(y, 6, 1, &absolute, &square);
	near_to(absolute, (2 + 1 + 4) / 3.0, 1e-15, "scale of MASE: pairs of known values");
	near_to(square, sqrt((4 + 1 + 16) / 3.0), 1e-15, "scale of RMSSE");
	cf_score_scale(y, 1, 1, &absolute, &square);
	ok(isnan(absolute), "no pairs, no scale");

	cf_score(actual, yhat, lower, upper, 4, 0.80, 2.0, 4.0, &s[0]);
	ok(s[0].n == 3, "steps without an actual do not count");
	near_to(s[0].mae, 4.0, 1e-15, "MAE (2 + 0 + 10) / 3");
	near_to(s[0].bias, -8.0 / 3.0, 1e-15, "bias (2 + 0 - 10) / 3");
	near_to(s[0].rmse, sqrt(104.0 / 3.0), 1e-14, "RMSE");
	near_to(s[0].smape, (200.0 * 2 / 22 + 0 + 200.0 * 10 / 30) / 3, 1e-12, "sMAPE, 0 of 0 is no error");
	near_to(s[0].mase, 2.0, 1e-15, "MASE");
	near_to(s[0].rmsse, sqrt(104.0 / 3.0) / 4.0, 1e-14, "RMSSE");
	near_to(s[0].coverage, 2.0 / 3.0, 1e-15, "coverage");
	near_to(s[0].width, 17.0 / 3.0, 1e-15, "width (6 + 1 + 10) / 3");
	/* 5 outside at 2 / 0.2 each */
	near_to(s[0].interval_score, (17.0 + 50.0) / 3.0, 1e-12, "interval score");
	near_to(s[0].msis, (17.0 + 50.0) / 6.0, 1e-12, "MSIS");
	cf_score(actual, yhat, NULL, NULL, 1, 0.80, 0.0, 0.0, &s[1]);
	ok(isnan(s[1].mase) && isnan(s[1].coverage), "without scale no MASE, without bounds no coverage");
	cf_score_mean(s, 2, &mean);
	near_to(mean.mae, (3 * 4.0 + 2.0) / 4.0, 1e-15, "means weigh by steps");
	near_to(mean.mase, 2.0, 1e-15, "and leave out what is not known");
	return tap_done();
}
