-- The page of facts that are made up, element by element: each section, both sides of each condition.
\getenv dir PG_ABS_SRCDIR
\set fresh :dir '/platform/fresh.sql'
\i :fresh
SET timezone = 'UTC';
\t on
\pset format unaligned

-- Words.
SELECT x, capforecast._number(x), capforecast._change(x), capforecast._axis_number(x)
FROM unnest('{0,0.04,0.05,0.1,9.96,99.94,99.95,100,999.4,9999,10000,12500,999999,1e6,2.5e6,1e9,1.25e9,-0.04,-0.06,-3.04,-99.95,-12500}'::float8[]) x;
SELECT capforecast._day(d, '2026-06-15'), capforecast._day(d, '2026-06-15', true), capforecast._time_html(d, '2026-06-15')
FROM unnest('{2026-01-01,2026-12-31,2025-12-31,2027-01-01,2026-05-09,NULL}'::date[]) d;
SELECT capforecast._range_html(a, b, '2026-06-15') FROM (VALUES (NULL::date, NULL::date), ('2026-07-01', NULL), ('2026-07-01', '2026-07-01'), ('2026-07-01', '2026-08-01'),
	('2026-07-01', '2027-08-01'), ('2027-07-01', '2027-08-01')) r(a, b);
SELECT capforecast._money(c, k) FROM (VALUES (15000, 'EUR'), (15050, 'EUR'), (-1, 'USD'), (1500, 'JPY'), (1500, 'KWD'), (2000, 'KWD'), (123456789, 'EUR')) m(c, k);
SELECT n, capforecast._counted(n, 'day', 'days') FROM unnest('{-1,0,1,2,11,12,13,1000}'::bigint[]) n;
SELECT metric, capforecast._metric_label(metric)
FROM unnest('{vendors,orders,storage_gb,db_size_mb,limited_products,limited_orders,limited_team_members,my_own_one}'::text[]) metric;
SELECT capforecast._readable('limited_products and storage_gb until 2026-02-28, not 2026-13-01 or 1999-01-01', '2026-06-15');
SELECT r, capforecast._bar_html(r) FROM unnest('{NULL,-0.1,0,0.5,0.999,1,1.3,1.31,9}'::float8[]) r;
SELECT r, n, capforecast._coverage_html(r, n) FROM (VALUES (0.5::float8, NULL::bigint), (0.69, 20), (0.7, 20), (0.8, 20), (0.85, 20), (1, 20)) c(r, n);
SELECT d, capforecast._percent_of_year(d, '2026-06-15') FROM unnest('{2026-06-14,2026-06-15,2026-06-16,2026-12-31,2027-06-14,2027-06-15,2027-06-16}'::date[]) d;
SELECT capforecast._sooner(b, n) FROM (VALUES (NULL::date, '2026-07-01'::date), ('2026-07-01', NULL), ('2026-07-01', '2026-07-01'), ('2026-07-02', '2026-07-01'), ('2026-07-01', '2026-07-04')) s(b, n);
SELECT today, capforecast._time_line_head(today) FROM unnest('{2026-01-01,2026-06-15,2026-12-31,2024-02-29}'::date[]) today;
SELECT capforecast._value_text(5, unit) FROM unnest('{GB,MB,kB,TB,%,vendors,NULL}'::text[]) unit;

