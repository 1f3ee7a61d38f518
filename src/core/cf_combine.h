/*
 * cf_combine.h
 *		Several models' states, and what they say together.
 */
#ifndef CF_COMBINE_H
#define CF_COMBINE_H

#include "cf_core.h"
#include "cf_prepare.h"

#define CF_MAX_MEMBERS 6

/* A model after each value: k steps after value t it says level[t] + slope[t] (phi + … + phi^k). */
typedef struct CfMember
{
	CfModel		model;
	double		phi;
	double	   *level;
	double	   *slope;
} CfMember;

typedef struct CfCombination
{
	int			n;				/* values */
	int			n_members;
	bool		is_median;		/* else the weighted mean */
	double		weight[CF_MAX_MEMBERS];
	CfMember	member[CF_MAX_MEMBERS];
} CfCombination;

extern size_t cf_combine_worksize(int n);

/* Fits what the model (auto: the series) asks for. */
extern void cf_combine_fit(const CfPrepared *p, CfModel model, double *work, CfCombination *c);

/* How many slopes away step k is, for each member. */
extern void cf_combine_reach(const CfCombination *c, int k, double *reach);

/* Forecast from value t, with reach as above. */
extern double cf_combine_at(const CfCombination *c, int t, const double *reach);

#endif							/* CF_COMBINE_H */
