-- Month by month, and what if.

CREATE FUNCTION capforecast._month_ends(horizon interval, as_of timestamptz)
	RETURNS TABLE (month date, last_day date)
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT m::date, (m + interval '1 month')::date - 1
	FROM (SELECT as_of AT TIME ZONE 'UTC' AS now WHERE isfinite(as_of) AND isfinite(horizon)) clock
		CROSS JOIN generate_series(date_trunc('month', now), now + horizon, '1 month') m
	WHERE m + interval '1 month' - interval '1 day' > now AND m < date_trunc('month', now + horizon)
$$;
COMMENT ON FUNCTION capforecast._month_ends(interval, timestamptz) IS 'The months that end within the horizon.';

CREATE FUNCTION capforecast.capacity_plan(horizon interval DEFAULT '12 months', confidence_level double precision DEFAULT 0.80,
		as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (month date, last_day date,
		vendors double precision, vendors_upper double precision, products double precision, products_upper double precision,
		orders double precision, orders_upper double precision, storage_gb double precision, storage_gb_upper double precision,
		db_size_mb double precision, db_size_mb_upper double precision,
		tier text, tier_is_exceeded boolean, monthly_cost_cents bigint,
		tier_upper text, tier_upper_is_exceeded boolean, monthly_cost_cents_upper bigint, currency text, reason text)
	LANGUAGE plpgsql STABLE ROWS 12 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	now constant timestamptz := capforecast._instant(as_of);
	today constant date := (now AT TIME ZONE 'UTC')::date;
	days constant integer := ((now AT TIME ZONE 'UTC') + capacity_plan.horizon)::date - today;
BEGIN
	IF days IS NULL OR days NOT BETWEEN 28 AND 1830 THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'horizon must be between 28 days and 5 years',
			HINT = 'Give an interval, for example ''12 months''.';
	END IF;

	RETURN QUERY
	WITH metric AS (SELECT unnest('{vendors,products,orders,storage_gb,db_size_mb}'::text[]) AS name),
	forecasts AS MATERIALIZED (
		SELECT m.name, f.* FROM metric m
			CROSS JOIN LATERAL capforecast.forecast(m.name, days, confidence_level => capacity_plan.confidence_level, as_of => now) f),
	months AS (
		SELECT e.month, e.last_day,
			jsonb_object_agg(f.name, f.predicted) FILTER (WHERE f.predicted IS NOT NULL) AS expected,
			jsonb_object_agg(f.name, f.upper_bound) FILTER (WHERE f.predicted IS NOT NULL) AS upper
		FROM capforecast._month_ends(capacity_plan.horizon, now) e
			LEFT JOIN forecasts f ON f.forecast_date = e.last_day
		GROUP BY e.month, e.last_day),
	value AS (
		SELECT f.forecast_date, max(f.predicted) FILTER (WHERE f.name = 'vendors') AS v, max(f.upper_bound) FILTER (WHERE f.name = 'vendors') AS v_upper,
			max(f.predicted) FILTER (WHERE f.name = 'products') AS p, max(f.upper_bound) FILTER (WHERE f.name = 'products') AS p_upper,
			max(f.predicted) FILTER (WHERE f.name = 'orders') AS o, max(f.upper_bound) FILTER (WHERE f.name = 'orders') AS o_upper,
			max(f.predicted) FILTER (WHERE f.name = 'storage_gb') AS s, max(f.upper_bound) FILTER (WHERE f.name = 'storage_gb') AS s_upper,
			max(f.predicted) FILTER (WHERE f.name = 'db_size_mb') AS d, max(f.upper_bound) FILTER (WHERE f.name = 'db_size_mb') AS d_upper
		FROM forecasts f GROUP BY f.forecast_date),
	unknown AS (
		SELECT string_agg(format('%s is not known (%s: %s)', f.name, f.status, rtrim(f.reason, '.')), '; ' ORDER BY f.name) || '.' AS text
		FROM forecasts f WHERE f.predicted IS NULL)
	SELECT m.month, m.last_day, value.v, value.v_upper, value.p, value.p_upper, value.o, value.o_upper,
		value.s, value.s_upper, value.d, value.d_upper,
		-- a size can be named where at least what every size is measured by is known
		CASE WHEN is_known.yes THEN (t.tier).name END, CASE WHEN is_known.yes THEN t.is_exceeded END,
		CASE WHEN is_known.yes THEN (t.tier).monthly_cost_cents END,
		CASE WHEN is_known.yes THEN (u.tier).name END, CASE WHEN is_known.yes THEN u.is_exceeded END,
		CASE WHEN is_known.yes THEN (u.tier).monthly_cost_cents END,
		CASE WHEN is_known.yes THEN (t.tier).currency::text END, unknown.text
	FROM months m CROSS JOIN unknown
		LEFT JOIN value ON value.forecast_date = m.last_day
		CROSS JOIN LATERAL (SELECT value.v IS NOT NULL AND value.p IS NOT NULL AS yes) is_known
		LEFT JOIN LATERAL capforecast._tier_for(coalesce(m.expected, '{}')) t ON true
		LEFT JOIN LATERAL capforecast._tier_for(coalesce(m.upper, '{}')) u ON true
	ORDER BY m.month;
END
$$;
COMMENT ON FUNCTION capforecast.capacity_plan(interval, double precision, timestamptz) IS
	'Month by month until the horizon (28 days to 5 years): what forecast() says of the last day of each month that ends within it, expected and at the upper bound of the confidence level, the infrastructure tier that carries each, and its cost a month. NULL, with the reason: not known; a tier is named where vendors and products are. Errors: 22023.';

CREATE FUNCTION capforecast.capacity_plan_json(horizon interval DEFAULT '12 months', confidence_level double precision DEFAULT 0.80,
		as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY p.month), '[]') FROM capforecast.capacity_plan(horizon, confidence_level, as_of) p
