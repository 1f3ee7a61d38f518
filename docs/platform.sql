-- The sample platform as the pages of docs/ show it: on one fixed day, so that what they
-- print can be compared with what comes out. In a new database:
--
--   psql -v as_of=2026-11-25 -f test/platform/schema.sql -f test/platform/load.sql -f docs/platform.sql
--
-- The pages' statements get "as_of" from docs/results.pl.
SET client_min_messages = warning;
CREATE EXTENSION capforecast;
RESET client_min_messages;
SET timezone = 'UTC';
SET capforecast.allow_time_travel = on;
\set now '''':as_of' 12:00+00'''

SELECT count(*) FROM capforecast.import_snapshots('capacity_snapshots');
SELECT count(*) FROM capforecast.backfill_snapshots(:now::date - 400, :now::date - 1);
SELECT capforecast.push_image_storage((SELECT count(*) * 0.004 * 1073741824 FROM products)::bigint, :now);
SELECT capforecast.use_infrastructure_tier('Small');
SELECT count(*) FROM capforecast.capture_daily_snapshot(as_of => :now);
SELECT capforecast.backfill_vendor_usage(:now::date - 60);
SELECT count(*) FROM capforecast.capture_vendor_usage(:now);
SELECT capforecast.look_at_vendors(:now);
-- What each night forecast, for a while.
SELECT sum(capforecast.run_forecasts(:now::timestamptz - d * interval '1 day')) FROM generate_series(46, 1, -3) d;
