/*
 * host_problem.c
 *		What is wrong with a binding, and the statement that mends it.
 *
 * bind() replaces the whole binding of an entity, so the statement proposed names
 * every column that is bound by another name already and every one that is missing,
 * under the names that applications like this one are seen to use.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#include "common/compat.h"
#include "common/scope.h"
#include "host/host_binding.h"
#include "host/host_trust.h"

/* ---------- proposals ---------- */

/* The first of the names seen elsewhere that the table has; NULL when none. */
char *
host_binding_likely_column(const HostBinding *binding, const HostColumn *column)
{
	char	   *names,
			   *name;

	if (column->other_names == NULL)
		return NULL;
	names = pstrdup(column->other_names);
	for (name = strtok(names, " "); name != NULL; name = strtok(NULL, " "))
		if (get_attnum(binding->relid, name) > 0)
			return name;
	return NULL;
}

/* Must the operator say what stands for it, where the table has no such column? */
static bool
must_be_bound(const HostColumn *column)
{
	return column->absent == NULL || column->absent[0] == '?';
}

/* A price with a fraction, under a name that does not say otherwise. */
static bool
is_in_major_units(Oid relid, const char *physical, const HostColumn *column)
{
	Oid			type = getBaseType(get_atttype(relid, get_attnum(relid, physical)));

	return strstr(column->name, "_cents") != NULL && strstr(physical, "cents") == NULL &&
		(type == NUMERICOID || type == FLOAT4OID || type == FLOAT8OID);
}

/* What to bind a column to, as JSON; NULL: nothing need be said. */
static char *
proposed_column(const HostBinding *binding, const HostColumn *column)
{
	const HostBoundColumn *bound = &binding->columns[column - binding->entity->columns];
	char	   *physical = bound->name;
	char	   *guess = NULL;
	StringInfoData json;

	initStringInfo(&json);
	if (bound->expression != NULL)
	{
		appendStringInfoString(&json, "{\"expression\": ");
		escape_json(&json, bound->expression);
		appendStringInfo(&json, "%s}", bound->is_major ? ", \"unit\": \"major\"" : "");
		return json.data;
	}
	if (physical == NULL)
		return "null";
	if (get_attnum(binding->relid, physical) > 0)
	{
		if (strcmp(physical, column->name) == 0)
			return NULL;
		guess = physical;
	}
	else
		guess = host_binding_likely_column(binding, column);
	if (guess == NULL && !must_be_bound(column) && strcmp(physical, column->name) == 0)
		return NULL;
	if (guess == NULL && column->absent != NULL)
		return "null";
	if (guess != NULL && is_in_major_units(binding->relid, guess, column))
	{
		appendStringInfoString(&json, "{\"expression\": ");
		escape_json(&json, quote_identifier(guess));
		appendStringInfoString(&json, ", \"unit\": \"major\"}");
		return json.data;
	}
	escape_json(&json, guess ? guess : "your_column");
	return json.data;
}

/* The arguments after the columns that the binding has. */
static char *
other_arguments(const HostBinding *binding)
{
	StringInfoData text,
				words;

	initStringInfo(&text);
	initStringInfo(&words);
	if (binding->filter != NULL)
		appendStringInfo(&text, ", filter => %s", quote_literal_cstr(binding->filter));
	for (int i = 0; i < binding->n_words; i++)
	{
		appendStringInfoString(&words, i ? ", " : "{");
		escape_json(&words, binding->words[i].theirs);
		appendStringInfoString(&words, ": ");
		if (binding->words[i].ours != NULL)
			escape_json(&words, binding->words[i].ours);
		else
			appendStringInfoString(&words, "null");
	}
	if (words.len > 0)
		appendStringInfo(&text, ", words => %s", quote_literal_cstr(psprintf("%s}", words.data)));
	if (binding->newest_by != NULL)
		appendStringInfo(&text, ", newest_by => %s", quote_literal_cstr(binding->newest_by));
	return text.data;
}

char *
host_binding_proposal(const HostBinding *binding)
{
	StringInfoData columns;

	initStringInfo(&columns);
	for (int i = 0; i < binding->entity->n_columns; i++)
	{
		char	   *value = proposed_column(binding, &binding->entity->columns[i]);

		if (value != NULL)
			appendStringInfo(&columns, "%s\"%s\": %s", columns.len > 0 ? ", " : "",
							 binding->entity->columns[i].name, value);
	}
	return psprintf("SELECT capforecast.bind('%s', %s%s%s);", binding->entity->name,
					quote_literal_cstr(binding->relation),
					columns.len == 0 ? "" :
					psprintf(", %s", quote_literal_cstr(psprintf("{%s}", columns.data))), other_arguments(binding));
}

