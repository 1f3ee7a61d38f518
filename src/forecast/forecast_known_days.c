/*
 * forecast_known_days.c
 *		Days that are known to differ, from the rules of capforecast.known_day.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/qunique.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

#include "common/clock.h"
#include "common/row.h"
#include "common/scope.h"
#include "core/models/cf_year_parts.h"
#include "core/time/cf_day_rule.h"
#include "forecast/forecast_known_days.h"
#include "forecast/forecast_metric.h"

#define N_COLUMNS	4

/* A row of known_day. */
typedef struct Rule
{
	const char *name;
	const char *region;
	bool		is_dated;
	DateADT		day;			/* where it is dated */
	CfDayRule	rule;			/* where it is not */
	int			before;
	int			after;
} Rule;

typedef struct Span
{
	DateADT		from;
	DateADT		to;
	int			room;
	KnownDays	found;
} Span;

/* ---------- rules ---------- */

static void
refuse_rule(const char *text)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" is not a rule for a day", text),
			 errdetail("A rule is one of 12-25, easter-2, orthodox easter+1, 4th thu of 11, last fri of 11, each with +n or -n days "
					   "(up to %d), and then, where needed, if sat,sun (not in other years), from 2021, until 2023.",
					   CF_DAY_RULE_MAX_OFFSET),
			 errhint("Months are numbers, weekdays mon to sun, ordinals 1st to 5th and last, with one space between words."),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "bad_rule")));
}

/*
 * capforecast._checked_rule(rule) → rule
 *		For the constraint: a message that says more than that it is violated.
 */
PG_FUNCTION_INFO_V1(capforecast_checked_rule);
Datum
capforecast_checked_rule(PG_FUNCTION_ARGS)
{
	char	   *string = text_to_cstring(PG_GETARG_TEXT_PP(0));
	CfDayRule	rule;

	if (!cf_day_rule_read(string, &rule))
		refuse_rule(string);
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

static char *
kept_text(uint64 row, int column, MemoryContext context)
{
	char	   *text = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);

	return text == NULL ? NULL : MemoryContextStrdup(context, text);
}

static int
int16_of(uint64 row, int column)
{
	bool		is_null;

	return DatumGetInt16(scope_datum(row, column, &is_null));
}

static Rule
rule_of_row(uint64 row, MemoryContext context)
{
	Rule		rule = {0};
	char	   *text = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 4);
	bool		is_null;

	rule.name = kept_text(row, 1, context);
	rule.region = kept_text(row, 2, context);
	rule.day = DatumGetDateADT(scope_datum(row, 3, &is_null));
	rule.is_dated = !is_null;
	if (text != NULL && !cf_day_rule_read(text, &rule.rule))
		refuse_rule(text);
	rule.before = int16_of(row, 5);
	rule.after = int16_of(row, 6);
	return rule;
}

/* ---------- days ---------- */

static void
add_day(Span *span, const Rule *rule, int64 day, int offset)
{
	KnownDays  *found = &span->found;

	if (day + offset < span->from || day + offset > span->to)
		return;
	if (found->n == span->room)
	{
		span->room *= 2;
		found->days = repalloc_huge(found->days, sizeof(KnownDay) * span->room);
	}
	found->days[found->n++] = (KnownDay) {(DateADT) (day + offset), rule->name, rule->region, offset};
}

static void
add_days_around(Span *span, const Rule *rule, int64 day)
{
	CHECK_FOR_INTERRUPTS();
	for (int offset = -rule->before; offset <= rule->after; offset++)
		add_day(span, rule, day, offset);
}

static int
year_of(DateADT day)
{
	int			year;
	int			month;
	int			in_month;

	j2date(day + POSTGRES_EPOCH_JDATE, &year, &month, &in_month);
	return year;
}

/* Those of the neighbouring years reach into it, by their offset. */
static void
add_rule(Span *span, const Rule *rule)
{
	int			last = year_of(span->to) + 1;
	int64		day;

	if (rule->is_dated)
		add_days_around(span, rule, rule->day);
	else
		for (int year = year_of(span->from) - 1; year <= last; year++)
			if (cf_day_rule_day(&rule->rule, year, &day))
				add_days_around(span, rule, day);
}

static int
compare_days(const void *a, const void *b)
{
	const KnownDay *p = a;
	const KnownDay *q = b;
	int			order = p->day < q->day ? -1 : p->day > q->day ? 1 : strcmp(p->region, q->region);

	if (order == 0)
		order = strcmp(p->name, q->name);
	return order != 0 ? order : p->offset - q->offset;
}

