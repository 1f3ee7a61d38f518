-- series_agg(ts, y): a series from any table, with GROUP BY.

CREATE FUNCTION capforecast._series_accum(internal, timestamptz, double precision) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_accum';
CREATE FUNCTION capforecast._series_accum(internal, timestamp, double precision) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_accum';
CREATE FUNCTION capforecast._series_accum(internal, date, double precision) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_accum_date';
CREATE FUNCTION capforecast._series_merge(internal, capforecast.series) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_merge';
CREATE FUNCTION capforecast._series_combine(internal, internal) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_combine';
CREATE FUNCTION capforecast._series_serialize(internal) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_serialize';
CREATE FUNCTION capforecast._series_deserialize(bytea, internal) RETURNS internal
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_deserialize';
CREATE FUNCTION capforecast._series_final(internal) RETURNS capforecast.series
	LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_final';

COMMENT ON FUNCTION capforecast._series_accum(internal, timestamptz, double precision) IS 'Step of series_agg().';
COMMENT ON FUNCTION capforecast._series_accum(internal, timestamp, double precision) IS 'Step of series_agg(); times are read as UTC.';
COMMENT ON FUNCTION capforecast._series_accum(internal, date, double precision) IS 'Step of series_agg(); a day is its midnight in UTC.';
COMMENT ON FUNCTION capforecast._series_merge(internal, capforecast.series) IS 'Step of series_agg() over series.';
COMMENT ON FUNCTION capforecast._series_combine(internal, internal) IS 'Joins what two workers of series_agg() have collected.';
COMMENT ON FUNCTION capforecast._series_serialize(internal) IS 'What a worker of series_agg() hands over.';
COMMENT ON FUNCTION capforecast._series_deserialize(bytea, internal) IS 'What the leader of series_agg() takes over.';
COMMENT ON FUNCTION capforecast._series_final(internal) IS 'The points of series_agg(), sorted, as a value.';

CREATE AGGREGATE capforecast.series_agg(ts timestamptz, y double precision) (
	SFUNC = capforecast._series_accum, STYPE = internal, SSPACE = 2048,
	COMBINEFUNC = capforecast._series_combine,
	SERIALFUNC = capforecast._series_serialize, DESERIALFUNC = capforecast._series_deserialize,
	FINALFUNC = capforecast._series_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE capforecast.series_agg(timestamptz, double precision) IS
	'The rows as a series, in any order; rows whose time or value is NULL are left out, and without any it is the series without points. Errors: 22008 for an infinite time, 54000 beyond 1000000 points.
Example: SELECT capforecast.series_agg(day, value) FROM capforecast.metric_history WHERE metric = ''vendors'';';

CREATE AGGREGATE capforecast.series_agg(ts timestamp, y double precision) (
	SFUNC = capforecast._series_accum, STYPE = internal, SSPACE = 2048,
	COMBINEFUNC = capforecast._series_combine,
	SERIALFUNC = capforecast._series_serialize, DESERIALFUNC = capforecast._series_deserialize,
	FINALFUNC = capforecast._series_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE capforecast.series_agg(timestamp, double precision) IS 'The same; times are read as UTC.';

CREATE AGGREGATE capforecast.series_agg(ts date, y double precision) (
	SFUNC = capforecast._series_accum, STYPE = internal, SSPACE = 2048,
	COMBINEFUNC = capforecast._series_combine,
	SERIALFUNC = capforecast._series_serialize, DESERIALFUNC = capforecast._series_deserialize,
	FINALFUNC = capforecast._series_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE capforecast.series_agg(date, double precision) IS 'The same; a day is its midnight in UTC.';

CREATE AGGREGATE capforecast.series_agg(s capforecast.series) (
	SFUNC = capforecast._series_merge, STYPE = internal, SSPACE = 2048,
	COMBINEFUNC = capforecast._series_combine,
	SERIALFUNC = capforecast._series_serialize, DESERIALFUNC = capforecast._series_deserialize,
	FINALFUNC = capforecast._series_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE capforecast.series_agg(capforecast.series) IS
	'Merge series: points of equal time are added (shards that hold parts of the same days), all others joined. NULL is left out. So partial results of shards, partitions and stretches of time combine. Error: 54000 beyond 1000000 different times.';
