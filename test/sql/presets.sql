-- Tables of applications as they are found in the wild, bound from proposals: what is
-- counted is what plain SQL counts.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set ECHO all
CREATE FUNCTION pg_temp.counted() RETURNS TABLE (vendors bigint, live bigint, trials bigint, subscriptions bigint, products bigint, orders bigint,
	members bigint, products_limit bigint, orders_limit bigint, team_limit bigint)
LANGUAGE sql AS $$
	SELECT total_vendors, active_vendors, trial_vendors, active_subscriptions, total_products, total_orders_month, total_team_members,
		theoretical_products_limit, theoretical_orders_limit, theoretical_team_limit
	FROM capforecast.capture_daily_snapshot(refresh => true)
$$;
-- What reads about a vendor answer, whatever its key is; days rebuilt.
CREATE FUNCTION pg_temp.answers(vendor text) RETURNS TABLE (tier text, status text, products_used text, products_limit text, orders_used text, "check" text, days bigint)
LANGUAGE sql AS $$
	SELECT u #>> '{tier,name}', u ->> 'status', u #>> '{resources,products,used}', u #>> '{resources,products,limit}', u #>> '{resources,orders,used}',
		(capforecast.check_limit(vendor, 'products')).reason,
		(SELECT max(b.days_known) FROM capforecast.backfill_snapshots(current_date - 200, current_date - 1) b)
	FROM capforecast.usage_summary(vendor) u
$$;
CREATE FUNCTION pg_temp.clear() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL client_min_messages = warning;
	DROP SCHEMA public CASCADE;
	CREATE SCHEMA public;
	DELETE FROM capforecast.binding;
	DELETE FROM capforecast.capacity_snapshots;
END $$;
SELECT * FROM capforecast.propose_bindings();

-- A marketplace on Rails: uuids, an enum, discarded rows, limits in a document, prices in
-- major units, several subscriptions over the years.
CREATE TYPE public.sub_state AS ENUM ('trialing', 'active', 'past_due', 'canceled', 'unpaid', 'paused');
CREATE TABLE spree_vendors (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), n integer, name varchar, state varchar, deleted_at timestamp(6),
	created_at timestamp(6) NOT NULL);
CREATE TABLE plans (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name varchar, price numeric(10, 2), currency varchar DEFAULT 'USD', interval varchar DEFAULT 'month',
	settings jsonb, created_at timestamp(6) DEFAULT now());
CREATE TABLE subscriptions (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), vendor_id uuid, plan_id uuid, status sub_state, current_period_start timestamp(6),
	current_period_end timestamp(6), trial_end timestamp(6), canceled_at timestamp(6), stripe_subscription_id varchar, created_at timestamp(6));
CREATE TABLE spree_products (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), vendor_id uuid, deleted_at timestamp(6), created_at timestamp(6));
CREATE TABLE spree_vendor_users (id bigserial PRIMARY KEY, vendor_id uuid, user_id bigint);
CREATE TABLE spree_orders (id bigserial PRIMARY KEY, vendor_id uuid, state varchar, completed_at timestamp(6), created_at timestamp(6));
CREATE TABLE spree_line_items (id bigserial PRIMARY KEY, vendor_id uuid, created_at timestamp(6));
CREATE TABLE users (id bigserial PRIMARY KEY, email varchar);
INSERT INTO plans (name, price, settings) VALUES ('Mini', 19, '{"limits": {"products": 50, "orders": 100, "seats": 2}, "color": "red"}'),
	('Maxi', 249.5, '{"limits": {"products": -1, "orders": null, "seats": "unlimited"}}');
INSERT INTO spree_vendors (n, name, state, deleted_at, created_at)
SELECT g, 'V' || g, CASE WHEN g % 10 = 0 THEN 'pending' ELSE 'active' END, CASE WHEN g % 8 = 0 THEN now() - interval '9 days' END, now() - (300 - g) * interval '1 day'
FROM generate_series(1, 40) g;
INSERT INTO subscriptions (vendor_id, plan_id, status, current_period_start, current_period_end, trial_end, canceled_at, created_at)
SELECT v.id, p.id, (CASE WHEN v.n % 8 = 0 THEN 'canceled' WHEN v.n % 5 = 1 THEN 'trialing' WHEN v.n % 5 = 2 THEN 'unpaid' ELSE 'active' END)::sub_state,
	date_trunc('day', now()) - interval '5 days', date_trunc('day', now()) + interval '25 days', v.created_at + interval '14 days', v.deleted_at, v.created_at
