/*
 * cf_index.h
 *		Seasonal indices of one period, shrunk by how sure they are.
 */
#ifndef CF_INDEX_H
#define CF_INDEX_H

#include "core/cf_core.h"

typedef struct CfIndex
{
	int			period;			/* 1: no season */
	bool		is_multiplicative;
	double		f;				/* F statistic by phase of the values about the trend */
	double		shrink;			/* 1 - 1/F: what the indices were multiplied by */
	double		strength;		/* share of the variance about the trend that they explain, 0 to 1 */
} CfIndex;

extern size_t cf_index_worksize(int n, int period);

/*
 * Indices of y[n] (filled; is_known[t] false where a value only stands in; NULL: all are known) with a
 * period of 2 or more: factors about 1 where allow_factors and they fit better, else summands about 0, by phase
 * t mod period.  A value decays in weight by the factor decay (0 to 1) each period that it is
 * old.  Where nothing is explained (F <= 1) or there are fewer than two
 * periods, period 1 in *info, and index says nothing; so where stop asked to stop.
 */
extern void cf_index_estimate(const double *y, const bool *is_known, int n, int period, bool allow_factors, double decay,
							  const CfStop *stop, double *work, double *index, CfIndex *info);

#endif							/* CF_INDEX_H */
