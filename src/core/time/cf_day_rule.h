/*
 * cf_day_rule.h
 *		Days that come every year, by a rule: 12-25, easter-2, 4th thu of 11.
 */
#ifndef CF_DAY_RULE_H
#define CF_DAY_RULE_H

#include "core/cf_core.h"

/* Days before or after what a rule is counted from. */
#define CF_DAY_RULE_MAX_OFFSET 100

typedef enum CfDayBase
{
	CF_DAY_FIXED,				/* month and day */
	CF_DAY_NTH,					/* n-th weekday of a month */
	CF_DAY_EASTER,				/* Easter Sunday of the western churches */
	CF_DAY_ORTHODOX_EASTER		/* Easter Sunday by the Julian calendar */
} CfDayBase;

typedef struct CfDayRule
{
	CfDayBase	base;
	int			month;			/* 1 to 12 */
	int			day;			/* 1 to 31 */
	int			nth;			/* 1 to 5; 0: the last */
	int			weekday;		/* 0: Monday */
	int			offset;			/* days after the base */
	unsigned	weekdays;		/* a bit for each weekday that the day may be; 0: any */
	int			first_year;		/* of the base; 0: any */
	int			last_year;		/* 0: any */
} CfDayRule;

/*
 * Reads a rule: a base, "+n" or "-n" days, " if sat,sun" (otherwise not in that year),
 * " from 2021", " until 2023", in this order.  Bases: "12-25", "4th thu of 11", "last fri of 11",
 * "easter", "orthodox easter".  False: it is none.
 */
extern bool cf_day_rule_read(const char *text, CfDayRule *rule);

/* The day of a year, since 2000-01-01; false where the year has none. */
extern bool cf_day_rule_day(const CfDayRule *rule, int year, int64_t *day);

#endif							/* CF_DAY_RULE_H */
