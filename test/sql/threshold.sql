-- time_to_threshold(series): what others answer with one number, each with its own status.
SET search_path = public, capforecast;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

CREATE TEMP VIEW daily AS
	SELECT i, date '2026-01-01' + i AS day FROM generate_series(0, 89) i;		-- until 2026-03-31
CREATE TEMP TABLE sample AS
	SELECT series_agg(day, 1000 + 10 * i + i * 7919 % 13) AS growing, series_agg(day, 500) AS constant,
		series_agg(day, 3000 - 10 * i - i * 7919 % 13) AS shrinking,
		series_agg(day, 1000 + 10 * i + i * 7919 % 13) FILTER (WHERE i % 10 < 7 OR i = 89) AS gaps,
		series_agg(day, i) FILTER (WHERE i % 10 < 3 OR i = 89) AS holes,
		series_agg(day, CASE WHEN i = 40 THEN float8 'Infinity' ELSE i END) AS infinite,
		series_agg(day, CASE WHEN i = 40 THEN float8 'NaN' ELSE i END) AS nan
	FROM daily;

-- The contract, row by row.
CREATE TEMP VIEW contract AS
	SELECT * FROM (
		SELECT 1 AS line, '0 points' AS situation, series '{}' AS s, 2000 AS limit_ FROM sample
		UNION ALL SELECT 2, 'no series', NULL, 2000 FROM sample
		UNION ALL SELECT 3, '1 point, below', '{2026-03-31 5}', 2000 FROM sample
		UNION ALL SELECT 4, '1 point, equal to the threshold', '{2026-03-31 5}', 5 FROM sample
		UNION ALL SELECT 5, '2 points', '{2026-03-30 5, 2026-03-31 6}', 2000 FROM sample
		UNION ALL SELECT 6, '3 points', '{2026-03-29 5, 2026-03-30 6, 2026-03-31 7}', 2000 FROM sample
		UNION ALL SELECT 7, '6 days', (SELECT series_agg(ts, y) FROM points(growing) WHERE ts > '2026-03-25'), 2000 FROM sample
		UNION ALL SELECT 8, '20 hours', (SELECT series_agg(timestamptz '2026-03-31Z' + i * interval '1 hour', i) FROM generate_series(0, 20) i), 2000 FROM sample
		UNION ALL SELECT 10, 'constant, below', constant, 2000 FROM sample
		UNION ALL SELECT 11, 'shrinking, below', shrinking, 5000 FROM sample
		UNION ALL SELECT 12, 'over, still growing', growing, 1500 FROM sample
		UNION ALL SELECT 13, 'over, flat', constant, 400 FROM sample
		UNION ALL SELECT 14, 'over, shrinking', shrinking, 1000 FROM sample
		UNION ALL SELECT 15, 'infinity in data', infinite, 2000 FROM sample
		UNION ALL SELECT 16, 'not a number in data', nan, 2000 FROM sample
		UNION ALL SELECT 17, 'stopped reporting', (SELECT series_agg(ts, y) FROM points(growing) WHERE ts < '2026-03-25'), 2000 FROM sample
		UNION ALL SELECT 18, 'stopped reporting, over', (SELECT series_agg(ts, y) FROM points(growing) WHERE ts < '2026-03-25'), 1100 FROM sample
		UNION ALL SELECT 19, 'gaps', gaps, 2200 FROM sample
		UNION ALL SELECT 20, 'holes', holes, 2000 FROM sample
		UNION ALL SELECT 21, 'no limit', growing, NULL FROM sample
		UNION ALL SELECT 22, 'no limit, no points', '{}', NULL FROM sample
		UNION ALL SELECT 23, 'growing', growing, 2200 FROM sample
		UNION ALL SELECT 24, 'growing, far', growing, 90000 FROM sample
		UNION ALL SELECT 25, 'all equal and equal to the threshold', constant, 500 FROM sample) c;
