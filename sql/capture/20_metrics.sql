-- What is watched, and its history: all that forecasts and plans read.

-- A new metric is a row here; the views below are made from it.
CREATE FUNCTION capforecast._builtin_metrics()
	RETURNS TABLE (metric text, kind text, unit text, words text, snapshot_column text)
	LANGUAGE sql IMMUTABLE ROWS 13 BEGIN ATOMIC
	VALUES
		('vendors',              'stock', 'vendors',       'vendors',              'active_vendors'),
		('total_vendors',        'stock', 'vendors',       'total vendors',        'total_vendors'),
		('trial_vendors',        'stock', 'vendors',       'trial vendors',        'trial_vendors'),
		('total_subscriptions',  'stock', 'subscriptions', 'total subscriptions',  'total_subscriptions'),
		('active_subscriptions', 'stock', 'subscriptions', 'active subscriptions', 'active_subscriptions'),
		('products',             'stock', 'products',      'products',             'total_products'),
		('orders',               'flow',  'orders',        'orders this period',   'total_orders_month'),
		('team_members',         'stock', 'members',       'team members',         'total_team_members'),
		('storage_gb',           'stock', 'GB',            'image storage',        'storage_used_gb'),
		('db_size_mb',           'stock', 'MB',            'database size',        'db_size_mb'),
		('limited_products',     'stock', 'products',      'products in plans',    NULL),
		('limited_orders',       'flow',  'orders',        'orders in plans',      NULL),
		('limited_team_members', 'stock', 'members',       'members in plans',     NULL);
END;
COMMENT ON FUNCTION capforecast._builtin_metrics() IS
	'The metrics that are built in: kind, unit, how a person calls it, and the column of capacity_snapshots that holds it (NULL: metric_value does).';

-- A branch per metric, so that a reader of one metric scans the snapshots once.
DO $$
BEGIN
	EXECUTE (
		SELECT pg_catalog.format('CREATE %s VIEW capforecast.metric_history WITH (security_invoker = true) AS %s UNION ALL '
			'SELECT metric, day, value, source, limit_value FROM capforecast.metric_value',
			CASE WHEN pg_catalog.to_regclass('capforecast.metric_history') IS NOT NULL THEN 'OR REPLACE' END,
			pg_catalog.string_agg(pg_catalog.format('SELECT %L::text AS metric, snapshot_date AS day, %I::double precision AS value, source, '
				'NULL::double precision AS limit_value FROM capforecast.capacity_snapshots WHERE %2$I IS NOT NULL',
				m.metric, m.snapshot_column), ' UNION ALL ' ORDER BY m.place))
		FROM capforecast._builtin_metrics() WITH ORDINALITY AS m(metric, kind, unit, words, snapshot_column, place)
		WHERE m.snapshot_column IS NOT NULL);
END
$$;
COMMENT ON VIEW capforecast.metric_history IS
	'Every metric''s value by UTC day. A day on which a value was not known has no row. limit_value: the limit as captured on the day, for metrics that carry one of their own.';

CREATE VIEW capforecast.metrics WITH (security_invoker = true) AS
	SELECT m.metric, m.kind, m.unit, 0::double precision AS floor, NULL::double precision AS cap,
		'up'::text AS direction, true AS is_builtin, m.words, 'last'::text AS statistic, interval '1 day' AS every
	FROM capforecast._builtin_metrics() m
	UNION ALL
	SELECT metric, kind, unit, floor, cap, direction, false, metric, statistic, every FROM capforecast.own_metric;
COMMENT ON VIEW capforecast.metrics IS
	'The metrics: stock (a level that accumulates) or flow (an amount per day), unit, the bounds that no value can pass (NULL: none), whether a limit is a maximum (up) or a minimum (down), how a person calls it, what the values of a day become and how often it is captured. limited_*, in words "in plans": use by exactly the subscriptions that have a limit, the numerator of utilization.';
