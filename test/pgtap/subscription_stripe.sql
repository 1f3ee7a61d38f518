-- Stripe: signatures, webhook events, both forms of a mirror, the outbox.
BEGIN;
\ir ../subscription/fixture.sql
SELECT no_plan();
SET LOCAL capforecast.stripe_livemode = off;
UPDATE subscription_tiers SET stripe_price_monthly_id = 'price_' || code || '_m', stripe_price_annual_id = 'price_' || code || '_y';
UPDATE addon_products SET stripe_price_id = 'price_' || code;

-- 3.3: vector made with an independent HMAC
CREATE TEMP TABLE vector AS SELECT convert_to('{"id":"evt_test_1","object":"event","type":"customer.subscription.updated","created":1735689600}', 'UTF8') AS body,
	't=1735689605,v1=e06ca3ecc59ccb905a1574eb122044f42a092422aa407a618b83d499011ab22a' AS signature, to_timestamp(1735689605) AS t;
SELECT throws_ok('SELECT capforecast.ingest_stripe_event(body, signature, t) FROM vector', '55000', 'no webhook secret is stored', '8.13 without a secret nothing is taken in');
INSERT INTO capforecast._secret VALUES ('stripe_webhook', 'whsec_another'), ('stripe_webhook', 'whsec_test_capforecast');
-- its object has no id, so it is not about a subscription
SELECT is((SELECT i::text FROM vector, capforecast.ingest_stripe_event(body, signature, t + interval '300 s') i), '(evt_test_1,ignored)', '8.13.2 the vector passes at t + 300 s, one secret of several');
SELECT is((SELECT i.outcome FROM vector, capforecast.ingest_stripe_event(body, signature, t - interval '300 s') i), 'duplicate', '8.13.1 the same event again');
SELECT throws_ok(format('SELECT capforecast.ingest_stripe_event(body, signature, t + interval %L) FROM vector', shift), '28000', 'the signature of the webhook is not valid', '8.13.2 replay at t + ' || shift)
FROM unnest(ARRAY['301 s', '-301 s']) shift;
CREATE FUNCTION pg_temp.verdict(body bytea, signature text, at timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE word text;
BEGIN
	PERFORM capforecast.ingest_stripe_event(body, signature, at);
	RETURN 'passed';
EXCEPTION WHEN invalid_authorization_specification THEN
	GET STACKED DIAGNOSTICS word = PG_EXCEPTION_DETAIL;
	RETURN word;
END $$;
SELECT is((SELECT count(*) FROM vector, generate_series(0, length(body) - 1) n WHERE pg_temp.verdict(set_byte(body, n, get_byte(body, n) # 1), signature, t) <> 'signature_mismatch'), 0::bigint,
	'8.13.2 any byte of the body changed fails');
SELECT is((SELECT count(*) FROM vector, generate_series(1, 64) n WHERE pg_temp.verdict(body, overlay(signature placing translate(substr(signature, 16 + n, 1), '0123456789abcdef', '123456789abcdef0') from 16 + n for 1), t) <> 'signature_mismatch'), 0::bigint,
	'8.13.2 any digit of the signature changed fails');
SELECT is(pg_temp.verdict(body, 't=1735689606' || substr(signature, 13), t), 'signature_mismatch', '8.13.2 the time is signed') FROM vector;
SELECT is(pg_temp.verdict(body, header, t), expected, '8.13.2 header ' || coalesce(header, 'NULL'))
FROM vector, (VALUES (NULL, 'no_v1'), ('', 'no_v1'), ('t=1735689605', 'no_v1'), ('t=1735689605,v0=e06ca3ecc59ccb905a1574eb122044f42a092422aa407a618b83d499011ab22a', 'no_v1'),
	('t=x,v1=e06ca3ecc59ccb905a1574eb122044f42a092422aa407a618b83d499011ab22a', 'signature_mismatch'), ('v1=e06ca3ecc59ccb905a1574eb122044f42a092422aa407a618b83d499011ab22a', 'signature_mismatch'),
	('t=1735689605,v1=' || repeat('0', 64) || ',v1=e06ca3ecc59ccb905a1574eb122044f42a092422aa407a618b83d499011ab22a', 'passed')) h(header, expected);
SELECT is((SELECT count(*) FROM capforecast.stripe_event), 1::bigint, '8.13.2 what fails is not stored');

-- A signature as Stripe makes it, for events of our own.
CREATE FUNCTION pg_temp.sign(body bytea, t bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	key bytea := convert_to('whsec_test_capforecast', 'UTF8') || decode(repeat('00', 64 - 22), 'hex');
	inner_pad bytea := '';
	outer_pad bytea := '';
BEGIN
	FOR i IN 0 .. 63 LOOP
		inner_pad := inner_pad || set_byte('\x00', 0, get_byte(key, i) # 54);
		outer_pad := outer_pad || set_byte('\x00', 0, get_byte(key, i) # 92);
	END LOOP;
	RETURN format('t=%s,v1=%s', t, encode(sha256(outer_pad || sha256(inner_pad || convert_to(t || '.', 'UTF8') || body)), 'hex'));
END $$;
SELECT is(pg_temp.sign(body, 1735689605), signature, 'the tests sign as the vector does') FROM vector;
CREATE FUNCTION pg_temp.webhook(event jsonb, at timestamptz DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT i.outcome FROM (SELECT convert_to(event::text, 'UTF8') AS body, coalesce(at, to_timestamp((event ->> 'created')::bigint)) AS at) e,
		capforecast.ingest_stripe_event(e.body, pg_temp.sign(e.body, extract(epoch FROM e.at)::bigint), e.at) i
$$;
CREATE FUNCTION pg_temp.subscription(id text, status text, starts timestamptz DEFAULT '2025-03-01', price text DEFAULT 'price_essential_m', more jsonb DEFAULT '{}')
	RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('id', id, 'object', 'subscription', 'status', status, 'customer', replace(id, 'sub_', 'cus_'), 'livemode', false,
		'cancel_at_period_end', false, 'current_period_start', extract(epoch FROM starts)::bigint, 'current_period_end', extract(epoch FROM starts + interval '1 month')::bigint,
		'items', jsonb_build_object('data', jsonb_build_array(jsonb_build_object('id', 'si_' || id, 'price', jsonb_build_object('id', price), 'quantity', 1)))) || more
$$;
CREATE FUNCTION pg_temp.event(id text, type text, created timestamptz, object jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('id', id, 'object', 'event', 'type', 'customer.subscription.' || type, 'created', extract(epoch FROM created)::bigint, 'livemode', false,
		'data', jsonb_build_object('object', object))
$$;

-- 3.4, 8.5.1: the status map, through a webhook each
CREATE FUNCTION pg_temp.mapped(stripe_status text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM vendor_subscriptions WHERE id = 10;
	DELETE FROM capforecast.subscription_state WHERE subscription_id = '10';
	DELETE FROM capforecast.stripe_event;
	PERFORM pg_temp.subscribe(10, 'essential', 'active', '2025-03-01', '2025-04-01', stripe => 'sub_10');
	PERFORM pg_temp.webhook(pg_temp.event('evt_' || stripe_status, 'updated', '2025-03-05', pg_temp.subscription('sub_10', stripe_status, more => '{"ended_at": 1741100000}')));
	RETURN (SELECT concat_ws(' ', s.status, capforecast.usage_summary('10', '2025-03-06') ->> 'entitled') FROM vendor_subscriptions s WHERE id = 10);
END $$;
SELECT is(pg_temp.mapped(word), expected, '3.4 ' || word)
FROM (VALUES ('trialing', 'trial true'), ('active', 'active true'), ('past_due', 'past_due true'), ('unpaid', 'past_due false'), ('incomplete', 'active false'),
	('incomplete_expired', 'expired false'), ('paused', 'expired false'), ('canceled', 'cancelled false'), ('sleeping', 'active true')) m(word, expected);

-- 8.5.4: all orders of four events, at distinct seconds and at the same one
CREATE FUNCTION pg_temp.outcome(sequence integer[], apart integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	statuses text[] := '{incomplete,active,past_due,canceled}';
	types text[] := '{created,updated,updated,deleted}';
	n integer;
BEGIN
	DELETE FROM vendor_subscriptions WHERE id = 11;
	DELETE FROM capforecast.subscription_state WHERE subscription_id = '11';
	DELETE FROM capforecast.stripe_event;
	PERFORM pg_temp.subscribe(11, 'essential', 'trial', '2025-02-01', '2025-03-01', stripe => 'sub_11');
	FOREACH n IN ARRAY sequence LOOP
		PERFORM pg_temp.webhook(pg_temp.event('evt_' || n, types[n], '2025-03-05'::timestamptz + make_interval(secs => n * apart),
			pg_temp.subscription('sub_11', statuses[n], more => CASE WHEN n = 4 THEN '{"ended_at": 1741132800}' ELSE '{}' END::jsonb)));
	END LOOP;
	RETURN (SELECT format('%s %s %s %s', s.status, s.tier, s.period_start::date, s.cancelled_at) FROM vendor_subscriptions s WHERE id = 11);
END $$;
WITH RECURSIVE orders AS (
	SELECT ARRAY[]::integer[] AS seq UNION ALL SELECT o.seq || n FROM orders o, generate_series(1, 4) n WHERE n <> ALL (o.seq)
), ends AS (
	SELECT apart, count(*) AS n, count(DISTINCT pg_temp.outcome(seq, apart)) AS n_ends, min(pg_temp.outcome(seq, apart)) AS state
	FROM orders, unnest(ARRAY[0, 1]) apart WHERE cardinality(seq) = 4 GROUP BY apart
)
SELECT is((n, n_ends, state)::text, '(24,1,"cancelled essential 2025-03-01 2025-03-05 00:00:00+00")', format('8.5.4 every order of events %s s apart ends the same', apart)) FROM ends;
WITH RECURSIVE orders AS (
	SELECT ARRAY[]::integer[] AS seq UNION ALL SELECT o.seq || n FROM orders o, generate_series(1, 3) n WHERE n <> ALL (o.seq)
)
SELECT is((count(*), count(DISTINCT pg_temp.outcome(seq, apart)), min(pg_temp.outcome(seq, apart)))::text, '(12,1,"past_due essential 2025-03-01 ")', '8.5.4 and without the last')
FROM orders, unnest(ARRAY[0, 1]) apart WHERE cardinality(seq) = 3;

-- terminal is final for that id; a new id starts fresh
SELECT is(pg_temp.outcome('{4}', 1), 'cancelled essential 2025-03-01 2025-03-05 00:00:00+00', '8.5.2 cancelled_at is ended_at');
SELECT is(pg_temp.webhook(pg_temp.event('evt_late', 'updated', '2025-03-20', pg_temp.subscription('sub_11', 'active'))), 'accepted', '8.13.1 accepted');
SELECT is((SELECT status FROM vendor_subscriptions WHERE id = 11), 'cancelled', '8.5.5 a final status is final');
UPDATE vendor_subscriptions SET stripe_subscription_id = 'sub_12' WHERE id = 11;
SELECT is(pg_temp.webhook(pg_temp.event('evt_new', 'created', '2025-03-21', pg_temp.subscription('sub_12', 'active', '2025-03-21', 'price_business_y'))), 'accepted', '8.5.5');
SELECT is((SELECT (tier, status, is_annual, period_start::date, cancelled_at)::text FROM vendor_subscriptions WHERE id = 11), '(business,active,t,2025-03-21,)', '8.5.3, 8.5.5 another id starts fresh; price to tier and interval');
SELECT is((SELECT count(*) FROM capforecast.finding WHERE code = 'billed_but_cancelled'), 0::bigint, '3.5 (found by the job only)');

-- outcomes
SELECT is(pg_temp.webhook('{"id": "evt_inv", "type": "invoice.paid", "created": 1741132800, "livemode": false, "data": {"object": {"id": "in_1"}}}'), 'ignored', '8.13.1 another type');
SELECT is(pg_temp.webhook(pg_temp.event('evt_live', 'updated', '2025-03-22', pg_temp.subscription('sub_12', 'canceled')) || '{"livemode": true}'), 'ignored', '8.13.1 another mode');
SELECT is((SELECT status FROM vendor_subscriptions WHERE id = 11), 'active', '8.13.1 without effect');
SELECT is(pg_temp.webhook(pg_temp.event('evt_new', 'created', '2025-03-21', pg_temp.subscription('sub_12', 'canceled'))), 'rejected', '8.13.3 an id with another body');
SELECT is((SELECT (severity, subject)::text FROM capforecast.finding WHERE code = 'event_id_reuse'), '(critical,"event evt_new")', '8.13.3 is a finding');
SELECT is(pg_temp.webhook(pg_temp.event('evt_early', 'created', '2025-03-21', pg_temp.subscription('sub_13', 'past_due'))), 'stored_unresolved', '8.13.4 not known yet');
SELECT pg_temp.subscribe(13, 'essential', 'active', '2025-03-01', '2025-04-01', stripe => 'sub_13');
SELECT is((r.applied, r.changed, r.mirror_stale)::text, '(1,1,f)', '8.13.4 the job tries again') FROM capforecast.sync_stripe_status('2025-03-21 01:00') r;
SELECT is((SELECT (s.status, e.outcome, e.applied_at IS NOT NULL)::text FROM vendor_subscriptions s, capforecast.stripe_event e WHERE s.id = 13 AND e.event_id = 'evt_early'), '(past_due,accepted,t)', '8.13.4 applied');
SELECT throws_ok(format('SELECT pg_temp.webhook(%L)', '{"id": "evt_x", "created": 1741132800}'), '22023', 'the body is not an event of Stripe', '8.13.5 no type');
SELECT throws_ok($$ SELECT capforecast.ingest_stripe_event('not json', pg_temp.sign('not json', 1741132800), to_timestamp(1741132800)) $$, '22023', NULL, '8.13.5 not JSON');
SELECT pg_temp.subscribe(14, 'essential', 'active', '2025-03-01', '2025-04-01');
UPDATE vendor_subscriptions SET stripe_customer_id = 'cus_14' WHERE id = 14;
SELECT is(pg_temp.webhook(pg_temp.event('evt_14', 'created', '2025-03-22', pg_temp.subscription('sub_14', 'active'))), 'accepted', '3.5 a customer''s only subscription');
SELECT is((SELECT stripe_subscription_id FROM vendor_subscriptions WHERE id = 14), 'sub_14', '3.5 is linked');

-- periods: the ledger is kept when Stripe moves them; basil has them on the items only
SELECT is(pg_temp.webhook(pg_temp.event('evt_basil', 'updated', '2025-04-01 00:00:05', (pg_temp.subscription('sub_14', 'active') #- '{current_period_start}' #- '{current_period_end}')
	|| '{"items": {"data": [{"id": "si_1", "price": {"id": "price_essential_m"}, "current_period_start": 1743465600, "current_period_end": 1746057600}, {"id": "si_2", "price": {"id": "price_x"}, "deleted": true, "current_period_end": 1}]}}')), 'accepted', '3.1');
SELECT is((SELECT (period_start::date, period_end::date)::text FROM vendor_subscriptions WHERE id = 14), '(2025-04-01,2025-05-01)', '3.1 periods of the items, deleted ones left out');
SELECT is((SELECT (window_start::date, window_end::date, reason)::text FROM capforecast.period_ledger WHERE subscription_id = '14'), '(2025-03-01,2025-04-01,stripe)', '8.3.1 Stripe moved the period: a ledger row');
SELECT is(pg_temp.webhook(pg_temp.event('evt_none', 'updated', '2025-04-02', (pg_temp.subscription('sub_14', 'past_due') #- '{current_period_start}' #- '{current_period_end}'))), 'accepted', '3.1');
SELECT is((SELECT (status, period_start::date, period_end::date)::text FROM vendor_subscriptions WHERE id = 14), '(past_due,2025-04-01,2025-05-01)', '3.1 no period: the known one stays');
SELECT is((SELECT r.findings ->> 'stripe_period_missing' FROM capforecast.sync_stripe_status('2025-04-02 01:00') r), '1', '3.1 and is a finding');
SELECT is(pg_temp.webhook(pg_temp.event('evt_trial', 'updated', '2025-04-03', pg_temp.subscription('sub_14', 'active', '2025-04-01', more => '{"trial_end": 1740000000, "cancel_at_period_end": true}'))), 'accepted', '2.5');
SELECT is((SELECT (trial_ends_at, cancel_at_period_end, status)::text FROM vendor_subscriptions WHERE id = 14), '(,t,active)', '8.5.2 an old trial_end is not copied, the flag is');

-- The outbox
SELECT is((r.outbox_id IS NOT NULL, r.estimate, r.action)::text, '(t,t,upgrade)', '8.9.8 Stripe is asked') FROM capforecast.change_tier('14', 'professional', as_of => '2025-04-10') r;
SELECT is((SELECT tier FROM vendor_subscriptions WHERE id = 14), 'essential', '8.9.8 the host''s row is unchanged');
SELECT is((SELECT payload FROM capforecast.stripe_outbox), '{"items": [{"id": "si_sub_14", "price": "price_professional_m", "quantity": 1}], "price": "price_professional_m", "timing": "immediate",
	"subscription": "sub_14", "proration_date": 1744243200, "payment_behavior": "pending_if_incomplete"}', '8.9.8 with the item''s id and quantity, and the moment of the numbers');
SELECT throws_ok($$ SELECT capforecast.change_tier('14', 'business', as_of => '2025-04-10') $$, '55000', NULL, '8.9.8 another change meanwhile');
SELECT is((SELECT r.outbox_id FROM capforecast.change_tier('14', 'professional', as_of => '2025-04-10 00:01') r), (SELECT id FROM capforecast.stripe_outbox), '8.9.8 the same one is the same row');
SELECT is(capforecast.settle_outbox((SELECT id FROM capforecast.stripe_outbox), true, '{"ok": 1}'), 'sent', '8.5.9 sent');
SELECT is(pg_temp.webhook(pg_temp.event('evt_up', 'updated', '2025-04-10 00:02', pg_temp.subscription('sub_14', 'active', '2025-04-01', 'price_professional_m'))), 'accepted', '8.5.8');
SELECT is((SELECT (s.tier, o.status)::text FROM vendor_subscriptions s, capforecast.stripe_outbox o WHERE s.id = 14), '(professional,confirmed)', '8.5.8 confirmed: tier and outbox together');
SELECT is(capforecast.settle_outbox((SELECT id FROM capforecast.stripe_outbox), true), 'confirmed', '8.5.9 an answer that comes later');
SELECT is((SELECT (i.source, i.estimate, i.amount_due_cents)::text FROM capforecast.upcoming_invoice('14', '2025-04-11') i), '(estimate,t,9900)', '8.11.3 an estimate');
SELECT is((r.effective_at::date, r.outbox_id IS NOT NULL)::text, '(2025-05-01,t)', '8.9.8 a downgrade at the end of the period') FROM capforecast.change_tier('14', 'essential', as_of => '2025-04-11') r;
SELECT is(capforecast.settle_outbox(max(id), true), 'scheduled', '8.5.9 scheduled') FROM capforecast.stripe_outbox;
SELECT lives_ok($$ SELECT capforecast.change_tier('14', 'business', 'period_end', as_of => '2025-04-12') $$, '8.5.9 may still be replaced');
SELECT is((SELECT array_agg(status ORDER BY id) FROM capforecast.stripe_outbox), '{confirmed,cancelled,pending}', '8.5.9 replaced');
SELECT is(capforecast.settle_outbox(max(id), false, '{"error": "card_declined"}'), 'failed', '8.5.9 failed') FROM capforecast.stripe_outbox;
SELECT is((SELECT result ->> 'error' FROM capforecast.stripe_outbox ORDER BY id DESC LIMIT 1), 'card_declined', '8.5.9 with its result');
SELECT throws_ok($$ SELECT capforecast.settle_outbox(-1, true) $$, 'P0002', NULL, '8.5.9 no such row');
-- add-ons
SELECT is((SELECT r.outbox_id IS NOT NULL FROM capforecast.purchase_addon('14', 'extra_member', 2, as_of => '2025-04-12') r), true, '8.10.4 Stripe is asked');
SELECT is((SELECT (status, quantity)::text FROM vendor_addons WHERE vendor_id = 14), '(pending,2)', '8.10.4 pending');
CREATE FUNCTION pg_temp.with_members(n integer, price text DEFAULT 'price_professional_m') RETURNS jsonb LANGUAGE sql AS $$
	SELECT pg_temp.subscription('sub_14', 'active', '2025-04-01', price, jsonb_build_object('items', jsonb_build_object('data',
		jsonb_build_array(jsonb_build_object('id', 'si_sub_14', 'price', price, 'quantity', 1))
		|| CASE WHEN n > 0 THEN jsonb_build_array(jsonb_build_object('id', 'si_members', 'price', 'price_extra_member', 'quantity', n)) ELSE '[]' END)))
$$;
SELECT is(pg_temp.webhook(pg_temp.event('evt_a1', 'updated', '2025-04-12 00:01', pg_temp.with_members(2))), 'accepted', '8.5.8');
SELECT is((SELECT (status, quantity, stripe_subscription_item_id)::text FROM vendor_addons WHERE vendor_id = 14), '(active,2,si_members)', '8.5.8, 8.10.4 it grants when Stripe shows it');
DO $$ BEGIN PERFORM capforecast.cancel_addon('14', 'extra_member', 1, as_of => '2025-04-13'); END $$;
SELECT is(pg_temp.webhook(pg_temp.event('evt_a2', 'updated', '2025-04-13 00:01', pg_temp.with_members(1))), 'accepted', '8.5.8');
SELECT is((SELECT (status, quantity)::text FROM vendor_addons WHERE vendor_id = 14), '(active,1)', '8.5.8 fewer');
DO $$ BEGIN PERFORM capforecast.cancel_addon('14', 'extra_member', timing => 'immediate', as_of => '2025-04-14'); END $$;
SELECT is(pg_temp.webhook(pg_temp.event('evt_a3', 'updated', '2025-04-14 00:01', pg_temp.with_members(0))), 'accepted', '8.5.8');
SELECT is((SELECT (status, quantity)::text FROM vendor_addons WHERE vendor_id = 14), '(cancelled,1)', '8.5.8 none');
SELECT is((SELECT count(*) FROM capforecast.pending_invoice_item WHERE vendor_id = '14'), 0::bigint, 'C10 nothing is billed here');
SELECT * FROM finish();
ROLLBACK;
