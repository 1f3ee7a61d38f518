-- Usage windows and billing periods: first sight, moves by somebody else, roll-over.

CREATE FUNCTION capforecast._see(as_of timestamptz, ids text[] DEFAULT NULL)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	only_these text := CASE WHEN ids IS NOT NULL THEN ' AND s.id = ANY (@key)' ELSE '' END;
BEGIN
	EXECUTE capforecast._keyed_sql($sql$
		INSERT INTO capforecast.subscription_state (subscription_id, vendor_id, anchor_local, anchor_zone, anchor_irregular,
			usage_start, usage_end, billed_from, billed_until, billed_price_cents, billed_amount_cents, billed_currency, last_status)
		SELECT s.subscription_id, s.vendor_id::text, a.anchor, $2, a.irregular,
			CASE WHEN s.is_annual THEN greatest(s.period_start, capforecast._boundary(a.anchor, $2, m)) ELSE s.period_start END,
			CASE WHEN s.is_annual THEN least(s.period_end, capforecast._boundary(a.anchor, $2, m + 1)) ELSE s.period_end END,
			s.period_start, s.period_end, p.price, p.price, t.currency, s.status
		FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
			LEFT JOIN $sql$ || capforecast._tiers_sql() || $sql$ t ON t.code = s.tier
			CROSS JOIN LATERAL capforecast._anchor(s.period_start, s.period_end, $2) a
			CROSS JOIN LATERAL (SELECT CASE WHEN s.is_annual THEN t.annual ELSE t.monthly END AS price) p
			CROSS JOIN LATERAL capforecast._months_before(a.anchor, $2,
				greatest(s.period_start, least($1, s.period_end - interval '1 microsecond'))) m
		WHERE s.live AND s.good_period$sql$ || only_these || $sql$
		  AND NOT EXISTS (SELECT FROM capforecast.subscription_state st WHERE st.subscription_id = s.subscription_id)
		ON CONFLICT DO NOTHING$sql$, ids::text)
	USING as_of, capforecast._setting('billing_timezone');

	EXECUTE capforecast._keyed_sql($sql$
		UPDATE capforecast.subscription_state st SET last_status = s.status, status_since = $1
		FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
		WHERE s.subscription_id = st.subscription_id AND s.status IS DISTINCT FROM st.last_status$sql$ || only_these, ids::text)
	USING as_of;
END
$$;
COMMENT ON FUNCTION capforecast._see(timestamptz, text[]) IS
	'Make the state of live subscriptions that have none (the anchor is fixed here), and note changes of status.';

-- Where the host (or Stripe) has moved the period itself, the open window ends where the
-- host's period begins.  The host's counter is its own business; Stripe has none.
CREATE FUNCTION capforecast._adopt_periods(as_of timestamptz, reason text DEFAULT 'host_moved', ids text[] DEFAULT NULL)
	RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	closed bigint;
BEGIN
	EXECUTE capforecast._keyed_sql($sql$
		WITH moved AS MATERIALIZED (
			SELECT s.*, st.usage_start, st.usage_end, p.price, t.currency, t.orders AS plan_orders,
				greatest(st.usage_start, CASE WHEN s.is_annual THEN greatest(s.period_start, capforecast._boundary(st.anchor_local,
					st.anchor_zone, m))
											  ELSE s.period_start END) AS new_start,
				CASE WHEN s.is_annual THEN least(s.period_end, capforecast._boundary(st.anchor_local, st.anchor_zone, m + 1))
					 ELSE s.period_end END AS new_end
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
				JOIN capforecast.subscription_state st USING (subscription_id)
				LEFT JOIN $sql$ || capforecast._tiers_sql() || $sql$ t ON t.code = s.tier
				CROSS JOIN LATERAL (SELECT CASE WHEN s.is_annual THEN t.annual ELSE t.monthly END AS price) p
				CROSS JOIN LATERAL capforecast._months_before(st.anchor_local, st.anchor_zone,
					greatest(s.period_start, least($1, s.period_end - interval '1 microsecond'))) m
			WHERE s.live AND s.good_period AND (s.period_start, s.period_end) IS DISTINCT FROM (st.billed_from, st.billed_until)$sql$
				|| CASE WHEN ids IS NOT NULL THEN ' AND s.id = ANY (@key)' ELSE '' END || $sql$
		), closed AS (
			INSERT INTO capforecast.period_ledger (subscription_id, window_start, window_end, orders_counter, orders_recount, orders_limit,
				tier, reason)
			SELECT m.subscription_id, m.usage_start, m.new_start, CASE WHEN $2 <> 'host_moved' THEN m.orders_counter END,
				CASE WHEN $3 THEN (SELECT count(*) FROM $sql$ || capforecast._orders_sql() || $sql$ o
					WHERE o.vendor_id = m.vendor_id AND o.created_at >= m.usage_start AND o.created_at < m.new_start) END,
				capforecast._quota(m.own_orders, m.plan_orders, 0), m.tier, $2
			FROM moved m WHERE m.new_start > m.usage_start
			ON CONFLICT DO NOTHING RETURNING subscription_id
		), state AS (
			UPDATE capforecast.subscription_state st
			SET usage_start = m.new_start, usage_end = CASE WHEN m.new_end > m.new_start THEN m.new_end ELSE st.usage_end END,
				billed_from = m.period_start, billed_until = m.period_end,
				billed_price_cents = m.price, billed_amount_cents = m.price, billed_currency = m.currency
			FROM moved m WHERE m.subscription_id = st.subscription_id
		), host AS (
			UPDATE {vendor_subscriptions} h SET $sql$ || capforecast._host_set('vendor_subscriptions', 'orders_this_period', 'm.orders',
				'orders_limit_reached_at', 'NULL') || $sql$
			FROM (SELECT m.id, (SELECT count(*) FROM $sql$ || capforecast._orders_sql() || $sql$ o
					WHERE o.vendor_id = m.vendor_id AND o.created_at >= m.new_start AND o.created_at <= $1) AS orders
				  FROM moved m JOIN closed c USING (subscription_id) WHERE $2 <> 'host_moved') m
			WHERE {h:vendor_subscriptions.id} = m.id
		)
		SELECT count(*) FROM closed$sql$, ids::text)
	INTO closed USING as_of, reason, capforecast._host_has('orders');
	RETURN closed;
