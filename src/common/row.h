/*
 * row.h
 *		The row type that a function of ours fills, as SQL declares it.
 *
 * The library and the SQL that declares its functions can be of two versions: between the
 * installation of one and ALTER EXTENSION, or in a restored database.  Then a function
 * whose rows have got wider or narrower refuses, instead of reading past its arrays.
 */
#ifndef CAPFORECAST_ROW_H
#define CAPFORECAST_ROW_H

#include "funcapi.h"

/* InitMaterializedSRF, for rows of so many columns. */
extern void row_set(FunctionCallInfo fcinfo, int columns);

/* The blessed row type of a function that returns one row. */
extern TupleDesc row_type(FunctionCallInfo fcinfo, int columns);

/* Does it have so many columns?  Otherwise an error (55000). */
extern void row_check(TupleDesc desc, int columns);

/* 22004 where an argument is NULL that must not be. */
extern void row_require(FunctionCallInfo fcinfo, int argument, const char *name);

#endif							/* CAPFORECAST_ROW_H */
