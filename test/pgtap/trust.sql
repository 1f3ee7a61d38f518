-- Whose code runs with the caller's rights: each case with the roles that meet in it.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = public;

-- A platform whose tables belong to its application; an operator who may write them and bind,
-- a dashboard that reads, a member of the operator, somebody with nothing.
CREATE ROLE t_app;
CREATE ROLE t_operator;
CREATE ROLE t_dashboard;
CREATE ROLE t_member IN ROLE t_operator;
CREATE ROLE t_nobody;
CREATE ROLE t_admin SUPERUSER;
GRANT USAGE ON SCHEMA capforecast, public TO t_app, t_operator, t_dashboard, t_nobody;
GRANT SELECT ON ALL TABLES IN SCHEMA capforecast, public TO t_app, t_operator, t_dashboard;
GRANT INSERT, UPDATE, DELETE ON capforecast.binding, capforecast.capacity_snapshots, capforecast.job_run TO t_operator, t_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA capforecast TO t_operator, t_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA capforecast TO t_operator, t_app, t_member;
GRANT UPDATE ON vendors, vendor_subscriptions TO t_operator;
CREATE SCHEMA op AUTHORIZATION t_operator;
GRANT USAGE ON SCHEMA op TO PUBLIC;
DO $$
DECLARE t regclass;
BEGIN
	FOR t IN SELECT c.oid FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
		EXECUTE format('ALTER TABLE %s OWNER TO t_app', t);
	END LOOP;
END $$;
INSERT INTO vendors (id, vendor_code, name) VALUES (1, 'a', 'A'), (2, 'b', 'B');

