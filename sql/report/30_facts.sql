-- What a report is made of, read once: a document with a member for each part.

-- A part that fails is its own loss: its reason stands in the report, and the rest is there.
CREATE FUNCTION capforecast._report_part(facts jsonb, part text, statement text)
	RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	content jsonb;
BEGIN
	EXECUTE statement INTO content USING (facts ->> 'as_of')::timestamptz, (facts ->> 'horizon')::interval;
	RETURN facts || jsonb_build_object(part, content);
EXCEPTION WHEN OTHERS THEN
	IF sqlstate ~ '^(40|57)' THEN
		RAISE;
	END IF;
	RETURN jsonb_set(facts, ARRAY['failed', part], to_jsonb(left(sqlerrm, 500)));
END
$$;
COMMENT ON FUNCTION capforecast._report_part(jsonb, text, text) IS
	'The document with one part more, which the statement makes of $1, as_of, and $2, the horizon; where it fails, with its message under "failed".';

CREATE FUNCTION capforecast._report_rows(source text, order_by text DEFAULT 'r.position')
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN format('SELECT coalesce(jsonb_agg(to_jsonb(r) - ''position'' ORDER BY %s), ''[]'') FROM (SELECT t.*, row_number() OVER () AS position FROM (%s) t) r',
		order_by, source);
COMMENT ON FUNCTION capforecast._report_rows(text, text) IS 'The statement that makes an array of a statement''s rows, in their order.';

CREATE FUNCTION capforecast._vendor_name(vendor_id text)
	RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN capforecast._host_row(NULL::text, 'SELECT {v:vendors.name}::text FROM {vendors} v WHERE {v:vendors.id}::text = $1', vendor_id);
EXCEPTION WHEN syntax_error_or_access_rule_violation OR invalid_parameter_value OR data_exception THEN
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION capforecast._vendor_name(text) IS 'What a vendor is called; NULL where that cannot be read.';

CREATE FUNCTION capforecast._report_facts(horizon interval, title text, as_of timestamptz)
	RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	facts jsonb := jsonb_build_object('title', title, 'database', current_database(), 'as_of', as_of, 'horizon', horizon,
		'version', (SELECT e.extversion FROM pg_extension e WHERE e.extname = 'capforecast'), 'server', current_setting('server_version'),
		'failed', '{}'::jsonb);
	part record;
BEGIN
	FOR part IN SELECT * FROM (VALUES
		('snapshots', $q$SELECT jsonb_build_object('n', count(*), 'first_day', min(s.snapshot_date), 'last_day', max(s.snapshot_date),
			'n_captured', count(*) FILTER (WHERE s.source = 'captured'))
			FROM capforecast.capacity_snapshots s WHERE s.snapshot_date <= ($1 AT TIME ZONE 'UTC')::date$q$),
		('outlook', capforecast._report_rows('SELECT * FROM capforecast.capacity_outlook($2, ''expected'', $1)')),
		('outlook_yesterday', capforecast._report_rows('SELECT * FROM capforecast.capacity_outlook($2, ''expected'', $1 - interval ''1 day'')')),
		('outlook_last_week', capforecast._report_rows('SELECT * FROM capforecast.capacity_outlook($2, ''expected'', $1 - interval ''7 days'')')),
		('values', capforecast._report_rows($q$SELECT m.metric, m.unit, m.kind,
				(SELECT h.value FROM capforecast.metric_history h WHERE h.metric = m.metric AND h.day <= c.today ORDER BY h.day DESC LIMIT 1) AS today,
				(SELECT h.value FROM capforecast.metric_history h WHERE h.metric = m.metric AND h.day <= c.today - 1 ORDER BY h.day DESC LIMIT 1) AS yesterday,
				(SELECT h.value FROM capforecast.metric_history h WHERE h.metric = m.metric AND h.day <= c.today - 7 ORDER BY h.day DESC LIMIT 1) AS last_week
			FROM capforecast.metrics m, (SELECT ($1 AT TIME ZONE 'UTC')::date AS today) c$q$)),
		('alerts', $q$SELECT jsonb_build_object('opened', count(*) FILTER (WHERE a.opened_at > $1 - interval '7 days'),
				'recovered', count(*) FILTER (WHERE a.recovered_at > $1 - interval '7 days' AND a.recovered_at <= $1))
			FROM capforecast.alert a WHERE a.opened_at <= $1$q$),
		('recommendations', capforecast._report_rows('SELECT * FROM capforecast.scaling_recommendations(as_of => $1)')),
		('plan', capforecast._report_rows('SELECT * FROM capforecast.capacity_plan(''1 year'', as_of => $1)')),
		('growth', capforecast._report_rows('SELECT * FROM capforecast.growth_trends(30, $1)')),
		('contributors', capforecast._report_rows('SELECT c.*, capforecast._vendor_name(c.vendor_id) AS vendor_name FROM (SELECT * FROM capforecast.growth_contributors(''products'', 30, $1) ORDER BY abs(contribution) DESC LIMIT 6) c')),
		('vendors', capforecast._report_rows($q$SELECT v.*, count(*) OVER () AS n, count(*) FILTER (WHERE v.status = 'already_breached') OVER () AS n_reached,
				count(*) FILTER (WHERE v.near_since > ($1 AT TIME ZONE 'UTC')::date - 7) OVER () AS n_new
			FROM capforecast.vendor_near_limit v
			ORDER BY v.status <> 'already_breached', v.breach_date, v.current_value / nullif(v.limit_value, 0) DESC, v.vendor_id, v.resource LIMIT 10$q$)),
		('vendors_looked_at', $q$SELECT to_jsonb(max(r.started_at)) FROM capforecast.job_run r
			WHERE r.job = 'look_at_vendors' AND r.status = 'ok' AND r.started_at <= $1$q$),
		('accuracy', capforecast._report_rows('SELECT * FROM capforecast.forecast_accuracy(NULL, 90, $1)')),
		('past', capforecast._report_rows('SELECT p.* FROM capforecast.metrics m, capforecast.past_forecast(m.metric, NULL, $1) p')),
		('known_days', capforecast._report_rows($q$SELECT d.day, d.name, d.region FROM (SELECT ($1 AT TIME ZONE 'UTC')::date AS today) c, capforecast.known_days(c.today, c.today + 183) d
			WHERE d.offset_days = 0$q$)),
		('jobs', capforecast._report_rows('SELECT * FROM capforecast.job_health($1)')),
		('host', capforecast._report_rows('SELECT p.subject, p.problem, p.fix FROM capforecast._host_problems() p WHERE p.sqlstate <> ''01000'' LIMIT 20')),
		('findings', capforecast._report_rows($q$SELECT f.code, f.severity, count(*) AS n, min(f.first_seen) AS first_seen, min(f.subject) AS subject
			FROM capforecast.finding f WHERE f.first_seen <= $1 AND (f.resolved_at IS NULL OR f.resolved_at > $1)
			GROUP BY f.code, f.severity ORDER BY array_position('{critical,warning,info}', f.severity), f.code$q$))
		) AS p(name, statement)
	LOOP
		facts := capforecast._report_part(facts, part.name, part.statement);
	END LOOP;
	RETURN facts;
END
$$;
COMMENT ON FUNCTION capforecast._report_facts(interval, text, timestamptz) IS
	'All parts of a report as one document; capacity_report(''json'') is it.';
