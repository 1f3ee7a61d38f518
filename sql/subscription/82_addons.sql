CREATE TYPE capforecast._addon_product AS (
	code text, price bigint, currency text, billing_period text, max_quantity bigint, is_active boolean, stripe_price text);
COMMENT ON TYPE capforecast._addon_product IS 'An add-on as it is sold.';

CREATE FUNCTION capforecast._sellable_addon(addon text, quantity bigint, v capforecast._standing)
	RETURNS capforecast._addon_product LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p capforecast._addon_product;
	currency text := coalesce(CASE WHEN (v.s).status <> 'trial' THEN (v.billed).currency END,
		(SELECT t.currency FROM capforecast.get_tier_info((v.s).tier) t));
BEGIN
	IF quantity IS NULL OR quantity < 1 THEN
		PERFORM capforecast._fail('22023', 'bad_quantity', 'quantity must be 1 or more',
			format('It is %s.', coalesce(quantity::text, 'NULL')), 'Reduce an add-on with cancel_addon().');
	END IF;
	IF NOT (capforecast._host_has('addon_products') AND capforecast._host_has('vendor_addons')) THEN
		PERFORM capforecast._fail('P0002', 'unknown_addon', format('add-on "%s" does not exist', addon), 'The host keeps no add-ons.',
			'Bind the tables addon_products and vendor_addons with bind().');
	END IF;
	p := capforecast._host_row(NULL::capforecast._addon_product, $sql$
		SELECT {p:addon_products.code}::text, capforecast._cents({p:addon_products.price_cents}), {p:addon_products.currency}::text,
			{p:addon_products.billing_period}::text, {p:addon_products.max_quantity}::bigint, {p:addon_products.is_active},
			{p:addon_products.stripe_price_id}::text
		FROM {addon_products} p WHERE {p:addon_products.code} = $1$sql$, addon);
	IF p.code IS NULL THEN
		PERFORM capforecast._fail('P0002', 'unknown_addon', format('add-on "%s" does not exist', addon),
			'The table of add-ons has no such code.', 'Give its code as it is there.');
	ELSIF NOT p.is_active THEN
		PERFORM capforecast._fail('22023', 'inactive_addon', format('add-on "%s" is not sold any more', addon), 'Its is_active is false.',
			'Choose an active add-on.');
	ELSIF p.currency <> currency THEN
		PERFORM capforecast._fail('22023', 'currency_mismatch', format('add-on "%s" is sold in %s, not in %s', addon, p.currency, currency),
			'An invoice has one currency.', 'Choose an add-on of the same currency.');
	ELSIF p.billing_period <> 'one_time' AND (p.billing_period NOT IN ('monthly', 'annual') OR (p.billing_period = 'annual') <> (v.s).is_annual
			OR (p.billing_period = 'annual') <> (v.st).pending_annual) THEN
		PERFORM capforecast._fail('22023', 'interval_mismatch', format('add-on "%s" is billed by another interval than the subscription', addon),
			format('Its interval is %s.', p.billing_period), 'Choose one with the interval that the subscription has, and will have.');
	END IF;
	RETURN p;
END
$$;
COMMENT ON FUNCTION capforecast._sellable_addon(text, bigint, capforecast._standing) IS 'An add-on that this subscription can buy.';

