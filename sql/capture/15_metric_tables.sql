-- Metrics of the operator's own: any number worth watching, from a query.

CREATE TABLE capforecast.own_metric (
	metric    text PRIMARY KEY CHECK (metric ~ '^[a-z][a-z0-9_]{0,62}$'),
	kind      text NOT NULL CHECK (kind IN ('stock', 'flow', 'gauge')),
	unit      text,
	floor     double precision,
	cap       double precision CHECK (cap >= floor),
	direction text NOT NULL CHECK (direction IN ('up', 'down')),
	limit_value double precision,
	watches   text
);
COMMENT ON TABLE capforecast.own_metric IS 'The operator''s own metrics; written by add_metric() and drop_metric().';
COMMENT ON COLUMN capforecast.own_metric.floor IS 'no value can lie below; NULL: no bound';
COMMENT ON COLUMN capforecast.own_metric.cap IS 'no value can lie above; NULL: no bound';
COMMENT ON COLUMN capforecast.own_metric.limit_value IS 'its limit, where that is a number and not a query; NULL: none';
COMMENT ON COLUMN capforecast.own_metric.watches IS 'what of the server it watches, in words, for those of watch_postgres(); NULL: the operator''s own';
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

CREATE FUNCTION capforecast._measure_metric(query text, limit_query text, OUT value double precision, OUT limit_value double precision)
	LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_measure_metric';
COMMENT ON FUNCTION capforecast._measure_metric(text, text) IS
	'Run the queries of a metric the way capture_metrics() does, as the caller''s role.';
