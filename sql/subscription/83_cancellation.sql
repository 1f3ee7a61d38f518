-- Cancelling a subscription, and taking that back.

CREATE FUNCTION capforecast._plan_cancellation(s capforecast._subscription_row, timing text, as_of timestamptz)
	RETURNS capforecast.change_result LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	plan capforecast.change_result;
	st capforecast.subscription_state;
BEGIN
	PERFORM capforecast._check_choice('timing', timing, '{immediate,period_end}');
	PERFORM capforecast._require_live(s);
	st := capforecast._state_of(s);
	plan := ROW('cancel', as_of, '[]', 0, (SELECT t.currency FROM capforecast.get_tier_info(s.tier) t), '[]', NULL,
		s.stripe_subscription_id IS NOT NULL, '{}');
	IF timing = 'period_end' THEN
		plan.effective_at := CASE WHEN s.status = 'trial' THEN coalesce(s.trial_ends_at, s.period_end) ELSE s.period_end END;
		plan.action := CASE WHEN s.cancel_at_period_end THEN 'noop' ELSE 'cancel_scheduled' END;
	END IF;
	IF plan.action <> 'noop' AND st.pending_tier IS NOT NULL THEN
		plan.notes := '{pending_change_cleared}';
	END IF;
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast._plan_cancellation(capforecast._subscription_row, text, timestamptz) IS
	'What cancelling a subscription does, for the quote and for the deed.';

