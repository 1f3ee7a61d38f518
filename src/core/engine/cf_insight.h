/*
 * cf_insight.h
 *		What is going on in a series: the regimes that may hold, and what has happened.
 *
 * Found once, and the same for forecasts, dates and words.
 */
#ifndef CF_INSIGHT_H
#define CF_INSIGHT_H

#include "core/cf_core.h"
#include "core/engine/cf_frame.h"
#include "core/engine/cf_future.h"
#include "core/engine/cf_increment.h"
#include "core/engine/cf_paths.h"
#include "core/engine/cf_prepare.h"
#include "core/engine/cf_regime.h"

#define CF_INSIGHT_PATHS 400

typedef struct CfInsight
{
	bool		is_stock;		/* futures are walks of a pace; else of a level, or of what a saw-tooth's steps add */
	double		grows;			/* of a stock: -1 where it is used up; its futures are of the mirrored values */
	bool		has_regimes;	/* false: a look told that nothing happened, and no more was asked for */
	double		calm;			/* 1: nothing happened; less: how far the whole past is still a guide */
	double		slope;			/* expected change a step */
	CfIncrements inc;
	CfPace		pace;
	CfFamily	family;
	CfRegimes	regimes;
	CfFuture	future;
	const CfFrame *frame;
} CfInsight;

typedef struct CfInsightTask
{
	int			ahead;			/* steps after the last value that will be asked about */
	bool		in_full;		/* regimes even where nothing seems to have happened */
	bool		allow_log;		/* false where values that no log has are asked about */
	uint64_t	seed;			/* of the futures */
	const CfFrame *frame;		/* y is within it; NULL: none */
} CfInsightTask;

extern size_t cf_insight_worksize(int n, int ahead);

/* p->n >= 4 values that are not all equal.  Everything in *insight points into work or p.  CF_STOPPED. */
extern CfStatus cf_insight_find(const CfPrepared *p, const CfInsightTask *task, const CfStop *stop, double *work,
								CfInsight *insight);

/* What futures are to reach. */
typedef struct CfGoal
{
	double		sign;			/* 1: at or above the threshold, -1: at or below */
	double		threshold;
	const double *thresholds;	/* by step, where they are not all the threshold; else NULL */
	double		unit;			/* a stock's are reached with the next multiple of it; 0: none */
	double		stock;			/* the same for a stock's futures, mirrored as they are */
	const double *level[2];		/* for those of a level: x by step, plain and in logs */
} CfGoal;

/* thresholds: one for each step, or NULL.  limits: 2 steps doubles. */
extern void cf_insight_goal(const CfPrepared *p, const CfInsight *insight, double threshold, const double *thresholds,
							double sign, int steps, double *limits, CfGoal *goal);

/* The step, at most steps, at which one of CF_INSIGHT_PATHS futures reaches the goal; 0: none.  value: steps doubles. */
extern int	cf_insight_walk(const CfPrepared *p, const CfInsight *insight, int path, const CfGoal *goal, int steps,
							double *value);

/*
 * Values of a future at the steps at[n_at] (ascending, the last at most steps), without the season; of saw-teeth as they
 * are.  To value[n_at], which holds steps doubles.
 */
extern void cf_insight_values(const CfPrepared *p, const CfInsight *insight, int path, int steps, const int *at, int n_at,
							  double *value);

#endif							/* CF_INSIGHT_H */
