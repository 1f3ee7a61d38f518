-- Bindings: which of the host's tables and columns stand behind the logical names.

CREATE TABLE capforecast.binding (
	entity      text PRIMARY KEY,
	schema_name name NOT NULL,
	table_name  name NOT NULL,
	columns     jsonb NOT NULL DEFAULT '{}',
	filter      text,
	words       jsonb NOT NULL DEFAULT '{}',
	newest_by   text,
	registrar   oid NOT NULL,
	registrar_name name NOT NULL
);
COMMENT ON TABLE capforecast.binding IS
	'Other names than the default ones, one row per entity; written by bind() and unbind(). Names, not OIDs: no object of the host depends on the extension.';
COMMENT ON COLUMN capforecast.binding.entity IS 'logical name of the table, which is also its default name in schema public';
COMMENT ON COLUMN capforecast.binding.columns IS 'logical column name to the host''s column name, or {"expression": ..., "unit": ...}; null where the host has no such column';
COMMENT ON COLUMN capforecast.binding.filter IS 'condition on the host''s rows; the others are not there';
COMMENT ON COLUMN capforecast.binding.words IS 'the host''s status word to ours; null: rows of that status are not counted';
COMMENT ON COLUMN capforecast.binding.newest_by IS 'column by which the newest row of a vendor is found; NULL: every row counts';
COMMENT ON COLUMN capforecast.binding.registrar IS 'oid of the role that bound it; 0, or another role than registrar_name: suspended';
COMMENT ON COLUMN capforecast.binding.registrar_name IS 'name of that role';
CREATE TRIGGER set_registrar BEFORE INSERT OR UPDATE ON capforecast.binding
	FOR EACH ROW EXECUTE FUNCTION capforecast._set_registrar();
SELECT pg_catalog.pg_extension_config_dump('capforecast.binding', '');

CREATE FUNCTION capforecast.bind(entity text, relation regclass, columns jsonb DEFAULT '{}', filter text DEFAULT NULL,
		words jsonb DEFAULT '{}', newest_by text DEFAULT NULL)
	RETURNS void LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_bind';
COMMENT ON FUNCTION capforecast.bind(text, regclass, jsonb, text, jsonb, text) IS
	'Bind an entity to a table or view of another name. columns: logical name to a column''s name, {"expression": ..., "unit": "major" or "minor"} over the relation''s columns, or null where there is none; filter: a condition, rows that do not meet it are not there; words: your status words to those known here, or null (such rows are not counted); newest_by: a column, of each vendor only the row with the greatest value of it counts. Expressions use the server''s own functions only. Replaces an earlier binding of the entity. Errors: 22023 for a name that is not an entity or logical column, unknown_word, bad_expression; 42P01 and 42703 for a relation or column that does not exist.
Example: SELECT capforecast.bind(''vendor_subscriptions'', ''public.vendor_subscriptions'', filter => ''vendor_id IS NOT NULL'', words => ''{"trialing": "trial", "incomplete": null}'');';

CREATE FUNCTION capforecast.unbind(entity text)
	RETURNS void LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'capforecast_unbind';
COMMENT ON FUNCTION capforecast.unbind(text) IS
	'Return an entity to its default table, public.<entity>.
Example: SELECT capforecast.unbind(''vendors'');';

CREATE FUNCTION capforecast._host_sql(template text)
	RETURNS text LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'capforecast_host_sql';
COMMENT ON FUNCTION capforecast._host_sql(text) IS
	'Replace {entity}, {entity.column}, {alias:entity.column} and {!entity.column} in a statement by the bound names.';

-- Templates run through the plans that the session keeps; see host_rows.c.
CREATE FUNCTION capforecast._host_rows(anyelement, template text)
	RETURNS SETOF anyelement LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'capforecast_host_rows';
COMMENT ON FUNCTION capforecast._host_rows(anyelement, text) IS
	'The rows of a statement on the host''s tables, as values of the first argument''s type.';
CREATE FUNCTION capforecast._host_rows(anyelement, template text, VARIADIC "any")
	RETURNS SETOF anyelement LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'capforecast_host_rows';
COMMENT ON FUNCTION capforecast._host_rows(anyelement, text, "any") IS
	'The same with values for $1, $2 and so on.';

CREATE FUNCTION capforecast._host_row(anyelement, template text)
	RETURNS anyelement LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'capforecast_host_row';
