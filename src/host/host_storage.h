/*
 * host_storage.h
 *		Image storage: how many bytes the host's pictures take, from its bound source.
 */
#ifndef CAPFORECAST_HOST_STORAGE_H
#define CAPFORECAST_HOST_STORAGE_H

#include "postgres.h"
#include "datatype/timestamp.h"

typedef struct HostStorage
{
	bool		known;			/* bytes and measured_at are set */
	int64		bytes;
	TimestampTz measured_at;
	bool		stale;			/* pushed more than 48 hours before now */
	char	   *source;			/* "query", "directory", "pushed"; NULL: none bound */
	char	   *reason;			/* why not known, or why stale; NULL otherwise */
} HostStorage;

/*
 * Reads the bound source now.  A source that fails is a reason, not an error.
 * Needs an open Scope.
 */
extern HostStorage host_storage_read(TimestampTz now);

/* "ok", "stale" or "unavailable". */
extern const char *host_storage_status(const HostStorage *storage);

/* bytes / 1073741824, to 2 decimals, as numeric. */
extern Datum host_storage_gigabytes(int64 bytes);

#endif							/* CAPFORECAST_HOST_STORAGE_H */
