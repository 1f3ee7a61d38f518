/*
 * cf_evidence.h
 *		How likely values are as one regime: a level, a slope, or both, with noise.
 *
 * Linear regression with a normal-inverse-gamma prior: the marginal likelihood and the posterior in closed
 * form, from sums.  The prior means are 0; the precisions are in units of the noise.
 */
#ifndef CF_EVIDENCE_H
#define CF_EVIDENCE_H

#include "core/cf_core.h"

typedef enum CfTerms
{
	CF_TERMS_LEVEL,
	CF_TERMS_SLOPE,
	CF_TERMS_BOTH
} CfTerms;

/* Sums over the values of a regime: what is explained (z) and its two regressors. */
typedef struct CfSums
{
	int			n;
	double		zz;
	double		z1;				/* of z times the level's regressor */
	double		z2;				/* of z times the slope's */
	double		r11;
	double		r12;
	double		r22;
	double		ease;			/* what the slope's prior precision is multiplied by: 1, or less where it may be steeper */
	double		log_scale;		/* log of what the density is to be multiplied by (change of variables) */
} CfSums;

typedef struct CfPrior
{
	double		level;			/* precision */
	double		slope;
	double		shape;			/* of the noise's variance */
	double		rate;
	double		log_rate;
	const double *log_gamma;	/* of shape + n / 2, by n */
} CfPrior;

/* Level and slope are normal about these with the covariance v times the noise's variance, which is inverse gamma. */
typedef struct CfPosterior
{
	double		level;
	double		slope;
	double		root11;			/* lower triangular root of v */
	double		root21;
	double		root22;
	double		shape;
	double		rate;
} CfPosterior;

/* prior->log_gamma for 0 to n values goes to table[n + 1]. */
extern void cf_evidence_prior(double level, double slope, double shape, double noise, int n, double *table, CfPrior *prior);

extern double cf_evidence_log(const CfPrior *prior, const CfSums *sums, CfTerms terms);

/*
 * The same of counts: a rate a step, gamma, under Poisson counts whose variance is so many times the mean (dispersion).
 * prior: shape and rate.  In the posterior, slope is the mean rate, shape and rate those of the gamma.
 */
extern double cf_evidence_log_counts(const CfPrior *prior, double dispersion, double sum, int n);
extern void cf_evidence_posterior_counts(const CfPrior *prior, double dispersion, double sum, int n, CfPosterior *posterior);

extern void cf_evidence_posterior(const CfPrior *prior, const CfSums *sums, CfTerms terms, CfPosterior *posterior);

#endif							/* CF_EVIDENCE_H */
