ALTER TABLE capforecast.metric_value ADD COLUMN source text NOT NULL DEFAULT 'captured' CHECK (source IN ('captured', 'imported'));
ALTER TABLE capforecast._metric_query ADD COLUMN registrar oid, ADD COLUMN registrar_name name;
UPDATE capforecast._metric_query SET registrar_name = owner, registrar = coalesce(
	(SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) owner), 0);
ALTER TABLE capforecast._metric_query ALTER COLUMN registrar SET NOT NULL, ALTER COLUMN registrar_name SET NOT NULL, DROP COLUMN owner,
	DROP CONSTRAINT _metric_query_metric_fkey;
ALTER TABLE capforecast.own_metric ADD COLUMN limit_value double precision, ADD COLUMN watches text;
UPDATE capforecast.own_metric m SET limit_value = q.limit_value
FROM capforecast._metric_query q WHERE q.metric OPERATOR(pg_catalog.=) m.metric;
ALTER TABLE capforecast._metric_query DROP COLUMN limit_value;
ALTER TABLE capforecast.own_metric DROP CONSTRAINT own_metric_kind_check,
	ADD CONSTRAINT own_metric_kind_check CHECK (kind IN ('stock', 'flow', 'gauge'));
ALTER TABLE capforecast.own_metric ADD COLUMN statistic text NOT NULL DEFAULT 'last' CHECK (statistic IN ('last', 'max', 'sum', 'mean')),
	ADD COLUMN every interval NOT NULL DEFAULT '1 day' CHECK (every IN ('1 hour', '1 day'));
UPDATE capforecast.own_metric SET statistic = 'sum' WHERE kind OPERATOR(pg_catalog.=) 'flow';
DROP FUNCTION capforecast.add_metric(text, text, text, text, double precision, double precision, double precision, text, text);
