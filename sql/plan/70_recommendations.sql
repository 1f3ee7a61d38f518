-- What to do about it.

CREATE TYPE capforecast.recommendation AS (
	category text, severity text, title text, description text, action text,
	rule text, metric text, due_date date, monthly_cost bigint, details jsonb,
	monthly_cost_cents bigint, currency text
);
COMMENT ON TYPE capforecast.recommendation IS
	'A row of scaling_recommendations(). monthly_cost_cents is in minor units of the currency; monthly_cost, which the web application knows, is the same number.';

CREATE FUNCTION capforecast._scaling_rules(as_of timestamptz)
	RETURNS SETOF capforecast.recommendation
	LANGUAGE C STABLE ROWS 4 AS 'MODULE_PATHNAME', 'capforecast_scaling_rules';
COMMENT ON FUNCTION capforecast._scaling_rules(timestamptz) IS
	'The rules that the web application has always shown, by severity.';

-- When something is to be ordered so that it is there in time, and how bad it is.
CREATE TYPE capforecast._due AS (day date, severity text, by_when text);
COMMENT ON TYPE capforecast._due IS 'When to act: the day, the severity that follows, and the day in words.';

CREATE FUNCTION capforecast._due_of(o capforecast._limit_forecast, numbers capforecast._planning, lead_days integer, today date)
	RETURNS SETOF capforecast._due LANGUAGE sql STABLE ROWS 1 BEGIN ATOMIC
	SELECT d.day,
		CASE WHEN capforecast._urgency(numbers, o.status, capforecast._days_until(o.breach_date, today), NULL) = 'critical' THEN 'critical'
			WHEN capforecast._days_until(d.day, today) <= numbers.warning_days THEN 'warning'
			ELSE 'info' END,
		CASE WHEN d.day > today THEN format('by %s', capforecast._day_text(d.day))
			WHEN o.breach_date IS NULL THEN 'at once'
			ELSE format('at once: the day was %s', capforecast._day_text(d.day)) END
	FROM (SELECT CASE WHEN o.status = 'already_breached' AND o.breach_date IS NULL THEN today ELSE o.breach_date - lead_days END AS day) d;
END;
COMMENT ON FUNCTION capforecast._due_of(capforecast._limit_forecast, capforecast._planning, integer, date) IS
	'The day that a limit is reached less the lead time (today where it was reached before anything was known). critical: reached, or within policy''s critical_days; warning: to be ordered within warning_days; info.';

-- What the infrastructure is to carry then, expected and at most (80 %).
CREATE FUNCTION capforecast._usage_then(usage jsonb, days integer, as_of timestamptz, OUT expected jsonb, OUT upper jsonb)
	RETURNS SETOF record LANGUAGE sql STABLE ROWS 1 BEGIN ATOMIC
	SELECT jsonb_object_agg(u.key, coalesce(f.predicted, u.value::double precision)),
		jsonb_object_agg(u.key, coalesce(f.upper_bound, u.value::double precision))
	FROM jsonb_each_text(usage) u
		LEFT JOIN LATERAL (SELECT x.* FROM capforecast.forecast(u.key, days, confidence_level => 0.80, as_of => as_of) x
			-- what no size has a maximum of decides nothing
			WHERE u.key IN (SELECT m.metric FROM capforecast.infrastructure_tiers i
				CROSS JOIN LATERAL capforecast._tier_maxima(ROW(i.*)::capforecast._infrastructure_tier) m WHERE m.maximum IS NOT NULL)
			ORDER BY x.forecast_date DESC NULLS LAST LIMIT 1) f ON true;
END;
COMMENT ON FUNCTION capforecast._usage_then(jsonb, integer, timestamptz) IS
	'The numbers that infrastructure is measured by, forecast for so many days ahead; those of now where they cannot be, or where no size has a maximum.';

