-- The report in each state, its formats, charts, and Prometheus' text.
\getenv dir PG_ABS_SRCDIR
\set fresh :dir '/platform/fresh.sql'
\set ECHO none
\i :fresh
\set ECHO all
\set schema :dir '/platform/schema.sql'
\t on
\pset format unaligned
CREATE FUNCTION headline(page text) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(substring(page FROM '<h1>(.*?)</h1>'), '<[^>]*>', '', 'g') $$;
CREATE FUNCTION sections(page text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(m[1], ' ') FROM regexp_matches(page, '<section id="(\w+)"', 'g') m $$;

-- Nothing there: what to do first, and what is in the way.
SELECT headline(p), sections(p), p LIKE '%Start here%' FROM capforecast.capacity_report() p;
\set ECHO none
\o /dev/null
\i :schema
\o
\set ECHO all
INSERT INTO vendors (vendor_code, name) SELECT 'v' || i, '<script>alert(' || i || ')</script> & "co" ''x''' FROM generate_series(1, 60) i;
INSERT INTO vendor_subscriptions (vendor_id, tier, status, period_start, period_end) SELECT id, 'essential', 'active', now(), now() + interval '1 month' FROM vendors;
INSERT INTO products (vendor_id) SELECT id FROM vendors, generate_series(1, 300);
SELECT count(*) FROM capforecast.capture_daily_snapshot();
SELECT regexp_replace(headline(p), '\d+ \w+ \d+|\d+ \w+ on', '<day>'), sections(p), p LIKE '%A date today%' FROM capforecast.capacity_report() p;

-- Names are text, whatever they look like; so are the title and what comes from errors.
SELECT count(*) FROM capforecast.capture_vendor_usage();
SELECT capforecast.look_at_vendors() > 0;
SELECT p LIKE '%&lt;script&gt;alert(%', p ~ '<script', p LIKE '%<title>&lt;b&gt;&amp;&quot;</title>%' FROM capforecast.capacity_report(title => '<b>&"') p;
SELECT capforecast.capacity_report('markdown') LIKE '%\\<script\\>alert(%';
-- It asks nothing of anybody: no request, no script.
SELECT p ~ '(src|href)="(?!#|data:,)', p ~* '@import|url\(|<link(?! rel="icon" href="data:,")|<script' FROM capforecast.capacity_report() p;

-- A limit that is reached comes first.
INSERT INTO vendors (vendor_code, name) SELECT 'w' || i, 'W' FROM generate_series(1, 60) i;
SELECT capforecast.use_infrastructure_tier('Small');
SELECT count(*) FROM capforecast.capture_daily_snapshot(refresh => true);
SELECT headline(p), p LIKE '%over the limit%', p LIKE '%<dl class="facts over">%' FROM capforecast.capacity_report() p;

-- Days missing.
UPDATE capforecast.capacity_snapshots SET snapshot_date = snapshot_date - 5;
SELECT headline(p) ~ '^No number since .*: five days are missing$' FROM capforecast.capacity_report() p;

-- A year of history with an import in it: charts, with the mark; a date or none.
DELETE FROM capforecast.capacity_snapshots;
INSERT INTO capforecast.capacity_snapshots (snapshot_date, active_vendors, total_products, source)
SELECT current_date - 300 + i, 20 + i / 10, 5000 + 20 * i + CASE WHEN i > 200 THEN 4000 ELSE 0 END + i % 3, 'imported' FROM generate_series(0, 300) i;
SELECT sections(p), (SELECT count(*) FROM regexp_matches(p, '<svg [^>]*class="chart narrow"', 'g')) AS charts,
	(SELECT count(*) = count(DISTINCT m[1]) FROM regexp_matches(p, '\mid="([^"]*)"', 'g') m) AS ids_are_unique, p ~ 'NaN|Infinity|null' AS has_no_number
FROM capforecast.capacity_report() p;
-- One part fails: the rest is there.
ALTER TABLE capforecast.vendor_near_limit RENAME TO away;
SELECT p LIKE '%Could not be read: relation &quot;capforecast.vendor_near_limit&quot; does not exist%', sections(p) FROM capforecast.capacity_report() p;
ALTER TABLE capforecast.away RENAME TO vendor_near_limit;

-- The document has every part; the formats are three.
SELECT string_agg(key, ' ' ORDER BY key) FROM jsonb_object_keys(capforecast.capacity_report('json')::jsonb) key;
\set VERBOSITY terse
SELECT capforecast.capacity_report('pdf');
SELECT capforecast.capacity_report(NULL);

-- Charts of any series: valid XML, the limit in it, ids of its own.
SELECT xml_is_well_formed_document(c), c LIKE '%limit: 500%', c LIKE '%<title id="chart-t">Disk &lt;1&gt;</title>%'
FROM (SELECT capforecast.series_agg(current_date - 60 + i, 100 + 5 * i) AS s FROM generate_series(0, 60) i) x,
	capforecast.chart(x.s, horizon => 90, threshold => 500, title => 'Disk <1>') c;
SELECT xml_is_well_formed_document(capforecast.chart('products'));
SELECT xml_is_well_formed_document(capforecast.chart(capforecast.series('{2026-01-01}'::timestamptz[], '{5}'::float8[])));
SELECT capforecast.chart(NULL::capforecast.series) IS NULL;
SELECT capforecast.chart('products', width => 10);
SELECT capforecast.chart('no_such_metric');

-- Numbers as people read them, in HTML.
SELECT capforecast._number(x) FROM unnest('{0,0.04,0.05,9.96,99.94,99.96,1234567.4,-3.04,NaN,Infinity,NULL}'::float8[]) x;
SELECT capforecast._money(c, k) FROM (VALUES (15000, 'EUR'), (15050, 'EUR'), (-1, 'USD'), (1500, 'JPY'), (1500, 'KWD'), (NULL, 'EUR')) m(c, k);
SELECT capforecast._chart_tick(x) FROM unnest('{4,4.001,8,10,10.1,20,40,0.3}'::float8[]) x;

-- Prometheus: one head for each family, no sample without a value, labels escaped.
SELECT count(*) FROM capforecast.add_metric('odd', 'SELECT 1', unit => E'a"b\\c\nd');
INSERT INTO capforecast.metric_value (metric, day, value) VALUES ('odd', current_date - 1, 7);
SELECT line FROM string_to_table(capforecast.prometheus_metrics(), E'\n') line WHERE line LIKE '%odd%';
SELECT count(*) = count(DISTINCT line) FROM string_to_table(capforecast.prometheus_metrics(), E'\n') line WHERE line LIKE '# TYPE%';
SELECT line FROM string_to_table(capforecast.prometheus_metrics(), E'\n') line WHERE line <> '' AND line !~ '^(# (HELP|TYPE) capforecast_\w+ .+|capforecast_\w+(\{[^}]*\})? -?[0-9.e+-]+)$';
