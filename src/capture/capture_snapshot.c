/*
 * capture_snapshot.c
 *		capture_daily_snapshot(): one row per UTC day.
 *
 * All parts are read in one snapshot, each by one statement that may go parallel
 * (SPI_execute, read-only) in a subtransaction of its own, and only then is the row
 * inserted: INSERT … SELECT would not go parallel, and a failing part would take the
 * others with it.  What a run left out, the later runs of the day try again, and fill in
 * where the row has nothing yet.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "capture/capture_day.h"
#include "common/attempt.h"
#include "common/clock.h"
#include "common/scope.h"
#include "host/host_size.h"
#include "host/host_sql.h"
#include "host/host_storage.h"
#include "host/host_usage.h"
#include "run/run_log.h"

#define MAX_VALUES		32

/* As shown in the run's record beside the parts of host_usage. */
#define PART_IMAGE_STORAGE	"image_storage"
#define PART_DATABASE_SIZE	"database_size"

/* The values counted so far, by column of capacity_snapshots. */
typedef struct Capture
{
	MemoryContext context;
	const char *template;		/* the part's statement, while it runs */
	int			n_values;
	char	   *columns[MAX_VALUES];
	Datum		values[MAX_VALUES];
	Oid			types[MAX_VALUES];
	char		nulls[MAX_VALUES + 1];
	int			n_parts_read;	/* of the host's tables */
	ErrorData  *first_error;
} Capture;

/* ---------- counting ---------- */

static void
add_value(Capture *capture, const char *column, Oid type, Datum value, bool is_null)
{
	int			i = capture->n_values++;
	int16		length;
	bool		by_value;
	MemoryContext old = MemoryContextSwitchTo(capture->context);

	Assert(i < MAX_VALUES);
	get_typlenbyval(type, &length, &by_value);
	capture->columns[i] = pstrdup(column);
	capture->types[i] = type;
	capture->values[i] = is_null ? (Datum) 0 : datumCopy(value, by_value, length);
	capture->nulls[i] = is_null ? 'n' : ' ';
	MemoryContextSwitchTo(old);
}

static void
read_part(void *arg)
{
	Capture    *capture = arg;

	host_sql_read(capture->template);
	for (int c = 1; c <= SPI_tuptable->tupdesc->natts; c++)
	{
		bool		is_null;
		Datum		value = scope_datum(0, c, &is_null);

		add_value(capture, SPI_fname(SPI_tuptable->tupdesc, c),
				  SPI_gettypeid(SPI_tuptable->tupdesc, c), value, is_null);
	}
}

/* Fullest statement first; what is left out for want of a table is a reason in the record. */
static void
count_part(Capture *capture, const HostUsagePart *part, RunRecord *record)
{
	for (int i = 0; i < lengthof(part->templates) && part->templates[i] != NULL; i++)
	{
		AttemptFailure failure;

		capture->template = part->templates[i];
		if (attempt_run(read_part, capture, &failure))
		{
			capture->n_parts_read++;
			return;
		}
		if (capture->first_error == NULL)
			capture->first_error = failure.error;
		if (i == 0)
			run_record_failure(record, part->name, &failure);
	}
}

typedef struct StorageCount
{
	TimestampTz now;
	HostStorage storage;
} StorageCount;

static void
measure_storage(void *arg)
{
	StorageCount *count = arg;

	count->storage = host_storage_measure(count->now);
}

static void
count_storage(Capture *capture, RunRecord *record, TimestampTz now)
{
	StorageCount count = {now};
	AttemptFailure failure;

	if (!attempt_run(measure_storage, &count, &failure))
		run_record_failure(record, PART_IMAGE_STORAGE, &failure);
	else if (count.storage.known && !count.storage.stale)
		add_value(capture, "storage_used_gb", NUMERICOID, host_storage_gigabytes(count.storage.bytes), false);
	else if (count.storage.source != NULL)
		run_record_reason(record, PART_IMAGE_STORAGE, count.storage.reason);
}

static void
count_size(Capture *capture, RunRecord *record)
{
	HostSize	size = host_size_read();

	if (size.known)
		add_value(capture, "db_size_mb", NUMERICOID, host_size_megabytes(size.bytes), false);
	else
		run_record_reason(record, PART_DATABASE_SIZE, size.reason);
}

