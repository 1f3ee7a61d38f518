-- CREATE, DROP, CREATE: the extension leaves nothing behind and owns its schema.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set ECHO all
SELECT extrelocatable FROM pg_extension WHERE extname = 'capforecast';
DROP EXTENSION capforecast;
SELECT to_regnamespace('capforecast') IS NULL AS schema_is_gone;
CREATE SCHEMA capforecast;
\set VERBOSITY terse
CREATE EXTENSION capforecast;
DROP SCHEMA capforecast;
CREATE EXTENSION capforecast;
SELECT count(*) FROM capforecast.capacity_snapshots;
