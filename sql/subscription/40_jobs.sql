-- How the jobs over subscriptions work: what is wrong, and sets that survive a bad row.
--
-- A job picks the ids that are due, locks those rows that nobody holds, looks again with
-- a new snapshot, and hands them to its worker, which does everything in sets.  A bad row
-- becomes a finding, and the others are done.

-- What is wrong with subscriptions, seen from their rows alone.
CREATE FUNCTION capforecast._problems(codes text[], as_of timestamptz)
	RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	problems jsonb;
	with_vendors boolean := codes && ARRAY['inactive_vendor', 'orphan_subscription'];
BEGIN
	EXECUTE capforecast._host_sql($sql$
		SELECT coalesce(jsonb_agg(jsonb_build_object('code', problem, 'subject', 'subscription ' || x.subscription_id,
			'detail', jsonb_strip_nulls(jsonb_build_object('vendor', x.vendor_id, 'tier', x.tier, 'status', x.status,
				'period_start', x.period_start, 'period_end', x.period_end,
				'usage_start', x.usage_start, 'usage_end', x.usage_end, 'trial_ends_at', x.trial_ends_at)))), '[]')
		FROM (SELECT s.*, st.usage_start, st.usage_end, array_remove(ARRAY[
				CASE WHEN s.live AND NOT s.good_period THEN 'bad_period' END,
				CASE WHEN s.live AND st.usage_start > $1 THEN 'clock_moved_back' END,
				CASE WHEN s.live AND st.usage_end <= $1 - interval '1200 months' THEN 'too_many_windows' END,
				CASE WHEN s.live AND st.anchor_irregular THEN 'irregular_period' END,
				CASE WHEN s.live AND s.good_period AND (s.period_end - s.period_start > CASE WHEN s.is_annual THEN interval '370 days' ELSE interval '35 days' END
					  OR s.status <> 'trial' AND s.period_end - s.period_start IN (interval '1 day', interval '7 days')) THEN 'interval_not_supported' END,
				CASE WHEN s.status IN ('active', 'past_due') AND NOT s.managed
					  AND CASE WHEN s.is_annual THEN t.annual ELSE t.monthly END IS NULL THEN 'no_price' END,
				CASE WHEN s.status = 'trial' AND s.trial_ends_at IS NULL THEN 'trial_without_end' END,
				CASE WHEN s.status = 'trial' AND s.managed
					  AND s.trial_ends_at <= $1 - interval '48 hours' THEN 'trial_unconfirmed' END,
				CASE WHEN s.live AND t.code IS NULL THEN 'unknown_tier' END,
				CASE WHEN s.status IS NULL OR s.status NOT IN ('trial', 'active', 'past_due', 'cancelled', 'expired') THEN 'unknown_status' END,
				CASE WHEN s.orders_counter < 0 THEN 'negative_counter' END,
				CASE WHEN least(s.own_products, s.own_orders, s.own_team_members) < -1 THEN 'bad_custom_limit' END,
				CASE WHEN st.pending_at <= $1 - interval '7 days' THEN 'pending_change_overdue' END,
				CASE WHEN s.status = 'past_due' AND s.managed
					  AND coalesce(st.status_since, s.period_start) <= $1 - interval '60 days' THEN 'past_due_stripe' END,
				CASE WHEN 'duplicate_live' = ANY ($2) AND s.live AND s.vendor_id IN (SELECT d.vendor_id
					FROM $sql$ || capforecast._subscriptions_sql() || $sql$ d
						WHERE d.live GROUP BY 1 HAVING count(*) > 1) THEN 'duplicate_live' END$sql$
		|| CASE WHEN with_vendors THEN $sql$,
				CASE WHEN v.vendor_id IS NULL THEN 'orphan_subscription' END,
				CASE WHEN s.live AND NOT v.is_active THEN 'inactive_vendor' END$sql$ ELSE '' END || $sql$
			], NULL) AS problems
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
				LEFT JOIN capforecast.subscription_state st USING (subscription_id)
				LEFT JOIN $sql$ || capforecast._tiers_sql() || $sql$ t ON t.code = s.tier$sql$
		|| CASE WHEN with_vendors THEN $sql$
				LEFT JOIN (SELECT {v:vendors.id} AS vendor_id, {v:vendors.is_active} AS is_active FROM {vendors} v) v
					ON v.vendor_id = s.vendor_id$sql$ ELSE '' END || $sql$
		) x CROSS JOIN LATERAL unnest(x.problems) problem
		WHERE x.problems && $2 AND problem = ANY ($2)$sql$)
	INTO problems USING as_of, codes;
	RETURN problems;
