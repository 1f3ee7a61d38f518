/*
 * cf_status.c
 *		The text of each status code.
 */
#include "core/cf_core.h"

const char *
cf_status_text(CfStatus status)
{
	switch (status)
	{
		case CF_OK:
			return "ok";
		case CF_BAD_ARGUMENT:
			return "an argument is outside its range";
		case CF_TOO_FEW:
			return "there are too few points";
		case CF_NOT_FINITE:
			return "the input has a value that is not finite";
		case CF_STOPPED:
			return "stopped on request";
		case CF_TOO_BIG:
			return "the input is too large";
	}
	return "unrecognized status";
}
