-- History of an own metric that was kept elsewhere.

CREATE TYPE capforecast.import_result AS (
	imported bigint, already_stored bigint, skipped bigint, first_day date, last_day date
);
COMMENT ON TYPE capforecast.import_result IS
	'What import_metric() did: days imported and days that had a value already, rows skipped (no time or number, or not of a past day), and the first and the last day imported.';

CREATE FUNCTION capforecast.import_metric(metric text, relation regclass DEFAULT NULL, query text DEFAULT NULL,
		ts_column name DEFAULT 'ts', value_column name DEFAULT 'value')
	RETURNS capforecast.import_result LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_import_metric';
COMMENT ON FUNCTION capforecast.import_metric(text, regclass, text, name, name) IS
	'Take over the history of a metric of your own, from a table or from one SELECT (search_path pg_catalog, so qualify your tables), read with the caller''s rights: the columns of times (a date or a time without a zone is read as UTC) and of values. The values of a UTC day become what the metric''s statistic says; of one that is captured hourly the hours of the last 28 days are taken, too. A day that has a value keeps it; today, which is not over, is left out. Errors: 22023 one_source, P0002 unknown_metric, 22004, 42601, 42703, 42804, 42809, 42501.
Example: SELECT i.* FROM capforecast.own_metric m, capforecast.import_metric(m.metric, query => ''SELECT date ''''2026-03-01'''' AS ts, 41 AS value'') i WHERE m.metric = ''open_orders'';';
