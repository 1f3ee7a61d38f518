/*
 * forecast_run.c
 *		A forecast of a series.
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "forecast/forecast_events.h"
#include "forecast/forecast_run.h"

int
forecast_season_hint(const CfGrid *grid)
{
	int			hint = cf_grid_season(grid);

	return hint > 1 ? hint : 0;
}

bool
forecast_first_day(const CfGrid *grid, int64_t *day)
{
	*day = grid->step == CF_DAY ? series_grid_day(grid, 0) : 0;
	return grid->step == CF_DAY;
}

double
forecast_level(double level, double miss_factor)
{
	double		miss = (1.0 - level) * miss_factor;

	return 1.0 - Min(Max(miss, 1e-6), 0.999);
}

bool
forecast_are_counts(const double *y, int n)
{
	for (int i = 0; i < n; i++)
		if (!isnan(y[i]) && (y[i] < 0.0 || y[i] != floor(y[i])))
			return false;
	return true;
}

static bool
has_negative(const double *y, int n)
{
	for (int i = 0; i < n; i++)
		if (y[i] < 0.0)
			return true;
	return false;
}

/* Remarks are joined to one sentence. */
static void
add_remark(StringInfo remarks, const char *remark)
{
	appendStringInfo(remarks, "%s%s", remarks->len > 0 ? "; " : "", remark);
}

/* NULL where there is nothing to remark. */
static char *
remarks(const CfForecastInfo *info)
{
	StringInfoData text;

	initStringInfo(&text);
	if (info->flags & CF_FLAG_SHORT)
		add_remark(&text, psprintf("with %d points it is little more than a guess", info->n_points));
	if (info->flags & CF_FLAG_GAPS)
		add_remark(&text, psprintf("only %.0f %% of the steps hold a value", info->coverage_ratio * 100.0));
	if (info->flags & CF_FLAG_CONSTANT)
		add_remark(&text, "all values are equal");
	if (info->flags & CF_FLAG_INTERMITTENT)
		add_remark(&text, "most steps are 0");
	if (info->flags & CF_FLAG_LONG_HORIZON)
		add_remark(&text, "it goes further ahead than the history is long");
	if (info->flags & CF_FLAG_LEVEL_SHIFT)
		add_remark(&text, "the level jumped not long before the end");
	if ((info->flags & CF_FLAG_UNRELIABLE) && text.len == 0)
		add_remark(&text, "the errors are as large as the values themselves");
	if (text.len == 0)
		return NULL;
	text.data[0] = pg_toupper((unsigned char) text.data[0]);
	appendStringInfoChar(&text, '.');
	return text.data;
}

/* What the core says of data it does not take. */
static ForecastVerdict
core_verdict(CfStatus status, CfModel model, int n_points)
{
	ForecastVerdict verdict = {FORECAST_OK, NULL};

	forecast_check(status);
	if (status == CF_TOO_FEW)
	{
		verdict.status = FORECAST_INSUFFICIENT_HISTORY;
		verdict.reason = psprintf("There are %d points, and model %s needs at least %d.",
								  n_points, cf_model_entry(model)->name, cf_model_entry(model)->min_points);
	}
	else if (status == CF_NOT_FINITE)
	{
		verdict.status = FORECAST_UNRELIABLE;
		verdict.reason = pstrdup("The values are too large to calculate with.");
	}
	return verdict;
}

void
forecast_run_levels(const Series *series, const ForecastRequest *request,
					const double *levels, int n_levels, Forecast *forecast)
{
	ForecastNeeds needs = {.kind = request->options.kind, .min_points = FORECAST_MIN_POINTS,
		.has_as_of = request->has_as_of, .as_of = request->as_of};
	CfOptions	options = request->options;
	SeriesGrid *on_grid = &forecast->input.on_grid;
	NamedDays	named;
	CfStatus	status;
	double	   *work;

	memset(forecast, 0, sizeof(*forecast));
	forecast_input_read(series, &needs, &forecast->input);
	forecast->verdict = forecast->input.verdict;
	if (forecast->verdict.status != FORECAST_OK)
	{
		forecast->verdict.reason = forecast_remarked(forecast->verdict.reason, on_grid->remark);
		return;
	}
	(void) forecast_input_time(&forecast->input, request->horizon);

	forecast->horizon = request->horizon;
	forecast->n_levels = n_levels;
	forecast->yhat = palloc(request->horizon * sizeof(double));
	forecast->lower = palloc(n_levels * request->horizon * sizeof(double));
	forecast->upper = palloc(n_levels * request->horizon * sizeof(double));
	forecast->is_count = request->may_be_count && forecast_are_counts(on_grid->y, on_grid->grid.n);
	options.is_count = forecast->is_count;
	/* nothing negative is expected where nothing was */
	if (request->may_be_count && isnan(options.floor) && !has_negative(on_grid->y, on_grid->grid.n))
		options.floor = 0.0;
	options.season_hint = forecast_season_hint(&on_grid->grid);
	options.has_days = forecast_first_day(&on_grid->grid, &options.first_day);
	named = known_days_on_grid(&on_grid->grid, request->horizon, request->metric);
	options.named = named.days;
	options.n_named = named.n;
	forecast->planned = planned_on_grid(request->planned, on_grid, request->horizon);
	work = series_work(cf_forecast_worksize(on_grid->grid.n, request->horizon));
	FORECAST_CALL(status, cf_forecast(forecast->planned.y, on_grid->grid.n, &options, request->horizon,
									  levels, n_levels, &forecast_stop, work,
									  forecast->yhat, forecast->lower, forecast->upper, &forecast->info));
	pfree(work);
	forecast->verdict = core_verdict(status, options.model, forecast->input.n_points);
	forecast->has_numbers = status == CF_OK;
	if (!forecast->has_numbers)
		return;
	planned_change(&forecast->planned, on_grid->grid.n, &options, request->horizon, n_levels,
				   forecast->yhat, forecast->lower, forecast->upper);
	forecast->events = planned_told(&forecast->planned, &on_grid->grid,
									forecast_events_text(&forecast->info.events, &on_grid->grid, &named));
	if (forecast->info.flags & CF_FLAG_UNRELIABLE)
		forecast->verdict.status = FORECAST_UNRELIABLE;
	forecast->verdict.reason = forecast_remarked(remarks(&forecast->info), on_grid->remark);
}

void
forecast_run(const Series *series, const ForecastRequest *request, Forecast *forecast)
{
	double		level = forecast_level(request->level, request->miss_factor);

	forecast_run_levels(series, request, &level, 1, forecast);
}
