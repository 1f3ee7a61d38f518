/*
 * cf_regime.c
 *		Since when does the present regime hold?
 *
 * Regimes follow one another with a chance of change a step (product partition, Barry & Hartigan 1993); the
 * evidence of all ways to cut what went before is summed by a forward recursion (Fearnhead 2006) over a
 * grid of starts that is fine of late and coarse long ago, a tenth of the age: that a regime began 200 steps ago or
 * 210 does not matter.  The same with the best instead of the sum is the single most likely past.
 */
#include <math.h>

#include "core/engine/cf_regime.h"
#include "core/numerics/cf_num.h"

#define MAX_STARTS 160
#define LEAST_LAST 3			/* steps of the last regime */
#define LEAST_BENT 28			/* steps that show that a pace grows or fades */
#define STEEP 0.015				/* doubling in less than 7 weeks: weeks after a change look like it, and are not */
#define LEAST_STEEP 56
#define CHANGE (1.0 / 150.0)	/* chance a step that a regime ends: regimes, 17 x 100 made series, flat from 0.003 to 0.014 */
#define FLAT 0.6				/* of levels; with a slope: the rest */
#define N_BENDS 11
#define NEGLIGIBLE 14.0			/* log of the weight over the largest */

static const double bends[N_BENDS] = {0.003, 0.0055, 0.008, 0.011, 0.015, 0.0195, 0.0245, -0.01, -0.02, -0.04, -0.08};

#define STAYS 0.84				/* chance that a pace neither grows nor fades; of those that grow, fade together */
#define GROWS 0.104
#define FADES 0.056

typedef struct Starts
{
	int			n;
	int			at[MAX_STARTS];	/* ascending; the first is the first value */
	double		log_before[MAX_STARTS];	/* evidence of all that came before */
	double		best_before[MAX_STARTS];
	int			best_from[MAX_STARTS];
	int			best_way[MAX_STARTS];	/* form * 2 + (1: both terms) */
} Starts;

static int
next_age(int age)
{
	return age < 12 ? age + 1 : age < 28 ? age + 2 : age < 56 ? age + 4 : age < 112 ? age + 8 : age + age / 10;
}

static int
next_coarse_age(int age)
{
	return age + 3 + age / 3;
}

static void
choose_starts(int first, int n, int (*next) (int), Starts *starts)
{
	int			age[MAX_STARTS];
	int			count = 0;

	for (int a = LEAST_LAST; a < n - first - 1 && count < MAX_STARTS - 1; a = next(a))
		age[count++] = a;
	starts->n = 0;
	starts->at[starts->n++] = first;
	for (int i = count - 1; i >= 0; i--)
		starts->at[starts->n++] = n - age[i];
}

size_t
cf_regime_worksize(int n)
{
	(void) n;
	/* each start: forms twice, and bends of each */
	return (size_t) MAX_STARTS * CF_MAX_FORMS * (2 + N_BENDS) * ((sizeof(CfComponent) + sizeof(double) - 1) / sizeof(double));
}

static double
log_add(double a, double b)
{
	double		hi = a > b ? a : b;
	double		lo = a > b ? b : a;

	return hi - lo > 40.0 ? hi : hi + cf_num_log(1.0 + cf_num_exp(lo - hi));
}

/* Log evidence of steps s to e - 1 as one regime, over all ways (sum), and the best of them. */
static double
segment_evidence(const CfFamily *family, int s, int e, double *best, int *best_way)
{
	static const double log_flat = -0.51082562376599072;	/* log 0.6 */
	static const double log_sloped = -0.91629073187415511;	/* log 0.4 */
	double		value[2 * CF_MAX_FORMS] = {0.0};
	double		sum = 0.0;
	int			count = 0;
	int			top = 0;

	for (int f = 0; f < family->n_forms; f++)
	{
		const CfForm *form = &family->form[f];
		CfSums		sums;

		if (family->is_stock)
			value[count++] = cf_form_evidence(form, s, e, CF_TERMS_SLOPE);
		else
		{
			cf_form_sums(form, s, e, &sums);
			value[count++] = log_flat + cf_evidence_log(&form->prior, &sums, CF_TERMS_LEVEL);
			value[count++] = log_sloped + cf_evidence_log(&form->prior, &sums, CF_TERMS_BOTH);
		}
	}
	for (int i = 1; i < count; i++)
		if (value[i] > value[top])
			top = i;
	*best = value[top];
	*best_way = top;
	if (family->is_stock)
		return value[0];
	for (int i = 0; i < count; i++)
		if (value[i] > value[top] - NEGLIGIBLE)
			sum += cf_num_exp(value[i] - value[top]);
	return value[top] + cf_num_log(sum / family->n_forms);
}

