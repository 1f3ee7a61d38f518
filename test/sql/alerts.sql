-- Alerts: said once, escalated, recovered by what was measured.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set ECHO all
SET client_min_messages = warning;
\set SHOW_CONTEXT never
INSERT INTO capforecast.own_metric (metric, kind, direction) VALUES ('seats', 'stock', 'up');
-- Towards 1000 at 4 a day, over it, and from day 20 on slowly back; day 0 is the 1st of June.
CREATE TABLE measured AS
SELECT d, CASE WHEN d <= 20 THEN 940 + 4 * d ELSE greatest(1020 - 3 * (d - 20), 700) END + (d * 37) % 3 AS value FROM generate_series(-150, 200) d;

-- Every day the day's value comes and the alerts are raised, twice.
CREATE TABLE told (day integer, event text, severity text, previous_severity text);
CREATE PROCEDURE live(first integer, last integer) LANGUAGE plpgsql AS $$
DECLARE
	at timestamptz;
BEGIN
	FOR i IN first..last LOOP
		at := date '2025-06-01' + i + time '10:00';
		INSERT INTO capforecast.metric_value (metric, day, value, limit_value)
		SELECT 'seats', date '2025-06-01' + i, value, 1000 FROM measured m WHERE m.d = i;
		INSERT INTO told SELECT i, event, severity, previous_severity FROM capforecast.raise_alerts(as_of => at);
		INSERT INTO told SELECT i, event, severity, previous_severity FROM capforecast.raise_alerts(as_of => at + interval '1 hour');
	END LOOP;
END $$;
INSERT INTO capforecast.metric_value (metric, day, value, limit_value)
SELECT 'seats', date '2025-06-01' + d, value, 1000 FROM measured WHERE d < -60;

-- Growing: a warning, then critical, each told once.
CALL live(-60, 20);
SELECT event, severity, previous_severity, count(*), min(day) < 14 AS before_the_limit FROM told GROUP BY 1, 2, 3 ORDER BY min(day);
SELECT severity, is_breach, recovered_at IS NULL AS is_open, limit_value, reason FROM capforecast.alert;

-- Over the limit and shrinking: the forecast is good, the measurement is not. It stays open until the value is below 98 %.
TRUNCATE told;
CALL live(21, 60);
SELECT event, severity, previous_severity, (SELECT value FROM measured m WHERE m.d = told.day) < 980 AS is_measured_below FROM told;
SELECT count(*) FILTER (WHERE recovered_at IS NULL) AS open FROM capforecast.alert;

-- Nothing more is told of a quiet metric.
TRUNCATE told;
CALL live(61, 100);
SELECT count(*) FROM told;

-- A value about the edge: one alert, not one a day.
DELETE FROM capforecast.alert;
UPDATE measured SET value = CASE WHEN d % 2 = 0 THEN 1001 ELSE 999 END WHERE d > 100;
CALL live(101, 130);
SELECT event, severity, count(*) FROM told GROUP BY 1, 2;

-- No values any more: that is no recovery.
TRUNCATE told;
DELETE FROM measured WHERE d > 130;
CALL live(131, 160);
SELECT count(*) AS told, (SELECT count(*) FROM capforecast.alert WHERE recovered_at IS NULL) AS open FROM told;

-- The metric is dropped: there is nothing to recover from.
INSERT INTO capforecast._metric_query (metric, query) VALUES ('seats', 'SELECT 1');
BEGIN;
SELECT capforecast.drop_metric('seats');
SELECT event, metric, severity, reason FROM capforecast.raise_alerts(as_of => '2025-11-09 10:00');
ROLLBACK;

-- Listeners get the same as JSON.
DELETE FROM capforecast.alert;
LISTEN capforecast;
BEGIN;
SELECT event, metric, limit_kind, severity FROM capforecast.raise_alerts(as_of => '2025-10-09 10:00');
SELECT count(*) FROM capforecast.raise_alerts(as_of => '2025-10-09 10:00');
ROLLBACK;
SELECT capforecast.raise_alerts('hopeful');
SELECT capforecast.raise_alerts(cooldown => '-1 hour');
SELECT status, failed, count(*) > 100 AS each_run_is_on_record FROM capforecast.job_run WHERE job = 'raise_alerts' GROUP BY 1, 2;
