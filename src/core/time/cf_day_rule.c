/*
 * cf_day_rule.c
 *		Days that come every year, by a rule.
 *
 * Easter after Meeus, Astronomical Algorithms (1998), chapter 8: for the Gregorian calendar the
 * anonymous algorithm of Nature (1876), for the Julian one Gauss's.
 */
#include <string.h>

#include "core/time/cf_calendar.h"
#include "core/time/cf_day_rule.h"

#define YEAR_DIGITS 4
#define NUMBER_DIGITS 3

static const char *const weekday_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
static const char *const ordinals[] = {"last", "1st", "2nd", "3rd", "4th", "5th"};

/* ---------- reading ---------- */

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/* Goes past the word, in any case; false where it is not there. */
static bool
take(const char **at, const char *word)
{
	size_t		n = strlen(word);

	for (size_t i = 0; i < n; i++)
		if (lower((*at)[i]) != word[i])
			return false;
	*at += n;
	return true;
}

static int
take_one_of(const char **at, const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
		if (take(at, words[i]))
			return i;
	return -1;
}

static bool
take_number(const char **at, int most_digits, int least, int most, int *number)
{
	int			digits = 0;

	*number = 0;
	while (digits < most_digits && (*at)[digits] >= '0' && (*at)[digits] <= '9')
		*number = 10 * *number + ((*at)[digits++] - '0');
	*at += digits;
	return digits > 0 && *number >= least && *number <= most;
}

static bool
take_fixed(const char **at, CfDayRule *rule)
{
	/* 2000 is a leap year: 02-29 is a day */
	rule->base = CF_DAY_FIXED;
	return take_number(at, 2, 1, 12, &rule->month) && take(at, "-")
		&& take_number(at, 2, 1, cf_calendar_month_length(rule->month - 1), &rule->day);
}

static bool
take_nth(const char **at, CfDayRule *rule)
{
	rule->base = CF_DAY_NTH;
	if (!take(at, " "))
		return false;
	rule->weekday = take_one_of(at, weekday_names, 7);
	return rule->weekday >= 0 && take(at, " of ") && take_number(at, 2, 1, 12, &rule->month);
}

static bool
take_base(const char **at, CfDayRule *rule)
{
	if (take(at, "easter"))
	{
		rule->base = CF_DAY_EASTER;
		return true;
	}
	if (take(at, "orthodox easter"))
	{
		rule->base = CF_DAY_ORTHODOX_EASTER;
		return true;
	}
	rule->nth = take_one_of(at, ordinals, 6);
	return rule->nth >= 0 ? take_nth(at, rule) : take_fixed(at, rule);
}

static bool
take_offset(const char **at, CfDayRule *rule)
{
	bool		is_before = take(at, "-");

	if (!is_before && !take(at, "+"))
		return true;
	if (!take_number(at, NUMBER_DIGITS, 1, CF_DAY_RULE_MAX_OFFSET, &rule->offset))
		return false;
	if (is_before)
		rule->offset = -rule->offset;
	return true;
}

static bool
take_weekdays(const char **at, CfDayRule *rule)
{
	if (!take(at, " if "))
		return true;
	do
	{
		int			weekday = take_one_of(at, weekday_names, 7);

		if (weekday < 0)
			return false;
		rule->weekdays |= 1u << weekday;
	} while (take(at, ","));
	return true;
}

static bool
take_year(const char **at, const char *word, int *year)
{
	return !take(at, word) || take_number(at, YEAR_DIGITS, 1000, 9999, year);
}

bool
cf_day_rule_read(const char *text, CfDayRule *rule)
{
	const char *at = text;

	memset(rule, 0, sizeof(*rule));
	return take_base(&at, rule) && take_offset(&at, rule) && take_weekdays(&at, rule)
		&& take_year(&at, " from ", &rule->first_year) && take_year(&at, " until ", &rule->last_year) && *at == '\0';
}

/* ---------- reckoning ---------- */

static int64_t
day_of(int year, int month, int day)
{
	return cf_calendar_time(((int64_t) year - 2000) * 12 + month - 1, day, 0) / CF_DAY;
}

static int64_t
easter(int year)
{
	int			a = year % 19;
	int			century = year / 100;
	int			in_century = year % 100;
	int			h = (19 * a + century - century / 4 - (century - (century + 8) / 25 + 1) / 3 + 15) % 30;
	int			l = (32 + 2 * (century % 4) + 2 * (in_century / 4) - h - in_century % 4) % 7;
	int			m = (a + 11 * h + 22 * l) / 451;
	int			of_march = h + l - 7 * m + 22;	/* 22 to 56 */

	return day_of(year, 3, 1) + of_march - 1;
}

static int64_t
orthodox_easter(int year)
{
	int			d = (19 * (year % 19) + 15) % 30;
	int			e = (2 * (year % 4) + 4 * (year % 7) - d + 34) % 7;
	int			behind = year / 100 - year / 400 - 2;	/* days that the Julian calendar is behind */

	return day_of(year, 3, 1) + 21 + d + e + behind;
}

/* 0: Monday; 2000-01-01 was a Saturday. */
static int
weekday_of(int64_t day)
{
	return (int) (day + 5 - 7 * cf_floor_div(day + 5, 7));
}

static bool
nth_day(const CfDayRule *rule, int year, int64_t *day)
{
	int			length = cf_calendar_month_length(((int64_t) year - 2000) * 12 + rule->month - 1);
	int64_t		first = day_of(year, rule->month, 1);
	int			in_month = (rule->weekday - weekday_of(first) + 7) % 7;

	in_month += 7 * (rule->nth == 0 ? (length - 1 - in_month) / 7 : rule->nth - 1);
	*day = first + in_month;
	return in_month < length;
}

static bool
base_day(const CfDayRule *rule, int year, int64_t *day)
{
	switch (rule->base)
	{
		case CF_DAY_NTH:
			return nth_day(rule, year, day);
		case CF_DAY_EASTER:
			*day = easter(year);
			return true;
		case CF_DAY_ORTHODOX_EASTER:
			*day = orthodox_easter(year);
			return true;
		case CF_DAY_FIXED:
			break;
	}
	*day = day_of(year, rule->month, rule->day);
	return rule->day <= cf_calendar_month_length(((int64_t) year - 2000) * 12 + rule->month - 1);
}

bool
cf_day_rule_day(const CfDayRule *rule, int year, int64_t *day)
{
	if (year < 1 || year < rule->first_year || (rule->last_year > 0 && year > rule->last_year))
		return false;
	if (!base_day(rule, year, day))
		return false;
	*day += rule->offset;
	return rule->weekdays == 0 || (rule->weekdays & (1u << weekday_of(*day))) != 0;
}
