-- Vendors: who drives the growth, and who passes a limit of its plan.

-- What a vendor used, by the metric's name: the days that changes hold from, and the values.
CREATE FUNCTION capforecast._changes_of(u capforecast.vendor_usage, metric text)
	RETURNS TABLE (days smallint[], amounts bigint[])
	LANGUAGE sql IMMUTABLE ROWS 1 BEGIN ATOMIC
	SELECT CASE metric WHEN 'products' THEN u.products_at WHEN 'orders' THEN u.orders_at WHEN 'team_members' THEN u.team_members_at END,
		CASE metric WHEN 'products' THEN u.products WHEN 'orders' THEN u.orders WHEN 'team_members' THEN u.team_members END;
END;
COMMENT ON FUNCTION capforecast._changes_of(capforecast.vendor_usage, text) IS
	'The changes of a metric in a row of vendor_usage; empty arrays where it is not known.';

CREATE FUNCTION capforecast._vendor_values(metric text, day date)
	RETURNS TABLE (vendor_id text, value bigint)
	LANGUAGE sql STABLE ROWS 100 BEGIN ATOMIC
	-- width_bucket() counts the elements at or below: the index of the value that holds
	SELECT DISTINCT ON (u.vendor_id) u.vendor_id, c.amounts[width_bucket(day - u.first_day, c.days::integer[])]
	FROM capforecast.vendor_usage u
		CROSS JOIN LATERAL capforecast._changes_of(u, metric) c
	WHERE u.first_day <= day
	ORDER BY u.vendor_id, u.first_day DESC;
END;
COMMENT ON FUNCTION capforecast._vendor_values(text, date) IS 'What each vendor used on a day.';

CREATE TYPE capforecast.growth_contribution AS (
	vendor_id text, start_value bigint, end_value bigint, contribution bigint, share_ratio double precision,
	start_date date, end_date date
);
COMMENT ON TYPE capforecast.growth_contribution IS 'A row of growth_contributors(): one vendor.';

