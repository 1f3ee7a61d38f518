-- Where a chart's axis begins and ends, and what a gauge is called: what no picture shows to a reader.
BEGIN;
SELECT no_plan();
SET LOCAL timezone = 'UTC';

CREATE FUNCTION pg_temp.frame(VARIADIC y double precision[]) RETURNS text LANGUAGE sql AS $$
	SELECT f.bottom || ' to ' || f.top || ' by ' || f.tick
	FROM (SELECT capforecast.series_agg('2026-06-01'::timestamptz + n * interval '1 day', v) AS s FROM unnest(y) WITH ORDINALITY AS u(v, n)) h,
		capforecast._chart_frame(jsonb_populate_record(NULL::capforecast._chart_data,
			jsonb_build_object('history', h.s::text, 'today', '2026-06-20', 'span', '30 days', 'step', '1 day')), 380, 214) f
$$;
SELECT is(pg_temp.frame(0, 0, 0), '0 to 1 by 0.25', 'nothing but 0: up to 1');
SELECT is(pg_temp.frame(0, 0, -4), '-4 to 0 by 1', 'below 0');
SELECT is(pg_temp.frame(10, 20), '0 to 23.6 by 10', 'half of the highest: from 0');
SELECT is(pg_temp.frame(10.5, 20), '10 to 23.6 by 5', 'above it: from a tick below the lowest');
SELECT is(pg_temp.frame(100, 100), '100 to 118 by 5', 'a line that is flat');

-- The chances of an outlook, each by its days
INSERT INTO capforecast.capacity_snapshots (snapshot_date, active_vendors, total_vendors)
SELECT (now() AT TIME ZONE 'UTC')::date - d, 96 - d / 3 - d % 2, 96 - d / 3 - d % 2 FROM generate_series(0, 90) d;
SELECT capforecast.use_infrastructure_tier('Small');
SELECT is((SELECT array_agg(m[1] || ' ' || m[2] ORDER BY m[1]) FROM regexp_matches(capforecast.prometheus_metrics(), 'capforecast_breach_probability\{metric="vendors",limit_kind="infrastructure",days="(\d+)"\} (\S+)', 'g') m),
	(SELECT ARRAY['30 ' || o.breach_probability_30_days, '60 ' || o.breach_probability_60_days, '90 ' || o.breach_probability_90_days]
	 FROM capforecast.capacity_outlook() o WHERE o.metric = 'vendors'), 'each chance under its days');
SELECT ok(o.breach_probability_30_days < o.breach_probability_90_days, 'which differ') FROM capforecast.capacity_outlook() o WHERE o.metric = 'vendors';

SELECT * FROM finish();
ROLLBACK;
