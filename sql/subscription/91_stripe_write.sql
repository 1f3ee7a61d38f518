-- Bringing the host's rows to agree with what was decided.

-- Of several rows of a vendor its add-ons follow the one that counts.  An item that no row
-- has is a purchase made at Stripe; a row that no item has was cancelled there.  What waits
-- for a request goes on waiting.
CREATE FUNCTION capforecast._follow_addons(as_of timestamptz, changing capforecast._stripe_decision[])
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	differing capforecast._stripe_decision[] := ARRAY(SELECT d FROM unnest(changing) d WHERE d.current -> 'addons' <> d.target -> 'addons'
		AND capforecast._stripe_rank(d.stripe_status) < 7);
	is_live constant text := '{h:vendor_addons.status} IN (''pending'', ''active'', ''cancelling'')';
BEGIN
	IF cardinality(differing) = 0 THEN
		RETURN;
	END IF;
	EXECUTE capforecast._keyed_sql($sql$
		WITH product AS MATERIALIZED (
			SELECT * FROM $sql$ || capforecast._addon_products_sql() || $sql$ p WHERE p.billing_period <> 'one_time' AND p.stripe_price IS NOT NULL
		), owner AS MATERIALIZED (
			SELECT s.vendor_id, s.subscription_id, d.target -> 'addons' AS addons, d.version
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s JOIN unnest($1) d USING (subscription_id) WHERE s.id = ANY (@key)
		), shown AS MATERIALIZED (
			SELECT o.*, p.id AS product_id, p.code, p.price, (a.value ->> 'quantity')::bigint AS quantity, a.value ->> 'item' AS item
			FROM owner o CROSS JOIN LATERAL jsonb_each(o.addons) a JOIN product p ON p.code = a.key
		), followed AS (
			UPDATE {vendor_addons} h SET $sql$ || capforecast._host_set('vendor_addons',
				'status', 'CASE WHEN {h:vendor_addons.status} = ''pending'' THEN ''active'' ELSE {h:vendor_addons.status} END',
				'quantity', 'x.quantity', 'stripe_subscription_item_id', 'x.item', 'updated_at', '$2') || $sql$
			FROM shown x
			WHERE {h:vendor_addons.vendor_id} = x.vendor_id AND {h:vendor_addons.addon_product_id} = x.product_id AND $sql$ || is_live || $sql$
			RETURNING x.subscription_id, x.code, x.quantity
		), bought AS (
			INSERT INTO {vendor_addons} $sql$ || capforecast._host_insert('vendor_addons', 'vendor_id', 'x.vendor_id', 'addon_product_id', 'x.product_id',
				'status', '''active''', 'quantity', 'x.quantity', 'unit_price_cents', 'x.price', 'period_start', '$2',
				'stripe_subscription_item_id', 'x.item') || $sql$
			FROM shown x WHERE NOT EXISTS (SELECT FROM {vendor_addons} h WHERE {h:vendor_addons.vendor_id} = x.vendor_id
				AND {h:vendor_addons.addon_product_id} = x.product_id AND $sql$ || is_live || $sql$)
			RETURNING 1
		), cancelled AS (
			UPDATE {vendor_addons} h SET $sql$ || capforecast._host_set('vendor_addons', 'status', '''cancelled''', 'cancelled_at', '$2',
				'updated_at', '$2') || $sql$
			FROM owner o JOIN product p ON NOT o.addons ? p.code
			WHERE {h:vendor_addons.vendor_id} = o.vendor_id AND {h:vendor_addons.addon_product_id} = p.id
			  AND {h:vendor_addons.status} IN ('active', 'cancelling')
			RETURNING 1
		)
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
		SELECT 'follow_addons', d.vendor_id, d.subscription_id, jsonb_build_object('addons', d.current -> 'addons'),
			jsonb_build_object('addons', d.target -> 'addons'), d.stripe_status
		FROM unnest($1) d WHERE (SELECT count(*) FROM followed) + (SELECT count(*) FROM bought) + (SELECT count(*) FROM cancelled) > 0$sql$,
		ARRAY(SELECT d.subscription_id FROM unnest(differing) d)::text)
	USING differing, as_of;
END
$$;
COMMENT ON FUNCTION capforecast._follow_addons(timestamptz, capforecast._stripe_decision[]) IS
	'Bring the add-ons of subscriptions that Stripe manages to agree with their items, by price.';

CREATE FUNCTION capforecast._stripe_write(as_of timestamptz, decided capforecast._stripe_decision[])
	RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	changing capforecast._stripe_decision[] := ARRAY(SELECT d FROM unnest(decided) d WHERE d.verdict = 'apply');
	changed_ids text[] := ARRAY(SELECT d.subscription_id FROM unnest(changing) d);
