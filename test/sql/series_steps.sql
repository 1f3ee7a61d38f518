-- What people hand over: local midnights, samples with peaks, events, doubled times, days that GROUP BY left out.
SET search_path = public, capforecast;
CREATE FUNCTION pg_temp.noise(i bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS   -- -1 to 1, the same everywhere
	$$ SELECT (('x' || substr(md5(i::text), 1, 6))::bit(24)::int)::float8 / 8388608 - 1 $$;
CREATE FUNCTION pg_temp.starts(zone text, unit text, first timestamp, n integer)
	RETURNS TABLE (k integer, at timestamptz) LANGUAGE sql STABLE AS
	$$ SELECT i, (first + i * ('1 ' || unit)::interval) AT TIME ZONE zone FROM generate_series(0, n - 1) i $$;

-- Months, weeks and days that begin at a local midnight go on at the next ones, over changes of clocks, too.
SELECT z AS zone, u AS unit, bool_and(f.ds = s.at) AS all_right
FROM unnest('{Europe/Berlin,Europe/London,America/New_York,America/Los_Angeles,Australia/Sydney,Asia/Kolkata,UTC}'::text[]) z,
	(VALUES ('month', 26), ('week', 70), ('day', 400)) u(u, n),
	LATERAL (SELECT series_agg(at, 100 + k % 5) AS s FROM pg_temp.starts(z, u, '2024-01-01', n)) h,
	LATERAL forecast(h.s, 30) f, LATERAL pg_temp.starts(z, u, '2024-01-01', n + 30) s
WHERE s.k = n - 1 + f.step GROUP BY z, u ORDER BY z, u;
-- quarters, and years of a bookkeeper in Vienna
SELECT u AS step, f.ds AT TIME ZONE 'Europe/Vienna' AS next
FROM (VALUES ('3 months'), ('1 year')) v(u), LATERAL (SELECT series_agg((timestamp '2019-07-01' + i * u::interval) AT TIME ZONE 'Europe/Vienna', 10 + i) AS s FROM generate_series(0, 6) i) h,
	LATERAL forecast(s, 2) f ORDER BY 1, 2;
-- after a summer alone, no day begins the evening before
SELECT min((ds AT TIME ZONE 'Europe/Berlin')::time), max((ds AT TIME ZONE 'Europe/Berlin')::time), count(DISTINCT (ds AT TIME ZONE 'Europe/Berlin')::date) AS days
FROM forecast((SELECT series_agg(at, k % 3) FROM pg_temp.starts('Europe/Berlin', 'day', '2026-04-13', 120)), 120);

-- The day of a date is the day of the month's start where it is one, whatever the session's time zone.
CREATE TEMP TABLE monthly AS SELECT k, at, 500 + 20 * k AS n FROM pg_temp.starts('Europe/Berlin', 'month', '2024-02-01', 20);
SELECT breach_date, breach_date = (SELECT breach_date FROM time_to_threshold((SELECT series_agg((at AT TIME ZONE 'Europe/Berlin')::date, n) FROM monthly), 960, as_of => '2025-10-01 12:00Z')) AS as_of_dates
FROM time_to_threshold((SELECT series_agg(at, n) FROM monthly), 960, as_of => '2025-10-01 12:00Z');
SELECT reason FROM time_to_threshold((SELECT series_agg(at, n) FROM monthly), 600, as_of => '2025-10-01 12:00Z');
SELECT explain_forecast((SELECT series_agg(at, n) FROM monthly), 1) LIKE '% on 2025-09-01 to % by 2025-10-01%' AS explained;
-- A day of midnights in the session's zone is its day; read in another zone the same times are UTC days.
CREATE TEMP TABLE daily AS SELECT k, at, 500 + 2 * k AS n FROM pg_temp.starts('Asia/Tokyo', 'day', '2026-02-01', 40);
SET timezone = 'Asia/Tokyo';
SELECT breach_date FROM time_to_threshold((SELECT series_agg(at, n) FROM daily), 600, as_of => '2026-03-13 00:00+09');
SET timezone = 'UTC';
SELECT breach_date FROM time_to_threshold((SELECT series_agg(at, n) FROM daily), 600, as_of => '2026-03-13 00:00+09');

-- Peaks of a few minutes are what a limit is measured against, whenever in the hour they come and however far one looks.
CREATE TEMP TABLE load AS SELECT timestamptz '2026-05-04 00:00Z' + i * interval '5 minutes' AS at,
	30 + 5 * sin(2 * pi() * i / 288) + CASE WHEN i % 12 = 5 THEN 45 ELSE 0 END + 0.4 * pg_temp.noise(i) AS pct FROM generate_series(0, 288 * 12) i;
SELECT h AS horizon, status, days_left, round(breach_probability::numeric, 2) AS chance, n_points, reason
FROM unnest('{6 hours,1 day,30 days,365 days}'::interval[]) h,
	LATERAL time_to_threshold((SELECT series_agg(at, pct) FROM load), 78, horizon => h, as_of => '2026-05-16 00:02Z') ORDER BY h;
SELECT status, current_value < 50 AS low_just_now, reason
FROM time_to_threshold((SELECT series_agg(at, pct) FROM load), 60, as_of => '2026-05-16 00:02Z');
SELECT status, left(reason, 60) FROM time_to_threshold((SELECT series_agg(at, 100 - pct) FROM load), 40, direction => 'down', as_of => '2026-05-16 00:02Z');
SELECT status, n_points, reason FROM time_to_threshold((SELECT series_agg(at, pct) FROM load), 60, horizon => '2000 days', as_of => '2026-05-16 00:02Z');

-- Events that nobody counted: told, or counted where a flow is meant.
CREATE TEMP TABLE visit AS SELECT timestamptz '2026-06-01Z' + d * interval '1 day' + (k * 2909 + d * 7) % 86400 * interval '1 second' AS at
FROM generate_series(0, 45) d, generate_series(1, 12 + d % 3) k;
SELECT status, reason FROM forecast((SELECT series_agg(at, 1) FROM visit), 1);
SELECT status, reason FROM time_to_threshold((SELECT series_agg(at, 1) FROM visit), 1, as_of => '2026-07-17');
SELECT ds, round(yhat) AS yhat, status, reason FROM forecast((SELECT series_agg(at, 1) FROM visit), 1, kind => 'flow');
SELECT round(avg(yhat)) AS a_day, min(status) FROM forecast((SELECT count_series(at, '2026-06-01', '2026-07-16') FROM visit), 7, kind => 'flow');
-- Amounts are added up for a flow, and averaged only where nobody said what they are.
SELECT ds, yhat BETWEEN 240 AND 280 AS about_13_of_20, reason FROM forecast((SELECT series_agg(at, 20) FROM visit), 1, kind => 'flow');
SELECT yhat BETWEEN 19 AND 21 AS about_20, reason FROM forecast((SELECT series_agg(at, 20 + pg_temp.noise(extract(epoch FROM at)::bigint)) FROM visit), 1);

-- Equal times: added for a flow, else the last one counts.
CREATE TEMP TABLE doubled AS SELECT date '2026-04-01' + i AS d, y FROM generate_series(0, 29) i, (VALUES (40), (60)) v(y) WHERE y = 60 OR i % 10 = 0;
SELECT v.kind, reason, round(max(abs(yhat - 60))) AS off FROM (VALUES ('stock'), ('flow'), (NULL)) v(kind),
	LATERAL forecast((SELECT series_agg(d, y) FROM doubled), 7, kind => v.kind) GROUP BY 1, 2 ORDER BY 1 NULLS LAST;
SELECT current_value FROM time_to_threshold((SELECT series_agg(d, y) FROM (SELECT d, y FROM doubled UNION ALL SELECT '2026-04-30', 15) q), 1000, kind => 'flow', as_of => '2026-05-01');

-- Days that GROUP BY left out are zeros of counts, and stay unknown of everything else.
CREATE TEMP TABLE few AS SELECT date '2026-01-01' + i AS d, 1 + i % 2 AS y FROM generate_series(0, 99) i WHERE i % 5 IN (0, 2, 3);
SELECT v.kind, round(avg(yhat)::numeric, 1) AS a_day, min(reason) AS reason FROM (VALUES ('flow'), ('stock')) v(kind),
	LATERAL forecast((SELECT series_agg(d, y) FROM few), 10, kind => v.kind) GROUP BY v.kind ORDER BY v.kind;
SELECT round(avg(yhat)::numeric, 1) AS a_day, min(reason) AS reason FROM forecast((SELECT series_agg(d, 250 + y) FROM few), 10, kind => 'flow');
-- one day in six: still by days
SELECT round(avg(yhat)::numeric, 1) < 1 AS by_days, min(ds), min(reason) AS reason
FROM forecast((SELECT series_agg(date '2026-01-01' + i * 6 + i % 3, 3) FROM generate_series(0, 24) i), 10, kind => 'flow');

-- A step that is not a usual one is told.
SELECT ds, reason FROM forecast((SELECT series_agg(timestamptz '2026-01-01Z' + i * interval '36 hours', 5 + i) FROM generate_series(0, 30) i), 1);
SELECT ds, reason FROM forecast((SELECT series_agg(date '2026-01-01' + 2 * i, 5 + i) FROM generate_series(0, 30) i), 1);
SELECT ds, reason FROM forecast((SELECT series_agg(date '2026-01-01' + i, 5 + i) FROM generate_series(0, 30) i), 1);
-- Captured about midnight, some seconds before or after: one value a day.
SELECT ds, f.reason, n_points, coverage_ratio
FROM (SELECT series_agg(timestamptz '2026-01-01Z' + i * interval '1 day' + (i % 3 - 1) * interval '9 seconds', 70) AS s FROM generate_series(0, 50) i) q,
	forecast(s, 1, kind => 'flow') f, time_to_threshold(s, 90, kind => 'flow', as_of => '2026-02-20 01:00Z') t;

-- Nothing negative where nothing was; unless somebody says that it may be.
SELECT min(yhat) >= 0 AND min(yhat_lower) >= 0 AS none_negative, max(yhat_lower) FROM forecast((SELECT series_agg(date '2026-01-01' + i, 9.5 - i * 0.2) FROM generate_series(0, 39) i), 60);
SELECT min(yhat) < 0 AS negative FROM forecast((SELECT series_agg(date '2026-01-01' + i, 9.5 - i * 0.2) FROM generate_series(0, 39) i), 60, floor => '-Infinity');
SELECT min(yhat) < 0 AS negative FROM forecast((SELECT series_agg(date '2026-01-01' + i, 5.5 - i * 0.2) FROM generate_series(0, 39) i), 60);
