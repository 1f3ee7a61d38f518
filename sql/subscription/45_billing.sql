-- What the next period costs: one routine for the invoice that is shown beforehand and
-- the draft that is written when the period begins.

-- Needs a CTE "due": subscription_id, vendor_id, tier, is_annual, periods, starts, ends,
-- renews (false: the subscription ends there, and only what is pending is left to pay).
CREATE FUNCTION capforecast._invoice_sql()
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'lines AS (
			SELECT d.subscription_id, 1 AS position, ''''::text AS sort, t.currency, p.price * d.periods AS amount,
				jsonb_build_object(''kind'', ''tier'', ''code'', d.tier, ''quantity'', d.periods, ''unit_price_cents'', p.price,
					''amount_cents'', p.price * d.periods, ''period_start'', d.starts, ''period_end'', d.ends) AS line
			FROM due d LEFT JOIN ' || capforecast._tiers_sql() || ' t ON t.code = d.tier
				CROSS JOIN LATERAL (SELECT CASE WHEN d.is_annual THEN t.annual ELSE t.monthly END AS price) p
			WHERE d.renews
			UNION ALL
			SELECT d.subscription_id, 2, a.code, a.currency, a.unit_price * a.quantity * d.periods,
				jsonb_build_object(''kind'', ''addon'', ''code'', a.code, ''quantity'', a.quantity * d.periods, ''unit_price_cents'', a.unit_price,
					''amount_cents'', a.unit_price * a.quantity * d.periods, ''period_start'', d.starts, ''period_end'', d.ends)
			FROM due d JOIN ' || capforecast._addons_sql() || ' a ON a.vendor_id = d.vendor_id
			WHERE d.renews AND a.status = ''active'' AND a.billing_period = CASE WHEN d.is_annual THEN ''annual'' ELSE ''monthly'' END
			UNION ALL
			SELECT d.subscription_id, 3, lpad(i.id::text, 20, ''0''), i.currency, i.amount_cents,
				jsonb_build_object(''kind'', i.kind, ''code'', i.code, ''amount_cents'', i.amount_cents,
					''period_start'', i.service_start, ''period_end'', i.service_end, ''item'', i.id)
			FROM due d JOIN capforecast.pending_invoice_item i ON i.subscription_id = d.subscription_id
			WHERE i.invoiced_at IS NULL
		), invoice AS MATERIALIZED (
			SELECT l.subscription_id, jsonb_agg(l.line ORDER BY l.position, l.sort) AS lines, sum(l.amount)::bigint AS subtotal,
				min(l.currency) AS currency,
				CASE WHEN bool_or(l.amount IS NULL) THEN ''no_price''
					 WHEN min(l.currency) <> max(l.currency) THEN ''currency_mismatch'' END AS problem
			FROM lines l GROUP BY 1
		)'
$$;
COMMENT ON FUNCTION capforecast._invoice_sql() IS 'CTEs that turn due subscriptions into invoices: lines, subtotal in minor units, currency, and the problem that forbids one.';

CREATE FUNCTION capforecast._end_addons(as_of timestamptz, ids text[], statuses text[], ended_at text)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
	IF NOT capforecast._host_has('vendor_addons') THEN
		RETURN;
	END IF;
	EXECUTE capforecast._keyed_sql($sql$
		WITH ended AS (
			UPDATE {vendor_addons} h SET $sql$ || capforecast._host_set('vendor_addons', 'status', '''cancelled''',
				'cancelled_at', ended_at, 'updated_at', '$1') || $sql$
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
			WHERE s.id = ANY (@key) AND {h:vendor_addons.vendor_id} = s.vendor_id AND {h:vendor_addons.status} = ANY ($2)
			RETURNING {h:vendor_addons.id}::text AS addon_id, s.vendor_id::text AS vendor_id, s.subscription_id
		)
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, after, reason)
		SELECT 'end_addon', vendor_id, subscription_id, jsonb_build_object('addon_id', addon_id, 'status', 'cancelled'), 'subscription'
			FROM ended$sql$, ids::text)
	USING as_of, statuses;
END
$$;
COMMENT ON FUNCTION capforecast._end_addons(timestamptz, text[], text[], text) IS
	'Cancel the add-ons of these subscriptions that have one of the statuses, at an instant given as an expression on s.';

-- due: a query for the CTE of that name, with credit_cents; @key stands for the ids in it.
CREATE FUNCTION capforecast._draft(as_of timestamptz, ids text[], due text)
	RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	n_drafts bigint;
	mismatched jsonb;
BEGIN
	IF cardinality(ids) = 0 OR NOT capforecast._host_has('billing_history') THEN
		RETURN 0;
	END IF;
	EXECUTE capforecast._keyed_sql('WITH due AS MATERIALIZED (' || due || '), ' || capforecast._invoice_sql() || $sql$, billed AS MATERIALIZED (
			SELECT d.*, i.lines, i.subtotal, i.currency, least(d.credit_cents, greatest(i.subtotal, 0)) AS credit
			FROM invoice i JOIN due d USING (subscription_id) WHERE i.problem IS NULL
		), drafts AS (
			INSERT INTO {billing_history} $sql$ || capforecast._host_insert('billing_history', 'vendor_id', 'b.vendor_id',
				'invoice_date', 'b.starts', 'due_date', 'b.starts', 'period_start', 'b.starts', 'period_end', 'b.ends',
				'subtotal_cents', 'b.subtotal', 'total_cents', 'greatest(b.subtotal, 0) - b.credit', 'amount_paid_cents', '0',
				'currency', 'b.currency', 'status', '''draft''', 'description', 'format(''Subscription %s'', b.subscription_id)',
				'line_items', 'b.lines || CASE WHEN b.credit > 0
					THEN jsonb_build_array(jsonb_build_object(''kind'', ''credit'', ''amount_cents'', -b.credit)) ELSE ''[]'' END')
			|| $sql$ FROM billed b RETURNING 1
		), taken AS (
			UPDATE capforecast.pending_invoice_item i SET invoiced_at = $1
			FROM billed b WHERE i.subscription_id = b.subscription_id AND i.invoiced_at IS NULL
		), credited AS (
			UPDATE capforecast.subscription_state st SET credit_cents = st.credit_cents - b.credit + greatest(-b.subtotal, 0)
			FROM billed b WHERE st.subscription_id = b.subscription_id AND (b.credit > 0 OR b.subtotal < 0)
		)
		SELECT (SELECT count(*) FROM drafts),
			(SELECT coalesce(jsonb_agg(jsonb_build_object('code', i.problem, 'subject', 'subscription ' || i.subscription_id)), '[]')
			 FROM invoice i WHERE i.problem = 'currency_mismatch')$sql$, ids::text)
	INTO n_drafts, mismatched USING as_of;
	PERFORM capforecast._report('{}', mismatched, as_of);
	RETURN n_drafts;
END
$$;
COMMENT ON FUNCTION capforecast._draft(timestamptz, text[], text) IS
	'Write the drafts of due subscriptions: their pending items are taken, and their credit lowered by what was applied.';

-- A host that keeps no invoices bills by itself; its periods are followed all the same.
CREATE FUNCTION capforecast._bill(as_of timestamptz, ids text[])
	RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	local_ids text[] := capforecast._due('s.good_period AND s.period_end > st.billed_until AND s.stripe_subscription_id IS NULL
		AND s.status IN (''active'', ''past_due'')', as_of, ids);
	n_drafts bigint;
BEGIN
	IF cardinality(local_ids) > 0 THEN
		PERFORM capforecast._end_addons(as_of, local_ids, ARRAY['cancelling'],
			'(SELECT st.billed_until FROM capforecast.subscription_state st WHERE st.subscription_id = s.subscription_id)');
	END IF;
	n_drafts := capforecast._draft(as_of, local_ids, 'SELECT s.*, st.billed_until AS starts, s.period_end AS ends, true AS renews, st.credit_cents,
			greatest(1, (capforecast._months_before(st.anchor_local, st.anchor_zone, s.period_end)
				- capforecast._months_before(st.anchor_local, st.anchor_zone, st.billed_until)) / s.step) AS periods
		FROM ' || capforecast._subscriptions_sql() || ' s JOIN capforecast.subscription_state st USING (subscription_id)
		WHERE s.id = ANY (@key)');
	EXECUTE capforecast._keyed_sql($sql$
		UPDATE capforecast.subscription_state st
		SET billed_from = s.period_start, billed_until = s.period_end, billed_price_cents = p.price, billed_amount_cents = p.price,
			billed_currency = t.currency
		FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
			LEFT JOIN $sql$ || capforecast._tiers_sql() || $sql$ t ON t.code = s.tier
			CROSS JOIN LATERAL (SELECT CASE WHEN s.is_annual THEN t.annual ELSE t.monthly END AS price) p
		WHERE s.subscription_id = st.subscription_id AND s.id = ANY (@key) AND s.period_end > st.billed_until$sql$, ids::text);
	RETURN jsonb_build_object('drafts', n_drafts);
END
$$;
COMMENT ON FUNCTION capforecast._bill(timestamptz, text[]) IS
	'Write the drafts of locally billed subscriptions whose period on the host''s row is later than the one billed last.';
