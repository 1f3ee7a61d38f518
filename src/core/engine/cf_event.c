/*
 * cf_event.c
 *		What has happened in a history.
 */
#include "core/engine/cf_event.h"

void
cf_event_add(CfEvents *events, CfEventKind kind, int index, double size, int period)
{
	int			at = events->n;

	if (events->n == CF_MAX_EVENTS)
	{
		if (index < events->event[0].index)
			return;
		for (int i = 1; i < CF_MAX_EVENTS; i++)
			events->event[i - 1] = events->event[i];
		at = --events->n;
	}
	for (; at > 0 && events->event[at - 1].index > index; at--)
		events->event[at] = events->event[at - 1];
	events->event[at] = (CfEvent) {kind, index, size, period};
	events->n++;
}
