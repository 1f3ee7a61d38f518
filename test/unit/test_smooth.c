/* Exponential smoothing by exact profiling. */
#include "core/models/cf_smooth.h"
#include "core/models/cf_theta.h"
#include "made.h"
#include "tap.h"

#define N 60

/* Sum of squared one-step errors by the plain recursion. */
static double
sse_of(const CfSmooth *f, const double *x, int n)
{
	double		l = f->level0;
	double		s = f->slope0;
	double		sum = 0.0;

	for (int t = 0; t < n; t++)
	{
		double		mean = l + f->phi * s;
		double		e = x[t] - mean;

		sum += e * e;
		l = mean + f->alpha * e;
		s = f->phi * s + f->beta * e;
	}
	return sum;
}

static void
test_profile(CfTrendForm form, const char *name)
{
	double		x[N];
	CfSmooth	f;
	int			is_best = 1;

	made_flow(x, N, 0.2, 0.01, 0.0, 0.1, 11);
	cf_smooth_fit(x, N, form, &f);
	near_to(f.sse, sse_of(&f, x, N), 1e-12, name);
	for (int i = 0; i < 4; i++)
	{
		CfSmooth	other = f;

		other.level0 += i == 0 ? 0.01 : i == 1 ? -0.01 : 0.0;
		other.slope0 += form == CF_TREND_NONE ? 0.0 : i == 2 ? 0.001 : i == 3 ? -0.001 : 0.0;
		is_best = is_best && sse_of(&other, x, N) >= f.sse - 1e-12;
	}
	ok(is_best, "%s: no other start is better", name);
	for (int i = 0; i < 2; i++)
	{
		CfSmooth	other = f;

		other.alpha *= i == 0 ? 1.1 : 0.9;
		is_best = is_best && sse_of(&other, x, N) >= f.sse * 0.99;
	}
	ok(is_best, "%s: nor another alpha, to a hundredth", name);
}

int
main(void)
{
	double		x[N];
	double		level[N];
	double		slope[N];
	double		work[2 * N];
	CfSmooth	f;

	test_profile(CF_TREND_NONE, "ses");
	test_profile(CF_TREND_LINEAR, "holt");
	test_profile(CF_TREND_DAMPED, "damped");

	for (int t = 0; t < N; t++)
		x[t] = 0.3 + 0.01 * t;
	cf_smooth_fit(x, N, CF_TREND_LINEAR, &f);
	cf_smooth_states(&f, x, N, level, slope);
	near_to(level[N - 1] + 10 * slope[N - 1], 0.3 + 0.01 * (N + 9), 1e-9, "holt continues a line");
	cf_theta_states(x, N, work, level, slope);
	near_to(slope[N - 1], 0.005, 1e-12, "theta takes half the slope of a line");
	cf_dotm_states(x, N, work, level, slope);
	near_to(level[N - 1] + 10 * slope[N - 1], 0.3 + 0.01 * (N + 9), 1e-9, "dynamic theta continues a line");

	for (int t = 0; t < N; t++)
		x[t] = 0.7;
	cf_smooth_average(x, N, level);
	near_to(level[N - 1], 0.7, 1e-12, "the average over alpha of what never moves is itself");
	made_flow(x, N, 0.2, 0.0, 0.0, 0.1, 3);
	cf_smooth_average(x, N, level);
	ok(fabs(level[N - 1] - 0.2) < 0.05, "of noise, near its mean: %g", level[N - 1]);
	for (int t = 0; t < N; t++)
		x[t] = t < N / 2 ? 0.0 : 1.0;
	cf_smooth_average(x, N, level);
	ok(level[N - 1] > 0.95, "after a jump, where it went: %g", level[N - 1]);

	/* AICc = n log(sse / n) + 2 k + 2 k (k + 1) / (n - k - 1), by hand for sse 20, n 20, k 3 */
	near_to(cf_smooth_aicc(20.0, 20, 3), 6.0 + 24.0 / 16.0, 1e-12, "AICc by hand");
	ok(isinf(cf_smooth_aicc(1.0, 4, 3)), "more parameters than values allow: never chosen");
	near_to(cf_smooth_reach(1.0, 7), 7.0, 0.0, "a linear trend goes k slopes");
	near_to(cf_smooth_reach(0.5, 3), 0.5 + 0.25 + 0.125, 1e-15, "a damped one less");
	return tap_done();
}
