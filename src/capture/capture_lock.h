/*
 * capture_lock.h
 *		One capture at a time, and only of today.
 */
#ifndef CAPFORECAST_CAPTURE_LOCK_H
#define CAPFORECAST_CAPTURE_LOCK_H

#include "datatype/timestamp.h"

/* How far back history is rebuilt: a hundred years. */
#define CAPTURE_MAX_DAYS	36525

/* Second key of the advisory locks of capforecast. */
typedef enum CaptureLock
{
	CAPTURE_LOCK_SNAPSHOT = 1,
	CAPTURE_LOCK_METRICS,
	CAPTURE_LOCK_VENDOR_USAGE
} CaptureLock;

/* Waits until no other transaction captures the same; held until the transaction ends. */
extern void capture_lock(CaptureLock lock);

/* Raises 22023 unless as_of lies on the UTC day of now: use is counted as of now. */
extern void capture_require_today(TimestampTz as_of, TimestampTz now);

#endif							/* CAPFORECAST_CAPTURE_LOCK_H */
