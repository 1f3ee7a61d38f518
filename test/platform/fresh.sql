-- A regression test starts here: as if the database were new.
-- From test/sql:  \getenv dir PG_ABS_SRCDIR
--                 \set fresh :dir '/platform/fresh.sql'
--                 \i :fresh
SET client_min_messages = warning;
-- Under COVERAGE=1: what the test before has called, which goes with the extension.
DO $$
BEGIN
	IF current_setting('test.called', true) <> '' THEN
		EXECUTE format('COPY (SELECT funcname FROM pg_stat_user_functions WHERE schemaname = ''capforecast'') TO PROGRAM %L',
			format('cat >> %s', current_setting('test.called')));
	END IF;
END
$$;
DROP EXTENSION IF EXISTS capforecast CASCADE;
DO $$
DECLARE
	leftover name;
BEGIN
	FOR leftover IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
		EXECUTE format('DROP SCHEMA %I CASCADE', leftover);
	END LOOP;
END
$$;
CREATE SCHEMA public;
CREATE EXTENSION capforecast;
RESET client_min_messages;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
