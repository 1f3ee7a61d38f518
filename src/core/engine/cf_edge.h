/*
 * cf_edge.h
 *		Values within floor and cap; bounds of counts on whole numbers.
 */
#ifndef CF_EDGE_H
#define CF_EDGE_H

#include "core/cf_core.h"
#include "core/engine/cf_options.h"

/* No bound is further from the mean than this times the largest value, and no mean from 0. */
#define CF_EDGE_WIDEST 1e6

/* Counts have a floor of 0 where none is given. */
extern void cf_edge_settle(CfOptions *options);

extern double cf_edge_value(const CfOptions *options, double value);

/* Bounds at a distance from the mean. */
extern double cf_edge_lower(const CfOptions *options, double mean, double radius);
extern double cf_edge_upper(const CfOptions *options, double mean, double radius);

#endif							/* CF_EDGE_H */
