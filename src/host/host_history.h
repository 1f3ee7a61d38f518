/*
 * host_history.h
 *		What the host's timestamps say of its past.
 */
#ifndef CAPFORECAST_HOST_HISTORY_H
#define CAPFORECAST_HOST_HISTORY_H

/*
 * A statement that reads each of its tables once and returns changes by day: the bin of
 * one day that the change falls into (timestamptz; bins are counted from $1), then
 * columns named after columns of capacity_snapshots: by how much the value changes.
 * A column unknown_x counts things of which it is not known whether x counts them:
 * while their sum is not 0, x is not known.  $2 is now.  The part "orders" has
 * current_orders, too: those of the present periods.
 */
typedef struct HostHistoryPart
{
	const char *name;			/* as shown in the run's record */
	const char *template;
} HostHistoryPart;

extern const HostHistoryPart *host_history_parts(int *n_parts);

/* One row: what the counters of orders say of the present periods. */
extern const char *const host_history_counted_orders;

/*
 * Products by vendor (text, '' for none) and the day from which on a capture at the time
 * of day of $1 counts them; day NULL: not known.
 */
extern const char *const host_history_vendor_products;

#endif							/* CAPFORECAST_HOST_HISTORY_H */
