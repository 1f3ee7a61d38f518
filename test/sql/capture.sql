-- The daily snapshot: one row per UTC day, whatever is missing.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set file :dir '/platform/schema.sql'
\i :file
\set ECHO all
INSERT INTO vendors (vendor_code, name) VALUES ('a', 'A');
\set SHOW_CONTEXT never
-- The day is the UTC day of the call, in every session.
SET timezone = 'Pacific/Kiritimati';
SELECT id, snapshot_date = (clock_timestamp() AT TIME ZONE 'UTC')::date AS today, total_vendors, source,
	captured_at BETWEEN now() AND clock_timestamp() AS just_now, db_size_mb > 0 AS has_size
FROM capforecast.capture_daily_snapshot();
SET timezone = 'Pacific/Pago_Pago';
SET datestyle = 'SQL, DMY';
-- A second call returns the stored row, refresh counts again and keeps the row's identity.
INSERT INTO vendors (vendor_code, name) VALUES ('b', 'B');
SELECT id, total_vendors FROM capforecast.capture_daily_snapshot();
SELECT id, total_vendors FROM capforecast.capture_daily_snapshot(refresh => true);
SELECT id, total_vendors FROM capforecast.capture_daily_snapshot(refresh => NULL);
SET timezone = 'UTC';
SET datestyle = 'ISO';
SELECT count(*), min(source) FROM capforecast.capacity_snapshots;
-- Each run is on record: two that counted, two that found the day stored.
SELECT job, status, examined, changed, failed, detail, finished_at >= started_at AS finished FROM capforecast.job_run ORDER BY run_id;

-- as_of: the same UTC day is now; another day is what is stored for it, or an error.
SELECT id, total_vendors FROM capforecast.capture_daily_snapshot(as_of => date_trunc('day', clock_timestamp(), 'UTC'));
SELECT id, total_vendors FROM capforecast.capture_daily_snapshot(as_of => clock_timestamp());
INSERT INTO capforecast.capacity_snapshots (snapshot_date, total_vendors, source) VALUES ('2024-02-29', 77, 'imported');
SELECT snapshot_date, total_vendors, source FROM capforecast.capture_daily_snapshot(as_of => '2024-02-29 23:59:59+00');
\set VERBOSITY sqlstate
SELECT snapshot_date FROM capforecast.capture_daily_snapshot(as_of => '2024-02-29 23:59:59-01');
SELECT capforecast.capture_daily_snapshot(true, '2024-02-29 12:00+00');
SELECT capforecast.capture_daily_snapshot(as_of => clock_timestamp() + interval '1 day');
\set VERBOSITY default
-- A refreshed row that was imported is a captured one.
UPDATE capforecast.capacity_snapshots SET source = 'imported', total_products = 999 WHERE snapshot_date > '2024-02-29';
SELECT source, total_products FROM capforecast.capture_daily_snapshot();
SELECT source, total_products FROM capforecast.capture_daily_snapshot(refresh => true);

-- Image storage: pushed, from a query, from a directory; what fails is NULL with a reason, and the rest is kept.
CREATE FUNCTION pg_temp.last_run() RETURNS TABLE (status text, failed bigint, reason jsonb) LANGUAGE sql AS $$
	SELECT status, failed, detail FROM capforecast.job_run ORDER BY run_id DESC LIMIT 1
$$;
SELECT capforecast.push_image_storage(1610612736);
SELECT storage_used_gb FROM capforecast.capture_daily_snapshot(refresh => true);
SELECT capforecast.push_image_storage(5368709, clock_timestamp() - interval '47 hours');
SELECT storage_used_gb FROM capforecast.capture_daily_snapshot(refresh => true);
SELECT capforecast.push_image_storage(1610612736, '2024-02-29 12:00+00');
SELECT storage_used_gb, total_vendors FROM capforecast.capture_daily_snapshot(refresh => true);
SELECT * FROM pg_temp.last_run();
SELECT capforecast.bind_image_storage();
SELECT storage_used_gb, total_vendors FROM capforecast.capture_daily_snapshot(refresh => true);
SELECT * FROM pg_temp.last_run();
CREATE TABLE images (size_bytes bigint);
INSERT INTO images VALUES (1073741824), (536870912);
SELECT capforecast.bind_image_storage('SELECT sum(size_bytes) FROM public.images');
SELECT storage_used_gb FROM capforecast.capture_daily_snapshot(refresh => true);
SELECT image_storage_gb, image_storage_source, image_storage_status FROM capforecast.platform_health();
-- The query is read-only, runs as its owner, and returns one number of bytes.
CREATE FUNCTION shrink() RETURNS bigint LANGUAGE sql AS 'DELETE FROM public.images RETURNING size_bytes';
CREATE FUNCTION pg_temp.storage_from(query text) RETURNS TABLE (gb numeric, vendors bigint, reason text) LANGUAGE plpgsql AS $$
BEGIN
	-- past bind_image_storage(), which keeps nothing that fails
	UPDATE capforecast._image_source SET definition = query;
	SELECT s.storage_used_gb, s.total_vendors INTO gb, vendors FROM capforecast.capture_daily_snapshot(refresh => true) s;
	SELECT r.detail -> 'image_storage' ->> 'message' INTO reason FROM capforecast.job_run r ORDER BY r.run_id DESC LIMIT 1;
	RETURN NEXT;
