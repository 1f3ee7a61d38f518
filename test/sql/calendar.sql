-- What the calendar does to forecasts and dates: the year, known days, hours, weeks.
\set SHOW_CONTEXT never
SET search_path = public, capforecast;
SET timezone = 'UTC';
BEGIN;

-- Noise of our own, the same on every machine: -size to size.
CREATE FUNCTION noise(i integer, size double precision) RETURNS double precision LANGUAGE sql IMMUTABLE AS
	$$ SELECT size * (('x' || substr(md5(i::text), 1, 7))::bit(28)::integer % 2001 / 1000.0 - 1) $$;

-- Three years of a shop: growth, a weekend, a summer, a peak in December, and three days closed.
CREATE TABLE shop AS
SELECT d::date AS day,
	CASE WHEN to_char(d, 'MM-DD') IN ('12-25', '12-26', '01-01') THEN 0
	ELSE round(500 * (1 + 0.0003 * (d::date - date '2019-11-20'))
		* (CASE WHEN extract(isodow FROM d) > 5 THEN 0.6 ELSE 1.16 END)
		* (1 + 0.25 * exp(-(((extract(doy FROM d)::double precision - 190) / 40) ^ 2)))
		* (1 + 1.2 * exp(-(((extract(doy FROM d)::double precision - 345) / 14) ^ 2)))
		* (1 + noise(d::date - date '2000-01-01', 0.08))) END AS sold
FROM generate_series(timestamp '2019-11-20', '2023-02-20', '1 day') d;
SELECT count(*) FROM add_metric('sales', 'SELECT 500', kind => 'flow');
SELECT imported, first_day, last_day FROM import_metric('sales', query => $$SELECT day AS ts, sold AS value FROM public.shop WHERE day <= '2022-11-30'$$);

-- All of it is looked at, and the year is seen.
SELECT n_points(metric_series('sales', as_of => '2022-11-30 12:00'));
SELECT season_length, strength_ratio > 0.5 AS is_strong FROM detect_seasonality(metric_series('sales', as_of => '2022-11-30 12:00'));
SELECT max(season) - min(season) > 700 AS holds_the_year, max(abs(y - level - trend - season - remainder)) < 1e-6 AS adds_up
FROM decompose(metric_series('sales', as_of => '2022-11-30 12:00'));

-- Days on which it is closed: told by nobody, and then by use_holidays().
CREATE FUNCTION closed_days() RETURNS TABLE (day date, is_open boolean, is_held boolean, is_narrow boolean) LANGUAGE sql AS $$
	SELECT f.forecast_date, f.predicted > 100, s.sold BETWEEN f.lower_bound AND f.upper_bound, f.upper_bound - f.lower_bound < 500
	  FROM capforecast.forecast('sales', 60, as_of => '2022-11-30 12:00') f JOIN public.shop s ON s.day = f.forecast_date
	 WHERE to_char(f.forecast_date, 'MM-DD') IN ('12-14', '12-25', '12-26', '12-28', '01-01') ORDER BY 1
$$;
SELECT * FROM closed_days();
SELECT use_holidays('DE') > 0 AS are_used;
SELECT * FROM closed_days();

-- As a whole it is nearer to what came than last year's days, and its bounds hold.
SELECT avg(abs(f.predicted - s.sold)) < 60 AS is_near, avg(abs(l.sold - s.sold)) > 60 AS last_year_is_not,
	avg((s.sold BETWEEN f.lower_bound AND f.upper_bound)::integer) > 0.85 AS bounds_hold
FROM forecast('sales', 60, as_of => '2022-11-30 12:00') f JOIN shop s ON s.day = f.forecast_date JOIN shop l ON l.day = s.day - 364;
SELECT regexp_replace(explain_forecast('sales', 30, as_of => '2022-11-30 12:00'), '[0-9]+ (of|%)|from [0-9]+|to [0-9]+|between [0-9]+ and [0-9]+', '# \1', 'g');

-- The day on which 1500 are sold for the first time: at the peak.
SELECT status, breach_date BETWEEN '2022-12-05' AND '2022-12-14' AS is_at_the_peak, breach_date_earliest >= '2022-12-01' AS not_sooner,
	breach_date_latest <= '2022-12-20' AS nor_later
FROM time_to_threshold('sales', 1500, as_of => '2022-11-30 12:00');

