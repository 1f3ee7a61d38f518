-- The numbers that decide what an operator is told: the value on either side of each edge.
BEGIN;
SELECT plan(76);
SET client_min_messages = warning;
SET datestyle = 'German';

-- ---------- policy

SELECT is((SELECT jsonb_object_agg(name, value) FROM capforecast.policy), '{
	"critical_days": "7", "warning_days": "30", "watch_days": "90", "watch_ratio": "0.9", "calm_days": "45", "calm_ratio": "0.98",
	"alert_horizon_days": "120", "alert_cooldown_hours": "24", "health_warning_percent": "80", "health_critical_percent": "95",
	"recommend_days": "90", "lead_time_days": "14", "tier_mix_days": "30", "tier_mix_ratio": "0.05", "vendor_days": "30", "vendor_chance": "0.5",
	"vendor_list_days": "2"}'::jsonb, 'the defaults');
SELECT is((SELECT jsonb_object_agg(key, value::text) FROM jsonb_each(to_jsonb(capforecast._planning_now()))),
	(SELECT jsonb_object_agg(name, value) FROM capforecast.policy), 'each is read, and no other');
SELECT is((SELECT count(*) FROM capforecast.policy WHERE about = '' OR unit = ''), 0::bigint, 'each says what it is');
SELECT results_eq('SELECT lowest, highest, string_agg(name, '' '' ORDER BY name) FROM capforecast._default_policy() GROUP BY 1, 2 ORDER BY 1, 2',
	$$VALUES (0::double precision, 1::double precision, 'calm_ratio tier_mix_ratio watch_ratio'),
		(0, 366, 'lead_time_days vendor_list_days'), (0, 1000, 'health_critical_percent health_warning_percent'),
		(0, 3650, 'calm_days critical_days warning_days watch_days'), (0, 8760, 'alert_cooldown_hours'),
		(0.01, 1, 'vendor_chance'), (1, 366, 'recommend_days vendor_days'), (1, 3650, 'alert_horizon_days'), (1, 36500, 'tier_mix_days')$$, 'between what each must lie');
SELECT throws_ok($$UPDATE capforecast.policy SET value = 'soon' WHERE name = 'critical_days'$$, '22023', 'policy critical_days must be a number', 'a word');
SELECT throws_ok($$UPDATE capforecast.policy SET value = '7 days' WHERE name = 'critical_days'$$, '22023', NULL, 'a unit');
SELECT throws_ok($$UPDATE capforecast.policy SET value = NULL WHERE name = 'critical_days'$$, '22023', NULL, 'nothing');
SELECT throws_ok($$UPDATE capforecast.policy SET value = '1.01' WHERE name = 'watch_ratio'$$, '22023', 'policy watch_ratio must be between 0 and 1', 'above');
SELECT lives_ok($$UPDATE capforecast.policy SET value = '1' WHERE name = 'watch_ratio'$$, 'at the bound');
SELECT throws_ok($$UPDATE capforecast.policy SET value = '-1' WHERE name = 'lead_time_days'$$, '22023', NULL, 'below');
SELECT lives_ok($$UPDATE capforecast.policy SET value = '0' WHERE name = 'lead_time_days'$$, 'at the other bound');
SELECT throws_ok($$INSERT INTO capforecast.policy (name, value) VALUES ('no_such', '1')$$, '22023', 'there is no policy "no_such"', 'a name that is none');
SELECT throws_ok($$UPDATE capforecast.policy SET about = 'x' WHERE name = 'lead_time_days'$$, '22023', NULL, 'only the value');
SELECT throws_ok($$UPDATE capforecast.policy SET value = '31' WHERE name = 'critical_days'$$, '22023',
	'policy critical_days must not be larger than warning_days', 'what is critical is not wider than what is a warning');
