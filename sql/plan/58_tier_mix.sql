-- How the vendors' tiers shift.

CREATE TYPE capforecast.tier_share AS (
	tier text, start_count bigint, end_count bigint, change bigint,
	start_ratio double precision, end_ratio double precision, start_date date, end_date date
);
COMMENT ON TYPE capforecast.tier_share IS 'A row of tier_mix(): one tier of the subscriptions.';

CREATE FUNCTION capforecast.tier_mix(days integer DEFAULT 30, as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.tier_share
	LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	today constant date := (capforecast._instant(as_of) AT TIME ZONE 'UTC')::date;
BEGIN
	PERFORM capforecast._check_days(tier_mix.days);
	RETURN QUERY
	WITH known AS (
		SELECT s.snapshot_date, s.tier_distribution FROM capforecast.capacity_snapshots s
		WHERE s.snapshot_date BETWEEN today - tier_mix.days AND today
			AND s.tier_distribution <> '{}'),
	first AS (SELECT * FROM known ORDER BY snapshot_date LIMIT 1),
	last AS (SELECT * FROM known ORDER BY snapshot_date DESC LIMIT 1),
	counts AS (
		SELECT key AS tier, coalesce(f.value::bigint, 0) AS before, coalesce(l.value::bigint, 0) AS after
		FROM (SELECT e.* FROM first, jsonb_each_text(tier_distribution) e) f
			FULL JOIN (SELECT e.* FROM last, jsonb_each_text(tier_distribution) e) l USING (key))
	SELECT c.tier, c.before, c.after, c.after - c.before,
		c.before::double precision / sum(c.before) OVER (), c.after::double precision / sum(c.after) OVER (),
		first.snapshot_date, last.snapshot_date
	FROM counts c, first, last
	ORDER BY c.after DESC, c.tier;
END
$$;
COMMENT ON FUNCTION capforecast.tier_mix(integer, timestamptz) IS
	'Active and trial subscriptions by tier on the first and the last day of the last days, and their shares, which add up to 1. No rows where the distribution is known on no day. Error: 22023.
Example: SELECT * FROM capforecast.tier_mix(30);';
