-- One vendor: its subscription and what is known of it, its usage against its limits, its
-- requests.

CREATE FUNCTION capforecast._no_subscription(vendor text)
	RETURNS void LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT capforecast._fail('P0002', 'unknown_vendor', format('vendor %s has no subscription', coalesce(vendor, 'NULL')),
		'There is no row for it in the table of subscriptions.', 'Give the vendor''s id as the host''s tables have it.')
$$;
COMMENT ON FUNCTION capforecast._no_subscription(text) IS 'P0002 unknown_vendor.';

CREATE TYPE capforecast._seen_row AS (
	s capforecast._subscription_row, st capforecast.subscription_state, billed capforecast.billed_period, price bigint, currency text);
COMMENT ON TYPE capforecast._seen_row IS 'What _follow() is asked about.';

CREATE TYPE capforecast._standing AS (
	s capforecast._subscription_row, st capforecast.subscription_state, billed capforecast.billed_period, verdict text);
COMMENT ON TYPE capforecast._standing IS
	'Where a subscription stands: its row (the period as it is followed), its state, the last billed period, and the verdict of _follow().';

-- The newest live row, should there be several.  The row is followed in thought: what the
-- host has moved since a job last ran counts, and nothing is written.
CREATE FUNCTION capforecast._look(vendor text, as_of timestamptz)
	RETURNS capforecast._standing
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	seen capforecast._seen_row;
	s capforecast._subscription_row;
	books capforecast._books;
BEGIN
	BEGIN
		seen := capforecast._host_row(NULL::capforecast._seen_row, $sql$
			SELECT {_row_sql()}, st, p::capforecast.billed_period, capforecast._price(s.is_annual, t.monthly, t.annual), t.currency
			FROM {_subscriptions_sql()} s
				LEFT JOIN capforecast.subscription_state st USING (subscription_id)
				LEFT JOIN LATERAL (SELECT * FROM capforecast.billed_period p WHERE p.subscription_id = s.subscription_id
					ORDER BY p.ends DESC LIMIT 1) p ON true
				LEFT JOIN {_tiers_sql()} t ON t.code = s.tier
			WHERE s.vendor_id = {$1:vendor_subscriptions.vendor_id} ORDER BY s.live DESC, s.period_end DESC NULLS LAST LIMIT 1$sql$, vendor);
	EXCEPTION WHEN invalid_text_representation OR numeric_value_out_of_range THEN
		seen := NULL;	-- no id of the host's type
	END;
	s := seen.s;
	IF s.subscription_id IS NULL THEN
		RETURN NULL;
	END IF;
	books := capforecast._follow(s, seen.st, seen.billed, seen.price, seen.currency, as_of);
	IF books.verdict = 'moved_back' THEN
		s.period_start := (seen.st).period_start;
		s.period_end := (seen.st).period_end;
		s.tier := coalesce(books.tier, s.tier);
		s.is_annual := coalesce(books.is_annual, s.is_annual);
		s.step := CASE WHEN s.is_annual THEN 12 ELSE 1 END;
	END IF;
	RETURN ROW(s, books.st, books.billed, books.verdict);
END
$$;
COMMENT ON FUNCTION capforecast._look(text, timestamptz) IS 'Where a vendor''s subscription stands, without writing; NULL where it has none.';

