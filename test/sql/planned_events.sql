-- Planned events: in forecasts, dates, plans and charts, and out again without a trace.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set ECHO all
\set SHOW_CONTEXT never
SET search_path = public, capforecast;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SELECT (now() AT TIME ZONE 'UTC')::date AS today \gset
-- 60 vendors that come one a day, seats that stand still, orders of 100 a day and half of that on Sundays
CREATE FUNCTION pg_temp.day(n integer) RETURNS date LANGUAGE sql AS $$ SELECT (now() AT TIME ZONE 'UTC')::date + n $$;
INSERT INTO capacity_snapshots (snapshot_date, active_vendors, total_vendors, total_orders_month)
SELECT pg_temp.day(-d), 61 - d, 50, CASE WHEN extract(isodow FROM pg_temp.day(-d)) = 7 THEN 50 ELSE 100 END FROM generate_series(1, 60) d;
CREATE TEMP TABLE before AS SELECT * FROM forecast('vendors', 40);
CREATE TEMP TABLE date_before AS SELECT * FROM time_to_threshold('vendors', 100);

-- An event of so many vendors, some weeks ahead.
INSERT INTO planned_event (metric, from_date, effect, amount, note) VALUES ('vendors', pg_temp.day(20), 'add', 20, 'Acme''s shops; two lots');
SELECT f.forecast_date - :'today' AS ahead, round((f.predicted - b.predicted)::numeric, 6) AS more, round((f.upper_bound - b.upper_bound)::numeric, 6) AS upper
FROM forecast('vendors', 40) f JOIN before b USING (forecast_date) WHERE f.forecast_date - :'today' IN (1, 19, 20, 21, 39);
SELECT replace(events, pg_temp.day(20)::text, '<day>') AS events FROM forecast('vendors', 25) LIMIT 1;
-- one that lies beyond is not told
SELECT events FROM forecast('vendors', 10) LIMIT 1;
-- It moves dates exactly as what_if() does.
SELECT d.breach_date - t.breach_date AS sooner FROM time_to_threshold('vendors', 100) t, date_before d;
CREATE TEMP TABLE outlook AS SELECT breach_date, breach_date_earliest, breach_date_latest, breach_probability FROM time_to_threshold('vendors', 100);
CREATE TEMP TABLE planned_forecast AS SELECT forecast_date, predicted, lower_bound, upper_bound FROM forecast('vendors', 40, confidence_level => 0.95);
DELETE FROM planned_event;
SELECT count(*) AS days, bool_and((w.predicted, w.lower_bound, w.upper_bound) = (p.predicted, p.lower_bound, p.upper_bound)) AS same_forecast,
	bool_and((w.breach_date, w.breach_date_earliest, w.breach_date_latest) = (o.breach_date, o.breach_date_earliest, o.breach_date_latest)) AS same_dates
FROM what_if('vendors', add => 20, from_date => pg_temp.day(20), threshold => 100, horizon => 40) w JOIN planned_forecast p USING (forecast_date), outlook o;
-- Taken out, the forecast is what it was, to the bit.
SELECT count(*) AS differ FROM (TABLE before EXCEPT SELECT * FROM forecast('vendors', 40)) d;
SELECT count(*) AS differ FROM (TABLE date_before EXCEPT SELECT * FROM time_to_threshold('vendors', 100)) d;
-- no change given is the forecast, with what is planned
INSERT INTO planned_event (metric, from_date, effect, amount) VALUES ('vendors', pg_temp.day(5), 'add', 5);
SELECT bool_and(w.predicted = w.baseline AND w.predicted = f.predicted) AS same FROM what_if('vendors', horizon => 20) w JOIN forecast('vendors', 20) f USING (forecast_date);
-- and a change comes on top of it
SELECT round(max(w.predicted - w.baseline)) AS more, round(max(w.baseline - b.predicted)) AS planned FROM what_if('vendors', add => 7, horizon => 20) w JOIN before b USING (forecast_date);
DELETE FROM planned_event;

-- Edges of time. What began yesterday, and has a value since, is in the history; what begins today is not.
INSERT INTO planned_event (metric, from_date, effect, amount) VALUES ('vendors', pg_temp.day(-2), 'add', 20);
SELECT count(*) AS differ FROM (TABLE before EXCEPT SELECT * FROM forecast('vendors', 40)) d;
UPDATE planned_event SET from_date = pg_temp.day(-1);
SELECT DISTINCT round(f.predicted - b.predicted) AS more FROM forecast('vendors', 40) f JOIN before b USING (forecast_date);
UPDATE planned_event SET from_date = pg_temp.day(0);
SELECT DISTINCT round(f.predicted - b.predicted) AS more FROM forecast('vendors', 40) f JOIN before b USING (forecast_date);
-- what is over changes nothing; what lasts until tomorrow leaves the days so far out, and is gone the day after
UPDATE planned_event SET from_date = pg_temp.day(-10), to_date = pg_temp.day(-1);
SELECT count(*) AS differ FROM (TABLE before EXCEPT SELECT * FROM forecast('vendors', 40)) d;
UPDATE planned_event SET to_date = pg_temp.day(1);
SELECT f.forecast_date - :'today' AS ahead, round(f.predicted) - (61 + (f.forecast_date - :'today')) AS more FROM forecast('vendors', 4) f;
SELECT status, events ~ '^planned \+20 on .* to ' AS told FROM forecast('vendors', 4) LIMIT 1;
DELETE FROM planned_event;

