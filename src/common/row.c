/*
 * row.c
 *		The row type that a function of ours fills, as SQL declares it.
 */
#include "postgres.h"

#include "common/row.h"

void
row_check(TupleDesc desc, int columns)
{
	if (desc->natts != columns)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the library and the SQL of capforecast are of different versions"),
				 errdetail("A row has %d columns in SQL, and %d in the library.", desc->natts, columns),
				 errhint("Run ALTER EXTENSION capforecast UPDATE, and connect again.")));
}

void
row_set(FunctionCallInfo fcinfo, int columns)
{
	InitMaterializedSRF(fcinfo, 0);
	row_check(((ReturnSetInfo *) fcinfo->resultinfo)->setDesc, columns);
}

TupleDesc
row_type(FunctionCallInfo fcinfo, int columns)
{
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the function returns a row, and is called where none can be returned")));
	row_check(desc, columns);
	return BlessTupleDesc(desc);
}

void
row_require(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}
