/*
 * host_storage.c
 *		Image storage from a registered query, a directory, or a pushed value.
 */
#include "postgres.h"

#include <sys/stat.h>

#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "common/attempt.h"
#include "common/clock.h"
#include "common/row.h"
#include "common/scope.h"
#include "host/host_registered.h"
#include "host/host_storage.h"
#include "run/run_log.h"

#define STALE_AFTER		(INT64CONST(48) * USECS_PER_HOUR)
#define DEEPEST_FOLDER	64

typedef struct Source
{
	char	   *kind;
	char	   *definition;		/* the query or the directory */
	char	   *registrar;		/* NULL: suspended */
	int64		bytes;			/* result */
	bool		is_null;		/* result */
} Source;

/* Within the sandbox of the query. */
static void
read_bytes(const char *text, void *result)
{
	Source	   *source = result;
	Datum		number;

	source->is_null = text == NULL;
	if (text == NULL)
		return;
	number = DirectFunctionCall3(numeric_in, CStringGetDatum(text),
								 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	source->bytes = DatumGetInt64(DirectFunctionCall1(numeric_int8, number));
	if (source->bytes < 0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("image storage cannot be negative")));
}

/* Sizes of the plain files below path; links are not followed, so no loop and no way out. */
static int64
directory_bytes(const char *path, int depth)
{
	DIR		   *dir = AllocateDir(path);
	struct dirent *entry;
	int64		total = 0;

	while ((entry = ReadDir(dir, path)) != NULL)
	{
		char		name[MAXPGPATH * 2];
		struct stat status;

		CHECK_FOR_INTERRUPTS();
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (lstat(name, &status) != 0)
		{
			if (errno == ENOENT)
				continue;		/* removed meanwhile */
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not stat file \"%s\": %m", name)));
		}
		if (S_ISREG(status.st_mode))
			total += status.st_size;
		else if (S_ISDIR(status.st_mode))
		{
			if (depth >= DEEPEST_FOLDER)
				ereport(ERROR,
						(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						 errmsg("directory \"%s\" is nested more than %d levels deep", name, DEEPEST_FOLDER)));
			total += directory_bytes(name, depth + 1);
		}
	}
	FreeDir(dir);
	return total;
}

static void
measure_directory(void *arg)
{
	Source	   *source = arg;
	Oid			role = host_registered_role(source->registrar);

	if (!has_privs_of_role(role, ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to read directory \"%s\"", source->definition),
				 errdetail("Role \"%s\" that bound it is not a member of pg_read_server_files.", source->registrar)));
	source->bytes = directory_bytes(source->definition, 0);
}

/* Runs it now; false: *failure says why. */
static bool
measure(Source *source, AttemptFailure *failure)
{
	if (strcmp(source->kind, "query") == 0)
		return host_registered_number(source->definition, source->registrar, read_bytes, source, failure);
	return attempt_run(measure_directory, source, failure);
}

/* What is bound; false: nothing that could be measured, and no right to look is needed. */
static bool
read_source(Source *source)
{
	memset(source, 0, sizeof(*source));
	scope_execute("SELECT FROM capforecast.image_storage WHERE source <> 'pushed'",
				  0, NULL, NULL, NULL, false, SPI_OK_SELECT);
	if (SPI_processed == 0)
		return false;
	scope_execute("SELECT s.source, q.definition, capforecast._registrar(q.registrar, q.registrar_name)::text "
				  "  FROM capforecast.image_storage s JOIN capforecast._image_source q USING (is_only)",
				  0, NULL, NULL, NULL, false, SPI_OK_SELECT);
	if (SPI_processed == 0)
		return false;
	source->kind = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	source->definition = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	source->registrar = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3);
	return true;
}

/* reason NULL: the value is known. */
static void
store(int64 bytes, TimestampTz now, const char *reason)
{
	Oid			types[3] = {INT8OID, TIMESTAMPTZOID, TEXTOID};
	char		nulls[4] = "   ";
	Datum		values[3];

	values[0] = Int64GetDatum(bytes);
	values[1] = TimestampTzGetDatum(now);
	values[2] = reason ? CStringGetTextDatum(run_log_text(reason)) : (Datum) 0;
	nulls[2] = reason ? ' ' : 'n';
	scope_execute(reason ? "UPDATE capforecast.image_storage SET reason = $3" :
				  "UPDATE capforecast.image_storage SET bytes = $1, measured_at = $2, reason = NULL",
				  3, types, values, nulls, false, SPI_OK_UPDATE);
}

