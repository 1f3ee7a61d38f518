-- The type series: an ordered set of points (time, value) in one value.

CREATE TYPE capforecast.series;

CREATE FUNCTION capforecast.series_in(cstring) RETURNS capforecast.series
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_in';
COMMENT ON FUNCTION capforecast.series_in(cstring) IS
	'Text input of series: {2026-01-31 412, 2026-02-01T06:30:00Z 415.5}. Errors: 22P02, 22008, 22003, 54000.';

CREATE FUNCTION capforecast.series_out(capforecast.series) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_out';
COMMENT ON FUNCTION capforecast.series_out(capforecast.series) IS
	'Text output of series: ISO 8601 in UTC and the shortest numbers that read back exactly, whatever the session''s settings.';

CREATE FUNCTION capforecast.series_recv(internal) RETURNS capforecast.series
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_recv';
COMMENT ON FUNCTION capforecast.series_recv(internal) IS
	'Binary input of series: number of points (int32), then time (int64, microseconds since 2000-01-01 UTC) and value (float8) of each. Error: 22P03.';

CREATE FUNCTION capforecast.series_send(capforecast.series) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_send';
COMMENT ON FUNCTION capforecast.series_send(capforecast.series) IS 'Binary output of series, as series_recv() reads it.';

CREATE TYPE capforecast.series (
	INPUT = capforecast.series_in, OUTPUT = capforecast.series_out,
	RECEIVE = capforecast.series_recv, SEND = capforecast.series_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE capforecast.series IS
	'An ordered set of points (time, value), at most 1000000, made by series_agg(ts, y). All that is analysed takes one.';

CREATE FUNCTION capforecast.series(ts timestamptz[], y double precision[]) RETURNS capforecast.series
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_from_arrays';
COMMENT ON FUNCTION capforecast.series(timestamptz[], double precision[]) IS
	'A series from times and values, in any order; a point with NULL is left out. Errors: 2202E where the lengths differ, 22008 for an infinite time, 54000.
Example: SELECT capforecast.series(array_agg(day), array_agg(value)) FROM capforecast.metric_history WHERE metric = ''vendors'';';

CREATE FUNCTION capforecast.series(ts timestamp[], y double precision[]) RETURNS capforecast.series
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_from_arrays';
COMMENT ON FUNCTION capforecast.series(timestamp[], double precision[]) IS 'The same; times are read as UTC.';

CREATE FUNCTION capforecast.series(ts date[], y double precision[]) RETURNS capforecast.series
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_from_dates';
COMMENT ON FUNCTION capforecast.series(date[], double precision[]) IS 'The same; a day is its midnight in UTC.';

CREATE FUNCTION capforecast.points(series capforecast.series)
	RETURNS TABLE (ts timestamptz, y double precision)
	LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 100 AS 'MODULE_PATHNAME', 'capforecast_points';
COMMENT ON FUNCTION capforecast.points(capforecast.series) IS 'The points of a series, in order of time.
Example: SELECT ts, y FROM capforecast.points(capforecast.metric_series(''vendors''));';

CREATE FUNCTION capforecast.n_points(series capforecast.series) RETURNS integer
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_n_points';
COMMENT ON FUNCTION capforecast.n_points(capforecast.series) IS 'How many points a series has.
Example: SELECT capforecast.n_points(capforecast.metric_series(''vendors''));';

CREATE FUNCTION capforecast.sparkline(series capforecast.series, width integer DEFAULT 40) RETURNS text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'capforecast_sparkline';
COMMENT ON FUNCTION capforecast.sparkline(capforecast.series, integer) IS
	'A series as one line of at most width characters (1 to 1000), lowest to highest; a blank where nothing was measured. NULL where there is nothing to draw.
Example: SELECT capforecast.sparkline(capforecast.metric_series(''vendors''), 60);';
