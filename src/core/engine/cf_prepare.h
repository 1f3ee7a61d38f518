/*
 * cf_prepare.h
 *		A series made ready for the models: trimmed, scaled, filled, season taken out.
 */
#ifndef CF_PREPARE_H
#define CF_PREPARE_H

#include "core/cf_core.h"
#include "core/engine/cf_glitch.h"
#include "core/engine/cf_options.h"
#include "core/engine/cf_teeth.h"
#include "core/models/cf_index.h"

/*
 * value(t) = (x[t] * scale + offset) with the season put back; scale is a power of two, so
 * that a series times a power of two gives the forecasts times it, to the last bit.
 */
typedef struct CfPrepared
{
	int			n;				/* steps from the first value to the last */
	int			lead;			/* steps before the first value */
	int			trail;			/* steps after the last value */
	int			n_known;
	CfKind		kind;
	bool		is_constant;
	double		zero_share;
	bool		is_flow;		/* said to be one, or values of days that do not accumulate */
	bool		is_flow_given;
	bool		is_fine;		/* steps of a day or less: something may happen between them */
	int			period;			/* asked for, or found; 1: none */
	CfGlitches	glitches;		/* mended in y */
	double		seen;			/* the last value as it came */
	double		other;			/* where it is in doubt, the reading of it that y does not hold */
	double		scale;
	double		offset;
	CfTeeth		teeth;
	double	   *growth;			/* of saw-teeth, by step */
	double	   *y;				/* as given, gaps filled, wrong values mended */
	double	   *x;				/* without season, less offset, over scale */
	double	   *z;				/* the same for the models to learn from: x itself, or outliers drawn in */
	double	   *index;			/* by phase of t */
	bool	   *is_known;
	CfIndex		season;
} CfPrepared;

extern size_t cf_prepare_worksize(int n, int max_period);

/*
 * The season is taken out by options->season_length (below 2: none).  learn: use the newest values only, that many or 8
 * seasons; 0: all.  Everything in *p points into work.  CF_TOO_FEW where no value is known; CF_NOT_FINITE; CF_STOPPED.
 */
extern CfStatus cf_prepare(const double *y, int n, const CfOptions *options, int learn, const CfStop *stop,
						   double *work, CfPrepared *p);

/* The value at step t (t >= n: the future) whose prepared form is x. */
extern double cf_prepare_restore(const CfPrepared *p, int64_t t, double x);

/* The same for a distance between two values at step t. */
extern double cf_prepare_restore_width(const CfPrepared *p, int64_t t, double width);

#endif							/* CF_PREPARE_H */
