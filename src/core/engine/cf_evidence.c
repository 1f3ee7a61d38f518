/*
 * cf_evidence.c
 *		How likely values are as one regime.
 *
 * With X'X + K = L and m = L^-1 X'z: log evidence = -n/2 log 2 pi + (log |K| - log |L|) / 2 + a log b - a' log b'
 * + log Gamma(a') - log Gamma(a), a' = a + n / 2, b' = b + (z'z - m'X'z) / 2.
 *
 * Counts: log evidence = a log b - a' log b' + log Gamma(a') - log Gamma(a), a' = a + sum / dispersion,
 * b' = b + n / dispersion; what all ways to cut the same counts have in common is left out.
 */
#include <math.h>

#include "core/engine/cf_evidence.h"
#include "core/numerics/cf_gamma.h"
#include "core/numerics/cf_num.h"

#define HALF_LOG_TWO_PI 0.91893853320467274178

void
cf_evidence_prior(double level, double slope, double shape, double noise, int n, double *table, CfPrior *prior)
{
	prior->level = level;
	prior->slope = slope;
	prior->shape = shape;
	prior->rate = shape * noise * noise;
	prior->log_rate = cf_num_log(prior->rate);
	prior->log_gamma = table;
	for (int i = 0; i <= n; i++)
		table[i] = i < 2 ? cf_gamma_log(shape + i / 2.0) : table[i - 2] + cf_num_log(shape + i / 2.0 - 1.0);
}

/* What the prior and the sums give: determinant over the prior's, and the part of zz that is explained. */
static double
explained(const CfPrior *prior, const CfSums *s, CfTerms terms, double *determinant)
{
	double		l11 = s->r11 + prior->level;
	double		l22 = s->r22 + s->ease * prior->slope;
	double		d;

	switch (terms)
	{
		case CF_TERMS_LEVEL:
			*determinant = l11 / prior->level;
			return s->z1 * s->z1 / l11;
		case CF_TERMS_SLOPE:
			*determinant = l22 / (s->ease * prior->slope);
			return s->z2 * s->z2 / l22;
		default:
			d = l11 * l22 - s->r12 * s->r12;
			*determinant = d / (prior->level * s->ease * prior->slope);
			return (s->z1 * s->z1 * l22 - 2.0 * s->z1 * s->z2 * s->r12 + s->z2 * s->z2 * l11) / d;
	}
}

static double
rate_after(const CfPrior *prior, const CfSums *s, double part)
{
	double		left = s->zz - part;

	return prior->rate + (left > 0.0 ? left / 2.0 : 0.0);
}

double
cf_evidence_log(const CfPrior *prior, const CfSums *s, CfTerms terms)
{
	double		determinant;
	double		part = explained(prior, s, terms, &determinant);
	double		shape = prior->shape + s->n / 2.0;

	return s->log_scale - s->n * HALF_LOG_TWO_PI - 0.5 * cf_num_log(determinant)
		+ prior->shape * prior->log_rate - shape * cf_num_log(rate_after(prior, s, part))
		+ prior->log_gamma[s->n] - prior->log_gamma[0];
}

void
cf_evidence_posterior(const CfPrior *prior, const CfSums *s, CfTerms terms, CfPosterior *p)
{
	double		l11 = s->r11 + prior->level;
	double		l22 = s->r22 + s->ease * prior->slope;
	double		d = l11 * l22 - s->r12 * s->r12;
	double		unused;

	p->level = p->slope = p->root11 = p->root21 = p->root22 = 0.0;
	p->shape = prior->shape + s->n / 2.0;
	p->rate = rate_after(prior, s, explained(prior, s, terms, &unused));
	switch (terms)
	{
		case CF_TERMS_LEVEL:
			p->level = s->z1 / l11;
			p->root11 = sqrt(1.0 / l11);
			break;
		case CF_TERMS_SLOPE:
			p->slope = s->z2 / l22;
			p->root22 = sqrt(1.0 / l22);
			break;
		case CF_TERMS_BOTH:
			p->level = (s->z1 * l22 - s->z2 * s->r12) / d;
			p->slope = (s->z2 * l11 - s->z1 * s->r12) / d;
			p->root11 = sqrt(l22 / d);
			p->root21 = -s->r12 / d / p->root11;
			p->root22 = sqrt(1.0 / l22);
			break;
	}
}

double
cf_evidence_log_counts(const CfPrior *prior, double dispersion, double sum, int n)
{
	double		shape = prior->shape + sum / dispersion;

	return prior->shape * prior->log_rate - shape * cf_num_log(prior->rate + n / dispersion)
		+ cf_gamma_log(shape) - cf_gamma_log(prior->shape);
}

void
cf_evidence_posterior_counts(const CfPrior *prior, double dispersion, double sum, int n, CfPosterior *p)
{
	*p = (CfPosterior) {.shape = prior->shape + sum / dispersion, .rate = prior->rate + n / dispersion};
	p->slope = p->shape / p->rate;
	/* so that its standard deviation is found as that of any slope */
	p->root22 = p->slope / sqrt(p->rate);
}
