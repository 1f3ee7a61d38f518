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
	-- not greatest(..., 0), which makes 0 of a date that is not known
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
