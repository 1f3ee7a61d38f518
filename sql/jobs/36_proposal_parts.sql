-- The parts of a proposal: which table, which column, which key.

-- CamelCase, blanks and dashes as underscores; Spree's prefix apart.
CREATE FUNCTION capforecast._plain_name(name text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN lower(btrim(regexp_replace(regexp_replace(name, '([a-z0-9])([A-Z])', '\1_\2', 'g'), '[^A-Za-z0-9]+', '_', 'g'), '_'));
COMMENT ON FUNCTION capforecast._plain_name(text) IS 'A name in lower case, its words joined by underscores.';

CREATE FUNCTION capforecast._singular(plain text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN plain ~ 'ies$' THEN regexp_replace(plain, 'ies$', 'y') WHEN plain ~ '(x|ch|sh)es$' THEN regexp_replace(plain, 'es$', '')
		WHEN plain ~ '(ss|us)$' THEN plain ELSE regexp_replace(plain, 's$', '') END;
COMMENT ON FUNCTION capforecast._singular(text) IS 'The name of one of them.';

CREATE FUNCTION capforecast._host_relations()
	RETURNS TABLE (relation regclass, schema_name name, plain text, is_prefixed boolean)
	LANGUAGE sql STABLE BEGIN ATOMIC
	SELECT c.oid::regclass, n.nspname, regexp_replace(p.plain, '^(spree|solidus)_', ''), p.plain ~ '^(spree|solidus)_'
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL capforecast._plain_name(c.relname) p(plain)
	WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
		AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'capforecast', 'cron') AND p.plain !~ '^capforecast_'
		AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')
		AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e');
END;
COMMENT ON FUNCTION capforecast._host_relations() IS 'Tables and views that the caller may read, by their plain names.';

CREATE FUNCTION capforecast._host_columns(relation regclass)
	RETURNS TABLE (attnum smallint, name name, plain text, type oid, category "char")
	LANGUAGE sql STABLE BEGIN ATOMIC
	SELECT a.attnum, a.attname, capforecast._plain_name(a.attname), t.oid, t.typcategory
	FROM pg_attribute a JOIN pg_type d ON d.oid = a.atttypid JOIN pg_type t ON t.oid = CASE WHEN d.typtype = 'd' THEN d.typbasetype ELSE d.oid END
	WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped;
END;
COMMENT ON FUNCTION capforecast._host_columns(regclass) IS 'The columns of a table, by their plain names, with the type below a domain and its category.';

-- An entity's tables by their names, the likeliest first. Django calls a table by its
-- application and one of its things: order_order.
CREATE FUNCTION capforecast._likely_tables(entity text, preset text, vendors regclass)
	RETURNS TABLE (relation regclass, place bigint)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	WITH vendor AS (SELECT capforecast._singular(r.plain) AS one FROM capforecast._host_relations() r WHERE r.relation = vendors),
		names AS (
			SELECT p.name, p.schema_name, CASE WHEN _likely_tables.preset IS NULL THEN 600 ELSE 0 END + row_number() OVER () AS place, false AS is_end
			FROM capforecast._preset_tables() p
			WHERE p.entity = _likely_tables.entity AND p.preset = coalesce(_likely_tables.preset, p.preset)
				-- who is no more than a person is a vendor only where somebody says so, or subscribes
				AND (p.name <> 'users' OR _likely_tables.preset IS NOT NULL OR p.preset = 'cashier')
			UNION ALL
			SELECT v.form, NULL, 100 + v.place, false
			FROM vendor, unnest(ARRAY[one || '_users', one || '_user', one || '_members', one || '_member', one || '_memberships'])
				WITH ORDINALITY v(form, place)
			WHERE entity = 'vendor_users'
			UNION ALL
			SELECT regexp_replace(one, '^.*_', '') || x.form, NULL, 110, true
			FROM vendor, unnest('{user,member,membership,_user,_member}'::text[]) x(form) WHERE entity = 'vendor_users'
			UNION ALL
			SELECT f.form, NULL, f.base + n.place, f.is_end
			FROM capforecast._host_names() h CROSS JOIN LATERAL unnest(h.names) WITH ORDINALITY n(name, place)
				CROSS JOIN LATERAL (VALUES (n.name, 200, false), (capforecast._singular(n.name), 300, false),
					(capforecast._singular(n.name), 400, true)) f(form, base, is_end)
			WHERE h.entity = _likely_tables.entity AND h.logical IS NULL AND NOT (f.is_end AND f.form = 'item'))
	SELECT r.relation, min(n.place * 1000 + CASE WHEN r.is_prefixed AND _likely_tables.preset IS DISTINCT FROM 'rails' THEN 100 ELSE 0 END
		+ CASE WHEN r.schema_name = coalesce(v.schema_name, 'public') THEN 0 WHEN vendors IS NULL OR n.schema_name IS NOT NULL THEN 1 ELSE 1000000 END)
	FROM capforecast._host_relations() r
		JOIN names n ON coalesce(n.schema_name = r.schema_name, true)
			AND CASE WHEN n.is_end THEN right(r.plain, length(n.name) + 1) = '_' || n.name
				ELSE r.plain = n.name OR r.is_prefixed AND r.plain = regexp_replace(n.name, '^(spree|solidus)_', '') END
		LEFT JOIN capforecast._host_relations() v ON v.relation = vendors
	WHERE r.relation IS DISTINCT FROM vendors
	GROUP BY r.relation, r.schema_name, v.schema_name ORDER BY 2, r.schema_name, r.relation::text;
END
$$;
COMMENT ON FUNCTION capforecast._likely_tables(text, text, regclass) IS 'The tables whose names say that they hold an entity; those in the vendors'' schema before others.';

CREATE FUNCTION capforecast._key_column(relation regclass)
	RETURNS name LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT c.name FROM capforecast._host_columns(relation) c
		LEFT JOIN pg_index i ON i.indrelid = relation AND i.indisprimary AND i.indnkeyatts = 1 AND i.indkey[0] = c.attnum
		WHERE i.indrelid IS NOT NULL OR c.plain IN ('id', 'uuid') ORDER BY i.indrelid, c.plain LIMIT 1);
