/*
 * run_log.h
 *		The run log: one settled row of job_run for each run of a job.
 */
#ifndef CAPFORECAST_RUN_LOG_H
#define CAPFORECAST_RUN_LOG_H

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"

#include "common/attempt.h"

/* What a job counts while it works. */
typedef struct RunRecord
{
	const char *job;
	TimestampTz started_at;
	TimestampTz as_of;
	int64		examined;
	int64		changed;
	int64		skipped_locked;
	int64		failed;
	StringInfoData detail;		/* members of a JSON object, comma separated */
} RunRecord;

extern void run_record_start(RunRecord *record, const char *job, TimestampTz started_at, TimestampTz as_of);

/* A part that failed: counted, with its reason. */
extern void run_record_failure(RunRecord *record, const char *part, const AttemptFailure *failure);
extern void run_record_reason(RunRecord *record, const char *part, const char *reason);

/*
 * Writes the row: settles the one that run_job() inserted for this job, or inserts
 * one.  Needs an open Scope.
 */
extern void run_record_settle(RunRecord *record);

/* Set by run_job() while it runs a job in this backend; 0 otherwise. */
extern void run_log_begin(const char *job, int64 run_id);
extern void run_log_end(void);

#endif							/* CAPFORECAST_RUN_LOG_H */
