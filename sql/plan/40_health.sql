-- The state of the platform.

CREATE FUNCTION capforecast._platform_health(as_of timestamptz,
		OUT database_size_bytes bigint,
		OUT image_storage_bytes bigint, OUT image_storage_gb numeric, OUT image_storage_source text,
		OUT image_storage_measured_at timestamptz, OUT image_storage_status text, OUT image_storage_reason text,
		OUT active_vendors bigint, OUT total_products bigint,
		OUT infrastructure_tier text, OUT tier_exceeded boolean,
		OUT monthly_cost_cents bigint, OUT currency text, OUT next_tier_trigger text,
		OUT vendors_percent double precision, OUT products_percent double precision, OUT orders_percent double precision,
		OUT database_percent double precision, OUT storage_percent double precision,
		OUT products_utilization_percent double precision, OUT orders_utilization_percent double precision,
		OUT team_utilization_percent double precision)
	RETURNS SETOF record LANGUAGE C STABLE ROWS 1 AS 'MODULE_PATHNAME', 'capforecast_platform_health';
COMMENT ON FUNCTION capforecast._platform_health(timestamptz) IS 'What platform_health() judges: counted live, each host table once.';

-- One row per reason for concern: 80 % of a limit is a warning, 95 % critical, and so is
-- what a person must look at.
CREATE FUNCTION capforecast._health_reasons(health jsonb)
	RETURNS TABLE (severity text, reason text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN percent >= 95 THEN 'critical' ELSE 'warning' END,
		format('%s at %s%% of %s', what, round(percent::numeric, 1), whole)
	FROM (VALUES
		('vendors', health ->> 'vendors_percent', 'the infrastructure tier''s maximum'),
		('products', health ->> 'products_percent', 'the infrastructure tier''s maximum'),
		('orders', health ->> 'orders_percent', 'the infrastructure tier''s maximum'),
		('database size', health ->> 'database_percent', 'the infrastructure tier''s maximum'),
		('image storage', health ->> 'storage_percent', 'the infrastructure tier''s maximum'),
		('products', health ->> 'products_utilization_percent', 'the theoretical limit'),
		('orders', health ->> 'orders_utilization_percent', 'the theoretical limit'),
		('team members', health ->> 'team_utilization_percent', 'the theoretical limit')) AS v(what, value, whole)
		CROSS JOIN LATERAL (SELECT value::double precision AS percent) p
	WHERE percent >= 80
	UNION ALL
	SELECT 'critical', 'above the last infrastructure tier' WHERE (health ->> 'tier_exceeded')::boolean
	UNION ALL
	SELECT 'critical', format('findings open: %s of %s', count(*), f.code)
	FROM capforecast.finding f WHERE f.severity = 'critical' AND f.resolved_at IS NULL GROUP BY f.code
$$;
COMMENT ON FUNCTION capforecast._health_reasons(jsonb) IS 'What in a row of _platform_health() is a reason for concern.';

CREATE FUNCTION capforecast.platform_health(as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (overall_status text, reasons text[], unknown_metrics text[],
		database_size_bytes bigint, database_size_mb numeric,
		image_storage_gb numeric, image_storage_source text, image_storage_measured_at timestamptz,
		image_storage_status text, image_storage_reason text,
		active_vendors bigint, total_products bigint,
		infrastructure_tier text, tier_exceeded boolean, monthly_cost_cents bigint, currency text, next_tier_trigger text,
		vendors_percent double precision, products_percent double precision, orders_percent double precision,
		database_percent double precision, storage_percent double precision,
		products_utilization_percent double precision, orders_utilization_percent double precision,
		team_utilization_percent double precision)
	LANGUAGE sql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN 'critical' = ANY (r.severities) THEN 'critical'
				WHEN 'warning' = ANY (r.severities) THEN 'warning' ELSE 'ok' END,
		r.reasons,
		CASE WHEN h.image_storage_gb IS NULL THEN '{storage}'::text[] ELSE '{}' END,
		h.database_size_bytes, round(h.database_size_bytes / 1048576.0, 2),
		h.image_storage_gb, h.image_storage_source, h.image_storage_measured_at,
		h.image_storage_status, h.image_storage_reason,
		h.active_vendors, h.total_products,
		h.infrastructure_tier, h.tier_exceeded, h.monthly_cost_cents, h.currency, h.next_tier_trigger,
		h.vendors_percent, h.products_percent, h.orders_percent, h.database_percent, h.storage_percent,
		h.products_utilization_percent, h.orders_utilization_percent, h.team_utilization_percent
	FROM capforecast._platform_health(as_of) h
		CROSS JOIN LATERAL (
			SELECT coalesce(array_agg(severity), '{}') AS severities,
				coalesce(array_agg(severity || ': ' || reason ORDER BY severity, reason), '{}') AS reasons
			FROM capforecast._health_reasons(to_jsonb(h))) r
$$;
COMMENT ON FUNCTION capforecast.platform_health(timestamptz) IS
	'The platform now: sizes, image storage with its source and age (older than 48 h: stale; none: unavailable), the infrastructure tier that carries it, what share of its maxima is used, and overall_status ok, warning (80 %) or critical (95 %, or an open critical row of finding) with each reason. next_tier_trigger is set above 70 % of the tier''s maximum of vendors or products. Metrics that are not known are ignored and listed.';

CREATE FUNCTION capforecast.platform_health_json(as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_build_object(
		'overall_status', h.overall_status, 'reasons', h.reasons, 'unknown_metrics', h.unknown_metrics,
		'database', jsonb_build_object('size_bytes', h.database_size_bytes, 'size_mb', h.database_size_mb),
		'image_storage', jsonb_build_object('total_size_gb', h.image_storage_gb, 'source', h.image_storage_source,
			'measured_at', h.image_storage_measured_at, 'status', h.image_storage_status, 'reason', h.image_storage_reason),
		'infrastructure_tier', jsonb_build_object('name', h.infrastructure_tier, 'exceeded', h.tier_exceeded,
			'monthly_cost_cents', h.monthly_cost_cents, 'currency', h.currency,
			'vendors_percent', h.vendors_percent, 'products_percent', h.products_percent, 'orders_percent', h.orders_percent,
			'database_percent', h.database_percent, 'storage_percent', h.storage_percent),
		'next_tier_trigger', h.next_tier_trigger,
		'active_vendors', h.active_vendors, 'total_products', h.total_products,
		'utilization_percent', jsonb_build_object('products', h.products_utilization_percent,
			'orders_monthly', h.orders_utilization_percent, 'team_members', h.team_utilization_percent))
	FROM capforecast.platform_health(as_of) h
$$;
COMMENT ON FUNCTION capforecast.platform_health_json(timestamptz) IS 'platform_health() as one document.';
