-- Forecasts kept, to be compared with what came.

CREATE TABLE capforecast.forecast_archive (
	metric           text NOT NULL,
	made_on          date NOT NULL,
	calibrated_level double precision NOT NULL,
	PRIMARY KEY (metric, made_on)
);
