-- The first minutes with the extension.
\echo
\echo '== CREATE EXTENSION capforecast'
SET client_min_messages = warning;
CREATE EXTENSION pg_cron;
CREATE EXTENSION capforecast;
RESET client_min_messages;
\echo '== The application has kept snapshots of its own: take them over'
SELECT imported, first_day, last_day FROM capforecast.import_snapshots('capacity_snapshots');
\echo '== and rebuild the year before from created_at and cancelled_at'
SELECT column_name, days_known
FROM capforecast.backfill_snapshots((now() - interval '400 days')::date, (now() - interval '1 day')::date) WHERE days_known > 0;
\echo '== The application reports how much its pictures take'
SELECT capforecast.push_image_storage((SELECT count(*) * 0.004 * 1073741824 FROM products)::bigint) \g /dev/null
\echo '== Let pg_cron run the jobs, as a role made for it'
CREATE ROLE operator LOGIN;
SELECT count(*) AS grants FROM capforecast.grant_access('operator', 'operator');
SET ROLE operator;
SELECT job, schedule, status FROM capforecast.schedule_jobs();
RESET ROLE;
