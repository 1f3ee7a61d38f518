-- Vendors: who drives the growth, and who passes a limit of its plan.

CREATE FUNCTION capforecast.growth_contributors(metric text, days integer DEFAULT 30, as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (vendor_id text, start_value bigint, end_value bigint, contribution bigint, share_ratio double precision,
		start_date date, end_date date)
	LANGUAGE plpgsql STABLE ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	today constant date := (capforecast._instant(as_of) AT TIME ZONE 'UTC')::date;
BEGIN
	IF growth_contributors.metric IS NULL OR growth_contributors.metric NOT IN ('products', 'orders', 'team_members') THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('metric "%s" is not known by vendor', growth_contributors.metric),
			HINT = 'The metrics known by vendor are products, orders and team_members.';
	END IF;
	PERFORM capforecast._check_days(growth_contributors.days);

	-- The first and the last day of the window on which vendors were counted.
	SELECT min(v.day), max(v.day) INTO start_date, end_date FROM capforecast.metric_value v
	WHERE v.metric = 'limited_team_members' AND v.day BETWEEN today - growth_contributors.days AND today;
	IF start_date IS NULL OR start_date = end_date THEN
		RETURN;
	END IF;

	RETURN QUERY
	WITH at_start AS (SELECT * FROM capforecast._vendor_values(growth_contributors.metric, start_date)),
		at_end AS (SELECT * FROM capforecast._vendor_values(growth_contributors.metric, end_date)),
		change AS (
			SELECT vendor_id, coalesce(s.value, 0) AS before, coalesce(e.value, 0) AS after
			FROM at_start s FULL JOIN at_end e USING (vendor_id))
	SELECT nullif(c.vendor_id, ''), c.before, c.after, c.after - c.before,
		(c.after - c.before) / nullif(sum(c.after - c.before) OVER (), 0)::double precision,
		start_date, end_date
	FROM change c WHERE c.after <> c.before
	ORDER BY abs(c.after - c.before) DESC, c.vendor_id COLLATE "C";
END
$$;
COMMENT ON FUNCTION capforecast.growth_contributors(text, integer, timestamptz) IS
	'Which vendors changed products, orders (in their periods) or team_members over the last days, largest first; the contributions add up to the change, share_ratio is of it (NULL where it is 0; negative for who moved against it). Vendor NULL: what has no vendor. No rows where vendors were counted on fewer than two days (capture_vendor_usage). Error: 22023.';

CREATE FUNCTION capforecast._vendor_values(metric text, day date)
	RETURNS TABLE (vendor_id text, value bigint)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	-- width_bucket() counts the elements at or below: the index of the value that holds
	SELECT DISTINCT ON (u.vendor_id) u.vendor_id,
		CASE metric
			WHEN 'products' THEN u.products[width_bucket(_vendor_values.day - u.first_day, u.products_at::integer[])]
			WHEN 'orders' THEN u.orders[width_bucket(_vendor_values.day - u.first_day, u.orders_at::integer[])]
			ELSE u.team_members[width_bucket(_vendor_values.day - u.first_day, u.team_members_at::integer[])] END
	FROM capforecast.vendor_usage u
	WHERE u.first_day <= _vendor_values.day
	ORDER BY u.vendor_id, u.first_day DESC
$$;
COMMENT ON FUNCTION capforecast._vendor_values(text, date) IS 'What each vendor used on a day.';

CREATE FUNCTION capforecast._vendor_near(vendor text, products_limit bigint, orders_limit bigint, team_members_limit bigint,
		period_end timestamptz, captured_until date, as_of timestamptz, until timestamptz)
	RETURNS TABLE (resource text, "position" integer, quota double precision, status capforecast.forecast_status,
		current_value double precision, breach_date date, breach_date_earliest date, breach_date_latest date,
		breach_probability double precision,
		projected_products double precision, projected_orders double precision, projected_team double precision)
	LANGUAGE C STABLE PARALLEL SAFE COST 20000 ROWS 1 AS 'MODULE_PATHNAME', 'capforecast_vendor_near';
COMMENT ON FUNCTION capforecast._vendor_near(text, bigint, bigint, bigint, timestamptz, date, timestamptz, timestamptz) IS
	'Which of a vendor''s limits (NULL: unlimited) are reached, or will be until then: time_to_threshold() of what vendor_usage holds, each change carried forward to the next and the last to captured_until; orders as what their counter counted in all, until the period ends.';

CREATE FUNCTION capforecast.vendor_outlook(within interval DEFAULT '30 days', as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (vendor_id text, vendor_name text, resource text, tier text, current_value double precision, limit_value bigint,
		utilization_ratio double precision, status capforecast.forecast_status, days_left integer,
		breach_date date, breach_date_earliest date, breach_date_latest date, breach_probability double precision,
		projected_value double precision, fitting_tier text, fitting_tier_price_cents bigint, currency text, reason text)
	LANGUAGE C STABLE ROWS 100 AS 'MODULE_PATHNAME', 'capforecast_vendor_outlook';
COMMENT ON FUNCTION capforecast.vendor_outlook(interval, timestamptz) IS
	'The vendors that have reached a limit of their plan (products, orders_monthly, team_members), or will within the given time (up to 366 days) with a chance of a half, soonest first; not who was at a limit, and not above, ever since the first capture. Limits are live: custom or tier, plus add-ons; use is that of the daily capture_vendor_usage(), orders counted to the end of the present period. fitting_tier: the cheapest active tier, by its monthly price, that carries what the vendor uses at the end (projected_value: at the pace of the last 30 days, and one more than a limit that holds it), add-ons kept; NULL: none. No rows before the first capture.';

CREATE FUNCTION capforecast.vendor_outlook_json(within interval DEFAULT '30 days', as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_agg(to_jsonb(v) - 'position' ORDER BY v.position), '[]')
	FROM capforecast.vendor_outlook(within, as_of) WITH ORDINALITY AS v(vendor_id, vendor_name, resource, tier, current_value, limit_value,
		utilization_ratio, status, days_left, breach_date, breach_date_earliest, breach_date_latest, breach_probability,
		projected_value, fitting_tier, fitting_tier_price_cents, currency, reason, position)
$$;
COMMENT ON FUNCTION capforecast.vendor_outlook_json(interval, timestamptz) IS 'vendor_outlook() as one list.';
