-- One metric as a picture: what came, what is forecast, the limit, and when it is reached.

CREATE TYPE capforecast._chart_data AS (
	title       text,
	sentence    text,
	today       timestamptz,
	span        interval,
	step        interval,
	history     capforecast.series,
	mid         capforecast.series,
	low         capforecast.series,
	high        capforecast.series,
	value_text  text,
	limit_value double precision,
	limit_text  text,
	is_minimum  boolean,
	earliest    timestamptz,
	breach      timestamptz,
	latest      timestamptz,
	marks       jsonb,
	today_text  text
);
COMMENT ON TYPE capforecast._chart_data IS
	'What a chart shows. title, sentence, value_text and limit_text are HTML; span lies before and after today; low and high hold the values in four cases of five; marks: [{"at", "kind", "text"}]; today_text stands below the line at today.';

-- Where a chart's values and times lie on it.
CREATE TYPE capforecast._chart_frame AS (
	width double precision, height double precision, x0 double precision, x1 double precision, y0 double precision, y1 double precision,
	from_time double precision, to_time double precision, bottom double precision, top double precision, tick double precision
);
COMMENT ON TYPE capforecast._chart_frame IS 'Size, corners of the plot (y0 is its bottom), and the times (seconds) and values at them.';

CREATE FUNCTION capforecast._chart_x(frame capforecast._chart_frame, at timestamptz)
	RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN round(((frame).x0 + ((frame).x1 - (frame).x0) * (extract(epoch FROM at)::double precision - (frame).from_time)
		/ ((frame).to_time - (frame).from_time))::numeric, 1);
COMMENT ON FUNCTION capforecast._chart_x(capforecast._chart_frame, timestamptz) IS 'Horizontal place of a time, in user units.';

CREATE FUNCTION capforecast._chart_y(frame capforecast._chart_frame, value double precision)
	RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN value IS NOT NULL THEN round((greatest(least((frame).y0 - ((frame).y0 - (frame).y1) * (value - (frame).bottom)
		/ ((frame).top - (frame).bottom), (frame).y0), (frame).y1))::numeric, 1) END;
COMMENT ON FUNCTION capforecast._chart_y(capforecast._chart_frame, double precision) IS 'Vertical place of a value, within the plot; NULL where there is none.';

-- The smallest of 1, 2, 2.5 and 5 times a power of ten that parts a span at most four times.
CREATE FUNCTION capforecast._chart_tick(span double precision)
	RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN (SELECT min(m * power(10::double precision, floor(log(greatest(span, 1e-9) / 4)) + e))
		FROM unnest('{1,2,2.5,5}'::double precision[]) m, generate_series(0, 1) e
		WHERE m * power(10::double precision, floor(log(greatest(span, 1e-9) / 4)) + e) >= span / 4 * (1 - 1e-9));
COMMENT ON FUNCTION capforecast._chart_tick(double precision) IS 'Distance of the ticks of an axis.';

CREATE FUNCTION capforecast._chart_frame(data capforecast._chart_data, width integer, height integer)
	RETURNS capforecast._chart_frame LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	frame capforecast._chart_frame;
	least_value double precision;
	most double precision;
	band double precision;
BEGIN
	SELECT min(p.y), max(p.y) INTO least_value, most
	FROM (SELECT * FROM capforecast.points(data.history) UNION ALL SELECT * FROM capforecast.points(data.mid)) p(ts, y);
	SELECT max(p.y) INTO band FROM capforecast.points(data.high) p(ts, y);
	most := greatest(most, 1.04 * data.limit_value, CASE WHEN data.limit_value IS NULL AND most IS NULL THEN 1 END);
	frame.top := greatest(most + 0.04 * abs(most), least(band, most + 0.18 * abs(most)));
	frame.bottom := least(0, least_value);
	IF data.limit_value IS NULL AND least_value > most / 2 THEN
		frame.tick := capforecast._chart_tick(frame.top - least_value);
		frame.bottom := floor(least_value / frame.tick) * frame.tick;
	END IF;
	IF frame.top <= frame.bottom THEN
		frame.top := frame.bottom + 1;
	END IF;
	frame.tick := capforecast._chart_tick(frame.top - frame.bottom);
	frame.bottom := floor(frame.bottom / frame.tick) * frame.tick;
	frame.width := width;
	frame.height := height;
	frame.x0 := 46;
	frame.x1 := width - 10;
	frame.y0 := height - 26;
	frame.y1 := 30;
	frame.from_time := extract(epoch FROM data.today - data.span);
	frame.to_time := extract(epoch FROM data.today + data.span);
	RETURN frame;
