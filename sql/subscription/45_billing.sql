-- What the next period costs: one routine for the invoice that is shown beforehand and
-- the draft that is written when the period begins.

CREATE FUNCTION capforecast._paid_sql()
	RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT '({b:billing_history.status} = ''paid'' OR {b:billing_history.status} <> ''void'' AND {b:billing_history.total_cents} = 0)'
$$;
COMMENT ON FUNCTION capforecast._paid_sql() IS 'Whether b, an invoice of the host, is paid.';

-- A credit for what is on an unpaid invoice waits until that one is paid.
CREATE FUNCTION capforecast._counts_sql(vendor text)
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN capforecast._host_has('billing_history') THEN
		'(i.awaits_invoice IS NULL OR EXISTS (SELECT FROM {billing_history} b WHERE {b:billing_history.vendor_id} = ' || vendor || '
			AND {b:billing_history.id}::text = i.awaits_invoice AND ' || capforecast._paid_sql() || '))'
	ELSE '(i.awaits_invoice IS NULL)' END
$$;
COMMENT ON FUNCTION capforecast._counts_sql(text) IS 'Whether i, an open item of a vendor, is for the next invoice.';

-- Needs a CTE "due": subscription_id, vendor_id, tier, is_annual, price, currency, starts, ends,
-- periods, first_end and whole_from (see _terms()), renews (false: the subscription ends
-- there, and only what is pending is left to pay).
CREATE FUNCTION capforecast._invoice_sql()
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'lines AS (
			SELECT d.subscription_id, 1 AS position, ''''::text AS sort, d.currency, x.amount,
				jsonb_build_object(''kind'', ''tier'', ''code'', d.tier, ''quantity'', d.periods, ''unit_price_cents'', d.price,
					''amount_cents'', x.amount, ''period_start'', d.starts, ''period_end'', d.ends) AS line
			FROM due d CROSS JOIN LATERAL (SELECT capforecast._for_periods(d.price, d.periods, d.starts, d.first_end, d.whole_from)) x(amount)
			WHERE d.renews
			UNION ALL
			SELECT d.subscription_id, 2, a.code, a.currency, x.amount,
				jsonb_build_object(''kind'', ''addon'', ''code'', a.code, ''quantity'', a.quantity * d.periods, ''unit_price_cents'', a.unit_price,
					''amount_cents'', x.amount, ''period_start'', d.starts, ''period_end'', d.ends)
			FROM due d JOIN ' || capforecast._addons_sql() || ' a ON a.vendor_id = d.vendor_id
				CROSS JOIN LATERAL (SELECT capforecast._for_periods(a.unit_price * a.quantity, d.periods, d.starts, d.first_end, d.whole_from)) x(amount)
			WHERE d.renews AND a.status = ''active'' AND a.billing_period = CASE WHEN d.is_annual THEN ''annual'' ELSE ''monthly'' END
			UNION ALL
			SELECT d.subscription_id, 3, lpad(i.id::text, 20, ''0''), i.currency, i.amount_cents,
				jsonb_build_object(''kind'', i.kind, ''code'', i.code, ''amount_cents'', i.amount_cents,
					''period_start'', i.service_start, ''period_end'', i.service_end, ''item'', i.id)
			FROM due d JOIN capforecast.pending_invoice_item i ON i.subscription_id = d.subscription_id
			WHERE i.invoiced_at IS NULL AND ' || capforecast._counts_sql('d.vendor_id') || '
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
	IF cardinality(ids) = 0 OR NOT capforecast._host_has('vendor_addons') THEN
		RETURN;
	END IF;
	EXECUTE capforecast._keyed_sql($sql$
		WITH ended AS (
			UPDATE {vendor_addons} h SET $sql$ || capforecast._host_set('vendor_addons', 'status', '''cancelled''',
				'cancelled_at', ended_at, 'updated_at', '$1') || $sql$
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s LEFT JOIN capforecast.subscription_state st USING (subscription_id)
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
	'Cancel the add-ons of these subscriptions that have one of the statuses, at an instant given as an expression on s and st.';

-- due: a query for the CTE of that name, with credit_cents, credit_currency and the anchor
-- besides; @key stands for the ids in it.  Lines that add up to nothing make no draft, but
-- the period counts as billed.
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
			SELECT d.*, i.lines, i.subtotal, i.currency AS invoice_currency, coalesce(d.credit_currency, i.currency) = i.currency AS same_currency,
				CASE WHEN coalesce(d.credit_currency, i.currency) = i.currency THEN least(d.credit_cents, greatest(i.subtotal, 0)) ELSE 0 END AS credit
			FROM invoice i JOIN due d USING (subscription_id)
			WHERE i.problem IS NULL AND NOT (i.subtotal < 0 AND d.credit_cents > 0 AND d.credit_currency <> i.currency IS TRUE)
		), drafted AS (
			INSERT INTO {billing_history} AS h $sql$ || capforecast._host_insert('billing_history', 'vendor_id', 'b.vendor_id',
				'invoice_date', 'b.starts', 'due_date', 'b.starts', 'period_start', 'b.starts', 'period_end', 'b.ends',
				'subtotal_cents', 'b.subtotal', 'total_cents', 'greatest(b.subtotal, 0) - b.credit', 'amount_paid_cents', '0',
				'currency', 'b.invoice_currency', 'status', '''draft''',
				'description', 'format(CASE WHEN b.renews THEN ''Subscription %s'' ELSE ''Subscription %s: items'' END, b.subscription_id)',
				'line_items', 'b.lines || CASE WHEN b.credit > 0
					THEN jsonb_build_array(jsonb_build_object(''kind'', ''credit'', ''amount_cents'', -b.credit)) ELSE ''[]'' END')
			|| $sql$ FROM billed b WHERE b.subtotal <> 0
			RETURNING {h:billing_history.id}::text AS ref, {h:billing_history.vendor_id} AS vendor_id
		), ref AS (
			-- two subscriptions of one vendor cannot be told apart: then the invoice is looked up by its time
			SELECT b.subscription_id, min(f.ref) AS ref
			FROM billed b JOIN drafted f USING (vendor_id) GROUP BY 1 HAVING count(*) = 1
		), taken AS (
			UPDATE capforecast.pending_invoice_item i SET invoiced_at = $1, invoice_ref = r.ref
			FROM billed b LEFT JOIN ref r USING (subscription_id)
			WHERE i.subscription_id = b.subscription_id AND i.invoiced_at IS NULL AND $sql$ || capforecast._counts_sql('b.vendor_id') || $sql$
		), state AS (
			UPDATE capforecast.subscription_state st
			SET billed_until = CASE WHEN b.renews THEN b.ends ELSE st.billed_until END,
				credit_cents = st.credit_cents - b.credit + greatest(-b.subtotal, 0),
				credit_currency = CASE WHEN b.subtotal < 0 OR b.same_currency THEN b.invoice_currency ELSE st.credit_currency END
			FROM billed b WHERE st.subscription_id = b.subscription_id
		), booked AS (
			INSERT INTO capforecast.billed_period (subscription_id, starts, ends, billed_by, tier, is_annual, price_cents, amount_cents, currency,
				invoice_ref, previous_end)
			SELECT b.subscription_id, w.starts, w.ends, 'us', b.tier, b.is_annual, b.price,
				capforecast._for_periods(b.price, 1, w.starts, w.ends, CASE n WHEN 0 THEN b.whole_from ELSE w.starts END), b.currency, r.ref,
				CASE WHEN n > 0 THEN w.starts ELSE (SELECT p.ends FROM capforecast.billed_period p
					WHERE p.subscription_id = b.subscription_id AND p.ends = w.starts) END
			FROM billed b LEFT JOIN ref r USING (subscription_id)
				CROSS JOIN LATERAL generate_series(0, b.periods - 1) n
				CROSS JOIN LATERAL (SELECT CASE n WHEN 0 THEN b.starts ELSE capforecast._boundary(b.anchor_local, b.anchor_zone, b.first + n * b.step) END AS starts,
					CASE n WHEN b.periods - 1 THEN b.ends
						ELSE capforecast._boundary(b.anchor_local, b.anchor_zone, b.first + (n + 1) * b.step) END AS ends) w
			WHERE b.renews
		)
		SELECT (SELECT count(*) FROM drafted),
			(SELECT coalesce(jsonb_agg(jsonb_build_object('code', 'currency_mismatch', 'subject', 'subscription ' || i.subscription_id)), '[]')
			 FROM invoice i LEFT JOIN billed b USING (subscription_id)
			 WHERE b.subscription_id IS NULL AND i.problem IS DISTINCT FROM 'no_price')$sql$, ids::text)
	INTO n_drafts, mismatched USING as_of;
	PERFORM capforecast._report('{}', mismatched, as_of);
	RETURN n_drafts;
END
$$;
COMMENT ON FUNCTION capforecast._draft(timestamptz, text[], text) IS
	'Write the drafts of due subscriptions, and the books: their pending items are taken, their credit lowered by what was applied, and the time counts as billed.';

CREATE FUNCTION capforecast._draft_items(as_of timestamptz, ids text[], drafted_at text)
	RETURNS bigint LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	SELECT capforecast._draft(as_of, ids, 'SELECT s.subscription_id, s.vendor_id, NULL::text AS tier, s.is_annual, s.step, NULL::bigint AS price,
			NULL::text AS currency, ' || drafted_at || ' AS starts, NULL::timestamptz AS ends, 1 AS periods, 0 AS first,
			NULL::timestamptz AS first_end, NULL::timestamptz AS whole_from, false AS renews, st.credit_cents, st.credit_currency,
			st.anchor_local, st.anchor_zone
		FROM ' || capforecast._subscriptions_sql() || ' s JOIN capforecast.subscription_state st USING (subscription_id)
		WHERE s.id = ANY (@key)')
$$;
COMMENT ON FUNCTION capforecast._draft_items(timestamptz, text[], text) IS
	'A draft of what is pending alone, dated by an expression on s and st; returns their number.';

-- Nothing of a subscription that has ended returns with the next one.
CREATE FUNCTION capforecast._draft_last(as_of timestamptz, ids text[], ended_at text)
	RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	n_drafts bigint := capforecast._draft_items(as_of, ids, ended_at);
BEGIN
	UPDATE capforecast.pending_invoice_item SET invoiced_at = as_of
	WHERE subscription_id = ANY (ids) AND invoiced_at IS NULL AND awaits_invoice IS NOT NULL;
	UPDATE capforecast.subscription_state
	SET pending_tier = NULL, pending_annual = NULL, pending_at = NULL, pending_requested_at = NULL
	WHERE subscription_id = ANY (ids) AND pending_tier IS NOT NULL;
	RETURN n_drafts;
END
$$;
COMMENT ON FUNCTION capforecast._draft_last(timestamptz, text[], text) IS
	'The last draft of subscriptions that end, dated by an expression on s and st, if there is anything to draft; what waits for a payment or for a date is dropped.';

CREATE FUNCTION capforecast._drafts_sql(sign text DEFAULT '')
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT sign || CASE WHEN capforecast._host_has('billing_history')
		THEN '(s.status <> ''trial'' AND NOT s.managed)' ELSE '(false)' END
$$;
COMMENT ON FUNCTION capforecast._drafts_sql(text) IS 'Whether our drafts bill s: a host that keeps no invoices bills by itself.';

CREATE FUNCTION capforecast._owed_sql()
	RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT '(s.live AND s.good_period AND s.period_end > st.billed_until)'
$$;
COMMENT ON FUNCTION capforecast._owed_sql() IS 'Whether the period on the host''s row is later than what is billed through.';

-- The time from what is billed through to the end of the period on the host's row, in periods.
CREATE FUNCTION capforecast._due_sql()
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'SELECT s.subscription_id, s.vendor_id, s.tier, s.is_annual, s.step, capforecast._price(s.is_annual, t.monthly, t.annual) AS price,
			t.currency, st.billed_until AS starts, s.period_end AS ends, (n.n).periods, (n.n).first,
			CASE (n.n).periods WHEN 1 THEN s.period_end ELSE capforecast._boundary(st.anchor_local, st.anchor_zone, (n.n).first + s.step) END AS first_end,
			(n.n).whole_from, true AS renews, st.credit_cents, st.credit_currency, st.anchor_local, st.anchor_zone
		FROM ' || capforecast._subscriptions_sql() || ' s JOIN capforecast.subscription_state st USING (subscription_id)
			LEFT JOIN ' || capforecast._tiers_sql() || ' t ON t.code = s.tier
			CROSS JOIN LATERAL (SELECT capforecast._terms(st.anchor_local, st.anchor_zone, s.step, st.billed_until, s.period_end) AS n OFFSET 0) n
		WHERE s.id = ANY (@key) AND ' || capforecast._owed_sql()
$$;
COMMENT ON FUNCTION capforecast._due_sql() IS 'A query for the CTE due of _invoice_sql().';

-- A trial is billed to nobody: its row grows with it.
CREATE FUNCTION capforecast._follow_billing(as_of timestamptz, ids text[])
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
BEGIN
	IF cardinality(ids) = 0 THEN
		RETURN;
	END IF;
	EXECUTE capforecast._keyed_sql('WITH due AS MATERIALIZED (' || capforecast._due_sql() || $sql$
		), who AS MATERIALIZED (
			SELECT d.*, s.status = 'trial' AS in_trial, p.billed_by = 'nobody' AND s.status = 'trial' AS grows, p.ends AS previous_end,
				CASE WHEN s.status = 'trial' THEN 'nobody' WHEN s.managed THEN 'stripe' ELSE 'host' END AS billed_by
			FROM due d JOIN $sql$ || capforecast._subscriptions_sql() || $sql$ s USING (subscription_id)
				LEFT JOIN capforecast.billed_period p ON p.subscription_id = d.subscription_id AND p.ends = d.starts
		), grown AS (
			UPDATE capforecast.billed_period p SET ends = w.ends
			FROM who w WHERE w.grows AND p.subscription_id = w.subscription_id AND p.ends = w.starts
		), added AS (
			INSERT INTO capforecast.billed_period (subscription_id, starts, ends, billed_by, tier, is_annual, price_cents, amount_cents, currency,
				previous_end)
			SELECT w.subscription_id, w.starts, w.ends, w.billed_by, w.tier, w.is_annual, CASE WHEN w.in_trial THEN 0 ELSE w.price END,
				CASE WHEN w.in_trial THEN 0 ELSE w.price END, w.currency, w.previous_end
			FROM who w WHERE w.grows IS NOT TRUE
		)
		UPDATE capforecast.subscription_state st SET billed_until = w.ends FROM who w WHERE w.subscription_id = st.subscription_id$sql$, ids::text);
END
$$;
COMMENT ON FUNCTION capforecast._follow_billing(timestamptz, text[]) IS
	'Book the periods of these subscriptions that others bill, or nobody: trials, those of Stripe, those of a host that keeps no invoices.';

CREATE FUNCTION capforecast._bill(as_of timestamptz, ids text[])
	RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ours text[] := capforecast._due(capforecast._owed_sql() || ' AND ' || capforecast._drafts_sql(), as_of, ids);
	others text[] := capforecast._due(capforecast._owed_sql() || ' AND ' || capforecast._drafts_sql('NOT '), as_of, ids);
BEGIN
	PERFORM capforecast._end_addons(as_of, ours || capforecast._due('NOT s.managed AND s.status <> ''trial''', as_of, others), ARRAY['cancelling'], 'st.billed_until');
	PERFORM capforecast._follow_billing(as_of, others);
	RETURN jsonb_build_object('drafts', capforecast._draft(as_of, ours, capforecast._due_sql()));
END
$$;
COMMENT ON FUNCTION capforecast._bill(timestamptz, text[]) IS
	'Bill subscriptions from what is billed through to the end of their period; one that cannot be billed stays due.';

-- The last row can be cut short, by a period that begins within it; a trial's can grow.
CREATE FUNCTION capforecast._end_books(subscription text, at timestamptz)
	RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	DELETE FROM capforecast.billed_period b USING capforecast.subscription_state st
	WHERE st.subscription_id = subscription AND b.subscription_id = subscription AND b.ends = st.billed_until AND b.starts >= at;
	UPDATE capforecast.billed_period b SET ends = at
	FROM capforecast.subscription_state st
	WHERE st.subscription_id = subscription AND b.subscription_id = subscription AND b.ends = st.billed_until
	  AND (b.ends > at OR b.billed_by = 'nobody');
	UPDATE capforecast.subscription_state st
	SET billed_until = coalesce((SELECT max(b.ends) FROM capforecast.billed_period b WHERE b.subscription_id = subscription), at)
	WHERE st.subscription_id = subscription;
$$;
COMMENT ON FUNCTION capforecast._end_books(text, timestamptz) IS 'End the books of a subscription at an instant within its last row, so that a new period can begin there.';
