-- CREATE, DROP, CREATE: the extension leaves nothing behind and owns its schema.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set ECHO all
SELECT extnamespace::regnamespace, extrelocatable FROM pg_extension WHERE extname = 'capforecast';
DROP EXTENSION capforecast;
SELECT to_regnamespace('capforecast') IS NULL AS schema_is_gone;
CREATE EXTENSION capforecast SCHEMA public;
CREATE EXTENSION capforecast;
SELECT count(*) FROM capforecast.capacity_snapshots;
