-- Subscriptions' limits against use, snapshot and recommendations: the worked example.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set file :dir '/platform/schema.sql'
\i :file
\set ECHO all
-- An empty platform has zeros, and no percentage.
SELECT resource, theoretical_limit, actual, utilization_percent, headroom, counted_subscriptions, tier_distribution
FROM capforecast.subscription_capacity();
SELECT total_vendors, active_vendors, trial_vendors, total_subscriptions, active_subscriptions, total_products,
	total_orders_month, total_team_members, storage_used_gb, theoretical_products_limit, theoretical_orders_limit,
	theoretical_team_limit, tier_distribution, source
FROM capforecast.capture_daily_snapshot();
SELECT overall_status, infrastructure_tier, next_tier_trigger, vendors_percent FROM capforecast.platform_health();
SELECT capforecast.scaling_recommendations_json(extended => false);

-- Vendors of every kind: trial, own limit, unlimited, past due, cancelled, without subscription.
CREATE TEMP TABLE worked (id bigint, tier text, status text, custom_products integer, products integer, orders integer, members integer);
INSERT INTO worked VALUES
	(1, 'essential',    'active',    NULL,    150,   80,  1),
	(2, 'essential',    'trial',     NULL,    230,   10,  1),
	(3, 'professional', 'active',    NULL,   5000,  450,  3),
	(4, 'business',     'active',    10000,  4000, 1200,  6),
	(5, 'enterprise',   'active',    NULL,  20000, 9000, 40),
	(6, 'professional', 'past_due',  NULL,    700,   20,  2),
	(7, 'essential',    'cancelled', NULL,     90,    0,  1),
	(8, NULL,           NULL,        NULL,     10, NULL,  1);
INSERT INTO vendors (id, vendor_code, name, is_active) SELECT id, 'V' || id, 'Vendor ' || id, id <> 7 FROM worked;
INSERT INTO vendor_subscriptions (vendor_id, tier, status, period_start, period_end, orders_this_period, custom_products_limit)
SELECT id, tier, status, '2024-11-01', '2024-12-01', orders, custom_products FROM worked WHERE tier IS NOT NULL;
INSERT INTO products (vendor_id) SELECT id FROM worked, generate_series(1, products);
INSERT INTO vendor_users (vendor_id, user_id) SELECT id, n FROM worked, generate_series(1, members) n;
INSERT INTO vendor_users (vendor_id, user_id, is_active) VALUES (1, 99, false);

SELECT resource, theoretical_limit, unlimited_subscriptions AS unlimited, is_unlimited, actual_limited, actual_unlimited,
	actual_unsubscribed, actual, utilization_percent, headroom, over_limit, vendors_over_limit
FROM capforecast.subscription_capacity();
SELECT resource, counted_subscriptions, unknown_tier_subscriptions, at_risk_subscriptions, at_risk_limit, at_risk_actual_limited,
	tier_distribution
FROM capforecast.subscription_capacity();
SELECT jsonb_pretty(capforecast.subscription_capacity_json());
SELECT total_vendors, active_vendors, trial_vendors, total_subscriptions, active_subscriptions, total_products,
	total_orders_month, total_team_members, storage_used_gb, theoretical_products_limit, theoretical_orders_limit,
	theoretical_team_limit, tier_distribution
FROM capforecast.capture_daily_snapshot(refresh => true);
-- What is always so.
SELECT bool_and(theoretical_limit - actual_limited = headroom - over_limit) AS headroom_adds_up,
	bool_and(actual = actual_limited + actual_unlimited + actual_unsubscribed) AS use_adds_up
FROM capforecast.subscription_capacity();

-- Own limits: -1 is unlimited, 0 is a limit, NULL is the tier's. A tier without a row is in the distribution only,
-- even with a limit of its own; codes are compared exactly.
UPDATE vendor_subscriptions SET custom_products_limit = -1, custom_orders_limit = 0, custom_team_limit = 7 WHERE vendor_id = 1;
UPDATE vendor_subscriptions SET tier = 'Essential', custom_products_limit = 500 WHERE vendor_id = 2;
SELECT resource, theoretical_limit, unlimited_subscriptions AS unlimited, actual_limited, actual_unlimited, actual_unsubscribed,
	utilization_percent, headroom, over_limit, vendors_over_limit, unknown_tier_subscriptions AS unknown, tier_distribution
