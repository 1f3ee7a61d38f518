ALTER TABLE capforecast.metric_value ADD COLUMN source text NOT NULL DEFAULT 'captured' CHECK (source IN ('captured', 'imported'));
