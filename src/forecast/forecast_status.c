/*
 * forecast_status.c
 *		The labels of capforecast.forecast_status.
 */
#include "postgres.h"

#include "utils/fmgrprotos.h"

#include "forecast/forecast_status.h"

const char *
forecast_status_label(ForecastStatus status)
{
	switch (status)
	{
		case FORECAST_OK:
			return "ok";
		case FORECAST_ALREADY_BREACHED:
			return "already_breached";
		case FORECAST_NO_GROWTH:
			return "no_growth";
		case FORECAST_SHRINKING:
			return "shrinking";
		case FORECAST_BEYOND_HORIZON:
			return "beyond_horizon";
		case FORECAST_INSUFFICIENT_HISTORY:
			return "insufficient_history";
		case FORECAST_INSUFFICIENT_COVERAGE:
			return "insufficient_coverage";
		case FORECAST_STALE:
			return "stale";
		case FORECAST_NO_LIMIT:
			return "no_limit";
		case FORECAST_UNRELIABLE:
			return "unreliable";
	}
	elog(ERROR, "unrecognized forecast status: %d", (int) status);
}

Datum
forecast_status_datum(ForecastStatus status, Oid enum_type)
{
	return DirectFunctionCall3(enum_in, CStringGetDatum(forecast_status_label(status)),
							   ObjectIdGetDatum(enum_type), Int32GetDatum(-1));
}
