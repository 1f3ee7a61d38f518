-- What holds for every object of the extension, those to come included.
BEGIN;
CREATE TEMP TABLE member ON COMMIT DROP AS
	SELECT d.classid, d.objid, i.type, i.identity, i.schema
	FROM pg_depend d CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) i
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
		AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'capforecast');
CREATE TEMP TABLE routine ON COMMIT DROP AS
	SELECT m.identity, p.*, l.lanname FROM member m JOIN pg_proc p ON p.oid = m.objid JOIN pg_language l ON l.oid = p.prolang
	WHERE m.classid = 'pg_proc'::regclass;

SELECT plan(15);

SELECT is_empty(
	$$SELECT type, identity FROM member WHERE schema IS DISTINCT FROM 'capforecast' AND identity NOT LIKE '%capforecast%'$$,
	'nothing lies outside of the schema');

-- Row types and array types belong to their tables and types; composite types that carry a table's or view's name, too.
SELECT is_empty(
	$$SELECT m.type, m.identity FROM member m
	  WHERE m.classid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass, 'pg_operator'::regclass)
		AND m.type NOT IN ('sequence', 'index', 'toast table')
		AND NOT EXISTS (SELECT FROM pg_type t WHERE m.classid = 'pg_type'::regclass AND t.oid = m.objid AND (t.typelem <> 0 OR t.typrelid <> 0
			AND (SELECT c.relkind FROM pg_class c WHERE c.oid = t.typrelid) <> 'c'))
		AND obj_description(m.objid, m.classid::regclass::name) IS NULL
		AND m.objid <> 'capforecast'::regnamespace$$,
	'every object has a comment');

-- C functions pin the path themselves, for the SQL that they run; without SQL there is no path.
-- A procedure that commits cannot have a SET clause, and a function that has one is not
-- inlined into the statement over all subscriptions: these qualify every name.
SELECT is_empty(
	$$SELECT identity, lanname FROM routine
	  WHERE lanname NOT IN ('c', 'internal') AND NOT coalesce(proconfig, '{}') @> '{"search_path=pg_catalog, pg_temp"}'
		AND prosqlbody IS NULL
		AND identity <> 'capforecast.run_maintenance()'
		AND proname NOT IN ('_boundary', '_months_apart', '_months_before', '_quota')$$,
	'every function has a pinned search_path');

-- The webhook's secret is compared by who may call the function, and read by nobody; a query
-- goes with its metric, whoever drops that.
SELECT set_eq(
	$$SELECT proname FROM routine WHERE prosecdef$$, $$VALUES ('_stripe_signature'::name), ('_drop_query')$$,
	'two functions run with the rights of their owner');

SELECT is_empty(
	$$SELECT r.identity FROM routine r CROSS JOIN LATERAL aclexplode(coalesce(r.proacl, acldefault('f', r.proowner))) a
	  WHERE a.grantee = 0 AND (r.provolatile = 'v' AND r.prokind = 'f' OR r.prokind = 'p')$$,
	'nobody may write without a grant');

SELECT is_empty(
	$$SELECT r.identity FROM routine r WHERE r.provolatile <> 'v' AND r.prokind IN ('f', 'a')
		AND NOT EXISTS (SELECT FROM aclexplode(coalesce(r.proacl, acldefault('f', r.proowner))) a
						WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE')$$,
	'every reader may be called by whoever is let into the schema');

SELECT is_empty(
	$$SELECT c.oid::regclass, a.privilege_type FROM member m JOIN pg_class c ON c.oid = m.objid AND m.classid = 'pg_class'::regclass
		CROSS JOIN LATERAL aclexplode(c.relacl) a WHERE a.grantee = 0
	  UNION ALL
	  SELECT NULL, a.privilege_type FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) a
	  WHERE n.nspname = 'capforecast' AND a.grantee = 0$$,
	'no table, and not the schema, is open to everybody');

SELECT results_eq(
	$$SELECT c.oid::regclass::text FROM member m JOIN pg_class c ON c.oid = m.objid AND m.classid = 'pg_class'::regclass
	  WHERE c.relkind IN ('r', 'S')
		AND c.oid <> ALL ((SELECT extconfig FROM pg_extension WHERE extname = 'capforecast')::oid[]) ORDER BY 1$$,
	$$VALUES ('capforecast._secret'), ('capforecast._secret_key_a_seq'), ('capforecast._secret_key_b_seq')$$,
	'a dump carries every table and every sequence, but no secret');

SELECT is_empty(
	$$SELECT c.oid::regclass FROM member m JOIN pg_class c ON c.oid = m.objid AND m.classid = 'pg_class'::regclass
	  WHERE c.relkind = 'v' AND NOT coalesce(c.reloptions, '{}') && '{security_invoker=true,security_invoker=on}'$$,
	'views are read with the rights of the caller');

SELECT is_empty(
	$$SELECT c.oid::regclass FROM member m JOIN pg_class c ON c.oid = m.objid AND m.classid = 'pg_class'::regclass
	  WHERE c.relname = '_secret' AND NOT c.relrowsecurity$$,
	'a grant on all tables shows no secret');

SELECT is_empty(
	$$SELECT c.oid::regclass FROM member m JOIN pg_class c ON c.oid = m.objid AND m.classid = 'pg_class'::regclass
	  WHERE c.relkind = 'r' AND c.relreplident <> 'f' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)$$,
	'a table that is published can be deleted from');

SELECT is_empty(
	$$SELECT identity FROM routine WHERE prosrc ~ 'pg_(try_)?advisory'$$,
	'no lock that whoever can log in can take');

-- What depends on now can be asked as of any time.
SELECT is_empty(
	$$SELECT identity FROM routine
	  WHERE 'as_of' = ANY (proargnames) AND proname !~ '^_'
		AND pronargdefaults < pronargs - (array_position(proargnames, 'as_of') - 1)$$,
	'as_of always has a default');

-- With one argument it would be read as a cast to the type, or to the array of the table's rows.
SELECT is_empty(
	$$SELECT r.identity FROM routine r JOIN pg_type t ON t.typname = r.proname AND t.typnamespace = r.pronamespace
	  WHERE r.pronargs - r.pronargdefaults <= 1 AND r.pronargs >= 1$$,
	'no function of one argument has the name of a type');

-- plpgsql_check where it is installed (Debian: postgresql-NN-plpgsql-check). pg_cron's tables are not in this database.
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'plpgsql_check') AS can_check \gset
\if :can_check
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS plpgsql_check;
RESET client_min_messages;
SELECT is_empty(
	$$SELECT r.identity, f.level, f.sqlstate, f.message, f.lineno
	  FROM routine r CROSS JOIN LATERAL plpgsql_check_function_tb(r.oid,
			CASE WHEN r.prorettype = 'trigger'::regtype THEN
				(SELECT t.tgrelid FROM pg_trigger t WHERE t.tgfoid = r.oid LIMIT 1) ELSE 0 END,
			performance_warnings => false, extra_warnings => true, security_warnings => true) f
	  WHERE r.lanname = 'plpgsql' AND f.message !~ '"cron(\.job)?" does not exist'
		-- Statements over the host's tables are made from templates, whose names are quoted in src/host.
		AND f.message !~ '^OUT variable|not sanitized|of dynamic SQL|^target type is different|^unused parameter|reserved keyword'$$,
	'plpgsql_check finds nothing');
\else
SELECT skip('plpgsql_check is not installed', 1);
\endif

SELECT * FROM finish();
ROLLBACK;
