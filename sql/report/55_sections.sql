-- Further sections of the page: growth, cost, vendors, accuracy, jobs.

CREATE FUNCTION capforecast._section_growth(facts jsonb)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	WITH trend AS (SELECT t.value AS row, t.position FROM jsonb_array_elements(coalesce(facts -> 'growth', '[]')) WITH ORDINALITY AS t(value, position) WHERE (t.value ->> 'start_value')::double precision <> 0),		-- what was not known then counts as 0,
	driver AS (SELECT d.value AS row, d.position FROM jsonb_array_elements(coalesce(facts -> 'contributors', '[]')) WITH ORDINALITY AS d(value, position) WHERE d.value ->> 'vendor_id' IS NOT NULL)
	SELECT CASE WHEN count(*) = 0 THEN '' ELSE capforecast._section('growth', 'Growth, and who drives it', NULL,
		'<div class="' || CASE WHEN EXISTS (SELECT FROM driver) THEN 'pair' ELSE 'one' END || '"><div><h3>In ' || max(t.row ->> 'period_days') || ' days</h3><table><caption>Growth of each metric</caption><thead><tr><th scope="col">Metric</th><th scope="col" class="n p2">Then</th><th scope="col" class="n">Now</th><th scope="col" class="n">Change</th><th scope="col" class="n">%</th><th scope="col" class="n p3">Doubles in</th></tr></thead><tbody>'
		|| string_agg(format('<tr><th scope="row">%s</th><td class="n p2">%s</td><td class="n">%s</td><td class="n">%s</td><td class="n">%s</td><td class="n p3">%s</td></tr>',
			capforecast._escape_html(capforecast._metric_label(CASE t.row ->> 'metric' WHEN 'storage' THEN 'storage_gb' ELSE t.row ->> 'metric' END)), capforecast._number((t.row ->> 'start_value')::double precision), capforecast._number((t.row ->> 'current_value')::double precision),
			capforecast._change((t.row ->> 'change')::double precision), capforecast._number((t.row ->> 'growth_rate_percent')::double precision),
			CASE WHEN t.row ->> 'doubling_days' IS NULL THEN '&#8211;' ELSE capforecast._number(round((t.row ->> 'doubling_days')::numeric)::double precision) || ' days' END), '' ORDER BY t.position)
		|| '</tbody></table></div>'
		|| coalesce((SELECT '<div><h3>Products, by vendor</h3><table><caption>Which vendors the growth of products comes from</caption><thead><tr><th scope="col">Vendor</th><th scope="col" class="p2">Share</th><th scope="col" class="n">Products</th><th scope="col" class="n">Of growth</th></tr></thead><tbody>'
				|| string_agg(format('<tr><th scope="row">%s</th><td class="share p2"><svg aria-hidden="true"><line class="tr" x1="0" x2="100%%" y1="5" y2="5"/><line class="us" x1="0" x2="%s%%" y1="5" y2="5"/></svg></td><td class="n">%s</td><td class="n">%s</td></tr>',
					capforecast._name_html(coalesce(d.row ->> 'vendor_name', 'vendor ' || (d.row ->> 'vendor_id'))), round(least(greatest((d.row ->> 'share_ratio')::numeric, 0), 1) * 100, 1),
					capforecast._change((d.row ->> 'contribution')::double precision), coalesce(round((d.row ->> 'share_ratio')::numeric * 100) || '&#8239;%', '&#8211;')), '' ORDER BY d.position) || '</tbody></table></div>'
			FROM driver d HAVING count(*) > 0), '') || '</div>') END
	FROM trend t
$$;
COMMENT ON FUNCTION capforecast._section_growth(jsonb) IS 'Growth in 30 days and the vendors that drive it.';

