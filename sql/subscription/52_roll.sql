-- Roll-over: windows that have ended, and the drafts of the periods that begin.

-- Rolls locked subscriptions whose usage window has ended: every window up to the one that
-- holds as_of is closed in the ledger, and the counter becomes the orders counted in the
-- new one, after the lock was taken: what was ordered meanwhile is in it.  The first missed
-- window begins where the old one ended, the others on the grid.  What is owed for the time
-- before a change that waits is billed first, as what it was; the drafts of the periods that
-- begin are written with the roll, in one pass.
CREATE FUNCTION capforecast._roll(as_of timestamptz, ids text[], options jsonb)
	RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	counts jsonb;
	refused jsonb;
	rest text[];
	earlier jsonb := '{}';
BEGIN
	IF EXISTS (SELECT FROM capforecast.subscription_state st WHERE st.pending_at <= as_of) THEN
		earlier := capforecast._bill(as_of, capforecast._due(capforecast._owed_sql() || ' AND st.pending_at <= $1', as_of, ids));
	END IF;
	EXECUTE capforecast._keyed_sql($sql$
		WITH rolling AS MATERIALIZED (
			SELECT s.*, st.anchor_local, st.anchor_zone, st.usage_start, st.usage_end, st.pending_at, st.billed_until, st.credit_cents,
				st.credit_currency, $sql$ || capforecast._drafts_sql() || $sql$ AS is_ours, (w.w).missed, (w.w).starts AS new_start,
				(w.w).ends AS new_end,
				a.applies, CASE WHEN a.applies THEN st.pending_tier ELSE s.tier END AS new_tier,
				CASE WHEN a.applies THEN st.pending_annual ELSE s.is_annual END AS new_annual
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
				JOIN capforecast.subscription_state st USING (subscription_id)
				CROSS JOIN LATERAL (SELECT capforecast._window(st.anchor_local, st.anchor_zone, st.usage_end, 1, $1) AS w OFFSET 0) w
				CROSS JOIN LATERAL (SELECT st.pending_at <= (w.w).starts IS TRUE AND NOT s.managed AS applies) a
			WHERE s.id = ANY (@key) AND st.usage_end <= $1
		), missed AS MATERIALIZED (
			SELECT d.subscription_id, d.vendor_id, CASE n WHEN 0 THEN d.usage_end ELSE capforecast._boundary(d.anchor_local, d.anchor_zone, m + n) END AS starts,
				capforecast._boundary(d.anchor_local, d.anchor_zone, m + n + 1) AS ends
			FROM rolling d CROSS JOIN LATERAL capforecast._months_before(d.anchor_local, d.anchor_zone, d.usage_end) m
				CROSS JOIN LATERAL unnest(ARRAY(SELECT generate_series(0, d.missed - 1))) n		-- of an array a few are expected, of a series 1000
			WHERE d.missed > 0
		), span AS (
			SELECT d.subscription_id, d.vendor_id, d.usage_start AS starts, d.usage_end AS ends, d.new_start, least(d.new_end, $3) AS new_end FROM rolling d
			UNION ALL SELECT m.subscription_id, m.vendor_id, m.starts, m.ends, m.ends, m.ends FROM missed m
		), $sql$ || capforecast._counted_sql() || $sql$, granted AS (
			SELECT d.id, sum(a.quantity * a.per_unit)::bigint AS orders
			FROM rolling d JOIN $sql$ || capforecast._addons_sql() || $sql$ a ON a.vendor_id = d.vendor_id
			WHERE a.status IN ('active', 'cancelling') AND a.resource = 'orders' GROUP BY 1
		), rolled AS MATERIALIZED (
			SELECT d.*, c.closed, c.opened AS new_orders, capforecast._quota(d.own_orders, old.orders, g.orders) AS old_quota,
				capforecast._quota(d.own_orders, new.orders, g.orders) AS new_quota, new.monthly, new.annual, new.currency,
				CASE WHEN d.period_end <= $1 THEN (p.w).starts ELSE d.period_start END AS new_period_start,
				CASE WHEN d.period_end <= $1 THEN (p.w).ends ELSE d.period_end END AS new_period_end
			FROM rolling d JOIN counted c ON c.subscription_id = d.subscription_id AND c.starts = d.usage_start
				LEFT JOIN granted g USING (id)
				LEFT JOIN $sql$ || capforecast._tiers_sql() || $sql$ old ON old.code = d.tier
				LEFT JOIN $sql$ || capforecast._tiers_sql() || $sql$ new ON new.code = d.new_tier
				CROSS JOIN LATERAL (SELECT capforecast._window(d.anchor_local, d.anchor_zone, d.period_end, CASE WHEN d.new_annual THEN 12 ELSE 1 END, $1) AS w OFFSET 0) p
		), due AS MATERIALIZED (
			$sql$ || capforecast._terms_sql('SELECT r.subscription_id, r.vendor_id, r.new_tier AS tier, r.new_annual AS is_annual,
				CASE WHEN r.new_annual THEN 12 ELSE 1 END AS step, r.monthly, r.annual, r.currency, r.billed_until, r.new_period_end AS period_end,
				r.credit_cents, r.credit_currency, r.anchor_local, r.anchor_zone
				FROM rolled r WHERE r.is_ours AND r.new_period_end > r.billed_until') || $sql$
		), $sql$ || capforecast._draft_sql() || $sql$, ending AS (
			SELECT r.vendor_id, r.subscription_id, r.billed_until AS ended_at FROM rolled r
			WHERE r.new_period_end > r.billed_until AND NOT r.managed AND r.status <> 'trial'
		), $sql$ || capforecast._ended_addons_sql('{cancelling}') || $sql$, closed AS (
			INSERT INTO capforecast.period_ledger (subscription_id, window_start, window_end, orders_counter, orders_recount, orders_limit,
				tier, caught_up, reason)
			SELECT r.subscription_id, r.usage_start, r.usage_end, r.orders_counter, r.closed, r.old_quota, r.tier, false, $2 FROM rolled r
			UNION ALL
			SELECT m.subscription_id, m.starts, m.ends, NULL, c.closed, CASE WHEN later THEN r.new_quota ELSE r.old_quota END,
				CASE WHEN later THEN r.new_tier ELSE r.tier END, true, 'period_end'
			FROM missed m JOIN rolled r USING (subscription_id) JOIN counted c USING (subscription_id, starts)
				CROSS JOIN LATERAL (SELECT r.applies AND m.starts >= r.pending_at AS later) l
			WHERE EXISTS (SELECT FROM missed)
			ON CONFLICT DO NOTHING RETURNING 1
		), state AS (
			UPDATE capforecast.subscription_state st
			SET usage_start = r.new_start, usage_end = r.new_end, period_start = r.new_period_start, period_end = r.new_period_end,
				pending_tier = CASE WHEN NOT r.applies THEN st.pending_tier END, pending_annual = CASE WHEN NOT r.applies THEN st.pending_annual END,
				pending_at = CASE WHEN NOT r.applies THEN st.pending_at END,
				pending_requested_at = CASE WHEN NOT r.applies THEN st.pending_requested_at END,
				billed_until = coalesce(b.billed_until, st.billed_until), credit_cents = coalesce(b.credit_left, st.credit_cents),
				credit_currency = CASE WHEN b.credit_left IS NULL THEN st.credit_currency ELSE b.currency_left END
			FROM rolled r LEFT JOIN billed b USING (subscription_id) WHERE r.subscription_id = st.subscription_id
		), host AS (
			UPDATE {vendor_subscriptions} h SET $sql$ || capforecast._host_set('vendor_subscriptions',
				'tier', 'r.new_tier', 'is_annual', 'r.new_annual', 'orders_this_period', 'coalesce(r.new_orders, 0)',
				'orders_limit_reached_at', 'r.limit_reached_at', 'period_start', 'r.new_period_start', 'period_end', 'r.new_period_end',
				'updated_at', '$1') || $sql$
			FROM (SELECT r.*, $sql$ || CASE WHEN capforecast._host_has('orders') THEN $sql$
					CASE WHEN r.new_orders >= r.new_quota THEN (SELECT {o:orders.created_at} FROM {orders} o
						WHERE {o:orders.vendor_id} = r.vendor_id AND {o:orders.created_at} >= r.new_start
						ORDER BY 1 LIMIT 1 OFFSET greatest(r.new_quota - 1, 0)) END$sql$ ELSE 'NULL::timestamptz' END || $sql$ AS limit_reached_at
				  FROM rolled r) r
			WHERE {h:vendor_subscriptions.id} = r.id
			RETURNING 1
		), audited AS (
			INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
			SELECT 'apply_pending_change', r.vendor_id::text, r.subscription_id, jsonb_build_object('tier', r.tier, 'is_annual', r.is_annual),
				jsonb_build_object('tier', r.new_tier, 'is_annual', r.new_annual), 'period_end'
			FROM rolled r WHERE r.applies
		)
		SELECT jsonb_build_object('changed', (SELECT count(*) FROM host), 'windows_closed', (SELECT count(*) FROM closed),
				'drafts', (SELECT count(*) FROM drafted)),
			(SELECT problems FROM refused), (SELECT coalesce(array_agg(r.subscription_id), '{}') FROM rolled r
				WHERE NOT r.is_ours AND r.new_period_end > r.billed_until)$sql$, ids::text)
	INTO counts, refused, rest USING as_of, coalesce(options ->> 'reason', 'period_end'), coalesce((options ->> 'until')::timestamptz, 'infinity');
	PERFORM capforecast._report('{}', refused, as_of);
	IF (counts ->> 'changed')::integer < cardinality(ids) THEN
		rest := ids;		-- some have begun a period, but no window
	END IF;
	RETURN capforecast._add_counts(capforecast._add_counts(counts, earlier), capforecast._bill(as_of, rest));
END
$$;
COMMENT ON FUNCTION capforecast._roll(timestamptz, text[], jsonb) IS
	'Worker of reset_period_counters(): close the ended windows of these subscriptions, open the new ones, and bill where a billing period ended.';

-- The end of the books becomes the anchor; the usage window is cut there, and rolled like
-- any other, or where it began later its end is moved.
CREATE FUNCTION capforecast._begin_anew(as_of timestamptz, ids text[], reason text, until timestamptz)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
BEGIN
	EXECUTE capforecast._keyed_sql($sql$
		WITH begun AS MATERIALIZED (
			SELECT s.id, s.subscription_id, st.billed_until AS starts, p.ends, a.anchor,
				CASE WHEN st.billed_until > st.usage_start THEN st.billed_until ELSE w.ends END AS usage_end
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s JOIN capforecast.subscription_state st USING (subscription_id)
				CROSS JOIN LATERAL capforecast._anchor_at(st.anchor_local, st.anchor_zone, st.billed_until,
					$2 = 'trial_end' AND st.billed_until > s.trial_ends_at) a(anchor)
				CROSS JOIN LATERAL capforecast._window(a.anchor, st.anchor_zone, st.billed_until, s.step, st.billed_until) p
				CROSS JOIN LATERAL capforecast._window(a.anchor, st.anchor_zone, st.billed_until, 1, st.usage_start) w
			WHERE s.id = ANY (@key)
		), state AS (
			UPDATE capforecast.subscription_state st
			SET anchor_local = b.anchor, anchor_irregular = false, period_start = b.starts, period_end = b.ends, usage_end = b.usage_end
			FROM begun b WHERE b.subscription_id = st.subscription_id
		)
		UPDATE {vendor_subscriptions} h SET $sql$ || capforecast._host_set('vendor_subscriptions',
			'period_start', 'b.starts', 'period_end', 'b.ends', 'updated_at', '$1') || $sql$
		FROM begun b WHERE {h:vendor_subscriptions.id} = b.id$sql$, ids::text) USING as_of, reason;
	PERFORM capforecast._roll(as_of, ids, jsonb_build_object('reason', reason, 'until', until));
END
$$;
COMMENT ON FUNCTION capforecast._begin_anew(timestamptz, text[], text, timestamptz) IS
	'Begin the billing period of subscriptions anew where their books end, and bill it.';
