-- Webhooks in every order, and both forms of a mirror, end in the same state: vendors that share a
-- customer, a subscription that takes over, pauses, several items, periods on the subscription or
-- on its items, events that come twice. Sequences are random; SEED says which.
\set ON_ERROR_STOP 1
BEGIN;
\ir ../subscription/fixture.sql
\ir ../subscription/stripe.sql
SELECT no_plan();
SET LOCAL capforecast.stripe_livemode = off;
SET LOCAL client_min_messages = warning;
INSERT INTO capforecast._secret (secret) VALUES ('whsec_test_capforecast');
UPDATE subscription_tiers SET stripe_price_monthly_id = 'price_' || code || '_m', stripe_price_annual_id = 'price_' || code || '_y';
UPDATE addon_products SET stripe_price_id = 'price_' || code;

CREATE FUNCTION pg_temp.any_of(VARIADIC choices text[]) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT choices[1 + floor(random() * cardinality(choices))::integer] $$;

-- A subscription as Stripe has it: a plan, perhaps add-ons, a period that the version of the API puts here or there.
CREATE FUNCTION pg_temp.object(sub text, customer text, status text, at timestamptz) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	on_items boolean := random() < 0.5;
	starts bigint := extract(epoch FROM date_trunc('month', at));
	period jsonb := jsonb_build_object('current_period_start', starts, 'current_period_end', extract(epoch FROM date_trunc('month', at) + interval '1 month')::bigint);
	items jsonb := jsonb_build_array(jsonb_build_object('id', 'si_plan_' || sub, 'price', jsonb_build_object('id', 'price_' || pg_temp.any_of('essential_m', 'professional_m', 'business_m', 'business_y')), 'quantity', 1));
	code text;
BEGIN
	FOREACH code IN ARRAY ARRAY['extra_member', 'extra_products'] LOOP
		IF random() < 0.5 THEN
			items := items || jsonb_build_object('id', 'si_' || code || '_' || sub, 'price', 'price_' || code, 'quantity', 1 + floor(random() * 4)::integer);
		END IF;
	END LOOP;
	IF on_items THEN
		items := (SELECT jsonb_agg(i || period) FROM jsonb_array_elements(items) i);
	END IF;
	RETURN jsonb_build_object('id', sub, 'customer', customer, 'status', status, 'livemode', false, 'cancel_at_period_end', status = 'active' AND random() < 0.3,
			'items', jsonb_build_object('data', items))
		|| CASE WHEN on_items THEN '{}' ELSE period END || CASE WHEN status = 'canceled' THEN jsonb_build_object('ended_at', extract(epoch FROM at)::bigint) ELSE '{}' END
		|| CASE WHEN random() < 0.3 THEN '{"pause_collection": {"behavior": "void"}}' ELSE '{}'::jsonb END
		|| CASE WHEN status = 'trialing' THEN jsonb_build_object('trial_end', extract(epoch FROM at + interval '9 days')::bigint) ELSE '{}' END;
END $$;

-- Three vendors and a half: 1 and 2 are of one customer, 3 has its own; when 1 ends, a further
-- subscription of the customer may take over. Several events fall into one second.
CREATE TEMP TABLE told (n serial, id text, type text, created timestamptz, sub text, object jsonb);
CREATE FUNCTION pg_temp.tell() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	sub text;
	at timestamptz;
	statuses text[];
	status text;
	takes_over boolean := random() < 0.5;
BEGIN
	TRUNCATE told RESTART IDENTITY;
	FOREACH sub IN ARRAY ARRAY['sub_1', 'sub_2', 'sub_3'] || CASE WHEN takes_over THEN ARRAY['sub_4'] ELSE '{}' END LOOP
		at := timestamptz '2025-03-02' + floor(random() * 3) * interval '1 day';
		statuses := CASE WHEN random() < 0.3 THEN ARRAY['incomplete'] WHEN random() < 0.3 THEN ARRAY['trialing'] ELSE '{}' END;
		FOR i IN 1 .. 2 + floor(random() * 2)::integer LOOP
			statuses := statuses || pg_temp.any_of('active', 'active', 'past_due', 'unpaid', 'paused');
		END LOOP;
		IF sub = 'sub_1' AND random() < 0.6 OR sub = 'sub_3' AND random() < 0.3 THEN
			statuses := statuses || 'canceled'::text;
		END IF;
		FOREACH status IN ARRAY statuses LOOP
			INSERT INTO told (id, type, created, sub, object) VALUES (format('evt_%s_%s', sub, at), CASE status WHEN 'canceled' THEN 'deleted' ELSE 'updated' END, at, sub,
				pg_temp.object(sub, CASE sub WHEN 'sub_3' THEN 'cus_3' ELSE 'cus_1' END, status, at));
			UPDATE told SET id = id || '_' || n WHERE n = (SELECT max(n) FROM told);
			at := at + CASE WHEN random() < 0.3 THEN interval '0' ELSE floor(random() * 40) * interval '1 day' + interval '1 s' END;
		END LOOP;
	END LOOP;
