ALTER TYPE capforecast.series_forecast ADD ATTRIBUTE kind text, ADD ATTRIBUTE events text;
ALTER TYPE capforecast.metric_forecast ADD ATTRIBUTE kind text, ADD ATTRIBUTE events text;
ALTER TYPE capforecast.threshold_forecast ADD ATTRIBUTE kind text, ADD ATTRIBUTE events text;
