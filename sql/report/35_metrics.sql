-- The metrics that a report shows, each with its chart.

CREATE TYPE capforecast._report_metric AS (metric text, label text, chart capforecast._chart_data, has_limit boolean);
COMMENT ON TYPE capforecast._report_metric IS 'A metric in the report; has_limit: one of its limits is in the outlook.';

CREATE FUNCTION capforecast._value_text(value double precision, unit text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN capforecast._number(value) || CASE WHEN unit IN ('GB', 'MB', 'kB', 'TB', '%') THEN '&#8239;' || unit ELSE '' END;
COMMENT ON FUNCTION capforecast._value_text(double precision, text) IS 'A value with its unit where that is no word for what is counted.';

-- What is said of a limit: in a table's cell and under a chart.
CREATE FUNCTION capforecast._limit_text(outlook jsonb)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE outlook ->> 'limit_kind'
			WHEN 'infrastructure' THEN capforecast._escape_html(outlook ->> 'limit_name')
			WHEN 'subscriptions' THEN 'plans allow'
			ELSE 'limit' END
		|| ': ' || capforecast._value_text((outlook ->> 'limit_value')::double precision, outlook ->> 'unit');
COMMENT ON FUNCTION capforecast._limit_text(jsonb) IS 'A limit as the label of its line, of a row of the outlook.';

CREATE FUNCTION capforecast._metric_sentence(outlook jsonb, value double precision, unit text, in_90 double precision, low_90 double precision,
		high_90 double precision, today date)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('<strong>%s</strong>', capforecast._value_text(value, unit) || CASE WHEN outlook IS NULL THEN '' ELSE ' of '
				|| capforecast._value_text((outlook ->> 'limit_value')::double precision, unit) END)
		|| coalesce(', ' || round((outlook ->> 'utilization_ratio')::numeric * 100) || '&#8239;%', '') || '. '
		|| CASE
			WHEN outlook ->> 'status' = 'already_breached' THEN CASE WHEN outlook ->> 'breach_date' IS NULL THEN 'At its limit.' ELSE 'At its limit since ' || capforecast._time_html((outlook ->> 'breach_date')::date, today) || '.' END
			WHEN (outlook ->> 'breach_date')::date IS NOT NULL THEN format('Reached about <strong>%s</strong>, in four cases of five %s.',
				capforecast._time_html((outlook ->> 'breach_date')::date, today),
				capforecast._range_html((outlook ->> 'breach_date_earliest')::date, (outlook ->> 'breach_date_latest')::date, today))
			WHEN (outlook ->> 'ready_on')::date IS NOT NULL THEN format('A date from %s on.', capforecast._time_html((outlook ->> 'ready_on')::date, today))
			WHEN outlook ->> 'status' IN ('no_growth', 'shrinking') THEN 'It does not move towards its limit.'
			WHEN outlook ->> 'status' = 'beyond_horizon' THEN 'Not reached within a year, as far as can be seen.'
			WHEN outlook IS NOT NULL THEN capforecast._escape_html(coalesce(outlook ->> 'reason', ''))
			WHEN in_90 IS NOT NULL THEN format('About <strong>%s</strong> in 90 days, in four cases of five %s &#8211; %s. No limit.',
				capforecast._value_text(in_90, unit), capforecast._value_text(low_90, unit), capforecast._value_text(high_90, unit))
			ELSE 'No forecast yet.' END
$$;
COMMENT ON FUNCTION capforecast._metric_sentence(jsonb, double precision, text, double precision, double precision, double precision, date) IS
	'What a chart shows, in words: of the metric''s row of the outlook (NULL: it has no limit) and of its forecast in 90 days.';

-- Events are "<kind> <signed size> on <day>", joined by semicolons; some have no size, some no day.
CREATE FUNCTION capforecast._metric_marks(events text, today date)
	RETURNS jsonb LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_agg(jsonb_build_object('at', e.day, 'kind', CASE
			WHEN e.kind IN ('one-off', 'level changed') THEN 'once'
			WHEN e.kind = 'pace changed' THEN 'bend'
			WHEN e.kind LIKE 'known day%' THEN 'day'
			WHEN e.kind LIKE 'planned%' THEN 'plan'
			ELSE 'other' END,
		'text', CASE WHEN e.day IS NULL THEN '' ELSE capforecast._time_html(e.day, today) || ': ' END || CASE
			WHEN e.kind = 'one-off' THEN CASE WHEN e.size IS NULL THEN 'a jump' ELSE capforecast._change(e.size) || ' at once' END
			WHEN e.kind = 'level changed' THEN 'level ' || CASE WHEN e.size IS NULL THEN 'changed' ELSE capforecast._change(e.size) END
			WHEN e.kind = 'pace changed' THEN 'pace ' || CASE WHEN e.size IS NULL THEN 'changed' ELSE capforecast._change(e.size) || ' a day' END
			WHEN e.kind = 'saturates' THEN 'levels off'
			WHEN e.kind = 'wrong value' THEN 'a wrong value, left out'
			ELSE capforecast._escape_html(e.kind) || CASE WHEN e.size IS NULL THEN '' ELSE ' ' || capforecast._change(e.size) END END) ORDER BY e.day, e.kind)
	FROM (SELECT p[1] AS kind, p[2]::double precision AS size, p[3]::date AS day
		FROM string_to_table(events, '; ') event, regexp_match(event, '^(.*?)(?: ([-+][0-9.]+(?:e[-+]?[0-9]+)?))?(?: on (\d{4}-\d\d-\d\d))?$') p) e
$$;
COMMENT ON FUNCTION capforecast._metric_marks(text, date) IS 'What happened to a metric, as marks of its chart, of the column events of a forecast; "at" is null for what has no day.';

CREATE FUNCTION capforecast._known_day_marks(metric text, first date, last date)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_agg(DISTINCT jsonb_build_object('at', d.day, 'kind', 'day')) FROM capforecast.known_days(first, last, metric) d WHERE d.offset_days = 0
$$;
COMMENT ON FUNCTION capforecast._known_day_marks(text, date, date) IS 'Known days as marks of a chart; the page names them once for all charts.';

-- The forecast by weeks, so that what repeats every week is no saw; it starts at today's value.
CREATE FUNCTION capforecast._metric_chart(metric text, outlook jsonb, as_of timestamptz, span_days integer DEFAULT 183)
	RETURNS capforecast._chart_data LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	chart capforecast._chart_data;
	today constant date := (as_of AT TIME ZONE 'UTC')::date;
	the_unit text := (SELECT m.unit FROM capforecast.metrics m WHERE m.metric = _metric_chart.metric);
	full_history capforecast.series := capforecast.metric_series(metric, as_of);
	last_value double precision;
	in_90 double precision;
	low_90 double precision;
	high_90 double precision;
	happened text;
BEGIN
	chart.today := today;
	chart.span := make_interval(days => span_days);
	chart.step := '1 day';
	SELECT capforecast.series_agg(p.ts, p.y) FILTER (WHERE p.ts >= chart.today - chart.span), (array_agg(p.y ORDER BY p.ts DESC) FILTER (WHERE p.y <> 'NaN'))[1]
	INTO chart.history, last_value
	FROM capforecast.points(full_history) p(ts, y) WHERE p.ts <= as_of;
	IF last_value IS NULL THEN
		RETURN NULL;
	END IF;
	WITH day AS (
		SELECT f.forecast_date AS at, (f.forecast_date - today + 6) / 7 AS week, f.predicted, f.lower_bound, f.upper_bound, f.events
		FROM capforecast._planned_forecast(_metric_chart.metric, span_days, 0.8, as_of) f
		WHERE f.predicted IS NOT NULL AND f.forecast_date > today),
	week AS (
		SELECT max(d.at)::timestamp AT TIME ZONE 'UTC' AS at, avg(d.predicted) AS mid, min(d.lower_bound) AS low, max(d.upper_bound) AS high
		FROM day d GROUP BY d.week
		UNION ALL SELECT chart.today, last_value, last_value, last_value WHERE EXISTS (SELECT FROM day))
	SELECT capforecast.series_agg(w.at, w.mid), capforecast.series_agg(w.at, w.low), capforecast.series_agg(w.at, w.high),
		(SELECT avg(d.predicted) FROM day d WHERE d.at - today BETWEEN 87 AND 93),
		(SELECT min(d.lower_bound) FROM day d WHERE d.at - today BETWEEN 87 AND 93),
		(SELECT max(d.upper_bound) FROM day d WHERE d.at - today BETWEEN 87 AND 93),
		(SELECT max(d.events) FROM day d)
	INTO chart.mid, chart.low, chart.high, in_90, low_90, high_90, happened
	FROM week w;
	chart.title := capforecast._escape_html(capforecast._metric_label(metric));
	chart.value_text := capforecast._value_text(last_value, the_unit);
	chart.sentence := capforecast._metric_sentence(outlook, last_value, the_unit, in_90, low_90, high_90, today);
	IF outlook IS NOT NULL THEN
		chart.limit_value := (outlook ->> 'limit_value')::double precision;
		chart.limit_text := capforecast._limit_text(outlook);
		chart.is_minimum := (SELECT m.direction = 'down' FROM capforecast.metrics m WHERE m.metric = _metric_chart.metric);
		chart.earliest := (outlook ->> 'breach_date_earliest')::date;
		chart.breach := (outlook ->> 'breach_date')::date;
		chart.latest := (outlook ->> 'breach_date_latest')::date;
	END IF;
	chart.marks := coalesce(capforecast._metric_marks(happened, today), '[]')
		|| coalesce(capforecast._known_day_marks(metric, today - span_days, today + span_days), '[]');
	RETURN chart;
END
$$;
COMMENT ON FUNCTION capforecast._metric_chart(text, jsonb, timestamptz, integer) IS
	'What the chart of a metric shows: its history and its forecast at 80 %, with its row of the outlook (NULL: it has no limit). NULL where it has no value.';

-- Those with a limit, the soonest first; then what a platform is counted by, and the operator's own.
CREATE FUNCTION capforecast._report_metrics(facts jsonb)
	RETURNS SETOF capforecast._report_metric LANGUAGE sql STABLE ROWS 15 SET search_path = pg_catalog, pg_temp AS $$
	SELECT m.metric, capforecast._metric_label(m.metric), c.*::capforecast._chart_data, m.outlook IS NOT NULL
	FROM (SELECT DISTINCT ON (coalesce(o.row ->> 'metric', m.metric)) coalesce(o.row ->> 'metric', m.metric) AS metric, o.row AS outlook,
			coalesce(o.position, 1000 + array_position('{vendors,products,orders,team_members,storage_gb,db_size_mb}', m.metric), 2000) AS position
		FROM capforecast.metrics m
			FULL JOIN jsonb_array_elements(facts -> 'outlook') WITH ORDINALITY AS o(row, position) ON o.row ->> 'metric' = m.metric
		WHERE o.row IS NOT NULL OR NOT m.is_builtin OR m.metric IN ('vendors', 'products', 'orders', 'team_members', 'storage_gb', 'db_size_mb')
		ORDER BY 1, 3) m
		CROSS JOIN LATERAL capforecast._metric_chart(m.metric, m.outlook, (facts ->> 'as_of')::timestamptz) c
	WHERE c.history IS NOT NULL
	ORDER BY m.position, m.metric
$$;
COMMENT ON FUNCTION capforecast._report_metrics(jsonb) IS 'The metrics of a report, in its order, of the document of its parts.';

-- What was forecast a month ago, and what came.
CREATE FUNCTION capforecast._past_chart(past jsonb, as_of timestamptz)
	RETURNS capforecast._report_metric LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	chart capforecast._chart_data;
	the_metric constant text := past -> 0 ->> 'metric';
	made_on constant date := past -> 0 ->> 'made_on';
	today constant date := (as_of AT TIME ZONE 'UTC')::date;
	unit constant text := (SELECT m.unit FROM capforecast.metrics m WHERE m.metric = the_metric);
	n bigint;
	held bigint;
BEGIN
	chart.today := made_on;
	chart.span := make_interval(days => greatest(today - made_on + 3, 14));
	chart.step := '1 day';
	chart.today_text := capforecast._day(made_on, today);
	chart.title := capforecast._escape_html(capforecast._metric_label(the_metric));
	SELECT capforecast.series_agg(p.ts, p.y) INTO chart.history
	FROM capforecast.points(capforecast.metric_series(the_metric, as_of)) p(ts, y)
	WHERE p.ts BETWEEN chart.today - chart.span AND chart.today + chart.span;
	SELECT capforecast.series_agg(f.at, f.mid), capforecast.series_agg(f.at, f.low), capforecast.series_agg(f.at, f.high),
		count(f.actual), count(*) FILTER (WHERE f.actual BETWEEN f.low AND f.high)
	INTO chart.mid, chart.low, chart.high, n, held
	FROM (SELECT (d ->> 'day')::timestamptz AS at, (d ->> 'predicted')::double precision AS mid, (d ->> 'lower_80')::double precision AS low,
			(d ->> 'upper_80')::double precision AS high, (d ->> 'actual')::double precision AS actual
		FROM jsonb_array_elements(past) d
		UNION ALL
		SELECT p.ts, p.y, p.y, p.y, NULL FROM capforecast.points(chart.history) p(ts, y) WHERE p.ts = chart.today) f
	WHERE f.at <= chart.today + chart.span;
	chart.value_text := (SELECT capforecast._value_text(p.y, unit) FROM capforecast.points(chart.history) p(ts, y) WHERE p.y <> 'NaN' ORDER BY p.ts DESC LIMIT 1);
	chart.sentence := format('Forecast of %s, and what came: the range held <strong>%s of %s</strong> days.', capforecast._time_html(made_on, today, true), held, n);
	IF n = 0 THEN
		RETURN NULL;
	END IF;
	RETURN ROW(the_metric, chart.title, chart, false)::capforecast._report_metric;
END
$$;
COMMENT ON FUNCTION capforecast._past_chart(jsonb, timestamptz) IS 'A forecast of the past beside what came, of the rows of past_forecast() for one metric; NULL where none of its days has come.';
