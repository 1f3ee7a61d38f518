-- forecast(series): the statuses, the bounds, the calendar, misuse. Numbers are the
-- business of the core's own tests; here they are held against what must be true of them.
SET search_path = public, capforecast;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

CREATE TEMP VIEW daily AS
	SELECT i, date '2026-01-01' + i AS day FROM generate_series(0, 89) i;
CREATE TEMP TABLE sample AS
	SELECT series_agg(day, 1000 + 10 * i + 20 * (i % 7)) AS growing, series_agg(day, 7) AS constant,
		series_agg(day, 900 - 10 * i) AS shrinking, series_agg(day, 100 + 30 * (i % 7)) AS weekly,
		series_agg(day, 100 + i * 7919 % 13) FILTER (WHERE i % 10 < 6) AS gaps,
		series_agg(day, i) FILTER (WHERE i % 10 < 3 OR i = 89) AS holes
	FROM daily;

-- One row per step, from the step after the last point on.
SELECT count(*) AS n, min(step) AS first, max(step) AS last, min(ds), max(ds), bool_and(status = 'ok') AS ok,
	bool_and(yhat_lower <= yhat AND yhat <= yhat_upper) AS within, bool_and(reason IS NULL) AS no_remark
FROM sample, forecast(growing);
SELECT count(*) AS n, max(ds) FROM sample, forecast(growing, 3650);

-- What cannot be forecast is one row that says why.
SELECT what, f.* FROM (VALUES
	('no series', NULL::series),
	('no points', '{}'),
	('1 point', '{2026-01-01 5}'),
	('2 points', '{2026-01-01 5, 2026-01-02 6}'),
	('3 points', '{2026-01-01 5, 2026-01-02 6, 2026-01-03 7}'),
	('3 points, one doubled', '{2026-01-01 5, 2026-01-02 6, 2026-01-02 8, 2026-01-03 7}'),
	('not a number', '{2026-01-01 5, 2026-01-02 nan, 2026-01-03 7, 2026-01-04 7}'),
	('infinite', '{2026-01-01 5, 2026-01-02 6, 2026-01-03T12:00 inf, 2026-01-04 7}'),
	('minus infinite', '{2026-01-01 -inf, 2026-01-02 6, 2026-01-03 7, 2026-01-04 7}'),
	('too large to square', '{2026-01-01 1e200, 2026-01-02 -1e300, 2026-01-03 7, 2026-01-04 7}'),
	('a microsecond and 100 000 years', '{2026-01-01 1, 2026-01-01T00:00:00.000001Z 2, 2026-01-01T00:00:00.000003Z 2, +99999-01-01 7}'),
	('a minute of seconds, then a year later', '{2026-01-01 1, 2026-01-01T00:00:01Z 2, 2026-01-01T00:00:02Z 3, 2026-01-01T00:00:03Z 3, 2030-01-01 9}')
) v(what, s), forecast(s, 3) f;
SELECT f.* FROM sample, forecast(holes, 3) f;

-- Few points, gaps and the like are forecast, with a remark.
SELECT count(*) AS n, min(status) AS status, min(reason) AS reason FROM sample, forecast(gaps, 7);
SELECT count(*) AS n, min(reason) AS reason FROM forecast('{2026-01-01 5, 2026-01-02 6, 2026-01-03 8, 2026-01-04 9, 2026-01-05 9, 2026-01-06 12}'::series, 3);
SELECT count(*) AS n, bool_and(yhat = 7) AS stays, min(reason) AS reason FROM sample, forecast(constant, 7);