FROM spree_vendors v JOIN plans p ON p.name = CASE WHEN v.n % 4 = 3 THEN 'Maxi' ELSE 'Mini' END;
INSERT INTO subscriptions (vendor_id, plan_id, status, current_period_start, current_period_end, created_at)
SELECT v.id, (SELECT id FROM plans WHERE name = 'Maxi'), 'canceled', now() - interval '80 days', now() - interval '50 days', now() - interval '80 days'
FROM spree_vendors v WHERE v.n % 3 = 0;
INSERT INTO spree_products (vendor_id, deleted_at, created_at) SELECT v.id, CASE WHEN g % 6 = 0 THEN now() END, v.created_at FROM spree_vendors v, generate_series(1, 12) g;
INSERT INTO spree_vendor_users (vendor_id, user_id) SELECT id, n FROM spree_vendors;
INSERT INTO spree_orders (vendor_id, state, completed_at, created_at)
SELECT v.id, CASE WHEN g % 4 = 0 THEN 'cart' ELSE 'complete' END, CASE WHEN g % 4 > 0 THEN now() END, date_trunc('day', now()) - g * interval '13 hours'
FROM spree_vendors v, generate_series(1, 20) g;
\x
SELECT entity, relation, columns, filter, words, newest_by, why FROM capforecast.propose_bindings('rails');
\x
SELECT count(*) FROM capforecast.bind_preset('rails');
SELECT * FROM pg_temp.counted();
SELECT count(*), count(*) FILTER (WHERE state = 'active') AS live,
	(SELECT count(*) FROM spree_products WHERE deleted_at IS NULL) AS products,
	(SELECT count(*) FROM spree_orders WHERE completed_at IS NOT NULL AND created_at >= date_trunc('day', now()) - interval '5 days') AS orders
FROM spree_vendors WHERE deleted_at IS NULL;
SELECT count(*) FILTER (WHERE status = 'trialing') AS trials, count(*) AS live, sum(50) FILTER (WHERE name = 'Mini') AS products_limit
FROM subscriptions s JOIN plans p ON p.id = s.plan_id WHERE status IN ('active', 'trialing');
SELECT a.* FROM spree_vendors v, pg_temp.answers(v.id::text) a WHERE v.n = 6;
SELECT i.price_monthly_cents, i.currency FROM plans p, capforecast.get_tier_info(p.id::text) i ORDER BY 1;
SELECT subject, problem FROM capforecast.doctor() WHERE severity = 'error' OR subject ~ '^(vendor|subs|prod|order)';
SELECT pg_temp.clear();

-- Laravel with Cashier: teams, strings of a length, no periods, plans by Stripe's price with -1 and 0.
CREATE TABLE users (id bigserial PRIMARY KEY, email varchar(255));
CREATE TABLE teams (id bigserial PRIMARY KEY, user_id bigint, name varchar(255), stripe_id varchar(255), created_at timestamp(0), deleted_at timestamp(0));
CREATE TABLE team_user (id bigserial PRIMARY KEY, team_id bigint, user_id bigint, created_at timestamp(0));
CREATE TABLE subscriptions (id bigserial PRIMARY KEY, team_id bigint, type varchar(255), stripe_id varchar(255), stripe_status varchar(255), stripe_price varchar(255),
	quantity integer, trial_ends_at timestamp(0), ends_at timestamp(0), created_at timestamp(0));
CREATE TABLE subscription_items (id bigserial PRIMARY KEY, subscription_id bigint, stripe_price varchar(255));
CREATE TABLE products (id bigserial PRIMARY KEY, team_id bigint, status smallint DEFAULT 1, created_at timestamp(0), deleted_at timestamp(0));
CREATE TABLE orders (id bigserial PRIMARY KEY, team_id bigint, status varchar(255), created_at timestamp(0));
CREATE TABLE plans (id serial PRIMARY KEY, name varchar(255), stripe_price_id varchar(255), price integer, max_products integer, seats integer);
INSERT INTO plans (name, stripe_price_id, price, max_products, seats) VALUES ('Solo', 'price_solo', 900, 30, 0), ('Studio', 'price_studio', 4900, -1, 20);
INSERT INTO users (email) SELECT 'u' || g FROM generate_series(1, 9) g;
INSERT INTO teams (user_id, name, deleted_at, created_at) SELECT 1, 'T' || g, CASE WHEN g % 5 = 0 THEN now() END, now() - g * interval '6 days' FROM generate_series(1, 30) g;
INSERT INTO team_user (team_id, user_id, created_at) SELECT t.id, u.id, t.created_at FROM teams t JOIN users u ON u.id <= t.id % 3;
INSERT INTO subscriptions (team_id, type, stripe_id, stripe_status, stripe_price, trial_ends_at, ends_at, created_at)
SELECT id, 'default', 'sub_' || id, CASE WHEN deleted_at IS NOT NULL THEN 'canceled' WHEN id <= 2 THEN 'trialing' WHEN id % 7 = 0 THEN 'incomplete' ELSE 'active' END,
	CASE WHEN id % 2 = 0 THEN 'price_studio' ELSE 'price_solo' END, created_at + interval '14 days', deleted_at, created_at FROM teams;
