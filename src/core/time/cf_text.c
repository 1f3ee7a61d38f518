/*
 * cf_text.c
 *		Reads and writes the text of a series.
 *
 * The numbers go through strtod, which rounds correctly; it sees only what the grammar
 * here has let pass, because by itself it also takes hexadecimal, "nan(…)" and blanks.
 */
#include <math.h>
#include <stdlib.h>

#include "core/time/cf_calendar.h"
#include "core/time/cf_grid.h"
#include "core/time/cf_text.h"

#define SECOND INT64_C(1000000)

/* ISO 8601 years that contain all times within the limits. */
#define FIRST_YEAR (-4713)
#define LAST_YEAR 294276

void
cf_text_open(CfText *text, const char *string)
{
	text->at = string;
	text->expected = NULL;
	text->is_open = false;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void
skip_blanks(CfText *text)
{
	while (is_blank(*text->at))
		text->at++;
}

static bool
take(CfText *text, char c)
{
	if (*text->at != c)
		return false;
	text->at++;
	return true;
}

static CfTextToken
unexpected(CfText *text, const char *expected)
{
	text->expected = expected;
	return CF_TEXT_SYNTAX;
}

/* From least to most digits; 0 where there are fewer (nothing is taken then). */
static int
take_digits(CfText *text, int least, int most, int64_t *number)
{
	int			n = 0;

	*number = 0;
	while (n < most && is_digit(text->at[n]))
		*number = *number * 10 + (text->at[n++] - '0');
	if (n < least || is_digit(text->at[n]))
		return 0;
	text->at += n;
	return n;
}

/* A field of two digits from 0 to most; false leaves the text where the field begins. */
static bool
take_field(CfText *text, int64_t most, int64_t *number, bool *is_in_range)
{
	if (take_digits(text, 2, 2, number) == 0)
		return false;
	if (*number > most)
		*is_in_range = false;
	return true;
}

static CfTextToken
read_date(CfText *text, int64_t *midnight)
{
	bool		is_negative = *text->at == '-';
	bool		is_signed = is_negative || *text->at == '+';
	bool		is_in_range = true;
	int64_t		year;
	int64_t		month;
	int64_t		day;

	text->at += is_signed;
	if (take_digits(text, 4, is_signed ? 6 : 4, &year) == 0)
		return unexpected(text, "a date");
	if (!take(text, '-') || !take_field(text, 12, &month, &is_in_range) ||
		!take(text, '-') || !take_field(text, 31, &day, &is_in_range))
		return unexpected(text, "a date");
	year = is_negative ? -year : year;
	if (!is_in_range || year < FIRST_YEAR || year > LAST_YEAR || month < 1 || day < 1)
		return CF_TEXT_TIME_RANGE;
	month += 12 * (year - 2000) - 1;
	if (day > cf_calendar_month_length(month))
		return CF_TEXT_TIME_RANGE;
	*midnight = cf_calendar_time(month, (int) day, 0);
	return CF_TEXT_POINT;
}

/* Microseconds of ".5", ".125" and the like. */
static bool
take_fraction(CfText *text, int64_t *microseconds)
{
	int			digits = take_digits(text, 1, 6, microseconds);

	for (int i = digits; i < 6; i++)
		*microseconds *= 10;
	return digits > 0;
}

/* Z, +01, -05:30 or nothing. */
static CfTextToken
read_zone(CfText *text, int64_t *offset)
{
	bool		is_west = *text->at == '-';
	bool		is_in_range = true;
	int64_t		hours;
	int64_t		minutes = 0;

	*offset = 0;
	if (take(text, 'Z') || (*text->at != '+' && !is_west))
		return CF_TEXT_POINT;
	text->at++;
	if (!take_field(text, 15, &hours, &is_in_range) ||
		(take(text, ':') && !take_field(text, 59, &minutes, &is_in_range)))
		return unexpected(text, "a distance from UTC such as +01:00");
	*offset = (hours * 60 + minutes) * CF_MINUTE * (is_west ? -1 : 1);
	return is_in_range ? CF_TEXT_POINT : CF_TEXT_TIME_RANGE;
}

static CfTextToken
read_time(CfText *text, int64_t *time)
{
	CfTextToken token = read_date(text, time);
	bool		is_in_range = true;
	int64_t		hour;
	int64_t		minute;
	int64_t		second = 0;
	int64_t		fraction = 0;
	int64_t		offset = 0;

	if (token == CF_TEXT_POINT && take(text, 'T'))
	{
		if (!take_field(text, 23, &hour, &is_in_range) ||
			!take(text, ':') || !take_field(text, 59, &minute, &is_in_range) ||
			(take(text, ':') && (!take_field(text, 59, &second, &is_in_range) ||
								 (take(text, '.') && !take_fraction(text, &fraction)))))
			return unexpected(text, "a time of day such as 06:30:00");
		token = read_zone(text, &offset);
		*time += hour * CF_HOUR + minute * CF_MINUTE + second * SECOND + fraction - offset;
	}
	if (token == CF_TEXT_POINT &&
		(!is_in_range || *time < CF_TEXT_MIN_TIME || *time >= CF_TEXT_END_TIME))
		return CF_TEXT_TIME_RANGE;
	return token;
}

/* A word in any case, not followed by another letter. */
static bool
take_word(CfText *text, const char *lower_case)
{
	const char *at = text->at;

	for (; *lower_case != '\0'; lower_case++, at++)
		if ((*at | 0x20) != *lower_case)
			return false;
	if ((*at | 0x20) >= 'a' && (*at | 0x20) <= 'z')
		return false;
	text->at = at;
	return true;
}

/* Digits from *at on; whether one of them is not 0 is added to *is_nonzero. */
static bool
skip_digits(const char **at, bool *is_nonzero)
{
	const char *from = *at;

	for (; is_digit(**at); ++*at)
		*is_nonzero = *is_nonzero || **at != '0';
	return *at > from;
}

static CfTextToken
read_number(CfText *text, double *value)
{
	const char *start = text->at;
	const char *at = start;
	bool		is_nonzero = false;
	bool		ignored = false;
	bool		has_digits;

	at += *at == '-' || *at == '+';
	has_digits = skip_digits(&at, &is_nonzero);
	if (*at == '.')
	{
		at++;
		has_digits = skip_digits(&at, &is_nonzero) || has_digits;
	}
	if (!has_digits)
		return unexpected(text, "a number");
	if ((*at | 0x20) == 'e')
	{
		at++;
		at += *at == '-' || *at == '+';
		if (!skip_digits(&at, &ignored))
		{
			text->at = at;
			return unexpected(text, "an exponent");
		}
	}
	*value = strtod(start, NULL);
	if (isinf(*value) || (is_nonzero && *value == 0.0))
		return CF_TEXT_VALUE_RANGE;
	text->at = at;
	return CF_TEXT_POINT;
}

static CfTextToken
read_value(CfText *text, double *value)
{
	bool		is_negative = *text->at == '-';
	CfText		word = *text;

	word.at += is_negative || *text->at == '+';
	if (take_word(&word, "infinity") || take_word(&word, "inf"))
		*value = is_negative ? -(double) INFINITY : (double) INFINITY;
	else if (word.at == text->at && take_word(&word, "nan"))
		*value = (double) NAN;
	else
		return read_number(text, value);
	text->at = word.at;
	return CF_TEXT_POINT;
}

static CfTextToken
read_point(CfText *text, int64_t *time, double *value)
{
	const char *start;
	CfTextToken token;

	skip_blanks(text);
	start = text->at;
	token = read_time(text, time);
	if (token == CF_TEXT_TIME_RANGE)
		text->at = start;
	if (token != CF_TEXT_POINT)
		return token;
	if (!is_blank(*text->at))
		return unexpected(text, "a blank and a number");
	skip_blanks(text);
	return read_value(text, value);
}

static CfTextToken
read_end(CfText *text)
{
	skip_blanks(text);
	return *text->at == '\0' ? CF_TEXT_END : unexpected(text, "the end");
}

CfTextToken
cf_text_next(CfText *text, int64_t *time, double *value)
{
	skip_blanks(text);
	if (!text->is_open)
	{
		if (!take(text, '{'))
			return unexpected(text, "\"{\"");
		text->is_open = true;
		skip_blanks(text);
		return take(text, '}') ? read_end(text) : read_point(text, time, value);
	}
	if (take(text, '}'))
		return read_end(text);
	if (!take(text, ','))
		return unexpected(text, "\",\" or \"}\"");
	return read_point(text, time, value);
}

/* A number with at least so many digits. */
static char *
put_number(char *out, int64_t number, int digits)
{
	char		reversed[20];
	int			n = 0;

	while (number > 0 || n < digits)
	{
		reversed[n++] = (char) ('0' + number % 10);
		number /= 10;
	}
	while (n > 0)
		*out++ = reversed[--n];
	return out;
}

int
cf_text_put_time(int64_t time, char *out)
{
	CfDate		date = cf_calendar_date(time);
	int64_t		year = 2000 + cf_floor_div(date.month, 12);
	char	   *at = out;

	if (year < 0 || year > 9999)
		*at++ = year < 0 ? '-' : '+';
	at = put_number(at, year < 0 ? -year : year, 4);
	*at++ = '-';
	at = put_number(at, date.month - 12 * cf_floor_div(date.month, 12) + 1, 2);
	*at++ = '-';
	at = put_number(at, date.day, 2);
	if (date.time_of_day != 0)
	{
		*at++ = 'T';
		at = put_number(at, date.time_of_day / CF_HOUR, 2);
		*at++ = ':';
		at = put_number(at, date.time_of_day / CF_MINUTE % 60, 2);
		*at++ = ':';
		at = put_number(at, date.time_of_day / SECOND % 60, 2);
		if (date.time_of_day % SECOND != 0)
		{
			*at++ = '.';
			at = put_number(at, date.time_of_day % SECOND, 6);
			while (at[-1] == '0')
				at--;
		}
		*at++ = 'Z';
	}
	*at = '\0';
	return (int) (at - out);
}
