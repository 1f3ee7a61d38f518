-- Month by month.

CREATE FUNCTION capforecast._month_ends(horizon interval, as_of timestamptz)
	RETURNS TABLE (month date, last_day date)
	LANGUAGE sql IMMUTABLE BEGIN ATOMIC
	SELECT m::date, (m + interval '1 month')::date - 1
	FROM (SELECT as_of AT TIME ZONE 'UTC' AS now WHERE isfinite(as_of) AND isfinite(horizon)) clock
		CROSS JOIN generate_series(date_trunc('month', now), now + horizon, '1 month') m
	WHERE m + interval '1 month' - interval '1 day' > now AND m < date_trunc('month', now + horizon);
END;
COMMENT ON FUNCTION capforecast._month_ends(interval, timestamptz) IS 'The months that end within the horizon.';

CREATE TYPE capforecast.plan_month AS (
	month date, last_day date,
	vendors double precision, vendors_upper double precision, products double precision, products_upper double precision,
	orders double precision, orders_upper double precision, storage_gb double precision, storage_gb_upper double precision,
	db_size_mb double precision, db_size_mb_upper double precision,
	tier text, tier_is_exceeded boolean, monthly_cost_cents bigint,
	tier_upper text, tier_upper_is_exceeded boolean, monthly_cost_cents_upper bigint, currency text, reason text,
	tier_in_use text, tier_in_use_is_told boolean, tier_in_use_exceeded boolean
);
COMMENT ON TYPE capforecast.plan_month IS 'A row of capacity_plan(): one month.';

CREATE FUNCTION capforecast.capacity_plan(horizon interval DEFAULT '12 months', confidence_level double precision DEFAULT 0.80,
		as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.plan_month
	LANGUAGE plpgsql STABLE ROWS 12 SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	now constant timestamptz := capforecast._instant(as_of);
	days constant integer := capforecast._period_days('horizon', horizon, now, 28, 1830);
BEGIN
	RETURN QUERY
	WITH forecasts AS MATERIALIZED (
		SELECT m.metric AS name, f.*
		FROM (SELECT x.metric FROM capforecast._tier_maxima(NULL) x) m
			CROSS JOIN LATERAL capforecast.forecast(m.metric, days, confidence_level => capacity_plan.confidence_level, as_of => now) f),
	months AS (
		SELECT e.month, e.last_day,
			coalesce(jsonb_object_agg(f.name, f.predicted) FILTER (WHERE f.predicted IS NOT NULL), '{}') AS expected,
			coalesce(jsonb_object_agg(f.name, f.upper_bound) FILTER (WHERE f.predicted IS NOT NULL), '{}') AS upper
		FROM capforecast._month_ends(capacity_plan.horizon, now) e
			LEFT JOIN forecasts f ON f.forecast_date = e.last_day
		GROUP BY e.month, e.last_day),
	unknown AS (
		SELECT string_agg(format('%s is not known (%s: %s)', f.name, f.status, rtrim(f.reason, '.')), '; ' ORDER BY f.name) || '.' AS text
		FROM forecasts f WHERE f.predicted IS NULL),
	in_use AS (
		SELECT u.* FROM (SELECT 1) one LEFT JOIN (
			SELECT u.* FROM capforecast._last_usage(now) usage CROSS JOIN LATERAL capforecast._tier_in_use(usage) u) u ON true)
	SELECT m.month, m.last_day, e.vendors, x.vendors, e.products, x.products, e.orders, x.orders,
		e.storage_gb, x.storage_gb, e.db_size_mb, x.db_size_mb,
		-- a size can be named where at least what every size is measured by is known
		CASE WHEN is_known.yes THEN (t.tier).name END, CASE WHEN is_known.yes THEN t.is_exceeded END,
		CASE WHEN is_known.yes THEN (t.tier).monthly_cost_cents END,
		CASE WHEN is_known.yes THEN (u.tier).name END, CASE WHEN is_known.yes THEN u.is_exceeded END,
		CASE WHEN is_known.yes THEN (u.tier).monthly_cost_cents END,
		CASE WHEN is_known.yes THEN (t.tier).currency::text END, unknown.text,
		(in_use.tier).name, in_use.is_told,
		CASE WHEN is_known.yes AND (in_use.tier).name IS NOT NULL THEN EXISTS (
			SELECT FROM capforecast._tier_maxima(in_use.tier) l WHERE (m.expected ->> l.metric)::double precision > l.maximum) END
	FROM months m CROSS JOIN unknown CROSS JOIN in_use
		CROSS JOIN LATERAL jsonb_to_record(m.expected) AS e(vendors double precision, products double precision,
			orders double precision, storage_gb double precision, db_size_mb double precision)
		CROSS JOIN LATERAL jsonb_to_record(m.upper) AS x(vendors double precision, products double precision,
			orders double precision, storage_gb double precision, db_size_mb double precision)
		CROSS JOIN LATERAL (SELECT e.vendors IS NOT NULL AND e.products IS NOT NULL AS yes) is_known
		LEFT JOIN LATERAL capforecast._tier_for(m.expected) t ON true
		LEFT JOIN LATERAL capforecast._tier_for(m.upper) u ON true
	ORDER BY m.month;
END
$$;
COMMENT ON FUNCTION capforecast.capacity_plan(interval, double precision, timestamptz) IS
	'Month by month until the horizon (28 days to 5 years): what forecast() says of the last day of each month that ends within it, expected and at the upper bound of the confidence level, the infrastructure tier that carries each, and its cost a month; beside it the tier in use, and whether what is expected is above it. NULL, with the reason: not known; a tier is named where vendors and products are. Errors: 22023.
Example: SELECT month, vendors, products, tier, monthly_cost_cents, currency FROM capforecast.capacity_plan(''180 days'');';

CREATE FUNCTION capforecast.capacity_plan_json(horizon interval DEFAULT '12 months', confidence_level double precision DEFAULT 0.80,
		as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE
	RETURN (SELECT coalesce(jsonb_agg(p), '[]') FROM capforecast.capacity_plan(horizon, confidence_level, as_of) p);
COMMENT ON FUNCTION capforecast.capacity_plan_json(interval, double precision, timestamptz) IS 'capacity_plan() as one list.
Example: SELECT capforecast.capacity_plan_json(''180 days'');';
