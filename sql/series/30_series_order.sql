-- Order and equality of series: point by point, by time and then by value; the beginning of a
-- longer series comes before it.

CREATE FUNCTION capforecast._series_eq(capforecast.series, capforecast.series) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_eq';
COMMENT ON FUNCTION capforecast._series_eq(capforecast.series, capforecast.series) IS 'Whether the series are equal.';
CREATE FUNCTION capforecast._series_ne(capforecast.series, capforecast.series) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_ne';
COMMENT ON FUNCTION capforecast._series_ne(capforecast.series, capforecast.series) IS 'Whether the series are different.';
CREATE FUNCTION capforecast._series_lt(capforecast.series, capforecast.series) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_lt';
COMMENT ON FUNCTION capforecast._series_lt(capforecast.series, capforecast.series) IS 'Whether the first comes before the second.';
CREATE FUNCTION capforecast._series_le(capforecast.series, capforecast.series) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_le';
COMMENT ON FUNCTION capforecast._series_le(capforecast.series, capforecast.series) IS 'Whether the first does not come after the second.';
CREATE FUNCTION capforecast._series_gt(capforecast.series, capforecast.series) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_gt';
COMMENT ON FUNCTION capforecast._series_gt(capforecast.series, capforecast.series) IS 'Whether the first comes after the second.';
CREATE FUNCTION capforecast._series_ge(capforecast.series, capforecast.series) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_ge';
COMMENT ON FUNCTION capforecast._series_ge(capforecast.series, capforecast.series) IS 'Whether the first does not come before the second.';
CREATE FUNCTION capforecast._series_cmp(capforecast.series, capforecast.series) RETURNS integer
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_cmp';
COMMENT ON FUNCTION capforecast._series_cmp(capforecast.series, capforecast.series) IS '-1, 0 or 1: the first comes before the second, is equal, comes after.';
CREATE FUNCTION capforecast._series_hash(capforecast.series) RETURNS integer
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_hash';
COMMENT ON FUNCTION capforecast._series_hash(capforecast.series) IS 'Hash of a series.';
CREATE FUNCTION capforecast._series_hash_extended(capforecast.series, bigint) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_hash_extended';
COMMENT ON FUNCTION capforecast._series_hash_extended(capforecast.series, bigint) IS 'Hash of a series, with a seed.';

CREATE OPERATOR capforecast.= (LEFTARG = capforecast.series, RIGHTARG = capforecast.series, FUNCTION = capforecast._series_eq,
	COMMUTATOR = OPERATOR(capforecast.=), NEGATOR = OPERATOR(capforecast.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR capforecast.= (capforecast.series, capforecast.series) IS 'equal';
CREATE OPERATOR capforecast.<> (LEFTARG = capforecast.series, RIGHTARG = capforecast.series, FUNCTION = capforecast._series_ne,
	COMMUTATOR = OPERATOR(capforecast.<>), NEGATOR = OPERATOR(capforecast.=), RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR capforecast.<> (capforecast.series, capforecast.series) IS 'different';
CREATE OPERATOR capforecast.< (LEFTARG = capforecast.series, RIGHTARG = capforecast.series, FUNCTION = capforecast._series_lt,
	COMMUTATOR = OPERATOR(capforecast.>), NEGATOR = OPERATOR(capforecast.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
COMMENT ON OPERATOR capforecast.< (capforecast.series, capforecast.series) IS 'the first comes before';
CREATE OPERATOR capforecast.<= (LEFTARG = capforecast.series, RIGHTARG = capforecast.series, FUNCTION = capforecast._series_le,
	COMMUTATOR = OPERATOR(capforecast.>=), NEGATOR = OPERATOR(capforecast.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
COMMENT ON OPERATOR capforecast.<= (capforecast.series, capforecast.series) IS 'the first does not come after';
CREATE OPERATOR capforecast.> (LEFTARG = capforecast.series, RIGHTARG = capforecast.series, FUNCTION = capforecast._series_gt,
	COMMUTATOR = OPERATOR(capforecast.<), NEGATOR = OPERATOR(capforecast.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
COMMENT ON OPERATOR capforecast.> (capforecast.series, capforecast.series) IS 'the first comes after';
CREATE OPERATOR capforecast.>= (LEFTARG = capforecast.series, RIGHTARG = capforecast.series, FUNCTION = capforecast._series_ge,
	COMMUTATOR = OPERATOR(capforecast.<=), NEGATOR = OPERATOR(capforecast.<), RESTRICT = scalargesel, JOIN = scalargejoinsel);
COMMENT ON OPERATOR capforecast.>= (capforecast.series, capforecast.series) IS 'the first does not come before';

CREATE OPERATOR CLASS capforecast.series_ops DEFAULT FOR TYPE capforecast.series USING btree AS
	OPERATOR 1 capforecast.<, OPERATOR 2 capforecast.<=, OPERATOR 3 capforecast.=, OPERATOR 4 capforecast.>=, OPERATOR 5 capforecast.>,
	FUNCTION 1 capforecast._series_cmp(capforecast.series, capforecast.series);
COMMENT ON OPERATOR CLASS capforecast.series_ops USING btree IS 'order of series';
CREATE OPERATOR CLASS capforecast.series_hash_ops DEFAULT FOR TYPE capforecast.series USING hash AS
	OPERATOR 1 capforecast.=,
	FUNCTION 1 capforecast._series_hash(capforecast.series),
	FUNCTION 2 capforecast._series_hash_extended(capforecast.series, bigint);
COMMENT ON OPERATOR CLASS capforecast.series_hash_ops USING hash IS 'equality of series';