static CfStatus
sum_pasts(const CfFamily *family, const CfStop *stop, Starts *starts)
{
	double		stay = cf_num_log(1.0 - CHANGE);

	starts->log_before[0] = starts->best_before[0] = 0.0;
	starts->best_from[0] = -1;
	for (int j = 1; j < starts->n; j++)
	{
		double		chance = cf_num_log(CHANGE * (starts->at[j] - starts->at[j - 1]));

		if (j % 8 == 0 && cf_stop_requested(stop))
			return CF_STOPPED;
		for (int i = 0; i < j; i++)
		{
			double		best;
			int			way;
			double		prior = chance + (starts->at[j] - starts->at[i]) * stay;
			double		sum = segment_evidence(family, starts->at[i], starts->at[j], &best, &way) + prior;

			sum += starts->log_before[i];
			best += starts->best_before[i] + prior;
			starts->log_before[j] = i == 0 ? sum : log_add(starts->log_before[j], sum);
			if (i == 0 || best > starts->best_before[j])
			{
				starts->best_before[j] = best;
				starts->best_from[j] = i;
				starts->best_way[j] = way;
			}
		}
	}
	return CF_OK;
}

static void
add_component(CfRegimes *r, int start, int form, CfTerms terms, double bend, double log_weight)
{
	r->component[r->n_components++] = (CfComponent) {start, form, terms, bend, log_weight};
}

/* The last regime of each start, in each form, that stays as it is. */
static void
add_straight(const CfFamily *family, const Starts *starts, CfRegimes *r)
{
	double		stay = cf_num_log(1.0 - CHANGE);
	int			n = family->form[0].n;

	for (int i = 0; i < starts->n; i++)
	{
		int			s = starts->at[i];
		double		before = starts->log_before[i] + (n - s) * stay;
		double		straight = n - s >= LEAST_BENT ? cf_num_log(STAYS) : 0.0;

		for (int f = 0; f < family->n_forms; f++)
		{
			const CfForm *form = &family->form[f];
			CfSums		sums;

			if (family->is_stock)
				add_component(r, s, f, CF_TERMS_SLOPE, 0.0, before + straight + cf_form_evidence(form, s, n, CF_TERMS_SLOPE));
			else
			{
				cf_form_sums(form, s, n, &sums);
				add_component(r, s, f, CF_TERMS_LEVEL, 0.0,
							  before + cf_num_log(FLAT) + cf_evidence_log(&form->prior, &sums, CF_TERMS_LEVEL));
				add_component(r, s, f, CF_TERMS_BOTH, 0.0,
							  before + straight + cf_num_log(1.0 - FLAT) + cf_evidence_log(&form->prior, &sums, CF_TERMS_BOTH));
			}
		}
	}
}

/* The same with a pace that grows or fades.  A level in logs grows by compounding as it is. */
static void
add_bent(const CfFamily *family, const Starts *starts, double bend, CfRegimes *r)
{
	double		stay = cf_num_log(1.0 - CHANGE);
	double		chance = cf_num_log(bend > 0.0 ? GROWS / 7.0 : FADES / 4.0);
	int			n = family->form[0].n;

	for (int f = 0; f < family->n_forms; f++)
	{
		const CfForm *form = &family->form[f];
		CfBend		back;

		if ((form->is_log && bend > 0.0) || (!family->is_stock && bend > STEEP) || form->dispersion > 0.0)
			continue;
		cf_form_bend_start(form, bend, &back);
		for (int i = starts->n - 1; i >= 0; i--)
		{
			int			s = starts->at[i];
			CfSums		sums;

			if (n - s < (bend > STEEP ? LEAST_STEEP : LEAST_BENT))
				continue;
			cf_form_bend(form, s, &back, &sums);
			add_component(r, s, f, family->is_stock ? CF_TERMS_SLOPE : CF_TERMS_BOTH, bend,
						  starts->log_before[i] + (n - s) * stay + chance
						  + (family->is_stock ? cf_evidence_log(&form->prior, &sums, CF_TERMS_SLOPE)
							 : cf_num_log(1.0 - FLAT) + cf_evidence_log(&form->prior, &sums, CF_TERMS_BOTH)));
		}
	}
}