/* The binding to a table of a usual name, if there is one, or a pattern to fill in. */
static char *
bind_likely_table(const HostBinding *binding)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1];
	HostBinding likely = *binding;
	bool		is_null;

	values[0] = CStringGetTextDatum(psprintf("%s %s", binding->entity->name, binding->entity->other_names));
	scope_execute("SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname)"
				  "  FROM string_to_table($1, ' ') WITH ORDINALITY AS t(name, position)"
				  "  JOIN pg_class c ON c.relname = t.name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
				  "  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_'"
				  "       AND n.nspname NOT IN ('information_schema', 'capforecast')"
				  " ORDER BY t.position, n.nspname <> 'public', n.nspname LIMIT 1",
				  1, types, values, NULL, true, SPI_OK_SELECT);
	if (SPI_processed == 0)
		return psprintf("SELECT capforecast.bind('%s', 'your_schema.your_table');", binding->entity->name);
	likely.relid = DatumGetObjectId(scope_datum(0, 1, &is_null));
	likely.relation = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	return host_binding_proposal(&likely);
}

/* ---------- problems ---------- */

bool
host_binding_is_readable_kind(Oid relid)
{
	switch (get_rel_relkind(relid))
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
		case RELKIND_FOREIGN_TABLE:
			return true;
	}
	return false;
}

void
host_problem_raise(const HostProblem *problem)
{
	ereport(ERROR,
			(errcode(problem->sqlstate),
			 problem->word ? err_generic_string(PG_DIAG_CONSTRAINT_NAME, problem->word) : 0,
			 errmsg("%s", problem->message),
			 problem->detail ? errdetail("%s", problem->detail) : 0,
			 problem->statement ?
			 errhint("%s Run: %s", problem->fix, problem->statement) :
			 problem->fix ? errhint("%s", problem->fix) : 0));
}

static char *
current_role_name(void)
{
	return pstrdup(quote_identifier(GetUserNameFromId(GetUserId(), false)));
}

/* ---------- trust ---------- */

static Oid
relation_owner(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner = HeapTupleIsValid(tuple) ? ((Form_pg_class) GETSTRUCT(tuple))->relowner : InvalidOid;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return owner;
}

static char *
role_name(Oid role)
{
	char	   *name = GetUserNameFromId(role, true);

	return name ? pstrdup(quote_identifier(name)) : psprintf("with OID %u", role);
}

HostProblem
host_problem_untrusted(const char *object, Oid owner)
{
	HostProblem problem = {0};

	problem.sqlstate = ERRCODE_INSUFFICIENT_PRIVILEGE;
	problem.word = "untrusted_binding";
	problem.message = psprintf("%s belongs to role %s, which role %s does not trust", object, role_name(owner), current_role_name());
	problem.detail = "It would be used with the rights of the caller.";
	if (superuser())
		problem.fix = "Run it as a role that is no superuser.";
	else
	{
		problem.fix = "Give it to a role that the caller trusts, or grant its owner to the caller.";
		problem.statement = psprintf("GRANT %s TO %s;", role_name(owner), current_role_name());
	}
	return problem;
}

/* The relation is none that an entity can stand for, whoever says so. */
bool
host_binding_is_off_limits(Oid relid)
{
	Oid			schema = get_rel_namespace(relid);

	return relid < FirstNormalObjectId || IsCatalogNamespace(schema) || IsToastNamespace(schema) ||
		isAnyTempNamespace(schema) || schema == get_namespace_oid("capforecast", true);
}

static HostProblem
registrar_problem(const HostBinding *binding)
{
	HostProblem problem = {0};
	const char *entity = binding->entity->name;
	char	   *name;

	if (!binding->is_bound)
		return problem;
	name = GetUserNameFromId(binding->registrar, true);
	if (name == NULL || strcmp(name, binding->registrar_name) != 0)
	{
		problem.word = "suspended_binding";
		problem.message = psprintf("binding of entity \"%s\" is suspended", entity);
		problem.detail = psprintf("Role \"%s\" that made it does not exist, or goes by another name.", binding->registrar_name);
		problem.fix = "Bind it again.";
	}
	else if (!host_trust_role(binding->registrar))
	{
		problem.word = "untrusted_binding";
		problem.message = psprintf("binding of entity \"%s\" was made by role %s, which role %s does not trust", entity,
								   role_name(binding->registrar), current_role_name());
		problem.detail = "What it leads to would be used with the rights of the caller.";
		problem.fix = "Bind it as the role that is to use it, or as one that it has been granted.";
	}
	else
		return problem;
	problem.sqlstate = ERRCODE_INSUFFICIENT_PRIVILEGE;
	problem.statement = psprintf("SET ROLE %s; %s", current_role_name(), host_binding_proposal(binding));
	return problem;
}

static HostProblem
off_limits_problem(const HostBinding *binding)
{
	HostProblem problem = {0};

	problem.sqlstate = ERRCODE_INSUFFICIENT_PRIVILEGE;
	problem.word = "untrusted_binding";
	problem.message = psprintf("%s cannot stand for entity \"%s\"", binding->relation, binding->entity->name);
	problem.detail = "It belongs to the server, to the extension, or to one session.";
	problem.fix = "Bind the entity to a table or view of the application.";
	problem.statement = bind_likely_table(binding);
	return problem;
}