SELECT situation, t.status, t.reason, t.current_value, t.n_points, round(t.coverage_ratio::numeric, 2) AS coverage, t.ready_on
FROM contract c, time_to_threshold(s, limit_, as_of => '2026-03-31 12:00Z') t ORDER BY line;

-- days_left only where there is an answer, 0 where it is reached, never a sentinel.
SELECT status, count(*) AS n, bool_and((days_left IS NULL) = (breach_date IS NULL)) AS together,
	bool_and(days_left IS NULL) AS none, bool_and(days_left = 0) AS zero
FROM contract c, time_to_threshold(s, limit_, as_of => '2026-03-31 12:00Z') t GROUP BY status ORDER BY status;

-- The answer: 200 more at 10 a day are 20 days, give or take.
SELECT status, days_left BETWEEN 17 AND 23 AS about, breach_date = date '2026-03-31' + days_left AS dated,
	breach_date_earliest <= breach_date AND breach_date <= breach_date_latest AS ordered, breach_probability > 0.95 AS likely,
	model, threshold FROM sample, time_to_threshold(growing, 2100, as_of => '2026-03-31 12:00Z');
-- Counted from as_of, not from the last point.
SELECT a.breach_date = b.breach_date AS same_date, a.days_left - b.days_left AS less
FROM sample, time_to_threshold(growing, 2100, as_of => '2026-03-31 12:00Z') a, time_to_threshold(growing, 2100, as_of => '2026-04-02 23:00Z') b;
-- The same every time, and whatever the order of the points was.
SELECT bool_and(a = b) AS same FROM sample, time_to_threshold(growing, 2100, as_of => '2026-03-31 12:00Z') a,
	time_to_threshold((SELECT series_agg(ts, y ORDER BY y DESC) FROM points(growing)), 2100, as_of => '2026-03-31 12:00Z') b;
-- A higher threshold is not reached earlier; a longer horizon is not less likely; a larger level is a wider range.
SELECT bool_and(days_left >= coalesce(before, 0)) AS monotone FROM (
	SELECT days_left, lag(days_left) OVER (ORDER BY limit_) AS before
	FROM sample, generate_series(1950, 2500, 50) limit_, time_to_threshold(growing, limit_, as_of => '2026-03-31 12:00Z')) t;
SELECT bool_and(breach_probability >= coalesce(before, 0)) AS monotone FROM (
	SELECT breach_probability, lag(breach_probability) OVER (ORDER BY days) AS before
	FROM sample, generate_series(5, 60, 5) days, time_to_threshold(growing, 2100, make_interval(days => days), as_of => '2026-03-31 12:00Z')) t;
SELECT a.breach_date_earliest <= b.breach_date_earliest AND a.breach_date_latest >= b.breach_date_latest AS wider
FROM sample, time_to_threshold(growing, 2500, confidence_level => 0.95, as_of => '2026-03-31 12:00Z') a,
	time_to_threshold(growing, 2500, confidence_level => 0.50, as_of => '2026-03-31 12:00Z') b;
SELECT status, breach_probability < 0.5 AS unlikely, days_left, reason LIKE 'The chance of reaching 2500 by 2026-04-10 is % \%.' AS said
FROM sample, time_to_threshold(growing, 2500, '10 days', as_of => '2026-03-31 12:00Z');

-- Minimum limits, the mirror image.
SELECT status, days_left BETWEEN 8 AND 14 AS about, breach_probability > 0.9 AS likely
FROM sample, time_to_threshold(shrinking, 2000, direction => 'down', as_of => '2026-03-31 12:00Z');
SELECT status, reason, breach_date FROM sample, time_to_threshold(shrinking, 2500, direction => 'down', as_of => '2026-03-31 12:00Z');
SELECT status FROM sample, time_to_threshold(growing, 500, direction => 'down', as_of => '2026-03-31 12:00Z');
SELECT status, days_left FROM sample, time_to_threshold(constant, 500, direction => 'down', as_of => '2026-03-31 12:00Z');

