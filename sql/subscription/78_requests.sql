-- What the operator wants of Stripe: the rows of stripe_outbox.
--
-- A request says what is to be, not what is to be added: "wanted" is what Stripe's data
-- must show, and the payload is the whole set of items that follows from it and from the
-- items as they are known.  Of a subscription one request is open at a time: until it is
-- handed out a later change is merged into a new one that takes its place, afterwards it
-- has to wait.

-- Changing a tier.  One routine plans the change, for the preview and for the real
-- thing; another writes what was planned.

CREATE TYPE capforecast.change_result AS (
	action text, effective_at timestamptz, lines jsonb, net_cents bigint, currency text, over_limit jsonb,
	outbox_id bigint, estimate boolean, notes text[]);
COMMENT ON TYPE capforecast.change_result IS
	'What a change of tier or add-on, a cancellation or a resumption does: action (upgrade, downgrade, noop, pending_cancelled, purchase, cancel, reduce, cancel_scheduled, resume), when it takes effect, prorated lines and their sum in minor units (below 0: credit), resources whose use is above the limits that follow, the outbox row where Stripe must do it (then the lines are an estimate), and notes on what else it does.';

-- One time purchases add up; of everything else the later word counts.
CREATE FUNCTION capforecast._merge_wanted(earlier jsonb, later jsonb)
	RETURNS jsonb LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_strip_nulls(earlier || later || jsonb_build_object(
		'addons', CASE WHEN earlier ? 'addons' OR later ? 'addons' THEN coalesce(earlier -> 'addons', '{}') || coalesce(later -> 'addons', '{}') END,
		'one_time', (SELECT jsonb_object_agg(o.price, o.quantity)
			FROM (SELECT x.key AS price, sum(x.value::text::bigint) AS quantity
				  FROM (SELECT * FROM jsonb_each(earlier -> 'one_time') UNION ALL SELECT * FROM jsonb_each(later -> 'one_time')) x
				  GROUP BY 1 HAVING sum(x.value::text::bigint) > 0) o)))
$$;
COMMENT ON FUNCTION capforecast._merge_wanted(jsonb, jsonb) IS 'What is wanted after a later request.';

-- Without what Stripe's data already shows; "{}": nothing.
CREATE FUNCTION capforecast._wanted_left(wanted jsonb, items jsonb, cancels boolean)
	RETURNS jsonb LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_strip_nulls(wanted || jsonb_build_object(
		'plan', CASE WHEN NOT EXISTS (SELECT FROM jsonb_array_elements(items) i WHERE i -> 'price' = wanted -> 'plan') THEN wanted -> 'plan' END,
		'addons', (SELECT jsonb_object_agg(a.key, a.value) FROM jsonb_each(wanted -> 'addons') a
			WHERE a.value::text::bigint <> (SELECT coalesce(sum((i ->> 'quantity')::bigint), 0) FROM jsonb_array_elements(items) i WHERE i ->> 'price' = a.key)),
		'cancel_at_period_end', CASE WHEN wanted -> 'cancel_at_period_end' IS DISTINCT FROM to_jsonb(cancels) THEN wanted -> 'cancel_at_period_end' END))
$$;
COMMENT ON FUNCTION capforecast._wanted_left(jsonb, jsonb, boolean) IS 'What of it the items and the flag of a subscription do not show yet.';

-- The item of the plan has the price of a tier; there must be exactly one.
CREATE FUNCTION capforecast._plan_item(items jsonb)
	RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
DECLARE
	ids text[];