-- A day that was never seen: as wide as the ignorance, the same expectation, and a word; the days around it as ever.
CREATE TABLE before AS SELECT * FROM forecast('sales', 20, as_of => '2022-11-30 12:00');
INSERT INTO known_day (name, day) VALUES ('Great sale', '2022-12-08');
SELECT f.forecast_date, f.predicted = b.predicted AS is_expected, round((f.upper_bound - f.lower_bound) / (b.upper_bound - b.lower_bound)) > 2 AS is_wide, f.events
FROM forecast('sales', 20, as_of => '2022-11-30 12:00') f JOIN before b USING (forecast_date)
WHERE f.lower_bound <> b.lower_bound OR f.upper_bound <> b.upper_bound OR f.predicted <> b.predicted ORDER BY 1;
SELECT events LIKE '%known day Great sale on 2022-12-08%' AS is_told FROM time_to_threshold('sales', 1500, as_of => '2022-11-30 12:00');
-- Without it, as before: to the last bit.
DELETE FROM known_day WHERE name = 'Great sale';
SELECT count(*) FROM (TABLE before EXCEPT SELECT * FROM forecast('sales', 20, as_of => '2022-11-30 12:00')) d;
-- A series knows no table.
SELECT count(*) FROM forecast(metric_series('sales', as_of => '2022-11-30 12:00'), 20, kind => 'flow') f
JOIN before b ON b.forecast_date = f.ds::date AND b.predicted = f.yhat;

-- Local midnights: the days of the year and of the week are those of the clock on the wall, also where it was changed.
SELECT max(abs(l.yhat - u.yhat)) < 1e-6 AS is_alike
FROM (SELECT series_agg(day::timestamp AT TIME ZONE 'Europe/Berlin', sold) AS s FROM shop WHERE day <= '2022-11-30') b,
	(SELECT series_agg(day::timestamp AT TIME ZONE 'UTC', sold) AS s FROM shop WHERE day <= '2022-11-30') t,
	LATERAL forecast(b.s, 60, kind => 'flow') l JOIN LATERAL forecast(t.s, 60, kind => 'flow') u USING (step);

-- Hours with another weekend.
CREATE TABLE load AS
SELECT h AS ts, 20 + (CASE WHEN extract(isodow FROM h) > 5 THEN (CASE WHEN extract(hour FROM h) BETWEEN 11 AND 22 THEN 18 ELSE 4 END)
	ELSE (CASE WHEN extract(hour FROM h) BETWEEN 8 AND 17 THEN 60 ELSE 5 END) END) + noise(extract(epoch FROM h)::integer / 3600, 2) AS used
FROM generate_series(timestamptz '2022-10-03 00:00+00', '2022-11-20 23:00+00', '1 hour') h;
SELECT avg(abs(f.yhat - l.used)) < 1.6 AS is_near, avg((l.used BETWEEN f.yhat_lower AND f.yhat_upper)::integer) > 0.85 AS bounds_hold
FROM (SELECT series_agg(ts, used) AS s FROM load WHERE ts < '2022-11-07 00:00+00') a, LATERAL forecast(a.s, 168) f JOIN load l ON l.ts = f.ds;
SELECT season_length FROM (SELECT series_agg(ts, used) AS s FROM load) a, detect_seasonality(a.s);
SELECT explain_forecast(series_agg(ts, used), 24) LIKE '%with a pattern of the day and of the week%' AS is_told FROM load;
-- 72 hours towards a limit, ten of them left
SELECT status, breach_date, abs(extract(epoch FROM breach_time - '2022-11-04 09:00+00')) <= 3600 AS within_an_hour,
	breach_time_earliest <= breach_time AND breach_time <= breach_time_latest AND breach_time_earliest < breach_time_latest
	AND breach_time_latest - breach_time_earliest < '8 hours' AS is_a_range
FROM (SELECT series_agg(h, 100 + 10 * n + noise(n::integer, 8)) AS s FROM generate_series(timestamptz '2022-11-01 00:00+00', '2022-11-03 23:00+00', '1 hour') WITH ORDINALITY g(h, n)) a,
	time_to_threshold(a.s, 918, kind => 'gauge', as_of => '2022-11-04 00:00+00');

-- Weeks with one year's memory.
SELECT avg(abs(f.yhat - w.v)) < 0.4 * avg(abs(1050 - w.v)) AS last_year_is_remembered
FROM (SELECT series_agg(t, v) AS s FROM (SELECT date '2020-01-06' + 7 * i AS t, 1000 * (1 + 0.4 * sin(i * 2 * pi() / 52)) + noise(i, 30) AS v FROM generate_series(0, 95) i) x) a,
	LATERAL forecast(a.s, 13) f JOIN LATERAL (SELECT i - 95 AS step, 1000 * (1 + 0.4 * sin(i * 2 * pi() / 52)) AS v FROM generate_series(96, 108) i) w USING (step);
ROLLBACK;