END
$$;
COMMENT ON FUNCTION capforecast._key_column(regclass) IS 'The primary key, where it is one column; of a view what is called like one.';

CREATE FUNCTION capforecast._references(relation regclass)
	RETURNS TABLE (name name, other regclass, other_name name)
	LANGUAGE sql STABLE BEGIN ATOMIC
	SELECT a.attname, k.confrelid::regclass, b.attname
	FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
		JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1]
	WHERE k.contype = 'f' AND k.conrelid = relation AND cardinality(k.conkey) = 1;
END;
COMMENT ON FUNCTION capforecast._references(regclass) IS 'Foreign keys of one column.';

-- By a foreign key, or by name where the types agree.
CREATE FUNCTION capforecast._vendor_column(relation regclass, vendors regclass)
	RETURNS name LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	RETURN (SELECT c.name
		FROM capforecast._host_columns(relation) c
			JOIN capforecast._host_columns(vendors) k ON k.name = capforecast._key_column(vendors)
			LEFT JOIN capforecast._references(relation) f ON f.name = c.name AND f.other = vendors AND f.other_name = k.name
			CROSS JOIN LATERAL (SELECT array_position((
				SELECT array_prepend(capforecast._singular(regexp_replace(r.plain, CASE WHEN r.plain ~ '^([a-z]+?)s?_\1' THEN '^.*_' ELSE '^$' END, '')) || '_id', h.names)
				FROM capforecast._host_relations() r, capforecast._host_names() h
				WHERE r.relation = vendors AND h.entity = 'products' AND h.logical = 'vendor_id'), c.plain) AS place) n
		WHERE c.category = k.category AND (f.name IS NOT NULL OR n.place IS NOT NULL)
		ORDER BY f.name IS NULL, n.place, c.attnum LIMIT 1);
END
$$;
COMMENT ON FUNCTION capforecast._vendor_column(regclass, regclass) IS 'The column that holds the key of a vendor; NULL: none.';

