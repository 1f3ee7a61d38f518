-- The page: a sentence, four facts, and the sections.

-- What is most worth saying: nothing counted, days missing, limits reached, the soonest date, when there will be one, none.
CREATE FUNCTION capforecast._headline(facts jsonb, OUT state text, OUT html text)
	LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	today constant date := capforecast._today(facts);
	last_day constant date := (facts -> 'snapshots' ->> 'last_day')::date;
	top jsonb;
	n_over bigint;
	ready date;
	subject text;
BEGIN
	SELECT count(*) FILTER (WHERE l.outlook ->> 'status' = 'already_breached'), min((l.outlook ->> 'ready_on')::date) FILTER (WHERE l.outlook ->> 'breach_date' IS NULL),
		(array_agg(l.outlook ORDER BY l.place))[1]
	INTO n_over, ready, top FROM capforecast._limits_in_order(facts) l;
	subject := capforecast._escape_html(capforecast._metric_label(top ->> 'metric'));
	IF last_day IS NULL THEN
		state := 'empty';
		html := CASE WHEN facts -> 'failed' ? 'snapshots' THEN 'What was counted could not be read' ELSE 'Nothing has been counted yet' END;
	ELSIF last_day < today - 1 THEN
		state := 'stale';
		html := format('No number since <em>%s</em>: %s missing', capforecast._time_html(last_day, today, true), capforecast._counted(today - last_day, 'day is', 'days are'));
	ELSIF n_over > 0 THEN
		state := 'over';
		html := format('<em>%s.</em> %s: %s of %s', capforecast._sentence(capforecast._counted(n_over, 'limit is reached', 'limits are reached')), subject,
			capforecast._value_text((top ->> 'current_value')::double precision, top ->> 'unit'), capforecast._value_text((top ->> 'limit_value')::double precision, top ->> 'unit'));
	ELSIF top ->> 'breach_date' IS NOT NULL THEN
		state := 'dated';
		html := format('%s: %s of %s is reached about <em>%s</em>', subject,
			CASE top ->> 'limit_kind' WHEN 'infrastructure' THEN 'the ' || capforecast._escape_html(top ->> 'limit_name') || '&#8217;s limit'
				WHEN 'subscriptions' THEN 'the sum that plans allow' ELSE 'the limit' END,
			capforecast._value_text((top ->> 'limit_value')::double precision, top ->> 'unit'),
			capforecast._time_html((top ->> 'breach_date')::date, today, true));
	ELSIF ready IS NOT NULL THEN
		state := 'young';
		html := format('Counted for %s. Dates come from <em>%s</em> on', capforecast._counted((facts -> 'snapshots' ->> 'n')::bigint, 'day', 'days'), capforecast._time_html(ready, today, true));
	ELSE
		state := 'calm';
		html := 'No limit is reached within a year';
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._headline(jsonb) IS 'The report in one sentence (HTML), and its state: empty, stale, over, dated, young, calm.';

CREATE FUNCTION capforecast._fact(name text, big text, small text, class text DEFAULT '')
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN format('<div><dt>%s</dt><dd class="big %s">%s</dd>%s</div>', name, class, big, coalesce('<dd>' || small || '</dd>', ''));
COMMENT ON FUNCTION capforecast._fact(text, text, text, text) IS 'One of the facts below the headline.';

CREATE FUNCTION capforecast._facts_html(facts jsonb, state text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('<dl class="facts%s">', CASE WHEN state = 'over' THEN ' over' ELSE '' END)
		|| capforecast._fact(CASE WHEN state = 'over' THEN 'Furthest over' ELSE 'Binds first' END, capforecast._escape_html(capforecast._metric_label(t.top ->> 'metric')),
			capforecast._value_text((t.top ->> 'current_value')::double precision, t.top ->> 'unit') || ' of ' || capforecast._value_text((t.top ->> 'limit_value')::double precision, t.top ->> 'unit')
				|| coalesce(', ' || round((t.top ->> 'utilization_ratio')::numeric * 100) || '&#8239;% used', ''))
		|| CASE WHEN state = 'over' THEN capforecast._fact('Since', CASE WHEN t.top ->> 'breach_date' IS NULL THEN 'before it was counted' ELSE capforecast._time_html((t.top ->> 'breach_date')::date, t.today) END, NULL)
			ELSE capforecast._fact('When', CASE WHEN (t.top ->> 'days_left')::integer = 0 THEN 'today' ELSE 'in ' || capforecast._counted((t.top ->> 'days_left')::bigint, 'day', 'days') END,
				capforecast._range_html((t.top ->> 'breach_date_earliest')::date, (t.top ->> 'breach_date_latest')::date, t.today) || ' in four cases of five') END
		|| coalesce(capforecast._fact('Do', CASE WHEN o.due_date <= t.today THEN format('Order %s now', capforecast._escape_html(o.tier)) ELSE format('Order %s by %s', capforecast._escape_html(o.tier), capforecast._time_html(o.due_date, t.today)) END,
				CASE WHEN o.due_date < t.today THEN 'the day to order was ' || capforecast._time_html(o.due_date, t.today) ELSE capforecast._counted(o.lead_days, 'day is needed', 'days are needed') || ' to change' END, 'do'),
			capforecast._fact('Do', CASE WHEN state = 'over' THEN 'Raise the limit, or stop the growth' ELSE 'Nothing to order yet' END, NULL, 'do'))
		|| coalesce(capforecast._fact('Cost', CASE WHEN o.cost_now_cents IS NULL THEN '' ELSE split_part(capforecast._money(o.cost_now_cents, o.currency), '&#160;', 1) || ' &#8594; ' END || capforecast._money(o.cost_cents, o.currency) || ' a month',
			capforecast._money(o.cost_cents - o.cost_now_cents, o.currency) || ' more'), '')
		|| '</dl>'
	FROM (SELECT l.outlook AS top, capforecast._today(facts) AS today FROM capforecast._limits_in_order(facts) l ORDER BY l.place LIMIT 1) t
		LEFT JOIN capforecast._order(facts) o ON true
	WHERE state IN ('over', 'dated')
$$;
COMMENT ON FUNCTION capforecast._facts_html(jsonb, text) IS 'What binds, when, what to do, what it costs; NULL where there is no date.';

CREATE FUNCTION capforecast._first_steps(state text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE state
		WHEN 'empty' THEN '<section aria-labelledby="start-h"><h2 id="start-h">Start here</h2><ol><li>See what is in the way, if anything: <code>doctor()</code> says it with the statement that mends it.</li><li>Count the platform once:<pre>SELECT * FROM capforecast.capture_daily_snapshot();</pre></li><li>Take the past from what your tables still tell, so that there is a date today:<pre>SELECT * FROM capforecast.backfill_snapshots(current_date - 400, current_date - 1);</pre></li></ol></section>'
		WHEN 'young' THEN '<section aria-labelledby="start-h"><h2 id="start-h">A date today</h2><p>What your tables still tell of the past makes one:</p><pre>SELECT * FROM capforecast.backfill_snapshots(current_date - 400, current_date - 1);</pre></section>'
		ELSE '' END;
COMMENT ON FUNCTION capforecast._first_steps(text) IS 'The statements that bring the first numbers and dates.';
