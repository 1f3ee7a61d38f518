-- The type series: text and binary form, construction, and taking apart.
SET search_path = public, capforecast;

-- In any order, written in order; a date is its midnight in UTC.
SELECT '{}'::series AS empty, ' { 2026-02-01T06:30:00+01:00 415.5 ,2026-01-31 412 } '::series AS two;
SELECT '{2026-01-01T00:00:00.000001Z 1, 2026-01-01T12:30Z -1.5e-3, 2026-01-01T23:59:59.5 .5, 2026-01-01 7.}'::series;
SELECT '{2026-01-01 nan, 2026-01-01 inf, 2026-01-01 -Infinity, 2026-01-01 -0, 2026-01-01 0}'::series AS equal_times;
SELECT '{-4713-11-24 1, +294276-12-31T23:59:59.999999Z 2, 0000-02-29 3, +12026-01-01 4}'::series AS extremes;

-- The shortest numbers that read back as the same bits, whatever the settings.
SELECT '{2026-01-01 0.1, 2026-01-02 5e-324, 2026-01-03 1.7976931348623157e308, 2026-01-04 123456789012345678}'::series;
BEGIN;
SET LOCAL DateStyle = 'German, DMY';
SET LOCAL TimeZone = 'America/St_Johns';
SET LOCAL extra_float_digits = -15;
SELECT '{2026-03-29T02:30:00 0.30000000000000004, 2026-01-31 2}'::series;
SELECT series('{2026-01-31}'::date[], '{1}') AS from_date, series('{2026-01-31 12:00}'::timestamp[], '{1}') AS from_timestamp,
	series_agg(d::date, 1) AS of_date, series_agg(d::timestamp, 1) AS of_timestamp
FROM (VALUES ('2026-01-31')) v(d);
COMMIT;
SELECT bool_and(s::text::series::text = s::text AND series_send(s) = series_send(s::text::series)) AS reads_back
FROM (SELECT series_agg(timestamptz '1999-12-31 23:59:59.999999Z' + i * interval '1234567.890123 s', (i * 0.1 - 7) / 3) AS s
	FROM generate_series(1, 500) i) x;

-- What stands between two commas is a point: a text without an end of them is refused before it is read.
SELECT ('{2026-01-01' || repeat(' ', 999900) || '5, 2026-01-02' || repeat(' ', 999900) || '6}')::series AS blanks;
SELECT ('{2026-01-01 0.' || repeat('5', 999900) || ', 2026-01-02 1}')::series AS digits;
\set VERBOSITY terse
SELECT ('{2026-01-01 1, 2026-01-02' || repeat(' ', 1000000) || '5}')::series;
SELECT ('{2026-01-01 0.' || repeat('5', 1000000) || '}')::series;
\set VERBOSITY default

-- Malformed text.
DO $$
DECLARE
	input text;
	detail text;
BEGIN
	FOREACH input IN ARRAY ARRAY[
		'', '  ', 'x', '{', '}', '{}{', '{} x', '{,}', '{2026-01-01}', '{2026-01-01 }', '{2026-01-01 1', '{2026-01-01 1,}',
		'{2026-01-01 1 2026-01-02 2}', '{2026-01-01 1;2026-01-02 2}', '{2026-1-1 1}', '{20260101 1}', '{01/02/2026 1}', '{now 1}',
		'{infinity 1}', '{2026-01-01T 1}', '{2026-01-01T10 1}', '{2026-01-01T10:00:00.1234567 1}', '{2026-01-01T10:00+1 1}',
		'{2026-01-01T10:00z 1}', '{2026-01-01 0x10}', '{2026-01-01 1e}', '{2026-01-01 1e+}', '{2026-01-01 .}', '{2026-01-01 1.2.3}',
		'{2026-01-01 nan(1)}', '{2026-01-01 -nan}', '{2026-01-01 infinit}', '{2026-01-01 infinitys}', '{2026-01-01 null}',
		'{2026-01-01 1,2}', '{2026-13-01 1}', '{2026-00-10 1}', '{2026-02-29 1}', '{2026-04-31 1}', '{2026-01-01T24:00 1}',
		'{2026-01-01T23:60 1}', '{2026-01-01T10:00+16 1}', '{-4713-11-23 1}', '{+294277-01-01 1}', '{-4713-11-24T00:00+01 1}',
		'{2026-01-01 1e309}', '{2026-01-01 -1e999999999}', '{2026-01-01 1e-400}', '{2026-01-01 ' || repeat('é', 60) || '}'] LOOP
		BEGIN
			PERFORM input::capforecast.series;
			RAISE NOTICE 'accepted: %', input;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
			RAISE INFO '% %: %', sqlstate, left(input, 40), detail;
		END;
	END LOOP;