-- One upon another, factor 0, levels below the floor.
INSERT INTO planned_event (metric, from_date, to_date, effect, amount, note) VALUES
	('orders', pg_temp.day(3), pg_temp.day(3), 'factor', 0, 'closed'), ('orders', pg_temp.day(4), pg_temp.day(6), 'factor', 2, 'sale'),
	('orders', pg_temp.day(5), pg_temp.day(5), 'add', 30, 'fair'), ('orders', pg_temp.day(7), pg_temp.day(7), 'level', -5, 'below'),
	('orders', pg_temp.day(9), pg_temp.day(9), 'level', 300, 'level');
SELECT f.forecast_date - :'today' AS ahead, round(f.predicted / CASE WHEN extract(isodow FROM f.forecast_date) = 7 THEN 50 ELSE 100 END, 1) AS times
FROM (SELECT forecast_date, predicted::numeric FROM forecast('orders', 10)) f WHERE f.forecast_date - :'today' IN (2, 3, 4, 6, 8) ORDER BY 1;
SELECT f.forecast_date - :'today' AS ahead, round(f.predicted) AS predicted FROM forecast('orders', 10) f WHERE f.forecast_date - :'today' IN (7, 9);
SELECT round(f.predicted - 2 * CASE WHEN extract(isodow FROM f.forecast_date) = 7 THEN 50 ELSE 100 END) AS added FROM forecast('orders', 10) f WHERE f.forecast_date - :'today' = 5;
SELECT regexp_replace(events, '\d{4}-\d\d-\d\d', '<day>', 'g') AS events FROM forecast('orders', 10) LIMIT 1;
SELECT explain_forecast('orders', 10) ~ 'planned closed' AS explained;
DELETE FROM planned_event;

-- A range of the amount widens the bounds and the dates.
INSERT INTO planned_event (metric, from_date, effect, amount, amount_low, amount_high) VALUES ('vendors', pg_temp.day(10), 'add', 20, 10, 25);
SELECT round(f.upper_bound - b.upper_bound) AS upper, round(f.lower_bound - b.lower_bound) AS lower FROM forecast('vendors', 40) f JOIN before b USING (forecast_date) WHERE f.forecast_date = pg_temp.day(30);
SELECT t.breach_date_latest - t.breach_date_earliest > d.breach_date_latest - d.breach_date_earliest + 10 AS wider FROM time_to_threshold('vendors', 100) t, date_before d;
DELETE FROM planned_event;

-- What does not move is taken to its limit by what is planned: in outlook, plan and alerts.
INSERT INTO planned_event (metric, from_date, effect, amount, note) VALUES ('total_vendors', pg_temp.day(15), 'add', 60, 'merger');
SELECT t.status, t.breach_date - :'today' AS days, regexp_replace(t.events, '\d{4}-\d\d-\d\d', '<day>') AS events FROM time_to_threshold('total_vendors', 100) t;
SELECT t.status, t.breach_date FROM time_to_threshold('total_vendors', 111) t;
SELECT * FROM add_metric('seats', 'SELECT 50', limit_value => 100);
INSERT INTO metric_value (metric, day, value) SELECT 'seats', pg_temp.day(-d), 50 FROM generate_series(1, 40) d;
INSERT INTO planned_event (metric, from_date, effect, amount, note) VALUES ('seats', pg_temp.day(6), 'add', 60, 'new office');
SELECT status, urgency, breach_date - :'today' AS days, days_left, events ~ 'planned new office' AS told FROM capacity_outlook() WHERE metric = 'seats';
SELECT position('chart' IN chart('seats', 30)) > 0 AS drawn, chart('seats', 30) <> chart(metric_series('seats'), 30, 100, 'seats', kind => 'stock') AS is_in_the_chart;
-- a level downwards
SELECT * FROM add_metric('disk_free', 'SELECT 500', limit_value => 100, direction => 'down', kind => 'gauge');
INSERT INTO metric_value (metric, day, value) SELECT 'disk_free', pg_temp.day(-d), 500 + d % 3 FROM generate_series(1, 40) d;
INSERT INTO planned_event (metric, from_date, to_date, effect, amount, note) VALUES ('disk_free', pg_temp.day(8), pg_temp.day(9), 'level', 50, 'restore test');
SELECT status, breach_date - :'today' AS days FROM capacity_outlook() WHERE metric = 'disk_free';
DELETE FROM planned_event;

