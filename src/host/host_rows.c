/*
 * host_rows.c
 *		Templates run from SQL and PL/pgSQL, through the plans that the session keeps.
 *
 *		_host_rows(NULL::type, template, values...)		SETOF type	reads
 *		_host_row(NULL::type, template, values...)		type		reads; the first row, NULL: none
 *		_host_write(NULL::type, template, values...)	SETOF type	may write, and sees what was written
 *		_host_execute(template, values...)				bigint		writes; how many rows
 *
 * The first argument only says what comes back: a named composite type, whose columns the
 * statement must return in number, order and type, or a scalar type for one column.  The
 * template (host_template.h) is a constant text, and what varies a value $1, $2, ... of it: a key
 * of the host in it is {$1:vendors.id}, so that text is compared as the host's type.  So
 *
 *		SELECT u.used, u.quota INTO used, quota
 *		FROM capforecast._host_rows(NULL::capforecast._usage_row, $sql$ ... $sql$, vendor, now) u;
 *		total := capforecast._host_row(NULL::bigint, 'SELECT count(*) FROM {products} p
 *			WHERE {p:products.vendor_id} = {$1:products.vendor_id}', vendor);
 *
 * in the place of EXECUTE capforecast._host_sql(...): that plans anew each time, these once
 * in a session.  What must not be planned for all values alike (a condition that is there
 * for some of them only) is better two templates.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/tstoreReceiver.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "common/scope.h"
#include "host/host_statement.h"

/* The statement's parameters: the arguments from the given one on. */
typedef struct Arguments
{
	int			n;
	Oid			types[FUNC_MAX_ARGS];
	Datum		values[FUNC_MAX_ARGS];
	char		nulls[FUNC_MAX_ARGS];
} Arguments;

static void
take_arguments(FunctionCallInfo fcinfo, int first, Arguments *arguments)
{
	arguments->n = PG_NARGS() - first;
	for (int i = 0; i < arguments->n; i++)
	{
		arguments->types[i] = get_fn_expr_argtype(fcinfo->flinfo, first + i);
		arguments->nulls[i] = PG_ARGISNULL(first + i) ? 'n' : ' ';
		arguments->values[i] = PG_ARGISNULL(first + i) ? (Datum) 0 : PG_GETARG_DATUM(first + i);
		/* a literal */
		if (arguments->types[i] == UNKNOWNOID)
		{
			arguments->types[i] = TEXTOID;
			if (arguments->nulls[i] == ' ')
				arguments->values[i] = CStringGetTextDatum(DatumGetCString(arguments->values[i]));
		}
	}
}

static char *
template_of(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("template must not be null")));
	if (get_fn_expr_variadic(fcinfo->flinfo))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("values of a template cannot be given as a variadic array"),
				 errhint("Give them one by one, an array as one of them.")));
	return text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

/* The rows that the caller wants, in the current memory context; a scalar is a row of one column. */
static TupleDesc
wanted_row(FunctionCallInfo fcinfo, bool *is_scalar)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	TupleDesc	desc;

	*is_scalar = !type_is_rowtype(type);
	if (!*is_scalar)
		return lookup_rowtype_tupdesc_copy(type, -1);
	desc = CreateTemplateTupleDesc(1);
	TupleDescInitEntry(desc, 1, "value", type, -1, 0);
	return desc;
}

static void
check_row(TupleDesc wanted, TupleDesc result)
{
	if (result == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("template returns no rows"),
				 errhint("Run it with capforecast._host_execute().")));
	if (wanted->natts != result->natts)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("template returns %d columns instead of %d", result->natts, wanted->natts)));
	for (int i = 0; i < wanted->natts; i++)
	{
		Oid			is = TupleDescAttr(result, i)->atttypid;
		Oid			ought = TupleDescAttr(wanted, i)->atttypid;

		if (!IsBinaryCoercible(is, ought))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column %d (\"%s\") of the template is of type %s instead of %s", i + 1,
							NameStr(TupleDescAttr(wanted, i)->attname), format_type_be(is), format_type_be(ought))));
	}
}

