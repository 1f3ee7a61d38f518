/*
 * tap.h
 *		The Test Anything Protocol, as little of it as the unit programs need.
 *
 * A check prints its line and goes on; tap_done() prints the plan and gives the exit status.
 */
#ifndef TAP_H
#define TAP_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int	tap_run = 0;
static int	tap_failed = 0;

#define ok(condition, ...) tap_ok((condition), __FILE__, __LINE__, __VA_ARGS__)

#if defined(__GNUC__)
__attribute__((format(printf, 4, 5), unused))
#endif
static int
tap_ok(int passed, const char *file, int line, const char *name,...)
{
	char		text[256];
	__builtin_va_list args;

	__builtin_va_start(args, name);
	vsnprintf(text, sizeof(text), name, args);
	__builtin_va_end(args);
	tap_run++;
	printf("%sok %d - %s\n", passed ? "" : "not ", tap_run, text);
	if (!passed)
	{
		tap_failed++;
		printf("# failed at %s:%d\n", file, line);
	}
	return passed;
}

/* Both NaN, equal, or no further apart than tolerance. */
#define near_to(got, expected, tolerance, name) tap_near((got), (expected), (tolerance), __FILE__, __LINE__, (name))

#if defined(__GNUC__)
__attribute__((unused))
#endif
static int
tap_near(double got, double expected, double tolerance, const char *file, int line, const char *name)
{
	int			passed = (isnan(got) && isnan(expected)) || got == expected || fabs(got - expected) <= tolerance;

	tap_ok(passed, file, line, "%s", name);
	if (!passed)
		printf("# got %.17g, expected %.17g\n", got, expected);
	return passed;
}

#if defined(__GNUC__)
__attribute__((unused))
#endif
static double *
tap_memory(size_t doubles)
{
	double	   *m = malloc((doubles > 0 ? doubles : 1) * sizeof(double));

	if (m == NULL)
		exit(2);
	return m;
}

#if defined(__GNUC__)
__attribute__((unused))
#endif
static int
tap_done(void)
{
	printf("1..%d\n", tap_run);
	return tap_failed == 0 ? 0 : 1;
}

#endif							/* TAP_H */
