-- What each vendor uses, day by day.

-- A row holds up to 64 changes: the days since first_day on which a value changed, and
-- the value from that day on. The first element of each is of first_day itself, so that a
-- row can be read without those before it.
CREATE TABLE capforecast.vendor_usage (
	vendor_id       text,
	first_day       date,
	products_at     smallint[] NOT NULL,
	orders_at       smallint[] NOT NULL,
	team_members_at smallint[] NOT NULL,
	products        bigint[] NOT NULL,
	orders          bigint[] NOT NULL,
	team_members    bigint[] NOT NULL,
	PRIMARY KEY (vendor_id, first_day)
) WITH (fillfactor = 80);
COMMENT ON TABLE capforecast.vendor_usage IS
	'What each vendor uses: changes only, up to 64 to a row.';
COMMENT ON COLUMN capforecast.vendor_usage.vendor_id IS 'the host''s key as text; empty: products and members that have no vendor';
COMMENT ON COLUMN capforecast.vendor_usage.products_at IS 'days since first_day from which on the elements of products hold; empty where they are not known';
COMMENT ON COLUMN capforecast.vendor_usage.orders IS 'orders_this_period: a counter that starts again with each period';
SELECT pg_catalog.pg_extension_config_dump('capforecast.vendor_usage', '');

CREATE FUNCTION capforecast._capture_vendor_usage(day date, OUT examined bigint, OUT changed bigint)
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'capforecast_count_vendor_usage';
COMMENT ON FUNCTION capforecast._capture_vendor_usage(date) IS
	'Count the use of each vendor now and store what changed under the given day, which must not lie before the last one stored.';

CREATE FUNCTION capforecast.capture_vendor_usage(as_of timestamptz DEFAULT NULL)
	RETURNS bigint LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_capture_vendor_usage';
COMMENT ON FUNCTION capforecast.capture_vendor_usage(timestamptz) IS
	'Capture the day''s products, orders in the period and active team members of each vendor, where they have changed, and the sums over the subscriptions that have a limit (metrics limited_products, limited_orders, limited_team_members). Once a UTC day: a second call does nothing. Returns for how many vendors something changed. as_of must lie on the current UTC day (22023).
Example: SELECT capforecast.capture_vendor_usage();';

CREATE FUNCTION capforecast.backfill_vendor_usage(from_date date, at_time time DEFAULT '00:07')
	RETURNS bigint LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'capforecast_backfill_vendor_usage';
COMMENT ON FUNCTION capforecast.backfill_vendor_usage(date, time) IS
	'Rebuild each vendor''s number of products on the days from from_date until its first capture (or yesterday) from created_at, as captures at at_time (UTC) would have counted; orders and team members of those days are not known. What is stored stays as it is. Vendors with products without created_at are left out. Returns how many rows of vendor_usage were added. Error: 22023 for a from_date that is not past.
Example: SELECT capforecast.backfill_vendor_usage(current_date - 60);';
