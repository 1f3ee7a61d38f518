/*
 * progress.h
 *		How far long work has got, where another session can see it.
 *
 * It stands in application_name of pg_stat_activity, which every role may read, is seen
 * within an open transaction, and costs a copy of 64 bytes.
 */
#ifndef CAPFORECAST_PROGRESS_H
#define CAPFORECAST_PROGRESS_H

#include "postgres.h"

/* what: a short name; done of total (below 0: not known).  Taken back when the transaction ends, if progress_end() has not done it. */
extern void progress_report(const char *what, int64 done, int64 total);
extern void progress_end(void);

#endif							/* CAPFORECAST_PROGRESS_H */
