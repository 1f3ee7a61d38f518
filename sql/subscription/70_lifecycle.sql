-- The jobs on status: trials that end, cancellations that take effect, what grows stale.
-- Subscriptions that Stripe manages are never touched here: sync_stripe_status() does it.

CREATE TYPE capforecast.trial_result AS (
	run_id bigint, as_of timestamptz, dry_run boolean, examined bigint, changed bigint, skipped_locked bigint, failed bigint,
	findings jsonb, already_running boolean, expiring_soon jsonb);
COMMENT ON TYPE capforecast.trial_result IS 'job_result, and the trials that end soon: [{vendor_id, subscription_id, trial_ends_at}].';

-- Ends the locked subscriptions: status, and when access ended as an expression on s.  What
-- is pending is still owed: it goes on a last draft.
CREATE FUNCTION capforecast._end_subscriptions(as_of timestamptz, ids text[], status text, ended_at text, reason text)
	RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	changed bigint;
BEGIN
	IF cardinality(ids) = 0 THEN
		RETURN 0;
	END IF;
	PERFORM capforecast._draft_last(as_of, ids, ended_at);
	PERFORM capforecast._end_addons(as_of, ids, ARRAY['pending', 'active', 'cancelling'], ended_at);
	EXECUTE capforecast._keyed_sql($sql$
		WITH ended AS (
			UPDATE {vendor_subscriptions} h SET $sql$ || capforecast._host_set('vendor_subscriptions', 'status', quote_literal(status),
				'cancelled_at', ended_at, 'updated_at', '$1') || $sql$
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
			WHERE s.id = ANY (@key) AND {h:vendor_subscriptions.id} = s.id
			RETURNING s.vendor_id::text AS vendor_id, s.subscription_id, s.status AS old_status, $sql$ || ended_at || $sql$ AS ended_at
		), state AS (
			UPDATE capforecast.subscription_state st SET last_status = $2, status_since = $1
			FROM ended e WHERE e.subscription_id = st.subscription_id
		)
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
		SELECT 'end_subscription', e.vendor_id, e.subscription_id, jsonb_build_object('status', e.old_status),
			jsonb_build_object('status', $2, 'cancelled_at', e.ended_at), $3 FROM ended e$sql$, ids::text)
	USING as_of, status, reason;
	GET DIAGNOSTICS changed = ROW_COUNT;
	RETURN changed;
END
$$;
COMMENT ON FUNCTION capforecast._end_subscriptions(timestamptz, text[], text, text, text) IS
	'Give subscriptions a final status, with their add-ons and what was pending; audited.';

-- Where somebody has billed beyond the end of the trial (of a subscription that had ended
-- before, or of a row that was put back into it), that period goes on.
CREATE FUNCTION capforecast._go_on(as_of timestamptz, ids text[])
	RETURNS text[] LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	billed text[];
BEGIN
	EXECUTE capforecast._keyed_sql($sql$
		WITH billed AS MATERIALIZED (
			SELECT s.id, s.subscription_id, p.starts, p.ends, st.period_end > p.ends AS is_owed		-- one that could not be billed
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s JOIN capforecast.subscription_state st USING (subscription_id)
				JOIN capforecast.billed_period p ON p.subscription_id = s.subscription_id AND p.ends = st.billed_until AND p.billed_by <> 'nobody'
			WHERE s.id = ANY (@key) AND p.ends > s.trial_ends_at
		), state AS (
			UPDATE capforecast.subscription_state st
			SET period_start = b.starts, period_end = b.ends, anchor_local = capforecast._anchor_at(st.anchor_local, st.anchor_zone, b.ends, true),
				anchor_irregular = false
			FROM billed b WHERE b.subscription_id = st.subscription_id AND NOT b.is_owed
		), host AS (
			UPDATE {vendor_subscriptions} h SET $sql$ || capforecast._host_set('vendor_subscriptions', 'period_start', 'b.starts', 'period_end', 'b.ends') || $sql$
			FROM billed b WHERE {h:vendor_subscriptions.id} = b.id AND NOT b.is_owed
		)
		SELECT coalesce(array_agg(b.subscription_id), '{}') FROM billed b$sql$, ids::text) INTO billed;
	RETURN billed;
