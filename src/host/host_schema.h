/*
 * host_schema.h
 *		The host application's tables as capforecast knows them.
 */
#ifndef CAPFORECAST_HOST_SCHEMA_H
#define CAPFORECAST_HOST_SCHEMA_H

/* What a column must be able to hold; HOST_ANY accepts every type. */
typedef enum HostType
{
	HOST_ANY,					/* keys: bigint, uuid, text … */
	HOST_BOOL,
	HOST_NUMBER,
	HOST_LIMIT,					/* a number; below 0 it is read as NULL, which is unlimited */
	HOST_TEXT,					/* read through a cast, so enums and keys do too */
	HOST_TIME,					/* timestamptz; naive times are read as UTC */
	HOST_JSON
} HostType;

typedef struct HostColumn
{
	const char *name;			/* logical name = default column name */
	HostType	type;

	/*
	 * What stands for the column in a table that does not have it; NULL: nothing can.
	 * A "?" in front: only where the operator says so, by binding it to null,
	 * because a missing is_active must not silently mean "all are active".
	 */
	const char *absent;
	const char *other_names;	/* names seen elsewhere, space separated, for hints */
} HostColumn;

typedef struct HostEntity
{
	const char *name;			/* logical name = default table name in schema public */
	const char *feeds;			/* what the operator loses without it */
	const char *other_names;	/* tables seen elsewhere, space separated, for hints */
	const HostColumn *columns;
	int			n_columns;
	const char *words;			/* status words that mean something, space separated; NULL: any */
} HostEntity;

/* At least as many as there are. */
#define HOST_MAX_ENTITIES 16

extern const HostEntity *host_schema_entities(int *n_entities);

/* Both return NULL when there is none of that name. */
extern const HostEntity *host_schema_entity(const char *name);
extern const HostColumn *host_schema_column(const HostEntity *entity, const char *name);

/* The same for a name that somebody gave: 22023, with the names there are, when there is none. */
extern const HostEntity *host_schema_entity_named(const char *name);
extern const HostColumn *host_schema_column_named(const HostEntity *entity, const char *name);

#endif							/* CAPFORECAST_HOST_SCHEMA_H */
