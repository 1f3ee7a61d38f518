/*
 * series_grid.c
 *		A series on a regular grid.
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/datetime.h"
#include "utils/memutils.h"

#include "common/clock.h"
#include "core/time/cf_fill.h"
#include "series/series_grid.h"

/* 2 GB of doubles: more than any kernel asks for at the documented limits. */
#define WORK_MAX_DOUBLES	((size_t) 256 * 1024 * 1024)

#define LAST_YEAR	294276

/* Counts further apart than this on average are no counts by day. */
#define MOST_DAYS_APART 50

double *
series_work(size_t n_doubles)
{
	if (n_doubles == 0 || n_doubles > WORK_MAX_DOUBLES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the series is too long for this analysis"),
				 errhint("Bring it to a coarser step, for example with GROUP BY date_trunc('day', ts).")));
	return MemoryContextAllocHuge(CurrentMemoryContext, n_doubles * sizeof(double));
}

int
series_first_not_finite(const Series *series, int n)
{
	const double *values = SERIES_VALUES(series);

	for (int i = 0; i < n; i++)
		if (!isfinite(values[i]))
			return i;
	return -1;
}

/* "3 hours", for remarks. */
static char *
step_text(const CfGrid *grid)
{
	static const struct
	{
		int64		length;
		const char *name;
	}			units[] = {
		{CF_WEEK, "week"}, {CF_DAY, "day"}, {CF_HOUR, "hour"}, {CF_MINUTE, "minute"}, {USECS_PER_SEC, "second"}
	};

	if (grid->months > 0)
		return psprintf("%d month%s", grid->months, grid->months == 1 ? "" : "s");
	for (int i = 0; i < lengthof(units); i++)
		if (grid->step % units[i].length == 0)
			return psprintf(INT64_FORMAT " %s%s", grid->step / units[i].length, units[i].name,
							grid->step == units[i].length ? "" : "s");
	return psprintf("%g seconds", (double) grid->step / USECS_PER_SEC);
}

static const char *
pick_text(CfPick pick)
{
	switch (pick)
	{
		case CF_PICK_SUM:
			return "sum";
		case CF_PICK_LAST:
			return "last";
		case CF_PICK_HIGHEST:
			return "highest";
		case CF_PICK_LOWEST:
			return "lowest";
		case CF_PICK_MEAN:
			break;
	}
	return "mean";
}

static void
remark(SeriesGrid *on_grid, char *text)
{
	on_grid->remark = on_grid->remark == NULL ? text : psprintf("%s; %s", on_grid->remark, text);
}

/* All values 1, several to a step: rows that stand for events. */
static bool
are_events(const Series *series, int n)
{
	const double *values = SERIES_VALUES(series);

	for (int i = 0; i < n; i++)
		if (values[i] != 1.0)
			return false;
	return true;
}

static void
describe_steps(const Series *series, int n, CfKind kind, CfPick pick, const CfFilled *filled, SeriesGrid *on_grid)
{
	const CfGrid *grid = &on_grid->grid;

	if (filled->n_shared > 0)
		remark(on_grid, psprintf("the times are not regular: a step is %s and holds the %s of its values%s",
								 step_text(grid), pick_text(pick),
								 pick == CF_PICK_MEAN ? " (kind => 'flow' adds them up)" : ""));
	else if (n > 1 && !cf_grid_is_usual(grid))
		remark(on_grid, psprintf("a step is %s", step_text(grid)));
	if (filled->n_equal > 0)
		remark(on_grid, psprintf("%d point%s the time of another: %s", filled->n_equal,
								 filled->n_equal == 1 ? " has" : "s have",
								 pick == CF_PICK_SUM ? "they are added" :
								 pick == CF_PICK_LOWEST ? "the smallest counts" : "the largest counts"));
	on_grid->is_uncounted = kind == CF_KIND_AUTO && filled->n_shared + filled->n_equal > n / 10 &&
		are_events(series, n);
}

