/*
 * cf_tier.c
 *		Which size of infrastructure fits.
 */
#include "plan/rules/cf_tier.h"

static bool
fits(const double *usage, const double *maxima, int n_metrics)
{
	for (int m = 0; m < n_metrics; m++)
		if (usage[m] > maxima[m])	/* false where either is NaN */
			return false;
	return true;
}

int
cf_tier_fit(const double *usage, const double *maxima, int n_tiers, int n_metrics, bool *exceeded)
{
	for (int t = 0; t < n_tiers; t++)
	{
		if (fits(usage, maxima + (size_t) t * (size_t) n_metrics, n_metrics))
		{
			*exceeded = false;
			return t;
		}
	}
	*exceeded = true;
	return n_tiers - 1;
}
