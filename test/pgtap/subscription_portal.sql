-- Requests beside a portal: a simulated Stripe does what it is asked, when it is asked, if the card holds;
-- the vendor changes items there meanwhile; webhooks come late, twice and in any order; the application
-- dies between taking and answering. In the end the host's rows are what Stripe's are, nothing was
-- confirmed that Stripe never did, and nothing that it did was lost.
\set ON_ERROR_STOP 1
BEGIN;
\ir ../subscription/fixture.sql
\ir ../subscription/stripe.sql
SELECT no_plan();
SET LOCAL capforecast.stripe_livemode = off;
SET LOCAL client_min_messages = warning;
SET LOCAL capforecast.stripe_mirror_max_age = '20 d';
INSERT INTO capforecast._secret (secret) VALUES ('whsec_test_capforecast');
UPDATE subscription_tiers SET stripe_price_monthly_id = 'price_' || code || '_m', stripe_price_annual_id = 'price_' || code || '_y';
UPDATE addon_products SET stripe_price_id = 'price_' || code;

-- Stripe, for one subscription.
CREATE TEMP TABLE stripe_now (items jsonb, schedule text, plan_then jsonb, cancels boolean, second integer, n integer);		-- plan_then: items when the schedule acts
CREATE TEMP TABLE stripe_keys (key text PRIMARY KEY, payload jsonb, ok boolean);
CREATE TEMP TABLE said (n integer PRIMARY KEY, event jsonb, delivered integer NOT NULL DEFAULT 0);
CREATE TEMP TABLE happened (what text, n bigint);

CREATE FUNCTION pg_temp.count_it(what text) RETURNS void LANGUAGE sql AS $$ INSERT INTO happened VALUES (what, 1) $$;
CREATE FUNCTION pg_temp.say() RETURNS void LANGUAGE plpgsql AS $$
DECLARE s stripe_now;
BEGIN
	UPDATE stripe_now SET n = n + 1, second = second + 1 + floor(random() * 30)::integer RETURNING * INTO s;
	INSERT INTO said VALUES (s.n, pg_temp.event('evt_' || lpad(s.n::text, 5, '0'), 'updated', timestamptz '2025-04-02' + s.second * interval '1 second',
		pg_temp.subscription('sub_1', 'active', '2025-04-01', more => jsonb_build_object('items', jsonb_build_object('data', s.items), 'schedule', s.schedule, 'cancel_at_period_end', s.cancels))));
END $$;
-- What the API does with a payload: items by id, new ones without, deleted ones.
CREATE FUNCTION pg_temp.items_after(items jsonb, asked jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT coalesce((SELECT jsonb_agg(x.item ORDER BY x.item ->> 'id') FROM (
		SELECT coalesce((SELECT i || (a - 'deleted') FROM jsonb_array_elements(asked) a WHERE a ->> 'id' = i ->> 'id'), i) AS item FROM jsonb_array_elements(items) i
		WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(asked) a WHERE a ->> 'id' = i ->> 'id' AND a -> 'deleted' = 'true')
		UNION ALL SELECT a || jsonb_build_object('id', 'si_' || substr(md5(random()::text), 1, 8)) FROM jsonb_array_elements(asked) a WHERE NOT a ? 'id') x), '[]')
