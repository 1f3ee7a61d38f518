DROP FUNCTION capforecast._purge_runs(timestamptz);
DROP FUNCTION capforecast.job_health(timestamptz);
ALTER TABLE capforecast.job_run DROP CONSTRAINT job_run_status_check,
	ADD CONSTRAINT job_run_status_check CHECK (status IN ('running', 'ok', 'failed', 'already_running'));