CREATE FUNCTION capforecast._recommend_smaller(present capforecast._infrastructure_tier, usage_upper jsonb, facts jsonb)
	RETURNS SETOF capforecast.recommendation LANGUAGE sql STABLE ROWS 1 BEGIN ATOMIC
	SELECT 'infrastructure', 'info', format('Infrastructure tier %s would do', (n.tier).name),
		format('Use is expected to fit tier %s within %s days, at the upper end of the forecast, too', (n.tier).name, facts ->> 'horizon_days'),
		format('Move from tier %s to %s', present.name, (n.tier).name), 'right_size', NULL::text, NULL::date, (n.tier).monthly_cost_cents,
		facts || jsonb_build_object('required_tier', (n.tier).name, 'monthly_cost_then_cents', (n.tier).monthly_cost_cents,
			'monthly_saving_cents', present.monthly_cost_cents - (n.tier).monthly_cost_cents),
		(n.tier).monthly_cost_cents, (n.tier).currency::text
	FROM capforecast._tier_for(usage_upper) n
	WHERE NOT n.is_exceeded AND (n.tier).position < present.position;
END;
COMMENT ON FUNCTION capforecast._recommend_smaller(capforecast._infrastructure_tier, jsonb, jsonb) IS
	'Rule right_size: a smaller tier carries even the upper end of the forecast, as it does what is used.';

CREATE FUNCTION capforecast._limit_facts(o capforecast._limit_forecast, lead_days integer)
	RETURNS jsonb LANGUAGE sql STABLE
	RETURN jsonb_build_object('current_value', o.current_value, 'limit_value', o.limit_value, 'utilization_ratio', o.utilization_ratio,
		'status', o.status, 'breach_date', o.breach_date, 'breach_date_earliest', o.breach_date_earliest,
		'breach_date_latest', o.breach_date_latest, 'breach_probability', o.breach_probability, 'lead_time_days', lead_days);
COMMENT ON FUNCTION capforecast._limit_facts(capforecast._limit_forecast, integer) IS 'The numbers of a recommendation about a limit.';

CREATE FUNCTION capforecast._recommend_larger(o capforecast._limit_forecast, usage_expected jsonb, facts jsonb, due capforecast._due, lead_days integer)
	RETURNS SETOF capforecast.recommendation LANGUAGE sql STABLE ROWS 1 BEGIN ATOMIC
	SELECT 'infrastructure', due.severity,
		CASE WHEN n.tier IS NULL THEN 'No infrastructure tier carries what is expected'
			ELSE format('Infrastructure tier %s needed %s', (n.tier).name,
				CASE WHEN o.status = 'already_breached' THEN 'now' ELSE format('by %s', capforecast._day_text(o.breach_date)) END) END,
		capforecast._limit_reason(o),
		CASE WHEN n.tier IS NULL THEN format('Add a larger size to infrastructure_tiers, and order it %s', due.by_when)
			ELSE format('Order tier %s %s', (n.tier).name, due.by_when) END,
		'infrastructure_upgrade', o.metric, due.day, (n.tier).monthly_cost_cents,
		facts || jsonb_build_object('required_tier', (n.tier).name, 'monthly_cost_then_cents', (n.tier).monthly_cost_cents)
			|| capforecast._limit_facts(o, lead_days),
		(n.tier).monthly_cost_cents, coalesce((n.tier).currency::text, facts ->> 'currency')
	-- what passes its limit needs at least one more than that
	FROM (SELECT CASE WHEN NOT f.is_exceeded THEN f.tier END AS tier
			FROM capforecast._tier_for(usage_expected || jsonb_build_object(o.metric,
				greatest((usage_expected ->> o.metric)::double precision, o.limit_value + 1))) f) n;
END;
COMMENT ON FUNCTION capforecast._recommend_larger(capforecast._limit_forecast, jsonb, jsonb, capforecast._due, integer) IS
	'Rule infrastructure_upgrade: the tier that carries what is expected, and when to order it.';

