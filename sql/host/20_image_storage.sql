-- Image storage: where the number of bytes of the host's pictures comes from.

CREATE TABLE capforecast.image_storage (
	is_only     boolean PRIMARY KEY DEFAULT true CHECK (is_only),
	source      text NOT NULL CHECK (source IN ('query', 'directory', 'pushed')),
	bytes       bigint CHECK (bytes >= 0),
	measured_at timestamptz CHECK (isfinite(measured_at)),
	reason      text,
	CHECK ((bytes IS NULL) = (measured_at IS NULL))
);
COMMENT ON TABLE capforecast.image_storage IS
	'The one bound source of image storage and its last value; written by bind_image_storage(), push_image_storage() and the job capture_daily_snapshot.';
COMMENT ON COLUMN capforecast.image_storage.bytes IS 'the value pushed or measured last, in bytes';
COMMENT ON COLUMN capforecast.image_storage.reason IS 'why the last measurement gave no value; NULL: it did';
SELECT pg_catalog.pg_extension_config_dump('capforecast.image_storage', '');

-- Apart from the above, because a query may hold what its readers must not see.
CREATE TABLE capforecast._image_source (
	is_only    boolean PRIMARY KEY DEFAULT true CHECK (is_only),
	definition text NOT NULL,
	registrar  oid NOT NULL,
	registrar_name name NOT NULL
);
COMMENT ON TABLE capforecast._image_source IS
	'What the source of image storage is where it is measured, and as which role. Only the role that runs the jobs needs to read it.';
COMMENT ON COLUMN capforecast._image_source.definition IS 'the query, or the directory on the server';
COMMENT ON COLUMN capforecast._image_source.registrar IS 'oid of the role that the query runs as, or whose right to read server files counts; 0, or another role than registrar_name: suspended';
COMMENT ON COLUMN capforecast._image_source.registrar_name IS 'name of that role';
SELECT pg_catalog.pg_extension_config_dump('capforecast._image_source', '');

CREATE TRIGGER set_registrar BEFORE INSERT OR UPDATE ON capforecast._image_source
	FOR EACH ROW EXECUTE FUNCTION capforecast._set_registrar();

CREATE FUNCTION capforecast._measure_image_storage()
	RETURNS bigint LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_measure_image_storage';
COMMENT ON FUNCTION capforecast._measure_image_storage() IS
	'Measure the bound query or directory and store the value; what fails is raised. NULL where the query returns NULL, or nothing is bound that could be measured.';

CREATE FUNCTION capforecast.bind_image_storage(query text DEFAULT NULL, directory text DEFAULT NULL)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF query IS NOT NULL AND directory IS NOT NULL THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'image storage has one source',
			HINT = 'Give a query or a directory, not both.';
	END IF;
	IF directory IS NOT NULL THEN
		IF NOT pg_has_role(current_user, 'pg_read_server_files', 'USAGE') THEN
			RAISE insufficient_privilege USING
				MESSAGE = 'permission denied to bind a directory of the server',
				HINT = format('GRANT pg_read_server_files TO %I; or push the value with push_image_storage().', current_user);
		ELSIF octet_length(directory) > 1023 OR NOT (pg_stat_file(directory)).isdir THEN
			RAISE invalid_parameter_value USING
				MESSAGE = format('"%s" is not a directory', left(directory, 1023)),
				HINT = 'Give the path of a directory on the database server.';
		END IF;
	END IF;

	INSERT INTO capforecast.image_storage (source)
	VALUES (CASE WHEN query IS NOT NULL THEN 'query' WHEN directory IS NOT NULL THEN 'directory' ELSE 'pushed' END)
	ON CONFLICT (is_only) DO UPDATE SET source = excluded.source, bytes = NULL, measured_at = NULL, reason = NULL;
	DELETE FROM capforecast._image_source;
	IF query IS NOT NULL OR directory IS NOT NULL THEN
		INSERT INTO capforecast._image_source (definition) VALUES (coalesce(query, directory));
	END IF;
	-- A query that fails is not kept; a directory may take its time, which is the job's.
	IF query IS NOT NULL THEN
		PERFORM capforecast._measure_image_storage();
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast.bind_image_storage(text, text) IS
	'Where image storage is measured: a query that returns bytes (run as the caller''s role, read-only, with search_path pg_catalog, 5 s at most; once at once, and an error if it fails), or a directory of the server (needs pg_read_server_files; links are not followed). With neither, values come from push_image_storage().
Example: SELECT capforecast.bind_image_storage(query => ''SELECT 91.3 * 1073741824'');';

CREATE FUNCTION capforecast.push_image_storage(bytes bigint, measured_at timestamptz DEFAULT NULL)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	IF push_image_storage.bytes IS NULL OR push_image_storage.bytes < 0 THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'bytes must be 0 or more',
			HINT = 'Where the size is not known, push nothing: an old value is shown as stale.';
	END IF;
	IF NOT isfinite(push_image_storage.measured_at) OR push_image_storage.measured_at > clock_timestamp() + interval '5 minutes' THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'measured_at lies in the future or is not finite',
			HINT = 'Leave it out for now, or give the time of the measurement.';
	END IF;
	INSERT INTO capforecast.image_storage (source, bytes, measured_at)
	VALUES ('pushed', push_image_storage.bytes, coalesce(push_image_storage.measured_at, clock_timestamp()))
	ON CONFLICT (is_only) DO UPDATE
		SET source = 'pushed', bytes = excluded.bytes, measured_at = excluded.measured_at, reason = NULL;
	DELETE FROM capforecast._image_source;
END
$$;
COMMENT ON FUNCTION capforecast.push_image_storage(bigint, timestamptz) IS
	'Report image storage in bytes, as measured by the application (measured_at NULL: now). Shown as stale after 48 hours. Errors: 22023 for a negative size or a time in the future.
Example: SELECT capforecast.push_image_storage(98 * 1073741824::bigint);';

CREATE FUNCTION capforecast._read_image_storage(as_of timestamptz,
		OUT bytes bigint, OUT gigabytes numeric, OUT source text, OUT measured_at timestamptz, OUT status text, OUT reason text)
	LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'capforecast_image_storage';
COMMENT ON FUNCTION capforecast._read_image_storage(timestamptz) IS
	'Image storage as it was pushed or measured last: status ok, stale (more than 48 hours before) or unavailable, with the reason. Measures nothing itself.';
