-- What the server itself can run out of: a query for each, and its limit.

CREATE TYPE capforecast._server_metric AS (
	metric text, what text, unit text, kind text, query text, limit_value double precision, limit_query text, reason text
);
COMMENT ON TYPE capforecast._server_metric IS
	'What the server can run out of: name, in words, unit, kind, the query that measures it, its limit as a number or a query (NULL: the server sets none), and why the caller may not measure it (NULL: it may).';

-- A name that add_metric() takes; what does not fit is told apart by a hash.
CREATE FUNCTION capforecast._server_metric_name(kind text, VARIADIC names text[])
	RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN plain ~ '^[a-z0-9_]{1,50}$' THEN format('pg_%s_%s', kind, plain)
		ELSE format('pg_%s_%s_%s', kind, left(regexp_replace(lower(plain), '[^a-z0-9_]+', '_', 'g'), 40), left(md5(plain), 8)) END
	FROM array_to_string(CASE names[1] WHEN 'public' THEN names[2:] ELSE names END, '_') plain
$$;
COMMENT ON FUNCTION capforecast._server_metric_name(text, text[]) IS 'The name of a metric of the server, from a schema''s name and others; schema public goes without saying.';

CREATE FUNCTION capforecast._server_relations()
	RETURNS SETOF capforecast._server_metric LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	-- the largest first, until nine tenths of what there is are told
	SELECT capforecast._server_metric_name(f.sort, f.nspname, f.relname), format('size of %s %I.%I', f.sort, f.nspname, f.relname), 'bytes', 'stock',
		format('SELECT pg_relation_size(to_regclass(%L))', format('%I.%I', f.nspname, f.relname)),
		4294967295::double precision * current_setting('block_size')::integer, NULL::text, NULL::text
	FROM (
		SELECT r.*, sum(r.bytes) OVER w - r.bytes AS before, sum(r.bytes) OVER () AS total, row_number() OVER w AS place
		FROM (
			SELECT n.nspname, c.relname, CASE c.relkind WHEN 'i' THEN 'index' ELSE 'table' END AS sort, pg_relation_size(c.oid) AS bytes
			FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE c.relkind IN ('r', 'm', 'i') AND c.relpersistence <> 't'
				AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'capforecast')) r
		WHERE r.bytes > 0
		WINDOW w AS (ORDER BY r.bytes DESC, r.nspname, r.relname)) f
	WHERE f.before < 0.9 * f.total AND f.place <= 200
$$;
COMMENT ON FUNCTION capforecast._server_relations() IS 'The tables and indexes that fill the database (at most 200), each against the size that no relation can pass.';

CREATE FUNCTION capforecast._server_keys()
	RETURNS SETOF capforecast._server_metric LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH owned AS (
		SELECT d.objid AS sequence, d.refobjid AS relation, d.refobjsubid AS attnum
		FROM pg_depend d
		WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0),
	-- a key ends where its sequence does, or the type of its column
	by_sequence AS (
		SELECT s.schemaname, s.sequencename, s.last_value, tn.nspname, t.relname, a.attname,
			least(s.max_value, CASE a.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 END) AS most
		FROM pg_sequences s
			JOIN pg_namespace n ON n.nspname = s.schemaname JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.sequencename
			LEFT JOIN owned o ON o.sequence = c.oid
			LEFT JOIN pg_class t ON t.oid = o.relation LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace
			LEFT JOIN pg_attribute a ON a.attrelid = o.relation AND a.attnum = o.attnum
		WHERE NOT s.cycle AND s.increment_by > 0 AND c.relpersistence <> 't' AND s.schemaname NOT IN ('pg_catalog', 'information_schema', 'capforecast')),
	sequences AS (
		SELECT s.*, format('%I.%I', s.schemaname, s.sequencename) AS sequence
		FROM by_sequence s WHERE s.most <= 2147483647 OR s.last_value >= 0.01 * s.most
		ORDER BY s.last_value::double precision / s.most DESC NULLS LAST, s.schemaname, s.sequencename LIMIT 200),
	-- and whole-number keys that something else than a sequence of theirs counts
	keys AS (
		SELECT n.nspname, t.relname, a.attname, CASE a.atttypid WHEN 'int2'::regtype THEN 32767 ELSE 2147483647 END AS most,
			has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(t.oid, a.attnum, 'SELECT') AS is_allowed
		FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
			JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
		WHERE i.indisprimary AND i.indnkeyatts = 1 AND a.atttypid IN ('int2'::regtype, 'int4'::regtype)
			AND t.relpersistence <> 't' AND NOT t.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'capforecast')
			AND NOT EXISTS (SELECT FROM owned o WHERE o.relation = t.oid AND o.attnum = a.attnum)
		ORDER BY pg_relation_size(i.indexrelid) DESC, n.nspname, t.relname LIMIT 200)
	SELECT CASE WHEN s.attname IS NULL THEN capforecast._server_metric_name('sequence', s.schemaname, s.sequencename)
			ELSE capforecast._server_metric_name('key', s.nspname, s.relname, s.attname) END,
		CASE WHEN s.attname IS NULL THEN format('sequence %s', s.sequence)
			ELSE format('key %I of %I.%I', s.attname, s.nspname, s.relname) END, 'numbers', 'stock',
		format('SELECT CASE WHEN has_sequence_privilege(%L, ''USAGE,SELECT'') THEN coalesce(last_value, start_value - increment_by) END FROM pg_sequences WHERE schemaname = %L AND sequencename = %L',
			s.sequence, s.schemaname, s.sequencename),
		s.most::double precision, NULL,
		CASE WHEN NOT has_schema_privilege(s.schemaname, 'USAGE') OR NOT has_sequence_privilege(s.sequence, 'USAGE,SELECT')
			THEN format('permission denied for sequence %s', s.sequence) END
	FROM sequences s
	UNION ALL
	SELECT capforecast._server_metric_name('key', k.nspname, k.relname, k.attname), format('key %I of %I.%I', k.attname, k.nspname, k.relname), 'numbers', 'stock',
		format('SELECT coalesce(max(%I), 0) FROM %I.%I', k.attname, k.nspname, k.relname), k.most::double precision, NULL,
		CASE WHEN NOT k.is_allowed THEN format('permission denied for table %I.%I', k.nspname, k.relname) END
	FROM keys k