END $$;

CREATE FUNCTION pg_temp.begin_anew() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM vendor_addons; DELETE FROM vendor_subscriptions; DELETE FROM capforecast.subscription_state; DELETE FROM capforecast.billed_period;
	DELETE FROM capforecast.stripe_event; DELETE FROM capforecast.finding;
	PERFORM pg_temp.subscribe(n, 'essential', 'active', '2025-03-01', '2025-04-01', stripe => 'sub_' || n) FROM generate_series(1, 3) n;
	UPDATE vendor_subscriptions SET stripe_customer_id = 'cus_1' WHERE id = 2;
END $$;
CREATE FUNCTION pg_temp.state(with_trial boolean) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', s.id, s.stripe_subscription_id, s.status, s.tier, s.is_annual, s.period_start::date, s.period_end::date, s.cancel_at_period_end, s.cancelled_at,
			CASE WHEN with_trial THEN s.trial_ends_at::text END, s.stripe_price_id, st.entitled, st.collection_paused, st.stripe_status,
			(SELECT string_agg(p.code || ' ' || a.status || ' ' || a.quantity || ' ' || a.stripe_subscription_item_id, ',' ORDER BY p.code) FROM vendor_addons a JOIN addon_products p ON p.id = a.addon_product_id
			 WHERE a.vendor_id = s.vendor_id AND a.status <> 'cancelled')), E'\n' ORDER BY s.id)
	FROM vendor_subscriptions s LEFT JOIN capforecast.subscription_state st ON st.subscription_id = s.id::text
$$;
CREATE FUNCTION pg_temp.findings() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(code || ' ' || subject, ', ' ORDER BY code, subject) FROM capforecast.finding WHERE resolved_at IS NULL AND code LIKE 'stripe\_%'
$$;
-- All of it in a random order, some of it twice; then the job, and the job again.
CREATE FUNCTION pg_temp.deliver(way integer) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	e told;
	again bigint;
BEGIN
	PERFORM pg_temp.begin_anew();
	FOR e IN SELECT t.* FROM told t CROSS JOIN generate_series(1, CASE WHEN random() < 0.3 THEN 2 ELSE 1 END)
			ORDER BY CASE way WHEN 1 THEN t.n WHEN 2 THEN -t.n ELSE random() END LOOP
		PERFORM pg_temp.webhook(pg_temp.event(e.id, e.type, e.created, e.object), '2025-08-01');
	END LOOP;
	PERFORM capforecast.sync_stripe_status('2025-08-01 01:00', force => true);
	SELECT r.changed INTO again FROM capforecast.sync_stripe_status('2025-08-01 02:00', force => true) r;
	RETURN concat_ws(E'\n', pg_temp.state(true), pg_temp.findings(), CASE WHEN again > 0 THEN 'a second run changed ' || again END);
END $$;
CREATE FUNCTION pg_temp.mirrored() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE again bigint;
BEGIN
	PERFORM pg_temp.begin_anew();
	PERFORM capforecast.sync_stripe_status('2025-08-01 01:00', force => true);
	SELECT r.changed INTO again FROM capforecast.sync_stripe_status('2025-08-01 02:00', force => true) r;
	RETURN concat_ws(E'\n', pg_temp.state(false), pg_temp.findings(), CASE WHEN again > 0 THEN 'a second run changed ' || again END);
END $$;

-- The last word on each subscription, as the two forms of a mirror hold it.
CREATE SCHEMA columns;
CREATE TABLE columns.subscriptions (id text PRIMARY KEY, status text, customer text, current_period_start integer, current_period_end integer, trial_end jsonb, cancel_at_period_end boolean, ended_at integer,
	pause_collection jsonb, livemode boolean, last_synced_at timestamptz);