CREATE FUNCTION capforecast._section_vendors(facts jsonb)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT capforecast._section('vendors', 'Vendors near their limits', coalesce(capforecast._part_failed(facts, 'vendors'),
		CASE WHEN (facts ->> 'vendors_looked_at') IS NULL AND count(*) = 0 THEN 'Not known: it has not been looked at yet. The job <code>look_at_vendors</code> does, every night.'
			WHEN count(*) = 0 THEN 'No vendor has reached a limit of its plan, or will within 30 days.'
			ELSE format('<b>%s</b> at or near a limit of their plan; %s reached it.', capforecast._sentence(capforecast._counted(max((v.value ->> 'n')::bigint), 'vendor is', 'vendors are')),
				CASE WHEN max((v.value ->> 'n_reached')::bigint) = max((v.value ->> 'n')::bigint) THEN 'all have' ELSE capforecast._counted(max((v.value ->> 'n_reached')::bigint), 'has', 'have') END)
				|| CASE WHEN max((v.value ->> 'n_new')::bigint) > 0 THEN format(' %s in the last seven days.', capforecast._sentence(capforecast._counted(max((v.value ->> 'n_new')::bigint), 'has come to it', 'have come to it'))) ELSE '' END END),
		CASE WHEN count(*) > 0 THEN '<table><caption>Vendors and the limits of their plans</caption><thead><tr><th scope="col">Vendor, plan</th><th scope="col">Used</th><th scope="col">Reached</th><th scope="col" class="p3">Plan that fits</th></tr></thead><tbody>'
			|| string_agg(format('<tr><th scope="row">%s<small>%s%s</small></th><td>%s of %s %s%s</td><td>%s</td><td class="p3">%s%s</td></tr>',
				capforecast._name_html(coalesce(v.value ->> 'vendor_name', v.value ->> 'vendor_id')), capforecast._escape_html(v.value ->> 'tier'),
				CASE WHEN (v.value ->> 'near_since')::date > capforecast._today(facts) - 7 THEN ', new since ' || capforecast._time_html((v.value ->> 'near_since')::date, capforecast._today(facts)) ELSE '' END,
				capforecast._number((v.value ->> 'current_value')::double precision), capforecast._number((v.value ->> 'limit_value')::double precision),
				CASE v.value ->> 'resource' WHEN 'orders_monthly' THEN 'orders this period' ELSE replace(v.value ->> 'resource', '_', ' ') END, capforecast._bar_html((v.value ->> 'current_value')::double precision / nullif((v.value ->> 'limit_value')::double precision, 0)),
				CASE WHEN v.value ->> 'status' = 'already_breached' THEN capforecast._status_html('critical', 'reached') ELSE capforecast._status_html('warning', capforecast._time_html((v.value ->> 'breach_date')::date, capforecast._today(facts))) END,
				coalesce(capforecast._escape_html(v.value ->> 'fitting_tier'), 'none'), CASE WHEN v.value ->> 'price_cents' IS NULL THEN '' ELSE '<small>' || capforecast._money((v.value ->> 'price_cents')::bigint, v.value ->> 'currency') || ' a month'
					|| CASE WHEN v.value ->> 'present_price_cents' IS NULL THEN '' ELSE ', ' || capforecast._money((v.value ->> 'price_cents')::bigint - (v.value ->> 'present_price_cents')::bigint, v.value ->> 'currency') || ' more' END || '</small>' END), '' ORDER BY v.position)
			|| '</tbody></table>' || CASE WHEN max((v.value ->> 'n')::bigint) > count(*) THEN format('<p>%s more: <code>SELECT * FROM capforecast.vendor_outlook()</code></p>', capforecast._number((max((v.value ->> 'n')::bigint) - count(*))::double precision)) ELSE '' END END)
	FROM jsonb_array_elements(coalesce(facts -> 'vendors', '[]')) WITH ORDINALITY AS v(value, position)
$$;
COMMENT ON FUNCTION capforecast._section_vendors(jsonb) IS 'Vendors at or near a limit of their plan, ten of them, and the plan that fits.';

CREATE FUNCTION capforecast._coverage_html(ratio double precision, n bigint)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN n IS NULL THEN '&#8211;' ELSE format('<div class="bar%s"><svg aria-hidden="true"><line class="tr" x1="0" x2="100%%" y1="5" y2="5"/><line class="us" x1="%s%%" x2="%s%%" y1="5" y2="5"/><line class="ti" x1="80%%" x2="80%%" y1="0" y2="10"/></svg><small>%s of 100</small></div>',
		CASE WHEN ratio < 0.7 THEN ' over' ELSE '' END, least(round(ratio::numeric * 100), 80), greatest(round(ratio::numeric * 100), 80), round(ratio::numeric * 100)) END;
COMMENT ON FUNCTION capforecast._coverage_html(double precision, bigint) IS 'What a range that should hold 80 of 100 days held: the bar is what it is off by.';

-- Over all metrics: each day counts once.
CREATE FUNCTION capforecast._accuracy_sentence(facts jsonb)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'Of the last 90 days, all metrics together: a range for four cases of five, which should hold <b>80 of 100</b> days, held '
		|| string_agg(format('<strong>%s</strong> %s', round(b.held::numeric * 100), b.words), ', ' ORDER BY b.first) || '. The bars show what each is off by.'
	FROM (SELECT (a.value ->> 'horizon_from')::integer AS first,
			CASE (a.value ->> 'horizon_from')::integer WHEN 1 THEN 'up to a week ahead' WHEN 8 THEN 'up to a month' ELSE 'beyond that' END AS words,
			sum((a.value ->> 'coverage_80_ratio')::double precision * (a.value ->> 'n')::bigint) / sum((a.value ->> 'n')::bigint) AS held
		FROM jsonb_array_elements(coalesce(facts -> 'accuracy', '[]')) a WHERE (a.value ->> 'n')::bigint >= 14 GROUP BY 1, 2) b
