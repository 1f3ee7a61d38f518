/*
 * capture_import.c
 *		import_snapshots(): takes over the daily snapshots that the application kept.
 *
 * One statement reads the table, keeps the newest row of each UTC day up to today, and
 * inserts those whose day has no row.  The unique index decides that, so a capture
 * running at the same time loses nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "common/clock.h"
#include "common/row.h"
#include "common/scope.h"
#include "host/host_snapshots.h"

#define N_COUNTS	5			/* columns of the report before missing_columns */

static Datum
text_array(List *strings)
{
	Datum	   *elements = palloc(sizeof(Datum) * (list_length(strings) + 1));
	ListCell   *cell;
	int			n = 0;

	foreach(cell, strings)
		elements[n++] = CStringGetTextDatum(lfirst(cell));
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Leaves the report in SPI_tuptable: imported, already_stored, skipped, first_day, last_day. */
static void
take_over(const char *source, DateADT today)
{
	char	   *columns = host_snapshots_columns();
	Oid			types[1] = {DATEOID};
	Datum		values[1] = {DateADTGetDatum(today)};

	/* A policy that hides rows would make a hole in the history, not an error. */
	scope_set("row_security", "off");
	scope_execute(psprintf("WITH source AS MATERIALIZED (%s), "
						   "usable AS (SELECT DISTINCT ON (snapshot_date) * FROM source "
						   "  WHERE isfinite(snapshot_date) AND snapshot_date <= $1 "
						   "  ORDER BY snapshot_date, at DESC), "
						   "taken AS (INSERT INTO capforecast.capacity_snapshots (snapshot_date, %s, source) "
						   "  SELECT snapshot_date, %s, 'imported' FROM usable ORDER BY snapshot_date "
						   "  ON CONFLICT (snapshot_date) DO NOTHING RETURNING snapshot_date) "
						   "SELECT count(*), (SELECT count(*) FROM usable) - count(*), "
						   "  (SELECT count(*) FROM source) - (SELECT count(*) FROM usable), "
						   "  min(snapshot_date), max(snapshot_date) FROM taken",
						   source, columns, columns),
				  1, types, values, NULL, false, SPI_OK_SELECT);
}

PG_FUNCTION_INFO_V1(capforecast_import_snapshots);
Datum
capforecast_import_snapshots(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			relid = PG_GETARG_OID(0);
	List	   *missing = NIL;
	Datum		values[N_COUNTS + 1];
	bool		nulls[N_COUNTS + 1] = {false};
	char	   *source;
	Scope		scope;

	PreventCommandIfReadOnly("import_snapshots()");
	row_set(fcinfo, N_COUNTS + 1);
	scope_enter(&scope);
	source = host_snapshots_select(relid, &missing);
	take_over(source, clock_utc_day(GetCurrentTimestamp()));
	for (int c = 0; c < N_COUNTS; c++)
		values[c] = scope_datum(0, c + 1, &nulls[c]);
	values[N_COUNTS] = text_array(missing);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	scope_leave(&scope);
	return (Datum) 0;
}