static void
rows(FunctionCallInfo fcinfo, HostUse use)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller = CurrentMemoryContext;
	char	   *template = template_of(fcinfo, 1);
	Arguments	arguments;
	HostStatement *statement;
	DestReceiver *receiver;
	bool		is_scalar;
	Scope		scope;

	if (rsinfo == NULL || !IsA(rsinfo, ReturnSetInfo) || !(rsinfo->allowedModes & SFRM_Materialize))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));
	take_arguments(fcinfo, 2, &arguments);
	MemoryContextSwitchTo(rsinfo->econtext->ecxt_per_query_memory);
	rsinfo->returnMode = SFRM_Materialize;
	rsinfo->setDesc = wanted_row(fcinfo, &is_scalar);
	rsinfo->setResult = tuplestore_begin_heap((rsinfo->allowedModes & SFRM_Materialize_Random) != 0, false, work_mem);
	MemoryContextSwitchTo(caller);

	scope_enter(&scope);
	statement = host_statement(template, use, arguments.n, arguments.types);
	check_row(rsinfo->setDesc, host_statement_result(statement));
	receiver = CreateDestReceiver(DestTuplestore);
	SetTuplestoreDestReceiverParams(receiver, rsinfo->setResult, rsinfo->econtext->ecxt_per_query_memory,
									false, NULL, NULL);
	host_statement_run(statement, arguments.types, arguments.values, arguments.nulls, receiver);
	receiver->rDestroy(receiver);
	scope_leave(&scope);
}

PG_FUNCTION_INFO_V1(capforecast_host_rows);
Datum
capforecast_host_rows(PG_FUNCTION_ARGS)
{
	rows(fcinfo, HOST_LOOKUP);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(capforecast_host_write);
Datum
capforecast_host_write(PG_FUNCTION_ARGS)
{
	rows(fcinfo, HOST_WRITE);
	return (Datum) 0;
}

/* A copy of the first row, of the type wanted. */
static Datum
first_row(TupleDesc wanted, bool is_scalar, MemoryContext context, bool *is_null)
{
	int			n = wanted->natts;
	Datum	   *values = palloc(sizeof(Datum) * n);
	bool	   *nulls = palloc(sizeof(bool) * n);
	MemoryContext old;
	Datum		row;

	heap_deform_tuple(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, values, nulls);
	old = MemoryContextSwitchTo(context);
	*is_null = is_scalar && nulls[0];
	if (*is_null)
		row = (Datum) 0;
	else if (is_scalar)
		row = SPI_datumTransfer(values[0], TupleDescAttr(wanted, 0)->attbyval, TupleDescAttr(wanted, 0)->attlen);
	else
		row = SPI_datumTransfer(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(wanted), values, nulls)), false, -1);
	MemoryContextSwitchTo(old);
	return row;
}

PG_FUNCTION_INFO_V1(capforecast_host_row);
Datum
capforecast_host_row(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	char	   *template = template_of(fcinfo, 1);
	Arguments	arguments;
	HostStatement *statement;
	TupleDesc	wanted;
	bool		is_scalar;
	bool		is_null = true;
	Datum		row = (Datum) 0;
	Scope		scope;

	take_arguments(fcinfo, 2, &arguments);
	wanted = wanted_row(fcinfo, &is_scalar);
	scope_enter(&scope);
	statement = host_statement(template, HOST_LOOKUP, arguments.n, arguments.types);
	check_row(wanted, host_statement_result(statement));
	if (host_statement_run(statement, arguments.types, arguments.values, arguments.nulls, NULL) > 0)
		row = first_row(wanted, is_scalar, caller, &is_null);
	scope_leave(&scope);
	if (is_null)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(row);
}

PG_FUNCTION_INFO_V1(capforecast_host_execute);
Datum
capforecast_host_execute(PG_FUNCTION_ARGS)
{
	char	   *template = template_of(fcinfo, 0);
	Arguments	arguments;
	uint64		n;
	Scope		scope;

	take_arguments(fcinfo, 1, &arguments);
	scope_enter(&scope);
	n = host_statement_run(host_statement(template, HOST_WRITE, arguments.n, arguments.types),
						   arguments.types, arguments.values, arguments.nulls, NULL);
	scope_leave(&scope);
	PG_RETURN_INT64((int64) n);
}
