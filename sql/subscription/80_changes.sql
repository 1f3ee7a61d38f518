CREATE FUNCTION capforecast._line(kind text, code text, amount_cents bigint, unit_price_cents bigint, period_start timestamptz,
	period_end timestamptz, more jsonb DEFAULT '{}')
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
	SELECT jsonb_build_object('kind', kind, 'code', code, 'amount_cents', amount_cents, 'unit_price_cents', unit_price_cents,
		'period_start', period_start, 'period_end', period_end) || more
$$;
COMMENT ON FUNCTION capforecast._line(text, text, bigint, bigint, timestamptz, timestamptz, jsonb) IS 'A line of an invoice or a preview.';

-- Nothing is given back for a period that was not paid for.
CREATE FUNCTION capforecast._period_is_unpaid(vendor text, at timestamptz)
	RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
DECLARE
	unpaid boolean := false;
BEGIN
	IF capforecast._host_has('billing_history') THEN
		EXECUTE capforecast._keyed_sql('SELECT EXISTS (SELECT FROM {billing_history} b WHERE {b:billing_history.vendor_id} = @key
			AND {b:billing_history.period_start} <= $1 AND {b:billing_history.period_end} > $1
			AND {b:billing_history.status} NOT IN (''paid'', ''void'') AND {b:billing_history.total_cents} <> 0)', vendor)
		INTO unpaid USING at;
	END IF;
	RETURN unpaid;
END
$$;
COMMENT ON FUNCTION capforecast._period_is_unpaid(text, timestamptz) IS 'Whether an invoice that covers the instant is not paid.';

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
	ELSIF (CASE WHEN annual THEN t.price_annual_cents ELSE t.price_monthly_cents END) IS NULL THEN
		PERFORM capforecast._fail('P0002', 'no_price', format('tier "%s" has no %s price', t.code, CASE WHEN annual THEN 'annual' ELSE 'monthly' END),
			'A price that the table of tiers does not hold is not known.', 'Set its price there.');
	END IF;
	RETURN t;
END
$$;
COMMENT ON FUNCTION capforecast._sellable_tier(text, boolean) IS 'A tier that can be bought, by the month or by the year.';

CREATE FUNCTION capforecast._over_limit(vendor text, as_of timestamptz, tier text)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_object('resource', u.resource, 'used', u.used, 'limit', u.quota, 'over_by', u.used - u.quota)), '[]')
	FROM capforecast._usage(vendor, as_of, tier) u WHERE u.used > u.quota
$$;
COMMENT ON FUNCTION capforecast._over_limit(text, timestamptz, text) IS 'Resources of which a vendor uses more than a tier would allow.';

-- Credit for what is left of the period that was billed, debit for the same time at the
-- price that follows; a change of interval begins a period of its own at once.
CREATE FUNCTION capforecast._tier_lines(s capforecast._subscription_row, st capforecast.subscription_state, target capforecast.tier_info,
		annual boolean, proration text, as_of timestamptz, OUT lines jsonb, OUT net bigint, OUT at timestamptz)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	price bigint := CASE WHEN annual THEN target.price_annual_cents ELSE target.price_monthly_cents END;
	reanchors boolean := annual <> s.is_annual;
	share record;
	credit bigint;
	debit bigint;
	more jsonb := '{}';
BEGIN
	SELECT * INTO share FROM capforecast._share(as_of, s.period_start, s.period_end, st.anchor_zone, proration);
	at := share.at;
	IF s.status = 'trial' OR proration = 'none' THEN
		lines := '[]';
		net := 0;
		RETURN;
	END IF;
	IF st.billed_price_cents IS NULL THEN
		PERFORM capforecast._fail('P0002', 'no_price', format('what was billed for tier "%s" is not known', s.tier),
			'It had no price when the period began.', 'Change the tier at the end of the period, or with proration => ''none''.');
	ELSIF st.billed_currency <> target.currency THEN
		PERFORM capforecast._fail('22023', 'currency_mismatch', 
			format('tier "%s" is sold in %s, not in %s', target.code, target.currency, st.billed_currency),
			'An invoice has one currency.', 'Choose a tier of the same currency.');
	END IF;
	credit := least(capforecast._prorate(st.billed_price_cents, share.part, share.whole), st.billed_amount_cents);
	IF credit > 0 AND capforecast._period_is_unpaid(s.vendor_id, at) THEN
		credit := 0;
		more := '{"credit_withheld": "unpaid_period"}';
	END IF;
	debit := CASE WHEN reanchors THEN price ELSE capforecast._prorate(price, share.part, share.whole) END;
	lines := jsonb_build_array(
		capforecast._line('proration_credit', s.tier, -credit, st.billed_price_cents, at, s.period_end, more),
		capforecast._line('proration_debit', target.code, debit, price, at,
			CASE WHEN reanchors THEN
				capforecast._boundary(timezone(st.anchor_zone, at), st.anchor_zone, CASE WHEN annual THEN 12 ELSE 1 END)
			ELSE s.period_end END));
	net := debit - credit;
