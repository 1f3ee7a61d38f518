/*
 * cf_future.h
 *		Simulated futures of a series in which something may have happened.
 *
 * Each future follows one component of the mixture of regimes (cf_regime): its pace or level, drawn with what is not
 * known of it, noise as it was, one-offs as often as they came, and the chance that an old pace or level comes back.
 */
#ifndef CF_FUTURE_H
#define CF_FUTURE_H

#include "core/cf_core.h"
#include "core/engine/cf_increment.h"
#include "core/engine/cf_paths.h"
#include "core/engine/cf_regime.h"

typedef struct CfFuture
{
	const CfFamily *family;
	const CfRegimes *regimes;
	const CfIncrements *inc;	/* of a stock */
	const CfPace *pace;			/* of a stock: what is thought of it without regimes */
	const double *y;			/* n values; a stock's grow */
	int			n;
	uint64_t	seed;
	bool		has_doubt;		/* the last value may be wrong: y[n - 1] is what would be usual, seen what came */
	double		seen;
	int			n_paths;
	int			period;			/* of a stock that falls back within each: its noise is drawn in phase; 0: it does not */
} CfFuture;

#define CF_FUTURE_VIEWS 0.8		/* futures of a stock that hold with all of its past, where nothing happened */

/*
 * Values of the steps after the last value, until one reaches the limit, at most steps of them; returns the step that
 * does; 0: none.  Stock: sign * value >= limit.  Level: sign * x >= sign * limit[is_log][step - 1], NULL: no limit; the
 * values are x of a plain form or of logs.
 */
extern int	cf_future_walk_stock(const CfFuture *f, int path, double sign, double limit, int steps, double *value);
extern int	cf_future_walk_level(const CfFuture *f, int path, double sign, const double *const *limit, int steps,
								 double *value, bool *is_log);

/* What x of a form is when the value at step n - 1 + k is y: the season out, and the mean; -HUGE where no log is so low. */
extern double cf_future_x(const CfFamily *family, bool is_log, int n, int k, double y);

/* The value whose x that is; and without the season. */
extern double cf_future_y(const CfFamily *family, bool is_log, int n, int k, double x);
extern double cf_future_unseasoned(const CfFamily *family, bool is_log, int n, int k, double x);

/* 1 where nothing happened, less where the past is no guide: how much weight views of the whole past deserve. */
extern double cf_future_calm(const CfRegimes *regimes, const CfComponent *c);

/* How plainly the only change of a history is one, 0 to 1; 0 where there are none or several. */
extern double cf_future_distinctness(const CfRegimes *regimes);

/* How far the newest pace is from the one before it, in standard deviations of the newest; 0 where there is none. */
extern double cf_future_turn(const CfRegimes *regimes);

/* The component that a path follows; paths are spread over the mixture by weight. */
extern const CfComponent *cf_future_component(const CfRegimes *regimes, int path, int n_paths);

#endif							/* CF_FUTURE_H */
