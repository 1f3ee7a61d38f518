-- Stripe beside hosts as they are: columns that are enums, uuids and varchars; no add-ons, no invoices.
BEGIN;
\ir ../subscription/fixture.sql
\ir ../subscription/stripe.sql
SELECT no_plan();
SET LOCAL capforecast.stripe_livemode = off;
SET LOCAL client_min_messages = warning;
INSERT INTO capforecast._secret (secret) VALUES ('whsec_test_capforecast');
UPDATE subscription_tiers SET stripe_price_monthly_id = 'price_' || code || '_m', stripe_price_annual_id = 'price_' || code || '_y';
UPDATE addon_products SET stripe_price_id = 'price_' || code;

-- As SQLAlchemy, Django and Rails make them
CREATE TYPE tier_word AS ENUM ('essential', 'professional', 'business', 'enterprise');
CREATE TYPE state_word AS ENUM ('trial', 'active', 'past_due', 'cancelled', 'expired');
CREATE TYPE addon_word AS ENUM ('pending', 'active', 'cancelling', 'cancelled', 'expired');
CREATE DOMAIN price_id AS varchar(255);
CREATE FUNCTION pg_temp.uuid_of(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT lpad(n::text, 32, '0')::uuid $$;
DROP TABLE vendor_addons, billing_history, orders, products, vendor_users, vendor_subscriptions, vendors, addon_products, subscription_tiers CASCADE;
CREATE TABLE vendors (id uuid PRIMARY KEY, is_active boolean DEFAULT true, created_at timestamptz DEFAULT now());
CREATE TABLE subscription_tiers (code varchar(50) PRIMARY KEY, name varchar(100), price_monthly_cents integer, price_annual_cents integer, currency varchar(3) DEFAULT 'EUR', products_limit integer, orders_per_month integer,
	team_members integer, is_active boolean DEFAULT true, stripe_price_monthly_id price_id, stripe_price_annual_id price_id);
CREATE TABLE vendor_subscriptions (id uuid PRIMARY KEY, vendor_id uuid, tier tier_word, status state_word, is_annual boolean DEFAULT false, period_start timestamptz, period_end timestamptz, trial_ends_at timestamptz,
	orders_this_period integer DEFAULT 0, cancel_at_period_end boolean DEFAULT false, cancelled_at timestamptz, stripe_customer_id varchar(255), stripe_subscription_id varchar(255), stripe_price_id price_id);
CREATE TABLE addon_products (id uuid PRIMARY KEY, code varchar(50), name varchar(50), price_cents integer, currency varchar(3) DEFAULT 'EUR', billing_period varchar(20) DEFAULT 'monthly', max_quantity smallint,
	grants_resource varchar(20), grants_per_unit smallint, stripe_price_id price_id, is_active boolean DEFAULT true);
CREATE TABLE vendor_addons (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), vendor_id uuid, addon_product_id uuid, status addon_word, quantity smallint, unit_price_cents integer, period_start timestamptz, period_end timestamptz,
	stripe_subscription_item_id varchar(255), cancelled_at timestamptz);
CREATE TABLE products (id uuid, vendor_id uuid, is_active boolean, created_at timestamptz);
CREATE TABLE vendor_users (id uuid, vendor_id uuid, is_active boolean);
INSERT INTO subscription_tiers SELECT v.code, v.code, v.price, v.price * 10, 'EUR', 10, 10, 10, true, 'price_' || v.code || '_m', 'price_' || v.code || '_y' FROM (VALUES ('essential', 4900), ('professional', 9900), ('business', 19900)) v(code, price);
INSERT INTO addon_products VALUES (pg_temp.uuid_of(100), 'extra_member', 'More', 500, 'EUR', 'monthly', 50, 'team_members', 1, 'price_extra_member'), (pg_temp.uuid_of(101), 'setup', 'Setup', 2500, 'EUR', 'one_time', NULL, NULL, 0, 'price_setup');
INSERT INTO vendors SELECT pg_temp.uuid_of(n) FROM generate_series(1, 3) n;
INSERT INTO vendor_subscriptions (id, vendor_id, tier, status, period_start, period_end, stripe_customer_id, stripe_subscription_id)
SELECT pg_temp.uuid_of(n + 10), pg_temp.uuid_of(n), 'essential', 'active', '2025-04-01', '2025-05-01', 'cus_' || n, 'sub_' || n FROM generate_series(1, 2) n;
INSERT INTO vendor_subscriptions (id, vendor_id, tier, status, period_start, period_end) VALUES (pg_temp.uuid_of(13), pg_temp.uuid_of(3), 'essential', 'active', '2025-04-01', '2025-05-01');
CREATE FUNCTION pg_temp.vendor(n bigint) RETURNS text LANGUAGE sql AS $$ SELECT pg_temp.uuid_of(n)::text $$;
CREATE FUNCTION pg_temp.items(plan text, members integer DEFAULT 0) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('items', jsonb_build_object('data', jsonb_build_array(jsonb_build_object('id', 'si_1', 'price', 'price_' || plan || '_m', 'quantity', 1))
		|| CASE WHEN members > 0 THEN jsonb_build_array(jsonb_build_object('id', 'si_2', 'price', 'price_extra_member', 'quantity', members)) ELSE '[]' END))
