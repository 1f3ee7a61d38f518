-- The vendors near a limit, kept: so that recommendations need not look at every vendor.

CREATE TABLE capforecast.vendor_near_limit (
	day              date NOT NULL,
	vendor_id        text NOT NULL,
	vendor_name      text,
	resource         text NOT NULL,
	tier             text,
	current_value    double precision,
	limit_value      bigint,
	status           text NOT NULL,
	breach_date      date,
	projected_value  double precision,
	fitting_tier     text,
	price_cents      bigint,
	currency         text,
	reason           text,
	PRIMARY KEY (vendor_id, resource)
);
COMMENT ON TABLE capforecast.vendor_near_limit IS 'vendor_outlook() as the job look_at_vendors found it last.';
COMMENT ON COLUMN capforecast.vendor_near_limit.day IS 'the UTC day on which it was found';
SELECT pg_catalog.pg_extension_config_dump('capforecast.vendor_near_limit', '');

CREATE FUNCTION capforecast.look_at_vendors(as_of timestamptz DEFAULT NULL)
	RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	started constant timestamptz := clock_timestamp();
	now constant timestamptz := capforecast._now(as_of);
	numbers constant capforecast._planning := capforecast._planning_now();
	n bigint;
BEGIN
	IF NOT capforecast._begin_run('look_at_vendors', started, now) THEN
		RETURN 0;
	END IF;
	DELETE FROM capforecast.vendor_near_limit;
	INSERT INTO capforecast.vendor_near_limit
	SELECT (now AT TIME ZONE 'UTC')::date, o.vendor_id, o.vendor_name, o.resource, o.tier, o.current_value, o.limit_value,
		o.status::text, o.breach_date, o.projected_value, o.fitting_tier, o.fitting_tier_price_cents, o.currency, o.reason
	FROM capforecast.vendor_outlook(make_interval(days => numbers.vendor_days::integer), now) o
	-- of a vendor with several live subscriptions, the limit that comes first
	ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS n = ROW_COUNT;
	PERFORM capforecast._settle_run('look_at_vendors', started, now, n, n);
	RETURN n;
END
$$;
COMMENT ON FUNCTION capforecast.look_at_vendors(timestamptz) IS
	'The daily job that keeps vendor_outlook(), over the vendor_days of policy, in vendor_near_limit, for scaling_recommendations() and reports. Returns how many limits are near.
Example: SELECT capforecast.look_at_vendors();';
