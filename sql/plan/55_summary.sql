-- The platform in at most ten narrow lines, for psql and chat.

CREATE TYPE capforecast.summary_line AS (
	what text, used text, "of" text, percent integer, full_on date, range text, advice text
);
COMMENT ON TYPE capforecast.summary_line IS
	'A row of capacity_summary(): a limit, what is used of it (rounded: 22.8k), in percent; the day it is reached, the days from now that hold that day in four cases of five, and what to do.';

-- 84, 22.8k, 1.2M: three digits say enough.
CREATE FUNCTION capforecast._short_number(value double precision)
	RETURNS text LANGUAGE sql IMMUTABLE
	RETURN CASE WHEN abs(value) >= 999.5e6 THEN trim_scale(round((value / 1e9)::numeric, CASE WHEN abs(value) >= 100e9 THEN 0 ELSE 1 END)) || 'G'
		WHEN abs(value) >= 999.5e3 THEN trim_scale(round((value / 1e6)::numeric, CASE WHEN abs(value) >= 100e6 THEN 0 ELSE 1 END)) || 'M'
		WHEN abs(value) >= 9999.5 THEN trim_scale(round((value / 1e3)::numeric, CASE WHEN abs(value) >= 100e3 THEN 0 ELSE 1 END)) || 'k'
		ELSE trim_scale(round(value::numeric, CASE WHEN abs(value) >= 100 THEN 0 ELSE 1 END))::text END;
COMMENT ON FUNCTION capforecast._short_number(double precision) IS 'A number for people, in at most five digits and signs from 0 to 10^12.';

CREATE FUNCTION capforecast._days_in_words(earliest date, latest date, today date)
	RETURNS text LANGUAGE sql IMMUTABLE
	RETURN CASE WHEN earliest IS NULL THEN NULL
		WHEN latest IS NULL THEN format(CASE capforecast._days_until(earliest, today) WHEN 1 THEN 'from %s day' ELSE 'from %s days' END, capforecast._days_until(earliest, today))
		WHEN latest > earliest THEN format('%s to %s days', capforecast._days_until(earliest, today), capforecast._days_until(latest, today))
		WHEN capforecast._days_until(earliest, today) = 1 THEN '1 day'
		ELSE format('%s days', capforecast._days_until(earliest, today)) END;
COMMENT ON FUNCTION capforecast._days_in_words(date, date, date) IS 'A range of days as days from today.';

CREATE TYPE capforecast._summary AS (
	place bigint, metric text, limit_kind text, limit_name text, what text, current_value double precision, limit_value double precision,
	utilization_ratio double precision, status capforecast.forecast_status, urgency text,
	breach_date date, breach_date_earliest date, breach_date_latest date, order_by date, advice text
);
COMMENT ON TYPE capforecast._summary IS 'What a line of capacity_summary() is made from.';

CREATE FUNCTION capforecast._summary_of(today date, numbers capforecast._planning, as_of timestamptz)
	RETURNS SETOF capforecast._summary LANGUAGE sql STABLE ROWS 10 BEGIN ATOMIC
	SELECT o.place, o.metric, o.limit_kind, o.limit_name, m.words, o.current_value, o.limit_value, o.utilization_ratio, o.status, o.urgency,
		CASE WHEN o.status <> 'already_breached' THEN o.breach_date END,
		CASE WHEN o.status <> 'already_breached' THEN o.breach_date_earliest END,
		CASE WHEN o.status <> 'already_breached' THEN o.breach_date_latest END,
		d.order_by,
		CASE WHEN o.status = 'already_breached' THEN 'reached: act now'
			WHEN o.status = 'stale' THEN 'see doctor()'
			WHEN d.order_by <= today THEN CASE o.limit_kind WHEN 'infrastructure' THEN 'order now' ELSE 'act now' END
			WHEN d.order_by IS NOT NULL THEN CASE o.limit_kind WHEN 'infrastructure' THEN 'order by ' ELSE 'act by ' END || capforecast._day_text(d.order_by)
			WHEN o.urgency = 'unknown' THEN coalesce('known by ' || capforecast._day_text(o.ready_on), 'no date yet')
			WHEN o.urgency = 'watch' THEN 'watch'
			ELSE 'room' END
	FROM (SELECT l.*, row_number() OVER () AS place FROM capforecast.capacity_outlook(as_of => as_of) l) o
		JOIN capforecast.metrics m ON m.metric = o.metric
		CROSS JOIN LATERAL (SELECT CASE WHEN o.status = 'ok' THEN o.breach_date - numbers.lead_time_days::integer END AS order_by) d;
END;
COMMENT ON FUNCTION capforecast._summary_of(date, capforecast._planning, timestamptz) IS 'The limits in the order of the outlook, with what to do.';

CREATE FUNCTION capforecast.capacity_summary(as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.summary_line
	LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	most constant integer := 10;
	now constant timestamptz := capforecast._instant(as_of);
	today constant date := (now AT TIME ZONE 'UTC')::date;
	numbers constant capforecast._planning := capforecast._planning_now();
BEGIN
	RETURN QUERY
	WITH line AS MATERIALIZED (SELECT s.*, count(*) OVER () AS lines FROM capforecast._summary_of(today, numbers, now) s)
	SELECT r.what, r.used, r.whole, r.percent, r.full_on, r.range, r.advice
	FROM (
		SELECT s.place, CASE WHEN length(s.what) > 18 THEN left(s.what, 16) || '..' ELSE s.what END AS what,
			capforecast._short_number(s.current_value) AS used, capforecast._short_number(s.limit_value) AS whole,
			round((s.utilization_ratio * 100)::numeric)::integer AS percent, s.breach_date AS full_on,
			capforecast._days_in_words(s.breach_date_earliest, s.breach_date_latest, today) AS range, s.advice
		FROM line s WHERE s.lines <= most OR s.place < most
		UNION ALL
		SELECT most, format('and %s more', max(s.lines) - most + 1), NULL, NULL, NULL, NULL, NULL, 'capacity_outlook()'
		FROM line s HAVING max(s.lines) > most
		UNION ALL
		SELECT 0, 'no limit is known', NULL, NULL, NULL, NULL, NULL, 'see doctor()' WHERE NOT EXISTS (SELECT FROM line)) r
	ORDER BY r.place;
END
$$;
COMMENT ON FUNCTION capforecast.capacity_summary(timestamptz) IS
	'The platform in at most ten lines that fit 100 columns: each limit, what is used of it, when it is full, and what to do (by that day less the lead time of policy), in the order of capacity_outlook(), which has all of it.
Example: SELECT * FROM capforecast.capacity_summary();';

CREATE FUNCTION capforecast.capacity_summary_json(as_of timestamptz DEFAULT NULL)
	RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	now constant timestamptz := capforecast._instant(as_of);
BEGIN
	RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('what', s.what, 'metric', s.metric, 'limit_kind', s.limit_kind, 'limit_name', s.limit_name,
			'used', s.current_value, 'of', s.limit_value, 'percent', s.utilization_ratio * 100, 'status', s.status, 'urgency', s.urgency,
			'full_on', s.breach_date, 'full_on_earliest', s.breach_date_earliest, 'full_on_latest', s.breach_date_latest,
			'order_by', s.order_by, 'advice', s.advice) ORDER BY s.place), '[]')
		FROM capforecast._summary_of((now AT TIME ZONE 'UTC')::date, capforecast._planning_now(), now) s);
END
$$;
COMMENT ON FUNCTION capforecast.capacity_summary_json(timestamptz) IS 'capacity_summary() with every limit and the numbers unrounded.
Example: SELECT capforecast.capacity_summary_json();';
