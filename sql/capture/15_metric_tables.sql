-- Metrics of the operator's own: any number worth watching, from a query.

CREATE TABLE capforecast.own_metric (
	metric    text PRIMARY KEY CHECK (metric ~ '^[a-z][a-z0-9_]{0,62}$'),
	kind      text NOT NULL CHECK (kind IN ('stock', 'flow', 'gauge')),
	unit      text,
	floor     double precision,
	cap       double precision CHECK (cap >= floor),
	direction text NOT NULL CHECK (direction IN ('up', 'down')),
	limit_value double precision,
	watches   text,
	statistic text NOT NULL DEFAULT 'last' CHECK (statistic IN ('last', 'max', 'sum', 'mean')),
	every     interval NOT NULL DEFAULT '1 day' CHECK (every IN ('1 hour', '1 day'))
);
COMMENT ON TABLE capforecast.own_metric IS 'The operator''s own metrics; written by add_metric() and drop_metric().';
COMMENT ON COLUMN capforecast.own_metric.floor IS 'no value can lie below; NULL: no bound';
COMMENT ON COLUMN capforecast.own_metric.cap IS 'no value can lie above; NULL: no bound';
COMMENT ON COLUMN capforecast.own_metric.limit_value IS 'its limit, where that is a number and not a query; NULL: none';
COMMENT ON COLUMN capforecast.own_metric.watches IS 'what of the server it watches, in words, for those of watch_postgres(); NULL: the operator''s own';
COMMENT ON COLUMN capforecast.own_metric.statistic IS 'what the values of a day become: the last one, max (the lowest where direction is down), their sum or mean';
COMMENT ON COLUMN capforecast.own_metric.every IS 'how often it is captured: 1 hour or 1 day';
COMMENT ON COLUMN capforecast.own_metric.direction IS 'up: the limit is a maximum; down: it is a minimum';
SELECT pg_catalog.pg_extension_config_dump('capforecast.own_metric', '');

-- Apart from the above, because a query may hold what its readers must not see.  No
-- foreign key: a parallel restore loads the tables in any order.
CREATE TABLE capforecast._metric_query (
	metric      text PRIMARY KEY,
	query       text NOT NULL,
	limit_query text,
	registrar   oid NOT NULL,
	registrar_name name NOT NULL
);
COMMENT ON TABLE capforecast._metric_query IS
	'What capture_metrics() runs, and as which role. Only the role that runs the jobs needs to read it.';
COMMENT ON COLUMN capforecast._metric_query.registrar IS 'oid of the role that the queries run as; 0, or another role than registrar_name: suspended';
COMMENT ON COLUMN capforecast._metric_query.registrar_name IS 'name of that role';
SELECT pg_catalog.pg_extension_config_dump('capforecast._metric_query', '');

CREATE TRIGGER set_registrar BEFORE INSERT OR UPDATE ON capforecast._metric_query
	FOR EACH ROW EXECUTE FUNCTION capforecast._set_registrar();

-- With the rights of the extension: whoever drops a metric need not be able to see queries.
CREATE FUNCTION capforecast._drop_query()
	RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	DELETE FROM capforecast._metric_query q WHERE q.metric = OLD.metric;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION capforecast._drop_query() IS 'Trigger: a metric goes with its query.';

CREATE TRIGGER drop_query AFTER DELETE ON capforecast.own_metric
	FOR EACH ROW EXECUTE FUNCTION capforecast._drop_query();

CREATE TABLE capforecast.metric_value (
	metric      text,
	day         date,
	value       double precision NOT NULL,
	limit_value double precision,
	captured_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	source      text NOT NULL DEFAULT 'captured' CHECK (source IN ('captured', 'imported')),
	PRIMARY KEY (metric, day)
);
COMMENT ON TABLE capforecast.metric_value IS
	'Values that are not columns of capacity_snapshots, one a UTC day: the operator''s own metrics, and what capture_vendor_usage() adds up.';
COMMENT ON COLUMN capforecast.metric_value.source IS 'captured on the day, or imported by import_metric()';
COMMENT ON COLUMN capforecast.metric_value.limit_value IS 'the limit as it was on the day; NULL: none, or not known';
SELECT pg_catalog.pg_extension_config_dump('capforecast.metric_value', '');

CREATE TABLE capforecast.metric_hour (
	metric      text,
	ts          timestamptz CHECK (isfinite(ts)),
	value       double precision NOT NULL,
	limit_value double precision,
	PRIMARY KEY (metric, ts)
);
COMMENT ON TABLE capforecast.metric_hour IS
	'Values of own metrics that are captured every hour, by hour: all of the last 28 days; of the last 180 days the hour nearest to the limit, where the statistic is not that one. The day''s statistic is in metric_value for good.';
COMMENT ON COLUMN capforecast.metric_hour.ts IS 'the hour begins then';
COMMENT ON COLUMN capforecast.metric_hour.limit_value IS 'the limit as it was in the hour; NULL: none, or not known';
SELECT pg_catalog.pg_extension_config_dump('capforecast.metric_hour', '');

CREATE FUNCTION capforecast._hours_kept() RETURNS integer LANGUAGE sql IMMUTABLE RETURN 28;
COMMENT ON FUNCTION capforecast._hours_kept() IS 'Days of which metric_hour keeps every hour: four weeks, all that forecasts by the hour learn from.';

-- Two days of them, or more than the days say.
CREATE FUNCTION capforecast._has_hours(metric text, until timestamptz)
	RETURNS boolean LANGUAGE sql STABLE
	RETURN (SELECT count(*) >= 48 OR NOT EXISTS (SELECT FROM capforecast.metric_value v
				WHERE v.metric = _has_hours.metric AND v.day < (until AT TIME ZONE 'UTC')::date OFFSET 13)
			FROM (SELECT FROM capforecast.metric_hour h WHERE h.metric = _has_hours.metric AND h.ts <= until
				AND h.ts > until - interval '28 days' LIMIT 48) n);
COMMENT ON FUNCTION capforecast._has_hours(text, timestamptz) IS 'Are there enough hours of a metric to forecast it by the hour?';

CREATE FUNCTION capforecast._thin_hours(now timestamptz)
	RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	DELETE FROM capforecast.metric_hour h
	USING (SELECT o.metric, o.ts, row_number() OVER (PARTITION BY o.metric, (o.ts AT TIME ZONE 'UTC')::date
				ORDER BY CASE m.direction WHEN 'down' THEN -o.value ELSE o.value END DESC, o.ts) AS place,
				m.statistic IS DISTINCT FROM 'max' AS is_kept
			FROM capforecast.metric_hour o LEFT JOIN capforecast.own_metric m ON m.metric = o.metric
			WHERE o.ts < ((now AT TIME ZONE 'UTC')::date - capforecast._hours_kept())::timestamp AT TIME ZONE 'UTC') old
	WHERE h.metric = old.metric AND h.ts = old.ts AND (old.place > 1 OR NOT old.is_kept OR h.ts < now - interval '180 days')
$$;
COMMENT ON FUNCTION capforecast._thin_hours(timestamptz) IS 'Of days from which not every hour is kept, leave the one nearest to the limit for 180 days, where that is not the day''s value anyway.';

CREATE FUNCTION capforecast._measure_metric(query text, limit_query text, OUT value double precision, OUT limit_value double precision)
	LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_measure_metric';
COMMENT ON FUNCTION capforecast._measure_metric(text, text) IS
	'Run the queries of a metric the way capture_metrics() does, as the caller''s role.';
