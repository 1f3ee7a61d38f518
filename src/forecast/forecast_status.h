/*
 * forecast_status.h
 *		capforecast.forecast_status in C.
 */
#ifndef CAPFORECAST_FORECAST_STATUS_H
#define CAPFORECAST_FORECAST_STATUS_H

#include "postgres.h"

typedef enum ForecastStatus
{
	FORECAST_OK,
	FORECAST_ALREADY_BREACHED,
	FORECAST_NO_GROWTH,
	FORECAST_SHRINKING,
	FORECAST_BEYOND_HORIZON,
	FORECAST_INSUFFICIENT_HISTORY,
	FORECAST_INSUFFICIENT_COVERAGE,
	FORECAST_STALE,
	FORECAST_NO_LIMIT,
	FORECAST_UNRELIABLE
} ForecastStatus;

/* A status and why; reason may be NULL. */
typedef struct ForecastVerdict
{
	ForecastStatus status;
	char	   *reason;
} ForecastVerdict;

extern const char *forecast_status_label(ForecastStatus status);

/* As a value of the enum, whose type's oid the result's row descriptor knows. */
extern Datum forecast_status_datum(ForecastStatus status, Oid enum_type);

#endif							/* CAPFORECAST_FORECAST_STATUS_H */
