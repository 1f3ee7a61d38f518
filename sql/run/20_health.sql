-- Did the jobs run?

CREATE FUNCTION capforecast.job_health(as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (job text, status text, overdue boolean, last_success timestamptz, next_due timestamptz,
		last_started timestamptz, last_status text, last_error text, runs_failed_in_a_row bigint)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH clock AS (SELECT capforecast._instant(as_of) AS now)
	SELECT j.name,
		CASE WHEN good.started_at IS NULL AND latest.started_at IS NULL THEN 'never_run'
			 WHEN good.started_at IS NULL OR clock.now - good.started_at > 3 * j.every THEN 'overdue'
			 WHEN latest.status = 'failed' THEN 'failing'
			 ELSE 'ok' END,
		good.started_at IS NULL OR clock.now - good.started_at > 3 * j.every,
		good.started_at,
		coalesce(good.started_at + j.every, clock.now),
		latest.started_at,
		latest.status,
		latest.detail -> 'error' ->> 'message',
		(SELECT count(*) FROM capforecast.job_run r
		  WHERE r.job = j.name AND r.status = 'failed' AND r.started_at <= clock.now
			AND (good.started_at IS NULL OR r.started_at > good.started_at))
	FROM capforecast.job j
		CROSS JOIN clock
		LEFT JOIN LATERAL (SELECT * FROM capforecast.job_run r WHERE r.job = j.name AND r.started_at <= clock.now
							ORDER BY r.started_at DESC, r.run_id DESC LIMIT 1) latest ON true
		LEFT JOIN LATERAL (SELECT * FROM capforecast.job_run r WHERE r.job = j.name AND r.status = 'ok' AND r.started_at <= clock.now
							ORDER BY r.started_at DESC, r.run_id DESC LIMIT 1) good ON true
	WHERE j.enabled
	ORDER BY 3 DESC, 1
$$;
COMMENT ON FUNCTION capforecast.job_health(timestamptz) IS
	'One row per enabled job: status ok, failing (the last run failed), overdue (no success for three periods) or never_run; when it succeeded last and is due next, and the last error.';
