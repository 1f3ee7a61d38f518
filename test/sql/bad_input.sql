-- Misuse is an error that says what to do; what is missing in the host is one, too.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set file :dir '/platform/schema.sql'
\i :file
\set ECHO all
-- What a client sees of an error.
CREATE FUNCTION pg_temp.try(statement text) RETURNS TABLE (code text, message text, detail text, hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	code := 'none';
	RETURN NEXT;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	detail := regexp_replace(detail, 'now, which is [-0-9]{10}', 'now, which is … ');
	RETURN NEXT;
END
$$;
\pset null '-'
\x on
-- Arguments.
SELECT t.* FROM unnest(ARRAY[
	'SELECT * FROM capforecast.growth_trends(0)',
	'SELECT * FROM capforecast.growth_trends(-5)',
	'SELECT * FROM capforecast.growth_trends(36501)',
	'SELECT * FROM capforecast.growth_trends(NULL)',
	'SELECT capforecast.growth_trends_json(0)',
	'SELECT * FROM capforecast.growth_trends(30, ''infinity'')',
	'SELECT * FROM capforecast.growth_trends(30, ''-infinity'')',
	'SELECT capforecast.days_until_threshold(''vendor'', 5)',
	'SELECT capforecast.days_until_threshold(''db_size_mb'', 5)',
	'SELECT capforecast.days_until_threshold(''vendors'', ''NaN'')',
	'SELECT capforecast.capture_daily_snapshot(as_of => ''2001-01-01'')',
	'SELECT capforecast.capture_daily_snapshot(true, ''2001-01-01'')',
	'SELECT capforecast.capture_daily_snapshot(as_of => ''infinity'')',
	'SELECT capforecast.push_image_storage(-1)',
	'SELECT capforecast.push_image_storage(NULL)',
	'SELECT capforecast.push_image_storage(1, ''9999-01-01'')',
	'SELECT capforecast.push_image_storage(1, ''-infinity'')',
	'SELECT capforecast.bind_image_storage(''SELECT 1'', ''/tmp'')',
	'SELECT capforecast.bind_image_storage(directory => ''/does/not/exist'')'
]) AS s(statement) CROSS JOIN LATERAL pg_temp.try(statement) t;
-- The least and the largest window are allowed, as far back as there are dates.
SELECT pg_temp.try('SELECT * FROM capforecast.growth_trends(36500, ''4713-01-01 00:00+00 BC'')');
-- Bindings.
CREATE SEQUENCE a_sequence;
CREATE TEMP TABLE a_temporary (id integer);
SELECT t.* FROM unnest(ARRAY[
	'SELECT capforecast.bind(''customers'', ''vendors'')',
	'SELECT capforecast.bind(''vendors'', ''no_such_table'')',
	'SELECT capforecast.bind(''vendors'', 1)',
	'SELECT capforecast.bind(''vendors'', ''a_sequence'')',
	'SELECT capforecast.bind(''vendors'', ''a_temporary'')',
	'SELECT capforecast.bind(''vendors'', ''vendors'', ''["is_active"]'')',
	'SELECT capforecast.bind(''vendors'', ''vendors'', ''{"active": "is_active"}'')',
	'SELECT capforecast.bind(''vendors'', ''vendors'', ''{"is_active": "enabled"}'')',
	'SELECT capforecast.bind(''vendors'', ''vendors'', ''{"is_active": "ctid"}'')',
	'SELECT capforecast.bind(''products'', ''products'', ''{"vendor_id": null}'')',
	'SELECT capforecast.unbind(''customers'')'
]) AS s(statement) CROSS JOIN LATERAL pg_temp.try(statement) t;
SELECT count(*) FROM capforecast.binding;
-- The host's tables: another type, another name, no such table.
ALTER TABLE vendors ALTER is_active DROP DEFAULT, ALTER is_active TYPE text;
SELECT * FROM pg_temp.try('SELECT capforecast.platform_health()');
ALTER TABLE vendors RENAME is_active TO enabled;
SELECT * FROM pg_temp.try('SELECT capforecast.platform_health()');
ALTER TABLE vendors DROP enabled;
SELECT * FROM pg_temp.try('SELECT capforecast.scaling_recommendations()');
ALTER TABLE products ADD price money;
SELECT capforecast.bind('vendor_subscriptions', 'vendor_subscriptions', '{"orders_this_period": "status"}');
SELECT * FROM pg_temp.try('SELECT capforecast.subscription_capacity()');
SELECT capforecast.unbind('vendor_subscriptions');
DROP TABLE vendor_users;
SELECT * FROM pg_temp.try('SELECT capforecast.subscription_capacity()');
CREATE SEQUENCE vendor_users;
SELECT * FROM pg_temp.try('SELECT capforecast.subscription_capacity()');
DROP SEQUENCE vendor_users;
-- A snapshot takes what there is, and says what is left out.
\x off
SELECT total_vendors, active_vendors, total_subscriptions, total_products, total_team_members, theoretical_products_limit
FROM capforecast.capture_daily_snapshot();
DROP TABLE subscription_tiers;
\x on
SELECT * FROM pg_temp.try('SELECT capforecast.subscription_capacity()');
\x off
SELECT total_vendors, active_vendors, total_subscriptions, total_products, total_team_members, theoretical_products_limit
FROM capforecast.capture_daily_snapshot(refresh => true);
SELECT status, failed, jsonb_pretty(detail) FROM capforecast.job_run ORDER BY run_id DESC LIMIT 1;
-- But not nothing at all.
DROP TABLE vendors, vendor_subscriptions, products CASCADE;
\x on
SELECT * FROM pg_temp.try('SELECT capforecast.capture_daily_snapshot(refresh => true)');
-- Missing grants.
\x off
\set ECHO none
\set fresh :dir '/platform/fresh.sql'
\i :fresh
\i :file
\set ECHO all
CREATE ROLE regress_capforecast_reader;
GRANT USAGE ON SCHEMA capforecast TO regress_capforecast_reader;
\x on
SET ROLE regress_capforecast_reader;
SELECT * FROM pg_temp.try('SELECT capforecast.capture_daily_snapshot()');
SELECT * FROM pg_temp.try('SELECT capforecast.growth_trends()');
SELECT * FROM pg_temp.try('CALL capforecast.run_job(''capture_daily_snapshot'')');
RESET ROLE;
GRANT SELECT ON ALL TABLES IN SCHEMA capforecast TO regress_capforecast_reader;
SET ROLE regress_capforecast_reader;
SELECT * FROM pg_temp.try('SELECT capforecast.subscription_capacity()');
RESET ROLE;
GRANT USAGE ON SCHEMA public TO regress_capforecast_reader;
SET ROLE regress_capforecast_reader;
SELECT * FROM pg_temp.try('SELECT capforecast.subscription_capacity()');
RESET ROLE;
GRANT SELECT (id, vendor_id) ON products, vendor_users TO regress_capforecast_reader;
GRANT SELECT ON subscription_tiers, vendor_subscriptions TO regress_capforecast_reader;
SET ROLE regress_capforecast_reader;
SELECT * FROM pg_temp.try('SELECT capforecast.subscription_capacity()');
RESET ROLE;
-- A right to the columns is enough.
GRANT SELECT (is_active) ON vendor_users TO regress_capforecast_reader;
SET ROLE regress_capforecast_reader;
SELECT * FROM pg_temp.try('SELECT capforecast.subscription_capacity()');
SELECT * FROM pg_temp.try('SELECT capforecast.bind_image_storage(directory => ''/tmp'')');
RESET ROLE;
-- Row-level security refuses rather than counting fewer rows.
ALTER TABLE products ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON products USING (vendor_id = 1);
SET ROLE regress_capforecast_reader;
SELECT * FROM pg_temp.try('SELECT capforecast.subscription_capacity()');
RESET ROLE;
-- Read-only transactions, and jobs.
BEGIN READ ONLY;
SELECT * FROM pg_temp.try('SELECT capforecast.capture_daily_snapshot()');
SELECT * FROM pg_temp.try('SELECT * FROM capforecast.import_snapshots(''products'')');
COMMIT;
SELECT * FROM pg_temp.try('CALL capforecast.run_job(''capture_daily_snapshot'')');
\x off
CALL capforecast.run_job('no_such_job');
CALL capforecast.run_job(NULL);
BEGIN;
CALL capforecast.run_job('capture_daily_snapshot');
ROLLBACK;
DROP OWNED BY regress_capforecast_reader;
DROP ROLE regress_capforecast_reader;
