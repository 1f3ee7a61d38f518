-- Stripe: signatures, webhook events, and what they do to a subscription.
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
	GET STACKED DIAGNOSTICS word = CONSTRAINT_NAME;
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

\ir ../subscription/stripe.sql
SELECT is(pg_temp.sign(body, 1735689605), signature, 'the tests sign as the vector does') FROM vector;

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
SELECT is((SELECT resolved_at FROM capforecast.finding WHERE code = 'billed_but_cancelled'), NULL, '3.5 what the host had cancelled and Stripe bills is a finding');

-- outcomes
SELECT is(pg_temp.webhook('{"id": "evt_inv", "type": "invoice.paid", "created": 1741132800, "livemode": false, "data": {"object": {"id": "in_1"}}}'), 'ignored', '8.13.1 another type');
SELECT is(pg_temp.webhook(pg_temp.event('evt_live', 'updated', '2025-03-22', pg_temp.subscription('sub_12', 'canceled')) || '{"livemode": true}'), 'ignored', '8.13.1 another mode');
SELECT is((SELECT status FROM vendor_subscriptions WHERE id = 11), 'active', '8.13.1 without effect');
SELECT is(pg_temp.webhook(pg_temp.event('evt_new', 'created', '2025-03-21', pg_temp.subscription('sub_12', 'canceled')) || '{"pending_webhooks": 3, "api_version": "2026-01-01"}'), 'duplicate',
	'8.0.13 the same event in another rendering');
SELECT is((SELECT status FROM vendor_subscriptions WHERE id = 11), 'active', '8.0.13 has no effect again');
SELECT is((SELECT array_agg(pg_temp.webhook(e) ORDER BY n) FROM (VALUES (1, pg_temp.event('evt_new', 'updated', '2025-03-21', pg_temp.subscription('sub_12', 'active'))),
	(2, pg_temp.event('evt_new', 'created', '2025-03-21 00:00:01', pg_temp.subscription('sub_12', 'active'))), (3, pg_temp.event('evt_new', 'created', '2025-03-21', pg_temp.subscription('sub_11', 'active')))) x(n, e)),
	'{rejected,rejected,rejected}', '8.13.3 an id with another type, time or object');
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

-- Signed, but not what Stripe sends: one SQLSTATE, with a word, and nothing of the body in it
CREATE FUNCTION pg_temp.refused(body bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE word text; state text; message text; detail text;
BEGIN
	PERFORM capforecast.ingest_stripe_event(body, pg_temp.sign(body, 1741132800), to_timestamp(1741132800));
	RETURN 'taken in';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS word = CONSTRAINT_NAME, state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' ', state, word, CASE WHEN length(message || detail) > 300 OR message || detail ~ 'sesame' THEN 'tells too much' END);
END $$;
CREATE FUNCTION pg_temp.with_field(path text, value text) RETURNS bytea LANGUAGE sql AS $$
	SELECT convert_to(replace(jsonb_set(pg_temp.event('evt_bad', 'updated', '2025-03-05', pg_temp.subscription('sub_12', 'active')), path::text[], '"@"')::text, '"@"', value), 'UTF8')