COMMENT ON FUNCTION capforecast._host_row(anyelement, text) IS
	'The first row of a statement on the host''s tables, as a value of the first argument''s type; NULL: none.';
CREATE FUNCTION capforecast._host_row(anyelement, template text, VARIADIC "any")
	RETURNS anyelement LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'capforecast_host_row';
COMMENT ON FUNCTION capforecast._host_row(anyelement, text, "any") IS
	'The same with values for $1, $2 and so on.';

CREATE FUNCTION capforecast._host_write(anyelement, template text)
	RETURNS SETOF anyelement LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_host_write';
COMMENT ON FUNCTION capforecast._host_write(anyelement, text) IS
	'As _host_rows(), for a statement that writes or must see what this transaction has written.';
CREATE FUNCTION capforecast._host_write(anyelement, template text, VARIADIC "any")
	RETURNS SETOF anyelement LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_host_write';
COMMENT ON FUNCTION capforecast._host_write(anyelement, text, "any") IS
	'The same with values for $1, $2 and so on.';

CREATE FUNCTION capforecast._host_execute(template text)
	RETURNS bigint LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_host_execute';
COMMENT ON FUNCTION capforecast._host_execute(text) IS
	'Run a statement that writes to the host''s tables; how many rows it wrote.';
CREATE FUNCTION capforecast._host_execute(template text, VARIADIC "any")
	RETURNS bigint LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_host_execute';
COMMENT ON FUNCTION capforecast._host_execute(text, "any") IS
	'The same with values for $1, $2 and so on.';

CREATE FUNCTION capforecast._host_problems(OUT subject text, OUT sqlstate text, OUT problem text, OUT fix text)
	RETURNS SETOF record LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'capforecast_host_problems';
COMMENT ON FUNCTION capforecast._host_problems() IS
	'One row for each table or column of the host that the caller cannot read, with its fix.';

CREATE FUNCTION capforecast._host_trusts(relation regclass)
	RETURNS boolean LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'capforecast_host_trusts';
COMMENT ON FUNCTION capforecast._host_trusts(regclass) IS
	'Whether the caller may read a relation with its own rights: plain tables, and what belongs to somebody it trusts, all the way down. NULL: there is no such relation.';

CREATE FUNCTION capforecast._host_has(entity text)
	RETURNS boolean LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'capforecast_host_has';
COMMENT ON FUNCTION capforecast._host_has(text) IS
	'Whether there is a table behind an entity; one that the caller may not read is there.';

CREATE FUNCTION capforecast._host_column(entity text, "column" text)
	RETURNS text LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'capforecast_host_column';
COMMENT ON FUNCTION capforecast._host_column(text, text) IS
	'The quoted name of the host''s column, for INSERT and SET; NULL where the table has none.';

CREATE FUNCTION capforecast._host_cast(entity text, "column" text, expression text)
	RETURNS text LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'capforecast_host_cast';
COMMENT ON FUNCTION capforecast._host_cast(text, text, text) IS
	'An expression as a value of the type of the host''s column: what is text here may be an enum or a uuid there.';

-- assignments: logical column, expression, logical column, expression, ...
CREATE FUNCTION capforecast._host_set(entity text, VARIADIC assignments text[])
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(format('%s = %s', capforecast._host_column(entity, assignments[i]),
		capforecast._host_cast(entity, assignments[i], assignments[i + 1])), ', ' ORDER BY i)
	FROM generate_series(1, cardinality(assignments), 2) AS i
	WHERE capforecast._host_column(entity, assignments[i]) IS NOT NULL
$$;
COMMENT ON FUNCTION capforecast._host_set(text, text[]) IS
	'The SET list of an UPDATE; columns that the host''s table does not have are left out.';

CREATE FUNCTION capforecast._host_insert(entity text, VARIADIC assignments text[])
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('(%s) SELECT %s', string_agg(capforecast._host_column(entity, assignments[i]), ', ' ORDER BY i),
		string_agg(capforecast._host_cast(entity, assignments[i], assignments[i + 1]), ', ' ORDER BY i))
	FROM generate_series(1, cardinality(assignments), 2) AS i
	WHERE capforecast._host_column(entity, assignments[i]) IS NOT NULL
$$;
COMMENT ON FUNCTION capforecast._host_insert(text, text[]) IS
	'The column list and the SELECT of an INSERT, in the same way.';