END
$$;
COMMENT ON FUNCTION capforecast._go_on(timestamptz, text[]) IS 'Put subscriptions into the period that was billed, where that ends after their trial; returns which.';

-- Activation begins a period of its own at the end of the trial.
CREATE FUNCTION capforecast._activate_trials(as_of timestamptz, ids text[], new_tier text, until timestamptz)
	RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	changed bigint;
BEGIN
	EXECUTE capforecast._keyed_sql('SELECT capforecast._end_books(s.subscription_id, s.trial_ends_at)
		FROM ' || capforecast._subscriptions_sql() || ' s JOIN capforecast.subscription_state st USING (subscription_id)
			JOIN capforecast.billed_period p ON p.subscription_id = st.subscription_id AND p.ends = st.billed_until
		WHERE s.id = ANY (@key) AND (p.billed_by = ''nobody'' OR p.ends <= s.trial_ends_at)', ids::text);
	-- the time of a trial after a period that was billed
	EXECUTE capforecast._keyed_sql('WITH gap AS (
			INSERT INTO capforecast.billed_period (subscription_id, starts, ends, billed_by, tier, is_annual, price_cents, amount_cents, previous_end)
			SELECT s.subscription_id, st.billed_until, s.trial_ends_at, ''nobody'', s.tier, s.is_annual, 0, 0, st.billed_until
			FROM ' || capforecast._subscriptions_sql() || ' s JOIN capforecast.subscription_state st USING (subscription_id)
			WHERE s.id = ANY (@key) AND st.billed_until < s.trial_ends_at
			RETURNING subscription_id, ends)
		UPDATE capforecast.subscription_state st SET billed_until = g.ends FROM gap g WHERE g.subscription_id = st.subscription_id', ids::text);
	EXECUTE capforecast._keyed_sql($sql$
		WITH activated AS (
			UPDATE {vendor_subscriptions} h SET $sql$ || capforecast._host_set('vendor_subscriptions', 'status', '''active''',
				'tier', 'coalesce($2, s.tier)', 'updated_at', '$1') || $sql$
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
			WHERE s.id = ANY (@key) AND {h:vendor_subscriptions.id} = s.id
			RETURNING s.vendor_id::text AS vendor_id, s.subscription_id, s.tier AS old_tier
		), state AS (
			UPDATE capforecast.subscription_state st
			SET last_status = 'active', status_since = $1, pending_tier = NULL, pending_annual = NULL, pending_at = NULL, pending_requested_at = NULL
			FROM activated a WHERE a.subscription_id = st.subscription_id
		)
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
		SELECT 'activate', a.vendor_id, a.subscription_id, jsonb_build_object('status', 'trial', 'tier', a.old_tier),
			jsonb_build_object('status', 'active', 'tier', coalesce($2, a.old_tier)), 'trial_end' FROM activated a$sql$, ids::text)
	USING as_of, new_tier;
	GET DIAGNOSTICS changed = ROW_COUNT;
	PERFORM capforecast._begin_anew(as_of, ARRAY(SELECT unnest(ids) EXCEPT SELECT unnest(capforecast._go_on(as_of, ids))), 'trial_end', until);
	RETURN changed;
END
$$;
COMMENT ON FUNCTION capforecast._activate_trials(timestamptz, text[], text, timestamptz) IS
	'Make trials that have ended active, on another tier if one is given, and bill them from the end of the trial.';

CREATE FUNCTION capforecast._settle_trials(as_of timestamptz, ids text[], options jsonb)
	RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	cancelled text[] := capforecast._due('s.cancel_at_period_end', as_of, ids);
	others text[] := ARRAY(SELECT unnest(ids) EXCEPT SELECT unnest(cancelled));
	changed bigint := capforecast._end_subscriptions(as_of, cancelled, 'cancelled', 's.trial_ends_at', 'cancel_at_period_end');
BEGIN
	IF options ->> 'action' = 'expire' THEN
		changed := changed + capforecast._end_subscriptions(as_of, others, 'expired', 's.trial_ends_at', 'trial_end');
	ELSIF cardinality(others) > 0 THEN
		changed := changed + capforecast._activate_trials(as_of, others, options ->> 'tier', (options ->> 'until')::timestamptz);
	END IF;
	RETURN jsonb_build_object('changed', changed);
END
$$;
COMMENT ON FUNCTION capforecast._settle_trials(timestamptz, text[], jsonb) IS
	'Worker of check_trial_expirations(): a trial that was cancelled ends so, whatever becomes of the others.';

CREATE FUNCTION capforecast.check_trial_expirations(as_of timestamptz DEFAULT NULL, warn interval DEFAULT '3 days', dry_run boolean DEFAULT false)
	RETURNS capforecast.trial_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	job constant text := 'check_trial_expirations';
	codes constant text[] := ARRAY['trial_without_end', 'trial_unconfirmed'];
	action text := split_part(capforecast._setting('trial_action'), ':', 1);
	new_tier text := nullif(split_part(capforecast._setting('trial_action'), ':', 2), '');
	condition text := 's.status = ''trial'' AND s.trial_ends_at <= $1 AND NOT s.managed'
		|| CASE WHEN action = 'expire' THEN '' ELSE ' AND (s.good_period OR s.cancel_at_period_end)' END;
	options constant jsonb := jsonb_build_object('action', action, 'tier', new_tier, 'until', as_of);
	started_at timestamptz := clock_timestamp();
	now timestamptz := capforecast._now(as_of);
	busy jsonb := capforecast._busy(job, now, dry_run);
	counts jsonb;
	problems jsonb;
	result capforecast.trial_result;
	expiring jsonb;
BEGIN
	IF new_tier IS NOT NULL AND NOT EXISTS (SELECT FROM capforecast.get_tier_info(new_tier) t WHERE t.source = 'database' AND t.code = new_tier) THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('tier "%s" of capforecast.trial_action does not exist', new_tier),
			DETAIL = 'unknown_tier: no subscription was changed.',
			HINT = 'Set it to "expire", "activate" or "downgrade:" with the code of a tier.';
	END IF;
	IF busy IS NOT NULL THEN
		RETURN jsonb_populate_record(result, busy);
	END IF;
	BEGIN
		SELECT w.failures INTO problems FROM capforecast._work(job, '_notice', capforecast._news_sql(), now, options) w;
		SELECT w.counts, problems || w.failures INTO counts, problems FROM capforecast._work(job, '_settle_trials', condition, now, options) w;
		problems := problems || capforecast._problems(codes, now);
		EXECUTE capforecast._host_sql('SELECT coalesce(jsonb_agg(jsonb_build_object(''vendor_id'', s.vendor_id::text, ''subscription_id'', s.subscription_id,
				''trial_ends_at'', s.trial_ends_at) ORDER BY s.trial_ends_at, s.id), ''[]'')
			FROM ' || capforecast._subscriptions_sql() || ' s
			WHERE s.status = ''trial'' AND s.trial_ends_at > $1 AND s.trial_ends_at <= $1 + $2')
		INTO expiring USING now, warn;
		result := jsonb_populate_record(NULL::capforecast.trial_result,
			to_jsonb(capforecast._finish(job, started_at, now, dry_run, counts, problems, codes)) || jsonb_build_object('expiring_soon', expiring));
		IF dry_run THEN
			RAISE EXCEPTION USING ERRCODE = 'CF000';
		END IF;
	EXCEPTION WHEN SQLSTATE 'CF000' THEN
		NULL;
	END;
	RETURN result;
