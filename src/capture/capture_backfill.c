/*
 * capture_backfill.c
 *		backfill_snapshots(): history on day 0.
 *
 * Each table of the host is read once, grouped by the day of its timestamps; the running
 * sums of these changes are what a capture at the same time of each day would have
 * counted.  A day on which some rows do not tell whether they counted stays NULL.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "capture/capture_day.h"
#include "common/attempt.h"
#include "common/clock.h"
#include "common/progress.h"
#include "common/row.h"
#include "common/scope.h"
#include "host/host_history.h"
#include "host/host_sql.h"
#include "run/run_lock.h"
#include "run/run_log.h"

/* Bins are counted from so long before the first day that no timestamp lies before them. */
#define ORIGIN_DAYS	INT64CONST(700000)

/* Orders since the start of the period may miss the counters by this, or history is not rebuilt. */
#define ORDERS_TOLERANCE	0.01

typedef struct Column
{
	const char *name;			/* of capacity_snapshots */
	const char *why_unknown;	/* of which rows it cannot be known */
	const char *reason;			/* why it is not known on any day; NULL: it is, or on some */
	int64	   *values;			/* per day: changes, then running sums */
	int64	   *unknown;		/* per day: rows that do not tell */
	int			days_known;
} Column;

static const Column columns_template[] = {
	{"total_vendors", "vendors have no created_at"},
	{"active_vendors", "vendors are not active, and no subscription of theirs has a cancelled_at"},
	{"trial_vendors", "subscriptions have no trial_ends_at (they may have had a trial, or none)"},
	{"total_subscriptions", "subscriptions have no created_at"},
	{"active_subscriptions", "subscriptions are past_due or ended, and nothing says since when"},
	{"total_products", "products have no created_at"},
	{"total_orders_month", "orders have no created_at"},
	{"total_team_members", "members are not active, or have no created_at"},
};

#define N_COLUMNS	((int) lengthof(columns_template))

/* What no timestamp tells. */
static const char *const lost_columns[][2] = {
	{"theoretical_products_limit", "the subscriptions' earlier tiers and limits are not on record"},
	{"theoretical_orders_limit", "the subscriptions' earlier tiers and limits are not on record"},
	{"theoretical_team_limit", "the subscriptions' earlier tiers and limits are not on record"},
	{"tier_distribution", "the subscriptions' earlier tiers are not on record"},
	{"storage_used_gb", "earlier sizes are not on record"},
	{"db_size_mb", "earlier sizes are not on record"},
};

typedef struct Backfill
{
	DateADT		from;
	int			n_days;
	TimestampTz first_capture;	/* instant that the first day's row shows */
	TimestampTz now;
	Column		columns[N_COLUMNS];
	const HostHistoryPart *part;	/* while it is read */
	int64		current_orders;	/* of the present periods */
} Backfill;

/* ---------- reading ---------- */

/* The day from whose row on a change in the bin is visible; days before the first are the first. */
static int64
day_of_bin(const Backfill *backfill, TimestampTz bin)
{
	int64		day = (bin - backfill->first_capture) / USECS_PER_DAY + 1;

	return bin < backfill->first_capture ? 0 : day;
}

static Column *
column_of(Backfill *backfill, const char *name, bool *is_unknown)
{
	*is_unknown = strncmp(name, "unknown_", 8) == 0;
	for (int c = 0; c < N_COLUMNS; c++)
		if (strcmp(backfill->columns[c].name, name + (*is_unknown ? 8 : 0)) == 0)
			return &backfill->columns[c];
	elog(ERROR, "column \"%s\" of history is not one of the snapshots'", name);
}

/* A column of the statement's result, by day. */
static void
add_changes(Backfill *backfill, const char *name, int c)
{
	bool		is_unknown,
				is_null;
	Column	   *column = column_of(backfill, name, &is_unknown);
	int64	   *days = is_unknown ? column->unknown : column->values;

	column->reason = NULL;
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		int64		day = day_of_bin(backfill, DatumGetTimestampTz(scope_datum(row, 1, &is_null)));

		if (day < backfill->n_days)
			days[day] += DatumGetInt64(scope_datum(row, c, &is_null));
	}
}

