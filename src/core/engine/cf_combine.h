/*
 * cf_combine.h
 *		The states of one or several models, and what they say together.
 */
#ifndef CF_COMBINE_H
#define CF_COMBINE_H

#include "core/cf_core.h"
#include "core/engine/cf_prepare.h"
#include "core/models/cf_models.h"

#define CF_MAX_MEMBERS 5

/* A model after each value: k steps after value t it says level[t] + slope[t] (phi + … + phi^k). */
typedef struct CfMember
{
	CfModel		model;
	double		phi;
	double		weight;			/* those of a combination add up to 1 */
	double	   *level;
	double	   *slope;
} CfMember;

typedef struct CfCombination
{
	int			n;				/* values */
	int			n_members;
	int			lag;			/* of the seasonal naive method, which then stands alone; else 0 */
	const double *x;			/* its values */
	bool		is_median;		/* of the first member, the mean of the first three, and the fourth; else the mean of all */
	CfMember	member[CF_MAX_MEMBERS];
} CfCombination;

extern size_t cf_combine_worksize(int n);

/* Fits the model, or for CF_MODEL_AUTO those that suit the series. */
extern CfStatus cf_combine_fit(const CfPrepared *p, CfModel model, int season_length, const CfStop *stop,
							   double *work, CfCombination *c);

/* How many slopes away step k is, for each member. */
extern void cf_combine_reach(const CfCombination *c, int k, double *reach);

/* Forecast from value t, with reach as above. */
extern double cf_combine_at(const CfCombination *c, int t, const double *reach);

#endif							/* CF_COMBINE_H */
