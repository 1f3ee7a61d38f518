-- The forecast after a change.

CREATE TYPE capforecast.what_if_day AS (
	forecast_date date, predicted double precision, lower_bound double precision, upper_bound double precision,
	baseline double precision, limit_value double precision, utilization_ratio double precision,
	status capforecast.forecast_status, reason text,
	breach_date date, breach_date_earliest date, breach_date_latest date
);
COMMENT ON TYPE capforecast.what_if_day IS 'A row of what_if(): one day. breach_date and its range are of the limit, and the same on each row.';

CREATE FUNCTION capforecast.what_if(metric text, add double precision DEFAULT 0, growth_multiplier double precision DEFAULT 1,
		from_date date DEFAULT NULL, threshold double precision DEFAULT NULL, horizon integer DEFAULT 90,
		confidence_level double precision DEFAULT 0.95, as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.what_if_day
	LANGUAGE plpgsql STABLE ROWS 90 SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	now constant timestamptz := capforecast._instant(as_of);
BEGIN
	PERFORM capforecast._known_metric(what_if.metric);
	IF what_if.add IS NULL OR abs(what_if.add) = 'Infinity' OR what_if.add = 'NaN' THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'add must be a finite number',
			HINT = 'Give what comes on top from from_date on; leave it out for nothing.';
	ELSIF what_if.growth_multiplier IS NULL OR NOT what_if.growth_multiplier BETWEEN 0 AND 1000 THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'growth_multiplier must be between 0 and 1000',
			HINT = '1 is the growth that is forecast, 2 twice as much, 0 none.';
	END IF;

	RETURN QUERY
	WITH changed AS MATERIALIZED (
		SELECT f.*, row_number() OVER () AS place
		FROM capforecast._planned_forecast(what_if.metric, what_if.horizon, what_if.confidence_level, now, 0, what_if.add,
			what_if.growth_multiplier, what_if.from_date) f),
	base AS MATERIALIZED (
		SELECT f.predicted, row_number() OVER () AS place
		FROM capforecast._planned_forecast(what_if.metric, what_if.horizon, what_if.confidence_level, now) f),
	-- the nearest: the smallest maximum, the largest minimum
	limits AS (
		SELECT m.direction, coalesce(what_if.threshold, CASE m.direction WHEN 'up' THEN min(l.limit_value) ELSE max(l.limit_value) END) AS value
		FROM capforecast.metrics m LEFT JOIN capforecast._limits(now) l ON l.metric = m.metric
		WHERE m.metric = what_if.metric
		GROUP BY m.direction),
	dates AS MATERIALIZED (
		SELECT t.* FROM limits CROSS JOIN LATERAL capforecast._planned_threshold(what_if.metric, limits.value, limits.direction, now,
			what_if.add, what_if.growth_multiplier, what_if.from_date) t)
	SELECT c.forecast_date, c.predicted, c.lower_bound, c.upper_bound, b.predicted, limits.value, c.predicted / nullif(limits.value, 0),
		c.status, c.reason, t.breach_date, t.breach_date_earliest, t.breach_date_latest
	FROM changed c JOIN base b USING (place) CROSS JOIN limits CROSS JOIN dates t
	ORDER BY c.place;
END
$$;
COMMENT ON FUNCTION capforecast.what_if(text, double precision, double precision, date, double precision, integer, double precision, timestamptz) IS
	'forecast(metric) with a change from from_date on (NULL: at once): add comes on top of what is planned, and what is gained from there on is multiplied. baseline is the forecast without; where nothing is changed both are the same, and where there is no forecast both are NULL. limit_value is the threshold, or the metric''s own nearest limit; breach_date and its range (which holds it in four cases of five) say when that is reached then, as time_to_threshold() does. horizon in days. Bounds of the metric (never below 0) hold. Errors: 22023.
Example: SELECT forecast_date, baseline, predicted, breach_date FROM capforecast.what_if(''vendors'', add => 20, from_date => current_date + 7);';
