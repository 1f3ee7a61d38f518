/*
 * cf_event.h
 *		What has happened in a history, in words that every answer about it shares.
 */
#ifndef CF_EVENT_H
#define CF_EVENT_H

#include "core/cf_core.h"

#define CF_MAX_EVENTS 12

typedef enum CfEventKind
{
	CF_EVENT_ONE_OFF,			/* one step unlike all others: kept in the level, in no pace; of a flow, a single value */
	CF_EVENT_PACE,				/* it goes on at another pace */
	CF_EVENT_LEVEL,				/* it goes on from another level */
	CF_EVENT_STOPPED,			/* it grew, and does not any more */
	CF_EVENT_FALLS_BACK,		/* recurring falls: a counter that starts again, something that is emptied */
	CF_EVENT_WRONG_VALUE,		/* a single value that its neighbours deny; at the end, until the next one confirms it */
	CF_EVENT_SATURATES,			/* its pace has been fading for long */
	CF_EVENT_KNOWN_DAY			/* a named day lies ahead that was never seen: nobody knows what it does */
} CfEventKind;

typedef struct CfEvent
{
	CfEventKind kind;
	int			index;			/* step of the series as given, from 0; of a known day ahead: beyond its end */
	double		size;			/* of the step; pace: difference per step; level: the jump */
	int			period;			/* of recurring falls, steps; below 1: of the calendar, 1 - period months; of a known day: its name */
} CfEvent;

/* In order of index; where more happened than there is room for, the newest. */
typedef struct CfEvents
{
	int			n;
	CfEvent		event[CF_MAX_EVENTS];
} CfEvents;

extern void cf_event_add(CfEvents *events, CfEventKind kind, int index, double size, int period);

#endif							/* CF_EVENT_H */
