-- Cancelling a subscription, and taking that back.

-- At once nothing is given back: access ends, and what is pending goes on a last draft.
CREATE FUNCTION capforecast._plan_cancellation(v capforecast._standing, timing text, as_of timestamptz)
	RETURNS capforecast.change_result LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	s constant capforecast._subscription_row := v.s;
	ends_at constant timestamptz := CASE WHEN s.status = 'trial' THEN coalesce(s.trial_ends_at, s.period_end) ELSE s.period_end END;
	plan capforecast.change_result := ROW('cancel', as_of, '[]', 0, (v.billed).currency, '[]', NULL, s.managed, '{}');
BEGIN
	PERFORM capforecast._check_choice('timing', timing, '{immediate,period_end}');
	IF NOT s.live AND s.status IN ('cancelled', 'expired') THEN
		PERFORM capforecast._fail('55000', 'already_ended', format('subscription %s has ended', s.subscription_id),
			format('Its status is %s.', s.status), 'A vendor whose subscription has ended needs another one.');
	END IF;
	PERFORM capforecast._require_live(s);
	IF timing = 'period_end' THEN
		plan.effective_at := ends_at;
		plan.action := CASE WHEN s.cancel_at_period_end THEN 'noop' ELSE 'cancel_scheduled' END;
	END IF;
	IF plan.action <> 'noop' AND (v.st).pending_tier IS NOT NULL THEN
		plan.notes := '{pending_change_cleared}';
	END IF;
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast._plan_cancellation(capforecast._standing, text, timestamptz) IS 'What cancelling a subscription does.';