-- A larger size is needed, or a smaller one would do.
CREATE FUNCTION capforecast._recommend_infrastructure(limits capforecast._limit_forecast[], numbers capforecast._planning,
		horizon_days integer, lead_days integer, as_of timestamptz)
	RETURNS SETOF capforecast.recommendation
	LANGUAGE plpgsql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	binding capforecast._limit_forecast;
	in_use record;
	is_grown boolean;
BEGIN
	SELECT l.* INTO binding FROM unnest(limits) l WHERE l.limit_kind = 'infrastructure'
	ORDER BY l.status <> 'already_breached', l.breach_date, l.utilization_ratio DESC LIMIT 1;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	SELECT usage, u.tier, (f.tier).position < (u.tier).position AS has_smaller INTO in_use
	FROM capforecast._last_usage(as_of) usage
		CROSS JOIN LATERAL capforecast._tier_in_use(usage) u
		CROSS JOIN LATERAL capforecast._tier_for(usage) f;
	is_grown := binding.status = 'already_breached' OR binding.breach_date IS NOT NULL;
	-- nothing grows into a limit, and nothing smaller carries even what is used
	IF NOT is_grown AND (NOT in_use.has_smaller OR binding.status NOT IN ('ok', 'shrinking', 'no_growth', 'beyond_horizon')) THEN
		RETURN;
	END IF;

	RETURN QUERY
	SELECT r.*
	FROM (SELECT * FROM capforecast._usage_then(in_use.usage, horizon_days, as_of) OFFSET 0) u
		CROSS JOIN LATERAL (SELECT jsonb_build_object('horizon_days', horizon_days, 'tier', (in_use.tier).name,
			'monthly_cost_cents', (in_use.tier).monthly_cost_cents, 'currency', (in_use.tier).currency,
			'usage', in_use.usage, 'usage_expected', u.expected, 'usage_upper', u.upper) AS facts OFFSET 0) f
		CROSS JOIN LATERAL (
			SELECT l.* FROM capforecast._due_of(binding, numbers, lead_days, (as_of AT TIME ZONE 'UTC')::date) d
				CROSS JOIN LATERAL capforecast._recommend_larger(binding, u.expected, f.facts, d, lead_days) l WHERE is_grown
			UNION ALL
			SELECT s.* FROM capforecast._recommend_smaller(in_use.tier, u.upper, f.facts) s WHERE NOT is_grown) r;
END
$$;
COMMENT ON FUNCTION capforecast._recommend_infrastructure(capforecast._limit_forecast[], capforecast._planning, integer, integer, timestamptz) IS
	'Rules infrastructure_upgrade and right_size, at most one row.';

CREATE FUNCTION capforecast._recommend_limits(limits capforecast._limit_forecast[], numbers capforecast._planning, lead_days integer, today date)
	RETURNS SETOF capforecast.recommendation LANGUAGE sql STABLE ROWS 3 BEGIN ATOMIC
	SELECT 'capacity', d.severity,
		format('%s %s %s', o.metric, CASE WHEN o.status = 'already_breached' THEN 'has reached' ELSE 'will reach' END, o.limit_name),
		capforecast._limit_reason(o),
		format('%s %s', CASE WHEN o.limit_kind = 'subscriptions' THEN 'Offer larger tiers to the vendors near their limits'
			ELSE 'Raise the limit, or stop the growth' END, d.by_when),
		'limit_reached', o.metric, d.day, NULL::bigint,
		jsonb_build_object('limit_kind', o.limit_kind) || capforecast._limit_facts(o, lead_days),
		NULL::bigint, NULL::text
	FROM unnest(limits) o CROSS JOIN LATERAL capforecast._due_of(o, numbers, lead_days, today) d
	WHERE o.limit_kind <> 'infrastructure' AND (o.breach_date IS NOT NULL OR o.status = 'already_breached')
	UNION ALL
	SELECT 'data', CASE WHEN bool_or(o.status = 'stale') THEN 'warning' ELSE 'info' END,
		format('No date for %s', string_agg(o.metric, ', ' ORDER BY o.metric)),
		string_agg(format('%s: %s', o.metric, coalesce(o.reason, o.status::text)), ' ' ORDER BY o.metric),
		CASE WHEN bool_or(o.status = 'stale') THEN 'See doctor(): a job does not run' ELSE 'Wait for more days, or backfill' END,
		'forecast_pending', NULL, min(o.ready_on), NULL, jsonb_object_agg(o.metric, o.status ORDER BY o.metric), NULL, NULL
	FROM unnest(limits) o
	WHERE o.limit_kind <> 'infrastructure' AND o.status IN ('insufficient_history', 'insufficient_coverage', 'stale', 'unreliable')
	HAVING count(*) > 0;
