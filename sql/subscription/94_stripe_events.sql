-- What comes from Stripe (webhook events) and what goes to it (the outbox).

CREATE FUNCTION capforecast._stripe_signature(body bytea, signature text, as_of timestamptz)
	RETURNS text LANGUAGE C STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'capforecast_stripe_signature';
COMMENT ON FUNCTION capforecast._stripe_signature(bytea, text, timestamptz) IS
	'NULL: the header signs the body with one of the stored secrets; else no_v1, signature_mismatch or timestamp_outside_tolerance. Runs as its owner, who alone can read the secrets.';

CREATE FUNCTION capforecast._read_stripe_event(body bytea)
	RETURNS jsonb LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	event jsonb;
BEGIN
	BEGIN
		event := convert_from(body, 'UTF8')::jsonb;
	EXCEPTION WHEN data_exception THEN
		event := NULL;		-- its text is not repeated in an error: it is a customer's data
	END;
	IF jsonb_typeof(event) IS DISTINCT FROM 'object' OR jsonb_typeof(event -> 'id') IS DISTINCT FROM 'string'
	   OR jsonb_typeof(event -> 'type') IS DISTINCT FROM 'string' OR jsonb_typeof(event -> 'created') IS DISTINCT FROM 'number' THEN
		PERFORM capforecast._fail('22023', 'bad_body', 'the body is not an event of Stripe', 'It is not JSON, or has no id, type or created.',
			'Pass the body as it was received.');
	END IF;
	RETURN event;
END
$$;
COMMENT ON FUNCTION capforecast._read_stripe_event(bytea) IS 'The body of a webhook as a document; 22023 where it is not an event.';

CREATE FUNCTION capforecast._lock_by_stripe(stripe_id text, customer text)
	RETURNS text[] LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
DECLARE
	ids text[];
BEGIN
	EXECUTE capforecast._host_sql('SELECT array_agg(l.id) FROM (SELECT {s:vendor_subscriptions.id}::text AS id FROM {vendor_subscriptions} s
		WHERE {s:vendor_subscriptions.stripe_subscription_id} = $1
		   OR ({s:vendor_subscriptions.stripe_subscription_id} IS NULL AND {s:vendor_subscriptions.stripe_customer_id} = $2)
		ORDER BY {s:vendor_subscriptions.id} FOR UPDATE) l') INTO ids USING stripe_id, customer;
	RETURN ids;
END
$$;
COMMENT ON FUNCTION capforecast._lock_by_stripe(text, text) IS 'Lock the subscriptions that an object of Stripe is about; NULL: none.';

CREATE FUNCTION capforecast.ingest_stripe_event(body bytea, signature text, as_of timestamptz DEFAULT NULL,
		OUT event_id text, OUT outcome text)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
#variable_conflict use_column
DECLARE
	now timestamptz := capforecast._now(as_of);
	verdict text := CASE WHEN body IS NULL OR signature IS NULL THEN 'no_v1' ELSE capforecast._stripe_signature(body, signature, now) END;
	event jsonb;
	object jsonb;
	ids text[];
BEGIN
	IF verdict IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = '28000', MESSAGE = 'the signature of the webhook is not valid', DETAIL = verdict,
			HINT = 'Pass the body as it was received and the Stripe-Signature header, and check that the endpoint''s secret is stored.';
	END IF;
	event := capforecast._read_stripe_event(body);
	object := event #> '{data,object}';
	event_id := event ->> 'id';
	outcome := CASE WHEN event ->> 'type' NOT LIKE 'customer.subscription.%'
		OR (event ->> 'livemode')::boolean <> capforecast._setting('stripe_livemode')::boolean
		OR event ->> 'account' <> nullif(capforecast._setting('stripe_account'), '') OR jsonb_typeof(object -> 'id') IS DISTINCT FROM 'string'
		THEN 'ignored' ELSE 'accepted' END;
	INSERT INTO capforecast.stripe_event AS e (event_id, event_type, object_id, customer_id, livemode, account_id, created, payload,
		body_sha256, received_at, outcome)
	VALUES (event ->> 'id', event ->> 'type', object ->> 'id', object ->> 'customer', (event ->> 'livemode')::boolean, event ->> 'account',
		capforecast._stripe_time(event ->> 'created'), event, sha256(body), now, ingest_stripe_event.outcome)
	ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		outcome := (SELECT CASE WHEN e.body_sha256 = sha256(body) THEN 'duplicate' ELSE 'rejected' END FROM capforecast.stripe_event e
			WHERE e.event_id = event ->> 'id');
		IF ingest_stripe_event.outcome = 'rejected' THEN
			PERFORM capforecast._report('{}', jsonb_build_array(
				jsonb_build_object('code', 'event_id_reuse', 'subject', 'event ' || (event ->> 'id'))), now);
		END IF;
		RETURN;
	ELSIF ingest_stripe_event.outcome = 'ignored' OR capforecast._stripe_relation('subscriptions') IS NOT NULL THEN
		RETURN;
	END IF;
	ids := capforecast._lock_by_stripe(object ->> 'id', object ->> 'customer');
	IF ids IS NULL THEN
		outcome := 'stored_unresolved';
	ELSE
		PERFORM capforecast._stripe_apply(now, ids, '{}');
	END IF;
	UPDATE capforecast.stripe_event e SET outcome = ingest_stripe_event.outcome, applied_at = CASE WHEN ids IS NOT NULL THEN now END
	WHERE e.event_id = event ->> 'id';
