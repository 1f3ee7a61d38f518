-- One definition of a limit: what the snapshot, the capacity, the outlook of vendors and
-- check_limit() take for it, for every pair of an own limit and a tier's.
BEGIN;
SELECT no_plan();
SET LOCAL search_path = public;

ALTER TABLE subscription_tiers DROP CONSTRAINT subscription_tiers_products_limit_check,
	DROP CONSTRAINT subscription_tiers_orders_per_month_check, DROP CONSTRAINT subscription_tiers_team_members_check;

-- A tier per limit of a tier, a vendor per pair; add-ons for every second vendor.
CREATE TEMP TABLE pairs AS
SELECT row_number() OVER () AS vendor, own, tier, addons, coalesce('t' || tier, 'none') AS code
FROM unnest('{NULL,-5,-1,0,7}'::integer[]) own, unnest('{NULL,-1,0,200}'::integer[]) tier, unnest('{0,3}'::integer[]) addons;
INSERT INTO subscription_tiers (code, name, price_monthly_cents, products_limit, orders_per_month, team_members)
SELECT DISTINCT code, code, 1000, tier, tier, tier FROM pairs;
INSERT INTO addon_products (id, code, name, category, price_cents, grants_resource, grants_per_unit)
VALUES (901, 'p', 'P', 'c', 1, 'products', 10), (902, 'o', 'O', 'c', 1, 'orders', 10), (903, 't', 'T', 'c', 1, 'team_members', 10);
INSERT INTO vendors (id, vendor_code, name) SELECT vendor, 'L' || vendor, 'L' FROM pairs;
INSERT INTO vendor_subscriptions (vendor_id, tier, status, period_start, period_end, orders_this_period,
	custom_products_limit, custom_orders_limit, custom_team_limit)
SELECT vendor, code, 'active', now() - interval '1 day', now() + interval '1 month', 300, own, own, own FROM pairs;
INSERT INTO vendor_addons (vendor_id, addon_product_id, quantity, status) SELECT vendor, a, addons, 'active' FROM pairs, unnest('{901,902,903}'::integer[]) a WHERE addons > 0;

-- More than any of them, so that the outlook shows every vendor that has a limit.
INSERT INTO products (vendor_id) SELECT vendor FROM pairs, generate_series(1, 300);
INSERT INTO vendor_users (vendor_id, user_id) SELECT vendor, n FROM pairs, generate_series(1, 300) n;
SELECT capforecast.capture_vendor_usage();

-- Said in words: the own limit counts if there is one, else the tier's; below 0 is unlimited.
CREATE TEMP TABLE expected AS
SELECT vendor, l AS plain, l + 10 * addons AS with_addons
FROM pairs, LATERAL (SELECT CASE WHEN own IS NOT NULL THEN nullif(greatest(own, -1), -1) ELSE nullif(greatest(tier, -1), -1) END AS l) x;
SELECT is((SELECT count(plain) FROM expected), 20::bigint, 'half of the pairs are limited');

SELECT is((SELECT jsonb_object_agg(vendor, capforecast._quota(own, tier, 10 * addons)) FROM pairs),
	(SELECT jsonb_object_agg(vendor, with_addons) FROM expected), 'the definition');
SELECT is((SELECT jsonb_object_agg(vendor, (capforecast.check_limit(vendor::text, resource))."limit") FROM pairs),
	(SELECT jsonb_object_agg(vendor, with_addons) FROM expected), 'check_limit() of ' || resource)
FROM unnest('{products,orders,team_members}'::text[]) resource;
SELECT is((SELECT jsonb_object_agg(o.vendor_id, o.limit_value) FROM capforecast.vendor_outlook() o WHERE o.resource = r.resource),
	(SELECT jsonb_object_agg(vendor, with_addons) FROM expected WHERE with_addons IS NOT NULL), 'outlook of vendors: ' || resource)
FROM unnest('{products,orders_monthly,team_members}'::text[]) r(resource);
SELECT is((SELECT array_agg(theoretical_limit || ' ' || unlimited_subscriptions) FROM capforecast.subscription_capacity()),
	(SELECT array_fill(sum(plain) || ' ' || count(*) - count(plain), '{3}') FROM expected), 'capacity: sum and number of unlimited');
SELECT is((SELECT ARRAY[theoretical_products_limit, theoretical_orders_limit, theoretical_team_limit]::text[] FROM capforecast.capture_daily_snapshot(true)),
	(SELECT array_fill(sum(plain)::text, '{3}') FROM expected), 'snapshot');
