-- What the extension offers, from the comments of its own objects.

-- Types and defaults as a person would type them.
CREATE FUNCTION capforecast._short_types(signature text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN regexp_replace(replace(replace(replace(replace(signature, 'timestamp with time zone', 'timestamptz'), 'timestamp without time zone', 'timestamp'),
		'time without time zone', 'time'), 'capforecast.', ''), '(NULL|''[^'']*'')::[a-z][a-z ]*(?:\[\])?', '\1', 'g');
COMMENT ON FUNCTION capforecast._short_types(text) IS 'Arguments or columns in short.';

CREATE FUNCTION capforecast._result_text(routine oid)
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN p.prokind = 'p' THEN NULL ELSE capforecast._short_types(CASE
		WHEN t.typtype = 'c' THEN format('%s %s (%s)', CASE WHEN p.proretset THEN 'rows of' ELSE 'one row of' END, t.typname,
			(SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, NULL)), ', ' ORDER BY a.attnum)
			 FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))
		WHEN p.proargmodes && '{t,o}'::"char"[] THEN format('%s (%s)', CASE WHEN p.proretset THEN 'rows' ELSE 'one row' END,
			(SELECT string_agg(format('%I %s', a.name, format_type(a.type, NULL)), ', ' ORDER BY a.position)
			 FROM unnest(p.proargnames, p.proallargtypes, p.proargmodes) WITH ORDINALITY AS a(name, type, mode, position) WHERE a.mode IN ('t', 'o')))
		ELSE CASE WHEN p.proretset THEN 'rows of ' ELSE '' END || format_type(p.prorettype, NULL) END) END
	FROM pg_proc p JOIN pg_type t ON t.oid = p.prorettype WHERE p.oid = routine
$$;
COMMENT ON FUNCTION capforecast._result_text(oid) IS 'What a routine returns, with its columns; NULL for a procedure.';

CREATE FUNCTION capforecast._public_routines()
	RETURNS TABLE (routine text, signature text, result text, is_writer boolean, about text, example text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT p.proname, format('%s(%s)', p.proname, capforecast._short_types(CASE WHEN p.prokind = 'p' THEN replace(pg_get_function_arguments(p.oid), 'IN ', '')
			ELSE regexp_replace(pg_get_function_arguments(p.oid), ',? ?OUT .*', '') END)),
		capforecast._result_text(p.oid), p.provolatile = 'v' OR p.prokind = 'p', split_part(c.text, E'\nExample: ', 1), nullif(split_part(c.text, E'\nExample: ', 2), '')
	FROM pg_proc p CROSS JOIN LATERAL obj_description(p.oid, 'pg_proc') c(text)
	WHERE p.pronamespace = 'capforecast'::regnamespace AND p.proname NOT LIKE '\_%' AND p.prorettype <> 'trigger'::regtype
		AND p.prorettype <> 'cstring'::regtype AND p.proname NOT IN ('series_in', 'series_recv', 'series_send')
		AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
			AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT e.oid FROM pg_extension e WHERE e.extname = 'capforecast'))
	ORDER BY 1, c.text !~ E'\nExample: ', 2
$$;
COMMENT ON FUNCTION capforecast._public_routines() IS
	'Every routine that is called by name, with the example that ends its comment; the first of those of one name has it.';

CREATE FUNCTION capforecast._wrapped(words text, indent text DEFAULT '')
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN rtrim(regexp_replace(words, '(.{1,96})(?:\s+|$)', indent || '\1' || E'\n', 'g'), E'\n');
COMMENT ON FUNCTION capforecast._wrapped(text, text) IS 'A text in lines of at most 96 characters, each with the indent.';

CREATE FUNCTION capforecast._help_routine(topic text)
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(concat_ws(E'\n', capforecast._wrapped(r.signature), capforecast._wrapped(r.about, '    '), capforecast._wrapped('Returns ' || r.result || '.', '    ')), E'\n\n' ORDER BY r.position)
		|| E'\n\n    ' || CASE WHEN bool_or(r.is_writer) THEN 'Writes: whoever calls it needs a grant (grant_access).' ELSE 'Reads only.' END
		|| coalesce(E'\n\nExample:\n' || capforecast._wrapped(max(r.example), '    '), '')
	FROM capforecast._public_routines() WITH ORDINALITY AS r(routine, signature, result, is_writer, about, example, position)
	WHERE r.routine = _help_routine.topic
$$;
COMMENT ON FUNCTION capforecast._help_routine(text) IS 'help() of a routine; NULL where there is none of the name.';