-- A page. In the outlook a limit of each state; what is said of it before differs by kind, value or state.
INSERT INTO capforecast.own_metric (metric, kind, direction) SELECT m, 'stock', 'up' FROM unnest('{near,far,mine,stopped,young,no_limit}'::text[]) m;
CREATE TABLE made (facts jsonb);
INSERT INTO made SELECT jsonb_build_object('title', NULL, 'database', 'd<b', 'as_of', '2026-06-15 09:30+00', 'horizon', '365 days', 'version', '9.9', 'server', '15.0', 'failed', '{}'::jsonb,
	'snapshots', '{"n": 300, "first_day": "2025-08-20", "last_day": "2026-06-14", "n_captured": 30}'::jsonb,
	'outlook', '[
		{"metric": "vendors", "unit": "vendors", "limit_kind": "infrastructure", "limit_name": "Small", "current_value": 88, "limit_value": 100, "utilization_ratio": 0.88, "status": "ok", "urgency": "warning", "days_left": 30, "breach_date": "2026-07-15", "breach_date_earliest": "2026-07-01", "breach_date_latest": "2026-08-20"},
		{"metric": "products", "unit": "products", "limit_kind": "infrastructure", "limit_name": "Small", "current_value": 9000, "limit_value": 10000, "utilization_ratio": 0.9, "status": "ok", "urgency": "watch", "days_left": 100, "breach_date": "2026-09-23", "breach_date_earliest": "2026-08-01", "breach_date_latest": null},
		{"metric": "limited_products", "unit": "products", "limit_kind": "subscriptions", "limit_name": "plans", "current_value": 10, "limit_value": 50, "utilization_ratio": 0.2, "status": "beyond_horizon", "urgency": "none", "breach_date_earliest": "2027-03-01"},
		{"metric": "limited_orders", "limit_kind": "subscriptions", "limit_name": "plans", "current_value": 10, "limit_value": 60, "utilization_ratio": 0.17, "status": "beyond_horizon", "urgency": "none"},
		{"metric": "storage_gb", "unit": "GB", "limit_kind": "own", "limit_name": "limit_value", "current_value": 10.5, "limit_value": 70, "utilization_ratio": 0.15, "status": "no_growth", "urgency": "none"},
		{"metric": "mine", "unit": "%", "limit_kind": "own", "limit_name": "a<b", "current_value": 3, "limit_value": 80, "utilization_ratio": 0.04, "status": "insufficient_history", "urgency": "unknown", "ready_on": "2026-06-20"},
		{"metric": "stopped", "limit_kind": "own", "limit_name": "x", "current_value": 3, "limit_value": 81, "utilization_ratio": 0.03, "status": "stale", "urgency": "unknown"},
		{"metric": "near", "limit_kind": "own", "limit_name": "x", "current_value": 79, "limit_value": 80, "utilization_ratio": 0.98, "status": "ok", "urgency": "critical", "days_left": 1, "breach_date": "2026-06-16", "breach_date_earliest": "2026-06-16", "breach_date_latest": "2026-06-16"},
		{"metric": "far", "limit_kind": "own", "limit_name": "x", "current_value": 40, "limit_value": 80, "utilization_ratio": 0.5, "status": "ok", "urgency": "none", "days_left": 366, "breach_date": "2027-06-16", "breach_date_earliest": "2027-06-15", "breach_date_latest": "2027-06-15"}]'::jsonb,
	'outlook_yesterday', '[
		{"metric": "vendors", "limit_kind": "infrastructure", "limit_value": 100, "status": "ok", "breach_date": "2026-07-16"},
		{"metric": "products", "limit_kind": "own", "limit_value": 10000, "status": "ok", "breach_date": "2026-09-01"},
		{"metric": "near", "limit_kind": "own", "limit_value": 81, "status": "ok", "breach_date": "2026-06-17"},
		{"metric": "far", "limit_kind": "own", "limit_value": 80, "status": "unreliable", "breach_date": "2027-06-17"}]'::jsonb,
	'outlook_last_week', '[
		{"metric": "vendors", "limit_kind": "infrastructure", "limit_value": 100, "status": "ok", "breach_date": "2026-07-12"},
		{"metric": "products", "limit_kind": "own", "limit_value": 10000, "status": "ok", "breach_date": "2026-09-01"},
		{"metric": "near", "limit_kind": "own", "limit_value": 81, "status": "ok", "breach_date": "2026-06-17"},
		{"metric": "far", "limit_kind": "own", "limit_value": 80, "status": "unreliable", "breach_date": "2027-06-17"}]'::jsonb,
	'values', '[
		{"metric": "vendors", "unit": "vendors", "today": 88, "yesterday": 88, "last_week": 80}, {"metric": "products", "today": 9000, "yesterday": 9010, "last_week": 8000},
		{"metric": "total_vendors", "today": 99, "yesterday": 98, "last_week": 97}, {"metric": "orders", "today": 5, "yesterday": 4, "last_week": 3},
		{"metric": "near", "today": 79, "yesterday": 78, "last_week": 70}, {"metric": "far", "today": 40, "yesterday": 40, "last_week": 40},
		{"metric": "young", "today": 40, "yesterday": 40, "last_week": null}, {"metric": "no_limit", "today": 40, "yesterday": null, "last_week": 41}]'::jsonb,
	'alerts', '{"opened": 2, "recovered": 1}'::jsonb,
	'recommendations', '[
		{"rule": "infrastructure_upgrade", "severity": "warning", "title": "Upgrade", "action": "Order Medium", "description": "limited_products is full on 2026-09-01", "metric": "vendors", "due_date": "2026-07-01", "monthly_cost": 15000, "details": {"required_tier": "Medium", "lead_time_days": 14, "monthly_cost_cents": 9000, "currency": "EUR"}},
		{"rule": "right_size", "severity": "info", "title": "Smaller", "action": "Shrink", "description": "less would do", "due_date": "2026-06-15", "monthly_cost": 5000, "details": {"monthly_cost_cents": 9000, "currency": "EUR"}},
		{"rule": "forecast_pending", "severity": "info", "title": "Wait", "description": "no date yet", "due_date": "2026-06-20", "details": {}},
		{"rule": "right_size", "severity": "critical", "title": "Late", "description": "it was due", "due_date": "2026-06-14", "monthly_cost": 9000, "details": {"monthly_cost_cents": 9000, "currency": "EUR"}},
		{"rule": "product_capacity", "severity": "info", "title": "Look", "description": "when there is time", "details": {}}]'::jsonb,
	'plan', '[
		{"month": "2026-06-01", "tier": "Small", "monthly_cost_cents": 9000, "tier_upper": "Small", "monthly_cost_cents_upper": 9000, "currency": "EUR", "vendors": 90.4, "products": 9500, "storage_gb": 11},
		{"month": "2026-07-01", "tier": "Small", "monthly_cost_cents": 9000, "tier_upper": "Medium", "monthly_cost_cents_upper": 15000, "currency": "EUR", "vendors": null, "products": 9900, "storage_gb": null},
		{"month": "2026-08-01", "tier": "Medium", "monthly_cost_cents": 15000, "tier_upper": "Medium", "monthly_cost_cents_upper": 15000, "currency": "EUR", "vendors": 110, "products": null, "storage_gb": 12},
		{"month": "2026-09-01", "tier": null, "vendors": 1}, {"month": "2026-10-01", "tier": "Medium", "vendors": null, "products": null}]'::jsonb,
	'growth', '[
		{"metric": "vendors", "period_days": 30, "start_value": 80, "current_value": 88, "change": 8, "growth_rate_percent": 10, "doubling_days": 218.4},
		{"metric": "storage", "period_days": 30, "start_value": 10, "current_value": 10, "change": 0, "growth_rate_percent": 0, "doubling_days": null}, {"metric": "orders", "period_days": 31, "start_value": null}]'::jsonb,
	'contributors', '[
		{"vendor_id": "1", "vendor_name": "A&B", "contribution": 50, "share_ratio": 0.625}, {"vendor_id": "2", "contribution": -5, "share_ratio": -0.0625},
		{"vendor_id": "3", "contribution": 90, "share_ratio": 1.1}, {"vendor_id": "4", "contribution": 1, "share_ratio": null}, {"vendor_id": null, "contribution": 9}]'::jsonb,
	'vendors', '[
		{"vendor_id": "1", "vendor_name": "A&B", "tier": "basic", "resource": "team_members", "current_value": 5, "limit_value": 5, "status": "already_breached", "breach_date": "2026-06-01", "fitting_tier": "pro", "price_cents": 9900, "present_price_cents": 4900, "near_since": "2026-06-09", "currency": "EUR", "n": 3, "n_reached": 1, "n_new": 2},
		{"vendor_id": "2", "tier": "basic", "resource": "products", "current_value": 90, "limit_value": 100, "status": "ok", "breach_date": "2026-07-01", "n": 3, "n_reached": 1}]'::jsonb,
	'past', '[
		{"metric": "vendors", "made_on": "2026-05-15", "day": "2026-05-16", "predicted": 10, "lower_80": 9, "upper_80": 11, "actual": 10},
		{"metric": "vendors", "made_on": "2026-05-15", "day": "2026-05-17", "predicted": 11, "lower_80": 9, "upper_80": 12, "actual": 13},
		{"metric": "vendors", "made_on": "2026-05-15", "day": "2026-08-13", "predicted": 30, "lower_80": 9, "upper_80": 50, "actual": null},
		{"metric": "products", "made_on": "2026-05-15", "day": "2026-08-13", "predicted": 30, "lower_80": 9, "upper_80": 50, "actual": null}]'::jsonb,
	'known_days', '[{"day": "2026-06-20", "name": "A < B", "region": "own"}, {"day": "2026-07-04", "name": "Fourth", "region": "US"}]'::jsonb,
	'vendors_looked_at', '2026-06-15T00:51:00+00:00',
	'accuracy', '[
		{"metric": "vendors", "horizon_from": 1, "n": 14, "coverage_80_ratio": 0.69, "smape_percent": 2.5}, {"metric": "vendors", "horizon_from": 8, "n": 20, "coverage_80_ratio": 0.8, "smape_percent": null},
		{"metric": "vendors", "horizon_from": 31, "n": 13, "coverage_80_ratio": 0.9, "smape_percent": 9}, {"metric": "products", "horizon_from": 31, "n": 15, "coverage_80_ratio": 0.95, "smape_percent": 0.1}]'::jsonb,
	'jobs', '[
		{"job": "run_forecasts", "status": "ok", "last_success": "2026-06-15T00:47:00+00:00", "next_due": "2026-06-16T00:47:00+00:00", "runs_failed_in_a_row": 0},
		{"job": "raise_alerts", "status": "failed", "last_success": null, "next_due": null, "runs_failed_in_a_row": 2, "last_error": "a < b"}, {"job": "look_at_vendors", "status": "never_run", "runs_failed_in_a_row": 0},
		{"job": "capture_metrics", "status": "overdue", "runs_failed_in_a_row": 1}]'::jsonb,
	'findings', '[{"code": "bad_limit", "severity": "warning", "n": 1, "first_seen": "2026-06-01T00:00:00", "subject": "vendor 7"}, {"code": "odd", "severity": "info", "n": 3, "first_seen": "2026-06-02T00:00:00", "subject": "x"}, {"code": "worst", "severity": "critical", "n": 1, "first_seen": "2026-06-02T00:00:00", "subject": "y"}]'::jsonb,
	'host', '[{"subject": "orders", "problem": "is not there", "fix": "SELECT 1"}]'::jsonb);
