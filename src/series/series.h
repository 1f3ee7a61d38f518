/*
 * series.h
 *		The type series: an ordered set of points (time, value) in one value.
 *
 * In memory and on disk: the number of points, their times, their values, so that the
 * core can work on both arrays where they lie.  Times are microseconds since 2000-01-01
 * in UTC, finite, ascending; where times are equal, values ascend (NaN last).  Values may
 * be NaN or infinite: a series holds what was measured, and what is analysed answers such
 * a series with a status of its own instead of failing with all others in the statement.
 */
#ifndef CAPFORECAST_SERIES_H
#define CAPFORECAST_SERIES_H

#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "common/compat.h"

/* 16 MB; a minute's values for 23 months. */
#define SERIES_MAX_POINTS	1000000

typedef struct Series
{
	int32		vl_len_;		/* varlena header (do not touch directly!) */
	int32		n;				/* points, 0 to SERIES_MAX_POINTS */
	int64		time[FLEXIBLE_ARRAY_MEMBER];	/* n times, then n doubles */
} Series;

#define SERIES_SIZE(n)		(offsetof(Series, time) + (Size) (n) * (sizeof(int64) + sizeof(double)))
#define SERIES_VALUES(s)	((double *) ((s)->time + (s)->n))

#define DatumGetSeries(datum)		((Series *) PG_DETOAST_DATUM(datum))
#define PG_GETARG_SERIES(argument)	DatumGetSeries(PG_GETARG_DATUM(argument))

typedef struct SeriesPoint
{
	int64		time;
	double		value;
} SeriesPoint;

/* The order of points: by time, then by value, NaN last. */
static inline int
series_point_compare(int64 time_a, double a, int64 time_b, double b)
{
	if (time_a != time_b)
		return time_a < time_b ? -1 : 1;
	if (isnan(a) || isnan(b))
		return (int) isnan(a) - (int) isnan(b);
	return a < b ? -1 : a > b;
}

/* Points being collected, in any order. */
typedef struct SeriesBuilder
{
	MemoryContext context;		/* of points */
	int			n;
	int			allocated;
	bool		is_sorted;
	bool		is_summing;		/* points of equal time are added up to one; to be set before the first */
	SeriesPoint *points;
} SeriesBuilder;

extern void series_builder_init(SeriesBuilder *builder, MemoryContext context);

/* Raises 22008 for an infinite time, 54000 beyond SERIES_MAX_POINTS. */
extern void series_builder_add(SeriesBuilder *builder, TimestampTz time, double value);

/* Appends the points of another, or of a series; the same errors. */
extern void series_builder_append(SeriesBuilder *builder, SeriesBuilder *other);
extern void series_builder_append_series(SeriesBuilder *builder, const Series *series);

/* Adds up what is still to be added up: afterwards the points ascend. */
extern void series_builder_settle(SeriesBuilder *builder);

/* What a worker hands over to another process, after whatever stands in the buffer already. */
extern void series_builder_send(SeriesBuilder *builder, StringInfo buffer);
extern void series_builder_receive(SeriesBuilder *builder, StringInfo buffer, MemoryContext context);

/* Sorts the points; the series is in the current memory context.  More may be added afterwards. */
extern Series *series_builder_finish(SeriesBuilder *builder);

/* Where the state of an aggregate lives; raises where there is no aggregate. */
extern MemoryContext series_aggregate_context(FunctionCallInfo fcinfo);

/* Midnight UTC of a date, infinite for an infinite one; 22008 beyond what a timestamp can be. */
extern TimestampTz series_date_instant(DateADT date);

/* Points whose time is at or before as_of. */
extern int	series_count_until(const Series *series, TimestampTz as_of);

#endif							/* CAPFORECAST_SERIES_H */