-- Over one other table: a foreign key, a join known by name, or Stripe's customer.
CREATE FUNCTION capforecast._vendor_join(relation regclass, vendors regclass, OUT clause text, OUT expression text, OUT why text)
	RETURNS SETOF record LANGUAGE plpgsql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT format('JOIN %s h ON h.%I = t.%I', j.other, j.other_name, j.name), format('h.%I', j.vendor_key),
		format('vendors are found over %s (%s)', j.other, j.name)
	FROM (
		SELECT 1 AS place, f.name, f.other, f.other_name, capforecast._vendor_column(f.other, vendors) AS vendor_key
		FROM capforecast._references(relation) f WHERE f.other <> vendors AND f.other <> relation
		UNION ALL
		SELECT 2, c.name, o.relation, k.other_key::name, k.vendor_key::name
		FROM capforecast._known_joins() k
			JOIN capforecast._host_relations() r ON r.relation = _vendor_join.relation AND r.plain = k.name
			JOIN capforecast._host_relations() o ON o.plain = k.other_name AND o.schema_name = r.schema_name
			JOIN capforecast._host_columns(r.relation) c ON c.plain = k.column_name
		UNION ALL
		SELECT 3, c.name, vendors, v.name, capforecast._key_column(vendors)
		FROM capforecast._host_columns(relation) c, capforecast._host_columns(vendors) v
		WHERE c.plain IN ('customer', 'customer_id', 'stripe_customer_id') AND c.category = 'S'
			AND v.plain IN ('stripe_customer_id', 'stripe_id', 'customer_id') AND v.category = 'S') j
	WHERE j.vendor_key IS NOT NULL ORDER BY j.place, j.name LIMIT 1;
END
$$;
COMMENT ON FUNCTION capforecast._vendor_join(regclass, regclass) IS 'A join of a table t to one that holds the key of a vendor, and that key.';

CREATE FUNCTION capforecast._leads_to(relation regclass, vendors regclass)
	RETURNS boolean LANGUAGE sql STABLE
	RETURN capforecast._vendor_column(relation, vendors) IS NOT NULL
		OR EXISTS (SELECT FROM capforecast._vendor_join(relation, vendors));
COMMENT ON FUNCTION capforecast._leads_to(regclass, regclass) IS 'Is it known which vendor a row is of?';

-- Whoever subscribes is a vendor.
CREATE FUNCTION capforecast._likely_vendors(preset text)
	RETURNS regclass LANGUAGE sql STABLE
	RETURN (SELECT v.relation
		FROM capforecast._likely_tables('vendors', preset, NULL) v
			CROSS JOIN LATERAL (SELECT min(s.place) AS place FROM capforecast._likely_tables('vendor_subscriptions', preset, NULL) s
				WHERE s.relation <> v.relation AND capforecast._leads_to(s.relation, v.relation)) s
		WHERE capforecast._key_column(v.relation) IS NOT NULL
		ORDER BY s.place IS NULL, v.place LIMIT 1);
COMMENT ON FUNCTION capforecast._likely_vendors(text) IS 'The table of vendors: the likeliest name that subscriptions lead to, else the likeliest name.';

-- ---------- values ----------

