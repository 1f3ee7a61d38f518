/*
 * cf_combine.c
 *		Fits the models a forecast is made of, and combines them.
 *
 * Which models, and how they are combined, follows from the kind and the length of the series:
 *
 *		stock			the mean of two views of its pace, of the whole history and of late
 *		flow, or days	the median of simple smoothing, the smoothing family and dynamic
 *						theta: no single model can carry it away
 *		anything else	the mean of the smoothing family, dynamic theta and theta; of long
 *						series, weighted by their errors one to several steps ahead
 *
 * The smoothing family is level, linear and damped trend weighted by their Akaike weights
 * (Burnham & Anderson 2002): steadier than picking the best.  Short series get one model.
 */
#include <math.h>

#include "core/engine/cf_combine.h"
#include "core/models/cf_slope.h"
#include "core/models/cf_smooth.h"
#include "core/models/cf_theta.h"
#include "core/numerics/cf_num.h"

#define SHORT_FLOW 14			/* steps: below, simple smoothing */
#define SHORT_STOCK 8			/* below, drift */
#define SHORT_UNKNOWN 8
#define LONG_UNKNOWN 60			/* from here on errors are worth weighing by */
#define NO_ERROR 1e-18			/* mean square, of values of a magnitude about 1: a model without error stands alone */
#define SHORTEST 4				/* below, the mean, or drift */

size_t
cf_combine_worksize(int n)
{
	return 2 * CF_MAX_MEMBERS * (size_t) n + 2 * (size_t) n + cf_slope_worksize(n);
}

static CfMember *
add_member(CfCombination *c, CfModel model, double *memory)
{
	CfMember   *member = &c->member[c->n_members];

	member->model = model;
	member->phi = 1.0;
	member->weight = 1.0;
	member->level = memory + 2 * (size_t) c->n_members * (size_t) c->n;
	member->slope = member->level + c->n;
	c->n_members++;
	return member;
}

/* No slope steeper than three times the steepest stretch of up to 28 steps: bursts must not explode. */
static void
guard_slope(const CfPrepared *p, CfMember *member)
{
	int			stretch = p->n / 4 < 28 ? p->n / 4 : 28;
	double		steepest = 0.0;

	if (stretch < 1)
		return;
	for (int t = stretch; t < p->n; t++)
	{
		double		slope = fabs(p->z[t] - p->z[t - stretch]) / stretch;

		steepest = slope > steepest ? slope : steepest;
	}
	steepest *= 3.0;
	for (int t = 0; t < p->n; t++)
	{
		if (member->slope[t] > steepest)
			member->slope[t] = steepest;
		else if (member->slope[t] < -steepest)
			member->slope[t] = -steepest;
	}
}

static void
take_states(const CfPrepared *p, const CfSmooth *fit, CfMember *member)
{
	cf_smooth_states(fit, p->z, p->n, member->level, member->slope);
	member->phi = fit->phi;
	if (fit->form != CF_TREND_NONE)
		guard_slope(p, member);
}

/* SES, Holt and damped as three members, with their Akaike weights; true where one of them fits without error. */
static bool
fit_family(const CfPrepared *p, double *work, CfCombination *c)
{
	CfSmooth	fit[3];
	double		best = (double) INFINITY;
	double		sse = (double) INFINITY;
	double		sum = 0.0;

	for (int form = 0; form < 3; form++)
	{
		cf_smooth_fit(p->z, p->n, (CfTrendForm) form, &fit[form]);
		if (fit[form].aicc < best)
			best = fit[form].aicc;
		if (fit[form].sse < sse)
			sse = fit[form].sse;
	}
	for (int form = 0; form < 3; form++)
	{
		CfMember   *member = add_member(c, (CfModel) (CF_MODEL_SES + form), work);

		take_states(p, &fit[form], member);
		member->weight = isfinite(fit[form].aicc) ? cf_num_exp(0.5 * (best - fit[form].aicc)) : 0.0;
		sum += member->weight;
	}
	for (int form = 0; form < 3; form++)
		c->member[form].weight = sum > 0.0 ? c->member[form].weight / sum : form == 0 ? 1.0 : 0.0;
	return sse < NO_ERROR * p->n;
}