CREATE FUNCTION capforecast._write_addon(s capforecast._subscription_row, addon_id text, addon text, status text, quantity bigint,
		unit_price bigint, as_of timestamptz, stripe_item text DEFAULT NULL)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
	IF addon_id IS NULL THEN
		EXECUTE capforecast._keyed_sql('INSERT INTO {vendor_addons} ' || capforecast._host_insert('vendor_addons', 'vendor_id', 'x.vendor_id',
				'addon_product_id', '{p:addon_products.id}', 'status', '$2', 'quantity', '$3', 'unit_price_cents', '$4', 
				'period_start', '$5', 'period_end', '$6') || '
			FROM ' || capforecast._subscriptions_sql() || ' x, {addon_products} p
			WHERE x.vendor_id = @key AND x.subscription_id = $7 AND {p:addon_products.code} = $1', s.vendor_id)
		USING addon, status, quantity::integer, unit_price, as_of, s.period_end, s.subscription_id;
	ELSE
		EXECUTE capforecast._keyed_sql('UPDATE {vendor_addons} h SET ' || capforecast._host_set('vendor_addons', 'status', '$1', 'quantity', '$2',
				'unit_price_cents', '$3', 'cancelled_at', 'CASE WHEN $1 = ''cancelled'' THEN $4 END',
				'stripe_subscription_item_id', 'coalesce($5, {h:vendor_addons.stripe_subscription_item_id})', 'updated_at', '$4') || '
			WHERE {h:vendor_addons.id} = @key', addon_id)
		USING status, quantity::integer, unit_price, as_of, stripe_item;
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._write_addon(capforecast._subscription_row, text, text, text, bigint, bigint, timestamptz, text) IS 'Insert or update the host''s row of an add-on.';

-- What there will be, once Stripe has done what it was asked for; a purchase that nobody has
-- handed out yet is part of it.
CREATE FUNCTION capforecast._asked_quantity(s capforecast._subscription_row, stripe_price text, held bigint)
	RETURNS bigint LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce((o.wanted #>> ARRAY['addons', stripe_price])::bigint, held, 0)
	FROM capforecast._open_request(s.stripe_subscription_id) o
$$;
COMMENT ON FUNCTION capforecast._asked_quantity(capforecast._subscription_row, text, bigint) IS 'Quantity of an add-on with the request that is open, or what is held.';

CREATE TYPE capforecast._addon_plan AS (
	plan capforecast.change_result, product capforecast._addon_product, addon_id text, held bigint, quantity bigint, status text, unit_price bigint);
COMMENT ON TYPE capforecast._addon_plan IS 'A purchase or a cancellation of an add-on before it is written: what it does, the row that is held and its quantity, and what is to be.';

CREATE FUNCTION capforecast._plan_purchase(v capforecast._standing, addon text, quantity bigint, as_of timestamptz)
	RETURNS capforecast._addon_plan LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	s constant capforecast._subscription_row := v.s;
	p capforecast._addon_plan;
	held capforecast._addon_row;
	share record;
	lines jsonb := '[]';
BEGIN
	PERFORM capforecast._require_live(s);
	p.product := capforecast._sellable_addon(addon, quantity, v);
	SELECT * INTO held FROM capforecast._addons_of(s.vendor_id, (p.product).code);
	p.addon_id := held.id;
	p.status := held.status;
	p.held := coalesce(held.quantity, 0);
	p.quantity := capforecast._asked_quantity(s, coalesce(held.stripe_price, (p.product).stripe_price), p.held) + quantity;
	p.unit_price := coalesce(held.unit_price, (p.product).price);
	IF p.quantity > (p.product).max_quantity THEN
		PERFORM capforecast._fail('55000', 'max_quantity', format('add-on "%s" is sold up to %s', (p.product).code, (p.product).max_quantity),
			format('The vendor has %s.', p.quantity - quantity), 'Buy fewer.');
	END IF;
	SELECT * INTO share FROM capforecast._left(v, as_of);
	IF (p.product).billing_period = 'one_time' THEN
		lines := jsonb_build_array(capforecast._line('one_time', (p.product).code, p.unit_price * quantity, p.unit_price, share.at, NULL,
			jsonb_build_object('quantity', quantity)));
	ELSIF s.status <> 'trial' THEN
		lines := jsonb_build_array(capforecast._line('addon', (p.product).code, capforecast._prorate(p.unit_price * quantity, share.part, share.whole),
			p.unit_price, share.at, s.period_end, jsonb_build_object('quantity', quantity)));
	END IF;
	p.plan := ROW('purchase', share.at, lines, coalesce((lines -> 0 ->> 'amount_cents')::bigint, 0), (p.product).currency, '[]', NULL,
		s.managed, '{}');
	RETURN p;
END
$$;
COMMENT ON FUNCTION capforecast._plan_purchase(capforecast._standing, text, bigint, timestamptz) IS 'What buying so many of an add-on does, for the quote and for the deed.';

CREATE FUNCTION capforecast.quote_addon(vendor text, addon text, quantity integer DEFAULT 1, as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.change_result
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._instant(as_of);
BEGIN
	RETURN (capforecast._plan_purchase(capforecast._quoted(vendor, now), addon, quantity, now)).plan;
END
$$;
COMMENT ON FUNCTION capforecast.quote_addon(text, text, integer, timestamptz) IS
	'What purchase_addon() would do and cost; nothing is written. Errors: as purchase_addon(), but for idempotency_key_mismatch.
Example: SELECT action, net_cents, currency FROM capforecast.quote_addon((SELECT s.vendor_id::text FROM vendor_subscriptions s WHERE s.tier = ''professional'' AND s.status = ''active'' LIMIT 1), ''extra_products'');';

CREATE FUNCTION capforecast.purchase_addon(vendor text, addon text, quantity integer DEFAULT 1, idempotency_key text DEFAULT NULL,
		as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.change_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._now(as_of);
	request constant jsonb := jsonb_build_object('addon', addon, 'quantity', quantity);
	v capforecast._standing := capforecast._take(vendor, now, as_of);
	s capforecast._subscription_row := v.s;
	earlier jsonb := capforecast._replay('purchase_addon', s.vendor_id, idempotency_key, request);
	p capforecast._addon_plan;
	plan capforecast.change_result;
	code text;
BEGIN
	IF earlier IS NOT NULL THEN
		RETURN jsonb_populate_record(NULL::capforecast.change_result, earlier);
	END IF;
	p := capforecast._plan_purchase(v, addon, quantity, now);
	plan := p.plan;
	code := (p.product).code;
	IF s.managed THEN
		plan := capforecast._order_addon(s, plan, 'purchase_addon', code,
			CASE (p.product).billing_period WHEN 'one_time' THEN quantity ELSE p.quantity END, (p.product).stripe_price, (p.product).billing_period,
			'immediate', idempotency_key);
		IF p.addon_id IS NULL OR p.status = 'pending' THEN
			PERFORM capforecast._write_addon(s, p.addon_id, code, 'pending', p.quantity, p.unit_price, now);
		END IF;
	ELSE
		PERFORM capforecast._book(s, plan);
		PERFORM capforecast._write_addon(s, p.addon_id, code, 'active', p.quantity, p.unit_price, now);
	END IF;
	INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, idempotency_key)
	VALUES ('purchase_addon', s.vendor_id, s.subscription_id, jsonb_build_object('addon', code, 'quantity', p.held),
		jsonb_build_object('addon', code, 'quantity', p.quantity, 'net_cents', plan.net_cents, 'outbox_id', plan.outbox_id), idempotency_key);
	PERFORM capforecast._remember('purchase_addon', s.vendor_id, idempotency_key, request, to_jsonb(plan));
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast.purchase_addon(text, text, integer, text, timestamptz) IS
	'Buy an add-on, or more of it, at the price at which the vendor first bought it; prorated to the end of the period, nothing in a trial, in full where it is sold once. Where Stripe manages the subscription it is asked for in stripe_outbox, and grants nothing until Stripe''s data shows it. Errors: P0002 unknown_vendor, unknown_addon, no_price; 22023 bad_quantity, inactive_addon, currency_mismatch, interval_mismatch, idempotency_key_mismatch; 55000 not_live, max_quantity, change_in_flight, items_unknown.
Example: SELECT * FROM capforecast.purchase_addon((SELECT s.vendor_id::text FROM vendor_subscriptions s WHERE s.tier = ''professional'' AND s.status = ''active'' LIMIT 1), ''extra_products'');';

-- What is left of what was billed, never more than that: what was bought within the period
-- and given back at once must not gain a cent by rounding.
CREATE FUNCTION capforecast._plan_addon_end(v capforecast._standing, held capforecast._addon_row, quantity bigint, at_once boolean, as_of timestamptz)
	RETURNS capforecast.change_result LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	plan capforecast.change_result := ROW('cancel', (v.s).period_end, '[]', 0, held.currency, '[]', NULL, (v.s).managed, '{}');
	share record;
	amount bigint;
	credit record;
BEGIN
	IF NOT at_once THEN
		RETURN plan;
	END IF;
	SELECT * INTO share FROM capforecast._left(v, as_of);
	plan.effective_at := share.at;
	IF (v.s).status = 'trial' OR held.status = 'pending' OR held.billing_period = 'one_time' THEN
		RETURN plan;	-- nothing was billed for a time that is left
	END IF;
	amount := capforecast._prorate(held.unit_price * quantity, share.part, share.whole);
	IF held.period_start >= (v.s).period_start THEN
		amount := least(amount, (SELECT coalesce(sum(i.amount_cents), 0) FROM capforecast.pending_invoice_item i
			WHERE i.subscription_id = (v.s).subscription_id AND i.code = held.code AND i.kind IN ('addon', 'addon_credit')
				AND i.service_start >= (v.s).period_start));
	END IF;
	SELECT * INTO credit FROM capforecast._credit(v, '{addon}', held.code, amount, share.at);
	plan.lines := jsonb_build_array(capforecast._line('addon_credit', held.code, -credit.given, held.unit_price, share.at, (v.s).period_end,
		jsonb_build_object('quantity', quantity, 'is_open', credit.is_open) || credit.more));
	plan.net_cents := -credit.given;
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast._plan_addon_end(capforecast._standing, capforecast._addon_row, bigint, boolean, timestamptz) IS
	'What it gives to end so many of an add-on, at once or at the end of the period.';

CREATE FUNCTION capforecast._plan_cancel(v capforecast._standing, addon text, quantity integer, timing text, as_of timestamptz)
	RETURNS capforecast._addon_plan LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	s constant capforecast._subscription_row := v.s;
	p capforecast._addon_plan;
	plan capforecast.change_result;
	held capforecast._addon_row;
BEGIN
	PERFORM capforecast._check_choice('timing', timing, '{immediate,period_end}');
	SELECT * INTO held FROM capforecast._addons_of(s.vendor_id, addon);
	IF held.id IS NULL THEN
		PERFORM capforecast._fail('55000', 'not_live', format('vendor %s has no live add-on "%s"', s.vendor_id, addon),
			'There is none, or it was cancelled.', 'usage_summary() lists the live ones.');
	ELSIF quantity < 1 OR quantity > held.quantity THEN
		PERFORM capforecast._fail('22023', 'bad_quantity', format('quantity must be from 1 to %s', held.quantity), format('It is %s.', quantity),
			'Leave it out to cancel all of it.');
	END IF;
	PERFORM capforecast._require_live(s);
	p.product := ROW(held.code, NULL, held.currency, held.billing_period, NULL, NULL, held.stripe_price);
	p.addon_id := held.id;
	p.held := held.quantity;
	p.unit_price := held.unit_price;
	p.quantity := CASE WHEN quantity < held.quantity THEN held.quantity - quantity ELSE 0 END;
	p.status := CASE WHEN p.quantity > 0 THEN held.status WHEN timing = 'immediate' OR held.status = 'pending' THEN 'cancelled' ELSE 'cancelling' END;
	plan := capforecast._plan_addon_end(v, held, held.quantity - p.quantity, p.status <> 'cancelling', as_of);
	plan.action := CASE WHEN p.quantity > 0 THEN 'reduce' ELSE 'cancel' END;
	p.plan := plan;
	RETURN p;
END
$$;
COMMENT ON FUNCTION capforecast._plan_cancel(capforecast._standing, text, integer, text, timestamptz) IS
	'What cancelling an add-on does, for the quote and for the deed.';

CREATE FUNCTION capforecast.quote_addon_cancel(vendor text, addon text, quantity integer DEFAULT NULL, timing text DEFAULT 'period_end',
		as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.change_result
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._instant(as_of);
BEGIN
	RETURN (capforecast._plan_cancel(capforecast._quoted(vendor, now), addon, quantity, timing, now)).plan;
END
$$;
COMMENT ON FUNCTION capforecast.quote_addon_cancel(text, text, integer, text, timestamptz) IS
	'What cancel_addon() would do and give back; nothing is written. Errors: as cancel_addon(), but for idempotency_key_mismatch.
Example: SELECT action, net_cents, currency FROM capforecast.quote_addon_cancel((SELECT a.vendor_id::text FROM vendor_addons a WHERE a.status = ''active'' LIMIT 1), ''extra_products'', timing => ''immediate'');';

-- What was sold once is no item at Stripe: giving it back asks for nothing, unless the order
-- has not been handed out yet.
CREATE FUNCTION capforecast._order_cancel(s capforecast._subscription_row, p capforecast._addon_plan, timing text, idempotency_key text)
	RETURNS capforecast.change_result LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	one_time constant boolean := (p.product).billing_period = 'one_time';
BEGIN
	IF one_time AND (SELECT o.wanted #> ARRAY['one_time', (p.product).stripe_price] FROM capforecast._open_request(s.stripe_subscription_id) o) IS NULL THEN
		RETURN p.plan;
	END IF;
	RETURN capforecast._order_addon(s, p.plan, 'cancel_addon', (p.product).code, CASE WHEN one_time THEN p.quantity - p.held ELSE p.quantity END,
		(p.product).stripe_price, (p.product).billing_period, CASE WHEN p.status = 'cancelling' THEN timing ELSE 'immediate' END, idempotency_key);
END
$$;
COMMENT ON FUNCTION capforecast._order_cancel(capforecast._subscription_row, capforecast._addon_plan, text, text) IS 'Ask Stripe for fewer of an add-on.';

CREATE FUNCTION capforecast.cancel_addon(vendor text, addon text, quantity integer DEFAULT NULL, timing text DEFAULT 'period_end',
		idempotency_key text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.change_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._now(as_of);
	request constant jsonb := jsonb_build_object('addon', addon, 'quantity', quantity, 'timing', timing);
	v capforecast._standing := capforecast._take(vendor, now, as_of);
	s capforecast._subscription_row := v.s;
	earlier jsonb := capforecast._replay('cancel_addon', s.vendor_id, idempotency_key, request);
	p capforecast._addon_plan;
	plan capforecast.change_result;
	was_pending boolean;
BEGIN
	IF earlier IS NOT NULL THEN
		RETURN jsonb_populate_record(NULL::capforecast.change_result, earlier);
	END IF;
	p := capforecast._plan_cancel(v, addon, quantity, timing, now);
	plan := p.plan;
	was_pending := (SELECT a.status = 'pending' FROM capforecast._addons_of(s.vendor_id, (p.product).code) a);
	IF s.managed THEN
		plan := capforecast._order_cancel(s, p, timing, idempotency_key);
	ELSE
		PERFORM capforecast._book(s, plan);
	END IF;
	-- Stripe's data shows the rest; what it has never heard of is written here
	IF NOT s.managed OR was_pending OR (p.product).billing_period = 'one_time' THEN
		PERFORM capforecast._write_addon(s, p.addon_id, (p.product).code, p.status,
			CASE WHEN p.quantity > 0 THEN p.quantity ELSE p.held END, p.unit_price, now);
	END IF;
	INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason, idempotency_key)
	VALUES ('cancel_addon', s.vendor_id, s.subscription_id, jsonb_build_object('addon', (p.product).code, 'quantity', p.held),
		jsonb_build_object('addon', (p.product).code, 'removed', p.held - p.quantity, 'net_cents', plan.net_cents, 'outbox_id', plan.outbox_id),
		timing, idempotency_key);
	PERFORM capforecast._remember('cancel_addon', s.vendor_id, idempotency_key, request, to_jsonb(plan));
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast.cancel_addon(text, text, integer, text, text, timestamptz) IS
	'Cancel an add-on: at the end of the period (it grants until then, and is not on the next invoice) or at once with a credit; quantity: only so many, which takes effect at once. Where Stripe manages the subscription it is asked for in stripe_outbox, and the add-on goes when Stripe''s data shows it; an order that was not handed out yet is withdrawn. Errors: P0002 unknown_vendor, no_price; 22023 bad_quantity, bad_argument, idempotency_key_mismatch; 55000 not_live, change_in_flight, items_unknown.
Example: SELECT * FROM capforecast.cancel_addon((SELECT a.vendor_id::text FROM vendor_addons a WHERE a.status = ''active'' LIMIT 1), ''extra_products'');';
