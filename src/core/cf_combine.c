/*
 * cf_combine.c
 *		Several models' states, and what they say together.
 */
#include <math.h>

#include "cf_combine.h"
#include "cf_num.h"
#include "cf_smooth.h"
#include "cf_theta.h"

size_t
cf_combine_worksize(int n)
{
	return (2 * CF_MAX_MEMBERS + 2) * (size_t) n;
}

static CfMember *
add_member(CfCombination *c, CfModel model, double *memory)
{
	CfMember   *member = &c->member[c->n_members];

	member->model = model;
	member->phi = 1.0;
	member->level = memory + 2 * (size_t) c->n_members * (size_t) c->n;
	member->slope = member->level + c->n;
	c->weight[c->n_members++] = 1.0;
	return member;
}

static void
fit_smooth(const CfPrepared *p, const CfSmooth *fit, CfMember *member)
{
	cf_smooth_states(fit, p->x, p->n, member->level, member->slope);
	member->phi = fit->phi;
}

static void
fit_ets(const CfPrepared *p, CfMember *member)
{
	CfSmooth	best;

	cf_smooth_fit(p->x, p->n, CF_TREND_NONE, &best);
	for (int form = CF_TREND_LINEAR; form <= CF_TREND_DAMPED; form++)
	{
		CfSmooth	fit;

		cf_smooth_fit(p->x, p->n, (CfTrendForm) form, &fit);
		if (fit.aicc < best.aicc)
			best = fit;
	}
	fit_smooth(p, &best, member);
}

static void
fit_drift(const CfPrepared *p, CfMember *member)
{
	for (int t = 0; t < p->n; t++)
	{
		member->level[t] = p->x[t];
		member->slope[t] = t == 0 ? 0.0 : (p->x[t] - p->x[0]) / t;
	}
}

static void
fit_mean(const CfPrepared *p, CfMember *member)
{
	double		mean = 0.0;

	for (int t = 0; t < p->n; t++)
	{
		mean += (p->x[t] - mean) / (t + 1);
		member->level[t] = mean;
		member->slope[t] = 0.0;
	}
}

static void
fit_member(const CfPrepared *p, CfModel model, double *work, CfCombination *c)
{
	double	   *scratch = work + 2 * CF_MAX_MEMBERS * (size_t) c->n;
	CfMember   *member = add_member(c, model, work);
	CfSmooth	fit;
	double		sse;

	switch (model)
	{
		case CF_MODEL_SES:
		case CF_MODEL_HOLT:
		case CF_MODEL_DAMPED:
			cf_smooth_fit(p->x, p->n, (CfTrendForm) (model - CF_MODEL_SES), &fit);
			fit_smooth(p, &fit, member);
			break;
		case CF_MODEL_ETS:
			fit_ets(p, member);
			break;
		case CF_MODEL_THETA:
			cf_theta_states(p->x, p->n, scratch, member->level, member->slope);
			break;
		case CF_MODEL_DOTM:
			cf_dotm_states(p->x, p->n, scratch, member->level, member->slope, &sse);
			break;
		case CF_MODEL_MEAN:
			fit_mean(p, member);
			break;
		default:
			fit_drift(p, member);
			break;
	}
}

void
cf_combine_fit(const CfPrepared *p, CfModel model, double *work, CfCombination *c)
{
	c->n = p->n;
	c->n_members = 0;
	c->is_median = false;
	if (model != CF_MODEL_AUTO)
		fit_member(p, model, work, c);
	else if (p->kind == CF_KIND_STOCK)
	{
		fit_member(p, CF_MODEL_DRIFT, work, c);
		if (p->n >= 8)
		{
			fit_member(p, CF_MODEL_ETS, work, c);
			fit_member(p, CF_MODEL_DOTM, work, c);
		}
	}
	else if (p->n < 8)
		fit_member(p, p->n < 4 ? CF_MODEL_MEAN : CF_MODEL_SES, work, c);
	else
	{
		fit_member(p, CF_MODEL_ETS, work, c);
		fit_member(p, CF_MODEL_DOTM, work, c);
		fit_member(p, CF_MODEL_THETA, work, c);
		c->is_median = true;
	}
}

void
cf_combine_reach(const CfCombination *c, int k, double *reach)
{
	for (int i = 0; i < c->n_members; i++)
		reach[i] = cf_smooth_reach(c->member[i].phi, k);
}

static double
median_of_three(double a, double b, double c)
{
	double		lo = a < b ? a : b;
	double		hi = a < b ? b : a;

	return c < lo ? lo : c > hi ? hi : c;
}

double
cf_combine_at(const CfCombination *c, int t, const double *reach)
{
	double		value[CF_MAX_MEMBERS];
	double		sum = 0.0;
	double		weights = 0.0;

	for (int i = 0; i < c->n_members; i++)
	{
		value[i] = c->member[i].level[t] + c->member[i].slope[t] * reach[i];
		sum += c->weight[i] * value[i];
		weights += c->weight[i];
	}
	if (c->is_median && c->n_members == 3)
		return median_of_three(value[0], value[1], value[2]);
	if (c->is_median)
		return cf_num_median(value, c->n_members);
	return sum / weights;
}
