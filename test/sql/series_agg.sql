-- series_agg: NULLs, order, groups, windows; in parallel and partition-wise plans.
SET search_path = public, capforecast;

SELECT series_agg(ts, y) FROM (VALUES (timestamptz '2026-01-02Z', 2.0), ('2026-01-01Z', 1), (NULL, 3), ('2026-01-03Z', NULL)) v(ts, y);
SELECT series_agg(ts, y) AS no_rows FROM (VALUES (timestamptz '2026-01-02Z', 2.0)) v(ts, y) WHERE false;
SELECT series_agg(ts, y) AS only_null FROM (VALUES (timestamptz '2026-01-02Z', NULL::float8)) v(ts, y);
SELECT series_agg(date '2026-01-01', y ORDER BY y DESC)::text = series_agg(date '2026-01-01', y ORDER BY y)::text AS whatever_the_order
FROM unnest(ARRAY[3, 'NaN', 1, '-Infinity', 2]::float8[]) y;
SELECT g, series_agg(date '2026-01-01' + i, i) FILTER (WHERE i <> 2) FROM generate_series(1, 2) g, generate_series(1, 3) i GROUP BY g ORDER BY g;
SELECT i, series_agg(date '2026-01-01' + i, i) OVER (ORDER BY i ROWS 1 PRECEDING) FROM generate_series(1, 3) i;
SELECT series_agg('infinity'::timestamptz, 1);
SELECT series_agg('infinity'::date, 1);
SELECT series_agg('5874897-01-01'::date, 1);
SELECT n_points(series_agg(timestamptz '2020-01-01' + i * interval '1 s', i)) FROM generate_series(1, 1000000) i;
SELECT series_agg(timestamptz '2020-01-01' + i * interval '1 s', i) FROM generate_series(1, 1000001) i;

-- A partitioned table whose vendors are spread over the partitions.
CREATE TABLE usage (vendor integer, day date, value float8) PARTITION BY HASH (vendor);
CREATE TABLE usage_0 PARTITION OF usage FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE usage_1 PARTITION OF usage FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE usage_2 PARTITION OF usage FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO usage SELECT v, date '2026-01-01' + (i * 37 % 200), CASE WHEN i % 11 > 0 THEN v + i / 3.0 END
FROM generate_series(1, 60) v, generate_series(0, 199) i;
ANALYZE usage;

CREATE TEMP TABLE serial_plan AS SELECT vendor, series_agg(day, value) AS s FROM usage GROUP BY vendor;
CREATE TEMP TABLE serial_days AS SELECT day, series_agg(day, value) AS s FROM usage GROUP BY day;
CREATE TEMP TABLE serial_all AS SELECT series_agg(day, value) AS s FROM usage;

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

SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 3;
SET parallel_leader_participation = off;
SET enable_partitionwise_aggregate = on;

\set by_vendor 'SELECT vendor, capforecast.series_agg(day, value) AS s FROM usage GROUP BY vendor'
\set by_day 'SELECT day, capforecast.series_agg(day, value) AS s FROM usage GROUP BY day'
\set all_of_it 'SELECT capforecast.series_agg(day, value) AS s FROM usage'
SELECT pg_temp.plan_has(:'by_vendor', '%Gather%') AS parallel,
	pg_temp.plan_has(:'by_day', '%Partial%Aggregate%') AS partial_by_day,
	pg_temp.plan_has(:'all_of_it', '%Partial Aggregate%') AS partial_of_all;
SELECT count(*) AS n, bool_and(p.s::text = o.s::text) AS same FROM (:by_vendor) p JOIN serial_plan o USING (vendor);
SELECT count(*) AS n, bool_and(p.s::text = o.s::text) AS same FROM (:by_day) p JOIN serial_days o USING (day);
SELECT n_points(p.s), p.s::text = o.s::text AS same FROM (:all_of_it) p, serial_all o;

-- Only partial, also without rows in some workers, and with every state empty.
SET enable_hashagg = off;
SELECT count(*) AS n, bool_and(p.s::text = o.s::text) AS same FROM (:by_day) p JOIN serial_days o USING (day);
SELECT series_agg(day, value) FROM usage WHERE day = '2026-01-02' AND vendor = 7;
SELECT series_agg(day, value) FROM usage WHERE value IS NULL;

DROP TABLE usage;

-- series_agg(series): what shards, partitions and stretches of time hold, merged.
SELECT series_agg(s) FROM unnest(ARRAY['{2026-01-01 1, 2026-01-02 2}', '{2026-01-02 5, 2026-01-03 7}', NULL, '{}']::series[]) s;
SELECT series_agg(s) AS no_rows FROM unnest('{}'::series[]) s;
SELECT series_agg(s) AS only_null FROM unnest('{NULL}'::series[]) s;
SELECT series_agg(s) AS not_numbers FROM unnest(ARRAY['{2026-01-01 NaN, 2026-01-02 Infinity, 2026-01-03 -1}',
	'{2026-01-01 1, 2026-01-02 -Infinity, 2026-01-03 1}']::series[]) s;
SELECT g, series_agg(s) FROM (SELECT i % 2 AS g, series_agg(date '2026-01-01' + i % 3, i) AS s FROM generate_series(1, 12) i GROUP BY i) q GROUP BY g ORDER BY g;
SELECT i, series_agg(s) OVER (ORDER BY i ROWS 1 PRECEDING) FROM (VALUES (1, '{2026-01-01 1}'::series), (2, '{2026-01-01 2}'), (3, '{2026-01-02 3}')) v(i, s);
-- As long as the sum has times: many more points may go in; one time too many is an error.
SELECT n_points(series_agg(s)) FROM (SELECT series_agg(timestamptz '2020-01-01' + i * interval '1 s', i) AS s FROM generate_series(1, 1000000) i) l, generate_series(1, 3);
SELECT series_agg(s) FROM (SELECT series_agg(timestamptz '2020-01-01' + i * interval '1 s', i) AS s FROM generate_series(1, 1000000) i
	UNION ALL SELECT '{2019-01-01 1}') l;

CREATE TABLE shard (id integer, s series);
INSERT INTO shard SELECT k % 7, series_agg(date '2026-01-01' + (i + k) % 50, i) FROM generate_series(1, 300) k, generate_series(0, k % 40) i GROUP BY k;
ANALYZE shard;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
SET max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE serial_merge AS SELECT id, series_agg(s) AS s FROM shard GROUP BY id;
SELECT n_points(series_agg(s)), (SELECT sum(y) FROM points(series_agg(s))) = (SELECT sum(y) FROM shard, points(s)) AS nothing_lost FROM shard;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 3;
\set merged 'SELECT id, capforecast.series_agg(s) AS s FROM shard GROUP BY id'
SELECT pg_temp.plan_has(:'merged', '%Partial%Aggregate%') AS partial;
SELECT count(*) AS n, bool_and(p.s::text = o.s::text) AS same FROM (:merged) p JOIN serial_merge o USING (id);
DROP TABLE shard;
