/* Values carried forward, counters unrolled (plan/rules/cf_usage.h). */
#include "plan/rules/cf_usage.h"

#include "tap.h"

int
main(void)
{
	int64_t		time[3] = {10, 12, 15};
	double		value[3] = {5.0, 7.0, 6.0};
	double		out[9] = {[8] = -1.0};
	double		counter[9] = {3, 5, 9, 9, 2, 4, 0, 1, 8};
	/* gained 2, 4, 0, 2 (started again), 2, 0 (again), 1, 7: from -10 to 8 */
	double		want[9] = {-10, -8, -4, -4, -2, 0, 0, 1, 8};
	double		one[1] = {4};
	double		late[4] = {(double) NAN, 3, 5, 1};
	double		early[3] = {0, 9, 10};
	double		partly[4] = {(double) NAN, 1, 5, 6};
	double		gap[2] = {(double) NAN, 5};
	bool		same = true;

	cf_usage_carry(time, value, 3, 9, 1, 8, out);
	ok(isnan(out[0]) && out[1] == 5.0 && out[2] == 5.0 && out[3] == 7.0 && out[5] == 7.0 && out[6] == 6.0 && out[7] == 6.0 && out[8] == -1.0,
	   "a value holds until the next change, and is not known before the first");
	cf_usage_carry(time, value, 0, 9, 1, 8, out);
	ok(isnan(out[0]) && isnan(out[7]), "without changes nothing is known");

	cf_usage_unroll(counter, 9);
	for (int i = 0; i < 9; i++)
		same = same && counter[i] == want[i];
	ok(same, "a counter that starts again goes on counting, and ends where it ended");
	cf_usage_unroll(one, 1);
	cf_usage_unroll(one, 0);
	ok(one[0] == 4.0, "one value, or none, stays as it is");

	cf_usage_unroll(late, 4);
	ok(isnan(late[0]) && late[1] == -2.0 && late[2] == 0.0 && late[3] == 1.0, "what is not known at first stays so");

	ok(cf_usage_largest_gain(early, 3) == 9.0, "the first gain may be the largest");
	ok(cf_usage_pace(want, 9, 1) == 7.0 && cf_usage_pace(partly, 4, 2) == 2.5 && cf_usage_pace(partly, 4, 3) == 2.5,
	   "pace over one step, and as far as values are known");
	ok(cf_usage_pace(gap, 2, 4) == 0.0 && cf_usage_pace(gap, 1, 4) == 0.0, "no pace from what is not known");
	ok(cf_usage_largest_gain(want, 9) == 7.0 && cf_usage_largest_gain(want, 1) == 0.0, "largest gain");
	ok(cf_usage_pace(want, 9, 4) == (8.0 - want[4]) / 4 && cf_usage_pace(want, 9, 100) == (8.0 - want[0]) / 8 && cf_usage_pace(want, 1, 4) == 0.0,
	   "pace over the last steps, or as many as there are");
	ok(cf_usage_pace(late, 4, 3) == 1.5 && cf_usage_pace(late, 2, 3) == 0.0, "from the first value that is known");
	return tap_done();
}
