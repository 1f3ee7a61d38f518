-- One row for each thing that is missing or wrong, with its fix.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set ECHO all
-- What it says of pg_cron depends on the server; of jobs that fail one stands for all.
CREATE FUNCTION pg_temp.doctor(as_of timestamptz DEFAULT NULL) RETURNS TABLE (state text, severity text, subject text, problem text, fix text)
LANGUAGE sql AS $$
	SELECT state, severity, subject, replace(problem, (now() AT TIME ZONE 'UTC')::date::text, '<today>'), fix FROM capforecast.doctor(as_of)
	WHERE subject <> 'pg_cron' AND subject NOT IN (SELECT name FROM capforecast.job WHERE name <> 'capture_daily_snapshot')
$$;
-- An empty database.
SELECT state, severity, subject, problem, fix FROM pg_temp.doctor();
\set ECHO none
\set file :dir '/platform/schema.sql'
\i :file
\set ECHO all
-- The fixes are statements that can be run: nothing is left afterwards.
SELECT replace(fix, 'capture_daily_snapshot()', 'capture_daily_snapshot() IS NULL') FROM pg_temp.doctor() WHERE state <> 'done' AND subject IN ('jobs', 'snapshot') ORDER BY subject \gexec
SELECT capforecast.push_image_storage(0);
SELECT * FROM pg_temp.doctor();

-- Other names: the proposal keeps what is bound and guesses what is missing.
ALTER TABLE vendors RENAME COLUMN is_active TO enabled;
ALTER TABLE subscription_tiers RENAME TO plans;
ALTER TABLE plans RENAME COLUMN products_limit TO max_products;
ALTER TABLE vendor_subscriptions RENAME COLUMN trial_ends_at TO trial_end;
ALTER TABLE vendor_subscriptions RENAME COLUMN tier TO plan;
ALTER TABLE vendor_subscriptions RENAME COLUMN status TO how_it_is;
SELECT capforecast.bind('vendor_subscriptions', 'vendor_subscriptions', '{"status": "how_it_is"}');
SELECT state, severity, subject, problem, fix FROM pg_temp.doctor() WHERE state <> 'done';
SELECT DISTINCT ON (split_part(subject, '.', 1)) fix FROM pg_temp.doctor() WHERE state <> 'done' AND subject NOT IN ('infrastructure_tier', 'history', 'jobs', 'image_storage') ORDER BY split_part(subject, '.', 1) \gexec
SELECT * FROM pg_temp.doctor();
SELECT entity, table_name, columns FROM capforecast.binding ORDER BY entity;

-- Types, kinds, row-level security.
ALTER TABLE vendor_users ALTER is_active DROP DEFAULT, ALTER is_active TYPE text;
CREATE ROLE regress_capforecast_reader;
GRANT USAGE ON SCHEMA capforecast TO regress_capforecast_reader;
GRANT SELECT ON capforecast.job TO regress_capforecast_reader;
SET ROLE regress_capforecast_reader;
SELECT severity, subject, regexp_replace(problem, 'read .*', 'read …') AS problem,
	fix LIKE 'GRANT SELECT ON %capforecast.capacity_snapshots, %TO regress_capforecast_reader;' AS grants, fix ~ '_secret|_metric_query' AS grants_too_much
FROM pg_temp.doctor();
RESET ROLE;
SET ROLE regress_capforecast_reader;
SELECT fix FROM capforecast.doctor() \gset
RESET ROLE;
:fix
GRANT SELECT ON ALL TABLES IN SCHEMA public TO regress_capforecast_reader;
REVOKE SELECT ON vendors FROM regress_capforecast_reader;
GRANT SELECT (id, enabled) ON vendors TO regress_capforecast_reader;
REVOKE SELECT ON products FROM regress_capforecast_reader;
ALTER TABLE plans ENABLE ROW LEVEL SECURITY;
SET ROLE regress_capforecast_reader;
SELECT DISTINCT fix FROM pg_temp.doctor() WHERE problem LIKE '%schema%';
RESET ROLE;
GRANT USAGE ON SCHEMA public TO regress_capforecast_reader;
SET ROLE regress_capforecast_reader;
SELECT state, severity, subject, problem, fix FROM pg_temp.doctor() WHERE state <> 'done';
RESET ROLE;
-- A role that may call the writers needs more.
GRANT EXECUTE ON FUNCTION capforecast.capture_daily_snapshot TO regress_capforecast_reader;
SET ROLE regress_capforecast_reader;
SELECT severity, subject, problem, fix FROM pg_temp.doctor() WHERE problem LIKE '%may not%';
RESET ROLE;
DROP OWNED BY regress_capforecast_reader;
DROP ROLE regress_capforecast_reader;
ALTER TABLE vendor_users ALTER is_active TYPE boolean USING is_active::boolean;

-- Writers: views cannot be written to, add-ons need their unique index.
CREATE VIEW subscriptions_seen AS SELECT * FROM vendor_subscriptions;
SELECT capforecast.bind('vendor_subscriptions', 'subscriptions_seen',
	'{"status": "how_it_is", "tier": "plan", "trial_ends_at": "trial_end"}');
