-- usage_summary() and check_limit().
BEGIN;
\ir ../subscription/fixture.sql
SELECT no_plan();
SELECT pg_temp.subscribe(1, 'essential', 'active', '2025-03-01', '2025-04-01', 80);
INSERT INTO products (vendor_id) SELECT 1 FROM generate_series(1, 150);
INSERT INTO vendor_users (vendor_id, user_id, is_active) VALUES (1, 1, true), (1, 2, true), (1, 3, false);
SELECT is(capforecast.usage_summary('1', '2025-03-10') #> '{resources}', '{
	"products":     {"used": 150, "limit": 200, "remaining": 50, "percent": 75.00, "over_by": 0, "is_unlimited": false, "can_add": true},
	"orders":       {"used": 80,  "limit": 100, "remaining": 20, "percent": 80.00, "over_by": 0, "is_unlimited": false, "can_add": true},
	"team_members": {"used": 2,   "limit": 1,   "remaining": 0,  "percent": 200.00, "over_by": 1, "is_unlimited": false, "can_add": false}}', '8.12.1 use against limits');
SELECT is(capforecast.usage_summary('1', '2025-03-10 12:00') - 'resources', '{"vendor_id": "1", "as_of": "2025-03-10T12:00:00+00:00", "entitled": true, "status": "active",
	"tier": {"code": "essential", "name": "Essential", "source": "database", "price_cents": 4900}, "is_annual": false, "is_trial": false, "trial_ends_at": null, "trial_days_left": null,
	"ended_at": null, "collection_paused": false, "request_in_flight": null,
	"usage_window": {"start": "2025-03-01T00:00:00+00:00", "end": "2025-04-01T00:00:00+00:00"}, "billing_period": {"start": "2025-03-01T00:00:00+00:00", "end": "2025-04-01T00:00:00+00:00"},
	"days_remaining": 21, "cancel_at_period_end": false, "pending_change": null, "addons": [], "next_invoice_cents": 4900, "next_invoice_at": "2025-04-01T00:00:00+00:00",
	"currency": "EUR", "credit_cents": 0, "open_invoices_cents": 0}', '8.12.2 the billing page');
UPDATE vendor_subscriptions SET custom_products_limit = -1, custom_orders_limit = 0, custom_team_limit = -7 WHERE id = 1;
SELECT is(capforecast.usage_summary('1', '2025-03-10') #> '{resources}', '{
	"products":     {"used": 150, "limit": null, "remaining": null, "percent": null, "over_by": null, "is_unlimited": true, "can_add": true},
	"orders":       {"used": 80,  "limit": 0, "remaining": 0, "percent": null, "over_by": 80, "is_unlimited": false, "can_add": false},
	"team_members": {"used": 2,   "limit": null, "remaining": null, "percent": null, "over_by": null, "is_unlimited": true, "can_add": true}}', 'C4, C5 below 0 is unlimited, 0 is 0');
