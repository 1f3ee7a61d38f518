-- sync_stripe_status() with the two forms of a mirror: columns, and _raw_data.
BEGIN;
\ir ../subscription/fixture.sql
SELECT no_plan();
SET LOCAL capforecast.stripe_livemode = off;
UPDATE subscription_tiers SET stripe_price_monthly_id = 'price_' || code || '_m', stripe_price_annual_id = 'price_' || code || '_y';

-- The column form, as far as it matters here.
CREATE SCHEMA stripe;
CREATE TYPE stripe.subscription_status AS ENUM ('trialing', 'active', 'canceled', 'incomplete', 'incomplete_expired', 'past_due', 'unpaid', 'paused');
CREATE TABLE stripe.subscriptions (id text PRIMARY KEY, status stripe.subscription_status, customer text, current_period_start integer, current_period_end integer,
	billing_cycle_anchor integer, trial_end jsonb, cancel_at_period_end boolean, cancel_at integer, canceled_at integer, ended_at integer, items jsonb, livemode boolean,
	pause_collection jsonb, last_synced_at timestamptz);
CREATE TABLE stripe.subscription_items (id text PRIMARY KEY, subscription text, price text, quantity integer, deleted boolean, current_period_start integer, current_period_end integer);
CREATE TABLE stripe.customers (id text PRIMARY KEY, balance integer, deleted boolean DEFAULT false, livemode boolean DEFAULT false);
CREATE TABLE stripe.invoices (id text PRIMARY KEY, status text, customer text, subscription text, total bigint, subtotal integer, amount_due bigint, currency text, created integer,
	period_start integer, period_end integer, next_payment_attempt integer, lines jsonb, livemode boolean DEFAULT false);
CREATE FUNCTION pg_temp.mirror(n bigint, status text, price text DEFAULT 'price_essential_m', synced timestamptz DEFAULT '2025-03-10', starts timestamptz DEFAULT '2025-03-01')
	RETURNS void LANGUAGE sql AS $$
	INSERT INTO stripe.subscriptions (id, status, customer, current_period_start, current_period_end, cancel_at_period_end, livemode, last_synced_at)
	VALUES ('sub_' || n, status::stripe.subscription_status, 'cus_' || n, extract(epoch FROM starts), extract(epoch FROM starts + interval '1 month'), false, false, synced)
	ON CONFLICT (id) DO UPDATE SET status = excluded.status, current_period_start = excluded.current_period_start, current_period_end = excluded.current_period_end, last_synced_at = excluded.last_synced_at;
	INSERT INTO stripe.subscription_items VALUES ('si_' || n, 'sub_' || n, price, 1, false) ON CONFLICT (id) DO UPDATE SET price = excluded.price;
$$;
CREATE FUNCTION pg_temp.sync(at timestamptz, force boolean DEFAULT false) RETURNS text LANGUAGE sql AS $$
	SELECT format('applied %s unchanged %s stale %s missing %s ambiguous %s held %s%s', r.applied, r.unchanged, r.stale, r.missing, r.ambiguous, r.held_back, CASE WHEN r.mirror_stale THEN ' mirror_stale' END)
	FROM capforecast.sync_stripe_status(at, force) r
$$;
CREATE FUNCTION pg_temp.statuses() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(concat(id, ' ', status), ', ' ORDER BY id) FROM vendor_subscriptions $$;

SELECT pg_temp.subscribe(n, 'essential', 'active', '2025-03-01', '2025-04-01', stripe => 'sub_' || n) FROM generate_series(1, 3) n;
SELECT pg_temp.subscribe(9, 'essential', 'active', '2025-03-01', '2025-04-01');