CREATE TABLE columns.subscription_items (id text PRIMARY KEY, subscription text, price text, quantity integer, deleted boolean, current_period_start integer, current_period_end integer);
CREATE TABLE columns.customers (id text PRIMARY KEY, deleted boolean, livemode boolean);
CREATE SCHEMA documents;
CREATE TABLE documents.subscriptions (_raw_data jsonb, _last_synced_at timestamptz, id text GENERATED ALWAYS AS (_raw_data ->> 'id') STORED PRIMARY KEY,
	status text GENERATED ALWAYS AS (_raw_data ->> 'status') STORED, customer text GENERATED ALWAYS AS (_raw_data ->> 'customer') STORED);
CREATE FUNCTION pg_temp.fill_mirrors() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE columns.subscriptions, columns.subscription_items, documents.subscriptions;
	INSERT INTO documents.subscriptions (_raw_data, _last_synced_at)
	SELECT DISTINCT ON (t.sub) t.object, t.created FROM told t
	ORDER BY t.sub, t.object ->> 'status' = 'canceled' DESC, t.created DESC, array_position('{incomplete,trialing,active,past_due,unpaid,paused,canceled}'::text[], t.object ->> 'status') DESC, t.id DESC;
	INSERT INTO documents.subscriptions (_raw_data, _last_synced_at) VALUES ('{"id": "sub_9", "status": "active", "customer": "cus_9"}', '2025-08-01');	-- of nobody here: the mirror is fresh
	INSERT INTO columns.subscriptions SELECT r.*, d._last_synced_at FROM documents.subscriptions d CROSS JOIN LATERAL jsonb_to_record(d._raw_data) AS r(id text, status text, customer text, current_period_start integer,
		current_period_end integer, trial_end jsonb, cancel_at_period_end boolean, ended_at integer, pause_collection jsonb, livemode boolean);
	INSERT INTO columns.subscription_items SELECT i ->> 'id', d.id, coalesce(i #>> '{price,id}', i ->> 'price'), (i ->> 'quantity')::integer, false, (i ->> 'current_period_start')::integer, (i ->> 'current_period_end')::integer
	FROM documents.subscriptions d CROSS JOIN LATERAL jsonb_array_elements(d._raw_data #> '{items,data}') i;
END $$;

CREATE TEMP TABLE ended (seed integer, way text, state text);
DO $$
DECLARE
	first_seed constant integer := coalesce(nullif(current_setting('capforecast_test.seed', true), ''), '20260101')::integer;
BEGIN
	FOR i IN 1 .. 6 LOOP
		PERFORM setseed(0.0000001 * ((first_seed + i * 7919) % 10000000));
		PERFORM pg_temp.tell();
		FOR way IN 1 .. 4 LOOP
			INSERT INTO ended VALUES (i, 'events', pg_temp.deliver(way));
		END LOOP;
		INSERT INTO ended VALUES (i, 'mirrors', pg_temp.state(false) || coalesce(E'\n' || pg_temp.findings(), ''));
		PERFORM pg_temp.fill_mirrors();
		PERFORM set_config('capforecast.stripe_schema', 'columns', true);
		INSERT INTO ended VALUES (i, 'mirrors', pg_temp.mirrored());
		PERFORM set_config('capforecast.stripe_schema', 'documents', true);
		INSERT INTO ended VALUES (i, 'mirrors', pg_temp.mirrored());
		PERFORM set_config('capforecast.stripe_schema', 'stripe', true);
	END LOOP;
END $$;
SELECT is((SELECT count(*) FROM ended WHERE state LIKE '%second run%'), 0::bigint, 'a second run changes nothing');
SELECT is(count(DISTINCT state), 1::bigint, format('%s: one state, sequence %s', CASE way WHEN 'events' THEN 'four orders of the events' ELSE 'events and both forms of a mirror' END, seed))
FROM ended GROUP BY seed, way ORDER BY seed, way;
SELECT diag(E'ends of sequence ' || seed || ' ' || way || E':\n' || string_agg(DISTINCT state, E'\n--\n')) FROM ended GROUP BY seed, way HAVING count(DISTINCT state) > 1;
SELECT cmp_ok(count(*) FILTER (WHERE state LIKE '%1 sub_4%'), '>', 0::bigint, '(the other subscription took over)') FROM ended;
SELECT cmp_ok(count(*) FILTER (WHERE state LIKE '%stripe_ambiguous subscription 1%'), '>', 0::bigint, '(what another vendor holds did not)') FROM ended;
SELECT is(count(*) FILTER (WHERE state LIKE '%2 sub_1%' OR state LIKE '%1 sub_2%'), 0::bigint, 'no vendor was given what another holds') FROM ended;
SELECT * FROM finish();
ROLLBACK;
