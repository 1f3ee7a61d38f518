-- A summary of any platform fits 100 columns, ten lines; what if; who drives the growth.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set ECHO all
SET client_min_messages = warning;
\set SHOW_CONTEXT never
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
SELECT n, capforecast._short_number(n) FROM unnest('{0,0.04,9.96,99.94,99.95,100.4,9999.4,9999.5,99940,99950,100400,999499,999500,99940000,99950000,100400000,999499999,999500000,99940000000,1e11,1.004e11,-12345}'::double precision[]) n;
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
-- from today's value on, and twice what is gained from it
SELECT predicted, baseline FROM capforecast.what_if('late', growth_multiplier => 2, horizon => 2, as_of => :now);
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
INSERT INTO capforecast.vendor_usage (vendor_id, first_day, products_at, orders_at, team_members_at, products, orders, team_members) VALUES
	('3', '2025-05-27', '{0}', '{0}', '{0}', '{0}', '{7}', '{1}');
-- what was not counted on the first of them is not zero: the window begins where orders are known
SELECT vendor_id, start_value, end_value, start_date, end_date FROM capforecast.growth_contributors('orders', 25, '2025-05-30 12:00+00');
SELECT vendor_id, start_value, end_value, start_date, end_date FROM capforecast.growth_contributors('products', 25, '2025-05-30 12:00+00');
SELECT * FROM capforecast.growth_contributors('products', 5, '2025-05-01 12:00+00');
