/*
 * host_size.h
 *		How large the database is that holds the host's tables.
 */
#ifndef CAPFORECAST_HOST_SIZE_H
#define CAPFORECAST_HOST_SIZE_H

#include "postgres.h"

typedef struct HostSize
{
	bool		known;
	int64		bytes;			/* of the whole: over all nodes where the engine spreads a database */
	char	   *reason;			/* why not known; NULL otherwise */
} HostSize;

/* Never a part as the whole: not known where rows lie on other servers.  Needs an open Scope. */
extern HostSize host_size_read(void);

/* bytes / 1048576, to 2 decimals, as numeric. */
extern Datum host_size_megabytes(int64 bytes);

#endif							/* CAPFORECAST_HOST_SIZE_H */