END
$$;
COMMENT ON FUNCTION capforecast.check_trial_expirations(timestamptz, interval, boolean) IS
	'Job: local subscriptions on trial whose trial_ends_at has come get what capforecast.trial_action says: expired (default), active, or active on another tier. Nothing but status trial is looked at, and nothing that Stripe manages. expiring_soon: trials that end within warn.
Example: SELECT * FROM capforecast.check_trial_expirations(dry_run => true);';

-- past_due for too long, and cancellations whose period is over.
CREATE FUNCTION capforecast._end_stale(as_of timestamptz, ids text[], options jsonb)
	RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	cancelled text[] := capforecast._due('s.cancel_at_period_end AND s.period_end <= $1', as_of, ids);
	lapsed text[] := ARRAY(SELECT unnest(ids) EXCEPT SELECT unnest(cancelled));
BEGIN
	RETURN jsonb_build_object('changed',
		capforecast._end_subscriptions(as_of, cancelled, 'cancelled', 's.period_end', 'cancel_at_period_end')
		+ capforecast._end_subscriptions(as_of, lapsed, 'expired', '$1', 'past_due'));
END
$$;
COMMENT ON FUNCTION capforecast._end_stale(timestamptz, text[], jsonb) IS 'Worker of cleanup_stale_subscriptions().';

