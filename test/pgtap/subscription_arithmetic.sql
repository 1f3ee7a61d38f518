-- Periods, anchors, proration, tiers: the numbers of billing, and properties that hold
-- for all of them. Golden dates were worked by hand and with an independent calendar.
BEGIN;
\ir ../subscription/fixture.sql
SELECT no_plan();

-- Boundaries
SELECT is(array_agg((capforecast._boundary('2025-01-31', 'UTC', n))::date ORDER BY n),
	'{2025-02-28,2025-03-31,2025-04-30,2025-05-31,2025-06-30,2025-07-31}'::date[],
	'9.2 boundaries are counted from the anchor: 31 January stays the 31st')
FROM generate_series(1, 6) n;
SELECT is(array_agg((capforecast._boundary('2025-08-31', 'UTC', n))::date ORDER BY n),
	'{2025-09-30,2025-10-31,2025-11-30,2025-12-31,2026-01-31,2026-02-28,2026-03-31,2026-04-30,2026-05-31,2026-06-30,2026-07-31,2026-08-31}'::date[],
	'9.2 usage windows of an annual plan')
FROM generate_series(1, 12) n;
SELECT is(array_agg((capforecast._boundary('2024-02-29', 'UTC', 12 * n))::date ORDER BY n),
	'{2025-02-28,2026-02-28,2027-02-28,2028-02-29}'::date[], '9.2 a leap day comes back after four years')
FROM generate_series(1, 4) n;
SELECT results_eq(
	$$ SELECT to_char(capforecast._boundary('2025-01-31', 'Europe/Luxembourg', n), 'YYYY-MM-DD HH24:MI') FROM unnest(ARRAY[0, 1, 2, 3, 8, 9]) n $$,
	ARRAY['2025-01-30 23:00', '2025-02-27 23:00', '2025-03-30 22:00', '2025-04-29 22:00', '2025-09-29 22:00', '2025-10-30 23:00'],
	'9.2 Europe/Luxembourg: midnight on the local clock, in and out of summer time');
SELECT is(array_agg(extract(epoch FROM capforecast._boundary('2025-01-31', 'Europe/Luxembourg', n + 1) - capforecast._boundary('2025-01-31', 'Europe/Luxembourg', n))::int ORDER BY n),
	ARRAY[2419200, 2674800, 2592000, 2682000], '9.2 true seconds of a period, summer time or not')
FROM unnest(ARRAY[0, 1, 2, 8]) n;
SET LOCAL timezone = 'America/New_York';
SELECT is(capforecast._boundary('2025-02-28 23:30', 'UTC', 1), '2025-03-28 23:30+00', 'C2 the session''s time zone changes nothing');
SET LOCAL timezone = 'UTC';

-- C2: windows tile time: boundaries strictly grow, and every instant lies in exactly the
-- window that _months_before names, over ten years, for every day of the month.
SELECT is(count(*), 0::bigint, 'C2 windows tile ten years for every anchor day in ' || zone)
FROM unnest(ARRAY['UTC', 'Europe/Luxembourg', 'America/Sao_Paulo']) zone,
	generate_series('2015-01-01'::timestamp, '2015-01-31', '1 day') anchor,
	generate_series(0, 119) n,
	LATERAL (SELECT capforecast._boundary(anchor, zone, n) AS starts, capforecast._boundary(anchor, zone, n + 1) AS ends) w
WHERE NOT (w.ends > w.starts
	AND capforecast._months_before(anchor, zone, w.starts) = n
	AND capforecast._months_before(anchor, zone, w.ends - interval '1 microsecond') = n
	AND capforecast._months_before(anchor, zone, w.ends) = n + 1
	AND extract(day FROM timezone(zone, w.starts)) = least(extract(day FROM anchor),
		extract(day FROM date_trunc('month', timezone(zone, w.starts)) + interval '1 month - 1 day')))
GROUP BY zone ORDER BY zone;
SELECT is(count(*) FILTER (WHERE capforecast._months_before(anchor, zone, i) <> n), 0::bigint, 'C2 every hour of a year is in its window in ' || zone)
FROM unnest(ARRAY['UTC', 'Europe/Luxembourg', 'America/Sao_Paulo']) zone,
	LATERAL (SELECT '2017-01-31 02:30'::timestamp AS anchor) a,
	generate_series('2018-01-01 00:30+00'::timestamptz, '2019-01-01', '1 hour') i,
	LATERAL (SELECT max(m) AS n FROM generate_series(0, 40) m WHERE capforecast._boundary(anchor, zone, m) <= i) w