-- An empty, a half-filled and an old mirror end nobody.
SELECT is(pg_temp.sync('2025-03-10'), 'applied 0 unchanged 0 stale 0 missing 3 ambiguous 0 held 0 mirror_stale', '3.5 an empty mirror is only reported');
SELECT is((SELECT severity FROM capforecast.finding WHERE code = 'stripe_mirror_empty'), 'critical', '3.5 as a finding');
SELECT pg_temp.mirror(1, 'past_due', 'price_business_y');
SELECT is(pg_temp.sync('2025-03-10 01:00'), 'applied 1 unchanged 0 stale 0 missing 2 ambiguous 0 held 0', '3.5 a half-filled one');
SELECT is(pg_temp.statuses(), '1 past_due, 2 active, 3 active, 9 active', '3.5 absent is not cancelled; local is not touched');
SELECT is((SELECT (tier, is_annual, stripe_price_id)::text FROM vendor_subscriptions WHERE id = 1), '(business,t,price_business_y)', '8.5.3 price to tier and interval, from the table of items');
SELECT is((SELECT count(*) FROM capforecast.audit_log), 1::bigint, 'C9 one audit row');
SELECT is(pg_temp.sync('2025-03-10 02:00'), 'applied 0 unchanged 1 stale 0 missing 2 ambiguous 0 held 0', '8.5.4 the same mirror again');
SELECT is((SELECT count(*) FROM capforecast.audit_log), 1::bigint, '8.5.4 writes nothing');
SELECT is((SELECT string_agg(DISTINCT severity, ',') FROM capforecast.finding WHERE code = 'stripe_missing'), 'warning', '3.5 missing is a warning');
SELECT is((SELECT resolved_at FROM capforecast.finding WHERE code = 'stripe_mirror_empty'), '2025-03-10 01:00+00', '8.6.4 resolved');
UPDATE stripe.subscriptions SET status = 'canceled';
SELECT is(pg_temp.sync('2025-03-11'), 'applied 0 unchanged 0 stale 0 missing 2 ambiguous 0 held 0 mirror_stale', '3.5 a mirror of yesterday is only reported');
SELECT is(pg_temp.statuses(), '1 past_due, 2 active, 3 active, 9 active', '3.5 and ends nobody');
UPDATE stripe.subscriptions SET status = 'active', last_synced_at = '2025-03-12 12:00';
SELECT is(pg_temp.sync('2025-03-12 13:00'), 'applied 1 unchanged 0 stale 0 missing 2 ambiguous 0 held 0', '3.5');
SELECT is((SELECT string_agg(DISTINCT severity, ',') FROM capforecast.finding WHERE code = 'stripe_missing'), 'critical', '3.5 missing for 48 hours and three runs is critical');
UPDATE stripe.subscriptions SET status = 'past_due', last_synced_at = '2025-03-12 11:00' WHERE id = 'sub_1';
SELECT is(pg_temp.sync('2025-03-12 14:00'), 'applied 0 unchanged 0 stale 1 missing 2 ambiguous 0 held 0', '3.5 an older version is stale');

-- The guard
SELECT pg_temp.subscribe(n, 'essential', 'active', '2025-03-01', '2025-04-01', stripe => 'sub_' || n), pg_temp.mirror(n, 'canceled', synced => '2025-03-13') FROM generate_series(20, 25) n;
SELECT pg_temp.subscribe(26, 'essential', 'active', '2025-03-01', '2025-04-01', stripe => 'sub_26'), pg_temp.mirror(26, 'past_due', synced => '2025-03-13');
SELECT is(pg_temp.sync('2025-03-13'), 'applied 1 unchanged 0 stale 1 missing 2 ambiguous 0 held 6', '8.5.6 six of ten at once are held back, the rest applied');
SELECT is((SELECT (severity, detail -> 'would_end')::text FROM capforecast.finding WHERE code = 'mass_change_guard' AND resolved_at IS NULL), '(critical,6)', '8.5.6 and a finding');
SELECT is((SELECT r.applied FROM capforecast.sync_stripe_status('2025-03-13 00:10', force => true, dry_run => true) r), 6::bigint, '8.5.6 a dry run');
SELECT is((SELECT status FROM vendor_subscriptions WHERE id = 20), 'active', '8.5.6 changes nothing');
SELECT is(pg_temp.sync('2025-03-13 00:20', force => true), 'applied 6 unchanged 1 stale 1 missing 2 ambiguous 0 held 0', '8.5.6 force applies them');
SELECT is((SELECT status FROM vendor_subscriptions WHERE id = 20), 'cancelled', '8.5.6 applied');