END
$$;
COMMENT ON FUNCTION capforecast._tier_lines(capforecast._subscription_row, capforecast.subscription_state, capforecast.tier_info, boolean, text, timestamptz) IS
	'The prorated lines of an immediate change of tier.';

CREATE FUNCTION capforecast._plan_change(s capforecast._subscription_row, st capforecast.subscription_state, target capforecast.tier_info,
		timing text, annual boolean, proration text, keep_cancel boolean, as_of timestamptz)
	RETURNS capforecast.change_result LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	plan capforecast.change_result;
	old_monthly bigint := (SELECT t.price_monthly_cents FROM capforecast.get_tier_info(s.tier) t WHERE t.source = 'database');
	upgrade boolean;
BEGIN
	plan.currency := target.currency;
	plan.lines := '[]';
	plan.net_cents := 0;
	plan.estimate := s.stripe_subscription_id IS NOT NULL;
	plan.notes := '{}';
	plan.over_limit := capforecast._over_limit(s.vendor_id, as_of, target.code);
	plan.effective_at := as_of;
	IF target.code = s.tier AND annual = s.is_annual THEN
		plan.action := CASE WHEN st.pending_tier IS NULL THEN 'noop' ELSE 'pending_cancelled' END;
		plan.over_limit := '[]';
		RETURN plan;
	ELSIF annual <> s.is_annual AND EXISTS (SELECT FROM capforecast._addons_of(s.vendor_id) a WHERE a.billing_period <> 'one_time') THEN
		PERFORM capforecast._fail('22023', 'interval_mismatch', 'the interval cannot be changed while add-ons are billed by the other one',
			'Add-ons are billed with the subscription.', 'Cancel the add-ons first.');
	ELSIF old_monthly IS NULL THEN
		PERFORM capforecast._fail('P0002', 'no_price', format('tier "%s" has no price', s.tier), 'Up or down cannot be told without it.',
			'Set its price in the table of tiers.');
	END IF;
	upgrade := target.price_monthly_cents >= old_monthly AND (annual OR NOT s.is_annual);
	plan.action := CASE WHEN upgrade THEN 'upgrade' ELSE 'downgrade' END;
	IF s.status = 'past_due' AND (upgrade OR timing = 'immediate') THEN
		PERFORM capforecast._fail('55000', 'unpaid_invoice', 'the tier cannot be changed while a payment is due',
			'The subscription is past_due.', 'Change it after the payment; only a downgrade can wait for the end of the period.');
	ELSIF s.status <> 'trial' AND (timing = 'period_end' OR (timing = 'auto' AND NOT upgrade)) THEN
		plan.effective_at := s.period_end;
		RETURN plan;
	END IF;
	SELECT l.lines, l.net, l.at INTO plan.lines, plan.net_cents, plan.effective_at
	FROM capforecast._tier_lines(s, st, target, annual, proration, as_of) l;
	IF st.pending_tier IS NOT NULL THEN
		plan.notes := plan.notes || 'pending_change_cleared'::text;
	END IF;
	IF upgrade AND s.cancel_at_period_end AND keep_cancel IS NOT TRUE THEN
		plan.notes := plan.notes || 'cancellation_cleared'::text;
	END IF;
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast._plan_change(capforecast._subscription_row, capforecast.subscription_state, capforecast.tier_info, text, boolean, text, boolean, timestamptz) IS
	'What a change of tier does, without doing it.';

