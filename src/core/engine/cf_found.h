/*
 * cf_found.h
 *		What of the calendar was found in a series.
 */
#ifndef CF_FOUND_H
#define CF_FOUND_H

#include "core/cf_core.h"

typedef struct CfCalendarFound
{
	bool		has_year;		/* daily values */
	double		year_strength;	/* 0 to 1: share of the variance about trend and week that it explains */
} CfCalendarFound;

#endif							/* CF_FOUND_H */
