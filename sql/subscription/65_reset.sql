-- The jobs on usage windows and counters.

CREATE TYPE capforecast.reset_result AS (
	run_id bigint, as_of timestamptz, dry_run boolean, examined bigint, changed bigint, skipped_locked bigint, failed bigint,
	findings jsonb, already_running boolean, windows_closed bigint, drafts bigint);
COMMENT ON TYPE capforecast.reset_result IS 'job_result, and the usage windows closed and invoice drafts written.';

-- What is left of a run once windows have rolled: periods that could not be billed before,
-- and what is pending of subscriptions that somebody has ended.
CREATE FUNCTION capforecast._settle_open(as_of timestamptz, ids text[], options jsonb)
	RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ended text[] := capforecast._due('NOT s.live', as_of, ids);
	counts jsonb := capforecast._bill(as_of, ids);
BEGIN
	RETURN capforecast._add_counts(counts, jsonb_build_object('drafts',
		capforecast._draft_last(as_of, ended, 'least(coalesce(s.cancelled_at, st.status_since), $1)')));
END
$$;
COMMENT ON FUNCTION capforecast._settle_open(timestamptz, text[], jsonb) IS 'Worker: what is owed, by subscriptions that go on and by those that have ended.';

-- Findings that are about one moment: they stay open until the next period begins.
CREATE FUNCTION capforecast._moments(as_of timestamptz)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_object_agg(f.code, f.n), '{}')
	FROM (SELECT code, count(*) AS n FROM capforecast.finding
		  WHERE code IN ('anchor_moved', 'currency_mismatch', 'period_gap', 'period_moved_back') AND last_seen = as_of AND resolved_at IS NULL
		  GROUP BY 1) f
$$;
COMMENT ON FUNCTION capforecast._moments(timestamptz) IS 'Findings that billing made at this instant, by number.';

CREATE FUNCTION capforecast._resolve_moments(as_of timestamptz)
	RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	UPDATE capforecast.finding f SET resolved_at = as_of
	WHERE f.resolved_at IS NULL AND f.last_seen < as_of
	  AND (f.code = 'currency_mismatch' OR (f.code IN ('anchor_moved', 'period_gap', 'period_moved_back')
		AND NOT EXISTS (SELECT FROM capforecast.subscription_state st
			WHERE 'subscription ' || st.subscription_id = f.subject AND st.period_start <= f.last_seen)))
$$;
COMMENT ON FUNCTION capforecast._resolve_moments(timestamptz) IS 'Resolve what billing found in an earlier period, or could not bill and has.';

