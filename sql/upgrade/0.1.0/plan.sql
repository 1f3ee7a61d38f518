-- Results that are named types, and arguments that are; all of them are made anew below.
DROP FUNCTION capforecast._growth_trends(integer, timestamptz);
DROP FUNCTION capforecast.growth_trends(integer, timestamptz);
DROP FUNCTION capforecast.subscription_capacity();
DROP FUNCTION capforecast._platform_health(timestamptz);
DROP FUNCTION capforecast._health_reasons(jsonb);
DROP FUNCTION capforecast.platform_health(timestamptz);
DROP FUNCTION capforecast._check_days(integer);
DROP FUNCTION capforecast._tier_for(jsonb);
DROP FUNCTION capforecast._tier_in_use(jsonb);
DROP FUNCTION capforecast._last_usage(timestamptz);
DROP FUNCTION capforecast._limits(timestamptz);
DROP FUNCTION capforecast._outlook(interval, timestamptz, text[]);
DROP FUNCTION capforecast._plan_date(text, capforecast.forecast_status, date, date, date);
DROP FUNCTION capforecast._days_until(date, timestamptz);
DROP FUNCTION capforecast._urgency(capforecast.forecast_status, integer, double precision);
DROP FUNCTION capforecast._limit_reason(text, text, text, capforecast.forecast_status, double precision, double precision, double precision, date, date, date, text);
DROP FUNCTION capforecast.capacity_outlook(interval, text, timestamptz);
DROP FUNCTION capforecast.capacity_plan(interval, double precision, timestamptz);
DROP FUNCTION capforecast.what_if(text, double precision, double precision, date, double precision, integer, double precision, timestamptz);
DROP FUNCTION capforecast.tier_mix(integer, timestamptz);
DROP FUNCTION capforecast.growth_contributors(text, integer, timestamptz);
DROP FUNCTION capforecast._vendor_near(text, bigint, bigint, bigint, timestamptz, date, timestamptz, timestamptz);
DROP FUNCTION capforecast.vendor_outlook(interval, timestamptz);
DROP FUNCTION capforecast._scaling_rules(timestamptz);
DROP FUNCTION capforecast._due_severity(capforecast.forecast_status, date, date, timestamptz);
DROP FUNCTION capforecast._usage_then(integer, timestamptz);
DROP FUNCTION capforecast._recommend_smaller(capforecast._infrastructure_tier, jsonb, jsonb);
DROP FUNCTION capforecast._recommend_infrastructure(interval, interval, timestamptz);
DROP FUNCTION capforecast._recommend_limits(interval, interval, timestamptz);
DROP FUNCTION capforecast._recommend_vendors(timestamptz);
DROP FUNCTION capforecast.scaling_recommendations(boolean, timestamptz, interval, interval);
DROP FUNCTION capforecast._alert_levels(text, timestamptz);
DROP FUNCTION capforecast._follow_limit(text, text, text, boolean, boolean, boolean, double precision, double precision, date, text, interval, timestamptz);
DROP FUNCTION capforecast.raise_alerts(text, interval, timestamptz);
ALTER TABLE capforecast.vendor_near_limit ADD COLUMN near_since date, ADD COLUMN present_price_cents bigint;
ALTER TABLE capforecast.infrastructure_in_use ADD COLUMN is_told boolean NOT NULL DEFAULT true;
ALTER TABLE capforecast.alert
	ADD COLUMN told_severity text,
	ADD COLUMN owner text,
	ADD COLUMN acknowledged_until timestamptz,
	ADD COLUMN acknowledged_by name,
	ADD COLUMN note text;
UPDATE capforecast.alert SET told_severity = severity;
DROP FUNCTION capforecast._announce_alert(text, capforecast.alert, text, timestamptz);
