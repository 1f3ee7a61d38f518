-- A limit that is passed is passed; what is in use is never guessed upwards; a summary that fits.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set file :dir '/platform/schema.sql'
\i :file
\set ECHO all
SET client_min_messages = warning;
\set SHOW_CONTEXT never

-- A platform that has grown by one vendor a day, 99 of the 100 that size Small carries. History that was rebuilt says nothing of the size.
INSERT INTO vendors (vendor_code, name, created_at) SELECT 'v' || g, 'V' || g, now() - interval '100 days' + g * interval '1 day' FROM generate_series(1, 99) g;
SELECT count(*) > 0 AS rebuilt FROM capforecast.backfill_snapshots((now() AT TIME ZONE 'UTC')::date - 99, (now() AT TIME ZONE 'UTC')::date - 1);
SELECT count(*) AS in_use FROM capforecast.infrastructure_in_use;
-- Until a day is captured, the last one known does.
SELECT limit_name FROM capforecast.capacity_outlook() WHERE metric = 'vendors';
SELECT active_vendors FROM capforecast.capture_daily_snapshot();
SELECT tier, is_told FROM capforecast.infrastructure_in_use;
SELECT severity, subject, problem, fix FROM capforecast.doctor() WHERE subject = 'infrastructure_tier';
SELECT metric, limit_name, limit_value, urgency FROM capforecast.capacity_outlook() WHERE metric = 'vendors';
SELECT event, metric, severity FROM capforecast.raise_alerts();

-- Passed: critical everywhere, and no recovery however long it lasts.
INSERT INTO vendors (vendor_code, name) SELECT 'w' || g, 'W' || g FROM generate_series(1, 6) g;
SELECT active_vendors FROM capforecast.capture_daily_snapshot(refresh => true);
SELECT metric, limit_name, limit_value, status, urgency, is_binding, days_left FROM capforecast.capacity_outlook() WHERE metric = 'vendors';
SELECT overall_status, reasons[1], infrastructure_tier, tier_exceeded, tier_in_use, tier_in_use_is_told, tier_in_use_exceeded FROM capforecast.platform_health();
SELECT capforecast.platform_health_json() -> 'tier_in_use' AS tier_in_use;
SELECT severity, title, action = 'Order tier Medium at once: the day was ' || due_date AS at_once, monthly_cost, monthly_cost_cents, currency
FROM capforecast.scaling_recommendations() WHERE rule = 'infrastructure_upgrade';
SELECT DISTINCT tier_in_use, tier_in_use_is_told, tier_in_use_exceeded, tier <> tier_in_use AS needs_another FROM capforecast.capacity_plan('60 days');
SELECT event, metric, severity FROM capforecast.raise_alerts(cooldown => '0');
SELECT event, metric, severity FROM capforecast.raise_alerts(cooldown => '0');
SELECT metric, severity, is_breach, limit_value, recovered_at IS NULL AS is_open FROM capforecast.alert;
SELECT what, used, "of", percent, advice FROM capforecast.capacity_summary() WHERE what = 'vendors';
SELECT severity, problem, fix FROM capforecast.doctor() WHERE subject = 'infrastructure_tier';

-- The operator tells that it has grown: then it has.
SELECT capforecast.use_infrastructure_tier('Medium');
SELECT metric, limit_name, limit_value, status FROM capforecast.capacity_outlook() WHERE metric = 'vendors';
SELECT overall_status, tier_in_use, tier_in_use_is_told, tier_in_use_exceeded FROM capforecast.platform_health();
SELECT count(*) AS asked FROM capforecast.doctor() WHERE subject = 'infrastructure_tier';
SELECT event, metric, severity FROM capforecast.raise_alerts(cooldown => '0');
-- Not told: the first captured day, not the present one.
SELECT capforecast.use_infrastructure_tier(NULL);
INSERT INTO capforecast.capacity_snapshots (snapshot_date, active_vendors, total_products, captured_at)
SELECT (now() AT TIME ZONE 'UTC')::date - 99 - n, 40, 0, now() - interval '99 days' FROM generate_series(1, 2) n;
SELECT (u.tier).name, u.is_told FROM capforecast._tier_in_use('{"vendors": 400}') u;
-- A size that is not in the list any more is not one.
INSERT INTO capforecast.infrastructure_in_use (tier) VALUES ('Gone');
SELECT (u.tier).name, u.is_told FROM capforecast._tier_in_use('{"vendors": 400}') u;
DELETE FROM capforecast.infrastructure_in_use;
-- What a dump brings back settles nothing.
UPDATE capforecast.capacity_snapshots SET active_vendors = active_vendors;
SELECT count(*) AS in_use FROM capforecast.infrastructure_in_use;