GROUP BY zone;

-- Anchors
SELECT results_eq(
	$$ SELECT CASE WHEN a.irregular THEN 'irregular' ELSE extract(day FROM a.anchor)::text END
	   FROM (VALUES (1, '2025-01-31', '2025-02-28'), (2, '2025-02-28', '2025-03-28'), (3, '2025-02-28', '2025-03-31'), (4, '2024-02-29', '2024-03-29'),
				(5, '2025-01-30', '2025-02-28'), (6, '2025-04-30', '2025-05-30'), (7, '2025-04-30', '2025-05-31'), (8, '2025-02-28', '2025-03-30'),
				(9, '2024-02-29', '2025-02-28'), (10, '2025-01-15', '2025-02-14')) p(n, s, e)
			CROSS JOIN LATERAL capforecast._anchor(s::timestamptz, e::timestamptz, 'UTC') a ORDER BY n $$,
	ARRAY['31', '28', '31', '29', '30', '30', '31', '30', '29', 'irregular'], '9.3 the anchor that a period shows');

-- Money
SELECT results_eq(
	$$ SELECT c.name, -capforecast._prorate(c.old, c.part, c.whole), capforecast._prorate(c.new, c.part, c.whole)
	   FROM (VALUES ('A', 4900, 9900, 1339200, 2678400), ('B', 4900, 9900, 1520985, 2419200), ('C', 2000, 1000, 864000, 2592000),
				('D', 9900, 19900, 1209600, 2505600), ('E', 4900, 9900, 1, 2678400), ('F', 4900, 9900, 2678400, 2678400), ('G', 4900, 9900, 0, 2678400),
				('H', 4900, 9900, 1378800, 2674800), ('I', 1, 3, 1296000, 2592000), ('J', 4900, 9900, 16, 31), ('O', 0, 999, 1900800, 2678400)) c(name, old, new, part, whole) $$,
	$$ VALUES ('A', -2450::bigint, 4950::bigint), ('B', -3081, 6224), ('C', -667, 333), ('D', -4779, 9607), ('E', 0, 0), ('F', -4900, 9900), ('G', 0, 0),
		('H', -2526, 5103), ('I', -1, 2), ('J', -2529, 5110), ('O', 0, 709) $$,
	'9.4 proration: each line rounded by itself, half away from zero');
SELECT is(capforecast._prorate(-667, 1, 2), -334::bigint, 'C3 half away from zero below zero, too');
SELECT is(capforecast._prorate(9007199254740993, 2678399, 2678400), 9007195891838045::bigint, 'C3 exact beyond the 53 bits of a double');
SELECT throws_ok($$ SELECT capforecast._prorate(9223372036854775807, 2, 1) $$, '22003', NULL, 'C3 overflow is an error');
-- any cut of a period into parts: the rounded parts miss the whole by half a cent each at most
SELECT ok(bool_and(abs(total - amount) <= 0.5 * parts), 'prorated lines add up to the amount, within their rounding')
FROM (SELECT amount, parts, sum(capforecast._prorate(amount, whole / parts + CASE WHEN k <= whole % parts THEN 1 ELSE 0 END, whole)) AS total
	  FROM unnest(ARRAY[1, 333, 4900, 9900, 39900, 123457]::bigint[]) amount, unnest(ARRAY[1, 2, 3, 7, 31, 97]) parts,
		unnest(ARRAY[2419200, 2674800, 2678400, 31536000]) whole, LATERAL generate_series(1, parts) k
	  GROUP BY amount, parts, whole) x;
SELECT results_eq(
	$$ SELECT part, whole, at FROM capforecast._share('2025-03-16 00:00:00.999+01', '2025-02-28 23:00+00', '2025-03-31 22:00+00', '2025-02-28 23:00+00', 'Europe/Luxembourg', 'second') $$,
	$$ VALUES (1378800::numeric, 2674800::numeric, '2025-03-15 23:00+00'::timestamptz) $$, '9.4 H the time of change is cut to the second');
SELECT results_eq(
	$$ SELECT part, whole FROM capforecast._share('2025-03-16 12:00+00', '2025-03-01', '2025-04-01', '2025-03-01', 'UTC', 'day') $$,
	$$ VALUES (16::numeric, 31::numeric) $$, '9.4 J by days, the day of change belongs to the later part');

