-- The first minutes with the extension.
\echo
\echo '-- CREATE EXTENSION capforecast'
SET client_min_messages = warning;
CREATE EXTENSION pg_cron;
CREATE EXTENSION capforecast;
RESET client_min_messages;
\echo '-- The application has kept snapshots of its own: take them over'
SELECT * FROM capforecast.import_snapshots('capacity_snapshots');
\echo '-- The application reports how much its pictures take'
SELECT capforecast.push_image_storage((SELECT count(*) FROM products) * 4194304);
\echo '-- SELECT * FROM capforecast.schedule_jobs()'
SELECT * FROM capforecast.schedule_jobs();
