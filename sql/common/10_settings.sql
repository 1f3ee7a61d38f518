-- Settings, and the instant that a function takes as now.

CREATE FUNCTION capforecast._setting(name text)
	RETURNS text LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'capforecast_setting';
COMMENT ON FUNCTION capforecast._setting(text) IS 'A setting of capforecast, by its name without the prefix.';

CREATE FUNCTION capforecast._instant(as_of timestamptz)
	RETURNS timestamptz LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'capforecast_instant';
COMMENT ON FUNCTION capforecast._instant(timestamptz) IS
	'The argument as_of of a read: the given instant, or the clock where it is NULL. 22023 where it is infinite.';

CREATE FUNCTION capforecast._now(as_of timestamptz)
	RETURNS timestamptz LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_now';
COMMENT ON FUNCTION capforecast._now(timestamptz) IS
	'The argument as_of of a function that writes: as _instant(), and 22023 when it is more than 5 minutes ahead, unless capforecast.allow_time_travel is on.';