$$;
COMMENT ON FUNCTION capforecast._accuracy_sentence(jsonb) IS 'How good the forecasts of all metrics have been, in one sentence.';

-- Of the limits that come first; what has none follows.
CREATE FUNCTION capforecast._past_charts(facts jsonb)
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT '<div class="charts past">' || string_agg(capforecast._figure(c.shown, 100 + c.place), '' ORDER BY c.place) || '</div>'
	FROM (SELECT capforecast._past_chart(p.rows, (facts ->> 'as_of')::timestamptz) AS shown, p.place
		FROM (SELECT m.rows, row_number() OVER (ORDER BY o.place NULLS LAST, m.metric) AS place
			FROM (SELECT p.value ->> 'metric' AS metric, jsonb_agg(p.value ORDER BY p.position) AS rows
					FROM jsonb_array_elements(coalesce(facts -> 'past', '[]')) WITH ORDINALITY AS p(value, position)
					GROUP BY 1 HAVING count(p.value ->> 'actual') > 0) m
				LEFT JOIN (SELECT l.outlook ->> 'metric' AS metric, min(l.place) AS place FROM capforecast._limits_in_order(facts) l GROUP BY 1) o ON o.metric = m.metric
			WHERE o.place IS NOT NULL OR m.metric IN ('vendors', 'products', 'orders')) p
		WHERE p.place <= 3) c
	WHERE c.shown IS NOT NULL
$$;
COMMENT ON FUNCTION capforecast._past_charts(jsonb) IS 'Three forecasts of a month ago and what came; NULL where there is none.';

CREATE FUNCTION capforecast._section_accuracy(facts jsonb)
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH band AS (
		SELECT a.value ->> 'metric' AS metric, (a.value ->> 'horizon_from')::integer AS first, (a.value ->> 'n')::bigint AS n,
			(a.value ->> 'coverage_80_ratio')::double precision AS held, (a.value ->> 'smape_percent')::double precision AS off
		FROM jsonb_array_elements(coalesce(facts -> 'accuracy', '[]')) a WHERE (a.value ->> 'n')::bigint >= 14),
	line AS (
		SELECT b.metric, min(b.held) FILTER (WHERE b.first = 1) AS held_1, min(b.held) FILTER (WHERE b.first = 8) AS held_8, min(b.held) FILTER (WHERE b.first = 31) AS held_31,
			min(b.off) FILTER (WHERE b.first = 1) AS off_1, min(b.off) FILTER (WHERE b.first = 8) AS off_8, min(b.off) FILTER (WHERE b.first = 31) AS off_31,
			min(b.n) FILTER (WHERE b.first = 1) AS n_1, min(b.n) FILTER (WHERE b.first = 8) AS n_8, min(b.n) FILTER (WHERE b.first = 31) AS n_31
		FROM band b WHERE b.metric NOT IN ('total_vendors', 'trial_vendors', 'total_subscriptions', 'active_subscriptions') GROUP BY b.metric)
	SELECT CASE WHEN count(*) = 0 THEN '' ELSE capforecast._section('accuracy', 'How good the forecasts have been',
		capforecast._accuracy_sentence(facts),
		coalesce(capforecast._past_charts(facts), '') || '<table><caption>How many days the ranges held</caption><thead><tr><th scope="col">Metric</th><th scope="col">1 to 7 days ahead</th><th scope="col">8 to 30 days</th><th scope="col" class="p2">31 to 90 days</th></tr></thead><tbody>'
		|| string_agg(format('<tr><th scope="row">%s</th><td>%s%s</td><td>%s%s</td><td class="p2">%s%s</td></tr>', capforecast._escape_html(capforecast._metric_label(l.metric)),
			capforecast._coverage_html(l.held_1, l.n_1), CASE WHEN l.n_1 IS NULL THEN '' ELSE '<small>off by ' || capforecast._number(l.off_1) || '&#8239;%</small>' END,
			capforecast._coverage_html(l.held_8, l.n_8), CASE WHEN l.n_8 IS NULL THEN '' ELSE '<small>off by ' || capforecast._number(l.off_8) || '&#8239;%</small>' END,
			capforecast._coverage_html(l.held_31, l.n_31), CASE WHEN l.n_31 IS NULL THEN '' ELSE '<small>off by ' || capforecast._number(l.off_31) || '&#8239;%</small>' END), '' ORDER BY l.metric)
		|| '</tbody></table>') END
	FROM line l
