-- What the host's rows should be, as Stripe has it: a read, made again under a row's lock
-- before anything is written.

-- Which object of Stripe a subscription follows: its own, or, where it has none or its own
-- has ended, the one other that its customer has.  What another row holds is that row's: a
-- customer may own several vendors.  CTEs; $1: may the mirror miss it, $2, $3: ids and
-- customers to look at, $4: zone, $6: does the host keep the ids of items; which: a condition on s,
-- NULL: all.
CREATE FUNCTION capforecast._stripe_matched_sql(which text)
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT $sql$
		source AS MATERIALIZED (
			SELECT x.*, capforecast._stripe_rank(x.status) AS rank FROM capforecast._stripe_source($2, $3) x
		), item AS MATERIALIZED (
			SELECT x.stripe_id, i ->> 'id' AS id, i ->> 'price' AS price, (i ->> 'quantity')::bigint AS quantity,
				t.code AS tier, i ->> 'price' = t.stripe_annual AS annual, p.code AS addon
			FROM source x CROSS JOIN LATERAL jsonb_array_elements(x.items) i
				LEFT JOIN $sql$ || capforecast._tiers_sql() || $sql$ t ON i ->> 'price' IN (t.stripe_monthly, t.stripe_annual)
				LEFT JOIN $sql$ || capforecast._addon_products_sql() || $sql$ p ON p.stripe_price = i ->> 'price' AND p.billing_period <> 'one_time'
		), priced AS (
			SELECT i.stripe_id, count(*) AS n_items, count(DISTINCT i.tier || i.price) AS n_plans, min(i.tier) AS tier, bool_or(i.annual) AS annual,
				min(i.price) FILTER (WHERE i.tier IS NOT NULL) AS price, count(*) FILTER (WHERE i.tier IS NULL AND i.addon IS NULL) AS n_strange
			FROM item i GROUP BY 1
		), ordered AS (
			SELECT a.stripe_id, jsonb_object_agg(a.addon, jsonb_build_object('quantity', a.quantity, 'item', a.item)) AS addons
			FROM (SELECT i.stripe_id, i.addon, sum(i.quantity)::bigint AS quantity, CASE WHEN $6 THEN min(i.id) END AS item
				  FROM item i WHERE i.addon IS NOT NULL GROUP BY 1, 2 HAVING sum(i.quantity) > 0) a
			GROUP BY 1
		), src AS MATERIALIZED (
			SELECT x.*, coalesce(p.n_items, 0) AS n_items, coalesce(p.n_plans, 0) AS n_plans, coalesce(p.n_strange, 0) AS n_strange,
				CASE WHEN p.n_plans = 1 THEN p.tier END AS plan_tier, CASE WHEN p.n_plans = 1 THEN p.annual END AS plan_annual,
				CASE WHEN p.n_plans = 1 THEN p.price END AS plan_price, coalesce(o.addons, '{}') AS addons
			FROM source x LEFT JOIN priced p USING (stripe_id) LEFT JOIN ordered o USING (stripe_id)
		), held AS MATERIALIZED (
			SELECT DISTINCT {s:vendor_subscriptions.stripe_subscription_id} AS stripe_id FROM {vendor_subscriptions} s
			WHERE {s:vendor_subscriptions.stripe_subscription_id} IN (SELECT x.stripe_id FROM source x)		-- as its index has it
		), other AS (
			SELECT x.customer, count(*) AS n_live, count(*) FILTER (WHERE h.stripe_id IS NULL) AS n,
				count(*) FILTER (WHERE h.stripe_id IS NULL AND x.n_plans = 1) AS n_known, min(x.stripe_id) FILTER (WHERE h.stripe_id IS NULL) AS stripe_id
			FROM src x LEFT JOIN held h USING (stripe_id) WHERE x.rank < 7 GROUP BY 1
		), host AS (
			SELECT s.*, st.stripe_subscription_id AS applied_id, st.stripe_status AS applied_status, st.stripe_version AS applied_version,
				st.stripe_event_id AS applied_event, coalesce(st.entitled, true) AS entitled, coalesce(st.collection_paused, false) AS paused,
				st.anchor_local, coalesce(st.anchor_zone, $4) AS zone,
				$1 AND own.stripe_id IS NULL AND s.stripe_subscription_id IS NOT NULL AS missing,
				(c.searches AND o.n > 0 AND NOT c.finds) IS TRUE AS ambiguous,
				(own.rank >= 7 AND o.n_live > 0 AND o.n = 0) IS TRUE AS shares,
				CASE WHEN c.finds THEN o.stripe_id ELSE own.stripe_id END AS chosen,
				NOT EXISTS (SELECT FROM $sql$ || capforecast._subscriptions_sql() || $sql$ r WHERE r.vendor_id = s.vendor_id AND r.id <> s.id
					AND (r.live, coalesce(r.period_end, '-infinity'), r.id) > (s.live, coalesce(s.period_end, '-infinity'), s.id)) AS leads
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
				LEFT JOIN capforecast.subscription_state st USING (subscription_id)
				LEFT JOIN src own ON own.stripe_id = s.stripe_subscription_id
				LEFT JOIN other o ON o.customer = s.stripe_customer_id
				CROSS JOIN LATERAL (SELECT (s.stripe_subscription_id IS NULL OR own.rank >= 7) IS TRUE AS searches) b
				CROSS JOIN LATERAL (SELECT b.searches, CASE WHEN b.searches AND o.n = 1 AND (s.stripe_subscription_id IS NULL OR o.n_known = 1) THEN
					(SELECT count(*) FROM $sql$ || capforecast._subscriptions_sql() || $sql$ r LEFT JOIN src e ON e.stripe_id = r.stripe_subscription_id
					 WHERE r.stripe_customer_id = s.stripe_customer_id AND (r.stripe_subscription_id IS NULL OR e.rank >= 7)) = 1
					ELSE false END AS finds) c
			WHERE (s.stripe_subscription_id IS NOT NULL OR o.n > 0)$sql$ || coalesce(' AND ' || which, '') || $sql$
		), bought AS MATERIALIZED (
			SELECT a.vendor_id, coalesce(jsonb_object_agg(a.code, jsonb_build_object('quantity', a.quantity, 'item', CASE WHEN $6 THEN a.stripe_item END))
				FILTER (WHERE a.stripe_price IS NOT NULL), '{}') AS addons, count(*) FILTER (WHERE a.stripe_price IS NULL) AS n_unpriced
			FROM $sql$ || capforecast._addons_sql() || $sql$ a
			WHERE a.status IN ('active', 'cancelling') AND a.billing_period <> 'one_time'$sql$
		|| coalesce(' AND a.vendor_id IN (SELECT s.vendor_id FROM ' || capforecast._subscriptions_sql() || ' s WHERE ' || which || ')', '') || ' GROUP BY 1)'
$$;
COMMENT ON FUNCTION capforecast._stripe_matched_sql(text) IS 'CTEs src (Stripe''s subscriptions), host (the host''s, with the id of the one that counts) and bought (add-ons of vendors).';

-- What the host's row should be.  A time or a price that Stripe does not give leaves what
-- the host has, and so does a period that would end before it begins; kept: there is a
-- state, or will be, to hold what the host's row cannot.
CREATE FUNCTION capforecast._stripe_wanted_sql()
	RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT $sql$
		wanted AS (
			SELECT h.*, x.stripe_id, x.version, x.event_id, x.status AS stripe_status, x.rank, x.items, x.lagging, x.n_items, x.n_plans, x.n_strange,
				x.object ->> 'schedule' AS schedule, coalesce(b.n_unpriced, 0) AS n_unpriced,
				m.known, m.host_status, m.host_status IN ('cancelled', 'expired') IS TRUE AS ending, t.starts, t.ends AS period_ends, p.good AS period_is_good,
				jsonb_build_object('status', coalesce(m.host_status, h.status),
					'tier', coalesce(x.plan_tier, h.tier), 'is_annual', coalesce(x.plan_annual, h.is_annual),
					'period_start', p.starts, 'period_end', p.ends, 
					'trial_ends_at', CASE WHEN h.stripe_subscription_id <> x.stripe_id THEN x.trial_ends ELSE coalesce(x.trial_ends, h.trial_ends_at) END,
					'cancel_at_period_end', coalesce(t.cancels OR t.cancel_at <= p.ends, t.cancels, h.cancel_at_period_end),
					'cancelled_at', CASE WHEN x.rank >= 7 THEN coalesce(t.ended, h.cancelled_at)
						WHEN h.stripe_subscription_id <> x.stripe_id THEN NULL		-- another one took over
						WHEN h.live OR m.host_status IS NULL OR m.host_status = 'expired' THEN h.cancelled_at END,
					'stripe_subscription_id', x.stripe_id, 'stripe_price_id', coalesce(x.plan_price, h.stripe_price_id),
					'entitled', CASE WHEN t.kept THEN coalesce(m.entitled, h.entitled) ELSE h.entitled END,
					'paused', CASE WHEN t.kept THEN jsonb_typeof(x.object -> 'pause_collection') = 'object' IS TRUE ELSE h.paused END,
					'anchor', CASE WHEN t.kept THEN coalesce(timezone(h.zone, t.anchor), h.anchor_local) ELSE h.anchor_local END,
					'addons', CASE WHEN NOT h.leads OR m.host_status IS NULL OR x.n_items = 0 AND x.rank < 7 THEN coalesce(b.addons, '{}')
						WHEN x.rank >= 7 THEN '{}' ELSE x.addons END) AS target,
				jsonb_build_object('status', h.status, 'tier', h.tier, 'is_annual', h.is_annual,
					'period_start', h.period_start, 'period_end', h.period_end, 'trial_ends_at', h.trial_ends_at,
					'cancel_at_period_end', h.cancel_at_period_end, 'cancelled_at', h.cancelled_at,
					'stripe_subscription_id', h.stripe_subscription_id, 'stripe_price_id', h.stripe_price_id,
					'entitled', h.entitled, 'paused', h.paused, 'anchor', h.anchor_local, 'addons', coalesce(b.addons, '{}')) AS current
			FROM host h JOIN src x ON x.stripe_id = h.chosen
				LEFT JOIN bought b ON b.vendor_id = h.vendor_id
				CROSS JOIN LATERAL capforecast._stripe_map(x.status) m
				CROSS JOIN LATERAL (SELECT min(capforecast._stripe_time(e ->> 'start')) AS starts, min(capforecast._stripe_time(e ->> 'end')) AS ends
					FROM jsonb_array_elements(x.items) e) i
				CROSS JOIN LATERAL (SELECT
					h.anchor_local IS NOT NULL OR coalesce(m.host_status, h.status) IN ('trial', 'active', 'past_due') AS kept,
					coalesce(capforecast._stripe_time(x.object ->> 'current_period_start'), i.starts) AS starts,
					coalesce(capforecast._stripe_time(x.object ->> 'current_period_end'), i.ends) AS ends,
					capforecast._stripe_flag(x.object -> 'cancel_at_period_end') AS cancels,
					capforecast._stripe_time(x.object ->> 'cancel_at') AS cancel_at,
					capforecast._stripe_time(x.object ->> 'ended_at') AS ended,
					capforecast._stripe_time(x.object ->> 'billing_cycle_anchor') AS anchor OFFSET 0) t
				CROSS JOIN LATERAL (SELECT (coalesce(t.starts, h.period_start) < coalesce(t.ends, h.period_end)) IS NOT FALSE AS good OFFSET 0) g
				CROSS JOIN LATERAL (SELECT g.good, CASE WHEN g.good THEN coalesce(t.starts, h.period_start) ELSE h.period_start END AS starts,
					CASE WHEN g.good THEN coalesce(t.ends, h.period_end) ELSE h.period_end END AS ends) p
			WHERE NOT h.ambiguous
		)$sql$
$$;
COMMENT ON FUNCTION capforecast._stripe_wanted_sql() IS 'CTE wanted: what a subscription is and what it should be, as documents.';

CREATE TYPE capforecast._stripe_decision AS (
	subscription_id text, vendor_id text, stripe_id text, verdict text, ends boolean, problems text[], current jsonb, target jsonb,
	version timestamptz, event_id text, stripe_status text, items jsonb, schedule text, final boolean);
COMMENT ON TYPE capforecast._stripe_decision IS 'What is to be done about a subscription (verdict), and why; ends: it would no longer be live; final: it has ended at Stripe, and the vendor has no other.';

-- Final is final; older is stale (second, then status, then event); the rest is compared.
CREATE FUNCTION capforecast._stripe_decision_sql(which text)
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'WITH ' || capforecast._stripe_matched_sql(which) || ', ' || capforecast._stripe_wanted_sql() || $sql$
		SELECT w.subscription_id, w.vendor_id::text, w.stripe_id,
			CASE WHEN w.applied_id = w.stripe_id AND w.rank < 7 AND applied.rank >= 7 THEN 'unchanged'
				WHEN w.applied_id = w.stripe_id AND w.rank < 7
					AND (w.version, w.rank, w.event_id) < (w.applied_version, applied.rank, w.applied_event) THEN 'stale'
				WHEN w.target - $5 = w.current - $5 THEN 'unchanged' ELSE 'apply' END,
			w.live AND w.ending, array_remove(ARRAY[
				CASE WHEN NOT w.known THEN 'stripe_status_unknown' END,
				CASE WHEN w.lagging THEN 'stripe_row_lagging' END,
				CASE WHEN w.shares THEN 'stripe_ambiguous' END,
				CASE WHEN w.rank < 7 AND w.n_items > 0 AND w.n_plans = 0 THEN 'stripe_price_unknown' END,
				CASE WHEN w.rank < 7 AND w.n_plans > 1 THEN 'stripe_ambiguous' END,
				CASE WHEN w.rank < 7 AND w.leads AND (w.n_plans > 0 AND w.n_strange > 0 OR w.n_unpriced > 0) THEN 'stripe_addon_differs' END,
				CASE WHEN w.rank < 7 AND (w.starts IS NULL OR w.period_ends IS NULL) THEN 'stripe_period_missing' END,
				CASE WHEN NOT w.period_is_good THEN 'stripe_period_inverted' END,
				CASE WHEN w.status IN ('cancelled', 'expired') AND w.host_status IN ('trial', 'active', 'past_due')
					THEN 'billed_but_cancelled' END], NULL),
			w.current - $5, w.target - $5, w.version, w.event_id, w.stripe_status, w.items, w.schedule, w.rank >= 7 AND w.leads
		FROM wanted w CROSS JOIN LATERAL capforecast._stripe_rank(w.applied_status) applied(rank)
		UNION ALL
		SELECT h.subscription_id, h.vendor_id::text, h.stripe_subscription_id, v.verdict, false, ARRAY['stripe_' || v.verdict],
			NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
		FROM host h CROSS JOIN LATERAL (SELECT CASE WHEN h.ambiguous THEN 'ambiguous' ELSE 'missing' END AS verdict) v
		WHERE h.ambiguous OR h.missing$sql$
$$;
COMMENT ON FUNCTION capforecast._stripe_decision_sql(text) IS 'The statement of _stripe_decide(); $5: columns that the host does not have.';

-- A webhook asks about one, by a plan that the session keeps.
CREATE FUNCTION capforecast._stripe_decide(ids text[] DEFAULT NULL)
	RETURNS SETOF capforecast._stripe_decision
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	mirrored constant boolean := capforecast._stripe_relation('subscriptions') IS NOT NULL;
	zone constant text := capforecast._setting('billing_timezone');
	unbound constant text[] := ARRAY(SELECT c FROM unnest(ARRAY['is_annual', 'trial_ends_at', 'cancel_at_period_end', 'cancelled_at', 'stripe_price_id']) c
		WHERE capforecast._host_column('vendor_subscriptions', c) IS NULL);
	keeps_items constant boolean := capforecast._host_has('vendor_addons')
		AND capforecast._host_column('vendor_addons', 'stripe_subscription_item_id') IS NOT NULL;
	stripe_ids text[];
	customers text[];
BEGIN
	IF ids IS NOT NULL THEN
		EXECUTE capforecast._keyed_sql('SELECT coalesce(array_agg(s.stripe_subscription_id), ''{}''), coalesce(array_agg(s.stripe_customer_id), ''{}'')
			FROM ' || capforecast._subscriptions_sql() || ' s WHERE s.id = ANY (@key)', ids::text) INTO stripe_ids, customers;
	END IF;
	IF cardinality(ids) = 1 THEN
		RETURN QUERY SELECT * FROM capforecast._host_rows(NULL::capforecast._stripe_decision,
			capforecast._stripe_decision_sql('s.id = {$7:vendor_subscriptions.id}'), mirrored, stripe_ids, customers, zone, unbound, keeps_items, ids[1]);
	ELSE
		RETURN QUERY EXECUTE capforecast._keyed_sql(capforecast._stripe_decision_sql(CASE WHEN ids IS NOT NULL THEN 's.id = ANY (@key)' END), ids::text)
		USING mirrored, stripe_ids, customers, zone, unbound, keeps_items;
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._stripe_decide(text[]) IS
	'For each subscription with an id of Stripe: what its row is, what it should be, and the verdict (apply, unchanged, stale, missing, ambiguous).';