-- The archive marks what was made with an event; one that is taken back or changed teaches the bounds nothing.
INSERT INTO planned_event (metric, from_date, effect, amount) VALUES ('vendors', pg_temp.day(-8), 'add', 1000), ('vendors', pg_temp.day(200), 'add', 1);
SELECT run_forecasts(pg_temp.day(-10)::timestamptz) > 0 AS kept;
SELECT array_length(planned, 1) AS events FROM forecast_archive WHERE metric = 'vendors';
SELECT planned FROM forecast_archive WHERE metric = 'orders';
SELECT round(_calibrated_level('vendors', pg_temp.day(-1))::numeric, 2) AS missed;
UPDATE planned_event SET note = 'a note changes nothing';
SELECT round(_calibrated_level('vendors', pg_temp.day(-1))::numeric, 2) AS missed;
SELECT count(*) > 0 AS scored FROM forecast_accuracy('vendors');
UPDATE planned_event SET amount = 999 WHERE amount = 1000;
SELECT _calibrated_level('vendors', pg_temp.day(-1)) AS not_learned;
UPDATE planned_event SET amount = 1000 WHERE amount = 999;
DELETE FROM planned_event WHERE amount = 1000;
SELECT _calibrated_level('vendors', pg_temp.day(-1)) AS not_learned;
SELECT count(*) AS scored FROM forecast_accuracy('vendors');
DELETE FROM planned_event;

-- Planned beside realised.
UPDATE capacity_snapshots SET active_vendors = active_vendors + 15 WHERE snapshot_date >= pg_temp.day(-10);
INSERT INTO planned_event (metric, from_date, effect, amount) VALUES ('vendors', pg_temp.day(-10), 'add', 20), ('vendors', pg_temp.day(30), 'add', 3);
SELECT day - :'today' AS ahead, round(planned) AS planned, round(realised) AS realised FROM planned_effects('vendors', pg_temp.day(-12), pg_temp.day(-8)) ORDER BY day;
SELECT day - :'today' AS ahead, round(planned) AS planned, realised FROM planned_effects('vendors', pg_temp.day(30), pg_temp.day(31)) WHERE planned < 10;
SELECT count(*) FROM planned_effects('vendors', pg_temp.day(5), pg_temp.day(1));
SELECT count(*) FROM planned_effects('no_such', pg_temp.day(-5), pg_temp.day(1));

-- What is refused.
\set VERBOSITY terse
INSERT INTO planned_event (metric, from_date, effect, amount) VALUES ('no_such', pg_temp.day(1), 'add', 1);
UPDATE planned_event SET metric = 'no_such';
INSERT INTO planned_event (metric, from_date, effect, amount) VALUES ('vendors', pg_temp.day(1), 'subtract', 1);
INSERT INTO planned_event (metric, from_date, effect, amount) VALUES ('vendors', 'infinity', 'add', 1);
INSERT INTO planned_event (metric, from_date, to_date, effect, amount) VALUES ('vendors', '2026-02-02', '2026-02-01', 'add', 1);
INSERT INTO planned_event (metric, from_date, effect, amount) VALUES ('vendors', pg_temp.day(1), 'add', 'NaN');
INSERT INTO planned_event (metric, from_date, effect, amount) VALUES ('vendors', pg_temp.day(1), 'add', '-Infinity');
INSERT INTO planned_event (metric, from_date, effect, amount) VALUES ('vendors', pg_temp.day(1), 'factor', -0.1);
INSERT INTO planned_event (metric, from_date, effect, amount, amount_low, amount_high) VALUES ('vendors', pg_temp.day(1), 'add', 5, 6, 7);
INSERT INTO planned_event (metric, from_date, effect, amount, amount_low) VALUES ('vendors', pg_temp.day(1), 'add', 5, 4);
-- what is far away is none of the forecast's business
INSERT INTO planned_event (metric, from_date, to_date, effect, amount) VALUES ('vendors', '5874000-01-01', '5874897-12-31', 'add', 1), ('vendors', '4714-11-24 BC', '4714-11-25 BC', 'add', 1);
SELECT count(*) FROM forecast('vendors', 3650);
DELETE FROM planned_event;

-- A metric that goes leaves its event, which doctor() names.
INSERT INTO planned_event (metric, from_date, effect, amount, note) VALUES ('seats', pg_temp.day(6), 'add', 60, 'new office');
SELECT drop_metric('seats');
SELECT severity, subject, problem, fix FROM doctor() WHERE subject = 'seats';

-- Readers see it; writing is for operators.
CREATE ROLE capforecast_event_reader;
CREATE ROLE capforecast_event_operator;
SELECT count(*) > 0 AS granted FROM grant_access('capforecast_event_reader', 'reader') UNION ALL SELECT count(*) > 0 FROM grant_access('capforecast_event_operator', 'operator');
SET ROLE capforecast_event_reader;
SELECT count(*) FROM planned_event;
SELECT count(*) FROM forecast('vendors', 3);
INSERT INTO planned_event (metric, from_date, effect, amount) VALUES ('vendors', pg_temp.day(1), 'add', 1);
SET ROLE capforecast_event_operator;
INSERT INTO planned_event (metric, from_date, effect, amount) VALUES ('vendors', (now() AT TIME ZONE 'UTC')::date + 1, 'add', 1) RETURNING created_by;
RESET ROLE;
DROP OWNED BY capforecast_event_reader, capforecast_event_operator;
DROP ROLE capforecast_event_reader, capforecast_event_operator;