DROP INDEX vendor_addons_one_live;
SELECT * FROM pg_temp.doctor();
SELECT fix FROM pg_temp.doctor() WHERE subject = 'vendor_addons' \gexec
SELECT count(*) FROM pg_temp.doctor() WHERE subject = 'vendor_addons';
SELECT capforecast.unbind('vendor_subscriptions');
SELECT severity, subject, fix FROM pg_temp.doctor() WHERE subject LIKE 'vendor_subscriptions%';

-- Snapshots of the future, a clock that has gone back, an old last snapshot.
TRUNCATE capforecast.capacity_snapshots;
INSERT INTO capforecast.capacity_snapshots (snapshot_date, captured_at) VALUES ('9999-01-01', '9999-01-01'), ('2024-03-01', '2024-03-01');
SELECT severity, subject, problem, fix FROM pg_temp.doctor('2024-03-04 12:00+00') WHERE subject = 'snapshot';
SELECT severity, subject, regexp_replace(problem, 'clock says [^,]+', 'clock says …') AS problem FROM pg_temp.doctor() WHERE subject = 'clock';
DELETE FROM capforecast.capacity_snapshots WHERE snapshot_date = '9999-01-01';
SELECT count(*) FROM pg_temp.doctor('2024-03-02 23:59+00') WHERE subject IN ('snapshot', 'clock') AND state <> 'done';

-- Runs: failing, overdue, killed, and a part that was left out.
TRUNCATE capforecast.job_run;
INSERT INTO capforecast.job_run (job, started_at, as_of, status, changed, failed, detail) VALUES
	('capture_daily_snapshot', '2024-03-01 10:07+00', '2024-03-01 10:07+00', 'ok', 1, 1,
	 '{"image_storage": {"message": "the bound query returned NULL"}}'),
	('capture_daily_snapshot', '2024-03-01 11:07+00', '2024-03-01 11:07+00', 'failed', NULL, NULL,
	 '{"error": {"sqlstate": "55P03", "message": "canceling statement due to lock timeout"}}'),
	('capture_daily_snapshot', '2024-02-20 11:07+00', '2024-02-20 11:07+00', 'running', NULL, NULL, NULL);
SELECT severity, subject, regexp_replace(problem, '^run \d+', 'run …') AS problem, regexp_replace(fix, 'run_id = \d+', 'run_id = …') AS fix
FROM pg_temp.doctor('2024-03-01 11:30+00') WHERE subject = 'capture_daily_snapshot';
SELECT severity, problem FROM pg_temp.doctor('2024-03-01 14:30+00') WHERE subject = 'capture_daily_snapshot' AND severity = 'error';

-- Image storage.
SELECT capforecast.push_image_storage(5, '2024-03-01 10:00+00');
SELECT severity, problem FROM pg_temp.doctor('2024-03-04 12:00+00') WHERE subject = 'image_storage';
SELECT capforecast.bind_image_storage();
SELECT severity, problem, fix FROM pg_temp.doctor() WHERE subject = 'image_storage';
SELECT capforecast.bind_image_storage(query => 'SELECT NULL::bigint');
SELECT severity, problem, fix FROM pg_temp.doctor() WHERE subject = 'image_storage';
SELECT capforecast.bind_image_storage(query => 'SELECT 42');
SELECT count(*) FROM pg_temp.doctor() WHERE subject = 'image_storage' AND state <> 'done';

-- A checklist: one thing after the other, what is wrong at once.
CREATE FUNCTION pg_temp.list() RETURNS TABLE (state text, subject text, problem text) LANGUAGE sql AS $$
	SELECT state, subject, regexp_replace(problem, '\d{4}-\d\d-\d\d', '<day>', 'g') FROM pg_temp.doctor() WHERE subject !~ '^vendor_|storage' $$;
\set ECHO none
SET client_min_messages = warning;
DROP EXTENSION capforecast;
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
CREATE EXTENSION capforecast;
RESET client_min_messages;
\set file :dir '/platform/schema.sql'
\i :file
\set ECHO all
SELECT * FROM pg_temp.list();
SELECT snapshot_date IS NOT NULL FROM capforecast.capture_daily_snapshot();
SELECT * FROM pg_temp.list();
SELECT capforecast.use_infrastructure_tier('Small');
SELECT state, subject FROM pg_temp.list();
INSERT INTO capforecast.capacity_snapshots (snapshot_date, active_vendors, source) VALUES (current_date - 3, 1, 'backfilled');
SELECT state, subject FROM pg_temp.list();
CALL capforecast.run_maintenance();
SELECT state, subject FROM pg_temp.list();
INSERT INTO capforecast.job_run (job, started_at, finished_at, as_of, status) VALUES ('capture_daily_snapshot', now() + interval '1 second', now() + interval '1 second', now(), 'failed');
SELECT state, subject, problem FROM pg_temp.doctor(now() + interval '2 seconds') WHERE state = 'next step';
TRUNCATE capforecast.forecast_archive;
