-- The state of the platform.

CREATE TYPE capforecast._health AS (
	database_size_bytes bigint,
	image_storage_bytes bigint, image_storage_gb numeric, image_storage_source text,
	image_storage_measured_at timestamptz, image_storage_status text, image_storage_reason text,
	active_vendors bigint, total_products bigint,
	infrastructure_tier text, tier_exceeded boolean, monthly_cost_cents bigint, currency text, next_tier_trigger text,
	usage jsonb,
	vendors_percent double precision, products_percent double precision, orders_percent double precision,
	database_percent double precision, storage_percent double precision,
	products_utilization_percent double precision, orders_utilization_percent double precision,
	team_utilization_percent double precision,
	database_size_reason text
);
COMMENT ON TYPE capforecast._health IS 'What platform_health() judges. usage: what infrastructure is measured by, metric to number.';

CREATE FUNCTION capforecast._health_now(as_of timestamptz)
	RETURNS SETOF capforecast._health LANGUAGE C STABLE ROWS 1 AS 'MODULE_PATHNAME', 'capforecast_platform_health';
COMMENT ON FUNCTION capforecast._health_now(timestamptz) IS 'What platform_health() judges: counted live, each host table once.';

-- One row per reason for concern: a share of a maximum of the size in use or of what subscriptions
-- allow, and what a person must look at.
CREATE FUNCTION capforecast._health_reasons(health capforecast._health, tier capforecast._infrastructure_tier, numbers capforecast._planning)
	RETURNS TABLE (severity text, reason text)
	LANGUAGE sql STABLE ROWS 1 BEGIN ATOMIC
	SELECT CASE WHEN p.percent >= numbers.health_critical_percent THEN 'critical' ELSE 'warning' END,
		format('%s at %s%% of %s', p.what, round(p.percent::numeric, 1), p.whole)
	FROM (
		SELECT CASE m.metric WHEN 'db_size_mb' THEN 'database size' WHEN 'storage_gb' THEN 'image storage' ELSE m.metric END AS what,
			(health.usage ->> m.metric)::double precision / m.maximum * 100 AS percent,
			format('the maximum of infrastructure tier %s', tier.name) AS whole
		FROM capforecast._tier_maxima(tier) m
		UNION ALL
		VALUES ('products', health.products_utilization_percent, 'the theoretical limit'),
			('orders', health.orders_utilization_percent, 'the theoretical limit'),
			('team members', health.team_utilization_percent, 'the theoretical limit')) p
	WHERE p.percent >= numbers.health_warning_percent
	UNION ALL
	SELECT 'critical', 'above the last infrastructure tier' WHERE health.tier_exceeded
	UNION ALL
	SELECT 'critical', format('findings open: %s of %s', count(*), f.code)
	FROM capforecast.finding f WHERE f.severity = 'critical' AND f.resolved_at IS NULL GROUP BY f.code;
END;
COMMENT ON FUNCTION capforecast._health_reasons(capforecast._health, capforecast._infrastructure_tier, capforecast._planning) IS
	'What in the state of the platform is a reason for concern.';

CREATE TYPE capforecast.platform_state AS (
	overall_status text, reasons text[], unknown_metrics text[],
	database_size_bytes bigint, database_size_mb numeric,
	image_storage_gb numeric, image_storage_source text, image_storage_measured_at timestamptz,
	image_storage_status text, image_storage_reason text,
	active_vendors bigint, total_products bigint,
	infrastructure_tier text, tier_exceeded boolean, monthly_cost_cents bigint, currency text, next_tier_trigger text,
	vendors_percent double precision, products_percent double precision, orders_percent double precision,
	database_percent double precision, storage_percent double precision,
	products_utilization_percent double precision, orders_utilization_percent double precision,
	team_utilization_percent double precision,
	tier_in_use text, tier_in_use_is_told boolean, tier_in_use_exceeded boolean,
	database_size_reason text
);
COMMENT ON TYPE capforecast.platform_state IS 'The row of platform_health(). database_size_reason: why the size of the database is not known, NULL where it is.';

