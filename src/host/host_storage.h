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
	bool		stale;			/* pushed or measured more than 48 hours before now */
	char	   *source;			/* "query", "directory", "pushed"; NULL: none bound */
	char	   *reason;			/* why not known, or why stale; NULL otherwise */
} HostStorage;

/* What is stored of the bound source.  Needs an open Scope. */
extern HostStorage host_storage_read(TimestampTz now);

/*
 * Measures the bound source (a pushed one is as it was pushed) and stores the value, or
 * why there is none: a source that fails is a reason, not an error.  Needs an open Scope.
 */
extern HostStorage host_storage_measure(TimestampTz now);

/* "ok", "stale" or "unavailable". */
extern const char *host_storage_status(const HostStorage *storage);

/* bytes / 1073741824, to 2 decimals, as numeric. */
extern Datum host_storage_gigabytes(int64 bytes);

#endif							/* CAPFORECAST_HOST_STORAGE_H */
