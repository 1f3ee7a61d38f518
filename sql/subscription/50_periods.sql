-- Usage windows and billing periods: first sight, and moves by somebody else.
--
-- The host, its ORM and Stripe write the same rows.  What a row says is compared with what
-- was last seen or written there, and followed; what is billed is billed from the books.

CREATE TYPE capforecast._books AS (
	verdict text, st capforecast.subscription_state, billed capforecast.billed_period, cut_at timestamptz, gap_from timestamptz, gap_by text,
	problems text[], is_written boolean, tier text, is_annual boolean);
COMMENT ON TYPE capforecast._books IS
	'What a subscription is after its row was looked at: its state and last billed period. verdict: kept, noted (its status), first (seen), moved, moved_back; cut_at: where the billed period before ends now; gap_from: where a time begins that was not seen, and who has billed it; is_written: billed is to be written; tier and is_annual: what a row that is put forward gets, NULL: keeps.';

CREATE FUNCTION capforecast._first_state(s capforecast._subscription_row, currency text)
	RETURNS capforecast.subscription_state LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	st capforecast.subscription_state;
BEGIN
	st.subscription_id := s.subscription_id;
	st.vendor_id := s.vendor_id;
	st.anchor_zone := capforecast._setting('billing_timezone');
	st.credit_cents := 0;
	st.credit_currency := currency;
	st.last_status := s.status;
	st.entitled := true;
	st.collection_paused := false;
	st.stripe_missing_runs := 0;
	RETURN st;
END
$$;
COMMENT ON FUNCTION capforecast._first_state(capforecast._subscription_row, text) IS 'The state of a subscription that has none, but for its periods.';

-- Where the period that the host moved to stands in the books.  It is the host's to bill, or
-- Stripe's; what it cost is its price at that time, and nothing in a trial.
CREATE FUNCTION capforecast._follow_books(s capforecast._subscription_row, last capforecast.billed_period, price bigint, currency text, came_back boolean)
	RETURNS capforecast._books LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	books capforecast._books;
	billed capforecast.billed_period := last;
	who constant text := CASE WHEN s.status = 'trial' THEN 'nobody' WHEN s.managed THEN 'stripe' ELSE 'host' END;
	cost constant bigint := CASE WHEN s.status = 'trial' THEN 0 ELSE price END;
	starts timestamptz := s.period_start;
BEGIN
	IF s.period_end <= last.starts THEN
		books.billed := last;		-- of a state that was lost
		RETURN books;
	END IF;
	billed.ends := s.period_end;
	IF s.period_start <= last.starts AND ((last.tier, last.is_annual) IS NOT DISTINCT FROM (s.tier, s.is_annual) OR last.billed_by = 'us' AND who <> 'stripe')
			AND (last.billed_by <> 'nobody' OR who = 'nobody') THEN
		books.billed := billed;		-- the same, but for its end; what a draft of ours has billed stays so
		RETURN books;
	ELSIF s.period_start <= last.starts IS NOT TRUE THEN
		books.cut_at := CASE WHEN s.period_start < last.ends THEN s.period_start END;
		books.gap_from := CASE WHEN s.period_start > last.ends THEN last.ends END;
		books.gap_by := CASE WHEN came_back THEN 'nobody' WHEN s.managed THEN 'stripe' ELSE 'host' END;
		IF who = 'nobody' AND last.billed_by = 'us' THEN		-- a trial takes nothing back that was billed
			books.cut_at := NULL;
			starts := greatest(starts, last.ends);
		END IF;
		billed := ROW(s.subscription_id, starts, s.period_end, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
			CASE WHEN last.ends IS NOT NULL THEN starts END);
	END IF;
	billed.billed_by := who;
	billed.tier := s.tier;
	billed.is_annual := s.is_annual;
	billed.price_cents := cost;
	billed.amount_cents := cost;
	billed.currency := currency;
	books.billed := billed;
	RETURN books;
