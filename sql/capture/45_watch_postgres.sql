-- The server's own limits as metrics, without any set-up.

CREATE TYPE capforecast.watched_metric AS (
	metric text, what text, value double precision, limit_value double precision, status text, reason text
);
COMMENT ON TYPE capforecast.watched_metric IS
	'A limit of the server: its metric, in words, what is used now, and the limit (NULL: the server sets none). status: watched; not_allowed, where the role may not see it; failed, where it cannot be measured; both with the reason, and not watched.';

CREATE FUNCTION capforecast._watch(what capforecast._server_metric)
	RETURNS capforecast.watched_metric LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	watched capforecast.watched_metric := ROW(what.metric, what.what, NULL, what.limit_value, 'watched', NULL);
BEGIN
	IF what.reason IS NOT NULL THEN
		watched.status := 'not_allowed';
		watched.reason := what.reason;
	ELSIF EXISTS (SELECT FROM capforecast.own_metric o WHERE o.metric = what.metric AND o.watches IS NULL) THEN
		watched.status := 'failed';
		watched.reason := format('a metric %s of your own is there', what.metric);
	ELSE
		SELECT m.measured_value, m.measured_limit INTO watched.value, watched.limit_value
		FROM capforecast.add_metric(what.metric, what.query, unit => what.unit, kind => what.kind, floor => 0,
			limit_value => what.limit_value, limit_query => what.limit_query,
			-- what goes up and down has its peak at some hour of the day
			every => CASE what.kind WHEN 'gauge' THEN interval '1 hour' ELSE '1 day' END) m;
		UPDATE capforecast.own_metric o SET watches = what.what WHERE o.metric = what.metric;
		IF watched.limit_value IS NULL THEN
			watched.reason := 'the server sets no limit';
		END IF;
	END IF;
	RETURN watched;
EXCEPTION
	WHEN insufficient_privilege THEN
		RETURN ROW(what.metric, what.what, NULL, what.limit_value, 'not_allowed', SQLERRM)::capforecast.watched_metric;
	WHEN program_limit_exceeded OR undefined_table OR undefined_function OR undefined_object OR feature_not_supported OR object_not_in_prerequisite_state THEN
		RETURN ROW(what.metric, what.what, NULL, what.limit_value, 'failed', SQLERRM)::capforecast.watched_metric;
END
$$;
COMMENT ON FUNCTION capforecast._watch(capforecast._server_metric) IS 'Watch one limit of the server, or say why not.';

CREATE FUNCTION capforecast.watch_postgres()
	RETURNS SETOF capforecast.watched_metric LANGUAGE plpgsql VOLATILE ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT has_table_privilege('capforecast.own_metric', 'INSERT, UPDATE, DELETE') OR NOT has_table_privilege('capforecast._metric_query', 'INSERT') THEN
		RAISE insufficient_privilege USING
			MESSAGE = 'permission denied to watch the server',
			HINT = 'Run it as a role that may register metrics (see add_metric()).';
	END IF;
	RETURN QUERY SELECT w.* FROM (
			SELECT 1 AS sort, s.* FROM capforecast._server_settings() s
			UNION ALL SELECT 2, k.* FROM capforecast._server_keys() k
			UNION ALL SELECT 3, r.* FROM capforecast._server_relations() r) s
		CROSS JOIN LATERAL capforecast._watch(ROW(s.metric, s.what, s.unit, s.kind, s.query, s.limit_value, s.limit_query, s.reason)::capforecast._server_metric) w
		ORDER BY s.sort, w.value / nullif(w.limit_value, 0) DESC NULLS LAST, w.metric;
END
$$;
COMMENT ON FUNCTION capforecast.watch_postgres() IS
	'Watch the server''s own limits as metrics (pg_...): the size of the database and of the tables and indexes that fill it, keys and sequences against the last number they can give, the age of transaction and multixact ids against the end of their numbering, connections, write-ahead log and replication slots against the settings. Each is measured at once and then by the job capture_metrics, daily or, where it goes up and down, hourly, as the role that calls this, and stands in capacity_outlook(). What the role may not see is a row with status not_allowed and the reason. Again: takes in what is new, keeps history.
Example: SELECT metric, value, limit_value, status, reason FROM capforecast.watch_postgres();';

CREATE FUNCTION capforecast.unwatch_postgres()
	RETURNS SETOF capforecast.watched_metric LANGUAGE plpgsql VOLATILE ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	watched record;
BEGIN
	FOR watched IN SELECT o.metric, o.watches FROM capforecast.own_metric o WHERE o.watches IS NOT NULL ORDER BY o.metric LOOP
		PERFORM capforecast.drop_metric(watched.metric);
		RETURN NEXT ROW(watched.metric, watched.watches, NULL, NULL, 'dropped', NULL)::capforecast.watched_metric;
	END LOOP;
END
$$;
COMMENT ON FUNCTION capforecast.unwatch_postgres() IS
	'Stop watching the server''s own limits, and delete their history; one row for each that was watched, with status dropped.
Example: SELECT * FROM capforecast.unwatch_postgres();';
