/*
 * Fuzzes the reader of a series' text: it must stay within the text, end, keep times within
 * their limits, and read back the times that it writes.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/numerics/cf_num.h"
#include "core/time/cf_text.h"

static void
check(bool holds, const char *what, const char *text)
{
	if (holds)
		return;
	fprintf(stderr, "%s: %s\n", what, text);
	abort();
}

static void
check_time(int64_t time)
{
	char		string[CF_TEXT_TIME_SIZE + 8] = "{";
	int			length = cf_text_put_time(time, string + 1);
	int64_t		again = 0;
	double		value;
	CfText		text;

	check(length < CF_TEXT_TIME_SIZE && string[1 + length] == '\0', "length of a time", string);
	memcpy(string + 1 + length, " 1}", 4);
	cf_text_open(&text, string);
	check(cf_text_next(&text, &again, &value) == CF_TEXT_POINT && again == time, "a time does not read back", string);
}

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *string = malloc(size + 1);
	CfText		text;
	CfTextToken token;
	int64_t		time;
	double		value;

	memcpy(string, data, size);
	string[size] = '\0';
	cf_text_open(&text, string);
	while ((token = cf_text_next(&text, &time, &value)) == CF_TEXT_POINT)
	{
		check(time >= CF_TEXT_MIN_TIME && time < CF_TEXT_END_TIME, "a time out of range", string);
		check_time(time);
	}
	check(text.at >= string && text.at <= string + size, "beyond the text", string);
	check(token != CF_TEXT_SYNTAX || text.expected != NULL, "no word on what is expected", string);
	free(string);
	return 0;
}

#ifdef RANDOM_DRIVER
#include <time.h>

/* Texts put together from pieces that texts have. */
int
main(int argc, char **argv)
{
	static const char *const pieces[] = {"{", "}", ",", " ", "2026-01-31", "-4713-11-24", "+294276-12-31", "T23:59", ":59",
		".999999", "Z", "+15:59", "-01", "1", ".", "e", "-", "nan", "inf", "infinity", "0", "99999", "\n"};
	long		seconds = argc > 1 ? atol(argv[1]) : 10;
	time_t		end = time(NULL) + seconds;
	uint64_t	state = 1;
	long		n = 0;

	for (; time(NULL) < end; n++)
	{
		char		string[400] = "";
		int			count = (int) (cf_num_random(&state) % 30);

		for (int i = 0; i < count; i++)
			strcat(string, pieces[cf_num_random(&state) % (sizeof(pieces) / sizeof(pieces[0]))]);
		LLVMFuzzerTestOneInput((const uint8_t *) string, strlen(string));
	}
	printf("%ld inputs\n", n);
	return 0;
}
#endif