-- as_of: what came later is not known; the last point may be too old. Without, a series
-- is taken from its own end.
SELECT count(*) AS n, min(ds), min(status) AS status FROM sample, forecast(growing, 3, as_of => '2026-02-10 12:00Z');
SELECT min(status) AS status FROM sample, forecast(growing, 3, as_of => '2026-04-03 23:59Z');
SELECT f.* FROM sample, forecast(growing, 3, as_of => '2026-04-04 12:34:56Z') f;
SELECT f.* FROM sample, forecast(growing, 3, as_of => '2025-12-31') f;
SELECT f.* FROM forecast('{1990-01-01 1, 1990-01-02 2, 1990-01-03 1, 1990-01-04 2}'::series, as_of => '294276-12-31') f;
SELECT f.status FROM forecast('{}'::series, as_of => '294276-12-31') f;
SELECT bool_and(a.yhat = b.yhat AND a.ds = b.ds) AS same, count(*) AS n
FROM sample, forecast(growing, 9, as_of => '2026-02-20') a,
	forecast((SELECT series_agg(ts, y) FROM sample, points(growing) WHERE ts <= '2026-02-20'), 9) b WHERE a.step = b.step;

-- Neither below floor nor above cap; counts never below 0, with whole bounds.
SELECT min(yhat) >= 0 AND min(yhat_lower) >= 0 AS counts, bool_and(yhat_lower = floor(yhat_lower) AND yhat_upper = ceil(yhat_upper)) AS whole
FROM sample, forecast(shrinking, 365);
SELECT min(yhat_lower) < 0 AS open FROM sample, forecast(shrinking, 365, floor => '-Infinity');
SELECT max(yhat) <= 2000 AND max(yhat_upper) <= 2000 AS capped, max(yhat_upper) = 2000 AS at_cap FROM sample, forecast(growing, 90, cap => 2000);
SELECT min(yhat) >= 5.5 AND min(yhat_lower) >= 5.5 AS floored FROM sample, forecast(shrinking, 90, floor => 5.5);
SELECT bool_and(yhat BETWEEN -1e9 AND 1e9 AND yhat_lower <= yhat_upper) AS finite FROM sample, forecast(growing, 3650);

-- A larger level gives wider bounds; every model answers.
SELECT bool_and(a.yhat_lower >= b.yhat_lower AND a.yhat_upper <= b.yhat_upper AND a.yhat = b.yhat) AS nested
FROM sample, forecast(weekly, 30, confidence_level => 0.5) a, forecast(weekly, 30, confidence_level => 0.99) b WHERE a.step = b.step;
SELECT f.model, count(*) AS n, bool_and(status = 'ok' AND yhat_lower <= yhat AND yhat <= yhat_upper) AS ok
FROM sample, unnest('{ses,holt,damped,ets,theta,dotm,drift,theil_sen,snaive,mean}'::text[]) m, forecast(growing, 5, model => m) f
GROUP BY f.model ORDER BY f.model;
SELECT bool_and(a = b) AS case_and_alias FROM sample, forecast(growing, 5, 'DOTM') a, forecast(growing, 5, 'DynamicOptimizedTheta') b WHERE a.step = b.step;
SELECT status, reason FROM forecast('{2026-01-01 5, 2026-01-02 6, 2026-01-03 7, 2026-01-04 7}'::series, 3, 'damped');
SELECT round(yhat) FROM sample, forecast(weekly, 7, 'snaive', season_length => 7);
SELECT round(yhat) FROM sample, forecast(weekly, 2, 'snaive', season_length => 1);

-- The calendar: months keep their day, hours pass the change of summer time, days of the
-- month beyond February's end come back.
SELECT array_agg(ds::date ORDER BY step) FROM forecast((SELECT series_agg(date '2024-01-01' + i * interval '1 month', 5 + i) FROM generate_series(0, 23) i), 6);
SELECT array_agg(ds::date ORDER BY step) FROM forecast((SELECT series_agg((date '2024-01-01' + (i + 1) * interval '1 month' - interval '1 day'), 5 + i) FROM generate_series(0, 23) i), 6);
SELECT array_agg(ds::date ORDER BY step) FROM forecast((SELECT series_agg(date '2020-01-31' + i * interval '1 year', 5 + i) FROM generate_series(0, 6) i), 3);
BEGIN;
SET LOCAL TimeZone = 'Europe/Berlin';
SELECT array_agg(ds AT TIME ZONE 'UTC' ORDER BY step) FROM forecast((SELECT series_agg(timestamptz '2026-03-27Z' + i * interval '1 hour', i % 24) FROM generate_series(0, 47) i), 3);
COMMIT;
SELECT status, reason FROM forecast('{+294276-12-25 1, +294276-12-26 1, +294276-12-27 1, +294276-12-28 1}'::series, 3);
SELECT array_agg(ds::date ORDER BY step) FROM forecast('{2000-01-01 1, 3000-01-01 2, 4000-01-01 3, 5000-01-01 5}'::series, 2);
SELECT * FROM forecast('{2000-01-01 1, 3000-01-01 2, 4000-01-01 3, 5000-01-01 5}'::series, 300);

