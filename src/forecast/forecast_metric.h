/*
 * forecast_metric.h
 *		A metric's history as a series, with what the catalogue knows of it.
 */
#ifndef CAPFORECAST_FORECAST_METRIC_H
#define CAPFORECAST_FORECAST_METRIC_H

#include "postgres.h"

#include "forecast/forecast_planned.h"
#include "forecast/forecast_request.h"
#include "series/series.h"

/* Values of days, or of hours where the metric is captured hourly and has enough of them. */
typedef enum ForecastSteps
{
	FORECAST_BY_DAYS,
	FORECAST_AS_CAPTURED
} ForecastSteps;

typedef struct ForecastMetric
{
	Series	   *series;			/* the newest values up to the UTC day (or the hour) of as_of, in the memory context of the call */
	CfKind		kind;
	double		floor;			/* NaN: none */
	double		cap;			/* NaN: none */
	PlannedEvents planned;
} ForecastMetric;

/*
 * Reads with the caller's rights.  Raises 22023 for a metric that does not exist, with a
 * hint that lists those that do.
 */
extern ForecastMetric *forecast_metric_read(text *name, ForecastSteps steps, TimestampTz as_of);

/* The same error where there is no such metric. */
extern void forecast_metric_require(text *name);

/*
 * Fills in what the request leaves open: kind, floor and cap from the catalogue, as_of
 * from the clock; and reads the metric as of then.
 */
extern ForecastMetric *forecast_metric_request(text *name, ForecastSteps steps, ForecastRequest *request);

/* What the archive has learned of the metric's intervals until as_of: the factor for the chance to miss. */
extern double forecast_metric_miss_factor(text *name, TimestampTz as_of);

#endif							/* CAPFORECAST_FORECAST_METRIC_H */