END
$$;
COMMENT ON FUNCTION capforecast._chart_frame(capforecast._chart_data, integer, integer) IS
	'The frame of a chart: zero is in it where there is a limit; a band may go beyond its top.';

-- A line breaks where more than three steps are missing.
CREATE FUNCTION capforecast._chart_line(frame capforecast._chart_frame, line capforecast.series, step interval)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(format('%s%s %s', CASE WHEN p.ts - p.before <= 3.5 * step THEN 'L' ELSE 'M' END,
		capforecast._chart_x(frame, p.ts), capforecast._chart_y(frame, p.y)), '' ORDER BY p.ts)
	FROM (SELECT q.ts, q.y, lag(q.ts) OVER (ORDER BY q.ts) AS before FROM capforecast.points(line) q(ts, y) WHERE q.y <> 'NaN') p
$$;
COMMENT ON FUNCTION capforecast._chart_line(capforecast._chart_frame, capforecast.series, interval) IS 'The path of a line.';

CREATE FUNCTION capforecast._chart_band(frame capforecast._chart_frame, low capforecast.series, high capforecast.series)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'M' || string_agg(format('%s %s', capforecast._chart_x(frame, p.ts), capforecast._chart_y(frame, p.y)), 'L' ORDER BY p.side, p.place) || 'Z'
	FROM (SELECT 1 AS side, h.ts, h.y, row_number() OVER (ORDER BY h.ts) AS place FROM capforecast.points(high) h(ts, y)
		UNION ALL SELECT 2, l.ts, l.y, row_number() OVER (ORDER BY l.ts DESC) FROM capforecast.points(low) l(ts, y)) p
$$;
COMMENT ON FUNCTION capforecast._chart_band(capforecast._chart_frame, capforecast.series, capforecast.series) IS 'The path of the area between two lines.';

-- Ticks of the days: each month, each second one of them named, none near to today; within two months weeks.
CREATE FUNCTION capforecast._chart_days(frame capforecast._chart_frame, today timestamptz)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	WITH range AS (
		SELECT to_timestamp((frame).from_time) AT TIME ZONE 'UTC' AS first, to_timestamp((frame).to_time) AT TIME ZONE 'UTC' AS last,
			((frame).to_time - (frame).from_time) / 86400 AS days),
	tick AS (
		SELECT m.at, date_trunc('month', m.at) = m.at AND extract(month FROM m.at)::integer % (CASE
				WHEN range.days <= 200 OR (frame).width >= 700 AND range.days <= 400 THEN 1
				WHEN range.days <= 400 THEN 2 WHEN range.days <= 800 THEN 4 ELSE 12 END) = (CASE WHEN range.days <= 200 OR (frame).width >= 700 AND range.days <= 400 THEN 0 ELSE 1 END)
				OR range.days <= 62 AS is_named, range.days
		FROM (SELECT * FROM range WHERE isfinite(range.first) AND isfinite(range.last)) range, generate_series(CASE WHEN range.days <= 62 THEN date_trunc('week', range.first)
				WHEN range.days <= 1500 THEN date_trunc('month', range.first) ELSE date_trunc('year', range.first) END,
			range.last, CASE WHEN range.days <= 62 THEN interval '1 week' WHEN range.days <= 1500 THEN interval '1 month' ELSE interval '1 year' END) m(at)
		WHERE m.at >= range.first),
	named AS (
		SELECT t.*, capforecast._chart_x(frame, t.at AT TIME ZONE 'UTC') AS x,
			t.is_named AND abs(capforecast._chart_x(frame, t.at AT TIME ZONE 'UTC') - capforecast._chart_x(frame, today)) > 36 AS is_shown
		FROM tick t)
	SELECT coalesce(string_agg(format('<path class="ax" d="M%s %sv%s"/>', n.x, (frame).y0, CASE WHEN n.is_shown THEN 5 ELSE 3 END)
		|| CASE WHEN n.is_shown THEN format('<text class="t" x="%s" y="%s" text-anchor="middle">%s</text>', n.x, (frame).y0 + 17,
			CASE WHEN n.days <= 62 THEN capforecast._day(n.at::date, n.at::date)
				ELSE split_part(capforecast._day(n.at::date, n.at::date), ' ', 2) END
			|| CASE WHEN extract(year FROM n.at) <> extract(year FROM today AT TIME ZONE 'UTC')
				AND NOT EXISTS (SELECT FROM named o WHERE o.is_shown AND o.at < n.at AND extract(year FROM o.at) = extract(year FROM n.at))
				THEN ' ' || extract(year FROM n.at) ELSE '' END)
			ELSE '' END, '' ORDER BY n.at), '')
	FROM named n
