/*
 * forecast_parts.c
 *		What a series is made of: decompose(), detect_seasonality(), detect_changepoints().
 *
 * A series of which nothing can be said is one row with status and reason, as everywhere;
 * a series in which nothing was found is another thing (season_length 1, no change points).
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "common/row.h"
#include "core/engine/cf_change.h"
#include "core/engine/cf_decompose.h"
#include "core/engine/cf_layer.h"
#include "forecast/forecast_run.h"

#define MAX_CHANGES	1000
#define DAYS_OF_WEEK	7
#define DAYS_OF_YEAR	365

/* One call: where it works, and where its rows go. */
typedef struct Call
{
	ReturnSetInfo *rsinfo;
	MemoryContext caller;
	MemoryContext work;
	int			status_column;	/* reason follows; they are the last two */
	ForecastInput input;
} Call;

static void
put_row(Call *call, Datum *values, bool *nulls, ForecastVerdict verdict)
{
	int			column = call->status_column;

	values[column] = forecast_status_datum(verdict.status, TupleDescAttr(call->rsinfo->setDesc, column)->atttypid);
	nulls[column] = false;
	values[column + 1] = verdict.reason == NULL ? (Datum) 0 : CStringGetTextDatum(verdict.reason);
	nulls[column + 1] = verdict.reason == NULL;
	tuplestore_putvalues(call->rsinfo->setResult, call->rsinfo->setDesc, values, nulls);
}

static void
put_verdict(Call *call, ForecastVerdict verdict)
{
	int			n_columns = call->status_column + 2;
	Datum	   *values = palloc0(n_columns * sizeof(Datum));
	bool	   *nulls = palloc(n_columns * sizeof(bool));

	memset(nulls, true, n_columns * sizeof(bool));
	put_row(call, values, nulls, verdict);
}

/* False: nothing can be said, and the row that says so is put. */
static bool
begin(FunctionCallInfo fcinfo, Call *call, int columns)
{
	ForecastNeeds needs = {CF_KIND_AUTO, FORECAST_MIN_POINTS, 0, 0, false, 0};

	row_set(fcinfo, columns);
	call->rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	call->status_column = columns - 2;
	call->work = AllocSetContextCreate(CurrentMemoryContext, "capforecast series", ALLOCSET_DEFAULT_SIZES);
	call->caller = MemoryContextSwitchTo(call->work);
	forecast_input_read(PG_ARGISNULL(0) ? NULL : PG_GETARG_SERIES(0), &needs, &call->input);
	if (call->input.verdict.status == FORECAST_OK)
		return true;
	put_verdict(call, call->input.verdict);
	return false;
}

static Datum
end(Call *call)
{
	MemoryContextSwitchTo(call->caller);
	MemoryContextDelete(call->work);
	return (Datum) 0;
}

/* False where the core does not take the values; the row that says so is put. */
static bool
is_answered(Call *call, CfStatus status)
{
	ForecastVerdict verdict = {FORECAST_UNRELIABLE, "The values are too large to calculate with."};

	forecast_check(status);
	if (status == CF_OK)
		return true;
	if (status == CF_TOO_FEW)
	{
		verdict.status = FORECAST_INSUFFICIENT_HISTORY;
		verdict.reason = "There are too few points.";
	}
	put_verdict(call, verdict);
	return false;
}

static CfStatus
try_season(Call *call, int hint, CfSeason *season)
{
	const SeriesGrid *on_grid = &call->input.on_grid;
	double	   *work = series_work(cf_season_worksize(on_grid->grid.n, hint));
	CfStatus	status;

	FORECAST_CALL(status, cf_season_detect(on_grid->y, on_grid->grid.n, hint, &forecast_stop, work, season));
	pfree(work);
	return status;
}

/* The season that the step suggests, and without that any other. */
static CfStatus
detect(Call *call, CfSeason *season)
{
	int			hint = forecast_season_hint(&call->input.on_grid.grid);
	CfStatus	status = CF_OK;

	season->period = 1;
	if (hint > 1)
		status = try_season(call, hint, season);
	if (status == CF_OK && season->period <= 1)
		status = try_season(call, 0, season);
	return status;
}

static void
put_season(Call *call, int length, double strength)
{
	Datum		values[6];
	bool		nulls[6] = {false};

	values[0] = Int32GetDatum(length);
	values[1] = Float8GetDatum(strength);
	values[2] = Int32GetDatum(call->input.n_points);
	values[3] = Float8GetDatum(call->input.coverage_ratio);
	put_row(call, values, nulls, call->input.verdict);
}

