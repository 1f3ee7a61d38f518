/* Which tier fits: the first whose maxima are all at least the usage. */
#include "plan/rules/cf_tier.h"
#include "tap.h"

int
main(void)
{
	double		maxima[] = {50, 10000, 100, 30000, 300, (double) NAN};
	double		usage[2] = {50, 10000};
	bool		exceeded;

	ok(cf_tier_fit(usage, maxima, 3, 2, &exceeded) == 0 && !exceeded, "a maximum is included");
	usage[0] = 51;
	ok(cf_tier_fit(usage, maxima, 3, 2, &exceeded) == 1 && !exceeded, "one metric above takes the next tier");
	usage[1] = 1e9;
	ok(cf_tier_fit(usage, maxima, 3, 2, &exceeded) == 2 && !exceeded, "NaN is no maximum");
	usage[0] = 301;
	ok(cf_tier_fit(usage, maxima, 3, 2, &exceeded) == 2 && exceeded, "beyond all tiers: the last, and said so");
	usage[0] = (double) NAN;
	usage[1] = 5;
	ok(cf_tier_fit(usage, maxima, 3, 2, &exceeded) == 0 && !exceeded, "usage not known excludes no tier");
	return tap_done();
}
