-- Changing a tier.  One routine plans the change, for the quote and for the deed;
-- another writes what was planned.

CREATE FUNCTION capforecast._line(kind text, code text, amount_cents bigint, unit_price_cents bigint, period_start timestamptz,
	period_end timestamptz, more jsonb DEFAULT '{}')
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
	SELECT jsonb_build_object('kind', kind, 'code', code, 'amount_cents', amount_cents, 'unit_price_cents', unit_price_cents,
		'period_start', period_start, 'period_end', period_end) || more
$$;
COMMENT ON FUNCTION capforecast._line(text, text, bigint, bigint, timestamptz, timestamptz, jsonb) IS 'A line of an invoice or a quote.';

CREATE FUNCTION capforecast._sellable_tier(code text, annual boolean)
	RETURNS capforecast.tier_info LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	t capforecast.tier_info;
BEGIN
	SELECT * INTO t FROM capforecast.get_tier_info(code);
	IF t.code IS NULL THEN
		PERFORM capforecast._fail('P0002', 'unknown_tier', format('tier "%s" does not exist', code),
			'The table of tiers has no such code.', 'SELECT capforecast.get_tier_info(code) looks a code up.');
	ELSIF NOT t.is_active THEN
		PERFORM capforecast._fail('22023', 'inactive_tier', format('tier "%s" is not sold any more', t.code),
			'Its is_active is false.', 'Choose an active tier.');
	ELSIF capforecast._price(annual, t.price_monthly_cents, t.price_annual_cents) IS NULL THEN
		PERFORM capforecast._fail('P0002', 'no_price', format('tier "%s" has no %s price', t.code, CASE WHEN annual THEN 'annual' ELSE 'monthly' END),
			'A price that the table of tiers does not hold is not known.', 'Set its price there.');
	END IF;
	RETURN t;
END
$$;
COMMENT ON FUNCTION capforecast._sellable_tier(text, boolean) IS 'A tier that can be bought, by the month or by the year.';

CREATE FUNCTION capforecast._over_limit(v capforecast._standing, as_of timestamptz, tier text)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_object('resource', u.resource, 'used', u.used, 'limit', u.quota, 'over_by', u.used - u.quota)), '[]')
	FROM capforecast._usage((v.s).vendor_id, v, as_of, tier) u WHERE u.used > u.quota
$$;
COMMENT ON FUNCTION capforecast._over_limit(capforecast._standing, timestamptz, text) IS 'Resources of which a vendor uses more than a tier would allow.';

-- An invoice has one currency, and add-ons are billed by the interval of their subscription.
CREATE FUNCTION capforecast._require_fit(v capforecast._standing, target capforecast.tier_info, annual boolean)
	RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	other text := (SELECT x.currency FROM (
			SELECT 1 AS position, (v.billed).currency WHERE (v.s).status <> 'trial'
			UNION ALL SELECT 2, i.currency FROM capforecast.pending_invoice_item i
				WHERE i.subscription_id = (v.s).subscription_id AND i.invoiced_at IS NULL
			UNION ALL SELECT 3, a.currency FROM capforecast._addons_of((v.s).vendor_id) a) x
		WHERE x.currency <> target.currency ORDER BY position LIMIT 1);
BEGIN
	IF other IS NOT NULL THEN
		PERFORM capforecast._fail('22023', 'currency_mismatch', format('tier "%s" is sold in %s, not in %s', target.code, target.currency, other),
			'An invoice has one currency.', 'Choose a tier of the same currency.');
	ELSIF annual <> (v.s).is_annual AND EXISTS (SELECT FROM capforecast._addons_of((v.s).vendor_id) a
			WHERE a.billing_period <> 'one_time' AND a.status <> 'cancelling') THEN
		PERFORM capforecast._fail('22023', 'interval_mismatch', 'the interval cannot be changed while add-ons are billed by the other one',
			'Add-ons are billed with the subscription.', 'Cancel the add-ons first.');
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._require_fit(capforecast._standing, capforecast.tier_info, boolean) IS
	'22023 currency_mismatch or interval_mismatch where a tier does not fit what a vendor has.';

