-- Taking over the web application's own snapshots.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set SHOW_CONTEXT never
\set ECHO all
-- The table as the application has it: one instant per day.
CREATE TABLE capacity_snapshots (
	id integer PRIMARY KEY, snapshot_date timestamptz UNIQUE, total_vendors integer, active_vendors integer, trial_vendors integer,
	total_subscriptions integer, active_subscriptions integer, total_products integer, total_orders_month integer,
	total_team_members integer, storage_used_gb numeric(10, 2), db_size_mb numeric(10, 2), theoretical_products_limit integer,
	theoretical_orders_limit integer, theoretical_team_limit integer, tier_distribution jsonb);
INSERT INTO capacity_snapshots VALUES
	(7, '2024-02-28 00:00+00', 10, 9, 1, 8, 7, 100, 20, 12, 1.50, 300.25, 1000, 500, 20, '{"essential": 7}'),
	(8, '2024-02-29 00:00+00', 11, 9, 1, 8, 7, 110, 20, 12, 0,    301.25, 1000, 500, 20, '{"essential": 7}');
SET timezone = 'America/New_York';
SELECT * FROM capforecast.import_snapshots('capacity_snapshots');
SELECT snapshot_date, total_vendors, active_vendors, trial_vendors, total_subscriptions, active_subscriptions, total_products,
	total_orders_month, total_team_members, source FROM capforecast.capacity_snapshots ORDER BY 1;
SELECT snapshot_date, storage_used_gb, db_size_mb, theoretical_products_limit, theoretical_orders_limit, theoretical_team_limit,
	tier_distribution FROM capforecast.capacity_snapshots ORDER BY 1;
-- Again: nothing is taken, nothing is overwritten.
UPDATE capacity_snapshots SET total_vendors = 999;
INSERT INTO capacity_snapshots (id, snapshot_date, total_vendors) VALUES (9, '2024-03-01 00:00+00', 12);
SELECT imported, already_stored, skipped, first_day, last_day FROM capforecast.import_snapshots('capacity_snapshots');
SELECT snapshot_date, total_vendors, active_vendors FROM capforecast.capacity_snapshots ORDER BY 1;
-- A captured day is kept, too.
UPDATE capforecast.capacity_snapshots SET source = 'captured', total_vendors = 1 WHERE snapshot_date = '2024-03-01';
SELECT imported, already_stored FROM capforecast.import_snapshots('capacity_snapshots');
SELECT total_vendors, source FROM capforecast.capacity_snapshots WHERE snapshot_date = '2024-03-01';

-- Other shapes: dates, few columns, other numbers; no day, days to come, two rows of one day.
CREATE SCHEMA "Alt & neu";
CREATE TABLE "Alt & neu"."alte Zahlen" (snapshot_date date, total_products numeric, total_vendors smallint, tier_distribution json);
INSERT INTO "Alt & neu"."alte Zahlen" VALUES ('2023-01-01', 10.4, 1, '{"a": 1}'), ('2023-01-02', NULL, 2, NULL), (NULL, 5, 5, NULL),
	('infinity', 5, 5, NULL), ('-infinity', 5, 5, NULL), ('9999-12-31', 5, 5, NULL);
SELECT imported, already_stored, skipped, first_day, last_day, missing_columns
FROM capforecast.import_snapshots('"Alt & neu"."alte Zahlen"');
SELECT snapshot_date, total_products, total_vendors, active_vendors, tier_distribution
FROM capforecast.capacity_snapshots WHERE snapshot_date < '2024-01-01' ORDER BY 1;
-- Naive timestamps are UTC; the newest row of a UTC day counts.
CREATE VIEW naive AS SELECT * FROM (VALUES
	('2022-05-01 23:59'::timestamp, 1), ('2022-05-01 08:00', 2), ('2022-05-02 00:00', 3)) v(snapshot_date, active_vendors);
