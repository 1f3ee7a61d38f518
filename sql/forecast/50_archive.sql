-- Forecasts kept, to be compared with what came.

CREATE TABLE capforecast.forecast_archive (
	metric           text NOT NULL,
	made_on          date NOT NULL,
	calibrated_level double precision NOT NULL CHECK (calibrated_level BETWEEN 0.5 AND 0.99),
	status           capforecast.forecast_status NOT NULL,
	model            text NOT NULL,
	scale            double precision,
	days             integer[],
	predicted        double precision[],
	lower_80         double precision[],
	upper_80         double precision[],
	lower_95         double precision[],
	upper_95         double precision[],
	planned          text[],
	PRIMARY KEY (metric, made_on)
);
COMMENT ON TABLE capforecast.forecast_archive IS
	'What run_forecasts() forecast of each metric, a row per UTC day, kept for 400 days. The arrays hold 19 of the next 90 steps; they are NULL where status says that no forecast could be made.';
COMMENT ON COLUMN capforecast.forecast_archive.calibrated_level IS
	'the level whose bounds are meant to hold 80 % of the values: 0.80, and 0.02 x (0.80 - share that the bounds held) more for each day that has come';
COMMENT ON COLUMN capforecast.forecast_archive.scale IS 'mean error of the seasonal naive forecast within the history; NULL where that is 0';
COMMENT ON COLUMN capforecast.forecast_archive.days IS 'days after made_on that the elements of the other arrays are of';
COMMENT ON COLUMN capforecast.forecast_archive.lower_80 IS 'bounds that are stated to hold 80 %, computed at calibrated_level';
COMMENT ON COLUMN capforecast.forecast_archive.lower_95 IS 'the same for 95 %, widened or narrowed in the same measure';
COMMENT ON COLUMN capforecast.forecast_archive.planned IS 'the planned events that it was made with, as they were; NULL: none. Where one of them was taken back or changed, the bounds learn nothing from it';
SELECT pg_catalog.pg_extension_config_dump('capforecast.forecast_archive', '');

CREATE FUNCTION capforecast._archived_forecast(metric text, as_of timestamptz, calibrated_level double precision,
		OUT status capforecast.forecast_status, OUT model text, OUT scale double precision, OUT days integer[],
		OUT predicted double precision[], OUT lower_80 double precision[], OUT upper_80 double precision[],
		OUT lower_95 double precision[], OUT upper_95 double precision[], OUT planned bigint[])
	RETURNS record LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'capforecast_archived_forecast';
COMMENT ON FUNCTION capforecast._archived_forecast(text, timestamptz, double precision) IS 'What is kept of a metric''s forecast.';

-- The forecasts of one metric whose day has come, beside what came.
CREATE FUNCTION capforecast._archive_outcomes(metric text, after date, until date)
	RETURNS TABLE (made_on date, day date, actual double precision, predicted double precision,
		lower_80 double precision, upper_80 double precision, lower_95 double precision, upper_95 double precision,
		scale double precision)
	LANGUAGE sql STABLE BEGIN ATOMIC
	SELECT a.made_on, h.day, h.value, f.predicted, f.lower_80, f.upper_80, f.lower_95, f.upper_95, a.scale
	FROM capforecast.metric_history h
		JOIN capforecast.forecast_archive a ON a.metric = h.metric
		CROSS JOIN LATERAL unnest(a.days, a.predicted, a.lower_80, a.upper_80, a.lower_95, a.upper_95)
			AS f(days, predicted, lower_80, upper_80, lower_95, upper_95)
	WHERE h.metric = _archive_outcomes.metric AND h.day > after AND h.day <= until AND h.day = a.made_on + f.days
		AND (a.planned IS NULL OR a.planned <@ ARRAY(
			SELECT capforecast._event_mark(e) FROM capforecast.planned_event e WHERE e.metric = _archive_outcomes.metric));
END;
COMMENT ON FUNCTION capforecast._archive_outcomes(text, date, date) IS
	'Archived forecasts of a metric for days after the first and until the second date, with the values of those days; without those that were made with a planned event that is not planned any more.';

-- 0.80 at first; then, for each day since the newest forecast, moved by what its bounds missed.
CREATE FUNCTION capforecast._calibrated_level(metric text, made_on date)
	RETURNS double precision LANGUAGE sql STABLE BEGIN ATOMIC
	SELECT least(greatest(coalesce(
			(SELECT latest.calibrated_level + coalesce((
				SELECT sum(0.02 * (0.80 - held.ratio))
				FROM (SELECT avg((o.actual BETWEEN o.lower_80 AND o.upper_80)::integer) AS ratio
						FROM capforecast._archive_outcomes(_calibrated_level.metric, latest.made_on, _calibrated_level.made_on) o
						GROUP BY o.day) held), 0)
			 FROM capforecast.forecast_archive latest
			 WHERE latest.metric = _calibrated_level.metric AND latest.made_on < _calibrated_level.made_on
			 ORDER BY latest.made_on DESC LIMIT 1), 0.80), 0.5), 0.99);