-- What a role gets to see: the number of vendors, or the error with its word.
CREATE FUNCTION pg_temp.seen_by(role name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	n text;
	word text;
	hint text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	BEGIN
		n := capforecast._host_row(NULL::bigint, 'SELECT count(*) FROM {vendors} v WHERE {v:vendors.is_active}');
	EXCEPTION WHEN insufficient_privilege THEN
		GET STACKED DIAGNOSTICS n = MESSAGE_TEXT, word = CONSTRAINT_NAME, hint = PG_EXCEPTION_HINT;
		IF n !~ '^permission denied' THEN
			n := word;
		END IF;
	END;
	RESET ROLE;
	RETURN n;
END $$;
CREATE FUNCTION pg_temp.writes_as(role name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	n text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	BEGIN
		n := capforecast._host_execute('UPDATE {vendors} v SET {!vendors.name} = {!vendors.name}');
	EXCEPTION WHEN insufficient_privilege THEN
		GET STACKED DIAGNOSTICS n = CONSTRAINT_NAME;
	END;
	RESET ROLE;
	RETURN n;
END $$;
CREATE FUNCTION pg_temp.bind_as(role name, relation text, columns jsonb DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	PERFORM capforecast.bind('vendors', relation::regclass, columns);
	RESET ROLE;
END $$;
-- Everybody at once: app, operator, member, dashboard, superuser.
CREATE FUNCTION pg_temp.seen() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(pg_temp.seen_by(r), ' ' ORDER BY n) FROM unnest('{t_app,t_operator,t_dashboard,t_admin}'::name[]) WITH ORDINALITY AS x(r, n)
$$;

-- T7: default names, plain tables of the application
SELECT is(pg_temp.seen(), '2 2 2 2', 'T7 plain tables of the application are read by everybody');
SELECT is(pg_temp.writes_as('t_operator'), '2', 'T7 and written by who may');
SELECT is(pg_temp.writes_as('t_admin'), 'untrusted_binding', 'T7 but not by a superuser');
SET ROLE t_admin;
SELECT is((SELECT array_agg(DISTINCT sqlstate) FROM capforecast._host_problems() WHERE subject = 'vendors'), '{01007}', 'T7 who is warned');
SELECT is((SELECT severity FROM capforecast.doctor() WHERE subject = 'vendors'), 'warning', 'T7 by doctor()');
RESET ROLE;

-- T24: what a session has of the same name
CREATE TEMP TABLE vendors (id bigint, is_active boolean);
CREATE FUNCTION pg_temp.count(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 77::bigint';
GRANT SELECT ON pg_temp.vendors TO PUBLIC;
SELECT is(pg_temp.seen(), '2 2 2 2', 'T24 temporary objects are not in reach');
DROP TABLE pg_temp.vendors;

-- T1 to T3: a view with a function, bound by the operator
SET ROLE t_operator;
CREATE FUNCTION op.pwn() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF current_user <> 't_operator' AND (SELECT p.proowner::regrole::text = 't_operator' FROM pg_proc p WHERE p.oid = 'op.pwn'::regproc) THEN
		RAISE EXCEPTION 'code of t_operator ran as %', current_user;
	END IF;
	RETURN true;
END $$;
CREATE VIEW op.v AS SELECT id, name, is_active, created_at FROM public.vendors WHERE op.pwn();
GRANT SELECT ON op.v TO PUBLIC;
SELECT pg_temp.bind_as('t_operator', 'op.v');
SELECT is(pg_temp.seen_by('t_operator'), '2', 'T1 the operator uses a view of its own');
SELECT is(pg_temp.seen_by('t_admin'), 'untrusted_binding', 'T1 a superuser does not');
SELECT is(pg_temp.seen_by('t_dashboard'), 'untrusted_binding', 'T2 nor who is no member');
SELECT is((SELECT (total_vendors, total_products)::text FROM capforecast.capture_daily_snapshot(true)), '(,0)', 'T2 the snapshot goes without');
SELECT matches(detail -> 'vendors' ->> 'message', '^binding of entity "vendors" was made by role t_operator, which role postgres does not trust', 'T2 and says why')
FROM capforecast.job_run ORDER BY run_id DESC LIMIT 1;
SELECT is((SELECT severity FROM capforecast.doctor() WHERE subject = 'vendors'), 'error', 'and doctor(), too');
GRANT t_operator TO t_dashboard;
SELECT throws_ok($$SELECT pg_temp.seen_by('t_dashboard')$$, 'P0001', 'code of t_operator ran as t_dashboard', 'T3 granted the operator: used');
REVOKE t_operator FROM t_dashboard;
SELECT is(pg_temp.seen_by('t_dashboard'), 'untrusted_binding', 'T3 and no longer, in the same session');

-- T4: bound by a member as itself
GRANT t_operator TO t_member;
SELECT pg_temp.bind_as('t_member', 'public.vendors');
SELECT is(pg_temp.seen(), 'untrusted_binding untrusted_binding untrusted_binding untrusted_binding', 'T4 bound by somebody whom nobody has been granted');
SELECT is(pg_temp.seen_by('t_member'), '2', 'T4 but to itself');
SET ROLE t_operator;
SELECT throws_ok($$SELECT capforecast._host_row(NULL::bigint, 'SELECT count(*) FROM {vendors}')$$, '42501',
	'binding of entity "vendors" was made by role t_member, which role t_operator does not trust');
SELECT is((SELECT fix FROM capforecast._host_problems() WHERE subject = 'vendors'), $$SET ROLE t_operator; SELECT capforecast.bind('vendors', 'public.vendors');$$, 'T4 with the statement that mends it');
RESET ROLE;

-- T5: bound by a superuser to a view of the operator: its owner is asked at use
SELECT pg_temp.bind_as('t_admin', 'op.v');
SELECT is(pg_temp.seen(), 'untrusted_binding 2 untrusted_binding untrusted_binding', 'T5 a view of the operator');
ALTER VIEW op.v OWNER TO t_admin;
SELECT is(pg_temp.seen(), 'untrusted_binding 2 untrusted_binding untrusted_binding', 'T6 with a function of the operator in it');
ALTER FUNCTION op.pwn() OWNER TO t_admin;
SELECT is(pg_temp.seen(), '2 2 2 2', 'T5 all of a superuser');
CREATE OR REPLACE VIEW op.v AS SELECT id, name, is_active, created_at FROM public.vendors WHERE false;
SELECT is(pg_temp.seen(), '0 0 0 0', 'T5 replaced');
ALTER VIEW op.v OWNER TO t_operator;
SELECT is(pg_temp.seen(), 'untrusted_binding 0 untrusted_binding untrusted_binding', 'T5 and given back to the operator');

-- T6: a trusted view over an untrusted one
CREATE VIEW public.over AS SELECT * FROM op.v;
GRANT SELECT ON public.over TO PUBLIC;
SELECT pg_temp.bind_as('t_admin', 'public.over');
SELECT is(pg_temp.seen(), 'untrusted_binding 0 untrusted_binding untrusted_binding', 'T6 the walk goes down');
CREATE VIEW public.over2 AS SELECT id, name, is_active, created_at FROM public.vendors WHERE id IN (SELECT id FROM op.v) OR true;
GRANT SELECT ON public.over2 TO PUBLIC;
SELECT pg_temp.bind_as('t_admin', 'public.over2');
SELECT is(pg_temp.seen(), 'untrusted_binding 2 untrusted_binding untrusted_binding', 'T6 into subqueries');
SET ROLE t_operator;
CREATE FUNCTION op.less(bigint, bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE OPERATOR op.<<< (FUNCTION = op.less, LEFTARG = bigint, RIGHTARG = bigint);
CREATE DOMAIN op.d AS text CHECK (op.pwn());
CREATE TYPE op.e AS ENUM ('x', 'y');
CREATE FUNCTION op.e_text(op.e) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'cast by %', current_user; END $$;
CREATE AGGREGATE op.agg (bigint) (SFUNC = int8pl, STYPE = bigint, INITCOND = '0');
RESET ROLE;
CREATE CAST (op.e AS text) WITH FUNCTION op.e_text(op.e);
ALTER FUNCTION op.pwn() OWNER TO t_operator;
CREATE FUNCTION pg_temp.through(select_list text, more text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'DROP VIEW IF EXISTS public.through';
	EXECUTE format('CREATE VIEW public.through AS SELECT v.id, v.name, %s, v.created_at FROM public.vendors v %s', select_list, more);
	GRANT SELECT ON public.through TO PUBLIC;
	ALTER VIEW public.through OWNER TO t_admin;
	PERFORM pg_temp.bind_as('t_admin', 'public.through');
	RETURN pg_temp.seen_by('t_admin') || ' ' || pg_temp.seen_by('t_dashboard');
END $$;
SELECT is(pg_temp.through('v.is_active'), '2 2', 'nothing in it');
SELECT is(pg_temp.through(what), 'untrusted_binding untrusted_binding', 'T6 ' || what) FROM unnest(ARRAY[
	'op.pwn() AS is_active', 'v.id OPERATOR(op.<<<) 3 AS is_active', 'v.name::op.d IS NOT NULL AS is_active', '''x''::op.e::text = ''cast'' AS is_active',
	'(SELECT op.agg(p.id) FROM products p) = 0 AS is_active', 'CASE WHEN op.pwn() THEN true END AS is_active',
	'EXISTS (SELECT FROM LATERAL (SELECT op.pwn()) f) AS is_active', 'v.id OPERATOR(op.<<<) ANY (''{1}''::bigint[]) AS is_active']) what;
SELECT is(pg_temp.through('v.is_active', more), 'untrusted_binding untrusted_binding', 'T6 ' || more) FROM unnest(ARRAY[
	'WHERE op.pwn()', 'ORDER BY op.pwn()', 'JOIN LATERAL op.pwn() f ON true', 'LEFT JOIN products p ON op.pwn()', 'LIMIT CASE WHEN op.pwn() THEN 1 END']) more;
SELECT is(pg_temp.through('v.is_active', 'WHERE EXISTS (WITH w AS (SELECT op.pwn() AS x) SELECT FROM w)'), 'untrusted_binding untrusted_binding', 'T6 in a WITH');
DROP VIEW public.through;

-- T10, T11, T26: the registrar changes
CREATE ROLE t_gone SUPERUSER;
SELECT pg_temp.bind_as('t_gone', 'public.vendors');
SELECT is(pg_temp.seen(), '2 2 2 2', 'bound by a superuser');
ALTER ROLE t_gone NOSUPERUSER;
SELECT is(pg_temp.seen(), 'untrusted_binding untrusted_binding untrusted_binding untrusted_binding', 'T11 who is none any more');
ALTER ROLE t_gone SUPERUSER;
ALTER ROLE t_gone RENAME TO t_renamed;
SELECT is(pg_temp.seen(), 'suspended_binding suspended_binding suspended_binding suspended_binding', 'T26 renamed');
SELECT is((SELECT severity || ': ' || fix FROM capforecast.doctor() WHERE subject = 'vendors'),
	'error: SET ROLE postgres; SELECT capforecast.bind(''vendors'', ''public.vendors'');', 'T26 doctor() has the statement');
DROP ROLE t_renamed;
CREATE ROLE t_gone SUPERUSER;
SELECT is(pg_temp.seen(), 'suspended_binding suspended_binding suspended_binding suspended_binding', 'T10 another role of the name inherits nothing');

-- T8, T22, T23: rows that a dump, an operator or a replica writes
UPDATE capforecast.binding SET registrar = 10, registrar_name = 't_operator';
SELECT is((SELECT registrar::regrole::text FROM capforecast.binding), 't_operator', 'T8 restored by name');
DELETE FROM capforecast.binding;
INSERT INTO capforecast.binding VALUES ('vendors', 'public', 'vendors', '{}', NULL, '{}', NULL, 10, 't_elsewhere');
SELECT is((SELECT registrar || ' ' || registrar_name FROM capforecast.binding), '0 t_elsewhere', 'T8 a role that is not here is kept');
SELECT is(pg_temp.seen(), 'suspended_binding suspended_binding suspended_binding suspended_binding', 'T8 and suspended');
SET ROLE t_operator;
DELETE FROM capforecast.binding;
INSERT INTO capforecast.binding VALUES ('vendors', 'public', 'vendors', '{}', NULL, '{}', NULL, 10, 'postgres');
RESET ROLE;
SELECT is((SELECT registrar::regrole || ' ' || registrar_name FROM capforecast.binding), 't_operator t_operator', 'T22 nobody registers as somebody else');
SET ROLE t_operator;
UPDATE capforecast.binding SET registrar = 10, registrar_name = 'postgres';
RESET ROLE;
SELECT is((SELECT registrar::regrole || ' ' || registrar_name FROM capforecast.binding), 't_operator t_operator', 'T22 nor later');
SELECT pg_temp.bind_as('t_admin', 'public.vendors');
SET ROLE t_operator;
UPDATE capforecast.binding SET table_name = 'products';
RESET ROLE;
SELECT is((SELECT registrar_name FROM capforecast.binding), 't_operator', 'T22 who changes a binding is its registrar');
SET LOCAL session_replication_role = replica;
UPDATE capforecast.binding SET table_name = 'vendors', registrar = 10, registrar_name = 't_operator';
SET LOCAL session_replication_role = origin;
SELECT is(pg_temp.seen(), 'suspended_binding suspended_binding suspended_binding suspended_binding', 'T23 oid and name disagree');
DELETE FROM capforecast.binding;

-- T12, T13: the owner of the database
CREATE ROLE t_owner;
SELECT format('ALTER DATABASE %I OWNER TO t_owner', current_database()) \gexec
CREATE SCHEMA own AUTHORIZATION t_owner;
GRANT USAGE ON SCHEMA own TO PUBLIC;
GRANT ALL ON capforecast.binding TO t_owner;
GRANT USAGE ON SCHEMA capforecast TO t_owner;
GRANT EXECUTE ON FUNCTION capforecast.bind TO t_owner;
CREATE VIEW own.v AS SELECT id, name, is_active, created_at FROM public.vendors;
ALTER VIEW own.v OWNER TO t_owner;
GRANT SELECT ON own.v TO PUBLIC;
GRANT SELECT ON public.vendors TO t_owner;
SELECT pg_temp.bind_as('t_owner', 'own.v');
SELECT is(pg_temp.seen(), '2 2 2 untrusted_binding', 'T12, T13 the owner of the database is trusted, but not by a superuser');

-- T14: security_invoker makes no difference to whose code it is
CREATE VIEW own.i WITH (security_invoker) AS SELECT id, name, is_active, created_at FROM public.vendors;
ALTER VIEW own.i OWNER TO t_admin;
GRANT SELECT ON own.i TO PUBLIC;
SELECT pg_temp.bind_as('t_admin', 'own.i');
SELECT is(pg_temp.seen(), '2 2 2 2', 'T14 with the caller''s grants');
REVOKE SELECT ON public.vendors FROM t_dashboard;
SELECT is(pg_temp.seen_by('t_dashboard'), 'permission denied for table vendors', 'T14 which are needed');
GRANT SELECT ON public.vendors TO t_dashboard;

-- T15: policies of others are not run
SET ROLE t_operator;
CREATE TABLE op.t AS SELECT id, name, is_active, created_at FROM public.vendors;
GRANT SELECT ON op.t TO PUBLIC;
CREATE POLICY p ON op.t USING (op.pwn());
ALTER TABLE op.t ENABLE ROW LEVEL SECURITY;
RESET ROLE;
SELECT pg_temp.bind_as('t_admin', 'op.t');
SET ROLE t_dashboard;
SELECT throws_ok($$SELECT capforecast._host_row(NULL::bigint, 'SELECT count(*) FROM {vendors}')$$, '42501', 'row-level security of table op.t applies to role t_dashboard');
RESET ROLE;
SELECT is(pg_temp.seen_by('t_admin'), '2', 'T15 a superuser reads the plain table');
ALTER TABLE op.t DISABLE ROW LEVEL SECURITY;

-- Code that the planner runs of a plain table
SELECT is(pg_temp.seen_by('t_admin'), '2', 'a plain table of somebody else');
SET ROLE t_operator;
CREATE FUNCTION op.imm(bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE INDEX i ON op.t (id) WHERE op.imm(1);
RESET ROLE;
SELECT is(pg_temp.seen_by('t_admin') || ' ' || pg_temp.seen_by('t_dashboard'), 'untrusted_binding 2', 'its index has code of its owner');
DROP INDEX op.i;
CREATE STATISTICS op.s ON (op.imm(id)), name FROM op.t;
SELECT is(pg_temp.seen_by('t_admin'), 'untrusted_binding', 'its statistics have');
DROP STATISTICS op.s;
ALTER TABLE op.t ADD CONSTRAINT c CHECK (op.imm(id));
SELECT is(pg_temp.seen_by('t_admin'), 'untrusted_binding', 'its constraint has');
ALTER TABLE op.t DROP CONSTRAINT c;
SELECT is(pg_temp.seen_by('t_admin'), '2', 'and without them it is read');

-- T16: types of others are read through their output function
SET ROLE t_operator;
CREATE TABLE op.en (id bigint, name op.e, is_active boolean, created_at timestamptz);
INSERT INTO op.en VALUES (1, 'x', true, now()), (2, 'y', true, now());
GRANT SELECT ON op.en TO PUBLIC;
RESET ROLE;
SELECT pg_temp.bind_as('t_admin', 'op.en');
SET ROLE t_admin;
SELECT is(capforecast._host_row(NULL::text, 'SELECT string_agg({v:vendors.name}, '' '' ORDER BY {v:vendors.id}) FROM {vendors} v'), 'x y', 'T16 not through a cast of its owner');
SELECT throws_ok($$SELECT capforecast._host_row(NULL::text, 'SELECT min(v.name::text) FROM {vendors} v')$$, '42501',
	'function op.e_text(op.e) belongs to role t_operator, which role t_admin does not trust', 'T16 the cast is found');
RESET ROLE;

-- T17: foreign tables
CREATE FOREIGN DATA WRAPPER t_fdw;
CREATE SERVER t_server FOREIGN DATA WRAPPER t_fdw;
CREATE FOREIGN TABLE public.f (id bigint, name text, is_active boolean, created_at timestamptz) SERVER t_server;
SELECT is((SELECT array_agg(t) FROM unnest(ARRAY[capforecast._host_trusts('public.f'), capforecast._host_trusts('public.vendors'), capforecast._host_trusts('op.v')]) t),
	'{t,t,f}', 'T17 a server of a superuser');
GRANT USAGE ON FOREIGN DATA WRAPPER t_fdw TO t_operator;
ALTER SERVER t_server OWNER TO t_operator;
SELECT is(capforecast._host_trusts('public.f'), false, 'T17 of somebody else');

-- T20, T21: what is registered runs as who registered it, whoever runs the job; and goes with its role
CREATE ROLE t_alice;
CREATE ROLE t_leaver;
CREATE ROLE t_runner;
SELECT capforecast.grant_access(r, 'operator') FROM unnest('{t_alice,t_leaver,t_runner}'::regrole[]) r \g /dev/null
CREATE SCHEMA hers AUTHORIZATION t_alice;
SET ROLE t_alice;
CREATE TABLE hers.sevens AS SELECT 7 AS n;
SELECT capforecast.add_metric('hers', 'SELECT n FROM hers.sevens') \g /dev/null
SET ROLE t_leaver;
SELECT capforecast.add_metric('left_behind', 'SELECT 1') \g /dev/null
SELECT capforecast.bind_image_storage('SELECT 4096') \g /dev/null
RESET ROLE;
SET ROLE t_runner;
SELECT throws_ok('SELECT n FROM hers.sevens', '42501', NULL, 'T20 what the runner may not read');
SELECT is(capforecast.capture_metrics(), 2::bigint, 'T20 both are measured');
SELECT is((SELECT value FROM capforecast.metric_value WHERE metric = 'hers'), 7::double precision, 'T20 by the right of who registered it');
RESET ROLE;
DELETE FROM capforecast.metric_value;
DROP OWNED BY t_leaver;
DROP ROLE t_leaver;
SET ROLE t_runner;
SELECT is(capforecast.capture_metrics(), 1::bigint, 'T21 of a role that is gone: nothing else stops');
SELECT is((SELECT detail -> 'left_behind' ->> 'message' FROM capforecast.job_run WHERE job = 'capture_metrics' ORDER BY run_id DESC LIMIT 1),
	'registration is suspended', 'T21 and why');
SELECT is((SELECT (total_vendors, storage_used_gb)::text FROM capforecast.capture_daily_snapshot(true)), '(2,)', 'T21 nor does the day');
SELECT is((SELECT detail -> 'image_storage' ->> 'message' FROM capforecast.job_run WHERE job = 'capture_daily_snapshot' ORDER BY run_id DESC LIMIT 1),
	'registration is suspended (SQLSTATE 42501)', 'T21 and why');
RESET ROLE;
CREATE ROLE t_leaver SUPERUSER;
DELETE FROM capforecast.metric_value;
SET ROLE t_runner;
SELECT is(capforecast.capture_metrics(), 1::bigint, 'T21 a new role of its name inherits nothing');
SELECT is((SELECT failed FROM capforecast.job_run WHERE job = 'capture_metrics' ORDER BY run_id DESC LIMIT 1), 1::bigint, 'T21 and it is said');
RESET ROLE;
SELECT capforecast.drop_metric('left_behind'), capforecast.drop_metric('hers'), capforecast.bind_image_storage() \g /dev/null

-- Code that a write runs besides: who was granted all on a superuser's table may put a trigger there
CREATE TABLE public.ours AS SELECT id, name, is_active, created_at FROM public.vendors;
ALTER TABLE public.ours OWNER TO t_admin;
GRANT ALL ON public.ours TO t_operator, t_dashboard, t_app;
SELECT pg_temp.bind_as('t_admin', 'public.ours');
SELECT is(pg_temp.writes_as('t_admin'), '2', 'a table of a superuser is written by a superuser');
SET ROLE t_operator;
CREATE FUNCTION op.fires() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
CREATE TRIGGER t BEFORE UPDATE ON public.ours FOR EACH ROW EXECUTE FUNCTION op.fires();
RESET ROLE;
SELECT is(pg_temp.writes_as('t_admin'), 'untrusted_binding', 'not with a trigger of the operator');
SELECT is(pg_temp.seen_by('t_admin') || ' ' || pg_temp.writes_as('t_operator'), '2 2', 'it is read, and written by the operator');
ALTER TABLE public.ours DISABLE TRIGGER t;
SELECT is(pg_temp.writes_as('t_admin'), '2', 'a trigger that is disabled does not run');
ALTER TABLE public.ours ENABLE ALWAYS TRIGGER t;
ALTER FUNCTION op.fires() OWNER TO t_admin;
SELECT is(pg_temp.writes_as('t_admin'), '2', 'one of a superuser does');
DROP TRIGGER t ON public.ours;
CREATE TRIGGER t BEFORE UPDATE ON public.ours FOR EACH ROW WHEN (op.imm(new.id)) EXECUTE FUNCTION op.fires();
SELECT is(pg_temp.writes_as('t_admin'), 'untrusted_binding', 'its condition is code, too');
DROP TRIGGER t ON public.ours;
ALTER TABLE public.ours ADD at_once bigint GENERATED ALWAYS AS (CASE WHEN op.imm(id) THEN id END) STORED;
SELECT is(pg_temp.writes_as('t_admin') || ' ' || pg_temp.seen_by('t_admin'), 'untrusted_binding 2', 'a generated column');
ALTER TABLE public.ours DROP at_once;
ALTER TABLE public.ours ADD made_by text DEFAULT op.imm(1)::text;
SELECT is(pg_temp.writes_as('t_admin'), 'untrusted_binding', 'a default');
ALTER TABLE public.ours DROP made_by;
CREATE INDEX mine ON public.ours (op.imm(id));
SELECT is(pg_temp.seen_by('t_admin') || ' ' || pg_temp.seen_by('t_dashboard'), 'untrusted_binding 2', 'an index over a function of the operator');
DROP INDEX public.mine;
CREATE TABLE public.more () INHERITS (public.ours);
ALTER TABLE public.more OWNER TO t_operator;
SELECT is(pg_temp.seen_by('t_admin') || ' ' || pg_temp.writes_as('t_admin'), '2 untrusted_binding', 'a child that belongs to the operator');
ALTER TABLE public.more ADD CONSTRAINT c CHECK (op.imm(id));
SELECT is(pg_temp.seen_by('t_admin'), 'untrusted_binding', 'and its constraint');
DROP TABLE public.more;
CREATE FOREIGN TABLE public.far () INHERITS (public.ours) SERVER t_server;
ALTER FOREIGN TABLE public.far OWNER TO t_admin;
SELECT is(pg_temp.seen_by('t_admin'), 'untrusted_binding', 'a child on a server of the operator');
DROP FOREIGN TABLE public.far;
SELECT is(pg_temp.seen_by('t_admin') || ' ' || pg_temp.writes_as('t_admin'), '2 2', 'and without all of them');
CREATE RULE also AS ON UPDATE TO public.ours DO ALSO SELECT op.pwn();
SELECT is(pg_temp.writes_as('t_admin') || ' ' || pg_temp.writes_as('t_app'), 'untrusted_binding untrusted_binding', 'a rule');
DROP RULE also ON public.ours;
CREATE VIEW public.over_ours AS SELECT id, name, is_active, created_at FROM public.ours;
ALTER VIEW public.over_ours OWNER TO t_admin;
GRANT ALL ON public.over_ours TO t_operator, t_dashboard;
SELECT pg_temp.bind_as('t_admin', 'public.over_ours');
SELECT is(pg_temp.writes_as('t_admin'), '2', 'a view is written through');
ALTER FUNCTION op.fires() OWNER TO t_operator;
SET ROLE t_operator;
CREATE TRIGGER t INSTEAD OF UPDATE ON public.over_ours FOR EACH ROW EXECUTE FUNCTION op.fires();
RESET ROLE;
SELECT is(pg_temp.writes_as('t_admin') || ' ' || pg_temp.seen_by('t_admin'), 'untrusted_binding 2', 'not with a trigger of the operator instead');
DROP TRIGGER t ON public.over_ours;
CREATE TABLE op.parts (id bigint, name text, is_active boolean, created_at timestamptz) PARTITION BY RANGE (abs(id));
CREATE TABLE op.part PARTITION OF op.parts FOR VALUES FROM (0) TO (100);
INSERT INTO op.parts SELECT id, name, is_active, created_at FROM public.vendors;
ALTER TABLE op.parts OWNER TO t_operator;
ALTER TABLE op.part OWNER TO t_operator;
GRANT SELECT ON op.parts TO PUBLIC;
SELECT pg_temp.bind_as('t_admin', 'op.parts');
SELECT is(pg_temp.seen_by('t_admin'), '2', 'partitions of somebody else are read as plain tables');
CREATE INDEX i ON op.part (op.imm(id));
SELECT is(pg_temp.seen_by('t_admin'), 'untrusted_binding', 'but for code that only one of them has');

-- Types whose making runs code; what does not keep it out
SET ROLE t_operator;
CREATE TYPE op.pair AS (a op.d, b text);
CREATE TYPE op.span AS RANGE (SUBTYPE = bigint);
RESET ROLE;
SELECT is(pg_temp.through(what), 'untrusted_binding untrusted_binding', 'T6 ' || what) FROM unnest(ARRAY[
	'(jsonb_populate_record(NULL::op.pair, ''{"a": "x"}'')).b IS NULL AS is_active', '(''(x,y)''::text::op.pair).b = ''y'' AS is_active',
	'cardinality(''{x}''::text::op.d[]) = 1 AS is_active']) what;
SELECT is(pg_temp.through('''[1,2]''::text::op.span IS NOT NULL AS is_active'), '2 2', 'a type without code of its own');
CREATE VIEW public.barred WITH (security_barrier) AS SELECT id, name, is_active, created_at FROM op.v;
ALTER VIEW public.barred OWNER TO t_admin;
GRANT SELECT ON public.barred TO PUBLIC;
SELECT pg_temp.bind_as('t_admin', 'public.barred');
SELECT is(pg_temp.seen(), 'untrusted_binding 0 untrusted_binding untrusted_binding', 'T6 under a security barrier');
CREATE FUNCTION public.helper() RETURNS boolean LANGUAGE sql SECURITY DEFINER AS 'SELECT true';
ALTER FUNCTION public.helper() OWNER TO t_operator;
SELECT is(pg_temp.through('public.helper() AS is_active'), 'untrusted_binding untrusted_binding', 'T6 a function that runs with its owner''s rights');
DROP VIEW public.through;

-- A role that was granted to a superuser makes it trust nothing more
GRANT t_operator TO t_admin;
SELECT pg_temp.bind_as('t_admin', 'op.v');
SELECT is(pg_temp.seen_by('t_admin'), 'untrusted_binding', 'a superuser trusts superusers only');
REVOKE t_operator FROM t_admin;
DELETE FROM capforecast.binding;

-- T19: the mirror of Stripe's tables
CREATE SCHEMA stripe;
CREATE VIEW stripe.subscriptions AS SELECT '{}'::jsonb AS _raw_data WHERE op.pwn();
ALTER VIEW stripe.subscriptions OWNER TO t_admin;
SELECT throws_ok($$SELECT capforecast._stripe_relation('subscriptions')$$, '42501', 'stripe.subscriptions reaches what belongs to a role that postgres does not trust', 'T19 a mirror with code of somebody else');
DROP VIEW stripe.subscriptions;
CREATE TABLE stripe.subscriptions (_raw_data jsonb);
ALTER TABLE stripe.subscriptions OWNER TO t_app;
SELECT is(capforecast._stripe_relation('subscriptions')::text, 'stripe.subscriptions', 'T19 plain tables are read');

-- T18, T25: a default name that somebody has taken; a materialized view
DELETE FROM capforecast.binding;
DROP TABLE vendor_users CASCADE;
SET ROLE t_operator;
CREATE VIEW op.vendor_users AS SELECT 1 AS id, 1 AS vendor_id, true AS is_active, now() AS created_at WHERE op.pwn();
RESET ROLE;
ALTER VIEW op.vendor_users SET SCHEMA public;
GRANT SELECT ON public.vendor_users TO PUBLIC;
SET ROLE t_admin;
SELECT throws_ok('SELECT * FROM capforecast.subscription_capacity()', '42501', 'view public.vendor_users belongs to role t_operator, which role t_admin does not trust', 'T18');
SELECT is((SELECT (total_vendors, total_team_members)::text FROM capforecast.capture_daily_snapshot(true)), '(2,)', 'T18 the snapshot goes without');
RESET ROLE;
DROP VIEW public.vendor_users;
CREATE MATERIALIZED VIEW public.vendor_users AS SELECT 1 AS id, 1 AS vendor_id, true AS is_active, now() AS created_at;
ALTER MATERIALIZED VIEW public.vendor_users OWNER TO t_app;
SET ROLE t_admin;
SELECT is((SELECT (total_vendors, total_team_members)::text FROM capforecast.capture_daily_snapshot(true)), '(2,1)', 'T25 no code runs where a materialized view is read');
RESET ROLE;

-- Relations that no entity can stand for
SELECT throws_ok($$SELECT capforecast.bind('vendors', 'pg_class')$$, '22023', NULL, 'a catalog');
SELECT throws_ok($$SELECT capforecast.bind('vendors', 'information_schema.tables')$$, '22023', NULL, 'the information schema');
SELECT throws_ok($$SELECT capforecast.bind('vendors', 'capforecast.job_run')$$, '22023', NULL, 'a table of the extension');
INSERT INTO capforecast.binding VALUES ('vendors', 'pg_catalog', 'pg_class', '{"id": "oid", "is_active": null, "name": "relname", "created_at": "oid"}');
SELECT is(pg_temp.seen_by('t_admin'), 'untrusted_binding', 'written past bind(): at use');

SELECT * FROM finish();
ROLLBACK;
