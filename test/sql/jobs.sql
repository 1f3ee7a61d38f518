-- Jobs: the run log, scheduling without pg_cron in this database, and running what is due.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set file :dir '/platform/schema.sql'
\i :file
\set SHOW_CONTEXT never
\set ECHO all
INSERT INTO vendors (vendor_code, name) VALUES ('a', 'A');
CREATE VIEW pg_temp.runs AS
	SELECT job, status, examined, changed, failed, finished_at >= started_at AS finished, detail FROM capforecast.job_run ORDER BY run_id;
-- A run that succeeds, one that finds nothing to do, one that fails: each on record.
CALL capforecast.run_job('capture_daily_snapshot');
CALL capforecast.run_job('capture_daily_snapshot');
DELETE FROM capforecast.capacity_snapshots;
ALTER TABLE capforecast.capacity_snapshots ADD CONSTRAINT refuse CHECK (total_vendors > 5);
\set VERBOSITY terse
CALL capforecast.run_job('capture_daily_snapshot');
\set VERBOSITY default
CALL capforecast.run_job('capture_daily_snapshot', raise_error => false);
SELECT job, status, examined, changed, failed, finished, detail -> 'error' ->> 'sqlstate' AS sqlstate FROM pg_temp.runs;
SELECT status, overdue, last_status, last_error LIKE '%violates check constraint%' AS says_why, runs_failed_in_a_row
FROM capforecast.job_health() WHERE job = 'capture_daily_snapshot';
ALTER TABLE capforecast.capacity_snapshots DROP CONSTRAINT refuse;
-- Called as a function it settles its own row.
SELECT total_vendors FROM capforecast.capture_daily_snapshot();
SELECT count(*), count(*) FILTER (WHERE status = 'ok') AS ok FROM capforecast.job_run;
SELECT status FROM capforecast.job_health() WHERE job = 'capture_daily_snapshot';

-- Health over time.
TRUNCATE capforecast.job_run;
SELECT status, overdue, last_success, next_due, runs_failed_in_a_row
FROM capforecast.job_health('2024-03-01 12:00+00') WHERE job = 'capture_daily_snapshot';
INSERT INTO capforecast.job_run (job, started_at, as_of, status) VALUES ('capture_daily_snapshot', '2024-03-01 10:07+00', '2024-03-01 10:07+00', 'ok');
SELECT t.at, status, overdue, next_due FROM unnest(ARRAY['2024-03-01 10:06', '2024-03-01 10:07', '2024-03-01 13:07', '2024-03-01 13:08']::timestamptz[]) t(at)
	CROSS JOIN LATERAL capforecast.job_health(t.at) h WHERE h.job = 'capture_daily_snapshot';
SELECT t.at, (SELECT count(*) FROM capforecast._due_jobs(t.at) d WHERE d = 'capture_daily_snapshot') AS due
FROM unnest(ARRAY['2024-03-01 10:07', '2024-03-01 11:06', '2024-03-01 11:07']::timestamptz[]) t(at);
INSERT INTO capforecast.job_run (job, started_at, as_of, status) VALUES
	('capture_daily_snapshot', '2024-03-01 11:07+00', '2024-03-01 11:07+00', 'failed'),
	('capture_daily_snapshot', '2024-03-01 12:07+00', '2024-03-01 12:07+00', 'running');
SELECT status, last_status, runs_failed_in_a_row FROM capforecast.job_health('2024-03-01 12:00+00') WHERE job = 'capture_daily_snapshot';
SELECT status, last_status, runs_failed_in_a_row FROM capforecast.job_health('2024-03-01 12:30+00') WHERE job = 'capture_daily_snapshot';

-- Everything that is due, and only that.
TRUNCATE capforecast.job_run;
TRUNCATE capforecast.capacity_snapshots;
SET client_min_messages = error;
CALL capforecast.run_maintenance();
RESET client_min_messages;
SELECT job, status, changed FROM pg_temp.runs WHERE job = 'capture_daily_snapshot';
SELECT total_vendors FROM capforecast.capacity_snapshots;
SET client_min_messages = error;
CALL capforecast.run_maintenance();
RESET client_min_messages;
SELECT count(*) FROM pg_temp.runs WHERE job = 'capture_daily_snapshot';
-- A job that fails does not stop the others, and is named.
TRUNCATE capforecast.job_run;
ALTER TABLE capforecast.job_run ADD CONSTRAINT refuse CHECK (job <> 'capture_daily_snapshot' OR changed IS NULL);
SET client_min_messages = error;
CALL capforecast.run_maintenance();
RESET client_min_messages;
SELECT job, status FROM pg_temp.runs WHERE job = 'capture_daily_snapshot';
ALTER TABLE capforecast.job_run DROP CONSTRAINT refuse;

-- pg_cron serves another database of this server: what to run there.
\set QUIET on
SET client_min_messages = error;
SELECT s.job, s.schedule, s.status LIKE 'to run in database %' AS elsewhere, s.statement
FROM capforecast.schedule_jobs() s WHERE s.job = 'capture_daily_snapshot';
SELECT job, status LIKE 'to run in database %' AS elsewhere, statement FROM capforecast.unschedule_jobs() WHERE job = 'capture_daily_snapshot';
RESET client_min_messages;
SELECT count(*) FROM capforecast.job j WHERE j.every <= interval '0' OR j.purpose IS NULL OR j.statement !~ '^SELECT ';

-- What the host has deferred fails the job that it belongs to, and stops no other.
TRUNCATE capforecast.job_run;
INSERT INTO vendors (vendor_code, name) VALUES ('b', 'B'), ('c', 'C');
INSERT INTO vendor_subscriptions (vendor_id, tier, status, period_start, period_end)
SELECT id, 'essential', 'active', now() - interval '31 days', now() - interval '1 second' FROM vendors;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not this one'; END $$;
CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON billing_history DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW WHEN (NEW.vendor_id = 2) EXECUTE FUNCTION refuse();
CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON capforecast.capacity_snapshots DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();
DELETE FROM capforecast.capacity_snapshots;
SET capforecast.manage_subscriptions = on;
SET client_min_messages = error;
CALL capforecast.run_maintenance();
RESET client_min_messages;
SELECT job, status, changed, failed, finished, detail -> 'error' ->> 'message' AS error FROM pg_temp.runs
WHERE job IN ('capture_daily_snapshot', 'reset_period_counters', 'run_forecasts', 'sync_stripe_status') ORDER BY job;
SELECT code, subject, detail ->> 'message' AS message FROM capforecast.finding;
SELECT count(*) FROM billing_history;
SELECT status, rows_failed FROM capforecast.job_health() WHERE job = 'reset_period_counters';
DROP FUNCTION refuse CASCADE;
RESET capforecast.manage_subscriptions;

-- The run log's texts are bounded, and what settles a run checks what it is given.
SELECT capforecast._settle_run('x', now(), now(), 1, 1, detail => jsonb_build_object('long', repeat('ü', 1000000))) AS run \gset
SELECT octet_length(detail::text) < 1100 AS cut FROM capforecast.job_run WHERE run_id = :run;
SELECT capforecast._settle_run('x', now(), now(), 1, 1, detail => '1');
SELECT capforecast._settle_run('x', now(), now(), 1, 1, detail => '[]');
SELECT capforecast._settle_run(NULL, now(), now(), 1, 1);
SELECT capforecast._settle_run('x', now(), now(), 1, NULL);
SELECT capforecast._begin_run(NULL, now(), now());
