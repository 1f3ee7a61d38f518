/*
 * host_bound.h
 *		The rows of capforecast.binding, kept for the session.
 */
#ifndef CAPFORECAST_HOST_BOUND_H
#define CAPFORECAST_HOST_BOUND_H

#include "host/host_schema.h"

typedef struct HostBound
{
	const HostEntity *entity;
	char	   *schema;			/* unquoted */
	char	   *table;
	char	  **column_names;	/* per logical column: physical name, unquoted; NULL: bound to null */
	Oid			registrar;
	char	   *registrar_name;
} HostBound;

/*
 * The entity's row; NULL where it has none.  Valid until the next call.  42501 where the
 * caller may not read the bindings.  Needs an open Scope.
 */
extern const HostBound *host_bound_find(const HostEntity *entity);

/* Reads the rows again if they are others than those that are kept; host_watch_names() tells. */
extern void host_bound_refresh(void);

#endif							/* CAPFORECAST_HOST_BOUND_H */
