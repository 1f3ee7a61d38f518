\echo Use "CREATE EXTENSION capforecast" to load this file. \quit

-- The schema belongs to the extension: it goes with it, and a schema of this name that
-- somebody has made before is refused instead of taken over with what is in it.
CREATE SCHEMA capforecast;
COMMENT ON SCHEMA capforecast IS 'capacity planning and forecasting; grant USAGE on it to whom may ask';
-- Bindings: which of the host's tables and columns stand behind the logical names.

CREATE TABLE capforecast.binding (
	entity      text PRIMARY KEY,
	schema_name name NOT NULL,
	table_name  name NOT NULL,
	columns     jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE capforecast.binding IS
	'Other names than the default ones, one row per entity; written by bind() and unbind(). Names, not OIDs: no object of the host depends on the extension.';
COMMENT ON COLUMN capforecast.binding.entity IS 'logical name of the table, which is also its default name in schema public';
COMMENT ON COLUMN capforecast.binding.columns IS 'logical column name to the host''s column name; null where the host has no such column';
SELECT pg_catalog.pg_extension_config_dump('capforecast.binding', '');

CREATE FUNCTION capforecast.bind(entity text, relation regclass, columns jsonb DEFAULT '{}')
	RETURNS void LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'capforecast_bind';
COMMENT ON FUNCTION capforecast.bind(text, regclass, jsonb) IS
	'Bind an entity to a table or view of another name; columns maps logical names to column names, or to null where there is none. Replaces an earlier binding of the entity. Errors: 22023 for a name that is not an entity or logical column, 42P01 and 42703 for a relation or column that does not exist.';

CREATE FUNCTION capforecast.unbind(entity text)
	RETURNS void LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'capforecast_unbind';
COMMENT ON FUNCTION capforecast.unbind(text) IS
	'Return an entity to its default table, public.<entity>.';

CREATE FUNCTION capforecast._host_sql(template text)
	RETURNS text LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'capforecast_host_sql';
COMMENT ON FUNCTION capforecast._host_sql(text) IS
	'Replace {entity}, {entity.column}, {alias:entity.column} and {!entity.column} in a statement by the bound names.';

CREATE FUNCTION capforecast._host_problems(OUT subject text, OUT sqlstate text, OUT problem text, OUT fix text)
	RETURNS SETOF record LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'capforecast_host_problems';
COMMENT ON FUNCTION capforecast._host_problems() IS
	'One row for each table or column of the host that the caller cannot read, with its fix.';

CREATE FUNCTION capforecast._host_has(entity text)
	RETURNS boolean LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'capforecast_host_has';
COMMENT ON FUNCTION capforecast._host_has(text) IS
	'Whether there is a table behind an entity; one that the caller may not read is there.';

CREATE FUNCTION capforecast._host_column(entity text, "column" text)
	RETURNS text LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'capforecast_host_column';
COMMENT ON FUNCTION capforecast._host_column(text, text) IS
	'The quoted name of the host''s column, for INSERT and SET; NULL where the table has none.';

-- assignments: logical column, expression, logical column, expression, …
CREATE FUNCTION capforecast._host_set(entity text, VARIADIC assignments text[])
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(format('%s = %s', capforecast._host_column(entity, assignments[i]), assignments[i + 1]), ', ' ORDER BY i)
	FROM generate_series(1, cardinality(assignments), 2) AS i
	WHERE capforecast._host_column(entity, assignments[i]) IS NOT NULL
$$;
COMMENT ON FUNCTION capforecast._host_set(text, text[]) IS
	'The SET list of an UPDATE; columns that the host''s table does not have are left out.';

CREATE FUNCTION capforecast._host_insert(entity text, VARIADIC assignments text[])
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('(%s) SELECT %s', string_agg(capforecast._host_column(entity, assignments[i]), ', ' ORDER BY i),
		string_agg(assignments[i + 1], ', ' ORDER BY i))
	FROM generate_series(1, cardinality(assignments), 2) AS i
	WHERE capforecast._host_column(entity, assignments[i]) IS NOT NULL
$$;
COMMENT ON FUNCTION capforecast._host_insert(text, text[]) IS
	'The column list and the SELECT of an INSERT, in the same way.';
-- Image storage: where the number of bytes of the host's pictures comes from.

CREATE TABLE capforecast.image_storage (
	is_only     boolean PRIMARY KEY DEFAULT true CHECK (is_only),
	source      text NOT NULL CHECK (source IN ('query', 'directory', 'pushed')),
	definition  text,
	owner       name NOT NULL DEFAULT current_user,
	bytes       bigint CHECK (bytes >= 0),
	measured_at timestamptz CHECK (isfinite(measured_at)),
	CHECK ((bytes IS NULL) = (measured_at IS NULL)),
	CHECK ((source = 'pushed') = (definition IS NULL))
);
COMMENT ON TABLE capforecast.image_storage IS
	'The one bound source of image storage; written by bind_image_storage() and push_image_storage().';
COMMENT ON COLUMN capforecast.image_storage.definition IS 'the query, or the directory on the server';
COMMENT ON COLUMN capforecast.image_storage.owner IS 'role that the query runs as, or whose right to read server files counts';
COMMENT ON COLUMN capforecast.image_storage.bytes IS 'the pushed value, in bytes';
SELECT pg_catalog.pg_extension_config_dump('capforecast.image_storage', '');

-- The owner decides as whom the query runs: nobody may name a role that he could not become.
-- A restored row may name a role that the new server does not have: the query then fails
-- with that reason, the restore does not.
CREATE FUNCTION capforecast._check_owner()
	RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF to_regrole(quote_ident(NEW.owner)) IS NULL AND (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
		RETURN NEW;
	END IF;
	-- From 16 on a member need not be able to become the role.
	IF NOT pg_has_role(current_user, NEW.owner, CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
		RAISE insufficient_privilege USING
			MESSAGE = format('must be able to SET ROLE %I', NEW.owner),
			HINT = 'Register it as the role that it is to run as.';
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION capforecast._check_owner() IS 'Trigger: registered SQL runs as a role that its writer belongs to.';

CREATE TRIGGER check_owner BEFORE INSERT OR UPDATE ON capforecast.image_storage
	FOR EACH ROW EXECUTE FUNCTION capforecast._check_owner();

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
		ELSIF NOT (pg_stat_file(directory)).isdir THEN
			RAISE invalid_parameter_value USING
				MESSAGE = format('"%s" is not a directory', directory),
				HINT = 'Give the path of a directory on the database server.';
		END IF;
	END IF;

	INSERT INTO capforecast.image_storage (source, definition, owner)
	VALUES (CASE WHEN query IS NOT NULL THEN 'query' WHEN directory IS NOT NULL THEN 'directory' ELSE 'pushed' END,
			coalesce(query, directory), current_user)
	ON CONFLICT (is_only) DO UPDATE
		SET source = excluded.source, definition = excluded.definition, owner = excluded.owner,
			bytes = NULL, measured_at = NULL;
END
$$;
COMMENT ON FUNCTION capforecast.bind_image_storage(text, text) IS
	'Where image storage is measured: a query that returns bytes (run as the caller''s role, read-only, 5 s at most), or a directory of the server (needs pg_read_server_files; links are not followed). With neither, values come from push_image_storage().';

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
	INSERT INTO capforecast.image_storage (source, owner, bytes, measured_at)
	VALUES ('pushed', current_user, push_image_storage.bytes,
			coalesce(push_image_storage.measured_at, clock_timestamp()))
	ON CONFLICT (is_only) DO UPDATE
		SET source = 'pushed', definition = NULL, owner = excluded.owner,
			bytes = excluded.bytes, measured_at = excluded.measured_at;
END
$$;
COMMENT ON FUNCTION capforecast.push_image_storage(bigint, timestamptz) IS
	'Report image storage in bytes, as measured by the application (measured_at NULL: now). Shown as stale after 48 hours. Errors: 22023 for a negative size or a time in the future.';

CREATE FUNCTION capforecast._read_image_storage(as_of timestamptz,
		OUT bytes bigint, OUT gigabytes numeric, OUT source text, OUT measured_at timestamptz, OUT status text, OUT reason text)
	LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'capforecast_image_storage';
COMMENT ON FUNCTION capforecast._read_image_storage(timestamptz) IS
	'Image storage from its bound source, now: status ok, stale (pushed more than 48 hours before) or unavailable, with the reason.';
-- Daily snapshots of the platform.

CREATE TABLE capforecast.capacity_snapshots (
	id                         bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	snapshot_date              date NOT NULL UNIQUE,
	total_vendors              bigint,
	active_vendors             bigint,
	trial_vendors              bigint,
	total_subscriptions        bigint,
	active_subscriptions       bigint,
	total_products             bigint,
	total_orders_month         bigint,
	total_team_members         bigint,
	storage_used_gb            numeric(14, 2),
	db_size_mb                 numeric(14, 2),
	theoretical_products_limit bigint,
	theoretical_orders_limit   bigint,
	theoretical_team_limit     bigint,
	tier_distribution          jsonb,
	source                     text NOT NULL DEFAULT 'captured' CHECK (source IN ('captured', 'backfilled', 'imported')),
	captured_at                timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE capforecast.capacity_snapshots IS 'One row per UTC day. NULL means not known, never 0.';
COMMENT ON COLUMN capforecast.capacity_snapshots.snapshot_date IS 'the UTC day';
COMMENT ON COLUMN capforecast.capacity_snapshots.total_vendors IS 'all vendors';
COMMENT ON COLUMN capforecast.capacity_snapshots.active_vendors IS 'vendors with is_active';
COMMENT ON COLUMN capforecast.capacity_snapshots.trial_vendors IS 'subscriptions with status trial';
COMMENT ON COLUMN capforecast.capacity_snapshots.total_subscriptions IS 'all subscriptions, whatever their status';
COMMENT ON COLUMN capforecast.capacity_snapshots.active_subscriptions IS 'subscriptions with status active or trial';
COMMENT ON COLUMN capforecast.capacity_snapshots.total_products IS 'all products';
COMMENT ON COLUMN capforecast.capacity_snapshots.total_orders_month IS 'sum of orders_this_period over all subscriptions';
COMMENT ON COLUMN capforecast.capacity_snapshots.total_team_members IS 'vendor users with is_active';
COMMENT ON COLUMN capforecast.capacity_snapshots.storage_used_gb IS 'image storage in GB (2^30 bytes); NULL where no source is bound or it failed';
COMMENT ON COLUMN capforecast.capacity_snapshots.db_size_mb IS 'size of this database in MB (2^20 bytes)';
COMMENT ON COLUMN capforecast.capacity_snapshots.theoretical_products_limit IS 'sum of the finite product limits of active and trial subscriptions';
COMMENT ON COLUMN capforecast.capacity_snapshots.theoretical_orders_limit IS 'the same for orders in a period';
COMMENT ON COLUMN capforecast.capacity_snapshots.theoretical_team_limit IS 'the same for team members';
COMMENT ON COLUMN capforecast.capacity_snapshots.tier_distribution IS 'tier code to number of active and trial subscriptions';
COMMENT ON COLUMN capforecast.capacity_snapshots.source IS 'captured on the day, backfilled from the host''s timestamps, or imported';
COMMENT ON COLUMN capforecast.capacity_snapshots.captured_at IS 'when the row was written';
SELECT pg_catalog.pg_extension_config_dump('capforecast.capacity_snapshots', '');
SELECT pg_catalog.pg_extension_config_dump('capforecast.capacity_snapshots_id_seq', '');

CREATE FUNCTION capforecast.capture_daily_snapshot(refresh boolean DEFAULT false, as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.capacity_snapshots LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_capture_daily_snapshot';
COMMENT ON FUNCTION capforecast.capture_daily_snapshot(boolean, timestamptz) IS
	'Capture today''s snapshot (UTC day): the stored row if there is one, else a new one; refresh recomputes it. Reads each host table once with the caller''s rights, in one snapshot. What cannot be read stays NULL, with the reason in job_run. as_of on another day returns that day''s row, or 22023.';
-- History on day 0.

CREATE FUNCTION capforecast.backfill_snapshots(from_date date, to_date date DEFAULT NULL, at_time time DEFAULT '00:07')
	RETURNS TABLE (column_name text, days_known bigint, reason text)
	LANGUAGE C VOLATILE ROWS 14 AS 'MODULE_PATHNAME', 'capforecast_backfill_snapshots';
COMMENT ON FUNCTION capforecast.backfill_snapshots(date, date, time) IS
	'Rebuild the snapshots of past days (to_date: yesterday by default) from created_at, cancelled_at, trial_ends_at and the like: what a capture at at_time (UTC; the daily job''s by default) would have counted. Rows are marked source = backfilled; a day that has a row is left as it is, and so are days before anything was there. Returns, per column, on how many days it is known, and why not on the others: what cannot be known is NULL. Rows that the host has deleted are not known of. Error: 22023 for days that are not past.';
-- Metrics of the operator's own: any number worth watching, from a query.

CREATE TABLE capforecast.own_metric (
	metric    text PRIMARY KEY CHECK (metric ~ '^[a-z][a-z0-9_]{0,62}$'),
	kind      text NOT NULL CHECK (kind IN ('stock', 'flow')),
	unit      text,
	floor     double precision,
	cap       double precision CHECK (cap >= floor),
	direction text NOT NULL CHECK (direction IN ('up', 'down'))
);
COMMENT ON TABLE capforecast.own_metric IS 'The operator''s own metrics; written by add_metric() and drop_metric().';
COMMENT ON COLUMN capforecast.own_metric.floor IS 'no value can lie below; NULL: no bound';
COMMENT ON COLUMN capforecast.own_metric.cap IS 'no value can lie above; NULL: no bound';
COMMENT ON COLUMN capforecast.own_metric.direction IS 'up: the limit is a maximum; down: it is a minimum';
SELECT pg_catalog.pg_extension_config_dump('capforecast.own_metric', '');

-- Apart from the above, because a query may hold what its readers must not see.
CREATE TABLE capforecast._metric_query (
	metric      text PRIMARY KEY REFERENCES capforecast.own_metric ON DELETE CASCADE,
	owner       name NOT NULL DEFAULT current_user,
	query       text NOT NULL,
	limit_query text,
	limit_value double precision,
	CHECK (limit_query IS NULL OR limit_value IS NULL)
);
COMMENT ON TABLE capforecast._metric_query IS
	'What capture_metrics() runs, and as which role. Only the role that runs the jobs needs to read it.';
SELECT pg_catalog.pg_extension_config_dump('capforecast._metric_query', '');

CREATE TRIGGER check_owner BEFORE INSERT OR UPDATE ON capforecast._metric_query
	FOR EACH ROW EXECUTE FUNCTION capforecast._check_owner();

CREATE TABLE capforecast.metric_value (
	metric      text,
	day         date,
	value       double precision NOT NULL,
	limit_value double precision,
	captured_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (metric, day)
);
COMMENT ON TABLE capforecast.metric_value IS
	'Values that are not columns of capacity_snapshots, one a UTC day: the operator''s own metrics, and what capture_vendor_usage() adds up.';
COMMENT ON COLUMN capforecast.metric_value.limit_value IS 'the limit as it was on the day; NULL: none, or not known';
SELECT pg_catalog.pg_extension_config_dump('capforecast.metric_value', '');

CREATE FUNCTION capforecast._measure_metric(query text, limit_query text, OUT value double precision, OUT limit_value double precision)
	LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_measure_metric';
COMMENT ON FUNCTION capforecast._measure_metric(text, text) IS
	'Run the queries of a metric the way capture_metrics() does, as the caller''s role.';

CREATE FUNCTION capforecast.add_metric(name text, query text, unit text DEFAULT NULL, kind text DEFAULT 'stock',
		floor double precision DEFAULT NULL, cap double precision DEFAULT NULL,
		limit_value double precision DEFAULT NULL, limit_query text DEFAULT NULL, direction text DEFAULT 'up')
	RETURNS TABLE (measured_value double precision, measured_limit double precision)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	IF add_metric.name IS NULL OR add_metric.name !~ '^[a-z][a-z0-9_]{0,62}$' THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('"%s" cannot be the name of a metric', add_metric.name),
			HINT = 'Use lower-case letters, digits and underscores, a letter first, 63 characters at most.';
	ELSIF EXISTS (SELECT FROM capforecast.metrics m WHERE m.metric = add_metric.name AND m.is_builtin) THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('metric "%s" is built in', add_metric.name),
			HINT = 'Choose another name. SELECT metric FROM capforecast.metrics lists those in use.';
	ELSIF add_metric.query IS NULL THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'query must not be null',
			HINT = 'Give one SELECT that returns one row with one number.';
	ELSIF add_metric.kind IS NULL OR add_metric.kind NOT IN ('stock', 'flow') THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('"%s" is not a kind of metric', add_metric.kind),
			HINT = 'Use stock for a level that accumulates, flow for an amount per day.';
	ELSIF add_metric.direction IS NULL OR add_metric.direction NOT IN ('up', 'down') THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('"%s" is not a direction', add_metric.direction),
			HINT = 'Use up where the limit is a maximum, down where it is a minimum.';
	ELSIF add_metric.floor > add_metric.cap THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'floor must not lie above cap',
			HINT = 'They are the bounds that no value of the metric can pass.';
	ELSIF add_metric.limit_value IS NOT NULL AND add_metric.limit_query IS NOT NULL THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'a metric has one limit',
			HINT = 'Give limit_value or limit_query, not both.';
	ELSIF 'NaN' IN (add_metric.floor, add_metric.cap, add_metric.limit_value)
		OR 'Infinity' IN (abs(add_metric.floor), abs(add_metric.cap), abs(add_metric.limit_value)) THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'floor, cap and limit_value must be finite',
			HINT = 'Leave out what does not exist.';
	END IF;

	-- Not ON CONFLICT: that would want the right to read other roles' queries.
	DELETE FROM capforecast.own_metric m WHERE m.metric = add_metric.name;
	INSERT INTO capforecast.own_metric (metric, kind, unit, floor, cap, direction)
	VALUES (add_metric.name, add_metric.kind, add_metric.unit, add_metric.floor, add_metric.cap, add_metric.direction);
	INSERT INTO capforecast._metric_query (metric, owner, query, limit_query, limit_value)
	VALUES (add_metric.name, current_user, add_metric.query, add_metric.limit_query, add_metric.limit_value);
	RETURN QUERY SELECT m.value, coalesce(add_metric.limit_value, m.limit_value)
		FROM capforecast._measure_metric(add_metric.query, add_metric.limit_query) m;
END
$$;
COMMENT ON FUNCTION capforecast.add_metric(text, text, text, text, double precision, double precision, double precision, text, text) IS
	'Watch a number of your own: one SELECT that returns it, and its limit as a number or as a query. Both run as the role that calls this, read-only, with search_path pg_catalog (so qualify your tables), 5 s at most; they run once at once, so that a mistake shows, and daily by the job capture_metrics. kind: stock, a level that accumulates, or flow, an amount per day (return that of the last 24 hours). A definition of the same name is replaced, its history is kept.';

CREATE FUNCTION capforecast.drop_metric(name text)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	DELETE FROM capforecast.own_metric m WHERE m.metric = drop_metric.name;
	IF NOT FOUND THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('metric "%s" does not exist, or is built in', drop_metric.name),
			HINT = 'SELECT metric FROM capforecast.own_metric lists those that can be dropped.';
	END IF;
	DELETE FROM capforecast.metric_value v WHERE v.metric = drop_metric.name;
END
$$;
COMMENT ON FUNCTION capforecast.drop_metric(text) IS
	'Stop watching a metric of your own, and delete its history. Error: 22023 where there is none of that name.';

CREATE FUNCTION capforecast.capture_metrics(as_of timestamptz DEFAULT NULL)
	RETURNS bigint LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_capture_metrics';
COMMENT ON FUNCTION capforecast.capture_metrics(timestamptz) IS
	'Capture the day''s value and limit of every metric of the operator''s own that has none yet; returns how many. A query that fails is a reason in job_run, the others go on. as_of must lie on the current UTC day (22023).';
-- What is watched, and its history: all that forecasts and plans read.

-- A branch per metric, so that a reader of one metric scans the snapshots once.
CREATE VIEW capforecast.metric_history WITH (security_invoker = true) AS
	SELECT 'vendors'::text AS metric, snapshot_date AS day, active_vendors::double precision AS value, source,
		NULL::double precision AS limit_value
	FROM capforecast.capacity_snapshots WHERE active_vendors IS NOT NULL
	UNION ALL
	SELECT 'total_vendors', snapshot_date, total_vendors::double precision, source, NULL
	FROM capforecast.capacity_snapshots WHERE total_vendors IS NOT NULL
	UNION ALL
	SELECT 'trial_vendors', snapshot_date, trial_vendors::double precision, source, NULL
	FROM capforecast.capacity_snapshots WHERE trial_vendors IS NOT NULL
	UNION ALL
	SELECT 'total_subscriptions', snapshot_date, total_subscriptions::double precision, source, NULL
	FROM capforecast.capacity_snapshots WHERE total_subscriptions IS NOT NULL
	UNION ALL
	SELECT 'active_subscriptions', snapshot_date, active_subscriptions::double precision, source, NULL
	FROM capforecast.capacity_snapshots WHERE active_subscriptions IS NOT NULL
	UNION ALL
	SELECT 'products', snapshot_date, total_products::double precision, source, NULL
	FROM capforecast.capacity_snapshots WHERE total_products IS NOT NULL
	UNION ALL
	SELECT 'orders', snapshot_date, total_orders_month::double precision, source, NULL
	FROM capforecast.capacity_snapshots WHERE total_orders_month IS NOT NULL
	UNION ALL
	SELECT 'team_members', snapshot_date, total_team_members::double precision, source, NULL
	FROM capforecast.capacity_snapshots WHERE total_team_members IS NOT NULL
	UNION ALL
	SELECT 'storage_gb', snapshot_date, storage_used_gb::double precision, source, NULL
	FROM capforecast.capacity_snapshots WHERE storage_used_gb IS NOT NULL
	UNION ALL
	SELECT 'db_size_mb', snapshot_date, db_size_mb::double precision, source, NULL
	FROM capforecast.capacity_snapshots WHERE db_size_mb IS NOT NULL
	UNION ALL
	SELECT metric, day, value, 'captured', limit_value FROM capforecast.metric_value;
COMMENT ON VIEW capforecast.metric_history IS
	'Every metric''s value by UTC day. A day on which a value was not known has no row. limit_value: the limit as captured on the day, for metrics that carry one of their own.';

CREATE VIEW capforecast.metrics WITH (security_invoker = true) AS
	SELECT m.metric, m.kind, m.unit, 0::double precision AS floor, NULL::double precision AS cap,
		'up'::text AS direction, true AS is_builtin
	FROM (VALUES
		('vendors'::text,        'stock'::text, 'vendors'::text),
		('total_vendors',        'stock', 'vendors'),
		('trial_vendors',        'stock', 'vendors'),
		('total_subscriptions',  'stock', 'subscriptions'),
		('active_subscriptions', 'stock', 'subscriptions'),
		('products',             'stock', 'products'),
		('orders',               'flow',  'orders'),
		('team_members',         'stock', 'members'),
		('storage_gb',           'stock', 'GB'),
		('db_size_mb',           'stock', 'MB'),
		('limited_products',     'stock', 'products'),
		('limited_orders',       'flow',  'orders'),
		('limited_team_members', 'stock', 'members')
	) AS m(metric, kind, unit)
	UNION ALL
	SELECT metric, kind, unit, floor, cap, direction, false FROM capforecast.own_metric;
COMMENT ON VIEW capforecast.metrics IS
	'The metrics: stock (a level that accumulates) or flow (an amount per day), unit, the bounds that no value can pass (NULL: none), and whether a limit is a maximum (up) or a minimum (down). limited_*: use by exactly the subscriptions that have a limit, the numerator of utilization.';
-- History that the application kept itself.

CREATE FUNCTION capforecast.import_snapshots(relation regclass)
	RETURNS TABLE (imported bigint, already_stored bigint, skipped bigint, first_day date, last_day date, missing_columns text[])
	LANGUAGE C VOLATILE STRICT ROWS 1 AS 'MODULE_PATHNAME', 'capforecast_import_snapshots';
COMMENT ON FUNCTION capforecast.import_snapshots(regclass) IS
	'Take over the rows of the application''s own table of snapshots (columns named as in capacity_snapshots; snapshot_date a date or a timestamp, which counts for its UTC day), marked source = imported. A day that has a row keeps it. Returns how many rows were imported, already had a stored day, and were skipped (no date, a day after today, or an older row of the same day), and which columns the table does not have: they stay NULL. Read with the caller''s rights. Errors: 42703 without snapshot_date, 42804 for a column of another type, 42501, 42809.';
-- What each vendor uses, day by day.

-- A row holds up to 64 changes: the days since first_day on which a value changed, and
-- the value from that day on. The first element of each is of first_day itself, so that a
-- row can be read without those before it.
CREATE TABLE capforecast.vendor_usage (
	vendor_id       text,
	first_day       date,
	products_at     smallint[] NOT NULL,
	orders_at       smallint[] NOT NULL,
	team_members_at smallint[] NOT NULL,
	products        bigint[] NOT NULL,
	orders          bigint[] NOT NULL,
	team_members    bigint[] NOT NULL,
	PRIMARY KEY (vendor_id, first_day)
) WITH (fillfactor = 80);
COMMENT ON TABLE capforecast.vendor_usage IS
	'What each vendor uses: changes only, up to 64 to a row.';
COMMENT ON COLUMN capforecast.vendor_usage.vendor_id IS 'the host''s key as text; empty: products and members that have no vendor';
COMMENT ON COLUMN capforecast.vendor_usage.products_at IS 'days since first_day from which on the elements of products hold; empty where they are not known';
COMMENT ON COLUMN capforecast.vendor_usage.orders IS 'orders_this_period: a counter that starts again with each period';
SELECT pg_catalog.pg_extension_config_dump('capforecast.vendor_usage', '');

CREATE FUNCTION capforecast._capture_vendor_usage(day date, OUT examined bigint, OUT changed bigint)
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'capforecast_count_vendor_usage';
COMMENT ON FUNCTION capforecast._capture_vendor_usage(date) IS
	'Count the use of each vendor now and store what changed under the given day, which must not lie before the last one stored.';

CREATE FUNCTION capforecast.capture_vendor_usage(as_of timestamptz DEFAULT NULL)
	RETURNS bigint LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_capture_vendor_usage';
COMMENT ON FUNCTION capforecast.capture_vendor_usage(timestamptz) IS
	'Capture the day''s products, orders in the period and active team members of each vendor, where they have changed, and the sums over the subscriptions that have a limit (metrics limited_products, limited_orders, limited_team_members). Once a UTC day: a second call does nothing. Returns for how many vendors something changed. as_of must lie on the current UTC day (22023).';

CREATE FUNCTION capforecast.backfill_vendor_usage(from_date date, at_time time DEFAULT '00:07')
	RETURNS bigint LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'capforecast_backfill_vendor_usage';
COMMENT ON FUNCTION capforecast.backfill_vendor_usage(date, time) IS
	'Rebuild each vendor''s number of products on the days from from_date until its first capture (or yesterday) from created_at, as captures at at_time (UTC) would have counted; orders and team members of those days are not known. What is stored stays as it is. Vendors with products without created_at are left out. Returns how many rows of vendor_usage were added. Error: 22023 for a from_date that is not past.';
-- The type series: an ordered set of points (time, value) in one value.

CREATE TYPE capforecast.series;

CREATE FUNCTION capforecast.series_in(cstring) RETURNS capforecast.series
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_in';
COMMENT ON FUNCTION capforecast.series_in(cstring) IS
	'Text input of series: {2026-01-31 412, 2026-02-01T06:30:00Z 415.5}. Errors: 22P02, 22008, 22003, 54000.';

CREATE FUNCTION capforecast.series_out(capforecast.series) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_out';
COMMENT ON FUNCTION capforecast.series_out(capforecast.series) IS
	'Text output of series: ISO 8601 in UTC and the shortest numbers that read back exactly, whatever the session''s settings.';

CREATE FUNCTION capforecast.series_recv(internal) RETURNS capforecast.series
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_recv';
COMMENT ON FUNCTION capforecast.series_recv(internal) IS
	'Binary input of series: number of points (int32), then time (int64, microseconds since 2000-01-01 UTC) and value (float8) of each. Error: 22P03.';

CREATE FUNCTION capforecast.series_send(capforecast.series) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_send';
COMMENT ON FUNCTION capforecast.series_send(capforecast.series) IS 'Binary output of series, as series_recv() reads it.';

CREATE TYPE capforecast.series (
	INPUT = capforecast.series_in, OUTPUT = capforecast.series_out,
	RECEIVE = capforecast.series_recv, SEND = capforecast.series_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE capforecast.series IS
	'An ordered set of points (time, value), at most 1000000, made by series_agg(ts, y). All that is analysed takes one.';

CREATE FUNCTION capforecast.series(ts timestamptz[], y double precision[]) RETURNS capforecast.series
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_from_arrays';
COMMENT ON FUNCTION capforecast.series(timestamptz[], double precision[]) IS
	'A series from times and values, in any order; a point with NULL is left out. Errors: 2202E where the lengths differ, 22008 for an infinite time, 54000.';

CREATE FUNCTION capforecast.series(ts timestamp[], y double precision[]) RETURNS capforecast.series
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_from_arrays';
COMMENT ON FUNCTION capforecast.series(timestamp[], double precision[]) IS 'The same; times are read as UTC.';

CREATE FUNCTION capforecast.series(ts date[], y double precision[]) RETURNS capforecast.series
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_from_dates';
COMMENT ON FUNCTION capforecast.series(date[], double precision[]) IS 'The same; a day is its midnight in UTC.';

CREATE FUNCTION capforecast.points(series capforecast.series)
	RETURNS TABLE (ts timestamptz, y double precision)
	LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 100 AS 'MODULE_PATHNAME', 'capforecast_points';
COMMENT ON FUNCTION capforecast.points(capforecast.series) IS 'The points of a series, in order of time.';

CREATE FUNCTION capforecast.n_points(series capforecast.series) RETURNS integer
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_n_points';
COMMENT ON FUNCTION capforecast.n_points(capforecast.series) IS 'How many points a series has.';

CREATE FUNCTION capforecast.sparkline(series capforecast.series, width integer DEFAULT 40) RETURNS text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'capforecast_sparkline';
COMMENT ON FUNCTION capforecast.sparkline(capforecast.series, integer) IS
	'A series as one line of at most width characters (1 to 1000), lowest to highest; a blank where nothing was measured. NULL where there is nothing to draw.';
-- series_agg(ts, y): a series from any table, with GROUP BY.

CREATE FUNCTION capforecast._series_accum(internal, timestamptz, double precision) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_accum';
CREATE FUNCTION capforecast._series_accum(internal, timestamp, double precision) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_accum';
CREATE FUNCTION capforecast._series_accum(internal, date, double precision) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_accum_date';
CREATE FUNCTION capforecast._series_combine(internal, internal) RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_combine';
CREATE FUNCTION capforecast._series_serialize(internal) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_serialize';
CREATE FUNCTION capforecast._series_deserialize(bytea, internal) RETURNS internal
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_deserialize';
CREATE FUNCTION capforecast._series_final(internal) RETURNS capforecast.series
	LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_final';

COMMENT ON FUNCTION capforecast._series_accum(internal, timestamptz, double precision) IS 'Step of series_agg().';
COMMENT ON FUNCTION capforecast._series_accum(internal, timestamp, double precision) IS 'Step of series_agg(); times are read as UTC.';
COMMENT ON FUNCTION capforecast._series_accum(internal, date, double precision) IS 'Step of series_agg(); a day is its midnight in UTC.';
COMMENT ON FUNCTION capforecast._series_combine(internal, internal) IS 'Joins what two workers of series_agg() have collected.';
COMMENT ON FUNCTION capforecast._series_serialize(internal) IS 'What a worker of series_agg() hands over.';
COMMENT ON FUNCTION capforecast._series_deserialize(bytea, internal) IS 'What the leader of series_agg() takes over.';
COMMENT ON FUNCTION capforecast._series_final(internal) IS 'The points of series_agg(), sorted, as a value.';

CREATE AGGREGATE capforecast.series_agg(ts timestamptz, y double precision) (
	SFUNC = capforecast._series_accum, STYPE = internal, SSPACE = 2048,
	COMBINEFUNC = capforecast._series_combine,
	SERIALFUNC = capforecast._series_serialize, DESERIALFUNC = capforecast._series_deserialize,
	FINALFUNC = capforecast._series_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE capforecast.series_agg(timestamptz, double precision) IS
	'The rows as a series, in any order; rows whose time or value is NULL are left out, and without any it is the series without points. Errors: 22008 for an infinite time, 54000 beyond 1000000 points.';

CREATE AGGREGATE capforecast.series_agg(ts timestamp, y double precision) (
	SFUNC = capforecast._series_accum, STYPE = internal, SSPACE = 2048,
	COMBINEFUNC = capforecast._series_combine,
	SERIALFUNC = capforecast._series_serialize, DESERIALFUNC = capforecast._series_deserialize,
	FINALFUNC = capforecast._series_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE capforecast.series_agg(timestamp, double precision) IS 'The same; times are read as UTC.';

CREATE AGGREGATE capforecast.series_agg(ts date, y double precision) (
	SFUNC = capforecast._series_accum, STYPE = internal, SSPACE = 2048,
	COMBINEFUNC = capforecast._series_combine,
	SERIALFUNC = capforecast._series_serialize, DESERIALFUNC = capforecast._series_deserialize,
	FINALFUNC = capforecast._series_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE capforecast.series_agg(date, double precision) IS 'The same; a day is its midnight in UTC.';
-- Order and equality of series: point by point, by time and then by value; the beginning of a
-- longer series comes before it.

CREATE FUNCTION capforecast._series_eq(capforecast.series, capforecast.series) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_eq';
COMMENT ON FUNCTION capforecast._series_eq(capforecast.series, capforecast.series) IS 'Whether the series are equal.';
CREATE FUNCTION capforecast._series_ne(capforecast.series, capforecast.series) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_ne';
COMMENT ON FUNCTION capforecast._series_ne(capforecast.series, capforecast.series) IS 'Whether the series are different.';
CREATE FUNCTION capforecast._series_lt(capforecast.series, capforecast.series) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_lt';
COMMENT ON FUNCTION capforecast._series_lt(capforecast.series, capforecast.series) IS 'Whether the first comes before the second.';
CREATE FUNCTION capforecast._series_le(capforecast.series, capforecast.series) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_le';
COMMENT ON FUNCTION capforecast._series_le(capforecast.series, capforecast.series) IS 'Whether the first does not come after the second.';
CREATE FUNCTION capforecast._series_gt(capforecast.series, capforecast.series) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_gt';
COMMENT ON FUNCTION capforecast._series_gt(capforecast.series, capforecast.series) IS 'Whether the first comes after the second.';
CREATE FUNCTION capforecast._series_ge(capforecast.series, capforecast.series) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_ge';
COMMENT ON FUNCTION capforecast._series_ge(capforecast.series, capforecast.series) IS 'Whether the first does not come before the second.';
CREATE FUNCTION capforecast._series_cmp(capforecast.series, capforecast.series) RETURNS integer
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_cmp';
COMMENT ON FUNCTION capforecast._series_cmp(capforecast.series, capforecast.series) IS '-1, 0 or 1: the first comes before the second, is equal, comes after.';
CREATE FUNCTION capforecast._series_hash(capforecast.series) RETURNS integer
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_hash';
COMMENT ON FUNCTION capforecast._series_hash(capforecast.series) IS 'Hash of a series.';
CREATE FUNCTION capforecast._series_hash_extended(capforecast.series, bigint) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_series_hash_extended';
COMMENT ON FUNCTION capforecast._series_hash_extended(capforecast.series, bigint) IS 'Hash of a series, with a seed.';

CREATE OPERATOR capforecast.= (LEFTARG = capforecast.series, RIGHTARG = capforecast.series, FUNCTION = capforecast._series_eq,
	COMMUTATOR = OPERATOR(capforecast.=), NEGATOR = OPERATOR(capforecast.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR capforecast.= (capforecast.series, capforecast.series) IS 'equal';
CREATE OPERATOR capforecast.<> (LEFTARG = capforecast.series, RIGHTARG = capforecast.series, FUNCTION = capforecast._series_ne,
	COMMUTATOR = OPERATOR(capforecast.<>), NEGATOR = OPERATOR(capforecast.=), RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR capforecast.<> (capforecast.series, capforecast.series) IS 'different';
CREATE OPERATOR capforecast.< (LEFTARG = capforecast.series, RIGHTARG = capforecast.series, FUNCTION = capforecast._series_lt,
	COMMUTATOR = OPERATOR(capforecast.>), NEGATOR = OPERATOR(capforecast.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
COMMENT ON OPERATOR capforecast.< (capforecast.series, capforecast.series) IS 'the first comes before';
CREATE OPERATOR capforecast.<= (LEFTARG = capforecast.series, RIGHTARG = capforecast.series, FUNCTION = capforecast._series_le,
	COMMUTATOR = OPERATOR(capforecast.>=), NEGATOR = OPERATOR(capforecast.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
COMMENT ON OPERATOR capforecast.<= (capforecast.series, capforecast.series) IS 'the first does not come after';
CREATE OPERATOR capforecast.> (LEFTARG = capforecast.series, RIGHTARG = capforecast.series, FUNCTION = capforecast._series_gt,
	COMMUTATOR = OPERATOR(capforecast.<), NEGATOR = OPERATOR(capforecast.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
COMMENT ON OPERATOR capforecast.> (capforecast.series, capforecast.series) IS 'the first comes after';
CREATE OPERATOR capforecast.>= (LEFTARG = capforecast.series, RIGHTARG = capforecast.series, FUNCTION = capforecast._series_ge,
	COMMUTATOR = OPERATOR(capforecast.<=), NEGATOR = OPERATOR(capforecast.<), RESTRICT = scalargesel, JOIN = scalargejoinsel);
COMMENT ON OPERATOR capforecast.>= (capforecast.series, capforecast.series) IS 'the first does not come before';

CREATE OPERATOR CLASS capforecast.series_ops DEFAULT FOR TYPE capforecast.series USING btree AS
	OPERATOR 1 capforecast.<, OPERATOR 2 capforecast.<=, OPERATOR 3 capforecast.=, OPERATOR 4 capforecast.>=, OPERATOR 5 capforecast.>,
	FUNCTION 1 capforecast._series_cmp(capforecast.series, capforecast.series);
COMMENT ON OPERATOR CLASS capforecast.series_ops USING btree IS 'order of series';
CREATE OPERATOR CLASS capforecast.series_hash_ops DEFAULT FOR TYPE capforecast.series USING hash AS
	OPERATOR 1 capforecast.=,
	FUNCTION 1 capforecast._series_hash(capforecast.series),
	FUNCTION 2 capforecast._series_hash_extended(capforecast.series, bigint);
COMMENT ON OPERATOR CLASS capforecast.series_hash_ops USING hash IS 'equality of series';
-- What forecasts answer.

CREATE TYPE capforecast.forecast_status AS ENUM (
	'ok', 'already_breached', 'no_growth', 'shrinking', 'beyond_horizon',
	'insufficient_history', 'insufficient_coverage', 'stale', 'no_limit', 'unreliable'
);
COMMENT ON TYPE capforecast.forecast_status IS
	'What a forecast says before any number. ok; already_breached: at or past the limit, whatever the slope; no_growth, shrinking: does not move, or moves away from the limit; beyond_horizon: moves towards it, but is not likely there in time; insufficient_history, insufficient_coverage: too few points, too many gaps; stale: the last point is too old; no_limit: nothing to reach; unreliable: numbers, if there are any, that should not be acted on.';

-- Composite types and not RETURNS TABLE, so that results and arguments may share names.
CREATE TYPE capforecast.series_forecast AS (
	step integer, ds timestamptz, yhat double precision, yhat_lower double precision, yhat_upper double precision,
	model text, status capforecast.forecast_status, reason text
);
COMMENT ON TYPE capforecast.series_forecast IS
	'A step of forecast(series): step 1 follows the last point. Where no forecast can be made, one row with status and reason, step to yhat_upper NULL.';

CREATE TYPE capforecast.metric_forecast AS (
	metric text, forecast_date date, predicted double precision, lower_bound double precision, upper_bound double precision,
	model text, status capforecast.forecast_status, reason text
);
COMMENT ON TYPE capforecast.metric_forecast IS
	'A day of forecast(metric). Where no forecast can be made, one row with status and reason, forecast_date to upper_bound NULL.';

CREATE TYPE capforecast.threshold_forecast AS (
	status capforecast.forecast_status, reason text, current_value double precision, threshold double precision,
	days_left integer, breach_date date, breach_date_earliest date, breach_date_latest date,
	breach_probability double precision, model text, n_points integer, coverage_ratio double precision, ready_on date
);
COMMENT ON TYPE capforecast.threshold_forecast IS
	'The answer of time_to_threshold(). days_left and breach_date (UTC; reached by then with a chance of a half) are set where status is ok or already_breached (then 0, and the day since which). Earliest and latest hold the range of the confidence level, NULL beyond the horizon; breach_probability is the chance within the horizon; ready_on is when there will be enough points.';
-- Forecasts: of a series, and of a metric by its name.

CREATE FUNCTION capforecast.forecast(series capforecast.series, horizon integer DEFAULT 30, model text DEFAULT 'auto',
		confidence_level double precision DEFAULT 0.95, season_length integer DEFAULT NULL,
		floor double precision DEFAULT NULL, cap double precision DEFAULT NULL, kind text DEFAULT NULL,
		as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.series_forecast
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20000 ROWS 30 AS 'MODULE_PATHNAME', 'capforecast_forecast_series';
COMMENT ON FUNCTION capforecast.forecast(capforecast.series, integer, text, double precision, integer, double precision, double precision, text, timestamptz) IS
	'Forecast a series for so many steps (1 to 3650) after its last point, with bounds that hold the confidence_level (0 to 1, exclusive). model: auto or one of those that the error for a wrong name lists, in any case. season_length: steps after which the pattern repeats; NULL detects it, 0 and 1 are none. floor and cap: no value lies beyond; where all values are whole and none is negative, the floor is 0 (floor => ''-Infinity'': none). kind: stock (a level) or flow (an amount per step), NULL infers it. as_of: points after it are left out, and the last one before it may be stale; NULL takes the series from its own end. One row per step, or one row with status and reason. Many series: FROM (SELECT key, series_agg(ts, y) AS s … GROUP BY key) g, LATERAL forecast(g.s); the planner takes calls after the first for free, and uses workers where parallel_tuple_cost is 0. Errors: 22023, 22004.';

CREATE FUNCTION capforecast.forecast(metric text, horizon integer DEFAULT 30, model text DEFAULT 'auto',
		confidence_level double precision DEFAULT 0.95, season_length integer DEFAULT NULL,
		floor double precision DEFAULT NULL, cap double precision DEFAULT NULL, kind text DEFAULT NULL,
		as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.metric_forecast
	LANGUAGE C STABLE PARALLEL SAFE COST 50000 ROWS 30 AS 'MODULE_PATHNAME', 'capforecast_forecast_metric';
COMMENT ON FUNCTION capforecast.forecast(text, integer, text, double precision, integer, double precision, double precision, text, timestamptz) IS
	'Forecast a metric of capforecast.metrics, with the arguments of forecast(series); kind, floor and cap are the metric''s own where they are not given, and as_of is now. Where run_forecasts() keeps an archive, the bounds are as wide as its misses have taught (forecast_archive.calibrated_level). Errors: 22023 for a metric that does not exist, 22004.';

CREATE FUNCTION capforecast.metric_series(metric text, as_of timestamptz DEFAULT NULL) RETURNS capforecast.series
	LANGUAGE C STABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'capforecast_metric_series';
COMMENT ON FUNCTION capforecast.metric_series(text, timestamptz) IS
	'The last 400 values of a metric until the UTC day of as_of (NULL: now), which its forecasts are made from, as a series, for decompose(), backtest() and the like. Error: 22023 for a metric that does not exist.';
-- When a limit is reached.

CREATE FUNCTION capforecast.time_to_threshold(series capforecast.series, threshold double precision,
		horizon interval DEFAULT '365 days', confidence_level double precision DEFAULT 0.80, direction text DEFAULT 'up',
		season_length integer DEFAULT NULL, kind text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.threshold_forecast
	LANGUAGE C STABLE PARALLEL SAFE COST 20000 ROWS 1 AS 'MODULE_PATHNAME', 'capforecast_time_to_threshold_series';
COMMENT ON FUNCTION capforecast.time_to_threshold(capforecast.series, double precision, interval, double precision, text, integer, text, timestamptz) IS
	'When a series reaches the threshold (NULL: no limit), as one row: the day by which it does with a chance of a half, the range that holds it with the confidence_level (0 to 1, exclusive), and the chance within the horizon (from as_of on, at most 10000 days). direction: up where the threshold is a maximum, down where it is a minimum. Needs 14 points over 7 days with a value at half of the steps. as_of NULL is now; a last point more than three steps old is stale, later where gaps are usual. Errors: 22023, 22004.';

CREATE FUNCTION capforecast.time_to_threshold(metric text, threshold double precision,
		horizon interval DEFAULT '365 days', confidence_level double precision DEFAULT 0.80, direction text DEFAULT 'up',
		season_length integer DEFAULT NULL, kind text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.threshold_forecast
	LANGUAGE C STABLE PARALLEL SAFE COST 50000 ROWS 1 AS 'MODULE_PATHNAME', 'capforecast_time_to_threshold_metric';
COMMENT ON FUNCTION capforecast.time_to_threshold(text, double precision, interval, double precision, text, integer, text, timestamptz) IS
	'The same for a metric of capforecast.metrics, by name; kind is the metric''s own where it is not given. Error: 22023 for a metric that does not exist.';
-- What a series is made of, and how well it can be forecast.

CREATE FUNCTION capforecast.decompose(series capforecast.series, season_length integer DEFAULT NULL)
	RETURNS TABLE (ds timestamptz, y double precision, level double precision, trend double precision,
		season double precision, remainder double precision, status capforecast.forecast_status, reason text)
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20000 ROWS 100 AS 'MODULE_PATHNAME', 'capforecast_decompose';
COMMENT ON FUNCTION capforecast.decompose(capforecast.series, integer) IS
	'A series taken apart, one row per step: y = level (constant between level shifts) + trend + season + remainder. Where y is NULL, the sum of the others is what stands in for it. season_length: steps, NULL detects it, 0 and 1 are none. A series that cannot be taken apart is one row with status and reason.';

CREATE FUNCTION capforecast.detect_seasonality(series capforecast.series)
	RETURNS TABLE (season_length integer, strength_ratio double precision, n_points integer,
		coverage_ratio double precision, status capforecast.forecast_status, reason text)
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 1 AS 'MODULE_PATHNAME', 'capforecast_detect_seasonality';
COMMENT ON FUNCTION capforecast.detect_seasonality(capforecast.series) IS
	'The steps after which a series'' pattern repeats (1: it has none), and the share of the variance about the trend that the pattern explains (0 to 1).';

CREATE FUNCTION capforecast.detect_changepoints(series capforecast.series, season_length integer DEFAULT NULL,
		max_changes integer DEFAULT 10)
	RETURNS TABLE (ds timestamptz, kind text, size double precision, score double precision,
		status capforecast.forecast_status, reason text)
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20000 ROWS 2 AS 'MODULE_PATHNAME', 'capforecast_detect_changepoints';
COMMENT ON FUNCTION capforecast.detect_changepoints(capforecast.series, integer, integer) IS
	'Where a series'' level jumped or its slope turned: the first step of what follows, kind level (size: the jump) or slope (size: change of the slope per step), and score, the same in robust standard errors (at least 5). The strongest max_changes (1 to 1000), in order of time; no row where there is none.';

CREATE TYPE capforecast.backtest_score AS (
	fold integer, origin timestamptz, steps integer, model text, mae double precision, rmse double precision,
	bias double precision, smape_percent double precision, mase double precision, rmsse double precision,
	coverage_ratio double precision, interval_width double precision, msis double precision,
	status capforecast.forecast_status, reason text
);
COMMENT ON TYPE capforecast.backtest_score IS 'A row of backtest(): one fold, or all of them (fold NULL).';

CREATE FUNCTION capforecast.backtest(series capforecast.series, horizon integer DEFAULT 30, folds integer DEFAULT 5,
		model text DEFAULT 'auto', confidence_level double precision DEFAULT 0.95, season_length integer DEFAULT NULL,
		floor double precision DEFAULT NULL, cap double precision DEFAULT NULL, kind text DEFAULT NULL)
	RETURNS SETOF capforecast.backtest_score
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000 ROWS 6 AS 'MODULE_PATHNAME', 'capforecast_backtest';
COMMENT ON FUNCTION capforecast.backtest(capforecast.series, integer, integer, text, double precision, integer, double precision, double precision, text) IS
	'Forecast a series from earlier steps of it and compare with what came: one row per fold (1 to 1000, the earliest first; fewer where the history allows no more), each a forecast of so many steps (1 to 3650) after origin, and one for all (fold NULL). bias is the mean of forecast - actual; smape_percent 0 to 200; mase, rmsse and msis are over the in-sample errors of the seasonal naive forecast; coverage_ratio is to be compared with confidence_level. Other arguments as forecast(). Errors: 22023, 22004.';

CREATE FUNCTION capforecast.explain_forecast(series capforecast.series, horizon integer DEFAULT 30, model text DEFAULT 'auto',
		confidence_level double precision DEFAULT 0.95, season_length integer DEFAULT NULL,
		floor double precision DEFAULT NULL, cap double precision DEFAULT NULL, kind text DEFAULT NULL,
		as_of timestamptz DEFAULT NULL)
	RETURNS text
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20000 AS 'MODULE_PATHNAME', 'capforecast_explain_forecast_series';
COMMENT ON FUNCTION capforecast.explain_forecast(capforecast.series, integer, text, double precision, integer, double precision, double precision, text, timestamptz) IS
	'One plain sentence about the forecast that forecast() makes of the same arguments.';

CREATE FUNCTION capforecast.explain_forecast(metric text, horizon integer DEFAULT 30, model text DEFAULT 'auto',
		confidence_level double precision DEFAULT 0.95, season_length integer DEFAULT NULL,
		floor double precision DEFAULT NULL, cap double precision DEFAULT NULL, kind text DEFAULT NULL,
		as_of timestamptz DEFAULT NULL)
	RETURNS text
	LANGUAGE C STABLE PARALLEL SAFE COST 50000 AS 'MODULE_PATHNAME', 'capforecast_explain_forecast_metric';
COMMENT ON FUNCTION capforecast.explain_forecast(text, integer, text, double precision, integer, double precision, double precision, text, timestamptz) IS
	'The same for a metric, by name.';
-- Forecasts kept, to be compared with what came.

CREATE TABLE capforecast.forecast_archive (
	metric           text NOT NULL,
	made_on          date NOT NULL,
	calibrated_level double precision NOT NULL CHECK (calibrated_level BETWEEN 0.5 AND 0.99),
	status           capforecast.forecast_status NOT NULL,
	model            text NOT NULL,
	scale            double precision,
	days             integer[],
	predicted        double precision[],
	lower_80         double precision[],
	upper_80         double precision[],
	lower_95         double precision[],
	upper_95         double precision[],
	PRIMARY KEY (metric, made_on)
);
COMMENT ON TABLE capforecast.forecast_archive IS
	'What run_forecasts() forecast of each metric, a row per UTC day, kept for 400 days. The arrays hold 19 of the next 90 steps; they are NULL where status says that no forecast could be made.';
COMMENT ON COLUMN capforecast.forecast_archive.calibrated_level IS
	'the level whose bounds are meant to hold 80 % of the values: 0.80, and 0.02 x (0.80 - share that the bounds held) more for each day that has come';
COMMENT ON COLUMN capforecast.forecast_archive.scale IS 'mean error of the seasonal naive forecast within the history; NULL where that is 0';
COMMENT ON COLUMN capforecast.forecast_archive.days IS 'days after made_on that the elements of the other arrays are of';
COMMENT ON COLUMN capforecast.forecast_archive.lower_80 IS 'bounds that are stated to hold 80 %, computed at calibrated_level';
COMMENT ON COLUMN capforecast.forecast_archive.lower_95 IS 'the same for 95 %, widened or narrowed in the same measure';
SELECT pg_catalog.pg_extension_config_dump('capforecast.forecast_archive', '');

CREATE FUNCTION capforecast._archived_forecast(metric text, as_of timestamptz, calibrated_level double precision,
		OUT status capforecast.forecast_status, OUT model text, OUT scale double precision, OUT days integer[],
		OUT predicted double precision[], OUT lower_80 double precision[], OUT upper_80 double precision[],
		OUT lower_95 double precision[], OUT upper_95 double precision[])
	RETURNS record LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'capforecast_archived_forecast';
COMMENT ON FUNCTION capforecast._archived_forecast(text, timestamptz, double precision) IS 'What is kept of a metric''s forecast.';

-- The forecasts of one metric whose day has come, beside what came.
CREATE FUNCTION capforecast._archive_outcomes(metric text, after date, until date)
	RETURNS TABLE (made_on date, day date, actual double precision, predicted double precision,
		lower_80 double precision, upper_80 double precision, lower_95 double precision, upper_95 double precision,
		scale double precision)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT a.made_on, h.day, h.value, f.predicted, f.lower_80, f.upper_80, f.lower_95, f.upper_95, a.scale
	FROM capforecast.metric_history h
		JOIN capforecast.forecast_archive a ON a.metric = h.metric
		CROSS JOIN LATERAL unnest(a.days, a.predicted, a.lower_80, a.upper_80, a.lower_95, a.upper_95)
			AS f(days, predicted, lower_80, upper_80, lower_95, upper_95)
	WHERE h.metric = _archive_outcomes.metric AND h.day > after AND h.day <= until AND h.day = a.made_on + f.days
$$;
COMMENT ON FUNCTION capforecast._archive_outcomes(text, date, date) IS
	'Archived forecasts of a metric for days after the first and until the second date, with the values of those days.';

-- 0.80 at first; then, for each day since the newest forecast, moved by what its bounds missed.
CREATE FUNCTION capforecast._calibrated_level(metric text, made_on date)
	RETURNS double precision LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT least(greatest(coalesce(
			(SELECT latest.calibrated_level + coalesce((
				SELECT sum(0.02 * (0.80 - held.ratio))
				FROM (SELECT avg((o.actual BETWEEN o.lower_80 AND o.upper_80)::integer) AS ratio
						FROM capforecast._archive_outcomes(_calibrated_level.metric, latest.made_on, _calibrated_level.made_on) o
						GROUP BY o.day) held), 0)
			 FROM capforecast.forecast_archive latest
			 WHERE latest.metric = _calibrated_level.metric AND latest.made_on < _calibrated_level.made_on
			 ORDER BY latest.made_on DESC LIMIT 1), 0.80), 0.5), 0.99)
$$;
COMMENT ON FUNCTION capforecast._calibrated_level(text, date) IS
	'The level at which a forecast made on that day is to be computed for its bounds to hold 80 %.';

CREATE FUNCTION capforecast._archive_forecast(metric text, as_of timestamptz)
	RETURNS capforecast.forecast_status
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO capforecast.forecast_archive AS a
		(metric, made_on, calibrated_level, status, model, scale, days, predicted, lower_80, upper_80, lower_95, upper_95)
	SELECT _archive_forecast.metric, made.on_day, made.level, f.*
	FROM (SELECT (as_of AT TIME ZONE 'UTC')::date AS on_day,
				capforecast._calibrated_level(_archive_forecast.metric, (as_of AT TIME ZONE 'UTC')::date) AS level) made
		CROSS JOIN LATERAL capforecast._archived_forecast(_archive_forecast.metric, as_of, made.level) f
	ON CONFLICT ON CONSTRAINT forecast_archive_pkey DO UPDATE
		SET calibrated_level = excluded.calibrated_level, status = excluded.status, model = excluded.model,
			scale = excluded.scale, days = excluded.days, predicted = excluded.predicted,
			lower_80 = excluded.lower_80, upper_80 = excluded.upper_80,
			lower_95 = excluded.lower_95, upper_95 = excluded.upper_95
	RETURNING a.status
$$;
COMMENT ON FUNCTION capforecast._archive_forecast(text, timestamptz) IS 'Forecast a metric and keep the forecast; the same day''s is replaced.';

CREATE FUNCTION capforecast.run_forecasts(as_of timestamptz DEFAULT NULL)
	RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	started constant timestamptz := clock_timestamp();
	now constant timestamptz := coalesce(as_of, started);
	the_metric text;
	examined bigint := 0;
	kept bigint := 0;
	failures jsonb := '{}';
BEGIN
	FOR the_metric IN SELECT m.metric FROM capforecast.metrics m ORDER BY 1 LOOP
		examined := examined + 1;
		BEGIN
			PERFORM capforecast._archive_forecast(the_metric, now);
			kept := kept + 1;
		EXCEPTION WHEN OTHERS THEN
			IF sqlstate ~ '^(40|53|57)' OR sqlstate = '55P03' THEN
				RAISE;		-- to be tried again, or stopped: not this metric's failure
			END IF;
			failures := failures || jsonb_build_object(the_metric, jsonb_build_object('message', sqlerrm, 'sqlstate', sqlstate));
		END;
	END LOOP;
	DELETE FROM capforecast.forecast_archive a WHERE a.made_on < (now AT TIME ZONE 'UTC')::date - 400;
	PERFORM capforecast._purge_runs(now);
	PERFORM capforecast._settle_run('run_forecasts', started, now, examined, kept, 0::bigint, examined - kept,
		nullif(failures, '{}'));
	RETURN kept;
END
$$;
COMMENT ON FUNCTION capforecast.run_forecasts(timestamptz) IS
	'The nightly job: forecast every metric for 90 days, keep it in forecast_archive (the same day''s is replaced), and let the bounds learn from what the earlier ones missed. Removes forecasts and runs of jobs that are older than 400 days. A metric that fails does not stop the others; job_run says why. Returns how many were kept.';

CREATE TYPE capforecast.metric_accuracy AS (
	metric text, horizon_from integer, horizon_to integer, n bigint, mae double precision, smape_percent double precision,
	mase double precision, bias double precision, coverage_80_ratio double precision, coverage_95_ratio double precision,
	width_80 double precision
);
COMMENT ON TYPE capforecast.metric_accuracy IS 'A row of forecast_accuracy(): a metric, a band of days ahead, and its errors.';

CREATE FUNCTION capforecast._known_metric(metric text) RETURNS text
	LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_known_metric';
COMMENT ON FUNCTION capforecast._known_metric(text) IS 'The metric''s name; 22023 with a list where there is no such metric.';

CREATE FUNCTION capforecast.forecast_accuracy(metric text DEFAULT NULL, days integer DEFAULT 90, as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.metric_accuracy
	LANGUAGE sql STABLE ROWS 30 SET search_path = pg_catalog, pg_temp AS $$
	SELECT m.metric, band.first, band.last, count(*),
		avg(abs(o.predicted - o.actual)),
		avg(CASE WHEN o.predicted = o.actual THEN 0 ELSE 200 * abs(o.predicted - o.actual) / (abs(o.predicted) + abs(o.actual)) END),
		avg(abs(o.predicted - o.actual) / o.scale),
		avg(o.predicted - o.actual),
		avg((o.actual BETWEEN o.lower_80 AND o.upper_80)::integer)::double precision,
		avg((o.actual BETWEEN o.lower_95 AND o.upper_95)::integer)::double precision,
		avg(o.upper_80 - o.lower_80)
	FROM (SELECT (coalesce(as_of, clock_timestamp()) AT TIME ZONE 'UTC')::date AS today) clock
		CROSS JOIN capforecast.metrics m
		CROSS JOIN LATERAL capforecast._archive_outcomes(m.metric, clock.today - forecast_accuracy.days, clock.today) o
		JOIN (VALUES (1, 7), (8, 30), (31, 90)) AS band(first, last) ON o.day - o.made_on BETWEEN band.first AND band.last
	WHERE forecast_accuracy.metric IS NULL OR m.metric = capforecast._known_metric(forecast_accuracy.metric)
	GROUP BY m.metric, band.first, band.last
	ORDER BY m.metric, band.first
$$;
COMMENT ON FUNCTION capforecast.forecast_accuracy(text, integer, timestamptz) IS
	'What run_forecasts() forecast against what came in the last days (UTC), per metric (NULL: all) and band of days ahead: mean absolute error, sMAPE (0 to 200), MASE (errors over those of the seasonal naive forecast in the history), bias (forecast - actual), the shares that the bounds stated to hold 80 % and 95 % held, and the width of the former. No row where no forecast''s day has come. Error: 22023 for a metric that does not exist.';
-- What the subscription room keeps.  The host's tables hold what is sold; these hold
-- what the host's tables cannot say: when periods begin, what was billed, what is to be
-- billed, what was asked for, and what a person must look at.  Ids of the host are text.

CREATE TABLE capforecast.subscription_state (
	subscription_id      text PRIMARY KEY,
	vendor_id            text NOT NULL,
	anchor_local         timestamp NOT NULL,
	anchor_zone          text NOT NULL,
	anchor_irregular     boolean NOT NULL DEFAULT false,
	usage_start          timestamptz NOT NULL,
	usage_end            timestamptz NOT NULL,
	billed_from          timestamptz NOT NULL,
	billed_until         timestamptz NOT NULL,
	billed_price_cents   bigint,
	billed_amount_cents  bigint,
	billed_currency      text,
	credit_cents         bigint NOT NULL DEFAULT 0 CHECK (credit_cents >= 0),
	pending_tier         text,
	pending_annual       boolean,
	pending_at           timestamptz,
	pending_requested_at timestamptz,
	last_status          text,
	status_since         timestamptz,
	entitled             boolean NOT NULL DEFAULT true,
	collection_paused    boolean NOT NULL DEFAULT false,
	stripe_subscription_id text,
	stripe_status        text,
	stripe_version       timestamptz,
	stripe_event_id      text,
	stripe_missing_since timestamptz,
	stripe_missing_runs  integer NOT NULL DEFAULT 0,
	CHECK (usage_end > usage_start),
	CHECK (num_nulls(pending_tier, pending_annual, pending_at, pending_requested_at) IN (0, 4))
) WITH (fillfactor = 50);	-- rolled twice a month, each time within the page
COMMENT ON TABLE capforecast.subscription_state IS 'One row per subscription of the host, from when it is first seen.';
COMMENT ON COLUMN capforecast.subscription_state.anchor_local IS 'every period begins a whole number of months after this local time, clamped to the month''s last day';
COMMENT ON COLUMN capforecast.subscription_state.anchor_irregular IS 'the first period seen was no whole number of months';
COMMENT ON COLUMN capforecast.subscription_state.usage_start IS 'begin of the window that orders_this_period counts, inclusive';
COMMENT ON COLUMN capforecast.subscription_state.usage_end IS 'its end, exclusive';
COMMENT ON COLUMN capforecast.subscription_state.billed_from IS 'the billing period last seen or written on the host''s row: begin';
COMMENT ON COLUMN capforecast.subscription_state.billed_until IS 'and end';
COMMENT ON COLUMN capforecast.subscription_state.billed_price_cents IS 'price of the whole period at which the tier was billed; NULL: not known';
COMMENT ON COLUMN capforecast.subscription_state.billed_amount_cents IS 'what was billed for that tier in the period: no credit exceeds it';
COMMENT ON COLUMN capforecast.subscription_state.credit_cents IS 'credit that the next invoices are lowered by';
COMMENT ON COLUMN capforecast.subscription_state.pending_tier IS 'a change that was asked for, applied at pending_at';
COMMENT ON COLUMN capforecast.subscription_state.status_since IS 'when a run first saw the status; NULL: it had it when first seen';
COMMENT ON COLUMN capforecast.subscription_state.entitled IS 'false where Stripe says that nothing is being paid for';
COMMENT ON COLUMN capforecast.subscription_state.stripe_version IS 'with stripe_status and stripe_event_id: the version of Stripe''s object that was applied last';
SELECT pg_catalog.pg_extension_config_dump('capforecast.subscription_state', '');

CREATE TABLE capforecast.period_ledger (
	subscription_id text NOT NULL,
	window_start    timestamptz NOT NULL,
	window_end      timestamptz NOT NULL,
	orders_counter  bigint,
	orders_recount  bigint,
	orders_limit    bigint,
	tier            text,
	caught_up       boolean NOT NULL DEFAULT false,
	reason          text NOT NULL DEFAULT 'period_end',
	closed_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (subscription_id, window_start),
	CHECK (window_end > window_start)
);
COMMENT ON TABLE capforecast.period_ledger IS 'One row per closed usage window; the primary key is why no window is closed twice.';
COMMENT ON COLUMN capforecast.period_ledger.orders_counter IS 'the host''s counter when the window was closed; NULL in windows caught up later';
COMMENT ON COLUMN capforecast.period_ledger.orders_recount IS 'orders created in the window; NULL where the host has no orders table';
COMMENT ON COLUMN capforecast.period_ledger.orders_limit IS 'the limit that applied; NULL: unlimited or not known';
COMMENT ON COLUMN capforecast.period_ledger.caught_up IS 'the window had begun and ended before a run saw it';
COMMENT ON COLUMN capforecast.period_ledger.reason IS 'period_end, host_moved, stripe (who moved the period), trial_end or reanchor (a change of interval)';
SELECT pg_catalog.pg_extension_config_dump('capforecast.period_ledger', '');

CREATE TABLE capforecast.pending_invoice_item (
	id              bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	vendor_id       text NOT NULL,
	subscription_id text NOT NULL,
	kind            text NOT NULL CHECK (kind IN ('proration_credit', 'proration_debit', 'addon', 'addon_credit', 'one_time', 'manual')),
	code            text,
	amount_cents    bigint NOT NULL,
	currency        text NOT NULL,
	service_start   timestamptz,
	service_end     timestamptz,
	details         jsonb NOT NULL DEFAULT '{}',
	invoiced_at     timestamptz,
	created_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX pending_invoice_item_open ON capforecast.pending_invoice_item (subscription_id) WHERE invoiced_at IS NULL;
COMMENT ON TABLE capforecast.pending_invoice_item IS 'Lines that the next invoice of a subscription takes over; minor units, net of tax.';
COMMENT ON COLUMN capforecast.pending_invoice_item.code IS 'tier or add-on';
COMMENT ON COLUMN capforecast.pending_invoice_item.invoiced_at IS 'when an invoice took it; credits that went to the balance are born with it';
SELECT pg_catalog.pg_extension_config_dump('capforecast.pending_invoice_item', '');
SELECT pg_catalog.pg_extension_config_dump('capforecast.pending_invoice_item_id_seq', '');

CREATE TABLE capforecast.request_log (
	operation       text NOT NULL,
	vendor_id       text NOT NULL,
	idempotency_key text NOT NULL,
	request         jsonb NOT NULL,
	response        jsonb NOT NULL,
	created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (operation, vendor_id, idempotency_key)
);
COMMENT ON TABLE capforecast.request_log IS 'Requests made with an idempotency key, and what they were answered: a retry gets the same answer and has no effect. Kept 30 days.';
SELECT pg_catalog.pg_extension_config_dump('capforecast.request_log', '');

CREATE TABLE capforecast.stripe_event (
	event_id     text PRIMARY KEY,
	event_type   text NOT NULL,
	object_id    text,
	customer_id  text,
	livemode     boolean,
	account_id   text,
	created      timestamptz NOT NULL,
	payload      jsonb NOT NULL,
	body_sha256  bytea NOT NULL,
	received_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
	outcome      text NOT NULL CHECK (outcome IN ('accepted', 'ignored', 'stored_unresolved')),
	applied_at   timestamptz
);
CREATE INDEX stripe_event_object ON capforecast.stripe_event (object_id, created);
CREATE INDEX stripe_event_customer ON capforecast.stripe_event (customer_id);
COMMENT ON TABLE capforecast.stripe_event IS 'Webhook events that ingest_stripe_event() took in; where no mirror of Stripe is bound, they are what sync_stripe_status() reads. Kept 90 days, and longer where an event is the last word on its object.';
COMMENT ON COLUMN capforecast.stripe_event.applied_at IS 'when its subscription was brought to agree with it; NULL: not, or left to the mirror';
SELECT pg_catalog.pg_extension_config_dump('capforecast.stripe_event', '');

CREATE TABLE capforecast.stripe_outbox (
	id              bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	vendor_id       text NOT NULL,
	subscription_id text NOT NULL,
	operation       text NOT NULL CHECK (operation IN ('change_tier', 'purchase_addon', 'cancel_addon')),
	payload         jsonb NOT NULL,
	idempotency_key text NOT NULL UNIQUE,
	status          text NOT NULL DEFAULT 'pending'
		CHECK (status IN ('pending', 'sent', 'scheduled', 'confirmed', 'failed', 'cancelled')),
	result          jsonb,
	created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
	settled_at      timestamptz
);
CREATE INDEX stripe_outbox_open ON capforecast.stripe_outbox (subscription_id) WHERE status IN ('pending', 'sent', 'scheduled');
COMMENT ON TABLE capforecast.stripe_outbox IS 'What the application is to ask of Stripe: it takes pending rows, calls Stripe with their idempotency_key, and answers with settle_outbox(). The database never calls Stripe.';
COMMENT ON COLUMN capforecast.stripe_outbox.status IS 'pending, then sent (or scheduled, for a change at the end of the period), confirmed when Stripe''s own data shows it; failed or cancelled';
SELECT pg_catalog.pg_extension_config_dump('capforecast.stripe_outbox', '');
SELECT pg_catalog.pg_extension_config_dump('capforecast.stripe_outbox_id_seq', '');

-- Never dumped, and nobody but its owner is ever granted it.
CREATE TABLE capforecast._secret (
	name   text NOT NULL,
	secret text NOT NULL
);
-- Not even by GRANT SELECT ON ALL TABLES: without a policy only the owner sees a row.
ALTER TABLE capforecast._secret ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE capforecast._secret IS 'Secrets of Stripe''s webhook endpoints, name stripe_webhook; several while one replaces another. Fill it with COPY … FROM STDIN: an INSERT would put the secret into the server''s log.';

CREATE TABLE capforecast.finding (
	id          bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	code        text NOT NULL,
	severity    text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
	subject     text NOT NULL,
	detail      jsonb NOT NULL DEFAULT '{}',
	first_seen  timestamptz NOT NULL,
	last_seen   timestamptz NOT NULL,
	seen_count  bigint NOT NULL DEFAULT 1,
	resolved_at timestamptz
);
CREATE UNIQUE INDEX finding_open ON capforecast.finding (code, subject) WHERE resolved_at IS NULL;
COMMENT ON TABLE capforecast.finding IS 'What a person must look at. One open row per code and subject, resolved by the run that no longer finds it.';
COMMENT ON COLUMN capforecast.finding.subject IS 'kind and id: subscription 42, vendor 7, event evt_…';
SELECT pg_catalog.pg_extension_config_dump('capforecast.finding', '');
SELECT pg_catalog.pg_extension_config_dump('capforecast.finding_id_seq', '');

CREATE TABLE capforecast.audit_log (
	id               bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	at               timestamptz NOT NULL DEFAULT clock_timestamp(),
	actor            text NOT NULL DEFAULT session_user,
	effective_role   text NOT NULL DEFAULT current_user,
	application_name text DEFAULT current_setting('application_name', true),
	operation        text NOT NULL,
	vendor_id        text,
	subscription_id  text,
	before           jsonb,
	after            jsonb,
	reason           text,
	idempotency_key  text
);
CREATE INDEX audit_log_vendor ON capforecast.audit_log (vendor_id, at);
COMMENT ON TABLE capforecast.audit_log IS 'One row for each row of the host that was changed, with what changed; a plain roll-over of a period is in period_ledger instead. Append-only.';
SELECT pg_catalog.pg_extension_config_dump('capforecast.audit_log', '');
SELECT pg_catalog.pg_extension_config_dump('capforecast.audit_log_id_seq', '');

CREATE FUNCTION capforecast._refuse_change()
	RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
		MESSAGE = format('table "%s" is append-only', TG_TABLE_NAME),
		DETAIL = 'append_only: rows are neither changed nor deleted.',
		HINT = 'Write a further row that says what was wrong.';
END
$$;
COMMENT ON FUNCTION capforecast._refuse_change() IS 'Trigger of the tables that are append-only.';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON capforecast.audit_log
	FOR EACH STATEMENT EXECUTE FUNCTION capforecast._refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON capforecast.period_ledger
	FOR EACH STATEMENT EXECUTE FUNCTION capforecast._refuse_change();
-- Periods and money: the one place for each.
--
-- A period is [start, end).  Boundary n is the anchor plus n months on the local clock,
-- always counted from the anchor: 31 January gives 28 February, 31 March, 30 April; see
-- subscription_period.c.

CREATE FUNCTION capforecast._setting(name text)
	RETURNS text LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'capforecast_setting';
COMMENT ON FUNCTION capforecast._setting(text) IS 'A setting of capforecast, by its name without the prefix.';

CREATE FUNCTION capforecast._now(as_of timestamptz)
	RETURNS timestamptz LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_now';
COMMENT ON FUNCTION capforecast._now(timestamptz) IS
	'as_of, or the clock where it is NULL. 22023 when it is more than 5 minutes ahead, unless capforecast.allow_time_travel is on.';

CREATE FUNCTION capforecast._boundary(anchor timestamp, zone text, months integer)
	RETURNS timestamptz LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_boundary';
COMMENT ON FUNCTION capforecast._boundary(timestamp, text, integer) IS 'The instant that lies this many months after the anchor.';

CREATE FUNCTION capforecast._months_before(anchor timestamp, zone text, instant timestamptz)
	RETURNS integer LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_months_before';
COMMENT ON FUNCTION capforecast._months_before(timestamp, text, timestamptz) IS
	'The last boundary at or before an instant, in months from the anchor.';

CREATE FUNCTION capforecast._anchor(period_start timestamptz, period_end timestamptz, zone text,
		OUT anchor timestamp, OUT irregular boolean)
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first timestamp := timezone(zone, period_start);
	last timestamp := timezone(zone, period_end);
	other timestamp := first;
BEGIN
	anchor := last;
	IF extract(day FROM first) >= extract(day FROM last) THEN
		anchor := first::date + last::time;
		other := last;
	END IF;
	irregular := (anchor + make_interval(
		years => (extract(year FROM other) - extract(year FROM anchor))::integer,
		months => (extract(month FROM other) - extract(month FROM anchor))::integer))::date <> other::date;
	IF irregular THEN
		anchor := last;
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._anchor(timestamptz, timestamptz, text) IS
	'The anchor that a period shows: the later day of the month of its two ends, if the other is that day clamped to its month; else the end itself, and irregular.';

CREATE FUNCTION capforecast._prorate(amount bigint, part numeric, whole numeric)
	RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT (sign(amount::numeric) * div(2 * abs(amount::numeric) * part + whole, 2 * whole))::bigint
$$;
COMMENT ON FUNCTION capforecast._prorate(bigint, numeric, numeric) IS
	'amount × part / whole, rounded half away from zero, exactly; 22003 beyond bigint.';

CREATE FUNCTION capforecast._share(as_of timestamptz, period_start timestamptz, period_end timestamptz, zone text, proration text,
		OUT part numeric, OUT whole numeric, OUT at timestamptz)
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	at := least(greatest(to_timestamp(floor(extract(epoch FROM as_of))), period_start), period_end);
	IF proration = 'day' THEN
		part := timezone(zone, period_end)::date - timezone(zone, at)::date;
		whole := greatest(timezone(zone, period_end)::date - timezone(zone, period_start)::date, 1);
	ELSE
		part := extract(epoch FROM period_end - at);
		whole := extract(epoch FROM period_end - period_start);
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._share(timestamptz, timestamptz, timestamptz, text, text) IS
	'What is left of a period: in seconds (at: the instant cut to the second, within the period), or in whole days of the zone, today included.';

CREATE FUNCTION capforecast._cents(amount numeric)
	RETURNS bigint LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF amount <> trunc(amount) THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('price %s is not a whole number of minor units', amount),
			DETAIL = 'fractional_price: a fraction would have to be rounded.',
			HINT = 'Bind the table through a view that returns minor units, price * 100 for example.';
	END IF;
	RETURN amount;
END
$$;
COMMENT ON FUNCTION capforecast._cents(numeric) IS 'A price as minor units; 22023 where it has a fraction.';

CREATE FUNCTION capforecast._quota(own bigint, plan bigint, extra bigint)
	RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	'SELECT CASE WHEN own OPERATOR(pg_catalog.=) -1 THEN NULL
				 WHEN own OPERATOR(pg_catalog.>=) 0 THEN own OPERATOR(pg_catalog.+) coalesce(extra, 0)
				 ELSE plan OPERATOR(pg_catalog.+) coalesce(extra, 0) END';
COMMENT ON FUNCTION capforecast._quota(bigint, bigint, bigint) IS
	'The limit of a subscription: its own if set (-1: unlimited), else its tier''s, and what add-ons grant. NULL: unlimited.';
-- Tiers, and the host's rows as the statements of this room want them.
--
-- The functions _x_sql() return pieces of SQL for templates of capforecast._host_sql():
-- a subquery in parentheses with fixed column names, empty where the host has no such
-- table, so that one statement serves hosts with and without add-ons or orders.
--
-- Functions that read the host's tables have row_security off, which makes a policy that
-- would hide rows an error instead of a smaller number, and jit off: the planner cannot
-- know how few rows these statements have, and compiling one takes a second where
-- running it takes milliseconds.

CREATE FUNCTION capforecast._tiers_sql()
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN capforecast._host_has('subscription_tiers') THEN
		'(SELECT DISTINCT ON (1) {t:subscription_tiers.code} AS code, {t:subscription_tiers.name} AS name,
			{t:subscription_tiers.is_active} AS is_active,
			capforecast._cents({t:subscription_tiers.price_monthly_cents}) AS monthly,
			capforecast._cents({t:subscription_tiers.price_annual_cents}) AS annual,
			{t:subscription_tiers.currency}::text AS currency,
			{t:subscription_tiers.products_limit}::bigint AS products, {t:subscription_tiers.orders_per_month}::bigint AS orders,
			{t:subscription_tiers.team_members}::bigint AS team_members,
			{t:subscription_tiers.stripe_price_monthly_id} AS stripe_monthly, {t:subscription_tiers.stripe_price_annual_id} AS stripe_annual
		  FROM {subscription_tiers} t ORDER BY 1)'
	ELSE
		'(SELECT ''''::text AS code, ''''::text AS name, false AS is_active, 0::bigint AS monthly, 0::bigint AS annual,
			''''::text AS currency, 0::bigint AS products, 0::bigint AS orders, 0::bigint AS team_members,
			''''::text AS stripe_monthly, ''''::text AS stripe_annual WHERE false)'
	END
$$;
COMMENT ON FUNCTION capforecast._tiers_sql() IS 'Tiers by code: names, prices in minor units, limits (NULL: unlimited), Stripe''s price ids.';

CREATE FUNCTION capforecast._addons_sql()
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN capforecast._host_has('vendor_addons') AND capforecast._host_has('addon_products') THEN
		'(SELECT {a:vendor_addons.id}::text AS id, {a:vendor_addons.vendor_id} AS vendor_id, {p:addon_products.code} AS code,
			{a:vendor_addons.status} AS status, {a:vendor_addons.quantity}::bigint AS quantity,
			coalesce(capforecast._cents({a:vendor_addons.unit_price_cents}), capforecast._cents({p:addon_products.price_cents})) AS unit_price,
			{p:addon_products.currency}::text AS currency, {p:addon_products.billing_period} AS billing_period,
			{p:addon_products.grants_resource} AS resource, {p:addon_products.grants_per_unit}::bigint AS per_unit,
			{a:vendor_addons.period_start} AS period_start, {a:vendor_addons.stripe_subscription_item_id} AS stripe_item,
			{p:addon_products.stripe_price_id} AS stripe_price
		  FROM {vendor_addons} a JOIN {addon_products} p ON {p:addon_products.id} = {a:vendor_addons.addon_product_id})'
	ELSE
		'(SELECT ''''::text AS id, {v:vendor_subscriptions.vendor_id} AS vendor_id, ''''::text AS code, ''''::text AS status,
			0::bigint AS quantity, 0::bigint AS unit_price, ''''::text AS currency, ''''::text AS billing_period,
			''''::text AS resource, 0::bigint AS per_unit, NULL::timestamptz AS period_start,
			''''::text AS stripe_item, ''''::text AS stripe_price
		  FROM {vendor_subscriptions} v WHERE false)'
	END
$$;
COMMENT ON FUNCTION capforecast._addons_sql() IS 'Add-ons of vendors, with what they cost (the price at purchase) and grant.';

CREATE FUNCTION capforecast._orders_sql()
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN capforecast._host_has('orders') THEN
		'(SELECT {o:orders.vendor_id} AS vendor_id, {o:orders.created_at} AS created_at FROM {orders} o)'
	ELSE
		'(SELECT {v:vendor_subscriptions.vendor_id} AS vendor_id, NULL::timestamptz AS created_at FROM {vendor_subscriptions} v WHERE false)'
	END
$$;
COMMENT ON FUNCTION capforecast._orders_sql() IS 'Orders: vendor and when they were placed.';

-- Locked or not, by vendor or all: conditions on it are pushed into the host's table.
CREATE FUNCTION capforecast._subscriptions_sql()
	RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT '(SELECT {s:vendor_subscriptions.id} AS id, {s:vendor_subscriptions.id}::text AS subscription_id,
			{s:vendor_subscriptions.vendor_id} AS vendor_id, {s:vendor_subscriptions.tier} AS tier,
			{s:vendor_subscriptions.status} AS status,
			coalesce({s:vendor_subscriptions.status} IN (''trial'', ''active'', ''past_due''), false) AS live,
			coalesce({s:vendor_subscriptions.is_annual}, false) AS is_annual,
			CASE WHEN {s:vendor_subscriptions.is_annual} THEN 12 ELSE 1 END AS step,
			{s:vendor_subscriptions.period_start} AS period_start, {s:vendor_subscriptions.period_end} AS period_end,
			coalesce({s:vendor_subscriptions.period_end} > {s:vendor_subscriptions.period_start}, false) AS good_period,
			{s:vendor_subscriptions.trial_ends_at} AS trial_ends_at,
			coalesce({s:vendor_subscriptions.orders_this_period}, 0)::bigint AS orders_counter,
			{s:vendor_subscriptions.custom_products_limit}::bigint AS own_products,
			{s:vendor_subscriptions.custom_orders_limit}::bigint AS own_orders,
			{s:vendor_subscriptions.custom_team_limit}::bigint AS own_team_members,
			coalesce({s:vendor_subscriptions.cancel_at_period_end}, false) AS cancel_at_period_end,
			{s:vendor_subscriptions.cancelled_at} AS cancelled_at,
			{s:vendor_subscriptions.stripe_customer_id} AS stripe_customer_id,
			{s:vendor_subscriptions.stripe_subscription_id} AS stripe_subscription_id,
			{s:vendor_subscriptions.stripe_price_id} AS stripe_price_id
		  FROM {vendor_subscriptions} s)'
$$;
COMMENT ON FUNCTION capforecast._subscriptions_sql() IS 'The host''s subscriptions. live: trial, active or past_due; step: months of the billing period.';

-- The literal takes the type of the host's key, so that its index serves.  The marker is
-- replaced after the names: what a caller writes is never read as a template.
CREATE FUNCTION capforecast._keyed_sql(template text, key text)
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT replace(capforecast._host_sql(template), '@key', quote_nullable(key))
$$;
COMMENT ON FUNCTION capforecast._keyed_sql(text, text) IS 'A template for one vendor or row, whose key stands for @key in it.';

-- Used where a code has no row: names and limits as the web application has always shown
-- them.  They have no price, because a price that the operator's table does not hold is
-- not known.
CREATE FUNCTION capforecast._legacy_tiers()
	RETURNS TABLE (code text, name text, products_limit bigint, orders_per_month bigint, team_members bigint, display_order integer)
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	VALUES ('essential'::text, 'Essential'::text, 200::bigint, 100::bigint, 1::bigint, 1),
		   ('professional', 'Professional', NULL, 500, 3, 2),
		   ('business', 'Business', NULL, 2000, 10, 3),
		   ('enterprise', 'Enterprise', NULL, NULL, NULL, 4)
$$;
COMMENT ON FUNCTION capforecast._legacy_tiers() IS 'The tiers that get_tier_info() falls back to.';

CREATE TYPE capforecast.tier_info AS (
	code text, name text, price_monthly_cents bigint, price_annual_cents bigint, currency text,
	products_limit bigint, orders_per_month bigint, team_members bigint, features jsonb, is_active boolean,
	display_order integer, source text);
COMMENT ON TYPE capforecast.tier_info IS 'What get_tier_info() returns.';

CREATE FUNCTION capforecast.get_tier_info(code text)
	RETURNS SETOF capforecast.tier_info
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
DECLARE
	wanted text := btrim(get_tier_info.code);
	matches bigint := 0;
BEGIN
	IF coalesce(wanted, '') = '' THEN
		RETURN;
	END IF;
	IF capforecast._host_has('subscription_tiers') THEN
		RETURN QUERY EXECUTE capforecast._host_sql(
			'SELECT {t:subscription_tiers.code}, {t:subscription_tiers.name},
				capforecast._cents({t:subscription_tiers.price_monthly_cents}),
				capforecast._cents({t:subscription_tiers.price_annual_cents}), {t:subscription_tiers.currency}::text,
				{t:subscription_tiers.products_limit}::bigint, {t:subscription_tiers.orders_per_month}::bigint,
				{t:subscription_tiers.team_members}::bigint, {t:subscription_tiers.features}::jsonb,
				{t:subscription_tiers.is_active}, {t:subscription_tiers.display_order}::integer, ''database''::text
			 FROM {subscription_tiers} t
			 WHERE lower(btrim({t:subscription_tiers.code})) = lower($1)
			   AND (btrim({t:subscription_tiers.code}) = $1 OR NOT EXISTS
					(SELECT FROM {subscription_tiers} e WHERE btrim({e:subscription_tiers.code}) = $1))') USING wanted;
		GET DIAGNOSTICS matches = ROW_COUNT;
		IF matches > 1 THEN
			RAISE cardinality_violation USING
				MESSAGE = format('%s tiers have the code "%s"', matches, wanted),
				DETAIL = 'ambiguous_tier: they differ in case or blanks only, and none is written exactly so.',
				HINT = 'Give the code as it is written in the table.';
		END IF;
	END IF;
	IF matches = 0 THEN
		RETURN QUERY SELECT l.code, l.name, NULL::bigint, NULL::bigint, NULL::text, l.products_limit, l.orders_per_month,
			l.team_members, '[]'::jsonb, true, l.display_order, 'legacy'::text
		FROM capforecast._legacy_tiers() l WHERE l.code = lower(wanted);
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast.get_tier_info(text) IS
	'A tier by its code (blanks and case do not matter), inactive ones too; limits are NULL where unlimited, prices in minor units. Where there is no such row, one of the four legacy tiers, without prices (source legacy). No row for an unknown code. Errors: 21000 where several codes differ in case only, 22023 for a price with a fraction.';

CREATE FUNCTION capforecast.get_tier_info_json(code text)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT to_jsonb(t) FROM capforecast.get_tier_info(code) t
$$;
COMMENT ON FUNCTION capforecast.get_tier_info_json(text) IS 'get_tier_info() as a document; NULL for an unknown code.';

CREATE FUNCTION capforecast.capture_capacity_snapshot()
	RETURNS capforecast.capacity_snapshots LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	SELECT * FROM capforecast.capture_daily_snapshot()
$$;
COMMENT ON FUNCTION capforecast.capture_capacity_snapshot() IS
	'The daily job by the web application''s name for it: capture_daily_snapshot().';
-- How the jobs over subscriptions work: findings, and sets that survive a bad row.
--
-- A job picks the ids that are due, locks those rows that nobody holds, looks again with
-- a new snapshot, and hands them to its worker, which does everything in sets.  A bad row
-- becomes a finding, and the others are done.

CREATE FUNCTION capforecast._severity(code text)
	RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE
		WHEN code IN ('billed_but_cancelled', 'clock_moved_back', 'event_id_reuse', 'mass_change_guard', 'no_price',
					  'stripe_mirror_empty', 'stripe_status_unknown') THEN 'critical'
		WHEN code IN ('irregular_period', 'stripe_row_lagging') THEN 'info'
		ELSE 'warning' END
$$;
COMMENT ON FUNCTION capforecast._severity(text) IS 'How bad a finding is: info, warning or critical.';

CREATE FUNCTION capforecast._resolve(codes text[], problems jsonb, as_of timestamptz, scope text DEFAULT '')
	RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	UPDATE capforecast.finding f SET resolved_at = as_of
	WHERE f.resolved_at IS NULL AND f.code = ANY (codes) AND starts_with(f.subject, scope)
	  AND (f.code, f.subject) NOT IN (SELECT r.code, r.subject FROM jsonb_to_recordset(problems) AS r(code text, subject text))
$$;
COMMENT ON FUNCTION capforecast._resolve(text[], jsonb, timestamptz, text) IS
	'Resolve the open findings of these codes, with subjects that begin with scope, that are no longer problems.';

-- problems: [{"code", "subject", "detail", "severity" (optional)}]; codes: those looked for in full.
CREATE FUNCTION capforecast._report(codes text[], problems jsonb, as_of timestamptz)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO capforecast.finding AS f (code, severity, subject, detail, first_seen, last_seen)
	SELECT DISTINCT ON (r.code, r.subject) r.code, coalesce(r.severity, capforecast._severity(r.code)), r.subject,
		coalesce(r.detail, '{}'), as_of, as_of
	FROM jsonb_to_recordset(problems) AS r(code text, severity text, subject text, detail jsonb)
	ON CONFLICT (code, subject) WHERE resolved_at IS NULL DO UPDATE
		SET last_seen = excluded.last_seen, seen_count = f.seen_count + 1,
			severity = excluded.severity, detail = excluded.detail;
	PERFORM capforecast._resolve(codes, problems, as_of);
END
$$;
COMMENT ON FUNCTION capforecast._report(text[], jsonb, timestamptz) IS 'Open, update and resolve findings.';

CREATE FUNCTION capforecast._count_by_code(problems jsonb)
	RETURNS jsonb LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_object_agg(c.code, c.n), '{}')
	FROM (SELECT r.value ->> 'code' AS code, count(*) AS n FROM jsonb_array_elements(problems) r GROUP BY 1) c
$$;
COMMENT ON FUNCTION capforecast._count_by_code(jsonb) IS 'Findings as {code: number}.';

-- What is wrong with subscriptions, seen from their rows alone.
CREATE FUNCTION capforecast._problems(codes text[], as_of timestamptz)
	RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	problems jsonb;
	with_vendors boolean := codes && ARRAY['inactive_vendor', 'orphan_subscription'];
BEGIN
	EXECUTE capforecast._host_sql($sql$
		SELECT coalesce(jsonb_agg(jsonb_build_object('code', problem, 'subject', 'subscription ' || x.subscription_id,
			'detail', jsonb_strip_nulls(jsonb_build_object('vendor', x.vendor_id, 'tier', x.tier, 'status', x.status,
				'period_start', x.period_start, 'period_end', x.period_end,
				'usage_start', x.usage_start, 'usage_end', x.usage_end, 'trial_ends_at', x.trial_ends_at)))), '[]')
		FROM (SELECT s.*, st.usage_start, st.usage_end, array_remove(ARRAY[
				CASE WHEN s.live AND NOT s.good_period THEN 'bad_period' END,
				CASE WHEN s.live AND st.usage_start > $1 THEN 'clock_moved_back' END,
				CASE WHEN s.live AND st.usage_end <= $1 - interval '1200 months' THEN 'too_many_windows' END,
				CASE WHEN s.live AND st.anchor_irregular THEN 'irregular_period' END,
				CASE WHEN s.status IN ('active', 'past_due') AND s.stripe_subscription_id IS NULL
					  AND CASE WHEN s.is_annual THEN t.annual ELSE t.monthly END IS NULL THEN 'no_price' END,
				CASE WHEN s.status = 'trial' AND s.trial_ends_at IS NULL THEN 'trial_without_end' END,
				CASE WHEN s.status = 'trial' AND s.stripe_subscription_id IS NOT NULL
					  AND s.trial_ends_at <= $1 - interval '48 hours' THEN 'trial_unconfirmed' END,
				CASE WHEN s.live AND t.code IS NULL THEN 'unknown_tier' END,
				CASE WHEN s.status IS NULL OR s.status NOT IN ('trial', 'active', 'past_due', 'cancelled', 'expired') THEN 'unknown_status' END,
				CASE WHEN s.orders_counter < 0 THEN 'negative_counter' END,
				CASE WHEN least(s.own_products, s.own_orders, s.own_team_members) < -1 THEN 'bad_custom_limit' END,
				CASE WHEN st.pending_at <= $1 - interval '7 days' THEN 'pending_change_overdue' END,
				CASE WHEN s.status = 'past_due' AND s.stripe_subscription_id IS NOT NULL
					  AND coalesce(st.status_since, s.period_start) <= $1 - interval '60 days' THEN 'past_due_stripe' END,
				CASE WHEN 'duplicate_live' = ANY ($2) AND s.live AND s.vendor_id IN (SELECT d.vendor_id
					FROM $sql$ || capforecast._subscriptions_sql() || $sql$ d
						WHERE d.live GROUP BY 1 HAVING count(*) > 1) THEN 'duplicate_live' END$sql$
		|| CASE WHEN with_vendors THEN $sql$,
				CASE WHEN v.vendor_id IS NULL THEN 'orphan_subscription' END,
				CASE WHEN s.live AND NOT v.is_active THEN 'inactive_vendor' END$sql$ ELSE '' END || $sql$
			], NULL) AS problems
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
				LEFT JOIN capforecast.subscription_state st USING (subscription_id)
				LEFT JOIN $sql$ || capforecast._tiers_sql() || $sql$ t ON t.code = s.tier$sql$
		|| CASE WHEN with_vendors THEN $sql$
				LEFT JOIN (SELECT {v:vendors.id} AS vendor_id, {v:vendors.is_active} AS is_active FROM {vendors} v) v
					ON v.vendor_id = s.vendor_id$sql$ ELSE '' END || $sql$
		) x CROSS JOIN LATERAL unnest(x.problems) problem
		WHERE x.problems && $2 AND problem = ANY ($2)$sql$)
	INTO problems USING as_of, codes;
	RETURN problems;
END
$$;
COMMENT ON FUNCTION capforecast._problems(text[], timestamptz) IS
	'Findings of the given codes about subscriptions, as _report() takes them.';

CREATE FUNCTION capforecast._add_counts(a jsonb, b jsonb)
	RETURNS jsonb LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_object_agg(k, coalesce((a ->> k)::bigint, 0) + coalesce((b ->> k)::bigint, 0))
	FROM (SELECT jsonb_object_keys(a) UNION SELECT jsonb_object_keys(b)) keys(k)
$$;
COMMENT ON FUNCTION capforecast._add_counts(jsonb, jsonb) IS 'Two objects of numbers, added key by key.';

-- condition: on s (a subscription), st (its state) and $1 (as_of).
CREATE FUNCTION capforecast._due(condition text, as_of timestamptz, ids text[] DEFAULT NULL, row_limit integer DEFAULT NULL)
	RETURNS text[] LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	due text[];
BEGIN
	EXECUTE capforecast._keyed_sql('SELECT coalesce(array_agg(d.subscription_id), ''{}'')
		FROM (SELECT s.subscription_id FROM ' || capforecast._subscriptions_sql() || ' s
			LEFT JOIN capforecast.subscription_state st USING (subscription_id)
			WHERE (' || condition || ')' || CASE WHEN ids IS NOT NULL THEN ' AND s.id = ANY (@key)' ELSE '' END
			|| CASE WHEN row_limit IS NOT NULL THEN ' ORDER BY s.id LIMIT $2' ELSE '' END || ') d', ids::text)
	INTO due USING as_of, row_limit;
	RETURN due;
END
$$;
COMMENT ON FUNCTION capforecast._due(text, timestamptz, text[], integer) IS 'Ids of the subscriptions that meet a condition.';

CREATE FUNCTION capforecast._lock_free(ids text[])
	RETURNS text[] LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
DECLARE
	locked text[];
BEGIN
	EXECUTE capforecast._keyed_sql('SELECT coalesce(array_agg(l.id), ''{}'')
		FROM (SELECT {s:vendor_subscriptions.id}::text AS id FROM {vendor_subscriptions} s
			WHERE {s:vendor_subscriptions.id} = ANY (@key)
			ORDER BY {s:vendor_subscriptions.id} FOR UPDATE OF s SKIP LOCKED) l', ids::text)
	INTO locked;
	RETURN locked;
END
$$;
COMMENT ON FUNCTION capforecast._lock_free(text[]) IS 'Lock the subscriptions that nobody else holds, and say which.';

-- worker: a function (as_of timestamptz, ids text[], options jsonb) returning jsonb counts.
-- Locking and looking again are statements of their own: each has a new snapshot.
CREATE FUNCTION capforecast._work_on(worker text, condition text, as_of timestamptz, ids text[], options jsonb)
	RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	locked text[] := capforecast._lock_free(ids);
	due text[] := capforecast._due(condition, as_of, locked);
	done jsonb := '{}';
BEGIN
	IF cardinality(due) > 0 THEN
		EXECUTE format('SELECT capforecast.%I($1, $2, $3)', worker) INTO done USING as_of, due, options;
	END IF;
	RETURN done || jsonb_build_object('skipped_locked', cardinality(ids) - cardinality(locked));
END
$$;
COMMENT ON FUNCTION capforecast._work_on(text, text, timestamptz, text[], jsonb) IS
	'Lock what is free, look again, and let the worker do it.';

-- A set that fails is halved until the bad rows stand alone.  More than a hundred of them
-- are no bad rows but a host that cannot be written, and that is the job's error.
CREATE FUNCTION capforecast._work(job text, worker text, condition text, as_of timestamptz, options jsonb, row_limit integer DEFAULT NULL,
		given text[] DEFAULT NULL, OUT counts jsonb, OUT failures jsonb)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ids text[] := capforecast._due(condition, as_of, given, row_limit);
	todo integer[][] := CASE WHEN cardinality(ids) > 0 THEN ARRAY[[1, cardinality(ids)]] ELSE '{}' END;
	first integer;
	last integer;
BEGIN
	counts := jsonb_build_object('examined', cardinality(ids));
	failures := '[]';
	WHILE cardinality(todo) > 0 LOOP
		first := todo[1][1];
		last := todo[1][2];
		todo := todo[2:];
		BEGIN
			counts := capforecast._add_counts(counts, capforecast._work_on(worker, condition, as_of, ids[first:last], options));
		EXCEPTION WHEN OTHERS THEN
			IF SQLSTATE ~ '^(40|53|57)' OR SQLSTATE = '55P03' OR jsonb_array_length(failures) >= 100 THEN
				RAISE;
			ELSIF first < last THEN
				todo := ARRAY[[first, (first + last) / 2], [(first + last) / 2 + 1, last]] || todo;
			ELSE
				failures := failures || jsonb_build_object('code', 'job_row_failed', 'subject', format('%s subscription %s', job, ids[first]),
					'detail', jsonb_build_object('sqlstate', SQLSTATE, 'message', SQLERRM));
			END IF;
		END;
	END LOOP;
	counts := counts || jsonb_build_object('failed', jsonb_array_length(failures));
END
$$;
COMMENT ON FUNCTION capforecast._work(text, text, text, timestamptz, jsonb, integer, text[]) IS
	'Run a job''s worker over the subscriptions that meet a condition: in one set, and where that fails in smaller ones, down to the rows that are to blame.';

CREATE TYPE capforecast.job_result AS (
	run_id bigint, as_of timestamptz, dry_run boolean, examined bigint, changed bigint,
	skipped_locked bigint, failed bigint, findings jsonb, already_running boolean);
COMMENT ON TYPE capforecast.job_result IS
	'What every job returns: findings is {code: number}; a dry run has no run_id and has written nothing; already_running: another run holds the job''s lock, and this one did nothing.';

-- One run of a job at a time, to the end of the transaction; the other one says so and goes.
CREATE FUNCTION capforecast._busy(job text, as_of timestamptz, dry_run boolean)
	RETURNS jsonb LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
	SELECT jsonb_build_object('as_of', as_of, 'dry_run', dry_run, 'examined', 0, 'changed', 0, 'skipped_locked', 0, 'failed', 0,
		'findings', '{}'::jsonb, 'already_running', true)
	WHERE NOT pg_try_advisory_xact_lock(x'63617066'::integer, hashtext(job))
$$;
COMMENT ON FUNCTION capforecast._busy(text, timestamptz, boolean) IS 'Take a job''s lock; where another run has it, what the job is to return, else NULL.';

-- codes: those that this run has looked for in full.
CREATE FUNCTION capforecast._finish(job text, started_at timestamptz, as_of timestamptz, dry_run boolean,
		counts jsonb, problems jsonb, codes text[])
	RETURNS capforecast.job_result LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result capforecast.job_result;
BEGIN
	result := jsonb_populate_record(NULL::capforecast.job_result,
		'{"examined": 0, "changed": 0, "skipped_locked": 0, "failed": 0}'::jsonb || counts);
	result.as_of := as_of;
	result.dry_run := dry_run;
	result.findings := capforecast._count_by_code(problems);
	result.already_running := false;
	IF dry_run THEN
		RETURN result;
	END IF;
	PERFORM capforecast._report(codes, problems, as_of);
	PERFORM capforecast._resolve(ARRAY['job_row_failed'], problems, as_of, job || ' ');
	result.run_id := capforecast._settle_run(job, started_at, as_of, result.examined, result.changed, result.skipped_locked,
		result.failed, counts - ARRAY['examined', 'changed', 'skipped_locked', 'failed'] || jsonb_build_object('findings', result.findings));
	RETURN result;
END
$$;
COMMENT ON FUNCTION capforecast._finish(text, timestamptz, timestamptz, boolean, jsonb, jsonb, text[]) IS
	'Report a job''s findings, settle its run, and make the row that it returns.';
-- Usage windows and billing periods: first sight, moves by somebody else, roll-over.

CREATE FUNCTION capforecast._see(as_of timestamptz, ids text[] DEFAULT NULL)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	only_these text := CASE WHEN ids IS NOT NULL THEN ' AND s.id = ANY (@key)' ELSE '' END;
BEGIN
	EXECUTE capforecast._keyed_sql($sql$
		INSERT INTO capforecast.subscription_state (subscription_id, vendor_id, anchor_local, anchor_zone, anchor_irregular,
			usage_start, usage_end, billed_from, billed_until, billed_price_cents, billed_amount_cents, billed_currency, last_status)
		SELECT s.subscription_id, s.vendor_id::text, a.anchor, $2, a.irregular,
			CASE WHEN s.is_annual THEN greatest(s.period_start, capforecast._boundary(a.anchor, $2, m)) ELSE s.period_start END,
			CASE WHEN s.is_annual THEN least(s.period_end, capforecast._boundary(a.anchor, $2, m + 1)) ELSE s.period_end END,
			s.period_start, s.period_end, p.price, p.price, t.currency, s.status
		FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
			LEFT JOIN $sql$ || capforecast._tiers_sql() || $sql$ t ON t.code = s.tier
			CROSS JOIN LATERAL capforecast._anchor(s.period_start, s.period_end, $2) a
			CROSS JOIN LATERAL (SELECT CASE WHEN s.is_annual THEN t.annual ELSE t.monthly END AS price) p
			CROSS JOIN LATERAL capforecast._months_before(a.anchor, $2,
				greatest(s.period_start, least($1, s.period_end - interval '1 microsecond'))) m
		WHERE s.live AND s.good_period$sql$ || only_these || $sql$
		  AND NOT EXISTS (SELECT FROM capforecast.subscription_state st WHERE st.subscription_id = s.subscription_id)
		ON CONFLICT DO NOTHING$sql$, ids::text)
	USING as_of, capforecast._setting('billing_timezone');

	EXECUTE capforecast._keyed_sql($sql$
		UPDATE capforecast.subscription_state st SET last_status = s.status, status_since = $1
		FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
		WHERE s.subscription_id = st.subscription_id AND s.status IS DISTINCT FROM st.last_status$sql$ || only_these, ids::text)
	USING as_of;
END
$$;
COMMENT ON FUNCTION capforecast._see(timestamptz, text[]) IS
	'Make the state of live subscriptions that have none (the anchor is fixed here), and note changes of status.';

-- Where the host (or Stripe) has moved the period itself, the open window ends where the
-- host's period begins.  The host's counter is its own business; Stripe has none.
CREATE FUNCTION capforecast._adopt_periods(as_of timestamptz, reason text DEFAULT 'host_moved', ids text[] DEFAULT NULL)
	RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	closed bigint;
BEGIN
	EXECUTE capforecast._keyed_sql($sql$
		WITH moved AS MATERIALIZED (
			SELECT s.*, st.usage_start, st.usage_end, p.price, t.currency, t.orders AS plan_orders,
				greatest(st.usage_start, CASE WHEN s.is_annual THEN greatest(s.period_start, capforecast._boundary(st.anchor_local,
					st.anchor_zone, m))
											  ELSE s.period_start END) AS new_start,
				CASE WHEN s.is_annual THEN least(s.period_end, capforecast._boundary(st.anchor_local, st.anchor_zone, m + 1))
					 ELSE s.period_end END AS new_end
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
				JOIN capforecast.subscription_state st USING (subscription_id)
				LEFT JOIN $sql$ || capforecast._tiers_sql() || $sql$ t ON t.code = s.tier
				CROSS JOIN LATERAL (SELECT CASE WHEN s.is_annual THEN t.annual ELSE t.monthly END AS price) p
				CROSS JOIN LATERAL capforecast._months_before(st.anchor_local, st.anchor_zone,
					greatest(s.period_start, least($1, s.period_end - interval '1 microsecond'))) m
			WHERE s.live AND s.good_period AND (s.period_start, s.period_end) IS DISTINCT FROM (st.billed_from, st.billed_until)$sql$
				|| CASE WHEN ids IS NOT NULL THEN ' AND s.id = ANY (@key)' ELSE '' END || $sql$
		), closed AS (
			INSERT INTO capforecast.period_ledger (subscription_id, window_start, window_end, orders_counter, orders_recount, orders_limit,
				tier, reason)
			SELECT m.subscription_id, m.usage_start, m.new_start, CASE WHEN $2 <> 'host_moved' THEN m.orders_counter END,
				CASE WHEN $3 THEN (SELECT count(*) FROM $sql$ || capforecast._orders_sql() || $sql$ o
					WHERE o.vendor_id = m.vendor_id AND o.created_at >= m.usage_start AND o.created_at < m.new_start) END,
				capforecast._quota(m.own_orders, m.plan_orders, 0), m.tier, $2
			FROM moved m WHERE m.new_start > m.usage_start
			ON CONFLICT DO NOTHING RETURNING subscription_id
		), state AS (
			UPDATE capforecast.subscription_state st
			SET usage_start = m.new_start, usage_end = CASE WHEN m.new_end > m.new_start THEN m.new_end ELSE st.usage_end END,
				billed_from = m.period_start, billed_until = m.period_end,
				billed_price_cents = m.price, billed_amount_cents = m.price, billed_currency = m.currency
			FROM moved m WHERE m.subscription_id = st.subscription_id
		), host AS (
			UPDATE {vendor_subscriptions} h SET $sql$ || capforecast._host_set('vendor_subscriptions', 'orders_this_period', 'm.orders',
				'orders_limit_reached_at', 'NULL') || $sql$
			FROM (SELECT m.id, (SELECT count(*) FROM $sql$ || capforecast._orders_sql() || $sql$ o
					WHERE o.vendor_id = m.vendor_id AND o.created_at >= m.new_start AND o.created_at <= $1) AS orders
				  FROM moved m JOIN closed c USING (subscription_id) WHERE $2 <> 'host_moved') m
			WHERE {h:vendor_subscriptions.id} = m.id
		)
		SELECT count(*) FROM closed$sql$, ids::text)
	INTO closed USING as_of, reason, capforecast._host_has('orders');
	RETURN closed;
END
$$;
COMMENT ON FUNCTION capforecast._adopt_periods(timestamptz, text, text[]) IS
	'Follow periods that were moved on the host''s row; returns the number of windows closed.';

-- Rolls locked subscriptions whose usage window has ended: every window up to the one that
-- holds as_of is closed in the ledger, and the counter becomes the orders counted in the
-- new one.  The first missed window begins where the old one ended, the others on the grid.
CREATE FUNCTION capforecast._roll(as_of timestamptz, ids text[], options jsonb)
	RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	counts jsonb;
BEGIN
	EXECUTE capforecast._keyed_sql($sql$
		WITH due AS MATERIALIZED (
			SELECT s.*, st.anchor_local, st.anchor_zone, st.usage_start, st.usage_end, n.first, n.last, n.new_start, st.pending_at, p.applies,
				CASE WHEN p.applies THEN st.pending_tier ELSE s.tier END AS new_tier,
				CASE WHEN p.applies THEN st.pending_annual ELSE s.is_annual END AS new_annual,
				capforecast._boundary(st.anchor_local, st.anchor_zone, n.last + 1) AS new_end
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
				JOIN capforecast.subscription_state st USING (subscription_id)
				CROSS JOIN LATERAL (SELECT m.first, m.last,
					CASE WHEN m.last > m.first THEN capforecast._boundary(st.anchor_local, st.anchor_zone, m.last) ELSE st.usage_end END AS new_start
					FROM (SELECT capforecast._months_before(st.anchor_local, st.anchor_zone, st.usage_end) AS first,
						capforecast._months_before(st.anchor_local, st.anchor_zone, $1) AS last OFFSET 0) m) n
				CROSS JOIN LATERAL (SELECT st.pending_at <= n.new_start IS TRUE AND s.stripe_subscription_id IS NULL AS applies) p
			WHERE s.id = ANY (@key) AND st.usage_end <= $1
		), counted AS (
			SELECT d.id, count(o.created_at) FILTER (WHERE o.created_at < d.usage_end) AS closed_orders,
				count(o.created_at) FILTER (WHERE o.created_at >= d.new_start) AS new_orders
			FROM due d LEFT JOIN $sql$ || capforecast._orders_sql() || $sql$ o
				ON o.vendor_id = d.vendor_id AND o.created_at >= d.usage_start AND o.created_at <= $1
			GROUP BY 1
		), granted AS (
			SELECT d.id, sum(a.quantity * a.per_unit)::bigint AS orders
			FROM due d JOIN $sql$ || capforecast._addons_sql() || $sql$ a ON a.vendor_id = d.vendor_id
			WHERE a.status IN ('active', 'cancelling') AND a.resource = 'orders' GROUP BY 1
		), rolled AS MATERIALIZED (
			SELECT d.*, c.closed_orders, c.new_orders, capforecast._quota(d.own_orders, old.orders, g.orders) AS old_quota,
				capforecast._quota(d.own_orders, new.orders, g.orders) AS new_quota, d.period_end <= $1 AS new_period,
				k.step AS new_step, m.months AS period_months, (d.last - m.months) / k.step AS passed
			FROM due d JOIN counted c USING (id) LEFT JOIN granted g USING (id)
				LEFT JOIN $sql$ || capforecast._tiers_sql() || $sql$ old ON old.code = d.tier
				LEFT JOIN $sql$ || capforecast._tiers_sql() || $sql$ new ON new.code = d.new_tier
				CROSS JOIN LATERAL (SELECT CASE WHEN d.new_annual THEN 12 ELSE 1 END AS step) k
				CROSS JOIN LATERAL (SELECT capforecast._months_before(d.anchor_local, d.anchor_zone, d.period_end) AS months OFFSET 0) m
		), closed AS (
			INSERT INTO capforecast.period_ledger (subscription_id, window_start, window_end, orders_counter, orders_recount, orders_limit,
				tier, caught_up, reason)
			SELECT r.subscription_id, r.usage_start, r.usage_end, r.orders_counter, CASE WHEN $3 THEN r.closed_orders END, r.old_quota,
				r.tier, false, $2
			FROM rolled r
			UNION ALL
			SELECT r.subscription_id, w.starts, w.ends, NULL, CASE WHEN $3 THEN (SELECT count(*) FROM $sql$ || capforecast._orders_sql() || $sql$ o
				WHERE o.vendor_id = r.vendor_id AND o.created_at >= w.starts AND o.created_at < w.ends) END,
				CASE WHEN r.applies AND w.starts >= r.pending_at THEN r.new_quota ELSE r.old_quota END,
				CASE WHEN r.applies AND w.starts >= r.pending_at THEN r.new_tier ELSE r.tier END, true, 'period_end'
			FROM rolled r CROSS JOIN LATERAL generate_series(0, r.last - r.first - 1) n
				CROSS JOIN LATERAL (SELECT CASE n WHEN 0 THEN r.usage_end ELSE capforecast._boundary(r.anchor_local, r.anchor_zone,
					r.first + n) END AS starts,
					capforecast._boundary(r.anchor_local, r.anchor_zone, r.first + n + 1) AS ends) w
			WHERE r.last > r.first
			ON CONFLICT DO NOTHING RETURNING 1
		), state AS (
			UPDATE capforecast.subscription_state st
			SET usage_start = r.new_start, usage_end = r.new_end,
				pending_tier = CASE WHEN NOT r.applies THEN st.pending_tier END, pending_annual = CASE WHEN NOT r.applies THEN st.pending_annual END,
				pending_at = CASE WHEN NOT r.applies THEN st.pending_at END,
				pending_requested_at = CASE WHEN NOT r.applies THEN st.pending_requested_at END
			FROM rolled r WHERE r.subscription_id = st.subscription_id
		), host AS (
			UPDATE {vendor_subscriptions} h SET $sql$ || capforecast._host_set('vendor_subscriptions',
				'tier', 'r.new_tier', 'is_annual', 'r.new_annual', 'orders_this_period', 'r.new_orders',
				'orders_limit_reached_at', 'r.limit_reached_at', 'period_start', 'r.new_period_start', 'period_end', 'r.new_period_end',
				'updated_at', '$1') || $sql$
			FROM (SELECT r.*,
					CASE WHEN NOT r.new_period THEN r.period_start WHEN r.passed = 0 THEN r.period_end
						ELSE capforecast._boundary(r.anchor_local, r.anchor_zone, r.period_months + r.new_step * r.passed) END AS new_period_start,
					CASE WHEN NOT r.new_period THEN r.period_end
						ELSE capforecast._boundary(r.anchor_local, r.anchor_zone,
							r.period_months + r.new_step * (r.passed + 1)) END AS new_period_end,
					CASE WHEN r.new_orders >= r.new_quota THEN (SELECT o.created_at FROM $sql$ || capforecast._orders_sql() || $sql$ o
						WHERE o.vendor_id = r.vendor_id AND o.created_at >= r.new_start ORDER BY 1 LIMIT 1 OFFSET greatest(r.new_quota - 1,
							0)) END AS limit_reached_at
				  FROM rolled r) r
			WHERE {h:vendor_subscriptions.id} = r.id
			RETURNING 1
		), audited AS (
			INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
			SELECT 'apply_pending_change', r.vendor_id::text, r.subscription_id, jsonb_build_object('tier', r.tier, 'is_annual', r.is_annual),
				jsonb_build_object('tier', r.new_tier, 'is_annual', r.new_annual), 'period_end'
			FROM rolled r WHERE r.applies
		)
		SELECT jsonb_build_object('changed', (SELECT count(*) FROM host), 'windows_closed', (SELECT count(*) FROM closed))$sql$, ids::text)
	INTO counts USING as_of, coalesce(options ->> 'reason', 'period_end'), capforecast._host_has('orders');
	RETURN counts || capforecast._bill(as_of, ids);
END
$$;
COMMENT ON FUNCTION capforecast._roll(timestamptz, text[], jsonb) IS
	'Worker of reset_period_counters(): close the ended windows of these subscriptions, open the new ones, and bill where a billing period ended.';
-- What the next period costs: one routine for the invoice that is shown beforehand and
-- the draft that is written when the period begins.

-- Needs a CTE "due": subscription_id, vendor_id, tier, is_annual, periods, starts, ends,
-- renews (false: the subscription ends there, and only what is pending is left to pay).
CREATE FUNCTION capforecast._invoice_sql()
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'lines AS (
			SELECT d.subscription_id, 1 AS position, ''''::text AS sort, t.currency, p.price * d.periods AS amount,
				jsonb_build_object(''kind'', ''tier'', ''code'', d.tier, ''quantity'', d.periods, ''unit_price_cents'', p.price,
					''amount_cents'', p.price * d.periods, ''period_start'', d.starts, ''period_end'', d.ends) AS line
			FROM due d LEFT JOIN ' || capforecast._tiers_sql() || ' t ON t.code = d.tier
				CROSS JOIN LATERAL (SELECT CASE WHEN d.is_annual THEN t.annual ELSE t.monthly END AS price) p
			WHERE d.renews
			UNION ALL
			SELECT d.subscription_id, 2, a.code, a.currency, a.unit_price * a.quantity * d.periods,
				jsonb_build_object(''kind'', ''addon'', ''code'', a.code, ''quantity'', a.quantity * d.periods, ''unit_price_cents'', a.unit_price,
					''amount_cents'', a.unit_price * a.quantity * d.periods, ''period_start'', d.starts, ''period_end'', d.ends)
			FROM due d JOIN ' || capforecast._addons_sql() || ' a ON a.vendor_id = d.vendor_id
			WHERE d.renews AND a.status = ''active'' AND a.billing_period = CASE WHEN d.is_annual THEN ''annual'' ELSE ''monthly'' END
			UNION ALL
			SELECT d.subscription_id, 3, lpad(i.id::text, 20, ''0''), i.currency, i.amount_cents,
				jsonb_build_object(''kind'', i.kind, ''code'', i.code, ''amount_cents'', i.amount_cents,
					''period_start'', i.service_start, ''period_end'', i.service_end, ''item'', i.id)
			FROM due d JOIN capforecast.pending_invoice_item i ON i.subscription_id = d.subscription_id
			WHERE i.invoiced_at IS NULL
		), invoice AS MATERIALIZED (
			SELECT l.subscription_id, jsonb_agg(l.line ORDER BY l.position, l.sort) AS lines, sum(l.amount)::bigint AS subtotal,
				min(l.currency) AS currency,
				CASE WHEN bool_or(l.amount IS NULL) THEN ''no_price''
					 WHEN min(l.currency) <> max(l.currency) THEN ''currency_mismatch'' END AS problem
			FROM lines l GROUP BY 1
		)'
$$;
COMMENT ON FUNCTION capforecast._invoice_sql() IS 'CTEs that turn due subscriptions into invoices: lines, subtotal in minor units, currency, and the problem that forbids one.';

CREATE FUNCTION capforecast._end_addons(as_of timestamptz, ids text[], statuses text[], ended_at text)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
	IF NOT capforecast._host_has('vendor_addons') THEN
		RETURN;
	END IF;
	EXECUTE capforecast._keyed_sql($sql$
		WITH ended AS (
			UPDATE {vendor_addons} h SET $sql$ || capforecast._host_set('vendor_addons', 'status', '''cancelled''',
				'cancelled_at', ended_at, 'updated_at', '$1') || $sql$
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
			WHERE s.id = ANY (@key) AND {h:vendor_addons.vendor_id} = s.vendor_id AND {h:vendor_addons.status} = ANY ($2)
			RETURNING {h:vendor_addons.id}::text AS addon_id, s.vendor_id::text AS vendor_id, s.subscription_id
		)
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, after, reason)
		SELECT 'end_addon', vendor_id, subscription_id, jsonb_build_object('addon_id', addon_id, 'status', 'cancelled'), 'subscription'
			FROM ended$sql$, ids::text)
	USING as_of, statuses;
END
$$;
COMMENT ON FUNCTION capforecast._end_addons(timestamptz, text[], text[], text) IS
	'Cancel the add-ons of these subscriptions that have one of the statuses, at an instant given as an expression on s.';

-- due: a query for the CTE of that name, with credit_cents; @key stands for the ids in it.
CREATE FUNCTION capforecast._draft(as_of timestamptz, ids text[], due text)
	RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	n_drafts bigint;
	mismatched jsonb;
BEGIN
	IF cardinality(ids) = 0 OR NOT capforecast._host_has('billing_history') THEN
		RETURN 0;
	END IF;
	EXECUTE capforecast._keyed_sql('WITH due AS MATERIALIZED (' || due || '), ' || capforecast._invoice_sql() || $sql$, billed AS MATERIALIZED (
			SELECT d.*, i.lines, i.subtotal, i.currency, least(d.credit_cents, greatest(i.subtotal, 0)) AS credit
			FROM invoice i JOIN due d USING (subscription_id) WHERE i.problem IS NULL
		), drafts AS (
			INSERT INTO {billing_history} $sql$ || capforecast._host_insert('billing_history', 'vendor_id', 'b.vendor_id',
				'invoice_date', 'b.starts', 'due_date', 'b.starts', 'period_start', 'b.starts', 'period_end', 'b.ends',
				'subtotal_cents', 'b.subtotal', 'total_cents', 'greatest(b.subtotal, 0) - b.credit', 'amount_paid_cents', '0',
				'currency', 'b.currency', 'status', '''draft''', 'description', 'format(''Subscription %s'', b.subscription_id)',
				'line_items', 'b.lines || CASE WHEN b.credit > 0
					THEN jsonb_build_array(jsonb_build_object(''kind'', ''credit'', ''amount_cents'', -b.credit)) ELSE ''[]'' END')
			|| $sql$ FROM billed b RETURNING 1
		), taken AS (
			UPDATE capforecast.pending_invoice_item i SET invoiced_at = $1
			FROM billed b WHERE i.subscription_id = b.subscription_id AND i.invoiced_at IS NULL
		), credited AS (
			UPDATE capforecast.subscription_state st SET credit_cents = st.credit_cents - b.credit + greatest(-b.subtotal, 0)
			FROM billed b WHERE st.subscription_id = b.subscription_id AND (b.credit > 0 OR b.subtotal < 0)
		)
		SELECT (SELECT count(*) FROM drafts),
			(SELECT coalesce(jsonb_agg(jsonb_build_object('code', i.problem, 'subject', 'subscription ' || i.subscription_id)), '[]')
			 FROM invoice i WHERE i.problem = 'currency_mismatch')$sql$, ids::text)
	INTO n_drafts, mismatched USING as_of;
	PERFORM capforecast._report('{}', mismatched, as_of);
	RETURN n_drafts;
END
$$;
COMMENT ON FUNCTION capforecast._draft(timestamptz, text[], text) IS
	'Write the drafts of due subscriptions: their pending items are taken, and their credit lowered by what was applied.';

-- A host that keeps no invoices bills by itself; its periods are followed all the same.
CREATE FUNCTION capforecast._bill(as_of timestamptz, ids text[])
	RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	local_ids text[] := capforecast._due('s.good_period AND s.period_end > st.billed_until AND s.stripe_subscription_id IS NULL
		AND s.status IN (''active'', ''past_due'')', as_of, ids);
	n_drafts bigint;
BEGIN
	IF cardinality(local_ids) > 0 THEN
		PERFORM capforecast._end_addons(as_of, local_ids, ARRAY['cancelling'],
			'(SELECT st.billed_until FROM capforecast.subscription_state st WHERE st.subscription_id = s.subscription_id)');
	END IF;
	n_drafts := capforecast._draft(as_of, local_ids, 'SELECT s.*, st.billed_until AS starts, s.period_end AS ends, true AS renews, st.credit_cents,
			greatest(1, (capforecast._months_before(st.anchor_local, st.anchor_zone, s.period_end)
				- capforecast._months_before(st.anchor_local, st.anchor_zone, st.billed_until)) / s.step) AS periods
		FROM ' || capforecast._subscriptions_sql() || ' s JOIN capforecast.subscription_state st USING (subscription_id)
		WHERE s.id = ANY (@key)');
	EXECUTE capforecast._keyed_sql($sql$
		UPDATE capforecast.subscription_state st
		SET billed_from = s.period_start, billed_until = s.period_end, billed_price_cents = p.price, billed_amount_cents = p.price,
			billed_currency = t.currency
		FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
			LEFT JOIN $sql$ || capforecast._tiers_sql() || $sql$ t ON t.code = s.tier
			CROSS JOIN LATERAL (SELECT CASE WHEN s.is_annual THEN t.annual ELSE t.monthly END AS price) p
		WHERE s.subscription_id = st.subscription_id AND s.id = ANY (@key) AND s.period_end > st.billed_until$sql$, ids::text);
	RETURN jsonb_build_object('drafts', n_drafts);
END
$$;
COMMENT ON FUNCTION capforecast._bill(timestamptz, text[]) IS
	'Write the drafts of locally billed subscriptions whose period on the host''s row is later than the one billed last.';
-- The jobs on usage windows and counters.

CREATE TYPE capforecast.reset_result AS (
	run_id bigint, as_of timestamptz, dry_run boolean, examined bigint, changed bigint, skipped_locked bigint, failed bigint,
	findings jsonb, already_running boolean, windows_closed bigint, drafts bigint);
COMMENT ON TYPE capforecast.reset_result IS 'job_result, and the usage windows closed and invoice drafts written.';

CREATE FUNCTION capforecast.reset_period_counters(as_of timestamptz DEFAULT NULL, row_limit integer DEFAULT NULL, dry_run boolean DEFAULT false)
	RETURNS capforecast.reset_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	job constant text := 'reset_period_counters';
	-- trials that have ended and cancellations that are due are other jobs' work
	condition constant text := 's.live AND s.good_period AND st.usage_end <= $1
		AND NOT (s.status = ''trial'' AND s.trial_ends_at <= $1 IS TRUE)
		AND NOT (s.stripe_subscription_id IS NULL AND s.cancel_at_period_end AND s.period_end <= $1)
		AND st.usage_end > $1 - interval ''1200 months''';
	codes text[] := ARRAY['bad_period', 'clock_moved_back', 'irregular_period', 'too_many_windows'];
	started_at timestamptz := clock_timestamp();
	now timestamptz := capforecast._now(as_of);
	busy jsonb := capforecast._busy(job, now, dry_run);
	adopted bigint;
	counts jsonb;
	problems jsonb;
	result capforecast.reset_result;
BEGIN
	IF busy IS NOT NULL THEN
		RETURN jsonb_populate_record(result, busy);
	END IF;
	IF capforecast._host_has('billing_history') THEN
		codes := codes || 'no_price'::text;
	END IF;
	BEGIN
		PERFORM capforecast._see(now);
		adopted := capforecast._adopt_periods(now);
		SELECT w.counts, w.failures INTO counts, problems FROM capforecast._work(job, '_roll', condition, now, '{}', row_limit) w;
		counts := capforecast._add_counts(counts, jsonb_build_object('windows_closed', adopted, 'drafts', 0));
		problems := problems || capforecast._problems(codes, now);
		result := jsonb_populate_record(NULL::capforecast.reset_result,
			to_jsonb(capforecast._finish(job, started_at, now, dry_run, counts, problems, codes)) || (counts - 'failed'));
		IF dry_run THEN
			RAISE EXCEPTION USING ERRCODE = 'CF000';
		END IF;
	EXCEPTION WHEN SQLSTATE 'CF000' THEN
		NULL;	-- undone: what would change is in result
	END;
	RETURN result;
END
$$;
COMMENT ON FUNCTION capforecast.reset_period_counters(timestamptz, integer, boolean) IS
	'Job: close every usage window that has ended (one row in period_ledger each, those missed while the server was down too), count the orders of the new one, apply changes of tier that were waiting for the boundary, and write the invoice draft of locally billed subscriptions. Rows that somebody holds are left for the next run. row_limit: at most so many subscriptions; dry_run: undo it all and say what would change.';

CREATE FUNCTION capforecast.reconcile_order_counters(apply boolean DEFAULT false, as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (subscription_id text, vendor_id text, counter bigint, recount bigint, difference bigint, applied boolean)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
#variable_conflict use_column
DECLARE
	now timestamptz := capforecast._now(as_of);
	counted constant text := $sql$
		SELECT s.id, s.subscription_id, s.vendor_id::text AS vendor_id, s.orders_counter AS counter,
			(SELECT count(*) FROM {orders} o WHERE {o:orders.vendor_id} = s.vendor_id
				AND {o:orders.created_at} >= coalesce(st.usage_start, s.period_start) AND {o:orders.created_at} <= $1) AS recount
		FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s LEFT JOIN capforecast.subscription_state st USING (subscription_id)
		WHERE s.live AND s.good_period$sql$;
	locked text[];
BEGIN
	IF apply IS NOT TRUE THEN
		RETURN QUERY EXECUTE capforecast._host_sql('SELECT c.subscription_id, c.vendor_id, c.counter, c.recount, c.recount - c.counter, false
			FROM (' || counted || ') c WHERE c.counter <> c.recount ORDER BY c.id') USING now;
		RETURN;
	END IF;
	EXECUTE capforecast._host_sql('SELECT coalesce(array_agg(c.subscription_id), ''{}'') FROM (' || counted || ') c WHERE c.counter <> c.recount')
	INTO locked USING now;
	locked := capforecast._lock_free(locked);
	RETURN QUERY EXECUTE capforecast._keyed_sql($sql$
		WITH wrong AS MATERIALIZED (
			SELECT c.* FROM ($sql$ || counted || $sql$) c WHERE c.counter <> c.recount AND c.id = ANY (@key)
		), fixed AS (
			UPDATE {vendor_subscriptions} h SET $sql$ || capforecast._host_set('vendor_subscriptions', 'orders_this_period', 'w.recount',
				'updated_at', '$1') || $sql$
			FROM wrong w WHERE {h:vendor_subscriptions.id} = w.id
		), audited AS (
			INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
			SELECT 'reconcile_order_counters', w.vendor_id, w.subscription_id, jsonb_build_object('orders_this_period', w.counter),
				jsonb_build_object('orders_this_period', w.recount), 'recount' FROM wrong w
		)
		SELECT w.subscription_id, w.vendor_id, w.counter, w.recount, w.recount - w.counter, true FROM wrong w ORDER BY w.id$sql$, locked::text)
	USING now;
END
$$;
COMMENT ON FUNCTION capforecast.reconcile_order_counters(boolean, timestamptz) IS
	'Live subscriptions whose orders_this_period is not the number of orders in the usage window. With apply the counter is set, and audited; rows that somebody holds are left out.';
-- The jobs on status: trials that end, cancellations that take effect, what grows stale.
-- Subscriptions that Stripe manages are never touched here: sync_stripe_status() does it.

CREATE TYPE capforecast.trial_result AS (
	run_id bigint, as_of timestamptz, dry_run boolean, examined bigint, changed bigint, skipped_locked bigint, failed bigint,
	findings jsonb, already_running boolean, expiring_soon jsonb);
COMMENT ON TYPE capforecast.trial_result IS 'job_result, and the trials that end soon: [{vendor_id, subscription_id, trial_ends_at}].';

-- Ends the locked subscriptions: status, and when access ended as an expression on s.
CREATE FUNCTION capforecast._end_subscriptions(as_of timestamptz, ids text[], status text, ended_at text, reason text)
	RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	changed bigint;
BEGIN
	PERFORM capforecast._end_addons(as_of, ids, ARRAY['pending', 'active', 'cancelling'], ended_at);
	EXECUTE capforecast._keyed_sql($sql$
		WITH ended AS (
			UPDATE {vendor_subscriptions} h SET $sql$ || capforecast._host_set('vendor_subscriptions', 'status', quote_literal(status),
				'cancelled_at', ended_at, 'updated_at', '$1') || $sql$
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
			WHERE s.id = ANY (@key) AND {h:vendor_subscriptions.id} = s.id
			RETURNING s.vendor_id::text AS vendor_id, s.subscription_id, s.status AS old_status, $sql$ || ended_at || $sql$ AS ended_at
		), state AS (
			UPDATE capforecast.subscription_state st SET pending_tier = NULL, pending_annual = NULL, pending_at = NULL, pending_requested_at = NULL
			FROM ended e WHERE e.subscription_id = st.subscription_id
		)
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
		SELECT 'end_subscription', e.vendor_id, e.subscription_id, jsonb_build_object('status', e.old_status),
			jsonb_build_object('status', $2, 'cancelled_at', e.ended_at), $3 FROM ended e$sql$, ids::text)
	USING as_of, status, reason;
	GET DIAGNOSTICS changed = ROW_COUNT;
	RETURN changed;
END
$$;
COMMENT ON FUNCTION capforecast._end_subscriptions(timestamptz, text[], text, text, text) IS
	'Give subscriptions a final status, with their add-ons and what was pending; audited.';

-- Activation begins a period of its own at the end of the trial: the usage window is cut
-- there, and rolled from there like any other.
CREATE FUNCTION capforecast._settle_trials(as_of timestamptz, ids text[], options jsonb)
	RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	new_tier text := options ->> 'tier';
	changed bigint;
BEGIN
	IF options ->> 'action' = 'expire' THEN
		RETURN jsonb_build_object('changed', capforecast._end_subscriptions(as_of, ids, 'expired', 's.trial_ends_at', 'trial_end'));
	END IF;
	EXECUTE capforecast._keyed_sql($sql$
		UPDATE capforecast.subscription_state st
		SET anchor_local = timezone(st.anchor_zone, s.trial_ends_at), anchor_irregular = false, usage_end = s.trial_ends_at,
			billed_until = s.trial_ends_at, pending_tier = NULL, pending_annual = NULL, pending_at = NULL, pending_requested_at = NULL
		FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s WHERE s.subscription_id = st.subscription_id AND s.id = ANY (@key)$sql$, ids::text);
	EXECUTE capforecast._keyed_sql($sql$
		WITH activated AS (
			UPDATE {vendor_subscriptions} h SET $sql$ || capforecast._host_set('vendor_subscriptions', 'status', '''active''',
				'tier', 'coalesce($2, s.tier)', 'period_start', 'least(s.period_start, s.trial_ends_at - interval ''1 microsecond'')',
				'period_end', 's.trial_ends_at', 'updated_at', '$1') || $sql$
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
			WHERE s.id = ANY (@key) AND {h:vendor_subscriptions.id} = s.id
			RETURNING s.vendor_id::text AS vendor_id, s.subscription_id, s.tier AS old_tier
		)
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
		SELECT 'activate', a.vendor_id, a.subscription_id, jsonb_build_object('status', 'trial', 'tier', a.old_tier),
			jsonb_build_object('status', 'active', 'tier', coalesce($2, a.old_tier)), 'trial_end' FROM activated a$sql$, ids::text)
	USING as_of, new_tier;
	GET DIAGNOSTICS changed = ROW_COUNT;
	PERFORM capforecast._roll(as_of, ids, '{"reason": "trial_end"}');
	RETURN jsonb_build_object('changed', changed);
END
$$;
COMMENT ON FUNCTION capforecast._settle_trials(timestamptz, text[], jsonb) IS 'Worker of check_trial_expirations().';

CREATE FUNCTION capforecast.check_trial_expirations(as_of timestamptz DEFAULT NULL, warn interval DEFAULT '3 days', dry_run boolean DEFAULT false)
	RETURNS capforecast.trial_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	job constant text := 'check_trial_expirations';
	codes constant text[] := ARRAY['trial_without_end', 'trial_unconfirmed'];
	action text := split_part(capforecast._setting('trial_action'), ':', 1);
	new_tier text := nullif(split_part(capforecast._setting('trial_action'), ':', 2), '');
	condition text := 's.status = ''trial'' AND s.trial_ends_at <= $1 AND s.stripe_subscription_id IS NULL'
		|| CASE WHEN action = 'expire' THEN '' ELSE ' AND s.good_period' END;
	started_at timestamptz := clock_timestamp();
	now timestamptz := capforecast._now(as_of);
	busy jsonb := capforecast._busy(job, now, dry_run);
	counts jsonb;
	problems jsonb;
	result capforecast.trial_result;
	expiring jsonb;
BEGIN
	IF new_tier IS NOT NULL AND NOT EXISTS (SELECT FROM capforecast.get_tier_info(new_tier) t WHERE t.source = 'database' AND t.code = new_tier) THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('tier "%s" of capforecast.trial_action does not exist', new_tier),
			DETAIL = 'unknown_tier: no subscription was changed.',
			HINT = 'Set it to "expire", "activate" or "downgrade:" with the code of a tier.';
	END IF;
	IF busy IS NOT NULL THEN
		RETURN jsonb_populate_record(result, busy);
	END IF;
	BEGIN
		PERFORM capforecast._see(now);
		SELECT w.counts, w.failures INTO counts, problems
		FROM capforecast._work(job, '_settle_trials', condition, now, jsonb_build_object('action', action, 'tier', new_tier)) w;
		problems := problems || capforecast._problems(codes, now);
		EXECUTE capforecast._host_sql('SELECT coalesce(jsonb_agg(jsonb_build_object(''vendor_id'', s.vendor_id::text, ''subscription_id'', s.subscription_id,
				''trial_ends_at'', s.trial_ends_at) ORDER BY s.trial_ends_at, s.id), ''[]'')
			FROM ' || capforecast._subscriptions_sql() || ' s
			WHERE s.status = ''trial'' AND s.trial_ends_at > $1 AND s.trial_ends_at <= $1 + $2')
		INTO expiring USING now, warn;
		result := jsonb_populate_record(NULL::capforecast.trial_result,
			to_jsonb(capforecast._finish(job, started_at, now, dry_run, counts, problems, codes)) || jsonb_build_object('expiring_soon', expiring));
		IF dry_run THEN
			RAISE EXCEPTION USING ERRCODE = 'CF000';
		END IF;
	EXCEPTION WHEN SQLSTATE 'CF000' THEN
		NULL;
	END;
	RETURN result;
END
$$;
COMMENT ON FUNCTION capforecast.check_trial_expirations(timestamptz, interval, boolean) IS
	'Job: local subscriptions on trial whose trial_ends_at has come get what capforecast.trial_action says: expired (default), active, or active on another tier. Nothing but status trial is looked at, and nothing that Stripe manages. expiring_soon: trials that end within warn.';

-- past_due for too long, and cancellations whose period is over.
CREATE FUNCTION capforecast._end_stale(as_of timestamptz, ids text[], options jsonb)
	RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	cancelled text[] := capforecast._due('s.cancel_at_period_end AND s.period_end <= $1', as_of, ids);
	lapsed text[] := ARRAY(SELECT unnest(ids) EXCEPT SELECT unnest(cancelled));
BEGIN
	-- what is pending is still owed: the last invoice, as upcoming_invoice() has shown it
	PERFORM capforecast._draft(as_of, cancelled, 'SELECT s.*, s.period_end AS starts, NULL::timestamptz AS ends, false AS renews, st.credit_cents, 1 AS periods
		FROM ' || capforecast._subscriptions_sql() || ' s JOIN capforecast.subscription_state st USING (subscription_id)
		WHERE s.id = ANY (@key)');
	RETURN jsonb_build_object('changed',
		capforecast._end_subscriptions(as_of, cancelled, 'cancelled', 's.period_end', 'cancel_at_period_end')
		+ capforecast._end_subscriptions(as_of, lapsed, 'expired', '$1', 'past_due'));
END
$$;
COMMENT ON FUNCTION capforecast._end_stale(timestamptz, text[], jsonb) IS 'Worker of cleanup_stale_subscriptions().';

CREATE FUNCTION capforecast._purge(as_of timestamptz)
	RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	DELETE FROM capforecast.stripe_event e WHERE e.received_at < as_of - interval '90 days' AND e.outcome <> 'stored_unresolved'
		AND NOT EXISTS (SELECT FROM capforecast._stripe_last_words() l WHERE l.event_id = e.event_id);
	DELETE FROM capforecast.request_log WHERE created_at < as_of - interval '30 days';
	SELECT capforecast._purge_runs(as_of);
$$;
COMMENT ON FUNCTION capforecast._purge(timestamptz) IS
	'Drop old events (never the last word on an object), answered requests and runs. Ledger, audit and the host''s data stay.';

CREATE FUNCTION capforecast.cleanup_stale_subscriptions(as_of timestamptz DEFAULT NULL, past_due_grace interval DEFAULT '30 days',
	dry_run boolean DEFAULT false)
	RETURNS capforecast.job_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	job constant text := 'cleanup_stale_subscriptions';
	condition text := format('s.live AND s.stripe_subscription_id IS NULL AND ((s.cancel_at_period_end AND s.period_end <= $1)
		OR (s.status = ''past_due'' AND coalesce(st.status_since, s.period_start) <= $1 - %L::interval))', past_due_grace);
	codes constant text[] := ARRAY['bad_custom_limit', 'bad_period', 'duplicate_live', 'inactive_vendor', 'negative_counter', 'orphan_subscription',
		'past_due_stripe', 'pending_change_overdue', 'unknown_status', 'unknown_tier'];
	started_at timestamptz := clock_timestamp();
	now timestamptz := capforecast._now(as_of);
	busy jsonb := capforecast._busy(job, now, dry_run);
	counts jsonb;
	problems jsonb;
	result capforecast.job_result;
BEGIN
	IF busy IS NOT NULL THEN
		RETURN jsonb_populate_record(result, busy);
	END IF;
	BEGIN
		PERFORM capforecast._see(now);
		SELECT w.counts, w.failures INTO counts, problems FROM capforecast._work(job, '_end_stale', condition, now, '{}') w;
		problems := problems || capforecast._problems(codes, now)
			|| (SELECT coalesce(jsonb_agg(jsonb_build_object('code', 'outbox_stuck', 'subject', 'outbox ' || o.id,
					'detail', jsonb_build_object('vendor', o.vendor_id, 'operation', o.operation, 'created_at', o.created_at))), '[]')
				FROM capforecast.stripe_outbox o WHERE o.status = 'pending' AND o.created_at <= now - interval '1 day');
		PERFORM capforecast._purge(now);
		result := capforecast._finish(job, started_at, now, dry_run, counts, problems, codes || 'outbox_stuck'::text);
		IF dry_run THEN
			RAISE EXCEPTION USING ERRCODE = 'CF000';
		END IF;
	EXCEPTION WHEN SQLSTATE 'CF000' THEN
		NULL;
	END;
	RETURN result;
END
$$;
COMMENT ON FUNCTION capforecast.cleanup_stale_subscriptions(timestamptz, interval, boolean) IS
	'Job: local subscriptions that were to be cancelled at the end of a period that is over become cancelled; those past_due for past_due_grace become expired. Everything else that looks wrong is a finding, never a change. Old rows of capforecast''s own logs are dropped; the host''s rows never.';
-- One vendor: its subscription under lock, its usage against its limits, its requests.

CREATE TYPE capforecast._subscription_row AS (
	subscription_id text, vendor_id text, tier text, status text, live boolean, is_annual boolean, step integer,
	period_start timestamptz, period_end timestamptz, good_period boolean, trial_ends_at timestamptz, orders_counter bigint,
	own_products bigint, own_orders bigint, own_team_members bigint, cancel_at_period_end boolean, cancelled_at timestamptz,
	stripe_customer_id text, stripe_subscription_id text);
COMMENT ON TYPE capforecast._subscription_row IS 'A row of capforecast._subscriptions_sql(), ids as text.';

CREATE FUNCTION capforecast._fail(errcode text, word text, message text, explanation text, hint text)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = errcode, MESSAGE = message, DETAIL = word || ': ' || explanation, HINT = hint;
END
$$;
COMMENT ON FUNCTION capforecast._fail(text, text, text, text, text) IS 'Raise an error whose detail begins with a word that an application can test.';

-- The newest live row, should there be several.  A lock is taken by a statement of its
-- own, so that what follows sees what was committed while it waited.
CREATE FUNCTION capforecast._subscription(vendor text, for_update boolean)
	RETURNS capforecast._subscription_row
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
DECLARE
	s capforecast._subscription_row;
BEGIN
	IF for_update THEN
		EXECUTE capforecast._keyed_sql('SELECT FROM {vendor_subscriptions} s WHERE {s:vendor_subscriptions.vendor_id} = @key
			ORDER BY {s:vendor_subscriptions.id} FOR UPDATE', vendor);
	END IF;
	EXECUTE capforecast._keyed_sql('SELECT s.subscription_id, s.vendor_id::text, s.tier, s.status, s.live, s.is_annual, s.step,
			s.period_start, s.period_end, s.good_period, s.trial_ends_at, s.orders_counter, s.own_products, s.own_orders,
			s.own_team_members, s.cancel_at_period_end, s.cancelled_at, s.stripe_customer_id, s.stripe_subscription_id
		FROM ' || capforecast._subscriptions_sql() || ' s WHERE s.vendor_id = @key
		ORDER BY s.live DESC, s.period_end DESC NULLS LAST LIMIT 1', vendor) INTO s;
	IF s.subscription_id IS NULL THEN
		PERFORM capforecast._fail('P0002', 'unknown_vendor', format('vendor %s has no subscription', vendor),
			'There is no row for it in the table of subscriptions.', 'Give the vendor''s id as the host''s tables have it.');
	END IF;
	RETURN s;
END
$$;
COMMENT ON FUNCTION capforecast._subscription(text, boolean) IS 'The subscription of a vendor, locked or only read; P0002 where there is none.';

CREATE FUNCTION capforecast._require_live(s capforecast._subscription_row)
	RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT s.live OR NOT s.good_period THEN
		PERFORM capforecast._fail('55000', 'not_live', format('subscription %s is not live', s.subscription_id),
			format('Its status is %s.', coalesce(s.status, 'not known') || CASE WHEN s.good_period THEN '' ELSE ', its period is not valid' END),
			'A vendor whose subscription has ended needs another one.');
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._require_live(capforecast._subscription_row) IS '55000 not_live unless trial, active or past_due with a valid period.';

-- As it is kept, or as it would be on first sight: so that a preview writes nothing.
CREATE FUNCTION capforecast._state_of(s capforecast._subscription_row)
	RETURNS capforecast.subscription_state LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	st capforecast.subscription_state;
BEGIN
	SELECT * INTO st FROM capforecast.subscription_state x WHERE x.subscription_id = s.subscription_id;
	IF st.subscription_id IS NULL THEN
		st.subscription_id := s.subscription_id;
		st.anchor_zone := capforecast._setting('billing_timezone');
		SELECT a.anchor INTO st.anchor_local FROM capforecast._anchor(s.period_start, s.period_end, st.anchor_zone) a;
		st.usage_start := s.period_start;
		st.usage_end := s.period_end;
		SELECT CASE WHEN s.is_annual THEN t.price_annual_cents ELSE t.price_monthly_cents END, t.currency
		INTO st.billed_price_cents, st.billed_currency FROM capforecast.get_tier_info(s.tier) t;
		st.billed_amount_cents := st.billed_price_cents;
		st.credit_cents := 0;
		st.entitled := true;
	END IF;
	RETURN st;
END
$$;
COMMENT ON FUNCTION capforecast._state_of(capforecast._subscription_row) IS 'What is kept about a subscription.';

CREATE FUNCTION capforecast._usage(vendor text, as_of timestamptz, tier text DEFAULT NULL)
	RETURNS TABLE (resource text, used bigint, quota bigint, known boolean)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
BEGIN
	RETURN QUERY EXECUTE capforecast._keyed_sql($sql$
		SELECT r.resource, r.used, CASE WHEN s.subscription_id IS NOT NULL THEN capforecast._quota(r.own, r.plan, g.extra) END,
			s.subscription_id IS NOT NULL AND (t.code IS NOT NULL OR r.own >= -1 IS TRUE)
		FROM (SELECT {v:vendors.id} AS id FROM {vendors} v WHERE {v:vendors.id} = @key) v
			LEFT JOIN LATERAL (SELECT * FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s WHERE s.vendor_id = v.id
				ORDER BY s.live DESC, s.period_end DESC NULLS LAST LIMIT 1) s ON true
			LEFT JOIN capforecast.subscription_state st ON st.subscription_id = s.subscription_id
			LEFT JOIN $sql$ || capforecast._tiers_sql() || $sql$ t ON t.code = coalesce($2, s.tier)
			LEFT JOIN LATERAL (SELECT coalesce(st.anchor_local, a.anchor) AS anchor, coalesce(st.anchor_zone, $3) AS zone
				FROM capforecast._anchor(s.period_start, s.period_end, $3) a) w ON s.good_period
			CROSS JOIN LATERAL (VALUES
				(1, 'products', (SELECT count(*) FROM {products} p WHERE {p:products.vendor_id} = v.id), s.own_products, t.products),
				(2, 'orders', CASE WHEN s.live AND s.good_period AND coalesce(st.usage_end, s.period_end) <= $1 THEN
					(SELECT count(*) FROM $sql$ || capforecast._orders_sql() || $sql$ o WHERE o.vendor_id = v.id AND o.created_at <= $1
						AND o.created_at >= greatest(coalesce(st.usage_end, s.period_end), capforecast._boundary(w.anchor, w.zone,
							capforecast._months_before(w.anchor, w.zone, $1))))
					ELSE coalesce(s.orders_counter, 0) END, s.own_orders, t.orders),
				(3, 'team_members', (SELECT count(*) FROM {vendor_users} u WHERE {u:vendor_users.vendor_id} = v.id AND {u:vendor_users.is_active}),
					s.own_team_members, t.team_members)
			) r(position, resource, used, own, plan)
			CROSS JOIN LATERAL (SELECT sum(a.quantity * a.per_unit)::bigint AS extra FROM $sql$ || capforecast._addons_sql() || $sql$ a
				WHERE a.vendor_id = v.id AND a.status IN ('active', 'cancelling') AND a.resource = r.resource) g
		ORDER BY r.position$sql$, vendor) USING as_of, tier, capforecast._setting('billing_timezone');
END
$$;
COMMENT ON FUNCTION capforecast._usage(text, timestamptz, text) IS
	'What a vendor uses and may use (quota NULL: unlimited if known, else not known), with its own tier or another one. No rows: no such vendor.';

CREATE FUNCTION capforecast._replay(operation text, vendor_id text, idempotency_key text, request jsonb)
	RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	earlier capforecast.request_log;
BEGIN
	SELECT * INTO earlier FROM capforecast.request_log r
	WHERE (r.operation, r.vendor_id, r.idempotency_key) = (_replay.operation, _replay.vendor_id, _replay.idempotency_key);
	IF earlier.request <> request THEN
		PERFORM capforecast._fail('22023', 'idempotency_key_mismatch', 'the idempotency key was used for another request',
			format('It was %s.', earlier.request), 'Make a key for each request, and send it again only with the same one.');
	END IF;
	RETURN earlier.response;
END
$$;
COMMENT ON FUNCTION capforecast._replay(text, text, text, jsonb) IS
	'The answer that a request with this key had; NULL: it is a first one. Called under the lock of the vendor''s subscription.';

CREATE FUNCTION capforecast._remember(operation text, vendor_id text, idempotency_key text, request jsonb, response jsonb)
	RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO capforecast.request_log (operation, vendor_id, idempotency_key, request, response)
	SELECT operation, vendor_id, idempotency_key, request, response WHERE idempotency_key IS NOT NULL
$$;
COMMENT ON FUNCTION capforecast._remember(text, text, text, jsonb, jsonb) IS 'Keep the answer to a request that has a key.';
-- Changing a tier.  One routine plans the change, for the preview and for the real
-- thing; another writes what was planned.

CREATE TYPE capforecast.change_result AS (
	action text, effective_at timestamptz, lines jsonb, net_cents bigint, currency text, over_limit jsonb,
	outbox_id bigint, estimate boolean, notes text[]);
COMMENT ON TYPE capforecast.change_result IS
	'What a change of tier or add-on does: action (upgrade, downgrade, noop, pending_cancelled, purchase, cancel, reduce), when it takes effect, prorated lines and their sum in minor units (below 0: credit), resources whose use is above the limits that follow, the outbox row where Stripe must do it (then the lines are an estimate), and notes on what else it does.';

CREATE FUNCTION capforecast._line(kind text, code text, amount_cents bigint, unit_price_cents bigint, period_start timestamptz,
	period_end timestamptz, more jsonb DEFAULT '{}')
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
	SELECT jsonb_build_object('kind', kind, 'code', code, 'amount_cents', amount_cents, 'unit_price_cents', unit_price_cents,
		'period_start', period_start, 'period_end', period_end) || more
$$;
COMMENT ON FUNCTION capforecast._line(text, text, bigint, bigint, timestamptz, timestamptz, jsonb) IS 'A line of an invoice or a preview.';

-- Nothing is given back for a period that was not paid for.
CREATE FUNCTION capforecast._period_is_unpaid(vendor text, at timestamptz)
	RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
DECLARE
	unpaid boolean := false;
BEGIN
	IF capforecast._host_has('billing_history') THEN
		EXECUTE capforecast._keyed_sql('SELECT EXISTS (SELECT FROM {billing_history} b WHERE {b:billing_history.vendor_id} = @key
			AND {b:billing_history.period_start} <= $1 AND {b:billing_history.period_end} > $1
			AND {b:billing_history.status} NOT IN (''paid'', ''void'') AND {b:billing_history.total_cents} <> 0)', vendor)
		INTO unpaid USING at;
	END IF;
	RETURN unpaid;
END
$$;
COMMENT ON FUNCTION capforecast._period_is_unpaid(text, timestamptz) IS 'Whether an invoice that covers the instant is not paid.';

CREATE FUNCTION capforecast._sellable_tier(code text, annual boolean)
	RETURNS capforecast.tier_info LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	t capforecast.tier_info;
BEGIN
	SELECT * INTO t FROM capforecast.get_tier_info(code);
	IF t.code IS NULL THEN
		PERFORM capforecast._fail('P0002', 'unknown_tier', format('tier "%s" does not exist', code),
			'The table of tiers has no such code.', 'SELECT capforecast.get_tier_info(code) looks a code up.');
	ELSIF NOT t.is_active THEN
		PERFORM capforecast._fail('22023', 'inactive_tier', format('tier "%s" is not sold any more', t.code),
			'Its is_active is false.', 'Choose an active tier.');
	ELSIF (CASE WHEN annual THEN t.price_annual_cents ELSE t.price_monthly_cents END) IS NULL THEN
		PERFORM capforecast._fail('P0002', 'no_price', format('tier "%s" has no %s price', t.code, CASE WHEN annual THEN 'annual' ELSE 'monthly' END),
			'A price that the table of tiers does not hold is not known.', 'Set its price there.');
	END IF;
	RETURN t;
END
$$;
COMMENT ON FUNCTION capforecast._sellable_tier(text, boolean) IS 'A tier that can be bought, by the month or by the year.';

CREATE FUNCTION capforecast._over_limit(vendor text, as_of timestamptz, tier text)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_object('resource', u.resource, 'used', u.used, 'limit', u.quota, 'over_by', u.used - u.quota)), '[]')
	FROM capforecast._usage(vendor, as_of, tier) u WHERE u.used > u.quota
$$;
COMMENT ON FUNCTION capforecast._over_limit(text, timestamptz, text) IS 'Resources of which a vendor uses more than a tier would allow.';

-- Credit for what is left of the period that was billed, debit for the same time at the
-- price that follows; a change of interval begins a period of its own at once.
CREATE FUNCTION capforecast._tier_lines(s capforecast._subscription_row, st capforecast.subscription_state, target capforecast.tier_info,
		annual boolean, proration text, as_of timestamptz, OUT lines jsonb, OUT net bigint, OUT at timestamptz)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	price bigint := CASE WHEN annual THEN target.price_annual_cents ELSE target.price_monthly_cents END;
	reanchors boolean := annual <> s.is_annual;
	share record;
	credit bigint;
	debit bigint;
	more jsonb := '{}';
BEGIN
	SELECT * INTO share FROM capforecast._share(as_of, s.period_start, s.period_end, st.anchor_zone, proration);
	at := share.at;
	IF s.status = 'trial' OR proration = 'none' THEN
		lines := '[]';
		net := 0;
		RETURN;
	END IF;
	IF st.billed_price_cents IS NULL THEN
		PERFORM capforecast._fail('P0002', 'no_price', format('what was billed for tier "%s" is not known', s.tier),
			'It had no price when the period began.', 'Change the tier at the end of the period, or with proration => ''none''.');
	ELSIF st.billed_currency <> target.currency THEN
		PERFORM capforecast._fail('22023', 'currency_mismatch', 
			format('tier "%s" is sold in %s, not in %s', target.code, target.currency, st.billed_currency),
			'An invoice has one currency.', 'Choose a tier of the same currency.');
	END IF;
	credit := least(capforecast._prorate(st.billed_price_cents, share.part, share.whole), st.billed_amount_cents);
	IF credit > 0 AND capforecast._period_is_unpaid(s.vendor_id, at) THEN
		credit := 0;
		more := '{"credit_withheld": "unpaid_period"}';
	END IF;
	debit := CASE WHEN reanchors THEN price ELSE capforecast._prorate(price, share.part, share.whole) END;
	lines := jsonb_build_array(
		capforecast._line('proration_credit', s.tier, -credit, st.billed_price_cents, at, s.period_end, more),
		capforecast._line('proration_debit', target.code, debit, price, at,
			CASE WHEN reanchors THEN
				capforecast._boundary(timezone(st.anchor_zone, at), st.anchor_zone, CASE WHEN annual THEN 12 ELSE 1 END)
			ELSE s.period_end END));
	net := debit - credit;
END
$$;
COMMENT ON FUNCTION capforecast._tier_lines(capforecast._subscription_row, capforecast.subscription_state, capforecast.tier_info, boolean, text, timestamptz) IS
	'The prorated lines of an immediate change of tier.';

CREATE FUNCTION capforecast._plan_change(s capforecast._subscription_row, st capforecast.subscription_state, target capforecast.tier_info,
		timing text, annual boolean, proration text, keep_cancel boolean, as_of timestamptz)
	RETURNS capforecast.change_result LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	plan capforecast.change_result;
	old_monthly bigint := (SELECT t.price_monthly_cents FROM capforecast.get_tier_info(s.tier) t WHERE t.source = 'database');
	upgrade boolean;
BEGIN
	plan.currency := target.currency;
	plan.lines := '[]';
	plan.net_cents := 0;
	plan.estimate := s.stripe_subscription_id IS NOT NULL;
	plan.notes := '{}';
	plan.over_limit := capforecast._over_limit(s.vendor_id, as_of, target.code);
	plan.effective_at := as_of;
	IF target.code = s.tier AND annual = s.is_annual THEN
		plan.action := CASE WHEN st.pending_tier IS NULL THEN 'noop' ELSE 'pending_cancelled' END;
		plan.over_limit := '[]';
		RETURN plan;
	ELSIF annual <> s.is_annual AND EXISTS (SELECT FROM capforecast._addons_of(s.vendor_id) a WHERE a.billing_period <> 'one_time') THEN
		PERFORM capforecast._fail('22023', 'interval_mismatch', 'the interval cannot be changed while add-ons are billed by the other one',
			'Add-ons are billed with the subscription.', 'Cancel the add-ons first.');
	ELSIF old_monthly IS NULL THEN
		PERFORM capforecast._fail('P0002', 'no_price', format('tier "%s" has no price', s.tier), 'Up or down cannot be told without it.',
			'Set its price in the table of tiers.');
	END IF;
	upgrade := target.price_monthly_cents >= old_monthly AND (annual OR NOT s.is_annual);
	plan.action := CASE WHEN upgrade THEN 'upgrade' ELSE 'downgrade' END;
	IF s.status = 'past_due' AND (upgrade OR timing = 'immediate') THEN
		PERFORM capforecast._fail('55000', 'unpaid_invoice', 'the tier cannot be changed while a payment is due',
			'The subscription is past_due.', 'Change it after the payment; only a downgrade can wait for the end of the period.');
	ELSIF s.status <> 'trial' AND (timing = 'period_end' OR (timing = 'auto' AND NOT upgrade)) THEN
		plan.effective_at := s.period_end;
		RETURN plan;
	END IF;
	SELECT l.lines, l.net, l.at INTO plan.lines, plan.net_cents, plan.effective_at
	FROM capforecast._tier_lines(s, st, target, annual, proration, as_of) l;
	IF st.pending_tier IS NOT NULL THEN
		plan.notes := plan.notes || 'pending_change_cleared'::text;
	END IF;
	IF upgrade AND s.cancel_at_period_end AND keep_cancel IS NOT TRUE THEN
		plan.notes := plan.notes || 'cancellation_cleared'::text;
	END IF;
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast._plan_change(capforecast._subscription_row, capforecast.subscription_state, capforecast.tier_info, text, boolean, text, boolean, timestamptz) IS
	'What a change of tier does, without doing it.';

-- Below 0 the sum goes to the credit balance; else its lines wait for the next invoice.
CREATE FUNCTION capforecast._book(s capforecast._subscription_row, plan capforecast.change_result)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF plan.net_cents < 0 THEN
		UPDATE capforecast.subscription_state st SET credit_cents = st.credit_cents - plan.net_cents WHERE st.subscription_id = s.subscription_id;
	END IF;
	INSERT INTO capforecast.pending_invoice_item (vendor_id, subscription_id, kind, code, amount_cents, currency, service_start,
		service_end, details, invoiced_at)
	SELECT s.vendor_id, s.subscription_id, l.value ->> 'kind', l.value ->> 'code', (l.value ->> 'amount_cents')::bigint, plan.currency,
		(l.value ->> 'period_start')::timestamptz, (l.value ->> 'period_end')::timestamptz, l.value,
		CASE WHEN plan.net_cents < 0 THEN plan.effective_at END
	FROM jsonb_array_elements(plan.lines) l WHERE (l.value ->> 'amount_cents')::bigint <> 0;
END
$$;
COMMENT ON FUNCTION capforecast._book(capforecast._subscription_row, capforecast.change_result) IS 'Keep the lines of a change for the next invoice, or as credit.';

CREATE FUNCTION capforecast._apply_change(s capforecast._subscription_row, plan capforecast.change_result,
		target_tier text, annual boolean, idempotency_key text, as_of timestamptz)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	reanchors boolean := annual <> s.is_annual AND s.status <> 'trial';
	debit jsonb := plan.lines -> 1;
	booked capforecast.change_result := plan;
BEGIN
	IF reanchors AND capforecast._host_has('billing_history') THEN
		booked.lines := plan.lines - 1;		-- the draft of the new period has the debit, and takes the credit
		booked.net_cents := 0;
	END IF;
	PERFORM capforecast._book(s, booked);
	UPDATE capforecast.subscription_state x
	SET billed_price_cents = coalesce((debit ->> 'unit_price_cents')::bigint, x.billed_price_cents),
		billed_amount_cents = coalesce((debit ->> 'amount_cents')::bigint, x.billed_amount_cents),
		billed_currency = plan.currency, pending_tier = NULL, pending_annual = NULL, pending_at = NULL, pending_requested_at = NULL
	WHERE x.subscription_id = s.subscription_id;
	EXECUTE capforecast._keyed_sql('UPDATE {vendor_subscriptions} h SET ' || capforecast._host_set('vendor_subscriptions',
			'tier', '$1', 'is_annual', '$2', 'cancel_at_period_end', '$3', 'period_end', '$4', 'updated_at', '$5') || '
		WHERE {h:vendor_subscriptions.vendor_id} = @key AND {h:vendor_subscriptions.id}::text = $6', s.vendor_id)
	USING target_tier, annual, s.cancel_at_period_end AND NOT 'cancellation_cleared' = ANY (plan.notes),
		CASE WHEN reanchors THEN greatest(plan.effective_at, s.period_start + interval '1 microsecond') ELSE s.period_end END,
		as_of, s.subscription_id;
	INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason, idempotency_key)
	VALUES ('change_tier', s.vendor_id, s.subscription_id,
		jsonb_build_object('tier', s.tier, 'is_annual', s.is_annual, 'cancel_at_period_end', s.cancel_at_period_end),
		jsonb_build_object('tier', target_tier, 'is_annual', annual, 'net_cents', plan.net_cents, 'notes', plan.notes), plan.action, idempotency_key);
	IF reanchors THEN
		UPDATE capforecast.subscription_state x
		SET anchor_local = timezone(x.anchor_zone, plan.effective_at), anchor_irregular = false,
			usage_end = greatest(plan.effective_at, x.usage_start + interval '1 microsecond'), billed_until = plan.effective_at
		WHERE x.subscription_id = s.subscription_id;
		PERFORM capforecast._roll(as_of, ARRAY[s.subscription_id], '{"reason": "reanchor"}');
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._apply_change(capforecast._subscription_row, capforecast.change_result, text, boolean, text, timestamptz) IS
	'Write a planned change of tier that takes effect at once: lines, tier, audit; with a change of interval the period begins anew.';

CREATE FUNCTION capforecast._check_choice(name text, value text, choices text[])
	RETURNS void LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF value IS NULL OR value <> ALL (choices) THEN
		PERFORM capforecast._fail('22023', 'bad_argument', format('%s must be one of %s', name, array_to_string(choices, ', ')),
			format('It is %s.', coalesce(value, 'NULL')), 'Leave it out for the default.');
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._check_choice(text, text, text[]) IS '22023 unless the value is one of the choices.';

CREATE FUNCTION capforecast.change_tier(vendor text, tier text, timing text DEFAULT 'auto', annual boolean DEFAULT NULL,
		proration text DEFAULT 'second', idempotency_key text DEFAULT NULL, ack_over_limit boolean DEFAULT false,
		keep_cancel boolean DEFAULT false, preview boolean DEFAULT false, as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.change_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._now(as_of);
	request constant jsonb := jsonb_build_object('tier', tier, 'timing', timing, 'annual', annual, 'proration', proration,
		'ack_over_limit', ack_over_limit, 'keep_cancel', keep_cancel);
	s capforecast._subscription_row;
	st capforecast.subscription_state;
	target capforecast.tier_info;
	plan capforecast.change_result;
	scheduled boolean;
	earlier jsonb;
BEGIN
	PERFORM capforecast._check_choice('timing', timing, '{auto,immediate,period_end}');
	PERFORM capforecast._check_choice('proration', proration, '{second,day,none}');
	s := capforecast._subscription(vendor, preview IS NOT TRUE);
	IF preview IS NOT TRUE THEN
		earlier := capforecast._replay('change_tier', s.vendor_id, idempotency_key, request);
		IF earlier IS NOT NULL THEN
			RETURN jsonb_populate_record(NULL::capforecast.change_result, earlier);
		END IF;
		PERFORM capforecast._see(now, ARRAY[s.subscription_id]);
	END IF;
	PERFORM capforecast._require_live(s);
	st := capforecast._state_of(s);
	target := capforecast._sellable_tier(tier, coalesce(annual, s.is_annual));
	plan := capforecast._plan_change(s, st, target, timing, coalesce(annual, s.is_annual), proration, keep_cancel, now);
	IF preview THEN
		RETURN plan;
	END IF;
	scheduled := s.status <> 'trial' AND (timing = 'period_end' OR (timing = 'auto' AND plan.action = 'downgrade'));
	IF plan.over_limit <> '[]' AND ack_over_limit IS NOT TRUE THEN
		PERFORM capforecast._fail('55000', 'over_limit', format('vendor %s uses more than tier "%s" allows', s.vendor_id, target.code),
			format('%s', plan.over_limit),
			'Have the vendor confirm it, and pass ack_over_limit => true: nothing is deleted, and nothing can be added until usage is below the limit.');
	END IF;
	IF s.stripe_subscription_id IS NOT NULL THEN
		plan := capforecast._order_change(s, plan, target, coalesce(annual, s.is_annual), idempotency_key);
	ELSIF plan.action = 'pending_cancelled' THEN
		UPDATE capforecast.subscription_state x SET pending_tier = NULL, pending_annual = NULL, pending_at = NULL, pending_requested_at = NULL
		WHERE x.subscription_id = s.subscription_id;
	ELSIF plan.action <> 'noop' AND scheduled THEN
		UPDATE capforecast.subscription_state x SET pending_tier = target.code, pending_annual = coalesce(change_tier.annual, s.is_annual),
			pending_at = s.period_end, pending_requested_at = now
		WHERE x.subscription_id = s.subscription_id;
	ELSIF plan.action <> 'noop' THEN
		PERFORM capforecast._apply_change(s, plan, target.code, coalesce(annual, s.is_annual), idempotency_key, now);
	END IF;
	IF plan.action <> 'noop' AND (scheduled OR plan.action = 'pending_cancelled' OR plan.outbox_id IS NOT NULL) THEN
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason, idempotency_key)
		VALUES ('request_change', s.vendor_id, s.subscription_id,
			jsonb_build_object('tier', s.tier, 'is_annual', s.is_annual, 'pending_tier', st.pending_tier),
			request, plan.action, idempotency_key);
	END IF;
	PERFORM capforecast._remember('change_tier', s.vendor_id, idempotency_key, request, to_jsonb(plan));
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast.change_tier(text, text, text, boolean, text, text, boolean, boolean, boolean, timestamptz) IS
	'Change a vendor''s tier. timing auto: up at once, down at the end of the period; annual NULL: the interval stays; proration second, day or none. preview: the same numbers, and nothing is written. Where Stripe manages the subscription the change is asked for in stripe_outbox, and the host''s row changes when Stripe''s data shows it. A request repeated with its idempotency_key has one effect and the same answer. Errors: P0002 unknown_vendor, unknown_tier, no_price; 22023 inactive_tier, currency_mismatch, idempotency_key_mismatch; 55000 not_live, unpaid_invoice, over_limit, change_in_flight.';
-- Buying and cancelling add-ons.  The vendor's subscription is locked first, so that
-- quantities are never read and written by two at once.

CREATE FUNCTION capforecast._addons_of(vendor text, addon text DEFAULT NULL)
	RETURNS TABLE (id text, code text, status text, quantity bigint, unit_price bigint, currency text, billing_period text,
		period_start timestamptz, stripe_item text, stripe_price text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
BEGIN
	RETURN QUERY EXECUTE capforecast._keyed_sql('SELECT a.id, a.code, a.status, a.quantity, a.unit_price, a.currency, a.billing_period,
			a.period_start, a.stripe_item, a.stripe_price
		FROM ' || capforecast._addons_sql() || ' a
		WHERE a.vendor_id = @key AND a.status IN (''pending'', ''active'', ''cancelling'') AND a.code = coalesce($1, a.code)
		ORDER BY a.code', vendor) USING addon;
END
$$;
COMMENT ON FUNCTION capforecast._addons_of(text, text) IS 'The live add-ons of a vendor, or one of them.';

CREATE TYPE capforecast._addon_product AS (
	code text, price bigint, currency text, billing_period text, max_quantity bigint, is_active boolean, stripe_price text);
COMMENT ON TYPE capforecast._addon_product IS 'An add-on as it is sold.';

CREATE FUNCTION capforecast._sellable_addon(addon text, quantity bigint, s capforecast._subscription_row)
	RETURNS capforecast._addon_product LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
DECLARE
	p capforecast._addon_product;
	currency text := (SELECT t.currency FROM capforecast.get_tier_info(s.tier) t);
BEGIN
	IF quantity IS NULL OR quantity < 1 THEN
		PERFORM capforecast._fail('22023', 'bad_quantity', 'quantity must be 1 or more',
			format('It is %s.', coalesce(quantity::text, 'NULL')), 'Reduce an add-on with cancel_addon().');
	END IF;
	EXECUTE capforecast._host_sql('SELECT {p:addon_products.code}, capforecast._cents({p:addon_products.price_cents}), {p:addon_products.currency}::text,
			{p:addon_products.billing_period}, {p:addon_products.max_quantity}::bigint, {p:addon_products.is_active},
			{p:addon_products.stripe_price_id}
		FROM {addon_products} p WHERE {p:addon_products.code} = $1') INTO p USING addon;
	IF p.code IS NULL THEN
		PERFORM capforecast._fail('P0002', 'unknown_addon', format('add-on "%s" does not exist', addon),
			'The table of add-ons has no such code.', 'Give its code as it is there.');
	ELSIF NOT p.is_active THEN
		PERFORM capforecast._fail('22023', 'inactive_addon', format('add-on "%s" is not sold any more', addon), 'Its is_active is false.',
			'Choose an active add-on.');
	ELSIF p.currency <> currency THEN
		PERFORM capforecast._fail('22023', 'currency_mismatch', format('add-on "%s" is sold in %s, not in %s', addon, p.currency, currency),
			'An invoice has one currency.', 'Choose an add-on of the same currency.');
	ELSIF p.billing_period NOT IN ('one_time', CASE WHEN s.is_annual THEN 'annual' ELSE 'monthly' END) THEN
		PERFORM capforecast._fail('22023', 'interval_mismatch', format('add-on "%s" is billed by another interval than the subscription', addon),
			format('Its interval is %s.', p.billing_period), 'Choose one with the interval of the subscription.');
	END IF;
	RETURN p;
END
$$;
COMMENT ON FUNCTION capforecast._sellable_addon(text, bigint, capforecast._subscription_row) IS 'An add-on that this subscription can buy.';

CREATE FUNCTION capforecast._write_addon(s capforecast._subscription_row, addon_id text, addon text, status text, quantity bigint,
	unit_price bigint, as_of timestamptz,
		stripe_item text DEFAULT NULL)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
	IF addon_id IS NULL THEN
		EXECUTE capforecast._keyed_sql('INSERT INTO {vendor_addons} ' || capforecast._host_insert('vendor_addons', 'vendor_id', 'x.vendor_id',
				'addon_product_id', '{p:addon_products.id}', 'status', '$2', 'quantity', '$3', 'unit_price_cents', '$4', 
				'period_start', '$5', 'period_end', '$6') || '
			FROM ' || capforecast._subscriptions_sql() || ' x, {addon_products} p
			WHERE x.vendor_id = @key AND x.subscription_id = $7 AND {p:addon_products.code} = $1', s.vendor_id)
		USING addon, status, quantity::integer, unit_price, as_of, s.period_end, s.subscription_id;
	ELSE
		EXECUTE capforecast._keyed_sql('UPDATE {vendor_addons} h SET ' || capforecast._host_set('vendor_addons', 'status', '$1', 'quantity', '$2',
				'unit_price_cents', '$3', 'cancelled_at', 'CASE WHEN $1 = ''cancelled'' THEN $4 END',
				'stripe_subscription_item_id', 'coalesce($5, {h:vendor_addons.stripe_subscription_item_id})', 'updated_at', '$4') || '
			WHERE {h:vendor_addons.id} = @key', addon_id)
		USING status, quantity::integer, unit_price, as_of, stripe_item;
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._write_addon(capforecast._subscription_row, text, text, text, bigint, bigint, timestamptz, text) IS 'Insert or update the host''s row of an add-on.';

CREATE FUNCTION capforecast.purchase_addon(vendor text, addon text, quantity integer DEFAULT 1, idempotency_key text DEFAULT NULL,
		preview boolean DEFAULT false, as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.change_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._now(as_of);
	request constant jsonb := jsonb_build_object('addon', addon, 'quantity', quantity);
	s capforecast._subscription_row := capforecast._subscription(vendor, preview IS NOT TRUE);
	earlier jsonb := CASE WHEN preview THEN NULL ELSE capforecast._replay('purchase_addon', s.vendor_id, idempotency_key, request) END;
	product capforecast._addon_product;
	held record;
	price bigint;
	share record;
	plan capforecast.change_result;
BEGIN
	IF earlier IS NOT NULL THEN
		RETURN jsonb_populate_record(NULL::capforecast.change_result, earlier);
	END IF;
	PERFORM capforecast._require_live(s);
	product := capforecast._sellable_addon(addon, quantity, s);
	SELECT * INTO held FROM capforecast._addons_of(s.vendor_id, product.code);
	IF coalesce(held.quantity, 0) + quantity > product.max_quantity THEN
		PERFORM capforecast._fail('55000', 'max_quantity', format('add-on "%s" is sold up to %s', product.code, product.max_quantity),
			format('The vendor has %s.', coalesce(held.quantity, 0)), 'Buy fewer.');
	END IF;
	price := coalesce(held.unit_price, product.price);
	SELECT * INTO share FROM capforecast._share(now, s.period_start, s.period_end, (capforecast._state_of(s)).anchor_zone, 'second');
	plan := ROW('purchase', share.at, '[]', 0, product.currency, '[]', NULL, s.stripe_subscription_id IS NOT NULL, '{}');
	IF product.billing_period = 'one_time' THEN
		plan.lines := jsonb_build_array(capforecast._line('one_time', product.code, price * quantity, price, share.at, NULL,
			jsonb_build_object('quantity', quantity)));
	ELSIF s.status <> 'trial' THEN
		plan.lines := jsonb_build_array(capforecast._line('addon', product.code,
			capforecast._prorate(price * quantity, share.part, share.whole), price,
			share.at, s.period_end, jsonb_build_object('quantity', quantity)));
	END IF;
	plan.net_cents := coalesce((plan.lines -> 0 ->> 'amount_cents')::bigint, 0);
	IF preview THEN
		RETURN plan;
	END IF;
	PERFORM capforecast._see(now, ARRAY[s.subscription_id]);
	IF s.stripe_subscription_id IS NOT NULL THEN
		IF held.id IS NULL THEN
			PERFORM capforecast._write_addon(s, NULL, product.code, 'pending', quantity, price, now);
		END IF;
		plan := capforecast._order_addon(s, plan, 'purchase_addon', product.code, coalesce(held.quantity, 0) + quantity,
			coalesce(held.stripe_price, product.stripe_price), held.stripe_item, 'immediate', idempotency_key);
	ELSE
		PERFORM capforecast._book(s, plan);
		PERFORM capforecast._write_addon(s, held.id, product.code, 'active', coalesce(held.quantity, 0) + quantity, price, now);
	END IF;
	INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, idempotency_key)
	VALUES ('purchase_addon', s.vendor_id, s.subscription_id, jsonb_build_object('addon', product.code, 'quantity', coalesce(held.quantity, 0)),
		jsonb_build_object('addon', product.code, 'quantity', coalesce(held.quantity, 0) + quantity, 'net_cents', plan.net_cents,
			'outbox_id', plan.outbox_id), idempotency_key);
	PERFORM capforecast._remember('purchase_addon', s.vendor_id, idempotency_key, request, to_jsonb(plan));
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast.purchase_addon(text, text, integer, text, boolean, timestamptz) IS
	'Buy an add-on, or more of it, at the price at which the vendor first bought it; prorated to the end of the period, nothing in a trial, in full where it is sold once. Where Stripe manages the subscription it is asked for in stripe_outbox, and grants nothing until Stripe''s data shows it. Errors: P0002 unknown_vendor, unknown_addon; 22023 bad_quantity, inactive_addon, currency_mismatch, interval_mismatch, idempotency_key_mismatch; 55000 not_live, max_quantity, change_in_flight.';

-- What is left of what was billed, never more than that: what was bought within the period
-- and given back at once must not gain a cent by rounding.
CREATE FUNCTION capforecast._plan_addon_end(s capforecast._subscription_row, addon text, quantity bigint, at_once boolean, as_of timestamptz)
	RETURNS capforecast.change_result LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	plan capforecast.change_result := ROW('cancel', s.period_end, '[]', 0, NULL, '[]', NULL, false, '{}');
	held record;
	share record;
	credit bigint;
	more jsonb := jsonb_build_object('quantity', quantity);
BEGIN
	SELECT * INTO held FROM capforecast._addons_of(s.vendor_id, addon);
	plan.currency := held.currency;
	IF NOT at_once THEN
		RETURN plan;
	END IF;
	SELECT * INTO share FROM capforecast._share(as_of, s.period_start, s.period_end, (capforecast._state_of(s)).anchor_zone, 'second');
	plan.effective_at := share.at;
	IF s.status = 'trial' OR held.status = 'pending' OR held.billing_period = 'one_time' THEN
		RETURN plan;	-- nothing was billed for a time that is left
	END IF;
	credit := capforecast._prorate(held.unit_price * quantity, share.part, share.whole);
	IF held.period_start >= s.period_start THEN
		credit := least(credit, (SELECT coalesce(sum(i.amount_cents), 0) FROM capforecast.pending_invoice_item i
			WHERE i.subscription_id = s.subscription_id AND i.code = addon AND i.kind IN ('addon', 'addon_credit')
				AND i.service_start >= s.period_start));
	END IF;
	IF credit > 0 AND capforecast._period_is_unpaid(s.vendor_id, share.at) THEN
		credit := 0;
		more := more || '{"credit_withheld": "unpaid_period"}';
	END IF;
	plan.lines := jsonb_build_array(capforecast._line('addon_credit', addon, -credit, held.unit_price, share.at, s.period_end, more));
	plan.net_cents := -credit;
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast._plan_addon_end(capforecast._subscription_row, text, bigint, boolean, timestamptz) IS
	'What it gives to end so many of an add-on, at once or at the end of the period.';

CREATE FUNCTION capforecast.cancel_addon(vendor text, addon text, quantity integer DEFAULT NULL, timing text DEFAULT 'period_end',
		idempotency_key text DEFAULT NULL, preview boolean DEFAULT false, as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.change_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._now(as_of);
	request constant jsonb := jsonb_build_object('addon', addon, 'quantity', quantity, 'timing', timing);
	s capforecast._subscription_row := capforecast._subscription(vendor, preview IS NOT TRUE);
	earlier jsonb := CASE WHEN preview THEN NULL ELSE capforecast._replay('cancel_addon', s.vendor_id, idempotency_key, request) END;
	held record;
	removed bigint;
	plan capforecast.change_result;
BEGIN
	IF earlier IS NOT NULL THEN
		RETURN jsonb_populate_record(NULL::capforecast.change_result, earlier);
	END IF;
	PERFORM capforecast._check_choice('timing', timing, '{immediate,period_end}');
	SELECT * INTO held FROM capforecast._addons_of(s.vendor_id, addon);
	IF held.id IS NULL THEN
		PERFORM capforecast._fail('55000', 'not_live', format('vendor %s has no live add-on "%s"', s.vendor_id, addon),
			'There is none, or it was cancelled.', 'usage_summary() lists the live ones.');
	ELSIF quantity < 1 OR quantity > held.quantity THEN
		PERFORM capforecast._fail('22023', 'bad_quantity', 
			format('quantity must be from 1 to %s', held.quantity), format('It is %s.', quantity), 'Leave it out to cancel all of it.');
	END IF;
	PERFORM capforecast._require_live(s);
	removed := coalesce(quantity, held.quantity);
	plan := capforecast._plan_addon_end(s, held.code, removed, removed < held.quantity OR timing = 'immediate', now);
	plan.action := CASE WHEN removed < held.quantity THEN 'reduce' ELSE 'cancel' END;
	plan.estimate := s.stripe_subscription_id IS NOT NULL;
	IF preview THEN
		RETURN plan;
	END IF;
	PERFORM capforecast._see(now, ARRAY[s.subscription_id]);
	IF s.stripe_subscription_id IS NOT NULL THEN
		plan := capforecast._order_addon(s, plan, 'cancel_addon', held.code, held.quantity - removed, held.stripe_price, held.stripe_item,
			CASE WHEN plan.action = 'reduce' THEN 'immediate' ELSE timing END, idempotency_key);
	ELSE
		PERFORM capforecast._book(s, plan);
		PERFORM capforecast._write_addon(s, held.id, held.code,
			CASE WHEN plan.action = 'reduce' THEN held.status WHEN timing = 'immediate' THEN 'cancelled' ELSE 'cancelling' END,
			CASE WHEN plan.action = 'reduce' THEN held.quantity - removed ELSE held.quantity END, held.unit_price, now);
	END IF;
	INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason, idempotency_key)
	VALUES ('cancel_addon', s.vendor_id, s.subscription_id, jsonb_build_object('addon', held.code, 'quantity', held.quantity, 'status', held.status),
		jsonb_build_object('addon', held.code, 'removed', removed, 'net_cents', plan.net_cents, 'outbox_id', plan.outbox_id),
		timing, idempotency_key);
	PERFORM capforecast._remember('cancel_addon', s.vendor_id, idempotency_key, request, to_jsonb(plan));
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast.cancel_addon(text, text, integer, text, text, boolean, timestamptz) IS
	'Cancel an add-on: at the end of the period (it grants until then, and is not on the next invoice) or at once with a credit; quantity: only so many, which takes effect at once. Errors: P0002 unknown_vendor; 22023 bad_quantity, idempotency_key_mismatch; 55000 not_live, change_in_flight.';
-- What a vendor's billing page shows, and the question before something is added.

CREATE FUNCTION capforecast._next_invoice(vendor text, as_of timestamptz)
	RETURNS TABLE (due_at timestamptz, period_start timestamptz, period_end timestamptz, currency text, lines jsonb, subtotal bigint,
		problem text, credit bigint, stripe text, customer text, reason text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
BEGIN
	RETURN QUERY EXECUTE capforecast._keyed_sql($sql$
		WITH sub AS (
			SELECT s.*, st.credit_cents, coalesce(st.anchor_zone, $2) AS zone, coalesce(st.anchor_local, a.anchor) AS anchor,
				st.pending_tier, st.pending_annual, st.pending_at,
				CASE WHEN s.status = 'trial' THEN s.trial_ends_at ELSE s.period_end END AS due_at,
				NOT (s.cancel_at_period_end AND s.status <> 'trial') AS renews
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
				LEFT JOIN capforecast.subscription_state st USING (subscription_id)
				LEFT JOIN LATERAL capforecast._anchor(s.period_start, s.period_end, $2) a ON s.good_period
			WHERE s.vendor_id = @key ORDER BY s.live DESC, s.period_end DESC NULLS LAST LIMIT 1
		), due AS MATERIALIZED (
			SELECT s.subscription_id, s.vendor_id, p.tier, p.is_annual, 1 AS periods, s.renews, s.due_at AS starts,
				CASE WHEN s.status = 'trial' THEN capforecast._boundary(timezone(s.zone, s.due_at), s.zone, p.step)
					ELSE capforecast._boundary(s.anchor, s.zone, capforecast._months_before(s.anchor, s.zone, s.due_at) + p.step) END AS ends
			FROM sub s CROSS JOIN LATERAL (SELECT CASE WHEN s.pending_at <= s.due_at THEN s.pending_tier ELSE s.tier END AS tier,
				CASE WHEN s.pending_at <= s.due_at THEN s.pending_annual ELSE s.is_annual END AS is_annual,
				CASE WHEN CASE WHEN s.pending_at <= s.due_at THEN s.pending_annual ELSE s.is_annual END THEN 12 ELSE 1 END AS step) p
			WHERE s.live AND s.good_period AND s.due_at IS NOT NULL
		), $sql$ || capforecast._invoice_sql() || $sql$
		SELECT s.due_at, d.starts, CASE WHEN d.renews THEN d.ends END, i.currency, i.lines, i.subtotal, i.problem, coalesce(s.credit_cents, 0),
			s.stripe_subscription_id, s.stripe_customer_id,
			CASE WHEN NOT s.live THEN coalesce(s.status, 'not live') WHEN NOT s.good_period THEN 'bad_period'
				WHEN s.due_at IS NULL THEN 'trial_without_end'
				WHEN i.subscription_id IS NULL THEN 'ends_at_period_end' END
		FROM sub s LEFT JOIN due d USING (subscription_id) LEFT JOIN invoice i USING (subscription_id)$sql$, vendor)
	USING as_of, capforecast._setting('billing_timezone');
END
$$;
COMMENT ON FUNCTION capforecast._next_invoice(text, timestamptz) IS 'The next invoice of a vendor as the job would write it; reason: why there is none. No rows: no subscription.';

CREATE TYPE capforecast.invoice_preview AS (
	due_at timestamptz, period_start timestamptz, period_end timestamptz, currency text, lines jsonb, subtotal_cents bigint,
	credit_applied_cents bigint, amount_due_cents bigint, source text, estimate boolean, credit_left_cents bigint);
COMMENT ON TYPE capforecast.invoice_preview IS 'What upcoming_invoice() returns; minor units, net of tax.';

CREATE FUNCTION capforecast.upcoming_invoice(vendor text, as_of timestamptz DEFAULT NULL)
	RETURNS capforecast.invoice_preview
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	i record;
	draft jsonb;
	customer_balance bigint;
	result capforecast.invoice_preview;
BEGIN
	SELECT * INTO i FROM capforecast._next_invoice(vendor, coalesce(as_of, clock_timestamp()));
	IF NOT FOUND THEN
		PERFORM capforecast._fail('P0002', 'unknown_vendor', format('vendor %s has no subscription', vendor),
			'There is no row for it in the table of subscriptions.', 'Give the vendor''s id as the host''s tables have it.');
	ELSIF i.reason IS NOT NULL THEN
		result.source := 'none: ' || i.reason;
		RETURN result;
	END IF;
	IF i.stripe IS NOT NULL THEN
		SELECT * INTO draft, customer_balance FROM capforecast._stripe_draft(i.stripe, i.customer);
	END IF;
	IF draft IS NOT NULL THEN
		RETURN capforecast._draft_preview(draft);
	ELSIF i.problem IS NOT NULL THEN
		PERFORM capforecast._fail(CASE i.problem WHEN 'no_price' THEN 'P0002' ELSE '22023' END, i.problem,
			CASE i.problem WHEN 'no_price' THEN 'a price of the next invoice is not known' ELSE 'the next invoice has more than one currency' END,
			format('Its lines are %s.', i.lines), 'Set the price in the host''s table, or correct the currency there.');
	END IF;
	result.due_at := i.due_at;
	result.period_start := i.period_start;
	result.period_end := i.period_end;
	result.currency := i.currency;
	result.lines := i.lines;
	result.subtotal_cents := i.subtotal;
	i.credit := i.credit + greatest(-coalesce(customer_balance, 0), 0);
	result.credit_applied_cents := least(i.credit, greatest(i.subtotal, 0));
	result.credit_left_cents := i.credit - result.credit_applied_cents + greatest(-i.subtotal, 0);
	result.amount_due_cents := greatest(i.subtotal, 0) - result.credit_applied_cents + greatest(coalesce(customer_balance, 0), 0);
	result.estimate := i.stripe IS NOT NULL;
	result.source := CASE WHEN result.estimate THEN 'estimate' ELSE 'local' END;
	RETURN result;
END
$$;
COMMENT ON FUNCTION capforecast.upcoming_invoice(text, timestamptz) IS
	'The next invoice of a vendor: by the routine that writes it (source local), Stripe''s own draft (stripe_draft), or what Stripe will about ask for (estimate). Where there will be none every column but source is NULL ("none: reason"), never 0. Errors: P0002 unknown_vendor, no_price; 22023 currency_mismatch.';

CREATE FUNCTION capforecast.upcoming_invoice_json(vendor text, as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
	SELECT to_jsonb(i) FROM capforecast.upcoming_invoice(vendor, as_of) i
$$;
COMMENT ON FUNCTION capforecast.upcoming_invoice_json(text, timestamptz) IS 'upcoming_invoice() as a document.';

CREATE FUNCTION capforecast._open_invoices(vendor text)
	RETURNS bigint LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
DECLARE
	total bigint;
BEGIN
	IF capforecast._host_has('billing_history') THEN
		EXECUTE capforecast._keyed_sql('SELECT coalesce(sum({b:billing_history.total_cents} - coalesce({b:billing_history.amount_paid_cents}, 0)), 0)::bigint
			FROM {billing_history} b WHERE {b:billing_history.vendor_id} = @key AND {b:billing_history.status} = ''open''', vendor) INTO total;
	END IF;
	RETURN total;
END
$$;
COMMENT ON FUNCTION capforecast._open_invoices(text) IS 'What a vendor owes on open invoices, in minor units; NULL where the host keeps none.';

-- Entitled: live, and not one that Stripe says nobody pays for.
CREATE FUNCTION capforecast._entitled(vendor text)
	RETURNS TABLE (entitled boolean, s jsonb, st jsonb)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
BEGIN
	RETURN QUERY EXECUTE capforecast._keyed_sql('SELECT s.live AND coalesce(st.entitled, true), to_jsonb(s), to_jsonb(st)
		FROM ' || capforecast._subscriptions_sql() || ' s LEFT JOIN capforecast.subscription_state st USING (subscription_id)
		WHERE s.vendor_id = @key ORDER BY s.live DESC, s.period_end DESC NULLS LAST LIMIT 1', vendor);
END
$$;
COMMENT ON FUNCTION capforecast._entitled(text) IS 'Whether a vendor may use what it subscribed to, with the rows that say so; no row: no subscription.';

CREATE FUNCTION capforecast._no_vendor(vendor text)
	RETURNS void LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT capforecast._fail('P0002', 'unknown_vendor', format('vendor %s does not exist', vendor),
		'The table of vendors has no such row.', 'Give the vendor''s id as the host''s tables have it.')
$$;
COMMENT ON FUNCTION capforecast._no_vendor(text) IS 'P0002 unknown_vendor.';

CREATE FUNCTION capforecast.usage_summary(vendor text, as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := coalesce(as_of, clock_timestamp());
	resources jsonb;
	is_entitled boolean;
	s_row jsonb;
	st_row jsonb;
	s capforecast._subscription_row;
	st capforecast.subscription_state;
	w record;
	invoice capforecast.invoice_preview;
BEGIN
	SELECT e.entitled, e.s, e.st INTO is_entitled, s_row, st_row FROM capforecast._entitled(vendor) e;
	s := jsonb_populate_record(NULL::capforecast._subscription_row, s_row);
	st := jsonb_populate_record(NULL::capforecast.subscription_state, st_row);
	SELECT jsonb_object_agg(u.resource, jsonb_build_object('used', u.used, 'limit', u.quota, 'is_unlimited', u.known AND u.quota IS NULL,
			'remaining', CASE WHEN u.quota IS NOT NULL THEN greatest(u.quota - u.used, 0) END,
			'percent', CASE WHEN u.quota > 0 THEN round(100.0 * u.used / u.quota, 2) END,
			'over_by', CASE WHEN u.quota IS NOT NULL THEN greatest(u.used - u.quota, 0) END,
			'can_add', is_entitled IS TRUE AND u.known AND (u.quota IS NULL OR u.used < u.quota)))
	INTO resources FROM capforecast._usage(vendor, now) u;
	IF resources IS NULL THEN
		PERFORM capforecast._no_vendor(vendor);
	ELSIF is_entitled IS NULL THEN
		RETURN jsonb_build_object('vendor_id', vendor, 'as_of', now, 'entitled', false, 'status', NULL, 'tier', NULL, 'resources', resources,
			'open_invoices_cents', capforecast._open_invoices(vendor));
	END IF;
	SELECT * INTO w FROM capforecast._windows_of(s, st, now);
	BEGIN
		invoice := capforecast.upcoming_invoice(vendor, now);
	EXCEPTION WHEN no_data_found OR invalid_parameter_value THEN
		invoice := NULL;	-- no price, or several currencies: the amount is not known
	END;
	RETURN jsonb_build_object('vendor_id', s.vendor_id, 'as_of', now, 'entitled', is_entitled, 'status', s.status,
		'tier', (SELECT jsonb_build_object('code', t.code, 'name', t.name, 'source', t.source) FROM capforecast.get_tier_info(s.tier) t),
		'is_annual', s.is_annual, 'is_trial', s.status = 'trial',
		'trial_days_left', CASE WHEN s.status = 'trial' THEN greatest(ceil(extract(epoch FROM s.trial_ends_at - now) / 86400), 0) END,
		'usage_window', jsonb_build_object('start', w.usage_start, 'end', w.usage_end),
		'billing_period', jsonb_build_object('start', w.billing_start, 'end', w.billing_end),
		'days_remaining', greatest(floor(extract(epoch FROM w.billing_end - now) / 86400), 0),
		'cancel_at_period_end', s.cancel_at_period_end,
		'pending_change', CASE WHEN st.pending_tier IS NOT NULL THEN
			jsonb_build_object('tier', st.pending_tier, 'is_annual', st.pending_annual, 'effective_at', st.pending_at) END,
		'resources', resources,
		'addons', (SELECT coalesce(jsonb_agg(jsonb_build_object('code', a.code, 'quantity', a.quantity, 'status', a.status)), '[]')
			FROM capforecast._addons_of(s.vendor_id) a),
		'next_invoice_cents', invoice.amount_due_cents, 'next_invoice_at', invoice.due_at, 'currency', invoice.currency,
		'credit_cents', coalesce(st.credit_cents, 0), 'open_invoices_cents', capforecast._open_invoices(vendor));
END
$$;
COMMENT ON FUNCTION capforecast.usage_summary(text, timestamptz) IS
	'The billing page of a vendor as one document: use against limits (add-ons included; limit and remaining NULL where unlimited), tier, status, windows, pending change, add-ons, the next invoice (NULL: not known or none), what is open. Where the job that rolls windows is late, the window that holds as_of is shown, with the orders counted in it. P0002 for an unknown vendor.';

CREATE FUNCTION capforecast._windows_of(s capforecast._subscription_row, st capforecast.subscription_state, instant timestamptz,
		OUT usage_start timestamptz, OUT usage_end timestamptz, OUT billing_start timestamptz, OUT billing_end timestamptz)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	zone text := coalesce(st.anchor_zone, capforecast._setting('billing_timezone'));
	anchor timestamp := coalesce(st.anchor_local, (capforecast._anchor(s.period_start, s.period_end, zone)).anchor);
	n integer := capforecast._months_before(anchor, zone, instant);
	first integer := capforecast._months_before(anchor, zone, s.period_end);
BEGIN
	usage_start := coalesce(st.usage_start, s.period_start);
	usage_end := coalesce(st.usage_end, s.period_end);
	billing_start := s.period_start;
	billing_end := s.period_end;
	IF s.live AND instant >= usage_end THEN
		usage_start := greatest(usage_end, capforecast._boundary(anchor, zone, n));
		usage_end := capforecast._boundary(anchor, zone, n + 1);
	END IF;
	IF s.live AND instant >= billing_end THEN
		n := first + (n - first) / s.step * s.step;
		billing_start := greatest(billing_end, capforecast._boundary(anchor, zone, n));
		billing_end := capforecast._boundary(anchor, zone, n + s.step);
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._windows_of(capforecast._subscription_row, capforecast.subscription_state, timestamptz) IS
	'The usage window and the billing period that hold an instant, rolled in thought where the job is late.';

CREATE FUNCTION capforecast.check_limit(vendor text, resource text, delta bigint DEFAULT 1, lock boolean DEFAULT false,
		as_of timestamptz DEFAULT NULL,
		OUT allowed boolean, OUT used bigint, OUT "limit" bigint, OUT remaining bigint, OUT reason text)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	now timestamptz := coalesce(as_of, clock_timestamp());
	wanted text := CASE resource WHEN 'orders_monthly' THEN 'orders' ELSE resource END;
	is_entitled boolean;
	u record;
BEGIN
	PERFORM capforecast._check_choice('resource', wanted, '{products,orders,team_members}');
	IF delta IS NULL THEN
		PERFORM capforecast._fail('22023', 'bad_argument', 'delta must be a number', 'It is NULL.', 'Leave it out for 1.');
	END IF;
	IF lock THEN
		IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
			PERFORM capforecast._fail('25001', 'isolation', 'check_limit with a lock needs read committed',
				'After waiting it must see what the others have added.', 'Run the transaction at READ COMMITTED.');
		END IF;
		PERFORM pg_advisory_xact_lock(hashtextextended(format('capforecast %s %s', wanted, vendor), 0));
	END IF;
	SELECT e.entitled INTO is_entitled FROM capforecast._entitled(vendor) e;
	SELECT * INTO u FROM capforecast._usage(vendor, now) x WHERE x.resource = wanted;
	IF NOT FOUND THEN
		PERFORM capforecast._no_vendor(vendor);
	END IF;
	used := u.used;
	"limit" := u.quota;
	remaining := CASE WHEN u.quota IS NOT NULL THEN greatest(u.quota - u.used, 0) END;
	reason := CASE WHEN is_entitled IS NULL THEN 'no_subscription' WHEN NOT is_entitled THEN 'not_entitled' WHEN NOT u.known THEN 'unknown_tier'
		WHEN u.quota IS NULL THEN 'unlimited' WHEN u.used + delta > u.quota THEN 'limit_reached' ELSE 'within_limit' END;
	allowed := reason IN ('unlimited', 'within_limit');
END
$$;
COMMENT ON FUNCTION capforecast.check_limit(text, text, bigint, boolean, timestamptz) IS
	'May a vendor add delta products, orders or team_members? With lock, those who ask for the same vendor and resource wait for each other until they commit, so that check and insert in one transaction cannot pass the limit. limit NULL: unlimited, or (reason) not known. Errors: P0002 unknown vendor, 22023 unknown resource, 25001 lock above READ COMMITTED.';
-- What Stripe says: from a mirror of its tables in this database, or from the webhook
-- events that ingest_stripe_event() keeps.  Rows of a mirror are read as JSON, so that
-- its two forms (columns, or _raw_data with generated columns) and the events of the
-- inbox are one kind of object.

CREATE FUNCTION capforecast._stripe_relation(name text)
	RETURNS regclass LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	relation regclass := to_regclass(format('%I.%I', capforecast._setting('stripe_schema'), name));
BEGIN
	IF (SELECT c.relkind FROM pg_class c WHERE c.oid = relation) = 'f' THEN
		PERFORM capforecast._fail('55000', 'foreign_table', format('%s is a foreign table', relation),
			'Every read of it would be a call over the network, made by the database.',
				'Copy it to a local table, and point capforecast.stripe_schema there.');
	END IF;
	RETURN relation;
END
$$;
COMMENT ON FUNCTION capforecast._stripe_relation(text) IS 'A table of the mirror; NULL where there is none.';

-- Which of two versions is later: second, then status, then event.  Webhooks of one second
-- have no order of their own; a status that ends is final whenever it came.
CREATE FUNCTION capforecast._stripe_rank(status text)
	RETURNS integer LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(array_position('{incomplete,trialing,active,past_due,unpaid,paused,canceled,incomplete_expired}'::text[], status), 0)
$$;
COMMENT ON FUNCTION capforecast._stripe_rank(text) IS 'Order of Stripe''s statuses within one second; 7 and more are final.';

CREATE FUNCTION capforecast._stripe_last_words(ids text[] DEFAULT NULL, customers text[] DEFAULT NULL)
	RETURNS TABLE (object_id text, event_id text, created timestamptz, object jsonb)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT DISTINCT ON (e.object_id) e.object_id, e.event_id, e.created,
		e.payload #> '{data,object}' || CASE WHEN e.event_type = 'customer.subscription.deleted' THEN '{"status": "canceled"}' ELSE '{}'::jsonb END
	FROM capforecast.stripe_event e
		CROSS JOIN LATERAL (SELECT CASE WHEN e.event_type = 'customer.subscription.deleted' THEN 7
			ELSE capforecast._stripe_rank(e.payload #>> '{data,object,status}') END AS rank) r
	WHERE e.event_type LIKE 'customer.subscription.%' AND e.outcome <> 'ignored'
	  AND (ids IS NULL OR e.object_id = ANY (ids) OR e.customer_id = ANY (customers))
	ORDER BY e.object_id, r.rank >= 7 DESC, e.created DESC, r.rank DESC, e.event_id DESC
$$;
COMMENT ON FUNCTION capforecast._stripe_last_words(text[], text[]) IS 'For each subscription of Stripe the event that counts, in whatever order they came.';

CREATE FUNCTION capforecast._stripe_rows(relation regclass, condition text DEFAULT 'true', ids text[] DEFAULT NULL, customers text[] DEFAULT NULL)
	RETURNS SETOF jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
	IF relation IS NULL THEN
		RETURN;
	END IF;
	RETURN QUERY EXECUTE format('SELECT m.object FROM (SELECT CASE WHEN jsonb_typeof(r -> ''_raw_data'') = ''object'' THEN r -> ''_raw_data'' ELSE ''{}'' END
			|| jsonb_strip_nulls(r - ''_raw_data'') AS object FROM %s x CROSS JOIN LATERAL to_jsonb(x) r WHERE %s) m
		WHERE coalesce((m.object ->> ''livemode'')::boolean, $1) = $1 AND ($2 = '''' OR coalesce(m.object ->> ''_account_id'', $2) = $2)', relation,
		CASE WHEN ids IS NULL THEN 'true' ELSE condition END)
	USING capforecast._setting('stripe_livemode')::boolean, capforecast._setting('stripe_account'), ids, customers;
END
$$;
COMMENT ON FUNCTION capforecast._stripe_rows(regclass, text, text[], text[]) IS
	'The rows of a table of the mirror, of the mode and account that are configured; with ids ($3) and customers ($4) those that meet a condition on x.';

CREATE FUNCTION capforecast._stripe_items(items jsonb)
	RETURNS jsonb LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_object('id', i ->> 'id', 'quantity', coalesce((i ->> 'quantity')::bigint, 1),
			'price', CASE jsonb_typeof(i -> 'price') WHEN 'object' THEN i -> 'price' ->> 'id' ELSE i ->> 'price' END,
			'start', (i ->> 'current_period_start')::numeric, 'end', (i ->> 'current_period_end')::numeric) ORDER BY i ->> 'id'), '[]')
	FROM jsonb_array_elements(CASE jsonb_typeof(items) WHEN 'array' THEN items
		ELSE CASE jsonb_typeof(items -> 'data') WHEN 'array' THEN items -> 'data' ELSE '[]' END END) i
	WHERE coalesce((i ->> 'deleted')::boolean, false) IS FALSE
$$;
COMMENT ON FUNCTION capforecast._stripe_items(jsonb) IS 'Items of a subscription in one form, deleted ones left out.';

CREATE FUNCTION capforecast._stripe_source(ids text[] DEFAULT NULL, customers text[] DEFAULT NULL)
	RETURNS TABLE (stripe_id text, customer text, status text, lagging boolean, object jsonb, items jsonb, version timestamptz, event_id text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	mirror regclass := capforecast._stripe_relation('subscriptions');
BEGIN
	IF mirror IS NULL THEN
		RETURN QUERY SELECT w.object_id, w.object ->> 'customer', w.object ->> 'status', false, w.object,
			capforecast._stripe_items(w.object -> 'items'), w.created, w.event_id
		FROM capforecast._stripe_last_words(ids, customers) w;
		RETURN;
	END IF;
	RETURN QUERY
	WITH subscription AS MATERIALIZED (
		SELECT r FROM capforecast._stripe_rows(mirror, 'x.id = ANY ($3) OR x.customer = ANY ($4)', ids, customers) r
	), item AS MATERIALIZED (
		SELECT i ->> 'subscription' AS subscription, jsonb_agg(i) AS items
		FROM capforecast._stripe_rows(capforecast._stripe_relation('subscription_items'), 'x.subscription = ANY ($3)',
			CASE WHEN ids IS NOT NULL THEN ARRAY(SELECT r ->> 'id' FROM subscription) END) i GROUP BY 1
	), gone AS MATERIALIZED (
		SELECT c ->> 'id' AS id FROM capforecast._stripe_rows(capforecast._stripe_relation('customers'), 'x.deleted', '{}') c
	)
	SELECT r ->> 'id', r ->> 'customer',
		CASE WHEN g.id IS NOT NULL AND capforecast._stripe_rank(r ->> 'status') < 7 THEN 'canceled' ELSE r ->> 'status' END,
		g.id IS NOT NULL AND capforecast._stripe_rank(r ->> 'status') < 7, r,
		capforecast._stripe_items(coalesce(item.items, r -> 'items')),
		coalesce(r ->> 'last_synced_at', r ->> '_last_synced_at', r ->> 'updated_at', r ->> '_updated_at')::timestamptz, ''
	FROM subscription
		LEFT JOIN item ON item.subscription = r ->> 'id'
		LEFT JOIN gone g ON g.id = r ->> 'customer';
END
$$;
COMMENT ON FUNCTION capforecast._stripe_source(text[], text[]) IS
	'The subscriptions of Stripe that are known here (all, or those with the ids or of the customers), with the version of what is known.';

-- A constant: what Stripe's words mean.  NULL: the host keeps what it has.
CREATE FUNCTION capforecast._stripe_map(status text, OUT host_status text, OUT entitled boolean, OUT known boolean)
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT m.host_status, m.entitled, m.stripe_status IS NOT NULL
	FROM (SELECT status AS wanted) w LEFT JOIN (VALUES
		('trialing', 'trial', true),
		('active', 'active', true),
		('past_due', 'past_due', true),				-- the first failure keeps access
		('unpaid', 'past_due', false),				-- retries are exhausted; a payment still turns it
		('incomplete', NULL, false),				-- the first payment has not succeeded
		('incomplete_expired', 'expired', false),
		('paused', 'expired', false),				-- a trial ended without a card
		('canceled', 'cancelled', false)) m(stripe_status, host_status, entitled) ON m.stripe_status = w.wanted
$$;
COMMENT ON FUNCTION capforecast._stripe_map(text) IS 'Status and entitlement that follow from a status of Stripe; known false: a word that Stripe did not have.';

CREATE FUNCTION capforecast._stripe_time(seconds text)
	RETURNS timestamptz LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT to_timestamp(nullif(seconds, '')::numeric::double precision)
$$;
COMMENT ON FUNCTION capforecast._stripe_time(text) IS 'Unix seconds, as Stripe writes times.';

CREATE FUNCTION capforecast._stripe_draft(stripe_id text, customer text, OUT draft jsonb, OUT customer_balance bigint)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT (SELECT i FROM capforecast._stripe_rows(capforecast._stripe_relation('invoices'),
		'x.status::text = ''draft'' AND x.customer = ANY ($4)', '{}', ARRAY[customer]) i
			WHERE coalesce(i ->> 'subscription', i #>> '{parent,subscription_details,subscription}') = stripe_id
			ORDER BY (i ->> 'created')::bigint DESC LIMIT 1),
		(SELECT (c ->> 'balance')::bigint FROM capforecast._stripe_rows(capforecast._stripe_relation('customers'), 'x.id = ANY ($4)', '{}',
			ARRAY[customer]) c)
$$;
COMMENT ON FUNCTION capforecast._stripe_draft(text, text) IS 'The draft invoice that Stripe has for a subscription, and the customer''s balance (below 0: credit).';

CREATE FUNCTION capforecast._draft_preview(draft jsonb)
	RETURNS capforecast.invoice_preview LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
	SELECT capforecast._stripe_time(coalesce(draft ->> 'next_payment_attempt', draft ->> 'due_date', draft ->> 'period_end')),
		capforecast._stripe_time(draft ->> 'period_start'), capforecast._stripe_time(draft ->> 'period_end'), upper(draft ->> 'currency'),
		(SELECT coalesce(jsonb_agg(jsonb_build_object('kind', 'stripe', 'description', l -> 'description', 'amount_cents',
			l -> 'amount') ORDER BY n), '[]')
		 FROM jsonb_array_elements(coalesce(draft #> '{lines,data}', '[]')) WITH ORDINALITY AS x(l, n)),
		(draft ->> 'subtotal')::bigint, greatest((draft ->> 'total')::bigint - (draft ->> 'amount_due')::bigint, 0), (draft ->> 'amount_due')::bigint,
		'stripe_draft', false, NULL::bigint
$$;
COMMENT ON FUNCTION capforecast._draft_preview(jsonb) IS 'Stripe''s draft as upcoming_invoice() returns it.';
-- Bringing the host's rows to agree with Stripe.  What is decided is a read; it is decided
-- again under the row's lock before anything is written.

-- Which object of Stripe a subscription follows: its own, or, where it has none or its own
-- has ended, the one other that its customer has.  CTEs; $1: may the mirror miss it, $2, $3:
-- ids and customers to look at, $4: zone.
CREATE FUNCTION capforecast._stripe_matched_sql(one_set boolean)
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT $sql$
		source AS MATERIALIZED (
			SELECT x.*, capforecast._stripe_rank(x.status) AS rank FROM capforecast._stripe_source($2, $3) x
		), priced AS (
			SELECT x.stripe_id, count(*) AS n_items, count(DISTINCT t.code || (i ->> 'price')) AS n_plans, min(t.code) AS tier,
				bool_or(i ->> 'price' = t.stripe_annual) AS annual, min(i ->> 'price') FILTER (WHERE t.code IS NOT NULL) AS price
			FROM source x CROSS JOIN LATERAL jsonb_array_elements(x.items) i
				LEFT JOIN $sql$ || capforecast._tiers_sql() || $sql$ t ON i ->> 'price' IN (t.stripe_monthly, t.stripe_annual)
			GROUP BY 1
		), src AS MATERIALIZED (
			SELECT x.*, coalesce(p.n_items, 0) AS n_items, coalesce(p.n_plans, 0) AS n_plans,
				CASE WHEN p.n_plans = 1 THEN p.tier END AS plan_tier, CASE WHEN p.n_plans = 1 THEN p.annual END AS plan_annual,
				CASE WHEN p.n_plans = 1 THEN p.price END AS plan_price
			FROM source x LEFT JOIN priced p USING (stripe_id)
		), other AS (
			SELECT x.customer, count(*) AS n, count(*) FILTER (WHERE x.n_plans = 1) AS n_known, min(x.stripe_id) AS stripe_id
			FROM src x WHERE x.rank < 7 GROUP BY 1
		), host AS (
			SELECT s.*, st.stripe_subscription_id AS applied_id, st.stripe_status AS applied_status, st.stripe_version AS applied_version,
				st.stripe_event_id AS applied_event, coalesce(st.entitled, true) AS entitled, coalesce(st.collection_paused, false) AS paused,
				st.anchor_local, coalesce(st.anchor_zone, $4) AS zone,
				$1 AND own.stripe_id IS NULL AND s.stripe_subscription_id IS NOT NULL AS missing,
				CASE WHEN s.stripe_subscription_id IS NULL THEN o.n > 1
					ELSE own.rank >= 7 AND o.n >= 1 AND NOT (o.n = 1 AND o.n_known = 1) END IS TRUE AS ambiguous,
				CASE WHEN s.stripe_subscription_id IS NULL OR own.rank >= 7 AND o.n = 1 THEN o.stripe_id ELSE own.stripe_id END AS chosen
			FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
				LEFT JOIN capforecast.subscription_state st USING (subscription_id)
				LEFT JOIN src own ON own.stripe_id = s.stripe_subscription_id
				LEFT JOIN other o ON o.customer = s.stripe_customer_id
			WHERE (s.stripe_subscription_id IS NOT NULL OR o.n > 0)$sql$ || CASE WHEN one_set THEN ' AND s.id = ANY (@key)' ELSE '' END || ')'
$$;
COMMENT ON FUNCTION capforecast._stripe_matched_sql(boolean) IS 'CTEs src (Stripe''s subscriptions) and host (the host''s, with the id of the one that counts).';

-- What the host's row should be.  A time or a price that Stripe does not give leaves what
-- the host has; kept: there is a state, or will be, to hold what the host's row cannot.
CREATE FUNCTION capforecast._stripe_wanted_sql()
	RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT $sql$
		wanted AS (
			SELECT h.*, x.stripe_id, x.version, x.event_id, x.status AS stripe_status, x.rank, x.items, x.lagging, x.n_items, x.n_plans,
				m.known, m.host_status, m.host_status IN ('cancelled', 'expired') IS TRUE AS ending, t.starts, t.ends AS period_ends,
				jsonb_build_object('status', coalesce(m.host_status, h.status),
					'tier', coalesce(x.plan_tier, h.tier), 'is_annual', coalesce(x.plan_annual, h.is_annual),
					'period_start', coalesce(t.starts, h.period_start), 'period_end', coalesce(t.ends, h.period_end),
					'trial_ends_at', CASE WHEN t.trial_ends > x.version THEN t.trial_ends ELSE h.trial_ends_at END,
					'cancel_at_period_end', coalesce(t.cancels OR t.cancel_at <= coalesce(t.ends, h.period_end), t.cancels, h.cancel_at_period_end),
					'cancelled_at', CASE WHEN m.host_status IN ('cancelled', 'expired') THEN coalesce(t.ended, h.cancelled_at)
						WHEN h.live OR m.host_status IS NULL THEN h.cancelled_at END,
					'stripe_subscription_id', x.stripe_id, 'stripe_price_id', coalesce(x.plan_price, h.stripe_price_id),
					'entitled', CASE WHEN t.kept THEN coalesce(m.entitled, h.entitled) ELSE h.entitled END,
					'paused', CASE WHEN t.kept THEN jsonb_typeof(x.object -> 'pause_collection') = 'object' IS TRUE ELSE h.paused END,
					'anchor', CASE WHEN t.kept THEN coalesce(timezone(h.zone, t.anchor), h.anchor_local) ELSE h.anchor_local END) AS target,
				jsonb_build_object('status', h.status, 'tier', h.tier, 'is_annual', h.is_annual,
					'period_start', h.period_start, 'period_end', h.period_end, 'trial_ends_at', h.trial_ends_at,
					'cancel_at_period_end', h.cancel_at_period_end, 'cancelled_at', h.cancelled_at,
					'stripe_subscription_id', h.stripe_subscription_id, 'stripe_price_id', h.stripe_price_id,
					'entitled', h.entitled, 'paused', h.paused, 'anchor', h.anchor_local) AS current
			FROM host h JOIN src x ON x.stripe_id = h.chosen
				CROSS JOIN LATERAL capforecast._stripe_map(x.status) m
				CROSS JOIN LATERAL (SELECT min(capforecast._stripe_time(e ->> 'start')) AS starts, min(capforecast._stripe_time(e ->> 'end')) AS ends
					FROM jsonb_array_elements(x.items) e) i
				CROSS JOIN LATERAL (SELECT
					h.anchor_local IS NOT NULL OR coalesce(m.host_status, h.status) IN ('trial', 'active', 'past_due') AS kept,
					coalesce(capforecast._stripe_time(x.object ->> 'current_period_start'), i.starts) AS starts,
					coalesce(capforecast._stripe_time(x.object ->> 'current_period_end'), i.ends) AS ends,
					capforecast._stripe_time(x.object ->> 'trial_end') AS trial_ends,
					(x.object ->> 'cancel_at_period_end')::boolean AS cancels,
					capforecast._stripe_time(x.object ->> 'cancel_at') AS cancel_at,
					capforecast._stripe_time(x.object ->> 'ended_at') AS ended,
					capforecast._stripe_time(x.object ->> 'billing_cycle_anchor') AS anchor) t
			WHERE NOT h.ambiguous
		)$sql$
$$;
COMMENT ON FUNCTION capforecast._stripe_wanted_sql() IS 'CTE wanted: what a subscription is and what it should be, as documents.';

CREATE TYPE capforecast._stripe_decision AS (
	subscription_id text, vendor_id text, stripe_id text, verdict text, ends boolean, problems text[], current jsonb, target jsonb,
	version timestamptz, event_id text, stripe_status text, items jsonb);
COMMENT ON TYPE capforecast._stripe_decision IS 'What is to be done about a subscription (verdict), and why.';

-- Final is final; older is stale (second, then status, then event); the rest is compared.
CREATE FUNCTION capforecast._stripe_decide(ids text[] DEFAULT NULL)
	RETURNS SETOF capforecast._stripe_decision
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	unbound text[] := ARRAY(SELECT c FROM unnest(ARRAY['is_annual', 'trial_ends_at', 'cancel_at_period_end', 'cancelled_at', 'stripe_price_id']) c
		WHERE capforecast._host_column('vendor_subscriptions', c) IS NULL);
	stripe_ids text[];
	customers text[];
BEGIN
	IF ids IS NOT NULL THEN
		EXECUTE capforecast._keyed_sql('SELECT coalesce(array_agg(s.stripe_subscription_id), ''{}''), coalesce(array_agg(s.stripe_customer_id), ''{}'')
			FROM ' || capforecast._subscriptions_sql() || ' s WHERE s.id = ANY (@key)', ids::text) INTO stripe_ids, customers;
	END IF;
	RETURN QUERY EXECUTE capforecast._keyed_sql('WITH ' || capforecast._stripe_matched_sql(ids IS NOT NULL) || ', ' || capforecast._stripe_wanted_sql() || $sql$
		SELECT w.subscription_id, w.vendor_id::text, w.stripe_id,
			CASE WHEN w.applied_id = w.stripe_id AND w.rank < 7 AND applied.rank >= 7 THEN 'unchanged'
				WHEN w.applied_id = w.stripe_id AND w.rank < 7
					AND (w.version, w.rank, w.event_id) < (w.applied_version, applied.rank, w.applied_event) THEN 'stale'
				WHEN w.target - $5 = w.current - $5 THEN 'unchanged' ELSE 'apply' END,
			w.live AND w.ending, array_remove(ARRAY[
				CASE WHEN NOT w.known THEN 'stripe_status_unknown' END,
				CASE WHEN w.lagging THEN 'stripe_row_lagging' END,
				CASE WHEN w.n_items > 0 AND w.n_plans = 0 THEN 'stripe_price_unknown' END,
				CASE WHEN w.n_plans > 1 THEN 'stripe_ambiguous' END,
				CASE WHEN w.rank < 7 AND (w.starts IS NULL OR w.period_ends IS NULL) THEN 'stripe_period_missing' END,
				CASE WHEN w.status IN ('cancelled', 'expired') AND w.host_status IN ('trial', 'active', 'past_due')
					THEN 'billed_but_cancelled' END], NULL),
			w.current - $5, w.target - $5, w.version, w.event_id, w.stripe_status, w.items
		FROM wanted w CROSS JOIN LATERAL capforecast._stripe_rank(w.applied_status) applied(rank)
		UNION ALL
		SELECT h.subscription_id, h.vendor_id::text, h.stripe_subscription_id, v.verdict, false, ARRAY['stripe_' || v.verdict],
			NULL, NULL, NULL, NULL, NULL, NULL
		FROM host h CROSS JOIN LATERAL (SELECT CASE WHEN h.ambiguous THEN 'ambiguous' ELSE 'missing' END AS verdict) v
		WHERE h.ambiguous OR h.missing$sql$, ids::text)
	USING capforecast._stripe_relation('subscriptions') IS NOT NULL, stripe_ids, customers, capforecast._setting('billing_timezone'), unbound;
END
$$;
COMMENT ON FUNCTION capforecast._stripe_decide(text[]) IS
	'For each subscription with an id of Stripe: what its row is, what it should be, and the verdict (apply, unchanged, stale, missing, ambiguous).';

CREATE FUNCTION capforecast._stripe_apply(as_of timestamptz, ids text[], options jsonb)
	RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	decided capforecast._stripe_decision[] := ARRAY(SELECT d FROM capforecast._stripe_decide(ids) d WHERE d.verdict IN ('apply', 'unchanged'));
	changing capforecast._stripe_decision[] := ARRAY(SELECT d FROM unnest(decided) d WHERE d.verdict = 'apply');
	changed_ids text[] := ARRAY(SELECT d.subscription_id FROM unnest(changing) d);
BEGIN
	IF cardinality(changing) > 0 THEN
		PERFORM capforecast._see(as_of, changed_ids);
		EXECUTE capforecast._keyed_sql('UPDATE {vendor_subscriptions} h SET ' || capforecast._host_set('vendor_subscriptions',
				'status', 'd.target ->> ''status''', 'tier', 'd.target ->> ''tier''', 'is_annual', '(d.target ->> ''is_annual'')::boolean',
				'period_start', '(d.target ->> ''period_start'')::timestamptz', 'period_end', '(d.target ->> ''period_end'')::timestamptz',
				'trial_ends_at', '(d.target ->> ''trial_ends_at'')::timestamptz',
				'cancel_at_period_end', '(d.target ->> ''cancel_at_period_end'')::boolean',
				'cancelled_at', '(d.target ->> ''cancelled_at'')::timestamptz',
				'stripe_subscription_id', 'd.target ->> ''stripe_subscription_id''', 'stripe_price_id', 'd.target ->> ''stripe_price_id''',
				'updated_at', '$2') || '
			FROM ' || capforecast._subscriptions_sql() || ' s JOIN unnest($1) d USING (subscription_id)
			WHERE s.id = ANY (@key) AND {h:vendor_subscriptions.id} = s.id', changed_ids::text) USING changing, as_of;
		PERFORM capforecast._end_addons(as_of, ARRAY(SELECT d.subscription_id FROM unnest(changing) d WHERE d.ends),
			ARRAY['pending', 'active', 'cancelling'], 'coalesce(s.cancelled_at, $1)');
		PERFORM capforecast._see(as_of, changed_ids);
		PERFORM capforecast._adopt_periods(as_of, 'stripe', changed_ids);
		UPDATE capforecast.subscription_state st
		SET entitled = (d.target ->> 'entitled')::boolean, collection_paused = (d.target ->> 'paused')::boolean,
			anchor_local = coalesce((d.target ->> 'anchor')::timestamp, st.anchor_local),
			stripe_subscription_id = d.stripe_id, stripe_status = d.stripe_status, stripe_version = d.version, stripe_event_id = d.event_id,
			stripe_missing_since = NULL, stripe_missing_runs = 0
		FROM unnest(changing) d WHERE st.subscription_id = d.subscription_id;
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
		SELECT 'sync_stripe_status', d.vendor_id, d.subscription_id, t.before, t.after, d.stripe_status
		FROM unnest(changing) d CROSS JOIN LATERAL (SELECT jsonb_object_agg(e.key, d.current -> e.key) AS before, jsonb_object_agg(e.key, e.value) AS after
			FROM jsonb_each(d.target) e WHERE e.value IS DISTINCT FROM d.current -> e.key) t;
	END IF;
	PERFORM capforecast._confirm_outbox(as_of, d.subscription_id, d.items) FROM unnest(decided) d
	WHERE d.subscription_id IN (SELECT o.subscription_id FROM capforecast.stripe_outbox o WHERE o.status IN ('pending', 'sent', 'scheduled'));
	RETURN jsonb_build_object('changed', cardinality(changing));
END
$$;
COMMENT ON FUNCTION capforecast._stripe_apply(timestamptz, text[], jsonb) IS
	'Worker of sync_stripe_status(): decide again for these locked subscriptions, and write what differs.';

CREATE TYPE capforecast.sync_result AS (
	run_id bigint, as_of timestamptz, dry_run boolean, examined bigint, changed bigint, skipped_locked bigint, failed bigint,
	findings jsonb, already_running boolean, applied bigint, unchanged bigint, stale bigint, missing bigint, ambiguous bigint, held_back bigint,
	mirror_stale boolean);
COMMENT ON TYPE capforecast.sync_result IS 'job_result, and the verdicts by number; mirror_stale: the mirror was too old or empty, and the run only reported.';

-- The mirror is silent: nothing can be concluded from what it does not say.
CREATE FUNCTION capforecast._stripe_silence(as_of timestamptz)
	RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	newest timestamptz;
	n bigint;
	max_age interval := capforecast._setting('stripe_mirror_max_age')::interval;
BEGIN
	IF capforecast._stripe_relation('subscriptions') IS NULL THEN
		RETURN NULL;
	END IF;
	SELECT count(*), max(x.version) INTO n, newest FROM capforecast._stripe_source() x;
	IF n = 0 THEN
		RETURN 'stripe_mirror_empty';
	ELSIF newest < as_of - max_age AND NOT EXISTS (SELECT FROM capforecast.stripe_event e WHERE e.received_at >= as_of - max_age) THEN
		RETURN 'stripe_mirror_stale';
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION capforecast._stripe_silence(timestamptz) IS 'Why a mirror may only be reported on: stripe_mirror_empty or stripe_mirror_stale; NULL: it may be followed.';

CREATE FUNCTION capforecast._note_missing(as_of timestamptz, missing text[])
	RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	UPDATE capforecast.subscription_state st
	SET stripe_missing_since = CASE WHEN st.subscription_id = ANY (missing) THEN coalesce(st.stripe_missing_since, as_of) END,
		stripe_missing_runs = CASE WHEN st.subscription_id = ANY (missing) THEN st.stripe_missing_runs + 1 ELSE 0 END
	WHERE st.subscription_id = ANY (missing) OR st.stripe_missing_since IS NOT NULL
$$;
COMMENT ON FUNCTION capforecast._note_missing(timestamptz, text[]) IS 'Since when, and in how many runs, Stripe''s data has not had a subscription.';

CREATE FUNCTION capforecast._stripe_findings(decided jsonb, as_of timestamptz)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_object('code', code, 'subject', 'subscription ' || (r ->> 'subscription_id'),
		'severity', CASE WHEN code = 'stripe_missing' AND st.stripe_missing_runs >= 3
			AND st.stripe_missing_since <= as_of - interval '48 hours' THEN 'critical' END,
		'detail', jsonb_build_object('vendor', r -> 'vendor_id', 'stripe_id', r -> 'stripe_id', 'stripe_status', r -> 'stripe_status'))), '[]')
	FROM jsonb_array_elements(decided) r CROSS JOIN LATERAL jsonb_array_elements_text(r -> 'problems') code
		LEFT JOIN capforecast.subscription_state st ON st.subscription_id = r ->> 'subscription_id'
$$;
COMMENT ON FUNCTION capforecast._stripe_findings(jsonb, timestamptz) IS 'Findings about what was decided.';

CREATE FUNCTION capforecast.sync_stripe_status(as_of timestamptz DEFAULT NULL, force boolean DEFAULT false, dry_run boolean DEFAULT false)
	RETURNS capforecast.sync_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	job constant text := 'sync_stripe_status';
	codes text[] := ARRAY['mass_change_guard', 'stripe_ambiguous', 'stripe_mirror_empty', 'stripe_mirror_stale', 'stripe_missing',
		'stripe_period_missing',
		'stripe_price_unknown', 'stripe_row_lagging', 'stripe_status_unknown'];
	started_at timestamptz := clock_timestamp();
	now timestamptz := capforecast._now(as_of);
	busy jsonb := capforecast._busy(job, now, dry_run);
	mirror constant text := 'mirror ' || capforecast._setting('stripe_schema');
	silence text;
	decided jsonb;
	ending text[];
	live bigint;
	chosen text[];
	worked record;
	counts jsonb;
	problems jsonb;
	result capforecast.sync_result;
BEGIN
	IF busy IS NOT NULL THEN
		RETURN jsonb_populate_record(result, busy);
	END IF;
	silence := capforecast._stripe_silence(now);
	BEGIN
		PERFORM capforecast._see(now);
		SELECT coalesce(jsonb_agg(to_jsonb(d) - ARRAY['current', 'target', 'items']) FILTER (WHERE cardinality(d.problems) > 0), '[]'),
			coalesce(array_agg(d.subscription_id) FILTER (WHERE d.verdict = 'apply' AND d.ends), '{}'),
			coalesce(array_agg(d.subscription_id) FILTER (WHERE d.verdict = 'apply' AND NOT d.ends OR d.verdict = 'unchanged' AND o.waits), '{}'),
			jsonb_build_object('examined', count(*), 'unchanged', count(*) FILTER (WHERE d.verdict = 'unchanged'), 'stale',
				count(*) FILTER (WHERE d.verdict = 'stale'),
				'missing', count(*) FILTER (WHERE d.verdict = 'missing'), 'ambiguous', count(*) FILTER (WHERE d.verdict = 'ambiguous'),
					'held_back', 0)
		INTO decided, ending, chosen, counts
		FROM capforecast._stripe_decide() d CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM capforecast.stripe_outbox o
			WHERE o.subscription_id = d.subscription_id AND o.status IN ('pending', 'sent', 'scheduled')) AS waits) o;
		live := cardinality(capforecast._due('s.live', now));
		IF silence IS NOT NULL THEN
			codes := ARRAY['stripe_mirror_empty', 'stripe_mirror_stale'];
			problems := jsonb_build_array(jsonb_build_object('code', silence, 'subject', mirror));
		ELSE
			PERFORM capforecast._note_missing(now, ARRAY(SELECT r ->> 'subscription_id' FROM jsonb_array_elements(decided) r
				WHERE r ->> 'verdict' = 'missing'));
			problems := capforecast._stripe_findings(decided, now);
			IF cardinality(ending) > greatest(5, live / 10.0) AND force IS NOT TRUE THEN
				counts := counts || jsonb_build_object('held_back', cardinality(ending));
				problems := problems || jsonb_build_object('code', 'mass_change_guard', 'subject', mirror,
					'detail', jsonb_build_object('would_end', cardinality(ending), 'live', live, 'subscriptions', to_jsonb(ending[1:20])));
				ending := '{}';
			END IF;
			SELECT * INTO worked FROM capforecast._work(job, '_stripe_apply', 'true', now, '{}', given => chosen || ending);
			counts := (worked.counts - 'examined') || counts;
			problems := problems || worked.failures;
			EXECUTE capforecast._host_sql('UPDATE capforecast.stripe_event e SET outcome = ''accepted'', applied_at = $1
				WHERE e.outcome = ''stored_unresolved'' AND e.object_id IN (SELECT s.stripe_subscription_id
					FROM ' || capforecast._subscriptions_sql() || ' s)') USING now;
		END IF;
		result := jsonb_populate_record(NULL::capforecast.sync_result, to_jsonb(capforecast._finish(job, started_at, now, dry_run, counts,
			problems, codes)) || (counts - 'failed'));
		result.applied := result.changed;
		result.mirror_stale := silence IS NOT NULL;
		IF dry_run THEN
			RAISE EXCEPTION USING ERRCODE = 'CF000';
		END IF;
	EXCEPTION WHEN SQLSTATE 'CF000' THEN
		NULL;
	END;
	RETURN result;
END
$$;
COMMENT ON FUNCTION capforecast.sync_stripe_status(timestamptz, boolean, boolean) IS
	'Job: bring status, period, tier and flags of subscriptions that Stripe manages to agree with the mirror of Stripe''s tables, or with the webhook events where there is no mirror. A subscription that the mirror does not have, a mirror that is empty or old, never ends one. Where a run would end more than 5 and more than a tenth of the live subscriptions those are held back; force ends them.';
-- What comes from Stripe (webhook events) and what goes to it (the outbox).

CREATE FUNCTION capforecast._stripe_signature(body bytea, signature text, as_of timestamptz)
	RETURNS text LANGUAGE C STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'capforecast_stripe_signature';
COMMENT ON FUNCTION capforecast._stripe_signature(bytea, text, timestamptz) IS
	'NULL: the header signs the body with one of the stored secrets; else no_v1, signature_mismatch or timestamp_outside_tolerance. Runs as its owner, who alone can read the secrets.';

CREATE FUNCTION capforecast._read_stripe_event(body bytea)
	RETURNS jsonb LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	event jsonb;
BEGIN
	BEGIN
		event := convert_from(body, 'UTF8')::jsonb;
	EXCEPTION WHEN data_exception THEN
		event := NULL;		-- its text is not repeated in an error: it is a customer's data
	END;
	IF jsonb_typeof(event) IS DISTINCT FROM 'object' OR jsonb_typeof(event -> 'id') IS DISTINCT FROM 'string'
	   OR jsonb_typeof(event -> 'type') IS DISTINCT FROM 'string' OR jsonb_typeof(event -> 'created') IS DISTINCT FROM 'number' THEN
		PERFORM capforecast._fail('22023', 'bad_body', 'the body is not an event of Stripe', 'It is not JSON, or has no id, type or created.',
			'Pass the body as it was received.');
	END IF;
	RETURN event;
END
$$;
COMMENT ON FUNCTION capforecast._read_stripe_event(bytea) IS 'The body of a webhook as a document; 22023 where it is not an event.';

CREATE FUNCTION capforecast._lock_by_stripe(stripe_id text, customer text)
	RETURNS text[] LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
DECLARE
	ids text[];
BEGIN
	EXECUTE capforecast._host_sql('SELECT array_agg(l.id) FROM (SELECT {s:vendor_subscriptions.id}::text AS id FROM {vendor_subscriptions} s
		WHERE {s:vendor_subscriptions.stripe_subscription_id} = $1
		   OR ({s:vendor_subscriptions.stripe_subscription_id} IS NULL AND {s:vendor_subscriptions.stripe_customer_id} = $2)
		ORDER BY {s:vendor_subscriptions.id} FOR UPDATE) l') INTO ids USING stripe_id, customer;
	RETURN ids;
END
$$;
COMMENT ON FUNCTION capforecast._lock_by_stripe(text, text) IS 'Lock the subscriptions that an object of Stripe is about; NULL: none.';

CREATE FUNCTION capforecast.ingest_stripe_event(body bytea, signature text, as_of timestamptz DEFAULT NULL,
		OUT event_id text, OUT outcome text)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
#variable_conflict use_column
DECLARE
	now timestamptz := capforecast._now(as_of);
	verdict text := CASE WHEN body IS NULL OR signature IS NULL THEN 'no_v1' ELSE capforecast._stripe_signature(body, signature, now) END;
	event jsonb;
	object jsonb;
	ids text[];
BEGIN
	IF verdict IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = '28000', MESSAGE = 'the signature of the webhook is not valid', DETAIL = verdict,
			HINT = 'Pass the body as it was received and the Stripe-Signature header, and check that the endpoint''s secret is stored.';
	END IF;
	event := capforecast._read_stripe_event(body);
	object := event #> '{data,object}';
	event_id := event ->> 'id';
	outcome := CASE WHEN event ->> 'type' NOT LIKE 'customer.subscription.%'
		OR (event ->> 'livemode')::boolean <> capforecast._setting('stripe_livemode')::boolean
		OR event ->> 'account' <> nullif(capforecast._setting('stripe_account'), '') OR jsonb_typeof(object -> 'id') IS DISTINCT FROM 'string'
		THEN 'ignored' ELSE 'accepted' END;
	INSERT INTO capforecast.stripe_event AS e (event_id, event_type, object_id, customer_id, livemode, account_id, created, payload,
		body_sha256, received_at, outcome)
	VALUES (event ->> 'id', event ->> 'type', object ->> 'id', object ->> 'customer', (event ->> 'livemode')::boolean, event ->> 'account',
		capforecast._stripe_time(event ->> 'created'), event, sha256(body), now, ingest_stripe_event.outcome)
	ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		outcome := (SELECT CASE WHEN e.body_sha256 = sha256(body) THEN 'duplicate' ELSE 'rejected' END FROM capforecast.stripe_event e
			WHERE e.event_id = event ->> 'id');
		IF ingest_stripe_event.outcome = 'rejected' THEN
			PERFORM capforecast._report('{}', jsonb_build_array(
				jsonb_build_object('code', 'event_id_reuse', 'subject', 'event ' || (event ->> 'id'))), now);
		END IF;
		RETURN;
	ELSIF ingest_stripe_event.outcome = 'ignored' OR capforecast._stripe_relation('subscriptions') IS NOT NULL THEN
		RETURN;
	END IF;
	ids := capforecast._lock_by_stripe(object ->> 'id', object ->> 'customer');
	IF ids IS NULL THEN
		outcome := 'stored_unresolved';
	ELSE
		PERFORM capforecast._stripe_apply(now, ids, '{}');
	END IF;
	UPDATE capforecast.stripe_event e SET outcome = ingest_stripe_event.outcome, applied_at = CASE WHEN ids IS NOT NULL THEN now END
	WHERE e.event_id = event ->> 'id';
END
$$;
COMMENT ON FUNCTION capforecast.ingest_stripe_event(bytea, text, timestamptz) IS
	'Take in a webhook event: body as it was received, and the Stripe-Signature header. outcome: accepted, duplicate, rejected (an id that came with another body), ignored (not about a subscription, or another mode or account), stored_unresolved (its subscription is not known yet). Where a mirror of Stripe is bound events are kept, and the mirror is what counts. Errors: 28000 with signature_mismatch, no_v1 or timestamp_outside_tolerance as its detail (nothing is stored), 22023 for a body that is no event, 55000 where no secret is stored.';

CREATE FUNCTION capforecast._order(s capforecast._subscription_row, operation text, payload jsonb, idempotency_key text)
	RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	waiting capforecast.stripe_outbox;
	id bigint;
BEGIN
	SELECT * INTO waiting FROM capforecast.stripe_outbox o
	WHERE o.subscription_id = s.subscription_id AND o.status IN ('pending', 'sent') AND o.operation = _order.operation
	  AND o.payload ->> 'addon' IS NOT DISTINCT FROM _order.payload ->> 'addon';
	IF waiting.id IS NOT NULL THEN
		IF waiting.payload - 'proration_date' = payload - 'proration_date' THEN
			RETURN waiting.id;
		END IF;
		PERFORM capforecast._fail('55000', 'change_in_flight', 'another change of this subscription is on its way to Stripe',
			format('It is row %s of stripe_outbox.', waiting.id), 'Wait until Stripe has confirmed it, or settle it as failed.');
	END IF;
	UPDATE capforecast.stripe_outbox o SET status = 'cancelled', settled_at = clock_timestamp()
	WHERE o.subscription_id = s.subscription_id AND o.status = 'scheduled' AND o.operation = _order.operation
	  AND o.payload ->> 'addon' IS NOT DISTINCT FROM _order.payload ->> 'addon';
	INSERT INTO capforecast.stripe_outbox AS o (vendor_id, subscription_id, operation, payload, idempotency_key)
	VALUES (s.vendor_id, s.subscription_id, operation, payload,
		concat_ws(':', operation, s.vendor_id, coalesce(idempotency_key, gen_random_uuid()::text)))
	RETURNING o.id INTO id;
	RETURN id;
END
$$;
COMMENT ON FUNCTION capforecast._order(capforecast._subscription_row, text, jsonb, text) IS
	'Put a request to Stripe into the outbox; one at a time for a subscription and operation, a scheduled one is replaced.';

CREATE FUNCTION capforecast._order_change(s capforecast._subscription_row, plan capforecast.change_result, target capforecast.tier_info,
	annual boolean, idempotency_key text)
	RETURNS capforecast.change_result
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	price text;
	item jsonb;
BEGIN
	IF plan.action = 'noop' THEN
		IF NOT EXISTS (SELECT FROM capforecast.stripe_outbox o WHERE o.subscription_id = s.subscription_id AND o.status = 'scheduled'
			AND o.operation = 'change_tier') THEN
			RETURN plan;
		END IF;
		plan.action := 'pending_cancelled';
	END IF;
	EXECUTE capforecast._host_sql('SELECT CASE WHEN $2 THEN t.stripe_annual ELSE t.stripe_monthly END,
			(SELECT i FROM capforecast._stripe_source(ARRAY[$3]) x CROSS JOIN LATERAL jsonb_array_elements(x.items) i
				JOIN ' || capforecast._tiers_sql() || ' p ON i ->> ''price'' IN (p.stripe_monthly, p.stripe_annual)
			 WHERE x.stripe_id = $3 LIMIT 1)
		FROM ' || capforecast._tiers_sql() || ' t WHERE t.code = $1') INTO price, item USING target.code, annual, s.stripe_subscription_id;
	IF price IS NULL THEN
		PERFORM capforecast._fail('P0002', 'no_price', format('tier "%s" has no price of Stripe', target.code),
			'The table of tiers has no price id for it.', 'Set it there.');
	END IF;
	plan.outbox_id := capforecast._order(s, 'change_tier', jsonb_build_object('subscription', s.stripe_subscription_id, 'price', price,
		'items', jsonb_build_array(jsonb_build_object('id', item -> 'id', 'price', price, 'quantity', coalesce((item ->> 'quantity')::bigint, 1))),
		'timing', CASE WHEN plan.effective_at = s.period_end THEN 'period_end' ELSE 'immediate' END,
		'proration_date', extract(epoch FROM plan.effective_at)::bigint, 'payment_behavior', 'pending_if_incomplete'), idempotency_key);
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast._order_change(capforecast._subscription_row, capforecast.change_result, capforecast.tier_info, boolean, text) IS
	'Ask Stripe for a change of tier: the item''s own id and quantity go with it, or Stripe would add a second price or set the quantity to 1.';

CREATE FUNCTION capforecast._order_addon(s capforecast._subscription_row, plan capforecast.change_result, operation text, addon text, quantity bigint,
		stripe_price text, stripe_item text, timing text, idempotency_key text)
	RETURNS capforecast.change_result LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
	IF stripe_price IS NULL THEN
		PERFORM capforecast._fail('P0002', 'no_price', format('add-on "%s" has no price of Stripe', addon),
			'The table of add-ons has no price id for it.', 'Set it there.');
	END IF;
	plan.outbox_id := capforecast._order(s, operation, jsonb_build_object('subscription', s.stripe_subscription_id,
		'addon', addon, 'price', stripe_price,
		'quantity', quantity, 'items', jsonb_build_array(jsonb_build_object('id', stripe_item, 'price', stripe_price, 'quantity', quantity)),
		'timing', timing, 'proration_date', extract(epoch FROM plan.effective_at)::bigint, 'payment_behavior', 'pending_if_incomplete'),
		idempotency_key);
	RETURN plan;
END
$$;
COMMENT ON FUNCTION capforecast._order_addon(capforecast._subscription_row, capforecast.change_result, text, text, bigint, text, text, text, text) IS
	'Ask Stripe for a quantity of an add-on; quantity is what there is to be, not what is added.';

CREATE FUNCTION capforecast.settle_outbox(id bigint, ok boolean, result jsonb DEFAULT NULL)
	RETURNS text LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
#variable_conflict use_column
DECLARE
	o capforecast.stripe_outbox;
	held record;
	s capforecast._subscription_row;
BEGIN
	IF ok IS NULL THEN
		PERFORM capforecast._fail('22023', 'bad_argument', 'ok must be true or false', 'It is NULL.', 'Settle the row when Stripe has answered.');
	END IF;
	SELECT * INTO o FROM capforecast.stripe_outbox x WHERE x.id = settle_outbox.id;
	IF o.id IS NULL THEN
		PERFORM capforecast._fail('P0002', 'unknown_request', format('stripe_outbox has no row %s', settle_outbox.id), 'It does not exist.',
			'Pass the id of the row that was sent.');
	END IF;
	s := capforecast._subscription(o.vendor_id, true);
	SELECT * INTO o FROM capforecast.stripe_outbox x WHERE x.id = settle_outbox.id FOR UPDATE;
	IF o.status IN ('confirmed', 'cancelled') OR (ok AND o.status IN ('sent', 'scheduled')) THEN
		RETURN o.status;	-- Stripe's own data was faster, or the answer came twice
	ELSIF o.status = 'failed' THEN
		IF NOT ok THEN
			RETURN o.status;
		END IF;
		PERFORM capforecast._fail('55000', 'settled', format('row %s of stripe_outbox was settled as failed', o.id),
			'It cannot succeed any more.', 'Make the request again.');
	END IF;
	UPDATE capforecast.stripe_outbox x
	SET status = CASE WHEN NOT ok THEN 'failed' WHEN o.payload ->> 'timing' = 'period_end' THEN 'scheduled' ELSE 'sent' END,
		result = settle_outbox.result, settled_at = clock_timestamp()
	WHERE x.id = o.id RETURNING * INTO o;
	IF NOT ok AND o.operation = 'purchase_addon' THEN
		SELECT * INTO held FROM capforecast._addons_of(o.vendor_id, o.payload ->> 'addon') a WHERE a.status = 'pending';
		IF FOUND THEN
			PERFORM capforecast._write_addon(s, held.id, held.code, 'cancelled', held.quantity, held.unit_price, clock_timestamp());
			INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
			VALUES ('settle_outbox', s.vendor_id, s.subscription_id, jsonb_build_object('addon', held.code, 'status', 'pending'),
				'{"status": "cancelled"}', 'failed');
		END IF;
	END IF;
	RETURN o.status;
END
$$;
COMMENT ON FUNCTION capforecast.settle_outbox(bigint, boolean, jsonb) IS
	'The application''s answer for a row of stripe_outbox: ok false makes it failed, with the result; ok true sent, or scheduled for a change at the end of the period. confirmed follows when Stripe''s own data shows the change. Returns the status. Errors: P0002 unknown_request, 55000 settled.';

-- The host's row of a tier follows from Stripe's data by itself; that of an add-on is
-- written here, when the item has the quantity that was asked for.
CREATE FUNCTION capforecast._confirm_outbox(as_of timestamptz, subscription_id text, items jsonb)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	o capforecast.stripe_outbox;
	held record;
	item jsonb;
	wanted bigint;
	shown bigint;
	s capforecast._subscription_row;
BEGIN
	FOR o IN SELECT * FROM capforecast.stripe_outbox x WHERE x.subscription_id = _confirm_outbox.subscription_id
			AND x.status IN ('pending', 'sent', 'scheduled') ORDER BY x.id FOR UPDATE LOOP
		item := (SELECT i FROM jsonb_array_elements(items) i WHERE i ->> 'price' = o.payload ->> 'price' LIMIT 1);
		shown := coalesce((item ->> 'quantity')::bigint, 0);
		wanted := coalesce((o.payload ->> 'quantity')::bigint, shown);
		CONTINUE WHEN shown <> wanted OR (item IS NULL AND o.operation <> 'cancel_addon');
		UPDATE capforecast.stripe_outbox x SET status = 'confirmed', settled_at = as_of WHERE x.id = o.id;
		CONTINUE WHEN o.operation = 'change_tier';
		s := capforecast._subscription(o.vendor_id, false);
		SELECT * INTO held FROM capforecast._addons_of(o.vendor_id, o.payload ->> 'addon');
		CONTINUE WHEN held.id IS NULL;
		PERFORM capforecast._write_addon(s, held.id, held.code, CASE WHEN wanted = 0 THEN 'cancelled' ELSE 'active' END,
			CASE WHEN wanted = 0 THEN held.quantity ELSE wanted END, held.unit_price, as_of, item ->> 'id');
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
		VALUES (o.operation, o.vendor_id, o.subscription_id, jsonb_build_object('addon', held.code, 'quantity', held.quantity, 'status', held.status),
			jsonb_build_object('addon', held.code, 'quantity', wanted), 'confirmed');
	END LOOP;
END
$$;
COMMENT ON FUNCTION capforecast._confirm_outbox(timestamptz, text, jsonb) IS 'Confirm the requests that Stripe''s data shows, and write the add-ons that they were for.';
-- Growth over the last days.

CREATE FUNCTION capforecast._growth_trends(days integer, as_of timestamptz,
		OUT metric text, OUT start_value numeric, OUT current_value numeric, OUT change numeric,
		OUT growth_rate_percent double precision, OUT daily_growth_rate double precision,
		OUT monthly_projection double precision, OUT period_days integer,
		OUT start_date date, OUT end_date date, OUT snapshots_available bigint)
	RETURNS SETOF record LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'capforecast_growth_trends';
COMMENT ON FUNCTION capforecast._growth_trends(integer, timestamptz) IS
	'growth_trends() with a row for each metric even without two snapshots; then only snapshots_available is set.';

CREATE FUNCTION capforecast._growth_slopes(start_date date, end_date date,
		OUT metric text, OUT slope_per_day double precision, OUT cagr_ratio double precision,
		OUT doubling_days double precision, OUT acceleration double precision)
	RETURNS SETOF record LANGUAGE C STABLE STRICT ROWS 5 AS 'MODULE_PATHNAME', 'capforecast_growth_slopes';
COMMENT ON FUNCTION capforecast._growth_slopes(date, date) IS 'What growth_trends() has beyond the first and the last snapshot.';

CREATE FUNCTION capforecast.growth_trends(days integer DEFAULT 30, as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (metric text, start_value numeric, current_value numeric, change numeric,
		growth_rate_percent double precision, daily_growth_rate double precision, monthly_projection double precision,
		period_days integer, start_date date, end_date date, snapshots_available bigint,
		slope_per_day double precision, cagr_ratio double precision, doubling_days double precision, acceleration double precision)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH trend AS MATERIALIZED (
		SELECT t.*, row_number() OVER () AS position FROM capforecast._growth_trends(days, as_of) t WHERE t.snapshots_available >= 2),
	period AS (SELECT min(t.start_date) AS start_date, max(t.end_date) AS end_date FROM trend t)
	SELECT t.metric, t.start_value, t.current_value, t.change, t.growth_rate_percent, t.daily_growth_rate, t.monthly_projection,
		t.period_days, t.start_date, t.end_date, t.snapshots_available,
		s.slope_per_day, s.cagr_ratio, s.doubling_days, s.acceleration
	FROM trend t LEFT JOIN (SELECT s.* FROM period p CROSS JOIN LATERAL capforecast._growth_slopes(p.start_date, p.end_date) s) s USING (metric)
	ORDER BY t.position
$$;
COMMENT ON FUNCTION capforecast.growth_trends(integer, timestamptz) IS
	'Growth between the first and the last snapshot of the last days (1 to 36500): rate over the period, per day, and the value projected 30 days on; storage_gb has values only. No rows where there are fewer than two snapshots. NULL counts as 0 here. Beyond the two ends: slope_per_day, the robust slope of all days; cagr_ratio, compounding growth a year (0.1 is 10 %); doubling_days; acceleration, the change of the slope per day; in these, NULL is a gap, and what cannot be said is NULL.';

CREATE FUNCTION capforecast.growth_trends_json(days integer DEFAULT 30, as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN max(t.snapshots_available) < 2 THEN
		jsonb_build_object('period_days', days, 'snapshots_available', max(t.snapshots_available),
			'trends', '{}'::jsonb, 'message', 'Insufficient data for trend analysis')
	ELSE
		jsonb_build_object('period_days', max(t.period_days), 'snapshots_available', max(t.snapshots_available),
			'start_date', to_char(max(t.start_date), 'YYYY-MM-DD"T00:00:00+00:00"'),
			'end_date', to_char(max(t.end_date), 'YYYY-MM-DD"T00:00:00+00:00"'),
			'trends', jsonb_object_agg(t.metric,
				CASE WHEN t.metric = 'storage_gb' THEN
					jsonb_build_object('start_value', t.start_value::double precision,
						'current_value', t.current_value::double precision, 'change', t.change::double precision)
				ELSE
					jsonb_build_object('start_value', t.start_value, 'current_value', t.current_value,
						'change', t.change, 'growth_rate_percent', t.growth_rate_percent,
						'daily_growth_rate', t.daily_growth_rate, 'monthly_projection', t.monthly_projection)
				END))
	END
	FROM capforecast._growth_trends(days, as_of) t
$$;
COMMENT ON FUNCTION capforecast.growth_trends_json(integer, timestamptz) IS
	'growth_trends() as the document that the web application shows.';

CREATE FUNCTION capforecast.days_until_threshold(metric text, threshold double precision, as_of timestamptz DEFAULT NULL)
	RETURNS bigint LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'capforecast_days_until_threshold';
COMMENT ON FUNCTION capforecast.days_until_threshold(text, double precision, timestamptz) IS
	'Whole days until vendors, products, orders, team_members or storage_gb reaches the threshold at the daily growth of the last 30 days. NULL: it does not grow, is there already, or is not known - this number cannot say which. time_to_threshold() can: it answers the same question with a status, a date and a range.';
-- What the subscriptions allow against what is used.

CREATE FUNCTION capforecast.subscription_capacity()
	RETURNS TABLE (resource text, theoretical_limit bigint, unlimited_subscriptions bigint, is_unlimited boolean,
		actual_limited bigint, actual_unlimited bigint, actual_unsubscribed bigint, actual bigint,
		utilization_percent double precision, headroom bigint, over_limit bigint, vendors_over_limit bigint,
		counted_subscriptions bigint, unknown_tier_subscriptions bigint,
		at_risk_subscriptions bigint, at_risk_limit bigint, at_risk_actual_limited bigint, tier_distribution jsonb)
	LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'capforecast_subscription_capacity';
COMMENT ON FUNCTION capforecast.subscription_capacity() IS
	'Theoretical limits against actual use, live, a row for products, orders_monthly and team_members. Counts active and trial subscriptions; a limit is the subscription''s own (-1: unlimited), else its tier''s (NULL: unlimited). utilization_percent is the use of exactly the limited subscriptions; theoretical_limit - actual_limited = headroom - over_limit. at_risk_*: the same of past_due subscriptions. Errors: 42P01, 42703, 42804, 42501 for what cannot be read.';

CREATE FUNCTION capforecast.subscription_capacity_json()
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_object_agg(c.resource,
			to_jsonb(c) - '{resource,counted_subscriptions,unknown_tier_subscriptions,tier_distribution}'::text[])
		|| jsonb_build_object('tier_distribution', (array_agg(c.tier_distribution))[1],
			'counted_subscriptions', max(c.counted_subscriptions),
			'unknown_tier_subscriptions', max(c.unknown_tier_subscriptions))
	FROM capforecast.subscription_capacity() c
$$;
COMMENT ON FUNCTION capforecast.subscription_capacity_json() IS
	'subscription_capacity() as one document: products, orders_monthly, team_members, tier_distribution.';
-- Sizes of infrastructure.

-- Empty until the operator edits the view below: then it holds the whole list, so that
-- a dump carries what was changed, added and removed, and a new version's defaults reach
-- everyone who changed nothing.
CREATE TABLE capforecast._infrastructure_tier (
	position           integer PRIMARY KEY,
	name               text NOT NULL UNIQUE CHECK (name <> ''),
	max_vendors        bigint CHECK (max_vendors > 0),
	max_products       bigint CHECK (max_products > 0),
	max_orders_month   bigint CHECK (max_orders_month > 0),
	max_db_size_mb     bigint CHECK (max_db_size_mb > 0),
	max_storage_gb     bigint CHECK (max_storage_gb > 0),
	monthly_cost_cents bigint NOT NULL CHECK (monthly_cost_cents >= 0),
	currency           char(3) NOT NULL DEFAULT 'EUR'
);
COMMENT ON TABLE capforecast._infrastructure_tier IS
	'The operator''s own list of sizes; empty while the default list is in use.';
SELECT pg_catalog.pg_extension_config_dump('capforecast._infrastructure_tier', '');

CREATE FUNCTION capforecast._default_infrastructure_tiers()
	RETURNS SETOF capforecast._infrastructure_tier
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	VALUES
		(1, 'Starter',      50::bigint,  10000::bigint, NULL::bigint, NULL::bigint, NULL::bigint,   3000::bigint, 'EUR'::char(3)),
		(2, 'Small',       100,          30000,         NULL,         NULL,         NULL,           8000,         'EUR'),
		(3, 'Medium',      300,         100000,         NULL,         NULL,         NULL,          15000,         'EUR'),
		(4, 'Large',       500,         250000,         NULL,         NULL,         NULL,          35000,         'EUR'),
		(5, 'Scale',      1000,         500000,         NULL,         NULL,         NULL,          70000,         'EUR'),
		(6, 'Enterprise', NULL,           NULL,         NULL,         NULL,         NULL,         150000,         'EUR')
$$;
COMMENT ON FUNCTION capforecast._default_infrastructure_tiers() IS 'The list of sizes while the operator has none of his own.';

CREATE VIEW capforecast.infrastructure_tiers WITH (security_invoker = true) AS
	SELECT * FROM capforecast._infrastructure_tier
	UNION ALL
	SELECT * FROM capforecast._default_infrastructure_tiers()
	WHERE NOT EXISTS (SELECT FROM capforecast._infrastructure_tier);
COMMENT ON VIEW capforecast.infrastructure_tiers IS
	'Sizes of infrastructure in order of position, with what each carries at most (NULL: no limit) and costs a month. INSERT, UPDATE and DELETE edit it; deleting every row brings the default list back, and inserting at one of its positions then begins a list of your own.';
COMMENT ON COLUMN capforecast.infrastructure_tiers.monthly_cost_cents IS 'in minor units of the currency';
COMMENT ON COLUMN capforecast.infrastructure_tiers.max_orders_month IS 'further maxima, NULL by default';

CREATE FUNCTION capforecast._edit_infrastructure_tiers()
	RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- "DELETE everything, INSERT my list" must not meet the default list again.
	IF NOT EXISTS (SELECT FROM capforecast._infrastructure_tier) AND NOT (TG_OP = 'INSERT'
		AND EXISTS (SELECT FROM capforecast._default_infrastructure_tiers() d WHERE d.position = NEW.position))
	THEN
		INSERT INTO capforecast._infrastructure_tier SELECT * FROM capforecast._default_infrastructure_tiers();
	END IF;
	IF TG_OP = 'INSERT' THEN
		NEW.position := coalesce(NEW.position, (SELECT max(t.position) + 1 FROM capforecast._infrastructure_tier t));
		NEW.currency := coalesce(NEW.currency, 'EUR');
		INSERT INTO capforecast._infrastructure_tier SELECT NEW.*;
	ELSIF TG_OP = 'UPDATE' THEN
		UPDATE capforecast._infrastructure_tier t
		SET (position, name, max_vendors, max_products, max_orders_month, max_db_size_mb, max_storage_gb, monthly_cost_cents, currency)
			= (SELECT NEW.*)
		WHERE t.position = OLD.position;
	ELSE
		DELETE FROM capforecast._infrastructure_tier t WHERE t.position = OLD.position;
		RETURN OLD;
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION capforecast._edit_infrastructure_tiers() IS 'Trigger: makes infrastructure_tiers editable.';

CREATE TRIGGER edit INSTEAD OF INSERT OR UPDATE OR DELETE ON capforecast.infrastructure_tiers
	FOR EACH ROW EXECUTE FUNCTION capforecast._edit_infrastructure_tiers();
-- The state of the platform.

CREATE FUNCTION capforecast._platform_health(as_of timestamptz,
		OUT database_size_bytes bigint,
		OUT image_storage_bytes bigint, OUT image_storage_gb numeric, OUT image_storage_source text,
		OUT image_storage_measured_at timestamptz, OUT image_storage_status text, OUT image_storage_reason text,
		OUT active_vendors bigint, OUT total_products bigint,
		OUT infrastructure_tier text, OUT tier_exceeded boolean,
		OUT monthly_cost_cents bigint, OUT currency text, OUT next_tier_trigger text,
		OUT vendors_percent double precision, OUT products_percent double precision, OUT orders_percent double precision,
		OUT database_percent double precision, OUT storage_percent double precision,
		OUT products_utilization_percent double precision, OUT orders_utilization_percent double precision,
		OUT team_utilization_percent double precision)
	RETURNS SETOF record LANGUAGE C STABLE ROWS 1 AS 'MODULE_PATHNAME', 'capforecast_platform_health';
COMMENT ON FUNCTION capforecast._platform_health(timestamptz) IS 'What platform_health() judges: counted live, each host table once.';

-- One row per reason for concern: 80 % of a limit is a warning, 95 % critical, and so is
-- what a person must look at.
CREATE FUNCTION capforecast._health_reasons(health jsonb)
	RETURNS TABLE (severity text, reason text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN percent >= 95 THEN 'critical' ELSE 'warning' END,
		format('%s at %s%% of %s', what, round(percent::numeric, 1), whole)
	FROM (VALUES
		('vendors', health ->> 'vendors_percent', 'the infrastructure tier''s maximum'),
		('products', health ->> 'products_percent', 'the infrastructure tier''s maximum'),
		('orders', health ->> 'orders_percent', 'the infrastructure tier''s maximum'),
		('database size', health ->> 'database_percent', 'the infrastructure tier''s maximum'),
		('image storage', health ->> 'storage_percent', 'the infrastructure tier''s maximum'),
		('products', health ->> 'products_utilization_percent', 'the theoretical limit'),
		('orders', health ->> 'orders_utilization_percent', 'the theoretical limit'),
		('team members', health ->> 'team_utilization_percent', 'the theoretical limit')) AS v(what, value, whole)
		CROSS JOIN LATERAL (SELECT value::double precision AS percent) p
	WHERE percent >= 80
	UNION ALL
	SELECT 'critical', 'above the last infrastructure tier' WHERE (health ->> 'tier_exceeded')::boolean
	UNION ALL
	SELECT 'critical', format('findings open: %s of %s', count(*), f.code)
	FROM capforecast.finding f WHERE f.severity = 'critical' AND f.resolved_at IS NULL GROUP BY f.code
$$;
COMMENT ON FUNCTION capforecast._health_reasons(jsonb) IS 'What in a row of _platform_health() is a reason for concern.';

CREATE FUNCTION capforecast.platform_health(as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (overall_status text, reasons text[], unknown_metrics text[],
		database_size_bytes bigint, database_size_mb numeric,
		image_storage_gb numeric, image_storage_source text, image_storage_measured_at timestamptz,
		image_storage_status text, image_storage_reason text,
		active_vendors bigint, total_products bigint,
		infrastructure_tier text, tier_exceeded boolean, monthly_cost_cents bigint, currency text, next_tier_trigger text,
		vendors_percent double precision, products_percent double precision, orders_percent double precision,
		database_percent double precision, storage_percent double precision,
		products_utilization_percent double precision, orders_utilization_percent double precision,
		team_utilization_percent double precision)
	LANGUAGE sql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN 'critical' = ANY (r.severities) THEN 'critical'
				WHEN 'warning' = ANY (r.severities) THEN 'warning' ELSE 'ok' END,
		r.reasons,
		CASE WHEN h.image_storage_gb IS NULL THEN '{storage}'::text[] ELSE '{}' END,
		h.database_size_bytes, round(h.database_size_bytes / 1048576.0, 2),
		h.image_storage_gb, h.image_storage_source, h.image_storage_measured_at,
		h.image_storage_status, h.image_storage_reason,
		h.active_vendors, h.total_products,
		h.infrastructure_tier, h.tier_exceeded, h.monthly_cost_cents, h.currency, h.next_tier_trigger,
		h.vendors_percent, h.products_percent, h.orders_percent, h.database_percent, h.storage_percent,
		h.products_utilization_percent, h.orders_utilization_percent, h.team_utilization_percent
	FROM capforecast._platform_health(as_of) h
		CROSS JOIN LATERAL (
			SELECT coalesce(array_agg(severity), '{}') AS severities,
				coalesce(array_agg(severity || ': ' || reason ORDER BY severity, reason), '{}') AS reasons
			FROM capforecast._health_reasons(to_jsonb(h))) r
$$;
COMMENT ON FUNCTION capforecast.platform_health(timestamptz) IS
	'The platform now: sizes, image storage with its source and age (older than 48 h: stale; none: unavailable), the infrastructure tier that carries it, what share of its maxima is used, and overall_status ok, warning (80 %) or critical (95 %, or an open critical row of finding) with each reason. next_tier_trigger is set above 70 % of the tier''s maximum of vendors or products. Metrics that are not known are ignored and listed.';

CREATE FUNCTION capforecast.platform_health_json(as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_build_object(
		'overall_status', h.overall_status, 'reasons', h.reasons, 'unknown_metrics', h.unknown_metrics,
		'database', jsonb_build_object('size_bytes', h.database_size_bytes, 'size_mb', h.database_size_mb),
		'image_storage', jsonb_build_object('total_size_gb', h.image_storage_gb, 'source', h.image_storage_source,
			'measured_at', h.image_storage_measured_at, 'status', h.image_storage_status, 'reason', h.image_storage_reason),
		'infrastructure_tier', jsonb_build_object('name', h.infrastructure_tier, 'exceeded', h.tier_exceeded,
			'monthly_cost_cents', h.monthly_cost_cents, 'currency', h.currency,
			'vendors_percent', h.vendors_percent, 'products_percent', h.products_percent, 'orders_percent', h.orders_percent,
			'database_percent', h.database_percent, 'storage_percent', h.storage_percent),
		'next_tier_trigger', h.next_tier_trigger,
		'active_vendors', h.active_vendors, 'total_products', h.total_products,
		'utilization_percent', jsonb_build_object('products', h.products_utilization_percent,
			'orders_monthly', h.orders_utilization_percent, 'team_members', h.team_utilization_percent))
	FROM capforecast.platform_health(as_of) h
$$;
COMMENT ON FUNCTION capforecast.platform_health_json(timestamptz) IS 'platform_health() as one document.';
-- Limits: of the infrastructure, of what subscriptions allow, and of the operator's own metrics.

CREATE FUNCTION capforecast._instant(as_of timestamptz)
	RETURNS timestamptz LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT isfinite(as_of) THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'as_of must be finite',
			HINT = 'Leave it out for now.';
	END IF;
	RETURN coalesce(as_of, clock_timestamp());
END
$$;
COMMENT ON FUNCTION capforecast._instant(timestamptz) IS 'The argument as_of: the given instant, or the clock; 22023 where it is infinite.';

CREATE FUNCTION capforecast._check_days(days integer)
	RETURNS void LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF days IS NULL OR days NOT BETWEEN 1 AND 36500 THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'days must be between 1 and 36500',
			HINT = 'Give the number of days to look back, for example 30.';
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._check_days(integer) IS 'Raises 22023 unless the number of days to look back is one that growth_trends() takes.';

-- The tier's maxima beside what is used, as metrics are named.
CREATE FUNCTION capforecast._tier_maxima(tier capforecast._infrastructure_tier)
	RETURNS TABLE (metric text, maximum bigint)
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	VALUES ('vendors', (tier).max_vendors), ('products', (tier).max_products), ('orders', (tier).max_orders_month),
		('db_size_mb', (tier).max_db_size_mb), ('storage_gb', (tier).max_storage_gb)
$$;
COMMENT ON FUNCTION capforecast._tier_maxima(capforecast._infrastructure_tier) IS
	'What a size of infrastructure carries at most, per metric (NULL: no limit).';

-- usage: metric to number; what it does not name excludes no tier. As core/cf_tier.h has it.
CREATE FUNCTION capforecast._tier_for(usage jsonb, OUT tier capforecast._infrastructure_tier, OUT is_exceeded boolean)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT t.tier, t.is_exceeded
	FROM (SELECT ROW(i.*)::capforecast._infrastructure_tier AS tier, i.position,
			EXISTS (SELECT FROM capforecast._tier_maxima(ROW(i.*)::capforecast._infrastructure_tier) m
					WHERE (usage ->> m.metric)::double precision > m.maximum) AS is_exceeded
			FROM capforecast.infrastructure_tiers i) t
	ORDER BY t.is_exceeded, CASE WHEN t.is_exceeded THEN -t.position ELSE t.position END LIMIT 1
$$;
COMMENT ON FUNCTION capforecast._tier_for(jsonb) IS
	'The first size of infrastructure that carries the usage; the last one, exceeded, where none does.';

-- Only the operator knows what is in use: without a word from him it is taken to be the
-- first size that carries the use, which then can never be too small, nor too large.
CREATE TABLE capforecast.infrastructure_in_use (
	is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
	tier    text NOT NULL
);
COMMENT ON TABLE capforecast.infrastructure_in_use IS 'The size of infrastructure in use; written by use_infrastructure_tier(). Empty: not told.';
SELECT pg_catalog.pg_extension_config_dump('capforecast.infrastructure_in_use', '');

CREATE FUNCTION capforecast.use_infrastructure_tier(name text)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF use_infrastructure_tier.name IS NOT NULL
		AND NOT EXISTS (SELECT FROM capforecast.infrastructure_tiers t WHERE t.name = use_infrastructure_tier.name) THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('infrastructure tier "%s" does not exist', use_infrastructure_tier.name),
			HINT = 'SELECT name FROM capforecast.infrastructure_tiers lists them.';
	END IF;
	DELETE FROM capforecast.infrastructure_in_use;
	INSERT INTO capforecast.infrastructure_in_use (tier)
	SELECT use_infrastructure_tier.name WHERE use_infrastructure_tier.name IS NOT NULL;
END
$$;
COMMENT ON FUNCTION capforecast.use_infrastructure_tier(text) IS
	'Tell which size of infrastructure_tiers is in use, so that the outlook measures against it, says when it is too small even after the use has passed it, and when a smaller one would do. NULL: not told; then it is taken to be the first size that carries the use. platform_health() always shows the latter. Error: 22023.';

CREATE FUNCTION capforecast._tier_in_use(usage jsonb, OUT tier capforecast._infrastructure_tier, OUT is_told boolean)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ROW(i.*)::capforecast._infrastructure_tier, true
	FROM capforecast.infrastructure_in_use u JOIN capforecast.infrastructure_tiers i ON i.name = u.tier
	UNION ALL
	SELECT f.tier, false FROM capforecast._tier_for(usage) f
	LIMIT 1
$$;
COMMENT ON FUNCTION capforecast._tier_in_use(jsonb) IS 'The size that the operator has told, else the first that carries the usage.';

-- What was used on the last day captured.
CREATE FUNCTION capforecast._last_usage(as_of timestamptz)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('vendors', s.active_vendors, 'products', s.total_products,
		'orders', s.total_orders_month, 'db_size_mb', s.db_size_mb, 'storage_gb', s.storage_used_gb))
	FROM capforecast.capacity_snapshots s WHERE s.snapshot_date <= (as_of AT TIME ZONE 'UTC')::date
	ORDER BY s.snapshot_date DESC LIMIT 1
$$;
COMMENT ON FUNCTION capforecast._last_usage(timestamptz) IS 'The last snapshot''s numbers that infrastructure is measured by.';

CREATE FUNCTION capforecast._limits(as_of timestamptz)
	RETURNS TABLE (metric text, limit_kind text, limit_name text, limit_value double precision, direction text, kind text, unit text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT l.metric, l.limit_kind, l.limit_name, l.limit_value, m.direction, m.kind, m.unit
	FROM capforecast.metrics m
		JOIN (
			SELECT x.metric, 'infrastructure' AS limit_kind, format('%s tier', (f.tier).name) AS limit_name, x.maximum::double precision AS limit_value
			FROM capforecast._last_usage(as_of) usage
				CROSS JOIN LATERAL capforecast._tier_in_use(usage) f
				CROSS JOIN LATERAL capforecast._tier_maxima(f.tier) x
			WHERE usage ? x.metric
			UNION ALL
			-- of the last day captured, which may be one on which the limit was not known
			SELECT v.metric, CASE WHEN o.metric IS NULL THEN 'subscriptions' ELSE 'own' END,
				CASE WHEN o.metric IS NULL THEN 'what subscriptions allow' ELSE 'its own limit' END, v.limit_value
			FROM capforecast.metrics c
				LEFT JOIN capforecast.own_metric o USING (metric)
				CROSS JOIN LATERAL (SELECT v.* FROM capforecast.metric_value v
					WHERE v.metric = c.metric AND v.day <= (as_of AT TIME ZONE 'UTC')::date ORDER BY v.day DESC LIMIT 1) v
		) l USING (metric)
	WHERE l.limit_value IS NOT NULL
$$;
COMMENT ON FUNCTION capforecast._limits(timestamptz) IS
	'Each limit of each metric: the maximum of the infrastructure tier in use, the sum of what the limited subscriptions allow, or the metric''s own, as captured.';
-- When each limit is reached, and which one first.

-- One row per limit, with the one simulation that all of the plan shares.
CREATE FUNCTION capforecast._outlook(horizon interval, as_of timestamptz, limit_kinds text[] DEFAULT '{infrastructure,subscriptions,own}')
	RETURNS TABLE (metric text, limit_kind text, limit_name text, unit text, direction text, kind text,
		current_value double precision, limit_value double precision, utilization_ratio double precision,
		status capforecast.forecast_status, breach_date date, breach_date_earliest date, breach_date_latest date,
		breach_probability double precision, ready_on date, reason text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT l.metric, l.limit_kind, l.limit_name, l.unit, l.direction, l.kind, t.current_value, l.limit_value,
		CASE l.direction WHEN 'up' THEN t.current_value / nullif(l.limit_value, 0)
			ELSE l.limit_value / nullif(t.current_value, 0) END,
		t.status, t.breach_date, t.breach_date_earliest, t.breach_date_latest, t.breach_probability, t.ready_on, t.reason
	FROM capforecast._limits(as_of) l
		CROSS JOIN LATERAL capforecast.time_to_threshold(capforecast.metric_series(l.metric, as_of), l.limit_value,
			horizon => horizon, direction => l.direction, kind => l.kind, as_of => as_of) t
	WHERE l.limit_kind = ANY (limit_kinds)
$$;
COMMENT ON FUNCTION capforecast._outlook(interval, timestamptz, text[]) IS 'time_to_threshold() for every limit.';

CREATE FUNCTION capforecast._plan_date(policy text, status capforecast.forecast_status, earliest date, median date, latest date)
	RETURNS date LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN status = 'already_breached' THEN median
		WHEN status NOT IN ('ok', 'beyond_horizon') THEN NULL
		WHEN policy = 'conservative' THEN earliest
		WHEN policy = 'expected' THEN median
		ELSE latest END
$$;
COMMENT ON FUNCTION capforecast._plan_date(text, capforecast.forecast_status, date, date, date) IS
	'The date to plan with: conservative takes the early end of the range, aggressive the late one.';

CREATE FUNCTION capforecast._days_until(day date, as_of timestamptz)
	RETURNS integer LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	-- not greatest(…, 0), which makes 0 of a date that is not known
	SELECT CASE WHEN day < (as_of AT TIME ZONE 'UTC')::date THEN 0 ELSE day - (as_of AT TIME ZONE 'UTC')::date END
$$;
COMMENT ON FUNCTION capforecast._days_until(date, timestamptz) IS 'Whole days from the UTC day of as_of; 0 for days that are past.';

-- unknown is not none: nothing is said of the limit, neither good nor bad.
CREATE FUNCTION capforecast._urgency(status capforecast.forecast_status, days_left integer, utilization_ratio double precision)
	RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN status = 'already_breached' OR days_left <= 7 THEN 'critical'
		WHEN days_left <= 30 THEN 'warning'
		WHEN status IN ('insufficient_history', 'insufficient_coverage', 'stale', 'unreliable') THEN 'unknown'
		WHEN days_left <= 90 OR utilization_ratio >= 0.9 THEN 'watch'
		ELSE 'none' END
$$;
COMMENT ON FUNCTION capforecast._urgency(capforecast.forecast_status, integer, double precision) IS
	'critical: reached, or within 7 days; warning: within 30; watch: within 90, or 90 % used; unknown: too little is known; none.';

CREATE FUNCTION capforecast._limit_reason(metric text, limit_name text, unit text, status capforecast.forecast_status,
		current_value double precision, limit_value double precision, utilization_ratio double precision,
		breach_date date, earliest date, latest date, reason text)
	RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' AS $$
	SELECT format('%s at %s of %s (%s%s): ', metric, round(current_value::numeric, 2)::double precision,
			round(limit_value::numeric, 2)::double precision, limit_name,
			coalesce(format(', %s%%', round((utilization_ratio * 100)::numeric, 1)), ''))
		|| CASE status
			WHEN 'ok' THEN format('reached about %s, %s.', breach_date, CASE WHEN latest IS NULL THEN format('at the earliest %s', earliest)
				ELSE format('between %s and %s in four cases of five', earliest, latest) END)
			WHEN 'already_breached' THEN format('reached since %s.', breach_date)
			WHEN 'no_growth' THEN 'it does not move.'
			WHEN 'shrinking' THEN 'it moves away from the limit.'
			ELSE coalesce(lower(left(reason, 1)) || substr(reason, 2), 'nothing can be said.') END
$$;
COMMENT ON FUNCTION capforecast._limit_reason(text, text, text, capforecast.forecast_status, double precision, double precision, double precision, date, date, date, text) IS
	'A row of the outlook as a sentence.';

CREATE FUNCTION capforecast._check_policy(policy text)
	RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF policy IS NULL OR policy NOT IN ('conservative', 'expected', 'aggressive') THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('"%s" is not a policy', policy),
			HINT = 'Use conservative (the early end of the range), expected, or aggressive (the late end).';
	END IF;
	RETURN policy;
END
$$;
COMMENT ON FUNCTION capforecast._check_policy(text) IS 'The policy; 22023 where there is none of that name.';

CREATE FUNCTION capforecast.capacity_outlook(horizon interval DEFAULT '365 days', policy text DEFAULT 'expected',
		as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (metric text, limit_kind text, limit_name text, unit text,
		current_value double precision, limit_value double precision, utilization_ratio double precision,
		status capforecast.forecast_status, urgency text, is_binding boolean,
		days_left integer, plan_date date, breach_date date, breach_date_earliest date, breach_date_latest date,
		breach_probability_30_days double precision, breach_probability_60_days double precision,
		breach_probability_90_days double precision, breach_probability double precision, ready_on date, reason text)
	LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
	WITH clock AS MATERIALIZED (
		SELECT capforecast._instant(as_of) AS now, capforecast._check_policy(capacity_outlook.policy) AS policy),
	planned AS MATERIALIZED (
		SELECT o.*, clock.now, d.plan_date, capforecast._days_until(d.plan_date, clock.now) AS days_left
		FROM clock CROSS JOIN LATERAL capforecast._outlook(capacity_outlook.horizon, clock.now) o
			CROSS JOIN LATERAL capforecast._plan_date(clock.policy, o.status, o.breach_date_earliest, o.breach_date,
				o.breach_date_latest) AS d(plan_date)),
	-- simulated for each horizon anew; that the chance never falls with time is put right here
	chances AS (
		SELECT p.metric, p.limit_kind,
			max(t.breach_probability) FILTER (WHERE d.days <= 30) AS in_30,
			max(t.breach_probability) FILTER (WHERE d.days <= 60) AS in_60,
			max(t.breach_probability) AS in_90
		FROM planned p CROSS JOIN (VALUES (30), (60), (90)) d(days)
			CROSS JOIN LATERAL capforecast.time_to_threshold(capforecast.metric_series(p.metric, p.now), p.limit_value,
				horizon => make_interval(days => d.days), direction => p.direction, kind => p.kind, as_of => p.now) t
		GROUP BY p.metric, p.limit_kind)
	SELECT p.metric, p.limit_kind, p.limit_name, p.unit, p.current_value, p.limit_value, p.utilization_ratio, p.status,
		capforecast._urgency(p.status, p.days_left, p.utilization_ratio),
		p.plan_date IS NOT NULL AND row_number() OVER w = 1,
		p.days_left, p.plan_date, p.breach_date, p.breach_date_earliest, p.breach_date_latest,
		c.in_30, c.in_60, c.in_90, p.breach_probability, p.ready_on,
		capforecast._limit_reason(p.metric, p.limit_name, p.unit, p.status, p.current_value, p.limit_value, p.utilization_ratio,
			p.breach_date, p.breach_date_earliest, p.breach_date_latest, p.reason)
	FROM planned p JOIN chances c USING (metric, limit_kind)
	WINDOW w AS (ORDER BY p.plan_date, p.utilization_ratio DESC NULLS LAST, p.metric, p.limit_kind)
	ORDER BY p.plan_date, p.utilization_ratio DESC NULLS LAST, p.metric, p.limit_kind
$$;
COMMENT ON FUNCTION capforecast.capacity_outlook(interval, text, timestamptz) IS
	'When each limit is reached, soonest first, from what was captured until as_of: the maxima of the infrastructure tier in use (infrastructure; see use_infrastructure_tier()), what subscriptions allow against the use of exactly those that have a limit (subscriptions), and own metrics'' limits (own). The range holds the date in four cases of five. plan_date and days_left follow the policy: conservative the early end of the range, expected the middle, aggressive the late end. is_binding: the one that comes first. urgency: critical (reached, or within 7 days), warning (30), watch (90 days, or 90 % used), unknown, none. horizon: at most 10000 days. Errors: 22023.';

CREATE FUNCTION capforecast.capacity_outlook_json(horizon interval DEFAULT '365 days', policy text DEFAULT 'expected',
		as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_agg(to_jsonb(o) - 'position' ORDER BY o.position), '[]')
	FROM capforecast.capacity_outlook(horizon, policy, as_of) WITH ORDINALITY AS o(metric, limit_kind, limit_name, unit,
		current_value, limit_value, utilization_ratio, status, urgency, is_binding, days_left, plan_date, breach_date,
		breach_date_earliest, breach_date_latest, breach_probability_30_days, breach_probability_60_days,
		breach_probability_90_days, breach_probability, ready_on, reason, position)
$$;
COMMENT ON FUNCTION capforecast.capacity_outlook_json(interval, text, timestamptz) IS 'capacity_outlook() as one list.';
-- Month by month, and what if.

CREATE FUNCTION capforecast._month_ends(horizon interval, as_of timestamptz)
	RETURNS TABLE (month date, last_day date)
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT m::date, (m + interval '1 month')::date - 1
	FROM (SELECT as_of AT TIME ZONE 'UTC' AS now) clock
		CROSS JOIN generate_series(date_trunc('month', now), now + horizon, '1 month') m
	WHERE m + interval '1 month' - interval '1 day' > now AND m < date_trunc('month', now + horizon)
$$;
COMMENT ON FUNCTION capforecast._month_ends(interval, timestamptz) IS 'The months that end within the horizon.';

CREATE FUNCTION capforecast.capacity_plan(horizon interval DEFAULT '12 months', confidence_level double precision DEFAULT 0.80,
		as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (month date, last_day date,
		vendors double precision, vendors_upper double precision, products double precision, products_upper double precision,
		orders double precision, orders_upper double precision, storage_gb double precision, storage_gb_upper double precision,
		db_size_mb double precision, db_size_mb_upper double precision,
		tier text, tier_is_exceeded boolean, monthly_cost_cents bigint,
		tier_upper text, tier_upper_is_exceeded boolean, monthly_cost_cents_upper bigint, currency text, reason text)
	LANGUAGE plpgsql STABLE ROWS 12 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	now constant timestamptz := capforecast._instant(as_of);
	today constant date := (now AT TIME ZONE 'UTC')::date;
	days constant integer := ((now AT TIME ZONE 'UTC') + capacity_plan.horizon)::date - today;
BEGIN
	IF days IS NULL OR days NOT BETWEEN 28 AND 1830 THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'horizon must be between 28 days and 5 years',
			HINT = 'Give an interval, for example ''12 months''.';
	END IF;

	RETURN QUERY
	WITH metric AS (SELECT unnest('{vendors,products,orders,storage_gb,db_size_mb}'::text[]) AS name),
	forecasts AS MATERIALIZED (
		SELECT m.name, f.* FROM metric m
			CROSS JOIN LATERAL capforecast.forecast(m.name, days, confidence_level => capacity_plan.confidence_level, as_of => now) f),
	months AS (
		SELECT e.month, e.last_day,
			jsonb_object_agg(f.name, f.predicted) FILTER (WHERE f.predicted IS NOT NULL) AS expected,
			jsonb_object_agg(f.name, f.upper_bound) FILTER (WHERE f.predicted IS NOT NULL) AS upper
		FROM capforecast._month_ends(capacity_plan.horizon, now) e
			LEFT JOIN forecasts f ON f.forecast_date = e.last_day
		GROUP BY e.month, e.last_day),
	value AS (
		SELECT f.forecast_date, max(f.predicted) FILTER (WHERE f.name = 'vendors') AS v, max(f.upper_bound) FILTER (WHERE f.name = 'vendors') AS v_upper,
			max(f.predicted) FILTER (WHERE f.name = 'products') AS p, max(f.upper_bound) FILTER (WHERE f.name = 'products') AS p_upper,
			max(f.predicted) FILTER (WHERE f.name = 'orders') AS o, max(f.upper_bound) FILTER (WHERE f.name = 'orders') AS o_upper,
			max(f.predicted) FILTER (WHERE f.name = 'storage_gb') AS s, max(f.upper_bound) FILTER (WHERE f.name = 'storage_gb') AS s_upper,
			max(f.predicted) FILTER (WHERE f.name = 'db_size_mb') AS d, max(f.upper_bound) FILTER (WHERE f.name = 'db_size_mb') AS d_upper
		FROM forecasts f GROUP BY f.forecast_date),
	unknown AS (
		SELECT string_agg(format('%s is not known (%s: %s)', f.name, f.status, rtrim(f.reason, '.')), '; ' ORDER BY f.name) || '.' AS text
		FROM forecasts f WHERE f.predicted IS NULL)
	SELECT m.month, m.last_day, value.v, value.v_upper, value.p, value.p_upper, value.o, value.o_upper,
		value.s, value.s_upper, value.d, value.d_upper,
		-- a size can be named where at least what every size is measured by is known
		CASE WHEN is_known.yes THEN (t.tier).name END, CASE WHEN is_known.yes THEN t.is_exceeded END,
		CASE WHEN is_known.yes THEN (t.tier).monthly_cost_cents END,
		CASE WHEN is_known.yes THEN (u.tier).name END, CASE WHEN is_known.yes THEN u.is_exceeded END,
		CASE WHEN is_known.yes THEN (u.tier).monthly_cost_cents END,
		CASE WHEN is_known.yes THEN (t.tier).currency::text END, unknown.text
	FROM months m CROSS JOIN unknown
		LEFT JOIN value ON value.forecast_date = m.last_day
		CROSS JOIN LATERAL (SELECT value.v IS NOT NULL AND value.p IS NOT NULL AS yes) is_known
		LEFT JOIN LATERAL capforecast._tier_for(coalesce(m.expected, '{}')) t ON true
		LEFT JOIN LATERAL capforecast._tier_for(coalesce(m.upper, '{}')) u ON true
	ORDER BY m.month;
END
$$;
COMMENT ON FUNCTION capforecast.capacity_plan(interval, double precision, timestamptz) IS
	'Month by month until the horizon (28 days to 5 years): what forecast() says of the last day of each month that ends within it, expected and at the upper bound of the confidence level, the infrastructure tier that carries each, and its cost a month. NULL, with the reason: not known; a tier is named where vendors and products are. Errors: 22023.';

CREATE FUNCTION capforecast.capacity_plan_json(horizon interval DEFAULT '12 months', confidence_level double precision DEFAULT 0.80,
		as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY p.month), '[]') FROM capforecast.capacity_plan(horizon, confidence_level, as_of) p
$$;
COMMENT ON FUNCTION capforecast.capacity_plan_json(interval, double precision, timestamptz) IS 'capacity_plan() as one list.';

CREATE FUNCTION capforecast.what_if(metric text, add double precision DEFAULT 0, growth_multiplier double precision DEFAULT 1,
		from_date date DEFAULT NULL, threshold double precision DEFAULT NULL, horizon integer DEFAULT 90,
		confidence_level double precision DEFAULT 0.95, as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (forecast_date date, predicted double precision, lower_bound double precision, upper_bound double precision,
		baseline double precision, limit_value double precision, utilization_ratio double precision,
		status capforecast.forecast_status, reason text)
	LANGUAGE plpgsql STABLE ROWS 90 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	now constant timestamptz := capforecast._instant(as_of);
	start constant date := coalesce(what_if.from_date, '-infinity');
	plain constant boolean := what_if.add = 0 AND what_if.growth_multiplier = 1;
BEGIN
	PERFORM capforecast._known_metric(what_if.metric);
	IF what_if.add IS NULL OR abs(what_if.add) = 'Infinity' OR what_if.add = 'NaN' THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'add must be a finite number',
			HINT = 'Give what comes on top from from_date on; leave it out for nothing.';
	ELSIF what_if.growth_multiplier IS NULL OR NOT what_if.growth_multiplier BETWEEN 0 AND 1000 THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'growth_multiplier must be between 0 and 1000',
			HINT = '1 is the growth that is forecast, 2 twice as much, 0 none.';
	END IF;

	RETURN QUERY
	WITH base AS MATERIALIZED (
		SELECT * FROM capforecast.forecast(what_if.metric, what_if.horizon, confidence_level => what_if.confidence_level, as_of => now)),
	-- growth counts from the last value before the change
	before AS (
		SELECT coalesce(
			(SELECT b.predicted FROM base b WHERE b.forecast_date < start ORDER BY b.forecast_date DESC LIMIT 1),
			(SELECT h.value FROM capforecast.metric_history h
			  WHERE h.metric = what_if.metric AND h.day <= (now AT TIME ZONE 'UTC')::date ORDER BY h.day DESC LIMIT 1)) AS value),
	bounds AS (SELECT m.floor, m.cap FROM capforecast.metrics m WHERE m.metric = what_if.metric),
	limits AS (
		SELECT coalesce(what_if.threshold, (SELECT min(l.limit_value) FROM capforecast._limits(now) l
			WHERE l.metric = what_if.metric AND l.direction = 'up'),
			(SELECT max(l.limit_value) FROM capforecast._limits(now) l WHERE l.metric = what_if.metric AND l.direction = 'down')) AS value),
	changed AS (
		SELECT b.*, c.values[1] AS p, c.values[2] AS l, c.values[3] AS u
		FROM base b CROSS JOIN before CROSS JOIN LATERAL (
			SELECT array_agg(CASE WHEN plain OR b.forecast_date < start THEN x.value
				ELSE least(greatest(before.value + what_if.add + what_if.growth_multiplier * (x.value - before.value),
					(SELECT floor FROM bounds)), (SELECT cap FROM bounds)) END ORDER BY x.position) AS values
			FROM (VALUES (1, b.predicted), (2, b.lower_bound), (3, b.upper_bound)) x(position, value)) c)
	SELECT c.forecast_date, c.p, c.l, c.u, c.predicted, limits.value, c.p / nullif(limits.value, 0), c.status, c.reason
	FROM changed c CROSS JOIN limits ORDER BY c.forecast_date;
END
$$;
COMMENT ON FUNCTION capforecast.what_if(text, double precision, double precision, date, double precision, integer, double precision, timestamptz) IS
	'forecast(metric) with a change from from_date on (NULL: at once): add comes on top, and what is gained from there on is multiplied. baseline is the forecast without; where nothing is changed both are the same. limit_value is the threshold, or the metric''s own nearest limit. horizon in days. Bounds of the metric (never below 0) hold. Errors: 22023.';

CREATE FUNCTION capforecast.tier_mix(days integer DEFAULT 30, as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (tier text, start_count bigint, end_count bigint, change bigint,
		start_ratio double precision, end_ratio double precision, start_date date, end_date date)
	LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	today constant date := (capforecast._instant(as_of) AT TIME ZONE 'UTC')::date;
BEGIN
	PERFORM capforecast._check_days(tier_mix.days);
	RETURN QUERY
	WITH known AS (
		SELECT s.snapshot_date, s.tier_distribution FROM capforecast.capacity_snapshots s
		WHERE s.snapshot_date BETWEEN today - tier_mix.days AND today
			AND s.tier_distribution <> '{}'),
	first AS (SELECT * FROM known ORDER BY snapshot_date LIMIT 1),
	last AS (SELECT * FROM known ORDER BY snapshot_date DESC LIMIT 1),
	counts AS (
		SELECT key AS tier, coalesce(f.value::bigint, 0) AS before, coalesce(l.value::bigint, 0) AS after
		FROM (SELECT e.* FROM first, jsonb_each_text(tier_distribution) e) f
			FULL JOIN (SELECT e.* FROM last, jsonb_each_text(tier_distribution) e) l USING (key))
	SELECT c.tier, c.before, c.after, c.after - c.before,
		c.before::double precision / sum(c.before) OVER (), c.after::double precision / sum(c.after) OVER (),
		first.snapshot_date, last.snapshot_date
	FROM counts c, first, last
	ORDER BY c.after DESC, c.tier;
END
$$;
COMMENT ON FUNCTION capforecast.tier_mix(integer, timestamptz) IS
	'Active and trial subscriptions by tier on the first and the last day of the last days, and their shares, which add up to 1. No rows where the distribution is known on no day. Error: 22023.';
-- Vendors: who drives the growth, and who passes a limit of its plan.

CREATE FUNCTION capforecast.growth_contributors(metric text, days integer DEFAULT 30, as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (vendor_id text, start_value bigint, end_value bigint, contribution bigint, share_ratio double precision,
		start_date date, end_date date)
	LANGUAGE plpgsql STABLE ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	today constant date := (capforecast._instant(as_of) AT TIME ZONE 'UTC')::date;
BEGIN
	IF growth_contributors.metric IS NULL OR growth_contributors.metric NOT IN ('products', 'orders', 'team_members') THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('metric "%s" is not known by vendor', growth_contributors.metric),
			HINT = 'The metrics known by vendor are products, orders and team_members.';
	END IF;
	PERFORM capforecast._check_days(growth_contributors.days);

	-- The first and the last day of the window on which vendors were counted.
	SELECT min(v.day), max(v.day) INTO start_date, end_date FROM capforecast.metric_value v
	WHERE v.metric = 'limited_team_members' AND v.day BETWEEN today - growth_contributors.days AND today;
	IF start_date IS NULL OR start_date = end_date THEN
		RETURN;
	END IF;

	RETURN QUERY
	WITH at_start AS (SELECT * FROM capforecast._vendor_values(growth_contributors.metric, start_date)),
		at_end AS (SELECT * FROM capforecast._vendor_values(growth_contributors.metric, end_date)),
		change AS (
			SELECT vendor_id, coalesce(s.value, 0) AS before, coalesce(e.value, 0) AS after
			FROM at_start s FULL JOIN at_end e USING (vendor_id))
	SELECT nullif(c.vendor_id, ''), c.before, c.after, c.after - c.before,
		(c.after - c.before) / nullif(sum(c.after - c.before) OVER (), 0)::double precision,
		start_date, end_date
	FROM change c WHERE c.after <> c.before
	ORDER BY abs(c.after - c.before) DESC, c.vendor_id COLLATE "C";
END
$$;
COMMENT ON FUNCTION capforecast.growth_contributors(text, integer, timestamptz) IS
	'Which vendors changed products, orders (in their periods) or team_members over the last days, largest first; the contributions add up to the change, share_ratio is of it (NULL where it is 0; negative for who moved against it). Vendor NULL: what has no vendor. No rows where vendors were counted on fewer than two days (capture_vendor_usage). Error: 22023.';

CREATE FUNCTION capforecast._vendor_values(metric text, day date)
	RETURNS TABLE (vendor_id text, value bigint)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	-- width_bucket() counts the elements at or below: the index of the value that holds
	SELECT DISTINCT ON (u.vendor_id) u.vendor_id,
		CASE metric
			WHEN 'products' THEN u.products[width_bucket(_vendor_values.day - u.first_day, u.products_at::integer[])]
			WHEN 'orders' THEN u.orders[width_bucket(_vendor_values.day - u.first_day, u.orders_at::integer[])]
			ELSE u.team_members[width_bucket(_vendor_values.day - u.first_day, u.team_members_at::integer[])] END
	FROM capforecast.vendor_usage u
	WHERE u.first_day <= _vendor_values.day
	ORDER BY u.vendor_id, u.first_day DESC
$$;
COMMENT ON FUNCTION capforecast._vendor_values(text, date) IS 'What each vendor used on a day.';

CREATE FUNCTION capforecast._vendor_near(vendor text, products_limit bigint, orders_limit bigint, team_members_limit bigint,
		period_end timestamptz, captured_until date, as_of timestamptz, until timestamptz)
	RETURNS TABLE (resource text, "position" integer, quota double precision, status capforecast.forecast_status,
		current_value double precision, breach_date date, breach_date_earliest date, breach_date_latest date,
		breach_probability double precision,
		projected_products double precision, projected_orders double precision, projected_team double precision)
	LANGUAGE C STABLE PARALLEL SAFE COST 20000 ROWS 1 AS 'MODULE_PATHNAME', 'capforecast_vendor_near';
COMMENT ON FUNCTION capforecast._vendor_near(text, bigint, bigint, bigint, timestamptz, date, timestamptz, timestamptz) IS
	'Which of a vendor''s limits (NULL: unlimited) are reached, or will be until then: time_to_threshold() of what vendor_usage holds, each change carried forward to the next and the last to captured_until; orders as what their counter counted in all, until the period ends.';

CREATE FUNCTION capforecast.vendor_outlook(within interval DEFAULT '30 days', as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (vendor_id text, vendor_name text, resource text, tier text, current_value double precision, limit_value bigint,
		utilization_ratio double precision, status capforecast.forecast_status, days_left integer,
		breach_date date, breach_date_earliest date, breach_date_latest date, breach_probability double precision,
		projected_value double precision, fitting_tier text, fitting_tier_price_cents bigint, currency text, reason text)
	LANGUAGE C STABLE ROWS 100 AS 'MODULE_PATHNAME', 'capforecast_vendor_outlook';
COMMENT ON FUNCTION capforecast.vendor_outlook(interval, timestamptz) IS
	'The vendors that have reached a limit of their plan (products, orders_monthly, team_members), or will within the given time (up to 366 days) with a chance of a half, soonest first; not who was at a limit, and not above, ever since the first capture. Limits are live: custom or tier, plus add-ons; use is that of the daily capture_vendor_usage(), orders counted to the end of the present period. fitting_tier: the cheapest active tier, by its monthly price, that carries what the vendor uses at the end (projected_value: at the pace of the last 30 days, and one more than a limit that holds it), add-ons kept; NULL: none. No rows before the first capture.';

CREATE FUNCTION capforecast.vendor_outlook_json(within interval DEFAULT '30 days', as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_agg(to_jsonb(v) - 'position' ORDER BY v.position), '[]')
	FROM capforecast.vendor_outlook(within, as_of) WITH ORDINALITY AS v(vendor_id, vendor_name, resource, tier, current_value, limit_value,
		utilization_ratio, status, days_left, breach_date, breach_date_earliest, breach_date_latest, breach_probability,
		projected_value, fitting_tier, fitting_tier_price_cents, currency, reason, position)
$$;
COMMENT ON FUNCTION capforecast.vendor_outlook_json(interval, timestamptz) IS 'vendor_outlook() as one list.';
-- The vendors near a limit, kept: so that recommendations need not look at every vendor.

CREATE TABLE capforecast.vendor_near_limit (
	day              date NOT NULL,
	vendor_id        text NOT NULL,
	vendor_name      text,
	resource         text NOT NULL,
	tier             text,
	current_value    double precision,
	limit_value      bigint,
	status           text NOT NULL,
	breach_date      date,
	projected_value  double precision,
	fitting_tier     text,
	price_cents      bigint,
	currency         text,
	reason           text,
	PRIMARY KEY (vendor_id, resource)
);
COMMENT ON TABLE capforecast.vendor_near_limit IS 'vendor_outlook(''30 days'') as the job look_at_vendors found it last.';
COMMENT ON COLUMN capforecast.vendor_near_limit.day IS 'the UTC day on which it was found';
SELECT pg_catalog.pg_extension_config_dump('capforecast.vendor_near_limit', '');

CREATE FUNCTION capforecast.look_at_vendors(as_of timestamptz DEFAULT NULL)
	RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	started constant timestamptz := clock_timestamp();
	now constant timestamptz := capforecast._instant(as_of);
	n bigint;
BEGIN
	PERFORM pg_advisory_xact_lock(x'63617066'::integer, 4);
	DELETE FROM capforecast.vendor_near_limit;
	INSERT INTO capforecast.vendor_near_limit
	SELECT (now AT TIME ZONE 'UTC')::date, o.vendor_id, o.vendor_name, o.resource, o.tier, o.current_value, o.limit_value,
		o.status::text, o.breach_date, o.projected_value, o.fitting_tier, o.fitting_tier_price_cents, o.currency, o.reason
	FROM capforecast.vendor_outlook('30 days', now) o
	-- of a vendor with several live subscriptions, the limit that comes first
	ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS n = ROW_COUNT;
	PERFORM capforecast._settle_run('look_at_vendors', started, now, n, n);
	RETURN n;
END
$$;
COMMENT ON FUNCTION capforecast.look_at_vendors(timestamptz) IS
	'The daily job that keeps vendor_outlook(''30 days'') in vendor_near_limit, for scaling_recommendations() and reports. Returns how many limits are near.';
-- What to do about it.

CREATE FUNCTION capforecast._scaling_rules(as_of timestamptz)
	RETURNS TABLE (category text, severity text, title text, description text, action text,
		rule text, metric text, due_date date, monthly_cost bigint, details jsonb)
	LANGUAGE C STABLE ROWS 4 AS 'MODULE_PATHNAME', 'capforecast_scaling_rules';
COMMENT ON FUNCTION capforecast._scaling_rules(timestamptz) IS
	'The rules that the web application has always shown, by severity.';

CREATE FUNCTION capforecast._due_severity(status capforecast.forecast_status, breach_date date, due_date date, as_of timestamptz)
	RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN status = 'already_breached' OR capforecast._days_until(breach_date, as_of) <= 7 THEN 'critical'
		WHEN capforecast._days_until(due_date, as_of) <= 30 THEN 'warning'
		ELSE 'info' END
$$;
COMMENT ON FUNCTION capforecast._due_severity(capforecast.forecast_status, date, date, timestamptz) IS
	'critical: reached, or within 7 days; warning: to be ordered within 30 days; info.';

-- What the infrastructure is to carry at the end of the horizon, expected and at most (80 %).
CREATE FUNCTION capforecast._usage_then(days integer, as_of timestamptz, OUT expected jsonb, OUT upper jsonb)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_object_agg(u.key, coalesce(f.yhat, u.value::double precision)),
		jsonb_object_agg(u.key, coalesce(f.yhat_upper, u.value::double precision))
	FROM jsonb_each_text(capforecast._last_usage(as_of)) u
		JOIN capforecast.metrics m ON m.metric = u.key
		LEFT JOIN LATERAL (SELECT * FROM capforecast.forecast(capforecast.metric_series(u.key, as_of),
				days, confidence_level => 0.80, floor => m.floor, cap => m.cap, kind => m.kind, as_of => as_of) x
			ORDER BY x.step DESC NULLS LAST LIMIT 1) f ON true
$$;
COMMENT ON FUNCTION capforecast._usage_then(integer, timestamptz) IS
	'The numbers that infrastructure is measured by, forecast for so many days ahead; those of the last day where they cannot be.';

CREATE FUNCTION capforecast._recommend_smaller(present capforecast._infrastructure_tier, usage_upper jsonb, facts jsonb)
	RETURNS TABLE (category text, severity text, title text, description text, action text,
		rule text, metric text, due_date date, monthly_cost bigint, details jsonb)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'infrastructure', 'info', format('Infrastructure tier %s would do', (n.tier).name),
		format('Use is expected to fit tier %s within %s days, at the upper end of the forecast, too', (n.tier).name, facts ->> 'horizon_days'),
		format('Move from tier %s to %s', (present).name, (n.tier).name), 'right_size', NULL::text, NULL::date, (n.tier).monthly_cost_cents,
		facts || jsonb_build_object('required_tier', (n.tier).name, 'monthly_cost_then_cents', (n.tier).monthly_cost_cents,
			'monthly_saving_cents', (present).monthly_cost_cents - (n.tier).monthly_cost_cents)
	FROM capforecast._tier_for(usage_upper) n
	WHERE NOT n.is_exceeded AND (n.tier).position < (present).position
$$;
COMMENT ON FUNCTION capforecast._recommend_smaller(capforecast._infrastructure_tier, jsonb, jsonb) IS
	'Rule right_size: a smaller tier carries even the upper end of the forecast.';

-- A larger size is needed, or a smaller one would do.
CREATE FUNCTION capforecast._recommend_infrastructure(horizon interval, lead_time interval, as_of timestamptz)
	RETURNS TABLE (category text, severity text, title text, description text, action text,
		rule text, metric text, due_date date, monthly_cost bigint, details jsonb)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' AS $$
#variable_conflict use_column
DECLARE
	days constant integer := ceil(extract(epoch FROM horizon) / 86400);
	usage constant jsonb := capforecast._last_usage(as_of);
	binding record;
	now record;
	needed record;
	forecast record;
BEGIN
	SELECT o.* INTO binding FROM capforecast._outlook(horizon, as_of, '{infrastructure}') o
	ORDER BY o.breach_date, o.utilization_ratio DESC LIMIT 1;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	SELECT t.* INTO now FROM capforecast._tier_in_use(usage) t;
	-- nothing grows into a limit, and there is nothing smaller
	IF binding.breach_date IS NULL AND ((now.tier).position = (SELECT min(i.position) FROM capforecast.infrastructure_tiers i)
			OR binding.status NOT IN ('ok', 'shrinking', 'no_growth', 'beyond_horizon')) THEN
		RETURN;
	END IF;
	SELECT u.* INTO forecast FROM capforecast._usage_then(days, as_of) u;
	details := jsonb_build_object('horizon_days', days, 'tier', (now.tier).name, 'monthly_cost_cents', (now.tier).monthly_cost_cents,
		'currency', (now.tier).currency, 'usage', usage, 'usage_expected', forecast.expected, 'usage_upper', forecast.upper);

	IF binding.breach_date IS NULL THEN
		RETURN QUERY SELECT * FROM capforecast._recommend_smaller(now.tier, forecast.upper, details);
		RETURN;
	END IF;

	-- what passes its limit needs at least one more than that
	SELECT t.* INTO needed FROM capforecast._tier_for(forecast.expected || jsonb_build_object(binding.metric,
		greatest((forecast.expected ->> binding.metric)::double precision, binding.limit_value + 1))) t;
	category := 'infrastructure';
	metric := binding.metric;
	rule := 'infrastructure_upgrade';
	due_date := binding.breach_date - (extract(epoch FROM lead_time) / 86400)::integer;
	severity := capforecast._due_severity(binding.status, binding.breach_date, due_date, as_of);
	description := capforecast._limit_reason(binding.metric, binding.limit_name, binding.unit, binding.status, binding.current_value,
		binding.limit_value, binding.utilization_ratio, binding.breach_date, binding.breach_date_earliest,
		binding.breach_date_latest, binding.reason);
	IF needed.is_exceeded THEN
		monthly_cost := NULL;
		title := 'No infrastructure tier carries what is expected';
		action := format('Add a larger size to infrastructure_tiers, and order it by %s', due_date);
	ELSE
		monthly_cost := (needed.tier).monthly_cost_cents;
		title := format('Infrastructure tier %s needed %s', (needed.tier).name,
			CASE WHEN binding.status = 'already_breached' THEN 'now' ELSE format('by %s', binding.breach_date) END);
		action := CASE WHEN due_date > (as_of AT TIME ZONE 'UTC')::date THEN format('Order tier %s by %s', (needed.tier).name, due_date)
			ELSE format('Order tier %s at once: the day was %s', (needed.tier).name, due_date) END;
	END IF;
	details := details || jsonb_build_object('required_tier', CASE WHEN NOT needed.is_exceeded THEN (needed.tier).name END,
		'monthly_cost_then_cents', CASE WHEN NOT needed.is_exceeded THEN (needed.tier).monthly_cost_cents END,
		'current_value', binding.current_value, 'limit_value', binding.limit_value, 'utilization_ratio', binding.utilization_ratio,
		'status', binding.status, 'breach_date', binding.breach_date, 'breach_date_earliest', binding.breach_date_earliest,
		'breach_date_latest', binding.breach_date_latest, 'breach_probability', binding.breach_probability,
		'lead_time_days', (extract(epoch FROM lead_time) / 86400)::integer);
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION capforecast._recommend_infrastructure(interval, interval, timestamptz) IS
	'Rules infrastructure_upgrade and right_size, at most one row.';

CREATE FUNCTION capforecast._recommend_limits(horizon interval, lead_time interval, as_of timestamptz)
	RETURNS TABLE (category text, severity text, title text, description text, action text,
		rule text, metric text, due_date date, monthly_cost bigint, details jsonb)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' AS $$
	WITH o AS MATERIALIZED (
		SELECT *, breach_date - (extract(epoch FROM lead_time) / 86400)::integer AS due
		FROM capforecast._outlook(horizon, as_of, '{subscriptions,own}'))
	SELECT 'capacity', capforecast._due_severity(o.status, o.breach_date, o.due, as_of),
		format('%s %s %s', o.metric, CASE WHEN o.status = 'already_breached' THEN 'has reached' ELSE 'will reach' END, o.limit_name),
		capforecast._limit_reason(o.metric, o.limit_name, o.unit, o.status, o.current_value, o.limit_value, o.utilization_ratio,
			o.breach_date, o.breach_date_earliest, o.breach_date_latest, o.reason),
		CASE WHEN o.limit_kind = 'subscriptions' THEN 'Offer larger tiers to the vendors near their limits'
			ELSE 'Raise the limit, or stop the growth' END
			|| CASE WHEN o.due > (as_of AT TIME ZONE 'UTC')::date THEN format(' by %s', o.due) ELSE format(' at once: the day was %s', o.due) END,
		'limit_reached', o.metric, o.due, NULL::bigint,
		jsonb_build_object('limit_kind', o.limit_kind, 'current_value', o.current_value, 'limit_value', o.limit_value,
			'utilization_ratio', o.utilization_ratio, 'status', o.status, 'breach_date', o.breach_date,
			'breach_date_earliest', o.breach_date_earliest, 'breach_date_latest', o.breach_date_latest,
			'breach_probability', o.breach_probability, 'lead_time_days', (extract(epoch FROM lead_time) / 86400)::integer)
	FROM o WHERE o.breach_date IS NOT NULL
	UNION ALL
	SELECT 'data', CASE WHEN bool_or(o.status = 'stale') THEN 'warning' ELSE 'info' END,
		format('No date for %s', string_agg(o.metric, ', ' ORDER BY o.metric)),
		string_agg(format('%s: %s', o.metric, coalesce(o.reason, o.status::text)), ' ' ORDER BY o.metric),
		CASE WHEN bool_or(o.status = 'stale') THEN 'See doctor(): a job does not run' ELSE 'Wait for more days, or backfill' END,
		'forecast_pending', NULL, min(o.ready_on), NULL, jsonb_object_agg(o.metric, o.status ORDER BY o.metric)
	FROM o WHERE o.status IN ('insufficient_history', 'insufficient_coverage', 'stale', 'unreliable')
	HAVING count(*) > 0
$$;
COMMENT ON FUNCTION capforecast._recommend_limits(interval, interval, timestamptz) IS 'Rules limit_reached and forecast_pending.';

CREATE FUNCTION capforecast._recommend_vendors(as_of timestamptz)
	RETURNS TABLE (category text, severity text, title text, description text, action text,
		rule text, metric text, due_date date, monthly_cost bigint, details jsonb)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'vendors', 'info', format('%s vendors at or near a limit of their plan', count(DISTINCT v.vendor_id)),
		format('%s have reached one, %s will within 30 days', count(DISTINCT v.vendor_id) FILTER (WHERE v.status = 'already_breached'),
			count(DISTINCT v.vendor_id) FILTER (WHERE v.status <> 'already_breached')),
		'Talk to them about the tier that fits: vendor_outlook() lists all', 'vendors_near_limit', NULL::text,
		min(v.breach_date) FILTER (WHERE v.status <> 'already_breached'), NULL::bigint,
		jsonb_build_object('found_on', max(v.day), 'vendors', (SELECT jsonb_agg(to_jsonb(top) - 'day') FROM (
			SELECT * FROM capforecast.vendor_near_limit t ORDER BY t.status = 'already_breached', t.breach_date, t.vendor_id, t.resource LIMIT 10) top))
	FROM capforecast.vendor_near_limit v
	WHERE v.day BETWEEN (as_of AT TIME ZONE 'UTC')::date - 2 AND (as_of AT TIME ZONE 'UTC')::date
	HAVING count(*) > 0
	UNION ALL
	SELECT 'growth', 'info', 'Tier mix is shifting',
		string_agg(format('%s from %s%% to %s%%', m.tier, round((100 * m.start_ratio)::numeric, 1), round((100 * m.end_ratio)::numeric, 1)),
			', ' ORDER BY abs(m.end_ratio - m.start_ratio) DESC, m.tier),
		'Check what the shift does to the theoretical limits and to revenue', 'tier_mix', NULL, NULL, NULL,
		jsonb_object_agg(m.tier, jsonb_build_object('start_ratio', m.start_ratio, 'end_ratio', m.end_ratio, 'change', m.change))
	FROM capforecast.tier_mix(30, as_of) m
	HAVING max(abs(m.end_ratio - m.start_ratio)) >= 0.05
$$;
COMMENT ON FUNCTION capforecast._recommend_vendors(timestamptz) IS 'Rules vendors_near_limit and tier_mix.';

CREATE FUNCTION capforecast.scaling_recommendations(extended boolean DEFAULT true, as_of timestamptz DEFAULT NULL,
		horizon interval DEFAULT '90 days', lead_time interval DEFAULT '14 days')
	RETURNS TABLE (category text, severity text, title text, description text, action text,
		rule text, metric text, due_date date, monthly_cost bigint, details jsonb)
	LANGUAGE plpgsql STABLE ROWS 8 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	now constant timestamptz := capforecast._instant(as_of);
BEGIN
	IF scaling_recommendations.extended IS NOT TRUE THEN
		RETURN QUERY SELECT * FROM capforecast._scaling_rules(as_of);
		RETURN;
	ELSIF scaling_recommendations.horizon IS NULL OR extract(epoch FROM scaling_recommendations.horizon) NOT BETWEEN 86400 AND 366 * 86400 THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'horizon must be between 1 and 366 days',
			HINT = 'Give an interval, for example ''90 days''.';
	ELSIF scaling_recommendations.lead_time IS NULL OR extract(epoch FROM scaling_recommendations.lead_time) NOT BETWEEN 0 AND 366 * 86400 THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'lead_time must be between 0 and 366 days',
			HINT = 'Give how long before it is needed capacity is ordered, for example ''14 days''.';
	END IF;
	RETURN QUERY
	SELECT (r.r).* FROM (
		SELECT 1 AS part, r FROM capforecast._scaling_rules(as_of) r
		UNION ALL SELECT 2, r FROM capforecast._recommend_infrastructure(scaling_recommendations.horizon, scaling_recommendations.lead_time, now) r
		UNION ALL SELECT 3, r FROM capforecast._recommend_limits(scaling_recommendations.horizon, scaling_recommendations.lead_time, now) r
		UNION ALL SELECT 4, r FROM capforecast._recommend_vendors(now) r
	) r
	-- within a severity the application's own rules come first, in their order
	ORDER BY array_position('{critical,warning,info}', (r.r).severity), r.part,
		CASE WHEN r.part = 1 THEN array_position('{product_capacity,next_tier,vendor_growth,image_storage}', (r.r).rule) END,
		(r.r).due_date, (r.r).metric;
END
$$;
COMMENT ON FUNCTION capforecast.scaling_recommendations(boolean, timestamptz, interval, interval) IS
	'Recommendations by severity: product use above 80 % of the theoretical limit, an infrastructure tier above 70 % of its maximum, vendors growing by more than 20 % in 30 days, image storage above 800 GB; use is read live. extended => false: exactly these rules. Extended, from what was captured: infrastructure_upgrade (tier needed within the horizon, its cost, and the day to order it: the day it is needed less lead_time), right_size, limit_reached, forecast_pending, vendors_near_limit (of the job look_at_vendors), tier_mix; each with its numbers in details. critical: reached, or within 7 days; warning: to be ordered within 30 days. monthly_cost is in minor units. horizon and lead_time: up to 366 days. Error: 22023.';

CREATE FUNCTION capforecast.scaling_recommendations_json(extended boolean DEFAULT true, as_of timestamptz DEFAULT NULL,
		horizon interval DEFAULT '90 days', lead_time interval DEFAULT '14 days')
	RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_agg(
		jsonb_build_object('category', r.category, 'severity', r.severity, 'title', r.title,
			'description', r.description, 'action', r.action)
		|| CASE WHEN scaling_recommendations_json.extended THEN
			jsonb_build_object('rule', r.rule, 'metric', r.metric, 'due_date', r.due_date,
				'monthly_cost', r.monthly_cost, 'details', r.details)
		   ELSE '{}' END
		ORDER BY r.position), '[]')
	FROM capforecast.scaling_recommendations(extended, as_of, horizon, lead_time)
		WITH ORDINALITY AS r(category, severity, title, description, action, rule, metric, due_date, monthly_cost, details, position)
$$;
COMMENT ON FUNCTION capforecast.scaling_recommendations_json(boolean, timestamptz, interval, interval) IS
	'scaling_recommendations() as the list that the web application shows.';
-- Alerts: what has become urgent, said once.

CREATE TABLE capforecast.alert (
	alert_id      bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	metric        text NOT NULL,
	limit_kind    text NOT NULL,
	severity      text NOT NULL CHECK (severity IN ('warning', 'critical')),
	opened_at     timestamptz NOT NULL,
	escalated_at  timestamptz,
	calm_since    timestamptz,
	recovered_at  timestamptz,
	is_breach     boolean NOT NULL,
	limit_value   double precision,
	current_value double precision,
	breach_date   date,
	reason        text NOT NULL
);
CREATE UNIQUE INDEX alert_open ON capforecast.alert (metric, limit_kind) WHERE recovered_at IS NULL;
CREATE INDEX alert_recovered ON capforecast.alert (metric, limit_kind, recovered_at);
COMMENT ON TABLE capforecast.alert IS 'Limits that are, or were, about to be reached; written by raise_alerts(). At most one open alert per limit.';
COMMENT ON COLUMN capforecast.alert.severity IS 'the worst that it has been: it does not fall before the alert has recovered';
COMMENT ON COLUMN capforecast.alert.calm_since IS 'since when nothing speaks for the alert any more; it recovers after the cooldown';
COMMENT ON COLUMN capforecast.alert.is_breach IS 'the limit was measured as reached: then only a measured value back below it is calm';
SELECT pg_catalog.pg_extension_config_dump('capforecast.alert', '');
SELECT pg_catalog.pg_extension_config_dump('capforecast.alert_alert_id_seq', '');

-- What each limit says: how urgent it is, and whether it is calm enough to end an alert.
-- Between the two lies a gap, so that a value about the edge does not open and close.
CREATE FUNCTION capforecast._alert_levels(policy text, as_of timestamptz)
	RETURNS TABLE (metric text, limit_kind text, urgency text, is_reached boolean, is_below boolean, is_calm boolean,
		current_value double precision, limit_value double precision, utilization_ratio double precision,
		days_left integer, plan_date date, reason text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT o.metric, o.limit_kind, capforecast._urgency(o.status, d.days, o.utilization_ratio),
		o.status = 'already_breached',
		coalesce(o.utilization_ratio < 0.98, false),
		o.status IN ('ok', 'beyond_horizon', 'no_growth', 'shrinking') AND coalesce(d.days > 45, true),
		o.current_value, o.limit_value, o.utilization_ratio, d.days, p.plan_date,
		capforecast._limit_reason(o.metric, o.limit_name, o.unit, o.status, o.current_value, o.limit_value, o.utilization_ratio,
			o.breach_date, o.breach_date_earliest, o.breach_date_latest, o.reason)
	FROM capforecast._outlook('120 days', as_of) o
		CROSS JOIN LATERAL capforecast._plan_date(policy, o.status, o.breach_date_earliest, o.breach_date, o.breach_date_latest) AS p(plan_date)
		CROSS JOIN LATERAL capforecast._days_until(p.plan_date, as_of) AS d(days)
$$;
COMMENT ON FUNCTION capforecast._alert_levels(text, timestamptz) IS 'What raise_alerts() decides from.';

CREATE FUNCTION capforecast._announce_alert(event text, alert capforecast.alert, previous_severity text, as_of timestamptz)
	RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	SELECT pg_notify('capforecast', jsonb_build_object('event', event, 'alert_id', (alert).alert_id, 'metric', (alert).metric,
		'limit_kind', (alert).limit_kind, 'severity', (alert).severity, 'previous_severity', previous_severity,
		'current_value', (alert).current_value, 'limit_value', (alert).limit_value, 'breach_date', (alert).breach_date,
		'reason', left((alert).reason, 2000), 'as_of', as_of)::text)
$$;
COMMENT ON FUNCTION capforecast._announce_alert(text, capforecast.alert, text, timestamptz) IS 'Tell the listeners of channel capforecast.';

-- One limit: opens, escalates or ends its alert. NULL: nothing to tell.
CREATE FUNCTION capforecast._follow_limit(metric text, limit_kind text, urgency text, is_reached boolean, is_below boolean, is_calm boolean,
		current_value double precision, limit_value double precision, plan_date date, reason text, cooldown interval, as_of timestamptz,
		OUT event text, OUT alert_id bigint, OUT previous_severity text)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	is_urgent constant boolean := _follow_limit.urgency IN ('warning', 'critical');
	is_over boolean;
	alert capforecast.alert;
BEGIN
	SELECT * INTO alert FROM capforecast.alert a
	WHERE a.metric = _follow_limit.metric AND a.limit_kind = _follow_limit.limit_kind AND a.recovered_at IS NULL FOR UPDATE;
	IF NOT FOUND THEN
		IF is_urgent AND (_follow_limit.is_reached OR NOT EXISTS (
				SELECT FROM capforecast.alert a WHERE a.metric = _follow_limit.metric AND a.limit_kind = _follow_limit.limit_kind
					AND a.recovered_at > _follow_limit.as_of - _follow_limit.cooldown)) THEN
			INSERT INTO capforecast.alert AS a (metric, limit_kind, severity, opened_at, is_breach, limit_value, current_value, breach_date, reason)
			VALUES (_follow_limit.metric, _follow_limit.limit_kind, _follow_limit.urgency, _follow_limit.as_of, _follow_limit.is_reached,
				_follow_limit.limit_value, _follow_limit.current_value, _follow_limit.plan_date, _follow_limit.reason)
			RETURNING a.alert_id INTO alert_id;
			event := 'new';
		END IF;
		RETURN;
	END IF;

	alert_id := alert.alert_id;
	previous_severity := alert.severity;
	is_over := _follow_limit.is_calm AND (_follow_limit.is_below OR NOT alert.is_breach);
	event := CASE
		WHEN _follow_limit.urgency = 'critical' AND alert.severity = 'warning' THEN 'escalated'
		WHEN is_over AND coalesce(alert.calm_since, _follow_limit.as_of) <= _follow_limit.as_of - _follow_limit.cooldown THEN 'recovered' END;
	UPDATE capforecast.alert a SET
		severity = CASE WHEN event = 'escalated' THEN 'critical' ELSE a.severity END,
		escalated_at = CASE WHEN event = 'escalated' THEN _follow_limit.as_of ELSE a.escalated_at END,
		is_breach = a.is_breach OR _follow_limit.is_reached,
		-- what is not known is neither calm nor urgent
		calm_since = CASE WHEN is_over THEN coalesce(a.calm_since, _follow_limit.as_of)
			WHEN _follow_limit.urgency = 'unknown' THEN a.calm_since END,
		recovered_at = CASE WHEN event = 'recovered' THEN _follow_limit.as_of END,
		limit_value = _follow_limit.limit_value, current_value = _follow_limit.current_value,
		breach_date = _follow_limit.plan_date, reason = _follow_limit.reason
	WHERE a.alert_id = alert.alert_id;
END
$$;
COMMENT ON FUNCTION capforecast._follow_limit(text, text, text, boolean, boolean, boolean, double precision, double precision, date, text, interval, timestamptz) IS
	'What raise_alerts() does for one limit.';

-- An alert about a metric that was dropped would never end.
CREATE FUNCTION capforecast._end_orphans(as_of timestamptz)
	RETURNS TABLE (event text, alert_id bigint, previous_severity text)
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	UPDATE capforecast.alert a SET recovered_at = as_of, reason = format('metric %s was dropped.', a.metric)
	WHERE a.recovered_at IS NULL AND NOT EXISTS (SELECT FROM capforecast.metrics m WHERE m.metric = a.metric)
	RETURNING 'recovered', a.alert_id, a.severity
$$;
COMMENT ON FUNCTION capforecast._end_orphans(timestamptz) IS 'End the open alerts about metrics that do not exist any more.';

CREATE FUNCTION capforecast.raise_alerts(policy text DEFAULT 'expected', cooldown interval DEFAULT '24 hours', as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (event text, metric text, limit_kind text, severity text, previous_severity text, reason text)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	started constant timestamptz := clock_timestamp();
	now constant timestamptz := capforecast._instant(as_of);
	told record;
	alert capforecast.alert;
	examined bigint := 0;
	changed bigint := 0;
BEGIN
	PERFORM capforecast._check_policy(raise_alerts.policy);
	IF raise_alerts.cooldown IS NULL OR raise_alerts.cooldown < '0' THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'cooldown must not be negative',
			HINT = 'Give an interval, for example ''24 hours''.';
	END IF;
	PERFORM pg_advisory_xact_lock(x'63617066'::integer, 5);

	FOR told IN
		SELECT f.*
		FROM (SELECT * FROM capforecast._alert_levels(raise_alerts.policy, now) l ORDER BY l.metric, l.limit_kind) l
			CROSS JOIN LATERAL capforecast._follow_limit(l.metric, l.limit_kind, l.urgency, l.is_reached, l.is_below, l.is_calm,
				l.current_value, l.limit_value, l.plan_date, l.reason, raise_alerts.cooldown, now) f
		UNION ALL SELECT * FROM capforecast._end_orphans(now)
	LOOP
		examined := examined + 1;
		CONTINUE WHEN told.event IS NULL;
		changed := changed + 1;
		SELECT a.* INTO alert FROM capforecast.alert a WHERE a.alert_id = told.alert_id;
		PERFORM capforecast._announce_alert(told.event, alert, told.previous_severity, now);
		event := told.event;
		previous_severity := told.previous_severity;
		metric := alert.metric;
		limit_kind := alert.limit_kind;
		severity := alert.severity;
		reason := alert.reason;
		RETURN NEXT;
	END LOOP;
	PERFORM capforecast._settle_run('raise_alerts', started, now, examined, changed);
END
$$;
COMMENT ON FUNCTION capforecast.raise_alerts(text, interval, timestamptz) IS
	'Compare the outlook with the open alerts, and tell what has changed: a row, and a NOTIFY on channel capforecast with the same as JSON, for each alert that is new (a limit reached, or to be within 30 days by the policy), escalated (to critical: reached, or within 7 days) or recovered. An alert is said once however often this runs; it recovers when nothing speaks for it (no date within 45 days, and what was reached measured below 98 % of the limit) for the cooldown, never because too little is known, and is not raised anew within the cooldown unless the limit is reached. Error: 22023.';
-- The run log, and the list of jobs.

CREATE TABLE capforecast.job_run (
	run_id         bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	job            text NOT NULL,
	started_at     timestamptz NOT NULL,
	finished_at    timestamptz,
	as_of          timestamptz NOT NULL,
	status         text NOT NULL CHECK (status IN ('running', 'ok', 'failed')),
	examined       bigint,
	changed        bigint,
	skipped_locked bigint,
	failed         bigint,
	detail         jsonb
);
CREATE INDEX job_run_latest ON capforecast.job_run (job, started_at DESC);
COMMENT ON TABLE capforecast.job_run IS
	'One row for each run of a job. A row that stays running belongs to a run that was killed.';
COMMENT ON COLUMN capforecast.job_run.as_of IS 'the instant that the run counted as now';
COMMENT ON COLUMN capforecast.job_run.examined IS 'things looked at';
COMMENT ON COLUMN capforecast.job_run.changed IS 'things written';
COMMENT ON COLUMN capforecast.job_run.skipped_locked IS 'things left for the next run because somebody held them';
COMMENT ON COLUMN capforecast.job_run.failed IS 'parts that failed while the rest was kept; detail says which and why';
COMMENT ON COLUMN capforecast.job_run.detail IS 'per part: message, sqlstate, hint; "error" where the run failed as a whole';
SELECT pg_catalog.pg_extension_config_dump('capforecast.job_run', '');
SELECT pg_catalog.pg_extension_config_dump('capforecast.job_run_run_id_seq', '');

CREATE FUNCTION capforecast._settle_run(job text, started_at timestamptz, as_of timestamptz,
		examined bigint, changed bigint, skipped_locked bigint DEFAULT 0, failed bigint DEFAULT 0,
		detail jsonb DEFAULT NULL)
	RETURNS bigint LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_settle_run';
COMMENT ON FUNCTION capforecast._settle_run(text, timestamptz, timestamptz, bigint, bigint, bigint, bigint, jsonb) IS
	'Write the settled row of a job''s run; returns its run_id. Every job ends with it.';

CREATE FUNCTION capforecast._purge_runs(as_of timestamptz)
	RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	DELETE FROM capforecast.job_run r WHERE r.started_at < _purge_runs.as_of - interval '400 days'
$$;
COMMENT ON FUNCTION capforecast._purge_runs(timestamptz) IS 'Drop runs older than 400 days.';

-- statement: what run_job() runs; it writes one settled row of job_run itself.
-- The jobs that change the host's own tables are the operator's to switch on.
CREATE VIEW capforecast.job WITH (security_invoker = true) AS
	SELECT j.*, NOT j.writes_host OR capforecast._setting('manage_subscriptions')::boolean AS enabled
	FROM (VALUES
		('capture_daily_snapshot'::text, 'SELECT capforecast.capture_daily_snapshot()'::text,
		 '7 * * * *'::text, interval '1 hour', false,
		 'The day''s snapshot. Hourly: the first run of a UTC day counts, the others find it done.'::text),
		('capture_metrics', 'SELECT capforecast.capture_metrics()', '9 * * * *', interval '1 hour', false,
		 'The day''s values of the operator''s own metrics. Hourly: only what failed is tried again.'),
		('capture_vendor_usage', 'SELECT capforecast.capture_vendor_usage()', '11 * * * *', interval '1 hour', false,
		 'What each vendor uses. Hourly: the first run of a UTC day counts, the others find it done.'),
		('look_at_vendors', 'SELECT capforecast.look_at_vendors()', '51 0 * * *', interval '1 day', false,
		 'Which vendors are near a limit of their plan.'),
		('raise_alerts', 'SELECT capforecast.raise_alerts()', '13 * * * *', interval '1 hour', false,
		 'What has become urgent since the last run, told once.'),
		('run_forecasts', 'SELECT capforecast.run_forecasts()', '47 0 * * *', interval '1 day', false,
		 'The night''s forecasts of every metric, kept to be compared with what comes.'),
		('reset_period_counters', 'SELECT capforecast.reset_period_counters()', '*/5 * * * *', interval '5 minutes', true,
		 'Close usage windows and billing periods that have ended.'),
		('check_trial_expirations', 'SELECT capforecast.check_trial_expirations()', '17 * * * *', interval '1 hour', true,
		 'End trials that are over.'),
		('sync_stripe_status', 'SELECT capforecast.sync_stripe_status()', '*/10 * * * *', interval '10 minutes', true,
		 'Follow Stripe: status, period and tier of what it manages.'),
		('cleanup_stale_subscriptions', 'SELECT capforecast.cleanup_stale_subscriptions()', '23 4 * * *', interval '1 day', true,
		 'Let cancellations take effect, end what is past due for too long, report what is wrong, drop old logs.')
	) AS j(name, statement, schedule, every, writes_host, purpose);
COMMENT ON VIEW capforecast.job IS
	'The jobs: what run_job(name) runs, and how often schedule_jobs() has it run (UTC). Those that write the host''s tables (writes_host) are enabled by capforecast.manage_subscriptions = on, best set with ALTER DATABASE.';

CREATE PROCEDURE capforecast.run_job(name text, raise_error boolean DEFAULT true)
	LANGUAGE C AS 'MODULE_PATHNAME', 'capforecast_run_job';
COMMENT ON PROCEDURE capforecast.run_job(text, boolean) IS
	'Run a job so that it is on record whatever happens: a row in job_run is committed first, the job runs, the row is settled. A failure is raised afterwards, unless raise_error is false. Not inside a transaction block (25001).';
-- Did the jobs run?

CREATE FUNCTION capforecast.job_health(as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (job text, status text, overdue boolean, last_success timestamptz, next_due timestamptz,
		last_started timestamptz, last_status text, last_error text, runs_failed_in_a_row bigint)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH clock AS (SELECT coalesce(as_of, clock_timestamp()) AS now)
	SELECT j.name,
		CASE WHEN good.started_at IS NULL AND latest.started_at IS NULL THEN 'never_run'
			 WHEN good.started_at IS NULL OR clock.now - good.started_at > 3 * j.every THEN 'overdue'
			 WHEN latest.status = 'failed' THEN 'failing'
			 ELSE 'ok' END,
		good.started_at IS NULL OR clock.now - good.started_at > 3 * j.every,
		good.started_at,
		coalesce(good.started_at + j.every, clock.now),
		latest.started_at,
		latest.status,
		latest.detail -> 'error' ->> 'message',
		(SELECT count(*) FROM capforecast.job_run r
		  WHERE r.job = j.name AND r.status = 'failed' AND r.started_at <= clock.now
			AND (good.started_at IS NULL OR r.started_at > good.started_at))
	FROM capforecast.job j
		CROSS JOIN clock
		LEFT JOIN LATERAL (SELECT * FROM capforecast.job_run r WHERE r.job = j.name AND r.started_at <= clock.now
							ORDER BY r.started_at DESC, r.run_id DESC LIMIT 1) latest ON true
		LEFT JOIN LATERAL (SELECT * FROM capforecast.job_run r WHERE r.job = j.name AND r.status = 'ok' AND r.started_at <= clock.now
							ORDER BY r.started_at DESC, r.run_id DESC LIMIT 1) good ON true
	WHERE j.enabled
	ORDER BY 3 DESC, 1
$$;
COMMENT ON FUNCTION capforecast.job_health(timestamptz) IS
	'One row per enabled job: status ok, failing (the last run failed), overdue (no success for three periods) or never_run; when it succeeded last and is due next, and the last error.';
-- Scheduling with pg_cron, or with anything else.

-- Where pg_cron is: 'here', 'elsewhere' (in another database of this server), 'absent'.
CREATE FUNCTION capforecast._pg_cron(OUT place text, OUT database name)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
		place := 'here';
		database := current_database();
		RETURN;
	END IF;
	BEGIN
		database := nullif(current_setting('cron.database_name', true), '');
	EXCEPTION WHEN insufficient_privilege THEN
		database := 'postgres';		-- set, but not shown to this role: pg_cron's own default
	END;
	place := CASE WHEN database IS NULL THEN 'absent' ELSE 'elsewhere' END;
END
$$;
COMMENT ON FUNCTION capforecast._pg_cron() IS
	'Where pg_cron is: here (in this database), elsewhere (in another one of this server), or absent.';

CREATE FUNCTION capforecast.schedule_jobs()
	RETURNS TABLE (job text, schedule text, status text, statement text)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	cron record;
	the_job record;
	call text;
	n_unscheduled bigint;
BEGIN
	SELECT * INTO cron FROM capforecast._pg_cron();
	FOR the_job IN SELECT j.name, j.schedule, j.enabled FROM capforecast.job j
		WHERE j.enabled OR cron.place = 'here' ORDER BY j.enabled DESC, j.name
	LOOP
		job := the_job.name;
		schedule := the_job.schedule;
		call := format('CALL capforecast.run_job(%L)', the_job.name);
		IF NOT the_job.enabled THEN
			EXECUTE 'SELECT count(cron.unschedule(j.jobid)) FROM cron.job j WHERE j.jobname::text = $1 AND j.username = current_user'
				INTO n_unscheduled USING 'capforecast:' || the_job.name;
			CONTINUE WHEN n_unscheduled = 0;
			status := 'unscheduled: not enabled';
			statement := NULL;
		ELSIF cron.place = 'here' THEN
			EXECUTE 'SELECT cron.schedule($1, $2, $3)' USING 'capforecast:' || the_job.name, the_job.schedule, call;
			status := 'scheduled';
			statement := call;
		ELSIF cron.place = 'elsewhere' THEN
			status := format('to run in database %I', cron.database);
			statement := format('SELECT cron.schedule_in_database(%L, %L, %L, %L);',
				format('capforecast:%s:%s', current_database(), the_job.name), the_job.schedule, call, current_database());
		ELSE
			status := 'no pg_cron: for the system''s cron';
			statement := format('%s psql -X -d %I -c "%s"', the_job.schedule, current_database(), call);
		END IF;
		RETURN NEXT;
	END LOOP;
	IF cron.place = 'elsewhere' THEN
		RAISE NOTICE 'pg_cron is in database "%", not in this one', cron.database
			USING HINT = format('Run the statements of the last column there, for example: \c %I', cron.database);
	ELSIF cron.place = 'absent' THEN
		RAISE NOTICE 'pg_cron is not installed'
			USING HINT = 'Add the lines of the last column to a crontab, or install pg_cron and call schedule_jobs() again.';
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast.schedule_jobs() IS
	'Schedule every enabled job with pg_cron, by name, so that calling it again changes nothing; one that is not enabled any more is unscheduled. Jobs run as the caller. Where pg_cron is in another database of the server, or absent, the last column has what to run there instead.';

CREATE FUNCTION capforecast.unschedule_jobs()
	RETURNS TABLE (job text, status text, statement text)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	cron record;
	name text;
BEGIN
	SELECT * INTO cron FROM capforecast._pg_cron();
	IF cron.place = 'here' THEN
		FOR name IN EXECUTE
			'SELECT j.jobname::text FROM cron.job j WHERE j.username = current_user '
			'AND j.jobname::text LIKE ''capforecast:%'' AND j.jobname::text NOT LIKE ''capforecast:%:%'' ORDER BY 1'
		LOOP
			EXECUTE 'SELECT cron.unschedule(j.jobid) FROM cron.job j WHERE j.jobname::text = $1 AND j.username = current_user' USING name;
			job := substr(name, length('capforecast:') + 1);
			status := 'unscheduled';
			RETURN NEXT;
		END LOOP;
	ELSIF cron.place = 'elsewhere' THEN
		FOR name IN SELECT j.name FROM capforecast.job j ORDER BY 1 LOOP
			job := name;
			status := format('to run in database %I', cron.database);
			statement := format('SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname = %L;',
				format('capforecast:%s:%s', current_database(), name));
			RETURN NEXT;
		END LOOP;
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast.unschedule_jobs() IS
	'Remove the caller''s capforecast jobs from pg_cron, or return the statements that do where pg_cron is in another database.';

CREATE FUNCTION capforecast._due_jobs(as_of timestamptz DEFAULT NULL)
	RETURNS SETOF text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT h.job FROM capforecast.job_health(as_of) h
	WHERE h.next_due <= coalesce(as_of, clock_timestamp()) ORDER BY h.job
$$;
COMMENT ON FUNCTION capforecast._due_jobs(timestamptz) IS 'Jobs that have not succeeded for a whole period.';

-- No SET clause: a procedure that has one cannot commit. Every name is qualified.
CREATE PROCEDURE capforecast.run_maintenance()
	LANGUAGE plpgsql AS $$
DECLARE
	the_job pg_catalog.text;
	failures pg_catalog.text;
BEGIN
	FOR the_job IN SELECT capforecast._due_jobs() LOOP
		CALL capforecast.run_job(the_job, raise_error => false);
	END LOOP;
	SELECT pg_catalog.string_agg(h.job, ', ') INTO failures
	FROM capforecast.job_health() h WHERE h.last_status OPERATOR(pg_catalog.=) 'failed';
	IF failures IS NOT NULL THEN
		RAISE WARNING 'jobs failed: %', failures USING HINT = 'SELECT * FROM capforecast.job_health() says why.';
	END IF;
END
$$;
COMMENT ON PROCEDURE capforecast.run_maintenance() IS
	'Run every job that is due, for any scheduler; as often as you like. A job that fails does not stop the others.';
-- What is missing or wrong, and how to mend it.

-- What the daily snapshot, the capacity and the recommendations cannot do without.
CREATE FUNCTION capforecast._is_needed_daily(subject text)
	RETURNS boolean LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT subject = ANY ('{vendors,vendors.is_active,products,products.vendor_id,
		vendor_users,vendor_users.vendor_id,vendor_users.is_active,
		subscription_tiers,subscription_tiers.code,subscription_tiers.products_limit,
		subscription_tiers.orders_per_month,subscription_tiers.team_members,
		vendor_subscriptions,vendor_subscriptions.vendor_id,vendor_subscriptions.tier,
		vendor_subscriptions.status,vendor_subscriptions.orders_this_period}'::text[])
$$;
COMMENT ON FUNCTION capforecast._is_needed_daily(text) IS 'Is it a table or column without which the daily numbers are not complete?';

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
	SELECT coalesce((SELECT b.columns -> logical_name FROM capforecast.binding b WHERE b.entity = _bound_column.entity),
		to_jsonb(logical_name)) #>> '{}'
$$;
COMMENT ON FUNCTION capforecast._bound_column(text, text) IS 'The column behind a logical name; NULL where it is bound to null.';

CREATE FUNCTION capforecast._doctor_host()
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN p.sqlstate = '01000' THEN 'info'
				WHEN capforecast._is_needed_daily(p.subject) THEN 'error'
				WHEN p.sqlstate = '42P01' THEN 'info'
				ELSE 'warning' END,
		p.subject,
		p.problem || CASE
			WHEN p.sqlstate = '01000' THEN ''
			WHEN capforecast._is_needed_daily(p.subject) THEN '; needed for the daily snapshot'
			WHEN p.subject LIKE '%.created\_at' THEN '; needed by backfill_snapshots()'
			ELSE '; needed by the subscription jobs or billing only' END,
		p.fix
	FROM capforecast._host_problems() p
$$;
COMMENT ON FUNCTION capforecast._doctor_host() IS 'What doctor() finds about the host''s tables.';

-- What a role that may call the writers lacks; and what keeps an add-on from being sold twice.
CREATE FUNCTION capforecast._doctor_writers()
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH written AS (
		SELECT w.severity, w.subject, c.oid::regclass AS relation, c.relkind IN ('r', 'p') AS is_table, w.privilege
		FROM (VALUES
				('error', 'snapshot', 'capforecast.capacity_snapshots'::regclass, 'INSERT'),
				('error', 'snapshot', 'capforecast.capacity_snapshots', 'UPDATE'),
				('error', 'job_run', 'capforecast.job_run', 'INSERT'),
				('error', 'job_run', 'capforecast.job_run', 'UPDATE'),
				('info', 'vendor_subscriptions', capforecast._bound_relation('vendor_subscriptions'), 'UPDATE'),
				('info', 'vendor_addons', capforecast._bound_relation('vendor_addons'), 'INSERT'),
				('info', 'vendor_addons', capforecast._bound_relation('vendor_addons'), 'UPDATE')
			) AS w(severity, subject, relation, privilege)
			JOIN pg_class c ON c.oid = w.relation)
	SELECT DISTINCT 'info', w.subject, format('%s is not a table: it can be read, but the subscription functions cannot write to it', w.relation),
		format('SELECT capforecast.bind(%L, ''your_schema.your_table'');', w.subject)
	FROM written w WHERE NOT w.is_table
	UNION ALL
	SELECT w.severity, w.subject, format('role %I may not %s %s', current_user, lower(w.privilege), w.relation),
		format('GRANT %s ON %s TO %I;', w.privilege, w.relation, current_user)
	FROM written w
	WHERE w.is_table AND NOT has_table_privilege(w.relation, w.privilege)
		AND has_function_privilege('capforecast.capture_daily_snapshot(boolean, timestamptz)', 'EXECUTE')
	UNION ALL
	SELECT 'warning', 'vendor_addons', format('no unique index on %s keeps a vendor from having an add-on twice', w.relation),
		format('CREATE UNIQUE INDEX ON %s (%I, %I) WHERE %I IN (''pending'', ''active'', ''cancelling'');', w.relation,
			capforecast._bound_column('vendor_addons', 'vendor_id'), capforecast._bound_column('vendor_addons', 'addon_product_id'),
			capforecast._bound_column('vendor_addons', 'status'))
	FROM written w
	WHERE w.subject = 'vendor_addons' AND w.privilege = 'INSERT' AND w.is_table AND NOT EXISTS (
		SELECT FROM pg_index i
		WHERE i.indrelid = w.relation AND i.indisunique AND i.indisvalid AND i.indnkeyatts = 2
			AND (SELECT count(*) FROM pg_attribute a
				 WHERE a.attrelid = w.relation AND a.attnum = ANY (i.indkey)
					AND a.attname IN (capforecast._bound_column('vendor_addons', 'vendor_id'),
						capforecast._bound_column('vendor_addons', 'addon_product_id'))) = 2)
$$;
COMMENT ON FUNCTION capforecast._doctor_writers() IS 'What doctor() finds that keeps the functions that write from writing.';

CREATE FUNCTION capforecast._doctor_snapshots(as_of timestamptz)
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH seen AS (
		SELECT (as_of AT TIME ZONE 'UTC')::date AS today,
			max(s.snapshot_date) FILTER (WHERE s.snapshot_date <= (as_of AT TIME ZONE 'UTC')::date) AS latest,
			count(*) FILTER (WHERE s.snapshot_date > (as_of AT TIME ZONE 'UTC')::date) AS later,
			max(s.captured_at) AS captured_at
		FROM capforecast.capacity_snapshots s)
	SELECT 'warning', 'snapshot', 'no snapshot is stored', 'SELECT capforecast.capture_daily_snapshot();'
	FROM seen WHERE latest IS NULL
	UNION ALL
	SELECT 'error', 'snapshot', format('the last snapshot is of %s, %s days ago', latest, today - latest),
		'SELECT capforecast.capture_daily_snapshot();'
	FROM seen WHERE latest < today - 1
	UNION ALL
	SELECT 'error', 'snapshot', format('snapshots of days after today: %s; growth_trends() takes the last of them for the latest', later),
		format('DELETE FROM capforecast.capacity_snapshots WHERE snapshot_date > %L;', today)
	FROM seen WHERE later > 0
	UNION ALL
	SELECT 'error', 'clock', format('the server''s clock says %s, but a snapshot was written at %s',
			to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), to_char(captured_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')),
		'Set the clock of the server (ntp), then look at the snapshots of the days in between.'
	FROM seen WHERE captured_at > clock_timestamp() + interval '5 minutes'
$$;
COMMENT ON FUNCTION capforecast._doctor_snapshots(timestamptz) IS 'What doctor() finds about the snapshots.';

CREATE FUNCTION capforecast._doctor_jobs(as_of timestamptz)
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN h.status = 'never_run' THEN 'warning' ELSE 'error' END, h.job,
		CASE h.status WHEN 'never_run' THEN 'the job has never run'
			WHEN 'overdue' THEN format('the job has not succeeded since %s',
				coalesce(to_char(h.last_success AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), 'ever'))
			ELSE 'the last run of the job failed' END
			|| coalesce(': ' || h.last_error, ''),
		format('CALL capforecast.run_job(%L);', h.job)
	FROM capforecast.job_health(as_of) h WHERE h.status <> 'ok'
	UNION ALL
	SELECT 'warning', h.job, format('the last run left out %s: %s', part.key, part.value ->> 'message'),
		coalesce(part.value ->> 'hint', format('CALL capforecast.run_job(%L);', h.job))
	FROM capforecast.job_health(as_of) h
		JOIN LATERAL (SELECT * FROM capforecast.job_run r WHERE r.job = h.job AND r.status = 'ok' AND (r.changed > 0 OR r.failed > 0) AND r.started_at <= _doctor_jobs.as_of
						ORDER BY r.started_at DESC, r.run_id DESC LIMIT 1) latest ON latest.failed > 0
		CROSS JOIN LATERAL jsonb_each(latest.detail) part
	WHERE jsonb_typeof(part.value) = 'object' AND part.value ? 'message'
	UNION ALL
	SELECT 'info', r.job, format('run %s has been running since %s: it was killed, or hangs', r.run_id,
			to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')),
		format('UPDATE capforecast.job_run SET status = ''failed'', finished_at = clock_timestamp() WHERE run_id = %s;', r.run_id)
	FROM capforecast.job_run r WHERE r.status = 'running' AND r.started_at < as_of - interval '1 day'
$$;
COMMENT ON FUNCTION capforecast._doctor_jobs(timestamptz) IS 'What doctor() finds about the jobs'' runs.';

CREATE FUNCTION capforecast._doctor_schedule(as_of timestamptz)
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	cron record;
BEGIN
	SELECT * INTO cron FROM capforecast._pg_cron();
	IF cron.place <> 'here' THEN
		-- Another scheduler does as well, as long as the jobs run.
		IF EXISTS (SELECT FROM capforecast.job_health(_doctor_schedule.as_of) h WHERE h.overdue) THEN
			RETURN QUERY SELECT 'info', 'pg_cron', CASE cron.place
					WHEN 'elsewhere' THEN format('pg_cron is in database %I, not in this one', cron.database)
					ELSE 'pg_cron is not installed' END,
				'SELECT * FROM capforecast.schedule_jobs();  -- returns what to run there, or for a crontab';
		END IF;
		RETURN;
	END IF;
	IF NOT EXISTS (SELECT FROM pg_settings s WHERE s.name = 'cron.log_run') THEN
		RETURN QUERY SELECT 'error', 'pg_cron', 'pg_cron is installed but not preloaded, so that no job is started',
			'Add pg_cron to shared_preload_libraries in postgresql.conf and restart the server.';
	END IF;
	IF NOT has_schema_privilege('cron', 'USAGE') OR NOT has_table_privilege('cron.job', 'SELECT') THEN
		RETURN QUERY SELECT 'info', 'pg_cron', format('role %I cannot see what pg_cron has scheduled', current_user),
			format('GRANT USAGE ON SCHEMA cron TO %I; GRANT SELECT ON cron.job TO %1$I;', current_user);
		RETURN;
	END IF;
	RETURN QUERY EXECUTE
		'SELECT ''warning'', j.name, CASE WHEN c.found THEN ''the job is scheduled, but not active'' ELSE ''the job is not scheduled'' END, '
		'''SELECT * FROM capforecast.schedule_jobs();'' '
		'FROM capforecast.job j CROSS JOIN LATERAL (SELECT count(*) > 0 AS found, coalesce(bool_or(c.active), false) AS active FROM cron.job c '
		'WHERE c.database = current_database() AND (c.command LIKE ''%run\_job(%'' || quote_literal(j.name) || ''%'' OR c.command LIKE ''%run\_maintenance(%'')) c '
		'WHERE j.enabled AND NOT c.active ORDER BY j.name';
END
$$;
COMMENT ON FUNCTION capforecast._doctor_schedule(timestamptz) IS 'What doctor() finds about pg_cron.';

CREATE FUNCTION capforecast._doctor_storage(as_of timestamptz)
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN s.source IS NULL THEN 'info' ELSE 'warning' END, 'image_storage', s.reason,
		CASE WHEN s.source IS NULL THEN 'SELECT capforecast.bind_image_storage(query => ''SELECT sum(size_bytes) FROM your_images'');'
			 WHEN s.source = 'pushed' THEN 'Have the application call push_image_storage() every day.'
			 ELSE 'Mend the source, bind another one with bind_image_storage(), or report the size with push_image_storage().' END
	FROM capforecast._read_image_storage(as_of) s WHERE s.status <> 'ok'
$$;
COMMENT ON FUNCTION capforecast._doctor_storage(timestamptz) IS 'What doctor() finds about image storage.';

CREATE FUNCTION capforecast._doctor_grants()
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	-- What begins with an underscore is not for readers: secrets, and the text of registered queries.
	SELECT 'error', 'capforecast', format('role %I may not read %s', current_user, t.names), format('GRANT SELECT ON %s TO %I;', t.names, current_user)
	FROM (SELECT string_agg(c.oid::regclass::text, ', ' ORDER BY c.relname) AS names
			FROM pg_class c
			WHERE c.relnamespace = 'capforecast'::regnamespace AND c.relkind IN ('r', 'v') AND NOT has_table_privilege(c.oid, 'SELECT')
				AND (c.relname !~ '^_' OR c.relname = '_infrastructure_tier')) t
	WHERE t.names IS NOT NULL
$$;
COMMENT ON FUNCTION capforecast._doctor_grants() IS 'What doctor() finds about the caller''s right to read the extension''s own tables.';

CREATE FUNCTION capforecast.doctor(as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (severity text, subject text, problem text, fix text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	now timestamptz := coalesce(as_of, clock_timestamp());
BEGIN
	-- Without these nothing else can be looked at.
	RETURN QUERY SELECT * FROM capforecast._doctor_grants();
	IF FOUND THEN
		RETURN;
	END IF;
	RETURN QUERY
		SELECT f.* FROM (
			SELECT * FROM capforecast._doctor_host()
			UNION ALL SELECT * FROM capforecast._doctor_snapshots(now)
			UNION ALL SELECT * FROM capforecast._doctor_jobs(now)
			UNION ALL SELECT * FROM capforecast._doctor_schedule(now)
			UNION ALL SELECT * FROM capforecast._doctor_storage(now)
			UNION ALL SELECT * FROM capforecast._doctor_writers()) f
		ORDER BY array_position('{error,warning,info}'::text[], f.severity), f.subject, f.problem;
END
$$;
COMMENT ON FUNCTION capforecast.doctor(timestamptz) IS
	'One row for each thing that is missing or wrong for the calling role, the worst first: error (numbers are missing or wrong), warning, info (something optional); fix is a statement to run where there is one. No rows: all is well. Looks at the host''s tables, columns and grants, the snapshots, the server''s clock, the jobs, pg_cron and image storage; changes nothing.';
-- Readers may be called by anyone who is let into the schema (nobody is by default,
-- and tables are granted separately); everything that writes is for roles that are
-- granted it by name.  Procedures all write.

DO $$
DECLARE
	routine record;
BEGIN
	FOR routine IN
		SELECT p.oid::pg_catalog.regprocedure AS signature, p.prokind
		FROM pg_catalog.pg_proc p
		WHERE p.pronamespace OPERATOR(pg_catalog.=) 'capforecast'::pg_catalog.regnamespace
		  AND (p.provolatile OPERATOR(pg_catalog.=) 'v' OR p.prokind OPERATOR(pg_catalog.=) 'p')
	LOOP
		EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', routine.signature);
	END LOOP;
END
$$;
