-- A regression test starts here: as if the database were new.
-- From test/sql:  \getenv dir PG_ABS_SRCDIR
--                 \set fresh :dir '/platform/fresh.sql'
--                 \i :fresh
SET client_min_messages = warning;
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