BEGIN
	EXECUTE capforecast._host_sql('SELECT array_agg(DISTINCT i ->> ''id'') FROM jsonb_array_elements($1) i
		JOIN ' || capforecast._tiers_sql() || ' t ON i ->> ''price'' IN (t.stripe_monthly, t.stripe_annual)') INTO ids USING items;
	RETURN CASE WHEN cardinality(ids) = 1 THEN ids[1] END;
END
$$;
COMMENT ON FUNCTION capforecast._plan_item(jsonb) IS 'Id of the item that has a tier''s price; NULL where there is none, or several.';

-- All items as they are to be: an item without its id would be added beside the old one, and
-- one without its quantity set to 1.
CREATE FUNCTION capforecast._wanted_items(wanted jsonb, items jsonb, plan_item text)
	RETURNS jsonb LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_agg(jsonb_strip_nulls(x.item) ORDER BY x.item ->> 'id' IS DISTINCT FROM plan_item, x.item ->> 'id', x.item ->> 'price')
	FROM (
		SELECT CASE WHEN i ->> 'id' = plan_item AND wanted ? 'plan'
				THEN jsonb_build_object('id', i -> 'id', 'price', wanted -> 'plan', 'quantity', i -> 'quantity')
			WHEN wanted #> ARRAY['addons', i ->> 'price'] = '0'
				THEN jsonb_build_object('id', i -> 'id', 'price', i -> 'price', 'deleted', true)
			ELSE jsonb_build_object('id', i -> 'id', 'price', i -> 'price',
				'quantity', coalesce(wanted #> ARRAY['addons', i ->> 'price'], i -> 'quantity')) END
		FROM jsonb_array_elements(items) i
		UNION ALL
		SELECT jsonb_build_object('price', a.key, 'quantity', a.value) FROM jsonb_each(wanted -> 'addons') a
		WHERE a.value <> '0' AND NOT EXISTS (SELECT FROM jsonb_array_elements(items) i WHERE i ->> 'price' = a.key)
	) x(item)
$$;
COMMENT ON FUNCTION capforecast._wanted_items(jsonb, jsonb, text) IS 'The whole set of items that is to be, with the ids of those that are.';

CREATE FUNCTION capforecast._request_payload(stripe_id text, wanted jsonb, items jsonb, timing text, details jsonb)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('subscription', stripe_id, 'timing', timing,
		'items', CASE WHEN wanted ?| '{plan,addons}' THEN capforecast._wanted_items(wanted, items, capforecast._plan_item(items)) END,
		'invoice_items', (SELECT jsonb_agg(jsonb_build_object('price', o.key, 'quantity', o.value)) FROM jsonb_each(wanted -> 'one_time') o),
		'cancel_at_period_end', wanted -> 'cancel_at_period_end', 'cancel', wanted -> 'cancelled', 'release_schedule', wanted -> 'release',
		'payment_behavior', CASE WHEN wanted ?| '{plan,addons,one_time}' THEN 'pending_if_incomplete' END)) || details
$$;
COMMENT ON FUNCTION capforecast._request_payload(text, jsonb, jsonb, text, jsonb) IS 'What the application is to send.';

CREATE FUNCTION capforecast._open_request(stripe_id text)
	RETURNS capforecast.stripe_outbox LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT o FROM capforecast.stripe_outbox o WHERE o.payload ->> 'subscription' = stripe_id AND o.status IN ('pending', 'taken', 'sent')
$$;
COMMENT ON FUNCTION capforecast._open_request(text) IS 'The one request of a subscription that Stripe has not confirmed; a row of NULLs where there is none.';

CREATE FUNCTION capforecast._refuse_in_flight(o capforecast.stripe_outbox)
	RETURNS void LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT capforecast._fail('55000', 'change_in_flight', 'another change of this subscription is on its way to Stripe',
		format('Row %s of stripe_outbox: %s of %s, %s.', o.id, o.operation, to_char(o.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), o.status),
		'Wait until Stripe has confirmed it, or settle it as failed.')
$$;
COMMENT ON FUNCTION capforecast._refuse_in_flight(capforecast.stripe_outbox) IS '55000 change_in_flight, with what is in flight.';

-- For quotes, which must refuse what the deed would refuse.
CREATE FUNCTION capforecast._require_no_request(stripe_id text)
	RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	o capforecast.stripe_outbox := capforecast._open_request(stripe_id);
BEGIN
	IF o.status <> 'pending' THEN
		PERFORM capforecast._refuse_in_flight(o);
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._require_no_request(text) IS '55000 change_in_flight where a request was handed out and is not confirmed.';

CREATE FUNCTION capforecast._quoted(vendor text, as_of timestamptz)
	RETURNS capforecast._standing LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	v capforecast._standing := capforecast._look(vendor, as_of);
BEGIN
	IF v IS NULL THEN
		PERFORM capforecast._no_subscription(vendor);
	END IF;
	PERFORM capforecast._require_no_request((v.s).stripe_subscription_id);
	RETURN v;
END
$$;
COMMENT ON FUNCTION capforecast._quoted(text, timestamptz) IS 'Where the subscription stands that a quote is asked for. P0002 unknown_vendor, 55000 change_in_flight.';

CREATE FUNCTION capforecast._known_items(stripe_id text, OUT items jsonb, OUT cancels boolean, OUT version timestamptz, OUT event_id text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
	SELECT x.items, coalesce(capforecast._stripe_flag(x.object -> 'cancel_at_period_end') OR x.object ->> 'cancel_at' IS NOT NULL, false), x.version, x.event_id
	INTO items, cancels, version, event_id
	FROM capforecast._stripe_source(ARRAY[stripe_id]) x WHERE x.stripe_id = _known_items.stripe_id;
	items := coalesce(items, '[]');
END
$$;
COMMENT ON FUNCTION capforecast._known_items(text) IS 'The items of a subscription as Stripe has told them, whether it is to end with its period, and the version of that.';

CREATE FUNCTION capforecast._require_items(stripe_id text, items jsonb, wanted jsonb)
	RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF wanted ?| '{plan,addons,one_time}' AND (items = '[]' OR items @? '$[*] ? (@.id == null || @.price == null)') THEN
		PERFORM capforecast._fail('55000', 'items_unknown', format('the items of subscription %s are not known', stripe_id),
			'A request without their ids would add items instead of changing them.',
			'Let the mirror or a webhook event bring them, run the job sync_stripe_status, and ask again.');
	ELSIF wanted ? 'plan' AND capforecast._plan_item(items) IS NULL THEN
		PERFORM capforecast._fail('55000', 'items_unknown', format('subscription %s has not one item with the price of a tier', stripe_id),
			'Which item to change cannot be told.', 'Set the prices'' ids in the table of tiers, or put the items right at Stripe.');
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._require_items(text, jsonb, jsonb) IS '55000 items_unknown unless the items are known that a request is to change.';

CREATE FUNCTION capforecast._drop_pending_addons(o capforecast.stripe_outbox)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	prices text[] := ARRAY(SELECT jsonb_object_keys(coalesce(o.wanted -> 'addons', '{}') || coalesce(o.wanted -> 'one_time', '{}')));
BEGIN
	IF cardinality(prices) = 0 OR NOT capforecast._host_has('vendor_addons') THEN
		RETURN;
	END IF;
	EXECUTE capforecast._keyed_sql($sql$
		WITH dropped AS (
			UPDATE {vendor_addons} h SET $sql$ || capforecast._host_set('vendor_addons', 'status', '''cancelled''', 'cancelled_at', '$2',
				'updated_at', '$2') || $sql$
			FROM $sql$ || capforecast._addon_products_sql() || $sql$ p
			WHERE {h:vendor_addons.vendor_id} = @key AND {h:vendor_addons.status} = 'pending'
			  AND p.id = {h:vendor_addons.addon_product_id} AND p.stripe_price = ANY ($1)
			RETURNING p.code
		)
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
		SELECT 'settle_outbox', $3, $4, jsonb_build_object('addon', d.code, 'status', 'pending'), '{"status": "cancelled"}', 'failed' FROM dropped d$sql$,
		o.vendor_id)
	USING prices, clock_timestamp(), o.vendor_id, o.subscription_id;
END
$$;
COMMENT ON FUNCTION capforecast._drop_pending_addons(capforecast.stripe_outbox) IS 'Cancel the add-ons that waited for a request of which nothing comes.';

-- A scheduled change stands until its date; whatever is asked for meanwhile releases it
-- first.  What of it was not overridden is asked for again when the release is confirmed.
CREATE FUNCTION capforecast._order(s capforecast._subscription_row, INOUT plan capforecast.change_result, operation text, wanted jsonb,
		details jsonb, timing text, idempotency_key text, OUT withdrawn boolean)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	known record;
	waiting capforecast.stripe_outbox := capforecast._open_request(s.stripe_subscription_id);
	scheduled capforecast.stripe_outbox;
	merged jsonb := capforecast._merge_wanted('{}', wanted);
	overridden jsonb := '{}';
	released jsonb := '{}';
	free boolean;
	clears boolean;
BEGIN
	SELECT * INTO known FROM capforecast._known_items(s.stripe_subscription_id);
	PERFORM capforecast._require_items(s.stripe_subscription_id, known.items, wanted);
	withdrawn := false;
	IF waiting.id IS NOT NULL THEN
		IF waiting.wanted @> wanted AND NOT wanted ? 'one_time' AND waiting.payload ->> 'timing' = timing THEN
			plan.outbox_id := waiting.id;
			RETURN;
		END IF;
		-- who is about to hand it out holds its lock
		PERFORM FROM capforecast.stripe_outbox o WHERE o.id = waiting.id AND o.status = 'pending' FOR UPDATE SKIP LOCKED;
		free := FOUND;
		clears := wanted ? 'cancelled' OR wanted -> 'cancel_at_period_end' = 'true' AND waiting.payload ->> 'timing' = 'period_end';
		merged := capforecast._merge_wanted(CASE WHEN clears THEN '{}' ELSE waiting.wanted - 'release' END, wanted);
		IF NOT free OR (waiting.payload ->> 'timing' <> timing AND merged <> capforecast._merge_wanted('{}', wanted)) THEN
			PERFORM capforecast._refuse_in_flight(waiting);
		ELSIF clears THEN
			PERFORM capforecast._drop_pending_addons(waiting);
		END IF;
		UPDATE capforecast.stripe_outbox o SET status = 'cancelled', settled_at = clock_timestamp(), result = '{"reason": "replaced"}'
		WHERE o.id = waiting.id;
		withdrawn := true;
		plan.notes := plan.notes || 'request_replaced'::text;
	END IF;
	SELECT * INTO scheduled FROM capforecast.stripe_outbox o
	WHERE o.payload ->> 'subscription' = s.stripe_subscription_id AND o.status = 'scheduled' ORDER BY o.id DESC LIMIT 1;
	IF scheduled.wanted = wanted AND timing = 'period_end' THEN
		plan.outbox_id := scheduled.id;
		RETURN;
	END IF;
	IF scheduled.id IS NOT NULL AND timing = 'period_end' THEN
		merged := capforecast._merge_wanted(scheduled.wanted - 'release', merged);		-- Stripe keeps one schedule
	END IF;
	merged := capforecast._wanted_left(merged, known.items, known.cancels);
	IF scheduled.id IS NOT NULL THEN
		overridden := jsonb_strip_nulls(jsonb_build_object('plan', CASE WHEN scheduled.wanted ? 'plan' THEN wanted -> 'plan' END,
			'addons', (SELECT jsonb_object_agg(a.key, a.value) FROM jsonb_each(wanted -> 'addons') a WHERE scheduled.wanted -> 'addons' ? a.key)));
		IF merged = '{}' AND overridden <> '{}' THEN
			_order.operation := 'release_schedule';
			_order.timing := 'immediate';
			_order.details := '{}';
		END IF;
		IF merged <> '{}' OR overridden <> '{}' THEN
			released := jsonb_build_object('release', coalesce(scheduled.result -> 'schedule', 'true'));
		END IF;
	END IF;
	merged := merged || released;
	IF merged = '{}' THEN
		RETURN;		-- as Stripe has it already, or has it again now that the request is withdrawn
	END IF;
	PERFORM capforecast._require_items(s.stripe_subscription_id, known.items, merged);
	INSERT INTO capforecast.stripe_outbox AS o (vendor_id, subscription_id, operation, payload, idempotency_key, wanted, known_version, known_event)
	VALUES (s.vendor_id, s.subscription_id, operation, capforecast._request_payload(s.stripe_subscription_id, merged, known.items, timing,
			details || jsonb_build_object('proration_date', extract(epoch FROM plan.effective_at)::bigint)),
		concat_ws(':', operation, s.vendor_id, coalesce(idempotency_key, gen_random_uuid()::text)),
		capforecast._merge_wanted(overridden, merged), known.version, known.event_id)
	RETURNING o.id INTO plan.outbox_id;
END
$$;
COMMENT ON FUNCTION capforecast._order(capforecast._subscription_row, capforecast.change_result, text, jsonb, jsonb, text, text) IS
	'Ask Stripe for what is wanted, and say so in the plan. outbox_id NULL: there is nothing to ask; withdrawn: a request that had not been handed out was taken back or replaced. Called under the lock of the subscription.';

-- scheduled: at the end of the period; else at once, however late it is.
CREATE FUNCTION capforecast._order_change(s capforecast._subscription_row, plan capforecast.change_result, target capforecast.tier_info,
	annual boolean, scheduled boolean, proration text, idempotency_key text)
	RETURNS capforecast.change_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	price text;
	wanted jsonb;
	ordered record;
BEGIN
	EXECUTE capforecast._host_sql('SELECT CASE WHEN $2 THEN t.stripe_annual ELSE t.stripe_monthly END
		FROM ' || capforecast._tiers_sql() || ' t WHERE t.code = $1') INTO price USING target.code, annual;
	IF price IS NULL THEN
		PERFORM capforecast._fail('P0002', 'no_price', format('tier "%s" has no price of Stripe', target.code),
			'The table of tiers has no price id for it.', 'Set it there.');
	END IF;
	wanted := jsonb_build_object('plan', price)
		|| CASE WHEN 'cancellation_cleared' = ANY (plan.notes) THEN '{"cancel_at_period_end": false}' ELSE '{}'::jsonb END;
	SELECT * INTO ordered FROM capforecast._order(s, plan, 'change_tier', wanted, jsonb_build_object('price', price)
			|| CASE proration WHEN 'none' THEN '{"proration_behavior": "none"}' ELSE '{}'::jsonb END,
		CASE WHEN scheduled AND plan.action <> 'noop' THEN 'period_end' ELSE 'immediate' END, idempotency_key);
	plan := ordered.plan;
	IF plan.action = 'noop' AND (ordered.withdrawn OR plan.outbox_id IS NOT NULL) THEN
		plan.action := 'pending_cancelled';
	END IF;
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast._order_change(capforecast._subscription_row, capforecast.change_result, capforecast.tier_info, boolean, boolean, text, text) IS
	'Ask Stripe for a change of tier, or take back one that it has not made yet.';

-- quantity: what there is to be; of a one time purchase what is bought (below 0: no more).
CREATE FUNCTION capforecast._order_addon(s capforecast._subscription_row, plan capforecast.change_result, operation text, addon text, quantity bigint,
		stripe_price text, billing_period text, timing text, idempotency_key text)
	RETURNS capforecast.change_result LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
	IF stripe_price IS NULL THEN
		PERFORM capforecast._fail('P0002', 'no_price', format('add-on "%s" has no price of Stripe', addon),
			'The table of add-ons has no price id for it.', 'Set it there.');
	END IF;
	RETURN (capforecast._order(s, plan, operation,
		jsonb_build_object(CASE billing_period WHEN 'one_time' THEN 'one_time' ELSE 'addons' END, jsonb_build_object(stripe_price, quantity)),
		jsonb_build_object('addon', addon, 'price', stripe_price, 'quantity', quantity), timing, idempotency_key)).plan;
END
$$;
COMMENT ON FUNCTION capforecast._order_addon(capforecast._subscription_row, capforecast.change_result, text, text, bigint, text, text, text, text) IS
	'Ask Stripe for a quantity of an add-on.';

-- The host's row says what Stripe last told; what is on its way may say otherwise, so that
-- whether there is anything to do is for the outbox to tell.
CREATE FUNCTION capforecast._order_cancellation(s capforecast._subscription_row, plan capforecast.change_result, cancels boolean, timing text, reason text,
		idempotency_key text)
	RETURNS capforecast.change_result LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	ordered record;
BEGIN
	SELECT * INTO ordered FROM capforecast._order(s, plan, CASE WHEN cancels THEN 'cancel_subscription' ELSE 'resume_subscription' END,
		CASE WHEN timing = 'immediate' THEN '{"cancelled": true}' ELSE jsonb_build_object('cancel_at_period_end', cancels) END,
		jsonb_strip_nulls(jsonb_build_object('reason', reason)), 'immediate', idempotency_key);
	plan := ordered.plan;
	plan.action := CASE WHEN plan.outbox_id IS NULL AND NOT ordered.withdrawn THEN 'noop' WHEN NOT cancels THEN 'resume'
		WHEN timing = 'immediate' THEN 'cancel' ELSE 'cancel_scheduled' END;
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast._order_cancellation(capforecast._subscription_row, capforecast.change_result, boolean, text, text, text) IS
	'Ask Stripe to end a subscription, with its period or at once, or not to.';
