-- Metrics by the hour: captured, the day's statistic, forecasts and dates to the hour, thinned.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set ECHO all
\set SHOW_CONTEXT never
SET search_path = public, capforecast;
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE FUNCTION pg_temp.hour(n integer) RETURNS timestamptz LANGUAGE sql AS $$ SELECT date_trunc('hour', now()) + n * interval '1 hour' $$;

-- What is asked of add_metric().
SELECT * FROM add_metric('conns', 'SELECT 90', kind => 'gauge', limit_value => 100, every => '1 hour');
SELECT * FROM add_metric('jobs_done', 'SELECT 3', kind => 'flow', every => '60 minutes');
SELECT * FROM add_metric('load_mean', 'SELECT 7', kind => 'gauge', statistic => 'mean', every => '1 hour');
SELECT * FROM add_metric('disk_free', 'SELECT 7', kind => 'gauge', direction => 'down', every => '1 hour');
SELECT * FROM add_metric('rows_', 'SELECT 7', every => '1 hour');
SELECT * FROM add_metric('daily', 'SELECT 7', kind => 'gauge');
SELECT metric, statistic, every = '1 hour' AS hourly FROM own_metric ORDER BY metric;
\set VERBOSITY terse
SELECT add_metric('x', 'SELECT 1', every => '2 hours');
SELECT add_metric('x', 'SELECT 1', every => NULL);
SELECT add_metric('x', 'SELECT 1', statistic => 'median');
SELECT add_metric('x', 'SELECT 1', kind => 'level');

-- A value an hour; the day's is the statistic of its hours so far. Of this day, at least one hour back.
INSERT INTO metric_hour (metric, ts, value)
SELECT m, pg_temp.hour(0) - interval '1 microsecond', v FROM (VALUES ('conns', 95), ('jobs_done', 10), ('load_mean', 9), ('disk_free', 5), ('rows_', 2)) x(m, v)
WHERE (pg_temp.hour(0) - interval '1 microsecond')::date = pg_temp.hour(0)::date;
SELECT EXISTS (SELECT FROM metric_hour) AS has_earlier \gset
SELECT capture_metrics() AS captured, capture_metrics() AS again;
SELECT metric, count(*) - (:'has_earlier'::boolean AND metric <> 'daily')::integer AS hours FROM metric_hour WHERE ts >= pg_temp.hour(0) - interval '1 microsecond' GROUP BY metric ORDER BY metric;
SELECT v.metric, v.value = CASE WHEN :'has_earlier' THEN x.v ELSE x.alone END AS is_statistic, v.limit_value
FROM metric_value v JOIN (VALUES ('conns', 95, 90), ('jobs_done', 13, 3), ('load_mean', 8, 7), ('disk_free', 5, 7), ('rows_', 7, 7), ('daily', 7, 7)) x(metric, v, alone) USING (metric)
ORDER BY metric;
SELECT count(*) FROM metric_hour WHERE metric = 'daily';
SELECT examined, changed, failed FROM job_run WHERE job = 'capture_metrics' ORDER BY run_id;
-- what was imported for today stays
DELETE FROM metric_hour WHERE metric = 'conns';
UPDATE metric_value SET source = 'imported', value = 1 WHERE metric = 'conns';
SELECT capture_metrics();
SELECT value FROM metric_value WHERE metric = 'conns';
TRUNCATE metric_hour, metric_value;

-- Three days of hours, and ten hours left: a time within an hour, with a range.
INSERT INTO metric_hour (metric, ts, value) SELECT 'conns', pg_temp.hour(-h), 90 - h + (h * 7919 % 5 - 2) * 0.4 FROM generate_series(0, 71) h;
SELECT status, extract(epoch FROM breach_time - pg_temp.hour(0)) / 3600 BETWEEN 9 AND 11 AS in_ten_hours, breach_date = breach_time::date AS same_day,
	breach_time_earliest <= breach_time AND breach_time <= breach_time_latest AND breach_time_earliest < breach_time_latest AS in_its_range, n_points, kind
