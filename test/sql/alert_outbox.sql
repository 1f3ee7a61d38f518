-- What is told of alerts, to whom, and when nobody is.
\getenv dir PG_ABS_SRCDIR
\set fresh :dir '/platform/fresh.sql'
\set ECHO none
\i :fresh
\set ECHO all
SET client_min_messages = warning;
\pset format unaligned
\t on
-- An own metric at its limit, each hour of a day told by hand.
SELECT count(*) FROM capforecast.add_metric('disk', 'SELECT 50', unit => 'GB', limit_value => 100);
CREATE FUNCTION at(hour integer) RETURNS timestamptz LANGUAGE sql RETURN date_trunc('day', now()) - interval '3 days' + make_interval(hours => hour);
DELETE FROM capforecast.metric_value;
INSERT INTO capforecast.metric_value (metric, day, value, limit_value)
SELECT 'disk', (now() AT TIME ZONE 'UTC')::date - 30 + i, 40 + i, 100 FROM generate_series(0, 26) i;
CREATE FUNCTION now_at(hour integer, value float8) RETURNS text LANGUAGE sql BEGIN ATOMIC
	INSERT INTO capforecast.metric_value (metric, day, value, limit_value) VALUES ('disk', (at(hour) AT TIME ZONE 'UTC')::date, value, 100)
	ON CONFLICT (metric, day) DO UPDATE SET value = excluded.value;
	SELECT coalesce(string_agg(r.event || ' ' || r.severity, ', '), '') FROM capforecast.raise_alerts(as_of => at(hour), cooldown => '1 hour') r;
END;
CREATE FUNCTION outbox() RETURNS SETOF text LANGUAGE sql BEGIN ATOMIC
	SELECT o.channel || ': ' || o.event || ' ' || coalesce(o.payload ->> 'severity', o.payload #>> '{0,labels,severity}') FROM capforecast.alert_outbox o ORDER BY o.outbox_id;
END;

-- Silenced: the alert opens and is not told; it is told when the silence is over.
SELECT until - from_time, metric, limit_kind, created_by = current_user FROM capforecast.silence_alerts('disk', from_time => at(0), until => at(2), reason => 'moving house');
SELECT now_at(1, 100);
SELECT severity, told_severity FROM capforecast.alert;
SELECT * FROM outbox();
SELECT now_at(2, 100);
SELECT * FROM outbox();
SELECT severity, told_severity FROM capforecast.alert;
SELECT now_at(3, 101);
SELECT count(*) FROM outbox();

-- The messages: for programs, for people, for Alertmanager.
SELECT payload - 'opened_at' - 'as_of' - 'reason' - 'breach_date', body ~ '^\[CRITICAL\] \w+: disk\n\ndisk at 10[01] of 100' FROM capforecast.alert_outbox WHERE channel = 'webhook';
SELECT jsonb_typeof(payload), payload #>> '{0,labels,alertname}', payload -> 0 ? 'endsAt' FROM capforecast.alert_outbox WHERE channel = 'alertmanager';

-- Taken by one, settled or handed out again.
SELECT attempts, sent_at IS NULL FROM capforecast.take_alerts('webhook');
SELECT count(*) FROM capforecast.take_alerts('webhook');
UPDATE capforecast.alert_outbox SET taken_at = clock_timestamp() - interval '14 minutes 50 seconds' WHERE channel = 'webhook';
SELECT count(*) FROM capforecast.take_alerts('webhook');
UPDATE capforecast.alert_outbox SET taken_at = clock_timestamp() - interval '15 minutes' WHERE channel = 'webhook';
SELECT attempts FROM capforecast.take_alerts('webhook');
SELECT capforecast.settle_alert(outbox_id, false, repeat('x', 2000)) FROM capforecast.alert_outbox WHERE channel = 'webhook';
SELECT length(error), sent_at IS NULL FROM capforecast.alert_outbox WHERE channel = 'webhook';
SELECT count(*) FROM capforecast.take_alerts('webhook');
UPDATE capforecast.alert_outbox SET taken_at = clock_timestamp() - interval '1 minute' WHERE channel = 'webhook';
SELECT attempts FROM capforecast.take_alerts('webhook');
SELECT capforecast.settle_alert(outbox_id, true) FROM capforecast.alert_outbox WHERE channel = 'webhook';
UPDATE capforecast.alert_outbox SET taken_at = clock_timestamp() - interval '1 day' WHERE channel = 'webhook';
SELECT count(*) FROM capforecast.take_alerts('webhook');
SELECT count(*) FROM capforecast.take_alerts('mail', 0);
SELECT count(*) FROM capforecast.take_alerts('mail', -1);
SELECT count(*) FROM capforecast.take_alerts('mail');

-- Acknowledged: quiet until it gets worse, or ends.
DELETE FROM capforecast.alert_outbox;
UPDATE capforecast.alert SET severity = 'warning', told_severity = 'warning', is_breach = false;
SELECT acknowledged_by = current_user, note, acknowledged_until FROM capforecast.acknowledge_alert((SELECT max(alert_id) FROM capforecast.alert), note => 'ordered');
SELECT owner, note FROM capforecast.assign_alert((SELECT max(alert_id) FROM capforecast.alert), 'ops');
SELECT now_at(4, 101);
SELECT channel, payload ->> 'owner' FROM capforecast.alert_outbox WHERE channel = 'webhook';
-- Old messages go, delivered or not.
UPDATE capforecast.alert_outbox SET created_at = clock_timestamp() - interval '30 days 1 second' WHERE channel = 'mail';
UPDATE capforecast.alert SET acknowledged_until = at(5), told_severity = 'warning';
SELECT now_at(6, 101);
SELECT channel, event FROM capforecast.alert_outbox ORDER BY outbox_id;

-- Misuse.
\set VERBOSITY terse
SELECT capforecast.take_alerts('pigeon');
SELECT capforecast.take_alerts(NULL);
SELECT capforecast.settle_alert(-1, true);
SELECT capforecast.settle_alert(1, NULL);
SELECT capforecast.acknowledge_alert(-1);
SELECT capforecast.assign_alert(NULL, 'x');
SELECT capforecast.silence_alerts('no_such_metric');
SELECT capforecast.silence_alerts(limit_kind => 'x');
SELECT capforecast.silence_alerts(until => now() - interval '1 second');
SELECT until FROM capforecast.silence_alerts();
SELECT has_function_privilege('public', p.oid, 'EXECUTE'), p.proname FROM pg_proc p
WHERE pronamespace = 'capforecast'::regnamespace AND proname IN ('take_alerts', 'settle_alert', 'acknowledge_alert', 'assign_alert', 'silence_alerts') ORDER BY 2;
