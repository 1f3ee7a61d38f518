-- What the operator wants of Stripe: the rows of stripe_outbox.

-- Changing a tier.  One routine plans the change, for the preview and for the real
-- thing; another writes what was planned.

CREATE TYPE capforecast.change_result AS (
	action text, effective_at timestamptz, lines jsonb, net_cents bigint, currency text, over_limit jsonb,
	outbox_id bigint, estimate boolean, notes text[]);
COMMENT ON TYPE capforecast.change_result IS
	'What a change of tier or add-on does: action (upgrade, downgrade, noop, pending_cancelled, purchase, cancel, reduce), when it takes effect, prorated lines and their sum in minor units (below 0: credit), resources whose use is above the limits that follow, the outbox row where Stripe must do it (then the lines are an estimate), and notes on what else it does.';

CREATE FUNCTION capforecast._order(s capforecast._subscription_row, operation text, payload jsonb, idempotency_key text)
	RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	waiting capforecast.stripe_outbox;
	id bigint;
BEGIN
	SELECT * INTO waiting FROM capforecast.stripe_outbox o
	WHERE o.subscription_id = s.subscription_id AND o.status IN ('pending', 'sent') AND o.operation = _order.operation
	  AND o.payload ->> 'addon' IS NOT DISTINCT FROM _order.payload ->> 'addon';
	IF waiting.id IS NOT NULL THEN
		IF waiting.payload - 'proration_date' = payload - 'proration_date' THEN
			RETURN waiting.id;
		END IF;
		PERFORM capforecast._fail('55000', 'change_in_flight', 'another change of this subscription is on its way to Stripe',
			format('It is row %s of stripe_outbox.', waiting.id), 'Wait until Stripe has confirmed it, or settle it as failed.');
	END IF;
	UPDATE capforecast.stripe_outbox o SET status = 'cancelled', settled_at = clock_timestamp()
	WHERE o.subscription_id = s.subscription_id AND o.status = 'scheduled' AND o.operation = _order.operation
	  AND o.payload ->> 'addon' IS NOT DISTINCT FROM _order.payload ->> 'addon';
	INSERT INTO capforecast.stripe_outbox AS o (vendor_id, subscription_id, operation, payload, idempotency_key)
	VALUES (s.vendor_id, s.subscription_id, operation, payload,
		concat_ws(':', operation, s.vendor_id, coalesce(idempotency_key, gen_random_uuid()::text)))
	RETURNING o.id INTO id;
	RETURN id;
END
$$;
COMMENT ON FUNCTION capforecast._order(capforecast._subscription_row, text, jsonb, text) IS
	'Put a request to Stripe into the outbox; one at a time for a subscription and operation, a scheduled one is replaced.';

CREATE FUNCTION capforecast._order_change(s capforecast._subscription_row, plan capforecast.change_result, target capforecast.tier_info,
	annual boolean, idempotency_key text)
	RETURNS capforecast.change_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	price text;
	item jsonb;
BEGIN
	IF plan.action = 'noop' THEN
		IF NOT EXISTS (SELECT FROM capforecast.stripe_outbox o WHERE o.subscription_id = s.subscription_id AND o.status = 'scheduled'
			AND o.operation = 'change_tier') THEN
			RETURN plan;
		END IF;
		plan.action := 'pending_cancelled';
	END IF;
	EXECUTE capforecast._host_sql('SELECT CASE WHEN $2 THEN t.stripe_annual ELSE t.stripe_monthly END,
			(SELECT i FROM capforecast._stripe_source(ARRAY[$3]) x CROSS JOIN LATERAL jsonb_array_elements(x.items) i
				JOIN ' || capforecast._tiers_sql() || ' p ON i ->> ''price'' IN (p.stripe_monthly, p.stripe_annual)
			 WHERE x.stripe_id = $3 LIMIT 1)
		FROM ' || capforecast._tiers_sql() || ' t WHERE t.code = $1') INTO price, item USING target.code, annual, s.stripe_subscription_id;
	IF price IS NULL THEN
		PERFORM capforecast._fail('P0002', 'no_price', format('tier "%s" has no price of Stripe', target.code),
			'The table of tiers has no price id for it.', 'Set it there.');
	END IF;
	plan.outbox_id := capforecast._order(s, 'change_tier', jsonb_build_object('subscription', s.stripe_subscription_id, 'price', price,
		'items', jsonb_build_array(jsonb_build_object('id', item -> 'id', 'price', price, 'quantity', coalesce((item ->> 'quantity')::bigint, 1))),
		'timing', CASE WHEN plan.effective_at = s.period_end THEN 'period_end' ELSE 'immediate' END,
		'proration_date', extract(epoch FROM plan.effective_at)::bigint, 'payment_behavior', 'pending_if_incomplete'), idempotency_key);
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast._order_change(capforecast._subscription_row, capforecast.change_result, capforecast.tier_info, boolean, text) IS
	'Ask Stripe for a change of tier: the item''s own id and quantity go with it, or Stripe would add a second price or set the quantity to 1.';

CREATE FUNCTION capforecast._order_addon(s capforecast._subscription_row, plan capforecast.change_result, operation text, addon text, quantity bigint,
		stripe_price text, stripe_item text, timing text, idempotency_key text)
	RETURNS capforecast.change_result LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
	IF stripe_price IS NULL THEN
		PERFORM capforecast._fail('P0002', 'no_price', format('add-on "%s" has no price of Stripe', addon),
			'The table of add-ons has no price id for it.', 'Set it there.');
	END IF;
	plan.outbox_id := capforecast._order(s, operation, jsonb_build_object('subscription', s.stripe_subscription_id,
		'addon', addon, 'price', stripe_price,
		'quantity', quantity, 'items', jsonb_build_array(jsonb_build_object('id', stripe_item, 'price', stripe_price, 'quantity', quantity)),
		'timing', timing, 'proration_date', extract(epoch FROM plan.effective_at)::bigint, 'payment_behavior', 'pending_if_incomplete'),
		idempotency_key);
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast._order_addon(capforecast._subscription_row, capforecast.change_result, text, text, bigint, text, text, text, text) IS
	'Ask Stripe for a quantity of an add-on; quantity is what there is to be, not what is added.';