-- Credit for what is left of the period that was billed, debit for the same time at the
-- price that follows; a change of interval begins a period of its own at once, and is
-- charged whatever the proration.
CREATE FUNCTION capforecast._tier_lines(v capforecast._standing, target capforecast.tier_info, annual boolean, proration text, as_of timestamptz,
		OUT lines jsonb, OUT net bigint, OUT at timestamptz)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	s constant capforecast._subscription_row := v.s;
	price constant bigint := capforecast._price(annual, target.price_monthly_cents, target.price_annual_cents);
	reanchors constant boolean := annual <> s.is_annual;
	share record;
	credit record;
	debit bigint;
BEGIN
	SELECT * INTO share FROM capforecast._left(v, as_of, proration);
	at := share.at;
	lines := '[]';
	net := 0;
	IF s.status = 'trial' OR (proration = 'none' AND NOT reanchors) THEN
		RETURN;
	END IF;
	IF proration <> 'none' THEN
		IF (v.billed).price_cents IS NULL OR (v.billed).ends < s.period_end THEN
			PERFORM capforecast._fail('P0002', 'no_price', format('what was billed for tier "%s" is not known', s.tier),
				'It had no price when the period began.', 'Change the tier at the end of the period, or with proration => ''none''.');
		END IF;
		SELECT * INTO credit FROM capforecast._credit(v, '{proration_debit}', (v.billed).tier,
			least(capforecast._prorate((v.billed).price_cents, share.part, share.whole), (v.billed).amount_cents), at);
		lines := jsonb_build_array(capforecast._line('proration_credit', s.tier, -credit.given, (v.billed).price_cents, at, s.period_end, credit.more));
		net := -credit.given;
	END IF;
	debit := CASE WHEN reanchors THEN price ELSE capforecast._prorate(price, share.part, share.whole) END;
	lines := lines || capforecast._line('proration_debit', target.code, debit, price, at, CASE WHEN reanchors
		THEN capforecast._boundary(timezone((v.st).anchor_zone, at), (v.st).anchor_zone, CASE WHEN annual THEN 12 ELSE 1 END) ELSE s.period_end END);
	net := net + debit;
END
$$;
COMMENT ON FUNCTION capforecast._tier_lines(capforecast._standing, capforecast.tier_info, boolean, text, timestamptz) IS
	'The prorated lines of an immediate change of tier.';

CREATE FUNCTION capforecast._waits(s capforecast._subscription_row, timing text, action text)
	RETURNS boolean LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT s.status <> 'trial' AND (timing = 'period_end' OR (timing = 'auto' AND action = 'downgrade'))
$$;
COMMENT ON FUNCTION capforecast._waits(capforecast._subscription_row, text, text) IS 'Whether a change waits for the end of the period.';

CREATE FUNCTION capforecast._plan_change(v capforecast._standing, target capforecast.tier_info, timing text, annual boolean, proration text,
		keep_cancel boolean, as_of timestamptz)
	RETURNS capforecast.change_result LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	s constant capforecast._subscription_row := v.s;
	plan capforecast.change_result;
	old_monthly bigint := (SELECT t.price_monthly_cents FROM capforecast.get_tier_info(s.tier) t WHERE t.source = 'database');
	upgrade boolean;