-- Misuse.
SELECT * FROM forecast('{2026-01-01 5}'::series, 0);
SELECT * FROM forecast('{2026-01-01 5}'::series, -30);
SELECT * FROM forecast('{2026-01-01 5}'::series, 3651);
SELECT * FROM forecast('{2026-01-01 5}'::series, NULL);
SELECT * FROM forecast('{2026-01-01 5}'::series, model => 'prophet');
SELECT * FROM forecast('{2026-01-01 5}'::series, model => NULL);
SELECT * FROM forecast('{2026-01-01 5}'::series, confidence_level => 95);
SELECT * FROM forecast('{2026-01-01 5}'::series, confidence_level => 1);
SELECT * FROM forecast('{2026-01-01 5}'::series, confidence_level => 0);
SELECT * FROM forecast('{2026-01-01 5}'::series, confidence_level => 'nan');
SELECT * FROM forecast('{2026-01-01 5}'::series, season_length => -7);
SELECT * FROM forecast('{2026-01-01 5}'::series, season_length => 2001);
SELECT * FROM forecast('{2026-01-01 5}'::series, floor => 5, cap => 4);
SELECT * FROM forecast('{2026-01-01 5}'::series, floor => 'nan');
SELECT * FROM forecast('{2026-01-01 5}'::series, kind => 'level');
SELECT * FROM forecast('{2026-01-01 5}'::series, as_of => 'infinity');

-- Many series in one statement: a bad one is a row of its own.
CREATE TEMP TABLE usage AS
	SELECT v, day, CASE WHEN v = 3 AND i = 5 THEN float8 'Infinity' WHEN v = 4 AND i > 1 THEN NULL ELSE v * 100 + i + i % 7 END AS value
	FROM generate_series(1, 6) v, daily;
SELECT v, count(*) AS n, min(f.status) AS status, min(f.reason) AS reason
FROM (SELECT v, series_agg(day, value) AS s FROM usage GROUP BY v) g, LATERAL forecast(g.s, 14) f GROUP BY v ORDER BY v;
SELECT v, count(*) AS n FROM (SELECT v, (forecast(series_agg(day, value), 3)).* FROM usage GROUP BY v) f GROUP BY v ORDER BY v;

-- In workers, too.
CREATE TABLE forecast_parallel AS SELECT g, series_agg(day, g * 10 + i + i % 7) AS s FROM generate_series(1, 40) g, daily GROUP BY g;
ALTER TABLE forecast_parallel SET (parallel_workers = 2);
CREATE TEMP TABLE one_process AS SELECT g, f.* FROM forecast_parallel, forecast(s, 5) f;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET parallel_leader_participation = off;
EXPLAIN (COSTS OFF) SELECT g, f.* FROM forecast_parallel, forecast(s, 5) f;
SELECT count(*) AS n, count(*) FILTER (WHERE o IS NULL) AS other FROM (SELECT g, f.* FROM forecast_parallel, forecast(s, 5) f) p
	LEFT JOIN one_process o USING (g, step, ds, yhat, yhat_lower, yhat_upper, model, status);
DROP TABLE forecast_parallel;

-- explain_forecast
SELECT explain_forecast('{}'::series);
SELECT regexp_replace(explain_forecast(growing), 'to [0-9]+ by|between [0-9]+ and [0-9]+|\(.*\)', '#', 'g') FROM sample;
SELECT regexp_replace(explain_forecast(constant, 7, 'drift'), 'between [0-9]+ and [0-9]+|\(.*\)', '#', 'g') FROM sample;
SELECT explain_forecast('{2026-01-01 5}'::series, 0);
