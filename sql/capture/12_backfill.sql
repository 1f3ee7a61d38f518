-- History on day 0.

CREATE FUNCTION capforecast.backfill_snapshots(from_date date, to_date date DEFAULT NULL, at_time time DEFAULT '00:07')
	RETURNS TABLE (column_name text, days_known bigint, reason text)
	LANGUAGE C VOLATILE ROWS 14 AS 'MODULE_PATHNAME', 'capforecast_backfill_snapshots';
COMMENT ON FUNCTION capforecast.backfill_snapshots(date, date, time) IS
	'Rebuild the snapshots of past days (to_date: yesterday by default) from created_at, cancelled_at, trial_ends_at and the like: what a capture at at_time (UTC; the daily job''s by default) would have counted. Rows are marked source = backfilled; a day that has a row is left as it is, and so are days before anything was there. Returns, per column, on how many days it is known, and why not on the others: what cannot be known is NULL. Rows that the host has deleted are not known of. Error: 22023 for days that are not past.
Example: SELECT * FROM capforecast.backfill_snapshots(current_date - 400, current_date - 1);';
