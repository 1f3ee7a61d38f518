-- Growth over the last days.

CREATE FUNCTION capforecast._growth_trends(days integer, as_of timestamptz,
		OUT metric text, OUT start_value numeric, OUT current_value numeric, OUT change numeric,
		OUT growth_rate_percent double precision, OUT daily_growth_rate double precision,
		OUT monthly_projection double precision, OUT period_days integer,
		OUT start_date date, OUT end_date date, OUT snapshots_available bigint)
	RETURNS SETOF record LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'capforecast_growth_trends';
COMMENT ON FUNCTION capforecast._growth_trends(integer, timestamptz) IS
	'growth_trends() with a row for each metric even without two snapshots; then only snapshots_available is set.';

CREATE FUNCTION capforecast.growth_trends(days integer DEFAULT 30, as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (metric text, start_value numeric, current_value numeric, change numeric,
		growth_rate_percent double precision, daily_growth_rate double precision, monthly_projection double precision,
		period_days integer, start_date date, end_date date, snapshots_available bigint)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT * FROM capforecast._growth_trends(days, as_of) WHERE snapshots_available >= 2
$$;
COMMENT ON FUNCTION capforecast.growth_trends(integer, timestamptz) IS
	'Growth between the first and the last snapshot of the last days (1 to 36500): rate over the period, per day, and the value projected 30 days on; storage_gb has values only. No rows where there are fewer than two snapshots. NULL counts as 0 here.';

CREATE FUNCTION capforecast.growth_trends_json(days integer DEFAULT 30, as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN max(t.snapshots_available) < 2 THEN
		jsonb_build_object('period_days', days, 'snapshots_available', max(t.snapshots_available),
			'trends', '{}'::jsonb, 'message', 'Insufficient data for trend analysis')
	ELSE
		jsonb_build_object('period_days', max(t.period_days), 'snapshots_available', max(t.snapshots_available),
			'start_date', to_char(max(t.start_date), 'YYYY-MM-DD"T00:00:00+00:00"'),
			'end_date', to_char(max(t.end_date), 'YYYY-MM-DD"T00:00:00+00:00"'),
			'trends', jsonb_object_agg(t.metric,
				CASE WHEN t.metric = 'storage_gb' THEN
					jsonb_build_object('start_value', t.start_value::double precision,
						'current_value', t.current_value::double precision, 'change', t.change::double precision)
				ELSE
					jsonb_build_object('start_value', t.start_value, 'current_value', t.current_value,
						'change', t.change, 'growth_rate_percent', t.growth_rate_percent,
						'daily_growth_rate', t.daily_growth_rate, 'monthly_projection', t.monthly_projection)
				END))
	END
	FROM capforecast._growth_trends(days, as_of) t
$$;
COMMENT ON FUNCTION capforecast.growth_trends_json(integer, timestamptz) IS
	'growth_trends() as the document that the web application shows.';

CREATE FUNCTION capforecast.days_until_threshold(metric text, threshold double precision, as_of timestamptz DEFAULT NULL)
	RETURNS bigint LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'capforecast_days_until_threshold';
COMMENT ON FUNCTION capforecast.days_until_threshold(text, double precision, timestamptz) IS
	'Whole days until vendors, products, orders, team_members or storage_gb reaches the threshold at the daily growth of the last 30 days. NULL: it does not grow, is there already, or is not known - this number cannot say which. time_to_threshold() can: it answers the same question with a status, a date and a range.';
