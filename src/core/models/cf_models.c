/*
 * cf_models.c
 *		The table of models.
 */
#include <string.h>

#include "core/models/cf_models.h"

static const CfModelEntry entries[CF_MODEL_COUNT] = {
	[CF_MODEL_AUTO] = {"auto", 1, "combination chosen by the kind and the length of the series"},
	[CF_MODEL_SES] = {"ses", 4, "simple exponential smoothing: a level that moves, no trend"},
	[CF_MODEL_HOLT] = {"holt", 6, "Holt's method: a level and a slope that move"},
	[CF_MODEL_DAMPED] = {"damped", 8, "Holt's method with a slope that dies away"},
	[CF_MODEL_ETS] = {"ets", 8, "ses, holt or damped, whichever the corrected Akaike criterion prefers"},
	[CF_MODEL_THETA] = {"theta", 4, "theta method: half a straight line, half exponential smoothing"},
	[CF_MODEL_DOTM] = {"dotm", 6, "dynamic optimised theta model"},
	[CF_MODEL_DRIFT] = {"drift", 2, "last value and mean increment"},
	[CF_MODEL_LOCAL_DRIFT] = {"local_drift", 4, "last value and smoothed increments"},
	[CF_MODEL_LINE] = {"theil_sen", 3, "robust straight line: median of the slopes between pairs of points"},
	[CF_MODEL_SNAIVE] = {"snaive", 2, "the last season again; without a season, the last value"},
	[CF_MODEL_MEAN] = {"mean", 1, "the mean of all values"},
};

const CfModelEntry *
cf_model_entry(CfModel model)
{
	return (int) model >= 0 && model < CF_MODEL_COUNT ? &entries[model] : NULL;
}

CfModel
cf_model_by_name(const char *name)
{
	for (int i = 0; i < CF_MODEL_COUNT; i++)
		if (strcmp(entries[i].name, name) == 0)
			return (CfModel) i;
	return CF_MODEL_COUNT;
}