BEGIN
	IF cardinality(changing) > 0 THEN
		PERFORM capforecast._see(as_of, changed_ids, NULL);
		EXECUTE capforecast._keyed_sql('UPDATE {vendor_subscriptions} h SET ' || capforecast._host_set('vendor_subscriptions',
				'status', 'd.target ->> ''status''', 'tier', 'd.target ->> ''tier''', 'is_annual', '(d.target ->> ''is_annual'')::boolean',
				'period_start', '(d.target ->> ''period_start'')::timestamptz', 'period_end', '(d.target ->> ''period_end'')::timestamptz',
				'trial_ends_at', '(d.target ->> ''trial_ends_at'')::timestamptz',
				'cancel_at_period_end', '(d.target ->> ''cancel_at_period_end'')::boolean',
				'cancelled_at', '(d.target ->> ''cancelled_at'')::timestamptz',
				'stripe_subscription_id', 'd.target ->> ''stripe_subscription_id''', 'stripe_price_id', 'd.target ->> ''stripe_price_id''',
				'updated_at', '$2') || '
			FROM ' || capforecast._subscriptions_sql() || ' s JOIN unnest($1) d USING (subscription_id)
			WHERE s.id = ANY (@key) AND {h:vendor_subscriptions.id} = s.id AND d.current - ''addons'' <> d.target - ''addons''', changed_ids::text)
		USING changing, as_of;
		-- a pause is no ending: what was bought is there when it resumes
		PERFORM capforecast._end_addons(as_of, ARRAY(SELECT d.subscription_id FROM unnest(changing) d
			WHERE d.final), ARRAY['pending', 'active', 'cancelling'], 'coalesce(s.cancelled_at, $1)');
		PERFORM capforecast._follow_addons(as_of, changing);
		PERFORM capforecast._see(as_of, changed_ids, NULL, 'stripe');
		-- a plan that Stripe changed within its period was billed by Stripe: what is credited next is of this one
		EXECUTE capforecast._host_sql('UPDATE capforecast.billed_period p
			SET tier = t.code, is_annual = w.is_annual, price_cents = w.price, amount_cents = w.price, currency = t.currency
			FROM unnest($1) d JOIN capforecast.subscription_state st USING (subscription_id)
				JOIN ' || capforecast._tiers_sql() || ' t ON t.code = d.target ->> ''tier''
				CROSS JOIN LATERAL (SELECT (d.target ->> ''is_annual'')::boolean AS is_annual,
					capforecast._price((d.target ->> ''is_annual'')::boolean, t.monthly, t.annual) AS price) w
			WHERE p.subscription_id = st.subscription_id AND p.ends = st.billed_until AND p.billed_by = ''stripe''
			  AND (p.tier, p.is_annual) IS DISTINCT FROM (t.code, w.is_annual)') USING changing;
		UPDATE capforecast.subscription_state st
		SET entitled = (d.target ->> 'entitled')::boolean, collection_paused = (d.target ->> 'paused')::boolean,
			anchor_local = coalesce((d.target ->> 'anchor')::timestamp, st.anchor_local),
			stripe_subscription_id = d.stripe_id, stripe_status = d.stripe_status, stripe_version = d.version, stripe_event_id = d.event_id,
			stripe_missing_since = NULL, stripe_missing_runs = 0
		FROM unnest(changing) d WHERE st.subscription_id = d.subscription_id;
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
		SELECT 'sync_stripe_status', d.vendor_id, d.subscription_id, t.before, t.after, d.stripe_status
		FROM unnest(changing) d CROSS JOIN LATERAL (SELECT jsonb_object_agg(e.key, d.current -> e.key) AS before, jsonb_object_agg(e.key, e.value) AS after
			FROM jsonb_each(d.target - 'addons') e WHERE e.value IS DISTINCT FROM d.current -> e.key) t
		WHERE t.after IS NOT NULL;
	END IF;
	PERFORM capforecast._follow_requests(as_of, d.subscription_id, d.stripe_id, d.items, (d.target ->> 'cancel_at_period_end')::boolean, d.schedule,
		capforecast._stripe_rank(d.stripe_status) >= 7, d.version, d.event_id) FROM unnest(decided) d
	WHERE d.verdict IN ('apply', 'unchanged') AND d.subscription_id IN (SELECT o.subscription_id FROM capforecast.stripe_outbox o WHERE o.status IN ('pending', 'taken', 'sent', 'scheduled'));
	RETURN cardinality(changing);
END
$$;
COMMENT ON FUNCTION capforecast._stripe_write(timestamptz, capforecast._stripe_decision[]) IS
	'Write what differs on locked subscriptions, and confirm requests; returns how many subscriptions were changed.';

CREATE FUNCTION capforecast._stripe_apply(as_of timestamptz, ids text[], options jsonb)
	RETURNS jsonb LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_build_object('changed', capforecast._stripe_write(as_of, ARRAY(SELECT d FROM capforecast._stripe_decide(ids) d)))
$$;
COMMENT ON FUNCTION capforecast._stripe_apply(timestamptz, text[], jsonb) IS
	'Worker of sync_stripe_status(): decide again for these locked subscriptions, and write what differs.';
