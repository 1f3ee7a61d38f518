-- What the tests of the subscription room share: short ways to make rows of the platform.
-- Included with \ir inside a test's transaction.
SET LOCAL timezone = 'UTC';

-- A vendor with a subscription; both have the given id.
CREATE FUNCTION pg_temp.subscribe(id bigint, tier text, status text, period_start timestamptz, period_end timestamptz,
		orders integer DEFAULT 0, annual boolean DEFAULT false, trial_ends_at timestamptz DEFAULT NULL, stripe text DEFAULT NULL)
	RETURNS void LANGUAGE sql AS $$
	INSERT INTO vendors (id, vendor_code, name) VALUES (id, 'V' || id, 'Vendor ' || id) ON CONFLICT DO NOTHING;
	INSERT INTO vendor_subscriptions (id, vendor_id, tier, status, is_annual, period_start, period_end, orders_this_period,
		trial_ends_at, stripe_subscription_id, stripe_customer_id)
	VALUES (id, id, tier, status, annual, period_start, period_end, orders, trial_ends_at, stripe,
		CASE WHEN stripe IS NOT NULL THEN 'cus_' || id END)
$$;

CREATE FUNCTION pg_temp.order_at(vendor bigint, VARIADIC at timestamptz[])
	RETURNS void LANGUAGE sql AS $$
	INSERT INTO orders (vendor_id, created_at) SELECT vendor, unnest(at)
$$;

-- A subscription's row, short.
CREATE FUNCTION pg_temp.shown(id bigint)
	RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', s.tier, s.status, to_char(s.period_start, 'YYYY-MM-DD'), to_char(s.period_end, 'YYYY-MM-DD'), s.orders_this_period)
	FROM vendor_subscriptions s WHERE s.id = shown.id
$$;