SELECT lives_ok($$UPDATE capforecast.policy SET value = '30' WHERE name = 'critical_days'$$, 'as wide, it may');
SELECT throws_ok($$UPDATE capforecast.policy SET value = '46' WHERE name = 'warning_days'$$, '22023', NULL, 'a warning is not wider than the calm');
SELECT throws_ok($$UPDATE capforecast.policy SET value = '44' WHERE name = 'alert_horizon_days'$$, '22023', NULL, 'alerts look as far as the calm reaches');
SELECT throws_ok($$UPDATE capforecast.policy SET value = '96' WHERE name = 'health_warning_percent'$$, '22023', NULL, 'health warns before it is critical');
SELECT throws_ok($$UPDATE capforecast.policy SET value = '29' WHERE name = 'watch_days'$$, '22023', NULL, 'what is watched is wider than a warning');
INSERT INTO capforecast.policy (name, value) VALUES ('vendor_days', '31');
SELECT results_eq('SELECT name, value FROM capforecast.policy_change ORDER BY 1', $$VALUES ('critical_days', '30'), ('lead_time_days', '0'), ('vendor_days', '31'), ('watch_ratio', '1')$$,
	'what was changed, and nothing else');
UPDATE capforecast.policy SET value = '30' WHERE name = 'vendor_days';
UPDATE capforecast.policy SET value = value;
SELECT results_eq('SELECT name FROM capforecast.policy_change ORDER BY 1', $$VALUES ('critical_days'), ('lead_time_days'), ('watch_ratio')$$, 'a default given back is none');
DELETE FROM capforecast.policy;
SELECT is_empty('SELECT * FROM capforecast.policy_change', 'deleted, the defaults are back');

-- ---------- urgency

CREATE FUNCTION pg_temp.urgency(status capforecast.forecast_status, days_left integer, ratio double precision) RETURNS text LANGUAGE sql AS
	$$ SELECT capforecast._urgency(capforecast._planning_now(), status, days_left, ratio) $$;
SELECT results_eq(
	$$SELECT d, pg_temp.urgency('ok', d, 0.5) FROM unnest('{0,7,8,30,31,90,91,NULL}'::integer[]) WITH ORDINALITY AS x(d, n) ORDER BY n$$,
	$$VALUES (0, 'critical'), (7, 'critical'), (8, 'warning'), (30, 'warning'), (31, 'watch'), (90, 'watch'), (91, 'none'), (NULL, 'none')$$,
	'urgency by days left');
SELECT results_eq(
	$$SELECT r, pg_temp.urgency('beyond_horizon', NULL, r) FROM unnest('{0.8999,0.9,1.5}'::double precision[]) r$$,
	$$VALUES (0.8999::double precision, 'none'), (0.9, 'watch'), (1.5, 'watch')$$, 'by what is used');
SELECT results_eq(
	$$SELECT s::text, pg_temp.urgency(s, NULL, 0.95) FROM unnest(enum_range(NULL::capforecast.forecast_status)) s$$,
	$$VALUES ('ok', 'watch'), ('already_breached', 'critical'), ('no_growth', 'watch'), ('shrinking', 'watch'), ('beyond_horizon', 'watch'),
		('insufficient_history', 'unknown'), ('insufficient_coverage', 'unknown'), ('stale', 'unknown'), ('no_limit', 'watch'), ('unreliable', 'unknown')$$,
	'by status');
SELECT results_eq(
	$$SELECT d, pg_temp.urgency('unreliable', d, 0.5) FROM unnest('{7,8,30,31}'::integer[]) d$$,
	$$VALUES (7, 'critical'), (8, 'warning'), (30, 'warning'), (31, 'unknown')$$, 'what is too little known can be urgent all the same');

-- ---------- days

SELECT results_eq(
	$$SELECT capforecast._days_until(day, '2025-06-10') FROM unnest('{2025-06-08,2025-06-09,2025-06-10,2025-06-11,NULL}'::date[]) WITH ORDINALITY AS x(day, n) ORDER BY n$$,
	$$VALUES (0), (0), (0), (1), (NULL)$$, 'days from today');