END
$$;
COMMENT ON FUNCTION capforecast._follow_books(capforecast._subscription_row, capforecast.billed_period, bigint, text, boolean) IS
	'The books of a subscription whose period was moved, or that has none.';

-- A period that ends before what is billed through, or before one that could not be billed
-- yet, is an old row that was saved again, but for one that Stripe has cut short, or that begins anew after an end: not within a time
-- that a draft of ours has billed, though.
CREATE FUNCTION capforecast._follow(s capforecast._subscription_row, st capforecast.subscription_state, last capforecast.billed_period,
		price bigint, currency text, as_of timestamptz)
	RETURNS capforecast._books LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	books capforecast._books;
	now_st capforecast.subscription_state := st;
	is_first constant boolean := st.subscription_id IS NULL;
	revived constant boolean := NOT is_first AND NOT capforecast._is_live(st.last_status) AND s.live;
	came_back constant boolean := revived AND coalesce(s.period_end > st.status_since, true);		-- with a period that is not of before
	starts timestamptz := s.period_start;
	ends timestamptz := s.period_end;
BEGIN
	IF is_first AND s.live AND s.good_period THEN
		now_st := capforecast._first_state(s, currency);
		books := capforecast._follow_books(s, last, price, currency, false);
		books.is_written := true;
		books.verdict := 'first';
	ELSE
		IF NOT is_first AND s.status IS DISTINCT FROM st.last_status THEN
			now_st.last_status := s.status;
			now_st.status_since := as_of;
			books.verdict := 'noted';
		END IF;
		books := ROW(coalesce(books.verdict, 'kept'), now_st, last, NULL, NULL, NULL, '{}'::text[], false, NULL, NULL);
		IF revived AND NOT s.managed AND greatest(last.ends, st.period_end) <= as_of AND last.ends < as_of THEN
			-- access begins again within no period: what lies between is nobody's to pay
			books.billed := ROW(s.subscription_id, last.ends, as_of, 'nobody', s.tier, s.is_annual, 0, 0, currency, NULL, last.ends);
			books.is_written := true;
			books.st.billed_until := as_of;
		END IF;
		IF is_first OR NOT s.live OR NOT s.good_period OR (s.period_start, s.period_end) = (st.period_start, st.period_end) THEN
			RETURN books;
		ELSIF s.managed AND s.period_end <= last.starts THEN
			-- another subscription of Stripe took over, whose period is older: the books stay, the row is Stripe's
			books.st.period_start := s.period_start;
			books.st.period_end := s.period_end;
			books.verdict := 'noted';
			RETURN books;
		ELSIF s.period_end <= last.starts OR (s.period_end < greatest(last.ends, st.period_end) AND NOT s.managed
				AND CASE last.billed_by WHEN 'nobody' THEN s.status <> 'trial' AND s.period_start <= st.period_start AND s.period_end < st.period_end
					ELSE NOT came_back OR last.billed_by = 'us' END) THEN
			books.verdict := 'moved_back';
			books.problems := '{period_moved_back}';
			-- as old as the period: the tier of before a change that was applied since
			SELECT last.tier, last.is_annual INTO books.tier, books.is_annual FROM capforecast.billed_period p
			WHERE last.billed_by = 'us' AND p.subscription_id = s.subscription_id AND p.ends = s.period_end AND (p.tier, p.is_annual) = (s.tier, s.is_annual);
			RETURN books;
		END IF;
		books := capforecast._follow_books(s, last, price, currency, came_back);
		books.is_written := true;
		books.verdict := 'moved';
		books.problems := CASE WHEN books.gap_from IS NOT NULL THEN '{period_gap}'::text[] ELSE '{}' END;
	END IF;

	IF is_first OR NOT capforecast._on_grid(st.anchor_local, st.anchor_zone, s.period_end) THEN
		SELECT a.anchor, a.irregular INTO now_st.anchor_local, now_st.anchor_irregular
		FROM capforecast._anchor(s.period_start, s.period_end, now_st.anchor_zone) a;
		books.problems := CASE WHEN is_first THEN '{}' ELSE books.problems || 'anchor_moved'::text END;
	END IF;
	IF s.is_annual THEN		-- a month within the year
		SELECT w.starts, least(w.ends, s.period_end) INTO starts, ends
		FROM capforecast._window(now_st.anchor_local, now_st.anchor_zone, s.period_start, 1, least(as_of, s.period_end - interval '1 microsecond')) w;
	END IF;
	now_st.usage_start := greatest(st.usage_start, starts);
	now_st.usage_end := CASE WHEN ends > now_st.usage_start THEN ends ELSE st.usage_end END;
	now_st.period_start := s.period_start;
	now_st.period_end := s.period_end;
	now_st.billed_until := (books.billed).ends;
	books.st := now_st;
	RETURN books;