$$;
COMMENT ON FUNCTION capforecast._chart_days(capforecast._chart_frame, timestamptz) IS 'The ticks of the time axis and their names.';

CREATE FUNCTION capforecast._chart_values(frame capforecast._chart_frame, limit_value double precision)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(string_agg(format('<path class="gr" d="M%s %sH%s"/>', (frame).x0, capforecast._chart_y(frame, v.y), (frame).x1)
		|| CASE WHEN abs(capforecast._chart_y(frame, v.y) - capforecast._chart_y(frame, limit_value)) < 9 THEN ''
			ELSE format('<text class="t" x="%s" y="%s" text-anchor="end">%s</text>', (frame).x0 - 5, capforecast._chart_y(frame, v.y) + 4,
				capforecast._axis_number(v.y)) END, '' ORDER BY v.y), '')
	FROM (SELECT (frame).bottom + i * (frame).tick AS y FROM generate_series(0, 6) i) v
	WHERE v.y <= (frame).top
$$;
COMMENT ON FUNCTION capforecast._chart_values(capforecast._chart_frame, double precision) IS 'Grid lines and the values at them; none that would touch the limit''s.';

-- A weekly saw: what moves six times as far as it gets. Its days are drawn thin, their mean over a week in front.
CREATE FUNCTION capforecast._chart_history(frame capforecast._chart_frame, data capforecast._chart_data)
	RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	smooth capforecast.series;
	is_saw boolean;
BEGIN
	SELECT sum(abs(p.y - p.before)) > 6 * (max(p.y) - min(p.y)) AND count(*) > 14, capforecast.series_agg(p.ts, p.mean)
	INTO is_saw, smooth
	FROM (SELECT q.ts, q.y, lag(q.y) OVER (ORDER BY q.ts) AS before, avg(q.y) OVER (ORDER BY q.ts ROWS 6 PRECEDING) AS mean
		FROM capforecast.points(data.history) q(ts, y) WHERE q.y <> 'NaN') p;
	IF is_saw THEN
		RETURN format('<path class="saw" d="%s"/><path class="h" d="%s"/>', capforecast._chart_line(frame, data.history, data.step),
			capforecast._chart_line(frame, smooth, data.step));
	END IF;
	RETURN format('<path class="h" d="%s"/>', capforecast._chart_line(frame, data.history, data.step))
		|| coalesce((SELECT format('<path class="ho" d="%s"/>', capforecast._chart_line(frame, capforecast.series_agg(p.ts, p.y), data.step))
			FROM capforecast.points(data.history) p(ts, y)
			WHERE CASE WHEN data.is_minimum THEN p.y <= data.limit_value ELSE p.y >= data.limit_value END
			HAVING count(*) > 1), '');
