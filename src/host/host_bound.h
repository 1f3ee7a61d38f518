/*
 * host_bound.h
 *		The rows of capforecast.binding, kept for the session.
 */
#ifndef CAPFORECAST_HOST_BOUND_H
#define CAPFORECAST_HOST_BOUND_H

#include "host/host_schema.h"

/* The host's status word, and ours; NULL: rows of it are not counted. */
typedef struct HostWord
{
	char	   *theirs;
	char	   *ours;
} HostWord;

/* What stands for a logical column: a column, an expression, or (both NULL) nothing. */
typedef struct HostBoundColumn
{
	char	   *name;			/* unquoted */
	char	   *expression;
	bool		is_major;		/* money in major units */
} HostBoundColumn;

typedef struct HostBound
{
	const HostEntity *entity;
	char	   *schema;			/* unquoted */
	char	   *table;
	HostBoundColumn *columns;	/* per logical column */
	char	   *filter;			/* condition on rows; NULL: none */
	char	   *newest_by;		/* column by which the newest row of a vendor is found; NULL: all count */
	HostWord   *words;
	int			n_words;
	Oid			registrar;
	char	   *registrar_name;
} HostBound;

/*
 * The entity's row; NULL where it has none.  Valid until the next call.  42501 where the
 * caller may not read the bindings.  Needs an open Scope.
 */
extern const HostBound *host_bound_find(const HostEntity *entity);

/* Reads the rows again if they are others than those that are kept; host_watch_names() tells. */
extern void host_bound_refresh(void);

#endif							/* CAPFORECAST_HOST_BOUND_H */
