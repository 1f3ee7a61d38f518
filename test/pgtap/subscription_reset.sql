-- reset_period_counters() and reconcile_order_counters().  Times are fixed; races are in
-- test/isolation, 200 000 rows in test/bench.
BEGIN;
\ir ../subscription/fixture.sql
SELECT no_plan();

-- 9.2: down from before the boundary until 3 May
SELECT pg_temp.subscribe(1, 'professional', 'active', '2025-01-31', '2025-02-28', 450);
SELECT pg_temp.order_at(1, VARIADIC ARRAY['2025-02-03', '2025-02-27 23:59:59', '2025-02-28', '2025-03-30', '2025-03-31', '2025-04-30', '2025-05-03 05:59', '2025-05-03 07:00']::timestamptz[]);

SELECT is((SELECT (r.run_id, r.dry_run, r.examined, r.changed, r.windows_closed)::text FROM capforecast.reset_period_counters('2025-05-03 06:00', dry_run => true) r),
	'(,t,1,1,3)', 'C6 a dry run says what would change');
SELECT is((SELECT count(*) FROM capforecast.subscription_state) + (SELECT count(*) FROM capforecast.period_ledger) + (SELECT count(*) FROM capforecast.job_run)
	+ (SELECT count(*) FROM billing_history), 0::bigint, 'C6 and writes nothing');
SELECT is(pg_temp.shown(1), 'professional active 2025-01-31 2025-02-28 450', 'C6 nor on the host''s row');

SELECT is((SELECT (r.dry_run, r.examined, r.changed, r.skipped_locked, r.failed, r.already_running, r.windows_closed)::text
	FROM capforecast.reset_period_counters('2025-05-03 06:00') r), '(f,1,1,0,0,f,3)', '8.3.3 one call closes all missed windows');
SELECT results_eq(
	$$ SELECT window_start::date, window_end::date, orders_counter, orders_recount, caught_up FROM capforecast.period_ledger ORDER BY 1 $$,
	$$ VALUES ('2025-01-31'::date, '2025-02-28'::date, 450::bigint, 2::bigint, false), ('2025-02-28', '2025-03-31', NULL, 2, true), ('2025-03-31', '2025-04-30', NULL, 1, true) $$,
	'9.2, 8.3.3 the ledger: the counter of the first, recounts of all; windows tile');
SELECT is(pg_temp.shown(1), 'professional active 2025-04-30 2025-05-31 2', '9.2, 8.3.4 the counter is the orders since 30 April, not 0');
SELECT is((SELECT (r.changed, r.windows_closed, r.drafts)::text FROM capforecast.reset_period_counters('2025-05-03 06:00') r), '(0,0,0)', '8.3.7 a second run changes nothing');
SELECT is((SELECT count(*) FROM capforecast.period_ledger), 3::bigint, '8.3.7 and adds no ledger row');
SELECT is((SELECT count(*) FROM capforecast.audit_log), 0::bigint, '8.3.7 a plain reset writes no audit row');
SELECT is((SELECT (status, subtotal_cents, total_cents, line_items -> 0 ->> 'quantity', period_start::date, period_end::date)::text FROM billing_history WHERE vendor_id = 1),
	'(draft,29700,29700,3,2025-02-28,2025-05-31)', '8.3.12 one draft for the three periods that began');
SELECT is((SELECT detail ->> 'windows_closed' FROM capforecast.job_run WHERE job = 'reset_period_counters' ORDER BY run_id LIMIT 1), '3', 'C6 on record');
SELECT lives_ok($$ SELECT capforecast.reset_period_counters('2025-05-31') $$, '8.3.1 due at its end');
SELECT is(pg_temp.shown(1), 'professional active 2025-05-31 2025-06-30 0', 'C2 half-open: at the boundary the new window begins');
SELECT is((SELECT count(*) FROM billing_history WHERE vendor_id = 1), 2::bigint, '8.3.12 a draft at each billing boundary, once');

