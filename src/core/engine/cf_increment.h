/*
 * cf_increment.h
 *		The increments of a stock: one-offs taken out, and what is left.
 */
#ifndef CF_INCREMENT_H
#define CF_INCREMENT_H

#include "core/cf_core.h"

#define CF_MAX_ONE_OFFS 64
#define CF_FEW_ONE_OFFS 2		/* more are how it grows */

typedef struct CfIncrements
{
	int			n;				/* values; increments are of steps 1 to n - 1, step 0 of each array is 0 */
	double		unit;			/* all values are multiples of it, as of 1 if they are counts; 0: of none worth a word */
	double	   *value;			/* increments without one-offs */
	double	   *pace;			/* the same, outliers drawn in */
	double	   *noise;			/* about the pace near by, over its usual size there */
	double		noise_size;		/* robust standard deviation of pace about its running median */
	double		pace_size;		/* how large a pace may be */
	int			n_one_offs;
	int			one_off_at[CF_MAX_ONE_OFFS];
	double		one_off[CF_MAX_ONE_OFFS];
	int			shortest;		/* steps between them, where they keep time: from so many to so many; 0: they do not */
	int			longest;
	double		total;			/* of all increments without one-offs */
	bool		is_rare;		/* never falling, and most steps change nothing: a rate of moves, and their sizes */
	int			n_moves;		/* of a rare one; noise holds their sizes from 0 on */
	double		dispersion;		/* variance of a step over its mean */
} CfIncrements;

extern size_t cf_increment_worksize(int n);

/* Of y[n], no value missing, n >= 4.  Everything in *inc points into work. */
extern void cf_increment_analyse(const double *y, int n, double *work, CfIncrements *inc);

/* The first step of that alone: how much y[n] has grown but for its one-offs.  work: 4 n doubles. */
extern double cf_increment_growth(const double *y, int n, double *work);

#endif							/* CF_INCREMENT_H */
