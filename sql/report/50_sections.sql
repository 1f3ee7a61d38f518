-- The sections of the page, each made of the parts of the report. A section without data is a sentence, or left out.

CREATE FUNCTION capforecast._today(facts jsonb)
	RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN ((facts ->> 'as_of')::timestamptz AT TIME ZONE 'UTC')::date;
COMMENT ON FUNCTION capforecast._today(jsonb) IS 'The UTC day of a report.';

CREATE FUNCTION capforecast._section(id text, heading text, sentence text, content text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN format('<section id="%s" aria-labelledby="%s-h"><h2 id="%s-h">%s</h2>%s%s</section>', id, id, id, heading,
		coalesce('<p>' || sentence || '</p>', ''), coalesce(content, ''));
COMMENT ON FUNCTION capforecast._section(text, text, text, text) IS 'A section of the page; sentence and content are HTML.';

CREATE FUNCTION capforecast._part_failed(facts jsonb, part text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN 'Could not be read: ' || capforecast._escape_html(facts -> 'failed' ->> part);
COMMENT ON FUNCTION capforecast._part_failed(jsonb, text) IS 'The sentence in the place of a part that failed; NULL where it did not.';

CREATE FUNCTION capforecast._status_html(urgency text, words text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN format('<span class="s %s"><i aria-hidden="true">%s</i>%s</span>', urgency,
		CASE urgency WHEN 'critical' THEN '&#9632;' WHEN 'warning' THEN '&#9650;' WHEN 'watch' THEN '&#9670;' WHEN 'none' THEN '&#9675;' ELSE '&#8211;' END, words);
COMMENT ON FUNCTION capforecast._status_html(text, text) IS 'A status in words, with a sign and a colour of its own.';

-- To 130 % of the limit, which is a tick.
CREATE FUNCTION capforecast._bar_html(ratio double precision)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN ratio IS NULL THEN '' ELSE format('<div class="bar%s"><svg aria-hidden="true"><line class="tr" x1="0" x2="100%%" y1="5" y2="5"/>'
		|| '<line class="us" x1="0" x2="%s%%" y1="5" y2="5"/><line class="ti" x1="76.9%%" x2="76.9%%" y1="0" y2="10"/></svg><small>%s&#8239;%%</small></div>',
		CASE WHEN ratio >= 1 THEN ' over' ELSE '' END, round(least(greatest(ratio, 0) / 1.3, 1)::numeric * 100, 1), round(ratio::numeric * 100)) END;
COMMENT ON FUNCTION capforecast._bar_html(double precision) IS 'How full a limit is.';

CREATE FUNCTION capforecast._percent_of_year(day date, today date)
	RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN round(least(greatest((day - today) / 365.0, 0), 1) * 100, 1);
COMMENT ON FUNCTION capforecast._percent_of_year(date, date) IS 'Where a day lies within the year that begins today, in percent.';

-- The year ahead: quarters, the range, the day, and the last day to order.
CREATE FUNCTION capforecast._time_line(outlook jsonb, order_by date, today date)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT '<svg aria-hidden="true"><line class="z" x1="0" x2="0" y1="2" y2="28"/>'
		|| (SELECT string_agg(format('<line class="q" x1="%s%%" x2="%s%%" y1="4" y2="26"/>', p.x, p.x), '')
			FROM generate_series(1, 4) i, LATERAL (SELECT date_trunc('quarter', today::timestamp) + i * interval '3 months') q(at),
				capforecast._percent_of_year(q.at::date, today) AS p(x)
			WHERE q.at <= today + interval '1 year')
		|| CASE WHEN outlook ->> 'status' = 'already_breached' THEN '<rect class="d" x="-4" y="11" width="8" height="8"/>'
			WHEN d.earliest IS NULL THEN ''
			ELSE format('<line class="r" x1="%s%%" x2="%s%%" y1="15" y2="15"/><line class="r" x1="%s%%" x2="%s%%" y1="10" y2="20"/>', a.x, b.x, a.x, a.x)
				|| CASE WHEN d.latest IS NOT NULL AND d.latest <= today + 365 THEN format('<line class="r" x1="%s%%" x2="%s%%" y1="10" y2="20"/>', b.x, b.x) ELSE '' END
				|| CASE WHEN d.breach <= today + 365 THEN format('<circle class="d" cx="%s%%" cy="15" r="4.5"/>', capforecast._percent_of_year(d.breach, today)) ELSE '' END END
		|| CASE WHEN order_by > today THEN format('<svg x="%s%%" y="0" width="12" height="8" overflow="visible"><path class="o" d="M-5 0H5L0 7Z"/></svg>',
			capforecast._percent_of_year(order_by, today)) ELSE '' END
		|| '</svg>'
	FROM (SELECT (outlook ->> 'breach_date_earliest')::date AS earliest, (outlook ->> 'breach_date')::date AS breach, (outlook ->> 'breach_date_latest')::date AS latest) d,
		LATERAL (SELECT capforecast._percent_of_year(d.earliest, today) AS x) a, LATERAL (SELECT capforecast._percent_of_year(coalesce(d.latest, today + 365), today) AS x) b
$$;
COMMENT ON FUNCTION capforecast._time_line(jsonb, date, date) IS 'When a limit is reached, on a line of twelve months; order_by: the last day to order, if any.';

CREATE FUNCTION capforecast._time_line_head(today date)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT '<svg class="head" aria-hidden="true" style="height:18px"><text x="0" y="13">today</text>' || coalesce(string_agg(format('<text x="%s%%" y="13" text-anchor="middle">%s</text>',
		capforecast._percent_of_year(q.at::date, today), split_part(capforecast._day(q.at::date, today), ' ', 2)
			|| CASE WHEN extract(month FROM q.at) = 1 OR q.n = 1 AND extract(year FROM q.at) <> extract(year FROM today) THEN ' ' || extract(year FROM q.at) ELSE '' END), ''), '')
		|| '</svg>'
	FROM (SELECT s.at, row_number() OVER (ORDER BY s.at) AS n
		FROM generate_series(1, 4) i, LATERAL (SELECT date_trunc('quarter', today::timestamp) + i * interval '3 months') s(at)
		WHERE s.at <= today + interval '1 year' AND capforecast._percent_of_year(s.at::date, today) BETWEEN 17 AND 95) q
$$;
COMMENT ON FUNCTION capforecast._time_line_head(date) IS 'The names above the time lines.';

CREATE FUNCTION capforecast._limit_status_html(outlook jsonb)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN capforecast._status_html(outlook ->> 'urgency', CASE
		WHEN outlook ->> 'status' = 'already_breached' AND (outlook ->> 'utilization_ratio')::double precision > 1 THEN 'over the limit'
		WHEN outlook ->> 'status' = 'already_breached' THEN 'at the limit'
		WHEN outlook ->> 'urgency' = 'critical' THEN 'act now'
		WHEN outlook ->> 'urgency' = 'warning' THEN 'soon'
		WHEN outlook ->> 'urgency' = 'watch' THEN 'watch'
		WHEN outlook ->> 'urgency' = 'unknown' THEN 'no date yet'
		WHEN outlook ->> 'status' IN ('no_growth', 'shrinking') THEN 'not growing'
		ELSE 'room' END);
COMMENT ON FUNCTION capforecast._limit_status_html(jsonb) IS 'How a limit stands, in a word, of its row of the outlook.';

CREATE FUNCTION capforecast._limit_date_html(outlook jsonb, today date)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE
		WHEN outlook ->> 'status' = 'already_breached' THEN '<strong>' || CASE WHEN d.breach IS NULL THEN 'reached' ELSE 'since ' || capforecast._time_html(d.breach, today) END || '</strong>'
		WHEN d.breach IS NOT NULL THEN format('<strong>%s</strong><small>%s</small>', capforecast._time_html(d.breach, today), capforecast._range_html(d.earliest, d.latest, today))
		WHEN d.earliest IS NOT NULL THEN format('&#8211;<small>not before %s</small>', capforecast._time_html(d.earliest, today))
		WHEN d.ready IS NOT NULL THEN format('&#8211;<small>a date from %s on</small>', capforecast._time_html(d.ready, today))
		WHEN outlook ->> 'status' IN ('no_growth', 'shrinking') THEN '&#8211;<small>does not move towards it</small>'
		WHEN outlook ->> 'status' = 'beyond_horizon' THEN '&#8211;<small>not within a year</small>'
		ELSE format('&#8211;<small>%s</small>', replace(outlook ->> 'status', '_', ' ')) END
	FROM (SELECT (outlook ->> 'breach_date')::date AS breach, (outlook ->> 'breach_date_earliest')::date AS earliest,
		(outlook ->> 'breach_date_latest')::date AS latest, (outlook ->> 'ready_on')::date AS ready) d
$$;
COMMENT ON FUNCTION capforecast._limit_date_html(jsonb, date) IS 'When a limit is reached, with its range, of its row of the outlook.';

-- Over first by how far, then by date, then those without a date by how full.
CREATE FUNCTION capforecast._limits_in_order(facts jsonb)
	RETURNS TABLE (outlook jsonb, place bigint) LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT o.value, row_number() OVER (ORDER BY (o.value ->> 'status' = 'already_breached') DESC,
		CASE WHEN o.value ->> 'status' = 'already_breached' THEN -(o.value ->> 'utilization_ratio')::double precision END,
		(o.value ->> 'breach_date')::date NULLS LAST, (o.value ->> 'utilization_ratio')::double precision DESC NULLS LAST, o.value ->> 'metric')
	FROM jsonb_array_elements(coalesce(facts -> 'outlook', '[]')) o
$$;
COMMENT ON FUNCTION capforecast._limits_in_order(jsonb) IS 'The rows of the outlook in the order of the page.';

-- What is to be ordered, by when, and what it costs.
CREATE FUNCTION capforecast._order(facts jsonb, OUT tier text, OUT due_date date, OUT lead_days integer, OUT cost_cents bigint, OUT cost_now_cents bigint, OUT currency text, OUT metric text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT r.value -> 'details' ->> 'required_tier', (r.value ->> 'due_date')::date, (r.value -> 'details' ->> 'lead_time_days')::integer,
		(r.value ->> 'monthly_cost')::bigint, (r.value -> 'details' ->> 'monthly_cost_cents')::bigint, r.value -> 'details' ->> 'currency', r.value ->> 'metric'
	FROM jsonb_array_elements(coalesce(facts -> 'recommendations', '[]')) r
	WHERE r.value ->> 'rule' = 'infrastructure_upgrade' LIMIT 1
$$;
COMMENT ON FUNCTION capforecast._order(jsonb) IS 'The size of infrastructure to order, of the recommendations; no row, or NULLs, where there is none.';

CREATE FUNCTION capforecast._section_limits(facts jsonb)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT capforecast._section('limits', CASE WHEN n.reached > 0 THEN 'Limits, the worst first' ELSE 'Limits, the soonest first' END,
		coalesce(capforecast._part_failed(facts, 'outlook'),
			CASE WHEN n.all_limits = 0 THEN 'No limit is known. Limits come from the size of the infrastructure, from what subscriptions allow, and from <code>add_metric(&#8230;, limit_value =&gt; &#8230;)</code>.'
			ELSE capforecast._sentence(concat_ws('; ', CASE WHEN n.reached > 0 THEN capforecast._counted(n.reached, 'limit is reached', 'limits are reached') END,
				CASE WHEN n.dated > 0 THEN capforecast._counted(n.dated, 'limit comes', 'limits come') || ' within a year' END,
				CASE WHEN n.unknown > 0 THEN 'for ' || capforecast._counted(n.unknown, 'limit', 'limits') || ' there is no date yet' END,
				CASE WHEN n.reached + n.dated + n.unknown = 0 THEN 'no limit is reached within a year' END)) || '.'
				|| CASE WHEN ord.due_date > capforecast._today(facts) THEN ' <span class="s watch" style="font-size:12px" aria-hidden="true">&#9660;</span> is the last day to order.' ELSE '' END END),
		CASE WHEN n.all_limits > 0 THEN '<table><caption>Each limit: how full it is, and when it is reached</caption><thead><tr><th scope="col">Limit</th><th scope="col">Used</th><th scope="col">Reached</th>'
			|| CASE WHEN n.reached + n.dated > 0 THEN format('<th scope="col" class="p3 line" style="width:36%%"><span class="hidden">Within twelve months</span>%s</th>', capforecast._time_line_head(capforecast._today(facts))) ELSE '' END
			|| '<th scope="col" class="p2">Status</th></tr></thead><tbody>'
			|| (SELECT string_agg(format('<tr><th scope="row">%s<small>%s</small></th><td>%s of %s%s</td><td>%s</td>%s<td class="p2">%s</td></tr>',
				capforecast._escape_html(capforecast._metric_label(l.outlook ->> 'metric')), capforecast._escape_html(l.outlook ->> 'limit_name'),
				capforecast._value_text((l.outlook ->> 'current_value')::double precision, l.outlook ->> 'unit'), capforecast._value_text((l.outlook ->> 'limit_value')::double precision, l.outlook ->> 'unit'),
				capforecast._bar_html((l.outlook ->> 'utilization_ratio')::double precision), capforecast._limit_date_html(l.outlook, capforecast._today(facts)),
				CASE WHEN n.reached + n.dated > 0 THEN format('<td class="p3 line">%s</td>', capforecast._time_line(l.outlook,
					CASE WHEN l.outlook ->> 'metric' = ord.metric THEN ord.due_date END, capforecast._today(facts))) ELSE '' END,
				capforecast._limit_status_html(l.outlook)), '' ORDER BY l.place) FROM capforecast._limits_in_order(facts) l)
			|| '</tbody></table>' END)
	FROM (SELECT count(*) AS all_limits, count(*) FILTER (WHERE l.outlook ->> 'status' = 'already_breached') AS reached,
			count(*) FILTER (WHERE l.outlook ->> 'status' <> 'already_breached' AND l.outlook ->> 'breach_date' IS NOT NULL) AS dated,
			count(*) FILTER (WHERE l.outlook ->> 'urgency' = 'unknown') AS unknown
		FROM capforecast._limits_in_order(facts) l) n
		LEFT JOIN capforecast._order(facts) ord ON true
$$;
COMMENT ON FUNCTION capforecast._section_limits(jsonb) IS 'Each limit, how full it is and when it is reached.';

CREATE FUNCTION capforecast._section_do(facts jsonb)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	WITH item AS (
		SELECT CASE r.value ->> 'severity' WHEN 'critical' THEN 'critical' WHEN 'warning' THEN 'warning' ELSE CASE WHEN r.value ->> 'due_date' IS NOT NULL AND r.value ->> 'rule' <> 'forecast_pending' THEN 'watch' ELSE 'unknown' END END AS urgency,
			CASE WHEN r.value ->> 'rule' IN ('infrastructure_upgrade') THEN coalesce(r.value ->> 'action', r.value ->> 'title') ELSE r.value ->> 'title' END AS heading,
			r.value ->> 'description' AS words, (r.value ->> 'due_date')::date AS due, (r.value ->> 'monthly_cost')::bigint AS cost,
			r.value -> 'details' ->> 'currency' AS currency, (r.value -> 'details' ->> 'monthly_cost_cents')::bigint AS cost_now, r.value ->> 'rule' AS rule, r.position
		FROM jsonb_array_elements(coalesce(facts -> 'recommendations', '[]')) WITH ORDINALITY AS r(value, position)
		WHERE r.value ->> 'rule' IS DISTINCT FROM 'next_tier'		-- the limits say it
		UNION ALL
		SELECT 'critical', format('Mend the job %s', j.value ->> 'job'), format('It has failed %s times in a row: %s', j.value ->> 'runs_failed_in_a_row', coalesce(j.value ->> 'last_error', 'it did not run.')), NULL, NULL, NULL, NULL, 'job', 0
		FROM jsonb_array_elements(coalesce(facts -> 'jobs', '[]')) j
		WHERE (j.value ->> 'runs_failed_in_a_row')::bigint > 0)
	SELECT capforecast._section('do', 'What to do', coalesce(capforecast._part_failed(facts, 'recommendations'), CASE WHEN count(*) = 0 THEN 'Nothing needs doing.' END),
		CASE WHEN count(*) > 0 THEN '<ol class="do">' || string_agg(format('<li><div>%s</div><div><h3>%s</h3><p>%s</p></div><div class="due">%s%s</div></li>',
			capforecast._status_html(i.urgency, CASE i.urgency WHEN 'critical' THEN 'act now' WHEN 'warning' THEN 'soon' WHEN 'watch' THEN 'watch' ELSE 'note' END),
			capforecast._escape_html(capforecast._sentence(capforecast._readable(i.heading, capforecast._today(facts)))), capforecast._escape_html(capforecast._sentence(capforecast._readable(i.words, capforecast._today(facts)))),
			CASE WHEN i.due < capforecast._today(facts) THEN 'overdue since ' || capforecast._time_html(i.due, capforecast._today(facts))
				WHEN i.rule = 'forecast_pending' THEN 'from ' || capforecast._time_html(i.due, capforecast._today(facts)) || ' on'
				WHEN i.due IS NOT NULL THEN 'by ' || capforecast._time_html(i.due, capforecast._today(facts), true) ELSE '' END,
			CASE WHEN i.cost IS NOT NULL THEN '<small>' || capforecast._money(i.cost, i.currency) || ' a month'
				|| coalesce(', ' || CASE WHEN i.cost >= i.cost_now THEN capforecast._money(i.cost - i.cost_now, i.currency) || ' more' ELSE capforecast._money(i.cost_now - i.cost, i.currency) || ' less' END, '') || '</small>' ELSE '' END),
			'' ORDER BY array_position('{critical,warning,watch,unknown}', i.urgency), i.due NULLS LAST, i.position) || '</ol>' END)
	FROM item i
$$;
COMMENT ON FUNCTION capforecast._section_do(jsonb) IS 'What to do: critical first, then what has a date, then the rest; jobs that fail belong to it.';

CREATE FUNCTION capforecast._sooner(before date, now date)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN before IS NULL OR now IS NULL OR before = now THEN ''
		ELSE format('<small>%s %s</small>', capforecast._counted(abs(before - now), 'day', 'days'), CASE WHEN now < before THEN 'sooner' ELSE 'later' END) END;
COMMENT ON FUNCTION capforecast._sooner(date, date) IS 'How a date moved.';

CREATE FUNCTION capforecast._section_changed(facts jsonb)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	WITH shown AS (
		SELECT v.value ->> 'metric' AS metric, v.value ->> 'unit' AS unit, (v.value ->> 'today')::double precision AS today,
			(v.value ->> 'yesterday')::double precision AS yesterday, (v.value ->> 'last_week')::double precision AS last_week,
			(o.outlook ->> 'breach_date')::date AS breach, o.place,
			(SELECT (y.value ->> 'breach_date')::date FROM jsonb_array_elements(coalesce(facts -> 'outlook_yesterday', '[]')) y
			 WHERE y.value ->> 'metric' = o.outlook ->> 'metric' AND y.value ->> 'limit_kind' = o.outlook ->> 'limit_kind' AND y.value ->> 'limit_value' = o.outlook ->> 'limit_value' AND y.value ->> 'status' = o.outlook ->> 'status') AS breach_yesterday,
			(SELECT (w.value ->> 'breach_date')::date FROM jsonb_array_elements(coalesce(facts -> 'outlook_last_week', '[]')) w
			 WHERE w.value ->> 'metric' = o.outlook ->> 'metric' AND w.value ->> 'limit_kind' = o.outlook ->> 'limit_kind' AND w.value ->> 'limit_value' = o.outlook ->> 'limit_value' AND w.value ->> 'status' = o.outlook ->> 'status') AS breach_last_week,
			v.position
		FROM jsonb_array_elements(coalesce(facts -> 'values', '[]')) WITH ORDINALITY AS v(value, position)
			LEFT JOIN capforecast._limits_in_order(facts) o ON o.outlook ->> 'metric' = v.value ->> 'metric'
		WHERE v.value ->> 'last_week' IS NOT NULL
		  AND (o.place IS NOT NULL OR v.value ->> 'metric' IN ('vendors', 'products', 'orders', 'team_members', 'storage_gb', 'db_size_mb') OR v.value ->> 'metric' NOT IN ('total_vendors', 'trial_vendors', 'total_subscriptions', 'active_subscriptions')))
	SELECT CASE WHEN count(*) > 0 THEN capforecast._section('changed', 'What changed',
		'Since yesterday, and since last week. ' || CASE WHEN (facts -> 'alerts' ->> 'opened')::bigint + (facts -> 'alerts' ->> 'recovered')::bigint = 0 THEN 'No alert was opened or closed in seven days.'
			ELSE capforecast._sentence(capforecast._counted((facts -> 'alerts' ->> 'opened')::bigint, 'alert was', 'alerts were') || ' opened and ' || capforecast._counted((facts -> 'alerts' ->> 'recovered')::bigint, 'was', 'were') || ' closed in seven days.') END,
		'<table><caption>Values and dates against yesterday and last week</caption><thead><tr><th scope="col">Metric</th><th scope="col" class="n">Now</th><th scope="col" class="n">Since yesterday</th><th scope="col" class="n">Since last week</th></tr></thead><tbody>'
		|| string_agg(format('<tr><th scope="row">%s</th><td class="n">%s%s</td><td class="n">%s%s</td><td class="n">%s%s</td></tr>',
			capforecast._escape_html(capforecast._metric_label(s.metric)), capforecast._value_text(s.today, s.unit), CASE WHEN s.breach IS NULL THEN '' ELSE '<small>' || capforecast._time_html(s.breach, capforecast._today(facts)) || '</small>' END,
			capforecast._change(s.today - s.yesterday), capforecast._sooner(s.breach_yesterday, s.breach),
			capforecast._change(s.today - s.last_week), capforecast._sooner(s.breach_last_week, s.breach)), '' ORDER BY s.place NULLS LAST, s.position)
		|| '</tbody></table>') ELSE '' END
	FROM shown s
$$;
COMMENT ON FUNCTION capforecast._section_changed(jsonb) IS 'Each metric against yesterday and last week; left out where there is no week of values.';

CREATE FUNCTION capforecast._figure(metric capforecast._report_metric, place bigint)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('<figure%s><figcaption><h3>%s</h3><p>%s</p></figcaption>', CASE WHEN place = 1 THEN ' class="first"' ELSE '' END, (metric).chart.title, (metric).chart.sentence)
		|| '<div>' || capforecast._chart_svg((metric).chart, 380, 214, 'c' || place, 'narrow')
		|| CASE WHEN place = 1 THEN capforecast._chart_svg((metric).chart, 820, 232, 'w' || place, 'wide') ELSE '' END || '</div>'
		|| coalesce((SELECT '<ul>' || string_agg(format('<li><svg viewBox="-6 -6 12 12" aria-hidden="true">%s</svg>%s</li>', capforecast._mark_shape(m ->> 'kind'), m ->> 'text'), '' ORDER BY m ->> 'at' NULLS LAST) || '</ul>'
			FROM jsonb_array_elements((metric).chart.marks) m
			WHERE m ->> 'text' IS NOT NULL AND (m ->> 'at' IS NULL OR (m ->> 'at')::timestamptz >= (metric).chart.today - (metric).chart.span)), '<div></div>')
		|| '</figure>'
$$;
COMMENT ON FUNCTION capforecast._figure(capforecast._report_metric, bigint) IS 'A metric''s chart with its caption and what happened; the first one has a wide form, too.';

CREATE FUNCTION capforecast._section_metrics(facts jsonb)
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN count(*) > 0 THEN capforecast._section('metrics', 'Each metric', 'Half a year back and half a year ahead, on the same days; the soonest limit first.' || coalesce((
			SELECT ' Known days to come: ' || string_agg(k.name || ' ' || capforecast._time_html(k.day, capforecast._today(facts)), ', ' ORDER BY k.day, k.name)
				|| CASE WHEN max(k.n) > 8 THEN format(' and %s more', max(k.n) - 8) ELSE '' END || '.'
			FROM (SELECT capforecast._name_html(d.value ->> 'name') AS name, (d.value ->> 'day')::date AS day, row_number() OVER (ORDER BY d.value ->> 'day') AS place, count(*) OVER () AS n
				FROM jsonb_array_elements(coalesce(facts -> 'known_days', '[]')) d) k WHERE k.place <= 8), ''),
		'<ul class="legend">'
		|| '<li><svg class="chart" viewBox="0 0 26 12" aria-hidden="true"><path class="h" d="M0 9L10 7L26 3"/></svg>what came</li>'
		|| '<li><svg class="chart" viewBox="0 0 26 12" aria-hidden="true"><path class="band" d="M0 8L26 0V12Z"/><path class="mid" d="M0 8L26 5"/></svg>forecast; the band holds four cases of five</li>'
		|| '<li><svg class="chart" viewBox="0 0 26 12" aria-hidden="true"><path class="lim" d="M0 6H26"/></svg>limit</li>'
		|| '<li><svg class="chart" viewBox="0 0 26 12" aria-hidden="true"><path class="br" d="M3 1V11M3 6H23M23 1V11"/><circle class="bd" cx="12" cy="6" r="4"/></svg>day it is reached, in four cases of five</li>'
		|| '<li><svg class="chart" style="width:12px" viewBox="-6 -6 12 12" aria-hidden="true">' || capforecast._mark_shape('once') || '</svg>came at once</li>'
		|| '<li><svg class="chart" style="width:12px" viewBox="-6 -6 12 12" aria-hidden="true">' || capforecast._mark_shape('bend') || '</svg>pace changed</li>'
		|| CASE WHEN jsonb_array_length(coalesce(facts -> 'known_days', '[]')) > 0 THEN '<li><svg class="chart" style="width:12px" viewBox="-6 -6 12 12" aria-hidden="true">' || capforecast._mark_shape('day') || '</svg>known day</li>' ELSE '' END
		|| '</ul>'
		|| '<div class="charts">' || string_agg(capforecast._figure(ROW(m.metric, m.label, m.chart, m.has_limit)::capforecast._report_metric, m.position), '' ORDER BY m.position) || '</div>') ELSE '' END
	FROM capforecast._report_metrics(facts) WITH ORDINALITY AS m(metric, label, chart, has_limit, position)
	WHERE (SELECT count(*) FROM capforecast.points((m.chart).history)) > 3
$$;
COMMENT ON FUNCTION capforecast._section_metrics(jsonb) IS 'A chart for each metric with more than three values; left out where there is none.';