-- Who may capture, but not write the size, captures all the same.
BEGIN;
DELETE FROM capforecast.infrastructure_in_use;
CREATE ROLE counter;
GRANT USAGE ON SCHEMA capforecast, public TO counter;
GRANT SELECT ON ALL TABLES IN SCHEMA capforecast, public TO counter;
GRANT INSERT ON capforecast.capacity_snapshots TO counter;
SET ROLE counter;
INSERT INTO capforecast.capacity_snapshots (snapshot_date, active_vendors, total_products) VALUES ('2025-01-01', 1, 1);
RESET ROLE;
SELECT count(*) AS in_use FROM capforecast.infrastructure_in_use;
ROLLBACK;

-- Where only rebuilt days are known, the guess may grow, and the alert does not end by it.
DELETE FROM capforecast.capacity_snapshots;
DELETE FROM capforecast.alert;
INSERT INTO capforecast.capacity_snapshots (snapshot_date, active_vendors, total_products, source)
SELECT date '2025-06-01' + d, CASE WHEN d <= 0 THEN 100 + d WHEN d <= 20 THEN 105 ELSE 60 END, 0, 'backfilled' FROM generate_series(-50, 40) d;
CREATE FUNCTION pg_temp.alerts(day integer) RETURNS TABLE (day_of integer, event text, severity text) LANGUAGE sql AS
	$$ SELECT day, e.event, e.severity FROM capforecast.raise_alerts(cooldown => '1 hour', as_of => date '2025-06-01' + day + time '10:00+00') e $$;
SELECT a.* FROM generate_series(-2, 20) n CROSS JOIN LATERAL pg_temp.alerts(n) a;
SELECT limit_value, current_value, is_breach, recovered_at IS NULL AS is_open FROM capforecast.alert;
SELECT a.* FROM generate_series(21, 40) n CROSS JOIN LATERAL pg_temp.alerts(n) a;

-- ---------- a summary of any platform fits 100 columns, ten lines

\set file :dir '/platform/fresh.sql'
\set ECHO none
\i :file
\set ECHO all
SET client_min_messages = warning;
\set now '''2025-06-01 10:00+00'''
SELECT * FROM capforecast.capacity_summary(:now);
SELECT capforecast.capacity_summary_json(:now);
INSERT INTO capforecast.own_metric (metric, kind, direction) SELECT 'm' || n || repeat('x', 30), 'stock', 'up' FROM generate_series(1, 12) n;
INSERT INTO capforecast.metric_value (metric, day, value, limit_value)
SELECT 'm' || n || repeat('x', 30), date '2025-06-01' + d, 10 ^ n * (800 + 2 * d + (d * 37) % 11), 10 ^ n * 1000
FROM generate_series(1, 12) n, generate_series(CASE WHEN n = 12 THEN -2 ELSE -199 END, 0) d;
SELECT * FROM capforecast.capacity_summary(:now);
SELECT max(greatest(length(what), 4) + greatest(length(used), 4) + greatest(length("of"), 2) + 7 + 10 + greatest(length(range), 5) + length(advice) + 20) <= 100 AS fits
FROM capforecast.capacity_summary(:now);
SELECT jsonb_array_length(capforecast.capacity_summary_json(:now)) AS limits,
	capforecast.capacity_summary_json(:now) -> 0 ->> 'percent' AS unrounded;
DELETE FROM capforecast.own_metric WHERE metric !~ '^m1?[1-9]x' OR metric ~ '^m1[12]x';
SELECT count(*) FROM capforecast.capacity_summary(:now);
SELECT n, capforecast._short_number(n) FROM unnest('{0,0.04,9.96,99.94,99.95,9999.4,9999.5,99940,99950,999499,999500,99940000,99950000,999499999,999500000,99940000000,1e11,-12345}'::double precision[]) n;
SELECT capforecast._days_in_words('2025-06-02', '2025-06-02', '2025-06-01') AS one, capforecast._days_in_words('2025-06-02', '2025-07-01', '2025-06-01') AS two,
	capforecast._days_in_words('2025-06-02', NULL, '2025-06-01') AS open, capforecast._days_in_words(NULL, '2025-06-02', '2025-06-01') AS none;
DELETE FROM capforecast.own_metric;
INSERT INTO capforecast.own_metric (metric, kind, direction) SELECT unnest('{soon,late,new,still,quiet,full,old}'::text[]), 'stock', 'up';
INSERT INTO capforecast.metric_value (metric, day, value, limit_value)
SELECT v.metric, date '2025-06-01' + d, v.top + v.pace * (d - v.last), 1000
FROM (VALUES ('soon', 990, 4, -30, 0), ('late', 700, 3, -199, 0), ('new', 3, 1, -2, 0), ('still', 950, 0, -30, 0), ('quiet', 100, 0, -30, 0), ('full', 1100, 0, -30, 0), ('old', 500, 1, -90, -60)) v(metric, top, pace, first, last)
	CROSS JOIN LATERAL generate_series(v.first, v.last) d;
