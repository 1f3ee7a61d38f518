-- A row or more in every table of 0.1.0, by INSERT.

INSERT INTO capforecast.job_run (job, started_at, finished_at, as_of, status, examined, changed, failed, detail) VALUES
	('capture_daily_snapshot', now() - interval '2 hours', now() - interval '2 hours', now() - interval '2 hours', 'ok', 7, 1, 0, NULL),
	('run_forecasts', now() - interval '1 day', NULL, now() - interval '1 day', 'running', NULL, NULL, NULL, '{"error": {"message": "x"}}');
INSERT INTO capforecast.finding (code, severity, subject, detail, first_seen, last_seen, resolved_at) VALUES
	('no_price', 'critical', 'subscription 1', '{"tier": "x"}', '2026-01-01', '2026-01-02', '2026-01-03'),
	('irregular_period', 'info', 'subscription 2', '{}', '2026-01-01', '2026-01-02', NULL);
INSERT INTO capforecast.binding VALUES ('orders', 'public', 'orders', '{"created_at": "created_at"}');
INSERT INTO capforecast.image_storage (source, definition) VALUES ('query', 'SELECT 1024');
INSERT INTO capforecast.capacity_snapshots (snapshot_date, total_vendors, active_vendors, storage_used_gb, tier_distribution, source, captured_at)
SELECT day, 10 + n, 9 + n, 1.25, '{"essential": 9}', CASE WHEN n < 30 THEN 'backfilled' ELSE 'captured' END, day + interval '1 hour'
FROM generate_series(0, 60) n, LATERAL (SELECT current_date - 61 + n::integer AS day) d;
INSERT INTO capforecast.own_metric VALUES ('rows_of_log', 'stock', 'rows', 0, NULL, 'up');
INSERT INTO capforecast._metric_query (metric, query, limit_value) VALUES ('rows_of_log', 'SELECT 7', 100);
INSERT INTO capforecast.metric_value (metric, day, value, limit_value)
SELECT 'rows_of_log', current_date - n, 60 - n, 100 FROM generate_series(1, 40) n;
INSERT INTO capforecast.vendor_usage VALUES ('1', '2026-01-01', '{0,3}', '{0}', '{0}', '{5,6}', '{0}', '{1}');
INSERT INTO capforecast.forecast_archive VALUES
	('vendors', current_date - 5, 0.8, 'ok', 'auto', 1, '{1,2}', '{70,71}', '{69,70}', '{71,72}', '{68,69}', '{72,73}'),
	('orders', current_date - 5, 0.8, 'insufficient_history', 'auto', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO capforecast.subscription_state (subscription_id, vendor_id, anchor_local, anchor_zone, usage_start, usage_end, billed_from, billed_until,
	billed_price_cents, billed_amount_cents, billed_currency, credit_cents)
VALUES ('1', '1', '2026-10-01', 'UTC', '2026-11-01', '2126-12-01', '2026-11-01', '2126-12-01', 4900, 4900, 'EUR', 120);
INSERT INTO capforecast.period_ledger (subscription_id, window_start, window_end, orders_counter, orders_recount, tier)
VALUES ('1', '2026-10-01', '2026-11-01', 3, 3, 'essential');
INSERT INTO capforecast.pending_invoice_item (vendor_id, subscription_id, kind, amount_cents, currency) VALUES ('1', '1', 'addon', 500, 'EUR');
INSERT INTO capforecast.request_log (operation, vendor_id, idempotency_key, request, response) VALUES ('change_tier', '1', 'k', '{}', '{"action": "noop"}');
INSERT INTO capforecast.stripe_event (event_id, event_type, object_id, created, payload, body_sha256, outcome)
VALUES ('evt_1', 'customer.subscription.updated', 'sub_1', '2026-01-01', '{"id": "evt_1"}', '\x00', 'ignored');
INSERT INTO capforecast.stripe_outbox (vendor_id, subscription_id, operation, payload, idempotency_key, status, settled_at)
VALUES ('1', '1', 'change_tier', '{}', 'k', 'confirmed', '2026-01-01');
INSERT INTO capforecast._secret VALUES ('stripe_webhook', 'whsec_test');
INSERT INTO capforecast.audit_log (operation, vendor_id, before, after) VALUES ('change_tier', '1', '{"tier": "a"}', '{"tier": "b"}');
INSERT INTO capforecast._infrastructure_tier (position, name, max_vendors, monthly_cost_cents) VALUES (1, 'Eins', 500, 9000), (2, 'Zwei', 5000, 90000);
INSERT INTO capforecast.infrastructure_in_use (tier) VALUES ('Eins');
INSERT INTO capforecast.vendor_near_limit (day, vendor_id, resource, status) VALUES (current_date, '1', 'products', 'ok');
INSERT INTO capforecast.alert (metric, limit_kind, severity, opened_at, is_breach, reason) VALUES ('vendors', 'infrastructure', 'warning', '2026-01-01', false, 'vendors');
