/* Days by rule: what is one, leap years, fifth weekdays, Easter of both churches against lists. */
#include <string.h>

#include "core/time/cf_calendar.h"
#include "core/time/cf_day_rule.h"
#include "tap.h"

static bool
reads(const char *text)
{
	CfDayRule	rule;

	return cf_day_rule_read(text, &rule);
}

/* The day of the year as 20260403; 0: none. */
static int
falls(const char *text, int year)
{
	CfDayRule	rule;
	int64_t		day;
	CfDate		date;

	if (!cf_day_rule_read(text, &rule) || !cf_day_rule_day(&rule, year, &day))
		return 0;
	date = cf_calendar_date(day * CF_DAY);
	return (int) ((2000 + cf_floor_div(date.month, 12)) * 10000 + (date.month - 12 * cf_floor_div(date.month, 12) + 1) * 100 + date.day);
}

/* Days in March, as the lists have them; April goes on from 32. */
static int
march_day(const char *text, int year)
{
	int			date = falls(text, year) - year * 10000;

	return date >= 500 ? date - 500 + 61 : date >= 400 ? date - 400 + 31 : date - 300;
}

/* Every Easter of 1900 to 2099 as day of March (32: the 1st of April), as the Python package dateutil 2.9 reckons it. */
static const unsigned char easters[200] = {
	46, 38, 30, 43, 34, 54, 46, 31, 50, 42, 27, 47, 38, 23, 43, 35, 54, 39, 31, 51, 35, 27, 47, 32, 51, 43, 35, 48, 39, 31,
	51, 36, 27, 47, 32, 52, 43, 28, 48, 40, 24, 44, 36, 56, 40, 32, 52, 37, 28, 48, 40, 25, 44, 36, 49, 41, 32, 52, 37, 29,
	48, 33, 53, 45, 29, 49, 41, 26, 45, 37, 29, 42, 33, 53, 45, 30, 49, 41, 26, 46, 37, 50, 42, 34, 53, 38, 30, 50, 34, 26,
	46, 31, 50, 42, 34, 47, 38, 30, 43, 35, 54, 46, 31, 51, 42, 27, 47, 39, 23, 43, 35, 55, 39, 31, 51, 36, 27, 47, 32, 52,
	43, 35, 48, 40, 31, 51, 36, 28, 47, 32, 52, 44, 28, 48, 40, 25, 44, 36, 56, 41, 32, 52, 37, 29, 48, 40, 25, 45, 36, 49,
	41, 33, 52, 37, 29, 49, 33, 53, 45, 30, 49, 41, 26, 46, 37, 29, 42, 34, 53, 45, 30, 50, 41, 26, 46, 38, 50, 42, 34, 54,
	38, 30, 50, 35, 26, 46, 31, 51, 42, 34, 47, 39, 30, 43, 35, 55, 46, 31, 51, 43
};

int
main(void)
{
	static const char *const good[] = {
		"12-25", "1-1", "02-29", "12-25+1", "12-25-100", "easter", "Easter-2", "orthodox easter+50", "4th thu of 11", "last fri of 11",
		"5th mon of 1", "1ST MON OF 09", "last mon of 5-7", "07-03 if fri", "01-02 if mon,tue", "06-19 from 2021",
		"easter+26 until 2023", "easter+1 if mon from 2000 until 2001"
	};
	static const char *const bad[] = {
		"", " ", "12", "12-", "13-01", "00-10", "02-30", "04-31", "12-32", "12-25 ", " 12-25", "12-25+", "12-25+0", "12-25+101",
		"12-25+1000", "easter 2", "eastern", "orthodox", "orthodox  easter", "6th mon of 1", "0th mon of 1", "4th of 11", "4th thu of 13",
		"4th thu of", "4 thu of 11", "last of 11", "last fri", "12-25 if", "12-25 if ", "12-25 if xyz", "12-25 if sat,", "12-25 from",
		"12-25 from 99", "12-25 until 20211", "12-25 until 2020 from 2019", "12-25+1+1", "2026-12-25", "25.12."
	};
	bool		all = true;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ok(reads(good[i]), "a rule: %s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!reads(bad[i]), "not a rule: \"%s\"", bad[i]);

	ok(falls("12-25", 2026) == 20261225 && falls("12-25+7", 2026) == 20270101 && falls("01-01-1", 2026) == 20251231, "fixed days and days from them");
	ok(falls("02-29", 2024) == 20240229 && falls("02-29", 2000) == 20000229 && falls("02-29", 2023) == 0 && falls("02-29", 1900) == 0
	   && falls("02-29+1", 2100) == 0, "the leap day is in leap years alone");
	ok(falls("03-01-1", 2024) == 20240229 && falls("03-01-1", 2023) == 20230228, "the last of February");
	ok(falls("4th thu of 11", 2026) == 20261126 && falls("4th thu of 11+1", 2026) == 20261127 && falls("4th thu of 11", 2024) == 20241128,
	   "Thanksgiving and the day after it");
	ok(falls("5th fri of 5", 2026) == 20260529 && falls("5th fri of 4", 2026) == 0 && falls("5th sun of 2", 2032) == 20320229
	   && falls("5th mon of 2", 2032) == 0, "a fifth weekday where there is one");
	ok(falls("last fri of 11", 2026) == 20261127 && falls("last fri of 5", 2026) == 20260529 && falls("last mon of 5-7", 2026) == 20260518
	   && falls("last sun of 2", 2032) == 20320229, "the last weekday is the fourth or the fifth");
	ok(falls("1st mon of 6", 2026) == 20260601 && falls("1st sun of 6", 2026) == 20260607, "a month that begins with the weekday");
	ok(falls("07-03 if fri", 2026) == 20260703 && falls("07-03 if fri", 2025) == 0 && falls("12-25+1 if mon", 2022) == 20221226,
	   "only on some weekdays, of the day itself");
	ok(falls("06-19 from 2021", 2020) == 0 && falls("06-19 from 2021", 2021) == 20210619 && falls("06-19 until 2021", 2021) == 20210619
	   && falls("06-19 until 2021", 2022) == 0, "first and last years are included");
	ok(falls("12-25", 0) == 0 && falls("12-25", 1) == 11225, "years of our era");

	for (int year = 1900; year < 2100; year++)
		all = all && march_day("easter", year) == easters[year - 1900];
	ok(all, "Easter of 1900 to 2099");
	ok(falls("easter", 2285) == 22850322 && falls("easter", 1818) == 18180322 && falls("easter", 2038) == 20380425, "its first and last day");
	{
		/* 2008 to 2030, as Python's dateutil 2.9 has them */
		static const int orthodox[] = {
			20080427, 20090419, 20100404, 20110424, 20120415, 20130505, 20140420, 20150412, 20160501, 20170416, 20180408, 20190428,
			20200419, 20210502, 20220424, 20230416, 20240505, 20250420, 20260412, 20270502, 20280416, 20290408, 20300428
		};

		all = true;
		for (int i = 0; i < 23; i++)
			all = all && falls("orthodox easter", 2008 + i) == orthodox[i];
		ok(all, "orthodox Easter of 2008 to 2030");
		all = true;
		for (int year = 1900; year < 2100; year++)
		{
			CfDayRule	rule;
			int64_t		day;

			all = all && cf_day_rule_read("orthodox easter if sun", &rule) && cf_day_rule_day(&rule, year, &day)
				&& march_day("orthodox easter", year) >= march_day("easter", year);
		}
		ok(all, "a Sunday, and never before the western one");
	}
	return tap_done();
}