END
$$;
COMMENT ON FUNCTION capforecast._chart_history(capforecast._chart_frame, capforecast._chart_data) IS 'The line of what came; red where it was over the limit.';

CREATE FUNCTION capforecast._chart_limit(frame capforecast._chart_frame, data capforecast._chart_data)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('<path class="over" d="M%s %sH%sV%sH%sZ"/>', (frame).x0, y, (frame).x1, CASE WHEN data.is_minimum THEN (frame).y0 ELSE (frame).y1 END, (frame).x0)
		|| format('<path class="lim" d="M%s %sH%s"/>', (frame).x0, y, (frame).x1)
	FROM capforecast._chart_y(frame, data.limit_value) y WHERE y IS NOT NULL
$$;
COMMENT ON FUNCTION capforecast._chart_limit(capforecast._chart_frame, capforecast._chart_data) IS 'The limit''s line and the field beyond it.';

-- Drawn on the limit, not on the median: half of the futures have reached it before the median does.
CREATE FUNCTION capforecast._chart_breach(frame capforecast._chart_frame, data capforecast._chart_data)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('<path class="br" d="M%s %sV%sM%s %sH%s%s"/>', x.first, y - 5, y + 5, x.first, y, x.last,
			CASE WHEN x.is_open THEN format('m-5 -4l5 4l-5 4') ELSE format('M%s %sV%s', x.last, y - 5, y + 5) END)
		|| CASE WHEN x.mid IS NULL THEN '' ELSE format('<circle class="bd" cx="%s" cy="%s" r="4.5"/><text class="lb lr" x="%s" y="%s" text-anchor="%s">%s</text>',
			x.mid, y, x.mid + CASE WHEN x.mid < (frame).x1 - 90 THEN 0 ELSE 4 END, y - 9,
			CASE WHEN x.mid < (frame).x1 - 40 THEN 'middle' ELSE 'end' END,
			capforecast._day((data.breach AT TIME ZONE 'UTC')::date, (data.today AT TIME ZONE 'UTC')::date)) END
	FROM capforecast._chart_y(frame, data.limit_value) y,
		LATERAL (SELECT capforecast._chart_x(frame, data.earliest) AS first,
			least(coalesce(capforecast._chart_x(frame, data.latest), (frame).x1::numeric), (frame).x1::numeric) AS last,
			data.latest IS NULL OR extract(epoch FROM data.latest) > (frame).to_time AS is_open,
			CASE WHEN extract(epoch FROM data.breach) <= (frame).to_time THEN capforecast._chart_x(frame, data.breach) END AS mid) x
	WHERE data.earliest > data.today AND extract(epoch FROM data.earliest) <= (frame).to_time
$$;
COMMENT ON FUNCTION capforecast._chart_breach(capforecast._chart_frame, capforecast._chart_data) IS 'When the limit is reached: range and date, on its line. NULL where that is past, or beyond the chart.';