SELECT results_eq(
	$$SELECT s::text, p, capforecast._plan_date(p, s, '2025-07-01', '2025-08-01', '2025-09-01', '2025-06-10')
	  FROM unnest('{ok,beyond_horizon,already_breached,unreliable,no_growth}'::capforecast.forecast_status[]) WITH ORDINALITY AS x(s, n),
		unnest('{conservative,expected,aggressive}'::text[]) WITH ORDINALITY AS y(p, m) ORDER BY n, m$$,
	$$VALUES ('ok', 'conservative', '2025-07-01'::date), ('ok', 'expected', '2025-08-01'), ('ok', 'aggressive', '2025-09-01'),
		('beyond_horizon', 'conservative', '2025-07-01'), ('beyond_horizon', 'expected', '2025-08-01'), ('beyond_horizon', 'aggressive', '2025-09-01'),
		('already_breached', 'conservative', '2025-08-01'), ('already_breached', 'expected', '2025-08-01'), ('already_breached', 'aggressive', '2025-08-01'),
		('unreliable', 'conservative', NULL), ('unreliable', 'expected', NULL), ('unreliable', 'aggressive', NULL),
		('no_growth', 'conservative', NULL), ('no_growth', 'expected', NULL), ('no_growth', 'aggressive', NULL)$$, 'the date to plan with');
SELECT is(capforecast._plan_date('expected', 'already_breached', NULL, NULL, NULL, '2025-06-10'), '2025-06-10'::date, 'reached before anything was known: today');
SELECT results_eq(
	$$SELECT p, capforecast._period_days('x', p, '2025-01-31 12:00+00', 1, 366)
	  FROM unnest('{1 day,12 hours,1 month,366 days}'::interval[]) WITH ORDINALITY AS x(p, n) ORDER BY n$$,
	$$VALUES ('1 day'::interval, 1), ('12 hours', 1), ('1 month', 28), ('366 days', 366)$$, 'a period in days of the calendar');
SELECT throws_ok($$SELECT capforecast._period_days('x', '11 hours', '2025-01-31 12:00+00', 1, 366)$$, '22023', 'x must be between 1 and 366 days', 'too short');
SELECT throws_ok($$SELECT capforecast._period_days('x', '367 days', '2025-01-31 12:00+00', 1, 366)$$, '22023', 'x must be between 1 and 366 days', 'too long');
SELECT is(capforecast._period_days('x', '0', '2025-01-31 12:00+00', -1, 366), 0, 'none, where none will do');
SELECT throws_ok($$SELECT capforecast._period_days('x', '-1 hour', '2025-01-31 12:00+00', -1, 366)$$, '22023', 'x must be between 0 and 366 days', 'but not less');

SELECT results_eq($$SELECT metric, snapshots_available, (SELECT count(*)::integer FROM jsonb_object_keys(jsonb_strip_nulls(to_jsonb(t)))) FROM capforecast._growth_trends(30, '2020-01-01') t ORDER BY 1$$,
	$$VALUES ('orders', 0::bigint, 2), ('products', 0, 2), ('storage_gb', 0, 2), ('team_members', 0, 2), ('vendors', 0, 2)$$, 'without snapshots nothing is known');

-- ---------- when to order

CREATE FUNCTION pg_temp.limit_row(status text, breach date, used double precision DEFAULT 50, "limit" double precision DEFAULT 100, is_guessed boolean DEFAULT false)
	RETURNS capforecast._limit_forecast LANGUAGE sql AS
	$$ SELECT jsonb_populate_record(NULL::capforecast._limit_forecast, jsonb_build_object('metric', 'seats', 'limit_kind', 'own', 'limit_name', 'its own limit',
		'direction', 'up', 'status', status, 'breach_date', breach, 'current_value', used, 'limit_value', "limit", 'utilization_ratio', used / "limit",
		'is_guessed', is_guessed)) $$;
