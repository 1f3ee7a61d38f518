-- check_trial_expirations(), cleanup_stale_subscriptions(), findings.
BEGIN;
\ir ../subscription/fixture.sql
SELECT no_plan();

-- Trials
SELECT pg_temp.subscribe(1, 'essential', 'trial', '2025-03-01', '2025-04-01', 4, trial_ends_at => '2025-03-15');
SELECT pg_temp.subscribe(2, 'essential', 'trial', '2025-03-01', '2025-04-01', trial_ends_at => '2025-03-17');
SELECT pg_temp.subscribe(3, 'essential', 'trial', '2025-03-01', '2025-04-01', trial_ends_at => '2025-03-18 00:00:01');
SELECT pg_temp.subscribe(4, 'essential', 'active', '2025-03-01', '2025-04-01', trial_ends_at => '2025-02-01');
SELECT pg_temp.subscribe(5, 'essential', 'past_due', '2025-03-01', '2025-04-01', trial_ends_at => '2025-02-01');
SELECT pg_temp.subscribe(6, 'essential', 'trial', '2025-03-01', '2025-04-01', trial_ends_at => '2025-03-10', stripe => 'sub_6');
SELECT pg_temp.subscribe(7, 'essential', 'trial', '2025-03-01', '2025-04-01');
INSERT INTO vendor_addons (vendor_id, addon_product_id) SELECT 1, id FROM addon_products WHERE code = 'extra_member';

SELECT is((SELECT (r.changed, r.run_id)::text FROM capforecast.check_trial_expirations('2025-03-15', dry_run => true) r), '(1,)', 'C6 dry run');
SELECT is(pg_temp.shown(1), 'essential trial 2025-03-01 2025-04-01 4', 'C6 writes nothing');
SELECT is((SELECT (r.examined, r.changed, r.findings, r.expiring_soon)::text FROM capforecast.check_trial_expirations('2025-03-15') r),
	$$(1,1,"{""trial_unconfirmed"": 1, ""trial_without_end"": 1}","[{""vendor_id"": ""2"", ""trial_ends_at"": ""2025-03-17T00:00:00+00:00"", ""subscription_id"": ""2""}]")$$,
	'8.4.1, 8.4.3, 8.4.4, 8.4.6, 8.4.8 one is over to the second, one is soon, two are findings');
SELECT is((SELECT (status, cancelled_at)::text FROM vendor_subscriptions WHERE id = 1), '(expired,"2025-03-15 00:00:00+00")', '8.4.2 expired, at the end of the trial');
SELECT is((SELECT (status, cancelled_at)::text FROM vendor_addons WHERE vendor_id = 1), '(cancelled,"2025-03-15 00:00:00+00")', '8.10.6 and its add-ons at the same instant');
SELECT is((SELECT array_agg(status ORDER BY id) FROM vendor_subscriptions WHERE id > 1), '{trial,trial,active,past_due,trial,trial}'::text[], '8.4.1 nothing else is touched');
SELECT is((SELECT count(*) FROM capforecast.audit_log WHERE subscription_id = '1' AND operation = 'end_subscription'), 1::bigint, 'C9 one audit row');
SELECT is((SELECT r.changed FROM capforecast.check_trial_expirations('2025-03-15') r), 0::bigint, '8.4.7 idempotent');
UPDATE vendor_subscriptions SET trial_ends_at = '2025-05-01' WHERE id = 1;
SELECT is((SELECT r.changed FROM capforecast.check_trial_expirations('2025-03-16') r), 0::bigint, '8.4.7 an extension does not revive');
SELECT is(pg_temp.shown(1), 'essential expired 2025-03-01 2025-04-01 4', '8.4.7 it stays expired');

SET LOCAL capforecast.trial_action = 'downgrade:none';
SELECT throws_ok($$ SELECT capforecast.check_trial_expirations('2025-03-17') $$, '22023', NULL, '8.4.2 unknown tier');
SELECT throws_ok($$ SET capforecast.trial_action = 'forget' $$, '22023', NULL, '8.4.2 unknown action');
SELECT is(pg_temp.shown(2), 'essential trial 2025-03-01 2025-04-01 0', '8.4.2 before any row changes');
SET LOCAL capforecast.trial_action = 'activate';
SELECT pg_temp.order_at(2, '2025-03-16', '2025-03-17', '2025-03-17 10:00');
SELECT is((SELECT r.changed FROM capforecast.check_trial_expirations('2025-03-17 12:00') r), 1::bigint, '8.4.2 activate');
SELECT is(pg_temp.shown(2), 'essential active 2025-03-17 2025-04-17 2', '8.4.2 the period begins at the end of the trial');
SELECT is((SELECT anchor_local FROM capforecast.subscription_state WHERE subscription_id = '2'), '2025-03-17', '8.4.2 and so does the anchor');
SELECT is((SELECT (window_start::date, window_end::date, reason, orders_recount)::text FROM capforecast.period_ledger WHERE subscription_id = '2'),
	'(2025-03-01,2025-03-17,trial_end,1)', '8.3.1 the window that was moved is closed');
