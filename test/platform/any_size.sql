-- A platform of any size, fast, in tables made by schema.sql:
--
--   psql -v vendors=1000000 -v products_per_vendor=2 -v days=90 -f test/platform/any_size.sql
--
-- Each vendor has a subscription, products and one or two members; a third orders every day. Where the extension is there,
-- it gets what captures of so many days would have stored.
SET timezone = 'UTC';
SET client_min_messages = warning;
SET session_replication_role = replica;		-- the rows fit: no lookup of foreign keys
SELECT (now() AT TIME ZONE 'UTC')::date - :days AS first, to_regnamespace('capforecast') IS NOT NULL AS has_extension \gset
INSERT INTO vendors (id, vendor_code, name, created_at)
SELECT v, 'V' || v, 'Vendor ' || v, :'first'::date - 100 + v % (100 + :days) FROM generate_series(1, :vendors) v;
INSERT INTO vendor_subscriptions (vendor_id, tier, status, period_start, period_end, orders_this_period)
SELECT v, CASE WHEN v % 10 < 6 THEN 'essential' WHEN v % 10 < 9 THEN 'professional' ELSE 'business' END, 'active',
	now() - interval '10 days', now() + interval '20 days', CASE WHEN v % 3 = 0 THEN 40 + v % 60 ELSE 0 END
FROM generate_series(1, :vendors) v;
INSERT INTO products (vendor_id, created_at)
SELECT v, :'first'::date + (v + p) % :days FROM generate_series(1, :vendors) v, generate_series(1, :products_per_vendor) p;
INSERT INTO vendor_users (vendor_id, user_id) SELECT v, m FROM generate_series(1, :vendors) v, generate_series(1, 1 + v % 2) m;
\if :has_extension
INSERT INTO capforecast.vendor_usage (vendor_id, first_day, products_at, products, orders_at, orders, team_members_at, team_members)
SELECT v::text, :'first'::date + c * 64, p.at, p.n, o.at, o.n, '{0}', ARRAY[1 + v % 2]
FROM generate_series(1, :vendors) v
	CROSS JOIN LATERAL generate_series(0, CASE WHEN v % 3 = 0 THEN (:days - 1) / 64 ELSE 0 END) c
	CROSS JOIN LATERAL (SELECT array_agg(d::smallint ORDER BY d) AS at, array_agg((20 + v % 60 + (d + c * 64) / 7 * (v % 4))::bigint ORDER BY d) AS n
		FROM generate_series(0, CASE WHEN v % 3 = 0 THEN least(63, :days - 1 - c * 64) ELSE :days - 1 END, 7) d) p
	CROSS JOIN LATERAL (SELECT coalesce(array_agg(d::smallint ORDER BY d), '{}') AS at,
			coalesce(array_agg(((d + c * 64) % 30 * (1 + v % 4 + (d * 7 + v) % 3))::bigint ORDER BY d), '{}') AS n
		FROM generate_series(0, CASE WHEN v % 3 = 0 THEN least(63, :days - 1 - c * 64) ELSE 0 END) d) o;
INSERT INTO capforecast.metric_value (metric, day, value, limit_value)
SELECT m, :'first'::date + d, 1, 2 FROM unnest('{limited_products,limited_orders,limited_team_members}'::text[]) m, generate_series(0, :days - 1) d
ON CONFLICT DO NOTHING;
\endif
SET session_replication_role = origin;
VACUUM ANALYZE;
