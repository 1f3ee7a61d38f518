/*
 * series_grid.c
 *		A series on a regular grid.
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"
#include "utils/memutils.h"

#include "series/series_grid.h"

/* 2 GB of doubles: more than any kernel asks for at the documented limits. */
#define WORK_MAX_DOUBLES	((size_t) 256 * 1024 * 1024)

#define LAST_YEAR	294276

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

CfStatus
series_grid_make(const Series *series, int n, CfKind kind, int64 step, SeriesGrid *on_grid)
{
	double	   *work = series_work(n);
	CfStatus	status;

	memset(on_grid, 0, sizeof(*on_grid));
	on_grid->grid.step = step;
	status = cf_grid_detect(series->time, n, work, &on_grid->grid);
	pfree(work);
	if (status != CF_OK)
		return status;
	on_grid->y = series_work(on_grid->grid.n);
	return cf_grid_fill(&on_grid->grid, series->time, SERIES_VALUES(series), n, kind,
						on_grid->y, &on_grid->n_filled);
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
		!pg_add_s64_overflow(grid->start, distance, &time) && IS_VALID_TIMESTAMP(time);
}

/* The distance from the start, which is within a quarter of int64 about 0, stays inside int64. */
int64
series_grid_bucket(const CfGrid *grid, TimestampTz time)
{
	return cf_grid_bucket(grid, Min(time, PG_INT64_MAX / 2));
}