SELECT is((SELECT (total_cents, period_start::date, period_end::date)::text FROM billing_history WHERE vendor_id = 2), '(4900,2025-03-17,2025-04-17)', '8.3.12 and the first period billed');
SET LOCAL capforecast.trial_action = 'downgrade:professional';
SELECT is((SELECT r.changed FROM capforecast.check_trial_expirations('2025-03-19') r), 1::bigint, '8.4.2 downgrade');
SELECT is(pg_temp.shown(3), 'professional active 2025-03-18 2025-04-18 0', '8.4.2 that tier, active');
RESET capforecast.trial_action;

-- Cleanup
DELETE FROM vendor_subscriptions;
SELECT pg_temp.subscribe(10, 'essential', 'past_due', '2025-03-01', '2025-04-01');
SELECT pg_temp.subscribe(11, 'essential', 'past_due', '2025-03-02', '2025-04-02');
SELECT pg_temp.subscribe(12, 'essential', 'active', '2025-03-01', '2025-03-31');
SELECT pg_temp.subscribe(13, 'essential', 'active', '2025-03-01', '2025-04-01');
UPDATE vendor_subscriptions SET cancel_at_period_end = true WHERE id IN (12, 13);
SELECT pg_temp.subscribe(14, 'essential', 'past_due', '2025-01-01', '2025-01-31', stripe => 'sub_14');
UPDATE vendor_subscriptions SET cancel_at_period_end = true WHERE id = 14;
SELECT is((SELECT (r.changed, r.findings)::text FROM capforecast.cleanup_stale_subscriptions('2025-03-31') r), '(2,"{""past_due_stripe"": 1}")', '8.6.1, 8.6.2 two are stale, Stripe''s only shown');
SELECT is((SELECT array_agg(status ORDER BY id) FROM vendor_subscriptions), '{expired,past_due,cancelled,active,past_due}'::text[], '8.6.1, 8.6.2 past_due for 30 days; cancelled at the end of the period, not before');
SELECT is((SELECT cancelled_at FROM vendor_subscriptions WHERE id = 12), '2025-03-31 00:00+00', '8.6.2 cancelled_at is the end of the period');
UPDATE vendor_subscriptions SET status = 'active' WHERE id = 11;
DO $$ BEGIN PERFORM capforecast.cleanup_stale_subscriptions('2025-03-31 01:00'); END $$;
UPDATE vendor_subscriptions SET status = 'past_due' WHERE id = 11;
DO $$ BEGIN PERFORM capforecast.cleanup_stale_subscriptions('2025-03-31 02:00'); END $$;
SELECT is((SELECT r.changed FROM capforecast.cleanup_stale_subscriptions('2025-04-05') r), 1::bigint, '8.6.1 (13 is cancelled)');
SELECT is((SELECT status FROM vendor_subscriptions WHERE id = 11), 'past_due', '8.6.1 the grace counts from when it became past_due');
SELECT is((SELECT r.changed FROM capforecast.cleanup_stale_subscriptions('2025-04-10 02:00', '10 days') r), 1::bigint, '8.6.1 past_due_grace');

-- Findings
DELETE FROM vendor_subscriptions;
ALTER TABLE vendor_subscriptions DROP CONSTRAINT vendor_subscriptions_vendor_id_key, DROP CONSTRAINT vendor_subscriptions_vendor_id_fkey,
	DROP CONSTRAINT vendor_subscriptions_status_check, DROP CONSTRAINT vendor_subscriptions_orders_this_period_check, DROP CONSTRAINT vendor_subscriptions_check;
