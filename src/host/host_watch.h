/*
 * host_watch.h
 *		Notices when a name may stand for something else, or a role for somebody else.
 */
#ifndef CAPFORECAST_HOST_WATCH_H
#define CAPFORECAST_HOST_WATCH_H

#include "postgres.h"

/*
 * Two counters that only grow.  What was made from names and rights is good while the first
 * stands, what was found out about owners while the second does, too.
 */
extern uint64 host_watch_names(void);
extern uint64 host_watch_roles(void);

/* An entity's relation was looked up; InvalidOid: there is none. */
extern void host_watch_relation(int entity, Oid relid);

/* The rows of the bindings have changed. */
extern void host_watch_names_changed(void);

#endif							/* CAPFORECAST_HOST_WATCH_H */
