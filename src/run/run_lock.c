/*
 * run_lock.c
 *		Locks that need a right: one run of a job at a time.
 *
 * Advisory locks are no good for this: whoever can log in can take one whose key is
 * known.  These are locks of the lock manager on an object that no statement locks (the
 * class is capforecast.job_run, which is a table and not a catalog, the object a hash of
 * the name), so that only a function of this library takes one, and those that do are
 * revoked from PUBLIC.  They wait, time out, show in pg_locks and end in the deadlock
 * detector like any other, and write nothing: no row is changed to hold one.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "run/run_lock.h"

static uint32
key_of(const char *name)
{
	return hash_bytes((const unsigned char *) name, (int) strlen(name));
}

static LockAcquireResult
acquire(const char *name, bool dont_wait)
{
	Oid			class = get_relname_relid("job_run", get_namespace_oid("capforecast", false));
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, class, key_of(name), 0);
	return LockAcquire(&tag, ExclusiveLock, false, dont_wait);
}

void
run_lock(const char *name)
{
	(void) acquire(name, false);
}

bool
run_lock_if_free(const char *name)
{
	return acquire(name, true) != LOCKACQUIRE_NOT_AVAIL;
}

/*
 * capforecast._lock_key(name text) → oid
 *		What pg_locks shows as objid, where classid is capforecast.job_run.
 */
PG_FUNCTION_INFO_V1(capforecast_lock_key);
Datum
capforecast_lock_key(PG_FUNCTION_ARGS)
{
	PG_RETURN_OID(key_of(text_to_cstring(PG_GETARG_TEXT_PP(0))));
}
