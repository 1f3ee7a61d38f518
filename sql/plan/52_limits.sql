-- Limits: of the infrastructure, of what subscriptions allow, and of the operator's own metrics.

CREATE TYPE capforecast.capacity_limit AS (
	metric text, limit_kind text, limit_name text, limit_value double precision, direction text, kind text, unit text,
	is_guessed boolean, is_always_full boolean
);
COMMENT ON TYPE capforecast.capacity_limit IS
	'A limit of a metric: the maximum of the infrastructure tier in use (infrastructure), the sum of what the limited subscriptions allow (subscriptions), or the metric''s own (own). is_guessed: nobody has told which tier is in use. is_always_full: on every day known all that subscriptions allow was used and no more, as is usual where plans allow one.';

CREATE FUNCTION capforecast._limits(as_of timestamptz)
	RETURNS SETOF capforecast.capacity_limit LANGUAGE sql STABLE ROWS 10 BEGIN ATOMIC
	SELECT l.metric, l.limit_kind, l.limit_name, l.limit_value, m.direction, m.kind, m.unit, l.is_guessed, l.is_always_full
	FROM capforecast.metrics m
		JOIN (
			SELECT x.metric, 'infrastructure' AS limit_kind, format('%s tier', (u.tier).name) AS limit_name,
				x.maximum::double precision AS limit_value, NOT u.is_told AS is_guessed, false AS is_always_full
			FROM capforecast._last_usage(as_of) usage
				CROSS JOIN LATERAL capforecast._tier_in_use(usage) u
				CROSS JOIN LATERAL capforecast._tier_maxima(u.tier) x
			WHERE usage ? x.metric
			UNION ALL
			-- a number that the operator gave; else that of the last day captured, which may be one on which the limit was not known
			SELECT c.metric, CASE WHEN o.metric IS NULL THEN 'subscriptions' ELSE 'own' END,
				CASE WHEN o.metric IS NULL THEN 'what subscriptions allow' ELSE 'its own limit' END, coalesce(o.limit_value, v.limit_value), false,
				o.metric IS NULL AND v.value = v.limit_value AND NOT EXISTS (
					SELECT FROM capforecast.metric_value w
					WHERE w.metric = v.metric AND w.day < v.day AND w.value IS DISTINCT FROM w.limit_value)
			FROM capforecast.metrics c
				LEFT JOIN capforecast.own_metric o ON o.metric = c.metric
				LEFT JOIN LATERAL (SELECT v.* FROM capforecast.metric_value v
					WHERE v.metric = c.metric AND v.day <= (as_of AT TIME ZONE 'UTC')::date ORDER BY v.day DESC LIMIT 1) v ON true
		) l ON l.metric = m.metric
	WHERE l.limit_value IS NOT NULL;
END;
COMMENT ON FUNCTION capforecast._limits(timestamptz) IS
	'Each limit of each metric, as captured until as_of; of an own metric with a fixed one, that.';
