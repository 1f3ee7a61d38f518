-- Scheduling with pg_cron, or with anything else.

-- Where pg_cron is: 'here', 'elsewhere' (in another database of this server), 'absent'.
CREATE FUNCTION capforecast._pg_cron(OUT place text, OUT database name)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
		place := 'here';
		database := current_database();
		RETURN;
	END IF;
	BEGIN
		database := nullif(current_setting('cron.database_name', true), '');
	EXCEPTION WHEN insufficient_privilege THEN
		database := 'postgres';		-- set, but not shown to this role: pg_cron's own default
	END;
	place := CASE WHEN database IS NULL THEN 'absent' ELSE 'elsewhere' END;
END
$$;
COMMENT ON FUNCTION capforecast._pg_cron() IS
	'Where pg_cron is: here (in this database), elsewhere (in another one of this server), or absent.';

CREATE FUNCTION capforecast.schedule_jobs()
	RETURNS TABLE (job text, schedule text, status text, statement text)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	cron record;
	the_job record;
	call text;
	n_unscheduled bigint;
BEGIN
	SELECT * INTO cron FROM capforecast._pg_cron();
	IF cron.place = 'here' AND NOT has_schema_privilege('cron', 'USAGE') THEN
		RAISE insufficient_privilege USING
			MESSAGE = format('role "%s" may not use pg_cron', current_user),
			HINT = format('GRANT USAGE ON SCHEMA cron TO %I; or grant_access(%L, %L).', current_user, current_user, 'operator');
	END IF;
	IF EXISTS (SELECT FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase AND d.datname = current_database()
				CROSS JOIN unnest(s.setconfig) c
			WHERE s.setrole = 0 AND CASE WHEN c ~ '^capforecast\.manage_subscriptions=' THEN
				split_part(c, '=', 2)::boolean <> capforecast._setting('manage_subscriptions')::boolean END) THEN
		RAISE NOTICE 'capforecast.manage_subscriptions has been set for the database, but not for this session'
			USING HINT = 'Reconnect, and call schedule_jobs() again.';
	END IF;
	FOR the_job IN SELECT j.name, j.schedule, j.enabled FROM capforecast.job j
		WHERE j.enabled OR cron.place = 'here' ORDER BY j.enabled DESC, j.name
	LOOP
		job := the_job.name;
		schedule := the_job.schedule;
		call := format('CALL capforecast.run_job(%L)', the_job.name);
		IF NOT the_job.enabled THEN
			EXECUTE 'SELECT count(cron.unschedule(j.jobid)) FROM cron.job j WHERE j.jobname::text = $1 AND j.username = current_user'
				INTO n_unscheduled USING 'capforecast:' || the_job.name;
			CONTINUE WHEN n_unscheduled = 0;
			status := 'unscheduled: not enabled';
			statement := NULL;
		ELSIF cron.place = 'here' THEN
			EXECUTE 'SELECT cron.schedule($1, $2, $3)' USING 'capforecast:' || the_job.name, the_job.schedule, call;
			status := 'scheduled';
			statement := call;
		ELSIF cron.place = 'elsewhere' THEN
			status := format('to run in database %I', cron.database);
			statement := format('SELECT cron.schedule_in_database(%L, %L, %L, %L);',
				format('capforecast:%s:%s', current_database(), the_job.name), the_job.schedule, call, current_database());
		ELSE
			status := 'no pg_cron: for the system''s cron';
			statement := format('%s psql -X -d %I -c "%s"', the_job.schedule, current_database(), call);
		END IF;
		RETURN NEXT;
	END LOOP;
	IF cron.place = 'elsewhere' THEN
		RAISE NOTICE 'pg_cron is in database "%", not in this one', cron.database
			USING HINT = format('Run the statements of the last column there, for example: \c %I', cron.database);
	ELSIF cron.place = 'absent' THEN
		RAISE NOTICE 'pg_cron is not installed'
			USING HINT = 'Add the lines of the last column to a crontab, or install pg_cron and call schedule_jobs() again.';
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast.schedule_jobs() IS
	'Schedule every enabled job with pg_cron, by name, so that calling it again changes nothing; one that is not enabled any more is unscheduled. Jobs run as the caller. Where pg_cron is in another database of the server, or absent, the last column has what to run there instead.
Example: SELECT * FROM capforecast.schedule_jobs();';

CREATE FUNCTION capforecast.unschedule_jobs()
	RETURNS TABLE (job text, status text, statement text)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	cron record;
	name text;
BEGIN
	SELECT * INTO cron FROM capforecast._pg_cron();
	IF cron.place = 'here' THEN
		FOR name IN EXECUTE
			'SELECT j.jobname::text FROM cron.job j WHERE j.username = current_user '
			'AND j.jobname::text LIKE ''capforecast:%'' AND j.jobname::text NOT LIKE ''capforecast:%:%'' ORDER BY 1'
		LOOP
			EXECUTE 'SELECT cron.unschedule(j.jobid) FROM cron.job j WHERE j.jobname::text = $1 AND j.username = current_user' USING name;
			job := substr(name, length('capforecast:') + 1);
			status := 'unscheduled';
			RETURN NEXT;
		END LOOP;
	ELSIF cron.place = 'elsewhere' THEN
		FOR name IN SELECT j.name FROM capforecast.job j ORDER BY 1 LOOP
			job := name;
			status := format('to run in database %I', cron.database);
			statement := format('SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname = %L;',
				format('capforecast:%s:%s', current_database(), name));
			RETURN NEXT;
		END LOOP;
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast.unschedule_jobs() IS
	'Remove the caller''s capforecast jobs from pg_cron, or return the statements that do where pg_cron is in another database.
Example: SELECT * FROM capforecast.unschedule_jobs();';

CREATE FUNCTION capforecast._due_jobs(as_of timestamptz DEFAULT NULL)
	RETURNS SETOF text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT h.job FROM capforecast.job_health(as_of) h
	WHERE h.next_due <= capforecast._instant(as_of) ORDER BY h.job
$$;
COMMENT ON FUNCTION capforecast._due_jobs(timestamptz) IS 'Jobs that have not succeeded for a whole period.';

-- No SET clause: a procedure that has one cannot commit. Every name is qualified.
CREATE PROCEDURE capforecast.run_maintenance()
	LANGUAGE plpgsql AS $$
DECLARE
	the_job pg_catalog.text;
	failures pg_catalog.text;
BEGIN
	FOR the_job IN SELECT capforecast._due_jobs() LOOP
		CALL capforecast.run_job(the_job, raise_error => false);
	END LOOP;
	SELECT pg_catalog.string_agg(h.job, ', ') INTO failures
	FROM capforecast.job_health() h WHERE h.last_status OPERATOR(pg_catalog.=) 'failed';
	IF failures IS NOT NULL THEN
		RAISE WARNING 'jobs failed: %', failures USING HINT = 'SELECT * FROM capforecast.job_health() says why.';
	END IF;
END
$$;
COMMENT ON PROCEDURE capforecast.run_maintenance() IS
	'Run every job that is due, for any scheduler; as often as you like. A job that fails does not stop the others.
Example: CALL capforecast.run_maintenance();';
