-- Queries of own metrics that are wrong or hostile: refused, or contained, and one that
-- fails does not stop the others.
BEGIN;
SELECT no_plan();
SET client_min_messages = warning;

CREATE ROLE mallory;
CREATE ROLE bystander;
CREATE SCHEMA lair AUTHORIZATION mallory;
GRANT USAGE ON SCHEMA capforecast TO mallory;
GRANT EXECUTE ON FUNCTION capforecast.add_metric, capforecast._measure_metric TO mallory;
GRANT SELECT, INSERT, DELETE ON capforecast.own_metric TO mallory;
GRANT INSERT, UPDATE (registrar, registrar_name) ON capforecast._metric_query TO mallory;
GRANT SELECT ON capforecast.metrics TO mallory;
CREATE ROLE dashboard;
CREATE TABLE public.secret (n integer);
INSERT INTO public.secret VALUES (42);

-- add_metric() runs the query the way the job does, so what it refuses, the job refuses.
CREATE FUNCTION pg_temp.refused(query text, code text, what text) RETURNS text LANGUAGE sql AS $$
	SELECT throws_ok(format('SELECT capforecast.add_metric(%L, %L)', 'm', query), code, NULL, what)
$$;

SET ROLE mallory;
CREATE TABLE lair.mine AS SELECT 7 AS n;
CREATE FUNCTION lair.writes() RETURNS integer LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO lair.mine VALUES (8); RETURN 1; END $$;
CREATE FUNCTION lair.becomes(role text) RETURNS integer LANGUAGE plpgsql AS
	$$ BEGIN EXECUTE format('SET ROLE %I', role); RETURN 1; END $$;
CREATE FUNCTION lair.resets() RETURNS integer LANGUAGE plpgsql AS
	$$ BEGIN RESET ROLE; INSERT INTO public.secret VALUES (1); RETURN 1; END $$;
CREATE FUNCTION lair.session() RETURNS integer LANGUAGE plpgsql AS
	$$ BEGIN SET SESSION AUTHORIZATION postgres; RETURN 1; END $$;
CREATE FUNCTION lair.read_write() RETURNS integer LANGUAGE plpgsql AS
	$$ BEGIN SET LOCAL transaction_read_only = off; INSERT INTO lair.mine VALUES (9); RETURN 1; END $$;
CREATE FUNCTION lair.sets() RETURNS integer LANGUAGE plpgsql AS
	$$ BEGIN PERFORM set_config('search_path', 'lair', false), set_config('application_name', 'owned', false); RETURN 1; END $$;
CREATE FUNCTION lair.temp() RETURNS integer LANGUAGE plpgsql AS
	$$ BEGIN CREATE TEMP TABLE loot (n integer); RETURN 1; END $$;
CREATE FUNCTION lair.super() RETURNS integer LANGUAGE plpgsql AS
	$$ BEGIN EXECUTE 'ALTER ROLE mallory SUPERUSER'; RETURN 1; END $$;
CREATE FUNCTION lair.loops() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN LOOP END LOOP; END $$;
CREATE FUNCTION lair.swallows() RETURNS integer LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO lair.mine VALUES (10); RETURN 1; EXCEPTION WHEN OTHERS THEN RETURN 2; END $$;

CREATE FUNCTION lair.raises(code text) RETURNS integer LANGUAGE plpgsql AS
	$$ BEGIN RAISE EXCEPTION 'the secret is 42' USING errcode = code; END $$;
CREATE FUNCTION lair.nests() RETURNS integer LANGUAGE plpgsql AS
	$$ BEGIN PERFORM capforecast._measure_metric('SELECT 1', NULL); RETURN 1; END $$;
CREATE FUNCTION lair.traps() RETURNS integer LANGUAGE plpgsql AS
	$$ BEGIN BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END; PERFORM pg_sleep(60); RETURN 1; END $$;
CREATE FUNCTION lair.other_end() RETURNS integer LANGUAGE plpgsql AS
	$$ BEGIN PERFORM pg_sleep(60); RETURN 1; EXCEPTION WHEN query_canceled THEN RAISE EXCEPTION 'another end' USING errcode = '22012'; END $$;