SELECT what, used, "of", percent, full_on, range, advice FROM capforecast.capacity_summary(:now);
UPDATE capforecast.policy SET value = '120' WHERE name = 'lead_time_days';
SELECT what, advice FROM capforecast.capacity_summary(:now) WHERE what = 'late';
DELETE FROM capforecast.policy WHERE name = 'lead_time_days';

-- ---------- what if: no number where there is no forecast, and the day on which the limit is reached then

SELECT count(*) AS rows, count(predicted) AS predicted, count(lower_bound) AS lower, count(upper_bound) AS upper, count(utilization_ratio) AS ratio, min(status::text) AS status
FROM capforecast.what_if('new', add => 20, as_of => :now);
SELECT count(predicted) AS predicted FROM capforecast.what_if('new', growth_multiplier => 2, as_of => :now);
-- 300 left at 3 a day: 100 days.
CREATE FUNCTION pg_temp.date_if(add double precision DEFAULT 0, growth double precision DEFAULT 1, from_date date DEFAULT NULL, metric text DEFAULT 'late') RETURNS text LANGUAGE sql AS
	$$ SELECT string_agg(DISTINCT concat_ws(' ', w.breach_date - date '2025-06-01', w.breach_date_earliest - date '2025-06-01', w.breach_date_latest - date '2025-06-01'), '; ')
	   FROM capforecast.what_if(metric, add => add, growth_multiplier => growth, from_date => from_date, as_of => '2025-06-01 10:00+00') w $$;
SELECT pg_temp.date_if() AS as_it_goes, (SELECT concat_ws(' ', breach_date - date '2025-06-01', breach_date_earliest - date '2025-06-01', breach_date_latest - date '2025-06-01')
	FROM capforecast.time_to_threshold('late', 1000, as_of => :now)) AS as_time_to_threshold;
SELECT pg_temp.date_if(add => 150) AS half_way, pg_temp.date_if(growth => 2) AS twice_as_fast, pg_temp.date_if(growth => 0) AS never, pg_temp.date_if(add => 300) AS at_once,
	pg_temp.date_if(add => -300) AS later;
SELECT pg_temp.date_if(add => 150, from_date => '2025-06-11') AS from_day_10, pg_temp.date_if(add => 300, from_date => '2025-06-11') AS on_day_10,
	pg_temp.date_if(add => 300, from_date => '2025-12-01') AS too_late, pg_temp.date_if(growth => 0, add => 300, from_date => '2025-06-11') AS stands_still_full;
SELECT pg_temp.date_if(add => -200, metric => 'full') AS room_again, pg_temp.date_if(add => -200, from_date => '2025-06-11', metric => 'full') AS is_full_until, pg_temp.date_if(metric => 'full') AS is_full;

-- ---------- who drives the growth: rebuilt days count

INSERT INTO capforecast.vendor_usage (vendor_id, first_day, products_at, orders_at, team_members_at, products, orders, team_members) VALUES
	('1', '2025-05-01', '{0,10}', '{}', '{}', '{10,12}', '{}', '{}'), ('2', '2025-05-20', '{0,3}', '{}', '{}', '{1,5}', '{}', '{}');
SELECT vendor_id, start_value, end_value, contribution, share_ratio, start_date, end_date FROM capforecast.growth_contributors('products', 25, '2025-05-30 12:00+00');
SELECT count(*) FROM capforecast.growth_contributors('orders', 25, '2025-05-30 12:00+00');
INSERT INTO capforecast.vendor_usage (vendor_id, first_day, products_at, orders_at, team_members_at, products, orders, team_members) VALUES
	('1', '2025-05-28', '{0}', '{0}', '{0}', '{12}', '{3}', '{1}'), ('2', '2025-05-28', '{0}', '{0,1}', '{0}', '{5}', '{1,4}', '{2}');
INSERT INTO capforecast.metric_value (metric, day, value) VALUES ('limited_team_members', '2025-05-28', 3), ('limited_team_members', '2025-05-30', 3);
-- what was not counted on the first of them is not zero: the window begins where orders are known
SELECT vendor_id, start_value, end_value, start_date, end_date FROM capforecast.growth_contributors('orders', 25, '2025-05-30 12:00+00');
SELECT vendor_id, start_value, end_value, start_date, end_date FROM capforecast.growth_contributors('products', 25, '2025-05-30 12:00+00');
SELECT * FROM capforecast.growth_contributors('products', 5, '2025-05-01 12:00+00');
