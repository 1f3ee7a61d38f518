-- The server's own limits as metrics.
\set SHOW_CONTEXT never
SET search_path = public, capforecast;
CREATE SCHEMA watched;
CREATE TABLE watched.orders (id serial PRIMARY KEY, note text);
INSERT INTO watched.orders (note) SELECT repeat('x', 200) FROM generate_series(1, 5000);
CREATE TABLE watched.legacy (id integer PRIMARY KEY);
INSERT INTO watched.legacy VALUES (1600000000);
CREATE TABLE watched.big (id bigserial PRIMARY KEY);
CREATE TABLE watched.filling (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
SELECT setval('watched.filling_id_seq', 9000000000000000000);
CREATE SEQUENCE watched.ticket AS smallint;
CREATE SEQUENCE watched.round AS smallint CYCLE;
CREATE TABLE watched."Ünit ""1" ("I d" smallserial PRIMARY KEY);
CREATE TABLE watched.tags (name text PRIMARY KEY);

CREATE TEMP TABLE seen AS SELECT * FROM watch_postgres();
SELECT metric, what, value IS NOT NULL AS has_value, limit_value, status, reason FROM seen WHERE metric !~ '^pg_(key|sequence|table|index)_' ORDER BY metric;
SELECT metric, what, value, limit_value, status, reason FROM seen WHERE what LIKE '%watched.%' AND metric ~ '^pg_(key|sequence)_' ORDER BY metric;
SELECT metric, value > 0 AS has_value, limit_value, status FROM seen WHERE metric LIKE 'pg\_table\_watched%' ORDER BY metric;
SELECT count(*) > 0 AS indexes, bool_and(m.value >= 0) FROM seen m WHERE metric LIKE 'pg\_index\_%';
SELECT count(*) = (SELECT count(*) FROM seen WHERE status = 'watched') AS all_registered, count(DISTINCT registrar_name) AS registrars
FROM own_metric JOIN _metric_query USING (metric) WHERE watches IS NOT NULL;

-- Captured and planned as every metric: a key of four bytes has a day.
INSERT INTO metric_value (metric, day, value, limit_value)
SELECT 'pg_key_watched_legacy_id', (now() AT TIME ZONE 'UTC')::date - i, 1600000000 - i * 2000000 - (i * 7919 % 13) * 10000, 2147483647 FROM generate_series(1, 89) i;
SELECT capture_metrics() >= (SELECT count(*) FROM seen WHERE status = 'watched') - 2 AS captured;
SELECT metric, limit_value, status, abs(days_left - 274) <= 14 AS within_a_twentieth FROM capacity_outlook() WHERE metric = 'pg_key_watched_legacy_id';
SELECT metric, limit_kind, status FROM capacity_outlook() WHERE metric IN ('pg_connections', 'pg_xid_age', 'pg_database_bytes') ORDER BY metric;

-- Again: what is new is taken in, history stays; a metric of the operator's own is left alone.
CREATE TABLE watched.fresh (id smallserial PRIMARY KEY);
SELECT * FROM drop_metric('pg_slots');
SELECT * FROM add_metric('pg_slots', 'SELECT 3');
SELECT w.metric, w.status, w.reason FROM watch_postgres() w WHERE metric IN ('pg_slots', 'pg_key_watched_fresh_id', 'pg_key_watched_legacy_id') ORDER BY metric;
SELECT count(*) FROM metric_value WHERE metric = 'pg_key_watched_legacy_id';
SELECT query FROM _metric_query WHERE metric = 'pg_slots';
SELECT drop_metric('pg_slots');

-- Few rights, as on a managed server: what can be seen is watched, the rest is told.
SELECT count(*) > 10 AS dropped, min(status), max(status) FROM unwatch_postgres();
SELECT count(*) FROM own_metric WHERE watches IS NOT NULL;
SELECT count(*) FROM metric_value WHERE metric LIKE 'pg\_%';
SELECT count(*) FROM unwatch_postgres();
CREATE ROLE capforecast_few;
GRANT USAGE ON SCHEMA capforecast TO capforecast_few;
GRANT EXECUTE ON FUNCTION watch_postgres(), unwatch_postgres(), _watch, add_metric, drop_metric, _measure_metric TO capforecast_few;
SET ROLE capforecast_few;
SELECT * FROM watch_postgres();
RESET ROLE;
GRANT SELECT, INSERT, UPDATE, DELETE ON own_metric, _metric_query, metric_value, metric_hour TO capforecast_few;
GRANT SELECT ON capacity_snapshots, metrics, metric_history TO capforecast_few;
GRANT USAGE ON SCHEMA watched TO capforecast_few;
GRANT USAGE ON SEQUENCE watched.ticket TO capforecast_few;
SET ROLE capforecast_few;
SELECT metric, status, reason FROM watch_postgres() WHERE metric !~ '^pg_(table|index)_' AND (metric !~ '^pg_(key|sequence)_' OR what LIKE '%watched.%') ORDER BY metric;
SELECT count(*) > 3 AS dropped FROM unwatch_postgres();
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA watched CASCADE;
DROP OWNED BY capforecast_few;
DROP ROLE capforecast_few;
