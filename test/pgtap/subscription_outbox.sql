-- What is asked of Stripe: one request at a time, confirmed by what came after it was handed out.
BEGIN;
\ir ../subscription/fixture.sql
\ir ../subscription/stripe.sql
SELECT no_plan();
SET LOCAL capforecast.stripe_livemode = off;
INSERT INTO capforecast._secret (secret) VALUES ('whsec_test_capforecast');
UPDATE subscription_tiers SET stripe_price_monthly_id = 'price_' || code || '_m', stripe_price_annual_id = 'price_' || code || '_y';
INSERT INTO addon_products (code, name, category, price_cents, billing_period, grants_resource, grants_per_unit, max_quantity) VALUES
	('a500', 'A', 'x', 500, 'monthly', 'products', 500, 20), ('a333', 'B', 'x', 333, 'monthly', NULL, 0, 20), ('setup', 'C', 'x', 25000, 'one_time', NULL, 0, NULL);
UPDATE addon_products SET stripe_price_id = 'price_' || code;

-- What the vendor's subscription is at Stripe: items as price => quantity, each with its id.
CREATE FUNCTION pg_temp.now_at_stripe(n bigint, event text, at timestamptz, items jsonb, more jsonb DEFAULT '{}', status text DEFAULT 'active') RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.webhook(pg_temp.event(event, 'updated', at, pg_temp.subscription('sub_' || n, status, '2025-04-01', more => jsonb_build_object('items', jsonb_build_object('data',
		(SELECT jsonb_agg(jsonb_build_object('id', 'si_' || n || '_' || i.key, 'price', jsonb_build_object('id', 'price_' || i.key), 'quantity', i.value)) FROM jsonb_each(items) i))) || more)))
$$;
CREATE FUNCTION pg_temp.requests(n bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(o.operation || ' ' || o.status || coalesce(' ' || (o.result ->> 'reason'), ''), ', ' ORDER BY o.id) FROM capforecast.stripe_outbox o WHERE o.vendor_id = n::text
$$;
-- The newest request as the application sees it: price x quantity (+ without an id, - deleted), and flags.
CREATE FUNCTION pg_temp.asked(n bigint) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', o.payload ->> 'timing', (SELECT string_agg(CASE WHEN i ? 'id' THEN CASE WHEN i ? 'deleted' THEN '-' ELSE '' END ELSE '+' END || substr(i ->> 'price', 7) || coalesce('x' || (i ->> 'quantity'), ''), ' ' ORDER BY p)
			FROM jsonb_array_elements(o.payload -> 'items') WITH ORDINALITY x(i, p)),
		'once ' || (SELECT string_agg(substr(i ->> 'price', 7) || 'x' || (i ->> 'quantity'), ' ') FROM jsonb_array_elements(o.payload -> 'invoice_items') i),
		'cancel_at_period_end=' || (o.payload ->> 'cancel_at_period_end'), 'cancel=' || (o.payload ->> 'cancel'), 'release=' || (o.payload ->> 'release_schedule'))
	FROM capforecast.stripe_outbox o WHERE o.vendor_id = n::text ORDER BY o.id DESC LIMIT 1
