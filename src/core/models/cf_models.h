/*
 * cf_models.h
 *		The table of models: what may be asked for by name.
 *
 * All of them but snaive see the values freed from the season, a pattern in which newer periods
 * weigh more; it is put back onto what they forecast.
 */
#ifndef CF_MODELS_H
#define CF_MODELS_H

#include "core/cf_core.h"

typedef enum CfModel
{
	CF_MODEL_AUTO = 0,			/* by kind and length: a combination of some of those below */
	CF_MODEL_SES,				/* level that moves, no trend */
	CF_MODEL_HOLT,				/* level and slope that move */
	CF_MODEL_DAMPED,			/* the same, slope dying away */
	CF_MODEL_ETS,				/* one of these three, by AICc */
	CF_MODEL_THETA,				/* half a line, half smoothing */
	CF_MODEL_DOTM,				/* dynamic optimised theta */
	CF_MODEL_DRIFT,				/* last value and mean increment */
	CF_MODEL_LOCAL_DRIFT,		/* last value and smoothed increments */
	CF_MODEL_LINE,				/* robust straight line (Theil-Sen) */
	CF_MODEL_SNAIVE,			/* the last season again */
	CF_MODEL_MEAN,				/* the mean */
	CF_MODEL_COUNT
} CfModel;

typedef struct CfModelEntry
{
	const char *name;
	int			min_points;		/* values that are not missing */
	const char *summary;		/* one line, for documentation and messages */
} CfModelEntry;

/* NULL where model is not a member of the table. */
extern const CfModelEntry *cf_model_entry(CfModel model);

/* By exact name; CF_MODEL_COUNT where there is none. */
extern CfModel cf_model_by_name(const char *name);

#endif							/* CF_MODELS_H */