END;
COMMENT ON FUNCTION capforecast._calibrated_level(text, date) IS
	'The level at which a forecast made on that day is to be computed for its bounds to hold 80 %.';

CREATE FUNCTION capforecast._archive_forecast(metric text, as_of timestamptz)
	RETURNS capforecast.forecast_status
	LANGUAGE sql VOLATILE BEGIN ATOMIC
	INSERT INTO capforecast.forecast_archive AS a
		(metric, made_on, calibrated_level, status, model, scale, days, predicted, lower_80, upper_80, lower_95, upper_95, planned)
	SELECT _archive_forecast.metric, made.on_day, made.level, f.status, f.model, f.scale, f.days, f.predicted, f.lower_80, f.upper_80,
		f.lower_95, f.upper_95, (SELECT array_agg(capforecast._event_mark(e) ORDER BY e.planned_event_id)
			FROM capforecast.planned_event e WHERE e.planned_event_id = ANY (f.planned))
	FROM (SELECT (as_of AT TIME ZONE 'UTC')::date AS on_day,
				capforecast._calibrated_level(_archive_forecast.metric, (as_of AT TIME ZONE 'UTC')::date) AS level) made
		CROSS JOIN LATERAL capforecast._archived_forecast(_archive_forecast.metric, as_of, made.level) f
	ON CONFLICT ON CONSTRAINT forecast_archive_pkey DO UPDATE
		SET calibrated_level = excluded.calibrated_level, status = excluded.status, model = excluded.model,
			scale = excluded.scale, days = excluded.days, predicted = excluded.predicted,
			lower_80 = excluded.lower_80, upper_80 = excluded.upper_80,
			lower_95 = excluded.lower_95, upper_95 = excluded.upper_95, planned = excluded.planned
	RETURNING a.status;
END;
COMMENT ON FUNCTION capforecast._archive_forecast(text, timestamptz) IS 'Forecast a metric and keep the forecast; the same day''s is replaced.';

CREATE FUNCTION capforecast.run_forecasts(as_of timestamptz DEFAULT NULL)
	RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	started constant timestamptz := clock_timestamp();
	now constant timestamptz := capforecast._now(as_of);
	the_metric text;
	total bigint;
	examined bigint := 0;
	kept bigint := 0;
	failures jsonb := '{}';
BEGIN
	IF NOT capforecast._begin_run('run_forecasts', started, now) THEN
		RETURN 0;
	END IF;
	FOR the_metric, total IN SELECT m.metric, count(*) OVER () FROM capforecast.metrics m ORDER BY 1 LOOP
		PERFORM capforecast._report_progress('run_forecasts', examined, total);
		examined := examined + 1;
		BEGIN
			PERFORM capforecast._archive_forecast(the_metric, now);
			kept := kept + 1;
		EXCEPTION WHEN OTHERS THEN
			IF sqlstate ~ '^(40|53|57)' OR sqlstate = '55P03' THEN
				RAISE;		-- to be tried again, or stopped: not this metric's failure
			END IF;
			failures := failures || jsonb_build_object(the_metric, jsonb_build_object('message', sqlerrm, 'sqlstate', sqlstate));
		END;
	END LOOP;
	PERFORM capforecast._report_progress(NULL, NULL, NULL);
	-- by the clock; a rehearsal of the past keeps what it makes
	DELETE FROM capforecast.forecast_archive a WHERE a.made_on < (least(started, now) AT TIME ZONE 'UTC')::date - 400;
	PERFORM capforecast._purge_runs();
	PERFORM capforecast._thin_hours(least(started, now));
	PERFORM capforecast._settle_run('run_forecasts', started, now, examined, kept, 0::bigint, examined - kept,
		nullif(failures, '{}'));
	RETURN kept;
END
$$;
COMMENT ON FUNCTION capforecast.run_forecasts(timestamptz) IS
	'The nightly job: forecast every metric for 90 days, keep it in forecast_archive (the same day''s is replaced), and let the bounds learn from what the earlier ones missed. Removes forecasts and runs of jobs that are older than 400 days, and thins the hours of metrics that are captured hourly (see metric_hour). A metric that fails does not stop the others; job_run says why. Returns how many were kept.
Example: SELECT capforecast.run_forecasts();';

CREATE TYPE capforecast.metric_accuracy AS (
	metric text, horizon_from integer, horizon_to integer, n bigint, mae double precision, smape_percent double precision,
	mase double precision, bias double precision, coverage_80_ratio double precision, coverage_95_ratio double precision,
	width_80 double precision
);
COMMENT ON TYPE capforecast.metric_accuracy IS 'A row of forecast_accuracy(): a metric, a band of days ahead, and its errors.';

CREATE FUNCTION capforecast._known_metric(metric text) RETURNS text
	LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_known_metric';
COMMENT ON FUNCTION capforecast._known_metric(text) IS 'The metric''s name; 22023 with a list where there is no such metric.';

