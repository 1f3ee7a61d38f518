-- A large sample platform, fast: :vendors vendors with a subscription each, :products products, :users users.
SET timezone = 'UTC';
SET client_min_messages = warning;
TRUNCATE vendors, vendor_subscriptions, products, vendor_users, orders CASCADE;
SET session_replication_role = replica;		-- the rows fit: no lookup of foreign keys
INSERT INTO vendors (id, vendor_code, name, is_active, created_at)
SELECT v, 'V' || v, 'Vendor ' || v, v % 12 <> 0, now() - make_interval(days => v % 1000) FROM generate_series(1, :vendors) v;
INSERT INTO vendor_subscriptions (vendor_id, tier, status, period_start, period_end, orders_this_period, custom_products_limit)
SELECT v, (ARRAY['essential', 'essential', 'essential', 'professional', 'professional', 'business', 'enterprise'])[1 + v % 7],
	(ARRAY['active', 'active', 'active', 'active', 'trial', 'past_due', 'cancelled'])[1 + v % 11 % 7], now(), now() + interval '30 days', v % 300,
	CASE v % 50 WHEN 0 THEN 1000 WHEN 1 THEN -1 END
FROM generate_series(1, :vendors) v;
INSERT INTO products (vendor_id) SELECT 1 + p % :vendors FROM generate_series(1, :products) p;
INSERT INTO vendor_users (vendor_id, user_id, is_active) SELECT 1 + u % :vendors, u, u % 10 <> 0 FROM generate_series(1, :users) u;
SET session_replication_role = origin;
VACUUM ANALYZE vendors, vendor_subscriptions, products, vendor_users;
