/*
 * capture_statistic.c
 *		What the values of a day, or of an hour, become.
 */
#include "postgres.h"

#include "capture/capture_statistic.h"

const char *
capture_statistic(const char *statistic, const char *direction)
{
	if (strcmp(statistic, "sum") == 0)
		return "sum(value)";
	if (strcmp(statistic, "mean") == 0)
		return "avg(value)";
	if (strcmp(statistic, "max") == 0)
		return strcmp(direction, "up") == 0 ? "max(value)" : "min(value)";
	return "(array_agg(value ORDER BY at DESC, value DESC))[1]";
}
