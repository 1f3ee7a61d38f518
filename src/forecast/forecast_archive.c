/*
 * forecast_archive.c
 *		What run_forecasts() keeps of one metric's forecast.
 *
 * Not every step is kept: days far ahead differ little from their neighbours, and a tenth
 * of the room serves the accuracy of 90 days.  Two levels are kept, and what the misses at
 * the lower one teach widens both.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "common/clock.h"
#include "common/row.h"
#include "core/engine/cf_score.h"
#include "forecast/forecast_metric.h"
#include "forecast/forecast_run.h"

static const int kept_steps[] = {1, 2, 3, 4, 5, 6, 7, 10, 14, 18, 22, 26, 30, 40, 50, 60, 70, 80, 90};

#define N_KEPT		lengthof(kept_steps)
#define HORIZON		90

static const double stated_levels[] = {0.80, 0.95};

#define N_LEVELS	lengthof(stated_levels)

/* The attributes of _archived_forecast(), in order. */
enum
{
	COLUMN_STATUS, COLUMN_MODEL, COLUMN_SCALE, COLUMN_DAYS, COLUMN_PREDICTED,
	COLUMN_LOWER_80, COLUMN_UPPER_80, COLUMN_LOWER_95, COLUMN_UPPER_95, COLUMN_PLANNED, N_COLUMNS
};

static Datum
kept_values(const double *values)
{
	Datum		elements[N_KEPT];

	for (int i = 0; i < N_KEPT; i++)
		elements[i] = Float8GetDatum(values[kept_steps[i] - 1]);
	return PointerGetDatum(construct_array(elements, N_KEPT, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* Distances of the kept steps from the day on which the forecast was made. */
static Datum
kept_days(const Forecast *forecast, DateADT made_on)
{
	Datum		elements[N_KEPT];

	for (int i = 0; i < N_KEPT; i++)
		elements[i] = Int32GetDatum(clock_utc_day(forecast_input_time(&forecast->input, kept_steps[i])) - made_on);
	return PointerGetDatum(construct_array(elements, N_KEPT, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

static Datum
planned_ids(const PlannedSteps *planned)
{
	Datum	   *elements = palloc(sizeof(Datum) * planned->n);

	for (int i = 0; i < planned->n; i++)
		elements[i] = Int64GetDatum(planned->event[i]->id);
	return PointerGetDatum(construct_array(elements, planned->n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static void
put_numbers(const Forecast *forecast, DateADT made_on, Datum *values, bool *nulls)
{
	const SeriesGrid *on_grid = &forecast->input.on_grid;
	double		scale;
	double		square;

	cf_score_scale(on_grid->y, on_grid->grid.n, forecast->info.season_length, &scale, &square);
	memset(nulls, false, N_COLUMNS * sizeof(bool));
	values[COLUMN_SCALE] = Float8GetDatum(scale);
	nulls[COLUMN_SCALE] = !(scale > 0.0);
	values[COLUMN_DAYS] = kept_days(forecast, made_on);
	nulls[COLUMN_PLANNED] = forecast->planned.n == 0;
	if (forecast->planned.n > 0)
		values[COLUMN_PLANNED] = planned_ids(&forecast->planned);
	values[COLUMN_PREDICTED] = kept_values(forecast->yhat);
	for (int l = 0; l < N_LEVELS; l++)
	{
		values[COLUMN_LOWER_80 + 2 * l] = kept_values(forecast->lower + l * forecast->horizon);
		values[COLUMN_UPPER_80 + 2 * l] = kept_values(forecast->upper + l * forecast->horizon);
	}
}

/*
 * capforecast._archived_forecast(metric, as_of, calibrated_level) → status, model, …
 */
PG_FUNCTION_INFO_V1(capforecast_archived_forecast);
Datum
capforecast_archived_forecast(PG_FUNCTION_ARGS)
{
	ForecastRequest request = {.horizon = HORIZON, .may_be_count = true, .has_as_of = true};
	ForecastMetric *metric;
	Forecast	forecast;
	TupleDesc	desc;
	double		levels[N_LEVELS];
	Datum		values[N_COLUMNS] = {0};
	bool		nulls[N_COLUMNS];

	desc = row_type(fcinfo, N_COLUMNS);
	cf_options_init(&request.options);
	request.as_of = PG_GETARG_TIMESTAMPTZ(1);
	request.miss_factor = (1.0 - PG_GETARG_FLOAT8(2)) / (1.0 - stated_levels[0]);
	metric = forecast_metric_request(PG_GETARG_TEXT_PP(0), FORECAST_BY_DAYS, &request);
	for (int l = 0; l < N_LEVELS; l++)
		levels[l] = forecast_level(stated_levels[l], request.miss_factor);
	forecast_run_levels(metric->series, &request, levels, N_LEVELS, &forecast);

	memset(nulls, true, sizeof(nulls));
	if (forecast.has_numbers)
		put_numbers(&forecast, clock_utc_day(request.as_of), values, nulls);
	values[COLUMN_STATUS] = forecast_status_datum(forecast.verdict.status, TupleDescAttr(desc, COLUMN_STATUS)->atttypid);
	values[COLUMN_MODEL] = CStringGetTextDatum(cf_model_entry(forecast.has_numbers ? forecast.info.model : CF_MODEL_AUTO)->name);
	nulls[COLUMN_STATUS] = nulls[COLUMN_MODEL] = false;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
