/*
 * cf_edge.c
 *		Values within floor and cap; bounds of counts on whole numbers.
 *
 * Bounds of counts are rounded outwards; a hair's breadth off a whole number is that number, but never on the wrong side of
 * the mean.
 */
#include <math.h>

#include "core/engine/cf_edge.h"

void
cf_edge_settle(CfOptions *options)
{
	if (options->is_count && isnan(options->floor))
		options->floor = 0.0;
}

double
cf_edge_value(const CfOptions *options, double value)
{
	if (value < options->floor)
		return options->floor;
	if (value > options->cap)
		return options->cap;
	return value;
}

double
cf_edge_lower(const CfOptions *options, double mean, double radius)
{
	double		value = mean - radius;

	if (options->is_count)
		value = fmin(mean, floor(value + 1e-9 * fabs(value)));
	return cf_edge_value(options, value);
}

double
cf_edge_upper(const CfOptions *options, double mean, double radius)
{
	double		value = mean + radius;

	if (options->is_count)
		value = fmax(mean, ceil(value - 1e-9 * fabs(value)));
	return cf_edge_value(options, value);
}
