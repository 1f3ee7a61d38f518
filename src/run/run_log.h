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
	const char *status;			/* "ok", or "already_running" */
	StringInfoData detail;		/* members of a JSON object, comma separated */
} RunRecord;

/* Texts of others in the run log: a message or hint in bytes, parts of a run, all of it. */
#define RUN_TEXT_MAX		1000
#define RUN_PARTS_MAX		100
#define RUN_DETAIL_MAX		(RUN_PARTS_MAX * 2 * RUN_TEXT_MAX)

extern void run_record_start(RunRecord *record, const char *job, TimestampTz started_at, TimestampTz as_of);

/*
 * Takes the job's lock until the transaction ends.  Where another run has it, one that
 * somebody called waits; for one that run_job() started false says that there is nothing
 * to do but to settle it, as already_running: a scheduler's runs do not pile up behind
 * one that hangs.
 */
extern bool run_record_lock(RunRecord *record);

/* The text, cut to RUN_TEXT_MAX bytes in the current memory context. */
extern char *run_log_text(const char *text);

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
