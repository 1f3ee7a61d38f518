-- Proposals of bindings: what matches, why, and the statement that binds it.

CREATE TYPE capforecast.binding_proposal AS (
	entity text, relation text, columns jsonb, filter text, words jsonb, newest_by text, why text, statement text
);
COMMENT ON TYPE capforecast.binding_proposal IS
	'A row of propose_bindings(): the arguments of bind(), why they are proposed and what to look at, and the statement that binds (and makes the view that it binds, where one is needed).';

CREATE FUNCTION capforecast._bind_call(entity text, relation text, columns jsonb, filter text, words jsonb, newest_by text)
	RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('SELECT capforecast.bind(%L, %L', entity, relation)
		|| coalesce(', ' || quote_literal(nullif(columns, '{}')), '')
		|| coalesce(', filter => ' || quote_literal(filter), '')
		|| coalesce(', words => ' || quote_literal(nullif(words, '{}')), '')
		|| coalesce(', newest_by => ' || quote_literal(newest_by), '') || ');'
$$;
COMMENT ON FUNCTION capforecast._bind_call(text, text, jsonb, text, jsonb, text) IS 'The call of bind() with these arguments.';

CREATE FUNCTION capforecast._relation_name(relation regclass)
	RETURNS text LANGUAGE sql STABLE
	RETURN (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation);
COMMENT ON FUNCTION capforecast._relation_name(regclass) IS 'The qualified name of a table, whatever search_path is.';

-- What is put together before the binding is told.
CREATE TYPE capforecast._draft AS (relation regclass, known jsonb, clause text, extra text, why text);
COMMENT ON TYPE capforecast._draft IS
	'A table that an entity may be bound to: columns found, and where a view of it (t) is needed, its joins and further columns.';

-- Which plan a subscription is of: its column or an item's, and the plans' column that it names.
CREATE FUNCTION capforecast._tier_link(subscriptions regclass, tiers regclass, OUT name name, OUT expression text, OUT code name)
	RETURNS SETOF record LANGUAGE plpgsql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT l.name, l.expression, l.code
	FROM (
		SELECT 1 AS place, f.name, NULL::text AS expression, f.other_name AS code, 0::bigint AS worse
		FROM capforecast._references(subscriptions) f WHERE f.other = tiers
		UNION ALL
		-- by name; the plans' column is the one whose values stand there, else the one of the type
		SELECT 2, s.name, NULL, t.name, array_position(n.names, s.plain) * 100
			+ CASE WHEN v.common THEN 0 ELSE 50 END + coalesce(array_position(c.names, t.plain), 20)
		FROM capforecast._host_names() n
			JOIN capforecast._host_columns(subscriptions) s ON s.plain = ANY (n.names)
			JOIN capforecast._host_names() c ON c.entity = 'subscription_tiers' AND c.logical = 'code'
			JOIN capforecast._host_columns(tiers) t ON t.category = s.category AND (t.plain = ANY (c.names) OR t.plain ~ '^stripe_(price|plan)')
			CROSS JOIN LATERAL (SELECT EXISTS (
				SELECT jsonb_array_elements(capforecast._host_look(subscriptions, s.name))
				INTERSECT SELECT jsonb_array_elements(capforecast._host_look(tiers, t.name)))) v(common)
		WHERE n.entity = 'vendor_subscriptions' AND n.logical = 'tier' AND s.category <> 'B'
		UNION ALL
		SELECT 3, NULL, format('(SELECT i.%I FROM %s i WHERE i.%I = t.%I ORDER BY i.%1$I LIMIT 1)', b.name,
			capforecast._relation_name(k.conrelid::regclass), a.name, a.other_name), b.other_name, 0
		FROM pg_constraint k
			CROSS JOIN LATERAL capforecast._references(k.conrelid::regclass) a
			JOIN LATERAL capforecast._references(k.conrelid::regclass) b ON b.other = tiers
		WHERE k.contype = 'f' AND k.confrelid = subscriptions AND a.other = subscriptions AND k.conrelid NOT IN (subscriptions, tiers)
		UNION ALL
		SELECT 4, s.name, NULL, NULL, array_position(n.names, s.plain)
		FROM capforecast._host_names() n JOIN capforecast._host_columns(subscriptions) s ON s.plain = ANY (n.names)
		WHERE n.entity = 'vendor_subscriptions' AND n.logical = 'tier'
		UNION ALL
		-- as Stripe keeps the first item's price in the subscription
		SELECT 5, NULL, format('t.%I #>> ''{data,0,price,id}''', s.name), t.name, 0
		FROM capforecast._host_columns(subscriptions) s LEFT JOIN capforecast._host_columns(tiers) t ON t.plain = 'id'
		WHERE s.plain = 'items' AND s.type = 'jsonb'::regtype) l
	ORDER BY l.place, l.worse, l.name LIMIT 1;
