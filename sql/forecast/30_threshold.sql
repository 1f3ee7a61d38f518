-- When a limit is reached.

CREATE FUNCTION capforecast.time_to_threshold(series capforecast.series, threshold double precision,
		horizon interval DEFAULT '365 days', confidence_level double precision DEFAULT 0.80, direction text DEFAULT 'up',
		season_length integer DEFAULT NULL, kind text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.threshold_forecast
	LANGUAGE C STABLE PARALLEL SAFE COST 20000 ROWS 1 AS 'MODULE_PATHNAME', 'capforecast_time_to_threshold_series';
COMMENT ON FUNCTION capforecast.time_to_threshold(capforecast.series, double precision, interval, double precision, text, integer, text, timestamptz) IS
	'When a series reaches the threshold (NULL: no limit), as one row: the day by which it does with a chance of a half, the range that holds it with the confidence_level (0 to 1, exclusive), and the chance within the horizon (from as_of on, at most 10000 days). direction: up where the threshold is a maximum, down where it is a minimum. Needs 14 points over 7 days, or 48 at steps shorter than a day, with a value at half of the steps. as_of NULL is now; a last point more than three steps old is stale, later where gaps are usual. Errors: 22023, 22004.
Example: SELECT status, breach_date, breach_date_earliest, breach_date_latest FROM capforecast.time_to_threshold(''vendors'', 100);';

CREATE FUNCTION capforecast.time_to_threshold(metric text, threshold double precision,
		horizon interval DEFAULT '365 days', confidence_level double precision DEFAULT 0.80, direction text DEFAULT 'up',
		season_length integer DEFAULT NULL, kind text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.threshold_forecast
	LANGUAGE C STABLE PARALLEL SAFE COST 50000 ROWS 1 AS 'MODULE_PATHNAME', 'capforecast_time_to_threshold_metric';
COMMENT ON FUNCTION capforecast.time_to_threshold(text, double precision, interval, double precision, text, integer, text, timestamptz) IS
	'The same for a metric of capforecast.metrics, by name; kind is the metric''s own where it is not given. Error: 22023 for a metric that does not exist.';

CREATE FUNCTION capforecast._threshold_curve(metric text, threshold double precision, horizon interval,
		confidence_level double precision, direction text, season_length integer, kind text, as_of timestamptz,
		chance_days integer[])
	RETURNS SETOF capforecast.threshold_curve
	LANGUAGE C STABLE PARALLEL SAFE COST 50000 ROWS 1 AS 'MODULE_PATHNAME', 'capforecast_threshold_curve';
COMMENT ON FUNCTION capforecast._threshold_curve(text, double precision, interval, double precision, text, integer, text, timestamptz, integer[]) IS
	'time_to_threshold(metric), and of the same simulation the chance by each of so many days after as_of (each 1 to 10000, 100 at most); days beyond the horizon change nothing of the answer.';

-- With a change that comes on top of what is planned, or without one of the planned events.
CREATE FUNCTION capforecast._planned_forecast(metric text, horizon integer, confidence_level double precision, as_of timestamptz,
		without bigint DEFAULT 0, add double precision DEFAULT 0, growth_multiplier double precision DEFAULT 1, from_date date DEFAULT NULL, kind text DEFAULT NULL)
	RETURNS SETOF capforecast.metric_forecast
	LANGUAGE C STABLE PARALLEL SAFE COST 50000 ROWS 30 AS 'MODULE_PATHNAME', 'capforecast_planned_forecast';
COMMENT ON FUNCTION capforecast._planned_forecast(text, integer, double precision, timestamptz, bigint, double precision, double precision, date, text) IS
	'forecast(metric) by days with the planned events but for one by its id (0: with all), and then with a change as what_if() takes it: add, growth_multiplier, and the first day (NULL: at once).';

CREATE FUNCTION capforecast._planned_threshold(metric text, threshold double precision, direction text, as_of timestamptz,
		add double precision, growth_multiplier double precision, from_date date)
	RETURNS SETOF capforecast.threshold_forecast
	LANGUAGE C STABLE PARALLEL SAFE COST 50000 ROWS 1 AS 'MODULE_PATHNAME', 'capforecast_planned_threshold';
COMMENT ON FUNCTION capforecast._planned_threshold(text, double precision, text, timestamptz, double precision, double precision, date) IS
	'time_to_threshold(metric) within a year, with a change as what_if() takes it.';
