-- The job that follows Stripe, and what it must not conclude.

CREATE TYPE capforecast.sync_result AS (
	run_id bigint, as_of timestamptz, dry_run boolean, examined bigint, changed bigint, skipped_locked bigint, failed bigint,
	findings jsonb, already_running boolean, applied bigint, unchanged bigint, stale bigint, missing bigint, ambiguous bigint, held_back bigint,
	mirror_stale boolean);
COMMENT ON TYPE capforecast.sync_result IS 'job_result, and the verdicts by number; mirror_stale: the mirror was too old or empty, and the run only reported.';

-- The mirror is silent: nothing can be concluded from what it does not say.
CREATE FUNCTION capforecast._stripe_silence(as_of timestamptz)
	RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	newest timestamptz;
	n bigint;
	max_age interval := capforecast._setting('stripe_mirror_max_age')::interval;
BEGIN
	IF capforecast._stripe_relation('subscriptions') IS NULL THEN
		RETURN NULL;
	END IF;
	SELECT count(*), max(x.version) INTO n, newest FROM capforecast._stripe_source() x;
	IF n = 0 THEN
		RETURN 'stripe_mirror_empty';
	ELSIF newest < as_of - max_age AND NOT EXISTS (SELECT FROM capforecast.stripe_event e WHERE e.received_at >= as_of - max_age) THEN
		RETURN 'stripe_mirror_stale';
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION capforecast._stripe_silence(timestamptz) IS 'Why a mirror may only be reported on: stripe_mirror_empty or stripe_mirror_stale; NULL: it may be followed.';

CREATE FUNCTION capforecast._note_missing(as_of timestamptz, missing text[])
	RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	UPDATE capforecast.subscription_state st
	SET stripe_missing_since = CASE WHEN st.subscription_id = ANY (missing) THEN coalesce(st.stripe_missing_since, as_of) END,
		stripe_missing_runs = CASE WHEN st.subscription_id = ANY (missing) THEN st.stripe_missing_runs + 1 ELSE 0 END
	WHERE st.subscription_id = ANY (missing) OR st.stripe_missing_since IS NOT NULL
$$;
COMMENT ON FUNCTION capforecast._note_missing(timestamptz, text[]) IS 'Since when, and in how many runs, Stripe''s data has not had a subscription.';

CREATE FUNCTION capforecast._stripe_findings(decided jsonb, as_of timestamptz)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_object('code', code, 'subject', 'subscription ' || (r ->> 'subscription_id'),
		'severity', CASE WHEN code = 'stripe_missing' AND st.stripe_missing_runs >= 3
			AND st.stripe_missing_since <= as_of - interval '48 hours' THEN 'critical' END,
		'detail', jsonb_build_object('vendor', r -> 'vendor_id', 'stripe_id', r -> 'stripe_id', 'stripe_status', r -> 'stripe_status'))), '[]')
	FROM jsonb_array_elements(decided) r CROSS JOIN LATERAL jsonb_array_elements_text(r -> 'problems') code
		LEFT JOIN capforecast.subscription_state st ON st.subscription_id = r ->> 'subscription_id'
$$;
COMMENT ON FUNCTION capforecast._stripe_findings(jsonb, timestamptz) IS 'Findings about what was decided.';

CREATE FUNCTION capforecast.sync_stripe_status(as_of timestamptz DEFAULT NULL, force boolean DEFAULT false, dry_run boolean DEFAULT false)
	RETURNS capforecast.sync_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	job constant text := 'sync_stripe_status';
	codes text[] := ARRAY['mass_change_guard', 'stripe_addon_differs', 'stripe_ambiguous', 'stripe_mirror_empty', 'stripe_mirror_stale', 'stripe_missing',
		'stripe_period_inverted', 'stripe_period_missing', 'stripe_price_unknown', 'stripe_row_lagging', 'stripe_status_unknown'];
	started_at timestamptz := clock_timestamp();
	now timestamptz := capforecast._now(as_of);
	busy jsonb := capforecast._busy(job, now, dry_run);
	mirror constant text := 'mirror ' || capforecast._setting('stripe_schema');
	silence text;
	decided jsonb;
	ending text[];
	held_back text[] := '{}';
	live bigint;
	chosen text[];
	worked record;
	counts jsonb;
	problems jsonb;
	result capforecast.sync_result;
