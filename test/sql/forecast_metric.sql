-- Forecasts of metrics by name: the same answers as for their series; the archive, what it
-- measures and what it teaches.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set ECHO all
SET search_path = public, capforecast;
BEGIN;
TRUNCATE capforecast.capacity_snapshots;
INSERT INTO capforecast.capacity_snapshots (snapshot_date, active_vendors, total_products, total_orders_month, storage_used_gb)
SELECT date '2026-01-01' + i, 40 + i / 2, 8000 + 25 * i + i * 7919 % 101, 100 + 40 * (i % 7), CASE WHEN i > 100 THEN 10.25 + i / 8.0 END
FROM generate_series(0, 149) i;		-- until 2026-05-30

SELECT n_points(metric_series('products', '2026-03-01 12:00Z')) AS until_day, n_points(metric_series('products', '2030-01-01')) AS all_,
	n_points(metric_series('storage_gb', '2026-05-30')) AS storage, n_points(metric_series('trial_vendors', '2026-05-30')) AS unknown;

-- The same arguments after the first, the same answers.
SELECT count(*) AS n, bool_and(m.forecast_date = s.ds::date AND m.predicted = s.yhat AND m.lower_bound = s.yhat_lower
	AND m.upper_bound = s.yhat_upper AND m.model = s.model AND m.status = s.status AND m.reason IS NOT DISTINCT FROM s.reason) AS same
FROM unnest('{products,stock,vendors,stock,orders,flow,storage_gb,stock}'::text[]) WITH ORDINALITY AS name(metric, i)
	JOIN LATERAL (SELECT (ARRAY['stock', 'stock', 'flow', 'stock'])[(i + 1) / 2] AS kind) k ON i % 2 = 1
	CROSS JOIN LATERAL (SELECT row_number() OVER () AS step, f.* FROM forecast(name.metric, 45, 'auto', 0.9, as_of => '2026-05-30 12:00Z') f) m
	JOIN LATERAL forecast(metric_series(name.metric, '2026-05-30 12:00Z'), 45, 'auto', 0.9, floor => 0, kind => k.kind, as_of => '2026-05-30 12:00Z') s USING (step);
SELECT bool_and(m = s) AS same FROM time_to_threshold('products', 14000, as_of => '2026-05-30 12:00Z') m,
	time_to_threshold(metric_series('products', '2026-05-30 12:00Z'), 14000, kind => 'stock', as_of => '2026-05-30 12:00Z') s;
SELECT proname, count(*) AS forms, count(DISTINCT proargnames[2:pronargs]) AS names, count(DISTINCT proargtypes[1:pronargs - 1]) AS types,
	count(DISTINCT pg_get_expr(proargdefaults, 0)) AS defaults
FROM pg_proc WHERE pronamespace = 'capforecast'::regnamespace AND proname IN ('forecast', 'time_to_threshold', 'explain_forecast')
GROUP BY proname ORDER BY proname;

-- Statuses come from the metric's days.
SELECT metric, forecast_date, predicted, status, reason FROM forecast('trial_vendors', as_of => '2026-05-30');
SELECT metric, forecast_date, predicted, status, reason FROM forecast('products', as_of => '2026-06-03');
SELECT status, reason, current_value, n_points, ready_on FROM time_to_threshold('products', 9000, as_of => '2026-01-04');
SELECT status, days_left FROM time_to_threshold('products', 9000, as_of => '2026-05-30');
SELECT status, days_left BETWEEN 55 AND 65 AS about FROM time_to_threshold('products', 13200, as_of => '2026-05-30');
SELECT status, days_left FROM time_to_threshold('products', NULL, as_of => '2026-05-30');
SELECT explain_forecast('trial_vendors', as_of => '2026-05-30');
SELECT explain_forecast('products', as_of => '2026-05-30') ~ '^Metric products is expected to grow from 11[0-9]+ on 2026-05-30 to 12[0-9]+ by 2026-06-29, and to lie between' AS explained;

SAVEPOINT before;
SELECT * FROM forecast('no_such_metric');
ROLLBACK TO before;
SELECT metric_series('no_such_metric');
ROLLBACK TO before;
SELECT * FROM forecast('products', cap => -1);
ROLLBACK TO before;

