-- How far long work has got.

CREATE FUNCTION capforecast._report_progress(what text, done bigint, total bigint)
	RETURNS void LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_report_progress';
COMMENT ON FUNCTION capforecast._report_progress(text, bigint, bigint) IS
	'Show in pg_stat_activity how far this session has got; total NULL: not known; done NULL: it is over.';

CREATE TYPE capforecast.job_progress AS (
	pid integer, what text, done bigint, total bigint, started_at timestamptz, "left" interval
);
COMMENT ON TYPE capforecast.job_progress IS
	'Long work in a session of this database: done of total (NULL: not known), and the time left at the pace so far.';

CREATE FUNCTION capforecast.progress()
	RETURNS SETOF capforecast.job_progress LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT a.pid, m[1], m[2]::bigint, m[3]::bigint, to_timestamp(m[4]::bigint),
		CASE WHEN m[2]::bigint > 0 AND m[3] IS NOT NULL THEN make_interval(secs => round(
			extract(epoch FROM clock_timestamp() - to_timestamp(m[4]::bigint)) * (m[3]::numeric - m[2]::numeric) / m[2]::numeric)::double precision) END
	FROM pg_stat_activity a
		CROSS JOIN LATERAL regexp_match(a.application_name, '^capforecast: (.{1,31}) (\d{1,18})(?:/(\d{1,18}))? (\d{1,11})$') m
	WHERE a.datname = current_database() AND m IS NOT NULL
	ORDER BY 5, 1
$$;
COMMENT ON FUNCTION capforecast.progress() IS
	'What long work of capforecast is under way in this database: backfills, captures, forecasts of all metrics, the jobs over subscriptions. Seen by every role that may call it, from the session''s application_name.
Example: SELECT what, done, total, "left" FROM capforecast.progress();';
