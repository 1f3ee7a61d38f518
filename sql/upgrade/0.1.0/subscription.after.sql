-- The books begin with the period that 0.1.0 knew as billed last; it did not keep by whom.
INSERT INTO capforecast.billed_period (subscription_id, starts, ends, billed_by, price_cents, amount_cents, currency)
SELECT st.subscription_id, st.period_start, st.billed_until,
	CASE WHEN st.last_status OPERATOR(pg_catalog.=) 'trial' THEN 'nobody' WHEN st.stripe_subscription_id IS NOT NULL THEN 'stripe' ELSE 'host' END,
	st.billed_price_cents, st.billed_amount_cents, st.billed_currency
FROM capforecast.subscription_state st WHERE st.billed_until OPERATOR(pg_catalog.>) st.period_start;
ALTER TABLE capforecast.subscription_state DROP COLUMN billed_price_cents, DROP COLUMN billed_amount_cents, DROP COLUMN billed_currency;
-- Sealed by its trigger.
UPDATE capforecast._secret SET secret = secret;