FROM time_to_threshold('conns', 100);
SELECT status, urgency, breach_date - pg_temp.hour(0)::date <= 1 AS soon FROM capacity_outlook() WHERE metric = 'conns';
SELECT f.forecast_at = pg_temp.hour(f.n::integer) AS hourly, f.forecast_date = f.forecast_at::date AS of_the_day, round(f.predicted)
FROM (SELECT f.*, row_number() OVER () AS n FROM forecast('conns', 3) f) f;
SELECT status, breach_time <= pg_temp.hour(0) AS before_now, breach_time_earliest IS NOT NULL AS known FROM time_to_threshold('conns', 50);
-- 48 hours are enough, 47 are not; of a series, too
DELETE FROM metric_hour WHERE ts <= pg_temp.hour(-48);
SELECT status FROM time_to_threshold('conns', 100);
DELETE FROM metric_hour WHERE ts <= pg_temp.hour(-47);
SELECT status, reason FROM time_to_threshold('conns', 100);
SELECT status, extract(epoch FROM breach_time - pg_temp.hour(0)) / 3600 AS hours
FROM (SELECT series_agg(pg_temp.hour(-h), 90 - h) AS s FROM generate_series(0, 71) h) x, time_to_threshold(x.s, 100);
-- of days no time, only the day
SELECT status, breach_time FROM (SELECT series_agg(pg_temp.hour(0)::date - d, 90 - d) AS s FROM generate_series(0, 30) d) x, time_to_threshold(x.s, 100);
-- with few hours and many days it is the days that speak, without the one that is not over
INSERT INTO metric_value (metric, day, value) SELECT 'conns', pg_temp.hour(0)::date - d, CASE d WHEN 0 THEN 1 ELSE 90 - d END FROM generate_series(0, 40) d;
SELECT status, current_value, breach_time, breach_date - pg_temp.hour(0)::date BETWEEN 9 AND 11 AS in_ten_days FROM time_to_threshold('conns', 100);
SELECT count(*) AS days FROM forecast('conns', 5) WHERE forecast_at = forecast_date;
-- plans go by days, whatever the steps of the metric are
INSERT INTO metric_hour (metric, ts, value) SELECT 'conns', pg_temp.hour(-h), 60 FROM generate_series(47, 300) h ON CONFLICT DO NOTHING;
SELECT count(*), count(DISTINCT forecast_date) FROM what_if('conns', add => 5, horizon => 30);
SELECT position('<svg' IN chart('conns', 30)) > 0 AS drawn;
-- an event of a day is in its hours
INSERT INTO planned_event (metric, from_date, to_date, effect, amount) VALUES ('conns', pg_temp.hour(0)::date + 2, pg_temp.hour(0)::date + 2, 'level', 3);
SELECT count(*) AS hours, min(forecast_at) - (pg_temp.hour(0)::date + 2) AS "from", max(forecast_at) - (pg_temp.hour(0)::date + 2) AS until FROM forecast('conns', 100) WHERE predicted = 3;
DELETE FROM planned_event;

-- History: hours of the last four weeks, and the day's statistic of all.
TRUNCATE metric_hour, metric_value;
SELECT imported, already_stored, last_day - first_day AS days
FROM import_metric('conns', query => 'SELECT date_trunc(''hour'', now()) - h * interval ''30 minutes'' AS ts, h % 48 AS value FROM generate_series(0, 48 * 60) h');
SELECT count(*) BETWEEN 27 * 24 AND 28 * 24 AS four_weeks, min(ts) >= pg_temp.hour(0)::date - 28 AS no_older, max(ts) < pg_temp.hour(0)::date AS not_today FROM metric_hour;
SELECT DISTINCT value FROM metric_value WHERE day < pg_temp.hour(0)::date - 1 AND day > pg_temp.hour(0)::date - 59;
SELECT count(*) FROM import_metric('daily', query => 'SELECT now() - interval ''3 days'' AS ts, 1 AS value');
SELECT count(*) FROM metric_hour WHERE metric = 'daily';

-- Thinned by the night: all hours of four weeks; of older days the one nearest to the limit, unless it is the day's value anyway.
TRUNCATE metric_hour, metric_value;
INSERT INTO metric_hour (metric, ts, value) SELECT m, pg_temp.hour(-h), h % 24 FROM unnest('{conns,load_mean,disk_free,rows_}'::text[]) m, generate_series(0, 24 * 200) h;
SELECT run_forecasts() > 0 AS ran;
SELECT metric, count(*) FILTER (WHERE ts >= pg_temp.hour(0)::date - 28) - extract(hour FROM pg_temp.hour(0)) - 1 AS whole,
	count(*) FILTER (WHERE ts < pg_temp.hour(0)::date - 28) BETWEEN 150 AND 153 AS old, count(DISTINCT value) FILTER (WHERE ts < pg_temp.hour(0)::date - 28) AS old_values,
	min(value) FILTER (WHERE ts < pg_temp.hour(0)::date - 28) AS old_value
FROM metric_hour GROUP BY metric ORDER BY metric;
CREATE TEMP TABLE thinned AS SELECT * FROM metric_hour;
SELECT run_forecasts() > 0 AS ran;
SELECT count(*) AS changed FROM ((TABLE thinned EXCEPT TABLE metric_hour) UNION ALL (TABLE metric_hour EXCEPT TABLE thinned)) d;

-- The archive is by days.
SELECT days FROM forecast_archive WHERE metric = 'conns';
SELECT drop_metric('conns');
SELECT count(*) FROM metric_hour WHERE metric = 'conns';
