/*
 * cf_frame.h
 *		What the calendar has been taken out of values by: value = factor x + shift, step by step.
 */
#ifndef CF_FRAME_H
#define CF_FRAME_H

#include "core/cf_core.h"

typedef struct CfFrame
{
	const double *factor;		/* by step of the series as given, the steps ahead too; above 0 */
	const double *shift;
	double		widen;			/* of errors: the calendar was fitted to what it is taken out of */
} CfFrame;

/* The x of a value at a step; NULL: no frame. */
static inline double
cf_frame_inside(const CfFrame *frame, int64_t step, double value)
{
	return frame == NULL ? value : (value - frame->shift[step]) / frame->factor[step];
}

static inline double
cf_frame_widen(const CfFrame *frame)
{
	return frame == NULL ? 1.0 : frame->widen;
}

#endif							/* CF_FRAME_H */
