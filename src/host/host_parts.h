/*
 * host_parts.h
 *		The parts that a table of the host is spread over.
 */
#ifndef CAPFORECAST_HOST_PARTS_H
#define CAPFORECAST_HOST_PARTS_H

#include "host/host_binding.h"

/*
 * The partitions of the entity's table, quoted and qualified, where some are on other servers and
 * each can be asked for itself; NIL: ask the table as one.
 */
extern List *host_parts(const HostBinding *binding);

/* Does Citus distribute tables of this database? */
extern bool host_parts_by_citus(void);

/* Is the table partitioned, and some of it on other servers? */
extern bool host_parts_are_foreign(Oid relid);

#endif							/* CAPFORECAST_HOST_PARTS_H */
