/*
 * forecast_backtest.c
 *		backtest(series, horizon, folds, model): forecasts from earlier days, compared with
 *		what came.
 *
 * One row for each fold, the earliest first, and one for all of them (fold NULL).
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "common/row.h"
#include "forecast/forecast_run.h"

/* The columns of backtest(), in order. */
enum
{
	COLUMN_FOLD, COLUMN_ORIGIN, COLUMN_STEPS, COLUMN_MODEL, COLUMN_MAE, COLUMN_RMSE, COLUMN_BIAS, COLUMN_SMAPE,
	COLUMN_MASE, COLUMN_RMSSE, COLUMN_COVERAGE, COLUMN_WIDTH, COLUMN_MSIS, COLUMN_STATUS, COLUMN_REASON, N_COLUMNS
};

typedef struct Backtest
{
	ForecastVerdict verdict;	/* of the whole */
	ForecastInput input;
	CfFold	   *folds;
	int			n_folds;		/* made */
	CfScore		total;
} Backtest;

static void
put_number(Datum *values, bool *nulls, int column, double number)
{
	values[column] = Float8GetDatum(number);
	nulls[column] = isnan(number);
}

static void
put_score(Datum *values, bool *nulls, const CfScore *score)
{
	values[COLUMN_STEPS] = Int32GetDatum(score->n);
	nulls[COLUMN_STEPS] = false;
	put_number(values, nulls, COLUMN_MAE, score->mae);
	put_number(values, nulls, COLUMN_RMSE, score->rmse);
	put_number(values, nulls, COLUMN_BIAS, score->bias);
	put_number(values, nulls, COLUMN_SMAPE, score->smape);
	put_number(values, nulls, COLUMN_MASE, score->mase);
	put_number(values, nulls, COLUMN_RMSSE, score->rmsse);
	put_number(values, nulls, COLUMN_COVERAGE, score->coverage);
	put_number(values, nulls, COLUMN_WIDTH, score->width);
	put_number(values, nulls, COLUMN_MSIS, score->msis);
}

/* fold -1: all. */
static void
put_row(ReturnSetInfo *rsinfo, const Backtest *test, int fold, CfModel model, ForecastVerdict verdict, const CfScore *score)
{
	Datum		values[N_COLUMNS] = {0};
	bool		nulls[N_COLUMNS];

	memset(nulls, true, sizeof(nulls));
	if (fold >= 0)
	{
		/* the last step known to the forecast */
		int			origin = test->folds[fold].origin - 1;

		values[COLUMN_FOLD] = Int32GetDatum(fold + 1);
		values[COLUMN_ORIGIN] = TimestampTzGetDatum(cf_grid_time(&test->input.on_grid.grid, origin));
		nulls[COLUMN_FOLD] = nulls[COLUMN_ORIGIN] = false;
	}
	values[COLUMN_MODEL] = CStringGetTextDatum(cf_model_entry(model)->name);
	nulls[COLUMN_MODEL] = false;
	if (score != NULL)
		put_score(values, nulls, score);
	values[COLUMN_STATUS] = forecast_status_datum(verdict.status, TupleDescAttr(rsinfo->setDesc, COLUMN_STATUS)->atttypid);
	nulls[COLUMN_STATUS] = false;
	if (verdict.reason != NULL)
	{
		values[COLUMN_REASON] = CStringGetTextDatum(verdict.reason);
		nulls[COLUMN_REASON] = false;
	}
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static void
run(const Series *series, const ForecastRequest *request, int n_folds, Backtest *test)
{
	ForecastNeeds needs = {request->options.kind, FORECAST_MIN_POINTS + 1, 0, 0, false, 0};
	CfOptions	options = request->options;
	const SeriesGrid *on_grid = &test->input.on_grid;
	CfStatus	status;
	double	   *work;

	memset(test, 0, sizeof(*test));
	forecast_input_read(series, &needs, &test->input);
	test->verdict = test->input.verdict;
	if (test->verdict.status != FORECAST_OK)
		return;
	options.is_count = request->may_be_count && forecast_are_counts(on_grid->y, on_grid->grid.n);
	options.season_hint = forecast_season_hint(&on_grid->grid);
	test->folds = palloc0(n_folds * sizeof(CfFold));
	work = series_work(cf_backtest_worksize(on_grid->grid.n, request->horizon));
	FORECAST_CALL(status, cf_backtest(on_grid->y, on_grid->grid.n, &options, request->horizon, n_folds, request->level,
									  &forecast_stop, work, test->folds, &test->n_folds, &test->total,
									  NULL, NULL, NULL));
	forecast_check(status);
	if (status == CF_OK)
		return;
	test->n_folds = 0;
	test->verdict.status = status == CF_TOO_FEW ? FORECAST_INSUFFICIENT_HISTORY : FORECAST_UNRELIABLE;
	test->verdict.reason = status == CF_TOO_FEW ?
		psprintf("With %d steps, not enough are left before a horizon of %d.", on_grid->grid.n, request->horizon) :
		pstrdup("The values are too large to calculate with.");
}

static void
put_rows(ReturnSetInfo *rsinfo, const Backtest *test, const ForecastRequest *request)
{
	ForecastVerdict ok = {FORECAST_OK, NULL};

	for (int f = 0; f < test->n_folds; f++)
	{
		const CfFold *fold = &test->folds[f];
		ForecastVerdict none = {FORECAST_INSUFFICIENT_HISTORY, "There are too few points before this fold."};

		if (fold->status == CF_OK)
			put_row(rsinfo, test, f, fold->model, ok, &fold->score);
		else
			put_row(rsinfo, test, f, request->options.model, none, NULL);
	}
	put_row(rsinfo, test, -1, request->options.model, test->verdict, test->n_folds > 0 ? &test->total : NULL);
}

PG_FUNCTION_INFO_V1(capforecast_backtest);
Datum
capforecast_backtest(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ForecastRequest request = {0};
	Backtest	test;
	MemoryContext work;
	MemoryContext caller;
	int			n_folds;

	row_set(fcinfo, N_COLUMNS);
	work = AllocSetContextCreate(CurrentMemoryContext, "capforecast backtest", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(work);
	cf_options_init(&request.options);
	request.horizon = request_count(fcinfo, 1, "horizon", FORECAST_MAX_HORIZON,
										"Give a number of steps of the series, for example 30.");
	n_folds = request_count(fcinfo, 2, "folds", CF_MAX_FOLDS, "Give a number of forecasts to make, for example 5.");
	request.options.model = request_model(fcinfo, 3);
	request.level = request_level(fcinfo, 4);
	request.options.season_length = request_season_length(fcinfo, 5);
	request_bounds(fcinfo, 6, &request.options, &request.may_be_count);
	request.options.kind = request_kind(fcinfo, 8);
	run(PG_ARGISNULL(0) ? NULL : PG_GETARG_SERIES(0), &request, n_folds, &test);
	put_rows(rsinfo, &test, &request);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return (Datum) 0;
}
