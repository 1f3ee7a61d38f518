/*
 * cf_gamma.c
 *		The gamma function (Stirling's series beyond 8, recurrence below) and gamma variates.
 */
#include <math.h>

#include "core/numerics/cf_gamma.h"
#include "core/numerics/cf_num.h"

double
cf_gamma_log(double x)
{
	double		product = 1.0;
	double		z;

	while (x < 8.0)
		product *= x++;
	z = 1.0 / (x * x);
	return (x - 0.5) * cf_num_log(x) - x + 0.91893853320467274178
		+ (1.0 / 12.0 - z * (1.0 / 360.0 - z * (1.0 / 1260.0 - z / 1680.0))) / x - cf_num_log(product);
}

double
cf_gamma_draw(double shape, uint64_t *random)
{
	double		d = (shape < 1.0 ? shape + 1.0 : shape) - 1.0 / 3.0;
	double		c = 1.0 / sqrt(9.0 * d);
	double		boost = shape < 1.0 ? cf_num_pow(cf_num_uniform(random) + 0x1p-54, 1.0 / shape) : 1.0;

	for (;;)
	{
		double		x = cf_num_normal(random);
		double		v = 1.0 + c * x;
		double		u = cf_num_uniform(random) + 0x1p-54;

		if (v <= 0.0)
			continue;
		v = v * v * v;
		if (cf_num_log(u) < 0.5 * x * x + d - d * v + d * cf_num_log(v))
			return boost * d * v;
	}
}
