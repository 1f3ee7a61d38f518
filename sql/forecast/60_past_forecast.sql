-- What was forecast, beside what came.

CREATE TYPE capforecast.forecast_outcome AS (
	metric text, made_on date, day date, predicted double precision, lower_80 double precision, upper_80 double precision, actual double precision
);
COMMENT ON TYPE capforecast.forecast_outcome IS
	'A row of past_forecast(): a day that was forecast, the bounds that were to hold it in four cases of five, and its value; actual NULL: not known, or not come yet.';

CREATE FUNCTION capforecast.past_forecast(metric text, made_on date DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.forecast_outcome LANGUAGE sql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
	SELECT f.metric, f.made_on, f.made_on + d.ahead, d.predicted, d.lower_80, d.upper_80, came.values[array_position(came.days, f.made_on + d.ahead)]
	FROM (SELECT capforecast._known_metric(past_forecast.metric) AS metric, (capforecast._instant(as_of) AT TIME ZONE 'UTC')::date AS today) asked
		CROSS JOIN LATERAL (
			SELECT a.* FROM capforecast.forecast_archive a
			WHERE a.metric = asked.metric AND a.days IS NOT NULL AND a.made_on < asked.today
				AND (past_forecast.made_on IS NULL OR a.made_on <= past_forecast.made_on)
			-- the newest that lies a month back, else the oldest
			ORDER BY past_forecast.made_on IS NULL AND a.made_on > asked.today - 30,
				CASE WHEN past_forecast.made_on IS NULL AND a.made_on > asked.today - 30 THEN a.made_on - date '2000-01-01' ELSE date '2000-01-01' - a.made_on END
			LIMIT 1) f
		LEFT JOIN LATERAL (
			SELECT array_agg(v.value ORDER BY v.day) AS values, array_agg(v.day ORDER BY v.day) AS days FROM capforecast.metric_history v
			WHERE v.metric = f.metric AND v.day > f.made_on AND v.day <= least(f.made_on + 90, asked.today)) came ON true
		CROSS JOIN LATERAL unnest(f.days, f.predicted, f.lower_80, f.upper_80) AS d(ahead, predicted, lower_80, upper_80)
	ORDER BY d.ahead
$$;
COMMENT ON FUNCTION capforecast.past_forecast(text, date, timestamptz) IS
	'What run_forecasts() forecast of a metric on a day (made_on; the newest forecast of that day or before it; NULL: one of 30 days ago, or the oldest), with the values that came: 19 of the 90 days after it. No rows where no forecast was kept. Errors: 22023 for a metric that does not exist.
Example: SELECT day, predicted, lower_80, upper_80, actual FROM capforecast.past_forecast(''vendors'');';

-- The median of the forecast, behind a bar, on the same scale.
CREATE FUNCTION capforecast.sparkline(series capforecast.series, width integer, horizon integer)
	RETURNS text LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN capforecast.n_points(ahead.s) = 0 OR split.place IS NULL THEN capforecast.sparkline(sparkline.series, width)
		ELSE left(line, split.place) || '|' || substr(line, split.place + 1) END
	FROM (SELECT capforecast.series_agg(f.ds, f.yhat) FILTER (WHERE f.yhat IS NOT NULL) AS s, max(f.ds) AS until
			FROM capforecast.forecast(sparkline.series, horizon) f) ahead
		CROSS JOIN LATERAL (SELECT min(p.ts) AS first, max(p.ts) AS last FROM capforecast.points(sparkline.series) p) came
		CROSS JOIN LATERAL (SELECT capforecast.sparkline(capforecast.series_agg(x.s), width) AS line
			FROM (VALUES (sparkline.series), (ahead.s)) x(s)) drawn
		CROSS JOIN LATERAL (SELECT round(length(line) * extract(epoch FROM came.last - came.first) / nullif(extract(epoch FROM ahead.until - came.first), 0))::integer AS place) split
$$;
COMMENT ON FUNCTION capforecast.sparkline(capforecast.series, integer, integer) IS
	'The same with what forecast() expects of the next horizon steps (1 to 3650) behind a bar. Errors: 22023.';
