/*
 * cf_daily.h
 *		The calendar of daily values: the year, named days, the ends of months.
 */
#ifndef CF_DAILY_H
#define CF_DAILY_H

#include "core/cf_core.h"
#include "core/models/cf_days.h"
#include "core/models/cf_year.h"

typedef struct CfDailyTask
{
	int64_t		first_day;		/* of step 0, since 2000-01-01 */
	int			total;			/* steps, those ahead too */
	bool		has_seasons;	/* false: named days only */
	const CfNamedDay *named;
	int			n_named;
} CfDailyTask;

typedef struct CfDaily
{
	bool		has_year;
	CfYear		year;
	bool		has_month;
	CfDays		days;			/* in work */
	bool		has_unseen;		/* a named day lies ahead that has never been seen */
} CfDaily;

extern size_t cf_daily_worksize(int n, int total);

/*
 * What the calendar does to y[n] (NaN: missing): value = factor x + shift, total of each; spread: standard deviation of
 * the factor over it.  is_out[n]: a day that tells nothing of x.
 */
extern void cf_daily_find(const double *y, int n, const CfDailyTask *task, double *work, double *factor, double *shift,
						  double *spread, bool *is_out, CfDaily *daily);

#endif							/* CF_DAILY_H */