END
$$;
COMMENT ON FUNCTION capforecast._adopt_periods(timestamptz, text, text[]) IS
	'Follow periods that were moved on the host''s row; returns the number of windows closed.';

-- Rolls locked subscriptions whose usage window has ended: every window up to the one that
-- holds as_of is closed in the ledger, and the counter becomes the orders counted in the
-- new one.  The first missed window begins where the old one ended, the others on the grid.
CREATE FUNCTION capforecast._roll(as_of timestamptz, ids text[], options jsonb)
	RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	counts jsonb;
BEGIN
	EXECUTE capforecast._keyed_sql($sql$
		WITH due AS MATERIALIZED (
			SELECT s.*, st.anchor_local, st.anchor_zone, st.usage_start, st.usage_end, n.first, n.last, n.new_start, st.pending_at, p.applies,
				CASE WHEN p.applies THEN st.pending_tier ELSE s.tier END AS new_tier,
				CASE WHEN p.applies THEN st.pending_annual ELSE s.is_annual END AS new_annual,
				capforecast._boundary(st.anchor_local, st.anchor_zone, n.last + 1) AS new_end
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
				JOIN capforecast.subscription_state st USING (subscription_id)
				CROSS JOIN LATERAL (SELECT m.first, m.last,
					CASE WHEN m.last > m.first THEN capforecast._boundary(st.anchor_local, st.anchor_zone, m.last) ELSE st.usage_end END AS new_start
					FROM (SELECT capforecast._months_before(st.anchor_local, st.anchor_zone, st.usage_end) AS first,
						capforecast._months_before(st.anchor_local, st.anchor_zone, $1) AS last OFFSET 0) m) n
				CROSS JOIN LATERAL (SELECT st.pending_at <= n.new_start IS TRUE AND s.stripe_subscription_id IS NULL AS applies) p
			WHERE s.id = ANY (@key) AND st.usage_end <= $1
		), counted AS (
			SELECT d.id, count(o.created_at) FILTER (WHERE o.created_at < d.usage_end) AS closed_orders,
				count(o.created_at) FILTER (WHERE o.created_at >= d.new_start) AS new_orders
			FROM due d LEFT JOIN $sql$ || capforecast._orders_sql() || $sql$ o
				ON o.vendor_id = d.vendor_id AND o.created_at >= d.usage_start AND o.created_at <= $1
			GROUP BY 1
		), granted AS (
			SELECT d.id, sum(a.quantity * a.per_unit)::bigint AS orders
			FROM due d JOIN $sql$ || capforecast._addons_sql() || $sql$ a ON a.vendor_id = d.vendor_id
			WHERE a.status IN ('active', 'cancelling') AND a.resource = 'orders' GROUP BY 1
		), rolled AS MATERIALIZED (
			SELECT d.*, c.closed_orders, c.new_orders, capforecast._quota(d.own_orders, old.orders, g.orders) AS old_quota,
				capforecast._quota(d.own_orders, new.orders, g.orders) AS new_quota, d.period_end <= $1 AS new_period,
				k.step AS new_step, m.months AS period_months, (d.last - m.months) / k.step AS passed
			FROM due d JOIN counted c USING (id) LEFT JOIN granted g USING (id)
				LEFT JOIN $sql$ || capforecast._tiers_sql() || $sql$ old ON old.code = d.tier
				LEFT JOIN $sql$ || capforecast._tiers_sql() || $sql$ new ON new.code = d.new_tier
				CROSS JOIN LATERAL (SELECT CASE WHEN d.new_annual THEN 12 ELSE 1 END AS step) k
				CROSS JOIN LATERAL (SELECT capforecast._months_before(d.anchor_local, d.anchor_zone, d.period_end) AS months OFFSET 0) m
		), closed AS (
			INSERT INTO capforecast.period_ledger (subscription_id, window_start, window_end, orders_counter, orders_recount, orders_limit,
				tier, caught_up, reason)
			SELECT r.subscription_id, r.usage_start, r.usage_end, r.orders_counter, CASE WHEN $3 THEN r.closed_orders END, r.old_quota,
				r.tier, false, $2
			FROM rolled r
			UNION ALL
			SELECT r.subscription_id, w.starts, w.ends, NULL, CASE WHEN $3 THEN (SELECT count(*) FROM $sql$ || capforecast._orders_sql() || $sql$ o
				WHERE o.vendor_id = r.vendor_id AND o.created_at >= w.starts AND o.created_at < w.ends) END,
				CASE WHEN r.applies AND w.starts >= r.pending_at THEN r.new_quota ELSE r.old_quota END,
				CASE WHEN r.applies AND w.starts >= r.pending_at THEN r.new_tier ELSE r.tier END, true, 'period_end'
			FROM rolled r CROSS JOIN LATERAL generate_series(0, r.last - r.first - 1) n
				CROSS JOIN LATERAL (SELECT CASE n WHEN 0 THEN r.usage_end ELSE capforecast._boundary(r.anchor_local, r.anchor_zone,
					r.first + n) END AS starts,
					capforecast._boundary(r.anchor_local, r.anchor_zone, r.first + n + 1) AS ends) w
			WHERE r.last > r.first
			ON CONFLICT DO NOTHING RETURNING 1
		), state AS (
			UPDATE capforecast.subscription_state st
			SET usage_start = r.new_start, usage_end = r.new_end,
				pending_tier = CASE WHEN NOT r.applies THEN st.pending_tier END, pending_annual = CASE WHEN NOT r.applies THEN st.pending_annual END,
				pending_at = CASE WHEN NOT r.applies THEN st.pending_at END,
				pending_requested_at = CASE WHEN NOT r.applies THEN st.pending_requested_at END
			FROM rolled r WHERE r.subscription_id = st.subscription_id
		), host AS (
			UPDATE {vendor_subscriptions} h SET $sql$ || capforecast._host_set('vendor_subscriptions',
				'tier', 'r.new_tier', 'is_annual', 'r.new_annual', 'orders_this_period', 'r.new_orders',
				'orders_limit_reached_at', 'r.limit_reached_at', 'period_start', 'r.new_period_start', 'period_end', 'r.new_period_end',
				'updated_at', '$1') || $sql$
			FROM (SELECT r.*,
					CASE WHEN NOT r.new_period THEN r.period_start WHEN r.passed = 0 THEN r.period_end
						ELSE capforecast._boundary(r.anchor_local, r.anchor_zone, r.period_months + r.new_step * r.passed) END AS new_period_start,
					CASE WHEN NOT r.new_period THEN r.period_end
						ELSE capforecast._boundary(r.anchor_local, r.anchor_zone,
							r.period_months + r.new_step * (r.passed + 1)) END AS new_period_end,
					CASE WHEN r.new_orders >= r.new_quota THEN (SELECT o.created_at FROM $sql$ || capforecast._orders_sql() || $sql$ o
						WHERE o.vendor_id = r.vendor_id AND o.created_at >= r.new_start ORDER BY 1 LIMIT 1 OFFSET greatest(r.new_quota - 1,
							0)) END AS limit_reached_at
				  FROM rolled r) r
			WHERE {h:vendor_subscriptions.id} = r.id
			RETURNING 1
		), audited AS (
			INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
			SELECT 'apply_pending_change', r.vendor_id::text, r.subscription_id, jsonb_build_object('tier', r.tier, 'is_annual', r.is_annual),
				jsonb_build_object('tier', r.new_tier, 'is_annual', r.new_annual), 'period_end'
			FROM rolled r WHERE r.applies
		)
		SELECT jsonb_build_object('changed', (SELECT count(*) FROM host), 'windows_closed', (SELECT count(*) FROM closed))$sql$, ids::text)
	INTO counts USING as_of, coalesce(options ->> 'reason', 'period_end'), capforecast._host_has('orders');
	RETURN counts || capforecast._bill(as_of, ids);
END
$$;
COMMENT ON FUNCTION capforecast._roll(timestamptz, text[], jsonb) IS
	'Worker of reset_period_counters(): close the ended windows of these subscriptions, open the new ones, and bill where a billing period ended.';