$$;
COMMENT ON FUNCTION capforecast.capacity_plan_json(interval, double precision, timestamptz) IS 'capacity_plan() as one list.';

CREATE FUNCTION capforecast.what_if(metric text, add double precision DEFAULT 0, growth_multiplier double precision DEFAULT 1,
		from_date date DEFAULT NULL, threshold double precision DEFAULT NULL, horizon integer DEFAULT 90,
		confidence_level double precision DEFAULT 0.95, as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (forecast_date date, predicted double precision, lower_bound double precision, upper_bound double precision,
		baseline double precision, limit_value double precision, utilization_ratio double precision,
		status capforecast.forecast_status, reason text)
	LANGUAGE plpgsql STABLE ROWS 90 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	now constant timestamptz := capforecast._instant(as_of);
	start constant date := coalesce(what_if.from_date, '-infinity');
	plain constant boolean := what_if.add = 0 AND what_if.growth_multiplier = 1;
BEGIN
	PERFORM capforecast._known_metric(what_if.metric);
	IF what_if.add IS NULL OR abs(what_if.add) = 'Infinity' OR what_if.add = 'NaN' THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'add must be a finite number',
			HINT = 'Give what comes on top from from_date on; leave it out for nothing.';
	ELSIF what_if.growth_multiplier IS NULL OR NOT what_if.growth_multiplier BETWEEN 0 AND 1000 THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'growth_multiplier must be between 0 and 1000',
			HINT = '1 is the growth that is forecast, 2 twice as much, 0 none.';
	END IF;

	RETURN QUERY
	WITH base AS MATERIALIZED (
		SELECT * FROM capforecast.forecast(what_if.metric, what_if.horizon, confidence_level => what_if.confidence_level, as_of => now)),
	-- growth counts from the last value before the change
	before AS (
		SELECT coalesce(
			(SELECT b.predicted FROM base b WHERE b.forecast_date < start ORDER BY b.forecast_date DESC LIMIT 1),
			(SELECT h.value FROM capforecast.metric_history h
			  WHERE h.metric = what_if.metric AND h.day <= (now AT TIME ZONE 'UTC')::date ORDER BY h.day DESC LIMIT 1)) AS value),
	bounds AS (SELECT m.floor, m.cap FROM capforecast.metrics m WHERE m.metric = what_if.metric),
	limits AS (
		SELECT coalesce(what_if.threshold, (SELECT min(l.limit_value) FROM capforecast._limits(now) l
			WHERE l.metric = what_if.metric AND l.direction = 'up'),
			(SELECT max(l.limit_value) FROM capforecast._limits(now) l WHERE l.metric = what_if.metric AND l.direction = 'down')) AS value),
	changed AS (
		SELECT b.*, c.values[1] AS p, c.values[2] AS l, c.values[3] AS u
		FROM base b CROSS JOIN before CROSS JOIN LATERAL (
			SELECT array_agg(CASE WHEN plain OR b.forecast_date < start THEN x.value
				ELSE least(greatest(before.value + what_if.add + what_if.growth_multiplier * (x.value - before.value),
					(SELECT floor FROM bounds)), (SELECT cap FROM bounds)) END ORDER BY x.position) AS values
			FROM (VALUES (1, b.predicted), (2, b.lower_bound), (3, b.upper_bound)) x(position, value)) c)
	SELECT c.forecast_date, c.p, c.l, c.u, c.predicted, limits.value, c.p / nullif(limits.value, 0), c.status, c.reason
	FROM changed c CROSS JOIN limits ORDER BY c.forecast_date;
END
$$;
COMMENT ON FUNCTION capforecast.what_if(text, double precision, double precision, date, double precision, integer, double precision, timestamptz) IS
	'forecast(metric) with a change from from_date on (NULL: at once): add comes on top, and what is gained from there on is multiplied. baseline is the forecast without; where nothing is changed both are the same. limit_value is the threshold, or the metric''s own nearest limit. horizon in days. Bounds of the metric (never below 0) hold. Errors: 22023.';

CREATE FUNCTION capforecast.tier_mix(days integer DEFAULT 30, as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (tier text, start_count bigint, end_count bigint, change bigint,
		start_ratio double precision, end_ratio double precision, start_date date, end_date date)
	LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	today constant date := (capforecast._instant(as_of) AT TIME ZONE 'UTC')::date;
BEGIN
	PERFORM capforecast._check_days(tier_mix.days);
	RETURN QUERY
	WITH known AS (
		SELECT s.snapshot_date, s.tier_distribution FROM capforecast.capacity_snapshots s
		WHERE s.snapshot_date BETWEEN today - tier_mix.days AND today
			AND s.tier_distribution <> '{}'),
	first AS (SELECT * FROM known ORDER BY snapshot_date LIMIT 1),
	last AS (SELECT * FROM known ORDER BY snapshot_date DESC LIMIT 1),
	counts AS (
		SELECT key AS tier, coalesce(f.value::bigint, 0) AS before, coalesce(l.value::bigint, 0) AS after
		FROM (SELECT e.* FROM first, jsonb_each_text(tier_distribution) e) f
			FULL JOIN (SELECT e.* FROM last, jsonb_each_text(tier_distribution) e) l USING (key))
	SELECT c.tier, c.before, c.after, c.after - c.before,
		c.before::double precision / sum(c.before) OVER (), c.after::double precision / sum(c.after) OVER (),
		first.snapshot_date, last.snapshot_date
	FROM counts c, first, last
	ORDER BY c.after DESC, c.tier;
END
$$;
COMMENT ON FUNCTION capforecast.tier_mix(integer, timestamptz) IS
	'Active and trial subscriptions by tier on the first and the last day of the last days, and their shares, which add up to 1. No rows where the distribution is known on no day. Error: 22023.';
