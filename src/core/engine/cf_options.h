/*
 * cf_options.h
 *		What is asked of the engine, and the sizes that it takes.
 */
#ifndef CF_OPTIONS_H
#define CF_OPTIONS_H

#include "core/cf_core.h"
#include "core/models/cf_days.h"
#include "core/models/cf_models.h"

#define CF_MAX_POINTS 1000000
#define CF_LEARN_POINTS 4096		/* the newest values learned from; 8 seasons where those are more */
#define CF_MAX_HORIZON 100000
#define CF_MAX_LEVELS 4
#define CF_MAX_SEASON 2000

/* Fill by cf_options_init, then change what is known. */
typedef struct CfOptions
{
	CfKind		kind;			/* CF_KIND_AUTO: inferred; values of days (season_hint 7) that do not accumulate are a flow */
	CfModel		model;
	int			season_length;	/* 0: detect; 1: none; else this many steps */
	/* where season_length is 0: what the step suggests (cf_grid_season); 1: no season; 0: not known, look for one */
	int			season_hint;
	bool		has_days;		/* steps are days, the first of them first_day: the calendar's months are known */
	int64_t		first_day;		/* days since 2000-01-01 */
	const CfNamedDay *named;	/* days that are known to differ, in order, of the history and of what lies ahead; or NULL */
	int			n_named;
	bool		is_additive;	/* the season is a sum, never a factor */
	double		floor;			/* no value lies below; NaN: none */
	double		cap;			/* no value lies above; NaN: none */
	bool		is_count;		/* whole numbers: floor of 0 where none is given, bounds rounded outwards */
} CfOptions;

extern void cf_options_init(CfOptions *options);

#endif							/* CF_OPTIONS_H */
