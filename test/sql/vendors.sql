-- Vendors: captured sparsely, who drives the growth, who passes a limit of its plan.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set file :dir '/platform/schema.sql'
\i :file
\set ECHO all
SET client_min_messages = warning;
\set SHOW_CONTEXT never
INSERT INTO vendors (id, vendor_code, name) SELECT v, 'V' || v, 'Vendor ' || v FROM generate_series(1, 7) v;
INSERT INTO vendor_subscriptions (vendor_id, tier, status, period_start, period_end, custom_products_limit)
SELECT v, CASE v WHEN 5 THEN 'enterprise' ELSE 'essential' END, CASE v WHEN 6 THEN 'cancelled' ELSE 'active' END,
	'2025-05-20', '2025-06-20', CASE v WHEN 3 THEN 1000 END FROM generate_series(1, 7) v;
INSERT INTO vendor_users (vendor_id, user_id) SELECT v, 1 FROM generate_series(1, 7) v;
-- 2 has bought 500 more products.
INSERT INTO vendor_addons (vendor_id, addon_product_id) SELECT 2, id FROM addon_products WHERE code = 'extra_products';

-- 100 days until the 1st of June: 1, 2, 3 and 5 add two products a day, 4 has 150 for ever; 7 comes on day -40
-- and is gone on day -10; orders of 1 grow by 4 a day and start again every 30 days.
CREATE PROCEDURE be_on(day integer) LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE products;
	INSERT INTO products (vendor_id)
	SELECT v.id FROM vendors v CROSS JOIN LATERAL generate_series(1, CASE
		WHEN v.id IN (1, 2, 3, 5) THEN 190 + 2 * day
		WHEN v.id = 4 THEN 150
		WHEN v.id = 7 AND day >= -40 THEN 30 ELSE 0 END) n;
	IF day >= -10 THEN
		DELETE FROM vendors WHERE id = 7;
	END IF;
	UPDATE vendor_subscriptions SET orders_this_period = (day + 102) % 30 * 4 WHERE vendor_id = 1;
	-- one day in ten the team of 3 changes
	UPDATE vendor_users SET is_active = (day + 100) / 10 % 2 = 0 WHERE vendor_id = 3;
END $$;
CREATE TABLE truth (day date, vendor_id text, products bigint, orders bigint, team_members bigint);
DO $$
DECLARE
	on_day date;
BEGIN
	FOR d IN -99..0 LOOP
		on_day := date '2025-06-01' + d;
		CONTINUE WHEN d = -50;		-- a day without a capture
		CALL be_on(d);
		PERFORM capforecast._capture_vendor_usage(on_day);
		INSERT INTO truth SELECT on_day, v.id::text,
			(SELECT count(*) FROM products p WHERE p.vendor_id = v.id),
			(SELECT orders_this_period FROM vendor_subscriptions s WHERE s.vendor_id = v.id),
			(SELECT count(*) FROM vendor_users u WHERE u.vendor_id = v.id AND is_active) FROM vendors v;
	END LOOP;
END $$;

-- Every value of every day reads back; a second capture of a day stores nothing.
SELECT count(*) AS values, count(*) FILTER (WHERE v.value = t.products) AS products, count(*) FILTER (WHERE o.value = t.orders) AS orders,
	count(*) FILTER (WHERE m.value = t.team_members) AS members
FROM truth t
	JOIN LATERAL capforecast._vendor_values('products', t.day) v USING (vendor_id)
	JOIN LATERAL capforecast._vendor_values('orders', t.day) o USING (vendor_id)
	JOIN LATERAL capforecast._vendor_values('team_members', t.day) m USING (vendor_id);
SELECT * FROM capforecast._capture_vendor_usage('2025-06-01');
-- Sparse: rows, changes of each, and the vendor that is gone uses nothing.
SELECT vendor_id, count(*) AS rows, sum(cardinality(products)) AS products, sum(cardinality(orders)) AS orders, sum(cardinality(team_members)) AS members,
	max(cardinality(orders)) <= 64 AS at_most_64, (array_agg(products[cardinality(products)] ORDER BY first_day DESC))[1] AS last
FROM capforecast.vendor_usage GROUP BY 1 ORDER BY 1;

-- Contributions add up to the change.
SELECT vendor_id, start_value, end_value, contribution, round(share_ratio::numeric, 4) AS share, start_date, end_date
FROM capforecast.growth_contributors('products', 60, '2025-06-01 10:00+00');
SELECT sum(contribution) = (SELECT sum(products) FILTER (WHERE day = '2025-06-01') - sum(products) FILTER (WHERE day = '2025-04-02') FROM truth) AS adds_up,
	abs(sum(share_ratio) - 1) < 1e-12 AS shares_add_up
