/*
 * host_watch.c
 *		Notices when a name may stand for something else, or a role for somebody else.
 *
 * The server tells every backend of each change of its catalogs; what concerns the
 * relations that stand behind entities, schemas, roles and their memberships moves a
 * counter.  Whoever keeps something made from names compares it before use.
 */
#include "postgres.h"

#include "utils/inval.h"
#include "utils/syscache.h"

#include "host/host_schema.h"
#include "host/host_watch.h"

static uint64 names = 1;
static uint64 roles = 1;
static Oid	watched[HOST_MAX_ENTITIES];
static int	n_watched = 0;

/* A relation that was missing may be any that comes. */
static void
relation_changed(Datum arg, Oid relid)
{
	bool		concerns = !OidIsValid(relid);

	for (int i = 0; i < n_watched && !concerns; i++)
		concerns = watched[i] == relid || !OidIsValid(watched[i]);
	names += concerns;
}

static void
names_changed(Datum arg, int cache, uint32 hash)
{
	names++;
}

static void
roles_changed(Datum arg, int cache, uint32 hash)
{
	names++;					/* what may be read, too */
	roles++;
}

static void
start(void)
{
	static bool started = false;

	if (started)
		return;
	started = true;
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, names_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, roles_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, roles_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(DATABASEOID, roles_changed, (Datum) 0);
}

uint64
host_watch_names(void)
{
	start();
	return names;
}

uint64
host_watch_roles(void)
{
	start();
	return roles;
}

void
host_watch_relation(int entity, Oid relid)
{
	start();
	Assert(entity >= 0 && entity < HOST_MAX_ENTITIES);
	while (n_watched <= entity)
		watched[n_watched++] = InvalidOid;
	watched[entity] = relid;
}

void
host_watch_names_changed(void)
{
	names++;
}