END $$;
SELECT '{2026-01-01 1'::series;

-- Binary: number of points, then time and value of each.
SELECT encode(series_send('{2000-01-01T00:00:00.000001Z 1, 2000-01-02 -2}'), 'hex');
CREATE TABLE series_io (s series);
INSERT INTO series_io VALUES ('{}'), ('{2026-01-01 1, 2026-01-02 nan, 2026-01-03 -inf}'), (NULL);
INSERT INTO series_io SELECT series_agg(d, i % 97 / 7.0) FROM generate_series(1, 5000) i, LATERAL (SELECT date '2010-01-01' + i AS d) x;
\set file `echo /tmp/capforecast_series_io_$$`
COPY series_io TO :'file' (FORMAT binary);
CREATE TABLE series_io_copy (s series);
COPY series_io_copy FROM :'file' (FORMAT binary);
SELECT count(*) AS n, count(s) AS n_series, sum(n_points(s)) AS n_points,
	(SELECT string_agg(s::text, '|' ORDER BY s::text) FROM series_io) = string_agg(s::text, '|' ORDER BY s::text) AS same
FROM series_io_copy;
-- Malformed binary, put together by hand: bytea and series have the same COPY frame.
CREATE TABLE series_io_bytes (bytes bytea);
CREATE FUNCTION pg_temp.try_binary(path text, bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	TRUNCATE series_io_bytes, series_io_copy;
	INSERT INTO series_io_bytes VALUES (bytes);
	EXECUTE format('COPY series_io_bytes TO %L (FORMAT binary)', path);
	EXECUTE format('COPY series_io_copy FROM %L (FORMAT binary)', path);
	RETURN (SELECT s::text FROM series_io_copy);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN sqlstate || ': ' || coalesce(nullif(detail, ''), sqlerrm);
END $$;
SELECT what, pg_temp.try_binary(:'file', bytes) FROM (VALUES
	('good, unordered', '\x00000002 0000000000000001 3ff0000000000000 0000000000000000 4000000000000000'::bytea),
	('empty', '\x00000000'),
	('nothing', '\x'),
	('short count', '\x0000'),
	('negative count', '\xffffffff'),
	('one announced, none there', '\x00000001'),
	('one announced, two there', '\x00000001 0000000000000001 3ff0000000000000 0000000000000000 4000000000000000'),
	('cut point', '\x00000001 0000000000000001 3ff00000'),
	('count that overflows', '\x10000001 0000000000000001 3ff0000000000000'),
	('infinite time', '\x00000001 7fffffffffffffff 3ff0000000000000'),
	('time out of range', '\x00000001 8000000000000001 3ff0000000000000')) v(what, bytes);
DROP TABLE series_io, series_io_copy, series_io_bytes;
\setenv file :file
\! rm -f "$file"

-- From arrays: NULL on either side is not a point.
SELECT series(ARRAY['2026-01-02', '2026-01-01', NULL, '2026-01-04']::timestamptz[], ARRAY[2, NULL, 3, 4]),
	series('{}'::date[], '{}') AS empty, series(NULL::date[], '{}') AS nothing;
SELECT series('{2026-01-01,2026-01-02}'::date[], '{1}');
SELECT series('{{2026-01-01},{2026-01-02}}'::date[], '{1,2}');
SELECT series('{infinity}'::timestamptz[], '{1}');
SELECT series('{-infinity}'::date[], '{1}');
SELECT series('{5874897-12-31}'::date[], '{1}');

-- And back.
SET TimeZone = 'UTC';
SELECT * FROM points('{2026-02-01T06:30:00Z 415.5, 2026-01-31 412, 2026-01-31 nan}');
SELECT count(*) FROM points('{}');
SELECT count(*) FROM points(NULL);
SELECT n_points('{}'), n_points('{2026-01-31 412, 2026-01-31 412}'), n_points(NULL);

-- Equality and order: DISTINCT, GROUP BY and UNION work; by hash and by sorting.
CREATE TEMP TABLE many AS SELECT s::series FROM unnest(ARRAY['{}', '{2026-01-01 1}', '{2026-01-01 1.0}', '{2026-01-01 1, 2026-01-02 0}',
	'{2026-01-02 -0, 2026-01-01 1}', '{2026-01-01 nan}', '{2026-01-01 NaN}', '{2025-12-31 9}', '{2026-01-01 2}', '{2026-01-01 -inf}']) s;
SELECT s, count(*) FROM many GROUP BY s ORDER BY s;
SET enable_hashagg = off;
SELECT count(*) FROM (SELECT DISTINCT s FROM many) x;
SET enable_hashagg = on;
SET enable_sort = off;
SELECT count(*) FROM (SELECT DISTINCT s FROM many) x;
SET enable_sort = on;
SELECT count(*) FROM (SELECT s FROM many UNION SELECT s FROM many) x;
SELECT count(*) FILTER (WHERE a.s = b.s) AS eq, count(*) FILTER (WHERE a.s <> b.s) AS ne, count(*) FILTER (WHERE a.s < b.s) AS lt,
	count(*) FILTER (WHERE a.s <= b.s) AS le, count(*) FILTER (WHERE a.s > b.s) AS gt, count(*) FILTER (WHERE a.s >= b.s) AS ge FROM many a, many b;

-- Rows find their partition by hash, equal series the same one.
CREATE TEMP TABLE parted (s series) PARTITION BY HASH (s);
CREATE TEMP TABLE part_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TEMP TABLE part_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT s FROM many UNION ALL SELECT s FROM many;
SELECT count(*), count(DISTINCT tableoid) AS parts FROM parted;
SELECT count(*) AS in_two_parts FROM (SELECT s FROM parted GROUP BY s HAVING count(DISTINCT tableoid) > 1) x;

-- Sparklines.
SELECT sparkline(series_agg(date '2026-01-01' + i, i)) FROM generate_series(1, 8) i;
SELECT sparkline(series_agg(date '2026-01-01' + i, i)) AS with_gap FROM generate_series(1, 24) i WHERE i NOT BETWEEN 10 AND 12;
SELECT sparkline(series_agg(date '2026-01-01' + i, i), 10) AS ten_wide FROM generate_series(1, 1000) i;
SELECT sparkline('{2026-01-01 5, 2026-01-02 5}') AS flat, sparkline('{2026-01-01 5}') AS one, sparkline('{}') AS none,
	sparkline('{2026-01-01 inf, 2026-01-02 5}') AS infinite,
	sparkline('{2026-01-01 -1.7e308, 2026-01-02 0, 2026-01-03 1.7e308}') AS wide;
SELECT sparkline('{2026-01-01 5e-324, 2026-01-02 0}') AS tiny,
	sparkline('{2026-01-01 1.7e308, 2026-01-02 1.7e308, 2026-01-03 -1.7e308, 2026-01-04 -1.7e308}', 2) AS huge;
SELECT sparkline('{2026-01-01 5}', 0);