CREATE FUNCTION lair.traps_for_ever() RETURNS integer LANGUAGE plpgsql AS
	$$ BEGIN LOOP BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$;
CREATE FUNCTION lair.traps_within() RETURNS integer LANGUAGE plpgsql AS
	$$ BEGIN LOOP BEGIN BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN PERFORM pg_sleep(60); END;
		EXCEPTION WHEN query_canceled THEN BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN RETURN 1; END; END; END LOOP; END $$;
CREATE FUNCTION lair.large_object() RETURNS integer LANGUAGE plpgsql AS
	$$ BEGIN PERFORM lo_from_bytea(4242, 'loot'); RETURN 1; EXCEPTION WHEN read_only_sql_transaction THEN RETURN 1; END $$;
CREATE FUNCTION lair.notifies() RETURNS integer LANGUAGE plpgsql AS
	$$ BEGIN PERFORM pg_notify('capforecast', 'forged'); RETURN 1; END $$;
CREATE FUNCTION lair.locks() RETURNS integer LANGUAGE plpgsql AS
	$$ BEGIN PERFORM pg_advisory_xact_lock(4242); RETURN 1; END $$;
CREATE FUNCTION lair.runs(statement text) RETURNS integer LANGUAGE plpgsql AS
	$$ BEGIN EXECUTE statement; RETURN 1; END $$;
CREATE TABLE lair.words (w text);
INSERT INTO lair.words VALUES ('sk_live_0815');
CREATE TABLE lair.private AS SELECT 7 AS n;
CREATE TABLE lair.watched AS SELECT 7 AS n;
GRANT SELECT ON lair.watched TO bystander;
ALTER TABLE lair.watched ENABLE ROW LEVEL SECURITY;

SELECT lives_ok($$SELECT capforecast.add_metric('good', 'SELECT n FROM lair.mine', 'pieces', limit_query => 'SELECT 10')$$, 'a plain query is accepted');
SELECT pg_temp.refused('SELECT n FROM public.secret', '42501', 'what the owner may not read');
SELECT pg_temp.refused('INSERT INTO lair.mine VALUES (1)', '42601', 'an INSERT');
SELECT pg_temp.refused('INSERT INTO lair.mine VALUES (1) RETURNING n', '0A000', 'an INSERT that returns');
SELECT pg_temp.refused('WITH w AS (DELETE FROM lair.mine RETURNING n) SELECT sum(n) FROM w', '0A000', 'a writing WITH');
SELECT pg_temp.refused('SELECT n FROM lair.mine FOR UPDATE', '0A000', 'a row lock');
SELECT pg_temp.refused('SELECT 1; DELETE FROM lair.mine', '42601', 'two statements');
SELECT pg_temp.refused('SET ROLE postgres', '42601', 'SET');
SELECT pg_temp.refused('COMMIT', '42601', 'COMMIT');
SELECT pg_temp.refused('COPY lair.mine TO PROGRAM ''true''', '42601', 'COPY TO PROGRAM');
SELECT pg_temp.refused('SELECT lair.writes()', '25006', 'a function that writes');
SELECT pg_temp.refused('SELECT lair.becomes(''postgres'')', '42501', 'a function that takes another role');
SELECT pg_temp.refused('SELECT lair.resets()', '42501', 'a function that resets the role');
SELECT pg_temp.refused('SELECT lair.session()', '42501', 'a function that changes the session''s user');
SELECT pg_temp.refused('SELECT lair.read_write()', '25001', 'a function that ends read-only');
SELECT pg_temp.refused('SELECT lair.temp()', '25006', 'a function that makes a temporary table');
SELECT pg_temp.refused('SELECT lair.super()', '25006', 'a function that makes itself superuser');
SELECT pg_temp.refused('SELECT lair.loops()', '54000', 'an endless loop ends');
SELECT pg_temp.refused('SELECT count(*) FROM generate_series(1, 1e15)', '54000', 'a query that takes for ever ends');
SELECT pg_temp.refused('SELECT generate_series(1, 1000000000)', '21000', 'a result without end: two rows are enough to refuse it');
SELECT pg_temp.refused('SELECT 1, 2', '21000', 'two columns');
SELECT pg_temp.refused('SELECT ''a word''', '22P02', 'not a number');
SELECT pg_temp.refused('SELECT ''NaN''::float8', '22003', 'not a number that a series holds');
SELECT pg_temp.refused('SELECT n FROM mine', '42P01', 'names are looked up in pg_catalog only');

