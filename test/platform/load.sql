-- Fills the sample platform. The same variables give the same rows, on every version.
--
--   vendors   how many vendors have ever signed up             (default 88)
--   days      days of history before as_of                     (default 420)
--   as_of     the platform's "today", midnight UTC             (default: today)
--
-- Sign-ups grow by about 0.35 % a day, fewer at weekends, and one in twelve vendors has
-- left. Tiers differ in size by a factor of 50. A vendor starts with an import and adds
-- products from then on; orders follow the week and grow with the vendor.
\if :{?vendors}
\else
	\set vendors 88
\endif
\if :{?days}
\else
	\set days 420
\endif
\if :{?as_of}
\else
	SELECT (now() AT TIME ZONE 'UTC')::date AS as_of \gset
\endif
SET timezone = 'UTC';

-- Numbers that look random and are not: from a hash, in [0, 1).
CREATE FUNCTION pg_temp.chance(what text, id bigint) RETURNS double precision
	LANGUAGE sql IMMUTABLE AS $$
	SELECT (hashtextextended(what || id, 20260101) & 9007199254740991)::double precision / 9007199254740992
$$;

CREATE TEMP TABLE plan AS
SELECT v AS id,
	:'as_of'::timestamp - make_interval(secs => 86400 * CASE
		WHEN v <= 0.3 * :vendors THEN :days + 200 * pg_temp.chance('early', v)
		ELSE :days * (1 - ln(v / (0.3 * :vendors)) / ln(1 / 0.3)) END) - interval '3 hours' AS signed_up,
	pg_temp.chance('churn', v) < 1.0 / 12 AS leaves,
	CASE WHEN pg_temp.chance('tier', v) < 0.60 THEN 'essential'
		 WHEN pg_temp.chance('tier', v) < 0.87 THEN 'professional'
		 WHEN pg_temp.chance('tier', v) < 0.97 THEN 'business'
		 ELSE 'enterprise' END AS tier
FROM generate_series(1, :vendors) v;

-- People sign up on working days.
UPDATE plan SET signed_up = signed_up + interval '2 days'
WHERE extract(isodow FROM signed_up) >= 6 AND pg_temp.chance('weekend', id) < 0.7
	AND signed_up + interval '2 days' < :'as_of'::timestamp;

ALTER TABLE plan
	ADD left_at timestamp,
	ADD n_products integer,
	ADD n_members integer,
	ADD orders_a_day double precision;
UPDATE plan SET
	left_at = CASE WHEN leaves THEN signed_up + (:'as_of'::timestamp - signed_up) * (0.3 + 0.6 * pg_temp.chance('left', id)) END,
	n_products = round(least(1, 0.35 + 0.65 * extract(epoch FROM :'as_of'::timestamp - signed_up) / 86400 / 365) * exp(1.1 * (pg_temp.chance('size', id) + pg_temp.chance('size2', id) - 1)) * CASE tier
		WHEN 'essential' THEN 90 WHEN 'professional' THEN 420 WHEN 'business' THEN 900 ELSE 2600 END),
	n_members = 1 + floor(pg_temp.chance('team', id) * CASE tier
		WHEN 'essential' THEN 1.2 WHEN 'professional' THEN 3 WHEN 'business' THEN 9 ELSE 40 END),
	orders_a_day = CASE tier WHEN 'essential' THEN 1.4 WHEN 'professional' THEN 7 WHEN 'business' THEN 22 ELSE 60 END
		* (0.4 + 1.2 * pg_temp.chance('orders', id));

INSERT INTO vendors (id, vendor_code, name, is_active, created_at, updated_at)
OVERRIDING USER VALUE
SELECT id, 'V' || lpad(id::text, 7, '0'),
	(ARRAY['Bäckerei', 'Café', 'Épicerie', 'Łódka', 'Boutique', 'Garage', 'Книги', '茶屋'])[1 + id % 8] || ' ' || id,
	NOT leaves, signed_up, signed_up
FROM plan ORDER BY id;
UPDATE plan p SET id = v.id FROM vendors v WHERE v.vendor_code = 'V' || lpad(p.id::text, 7, '0') AND p.id <> v.id;

INSERT INTO products (vendor_id, is_active, created_at)
SELECT p.id, pg_temp.chance('shown', p.id * 100000 + n) < 0.95,
	p.signed_up + (coalesce(p.left_at, :'as_of'::timestamp) - p.signed_up)
		* CASE WHEN pg_temp.chance('import', p.id * 100000 + n) < 0.3 THEN 0.02 ELSE 1 END
		* pg_temp.chance('product', p.id * 100000 + n)
FROM plan p, generate_series(1, p.n_products) n;

INSERT INTO vendor_users (vendor_id, user_id, user_type, is_active)
SELECT p.id, n, CASE WHEN n = 1 THEN 'owner' ELSE 'member' END, n = 1 OR pg_temp.chance('member', p.id * 1000 + n) < 0.9
FROM plan p, generate_series(1, p.n_members) n;

