-- What is missing or wrong, and how to mend it.

-- What the daily snapshot, the capacity and the recommendations cannot do without.
CREATE FUNCTION capforecast._is_needed_daily(subject text)
	RETURNS boolean LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT subject = ANY ('{vendors,vendors.is_active,products,products.vendor_id,
		vendor_users,vendor_users.vendor_id,vendor_users.is_active,
		subscription_tiers,subscription_tiers.code,subscription_tiers.products_limit,
		subscription_tiers.orders_per_month,subscription_tiers.team_members,
		vendor_subscriptions,vendor_subscriptions.vendor_id,vendor_subscriptions.tier,
		vendor_subscriptions.status,vendor_subscriptions.orders_this_period}'::text[])
$$;
COMMENT ON FUNCTION capforecast._is_needed_daily(text) IS 'Is it a table or column without which the daily numbers are not complete?';

CREATE FUNCTION capforecast._doctor_host()
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH problems AS MATERIALIZED (SELECT * FROM capforecast._host_problems()),
		proposed AS MATERIALIZED (SELECT * FROM capforecast.propose_bindings() WHERE EXISTS (
			SELECT FROM problems p WHERE p.sqlstate IN ('42P01', '42703') AND p.subject !~ '^(addon_products|vendor_addons|billing_history)'))
	SELECT CASE WHEN p.sqlstate = '01000' THEN 'info'
				WHEN p.sqlstate = '01007' THEN 'warning'
				WHEN capforecast._is_needed_daily(p.subject) THEN 'error'
				WHEN p.sqlstate = '42P01' THEN 'info'
				ELSE 'warning' END,
		p.subject,
		p.problem || CASE
			WHEN p.sqlstate IN ('01000', '01007') THEN ''
			WHEN capforecast._is_needed_daily(p.subject) THEN '; needed for the daily snapshot'
			WHEN p.subject LIKE '%.created\_at' THEN '; needed by backfill_snapshots()'
			ELSE '; needed by the subscription jobs or billing only' END,
		-- where nothing is bound, what the tables look like
		CASE WHEN p.sqlstate IN ('42P01', '42703') AND NOT EXISTS (SELECT FROM capforecast.binding b WHERE b.entity = split_part(p.subject, '.', 1))
			THEN coalesce((SELECT o.statement FROM proposed o WHERE o.entity = split_part(p.subject, '.', 1)), p.fix) ELSE p.fix END
	FROM problems p
$$;
COMMENT ON FUNCTION capforecast._doctor_host() IS 'What doctor() finds about the host''s tables.';

-- What a role that may call the writers lacks; and what keeps an add-on from being sold twice.
CREATE FUNCTION capforecast._doctor_writers()
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH written AS (
		SELECT w.severity, w.subject, c.oid::regclass AS relation, c.relkind IN ('r', 'p') AS is_table, w.privilege
		FROM (VALUES
				('error', 'snapshot', 'capforecast.capacity_snapshots'::regclass, 'INSERT'),
				('error', 'snapshot', 'capforecast.capacity_snapshots', 'UPDATE'),
				('error', 'job_run', 'capforecast.job_run', 'INSERT'),
				('error', 'job_run', 'capforecast.job_run', 'UPDATE'),
				('info', 'vendor_subscriptions', capforecast._bound_relation('vendor_subscriptions'), 'UPDATE'),
				('info', 'vendor_addons', capforecast._bound_relation('vendor_addons'), 'INSERT'),
				('info', 'vendor_addons', capforecast._bound_relation('vendor_addons'), 'UPDATE')
			) AS w(severity, subject, relation, privilege)
			JOIN pg_class c ON c.oid = w.relation)
	SELECT DISTINCT 'info', w.subject, format('%s is not a table: it can be read, but the subscription functions cannot write to it', w.relation),
		format('SELECT capforecast.bind(%L, ''your_schema.your_table'');', w.subject)
	FROM written w WHERE NOT w.is_table
	UNION ALL
	SELECT w.severity, w.subject, format('role %I may not %s %s', current_user, lower(w.privilege), w.relation),
		format('GRANT %s ON %s TO %I;', w.privilege, w.relation, current_user)
	FROM written w
	WHERE w.is_table AND NOT has_table_privilege(w.relation, w.privilege)
		AND has_function_privilege('capforecast.capture_daily_snapshot(boolean, timestamptz)', 'EXECUTE')
	UNION ALL
	SELECT 'warning', 'vendor_addons', format('no unique index on %s keeps a vendor from having an add-on twice', w.relation),
		format('CREATE UNIQUE INDEX ON %s (%I, %I) WHERE %I IN (''pending'', ''active'', ''cancelling'');', w.relation,
			capforecast._bound_column('vendor_addons', 'vendor_id'), capforecast._bound_column('vendor_addons', 'addon_product_id'),
			capforecast._bound_column('vendor_addons', 'status'))
	FROM written w
	WHERE w.subject = 'vendor_addons' AND w.privilege = 'INSERT' AND w.is_table AND NOT EXISTS (
		SELECT FROM pg_index i
		WHERE i.indrelid = w.relation AND i.indisunique AND i.indisvalid AND i.indnkeyatts = 2
			AND (SELECT count(*) FROM pg_attribute a
				 WHERE a.attrelid = w.relation AND a.attnum = ANY (i.indkey)
					AND a.attname IN (capforecast._bound_column('vendor_addons', 'vendor_id'),
						capforecast._bound_column('vendor_addons', 'addon_product_id'))) = 2)
