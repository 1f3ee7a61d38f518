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

#include "common/clock.h"
#include "core/numerics/cf_num.h"
#include "forecast/forecast_events.h"
#include "forecast/forecast_planned.h"
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

static TimestampTz
chance_time(const ReachRequest *request, int i)
{
	int64		ahead = request->chance_days[i] * USECS_PER_DAY;

	return request->as_of < END_TIMESTAMP - ahead ? request->as_of + ahead : END_TIMESTAMP - 1;
}

static TimestampTz
last_asked(const ReachRequest *request)
{
	TimestampTz last = request->until;

	for (int i = 0; i < request->n_chances; i++)
		last = Max(last, chance_time(request, i));
	return last;
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
		.until = last_asked(request),
		.most_steps = CF_REACH_MAX_HORIZON,
	};

	forecast_input_read(series, &needs, input);
}

static bool
is_reached(double value, const ReachRequest *request)
{
	return request->direction == CF_UPWARD ? value >= request->threshold : value <= request->threshold;
}

/*
 * Reached already: since the first step of the run that ends with the last value.  Where all that is known is
 * part of it, it may have begun before.
 */
static void
describe_breach(const ForecastInput *input, const ReachRequest *request, Reach *reach)
{
	const double *y = input->on_grid.y;
	int			since = input->on_grid.grid.n - 1;
	int			i;
	DateADT		day;

	for (i = since; i >= 0 && (isnan(y[i]) || is_reached(y[i], request)); i--)
		since = isnan(y[i]) ? since : i;
	day = series_grid_session_day(&input->on_grid.grid, since);
	reach->has_breach = reach->has_earliest = reach->has_latest = i >= 0;
	reach->breach = reach->earliest = reach->latest = day;
	reach->has_times = input->on_grid.grid.months == 0 && input->on_grid.grid.step < USECS_PER_DAY;
	reach->breach_time = reach->earliest_time = reach->latest_time = cf_grid_time(&input->on_grid.grid, since);
	reach->has_days_left = reach->has_probability = true;
	reach->days_left = 0;
	reach->probability = 1.0;
	for (int c = 0; c < request->n_chances; c++)
		request->chance[c] = 1.0;
	decide(reach, FORECAST_ALREADY_BREACHED,
		   psprintf("The value has been at or %s %.15g since %s%s.",
					request->direction == CF_UPWARD ? "above" : "below", request->threshold,
					clock_date_text(day), reach->has_breach ? "" : " or earlier"));
}

static bool
day_of_step(const ForecastInput *input, int step, const ReachRequest *request, DateADT *day, TimestampTz *time)
{
	if (step < 1)
		return false;
	*time = Max(forecast_input_time(input, step), request->as_of);	/* a horizon beyond the calendar's end is an error */
	*day = series_grid_session_day(&input->on_grid.grid, input->on_grid.grid.n - 1 + step);
	*day = Max(*day, clock_utc_day(request->as_of));
	return true;
}

static void
describe_passage(const ForecastInput *input, const ReachRequest *request, const NamedDays *named, const CfReach *passage,
				 Reach *reach)
{
	char	   *until = clock_date_text(clock_utc_day(request->until));

	reach->kind = forecast_kind_name(passage->kind);
	reach->events = forecast_events_text(&passage->events, &input->on_grid.grid, named);
	reach->has_times = input->on_grid.grid.months == 0 && input->on_grid.grid.step < USECS_PER_DAY;
	reach->has_probability = true;
	reach->probability = passage->probability;
	reach->has_earliest = day_of_step(input, passage->earliest, request, &reach->earliest, &reach->earliest_time);
	reach->has_latest = day_of_step(input, passage->latest, request, &reach->latest, &reach->latest_time);
	switch (passage->status)
	{
		case CF_REACH_OK:
			reach->has_breach = day_of_step(input, passage->median, request, &reach->breach, &reach->breach_time);
			reach->has_days_left = reach->has_breach;
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

/* A change that holds at once takes it there. */
static void
describe_change(const ReachRequest *request, Reach *reach)
{
	reach->has_breach = reach->has_earliest = reach->has_latest = true;
	reach->breach = reach->earliest = reach->latest = clock_utc_day(request->as_of);
	reach->has_days_left = reach->has_probability = true;
	reach->days_left = 0;
	reach->probability = 1.0;
	for (int c = 0; c < request->n_chances; c++)
		request->chance[c] = 1.0;
}

static int
limited_steps(const CfGrid *grid, TimestampTz until)
{
	return (int) Min(steps_until(grid, until), CF_REACH_MAX_HORIZON);
}

/* One simulation gives the dates and all of the chances. */
static void
simulate(const ForecastInput *input, const ReachRequest *request, Reach *reach)
{
	const SeriesGrid *on_grid = &input->on_grid;
	CfReachOptions options = {
		.threshold = request->threshold,
		.direction = request->direction,
		.horizon = limited_steps(&on_grid->grid, request->until),
		.curve = limited_steps(&on_grid->grid, last_asked(request)),
		.confidence_level = request->level,
		.kind = request->kind,
		.season_length = request->season_length,
		.season_hint = forecast_season_hint(&on_grid->grid),
		.seed = seed_of(on_grid),
	};
	PlannedSteps planned = planned_on_grid(request->planned, on_grid, options.curve);
	NamedDays	named;
	CfReach		passage;
	CfStatus	status;
	double	   *curve = palloc(sizeof(double) * options.curve);

	options.has_days = forecast_first_day(&on_grid->grid, &options.first_day);
	named = known_days_on_grid(&on_grid->grid, options.curve, request->metric);
	options.named = named.days;
	options.n_named = named.n;
	if (is_reached(planned_now(&planned, on_grid->grid.n, &options, on_grid->y[on_grid->grid.n - 1]), request))
	{
		describe_change(request, reach);
		return;
	}
	status = planned_reach(&planned, on_grid->grid.n, &options, curve, &passage);
	for (int i = 0; status == CF_OK && i < request->n_chances; i++)
		request->chance[i] = curve[limited_steps(&on_grid->grid, chance_time(request, i)) - 1];
	pfree(curve);
	forecast_check(status);
	if (status == CF_NOT_FINITE)
		decide(reach, FORECAST_UNRELIABLE, pstrdup("The values are too large to calculate with."));
	else
	{
		describe_passage(input, request, &named, &passage, reach);
		reach->events = planned_told(&planned, &on_grid->grid, reach->events);
	}
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

void
reach_threshold_read(FunctionCallInfo fcinfo, int argument, ReachRequest *request)
{
	request->has_threshold = !PG_ARGISNULL(argument);
	request->threshold = request->has_threshold ? PG_GETARG_FLOAT8(argument) : 0.0;
	if (!isfinite(request->threshold))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("threshold must be a finite number"),
				 errdetail("It is %.15g.", request->threshold),
				 errhint("Give NULL where there is no limit.")));
}

void
reach_request_read(FunctionCallInfo fcinfo, int first, ReachRequest *request)
{
	memset(request, 0, sizeof(*request));
	reach_threshold_read(fcinfo, first, request);
	request->as_of = clock_as_of(fcinfo, first + 6, GetCurrentTimestamp());
	request->until = request_period_end(fcinfo, first + 1, "horizon", request->as_of, 0, CF_REACH_MAX_HORIZON);
	request->level = request_level(fcinfo, first + 2);
	request->direction = request_direction(fcinfo, first + 3);
	request->season_length = request_season_length(fcinfo, first + 4);
	request->kind = request_kind(fcinfo, first + 5);
}
