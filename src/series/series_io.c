/*
 * series_io.c
 *		Text and binary form of a series.
 *
 * Text: {2026-01-31 412, 2026-02-01T06:30:00Z 415.5}, in any order, written in order; see
 * core/cf_text.h.  Neither DateStyle nor TimeZone nor extra_float_digits has a say in it,
 * so that input and output are immutable and a dump reads back as the same bits.
 * Binary: the number of points (int32), then time (int64, microseconds since 2000-01-01
 * UTC) and value (float8) of each.
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"

#include "common/compat.h"
#include "core/time/cf_text.h"
#include "series/series.h"

/* Up to so many bytes of the input are shown in a message. */
#define SHOWN_BYTES	40

#define POINT_BYTES	((int) (sizeof(int64) + sizeof(double)))

/* Between two commas: what is longer is no point, and would be read without a look at interrupts. */
#define MAX_POINT_BYTES	1000000

/* The rest of the input, for a message. */
static char *
shown(const char *rest)
{
	int			length = (int) strlen(rest);

	if (length <= SHOWN_BYTES)
		return psprintf("\"%s\"", rest);
	return psprintf("\"%.*s...\"", pg_mbcliplen(rest, length, SHOWN_BYTES), rest);
}

static Datum
refuse(Node *escontext, CfTextToken token, const CfText *text)
{
	if (token == CF_TEXT_TIME_RANGE)
		ereturn(escontext, (Datum) 0,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("date or time out of range for type series"),
				 errdetail("It does not exist, or cannot be stored, at %s.", shown(text->at))));
	if (token == CF_TEXT_VALUE_RANGE)
		ereturn(escontext, (Datum) 0,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("number out of range for type series"),
				 errdetail("It cannot be stored as double precision, at %s.", shown(text->at))));
	if (*text->at == '\0')
		ereturn(escontext, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type series"),
				 errdetail("The text ends where %s is expected.", text->expected),
				 errhint("A series is written like {2026-01-31 412, 2026-02-01T06:30:00Z 415.5}.")));
	ereturn(escontext, (Datum) 0,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type series"),
			 errdetail("Expected %s at %s.", text->expected, shown(text->at)),
			 errhint("A series is written like {2026-01-31 412, 2026-02-01T06:30:00Z 415.5}.")));
}

/* False: more than a point's text stands between two commas. */
static bool
points_are_short(const char *string)
{
	const char *comma = string;

	if (strlen(string) <= MAX_POINT_BYTES)
		return true;
	for (const char *at = string; *at != '\0'; at++)
	{
		if (*at == ',')
		{
			CHECK_FOR_INTERRUPTS();
			comma = at;
		}
		else if (at - comma > MAX_POINT_BYTES)
			return false;
	}
	return true;
}

PG_FUNCTION_INFO_V1(capforecast_series_in);
Datum
capforecast_series_in(PG_FUNCTION_ARGS)
{
	CfText		text;
	CfTextToken token;
	SeriesBuilder builder;
	int64		time;
	double		value;

	if (!points_are_short(PG_GETARG_CSTRING(0)))
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("text of a point is too long for type series"),
				 errdetail("It is longer than %d bytes.", MAX_POINT_BYTES)));
	series_builder_init(&builder, CurrentMemoryContext);
	cf_text_open(&text, PG_GETARG_CSTRING(0));
	while ((token = cf_text_next(&text, &time, &value)) == CF_TEXT_POINT)
	{
		CHECK_FOR_INTERRUPTS();
		series_builder_add(&builder, time, value);
	}
	if (token != CF_TEXT_END)
		return refuse(fcinfo->context, token, &text);
	PG_RETURN_POINTER(series_builder_finish(&builder));
}

PG_FUNCTION_INFO_V1(capforecast_series_out);
Datum
capforecast_series_out(PG_FUNCTION_ARGS)
{
	Series	   *series = PG_GETARG_SERIES(0);
	const double *values = SERIES_VALUES(series);
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoChar(&text, '{');
	for (int i = 0; i < series->n; i++)
	{
		if (i > 0)
			appendBinaryStringInfo(&text, ", ", 2);
		enlargeStringInfo(&text, CF_TEXT_TIME_SIZE + DOUBLE_SHORTEST_DECIMAL_LEN + 1);
		text.len += cf_text_put_time(series->time[i], text.data + text.len);
		text.data[text.len++] = ' ';
		text.len += double_to_shortest_decimal_buf(values[i], text.data + text.len);
		CHECK_FOR_INTERRUPTS();
	}
	appendStringInfoChar(&text, '}');
	PG_RETURN_CSTRING(text.data);
}

PG_FUNCTION_INFO_V1(capforecast_series_recv);
Datum
capforecast_series_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buffer = (StringInfo) PG_GETARG_POINTER(0);
	SeriesBuilder builder;
	int			n_bytes = buffer->len - buffer->cursor - (int) sizeof(int32);
	int32		n = n_bytes < 0 ? -1 : (int32) pq_getmsgint(buffer, 4);

	if (n < 0 || n > SERIES_MAX_POINTS || n_bytes != n * POINT_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary format of type series"),
				 errdetail("It must hold a number of points from 0 to %d, and %d bytes for each.",
						   SERIES_MAX_POINTS, POINT_BYTES)));
	series_builder_init(&builder, CurrentMemoryContext);
	for (int i = 0; i < n; i++)
	{
		TimestampTz time = pq_getmsgint64(buffer);

		if (!IS_VALID_TIMESTAMP(time))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("invalid binary format of type series"),
					 errdetail("The time of point %d is infinite or out of range.", i + 1)));
		series_builder_add(&builder, time, pq_getmsgfloat8(buffer));
	}
	PG_RETURN_POINTER(series_builder_finish(&builder));
}

PG_FUNCTION_INFO_V1(capforecast_series_send);
Datum
capforecast_series_send(PG_FUNCTION_ARGS)
{
	Series	   *series = PG_GETARG_SERIES(0);
	const double *values = SERIES_VALUES(series);
	StringInfoData buffer;

	pq_begintypsend(&buffer);
	enlargeStringInfo(&buffer, (int) sizeof(int32) + series->n * POINT_BYTES);
	pq_sendint32(&buffer, series->n);
	for (int i = 0; i < series->n; i++)
	{
		pq_sendint64(&buffer, series->time[i]);
		pq_sendfloat8(&buffer, values[i]);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}
