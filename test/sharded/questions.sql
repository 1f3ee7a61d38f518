-- What is asked of the sample platform, on one server and where its tables are spread: the answers must be the same.
-- Statements are separated by empty lines; :'at' is the midnight at which the platform's rows end, :'month' a month before it.
-- Orders are those of the rows that the functions return, where these have one.
INSERT INTO capforecast._secret VALUES ('stripe_webhook', 'whsec_test_capforecast');

SELECT * FROM capforecast.subscription_capacity();

SELECT capforecast.subscription_capacity_json();

SELECT row_id, is_counted, why, logical FROM capforecast.bound_sample('vendor_subscriptions', 1000) ORDER BY row_id::bigint;

SELECT * FROM capforecast.get_tier_info('professional');

SELECT capforecast.get_tier_info_json('essential');

SELECT capforecast.usage_summary(v.id::text, :'at') FROM generate_series(1, 40) v(id) ORDER BY v.id;

SELECT v.id, r.resource, c.* FROM generate_series(1, 40) v(id), unnest('{products,orders,team_members}'::text[]) r(resource), capforecast.check_limit(v.id::text, r.resource, 1, :'at') c ORDER BY 1, 2;

SELECT capforecast.upcoming_invoice('7', :'at');

SELECT capforecast.upcoming_invoice_json('7', :'at');

SELECT * FROM capforecast.order_counter_differences(:'at') ORDER BY 1, 2;

SELECT severity, subject, problem FROM capforecast.doctor(:'at') WHERE severity = 'error';

SELECT capforecast.quote_tier_change('7', 'business', as_of => :'at');

SELECT capforecast.quote_tier_change_json('7', 'business', as_of => :'at');

SELECT capforecast.quote_addon('7', 'extra_member', 2, :'at');

SELECT capforecast.quote_addon_json('7', 'extra_member', 2, :'at');

SELECT capforecast.quote_cancellation('7', as_of => :'at');

SELECT capforecast.quote_cancellation_json('7', as_of => :'at');

SELECT v.id, capforecast.series_agg(c.at, c.n) FROM vendors v JOIN (SELECT vendor_id, date_trunc('day', created_at) AS at, count(*)::float8 AS n FROM orders GROUP BY 1, 2) c ON c.vendor_id = v.id GROUP BY 1 ORDER BY 1;

SELECT vendor_id, capforecast.count_series(created_at, :'month', :'month'::date + 27) FROM orders GROUP BY 1 ORDER BY 1;

SELECT capforecast.count_series(created_at, :'month', :'month'::date + 27) FROM products;

SELECT capforecast.series_agg(s) FROM (SELECT vendor_id, capforecast.count_series(created_at, :'month', :'month'::date + 27) AS s FROM orders GROUP BY 1) s;

SELECT dry.* FROM capforecast.reset_period_counters(:'at', dry_run => true) dry;

SELECT dry.* FROM capforecast.check_trial_expirations(:'at', dry_run => true) dry;

SELECT dry.* FROM capforecast.cleanup_stale_subscriptions(:'at', dry_run => true) dry;

SELECT total_vendors, active_vendors, trial_vendors, total_subscriptions, active_subscriptions, total_products, total_orders_month, total_team_members,
	theoretical_products_limit, theoretical_orders_limit, theoretical_team_limit, tier_distribution FROM capforecast.capture_daily_snapshot(as_of => :'at');

SELECT * FROM capforecast.backfill_snapshots(:'month', :'month'::date + 27) ORDER BY 1;

SELECT * FROM capforecast.import_snapshots('capacity_snapshots');

SELECT * FROM capforecast.capture_vendor_usage(:'at');

SELECT * FROM capforecast.backfill_vendor_usage(:'month');

SELECT * FROM capforecast.vendor_usage ORDER BY vendor_id, first_day;

SELECT * FROM capforecast.add_metric('paid_orders', 'SELECT count(*) FROM public.orders WHERE status = ''paid''', limit_query => 'SELECT 100 * count(*) FROM public.vendors');

SELECT * FROM capforecast.capture_metrics(:'at');

SELECT * FROM capforecast.import_metric('paid_orders', query => 'SELECT date_trunc(''day'', created_at) AS ts, count(*) AS value FROM public.orders GROUP BY 1');

SELECT capforecast.use_infrastructure_tier('Small');

SELECT capforecast.push_image_storage(98 * 1073741824::bigint, :'at');

SELECT * FROM capforecast.run_forecasts(:'at');

SELECT metric, forecast_date, predicted FROM capforecast.forecast('products', 10, as_of => :'at');

SELECT capforecast.explain_forecast('vendors', as_of => :'at');

SELECT * FROM capforecast.time_to_threshold('vendors', 100, as_of => :'at');