INSERT INTO products (team_id, deleted_at, created_at) SELECT id, CASE WHEN g = 1 THEN now() END, created_at FROM teams, generate_series(1, 4) g;
INSERT INTO orders (team_id, status, created_at) SELECT id, 'paid', date_trunc('month', now() AT TIME ZONE 'UTC') - g * interval '1 minute' FROM teams, generate_series(0, 1) g;
\x
SELECT entity, columns, filter, words, newest_by, why FROM capforecast.propose_bindings('cashier');
\x
SELECT entity FROM capforecast.bind_preset('cashier');
SELECT * FROM pg_temp.counted();
SELECT count(*) FILTER (WHERE stripe_status = 'trialing') AS trials, count(*) AS live, sum(30) FILTER (WHERE stripe_price = 'price_solo') AS products_limit
FROM subscriptions WHERE stripe_status IN ('active', 'trialing');
SELECT * FROM pg_temp.answers('4');
SELECT subject, problem FROM capforecast.doctor() WHERE severity = 'error' OR subject ~ '^(vendor|subs|prod|order)';
SELECT pg_temp.clear();

-- Django with dj-stripe: a subscription's vendor is its customer's, its plan its item's.
CREATE TABLE organizations_organization (id serial PRIMARY KEY, name varchar(200), is_active boolean, created timestamptz);
CREATE TABLE organizations_organizationuser (id serial PRIMARY KEY, created timestamptz, organization_id integer REFERENCES organizations_organization);
CREATE TABLE djstripe_customer (djstripe_id bigserial PRIMARY KEY, id varchar(255) UNIQUE, livemode boolean, subscriber_id integer REFERENCES organizations_organization);
CREATE TABLE djstripe_subscription (djstripe_id bigserial PRIMARY KEY, id varchar(255) UNIQUE, livemode boolean, created timestamptz,
	customer_id varchar(255) REFERENCES djstripe_customer (id), status varchar(18), current_period_start timestamptz, current_period_end timestamptz,
	trial_end timestamptz, canceled_at timestamptz, cancel_at_period_end boolean);
CREATE TABLE djstripe_plan (djstripe_id bigserial PRIMARY KEY, id varchar(255) UNIQUE, livemode boolean, active boolean, amount numeric(11, 2), currency varchar(3),
	interval varchar(5), nickname text, metadata jsonb);
CREATE TABLE djstripe_subscriptionitem (djstripe_id bigserial PRIMARY KEY, id varchar(255), subscription_id varchar(255) REFERENCES djstripe_subscription (id),
	plan_id varchar(255) REFERENCES djstripe_plan (id));
CREATE TABLE projects_project (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), organization_id integer REFERENCES organizations_organization, archived boolean, created_at timestamptz);
CREATE TABLE jobs_run (id bigserial PRIMARY KEY, project_id uuid REFERENCES projects_project, started timestamptz);
INSERT INTO organizations_organization (name, is_active, created) SELECT 'O' || g, g % 6 <> 0, now() - g * interval '5 days' FROM generate_series(1, 24) g;
INSERT INTO organizations_organizationuser (created, organization_id) SELECT created, id FROM organizations_organization;
INSERT INTO djstripe_customer (id, livemode, subscriber_id) SELECT 'cus_' || id, true, id FROM organizations_organization;
INSERT INTO djstripe_plan (id, livemode, active, amount, currency, interval, nickname, metadata) VALUES
	('plan_a', true, true, 15, 'eur', 'month', 'A', '{"max_projects": "7", "max_users": "3"}'), ('plan_b', true, true, 480, 'eur', 'year', 'B', '{"max_projects": "70", "max_users": "30"}'),
	('plan_test', false, true, 1, 'eur', 'month', 'test', '{}');
