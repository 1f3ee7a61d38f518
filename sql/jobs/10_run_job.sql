-- What the scheduler calls.

CREATE PROCEDURE capforecast.run_job(name text, raise_error boolean DEFAULT true)
	LANGUAGE C AS 'MODULE_PATHNAME', 'capforecast_run_job';
COMMENT ON PROCEDURE capforecast.run_job(text, boolean) IS
	'Run a job so that it is on record whatever happens: a row in job_run is committed first, the job runs, the row is settled. A job that writes your tables locks some rows at a time, as many as take about 20 ms, and commits, so that your statements wait for no more. A failure is raised afterwards, unless raise_error is false. Not inside a transaction block (25001).
Example: CALL capforecast.run_job(''capture_daily_snapshot'');';