END
$$;
COMMENT ON FUNCTION capforecast._problems(text[], timestamptz) IS
	'Findings of the given codes about subscriptions, as _report() takes them.';

-- Add-ons that no invoice of a month or a year can have.
CREATE FUNCTION capforecast._addon_problems()
	RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
DECLARE
	problems jsonb := '[]';
BEGIN
	IF capforecast._host_has('addon_products') THEN
		EXECUTE capforecast._host_sql($sql$
			SELECT coalesce(jsonb_agg(jsonb_build_object('code', 'interval_not_supported', 'subject', 'add-on ' || {p:addon_products.code},
				'detail', jsonb_build_object('interval', {p:addon_products.billing_period}::text))), '[]')
			FROM {addon_products} p WHERE {p:addon_products.billing_period} <> ALL ('{monthly,annual,one_time}')$sql$) INTO problems;
	END IF;
	RETURN problems;
END
$$;
COMMENT ON FUNCTION capforecast._addon_problems() IS 'Findings interval_not_supported about add-ons.';

-- Boundaries that are midnight somewhere else: counted in billing_timezone they would drift
-- at the ends of months and when the clock changes.  The zone of the server comes first of
-- those that all boundaries agree with.
CREATE FUNCTION capforecast._zone_problems()
	RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	zone constant text := capforecast._setting('billing_timezone');
	bounds timestamptz[];
	zones text[];
BEGIN
	EXECUTE capforecast._host_sql('SELECT array_agg(DISTINCT b.at) FROM (SELECT s.period_start, s.period_end FROM ' || capforecast._subscriptions_sql() || ' s
			WHERE s.live AND s.good_period AND NOT s.managed ORDER BY s.period_end DESC LIMIT 1000) s CROSS JOIN LATERAL (VALUES (s.period_start), (s.period_end)) b(at)')
	INTO bounds;
	IF cardinality(bounds) < 4 OR EXISTS (SELECT FROM unnest(bounds) b(at) WHERE extract(epoch FROM b.at)::bigint % 900 <> 0)
	   OR (SELECT count(*) FILTER (WHERE timezone(zone, b.at)::time = '00:00') > cardinality(bounds) / 2 FROM unnest(bounds) b(at)) THEN
		RETURN '[]';
	END IF;
	SELECT array_agg(z.name ORDER BY z.name <> (SELECT p.reset_val FROM pg_settings p WHERE p.name = 'TimeZone'), z.name) INTO zones
	FROM pg_timezone_names z
	WHERE z.name ~ '^(Africa|America|Asia|Atlantic|Australia|Europe|Indian|Pacific)/'
	  AND NOT EXISTS (SELECT FROM unnest(bounds) b(at) WHERE timezone(z.name, b.at)::time <> '00:00');
	RETURN CASE WHEN zones IS NULL THEN '[]' ELSE jsonb_build_array(jsonb_build_object('code', 'billing_zone_differs', 'subject', 'billing_timezone ' || zone,
		'detail', jsonb_build_object('zones', zones[1:20], 'statement', format(
			'ALTER DATABASE %1$I SET capforecast.billing_timezone = %2$L; UPDATE capforecast.subscription_state SET anchor_zone = %2$L, anchor_local = (capforecast._anchor(period_start, period_end, %2$L)).anchor',
			current_database(), zones[1])))) END;
END
$$;
COMMENT ON FUNCTION capforecast._zone_problems() IS
	'Finding billing_zone_differs: the periods of local subscriptions begin and end at midnights, but not those of billing_timezone. zones: those that fit (20 at most); statement: what mends it, for the first of them.';