-- who is due
SELECT pg_temp.subscribe(2, 'essential', 'past_due', '2025-03-10 08:30', '2025-04-10 08:30', 7);
SELECT pg_temp.subscribe(3, 'essential', 'cancelled', '2025-03-10', '2025-04-10', 7);
SELECT pg_temp.subscribe(4, 'essential', 'expired', '2025-03-10', '2025-04-10', 7);
SELECT pg_temp.subscribe(5, 'essential', 'trial', '2025-03-10', '2025-04-10', 7, trial_ends_at => '2025-04-01');
SELECT pg_temp.subscribe(6, 'essential', 'trial', '2025-03-10', '2025-04-10', 7, trial_ends_at => '2025-05-01');
SELECT pg_temp.subscribe(7, 'essential', 'active', '2025-03-10', '2025-04-10', 7);
UPDATE vendor_subscriptions SET cancel_at_period_end = true WHERE id = 7;
SELECT pg_temp.subscribe(8, 'essential', 'active', '2025-03-10', '2025-04-10', 7, stripe => 'sub_8');
SELECT is((SELECT (r.examined, r.changed)::text FROM capforecast.reset_period_counters('2025-04-12') r), '(3,3)', '8.3.1 due: live, the trial not over, no cancellation in effect');
SELECT is((SELECT array_agg(id ORDER BY id) FROM vendor_subscriptions WHERE period_start = '2025-04-10' OR period_start = '2025-04-10 08:30'), ARRAY[2, 6, 8]::bigint[], '8.3.1 these three');
SELECT is((SELECT array_agg(vendor_id ORDER BY 1) FROM billing_history WHERE vendor_id BETWEEN 2 AND 8), ARRAY[2]::bigint[], '8.3.12 drafts for local rows, not in trial, not of Stripe');

-- limits and the time they were reached
SELECT pg_temp.subscribe(10, 'essential', 'active', '2025-03-01', '2025-04-01', 7);
UPDATE vendor_subscriptions SET custom_orders_limit = 2, orders_limit_reached_at = '2025-03-05' WHERE id = 10;
SELECT pg_temp.order_at(10, VARIADIC ARRAY['2025-04-01 01:00', '2025-04-01 02:00', '2025-04-01 03:00']::timestamptz[]);
SELECT pg_temp.subscribe(11, 'essential', 'active', '2025-03-01', '2025-04-01', 100);
UPDATE vendor_subscriptions SET orders_limit_reached_at = '2025-03-05' WHERE id = 11;
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-04-01 05:00'); END $$;
SELECT is((SELECT orders_limit_reached_at FROM vendor_subscriptions WHERE id = 10), '2025-04-01 02:00+00', '8.3.4 already over: the order that reached the limit');
SELECT is((SELECT orders_limit_reached_at FROM vendor_subscriptions WHERE id = 11), NULL, '8.3.4 not over: unknown again');
SELECT is((SELECT (orders_limit, tier)::text FROM capforecast.period_ledger WHERE subscription_id = '11'), '(100,essential)', '8.3.3 the limit that applied is in the ledger');