UPDATE vendor_subscriptions SET custom_team_limit = NULL WHERE id = 1;
INSERT INTO vendor_addons (vendor_id, addon_product_id, quantity, status) SELECT 1, id, 3, 'active' FROM addon_products WHERE code = 'extra_member';
SELECT is(capforecast.usage_summary('1', '2025-03-10') #> '{resources,team_members,limit}', '4', 'C5 add-ons grant');
UPDATE vendor_addons SET status = 'cancelling';
SELECT is(capforecast.usage_summary('1', '2025-03-10') #> '{resources,team_members,limit}', '4', '8.10.5 cancelling still grants');
UPDATE vendor_addons SET status = 'pending';
SELECT is(capforecast.usage_summary('1', '2025-03-10') #> '{resources,team_members,limit}', '1', '8.10.4 pending does not');

-- The job is late.
SELECT pg_temp.order_at(1, '2025-03-31', '2025-04-01', '2025-05-02', '2025-05-04');
SELECT is((u #> '{usage_window}', u #> '{billing_period,end}', u #> '{resources,orders,used}')::text,
	'("{""end"": ""2025-06-01T00:00:00+00:00"", ""start"": ""2025-05-01T00:00:00+00:00""}","""2025-06-01T00:00:00+00:00""",1)',
	'8.12.2 a window that is over is shown as the one that holds as_of, with its recount') FROM capforecast.usage_summary('1', '2025-05-03') u;

SELECT pg_temp.subscribe(2, 'essential', 'trial', '2025-03-01', '2025-04-01', trial_ends_at => '2025-03-12 06:00');
SELECT is((u -> 'is_trial', u -> 'trial_days_left')::text, '(true,2)', '8.12.2 days left of a trial, rounded up') FROM capforecast.usage_summary('2', '2025-03-10 12:00') u;
SELECT is(capforecast.usage_summary('2', '2025-03-20') -> 'trial_days_left', '0', '8.12.2 and never below 0');

-- Not entitled
SELECT pg_temp.subscribe(3, 'essential', 'cancelled', '2025-03-01', '2025-04-01');
INSERT INTO products (vendor_id) VALUES (3);
SELECT is(capforecast.usage_summary('3', '2025-03-10') #> '{resources,products,can_add}', 'false', '8.12.1 cancelled: nothing can be added');
INSERT INTO vendors (id, vendor_code, name) VALUES (4, 'V4', 'no subscription');
INSERT INTO products (vendor_id) VALUES (4), (4);
SELECT is((u -> 'entitled', u #> '{resources,products}')::text,
	'(false,"{""used"": 2, ""limit"": null, ""can_add"": false, ""over_by"": null, ""percent"": null, ""remaining"": null, ""is_unlimited"": false}")', '8.12.4 no subscription: usage without limits')
FROM capforecast.usage_summary('4', '2025-03-10') u;
SELECT throws_ok($$ SELECT capforecast.usage_summary('4711') $$, 'P0002', NULL, '8.12.4 unknown vendor');
UPDATE vendor_subscriptions SET tier = 'none' WHERE id = 2;
SELECT is((u #> '{resources,products,can_add}', u -> 'next_invoice_cents', u -> 'tier')::text, '(false,null,null)', '8.2.6 an unknown tier is never unlimited') FROM capforecast.usage_summary('2', '2025-03-10') u;

SELECT is(c::text, '(t,150,,,unlimited)', '8.12.3 unlimited') FROM capforecast.check_limit('1', 'products', 1000000, as_of => '2025-03-10') c;
UPDATE vendor_subscriptions SET custom_products_limit = 152 WHERE id = 1;
SELECT is(c::text, '(t,150,152,2,within_limit)', '8.12.3 up to the limit') FROM capforecast.check_limit('1', 'products', 2, as_of => '2025-03-10') c;
SELECT is(c::text, '(f,150,152,2,limit_reached)', '8.12.3 and not beyond') FROM capforecast.check_limit('1', 'products', 3, as_of => '2025-03-10') c;
SELECT is((c.used, c.reason)::text, '(80,limit_reached)', '8.12.3 orders by either name') FROM capforecast.check_limit('1', 'orders_monthly', as_of => '2025-03-10') c;
SELECT is(c.reason, 'not_entitled', '8.12.3 cancelled') FROM capforecast.check_limit('3', 'products') c;
SELECT is(c.reason, 'no_subscription', '8.12.4 no subscription') FROM capforecast.check_limit('4', 'products') c;
SELECT is(c.reason, 'unknown_tier', '8.2.6 unknown tier') FROM capforecast.check_limit('2', 'products', as_of => '2025-03-10') c;
SELECT throws_ok($$ SELECT capforecast.check_limit('4711', 'products') $$, 'P0002', NULL, '8.12.4 unknown vendor');
SELECT throws_ok($$ SELECT capforecast.check_limit('1', 'cars') $$, '22023', NULL, 'C12 unknown resource');
SELECT throws_ok($$ SELECT capforecast.check_limit('1''; DROP TABLE vendors; --', 'products') $$, 'P0002', NULL, 'a vendor''s id is a value and nothing else');
SELECT throws_ok($$ SELECT capforecast.usage_summary('{vendors}') $$, 'P0002', NULL, 'nor is it a template');

-- A host with other names, other types, and without add-ons, invoices and orders.
DROP TABLE vendor_addons, addon_products, billing_history, orders, vendor_subscriptions;
CREATE SCHEMA shop;
CREATE TABLE shop.subs (sub uuid PRIMARY KEY, tenant bigint, plan varchar(20), state text, starts timestamp, ends timestamp, n integer);
INSERT INTO shop.subs VALUES ('00000000-0000-0000-0000-000000000001', 1, 'essential', 'active', '2025-03-01', '2025-04-01', 80);
SELECT capforecast.bind('vendor_subscriptions', 'shop.subs', '{"id": "sub", "vendor_id": "tenant", "tier": "plan", "status": "state", "period_start": "starts", "period_end": "ends", "orders_this_period": "n", "created_at": "starts"}');
SELECT is((c.allowed, c.used, c."limit")::text, '(t,150,200)', '1 another table, other names') FROM capforecast.check_limit('1', 'products', as_of => '2025-03-10') c;
SET LOCAL timezone = 'America/New_York';
SELECT is((r.changed, r.windows_closed)::text, '(1,1)', '1 the reset writes what there is') FROM capforecast.reset_period_counters('2025-04-01 00:00+00') r;
SELECT is((n, starts, ends)::text, '(0,"2025-04-01 00:00:00","2025-05-01 00:00:00")', '1 naive times are UTC whatever the session''s zone') FROM shop.subs;
SELECT lives_ok($$ SELECT capforecast.cleanup_stale_subscriptions('2025-04-02'), capforecast.check_trial_expirations('2025-04-02'), capforecast.upcoming_invoice('1', '2025-04-02'),
	capforecast.change_tier('1', 'business', as_of => '2025-04-02'), capforecast.usage_summary('1', '2025-04-02') $$, '1 and so does everything else');
SELECT * FROM finish();
ROLLBACK;
