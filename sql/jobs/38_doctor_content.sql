-- What doctor() says of what stands in the host's tables: what is read otherwise than it is
-- meant, with the statement that mends it.

CREATE FUNCTION capforecast._bound_relation(entity text)
	RETURNS regclass LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.oid::regclass
	FROM (SELECT max(b.schema_name::text) AS schema_name, max(b.table_name::text) AS table_name
			FROM capforecast.binding b WHERE b.entity = _bound_relation.entity) b
		JOIN pg_namespace n ON n.nspname = coalesce(b.schema_name, 'public')
		JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = coalesce(b.table_name, _bound_relation.entity)
$$;
COMMENT ON FUNCTION capforecast._bound_relation(text) IS 'The table behind an entity; NULL where there is none.';

CREATE FUNCTION capforecast._bound_column(entity text, logical_name text)
	RETURNS name LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN jsonb_typeof(c) <> 'object' THEN c #>> '{}' END
	FROM coalesce((SELECT b.columns -> logical_name FROM capforecast.binding b WHERE b.entity = _bound_column.entity),
		to_jsonb(logical_name)) c
$$;
COMMENT ON FUNCTION capforecast._bound_column(text, text) IS 'The column behind a logical name; NULL where it is bound to null or to an expression.';

CREATE FUNCTION capforecast._bind_statement(entity text, more_columns jsonb, more_filter text, more_words jsonb)
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT capforecast._bind_call(_bind_statement.entity, format('%I.%I', coalesce(b.schema_name, 'public'), coalesce(b.table_name, _bind_statement.entity)),
		coalesce(b.columns, '{}') || more_columns, nullif(concat_ws(' AND ', '(' || b.filter || ')', more_filter), ''),
		coalesce(b.words, '{}') || more_words, b.newest_by)
	FROM (SELECT) x LEFT JOIN capforecast.binding b ON b.entity = _bind_statement.entity
$$;
COMMENT ON FUNCTION capforecast._bind_statement(text, jsonb, text, jsonb) IS 'The call of bind() that keeps what is bound and adds to it.';

-- For a word that nobody is known to use the operator must decide: bind() refuses the answer.
CREATE FUNCTION capforecast._usual_word(word text)
	RETURNS jsonb LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce((SELECT coalesce(to_jsonb(w.ours), 'null') FROM capforecast._status_words() w WHERE w.theirs = word), '"one of ours, or null"')
$$;
COMMENT ON FUNCTION capforecast._usual_word(text) IS 'What a status word seen elsewhere is called here, as JSON; null: nothing that counts.';

CREATE FUNCTION capforecast._doctor_words()
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'error', 'vendor_subscriptions.status',
		format('%s of %s subscriptions have status %s, which is none of trial, active, past_due, cancelled and expired: they count as nothing',
			sum(w.value::bigint), max(w.total), string_agg(quote_literal(w.key), ', ' ORDER BY w.key)),
		capforecast._bind_statement('vendor_subscriptions', '{}', NULL, jsonb_object_agg(w.key, capforecast._usual_word(w.key)))
	FROM (SELECT c.key, c.value, sum(c.value::bigint) OVER () AS total FROM jsonb_each_text(capforecast._host_row(NULL::jsonb,
			'SELECT jsonb_object_agg(coalesce(s.status, ''''), s.n) FROM (SELECT {s:vendor_subscriptions.status} AS status, count(*) AS n
				FROM {vendor_subscriptions} s GROUP BY 1) s')) c) w
	WHERE w.key <> ALL ('{trial,active,past_due,cancelled,expired}')
	HAVING count(*) > 0
$$;
COMMENT ON FUNCTION capforecast._doctor_words() IS 'Status words of subscriptions that mean nothing here.';

CREATE FUNCTION capforecast._doctor_numbers()
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'warning', 'subscription_tiers.price_monthly_cents',
		format('%s of %s tiers have a price with a fraction of the minor unit: it is in major units', n.fractions, n.tiers),
		capforecast._bind_statement('subscription_tiers', jsonb_build_object('price_monthly_cents', jsonb_build_object('unit', 'major', 'expression',
			coalesce(quote_ident(capforecast._bound_column('subscription_tiers', 'price_monthly_cents')), 'your_column'))), NULL, '{}')
	FROM jsonb_to_record(capforecast._host_row(NULL::jsonb, 'SELECT jsonb_build_object(''tiers'', count(*),
			''fractions'', count(*) FILTER (WHERE {t:subscription_tiers.price_monthly_cents}::numeric % 1 <> 0)) FROM {subscription_tiers} t'))
		AS n(tiers bigint, fractions bigint)
	WHERE n.fractions > 0
$$;
COMMENT ON FUNCTION capforecast._doctor_numbers() IS 'Prices that cannot be minor units.';

CREATE FUNCTION capforecast._doctor_deleted()
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'warning', e.entity, format('%s has a column %s: rows that are marked as deleted are counted', e.entity, a.attname),
		capforecast._bind_statement(e.entity, '{}', format('%I IS NULL', a.attname), '{}')
	FROM unnest('{vendors,subscription_tiers,vendor_subscriptions,products,vendor_users,orders}'::text[]) AS e(entity)
		JOIN pg_attribute a ON a.attrelid = capforecast._bound_relation(e.entity) AND a.attnum > 0 AND NOT a.attisdropped
			AND a.attname IN ('deleted_at', 'discarded_at')
		LEFT JOIN capforecast.binding b ON b.entity = e.entity
	WHERE position(a.attname IN coalesce(b.filter, '')) = 0
$$;
COMMENT ON FUNCTION capforecast._doctor_deleted() IS 'Tables whose rows are marked as deleted, and counted all the same.';

-- A table that cannot be read is another finding.
CREATE FUNCTION capforecast._doctor_content()
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT * FROM capforecast._doctor_deleted();
	BEGIN
		RETURN QUERY SELECT * FROM capforecast._doctor_words();
	EXCEPTION WHEN syntax_error_or_access_rule_violation OR invalid_parameter_value THEN
		NULL;
	END;
	BEGIN
		RETURN QUERY SELECT * FROM capforecast._doctor_numbers();
	EXCEPTION WHEN syntax_error_or_access_rule_violation OR invalid_parameter_value THEN
		NULL;
	END;
END
$$;
COMMENT ON FUNCTION capforecast._doctor_content() IS 'What doctor() finds in the rows of the host''s tables.';
