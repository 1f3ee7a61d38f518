-- The host's tables under any name, and whatever the host does to them.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set file :dir '/platform/schema.sql'
\i :file
\set ECHO all
INSERT INTO vendors (id, vendor_code, name, is_active) VALUES (1, 'a', 'A', true), (2, 'b', 'B', true), (3, 'c', 'C', false);
INSERT INTO vendor_subscriptions (vendor_id, tier, status, period_start, period_end, orders_this_period) VALUES
	(1, 'essential', 'active', '2024-01-01', '2024-02-01', 5), (2, 'business', 'trial', '2024-01-01', '2024-02-01', 7);
INSERT INTO products (vendor_id) SELECT 1 FROM generate_series(1, 10);
INSERT INTO vendor_users (vendor_id, user_id) VALUES (1, 1), (2, 1), (3, 1);
CREATE FUNCTION pg_temp.counted() RETURNS TABLE (total_vendors bigint, active_vendors bigint, active_subscriptions bigint,
	total_products bigint, orders bigint, members bigint, products_limit bigint, orders_limit bigint, tiers jsonb)
LANGUAGE sql AS $$
	SELECT total_vendors, active_vendors, active_subscriptions, total_products, total_orders_month, total_team_members,
		theoretical_products_limit, theoretical_orders_limit, tier_distribution
	FROM capforecast.capture_daily_snapshot(refresh => true)
$$;
SELECT * FROM pg_temp.counted();

-- Other names, beyond ASCII and in need of quotes.
CREATE SCHEMA "Größe & Co";
ALTER TABLE vendors SET SCHEMA "Größe & Co";
ALTER TABLE "Größe & Co".vendors RENAME TO "Händler ""neu""";
ALTER TABLE "Größe & Co"."Händler ""neu""" RENAME is_active TO "ist 'aktiv'";
SELECT capforecast.bind('vendors', '"Größe & Co"."Händler ""neu"""', '{"is_active": "ist ''aktiv''"}');
UPDATE subscription_tiers SET code = '高级 "x"' WHERE code = 'business';
UPDATE vendor_subscriptions SET tier = '高级 "x"' WHERE tier = 'business';
SELECT * FROM pg_temp.counted();
SELECT infrastructure_tier, active_vendors FROM capforecast.platform_health();

-- Views: other words, other keys, unlimited as a number, the newest row of a history.
CREATE TABLE subscription_history (shop uuid, plan integer, state text, since timestamp, orders numeric);
CREATE TABLE plans (id integer, max_products integer, max_orders integer, seats integer);
INSERT INTO plans VALUES (1, 200, 100, 1), (2, 9999, 500, 3);
INSERT INTO subscription_history VALUES
	('00000000-0000-0000-0000-000000000001', 1, 'trialing', '2024-01-01', 1),
	('00000000-0000-0000-0000-000000000001', 2, 'active',   '2024-02-01', 2),
	('00000000-0000-0000-0000-000000000002', 1, 'trialing', '2024-01-01', 3);
CREATE VIEW current_subscriptions AS
	SELECT DISTINCT ON (shop) shop AS vendor_id, plan::text AS tier,
		CASE state WHEN 'trialing' THEN 'trial' ELSE state END AS status, orders AS orders_this_period
	FROM subscription_history ORDER BY shop, since DESC;
CREATE VIEW plan_limits AS SELECT id, nullif(max_products, 9999) AS products_limit, max_orders, seats FROM plans;
SELECT capforecast.bind('vendor_subscriptions', 'current_subscriptions');
SELECT capforecast.bind('subscription_tiers', 'plan_limits', '{"code": "id", "orders_per_month": "max_orders", "team_members": "seats"}');
ALTER TABLE products ALTER vendor_id DROP NOT NULL;
CREATE VIEW shop_products AS SELECT '00000000-0000-0000-0000-000000000001'::uuid AS vendor_id FROM products;
CREATE MATERIALIZED VIEW shop_users AS
	SELECT '00000000-0000-0000-0000-000000000002'::uuid AS vendor_id, is_active FROM vendor_users;
SELECT capforecast.bind('products', 'shop_products');
SELECT capforecast.bind('vendor_users', 'shop_users');
SELECT * FROM pg_temp.counted();
SELECT resource, theoretical_limit, unlimited_subscriptions, actual_limited, actual_unlimited, actual FROM capforecast.subscription_capacity();

-- Columns that there are not: bound to null, what stands for them counts.
SELECT capforecast.bind('vendor_users', 'shop_users', '{"is_active": null}');
SELECT capforecast.bind('vendors', '"Größe & Co"."Händler ""neu"""', '{"is_active": null}');
SELECT capforecast.bind('vendor_subscriptions', 'current_subscriptions', '{"orders_this_period": null}');
SELECT capforecast.bind('subscription_tiers', 'plan_limits', '{"code": "id", "orders_per_month": null, "team_members": null}');
SELECT * FROM pg_temp.counted();
SELECT resource, theoretical_limit, unlimited_subscriptions, is_unlimited FROM capforecast.subscription_capacity();
SELECT entity, schema_name, table_name, columns FROM capforecast.binding ORDER BY entity;
SELECT capforecast.unbind(entity) FROM capforecast.binding;
SELECT count(*) FROM capforecast.binding;
ALTER TABLE "Größe & Co"."Händler ""neu""" RENAME TO vendors;
ALTER TABLE "Größe & Co".vendors RENAME "ist 'aktiv'" TO is_active;
ALTER TABLE "Größe & Co".vendors SET SCHEMA public;
SELECT * FROM pg_temp.counted();