INSERT INTO djstripe_subscription (id, livemode, created, customer_id, status, current_period_start, current_period_end, trial_end, canceled_at)
SELECT 'sub_' || id, true, created, 'cus_' || id, CASE WHEN NOT is_active THEN 'canceled' WHEN id < 3 THEN 'trialing' ELSE 'active' END,
	date_trunc('day', now()) - interval '2 days', date_trunc('day', now()) + interval '28 days', created + interval '14 days', CASE WHEN NOT is_active THEN now() END
FROM organizations_organization;
INSERT INTO djstripe_subscriptionitem (id, subscription_id, plan_id) SELECT 'si_' || djstripe_id, id, CASE WHEN djstripe_id % 2 = 0 THEN 'plan_b' ELSE 'plan_a' END FROM djstripe_subscription;
INSERT INTO projects_project (organization_id, archived, created_at) SELECT id, g = 1, created FROM organizations_organization, generate_series(1, 3) g;
INSERT INTO jobs_run (project_id, started) SELECT id, now() - g * interval '1 day' FROM projects_project, generate_series(0, 4) g;
\x
SELECT entity, relation, columns, filter, newest_by, substring(statement from '^CREATE[^;]*;') AS view FROM capforecast.propose_bindings('djstripe');
\x
SELECT count(*) FROM capforecast.bind_preset('djstripe');
SELECT * FROM pg_temp.counted();
SELECT count(*) FILTER (WHERE status = 'trialing') AS trials, count(*) AS live, sum(CASE plan_id WHEN 'plan_a' THEN 7 ELSE 70 END) AS products_limit
FROM djstripe_subscription s JOIN djstripe_subscriptionitem i ON i.subscription_id = s.id WHERE status IN ('active', 'trialing');
SELECT * FROM pg_temp.answers('4');
SELECT code, price_monthly_cents, price_annual_cents, currency FROM capforecast.get_tier_info('plan_b');
-- again: what is bound stays bound
SELECT count(*) FROM capforecast.bind_preset('djstripe');
SELECT * FROM pg_temp.counted();
SELECT pg_temp.clear();

-- The pay gem: owners behind customers. Stripe's own tables, synchronised: seconds, a document of items.
CREATE TABLE accounts (id bigserial PRIMARY KEY, name varchar, stripe_customer_id text, created_at timestamp(6));
CREATE TABLE pay_customers (id bigserial PRIMARY KEY, owner_type varchar, owner_id bigint, processor varchar, processor_id varchar);
CREATE TABLE pay_subscriptions (id bigserial PRIMARY KEY, customer_id bigint, name varchar, processor_id varchar, processor_plan varchar, status varchar,
	current_period_start timestamp(6), current_period_end timestamp(6), trial_ends_at timestamp(6), ends_at timestamp(6), created_at timestamp(6));
INSERT INTO accounts (name, stripe_customer_id, created_at) SELECT 'A' || g, 'cus_' || g, now() - interval '50 days' FROM generate_series(1, 6) g;
INSERT INTO pay_customers (owner_type, owner_id, processor, processor_id) SELECT 'Account', id, 'stripe', stripe_customer_id FROM accounts ORDER BY id DESC;
INSERT INTO pay_subscriptions (customer_id, name, processor_id, processor_plan, status, created_at)
SELECT c.id, 'default', 'sub_' || c.owner_id, 'price_1', CASE WHEN c.owner_id = 6 THEN 'trialing' ELSE 'active' END, now() FROM pay_customers c;
SELECT entity, relation, columns, why FROM capforecast.propose_bindings('pay');
SELECT count(*) FROM capforecast.bind_preset('pay');
SELECT vendors, live, trials, subscriptions, products, products_limit FROM pg_temp.counted();
SELECT (capforecast.check_limit('6', 'products')).reason, capforecast.usage_summary('6') ->> 'status' AS status;
SET client_min_messages = warning;
DROP TABLE pay_customers, pay_subscriptions CASCADE;
RESET client_min_messages;
CREATE SCHEMA stripe;
CREATE TABLE stripe.subscriptions (id text PRIMARY KEY, customer text, status text, current_period_start integer, current_period_end integer, trial_end integer,
	created integer, canceled_at integer, cancel_at_period_end boolean, items jsonb);
CREATE TABLE stripe.prices (id text PRIMARY KEY, nickname text, unit_amount integer, currency text, active boolean, metadata jsonb);
INSERT INTO stripe.prices VALUES ('price_1', 'One', 1900, 'usd', true, '{"max_products": "25"}');
INSERT INTO stripe.subscriptions
SELECT 'sub_' || id, stripe_customer_id, CASE WHEN id = 1 THEN 'trialing' ELSE 'active' END, extract(epoch FROM now() - interval '3 days'), extract(epoch FROM now() + interval '27 days'),
	NULL, extract(epoch FROM now() - interval '40 days'), NULL, false, '{"data": [{"price": {"id": "price_1"}}]}' FROM accounts;
