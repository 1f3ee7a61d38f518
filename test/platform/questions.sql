-- What an operator asks, after pg_cron has captured the day.
\echo
\echo '== What is used today?'
SELECT snapshot_date, active_vendors, total_products, total_orders_month, total_team_members, storage_used_gb, db_size_mb
FROM capforecast.capacity_snapshots ORDER BY snapshot_date DESC LIMIT 1;

\echo '== How is it growing?'
SELECT metric, start_value, current_value, change, growth_rate_percent, monthly_projection
FROM capforecast.growth_trends();

\echo '== What runs out first, and when?'
SELECT metric, limit_name, current_value, limit_value, status, breach_date, breach_date_earliest, breach_date_latest
FROM capforecast.capacity_outlook();

\echo '== Why should I believe that?'
SELECT capforecast.sparkline(capforecast.metric_series('vendors')) AS vendors, capforecast.explain_forecast('vendors');

\echo '== What will it cost?'
SELECT to_char(month, 'YYYY-MM') AS month, round(vendors) AS vendors, vendors_upper, round(products) AS products, products_upper, tier,
	monthly_cost_cents / 100 AS monthly_cost, currency
FROM capforecast.capacity_plan('180 days');

\echo '== What if 20 vendors more sign up next week?'
SELECT forecast_date, round(baseline::numeric, 1) AS as_it_goes, round(predicted::numeric, 1) AS with_them, limit_value
FROM capforecast.what_if('vendors', add => 20, from_date => (now() + interval '7 days')::date)
WHERE extract(isodow FROM forecast_date) = 1 ORDER BY 1 LIMIT 5;

\echo '== Whose plan is too small?'
SELECT vendor_name, resource, tier, current_value, limit_value, status, fitting_tier FROM capforecast.vendor_outlook() LIMIT 5;

\echo '== What should be done?'
SELECT severity, title, due_date, monthly_cost / 100 AS monthly_cost FROM capforecast.scaling_recommendations();

\echo '== Did the jobs run?'
SELECT job, status, last_success, next_due FROM capforecast.job_health();
