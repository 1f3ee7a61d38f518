-- The report as Markdown: the same sentences and tables, for chat and mail.

-- From the page's HTML: elements out, references of characters to plain ones.
CREATE FUNCTION capforecast._plain(html text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(regexp_replace(regexp_replace(html, '<small>', ' ', 'g'), '<[^>]*>', '', 'g'),
		'&#8239;', ' '), '&#160;', ' '), '&#8211;', '-'), '&#8722;', '-'), '&#8594;', 'to'), '&lt;', '<'), '&gt;', '>'), '&quot;', '"'), '&#39;', ''''), '&amp;', '&');
COMMENT ON FUNCTION capforecast._plain(text) IS 'HTML as plain text, ASCII where the page was.';

-- What could be taken for markup, or end a table's cell.
CREATE FUNCTION capforecast._escape_markdown(content text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN regexp_replace(regexp_replace(content, '([\\`*_{}\[\]<>#|~])', '\\\1', 'g'), '\s+', ' ', 'g');
COMMENT ON FUNCTION capforecast._escape_markdown(text) IS 'A text as it may stand in a cell of a Markdown table.';

CREATE FUNCTION capforecast._markdown_cell(html text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN capforecast._escape_markdown(trim(capforecast._plain(html)));
COMMENT ON FUNCTION capforecast._markdown_cell(text) IS 'A piece of the page as a cell.';

CREATE FUNCTION capforecast._report_markdown(facts jsonb)
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT concat_ws(E'\n', '# ' || capforecast._escape_markdown(coalesce(facts ->> 'title', 'Capacity report')), '',
		format('Database %s, %s UTC', capforecast._escape_markdown(facts ->> 'database'), to_char((facts ->> 'as_of')::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')), '',
		'**' || capforecast._markdown_cell((capforecast._headline(facts)).html) || '**', '',
		(SELECT E'## Limits\n\n| limit | used | of | % | reached | range |\n|---|---:|---:|---:|---|---|\n' || string_agg(format('| %s (%s) | %s | %s | %s | %s | %s |',
			capforecast._markdown_cell(capforecast._metric_label(l.outlook ->> 'metric')), capforecast._escape_markdown(l.outlook ->> 'limit_name'),
			capforecast._plain(capforecast._value_text((l.outlook ->> 'current_value')::double precision, l.outlook ->> 'unit')), capforecast._plain(capforecast._value_text((l.outlook ->> 'limit_value')::double precision, l.outlook ->> 'unit')),
			coalesce(round((l.outlook ->> 'utilization_ratio')::numeric * 100)::text, '-'),
			CASE WHEN l.outlook ->> 'status' = 'already_breached' THEN 'reached' ELSE coalesce(l.outlook ->> 'breach_date', replace(l.outlook ->> 'status', '_', ' ')) END,
			coalesce(concat_ws(' to ', l.outlook ->> 'breach_date_earliest', l.outlook ->> 'breach_date_latest'), '')), E'\n' ORDER BY l.place) || E'\n'
		 FROM capforecast._limits_in_order(facts) l),
		(SELECT E'## What to do\n\n' || string_agg(format('- **%s** %s%s', capforecast._escape_markdown(r.value ->> 'title'), capforecast._escape_markdown(capforecast._sentence(r.value ->> 'description')),
			coalesce(' By ' || (r.value ->> 'due_date') || '.', '')), E'\n' ORDER BY array_position('{critical,warning,info}', r.value ->> 'severity'), r.value ->> 'due_date' NULLS LAST, r.position) || E'\n'
		 FROM jsonb_array_elements(coalesce(facts -> 'recommendations', '[]')) WITH ORDINALITY AS r(value, position)),
		(SELECT E'## Cost\n\n| month | size needed | a month |\n|---|---|---:|\n' || string_agg(format('| %s | %s | %s |', left(m.value ->> 'month', 7), capforecast._escape_markdown(m.value ->> 'tier'),
			capforecast._plain(capforecast._money((m.value ->> 'monthly_cost_cents')::bigint, m.value ->> 'currency'))), E'\n' ORDER BY m.value ->> 'month') || E'\n'
		 FROM jsonb_array_elements(coalesce(facts -> 'plan', '[]')) m WHERE m.value ->> 'tier' IS NOT NULL AND (m.value ->> 'vendors' IS NOT NULL OR m.value ->> 'products' IS NOT NULL)),
		(SELECT E'## Vendors near their limits\n\n| vendor | plan | what | used | of | plan that fits |\n|---|---|---|---:|---:|---|\n' || string_agg(format('| %s | %s | %s | %s | %s | %s |', capforecast._escape_markdown(coalesce(v.value ->> 'vendor_name', v.value ->> 'vendor_id')),
			capforecast._escape_markdown(v.value ->> 'tier'), replace(v.value ->> 'resource', '_', ' '), v.value ->> 'current_value', v.value ->> 'limit_value', coalesce(capforecast._escape_markdown(v.value ->> 'fitting_tier'), 'none')), E'\n' ORDER BY v.position) || E'\n'
		 FROM jsonb_array_elements(coalesce(facts -> 'vendors', '[]')) WITH ORDINALITY AS v(value, position)),
		(SELECT E'## Jobs\n\n' || coalesce(string_agg(format('- %s: %s%s', j.value ->> 'job', replace(j.value ->> 'status', '_', ' '), coalesce(' (' || capforecast._escape_markdown(j.value ->> 'last_error') || ')', '')), E'\n' ORDER BY j.value ->> 'status' = 'ok', j.value ->> 'job'), 'None is enabled.')
		 FROM jsonb_array_elements(coalesce(facts -> 'jobs', '[]')) j)) || E'\n'
$$;
COMMENT ON FUNCTION capforecast._report_markdown(jsonb) IS 'The report in Markdown.';
