/*
 * forecast_core.h
 *		Calls of the core: stopped when the server has something to say, and checked.
 */
#ifndef CAPFORECAST_FORECAST_CORE_H
#define CAPFORECAST_FORECAST_CORE_H

#include "postgres.h"

#include "miscadmin.h"

#include "core/cf_core.h"

/* Set for the core: it stops when the server has something to say to this backend. */
extern const CfStop forecast_stop;

/*
 * Calls the core until it has not been stopped: an interrupt that is no cancel (a changed
 * setting, say) is served, and the work done again.
 */
#define FORECAST_CALL(status, call) \
	do { \
		(status) = (call); \
		if ((status) == CF_STOPPED) \
			CHECK_FOR_INTERRUPTS(); \
	} while ((status) == CF_STOPPED)

/* Raises what is not a matter of the data. */
extern void forecast_check(CfStatus status);

#endif							/* CAPFORECAST_FORECAST_CORE_H */
