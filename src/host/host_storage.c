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

/* A read must answer; a file system or a query that takes longer is pushed instead. */
#define QUERY_LIMIT_MS	5000
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

static void
measure_query(void *arg)
{
	Source	   *source = arg;
	char	   *text = host_registered_number(source->definition, source->registrar, QUERY_LIMIT_MS);
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

static void
measure(HostStorage *storage, Source *source, TimestampTz now)
{
	AttemptFailure failure;
	bool		is_query = strcmp(source->kind, "query") == 0;

	if (!attempt_run(is_query ? measure_query : measure_directory, source, &failure))
		storage->reason = psprintf("%s (SQLSTATE %s)", failure.message, failure.sqlstate);
	else if (source->is_null)
		storage->reason = "the bound query returned NULL";
	else
	{
		storage->known = true;
		storage->bytes = source->bytes;
		storage->measured_at = now;
	}
}

HostStorage
host_storage_read(TimestampTz now)
{
	HostStorage storage = {0};
	Source		source = {0};
	bool		is_null;

	scope_execute("SELECT source, definition, capforecast._registrar(registrar, registrar_name)::text, bytes, measured_at FROM capforecast.image_storage",
				  0, NULL, NULL, NULL, true, SPI_OK_SELECT);
	if (SPI_processed == 0)
	{
		storage.reason = "no source of image storage is bound";
		return storage;
	}
	source.kind = storage.source = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	source.definition = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	source.registrar = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3);
	if (strcmp(source.kind, "pushed") != 0)
	{
		measure(&storage, &source, now);
		return storage;
	}

	storage.bytes = DatumGetInt64(scope_datum(0, 4, &is_null));
	storage.known = !is_null;
	if (is_null)
		storage.reason = "no value has been pushed yet";
	else
	{
		storage.measured_at = DatumGetTimestampTz(scope_datum(0, 5, &is_null));
		storage.stale = now - storage.measured_at > STALE_AFTER;
		if (storage.stale)
			storage.reason = psprintf("the value pushed at %s is more than 48 hours old",
									  timestamptz_to_str(storage.measured_at));
	}
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
