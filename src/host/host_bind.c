/*
 * host_bind.c
 *		bind() and unbind(): other names than the default ones; and the findings
 *		about bindings that doctor() shows.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "common/row.h"
#include "common/attempt.h"
#include "common/row.h"
#include "common/scope.h"
#include "host/host_binding.h"
#include "host/host_expression.h"
#include "host/host_sql.h"

/* It must be there to stay, and to select from. */
static void
check_relation(const HostEntity *entity, Oid relid)
{
	char	   *table = get_rel_name(relid);

	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid),
				 errhint("Give the table's name: SELECT capforecast.bind('%s', 'your_schema.your_table').", entity->name)));
	if (!host_binding_is_readable_kind(relid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table or view", table),
				 errhint("Give the table or view that holds the %s.", entity->name)));
	if (isAnyTempNamespace(get_rel_namespace(relid)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("cannot bind temporary table \"%s\"", table),
				 errdetail("Other sessions would not find it.")));
	if (host_binding_is_off_limits(relid))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" cannot stand for entity \"%s\"", table, entity->name),
				 errdetail("It belongs to the server or to the extension."),
				 errhint("Bind the entity to a table or view of the application.")));
}

/* ---------- what is bound ---------- */

/* An expression that the parser or host_expression() refuses is one error, with what they say. */
typedef struct Checked
{
	const char *text;
	Oid			relid;
	Oid			type;
} Checked;

static void
read_expression(void *arg)
{
	Checked    *checked = arg;

	checked->type = host_expression(checked->text, checked->relid).type;
}

static Oid
check_expression(const char *what, const char *text, Oid relid)
{
	Checked		checked = {text, relid, InvalidOid};
	AttemptFailure failure;

	if (!attempt_run(read_expression, &checked, &failure))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "bad_expression"),
				 errmsg("%s cannot be used: %s", what, failure.message),
				 errdetail("It is \"%s\".", text),
				 errhint("Use columns of the relation, constants, and functions and operators of the server.")));
	return checked.type;
}

static void
refuse_null(const HostEntity *entity, const HostColumn *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("column \"%s\" of entity \"%s\" cannot be bound to null", column->name, entity->name),
			 errdetail("Nothing can stand for it.")));
}

static void
check_name(Oid relid, const char *physical, const char *logical)
{
	if (get_attnum(relid, physical) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of table \"%s\" does not exist", physical, get_rel_name(relid)),
				 errhint("Give the name of an existing column for \"%s\", or null if there is none.", logical)));
}

static void
check_unit(const char *logical, const char *unit)
{
	bool		is_money = strlen(logical) > 6 && strcmp(logical + strlen(logical) - 6, "_cents") == 0;

	if (unit == NULL || (is_money && (strcmp(unit, "major") == 0 || strcmp(unit, "minor") == 0)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "bad_expression"),
			 errmsg("\"%s\" is no unit of \"%s\"", unit, logical),
			 errhint("Columns that end in _cents have the unit major or minor, others have none.")));
}

static void
require_object(const char *what, Jsonb *value, const char *example)
{
	if (!JB_ROOT_IS_OBJECT(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a JSON object", what),
				 errhint("Write it as '%s'.", example)));
}

/* Every key must be a logical column; every value a column of the table, an expression, or null. */
static void
check_columns(const HostEntity *entity, Oid relid, Jsonb *columns)
{
	Oid			types[1] = {JSONBOID};
	Datum		values[1] = {JsonbPGetDatum(columns)};
	uint64		n;
	SPITupleTable *rows;

	require_object("columns", columns, "{\"is_active\": \"enabled\", \"name\": null}");
	scope_execute("SELECT key, jsonb_typeof(value), value #>> '{}', value ->> 'expression', value ->> 'unit', "
				  "       value - '{expression,unit}'::text[] <> '{}' FROM (SELECT key, value FROM jsonb_each($1)) c "
				  " WHERE jsonb_typeof(value) = 'object' UNION ALL "
				  "SELECT key, jsonb_typeof(value), value #>> '{}', NULL, NULL, false FROM jsonb_each($1) "
				  " WHERE jsonb_typeof(value) <> 'object'", 1, types, values, NULL, true, SPI_OK_SELECT);
	n = SPI_processed;
	rows = SPI_tuptable;
	for (uint64 row = 0; row < n; row++)
	{
		char	   *logical = SPI_getvalue(rows->vals[row], rows->tupdesc, 1);
		char	   *kind = SPI_getvalue(rows->vals[row], rows->tupdesc, 2);
		char	   *expression = SPI_getvalue(rows->vals[row], rows->tupdesc, 4);
		const HostColumn *column = host_schema_column_named(entity, logical);

		if (strcmp(kind, "null") == 0 && column->absent == NULL)
			refuse_null(entity, column);
		else if (strcmp(kind, "string") == 0)
			check_name(relid, SPI_getvalue(rows->vals[row], rows->tupdesc, 3), logical);
		else if (strcmp(kind, "object") == 0 && expression != NULL &&
				 SPI_getvalue(rows->vals[row], rows->tupdesc, 6)[0] == 'f')
		{
			check_unit(logical, SPI_getvalue(rows->vals[row], rows->tupdesc, 5));
			(void) check_expression(psprintf("expression for \"%s\"", logical), expression, relid);
		}
		else if (strcmp(kind, "null") != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" is neither bound to a column nor to an expression", logical),
					 errhint("Write \"your_column\", {\"expression\": \"price\", \"unit\": \"major\"}, or null.")));
	}
}