CREATE FUNCTION capforecast._has_word(relation regclass, name name, words text[])
	RETURNS boolean LANGUAGE sql STABLE
	RETURN (SELECT coalesce(bool_or(lower(w #>> '{}') = ANY (words)), false) FROM jsonb_array_elements(capforecast._host_look(relation, name)) w);
COMMENT ON FUNCTION capforecast._has_word(regclass, name, text[]) IS 'Does one of the words stand in the column?';

-- A column as a value of a kind: its name, an expression, or NULL where it cannot be one.
CREATE FUNCTION capforecast._value_of_kind(kind text, logical text, name name, type oid, category "char")
	RETURNS jsonb LANGUAGE sql STABLE
	RETURN CASE
		WHEN kind IN ('any', 'text') THEN to_jsonb(name)
		WHEN kind = 'json' THEN CASE WHEN type IN ('json'::regtype, 'jsonb'::regtype) THEN to_jsonb(name) END
		WHEN kind = 'boolean' THEN CASE category WHEN 'B' THEN to_jsonb(name)
			WHEN 'N' THEN jsonb_build_object('expression', format('%I <> 0', name)) END
		WHEN kind = 'time' THEN CASE WHEN category = 'D' AND type NOT IN ('time'::regtype, 'timetz'::regtype) THEN to_jsonb(name)
			WHEN type IN ('int4'::regtype, 'int8'::regtype) THEN jsonb_build_object('expression', format('to_timestamp(%I)', name)) END
		WHEN type = 'money'::regtype THEN jsonb_build_object('expression', format('%I::numeric', name), 'unit', 'major')
		WHEN category = 'S' AND kind = 'limit' THEN jsonb_build_object('expression', format('substring(%I from ''^-?[0-9]{1,18}$'')::bigint', name))
		WHEN category <> 'N' OR type = 'oid'::regtype THEN NULL
		WHEN logical ~ '_cents$' AND name !~* 'cents' AND type IN ('numeric'::regtype, 'float4'::regtype, 'float8'::regtype)
			THEN jsonb_build_object('expression', quote_ident(name), 'unit', 'major')
		ELSE to_jsonb(name) END;
COMMENT ON FUNCTION capforecast._value_of_kind(text, text, name, oid, "char") IS 'What to bind a logical column to, so that a host''s column is read as its kind.';

-- Limits in a document: {"products": 100}, or one level below.
CREATE FUNCTION capforecast._limit_in_document(relation regclass, names text[])
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_build_object('expression', format('substring(%I #>> %L from ''^-?[0-9]{1,18}$'')::bigint', p.name, p.path))
	FROM (
		SELECT c.name, c.attnum, ARRAY[k.key] AS path, capforecast._plain_name(k.key) AS plain
		FROM capforecast._host_columns(relation) c
			CROSS JOIN LATERAL jsonb_array_elements(capforecast._host_look(relation, c.name)) d
			CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(d) WHEN 'object' THEN d ELSE '{}' END) k
		WHERE c.type IN ('json'::regtype, 'jsonb'::regtype) AND jsonb_typeof(k.value) IN ('number', 'string', 'null')
		UNION ALL
		SELECT c.name, c.attnum, ARRAY[o.key, k.key], capforecast._plain_name(k.key)
		FROM capforecast._host_columns(relation) c
			CROSS JOIN LATERAL jsonb_array_elements(capforecast._host_look(relation, c.name)) d
			CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(d) WHEN 'object' THEN d ELSE '{}' END) o
			CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(o.value) WHEN 'object' THEN o.value ELSE '{}' END) k
		WHERE c.type IN ('json'::regtype, 'jsonb'::regtype) AND jsonb_typeof(k.value) IN ('number', 'string', 'null')) p
	WHERE p.plain = ANY (names)
	ORDER BY cardinality(p.path), array_position(names, p.plain), p.attnum, p.path LIMIT 1
$$;
COMMENT ON FUNCTION capforecast._limit_in_document(regclass, text[]) IS 'An expression for a limit that stands in a column of documents; NULL: there is none of these names.';

-- NULL: nothing need be said; 'null': that there is none.
CREATE FUNCTION capforecast._likely_value(entity text, logical text, kind text, names text[], must_be_said boolean, relation regclass)
	RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found jsonb;
BEGIN
	found := (SELECT capforecast._value_of_kind(kind, logical, c.name, c.type, c.category)
		FROM capforecast._host_columns(relation) c WHERE c.name = logical);
	IF found = to_jsonb(logical) THEN
		RETURN NULL;
	END IF;
	IF found IS NULL AND logical = 'is_active' THEN
		found := (SELECT jsonb_build_object('expression', format(a.expression, quote_ident(c.name)))
			FROM capforecast._active_rules() WITH ORDINALITY a(name, category, expression, word, place)
				JOIN capforecast._host_columns(relation) c ON c.plain = a.name AND c.category = a.category
			WHERE entity NOT IN ('subscription_tiers') AND (a.word IS NULL OR capforecast._has_word(relation, c.name, ARRAY[a.word]))
			ORDER BY a.place LIMIT 1);
	END IF;
	-- a table of plans may count what is sold in a column of that name
	found := coalesce(found, (SELECT v.value
		FROM capforecast._host_columns(relation) c
			CROSS JOIN LATERAL capforecast._value_of_kind(kind, logical, c.name, c.type, c.category) v(value)
		WHERE c.plain = ANY (names) AND v.value IS NOT NULL
		ORDER BY array_position(names, c.plain), c.attnum LIMIT 1));
	-- Stripe's own tables have its id for a key
	IF found IS NULL AND logical = 'stripe_subscription_id' THEN
		found := (SELECT to_jsonb(c.name) FROM capforecast._host_columns(relation) c WHERE c.plain = 'id' AND c.category = 'S'
			AND EXISTS (SELECT FROM jsonb_array_elements_text(capforecast._host_look(relation, c.name)) v WHERE v ~ '^sub_'));
	END IF;
	IF found IS NULL AND kind = 'limit' THEN
		found := capforecast._limit_in_document(relation, names);
	END IF;
	RETURN coalesce(found, CASE WHEN must_be_said THEN 'null'::jsonb END);
END
$$;
COMMENT ON FUNCTION capforecast._likely_value(text, text, text, text[], boolean, regclass) IS 'What to bind a logical column of an entity to: a column''s name, an expression, null; NULL: it is there under its own name, or need not be.';

CREATE FUNCTION capforecast._likely_columns(entity text, relation regclass, known jsonb)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_object_agg(n.logical, v.value), '{}')
	FROM capforecast._host_names() n
		CROSS JOIN LATERAL (SELECT CASE WHEN known ? n.logical THEN nullif(known -> n.logical, to_jsonb(n.logical))
			ELSE capforecast._likely_value(entity, n.logical, n.kind, n.names, n.must_be_said, relation) END) v(value)
	WHERE n.entity = _likely_columns.entity AND n.logical IS NOT NULL AND v.value IS NOT NULL