SELECT pg_temp.subscribe(20, 'essential', 'active', '2025-03-01', '2025-04-01'), pg_temp.subscribe(21, 'essential', 'active', '2025-03-01', '2025-04-01'),
	pg_temp.subscribe(22, 'none', 'active', '2025-03-01', '2025-04-01'), pg_temp.subscribe(23, 'essential', 'frozen', '2025-03-01', '2025-04-01'),
	pg_temp.subscribe(24, 'essential', 'active', '2025-03-01', '2025-03-01'), pg_temp.subscribe(25, 'essential', 'active', '2025-03-01', '2025-04-01', -1),
	pg_temp.subscribe(26, 'essential', 'active', '2025-03-01', '2025-04-01'), pg_temp.subscribe(27, 'essential', 'active', '2025-03-01', '2025-04-01');
UPDATE vendors SET is_active = false WHERE id = 20;
UPDATE vendor_subscriptions SET vendor_id = 20 WHERE id = 21;
UPDATE vendor_subscriptions SET custom_team_limit = -2 WHERE id = 26;
DELETE FROM vendors WHERE id = 27;
CREATE TEMP TABLE host_before AS SELECT * FROM vendor_subscriptions;
SELECT is((SELECT r.findings FROM capforecast.cleanup_stale_subscriptions('2025-03-10') r),
	'{"inactive_vendor": 2, "duplicate_live": 2, "unknown_tier": 1, "unknown_status": 1, "bad_period": 1, "negative_counter": 1, "bad_custom_limit": 1, "orphan_subscription": 1}',
	'8.6.3 what is wrong is found');
SELECT results_eq('SELECT * FROM vendor_subscriptions ORDER BY id', 'SELECT * FROM host_before ORDER BY id', '8.6.3, 8.6.6 and not changed');
DO $$ BEGIN PERFORM capforecast.cleanup_stale_subscriptions('2025-03-11'); END $$;
SELECT is((SELECT (seen_count, first_seen::date, last_seen::date)::text FROM capforecast.finding WHERE code = 'unknown_tier' AND resolved_at IS NULL), '(2,2025-03-10,2025-03-11)', '8.6.4 updated in place');
UPDATE vendor_subscriptions SET tier = 'essential' WHERE id = 22;
DO $$ BEGIN PERFORM capforecast.cleanup_stale_subscriptions('2025-03-12'); END $$;
SELECT is((SELECT resolved_at FROM capforecast.finding WHERE code = 'unknown_tier'), '2025-03-12 00:00+00', '8.6.4 resolved when no longer true');
INSERT INTO capforecast.request_log VALUES ('x', '1', 'old', '{}', '{}', now() - interval '30 days 1 minute'), ('x', '1', 'young', '{}', '{}', now() - interval '30 days' + interval '1 minute');
INSERT INTO capforecast.job_run (job, started_at, as_of, status) VALUES ('x', now() - interval '400 days 1 minute', '2024-01-01', 'ok'), ('x', now() - interval '400 days' + interval '1 minute', '2024-12-01', 'ok');
INSERT INTO capforecast.stripe_event (event_id, event_type, object_id, created, payload, body_sha256, received_at, outcome)
	VALUES ('evt_1', 'customer.subscription.updated', 'sub_9', '2024-01-01', '{}', '', '2024-01-01', 'accepted'),
		('evt_2', 'customer.subscription.updated', 'sub_9', '2024-01-02', '{}', '', '2024-01-02', 'accepted'), ('evt_3', 'invoice.paid', 'in_9', '2024-01-02', '{}', '', '2024-01-02', 'ignored');
DO $$ BEGIN PERFORM capforecast.cleanup_stale_subscriptions('2025-03-13'); END $$;
SELECT is((SELECT array_agg(idempotency_key) FROM capforecast.request_log), '{young}', '8.6.5 requests: 30 days');
SELECT is((SELECT array_agg(as_of::date) FROM capforecast.job_run WHERE job = 'x'), '{2024-12-01}', '8.6.5 runs: 400 days');
SELECT is((SELECT array_agg(event_id) FROM capforecast.stripe_event), '{evt_2}', '8.6.5 events: 90 days, the last word on an object stays');

