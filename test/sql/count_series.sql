-- count_series: events, one row each, to counts by UTC day, zeros filled in, today left out.
SET search_path = public, capforecast;
SET timezone = 'UTC';

CREATE TABLE event (customer integer, at timestamptz);
INSERT INTO event VALUES (1, '2026-03-01 00:00Z'), (1, '2026-03-01 23:59:59.999999Z'), (1, '2026-03-04 12:00Z'), (2, '2026-03-02 08:00Z'), (2, NULL);
SELECT customer, count_series(at, '2026-03-01', '2026-03-05') FROM event GROUP BY customer ORDER BY customer;
-- whatever the session's time zone: days are UTC days
SET timezone = 'Asia/Tokyo';
SELECT count_series(at, '2026-03-01', '2026-03-05') FROM event WHERE customer = 1;
-- a timestamp is read as UTC, a date is its day
SELECT count_series(at AT TIME ZONE 'UTC', '2026-03-01', '2026-03-05') FROM event WHERE customer = 1;
SELECT count_series((at AT TIME ZONE 'UTC')::date, '2026-03-01', '2026-03-05') FROM event WHERE customer = 1;
SET timezone = 'UTC';

-- NULL counts nothing, so that a LEFT JOIN gives zeros to those who have no event.
SELECT c AS customer, count_series(at, '2026-03-01', '2026-03-04') FROM generate_series(1, 3) c LEFT JOIN event ON customer = c GROUP BY c ORDER BY c;
SELECT count_series(at, '2026-03-01', '2026-03-04') AS nobody_asked FROM event WHERE false;
SELECT count_series(NULL::timestamptz) AS no_first_day;
SELECT count_series(at, '2026-03-03', '2026-03-04') AS others_count_nothing FROM event;

-- From the first event's day until yesterday, zeros after the last event, too; never today.
SELECT n_points(count_series(d)) FROM (VALUES (now() - interval '9 days'), (now() - interval '7 days')) v(d);
SELECT (SELECT string_agg(y::text, ' ' ORDER BY ts) FROM points(count_series(d)))
FROM (VALUES (now() - interval '4 days'), (now() - interval '2 days'), (now() - interval '2 days'), (now())) v(d);
SELECT (SELECT string_agg(y::text, ' ' ORDER BY ts) FROM points(count_series(d, NULL, (now() AT TIME ZONE 'UTC')::date + 30)))
FROM (VALUES (now() - interval '3 days'), (now())) v(d);
SELECT count_series(now()) AS only_today, count_series(now(), (now() AT TIME ZONE 'UTC')::date, NULL) AS from_today;
SELECT count_series((now() AT TIME ZONE 'UTC')::date) AS a_date, count_series((now() AT TIME ZONE 'UTC')::timestamp) AS a_timestamp;

-- Misuse.
SELECT count_series('infinity'::timestamptz);
SELECT count_series('-infinity'::date);
SELECT count_series(now(), 'infinity', NULL);
SELECT count_series(now(), '2026-03-05', '2026-03-01');
SELECT count_series(at, '2026-03-01'::date + customer, NULL) FROM event;
SELECT count_series(timestamptz '4000-01-01 BC');
SELECT n_points(count_series(d, '2026-03-01', '2026-03-31')) FROM (SELECT timestamptz '2026-03-01Z' + i % 40000 * interval '1 minute' AS d FROM generate_series(1, 3000000) i) q;

-- In parallel, and each day's worker apart.
CREATE TABLE log (customer integer, at timestamptz);
INSERT INTO log SELECT i % 50, timestamptz '2026-01-01Z' + (i * 7919 % 100000) * interval '1 minute' FROM generate_series(1, 40000) i;
INSERT INTO log SELECT i, NULL FROM generate_series(0, 60) i;
ANALYZE log;
SET max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE serial AS SELECT customer, count_series(at, '2026-01-01', '2026-03-15') AS s FROM log GROUP BY customer;
SELECT count(*), count(*) FILTER (WHERE n_points(s) = 74) AS of_74_days,
	sum((SELECT sum(y) FROM points(s))) = (SELECT count(*) FROM log WHERE at < '2026-03-16Z') AS none_lost FROM serial;
SET max_parallel_workers_per_gather = 3;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
CREATE FUNCTION pg_temp.plan_has(query text, wanted text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF line LIKE wanted THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END $$;
\set counted 'SELECT customer, capforecast.count_series(at, ''2026-01-01'', ''2026-03-15'') AS s FROM log GROUP BY customer'
SELECT pg_temp.plan_has(:'counted', '%Partial%Aggregate%') AS partial;
SELECT count(*) AS n, bool_and(p.s::text = o.s::text) AS same FROM (:counted) p JOIN serial o USING (customer);
SELECT pg_temp.plan_has('SELECT capforecast.count_series(at) FROM log', '%Partial Aggregate%') AS partial;
SELECT n_points(count_series(at)) = (now() AT TIME ZONE 'UTC')::date - '2026-01-01'::date AS until_yesterday FROM log;

-- What is said of those who order seldom, and of those who left: counts, not silence.
SELECT c AS customer, round(avg(yhat)::numeric, 1) AS a_day, min(status) AS status
FROM (SELECT c, count_series(at, '2026-01-01', '2026-04-30') AS s
	FROM generate_series(1, 2) c LEFT JOIN LATERAL (
		SELECT timestamptz '2026-01-01 10:00Z' + i * interval '1 day' AS at FROM generate_series(0, CASE c WHEN 1 THEN 119 ELSE 39 END) i, generate_series(1, 3)
		WHERE i * 17 % 5 = 0) o ON true GROUP BY c) q,
	LATERAL forecast(s, 28, kind => 'flow', as_of => '2026-05-01 12:00Z') GROUP BY c ORDER BY c;
DROP TABLE event, log;
