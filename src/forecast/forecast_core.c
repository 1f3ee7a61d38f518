/*
 * forecast_core.c
 *		Calls of the core: stopped when the server has something to say, and checked.
 */
#include "postgres.h"

#include "forecast/forecast_core.h"
#include "series/series_grid.h"

static bool
has_interrupt(void *arg)
{
	return InterruptPending && INTERRUPTS_CAN_BE_PROCESSED();
}

const CfStop forecast_stop = {has_interrupt, NULL};

void
forecast_check(CfStatus status)
{
	if (status == CF_TOO_BIG)
		(void) series_work(0);	/* says so */
	if (status == CF_BAD_ARGUMENT)
		elog(ERROR, "forecast: %s", cf_status_text(status));
}
