-- What is bound, seen: rows as they are in the host's table and as they are read.

CREATE TYPE capforecast.bound_row AS (row_id text, is_counted boolean, why text, logical jsonb, host jsonb);
COMMENT ON TYPE capforecast.bound_row IS
	'What bound_sample() returns: a row by its key, whether it counts, why not, its logical columns as they are read, and the row as it is.';

CREATE FUNCTION capforecast.bound_sample(entity text, max_rows integer DEFAULT 5)
	RETURNS SETOF capforecast.bound_row LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF entity IS NULL THEN
		RAISE null_value_not_allowed USING MESSAGE = 'entity must not be null';
	ELSIF max_rows IS NULL OR max_rows NOT BETWEEN 1 AND 1000 THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'max_rows must lie between 1 and 1000',
			HINT = 'Leave it out for 5.';
	END IF;
	PERFORM capforecast._host_has(entity);	-- 22023 for what is no entity
	RETURN QUERY SELECT * FROM capforecast._host_rows(NULL::capforecast.bound_row, format(
		'(SELECT s.row_id, true, s.why, s.logical, s.host FROM {sample:%1$s} s WHERE s.why IS NULL LIMIT $1)
		 UNION ALL (SELECT s.row_id, false, s.why, s.logical, s.host FROM {sample:%1$s} s WHERE s.why IS NOT NULL LIMIT $1)', entity), max_rows);
END
$$;
COMMENT ON FUNCTION capforecast.bound_sample(text, integer) IS
	'Up to so many rows of an entity that are counted, and as many that are not, with the reason: how a binding reads the host''s table. Errors: 22023 for what is no entity, or max_rows outside 1 to 1000; 42P01, 42703, 42501 as for every read.
Example: SELECT * FROM capforecast.bound_sample(''vendors'', 3);';