-- The archive: one row a night for each metric, the same night's replaced.
SELECT run_forecasts('2026-02-01 00:47Z') AS kept, run_forecasts('2026-02-01 05:00Z') AS again;
SELECT metric, made_on, calibrated_level, status, cardinality(days) AS n, days[1:8], predicted IS NULL AS none
FROM capforecast.forecast_archive WHERE metric IN ('products', 'storage_gb') ORDER BY metric;
SELECT count(*) AS n, bool_and(a.predicted[i] = f.predicted AND a.lower_80[i] = f.lower_bound AND a.upper_80[i] = f.upper_bound) AS same
FROM capforecast.forecast_archive a, generate_subscripts(a.days, 1) i, forecast('products', 90, confidence_level => 0.8, as_of => '2026-02-01 00:47Z') f
WHERE a.metric = 'products' AND f.forecast_date = a.made_on + a.days[i];
SELECT job, status, examined, changed, failed FROM capforecast.job_run WHERE job = 'run_forecasts' AND as_of = '2026-02-01 05:00Z';
SELECT count(*) AS nothing_came_yet FROM forecast_accuracy(as_of => '2026-02-01');

SELECT sum(run_forecasts(date '2026-02-01' + make_interval(days => i, hours => 1))) AS kept FROM generate_series(1, 110) i;
-- What was forecast against what came, once by hand.
SELECT a.metric, a.horizon_from, a.horizon_to, a.n = h.n AS n, abs(a.mae - h.mae) < 1e-9 AS mae, abs(a.bias - h.bias) < 1e-9 AS bias,
	a.coverage_80_ratio = h.held AS held, a.smape_percent BETWEEN 0 AND 200 AS smape, a.mase > 0 AS mase, a.coverage_95_ratio >= a.coverage_80_ratio AS nested
FROM forecast_accuracy('products', 30, '2026-05-22 12:00Z') a
	JOIN (SELECT CASE WHEN ahead <= 7 THEN 1 WHEN ahead <= 30 THEN 8 ELSE 31 END AS horizon_from, count(*) AS n, avg(abs(error)) AS mae,
			avg(error) AS bias, avg(held::integer)::float8 AS held
		FROM (SELECT a.days[i] AS ahead, a.predicted[i] - total_products AS error, total_products BETWEEN a.lower_80[i] AND a.upper_80[i] AS held
			FROM capforecast.forecast_archive a, generate_subscripts(a.days, 1) i, capforecast.capacity_snapshots s
			WHERE a.metric = 'products' AND s.snapshot_date = a.made_on + a.days[i] AND s.snapshot_date BETWEEN '2026-04-23' AND '2026-05-22') x
		GROUP BY 1) h USING (horizon_from) ORDER BY 2;
SELECT DISTINCT metric FROM forecast_accuracy(as_of => '2026-05-22') ORDER BY 1;
-- The level has moved with what the bounds missed, by 0.02 of it a day.
SELECT bool_and(abs(calibrated_level - expected) < 1e-9) AS as_documented, count(*) AS n, min(calibrated_level) BETWEEN 0.5 AND 0.99 AS in_range
FROM (SELECT a.calibrated_level, least(greatest(before.calibrated_level + 0.02 * (0.80 - held), 0.5), 0.99) AS expected
	FROM capforecast.forecast_archive a
		JOIN capforecast.forecast_archive before ON before.metric = a.metric AND before.made_on = a.made_on - 1
		CROSS JOIN LATERAL (SELECT avg((total_products BETWEEN e.lower_80[i] AND e.upper_80[i])::integer) AS held
			FROM capforecast.forecast_archive e, generate_subscripts(e.days, 1) i, capforecast.capacity_snapshots s
			WHERE e.metric = 'products' AND e.made_on < a.made_on AND e.made_on + e.days[i] = a.made_on AND s.snapshot_date = a.made_on) h
	WHERE a.metric = 'products' AND a.made_on > '2026-02-01') x;
-- Only the forecast by name is adjusted by it, and only from then on.
UPDATE capforecast.forecast_archive SET calibrated_level = 0.9 WHERE made_on = '2026-05-22' AND metric = 'products';
SELECT bool_and(m.lower_bound <= s.yhat_lower AND m.upper_bound >= s.yhat_upper AND m.predicted = s.yhat) AS wider,
	bool_and(m.lower_bound = half.yhat_lower AND m.upper_bound = half.yhat_upper) AS half_the_misses
