-- count_series(ts): events, one row each, to a series of counts by day.

CREATE FUNCTION capforecast._count_accum(internal, timestamptz) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_count_accum';
CREATE FUNCTION capforecast._count_accum(internal, timestamptz, date, date) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_count_accum';
CREATE FUNCTION capforecast._count_accum(internal, timestamp) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_count_accum';
CREATE FUNCTION capforecast._count_accum(internal, timestamp, date, date) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_count_accum';
CREATE FUNCTION capforecast._count_accum(internal, date) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_count_accum_date';
CREATE FUNCTION capforecast._count_accum(internal, date, date, date) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_count_accum_date';
CREATE FUNCTION capforecast._count_combine(internal, internal) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_count_combine';
CREATE FUNCTION capforecast._count_serialize(internal) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_count_serialize';
CREATE FUNCTION capforecast._count_deserialize(bytea, internal) RETURNS internal
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_count_deserialize';
CREATE FUNCTION capforecast._count_final(internal) RETURNS capforecast.series
	LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_count_final';

COMMENT ON FUNCTION capforecast._count_accum(internal, timestamptz) IS 'Step of count_series().';
COMMENT ON FUNCTION capforecast._count_accum(internal, timestamptz, date, date) IS 'Step of count_series(); the days must be the same in all rows.';
COMMENT ON FUNCTION capforecast._count_accum(internal, timestamp) IS 'Step of count_series(); times are read as UTC.';
COMMENT ON FUNCTION capforecast._count_accum(internal, timestamp, date, date) IS 'Step of count_series(); times are read as UTC; the days must be the same in all rows.';
COMMENT ON FUNCTION capforecast._count_accum(internal, date) IS 'Step of count_series().';
COMMENT ON FUNCTION capforecast._count_accum(internal, date, date, date) IS 'Step of count_series(); the days must be the same in all rows.';
COMMENT ON FUNCTION capforecast._count_combine(internal, internal) IS 'Joins what two workers of count_series() have counted.';
COMMENT ON FUNCTION capforecast._count_serialize(internal) IS 'What a worker of count_series() hands over.';
COMMENT ON FUNCTION capforecast._count_deserialize(bytea, internal) IS 'What the leader of count_series() takes over.';
COMMENT ON FUNCTION capforecast._count_final(internal) IS 'The counts of count_series() by day, zeros filled in, until yesterday.';

CREATE AGGREGATE capforecast.count_series(ts timestamptz) (
	SFUNC = capforecast._count_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = capforecast._count_combine,
	SERIALFUNC = capforecast._count_serialize, DESERIALFUNC = capforecast._count_deserialize,
	FINALFUNC = capforecast._count_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE capforecast.count_series(timestamptz) IS
	'How many rows there are on each UTC day, as a series from the first one''s day until yesterday: days without any are 0, also after the last one, and today, which is not over yet, is left out. A NULL counts nothing. Without any row it is the series without points. Errors: 22008 for an infinite time, 54000 beyond 1000000 days.
Example: SELECT vendor_id, capforecast.count_series(created_at) FROM orders GROUP BY vendor_id;';

CREATE AGGREGATE capforecast.count_series(ts timestamptz, from_date date, to_date date) (
	SFUNC = capforecast._count_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = capforecast._count_combine,
	SERIALFUNC = capforecast._count_serialize, DESERIALFUNC = capforecast._count_deserialize,
	FINALFUNC = capforecast._count_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE capforecast.count_series(timestamptz, date, date) IS
	'The same from from_date to to_date, both included, but never today; a row on another day counts nothing. Where all times are NULL (a LEFT JOIN that found no row) all days are 0. from_date NULL: the first row''s day; to_date NULL: yesterday. Errors: 22023 where the days differ within a group or from_date is after to_date, 22008, 54000.';

CREATE AGGREGATE capforecast.count_series(ts timestamp) (
	SFUNC = capforecast._count_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = capforecast._count_combine,
	SERIALFUNC = capforecast._count_serialize, DESERIALFUNC = capforecast._count_deserialize,
	FINALFUNC = capforecast._count_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE capforecast.count_series(timestamp) IS
	'The same; times are read as UTC.';

CREATE AGGREGATE capforecast.count_series(ts timestamp, from_date date, to_date date) (
	SFUNC = capforecast._count_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = capforecast._count_combine,
	SERIALFUNC = capforecast._count_serialize, DESERIALFUNC = capforecast._count_deserialize,
	FINALFUNC = capforecast._count_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE capforecast.count_series(timestamp, date, date) IS
	'The same; times are read as UTC.';

CREATE AGGREGATE capforecast.count_series(ts date) (
	SFUNC = capforecast._count_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = capforecast._count_combine,
	SERIALFUNC = capforecast._count_serialize, DESERIALFUNC = capforecast._count_deserialize,
	FINALFUNC = capforecast._count_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE capforecast.count_series(date) IS
	'The same of days.';

CREATE AGGREGATE capforecast.count_series(ts date, from_date date, to_date date) (
	SFUNC = capforecast._count_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = capforecast._count_combine,
	SERIALFUNC = capforecast._count_serialize, DESERIALFUNC = capforecast._count_deserialize,
	FINALFUNC = capforecast._count_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE capforecast.count_series(date, date, date) IS
	'The same of days.';