-- Below 0 the sum goes to the credit balance; else its lines wait for the next invoice.
CREATE FUNCTION capforecast._book(s capforecast._subscription_row, plan capforecast.change_result)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF plan.net_cents < 0 THEN
		UPDATE capforecast.subscription_state st SET credit_cents = st.credit_cents - plan.net_cents WHERE st.subscription_id = s.subscription_id;
	END IF;
	INSERT INTO capforecast.pending_invoice_item (vendor_id, subscription_id, kind, code, amount_cents, currency, service_start,
		service_end, details, invoiced_at)
	SELECT s.vendor_id, s.subscription_id, l.value ->> 'kind', l.value ->> 'code', (l.value ->> 'amount_cents')::bigint, plan.currency,
		(l.value ->> 'period_start')::timestamptz, (l.value ->> 'period_end')::timestamptz, l.value,
		CASE WHEN plan.net_cents < 0 THEN plan.effective_at END
	FROM jsonb_array_elements(plan.lines) l WHERE (l.value ->> 'amount_cents')::bigint <> 0;
END
$$;
COMMENT ON FUNCTION capforecast._book(capforecast._subscription_row, capforecast.change_result) IS 'Keep the lines of a change for the next invoice, or as credit.';

CREATE FUNCTION capforecast._apply_change(s capforecast._subscription_row, plan capforecast.change_result,
		target_tier text, annual boolean, idempotency_key text, as_of timestamptz)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	reanchors boolean := annual <> s.is_annual AND s.status <> 'trial';
	debit jsonb := plan.lines -> 1;
	booked capforecast.change_result := plan;
BEGIN
	IF reanchors AND capforecast._host_has('billing_history') THEN
		booked.lines := plan.lines - 1;		-- the draft of the new period has the debit, and takes the credit
		booked.net_cents := 0;
	END IF;
	PERFORM capforecast._book(s, booked);
	UPDATE capforecast.subscription_state x
	SET billed_price_cents = coalesce((debit ->> 'unit_price_cents')::bigint, x.billed_price_cents),
		billed_amount_cents = coalesce((debit ->> 'amount_cents')::bigint, x.billed_amount_cents),
		billed_currency = plan.currency, pending_tier = NULL, pending_annual = NULL, pending_at = NULL, pending_requested_at = NULL
	WHERE x.subscription_id = s.subscription_id;
	EXECUTE capforecast._keyed_sql('UPDATE {vendor_subscriptions} h SET ' || capforecast._host_set('vendor_subscriptions',
			'tier', '$1', 'is_annual', '$2', 'cancel_at_period_end', '$3', 'period_end', '$4', 'updated_at', '$5') || '
		WHERE {h:vendor_subscriptions.vendor_id} = @key AND {h:vendor_subscriptions.id}::text = $6', s.vendor_id)
	USING target_tier, annual, s.cancel_at_period_end AND NOT 'cancellation_cleared' = ANY (plan.notes),
		CASE WHEN reanchors THEN greatest(plan.effective_at, s.period_start + interval '1 microsecond') ELSE s.period_end END,
		as_of, s.subscription_id;
	INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason, idempotency_key)
	VALUES ('change_tier', s.vendor_id, s.subscription_id,
		jsonb_build_object('tier', s.tier, 'is_annual', s.is_annual, 'cancel_at_period_end', s.cancel_at_period_end),
		jsonb_build_object('tier', target_tier, 'is_annual', annual, 'net_cents', plan.net_cents, 'notes', plan.notes), plan.action, idempotency_key);
	IF reanchors THEN
		UPDATE capforecast.subscription_state x
		SET anchor_local = timezone(x.anchor_zone, plan.effective_at), anchor_irregular = false,
			usage_end = greatest(plan.effective_at, x.usage_start + interval '1 microsecond'), billed_until = plan.effective_at
		WHERE x.subscription_id = s.subscription_id;
		PERFORM capforecast._roll(as_of, ARRAY[s.subscription_id], '{"reason": "reanchor"}');
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._apply_change(capforecast._subscription_row, capforecast.change_result, text, boolean, text, timestamptz) IS
	'Write a planned change of tier that takes effect at once: lines, tier, audit; with a change of interval the period begins anew.';

CREATE FUNCTION capforecast._check_choice(name text, value text, choices text[])
	RETURNS void LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF value IS NULL OR value <> ALL (choices) THEN
		PERFORM capforecast._fail('22023', 'bad_argument', format('%s must be one of %s', name, array_to_string(choices, ', ')),
			format('It is %s.', coalesce(value, 'NULL')), 'Leave it out for the default.');
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._check_choice(text, text, text[]) IS '22023 unless the value is one of the choices.';

