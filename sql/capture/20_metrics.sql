-- What is watched, and its history: all that forecasts and plans read.

-- A branch per metric, so that a reader of one metric scans the snapshots once.
CREATE VIEW capforecast.metric_history WITH (security_invoker = true) AS
	SELECT 'vendors'::text AS metric, snapshot_date AS day, active_vendors::double precision AS value, source
	FROM capforecast.capacity_snapshots WHERE active_vendors IS NOT NULL
	UNION ALL
	SELECT 'total_vendors', snapshot_date, total_vendors::double precision, source
	FROM capforecast.capacity_snapshots WHERE total_vendors IS NOT NULL
	UNION ALL
	SELECT 'trial_vendors', snapshot_date, trial_vendors::double precision, source
	FROM capforecast.capacity_snapshots WHERE trial_vendors IS NOT NULL
	UNION ALL
	SELECT 'total_subscriptions', snapshot_date, total_subscriptions::double precision, source
	FROM capforecast.capacity_snapshots WHERE total_subscriptions IS NOT NULL
	UNION ALL
	SELECT 'active_subscriptions', snapshot_date, active_subscriptions::double precision, source
	FROM capforecast.capacity_snapshots WHERE active_subscriptions IS NOT NULL
	UNION ALL
	SELECT 'products', snapshot_date, total_products::double precision, source
	FROM capforecast.capacity_snapshots WHERE total_products IS NOT NULL
	UNION ALL
	SELECT 'orders', snapshot_date, total_orders_month::double precision, source
	FROM capforecast.capacity_snapshots WHERE total_orders_month IS NOT NULL
	UNION ALL
	SELECT 'team_members', snapshot_date, total_team_members::double precision, source
	FROM capforecast.capacity_snapshots WHERE total_team_members IS NOT NULL
	UNION ALL
	SELECT 'storage_gb', snapshot_date, storage_used_gb::double precision, source
	FROM capforecast.capacity_snapshots WHERE storage_used_gb IS NOT NULL
	UNION ALL
	SELECT 'db_size_mb', snapshot_date, db_size_mb::double precision, source
	FROM capforecast.capacity_snapshots WHERE db_size_mb IS NOT NULL;
COMMENT ON VIEW capforecast.metric_history IS
	'Every metric''s value by UTC day. A day on which a value was not known has no row.';

CREATE VIEW capforecast.metrics WITH (security_invoker = true) AS
	SELECT * FROM (VALUES
		('vendors'::text,        'stock'::text, 'vendors'::text, 0::double precision, NULL::double precision),
		('total_vendors',        'stock', 'vendors',       0, NULL),
		('trial_vendors',        'stock', 'vendors',       0, NULL),
		('total_subscriptions',  'stock', 'subscriptions', 0, NULL),
		('active_subscriptions', 'stock', 'subscriptions', 0, NULL),
		('products',             'stock', 'products',      0, NULL),
		('orders',               'flow',  'orders',        0, NULL),
		('team_members',         'stock', 'members',       0, NULL),
		('storage_gb',           'stock', 'GB',            0, NULL),
		('db_size_mb',           'stock', 'MB',            0, NULL)
	) AS m(metric, kind, unit, floor, cap);
COMMENT ON VIEW capforecast.metrics IS
	'The metrics: stock (a level that accumulates) or flow (an amount per day), unit, and the bounds that no value can pass (NULL: none).';
