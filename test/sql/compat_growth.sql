-- The growth numbers that the web application shows, to the last digit.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set file :dir '/platform/schema.sql'
\i :file
\set ECHO all
-- The worked example: 28, 21, 14, 7 and 0 days before 2024-11-24.
INSERT INTO capforecast.capacity_snapshots
	(snapshot_date, active_vendors, total_products, total_orders_month, total_team_members, storage_used_gb) VALUES
	('2024-10-27', 40, 8000,  0, 60, 10.50),
	('2024-11-03', 42, 8100, 10, 60, 11.00),
	('2024-11-10', 45, 8150, 20, 59, 11.50),
	('2024-11-17', 47, 8300, 25, 58, 12.00),
	('2024-11-24', 51, 8425, 30, 57, 12.75);
SELECT metric, start_value, current_value, change, growth_rate_percent, daily_growth_rate, monthly_projection
FROM capforecast.growth_trends(30, '2024-11-24 12:00+00');
SELECT DISTINCT period_days, start_date, end_date, snapshots_available FROM capforecast.growth_trends(30, '2024-11-24 12:00+00');
SELECT jsonb_pretty(capforecast.growth_trends_json(30, '2024-11-24 12:00+00'));
SELECT metric, threshold, capforecast.days_until_threshold(metric, threshold, '2024-11-24 12:00+00')
FROM (VALUES ('vendors', 100), ('vendors', 51), ('products', 10000), ('orders', 100), ('team_members', 100),
	('storage_gb', 1000)) AS v(metric, threshold);

-- The window begins days x 24 hours before as_of: at noon 28 days reach back to the 27th day, at midnight to the 28th.
SELECT DISTINCT start_date, period_days, snapshots_available FROM capforecast.growth_trends(28, '2024-11-24 12:00+00');
SELECT DISTINCT start_date, period_days, snapshots_available FROM capforecast.growth_trends(28, '2024-11-24 00:00+00');
-- as_of bounds it on the other side; its own UTC day is in.
SELECT DISTINCT end_date, snapshots_available FROM capforecast.growth_trends(30, '2024-11-17 00:00+00');
SELECT DISTINCT end_date, snapshots_available FROM capforecast.growth_trends(30, '2024-11-16 23:59:59.999999+00');
-- Without as_of there is no upper bound: a snapshot of the future counts.
INSERT INTO capforecast.capacity_snapshots (snapshot_date, active_vendors) VALUES ('9999-01-01', 52), ('9999-01-02', 53);
SELECT metric, current_value, end_date FROM capforecast.growth_trends(1) WHERE metric = 'vendors';
DELETE FROM capforecast.capacity_snapshots WHERE snapshot_date >= '9999-01-01';

-- Fewer than two.
SELECT count(*) FROM capforecast.growth_trends(3, '2024-11-24 12:00+00');
SELECT capforecast.growth_trends_json(3, '2024-11-24 12:00+00');
SELECT capforecast.growth_trends_json(3, '2020-01-01');
SELECT capforecast.days_until_threshold('vendors', 100, '2020-01-01') IS NULL AS not_known;

-- NULL counts as 0; from nothing to something is 100 %, and projects nothing further; from nothing to nothing is 0.
TRUNCATE capforecast.capacity_snapshots;
INSERT INTO capforecast.capacity_snapshots (snapshot_date, active_vendors, total_products, total_orders_month, total_team_members)
VALUES ('2024-11-23', NULL, 0, 5, 5), ('2024-11-24', 7, NULL, NULL, 5);
SELECT metric, start_value, current_value, change, growth_rate_percent, daily_growth_rate, monthly_projection
FROM capforecast.growth_trends(30, '2024-11-24 12:00+00');

-- Rounding is that of the exact binary value, ties to even.  Origin: Python 3.11, round((b - a) / a * 100, 2) and so on.
TRUNCATE capforecast.capacity_snapshots;
INSERT INTO capforecast.capacity_snapshots (snapshot_date, active_vendors, total_products, total_orders_month, total_team_members)
VALUES ('2024-11-14', 800, 1600, 16000, 3), ('2024-11-24', 801, 1601, 16001, 1000000007);
SELECT metric, growth_rate_percent, daily_growth_rate, monthly_projection
FROM capforecast.growth_trends(30, '2024-11-24 12:00+00') WHERE metric <> 'storage_gb';
-- Days beyond bigint, and less than one.
UPDATE capforecast.capacity_snapshots SET active_vendors = 1000 WHERE snapshot_date = '2024-11-24';
SELECT capforecast.days_until_threshold('vendors', 1e300, '2024-11-24') IS NULL AS beyond_bigint,
	capforecast.days_until_threshold('vendors', 1000.5, '2024-11-24') AS less_than_a_day,
	capforecast.days_until_threshold('vendors', 'Infinity', '2024-11-24') IS NULL AS never,
	capforecast.days_until_threshold('vendors', '-Infinity', '2024-11-24') IS NULL AS passed,
	capforecast.days_until_threshold('vendors', NULL, '2024-11-24') IS NULL AS none;

-- The session's zone and date style change nothing.
SET timezone = 'Pacific/Kiritimati';
SET datestyle = 'German, DMY';
SELECT capforecast.growth_trends_json(30, '2024-11-24 12:00+00') ->> 'start_date' AS start,
	capforecast.growth_trends_json(30, '2024-11-24 12:00+00') ->> 'end_date' AS end;
SET timezone = 'Pacific/Pago_Pago';
SELECT capforecast.growth_trends_json(30, '2024-11-24 12:00+00') ->> 'start_date' AS start;
RESET timezone;
RESET datestyle;