KnownDays
known_days_read(DateADT from, DateADT to, text *metric)
{
	static SPIPlanPtr plan = NULL;
	MemoryContext caller = CurrentMemoryContext;
	Span		span = {from, to, 64};
	Scope		scope;
	Rule	   *rules;
	int			n_rules;
	Oid			types[1] = {TEXTOID};
	Datum		values[1];

	/* no metric has an empty name */
	values[0] = metric == NULL ? CStringGetTextDatum("") : PointerGetDatum(metric);
	scope_enter(&scope);
	scope_read_kept(&plan, "SELECT name, region, day, rule, days_before, days_after FROM capforecast.known_day "
					" WHERE (day IS NULL OR isfinite(day)) AND (metric IS NULL OR metric = $1)", 1, types, values);
	n_rules = (int) SPI_processed;
	rules = palloc(sizeof(Rule) * Max(n_rules, 1));
	for (int i = 0; i < n_rules; i++)
		rules[i] = rule_of_row(i, caller);
	MemoryContextSwitchTo(caller);
	span.found.days = palloc(sizeof(KnownDay) * span.room);
	for (int i = 0; i < n_rules; i++)
		add_rule(&span, &rules[i]);
	scope_leave(&scope);
	MemoryContextSwitchTo(caller);
	qsort(span.found.days, span.found.n, sizeof(KnownDay), compare_days);
	span.found.n = (int) qunique(span.found.days, span.found.n, sizeof(KnownDay), compare_days);
	return span.found;
}

/* ---------- as the engine takes them ---------- */

NamedDays
known_days_on_grid(const CfGrid *grid, int ahead, text *metric)
{
	NamedDays	named = {0};
	KnownDays	found;
	int			n_names = 0;

	if (metric == NULL || grid->step != CF_DAY)
		return named;
	found = known_days_read(series_grid_day(grid, Max(0, grid->n - CF_YEAR_MOST)), series_grid_day(grid, (int64) grid->n - 1 + ahead), metric);
	named.days = palloc(sizeof(CfNamedDay) * Max(found.n, 1));
	named.names = palloc(sizeof(char *) * Max(found.n, 1));
	for (int i = 0; i < found.n; i++)
	{
		int			name = 0;

		while (name < n_names && strcmp(named.names[name], found.days[i].name) != 0)
			name++;
		if (name == n_names)
			named.names[n_names++] = found.days[i].name;
		named.days[named.n++] = (CfNamedDay) {found.days[i].day, name, found.days[i].offset};
	}
	return named;
}

/* ---------- as rows ---------- */

static DateADT
date_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	DateADT		day;

	row_require(fcinfo, argument, name);
	day = PG_GETARG_DATEADT(argument);
	if (DATE_NOT_FINITE(day))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be finite", name),
				 errhint("Give a day, for example 2026-12-31.")));
	return day;
}

/*
 * capforecast.known_days(from_date, to_date, metric) → day, name, region, offset_days
 */
PG_FUNCTION_INFO_V1(capforecast_known_days);
Datum
capforecast_known_days(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	DateADT		from;
	DateADT		to;
	KnownDays	found;

	row_set(fcinfo, N_COLUMNS);
	from = date_argument(fcinfo, 0, "from_date");
	to = date_argument(fcinfo, 1, "to_date");
	if (!PG_ARGISNULL(2))
		forecast_metric_require(PG_GETARG_TEXT_PP(2));
	if (year_of(to) - year_of(from) > KNOWN_DAYS_MAX_YEARS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("from_date and to_date must not be more than %d years apart", KNOWN_DAYS_MAX_YEARS),
				 errdetail("They are %s and %s.", clock_date_text(from), clock_date_text(to)),
				 errhint("Ask for a shorter time.")));
	if (to < from)
		return (Datum) 0;
	found = known_days_read(from, to, PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2));
	for (int i = 0; i < found.n; i++)
	{
		Datum		values[N_COLUMNS];
		bool		nulls[N_COLUMNS] = {false};

		values[0] = DateADTGetDatum(found.days[i].day);
		values[1] = CStringGetTextDatum(found.days[i].name);
		values[2] = CStringGetTextDatum(found.days[i].region);
		values[3] = Int32GetDatum(found.days[i].offset);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