END
$$;
COMMENT ON FUNCTION capforecast._follow(capforecast._subscription_row, capforecast.subscription_state, capforecast.billed_period, bigint, text, timestamptz) IS
	'What is known of a subscription once its row is looked at; a read follows in thought, a job writes it down.';

CREATE FUNCTION capforecast._news_sql()
	RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'CASE WHEN st.subscription_id IS NULL THEN s.live AND s.good_period
		ELSE s.status IS DISTINCT FROM st.last_status
			OR (s.live AND s.good_period AND (s.period_start, s.period_end) IS DISTINCT FROM (st.period_start, st.period_end)) END'
$$;
COMMENT ON FUNCTION capforecast._news_sql() IS 'Whether s says something that its state st does not know.';

-- A CTE span(subscription_id, vendor_id, starts, ends, new_start, new_end) is counted by
-- counted(subscription_id, starts, closed, opened): the orders of a window that ends and of
-- the one that begins, in one pass.  NULL where the host keeps no orders.
CREATE FUNCTION capforecast._counted_sql()
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'counted AS MATERIALIZED (SELECT n.subscription_id, n.starts, ' || CASE WHEN capforecast._host_has('orders') THEN
		'count({o:orders.created_at}) FILTER (WHERE {o:orders.created_at} < n.ends) AS closed,
			count({o:orders.created_at}) FILTER (WHERE {o:orders.created_at} >= n.new_start AND {o:orders.created_at} < n.new_end) AS opened
		FROM span n LEFT JOIN {orders} o ON {o:orders.vendor_id} = n.vendor_id
			AND {o:orders.created_at} >= n.starts AND {o:orders.created_at} < greatest(n.ends, n.new_end) GROUP BY 1, 2)'
	ELSE 'NULL::bigint AS closed, NULL::bigint AS opened FROM span n)' END
$$;
COMMENT ON FUNCTION capforecast._counted_sql() IS 'A CTE that counts the orders of a CTE span.';

-- What the host's rows and the ledger get when periods were moved: the open window ends
-- where the period that somebody else began does; an old row that was saved again is put
-- forward.  The host's counter is its own business, where it was the host who moved.
CREATE FUNCTION capforecast._move_windows(as_of timestamptz, changed capforecast._books[], until timestamptz, reason text)
	RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	ids constant text[] := ARRAY(SELECT (b.st).subscription_id FROM unnest(changed) b WHERE b.verdict IN ('moved', 'moved_back'));
	closed bigint;