-- annual plans: usage by the month, billing by the year
SELECT pg_temp.subscribe(20, 'business', 'active', '2024-08-31', '2025-08-31', 5, annual => true);
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-02-10'); END $$;
SELECT is((SELECT (usage_start::date, usage_end::date)::text FROM capforecast.subscription_state WHERE subscription_id = '20'), '(2025-01-31,2025-02-28)', '8.3.5 first seen: the month that it is in');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-03-01'); END $$;
SELECT is(pg_temp.shown(20), 'business active 2024-08-31 2025-08-31 0', '8.3.5 the year stays, the counter starts anew');
SELECT is((SELECT (usage_start::date, usage_end::date)::text FROM capforecast.subscription_state WHERE subscription_id = '20'), '(2025-02-28,2025-03-31)', '8.3.5 the usage window rolls');
SELECT is((SELECT count(*) FROM billing_history WHERE vendor_id = 20), 0::bigint, '8.3.5 no bill in the middle of the year');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-09-05'); END $$;
SELECT is(pg_temp.shown(20), 'business active 2025-08-31 2026-08-31 0', '8.3.5 the year is over: the next');
SELECT is((SELECT total_cents FROM billing_history WHERE vendor_id = 20), 199000::bigint, '8.3.12 billed by the year');
SELECT is((SELECT count(*) FROM capforecast.period_ledger l WHERE subscription_id = '20' AND window_end <> (SELECT min(m.window_start)
	FROM (SELECT window_start FROM capforecast.period_ledger WHERE subscription_id = '20' UNION SELECT usage_start FROM capforecast.subscription_state WHERE subscription_id = '20') m
	WHERE m.window_start > l.window_start)), 0::bigint, '8.3.3 each end is the next start');

-- a change that was waiting for the end of the year, and a job that is a month late
SELECT pg_temp.subscribe(21, 'business', 'active', '2024-08-31', '2025-08-31', annual => true);
DO $$ BEGIN PERFORM capforecast.change_tier('21', 'professional', as_of => '2025-07-10'), capforecast.reset_period_counters('2025-10-05'); END $$;
SELECT is(pg_temp.shown(21), 'professional active 2025-08-31 2026-08-31 0', '8.3.6 a pending change is applied, however late');
SELECT is((SELECT string_agg(window_start::date || ' ' || tier, ', ' ORDER BY window_start) FROM capforecast.period_ledger WHERE subscription_id = '21'),
	'2025-06-30 business, 2025-07-31 business, 2025-08-31 professional', '8.3.6 each window with the tier it had');
SELECT is((SELECT total_cents FROM billing_history WHERE vendor_id = 21), 99000::bigint, '8.3.12 and the year billed at the new price');
DELETE FROM billing_history WHERE vendor_id = 21;
DELETE FROM vendor_subscriptions WHERE id = 21;

-- somebody else moves the period
SELECT pg_temp.subscribe(30, 'essential', 'active', '2025-09-10', '2025-10-10', 3);
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-09-12'); END $$;
UPDATE vendor_subscriptions SET period_start = '2025-10-10', period_end = '2025-11-10', orders_this_period = 0 WHERE id = 30;
SELECT is((SELECT (r.changed, r.windows_closed)::text FROM capforecast.reset_period_counters('2025-10-10 00:01') r), '(1,2)', '8.3.1 one other is due, and this one''s window is closed besides');
SELECT is((SELECT (window_start::date, window_end::date, reason)::text FROM capforecast.period_ledger WHERE subscription_id = '30'), '(2025-09-10,2025-10-10,host_moved)',
	'8.3.1 the host moved the period: one ledger row');
SELECT is((SELECT count(*) FROM billing_history WHERE vendor_id = 30), 0::bigint, '8.3.12 and bills itself');

-- what is wrong is a finding
SELECT pg_temp.subscribe(40, 'essential', 'active', '2025-01-15', '2025-02-14');
ALTER TABLE vendor_subscriptions DROP CONSTRAINT vendor_subscriptions_check, ALTER period_end DROP NOT NULL;
SELECT pg_temp.subscribe(41, 'essential', 'active', '2025-03-10', '2025-03-09', 9), pg_temp.subscribe(42, 'essential', 'active', '2025-03-10', NULL, 9);
SELECT pg_temp.subscribe(43, 'gone', 'active', '2025-03-10', '2025-04-10');
SELECT is((SELECT r.findings FROM capforecast.reset_period_counters('2025-10-10 00:02') r),
	'{"bad_period": 2, "irregular_period": 1, "no_price": 1}', '8.3.2, 8.3.10, 8.3.12 findings');