static void
fill_zeros(SeriesGrid *on_grid)
{
	int			n = on_grid->grid.n;
	int			n_gaps = n - on_grid->n_filled;

	remark(on_grid, psprintf("the %d step%s without a value count as 0", n_gaps, n_gaps == 1 ? "" : "s"));
	for (int k = 0; k < n; k++)
		on_grid->y[k] = isnan(on_grid->y[k]) ? 0.0 : on_grid->y[k];
	on_grid->n_filled = n;
}

/*
 * Amounts at times of their own: a step that has none had nothing, and the last one is not over yet, nor
 * did the first one begin with its first amount.
 */
static void
take_as_amounts(SeriesGrid *on_grid)
{
	CfGrid	   *grid = &on_grid->grid;

	if (grid->n > 3)
	{
		if (grid->months > 0)
			grid->start_month += grid->months;
		else
			grid->start += grid->step;
		on_grid->n_filled -= !isnan(on_grid->y[0]) + !isnan(on_grid->y[grid->n - 1]);
		grid->n -= 2;
		memmove(on_grid->y, on_grid->y + 1, grid->n * sizeof(double));
		remark(on_grid, pstrdup("the first and the last step, which may not be whole, are left out"));
	}
	if (on_grid->n_filled < grid->n)
		fill_zeros(on_grid);
}

static CfStatus
detect(const Series *series, int n, int64 step, CfGrid *grid)
{
	double	   *work = series_work(n);
	CfStatus	status;

	memset(grid, 0, sizeof(*grid));
	grid->step = step;
	status = cf_grid_detect(series->time, n, work, grid);
	pfree(work);
	return status;
}

static CfStatus
put(const Series *series, int n, CfPick pick, int64 step, SeriesGrid *on_grid, CfFilled *filled)
{
	CfStatus	status;

	memset(on_grid, 0, sizeof(*on_grid));
	status = detect(series, n, step, &on_grid->grid);
	if (status != CF_OK)
		return status;
	on_grid->y = series_work(on_grid->grid.n);
	status = cf_fill_grid(&on_grid->grid, series->time, SERIES_VALUES(series), n, pick, on_grid->y, filled);
	on_grid->n_filled = filled->n_filled;
	return status;
}

/* Amounts are of days: at any time of the day they are added up, and counts on few days have zeros on the others. */
static void
try_days(const Series *series, int n, CfKind kind, SeriesGrid *on_grid, CfFilled *filled)
{
	bool		is_within_days = on_grid->grid.months == 0 && on_grid->grid.step < CF_DAY;
	CfFilled	filled_days;
	SeriesGrid	days;

	if (on_grid->grid.is_regular || put(series, n, CF_PICK_SUM, CF_DAY, &days, &filled_days) != CF_OK)
		return;
	if (is_within_days || (days.grid.is_regular && days.grid.n / MOST_DAYS_APART < n
						   && cf_fill_lacks_zeros(days.y, days.grid.n, days.n_filled, kind)))
	{
		*on_grid = days;
		*filled = filled_days;
	}
}

static CfStatus
make(const Series *series, int n, CfKind kind, CfPick pick, int64 step, SeriesGrid *on_grid)
{
	CfFilled	filled;
	CfStatus	status = put(series, n, pick, step, on_grid, &filled);

	if (status != CF_OK)
		return status;
	if (pick == CF_PICK_SUM && step == 0)
		try_days(series, n, kind, on_grid, &filled);
	describe_steps(series, n, kind, pick, &filled, on_grid);
	if (pick == CF_PICK_SUM && !on_grid->grid.is_regular && filled.n_shared > 0)
		take_as_amounts(on_grid);
	else if (cf_fill_lacks_zeros(on_grid->y, on_grid->grid.n, on_grid->n_filled, kind))
		fill_zeros(on_grid);
	on_grid->last = pick == CF_PICK_SUM ? on_grid->y[on_grid->grid.n - 1] : SERIES_VALUES(series)[n - 1];
	return CF_OK;
}