FROM capforecast.growth_contributors('products', 60, '2025-06-01 10:00+00');
SELECT bool_and(c.sum IS NOT DISTINCT FROM t.change) AS all_add_up
FROM (VALUES ('products'), ('orders'), ('team_members')) m(metric)
	CROSS JOIN unnest('{5,20,35,65,80,95}'::integer[]) days
	CROSS JOIN LATERAL (SELECT coalesce(sum(contribution), 0) AS sum FROM capforecast.growth_contributors(m.metric, days, '2025-06-01 10:00+00')) c
	CROSS JOIN LATERAL (SELECT sum((to_jsonb(x) ->> m.metric)::bigint * CASE WHEN day = '2025-06-01' THEN 1 ELSE -1 END) AS change
		FROM truth x WHERE day IN ('2025-06-01', greatest(date '2025-06-01' - days, '2025-02-22'))) t;
SELECT count(*) FROM capforecast.growth_contributors('products', 30, '2024-01-01');
SELECT * FROM capforecast.growth_contributors('vendors');
SELECT * FROM capforecast.growth_contributors('products', 0);

-- Use against the limits of exactly those that have one: metrics of their own.
SELECT metric, value, limit_value FROM capforecast.metric_history WHERE metric LIKE 'limited%' AND day = '2025-06-01' ORDER BY 1;

-- 1 has 10 products left at 2 a day, and its orders pass 100 before the period ends; 2 has room by its add-on, 3 by its own
-- limit, 4 does not grow, 5 is unlimited, 6 is cancelled. A team that was one for ever on a plan for one is no news, 3's is.
SELECT vendor_id, vendor_name, resource, tier, current_value, limit_value, status, days_left BETWEEN 3 AND 7 AS about_5_days, fitting_tier, fitting_tier_price_cents, currency
FROM capforecast.vendor_outlook(as_of => '2025-06-01 10:00+00');
SELECT (SELECT jsonb_agg(to_jsonb(v)) FROM capforecast.vendor_outlook(as_of => '2025-06-01 10:00+00') v)
	= capforecast.vendor_outlook_json(as_of => '2025-06-01 10:00+00') AS twin_is_equal;
SELECT reason FROM capforecast.vendor_outlook(as_of => '2025-06-01 10:00+00') WHERE resource = 'orders_monthly';
-- On one core and on more: the same rows.
SET max_parallel_workers_per_gather = 0;
CREATE TABLE alone AS SELECT * FROM capforecast.vendor_outlook(as_of => '2025-06-01 10:00+00');
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SELECT count(*) AS rows, (SELECT count(*) FROM alone) AS alone, (SELECT count(*) FROM (TABLE alone EXCEPT SELECT * FROM capforecast.vendor_outlook(as_of => '2025-06-01 10:00+00')) d) AS different
FROM capforecast.vendor_outlook(as_of => '2025-06-01 10:00+00');
RESET ALL;
SET timezone = 'UTC';
SET datestyle = 'ISO';
-- Above its limit at once.
INSERT INTO products (vendor_id) SELECT 4 FROM generate_series(1, 60);
SELECT changed FROM capforecast._capture_vendor_usage('2025-06-02');
SELECT vendor_id, resource, current_value, limit_value, status, days_left, breach_date, projected_value, fitting_tier, reason
FROM capforecast.vendor_outlook(as_of => '2025-06-02 10:00+00') WHERE vendor_id = '4';

-- The job keeps it for the recommendations.
SELECT capforecast.look_at_vendors('2025-06-02 10:00+00') > 0 AS found;
SELECT severity, title, description, details -> 'vendors' -> 0 ->> 'vendor_id' AS first
FROM capforecast.scaling_recommendations(as_of => '2025-06-02 10:00+00') WHERE rule = 'vendors_near_limit';
SELECT * FROM capforecast.vendor_outlook('0 days');
SELECT count(*) FROM capforecast.vendor_outlook(as_of => '2024-01-01');

-- The job captures today, once.
SELECT capforecast.capture_vendor_usage() >= 0 AS captured;
SELECT capforecast.capture_vendor_usage();
SELECT count(*), sum(failed) FROM capforecast.job_run WHERE job = 'capture_vendor_usage';
\set VERBOSITY terse
SELECT capforecast.capture_vendor_usage('2025-06-01');
