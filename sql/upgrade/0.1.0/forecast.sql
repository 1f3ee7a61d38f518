ALTER TYPE capforecast.series_forecast ADD ATTRIBUTE kind text, ADD ATTRIBUTE events text;
ALTER TYPE capforecast.metric_forecast ADD ATTRIBUTE kind text, ADD ATTRIBUTE events text, ADD ATTRIBUTE forecast_at timestamptz;
ALTER TABLE capforecast.forecast_archive ADD COLUMN planned text[];
DROP FUNCTION capforecast._archived_forecast(text, timestamptz, double precision);
ALTER TYPE capforecast.threshold_forecast ADD ATTRIBUTE kind text, ADD ATTRIBUTE events text, ADD ATTRIBUTE breach_time timestamptz,
	ADD ATTRIBUTE breach_time_earliest timestamptz, ADD ATTRIBUTE breach_time_latest timestamptz;