static void
fit_selected(const CfPrepared *p, CfMember *member)
{
	CfSmooth	best;

	cf_smooth_fit(p->z, p->n, CF_TREND_NONE, &best);
	for (int form = CF_TREND_LINEAR; form <= CF_TREND_DAMPED; form++)
	{
		CfSmooth	fit;

		cf_smooth_fit(p->z, p->n, (CfTrendForm) form, &fit);
		if (fit.aicc < best.aicc)
			best = fit;
	}
	take_states(p, &best, member);
}

static void
fit_drift(const CfPrepared *p, CfMember *member)
{
	for (int t = 0; t < p->n; t++)
	{
		member->level[t] = p->z[t];
		member->slope[t] = t == 0 ? 0.0 : (p->z[t] - p->z[0]) / t;
	}
}

/* Last value and smoothed increments: the pace of late. */
static void
fit_local_drift(const CfPrepared *p, double *increments, CfMember *member)
{
	for (int t = 1; t < p->n; t++)
		increments[t - 1] = p->z[t] - p->z[t - 1];
	member->slope[0] = 0.0;
	cf_smooth_average(increments, p->n - 1, member->slope + 1);
	for (int t = 0; t < p->n; t++)
		member->level[t] = p->z[t];
}

static void
fit_mean(const CfPrepared *p, CfMember *member)
{
	double		mean = 0.0;

	for (int t = 0; t < p->n; t++)
	{
		mean += (p->z[t] - mean) / (t + 1);
		member->level[t] = mean;
		member->slope[t] = 0.0;
	}
}

static void
fit_line(const CfPrepared *p, double *scratch, CfMember *member)
{
	double		slope;
	double		intercept;

	if (cf_slope_robust(p->z, p->n, scratch, &slope, &intercept) != CF_OK)
	{
		slope = 0.0;
		intercept = p->z[0];
	}
	for (int t = 0; t < p->n; t++)
	{
		member->level[t] = intercept + slope * t;
		member->slope[t] = slope;
	}
}

/* One model by its name; none of them fails on a short series, where it falls back on a simpler one. */
static void
fit_member(const CfPrepared *p, CfModel model, double *work, CfCombination *c)
{
	double	   *scratch = work + 2 * CF_MAX_MEMBERS * (size_t) c->n;
	CfMember   *member = add_member(c, model, work);
	CfSmooth	fit;

	if (p->n < SHORTEST && model != CF_MODEL_MEAN && model != CF_MODEL_LINE)
		model = CF_MODEL_DRIFT;
	switch (model)
	{
		case CF_MODEL_SES:
		case CF_MODEL_HOLT:
		case CF_MODEL_DAMPED:
			cf_smooth_fit(p->z, p->n, (CfTrendForm) (model - CF_MODEL_SES), &fit);
			take_states(p, &fit, member);
			break;
		case CF_MODEL_ETS:
			fit_selected(p, member);
			break;
		case CF_MODEL_THETA:
			cf_theta_states(p->z, p->n, scratch, member->level, member->slope);
			break;
		case CF_MODEL_DOTM:
			cf_dotm_states(p->z, p->n, scratch, member->level, member->slope);
			break;
		case CF_MODEL_LOCAL_DRIFT:
			fit_local_drift(p, scratch, member);
			break;
		case CF_MODEL_LINE:
			fit_line(p, scratch, member);
			break;
		case CF_MODEL_MEAN:
			fit_mean(p, member);
			break;
		default:
			fit_drift(p, member);
			break;
	}
}

static void
set_equal_weights(CfCombination *c)
{
	for (int i = 0; i < c->n_members; i++)
		c->member[i].weight = 1.0 / c->n_members;
}

/* What the smoothing family, dynamic theta and theta say one by one, from value t. */
static void
parts_at(const CfCombination *c, int t, const double *reach, double *part)
{
	part[0] = part[1] = part[2] = 0.0;
	for (int i = 0; i < 5; i++)
	{
		double		value = c->member[i].level[t] + c->member[i].slope[t] * reach[i];

		part[i < 3 ? 0 : i - 2] += i < 3 ? c->member[i].weight * value : value;
	}
}

