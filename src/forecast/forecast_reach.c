/*
 * forecast_reach.c
 *		When a series reaches a threshold.
 *
 * The statuses are asked in this order: is there a limit, a point, a number in every
 * value, a recent point; is it reached already, whatever the slope; is there enough to
 * say when.  Only then the core simulates the first passage (core/cf_reach.h).
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/fmgrprotos.h"

#include "common/clock.h"
#include "core/numerics/cf_num.h"
#include "forecast/forecast_reach.h"
#include "forecast/forecast_run.h"

static void
decide(Reach *reach, ForecastStatus status, char *reason)
{
	reach->verdict.status = status;
	reach->verdict.reason = reason;
}

/*
 * The same series gives the same paths, in both forms and on every machine: the seed is
 * made from the values and the time of the last one.
 */
static uint64
seed_of(const SeriesGrid *on_grid)
{
	uint64_t	state = (uint64_t) cf_grid_time(&on_grid->grid, on_grid->grid.n - 1);

	for (int i = 0; i < on_grid->grid.n; i++)
	{
		uint64_t	bits = 0;

		if (!isnan(on_grid->y[i]))
			memcpy(&bits, &on_grid->y[i], sizeof(bits));
		state ^= bits;
		state = cf_num_random(&state);
	}
	return state;
}

static int64
steps_until(const CfGrid *grid, TimestampTz until)
{
	return Max(series_grid_bucket(grid, until) - (grid->n - 1), 1);
}

/* By the peaks, on steps of which the horizon has not too many. */
static void
read_input(const Series *series, const ReachRequest *request, ForecastInput *input)
{
	ForecastNeeds needs = {
		.kind = request->kind,
		.min_points = REACH_MIN_POINTS,
		.min_days = REACH_MIN_DAYS,
		.has_as_of = true,
		.as_of = request->as_of,
		.for_limit = true,
		.is_upward = request->direction == CF_UPWARD,
		.until = request->until,
		.most_steps = CF_REACH_MAX_HORIZON,
	};

	forecast_input_read(series, &needs, input);
}

static bool
is_reached(double value, const ReachRequest *request)
{
	return request->direction == CF_UPWARD ? value >= request->threshold : value <= request->threshold;
}

/* Reached already: since the first step of the run that ends with the last value. */
static void
describe_breach(const ForecastInput *input, const ReachRequest *request, Reach *reach)
{
	const double *y = input->on_grid.y;
	int			since = input->on_grid.grid.n - 1;

	for (int i = since; i >= 0 && (isnan(y[i]) || is_reached(y[i], request)); i--)
		since = isnan(y[i]) ? since : i;
	reach->has_breach = reach->has_earliest = reach->has_latest = reach->has_probability = true;
	reach->breach = series_grid_session_day(&input->on_grid.grid, since);
	reach->earliest = reach->latest = reach->breach;
	reach->days_left = 0;
	reach->probability = 1.0;
	decide(reach, FORECAST_ALREADY_BREACHED,
		   psprintf("The value has been at or %s %.15g since %s.",
					request->direction == CF_UPWARD ? "above" : "below", request->threshold,
					clock_date_text(reach->breach)));
}

static bool
day_of_step(const ForecastInput *input, int step, const ReachRequest *request, DateADT *day)
{
	if (step < 1)
		return false;
	(void) forecast_input_time(input, step);	/* a horizon beyond the calendar's end is an error */
	*day = series_grid_session_day(&input->on_grid.grid, input->on_grid.grid.n - 1 + step);
	*day = Max(*day, clock_utc_day(request->as_of));
	return true;
}

static void
describe_passage(const ForecastInput *input, const ReachRequest *request, const CfReach *passage, Reach *reach)
{
	char	   *until = clock_date_text(clock_utc_day(request->until));

	reach->has_probability = true;
	reach->probability = passage->probability;
	reach->has_earliest = day_of_step(input, passage->earliest, request, &reach->earliest);
	reach->has_latest = day_of_step(input, passage->latest, request, &reach->latest);
	switch (passage->status)
	{
		case CF_REACH_OK:
			reach->has_breach = day_of_step(input, passage->median, request, &reach->breach);
			reach->days_left = reach->breach - clock_utc_day(request->as_of);
			break;
		case CF_REACH_ALREADY:
			describe_breach(input, request, reach);
			break;
		case CF_REACH_NO_GROWTH:
			decide(reach, FORECAST_NO_GROWTH, psprintf("The value stays at %.15g.", passage->current));
			break;
		case CF_REACH_SHRINKING:
			decide(reach, FORECAST_SHRINKING, psprintf("The value moves away from %.15g.", request->threshold));
			break;
		case CF_REACH_BEYOND:
			decide(reach, FORECAST_BEYOND_HORIZON,
				   psprintf("The chance of reaching %.15g by %s is %.0f %%.",
							request->threshold, until, passage->probability * 100.0));
			break;
		case CF_REACH_UNRELIABLE:
			decide(reach, FORECAST_UNRELIABLE,
				   pstrdup("The history is too short or too erratic for a date."));
			break;
		case CF_REACH_TOO_FEW:
			decide(reach, FORECAST_INSUFFICIENT_HISTORY, pstrdup("There are too few points."));
			break;
	}
}

