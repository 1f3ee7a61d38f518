/*
 * host_trust.h
 *		Whose code may run with the caller's rights.
 */
#ifndef CAPFORECAST_HOST_TRUST_H
#define CAPFORECAST_HOST_TRUST_H

#include "nodes/pg_list.h"

/*
 * Does the caller trust what belongs to the role?  Trusted are the caller, superusers, and
 * by whoever is no superuser also the roles that it has been granted, the owner of the
 * database, and the owner of the extension.
 */
extern bool host_trust_role(Oid role);

/*
 * The first object that analysed and rewritten queries reach and that belongs to somebody
 * whom the caller does not trust, in words ("view op.v"), and its owner; NULL: none.
 */
extern char *host_trust_find(List *queries, Oid *owner);

/* The same for all that reading a relation (quoted and qualified) reaches. */
extern char *host_trust_find_in_relation(const char *relation, Oid *owner);

#endif							/* CAPFORECAST_HOST_TRUST_H */