END
$$;
SELECT q.query, s.* FROM unnest(ARRAY[
	'SELECT 1073741824.0',
	'SELECT ''2147483648''',
	'SELECT NULL::bigint',
	'SELECT -1',
	'SELECT 1e30',
	'SELECT ''NaN''::float8',
	'SELECT ''much''',
	'SELECT 1, 2',
	'SELECT 1 WHERE false',
	'SELECT size_bytes FROM public.images',
	'SELECT 1; SELECT 2',
	'',
	'DELETE FROM public.images RETURNING size_bytes',
	'SELECT public.shrink()',
	'SELECT sum(size_bytes) FROM images',
	'SELECT 1/0',
	'COPY (SELECT 1) TO STDOUT',
	'SELECT set_config(''search_path'', ''public'', false) = ''public''']) AS q(query)
	CROSS JOIN LATERAL pg_temp.storage_from(query) s;
SELECT count(*) FROM images;
-- A query that fails is not kept.
SELECT capforecast.bind_image_storage('SELECT size FROM public.images');
SELECT capforecast.bind_image_storage('SELECT public.shrink()');
SELECT definition FROM capforecast._image_source;
-- A read shows what was measured last, and measures nothing.
SELECT capforecast.bind_image_storage('SELECT sum(size_bytes) FROM public.images');
UPDATE images SET size_bytes = 0;
SELECT gigabytes, status FROM capforecast._read_image_storage(NULL);
SELECT gigabytes, status, reason LIKE 'the value measured at % is more than 48 hours old' AS says_why FROM capforecast._read_image_storage(now() + interval '49 hours');
CREATE ROLE regress_capforecast_owner;
UPDATE capforecast._image_source SET registrar_name = 'regress_capforecast_owner', definition = 'SELECT sum(size_bytes) FROM public.images';
SELECT storage_used_gb, total_vendors FROM capforecast.capture_daily_snapshot(refresh => true);
SELECT * FROM pg_temp.last_run();
DROP ROLE regress_capforecast_owner;
SELECT storage_used_gb, total_vendors FROM capforecast.capture_daily_snapshot(refresh => true);
SELECT * FROM pg_temp.last_run();
-- Nobody registers a query for another role: whoever writes it is its registrar.
CREATE ROLE regress_capforecast_operator;
GRANT USAGE ON SCHEMA capforecast TO regress_capforecast_operator;
GRANT ALL ON capforecast._image_source TO regress_capforecast_operator;
SET ROLE regress_capforecast_operator;
UPDATE capforecast._image_source SET registrar = 10, registrar_name = 'postgres' RETURNING registrar_name, registrar = 10 AS is_given;
UPDATE capforecast._image_source SET definition = 'SELECT 1', registrar = 10, registrar_name = 'postgres' RETURNING registrar_name, registrar::regrole;
DELETE FROM capforecast._image_source;
INSERT INTO capforecast._image_source (definition, registrar, registrar_name) VALUES ('SELECT 1', 10, 'postgres')
	RETURNING registrar_name, registrar::regrole;
RESET ROLE;
DROP OWNED BY regress_capforecast_operator;
DROP ROLE regress_capforecast_operator;
-- A directory of the server.
SELECT current_setting('data_directory') || '/global' AS directory \gset
SELECT capforecast.bind_image_storage(directory => :'directory');
SELECT storage_used_gb >= 0 AS known, total_vendors FROM capforecast.capture_daily_snapshot(refresh => true);
SELECT image_storage_source, image_storage_status FROM capforecast.platform_health();
UPDATE capforecast._image_source SET definition = '/does/not/exist';
SELECT storage_used_gb, total_vendors FROM capforecast.capture_daily_snapshot(refresh => true);
SELECT * FROM pg_temp.last_run();
DELETE FROM capforecast.image_storage;
SELECT storage_used_gb FROM capforecast.capture_daily_snapshot(refresh => true);
SELECT * FROM pg_temp.last_run();
SELECT image_storage_gb, image_storage_status, image_storage_reason, unknown_metrics FROM capforecast.platform_health();

-- A part that fails otherwise: NULL for it, the reason on record, the rest kept.
CREATE VIEW broken AS SELECT id, 1 / (id - id) = 1 AS is_active FROM vendors;
SELECT capforecast.bind('vendors', 'broken');
SELECT total_vendors, active_vendors, total_subscriptions, total_products FROM capforecast.capture_daily_snapshot(refresh => true);
SELECT * FROM pg_temp.last_run();
-- In the caller's transaction: rolled back with it.
BEGIN;
TRUNCATE capforecast.capacity_snapshots, capforecast.job_run;
SELECT total_products FROM capforecast.capture_daily_snapshot();
ROLLBACK;
SELECT count(*) FROM capforecast.capacity_snapshots;
-- The rights that doctor() lists are what a role needs to capture, and no more.
SELECT capforecast.unbind('vendors');
CREATE ROLE regress_capforecast_operator;
GRANT USAGE ON SCHEMA capforecast, public TO regress_capforecast_operator;
GRANT EXECUTE ON FUNCTION capforecast.capture_daily_snapshot TO regress_capforecast_operator;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO regress_capforecast_operator;
SET ROLE regress_capforecast_operator;
SELECT fix FROM capforecast.doctor() \gset
RESET ROLE;
:fix
SET ROLE regress_capforecast_operator;
SELECT string_agg(fix, ' ') AS fix FROM capforecast.doctor() WHERE severity = 'error' AND subject IN ('snapshot', 'job_run') \gset
RESET ROLE;
:fix
SET ROLE regress_capforecast_operator;
SELECT total_vendors FROM capforecast.capture_daily_snapshot(refresh => true);
DELETE FROM capforecast.capacity_snapshots;
RESET ROLE;
TRUNCATE capforecast.capacity_snapshots;
SET ROLE regress_capforecast_operator;
SELECT total_vendors FROM capforecast.capture_daily_snapshot();
RESET ROLE;
DROP OWNED BY regress_capforecast_operator;
DROP ROLE regress_capforecast_operator;