INSERT INTO orders (vendor_id, status, created_at)
SELECT p.id, 'paid', d + make_interval(secs => 86400 * pg_temp.chance('when', p.id * 10000 + n + extract(epoch FROM d)::bigint))
FROM plan p
	CROSS JOIN generate_series(:'as_of'::timestamp - make_interval(days => :days), :'as_of'::timestamp - interval '1 day', '1 day') d
	CROSS JOIN LATERAL (SELECT p.orders_a_day
		* (ARRAY[0.9, 0.9, 1.0, 1.1, 1.3, 1.2, 0.6])[extract(isodow FROM d)::integer]
		* (0.4 + 0.6 * extract(epoch FROM d - p.signed_up) / extract(epoch FROM :'as_of'::timestamp - p.signed_up)) AS expected) e
	CROSS JOIN generate_series(1, floor(e.expected + pg_temp.chance('day', p.id * 100000 + extract(epoch FROM d)::bigint / 86400))::integer) n
WHERE d >= p.signed_up AND (p.left_at IS NULL OR d < p.left_at);

-- The current period starts on the monthly day of the sign-up.
INSERT INTO vendor_subscriptions (vendor_id, tier, status, is_annual, period_start, period_end, trial_ends_at,
	orders_this_period, custom_products_limit, cancelled_at, created_at, updated_at)
SELECT p.id, p.tier,
	CASE WHEN p.left_at IS NOT NULL THEN 'cancelled'
		 WHEN p.signed_up > :'as_of'::timestamp - interval '14 days' THEN 'trial'
		 WHEN pg_temp.chance('late', p.id) < 0.03 THEN 'past_due'
		 ELSE 'active' END,
	false,
	p.signed_up + make_interval(months => m.n), p.signed_up + make_interval(months => m.n + 1),
	CASE WHEN p.signed_up > :'as_of'::timestamp - interval '14 days' THEN p.signed_up + interval '14 days' END,
	(SELECT count(*) FROM orders o WHERE o.vendor_id = p.id AND o.created_at >= p.signed_up + make_interval(months => m.n)),
	CASE WHEN p.tier = 'essential' AND pg_temp.chance('custom', p.id) < 0.1 THEN 400 END,
	p.left_at, p.signed_up, p.signed_up
FROM plan p
	CROSS JOIN LATERAL (SELECT max(n) AS n FROM generate_series(0, 1200) n
		WHERE p.signed_up + make_interval(months => n) <= coalesce(p.left_at, :'as_of'::timestamp)) m;

INSERT INTO vendor_addons (vendor_id, addon_product_id, quantity, unit_price_cents, period_start, period_end)
SELECT s.vendor_id, a.id, 1 + s.vendor_id % 2, a.price_cents, s.period_start, s.period_end
FROM vendor_subscriptions s JOIN addon_products a ON a.code = 'extra_products'
WHERE s.tier = 'essential' AND s.status = 'active' AND pg_temp.chance('addon', s.vendor_id) < 0.1;

INSERT INTO billing_history (vendor_id, invoice_number, invoice_date, due_date, period_start, period_end,
	subtotal_cents, total_cents, amount_paid_cents, currency, status, description)
SELECT s.vendor_id, 'R' || s.vendor_id || '-' || to_char(s.period_start, 'YYYYMMDD'), s.period_start, s.period_start + interval '14 days',
	s.period_start, s.period_end, t.price_monthly_cents, t.price_monthly_cents,
	CASE WHEN s.status = 'past_due' THEN 0 ELSE t.price_monthly_cents END, t.currency,
	CASE WHEN s.status = 'past_due' THEN 'open' ELSE 'paid' END, t.name
FROM vendor_subscriptions s JOIN subscription_tiers t ON t.code = s.tier
WHERE s.status IN ('active', 'past_due');

-- What the application has recorded of itself: the table that import_snapshots() takes over.
CREATE TABLE capacity_snapshots (
	id                 bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	snapshot_date      timestamptz NOT NULL UNIQUE,
	total_vendors      integer,
	active_vendors     integer,
	total_products     integer,
	total_orders_month integer,
	total_team_members integer,
	storage_used_gb    numeric(10, 2)
);
INSERT INTO capacity_snapshots (snapshot_date, total_vendors, active_vendors, total_products, total_orders_month,
	total_team_members, storage_used_gb)
SELECT d, v.total, v.active, p.n, o.n, v.members, round((p.n * 0.004)::numeric, 2)
FROM generate_series(:'as_of'::timestamp - interval '90 days', :'as_of'::timestamp - interval '1 day', '1 day') d
	CROSS JOIN LATERAL (SELECT count(*) AS total, count(*) FILTER (WHERE left_at IS NULL OR left_at > d + interval '1 day') AS active,
			sum((SELECT count(*) FROM vendor_users u WHERE u.vendor_id = plan.id AND u.is_active)) AS members
		FROM plan WHERE signed_up < d + interval '1 day') v
	CROSS JOIN LATERAL (SELECT count(*) AS n FROM products WHERE created_at < d + interval '1 day') p
	CROSS JOIN LATERAL (SELECT sum((SELECT count(*) FROM orders o WHERE o.vendor_id = plan.id AND o.created_at < d + interval '1 day'
			AND o.created_at >= signed_up + make_interval(months => 12 * extract(year FROM a)::integer + extract(month FROM a)::integer))) AS n
		FROM plan CROSS JOIN age(least(d + interval '1 day', left_at), signed_up) a WHERE signed_up < d + interval '1 day') o
WHERE extract(day FROM d) <> 13;

DROP TABLE plan;
DROP FUNCTION pg_temp.chance(text, bigint);
ANALYZE;