BEGIN
	plan.currency := target.currency;
	plan.lines := '[]';
	plan.net_cents := 0;
	plan.estimate := s.managed;
	plan.notes := '{}';
	plan.over_limit := '[]';
	plan.effective_at := as_of;
	IF target.code = s.tier AND annual = s.is_annual THEN
		plan.action := CASE WHEN (v.st).pending_tier IS NULL THEN 'noop' ELSE 'pending_cancelled' END;
		RETURN plan;
	ELSIF old_monthly IS NULL THEN
		PERFORM capforecast._fail('P0002', 'no_price', format('tier "%s" has no price', s.tier), 'Up or down cannot be told without it.',
			'Set its price in the table of tiers.');
	END IF;
	PERFORM capforecast._require_fit(v, target, annual);
	plan.over_limit := capforecast._over_limit(v, as_of, target.code);
	upgrade := target.price_monthly_cents >= old_monthly AND (annual OR NOT s.is_annual);
	plan.action := CASE WHEN upgrade THEN 'upgrade' ELSE 'downgrade' END;
	IF s.status = 'past_due' AND (upgrade OR timing = 'immediate') THEN
		PERFORM capforecast._fail('55000', 'unpaid_invoice', 'the tier cannot be changed while a payment is due',
			'The subscription is past_due.', 'Change it after the payment; only a downgrade can wait for the end of the period.');
	ELSIF capforecast._waits(s, timing, plan.action) THEN
		plan.effective_at := s.period_end;
		RETURN plan;
	END IF;
	SELECT l.lines, l.net, l.at INTO plan.lines, plan.net_cents, plan.effective_at
	FROM capforecast._tier_lines(v, target, annual, proration, as_of) l;
	IF (v.st).pending_tier IS NOT NULL THEN
		plan.notes := plan.notes || 'pending_change_cleared'::text;
	END IF;
	IF upgrade AND s.cancel_at_period_end AND keep_cancel IS NOT TRUE THEN
		plan.notes := plan.notes || 'cancellation_cleared'::text;
	END IF;
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast._plan_change(capforecast._standing, capforecast.tier_info, text, boolean, text, boolean, timestamptz) IS
	'What a change of tier does, without doing it.';

-- Below 0 the sum goes to the credit balance (of its currency, so that it pays only invoices
-- of that); else its lines wait for the next invoice, as do those of a credit for what is on
-- no invoice yet.  What was withheld waits for the payment.
CREATE FUNCTION capforecast._book(s capforecast._subscription_row, plan capforecast.change_result)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	balanced boolean := false;
BEGIN
	IF plan.net_cents < 0 AND NOT jsonb_path_exists(plan.lines, '$[*] ? (@.is_open == true)') THEN
		UPDATE capforecast.subscription_state st SET credit_cents = st.credit_cents - plan.net_cents, credit_currency = plan.currency
		WHERE st.subscription_id = s.subscription_id AND (st.credit_cents = 0 OR coalesce(st.credit_currency, plan.currency) = plan.currency);
		balanced := FOUND;
	END IF;
	INSERT INTO capforecast.pending_invoice_item (vendor_id, subscription_id, kind, code, amount_cents, currency, service_start,
		service_end, details, invoiced_at, awaits_invoice)
	SELECT s.vendor_id, s.subscription_id, l.value ->> 'kind', l.value ->> 'code', x.amount, plan.currency,
		(l.value ->> 'period_start')::timestamptz, (l.value ->> 'period_end')::timestamptz, l.value, x.invoiced_at, x.awaits
	FROM jsonb_array_elements(plan.lines) l CROSS JOIN LATERAL (VALUES
		((l.value ->> 'amount_cents')::bigint, CASE WHEN balanced THEN plan.effective_at END, NULL),
		(-(l.value ->> 'withheld_cents')::bigint, NULL, l.value ->> 'invoice')) x(amount, invoiced_at, awaits)
	WHERE x.amount <> 0;
END
$$;
COMMENT ON FUNCTION capforecast._book(capforecast._subscription_row, capforecast.change_result) IS 'Keep the lines of a change for the next invoice, or as credit.';

CREATE FUNCTION capforecast._apply_change(v capforecast._standing, plan capforecast.change_result, target_tier text, annual boolean,
		idempotency_key text, as_of timestamptz, until timestamptz)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	s constant capforecast._subscription_row := v.s;
	reanchors constant boolean := annual <> s.is_annual AND s.status <> 'trial';
	debit constant jsonb := jsonb_path_query_first(plan.lines, '$[*] ? (@.kind == "proration_debit")');
	booked capforecast.change_result := plan;
