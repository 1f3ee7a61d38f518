/*
 * series_sparkline.c
 *		sparkline(series, width): a series as one line of text.
 *
 * One character for each step of the series' grid, or for several where it is longer than
 * the width; a blank where nothing was measured.
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "series/series_grid.h"

#define MAX_WIDTH	1000
#define N_HEIGHTS	8

static const char *const blocks[N_HEIGHTS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

/* For databases whose encoding has no blocks. */
static const char *const letters[N_HEIGHTS] = {"_", ".", "-", "~", "=", "+", "*", "#"};

/* Mean of the known values of y[from .. to - 1], never beyond the largest of them; NaN: none. */
static double
mean_of(const double *y, int64 from, int64 to)
{
	double		mean = 0.0;
	int			n = 0;

	for (int64 i = from; i < to; i++)
		n += !isnan(y[i]);
	for (int64 i = from; i < to; i++)
		mean += isnan(y[i]) ? 0.0 : y[i] / n;
	return n > 0 ? mean : (double) NAN;
}

/* Halves, because the distance itself may be beyond a double. */
static int
height_of(double mean, double low, double high)
{
	double		height = (mean / 2 - low / 2) / (high / 2 - low / 2) * N_HEIGHTS;

	if (!(high / 2 > low / 2))
		return N_HEIGHTS / 2 - 1;
	return height < 0.0 ? 0 : height < N_HEIGHTS ? (int) height : N_HEIGHTS - 1;
}

PG_FUNCTION_INFO_V1(capforecast_sparkline);
Datum
capforecast_sparkline(PG_FUNCTION_ARGS)
{
	Series	   *series = PG_GETARG_SERIES(0);
	int			width = PG_GETARG_INT32(1);
	const char *const *heights = GetDatabaseEncoding() == PG_UTF8 ? blocks : letters;
	SeriesGrid	on_grid;
	StringInfoData line;
	int			columns;
	double	   *means;
	double		low = INFINITY;
	double		high = -INFINITY;

	if (width < 1 || width > MAX_WIDTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("width must be between 1 and %d", MAX_WIDTH),
				 errdetail("It is %d.", width),
				 errhint("Give the number of characters that the line may have.")));
	if (series->n == 0 || series_first_not_finite(series, series->n) >= 0 ||
		series_grid_make(series, series->n, CF_KIND_AUTO, 0, &on_grid) != CF_OK)
		PG_RETURN_NULL();

	columns = Min(width, on_grid.grid.n);
	means = palloc(columns * sizeof(double));
	for (int c = 0; c < columns; c++)
	{
		means[c] = mean_of(on_grid.y, (int64) c * on_grid.grid.n / columns, (int64) (c + 1) * on_grid.grid.n / columns);
		low = isnan(means[c]) ? low : Min(low, means[c]);
		high = isnan(means[c]) ? high : Max(high, means[c]);
	}
	initStringInfo(&line);
	for (int c = 0; c < columns; c++)
		appendStringInfoString(&line, isnan(means[c]) ? " " : heights[height_of(means[c], low, high)]);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(line.data, line.len));
}
