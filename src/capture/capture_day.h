/*
 * capture_day.h
 *		Only today is captured; earlier days are rebuilt.
 */
#ifndef CAPFORECAST_CAPTURE_DAY_H
#define CAPFORECAST_CAPTURE_DAY_H

#include "datatype/timestamp.h"

/* How far back history is rebuilt: a hundred years. */
#define CAPTURE_MAX_DAYS	36525

/*
 * What the captures lock is the name of the job; who rebuilds the same history waits for
 * it, too.  That a day is stored once is the unique indexes' work.
 */
#define CAPTURE_SNAPSHOT		"capture_daily_snapshot"
#define CAPTURE_METRICS			"capture_metrics"
#define CAPTURE_VENDOR_USAGE	"capture_vendor_usage"

/* Raises 22023 unless as_of lies on the UTC day of now: use is counted as of now. */
extern void capture_require_today(TimestampTz as_of, TimestampTz now);

#endif							/* CAPFORECAST_CAPTURE_DAY_H */