static void
count_all(Capture *capture, RunRecord *record, TimestampTz now)
{
	int			n_parts;
	const HostUsagePart *parts = host_usage_parts(&n_parts);

	PushActiveSnapshot(GetTransactionSnapshot());
	for (int i = 0; i < n_parts; i++)
		count_part(capture, &parts[i], record);
	count_size(capture, record);
	count_storage(capture, record, now);
	PopActiveSnapshot();

	/* A day of which nothing is known would hide that nothing works. */
	if (capture->n_parts_read == 0)
		ReThrowError(capture->first_error);
}

/* ---------- storing ---------- */

/* The day's row as a composite Datum in the given context; false: there is none. */
static bool
stored_row(DateADT day, MemoryContext context, Datum *row)
{
	Oid			types[1] = {DATEOID};
	Datum		values[1] = {DateADTGetDatum(day)};
	MemoryContext old;
	bool		is_null;

	scope_execute("SELECT s FROM capforecast.capacity_snapshots s WHERE snapshot_date = $1",
				  1, types, values, NULL, false, SPI_OK_SELECT);
	if (SPI_processed == 0)
		return false;
	old = MemoryContextSwitchTo(context);
	*row = datumCopy(scope_datum(0, 1, &is_null), false, -1);
	MemoryContextSwitchTo(old);
	return true;
}

/* What a refresh recomputes: all but the identity and the day. */
static void
append_refresh(StringInfo sql)
{
	scope_execute("SELECT format('%I = excluded.%1$I', attname) FROM pg_attribute "
				  " WHERE attrelid = 'capforecast.capacity_snapshots'::regclass AND attnum > 0 AND NOT attisdropped "
				  "   AND attname NOT IN ('id', 'snapshot_date') ORDER BY attnum",
				  0, NULL, NULL, NULL, true, SPI_OK_SELECT);
	for (uint64 row = 0; row < SPI_processed; row++)
		appendStringInfo(sql, "%s%s", row > 0 ? ", " : "", SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1));
}

/*
 * Inserts the day's row, or recomputes it; returns how many rows were written.  A value that is not known is not named in
 * the INSERT, so that excluded has its default: one known from before does not stay.
 */
static int64
store_row(Capture *capture, DateADT day, bool refresh)
{
	StringInfoData sql,
				parameters;

	add_value(capture, "snapshot_date", DATEOID, DateADTGetDatum(day), false);
	initStringInfo(&sql);
	initStringInfo(&parameters);
	appendStringInfoString(&sql, "INSERT INTO capforecast.capacity_snapshots (");
	for (int i = 0; i < capture->n_values; i++)
	{
		appendStringInfo(&sql, "%s%s", i ? ", " : "", capture->columns[i]);
		appendStringInfo(&parameters, "%s$%d", i ? ", " : "", i + 1);
	}
	appendStringInfo(&sql, ") VALUES (%s) ON CONFLICT (snapshot_date) DO ", parameters.data);
	appendStringInfoString(&sql, refresh ? "UPDATE SET " : "NOTHING");
	if (refresh)
		append_refresh(&sql);
	scope_execute(sql.data, capture->n_values, capture->types, capture->values, capture->nulls,
				  false, SPI_OK_INSERT);
	return (int64) SPI_processed;
}

static void
refuse_other_day(DateADT day, DateADT today)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("no snapshot of %s is stored", clock_date_text(day)),
			 errdetail("Usage is counted as of now, which is %s in UTC.", clock_date_text(today)),
			 errhint("Rebuild past days with SELECT * FROM capforecast.backfill_snapshots(from_date, to_date).")));
}

/* ---------- completing ---------- */

/* Parts that the day's last run which counted left out, by name; in the current memory context. */
static List *
parts_left_out(TimestampTz day_start)
{
	Oid			types[2] = {TEXTOID, TIMESTAMPTZOID};
	Datum		values[2] = {CStringGetTextDatum(CAPTURE_SNAPSHOT), TimestampTzGetDatum(day_start)};
	List	   *names = NIL;

	scope_execute("SELECT jsonb_object_keys(r.detail) "
				  "  FROM (SELECT detail FROM capforecast.job_run "
				  "         WHERE job = $1 AND started_at >= $2 AND status = 'ok' AND (changed > 0 OR failed > 0) "
				  "         ORDER BY started_at DESC, run_id DESC LIMIT 1) r",
				  2, types, values, NULL, false, SPI_OK_SELECT);
	for (uint64 row = 0; row < SPI_processed; row++)
		names = lappend(names, SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1));
	return names;
}

