/* The text of a series: what it takes, what it refuses and where, and that written times read back. */
#include <string.h>

#include "core/numerics/cf_num.h"
#include "core/time/cf_grid.h"
#include "core/time/cf_text.h"
#include "tap.h"

/* What reading ends with, after how many points, at which byte. */
static bool
ends(const char *string, CfTextToken token, int points, int at)
{
	CfText		text;
	CfTextToken got;
	int64_t		time;
	double		value;
	int			n = 0;

	cf_text_open(&text, string);
	while ((got = cf_text_next(&text, &time, &value)) == CF_TEXT_POINT)
		n++;
	return got == token && n == points && (int) (text.at - string) == at;
}

/* The first point. */
static bool
reads(const char *string, int64_t time, double value)
{
	CfText		text;
	int64_t		got_time = 0;
	double		got_value = 0.0;

	cf_text_open(&text, string);
	return cf_text_next(&text, &got_time, &got_value) == CF_TEXT_POINT && got_time == time &&
		(got_value == value || (isnan(value) && isnan(got_value)));
}

static bool
writes(int64_t time, const char *expected)
{
	char		out[CF_TEXT_TIME_SIZE];

	return cf_text_put_time(time, out) == (int) strlen(expected) && strcmp(out, expected) == 0;
}

/* Random times of the whole range, written and read back. */
static bool
read_back(int n)
{
	uint64_t	state = 7;
	char		string[CF_TEXT_TIME_SIZE + 8];

	for (int i = 0; i < n; i++)
	{
		double		share = cf_num_uniform(&state);
		int64_t		time = (int64_t) ((double) CF_TEXT_MIN_TIME + share * 9.4e18);
		int			length;

		time = i % 3 == 0 ? time - time % CF_DAY : i % 3 == 1 ? time - time % 1000000 : time;
		if (time < CF_TEXT_MIN_TIME || time >= CF_TEXT_END_TIME)
			continue;
		string[0] = '{';
		length = cf_text_put_time(time, string + 1);
		strcpy(string + 1 + length, " 1}");
		if (!reads(string, time, 1.0))
		{
			printf("# %s\n", string);
			return false;
		}
	}
	return true;
}

int
main(void)
{
	ok(ends("{}", CF_TEXT_END, 0, 2), "no points");
	ok(ends(" \t{ \n} \r", CF_TEXT_END, 0, 8), "blanks anywhere between");
	ok(ends("{2026-01-01 1, 2026-01-02\t2 ,2026-01-03 3}", CF_TEXT_END, 3, 42), "three points");
	ok(ends("", CF_TEXT_SYNTAX, 0, 0), "nothing");
	ok(ends("{2026-01-01 1", CF_TEXT_SYNTAX, 1, 13), "no closing brace");
	ok(ends("{2026-01-01 1,}", CF_TEXT_SYNTAX, 1, 14), "a comma too many");
	ok(ends("{2026-01-01 1} x", CF_TEXT_SYNTAX, 1, 15), "something after the end");
	ok(ends("{2026-01-01 nan(7)}", CF_TEXT_SYNTAX, 1, 15), "C's nan(…) is not taken");
	ok(ends("{2026-01-01 0x1p3}", CF_TEXT_SYNTAX, 1, 13), "hexadecimal is not taken");
	ok(ends("{2026-01-01 1e}", CF_TEXT_SYNTAX, 0, 14), "an exponent without digits");
	ok(ends("{2026-02-29 1}", CF_TEXT_TIME_RANGE, 0, 1), "a day that does not exist");
	ok(ends("{2026-01-01T25:00 1}", CF_TEXT_TIME_RANGE, 0, 1), "an hour that does not exist");
	ok(ends("{+999999-01-01 1}", CF_TEXT_TIME_RANGE, 0, 1), "a year out of range");
	ok(ends("{2026-01-01 1e400}", CF_TEXT_VALUE_RANGE, 0, 12), "too large");
	ok(ends("{2026-01-01 1e-400}", CF_TEXT_VALUE_RANGE, 0, 12), "too small");
	ok(ends("{2026-01-01 0e-400, 2026-01-01 0.0}", CF_TEXT_END, 2, 35), "0 is never too small");

	ok(reads("{2000-01-01 -0.5e1}", 0, -5.0), "the epoch");
	ok(reads("{2000-03-01 1}", 60 * CF_DAY, 1.0), "2000 is a leap year");
	ok(reads("{1999-12-31T23:59:59.999999Z .5}", -1, 0.5), "a microsecond before the epoch");
	ok(reads("{2000-01-01T00:00:00.1 7.}", 100000, 7.0), "a tenth of a second");
	ok(reads("{2000-01-01T01:30+01:30 1}", 0, 1.0) && reads("{1999-12-31T19:00-05 1}", 0, 1.0), "distances from UTC");
	ok(reads("{2000-01-01 nAn}", 0, (double) NAN) && reads("{2000-01-01 -inf}", 0, -(double) INFINITY) &&
	   reads("{2000-01-01 +Infinity}", 0, (double) INFINITY), "values that are not finite, in any case");
	ok(reads("{2000-01-01 0.1000000000000000055511151231257827021181583404541015625}", 0, 0.1), "many digits");
	ok(reads("{-4713-11-24 1}", CF_TEXT_MIN_TIME, 1.0), "the first day");
	ok(reads("{+294276-12-31T23:59:59.999999Z 1}", CF_TEXT_END_TIME - 1, 1.0), "the last microsecond");

	ok(writes(0, "2000-01-01"), "a midnight is a date");
	ok(writes(-1, "1999-12-31T23:59:59.999999Z"), "six decimals where they are needed");
	ok(writes(CF_HOUR + 500000, "2000-01-01T01:00:00.5Z"), "no more than are needed");
	ok(writes(CF_TEXT_MIN_TIME, "-4713-11-24"), "years before 0 are signed");
	ok(writes(CF_TEXT_END_TIME - 1, "+294276-12-31T23:59:59.999999Z"), "years after 9999, too");
	ok(read_back(200000), "what is written reads back");
	return tap_done();
}
