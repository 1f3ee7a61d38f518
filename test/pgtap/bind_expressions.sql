-- bind() to tables of another making: expressions, filters, status words, money in major
-- units, the newest row of a vendor; enums, domains and varchar columns, read and written.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
DROP TABLE vendor_addons, addon_products, billing_history, vendor_users, orders CASCADE;
-- under the default names, too, where nothing is bound
ALTER TABLE vendor_subscriptions DROP CONSTRAINT vendor_subscriptions_status_check;
INSERT INTO vendors (id, vendor_code, name) VALUES (1, 'a', 'A');
INSERT INTO vendor_subscriptions (vendor_id, status, period_start, period_end) VALUES (1, 'trialing', now(), now() + interval '1 month');
SELECT is((SELECT fix FROM capforecast.doctor() WHERE subject = 'vendor_subscriptions.status'),
	$$SELECT capforecast.bind('vendor_subscriptions', 'public.vendor_subscriptions', words => '{"trialing": "trial"}');$$, 'what to bind where nothing is bound');
DELETE FROM vendor_subscriptions;
DELETE FROM vendors;
CREATE SCHEMA shop;
SET LOCAL search_path = shop, public;

CREATE TYPE shop.sub_status AS ENUM ('trialing', 'active', 'past_due', 'canceled', 'incomplete');
CREATE DOMAIN shop.slug AS varchar(40) CHECK (VALUE = lower(VALUE));
CREATE TABLE shop.merchants (uid uuid PRIMARY KEY DEFAULT gen_random_uuid(), n integer, title varchar(80), state integer, deleted_at timestamp, created_at timestamp);
CREATE TABLE shop.packages (code shop.slug, label varchar(60), price numeric(10, 2), "yearly price" numeric(10, 2), currency varchar(3), caps jsonb, retired boolean DEFAULT false);
CREATE TABLE shop.subs (id bigint GENERATED ALWAYS AS IDENTITY, merchant uuid, package shop.slug, status shop.sub_status, starts timestamp, ends timestamp, made timestamp, cancelled_at timestamp);
CREATE TABLE shop.goods (id bigint GENERATED ALWAYS AS IDENTITY, merchant uuid, status smallint, deleted_at timestamp, made timestamp);
INSERT INTO shop.merchants (n, title, state, deleted_at, created_at)
SELECT g, 'M' || g, CASE WHEN g % 5 = 0 THEN 0 ELSE 2 END, CASE WHEN g % 10 = 0 THEN now() END, now() - g * interval '1 day' FROM generate_series(1, 20) g;
INSERT INTO shop.packages VALUES ('small', 'Small', 29.00, 290, 'usd', '{"items": "30", "seats": 2}', false), ('large', 'Large', 99.90, NULL, 'usd', '{"items": null, "seats": -1}', false),
	('osaka', 'Osaka', 1900, NULL, 'jpy', '{"items": "5", "seats": 1}', false);
-- each has one; the first three had another before, which ended
INSERT INTO shop.subs (merchant, package, status, starts, ends, made)
SELECT uid, CASE WHEN n > 15 THEN 'osaka' WHEN n % 2 = 0 THEN 'large' ELSE 'small' END,
	(CASE WHEN n < 4 THEN 'trialing' WHEN n = 4 THEN 'incomplete' WHEN n = 5 THEN 'past_due' WHEN n = 6 THEN 'canceled' ELSE 'active' END)::shop.sub_status,
	now() - interval '3 days', now() + interval '27 days', now() - interval '3 days' FROM shop.merchants;
INSERT INTO shop.subs (merchant, package, status, starts, ends, made)
SELECT uid, 'small', 'active', now() - interval '63 days', now() - interval '33 days', now() - interval '63 days' FROM shop.merchants WHERE n <= 3;
INSERT INTO shop.goods (merchant, status, deleted_at, made)
SELECT uid, g % 3, CASE WHEN g % 4 = 0 THEN now() END, now() FROM shop.merchants, generate_series(1, 8) g;

-- doctor() says what is read otherwise than it is meant, and its statements mend it
SELECT capforecast.bind('products', 'goods', '{"vendor_id": "merchant", "is_active": null, "created_at": "made"}');
SELECT capforecast.bind('subscription_tiers', 'packages', '{"name": "label", "products_limit": null, "orders_per_month": null, "team_members": null, "is_active": null, "price_monthly_cents": "price"}');
SELECT capforecast.bind('vendor_subscriptions', 'subs', '{"vendor_id": "merchant", "tier": "package", "period_start": "starts", "period_end": "ends", "created_at": "made", "orders_this_period": null}', newest_by => 'made');
CREATE TEMP TABLE advice AS SELECT severity, subject, problem, fix FROM capforecast._doctor_content();
SELECT is((SELECT array_agg(severity || ': ' || problem ORDER BY subject) FROM advice), ARRAY['warning: products has a column deleted_at: rows that are marked as deleted are counted',
	'warning: 1 of 3 tiers have a price with a fraction of the minor unit: it is in major units',
	'error: 5 of 20 subscriptions have status ''canceled'', ''incomplete'', ''trialing'', which is none of trial, active, past_due, cancelled and expired: they count as nothing'],
	'what doctor() says');