static void
check_filter(const char *filter, Oid relid)
{
	if (getBaseType(check_expression("filter", filter, relid)) != BOOLOID)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "bad_expression"),
				 errmsg("filter is not a condition"),
				 errdetail("It is \"%s\".", filter),
				 errhint("Write one like 'deleted_at IS NULL'.")));
}

static bool
is_word_of(const HostEntity *entity, const char *word)
{
	char	   *words;

	if (entity->words == NULL)
		return true;
	words = pstrdup(entity->words);
	for (char *known = strtok(words, " "); known != NULL; known = strtok(NULL, " "))
		if (strcmp(known, word) == 0)
			return true;
	return false;
}

/* Every value must be a status that means something here, or null. */
static void
check_words(const HostEntity *entity, Jsonb *words)
{
	Oid			types[1] = {JSONBOID};
	Datum		values[1] = {JsonbPGetDatum(words)};

	require_object("words", words, "{\"trialing\": \"trial\", \"incomplete\": null}");
	scope_execute("SELECT key, value #>> '{}' FROM jsonb_each($1)", 1, types, values, NULL, true, SPI_OK_SELECT);
	if (SPI_processed > 0 && host_schema_column(entity, "status") == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("entity \"%s\" has no status", entity->name),
				 errhint("Leave words out.")));
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		char	   *word = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 2);

		if (word != NULL && !is_word_of(entity, word))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "unknown_word"),
					 errmsg("\"%s\" is no status of entity \"%s\"", word, entity->name),
					 errdetail("It is to stand for \"%s\".", SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1)),
					 errhint("The words are %s; null: such rows are not counted.", entity->words)));
	}
}

static void
check_newest_by(const HostEntity *entity, const char *newest_by, Oid relid)
{
	if (host_schema_column(entity, "vendor_id") == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("entity \"%s\" has no rows of a vendor", entity->name),
				 errhint("Leave newest_by out.")));
	check_name(relid, newest_by, "newest_by");
}

static char *
optional_text(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

static const char *const argument_names[] = {"entity", "relation", "columns", NULL, "words"};

PG_FUNCTION_INFO_V1(capforecast_bind);
Datum
capforecast_bind(PG_FUNCTION_ARGS)
{
	Oid			types[7] = {TEXTOID, TEXTOID, TEXTOID, JSONBOID, TEXTOID, JSONBOID, TEXTOID};
	Datum		values[7];
	char		nulls[8] = "       ";
	const HostEntity *entity;
	Oid			relid = PG_GETARG_OID(1);
	char	   *filter = optional_text(fcinfo, 3);
	char	   *newest_by = optional_text(fcinfo, 5);
	Scope		scope;

	for (int i = 0; i < lengthof(argument_names); i++)
		if (argument_names[i] != NULL)
			row_require(fcinfo, i, argument_names[i]);
	entity = host_schema_entity_named(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	check_relation(entity, relid);
	scope_enter(&scope);
	check_columns(entity, relid, PG_GETARG_JSONB_P(2));
	check_words(entity, PG_GETARG_JSONB_P(4));
	if (filter != NULL)
		check_filter(filter, relid);
	if (newest_by != NULL)
		check_newest_by(entity, newest_by, relid);

	values[0] = CStringGetTextDatum(entity->name);
	values[1] = CStringGetTextDatum(get_namespace_name(get_rel_namespace(relid)));
	values[2] = CStringGetTextDatum(get_rel_name(relid));
	values[3] = PG_GETARG_DATUM(2);
	values[4] = filter ? CStringGetTextDatum(filter) : (Datum) 0;
	nulls[4] = filter ? ' ' : 'n';
	values[5] = PG_GETARG_DATUM(4);
	values[6] = newest_by ? CStringGetTextDatum(newest_by) : (Datum) 0;
	nulls[6] = newest_by ? ' ' : 'n';
	scope_execute("INSERT INTO capforecast.binding (entity, schema_name, table_name, columns, filter, words, newest_by) "
				  "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (entity) DO UPDATE "
				  "SET schema_name = excluded.schema_name, table_name = excluded.table_name, columns = excluded.columns, "
				  "    filter = excluded.filter, words = excluded.words, newest_by = excluded.newest_by, "
				  "    registrar = excluded.registrar, registrar_name = excluded.registrar_name",
				  7, types, values, nulls, false, SPI_OK_INSERT);
	scope_leave(&scope);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(capforecast_unbind);
Datum
capforecast_unbind(PG_FUNCTION_ARGS)
{
	const HostEntity *entity = host_schema_entity_named(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(entity->name)};
	Scope		scope;

	scope_enter(&scope);
	scope_execute("DELETE FROM capforecast.binding WHERE entity = $1",
				  1, types, values, NULL, false, SPI_OK_DELETE);
	scope_leave(&scope);
	PG_RETURN_VOID();
}
