-- Vendors that will pass a limit of their plan before the period ends: told once.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set file :dir '/platform/schema.sql'
\i :file
\set ECHO all
SET client_min_messages = warning;
SET capforecast.allow_time_travel = on;
\set SHOW_CONTEXT never
INSERT INTO subscription_tiers (code, name, price_monthly_cents, products_limit, orders_per_month, team_members, display_order) VALUES
	('s', 'S', 1000, 1000, 100, 1, 11), ('m', 'M', 3000, 1000, 200, 10, 12), ('l', 'L', 9000, NULL, NULL, NULL, 13);
-- A month of June. 1 orders 4 a day of 100, 2 does 2 a day, 3 will need more than the next tier gives, 4 has no limit,
-- 5 is cancelled, 6 is new, 7 has had its one seat for ever, 8 adds products.
INSERT INTO vendors (id, vendor_code, name) SELECT v, 'V' || v, 'Vendor ' || v FROM generate_series(1, 8) v;
INSERT INTO vendor_subscriptions (vendor_id, tier, status, period_start, period_end)
SELECT v, CASE v WHEN 4 THEN 'l' ELSE 's' END, CASE v WHEN 5 THEN 'cancelled' ELSE 'active' END, '2025-06-01', '2025-07-01' FROM generate_series(1, 8) v;
INSERT INTO capforecast.vendor_usage (vendor_id, first_day, products_at, products, orders_at, orders, team_members_at, team_members)
SELECT v::text, date '2025-05-02', CASE v WHEN 8 THEN array_agg(d::smallint ORDER BY d) ELSE '{0}' END, CASE v WHEN 8 THEN array_agg(d * 20 ORDER BY d) ELSE '{0}' END,
	array_agg(d::smallint ORDER BY d), array_agg((r * (CASE WHEN d > 30 THEN d - 30 ELSE d + 1 END))::bigint ORDER BY d), '{0}', ARRAY[(v = 7)::integer]
FROM (VALUES (1, 4), (2, 2), (3, 12), (4, 50), (5, 9), (7, 0), (8, 1)) x(v, r), generate_series(0, 45) d GROUP BY v, r;
INSERT INTO capforecast.metric_value (metric, day, value) SELECT 'limited_orders', date '2025-05-02' + d, 0 FROM generate_series(0, 45) d;
SELECT capforecast.look_at_vendors('2025-06-16 00:51+00');
SELECT vendor_id, resource, period_end, days_left, round(chance::numeric, 2) AS chance, current_value, limit_value, fitting_tier, passed_at FROM capforecast.vendor_alert ORDER BY 1, 2;
SELECT event, vendor_alert_id IS NOT NULL AS has_alert, payload - 'vendor_alert_id' - 'chance' AS payload, body FROM capforecast.alert_outbox WHERE channel = 'vendor' ORDER BY payload ->> 'vendor_id';
-- once: not the next night, unless the limit is reached
SELECT capforecast.look_at_vendors('2025-06-16 00:52+00') >= 0 AS looked;
SELECT count(*) FROM capforecast.alert_outbox;
UPDATE capforecast.vendor_usage SET orders[46] = 101 WHERE vendor_id = '1';
SELECT capforecast.look_at_vendors('2025-06-16 00:53+00') >= 0 AS looked;
SELECT capforecast.look_at_vendors('2025-06-16 00:54+00') >= 0 AS looked;
SELECT event, body FROM capforecast.alert_outbox ORDER BY outbox_id DESC LIMIT 1;
SELECT count(*) FROM capforecast.alert_outbox;
SELECT vendor_id, resource, passed_at FROM capforecast.vendor_alert WHERE passed_at IS NOT NULL ORDER BY 1, 2;
SELECT channel, event FROM capforecast.take_alerts('vendor', 1);
-- the next period is another matter
UPDATE vendor_subscriptions SET period_start = '2025-07-01', period_end = '2025-08-01' WHERE vendor_id = 1;
UPDATE capforecast.vendor_usage SET orders_at = orders_at || 60::smallint || 62::smallint, orders = orders || 160::bigint || 8::bigint WHERE vendor_id = '1';
INSERT INTO capforecast.metric_value (metric, day, value) VALUES ('limited_orders', '2025-07-03', 0);
SELECT capforecast.look_at_vendors('2025-07-03 00:51+00') >= 0 AS looked;
SELECT period_end, days_left, passed_at FROM capforecast.vendor_alert WHERE vendor_id = '1' ORDER BY 1;
-- how sure one must be; without a period the month counts; whoever is not known is judged like all
UPDATE capforecast.policy SET value = '1.5' WHERE name = 'vendor_chance';
UPDATE capforecast.policy SET value = '0.05' WHERE name = 'vendor_chance';
DELETE FROM capforecast.vendor_alert;
SELECT capforecast.bind('vendor_subscriptions', 'vendor_subscriptions', '{"period_start": null, "period_end": null}');
INSERT INTO capforecast.vendor_usage (vendor_id, first_day, products_at, products, orders_at, orders, team_members_at, team_members) VALUES ('6', '2025-07-03', '{0}', '{0}', '{0}', '{0}', '{0}', '{0}');
SELECT count(*) > 0 AS any_told FROM capforecast._vendor_chances('2025-07-03 00:51+00', '2025-07-03', 0.05) c WHERE vendor_id = '6' AND period_end = '2025-08-01';
-- nothing captured, nothing said
TRUNCATE capforecast.vendor_usage;
DELETE FROM capforecast.metric_value;
SELECT capforecast.look_at_vendors('2025-07-03 00:51+00');
SELECT count(*) FROM capforecast.vendor_alert;
SELECT * FROM capforecast.take_alerts('fax');
-- what the internals take
SELECT capforecast._pace_weights('{1,2}', '{1}');
SELECT capforecast._pace_weights(NULL, NULL);
SELECT * FROM capforecast._pace_chance('{0,0,0,0,0,0,0}', '{0,0,0,0,0,0,0}', '{0,0,0,0,0,0,0}', '{1,1,1,1,1,1,1}', '{0,0,0,0,0,0}', 5, '2025-01-01', 'infinity');
SELECT * FROM capforecast._pace_chance('{0,0,0,0,0,0,0}', '{0,0,0,0,0,0,0}', '{0,0,0,0,0,0,0}', '{1,1,1,1,1,1,1}', '{0,0,0,0,0,0}', 5, '2025-01-01', '2025-02-01');