SELECT is((SELECT orders_this_period FROM vendor_subscriptions WHERE id = 41), 9, '8.3.10 bad period: untouched');
SELECT is((SELECT count(*) FROM billing_history WHERE vendor_id = 43), 0::bigint, '8.3.12 no price, no draft');
SELECT is((SELECT period_start::date FROM vendor_subscriptions WHERE id = 43), '2025-10-10'::date, '8.3.12 but the window rolls');
SELECT is((SELECT anchor_local FROM capforecast.subscription_state WHERE subscription_id = '40'), '2025-02-14', '8.3.2 irregular: the anchor is the end');
SELECT is((SELECT (r.changed, r.findings ->> 'clock_moved_back')::text FROM capforecast.reset_period_counters('2025-09-11') r), '(0,8)', '8.3.8 time went back: nothing moves');
UPDATE vendor_subscriptions SET period_end = '2025-11-10', period_start = '2025-10-10' WHERE id IN (41, 42);
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-10-10 00:03'); END $$;
SELECT is((SELECT count(*) FROM capforecast.finding WHERE code = 'bad_period' AND resolved_at IS NULL), 0::bigint, '8.6.4 a finding that is true no longer is resolved');
SELECT pg_temp.subscribe(44, 'essential', 'active', '1900-01-01', '1900-02-01');
SELECT is((SELECT (r.changed, r.findings ->> 'too_many_windows')::text FROM capforecast.reset_period_counters('2025-10-10 00:04') r), '(0,1)', '8.3.8 more than 1200 windows: a finding');
DELETE FROM vendor_subscriptions WHERE id IN (40, 41, 42, 43, 44);

-- one bad row
CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not this one''; END';
CREATE TRIGGER refuse BEFORE UPDATE ON vendor_subscriptions FOR EACH ROW WHEN (OLD.id = 2) EXECUTE FUNCTION pg_temp.refuse();
SELECT is((SELECT (r.examined, r.changed, r.failed)::text FROM capforecast.reset_period_counters('2025-11-11') r), '(7,6,1)', 'C8 one bad row does not stop the others');
SELECT is((SELECT (subject, detail ->> 'message')::text FROM capforecast.finding WHERE code = 'job_row_failed'), '("reset_period_counters subscription 2","not this one")', 'C8 it is a finding');
DROP TRIGGER refuse ON vendor_subscriptions;
SAVEPOINT broken;
SELECT pg_temp.subscribe(n, 'essential', 'active', '2025-10-01', '2025-11-01') FROM generate_series(1001, 1300) n;
SET LOCAL capforecast.manage_subscriptions = on;
CREATE TRIGGER refuse BEFORE UPDATE ON vendor_subscriptions FOR EACH ROW WHEN (OLD.id <= 1150) EXECUTE FUNCTION pg_temp.refuse();
SELECT is((SELECT (r.changed, r.failed)::text FROM capforecast.reset_period_counters('2025-11-11') r), '(150,151)', 'C8 nor do more than a hundred, before the good ones');
SELECT is((SELECT count(*) FROM capforecast.finding WHERE code = 'job_row_failed' AND resolved_at IS NULL), 151::bigint, 'C8 each is a finding');
SELECT is((SELECT (h.status, h.rows_failed)::text FROM capforecast.job_health() h WHERE h.job = 'reset_period_counters'), '(incomplete,151)', 'C8 job_health() says so');
SELECT is((SELECT d.severity || ' ' || d.problem FROM capforecast.doctor() d WHERE d.problem ~ 'rows fail'),
	'warning 151 of the job''s rows fail at every run; capforecast.finding says which and why', 'C8 and doctor()');