BEGIN
	EXECUTE capforecast._keyed_sql($sql$
		WITH moved AS MATERIALIZED (
			SELECT s.id, s.subscription_id, s.vendor_id, s.tier, s.orders_counter, s.own_orders, t.orders AS plan_orders,
				b.verdict = 'moved_back' AS back, $2 <> 'host_moved' OR b.verdict = 'moved_back' AS counts, st.usage_start,
				(b.st).usage_start AS new_start, (b.st).usage_end AS new_end, s.period_start AS old_period_start, s.period_end AS old_period_end,
				(b.st).period_start AS period_start, (b.st).period_end AS period_end, coalesce(b.tier, s.tier) AS new_tier,
				coalesce(b.is_annual, s.is_annual) AS new_annual
			FROM unnest($1) b JOIN $sql$ || capforecast._subscriptions_sql() || $sql$ s ON s.subscription_id = (b.st).subscription_id
				JOIN capforecast.subscription_state st USING (subscription_id)
				LEFT JOIN $sql$ || capforecast._tiers_sql() || $sql$ t ON t.code = s.tier
			WHERE s.id = ANY (@key) AND b.verdict IN ('moved', 'moved_back')
		), span AS (
			SELECT m.subscription_id, m.vendor_id, m.usage_start AS starts, m.new_start AS ends, m.new_start, least(m.new_end, $3) AS new_end FROM moved m
		), $sql$ || capforecast._counted_sql() || $sql$, closed AS (
			INSERT INTO capforecast.period_ledger (subscription_id, window_start, window_end, orders_counter, orders_recount, orders_limit,
				tier, reason)
			SELECT m.subscription_id, m.usage_start, m.new_start, CASE WHEN $2 <> 'host_moved' THEN m.orders_counter END, c.closed,
				capforecast._quota(m.own_orders, m.plan_orders, 0), m.tier, $2
			FROM moved m JOIN counted c USING (subscription_id)
			WHERE m.new_start > m.usage_start
			ON CONFLICT DO NOTHING RETURNING subscription_id
		), host AS (
			UPDATE {vendor_subscriptions} h SET $sql$ || capforecast._host_set('vendor_subscriptions', 'orders_this_period', 'coalesce(m.opened, 0)',
				'orders_limit_reached_at', 'NULL', 'period_start', 'm.period_start', 'period_end', 'm.period_end', 'tier', 'm.new_tier',
				'is_annual', 'm.new_annual') || $sql$
			FROM (SELECT m.*, c.opened FROM moved m JOIN counted c USING (subscription_id)
				  WHERE m.counts AND (m.back OR m.new_start > m.usage_start)) m
			WHERE {h:vendor_subscriptions.id} = m.id
		), audited AS (
			INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
			SELECT 'put_forward', m.vendor_id::text, m.subscription_id,
				jsonb_build_object('period_start', m.old_period_start, 'period_end', m.old_period_end, 'tier', m.tier),
				jsonb_build_object('period_start', m.period_start, 'period_end', m.period_end, 'tier', m.new_tier), 'period_moved_back'
			FROM moved m WHERE m.back
		)
		SELECT count(*) FROM closed$sql$, ids::text)
	INTO closed USING changed, reason, coalesce(until, 'infinity');
	RETURN closed;
END
$$;
COMMENT ON FUNCTION capforecast._move_windows(timestamptz, capforecast._books[], timestamptz, text) IS
	'Close the windows of subscriptions whose periods were moved, and put rows forward that were moved back; returns the number of windows closed.';

-- until: orders are counted up to there, NULL: to the end of the window.
CREATE FUNCTION capforecast._see(as_of timestamptz, ids text[], until timestamptz, reason text DEFAULT 'host_moved')
	RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	changed capforecast._books[];
	problems jsonb;
	closed bigint := 0;
	items text[] := '{}';