static void
read_changes(void *arg)
{
	Backfill   *backfill = arg;
	Oid			types[2] = {TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		values[2];
	bool		is_null;

	values[0] = TimestampTzGetDatum(backfill->first_capture - ORIGIN_DAYS * USECS_PER_DAY);
	values[1] = TimestampTzGetDatum(backfill->now);
	host_sql_read_with(backfill->part->template, 2, types, values);
	for (int c = 2; c <= SPI_tuptable->tupdesc->natts; c++)
	{
		const char *name = SPI_fname(SPI_tuptable->tupdesc, c);

		if (strcmp(name, "current_orders") == 0)
			for (uint64 row = 0; row < SPI_processed; row++)
				backfill->current_orders += DatumGetInt64(scope_datum(row, c, &is_null));
		else
			add_changes(backfill, name, c);
	}
}

/* The counters must say of today what the orders say, or they count something else. */
static void
check_orders(void *arg)
{
	Backfill   *backfill = arg;
	bool		ignored;
	Column	   *column = column_of(backfill, "total_orders_month", &ignored);
	int64		counted;

	if (column->reason != NULL)
		return;
	host_sql_read(host_history_counted_orders);
	counted = DatumGetInt64(scope_datum(0, 1, &ignored));
	if (llabs((long long) (backfill->current_orders - counted)) > counted * ORDERS_TOLERANCE)
		column->reason = psprintf("the counters of orders say " INT64_FORMAT ", but " INT64_FORMAT
								  " orders were created since the periods began", counted, backfill->current_orders);
}

static void
read_history(Backfill *backfill, RunRecord *record)
{
	int			n_parts;
	const HostHistoryPart *parts = host_history_parts(&n_parts);
	AttemptFailure failure;
	ErrorData  *first_error = NULL;
	int			n_read = 0;

	PushActiveSnapshot(GetTransactionSnapshot());
	for (int i = 0; i < n_parts; i++)
	{
		progress_report("backfill_snapshots, tables", i, n_parts);
		backfill->part = &parts[i];
		if (attempt_run(read_changes, backfill, &failure))
		{
			n_read++;
			continue;
		}
		if (first_error == NULL)
			first_error = failure.error;
		run_record_failure(record, parts[i].name, &failure);
	}
	if (n_read == 0)
		ReThrowError(first_error);
	if (!attempt_run(check_orders, backfill, &failure))
		run_record_failure(record, "orders_check", &failure);
	PopActiveSnapshot();
	progress_end();
}

/* ---------- storing ---------- */

static void
sum_up(Backfill *backfill)
{
	for (int c = 0; c < N_COLUMNS; c++)
	{
		Column	   *column = &backfill->columns[c];

		for (int d = 1; d < backfill->n_days; d++)
		{
			column->values[d] += column->values[d - 1];
			column->unknown[d] += column->unknown[d - 1];
		}
		for (int d = 0; d < backfill->n_days; d++)
			column->days_known += column->reason == NULL && column->unknown[d] == 0;
	}
}

/* The platform began with the first row that is dated: days before are no history. */
static int
first_day_of_use(const Backfill *backfill)
{
	for (int d = 0; d < backfill->n_days; d++)
		for (int c = 0; c < N_COLUMNS; c++)
			if (backfill->columns[c].values[d] != 0)
				return d;
	return backfill->n_days;
}

/* The days (no column), or a column's values, from the first day on. */
static Datum
array_of(const Backfill *backfill, const Column *column, int first)
{
	Oid			type = column ? INT8OID : DATEOID;
	int			n = backfill->n_days - first;
	Datum	   *values = palloc(sizeof(Datum) * Max(n, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(n, 1));
	int			lower_bound = 1;
	int16		length;
	bool		by_value;
	char		align;

	for (int d = 0; d < n; d++)
	{
		values[d] = column ? Int64GetDatum(column->values[first + d]) : DateADTGetDatum(backfill->from + first + d);
		nulls[d] = column && (column->reason != NULL || column->unknown[first + d] != 0);
	}
	get_typlenbyvalalign(type, &length, &by_value, &align);
	return PointerGetDatum(construct_md_array(values, nulls, 1, &n, &lower_bound, type, length, by_value, align));
}

static int64
store_days(const Backfill *backfill)
{
	int			first = first_day_of_use(backfill);
	Oid			types[N_COLUMNS + 1];
	Datum		values[N_COLUMNS + 1];
	StringInfoData names,
				known,
				parameters;

	if (first == backfill->n_days)
		return 0;
	initStringInfo(&names);
	initStringInfo(&known);
	initStringInfo(&parameters);
	types[0] = get_array_type(DATEOID);
	values[0] = array_of(backfill, NULL, first);
	for (int c = 0; c < N_COLUMNS; c++)
	{
		types[c + 1] = get_array_type(INT8OID);
		values[c + 1] = array_of(backfill, &backfill->columns[c], first);
		appendStringInfo(&names, ", %s", backfill->columns[c].name);
		appendStringInfo(&known, "%s%s", c ? ", " : "", backfill->columns[c].name);
		appendStringInfo(&parameters, ", $%d", c + 2);
	}
	scope_execute(psprintf("INSERT INTO capforecast.capacity_snapshots (snapshot_date%s, source) "
						   "SELECT snapshot_date%s, 'backfilled' FROM unnest($1%s) AS d(snapshot_date%s) "
						   "WHERE num_nonnulls(%s) > 0 ON CONFLICT (snapshot_date) DO NOTHING",
						   names.data, names.data, parameters.data, names.data, known.data),
				  N_COLUMNS + 1, types, values, NULL, false, SPI_OK_INSERT);
	return SPI_processed;
}

/* ---------- the function ---------- */

static void
check_days(DateADT from, DateADT to, DateADT today)
{
	if (DATE_NOT_FINITE(from) || DATE_NOT_FINITE(to) || from > to || to >= today || to - from >= CAPTURE_MAX_DAYS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot backfill from %s to %s",
						DATE_NOT_FINITE(from) ? "an infinite day" : clock_date_text(from),
						DATE_NOT_FINITE(to) ? "an infinite day" : clock_date_text(to)),
				 errdetail("from_date must not be after to_date, to_date must be before today in UTC, and at most %d days lie between.",
						   CAPTURE_MAX_DAYS),
				 errhint("Today is captured with capture_daily_snapshot().")));
}

