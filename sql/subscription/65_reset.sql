-- The jobs on usage windows and counters.

CREATE TYPE capforecast.reset_result AS (
	run_id bigint, as_of timestamptz, dry_run boolean, examined bigint, changed bigint, skipped_locked bigint, failed bigint,
	findings jsonb, already_running boolean, windows_closed bigint, drafts bigint);
COMMENT ON TYPE capforecast.reset_result IS 'job_result, and the usage windows closed and invoice drafts written.';

CREATE FUNCTION capforecast.reset_period_counters(as_of timestamptz DEFAULT NULL, row_limit integer DEFAULT NULL, dry_run boolean DEFAULT false)
	RETURNS capforecast.reset_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	job constant text := 'reset_period_counters';
	-- trials that have ended and cancellations that are due are other jobs' work
	condition constant text := 's.live AND s.good_period AND st.usage_end <= $1
		AND NOT (s.status = ''trial'' AND s.trial_ends_at <= $1 IS TRUE)
		AND NOT (s.stripe_subscription_id IS NULL AND s.cancel_at_period_end AND s.period_end <= $1)
		AND st.usage_end > $1 - interval ''1200 months''';
	codes text[] := ARRAY['bad_period', 'clock_moved_back', 'irregular_period', 'too_many_windows'];
	started_at timestamptz := clock_timestamp();
	now timestamptz := capforecast._now(as_of);
	busy jsonb := capforecast._busy(job, now, dry_run);
	adopted bigint;
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
		PERFORM capforecast._see(now);
		adopted := capforecast._adopt_periods(now);
		SELECT w.counts, w.failures INTO counts, problems FROM capforecast._work(job, '_roll', condition, now, '{}', row_limit) w;
		counts := capforecast._add_counts(counts, jsonb_build_object('windows_closed', adopted, 'drafts', 0));
		problems := problems || capforecast._problems(codes, now);
		result := jsonb_populate_record(NULL::capforecast.reset_result,
			to_jsonb(capforecast._finish(job, started_at, now, dry_run, counts, problems, codes)) || (counts - 'failed'));
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
	'Job: close every usage window that has ended (one row in period_ledger each, those missed while the server was down too), count the orders of the new one, apply changes of tier that were waiting for the boundary, and write the invoice draft of locally billed subscriptions. Rows that somebody holds are left for the next run. row_limit: at most so many subscriptions; dry_run: undo it all and say what would change.';

CREATE FUNCTION capforecast.reconcile_order_counters(apply boolean DEFAULT false, as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (subscription_id text, vendor_id text, counter bigint, recount bigint, difference bigint, applied boolean)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
#variable_conflict use_column
DECLARE
	now timestamptz := capforecast._now(as_of);
	counted constant text := $sql$
		SELECT s.id, s.subscription_id, s.vendor_id::text AS vendor_id, s.orders_counter AS counter,
			(SELECT count(*) FROM {orders} o WHERE {o:orders.vendor_id} = s.vendor_id
				AND {o:orders.created_at} >= coalesce(st.usage_start, s.period_start) AND {o:orders.created_at} <= $1) AS recount
		FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s LEFT JOIN capforecast.subscription_state st USING (subscription_id)
		WHERE s.live AND s.good_period$sql$;
	locked text[];
BEGIN
	IF apply IS NOT TRUE THEN
		RETURN QUERY EXECUTE capforecast._host_sql('SELECT c.subscription_id, c.vendor_id, c.counter, c.recount, c.recount - c.counter, false
			FROM (' || counted || ') c WHERE c.counter <> c.recount ORDER BY c.id') USING now;
		RETURN;
	END IF;
	EXECUTE capforecast._host_sql('SELECT coalesce(array_agg(c.subscription_id), ''{}'') FROM (' || counted || ') c WHERE c.counter <> c.recount')
	INTO locked USING now;
	locked := capforecast._lock_free(locked);
	RETURN QUERY EXECUTE capforecast._keyed_sql($sql$
		WITH wrong AS MATERIALIZED (
			SELECT c.* FROM ($sql$ || counted || $sql$) c WHERE c.counter <> c.recount AND c.id = ANY (@key)
		), fixed AS (
			UPDATE {vendor_subscriptions} h SET $sql$ || capforecast._host_set('vendor_subscriptions', 'orders_this_period', 'w.recount',
				'updated_at', '$1') || $sql$
			FROM wrong w WHERE {h:vendor_subscriptions.id} = w.id
		), audited AS (
			INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
			SELECT 'reconcile_order_counters', w.vendor_id, w.subscription_id, jsonb_build_object('orders_this_period', w.counter),
				jsonb_build_object('orders_this_period', w.recount), 'recount' FROM wrong w
		)
		SELECT w.subscription_id, w.vendor_id, w.counter, w.recount, w.recount - w.counter, true FROM wrong w ORDER BY w.id$sql$, locked::text)
	USING now;
END
$$;
COMMENT ON FUNCTION capforecast.reconcile_order_counters(boolean, timestamptz) IS
	'Live subscriptions whose orders_this_period is not the number of orders in the usage window. With apply the counter is set, and audited; rows that somebody holds are left out.';
