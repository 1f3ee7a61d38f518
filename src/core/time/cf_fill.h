/*
 * cf_fill.h
 *		What the buckets of a grid hold, and the same on a coarser one.
 */
#ifndef CF_FILL_H
#define CF_FILL_H

#include "core/time/cf_grid.h"

/* What a bucket holds of several times. */
typedef enum CfPick
{
	CF_PICK_MEAN,
	CF_PICK_LAST,				/* a level */
	CF_PICK_SUM,				/* an amount per step */
	CF_PICK_HIGHEST,			/* what a maximum is measured against */
	CF_PICK_LOWEST				/* a minimum */
} CfPick;

typedef struct CfFilled
{
	int			n_filled;		/* buckets that hold a value */
	int			n_equal;		/* points whose time is that of the one before */
	int			n_shared;		/* times that share a bucket with the one before */
} CfFilled;

/*
 * Puts the points into out[grid->n].  Of points of equal time the last counts (the largest:
 * so they are sorted; of CF_PICK_LOWEST the smallest), for CF_PICK_SUM their sum.  NaN
 * values are skipped.  CF_NOT_FINITE: an infinite value.
 */
extern CfStatus cf_fill_grid(const CfGrid *grid, const int64_t *time, const double *value, int n,
							 CfPick pick, double *out, CfFilled *filled);

/*
 * Puts the n values of a grid of a fixed, shorter step onto one of the given step, in place: each of
 * its buckets ends with a whole step, the last with the last one, so that all are complete.  grid becomes that grid.
 * Returns the number of buckets that hold a value.
 */
extern int	cf_fill_coarser(CfGrid *grid, double *y, int64_t step, CfPick pick);

/*
 * Whether the gaps among y[n] are zeros that GROUP BY has left out: whole numbers, none of them 0, and gaps where
 * counts of that size would have had zeros.  n_filled: values that are not NaN.  Of an unknown kind less is
 * believed, of a stock nothing.
 */
extern bool cf_fill_lacks_zeros(const double *y, int n, int n_filled, CfKind kind);

#endif							/* CF_FILL_H */
