-- What to do about it.

CREATE FUNCTION capforecast.scaling_recommendations(extended boolean DEFAULT true, as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (category text, severity text, title text, description text, action text,
		rule text, metric text, due_date date, monthly_cost bigint, details jsonb)
	LANGUAGE C STABLE ROWS 4 AS 'MODULE_PATHNAME', 'capforecast_scaling_recommendations';
COMMENT ON FUNCTION capforecast.scaling_recommendations(boolean, timestamptz) IS
	'Recommendations by severity: product use above 80 % of the theoretical limit, an infrastructure tier above 70 % of its maximum, vendors growing by more than 20 % in 30 days, image storage above 800 GB. Use is read live. extended => false: exactly these rules. monthly_cost is in minor units.';

CREATE FUNCTION capforecast.scaling_recommendations_json(extended boolean DEFAULT true, as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_agg(
		jsonb_build_object('category', r.category, 'severity', r.severity, 'title', r.title,
			'description', r.description, 'action', r.action)
		|| CASE WHEN scaling_recommendations_json.extended THEN
			jsonb_build_object('rule', r.rule, 'metric', r.metric, 'due_date', r.due_date,
				'monthly_cost', r.monthly_cost, 'details', r.details)
		   ELSE '{}' END
		ORDER BY r.position), '[]')
	FROM capforecast.scaling_recommendations(extended, as_of)
		WITH ORDINALITY AS r(category, severity, title, description, action, rule, metric, due_date, monthly_cost, details, position)
$$;
COMMENT ON FUNCTION capforecast.scaling_recommendations_json(boolean, timestamptz) IS
	'scaling_recommendations() as the list that the web application shows.';
