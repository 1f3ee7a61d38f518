-- Queries of own metrics that are wrong or hostile: refused, or contained, and one that
-- fails does not stop the others.
BEGIN;
SELECT plan(33);
SET client_min_messages = warning;

CREATE ROLE mallory;
CREATE ROLE bystander;
CREATE SCHEMA lair AUTHORIZATION mallory;
GRANT USAGE ON SCHEMA capforecast TO mallory;
GRANT EXECUTE ON FUNCTION capforecast.add_metric, capforecast._measure_metric TO mallory;
GRANT SELECT, INSERT, DELETE ON capforecast.own_metric TO mallory;
GRANT INSERT, UPDATE (registrar, registrar_name) ON capforecast._metric_query TO mallory;
GRANT SELECT ON capforecast.metrics TO mallory;
CREATE TABLE public.secret (n integer);
INSERT INTO public.secret VALUES (42);

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

-- add_metric() runs the query the way the job does, so what it refuses, the job refuses.
CREATE FUNCTION pg_temp.refused(query text, code text, what text) RETURNS text LANGUAGE sql AS $$
	SELECT throws_ok(format('SELECT capforecast.add_metric(%L, %L)', 'm', query), code, NULL, what)
$$;

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

-- Contained: they succeed, and change nothing.
SELECT lives_ok($$SELECT capforecast.add_metric('sets', 'SELECT lair.sets()')$$, 'a function may set what is undone');
SELECT lives_ok($$SELECT capforecast.add_metric('swallows', 'SELECT lair.swallows()')$$, 'a function may hide its error');
SELECT isnt(current_setting('application_name'), 'owned', 'set_config does not outlive the query');
SELECT lives_ok($$UPDATE capforecast._metric_query SET registrar = 10, registrar_name = 'bystander'$$, 'a metric cannot be given to another role');

-- The job, with one that breaks after it was registered.
SELECT capforecast.add_metric('breaks', 'SELECT n FROM lair.mine', limit_value => 9);
SELECT capforecast.add_metric('later', 'SELECT 5');
ALTER TABLE lair.mine RENAME n TO m;
RESET ROLE;
SELECT is((SELECT array_agg(DISTINCT registrar_name || ' ' || registrar::regrole) FROM capforecast._metric_query), '{mallory mallory}', 'it stays with who registered it');
SELECT is(capforecast.capture_metrics(), 3::bigint, 'the metrics that work are captured');
SELECT results_eq($$SELECT metric, value FROM capforecast.metric_value ORDER BY metric$$,
	$$VALUES ('later', 5::double precision), ('sets', 1), ('swallows', 2)$$, 'with their values');
SELECT results_eq($$SELECT failed, detail -> 'breaks' ->> 'sqlstate' FROM capforecast.job_run WHERE job = 'capture_metrics'$$,
	$$VALUES (2::bigint, '42703')$$, 'each that fails is a reason in the record');
SELECT results_eq('SELECT m FROM lair.mine', 'VALUES (7)', 'nothing was written');

SELECT * FROM finish();
ROLLBACK;
