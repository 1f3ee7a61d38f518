-- What the subscriptions allow against what is used.

CREATE TYPE capforecast.resource_capacity AS (
	resource text, theoretical_limit bigint, unlimited_subscriptions bigint, is_unlimited boolean,
	actual_limited bigint, actual_unlimited bigint, actual_unsubscribed bigint, actual bigint,
	utilization_percent double precision, headroom bigint, over_limit bigint, vendors_over_limit bigint,
	counted_subscriptions bigint, unknown_tier_subscriptions bigint,
	at_risk_subscriptions bigint, at_risk_limit bigint, at_risk_actual_limited bigint, tier_distribution jsonb
);
COMMENT ON TYPE capforecast.resource_capacity IS 'A row of subscription_capacity(): products, orders_monthly or team_members.';

CREATE FUNCTION capforecast.subscription_capacity()
	RETURNS SETOF capforecast.resource_capacity
	LANGUAGE C STABLE ROWS 3 AS 'MODULE_PATHNAME', 'capforecast_subscription_capacity';
COMMENT ON FUNCTION capforecast.subscription_capacity() IS
	'Theoretical limits against actual use, live, a row for products, orders_monthly and team_members. Counts active and trial subscriptions; a limit is the subscription''s own (-1: unlimited), else its tier''s (NULL: unlimited). utilization_percent is the use of exactly the limited subscriptions; theoretical_limit - actual_limited = headroom - over_limit. at_risk_*: the same of past_due subscriptions. Errors: 42P01, 42703, 42804, 42501 for what cannot be read.
Example: SELECT * FROM capforecast.subscription_capacity();';

CREATE FUNCTION capforecast.subscription_capacity_json()
	RETURNS jsonb LANGUAGE sql STABLE
	RETURN (SELECT jsonb_object_agg(c.resource,
			to_jsonb(c) - '{resource,counted_subscriptions,unknown_tier_subscriptions,tier_distribution}'::text[])
		|| jsonb_build_object('tier_distribution', (array_agg(c.tier_distribution))[1],
			'counted_subscriptions', max(c.counted_subscriptions),
			'unknown_tier_subscriptions', max(c.unknown_tier_subscriptions))
	FROM capforecast.subscription_capacity() c);
COMMENT ON FUNCTION capforecast.subscription_capacity_json() IS
	'subscription_capacity() as one document: products, orders_monthly, team_members, tier_distribution.
Example: SELECT capforecast.subscription_capacity_json();';
