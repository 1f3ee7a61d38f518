/*
 * cf_band.h
 *		Where simulated futures lie, by step: their median and the range that holds a share of them.
 */
#ifndef CF_BAND_H
#define CF_BAND_H

#include "core/cf_core.h"
#include "core/engine/cf_insight.h"
#include "core/engine/cf_options.h"

typedef struct CfBand
{
	bool		is_value;		/* values as they are (of saw-teeth); else prepared ones (CfPrepared.x) */
	int			steps;
	double	   *middle;			/* steps */
	double	   *lower;			/* n_levels rows of steps */
	double	   *upper;
} CfBand;

extern size_t cf_band_worksize(int steps);

/* For 1 to steps after the last value.  Everything in *band points into work.  CF_STOPPED. */
extern CfStatus cf_band_find(const CfPrepared *p, const CfInsight *insight, int steps, const double *levels, int n_levels,
							 const CfStop *stop, double *work, CfBand *band);

/* Steps that the futures are to be asked about for so many: the insight's task->ahead. */
extern int	cf_band_ahead(int steps);

#endif							/* CF_BAND_H */