void
host_binding_check_trust(const HostBinding *binding)
{
	Oid			owner = InvalidOid;
	char	   *object = host_trust_find_in_relation(binding->relation, &owner);
	HostProblem problem;

	if (object == NULL)
		return;
	problem = host_problem_untrusted(object, owner);
	host_problem_raise(&problem);
}

HostProblem
host_binding_trust_problem(const HostBinding *binding)
{
	HostProblem problem = {0};
	Oid			owner = InvalidOid;
	char	   *object = host_trust_find_in_relation(binding->relation, &owner);

	if (object != NULL)
		return host_problem_untrusted(object, owner);
	owner = relation_owner(binding->relid);
	if (superuser() && !host_trust_role(owner))
	{
		problem.sqlstate = ERRCODE_WARNING_PRIVILEGE_NOT_GRANTED;
		problem.message = psprintf("table %s belongs to role %s, and is read as a superuser", binding->relation, role_name(owner));
		problem.fix = "Call, and schedule the jobs, as a role that is no superuser: a superuser does not write to it.";
	}
	return problem;
}

HostProblem
host_binding_table_problem(const HostBinding *binding)
{
	HostProblem problem = {0};
	const char *entity = binding->entity->name;

	if (!OidIsValid(binding->relid))
	{
		problem.sqlstate = ERRCODE_UNDEFINED_TABLE;
		problem.message = psprintf("table %s of entity \"%s\" does not exist", binding->relation, entity);
		problem.detail = psprintf("Without it there are no %s.", binding->entity->feeds);
		problem.fix = "Bind the entity to the table or view that holds it.";
		problem.statement = bind_likely_table(binding);
		return problem;
	}
	if (!host_binding_is_readable_kind(binding->relid))
	{
		problem.sqlstate = ERRCODE_WRONG_OBJECT_TYPE;
		problem.message = psprintf("%s of entity \"%s\" is not a table or view", binding->relation, entity);
		problem.fix = "Bind the entity to a table or view.";
		problem.statement = bind_likely_table(binding);
		return problem;
	}
	if (binding->is_bound && host_binding_is_off_limits(binding->relid))
		return off_limits_problem(binding);
	problem = registrar_problem(binding);
	if (problem.sqlstate != 0)
		return problem;
	if (schema_aclcheck(get_rel_namespace(binding->relid), GetUserId(), ACL_USAGE) != ACLCHECK_OK)
	{
		problem.sqlstate = ERRCODE_INSUFFICIENT_PRIVILEGE;
		problem.message = psprintf("permission denied for schema %s", quote_identifier(binding->schema));
		problem.detail = psprintf("Entity \"%s\" is read with the rights of the caller.", entity);
		problem.fix = "Grant the role the use of the schema.";
		problem.statement = psprintf("GRANT USAGE ON SCHEMA %s TO %s;",
									 quote_identifier(binding->schema), current_role_name());
		return problem;
	}
	if (pg_class_aclcheck(binding->relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
		pg_attribute_aclcheck_all(binding->relid, GetUserId(), ACL_SELECT, ACLMASK_ANY) != ACLCHECK_OK)
	{
		problem.sqlstate = ERRCODE_INSUFFICIENT_PRIVILEGE;
		problem.message = psprintf("permission denied for table %s", binding->relation);
		problem.detail = psprintf("Entity \"%s\" is read with the rights of the caller.", entity);
		problem.fix = "Grant the role the right to read the table.";
		problem.statement = psprintf("GRANT SELECT ON %s TO %s;", binding->relation, current_role_name());
		return problem;
	}
	if (check_enable_rls(binding->relid, InvalidOid, true) == RLS_ENABLED)
	{
		problem.sqlstate = ERRCODE_INSUFFICIENT_PRIVILEGE;
		problem.message = psprintf("row-level security of table %s applies to role %s",
								   binding->relation, current_role_name());
		problem.detail = "A count of the rows that its policies show would be too small.";
		problem.fix = "Call as a role that the policies do not apply to.";
		problem.statement = psprintf("ALTER ROLE %s BYPASSRLS;", current_role_name());
	}
	return problem;
}

HostProblem
host_binding_column_missing(const HostBinding *binding, const HostColumn *column, const char *physical)
{
	HostProblem problem = {0};
	bool		can_be_absent = column->absent != NULL && column->absent[0] == '?';

	problem.sqlstate = ERRCODE_UNDEFINED_COLUMN;
	problem.message = psprintf("column \"%s\" of table %s does not exist", physical, binding->relation);
	problem.detail = psprintf("It stands for \"%s\" of entity \"%s\".", column->name, binding->entity->name);
	problem.fix = can_be_absent ?
		psprintf("Bind it to the column that holds it, or to null if there is none (%s is then taken).",
				 column->absent + 1) :
		"Bind it to the column that holds it.";
	problem.statement = host_binding_proposal(binding);
	return problem;
}