SELECT imported, already_stored, skipped FROM capforecast.import_snapshots('naive');
CREATE VIEW zoned AS SELECT '2022-05-03 23:30-05'::timestamptz AS snapshot_date, 4 AS active_vendors;
SELECT imported, first_day FROM capforecast.import_snapshots('zoned');
SELECT snapshot_date, active_vendors FROM capforecast.capacity_snapshots WHERE snapshot_date < '2023-01-01' ORDER BY 1;
-- What cannot be read.
CREATE TABLE wrong (snapshot_date text);
CREATE TABLE none (day date);
CREATE TABLE words (snapshot_date date, active_vendors text);
SELECT * FROM capforecast.import_snapshots('wrong');
SELECT * FROM capforecast.import_snapshots('none');
SELECT * FROM capforecast.import_snapshots('words');
SELECT * FROM capforecast.import_snapshots('capforecast.job_run_run_id_seq');
SELECT * FROM capforecast.import_snapshots(1);
SELECT * FROM capforecast.import_snapshots(NULL);
CREATE TABLE "Alt & neu".large (snapshot_date date, active_vendors numeric);
INSERT INTO "Alt & neu".large VALUES ('2021-01-01', 1), ('2021-01-02', 1e30);
SELECT * FROM capforecast.import_snapshots('"Alt & neu".large');
SELECT count(*) FROM capforecast.capacity_snapshots WHERE snapshot_date < '2022-01-01';
-- Rights: the caller's.
CREATE ROLE regress_capforecast_importer;
GRANT USAGE ON SCHEMA capforecast, public TO regress_capforecast_importer;
GRANT SELECT ON ALL TABLES IN SCHEMA capforecast TO regress_capforecast_importer;
GRANT EXECUTE ON FUNCTION capforecast.import_snapshots TO regress_capforecast_importer;
SET ROLE regress_capforecast_importer;
SELECT imported FROM capforecast.import_snapshots('public.capacity_snapshots');
RESET ROLE;
GRANT SELECT ON public.capacity_snapshots TO regress_capforecast_importer;
SET ROLE regress_capforecast_importer;
SELECT imported FROM capforecast.import_snapshots('public.capacity_snapshots');
RESET ROLE;
GRANT INSERT ON capforecast.capacity_snapshots TO regress_capforecast_importer;
DELETE FROM capforecast.capacity_snapshots WHERE snapshot_date = '2024-02-29';
SET ROLE regress_capforecast_importer;
SELECT imported, first_day FROM capforecast.import_snapshots('public.capacity_snapshots');
RESET ROLE;
ALTER TABLE public.capacity_snapshots ENABLE ROW LEVEL SECURITY;
SET ROLE regress_capforecast_importer;
SELECT imported FROM capforecast.import_snapshots('public.capacity_snapshots');
RESET ROLE;
-- A superuser does not run what a stranger's view would have run; a stranger's plain table is read.
ALTER TABLE public.capacity_snapshots DISABLE ROW LEVEL SECURITY;
CREATE SCHEMA stranger AUTHORIZATION regress_capforecast_importer;
GRANT DELETE ON capforecast.capacity_snapshots TO regress_capforecast_importer;
SET ROLE regress_capforecast_importer;
CREATE VIEW stranger.snapshots AS SELECT date '2020-06-06' AS snapshot_date, 1 AS total_vendors;
CREATE TABLE stranger.plain AS SELECT * FROM stranger.snapshots;
SELECT imported FROM capforecast.import_snapshots('stranger.snapshots');
DELETE FROM capforecast.capacity_snapshots WHERE snapshot_date = '2020-06-06';
RESET ROLE;
SELECT imported FROM capforecast.import_snapshots('stranger.snapshots');
SELECT imported FROM capforecast.import_snapshots('stranger.plain');
SET client_min_messages = warning;
DROP OWNED BY regress_capforecast_importer;
DROP ROLE regress_capforecast_importer;
SET client_min_messages = warning;
DROP SCHEMA "Alt & neu" CASCADE;
