/*
 * cf_reach.h
 *		When a series reaches a threshold, as a distribution over the steps ahead.
 */
#ifndef CF_REACH_H
#define CF_REACH_H

#include "core/cf_core.h"
#include "core/engine/cf_event.h"
#include "core/engine/cf_frame.h"
#include "core/models/cf_days.h"

#define CF_REACH_MAX_HORIZON 10000

typedef enum CfReachStatus
{
	CF_REACH_OK,				/* crosses within the horizon with a chance of a half or more */
	CF_REACH_ALREADY,			/* the last value is at or past the threshold */
	CF_REACH_NO_GROWTH,			/* it does not move */
	CF_REACH_SHRINKING,			/* it moves away from the threshold */
	CF_REACH_BEYOND,			/* it moves towards it, but is not likely there within the horizon */
	CF_REACH_UNRELIABLE,		/* numbers are given, but the history is too short or too erratic to act on them */
	CF_REACH_TOO_FEW			/* fewer than 4 values */
} CfReachStatus;

typedef enum CfDirection
{
	CF_UPWARD = 1,				/* reached when a value is at or above the threshold */
	CF_DOWNWARD = -1			/* at or below */
} CfDirection;

typedef struct CfReachOptions
{
	double		threshold;
	const double *thresholds;	/* of each step ahead, as many as the larger of horizon and curve; NULL: the threshold */
	CfDirection direction;
	int			horizon;		/* steps, 1 to CF_REACH_MAX_HORIZON */
	int			curve;			/* steps that chances are filled for, to CF_REACH_MAX_HORIZON; below horizon: horizon */
	double		confidence_level;	/* of the range earliest to latest, 0 < level < 1 */
	CfKind		kind;
	int			season_length;	/* as in CfOptions */
	int			season_hint;
	bool		has_days;		/* as in CfOptions */
	int64_t		first_day;
	const CfNamedDay *named;
	int			n_named;
	uint64_t	seed;			/* the same seed and series give the same answer */
} CfReachOptions;

/*
 * Steps count from the end of the series: 1 is the step after y[n - 1].  A step of -1
 * lies beyond the horizon (the chance of having crossed does not get that high within it); 0: already there.
 */
typedef struct CfReach
{
	CfReachStatus status;
	CfKind		kind;			/* given or inferred */
	int			season_length;	/* used */
	double		current;		/* the last value */
	double		slope;			/* mean change per step that the paths follow */
	int			earliest;		/* by this step with chance (1 - level) / 2 */
	int			median;			/* by this step with chance 1/2 */
	int			latest;			/* by this step with chance (1 + level) / 2 */
	double		probability;	/* of crossing within the horizon */
	double		never;			/* 1 - probability: not within the horizon */
	int			n_points;
	double		coverage_ratio;
	CfEvents	events;			/* what has happened; index in steps of y */
} CfReach;

/* steps: the larger of horizon and curve. */
extern size_t cf_reach_worksize(int n, int steps);

/*
 * probability, or NULL: the chance of having crossed by each step, which never falls; as many as
 * the larger of horizon and curve.  A longer curve changes nothing else.  TOO_FEW, NO_GROWTH and the like are results (CF_OK with reach->status); errors
 * are CF_BAD_ARGUMENT, CF_NOT_FINITE, CF_STOPPED, CF_TOO_BIG.
 */
extern CfStatus cf_reach(const double *y, int n, const CfReachOptions *options, const CfStop *stop,
						 double *work, double *probability, CfReach *reach);

/*
 * The same where no calendar is looked for (cf_layered.c).  With a frame, y are its x: the threshold is a value all the
 * same, and the last value is short of it.  frame NULL: none.
 */
extern size_t cf_reach_plain_worksize(int n, int steps);
extern CfStatus cf_reach_plain(const double *y, int n, const CfReachOptions *options, const CfFrame *frame,
							   const CfStop *stop, double *work, double *probability, CfReach *reach);

/* The dates and the chance that a curve (as many as the horizon) says, to *reach. */
extern void cf_reach_take(const double *chance, const CfReachOptions *options, CfReach *reach);

#endif							/* CF_REACH_H */