SELECT results_eq(
	$$SELECT n, d.day - date '2025-06-10', d.severity, d.by_when
	  FROM unnest('{7,8,14,15,44,45}'::integer[]) n,
		capforecast._due_of(pg_temp.limit_row('ok', date '2025-06-10' + n), capforecast._planning_now(), 14, '2025-06-10') d$$,
	$$VALUES (7, -7, 'critical', 'at once: the day was 2025-06-03'), (8, -6, 'warning', 'at once: the day was 2025-06-04'),
		(14, 0, 'warning', 'at once: the day was 2025-06-10'), (15, 1, 'warning', 'by 2025-06-11'),
		(44, 30, 'warning', 'by 2025-07-10'), (45, 31, 'info', 'by 2025-07-11')$$, 'days until it is reached, lead time 14 days');
SELECT results_eq(
	$$SELECT d.day, d.severity, d.by_when FROM unnest('{2025-05-20,NULL}'::date[]) WITH ORDINALITY AS x(since, n),
		capforecast._due_of(pg_temp.limit_row('already_breached', since), capforecast._planning_now(), 14, '2025-06-10') d ORDER BY n$$,
	$$VALUES ('2025-05-06'::date, 'critical', 'at once: the day was 2025-05-06'), ('2025-06-10', 'critical', 'at once')$$, 'what is reached');

-- ---------- alerts

SELECT results_eq(
	$$SELECT n, l.is_calm FROM unnest('{45,46,NULL}'::integer[]) WITH ORDINALITY AS x(n, o),
		capforecast._alert_level_of(pg_temp.limit_row('ok', date '2025-06-10' + n), 'expected', capforecast._planning_now(), '2025-06-10') l ORDER BY o$$,
	$$VALUES (45, false), (46, true), (NULL, true)$$, 'calm: no date within 45 days');
SELECT results_eq(
	$$SELECT s::text, l.is_calm, l.is_reached FROM unnest(enum_range(NULL::capforecast.forecast_status)) s,
		capforecast._alert_level_of(pg_temp.limit_row(s::text, NULL), 'expected', capforecast._planning_now(), '2025-06-10') l$$,
	$$VALUES ('ok', true, false), ('already_breached', false, true), ('no_growth', true, false), ('shrinking', true, false), ('beyond_horizon', true, false),
		('insufficient_history', false, false), ('insufficient_coverage', false, false), ('stale', false, false), ('no_limit', false, false), ('unreliable', false, false)$$,
	'what is not known is not calm');
SELECT results_eq(
	$$SELECT v.used, v."limit", v.is_guessed, capforecast._is_held(l, 100, capforecast._planning_now())
	  FROM (VALUES (1, 98, 100, true), (2, 98, 101, true), (3, 97.9, 101, true), (4, 105, 300, true), (5, 105, 300, false), (6, NULL, 300, true)) v(n, used, "limit", is_guessed),
		capforecast._alert_level_of(pg_temp.limit_row('no_growth', NULL, v.used, v."limit", v.is_guessed), 'expected', capforecast._planning_now(), '2025-06-10') l
	  ORDER BY v.n$$,
	$$VALUES (98.0, 100, true, false), (98, 101, true, true), (97.9, 101, true, false), (105, 300, true, true), (105, 300, false, false), (NULL, 300, true, false)$$,
	'an alert at 100 is held where a guess has raised the limit, and use is not below 98');
-- What follows from one day of an alert: used, and whether the limit was measured as reached.
CREATE FUNCTION pg_temp.day_of(days integer, used double precision, status text DEFAULT 'ok', breach_in integer DEFAULT 100, wait interval DEFAULT '1 day') RETURNS text LANGUAGE sql AS
	$$ SELECT event FROM capforecast._alert_level_of(pg_temp.limit_row(status, date '2025-06-10' + days + breach_in, used), 'expected', capforecast._planning_now(), date '2025-06-10' + days) l,
		capforecast._follow_limit(l, capforecast._planning_now(), wait, date '2025-06-10' + days + time '00:00+00') $$;
