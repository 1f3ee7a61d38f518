-- A limit that is passed is passed; what is in use is never guessed upwards.
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
SELECT count(*) AS asked FROM capforecast.doctor() WHERE subject = 'infrastructure_tier' AND state <> 'done';
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
SELECT date '2025-06-01' + d, CASE WHEN d <= 0 THEN 99 + d WHEN d <= 20 THEN 105 ELSE 60 END, 0, 'backfilled' FROM generate_series(-50, 40) d;
CREATE FUNCTION pg_temp.alerts(day integer) RETURNS TABLE (day_of integer, event text, severity text) LANGUAGE sql AS
	$$ SELECT day, e.event, e.severity FROM capforecast.raise_alerts(cooldown => '1 hour', as_of => date '2025-06-01' + day + time '10:00+00') e $$;
SELECT a.* FROM generate_series(-2, 20) n CROSS JOIN LATERAL pg_temp.alerts(n) a;
SELECT limit_value, current_value, is_breach, recovered_at IS NULL AS is_open FROM capforecast.alert;
SELECT a.* FROM generate_series(21, 40) n CROSS JOIN LATERAL pg_temp.alerts(n) a;
