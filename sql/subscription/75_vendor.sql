-- One vendor: its subscription under lock, its usage against its limits, its requests.

CREATE TYPE capforecast._subscription_row AS (
	subscription_id text, vendor_id text, tier text, status text, live boolean, is_annual boolean, step integer,
	period_start timestamptz, period_end timestamptz, good_period boolean, trial_ends_at timestamptz, orders_counter bigint,
	own_products bigint, own_orders bigint, own_team_members bigint, cancel_at_period_end boolean, cancelled_at timestamptz,
	stripe_customer_id text, stripe_subscription_id text);
COMMENT ON TYPE capforecast._subscription_row IS 'A row of capforecast._subscriptions_sql(), ids as text.';

-- The newest live row, should there be several.  A lock is taken by a statement of its
-- own, so that what follows sees what was committed while it waited.
CREATE FUNCTION capforecast._subscription(vendor text, for_update boolean)
	RETURNS capforecast._subscription_row
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
DECLARE
	s capforecast._subscription_row;
BEGIN
	IF for_update THEN
		EXECUTE capforecast._keyed_sql('SELECT FROM {vendor_subscriptions} s WHERE {s:vendor_subscriptions.vendor_id} = @key
			ORDER BY {s:vendor_subscriptions.id} FOR UPDATE', vendor);
	END IF;
	EXECUTE capforecast._keyed_sql('SELECT s.subscription_id, s.vendor_id::text, s.tier, s.status, s.live, s.is_annual, s.step,
			s.period_start, s.period_end, s.good_period, s.trial_ends_at, s.orders_counter, s.own_products, s.own_orders,
			s.own_team_members, s.cancel_at_period_end, s.cancelled_at, s.stripe_customer_id, s.stripe_subscription_id
		FROM ' || capforecast._subscriptions_sql() || ' s WHERE s.vendor_id = @key
		ORDER BY s.live DESC, s.period_end DESC NULLS LAST LIMIT 1', vendor) INTO s;
	IF s.subscription_id IS NULL THEN
		PERFORM capforecast._fail('P0002', 'unknown_vendor', format('vendor %s has no subscription', vendor),
			'There is no row for it in the table of subscriptions.', 'Give the vendor''s id as the host''s tables have it.');
	END IF;
	RETURN s;
END
$$;
COMMENT ON FUNCTION capforecast._subscription(text, boolean) IS 'The subscription of a vendor, locked or only read; P0002 where there is none.';

CREATE FUNCTION capforecast._require_live(s capforecast._subscription_row)
	RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT s.live OR NOT s.good_period THEN
		PERFORM capforecast._fail('55000', 'not_live', format('subscription %s is not live', s.subscription_id),
			format('Its status is %s.', coalesce(s.status, 'not known') || CASE WHEN s.good_period THEN '' ELSE ', its period is not valid' END),
			'A vendor whose subscription has ended needs another one.');
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._require_live(capforecast._subscription_row) IS '55000 not_live unless trial, active or past_due with a valid period.';

-- As it is kept, or as it would be on first sight: so that a preview writes nothing.
CREATE FUNCTION capforecast._state_of(s capforecast._subscription_row)
	RETURNS capforecast.subscription_state LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	st capforecast.subscription_state;
BEGIN
	SELECT * INTO st FROM capforecast.subscription_state x WHERE x.subscription_id = s.subscription_id;
	IF st.subscription_id IS NULL THEN
		st.subscription_id := s.subscription_id;
		st.anchor_zone := capforecast._setting('billing_timezone');
		SELECT a.anchor INTO st.anchor_local FROM capforecast._anchor(s.period_start, s.period_end, st.anchor_zone) a;
		st.usage_start := s.period_start;
		st.usage_end := s.period_end;
		SELECT CASE WHEN s.is_annual THEN t.price_annual_cents ELSE t.price_monthly_cents END, t.currency
		INTO st.billed_price_cents, st.billed_currency FROM capforecast.get_tier_info(s.tier) t;
		st.billed_amount_cents := st.billed_price_cents;
		st.credit_cents := 0;
		st.entitled := true;
	END IF;
	RETURN st;
END
$$;
COMMENT ON FUNCTION capforecast._state_of(capforecast._subscription_row) IS 'What is kept about a subscription.';

CREATE FUNCTION capforecast._usage(vendor text, as_of timestamptz, tier text DEFAULT NULL)
	RETURNS TABLE (resource text, used bigint, quota bigint, known boolean)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
BEGIN
	RETURN QUERY EXECUTE capforecast._keyed_sql($sql$
		SELECT r.resource, r.used, CASE WHEN s.subscription_id IS NOT NULL THEN capforecast._quota(r.own, r.plan, g.extra) END,
			s.subscription_id IS NOT NULL AND (t.code IS NOT NULL OR r.own >= -1 IS TRUE)
		FROM (SELECT {v:vendors.id} AS id FROM {vendors} v WHERE {v:vendors.id} = @key) v
			LEFT JOIN LATERAL (SELECT * FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s WHERE s.vendor_id = v.id
				ORDER BY s.live DESC, s.period_end DESC NULLS LAST LIMIT 1) s ON true
			LEFT JOIN capforecast.subscription_state st ON st.subscription_id = s.subscription_id
			LEFT JOIN $sql$ || capforecast._tiers_sql() || $sql$ t ON t.code = coalesce($2, s.tier)
			LEFT JOIN LATERAL (SELECT coalesce(st.anchor_local, a.anchor) AS anchor, coalesce(st.anchor_zone, $3) AS zone
				FROM capforecast._anchor(s.period_start, s.period_end, $3) a) w ON s.good_period
			CROSS JOIN LATERAL (VALUES
				(1, 'products', (SELECT count(*) FROM {products} p WHERE {p:products.vendor_id} = v.id), s.own_products, t.products),
				(2, 'orders', CASE WHEN s.live AND s.good_period AND coalesce(st.usage_end, s.period_end) <= $1 THEN
					(SELECT count(*) FROM $sql$ || capforecast._orders_sql() || $sql$ o WHERE o.vendor_id = v.id AND o.created_at <= $1
						AND o.created_at >= greatest(coalesce(st.usage_end, s.period_end), capforecast._boundary(w.anchor, w.zone,
							capforecast._months_before(w.anchor, w.zone, $1))))
					ELSE coalesce(s.orders_counter, 0) END, s.own_orders, t.orders),
				(3, 'team_members', (SELECT count(*) FROM {vendor_users} u WHERE {u:vendor_users.vendor_id} = v.id AND {u:vendor_users.is_active}),
					s.own_team_members, t.team_members)
			) r(position, resource, used, own, plan)
			CROSS JOIN LATERAL (SELECT sum(a.quantity * a.per_unit)::bigint AS extra FROM $sql$ || capforecast._addons_sql() || $sql$ a
				WHERE a.vendor_id = v.id AND a.status IN ('active', 'cancelling') AND a.resource = r.resource) g
		ORDER BY r.position$sql$, vendor) USING as_of, tier, capforecast._setting('billing_timezone');
END
$$;
COMMENT ON FUNCTION capforecast._usage(text, timestamptz, text) IS
	'What a vendor uses and may use (quota NULL: unlimited if known, else not known), with its own tier or another one. No rows: no such vendor.';

CREATE FUNCTION capforecast._replay(operation text, vendor_id text, idempotency_key text, request jsonb)
	RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	earlier capforecast.request_log;
BEGIN
	SELECT * INTO earlier FROM capforecast.request_log r
	WHERE (r.operation, r.vendor_id, r.idempotency_key) = (_replay.operation, _replay.vendor_id, _replay.idempotency_key);
	IF earlier.request <> request THEN
		PERFORM capforecast._fail('22023', 'idempotency_key_mismatch', 'the idempotency key was used for another request',
			format('It was %s.', earlier.request), 'Make a key for each request, and send it again only with the same one.');
	END IF;
	RETURN earlier.response;
END
$$;
COMMENT ON FUNCTION capforecast._replay(text, text, text, jsonb) IS
	'The answer that a request with this key had; NULL: it is a first one. Called under the lock of the vendor''s subscription.';

CREATE FUNCTION capforecast._remember(operation text, vendor_id text, idempotency_key text, request jsonb, response jsonb)
	RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO capforecast.request_log (operation, vendor_id, idempotency_key, request, response)
	SELECT operation, vendor_id, idempotency_key, request, response WHERE idempotency_key IS NOT NULL
$$;
COMMENT ON FUNCTION capforecast._remember(text, text, text, jsonb, jsonb) IS 'Keep the answer to a request that has a key.';

-- Buying and cancelling add-ons.  The vendor's subscription is locked first, so that
-- quantities are never read and written by two at once.

CREATE FUNCTION capforecast._addons_of(vendor text, addon text DEFAULT NULL)
	RETURNS TABLE (id text, code text, status text, quantity bigint, unit_price bigint, currency text, billing_period text,
		period_start timestamptz, stripe_item text, stripe_price text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
BEGIN
	RETURN QUERY EXECUTE capforecast._keyed_sql('SELECT a.id, a.code, a.status, a.quantity, a.unit_price, a.currency, a.billing_period,
			a.period_start, a.stripe_item, a.stripe_price
		FROM ' || capforecast._addons_sql() || ' a
		WHERE a.vendor_id = @key AND a.status IN (''pending'', ''active'', ''cancelling'') AND a.code = coalesce($1, a.code)
		ORDER BY a.code', vendor) USING addon;
END
$$;
COMMENT ON FUNCTION capforecast._addons_of(text, text) IS 'The live add-ons of a vendor, or one of them.';
