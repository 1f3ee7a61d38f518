-- What an operator asks, after pg_cron has captured the day.
\echo
\echo '== What is used today?'
SELECT snapshot_date, active_vendors, total_products, total_orders_month, total_team_members, storage_used_gb, db_size_mb
FROM capforecast.capacity_snapshots ORDER BY snapshot_date DESC LIMIT 1;

\echo '== How is it growing?'
SELECT metric, start_value, current_value, change, growth_rate_percent, monthly_projection
FROM capforecast.growth_trends();

\echo '== What do the subscriptions allow, and what is used of it?'
SELECT resource, theoretical_limit, actual_limited, utilization_percent, headroom, vendors_over_limit
FROM capforecast.subscription_capacity();

\echo '== How is the platform?'
SELECT overall_status, infrastructure_tier, next_tier_trigger FROM capforecast.platform_health();

\echo '== What should be done?'
SELECT severity, title, description, action FROM capforecast.scaling_recommendations();

\echo '== Did the jobs run?'
SELECT job, status, last_success, next_due FROM capforecast.job_health();