static void
put_column(ReturnSetInfo *rsinfo, const char *name, int days_known, const char *reason)
{
	Datum		values[3] = {CStringGetTextDatum(name), Int64GetDatum(days_known)};
	bool		nulls[3] = {false, false, reason == NULL};

	values[2] = reason ? CStringGetTextDatum(reason) : (Datum) 0;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static void
put_result(ReturnSetInfo *rsinfo, const Backfill *backfill)
{
	for (int c = 0; c < N_COLUMNS; c++)
	{
		const Column *column = &backfill->columns[c];
		const char *reason = column->reason;

		if (reason == NULL && column->days_known < backfill->n_days)
			reason = psprintf("on the other days " INT64_FORMAT " or fewer %s",
							  column->unknown[backfill->n_days - 1], column->why_unknown);
		put_column(rsinfo, column->name, column->days_known, reason);
	}
	for (int c = 0; c < lengthof(lost_columns); c++)
		put_column(rsinfo, lost_columns[c][0], 0, lost_columns[c][1]);
}

/*
 * capforecast.backfill_snapshots(from_date, to_date, at_time) → one row per column
 */
PG_FUNCTION_INFO_V1(capforecast_backfill_snapshots);
Datum
capforecast_backfill_snapshots(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz now = GetCurrentTimestamp();
	DateADT		today = clock_utc_day(now);
	DateADT		to = PG_ARGISNULL(1) ? today - 1 : PG_GETARG_DATEADT(1);
	Backfill	backfill = {0};
	RunRecord	record;
	Scope		scope;

	PreventCommandIfReadOnly("backfill_snapshots()");
	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("from_date and at_time must not be null")));
	backfill.from = PG_GETARG_DATEADT(0);
	check_days(backfill.from, to, today);
	backfill.n_days = to - backfill.from + 1;
	backfill.first_capture = clock_day_start(backfill.from) + PG_GETARG_TIMEADT(2);
	backfill.now = now;

	row_set(fcinfo, 3);
	scope_enter(&scope);
	run_record_start(&record, "backfill_snapshots", now, now);
	run_lock(CAPTURE_SNAPSHOT);
	for (int c = 0; c < N_COLUMNS; c++)
	{
		backfill.columns[c] = columns_template[c];
		backfill.columns[c].reason = "it could not be read: job_run says why";
		backfill.columns[c].values = palloc0(sizeof(int64) * backfill.n_days);
		backfill.columns[c].unknown = palloc0(sizeof(int64) * backfill.n_days);
	}
	read_history(&backfill, &record);
	sum_up(&backfill);
	record.examined = backfill.n_days;
	record.changed = store_days(&backfill);
	run_record_settle(&record);
	put_result(rsinfo, &backfill);
	scope_leave(&scope);
	return (Datum) 0;
}
