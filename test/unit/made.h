/*
 * made.h
 *		Series of our own making, the same on every machine.
 *
 * All randomness is splitmix64 of a seed; noise is the sum of twelve uniforms less six (variance 1,
 * no library function).
 */
#ifndef MADE_H
#define MADE_H

#include <stdint.h>

#include "core/numerics/cf_num.h"

static inline double
made_noise(uint64_t *random)
{
	double		sum = -6.0;

	for (int i = 0; i < 12; i++)
		sum += cf_num_uniform(random);
	return sum;
}

/* level + slope t + a weekly pattern of the given size + noise */
static inline void
made_flow(double *y, int n, double level, double slope, double weekly, double noise, uint64_t seed)
{
	static const double pattern[7] = {0.4, 0.5, 0.3, 0.2, 0.1, -0.7, -0.8};

	for (int t = 0; t < n; t++)
		y[t] = level + slope * t + weekly * pattern[t % 7] + noise * made_noise(&seed);
}

/* A count that grows: each day up to three times pace more, none on a third of the days. */
static inline void
made_stock(double *y, int n, double start, double pace, uint64_t seed)
{
	double		level = start;

	for (int t = 0; t < n; t++)
	{
		if (cf_num_uniform(&seed) > 1.0 / 3.0)
			level += (double) (int) (3.0 * pace * cf_num_uniform(&seed) + 0.5);
		y[t] = level;
	}
}

#endif							/* MADE_H */