BEGIN
	IF reanchors AND capforecast._host_has('billing_history') THEN
		-- the draft of the new period has the debit, and takes the credit
		booked.lines := jsonb_path_query_array(plan.lines, '$[*] ? (@.kind != "proration_debit")');
		booked.net_cents := 0;
	END IF;
	PERFORM capforecast._book(s, booked);
	UPDATE capforecast.billed_period b
	SET tier = target_tier, price_cents = (debit ->> 'unit_price_cents')::bigint, amount_cents = (debit ->> 'amount_cents')::bigint, currency = plan.currency
	WHERE debit IS NOT NULL AND NOT reanchors AND b.subscription_id = s.subscription_id AND b.ends = (v.billed).ends;
	UPDATE capforecast.subscription_state x SET pending_tier = NULL, pending_annual = NULL, pending_at = NULL, pending_requested_at = NULL
	WHERE x.subscription_id = s.subscription_id;
	EXECUTE capforecast._keyed_sql('UPDATE {vendor_subscriptions} h SET ' || capforecast._host_set('vendor_subscriptions',
			'tier', '$1', 'is_annual', '$2', 'cancel_at_period_end', '$3', 'updated_at', '$4') || '
		WHERE {h:vendor_subscriptions.id} = @key', s.subscription_id)
	USING target_tier, annual, s.cancel_at_period_end AND NOT 'cancellation_cleared' = ANY (plan.notes), as_of;
	INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason, idempotency_key)
	VALUES ('change_tier', s.vendor_id, s.subscription_id,
		jsonb_build_object('tier', s.tier, 'is_annual', s.is_annual, 'cancel_at_period_end', s.cancel_at_period_end),
		jsonb_build_object('tier', target_tier, 'is_annual', annual, 'net_cents', plan.net_cents, 'notes', plan.notes), plan.action, idempotency_key);
	IF reanchors THEN
		PERFORM capforecast._end_books(s.subscription_id, plan.effective_at);
		PERFORM capforecast._begin_anew(as_of, ARRAY[s.subscription_id], 'reanchor', until);
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._apply_change(capforecast._standing, capforecast.change_result, text, boolean, text, timestamptz, timestamptz) IS
	'Write a planned change of tier that takes effect at once: lines, tier, audit; with a change of interval the period begins anew.';