SELECT results_eq($$SELECT pg_temp.day_of(0, 90, breach_in => 31), pg_temp.day_of(0, 90, breach_in => 30), pg_temp.day_of(0, 90, breach_in => 8), pg_temp.day_of(0, 90, breach_in => 7),
	pg_temp.day_of(0, 90, breach_in => 7)$$, $$VALUES (NULL, 'new', NULL, 'escalated', NULL)$$, 'new, escalated, each said once');
SELECT results_eq($$SELECT pg_temp.day_of(1, 90, breach_in => 46), pg_temp.day_of(1, 90, breach_in => 45), pg_temp.day_of(2, 90, breach_in => 46), pg_temp.day_of(2, 90, breach_in => 46),
	pg_temp.day_of(3, 90, breach_in => 46)$$, $$VALUES (NULL, NULL, NULL, NULL, 'recovered')$$, 'calm for the whole cooldown; one day that is not begins it anew');
SELECT results_eq($$SELECT pg_temp.day_of(3, 90, breach_in => 7), pg_temp.day_of(4, 90, breach_in => 7)$$, $$VALUES (NULL, 'new')$$, 'not anew within the cooldown');
SELECT results_eq($$SELECT pg_temp.day_of(5, 100, 'already_breached', 0), pg_temp.day_of(6, 98), pg_temp.day_of(8, 98), pg_temp.day_of(9, 97.9), pg_temp.day_of(9, 97.9, 'stale'), pg_temp.day_of(10, 97.9)$$,
	$$VALUES (NULL, NULL, NULL, NULL, NULL, 'recovered')$$, 'what was reached is over below 98 %; what is not known neither ends nor begins the calm');
SELECT results_eq($$SELECT pg_temp.day_of(10, 100, 'already_breached', 0)$$, $$VALUES ('new')$$, 'what is reached does not wait');

INSERT INTO capforecast.own_metric (metric, kind, direction) VALUES ('quiet', 'stock', 'up');
INSERT INTO capforecast.metric_value (metric, day, value, limit_value) SELECT 'quiet', date '2025-06-10' - n, 10, 100 FROM generate_series(0, 30) n;
INSERT INTO capforecast.alert (metric, limit_kind, severity, opened_at, calm_since, is_breach, reason)
VALUES ('quiet', 'own', 'warning', '2025-06-01', '2025-06-09 12:00+00', false, 'x');
SELECT is_empty($$SELECT * FROM capforecast.raise_alerts(as_of => '2025-06-10 11:59:59+00') WHERE metric = 'quiet'$$, 'calm for a second less than the cooldown of policy');
SELECT results_eq($$SELECT event FROM capforecast.raise_alerts(as_of => '2025-06-10 12:00+00') WHERE metric = 'quiet'$$, $$VALUES ('recovered')$$, 'and for all of it');
DELETE FROM capforecast.own_metric;
DELETE FROM capforecast.metric_value;

-- ---------- growth: 100 to 110 by 1 a day, and a day that is not known

INSERT INTO capforecast.capacity_snapshots (snapshot_date, active_vendors)
SELECT date '2025-06-10' - 10 + n, CASE WHEN n <> 5 THEN 100 + n END FROM generate_series(0, 10) n;
SELECT results_eq($$SELECT g.slope_per_day, round(g.cagr_ratio::numeric, 6), round(g.doubling_days::numeric, 6), round(g.acceleration::numeric, 6)
	  FROM capforecast.growth_trends(30, '2025-06-10 12:00+00') g WHERE g.metric = 'vendors'$$,
	$$SELECT 1::double precision, round(power(1.1, 36.525) - 1, 6), round(10 * ln(2.0) / ln(1.1), 6), 0.000000::numeric$$, 'slope, yearly growth, doubling, acceleration');