$$;
SELECT is(pg_temp.refused(body), '22023 ' || word, '8.13.5 ' || what) FROM (VALUES
	('not JSON', 'not json'::bytea, 'bad_body'), ('nothing', ''::bytea, 'bad_body'), ('not UTF-8', '\x7b22ff227d'::bytea, 'bad_body'), ('a zero byte', '\x7b220022 7d'::bytea, 'bad_body'),
	('nested 200 000 deep', convert_to(repeat('[', 200000), 'UTF8'), 'bad_body'), ('no object', '[]', 'bad_event'), ('null', 'null', 'bad_event'),
	('a number without end', convert_to('{"id": "e", "type": "t", "created": 1e400000}', 'UTF8'), 'bad_body'), ('no type', '{"id": "e", "created": 1}', 'bad_event'),
	('half of it', convert_to('{"id": "evt_sesame", "type": "', 'UTF8'), 'bad_body'),
	('an id of 3 MB', pg_temp.with_field('{id}', '"' || repeat('x', 3000000) || '"'), 'bad_event'), ('an empty id', pg_temp.with_field('{id}', '""'), 'bad_event'),
	('a time beyond all calendars', pg_temp.with_field('{created}', '1e17'), 'bad_event'), ('a time of 401 digits', pg_temp.with_field('{created}', '1e400'), 'bad_event'),
	('a time with a fraction', pg_temp.with_field('{created}', '1.5'), 'bad_event'), ('a time before 1970', pg_temp.with_field('{created}', '-1'), 'bad_event'),
	('a mode that is none', pg_temp.with_field('{livemode}', '"maybe"'), 'bad_event'), ('an account that is none', pg_temp.with_field('{account}', '[]'), 'bad_event'),
	('a quantity that is none', pg_temp.with_field('{data,object,items,data,0,quantity}', '"sesame"'), 'bad_subscription'), ('a price that is none', pg_temp.with_field('{data,object,items,data,0,price}', '7'), 'bad_subscription'),
	('an item that is none', pg_temp.with_field('{data,object,items,data,0}', '7'), 'bad_subscription'), ('items that are none', pg_temp.with_field('{data,object,items}', '[]'), 'bad_subscription'),
	('a status that is none', pg_temp.with_field('{data,object,status}', '3'), 'bad_subscription'), ('an end that is none', pg_temp.with_field('{data,object,current_period_end}', '"sesame"'), 'bad_subscription'),
	('a flag that is none', pg_temp.with_field('{data,object,cancel_at_period_end}', '"perhaps"'), 'bad_subscription'), ('a numeric id of the object', pg_temp.with_field('{data,object,id}', '12'), 'bad_subscription'),
	('more than 4 MB', convert_to('{"x": "' || repeat('y', 4194304) || '"}', 'UTF8'), 'body_too_large')) b(what, body, word);
