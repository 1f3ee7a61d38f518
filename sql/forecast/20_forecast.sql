-- Forecasts: of a series, and of a metric by its name.

CREATE FUNCTION capforecast.forecast(series capforecast.series, horizon integer DEFAULT 30, model text DEFAULT 'auto',
		confidence_level double precision DEFAULT 0.95, season_length integer DEFAULT NULL,
		floor double precision DEFAULT NULL, cap double precision DEFAULT NULL, kind text DEFAULT NULL,
		as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.series_forecast
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20000 ROWS 30 AS 'MODULE_PATHNAME', 'capforecast_forecast_series';
COMMENT ON FUNCTION capforecast.forecast(capforecast.series, integer, text, double precision, integer, double precision, double precision, text, timestamptz) IS
	'Forecast a series for so many steps (1 to 3650) after its last point, with bounds that hold the confidence_level (0 to 1, exclusive). model: auto or one of those that the error for a wrong name lists, in any case. season_length: steps after which the pattern repeats; NULL detects it, 0 and 1 are none. floor and cap: no value lies beyond; where all values are whole and none is negative, the floor is 0 (floor => ''-Infinity'': none). kind: stock (a level that accumulates), flow (an amount per step) or gauge (a level that goes up and down), NULL infers it. as_of: points after it are left out, and the last one before it may be stale; NULL takes the series from its own end. One row per step, or one row with status and reason. Many series: FROM (SELECT key, series_agg(ts, y) AS s ... GROUP BY key) g, LATERAL forecast(g.s); the planner takes calls after the first for free, and uses workers where parallel_tuple_cost is 0. Errors: 22023, 22004.
Example: SELECT forecast_date, predicted, lower_bound, upper_bound FROM capforecast.forecast(''vendors'', horizon => 14, confidence_level => 0.8);';

CREATE FUNCTION capforecast.forecast(metric text, horizon integer DEFAULT 30, model text DEFAULT 'auto',
		confidence_level double precision DEFAULT 0.95, season_length integer DEFAULT NULL,
		floor double precision DEFAULT NULL, cap double precision DEFAULT NULL, kind text DEFAULT NULL,
		as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.metric_forecast
	LANGUAGE C STABLE PARALLEL SAFE COST 50000 ROWS 30 AS 'MODULE_PATHNAME', 'capforecast_forecast_metric';
COMMENT ON FUNCTION capforecast.forecast(text, integer, text, double precision, integer, double precision, double precision, text, timestamptz) IS
	'Forecast a metric of capforecast.metrics, with the arguments of forecast(series), by the hour where it is captured hourly; kind, floor and cap are the metric''s own where they are not given, and as_of is now. Where run_forecasts() keeps an archive, the bounds are as wide as its misses have taught (forecast_archive.calibrated_level). Errors: 22023 for a metric that does not exist, 22004.';

CREATE FUNCTION capforecast.metric_series(metric text, as_of timestamptz DEFAULT NULL) RETURNS capforecast.series
	LANGUAGE C STABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'capforecast_metric_series';
COMMENT ON FUNCTION capforecast.metric_series(text, timestamptz) IS
	'The last 1096 values (three years of days) of a metric until the UTC day of as_of (NULL: now), which its forecasts are made from, as a series, for decompose(), backtest() and the like. Error: 22023 for a metric that does not exist.
Example: SELECT capforecast.metric_series(''vendors'');';

CREATE FUNCTION capforecast._period_days(argument text, period interval, as_of timestamptz, least_days integer, most_days integer)
	RETURNS integer LANGUAGE C IMMUTABLE AS 'MODULE_PATHNAME', 'capforecast_period_days';
COMMENT ON FUNCTION capforecast._period_days(text, interval, timestamptz, integer, integer) IS
	'How many days of the UTC calendar the interval spans from as_of on; 22023 unless between the two, 22004 where it is NULL, with the argument''s name in the message.';
