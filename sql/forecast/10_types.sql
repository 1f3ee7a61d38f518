-- What forecasts answer.

CREATE TYPE capforecast.forecast_status AS ENUM (
	'ok', 'already_breached', 'no_growth', 'shrinking', 'beyond_horizon',
	'insufficient_history', 'insufficient_coverage', 'stale', 'no_limit', 'unreliable'
);
COMMENT ON TYPE capforecast.forecast_status IS
	'What a forecast says before any number. ok; already_breached: at or past the limit, whatever the slope; no_growth, shrinking: does not move, or moves away from the limit; beyond_horizon: moves towards it, but is not likely there in time; insufficient_history, insufficient_coverage: too few points, too many gaps; stale: the last point is too old; no_limit: nothing to reach; unreliable: numbers, if there are any, that should not be acted on.';

-- Composite types and not RETURNS TABLE, so that results and arguments may share names.
CREATE TYPE capforecast.series_forecast AS (
	step integer, ds timestamptz, yhat double precision, yhat_lower double precision, yhat_upper double precision,
	model text, status capforecast.forecast_status, reason text, kind text, events text
);
COMMENT ON TYPE capforecast.series_forecast IS
	'A step of forecast(series): step 1 follows the last point. Where no forecast can be made, one row with status and reason, step to yhat_upper NULL. kind: stock, flow or gauge, as given or inferred. events: what has happened in the history, oldest first, joined by "; ": one-off, pace changed, level changed, stopped, wrong value or saturates, the signed size (pace: per step) and the day; falls back every month, week or n days; of a metric also known day, its name and the day: one ahead that was never seen. NULL: nothing.';

CREATE TYPE capforecast.metric_forecast AS (
	metric text, forecast_date date, predicted double precision, lower_bound double precision, upper_bound double precision,
	model text, status capforecast.forecast_status, reason text, kind text, events text, forecast_at timestamptz
);
COMMENT ON TYPE capforecast.metric_forecast IS
	'A step of forecast(metric): a day, or an hour of a metric that is captured hourly; forecast_at is when it begins. Where no forecast can be made, one row with status and reason, forecast_date to upper_bound NULL. kind and events as in series_forecast.';

CREATE TYPE capforecast.threshold_forecast AS (
	status capforecast.forecast_status, reason text, current_value double precision, threshold double precision,
	days_left integer, breach_date date, breach_date_earliest date, breach_date_latest date,
	breach_probability double precision, model text, n_points integer, coverage_ratio double precision, ready_on date,
	kind text, events text,
	breach_time timestamptz, breach_time_earliest timestamptz, breach_time_latest timestamptz
);
COMMENT ON TYPE capforecast.threshold_forecast IS
	'The answer of time_to_threshold(). days_left and breach_date (UTC; reached by then with a chance of a half) are set where status is ok or already_breached (then 0, and the day since which). Earliest and latest hold the range of the confidence level, NULL beyond the horizon; breach_probability is the chance within the horizon; ready_on is when there will be enough points. kind and events as in series_forecast. breach_time and its range: the same as times where steps are shorter than a day, else NULL.';

CREATE TYPE capforecast.threshold_curve AS (forecast capforecast.threshold_forecast, chances double precision[]);
COMMENT ON TYPE capforecast.threshold_curve IS
	'The answer of _threshold_curve(): that of time_to_threshold(), and the chance of having reached the threshold by each of the days asked for (NULL where there is no chance to give).';
