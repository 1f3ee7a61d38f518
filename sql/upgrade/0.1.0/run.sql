DROP FUNCTION capforecast._purge_runs(timestamptz);
