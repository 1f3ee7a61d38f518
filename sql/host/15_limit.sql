-- The limit of a subscription: the one definition of it.

-- Inlined into the statements that use it.
CREATE FUNCTION capforecast._quota(own bigint, plan bigint, extra bigint)
	RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN coalesce(own, plan) OPERATOR(pg_catalog.>=) 0
		THEN coalesce(own, plan) OPERATOR(pg_catalog.+) coalesce(extra, 0) END;
COMMENT ON FUNCTION capforecast._quota(bigint, bigint, bigint) IS
	'The limit of a subscription: its own if set, else its tier''s, and what add-ons grant. Below 0 is unlimited, wherever it stands. NULL: unlimited.';
