-- History rebuilt from timestamps equals what daily captures have stored.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set file :dir '/platform/schema.sql'
\i :file
\set ECHO all

-- A platform of 90 days that keeps every timestamp: what happened, and when.
SET timezone = 'UTC';
CREATE SCHEMA truth;
CREATE TABLE truth.vendors AS
SELECT v AS id, 'V' || v AS vendor_code, 'Vendor ' || v AS name,
	timestamptz '2025-02-01' + interval '37 hours' * v AS created_at,
	CASE WHEN v % 7 = 0 THEN timestamptz '2025-02-01' + interval '37 hours' * v + interval '19 days 5 hours' END AS left_at,
	CASE WHEN v % 3 = 0 THEN interval '10 days 3 hours' ELSE interval '14 days' END AS trial,
	v % 5 = 0 AS is_annual
FROM generate_series(1, 50) v;
CREATE TABLE truth.products AS
SELECT v.id * 1000 + p AS id, v.id AS vendor_id, v.created_at + interval '11 hours' * p AS created_at
FROM truth.vendors v, generate_series(1, 20 + v.id::integer % 40) p;
CREATE TABLE truth.orders AS
SELECT v.id * 1000 + o AS id, v.id AS vendor_id, v.created_at + interval '17 hours' * o AS created_at
FROM truth.vendors v, generate_series(1, 200) o
WHERE v.left_at IS NULL OR v.created_at + interval '17 hours' * o < v.left_at;
CREATE TABLE truth.members AS
SELECT v.id * 100 + m AS id, v.id AS vendor_id, v.created_at + interval '8 days' * m AS created_at
FROM truth.vendors v, generate_series(0, v.id::integer % 4) m;

-- The application's tables as they stand at an instant.
ALTER TABLE vendor_users ADD created_at timestamptz;
CREATE PROCEDURE be_at(t timestamptz) LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE vendors, vendor_subscriptions, products, orders, vendor_users CASCADE;
	INSERT INTO vendors (id, vendor_code, name, is_active, created_at)
	SELECT id, vendor_code, name, left_at IS NULL OR left_at > t, created_at FROM truth.vendors WHERE created_at <= t;
	INSERT INTO products (id, vendor_id, created_at) SELECT * FROM truth.products WHERE created_at <= t;
	INSERT INTO orders (id, vendor_id, created_at) SELECT * FROM truth.orders WHERE created_at <= t;
	INSERT INTO vendor_users (id, vendor_id, user_id, created_at) SELECT id, vendor_id, id, created_at FROM truth.members WHERE created_at <= t;
	INSERT INTO vendor_subscriptions (vendor_id, tier, status, is_annual, trial_ends_at, created_at, cancelled_at,
		period_start, period_end, orders_this_period)
	SELECT v.id, 'essential',
		CASE WHEN v.left_at <= t THEN 'cancelled' WHEN t < v.created_at + v.trial THEN 'trial' ELSE 'active' END,
		v.is_annual, v.created_at + v.trial, v.created_at, CASE WHEN v.left_at <= t THEN v.left_at END,
		p.start, p.start + make_interval(months => CASE WHEN is_annual THEN 12 ELSE 1 END),
		(SELECT count(*) FROM truth.orders o WHERE o.vendor_id = v.id AND o.created_at <= t AND o.created_at >= p.start)
	FROM truth.vendors v CROSS JOIN LATERAL (
		SELECT max(v.created_at + make_interval(months => m)) AS start FROM generate_series(0, 12, CASE WHEN is_annual THEN 12 ELSE 1 END) m
		WHERE v.created_at + make_interval(months => m) <= least(t, v.left_at)) p
	WHERE v.created_at <= t;
END $$;

-- Every day is captured at 00:07, by capture_daily_snapshot() itself.
SET client_min_messages = warning;
CREATE TABLE captured AS SELECT * FROM capforecast.capacity_snapshots;
DO $$
DECLARE
	d date;
	row capforecast.capacity_snapshots;
BEGIN
	FOR d IN SELECT generate_series(date '2025-02-01', date '2025-05-01', '1 day') LOOP
		CALL be_at((d + time '00:07')::timestamp AT TIME ZONE 'UTC');
		row := capforecast.capture_daily_snapshot(refresh => true);
		row.snapshot_date := d;
		INSERT INTO captured SELECT row.*;
	END LOOP;
END $$;
DELETE FROM capforecast.capacity_snapshots;
CALL be_at('2025-05-01 00:07');