$$;
CREATE FUNCTION pg_temp.row_of(n bigint) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', s.tier, s.status, s.stripe_price_id, (SELECT string_agg(a.status || ' x' || a.quantity, ',' ORDER BY a.status, a.quantity) FROM vendor_addons a WHERE a.vendor_id = s.vendor_id)) FROM vendor_subscriptions s WHERE s.vendor_id = pg_temp.uuid_of(n)
$$;

SELECT is(pg_temp.webhook(pg_temp.event('evt_1', 'updated', '2025-04-02', pg_temp.subscription('sub_1', 'active', '2025-04-01', more => pg_temp.items('professional', 2)))), 'accepted', '8.0.12 an event, written to enums, uuids and domains');
SELECT is(pg_temp.row_of(1), 'professional active price_professional_m active x2', '8.0.12 tier, status, price and add-on');
SELECT is((SELECT (count(*), min(detail ->> 'message'))::text FROM capforecast.finding), '(0,)', '8.0.12 no finding');
SELECT is((SELECT (r.failed, r.changed)::text FROM capforecast.sync_stripe_status('2025-04-02 01:00') r), '(0,0)', '8.5.4 the job has nothing to add');
SELECT is((SELECT r.action FROM capforecast.change_tier(pg_temp.vendor(1), 'business', as_of => '2025-04-03') r), 'upgrade', '8.0.12 a change is asked for');
SELECT is((SELECT r.action FROM capforecast.purchase_addon(pg_temp.vendor(1), 'setup', as_of => '2025-04-03') r), 'purchase', '8.0.12 and an add-on');
SELECT is((SELECT r.action FROM capforecast.cancel_addon(pg_temp.vendor(1), 'extra_member', timing => 'immediate', as_of => '2025-04-03') r), 'cancel', '8.0.12 and one is given back');
SELECT is((SELECT (count(*), min(t.payload -> 'items' ->> 0))::text FROM capforecast.take_outbox(9, '2025-04-03') t), '(1,"{""id"": ""si_1"", ""price"": ""price_business_m"", ""quantity"": 1}")', '8.0.9 one request');
SELECT is(capforecast.settle_outbox(max(id), true), 'sent', '8.5.9') FROM capforecast.stripe_outbox;
SELECT is(pg_temp.webhook(pg_temp.event('evt_2', 'updated', '2025-04-03', pg_temp.subscription('sub_1', 'active', '2025-04-01', more => pg_temp.items('business')))), 'accepted', '8.0.12');
SELECT is((pg_temp.row_of(1), (SELECT o.status FROM capforecast.stripe_outbox o ORDER BY o.id DESC LIMIT 1))::text, '("business active price_business_m active x1,cancelled x2",confirmed)', '8.0.12 all of it');
SELECT is((SELECT r.action FROM capforecast.cancel_subscription(pg_temp.vendor(1), as_of => '2025-04-04') r), 'cancel_scheduled', '8.0.15');
SELECT is(pg_temp.webhook(pg_temp.event('evt_3', 'deleted', '2025-04-05', pg_temp.subscription('sub_1', 'canceled', '2025-04-01', more => pg_temp.items('business') || '{"ended_at": 1743811200}'))), 'accepted', '8.0.12');
SELECT is(pg_temp.row_of(1), 'business cancelled price_business_m cancelled x1,cancelled x2', '8.0.12 the end');
SELECT is(pg_temp.webhook(pg_temp.event('evt_4', 'updated', '2025-04-05', pg_temp.subscription('sub_2', 'active', '2025-04-01', more => '{"items": {"data": [{"id": "si_1", "price": "price_x", "quantity": 1}]}}'))), 'accepted', '8.0.12');
SELECT is((SELECT string_agg(code, ',') FROM capforecast.finding WHERE resolved_at IS NULL), 'stripe_price_unknown', '8.5.3 a price that nobody knows');
-- a word that the host's type does not have is that row's finding
ALTER TYPE tier_word RENAME VALUE 'professional' TO 'pro';
SELECT is(pg_temp.webhook(pg_temp.event('evt_5', 'updated', '2025-04-06', pg_temp.subscription('sub_2', 'active', '2025-04-01', more => pg_temp.items('professional')))), 'stored_unresolved', '8.0.12 a tier that is no word of the host''s type');
SELECT is((SELECT (f.subject = 'sync_stripe_status subscription ' || pg_temp.uuid_of(12), f.detail ->> 'sqlstate')::text FROM capforecast.finding f WHERE f.code = 'job_row_failed' AND f.resolved_at IS NULL), '(t,22P02)', '8.0.12 is a finding of that row');
SELECT is((SELECT (r.failed, r.applied)::text FROM capforecast.sync_stripe_status('2025-04-06 01:00') r), '(1,0)', '8.0.12 the job says the same');
ALTER TYPE tier_word RENAME VALUE 'pro' TO 'professional';