SELECT entity, relation, columns, newest_by, substring(statement from '^CREATE[^;]*;') AS view FROM capforecast.propose_bindings('stripe');
SELECT count(*) FROM capforecast.bind_preset('stripe');
SELECT vendors, live, trials, subscriptions, products, products_limit FROM pg_temp.counted();
SELECT capforecast.usage_summary('2') #>> '{tier,price_cents}' AS price, capforecast.usage_summary('2') ->> 'status' AS status,
	(capforecast.usage_summary('2') ->> 'days_remaining')::integer BETWEEN 26 AND 27 AS in_period;
DROP SCHEMA stripe CASCADE;
SELECT pg_temp.clear();

-- CamelCase and blanks, the same names in two schemas, a view, partitions, words that nobody knows.
CREATE SCHEMA "App Data";
CREATE SCHEMA archive;
CREATE TABLE "App Data"."Organization" (id text PRIMARY KEY, name text, "createdAt" timestamp(3) NOT NULL, "isActive" smallint NOT NULL DEFAULT 1);
CREATE TABLE "App Data"."Subscription" (id text PRIMARY KEY, "organizationId" text REFERENCES "App Data"."Organization", plan text, status text,
	"currentPeriodStart" timestamp(3), "currentPeriodEnd" timestamp(3), "createdAt" timestamp(3));
CREATE TABLE "App Data"."Plan" (slug text PRIMARY KEY, title text, "maxProducts" text, "Monthly Price" money);
CREATE TABLE "App Data"."Item Store" (id bigint PRIMARY KEY, "organizationId" text);
CREATE VIEW "App Data".products AS SELECT id, "organizationId" FROM "App Data"."Item Store";
CREATE TABLE "App Data"."Order" (id bigint, "organizationId" text, "createdAt" timestamp(3)) PARTITION BY RANGE ("createdAt");
CREATE TABLE "App Data"."Order old" PARTITION OF "App Data"."Order" DEFAULT;
CREATE TABLE archive."Organization" (id text PRIMARY KEY, name text);
CREATE TABLE archive.orders (id bigint PRIMARY KEY, organization_id text, created_at timestamptz);
INSERT INTO "App Data"."Organization" SELECT 'o' || g, 'O', now() - interval '9 days', (g % 3 <> 0)::integer FROM generate_series(1, 6) g;
INSERT INTO "App Data"."Plan" VALUES ('free', 'Free', '10', '0'), ('big', 'Big', 'unlimited', '99.50');
INSERT INTO "App Data"."Subscription" SELECT 's' || id, id, CASE WHEN id > 'o3' THEN 'big' ELSE 'free' END, CASE id WHEN 'o1' THEN 'ACTIVE' WHEN 'o2' THEN 'frozen' ELSE 'Trialing' END,
	now() - interval '1 day', now() + interval '29 days', now() FROM "App Data"."Organization";
INSERT INTO "App Data"."Item Store" SELECT g, 'o' || g FROM generate_series(1, 5) g;
INSERT INTO "App Data"."Order" SELECT g, 'o' || g, now() FROM generate_series(1, 3) g;
\x
SELECT entity, relation, columns, words, newest_by, why FROM capforecast.propose_bindings();
\x
SELECT subject, fix = (SELECT p.statement FROM capforecast.propose_bindings() p WHERE p.entity = subject) AS is_proposed FROM capforecast.doctor()
WHERE subject IN ('vendors', 'products', 'subscription_tiers', 'vendor_subscriptions', 'orders');
SELECT count(*) FROM capforecast.bind_preset(NULL);
SELECT vendors, live, trials, subscriptions, products, orders, products_limit FROM pg_temp.counted();
SELECT subject, problem, fix FROM capforecast.doctor() WHERE subject = 'vendor_subscriptions.status';
DROP SCHEMA "App Data" CASCADE;
DROP SCHEMA archive CASCADE;
SELECT pg_temp.clear();

-- Neither a guess nor an error where nothing is known; tables of one's own names are as they are.
CREATE TABLE measurements (id bigint PRIMARY KEY, value float8);
SELECT * FROM capforecast.propose_bindings();
SELECT * FROM capforecast.propose_bindings('stripe');
SELECT * FROM capforecast.propose_bindings('shopify');
\set file :dir '/platform/schema.sql'
\set ECHO none
\i :file
\set ECHO all
SELECT entity, columns FROM capforecast.propose_bindings();
