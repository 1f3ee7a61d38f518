-- What happens to real histories: the date, the forecast and the word of each are one story.
SET search_path = public, capforecast;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

-- A number for each day, -6 to 6, the same everywhere.
CREATE FUNCTION pg_temp.wobble(i integer) RETURNS integer LANGUAGE sql IMMUTABLE RETURN (i * 7919 + i * i * 31) % 13 - 6;
CREATE TEMP TABLE history (name text, kind text, s series, last float8, limit_value float8);
CREATE TEMP VIEW told AS
	SELECT h.name, h.kind, t.status, t.days_left, t.breach_date_earliest - date '2026-06-30' AS earliest,
		t.breach_date_latest - date '2026-06-30' AS latest, round(t.breach_probability::numeric, 1) AS chance, t.events,
		t.events IS NOT DISTINCT FROM f.events AND f.events IS NOT DISTINCT FROM (SELECT events FROM forecast(h.s, 1, kind => h.kind)) AS same_word,
		h.limit_value >= f.yhat_lower AND h.limit_value <= f.yhat_upper AS limit_in_bounds
	FROM history h
		CROSS JOIN LATERAL time_to_threshold(h.s, h.limit_value, as_of => '2026-06-30 12:00Z', kind => h.kind) t
		LEFT JOIN LATERAL (SELECT * FROM forecast(h.s, 365, confidence_level => 0.95, kind => h.kind)
			ORDER BY step = coalesce(t.days_left, 30) DESC LIMIT 1) f ON true;
-- Days end on 2026-06-30; i counts back from it: 0 is the last.
CREATE FUNCTION pg_temp.days(n integer) RETURNS TABLE (i integer, day date) LANGUAGE sql
	AS 'SELECT i, date ''2026-06-30'' - i FROM generate_series(0, n - 1) i';

-- Hardly anything ever changed: a rate, not a pace. 41 for 149 days, then 42; and two changes in 150 days.
INSERT INTO history SELECT 'one change, today', k, series_agg(day, CASE WHEN i = 0 THEN 42 ELSE 41 END), 42, 48
FROM pg_temp.days(150), unnest(ARRAY['stock', NULL]) k GROUP BY k;
INSERT INTO history SELECT 'two changes', 'stock', series_agg(day, 41 + (i < 90)::int + (i < 20)::int), 43, 49 FROM pg_temp.days(150);
SELECT name, kind, status, chance, events, same_word FROM told ORDER BY 1, 2;
SELECT h.name, h.kind, f.step, round(f.yhat) AS yhat, f.yhat_lower >= h.last AS never_below, f.yhat_upper <= h.last + 8 AS not_far
FROM history h, forecast(h.s, 60, confidence_level => 0.8, kind => h.kind) f WHERE step IN (1, 60) ORDER BY 1, 2, 3;
TRUNCATE history;

-- 55 rows a day, and 70 000 at once k days ago: no pace, and no habit. The limit is 90 days away.
INSERT INTO history SELECT 'import ' || k || ' days ago', NULL, series_agg(day, 30000 + 55 * (119 - i) + pg_temp.wobble(i) + CASE WHEN i <= k THEN 70000 ELSE 0 END),
	NULL, 30000 + 55 * (119 + 90) + 70000 FROM unnest('{0,1,3,10,30}'::int[]) k, pg_temp.days(120) GROUP BY k;
INSERT INTO history SELECT 'two imports', NULL, series_agg(day, 30000 + 55 * (119 - i) + pg_temp.wobble(i) + CASE WHEN i <= 12 THEN 40000 ELSE 0 END + CASE WHEN i <= 2 THEN 50000 ELSE 0 END),
	NULL, 30000 + 55 * (119 + 90) + 90000 FROM pg_temp.days(120);
SELECT name, status, days_left BETWEEN 80 AND 95 AS is_right, events, same_word, limit_in_bounds FROM told ORDER BY length(name), name;
SELECT h.name, round(f.yhat / 1000) AS yhat_thousands FROM history h, forecast(h.s, 30) f WHERE f.step = 30 ORDER BY length(name), 1;
TRUNCATE history;

-- 2 a day, then 30 a day since k days. The limit is what is reached in 30 days.
INSERT INTO history SELECT 'ten times the pace since ' || k, 'stock', series_agg(day, 500 + 2 * (179 - i) + greatest(k - i, 0) * 28 + pg_temp.wobble(i) / 6), NULL,
	500 + 2 * (179 + 30) + (k + 30) * 28 FROM unnest('{5,10,21,45}'::int[]) k, pg_temp.days(180) GROUP BY k;