CREATE FUNCTION capforecast.forecast_accuracy(metric text DEFAULT NULL, days integer DEFAULT 90, as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.metric_accuracy
	LANGUAGE sql STABLE ROWS 30 BEGIN ATOMIC
	SELECT m.metric, band.first, band.last, count(*),
		avg(abs(o.predicted - o.actual)),
		avg(CASE WHEN o.predicted = o.actual THEN 0 ELSE 200 * abs(o.predicted - o.actual) / (abs(o.predicted) + abs(o.actual)) END),
		avg(abs(o.predicted - o.actual) / o.scale),
		avg(o.predicted - o.actual),
		avg((o.actual BETWEEN o.lower_80 AND o.upper_80)::integer)::double precision,
		avg((o.actual BETWEEN o.lower_95 AND o.upper_95)::integer)::double precision,
		avg(o.upper_80 - o.lower_80)
	FROM (SELECT (capforecast._instant(as_of) AT TIME ZONE 'UTC')::date AS today) clock
		CROSS JOIN capforecast.metrics m
		CROSS JOIN LATERAL capforecast._archive_outcomes(m.metric, clock.today - forecast_accuracy.days, clock.today) o
		JOIN (VALUES (1, 7), (8, 30), (31, 90)) AS band(first, last) ON o.day - o.made_on BETWEEN band.first AND band.last
	WHERE forecast_accuracy.metric IS NULL OR m.metric = capforecast._known_metric(forecast_accuracy.metric)
	GROUP BY m.metric, band.first, band.last
	ORDER BY m.metric, band.first;
END;
COMMENT ON FUNCTION capforecast.forecast_accuracy(text, integer, timestamptz) IS
	'What run_forecasts() forecast against what came in the last days (UTC), per metric (NULL: all) and band of days ahead: mean absolute error, sMAPE (0 to 200), MASE (errors over those of the seasonal naive forecast in the history), bias (forecast - actual), the shares that the bounds stated to hold 80 % and 95 % held, and the width of the former. No row where no forecast''s day has come. Error: 22023 for a metric that does not exist.
Example: SELECT * FROM capforecast.forecast_accuracy(''vendors'', days => 60);';

CREATE TYPE capforecast.planned_effect AS (day date, event_id bigint, planned double precision, realised double precision);
COMMENT ON TYPE capforecast.planned_effect IS
	'A row of planned_effects(): what a planned event was to do on a day, and what the value was above what would have been forecast without it when it began (NULL: not come yet, or no forecast).';

CREATE FUNCTION capforecast.planned_effects(metric text, from_date date, to_date date)
	RETURNS SETOF capforecast.planned_effect
	LANGUAGE sql STABLE ROWS 30 BEGIN ATOMIC
	WITH clock AS (SELECT capforecast._instant(NULL) AS now),
	-- as of the last instant before it, or now
	event AS MATERIALIZED (
		SELECT e.planned_event_id AS id, e.effect, e.amount, asked.metric, greatest(e.from_date, asked.from_date) AS first,
			least(e.to_date, asked.to_date) AS last, begins.instant AS as_of,
			least(least(e.to_date, asked.to_date) - (begins.instant AT TIME ZONE 'UTC')::date + 14, 3650) AS horizon
		FROM clock
			CROSS JOIN (SELECT capforecast._known_metric(planned_effects.metric) AS metric, planned_effects.from_date, planned_effects.to_date) asked
			JOIN capforecast.planned_event e ON e.metric = asked.metric
			CROSS JOIN LATERAL (SELECT least(e.from_date::timestamp AT TIME ZONE 'UTC' - interval '1 microsecond', clock.now) AS instant) begins
		WHERE e.from_date <= asked.to_date AND (e.to_date IS NULL OR e.to_date >= asked.from_date)
			AND isfinite(asked.from_date) AND isfinite(asked.to_date) AND asked.to_date - e.from_date <= 3600)
	SELECT d.day::date, e.id, coalesce(w.predicted - o.predicted, CASE e.effect WHEN 'add' THEN e.amount END), h.value - o.predicted
	FROM event e
		CROSS JOIN LATERAL generate_series(e.first::timestamp, e.last::timestamp, '1 day') d(day)
		LEFT JOIN LATERAL (SELECT f.* FROM capforecast._planned_forecast(e.metric, e.horizon, 0.8, e.as_of) f) w ON w.forecast_date = d.day::date
		LEFT JOIN LATERAL (SELECT f.* FROM capforecast._planned_forecast(e.metric, e.horizon, 0.8, e.as_of, e.id) f) o ON o.forecast_date = d.day::date
		LEFT JOIN capforecast.metric_history h ON h.metric = e.metric AND h.day = d.day::date
	ORDER BY d.day, e.id;
END;
COMMENT ON FUNCTION capforecast.planned_effects(text, date, date) IS
	'What planned events were to do on the days from one to another (both inclusive, at most 3600 after the event begins), beside what came: for each day and event the difference it makes to the forecast as of the day before it begins (as of now, if that is to come), and the value less that forecast without it. The longer ago it began, the more of that is the error of the forecast. Errors: 22023 for a metric that does not exist.
Example: SELECT day, planned, realised FROM capforecast.planned_effects(''vendors'', ''2026-06-01'', ''2026-06-30'');';
