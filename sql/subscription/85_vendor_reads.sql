-- What a vendor's billing page shows, and the question before something is added.

CREATE TYPE capforecast._next_invoice AS (
	due_at timestamptz, period_start timestamptz, period_end timestamptz, currency text, lines jsonb, subtotal bigint, problem text,
	reason text, estimate boolean);
COMMENT ON TYPE capforecast._next_invoice IS 'The next invoice of a vendor as the job would write it; reason: why there is none.';

-- When the next invoice comes, of which tier, and if at all: NULL reason.  A trial becomes
-- what trial_action says, where the jobs run that do it.
CREATE FUNCTION capforecast._next_terms(v capforecast._standing, OUT due_at timestamptz, OUT tier text, OUT annual boolean,
		OUT renews boolean, OUT reason text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	action text := capforecast._setting('trial_action');
BEGIN
	tier := (v.s).tier;
	annual := (v.s).is_annual;
	renews := true;
	IF NOT (v.s).live THEN
		reason := coalesce((v.s).status, 'not live');
	ELSIF NOT (v.s).good_period THEN
		reason := 'bad_period';
	ELSIF (v.s).status = 'trial' THEN
		-- what was billed beyond the trial is not billed again
		due_at := greatest((v.s).trial_ends_at, CASE (v.billed).billed_by WHEN 'nobody' THEN (v.billed).previous_end ELSE (v.billed).ends END);
		IF (v.s).trial_ends_at IS NULL THEN
			due_at := NULL;
			reason := 'trial_without_end';
		ELSIF (v.s).cancel_at_period_end THEN
			due_at := (v.s).trial_ends_at;
			renews := false;
			reason := 'ends with the trial';
		ELSIF (v.s).managed OR NOT capforecast._setting('manage_subscriptions')::boolean THEN
			RETURN;
		ELSIF action = 'expire' THEN
			due_at := (v.s).trial_ends_at;
			renews := false;
			reason := 'the trial expires';
		ELSIF action LIKE 'downgrade:%' THEN
			tier := split_part(action, ':', 2);
		END IF;
	ELSE
		due_at := (v.st).billed_until;
		IF (v.st).pending_at <= due_at THEN
			tier := (v.st).pending_tier;
			annual := (v.st).pending_annual;
		END IF;
		IF (v.s).cancel_at_period_end AND NOT due_at < (v.s).period_end THEN
			renews := false;
			reason := 'ends_at_period_end';
		END IF;
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._next_terms(capforecast._standing) IS
	'What the next invoice of a vendor is for. renews false: only for what is pending; reason: why there is none, unless something is pending.';

-- A job that is late bills all periods that have begun.
CREATE FUNCTION capforecast._next_invoice(v capforecast._standing, as_of timestamptz)
	RETURNS capforecast._next_invoice
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	next record := capforecast._next_terms(v);
	in_trial constant boolean := (v.s).status = 'trial';
	zone constant text := (v.st).anchor_zone;
	step constant integer := CASE WHEN next.annual THEN 12 ELSE 1 END;
	anchor constant timestamp := CASE WHEN in_trial THEN capforecast._anchor_at((v.st).anchor_local, zone, next.due_at, next.due_at > (v.s).trial_ends_at)
		ELSE (v.st).anchor_local END;
	ends timestamptz := (v.s).period_end;
	terms record;
	result capforecast._next_invoice;
BEGIN
	IF next.due_at IS NULL THEN
		result.reason := next.reason;
		RETURN result;
	END IF;
	IF in_trial OR next.due_at = ends OR (as_of >= ends AND (v.st).pending_at <= as_of IS NOT TRUE) THEN
		ends := (SELECT w.ends FROM capforecast._window(anchor, zone, CASE WHEN in_trial THEN next.due_at ELSE ends END, step, as_of) w);
	END IF;
	SELECT * INTO terms FROM capforecast._terms(anchor, zone, step, next.due_at, ends);
	SELECT * INTO result FROM capforecast._host_row(NULL::capforecast._next_invoice, $sql$
		WITH due AS MATERIALIZED (
			SELECT s.subscription_id, s.vendor_id, $2::text AS tier, $3::boolean AS is_annual, capforecast._price($3, t.monthly, t.annual) AS price,
				t.currency, $4::timestamptz AS starts, $5::timestamptz AS ends, $6::integer AS periods, $7::timestamptz AS first_end,
				$8::timestamptz AS whole_from, $9::boolean AS renews
			FROM {_subscriptions_sql()} s LEFT JOIN {_tiers_sql()} t ON t.code = $2
			WHERE s.id = {$1:vendor_subscriptions.id}
		), {_invoice_sql()}
		SELECT i.starts, i.starts, CASE WHEN i.renews THEN i.ends END, i.invoice_currency, i.lines, i.subtotal, i.problem, NULL::text, NULL::boolean
		FROM invoice i$sql$, (v.s).subscription_id, next.tier, next.annual, next.due_at, ends, terms.periods,
		CASE terms.periods WHEN 1 THEN ends ELSE capforecast._boundary(anchor, zone, terms.first + step) END, terms.whole_from, next.renews);
	IF result.due_at IS NULL THEN
		result.reason := coalesce(next.reason, 'nothing is due');
	END IF;
	result.estimate := (v.s).managed OR (in_trial AND NOT capforecast._setting('manage_subscriptions')::boolean);
	RETURN result;
END
$$;
COMMENT ON FUNCTION capforecast._next_invoice(capforecast._standing, timestamptz) IS 'The next invoice of a vendor, by the routine that writes it.';

CREATE FUNCTION capforecast._preview(v capforecast._standing, as_of timestamptz)
	RETURNS capforecast.invoice_preview
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	i capforecast._next_invoice := capforecast._next_invoice(v, as_of);
	credit bigint;
	draft jsonb;
	customer_balance bigint;
	result capforecast.invoice_preview;
BEGIN
	IF i.reason IS NOT NULL THEN
		result.source := 'none: ' || i.reason;
		RETURN result;
	END IF;
	IF (v.s).managed THEN
		SELECT * INTO draft, customer_balance FROM capforecast._stripe_draft((v.s).stripe_subscription_id, (v.s).stripe_customer_id);
	END IF;
	IF draft IS NOT NULL THEN
		RETURN capforecast._draft_preview(draft);
	ELSIF i.problem IS NOT NULL THEN
		PERFORM capforecast._fail(CASE i.problem WHEN 'no_price' THEN 'P0002' ELSE '22023' END, i.problem,
			CASE i.problem WHEN 'no_price' THEN 'a price of the next invoice is not known' ELSE 'the next invoice has more than one currency' END,
			format('Its lines are %s.', i.lines), 'Set the price in the host''s table, or correct the currency there.');
	END IF;
	credit := CASE WHEN coalesce((v.st).credit_currency, i.currency) = i.currency THEN (v.st).credit_cents ELSE 0 END
		+ greatest(-coalesce(customer_balance, 0), 0);
	result.due_at := i.due_at;
	result.period_start := i.period_start;
	result.period_end := i.period_end;
	result.currency := i.currency;
	result.lines := i.lines;
	result.subtotal_cents := i.subtotal;
	result.credit_applied_cents := least(credit, greatest(i.subtotal, 0));
	result.credit_left_cents := credit - result.credit_applied_cents + greatest(-i.subtotal, 0);
	result.amount_due_cents := greatest(i.subtotal, 0) - result.credit_applied_cents + greatest(coalesce(customer_balance, 0), 0);
	result.estimate := i.estimate;
	result.source := CASE WHEN i.estimate THEN 'estimate' ELSE 'local' END;
	RETURN result;
END
$$;
COMMENT ON FUNCTION capforecast._preview(capforecast._standing, timestamptz) IS 'What upcoming_invoice() returns, of a subscription that was looked at.';

CREATE FUNCTION capforecast.upcoming_invoice(vendor text, as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.invoice_preview
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._instant(as_of);
	v capforecast._standing := capforecast._look(vendor, now);
BEGIN
	IF v IS NULL THEN
		PERFORM capforecast._no_subscription(vendor);
	END IF;
	RETURN capforecast._preview(v, now);
END
$$;
COMMENT ON FUNCTION capforecast.upcoming_invoice(text, timestamptz) IS
	'The next invoice of a vendor: by the routine that writes it (source local), Stripe''s own draft (stripe_draft), or what will about be asked for (estimate: where Stripe bills, and for a trial where capforecast does not manage it). Where there will be none every column but source is NULL ("none: reason"), never 0. Errors: P0002 unknown_vendor, no_price; 22023 currency_mismatch.
Example: SELECT * FROM capforecast.upcoming_invoice((SELECT s.vendor_id::text FROM vendor_subscriptions s WHERE s.status = ''active'' LIMIT 1));';

CREATE FUNCTION capforecast.upcoming_invoice_json(vendor text, as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
	SELECT to_jsonb(i) FROM capforecast.upcoming_invoice(vendor, as_of) i
$$;
COMMENT ON FUNCTION capforecast.upcoming_invoice_json(text, timestamptz) IS 'upcoming_invoice() as a document.
Example: SELECT capforecast.upcoming_invoice_json((SELECT s.vendor_id::text FROM vendor_subscriptions s WHERE s.status = ''active'' LIMIT 1));';

CREATE FUNCTION capforecast.quote_tier_change_json(vendor text, tier text, timing text DEFAULT 'auto', annual boolean DEFAULT NULL,
		proration text DEFAULT 'second', keep_cancel boolean DEFAULT false, as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
	SELECT to_jsonb(q) FROM capforecast.quote_tier_change(vendor, tier, timing, annual, proration, keep_cancel, as_of) q
$$;
COMMENT ON FUNCTION capforecast.quote_tier_change_json(text, text, text, boolean, text, boolean, timestamptz) IS 'quote_tier_change() as a document.
Example: SELECT capforecast.quote_tier_change_json((SELECT s.vendor_id::text FROM vendor_subscriptions s WHERE s.tier = ''essential'' AND s.status = ''active'' LIMIT 1), ''professional'');';

CREATE FUNCTION capforecast.quote_addon_json(vendor text, addon text, quantity integer DEFAULT 1, as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
	SELECT to_jsonb(q) FROM capforecast.quote_addon(vendor, addon, quantity, as_of) q
$$;
COMMENT ON FUNCTION capforecast.quote_addon_json(text, text, integer, timestamptz) IS 'quote_addon() as a document.
Example: SELECT capforecast.quote_addon_json((SELECT s.vendor_id::text FROM vendor_subscriptions s WHERE s.tier = ''professional'' AND s.status = ''active'' LIMIT 1), ''extra_products'');';

CREATE FUNCTION capforecast.quote_addon_cancel_json(vendor text, addon text, quantity integer DEFAULT NULL, timing text DEFAULT 'period_end',
		as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
	SELECT to_jsonb(q) FROM capforecast.quote_addon_cancel(vendor, addon, quantity, timing, as_of) q
$$;
COMMENT ON FUNCTION capforecast.quote_addon_cancel_json(text, text, integer, text, timestamptz) IS 'quote_addon_cancel() as a document.
Example: SELECT capforecast.quote_addon_cancel_json((SELECT a.vendor_id::text FROM vendor_addons a WHERE a.status = ''active'' LIMIT 1), ''extra_products'');';

CREATE FUNCTION capforecast.quote_cancellation_json(vendor text, timing text DEFAULT 'period_end', as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
	SELECT to_jsonb(q) FROM capforecast.quote_cancellation(vendor, timing, as_of) q
$$;
COMMENT ON FUNCTION capforecast.quote_cancellation_json(text, text, timestamptz) IS 'quote_cancellation() as a document.
Example: SELECT capforecast.quote_cancellation_json((SELECT s.vendor_id::text FROM vendor_subscriptions s WHERE s.status = ''active'' LIMIT 1));';

CREATE FUNCTION capforecast._open_invoices(vendor text)
	RETURNS bigint LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN CASE WHEN capforecast._host_has('billing_history') THEN capforecast._host_row(NULL::bigint, $sql$
		SELECT coalesce(sum({b:billing_history.total_cents} - coalesce({b:billing_history.amount_paid_cents}, 0)), 0)::bigint
		FROM {billing_history} b WHERE {b:billing_history.vendor_id} = {$1:billing_history.vendor_id}
			AND {b:billing_history.status} IN ('draft', 'open')$sql$, vendor) END;
END
$$;
COMMENT ON FUNCTION capforecast._open_invoices(text) IS 'What a vendor owes on invoices that are open or drafts, in minor units; NULL where the host keeps none.';

CREATE FUNCTION capforecast._no_vendor(vendor text)
	RETURNS void LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT capforecast._fail('P0002', 'unknown_vendor', format('vendor %s does not exist', coalesce(vendor, 'NULL')),
		'The table of vendors has no such row.', 'Give the vendor''s id as the host''s tables have it.')
$$;
COMMENT ON FUNCTION capforecast._no_vendor(text) IS 'P0002 unknown_vendor.';

-- Entitled: live, and not one that Stripe says nobody pays for.
CREATE FUNCTION capforecast._entitled(v capforecast._standing)
	RETURNS boolean LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT (v.s).live AND coalesce((v.st).entitled, true)
$$;
COMMENT ON FUNCTION capforecast._entitled(capforecast._standing) IS 'Whether a vendor may use what it subscribed to; NULL: no subscription.';

CREATE FUNCTION capforecast._resources(vendor text, v capforecast._standing, as_of timestamptz)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_object_agg(u.resource, jsonb_build_object('used', u.used, 'limit', u.quota, 'is_unlimited', u.known AND u.quota IS NULL,
			'remaining', CASE WHEN u.quota - u.used IS NOT NULL THEN greatest(u.quota - u.used, 0) END,
			'percent', CASE WHEN u.quota > 0 THEN round(100.0 * u.used / u.quota, 2) END,
			'over_by', CASE WHEN u.used - u.quota IS NOT NULL THEN greatest(u.used - u.quota, 0) END,
			'can_add', capforecast._entitled(v) IS TRUE AND u.known AND (u.quota IS NULL OR u.used < u.quota) IS TRUE))
	FROM capforecast._usage(vendor, v, as_of) u
$$;
COMMENT ON FUNCTION capforecast._resources(text, capforecast._standing, timestamptz) IS 'Use against limits, as usage_summary() shows it; NULL: no such vendor.';

CREATE FUNCTION capforecast.usage_summary(vendor text, as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._instant(as_of);
	v capforecast._standing := capforecast._look(vendor, now);
	s constant capforecast._subscription_row := v.s;
	st constant capforecast.subscription_state := v.st;
	resources constant jsonb := capforecast._resources(vendor, v, now);
	t capforecast.tier_info;
	w record;
	invoice capforecast.invoice_preview;
BEGIN
	IF resources IS NULL THEN
		PERFORM capforecast._no_vendor(vendor);
	ELSIF s.subscription_id IS NULL THEN
		RETURN jsonb_build_object('vendor_id', vendor, 'as_of', now, 'entitled', false, 'status', NULL, 'tier', NULL, 'resources', resources,
			'open_invoices_cents', capforecast._open_invoices(vendor));
	END IF;
	SELECT * INTO t FROM capforecast.get_tier_info(s.tier);
	SELECT * INTO w FROM capforecast._windows_of(v, now);
	BEGIN
		invoice := capforecast._preview(v, now);
	EXCEPTION WHEN no_data_found OR invalid_parameter_value THEN
		invoice := NULL;	-- no price, or several currencies: the amount is not known
	END;
	RETURN jsonb_build_object('vendor_id', s.vendor_id, 'as_of', now, 'entitled', capforecast._entitled(v), 'status', s.status,
		'tier', CASE WHEN t.code IS NOT NULL THEN jsonb_build_object('code', t.code, 'name', t.name, 'source', t.source,
			'price_cents', capforecast._price(s.is_annual, t.price_monthly_cents, t.price_annual_cents)) END,
		'is_annual', s.is_annual, 'is_trial', s.status = 'trial', 'trial_ends_at', s.trial_ends_at,
		'trial_days_left', CASE WHEN s.status = 'trial' THEN greatest(ceil(extract(epoch FROM s.trial_ends_at - now) / 86400), 0) END,
		'usage_window', jsonb_build_object('start', w.usage_start, 'end', w.usage_end),
		'billing_period', jsonb_build_object('start', w.billing_start, 'end', w.billing_end),
		'days_remaining', greatest(floor(extract(epoch FROM w.billing_end - now) / 86400), 0),
		'cancel_at_period_end', s.cancel_at_period_end, 'ended_at', CASE WHEN NOT s.live THEN s.cancelled_at END,
		'collection_paused', coalesce(st.collection_paused, false),
		'pending_change', CASE WHEN st.pending_tier IS NOT NULL THEN
			jsonb_build_object('tier', st.pending_tier, 'is_annual', st.pending_annual, 'effective_at', st.pending_at) END,
		'request_in_flight', (SELECT jsonb_build_object('operation', o.operation, 'status', o.status, 'created_at', o.created_at)
			FROM capforecast.stripe_outbox o
			WHERE o.subscription_id = s.subscription_id AND o.status NOT IN ('confirmed', 'failed', 'cancelled') ORDER BY o.id DESC LIMIT 1),
		'resources', resources,
		'addons', (SELECT coalesce(jsonb_agg(jsonb_build_object('code', a.code, 'quantity', a.quantity, 'status', a.status,
				'unit_price_cents', a.unit_price, 'billing_period', a.billing_period)), '[]')
			FROM capforecast._addons_of(s.vendor_id) a),
		'next_invoice_cents', invoice.amount_due_cents, 'next_invoice_at', invoice.due_at,
		'currency', coalesce(invoice.currency, (v.billed).currency, t.currency),
		'credit_cents', coalesce(st.credit_cents, 0), 'open_invoices_cents', capforecast._open_invoices(vendor));
END
$$;
COMMENT ON FUNCTION capforecast.usage_summary(text, timestamptz) IS
	'The billing page of a vendor as one document: use against limits (add-ons included; limit and remaining NULL where unlimited), tier, status, windows, pending change, request in flight, add-ons, the next invoice (NULL: not known or none), what is open, drafts included. Where the job that rolls windows is late, the window that holds as_of is shown, with the orders counted in it. P0002 for an unknown vendor.
Example: SELECT capforecast.usage_summary((SELECT s.vendor_id::text FROM vendor_subscriptions s WHERE s.status = ''active'' LIMIT 1));';

CREATE TYPE capforecast.limit_check AS (allowed boolean, used bigint, "limit" bigint, remaining bigint, reason text);
COMMENT ON TYPE capforecast.limit_check IS
	'What check_limit() and reserve_limit() return. limit NULL: unlimited, or (reason) not known; reason: within_limit, unlimited, limit_reached, not_entitled, unknown_tier or no_subscription.';

CREATE FUNCTION capforecast.check_limit(vendor text, resource text, delta bigint DEFAULT 1, as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.limit_check
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._instant(as_of);
	wanted text := CASE resource WHEN 'orders_monthly' THEN 'orders' ELSE resource END;
	v capforecast._standing;
	u capforecast._usage_row;
	result capforecast.limit_check;
BEGIN
	PERFORM capforecast._check_choice('resource', wanted, '{products,orders,team_members}');
	IF delta IS NULL THEN
		PERFORM capforecast._fail('22023', 'bad_argument', 'delta must be a number', 'It is NULL.', 'Leave it out for 1.');
	END IF;
	v := capforecast._look(vendor, now);
	SELECT * INTO u FROM capforecast._usage(vendor, v, now) x WHERE x.resource = wanted;
	IF u.resource IS NULL THEN
		PERFORM capforecast._no_vendor(vendor);
	END IF;
	result.used := u.used;
	result.limit := u.quota;
	result.remaining := CASE WHEN u.quota - u.used IS NOT NULL THEN greatest(u.quota - u.used, 0) END;
	result.reason := CASE WHEN capforecast._entitled(v) IS NULL THEN 'no_subscription' WHEN NOT capforecast._entitled(v) THEN 'not_entitled'
		WHEN NOT u.known THEN 'unknown_tier' WHEN u.quota IS NULL THEN 'unlimited'
		WHEN u.used IS NULL THEN 'unknown_use'
		WHEN u.used + delta > u.quota THEN 'limit_reached' ELSE 'within_limit' END;
	result.allowed := result.reason IN ('unlimited', 'within_limit');
	RETURN result;
END
$$;
COMMENT ON FUNCTION capforecast.check_limit(text, text, bigint, timestamptz) IS
	'May a vendor add delta products, orders or team_members? A read: where two may add at once, ask reserve_limit(). Errors: P0002 unknown_vendor, 22023 bad_argument.
Example: SELECT * FROM capforecast.check_limit((SELECT s.vendor_id::text FROM vendor_subscriptions s WHERE s.status = ''active'' LIMIT 1), ''products'');';

CREATE FUNCTION capforecast.reserve_limit(vendor text, resource text, delta bigint DEFAULT 1, as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.limit_check
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now constant timestamptz := capforecast._now(as_of);
BEGIN
	IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
		PERFORM capforecast._fail('25001', 'isolation', 'reserve_limit() needs read committed',
			'After waiting it must see what the others have added.', 'Run the transaction at READ COMMITTED.');
	END IF;
	PERFORM capforecast._lock_vendor(vendor);
	RETURN capforecast.check_limit(vendor, resource, delta, now);
END
$$;
COMMENT ON FUNCTION capforecast.reserve_limit(text, text, bigint, timestamptz) IS
	'check_limit(), and the vendor''s subscription locked until the transaction ends: those who ask for the same vendor wait for each other, so that question and insert in one transaction cannot pass the limit. Needs UPDATE on the host''s subscriptions. Errors as of check_limit(), 25001 isolation above READ COMMITTED, 55P03 after lock_timeout.
Example: SELECT * FROM capforecast.reserve_limit((SELECT s.vendor_id::text FROM vendor_subscriptions s WHERE s.status = ''active'' LIMIT 1), ''products'');';
