-- decompose, detect_seasonality, detect_changepoints, backtest.
SET search_path = public, capforecast;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

CREATE TEMP TABLE sample AS
	SELECT series_agg(day, 1000 + 5 * i + 40 * (i % 7) + i * 7919 % 13) AS weekly,
		series_agg(day, 1000 + 5 * i + i * 7919 % 13) AS plain, series_agg(day, 7) AS constant,
		series_agg(day, 100 + i * 7919 % 13 + CASE WHEN i >= 60 THEN 200 ELSE 0 END) AS jump,
		series_agg(day, 1000 + 5 * i + 40 * (i % 7)) FILTER (WHERE i NOT IN (30, 31, 50)) AS gaps,
		series_agg(day, CASE WHEN i = 5 THEN float8 'NaN' ELSE i END) AS nan
	FROM (SELECT i, date '2026-01-01' + i AS day FROM generate_series(0, 119) i) daily;
CREATE TEMP TABLE hourly AS
	SELECT series_agg(timestamptz '2026-01-01Z' + i * interval '1 hour', 50 + 20 * sin(i * pi() / 12)) AS s FROM generate_series(0, 335) i;

-- The components add up.
SELECT count(*) AS n, min(ds), max(ds), max(abs(y - (level + trend + season + remainder))) < 1e-9 AS adds_up,
	bool_and(status = 'ok') AS ok FROM sample, decompose(weekly);
SELECT count(*) AS n, count(y) AS n_known, bool_and(remainder = 0) FILTER (WHERE y IS NULL) AS none_where_missing,
	count(level + trend + season) AS n_stand_in FROM sample, decompose(gaps);
SELECT abs(sum(season)) < 1e-6 AS sums_to_0, count(DISTINCT round(season::numeric, 6)) AS n_seasons
FROM sample, decompose(weekly) d WHERE ds < '2026-01-08';
SELECT bool_and(season = 0) AS no_season FROM sample, decompose(weekly, 1);
SELECT count(DISTINCT level) AS n_levels FROM sample, decompose(jump);
SELECT what, d.* FROM sample, LATERAL (VALUES ('none', NULL::series), ('no points', '{}'), ('3 points', '{2026-01-01 1, 2026-01-02 2, 2026-01-03 2}'),
	('not a number', nan)) v(what, s), decompose(s) d;

SELECT what, d.season_length, d.strength_ratio > 0.5 AS strong, d.n_points, d.coverage_ratio, d.status, d.reason
FROM sample, hourly, LATERAL (VALUES ('weekly', weekly), ('plain', plain), ('constant', constant), ('gaps', gaps), ('hourly', hourly.s), ('no points', '{}')) v(what, s), detect_seasonality(v.s) d;

SELECT ds::date, kind, size BETWEEN 170 AND 230 AS about, score >= 5 AS clear, status FROM sample, detect_changepoints(jump);
SELECT count(*) AS none FROM sample, detect_changepoints(plain);
SELECT count(*) AS one FROM sample, detect_changepoints(jump, max_changes => 1);
SELECT d.* FROM detect_changepoints('{}') d;

-- A row for each fold and one for all; what was forecast well is told from what was not.
SELECT fold, origin::date, steps, model, status FROM sample, backtest(weekly, 14, 3) ORDER BY fold;
SELECT good.mae < bad.mae AS better, good.mase < 0.5 AS good, good.coverage_ratio BETWEEN 0 AND 1 AS ratio, good.rmse >= good.mae AS rmse,
	bad.bias < 0 AS too_low, good.smape_percent BETWEEN 0 AND 200 AS smape
FROM sample, backtest(weekly, 14, 3) good, backtest(weekly, 14, 3, 'mean') bad WHERE good.fold IS NULL AND bad.fold IS NULL;
SELECT count(*) FILTER (WHERE fold IS NOT NULL) < 1000 AS fewer, count(*) FILTER (WHERE fold IS NULL) AS all_of_them FROM sample, backtest(weekly, 7, 1000);
SELECT fold, origin, steps, mae, status, reason FROM sample, backtest(weekly, 365);
SELECT fold, origin, steps, mae, status, reason FROM backtest('{}');
SELECT fold, status, reason FROM sample, backtest(nan);
SELECT a.mae = b.mae AS reproducible FROM sample, backtest(weekly, 14, 3) a, backtest(weekly, 14, 3) b WHERE a.fold IS NULL AND b.fold IS NULL;

-- Misuse.
SELECT * FROM decompose('{}', -1);
SELECT * FROM detect_changepoints('{}', max_changes => 0);
SELECT * FROM backtest('{}', 0);
SELECT * FROM backtest('{}', folds => 1001);
SELECT * FROM backtest('{}', model => 'oracle');
SELECT * FROM backtest('{}', confidence_level => 95);