CREATE FUNCTION capforecast.quote_tier_change(vendor text, tier text, timing text DEFAULT 'auto', annual boolean DEFAULT NULL,
		proration text DEFAULT 'second', keep_cancel boolean DEFAULT false, as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.change_result
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._instant(as_of);
	v capforecast._standing;
BEGIN
	PERFORM capforecast._check_choice('timing', timing, '{auto,immediate,period_end}');
	PERFORM capforecast._check_choice('proration', proration, '{second,day,none}');
	v := capforecast._quoted(vendor, now);
	PERFORM capforecast._require_live(v.s);
	RETURN capforecast._plan_change(v, capforecast._sellable_tier(tier, coalesce(annual, (v.s).is_annual)), timing,
		coalesce(annual, (v.s).is_annual), proration, keep_cancel, now);
END
$$;
COMMENT ON FUNCTION capforecast.quote_tier_change(text, text, text, boolean, text, boolean, timestamptz) IS
	'What change_tier() with these arguments does at this instant: the same lines and amounts, and nothing is written or locked. Use above the limits of the tier is told in over_limit. Errors as of change_tier(), but for over_limit.
Example: SELECT action, net_cents, currency FROM capforecast.quote_tier_change((SELECT s.vendor_id::text FROM vendor_subscriptions s WHERE s.tier = ''essential'' AND s.status = ''active'' LIMIT 1), ''professional'');';

CREATE FUNCTION capforecast.change_tier(vendor text, tier text, timing text DEFAULT 'auto', annual boolean DEFAULT NULL,
		proration text DEFAULT 'second', idempotency_key text DEFAULT NULL, ack_over_limit boolean DEFAULT false,
		keep_cancel boolean DEFAULT false, as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.change_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._now(as_of);
	request constant jsonb := jsonb_build_object('tier', tier, 'timing', timing, 'annual', annual, 'proration', proration,
		'ack_over_limit', ack_over_limit, 'keep_cancel', keep_cancel);
	v capforecast._standing;
	s capforecast._subscription_row;
	target capforecast.tier_info;
	plan capforecast.change_result;
	by_year boolean;
	scheduled boolean;
	earlier jsonb;
BEGIN
	PERFORM capforecast._check_choice('timing', timing, '{auto,immediate,period_end}');
	PERFORM capforecast._check_choice('proration', proration, '{second,day,none}');
	v := capforecast._take(vendor, now, as_of);
	s := v.s;
	earlier := capforecast._replay('change_tier', s.vendor_id, idempotency_key, request);
	IF earlier IS NOT NULL THEN
		RETURN jsonb_populate_record(NULL::capforecast.change_result, earlier);
	END IF;
	PERFORM capforecast._require_live(s);
	by_year := coalesce(annual, s.is_annual);
	target := capforecast._sellable_tier(tier, by_year);
	plan := capforecast._plan_change(v, target, timing, by_year, proration, keep_cancel, now);
	scheduled := capforecast._waits(s, timing, plan.action);
	IF plan.over_limit <> '[]' AND ack_over_limit IS NOT TRUE THEN
		PERFORM capforecast._fail('55000', 'over_limit', format('vendor %s uses more than tier "%s" allows', s.vendor_id, target.code),
			format('%s', plan.over_limit),
			'Have the vendor confirm it, and pass ack_over_limit => true: nothing is deleted, and nothing can be added until usage is below the limit.');
	END IF;
	IF s.managed THEN
		plan := capforecast._order_change(s, plan, target, by_year, scheduled, proration, idempotency_key);
	ELSIF plan.action = 'pending_cancelled' THEN
		UPDATE capforecast.subscription_state x SET pending_tier = NULL, pending_annual = NULL, pending_at = NULL, pending_requested_at = NULL
		WHERE x.subscription_id = s.subscription_id;
	ELSIF plan.action <> 'noop' AND scheduled THEN
		UPDATE capforecast.subscription_state x SET pending_tier = target.code, pending_annual = by_year, pending_at = s.period_end,
			pending_requested_at = now
		WHERE x.subscription_id = s.subscription_id;
	ELSIF plan.action <> 'noop' THEN
		PERFORM capforecast._apply_change(v, plan, target.code, by_year, idempotency_key, now, as_of);
	END IF;
	IF plan.action <> 'noop' AND (scheduled OR plan.action = 'pending_cancelled' OR plan.outbox_id IS NOT NULL) THEN
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason, idempotency_key)
		VALUES ('request_change', s.vendor_id, s.subscription_id,
			jsonb_build_object('tier', s.tier, 'is_annual', s.is_annual, 'pending_tier', (v.st).pending_tier),
			request, plan.action, idempotency_key);
	END IF;
	PERFORM capforecast._remember('change_tier', s.vendor_id, idempotency_key, request, to_jsonb(plan));
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast.change_tier(text, text, text, boolean, text, text, boolean, boolean, timestamptz) IS
	'Change a vendor''s tier. timing auto: up at once, down at the end of the period; annual NULL: the interval stays; proration second, day or none. quote_tier_change() tells the same beforehand. Where Stripe manages the subscription the change is asked for in stripe_outbox, and the host''s row changes when Stripe''s data shows it. A request repeated with its idempotency_key has one effect and the same answer. Errors: P0002 unknown_vendor, unknown_tier, no_price; 22023 inactive_tier, currency_mismatch, interval_mismatch, idempotency_key_mismatch; 55000 not_live, unpaid_invoice, over_limit, change_in_flight.
Example: SELECT * FROM capforecast.change_tier((SELECT s.vendor_id::text FROM vendor_subscriptions s WHERE s.tier = ''essential'' AND s.status = ''active'' LIMIT 1), ''professional'');';