SELECT name, status, days_left BETWEEN 27 AND 33 AS is_right, earliest <= 31 AND coalesce(latest, 999) >= 29 AS holds, events, same_word, limit_in_bounds
FROM told ORDER BY length(name), name;
TRUNCATE history;

-- An age that is set back from 210 to 60 about every 30 days: 260 is out of reach. And since it is set back no more: 210 + 5 a day.
INSERT INTO history SELECT 'set back', k, series_agg(day, 60 + ((5 * (179 - i) + pg_temp.wobble(i) / 3) % 150 + 150) % 150), NULL, 260
FROM pg_temp.days(180), unnest(ARRAY['gauge', NULL]) k GROUP BY k;
INSERT INTO history SELECT 'set back no more', k, series_agg(day, CASE WHEN i >= 40 THEN 60 + ((5 * (239 - i)) % 150) ELSE 60 + 5 * (40 - i) + (5 * 199) % 150 END + pg_temp.wobble(i) / 4), NULL, 660
FROM pg_temp.days(240), unnest(ARRAY['stock', NULL]) k GROUP BY k;
SELECT name, kind, status, chance, days_left, events, same_word FROM told ORDER BY 1, 2;
TRUNCATE history;

-- A counter of the quarter.
INSERT INTO history SELECT 'quarter', NULL, series_agg(d::date, n), NULL, 5000
FROM (SELECT d, sum(40 + pg_temp.wobble(extract(doy FROM d)::int)) OVER (PARTITION BY date_trunc('quarter', d) ORDER BY d) AS n
	FROM generate_series(timestamp '2025-08-10', '2026-06-30', '1 day') d) q;
SELECT name, status, chance, events, same_word FROM told;
TRUNCATE history;

-- A log that is rotated when it is full, twice so far: it is full again, and does not go on to 1.1 of that; two halves of unlike levels are no habit.
INSERT INTO history SELECT 'rotated', NULL, series_agg(day, 20 + 20 * ((89 - i + 34) % 43) + pg_temp.wobble(i)), NULL, 960 FROM pg_temp.days(90);
INSERT INTO history SELECT 'purged twice', NULL, series_agg(day, CASE WHEN i >= 60 THEN 2000 - 20 * (i - 60) WHEN i >= 30 THEN 900 - 20 * (i - 30) ELSE 1100 - 20 * (i + 30) END + pg_temp.wobble(i)), NULL, 800
FROM pg_temp.days(90);
SELECT name, status, chance < 0.1 AS is_small, chance > 0.8 AS is_large, events FROM told ORDER BY 1;
TRUNCATE history;

-- Emptied every week, and said to be a stock: its peaks of 140 come nowhere near 200.
INSERT INTO history SELECT 'emptied weekly', k, series_agg(day, 110 + 5 * ((97 - i) % 7) + pg_temp.wobble(i) / 10.0), NULL, 200
FROM pg_temp.days(98), unnest(ARRAY['stock', 'gauge', NULL]) k GROUP BY k;
SELECT name, kind, status, chance < 0.3 AS is_small, events FROM told ORDER BY 2;
TRUNCATE history;

-- Orders stopped coming in for three days, a week ago: neither level nor spread is made of that.
INSERT INTO history SELECT 'outage', 'flow', series_agg(day, CASE WHEN i BETWEEN 7 AND 9 THEN 0 ELSE 300 + 40 * ((i + 3) % 7) + 3 * pg_temp.wobble(i) END), NULL, 700 FROM pg_temp.days(120);
SELECT name, status, chance FROM told;
SELECT min(round(f.yhat)) > 250 AS level_holds, max(round(f.yhat_upper)) < 700 AS bounds_hold FROM history h, forecast(h.s, 28, kind => h.kind) f;
TRUNCATE history;

-- Doubling every month: 32 times as much in 150 days.
INSERT INTO history SELECT 'doubling', 'stock', series_agg(day, round(100 * power(2, (119 - i) / 30.0))), NULL, round(100 * power(2, (119 + 60) / 30.0)) FROM pg_temp.days(120);
SELECT name, status, days_left BETWEEN 54 AND 66 AS is_right, earliest <= 61 AND coalesce(latest, 999) >= 60 AS holds, limit_in_bounds FROM told;
TRUNCATE history;

-- Orders on one day in five: the mean is kept.
SELECT k, round(avg(f.yhat)::numeric, 2) BETWEEN 0.45 AND 0.75 AS is_right
FROM (SELECT series_agg(day, CASE WHEN i % 5 = pg_temp.wobble(i / 5) % 2 + 1 THEN 3 ELSE 0 END) AS s FROM pg_temp.days(150)) q,
	unnest(ARRAY['flow', NULL]) k, forecast(q.s, 28, kind => k) f GROUP BY k ORDER BY k;