END;
COMMENT ON FUNCTION capforecast._recommend_limits(capforecast._limit_forecast[], capforecast._planning, integer, date) IS
	'Rules limit_reached and forecast_pending.';

CREATE FUNCTION capforecast._recommend_vendors(numbers capforecast._planning, as_of timestamptz)
	RETURNS SETOF capforecast.recommendation LANGUAGE sql STABLE ROWS 2 BEGIN ATOMIC
	SELECT 'vendors', 'info',
		format(CASE n.vendors WHEN 1 THEN '%s vendor at or near a limit of its plan' ELSE '%s vendors at or near a limit of their plan' END, n.vendors),
		format(CASE n.reached WHEN 1 THEN '%s has reached one, %s will within %s days' ELSE '%s have reached one, %s will within %s days' END,
			n.reached, n.near, numbers.vendor_days),
		'Talk to them about the tier that fits: vendor_outlook() lists all', 'vendors_near_limit', NULL::text, n.first_day, NULL::bigint,
		jsonb_build_object('found_on', n.found_on, 'vendors', (SELECT jsonb_agg(to_jsonb(top) - 'day') FROM (
			SELECT * FROM capforecast.vendor_near_limit t ORDER BY t.status = 'already_breached', t.breach_date, t.vendor_id, t.resource LIMIT 10) top)),
		NULL::bigint, NULL::text
	FROM (SELECT count(DISTINCT v.vendor_id) AS vendors, max(v.day) AS found_on,
			count(DISTINCT v.vendor_id) FILTER (WHERE v.status = 'already_breached') AS reached,
			count(DISTINCT v.vendor_id) FILTER (WHERE v.status <> 'already_breached') AS near,
			min(v.breach_date) FILTER (WHERE v.status <> 'already_breached') AS first_day
			FROM capforecast.vendor_near_limit v
			WHERE v.day BETWEEN (as_of AT TIME ZONE 'UTC')::date - numbers.vendor_list_days::integer AND (as_of AT TIME ZONE 'UTC')::date) n
	WHERE n.vendors > 0
	UNION ALL
	SELECT 'growth', 'info', 'Tier mix is shifting',
		string_agg(format('%s from %s%% to %s%%', m.tier, round((100 * m.start_ratio)::numeric, 1), round((100 * m.end_ratio)::numeric, 1)),
			', ' ORDER BY abs(m.end_ratio - m.start_ratio) DESC, m.tier),
		'Check what the shift does to the theoretical limits and to revenue', 'tier_mix', NULL, NULL, NULL,
		jsonb_object_agg(m.tier, jsonb_build_object('start_ratio', m.start_ratio, 'end_ratio', m.end_ratio, 'change', m.change)), NULL, NULL
	FROM capforecast.tier_mix(numbers.tier_mix_days::integer, as_of) m
	HAVING max(abs(m.end_ratio - m.start_ratio)) >= numbers.tier_mix_ratio;
END;
COMMENT ON FUNCTION capforecast._recommend_vendors(capforecast._planning, timestamptz) IS 'Rules vendors_near_limit and tier_mix.';