END
$$;
COMMENT ON FUNCTION capforecast._tier_link(regclass, regclass) IS
	'The column of a subscription, or an expression over t, that holds the plan, and the plans'' column that it names (NULL: not known).';

-- Of a vendor's several rows the one whose period is the newest counts.
CREATE FUNCTION capforecast._likely_newest_by(relation regclass, vendor_column name)
	RETURNS name LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.name
	FROM capforecast._host_names() n JOIN capforecast._host_columns(relation) c ON c.plain = ANY (n.names)
	WHERE n.entity = 'vendor_subscriptions' AND n.logical IN ('period_start', 'created_at', 'id') AND c.category IN ('D', 'N')
		AND NOT EXISTS (SELECT FROM pg_index i JOIN capforecast._host_columns(relation) v ON v.name = vendor_column AND v.attnum = i.indkey[0]
			WHERE i.indrelid = relation AND i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL)
	ORDER BY n."position" = 1, n."position", array_position(n.names, c.plain) LIMIT 1
$$;
COMMENT ON FUNCTION capforecast._likely_newest_by(regclass, name) IS 'The column by which the newest subscription of a vendor is told; NULL where each has at most one.';

-- Money of yearly plans apart from that of monthly ones; currencies in capitals.
CREATE FUNCTION capforecast._money_of_plans(columns jsonb, relation regclass, OUT result jsonb, OUT why text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	every name := (SELECT c.name FROM capforecast._host_columns(relation) c
		WHERE c.plain IN ('interval', 'billing_interval', 'billing_period', 'period') AND c.category IN ('S', 'E')
			AND capforecast._has_word(relation, c.name, '{year,yearly,annual,annually}') LIMIT 1);
	money name := (SELECT c.name FROM capforecast._host_columns(relation) c WHERE c.plain = 'currency' AND c.category = 'S');
	price jsonb := coalesce(columns -> 'price_monthly_cents', '"price_monthly_cents"');
	yearly text;
	expression text;
BEGIN
	result := columns;
	yearly := CASE WHEN every IS NOT NULL THEN format('lower(%I::text) IN (''year'', ''yearly'', ''annual'', ''annually'')', every) END;
	IF every IS NOT NULL AND price <> 'null' AND NOT columns ? 'price_annual_cents' THEN
		expression := coalesce(price ->> 'expression', quote_ident(price #>> '{}'));
		result := result || jsonb_build_object(
			'price_monthly_cents', (CASE jsonb_typeof(price) WHEN 'object' THEN price ELSE '{}' END) || jsonb_build_object('expression', format('CASE WHEN NOT %s THEN %s END', yearly, expression)),
			'price_annual_cents', (CASE jsonb_typeof(price) WHEN 'object' THEN price ELSE '{}' END) || jsonb_build_object('expression', format('CASE WHEN %s THEN %s END', yearly, expression)));
	END IF;
	IF money IS NOT NULL AND EXISTS (SELECT FROM jsonb_array_elements_text(capforecast._host_look(relation, money)) m WHERE m <> upper(m)) THEN
		result := result || jsonb_build_object('currency', jsonb_build_object('expression', format('upper(%I)', money)));
	END IF;
	why := concat_ws('; ',
		CASE WHEN price = 'null' THEN 'no column of prices is known'
			WHEN price ->> 'unit' = 'major' THEN format('prices (%s) are in major units', price ->> 'expression')
			WHEN price #>> '{}' !~ 'cents' THEN format('prices (%s) are taken for minor units: if 29 is 29.00, bind {"expression": %s, "unit": "major"}',
				price #>> '{}', to_jsonb(quote_ident(price #>> '{}'))) END,
		CASE WHEN money IS NULL AND NOT result ? 'currency' THEN 'no currency is kept: EUR is taken' END);
END
$$;
COMMENT ON FUNCTION capforecast._money_of_plans(jsonb, regclass) IS 'The columns of plans with their prices by interval, and what is taken for granted about money.';

CREATE FUNCTION capforecast._zero_limits(columns jsonb, relation regclass)
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(format('%s has 0, which allows nothing: if that is your word for unlimited, bind {"expression": %s}', c.name,
		to_jsonb(format('nullif(%I, 0)', c.name))), '; ' ORDER BY c.attnum)
	FROM capforecast._host_columns(relation) c
	WHERE c.category = 'N' AND c.name::text IN (SELECT coalesce(nullif(columns -> l, 'null') #>> '{}', l) FROM unnest('{products_limit,orders_per_month,team_members}'::text[]) l)
		AND capforecast._has_word(relation, c.name, '{0}')
$$;
COMMENT ON FUNCTION capforecast._zero_limits(jsonb, regclass) IS 'Limits of 0 in a table of plans, in words; NULL: none.';

-- From a draft to the row that is shown.
CREATE FUNCTION capforecast._proposal_of(entity text, draft capforecast._draft)
	RETURNS capforecast.binding_proposal LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result capforecast.binding_proposal;
	deleted record := capforecast._likely_filter(entity, draft.relation);
	status name;
	words record;
	money record;
	notes text[] := ARRAY[draft.why, deleted.why];
	made text;
BEGIN
	result.entity := entity;
	result.relation := capforecast._relation_name(draft.relation);
	result.columns := capforecast._likely_columns(entity, draft.relation, draft.known);
	IF EXISTS (SELECT FROM capforecast._host_names() n WHERE n.entity = _proposal_of.entity AND n.is_needed AND n.logical NOT IN ('id', 'created_at') AND NOT result.columns ? n.logical
			AND NOT EXISTS (SELECT FROM capforecast._host_columns(draft.relation) c WHERE c.name = n.logical)) THEN
		RETURN NULL;
	END IF;
	result.filter := deleted.condition;
	result.words := '{}';
	IF entity = 'subscription_tiers' THEN
		money := capforecast._money_of_plans(result.columns, draft.relation);
		result.columns := money.result;
		notes := notes || money.why || capforecast._zero_limits(result.columns, draft.relation);
	ELSIF entity = 'vendor_subscriptions' THEN
		status := (SELECT c.name FROM capforecast._host_columns(draft.relation) c
			WHERE c.name::text = coalesce(nullif(result.columns -> 'status', 'null') #>> '{}', 'status'));
		words := capforecast._likely_words(draft.relation, status, result.relation <> 'public.vendor_subscriptions');
		result.words := coalesce(words.words, '{}');
		notes := notes || CASE WHEN words.unknown IS NOT NULL THEN
			format('nobody is known to use the status %s: such rows count as nothing until you say in words what they are', array_to_string(words.unknown, ', ')) END;
		result.newest_by := capforecast._likely_newest_by(draft.relation, coalesce(draft.known ->> 'vendor_id', 'vendor_id'));
		notes := notes || format('of a vendor''s several rows the one with the newest %s counts', result.newest_by);
		notes := notes || CASE WHEN result.columns -> 'period_start' = 'null' THEN 'there are no periods: orders count by the month' END
			|| CASE WHEN result.columns -> 'orders_this_period' = 'null' THEN 'orders are counted in the table of orders, if there is one' END;
	END IF;
	notes := notes || CASE WHEN result.columns -> 'is_active' = 'null' THEN 'nothing tells which are active: all are' END
		|| (SELECT format('nothing tells %s: unknown, or unlimited', string_agg(k.key, ', ' ORDER BY k.key))
			FROM jsonb_each(result.columns) k WHERE k.value = 'null' AND k.key ~ 'limit|orders_per|team' HAVING count(*) > 0);
	notes := notes || CASE WHEN NOT result.columns ? 'created_at' AND EXISTS (SELECT FROM capforecast._host_names() n WHERE n.entity = _proposal_of.entity AND n.logical = 'created_at')
			AND NOT EXISTS (SELECT FROM capforecast._host_columns(draft.relation) c WHERE c.name = 'created_at')
		THEN 'nothing tells when a row came: no history is rebuilt' END;
	IF draft.clause IS NOT NULL OR draft.extra IS NOT NULL THEN
		made := format('CREATE OR REPLACE VIEW %s AS SELECT t.*%s FROM %s t%s; ', v.name, coalesce(', ' || draft.extra, ''), result.relation, coalesce(' ' || draft.clause, ''))
			FROM (SELECT format('%I.%I', n.nspname, 'capforecast_' || entity) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
				WHERE c.oid = draft.relation) v;
		result.relation := (SELECT format('%I.%I', n.nspname, 'capforecast_' || entity) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE c.oid = draft.relation);
		notes := notes || 'a view is made, on which your tables'' columns then depend'::text;
	END IF;
	result.why := array_to_string(notes, '; ') || '.';
	result.statement := coalesce(made, '') || capforecast._bind_call(entity, result.relation, result.columns, result.filter, result.words, result.newest_by);
	RETURN result;
END
$$;
COMMENT ON FUNCTION capforecast._proposal_of(text, capforecast._draft) IS 'The proposal for an entity, made of the table that was chosen; NULL where a column is missing that nothing can stand for.';

-- A table whose rows belong to vendors.
CREATE FUNCTION capforecast._draft_of(relation regclass, vendors regclass)
	RETURNS capforecast._draft LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	draft capforecast._draft;
	via record;
	key constant name := capforecast._key_column(relation);
BEGIN
	draft.relation := relation;
	draft.known := CASE WHEN key IS NULL THEN '{}' ELSE jsonb_build_object('id', key) END;
	IF capforecast._vendor_column(relation, vendors) IS NOT NULL THEN
		draft.known := draft.known || jsonb_build_object('vendor_id', capforecast._vendor_column(relation, vendors));
		draft.why := format('table %s by its name, and its column %s', relation, capforecast._vendor_column(relation, vendors));
	ELSE
		SELECT * INTO via FROM capforecast._vendor_join(relation, vendors);
		draft.clause := via.clause;
		draft.extra := via.expression || ' AS capforecast_vendor_id';
		draft.known := draft.known || '{"vendor_id": "capforecast_vendor_id"}';
		draft.why := format('table %s by its name; %s', relation, via.why);
	END IF;
	draft.why := draft.why || coalesce((SELECT format('; there is also %s', string_agg(o.relation::text, ', ' ORDER BY o.relation::text))
		FROM capforecast._host_relations() r JOIN capforecast._host_relations() o ON capforecast._singular(o.plain) = capforecast._singular(r.plain) AND o.relation <> r.relation
		WHERE r.relation = _draft_of.relation HAVING count(*) > 0), '');
	RETURN draft;
END
$$;
COMMENT ON FUNCTION capforecast._draft_of(regclass, regclass) IS 'A table with the column or join that leads to its vendors.';

CREATE FUNCTION capforecast._first_table(entity text, preset text, vendors regclass)
	RETURNS regclass LANGUAGE sql STABLE
	RETURN (SELECT t.relation FROM capforecast._likely_tables(entity, preset, vendors) t
		WHERE capforecast._leads_to(t.relation, vendors) ORDER BY t.place LIMIT 1);
COMMENT ON FUNCTION capforecast._first_table(text, text, regclass) IS 'The likeliest table of an entity whose rows lead to vendors; NULL: none.';

-- The plans that subscriptions name, else those called so.
CREATE FUNCTION capforecast._likely_tiers(preset text, vendors regclass, subscriptions regclass)
	RETURNS regclass LANGUAGE sql STABLE
	RETURN (SELECT t.relation FROM capforecast._likely_tables('subscription_tiers', preset, vendors) t
		WHERE t.relation <> coalesce(subscriptions, 0::oid::regclass)
		ORDER BY (SELECT l.code IS NULL FROM capforecast._tier_link(subscriptions, t.relation) l), t.place LIMIT 1);
COMMENT ON FUNCTION capforecast._likely_tiers(text, regclass, regclass) IS 'The table of plans; NULL: none.';

CREATE FUNCTION capforecast._drafts(preset text)
	RETURNS TABLE (entity text, draft capforecast._draft)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	vendors constant regclass := capforecast._likely_vendors(_drafts.preset);
	subscriptions constant regclass := capforecast._first_table('vendor_subscriptions', _drafts.preset, vendors);
	tiers constant regclass := capforecast._likely_tiers(_drafts.preset, vendors, subscriptions);
	link record;
	relation regclass;
BEGIN
	IF vendors IS NULL THEN
		RETURN;
	END IF;
	SELECT * INTO link FROM capforecast._tier_link(subscriptions, tiers);
	draft := ROW(vendors, jsonb_build_object('id', capforecast._key_column(vendors)), NULL, NULL,
		format('table %s by its name%s', vendors, CASE WHEN subscriptions IS NOT NULL THEN format(', and because %s leads to it', subscriptions) END));
	entity := 'vendors';
	RETURN NEXT;
	IF tiers IS NOT NULL THEN
		draft := ROW(tiers, CASE WHEN link.code IS NOT NULL THEN jsonb_build_object('code', link.code) ELSE '{}' END, NULL, NULL,
			format('table %s by its name%s', tiers, CASE WHEN link.code IS NOT NULL THEN format('; subscriptions name its %s', link.code) END));
		entity := 'subscription_tiers';
		RETURN NEXT;
	END IF;
	IF subscriptions IS NOT NULL AND (link.name IS NOT NULL OR link.expression IS NOT NULL) THEN
		draft := capforecast._draft_of(subscriptions, vendors);
		draft.known := draft.known || jsonb_build_object('tier', coalesce(link.name, 'capforecast_tier'));
		IF tiers IS NULL THEN
			draft.why := draft.why || '; no table of plans was found: limits and prices are unknown until one that has these codes is bound as subscription_tiers';
		END IF;
		IF link.expression IS NOT NULL THEN
			draft.extra := concat_ws(', ', draft.extra, link.expression || ' AS capforecast_tier');
		END IF;
		entity := 'vendor_subscriptions';
		RETURN NEXT;
	END IF;
	FOREACH entity IN ARRAY '{products,vendor_users,orders}'::text[] LOOP
		relation := capforecast._first_table(entity, _drafts.preset, vendors);
		CONTINUE WHEN relation IS NULL OR relation = subscriptions;
		draft := capforecast._draft_of(relation, vendors);
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION capforecast._drafts(text) IS 'The table for each entity, those of the preset before others.';

CREATE FUNCTION capforecast.propose_bindings(preset text DEFAULT NULL)
	RETURNS SETOF capforecast.binding_proposal LANGUAGE plpgsql STABLE ROWS 6 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF preset IS NOT NULL AND NOT EXISTS (SELECT FROM capforecast._preset_tables() p WHERE p.preset = propose_bindings.preset) THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('preset "%s" does not exist', preset),
			CONSTRAINT = 'unknown_preset',
			HINT = format('The presets are %s; leave it out for whatever matches best.',
				(SELECT string_agg(DISTINCT p.preset, ', ' ORDER BY p.preset) FROM capforecast._preset_tables() p));
	END IF;
	RETURN QUERY
		SELECT p.* FROM capforecast._drafts(preset) d CROSS JOIN LATERAL capforecast._proposal_of(d.entity, d.draft) p
		-- what is read as it is anyway need not be bound, what lacks a column that is needed cannot
		WHERE p.entity IS NOT NULL AND (p.relation <> 'public.' || p.entity OR p.columns <> '{}' OR p.filter IS NOT NULL OR p.words <> '{}' OR p.newest_by IS NOT NULL);
END
$$;
COMMENT ON FUNCTION capforecast.propose_bindings(text) IS
	'How your tables could be bound, at most a row for each of vendors, subscription_tiers, vendor_subscriptions, products, vendor_users and orders: found by names that frameworks and services give (preset: those of one first), foreign keys and what stands in columns of status and limits. Binds nothing. why says what it goes by and what to look at, statement does it; a row that needs a view makes it. No row for what is read as it is anyway, or was not found. Error: 22023 unknown_preset.
Example: SELECT entity, why, statement FROM capforecast.propose_bindings();';

CREATE FUNCTION capforecast.bind_preset(preset text)
	RETURNS SETOF capforecast.binding_proposal LANGUAGE plpgsql VOLATILE ROWS 6 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	proposal capforecast.binding_proposal;
BEGIN
	FOR proposal IN SELECT * FROM capforecast.propose_bindings(preset) LOOP
		EXECUTE proposal.statement;
		RETURN NEXT proposal;
	END LOOP;
END
$$;
COMMENT ON FUNCTION capforecast.bind_preset(text) IS
	'Bind what propose_bindings() proposes for a preset (NULL: whatever matches best), and return it. Replaces earlier bindings of the same entities. Errors: 22023 unknown_preset, those of bind(), 42501 where a view is needed and may not be made.
Example: SELECT entity, relation FROM capforecast.bind_preset(''rails'');';