-- The rest of the table of decisions
DELETE FROM vendor_subscriptions; DELETE FROM stripe.subscriptions; DELETE FROM stripe.subscription_items; DELETE FROM capforecast.subscription_state; DELETE FROM capforecast.finding;
SELECT pg_temp.subscribe(n, 'essential', 'active', '2025-03-01', '2025-04-01', stripe => 'sub_' || n), pg_temp.mirror(n, 'active') FROM generate_series(30, 39) n;
UPDATE vendor_subscriptions SET status = 'expired' WHERE id = 30;
UPDATE stripe.subscriptions SET status = 'canceled' WHERE id IN ('sub_31', 'sub_32');			-- 31: another live one; 32: two of them
SELECT pg_temp.mirror(310, 'active', 'price_professional_m'), pg_temp.mirror(320, 'active'), pg_temp.mirror(321, 'active');
UPDATE stripe.subscriptions SET customer = 'cus_31' WHERE id = 'sub_310';
UPDATE stripe.subscriptions SET customer = 'cus_32' WHERE id IN ('sub_320', 'sub_321');
UPDATE vendor_subscriptions SET stripe_subscription_id = NULL WHERE id IN (33, 34);				-- 33: one to link; 34: two
SELECT pg_temp.mirror(340, 'active');
UPDATE stripe.subscriptions SET customer = 'cus_34' WHERE id = 'sub_340';
INSERT INTO stripe.customers VALUES ('cus_35', 0, true);
UPDATE stripe.subscription_items SET price = 'price_x' WHERE id = 'si_36';
INSERT INTO stripe.subscription_items VALUES ('si_37b', 'sub_37', 'price_business_m', 1, false);
UPDATE stripe.subscriptions SET livemode = true, status = 'canceled' WHERE id = 'sub_38';
UPDATE stripe.subscriptions SET pause_collection = '{"behavior": "void"}', billing_cycle_anchor = 1738281600, trial_end = '1740000000', cancel_at = 1742000000 WHERE id = 'sub_39';
SELECT is(pg_temp.sync('2025-03-10'), 'applied 5 unchanged 2 stale 0 missing 1 ambiguous 2 held 0', '3.5 the table of decisions');
SELECT is(pg_temp.statuses(), '30 active, 31 active, 32 active, 33 active, 34 active, 35 cancelled, 36 active, 37 active, 38 active, 39 active', '3.5 statuses');
SELECT is((SELECT string_agg(DISTINCT code || ' ' || right(subject, 2), ', ') FROM capforecast.finding), 'billed_but_cancelled 30, stripe_ambiguous 32, stripe_ambiguous 34, stripe_ambiguous 37, stripe_missing 38, stripe_price_unknown 36, stripe_row_lagging 35', '3.5 findings');
SELECT is((SELECT (stripe_subscription_id, tier)::text FROM vendor_subscriptions WHERE id = 31), '(sub_310,professional)', '3.5 another live subscription of the customer: linked, not cancelled');
SELECT is((SELECT stripe_subscription_id FROM vendor_subscriptions WHERE id = 33), 'sub_33', '3.5 a customer''s only one: linked');
SELECT is((SELECT stripe_subscription_id FROM vendor_subscriptions WHERE id = 34), NULL, '3.5 one of two: not guessed');
SELECT is((SELECT tier FROM vendor_subscriptions WHERE id = 37), 'essential', '8.5.3 several plans: the tier stays');
SELECT is((SELECT (st.collection_paused, st.anchor_local::date, s.trial_ends_at, s.cancel_at_period_end)::text FROM capforecast.subscription_state st JOIN vendor_subscriptions s ON s.id = 39 WHERE st.subscription_id = '39'),
	'(t,2025-01-31,,t)', '3.4, 8.3.2, 8.5.2 pause_collection, billing_cycle_anchor, an old trial_end, cancel_at');
