-- When each limit is reached, and which one first.

CREATE TYPE capforecast._limit_forecast AS (
	metric text, limit_kind text, limit_name text, unit text, direction text,
	current_value double precision, limit_value double precision, utilization_ratio double precision,
	status capforecast.forecast_status, breach_date date, breach_date_earliest date, breach_date_latest date,
	breach_probability double precision, chances double precision[], ready_on date, reason text, is_guessed boolean, kind text, events text
);
COMMENT ON TYPE capforecast._limit_forecast IS 'time_to_threshold() of a limit, and the chances by the days that were asked for.';

-- One simulation and one reading of each series: every date and every chance is taken from it.
CREATE FUNCTION capforecast._outlook(horizon interval, as_of timestamptz, chance_days integer[] DEFAULT NULL)
	RETURNS SETOF capforecast._limit_forecast LANGUAGE sql STABLE ROWS 10 BEGIN ATOMIC
	SELECT l.metric, l.limit_kind, l.limit_name, l.unit, l.direction, f.current_value, l.limit_value,
		CASE l.direction WHEN 'up' THEN f.current_value / nullif(l.limit_value, 0)
			ELSE l.limit_value / nullif(f.current_value, 0) END,
		CASE WHEN is_full THEN 'no_growth' ELSE f.status END,
		CASE WHEN NOT is_full THEN f.breach_date END,
		CASE WHEN NOT is_full THEN f.breach_date_earliest END,
		CASE WHEN NOT is_full THEN f.breach_date_latest END,
		CASE WHEN NOT is_full THEN f.breach_probability END,
		CASE WHEN NOT is_full THEN c.chances END,
		f.ready_on,
		CASE WHEN is_full THEN 'All that the plans allow is used, and no more, on every day known.' ELSE f.reason END,
		l.is_guessed, f.kind, f.events
	FROM capforecast._limits(as_of) l
		CROSS JOIN LATERAL capforecast._threshold_curve(l.metric, l.limit_value, horizon, 0.80, l.direction, NULL, l.kind, as_of, chance_days) c
		CROSS JOIN LATERAL (SELECT (c.forecast).*) f
		CROSS JOIN LATERAL (SELECT l.is_always_full AND f.status = 'already_breached' AS is_full) a;
END;
COMMENT ON FUNCTION capforecast._outlook(interval, timestamptz, integer[]) IS 'What time_to_threshold() says of every limit.';

CREATE FUNCTION capforecast._plan_date(policy text, status capforecast.forecast_status, earliest date, median date, latest date, today date)
	RETURNS date LANGUAGE sql IMMUTABLE
	RETURN CASE WHEN status = 'already_breached' THEN coalesce(median, today)
		WHEN status NOT IN ('ok', 'beyond_horizon') THEN NULL
		WHEN policy = 'conservative' THEN earliest
		WHEN policy = 'expected' THEN median
		ELSE latest END;
COMMENT ON FUNCTION capforecast._plan_date(text, capforecast.forecast_status, date, date, date, date) IS
	'The date to plan with: conservative takes the early end of the range, aggressive the late one. Of what is reached, the day since which; today where that is not known.';

CREATE FUNCTION capforecast._days_until(day date, today date)
	RETURNS integer LANGUAGE sql IMMUTABLE
	-- not greatest(..., 0), which makes 0 of a date that is not known
	RETURN CASE WHEN day < today THEN 0 ELSE day - today END;
COMMENT ON FUNCTION capforecast._days_until(date, date) IS 'Whole days from today; 0 for days that are past.';

-- The one scale of urgency. Unknown is not none: nothing is said of the limit, neither good nor bad.
CREATE FUNCTION capforecast._urgency(numbers capforecast._planning, status capforecast.forecast_status, days_left integer,
		utilization_ratio double precision)
	RETURNS text LANGUAGE sql IMMUTABLE
	RETURN CASE WHEN status = 'already_breached' OR days_left <= numbers.critical_days THEN 'critical'
		WHEN days_left <= numbers.warning_days THEN 'warning'
		WHEN status IN ('insufficient_history', 'insufficient_coverage', 'stale', 'unreliable') THEN 'unknown'
		WHEN days_left <= numbers.watch_days OR utilization_ratio >= numbers.watch_ratio THEN 'watch'
		ELSE 'none' END;
COMMENT ON FUNCTION capforecast._urgency(capforecast._planning, capforecast.forecast_status, integer, double precision) IS
	'critical: reached, or within policy''s critical_days; warning: within warning_days; watch: within watch_days, or used to watch_ratio; unknown: too little is known; none.';

CREATE FUNCTION capforecast._day_text(day date)
	RETURNS text LANGUAGE sql STABLE RETURN to_char(day::timestamp, 'YYYY-MM-DD');
COMMENT ON FUNCTION capforecast._day_text(date) IS 'The day as 2026-11-24, whatever DateStyle says.';