CREATE FUNCTION capforecast._help_relation(topic text)
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT concat_ws(E'\n', format('%s capforecast.%s', CASE c.relkind WHEN 'v' THEN 'view' WHEN 'c' THEN 'type' ELSE 'table' END, c.relname),
		capforecast._wrapped(coalesce(obj_description(c.oid, 'pg_class'), obj_description(c.reltype, 'pg_type')), '    '), '',
		(SELECT string_agg(rtrim(format('%-36s ', format('%I %s', a.attname, capforecast._short_types(format_type(a.atttypid, a.atttypmod)))) || coalesce(col_description(c.oid, a.attnum), '')), E'\n' ORDER BY a.attnum)
		 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
	FROM pg_class c
	WHERE c.relnamespace = 'capforecast'::regnamespace AND c.relname = _help_relation.topic AND c.relkind IN ('r', 'p', 'v', 'c') AND c.relname NOT LIKE '\_%'
$$;
COMMENT ON FUNCTION capforecast._help_relation(text) IS 'help() of a table, a view or the type of a result; NULL where there is none of the name.';

CREATE FUNCTION capforecast._help_setting(topic text)
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format(E'setting %s = %s\n%s', s.name, coalesce(nullif(s.setting || coalesce(' ' || s.unit, ''), ''), ''''''), capforecast._wrapped(concat_ws(' ', s.short_desc, s.extra_desc), '    '))
	FROM pg_settings s WHERE s.name IN (topic, 'capforecast.' || topic) AND s.name LIKE 'capforecast.%'
$$;
COMMENT ON FUNCTION capforecast._help_setting(text) IS 'help() of a setting; NULL where there is none of the name.';

-- By pairs of letters that two names have in common (Dice's coefficient); no name is longer than 63 bytes.
CREATE FUNCTION capforecast._likeness(a text, b text)
	RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 2.0 * count(*) / greatest(length(a) + length(b) + 2, 1)
	FROM (SELECT substr('^' || lower(left(a, 64)) || '$', i, 2) FROM generate_series(1, length(left(a, 64)) + 1) i
		INTERSECT ALL SELECT substr('^' || lower(left(b, 64)) || '$', i, 2) FROM generate_series(1, length(left(b, 64)) + 1) i) pair
$$;
COMMENT ON FUNCTION capforecast._likeness(text, text) IS 'How much two names look alike, 0 to 1.';

CREATE FUNCTION capforecast.help(topic text DEFAULT NULL)
	RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	subject constant text := regexp_replace(regexp_replace(trim(topic), '^capforecast\.', ''), '\(.*$', '');
	answer text;
BEGIN
	IF topic IS NULL THEN
		RETURN (SELECT string_agg(rpad(f.routine, 29) || CASE WHEN length(f.words) > 90 THEN left(f.words, 87) || '...' ELSE f.words END, E'\n' ORDER BY f.routine)
				FROM (SELECT DISTINCT ON (r.routine) r.routine, regexp_replace(split_part(r.about, '. ', 1), '\.$', '') AS words FROM capforecast._public_routines() WITH ORDINALITY AS r(routine, signature, result, is_writer, about, example, position)
					ORDER BY r.routine, r.position) f)
			|| E'\n\nSELECT capforecast.help(''forecast'') explains one; names of tables, views, result types and settings are topics, too.';
	END IF;
	PERFORM capforecast._instant(NULL);	-- the library is loaded, and its settings are known
	answer := coalesce(capforecast._help_routine(subject), capforecast._help_relation(subject), capforecast._help_setting(subject));
	IF answer IS NULL THEN
		RAISE no_data_found USING
			MESSAGE = format('there is no help on "%s"', left(topic, 64)),
			CONSTRAINT = 'unknown_topic',
			HINT = (SELECT format('The nearest: %s.', string_agg(n.name, ', ' ORDER BY n.likeness DESC, n.name))
				FROM (SELECT t.name, capforecast._likeness(subject, t.name) AS likeness
					FROM (SELECT r.routine AS name FROM capforecast._public_routines() r
						UNION SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'capforecast'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname NOT LIKE '\_%') t
					ORDER BY likeness DESC, t.name LIMIT 3) n);
	END IF;
	RETURN answer;
END
$$;
COMMENT ON FUNCTION capforecast.help(text) IS
	'What a function is for, its arguments, units, errors and an example, from its own comment; also of a table, a view, the type of a result and a setting. Without a topic: every public function in a line. Error: P0002 unknown_topic, whose hint has the nearest.
Example: SELECT capforecast.help(''time_to_threshold'');';
