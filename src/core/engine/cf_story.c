/*
 * cf_story.c
 *		What has happened in a series.
 *
 * The single most likely past (cf_regime) is told where it is much more likely than no change at all.  Where a pace has
 * long been growing or fading, its pieces are no events.
 */
#include <math.h>

#include "core/engine/cf_insight.h"
#include "core/engine/cf_story.h"
#include "core/numerics/cf_num.h"

#define LIKELY 3.0				/* log odds worth a word: 20 to 1 */
#define MEANINGFUL 1.5			/* ratio of two paces */
#define STOPPED 0.1				/* of the pace before */

/* x of a form at a step of a segment. */
static double
fitted(const CfSegment *s, int t)
{
	return s->fit.level + s->fit.slope * (t - (s->end - 1));
}

static double
value_of(const CfForm *form, const CfFamily *family, double x)
{
	return form->is_log ? cf_num_exp(x + form->mean) - family->shift : x + form->mean;
}

/* Slope of a segment in values a step, where it ends. */
static double
slope_of(const CfForm *form, const CfSegment *s)
{
	return form->is_log ? s->fit.slope * cf_num_exp(s->fit.level + form->mean) : s->fit.slope;
}

/* A change between two pieces of a level: of the level, or of its slope, whichever tells more within a month. */
static void
tell_level(const CfInsight *in, const CfSegment *before, const CfSegment *after, int lead, bool is_last, CfEvents *events)
{
	const CfForm *f = &in->family.form[before->form];
	const CfForm *g = &in->family.form[after->form];
	double		jump = value_of(g, &in->family, fitted(after, after->start))
		- value_of(f, &in->family, fitted(before, after->start));
	double		turn = slope_of(g, after) - slope_of(f, before);
	int			length = after->end - after->start < 30 ? after->end - after->start : 30;

	if (fabs(jump) >= fabs(turn) * length)
		cf_event_add(events, CF_EVENT_LEVEL, lead + after->start, jump, 0);
	else if (is_last && fabs(slope_of(g, after)) < STOPPED * fabs(slope_of(f, before)))
		cf_event_add(events, CF_EVENT_STOPPED, lead + after->start, 0.0, 0);
	else
		cf_event_add(events, CF_EVENT_PACE, lead + after->start, turn, 0);
}

static void
tell_pace(const CfInsight *in, const CfSegment *before, const CfSegment *after, int lead, bool is_last, CfEvents *events)
{
	double		a = before->fit.slope;
	double		b = after->fit.slope;

	if (is_last && fabs(b) < STOPPED * fabs(a))
		cf_event_add(events, CF_EVENT_STOPPED, lead + after->start, 0.0, 0);
	else if (a * b <= 0.0 || fabs(a) > MEANINGFUL * fabs(b) || fabs(b) > MEANINGFUL * fabs(a))
		cf_event_add(events, CF_EVENT_PACE, lead + after->start, in->grows * (b - a), 0);
}

/* How likely the present pace has been growing (1) or fading (-1) for long, and since when. */
static double
bent_share(const CfRegimes *r, double direction, double *start)
{
	double		share = 0.0;

	*start = 0.0;
	for (int i = 0; i < r->n_components; i++)
	{
		if (!(r->component[i].bend * direction > 0.0))
			continue;
		share += r->component[i].weight;
		*start += r->component[i].weight * r->component[i].start;
	}
	*start = share > 0.0 ? *start / share : 0.0;
	return share;
}

static void
tell_regimes(const CfPrepared *p, const CfInsight *in, CfEvents *events)
{
	const CfRegimes *r = &in->regimes;
	double		start;
	double		until = p->n;

	if (bent_share(r, -1.0, &start) > 0.5)
	{
		cf_event_add(events, CF_EVENT_SATURATES, p->lead + (int) start, 0.0, 0);
		until = start;
	}
	else if (bent_share(r, 1.0, &start) > 0.5)
		until = start;
	if (r->log_odds < LIKELY)
		return;
	for (int i = 1; i < r->n_segments; i++)
	{
		const CfSegment *after = &r->segment[i];
		bool		is_last = i == r->n_segments - 1;

		if (after->start > until)
			continue;
		if (in->is_stock)
			tell_pace(in, after - 1, after, p->lead, is_last, events);
		else
			tell_level(in, after - 1, after, p->lead, is_last, events);
	}
}

void
cf_story_tell(const CfPrepared *p, const CfInsight *in, CfEvents *events)
{
	events->n = 0;
	for (int i = 0; i < p->glitches.n; i++)
	{
		int			t = p->glitches.index[i];
		bool		is_wrong = in->is_stock || (p->glitches.is_last && t == p->n - 1);

		cf_event_add(events, is_wrong ? CF_EVENT_WRONG_VALUE : CF_EVENT_ONE_OFF, p->lead + t, p->glitches.seen[i] - p->y[t], 0);
	}
	if (in->is_stock)
		for (int i = 0; i < in->inc.n_one_offs; i++)
			cf_event_add(events, CF_EVENT_ONE_OFF, p->lead + in->inc.one_off_at[i], in->grows * in->inc.one_off[i], 0);
	if (p->teeth.end != CF_TOOTH_NONE)
		cf_event_add(events, CF_EVENT_FALLS_BACK, p->lead + p->teeth.last_fall, 0.0,
					 p->teeth.end == CF_TOOTH_MONTH ? 1 - p->teeth.months : p->teeth.period);
	if (in->has_regimes)
		tell_regimes(p, in, events);
}
