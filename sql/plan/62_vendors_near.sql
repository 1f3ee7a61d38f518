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
	near_since       date,
	present_price_cents bigint,
	PRIMARY KEY (vendor_id, resource)
);
COMMENT ON TABLE capforecast.vendor_near_limit IS 'vendor_outlook() as the job look_at_vendors found it last.';
COMMENT ON COLUMN capforecast.vendor_near_limit.day IS 'the UTC day on which it was found';
COMMENT ON COLUMN capforecast.vendor_near_limit.near_since IS 'since which UTC day it has been found each time; NULL: since the first look, or earlier';
COMMENT ON COLUMN capforecast.vendor_near_limit.present_price_cents IS 'the monthly price of the present tier, in minor units of the currency';
SELECT pg_catalog.pg_extension_config_dump('capforecast.vendor_near_limit', '');

CREATE FUNCTION capforecast._present_prices()
	RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN coalesce(capforecast._host_row(NULL::jsonb, 'SELECT jsonb_object_agg(t.code, t.monthly) FROM ' || capforecast._tiers_sql() || ' t'), '{}');
EXCEPTION WHEN syntax_error_or_access_rule_violation OR invalid_parameter_value OR data_exception THEN
	RETURN '{}';	-- prices that cannot be read are not known
END
$$;
COMMENT ON FUNCTION capforecast._present_prices() IS 'Monthly price of each tier, in minor units, by its code.';