$$;
CREATE FUNCTION pg_temp.call_stripe(payload jsonb, key text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE earlier stripe_keys; holds boolean := random() < 0.85;
BEGIN
	SELECT * INTO earlier FROM stripe_keys k WHERE k.key = call_stripe.key;
	IF earlier.key IS NOT NULL THEN
		IF earlier.payload <> payload THEN
			PERFORM pg_temp.count_it('a key used with other words');
		END IF;
		RETURN earlier.ok;
	END IF;
	-- an item of a price that there is already is refused; so is one with an id that is gone
	holds := holds AND NOT EXISTS (SELECT FROM stripe_now n, jsonb_array_elements(payload -> 'items') a
		WHERE CASE WHEN a ? 'id' THEN NOT n.items @> jsonb_build_array(jsonb_build_object('id', a -> 'id'))
			ELSE n.items @> jsonb_build_array(jsonb_build_object('price', a -> 'price')) END);
	INSERT INTO stripe_keys VALUES (key, payload, holds);
	IF NOT holds THEN
		RETURN false;
	END IF;
	IF (SELECT schedule IS NOT NULL FROM stripe_now) AND NOT payload ? 'release_schedule' THEN
		PERFORM pg_temp.count_it('asked beside a schedule');
	END IF;
	IF payload ? 'release_schedule' THEN
		UPDATE stripe_now SET schedule = NULL, plan_then = NULL;
	END IF;
	IF payload ->> 'timing' = 'period_end' THEN
		UPDATE stripe_now SET schedule = 'sub_sched_' || n, plan_then = payload -> 'items';
	ELSIF payload ? 'items' THEN
		UPDATE stripe_now SET items = pg_temp.items_after(items, payload -> 'items');
	END IF;
	UPDATE stripe_now SET cancels = coalesce((payload ->> 'cancel_at_period_end')::boolean, cancels);
	PERFORM pg_temp.say();
	RETURN true;
END $$;

-- Every other run has a mirror beside the events, which lags as it likes, and the job to follow it.
CREATE SCHEMA portal;
CREATE TABLE portal.subscriptions (_raw_data jsonb, _last_synced_at timestamptz, id text GENERATED ALWAYS AS (_raw_data ->> 'id') STORED PRIMARY KEY, customer text GENERATED ALWAYS AS (_raw_data ->> 'customer') STORED);
CREATE FUNCTION pg_temp.mirror(a_few boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('capforecast.stripe_schema') = 'portal' AND (NOT a_few OR random() < 0.5) THEN
		INSERT INTO portal.subscriptions (_raw_data, _last_synced_at) SELECT e.event #> '{data,object}', to_timestamp((e.event ->> 'created')::bigint) FROM said e ORDER BY e.n DESC LIMIT 1
		ON CONFLICT (id) DO UPDATE SET _raw_data = excluded._raw_data, _last_synced_at = excluded._last_synced_at;
		PERFORM capforecast.sync_stripe_status('2025-04-03');
	END IF;
END $$;
CREATE FUNCTION pg_temp.deliver(a_few boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE e said;
BEGIN
	FOR e IN SELECT * FROM said WHERE CASE WHEN a_few THEN random() < 0.4 ELSE delivered = 0 END ORDER BY random() LOOP
		PERFORM pg_temp.webhook(e.event, '2025-04-03');
		UPDATE said SET delivered = delivered + 1 WHERE n = e.n;
	END LOOP;
	PERFORM pg_temp.mirror(a_few);
END $$;
-- The clock of the application: twenty minutes a step, so that what was not answered is handed out again.
CREATE FUNCTION pg_temp.work(at timestamptz, dies boolean DEFAULT true) RETURNS void LANGUAGE plpgsql AS $$
DECLARE o capforecast.stripe_outbox; ok boolean;
BEGIN
	FOR o IN SELECT * FROM capforecast.take_outbox(3, at) LOOP
		ok := pg_temp.call_stripe(o.payload, o.idempotency_key);
		CONTINUE WHEN dies AND random() < 0.2;		-- it dies before it answers
		PERFORM capforecast.settle_outbox(o.id, ok, CASE WHEN ok THEN (SELECT jsonb_strip_nulls(jsonb_build_object('schedule', schedule)) FROM stripe_now) ELSE '{"error": "card_declined"}' END);
	END LOOP;
END $$;
-- One thing that the vendor does here, or in the portal. Refusals are answers, too.
CREATE FUNCTION pg_temp.act(at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	what text := (ARRAY['up', 'up', 'later', 'buy', 'buy', 'drop', 'drop later', 'portal', 'portal', 'portal', 'end', 'go on'])[1 + floor(random() * 12)::integer];
	code text := (ARRAY['extra_member', 'extra_products'])[1 + floor(random() * 2)::integer];
	tier text := (ARRAY['essential', 'professional', 'business'])[1 + floor(random() * 3)::integer];
	word text;
BEGIN
	CASE what
		WHEN 'up' THEN PERFORM capforecast.change_tier('1', tier, 'immediate', ack_over_limit => true, as_of => '2025-04-03');
		WHEN 'later' THEN PERFORM capforecast.change_tier('1', tier, 'period_end', ack_over_limit => true, as_of => '2025-04-03');
		WHEN 'buy' THEN PERFORM capforecast.purchase_addon('1', code, 1 + floor(random() * 3)::integer, as_of => '2025-04-03');
		WHEN 'drop' THEN PERFORM capforecast.cancel_addon('1', code, CASE WHEN random() < 0.5 THEN 1 END, 'immediate', as_of => '2025-04-03');
		WHEN 'drop later' THEN PERFORM capforecast.cancel_addon('1', code, as_of => '2025-04-03');
		WHEN 'end' THEN PERFORM capforecast.cancel_subscription('1', as_of => '2025-04-03');
		WHEN 'go on' THEN PERFORM capforecast.resume_subscription('1', as_of => '2025-04-03');
		ELSE
			IF random() < 0.5 THEN
				UPDATE stripe_now SET items = (SELECT jsonb_agg(CASE WHEN i ->> 'price' LIKE '%\_m' THEN i || jsonb_build_object('price', 'price_' || tier || '_m') ELSE i END) FROM jsonb_array_elements(items) i);
			ELSIF (SELECT items @> jsonb_build_array(jsonb_build_object('price', 'price_' || code)) FROM stripe_now) THEN
				UPDATE stripe_now SET items = (SELECT jsonb_agg(CASE WHEN i ->> 'price' = 'price_' || code THEN i || jsonb_build_object('quantity', 1 + floor(random() * 5)::integer) ELSE i END)
					FROM jsonb_array_elements(items) i WHERE random() < 0.7 OR i ->> 'price' <> 'price_' || code);
			ELSE
				UPDATE stripe_now SET items = items || jsonb_build_array(jsonb_build_object('id', 'si_p' || n, 'price', 'price_' || code, 'quantity', 1 + floor(random() * 4)::integer));
			END IF;
			PERFORM pg_temp.say();
	END CASE;
	PERFORM pg_temp.count_it(what);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS word = CONSTRAINT_NAME;
	IF coalesce(word, '') NOT IN ('change_in_flight', 'not_live', 'bad_quantity', 'max_quantity') THEN
		RAISE;
	END IF;
	PERFORM pg_temp.count_it('refused: ' || word);
END $$;

-- What must hold at every step: what is confirmed was done by Stripe, under its key.
CREATE FUNCTION pg_temp.broken() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(b, ', ') FROM (
		SELECT 'confirmed, never asked: ' || o.id FROM capforecast.stripe_outbox o WHERE o.status = 'confirmed' AND o.attempts = 0
		UNION ALL SELECT 'two open' FROM capforecast.stripe_outbox o WHERE o.status IN ('pending', 'taken', 'sent') HAVING count(*) > 1
		UNION ALL SELECT h.what FROM happened h WHERE h.what IN ('a key used with other words', 'asked beside a schedule')) x(b)
$$;
CREATE FUNCTION pg_temp.host_has() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', s.tier, s.cancel_at_period_end, (SELECT string_agg(p.code || ' ' || a.quantity || ' ' || a.stripe_subscription_item_id || CASE a.status WHEN 'active' THEN '' ELSE ' ' || a.status END, ', ' ORDER BY p.code)
		FROM vendor_addons a JOIN addon_products p ON p.id = a.addon_product_id WHERE a.vendor_id = 1 AND a.status <> 'cancelled')) FROM vendor_subscriptions s WHERE s.id = 1
$$;
CREATE FUNCTION pg_temp.stripe_has() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', (SELECT substr(i ->> 'price', 7, length(i ->> 'price') - 8) FROM jsonb_array_elements(s.items) i WHERE i ->> 'price' LIKE '%\_m'), s.cancels,
		(SELECT string_agg(substr(i ->> 'price', 7) || ' ' || (i ->> 'quantity') || ' ' || (i ->> 'id'), ', ' ORDER BY i ->> 'price') FROM jsonb_array_elements(s.items) i WHERE i ->> 'price' NOT LIKE '%\_m')) FROM stripe_now s
$$;
CREATE TEMP TABLE outcome (seed integer, host text, stripe text, broken text, still_open text, again bigint);
CREATE FUNCTION pg_temp.run(seed integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	clock timestamptz := '2025-04-03';
	broken text;
BEGIN
	PERFORM setseed(0.0000001 * (seed % 10000000));
	PERFORM set_config('capforecast.stripe_schema', CASE seed % 2 WHEN 0 THEN 'portal' ELSE 'stripe' END, true);
	DELETE FROM portal.subscriptions;
	DELETE FROM vendor_addons; DELETE FROM vendor_subscriptions; DELETE FROM capforecast.subscription_state; DELETE FROM capforecast.billed_period;
	DELETE FROM capforecast.stripe_event; DELETE FROM capforecast.finding; DELETE FROM capforecast.stripe_outbox;
	DELETE FROM stripe_now; DELETE FROM stripe_keys; DELETE FROM said;
	PERFORM pg_temp.subscribe(1, 'professional', 'active', '2025-04-01', '2025-05-01', stripe => 'sub_1');
	INSERT INTO stripe_now VALUES ('[{"id": "si_plan", "price": "price_professional_m", "quantity": 1}]', NULL, NULL, false, 0, 0);
	PERFORM pg_temp.say();
	PERFORM pg_temp.deliver(false);
	FOR i IN 1 .. 25 LOOP
		PERFORM pg_temp.act(clock);
		IF random() < 0.5 THEN PERFORM pg_temp.work(clock); END IF;
		IF random() < 0.5 THEN PERFORM pg_temp.deliver(true); END IF;
		IF random() < 0.2 THEN PERFORM capforecast.sync_stripe_status('2025-04-03'); END IF;
		broken := coalesce(broken, pg_temp.broken());
		clock := clock + interval '20 minutes';
	END LOOP;
	-- everything that is on its way arrives; what was left over from schedules may be asked for again
	FOR i IN 1 .. 4 LOOP
		PERFORM pg_temp.work(clock + i * interval '20 minutes', false);
		PERFORM pg_temp.deliver(false);
	END LOOP;
	PERFORM capforecast.sync_stripe_status('2025-04-03 12:00');
	INSERT INTO outcome VALUES (seed, pg_temp.host_has(), pg_temp.stripe_has(), coalesce(broken, pg_temp.broken()),
		(SELECT string_agg(o.operation || ' ' || o.status || ' ' || o.wanted, ', ') FROM capforecast.stripe_outbox o WHERE o.status IN ('pending', 'taken', 'sent')
			OR o.status = 'scheduled' AND (SELECT schedule IS NULL FROM stripe_now)),
		(SELECT r.changed FROM capforecast.sync_stripe_status('2025-04-03 13:00') r));
END $$;
DO $$
DECLARE
	first_seed constant integer := coalesce(nullif(current_setting('capforecast_test.seed', true), ''), '20260101')::integer;
BEGIN
	FOR i IN 1 .. 6 LOOP
		PERFORM pg_temp.run(first_seed + i * 7919);
	END LOOP;
	PERFORM pg_temp.run(231699);		-- a schedule is released after the portal has changed the plan that was kept
	PERFORM pg_temp.run(407948);		-- a request that nobody has answered, and data of before its schedule that looks like it
END $$;
SELECT is(host, stripe, format('the host has what Stripe has, seed %s%s', seed, CASE seed % 2 WHEN 0 THEN ' with a mirror' END)) FROM outcome ORDER BY seed;
SELECT is(broken, NULL, 'nothing confirmed that was not done, seed ' || seed) FROM outcome ORDER BY seed;
SELECT is(still_open, NULL, 'nothing is left open, seed ' || seed) FROM outcome ORDER BY seed;
SELECT is(sum(again)::bigint, 0::bigint, 'a second run of the job changes nothing') FROM outcome;
SELECT diag(string_agg(what || ' ' || n, ', ' ORDER BY what)) FROM (SELECT what, count(*) AS n FROM happened GROUP BY 1) h;
SELECT * FROM finish();
ROLLBACK;