SELECT is_empty($$SELECT * FROM capforecast._growth_slopes('2025-06-10', '2025-06-10')$$, 'one day has no slope');
SELECT is((SELECT count(*) FROM capforecast._growth_slopes('2025-06-09', '2025-06-10')), 5::bigint, 'two have');
DELETE FROM capforecast.capacity_snapshots;

-- ---------- health

CREATE FUNCTION pg_temp.reasons(usage jsonb, products_percent double precision DEFAULT NULL) RETURNS SETOF text LANGUAGE sql AS
	$$ SELECT r.severity || ': ' || r.reason
	   FROM capforecast.infrastructure_tiers t, capforecast._health_reasons(
			jsonb_populate_record(NULL::capforecast._health, jsonb_build_object('usage', usage, 'products_utilization_percent', products_percent)),
			ROW(t.*)::capforecast._infrastructure_tier, capforecast._planning_now()) r
	   WHERE t.name = 'Small' ORDER BY 1 $$;
SELECT results_eq($$SELECT n, r FROM unnest('{79,80,94,95,100,105}'::integer[]) n LEFT JOIN LATERAL pg_temp.reasons(jsonb_build_object('vendors', n)) r ON true$$,
	$$VALUES (79, NULL), (80, 'warning: vendors at 80.0% of the maximum of infrastructure tier Small'),
		(94, 'warning: vendors at 94.0% of the maximum of infrastructure tier Small'), (95, 'critical: vendors at 95.0% of the maximum of infrastructure tier Small'),
		(100, 'critical: vendors at 100.0% of the maximum of infrastructure tier Small'), (105, 'critical: vendors at 105.0% of the maximum of infrastructure tier Small')$$,
	'shares of the maxima of the size in use');
SELECT results_eq($$SELECT n, r FROM unnest('{79.99,80,94.99,95}'::double precision[]) n LEFT JOIN LATERAL pg_temp.reasons('{}', n) r ON true$$,
	$$VALUES (79.99::double precision, NULL), (80, 'warning: products at 80.0% of the theoretical limit'), (94.99, 'warning: products at 95.0% of the theoretical limit'),
		(95, 'critical: products at 95.0% of the theoretical limit')$$, 'and of what subscriptions allow');

-- ---------- sizes of infrastructure: the first that carries all

SELECT results_eq(
	$$SELECT (f.tier).name, f.is_exceeded FROM (VALUES (1, jsonb '{}'), (2, '{"vendors": 50}'), (3, '{"vendors": 51}'), (4, '{"vendors": 50, "products": 10000}'),
		(5, '{"vendors": 50, "products": 10001}'), (6, '{"vendors": 1000}'), (7, '{"vendors": 1001}'), (8, '{"products": 500001}'), (9, '{"storage_gb": 1e9}'))
		AS u(n, usage), capforecast._tier_for(u.usage) f ORDER BY n$$,
	$$VALUES ('Starter', false), ('Starter', false), ('Small', false), ('Starter', false), ('Small', false), ('Scale', false), ('Enterprise', false), ('Enterprise', false), ('Starter', false)$$,
	'at the maximum it still fits');
SELECT results_eq('SELECT * FROM capforecast._default_infrastructure_tiers()', $$VALUES
	(1, 'Starter', 50::bigint, 10000::bigint, NULL::bigint, NULL::bigint, NULL::bigint, 3000::bigint, 'EUR'::char(3)), (2, 'Small', 100, 30000, NULL, NULL, NULL, 8000, 'EUR'),
	(3, 'Medium', 300, 100000, NULL, NULL, NULL, 15000, 'EUR'), (4, 'Large', 500, 250000, NULL, NULL, NULL, 35000, 'EUR'),
	(5, 'Scale', 1000, 500000, NULL, NULL, NULL, 70000, 'EUR'), (6, 'Enterprise', NULL, NULL, NULL, NULL, NULL, 150000, 'EUR')$$, 'the list that a platform begins with');
