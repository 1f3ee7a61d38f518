-- The first minutes with the extension.
\echo
\echo '-- CREATE EXTENSION capforecast'
SET client_min_messages = warning;
CREATE EXTENSION pg_cron;
CREATE EXTENSION capforecast;
RESET client_min_messages;
\echo '-- The application reports how much its pictures take'
SELECT capforecast.push_image_storage(142 * 1073741824::bigint);
\echo '-- SELECT * FROM capforecast.schedule_jobs()'
SELECT * FROM capforecast.schedule_jobs();