CREATE FUNCTION capforecast.quote_cancellation(vendor text, timing text DEFAULT 'period_end', as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.change_result
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._instant(as_of);
BEGIN
	RETURN capforecast._plan_cancellation(capforecast._quoted(vendor, now), timing, now);
END
$$;
COMMENT ON FUNCTION capforecast.quote_cancellation(text, text, timestamptz) IS
	'What cancel_subscription() with these arguments does at this instant; nothing is written or locked. Errors as of cancel_subscription().
Example: SELECT action, net_cents, currency FROM capforecast.quote_cancellation((SELECT s.vendor_id::text FROM vendor_subscriptions s WHERE s.status = ''active'' LIMIT 1));';

CREATE FUNCTION capforecast._set_cancellation(s capforecast._subscription_row, cancels boolean, reason text, as_of timestamptz)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF capforecast._host_column('vendor_subscriptions', 'cancel_at_period_end') IS NULL THEN
		PERFORM capforecast._fail('42703', 'unknown_column', 'the host''s subscriptions have no column for a cancellation at the end of the period',
			'No column is bound to cancel_at_period_end.', 'Bind one, or cancel with timing => ''immediate''.');
	END IF;
	EXECUTE capforecast._keyed_sql('UPDATE {vendor_subscriptions} h SET ' || capforecast._host_set('vendor_subscriptions',
			'cancel_at_period_end', '$1', 'cancellation_reason', '$2', 'updated_at', '$3') || ' WHERE {h:vendor_subscriptions.id} = @key', s.subscription_id)
	USING cancels, reason, as_of;
	IF cancels THEN
		UPDATE capforecast.subscription_state SET pending_tier = NULL, pending_annual = NULL, pending_at = NULL, pending_requested_at = NULL
		WHERE subscription_id = s.subscription_id;
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._set_cancellation(capforecast._subscription_row, boolean, text, timestamptz) IS
	'Write on the host''s row that a subscription ends with its period, or does not.';

CREATE FUNCTION capforecast.cancel_subscription(vendor text, timing text DEFAULT 'period_end', reason text DEFAULT NULL,
		idempotency_key text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.change_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._now(as_of);
	request constant jsonb := jsonb_build_object('timing', timing, 'reason', reason);
	v capforecast._standing := capforecast._take(vendor, now, as_of);
	s capforecast._subscription_row := v.s;
	earlier jsonb := capforecast._replay('cancel_subscription', s.vendor_id, idempotency_key, request);
	plan capforecast.change_result;
BEGIN
	IF earlier IS NOT NULL THEN
		RETURN jsonb_populate_record(NULL::capforecast.change_result, earlier);
	END IF;
	plan := capforecast._plan_cancellation(v, timing, now);
	IF s.managed THEN
		plan := capforecast._order_cancellation(s, plan, true, timing, reason, idempotency_key);
	END IF;
	IF plan.action <> 'noop' THEN
		IF s.managed THEN
			NULL;		-- asked for, and written when Stripe's data shows it
		ELSIF plan.action = 'cancel' THEN
			PERFORM capforecast._set_cancellation(s, s.cancel_at_period_end, reason, now)
			WHERE reason IS NOT NULL AND capforecast._host_column('vendor_subscriptions', 'cancel_at_period_end') IS NOT NULL;
			PERFORM capforecast._end_subscriptions(now, ARRAY[s.subscription_id], 'cancelled', '$1', 'cancel_subscription');
		ELSE
			PERFORM capforecast._set_cancellation(s, true, reason, now);
		END IF;
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason, idempotency_key)
		SELECT 'cancel_subscription', s.vendor_id, s.subscription_id, jsonb_build_object('status', s.status, 'cancel_at_period_end', s.cancel_at_period_end),
			jsonb_build_object('action', plan.action, 'effective_at', plan.effective_at, 'outbox_id', plan.outbox_id), reason, idempotency_key
		WHERE plan.action <> 'cancel' OR s.managed;		-- an end is audited where it is written
	END IF;
	PERFORM capforecast._remember('cancel_subscription', s.vendor_id, idempotency_key, request, to_jsonb(plan));
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast.cancel_subscription(text, text, text, text, timestamptz) IS
	'Cancel a vendor''s subscription: at the end of its period, or of its trial (action cancel_scheduled; access stays until then, resume_subscription() takes it back), or at once (cancel; nothing is given back, what is pending goes on a last draft). A change that was waiting is dropped. Where Stripe manages the subscription it is asked for in stripe_outbox. noop: it was cancelled already. Errors: P0002 unknown_vendor; 55000 not_live, already_ended, change_in_flight; 22023 bad_argument, idempotency_key_mismatch.
Example: SELECT * FROM capforecast.cancel_subscription((SELECT s.vendor_id::text FROM vendor_subscriptions s WHERE s.status = ''active'' LIMIT 1), reason => ''closed'');';

CREATE FUNCTION capforecast.resume_subscription(vendor text, idempotency_key text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.change_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._now(as_of);
	v capforecast._standing := capforecast._take(vendor, now, as_of);
	s capforecast._subscription_row := v.s;
	earlier jsonb := capforecast._replay('resume_subscription', s.vendor_id, idempotency_key, '{}');
	plan capforecast.change_result := ROW('resume', now, '[]', 0, (v.billed).currency, '[]', NULL, s.managed, '{}');
BEGIN
	IF earlier IS NOT NULL THEN
		RETURN jsonb_populate_record(NULL::capforecast.change_result, earlier);
	END IF;
	IF s.status IN ('cancelled', 'expired') OR (NOT s.managed AND s.cancel_at_period_end
			AND CASE WHEN s.status = 'trial' THEN s.trial_ends_at ELSE s.period_end END <= now) THEN
		PERFORM capforecast._fail('55000', 'already_ended', format('subscription %s has ended', s.subscription_id),
			format('Its status is %s, and its period ended at %s.', s.status, s.period_end), 'A vendor whose subscription has ended needs another one.');
	END IF;
	PERFORM capforecast._require_live(s);
	IF s.managed THEN
		plan := capforecast._order_cancellation(s, plan, false, 'period_end', NULL, idempotency_key);
	ELSIF NOT s.cancel_at_period_end THEN
		plan.action := 'noop';
	ELSE
		PERFORM capforecast._set_cancellation(s, false, NULL, now);
	END IF;
	IF plan.action <> 'noop' THEN
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, idempotency_key)
		VALUES ('resume_subscription', s.vendor_id, s.subscription_id, jsonb_build_object('cancel_at_period_end', s.cancel_at_period_end),
			jsonb_build_object('action', plan.action, 'outbox_id', plan.outbox_id), idempotency_key);
	END IF;
	PERFORM capforecast._remember('resume_subscription', s.vendor_id, idempotency_key, '{}', to_jsonb(plan));
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast.resume_subscription(text, text, timestamptz) IS
	'Take back a cancellation that has not taken effect; noop where there is none. Where Stripe manages the subscription it is asked for in stripe_outbox, unless the cancellation has not been handed out: then it is withdrawn. Errors: P0002 unknown_vendor; 55000 not_live, already_ended, change_in_flight; 22023 idempotency_key_mismatch.
Example: SELECT * FROM capforecast.resume_subscription((SELECT s.vendor_id::text FROM vendor_subscriptions s WHERE s.status = ''active'' LIMIT 1));';