END
$$;
COMMENT ON FUNCTION capforecast.ingest_stripe_event(bytea, text, timestamptz) IS
	'Take in a webhook event: body as it was received, and the Stripe-Signature header. outcome: accepted, duplicate, rejected (an id that came with another body), ignored (not about a subscription, or another mode or account), stored_unresolved (its subscription is not known yet). Where a mirror of Stripe is bound events are kept, and the mirror is what counts. Errors: 28000 with signature_mismatch, no_v1 or timestamp_outside_tolerance as its detail (nothing is stored), 22023 for a body that is no event, 55000 where no secret is stored.';

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

CREATE FUNCTION capforecast.settle_outbox(id bigint, ok boolean, result jsonb DEFAULT NULL)
	RETURNS text LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
#variable_conflict use_column
DECLARE
	o capforecast.stripe_outbox;
	held record;
	s capforecast._subscription_row;
BEGIN
	IF ok IS NULL THEN
		PERFORM capforecast._fail('22023', 'bad_argument', 'ok must be true or false', 'It is NULL.', 'Settle the row when Stripe has answered.');
	END IF;
	SELECT * INTO o FROM capforecast.stripe_outbox x WHERE x.id = settle_outbox.id;
	IF o.id IS NULL THEN
		PERFORM capforecast._fail('P0002', 'unknown_request', format('stripe_outbox has no row %s', settle_outbox.id), 'It does not exist.',
			'Pass the id of the row that was sent.');
	END IF;
	s := capforecast._subscription(o.vendor_id, true);
	SELECT * INTO o FROM capforecast.stripe_outbox x WHERE x.id = settle_outbox.id FOR UPDATE;
	IF o.status IN ('confirmed', 'cancelled') OR (ok AND o.status IN ('sent', 'scheduled')) THEN
		RETURN o.status;	-- Stripe's own data was faster, or the answer came twice
	ELSIF o.status = 'failed' THEN
		IF NOT ok THEN
			RETURN o.status;
		END IF;
		PERFORM capforecast._fail('55000', 'settled', format('row %s of stripe_outbox was settled as failed', o.id),
			'It cannot succeed any more.', 'Make the request again.');
	END IF;
	UPDATE capforecast.stripe_outbox x
	SET status = CASE WHEN NOT ok THEN 'failed' WHEN o.payload ->> 'timing' = 'period_end' THEN 'scheduled' ELSE 'sent' END,
		result = settle_outbox.result, settled_at = clock_timestamp()
	WHERE x.id = o.id RETURNING * INTO o;
	IF NOT ok AND o.operation = 'purchase_addon' THEN
		SELECT * INTO held FROM capforecast._addons_of(o.vendor_id, o.payload ->> 'addon') a WHERE a.status = 'pending';
		IF FOUND THEN
			PERFORM capforecast._write_addon(s, held.id, held.code, 'cancelled', held.quantity, held.unit_price, clock_timestamp());
			INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
			VALUES ('settle_outbox', s.vendor_id, s.subscription_id, jsonb_build_object('addon', held.code, 'status', 'pending'),
				'{"status": "cancelled"}', 'failed');
		END IF;
	END IF;
	RETURN o.status;
END
$$;
COMMENT ON FUNCTION capforecast.settle_outbox(bigint, boolean, jsonb) IS
	'The application''s answer for a row of stripe_outbox: ok false makes it failed, with the result; ok true sent, or scheduled for a change at the end of the period. confirmed follows when Stripe''s own data shows the change. Returns the status. Errors: P0002 unknown_request, 55000 settled.';

-- The host's row of a tier follows from Stripe's data by itself; that of an add-on is
-- written here, when the item has the quantity that was asked for.
CREATE FUNCTION capforecast._confirm_outbox(as_of timestamptz, subscription_id text, items jsonb)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	o capforecast.stripe_outbox;
	held record;
	item jsonb;
	wanted bigint;
	shown bigint;
	s capforecast._subscription_row;
BEGIN
	FOR o IN SELECT * FROM capforecast.stripe_outbox x WHERE x.subscription_id = _confirm_outbox.subscription_id
			AND x.status IN ('pending', 'sent', 'scheduled') ORDER BY x.id FOR UPDATE LOOP
		item := (SELECT i FROM jsonb_array_elements(items) i WHERE i ->> 'price' = o.payload ->> 'price' LIMIT 1);
		shown := coalesce((item ->> 'quantity')::bigint, 0);
		wanted := coalesce((o.payload ->> 'quantity')::bigint, shown);
		CONTINUE WHEN shown <> wanted OR (item IS NULL AND o.operation <> 'cancel_addon');
		UPDATE capforecast.stripe_outbox x SET status = 'confirmed', settled_at = as_of WHERE x.id = o.id;
		CONTINUE WHEN o.operation = 'change_tier';
		s := capforecast._subscription(o.vendor_id, false);
		SELECT * INTO held FROM capforecast._addons_of(o.vendor_id, o.payload ->> 'addon');
		CONTINUE WHEN held.id IS NULL;
		PERFORM capforecast._write_addon(s, held.id, held.code, CASE WHEN wanted = 0 THEN 'cancelled' ELSE 'active' END,
			CASE WHEN wanted = 0 THEN held.quantity ELSE wanted END, held.unit_price, as_of, item ->> 'id');
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
		VALUES (o.operation, o.vendor_id, o.subscription_id, jsonb_build_object('addon', held.code, 'quantity', held.quantity, 'status', held.status),
			jsonb_build_object('addon', held.code, 'quantity', wanted), 'confirmed');
	END LOOP;
END
$$;
COMMENT ON FUNCTION capforecast._confirm_outbox(timestamptz, text, jsonb) IS 'Confirm the requests that Stripe''s data shows, and write the add-ons that they were for.';