$$;
COMMENT ON FUNCTION capforecast._section_accuracy(jsonb) IS 'What past forecasts'' ranges held; left out until two weeks of days have come.';

-- What keeps numbers away, and what a person must look at: parts of the report that failed, the host's tables, findings.
CREATE FUNCTION capforecast._troubles(facts jsonb)
	RETURNS TABLE (urgency text, word text, subject text, problem text, fix text) LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'critical', 'error', replace(f.key, '_', ' '), f.value, NULL FROM jsonb_each_text(facts -> 'failed') f
	UNION ALL
	SELECT CASE f.value ->> 'severity' WHEN 'critical' THEN 'critical' WHEN 'warning' THEN 'warning' ELSE 'unknown' END, f.value ->> 'severity', replace(f.value ->> 'code', '_', ' '),
		format('%s, for the first time on %s: %s', capforecast._counted((f.value ->> 'n')::bigint, 'finding is open', 'findings are open'), left(f.value ->> 'first_seen', 10), f.value ->> 'subject'),
		format('SELECT * FROM capforecast.finding WHERE code = %L AND resolved_at IS NULL;', f.value ->> 'code')
	FROM jsonb_array_elements(coalesce(facts -> 'findings', '[]')) f
	UNION ALL
	SELECT 'warning', 'missing', h.value ->> 'subject', h.value ->> 'problem', h.value ->> 'fix' FROM jsonb_array_elements(coalesce(facts -> 'host', '[]')) h
$$;
COMMENT ON FUNCTION capforecast._troubles(jsonb) IS 'What keeps numbers away, with the statement that mends it or shows more.';

CREATE FUNCTION capforecast._section_jobs(facts jsonb)
	RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT capforecast._section('jobs', 'Jobs and data', coalesce(capforecast._part_failed(facts, 'jobs'), j.sentence),
		coalesce('<table><caption>Jobs and their last runs</caption><thead><tr><th scope="col">Job</th><th scope="col">Status</th><th scope="col" class="p2">Last success</th><th scope="col" class="p3">Next due</th></tr></thead><tbody>' || j.lines || '</tbody></table>', '')
		|| coalesce('<h3 style="margin-top:20px">What else to look at</h3><ol class="do">' || d.lines || '</ol>', ''))
	FROM (SELECT CASE WHEN count(*) = 0 THEN 'No job is enabled.'
				WHEN count(*) = 1 AND min(j.value ->> 'status') = 'ok' THEN 'The job ran as it should.'
				WHEN count(*) FILTER (WHERE j.value ->> 'status' <> 'ok') = 0 THEN format('All %s ran as they should.', capforecast._counted(count(*), 'job', 'jobs'))
				ELSE capforecast._sentence(split_part(capforecast._counted(count(*) FILTER (WHERE j.value ->> 'status' <> 'ok'), '', ''), ' ', 1)) || ' of '
					|| capforecast._counted(count(*), 'job has', 'jobs have') || ' not run as ' || CASE WHEN count(*) = 1 THEN 'it' ELSE 'they' END || ' should.' END AS sentence,
			string_agg(format('<tr><th scope="row">%s%s</th><td>%s</td><td class="p2">%s</td><td class="p3">%s</td></tr>',
				capforecast._escape_html(capforecast._sentence(replace(j.value ->> 'job', '_', ' '))), coalesce('<small>' || capforecast._escape_html(j.value ->> 'last_error') || '</small>', ''),
				capforecast._status_html(CASE WHEN j.value ->> 'status' = 'ok' THEN 'none' WHEN j.value ->> 'status' = 'never_run' THEN 'unknown' ELSE 'critical' END, replace(j.value ->> 'status', '_', ' ')),
				coalesce(to_char((j.value ->> 'last_success')::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), 'never'), coalesce(to_char((j.value ->> 'next_due')::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), '&#8211;')),
				'' ORDER BY j.value ->> 'status' = 'ok', j.value ->> 'job') AS lines
		FROM jsonb_array_elements(coalesce(facts -> 'jobs', '[]')) j) j,
		(SELECT string_agg(format('<li><div>%s</div><div><h3 class="wrap">%s</h3><p class="wrap">%s</p>%s</div></li>',
				capforecast._status_html(t.urgency, t.word), capforecast._escape_html(t.subject), capforecast._escape_html(t.problem), coalesce('<pre>' || capforecast._escape_html(t.fix) || '</pre>', '')),
				'' ORDER BY array_position('{critical,warning,unknown}', t.urgency), t.subject) AS lines
		FROM capforecast._troubles(facts) t) d
$$;
COMMENT ON FUNCTION capforecast._section_jobs(jsonb) IS 'Whether the jobs ran, and what else keeps numbers away or must be looked at.';