BEGIN
	PERFORM capforecast._host_lockable();
	IF busy IS NOT NULL THEN
		RETURN jsonb_populate_record(result, busy);
	END IF;
	silence := capforecast._stripe_silence(now);
	BEGIN
		PERFORM capforecast._work(job, '_notice', capforecast._news_sql(), now, jsonb_build_object('until', as_of));
		SELECT coalesce(jsonb_agg(to_jsonb(d) - ARRAY['current', 'target', 'items', 'schedule']) FILTER (WHERE cardinality(d.problems) > 0), '[]'),
			coalesce(array_agg(d.subscription_id) FILTER (WHERE d.verdict = 'apply' AND d.ends), '{}'),
			coalesce(array_agg(d.subscription_id) FILTER (WHERE d.verdict = 'apply' AND NOT d.ends OR d.verdict = 'unchanged' AND o.waits), '{}'),
			jsonb_build_object('examined', count(*), 'unchanged', count(*) FILTER (WHERE d.verdict = 'unchanged'), 'stale',
				count(*) FILTER (WHERE d.verdict = 'stale'),
				'missing', count(*) FILTER (WHERE d.verdict = 'missing'), 'ambiguous', count(*) FILTER (WHERE d.verdict = 'ambiguous'),
					'held_back', 0)
		INTO decided, ending, chosen, counts
		FROM capforecast._stripe_decide() d CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM capforecast.stripe_outbox o
			WHERE o.subscription_id = d.subscription_id AND o.status IN ('pending', 'taken', 'sent', 'scheduled')) AS waits) o;
		live := cardinality(capforecast._due('s.live', now));
		IF silence IS NOT NULL THEN
			codes := ARRAY['stripe_mirror_empty', 'stripe_mirror_stale'];
			problems := jsonb_build_array(jsonb_build_object('code', silence, 'subject', mirror));
		ELSE
			PERFORM capforecast._note_missing(now, ARRAY(SELECT r ->> 'subscription_id' FROM jsonb_array_elements(decided) r
				WHERE r ->> 'verdict' = 'missing'));
			problems := capforecast._stripe_findings(decided, now);
			IF cardinality(ending) > greatest(5, live / 10.0) AND force IS NOT TRUE THEN
				counts := counts || jsonb_build_object('held_back', cardinality(ending));
				problems := problems || jsonb_build_object('code', 'mass_change_guard', 'subject', mirror,
					'detail', jsonb_build_object('would_end', cardinality(ending), 'live', live, 'subscriptions', to_jsonb(ending[1:20])));
				held_back := ending;
				ending := '{}';
			END IF;
			SELECT * INTO worked FROM capforecast._work(job, '_stripe_apply', 'true', now, '{}', given => chosen || ending);
			counts := (worked.counts - 'examined') || counts;
			problems := problems || worked.failures;
			EXECUTE capforecast._host_sql('UPDATE capforecast.stripe_event e SET outcome = ''accepted'', applied_at = $1
				WHERE e.outcome = ''stored_unresolved'' AND e.object_id IN (SELECT s.stripe_subscription_id
					FROM ' || capforecast._subscriptions_sql() || ' s WHERE s.subscription_id <> ALL ($2))')
			USING now, ARRAY(SELECT regexp_replace(f ->> 'subject', '^.* subscription ', '') FROM jsonb_array_elements(worked.failures) f)
				|| held_back;
			-- what was found once, by whoever applied it: over when nobody bills any more, or the event is gone
			PERFORM capforecast._resolve(ARRAY['billed_but_cancelled'], (SELECT coalesce(jsonb_agg(jsonb_build_object('code', 'billed_but_cancelled',
					'subject', 'subscription ' || st.subscription_id)), '[]')
				FROM capforecast.subscription_state st WHERE capforecast._stripe_rank(st.stripe_status) BETWEEN 1 AND 6), now);
			PERFORM capforecast._resolve(ARRAY['event_id_reuse'], (SELECT coalesce(jsonb_agg(jsonb_build_object('code', 'event_id_reuse',
					'subject', f.subject)), '[]')
				FROM capforecast.finding f JOIN capforecast.stripe_event e ON f.subject = 'event ' || e.event_id
				WHERE f.code = 'event_id_reuse' AND f.resolved_at IS NULL), now);
		END IF;
		result := jsonb_populate_record(NULL::capforecast.sync_result, to_jsonb(capforecast._finish(job, started_at, now, dry_run, counts,
			problems, codes)) || (counts - 'failed'));
		result.applied := result.changed;
		result.mirror_stale := silence IS NOT NULL;
		IF dry_run THEN
			RAISE EXCEPTION USING ERRCODE = 'CF000';
		END IF;
	EXCEPTION WHEN SQLSTATE 'CF000' THEN
		NULL;
	END;
	RETURN result;
END
$$;
COMMENT ON FUNCTION capforecast.sync_stripe_status(timestamptz, boolean, boolean) IS
	'Job: bring status, period, tier and flags of subscriptions that Stripe manages to agree with the mirror of Stripe''s tables, or with the webhook events where there is no mirror. A subscription that the mirror does not have, a mirror that is empty or old, never ends one. Where a run would end more than 5 and more than a tenth of the live subscriptions those are held back; force ends them.
Example: SELECT * FROM capforecast.sync_stripe_status(dry_run => true);';