SELECT is((SELECT array_agg(t.products_limit ORDER BY t.code) FROM capforecast.get_tier_info('t-1') t), '{NULL}', 'a tier''s own row');

-- Not known is neither 0 nor unlimited
SELECT capforecast.bind('vendor_subscriptions', 'vendor_subscriptions', '{"orders_this_period": null}');
INSERT INTO orders (vendor_id, created_at) SELECT vendor, now() - d * interval '9 hours' FROM pairs, generate_series(0, 3) d;
SELECT is((SELECT total_orders_month FROM capforecast.capture_daily_snapshot(true)), 120::bigint, 'without a counter, orders of the period are counted');
SELECT is((SELECT (capforecast.check_limit('7', 'orders')).used), 3::bigint, 'of a vendor, too');
ALTER TABLE orders RENAME TO orders_away;
SELECT is((SELECT (total_orders_month, theoretical_orders_limit)::text FROM capforecast.capture_daily_snapshot(true)),
	(SELECT format('(,%s)', sum(plain)) FROM expected), 'orders are not counted: NULL');
SELECT is((SELECT array_agg((resource, actual, actual_limited, headroom, utilization_percent)::text) FROM capforecast.subscription_capacity()
	WHERE resource = 'orders_monthly'), '{"(orders_monthly,,,,)"}', 'nor in the capacity');
SELECT capforecast.bind('subscription_tiers', 'subscription_tiers', '{"products_limit": null}');
SELECT is((SELECT theoretical_products_limit FROM capforecast.capture_daily_snapshot(true)), NULL, 'tiers without a column of limits: NULL');
SELECT is((SELECT (theoretical_limit, is_unlimited, unlimited_subscriptions, actual)::text FROM capforecast.subscription_capacity() WHERE resource = 'products'),
	'(,,,12000)', 'and not unlimited');
ALTER TABLE orders_away RENAME TO orders;
SELECT capforecast.unbind('vendor_subscriptions'), capforecast.unbind('subscription_tiers');

-- Tables that need not be there
TRUNCATE products, vendor_users;
INSERT INTO products (vendor_id) SELECT 1 FROM generate_series(1, 5);
UPDATE vendor_subscriptions SET orders_this_period = 0;
DELETE FROM capforecast.metric_value;
SELECT lives_ok('SELECT capforecast.capture_vendor_usage()', 'with all tables');
DROP TABLE vendor_addons, billing_history, addon_products CASCADE;
SELECT lives_ok('SELECT * FROM capforecast.vendor_outlook()', 'no table of add-ons is no add-ons');
SELECT lives_ok($$SELECT capforecast.look_at_vendors()$$, 'in the job, too');
DROP TABLE vendor_users CASCADE;
SELECT lives_ok('SELECT * FROM capforecast.platform_health()', 'without team members: health');
SELECT lives_ok('SELECT * FROM capforecast.scaling_recommendations()', 'recommendations');
SELECT is((SELECT array_agg((resource, actual)::text) FROM capforecast.subscription_capacity()), '{"(products,5)","(orders_monthly,0)","(team_members,)"}', 'capacity');
SELECT is((SELECT (total_products, total_team_members)::text FROM capforecast.capture_daily_snapshot(true)), '(5,)', 'snapshot');
DELETE FROM capforecast.metric_value;
DELETE FROM capforecast.vendor_usage;
SELECT lives_ok('SELECT capforecast.capture_vendor_usage()', 'what vendors use');
SELECT is((SELECT array_agg(metric::text ORDER BY metric) FROM capforecast.metric_value), '{limited_orders,limited_products}', 'sums of what is known');
SELECT is((SELECT (products, orders, team_members, team_members_at)::text FROM capforecast.vendor_usage WHERE vendor_id = '1'), '({5},{0},{},{})', 'and each vendor''s');
SELECT is(capforecast.capture_vendor_usage(), 0::bigint, 'the day is captured');
CREATE TABLE vendor_users (id bigint, vendor_id bigint, is_active boolean);
INSERT INTO vendor_users VALUES (1, 1, true), (2, 1, true);
SELECT is(capforecast.capture_vendor_usage(), 40::bigint, 'a table that has come completes it');
SELECT is((SELECT (products, orders, team_members)::text FROM capforecast.vendor_usage WHERE vendor_id = '1'), '({5},{0},{2})', 'from then on');
DROP TABLE products CASCADE;
SELECT lives_ok('SELECT * FROM capforecast.platform_health()', 'without products: health');
SELECT is((SELECT actual FROM capforecast.subscription_capacity() WHERE resource = 'products'), NULL, 'capacity');

SELECT * FROM finish();
ROLLBACK;
