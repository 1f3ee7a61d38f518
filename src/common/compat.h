/*
 * compat.h
 *		Every difference between the supported server versions (15 to 18).
 *
 * No other file tests PG_VERSION_NUM, the magic block apart.
 */
#ifndef CAPFORECAST_COMPAT_H
#define CAPFORECAST_COMPAT_H

#include "catalog/pg_namespace.h"
#include "utils/acl.h"

/* Until 15 part of postgres.h: SET_VARSIZE, VARDATA_ANY and the like. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Spelled as in 18: before the declaration. */
#ifndef pg_noreturn
#define pg_noreturn pg_attribute_noreturn()
#endif

static inline AclResult
schema_aclcheck(Oid schema, Oid role, AclMode mode)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(NamespaceRelationId, schema, role, mode);
#else
	return pg_namespace_aclcheck(schema, role, mode);
#endif
}

/* Soft errors of input functions came with 16; before, every error is raised. */
#if PG_VERSION_NUM < 160000
#define ereturn(escontext, dummy_value, ...) \
	do { \
		(void) (escontext); \
		ereport(ERROR, __VA_ARGS__); \
		return dummy_value; \
	} while (0)
#endif

#endif							/* CAPFORECAST_COMPAT_H */
