-- The same numbers for Prometheus, in its text format.

CREATE FUNCTION capforecast._label_value(content text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN replace(replace(replace(coalesce(content, ''), '\', '\\'), '"', '\"'), E'\n', '\n');
COMMENT ON FUNCTION capforecast._label_value(text) IS 'A text as the value of a label.';

CREATE FUNCTION capforecast._gauge(name text, help text, samples text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN samples IS NULL THEN '' ELSE format(E'# HELP %s %s\n# TYPE %s gauge\n%s\n', name, help, name, samples) END;
COMMENT ON FUNCTION capforecast._gauge(text, text, text) IS 'A family of samples with its head; nothing where there are none.';

-- What has no value has no sample: a gap is a gap, never 0.
CREATE FUNCTION capforecast.prometheus_metrics(as_of timestamptz DEFAULT NULL)
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH clock AS MATERIALIZED (SELECT capforecast._instant(as_of) AS now),
	outlook AS MATERIALIZED (
		SELECT o.*, format('{metric="%s",limit_kind="%s"}', capforecast._label_value(o.metric), o.limit_kind) AS labels
		FROM clock CROSS JOIN LATERAL capforecast.capacity_outlook(as_of => clock.now) o),
	job AS MATERIALIZED (SELECT h.* FROM clock CROSS JOIN LATERAL capforecast.job_health(clock.now) h)
	SELECT capforecast._gauge('capforecast_value', 'Last value of a metric.',
			(SELECT string_agg(format('capforecast_value{metric="%s",unit="%s"} %s', capforecast._label_value(m.metric), capforecast._label_value(m.unit), h.value), E'\n' ORDER BY m.metric)
			 FROM capforecast.metrics m CROSS JOIN clock CROSS JOIN LATERAL (SELECT v.value FROM capforecast.metric_history v
				WHERE v.metric = m.metric AND v.day <= (clock.now AT TIME ZONE 'UTC')::date ORDER BY v.day DESC LIMIT 1) h WHERE h.value <> 'NaN'))
		|| capforecast._gauge('capforecast_limit', 'Limit of a metric.', (SELECT string_agg(format('capforecast_limit%s %s', o.labels, o.limit_value), E'\n' ORDER BY o.labels) FROM outlook o))
		|| capforecast._gauge('capforecast_utilization_ratio', 'Share of a limit that is used; 1 is full.', (SELECT string_agg(format('capforecast_utilization_ratio%s %s', o.labels, o.utilization_ratio), E'\n' ORDER BY o.labels) FROM outlook o WHERE o.utilization_ratio IS NOT NULL))
		|| capforecast._gauge('capforecast_breached', '1 where a limit is reached.', (SELECT string_agg(format('capforecast_breached%s %s', o.labels, (o.status = 'already_breached')::integer), E'\n' ORDER BY o.labels) FROM outlook o))
		|| capforecast._gauge('capforecast_breach_timestamp_seconds', 'The day by which a limit is reached in half of the futures.', (SELECT string_agg(format('capforecast_breach_timestamp_seconds%s %s', o.labels, extract(epoch FROM o.breach_date)::bigint), E'\n' ORDER BY o.labels) FROM outlook o WHERE o.breach_date IS NOT NULL AND o.status <> 'already_breached'))
		|| capforecast._gauge('capforecast_breach_earliest_timestamp_seconds', 'The early end of the range that holds the day in four cases of five.', (SELECT string_agg(format('capforecast_breach_earliest_timestamp_seconds%s %s', o.labels, extract(epoch FROM o.breach_date_earliest)::bigint), E'\n' ORDER BY o.labels) FROM outlook o WHERE o.breach_date_earliest IS NOT NULL AND o.status <> 'already_breached'))
		|| capforecast._gauge('capforecast_breach_probability', 'Chance that a limit is reached within so many days.',
			(SELECT string_agg(format('capforecast_breach_probability{metric="%s",limit_kind="%s",days="%s"} %s', capforecast._label_value(o.metric), o.limit_kind, p.days, p.chance), E'\n' ORDER BY o.labels, p.days)
			 FROM outlook o CROSS JOIN LATERAL (VALUES (30, o.breach_probability_30_days), (60, o.breach_probability_60_days), (90, o.breach_probability_90_days)) p(days, chance) WHERE p.chance IS NOT NULL))
		|| capforecast._gauge('capforecast_vendors_near_limit', 'Vendors at or near a limit of their plan, as last looked at.',
			(SELECT string_agg(format('capforecast_vendors_near_limit{resource="%s",status="%s"} %s', capforecast._label_value(v.resource), CASE WHEN v.is_over THEN 'reached' ELSE 'near' END, v.n), E'\n' ORDER BY v.resource, v.is_over)
			 FROM (SELECT n.resource, n.status = 'already_breached' AS is_over, count(*) AS n FROM capforecast.vendor_near_limit n GROUP BY 1, 2) v))
		|| capforecast._gauge('capforecast_snapshot_timestamp_seconds', 'When the newest snapshot was captured.',
			(SELECT format('capforecast_snapshot_timestamp_seconds %s', extract(epoch FROM max(s.captured_at))::bigint) FROM capforecast.capacity_snapshots s, clock
			 WHERE s.snapshot_date <= (clock.now AT TIME ZONE 'UTC')::date AND s.source = 'captured' HAVING count(*) > 0))
		|| capforecast._gauge('capforecast_job_last_success_timestamp_seconds', 'When a job last succeeded.',
			(SELECT string_agg(format('capforecast_job_last_success_timestamp_seconds{job="%s"} %s', j.job, extract(epoch FROM j.last_success)::bigint), E'\n' ORDER BY j.job) FROM job j WHERE j.last_success IS NOT NULL))
		|| capforecast._gauge('capforecast_job_healthy', '1 where job_health() says ok.', (SELECT string_agg(format('capforecast_job_healthy{job="%s"} %s', j.job, (j.status = 'ok')::integer), E'\n' ORDER BY j.job) FROM job j))
		|| capforecast._gauge('capforecast_findings_open', 'Findings that a person must look at.',
			(SELECT string_agg(format('capforecast_findings_open{severity="%s"} %s', s.severity, (SELECT count(*) FROM capforecast.finding f WHERE f.severity = s.severity AND f.resolved_at IS NULL)), E'\n' ORDER BY s.severity)
			 FROM unnest('{info,warning,critical}'::text[]) s(severity)))
$$;
COMMENT ON FUNCTION capforecast.prometheus_metrics(timestamptz) IS
	'Values, limits, dates, chances, jobs and findings in Prometheus'' text format. The number of series grows with metrics and limits, never with vendors. What is not known has no sample.
Example: SELECT capforecast.prometheus_metrics();';