HostStorage
host_storage_measure(TimestampTz now)
{
	AttemptFailure failure;
	HostStorage storage;
	Source		source;
	char	   *reason = NULL;

	if (!read_source(&source))
		return host_storage_read(now);
	if (!measure(&source, &failure))
		reason = psprintf("%s (SQLSTATE %s)", failure.message, failure.sqlstate);
	else if (source.is_null)
		reason = "the bound query returned NULL";
	store(source.bytes, now, reason);
	storage = host_storage_read(now);
	/* a value of before is no measurement of now */
	if (reason != NULL)
	{
		storage.known = false;
		storage.reason = reason;
	}
	return storage;
}

HostStorage
host_storage_read(TimestampTz now)
{
	HostStorage storage = {0};
	bool		is_null;
	char	   *why;

	scope_execute("SELECT source, bytes, measured_at, reason FROM capforecast.image_storage",
				  0, NULL, NULL, NULL, true, SPI_OK_SELECT);
	if (SPI_processed == 0)
	{
		storage.reason = "no source of image storage is bound";
		return storage;
	}
	storage.source = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	storage.bytes = DatumGetInt64(scope_datum(0, 2, &is_null));
	storage.known = !is_null;
	why = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 4);
	if (is_null)
	{
		storage.reason = why != NULL ? why : strcmp(storage.source, "pushed") == 0 ? "no value has been pushed yet" :
			"it has not been measured yet: the job capture_daily_snapshot does it";
		return storage;
	}
	storage.measured_at = DatumGetTimestampTz(scope_datum(0, 3, &is_null));
	storage.stale = now - storage.measured_at > STALE_AFTER;
	if (storage.stale)
		storage.reason = psprintf("the value %s at %s is more than 48 hours old%s%s",
								  strcmp(storage.source, "pushed") == 0 ? "pushed" : "measured",
								  timestamptz_to_str(storage.measured_at), why ? ": " : "", why ? why : "");
	return storage;
}

Datum
host_storage_gigabytes(int64 bytes)
{
	Numeric		gigabytes = numeric_div_opt_error(int64_to_numeric(bytes),
												  int64_to_numeric(INT64CONST(1073741824)), NULL);

	return DirectFunctionCall2(numeric_round, NumericGetDatum(gigabytes), Int32GetDatum(2));
}

const char *
host_storage_status(const HostStorage *storage)
{
	return !storage->known ? "unavailable" : storage->stale ? "stale" : "ok";
}

/*
 * capforecast._read_image_storage(as_of) → (bytes, gigabytes, source, measured_at, status, reason)
 */
PG_FUNCTION_INFO_V1(capforecast_image_storage);
Datum
capforecast_image_storage(PG_FUNCTION_ARGS)
{
	TimestampTz now = clock_as_of(fcinfo, 0, GetCurrentTimestamp());
	MemoryContext caller = CurrentMemoryContext;
	TupleDesc	desc;
	Datum		values[6] = {0};
	bool		nulls[6] = {false};
	HostStorage storage;
	HeapTuple	row;
	Scope		scope;

	desc = row_type(fcinfo, lengthof(values));
	scope_enter(&scope);
	storage = host_storage_read(now);
	MemoryContextSwitchTo(caller);
	values[0] = Int64GetDatum(storage.bytes);
	values[1] = storage.known ? host_storage_gigabytes(storage.bytes) : (Datum) 0;
	values[2] = storage.source ? CStringGetTextDatum(storage.source) : (Datum) 0;
	values[3] = TimestampTzGetDatum(storage.measured_at);
	values[4] = CStringGetTextDatum(host_storage_status(&storage));
	values[5] = storage.reason ? CStringGetTextDatum(storage.reason) : (Datum) 0;
	nulls[0] = nulls[1] = nulls[3] = !storage.known;
	nulls[2] = storage.source == NULL;
	nulls[5] = storage.reason == NULL;
	row = heap_form_tuple(desc, values, nulls);
	scope_leave(&scope);
	PG_RETURN_DATUM(HeapTupleGetDatum(row));
}

/*
 * capforecast._measure_image_storage() → bytes
 *		Measures the bound query at its registration: what fails is raised.
 */
PG_FUNCTION_INFO_V1(capforecast_measure_image_storage);
Datum
capforecast_measure_image_storage(PG_FUNCTION_ARGS)
{
	AttemptFailure failure;
	Source		source;
	Scope		scope;
	bool		bound;

	scope_enter(&scope);
	bound = read_source(&source);
	if (bound && !measure(&source, &failure))
		ReThrowError(failure.error);
	if (bound)
		store(source.bytes, GetCurrentTimestamp(), source.is_null ? "the bound query returned NULL" : NULL);
	scope_leave(&scope);
	if (!bound || source.is_null)
		PG_RETURN_NULL();
	PG_RETURN_INT64(source.bytes);
}