SELECT is((SELECT array_agg(fix ORDER BY subject) FROM advice WHERE subject <> 'vendor_subscriptions.status'), ARRAY[
	$$SELECT capforecast.bind('products', 'shop.goods', '{"is_active": null, "vendor_id": "merchant", "created_at": "made"}', filter => 'deleted_at IS NULL');$$,
	$$SELECT capforecast.bind('subscription_tiers', 'shop.packages', '{"name": "label", "is_active": null, "team_members": null, "products_limit": null, "orders_per_month": null, "price_monthly_cents": {"unit": "major", "expression": "price"}}');$$],
	'its statements');
SELECT fix FROM advice \gexec
SELECT is_empty('SELECT * FROM capforecast._doctor_content()', 'which mend it');
SELECT is((SELECT (active_subscriptions, trial_vendors, total_products)::text FROM capforecast.capture_daily_snapshot(true)), '(17,3,120)', 'as the counts show');

SELECT capforecast.bind('vendors', 'merchants', '{"id": "uid", "name": "title", "is_active": {"expression": "state > 0"}}', filter => 'deleted_at IS NULL');
SELECT capforecast.bind('subscription_tiers', 'packages', '{"name": "label", "products_limit": {"expression": "(caps ->> ''items'')::integer"},
	"orders_per_month": null, "team_members": {"expression": "(caps ->> ''seats'')::integer"}, "is_active": {"expression": "NOT retired"},
	"price_monthly_cents": {"expression": "price", "unit": "major"}, "price_annual_cents": {"expression": "\"yearly price\"", "unit": "major"},
	"currency": {"expression": "upper(currency)"}}');
SELECT capforecast.bind('vendor_subscriptions', 'subs', '{"vendor_id": "merchant", "tier": "package", "period_start": "starts", "period_end": "ends",
	"created_at": "made", "orders_this_period": null}', words => '{"trialing": "trial", "canceled": "cancelled", "incomplete": null}', newest_by => 'made');
SELECT capforecast.bind('products', 'goods', '{"vendor_id": "merchant", "is_active": {"expression": "status = 1"}, "created_at": "made"}', filter => 'deleted_at IS NULL');

-- What is counted
SELECT is((SELECT (total_vendors, active_vendors, total_subscriptions, active_subscriptions, trial_vendors, total_products, total_orders_month)::text
	FROM capforecast.capture_daily_snapshot(true)), '(18,16,19,17,3,120,)', 'live vendors, newest subscriptions, trials, live products');
SELECT is((SELECT tier_distribution FROM capforecast.capacity_snapshots), '{"large": 5, "osaka": 5, "small": 7}', 'tiers of live subscriptions');
SELECT is((SELECT array_agg((resource, theoretical_limit, unlimited_subscriptions)::text) FROM capforecast.subscription_capacity()),
	'{"(products,235,5)","(orders_monthly,,)","(team_members,19,5)"}', 'limits from an expression: null and -1 are unlimited');
SELECT is((SELECT array_agg((t.code, t.name, t.price_monthly_cents, t.price_annual_cents, t.currency, t.products_limit, t.team_members)::text ORDER BY t.code)
	FROM shop.packages p, capforecast.get_tier_info(p.code) t), '{"(large,Large,9990,,USD,,)","(osaka,Osaka,1900,,JPY,5,1)","(small,Small,2900,29000,USD,30,2)"}',
	'prices in major units, by currency');
