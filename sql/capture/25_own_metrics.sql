-- The operator's own metrics: added, dropped, captured.

CREATE FUNCTION capforecast.add_metric(name text, query text, unit text DEFAULT NULL, kind text DEFAULT 'stock',
		floor double precision DEFAULT NULL, cap double precision DEFAULT NULL,
		limit_value double precision DEFAULT NULL, limit_query text DEFAULT NULL, direction text DEFAULT 'up',
		statistic text DEFAULT NULL, every interval DEFAULT '1 day')
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
	ELSIF add_metric.kind IS NULL OR add_metric.kind NOT IN ('stock', 'flow', 'gauge') THEN
		RAISE invalid_parameter_value USING
			CONSTRAINT = 'bad_kind',
			MESSAGE = format('"%s" is not a kind of metric', add_metric.kind),
			HINT = 'Use stock for a level that accumulates, flow for an amount per day, gauge for a level that goes up and down.';
	ELSIF add_metric.statistic NOT IN ('last', 'max', 'sum', 'mean') THEN
		RAISE invalid_parameter_value USING
			CONSTRAINT = 'bad_statistic',
			MESSAGE = format('"%s" is not a statistic of a day''s values', add_metric.statistic),
			HINT = 'Use last, max, sum or mean; left out it is last for a stock, sum for a flow, max for a gauge.';
	ELSIF add_metric.every IS NULL OR add_metric.every NOT IN ('1 hour', '1 day') THEN
		RAISE invalid_parameter_value USING
			CONSTRAINT = 'bad_every',
			MESSAGE = format('a metric cannot be captured every %s', add_metric.every),
			HINT = 'Use ''1 hour'' or ''1 day''.';
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
	INSERT INTO capforecast.own_metric (metric, kind, unit, floor, cap, direction, limit_value, statistic, every)
	VALUES (add_metric.name, add_metric.kind, add_metric.unit, add_metric.floor, add_metric.cap, add_metric.direction, add_metric.limit_value,
		coalesce(add_metric.statistic, CASE add_metric.kind WHEN 'flow' THEN 'sum' WHEN 'gauge' THEN 'max' ELSE 'last' END), add_metric.every);
	INSERT INTO capforecast._metric_query (metric, query, limit_query)
	VALUES (add_metric.name, add_metric.query, add_metric.limit_query);
	RETURN QUERY SELECT m.value, coalesce(add_metric.limit_value, m.limit_value)
		FROM capforecast._measure_metric(add_metric.query, add_metric.limit_query) m;
END
$$;
COMMENT ON FUNCTION capforecast.add_metric(text, text, text, text, double precision, double precision, double precision, text, text, text, interval) IS
	'Watch a number of your own: one SELECT that returns it, and its limit as a number or as a query. Both run as the role that calls this, read-only, with search_path pg_catalog (so qualify your tables), 5 s at most; they run once at once, so that a mistake shows, and then by the job capture_metrics, every ''1 hour'' or ''1 day''. kind: stock, a level that accumulates, flow, an amount per day or hour (return that of the last 24 hours, or of the last hour), or gauge, a level that goes up and down. statistic: what the values of a day become: last, max (where direction is down the lowest), sum, mean; NULL is last for a stock, sum for a flow, max for a gauge. Hourly metrics are forecast by the hour. A definition of the same name is replaced, its history is kept. Errors: 22023 bad_kind, bad_statistic, bad_every.
Example: SELECT * FROM capforecast.add_metric(''open_orders'', ''SELECT count(*) FROM public.orders'', unit => ''orders'', limit_value => 50000);';

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
	DELETE FROM capforecast.metric_hour h WHERE h.metric = drop_metric.name;
END
$$;
COMMENT ON FUNCTION capforecast.drop_metric(text) IS
	'Stop watching a metric of your own, and delete its history. Error: 22023 where there is none of that name.
Example: SELECT capforecast.drop_metric(m.metric) FROM capforecast.own_metric m WHERE m.metric = ''open_orders'';';

CREATE FUNCTION capforecast.capture_metrics(as_of timestamptz DEFAULT NULL)
	RETURNS bigint LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'capforecast_capture_metrics';
COMMENT ON FUNCTION capforecast.capture_metrics(timestamptz) IS
	'Capture the value and limit of every metric of the operator''s own that has none of the day yet, or of the hour where it is captured hourly; returns how many. A query that fails is a reason in job_run, the others go on. as_of must lie on the current UTC day (22023).
Example: SELECT capforecast.capture_metrics();';