SELECT pg_temp.refused('SELECT lair.nests()', '55000', 'a registered query within another');
SELECT pg_temp.refused('SELECT lair.traps()', '54000', 'a function that catches the cancel and goes on');
SELECT pg_temp.refused('SELECT lair.traps_for_ever()', '54000', 'one that catches it again and again');
SELECT pg_temp.refused('SELECT lair.traps_within()', '54000', 'one with a trap around the trap');
SELECT pg_temp.refused('SELECT pg_advisory_lock(1) IS NULL', '0A000', 'a lock that outlives the query');
SELECT pg_temp.refused('SELECT lair.runs(''SELECT pg_advisory_lock_shared(1, 2)'')', '0A000', 'nor within a function');
SELECT pg_temp.refused('SELECT lair.runs(''SELECT pg_advisory_unlock_all()'')', '0A000', 'and none of the session''s is given back');
SELECT pg_temp.refused('SELECT pg_terminate_backend(pg_backend_pid())::int', '0A000', 'the session is not ended');
SELECT pg_temp.refused('SELECT lair.runs(''PREPARE loot AS SELECT 1'')', '42501', 'a prepared statement');
SELECT pg_temp.refused('SELECT lair.runs(''DEALLOCATE ALL'')', '42501', 'nor is one of the session''s dropped');
SELECT pg_temp.refused('SELECT lair.runs(''LISTEN loot'')', '42501', 'LISTEN');
SELECT throws_ok($$SELECT capforecast._measure_metric(NULL, NULL)$$, '22004', NULL, 'no query');
SELECT throws_ok($$SELECT capforecast._measure_metric(NULL, 'SELECT 1')$$, '22004', NULL, 'a limit and no query');
-- The caller's temporary objects.
CREATE TEMP TABLE loot (n integer);
SELECT pg_temp.refused('SELECT count(*) FROM loot', '0A000', 'a temporary table');
SELECT pg_temp.refused('SELECT count(*) FROM pg_temp.loot', '0A000', 'by its full name');
SELECT pg_temp.refused('SELECT (SELECT max(n) FROM (SELECT * FROM loot) l)', '0A000', 'in a subquery');
SELECT pg_temp.refused('SELECT count(*) FROM (SELECT pg_temp.refused(NULL, NULL, NULL)) x', '0A000', 'a temporary function');
DROP TABLE pg_temp.loot;
RESET ROLE;
SET ROLE dashboard;
CREATE TEMP VIEW mine AS SELECT 999 AS m;
RESET ROLE;
SELECT throws_ok($$SELECT capforecast._measure_metric('SELECT 1', NULL)$$, '55000', 'session has temporary objects of role "dashboard"',
	'temporary objects of who is not trusted keep a superuser''s query from running');
DROP VIEW pg_temp.mine;
SELECT lives_ok($$SELECT capforecast._measure_metric('SELECT 1', NULL)$$, 'those of a superuser do not');
-- Row-level security.
GRANT EXECUTE ON FUNCTION capforecast._measure_metric TO bystander;
GRANT USAGE ON SCHEMA capforecast, lair TO bystander;
SET ROLE bystander;
SELECT throws_ok($$SELECT capforecast._measure_metric('SELECT count(*) FROM lair.watched', NULL)$$, '42501', NULL, 'a policy that hides rows is an error, not a smaller number');
RESET ROLE;
SET ROLE mallory;

-- Contained: they succeed, and change nothing.
SELECT lives_ok($$SELECT capforecast.add_metric('sets', 'SELECT lair.sets()')$$, 'a function may set what is undone');
SELECT lives_ok($$SELECT capforecast.add_metric('swallows', 'SELECT lair.swallows()')$$, 'a function may hide its error');
SELECT isnt(current_setting('application_name'), 'owned', 'set_config does not outlive the query');
SELECT lives_ok($$SELECT capforecast.add_metric('large', 'SELECT lair.large_object()')$$, 'a large object');
SELECT is((SELECT count(*) FROM pg_largeobject_metadata WHERE oid = 4242), 0::bigint, 'is undone');
SELECT lives_ok($$SELECT capforecast.add_metric('locks', 'SELECT lair.locks()')$$, 'a lock of the transaction');
SELECT is((SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()), 0::bigint, 'is given back');
SELECT lives_ok($$SELECT capforecast.add_metric('notifies', 'SELECT lair.notifies()')$$, 'a notification');
DELETE FROM capforecast.own_metric WHERE metric IN ('large', 'locks', 'notifies');
SELECT lives_ok($$UPDATE capforecast._metric_query SET registrar = 10, registrar_name = 'bystander'$$, 'a metric cannot be given to another role');