-- Other types of keys and codes, and columns of different collations.
CREATE TYPE tier_code AS ENUM ('essential', 'professional', '高级 "x"', 'enterprise');
ALTER TABLE vendor_subscriptions ALTER tier DROP DEFAULT;
ALTER TABLE vendor_subscriptions ALTER tier TYPE tier_code USING tier::tier_code;
ALTER TABLE subscription_tiers ALTER code TYPE varchar(20) COLLATE "POSIX";
ALTER TABLE vendor_subscriptions ALTER status TYPE text COLLATE "C";
SELECT * FROM pg_temp.counted();
ALTER TABLE vendor_subscriptions ALTER tier TYPE text COLLATE "C";
SELECT theoretical_limit FROM capforecast.subscription_capacity();

-- Migrations of the host are its own affair: nothing depends on its tables.
ALTER TABLE vendors RENAME TO sellers;
CREATE VIEW vendors AS SELECT id, is_active FROM sellers WHERE id < 3;
SELECT total_vendors, active_vendors FROM pg_temp.counted();
DROP VIEW vendors;
CREATE TABLE vendors (id uuid, is_active boolean) PARTITION BY HASH (id);
CREATE TABLE vendors_0 PARTITION OF vendors FOR VALUES WITH (MODULUS 1, REMAINDER 0);
INSERT INTO vendors SELECT md5(n::text)::uuid, n > 1 FROM generate_series(1, 5) n;
SELECT total_vendors, active_vendors FROM pg_temp.counted();
ALTER TABLE vendors ALTER is_active TYPE text USING is_active::text;
ALTER TABLE vendor_subscriptions DROP orders_this_period;
DROP TABLE products CASCADE;
SELECT * FROM pg_temp.counted();
SELECT subject FROM capforecast.doctor() WHERE severity = 'error' ORDER BY subject;

-- A caller's search_path changes nothing: neither functions nor operators of its own are met.
\set ECHO none
\set fresh :dir '/platform/fresh.sql'
\i :fresh
\i :file
\set ECHO all
INSERT INTO vendors (id, vendor_code, name) VALUES (1, 'a', 'A');
INSERT INTO vendor_subscriptions (vendor_id, tier, status, period_start, period_end, orders_this_period)
VALUES (1, 'essential', 'active', '2024-01-01', '2024-02-01', 5);
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.trap() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hostile code was called'; END $$;
CREATE FUNCTION hostile.equals(a text, b text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.trap(); RETURN true; END $$;
CREATE FUNCTION hostile.at_least(a date, b date) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.trap(); RETURN true; END $$;
CREATE FUNCTION hostile.at_least(a bigint, b integer) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.trap(); RETURN true; END $$;
CREATE OPERATOR hostile.= (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.equals);
CREATE OPERATOR hostile.>= (LEFTARG = date, RIGHTARG = date, FUNCTION = hostile.at_least);
CREATE OPERATOR hostile.>= (LEFTARG = bigint, RIGHTARG = integer, FUNCTION = hostile.at_least);
CREATE FUNCTION hostile.format(text, VARIADIC "any") RETURNS text LANGUAGE internal AS 'text_format';
CREATE FUNCTION hostile.to_jsonb(anyelement) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.trap(); RETURN '{}'; END $$;
CREATE FUNCTION hostile.round(numeric, integer) RETURNS numeric LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.trap(); RETURN 0; END $$;
CREATE FUNCTION hostile.pg_database_size(name) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.trap(); RETURN 0; END $$;
CREATE FUNCTION hostile.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.trap(); RETURN now(); END $$;
CREATE FUNCTION hostile.string_agg(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.trap(); RETURN ''; END $$;
CREATE DOMAIN hostile.text AS pg_catalog.text CHECK (false);
CREATE DOMAIN hostile.bigint AS pg_catalog.int8 CHECK (false);
SET search_path = hostile, pg_catalog, public;
SELECT s.active_vendors OPERATOR(pg_catalog.=) 1 AS captured FROM capforecast.capture_daily_snapshot() s;
SELECT count(*) FROM capforecast.growth_trends(30);
SELECT capforecast.growth_trends_json(30) OPERATOR(pg_catalog.->>) 'message' AS message;
SELECT count(*) FROM capforecast.subscription_capacity();
SELECT capforecast.subscription_capacity_json() IS NOT NULL AS answered;
SELECT h.infrastructure_tier FROM capforecast.platform_health() h;
SELECT capforecast.platform_health_json() IS NOT NULL AS answered;
SELECT capforecast.scaling_recommendations_json(false);
SELECT count(*) FROM capforecast.doctor() d WHERE d.severity OPERATOR(pg_catalog.=) 'error';
SELECT capforecast.push_image_storage(1);
SELECT i.imported FROM capforecast.import_snapshots('capforecast.capacity_snapshots') i;
SELECT count(*) FROM capforecast.job_health() h WHERE h.job OPERATOR(pg_catalog.=) 'capture_daily_snapshot' AND h.overdue;
CALL capforecast.run_job('capture_daily_snapshot');
TRUNCATE capforecast.job_run;
SET client_min_messages = error;
CALL capforecast.run_maintenance();
RESET client_min_messages;
SELECT r.status FROM capforecast.job_run r WHERE r.job OPERATOR(pg_catalog.=) 'capture_daily_snapshot';
SELECT capforecast.bind('vendors', 'vendors', '{"is_active": null}');
SELECT capforecast.unbind('vendors');
SHOW search_path;
RESET search_path;