/* The year of days and the week of hours, which lie over the first season. */
static void
put_longer_seasons(Call *call, const CfSeason *first)
{
	const SeriesGrid *on_grid = &call->input.on_grid;
	CfLayerTask task = {.season_hint = forecast_season_hint(&on_grid->grid)};
	CfLayer		layer;
	CfStatus	status;
	double	   *work = series_work(cf_layer_worksize(on_grid->grid.n, 0));

	task.has_days = forecast_first_day(&on_grid->grid, &task.first_day);
	FORECAST_CALL(status, cf_layer_find(on_grid->y, on_grid->grid.n, &task, &forecast_stop, work, &layer));
	forecast_check(status);
	if (layer.found.has_week)
		put_season(call, DAYS_OF_WEEK * task.season_hint, layer.found.week_strength);
	if (layer.found.has_year && task.has_days && first->period < DAYS_OF_YEAR - DAYS_OF_WEEK)
		put_season(call, DAYS_OF_YEAR, layer.found.year_strength);
	pfree(work);
}

PG_FUNCTION_INFO_V1(capforecast_detect_seasonality);
Datum
capforecast_detect_seasonality(PG_FUNCTION_ARGS)
{
	Call		call;
	CfSeason	season = {0};

	if (begin(fcinfo, &call, 6) && is_answered(&call, detect(&call, &season)))
	{
		put_season(&call, season.period, season.strength);
		put_longer_seasons(&call, &season);
	}
	return end(&call);
}

/* What was asked for, or (0) what is found; false as is_answered. */
static bool
settle_season(Call *call, int *period)
{
	CfSeason	season = {0};

	if (*period > 0)
		return true;
	if (!is_answered(call, detect(call, &season)))
		return false;
	*period = season.period;
	return true;
}

static void
put_components(Call *call, const double *component[4])
{
	const SeriesGrid *on_grid = &call->input.on_grid;

	for (int t = 0; t < on_grid->grid.n; t++)
	{
		Datum		values[8];
		bool		nulls[8] = {false};

		CHECK_FOR_INTERRUPTS();
		values[0] = TimestampTzGetDatum(cf_grid_time(&on_grid->grid, t));
		values[1] = Float8GetDatum(on_grid->y[t]);
		nulls[1] = isnan(on_grid->y[t]);
		for (int c = 0; c < 4; c++)
		{
			values[2 + c] = Float8GetDatum(component[c][t]);
			nulls[2 + c] = isnan(component[c][t]);
		}
		put_row(call, values, nulls, call->input.verdict);
	}
}

PG_FUNCTION_INFO_V1(capforecast_decompose);
Datum
capforecast_decompose(PG_FUNCTION_ARGS)
{
	Call		call;
	int			period = request_season_length(fcinfo, 1);
	CfDecomposeOptions options = {.has_calendar = period == 0};

	if (begin(fcinfo, &call, 8) && settle_season(&call, &period))
	{
		const SeriesGrid *on_grid = &call.input.on_grid;
		size_t		n = (size_t) on_grid->grid.n;
		double	   *out = series_work(4 * n);
		double	   *work = series_work(cf_decompose_worksize(on_grid->grid.n, period));
		const double *component[4] = {out, out + n, out + 2 * n, out + 3 * n};
		CfStatus	status;

		options.season_hint = forecast_season_hint(&on_grid->grid);
		options.has_days = forecast_first_day(&on_grid->grid, &options.first_day);
		FORECAST_CALL(status, cf_decompose(on_grid->y, on_grid->grid.n, period, &options, &forecast_stop, work,
										   out, out + n, out + 2 * n, out + 3 * n));
		if (is_answered(&call, status))
			put_components(&call, component);
	}
	return end(&call);
}

PG_FUNCTION_INFO_V1(capforecast_detect_changepoints);
Datum
capforecast_detect_changepoints(PG_FUNCTION_ARGS)
{
	Call		call;
	int			most = request_count(fcinfo, 2, "max_changes", MAX_CHANGES, "Give how many are wanted, for example 10.");
	int			period = request_season_length(fcinfo, 1);

	if (begin(fcinfo, &call, 6) && settle_season(&call, &period))
	{
		const SeriesGrid *on_grid = &call.input.on_grid;
		CfChange   *changes = palloc(most * sizeof(CfChange));
		double	   *work = series_work(cf_change_worksize(on_grid->grid.n));
		int			n_changes = 0;
		CfStatus	status;

		FORECAST_CALL(status, cf_change_detect(on_grid->y, on_grid->grid.n, period, most, &forecast_stop, work,
											   changes, &n_changes));
		if (!is_answered(&call, status))
			n_changes = 0;
		for (int i = 0; i < n_changes; i++)
		{
			Datum		values[6];
			bool		nulls[6] = {false};

			values[0] = TimestampTzGetDatum(cf_grid_time(&on_grid->grid, changes[i].index));
			values[1] = CStringGetTextDatum(changes[i].kind == CF_CHANGE_LEVEL ? "level" : "slope");
			values[2] = Float8GetDatum(changes[i].size);
			values[3] = Float8GetDatum(changes[i].score);
			put_row(&call, values, nulls, call.input.verdict);
		}
	}
	return end(&call);
}
