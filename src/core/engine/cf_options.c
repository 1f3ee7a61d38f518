/*
 * cf_options.c
 *		What is asked of the engine where nothing else is said.
 */
#include <math.h>

#include "core/engine/cf_options.h"

void
cf_options_init(CfOptions *options)
{
	options->kind = CF_KIND_AUTO;
	options->model = CF_MODEL_AUTO;
	options->season_length = 0;
	options->season_hint = 0;
	options->has_days = false;
	options->first_day = 0;
	options->named = NULL;
	options->n_named = 0;
	options->is_additive = false;
	options->floor = (double) NAN;
	options->cap = (double) NAN;
	options->is_count = false;
}
