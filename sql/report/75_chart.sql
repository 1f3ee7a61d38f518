-- Single charts.

CREATE FUNCTION capforecast._check_chart_size(width integer, height integer)
	RETURNS void LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF width IS NULL OR height IS NULL OR width NOT BETWEEN 200 AND 4000 OR height NOT BETWEEN 120 AND 4000 THEN
		RAISE invalid_parameter_value USING
			MESSAGE = pg_catalog.format('a chart cannot be %s by %s', width, height),
			CONSTRAINT = 'bad_size',
			HINT = 'Use a width of 200 to 4000 and a height of 120 to 4000.';
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._check_chart_size(integer, integer) IS 'Raises 22023 unless a chart of this size can be drawn.';

-- As long back as ahead, at least 30 steps.
CREATE FUNCTION capforecast._series_chart(series capforecast.series, metric text, horizon integer, threshold double precision, title text, kind text, as_of timestamptz)
	RETURNS capforecast._chart_data LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	chart capforecast._chart_data;
	last_value double precision;
	reached record;
BEGIN
	SELECT max(p.ts), (array_agg(p.y ORDER BY p.ts DESC))[1], percentile_disc(0.5) WITHIN GROUP (ORDER BY p.ts - p.before)
	INTO chart.today, last_value, chart.step
	FROM (SELECT q.ts, q.y, lag(q.ts) OVER (ORDER BY q.ts) AS before FROM capforecast.points(series) q(ts, y)
		WHERE q.y <> 'NaN' AND (as_of IS NULL OR q.ts <= as_of)) p;
	IF last_value IS NULL THEN
		RETURN NULL;
	END IF;
	chart.step := coalesce(chart.step, '1 day');
	chart.title := coalesce(capforecast._escape_html(title), 'Forecast');
	chart.value_text := capforecast._number(last_value);
	SELECT capforecast.series_agg(f.at, f.yhat), capforecast.series_agg(f.at, f.yhat_lower), capforecast.series_agg(f.at, f.yhat_upper)
	INTO chart.mid, chart.low, chart.high
	FROM (SELECT f.ds AS at, f.yhat, f.yhat_lower, f.yhat_upper
			FROM capforecast.forecast(series, horizon, confidence_level => 0.8, kind => kind, as_of => as_of) f WHERE metric IS NULL AND f.yhat IS NOT NULL
		UNION ALL SELECT f.forecast_date::timestamp AT TIME ZONE 'UTC', f.predicted, f.lower_bound, f.upper_bound
			FROM capforecast._planned_forecast(metric, horizon, 0.8, as_of, kind => kind) f WHERE f.predicted IS NOT NULL
		UNION ALL SELECT chart.today, last_value, last_value, last_value) f;
	chart.span := greatest(horizon, 30) * chart.step;
	SELECT capforecast.series_agg(p.ts, p.y) INTO chart.history
	FROM capforecast.points(series) p(ts, y) WHERE p.ts >= chart.today - chart.span AND p.ts <= chart.today;
	chart.sentence := format('<strong>%s</strong>.', chart.value_text);
	IF threshold IS NOT NULL THEN
		SELECT t.* INTO reached FROM (SELECT greatest(horizon * chart.step, interval '1 day') AS ahead, CASE WHEN last_value > threshold THEN 'down' ELSE 'up' END AS direction) a
			CROSS JOIN LATERAL (
				SELECT * FROM capforecast.time_to_threshold(series, threshold, horizon => a.ahead, direction => a.direction, kind => kind, as_of => as_of) WHERE metric IS NULL
				UNION ALL
				SELECT * FROM capforecast.time_to_threshold(metric, threshold, horizon => a.ahead, direction => a.direction, kind => kind, as_of => as_of) WHERE metric IS NOT NULL) t;
		chart.limit_value := threshold;
		chart.limit_text := 'limit: ' || capforecast._number(threshold);
		chart.is_minimum := last_value > threshold;
		chart.earliest := reached.breach_date_earliest;
		chart.breach := reached.breach_date;
		chart.latest := reached.breach_date_latest;
		chart.sentence := capforecast._metric_sentence(jsonb_build_object('limit_value', threshold, 'status', reached.status, 'breach_date', reached.breach_date,
			'breach_date_earliest', reached.breach_date_earliest, 'breach_date_latest', reached.breach_date_latest, 'ready_on', reached.ready_on, 'reason', reached.reason),
			last_value, NULL, NULL, NULL, NULL, (chart.today AT TIME ZONE 'UTC')::date);
	END IF;
	RETURN chart;
END
$$;
COMMENT ON FUNCTION capforecast._series_chart(capforecast.series, text, integer, double precision, text, text, timestamptz) IS
	'What the chart of a series shows, with what is planned where it is a metric''s. A threshold below the last value is a minimum.';

CREATE FUNCTION capforecast.chart(series capforecast.series, horizon integer DEFAULT 30, threshold double precision DEFAULT NULL, title text DEFAULT NULL,
		width integer DEFAULT 720, height integer DEFAULT 240, kind text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT capforecast._check_chart_size(width, height);
	SELECT capforecast._chart_svg(c, width, height, 'chart', '', '<style>' || capforecast._chart_style() || '</style>')
	FROM capforecast._series_chart(series, NULL, horizon, threshold, title, kind, CASE WHEN as_of IS NOT NULL THEN capforecast._instant(as_of) END) c
	WHERE c.history IS NOT NULL
$$;
COMMENT ON FUNCTION capforecast.chart(capforecast.series, integer, double precision, text, integer, integer, text, timestamptz) IS
	'A series and its forecast as an svg element: what came, the median and the range that holds four cases of five, the threshold and when it is reached. horizon in steps; width and height in user units. A threshold below the last value is a minimum. NULL where the series has no value. Errors: 22023, and those of forecast().
Example: SELECT capforecast.chart(''vendors'', horizon => 90);';

CREATE FUNCTION capforecast.chart(metric text, horizon integer DEFAULT 183, threshold double precision DEFAULT NULL, title text DEFAULT NULL,
		width integer DEFAULT 720, height integer DEFAULT 240, kind text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT capforecast._check_chart_size(width, height);
	SELECT capforecast._chart_svg(c, width, height, 'chart', '', '<style>' || capforecast._chart_style() || '</style>')
	FROM capforecast._series_chart(capforecast.metric_series(metric, capforecast._instant(as_of)), metric, horizon,
		coalesce(threshold, (SELECT l.limit_value FROM capforecast._limits(capforecast._instant(as_of)) l WHERE l.metric = chart.metric
			ORDER BY CASE l.direction WHEN 'up' THEN l.limit_value ELSE -l.limit_value END LIMIT 1)),
		coalesce(title, capforecast._metric_label(metric)),
		coalesce(kind, (SELECT m.kind FROM capforecast.metrics m WHERE m.metric = chart.metric)),
		CASE WHEN as_of IS NOT NULL THEN capforecast._instant(as_of) END) c
	WHERE c.history IS NOT NULL
$$;
COMMENT ON FUNCTION capforecast.chart(text, integer, double precision, text, integer, integer, text, timestamptz) IS
	'The same for a metric by its name, with what is planned for it; threshold: its own nearest limit where none is given. Errors: 22023 for a metric that does not exist.';