-- One day was captured before: it is left as it is.
INSERT INTO capforecast.capacity_snapshots (snapshot_date, total_vendors) VALUES ('2025-03-15', 1234);
SELECT * FROM capforecast.backfill_snapshots('2025-01-01', '2025-05-01');
SELECT count(*), min(snapshot_date), max(snapshot_date), count(*) FILTER (WHERE source = 'backfilled') AS backfilled
FROM capforecast.capacity_snapshots;
SELECT total_vendors, source FROM capforecast.capacity_snapshots WHERE snapshot_date = '2025-03-15';

-- The same numbers on every other day, in every column that can be known.
SELECT count(*) AS days, count(*) FILTER (WHERE (b.total_vendors, b.active_vendors, b.trial_vendors, b.total_subscriptions,
		b.active_subscriptions, b.total_products, b.total_orders_month, b.total_team_members)
	= (c.total_vendors, c.active_vendors, c.trial_vendors, c.total_subscriptions,
		c.active_subscriptions, c.total_products, c.total_orders_month, c.total_team_members)) AS equal_days
FROM captured c JOIN capforecast.capacity_snapshots b USING (snapshot_date) WHERE b.source = 'backfilled';
SELECT total_vendors, active_vendors, trial_vendors, total_subscriptions, active_subscriptions, total_products, total_orders_month, total_team_members
FROM capforecast.capacity_snapshots WHERE snapshot_date = '2025-04-30';

-- A second run changes nothing.
SELECT count(*) FROM capforecast.backfill_snapshots('2025-01-01', '2025-05-01');
SELECT changed, failed FROM capforecast.job_run WHERE job = 'backfill_snapshots' ORDER BY run_id;

-- The same of each vendor's products: rows of at most 64 changes, up to the first capture.
SELECT * FROM capforecast._capture_vendor_usage('2025-04-20');
SELECT capforecast.backfill_vendor_usage('2025-02-10') AS rows;
SELECT capforecast.backfill_vendor_usage('2025-02-10') AS rows_again, capforecast.backfill_vendor_usage('2025-03-01') AS rows_of_less;
SELECT count(*) AS values, count(*) FILTER (WHERE v.value = (SELECT count(*) FROM truth.products p
	WHERE p.vendor_id::text = v.vendor_id AND p.created_at < (d + time '00:07') AT TIME ZONE 'UTC')) AS equal_values
FROM generate_series(timestamp '2025-02-10', '2025-04-19', '1 day') d CROSS JOIN LATERAL capforecast._vendor_values('products', d::date) v;
SELECT max(cardinality(products)) <= 64 AS at_most_64, bool_and(cardinality(orders) = 0) AS orders_are_not_known
FROM capforecast.vendor_usage WHERE first_day < '2025-04-20';
SELECT capforecast.backfill_vendor_usage('infinity');

-- What is not on record is NULL, from the day on from which it is not: never a guess.
UPDATE vendor_subscriptions SET cancelled_at = NULL WHERE vendor_id = 7;
UPDATE vendor_subscriptions SET trial_ends_at = NULL WHERE vendor_id = 10;
UPDATE vendor_subscriptions SET status = 'past_due' WHERE vendor_id = 30;
UPDATE vendor_subscriptions SET orders_this_period = orders_this_period * 2;
ALTER TABLE vendor_users DROP created_at;
DROP TABLE products CASCADE;
DELETE FROM capforecast.capacity_snapshots;
SELECT * FROM capforecast.backfill_snapshots('2025-02-01', '2025-05-01') WHERE days_known > 0 OR column_name LIKE 'total%';
SELECT snapshot_date, total_vendors, active_vendors, trial_vendors, active_subscriptions, total_products
FROM capforecast.capacity_snapshots
WHERE snapshot_date IN ('2025-02-10', '2025-02-12', '2025-02-20', '2025-04-18', '2025-04-20') ORDER BY 1;
SELECT failed, detail -> 'products' ->> 'sqlstate' AS products FROM capforecast.job_run WHERE job = 'backfill_snapshots' ORDER BY run_id DESC LIMIT 1;

-- Misuse.
SELECT * FROM capforecast.backfill_snapshots('2025-05-02', '2025-05-01');
SELECT * FROM capforecast.backfill_snapshots('1800-01-01', '2025-05-01');
SELECT * FROM capforecast.backfill_snapshots('-infinity', '2025-05-01');
