-- The report.

CREATE FUNCTION capforecast._report_html(facts jsonb)
	RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	headline record;
	as_of constant timestamp := (facts ->> 'as_of')::timestamptz AT TIME ZONE 'UTC';
	title constant text := capforecast._escape_html(coalesce(facts ->> 'title', 'Capacity report'));
	body text;
BEGIN
	SELECT * INTO headline FROM capforecast._headline(facts) h;
	body := coalesce(capforecast._facts_html(facts, headline.state), '') || capforecast._first_steps(headline.state)
		|| CASE WHEN headline.state = 'empty' THEN '' ELSE capforecast._section_limits(facts) || capforecast._section_do(facts) || capforecast._section_changed(facts)
			|| capforecast._section_metrics(facts) || capforecast._section_growth(facts) || capforecast._section_cost(facts) || capforecast._section_vendors(facts)
			|| capforecast._section_accuracy(facts) END
		|| capforecast._section_jobs(facts);
	RETURN '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="generator" content="capforecast '
		|| (facts ->> 'version') || '"><link rel="icon" href="data:,"><title>' || title || '</title><style>' || capforecast._page_style() || capforecast._chart_style() || '</style></head><body><a class="skip" href="#main">To the report</a><div class="page"><header><p><b>'
		|| title || '</b><span>database <b>' || capforecast._escape_html(facts ->> 'database') || '</b></span><span>' || trim(to_char(as_of, 'Day')) || ' '
		|| capforecast._time_html(as_of::date, as_of::date - 366, true) || ', ' || to_char(as_of, 'HH24:MI') || ' UTC</span></p><nav aria-label="Sections">'
		|| (SELECT coalesce(string_agg(format('<a href="#%s">%s</a>', n.id, n.name), '' ORDER BY n.position), '')
			FROM (VALUES (1, 'limits', 'Limits'), (2, 'do', 'What to do'), (3, 'changed', 'What changed'), (4, 'metrics', 'Metrics'), (5, 'growth', 'Growth'), (6, 'cost', 'Cost'), (7, 'vendors', 'Vendors'), (8, 'accuracy', 'Accuracy'), (9, 'jobs', 'Jobs')) n(position, id, name)
			WHERE position('<section id="' || n.id || '"' IN body) > 0)
		|| '</nav></header><main id="main"><h1>' || headline.html || '</h1>' || body
		|| '</main><footer><p>A date is the day by which half of the simulated futures have reached the limit; the range holds it in four cases of five. Days are UTC. Bars end at 130&#8239;% of a limit, which is the tick.</p><p>capforecast '
		|| (facts ->> 'version') || ', PostgreSQL ' || capforecast._escape_html(facts ->> 'server') || '. Made by <code>psql -qAt -c "SELECT capforecast.capacity_report()" -o report.html</code></p></footer></div></body></html>' || E'\n';
END
$$;
COMMENT ON FUNCTION capforecast._report_html(jsonb) IS 'The report as one page that needs nothing else.';

CREATE FUNCTION capforecast.capacity_report(format text DEFAULT 'html', horizon interval DEFAULT '365 days', title text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	facts jsonb;
BEGIN
	IF capacity_report.format IS NULL OR capacity_report.format NOT IN ('html', 'markdown', 'json') THEN
		RAISE invalid_parameter_value USING
			MESSAGE = pg_catalog.format('"%s" is not a format of the report', capacity_report.format),
			CONSTRAINT = 'bad_format',
			HINT = 'Use html, markdown or json.';
	END IF;
	facts := capforecast._report_facts(capacity_report.horizon, capacity_report.title, capforecast._instant(capacity_report.as_of));
	RETURN CASE capacity_report.format
		WHEN 'html' THEN capforecast._report_html(facts)
		WHEN 'markdown' THEN capforecast._report_markdown(facts)
		ELSE jsonb_pretty(facts) END;
END
$$;
COMMENT ON FUNCTION capforecast.capacity_report(text, interval, text, timestamptz) IS
	'The platform on one page: which limit binds and when, what to do and what it costs, what changed, a chart for each metric, growth, cost, vendors near their limits, how good the forecasts were, and the jobs. format: html (one page with inline SVG, no script, no request), markdown, or json (everything it is made of). A part that fails says so, and the rest is there. horizon is that of capacity_outlook(). Error: 22023.
Example: SELECT capforecast.capacity_report(''markdown'', title => ''Monday'');';
