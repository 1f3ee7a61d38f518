-- Metrics of the operator's own.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set ECHO all
\set SHOW_CONTEXT never
CREATE TABLE seats (used integer, sold integer);
INSERT INTO seats VALUES (70, 100);
-- What the queries give is shown at once, and not stored.
SELECT * FROM capforecast.add_metric('seats', 'SELECT used FROM public.seats', 'seats', limit_query => 'SELECT sold FROM public.seats', floor => 0);
SELECT * FROM capforecast.add_metric('free_disk_gb', 'SELECT 120.5', 'GB', limit_value => 20, direction => 'down');
SELECT * FROM capforecast.add_metric('signups', 'SELECT NULL::integer', kind => 'flow');
SELECT * FROM capforecast.metric_value;
SELECT * FROM capforecast.metrics WHERE NOT is_builtin ORDER BY metric;
SELECT count(*) FILTER (WHERE is_builtin) AS builtin FROM capforecast.metrics;

-- The job: values and limits of the day; NULL is a reason, not a value.
SELECT capforecast.capture_metrics();
SELECT metric, day = (now() AT TIME ZONE 'UTC')::date AS today, value, source, limit_value
FROM capforecast.metric_history WHERE metric IN ('seats', 'free_disk_gb', 'signups') ORDER BY metric;
SELECT examined, changed, failed, detail FROM capforecast.job_run WHERE job = 'capture_metrics';
-- Again: only what has no value is measured.
UPDATE seats SET used = 80;
SELECT capforecast.capture_metrics();
SELECT examined, changed, failed FROM capforecast.job_run WHERE job = 'capture_metrics' ORDER BY run_id DESC LIMIT 1;
SELECT value FROM capforecast.metric_value WHERE metric = 'seats';
-- A broken one does not stop the others, and doctor() says so.
SELECT * FROM capforecast.add_metric('more', 'SELECT count(*) FROM public.seats');
ALTER TABLE seats RENAME TO places;
DELETE FROM capforecast.metric_value;
SELECT capforecast.capture_metrics();
SELECT detail -> 'seats' ->> 'message' AS seats, detail -> 'signups' ->> 'message' AS signups FROM capforecast.job_run ORDER BY run_id DESC LIMIT 1;
SELECT severity, problem FROM capforecast.doctor() WHERE subject = 'capture_metrics' ORDER BY problem;
ALTER TABLE places RENAME TO seats;

-- A definition is replaced, its history kept; dropped, both go.
SELECT * FROM capforecast.add_metric('free_disk_gb', 'SELECT 130', 'GB', limit_value => 30, direction => 'down');
SELECT value, limit_value FROM capforecast.metric_value WHERE metric = 'free_disk_gb';
SELECT status, reason FROM capforecast.time_to_threshold('free_disk_gb', 20, direction => 'down');
SELECT capforecast.drop_metric('free_disk_gb');
SELECT count(*) FROM capforecast.metric_history WHERE metric = 'free_disk_gb';

-- Misuse.
SELECT capforecast.drop_metric('free_disk_gb');
SELECT capforecast.drop_metric('vendors');
SELECT * FROM capforecast.add_metric('vendors', 'SELECT 1');
SELECT * FROM capforecast.add_metric('Seats', 'SELECT 1');
SELECT * FROM capforecast.add_metric('x', NULL);
SELECT * FROM capforecast.add_metric('x', 'SELECT 1', kind => 'level');
SELECT * FROM capforecast.add_metric('x', 'SELECT 1', direction => 'upward');
SELECT * FROM capforecast.add_metric('x', 'SELECT 1', floor => 2, cap => 1);
SELECT * FROM capforecast.add_metric('x', 'SELECT 1', limit_value => 2, limit_query => 'SELECT 1');
SELECT * FROM capforecast.add_metric('x', 'SELECT 1', limit_value => 'NaN');
SELECT * FROM capforecast.add_metric('x', 'SELECT 1, 2');
SELECT * FROM capforecast.add_metric('x', 'SELECT nothing');
SELECT metric FROM capforecast.own_metric ORDER BY 1;