CREATE FUNCTION capforecast.reset_period_counters(as_of timestamptz DEFAULT NULL, row_limit integer DEFAULT NULL, dry_run boolean DEFAULT false)
	RETURNS capforecast.reset_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	job constant text := 'reset_period_counters';
	-- trials that have ended and cancellations that are due are other jobs' work
	due constant text := 's.live AND s.good_period AND st.usage_end <= $1
		AND NOT (s.status = ''trial'' AND s.trial_ends_at <= $1 IS TRUE)
		AND NOT (NOT s.managed AND s.cancel_at_period_end AND s.period_end <= $1)
		AND st.usage_end > $1 - interval ''1200 months''';
	unsettled constant text := capforecast._owed_sql() || ' AND st.usage_end > $1' || CASE WHEN capforecast._host_has('billing_history') THEN '
		OR NOT s.live AND st.stripe_status IS DISTINCT FROM ''paused'' AND EXISTS (SELECT FROM capforecast.pending_invoice_item i
			WHERE i.subscription_id = s.subscription_id AND i.invoiced_at IS NULL)' ELSE '' END;
	codes text[] := ARRAY['bad_period', 'clock_moved_back', 'irregular_period', 'too_many_windows'];
	started_at timestamptz := clock_timestamp();
	now timestamptz := capforecast._now(as_of);
	busy jsonb := capforecast._busy(job, now, dry_run);
	options constant jsonb := jsonb_build_object('until', as_of);
	noticed record;
	rolled record;
	settled record;
	counts jsonb;
	problems jsonb;
	result capforecast.reset_result;
BEGIN
	IF busy IS NOT NULL THEN
		RETURN jsonb_populate_record(result, busy);
	END IF;
	IF capforecast._host_has('billing_history') THEN
		codes := codes || 'no_price'::text;
	END IF;
	BEGIN
		SELECT * INTO noticed FROM capforecast._work(job, '_notice', capforecast._news_sql(), now, options) w;
		SELECT * INTO rolled FROM capforecast._work(job, '_roll', due, now, options, row_limit) w;
		SELECT * INTO settled FROM capforecast._work(job, '_settle_open', unsettled, now, options) w;
		counts := capforecast._add_counts('{"windows_closed": 0, "drafts": 0}', capforecast._add_counts(rolled.counts,
			capforecast._add_counts(noticed.counts - 'examined', settled.counts - 'examined')));
		problems := noticed.failures || rolled.failures || settled.failures || capforecast._problems(codes, now);
		PERFORM capforecast._resolve_moments(now);
		result := jsonb_populate_record(NULL::capforecast.reset_result,
			to_jsonb(capforecast._finish(job, started_at, now, dry_run, counts, problems, codes)) || (counts - 'failed'));
		result.findings := result.findings || capforecast._moments(now);
		IF dry_run THEN
			RAISE EXCEPTION USING ERRCODE = 'CF000';
		END IF;
	EXCEPTION WHEN SQLSTATE 'CF000' THEN
		NULL;	-- undone: what would change is in result
	END;
	RETURN result;
END
$$;
COMMENT ON FUNCTION capforecast.reset_period_counters(timestamptz, integer, boolean) IS
	'Job: close every usage window that has ended (one row in period_ledger each, those missed while the server was down too), count the orders of the new one, apply changes of tier that were waiting for the boundary, and write the invoice draft of locally billed subscriptions. Rows that somebody holds are left for the next run. row_limit: at most so many subscriptions; dry_run: undo it all and say what would change.
Example: SELECT * FROM capforecast.reset_period_counters(dry_run => true);';

CREATE TYPE capforecast.counter_difference AS (subscription_id text, vendor_id text, counter bigint, recount bigint, difference bigint);
COMMENT ON TYPE capforecast.counter_difference IS
	'A live subscription whose orders_this_period (counter) is not the number of orders in its usage window (recount).';

CREATE FUNCTION capforecast._counter_differences_sql()
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'WITH span AS (
			SELECT s.subscription_id, s.vendor_id, coalesce(st.usage_start, s.period_start) AS starts, least(coalesce(st.usage_end, s.period_end), $1) AS ends,
				NULL::timestamptz AS new_start, NULL::timestamptz AS new_end, s.id, s.orders_counter
			FROM ' || capforecast._subscriptions_sql() || ' s LEFT JOIN capforecast.subscription_state st USING (subscription_id)
			WHERE s.live AND s.good_period
		), ' || capforecast._counted_sql() || ', wrong AS MATERIALIZED (
			SELECT n.id, n.subscription_id, n.vendor_id::text AS vendor_id, n.orders_counter AS counter, c.closed AS recount
			FROM span n JOIN counted c USING (subscription_id) WHERE n.orders_counter <> c.closed
		)'
$$;
COMMENT ON FUNCTION capforecast._counter_differences_sql() IS 'CTE wrong: the counters that are not what is counted up to $1.';

CREATE FUNCTION capforecast.order_counter_differences(as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.counter_difference
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
BEGIN
	IF NOT capforecast._host_has('vendor_subscriptions') THEN
		RETURN;
	END IF;
	RETURN QUERY EXECUTE capforecast._host_sql(capforecast._counter_differences_sql() || '
		SELECT w.subscription_id, w.vendor_id, w.counter, w.recount, w.recount - w.counter FROM wrong w ORDER BY w.id')
	USING CASE WHEN as_of IS NULL THEN 'infinity' ELSE capforecast._instant(as_of) END;
END
$$;
COMMENT ON FUNCTION capforecast.order_counter_differences(timestamptz) IS
	'Live subscriptions whose orders_this_period is not the number of orders in the usage window. No rows where the host keeps no orders.
Example: SELECT * FROM capforecast.order_counter_differences();';

CREATE FUNCTION capforecast.reconcile_order_counters(as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.counter_difference
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._now(as_of);
	locked text[];
BEGIN
	PERFORM capforecast._host_lockable();
	locked := capforecast._lock_free(ARRAY(SELECT d.subscription_id FROM capforecast.order_counter_differences(as_of) d));
	RETURN QUERY EXECUTE capforecast._keyed_sql(capforecast._counter_differences_sql() || $sql$, fixed AS (
			UPDATE {vendor_subscriptions} h SET $sql$ || capforecast._host_set('vendor_subscriptions', 'orders_this_period', 'w.recount',
				'updated_at', '$2') || $sql$
			FROM wrong w WHERE {h:vendor_subscriptions.id} = w.id AND w.id = ANY (@key)
		), audited AS (
			INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
			SELECT 'reconcile_order_counters', w.vendor_id, w.subscription_id, jsonb_build_object('orders_this_period', w.counter),
				jsonb_build_object('orders_this_period', w.recount), 'recount' FROM wrong w WHERE w.id = ANY (@key)
		)
		SELECT w.subscription_id, w.vendor_id, w.counter, w.recount, w.recount - w.counter FROM wrong w WHERE w.id = ANY (@key) ORDER BY w.id$sql$, locked::text)
	USING coalesce(as_of, 'infinity'), now;
END
$$;
COMMENT ON FUNCTION capforecast.reconcile_order_counters(timestamptz) IS
	'Set the counters that order_counter_differences() shows, and audit it; rows that somebody holds are left out.
Example: SELECT * FROM capforecast.reconcile_order_counters();';
