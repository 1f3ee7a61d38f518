-- What goes wrong around the jobs, and is made good: a table that was away, a metric without its query, a run without an end.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';
INSERT INTO vendors (id, vendor_code, name) VALUES (1, 'a', 'A');
INSERT INTO products (vendor_id) SELECT 1 FROM generate_series(1, 5);

-- A day that was captured while a table was away is completed by a later run, and is then done.
CREATE FUNCTION pg_temp.last_run() RETURNS text LANGUAGE sql AS
	$$ SELECT r.changed || ' changed, ' || r.failed || ' failed' FROM capforecast.job_run r WHERE r.job = 'capture_daily_snapshot' ORDER BY run_id DESC LIMIT 1 $$;
CREATE FUNCTION pg_temp.advice() RETURNS SETOF text LANGUAGE sql AS
	$$ SELECT problem FROM capforecast.doctor() WHERE problem LIKE '%products%' AND severity IN ('error', 'warning') ORDER BY 1 $$;
ALTER TABLE products RENAME TO products_away;
SELECT is((SELECT total_products FROM capforecast.capture_daily_snapshot()), NULL, 'away: the day goes without');
SELECT is(pg_temp.last_run(), '1 changed, 1 failed', 'and its run says so');
SELECT is((SELECT total_products FROM capforecast.capture_daily_snapshot()), NULL, 'still away');
SELECT ok(count(*) > 0, 'doctor() says what is missing') FROM pg_temp.advice();
ALTER TABLE products_away RENAME TO products;
INSERT INTO vendors (id, vendor_code, name) VALUES (2, 'b', 'B');
SELECT is((SELECT (total_vendors, total_products)::text FROM capforecast.capture_daily_snapshot()), '(1,5)', 'back: what was missing is filled in, the rest stays as it was');
SELECT is(pg_temp.last_run(), '1 changed, 0 failed', 'by a run like any other');
SELECT is((SELECT (total_vendors, total_products)::text FROM capforecast.capture_daily_snapshot()), '(1,5)', 'and then the day is done');
SELECT is(pg_temp.last_run(), '0 changed, 0 failed', 'for later runs, too');
SELECT is_empty('SELECT * FROM pg_temp.advice()', 'doctor() has nothing more to say');

-- A metric that has lost its query, and queries without a metric
SELECT capforecast.add_metric('conns', 'SELECT count(*) FROM pg_stat_activity') IS NOT NULL AS added \gset
DELETE FROM capforecast._metric_query;
SELECT is((SELECT severity || ': ' || problem FROM capforecast.doctor() WHERE subject = 'conns'), 'warning: the metric has no query: nothing measures it', 'is told');

-- A run that was killed, as it stands in the log: begun now and as of now
INSERT INTO capforecast.job_run (job, started_at, as_of, status) VALUES ('raise_alerts', now() - interval '25 hours', now() - interval '25 hours', 'running'),
	('run_forecasts', now() - interval '23 hours', now() - interval '23 hours', 'running');
SELECT is((SELECT array_agg(subject) FROM capforecast.doctor() WHERE problem LIKE 'run % has been running since%'), '{raise_alerts}', 'what began over a day ago, and has no end');

SELECT * FROM finish();
ROLLBACK;