$$;
COMMENT ON FUNCTION capforecast._server_keys() IS
	'Sequences that do not start again and whole-number primary keys, each against the last number it can give: those up to four bytes, and others of which a hundredth is used; at most 200 of each.';

CREATE FUNCTION capforecast._server_settings()
	RETURNS SETOF capforecast._server_metric LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	VALUES
		('pg_database_bytes', 'size of the database', 'bytes', 'stock', 'SELECT pg_database_size(current_database())', NULL::double precision, NULL, NULL),
		-- 3 million before 2^31: then no transaction begins any more
		('pg_xid_age', 'age of the oldest transaction id that is not frozen', 'transactions', 'stock',
			'SELECT max(age(datfrozenxid)) FROM pg_database', 2144483647, NULL, NULL),
		('pg_multixact_age', 'age of the oldest multixact id that is not frozen', 'multixacts', 'stock',
			'SELECT max(mxid_age(datminmxid)) FROM pg_database', 2144483647, NULL, NULL),
		('pg_connections', 'connections of clients', 'connections', 'gauge',
			'SELECT count(*) FROM pg_stat_activity WHERE usesysid IS NOT NULL AND coalesce(backend_type, ''client backend'') = ''client backend''', NULL,
			'SELECT current_setting(''max_connections'')::integer - current_setting(''superuser_reserved_connections'')::integer - coalesce(current_setting(''reserved_connections'', true)::integer, 0)', NULL),
		('pg_wal_bytes', 'write-ahead log kept on disk', 'bytes', 'gauge', 'SELECT sum(size) FROM pg_ls_waldir()', NULL, NULL, NULL),
		('pg_slots', 'replication slots', 'slots', 'gauge', 'SELECT count(*) FROM pg_replication_slots', NULL,
			'SELECT nullif(current_setting(''max_replication_slots'')::integer, 0)', NULL),
		('pg_slot_wal_bytes', 'write-ahead log that the slot furthest behind keeps', 'bytes', 'gauge',
			'SELECT coalesce(max(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, restart_lsn)), 0) FROM pg_replication_slots', NULL,
			'SELECT nullif(setting::bigint, -1) * 1048576 FROM pg_settings WHERE name = ''max_slot_wal_keep_size''', NULL),
		('pg_wal_senders', 'connections of replicas', 'connections', 'gauge', 'SELECT count(*) FROM pg_stat_get_wal_senders()', NULL,
			'SELECT nullif(current_setting(''max_wal_senders'')::integer, 0)', NULL)
$$;
COMMENT ON FUNCTION capforecast._server_settings() IS 'What the whole server can run out of, each against the limit that its settings or its numbering set.';