CREATE FUNCTION capforecast.change_tier(vendor text, tier text, timing text DEFAULT 'auto', annual boolean DEFAULT NULL,
		proration text DEFAULT 'second', idempotency_key text DEFAULT NULL, ack_over_limit boolean DEFAULT false,
		keep_cancel boolean DEFAULT false, preview boolean DEFAULT false, as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.change_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._now(as_of);
	request constant jsonb := jsonb_build_object('tier', tier, 'timing', timing, 'annual', annual, 'proration', proration,
		'ack_over_limit', ack_over_limit, 'keep_cancel', keep_cancel);
	s capforecast._subscription_row;
	st capforecast.subscription_state;
	target capforecast.tier_info;
	plan capforecast.change_result;
	scheduled boolean;
	earlier jsonb;
BEGIN
	PERFORM capforecast._check_choice('timing', timing, '{auto,immediate,period_end}');
	PERFORM capforecast._check_choice('proration', proration, '{second,day,none}');
	s := capforecast._subscription(vendor, preview IS NOT TRUE);
	IF preview IS NOT TRUE THEN
		earlier := capforecast._replay('change_tier', s.vendor_id, idempotency_key, request);
		IF earlier IS NOT NULL THEN
			RETURN jsonb_populate_record(NULL::capforecast.change_result, earlier);
		END IF;
		PERFORM capforecast._see(now, ARRAY[s.subscription_id]);
	END IF;
	PERFORM capforecast._require_live(s);
	st := capforecast._state_of(s);
	target := capforecast._sellable_tier(tier, coalesce(annual, s.is_annual));
	plan := capforecast._plan_change(s, st, target, timing, coalesce(annual, s.is_annual), proration, keep_cancel, now);
	IF preview THEN
		RETURN plan;
	END IF;
	scheduled := s.status <> 'trial' AND (timing = 'period_end' OR (timing = 'auto' AND plan.action = 'downgrade'));
	IF plan.over_limit <> '[]' AND ack_over_limit IS NOT TRUE THEN
		PERFORM capforecast._fail('55000', 'over_limit', format('vendor %s uses more than tier "%s" allows', s.vendor_id, target.code),
			format('%s', plan.over_limit),
			'Have the vendor confirm it, and pass ack_over_limit => true: nothing is deleted, and nothing can be added until usage is below the limit.');
	END IF;
	IF s.stripe_subscription_id IS NOT NULL THEN
		plan := capforecast._order_change(s, plan, target, coalesce(annual, s.is_annual), scheduled, proration, idempotency_key);
	ELSIF plan.action = 'pending_cancelled' THEN
		UPDATE capforecast.subscription_state x SET pending_tier = NULL, pending_annual = NULL, pending_at = NULL, pending_requested_at = NULL
		WHERE x.subscription_id = s.subscription_id;
	ELSIF plan.action <> 'noop' AND scheduled THEN
		UPDATE capforecast.subscription_state x SET pending_tier = target.code, pending_annual = coalesce(change_tier.annual, s.is_annual),
			pending_at = s.period_end, pending_requested_at = now
		WHERE x.subscription_id = s.subscription_id;
	ELSIF plan.action <> 'noop' THEN
		PERFORM capforecast._apply_change(s, plan, target.code, coalesce(annual, s.is_annual), idempotency_key, now);
	END IF;
	IF plan.action <> 'noop' AND (scheduled OR plan.action = 'pending_cancelled' OR plan.outbox_id IS NOT NULL) THEN
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason, idempotency_key)
		VALUES ('request_change', s.vendor_id, s.subscription_id,
			jsonb_build_object('tier', s.tier, 'is_annual', s.is_annual, 'pending_tier', st.pending_tier),
			request, plan.action, idempotency_key);
	END IF;
	PERFORM capforecast._remember('change_tier', s.vendor_id, idempotency_key, request, to_jsonb(plan));
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast.change_tier(text, text, text, boolean, text, text, boolean, boolean, boolean, timestamptz) IS
	'Change a vendor''s tier. timing auto: up at once, down at the end of the period; annual NULL: the interval stays; proration second, day or none. preview: the same numbers, and nothing is written. Where Stripe manages the subscription the change is asked for in stripe_outbox, and the host''s row changes when Stripe''s data shows it. A request repeated with its idempotency_key has one effect and the same answer. Errors: P0002 unknown_vendor, unknown_tier, no_price; 22023 inactive_tier, currency_mismatch, idempotency_key_mismatch; 55000 not_live, unpaid_invoice, over_limit, change_in_flight.';
