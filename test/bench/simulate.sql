-- The platforms: 200 days of history, then 90 days on which the outlook is asked daily.
SET timezone = 'UTC';
SET client_min_messages = warning;
CREATE FUNCTION noise(what text, n integer) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
	SELECT (hashtextextended(what || n, 7) & 1048575)::double precision / 1048576 - 0.5
$$;
-- name, what is expected of it, limit, and the value on day d (-199 … 90; 0 is the first day asked).
CREATE TABLE platform (name text PRIMARY KEY, expected text, limit_value double precision, first_day integer DEFAULT -199, last_day integer DEFAULT 90);
INSERT INTO platform (name, expected, limit_value)
SELECT name, expected, 10000 FROM (VALUES
	('steady', 'quiet'), ('trickle', 'quiet'), ('bursty', 'quiet'), ('seasonal', 'quiet'), ('sawtooth', 'quiet'),
	('churning', 'quiet'), ('step_change', 'quiet'), ('cold_start', 'quiet'), ('stale', 'quiet'), ('at_92', 'quiet'),
	('growing', 'growing'), ('weekly_grow', 'growing'), ('exponential', 'growing'), ('accelerates', 'growing'), ('step_up', 'growing'),
	('over', 'over'), ('over_flat', 'over')) p(name, expected);
UPDATE platform SET first_day = -3 WHERE name = 'cold_start';
UPDATE platform SET last_day = 20 WHERE name = 'stale';
CREATE FUNCTION value_on(name text, d integer) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
	SELECT round(CASE name
		WHEN 'steady' THEN 5000 + 4 * d + 20 * noise(name, d)
		WHEN 'trickle' THEN 3000 + floor(d / 9.0)
		WHEN 'bursty' THEN 4000 + 3 * d + CASE WHEN d % 29 IN (3, 4) THEN 1500 ELSE 0 END + 30 * noise(name, d)
		WHEN 'seasonal' THEN 5000 + 2 * d + 900 * sin(2 * pi() * d / 7) + 60 * noise(name, d)
		WHEN 'sawtooth' THEN 3000 + 60 * ((d + 400) % 30) + 40 * noise(name, d)
		WHEN 'churning' THEN 8500 - 8 * d + 60 * noise(name, d)
		WHEN 'step_change' THEN CASE WHEN d < 10 THEN 4000 ELSE 7000 END + 2 * d + 30 * noise(name, d)
		WHEN 'cold_start' THEN 3000 + 5 * d + 30 * noise(name, d)
		WHEN 'stale' THEN 5000 + 20 * d
		WHEN 'at_92' THEN 9200 + 20 * noise(name, d)
		WHEN 'growing' THEN 7000 + 40 * d + 120 * noise(name, d)
		WHEN 'weekly_grow' THEN 7000 + 40 * d + 300 * sin(2 * pi() * d / 7) + 60 * noise(name, d)
		WHEN 'exponential' THEN 6000 * exp(0.0068 * d) + 60 * noise(name, d)
		WHEN 'accelerates' THEN 3500 + 20 * (d + 200) + 0.02 * (d + 200) ^ 2 + 60 * noise(name, d)
		WHEN 'step_up' THEN CASE WHEN d < 5 THEN 4000 + 25 * d ELSE 7000 + 40 * d END + 60 * noise(name, d)
		WHEN 'over' THEN 10300 + 10 * d
		WHEN 'over_flat' THEN 10500 END)
$$;

CREATE FUNCTION simulate(platform text) RETURNS TABLE (platform_name text, day integer, status text, urgency text, days_left integer, event text, severity text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	p platform;
BEGIN
	SELECT * INTO p FROM platform x WHERE x.name = simulate.platform;
	DELETE FROM capforecast.own_metric; DELETE FROM capforecast.metric_value; DELETE FROM capforecast.alert;
	INSERT INTO capforecast.own_metric (metric, kind, floor, direction) VALUES ('simulated', 'stock', 0, 'up');
	INSERT INTO capforecast.metric_value (metric, day, value, limit_value)
	SELECT 'simulated', date '2026-01-01' + d, value_on(p.name, d), p.limit_value FROM generate_series(p.first_day, p.last_day) d;
	FOR d IN 0..90 LOOP
		day := d;
		SELECT o.status::text, o.urgency, o.days_left INTO status, urgency, days_left
		FROM capforecast.capacity_outlook(as_of => date '2026-01-01' + day + interval '10 hours') o WHERE o.metric = 'simulated';
		SELECT a.event, a.severity INTO event, severity
		FROM capforecast.raise_alerts(as_of => date '2026-01-01' + day + interval '10 hours') a WHERE a.metric = 'simulated';
		platform_name := p.name;
		RETURN NEXT;
	END LOOP;
END
$$;
CREATE TABLE said AS SELECT s.* FROM platform p, LATERAL simulate(p.name) s;

CREATE VIEW verdict AS
SELECT p.name, p.expected,
	CASE WHEN p.expected <> 'quiet' THEN
		(SELECT min(d) FROM generate_series(-199, 90) d WHERE value_on(p.name, d) >= p.limit_value) END AS reached_on,
	min(s.day) FILTER (WHERE s.urgency IN ('warning', 'critical')) AS first_warning,
	min(s.day) FILTER (WHERE s.urgency = 'critical') AS first_critical,
	count(*) FILTER (WHERE s.urgency = 'critical') AS critical, count(*) FILTER (WHERE s.urgency = 'warning') AS warning,
	count(*) FILTER (WHERE s.urgency = 'watch') AS watch, count(*) FILTER (WHERE s.urgency = 'unknown') AS unknown,
	count(*) FILTER (WHERE s.urgency = 'none') AS none,
	count(s.event) AS alert_events,
	mode() WITHIN GROUP (ORDER BY s.status) AS usual_status
FROM platform p JOIN said s ON s.platform_name = p.name GROUP BY p.name, p.expected, p.limit_value;
\echo '== 90 days of each platform: days on which each urgency was given; days counted from the first one asked'
SELECT * FROM verdict ORDER BY expected DESC, name;
\echo '== lead: days from the first warning to the limit, on the growing ones'
SELECT name, reached_on, first_warning, reached_on - first_warning AS lead_days FROM verdict WHERE expected = 'growing' ORDER BY name;
\echo '== how far the date was off, by the days that were left in fact (growing ones, status ok)'
SELECT p.name, width_bucket(f.reached_on - s.day, ARRAY[1, 15, 31, 61]) AS band,
	min(f.reached_on - s.day) AS days_from, max(f.reached_on - s.day) AS days_to,
	count(*) AS n, round(avg(s.days_left - (f.reached_on - s.day)), 1) AS bias_days,
	round(avg(abs(s.days_left - (f.reached_on - s.day))), 1) AS mean_error_days
FROM said s JOIN verdict f ON f.name = s.platform_name JOIN platform p ON p.name = f.name
WHERE f.expected = 'growing' AND s.status = 'ok' AND s.day < f.reached_on GROUP BY 1, 2 ORDER BY 1, 2;
DO $$
DECLARE
	bad text;
BEGIN
	SELECT string_agg(format('%s (%s)', name, expected), ', ') INTO bad FROM verdict
	WHERE (expected = 'quiet' AND critical > 0)
		OR (expected = 'growing' AND (first_warning IS NULL OR reached_on - first_warning < 14))
		OR (expected = 'over' AND critical < 91);
	IF bad IS NOT NULL THEN
		RAISE EXCEPTION 'not as it should be: %', bad;
	END IF;
END
$$;
\echo 'as it should be: no false critical, a warning at least 14 days ahead, never quiet when over'