-- Tiers
SELECT is((SELECT (t.code, t.price_monthly_cents, t.currency, t.source)::text FROM capforecast.get_tier_info('  Professional ') t),
	'(professional,9900,EUR,database)', '8.1.1 blanks and case do not matter');
SELECT is((SELECT t.products_limit FROM capforecast.get_tier_info('professional') t), NULL, '8.1.2 NULL is unlimited');
SELECT is((SELECT to_jsonb(t) FROM capforecast.get_tier_info('professional') t), capforecast.get_tier_info_json(' PROFESSIONAL'), 'as a document');
SELECT is(capforecast.get_tier_info_json('no such tier'), NULL, 'none of a code that is not known');
UPDATE subscription_tiers SET is_active = false, products_limit = NULL WHERE code = 'essential';
SELECT is((SELECT (t.is_active, t.products_limit)::text FROM capforecast.get_tier_info('essential') t), '(f,)',
	'8.1.1, 8.1.2 inactive tiers are returned, and not completed from the legacy list');
DELETE FROM subscription_tiers WHERE code = 'essential';
SELECT is((SELECT (t.code, t.price_monthly_cents, t.currency, t.products_limit, t.orders_per_month, t.team_members, t.source)::text
	FROM capforecast.get_tier_info('ESSENTIAL') t), '(essential,,,200,100,1,legacy)', '8.1.3 a legacy tier has no price');
INSERT INTO subscription_tiers (code, name, price_monthly_cents) VALUES ('Gold', 'G1', 1), ('GOLD', 'G2', 2);
SELECT is((SELECT t.name FROM capforecast.get_tier_info('GOLD') t), 'G2', '8.1.3 the exact one of two');
SELECT throws_ok($$ SELECT * FROM capforecast.get_tier_info('gold') $$, '21000', '2 tiers have the code "gold"', '8.1.3 neither is exact');
SELECT is_empty($$ SELECT * FROM unnest(ARRAY['', ' ', NULL, 'none']) c, capforecast.get_tier_info(c) $$, '8.1.4 no row');
ALTER TABLE subscription_tiers ALTER price_monthly_cents TYPE numeric;
UPDATE subscription_tiers SET price_monthly_cents = 19.99 WHERE code = 'Gold';
SELECT throws_ok($$ SELECT * FROM capforecast.get_tier_info('Gold') $$, '22023', 'price 19.99 is not a whole number of minor units', '8.1.6 a fraction of a cent');
CREATE ROLE tier_reader;
GRANT USAGE ON SCHEMA capforecast TO tier_reader;
GRANT SELECT ON capforecast.binding TO tier_reader;
SET ROLE tier_reader;
SELECT throws_ok($$ SELECT * FROM capforecast.get_tier_info('essential') $$, '42501', NULL, '8.1.5 no right to read is an error, not the legacy tier');
RESET ROLE;
DROP TABLE subscription_tiers;
SELECT is((SELECT t.source FROM capforecast.get_tier_info('business') t), 'legacy', '8.1.3 no table at all');

-- The daily job under the application's name
SELECT is((SELECT snapshot_date FROM capforecast.capture_capacity_snapshot()), (clock_timestamp() AT TIME ZONE 'UTC')::date, '8.7 today''s row');
SELECT results_eq('SELECT * FROM capforecast.capture_daily_snapshot()', 'SELECT * FROM capforecast.capacity_snapshots', '8.7 the same row by either name');
SELECT is((SELECT count(*) FROM capforecast.job_run), 2::bigint, '8.7 one row in job_run for each call');
-- A first period that is short costs its part, those after it are whole
SELECT is(capforecast._for_periods(3100, 1, '2025-03-11', '2025-04-01', '2025-03-01'), 2100::bigint, '8.0.2 21 of 31 days');
SELECT is(capforecast._for_periods(3100, 3, '2025-03-11', '2025-04-01', '2025-03-01'), 8300::bigint, '8.0.2 and two months more');
SELECT is(capforecast._for_periods(3100, 3, '2025-03-01', '2025-04-01', '2025-03-01'), 9300::bigint, '8.0.2 three whole ones');
SELECT is(capforecast._for_periods(1, 1, '2025-03-16 12:00', '2025-04-01', '2025-03-01'), 1::bigint, '8.0.2 half a cent is one');
SELECT * FROM finish();
ROLLBACK;