/* Logs to weights; what weighs next to nothing is left out. */
static void
normalise(CfRegimes *r)
{
	double		top = r->component[0].weight;
	double		sum = 0.0;
	int			kept = 0;

	for (int i = 1; i < r->n_components; i++)
		if (r->component[i].weight > top)
			top = r->component[i].weight;
	for (int i = 0; i < r->n_components; i++)
	{
		if (r->component[i].weight < top - NEGLIGIBLE)
			continue;
		r->component[kept] = r->component[i];
		r->component[kept].weight = cf_num_exp(r->component[i].weight - top);
		sum += r->component[kept++].weight;
	}
	r->n_components = kept;
	for (int i = 0; i < kept; i++)
		r->component[i].weight /= sum;
}

static void
take_way(const CfFamily *family, int way, CfSegment *segment)
{
	segment->form = family->is_stock ? 0 : way / 2;
	segment->terms = family->is_stock ? CF_TERMS_SLOPE : way % 2 == 0 ? CF_TERMS_LEVEL : CF_TERMS_BOTH;
}

/* Backwards along the best; the segments in order of time. */
static void
most_likely_past(const CfFamily *family, const Starts *starts, CfRegimes *r)
{
	double		stay = cf_num_log(1.0 - CHANGE);
	double		top = 0.0;
	double		unchanged = 0.0;
	int			n = family->form[0].n;
	int			last = -1;
	int			last_way = 0;
	int			end = n;
	int			at = CF_MAX_SEGMENTS;

	for (int i = 0; i < starts->n; i++)
	{
		double		best;
		int			way;
		double		value;

		(void) segment_evidence(family, starts->at[i], n, &best, &way);
		value = starts->best_before[i] + best + (n - starts->at[i]) * stay;
		if (i == 0)
			unchanged = value;
		if (last < 0 || value > top)
		{
			top = value;
			last = i;
			last_way = way;
		}
	}
	r->log_odds = top - unchanged;
	r->n_all = 0;
	for (int i = last; i >= 0; last_way = starts->best_way[i], i = starts->best_from[i])
	{
		CfSegment  *segment;

		r->n_all++;
		if (at > 0)
		{
			segment = &r->segment[--at];
			segment->start = starts->at[i];
			segment->end = end;
			take_way(family, last_way, segment);
			cf_form_posterior(&family->form[segment->form], segment->start, end, segment->terms, &segment->fit);
		}
		end = starts->at[i];
		if (i == 0)
			break;
	}
	r->n_segments = CF_MAX_SEGMENTS - at;
	for (int i = 0; i < r->n_segments; i++)
		r->segment[i] = r->segment[at + i];
}

CfStatus
cf_regime_find(const CfFamily *family, const CfStop *stop, double *work, CfRegimes *r)
{
	Starts		starts;
	CfStatus	status;

	r->component = (CfComponent *) work;
	r->n_components = 0;
	choose_starts(family->form[0].first, family->form[0].n, next_age, &starts);
	status = sum_pasts(family, stop, &starts);
	if (status != CF_OK)
		return status;
	add_straight(family, &starts, r);
	for (int b = 0; b < N_BENDS; b++)
	{
		if (cf_stop_requested(stop))
			return CF_STOPPED;
		add_bent(family, &starts, bends[b], r);
	}
	normalise(r);
	most_likely_past(family, &starts, r);
	return CF_OK;
}

void
cf_regime_fit(const CfFamily *family, const CfComponent *component, CfPosterior *fit)
{
	const CfForm *form = &family->form[component->form];
	CfSums		sums = {0};
	CfBend		back;

	if (component->bend == 0.0)
	{
		cf_form_posterior(form, component->start, form->n, component->terms, fit);
		return;
	}
	cf_form_bend_start(form, component->bend, &back);
	cf_form_bend(form, component->start, &back, &sums);
	cf_evidence_posterior(&form->prior, &sums, component->terms, fit);
}

double
cf_regime_look(const CfFamily *family)
{
	Starts		starts;
	CfRegimes	r;

	choose_starts(family->form[0].first, family->form[0].n, next_coarse_age, &starts);
	(void) sum_pasts(family, NULL, &starts);
	most_likely_past(family, &starts, &r);
	return r.log_odds;
}