CREATE FUNCTION capforecast.platform_health(as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.platform_state
	LANGUAGE plpgsql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	numbers constant capforecast._planning := capforecast._planning_now();
BEGIN
	RETURN QUERY
	SELECT CASE WHEN 'critical' = ANY (r.severities) THEN 'critical'
				WHEN 'warning' = ANY (r.severities) THEN 'warning' ELSE 'ok' END,
		r.reasons,
		ARRAY(SELECT m.metric FROM unnest('{vendors,products,orders,database,storage}'::text[], '{vendors,products,orders,db_size_mb,storage_gb}'::text[]) m(metric, name)
			WHERE NOT h.usage ? m.name),
		h.database_size_bytes, round(h.database_size_bytes / 1048576.0, 2),
		h.image_storage_gb, h.image_storage_source, h.image_storage_measured_at,
		h.image_storage_status, h.image_storage_reason,
		h.active_vendors, h.total_products,
		h.infrastructure_tier, h.tier_exceeded, h.monthly_cost_cents, h.currency, h.next_tier_trigger,
		h.vendors_percent, h.products_percent, h.orders_percent, h.database_percent, h.storage_percent,
		h.products_utilization_percent, h.orders_utilization_percent, h.team_utilization_percent,
		(u.tier).name, u.is_told,
		EXISTS (SELECT FROM capforecast._tier_maxima(u.tier) m WHERE (h.usage ->> m.metric)::double precision > m.maximum),
		h.database_size_reason
	FROM capforecast._health_now(platform_health.as_of) h
		LEFT JOIN LATERAL capforecast._tier_in_use(h.usage) u ON true
		CROSS JOIN LATERAL (
			SELECT coalesce(array_agg(severity), '{}') AS severities,
				coalesce(array_agg(severity || ': ' || reason ORDER BY severity, reason), '{}') AS reasons
			FROM capforecast._health_reasons(h, u.tier, numbers)) r;
END
$$;
COMMENT ON FUNCTION capforecast.platform_health(timestamptz) IS
	'The platform now: sizes (of the whole database: NULL and a reason where tables are on other servers; over all nodes of Citus), image storage with its source and age (older than 48 h: stale; none: unavailable), the infrastructure tier that carries it, what share of its maxima is used, and overall_status ok, warning (80 % of a maximum of the tier in use or of what subscriptions allow; policy has the numbers) or critical (95 %, or an open critical row of finding) with each reason. next_tier_trigger is set above 70 % of the tier''s maximum of vendors or products. tier_in_use: as use_infrastructure_tier() was told (is_told), else the tier that carried the first captured day; exceeded: the use has passed it. Metrics that are not known are ignored and listed.
Example: SELECT overall_status, tier_in_use, database_size_mb FROM capforecast.platform_health();';

CREATE FUNCTION capforecast.platform_health_json(as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE
	RETURN (SELECT jsonb_build_object(
		'overall_status', h.overall_status, 'reasons', h.reasons, 'unknown_metrics', h.unknown_metrics,
		'database', jsonb_build_object('size_bytes', h.database_size_bytes, 'size_mb', h.database_size_mb)
			|| CASE WHEN h.database_size_reason IS NULL THEN '{}' ELSE jsonb_build_object('reason', h.database_size_reason) END,
		'image_storage', jsonb_build_object('total_size_gb', h.image_storage_gb, 'source', h.image_storage_source,
			'measured_at', h.image_storage_measured_at, 'status', h.image_storage_status, 'reason', h.image_storage_reason),
		'infrastructure_tier', jsonb_build_object('name', h.infrastructure_tier, 'exceeded', h.tier_exceeded,
			'monthly_cost_cents', h.monthly_cost_cents, 'currency', h.currency,
			'vendors_percent', h.vendors_percent, 'products_percent', h.products_percent, 'orders_percent', h.orders_percent,
			'database_percent', h.database_percent, 'storage_percent', h.storage_percent),
		'tier_in_use', jsonb_build_object('name', h.tier_in_use, 'is_told', h.tier_in_use_is_told, 'exceeded', h.tier_in_use_exceeded),
		'next_tier_trigger', h.next_tier_trigger,
		'active_vendors', h.active_vendors, 'total_products', h.total_products,
		'utilization_percent', jsonb_build_object('products', h.products_utilization_percent,
			'orders_monthly', h.orders_utilization_percent, 'team_members', h.team_utilization_percent))
	FROM capforecast.platform_health(as_of) h);
COMMENT ON FUNCTION capforecast.platform_health_json(timestamptz) IS 'platform_health() as one document.
Example: SELECT capforecast.platform_health_json();';
