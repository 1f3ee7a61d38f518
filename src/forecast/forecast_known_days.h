/*
 * forecast_known_days.h
 *		Days that are known to differ: holidays, and what the operator has written down.
 */
#ifndef CAPFORECAST_FORECAST_KNOWN_DAYS_H
#define CAPFORECAST_FORECAST_KNOWN_DAYS_H

#include "postgres.h"

#include "utils/date.h"

#include "core/models/cf_days.h"
#include "series/series_grid.h"

/* A span of days that can be asked for. */
#define KNOWN_DAYS_MAX_YEARS	100

typedef struct KnownDay
{
	DateADT		day;
	const char *name;
	const char *region;
	int			offset;			/* days after the day of the rule: below 0 before, above 0 after it */
} KnownDay;

typedef struct KnownDays
{
	int			n;
	KnownDay   *days;			/* in order of day, region, name and offset; none twice */
} KnownDays;

/*
 * Those from one day to another (both inclusive) that count for a metric, or for every metric where it is NULL;
 * read with the caller's rights, in the current memory context.
 */
extern KnownDays known_days_read(DateADT from, DateADT to, text *metric);

/* The same as the engine takes them; a day's name is an index of names. */
typedef struct NamedDays
{
	int			n;
	CfNamedDay *days;			/* in order of day */
	const char **names;
} NamedDays;

/* Those of a metric (NULL: none) on the days of a grid and so many steps ahead; none where steps are no days. */
extern NamedDays known_days_on_grid(const CfGrid *grid, int ahead, text *metric);

#endif							/* CAPFORECAST_FORECAST_KNOWN_DAYS_H */
