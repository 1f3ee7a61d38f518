/*
 * cf_regime.h
 *		Since when does the present pace or level hold, and does it stay, grow or fade?
 *
 * The answer is a mixture: each start of the present regime, way to look at it (cf_form) and bend, weighted by how
 * likely it makes the values, with all that may have gone before.
 */
#ifndef CF_REGIME_H
#define CF_REGIME_H

#include "core/cf_core.h"
#include "core/engine/cf_form.h"

#define CF_MAX_SEGMENTS 24

/* One answer. */
typedef struct CfComponent
{
	int			start;			/* first step of the present regime */
	int			form;
	CfTerms		terms;
	double		bend;			/* 0: the pace stays; its growth a step */
	double		weight;
} CfComponent;

/* A piece of the single most likely past. */
typedef struct CfSegment
{
	int			start;
	int			end;			/* exclusive */
	int			form;
	CfTerms		terms;
	CfPosterior fit;
} CfSegment;

typedef struct CfRegimes
{
	int			n_components;
	CfComponent *component;		/* weights add up to 1 */
	int			n_segments;		/* the newest, where there are more */
	CfSegment	segment[CF_MAX_SEGMENTS];
	int			n_all;			/* how many there are */
	double		log_odds;		/* of that past against none of its changes */
} CfRegimes;

extern size_t cf_regime_worksize(int n);

/* Components in work.  CF_STOPPED. */
extern CfStatus cf_regime_find(const CfFamily *family, const CfStop *stop, double *work, CfRegimes *regimes);

/* Log odds of the best past against one without changes, over a coarse grid of starts. */
extern double cf_regime_look(const CfFamily *family);

/* Level and slope of a component, at the last step. */
extern void cf_regime_fit(const CfFamily *family, const CfComponent *component, CfPosterior *fit);

#endif							/* CF_REGIME_H */