SELECT is((SELECT count(*) FROM capforecast.stripe_event WHERE event_id = 'evt_bad'), 0::bigint, '8.13.5 nothing of it is kept');
SELECT is(pg_temp.refused(pg_temp.with_field('{data,object,metadata}', '{"note": "sesame \u0000 \ud800 \ud83d\ude00"}')), 'taken in', '8.13 what jsonb has no character for is no reason to refuse');
SELECT is((SELECT payload #>> '{data,object,metadata,note}' FROM capforecast.stripe_event WHERE event_id = 'evt_bad'), 'sesame \u0000 \ud800 ' || U&'\+01F600', '8.13 it is kept as its escape');

-- One row that cannot be written is a finding of its own; the event is kept, others go on
CREATE FUNCTION pg_temp.no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.id IN (12, 15) THEN RAISE 'no'; END IF; RETURN new; END $$;
CREATE TRIGGER no BEFORE UPDATE ON vendor_subscriptions FOR EACH ROW WHEN (new.id = 12) EXECUTE FUNCTION pg_temp.no();
CREATE CONSTRAINT TRIGGER later AFTER UPDATE ON vendor_subscriptions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.id = 15) EXECUTE FUNCTION pg_temp.no();
SELECT pg_temp.subscribe(12, 'essential', 'active', '2025-03-01', '2025-04-01', stripe => 'sub_120');
SELECT is(pg_temp.webhook(pg_temp.event('evt_120', 'updated', '2025-03-05', pg_temp.subscription('sub_120', 'past_due'))), 'stored_unresolved', '8.0.11 the row refuses, the event is kept');
SELECT is((SELECT (subject, detail ->> 'message', resolved_at)::text FROM capforecast.finding WHERE code = 'job_row_failed'), '("sync_stripe_status subscription 12",no,)', '8.0.11 and it is a finding of that row');
SELECT is(pg_temp.webhook(pg_temp.event('evt_13', 'updated', '2025-03-22', pg_temp.subscription('sub_13', 'active'))), 'accepted', '8.0.11 others go on');
SELECT is((SELECT r.failed FROM capforecast.sync_stripe_status('2025-04-03 01:00') r), 1::bigint, '8.0.11 the job tries again');
SELECT is((SELECT outcome FROM capforecast.stripe_event WHERE event_id = 'evt_120'), 'stored_unresolved', '8.13.4 what failed is not marked as applied');
SELECT pg_temp.subscribe(15, 'essential', 'active', '2025-03-01', '2025-04-01', stripe => 'sub_15');
SELECT is(pg_temp.webhook(pg_temp.event('evt_15', 'updated', '2025-03-05', pg_temp.subscription('sub_15', 'past_due'))), 'stored_unresolved', '8.0.12 a deferred constraint of the host fires where it was broken');
SELECT is((SELECT count(*) FROM capforecast.finding WHERE code = 'job_row_failed' AND subject LIKE '% 15'), 1::bigint, '8.0.12 and is a finding of that row');
DROP TRIGGER later ON vendor_subscriptions;
DROP TRIGGER no ON vendor_subscriptions;
SELECT is((SELECT (r.failed, r.applied)::text FROM capforecast.sync_stripe_status('2025-04-03 02:00') r), '(0,2)', '8.0.11 until it can');
SELECT is((SELECT (e.outcome, f.resolved_at IS NOT NULL)::text FROM capforecast.stripe_event e, capforecast.finding f WHERE e.event_id = 'evt_120' AND f.code = 'job_row_failed' AND f.subject LIKE '% 12'), '(accepted,t)', '8.0.11 and the finding ends');

-- A period that ends before it begins
SELECT is(pg_temp.webhook(pg_temp.event('evt_inv2', 'updated', '2025-03-23', pg_temp.subscription('sub_13', 'past_due', more => '{"current_period_end": 1600000000}'))), 'accepted', '8.0.18 an inverted period');
SELECT is((SELECT (s.status, s.period_end::date, f.severity)::text FROM vendor_subscriptions s, capforecast.finding f WHERE s.id = 13 AND f.code = 'stripe_period_inverted' AND f.resolved_at IS NULL), '(past_due,2025-04-01,warning)',
	'8.0.18 leaves the known one, and is a finding');
SELECT is(pg_temp.webhook(pg_temp.event('evt_inv3', 'updated', '2025-03-24', pg_temp.subscription('sub_13', 'past_due'))), 'accepted', '8.0.18');
SELECT is((SELECT count(*) FROM capforecast.finding f WHERE f.code = 'stripe_period_inverted' AND f.resolved_at IS NULL), 0::bigint, '8.0.13 which ends with its cause');

-- A host that writes '' for none: locally billed, linked to nothing
ALTER TABLE vendor_subscriptions DROP CONSTRAINT vendor_subscriptions_stripe_subscription_id_key;
SELECT pg_temp.subscribe(n, 'essential', 'active', '2025-03-01', '2025-04-01') FROM generate_series(30, 31) n;
UPDATE vendor_subscriptions SET stripe_subscription_id = '', stripe_customer_id = '' WHERE id IN (30, 31);
SELECT is((r.action, r.estimate, r.net_cents)::text, '(upgrade,f,2500)', 'C10 no id is no id') FROM capforecast.quote_tier_change('30', 'professional', as_of => '2025-03-16 12:00') r;
SELECT is((SELECT r.drafts FROM capforecast.reset_period_counters('2025-04-01 00:05') r) >= 2, true, 'C10 and we bill it');

-- S27: who may not take in events gets no verdict on a signature
CREATE ROLE stripe_reader;
GRANT USAGE ON SCHEMA capforecast TO stripe_reader;
SELECT is(has_function_privilege('stripe_reader', 'capforecast._stripe_signature(bytea, text, timestamptz)', 'EXECUTE'), false, 'S27 the verdict on a signature is not for readers');
SELECT * FROM finish();
ROLLBACK;
