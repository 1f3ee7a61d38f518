/*
 * Growth between two snapshots.  The figures are the worked example of the web
 * application's numbers: five weekly snapshots, first against last, 28 days.
 */
#include "plan/rules/cf_growth.h"
#include "tap.h"

static void
check(const char *name, double start, double end, double rate, double daily, double projection)
{
	CfGrowth	g = cf_growth(start, end, 28);

	ok(g.rate_percent == rate && g.daily_percent == daily && g.monthly_projection == projection,
	   "%s: %g -> %g grows by %g %%, %g a day, to %g", name, start, end, g.rate_percent, g.daily_percent,
	   g.monthly_projection);
}

int
main(void)
{
	int64_t		days = -1;

	check("vendors", 40, 51, 27.5, 0.982, 66);
	check("products", 8000, 8425, 5.31, 0.19, 8905);
	check("orders", 0, 30, 100, 0, 30);
	check("team members", 60, 57, -5.0, -0.179, 54);
	check("nothing", 0, 0, 0, 0, 0);
	check("next to nothing", 0.01, 0.03, 200, 7.143, 0);
	check("from nothing", 0, 100000, 100, 0, 100000);
	check("from nothing to little", 0, 0.01, 100, 0, 0);

	ok(cf_growth_days_until(51, 0.982, 100, &days) && days == 97, "vendors 100 in 97 days");
	ok(cf_growth_days_until(8425, 0.19, 10000, &days) && days == 98, "products 10000 in 98 days");
	ok(!cf_growth_days_until(51, 0.982, 51, &days), "no answer at the threshold");
	ok(!cf_growth_days_until(30, 0.0, 100, &days), "no answer without growth");
	ok(!cf_growth_days_until(57, -0.179, 100, &days), "no answer when it shrinks");
	ok(!cf_growth_days_until(0, 1.0, 100, &days), "no answer from zero");
	ok(!cf_growth_days_until(1, 1e-300, 100, &days), "no answer beyond what an integer holds");
	ok(!cf_growth_days_until(1, 100.0, 9223372036854775808.0, &days), "nor at its edge");
	ok(cf_growth_days_until(1, 100.0, 4611686018427387904.0, &days) && days == INT64_C(4611686018427387904), "an answer within it");
	ok(!cf_growth_days_until(1e10, 1e308, 10000000000.000002, &days), "no answer within no time");
	ok(cf_growth_days_until(0.01, 1.0, 0.011, &days) && days == 9, "little is something");
	ok(cf_growth_days_until(1, 0.01, 1.001, &days) && days == 9, "so is little growth");
	return tap_done();
}