$$;
CREATE FUNCTION pg_temp.newest(n bigint) RETURNS bigint LANGUAGE sql AS $$ SELECT max(o.id) FROM capforecast.stripe_outbox o WHERE o.vendor_id = n::text $$;
CREATE FUNCTION pg_temp.addons(n bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(p.code || ' ' || a.status || ' x' || a.quantity, ', ' ORDER BY p.code, a.id) FROM vendor_addons a JOIN addon_products p ON p.id = a.addon_product_id WHERE a.vendor_id = n AND a.status <> 'cancelled'
$$;
CREATE FUNCTION pg_temp.take(n integer, at timestamptz DEFAULT '2025-04-10') RETURNS text LANGUAGE sql AS $$ SELECT string_agg(t.vendor_id || ' ' || t.status, ', ' ORDER BY t.id) FROM capforecast.take_outbox(n, at) t $$;
CREATE FUNCTION pg_temp.word(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE state text; word text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, word = CONSTRAINT_NAME;
	RETURN state || ' ' || word;
END $$;
SELECT pg_temp.subscribe(n, 'essential', 'active', '2025-04-01', '2025-05-01', stripe => 'sub_' || n) FROM generate_series(1, 19) n;

-- Without Stripe's items nothing is asked: it would add where it should change
SELECT is(pg_temp.word(format('SELECT capforecast.%s', call)), '55000 items_unknown', '8.0.9 ' || call) FROM unnest(ARRAY[
	$$change_tier('1', 'professional', as_of => '2025-04-10')$$, $$purchase_addon('1', 'extra_member', as_of => '2025-04-10')$$]) call;
SELECT is((SELECT count(*) FROM capforecast.stripe_outbox), 0::bigint, '8.0.9 and nothing is asked');
DO $$ BEGIN PERFORM pg_temp.now_at_stripe(n, 'evt_first_' || n, '2025-04-01', '{"essential_m": 1}') FROM generate_series(1, 18) n; END $$;

-- Asked, handed out, confirmed by what came later
SELECT is((r.action, r.estimate, r.outbox_id = pg_temp.newest(1))::text, '(upgrade,t,t)', '8.9.8 Stripe is asked') FROM capforecast.change_tier('1', 'professional', as_of => '2025-04-10') r;
SELECT is(pg_temp.asked(1), 'immediate professional_mx1', '8.9.8 with the item''s id, and its quantity');
SELECT is((SELECT o.payload ->> 'proration_date' FROM capforecast.stripe_outbox o), '1744243200', '8.9.8 and the moment of the numbers');
SELECT is((SELECT tier FROM vendor_subscriptions WHERE id = 1), 'essential', '8.9.8 the host''s row is as it was');
SELECT is((SELECT r.changed FROM capforecast.sync_stripe_status('2025-04-10 00:10') r), 0::bigint, '8.0.9 the job sees nothing new');
SELECT is(pg_temp.requests(1), 'change_tier pending', '8.0.9 what was not handed out is not confirmed');
SELECT is((SELECT r.outbox_id FROM capforecast.change_tier('1', 'professional', as_of => '2025-04-10 00:11') r), pg_temp.newest(1), '8.9.8 the same change is the same request');
SELECT is(pg_temp.take(5), '1 taken', '8.0.9 handed out');
SELECT is(pg_temp.take(5), NULL, '8.0.9 once');
SELECT is(pg_temp.word($$SELECT capforecast.change_tier('1', 'business', as_of => '2025-04-10')$$), '55000 change_in_flight', '8.0.9 another change has to wait');
SELECT is(pg_temp.word(format('SELECT capforecast.%s', call)), '55000 change_in_flight', '8.0.14 the quote says so, too: ' || call) FROM unnest(ARRAY[$$quote_addon('1', 'extra_member', as_of => '2025-04-10')$$]) call;
SELECT is((SELECT (r.outbox_id = pg_temp.newest(1))::text FROM capforecast.change_tier('1', 'professional', as_of => '2025-04-10 00:12') r), 'true', '8.0.9 the same one is on its way');
SELECT is(pg_temp.now_at_stripe(1, 'evt_old', '2025-03-31', '{"professional_m": 1}'), 'accepted', '8.0.9 an event from before');
SELECT is(pg_temp.requests(1), 'change_tier taken', '8.0.9 confirms nothing');
SELECT is(pg_temp.now_at_stripe(1, 'evt_other', '2025-04-10 00:01', '{"essential_m": 1}', '{"cancel_at_period_end": true}'), 'accepted', '8.0.9 nor does one that shows something else');
SELECT is(pg_temp.requests(1), 'change_tier taken', '8.0.9 confirms nothing');
SELECT is(pg_temp.now_at_stripe(1, 'evt_up', '2025-04-10 00:02', '{"professional_m": 1}'), 'accepted', '8.5.8 later, and as it was wanted');
SELECT is((SELECT (s.tier, pg_temp.requests(1))::text FROM vendor_subscriptions s WHERE s.id = 1), '(professional,"change_tier confirmed")', '8.5.8 tier and request together');
SELECT is(capforecast.settle_outbox(pg_temp.newest(1), true), 'confirmed', '8.5.9 an answer that comes later than the webhook');

-- Taken for 15 minutes: handed out again, with the same words and the same key
DO $$ BEGIN PERFORM capforecast.change_tier('2', 'professional', as_of => '2025-04-10'); END $$;
CREATE TEMP TABLE handed AS SELECT 1 AS n, t.* FROM capforecast.take_outbox(1, '2025-04-10 00:00') t;
SELECT is(pg_temp.take(1, '2025-04-10 00:14:59'), NULL, '8.0.9 not before 15 minutes');
SELECT is(pg_temp.now_at_stripe(2, 'evt_portal_2', '2025-04-10 00:10', '{"essential_m": 3}'), 'accepted', '(the portal sets a quantity meanwhile)');
INSERT INTO handed SELECT 2, t.* FROM capforecast.take_outbox(1, '2025-04-10 00:15') t;
SELECT is((SELECT (count(*), count(DISTINCT (idempotency_key, payload)), max(attempts))::text FROM handed), '(2,1,2)', '8.0.9 again, and the same: Stripe refuses a key with other words');
SELECT is(capforecast.settle_outbox(pg_temp.newest(2), false, '{"error": "card_declined"}'), 'failed', '8.5.9 refused');
SELECT is((SELECT o.result ->> 'error' FROM capforecast.stripe_outbox o WHERE o.id = pg_temp.newest(2)), 'card_declined', '8.5.9 with Stripe''s answer');
SELECT is(pg_temp.word(format('SELECT capforecast.settle_outbox(%s, true)', pg_temp.newest(2))), '55000 settled', '8.5.9 which is final');
SELECT is(pg_temp.word($$SELECT capforecast.settle_outbox(-1, true)$$), 'P0002 unknown_request', '8.5.9 no such row');
SELECT is(pg_temp.word($$SELECT capforecast.settle_outbox(1, NULL)$$), '22023 bad_argument', '8.5.9 neither yes nor no');
SELECT is(pg_temp.word(format('SELECT capforecast.take_outbox(%s)', n)), '22023 bad_argument', '8.0.9 take ' || n) FROM unnest(ARRAY['0', '-1', 'NULL']) n;
DO $$ BEGIN PERFORM capforecast.change_tier('2', 'professional', as_of => '2025-04-11'); END $$;
SELECT is(pg_temp.asked(2), 'immediate professional_mx3', '8.9.8 the quantity of now is kept');
SELECT is(pg_temp.now_at_stripe(2, 'evt_portal_2b', '2025-04-11 00:01', '{"essential_m": 5, "extra_member": 2}'), 'accepted', '(the portal, before the request is handed out)');
SELECT is(pg_temp.take(1, '2025-04-11 00:02'), '2 taken', '8.0.9');
SELECT is(pg_temp.asked(2), 'immediate professional_mx5 extra_memberx2', '8.0.9 it is made from what is known when it is handed out');
SELECT is(capforecast.settle_outbox(pg_temp.newest(2), true), 'sent', '8.5.9 sent');
SELECT is(pg_temp.now_at_stripe(2, 'evt_2c', '2025-04-11 00:03', '{"professional_m": 5, "extra_member": 4}'), 'accepted', '8.0.9 what it did not ask for may differ');
SELECT is(pg_temp.requests(2), 'change_tier failed, change_tier confirmed', '8.0.9 and it is confirmed');

-- Until it is handed out a later change takes its place
DO $$ BEGIN PERFORM capforecast.purchase_addon('3', 'a500', 2, as_of => '2025-04-10'); END $$;
SELECT is(pg_temp.asked(3), 'immediate essential_mx1 +a500x2', '8.0.9 an add-on that is new');
SELECT is(pg_temp.addons(3), 'a500 pending x2', '8.10.4 waits');
SELECT is((r.action, r.outbox_id, r.notes)::text, '(cancel,,{request_replaced})', '8.0.9 taken back before it was handed out: nothing is asked')
	FROM capforecast.cancel_addon('3', 'a500', timing => 'immediate', as_of => '2025-04-10 00:01') r;
SELECT is((pg_temp.requests(3), pg_temp.addons(3), pg_temp.take(9))::text, '("purchase_addon cancelled replaced",,)', '8.0.9 by nobody');
DO $$ BEGIN PERFORM capforecast.purchase_addon('3', 'a500', 2, as_of => '2025-04-10'); PERFORM capforecast.purchase_addon('3', 'extra_member', 1, as_of => '2025-04-10');
	PERFORM capforecast.change_tier('3', 'professional', as_of => '2025-04-10'); PERFORM capforecast.purchase_addon('3', 'a500', 1, as_of => '2025-04-10'); END $$;
SELECT is((pg_temp.asked(3), pg_temp.addons(3))::text, '("immediate professional_mx1 +a500x3 +extra_memberx1","a500 pending x3, extra_member pending x1")', '8.0.9 one request for all of it');
SELECT is(pg_temp.take(9), '3 taken', '8.0.9 one request of a subscription is open');
SELECT is(pg_temp.word($$SELECT capforecast.cancel_addon('3', 'a500', as_of => '2025-04-10')$$), '55000 change_in_flight', '8.0.9 handed out, it cannot be overtaken');
SELECT is(pg_temp.now_at_stripe(3, 'evt_3a', '2025-04-10 00:02', '{"professional_m": 1, "a500": 3}'), 'accepted', '8.0.9 a part of it');
SELECT is((SELECT o.status FROM capforecast.stripe_outbox o WHERE o.id = pg_temp.newest(3)), 'taken', '8.0.9 is not all of it');
SELECT is(pg_temp.addons(3), 'a500 active x3, extra_member pending x1', '8.0.10 add-ons follow the items all the same');
SELECT is(pg_temp.now_at_stripe(3, 'evt_3b', '2025-04-10 00:03', '{"professional_m": 1, "a500": 3, "extra_member": 1}'), 'accepted', '8.0.9 the rest');
SELECT is((SELECT (o.status, pg_temp.addons(3))::text FROM capforecast.stripe_outbox o WHERE o.id = pg_temp.newest(3)), '(confirmed,"a500 active x3, extra_member active x1")', '8.0.9');
DO $$ BEGIN PERFORM capforecast.cancel_addon('3', 'a500', 1, as_of => '2025-04-11'); END $$;
SELECT is(pg_temp.asked(3), 'immediate professional_mx1 a500x2 extra_memberx1', '8.10.5 fewer');
DO $$ BEGIN PERFORM capforecast.cancel_addon('3', 'a500', timing => 'immediate', as_of => '2025-04-11'); END $$;
SELECT is(pg_temp.asked(3), 'immediate professional_mx1 -a500 extra_memberx1', '8.10.5 none');
SELECT is(pg_temp.take(9), '3 taken', '8.0.9');
DO $$ BEGIN PERFORM capforecast.settle_outbox(pg_temp.newest(3), true); END $$;
SELECT is(pg_temp.now_at_stripe(3, 'evt_3c', '2025-04-11 00:03', '{"professional_m": 1, "extra_member": 1}'), 'accepted', '8.5.8');
SELECT is((SELECT (o.status, pg_temp.addons(3))::text FROM capforecast.stripe_outbox o WHERE o.id = pg_temp.newest(3)), '(confirmed,"extra_member active x1")', '8.5.8 gone');
SELECT is((SELECT count(*) FROM capforecast.pending_invoice_item), 0::bigint, 'C10 nothing is billed here');

-- The application that never asks for work but reads the table, as it may
DO $$ BEGIN PERFORM capforecast.change_tier('4', 'professional', as_of => '2025-04-10'); END $$;
SELECT is(pg_temp.now_at_stripe(4, 'evt_4', '2025-04-10 00:02', '{"professional_m": 1}'), 'accepted', '8.0.9 the webhook is faster than the answer');
SELECT is(pg_temp.requests(4), 'change_tier pending', '8.0.9 and confirms nothing yet');
SELECT is(capforecast.settle_outbox(pg_temp.newest(4), true), 'confirmed', '8.0.9 with the answer it does');
-- what the portal has done already
DO $$ BEGIN PERFORM capforecast.change_tier('5', 'professional', as_of => '2025-04-10'); END $$;
SELECT is(pg_temp.now_at_stripe(5, 'evt_5', '2025-04-10 00:02', '{"professional_m": 1}'), 'accepted', '8.0.9 the vendor has done it in the portal');
SELECT is((pg_temp.take(9), pg_temp.requests(5))::text, '(,"change_tier cancelled already_so")', '8.0.9 there is nothing left to ask');

-- At the end of the period: scheduled, replaced, released
SELECT is((r.effective_at::date, r.outbox_id IS NOT NULL)::text, '(2025-05-01,t)', '8.9.8 a downgrade waits') FROM capforecast.change_tier('1', 'essential', as_of => '2025-04-11') r;
SELECT is(pg_temp.asked(1), 'period_end essential_mx1', '8.0.9');
DO $$ BEGIN PERFORM capforecast.take_outbox(9, '2025-04-11'); END $$;
SELECT is(capforecast.settle_outbox(pg_temp.newest(1), true, '{"schedule": "sub_sched_1"}'), 'scheduled', '8.5.9 scheduled');
SELECT is((SELECT (r.action, r.outbox_id IS NOT NULL)::text FROM capforecast.change_tier('1', 'professional', as_of => '2025-04-12') r), '(pending_cancelled,t)', '8.0.9 taken back');
SELECT is((pg_temp.requests(1), pg_temp.asked(1))::text, '("change_tier confirmed, change_tier scheduled, release_schedule pending","immediate release=sub_sched_1")', '8.0.9 which is a request of its own');
SELECT is((SELECT r.changed FROM capforecast.sync_stripe_status('2025-04-12 00:10') r), 0::bigint, '8.0.9 the job');
SELECT is(pg_temp.requests(1), 'change_tier confirmed, change_tier scheduled, release_schedule pending', '8.0.9 does not confirm what nobody has sent');
SELECT is(pg_temp.take(9, '2025-04-12 01:00'), '1 taken', '8.0.9');
SELECT is(pg_temp.now_at_stripe(1, 'evt_1r', '2025-04-12 01:01', '{"professional_m": 1}', '{"schedule": "sub_sched_1"}'), 'accepted', '8.0.9 still scheduled');
SELECT is((SELECT o.status FROM capforecast.stripe_outbox o WHERE o.id = pg_temp.newest(1)), 'taken', '8.0.9 is not released');
SELECT is(pg_temp.now_at_stripe(1, 'evt_1s', '2025-04-12 01:02', '{"professional_m": 1}', '{"schedule": null}'), 'accepted', '8.0.9 released');
SELECT is(pg_temp.requests(1), 'change_tier confirmed, change_tier cancelled released, release_schedule confirmed', '8.0.9 the scheduled change is gone');

-- what is left alone comes at its date
DO $$ BEGIN PERFORM capforecast.change_tier('16', 'professional', 'period_end', as_of => '2025-04-11'); PERFORM capforecast.take_outbox(99, '2025-04-11'); PERFORM capforecast.settle_outbox(pg_temp.newest(16), true, '{"schedule": "sub_sched_16"}'); END $$;
SELECT is(pg_temp.now_at_stripe(16, 'evt_16a', '2025-04-11 00:01', '{"essential_m": 1}', '{"schedule": "sub_sched_16"}'), 'accepted', '8.5.9');
SELECT is(pg_temp.now_at_stripe(16, 'evt_16b', '2025-04-12', '{"professional_m": 1}', '{"schedule": "sub_sched_16"}'), 'accepted', '(the vendor does the same in the portal)');
SELECT is(pg_temp.requests(16), 'change_tier scheduled', '8.0.9 it stands as long as its schedule');
SELECT is(pg_temp.now_at_stripe(16, 'evt_16c', '2025-05-01', '{"professional_m": 1}'), 'accepted', '8.5.9');
SELECT is((SELECT (s.tier, pg_temp.requests(16))::text FROM vendor_subscriptions s WHERE s.id = 16), '(professional,"change_tier confirmed")', '8.5.9 and is confirmed at its date');
-- which of two plans to change cannot be told
SELECT is(pg_temp.now_at_stripe(17, 'evt_17', '2025-04-10', '{"essential_m": 1, "business_m": 1}'), 'accepted', '8.5.3 several plans');
SELECT is(pg_temp.word($$SELECT capforecast.change_tier('17', 'professional', as_of => '2025-04-11')$$), '55000 items_unknown', '8.0.9 are not changed');
SELECT is((SELECT r.action FROM capforecast.purchase_addon('17', 'extra_member', as_of => '2025-04-11') r), 'purchase', '8.0.9 an add-on beside them can be had');

-- A scheduled change that another request passes by is asked for again
DO $$ BEGIN PERFORM capforecast.change_tier('3', 'essential', as_of => '2025-04-12'); PERFORM capforecast.take_outbox(9, '2025-04-12'); PERFORM capforecast.settle_outbox(pg_temp.newest(3), true, '{"schedule": "sub_sched_3"}');
	PERFORM capforecast.purchase_addon('3', 'a500', 1, as_of => '2025-04-13'); END $$;
SELECT is(pg_temp.asked(3), 'immediate professional_mx1 extra_memberx1 +a500x1 release=sub_sched_3', '8.0.9 in the same request');
DO $$ BEGIN PERFORM capforecast.take_outbox(9, '2025-04-13'); PERFORM capforecast.settle_outbox(pg_temp.newest(3), true); END $$;
SELECT is(pg_temp.now_at_stripe(3, 'evt_3d', '2025-04-13 01:02', '{"professional_m": 1, "extra_member": 1, "a500": 1}'), 'accepted', '8.0.9');
SELECT is((SELECT string_agg(o.operation || ' ' || o.status, ', ' ORDER BY o.id) FROM capforecast.stripe_outbox o WHERE o.vendor_id = '3' AND o.created_at > '2025-04-12' AND o.status IN ('pending', 'taken', 'sent', 'scheduled')),
	'change_tier pending', '8.0.9 the downgrade is not forgotten');
SELECT is((SELECT count(DISTINCT t.idempotency_key) FROM capforecast.take_outbox(9, '2025-04-13 02:00') t WHERE t.idempotency_key LIKE '%:after %'), 1::bigint, '8.0.9 with a key of its own');
SELECT is((SELECT string_agg(i ->> 'price', ' ') FROM capforecast.stripe_outbox o, jsonb_array_elements(o.payload -> 'items') i WHERE o.vendor_id = '3' AND o.status = 'taken'), 'price_essential_m price_a500 price_extra_member', '8.0.9 beside the new add-on');

-- A change that is immediate stays immediate, however late it is asked for
SELECT is((SELECT r.effective_at::date::text FROM capforecast.change_tier('6', 'professional', timing => 'immediate', as_of => '2025-05-03') r), '2025-05-01', '(the webhook of the renewal is late)');
SELECT is(pg_temp.asked(6), 'immediate professional_mx1', '8.0.9 immediate stays immediate');

-- A payment that never came; a subscription that ended; one that has become another
DO $$ BEGIN PERFORM capforecast.purchase_addon('7', 'extra_member', 2, as_of => '2025-04-10'); PERFORM capforecast.take_outbox(9, '2025-04-10'); END $$;
SELECT is(pg_temp.webhook(pg_temp.event('evt_7x', 'pending_update_expired', '2025-04-11', pg_temp.subscription('sub_7', 'active', '2025-04-01'))), 'accepted', '8.0.9');
SELECT is((pg_temp.requests(7), pg_temp.addons(7))::text, '("purchase_addon failed pending_update_expired",)', '8.0.9 ends the request, and what waited for it');
DO $$ BEGIN PERFORM capforecast.purchase_addon('8', 'extra_member', 2, as_of => '2025-04-10'); PERFORM capforecast.take_outbox(9, '2025-04-10'); END $$;
SELECT is(pg_temp.now_at_stripe(8, 'evt_8', '2025-04-11', '{"essential_m": 1}', '{"ended_at": 1744329600}', 'canceled'), 'accepted', '8.0.9');
SELECT is((pg_temp.requests(8), pg_temp.addons(8))::text, '("purchase_addon failed subscription_ended",)', '8.0.9 nothing comes of a request to what has ended');
UPDATE vendor_subscriptions SET stripe_subscription_id = 'sub_19b' WHERE id = 19;
SELECT is(pg_temp.now_at_stripe(19, 'evt_19', '2025-04-02', '{"essential_m": 1}'), 'stored_unresolved', '(of a subscription that the row does not have)');
UPDATE vendor_subscriptions SET stripe_subscription_id = 'sub_19' WHERE id = 19;
DO $$ BEGIN PERFORM capforecast.change_tier('19', 'professional', as_of => '2025-04-10'); END $$;
UPDATE vendor_subscriptions SET stripe_subscription_id = 'sub_19b' WHERE id = 19;
SELECT is(pg_temp.webhook(pg_temp.event('evt_19b', 'updated', '2025-04-11', pg_temp.subscription('sub_19b', 'active', '2025-04-01') || '{"customer": "cus_19"}')), 'accepted', '8.0.9');
SELECT is(pg_temp.requests(19), 'change_tier failed another_subscription', '8.0.9 the row has another subscription');

-- What is sold once is no item
SELECT is((SELECT r.net_cents FROM capforecast.purchase_addon('9', 'setup', as_of => '2025-04-10') r), 25000::bigint, '8.10.2');
SELECT is((pg_temp.asked(9), pg_temp.addons(9))::text, '("immediate once setupx1","setup pending x1")', '8.10.2 is on an invoice, and not among the items');
SELECT is(pg_temp.take(9, '2025-04-10'), '9 taken', '8.10.2');
SELECT is(capforecast.settle_outbox(pg_temp.newest(9), true), 'confirmed', '8.10.2 the answer is all there will be');
SELECT is(pg_temp.addons(9), 'setup active x1', '8.10.2 it grants');
SELECT is(pg_temp.now_at_stripe(9, 'evt_9', '2025-04-11', '{"essential_m": 2}'), 'accepted', '8.0.10');
SELECT is(pg_temp.addons(9), 'setup active x1', '8.0.10 no item, and none is missed');
SELECT is((SELECT r.outbox_id FROM capforecast.cancel_addon('9', 'setup', timing => 'immediate', as_of => '2025-04-12') r), NULL, '8.10.2 given back without Stripe');
SELECT is(pg_temp.addons(9), NULL, '8.10.2 given back');
DO $$ BEGIN PERFORM capforecast.purchase_addon('9', 'setup', as_of => '2025-04-13'); PERFORM capforecast.cancel_addon('9', 'setup', timing => 'immediate', as_of => '2025-04-13'); END $$;
SELECT is((SELECT (o.status, pg_temp.addons(9))::text FROM capforecast.stripe_outbox o WHERE o.id = pg_temp.newest(9)), '(cancelled,)', '8.0.9 ordered and taken back: nothing is asked');

-- 8.0.10: add-ons follow what the vendor does at Stripe
SELECT is(pg_temp.now_at_stripe(10, 'evt_10a', '2025-04-10', '{"essential_m": 1, "extra_member": 2, "a500": 1}'), 'accepted', '8.0.10 bought at Stripe');
SELECT is(pg_temp.addons(10), 'a500 active x1, extra_member active x2', '8.0.10 a row each');
SELECT is((SELECT string_agg(a.stripe_subscription_item_id || ' ' || a.unit_price_cents, ', ' ORDER BY a.stripe_subscription_item_id) FROM vendor_addons a WHERE a.vendor_id = 10), (SELECT string_agg('si_10_' || p.code || ' ' || p.price_cents, ', ' ORDER BY p.code) FROM addon_products p WHERE p.code IN ('a500', 'extra_member')), '8.0.10 with its item');
SELECT is((SELECT capforecast.usage_summary('10', '2025-04-10 01:00') #>> '{resources,team_members,limit}'), (SELECT (t.team_members + 2 * p.grants_per_unit)::text FROM subscription_tiers t, addon_products p WHERE t.code = 'essential' AND p.code = 'extra_member'), '8.0.10 and it grants');
SELECT is(pg_temp.now_at_stripe(10, 'evt_10b', '2025-04-11', '{"essential_m": 1, "extra_member": 5}'), 'accepted', '8.0.10');
SELECT is(pg_temp.addons(10), 'extra_member active x5', '8.0.10 more of one, none of the other');
SELECT is((SELECT count(*) FROM capforecast.audit_log a WHERE a.vendor_id = '10' AND a.operation = 'follow_addons'), 2::bigint, 'C9 one audit row for each');
SELECT is((SELECT (r.applied, r.unchanged > 0)::text FROM capforecast.sync_stripe_status('2025-04-11 01:00') r), '(0,t)', '8.5.4 and then nothing');
SELECT is(pg_temp.now_at_stripe(10, 'evt_10c', '2025-04-12', '{"essential_m": 1, "extra_member": 5, "mystery": 1}'), 'accepted', '8.0.10');
SELECT is((SELECT string_agg(f.code || ' ' || f.subject || ' ' || f.severity, ', ') FROM capforecast.finding f WHERE f.resolved_at IS NULL AND f.subject = 'subscription 10'), 'stripe_addon_differs subscription 10 warning', '8.0.10 an item with a price that nobody knows');
SELECT is(pg_temp.now_at_stripe(10, 'evt_10d', '2025-04-13', '{"essential_m": 1, "extra_member": 5}'), 'accepted', '8.0.10');
SELECT is((SELECT count(*) FROM capforecast.finding f WHERE f.resolved_at IS NULL AND f.subject = 'subscription 10'), 0::bigint, '8.0.13 the finding ends with its cause');
INSERT INTO vendor_addons (vendor_id, addon_product_id, status) SELECT 10, p.id, 'active' FROM addon_products p WHERE p.code = 'a333';
UPDATE addon_products SET stripe_price_id = NULL WHERE code = 'a333';
SELECT is((SELECT r.findings ->> 'stripe_addon_differs' FROM capforecast.sync_stripe_status('2025-04-13 01:00') r), '1', '8.0.10 an add-on that Stripe has no price for');
SELECT is(pg_temp.addons(10), 'a333 active x1, extra_member active x5', '8.0.10 is left alone');
-- a pause is no ending
SELECT is(pg_temp.now_at_stripe(11, 'evt_11a', '2025-04-10', '{"essential_m": 1, "extra_member": 2}'), 'accepted', '3.4');
SELECT is(pg_temp.now_at_stripe(11, 'evt_11b', '2025-04-11', '{"essential_m": 1, "extra_member": 2}', status => 'paused'), 'accepted', '3.4');
SELECT is((SELECT (s.status, pg_temp.addons(11), capforecast.usage_summary('11', '2025-04-11 01:00') ->> 'entitled')::text FROM vendor_subscriptions s WHERE s.id = 11), '(expired,"extra_member active x2",false)', '8.0.10 paused: not entitled, nothing is taken away');
SELECT is(pg_temp.now_at_stripe(11, 'evt_11c', '2025-04-12', '{"essential_m": 1, "extra_member": 2}'), 'accepted', '3.4');
SELECT is((SELECT (s.status, pg_temp.addons(11), capforecast.usage_summary('11', '2025-04-12 01:00') ->> 'entitled')::text FROM vendor_subscriptions s WHERE s.id = 11), '(active,"extra_member active x2",true)', '8.0.10 resumed');
-- the first payment has not succeeded: nothing was bought yet
SELECT is(pg_temp.now_at_stripe(12, 'evt_12a', '2025-04-10', '{"essential_m": 1, "extra_member": 2}', status => 'incomplete'), 'accepted', '3.4');
SELECT is(pg_temp.addons(12), NULL, '3.4 incomplete grants nothing');

-- Cancelling, and taking it back
SELECT is((r.action, r.effective_at::date, r.estimate, r.outbox_id)::text, '(cancel_scheduled,2025-05-01,t,)', '8.0.15 the quote') FROM capforecast.quote_cancellation('14', as_of => '2025-04-10') r;
SELECT is((r.action, r.effective_at::date, r.outbox_id = pg_temp.newest(14))::text, '(cancel_scheduled,2025-05-01,t)', '8.0.15 is the deed') FROM capforecast.cancel_subscription('14', reason => 'moving', as_of => '2025-04-10') r;
SELECT is((pg_temp.asked(14), (SELECT o.payload ->> 'reason' FROM capforecast.stripe_outbox o WHERE o.id = pg_temp.newest(14)))::text, '("immediate cancel_at_period_end=true",moving)', '8.0.15 Stripe is asked, and of the items it is told nothing');
SELECT is((SELECT (s.status, s.cancel_at_period_end)::text FROM vendor_subscriptions s WHERE s.id = 14), '(active,f)', '8.0.15 the host''s row is as it was');
SELECT is((r.action, r.outbox_id, r.notes)::text, '(resume,,{request_replaced})', '8.0.15 taken back before it was handed out') FROM capforecast.resume_subscription('14', as_of => '2025-04-10') r;
SELECT is((SELECT r.action FROM capforecast.resume_subscription('14', as_of => '2025-04-10') r), 'noop', '8.0.15 nothing to take back');
DO $$ BEGIN PERFORM capforecast.cancel_subscription('14', as_of => '2025-04-10'); PERFORM capforecast.take_outbox(99, '2025-04-10'); PERFORM capforecast.settle_outbox(pg_temp.newest(14), true); END $$;
SELECT is(pg_temp.word($$SELECT capforecast.resume_subscription('14', as_of => '2025-04-10')$$), '55000 change_in_flight', '8.0.15 handed out, it has to wait');
SELECT is(pg_temp.word($$SELECT capforecast.quote_cancellation('14', as_of => '2025-04-10')$$), '55000 change_in_flight', '8.0.14 the quote, too');
SELECT is(pg_temp.now_at_stripe(14, 'evt_14a', '2025-04-10 00:05', '{"essential_m": 1}', '{"cancel_at_period_end": true}'), 'accepted', '8.0.15');
SELECT is((SELECT (s.status, s.cancel_at_period_end, (SELECT o.status FROM capforecast.stripe_outbox o WHERE o.id = pg_temp.newest(14)))::text FROM vendor_subscriptions s WHERE s.id = 14), '(active,t,confirmed)', '8.0.15 confirmed by the flag');
SELECT is((SELECT r.action FROM capforecast.cancel_subscription('14', as_of => '2025-04-11') r), 'noop', '8.0.15 again');
SELECT is((r.action, r.outbox_id = pg_temp.newest(14), pg_temp.asked(14))::text, '(resume,t,"immediate cancel_at_period_end=false")', '8.0.15 resumed') FROM capforecast.resume_subscription('14', as_of => '2025-04-11') r;
SELECT isnt(pg_temp.take(99, '2025-04-11'), NULL, '8.0.15');
SELECT is(pg_temp.now_at_stripe(14, 'evt_14b', '2025-04-11 00:05', '{"essential_m": 1}'), 'accepted', '8.0.15');
SELECT is((SELECT (s.cancel_at_period_end, (SELECT o.status FROM capforecast.stripe_outbox o WHERE o.id = pg_temp.newest(14)))::text FROM vendor_subscriptions s WHERE s.id = 14), '(f,confirmed)', '8.0.15 confirmed');
-- a cancellation clears what was to come, whatever stage that is at
DO $$ BEGIN PERFORM capforecast.change_tier('14', 'professional', 'period_end', as_of => '2025-04-12'); PERFORM capforecast.cancel_subscription('14', as_of => '2025-04-12'); END $$;
SELECT is(pg_temp.asked(14), 'immediate cancel_at_period_end=true', '8.9.7 a change that was not handed out');
DO $$ BEGIN PERFORM capforecast.resume_subscription('14', as_of => '2025-04-12'); PERFORM capforecast.change_tier('14', 'professional', 'period_end', as_of => '2025-04-12'); PERFORM capforecast.take_outbox(99, '2025-04-12');
	PERFORM capforecast.settle_outbox(pg_temp.newest(14), true, '{"schedule": "sub_sched_14"}'); PERFORM capforecast.cancel_subscription('14', as_of => '2025-04-13'); END $$;
SELECT is(pg_temp.asked(14), 'immediate cancel_at_period_end=true release=sub_sched_14', '8.9.7 a scheduled one is released first');
SELECT isnt(pg_temp.take(99, '2025-04-13'), NULL, '8.9.7');
SELECT is(pg_temp.now_at_stripe(14, 'evt_14c', '2025-04-13 00:05', '{"essential_m": 1}', '{"cancel_at_period_end": true}'), 'accepted', '8.9.7');
SELECT is((SELECT string_agg(o.operation || ' ' || o.status, ', ' ORDER BY o.id) FROM capforecast.stripe_outbox o WHERE o.vendor_id = '14' AND o.status IN ('pending', 'taken', 'sent', 'scheduled')), NULL, '8.9.7 and does not come again');
-- at once
DO $$ BEGIN PERFORM capforecast.purchase_addon('15', 'extra_member', 2, as_of => '2025-04-10'); END $$;
SELECT is((r.action, r.outbox_id = pg_temp.newest(15), pg_temp.asked(15), pg_temp.addons(15))::text, '(cancel,t,"immediate cancel=true",)', '8.0.15 at once: nothing else is asked any more') FROM capforecast.cancel_subscription('15', 'immediate', as_of => '2025-04-10') r;
SELECT isnt(pg_temp.take(99, '2025-04-13'), NULL, '8.0.15');
SELECT is(pg_temp.now_at_stripe(15, 'evt_15a', '2025-04-10 00:05', '{"essential_m": 1}', '{"ended_at": 1744243500}', 'canceled'), 'accepted', '8.0.15');
SELECT is((SELECT (s.status, s.cancelled_at, (SELECT o.status FROM capforecast.stripe_outbox o WHERE o.id = pg_temp.newest(15)))::text FROM vendor_subscriptions s WHERE s.id = 15), '(cancelled,"2025-04-10 00:05:00+00",confirmed)', '8.0.15 confirmed by the end');
SELECT is(pg_temp.word(format('SELECT capforecast.%s', call)), '55000 ' || word, '8.0.15 ' || call) FROM (VALUES ($$cancel_subscription('15', as_of => '2025-04-11')$$, 'already_ended'), ($$quote_cancellation('15', as_of => '2025-04-11')$$, 'already_ended'), ($$resume_subscription('15', as_of => '2025-04-11')$$, 'already_ended')) x(call, word);

-- Stuck
SELECT is((SELECT r.findings ->> 'outbox_stuck' FROM capforecast.cleanup_stale_subscriptions('2025-04-13') r), NULL, '8.0.9 within a day');
UPDATE capforecast.stripe_outbox SET created_at = '2025-04-10' WHERE status IN ('pending', 'taken', 'sent');
SELECT is((SELECT r.findings ->> 'outbox_stuck' FROM capforecast.cleanup_stale_subscriptions('2025-04-13') r), (SELECT count(*)::text FROM capforecast.stripe_outbox WHERE status IN ('pending', 'taken', 'sent')), '8.0.9 open for more than a day is a finding');

-- The table itself: one open request
SELECT throws_ok($$ INSERT INTO capforecast.stripe_outbox (vendor_id, subscription_id, operation, payload, idempotency_key) SELECT '1', '1', 'change_tier', '{"subscription": "sub_x"}', 'k' || n FROM generate_series(1, 2) n $$, '23505', NULL, '8.0.9 a unique index says so');

-- Hosts without add-ons
ALTER TABLE vendor_addons RENAME TO away;
SELECT is(pg_temp.now_at_stripe(13, 'evt_13a', '2025-04-10', '{"professional_m": 1, "extra_member": 2}'), 'accepted', '8.0.12 a host without add-ons');
SELECT is((SELECT tier FROM vendor_subscriptions WHERE id = 13), 'professional', '8.0.12 follows the plan');
SELECT is((SELECT (r.failed, r.findings ? 'stripe_addon_differs')::text FROM capforecast.sync_stripe_status('2025-04-12') r), '(0,t)', '8.0.12 and is told of the items that it has no place for');
SELECT is(pg_temp.word($$SELECT capforecast.quote_addon('13', 'extra_member', as_of => '2025-04-10')$$), 'P0002 unknown_addon', '8.0.12 it sells none');
SELECT * FROM finish();
ROLLBACK;