SELECT * FROM capforecast.growth_trends(30, :'at');

SELECT * FROM capforecast.tier_mix(30, :'at');

SELECT * FROM capforecast.growth_contributors('products', 60, :'at');

SELECT * FROM capforecast.capacity_outlook(as_of => :'at');

SELECT * FROM capforecast.capacity_summary(:'at');

SELECT month, vendors, vendors_upper, products, products_upper, orders, tier, monthly_cost_cents FROM capforecast.capacity_plan(as_of => :'at');

SELECT * FROM capforecast.what_if('vendors', add => 20, from_date => :'at'::date + 7, as_of => :'at');

SELECT active_vendors, image_storage_gb, infrastructure_tier FROM capforecast.platform_health(:'at');

SELECT capforecast.platform_health_json(:'at') - 'database' - 'unknown_metrics';

SELECT * FROM capforecast.scaling_recommendations(as_of => :'at');

SELECT * FROM capforecast.vendor_outlook('90 days', :'at');

SELECT capforecast.vendor_outlook_json('90 days', :'at');

SELECT * FROM capforecast.look_at_vendors(:'at');

SELECT * FROM capforecast.raise_alerts(as_of => :'at');

SELECT length(capforecast.capacity_report('json', as_of => :'at')) > 1000;

SELECT line FROM string_to_table(capforecast.prometheus_metrics(:'at'), E'\n') line WHERE line !~ 'storage|db_|job|seconds|#';

BEGIN;
SELECT * FROM capforecast.reserve_limit('7', 'products', 1, :'at');
COMMIT;

SELECT * FROM capforecast.change_tier('7', 'business', as_of => :'at');

SELECT * FROM capforecast.change_tier('8', 'enterprise', timing => 'period_end', ack_over_limit => true, as_of => :'at');

SELECT * FROM capforecast.purchase_addon('9', 'extra_member', 2, as_of => :'at');

SELECT capforecast.quote_addon_cancel('9', 'extra_member', as_of => :'at');

SELECT capforecast.quote_addon_cancel_json('9', 'extra_member', as_of => :'at');

SELECT * FROM capforecast.cancel_addon('9', 'extra_member', as_of => :'at');

SELECT * FROM capforecast.cancel_subscription('10', as_of => :'at');

SELECT * FROM capforecast.resume_subscription('10', as_of => :'at');

SELECT * FROM capforecast.reconcile_order_counters(:'at');

SELECT * FROM capforecast.reset_period_counters(:'at'::timestamptz + '34 days', row_limit => 5);

SELECT * FROM capforecast.reset_period_counters(:'at'::timestamptz + '34 days');

SELECT * FROM capforecast.check_trial_expirations(:'at'::timestamptz + '34 days');

SELECT * FROM capforecast.cleanup_stale_subscriptions(:'at'::timestamptz + '54 days');

SELECT capforecast.ingest_stripe_event(convert_to(e.event::text, 'UTF8'), pg_temp.sign(convert_to(e.event::text, 'UTF8'), extract(epoch FROM :'at'::timestamptz)::bigint), :'at')
FROM pg_temp.event('evt_1', 'updated', :'at', pg_temp.subscription('sub_3', 'active', :'month')) e(event);

UPDATE subscription_tiers SET stripe_price_monthly_id = 'price_' || code || '_m';

SELECT * FROM capforecast.change_tier('3', 'enterprise', ack_over_limit => true, as_of => :'at');

SELECT * FROM capforecast.sync_stripe_status(:'at', force => true);

SELECT id, vendor_id, operation, status FROM capforecast.take_outbox(as_of => :'at');

SELECT * FROM capforecast.settle_outbox(1, true, '{"id": "sub_3"}');

SELECT vendor_id, operation, status FROM capforecast.stripe_outbox ORDER BY id;

CALL capforecast.run_job('capture_daily_snapshot');

CALL capforecast.run_maintenance();

SELECT job, status, examined, changed, skipped_locked, failed, detail FROM capforecast.job_run WHERE job <> 'capture_daily_snapshot' ORDER BY run_id;

SELECT id, vendor_id, tier, status, period_start, period_end, orders_this_period, cancel_at_period_end, cancelled_at FROM vendor_subscriptions ORDER BY id;

SELECT vendor_id, addon_product_id, status, quantity, period_start, period_end FROM vendor_addons ORDER BY 1, 2, 3;

SELECT vendor_id, invoice_number, invoice_date, total_cents, status FROM billing_history ORDER BY vendor_id, invoice_date, invoice_number;

SELECT subscription_id, starts, ends, billed_by, tier, price_cents, amount_cents FROM capforecast.billed_period ORDER BY subscription_id, starts;
