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
