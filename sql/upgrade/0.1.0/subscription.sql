DROP FUNCTION capforecast._purge(timestamptz);
