-- What a vendor's billing page shows, and the question before something is added.

CREATE FUNCTION capforecast._next_invoice(vendor text, as_of timestamptz)
	RETURNS TABLE (due_at timestamptz, period_start timestamptz, period_end timestamptz, currency text, lines jsonb, subtotal bigint,
		problem text, credit bigint, stripe text, customer text, reason text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
BEGIN
	RETURN QUERY EXECUTE capforecast._keyed_sql($sql$
		WITH sub AS (
			SELECT s.*, st.credit_cents, coalesce(st.anchor_zone, $2) AS zone, coalesce(st.anchor_local, a.anchor) AS anchor,
				st.pending_tier, st.pending_annual, st.pending_at,
				CASE WHEN s.status = 'trial' THEN s.trial_ends_at ELSE s.period_end END AS due_at,
				NOT (s.cancel_at_period_end AND s.status <> 'trial') AS renews
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
				LEFT JOIN capforecast.subscription_state st USING (subscription_id)
				LEFT JOIN LATERAL capforecast._anchor(s.period_start, s.period_end, $2) a ON s.good_period
			WHERE s.vendor_id = @key ORDER BY s.live DESC, s.period_end DESC NULLS LAST LIMIT 1
		), due AS MATERIALIZED (
			SELECT s.subscription_id, s.vendor_id, p.tier, p.is_annual, 1 AS periods, s.renews, s.due_at AS starts,
				CASE WHEN s.status = 'trial' THEN capforecast._boundary(timezone(s.zone, s.due_at), s.zone, p.step)
					ELSE capforecast._boundary(s.anchor, s.zone, capforecast._months_before(s.anchor, s.zone, s.due_at) + p.step) END AS ends
			FROM sub s CROSS JOIN LATERAL (SELECT CASE WHEN s.pending_at <= s.due_at THEN s.pending_tier ELSE s.tier END AS tier,
				CASE WHEN s.pending_at <= s.due_at THEN s.pending_annual ELSE s.is_annual END AS is_annual,
				CASE WHEN CASE WHEN s.pending_at <= s.due_at THEN s.pending_annual ELSE s.is_annual END THEN 12 ELSE 1 END AS step) p
			WHERE s.live AND s.good_period AND s.due_at IS NOT NULL
		), $sql$ || capforecast._invoice_sql() || $sql$
		SELECT s.due_at, d.starts, CASE WHEN d.renews THEN d.ends END, i.currency, i.lines, i.subtotal, i.problem, coalesce(s.credit_cents, 0),
			s.stripe_subscription_id, s.stripe_customer_id,
			CASE WHEN NOT s.live THEN coalesce(s.status, 'not live') WHEN NOT s.good_period THEN 'bad_period'
				WHEN s.due_at IS NULL THEN 'trial_without_end'
				WHEN i.subscription_id IS NULL THEN 'ends_at_period_end' END
		FROM sub s LEFT JOIN due d USING (subscription_id) LEFT JOIN invoice i USING (subscription_id)$sql$, vendor)
	USING as_of, capforecast._setting('billing_timezone');
END
$$;
COMMENT ON FUNCTION capforecast._next_invoice(text, timestamptz) IS 'The next invoice of a vendor as the job would write it; reason: why there is none. No rows: no subscription.';

CREATE FUNCTION capforecast.upcoming_invoice(vendor text, as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.invoice_preview
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	i record;
	draft jsonb;
	customer_balance bigint;
	result capforecast.invoice_preview;
BEGIN
	SELECT * INTO i FROM capforecast._next_invoice(vendor, capforecast._instant(as_of));
	IF NOT FOUND THEN
		PERFORM capforecast._fail('P0002', 'unknown_vendor', format('vendor %s has no subscription', vendor),
			'There is no row for it in the table of subscriptions.', 'Give the vendor''s id as the host''s tables have it.');
	ELSIF i.reason IS NOT NULL THEN
		result.source := 'none: ' || i.reason;
		RETURN result;
	END IF;
	IF i.stripe IS NOT NULL THEN
		SELECT * INTO draft, customer_balance FROM capforecast._stripe_draft(i.stripe, i.customer);
	END IF;
	IF draft IS NOT NULL THEN
		RETURN capforecast._draft_preview(draft);
	ELSIF i.problem IS NOT NULL THEN
		PERFORM capforecast._fail(CASE i.problem WHEN 'no_price' THEN 'P0002' ELSE '22023' END, i.problem,
			CASE i.problem WHEN 'no_price' THEN 'a price of the next invoice is not known' ELSE 'the next invoice has more than one currency' END,
			format('Its lines are %s.', i.lines), 'Set the price in the host''s table, or correct the currency there.');
	END IF;
	result.due_at := i.due_at;
	result.period_start := i.period_start;
	result.period_end := i.period_end;
	result.currency := i.currency;
	result.lines := i.lines;
	result.subtotal_cents := i.subtotal;
	i.credit := i.credit + greatest(-coalesce(customer_balance, 0), 0);
	result.credit_applied_cents := least(i.credit, greatest(i.subtotal, 0));
	result.credit_left_cents := i.credit - result.credit_applied_cents + greatest(-i.subtotal, 0);
	result.amount_due_cents := greatest(i.subtotal, 0) - result.credit_applied_cents + greatest(coalesce(customer_balance, 0), 0);
	result.estimate := i.stripe IS NOT NULL;
	result.source := CASE WHEN result.estimate THEN 'estimate' ELSE 'local' END;
	RETURN result;
END
$$;
COMMENT ON FUNCTION capforecast.upcoming_invoice(text, timestamptz) IS
	'The next invoice of a vendor: by the routine that writes it (source local), Stripe''s own draft (stripe_draft), or what Stripe will about ask for (estimate). Where there will be none every column but source is NULL ("none: reason"), never 0. Errors: P0002 unknown_vendor, no_price; 22023 currency_mismatch.';

CREATE FUNCTION capforecast.upcoming_invoice_json(vendor text, as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
	SELECT to_jsonb(i) FROM capforecast.upcoming_invoice(vendor, as_of) i
$$;
COMMENT ON FUNCTION capforecast.upcoming_invoice_json(text, timestamptz) IS 'upcoming_invoice() as a document.';

CREATE FUNCTION capforecast._open_invoices(vendor text)
	RETURNS bigint LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
DECLARE
	total bigint;
BEGIN
	IF capforecast._host_has('billing_history') THEN
		EXECUTE capforecast._keyed_sql('SELECT coalesce(sum({b:billing_history.total_cents} - coalesce({b:billing_history.amount_paid_cents}, 0)), 0)::bigint
			FROM {billing_history} b WHERE {b:billing_history.vendor_id} = @key AND {b:billing_history.status} = ''open''', vendor) INTO total;
	END IF;
	RETURN total;
END
$$;
COMMENT ON FUNCTION capforecast._open_invoices(text) IS 'What a vendor owes on open invoices, in minor units; NULL where the host keeps none.';

-- Entitled: live, and not one that Stripe says nobody pays for.
CREATE FUNCTION capforecast._entitled(vendor text)
	RETURNS TABLE (entitled boolean, s jsonb, st jsonb)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
BEGIN
	RETURN QUERY EXECUTE capforecast._keyed_sql('SELECT s.live AND coalesce(st.entitled, true), to_jsonb(s), to_jsonb(st)
		FROM ' || capforecast._subscriptions_sql() || ' s LEFT JOIN capforecast.subscription_state st USING (subscription_id)
		WHERE s.vendor_id = @key ORDER BY s.live DESC, s.period_end DESC NULLS LAST LIMIT 1', vendor);
END
$$;
COMMENT ON FUNCTION capforecast._entitled(text) IS 'Whether a vendor may use what it subscribed to, with the rows that say so; no row: no subscription.';

CREATE FUNCTION capforecast._no_vendor(vendor text)
	RETURNS void LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT capforecast._fail('P0002', 'unknown_vendor', format('vendor %s does not exist', vendor),
		'The table of vendors has no such row.', 'Give the vendor''s id as the host''s tables have it.')
$$;
COMMENT ON FUNCTION capforecast._no_vendor(text) IS 'P0002 unknown_vendor.';

CREATE FUNCTION capforecast.usage_summary(vendor text, as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._instant(as_of);
	resources jsonb;
	is_entitled boolean;
	s_row jsonb;
	st_row jsonb;
	s capforecast._subscription_row;
	st capforecast.subscription_state;
	w record;
	invoice capforecast.invoice_preview;
BEGIN
	SELECT e.entitled, e.s, e.st INTO is_entitled, s_row, st_row FROM capforecast._entitled(vendor) e;
	s := jsonb_populate_record(NULL::capforecast._subscription_row, s_row);
	st := jsonb_populate_record(NULL::capforecast.subscription_state, st_row);
	SELECT jsonb_object_agg(u.resource, jsonb_build_object('used', u.used, 'limit', u.quota, 'is_unlimited', u.known AND u.quota IS NULL,
			'remaining', CASE WHEN u.quota IS NOT NULL THEN greatest(u.quota - u.used, 0) END,
			'percent', CASE WHEN u.quota > 0 THEN round(100.0 * u.used / u.quota, 2) END,
			'over_by', CASE WHEN u.quota IS NOT NULL THEN greatest(u.used - u.quota, 0) END,
			'can_add', is_entitled IS TRUE AND u.known AND (u.quota IS NULL OR u.used < u.quota)))
	INTO resources FROM capforecast._usage(vendor, now) u;
	IF resources IS NULL THEN
		PERFORM capforecast._no_vendor(vendor);
	ELSIF is_entitled IS NULL THEN
		RETURN jsonb_build_object('vendor_id', vendor, 'as_of', now, 'entitled', false, 'status', NULL, 'tier', NULL, 'resources', resources,
			'open_invoices_cents', capforecast._open_invoices(vendor));
	END IF;
	SELECT * INTO w FROM capforecast._windows_of(s, st, now);
	BEGIN
		invoice := capforecast.upcoming_invoice(vendor, now);
	EXCEPTION WHEN no_data_found OR invalid_parameter_value THEN
		invoice := NULL;	-- no price, or several currencies: the amount is not known
	END;
	RETURN jsonb_build_object('vendor_id', s.vendor_id, 'as_of', now, 'entitled', is_entitled, 'status', s.status,
		'tier', (SELECT jsonb_build_object('code', t.code, 'name', t.name, 'source', t.source) FROM capforecast.get_tier_info(s.tier) t),
		'is_annual', s.is_annual, 'is_trial', s.status = 'trial',
		'trial_days_left', CASE WHEN s.status = 'trial' THEN greatest(ceil(extract(epoch FROM s.trial_ends_at - now) / 86400), 0) END,
		'usage_window', jsonb_build_object('start', w.usage_start, 'end', w.usage_end),
		'billing_period', jsonb_build_object('start', w.billing_start, 'end', w.billing_end),
		'days_remaining', greatest(floor(extract(epoch FROM w.billing_end - now) / 86400), 0),
		'cancel_at_period_end', s.cancel_at_period_end,
		'pending_change', CASE WHEN st.pending_tier IS NOT NULL THEN
			jsonb_build_object('tier', st.pending_tier, 'is_annual', st.pending_annual, 'effective_at', st.pending_at) END,
		'resources', resources,
		'addons', (SELECT coalesce(jsonb_agg(jsonb_build_object('code', a.code, 'quantity', a.quantity, 'status', a.status)), '[]')
			FROM capforecast._addons_of(s.vendor_id) a),
		'next_invoice_cents', invoice.amount_due_cents, 'next_invoice_at', invoice.due_at, 'currency', invoice.currency,
		'credit_cents', coalesce(st.credit_cents, 0), 'open_invoices_cents', capforecast._open_invoices(vendor));
END
$$;
COMMENT ON FUNCTION capforecast.usage_summary(text, timestamptz) IS
	'The billing page of a vendor as one document: use against limits (add-ons included; limit and remaining NULL where unlimited), tier, status, windows, pending change, add-ons, the next invoice (NULL: not known or none), what is open. Where the job that rolls windows is late, the window that holds as_of is shown, with the orders counted in it. P0002 for an unknown vendor.';

CREATE FUNCTION capforecast._windows_of(s capforecast._subscription_row, st capforecast.subscription_state, instant timestamptz,
		OUT usage_start timestamptz, OUT usage_end timestamptz, OUT billing_start timestamptz, OUT billing_end timestamptz)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	zone text := coalesce(st.anchor_zone, capforecast._setting('billing_timezone'));
	anchor timestamp := coalesce(st.anchor_local, (capforecast._anchor(s.period_start, s.period_end, zone)).anchor);
	n integer := capforecast._months_before(anchor, zone, instant);
	first integer := capforecast._months_before(anchor, zone, s.period_end);
BEGIN
	usage_start := coalesce(st.usage_start, s.period_start);
	usage_end := coalesce(st.usage_end, s.period_end);
	billing_start := s.period_start;
	billing_end := s.period_end;
	IF s.live AND instant >= usage_end THEN
		usage_start := greatest(usage_end, capforecast._boundary(anchor, zone, n));
		usage_end := capforecast._boundary(anchor, zone, n + 1);
	END IF;
	IF s.live AND instant >= billing_end THEN
		n := first + (n - first) / s.step * s.step;
		billing_start := greatest(billing_end, capforecast._boundary(anchor, zone, n));
		billing_end := capforecast._boundary(anchor, zone, n + s.step);
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._windows_of(capforecast._subscription_row, capforecast.subscription_state, timestamptz) IS
	'The usage window and the billing period that hold an instant, rolled in thought where the job is late.';

CREATE FUNCTION capforecast.check_limit(vendor text, resource text, delta bigint DEFAULT 1, lock boolean DEFAULT false,
		as_of timestamptz DEFAULT NULL,
		OUT allowed boolean, OUT used bigint, OUT "limit" bigint, OUT remaining bigint, OUT reason text)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	now timestamptz := capforecast._now(as_of);
	wanted text := CASE resource WHEN 'orders_monthly' THEN 'orders' ELSE resource END;
	is_entitled boolean;
	u record;
BEGIN
	PERFORM capforecast._check_choice('resource', wanted, '{products,orders,team_members}');
	IF delta IS NULL THEN
		PERFORM capforecast._fail('22023', 'bad_argument', 'delta must be a number', 'It is NULL.', 'Leave it out for 1.');
	END IF;
	IF lock THEN
		IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
			PERFORM capforecast._fail('25001', 'isolation', 'check_limit with a lock needs read committed',
				'After waiting it must see what the others have added.', 'Run the transaction at READ COMMITTED.');
		END IF;
		PERFORM pg_advisory_xact_lock(hashtextextended(format('capforecast %s %s', wanted, vendor), 0));
	END IF;
	SELECT e.entitled INTO is_entitled FROM capforecast._entitled(vendor) e;
	SELECT * INTO u FROM capforecast._usage(vendor, now) x WHERE x.resource = wanted;
	IF NOT FOUND THEN
		PERFORM capforecast._no_vendor(vendor);
	END IF;
	used := u.used;
	"limit" := u.quota;
	remaining := CASE WHEN u.quota IS NOT NULL THEN greatest(u.quota - u.used, 0) END;
	reason := CASE WHEN is_entitled IS NULL THEN 'no_subscription' WHEN NOT is_entitled THEN 'not_entitled' WHEN NOT u.known THEN 'unknown_tier'
		WHEN u.quota IS NULL THEN 'unlimited' WHEN u.used + delta > u.quota THEN 'limit_reached' ELSE 'within_limit' END;
	allowed := reason IN ('unlimited', 'within_limit');
END
$$;
COMMENT ON FUNCTION capforecast.check_limit(text, text, bigint, boolean, timestamptz) IS
	'May a vendor add delta products, orders or team_members? With lock, those who ask for the same vendor and resource wait for each other until they commit, so that check and insert in one transaction cannot pass the limit. limit NULL: unlimited, or (reason) not known. Errors: P0002 unknown vendor, 22023 unknown resource, 25001 lock above READ COMMITTED.';