FROM (SELECT row_number() OVER () AS step, f.* FROM forecast('products', 20, as_of => '2026-05-25') f) m
	JOIN LATERAL forecast(metric_series('products', '2026-05-25'), 20, kind => 'stock', floor => 0) s USING (step)
	JOIN LATERAL forecast(metric_series('products', '2026-05-25'), 20, confidence_level => 0.975, kind => 'stock', floor => 0) half USING (step);
SELECT bool_and(m.lower_bound = s.yhat_lower) AS not_before
FROM (SELECT row_number() OVER () AS step, f.* FROM forecast('products', 20, as_of => '2026-01-25') f) m
	JOIN LATERAL forecast(metric_series('products', '2026-01-25'), 20, kind => 'stock', floor => 0) s USING (step);
-- 400 days are kept, by the clock: an as_of ahead of it removes nothing, not even where it is allowed.
INSERT INTO capforecast.forecast_archive (metric, made_on, calibrated_level, status, model)
SELECT 'products', (clock_timestamp() AT TIME ZONE 'UTC')::date - n, 0.8, 'stale', 'auto' FROM unnest('{400,401}'::integer[]) n
ON CONFLICT DO NOTHING;
SAVEPOINT ahead;
\set SHOW_CONTEXT never
SELECT run_forecasts(clock_timestamp() + interval '6 minutes');
ROLLBACK TO ahead;
SELECT run_forecasts('infinity');
ROLLBACK TO ahead;
\set SHOW_CONTEXT errors
SET LOCAL capforecast.allow_time_travel = on;
SELECT run_forecasts('2030-01-01') > 0 AS kept;
SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date - made_on AS days_old FROM capforecast.forecast_archive
WHERE status = 'stale' AND made_on <= (clock_timestamp() AT TIME ZONE 'UTC')::date - 400;
SET LOCAL capforecast.allow_time_travel = off;

SELECT * FROM forecast_accuracy('no_such_metric');
ROLLBACK;

SELECT name, statement, every FROM capforecast.job WHERE name = 'run_forecasts';
SELECT has_function_privilege('public', 'capforecast.run_forecasts(timestamptz)', 'EXECUTE') AS writes,
	has_function_privilege('public', 'capforecast.forecast_accuracy(text, integer, timestamptz)', 'EXECUTE') AS reads;

-- What was forecast, beside what came: the newest of a month ago, else the oldest, or that of a day.
INSERT INTO capforecast.own_metric (metric, kind, unit, direction) VALUES ('past', 'stock', 'things', 'up');
INSERT INTO capforecast.metric_value (metric, day, value) SELECT 'past', date '2026-01-01' + i, i FROM generate_series(0, 60) i;
INSERT INTO capforecast.forecast_archive (metric, made_on, calibrated_level, status, model, days, predicted, lower_80, upper_80)
SELECT 'past', d, 0.8, 'ok', 'auto', '{1,2,90}', ARRAY[1, 2, 3], ARRAY[0, 0, 0], ARRAY[9, 9, 9] FROM unnest('{2026-01-10,2026-01-20,2026-02-10}'::date[]) d;
SELECT made_on, day, predicted, actual FROM capforecast.past_forecast('past', as_of => '2026-03-01');
SELECT DISTINCT made_on FROM capforecast.past_forecast('past', as_of => '2026-02-19'), unnest('{2026-02-19}'::date[]);
SELECT DISTINCT made_on FROM capforecast.past_forecast('past', as_of => '2026-02-18');
SELECT DISTINCT made_on FROM capforecast.past_forecast('past', as_of => '2026-01-12');
SELECT day, actual FROM capforecast.past_forecast('past', '2026-02-10', '2026-02-11');
SELECT DISTINCT made_on FROM capforecast.past_forecast('past', '2026-02-09', '2026-03-01');
SELECT count(*) FROM capforecast.past_forecast('past', '2026-01-09', '2026-03-01');
SELECT count(*) FROM capforecast.past_forecast('no_such_metric');
SELECT line, length(line) FROM (SELECT capforecast.sparkline(capforecast.series_agg(date '2026-01-01' + i, i), 20, 15) FROM generate_series(0, 44) i) x(line);
SELECT capforecast.sparkline('{2026-01-01 5}'::capforecast.series, 10, 5), capforecast.sparkline('{}'::capforecast.series, 10, 5) IS NULL;