-- A lock is taken by a statement of its own, so that what follows sees what was committed
-- while it waited.
CREATE FUNCTION capforecast._lock_vendor(vendor text)
	RETURNS text[] LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT array_agg(l.id) FROM capforecast._host_write(NULL::text, 'SELECT {s:vendor_subscriptions.id}::text FROM {vendor_subscriptions} s
		WHERE {s:vendor_subscriptions.vendor_id} = {$1:vendor_subscriptions.vendor_id}
		ORDER BY {s:vendor_subscriptions.id} FOR NO KEY UPDATE', vendor) l(id));
EXCEPTION WHEN invalid_text_representation OR numeric_value_out_of_range THEN
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION capforecast._lock_vendor(text) IS 'Lock the subscriptions of a vendor to the end of the transaction; returns their ids, NULL where there is none.';

CREATE FUNCTION capforecast._take(vendor text, as_of timestamptz, until timestamptz)
	RETURNS capforecast._standing LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	ids text[] := capforecast._lock_vendor(vendor);
	v capforecast._standing;
BEGIN
	IF ids IS NULL THEN
		PERFORM capforecast._no_subscription(vendor);
	END IF;
	v := capforecast._look(vendor, as_of);
	IF v.verdict <> 'kept' THEN
		PERFORM capforecast._see(as_of, ids, until);
		v := capforecast._look(vendor, as_of);
	END IF;
	RETURN v;
END
$$;
COMMENT ON FUNCTION capforecast._take(text, timestamptz, timestamptz) IS
	'Where a vendor''s subscription stands, under its lock and written down: for what is going to change it. P0002 unknown_vendor.';

CREATE FUNCTION capforecast._require_live(s capforecast._subscription_row)
	RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT s.live OR NOT s.good_period THEN
		PERFORM capforecast._fail('55000', 'not_live', format('subscription %s is not live', s.subscription_id),
			format('Its status is %s.', coalesce(s.status, 'not known') || CASE WHEN s.good_period THEN '' ELSE ', its period is not valid' END),
			'A vendor whose subscription has ended needs another one.');
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._require_live(capforecast._subscription_row) IS '55000 not_live unless trial, active or past_due with a valid period.';

CREATE FUNCTION capforecast._left(v capforecast._standing, as_of timestamptz, proration text DEFAULT 'second',
		OUT part numeric, OUT whole numeric, OUT at timestamptz)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT x.part, x.whole, x.at
	FROM capforecast._terms((v.st).anchor_local, (v.st).anchor_zone, (v.s).step, (v.s).period_start, (v.s).period_end) t
		CROSS JOIN LATERAL capforecast._share(as_of, (v.s).period_start, (v.s).period_end,
			CASE WHEN (v.billed).billed_by = 'us' AND t.periods = 1 THEN t.whole_from ELSE (v.s).period_start END, (v.st).anchor_zone, proration) x
$$;
COMMENT ON FUNCTION capforecast._left(capforecast._standing, timestamptz, text) IS
	'What is left of the billing period of a live subscription: part of whole, from at on.';

-- Of several invoices over one time those that are void do not count; what stands beside the
-- plan's is none of them, nor is a draft of ours that billed another period.  NULL ref: none found.
CREATE TYPE capforecast._invoice_state AS (ref text, state text);
COMMENT ON TYPE capforecast._invoice_state IS 'An invoice of the host: its id, and paid, unpaid or void.';

CREATE FUNCTION capforecast._invoice_of(vendor text, billed capforecast.billed_period, at timestamptz, ref text)
	RETURNS capforecast._invoice_state LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
	IF NOT capforecast._host_has('billing_history') THEN
		RETURN NULL;
	END IF;
	RETURN capforecast._host_row(NULL::capforecast._invoice_state, $sql$
		SELECT x.id, x.state FROM (
			SELECT {b:billing_history.id}::text AS id, CASE WHEN {b:billing_history.status} = 'void' THEN 'void'
				WHEN {_paid_sql()} THEN 'paid' ELSE 'unpaid' END AS state
			FROM {billing_history} b
			WHERE {b:billing_history.vendor_id} = {$1:billing_history.vendor_id} AND CASE WHEN $2 IS NOT NULL THEN {b:billing_history.id}::text = $2
				ELSE {b:billing_history.period_start} <= $5 AND {b:billing_history.period_end} > $5
					AND {b:billing_history.period_start} < $3 + interval '1 day' AND {b:billing_history.period_end} > $4 - interval '1 day'
					AND (jsonb_path_exists({b:billing_history.line_items}::jsonb, '$[*] ? (@.kind == "tier")')
						OR NOT jsonb_path_exists({b:billing_history.line_items}::jsonb, '$[*].kind'))
					AND NOT EXISTS (SELECT FROM capforecast.billed_period o
						WHERE o.subscription_id = $6 AND o.starts <> $3 AND o.invoice_ref = {b:billing_history.id}::text) END) x
		ORDER BY array_position('{unpaid,paid,void}', x.state) LIMIT 1$sql$, vendor, ref, billed.starts, billed.ends, at, billed.subscription_id);
END
$$;
COMMENT ON FUNCTION capforecast._invoice_of(text, capforecast.billed_period, timestamptz, text) IS
	'The host''s invoice with this id, else the one that bills the plan at an instant of the billed period: its id, and paid, unpaid or void.';

-- What is given back for amount, which was billed by the last open item of these kinds and
-- code, else with the period.  Nothing is withheld of a line that is on no invoice yet.
CREATE FUNCTION capforecast._credit(v capforecast._standing, kinds text[], code text, amount bigint, at timestamptz,
		OUT given bigint, OUT more jsonb, OUT is_open boolean)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	item capforecast.pending_invoice_item;
	invoice capforecast._invoice_state;
BEGIN
	SELECT * INTO item FROM capforecast.pending_invoice_item i
	WHERE i.subscription_id = (v.s).subscription_id AND i.kind = ANY (kinds) AND i.code = _credit.code
	  AND i.service_end = (v.s).period_end AND i.service_start >= (v.s).period_start
	ORDER BY i.id DESC LIMIT 1;
	given := amount;
	more := '{}';
	is_open := item.id IS NOT NULL AND item.invoiced_at IS NULL;
	IF amount <= 0 OR is_open OR (item.id IS NOT NULL AND item.invoice_ref IS NULL) THEN
		RETURN;
	END IF;
	invoice := capforecast._invoice_of((v.s).vendor_id, v.billed, at, coalesce(item.invoice_ref, (v.billed).invoice_ref));
	IF invoice.state = 'unpaid' THEN
		given := 0;
		more := jsonb_build_object('credit_withheld', 'unpaid_period', 'withheld_cents', amount, 'invoice', invoice.ref);
	ELSIF invoice.state = 'void' THEN
		given := 0;
		more := '{"credit_withheld": "void_invoice"}';
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._credit(capforecast._standing, text[], text, bigint, timestamptz) IS
	'How much of a credit is given at once; what is on an unpaid invoice is withheld until that is paid (more says so), on a void one for good. is_open: what it credits is on no invoice yet.';

-- The window and the period that hold an instant, rolled in thought where the job is late.
CREATE FUNCTION capforecast._windows_of(v capforecast._standing, instant timestamptz,
		OUT usage_start timestamptz, OUT usage_end timestamptz, OUT billing_start timestamptz, OUT billing_end timestamptz)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	usage_start := coalesce((v.st).usage_start, (v.s).period_start);
	usage_end := coalesce((v.st).usage_end, (v.s).period_end);
	billing_start := (v.s).period_start;
	billing_end := (v.s).period_end;
	IF (v.s).live AND instant >= usage_end THEN
		SELECT w.starts, w.ends INTO usage_start, usage_end
		FROM capforecast._window((v.st).anchor_local, (v.st).anchor_zone, usage_end, 1, instant) w;
	END IF;
	IF (v.s).live AND instant >= billing_end THEN
		SELECT w.starts, w.ends INTO billing_start, billing_end
		FROM capforecast._window((v.st).anchor_local, (v.st).anchor_zone, billing_end, (v.s).step, instant) w;
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._windows_of(capforecast._standing, timestamptz) IS 'The usage window and the billing period that hold an instant.';

CREATE TYPE capforecast._usage_row AS (resource text, used bigint, quota bigint, known boolean);
COMMENT ON TYPE capforecast._usage_row IS 'Use of a resource against its limit (NULL: unlimited where it is known).';

CREATE FUNCTION capforecast._usage(vendor text, v capforecast._standing, as_of timestamptz, tier text DEFAULT NULL)
	RETURNS SETOF capforecast._usage_row
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	is_late constant boolean := ((v.s).live AND (v.s).good_period AND (v.st).usage_end <= as_of) IS TRUE;
	starts constant timestamptz := CASE WHEN is_late THEN (capforecast._windows_of(v, as_of)).usage_start END;
BEGIN
	RETURN QUERY SELECT * FROM capforecast._host_rows(NULL::capforecast._usage_row, $sql$
		WITH vendor AS MATERIALIZED (
			SELECT {v:vendors.id} AS id FROM {vendors} v WHERE {v:vendors.id} = {$1:vendors.id}
		), span AS (
			SELECT ''::text AS subscription_id, v.id AS vendor_id, $5::timestamptz AS starts, $2::timestamptz AS ends,
				NULL::timestamptz AS new_start, NULL::timestamptz AS new_end FROM vendor v WHERE $4
		), {_counted_sql()}, extra AS MATERIALIZED (
			SELECT a.resource, sum(a.quantity * a.per_unit)::bigint AS extra FROM {_addons_sql()} a
			WHERE a.vendor_id IN (SELECT v.id FROM vendor v) AND a.status IN ('active', 'cancelling') GROUP BY 1
		)
		SELECT r.resource, r.used, CASE WHEN $6 THEN capforecast._quota(r.own, r.plan, g.extra) END,
			$6 AND (t.code IS NOT NULL OR (r.own >= -1) IS TRUE)
		FROM vendor v LEFT JOIN {_tiers_sql()} t ON t.code = $3
			CROSS JOIN LATERAL (VALUES
				(1, 'products', {if:products}(SELECT count(*) FROM {products} p WHERE {p:products.vendor_id} = {$1:products.vendor_id}){else}NULL::bigint{end}, $7::bigint, t.products),
				(2, 'orders', coalesce((SELECT c.closed FROM counted c), CASE WHEN $4 OR NOT $6 THEN 0 ELSE $8::bigint END), $9::bigint, t.orders),
				(3, 'team_members', {if:vendor_users}(SELECT count(*) FROM {vendor_users} u
					WHERE {u:vendor_users.vendor_id} = {$1:vendor_users.vendor_id} AND {u:vendor_users.is_active}){else}NULL::bigint{end},
					$10::bigint, t.team_members)
			) r(position, resource, used, own, plan)
			LEFT JOIN extra g ON g.resource = r.resource
		ORDER BY r.position$sql$, vendor, as_of, coalesce(tier, (v.s).tier), is_late, starts, (v.s).subscription_id IS NOT NULL,
		(v.s).own_products, (v.s).orders_counter, (v.s).own_orders, (v.s).own_team_members);
EXCEPTION WHEN invalid_text_representation OR numeric_value_out_of_range THEN
	RETURN;		-- no id of the host's type
END
$$;
COMMENT ON FUNCTION capforecast._usage(text, capforecast._standing, timestamptz, text) IS
	'What a vendor uses and may use (quota NULL: unlimited if known, else not known), with its own tier or another one. No rows: no such vendor.';

CREATE FUNCTION capforecast._replay(operation text, vendor_id text, idempotency_key text, request jsonb)
	RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	earlier capforecast.request_log;
BEGIN
	SELECT * INTO earlier FROM capforecast.request_log r
	WHERE (r.operation, r.vendor_id, r.idempotency_key) = (_replay.operation, _replay.vendor_id, _replay.idempotency_key);
	IF earlier.request <> request THEN
		PERFORM capforecast._fail('22023', 'idempotency_key_mismatch', 'the idempotency key was used for another request',
			format('It was %s.', earlier.request), 'Make a key for each request, and send it again only with the same one.');
	END IF;
	RETURN earlier.response;
END
$$;
COMMENT ON FUNCTION capforecast._replay(text, text, text, jsonb) IS
	'The answer that a request with this key had; NULL: it is a first one. Called under the lock of the vendor''s subscription.';

CREATE FUNCTION capforecast._remember(operation text, vendor_id text, idempotency_key text, request jsonb, response jsonb)
	RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO capforecast.request_log (operation, vendor_id, idempotency_key, request, response)
	SELECT operation, vendor_id, idempotency_key, request, response WHERE idempotency_key IS NOT NULL
$$;
COMMENT ON FUNCTION capforecast._remember(text, text, text, jsonb, jsonb) IS 'Keep the answer to a request that has a key.';

-- Buying and cancelling add-ons.  The vendor's subscription is locked first, so that
-- quantities are never read and written by two at once.

CREATE TYPE capforecast._addon_row AS (
	id text, code text, status text, quantity bigint, unit_price bigint, currency text, billing_period text, period_start timestamptz,
	stripe_item text, stripe_price text);
COMMENT ON TYPE capforecast._addon_row IS 'A live add-on of a vendor.';

CREATE FUNCTION capforecast._addons_of(vendor text, addon text DEFAULT NULL)
	RETURNS SETOF capforecast._addon_row
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
	RETURN QUERY SELECT * FROM capforecast._host_rows(NULL::capforecast._addon_row, $sql$
		SELECT a.id, a.code::text, a.status::text, a.quantity, a.unit_price, a.currency, a.billing_period::text, a.period_start, a.stripe_item::text,
			a.stripe_price::text
		FROM {_addons_sql()} a
		WHERE a.vendor_id = {$1:vendor_subscriptions.vendor_id} AND a.status IN ('pending', 'active', 'cancelling') AND a.code = coalesce($2, a.code)
		ORDER BY a.code$sql$, vendor, addon);
END
$$;
COMMENT ON FUNCTION capforecast._addons_of(text, text) IS 'The live add-ons of a vendor, or one of them.';
