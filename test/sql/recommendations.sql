-- What to do, by when, and what it costs.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set file :dir '/platform/schema.sql'
\i :file
\set ECHO all
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\set now '''2025-06-01 10:00+00'''
-- 8000 products of 10000 at 50 a day: 40 days.
INSERT INTO capforecast.capacity_snapshots (snapshot_date, active_vendors, total_products, total_orders_month, tier_distribution)
SELECT date '2025-06-01' + d, 40, 8000 + 50 * d + (d * 37) % 23, 300,
	jsonb_build_object('essential', 100 - d, 'professional', 50 + d)
FROM generate_series(-150, 0) d;

SELECT severity, category, title, rule, metric, monthly_cost FROM capforecast.scaling_recommendations(as_of => :now);
SELECT details ->> 'tier' AS tier, details ->> 'required_tier' AS required, details ->> 'monthly_cost_cents' AS now, details ->> 'monthly_cost_then_cents' AS then,
	details ->> 'currency' AS currency, due_date = (details ->> 'breach_date')::date - 14 AS ordered_14_days_before,
	(details ->> 'breach_date')::date BETWEEN '2025-07-06' AND '2025-07-16' AS about_40_days
FROM capforecast.scaling_recommendations(as_of => :now) WHERE rule = 'infrastructure_upgrade';
SELECT due_date = (details ->> 'breach_date')::date - 30 AS ordered_30_days_before
FROM capforecast.scaling_recommendations(as_of => :now, lead_time => '30 days') WHERE rule = 'infrastructure_upgrade';
SELECT description FROM capforecast.scaling_recommendations(as_of => :now) WHERE rule = 'tier_mix';

-- The same data, the same rows; and without extended only what the service had.
SELECT capforecast.scaling_recommendations_json(as_of => :now) = capforecast.scaling_recommendations_json(as_of => :now) AS is_deterministic;
SELECT count(*) FROM capforecast.scaling_recommendations(false, :now);
SELECT count(*) FILTER (WHERE rule IN ('infrastructure_upgrade', 'tier_mix')) AS extended_rows FROM capforecast.scaling_recommendations(false, :now);
-- Within 20 days nothing happens.
SELECT rule FROM capforecast.scaling_recommendations(as_of => :now, horizon => '20 days');

-- The operator tells that a larger size is in use: there is room, and a smaller one would not do for long.
SELECT capforecast.use_infrastructure_tier('Scale');
SELECT rule, title, monthly_cost, details ->> 'monthly_saving_cents' AS saving FROM capforecast.scaling_recommendations(as_of => :now) WHERE category = 'infrastructure';
-- Too small already, and what is needed.
UPDATE capforecast.capacity_snapshots SET total_products = total_products + 30000;
SELECT capforecast.use_infrastructure_tier('Small');
SELECT severity, rule, title, action, due_date, monthly_cost FROM capforecast.scaling_recommendations(as_of => :now) WHERE category = 'infrastructure';
SELECT metric, limit_name, status, urgency FROM capforecast.capacity_outlook(as_of => :now) WHERE metric = 'products';
-- Nothing carries it.
DELETE FROM capforecast.infrastructure_tiers WHERE max_vendors IS NULL;
UPDATE capforecast.infrastructure_tiers SET max_products = 35000 WHERE max_products > 35000;
SELECT severity, rule, title, monthly_cost, details -> 'required_tier' AS required FROM capforecast.scaling_recommendations(as_of => :now) WHERE category = 'infrastructure';
SELECT capforecast.use_infrastructure_tier('Huge');
SELECT capforecast.use_infrastructure_tier(NULL);

-- Own limits, and what cannot be said yet.
INSERT INTO capforecast.own_metric (metric, kind, direction) VALUES ('seats', 'stock', 'up'), ('fresh', 'stock', 'up');
INSERT INTO capforecast.metric_value (metric, day, value, limit_value)
SELECT 'seats', date '2025-06-01' + d, 900 + 5 * d + (d * 37) % 7, 1000 FROM generate_series(-100, 0) d
UNION ALL SELECT 'fresh', date '2025-06-01' + d, 10 + d, 1000 FROM generate_series(-2, 0) d;
SELECT severity, title, rule, metric, due_date FROM capforecast.scaling_recommendations(as_of => :now) WHERE rule IN ('limit_reached', 'forecast_pending');
SELECT * FROM capforecast.scaling_recommendations(horizon => '0 days');
SELECT * FROM capforecast.scaling_recommendations(lead_time => '-1 day');