CREATE FUNCTION capforecast._purge()
	RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	SELECT capforecast._purge_events();
	-- a key lives as long as the request to Stripe that bears it
	DELETE FROM capforecast.request_log r WHERE r.created_at < clock_timestamp() - interval '30 days'
		AND NOT EXISTS (SELECT FROM capforecast.stripe_outbox o WHERE o.idempotency_key = concat_ws(':', r.operation, r.vendor_id, r.idempotency_key));
	SELECT capforecast._purge_runs();
$$;
COMMENT ON FUNCTION capforecast._purge() IS
	'Drop what the clock says is old: events (never the last word on an object), answered requests and runs. Ledger, audit and the host''s data stay.';

CREATE FUNCTION capforecast.cleanup_stale_subscriptions(as_of timestamptz DEFAULT NULL, past_due_grace interval DEFAULT '30 days',
	dry_run boolean DEFAULT false)
	RETURNS capforecast.job_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	job constant text := 'cleanup_stale_subscriptions';
	condition text := format('s.live AND NOT s.managed AND ((s.status <> ''trial'' AND s.cancel_at_period_end AND s.period_end <= $1)
		OR (s.status = ''past_due'' AND coalesce(st.status_since, s.period_start) <= $1 - %L::interval))', past_due_grace);
	codes constant text[] := ARRAY['bad_custom_limit', 'bad_period', 'duplicate_live', 'inactive_vendor', 'interval_not_supported', 'negative_counter',
		'orphan_subscription', 'past_due_stripe', 'pending_change_overdue', 'unknown_status', 'unknown_tier'];
	started_at timestamptz := clock_timestamp();
	now timestamptz := capforecast._now(as_of);
	busy jsonb := capforecast._busy(job, now, dry_run);
	counts jsonb;
	problems jsonb;
	result capforecast.job_result;
BEGIN
	PERFORM capforecast._host_lockable();
	IF busy IS NOT NULL THEN
		RETURN jsonb_populate_record(result, busy);
	END IF;
	BEGIN
		SELECT w.failures INTO problems FROM capforecast._work(job, '_notice', capforecast._news_sql(), now, jsonb_build_object('until', as_of)) w;
		SELECT w.counts, problems || w.failures INTO counts, problems FROM capforecast._work(job, '_end_stale', condition, now, '{}') w;
		problems := problems || capforecast._problems(codes, now)
			|| capforecast._outbox_problems(now) || capforecast._addon_problems() || capforecast._zone_problems();
		PERFORM capforecast._purge();
		result := capforecast._finish(job, started_at, now, dry_run, counts, problems, codes || '{billing_zone_differs,outbox_stuck}'::text[]);
		IF dry_run THEN
			RAISE EXCEPTION USING ERRCODE = 'CF000';
		END IF;
	EXCEPTION WHEN SQLSTATE 'CF000' THEN
		NULL;
	END;
	RETURN result;
END
$$;
COMMENT ON FUNCTION capforecast.cleanup_stale_subscriptions(timestamptz, interval, boolean) IS
	'Job: local subscriptions that were to be cancelled at the end of a period that is over become cancelled; those past_due for past_due_grace become expired. Everything else that looks wrong is a finding, never a change. Old rows of capforecast''s own logs are dropped; the host''s rows never.
Example: SELECT * FROM capforecast.cleanup_stale_subscriptions(dry_run => true);';
