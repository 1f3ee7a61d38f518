/*
 * plan_usage.h
 *		What a vendor used on each day, from the changes that vendor_usage holds.
 */
#ifndef CAPFORECAST_PLAN_USAGE_H
#define CAPFORECAST_PLAN_USAGE_H

#include "utils/date.h"

#include "plan/plan_capacity.h"
#include "series/series.h"

/* A vendor's changes until the day, in the current memory context; vendor is a text. */
extern void usage_read_changes(Datum vendor, DateADT until, Series *changes[N_RESOURCES]);

/*
 * The use on each of the last days until the last capture, or NULL where there is none; of
 * a counter that starts again what it counted in all, so that the last value stays.
 */
extern Series *usage_daily(const Series *changes, bool is_counter, DateADT captured_until);

#endif							/* CAPFORECAST_PLAN_USAGE_H */
