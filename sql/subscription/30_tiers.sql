-- Tiers, and the host's rows as the statements of this room want them.
--
-- The functions _x_sql() return pieces of SQL for templates of capforecast._host_sql():
-- a subquery in parentheses with fixed column names, empty where the host has no such
-- table, so that one statement serves hosts with and without add-ons or orders.
--
-- Functions that read the host's tables have row_security off, which makes a policy that
-- would hide rows an error instead of a smaller number, and jit off: the planner cannot
-- know how few rows these statements have, and compiling one takes a second where
-- running it takes milliseconds.

CREATE FUNCTION capforecast._tiers_sql()
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN capforecast._host_has('subscription_tiers') THEN
		'(SELECT DISTINCT ON (1) {t:subscription_tiers.code} AS code, {t:subscription_tiers.name} AS name,
			{t:subscription_tiers.is_active} AS is_active,
			capforecast._cents({t:subscription_tiers.price_monthly_cents}) AS monthly,
			capforecast._cents({t:subscription_tiers.price_annual_cents}) AS annual,
			{t:subscription_tiers.currency}::text AS currency,
			{t:subscription_tiers.products_limit}::bigint AS products, {t:subscription_tiers.orders_per_month}::bigint AS orders,
			{t:subscription_tiers.team_members}::bigint AS team_members,
			{t:subscription_tiers.stripe_price_monthly_id} AS stripe_monthly, {t:subscription_tiers.stripe_price_annual_id} AS stripe_annual
		  FROM {subscription_tiers} t ORDER BY 1)'
	ELSE
		'(SELECT ''''::text AS code, ''''::text AS name, false AS is_active, 0::bigint AS monthly, 0::bigint AS annual,
			''''::text AS currency, 0::bigint AS products, 0::bigint AS orders, 0::bigint AS team_members,
			''''::text AS stripe_monthly, ''''::text AS stripe_annual WHERE false)'
	END
$$;
COMMENT ON FUNCTION capforecast._tiers_sql() IS 'Tiers by code: names, prices in minor units, limits (NULL: unlimited), Stripe''s price ids.';

CREATE FUNCTION capforecast._addons_sql()
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN capforecast._host_has('vendor_addons') AND capforecast._host_has('addon_products') THEN
		'(SELECT {a:vendor_addons.id}::text AS id, {a:vendor_addons.vendor_id} AS vendor_id, {p:addon_products.code} AS code,
			{a:vendor_addons.status} AS status, {a:vendor_addons.quantity}::bigint AS quantity,
			coalesce(capforecast._cents({a:vendor_addons.unit_price_cents}), capforecast._cents({p:addon_products.price_cents})) AS unit_price,
			{p:addon_products.currency}::text AS currency, {p:addon_products.billing_period} AS billing_period,
			{p:addon_products.grants_resource} AS resource, {p:addon_products.grants_per_unit}::bigint AS per_unit,
			{a:vendor_addons.period_start} AS period_start, {a:vendor_addons.stripe_subscription_item_id} AS stripe_item,
			{p:addon_products.stripe_price_id} AS stripe_price
		  FROM {vendor_addons} a JOIN {addon_products} p ON {p:addon_products.id} = {a:vendor_addons.addon_product_id})'
	ELSE
		'(SELECT ''''::text AS id, {v:vendor_subscriptions.vendor_id} AS vendor_id, ''''::text AS code, ''''::text AS status,
			0::bigint AS quantity, 0::bigint AS unit_price, ''''::text AS currency, ''''::text AS billing_period,
			''''::text AS resource, 0::bigint AS per_unit, NULL::timestamptz AS period_start,
			''''::text AS stripe_item, ''''::text AS stripe_price
		  FROM {vendor_subscriptions} v WHERE false)'
	END
$$;
COMMENT ON FUNCTION capforecast._addons_sql() IS 'Add-ons of vendors, with what they cost (the price at purchase) and grant.';

-- Locked or not, by vendor or all: conditions on it are pushed into the host's table.
CREATE FUNCTION capforecast._subscriptions_sql()
	RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT '(SELECT {s:vendor_subscriptions.id} AS id, {s:vendor_subscriptions.id}::text AS subscription_id,
			{s:vendor_subscriptions.vendor_id} AS vendor_id, {s:vendor_subscriptions.tier} AS tier,
			{s:vendor_subscriptions.status} AS status, capforecast._is_live({s:vendor_subscriptions.status}) AS live,
			coalesce({s:vendor_subscriptions.is_annual}, false) AS is_annual,
			CASE WHEN {s:vendor_subscriptions.is_annual} THEN 12 ELSE 1 END AS step,
			{s:vendor_subscriptions.period_start} AS period_start, {s:vendor_subscriptions.period_end} AS period_end,
			coalesce({s:vendor_subscriptions.period_end} > {s:vendor_subscriptions.period_start}, false) AS good_period,
			{s:vendor_subscriptions.trial_ends_at} AS trial_ends_at,
			{if:vendor_subscriptions.orders_this_period}coalesce({s:vendor_subscriptions.orders_this_period}, 0)::bigint{else}NULL::bigint{end} AS orders_counter,
			{s:vendor_subscriptions.custom_products_limit}::bigint AS own_products,
			{s:vendor_subscriptions.custom_orders_limit}::bigint AS own_orders,
			{s:vendor_subscriptions.custom_team_limit}::bigint AS own_team_members,
			coalesce({s:vendor_subscriptions.cancel_at_period_end}, false) AS cancel_at_period_end,
			{s:vendor_subscriptions.cancelled_at} AS cancelled_at,
			nullif({s:vendor_subscriptions.stripe_customer_id}, '''') AS stripe_customer_id,
			nullif({s:vendor_subscriptions.stripe_subscription_id}, '''') AS stripe_subscription_id,
			coalesce({s:vendor_subscriptions.stripe_subscription_id}, '''') <> '''' AS managed,
			{s:vendor_subscriptions.stripe_price_id} AS stripe_price_id
		  FROM {vendor_subscriptions} s)'
$$;
COMMENT ON FUNCTION capforecast._subscriptions_sql() IS
	'The host''s subscriptions. live: trial, active or past_due; step: months of the billing period; managed: Stripe bills it.';

CREATE TYPE capforecast._subscription_row AS (
	subscription_id text, vendor_id text, tier text, status text, live boolean, is_annual boolean, step integer,
	period_start timestamptz, period_end timestamptz, good_period boolean, trial_ends_at timestamptz, orders_counter bigint,
	own_products bigint, own_orders bigint, own_team_members bigint, cancel_at_period_end boolean, cancelled_at timestamptz,
	stripe_customer_id text, stripe_subscription_id text, managed boolean);
COMMENT ON TYPE capforecast._subscription_row IS 'A row of capforecast._subscriptions_sql(), ids as text.';

CREATE FUNCTION capforecast._row_sql()
	RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'ROW(s.subscription_id, s.vendor_id, s.tier, s.status, s.live, s.is_annual, s.step, s.period_start, s.period_end, s.good_period,
		s.trial_ends_at, s.orders_counter, s.own_products, s.own_orders, s.own_team_members, s.cancel_at_period_end, s.cancelled_at,
		s.stripe_customer_id, s.stripe_subscription_id, s.managed)::capforecast._subscription_row'
$$;
COMMENT ON FUNCTION capforecast._row_sql() IS 's, a row of _subscriptions_sql(), as a capforecast._subscription_row.';

-- The literal takes the type of the host's key, so that its index serves.  The marker is
-- replaced after the names: what a caller writes is never read as a template.
CREATE FUNCTION capforecast._keyed_sql(template text, key text)
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT replace(capforecast._host_sql(template), '@key', quote_nullable(key))
$$;
COMMENT ON FUNCTION capforecast._keyed_sql(text, text) IS 'A template for one vendor or row, whose key stands for @key in it.';

-- Used where a code has no row: names and limits as the web application has always shown
-- them.  They have no price, because a price that the operator's table does not hold is
-- not known.
CREATE FUNCTION capforecast._legacy_tiers()
	RETURNS TABLE (code text, name text, products_limit bigint, orders_per_month bigint, team_members bigint, display_order integer)
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	VALUES ('essential'::text, 'Essential'::text, 200::bigint, 100::bigint, 1::bigint, 1),
		   ('professional', 'Professional', NULL, 500, 3, 2),
		   ('business', 'Business', NULL, 2000, 10, 3),
		   ('enterprise', 'Enterprise', NULL, NULL, NULL, 4)
$$;
COMMENT ON FUNCTION capforecast._legacy_tiers() IS 'The tiers that get_tier_info() falls back to.';

CREATE TYPE capforecast.tier_info AS (
	code text, name text, price_monthly_cents bigint, price_annual_cents bigint, currency text,
	products_limit bigint, orders_per_month bigint, team_members bigint, features jsonb, is_active boolean,
	display_order integer, source text);
COMMENT ON TYPE capforecast.tier_info IS 'What get_tier_info() returns.';

CREATE FUNCTION capforecast.get_tier_info(code text)
	RETURNS SETOF capforecast.tier_info
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	wanted text := btrim(get_tier_info.code);
	matches bigint := 0;
BEGIN
	IF coalesce(wanted, '') = '' THEN
		RETURN;
	END IF;
	IF capforecast._host_has('subscription_tiers') THEN
		RETURN QUERY SELECT * FROM capforecast._host_rows(NULL::capforecast.tier_info, $sql$
			SELECT {t:subscription_tiers.code}::text, {t:subscription_tiers.name}::text,
				capforecast._cents({t:subscription_tiers.price_monthly_cents}),
				capforecast._cents({t:subscription_tiers.price_annual_cents}), {t:subscription_tiers.currency}::text,
				{t:subscription_tiers.products_limit}::bigint, {t:subscription_tiers.orders_per_month}::bigint,
				{t:subscription_tiers.team_members}::bigint, {t:subscription_tiers.features}::jsonb,
				{t:subscription_tiers.is_active}, {t:subscription_tiers.display_order}::integer, 'database'::text
			FROM {subscription_tiers} t
			WHERE lower(btrim({t:subscription_tiers.code})) = lower($1)
			  AND (btrim({t:subscription_tiers.code}) = $1 OR NOT EXISTS
					(SELECT FROM {subscription_tiers} e WHERE btrim({e:subscription_tiers.code}) = $1))$sql$, wanted);
		GET DIAGNOSTICS matches = ROW_COUNT;
		IF matches > 1 THEN
			RAISE cardinality_violation USING
				MESSAGE = format('%s tiers have the code "%s"', matches, wanted),
				DETAIL = 'ambiguous_tier: they differ in case or blanks only, and none is written exactly so.',
				HINT = 'Give the code as it is written in the table.';
		END IF;
	END IF;
	IF matches = 0 THEN
		RETURN QUERY SELECT l.code, l.name, NULL::bigint, NULL::bigint, NULL::text, l.products_limit, l.orders_per_month,
			l.team_members, '[]'::jsonb, true, l.display_order, 'legacy'::text
		FROM capforecast._legacy_tiers() l WHERE l.code = lower(wanted);
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast.get_tier_info(text) IS
	'A tier by its code (blanks and case do not matter), inactive ones too; limits are NULL where unlimited, prices in minor units. Where there is no such row, one of the four legacy tiers, without prices (source legacy). No row for an unknown code. Errors: 21000 where several codes differ in case only, 22023 for a price with a fraction.
Example: SELECT * FROM capforecast.get_tier_info(''professional'');';

CREATE FUNCTION capforecast.get_tier_info_json(code text)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT to_jsonb(t) FROM capforecast.get_tier_info(code) t
$$;
COMMENT ON FUNCTION capforecast.get_tier_info_json(text) IS 'get_tier_info() as a document; NULL for an unknown code.
Example: SELECT capforecast.get_tier_info_json(''professional'');';

CREATE FUNCTION capforecast.capture_capacity_snapshot()
	RETURNS capforecast.capacity_snapshots LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	SELECT * FROM capforecast.capture_daily_snapshot()
$$;
COMMENT ON FUNCTION capforecast.capture_capacity_snapshot() IS
	'The daily job by the web application''s name for it: capture_daily_snapshot().
Example: SELECT capforecast.capture_capacity_snapshot();';