BEGIN
	EXECUTE capforecast._keyed_sql($sql$
		SELECT array_agg(f) FROM (
			SELECT capforecast._follow($sql$ || capforecast._row_sql() || $sql$, CASE WHEN st.subscription_id IS NOT NULL THEN st END, p::capforecast.billed_period,
				capforecast._price(s.is_annual, t.monthly, t.annual), t.currency, $1) AS f
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
				LEFT JOIN capforecast.subscription_state st USING (subscription_id)
				LEFT JOIN LATERAL (SELECT * FROM capforecast.billed_period p WHERE p.subscription_id = s.subscription_id
					ORDER BY p.ends DESC LIMIT 1) p ON true
				LEFT JOIN $sql$ || capforecast._tiers_sql() || $sql$ t ON t.code = s.tier
			WHERE s.id = ANY (@key) AND $sql$ || capforecast._news_sql() || ') x', ids::text)
	INTO changed USING as_of;
	IF changed IS NULL THEN
		RETURN '{"windows_closed": 0}';
	END IF;

	INSERT INTO capforecast.subscription_state SELECT (b.st).* FROM unnest(changed) b WHERE b.verdict = 'first'
	ON CONFLICT DO NOTHING;
	IF EXISTS (SELECT FROM unnest(changed) b WHERE b.verdict IN ('moved', 'moved_back')) THEN
		closed := capforecast._move_windows(as_of, changed, until, reason);
		items := ARRAY(SELECT p.subscription_id FROM unnest(changed) b JOIN capforecast.subscription_state st ON st.subscription_id = (b.st).subscription_id
			JOIN capforecast.billed_period p ON p.subscription_id = st.subscription_id AND p.ends = st.billed_until
			WHERE b.verdict = 'moved' AND p.billed_by = 'host' AND p.previous_end IS NOT NULL AND (b.billed).billed_by = 'host');
	END IF;
	UPDATE capforecast.billed_period p SET ends = b.cut_at
	FROM unnest(changed) b JOIN capforecast.subscription_state st ON st.subscription_id = (b.st).subscription_id
	WHERE b.cut_at IS NOT NULL AND p.subscription_id = st.subscription_id AND p.ends = st.billed_until;
	INSERT INTO capforecast.billed_period AS p
	SELECT n.* FROM unnest(changed) b CROSS JOIN LATERAL (
		SELECT (b.st).subscription_id, b.gap_from, (b.billed).starts, b.gap_by, NULL::text, NULL::boolean, NULL::bigint, NULL::bigint, NULL::text, NULL::text, b.gap_from WHERE b.gap_from IS NOT NULL
		UNION ALL SELECT (b.billed).* WHERE b.is_written) n
	ON CONFLICT (subscription_id, starts) DO UPDATE
		SET ends = excluded.ends, billed_by = excluded.billed_by, tier = excluded.tier, is_annual = excluded.is_annual,
			price_cents = excluded.price_cents, amount_cents = excluded.amount_cents, currency = excluded.currency;
	UPDATE capforecast.subscription_state st
	SET last_status = (b.st).last_status, status_since = (b.st).status_since, anchor_local = (b.st).anchor_local,
		anchor_irregular = (b.st).anchor_irregular, usage_start = (b.st).usage_start, usage_end = (b.st).usage_end,
		period_start = (b.st).period_start, period_end = (b.st).period_end, billed_until = (b.st).billed_until
	FROM unnest(changed) b WHERE st.subscription_id = (b.st).subscription_id AND b.verdict <> 'first';
	-- the host bills for two periods running: what is open is not left to it
	PERFORM capforecast._draft_items(as_of, items, 'st.period_start');

	SELECT coalesce(jsonb_agg(jsonb_build_object('code', code, 'subject', 'subscription ' || (b.st).subscription_id, 'detail',
			jsonb_build_object('vendor', (b.st).vendor_id, 'billed_until', (b.st).billed_until))), '[]')
	INTO problems FROM unnest(changed) b CROSS JOIN LATERAL unnest(b.problems) code WHERE reason = 'host_moved';
	PERFORM capforecast._report('{}', problems, as_of);
	RETURN jsonb_build_object('windows_closed', closed);
END
$$;
COMMENT ON FUNCTION capforecast._see(timestamptz, text[], timestamptz, text) IS
	'Write down what the rows of locked subscriptions say: first sight (the anchor is fixed here), changes of status, periods that somebody moved.';

CREATE FUNCTION capforecast._notice(as_of timestamptz, ids text[], options jsonb)
	RETURNS jsonb LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	SELECT capforecast._see(as_of, ids, (options ->> 'until')::timestamptz)
$$;
COMMENT ON FUNCTION capforecast._notice(timestamptz, text[], jsonb) IS 'Worker: what rows say that is not known yet.';