CREATE FUNCTION page(changes jsonb) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT string_to_table(replace(replace(regexp_replace(capforecast._report_html((m.facts || changes) - ARRAY(SELECT key FROM jsonb_each(changes) WHERE value = 'null')), '<style>.*</style>', ''), '><', E'>\n<'), '/> <', E'/>\n <'), E'\n') FROM made m $$;
CREATE FUNCTION head(changes jsonb) RETURNS SETOF text LANGUAGE sql AS $$ SELECT * FROM page(changes) line WHERE line ~ '<h1|<dd|<dt|<p>|overdue|sooner|later|<h2' $$;
CREATE FUNCTION outlook_with(changes jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('outlook', jsonb_agg(o.value || changes ORDER BY o.position)) FROM made, jsonb_array_elements(facts -> 'outlook') WITH ORDINALITY o(value, position) WHERE o.position <= 3 $$;
SELECT page('{}');
SELECT md5(capforecast._page_style() || capforecast._chart_style()) = md5(substring(p FROM '<style>(.*)</style>')) FROM made, capforecast._report_html(facts) p;
SELECT capforecast._report_markdown(facts) FROM made;

-- Its head in other states: with a limit that is passed or just reached, and with an order that is late or due today.
SELECT head(outlook_with('{"status": "already_breached", "utilization_ratio": 1.01, "current_value": 101}'));
SELECT head(outlook_with('{"status": "already_breached", "utilization_ratio": 1, "breach_date": null}'));
SELECT head(outlook_with('{"days_left": 0, "breach_date": "2026-06-15"}') || jsonb_build_object('recommendations', jsonb_set((SELECT facts -> 'recommendations' FROM made), '{0,due_date}', '"2026-06-15"')));
SELECT head(jsonb_build_object('recommendations', jsonb_set((SELECT facts -> 'recommendations' FROM made), '{0,due_date}', '"2026-06-14"')));
SELECT head('{"recommendations": []}');
SELECT head(outlook_with('{"status": "insufficient_history", "breach_date": null, "ready_on": "2026-07-01", "urgency": "unknown"}'));
SELECT head(outlook_with('{"status": "no_growth", "breach_date": null, "breach_date_earliest": null, "urgency": "none"}'));
SELECT head('{"outlook": [], "alerts": {"opened": 0, "recovered": 0}, "jobs": [], "vendors": [], "vendors_looked_at": null}');
SELECT head('{"vendors": [], "alerts": {"opened": 0, "recovered": 1}, "jobs": [{"job": "a", "status": "ok", "runs_failed_in_a_row": 0}]}');
-- Counted yesterday, the day before, never; and parts that failed.
SELECT head('{"snapshots": {"n": 1, "last_day": "2026-06-13"}}');
SELECT head('{"snapshots": {"n": 0, "last_day": null}}');
SELECT head('{"snapshots": null, "outlook": null, "vendors": null, "failed": {"snapshots": "a < b", "outlook": "x", "vendors": "y"}}');

-- A chart: what is drawn where.
CREATE FUNCTION drawn(chart capforecast._chart_data, width integer DEFAULT 380) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT string_to_table(replace(capforecast._chart_svg(chart, width, 214, 'p'), '><', E'>\n<'), E'\n') $$;
CREATE FUNCTION made_chart(days integer, step interval, y text, limit_value double precision, down boolean DEFAULT false, span interval DEFAULT '183 days') RETURNS capforecast._chart_data
LANGUAGE plpgsql AS $$
DECLARE c capforecast._chart_data; today constant timestamptz := '2026-06-15';
BEGIN
	c.title := 'T'; c.sentence := 'S'; c.today := today; c.span := span; c.step := '1 day'; c.value_text := 'V'; c.limit_text := 'L'; c.limit_value := limit_value; c.is_minimum := down;
	EXECUTE format('SELECT capforecast.series_agg($1 - d * interval ''1 day'', %s) FROM generate_series(0, $2) d', y) INTO c.history USING today, days;
	SELECT capforecast.series_agg(today + i * step, 100 + 5 * i), capforecast.series_agg(today + i * step, 100 + 4 * i), capforecast.series_agg(today + i * step, 100 + 8 * i) INTO c.mid, c.low, c.high
	FROM generate_series(0, 4) i;
	RETURN c;
END $$;
SELECT drawn(made_chart(10, '30 days', '100 - d', NULL));
SELECT drawn(made_chart(10, '30 days', '100 - d', 110));
SELECT drawn(made_chart(60, '30 days', '100 - (d % 7) * 10', NULL)) LIMIT 40;
SELECT drawn(made_chart(13, '30 days', '100 - (d % 2) * 10', NULL)) LIMIT 40;
SELECT drawn(made_chart(20, '30 days', 'CASE WHEN d BETWEEN 5 AND 7 THEN ''NaN''::float8 WHEN d BETWEEN 12 AND 15 THEN ''NaN'' ELSE 100 - d END', 97));
SELECT drawn(made_chart(10, '30 days', '100 + d', 102, true));
SELECT drawn(made_chart(10, '3 days', '100 - d', NULL, span => '30 days'));
SELECT drawn(made_chart(10, '3 days', '100 - d', NULL, span => '101 days'), 820);
SELECT drawn(made_chart(10, '3 days', '100 - d', NULL, span => '300 days'));
SELECT drawn(made_chart(10, '3 days', '100 - d', NULL, span => '800 days')), NULL;
SELECT drawn(made_chart(10, '3 days', '0', NULL, span => '31 days'));
SELECT drawn((SELECT c FROM (SELECT (made_chart(10, '30 days', '100 - d', 130)).*) c)::text::capforecast._chart_data) LIMIT 1;
CREATE FUNCTION breached(earliest date, breach date, latest date) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE c capforecast._chart_data := made_chart(2, '30 days', '100 - d', 120);
BEGIN
	c.earliest := earliest; c.breach := breach; c.latest := latest;
	RETURN QUERY SELECT line FROM drawn(c) line WHERE line ~ '"(br|bd|lb lr)"';
END $$;
SELECT breached('2026-07-01', '2026-08-01', '2026-09-01');
SELECT breached('2026-07-01', '2026-08-01', NULL);
SELECT breached('2026-06-15', '2026-08-01', NULL);
SELECT breached('2026-12-15', '2026-12-15', '2026-12-15');
SELECT breached('2026-12-16', '2026-12-16', '2026-12-16');
SELECT breached('2026-11-01', '2026-11-20', '2026-12-20');
SELECT capforecast._mark_shape(kind) FROM unnest('{once,bend,day,plan,x}'::text[]) kind;
SELECT capforecast._chart_marks(capforecast._chart_frame(made_chart(2, '30 days', '100 - d', 120), 380, 214),
	'[{"at": "2025-12-14", "kind": "once"}, {"at": "2025-12-13", "kind": "once"}, {"at": "2026-12-15", "kind": "bend"}, {"at": "2026-12-16", "kind": "bend"}]');
SELECT i, (capforecast._chart_frame(made_chart(2, '30 days', y, l), 380, 214)).* FROM (VALUES (1, '100 - d', NULL::float8), (2, '1000 - d', NULL), (3, '-5', NULL), (4, '100 - 51 * d', NULL),
	(5, '0', NULL), (6, '5', 1000), (7, '200', 195)) v(i, y, l);
SELECT capforecast._metric_sentence(o, 5, 'GB', i, 4, 6, '2026-06-15') FROM (VALUES (NULL::jsonb, NULL::float8), (NULL, 5.5), ('{"status": "already_breached", "limit_value": 4}', NULL),
	('{"status": "already_breached", "breach_date": "2026-06-01", "limit_value": 4, "utilization_ratio": 1.25}', NULL), ('{"status": "ok", "breach_date": "2026-07-01", "limit_value": 9}', NULL),
	('{"status": "stale", "ready_on": "2026-07-01"}', NULL), ('{"status": "no_growth"}', NULL), ('{"status": "shrinking"}', NULL), ('{"status": "beyond_horizon"}', NULL), ('{"status": "stale", "reason": "a < b"}', NULL)) s(o, i);
SELECT capforecast._limit_text(o) FROM unnest('{"{\"limit_kind\": \"infrastructure\", \"limit_name\": \"S\", \"limit_value\": 4}","{\"limit_kind\": \"subscriptions\", \"limit_value\": 4}","{\"limit_kind\": \"own\", \"limit_value\": 4}"}'::jsonb[]) o;

-- Ticks where the axis begins and ends on one, at the edges of its scales: two months, 200, 400, 800 and 1500 days.
CREATE FUNCTION ticks(today date, span integer, width integer DEFAULT 380) RETURNS text LANGUAGE plpgsql AS $$
DECLARE c capforecast._chart_data := made_chart(2, '1 day', '5', NULL);
BEGIN
	c.today := today; c.span := make_interval(days => span);
	RETURN (SELECT format('%s days: %s ticks, %s', 2 * span, count(*) FILTER (WHERE line ~ '^<path'), string_agg(substring(line FROM '>(.*)<'), ' ') FILTER (WHERE line ~ '^<text'))
		FROM string_to_table(replace(capforecast._chart_days(capforecast._chart_frame(c, width, 214), c.today), '><', E'>\n<'), E'\n') line);
END $$;
SELECT ticks('2026-06-15', span) FROM unnest('{28,31,32}'::integer[]) span;
SELECT ticks('2026-07-02', span) FROM unnest('{92,100,101,200,201,400,401,750,751}'::integer[]) span;
SELECT ticks('2026-07-02', span, width) FROM (VALUES (101, 700), (101, 699), (200, 700), (201, 700)) v(span, width);
SELECT ticks('2026-01-20', 100), ticks('2025-12-01', 120);

-- What a report is made of: both sides of each instant and each day.
\set at '''2026-06-15 09:30+00'''::timestamptz
INSERT INTO capforecast.capacity_snapshots (snapshot_date, active_vendors, source) VALUES ('2026-06-01', 1, 'imported'), ('2026-06-07', 2, 'captured'), ('2026-06-08', 3, 'captured'),
	('2026-06-13', 4, 'captured'), ('2026-06-14', 5, 'backfilled'), ('2026-06-15', 6, 'captured'), ('2026-06-16', 7, 'captured');
INSERT INTO capforecast.alert (metric, limit_kind, severity, opened_at, recovered_at, is_breach, reason) VALUES
	('a', 'own', 'warning', :at - interval '7 days', NULL, false, ''), ('b', 'own', 'warning', :at - interval '6 days 23:59', :at, false, ''), ('c', 'own', 'warning', :at, NULL, false, ''),
	('d', 'own', 'warning', :at + interval '1 minute', NULL, false, ''), ('e', 'own', 'warning', :at - interval '9 days', :at - interval '7 days', false, ''),
	('f', 'own', 'warning', :at - interval '9 days', :at - interval '6 days 23:59', false, ''), ('g', 'own', 'warning', :at - interval '9 days', :at + interval '1 minute', false, '');
INSERT INTO capforecast.finding (code, severity, subject, first_seen, last_seen, resolved_at) VALUES ('x', 'info', 's2', :at, :at, NULL), ('x', 'info', 's1', :at - interval '1 hour', :at, :at + interval '1 minute'),
	('x', 'info', 's3', :at - interval '1 hour', :at, :at), ('y', 'critical', 's', :at + interval '1 minute', :at, NULL), ('z', 'warning', 's', :at, :at, NULL), ('w', 'critical', 's', :at, :at, NULL);
INSERT INTO capforecast.vendor_near_limit (day, vendor_id, resource, status, breach_date, current_value, limit_value)
SELECT '2026-06-15', v, 'products', s, b::date, c, l FROM (VALUES ('1', 'ok', '2026-07-01', 9, 10), ('2', 'already_breached', '2026-06-10', 11, 10), ('3', 'ok', '2026-06-20', 8, 10), ('4', 'ok', '2026-07-01', 9.5, 10),
	('5', 'already_breached', '2026-06-10', 1, 0)) v(v, s, b, c, l);
INSERT INTO capforecast.vendor_near_limit (day, vendor_id, resource, status, breach_date, current_value, limit_value) SELECT '2026-06-15', 'z' || i, 'products', 'ok', '2026-08-01', i, 10 FROM generate_series(1, 6) i;
INSERT INTO capforecast.job_run (job, started_at, as_of, status) VALUES ('look_at_vendors', :at - interval '1 day', :at, 'ok'), ('look_at_vendors', :at, :at, 'ok'),
	('look_at_vendors', :at + interval '1 minute', :at, 'ok'), ('run_forecasts', :at, :at, 'ok'), ('look_at_vendors', :at, :at, 'failed');
CREATE TABLE read AS SELECT capforecast.capacity_report('json', as_of => :at)::jsonb AS facts;
SELECT facts -> 'snapshots', facts -> 'alerts', facts -> 'vendors_looked_at', facts -> 'failed', facts ->> 'version' = (SELECT extversion FROM pg_extension WHERE extname = 'capforecast') FROM read;
SELECT v ->> 'metric', v ->> 'today', v ->> 'yesterday', v ->> 'last_week' FROM read, jsonb_array_elements(facts -> 'values') v WHERE v ->> 'metric' = 'vendors';
SELECT f FROM read, jsonb_array_elements(facts -> 'findings') f;
SELECT string_agg(concat_ws(' ', v ->> 'vendor_id', v ->> 'n', v ->> 'n_reached'), ', ') FROM read, jsonb_array_elements(facts -> 'vendors') v;

-- Sizes of a chart, and what of a series is in it: as long back as ahead, 30 steps at least, to the day asked for.
\set VERBOSITY terse
SELECT w, h, capforecast._check_chart_size(w, h) FROM (VALUES (200, 120), (4000, 4000)) s(w, h);
SELECT capforecast._check_chart_size(199, 120);
SELECT capforecast._check_chart_size(4001, 120);
SELECT capforecast._check_chart_size(200, 119);
SELECT capforecast._check_chart_size(200, 4001);
CREATE FUNCTION shown(horizon integer, as_of timestamptz, threshold double precision DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', capforecast.n_points(c.history), (SELECT min(ts)::date FROM capforecast.points(c.history) p(ts, y)), c.today::date, c.span, c.step, capforecast.n_points(c.mid), c.value_text, c.limit_text, c.is_minimum, c.title)
	FROM capforecast._series_chart((SELECT capforecast.series_agg(date '2026-01-01' + d, 100 + d % 2) FROM generate_series(0, 120) d), NULL, horizon, threshold, NULL, NULL, as_of) c $$;
SELECT shown(7, NULL), shown(31, NULL), shown(7, '2026-04-01'), shown(7, NULL, 100), shown(7, NULL, 99.5), shown(7, NULL, 101);

-- What happened, as marks: of each kind; with and without a size and a day.
SELECT capforecast._metric_marks(events, '2026-06-15') FROM unnest('{one-off +430 on 2026-05-01,level changed -2.5 on 2025-05-01,pace changed +1e+06 on 2026-05-01,stopped on 2026-05-01,wrong value +7 on 2026-05-01,falls back every month,saturates on 2026-05-01,known day <b> on 2026-07-01,planned a sale +20 on 2026-07-01,NULL}'::text[]) events;
SELECT capforecast._metric_marks('pace changed +3 on 2026-05-01; one-off +430 on 2026-04-01; falls back every 7 days', '2026-06-15');

-- Names that are long; the cost of months of one size, of two, of three, and none.
SELECT capforecast._name_html(repeat('x', n)) FROM unnest('{60,61}'::integer[]) n;
CREATE FUNCTION months(tiers text[], costs bigint[], upper_costs bigint[]) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('plan', jsonb_agg(jsonb_build_object('month', date '2026-11-01' + make_interval(months => i::integer - 1), 'tier', tiers[i], 'monthly_cost_cents', costs[i],
		'tier_upper', tiers[i], 'monthly_cost_cents_upper', upper_costs[i], 'currency', 'EUR', 'vendors', i))) FROM generate_subscripts(tiers, 1) i $$;
SELECT string_to_table(replace(capforecast._cost_chart(m, 380, 190, 'p', 'narrow'), '><', E'>\n<'), E'\n') FROM months('{S,S,M}', '{8000,8000,15000}', '{8000,15000,15000}') m;
SELECT capforecast._cost_chart(m, 820, 210, 'p', 'wide') ~ '>Jan 2027<' FROM months(array_fill('S'::text, '{12}'), array_fill(8000::bigint, '{12}'), array_fill(9000::bigint, '{12}')) m;
SELECT capforecast._cost_chart('{}', 380, 190, 'p', 'narrow') IS NULL, capforecast._section_cost('{}') = '';
SELECT m.month, m.tier, dense_rank() OVER (ORDER BY m.run, m.tier) > 0 FROM capforecast._cost_months(months('{S,M,S}', '{1,2,1}', '{1,2,1}')) m;
SELECT capforecast._accuracy_sentence(facts) FROM made;
