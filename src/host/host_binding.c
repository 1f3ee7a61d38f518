/*
 * host_binding.c
 *		Resolves logical names to the host's tables and columns.
 *
 * Bindings are kept as names, not as OIDs: the application finds its tables by
 * name, too, so that a migration that swaps a table keeps working, nothing of
 * the host ever depends on the extension, and a dump restores them in any order.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "host/host_binding.h"
#include "host/host_bound.h"
#include "host/host_watch.h"

/* ---------- finding ---------- */

static HostBinding *
binding_by_default(const HostEntity *entity)
{
	HostBinding *binding = palloc0(sizeof(HostBinding));

	binding->entity = entity;
	binding->schema = "public";
	binding->table = pstrdup(entity->name);
	binding->columns = palloc0(sizeof(HostBoundColumn) * entity->n_columns);
	for (int i = 0; i < entity->n_columns; i++)
		binding->columns[i].name = pstrdup(entity->columns[i].name);
	return binding;
}

static char *
copied(const char *text)
{
	return text ? pstrdup(text) : NULL;
}

static void
copy_words(HostBinding *binding, const HostBound *bound)
{
	binding->n_words = bound->n_words;
	binding->words = palloc0(sizeof(HostWord) * (bound->n_words + 1));
	for (int i = 0; i < bound->n_words; i++)
	{
		binding->words[i].theirs = pstrdup(bound->words[i].theirs);
		binding->words[i].ours = copied(bound->words[i].ours);
	}
}

HostBinding *
host_binding_find(const HostEntity *entity)
{
	HostBinding *binding = binding_by_default(entity);
	const HostBound *bound = host_bound_find(entity);
	Oid			schema_oid;
	int			n_entities;

	if (bound != NULL)
	{
		binding->is_bound = true;
		binding->schema = pstrdup(bound->schema);
		binding->table = pstrdup(bound->table);
		binding->registrar = bound->registrar;
		binding->registrar_name = pstrdup(bound->registrar_name);
		binding->filter = copied(bound->filter);
		binding->newest_by = copied(bound->newest_by);
		for (int i = 0; i < entity->n_columns; i++)
		{
			binding->columns[i].name = copied(bound->columns[i].name);
			binding->columns[i].expression = copied(bound->columns[i].expression);
			binding->columns[i].is_major = bound->columns[i].is_major;
		}
		copy_words(binding, bound);
	}

	binding->relation = quote_qualified_identifier(binding->schema, binding->table);
	schema_oid = get_namespace_oid(binding->schema, true);
	if (OidIsValid(schema_oid))
		binding->relid = get_relname_relid(binding->table, schema_oid);
	host_watch_relation(entity - host_schema_entities(&n_entities), binding->relid);
	return binding;
}

HostBinding *
host_binding_to(const HostEntity *entity, Oid relid)
{
	HostBinding *binding = binding_by_default(entity);

	binding->relid = relid;
	binding->schema = get_namespace_name(get_rel_namespace(relid));
	binding->table = get_rel_name(relid);
	binding->relation = quote_qualified_identifier(binding->schema, binding->table);
	return binding;
}
