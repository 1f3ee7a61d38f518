-- The reads of the planning room: in a read-only transaction, by a role that may only read.
BEGIN;
SELECT plan(15);
SET client_min_messages = warning;
CREATE ROLE planner;
GRANT USAGE ON SCHEMA capforecast, public TO planner;
GRANT SELECT ON ALL TABLES IN SCHEMA capforecast, public TO planner;
REVOKE SELECT ON capforecast._metric_query FROM planner;
INSERT INTO vendors (id, vendor_code, name) VALUES (1, 'V1', 'One');
INSERT INTO vendor_subscriptions (vendor_id, tier, status, period_start, period_end) VALUES (1, 'essential', 'active', now(), now() + interval '1 month');
SELECT capforecast.capture_daily_snapshot();
SELECT capforecast.add_metric('seats', 'SELECT 12', limit_value => 10);
SELECT capforecast.capture_metrics();
SELECT capforecast.capture_vendor_usage();
SELECT capforecast.look_at_vendors();
SET TRANSACTION READ ONLY;
SET ROLE planner;

SELECT results_eq($$SELECT metric, status::text, urgency FROM capforecast.capacity_outlook() WHERE limit_kind = 'own'$$,
	$$VALUES ('seats', 'already_breached', 'critical')$$, 'capacity_outlook');
SELECT isnt_empty('SELECT * FROM capforecast.capacity_plan()', 'capacity_plan');
SELECT is(jsonb_array_length(capforecast.capacity_plan_json()), 12, 'capacity_plan_json');
SELECT isnt_empty($$SELECT * FROM capforecast.what_if('vendors')$$, 'what_if');
SELECT isnt_empty('SELECT * FROM capforecast.tier_mix()', 'tier_mix');
SELECT lives_ok('SELECT * FROM capforecast.vendor_outlook()', 'vendor_outlook');
SELECT lives_ok('SELECT capforecast.vendor_outlook_json()', 'vendor_outlook_json');
SELECT lives_ok($$SELECT * FROM capforecast.growth_contributors('products')$$, 'growth_contributors');
SELECT isnt_empty($$SELECT * FROM capforecast.scaling_recommendations() WHERE rule = 'limit_reached'$$, 'scaling_recommendations');
SELECT lives_ok('SELECT * FROM capforecast.growth_trends()', 'growth_trends');
SELECT isnt_empty($$SELECT * FROM capforecast.metric_history WHERE metric = 'seats'$$, 'metric_history');

SELECT throws_ok('SELECT * FROM capforecast._metric_query', '42501', NULL, 'not the queries of own metrics');
SELECT throws_ok('SELECT * FROM capforecast.raise_alerts()', '42501', NULL, 'no alerts');
SELECT throws_ok($$SELECT capforecast.add_metric('x', 'SELECT 1')$$, '42501', NULL, 'no metrics');
SELECT throws_ok($$SELECT * FROM capforecast.backfill_snapshots('2025-01-01')$$, '42501', NULL, 'no history');
SELECT * FROM finish();
ROLLBACK;
