/* Order statistics, logarithm, exponential, normal quantile, random bits. */
#include "core/numerics/cf_num.h"
#include "tap.h"

static void
test_order(void)
{
	double		a[101];
	uint64_t	random = 7;
	int			sorted = 1;

	for (int i = 0; i < 101; i++)
		a[i] = cf_num_uniform(&random);
	cf_num_sort(a, 101);
	for (int i = 1; i < 101; i++)
		sorted = sorted && a[i - 1] <= a[i];
	ok(sorted, "sort");
	for (int i = 0; i < 101; i++)
		a[i] = (i * 37) % 101;	/* a permutation of 0 to 100 */
	near_to(cf_num_select(a, 101, 17), 17.0, 0.0, "select");
	near_to(cf_num_median(a, 101), 50.0, 0.0, "median of an odd number");
	near_to(cf_num_median((double[]) {4, 1, 3, 2}, 4), 2.5, 0.0, "median of an even number");
	near_to(cf_num_mad((double[]) {1, 1, 2, 2, 4, 6, 9}, 7, 2.0), 1.4826, 1e-12, "MAD of the textbook sample is 1");
	/* type 6 of 1 .. 9 at 1/4: position 2.5 */
	near_to(cf_num_quantile((double[]) {1, 2, 3, 4, 5, 6, 7, 8, 9}, 9, 0.25), 2.5, 1e-12, "quantile, type 6");
	near_to(cf_num_quantile((double[]) {1, 2, 3}, 3, 0.99), 3.0, 0.0, "quantile beyond the extremes");
	near_to(cf_num_sum((double[]) {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 10), 55.0, 0.0, "sum");
}

static void
test_functions(void)
{
	double		worst_log = 0.0;
	double		worst_exp = 0.0;

	for (double x = 1e-300; x < 1e300; x *= 1.7)
		worst_log = fmax(worst_log, fabs(cf_num_log(x) - log(x)) / fmax(1.0, fabs(log(x))));
	for (double x = -700.0; x < 700.0; x += 0.37)
		worst_exp = fmax(worst_exp, fabs(cf_num_exp(x) / exp(x) - 1.0));
	ok(worst_log < 5e-16, "log agrees with the library's to %g", worst_log);
	ok(worst_exp < 5e-15, "exp agrees with the library's to %g", worst_exp);
	near_to(cf_num_exp(-1000.0), 0.0, 0.0, "exp of very little is 0");
	ok(isfinite(cf_num_exp(1000.0)), "exp of very much stays finite");
	near_to(cf_num_pow(2.0, 0.5), 1.4142135623730951, 1e-15, "square root of 2");
	/* published tables of the normal distribution */
	near_to(cf_num_normal_quantile(0.975), 1.959963984540054, 1e-8, "normal quantile at 97.5 %");
	near_to(cf_num_normal_quantile(0.9), 1.2815515655446004, 1e-8, "normal quantile at 90 %");
	near_to(cf_num_normal_quantile(0.001), -3.090232306167813, 1e-8, "normal quantile in the tail");
	near_to(cf_num_normal_quantile(0.5), 0.0, 1e-12, "normal quantile at the middle");
}

int
main(void)
{
	uint64_t	random = 1234567;
	double		sum = 0.0;
	double		squares = 0.0;

	test_order();
	test_functions();
	near_to(cf_num_binary_scale(10.0), 8.0, 0.0, "binary scale below");
	near_to(cf_num_binary_scale(-8.0), 8.0, 0.0, "binary scale of a power");
	near_to(cf_num_binary_scale(0.0), 1.0, 0.0, "binary scale of nothing");
	/* first output of the reference implementation of splitmix64 for seed 1234567 */
	ok(cf_num_random(&random) == UINT64_C(6457827717110365317), "splitmix64 reference value");
	for (int i = 0; i < 100000; i++)
	{
		double		z = cf_num_normal(&random);

		sum += z;
		squares += z * z;
	}
	ok(fabs(sum / 100000) < 0.02 && fabs(squares / 100000 - 1.0) < 0.02, "normal deviates have mean 0, variance 1");
	return tap_done();
}