SAVEPOINT sizes;
SELECT throws_ok(format('INSERT INTO capforecast.infrastructure_tiers (name, %I, monthly_cost_cents) VALUES (''X'', %s, %s)', c, v, m), '23514', NULL, format('%s %s at %s', c, v, m))
FROM (VALUES ('max_vendors', 0, 1), ('max_products', 0, 1), ('max_orders_month', 0, 1), ('max_db_size_mb', 0, 1), ('max_storage_gb', 0, 1), ('max_vendors', 1, -1)) x(c, v, m);
SELECT lives_ok($$INSERT INTO capforecast.infrastructure_tiers (name, max_vendors, max_products, max_orders_month, max_db_size_mb, max_storage_gb, monthly_cost_cents)
	VALUES ('X', 1, 1, 1, 1, 1, 0)$$, 'maxima of 1, and no cost');
SELECT throws_ok($$INSERT INTO capforecast.infrastructure_tiers (name, monthly_cost_cents) VALUES ('', 1)$$, '23514', NULL, 'no name');
SELECT results_eq($$SELECT position, currency::text FROM capforecast.infrastructure_tiers WHERE name = 'X'$$, $$VALUES (7, 'EUR')$$, 'after the others');
ROLLBACK TO sizes;
UPDATE capforecast.infrastructure_tiers SET max_vendors = 2000, max_storage_gb = 10 WHERE name = 'Enterprise';
SELECT results_eq(
	$$SELECT (f.tier).name, f.is_exceeded FROM (VALUES (1, jsonb '{"vendors": 2000}'), (2, '{"vendors": 2001}'),
		(3, '{"vendors": 1001, "storage_gb": 10.5}'), (4, '{"vendors": 1, "storage_gb": 10.5}')) AS u(n, usage), capforecast._tier_for(u.usage) f ORDER BY n$$,
	$$VALUES ('Enterprise', false), ('Enterprise', true), ('Enterprise', true), ('Starter', false)$$, 'the last one, exceeded, where none carries it');
ROLLBACK TO sizes;

-- ---------- limits that are always full

INSERT INTO capforecast.metric_value (metric, day, value, limit_value) VALUES
	('limited_team_members', '2025-06-01', 40, 40), ('limited_team_members', '2025-06-02', 45, 45),
	('limited_orders', '2025-06-01', 40, 41), ('limited_orders', '2025-06-02', 45, 45),
	('limited_products', '2025-06-01', 40, 40), ('limited_products', '2025-06-02', 46, 45);
INSERT INTO capforecast.own_metric (metric, kind, direction) VALUES ('seats', 'stock', 'up');
INSERT INTO capforecast.metric_value (metric, day, value, limit_value) VALUES ('seats', '2025-06-02', 45, 45);
SELECT results_eq(
	$$SELECT l.metric, l.is_always_full FROM capforecast._limits('2025-06-02 12:00+00') l ORDER BY 1$$,
	$$VALUES ('limited_orders', false), ('limited_products', false), ('limited_team_members', true), ('seats', false)$$,
	'full on every day, and not above; of what subscriptions allow');
SELECT results_eq(
	$$SELECT o.metric, o.status::text, o.urgency, o.days_left, o.breach_date FROM capforecast.capacity_outlook(as_of => '2025-06-02 12:00+00') o ORDER BY 1$$,
	$$VALUES ('limited_orders', 'already_breached', 'critical', 0, '2025-06-02'::date), ('limited_products', 'already_breached', 'critical', 0, '2025-06-02'),
		('limited_team_members', 'no_growth', 'watch', NULL, NULL), ('seats', 'already_breached', 'critical', 0, NULL)$$,
	'that is no breach; since when is told where it is known');
SELECT is_empty($$SELECT FROM capforecast.capacity_outlook(as_of => '2025-06-02 12:00+00') o, capforecast.time_to_threshold(o.metric, o.limit_value, as_of => '2025-06-02 12:00+00') t
	WHERE (o.kind, o.events) IS DISTINCT FROM (t.kind, t.events)$$, 'kind and events are those of the date');
