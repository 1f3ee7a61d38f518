/*
 * cf_growth.c
 *		Growth between two snapshots, and the days until a threshold that follow from it.
 *
 * The order of the operations and where they round are part of the contract: the
 * numbers must equal those shown so far to the last digit.
 */
#include "core/numerics/cf_round.h"
#include "plan/rules/cf_growth.h"

CfGrowth
cf_growth(double start, double end, int period_days)
{
	CfGrowth	growth;
	double		rate;
	double		daily = 0.0;
	double		monthly = 0.0;

	if (start > 0.0)
	{
		rate = (end - start) / start * 100.0;
		daily = rate / period_days;
		monthly = daily * 30.0;
	}
	else
		rate = end == 0.0 ? 0.0 : 100.0;

	growth.rate_percent = cf_round(rate, 2);
	growth.daily_percent = cf_round(daily, 3);
	growth.monthly_projection = cf_round(end * (1.0 + monthly / 100.0), 0);
	return growth;
}

bool
cf_growth_days_until(double current, double daily_percent, double threshold, int64_t *days)
{
	double		exact;

	if (!(daily_percent > 0.0) || !(current > 0.0) || !(current < threshold))
		return false;
	exact = (threshold - current) / (current * daily_percent / 100.0);
	if (exact == 0.0 || !(exact < 9223372036854775808.0))
		return false;
	*days = (int64_t) exact;
	return true;
}
