/*
 * cf_zone.h
 *		The days of a local clock, told from points that all lie on its midnights.
 *
 * What date_trunc() makes in a session west or east of Greenwich is a midnight there, which
 * is another time of day in UTC, an hour earlier while summer time lasts.  The points tell how far the clock is ahead,
 * and which zone's summer time it keeps, so that the days to come begin where they will begin there.
 * A local time is microseconds since 2000-01-01 00:00 on the local clock.
 */
#ifndef CF_ZONE_H
#define CF_ZONE_H

#include "core/time/cf_calendar.h"

#define CF_ZONE_NO_RULE (-1)

typedef struct CfZone
{
	int64_t		standard;		/* what the clock is ahead of UTC outside of summer time */
	int64_t		saving;			/* what it is further ahead in summer; 0: never */
	int			rule;			/* whose summer; CF_ZONE_NO_RULE: not known, or no summer time */
} CfZone;

typedef enum CfZoneSight
{
	CF_ZONE_NONE,				/* the points lie on no clock's midnights, or on those of UTC */
	CF_ZONE_ONE,				/* one time of day: midnights somewhere, or just a time of day */
	CF_ZONE_TWO					/* two that differ by summer time: midnights */
} CfZoneSight;

/*
 * The zone whose midnights all n points are; *zone is that of UTC for CF_ZONE_NONE.  With one time of day in which
 * only a summer was seen, it is one hour less ahead afterwards, so that no day begins the day before.
 */
extern CfZoneSight cf_zone_detect(const int64_t *time, int n, CfZone *zone);

extern int64_t cf_zone_local(const CfZone *zone, int64_t time);

/* When a local midnight is.  Where no rule is known, that of standard time: at most an hour into the right day. */
extern int64_t cf_zone_utc(const CfZone *zone, int64_t local);

#endif							/* CF_ZONE_H */
