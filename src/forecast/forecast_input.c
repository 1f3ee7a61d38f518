/*
 * forecast_input.c
 *		From a series to the regular values an analysis takes, or the reason why not.
 *
 * The bounds are those in use elsewhere: half of the steps must hold a value, and the last
 * point may be three steps old, or as many more as the gaps are usual.
 */
#include "postgres.h"

#include <math.h>

#include "common/clock.h"
#include "core/time/cf_text.h"
#include "forecast/forecast_input.h"

#define MIN_COVERAGE_RATIO	0.5
#define STALE_STEPS			3
#define ENOUGH_STEPS		48		/* shorter than a day: two days of hours say enough of the hours to come */

char *
forecast_time_text(TimestampTz time)
{
	char	   *text = palloc(CF_TEXT_TIME_SIZE);

	cf_text_put_time(time, text);
	return text;
}

char *
forecast_remarked(char *reason, const char *remark)
{
	char	   *sentence;

	if (remark == NULL)
		return reason;
	sentence = psprintf("%c%s.", pg_toupper((unsigned char) remark[0]), remark + 1);
	return reason == NULL ? sentence : psprintf("%s %s", reason, sentence);
}

TimestampTz
forecast_input_time(const ForecastInput *input, int64 k)
{
	const CfGrid *grid = &input->on_grid.grid;

	if (!series_grid_can_reach(grid, grid->n - 1 + k))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the horizon goes beyond the end of the calendar"),
				 errdetail("Step " INT64_FORMAT " after %s cannot be written as a time.", k,
						   forecast_time_text(cf_grid_time(grid, grid->n - 1))),
				 errhint("Give a smaller horizon.")));
	return cf_grid_time(grid, grid->n - 1 + k);
}

static void
decide(ForecastInput *input, ForecastStatus status, char *reason)
{
	input->verdict.status = status;
	input->verdict.reason = reason;
}

/* Enough after so many more values, one at each step from as_of on. */
static void
ready_after(ForecastInput *input, const ForecastNeeds *needs, int64 more)
{
	const CfGrid *grid = &input->on_grid.grid;
	int64		passed = 0;

	if (needs->has_as_of)
		passed = Max(series_grid_bucket(grid, needs->as_of) - (grid->n - 1), 0);
	/* the step of as_of itself may still get its value */
	passed = Max(passed - 1, 0);
	input->has_ready_day = series_grid_can_reach(grid, grid->n - 1 + passed + more);
	if (input->has_ready_day)
		input->ready_time = cf_grid_time(grid, grid->n - 1 + passed + more);
}

/* Without a point no step is known: days are taken. */
static void
decide_no_points(ForecastInput *input, const ForecastNeeds *needs)
{
	decide(input, FORECAST_INSUFFICIENT_HISTORY, pstrdup("The series has no points."));
	input->ready_time = needs->as_of;
	input->has_ready_day = needs->has_as_of &&
		needs->as_of < END_TIMESTAMP - needs->min_points * USECS_PER_DAY;
	if (input->has_ready_day)
		input->ready_time += (needs->min_points - 1) * USECS_PER_DAY;
}

/* False: no grid can hold the series. */
static bool
put_on_grid(const Series *series, int n, const ForecastNeeds *needs, ForecastInput *input)
{
	CfStatus	status = needs->for_limit ?
		series_grid_make_peaks(series, n, needs->kind, needs->is_upward, needs->until, needs->most_steps, &input->on_grid) :
		series_grid_make(series, n, needs->kind, needs->step, &input->on_grid);
	CfGrid	   *grid = &input->on_grid.grid;

	if (status == CF_TOO_BIG && grid->step == 0 && grid->months == 0)
	{
		decide(input, FORECAST_UNRELIABLE, pstrdup("The times lie outside of the years that can be calculated with."));
		return false;
	}
	if (status == CF_TOO_BIG)
	{
		decide(input, FORECAST_INSUFFICIENT_COVERAGE,
			   psprintf("At the distance that its points mostly have, the series would span more than %d steps from %s to %s.",
						CF_GRID_MAX, forecast_time_text(series->time[0]), forecast_time_text(series->time[n - 1])));
		return false;
	}
	if (status == CF_NOT_FINITE)
	{
		decide(input, FORECAST_UNRELIABLE, pstrdup("The values are too large to calculate with."));
		return false;
	}
	if (status != CF_OK)
		elog(ERROR, "cannot put a series on a grid: %s", cf_status_text(status));
	input->n_points = input->on_grid.n_filled;
	input->coverage_ratio = (double) input->n_points / grid->n;
	input->has_grid = true;
	return true;
}

