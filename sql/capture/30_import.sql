-- History that the application kept itself.

CREATE FUNCTION capforecast.import_snapshots(relation regclass)
	RETURNS TABLE (imported bigint, already_stored bigint, skipped bigint, first_day date, last_day date, missing_columns text[])
	LANGUAGE C VOLATILE STRICT ROWS 1 AS 'MODULE_PATHNAME', 'capforecast_import_snapshots';
COMMENT ON FUNCTION capforecast.import_snapshots(regclass) IS
	'Take over the rows of the application''s own table of snapshots (columns named as in capacity_snapshots; snapshot_date a date or a timestamp, which counts for its UTC day), marked source = imported. A day that has a row keeps it. Returns how many rows were imported, already had a stored day, and were skipped (no date, a day after today, or an older row of the same day), and which columns the table does not have: they stay NULL. Read with the caller''s rights. Errors: 42703 without snapshot_date, 42804 for a column of another type, 42501, 42809.
Example: SELECT * FROM capforecast.import_snapshots(''capacity_snapshots'');';
