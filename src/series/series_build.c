/*
 * series_build.c
 *		From points in any order to a series.
 */
#include "postgres.h"

#include <math.h>

#include "libpq/pqformat.h"
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

/* One zero, one NaN: equal series have equal bytes. */
static double
canonical(double value)
{
	return value == 0.0 ? 0.0 : isnan(value) ? get_float8_nan() : value;
}

void
series_builder_init(SeriesBuilder *builder, MemoryContext context)
{
	builder->context = context;
	builder->n = 0;
	builder->allocated = 0;
	builder->is_sorted = true;
	builder->is_summing = false;
	builder->points = NULL;
}

void
series_builder_settle(SeriesBuilder *builder)
{
	SeriesPoint *points = builder->points;
	int			n = 0;

	if (!builder->is_sorted)
		sort_points(points, builder->n);
	builder->is_sorted = true;
	if (!builder->is_summing)
		return;
	for (int i = 0; i < builder->n; i++)
	{
		if (n == 0 || points[n - 1].time != points[i].time)
			points[n++] = points[i];
		else
			points[n - 1].value = canonical(points[n - 1].value + points[i].value);
	}
	builder->n = n;
}

static void
refuse_more_than(int n)
{
	if (n > SERIES_MAX_POINTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a series cannot have more than %d points", SERIES_MAX_POINTS),
				 errhint("Bring the values to a coarser step first, for example with GROUP BY date_trunc('hour', ts).")));
}

/*
 * Room for more points.  What is added up is added up before the memory grows, so that it
 * follows the number of different times and not that of rows; the sums may need room for
 * twice the points of a series until then.
 */
static void
reserve(SeriesBuilder *builder, int more)
{
	int			most = builder->is_summing ? 2 * SERIES_MAX_POINTS : SERIES_MAX_POINTS;

	if (builder->n + more <= builder->allocated)
		return;
	if (builder->is_summing)
	{
		series_builder_settle(builder);
		if (builder->n + more <= builder->allocated - builder->allocated / 4)
			return;
	}
	refuse_more_than(builder->is_summing ? Max(builder->n, more) : builder->n + more);
	if (builder->n + more <= builder->allocated)
		return;
	builder->allocated = Min(Max(builder->n + more, Max(2 * builder->allocated, FIRST_ALLOCATION)), most);
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
	if (builder->is_summing && builder->n > 0 && builder->points[builder->n - 1].time == time)
	{
		point = &builder->points[builder->n - 1];
		point->value = canonical(point->value + value);
		return;
	}
	reserve(builder, 1);
	point = &builder->points[builder->n++];
	point->time = time;
	point->value = canonical(value);
	if (builder->is_sorted && builder->n > 1)
		builder->is_sorted = compare_points(point - 1, point) <= 0;
}

void
series_builder_append(SeriesBuilder *builder, SeriesBuilder *other)
{
	if (builder->is_summing)
		series_builder_settle(other);
	if (other->n == 0)
		return;
	reserve(builder, other->n);
	memcpy(builder->points + builder->n, other->points, other->n * sizeof(SeriesPoint));
	builder->is_sorted = builder->is_sorted && other->is_sorted &&
		(builder->n == 0 || compare_points(&builder->points[builder->n - 1], &other->points[0]) <= 0);
	builder->n += other->n;
}

void
series_builder_append_series(SeriesBuilder *builder, const Series *series)
{
	const double *values = SERIES_VALUES(series);

	if (series->n == 0)
		return;
	reserve(builder, series->n);
	for (int i = 0; i < series->n; i++)
		series_builder_add(builder, series->time[i], values[i]);
}

void
series_builder_send(SeriesBuilder *builder, StringInfo buffer)
{
	if (builder->is_summing)
		series_builder_settle(builder);
	pq_sendbyte(buffer, builder->is_summing);
	pq_sendint32(buffer, builder->n);
	for (int i = 0; i < builder->n; i++)
	{
		pq_sendint64(buffer, builder->points[i].time);
		pq_sendfloat8(buffer, builder->points[i].value);
	}
}

void
series_builder_receive(SeriesBuilder *builder, StringInfo buffer, MemoryContext context)
{
	int			n;

	series_builder_init(builder, context);
	builder->is_summing = pq_getmsgbyte(buffer) != 0;
	n = pq_getmsgint(buffer, 4);
	for (int i = 0; i < n; i++)
	{
		TimestampTz time = pq_getmsgint64(buffer);

		series_builder_add(builder, time, pq_getmsgfloat8(buffer));
	}
}

Series *
series_builder_finish(SeriesBuilder *builder)
{
	Series	   *series;
	Size		size;
	double	   *values;

	series_builder_settle(builder);
	refuse_more_than(builder->n);
	size = SERIES_SIZE(builder->n);
	series = palloc(size);
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