SELECT is_empty($$SELECT FROM capforecast.scaling_recommendations(as_of => '2025-06-02 12:00+00') WHERE metric = 'limited_team_members'$$, 'and nothing to be done');

-- ---------- vendors and tiers

CREATE FUNCTION pg_temp.rules() RETURNS TABLE (rule text) LANGUAGE sql AS
	$$ SELECT r.rule FROM capforecast._recommend_vendors(capforecast._planning_now(), '2025-06-10 12:00+00') r ORDER BY 1 $$;
INSERT INTO capforecast.capacity_snapshots (snapshot_date, tier_distribution) VALUES ('2025-05-11', '{"a": 1000}'), ('2025-06-10', '{"a": 950, "b": 50}');
SELECT results_eq('SELECT * FROM pg_temp.rules()', $$VALUES ('tier_mix')$$, 'a share of 5 %, 30 days ago, is told');
UPDATE capforecast.capacity_snapshots SET tier_distribution = '{"a": 951, "b": 49}' WHERE snapshot_date = '2025-06-10';
SELECT is_empty('SELECT * FROM pg_temp.rules()', 'one below is not');
UPDATE capforecast.capacity_snapshots SET tier_distribution = '{"a": 950, "b": 50}' WHERE snapshot_date = '2025-06-10';
UPDATE capforecast.capacity_snapshots SET snapshot_date = '2025-05-10' WHERE snapshot_date = '2025-05-11';
SELECT is_empty('SELECT * FROM pg_temp.rules()', 'nor one of 31 days ago');
INSERT INTO capforecast.vendor_near_limit (day, vendor_id, resource, status) VALUES ('2025-06-08', '1', 'products', 'ok');
SELECT results_eq('SELECT * FROM pg_temp.rules()', $$VALUES ('vendors_near_limit')$$, 'a list two days old is shown');
UPDATE capforecast.vendor_near_limit SET day = '2025-06-07';
SELECT is_empty('SELECT * FROM pg_temp.rules()', 'one three days old is not');

-- ---------- a tier that comes or goes; the slope of each metric; a reason as a sentence

UPDATE capforecast.capacity_snapshots SET tier_distribution = CASE snapshot_date WHEN '2025-06-10' THEN '{"new": 5, "kept": 4}' ELSE '{"old": 10, "kept": 1}' END::jsonb;
SELECT results_eq($$SELECT tier, start_count, end_count, change, start_ratio, end_ratio FROM capforecast.tier_mix(31, '2025-06-10 12:00+00')$$,
	$$VALUES ('new', 0::bigint, 5::bigint, 5::bigint, 0::double precision, 5 / 9.0::double precision), ('kept', 1, 4, 3, 1 / 11.0, 4 / 9.0), ('old', 10, 0, -10, 10 / 11.0, 0)$$, 'none is 0');
DELETE FROM capforecast.capacity_snapshots;
INSERT INTO capforecast.capacity_snapshots (snapshot_date, active_vendors, total_products, total_orders_month, total_team_members, storage_used_gb)
SELECT date '2025-06-01' + d, 100 + d, 100 + 2 * d, 100 + 3 * d, 100 + 4 * d, 100 + 5 * d FROM generate_series(0, 9) d;
SELECT results_eq($$SELECT metric, slope_per_day FROM capforecast._growth_slopes('2025-06-01', '2025-06-10') ORDER BY 2$$,
	$$VALUES ('vendors', 1::double precision), ('products', 2), ('orders', 3), ('team_members', 4), ('storage_gb', 5)$$, 'each metric has its own slope');
SELECT is(capforecast._limit_reason(jsonb_populate_record(NULL::capforecast._limit_forecast,
	'{"metric": "m", "limit_name": "seats", "limit_value": 9, "status": "no_growth", "reason": "ABc."}')), 'm, seats 9: aBc.', 'its first letter is small within a sentence');

SELECT * FROM finish();
ROLLBACK;