CREATE FUNCTION capforecast._mark_shape(kind text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE kind
		WHEN 'once' THEN '<path class="mk" d="M0 -4L4.5 4H-4.5Z"/>'
		WHEN 'bend' THEN '<path class="mk" d="M0 -4.5L4.5 0L0 4.5L-4.5 0Z"/>'
		WHEN 'day' THEN '<circle class="mo" r="3.5"/>'
		WHEN 'plan' THEN '<path class="mp" d="M-3 5V-5H5L3 -2.5L5 0H-3"/>'
		ELSE '<path class="mk" d="M-4 0H4"/>' END;
COMMENT ON FUNCTION capforecast._mark_shape(text) IS 'The sign of what happened: came at once, pace bent, known day, planned.';

CREATE FUNCTION capforecast._chart_marks(frame capforecast._chart_frame, marks jsonb)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(format('<path class="st" d="M%s 24V%s"/><g transform="translate(%s 17)">%s</g>', x, (frame).y0, x,
		capforecast._mark_shape(m ->> 'kind')), '')
	FROM jsonb_array_elements(marks) m, capforecast._chart_x(frame, (m ->> 'at')::timestamptz) x
	WHERE extract(epoch FROM (m ->> 'at')::timestamptz) BETWEEN (frame).from_time AND (frame).to_time
$$;
COMMENT ON FUNCTION capforecast._chart_marks(capforecast._chart_frame, jsonb) IS 'Signs above the plot, with a dotted line to the day.';

-- prefix makes ids unique in a page.
CREATE FUNCTION capforecast._chart_svg(data capforecast._chart_data, width integer, height integer, prefix text, class text DEFAULT '', style text DEFAULT '')
	RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	frame constant capforecast._chart_frame := capforecast._chart_frame(data, width, height);
	now_x constant numeric := capforecast._chart_x(frame, data.today);
	last_value double precision;
	last_x numeric;
	last_y numeric;
	limit_y constant numeric := capforecast._chart_y(frame, data.limit_value);
	is_above boolean;
	is_at_edge boolean;
BEGIN
	SELECT p.y, capforecast._chart_x(frame, p.ts) INTO last_value, last_x
	FROM capforecast.points(data.history) p(ts, y) WHERE p.y <> 'NaN' ORDER BY p.ts DESC LIMIT 1;
	last_y := capforecast._chart_y(frame, last_value);
	is_above := coalesce(last_y - limit_y > 24, true) AND last_y - 12 > frame.y1;
	is_at_edge := last_x > frame.x1 - 60;
	RETURN format('<svg xmlns="http://www.w3.org/2000/svg" class="chart %s" viewBox="0 0 %s %s" role="img" aria-labelledby="%s-t %s-d"><title id="%s-t">%s</title><desc id="%s-d">%s</desc>%s',
			class, width, height, prefix, prefix, prefix, regexp_replace(data.title, '<[^>]*>', '', 'g'), prefix, regexp_replace(data.sentence, '<[^>]*>', '', 'g'), style)
		|| coalesce(capforecast._chart_limit(frame, data), '')
		|| capforecast._chart_values(frame, data.limit_value)
		|| CASE WHEN data.high IS NULL THEN '' ELSE format('<path class="band" d="%s"/>', capforecast._chart_band(frame, data.low, data.high)) END
		|| format('<path class="ax" d="M%s %sH%s"/>', frame.x0, frame.y0, frame.x1)
		|| capforecast._chart_days(frame, data.today)
		|| format('<path class="now" d="M%s %sV%s"/><text class="t tn" x="%s" y="%s" text-anchor="middle">%s</text>', now_x, frame.y1, frame.y0, now_x, frame.y0 + 17, coalesce(data.today_text, 'today'))
		|| coalesce(capforecast._chart_marks(frame, data.marks), '')
		|| coalesce(capforecast._chart_history(frame, data), '')
		|| CASE WHEN data.mid IS NULL THEN '' ELSE format('<path class="mid" d="%s"/>', capforecast._chart_line(frame, data.mid, '1 year')) END
		|| CASE WHEN limit_y IS NULL THEN '' ELSE format('<path class="lim" d="M%s %sH%s"/><text class="lb lr" x="%s" y="%s">%s</text>', frame.x0, limit_y, frame.x1, frame.x0 + 4, limit_y - 5, data.limit_text) END
		|| coalesce(capforecast._chart_breach(frame, data), '')
		|| CASE WHEN last_y IS NULL THEN '' ELSE format('<circle class="dot" cx="%s" cy="%s" r="3.5"/><text class="lb" x="%s" y="%s" text-anchor="%s">%s</text>', last_x, last_y,
			last_x + CASE WHEN is_above OR is_at_edge THEN -6 ELSE 6 END, last_y + CASE WHEN is_above THEN -8 ELSE 15 END,
			CASE WHEN is_above OR is_at_edge THEN 'end' ELSE 'start' END, data.value_text) END
		|| '</svg>';
END
$$;
COMMENT ON FUNCTION capforecast._chart_svg(capforecast._chart_data, integer, integer, text, text, text) IS
	'A chart as an svg element; its colours are those of the page''s style sheet, or of the style given.';
