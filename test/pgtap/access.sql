-- What each role can reach: by level, over every table, view, sequence and function, those to come included.
BEGIN;
SELECT no_plan();
SET client_min_messages = warning;
CREATE ROLE dashboard;
CREATE ROLE operator;
CREATE ROLE biller;
CREATE ROLE nobody_;
SELECT lives_ok($$SELECT capforecast.grant_access('dashboard', 'reader')$$, 'a reader');
SELECT lives_ok($$SELECT capforecast.grant_access('operator', 'operator')$$, 'an operator');
SELECT lives_ok($$SELECT capforecast.grant_access('biller', 'biller')$$, 'a biller');
SELECT throws_ok($$SELECT capforecast.grant_access('dashboard', 'owner')$$, '22023', NULL, 'no such level');
SELECT throws_ok($$SELECT capforecast.grant_access('dashboard', NULL)$$, '22023', NULL, 'nor none');
SELECT throws_ok($$SELECT capforecast.grant_access(NULL, 'reader')$$, '22023', NULL, 'nobody');

CREATE TEMP TABLE relation AS SELECT c.oid, c.relname, c.relkind FROM pg_class c WHERE c.relnamespace = 'capforecast'::regnamespace AND c.relkind IN ('r', 'v', 'S');
CREATE TEMP TABLE routine AS SELECT p.* FROM pg_proc p WHERE p.pronamespace = 'capforecast'::regnamespace;
SELECT is_empty($$SELECT relname FROM relation WHERE has_any_column_privilege('nobody_', oid, 'SELECT') OR relkind <> 'S' AND has_table_privilege('nobody_', oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
	OR relkind = 'S' AND has_sequence_privilege('nobody_', oid, 'USAGE, SELECT, UPDATE')$$, 'nobody reaches a table');
SELECT set_eq($$SELECT relname FROM relation WHERE relkind <> 'S' AND NOT has_any_column_privilege('dashboard', oid, 'SELECT')$$,
	'{_image_source,_metric_query,_secret,audit_log,request_log}'::name[], 'what a reader does not see');
SELECT ok(NOT has_column_privilege('dashboard', 'capforecast.stripe_event', 'payload', 'SELECT'), 'nor what webhooks brought');
SELECT is_empty($$SELECT relname FROM relation WHERE relkind <> 'S' AND has_table_privilege('dashboard', oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
	OR relkind = 'S' AND has_sequence_privilege('dashboard', oid, 'USAGE, SELECT, UPDATE')$$, 'a reader writes nothing');
SELECT is_empty($$SELECT oid::regprocedure FROM routine WHERE (provolatile = 'v' OR prokind = 'p') AND has_function_privilege('dashboard', oid, 'EXECUTE')$$, 'and calls nothing that does');
SELECT is_empty($$SELECT relname FROM relation WHERE relname ~ '^_secret' AND (relkind = 'S' AND has_sequence_privilege('operator', oid, 'USAGE, SELECT, UPDATE')
	OR relkind <> 'S' AND has_table_privilege('operator', oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE'))$$, 'an operator has nothing of the secrets');
SELECT set_eq($$SELECT relname FROM relation WHERE relkind = 'r' AND NOT has_table_privilege('operator', oid, 'INSERT') OR relkind = 'r' AND NOT has_table_privilege('operator', oid, 'UPDATE')$$,
	'{_secret,audit_log,binding}'::name[], 'and does not write bindings, secrets, and audited rows');
SELECT set_eq($$SELECT proname FROM routine WHERE prorettype <> 'trigger'::regtype AND NOT has_function_privilege('operator', oid, 'EXECUTE')$$,
	ARRAY(SELECT DISTINCT proname FROM routine WHERE proname IN ('_unseal', 'bind', 'unbind', 'bind_preset', 'grant_access')), 'nor may bind or grant');
SELECT is_empty($$SELECT relname FROM relation WHERE relname IN ('_metric_query', '_image_source') AND has_table_privilege('biller', oid, 'SELECT')$$, 'a biller sees no queries');
SELECT is_empty($$SELECT oid::regprocedure FROM routine WHERE proname IN ('add_metric', 'bind', 'run_job', 'schedule_jobs', 'bind_image_storage') AND has_function_privilege('biller', oid, 'EXECUTE')$$,
	'and runs no jobs');

-- What each is for, works; errors that are not about rights are the test data's.
INSERT INTO vendors (id, vendor_code, name) VALUES (1, 'a', 'A');
INSERT INTO subscription_tiers (code, name, price_monthly_cents, products_limit) VALUES ('t1', 'T1', 1000, 10), ('t2', 'T2', 2000, 20);
INSERT INTO vendor_subscriptions (vendor_id, tier, status, period_start, period_end) VALUES (1, 't1', 'active', now() - interval '1 day', now() + interval '29 days');
SELECT capforecast.capture_daily_snapshot();
CREATE FUNCTION pg_temp.denied(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN NULL;
EXCEPTION WHEN insufficient_privilege THEN
	RETURN statement || ': ' || SQLERRM;
END
$$;
CREATE FUNCTION pg_temp.reads() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('SELECT * FROM capforecast.%I()', p.proname) FROM pg_proc p
	WHERE p.pronamespace = 'capforecast'::regnamespace AND p.prokind = 'f' AND p.provolatile <> 'v' AND p.proname !~ '^_' AND p.pronargs = p.pronargdefaults
	UNION ALL SELECT format('SELECT * FROM capforecast.%I(%s)', f, a) FROM (VALUES ('usage_summary', '''1'''), ('upcoming_invoice', '''1'''), ('check_limit', '''1'', ''products'''),
		('get_tier_info', '''t1'''), ('forecast', '''vendors'''), ('time_to_threshold', '''vendors'', 5'), ('quote_tier_change', '''1'', ''t2''')) v(f, a)
$$;
SET ROLE dashboard;
SELECT is((SELECT string_agg(pg_temp.denied(r), E'\n') FROM pg_temp.reads() r), NULL, 'a reader reads');
RESET ROLE;
SET LOCAL capforecast.manage_subscriptions = on;
SET ROLE operator;
SELECT is((SELECT string_agg(pg_temp.denied(j.statement), E'\n') FROM capforecast.job j), NULL, 'an operator runs every job');
SELECT is((SELECT string_agg(pg_temp.denied(s), E'\n') FROM unnest(ARRAY['SELECT capforecast.add_metric(''m'', ''SELECT 1'')', 'SELECT capforecast.capture_metrics()',
	'SELECT capforecast.bind_image_storage(''SELECT 1'')', 'SELECT capforecast.drop_metric(''m'')', 'SELECT capforecast.use_infrastructure_tier(''Small'')',
	'SELECT capforecast.push_image_storage(5)']) s), NULL, 'and keeps metrics and plans');
SELECT is((SELECT count(*) FROM capforecast.doctor() WHERE problem LIKE '%may not%'), 0::bigint, 'doctor() agrees');
RESET ROLE;
SET ROLE biller;
SELECT is((SELECT string_agg(pg_temp.denied(s), E'\n') FROM unnest(ARRAY['SELECT capforecast.change_tier(''1'', ''t2'')', 'SELECT capforecast.usage_summary(''1'')',
	'SELECT capforecast.reserve_limit(''1'', ''products'')', 'SELECT capforecast.take_outbox()', 'SELECT capforecast.cancel_subscription(''1'')',
	'SELECT capforecast.ingest_stripe_event(''{}'', ''t=1,v1='' || repeat(''0'', 64))']) s
	WHERE s !~ 'ingest'), NULL, 'a biller changes subscriptions');
RESET ROLE;
SELECT is((SELECT count(*) FROM capforecast.audit_log WHERE effective_role = 'biller'), (SELECT count(*) FROM capforecast.audit_log WHERE operation IN ('change_tier', 'cancel_subscription')),
	'on record as who it was');
SELECT * FROM finish();
ROLLBACK;
