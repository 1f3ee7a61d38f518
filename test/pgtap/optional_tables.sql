-- What is missing costs only what needs it: every read, with each table of the host away,
-- with all of them, and with each column that may be bound to null.
BEGIN;
SELECT no_plan();
SET LOCAL search_path = public;
SET LOCAL client_min_messages = warning;

INSERT INTO vendors (id, vendor_code, name, created_at) SELECT v, 'O' || v, 'O', now() - interval '90 days' FROM generate_series(9001, 9010) v;
INSERT INTO subscription_tiers (code, name, price_monthly_cents, products_limit, orders_per_month, team_members)
VALUES ('o_small', 'S', 1000, 10, 100, 2) ON CONFLICT DO NOTHING;
INSERT INTO vendor_subscriptions (vendor_id, tier, status, period_start, period_end, orders_this_period)
SELECT v, 'o_small', 'active', now() - interval '10 days', now() + interval '20 days', v - 9000 FROM generate_series(9001, 9010) v;
INSERT INTO products (vendor_id, created_at) SELECT v, now() - n * interval '1 day' FROM generate_series(9001, 9010) v, generate_series(1, 9) n;
INSERT INTO vendor_users (vendor_id, user_id) SELECT v, 1 FROM generate_series(9001, 9010) v;
SELECT capforecast.capture_daily_snapshot(), capforecast.capture_vendor_usage();
SELECT count(*) FROM capforecast.backfill_snapshots((now() - interval '60 days')::date, (now() - interval '1 day')::date);

-- Arguments by name; a read whose required argument is none of these has to be added.
CREATE TEMP TABLE reads AS
SELECT p.proname, format('SELECT * FROM capforecast.%I(%s)', p.proname, args.list) AS call
FROM pg_proc p
	CROSS JOIN LATERAL (
		SELECT string_agg(CASE n.name WHEN 'vendor' THEN 'vendor => ''9001''' WHEN 'tier' THEN 'tier => ''o_small''' WHEN 'code' THEN 'code => ''o_small'''
				WHEN 'addon' THEN 'addon => ''none''' WHEN 'resource' THEN 'resource => ''products''' WHEN 'entity' THEN 'entity => ''vendors'''
				WHEN 'metric' THEN 'metric => ''products''' WHEN 'threshold' THEN 'threshold => 1000' WHEN 'role' THEN 'role => ''postgres'''
				WHEN 'level' THEN 'level => ''reader''' WHEN 'from_date' THEN 'from_date => ''2026-01-01''' WHEN 'to_date' THEN 'to_date => ''2026-01-31'''
				WHEN 'topic' THEN 'topic => ''forecast''' END, ', ' ORDER BY n.i) AS list, count(*) FILTER (WHERE n.name IS NULL) AS unnamed
		FROM unnest(p.proargnames[1:p.pronargs - p.pronargdefaults]) WITH ORDINALITY n(name, i)) args
WHERE p.pronamespace = 'capforecast'::regnamespace AND p.proname !~ '^_' AND p.prokind = 'f' AND p.provolatile = 's'
	AND NOT 'capforecast.series'::regtype = ANY (p.proargtypes::oid[]) AND NOT 'anyelement'::regtype = ANY (p.proargtypes::oid[])
	AND p.prorettype <> 'trigger'::regtype;
SELECT is_empty($$SELECT proname FROM reads WHERE call IS NULL AND proname NOT IN ('chart')$$, 'every read can be called');
SELECT cmp_ok((SELECT count(call) FROM reads), '>', 40::bigint, 'they are found');

-- A question about one vendor, plan or add-on that is not there is a mistake, and so is one where
-- there is no table of vendors or subscriptions at all. bound_sample() shows the table itself.
CREATE FUNCTION pg_temp.failing() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE r record; reason text; state text; word text;
BEGIN
	FOR r IN SELECT * FROM reads WHERE call IS NOT NULL AND proname NOT IN ('bound_sample') ORDER BY 1 LOOP
		BEGIN
			EXECUTE 'SELECT count(*) FROM (' || r.call || ') x';
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS reason = MESSAGE_TEXT, state = RETURNED_SQLSTATE, word = CONSTRAINT_NAME;
			IF NOT (word ~ '^(unknown_|no_price|not_live)'
				OR r.call ~ 'vendor =>' AND state = '42P01' AND reason ~ '"(vendors|vendor_subscriptions)" does not exist') THEN
				RETURN NEXT format('%s: %s %s', r.proname, state, reason);
			END IF;
		END;
	END LOOP;
END $$;

SELECT is_empty('SELECT pg_temp.failing()', 'all there');

CREATE FUNCTION pg_temp.without(tables text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE t text; found text[];
BEGIN
	FOREACH t IN ARRAY tables LOOP EXECUTE format('ALTER TABLE public.%I RENAME TO %I', t, t || ' away'); END LOOP;
	found := ARRAY(SELECT pg_temp.failing());
	FOREACH t IN ARRAY tables LOOP EXECUTE format('ALTER TABLE public.%I RENAME TO %I', t || ' away', t); END LOOP;
	RETURN QUERY SELECT unnest(found);
END $$;
SELECT is_empty(format('SELECT pg_temp.without(%L)', ARRAY[e.entity]), 'without ' || e.entity)
FROM capforecast._host_names() e WHERE e.logical IS NULL;
SELECT is_empty(format('SELECT pg_temp.without(%L)', (SELECT array_agg(e.entity) FROM capforecast._host_names() e WHERE e.logical IS NULL AND e.entity <> left_out)),
	'without all but ' || left_out)
FROM unnest('{vendors,products,vendor_subscriptions,none}'::text[]) left_out;

-- Columns bound to null are not known.
CREATE FUNCTION pg_temp.with_nulls(entity text, columns jsonb) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE found text[];
BEGIN
	PERFORM capforecast.bind(entity, format('public.%I', entity)::regclass, columns);
	found := ARRAY(SELECT pg_temp.failing());
	PERFORM capforecast.unbind(entity);
	RETURN QUERY SELECT unnest(found);
END $$;
SELECT is_empty(format('SELECT pg_temp.with_nulls(%L, %L)', n.entity, jsonb_object_agg(n.logical, NULL)), format('%s: %s', n.entity, string_agg(n.logical, ', ')))
FROM capforecast._host_names() n WHERE n.must_be_said GROUP BY n.entity;
SELECT * FROM finish();
ROLLBACK;
