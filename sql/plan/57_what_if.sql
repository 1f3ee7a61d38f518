-- The forecast after a change.

CREATE TYPE capforecast.what_if_day AS (
	forecast_date date, predicted double precision, lower_bound double precision, upper_bound double precision,
	baseline double precision, limit_value double precision, utilization_ratio double precision,
	status capforecast.forecast_status, reason text,
	breach_date date, breach_date_earliest date, breach_date_latest date
);
COMMENT ON TYPE capforecast.what_if_day IS 'A row of what_if(): one day. breach_date and its range are of the limit, and the same on each row.';

CREATE FUNCTION capforecast._changed(value double precision, before double precision, add double precision, growth_multiplier double precision)
	RETURNS double precision LANGUAGE sql IMMUTABLE
	RETURN before + add + growth_multiplier * (value - before);
COMMENT ON FUNCTION capforecast._changed(double precision, double precision, double precision, double precision) IS
	'A value of the forecast after a change: what is gained from before on is multiplied, and something comes on top.';

-- Until a change comes the limit itself counts, and from then on what of the forecast the change makes the limit.
CREATE FUNCTION capforecast._what_if_dates(metric text, limit_value double precision, direction text, before double precision,
		add double precision, growth_multiplier double precision, from_date date, as_of timestamptz)
	RETURNS TABLE (earliest date, median date, latest date)
	LANGUAGE sql STABLE ROWS 1 BEGIN ATOMIC
	SELECT CASE WHEN is_as_it_is OR is_later AND a.breach_date_earliest < start.day THEN a.breach_date_earliest ELSE CASE WHEN b.earliest IS NOT NULL THEN greatest(b.earliest, start.day) END END,
		CASE WHEN is_as_it_is OR is_later AND a.breach_date < start.day THEN a.breach_date ELSE CASE WHEN b.median IS NOT NULL THEN greatest(b.median, start.day) END END,
		CASE WHEN is_as_it_is OR is_later AND a.breach_date_latest < start.day THEN a.breach_date_latest ELSE CASE WHEN b.latest IS NOT NULL THEN greatest(b.latest, start.day) END END
	FROM (SELECT greatest(from_date, today) AS day, from_date > today AS is_later FROM (SELECT (as_of AT TIME ZONE 'UTC')::date AS today) c) start
		CROSS JOIN LATERAL capforecast.time_to_threshold(metric, limit_value, direction => direction, as_of => as_of) a
		CROSS JOIN LATERAL (SELECT add = 0 AND growth_multiplier = 1 OR start.is_later AND a.status = 'already_breached' AS is_as_it_is) k
		LEFT JOIN LATERAL (
			SELECT CASE t.status WHEN 'already_breached' THEN start.day ELSE t.breach_date_earliest END,
				CASE t.status WHEN 'already_breached' THEN start.day ELSE t.breach_date END,
				CASE t.status WHEN 'already_breached' THEN start.day ELSE t.breach_date_latest END
			FROM capforecast.time_to_threshold(metric, before + (limit_value - before - add) / nullif(growth_multiplier, 0),
				direction => direction, as_of => as_of) t
			WHERE growth_multiplier <> 0
			UNION ALL
			-- what does not grow any more is at the limit when the change comes, or never
			SELECT start.day, start.day, start.day
			WHERE growth_multiplier = 0
				AND CASE direction WHEN 'up' THEN before + add >= limit_value ELSE before + add <= limit_value END) b(earliest, median, latest)
			ON NOT is_as_it_is;
END;
COMMENT ON FUNCTION capforecast._what_if_dates(text, double precision, text, double precision, double precision, double precision, date, timestamptz) IS
	'When the limit is reached after a change: time_to_threshold() of the limit until then, and from then on of the value that the change makes the limit.';

CREATE FUNCTION capforecast.what_if(metric text, add double precision DEFAULT 0, growth_multiplier double precision DEFAULT 1,
		from_date date DEFAULT NULL, threshold double precision DEFAULT NULL, horizon integer DEFAULT 90,
		confidence_level double precision DEFAULT 0.95, as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.what_if_day
	LANGUAGE plpgsql STABLE ROWS 90 SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	now constant timestamptz := capforecast._instant(as_of);
	today constant date := (now AT TIME ZONE 'UTC')::date;
	start constant date := coalesce(what_if.from_date, '-infinity');
	plain constant boolean := what_if.add = 0 AND what_if.growth_multiplier = 1;
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
	WITH base AS MATERIALIZED (
		SELECT * FROM capforecast.forecast(what_if.metric, what_if.horizon, confidence_level => what_if.confidence_level, as_of => now)),
	-- growth counts from the last value before the change
	before AS (
		SELECT coalesce(
			(SELECT b.predicted FROM base b WHERE b.forecast_date < start ORDER BY b.forecast_date DESC LIMIT 1),
			(SELECT h.value FROM capforecast.metric_history h
			  WHERE h.metric = what_if.metric AND h.day <= today ORDER BY h.day DESC LIMIT 1)) AS value),
	known AS (SELECT m.floor, m.cap, m.direction FROM capforecast.metrics m WHERE m.metric = what_if.metric),
	-- the nearest: the smallest maximum, the largest minimum
	limits AS (
		SELECT coalesce(what_if.threshold, CASE known.direction WHEN 'up' THEN min(l.limit_value) ELSE max(l.limit_value) END) AS value
		FROM known LEFT JOIN capforecast._limits(now) l ON l.metric = what_if.metric
		GROUP BY known.direction),
	-- what cannot be forecast is not known after a change, either
	changed AS (
		SELECT b.forecast_date, b.predicted, b.status, b.reason, c.values[1] AS p, c.values[2] AS l, c.values[3] AS u
		FROM base b CROSS JOIN before CROSS JOIN known CROSS JOIN LATERAL (
			SELECT array_agg(CASE WHEN plain OR b.forecast_date < start OR x.value IS NULL THEN x.value
				ELSE least(greatest(capforecast._changed(x.value, before.value, what_if.add, what_if.growth_multiplier),
					known.floor), known.cap) END ORDER BY x.position) AS values
			FROM (VALUES (1, b.predicted), (2, b.lower_bound), (3, b.upper_bound)) x(position, value)) c),
	dates AS (
		SELECT d.* FROM before CROSS JOIN known CROSS JOIN limits
			CROSS JOIN LATERAL capforecast._what_if_dates(what_if.metric, limits.value, known.direction, before.value,
				what_if.add, what_if.growth_multiplier, start, now) d)
	SELECT c.forecast_date, c.p, c.l, c.u, c.predicted, limits.value, c.p / nullif(limits.value, 0), c.status, c.reason,
		dates.median, dates.earliest, dates.latest
	FROM changed c CROSS JOIN limits LEFT JOIN dates ON true ORDER BY c.forecast_date;
END
$$;
COMMENT ON FUNCTION capforecast.what_if(text, double precision, double precision, date, double precision, integer, double precision, timestamptz) IS
	'forecast(metric) with a change from from_date on (NULL: at once): add comes on top, and what is gained from there on is multiplied. baseline is the forecast without; where nothing is changed both are the same, and where there is no forecast both are NULL. limit_value is the threshold, or the metric''s own nearest limit; breach_date and its range (which holds it in four cases of five) say when that is reached then, as time_to_threshold() does. horizon in days. Bounds of the metric (never below 0) hold. Errors: 22023.
Example: SELECT forecast_date, baseline, predicted, breach_date FROM capforecast.what_if(''vendors'', add => 20, from_date => current_date + 7);';
