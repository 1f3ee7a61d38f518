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