-- Since when: the run of values at or past the threshold, gaps or not.
SELECT breach_date, reason FROM time_to_threshold('{2026-03-20 9, 2026-03-25 11, 2026-03-26 9, 2026-03-27 11, 2026-03-29 12, 2026-03-31 13}'::series, 10, as_of => '2026-04-01');

-- When there will be enough: the 14th daily point; half of the steps filled.
SELECT ready_on FROM time_to_threshold('{2026-03-31 5}'::series, 10, as_of => '2026-03-31 12:00Z')
UNION ALL SELECT ready_on FROM time_to_threshold('{2026-03-29 5, 2026-03-30 5, 2026-03-31 5}'::series, 10, as_of => '2026-03-31 12:00Z')
UNION ALL SELECT ready_on FROM time_to_threshold('{2026-03-29 5, 2026-03-30 5, 2026-03-31 5}'::series, 10, as_of => '2026-04-02 12:00Z')
UNION ALL SELECT ready_on FROM time_to_threshold('{}'::series, 10, as_of => '2026-03-31 12:00Z');
SELECT a.ready_on, b.status AS then_, c.status AS day_before
FROM sample, time_to_threshold(holes, 2000, as_of => '2026-03-31 12:00Z') a,
	LATERAL (SELECT series_agg(ts, y) AS all_, series_agg(ts, y) FILTER (WHERE ts < a.ready_on) AS less FROM (
		SELECT * FROM points(holes) UNION ALL SELECT d, 90 FROM generate_series('2026-04-01', a.ready_on, interval '1 day') d) x) later,
	time_to_threshold(all_, 2000, as_of => a.ready_on) b, time_to_threshold(less, 2000, as_of => a.ready_on) c;

-- Months by the calendar, minutes by the hour.
SELECT status, extract(day FROM breach_date) AS day FROM time_to_threshold(
	(SELECT series_agg(date '2024-01-31' + make_interval(months => i), 100 + 10 * i + i * 7919 % 3) FROM generate_series(0, 25) i), 450, '5 years', as_of => '2026-03-01');
SELECT status, n_points, breach_date BETWEEN '2026-04-10' AND '2026-05-20' AS about FROM time_to_threshold(
	(SELECT series_agg(timestamptz '2026-03-20Z' + i * interval '10 minutes', 1000 + i / 10.0 + i * 7919 % 13) FROM generate_series(0, 1583) i), 1600, as_of => '2026-03-31');

-- Misuse.
SELECT * FROM time_to_threshold('{}'::series, 'nan');
SELECT * FROM time_to_threshold('{}'::series, 'infinity');
SELECT * FROM time_to_threshold('{}'::series, 5, '-30 days');
SELECT * FROM time_to_threshold('{}'::series, 5, '0');
SELECT * FROM time_to_threshold('{}'::series, 5, '100 years');
SELECT * FROM time_to_threshold('{}'::series, 5, NULL);
SELECT * FROM time_to_threshold('{}'::series, 5, confidence_level => 80);
SELECT * FROM time_to_threshold('{}'::series, 5, direction => 'sideways');
SELECT * FROM time_to_threshold('{}'::series, 5, direction => NULL);
SELECT * FROM time_to_threshold('{}'::series, 5, kind => 'level');
SELECT * FROM time_to_threshold('{}'::series, 5, season_length => -1);
\set VERBOSITY sqlstate
SELECT * FROM time_to_threshold('{}'::series, 'nan');
SELECT * FROM time_to_threshold('{}'::series, 5, '-30 days');
SELECT * FROM time_to_threshold('{}'::series, 5, NULL);
SELECT * FROM time_to_threshold('no_such_metric', 5);
SELECT * FROM forecast('{}'::series, -1);
SELECT * FROM forecast('{}'::series, confidence_level => 95);
SELECT * FROM forecast('{}'::series, model => 'prophet');
SELECT * FROM forecast('{}'::series, NULL);
SELECT * FROM forecast('no_such_metric');