CREATE FUNCTION capforecast.scaling_recommendations(extended boolean DEFAULT true, as_of timestamptz DEFAULT NULL,
		horizon interval DEFAULT NULL, lead_time interval DEFAULT NULL)
	RETURNS SETOF capforecast.recommendation
	LANGUAGE plpgsql STABLE ROWS 8 SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	now constant timestamptz := capforecast._instant(as_of);
	numbers constant capforecast._planning := capforecast._planning_now();
	ahead constant interval := coalesce(horizon, make_interval(days => numbers.recommend_days::integer));
	horizon_days integer;
	lead_days integer;
BEGIN
	IF extended IS NOT TRUE THEN
		RETURN QUERY SELECT * FROM capforecast._scaling_rules(as_of);
		RETURN;
	END IF;
	horizon_days := capforecast._period_days('horizon', ahead, now, 1, 366);
	lead_days := capforecast._period_days('lead_time', coalesce(lead_time, make_interval(days => numbers.lead_time_days::integer)), now, -1, 366);

	RETURN QUERY
	WITH outlook AS MATERIALIZED (SELECT array_agg(o) AS limits FROM capforecast._outlook(ahead, now) o)
	SELECT (r.r).* FROM (
		SELECT 1 AS part, r FROM capforecast._scaling_rules(as_of) r
		UNION ALL SELECT 2, r FROM outlook, capforecast._recommend_infrastructure(outlook.limits, numbers, horizon_days, lead_days, now) r
		UNION ALL SELECT 3, r FROM outlook, capforecast._recommend_limits(outlook.limits, numbers, lead_days, (now AT TIME ZONE 'UTC')::date) r
		UNION ALL SELECT 4, r FROM capforecast._recommend_vendors(numbers, now) r
	) r
	-- within a severity the application's own rules come first, in their order
	ORDER BY array_position('{critical,warning,info}', (r.r).severity), r.part,
		CASE WHEN r.part = 1 THEN array_position('{product_capacity,next_tier,vendor_growth,image_storage}', (r.r).rule) END,
		(r.r).due_date, (r.r).metric;
END
$$;
COMMENT ON FUNCTION capforecast.scaling_recommendations(boolean, timestamptz, interval, interval) IS
	'Recommendations by severity: product use above 80 % of the theoretical limit, an infrastructure tier above 70 % of its maximum, vendors growing by more than 20 % in 30 days, image storage above 800 GB; use is read live. extended => false: exactly these rules. Extended, from what was captured: infrastructure_upgrade (tier needed within the horizon, its cost, and the day to order it: the day it is needed less lead_time), right_size, limit_reached, forecast_pending, vendors_near_limit (of the job look_at_vendors), tier_mix; each with its numbers in details. critical: reached, or within 7 days; warning: to be ordered within 30 days; policy has these numbers, and horizon (90 days) and lead_time (14 days) where they are not given. monthly_cost_cents is in minor units of the currency. horizon and lead_time: up to 366 days. Error: 22023.
Example: SELECT severity, title, due_date, monthly_cost_cents, currency FROM capforecast.scaling_recommendations();';

CREATE FUNCTION capforecast.scaling_recommendations_json(extended boolean DEFAULT true, as_of timestamptz DEFAULT NULL,
		horizon interval DEFAULT NULL, lead_time interval DEFAULT NULL)
	RETURNS jsonb LANGUAGE sql STABLE
	RETURN (SELECT coalesce(jsonb_agg(CASE WHEN extended THEN to_jsonb(r)
			ELSE jsonb_build_object('category', r.category, 'severity', r.severity, 'title', r.title,
				'description', r.description, 'action', r.action) END), '[]')
		FROM capforecast.scaling_recommendations(extended, as_of, horizon, lead_time) r);
COMMENT ON FUNCTION capforecast.scaling_recommendations_json(boolean, timestamptz, interval, interval) IS
	'scaling_recommendations() as the list that the web application shows.
Example: SELECT capforecast.scaling_recommendations_json(extended => false);';