CREATE FUNCTION capforecast.growth_contributors(metric text, days integer DEFAULT 30, as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.growth_contribution
	LANGUAGE plpgsql STABLE ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	today constant date := (capforecast._instant(as_of) AT TIME ZONE 'UTC')::date;
	first_date date;
	last_date date;
BEGIN
	IF growth_contributors.metric IS NULL OR growth_contributors.metric NOT IN ('products', 'orders', 'team_members') THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('metric "%s" is not known by vendor', growth_contributors.metric),
			HINT = 'The metrics known by vendor are products, orders and team_members.';
	END IF;
	PERFORM capforecast._check_days(growth_contributors.days);

	-- The first day of the window from which on the metric is known, rebuilt days among them, and
	-- the last on which vendors were counted or anything changed.
	SELECT greatest(min(u.first_day), today - growth_contributors.days),
		least(today, greatest(max(u.first_day + c.days[cardinality(c.days)]),
			(SELECT max(v.day) FROM capforecast.metric_value v WHERE v.metric = 'limited_team_members' AND v.day <= today)))
	INTO first_date, last_date
	FROM capforecast.vendor_usage u CROSS JOIN LATERAL capforecast._changes_of(u, growth_contributors.metric) c
	WHERE u.first_day <= today AND cardinality(c.days) > 0;
	IF first_date IS NULL OR first_date >= last_date THEN
		RETURN;
	END IF;

	RETURN QUERY
	WITH at_start AS (SELECT * FROM capforecast._vendor_values(growth_contributors.metric, first_date)),
		at_end AS (SELECT * FROM capforecast._vendor_values(growth_contributors.metric, last_date)),
		change AS (
			SELECT vendor_id, coalesce(s.value, 0) AS before, coalesce(e.value, 0) AS after
			FROM at_start s FULL JOIN at_end e USING (vendor_id))
	SELECT nullif(c.vendor_id, ''), c.before, c.after, c.after - c.before,
		(c.after - c.before) / nullif(sum(c.after - c.before) OVER (), 0)::double precision,
		first_date, last_date
	FROM change c WHERE c.after <> c.before
	ORDER BY abs(c.after - c.before) DESC, c.vendor_id COLLATE "C";
END
$$;
COMMENT ON FUNCTION capforecast.growth_contributors(text, integer, timestamptz) IS
	'Which vendors changed products, orders (in their periods) or team_members over the last days, largest first; the contributions add up to the change, share_ratio is of it (NULL where it is 0; negative for who moved against it). Vendor NULL: what has no vendor. Days that backfill_vendor_usage() rebuilt count as captured ones do. No rows where the metric is known by vendor on fewer than two days. Error: 22023.
Example: SELECT vendor_id, contribution, share_ratio FROM capforecast.growth_contributors(''products'', 30) LIMIT 5;';

CREATE TYPE capforecast._vendor_limit AS (
	resource text, in_words text, "position" integer, quota double precision, status capforecast.forecast_status,
	current_value double precision, breach_date date, breach_date_earliest date, breach_date_latest date,
	breach_probability double precision,
	projected_products double precision, projected_orders double precision, projected_team double precision
);
COMMENT ON TYPE capforecast._vendor_limit IS 'A limit of a vendor that is reached, or will be.';

CREATE FUNCTION capforecast._vendor_near(vendor text, products_limit bigint, orders_limit bigint, team_members_limit bigint,
		period_end timestamptz, captured_until date, as_of timestamptz, until timestamptz)
	RETURNS SETOF capforecast._vendor_limit
	LANGUAGE C STABLE PARALLEL SAFE COST 20000 ROWS 1 AS 'MODULE_PATHNAME', 'capforecast_vendor_near';
COMMENT ON FUNCTION capforecast._vendor_near(text, bigint, bigint, bigint, timestamptz, date, timestamptz, timestamptz) IS
	'Which of a vendor''s limits (NULL: unlimited) are reached, or will be until then: time_to_threshold() of what vendor_usage holds, each change carried forward to the next and the last to captured_until; orders as what their counter counted in all, until the period ends.';

CREATE TYPE capforecast.vendor_limit_outlook AS (
	vendor_id text, vendor_name text, resource text, tier text, current_value double precision, limit_value bigint,
	utilization_ratio double precision, status capforecast.forecast_status, days_left integer,
	breach_date date, breach_date_earliest date, breach_date_latest date, breach_probability double precision,
	projected_value double precision, fitting_tier text, fitting_tier_price_cents bigint, currency text, reason text
);
COMMENT ON TYPE capforecast.vendor_limit_outlook IS 'A row of vendor_outlook(): a limit of a vendor''s plan.';

CREATE FUNCTION capforecast.vendor_outlook(within interval DEFAULT '30 days', as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.vendor_limit_outlook
	LANGUAGE C STABLE ROWS 100 AS 'MODULE_PATHNAME', 'capforecast_vendor_outlook';
COMMENT ON FUNCTION capforecast.vendor_outlook(interval, timestamptz) IS
	'The vendors that have reached a limit of their plan (products, orders_monthly, team_members), or will within the given time (up to 366 days) with a chance of a half, those that have first, then soonest first; not who was at a limit, and not above, on every day known. breach_date of what is reached: since when, NULL where that lies before what is known. Limits are live: custom or tier, plus add-ons; use is that of the daily capture_vendor_usage(), orders counted to the end of the present period. fitting_tier: the cheapest active tier, by its monthly price, that carries what the vendor uses at the end (projected_value: at the pace of the last 30 days, and one more than a limit that holds it), add-ons kept; NULL: none. No rows before the first capture.
Example: SELECT vendor_name, resource, current_value, limit_value, breach_date, fitting_tier FROM capforecast.vendor_outlook(''30 days'');';

CREATE FUNCTION capforecast.vendor_outlook_json(within interval DEFAULT '30 days', as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE
	RETURN (SELECT coalesce(jsonb_agg(v), '[]') FROM capforecast.vendor_outlook(within, as_of) v);
COMMENT ON FUNCTION capforecast.vendor_outlook_json(interval, timestamptz) IS 'vendor_outlook() as one list.
Example: SELECT capforecast.vendor_outlook_json(''30 days'');';
