-- Who may do what: the rights of a role, as statements, and granted.

-- level reader, operator or biller. Each is all that a role of the level needs, and no more:
-- nobody but the owner binds tables, grants, and stores secrets.
CREATE FUNCTION capforecast._access_to_tables(level text)
	RETURNS TABLE (relation name, privileges text) LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.relname, CASE
			WHEN c.relkind = 'v' THEN CASE WHEN c.relname = 'infrastructure_tiers' AND level = 'operator' THEN 'SELECT, INSERT, UPDATE, DELETE' ELSE 'SELECT' END
			WHEN c.relname = 'binding' THEN 'SELECT'
			WHEN c.relname = 'audit_log' THEN CASE WHEN level <> 'reader' THEN 'SELECT, INSERT' END
			WHEN c.relname = 'stripe_event' AND level = 'reader'
				THEN 'SELECT (event_id, event_type, object_id, customer_id, livemode, account_id, created, received_at, outcome, applied_at)'
			WHEN level = 'operator' THEN 'SELECT, INSERT, UPDATE, DELETE'
			WHEN level = 'biller' AND c.relname IN ('subscription_state', 'billed_period', 'period_ledger', 'pending_invoice_item', 'request_log', 'stripe_event',
				'stripe_outbox', 'finding') THEN 'SELECT, INSERT, UPDATE, DELETE'
			WHEN NOT capforecast._is_private(c.relname) THEN 'SELECT' END
	FROM pg_depend d JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
	WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT e.oid FROM pg_extension e WHERE e.extname = 'capforecast')
		AND d.deptype = 'e' AND c.relkind IN ('r', 'p', 'v') AND c.relname <> '_secret'
$$;
COMMENT ON FUNCTION capforecast._access_to_tables(text) IS 'What a level may do with the tables and views of the extension.';

CREATE FUNCTION capforecast._access_to_routines(level text)
	RETURNS SETOF regprocedure LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT p.oid::regprocedure
	FROM pg_depend d JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
	WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT e.oid FROM pg_extension e WHERE e.extname = 'capforecast')
		AND d.deptype = 'e' AND (p.provolatile = 'v' OR p.prokind = 'p') AND p.prorettype <> 'trigger'::regtype
		AND p.proname <> ALL ('{bind,unbind,bind_preset,grant_access,_unseal}'::name[])
		AND CASE level WHEN 'operator' THEN true
			WHEN 'biller' THEN p.proname ~ '^_' OR p.proname = ANY ('{change_tier,purchase_addon,cancel_addon,cancel_subscription,resume_subscription,
				reserve_limit,ingest_stripe_event,take_outbox,settle_outbox}'::name[])
			ELSE false END
$$;
COMMENT ON FUNCTION capforecast._access_to_routines(text) IS 'What a level may call beside the reads.';

CREATE FUNCTION capforecast._access_to_host(level text)
	RETURNS TABLE (relation regclass, privileges text) LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT h.relation, 'SELECT' || CASE WHEN level = 'reader' THEN ''
			WHEN h.entity = 'vendor_subscriptions' THEN ', UPDATE'
			WHEN h.entity IN ('vendor_addons', 'billing_history') THEN ', INSERT, UPDATE' ELSE '' END
	FROM (SELECT e.entity, capforecast._bound_relation(e.entity) AS relation
			FROM unnest('{vendors,subscription_tiers,vendor_subscriptions,products,vendor_users,orders,addon_products,vendor_addons,billing_history}'::text[])
				WITH ORDINALITY e(entity, n) ORDER BY e.n) h
	WHERE h.relation IS NOT NULL
$$;
COMMENT ON FUNCTION capforecast._access_to_host(text) IS 'What a level may do with the host''s tables.';

CREATE FUNCTION capforecast.access_statements(role regrole, level text)
	RETURNS SETOF text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	grantee constant text := role::text;
BEGIN
	IF role IS NULL OR level IS NULL OR level NOT IN ('reader', 'operator', 'biller') THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('"%s" is not a level of access', level),
			HINT = 'Use reader (dashboards), operator (jobs, metrics, plans) or biller (the application that changes subscriptions), and the name of a role.';
	END IF;
	RETURN NEXT format('GRANT USAGE ON SCHEMA capforecast TO %s', grantee);
	RETURN QUERY SELECT format('GRANT %s ON %s TO %s', t.privileges, string_agg('capforecast.' || quote_ident(t.relation), ', ' ORDER BY t.relation), grantee)
		FROM capforecast._access_to_tables(level) t WHERE t.privileges IS NOT NULL GROUP BY t.privileges ORDER BY t.privileges;
	IF level <> 'reader' THEN
		RETURN QUERY SELECT format('GRANT USAGE ON %s TO %s', string_agg('capforecast.' || quote_ident(c.relname), ', ' ORDER BY c.relname), grantee)
			FROM pg_class c WHERE c.relnamespace = 'capforecast'::regnamespace AND c.relkind = 'S' AND c.relname !~ '^_secret';
		RETURN QUERY SELECT format('GRANT EXECUTE ON ROUTINE %s TO %s', string_agg(r::text, ', ' ORDER BY r::text), grantee)
			FROM capforecast._access_to_routines(level) r;
	END IF;
	RETURN QUERY SELECT format('GRANT USAGE ON SCHEMA %s TO %s', string_agg(DISTINCT c.relnamespace::regnamespace::text, ', '), grantee)
		FROM capforecast._access_to_host(level) h JOIN pg_class c ON c.oid = h.relation HAVING count(*) > 0;
	RETURN QUERY SELECT format('GRANT %s ON %s TO %s', h.privileges, string_agg(h.relation::text, ', ' ORDER BY h.relation::text), grantee)
		FROM capforecast._access_to_host(level) h GROUP BY h.privileges ORDER BY h.privileges;
	-- the sequences of keys that are not identity columns
	RETURN QUERY SELECT format('GRANT USAGE ON SEQUENCE %s TO %s', string_agg(s.oid::regclass::text, ', ' ORDER BY s.oid::regclass::text), grantee)
		FROM capforecast._access_to_host(level) h
			JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = h.relation AND d.classid = 'pg_class'::regclass AND d.deptype = 'a'
			JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
		WHERE h.privileges ~ 'INSERT' HAVING count(*) > 0;
	IF level = 'operator' AND (SELECT p.place FROM capforecast._pg_cron() p) = 'here' THEN
		RETURN NEXT format('GRANT USAGE ON SCHEMA cron TO %s', grantee);
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast.access_statements(regrole, text) IS
	'The GRANTs that a role of a level needs, on the extension and on your tables as they are bound. reader: every read, without queries, webhook payloads, requests and the audit log. operator: that, the jobs with their tables, own metrics, image storage and plans. biller: reads, changes of subscriptions, webhooks and the outbox. None may bind tables, store secrets or grant. Error: 22023.
Example: SELECT * FROM capforecast.access_statements(''pg_monitor'', ''reader'');';

CREATE FUNCTION capforecast.grant_access(role regrole, level text)
	RETURNS SETOF text LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	statement text;
BEGIN
	FOR statement IN SELECT capforecast.access_statements(role, level) LOOP
		EXECUTE statement;
		RETURN NEXT statement;
	END LOOP;
END
$$;
COMMENT ON FUNCTION capforecast.grant_access(regrole, text) IS
	'Run access_statements(): give a role what readers, operators or billers need; to be called again after an update, and when other tables are bound. Returns what it ran. Errors: 22023; 42501 for who may not grant it: then the owners run the statements.
Example: SELECT * FROM capforecast.grant_access(''pg_monitor'', ''reader'');';
