/*
 * host_orders.h
 *		Orders of the period, counted where the host keeps no counter of them.
 */
#ifndef CAPFORECAST_HOST_ORDERS_H
#define CAPFORECAST_HOST_ORDERS_H

#include "host/host_binding.h"

/* The column that the source below has beside those of the host. */
#define HOST_ORDERS_COLUMN	"\"orders counted\""

/*
 * Is the counter bound to null, and is there a table of orders that the caller can count?
 * Then it is returned, else NULL.
 */
extern HostBinding *host_orders_countable(const HostBinding *subscriptions);

/*
 * Subscriptions with their orders since the period began, or where they have none since the
 * month (UTC) began, as a subquery.  For all of them by one join; for a lookup row by row,
 * so that an index serves.
 */
extern char *host_orders_source(const HostBinding *subscriptions, const HostBinding *orders, const char *alias,
								bool with_newest, bool is_lookup);

#endif							/* CAPFORECAST_HOST_ORDERS_H */