CREATE FUNCTION capforecast._limit_reason(o capforecast._limit_forecast)
	RETURNS text LANGUAGE sql STABLE
	RETURN CASE
			WHEN o.current_value IS NULL THEN format('%s, %s %s: ', o.metric, o.limit_name, round(o.limit_value::numeric, 2)::double precision)
			ELSE format('%s at %s of %s (%s%s): ', o.metric, round(o.current_value::numeric, 2)::double precision,
				round(o.limit_value::numeric, 2)::double precision, o.limit_name,
				CASE WHEN o.utilization_ratio IS NOT NULL THEN format(', %s%%', round((o.utilization_ratio * 100)::numeric, 1)) END) END
		|| CASE
			WHEN o.status = 'ok' THEN format('reached about %s, %s.', capforecast._day_text(o.breach_date),
				CASE WHEN o.breach_date_latest IS NULL THEN format('at the earliest %s', capforecast._day_text(o.breach_date_earliest))
				ELSE format('between %s and %s in four cases of five', capforecast._day_text(o.breach_date_earliest),
					capforecast._day_text(o.breach_date_latest)) END)
			WHEN o.status = 'already_breached' AND o.breach_date IS NOT NULL THEN format('reached since %s.', capforecast._day_text(o.breach_date))
			WHEN o.status = 'shrinking' THEN 'it moves away from the limit.'
			ELSE coalesce(lower(left(o.reason, 1)) || substr(o.reason, 2), 'nothing can be said.') END;
COMMENT ON FUNCTION capforecast._limit_reason(capforecast._limit_forecast) IS
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

CREATE TYPE capforecast.limit_outlook AS (
	metric text, limit_kind text, limit_name text, unit text,
	current_value double precision, limit_value double precision, utilization_ratio double precision,
	status capforecast.forecast_status, urgency text, is_binding boolean,
	days_left integer, plan_date date, breach_date date, breach_date_earliest date, breach_date_latest date,
	breach_probability_30_days double precision, breach_probability_60_days double precision,
	breach_probability_90_days double precision, breach_probability double precision, ready_on date, reason text,
	kind text, events text
);
COMMENT ON TYPE capforecast.limit_outlook IS 'A row of capacity_outlook(): one limit.';

-- In PL/pgSQL, as all that reads the outlook: the statement takes longer to plan than to run, and its plan is
-- kept for the session.
CREATE FUNCTION capforecast.capacity_outlook(horizon interval DEFAULT '365 days', policy text DEFAULT 'expected',
		as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.limit_outlook
	LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	now constant timestamptz := capforecast._instant(as_of);
	today constant date := (now AT TIME ZONE 'UTC')::date;
	numbers constant capforecast._planning := capforecast._planning_now();
BEGIN
	PERFORM capforecast._check_policy(capacity_outlook.policy);
	RETURN QUERY
	WITH planned AS MATERIALIZED (
		SELECT o, d.plan_date, capforecast._days_until(d.plan_date, today) AS days_left
		FROM capforecast._outlook(capacity_outlook.horizon, now, '{30,60,90}') o
			CROSS JOIN LATERAL capforecast._plan_date(capacity_outlook.policy, o.status, o.breach_date_earliest, o.breach_date,
				o.breach_date_latest, today) AS d(plan_date))
	SELECT (o).metric, (o).limit_kind, (o).limit_name, (o).unit, (o).current_value, (o).limit_value, (o).utilization_ratio, (o).status,
		capforecast._urgency(numbers, (o).status, p.days_left, (o).utilization_ratio),
		p.plan_date IS NOT NULL AND row_number() OVER w = 1,
		p.days_left, p.plan_date, (o).breach_date, (o).breach_date_earliest, (o).breach_date_latest,
		(o).chances[1], (o).chances[2], (o).chances[3], (o).breach_probability, (o).ready_on,
		capforecast._limit_reason(o), (o).kind, (o).events
	FROM planned p
	-- what is reached first, by how far; then by date, then by how full
	WINDOW w AS (ORDER BY (o).status <> 'already_breached', CASE WHEN (o).status <> 'already_breached' THEN p.plan_date END,
		(o).utilization_ratio DESC NULLS LAST, (o).metric, (o).limit_kind)
	ORDER BY row_number() OVER w;
END
$$;
COMMENT ON FUNCTION capforecast.capacity_outlook(interval, text, timestamptz) IS
	'When each limit is reached, those that are first, then soonest first, from what was captured until as_of: the maxima of the infrastructure tier in use (infrastructure; see use_infrastructure_tier()), what subscriptions allow against the use of exactly those that have a limit (subscriptions), and own metrics'' limits (own). The range holds the date in four cases of five. plan_date and days_left follow the policy: conservative the early end of the range, expected the middle, aggressive the late end. is_binding: the one that comes first. urgency, by the numbers in policy: critical (reached, or within 7 days), warning (30), watch (90 days, or 90 % used), unknown, none. breach_date of what is reached: since when, NULL where that lies before what is known. kind: a stock or a flow; events: what has happened to the metric, where it has. horizon: at most 10000 days. Errors: 22023.
Example: SELECT metric, limit_value, status, breach_date, breach_date_earliest, breach_date_latest FROM capforecast.capacity_outlook(''180 days'');';

CREATE FUNCTION capforecast.capacity_outlook_json(horizon interval DEFAULT '365 days', policy text DEFAULT 'expected',
		as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE
	RETURN (SELECT coalesce(jsonb_agg(o), '[]') FROM capforecast.capacity_outlook(horizon, policy, as_of) o);
COMMENT ON FUNCTION capforecast.capacity_outlook_json(interval, text, timestamptz) IS 'capacity_outlook() as one list.
Example: SELECT capforecast.capacity_outlook_json(''180 days'');';