FROM capforecast.subscription_capacity();
SELECT active_subscriptions, theoretical_products_limit, theoretical_orders_limit, theoretical_team_limit, tier_distribution
FROM capforecast.capture_daily_snapshot(refresh => true);
-- What the service could not count: a NULL counter is 0, a NULL status is no status, a NULL is_active is not active.
ALTER TABLE vendor_subscriptions ALTER status DROP NOT NULL, ALTER orders_this_period DROP NOT NULL, ALTER tier DROP NOT NULL;
ALTER TABLE vendors ALTER is_active DROP NOT NULL;
UPDATE vendor_subscriptions SET orders_this_period = NULL, tier = NULL WHERE vendor_id = 3;
UPDATE vendor_subscriptions SET status = NULL WHERE vendor_id = 4;
UPDATE vendors SET is_active = NULL WHERE id = 5;
SELECT active_vendors, total_subscriptions, active_subscriptions, total_orders_month, tier_distribution
FROM capforecast.capture_daily_snapshot(refresh => true);
SELECT resource, theoretical_limit, actual_limited, actual FROM capforecast.subscription_capacity();

-- Recommendations: in their order, as the web application shows them.
TRUNCATE vendors CASCADE;
INSERT INTO vendors (id, vendor_code, name) SELECT n, 'V' || n, '' FROM generate_series(1, 42) n;
INSERT INTO vendor_subscriptions (vendor_id, tier, status, period_start, period_end, custom_products_limit)
VALUES (1, 'essential', 'active', '2024-11-01', '2024-12-01', 4300);
INSERT INTO products (vendor_id) SELECT 1 FROM generate_series(1, 3500);
TRUNCATE capforecast.capacity_snapshots;
INSERT INTO capforecast.capacity_snapshots (snapshot_date, active_vendors) VALUES ('2024-10-30', 33), ('2024-11-24', 42);
SELECT capforecast.push_image_storage((812.34 * 1073741824)::bigint, '2024-11-24 08:00+00');
SELECT jsonb_pretty(capforecast.scaling_recommendations_json(extended => false, as_of => '2024-11-24 12:00+00'));
SELECT severity, rule, metric FROM capforecast.scaling_recommendations(extended => false, as_of => '2024-11-24 12:00+00');
-- At the thresholds themselves nothing is said.
UPDATE vendor_subscriptions SET custom_products_limit = 4375;
DELETE FROM vendors WHERE id > 35;
SELECT capforecast.push_image_storage(800 * 1073741824::bigint, '2024-11-24 08:00+00');
UPDATE capforecast.capacity_snapshots SET active_vendors = 35 WHERE snapshot_date = '2024-10-30';
SELECT * FROM capforecast.scaling_recommendations(extended => false, as_of => '2024-11-24 12:00+00');

-- Infrastructure tiers: the first whose maxima are not exceeded.
CREATE FUNCTION pg_temp.platform(n_vendors integer) RETURNS TABLE (tier text, exceeded boolean, cost bigint, trigger text)
LANGUAGE sql SET client_min_messages = warning AS $$
	TRUNCATE vendors CASCADE;
	INSERT INTO vendors (id, vendor_code, name) SELECT n, 'V' || n, '' FROM generate_series(1, n_vendors) n;
	SELECT infrastructure_tier, tier_exceeded, monthly_cost_cents, next_tier_trigger FROM capforecast.platform_health();
$$;
SELECT n, p.* FROM unnest(ARRAY[35, 36, 50, 51, 301, 1000, 1001]) n CROSS JOIN LATERAL pg_temp.platform(n) p;
-- The list is the operator's.
UPDATE capforecast.infrastructure_tiers SET max_vendors = 60, max_db_size_mb = 1000000 WHERE name = 'Starter';
DELETE FROM capforecast.infrastructure_tiers WHERE name IN ('Scale', 'Enterprise');
SELECT position, name, max_vendors, max_products, max_db_size_mb, monthly_cost_cents FROM capforecast.infrastructure_tiers ORDER BY position;
SELECT n, p.* FROM unnest(ARRAY[60, 501]) n CROSS JOIN LATERAL pg_temp.platform(n) p;
INSERT INTO capforecast.infrastructure_tiers (name, monthly_cost_cents) VALUES ('Cluster', 99900);
SELECT position, name, max_vendors, monthly_cost_cents, currency FROM capforecast.infrastructure_tiers WHERE name = 'Cluster';
DELETE FROM capforecast.infrastructure_tiers;
SELECT count(*) AS default_list FROM capforecast.infrastructure_tiers;
INSERT INTO capforecast.infrastructure_tiers (position, name, max_vendors, monthly_cost_cents) VALUES (1, 'One', 10, 100), (2, 'Two', NULL, 200);
SELECT position, name, max_vendors FROM capforecast.infrastructure_tiers ORDER BY position;
-- What a person must look at is critical, too.
INSERT INTO capforecast.finding (code, severity, subject, first_seen, last_seen) VALUES
	('stripe_missing', 'critical', 'sub_1', now(), now()), ('stripe_missing', 'critical', 'sub_2', now(), now()),
	('irregular_period', 'warning', '3', now(), now());
SELECT overall_status, reasons FROM capforecast.platform_health();
UPDATE capforecast.finding SET resolved_at = now();
SELECT overall_status, reasons FROM capforecast.platform_health();
