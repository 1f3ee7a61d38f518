/*
 * series_build.c
 *		From points in any order to a series.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/float.h"
#include "utils/memutils.h"

#include "series/series.h"

#define FIRST_ALLOCATION	32

static inline int
compare_points(const SeriesPoint *a, const SeriesPoint *b)
{
	return series_point_compare(a->time, a->value, b->time, b->value);
}

#define ST_SORT sort_points
#define ST_ELEMENT_TYPE SeriesPoint
#define ST_COMPARE(a, b) compare_points(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

void
series_builder_init(SeriesBuilder *builder, MemoryContext context)
{
	builder->context = context;
	builder->n = 0;
	builder->allocated = 0;
	builder->is_sorted = true;
	builder->points = NULL;
}

static void
reserve(SeriesBuilder *builder, int more)
{
	int			needed = builder->n + more;

	if (needed > SERIES_MAX_POINTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a series cannot have more than %d points", SERIES_MAX_POINTS),
				 errhint("Bring the values to a coarser step first, for example with GROUP BY date_trunc('hour', ts).")));
	if (needed <= builder->allocated)
		return;
	builder->allocated = Min(Max(needed, Max(2 * builder->allocated, FIRST_ALLOCATION)), SERIES_MAX_POINTS);
	if (builder->points == NULL)
		builder->points = MemoryContextAlloc(builder->context, builder->allocated * sizeof(SeriesPoint));
	else
		builder->points = repalloc(builder->points, builder->allocated * sizeof(SeriesPoint));
}

void
series_builder_add(SeriesBuilder *builder, TimestampTz time, double value)
{
	SeriesPoint *point;

	if (!IS_VALID_TIMESTAMP(time))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the time of a point must be finite"),
				 errhint("Leave such rows out, for example with FILTER (WHERE isfinite(ts)).")));
	reserve(builder, 1);
	point = &builder->points[builder->n++];
	point->time = time;
	/* one zero, one NaN: equal series have equal bytes */
	point->value = value == 0.0 ? 0.0 : isnan(value) ? get_float8_nan() : value;
	if (builder->is_sorted && builder->n > 1)
		builder->is_sorted = compare_points(point - 1, point) <= 0;
}

void
series_builder_append(SeriesBuilder *builder, const SeriesBuilder *other)
{
	if (other->n == 0)
		return;
	reserve(builder, other->n);
	memcpy(builder->points + builder->n, other->points, other->n * sizeof(SeriesPoint));
	builder->is_sorted = builder->is_sorted && other->is_sorted &&
		(builder->n == 0 || compare_points(&builder->points[builder->n - 1], &other->points[0]) <= 0);
	builder->n += other->n;
}

Series *
series_builder_finish(SeriesBuilder *builder)
{
	Size		size = SERIES_SIZE(builder->n);
	Series	   *series = palloc(size);
	double	   *values;

	if (!builder->is_sorted)
		sort_points(builder->points, builder->n);
	builder->is_sorted = true;

	SET_VARSIZE(series, size);
	series->n = builder->n;
	values = SERIES_VALUES(series);
	for (int i = 0; i < builder->n; i++)
	{
		series->time[i] = builder->points[i].time;
		values[i] = builder->points[i].value;
	}
	return series;
}

TimestampTz
series_date_instant(DateADT date)
{
	if (DATE_IS_NOBEGIN(date))
		return DT_NOBEGIN;
	if (DATE_IS_NOEND(date))
		return DT_NOEND;
	if (date >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("date out of range for a series"),
				 errdetail("The last day is 294276-12-31.")));
	return (TimestampTz) date * USECS_PER_DAY;
}

int
series_count_until(const Series *series, TimestampTz as_of)
{
	int			low = 0;
	int			high = series->n;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (series->time[middle] <= as_of)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
