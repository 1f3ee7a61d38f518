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
	SELECT 'extra AS (
			SELECT x.subscription_id, jsonb_agg(x.line ORDER BY x.position, x.sort) AS lines, sum(x.amount) AS amount,
				min(x.currency) AS currency, max(x.currency) AS other_currency, bool_or(x.amount IS NULL) AS unpriced
			FROM (SELECT d.subscription_id, 1 AS position, a.code AS sort, a.currency, p.amount,
					jsonb_build_object(''kind'', ''addon'', ''code'', a.code, ''quantity'', a.quantity * d.periods, ''unit_price_cents'', a.unit_price,
						''amount_cents'', p.amount, ''period_start'', d.starts, ''period_end'', d.ends) AS line
				FROM due d JOIN ' || capforecast._addons_sql() || ' a ON a.vendor_id = d.vendor_id
					CROSS JOIN LATERAL (SELECT capforecast._for_periods(a.unit_price * a.quantity, d.periods, d.starts, d.first_end, d.whole_from)) p(amount)
				WHERE d.renews AND a.status = ''active'' AND a.billing_period = CASE WHEN d.is_annual THEN ''annual'' ELSE ''monthly'' END
				UNION ALL
				SELECT d.subscription_id, 2, lpad(i.id::text, 20, ''0''), i.currency, i.amount_cents,
					jsonb_build_object(''kind'', i.kind, ''code'', i.code, ''amount_cents'', i.amount_cents,
						''period_start'', i.service_start, ''period_end'', i.service_end, ''item'', i.id)
				FROM due d JOIN capforecast.pending_invoice_item i ON i.subscription_id = d.subscription_id
				WHERE i.invoiced_at IS NULL AND ' || capforecast._counts_sql('d.vendor_id') || ') x
			GROUP BY 1
		), invoice AS MATERIALIZED (
			SELECT d.*, CASE WHEN NOT d.renews THEN e.lines WHEN e.lines IS NULL THEN jsonb_build_array(p.line) ELSE jsonb_build_array(p.line) || e.lines END AS lines,
				(coalesce(p.amount, 0) + coalesce(e.amount, 0))::bigint AS subtotal, least(p.currency, e.currency) AS invoice_currency,
				CASE WHEN d.renews AND p.amount IS NULL OR e.unpriced THEN ''no_price''
					WHEN least(p.currency, e.currency) <> greatest(p.currency, e.other_currency) THEN ''currency_mismatch'' END AS problem
			FROM due d LEFT JOIN extra e USING (subscription_id)
				CROSS JOIN LATERAL (SELECT capforecast._for_periods(d.price, d.periods, d.starts, d.first_end, d.whole_from) AS amount WHERE d.renews
					UNION ALL SELECT NULL WHERE NOT d.renews) a
				CROSS JOIN LATERAL (SELECT a.amount, CASE WHEN d.renews THEN d.currency END AS currency,
					jsonb_build_object(''kind'', ''tier'', ''code'', d.tier, ''quantity'', d.periods, ''unit_price_cents'', d.price,
						''amount_cents'', a.amount, ''period_start'', d.starts, ''period_end'', d.ends) AS line) p
			WHERE d.renews OR e.lines IS NOT NULL
		)'
$$;
COMMENT ON FUNCTION capforecast._invoice_sql() IS 'CTEs that turn due subscriptions into invoices: due with its lines, subtotal in minor units, invoice_currency, and the problem that forbids one.';

