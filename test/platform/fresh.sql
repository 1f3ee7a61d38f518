-- A regression test starts here: as if the database were new.
-- From test/sql:  \getenv dir PG_ABS_SRCDIR
--                 \set fresh :dir '/platform/fresh.sql'
--                 \i :fresh
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS capforecast CASCADE;
DROP SCHEMA IF EXISTS public CASCADE;
CREATE SCHEMA public;
CREATE EXTENSION capforecast;
RESET client_min_messages;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
