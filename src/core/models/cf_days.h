/*
 * cf_days.h
 *		Named days in daily values: what each does, from those of its name that have been.
 */
#ifndef CF_DAYS_H
#define CF_DAYS_H

#include "core/cf_core.h"

#define CF_DAYS_MIN 60			/* days of history */
#define CF_DAYS_MOST 512		/* names and distances from them that are told apart */

typedef struct CfNamedDay
{
	int64_t		day;			/* since 2000-01-01 */
	int			name;			/* the same number: the same name */
	int			offset;			/* days after the named day itself, below 0: before it */
} CfNamedDay;

/* What one name at one distance does. */
typedef struct CfDayEffect
{
	int			name;
	int			offset;
	bool		is_given;		/* false: a neighbour of a named day that nobody named */
	int			seen;			/* days in the history */
	double		effect;			/* mean of those days less what is usual, on the scale of the fit */
	double		own;			/* less the level only: what they are whatever their weekday */
	double		share;			/* of the effect that is left when it is shrunk */
	double		spread;			/* standard deviation about it of a day to come */
} CfDayEffect;

typedef struct CfDays
{
	int			n;
	CfDayEffect *effect;
	int		   *of_step;		/* index of effect by step, those ahead too; -1: none */
	int			found;			/* how many do something */
} CfDays;

extern size_t cf_days_worksize(int n, int total);

/* So many doubles of work are used by *days itself; the rest is free again. */
extern size_t cf_days_keep(int total);

/* Lays the named days out over total steps from first_day on; the neighbours of each are named after it. */
extern void cf_days_lay_out(const CfNamedDay *named, int n_named, int64_t first_day, int total, double *work, CfDays *days);

/*
 * The effects in y[n] (NaN: missing; none negative) without other[total], the factors of the rest of the calendar.
 * factor[total] and spread[total] (of the factor, over it) of each step: 1 and 0 on days without a name.  A day that is
 * given and was never seen has factor 1 and a large spread.  is_out[n]: a day so unlike others that what is left of it says
 * nothing about them.  False where nothing was done.  scratch: what cf_days_worksize says is left.
 */
extern bool cf_days_fit(const double *y, int n, int64_t first_day, const double *other, int total, double *scratch,
						CfDays *days, double *factor, double *spread, bool *is_out);

#endif							/* CF_DAYS_H */