$$;
COMMENT ON FUNCTION capforecast._doctor_writers() IS 'What doctor() finds that keeps the functions that write from writing.';

CREATE FUNCTION capforecast._doctor_snapshots(as_of timestamptz)
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH seen AS (
		SELECT (as_of AT TIME ZONE 'UTC')::date AS today,
			max(s.snapshot_date) FILTER (WHERE s.snapshot_date <= (as_of AT TIME ZONE 'UTC')::date) AS latest,
			count(*) FILTER (WHERE s.snapshot_date > (as_of AT TIME ZONE 'UTC')::date) AS later,
			max(s.captured_at) AS captured_at
		FROM capforecast.capacity_snapshots s)
	SELECT 'warning', 'snapshot', 'no snapshot is stored', 'SELECT capforecast.capture_daily_snapshot();'
	FROM seen WHERE latest IS NULL
	UNION ALL
	SELECT 'error', 'snapshot', format('the last snapshot is of %s, %s days ago', latest, today - latest),
		'SELECT capforecast.capture_daily_snapshot();'
	FROM seen WHERE latest < today - 1
	UNION ALL
	SELECT 'error', 'snapshot', format('snapshots of days after today: %s; growth_trends() takes the last of them for the latest', later),
		format('DELETE FROM capforecast.capacity_snapshots WHERE snapshot_date > %L;', today)
	FROM seen WHERE later > 0
	UNION ALL
	SELECT 'error', 'clock', format('the server''s clock says %s, but a snapshot was written at %s',
			to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), to_char(captured_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')),
		'Set the clock of the server (ntp), then look at the snapshots of the days in between.'
	FROM seen WHERE captured_at > clock_timestamp() + interval '5 minutes'
$$;
COMMENT ON FUNCTION capforecast._doctor_snapshots(timestamptz) IS 'What doctor() finds about the snapshots.';

CREATE FUNCTION capforecast._doctor_jobs(as_of timestamptz)
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH health AS MATERIALIZED (SELECT * FROM capforecast.job_health(as_of))
	SELECT CASE WHEN h.status IN ('never_run', 'incomplete') THEN 'warning' ELSE 'error' END, h.job,
		CASE h.status WHEN 'never_run' THEN 'the job has never run'
			WHEN 'overdue' THEN format('the job has not succeeded since %s',
				coalesce(to_char(h.last_success AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), 'ever'))
			WHEN 'hanging' THEN CASE WHEN h.held_by IS NOT NULL THEN format('the job hangs: process %s has its lock, and it has not succeeded since %s',
					h.held_by, coalesce(to_char(h.last_success AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), 'ever'))
				ELSE format('the run that began at %s has not ended: it hangs, or was killed', to_char(h.last_started AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')) END
			WHEN 'incomplete' THEN format('%s of the job''s rows fail at every run; capforecast.finding says which and why', h.rows_failed)
			ELSE 'the last run of the job failed' END
			|| coalesce(': ' || h.last_error, ''),
		CASE WHEN h.held_by IS NOT NULL AND h.status = 'hanging'
				THEN format('SELECT * FROM pg_stat_activity WHERE pid = %s;  -- then pg_cancel_backend(%1$s), or pg_terminate_backend(%1$s)', h.held_by)
			WHEN h.status = 'incomplete' THEN format('SELECT * FROM capforecast.finding WHERE resolved_at IS NULL AND subject LIKE %L;', h.job || ' %')
			ELSE format('CALL capforecast.run_job(%L);', h.job) END
	FROM health h WHERE h.status <> 'ok'
	UNION ALL
	SELECT 'warning', h.job, format('the last run left out %s: %s', part.key, part.value ->> 'message'),
		coalesce(part.value ->> 'hint', format('CALL capforecast.run_job(%L);', h.job))
	FROM health h
		JOIN LATERAL (SELECT * FROM capforecast.job_run r WHERE r.job = h.job AND r.status = 'ok' AND (r.changed > 0 OR r.failed > 0) AND r.started_at <= _doctor_jobs.as_of
						ORDER BY r.started_at DESC, r.run_id DESC LIMIT 1) latest ON latest.failed > 0
		CROSS JOIN LATERAL jsonb_each(latest.detail) part
	WHERE jsonb_typeof(part.value) = 'object' AND part.value ? 'message'
	UNION ALL
	-- Those of single rows are in the job's own line.
	SELECT CASE f.severity WHEN 'critical' THEN 'error' ELSE f.severity END, 'finding',
		format('%s: %s%s', f.code, array_to_string((array_agg(f.subject ORDER BY f.last_seen DESC, f.id))[1:3], ', '),
			CASE WHEN count(*) > 3 THEN format(' and %s more', count(*) - 3) ELSE '' END),
		format('SELECT * FROM capforecast.finding WHERE resolved_at IS NULL AND code = %L;', f.code)
	FROM capforecast.finding f WHERE f.resolved_at IS NULL AND f.code <> 'job_row_failed' AND f.first_seen <= _doctor_jobs.as_of
	GROUP BY f.code, f.severity
	UNION ALL
	SELECT 'info', r.job, format('run %s has been running since %s: it was killed, or hangs', r.run_id,
			to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')),
		format('UPDATE capforecast.job_run SET status = ''failed'', finished_at = clock_timestamp() WHERE run_id = %s;', r.run_id)
	FROM capforecast.job_run r WHERE r.status = 'running' AND r.started_at < _doctor_jobs.as_of - interval '1 day'
$$;
COMMENT ON FUNCTION capforecast._doctor_jobs(timestamptz) IS 'What doctor() finds about the jobs'' runs.';

CREATE FUNCTION capforecast._pg_cron_is_preloaded()
	RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN current_setting('cron.log_run', true) IS NOT NULL;
EXCEPTION WHEN insufficient_privilege THEN
	RETURN true;	-- it is there, and not shown to this role
END
$$;
COMMENT ON FUNCTION capforecast._pg_cron_is_preloaded() IS 'Has the server loaded pg_cron, so that jobs are started?';

CREATE FUNCTION capforecast._doctor_schedule(as_of timestamptz)
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	cron record;
BEGIN
	SELECT * INTO cron FROM capforecast._pg_cron();
	IF cron.place <> 'here' THEN
		-- Another scheduler does as well, as long as the jobs run.
		IF EXISTS (SELECT FROM capforecast.job_health(_doctor_schedule.as_of) h WHERE h.overdue) THEN
			RETURN QUERY SELECT 'info', 'pg_cron', CASE cron.place
					WHEN 'elsewhere' THEN format('pg_cron is in database %I, not in this one', cron.database)
					ELSE 'pg_cron is not installed' END,
				'SELECT * FROM capforecast.schedule_jobs();  -- returns what to run there, or for a crontab';
		END IF;
		RETURN;
	END IF;
	IF NOT capforecast._pg_cron_is_preloaded() THEN
		RETURN QUERY SELECT 'error', 'pg_cron', 'pg_cron is installed but not preloaded, so that no job is started',
			'Add pg_cron to shared_preload_libraries in postgresql.conf and restart the server.';
	END IF;
	IF NOT has_schema_privilege('cron', 'USAGE') OR NOT has_table_privilege('cron.job', 'SELECT') THEN
		RETURN QUERY SELECT 'info', 'pg_cron', format('role %I cannot see what pg_cron has scheduled', current_user),
			format('GRANT USAGE ON SCHEMA cron TO %I; GRANT SELECT ON cron.job TO %1$I;', current_user);
		RETURN;
	END IF;
	RETURN QUERY EXECUTE
		'SELECT ''warning'', j.name, CASE WHEN c.found THEN ''the job is scheduled, but not active'' ELSE ''the job is not scheduled'' END, '
		'''SELECT * FROM capforecast.schedule_jobs();'' '
		'FROM capforecast.job j CROSS JOIN LATERAL (SELECT count(*) > 0 AS found, coalesce(bool_or(c.active), false) AS active FROM cron.job c '
		'WHERE c.database = current_database() AND (c.command LIKE ''%run\_job(%'' || quote_literal(j.name) || ''%'' OR c.command LIKE ''%run\_maintenance(%'')) c '
		'WHERE j.enabled AND NOT c.active ORDER BY j.name';
	RETURN QUERY EXECUTE
		'SELECT ''warning'', ''pg_cron'', format(''the jobs run as superuser %I: whatever they read and write runs with all rights'', c.username), '
		'format(''SELECT * FROM capforecast.unschedule_jobs();  -- as %I, then SET ROLE to a role with grant_access(..., %L) and schedule_jobs()'', c.username, ''operator'') '
		'FROM cron.job c JOIN pg_roles r ON r.rolname = c.username '
		'WHERE c.database = current_database() AND r.rolsuper AND c.active AND c.command LIKE ''%capforecast.run\_%'' GROUP BY c.username';
	RETURN QUERY EXECUTE
		'SELECT ''warning'', ''pg_cron'', format(''jobs are scheduled by more than one role (%s): each starts as often'', string_agg(DISTINCT c.username, '', '')), '
		'''SELECT * FROM capforecast.unschedule_jobs();  -- as all of them but one'' '
		'FROM cron.job c WHERE c.database = current_database() AND c.active AND c.jobname LIKE ''capforecast:%'' HAVING count(DISTINCT c.username) > 1';
END
$$;
COMMENT ON FUNCTION capforecast._doctor_schedule(timestamptz) IS 'What doctor() finds about pg_cron.';

CREATE FUNCTION capforecast._doctor_storage(as_of timestamptz)
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN s.source IS NULL THEN 'info' ELSE 'warning' END, 'image_storage', s.reason,
		CASE WHEN s.source IS NULL THEN 'SELECT capforecast.bind_image_storage(query => ''SELECT sum(size_bytes) FROM public.your_images'');'
			 WHEN s.source = 'pushed' THEN 'Have the application call push_image_storage() every day.'
			 ELSE 'Mend the source, bind another one with bind_image_storage(), or report the size with push_image_storage().' END
	FROM capforecast._read_image_storage(as_of) s WHERE s.status <> 'ok'
$$;
COMMENT ON FUNCTION capforecast._doctor_storage(timestamptz) IS 'What doctor() finds about image storage.';

-- Every plan measures against it, and only the operator knows it.
CREATE FUNCTION capforecast._doctor_tier(as_of timestamptz)
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN (f.tier).name = (u.tier).name THEN 'info' ELSE 'warning' END, 'infrastructure_tier',
		format('nobody has told which size of infrastructure is in use; limits are measured against %s, %s', (u.tier).name,
			CASE WHEN (f.tier).name = (u.tier).name THEN 'which carries the use' ELSE format('and the use is that of %s', (f.tier).name) END),
		format('SELECT capforecast.use_infrastructure_tier(%L);', (f.tier).name)
	FROM capforecast._last_usage(as_of) usage
		CROSS JOIN LATERAL capforecast._tier_in_use(usage) u
		CROSS JOIN LATERAL capforecast._tier_for(usage) f
	WHERE NOT u.is_told
$$;
COMMENT ON FUNCTION capforecast._doctor_tier(timestamptz) IS 'doctor() asks for the size in use where use_infrastructure_tier() was not called.';

-- For roles that may look into the queries; what nothing measures is no error of any run.
CREATE FUNCTION capforecast._doctor_metrics()
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF has_column_privilege('capforecast._metric_query', 'metric', 'SELECT') THEN
		RETURN QUERY SELECT 'warning', m.metric, 'the metric has no query: nothing measures it',
			format('SELECT * FROM capforecast.add_metric(%L, ''SELECT ...'');', m.metric)
		FROM capforecast.own_metric m WHERE NOT EXISTS (SELECT FROM capforecast._metric_query q WHERE q.metric = m.metric);
	END IF;
	RETURN QUERY SELECT 'warning', w.metric, format('%s of a metric that is gone: %s', w.what, w.said),
		format('DELETE FROM capforecast.%s WHERE metric = %L;', w.relation, w.metric)
	FROM (SELECT e.metric, 'a planned event' AS what, coalesce(e.note, e.from_date::text) AS said, 'planned_event' AS relation FROM capforecast.planned_event e
		UNION ALL SELECT k.metric, 'a known day', k.name, 'known_day' FROM capforecast.known_day k WHERE k.metric IS NOT NULL) w
	WHERE NOT EXISTS (SELECT FROM capforecast.metrics m WHERE m.metric = w.metric);
END
$$;
COMMENT ON FUNCTION capforecast._doctor_metrics() IS 'What doctor() finds about the operator''s own metrics.';

-- Queries and who runs them, what was asked and answered, who changed what.
CREATE FUNCTION capforecast._is_private(relation name)
	RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT relation ~ '^_' AND relation <> '_infrastructure_tier' OR relation IN ('audit_log', 'request_log')
$$;
COMMENT ON FUNCTION capforecast._is_private(name) IS 'Is it a table of the extension that readers are not to see?';

CREATE FUNCTION capforecast._doctor_grants()
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	-- What begins with an underscore is not for readers: secrets, and the text of registered queries.
	SELECT 'error', 'capforecast', format('role %I may not read %s', current_user, t.names), format('GRANT SELECT ON %s TO %I;', t.names, current_user)
	FROM (SELECT string_agg(c.oid::regclass::text, ', ' ORDER BY c.relname) AS names
			FROM pg_class c
			WHERE c.relnamespace = 'capforecast'::regnamespace AND c.relkind IN ('r', 'v') AND NOT has_any_column_privilege(c.oid, 'SELECT')
				AND NOT capforecast._is_private(c.relname)) t
	WHERE t.names IS NOT NULL
$$;
COMMENT ON FUNCTION capforecast._doctor_grants() IS 'What doctor() finds about the caller''s right to read the extension''s own tables.';

-- Dates need 14 days (time_to_threshold()); most tables know them.
CREATE FUNCTION capforecast._doctor_history(as_of timestamptz)
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'info', 'history', format('%s of history: dates come when there are 14, or today from what your tables tell of the past',
			CASE WHEN h.days = 1 THEN 'one day' ELSE h.days || ' days' END),
		'SELECT * FROM capforecast.backfill_snapshots(current_date - 400, current_date - 1);'
	FROM (SELECT count(*) AS days, count(*) FILTER (WHERE s.source <> 'captured') AS rebuilt
		FROM capforecast.capacity_snapshots s WHERE s.snapshot_date <= (as_of AT TIME ZONE 'UTC')::date) h
	WHERE h.days BETWEEN 1 AND 13 AND h.rebuilt = 0
$$;
COMMENT ON FUNCTION capforecast._doctor_history(timestamptz) IS 'doctor() tells how a date is had today.';

CREATE FUNCTION capforecast._doctor_findings(as_of timestamptz)
	RETURNS TABLE (severity text, subject text, problem text, fix text, stage integer)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT f.*, 1 FROM (SELECT * FROM capforecast._doctor_host() UNION ALL SELECT * FROM capforecast._doctor_content()) f
	UNION ALL SELECT f.*, 2 FROM capforecast._doctor_snapshots(as_of) f
	UNION ALL SELECT f.*, 3 FROM capforecast._doctor_tier(as_of) f
	UNION ALL SELECT f.*, 4 FROM capforecast._doctor_history(as_of) f
	UNION ALL SELECT f.*, 5 FROM (SELECT * FROM capforecast._doctor_jobs(as_of) UNION ALL SELECT * FROM capforecast._doctor_schedule(as_of)) f
	UNION ALL SELECT f.*, 6 FROM (SELECT * FROM capforecast._doctor_storage(as_of) UNION ALL SELECT * FROM capforecast._doctor_metrics()
		UNION ALL SELECT * FROM capforecast._doctor_writers()) f
$$;
COMMENT ON FUNCTION capforecast._doctor_findings(timestamptz) IS
	'All that is missing or wrong; stage: in which order it is mended, 1 the tables, then the first snapshot, the size in use, history, jobs, and the rest.';

CREATE FUNCTION capforecast._doctor_done(as_of timestamptz)
	RETURNS TABLE (subject text, found text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'tables', format('%s can be read', string_agg(e.entity, ', ' ORDER BY e.position))
	FROM unnest('{vendors,subscription_tiers,vendor_subscriptions,products,vendor_users,orders}'::text[]) WITH ORDINALITY AS e(entity, position)
	WHERE NOT EXISTS (SELECT FROM capforecast._host_problems() p WHERE split_part(p.subject, '.', 1) = e.entity AND p.sqlstate NOT LIKE '01%')
	HAVING count(*) > 0
	UNION ALL
	SELECT 'snapshot', format('captured on %s; %s of history', max(s.snapshot_date), CASE WHEN count(*) = 1 THEN 'one day' ELSE count(*) || ' days' END)
	FROM capforecast.capacity_snapshots s WHERE s.snapshot_date <= (as_of AT TIME ZONE 'UTC')::date
	HAVING max(s.snapshot_date) >= (as_of AT TIME ZONE 'UTC')::date - 1
	UNION ALL
	SELECT 'infrastructure_tier', format('%s is in use, as was told', (u.tier).name)
	FROM capforecast._last_usage(as_of) usage CROSS JOIN LATERAL capforecast._tier_in_use(usage) u WHERE u.is_told
	UNION ALL
	SELECT 'jobs', CASE WHEN count(*) FILTER (WHERE h.status = 'ok') = count(*) THEN format('all %s succeed', count(*))
		ELSE format('%s of %s succeed: %s', count(*) FILTER (WHERE h.status = 'ok'), count(*), string_agg(h.job, ', ' ORDER BY h.job) FILTER (WHERE h.status = 'ok')) END
	FROM capforecast.job_health(as_of) h HAVING count(*) FILTER (WHERE h.status = 'ok') > 0
	UNION ALL
	SELECT 'image_storage', 'measured: ' || s.source FROM capforecast._read_image_storage(as_of) s WHERE s.status = 'ok'
$$;
COMMENT ON FUNCTION capforecast._doctor_done(timestamptz) IS 'What doctor() finds as it should be.';

-- What is said of several in one line: jobs that never ran or are not scheduled, and tables that are not there.
CREATE FUNCTION capforecast._doctor_kind(subject text, problem text, fix text)
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	RETURN CASE
		WHEN problem IN ('the job has never run', 'the job is not scheduled') THEN problem
		WHEN fix = format('SELECT capforecast.bind(%L, ''your_schema.your_table'');', subject) AND problem LIKE 'table public.%' THEN 'tables'
		ELSE concat_ws(E'\n', subject, problem, fix) END;
COMMENT ON FUNCTION capforecast._doctor_kind(text, text, text) IS 'Findings of one kind are one line.';

CREATE FUNCTION capforecast._doctor_together(kind text, subjects text[], problems text[], fixes text[], OUT subject text, OUT problem text, OUT fix text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN cardinality(subjects) = 1 THEN subjects[1] WHEN kind LIKE 'the job %' THEN 'jobs' ELSE kind END,
		CASE WHEN cardinality(subjects) = 1 THEN problems[1]
			WHEN kind = 'the job has never run' THEN format('%s jobs have never run: %s', cardinality(subjects), array_to_string(subjects, ', '))
			WHEN kind = 'the job is not scheduled' THEN format('%s jobs are not scheduled: %s', cardinality(subjects), array_to_string(subjects, ', '))
			ELSE format('not found in schema public: %s%s', array_to_string(subjects, ', '), substring(problems[1] FROM '; needed .*')) END,
		CASE WHEN cardinality(subjects) = 1 OR kind = 'the job is not scheduled' THEN fixes[1]
			WHEN kind = 'the job has never run' THEN 'CALL capforecast.run_maintenance();'
			ELSE fixes[1] || '  -- and so on' END
$$;
COMMENT ON FUNCTION capforecast._doctor_together(text, text[], text[], text[]) IS 'One line for findings of one kind.';

CREATE FUNCTION capforecast.doctor(as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (state text, severity text, subject text, problem text, fix text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	now timestamptz := capforecast._instant(as_of);
BEGIN
	-- Without these nothing else can be looked at.
	RETURN QUERY SELECT 'next step', g.* FROM capforecast._doctor_grants() g;
	IF FOUND THEN
		RETURN;
	END IF;
	RETURN QUERY
		WITH found AS MATERIALIZED (SELECT f.*, capforecast._doctor_kind(f.subject, f.problem, f.fix) AS kind FROM capforecast._doctor_findings(now) f),
		-- What is wrong is mended at once; of what is only missing, one thing after the other.
		first AS (SELECT min(f.stage) AS stage FROM found f WHERE f.severity <> 'info' OR f.stage IN (3, 4)),
		line AS (
			SELECT CASE WHEN f.severity = 'error' OR f.stage = first.stage AND (f.severity <> 'info' OR f.stage IN (3, 4)) THEN 'next step' ELSE 'later' END AS state,
				f.severity, t.subject, t.problem, t.fix, f.stage
			FROM (SELECT f.severity, f.stage, f.kind, array_agg(f.subject ORDER BY f.subject) AS subjects, array_agg(f.problem ORDER BY f.subject) AS problems,
					array_agg(f.fix ORDER BY f.subject) AS fixes
				FROM found f GROUP BY f.severity, f.stage, f.kind) f CROSS JOIN first
				CROSS JOIN LATERAL capforecast._doctor_together(f.kind, f.subjects, f.problems, f.fixes) t
			UNION ALL
			SELECT 'done', 'ok', d.subject, d.found, NULL, array_position('{tables,snapshot,infrastructure_tier,jobs}', d.subject) FROM capforecast._doctor_done(now) d)
		SELECT l.state, l.severity, l.subject, l.problem, l.fix FROM line l
		ORDER BY array_position('{done,next step,later}'::text[], l.state), array_position('{error,warning,info}'::text[], l.severity), l.stage, l.subject, l.problem;
END
$$;
COMMENT ON FUNCTION capforecast.doctor(timestamptz) IS
	'A checklist for the calling role: what is done (severity ok), the next step, and what can wait (later). severity: error (numbers are missing or wrong), warning, info (something optional); fix is a statement to run where there is one. Without a next step all is well. Looks at the host''s tables, columns and grants, the snapshots, the server''s clock, the jobs, pg_cron and image storage; changes nothing.
Example: SELECT state, subject, problem, fix FROM capforecast.doctor();';