-- The job, with one that breaks after it was registered.
SELECT capforecast.add_metric('breaks', 'SELECT n FROM lair.mine', limit_value => 9);
SELECT capforecast.add_metric('later', 'SELECT 5');
-- Whatever they raise is their own reason; what may be data is not on record.
INSERT INTO capforecast.own_metric (metric, kind, direction) SELECT 'raises_' || lower(c), 'stock', 'up'
FROM unnest('{40001,53100,53200,55P03,57014,57P01,P0001,XX000,22P02}'::text[]) c;
INSERT INTO capforecast._metric_query (metric, query) SELECT 'raises_' || lower(c), format('SELECT lair.raises(%L)', c)
FROM unnest('{40001,53100,53200,55P03,57014,57P01,P0001,XX000,22P02}'::text[]) c;
INSERT INTO capforecast.own_metric (metric, kind, direction) VALUES ('leaks', 'stock', 'up'), ('traps', 'stock', 'up'), ('shouts', 'stock', 'up');
INSERT INTO capforecast._metric_query (metric, query) VALUES ('leaks', 'SELECT w FROM lair.words'), ('traps', 'SELECT lair.traps()'),
	('shouts', 'SELECT repeat(md5(''x''), 100000)');
-- Its time is up while it fails of something else: the timer cancels neither what comes after it nor the job.
INSERT INTO capforecast.own_metric (metric, kind, direction) VALUES ('late', 'stock', 'up');
INSERT INTO capforecast._metric_query (metric, query) VALUES ('late', 'SELECT lair.other_end()');
ALTER TABLE lair.mine RENAME n TO m;
RESET ROLE;
SELECT is((SELECT array_agg(DISTINCT registrar_name || ' ' || registrar::regrole) FROM capforecast._metric_query), '{mallory mallory}', 'it stays with who registered it');
SELECT is(capforecast.capture_metrics(), 3::bigint, 'the metrics that work are captured');
SELECT results_eq($$SELECT metric, value FROM capforecast.metric_value ORDER BY metric$$,
	$$VALUES ('later', 5::double precision), ('sets', 1), ('swallows', 2)$$, 'with their values');
SELECT results_eq($$SELECT failed, detail -> 'breaks' ->> 'sqlstate' FROM capforecast.job_run WHERE job = 'capture_metrics'$$,
	$$VALUES (15::bigint, '42703')$$, 'each that fails is a reason in the record');
SELECT results_eq($$SELECT string_agg(d.value ->> 'sqlstate', ' ' ORDER BY d.value ->> 'sqlstate') FROM capforecast.job_run, jsonb_each(detail) d
	WHERE job = 'capture_metrics' AND d.key LIKE 'raises%'$$, $$VALUES ('22P02 40001 53100 53200 55P03 57014 57P01 P0001 XX000')$$, 'whatever they raise');
SELECT is((SELECT count(*) FROM capforecast.job_run WHERE detail::text ~ 'sk_live|bystander_secret' OR octet_length(detail::text) > 20000), 0::bigint,
	'without data, and bounded');
SELECT is((SELECT detail -> 'leaks' ->> 'hint' FROM capforecast.job_run WHERE job = 'capture_metrics'), 'Run the query as role "mallory".', 'with who can see the rest');
SELECT is((SELECT detail -> 'traps' ->> 'sqlstate' FROM capforecast.job_run WHERE job = 'capture_metrics'), '54000', 'the time limit');
SELECT results_eq('SELECT m FROM lair.mine', 'VALUES (7)', 'nothing was written');

SELECT * FROM finish();
ROLLBACK;
