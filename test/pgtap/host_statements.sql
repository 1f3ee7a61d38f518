-- Statements on the host's tables that a session keeps: what they return, and that they
-- follow every change of what the names stand for.
BEGIN;
SELECT no_plan();
SET LOCAL search_path = public;

INSERT INTO vendors (id, vendor_code, name, is_active) SELECT g, 'V' || g, 'Vendor ' || g, g <> 3 FROM generate_series(1, 4) g;

-- What comes back
CREATE TYPE public.vendor_row AS (id bigint, name text, is_active boolean);
SELECT is((SELECT array_agg(r::text ORDER BY r.id) FROM capforecast._host_rows(NULL::vendor_row,
		'SELECT {v:vendors.id}::bigint, {v:vendors.name}, {v:vendors.is_active} FROM {vendors} v') r),
	'{"(1,\"Vendor 1\",t)","(2,\"Vendor 2\",t)","(3,\"Vendor 3\",f)","(4,\"Vendor 4\",t)"}', 'rows of a named type');
SELECT is((SELECT array_agg(n ORDER BY n) FROM capforecast._host_rows(NULL::bigint, 'SELECT {vendors.id}::bigint FROM {vendors}') n),
	'{1,2,3,4}', 'a set of one column');
SELECT is(capforecast._host_row(NULL::vendor_row, 'SELECT {v:vendors.id}::bigint, {v:vendors.name}, {v:vendors.is_active}
	FROM {vendors} v WHERE {v:vendors.id} = {$1:vendors.id}', '3')::text, '(3,"Vendor 3",f)', 'one row, by a key that is text');
SELECT is(capforecast._host_row(NULL::text, 'SELECT {v:vendors.name} FROM {vendors} v WHERE {v:vendors.id} = {$1:vendors.id}', '77'), NULL, 'no row is NULL');
SELECT is(capforecast._host_row(NULL::text, 'SELECT $1 || $2::text || coalesce($3, ''-'')', 'a', 5, NULL), 'a5-', 'values of several types, one NULL');
SELECT is(capforecast._host_row(NULL::bigint, 'SELECT count(*) FROM {vendors} v WHERE {v:vendors.id} = ANY ($1)', ARRAY[1, 2, 9]::bigint[]), 2::bigint,
	'an array as one value');
SELECT throws_ok($$SELECT capforecast._host_row(NULL::integer, 'SELECT count(*) FROM {vendors}')$$, '42804',
	'column 1 ("value") of the template is of type bigint instead of integer');
SELECT throws_ok($$SELECT capforecast._host_row(NULL::vendor_row, 'SELECT 1')$$, '42804', 'template returns 1 columns instead of 3');
SELECT throws_ok($$SELECT capforecast._host_row(NULL::bigint, 'UPDATE {vendors} SET name = name')$$, '42804', 'template returns no rows');
SELECT throws_ok($$SELECT capforecast._host_row(NULL::bigint, NULL)$$, '22004', 'template must not be null');
SELECT throws_ok($$SELECT capforecast._host_row(NULL::bigint, 'SELECT 1', VARIADIC ARRAY[1])$$, '0A000',
	'values of a template cannot be given as a variadic array');
SELECT throws_ok($$SELECT capforecast._host_row(NULL::bigint, 'SELECT {nothing.id}')$$, '22023', 'entity "nothing" does not exist');
SELECT throws_ok($$SELECT capforecast._host_row(NULL::bigint, 'SELECT 1; SELECT 2')$$, '42601', 'template is not a single statement');

-- Pieces: what a function returns is a template again; braces of literals stay
SELECT is(capforecast._host_sql('SELECT {_host_set(''vendors'', ''name'', ''$1'')}, ''{0}''::int[]'),
	'SELECT name = CAST(($1) AS pg_catalog.text), ''{0}''::int[]', 'a piece with arguments');
SELECT is(capforecast._host_sql('{each:vendors}{if:products}SELECT count(*) FROM {vendors}{else}SELECT 0{end}{end} x'),
	'SELECT count(*) FROM public.vendors x', 'a table of one server is one part');
SELECT ok(capforecast._host_sql('SELECT * FROM {_subscriptions_sql()} s') LIKE '%FROM public.vendor_subscriptions s)%', 'a piece within a piece');

-- Writes: with what this transaction has written, and counted
SELECT is(capforecast._host_execute('UPDATE {vendors} v SET {!vendors.name} = {$2:vendors.name} WHERE {v:vendors.id} = {$1:vendors.id}', '2', 'New'), 1::bigint, 'rows written');
SELECT is((SELECT array_agg(n ORDER BY n) FROM capforecast._host_write(NULL::text, 'UPDATE {vendors} v SET {!vendors.name} = $1
	WHERE {v:vendors.name} = ''New'' RETURNING {v:vendors.name}', 'Newer') n), '{Newer}', 'rows that a write returns');
SELECT throws_ok($$SELECT count(*) FROM capforecast._host_rows(NULL::text, 'UPDATE {vendors} v SET name = name RETURNING name')$$, '0A000');

-- A kept statement follows the names
CREATE FUNCTION pg_temp.n() RETURNS bigint LANGUAGE sql AS $$
	SELECT capforecast._host_row(NULL::bigint, 'SELECT count(*) FILTER (WHERE {vendors.is_active}) FROM {vendors}') $$;
SELECT is(pg_temp.n(), 3::bigint, 'before');
CREATE TABLE tenants (id bigint, title text, enabled boolean, created_at timestamptz);
INSERT INTO tenants SELECT g, 'T', true, now() FROM generate_series(1, 10) g;
SELECT capforecast.bind('vendors', 'tenants', '{"is_active": "enabled", "name": "title"}');
SELECT is(pg_temp.n(), 10::bigint, 'bound to another table');
SAVEPOINT a;
SELECT capforecast.unbind('vendors');
SELECT is(pg_temp.n(), 3::bigint, 'unbound');
ROLLBACK TO a;
SELECT is(pg_temp.n(), 10::bigint, 'and not, when that is rolled back');
UPDATE capforecast.binding SET columns = '{"is_active": null, "name": null}' WHERE entity = 'vendors';
UPDATE tenants SET enabled = false;
SELECT is(pg_temp.n(), 10::bigint, 'changed by hand');
SET LOCAL session_replication_role = replica;
UPDATE capforecast.binding SET columns = '{"is_active": "enabled", "name": null}' WHERE entity = 'vendors';
SET LOCAL session_replication_role = origin;
SELECT is(pg_temp.n(), 0::bigint, 'changed where no trigger fires');
ALTER TABLE tenants RENAME TO tenants_old;
SELECT throws_ok('SELECT pg_temp.n()', '42P01', 'table public.tenants of entity "vendors" does not exist', 'the table is renamed');
CREATE VIEW tenants AS SELECT 1 AS id, true AS enabled, now() AS created_at;
SELECT is(pg_temp.n(), 1::bigint, 'and another of its name is there');
CREATE OR REPLACE VIEW tenants AS SELECT g AS id, true AS enabled, now() AS created_at FROM generate_series(1, 5) g;
SELECT is(pg_temp.n(), 5::bigint, 'a view that is replaced');
DROP VIEW tenants;
CREATE TABLE tenants (id bigint, enabled smallint, created_at timestamptz);
SELECT throws_ok('SELECT pg_temp.n()', '42804', 'column "enabled" of table public.tenants is of type smallint, not boolean', 'a column of another type');
ALTER TABLE tenants ALTER enabled TYPE boolean USING enabled > 0;
SELECT is(pg_temp.n(), 0::bigint, 'of the right type again');

-- Each role has its own
CREATE ROLE host_reader;
GRANT USAGE ON SCHEMA capforecast, public TO host_reader;
GRANT SELECT ON capforecast.binding TO host_reader;
SET ROLE host_reader;
SELECT throws_ok('SELECT pg_temp.n()', '42501', 'permission denied for table public.tenants', 'a plan of one role is none of another');
RESET ROLE;
GRANT SELECT ON tenants TO host_reader;
SET ROLE host_reader;
SELECT is(pg_temp.n(), 0::bigint, 'granted');
RESET ROLE;
REVOKE SELECT ON tenants FROM host_reader;
SET ROLE host_reader;
SELECT throws_ok('SELECT pg_temp.n()', '42501', 'permission denied for table public.tenants', 'and taken away');
RESET ROLE;
REVOKE SELECT ON capforecast.binding FROM host_reader;
SET ROLE host_reader;
SELECT throws_ok('SELECT pg_temp.n()', '42501', 'permission denied for table binding', 'the bindings are read with the rights of the caller, too');
RESET ROLE;

-- One within the other, and more than are kept
CREATE FUNCTION public.deep(n integer) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	IF n = 0 THEN RETURN 0; END IF;
	RETURN capforecast._host_row(NULL::bigint, 'SELECT public.deep($1) + 1 + 0 * (SELECT count(*) FROM {products})', n - 1);
END $$;
SELECT is(public.deep(20), 20::bigint, 'a statement within itself');
SELECT is((SELECT sum(capforecast._host_row(NULL::bigint, format('SELECT %s + count(*) FROM {products}', g))) FROM generate_series(1, 600) g), 180300::numeric,
	'more statements than a session keeps');
SELECT is(capforecast._host_row(NULL::bigint, 'SELECT sum(capforecast._host_row(NULL::bigint, format(''SELECT %s + count(*) FROM {products}'', g)))::bigint
	FROM generate_series(1, 300) g, {subscription_tiers} t WHERE {t:subscription_tiers.code} = ''essential'''), 45150::bigint,
	'also where the one that runs is the oldest');
DO $$ BEGIN PERFORM capforecast._host_row(NULL::bigint, 'SELECT 1 / count(*) FROM {products}'); EXCEPTION WHEN division_by_zero THEN NULL; END $$;
SELECT throws_ok($$SELECT capforecast._host_row(NULL::bigint, 'SELECT 1 / count(*) FROM {products}')$$, '22012', 'division by zero', 'a statement that has failed runs again');

SELECT * FROM finish();
ROLLBACK;
