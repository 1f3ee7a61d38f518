/*
 * forecast_explain.c
 *		explain_forecast(): one plain sentence about a forecast.
 */
#include "postgres.h"

#include <ctype.h>
#include <math.h>

#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "common/clock.h"
#include "forecast/forecast_events.h"
#include "forecast/forecast_metric.h"
#include "forecast/forecast_run.h"

/* Three digits, or all before the point; of counts nothing after it. */
static char *
number_text(const Forecast *forecast, double number)
{
	return forecast->is_count || fabs(number) >= 99.5 ? psprintf("%.0f", number) : psprintf("%.3g", number);
}

/* A day, and the time of day where steps are shorter than days. */
static char *
time_text(const ForecastInput *input, int64 k)
{
	const CfGrid *grid = &input->on_grid.grid;
	TimestampTz time = forecast_input_time(input, k);

	if (grid->months > 0 || grid->step % USECS_PER_DAY == 0)
		return clock_date_text(series_grid_day(grid, grid->n - 1 + k));
	return forecast_time_text(time);
}

/* A reason goes on after a colon, without its full stop. */
static char *
as_clause(const char *reason)
{
	char	   *clause = pstrdup(reason);
	size_t		length = strlen(clause);

	clause[0] = (char) tolower((unsigned char) clause[0]);
	if (length > 0 && clause[length - 1] == '.')
		clause[length - 1] = '\0';
	return clause;
}

static void
append_change(StringInfo text, const Forecast *forecast)
{
	const CfGrid *grid = &forecast->input.on_grid.grid;
	double		current = forecast->input.on_grid.y[grid->n - 1];
	double		expected = forecast->yhat[forecast->horizon - 1];
	char	   *from = number_text(forecast, current);
	char	   *to = number_text(forecast, expected);

	if (strcmp(from, to) == 0)
		appendStringInfo(text, "stay at about %s until %s", to, time_text(&forecast->input, forecast->horizon));
	else
		appendStringInfo(text, "%s from %s on %s to %s by %s", expected > current ? "grow" : "fall",
						 from, time_text(&forecast->input, 0), to, time_text(&forecast->input, forecast->horizon));
}

/* What repeats, joined by "and"; the week is a pattern of seven days. */
static void
append_seasons(StringInfo text, const Forecast *forecast)
{
	const CfForecastInfo *info = &forecast->info;
	const CfCalendarFound *found = &info->calendar;
	char	   *parts[5];
	int			n = 0;

	if (found->has_week)
		parts[n++] = "a pattern of the day and of the week";
	else if (info->season_length > 1 && info->season_length != found->period)
		parts[n++] = psprintf("a pattern that repeats every %d steps", info->season_length);
	if (found->has_year)
		parts[n++] = psprintf("a year that explains %.0f %% of what goes up and down", found->year_strength * 100.0);
	if (found->has_month)
		parts[n++] = "days of their own at the ends of months";
	if (found->named_days > 0)
		parts[n++] = psprintf("%d known day%s that differ%s", found->named_days, found->named_days == 1 ? "" : "s",
							  found->named_days == 1 ? "s" : "");
	for (int i = 0; i < n; i++)
		appendStringInfo(text, "%s%s", i == 0 ? " with " : i == n - 1 ? " and " : ", ", parts[i]);
}

static void
append_method(StringInfo text, const Forecast *forecast)
{
	const CfForecastInfo *info = &forecast->info;

	appendStringInfo(text, ", by the model %s", cf_model_entry(info->model)->name);
	for (int i = 0; i < info->n_members && info->model == CF_MODEL_AUTO; i++)
		appendStringInfo(text, "%s%s", i == 0 ? " (" : i == info->n_members - 1 ? " and " : ", ",
						 cf_model_entry(info->members[i])->name);
	if (info->model == CF_MODEL_AUTO && info->n_members > 0)
		appendStringInfoChar(text, ')');
	appendStringInfo(text, " from %d points of a %s", info->n_points, forecast_kind_name(info->kind));
	append_seasons(text, forecast);
}

static Datum
explain(const char *subject, const Forecast *forecast, const ForecastRequest *request)
{
	StringInfoData text;
	int			last = forecast->horizon - 1;

	initStringInfo(&text);
	if (!forecast->has_numbers)
	{
		appendStringInfo(&text, "No forecast of %s can be made (%s): %s.", subject,
						 forecast_status_label(forecast->verdict.status), as_clause(forecast->verdict.reason));
		PG_RETURN_TEXT_P(cstring_to_text(text.data));
	}
	appendStringInfo(&text, "%c%s is expected to ", toupper((unsigned char) subject[0]), subject + 1);
	append_change(&text, forecast);
	appendStringInfo(&text, ", and to lie between %s and %s then with a confidence of %g %%",
					 number_text(forecast, forecast->lower[last]),
					 number_text(forecast, forecast->upper[last]), request->level * 100.0);
	append_method(&text, forecast);
	if (forecast->events != NULL)
		appendStringInfo(&text, "; seen in it: %s", forecast->events);
	if (forecast->verdict.status == FORECAST_UNRELIABLE)
		appendStringInfo(&text, "; do not act on it: %s", as_clause(forecast->verdict.reason));
	else if (forecast->verdict.reason != NULL)
		appendStringInfo(&text, "; %s", as_clause(forecast->verdict.reason));
	appendStringInfoChar(&text, '.');
	PG_RETURN_TEXT_P(cstring_to_text(text.data));
}

PG_FUNCTION_INFO_V1(capforecast_explain_forecast_series);
Datum
capforecast_explain_forecast_series(PG_FUNCTION_ARGS)
{
	ForecastRequest request;
	Forecast	forecast;

	forecast_request_read(fcinfo, 1, &request);
	forecast_run(PG_ARGISNULL(0) ? NULL : PG_GETARG_SERIES(0), &request, &forecast);
	return explain("the series", &forecast, &request);
}

PG_FUNCTION_INFO_V1(capforecast_explain_forecast_metric);
Datum
capforecast_explain_forecast_metric(PG_FUNCTION_ARGS)
{
	ForecastRequest request;
	ForecastMetric *metric;
	Forecast	forecast;
	text	   *name;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	name = PG_GETARG_TEXT_PP(0);
	forecast_request_read(fcinfo, 1, &request);
	metric = forecast_metric_request(name, FORECAST_AS_CAPTURED, &request);
	request.miss_factor = forecast_metric_miss_factor(name, request.as_of);
	forecast_run(metric->series, &request, &forecast);
	return explain(psprintf("metric %s", text_to_cstring(name)), &forecast, &request);
}