/* Gives the three parts weights by the fourth power of the inverse of their mean error. */
static void
weigh_by_errors(const CfPrepared *p, CfCombination *c)
{
	static const int ahead[] = {1, 2, 3, 5, 8, 13};
	double		error[3] = {0.0, 0.0, 0.0};
	double		weight[3];

	for (int j = 0; j < 6; j++)
	{
		double		reach[CF_MAX_MEMBERS] = {0};
		double		sum[3] = {0.0, 0.0, 0.0};
		double		part[3];

		cf_combine_reach(c, ahead[j], reach);
		for (int t = p->n / 4; t + ahead[j] < p->n; t++)
		{
			parts_at(c, t, reach, part);
			for (int i = 0; i < 3; i++)
				sum[i] += fabs(p->z[t + ahead[j]] - part[i]);
		}
		for (int i = 0; i < 3; i++)
			error[i] += sum[i] / (p->n - ahead[j] - p->n / 4);
	}
	for (int i = 0; i < 3; i++)
	{
		double		ratio = error[i] > 1e-3 * error[0] ? error[0] / error[i] : error[0] > 0.0 ? 1e3 : 1.0;

		weight[i] = ratio * ratio * ratio * ratio;
	}
	for (int i = 0; i < 5; i++)
		c->member[i].weight *= weight[i < 3 ? 0 : i - 2] / (weight[0] + weight[1] + weight[2]);
}

static void
fit_auto(const CfPrepared *p, double *work, CfCombination *c)
{
	if (p->kind == CF_KIND_STOCK)
	{
		fit_member(p, CF_MODEL_DRIFT, work, c);
		if (p->n >= SHORT_STOCK)
			fit_member(p, CF_MODEL_LOCAL_DRIFT, work, c);
		set_equal_weights(c);
		return;
	}
	if (p->n < SHORTEST || p->is_constant)
	{
		fit_member(p, CF_MODEL_MEAN, work, c);
		return;
	}
	if (p->n < (p->is_flow ? SHORT_FLOW : SHORT_UNKNOWN))
	{
		fit_member(p, CF_MODEL_SES, work, c);
		return;
	}
	if (fit_family(p, work, c))
		return;
	fit_member(p, CF_MODEL_DOTM, work, c);
	c->is_median = p->is_flow;
	if (c->is_median)
		return;
	fit_member(p, CF_MODEL_THETA, work, c);
	if (p->n >= LONG_UNKNOWN)
	{
		weigh_by_errors(p, c);
		return;
	}
	for (int i = 0; i < c->n_members; i++)
		c->member[i].weight /= 3.0;
}

CfStatus
cf_combine_fit(const CfPrepared *p, CfModel model, int season_length, const CfStop *stop,
			   double *work, CfCombination *c)
{
	c->n = p->n;
	c->n_members = 0;
	c->lag = 0;
	c->x = p->x;
	c->is_median = false;
	if (cf_stop_requested(stop))
		return CF_STOPPED;
	if (model == CF_MODEL_AUTO)
		fit_auto(p, work, c);
	else
		fit_member(p, model, work, c);
	if (model == CF_MODEL_SNAIVE)
		c->lag = season_length > 1 && season_length < p->n ? season_length : 1;
	return CF_OK;
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

static double
seasonal_naive(const CfCombination *c, int t, int64_t k)
{
	int64_t		at = t + k - c->lag * ((k + c->lag - 1) / c->lag);

	return c->x[at < 0 ? 0 : at];
}

double
cf_combine_at(const CfCombination *c, int t, const double *reach)
{
	double		value[CF_MAX_MEMBERS];
	double		sum = 0.0;

	if (c->lag > 0)
		return seasonal_naive(c, t, (int64_t) reach[0]);
	for (int i = 0; i < c->n_members; i++)
		value[i] = c->member[i].level[t] + c->member[i].slope[t] * reach[i];
	if (c->is_median)
	{
		for (int i = 0; i < 3; i++)
			sum += c->member[i].weight * value[i];
		return median_of_three(value[0], sum, value[3]);
	}
	for (int i = 0; i < c->n_members; i++)
		sum += c->member[i].weight * value[i];
	return sum;
}