SELECT uid AS first FROM shop.merchants WHERE n = 1 \gset
SELECT is((SELECT (allowed, used, "limit", reason)::text FROM capforecast.check_limit(:'first', 'orders')), '(t,,,unlimited)', 'orders that are not counted are not 0');
SELECT uid AS incomplete FROM shop.merchants WHERE n = 4 \gset
SELECT is((SELECT (allowed, used, "limit", reason)::text FROM capforecast.check_limit(:'first', 'products')), '(t,6,30,within_limit)', 'a trial customer is let in');
SELECT is((SELECT u ->> 'status' FROM capforecast.usage_summary(:'first') u), 'trial', 'with our word');
SELECT is((SELECT count(*) FROM capforecast._host_rows(NULL::text, 'SELECT {s:vendor_subscriptions.status} FROM {vendor_subscriptions} s
	WHERE {s:vendor_subscriptions.vendor_id} = {$1:vendor_subscriptions.vendor_id}', :'incomplete')), 0::bigint, 'a status that is not counted is not there');
SELECT lives_ok('SELECT capforecast.capture_vendor_usage()', 'what vendors use');
SELECT lives_ok($$SELECT * FROM capforecast.backfill_snapshots(current_date - 5, current_date - 1)$$, 'history');
SELECT is((SELECT total_vendors FROM capforecast.capacity_snapshots WHERE snapshot_date = current_date - 2), 16::bigint, 'of live vendors');

-- Seen
SELECT is((SELECT array_agg(DISTINCT coalesce(why, 'counted') || ' ' || is_counted) FROM capforecast.bound_sample('vendor_subscriptions', 100)),
	'{"counted true","its vendor has a newer one false","status incomplete is not counted false"}', 'which rows count, and why others do not');
SELECT is((SELECT count(*) FILTER (WHERE is_counted) || ' ' || count(*) FROM capforecast.bound_sample('vendor_subscriptions', 1000)), '19 23', 'as many as are counted');
SELECT is((SELECT count(*) FILTER (WHERE is_counted) || ' ' || max(why) FROM capforecast.bound_sample('vendors', 100)), '18 the filter leaves it out', 'by the filter');
SELECT is((SELECT array_agg((logical ->> 'price_monthly_cents')::numeric::bigint || ' ' || (host ->> 'price') ORDER BY row_id) FROM capforecast.bound_sample('subscription_tiers')),
	'{"9990 99.90","1900 1900.00","2900 29.00"}', 'as it is read, and as it is');
SELECT is((SELECT count(*) FROM capforecast.bound_sample('products', 1)), 2::bigint, 'a few of each');
SELECT throws_ok($$SELECT * FROM capforecast.bound_sample('nothing')$$, '22023', 'entity "nothing" does not exist');
SELECT throws_ok($$SELECT * FROM capforecast.bound_sample('vendors', 0)$$, '22023', 'max_rows must lie between 1 and 1000');

-- Written: into enums and domains, with the host's words
SELECT is(capforecast._host_execute('UPDATE {vendor_subscriptions} h SET {_host_set(''vendor_subscriptions'', ''status'', ''$1'', ''tier'', ''$2'', ''cancelled_at'', ''$3'')}
	WHERE {h:vendor_subscriptions.vendor_id} = {$4:vendor_subscriptions.vendor_id}', 'cancelled', 'large', '2026-01-01 00:00:00+00'::timestamptz, :'first'), 2::bigint, 'rows of the table itself are written');
SELECT is((SELECT array_agg(DISTINCT (status, package, cancelled_at)::text) FROM shop.subs WHERE merchant = :'first'), '{"(canceled,large,\"2026-01-01 00:00:00\")"}',
	'in the host''s words and types');
SELECT throws_ok($$SELECT capforecast._host_execute('UPDATE {vendor_subscriptions} h SET {_host_set(''vendor_subscriptions'', ''tier'', ''$1'')}', repeat('x', 50))$$,
	'22001', NULL, 'too long a word is refused, not cut');
SELECT lives_ok($$SELECT capforecast._host_execute('SELECT FROM {vendor_subscriptions} s WHERE {s:vendor_subscriptions.status} = ''active'' FOR UPDATE')$$, 'rows are locked');
SELECT is((SELECT array_agg(s) FROM capforecast._host_rows(NULL::text, 'SELECT DISTINCT {s:vendor_subscriptions.status} FROM {vendor_subscriptions} s ORDER BY 1') s),
	'{active,cancelled,past_due,trial}', 'read back in ours');

-- What cannot be bound
CREATE FUNCTION shop.mine(integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
SELECT throws_ok(format('SELECT capforecast.bind(''vendors'', ''shop.merchants'', %L)', jsonb_build_object('id', 'uid', 'is_active', jsonb_build_object('expression', e))),
	'22023', NULL, 'no expression: ' || left(e, 60))
FROM unnest(ARRAY['', 'state >', 'state > 0, 1', 'state > 0) , (1', 'state > 0 -- no more', 'nowhere > 0', '*', 'merchants.state > 0', '(SELECT true)', 'EXISTS (SELECT FROM shop.subs)',
	'$1 > 0', 'count(*) > 0', 'sum(state) > 0', 'row_number() OVER () > 1', 'generate_series(1, state) > 0', 'shop.mine(state)', 'mine(state)', 'state OPERATOR(shop.>) 0',
	'state::shop.slug = ''a''', 'random() > 0.5', 'pg_sleep(1) IS NULL', 'true FROM shop.subs', 'true; DROP TABLE shop.subs', 'true INTO x', 'true LIMIT 1', 'state > 0 AS x',
	'lo_import(''/etc/passwd'') > 0', 'merchants IS NOT NULL', repeat('NOT ', 2000) || 'true']) e;
SELECT throws_ok(format('SELECT capforecast.bind(''vendors'', ''shop.merchants'', ''{"id": "uid", "is_active": null}'', filter => %L)', f), '22023', NULL, 'no filter: ' || f)
FROM unnest(ARRAY['state', 'deleted_at', '', 'true OR', 'state > 0 GROUP BY state', 'EXISTS (SELECT)']) f;
SELECT throws_ok(format('SELECT capforecast.bind(''vendor_subscriptions'', ''shop.subs'', %L, words => %L)', c, w), '22023', NULL, format('not %s %s', c, w))
FROM (VALUES ('{}', '{"trialing": "trialling"}'), ('{}', '[]'), ('{}', '"x"'), ('{"tier": 7}', '{}'), ('{"tier": {}}', '{}'), ('{"tier": {"expression": "package", "unit": "major"}}', '{}'),
	('{"tier": {"expression": "package", "more": 1}}', '{}'), ('{"tier": ["package"]}', '{}'), ('{"tier": null}', '{}')) x(c, w);
SELECT throws_ok($$SELECT capforecast.bind('vendors', 'shop.merchants', words => '{"a": "trial"}')$$, '22023', 'entity "vendors" has no status');
SELECT throws_ok($$SELECT capforecast.bind('vendors', 'shop.merchants', newest_by => 'created_at')$$, '22023', 'entity "vendors" has no rows of a vendor');
SELECT throws_ok($$SELECT capforecast.bind('vendor_subscriptions', 'shop.subs', newest_by => 'nowhere')$$, '42703', 'column "nowhere" of table "subs" does not exist');
SELECT throws_ok(format('SELECT capforecast.bind(%s)', a), '22004', NULL, a) FROM unnest(ARRAY['NULL, ''shop.subs''', '''vendors'', NULL', '''vendors'', ''shop.subs'', NULL', '''vendors'', ''shop.subs'', words => NULL']) a;

-- Checked again at use: what was written past bind(), or has changed since
UPDATE capforecast.binding SET filter = 'shop.mine(1)' WHERE entity = 'vendors';
SELECT throws_ok($$SELECT capforecast._host_row(NULL::bigint, 'SELECT count(*) FROM {vendors}')$$, '22023', NULL, 'a function that is not the server''s');
UPDATE capforecast.binding SET filter = 'deleted_at' WHERE entity = 'vendors';
SELECT throws_ok($$SELECT capforecast._host_row(NULL::bigint, 'SELECT count(*) FROM {vendors}')$$, '42804', 'filter of entity "vendors" is of type timestamp without time zone, not boolean');
UPDATE capforecast.binding SET filter = 'gone IS NULL' WHERE entity = 'vendors';
SELECT throws_ok($$SELECT capforecast._host_row(NULL::bigint, 'SELECT count(*) FROM {vendors}')$$, '42703', 'column "gone" of table "merchants" does not exist');
UPDATE capforecast.binding SET filter = NULL, columns = columns || '{"is_active": {"expression": "state"}}' WHERE entity = 'vendors';
SELECT throws_ok($$SELECT capforecast._host_row(NULL::bigint, 'SELECT count(*) FROM {vendors} v WHERE {v:vendors.is_active}')$$, '42804',
	'expression for "is_active" of table shop.merchants is of type integer, not boolean');
SELECT is((SELECT fix FROM capforecast._host_problems() WHERE subject = 'vendor_subscriptions'), NULL, 'nothing is wrong with the others');

-- The statement that doctor() proposes keeps all that is bound
ALTER TABLE shop.subs RENAME package TO plan_id;
SELECT is((SELECT fix FROM capforecast._host_problems() WHERE subject = 'vendor_subscriptions.tier'), $$SELECT capforecast.bind('vendor_subscriptions', 'shop.subs', '{"vendor_id": "merchant", "tier": "plan_id", "period_start": "starts", "period_end": "ends", "orders_this_period": null, "created_at": "made"}', words => '{"canceled": "cancelled", "trialing": "trial", "incomplete": null}', newest_by => 'made');$$, 'filter, words and newest_by, too');

SELECT * FROM finish();
ROLLBACK;
