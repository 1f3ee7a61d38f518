/*
 * capforecast.c
 *		Where the server meets the library: the magic block and the settings.
 *
 * The rooms follow the way the data flows: host (bindings to the application's
 * tables), capture (snapshots), series, forecast, subscription, plan, jobs; run and
 * common are below them all.  core holds the numbers and knows nothing of PostgreSQL.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "common/compat.h"
#include "common/settings.h"
#include "host/host_registered.h"

#if PG_VERSION_NUM >= 180000
PG_MODULE_MAGIC_EXT(.name = "capforecast", .version = CAPFORECAST_VERSION);
#else
PG_MODULE_MAGIC;
#endif

void		_PG_init(void);

void
_PG_init(void)
{
	settings_define();
	host_registered_init();
	MarkGUCPrefixReserved("capforecast");
}
