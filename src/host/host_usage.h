/*
 * host_usage.h
 *		What is used and what is allowed, counted in the host's tables now.
 */
#ifndef CAPFORECAST_HOST_USAGE_H
#define CAPFORECAST_HOST_USAGE_H

/*
 * A part of the daily snapshot: statements that return one row whose columns are
 * named after columns of capacity_snapshots, from the fullest to the one that
 * needs least of the host.  Each reads a host table once.  The list ends with NULL.
 */
typedef struct HostUsagePart
{
	const char *name;			/* as shown in the run's record */
	const char *templates[3];
} HostUsagePart;

extern const HostUsagePart *host_usage_parts(int *n_parts);

/* One row: active vendors now. */
extern const char *const host_usage_active_vendors;

/*
 * Theoretical against actual use, a row per resource (products, orders_monthly,
 * team_members, in this order), columns as in subscription_capacity() but the
 * utilization.  Reads each of the four tables once.
 */
extern const char *const host_usage_capacity;

#endif							/* CAPFORECAST_HOST_USAGE_H */
