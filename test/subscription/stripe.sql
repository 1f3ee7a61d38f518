-- Webhook events of our own, signed as Stripe does, and what they are about. Included with \ir
-- inside a test's transaction, after fixture.sql; the endpoint's secret is whsec_test_capforecast.
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