static void
simulate(const ForecastInput *input, const ReachRequest *request, Reach *reach)
{
	const SeriesGrid *on_grid = &input->on_grid;
	CfReachOptions options = {
		.threshold = request->threshold,
		.direction = request->direction,
		.horizon = (int) Min(steps_until(&on_grid->grid, request->until), CF_REACH_MAX_HORIZON),
		.confidence_level = request->level,
		.kind = request->kind,
		.season_length = request->season_length,
		.season_hint = forecast_season_hint(&on_grid->grid),
		.seed = seed_of(on_grid),
	};
	CfReach		passage;
	CfStatus	status;
	double	   *work = series_work(cf_reach_worksize(on_grid->grid.n, options.horizon));

	FORECAST_CALL(status, cf_reach(on_grid->y, on_grid->grid.n, &options, &forecast_stop, work, NULL, &passage));
	pfree(work);
	forecast_check(status);
	if (status == CF_NOT_FINITE)
		decide(reach, FORECAST_UNRELIABLE, pstrdup("The values are too large to calculate with."));
	else
		describe_passage(input, request, &passage, reach);
}

static void
describe_input(const ForecastInput *input, Reach *reach)
{
	reach->n_points = input->n_points;
	reach->has_coverage = reach->has_current = input->has_grid;
	reach->coverage_ratio = input->coverage_ratio;
	if (input->has_grid)
		reach->current = input->on_grid.last;
	reach->has_ready = input->has_ready_day;
	if (input->has_ready_day)
		reach->ready = clock_utc_day(input->ready_time);
}

void
reach_run(const Series *series, const ReachRequest *request, Reach *reach)
{
	ForecastInput input;

	memset(reach, 0, sizeof(*reach));
	read_input(series, request, &input);
	describe_input(&input, reach);
	reach->verdict = input.verdict;
	if (!request->has_threshold)
	{
		reach->has_ready = false;
		decide(reach, FORECAST_NO_LIMIT, pstrdup("There is no limit to reach."));
		return;
	}
	if (!input.has_grid || input.on_grid.is_uncounted || input.verdict.status == FORECAST_STALE)
		return;
	if (is_reached(input.on_grid.y[input.on_grid.grid.n - 1], request))
	{
		reach->has_ready = false;
		describe_breach(&input, request, reach);
	}
	else if (input.verdict.status == FORECAST_OK)
		simulate(&input, request, reach);
	reach->verdict.reason = forecast_remarked(reach->verdict.reason, input.on_grid.remark);
}

static TimestampTz
horizon_end(FunctionCallInfo fcinfo, int argument, TimestampTz as_of)
{
	TimestampTz until;

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("horizon must not be null"),
				 errhint("Leave it out for its default.")));
	/* of timestamp, not timestamptz: months and days of the calendar in UTC */
	until = DatumGetTimestamp(DirectFunctionCall2(timestamp_pl_interval, TimestampGetDatum(as_of),
												  PG_GETARG_DATUM(argument)));
	if (until <= as_of || until > as_of + CF_REACH_MAX_HORIZON * USECS_PER_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("horizon must be longer than 0 and at most %d days", CF_REACH_MAX_HORIZON),
				 errdetail("It ends %s.", until <= as_of ? "where it begins, or before" : "later than that"),
				 errhint("Give an interval, for example '365 days'.")));
	return until;
}

void
reach_request_read(FunctionCallInfo fcinfo, int first, ReachRequest *request)
{
	request->has_threshold = !PG_ARGISNULL(first);
	request->threshold = request->has_threshold ? PG_GETARG_FLOAT8(first) : 0.0;
	if (!isfinite(request->threshold))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("threshold must be a finite number"),
				 errdetail("It is %.15g.", request->threshold),
				 errhint("Give NULL where there is no limit.")));
	request->as_of = clock_as_of(fcinfo, first + 6, GetCurrentTimestamp());
	request->until = horizon_end(fcinfo, first + 1, request->as_of);
	request->level = request_level(fcinfo, first + 2);
	request->direction = request_direction(fcinfo, first + 3);
	request->season_length = request_season_length(fcinfo, first + 4);
	request->kind = request_kind(fcinfo, first + 5);
}
