-- Thresholds of the run log, the archive, image storage and own metrics: the value on either side of each edge.
BEGIN;
SELECT no_plan();
SET LOCAL timezone = 'UTC';
\set at '''2026-01-10 12:00+00'''::timestamptz

-- --- defaults: what is taken where nothing is said; a function that is not listed has its own test

SELECT is_empty($$
	VALUES ('backfill_snapshots', 'NULL::date, ''00:07:00''::time without time zone'), ('backfill_vendor_usage', '''00:07:00''::time without time zone'),
		('backtest', '30, 5, ''auto''::text, 0.95, NULL::integer, NULL::double precision, NULL::double precision, NULL::text'),
		('capacity_outlook', '''365 days''::interval, ''expected''::text, NULL::timestamp with time zone'),
		('capacity_plan', '''1 year''::interval, 0.80, NULL::timestamp with time zone'),
		('capacity_report', '''html''::text, ''365 days''::interval, NULL::text, NULL::timestamp with time zone'),
		('check_trial_expirations', 'NULL::timestamp with time zone, ''3 days''::interval, false'),
		('cleanup_stale_subscriptions', 'NULL::timestamp with time zone, ''30 days''::interval, false'), ('detect_changepoints', 'NULL::integer, 10'),
		('explain_forecast', '30, ''auto''::text, 0.95, NULL::integer, NULL::double precision, NULL::double precision, NULL::text, NULL::timestamp with time zone'),
		('forecast', '30, ''auto''::text, 0.95, NULL::integer, NULL::double precision, NULL::double precision, NULL::text, NULL::timestamp with time zone'),
		('forecast_accuracy', 'NULL::text, 90, NULL::timestamp with time zone'), ('growth_contributors', '30, NULL::timestamp with time zone'),
		('growth_trends', '30, NULL::timestamp with time zone'), ('sparkline', '40'),
		('time_to_threshold', '''365 days''::interval, 0.80, ''up''::text, NULL::integer, NULL::text, NULL::timestamp with time zone'),
		('vendor_outlook', '''30 days''::interval, NULL::timestamp with time zone'), ('check_limit', '1, NULL::timestamp with time zone'), ('reserve_limit', '1, NULL::timestamp with time zone'),
		('purchase_addon', '1, NULL::text, NULL::timestamp with time zone'), ('quote_addon', '1, NULL::timestamp with time zone'), ('take_outbox', '10, NULL::timestamp with time zone'),
		('what_if', '0, 1, NULL::date, NULL::double precision, 90, 0.95, NULL::timestamp with time zone'),
		('chart', '183, NULL::double precision, NULL::text, 720, 240, NULL::text, NULL::timestamp with time zone'), ('chart', '30, NULL::double precision, NULL::text, 720, 240, NULL::text, NULL::timestamp with time zone')
	EXCEPT SELECT p.proname, pg_get_expr(p.proargdefaults, 0) FROM pg_proc p WHERE p.pronamespace = 'capforecast'::regnamespace$$, 'defaults of arguments');
SELECT is_empty($$
	SELECT p.proname, pg_get_expr(p.proargdefaults, 0) FROM pg_proc p WHERE p.pronamespace = 'capforecast'::regnamespace AND p.proname IN ('forecast', 'time_to_threshold', 'explain_forecast')
	GROUP BY 1, 2 HAVING count(*) <> 2$$, 'the same for a series and for a metric');

-- --- the jobs, and whether they ran

SELECT results_eq('SELECT name, schedule, every, writes_host, patience FROM capforecast.job ORDER BY name', $$
	VALUES ('capture_daily_snapshot', '7 * * * *', interval '1 hour', false, interval '2 hours'), ('capture_metrics', '9 * * * *', '1 hour', false, '2 hours'),
		('capture_vendor_usage', '11 * * * *', '1 hour', false, '2 hours'), ('check_trial_expirations', '17 * * * *', '1 hour', true, '2 hours'),
		('cleanup_stale_subscriptions', '23 4 * * *', '1 day', true, '2 days'), ('look_at_vendors', '51 0 * * *', '1 day', false, '2 days'),
		('raise_alerts', '13 * * * *', '1 hour', false, '2 hours'), ('reset_period_counters', '*/5 * * * *', '5 minutes', true, '15 minutes'),
		('run_forecasts', '47 0 * * *', '1 day', false, '2 days'), ('sync_stripe_status', '*/10 * * * *', '10 minutes', true, '20 minutes')$$, 'the jobs');

CREATE FUNCTION pg_temp.state(VARIADIC runs text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE at constant timestamptz := '2026-01-10 12:00+00'; run text; answer text;
BEGIN
	DELETE FROM capforecast.job_run;
	FOREACH run IN ARRAY runs LOOP
		INSERT INTO capforecast.job_run (job, started_at, as_of, status, detail)
		VALUES ('raise_alerts', at + split_part(run, ' ', 2)::interval, at, split_part(run, ' ', 1), '{"error": {"message": "why"}}');
	END LOOP;
	SELECT concat_ws(' ', h.status, CASE WHEN h.overdue THEN 'late' END, h.last_status, h.last_started - at, h.next_due - at, h.runs_failed_in_a_row, h.rows_failed,
		CASE WHEN h.held_by = pg_backend_pid() THEN 'held' END, h.last_success - at, h.last_error)
	INTO answer FROM capforecast.job_health(at) h WHERE h.job = 'raise_alerts';
	RETURN answer;
END $$;
SELECT is(pg_temp.state(VARIADIC '{}'), 'never_run late 00:00:00 0 0', 'never run: due now');
SELECT is(pg_temp.state('ok -02:00:00'), 'ok ok -02:00:00 -01:00:00 0 0 -02:00:00 why', 'a success is good for its patience');
SELECT is(pg_temp.state('ok -02:00:00.000001'), 'overdue late ok -02:00:00.000001 -01:00:00.000001 0 0 -02:00:00.000001 why', 'and no longer');
SELECT is(pg_temp.state('ok 00:00:00'), 'ok ok 00:00:00 01:00:00 0 0 00:00:00 why', 'a run of this instant counts');
SELECT is(pg_temp.state('ok 00:00:00.000001'), 'never_run late 00:00:00 0 0', 'one to come does not');
SELECT is(pg_temp.state('ok -01:00:00', 'failed -00:01:00'), 'failing failed -00:01:00 00:00:00 1 0 -01:00:00 why', 'the last run failed');
SELECT is(pg_temp.state('ok -01:00:00', 'failed 00:00:00'), 'failing failed 00:00:00 00:00:00 1 0 -01:00:00 why', 'in this instant, too');
SELECT is(pg_temp.state('ok -01:00:00', 'failed 00:00:00.000001'), 'ok ok -01:00:00 00:00:00 0 0 -01:00:00 why', 'but not in one to come');
SELECT is(pg_temp.state('failed -01:30:00', 'ok -01:00:00'), 'ok ok -01:00:00 00:00:00 0 0 -01:00:00 why', 'what failed before a success is over');
SELECT is(pg_temp.state('failed -01:00:00', 'ok -01:00:00'), 'ok ok -01:00:00 00:00:00 0 0 -01:00:00 why', 'of two at once the later row is the later run');
SELECT is(pg_temp.state('ok -01:00:00', 'failed -01:00:00'), 'failing failed -01:00:00 00:00:00 0 0 -01:00:00 why', 'either way');
SELECT is(pg_temp.state('failed -01:00:00', 'failed -00:30:00'), 'overdue late failed -00:30:00 00:00:00 2 0 why', 'failed twice, never well');
SELECT is(pg_temp.state('ok -01:00:00', 'already_running -00:30:00'), 'ok ok -01:00:00 00:00:00 0 0 -01:00:00 why', 'a run that found it at work is none');
SELECT is(pg_temp.state('ok -02:30:00', 'running -02:00:00'), 'overdue late running -02:00:00 -01:30:00 0 0 -02:30:00 why', 'a run may take its patience');
SELECT is(pg_temp.state('ok -02:30:00', 'running -02:00:00.000001'), 'hanging late running -02:00:00.000001 -01:30:00 0 0 -02:30:00 why', 'and hangs then');
SELECT is(pg_temp.state('running -02:30:00', 'ok -01:00:00'), 'ok ok -01:00:00 00:00:00 0 0 -01:00:00 why', 'unless one came after it');
INSERT INTO capforecast.job_run (job, started_at, as_of, status) VALUES ('run_forecasts', :at, :at, 'failed'), ('look_at_vendors', :at, :at, 'ok');
SELECT is((SELECT string_agg(job || ' ' || status, ', ' ORDER BY job) FROM capforecast.job_health(:at) WHERE job IN ('run_forecasts', 'look_at_vendors', 'raise_alerts')),
	'look_at_vendors ok, raise_alerts ok, run_forecasts overdue', 'each job by its own runs');
SELECT is((SELECT string_agg(job, ' ') FROM capforecast.job_health(:at)),
	'capture_daily_snapshot capture_metrics capture_vendor_usage run_forecasts look_at_vendors raise_alerts', 'overdue first; those that write host tables only where they are enabled');
SELECT capforecast._report('{job_row_failed}', '[{"code": "job_row_failed", "subject": "raise_alerts 7"}, {"code": "job_row_failed", "subject": "raise_alerts2 7"}, {"code": "other", "subject": "raise_alerts 7"}]', :at);
SELECT is(pg_temp.state('ok -01:00:00'), 'incomplete ok -01:00:00 00:00:00 0 1 -01:00:00 why', 'rows that failed');
UPDATE capforecast.finding SET resolved_at = :at WHERE subject = 'raise_alerts 7';
SELECT is(pg_temp.state('ok -01:00:00'), 'ok ok -01:00:00 00:00:00 0 0 -01:00:00 why', 'and were mended');
-- Held by this session until the end.
SELECT ok(capforecast._begin_run('raise_alerts', :at, :at), 'the lock is free');
SELECT is(pg_temp.state('failed -02:00:00'), 'overdue late failed -02:00:00 00:00:00 1 0 held why', 'held within the patience since the first run');
SELECT is(pg_temp.state('failed -02:00:00.000001', 'failed -01:00:00'), 'hanging late failed -01:00:00 00:00:00 2 0 held why', 'held for longer');
SELECT is(pg_temp.state('ok -02:00:00'), 'ok ok -02:00:00 -01:00:00 0 0 held -02:00:00 why', 'held within the patience since the last success');
SELECT is(pg_temp.state('ok -02:00:00.000001'), 'hanging late ok -02:00:00.000001 -01:00:00.000001 0 0 held -02:00:00.000001 why', 'held for longer than that');
SELECT is((SELECT count(*)::integer FROM capforecast.job_health(:at) WHERE held_by IS NOT NULL), 1, 'a lock is one job''s');

-- What is kept of the log: 400 days by the clock.
DELETE FROM capforecast.job_run;
INSERT INTO capforecast.job_run (job, started_at, as_of, status) SELECT 'x', clock_timestamp() - interval '400 days' + m * interval '1 minute', :at, 'ok' FROM unnest('{-1,1}'::integer[]) m;
SELECT capforecast._purge_runs();
SELECT is((SELECT string_agg((started_at > clock_timestamp() - interval '400 days')::text, ' ') FROM capforecast.job_run), 'true', 'runs of 400 days are kept');

-- Findings.
SELECT is((SELECT string_agg(code || ' ' || capforecast._severity(code), ', ' ORDER BY code) FROM unnest('{billed_but_cancelled,clock_moved_back,event_id_reuse,mass_change_guard,no_price,
	stripe_mirror_empty,stripe_status_unknown,irregular_period,stripe_row_lagging,anything}'::text[]) code),
	'anything warning, billed_but_cancelled critical, clock_moved_back critical, event_id_reuse critical, irregular_period info, mass_change_guard critical, no_price critical, '
	'stripe_mirror_empty critical, stripe_row_lagging info, stripe_status_unknown critical', 'how severe a finding is');
DELETE FROM capforecast.finding;
SELECT capforecast._report('{a}', '[{"code": "a", "subject": "x 1"}, {"code": "a", "subject": "y 1"}, {"code": "b", "subject": "x 1", "severity": "info"}]', :at);
SELECT capforecast._report('{a}', '[{"code": "a", "subject": "x 1"}]', :at + interval '1 hour');
SELECT is((SELECT string_agg(concat_ws(' ', code, severity, subject, last_seen - first_seen, seen_count, resolved_at - first_seen), ', ' ORDER BY code, subject) FROM capforecast.finding),
	'a warning x 1 01:00:00 2, a warning y 1 00:00:00 1 01:00:00, b info x 1 00:00:00 1', 'seen again, resolved, not looked for');
SELECT capforecast._resolve('{a,b}', '[]', :at + interval '2 hours', 'x ');
SELECT capforecast._report('{}', '[{"code": "a", "subject": "y 1"}]', :at + interval '3 hours');
SELECT is((SELECT count(*)::integer FROM capforecast.finding WHERE resolved_at IS NULL), 1, 'a scope is resolved; what comes back is a new one');
SELECT is(capforecast._count_by_code('[{"code": "a"}, {"code": "a"}, {"code": "b"}]'), '{"a": 2, "b": 1}', 'findings by code');
SELECT is(f::text, format('(,"%s",t,0,0,0,0,"{""a"": 1}",f)', :at), 'a dry run''s result') FROM capforecast._finish('raise_alerts', :at, :at, true, '{}', '[{"code": "a"}]', '{}') f;

-- How far long work has got.
SELECT set_config('application_name', format('capforecast: edges %s %s', n, floor(extract(epoch FROM clock_timestamp() - interval '1000 s'))), true) FROM (VALUES ('10/40')) v(n);
SELECT ok(p.what = 'edges' AND p.done = 10 AND p.total = 40 AND p."left" BETWEEN '3000 s' AND '3100 s' AND p.started_at BETWEEN clock_timestamp() - interval '1100 s' AND clock_timestamp() - interval '1000 s', 'time left')
FROM capforecast.progress() p WHERE p.pid = pg_backend_pid();
SELECT set_config('application_name', format('capforecast: edges %s %s', n, floor(extract(epoch FROM clock_timestamp() - interval '1000 s'))), true), pg_stat_clear_snapshot() FROM (VALUES ('0/40')) v(n);
SELECT is((SELECT concat_ws(' ', p.done, p.total, p."left") FROM capforecast.progress() p WHERE p.pid = pg_backend_pid()), '0 40', 'nothing done: no time left is known');
SELECT set_config('application_name', format('capforecast: edges %s %s', n, floor(extract(epoch FROM clock_timestamp() - interval '1000 s'))), true), pg_stat_clear_snapshot() FROM (VALUES ('7')) v(n);
SELECT is((SELECT concat_ws(' ', p.done, p.total, p."left") FROM capforecast.progress() p WHERE p.pid = pg_backend_pid()), '7', 'no total: neither');
RESET application_name;

-- --- the archive: the level that is to hold 80 %

INSERT INTO capforecast.own_metric (metric, kind, direction) SELECT m, 'stock', 'up' FROM unnest('{edge,other}'::text[]) m;
CREATE FUNCTION pg_temp.archive(metric text, made_on date, level double precision, days integer[]) RETURNS void LANGUAGE sql AS $$
	INSERT INTO capforecast.forecast_archive (metric, made_on, calibrated_level, status, model, scale, days, predicted, lower_80, upper_80, lower_95, upper_95)
	VALUES (metric, made_on, level, 'ok', 'drift', 4, days, array_fill(110.0::float8, ARRAY[cardinality(days)]), array_fill(90.0::float8, ARRAY[cardinality(days)]), array_fill(100.0::float8, ARRAY[cardinality(days)]),
		array_fill(80.0::float8, ARRAY[cardinality(days)]), array_fill(101.0::float8, ARRAY[cardinality(days)])) $$;
CREATE FUNCTION pg_temp.came(day date, value double precision, metric text DEFAULT 'edge') RETURNS void LANGUAGE sql AS $$
	INSERT INTO capforecast.metric_value (metric, day, value) VALUES (metric, day, value) $$;
CREATE FUNCTION pg_temp.level(made_on date) RETURNS numeric LANGUAGE sql AS $$ SELECT round(capforecast._calibrated_level('edge', made_on)::numeric, 6) $$;
SELECT is(pg_temp.level('2026-01-10'), 0.80, 'at first 80 %');
SELECT pg_temp.archive('edge', '2026-01-01', 0.80, '{1,2,3,9}');
SELECT is(pg_temp.level('2026-01-10'), 0.80, 'nothing came');
SELECT pg_temp.came('2026-01-02', 100);
SELECT is(pg_temp.level('2026-01-10'), 0.796, 'held, at the bound: 0.02 x 0.2 less');
SELECT pg_temp.came('2026-01-03', 100.5);
SELECT is(pg_temp.level('2026-01-10'), 0.812, 'missed: 0.02 x 0.8 more');
SELECT pg_temp.came('2026-01-10', 90);
SELECT is(pg_temp.level('2026-01-09'), 0.812, 'what comes later does not count');
SELECT is(pg_temp.level('2026-01-10'), 0.808, 'what came on the day does');
SELECT is(pg_temp.level('2026-01-01'), 0.80, 'of its own day it learns nothing');
SELECT is(pg_temp.level('2026-01-02'), 0.796, 'on the next day it does');
SELECT pg_temp.archive('edge', '2026-01-02', 0.7, '{1,8}'), pg_temp.archive('other', '2026-01-09', 0.6, '{1}');
SELECT is(pg_temp.level('2026-01-10'), 0.7 + 0.02 * 0.8 - 0.02 * 0.2, 'from the newest, of this metric, with what came after it; a day once, by the share held');
UPDATE capforecast.forecast_archive SET calibrated_level = 0.99 WHERE made_on = '2026-01-02';
SELECT is(pg_temp.level('2026-01-04'), 0.99, 'at most 99 %');
UPDATE capforecast.forecast_archive SET calibrated_level = 0.5, upper_80 = '{101,101,101,101}' WHERE metric = 'edge';
SELECT is(pg_temp.level('2026-01-04'), 0.5, 'at least 50 %');
SELECT throws_ok($$SELECT pg_temp.archive('edge', '2025-01-01', 0.4999, '{1}')$$, '23514', NULL, 'no level below');
SELECT throws_ok($$SELECT pg_temp.archive('edge', '2025-01-01', 0.9901, '{1}')$$, '23514', NULL, 'and none above');
SELECT lives_ok($$SELECT pg_temp.archive('edge', '2025-01-01', 0.5, '{}'), pg_temp.archive('edge', '2025-01-02', 0.99, '{}')$$, 'the limits are levels');

-- --- accuracy by band, and within the days asked for
DELETE FROM capforecast.forecast_archive;
DELETE FROM capforecast.metric_value;
SELECT pg_temp.archive('edge', '2026-01-01', 0.80, '{1,7,8,30,31,90}'), pg_temp.archive('other', '2026-01-01', 0.80, '{1}');
SELECT pg_temp.came(date '2026-01-01' + d, v) FROM (VALUES (1, 100), (7, 90), (8, 101), (30, 80), (31, 79.9), (90, 110)) c(d, v);
CREATE FUNCTION pg_temp.accuracy(days integer, as_of timestamptz, metric text DEFAULT 'edge') RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', a.metric, a.horizon_from, a.horizon_to, a.n, round(a.mae::numeric, 3), round(a.smape_percent::numeric, 3), round(a.mase::numeric, 3), round(a.bias::numeric, 3),
		a.coverage_80_ratio, a.coverage_95_ratio, a.width_80), ', ' ORDER BY a.metric, a.horizon_from) FROM capforecast.forecast_accuracy(metric, days, as_of) a $$;
SELECT is(pg_temp.accuracy(100, '2026-04-02'), 'edge 1 7 2 15.000 14.762 3.750 15.000 1 1 10, edge 8 30 2 19.500 20.055 4.875 19.500 0 1 10, edge 31 90 2 15.050 15.850 3.763 15.050 0 0 10', 'three bands');
SELECT is(pg_temp.accuracy(1, '2026-04-01'), 'edge 31 90 1 0.000 0.000 0.000 0.000 0 0 10', 'the last day is in');
SELECT is(pg_temp.accuracy(1, '2026-03-31'), NULL, 'not before it came');
SELECT is(pg_temp.accuracy(1, '2026-04-02'), NULL, 'and not after so many days');
UPDATE capforecast.forecast_archive SET days = '{91}', predicted = '{0}', lower_80 = '{0}', upper_80 = '{0}', lower_95 = '{0}', upper_95 = '{0}' WHERE metric = 'edge';
SELECT pg_temp.came('2026-04-02', 0), pg_temp.came('2026-01-02', 0, 'other');
SELECT is(pg_temp.accuracy(10, '2026-04-02'), NULL, 'no band beyond 90 days');
UPDATE capforecast.forecast_archive SET predicted = '{0}' WHERE metric = 'other';
SELECT is(pg_temp.accuracy(100, '2026-04-02', NULL), 'other 1 7 1 0.000 0.000 0.000 0.000 0 0 10', 'nothing of nothing is no error; NULL: every metric');

-- What is kept: 400 days by the clock.
DELETE FROM capforecast.forecast_archive;
SELECT pg_temp.archive('edge', (clock_timestamp() AT TIME ZONE 'UTC')::date - d, 0.8, '{}') FROM unnest('{399,400,401}'::integer[]) d;
DELETE FROM capforecast.own_metric;
SELECT is(capforecast.run_forecasts(), (SELECT count(*) FROM capforecast.metrics), 'every metric is kept');
SELECT is((SELECT array_agg((clock_timestamp() AT TIME ZONE 'UTC')::date - made_on ORDER BY made_on) FROM capforecast.forecast_archive WHERE metric = 'edge'), '{400,399}', 'forecasts of 400 days');
SELECT is((SELECT concat_ws(' ', r.examined = r.changed, r.examined = (SELECT count(*) FROM capforecast.metrics), r.skipped_locked, r.failed, r.detail) FROM capforecast.job_run r WHERE r.job = 'run_forecasts'),
	't t 0 0', 'the run says so');

-- --- image storage

SELECT throws_ok('SELECT capforecast.push_image_storage(-1)', '22023', NULL, 'no negative size');
SELECT throws_ok('SELECT capforecast.push_image_storage(NULL)', '22023', NULL, 'and not none');
SELECT lives_ok('SELECT capforecast.push_image_storage(0)', 'nothing is a size');
SELECT throws_ok($$SELECT capforecast.push_image_storage(1, clock_timestamp() + interval '301 s')$$, '22023', NULL, 'clocks may differ by five minutes, not more');
SELECT lives_ok($$SELECT capforecast.push_image_storage(1, clock_timestamp() + interval '299 s')$$, 'but by less');
SELECT throws_ok($$SELECT capforecast.push_image_storage(1, 'infinity')$$, '22023', NULL, 'a time is finite');
SELECT throws_ok('UPDATE capforecast.image_storage SET bytes = -1', '23514', NULL, 'nor in the table');
SELECT throws_ok('UPDATE capforecast.image_storage SET bytes = NULL', '23514', NULL, 'no time without a size');
SELECT throws_ok('UPDATE capforecast.image_storage SET measured_at = NULL', '23514', NULL, 'no size without a time');
SELECT lives_ok('UPDATE capforecast.image_storage SET bytes = 0', '0 in the table');
SELECT throws_ok($$SELECT capforecast.bind_image_storage(directory => repeat('a/', 512))$$, '22023', NULL, 'a path has 1023 bytes at most');
SELECT throws_ok($$SELECT capforecast.bind_image_storage(directory => repeat('a/', 511) || 'b')$$, '58P01', NULL, 'which may not be there');

-- --- own metrics

SELECT throws_ok($$SELECT * FROM capforecast.add_metric('m', 'SELECT 1', floor => 2, cap => 1.9)$$, '22023', NULL, 'a cap below the floor');
SELECT lives_ok($$SELECT * FROM capforecast.add_metric('m', 'SELECT 2', floor => 2, cap => 2)$$, 'a cap at the floor');
SELECT throws_ok($$INSERT INTO capforecast.own_metric (metric, kind, floor, cap, direction) VALUES ('n', 'stock', 2, 1.9, 'up')$$, '23514', NULL, 'nor in the table');
SELECT throws_ok($$SELECT * FROM capforecast.add_metric('vendors', 'SELECT 1')$$, '22023', NULL, 'a name of ours');
SELECT is((SELECT count(*)::integer FROM capforecast.metrics WHERE is_builtin AND floor IS DISTINCT FROM 0), 0, 'nothing built in is below 0');
DELETE FROM capforecast.metric_value;
SELECT pg_temp.came('2026-01-01', 2, 'm'), pg_temp.came('2026-01-01', 3, 'k');
SELECT * FROM capforecast.add_metric('k', 'SELECT 3');
SELECT capforecast.drop_metric('m');
SELECT is((SELECT string_agg(metric, ' ') FROM capforecast.metric_value), 'k', 'its values go with a metric, and no others');
SELECT is((SELECT string_agg(metric, ' ') FROM capforecast._metric_query), 'k', 'so does its query');

SELECT * FROM finish();
ROLLBACK;
