/*
 * cf_core.h
 *		What every part of the core shares: status codes, the cancel hook, kinds.
 *
 * The core is numbers in, numbers out.  It includes no server header, allocates
 * nothing, reads no clock, keeps no state between calls: the caller owns every
 * array, and scratch memory is passed in (each module says how much it needs in
 * a *_worksize function, counted in doubles).  The same input gives the same
 * bits on every build, which is why the core is compiled with
 * -ffp-contract=off and never with -ffast-math.
 */
#ifndef CF_CORE_H
#define CF_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum CfStatus
{
	CF_OK = 0,
	CF_BAD_ARGUMENT,			/* an argument outside its documented range */
	CF_TOO_FEW,					/* fewer points than the method needs */
	CF_NOT_FINITE,				/* NaN or infinity in the input */
	CF_STOPPED,					/* the poll hook asked to stop */
	CF_TOO_BIG					/* sizes beyond the documented limits */
} CfStatus;

/* One line of English for a status, for messages and test output. */
extern const char *cf_status_text(CfStatus status);

/*
 * Cancel hook: anything that may run longer than about 1 ms calls poll(arg) now
 * and then and returns CF_STOPPED when it answers true.  poll may be NULL.
 */
typedef struct CfStop
{
	bool		(*poll) (void *arg);
	void	   *arg;
} CfStop;

static inline bool
cf_stop_requested(const CfStop *stop)
{
	return stop != NULL && stop->poll != NULL && stop->poll(stop->arg);
}

/*
 * A stock is a level that accumulates (vendors, rows, bytes); a flow is an
 * amount per day (orders); a gauge is a level that goes up and down (connections, load), of
 * which there is nothing to add up.  They want different models.
 */
typedef enum CfKind
{
	CF_KIND_AUTO = 0,			/* infer from the data */
	CF_KIND_STOCK,
	CF_KIND_FLOW,
	CF_KIND_GAUGE
} CfKind;

#endif							/* CF_CORE_H */
