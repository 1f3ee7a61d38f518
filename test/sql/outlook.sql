-- When limits are reached: statuses, policies, the plan by month, what if, and alerts.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set ECHO all
SET client_min_messages = warning;
\set SHOW_CONTEXT never

-- Metrics that behave each in its own way; day 0 is the 1st of June.
CREATE FUNCTION pg_temp.watch(name text, direction text, limit_value double precision, days integer[], formula text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO capforecast.own_metric (metric, kind, direction) VALUES (name, 'stock', direction);
	EXECUTE format('INSERT INTO capforecast.metric_value (metric, day, value, limit_value)
		SELECT %L, date ''2025-06-01'' + d, %s, %L FROM unnest($1) d', name, formula, limit_value) USING days;
END $$;
CREATE FUNCTION pg_temp.days(first integer, last integer, step integer DEFAULT 1) RETURNS integer[] LANGUAGE sql AS
	$$ SELECT array_agg(d) FROM generate_series(first, last, step) d $$;
SELECT pg_temp.watch('growing',   'up',   1000, pg_temp.days(-199, 0), '800 + 4 * d + (d * 37) % 11');
SELECT pg_temp.watch('flat',      'up',   1000, pg_temp.days(-199, 0), '800');
SELECT pg_temp.watch('shrinking', 'up',   1000, pg_temp.days(-199, 0), '800 - d + (d * 37) % 5');
SELECT pg_temp.watch('over',      'up',   1000, pg_temp.days(-199, 0), '1100');
SELECT pg_temp.watch('far',       'up',   1e6,  pg_temp.days(-199, 0), '800 + d + (d * 37) % 5');
SELECT pg_temp.watch('short',     'up',   1000, pg_temp.days(-5, 0),   '800 + 4 * d');
SELECT pg_temp.watch('gaps',      'up',   1000, pg_temp.days(-199, -150) || pg_temp.days(-2, 0), '800 + 4 * d');
SELECT pg_temp.watch('stale',     'up',   1000, pg_temp.days(-199, -30), '800 + 4 * d');
SELECT pg_temp.watch('draining',  'down', 100,  pg_temp.days(-199, 0), '300 - 4 * d + (d * 37) % 11');
SELECT pg_temp.watch('unlimited', 'up',   NULL, pg_temp.days(-199, 0), '800 + 4 * d');
\set now '''2025-06-01 10:00+00'''

SELECT metric, limit_kind, status, urgency, is_binding, days_left = 0 AS is_due, ready_on, round(utilization_ratio::numeric, 3) AS utilization
FROM capforecast.capacity_outlook(as_of => :now);
SET datestyle = 'German';
SELECT metric, reason FROM capforecast.capacity_outlook(as_of => :now) WHERE metric IN ('over', 'flat', 'short', 'stale');

SET datestyle = 'ISO';

-- 200 left at 4 a day.
SELECT metric, days_left BETWEEN 45 AND 55 AS about_50_days, breach_date_earliest < breach_date AND breach_date < breach_date_latest AS in_range,
	breach_probability_30_days <= breach_probability_60_days AND breach_probability_60_days <= breach_probability_90_days AS never_falls,
	breach_probability_30_days < 0.05 AND breach_probability_90_days > 0.95 AS knows
FROM capforecast.capacity_outlook(as_of => :now) WHERE metric IN ('growing', 'draining') ORDER BY metric;

-- conservative, expected, aggressive: never later than the next.
SELECT count(*) AS rows, bool_and(c.plan_date <= e.plan_date) AND bool_and(e.plan_date <= a.plan_date) AS in_order,
	bool_and(e.plan_date IS NULL OR c.plan_date IS NOT NULL) AS earlier_is_known
FROM capforecast.capacity_outlook(policy => 'conservative', as_of => :now) c
	JOIN capforecast.capacity_outlook(policy => 'expected', as_of => :now) e USING (metric, limit_kind)
	JOIN capforecast.capacity_outlook(policy => 'aggressive', as_of => :now) a USING (metric, limit_kind);
SELECT (SELECT jsonb_agg(to_jsonb(o)) FROM capforecast.capacity_outlook(as_of => :now) o)
	= capforecast.capacity_outlook_json(as_of => :now) AS twin_is_equal, jsonb_array_length(capforecast.capacity_outlook_json(as_of => :now)) AS n;
SELECT * FROM capforecast.capacity_outlook(policy => 'hopeful');
SELECT * FROM capforecast.capacity_outlook(horizon => '-1 day', as_of => :now);

-- The infrastructure: 40 vendors of 50, 8000 products of 10000 at 50 a day.
INSERT INTO capforecast.capacity_snapshots (snapshot_date, active_vendors, total_products, total_orders_month, tier_distribution)
SELECT date '2025-06-01' + d, 40 + d / 50, 8000 + 50 * d + (d * 37) % 23, 300 + (d * 17) % 40,
	jsonb_build_object('essential', 100 - d / 2, 'professional', 50 + d / 2)
FROM generate_series(-150, 0) d;
SELECT metric, limit_name, limit_value, status, is_binding FROM capforecast.capacity_outlook(as_of => :now) WHERE limit_kind = 'infrastructure';

-- The plan is the forecast of the months' last days, bit for bit.
SELECT month, last_day, tier, monthly_cost_cents, tier_upper, currency FROM capforecast.capacity_plan('6 months', as_of => :now);
SELECT count(*) AS months,
	bool_and(p.vendors = v.predicted AND p.vendors_upper = v.upper_bound) AS vendors_agree,
	bool_and(p.products = f.predicted AND p.products_upper = f.upper_bound) AS products_agree,
	bool_and(p.storage_gb IS NULL) AS storage_is_not_known
FROM capforecast.capacity_plan('6 months', as_of => :now) p
	JOIN capforecast.forecast('vendors', 183, confidence_level => 0.80, as_of => :now) v ON v.forecast_date = p.last_day
	JOIN capforecast.forecast('products', 183, confidence_level => 0.80, as_of => :now) f ON f.forecast_date = p.last_day;
SELECT (SELECT jsonb_agg(to_jsonb(p) ORDER BY month) FROM capforecast.capacity_plan('6 months', as_of => :now) p)
	= capforecast.capacity_plan_json('6 months', as_of => :now) AS twin_is_equal;
SELECT DISTINCT reason FROM capforecast.capacity_plan('6 months', as_of => :now);
SELECT * FROM capforecast.capacity_plan('1 day');

-- Nothing changed is the forecast, bit for bit.
SELECT count(*) AS days, bool_and((w.predicted, w.lower_bound, w.upper_bound, w.baseline)
	IS NOT DISTINCT FROM (f.predicted, f.lower_bound, f.upper_bound, f.predicted)) AS is_the_forecast
FROM capforecast.what_if('products', as_of => :now) w
	JOIN capforecast.forecast('products', 90, as_of => :now) f USING (forecast_date);
-- 500 more from the 10th on; twice the growth from there; none at all.
SELECT forecast_date, predicted - baseline AS added, limit_value
FROM capforecast.what_if('products', add => 500, from_date => '2025-06-10', horizon => 10, as_of => :now) WHERE forecast_date >= '2025-06-08';
SELECT forecast_date, predicted = baseline AS same, abs((predicted - b) - 2 * (baseline - b)) < 1e-6 AS doubled
FROM (SELECT *, max(baseline) FILTER (WHERE forecast_date = '2025-06-09') OVER () AS b
	FROM capforecast.what_if('products', growth_multiplier => 2, from_date => '2025-06-10', horizon => 10, as_of => :now)) w
WHERE forecast_date >= '2025-06-09';
SELECT DISTINCT predicted FROM capforecast.what_if('products', growth_multiplier => 0, horizon => 10, as_of => :now);
SELECT min(lower_bound) >= 0 AS not_below_0 FROM capforecast.what_if('products', add => -1e6, as_of => :now);
SELECT * FROM capforecast.what_if('products', growth_multiplier => -1);
SELECT * FROM capforecast.what_if('products', add => 'NaN');
\set VERBOSITY terse
SELECT * FROM capforecast.what_if('no such metric');
\set VERBOSITY default
SELECT forecast_date, predicted, status, reason FROM capforecast.what_if('storage_gb', as_of => :now);

-- Shares of tiers add up to 1.
SELECT tier, start_count, end_count, change FROM capforecast.tier_mix(30, :now);
SELECT abs(sum(start_ratio) - 1) < 1e-12 AS start_adds_up, abs(sum(end_ratio) - 1) < 1e-12 AS end_adds_up FROM capforecast.tier_mix(30, :now);
SELECT * FROM capforecast.tier_mix(30, '2020-01-01');