SELECT is((SELECT (r.changed, r.failed)::text FROM capforecast.reset_period_counters('2025-11-11') r), '(0,151)', 'C8 again, with nothing else to do: no error of the job');
DROP TRIGGER refuse ON vendor_subscriptions;
SELECT is((SELECT (r.changed, r.failed)::text FROM capforecast.reset_period_counters('2025-11-11') r), '(151,0)', 'C8 mended, they are done');
CREATE TRIGGER refuse BEFORE UPDATE ON vendor_subscriptions FOR EACH ROW WHEN (OLD.id > 1000) EXECUTE FUNCTION pg_temp.refuse();
DELETE FROM vendor_subscriptions WHERE id < 1000;
SELECT throws_ok($$ SELECT capforecast.reset_period_counters('2025-12-11') $$, 'P0001', 'not this one', 'C8 a host that cannot be written is an error of the job');
ROLLBACK TO broken;
-- a constraint that the host has deferred
CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON vendor_subscriptions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.id = 2) EXECUTE FUNCTION pg_temp.refuse();
SELECT is((SELECT (r.changed, r.failed)::text FROM capforecast.reset_period_counters('2025-11-11') r), '(0,1)', 'C8 what is deferred is the row''s, too');
ROLLBACK TO broken;
SELECT is((SELECT (r.changed, r.failed)::text FROM capforecast.reset_period_counters('2025-11-11') r), '(1,0)', 'C8 and done when it can be');
SELECT is((SELECT count(*) FROM capforecast.finding WHERE code = 'job_row_failed' AND resolved_at IS NULL), 0::bigint, 'C8 and resolved');
SELECT is((SELECT r.changed FROM capforecast.reset_period_counters('2025-12-11', row_limit => 3) r), 3::bigint, 'C8 row_limit');

-- the counters, recounted
SELECT pg_temp.subscribe(50, 'essential', 'active', '2026-01-01', '2026-02-01', 9);
SELECT pg_temp.order_at(50, '2025-12-31', '2026-01-01', '2026-01-15');
SELECT results_eq($$ SELECT subscription_id, counter, recount, difference FROM capforecast.order_counter_differences(as_of => '2026-01-20') WHERE vendor_id = '50' $$,
	$$ VALUES ('50', 9::bigint, 2::bigint, -7::bigint) $$, '8.3.11 reported');
SELECT is((SELECT orders_this_period FROM vendor_subscriptions WHERE id = 50), 9, '8.3.11 and only that');
SELECT is((SELECT count(*) FROM capforecast.reconcile_order_counters(as_of => '2026-01-20') WHERE vendor_id = '50'), 1::bigint, '8.3.11 applied');
SELECT is((SELECT (before, after)::text FROM capforecast.audit_log WHERE subscription_id = '50'),
	'("{""orders_this_period"": 9}","{""orders_this_period"": 2}")', '8.3.11 and audited');
SELECT is_empty($$ SELECT * FROM capforecast.reconcile_order_counters(as_of => '2026-01-20') $$, '8.3.11 agreed');

-- no table of orders; the clock
SELECT pg_temp.subscribe(60, 'essential', 'active', '2026-01-01', '2026-02-01', 9);
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2026-01-20'); END $$;
ALTER TABLE orders RENAME TO elsewhere;
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2026-02-02'); END $$;
SELECT is((SELECT (l.orders_counter, l.orders_recount, s.orders_this_period)::text FROM capforecast.period_ledger l JOIN vendor_subscriptions s ON s.id = 60 WHERE l.subscription_id = '60'),
	'(9,,0)', '8.3.4 without orders the counter becomes 0, and the recount is not known');
SELECT throws_ok($$ SELECT capforecast.reset_period_counters(clock_timestamp() + interval '6 minutes') $$, '22023', 'as_of is in the future', 'C1 no future');
SET LOCAL capforecast.allow_time_travel = on;
SELECT lives_ok($$ SELECT capforecast.reset_period_counters(clock_timestamp() + interval '6 minutes') $$, 'C1 unless it is allowed');
SELECT throws_ok($$ UPDATE capforecast.period_ledger SET orders_counter = 0 $$, '55000', NULL, 'the ledger is append-only');
SELECT throws_ok($$ DELETE FROM capforecast.audit_log $$, '55000', NULL, 'the audit is append-only');
SELECT * FROM finish();
ROLLBACK;
