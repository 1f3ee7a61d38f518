/*
 * cf_form.h
 *		The ways to look at values as a regime: a stock's pace; a level, plain or in logs, that forgets its errors.
 */
#ifndef CF_FORM_H
#define CF_FORM_H

#include "core/cf_core.h"
#include "core/engine/cf_evidence.h"
#include "core/engine/cf_increment.h"

#define CF_MAX_FORMS 8

/*
 * z[t] = x[t] - memory x[t - 1] is explained by the level (regressor 1 - memory) and the slope (u - memory (u - 1),
 * u = t - the regime's last step).  A stock is memory 1 of the sum of its paces: only the slope is left.
 */
typedef struct CfForm
{
	int			first;			/* the first step with a value: 1 for a stock */
	int			n;
	double		memory;
	bool		is_log;
	double		noise_size;
	double		range;			/* how far x moves */
	double		mean;			/* taken out of x */
	const double *x;			/* NULL: a stock */
	const double *z;
	const double *noise;		/* standardised innovations, first noise_from */
	int			noise_from;
	double		widen;			/* of the noise: the season was fitted to it */
	double		log_first;		/* log of the first step's scale, sqrt(1 - memory^2) */
	double		last_off;		/* x less its running line, at the last step */
	double	   *sum_z;			/* before each step, n + 1 of them */
	double	   *sum_tz;
	double	   *sum_zz;
	double	   *sum_x;			/* of logs; else NULL */
	double		dispersion;		/* of a stock that moves rarely: variance of its increments over their mean; else 0 */
	CfPrior		prior;
} CfForm;

/* A set of forms that compete. */
typedef struct CfFamily
{
	int			n_forms;
	CfForm		form[CF_MAX_FORMS];
	bool		is_stock;
	double		shift;			/* logs are of value + shift */
	int			period;
	double	   *season[2];		/* of the level, by step mod period: plain, logs; NULL: none */
} CfFamily;

extern size_t cf_form_worksize(int n, int period, int ahead);

extern void cf_form_stock(const CfIncrements *inc, double *work, CfFamily *family);

/* How a level is to be looked at. */
typedef struct CfLevelTask
{
	int			period;			/* of the season; 1: none */
	int			ahead;			/* steps after the last that will be asked about */
	double		widen;			/* of the noise: a calendar was fitted to the values before */
	bool		allow_log;		/* no value is negative */
	bool		is_look;		/* one memory only, for cf_regime_look */
} CfLevelTask;

extern void cf_form_level(const double *y, int n, const CfLevelTask *task, double *work, CfFamily *family);

/* How likely steps s to e - 1 are as one regime, and what is then known of it. */
extern double cf_form_evidence(const CfForm *form, int s, int e, CfTerms terms);
extern void cf_form_posterior(const CfForm *form, int s, int e, CfTerms terms, CfPosterior *posterior);

/* Sums of steps s to e - 1 as one regime whose last step is e - 1. */
extern void cf_form_sums(const CfForm *form, int s, int e, CfSums *sums);

/*
 * The same for the last regime with a slope that grows (bend > 0) or fades by the factor e^bend a step: x moves by
 * slope (e^(bend k) - 1) / bend.  Start by cf_form_bend_start; each cf_form_bend goes back to an earlier start, so that
 * many starts cost one pass.
 */
typedef struct CfBend
{
	double		bend;
	double		factor;			/* e^-bend: a step back */
	double		growth;			/* e^(bend u) of the next step to add */
	int			from;			/* steps from here on are added */
	CfSums		added;
} CfBend;

extern void cf_form_bend_start(const CfForm *form, double bend, CfBend *b);
extern void cf_form_bend(const CfForm *form, int s, CfBend *b, CfSums *sums);

#endif							/* CF_FORM_H */
