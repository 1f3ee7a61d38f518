/*
 * cf_found.h
 *		What of the calendar was found in a series.
 */
#ifndef CF_FOUND_H
#define CF_FOUND_H

#include "core/cf_core.h"

typedef struct CfCalendarFound
{
	int			period;			/* steps of what takes the place of the engine's season; 0: nothing does */
	bool		has_year;		/* values of days and weeks */
	double		year_strength;	/* 0 to 1: share of the variance about trend and week that it explains */
	bool		has_month;		/* the first or last days of months differ */
	int			named_days;		/* names, and distances from them, that do something */
	bool		has_week;		/* values of hours: days of the week are unlike */
	double		week_strength;	/* share of the variance about a week's mean that day and week explain */
} CfCalendarFound;

#endif							/* CF_FOUND_H */
