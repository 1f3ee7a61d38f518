-- What a series is made of, and how well it can be forecast.

CREATE FUNCTION capforecast.decompose(series capforecast.series, season_length integer DEFAULT NULL)
	RETURNS TABLE (ds timestamptz, y double precision, level double precision, trend double precision,
		season double precision, remainder double precision, status capforecast.forecast_status, reason text)
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20000 ROWS 100 AS 'MODULE_PATHNAME', 'capforecast_decompose';
COMMENT ON FUNCTION capforecast.decompose(capforecast.series, integer) IS
	'A series taken apart, one row per step: y = level (constant between level shifts) + trend + season + remainder. Where y is NULL, the sum of the others is what stands in for it. season_length: steps, NULL detects it, 0 and 1 are none. A series that cannot be taken apart is one row with status and reason.
Example: SELECT * FROM capforecast.decompose(capforecast.metric_series(''orders''));';

CREATE FUNCTION capforecast.detect_seasonality(series capforecast.series)
	RETURNS TABLE (season_length integer, strength_ratio double precision, n_points integer,
		coverage_ratio double precision, status capforecast.forecast_status, reason text)
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 1 AS 'MODULE_PATHNAME', 'capforecast_detect_seasonality';
COMMENT ON FUNCTION capforecast.detect_seasonality(capforecast.series) IS
	'The steps after which a series'' pattern repeats (1: it has none), and the share of the variance about the trend that the pattern explains (0 to 1). A second row where a longer one lies over the first: the week of hours, the year of days (365).
Example: SELECT * FROM capforecast.detect_seasonality(capforecast.metric_series(''orders''));';

CREATE FUNCTION capforecast.detect_changepoints(series capforecast.series, season_length integer DEFAULT NULL,
		max_changes integer DEFAULT 10)
	RETURNS TABLE (ds timestamptz, kind text, size double precision, score double precision,
		status capforecast.forecast_status, reason text)
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20000 ROWS 2 AS 'MODULE_PATHNAME', 'capforecast_detect_changepoints';
COMMENT ON FUNCTION capforecast.detect_changepoints(capforecast.series, integer, integer) IS
	'Where a series'' level jumped or its slope turned: the first step of what follows, kind level (size: the jump) or slope (size: change of the slope per step), and score, the same in robust standard errors (at least 5). The strongest max_changes (1 to 1000), in order of time; no row where there is none.
Example: SELECT * FROM capforecast.detect_changepoints(capforecast.metric_series(''products''));';

CREATE TYPE capforecast.backtest_score AS (
	fold integer, origin timestamptz, steps integer, model text, mae double precision, rmse double precision,
	bias double precision, smape_percent double precision, mase double precision, rmsse double precision,
	coverage_ratio double precision, interval_width double precision, msis double precision,
	status capforecast.forecast_status, reason text
);
COMMENT ON TYPE capforecast.backtest_score IS 'A row of backtest(): one fold, or all of them (fold NULL).';

CREATE FUNCTION capforecast.backtest(series capforecast.series, horizon integer DEFAULT 30, folds integer DEFAULT 5,
		model text DEFAULT 'auto', confidence_level double precision DEFAULT 0.95, season_length integer DEFAULT NULL,
		floor double precision DEFAULT NULL, cap double precision DEFAULT NULL, kind text DEFAULT NULL)
	RETURNS SETOF capforecast.backtest_score
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000 ROWS 6 AS 'MODULE_PATHNAME', 'capforecast_backtest';
COMMENT ON FUNCTION capforecast.backtest(capforecast.series, integer, integer, text, double precision, integer, double precision, double precision, text) IS
	'Forecast a series from earlier steps of it and compare with what came: one row per fold (1 to 1000, the earliest first; fewer where the history allows no more), each a forecast of so many steps (1 to 3650) after origin, and one for all (fold NULL). bias is the mean of forecast - actual; smape_percent 0 to 200; mase, rmsse and msis are over the in-sample errors of the seasonal naive forecast; coverage_ratio is to be compared with confidence_level. Other arguments as forecast(). Errors: 22023, 22004.
Example: SELECT * FROM capforecast.backtest(capforecast.metric_series(''vendors''), horizon => 14, folds => 3);';

CREATE FUNCTION capforecast.explain_forecast(series capforecast.series, horizon integer DEFAULT 30, model text DEFAULT 'auto',
		confidence_level double precision DEFAULT 0.95, season_length integer DEFAULT NULL,
		floor double precision DEFAULT NULL, cap double precision DEFAULT NULL, kind text DEFAULT NULL,
		as_of timestamptz DEFAULT NULL)
	RETURNS text
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20000 AS 'MODULE_PATHNAME', 'capforecast_explain_forecast_series';
COMMENT ON FUNCTION capforecast.explain_forecast(capforecast.series, integer, text, double precision, integer, double precision, double precision, text, timestamptz) IS
	'One plain sentence about the forecast that forecast() makes of the same arguments.
Example: SELECT capforecast.explain_forecast(''vendors'', horizon => 90);';

CREATE FUNCTION capforecast.explain_forecast(metric text, horizon integer DEFAULT 30, model text DEFAULT 'auto',
		confidence_level double precision DEFAULT 0.95, season_length integer DEFAULT NULL,
		floor double precision DEFAULT NULL, cap double precision DEFAULT NULL, kind text DEFAULT NULL,
		as_of timestamptz DEFAULT NULL)
	RETURNS text
	LANGUAGE C STABLE PARALLEL SAFE COST 50000 AS 'MODULE_PATHNAME', 'capforecast_explain_forecast_metric';
COMMENT ON FUNCTION capforecast.explain_forecast(text, integer, text, double precision, integer, double precision, double precision, text, timestamptz) IS
	'The same for a metric, by name.';