-- No table of add-ons, and none of invoices (there was none above): reads and quotes answer, deeds are done
DROP TABLE vendor_addons, addon_products;
SELECT is((SELECT (r.failed, r.applied)::text FROM capforecast.sync_stripe_status('2025-04-06 02:00') r), '(0,1)', '8.0.13 the job');
SELECT is((SELECT s.tier::text FROM vendor_subscriptions s WHERE s.stripe_subscription_id = 'sub_2'), 'professional', '8.0.13 follows the plan');
SELECT is(capforecast.usage_summary(pg_temp.vendor(n), '2025-04-07') ->> 'status', 'active', '8.0.13 usage_summary of ' || n) FROM generate_series(2, 3) n;
SELECT is((SELECT (i.source, i.amount_due_cents)::text FROM capforecast.upcoming_invoice(pg_temp.vendor(n), '2025-04-07') i), expected, '8.0.13 upcoming_invoice of ' || n) FROM (VALUES (2, '(estimate,9900)'), (3, '(local,4900)')) x(n, expected);
SELECT is((SELECT (q.action, q.net_cents)::text FROM capforecast.quote_tier_change(pg_temp.vendor(n), 'business', as_of => '2025-04-16') q), expected, '8.0.13 quote_tier_change of ' || n) FROM (VALUES (2, '(upgrade,5000)'), (3, '(upgrade,7500)')) x(n, expected);
SELECT is((SELECT q.action FROM capforecast.quote_cancellation(pg_temp.vendor(n), as_of => '2025-04-16') q), 'cancel_scheduled', '8.0.13 quote_cancellation of ' || n) FROM generate_series(2, 3) n;
SELECT throws_ok(format('SELECT capforecast.%I(%L, ''extra_member'')', f, pg_temp.vendor(3)), state, NULL, '8.0.13 ' || f) FROM (VALUES ('quote_addon', 'P0002'), ('purchase_addon', 'P0002'), ('quote_addon_cancel', '55000'), ('cancel_addon', '55000')) x(f, state);
SELECT is((SELECT r.action FROM capforecast.change_tier(pg_temp.vendor(n), 'business', as_of => '2025-04-16') r), 'upgrade', '8.0.13 change_tier of ' || n) FROM generate_series(2, 3) n;
SELECT is((SELECT r.action FROM capforecast.cancel_subscription(pg_temp.vendor(3), 'immediate', as_of => '2025-04-17') r), 'cancel', '8.0.13 cancel_subscription');
SELECT is((SELECT (r.failed)::text FROM capforecast.reset_period_counters('2025-05-02') r), '0', '8.0.13 the jobs');
SELECT is((SELECT (r.failed)::text FROM capforecast.cleanup_stale_subscriptions('2025-05-02') r), '0', '8.0.13 the jobs');

-- Old events go, those that still count stay (the clock, not as_of)
UPDATE capforecast.stripe_event SET received_at = now() - interval '91 days';
INSERT INTO capforecast.stripe_event (event_id, event_type, object_id, created, payload, body_sha256, received_at, outcome) VALUES
	('evt_x', 'customer.subscription.updated', 'sub_x', '2025-04-01', '{"data": {"object": {"id": "sub_x"}}}', '', now() - interval '90 days 1 minute', 'stored_unresolved'),
	('evt_y', 'customer.subscription.updated', 'sub_y', '2025-04-01', '{"data": {"object": {"id": "sub_y"}}}', '', now() - interval '89 days 23:59', 'stored_unresolved');
INSERT INTO capforecast.request_log (operation, vendor_id, idempotency_key, request, response, created_at) SELECT 'change_tier', '1', k, '{}', '{}', now() - interval '31 days' FROM unnest(ARRAY['open', 'closed', 'local']) k;
INSERT INTO capforecast.stripe_outbox (vendor_id, subscription_id, operation, payload, idempotency_key, status) VALUES ('1', '1', 'change_tier', '{"subscription": "sub_k", "proration_date": 1}', 'change_tier:1:open', 'scheduled'), ('1', '1', 'change_tier', '{"subscription": "sub_k"}', 'change_tier:1:closed', 'confirmed');
DO $$ BEGIN PERFORM capforecast.cleanup_stale_subscriptions('2025-05-03'); END $$;
SELECT is((SELECT string_agg(event_id, ',' ORDER BY event_id) FROM capforecast.stripe_event), 'evt_3,evt_5,evt_y', '8.0.18 unresolved events are purged like others');
SELECT is((SELECT string_agg(idempotency_key, ',' ORDER BY idempotency_key) FROM capforecast.request_log WHERE vendor_id = '1'), 'closed,open', '8.0.18 a key is kept as long as a request to Stripe bears it');
SELECT * FROM finish();
ROLLBACK;
