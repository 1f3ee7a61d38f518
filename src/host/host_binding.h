/*
 * host_binding.h
 *		Which table and columns stand behind a logical name.
 */
#ifndef CAPFORECAST_HOST_BINDING_H
#define CAPFORECAST_HOST_BINDING_H

#include "postgres.h"

#include "common/compat.h"
#include "host/host_bound.h"
#include "host/host_schema.h"

/*
 * Why a table or column cannot be read.  Everything an error needs, so that the
 * same finding is an error for a read and a row for doctor().
 */
typedef struct HostProblem
{
	int			sqlstate;		/* 0: no problem */
	char	   *message;
	char	   *detail;			/* NULL: none */
	char	   *fix;			/* what to do, as a sentence */
	char	   *statement;		/* the fix as a statement to run; NULL: none */
	const char *word;			/* what a program can tell it by; NULL: none */
} HostProblem;

typedef struct HostBinding
{
	const HostEntity *entity;
	char	   *schema;			/* unquoted */
	char	   *table;
	char	   *relation;		/* quoted and qualified */
	Oid			relid;			/* InvalidOid: there is no such table */
	bool		is_bound;		/* by bind(), not by default */
	HostBoundColumn *columns;	/* per logical column */
	char	   *filter;			/* as in HostBound */
	char	   *newest_by;
	HostWord   *words;
	int			n_words;
	Oid			registrar;		/* who bound it, by oid and name; of a default name: none */
	char	   *registrar_name;
} HostBinding;

/* Looks the names up; never fails on what is missing.  Needs SPI. */
extern HostBinding *host_binding_find(const HostEntity *entity);

/* An existing table as the entity, whatever is bound; columns by their logical names. */
extern HostBinding *host_binding_to(const HostEntity *entity, Oid relid);

/* A table, view, or what else can be selected from? */
extern bool host_binding_is_readable_kind(Oid relid);

/* A relation of the server, of the extension or of one session? */
extern bool host_binding_is_off_limits(Oid relid);

/* Can the caller read the table at all, and may it? */
extern HostProblem host_binding_table_problem(const HostBinding *binding);

/*
 * Can the caller read this column?  *expression is what to write into a statement
 * (quoted, cast to the kind of the column, or what stands for an absent one),
 * after the given alias prefix ("s." or "").
 */
extern HostProblem host_binding_column_problem(const HostBinding *binding, const HostColumn *column,
											   const char *prefix, char **expression);

/* Does a column of the table, or an expression, stand for it? */
extern bool host_binding_has_column(const HostBinding *binding, const HostColumn *column);

/*
 * What stands in a FROM list: the table, or a subquery where not all of its rows count (with
 * the given alias after it, unless that is NULL).  Without newest_by where rows are locked.
 */
extern char *host_binding_source(const HostBinding *binding, const char *alias, bool with_newest);

/* A subquery of all rows of the table: row_id, why it is not counted (NULL: it is), logical, host. */
extern char *host_binding_sample(const HostBinding *binding);

/* The problem of a column that the table does not have. */
extern HostProblem host_binding_column_missing(const HostBinding *binding, const HostColumn *column,
											   const char *physical);

/* The column that seems to hold it under a name seen elsewhere; NULL: none. */
extern char *host_binding_likely_column(const HostBinding *binding, const HostColumn *column);

/* The call of bind() that keeps what is bound and adds what is missing, as far as it can be guessed. */
extern char *host_binding_proposal(const HostBinding *binding);

/* The bare quoted column name, for INSERT and SET; NULL when there is none. */
extern char *host_binding_column_name(const HostBinding *binding, const HostColumn *column);

/* An expression as a value of the column's own type; as it is where there is no such column. */
extern char *host_binding_cast(const HostBinding *binding, const HostColumn *column, const char *expression);

/* An object (in words) that belongs to somebody whom the caller does not trust. */
extern HostProblem host_problem_untrusted(const char *object, Oid owner);

/* The same for all that reading the table reaches; looked for when there is no other problem. */
extern HostProblem host_binding_trust_problem(const HostBinding *binding);

/* An error where reading the table would run the code of somebody whom the caller does not trust. */
extern void host_binding_check_trust(const HostBinding *binding);

pg_noreturn extern void host_problem_raise(const HostProblem *problem);

#endif							/* CAPFORECAST_HOST_BINDING_H */
