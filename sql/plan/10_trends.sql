-- Growth over the last days.

CREATE FUNCTION capforecast._check_days(days integer) RETURNS integer
	LANGUAGE C IMMUTABLE AS 'MODULE_PATHNAME', 'capforecast_check_days';
COMMENT ON FUNCTION capforecast._check_days(integer) IS 'The number of days to look back; 22023 unless it is from 1 to 36500, 22004 where it is NULL.';

CREATE TYPE capforecast.growth_trend AS (
	metric text, start_value numeric, current_value numeric, change numeric,
	growth_rate_percent double precision, daily_growth_rate double precision, monthly_projection double precision,
	period_days integer, start_date date, end_date date, snapshots_available bigint,
	slope_per_day double precision, cagr_ratio double precision, doubling_days double precision, acceleration double precision
);
COMMENT ON TYPE capforecast.growth_trend IS 'A row of growth_trends(): one metric.';

CREATE TYPE capforecast._growth AS (
	metric text, start_value numeric, current_value numeric, change numeric,
	growth_rate_percent double precision, daily_growth_rate double precision, monthly_projection double precision,
	period_days integer, start_date date, end_date date, snapshots_available bigint
);
COMMENT ON TYPE capforecast._growth IS 'What the first and the last snapshot say of one metric.';

CREATE FUNCTION capforecast._growth_trends(days integer, as_of timestamptz)
	RETURNS SETOF capforecast._growth LANGUAGE C STABLE ROWS 5 AS 'MODULE_PATHNAME', 'capforecast_growth_trends';
COMMENT ON FUNCTION capforecast._growth_trends(integer, timestamptz) IS
	'growth_trends() with a row for each metric even without two snapshots; then only snapshots_available is set.';

CREATE FUNCTION capforecast._growth_slopes(start_date date, end_date date,
		OUT metric text, OUT slope_per_day double precision, OUT cagr_ratio double precision,
		OUT doubling_days double precision, OUT acceleration double precision)
	RETURNS SETOF record LANGUAGE C STABLE STRICT ROWS 5 AS 'MODULE_PATHNAME', 'capforecast_growth_slopes';
COMMENT ON FUNCTION capforecast._growth_slopes(date, date) IS 'What growth_trends() has beyond the first and the last snapshot.';

CREATE FUNCTION capforecast.growth_trends(days integer DEFAULT 30, as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.growth_trend LANGUAGE sql STABLE ROWS 5 BEGIN ATOMIC
	WITH trend AS MATERIALIZED (
		SELECT t.*, row_number() OVER () AS position FROM capforecast._growth_trends(days, as_of) t WHERE t.snapshots_available >= 2),
	period AS (SELECT min(t.start_date) AS start_date, max(t.end_date) AS end_date FROM trend t)
	SELECT t.metric, t.start_value, t.current_value, t.change, t.growth_rate_percent, t.daily_growth_rate, t.monthly_projection,
		t.period_days, t.start_date, t.end_date, t.snapshots_available,
		s.slope_per_day, s.cagr_ratio, s.doubling_days, s.acceleration
	FROM trend t LEFT JOIN (SELECT s.* FROM period p CROSS JOIN LATERAL capforecast._growth_slopes(p.start_date, p.end_date) s) s
		ON s.metric = t.metric
	ORDER BY t.position;
END;
COMMENT ON FUNCTION capforecast.growth_trends(integer, timestamptz) IS
	'Growth between the first and the last snapshot of the last days (1 to 36500): rate over the period, per day, and the value projected 30 days on; storage_gb has values only. No rows where there are fewer than two snapshots. NULL counts as 0 here. Beyond the two ends: slope_per_day, the robust slope of all days; cagr_ratio, compounding growth a year (0.1 is 10 %); doubling_days; acceleration, the change of the slope per day; in these, NULL is a gap, and what cannot be said is NULL.
Example: SELECT metric, start_value, current_value, growth_rate_percent FROM capforecast.growth_trends(30);';

CREATE FUNCTION capforecast.growth_trends_json(days integer DEFAULT 30, as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE
	RETURN (SELECT CASE WHEN max(t.snapshots_available) < 2 THEN
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
	FROM capforecast._growth_trends(days, as_of) t);
COMMENT ON FUNCTION capforecast.growth_trends_json(integer, timestamptz) IS
	'growth_trends() as the document that the web application shows.
Example: SELECT capforecast.growth_trends_json(30);';

CREATE FUNCTION capforecast.days_until_threshold(metric text, threshold double precision, as_of timestamptz DEFAULT NULL)
	RETURNS bigint LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'capforecast_days_until_threshold';
COMMENT ON FUNCTION capforecast.days_until_threshold(text, double precision, timestamptz) IS
	'Whole days until vendors, products, orders, team_members or storage_gb reaches the threshold at the daily growth of the last 30 days. NULL: it does not grow, is there already, or is not known - this number cannot say which. time_to_threshold() can: it answers the same question with a status, a date and a range.
Example: SELECT capforecast.days_until_threshold(''vendors'', 100);';