$$;
COMMENT ON FUNCTION capforecast._likely_columns(text, regclass, jsonb) IS 'The columns of a binding; known are those that have been found already.';

CREATE FUNCTION capforecast._likely_filter(entity text, relation regclass, OUT condition text, OUT why text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(format(f.condition, quote_ident(c.name)), ' AND ' ORDER BY c.attnum),
		string_agg(format(f.why, c.name), '; ' ORDER BY c.attnum)
	FROM capforecast._filter_rules() f JOIN capforecast._host_columns(relation) c ON c.plain = f.name
	WHERE coalesce(f.entity = _likely_filter.entity, true) AND (f.condition ~ 'NULL$' OR c.category = 'B')
		AND (f.word IS NULL OR EXISTS (SELECT FROM capforecast._host_columns(relation) w
			WHERE w.plain = f.words_in AND capforecast._has_word(relation, w.name, ARRAY[f.word])))
$$;
COMMENT ON FUNCTION capforecast._likely_filter(text, regclass) IS 'The condition that leaves out what is deleted, a test, or a cart; NULL: none.';

-- All that the column's type or the service can say, and what stands there.
CREATE FUNCTION capforecast._likely_words(relation regclass, name name, is_foreign boolean, OUT words jsonb, OUT unknown text[])
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_object_agg(s.word, coalesce(to_jsonb(s.ours), 'null')) FILTER (WHERE s.is_known AND s.ours IS DISTINCT FROM s.word), '{}'),
		array_agg(s.word ORDER BY s.word) FILTER (WHERE NOT s.is_known)
	FROM (
		SELECT w.word, CASE WHEN lower(w.word) = ANY (o.words) THEN lower(w.word) ELSE k.ours END AS ours,
			lower(w.word) = ANY (o.words) OR k.theirs IS NOT NULL AS is_known
		FROM (SELECT v #>> '{}' FROM jsonb_array_elements(capforecast._host_look(relation, name)) v
				UNION SELECT e.enumlabel FROM pg_enum e JOIN capforecast._host_columns(relation) c ON c.type = e.enumtypid AND c.name = _likely_words.name
				UNION SELECT k.theirs FROM capforecast._status_words() k
					JOIN capforecast._host_columns(relation) c ON c.name = _likely_words.name AND c.category = 'S' WHERE k.is_stripe AND is_foreign) w(word)
			CROSS JOIN (SELECT '{trial,active,past_due,cancelled,expired}'::text[] AS words) o
			LEFT JOIN capforecast._status_words() k ON k.theirs = lower(w.word)) s
$$;
COMMENT ON FUNCTION capforecast._likely_words(regclass, name, boolean) IS
	'The status words of a column that differ from ours, and those that nobody is known to use; of a table that is not named as ours is also Stripe''s that do not stand there yet.';