-- 8.0.16: periods and add-ons of a quarter, a week or a day; a year and a month are not named
DELETE FROM vendor_subscriptions; DELETE FROM capforecast.subscription_state; DELETE FROM capforecast.billed_period; DELETE FROM capforecast.finding;
INSERT INTO addon_products (code, name, category, price_cents, billing_period) VALUES ('monthly_one', 'M', 'x', 900, 'monthly');
ALTER TABLE addon_products DROP CONSTRAINT addon_products_billing_period_check;
INSERT INTO addon_products (code, name, category, price_cents, billing_period) VALUES ('by_quarter', 'Q', 'x', 900, 'quarterly');
SELECT pg_temp.subscribe(30, 'essential', 'active', '2025-03-01', '2025-06-01'), pg_temp.subscribe(31, 'essential', 'active', '2025-03-01', '2025-03-08'),
	pg_temp.subscribe(32, 'essential', 'active', '2025-03-01', '2025-03-02'), pg_temp.subscribe(33, 'essential', 'active', '2025-03-01', '2027-03-01', annual => true),
	pg_temp.subscribe(34, 'essential', 'active', '2024-03-01', '2025-03-01', annual => true), pg_temp.subscribe(35, 'essential', 'active', '2025-03-01', '2025-04-01'),
	pg_temp.subscribe(36, 'essential', 'active', '2025-03-01', '2025-03-21'), pg_temp.subscribe(37, 'essential', 'trial', '2025-03-01', '2025-03-08', trial_ends_at => '2025-03-08');
DO $$ BEGIN PERFORM capforecast.cleanup_stale_subscriptions('2025-03-01 12:00'); END $$;
SELECT is((SELECT string_agg(subject, ', ' ORDER BY subject) FROM capforecast.finding WHERE code = 'interval_not_supported' AND resolved_at IS NULL),
	'add-on by_quarter, subscription 30, subscription 31, subscription 32, subscription 33', '8.0.16 intervals that are not supported');
SELECT throws_ok($$ SELECT capforecast.purchase_addon('35', 'by_quarter', as_of => '2025-03-02') $$, '22023', NULL, '8.0.16 nor can such an add-on be bought');

-- 8.0.18: boundaries at midnights of another zone
DELETE FROM vendor_subscriptions; DELETE FROM capforecast.subscription_state; DELETE FROM capforecast.billed_period;
SELECT pg_temp.subscribe(40, 'essential', 'active', '2025-01-31 00:00 Asia/Kolkata', '2025-02-28 00:00 Asia/Kolkata'), pg_temp.subscribe(41, 'essential', 'active', '2025-02-05 00:00 Asia/Kolkata', '2025-03-05 00:00 Asia/Kolkata');
DO $$ BEGIN PERFORM capforecast.cleanup_stale_subscriptions('2025-02-10'); END $$;
SELECT is((SELECT (severity, subject, detail -> 'zones' @> '["Asia/Kolkata"]')::text FROM capforecast.finding WHERE code = 'billing_zone_differs'), '(warning,"billing_timezone UTC",t)', '8.0.18 billing_zone_differs');
SELECT isnt((SELECT anchor_zone || anchor_local FROM capforecast.subscription_state WHERE subscription_id = '40'), 'Asia/Kolkata2025-01-31 00:00:00', '8.0.18 (months would drift)');
DO $$
DECLARE
	statement text := (SELECT replace(detail ->> 'statement', detail -> 'zones' ->> 0, 'Asia/Kolkata') FROM capforecast.finding WHERE code = 'billing_zone_differs');
BEGIN
	EXECUTE replace(split_part(statement, ';', 1), format('ALTER DATABASE %I SET', current_database()), 'SET LOCAL');
	EXECUTE split_part(statement, ';', 2);
END $$;
SELECT is((SELECT (anchor_zone, anchor_local)::text FROM capforecast.subscription_state WHERE subscription_id = '40'), '(Asia/Kolkata,"2025-01-31 00:00:00")', '8.0.18 the statement mends it');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-03-01'), capforecast.cleanup_stale_subscriptions('2025-03-01'); END $$;
SELECT is((SELECT period_end FROM vendor_subscriptions WHERE id = 40), '2025-03-31 00:00 Asia/Kolkata', '8.0.18 no month drifts');
SELECT is((SELECT count(*) FROM capforecast.finding WHERE code = 'billing_zone_differs' AND resolved_at IS NULL), 0::bigint, '8.0.18 resolved');
UPDATE vendor_subscriptions SET period_end = period_end + interval '7 minutes' WHERE id = 41;
SET LOCAL capforecast.billing_timezone = 'UTC';
DO $$ BEGIN PERFORM capforecast.cleanup_stale_subscriptions('2025-03-02'); END $$;
SELECT is((SELECT count(*) FROM capforecast.finding WHERE code = 'billing_zone_differs' AND resolved_at IS NULL), 0::bigint, '8.0.18 boundaries at any minute are no midnights');

SELECT * FROM finish();
ROLLBACK;
