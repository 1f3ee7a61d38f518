-- Did the jobs run?

CREATE TYPE capforecast.job_state AS (
	job text, status text, overdue boolean, last_success timestamptz, next_due timestamptz,
	last_started timestamptz, last_status text, last_error text, runs_failed_in_a_row bigint, rows_failed bigint, held_by integer);
COMMENT ON TYPE capforecast.job_state IS
	'A row of job_health(). rows_failed: open findings job_row_failed of the job; held_by: process id of whoever has the job''s lock now, by run_job() or by hand, NULL where nobody or a prepared transaction has it.';

-- A run that found the job at work is neither a success nor the last word on the job.
CREATE FUNCTION capforecast.job_health(as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.job_state
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH clock AS (SELECT capforecast._instant(as_of) AS now),
	held AS MATERIALIZED (
		SELECT l.objid, l.pid FROM pg_locks l
		WHERE l.locktype = 'object' AND l.classid = 'capforecast.job_run'::regclass AND l.granted
			AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())),
	seen AS (
		SELECT j.name, j.every, clock.now, good.started_at AS good_at, latest.started_at, latest.status, latest.detail,
			good.started_at IS NULL OR clock.now - good.started_at > j.patience AS overdue,
			(SELECT max(h.pid) FROM held h WHERE h.objid = capforecast._lock_key(j.name)) AS held_by,
			EXISTS (SELECT FROM held h WHERE h.objid = capforecast._lock_key(j.name)) AND clock.now - coalesce(good.started_at,
				(SELECT min(r.started_at) FROM capforecast.job_run r WHERE r.job = j.name AND r.started_at <= clock.now)) > j.patience AS is_held,
			latest.status = 'running' AND clock.now - latest.started_at > j.patience AS is_stuck
		FROM capforecast.job j
			CROSS JOIN clock
			LEFT JOIN LATERAL (SELECT * FROM capforecast.job_run r
								WHERE r.job = j.name AND r.status <> 'already_running' AND r.started_at <= clock.now
								ORDER BY r.started_at DESC, r.run_id DESC LIMIT 1) latest ON true
			LEFT JOIN LATERAL (SELECT * FROM capforecast.job_run r WHERE r.job = j.name AND r.status = 'ok' AND r.started_at <= clock.now
								ORDER BY r.started_at DESC, r.run_id DESC LIMIT 1) good ON true
		WHERE j.enabled),
	counted AS (
		SELECT s.*,
			(SELECT count(*) FROM capforecast.job_run r
			  WHERE r.job = s.name AND r.status = 'failed' AND r.started_at <= s.now AND (s.good_at IS NULL OR r.started_at > s.good_at)) AS n_failed,
			(SELECT count(*) FROM capforecast.finding f
			  WHERE f.resolved_at IS NULL AND f.code = 'job_row_failed' AND starts_with(f.subject, s.name || ' ')) AS n_rows_failed
		FROM seen s)
	SELECT c.name,
		CASE WHEN c.is_stuck OR c.is_held THEN 'hanging'
			 WHEN c.good_at IS NULL AND c.started_at IS NULL THEN 'never_run'
			 WHEN c.overdue THEN 'overdue'
			 WHEN c.status = 'failed' THEN 'failing'
			 WHEN c.n_rows_failed > 0 THEN 'incomplete'
			 ELSE 'ok' END,
		c.overdue, c.good_at, coalesce(c.good_at + c.every, c.now), c.started_at, c.status, c.detail -> 'error' ->> 'message',
		c.n_failed, c.n_rows_failed, c.held_by
	FROM counted c
	ORDER BY c.overdue DESC, c.name
$$;
COMMENT ON FUNCTION capforecast.job_health(timestamptz) IS
	'One row per enabled job: status ok, incomplete (it ran, but rows failed: see capforecast.finding), failing (the last run failed), overdue (no success within the job''s patience: two of its periods, 15 minutes at least), hanging (overdue while somebody has its lock, or a run that has not ended within the patience: it hangs, or was killed) or never_run; when it succeeded last and is due next, and the last error. A run that found the job at work counts for nothing.
Example: SELECT job, status, last_success, next_due FROM capforecast.job_health();';