static bool
is_named(List *names, const char *name)
{
	ListCell   *cell;

	foreach(cell, names)
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	return false;
}

static void
count_again(Capture *capture, List *left_out, RunRecord *record, TimestampTz now)
{
	int			n_parts;
	const HostUsagePart *parts = host_usage_parts(&n_parts);

	PushActiveSnapshot(GetTransactionSnapshot());
	for (int i = 0; i < n_parts; i++)
		if (is_named(left_out, parts[i].name))
			count_part(capture, &parts[i], record);
	if (is_named(left_out, PART_DATABASE_SIZE))
		count_size(capture, record);
	if (is_named(left_out, PART_IMAGE_STORAGE))
		count_size(capture, record);
	count_storage(capture, record, now);
	PopActiveSnapshot();
}

/* Fills in what the day's row does not have; returns whether it got anything. */
static int64
fill_in(Capture *capture, DateADT day)
{
	StringInfoData set,
				missing;

	if (capture->n_values == 0)
		return 0;
	initStringInfo(&set);
	initStringInfo(&missing);
	for (int i = 0; i < capture->n_values; i++)
	{
		appendStringInfo(&set, "%1$s%2$s = coalesce(%2$s, $%3$d)", i ? ", " : "", capture->columns[i], i + 1);
		appendStringInfo(&missing, "%s(%s IS NULL AND $%d IS NOT NULL)", i ? " OR " : "", capture->columns[i], i + 1);
	}
	add_value(capture, "snapshot_date", DATEOID, DateADTGetDatum(day), false);
	scope_execute(psprintf("UPDATE capforecast.capacity_snapshots SET %s WHERE snapshot_date = $%d AND (%s)",
						   set.data, capture->n_values, missing.data),
				  capture->n_values, capture->types, capture->values, capture->nulls, false, SPI_OK_UPDATE);
	return (int64) SPI_processed;
}

/* The day's row is there: counts what an earlier run left out. */
static void
complete(Capture *capture, RunRecord *record, TimestampTz now)
{
	DateADT		day = clock_utc_day(now);
	List	   *left_out = parts_left_out(clock_day_start(day));

	if (left_out == NIL || !run_record_lock(record))
		return;
	count_again(capture, left_out, record, now);
	record->changed = fill_in(capture, day);
}

PG_FUNCTION_INFO_V1(capforecast_capture_daily_snapshot);
Datum
capforecast_capture_daily_snapshot(PG_FUNCTION_ARGS)
{
	bool		refresh = !PG_ARGISNULL(0) && PG_GETARG_BOOL(0);
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz as_of = clock_as_of_writing(fcinfo, 1, now);
	DateADT		today = clock_utc_day(now);
	DateADT		day = clock_utc_day(as_of);
	MemoryContext context = CurrentMemoryContext;
	RunRecord	record;
	Capture		capture = {0};
	bool		found;
	Datum		row = (Datum) 0;
	Scope		scope;

	PreventCommandIfReadOnly("capture_daily_snapshot()");
	scope_enter(&scope);
	run_record_start(&record, CAPTURE_SNAPSHOT, now, as_of);
	record.examined = 1;
	capture.context = CurrentMemoryContext;

	found = !refresh && stored_row(day, context, &row);
	if (!found && day != today)
		refuse_other_day(day, today);
	if (!found && run_record_lock(&record))
	{
		found = !refresh && stored_row(day, context, &row);
		if (!found)
		{
			count_all(&capture, &record, now);
			record.changed = store_row(&capture, day, refresh);
			found = stored_row(day, context, &row);
		}
	}
	else if (found && day == today)
	{
		complete(&capture, &record, now);
		found = record.changed == 0 || stored_row(day, context, &row);
	}
	run_record_settle(&record);
	scope_leave(&scope);
	if (!found)
		PG_RETURN_NULL();		/* deleted by somebody in between, or another run is at work */
	PG_RETURN_DATUM(row);
}
