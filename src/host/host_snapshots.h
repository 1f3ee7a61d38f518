/*
 * host_snapshots.h
 *		The application's own table of daily snapshots.
 */
#ifndef CAPFORECAST_HOST_SNAPSHOTS_H
#define CAPFORECAST_HOST_SNAPSHOTS_H

#include "postgres.h"
#include "nodes/pg_list.h"

/*
 * A SELECT of the table's rows with the columns of capacity_snapshots that can be
 * taken over, in their types: at (timestamptz) and snapshot_date (its UTC day) first.
 * What the table does not have is NULL, and its name is appended to *missing
 * (char *).  Raises 42809, 42703, 42804 or 42501 for a table that cannot be read so.
 * Needs an open Scope.
 */
extern char *host_snapshots_select(Oid relid, List **missing);

/* "total_vendors, active_vendors, …": the columns after the two, for INSERT. */
extern char *host_snapshots_columns(void);

#endif							/* CAPFORECAST_HOST_SNAPSHOTS_H */
