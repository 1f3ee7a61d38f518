DROP FUNCTION capforecast._purge(timestamptz);

ALTER TABLE capforecast.subscription_state ADD COLUMN credit_currency text;
UPDATE capforecast.subscription_state SET credit_currency = billed_currency;
ALTER TABLE capforecast.pending_invoice_item ADD COLUMN invoice_ref text, ADD COLUMN awaits_invoice text;