CREATE FUNCTION capforecast.quote_cancellation(vendor text, timing text DEFAULT 'period_end', as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.change_result
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	s capforecast._subscription_row := capforecast._subscription(vendor, false);
BEGIN
	PERFORM capforecast._require_no_request(s.stripe_subscription_id);
	RETURN capforecast._plan_cancellation(s, timing, capforecast._instant(as_of));
END
$$;
COMMENT ON FUNCTION capforecast.quote_cancellation(text, text, timestamptz) IS
	'What cancel_subscription() would do, and when; nothing is written. Errors: P0002 unknown_vendor; 22023 bad_argument; 55000 not_live, change_in_flight.';

-- What is pending is owed to the end: it is on a last draft, as upcoming_invoice() has shown it.
CREATE FUNCTION capforecast._cancel_at_once(as_of timestamptz, s capforecast._subscription_row, reason text)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
BEGIN
	PERFORM capforecast._draft(as_of, ARRAY[s.subscription_id], format('SELECT s.*, %L::timestamptz AS starts, NULL::timestamptz AS ends, false AS renews,
			st.credit_cents, 1 AS periods
		FROM ', as_of) || capforecast._subscriptions_sql() || ' s JOIN capforecast.subscription_state st USING (subscription_id)
		WHERE s.id = ANY (@key)');
	PERFORM capforecast._end_subscriptions(as_of, ARRAY[s.subscription_id], 'cancelled', '$1', coalesce(reason, 'cancel_subscription'));
END
$$;
COMMENT ON FUNCTION capforecast._cancel_at_once(timestamptz, capforecast._subscription_row, text) IS 'End a locally billed subscription now.';

CREATE FUNCTION capforecast._set_cancel_at_period_end(as_of timestamptz, s capforecast._subscription_row, cancels boolean, reason text)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
	IF capforecast._host_column('vendor_subscriptions', 'cancel_at_period_end') IS NULL THEN
		PERFORM capforecast._fail('42703', 'no_column', 'the table of subscriptions has no column "cancel_at_period_end"',
			'Without it a cancellation cannot wait for the end of the period.', 'Bind one with bind(), or cancel at once: timing => ''immediate''.');
	END IF;
	EXECUTE capforecast._keyed_sql('UPDATE {vendor_subscriptions} h SET ' || capforecast._host_set('vendor_subscriptions',
			'cancel_at_period_end', '$1', 'cancellation_reason', '$2', 'updated_at', '$3') || '
		WHERE {h:vendor_subscriptions.id} = @key', s.subscription_id) USING cancels, CASE WHEN cancels THEN reason END, as_of;
	IF cancels THEN
		UPDATE capforecast.subscription_state x SET pending_tier = NULL, pending_annual = NULL, pending_at = NULL, pending_requested_at = NULL
		WHERE x.subscription_id = s.subscription_id;
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._set_cancel_at_period_end(timestamptz, capforecast._subscription_row, boolean, text) IS
	'Note on the host''s row that a subscription ends with its period, or that it goes on.';

CREATE FUNCTION capforecast.cancel_subscription(vendor text, timing text DEFAULT 'period_end', reason text DEFAULT NULL,
		idempotency_key text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.change_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._now(as_of);
	request constant jsonb := jsonb_build_object('timing', timing, 'reason', reason);
	s capforecast._subscription_row := capforecast._subscription(vendor, true);
	earlier jsonb := capforecast._replay('cancel_subscription', s.vendor_id, idempotency_key, request);
	plan capforecast.change_result;
	ordered record;
BEGIN
	IF earlier IS NOT NULL THEN
		RETURN jsonb_populate_record(NULL::capforecast.change_result, earlier);
	END IF;
	plan := capforecast._plan_cancellation(s, timing, now);
	PERFORM capforecast._see(now, ARRAY[s.subscription_id]);
	IF s.stripe_subscription_id IS NOT NULL THEN
		SELECT * INTO ordered FROM capforecast._order(s, 'cancel_subscription',
			CASE timing WHEN 'immediate' THEN '{"cancelled": true}' ELSE '{"cancel_at_period_end": true}'::jsonb END,
			jsonb_strip_nulls(jsonb_build_object('reason', reason)), 'immediate', plan.effective_at, idempotency_key);
		plan.outbox_id := ordered.outbox_id;
		plan.notes := plan.notes || CASE WHEN ordered.withdrawn THEN '{request_replaced}' ELSE '{}'::text[] END;
		plan.action := CASE WHEN plan.outbox_id IS NULL THEN 'noop' WHEN timing = 'immediate' THEN 'cancel' ELSE 'cancel_scheduled' END;
	ELSIF plan.action = 'cancel' THEN
		PERFORM capforecast._cancel_at_once(now, s, reason);
	ELSIF plan.action = 'cancel_scheduled' THEN
		PERFORM capforecast._set_cancel_at_period_end(now, s, true, reason);
	END IF;
	IF plan.action <> 'noop' AND (plan.action <> 'cancel' OR plan.outbox_id IS NOT NULL) THEN	-- an ending is audited where it is written
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason, idempotency_key)
		VALUES ('cancel_subscription', s.vendor_id, s.subscription_id, jsonb_build_object('cancel_at_period_end', s.cancel_at_period_end),
			jsonb_build_object('timing', timing, 'effective_at', plan.effective_at, 'outbox_id', plan.outbox_id), reason, idempotency_key);
	END IF;
	PERFORM capforecast._remember('cancel_subscription', s.vendor_id, idempotency_key, request, to_jsonb(plan));
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast.cancel_subscription(text, text, text, text, timestamptz) IS
	'Cancel a vendor''s subscription: at the end of the period or of the trial (access stays until then, resume_subscription() takes it back), or at once: add-ons end with it, what is pending goes on a last draft, and nothing is given back for the time that is left. A change of tier that was to come is cleared. Where Stripe manages the subscription it is asked for in stripe_outbox. action: cancel_scheduled, cancel or noop. Errors: P0002 unknown_vendor; 22023 bad_argument, idempotency_key_mismatch; 42703 no_column; 55000 not_live, change_in_flight.';

CREATE FUNCTION capforecast.resume_subscription(vendor text, idempotency_key text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.change_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._now(as_of);
	s capforecast._subscription_row := capforecast._subscription(vendor, true);
	earlier jsonb := capforecast._replay('resume_subscription', s.vendor_id, idempotency_key, '{}');
	ends timestamptz := CASE WHEN s.status = 'trial' THEN coalesce(s.trial_ends_at, s.period_end) ELSE s.period_end END;
	plan capforecast.change_result := ROW('resume', now, '[]', 0, (SELECT t.currency FROM capforecast.get_tier_info(s.tier) t), '[]', NULL,
		s.stripe_subscription_id IS NOT NULL, '{}');
	ordered record;
BEGIN
	IF earlier IS NOT NULL THEN
		RETURN jsonb_populate_record(NULL::capforecast.change_result, earlier);
	ELSIF s.status IN ('cancelled', 'expired') OR (s.cancel_at_period_end AND s.stripe_subscription_id IS NULL AND ends <= now) THEN
		PERFORM capforecast._fail('55000', 'already_ended', format('subscription %s has ended', s.subscription_id),
			format('It ended at %s.', to_char(coalesce(s.cancelled_at, ends) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')), 'The vendor needs another one.');
	END IF;
	PERFORM capforecast._require_live(s);
	PERFORM capforecast._see(now, ARRAY[s.subscription_id]);
	IF s.stripe_subscription_id IS NOT NULL THEN
		SELECT * INTO ordered FROM capforecast._order(s, 'resume_subscription', '{"cancel_at_period_end": false}', '{}', 'immediate', now, idempotency_key);
		plan.outbox_id := ordered.outbox_id;
		plan.notes := CASE WHEN ordered.withdrawn THEN '{request_replaced}' ELSE '{}' END;
		plan.action := CASE WHEN plan.outbox_id IS NULL AND NOT ordered.withdrawn THEN 'noop' ELSE 'resume' END;
	ELSIF s.cancel_at_period_end THEN
		PERFORM capforecast._set_cancel_at_period_end(now, s, false, NULL);
	ELSE
		plan.action := 'noop';
	END IF;
	IF plan.action <> 'noop' THEN
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, idempotency_key)
		VALUES ('resume_subscription', s.vendor_id, s.subscription_id, jsonb_build_object('cancel_at_period_end', s.cancel_at_period_end),
			jsonb_build_object('cancel_at_period_end', false, 'outbox_id', plan.outbox_id), idempotency_key);
	END IF;
	PERFORM capforecast._remember('resume_subscription', s.vendor_id, idempotency_key, '{}', to_jsonb(plan));
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast.resume_subscription(text, text, timestamptz) IS
	'Take back a cancellation that has not taken effect yet. A change of tier that it cleared is to be asked for again. Where Stripe manages the subscription it is asked for in stripe_outbox, unless the cancellation had not been handed out: then it is withdrawn. action: resume or noop. Errors: P0002 unknown_vendor; 22023 idempotency_key_mismatch; 42703 no_column; 55000 already_ended, not_live, change_in_flight.';