CfStatus
series_grid_make(const Series *series, int n, CfKind kind, int64 step, SeriesGrid *on_grid)
{
	CfPick		pick = kind == CF_KIND_FLOW ? CF_PICK_SUM : kind == CF_KIND_STOCK ? CF_PICK_LAST : CF_PICK_MEAN;

	return make(series, n, kind, pick, step, on_grid);
}

CfStatus
series_grid_make_peaks(const Series *series, int n, CfKind kind, bool is_upward,
					   TimestampTz until, int most_steps, SeriesGrid *on_grid)
{
	CfPick		peak = is_upward ? CF_PICK_HIGHEST : CF_PICK_LOWEST;
	CfPick		pick = kind == CF_KIND_FLOW ? CF_PICK_SUM : peak;
	CfGrid	   *grid = &on_grid->grid;
	int64		own_step;
	CfStatus	status = make(series, n, kind, pick, 0, on_grid);

	if (status == CF_TOO_BIG && grid->step > 0 && grid->step < CF_HOUR)
		status = make(series, n, kind, pick, CF_HOUR, on_grid);
	if (status != CF_OK || grid->months > 0)
		return status;
	own_step = grid->step;
	if (grid->step < CF_HOUR)
		on_grid->n_filled = cf_fill_coarser(grid, on_grid->y, CF_HOUR, peak);
	if (grid->step < CF_DAY && series_grid_bucket(grid, until) - grid->n >= most_steps)
		on_grid->n_filled = cf_fill_coarser(grid, on_grid->y, CF_DAY, peak);
	if (grid->step != own_step)
		remark(on_grid, psprintf("measured by the %s value of each %s", pick_text(peak),
								 grid->step == CF_HOUR ? "hour" : "day"));
	return status;
}

/* The day of a time in the session's time zone, of a midnight there and of an hour about it that of the midnight. */
static bool
session_day(TimestampTz time, bool *is_midnight, DateADT *day)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			zone;

	if (timestamp2tm(time, &zone, &tm, &fsec, NULL, session_timezone) != 0)
		return false;
	*is_midnight = tm.tm_hour == 0 && tm.tm_min == 0 && tm.tm_sec == 0 && fsec == 0;
	*day = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) - POSTGRES_EPOCH_JDATE;
	return true;
}

DateADT
series_grid_day(const CfGrid *grid, int64 k)
{
	return clock_utc_day(cf_grid_day(grid, k));
}

DateADT
series_grid_session_day(const CfGrid *grid, int64 k)
{
	TimestampTz time = cf_grid_time(grid, k);
	bool		is_midnight;
	DateADT		day;

	if (grid->is_local || grid->months > 0 || grid->step % CF_DAY != 0)
		return series_grid_day(grid, k);
	if (session_day(cf_grid_time(grid, 0), &is_midnight, &day) && is_midnight
		&& session_day(time + CF_DAY / 2, &is_midnight, &day))
		return day;
	return series_grid_day(grid, k);
}

bool
series_grid_can_reach(const CfGrid *grid, int64 k)
{
	int64		distance;
	int64		time;

	if (grid->months > 0)
		return !pg_mul_s64_overflow(k, grid->months, &distance) &&
			distance < (LAST_YEAR - 2000) * 12 - (int64) grid->start_month;
	return !pg_mul_s64_overflow(k, grid->step, &distance) &&
		!pg_add_s64_overflow(grid->start, distance, &time) && IS_VALID_TIMESTAMP(time) &&
		IS_VALID_TIMESTAMP(time - grid->zone.standard - grid->zone.saving);
}

/* The distance from the start, which is within a quarter of int64 about 0, stays inside int64. */
int64
series_grid_bucket(const CfGrid *grid, TimestampTz time)
{
	return cf_grid_bucket(grid, Min(time, PG_INT64_MAX / 2));
}
