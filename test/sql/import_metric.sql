-- History of own metrics, brought in from tables and queries.
\set SHOW_CONTEXT never
SET search_path = public, capforecast;
SET timezone = 'UTC';
CREATE SCHEMA telemetry;
CREATE TABLE telemetry.readings (measured timestamptz, used bigint, note text);
-- three a day for 40 days until now, some of them today
INSERT INTO telemetry.readings SELECT date_trunc('day', now()) - d * interval '1 day' + h * interval '8 hours', 1000 + 10 * (40 - d) + h, 'x'
FROM generate_series(0, 39) d, generate_series(0, 2) h WHERE d > 0 OR h = 0;
SELECT * FROM add_metric('pool_used', 'SELECT 1405', 'GB', limit_value => 1600);
SELECT * FROM add_metric('uploads', 'SELECT 7', kind => 'flow');
-- A fixed limit is in the outlook at once, before anything is captured.
SELECT metric, current_value, limit_value, status, reason FROM capacity_outlook() WHERE metric = 'pool_used';
INSERT INTO metric_value (metric, day, value) SELECT 'pool_used', (now() AT TIME ZONE 'UTC')::date - 5, 99;

-- A stock: the last value of each day; the stored day stays, today is left out.
SELECT imported, already_stored, skipped, last_day - first_day AS days, last_day = (now() AT TIME ZONE 'UTC')::date - 1 AS until_yesterday
FROM import_metric('pool_used', 'telemetry.readings', ts_column => 'measured', value_column => 'used');
SELECT count(*), count(*) FILTER (WHERE source = 'imported') AS imported, min(value), max(value), count(limit_value) AS limits,
	count(*) FILTER (WHERE value::integer % 10 = 2) AS last_of_the_day
FROM metric_history WHERE metric = 'pool_used';
SELECT imported, already_stored FROM import_metric('pool_used', 'telemetry.readings', ts_column => 'measured', value_column => 'used');

-- And with the history the day is there.
DELETE FROM metric_value WHERE value = 99;
SELECT metric, current_value, limit_value, status, abs(days_left - 21) <= 2 AS in_three_weeks FROM capacity_outlook() WHERE metric = 'pool_used';
SELECT * FROM add_metric('pool_used', 'SELECT 1405', 'GB', limit_value => 1300);
SELECT metric, limit_value, status FROM capacity_outlook() WHERE metric = 'pool_used';

-- A flow: the sum of the day; by a query, with a time that needs no zone, and what is no number left out.
SELECT imported, already_stored, skipped FROM import_metric('uploads', query => $$
	SELECT measured::date AS ts, 2.5::numeric AS value FROM telemetry.readings UNION ALL
	SELECT '2020-01-01', 'NaN' UNION ALL SELECT NULL, 3 UNION ALL SELECT '2020-01-02', NULL UNION ALL SELECT 'infinity', 1 UNION ALL
	SELECT (now() + interval '3 days')::date, 1 -- to come
	;  $$);
SELECT count(*), min(value), max(value) FROM metric_value WHERE metric = 'uploads';
SELECT * FROM import_metric('uploads', query => 'SELECT timestamp ''2021-03-01 23:59'' AS "At", 4 AS "Uploads"', ts_column => 'At', value_column => 'Uploads');
SELECT day, value FROM metric_value WHERE metric = 'uploads' ORDER BY day LIMIT 1;
-- nothing to bring in
SELECT * FROM import_metric('uploads', query => 'SELECT now() AS ts, 1 AS value WHERE false');

-- Read as the caller, and only by whom may write.
CREATE ROLE capforecast_importer;
GRANT USAGE ON SCHEMA capforecast, telemetry TO capforecast_importer;
SET ROLE capforecast_importer;
SELECT import_metric('uploads', query => 'SELECT now() AS ts, 1 AS value');
RESET ROLE;
GRANT EXECUTE ON FUNCTION import_metric TO capforecast_importer;
GRANT SELECT ON own_metric, metric_value TO capforecast_importer;
GRANT INSERT ON metric_value TO capforecast_importer;
SET ROLE capforecast_importer;
SELECT import_metric('pool_used', 'telemetry.readings', ts_column => 'measured', value_column => 'used');
SELECT import_metric('pool_used', query => 'SELECT measured AS ts, used AS value FROM telemetry.readings');
SELECT (import_metric('uploads', query => 'SELECT date ''2020-05-05'' AS ts, 1 AS value')).imported;
RESET ROLE;

-- A superuser does not run what a stranger's view would have run.
GRANT CREATE ON SCHEMA telemetry TO capforecast_importer;
SET ROLE capforecast_importer;
CREATE VIEW telemetry.stranger AS SELECT date '2020-06-06' AS ts, 1 AS value;
CREATE TABLE telemetry.plain AS SELECT * FROM telemetry.stranger;
RESET ROLE;
SELECT import_metric('uploads', 'telemetry.stranger');
SELECT import_metric('uploads', 'telemetry.plain');

-- Misuse.
SELECT import_metric('pool_used');
SELECT import_metric('pool_used', 'telemetry.readings', 'SELECT 1');
SELECT import_metric('vendors', 'telemetry.readings');
SELECT import_metric('nothing', 'telemetry.readings');
SELECT import_metric(NULL, 'telemetry.readings');
SELECT import_metric('uploads', 'telemetry.readings', ts_column => NULL);
SELECT import_metric('uploads', 'telemetry.readings');
SELECT import_metric('uploads', 'telemetry.readings', ts_column => 'note', value_column => 'used');
SELECT import_metric('uploads', 'telemetry.readings', ts_column => 'measured', value_column => 'note');
SELECT import_metric('uploads', 'telemetry.nothing');
SELECT import_metric('uploads', 0);
SELECT import_metric('uploads', query => 'DELETE FROM telemetry.readings RETURNING measured AS ts, used AS value');
SELECT import_metric('uploads', query => 'SELECT now() AS ts, 1 AS value; SELECT 2');
SELECT import_metric('uploads', query => 'SELECT now() AS ts, 1 AS value) q; DELETE FROM telemetry.readings; --');
SELECT import_metric('uploads', query => '');
SELECT count(*) FROM telemetry.readings;

SELECT drop_metric('pool_used'), drop_metric('uploads');
SET client_min_messages = warning;
DROP SCHEMA telemetry CASCADE;
RESET client_min_messages;
REVOKE ALL ON SCHEMA capforecast FROM capforecast_importer;
REVOKE ALL ON own_metric, metric_value FROM capforecast_importer;
REVOKE ALL ON FUNCTION import_metric FROM capforecast_importer;
DROP ROLE capforecast_importer;
