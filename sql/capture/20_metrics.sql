-- What is watched, and its history: all that forecasts and plans read.

-- A branch per metric, so that a reader of one metric scans the snapshots once.
CREATE VIEW capforecast.metric_history WITH (security_invoker = true) AS
	SELECT 'vendors'::text AS metric, snapshot_date AS day, active_vendors::double precision AS value, source,
		NULL::double precision AS limit_value
	FROM capforecast.capacity_snapshots WHERE active_vendors IS NOT NULL
	UNION ALL
	SELECT 'total_vendors', snapshot_date, total_vendors::double precision, source, NULL
	FROM capforecast.capacity_snapshots WHERE total_vendors IS NOT NULL
	UNION ALL
	SELECT 'trial_vendors', snapshot_date, trial_vendors::double precision, source, NULL
	FROM capforecast.capacity_snapshots WHERE trial_vendors IS NOT NULL
	UNION ALL
	SELECT 'total_subscriptions', snapshot_date, total_subscriptions::double precision, source, NULL
	FROM capforecast.capacity_snapshots WHERE total_subscriptions IS NOT NULL
	UNION ALL
	SELECT 'active_subscriptions', snapshot_date, active_subscriptions::double precision, source, NULL
	FROM capforecast.capacity_snapshots WHERE active_subscriptions IS NOT NULL
	UNION ALL
	SELECT 'products', snapshot_date, total_products::double precision, source, NULL
	FROM capforecast.capacity_snapshots WHERE total_products IS NOT NULL
	UNION ALL
	SELECT 'orders', snapshot_date, total_orders_month::double precision, source, NULL
	FROM capforecast.capacity_snapshots WHERE total_orders_month IS NOT NULL
	UNION ALL
	SELECT 'team_members', snapshot_date, total_team_members::double precision, source, NULL
	FROM capforecast.capacity_snapshots WHERE total_team_members IS NOT NULL
	UNION ALL
	SELECT 'storage_gb', snapshot_date, storage_used_gb::double precision, source, NULL
	FROM capforecast.capacity_snapshots WHERE storage_used_gb IS NOT NULL
	UNION ALL
	SELECT 'db_size_mb', snapshot_date, db_size_mb::double precision, source, NULL
	FROM capforecast.capacity_snapshots WHERE db_size_mb IS NOT NULL
	UNION ALL
	SELECT metric, day, value, source, limit_value FROM capforecast.metric_value;
COMMENT ON VIEW capforecast.metric_history IS
	'Every metric''s value by UTC day. A day on which a value was not known has no row. limit_value: the limit as captured on the day, for metrics that carry one of their own.';

CREATE VIEW capforecast.metrics WITH (security_invoker = true) AS
	SELECT m.metric, m.kind, m.unit, 0::double precision AS floor, NULL::double precision AS cap,
		'up'::text AS direction, true AS is_builtin
	FROM (VALUES
		('vendors'::text,        'stock'::text, 'vendors'::text),
		('total_vendors',        'stock', 'vendors'),
		('trial_vendors',        'stock', 'vendors'),
		('total_subscriptions',  'stock', 'subscriptions'),
		('active_subscriptions', 'stock', 'subscriptions'),
		('products',             'stock', 'products'),
		('orders',               'flow',  'orders'),
		('team_members',         'stock', 'members'),
		('storage_gb',           'stock', 'GB'),
		('db_size_mb',           'stock', 'MB'),
		('limited_products',     'stock', 'products'),
		('limited_orders',       'flow',  'orders'),
		('limited_team_members', 'stock', 'members')
	) AS m(metric, kind, unit)
	UNION ALL
	SELECT metric, kind, unit, floor, cap, direction, false FROM capforecast.own_metric;
COMMENT ON VIEW capforecast.metrics IS
	'The metrics: stock (a level that accumulates) or flow (an amount per day), unit, the bounds that no value can pass (NULL: none), and whether a limit is a maximum (up) or a minimum (down). limited_*: use by exactly the subscriptions that have a limit, the numerator of utilization.';
