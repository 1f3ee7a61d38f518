-- A platform that grows through two sizes of infrastructure: critical before each is passed, breached from then on
-- until the operator tells the next size, and never recovered by itself.
BEGIN;
SELECT plan(9);
SET LOCAL timezone = 'UTC';
SET LOCAL capforecast.allow_time_travel = on;
SET LOCAL client_min_messages = warning;

-- 80 vendors on day 0 and one more every day; sizes end at 50, 100, 300. Day 0 is the first one captured.
CREATE TEMP TABLE day AS SELECT d, date '2026-01-01' + d AS on_day, (80 + d)::bigint AS vendors FROM generate_series(-70, 300) d;
INSERT INTO capforecast.capacity_snapshots (snapshot_date, captured_at, source, total_vendors, active_vendors, total_products)
SELECT on_day, on_day + interval '12 hours', CASE WHEN d < 0 THEN 'backfilled' ELSE 'captured' END, vendors, vendors, 100 FROM day WHERE d <= 0;
CREATE TEMP TABLE said (d integer, event text, severity text, urgency text, status text, tier text);
CREATE FUNCTION pg_temp.live(first integer, last integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE today record; now timestamptz;
BEGIN
	FOR today IN SELECT * FROM day WHERE d BETWEEN first AND last ORDER BY d LOOP
		now := today.on_day + interval '12 hours';
		INSERT INTO capforecast.capacity_snapshots (snapshot_date, captured_at, source, total_vendors, active_vendors, total_products)
		VALUES (today.on_day, now, 'captured', today.vendors, today.vendors, 100) ON CONFLICT DO NOTHING;
		INSERT INTO said (d, event, severity) SELECT today.d, a.event, a.severity FROM capforecast.raise_alerts(as_of => now) a WHERE a.metric = 'vendors';
		INSERT INTO said (d, urgency, status, tier) SELECT today.d, o.urgency, o.status::text, o.limit_name FROM capforecast.capacity_outlook(as_of => now) o WHERE o.metric = 'vendors';
	END LOOP;
END $$;

SELECT pg_temp.live(0, 60);
SELECT is((SELECT array_agg(DISTINCT tier) FROM said WHERE tier IS NOT NULL), '{"Small tier"}', 'the size of the first captured day stands');
SELECT results_eq('SELECT event, severity FROM said WHERE event IS NOT NULL ORDER BY d', $$VALUES ('new', 'warning'), ('escalated', 'critical')$$, 'warned of once, then critical');
SELECT cmp_ok((SELECT min(d) FROM said WHERE severity = 'critical'), '<', 20, 'critical before the day on which it is passed');
SELECT is_empty($$SELECT d, status FROM said WHERE d >= 20 AND status IS DISTINCT FROM 'already_breached' AND status IS NOT NULL$$, 'breached from then on');
SELECT is((SELECT count(*) FROM capforecast.alert WHERE metric = 'vendors' AND recovered_at IS NULL AND is_breach), 1::bigint, 'and on alert, 40 days later');

SELECT capforecast.use_infrastructure_tier('Medium');
SELECT pg_temp.live(61, 70);
SELECT is((SELECT count(*) FROM said WHERE event = 'recovered' AND d > 60), 1::bigint, 'recovered once the next size is told');
-- to 300 vendors, on day 220
SELECT pg_temp.live(180, 240);
SELECT ok((SELECT min(d) < 220 FROM said WHERE d > 70 AND severity = 'critical'), 'critical before the second one is passed');
SELECT is_empty($$SELECT d, status FROM said WHERE d >= 220 AND status IS DISTINCT FROM 'already_breached' AND status IS NOT NULL$$, 'breached until told');
SELECT is_empty($$SELECT d FROM said WHERE d > 71 AND event = 'recovered'$$, 'and not recovered by itself');
SELECT * FROM finish();
ROLLBACK;
