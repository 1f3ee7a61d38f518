-- Limits: of the infrastructure, of what subscriptions allow, and of the operator's own metrics.

CREATE FUNCTION capforecast._check_days(days integer)
	RETURNS void LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF days IS NULL OR days NOT BETWEEN 1 AND 36500 THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'days must be between 1 and 36500',
			HINT = 'Give the number of days to look back, for example 30.';
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._check_days(integer) IS 'Raises 22023 unless the number of days to look back is one that growth_trends() takes.';

-- The tier's maxima beside what is used, as metrics are named.
CREATE FUNCTION capforecast._tier_maxima(tier capforecast._infrastructure_tier)
	RETURNS TABLE (metric text, maximum bigint)
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	VALUES ('vendors', (tier).max_vendors), ('products', (tier).max_products), ('orders', (tier).max_orders_month),
		('db_size_mb', (tier).max_db_size_mb), ('storage_gb', (tier).max_storage_gb)
$$;
COMMENT ON FUNCTION capforecast._tier_maxima(capforecast._infrastructure_tier) IS
	'What a size of infrastructure carries at most, per metric (NULL: no limit).';

-- usage: metric to number; what it does not name excludes no tier. As core/cf_tier.h has it.
CREATE FUNCTION capforecast._tier_for(usage jsonb, OUT tier capforecast._infrastructure_tier, OUT is_exceeded boolean)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT t.tier, t.is_exceeded
	FROM (SELECT ROW(i.*)::capforecast._infrastructure_tier AS tier, i.position,
			EXISTS (SELECT FROM capforecast._tier_maxima(ROW(i.*)::capforecast._infrastructure_tier) m
					WHERE (usage ->> m.metric)::double precision > m.maximum) AS is_exceeded
			FROM capforecast.infrastructure_tiers i) t
	ORDER BY t.is_exceeded, CASE WHEN t.is_exceeded THEN -t.position ELSE t.position END LIMIT 1
$$;
COMMENT ON FUNCTION capforecast._tier_for(jsonb) IS
	'The first size of infrastructure that carries the usage; the last one, exceeded, where none does.';

-- Only the operator knows what is in use: without a word from him it is taken to be the
-- first size that carries the use, which then can never be too small, nor too large.
CREATE TABLE capforecast.infrastructure_in_use (
	is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
	tier    text NOT NULL
);
COMMENT ON TABLE capforecast.infrastructure_in_use IS 'The size of infrastructure in use; written by use_infrastructure_tier(). Empty: not told.';
SELECT pg_catalog.pg_extension_config_dump('capforecast.infrastructure_in_use', '');

CREATE FUNCTION capforecast.use_infrastructure_tier(name text)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF use_infrastructure_tier.name IS NOT NULL
		AND NOT EXISTS (SELECT FROM capforecast.infrastructure_tiers t WHERE t.name = use_infrastructure_tier.name) THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('infrastructure tier "%s" does not exist', use_infrastructure_tier.name),
			HINT = 'SELECT name FROM capforecast.infrastructure_tiers lists them.';
	END IF;
	DELETE FROM capforecast.infrastructure_in_use;
	INSERT INTO capforecast.infrastructure_in_use (tier)
	SELECT use_infrastructure_tier.name WHERE use_infrastructure_tier.name IS NOT NULL;
END
$$;
COMMENT ON FUNCTION capforecast.use_infrastructure_tier(text) IS
	'Tell which size of infrastructure_tiers is in use, so that the outlook measures against it, says when it is too small even after the use has passed it, and when a smaller one would do. NULL: not told; then it is taken to be the first size that carries the use. platform_health() always shows the latter. Error: 22023.';

CREATE FUNCTION capforecast._tier_in_use(usage jsonb, OUT tier capforecast._infrastructure_tier, OUT is_told boolean)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ROW(i.*)::capforecast._infrastructure_tier, true
	FROM capforecast.infrastructure_in_use u JOIN capforecast.infrastructure_tiers i ON i.name = u.tier
	UNION ALL
	SELECT f.tier, false FROM capforecast._tier_for(usage) f
	LIMIT 1
$$;
COMMENT ON FUNCTION capforecast._tier_in_use(jsonb) IS 'The size that the operator has told, else the first that carries the usage.';

-- What was used on the last day captured.
CREATE FUNCTION capforecast._last_usage(as_of timestamptz)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('vendors', s.active_vendors, 'products', s.total_products,
		'orders', s.total_orders_month, 'db_size_mb', s.db_size_mb, 'storage_gb', s.storage_used_gb))
	FROM capforecast.capacity_snapshots s WHERE s.snapshot_date <= (as_of AT TIME ZONE 'UTC')::date
	ORDER BY s.snapshot_date DESC LIMIT 1
$$;
COMMENT ON FUNCTION capforecast._last_usage(timestamptz) IS 'The last snapshot''s numbers that infrastructure is measured by.';

CREATE FUNCTION capforecast._limits(as_of timestamptz)
	RETURNS TABLE (metric text, limit_kind text, limit_name text, limit_value double precision, direction text, kind text, unit text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT l.metric, l.limit_kind, l.limit_name, l.limit_value, m.direction, m.kind, m.unit
	FROM capforecast.metrics m
		JOIN (
			SELECT x.metric, 'infrastructure' AS limit_kind, format('%s tier', (f.tier).name) AS limit_name, x.maximum::double precision AS limit_value
			FROM capforecast._last_usage(as_of) usage
				CROSS JOIN LATERAL capforecast._tier_in_use(usage) f
				CROSS JOIN LATERAL capforecast._tier_maxima(f.tier) x
			WHERE usage ? x.metric
			UNION ALL
			-- of the last day captured, which may be one on which the limit was not known
			SELECT v.metric, CASE WHEN o.metric IS NULL THEN 'subscriptions' ELSE 'own' END,
				CASE WHEN o.metric IS NULL THEN 'what subscriptions allow' ELSE 'its own limit' END, v.limit_value
			FROM capforecast.metrics c
				LEFT JOIN capforecast.own_metric o USING (metric)
				CROSS JOIN LATERAL (SELECT v.* FROM capforecast.metric_value v
					WHERE v.metric = c.metric AND v.day <= (as_of AT TIME ZONE 'UTC')::date ORDER BY v.day DESC LIMIT 1) v
		) l USING (metric)
	WHERE l.limit_value IS NOT NULL
$$;
COMMENT ON FUNCTION capforecast._limits(timestamptz) IS
	'Each limit of each metric: the maximum of the infrastructure tier in use, the sum of what the limited subscriptions allow, or the metric''s own, as captured.';