SELECT is(pg_temp.sync('2025-03-10 00:10'), 'applied 0 unchanged 7 stale 0 missing 1 ambiguous 2 held 0', '8.5.4 again: nothing');
SELECT is((SELECT (i.amount_due_cents, i.source)::text FROM capforecast.upcoming_invoice('36', '2025-03-10') i), '(4900,estimate)', '8.11.3 an estimate');
INSERT INTO stripe.customers VALUES ('cus_36', -1000), ('cus_39', 700);
SELECT is((SELECT (i.credit_applied_cents, i.amount_due_cents)::text FROM capforecast.upcoming_invoice('36', '2025-03-10') i), '(1000,3900)', '8.11.4 a balance below 0 is credit');
INSERT INTO stripe.invoices VALUES ('in_1', 'draft', 'cus_36', 'sub_36', 6000, 6000, 5000, 'eur', 1741600000, 1740787200, 1743465600, 1743469200, '{"data": [{"amount": 6000, "description": "Essential"}]}');
SELECT is((SELECT (i.due_at, i.currency, i.subtotal_cents, i.credit_applied_cents, i.amount_due_cents, i.source, i.estimate, i.lines -> 0 ->> 'amount_cents')::text FROM capforecast.upcoming_invoice('36', '2025-03-10') i),
	'("2025-04-01 01:00:00+00",EUR,6000,1000,5000,stripe_draft,f,6000)', '8.11.3 Stripe''s draft is the invoice');

-- The JSONB form, with several accounts in one table
SET LOCAL client_min_messages = warning;
DROP SCHEMA stripe CASCADE;
DELETE FROM vendor_subscriptions; DELETE FROM capforecast.subscription_state;
CREATE SCHEMA stripe2;
CREATE TABLE stripe2.subscriptions (_raw_data jsonb, _account_id text, _last_synced_at timestamptz, id text GENERATED ALWAYS AS (_raw_data ->> 'id') STORED PRIMARY KEY,
	status text GENERATED ALWAYS AS (_raw_data ->> 'status') STORED, customer text GENERATED ALWAYS AS (_raw_data ->> 'customer') STORED, current_period_end integer);
SET LOCAL capforecast.stripe_schema = 'stripe2';
SET LOCAL capforecast.stripe_account = 'acct_1';
SELECT pg_temp.subscribe(n, 'essential', 'active', '2025-03-01', '2025-04-01', stripe => 'sub_' || n) FROM generate_series(50, 51) n;
INSERT INTO stripe2.subscriptions (_raw_data, _account_id, _last_synced_at)
SELECT jsonb_build_object('id', 'sub_' || n, 'status', 'unpaid', 'customer', 'cus_' || n, 'livemode', false, 'cancel_at_period_end', false,
	'items', jsonb_build_object('data', jsonb_build_array(jsonb_build_object('id', 'si', 'price', jsonb_build_object('id', 'price_professional_m'), 'current_period_start', 1743465600, 'current_period_end', 1746057600)))),
	'acct_' || n - 49, '2025-04-01 01:00' FROM generate_series(50, 51) n;
SELECT is(pg_temp.sync('2025-04-01 02:00'), 'applied 1 unchanged 0 stale 0 missing 1 ambiguous 0 held 0', '3.1 B: of the other account nothing is seen');
SELECT is((SELECT (tier, status, period_start::date, period_end::date, capforecast.usage_summary('50') ->> 'entitled')::text FROM vendor_subscriptions WHERE id = 50), '(professional,past_due,2025-04-01,2025-05-01,false)', '3.1 B: the items'' period; unpaid is not entitled');
SELECT is(pg_temp.sync('2025-04-01 02:00'), 'applied 0 unchanged 1 stale 0 missing 1 ambiguous 0 held 0', '8.5.4 again');
SELECT is((SELECT (orders_this_period)::text FROM vendor_subscriptions WHERE id = 50), '0', '8.3.1 the window was closed with the move');
SELECT is((SELECT (window_start::date, window_end::date, reason)::text FROM capforecast.period_ledger WHERE subscription_id = '50'), '(2025-03-01,2025-04-01,stripe)', '8.3.1 one ledger row');
CREATE FOREIGN DATA WRAPPER far;
CREATE SERVER far FOREIGN DATA WRAPPER far;
DROP TABLE stripe2.subscriptions;
CREATE FOREIGN TABLE stripe2.subscriptions (id text, status text) SERVER far;
SELECT throws_ok($$ SELECT capforecast.sync_stripe_status('2025-04-01 03:00') $$, '55000', NULL, '8.5.7 a foreign table is refused');
SELECT * FROM finish();
ROLLBACK;