-- Needs a CTE "ending": vendor_id, subscription_id, and ended_at.
CREATE FUNCTION capforecast._ended_addons_sql(statuses text[])
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN capforecast._host_has('vendor_addons') THEN
		'ended_addon AS (
			UPDATE {vendor_addons} h SET ' || capforecast._host_set('vendor_addons', 'status', '''cancelled''', 'cancelled_at', 'x.ended_at', 'updated_at', '$1') || '
			FROM ending x WHERE {h:vendor_addons.vendor_id} = x.vendor_id AND {h:vendor_addons.status} IN (' || (SELECT string_agg(quote_literal(x), ', ') FROM unnest(statuses) x) || ')
			RETURNING {h:vendor_addons.id}::text AS addon_id, x.vendor_id::text AS vendor_id, x.subscription_id
		), ended_addon_audit AS (
			INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, after, reason)
			SELECT ''end_addon'', vendor_id, subscription_id, jsonb_build_object(''addon_id'', addon_id, ''status'', ''cancelled''), ''subscription''
			FROM ended_addon
		)'
	ELSE 'ended_addon AS (SELECT)' END
$$;
COMMENT ON FUNCTION capforecast._ended_addons_sql(text[]) IS 'CTEs that cancel the add-ons of ending subscriptions that have one of the statuses; $1: now.';

CREATE FUNCTION capforecast._end_addons(as_of timestamptz, ids text[], statuses text[], ended_at text)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
	IF cardinality(ids) > 0 THEN
		EXECUTE capforecast._keyed_sql('WITH ending AS (
				SELECT s.vendor_id, s.subscription_id, ' || ended_at || ' AS ended_at
				FROM ' || capforecast._subscriptions_sql() || ' s LEFT JOIN capforecast.subscription_state st USING (subscription_id)
				WHERE s.id = ANY (@key)
			), ' || capforecast._ended_addons_sql(statuses) || ' SELECT $1', ids::text)
		USING as_of;
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._end_addons(timestamptz, text[], text[], text) IS
	'Cancel the add-ons of these subscriptions that have one of the statuses, at an instant given as an expression on s and st.';

-- Needs a CTE "due" as _invoice_sql() does, with credit_cents, credit_currency and the anchor
-- besides.  Lines that add up to nothing make no draft, but the period counts as billed.
-- What becomes of the state is the caller's to write: a row is written once.
CREATE FUNCTION capforecast._draft_sql()
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN NOT capforecast._host_has('billing_history') THEN
		'billed AS (SELECT ''''::text AS subscription_id, now() AS billed_until, 0::bigint AS credit_left, ''''::text AS currency_left WHERE false),
			drafted AS (SELECT WHERE false), refused AS (SELECT ''[]''::jsonb AS problems)'
	ELSE capforecast._invoice_sql() || $sql$, billed AS MATERIALIZED (
			SELECT i.*, c.credit, i.credit_cents - c.credit + greatest(-i.subtotal, 0) AS credit_left,
				CASE WHEN i.subtotal < 0 OR c.same THEN i.invoice_currency ELSE i.credit_currency END AS currency_left,
				CASE WHEN i.renews THEN i.ends END AS billed_until
			FROM invoice i CROSS JOIN LATERAL (SELECT coalesce(i.credit_currency, i.invoice_currency) = i.invoice_currency AS same) s
				CROSS JOIN LATERAL (SELECT s.same, CASE WHEN s.same THEN least(i.credit_cents, greatest(i.subtotal, 0)) ELSE 0 END AS credit) c
			WHERE i.problem IS NULL AND NOT (i.subtotal < 0 AND i.credit_cents > 0 AND NOT c.same)
		), drafted AS (
			INSERT INTO {billing_history} AS h $sql$ || capforecast._host_insert('billing_history', 'vendor_id', 'b.vendor_id',
				'invoice_date', 'b.starts', 'due_date', 'b.starts', 'period_start', 'b.starts', 'period_end', 'b.ends',
				'subtotal_cents', 'b.subtotal', 'total_cents', 'greatest(b.subtotal, 0) - b.credit', 'amount_paid_cents', '0',
				'currency', 'b.invoice_currency', 'status', '''draft''',
				'description', 'CASE WHEN b.renews THEN ''Subscription '' || b.subscription_id ELSE ''Subscription '' || b.subscription_id || '': items'' END',
				'line_items', 'CASE WHEN b.credit > 0 THEN b.lines || jsonb_build_array(jsonb_build_object(''kind'', ''credit'', ''amount_cents'', -b.credit))
					ELSE b.lines END')
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
		), refused AS (
			SELECT coalesce(jsonb_agg(jsonb_build_object('code', 'currency_mismatch', 'subject', 'subscription ' || i.subscription_id)), '[]') AS problems
			FROM invoice i LEFT JOIN billed b USING (subscription_id)
			WHERE b.subscription_id IS NULL AND i.problem IS DISTINCT FROM 'no_price'
		)$sql$ END
$$;
COMMENT ON FUNCTION capforecast._draft_sql() IS
	'CTEs that write the drafts of due subscriptions and the books: their pending items are taken, and the time counts as billed. billed: what is to be written to their states; refused: findings about those that cannot be billed.';

-- due: a query for the CTE of that name; @key stands for the ids in it.
CREATE FUNCTION capforecast._draft(as_of timestamptz, ids text[], due text)
	RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	n_drafts bigint;
	refused jsonb;
BEGIN
	IF cardinality(ids) = 0 OR NOT capforecast._host_has('billing_history') THEN
		RETURN 0;
	END IF;
	EXECUTE capforecast._keyed_sql('WITH due AS MATERIALIZED (' || due || '), ' || capforecast._draft_sql() || $sql$, state AS (
			UPDATE capforecast.subscription_state st
			SET billed_until = coalesce(b.billed_until, st.billed_until), credit_cents = b.credit_left, credit_currency = b.currency_left
			FROM billed b WHERE st.subscription_id = b.subscription_id
		)
		SELECT (SELECT count(*) FROM drafted), (SELECT problems FROM refused)$sql$, ids::text)
	INTO n_drafts, refused USING as_of;
	PERFORM capforecast._report('{}', refused, as_of);
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

-- The time from what is billed through to the end of a period, in periods.  x: a query for
-- subscription_id, vendor_id, tier, is_annual, step, monthly, annual, currency, billed_until,
-- period_end, credit_cents, credit_currency, anchor_local and anchor_zone.
CREATE FUNCTION capforecast._terms_sql(x text)
	RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'SELECT x.subscription_id, x.vendor_id, x.tier, x.is_annual, x.step, capforecast._price(x.is_annual, x.monthly, x.annual) AS price,
			x.currency, x.billed_until AS starts, x.period_end AS ends, (n.n).periods, (n.n).first,
			CASE (n.n).periods WHEN 1 THEN x.period_end ELSE capforecast._boundary(x.anchor_local, x.anchor_zone, (n.n).first + x.step) END AS first_end,
			(n.n).whole_from, true AS renews, x.credit_cents, x.credit_currency, x.anchor_local, x.anchor_zone
		FROM (' || x || ') x
			CROSS JOIN LATERAL (SELECT capforecast._terms(x.anchor_local, x.anchor_zone, x.step, x.billed_until, x.period_end) AS n OFFSET 0) n'
$$;
COMMENT ON FUNCTION capforecast._terms_sql(text) IS 'A query for the CTE due of _draft_sql().';

CREATE FUNCTION capforecast._due_sql()
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT capforecast._terms_sql('SELECT s.subscription_id, s.vendor_id, s.tier, s.is_annual, s.step, t.monthly, t.annual, t.currency, st.billed_until,
			s.period_end, st.credit_cents, st.credit_currency, st.anchor_local, st.anchor_zone
		FROM ' || capforecast._subscriptions_sql() || ' s JOIN capforecast.subscription_state st USING (subscription_id)
			LEFT JOIN ' || capforecast._tiers_sql() || ' t ON t.code = s.tier
		WHERE s.id = ANY (@key) AND ' || capforecast._owed_sql())
$$;
COMMENT ON FUNCTION capforecast._due_sql() IS 'A query for the CTE due of _draft_sql(): what is owed for the periods on the host''s rows.';

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