CREATE FUNCTION capforecast._add_counts(a jsonb, b jsonb)
	RETURNS jsonb LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_object_agg(k, coalesce((a ->> k)::bigint, 0) + coalesce((b ->> k)::bigint, 0))
	FROM (SELECT jsonb_object_keys(a) UNION SELECT jsonb_object_keys(b)) keys(k)
$$;
COMMENT ON FUNCTION capforecast._add_counts(jsonb, jsonb) IS 'Two objects of numbers, added key by key.';

-- condition: on s (a subscription), st (its state) and $1 (as_of).
CREATE FUNCTION capforecast._due(condition text, as_of timestamptz, ids text[] DEFAULT NULL, row_limit integer DEFAULT NULL)
	RETURNS text[] LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	due text[] := '{}';
BEGIN
	IF cardinality(ids) = 0 THEN
		RETURN due;
	END IF;
	EXECUTE capforecast._keyed_sql('SELECT coalesce(array_agg(d.subscription_id), ''{}'')
		FROM (SELECT s.subscription_id FROM ' || capforecast._subscriptions_sql() || ' s
			LEFT JOIN capforecast.subscription_state st USING (subscription_id)
			WHERE (' || condition || ')' || CASE WHEN ids IS NOT NULL THEN ' AND s.id = ANY (@key)' ELSE '' END
			|| CASE WHEN row_limit IS NOT NULL THEN ' ORDER BY s.id LIMIT $2' ELSE '' END || ') d', ids::text)
	INTO due USING as_of, row_limit;
	RETURN due;
END
$$;
COMMENT ON FUNCTION capforecast._due(text, timestamptz, text[], integer) IS 'Ids of the subscriptions that meet a condition.';

CREATE FUNCTION capforecast._lock_free(ids text[])
	RETURNS text[] LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
DECLARE
	locked text[];
BEGIN
	EXECUTE capforecast._keyed_sql('SELECT coalesce(array_agg(l.id), ''{}'')
		FROM (SELECT {s:vendor_subscriptions.id}::text AS id FROM {vendor_subscriptions} s
			WHERE {s:vendor_subscriptions.id} = ANY (@key)
			ORDER BY {s:vendor_subscriptions.id} FOR UPDATE OF s SKIP LOCKED) l', ids::text)
	INTO locked;
	RETURN locked;
END
$$;
COMMENT ON FUNCTION capforecast._lock_free(text[]) IS 'Lock the subscriptions that nobody else holds, and say which.';

-- worker: a function (as_of timestamptz, ids text[], options jsonb) returning jsonb counts.
-- Locking and looking again are statements of their own: each has a new snapshot.
CREATE FUNCTION capforecast._work_on(worker text, condition text, as_of timestamptz, ids text[], options jsonb)
	RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	locked text[] := capforecast._lock_free(ids);
	due text[] := capforecast._due(condition, as_of, locked);
	done jsonb := '{}';
BEGIN
	IF cardinality(due) > 0 THEN
		EXECUTE format('SELECT capforecast.%I($1, $2, $3)', worker) INTO done USING as_of, due, options;
		-- what the host has deferred belongs to these rows, not to the end of the transaction
		SET CONSTRAINTS ALL IMMEDIATE;
	END IF;
	RETURN done || jsonb_build_object('skipped_locked', cardinality(ids) - cardinality(locked));
END
$$;
COMMENT ON FUNCTION capforecast._work_on(text, text, timestamptz, text[], jsonb) IS
	'Lock what is free, look again, and let the worker do it.';

-- A set that fails is halved until the bad rows stand alone, however many they are: n rows
-- are tried log n times at most.  Rows that failed before come last, in a set of their own,
-- so that they cost the good ones nothing.  Where a hundred others have failed and none was
-- done, ten rows from all over are tried, and if they fail, too, it is a host that cannot
-- be written: the job's error.
CREATE FUNCTION capforecast._work(job text, worker text, condition text, as_of timestamptz, options jsonb, row_limit integer DEFAULT NULL,
		given text[] DEFAULT NULL, OUT counts jsonb, OUT failures jsonb)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	due text[] := capforecast._due(condition, as_of, given, row_limit);
	failed_before text[] := ARRAY(SELECT d.id FROM unnest(due) d(id) JOIN capforecast.finding f
		ON f.subject = format('%s subscription %s', job, d.id) AND f.code = 'job_row_failed' AND f.resolved_at IS NULL);
	ids text[] := CASE WHEN cardinality(failed_before) = 0 THEN due
		ELSE ARRAY(SELECT d.id FROM unnest(due) WITH ORDINALITY d(id, n) ORDER BY d.id = ANY (failed_before), d.n) END;
	n integer := cardinality(ids);
	n_good integer := n - cardinality(failed_before);
	todo integer[][] := CASE WHEN n_good > 0 THEN ARRAY[[1, n_good]] ELSE '{}' END || CASE WHEN n_good < n THEN ARRAY[[n_good + 1, n]] ELSE '{}' END;
	first integer;
	last integer;
	n_done bigint := 0;
	n_failed bigint := 0;	-- that had not failed before
	failed_rows jsonb[] := '{}';
	tried integer[] := '{}';	-- out of order, and failed
BEGIN
	PERFORM capforecast._host_lockable();
	counts := jsonb_build_object('examined', n);
	failures := '[]';
	IF capforecast._put_aside(worker, condition, options, due) THEN
		RETURN;
	END IF;
	WHILE cardinality(todo) > 0 LOOP
		first := todo[1][1];
		last := todo[1][2];
		todo := todo[2:];
		CONTINUE WHEN first = last AND first = ANY (tried);
		PERFORM capforecast._report_progress(job, first - 1, n);
		BEGIN
			counts := capforecast._add_counts(counts, capforecast._work_on(worker, condition, as_of, ids[first:last], options));
			n_done := n_done + 1;
		EXCEPTION WHEN OTHERS THEN
			IF SQLSTATE ~ '^(40|53|57)' OR SQLSTATE = '55P03' THEN
				RAISE;
			ELSIF first < last THEN
				todo := ARRAY[[first, (first + last) / 2], [(first + last) / 2 + 1, last]] || todo;
			ELSE
				failed_rows := array_append(failed_rows, jsonb_build_object('code', 'job_row_failed', 'subject', format('%s subscription %s', job, ids[first]),
					'detail', jsonb_build_object('sqlstate', SQLSTATE, 'message', left(SQLERRM, 1000))));
				n_failed := n_failed + (first <= n_good)::integer;
				IF n_done = 0 AND n_failed = 100 AND n_good > 110 THEN
					todo := ARRAY(SELECT ARRAY[t, t] FROM generate_series(1, 10) k, LATERAL (SELECT first + (n_good - first) * k / 10) p(t)) || todo;
				ELSIF n_done = 0 AND n_failed > 100 THEN
					tried := array_append(tried, first);
					IF n_failed = 110 THEN
						RAISE;
					END IF;
				END IF;
			END IF;
		END;
	END LOOP;
	PERFORM capforecast._report_progress(NULL, NULL, NULL);
	failures := to_jsonb(failed_rows);
	counts := capforecast._add_counts(counts || jsonb_build_object('failed', cardinality(failed_rows)), capforecast._done_ahead(worker));
END
$$;
COMMENT ON FUNCTION capforecast._work(text, text, text, timestamptz, jsonb, integer, text[]) IS
	'Run a job''s worker over the subscriptions that meet a condition: in one set, and where that fails in smaller ones, down to the rows that are to blame.';

-- What is done ahead of the run (run_job()) counts as done by it; what was left or failed there is tried again.
CREATE FUNCTION capforecast._work_ahead(job text, worker text, condition text, options jsonb, ids text[], before jsonb)
	RETURNS jsonb LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	SELECT capforecast._add_counts(before, w.counts - ARRAY['failed', 'skipped_locked'] || jsonb_build_object('examined',
		(w.counts ->> 'examined')::bigint - (w.counts ->> 'failed')::bigint - coalesce((w.counts ->> 'skipped_locked')::bigint, 0)))
	FROM capforecast._work(job, worker, condition, clock_timestamp(), options, NULL, ids) w
$$;
COMMENT ON FUNCTION capforecast._work_ahead(text, text, text, jsonb, text[], jsonb) IS
	'Work on a few rows ahead of a job''s run; the counts so far.';