static bool
is_stale(const ForecastInput *input, const ForecastNeeds *needs)
{
	const CfGrid *grid = &input->on_grid.grid;

	return needs->has_as_of &&
		series_grid_bucket(grid, needs->as_of) - (grid->n - 1) > (int64) ceil(STALE_STEPS / input->coverage_ratio);
}

static void
judge_amount(const Series *series, int n, const ForecastNeeds *needs, ForecastInput *input)
{
	CfGrid	   *grid = &input->on_grid.grid;
	int64		span = series->time[n - 1] - series->time[0];
	int64		min_span = (int64) needs->min_days * USECS_PER_DAY;
	int64		missing_points = Max(needs->min_points - input->n_points, 0);
	int64		missing_span = span < min_span ? cf_grid_steps_in(grid, (double) (min_span - span) / USECS_PER_DAY) : 0;

	if (missing_points > 0)
		decide(input, FORECAST_INSUFFICIENT_HISTORY,
			   psprintf("There %s %d point%s, and at least %d are needed.", input->n_points == 1 ? "is" : "are",
						input->n_points, input->n_points == 1 ? "" : "s", needs->min_points));
	else if (missing_span > 0 && !(grid->months == 0 && grid->step < USECS_PER_DAY && input->n_points >= ENOUGH_STEPS))
		decide(input, FORECAST_INSUFFICIENT_HISTORY,
			   psprintf("The points span %.1f days, and at least %d are needed.",
						(double) span / USECS_PER_DAY, needs->min_days));
	else if (input->coverage_ratio < MIN_COVERAGE_RATIO)
	{
		decide(input, FORECAST_INSUFFICIENT_COVERAGE,
			   psprintf("Of %d steps from %s to %s only %d hold a value, less than half.", grid->n,
						forecast_time_text(series->time[0]), forecast_time_text(series->time[n - 1]), input->n_points));
		ready_after(input, needs, grid->n - 2 * (int64) input->n_points);
		return;
	}
	else
		return;
	ready_after(input, needs, Max(missing_points, missing_span));
}

void
forecast_input_read(const Series *series, const ForecastNeeds *needs, ForecastInput *input)
{
	int			n = series == NULL ? 0 : series->n;
	int			bad;

	memset(input, 0, sizeof(*input));
	if (n > 0 && needs->has_as_of)
		n = series_count_until(series, needs->as_of);
	if (n == 0)
	{
		decide_no_points(input, needs);
		if (series != NULL && series->n > 0)
			input->verdict.reason = psprintf("The series has no points before %s.", forecast_time_text(needs->as_of));
		return;
	}
	bad = series_first_not_finite(series, n);
	if (bad >= 0)
	{
		double		value = SERIES_VALUES(series)[bad];

		decide(input, FORECAST_UNRELIABLE,
			   psprintf("The value at %s is %s.", forecast_time_text(series->time[bad]),
						isnan(value) ? "not a number" : value > 0 ? "infinite" : "minus infinite"));
		return;
	}
	if (!put_on_grid(series, n, needs, input))
		return;
	if (input->on_grid.is_uncounted)
	{
		decide(input, FORECAST_UNRELIABLE,
			   pstrdup("All values are 1, at times of their own: events that are not counted. Take count_series(ts), or give kind => 'flow'."));
		return;
	}
	if (is_stale(input, needs))
	{
		decide(input, FORECAST_STALE,
			   psprintf("The last point is of %s, too long before %s.",
						forecast_time_text(series->time[n - 1]),
						forecast_time_text(needs->as_of - needs->as_of % USECS_PER_MINUTE)));
		return;
	}
	judge_amount(series, n, needs, input);
}
