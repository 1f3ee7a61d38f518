-- What proposals of bindings are made from.

CREATE FUNCTION capforecast._host_names(OUT entity text, OUT logical text, OUT "position" integer, OUT kind text, OUT is_needed boolean,
		OUT must_be_said boolean, OUT names text[])
	RETURNS SETOF record LANGUAGE C IMMUTABLE ROWS 100 AS 'MODULE_PATHNAME', 'capforecast_host_names';
COMMENT ON FUNCTION capforecast._host_names() IS
	'Entities (logical NULL) and their logical columns: the kind of value, whether there is no doing without it, whether its absence must be said by binding it to null, and the names under which it is seen, the usual one first.';

CREATE FUNCTION capforecast._host_look(relation regclass, "column" name)
	RETURNS jsonb LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'capforecast_host_look';
COMMENT ON FUNCTION capforecast._host_look(regclass, name) IS
	'What stands in a column of the first 10000 rows, each value once: documents as they are, anything else as text. NULL: nothing, or the caller may not read it, or does not trust what reading it would run.';
