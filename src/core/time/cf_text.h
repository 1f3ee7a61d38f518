/*
 * cf_text.h
 *		The text of a series: {2026-01-31 412, 2026-02-01T06:30:00Z 415.5}
 *
 * Times are ISO 8601 in the proleptic Gregorian calendar, years counted astronomically
 * (0000 is 1 BC) and signed where they have more than four digits or lie before 0000.  A
 * date alone is its midnight; without a zone, UTC is meant.  The text does not depend on
 * any setting and reads back as exactly the same numbers.
 */
#ifndef CF_TEXT_H
#define CF_TEXT_H

#include "core/cf_core.h"

/* The times that can be written: 4714-11-24 BC to the end of 294276, what the server can store. */
#define CF_TEXT_MIN_TIME INT64_C(-211813488000000000)
#define CF_TEXT_END_TIME INT64_C(9223371331200000000)

#define CF_TEXT_TIME_SIZE 40	/* bytes that a written time needs at most, with the closing NUL */

typedef enum CfTextToken
{
	CF_TEXT_POINT,				/* one more point was read */
	CF_TEXT_END,				/* the text ended where it may */
	CF_TEXT_SYNTAX,				/* it does not go on as a series; "expected" says with what it could */
	CF_TEXT_TIME_RANGE,			/* a date or time that does not exist, or outside the limits above */
	CF_TEXT_VALUE_RANGE			/* a number too large or too small for a double */
} CfTextToken;

/* A text being read.  Ask cf_text_next until it returns anything but CF_TEXT_POINT. */
typedef struct CfText
{
	const char *at;				/* next byte; after an error, the first byte that is wrong */
	const char *expected;		/* after CF_TEXT_SYNTAX */
	bool		is_open;		/* the brace was read */
} CfText;

/* string ends with NUL and outlives the reading. */
extern void cf_text_open(CfText *text, const char *string);
extern CfTextToken cf_text_next(CfText *text, int64_t *time, double *value);

/* Writes a time within the limits, and NUL; returns the length without NUL. */
extern int	cf_text_put_time(int64_t time, char *out);

#endif							/* CF_TEXT_H */
