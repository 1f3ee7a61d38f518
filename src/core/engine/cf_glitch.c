/*
 * cf_glitch.c
 *		Wrong values: single ones that their neighbours deny.
 *
 * Within a history: a value far from the middle of its neighbours, which agree with one another, or a few steps of next
 * to nothing between values of a kind.  Where there are many, that is how the series moves, and none is one.  At
 * the end: a value that is out of all proportion, and like no step there has been; the next one will tell.
 */
#include <math.h>

#include "core/engine/cf_glitch.h"
#include "core/numerics/cf_num.h"

#define FEWEST 8				/* values: below, nothing is usual */
#define FEWEST_FOR_OUTAGE 42	/* below, what is next to nothing may come again */
#define FAR 8.0					/* robust standard deviations of a step */
#define AGREE 0.15				/* the neighbours, against the distance to the value */
#define LARGE 0.6				/* of the level: a moderate one may well be true */
#define NOTHING 0.02				/* of the value before */
#define ALIKE (1.0 / 3.0)			/* days of a week differ */
#define LONGEST_OUTAGE 5			/* steps */
#define LAST_LARGE 0.5
#define LIKE_BEFORE 0.4			/* of the last step: there has been one like it */

/* Robust standard deviation of the steps, and their median. */
static double
usual_step(const double *y, int n, double *work, double *median)
{
	double		size;
	double		sum = 0.0;

	for (int t = 1; t < n; t++)
		work[t - 1] = y[t] - y[t - 1];
	*median = cf_num_median(work, n - 1);
	for (int t = 0; t < n - 1; t++)
		sum += fabs(work[t] - *median);
	size = cf_num_mad(work, n - 1, *median);
	sum *= 0.05 / (n - 1);
	return size > sum ? size : sum;
}

static bool
is_denied(const double *y, int t, double far)
{
	double		expected = y[t - 1] + (y[t + 1] - y[t - 1]) / 2.0;
	double		off = fabs(y[t] - expected);

	return off > far && fabs(y[t + 1] - y[t - 1]) < AGREE * off && off > LARGE * fabs(expected);
}

/*
 * How many values from step t on are next to nothing between two that are not, and that agree more or less: something was
 * off for a few steps.  0: it was not, or it is not over.
 */
static int
outage_length(const double *y, int n, int t)
{
	double		most = NOTHING * fabs(y[t - 1]);
	int			length = 0;

	while (length <= LONGEST_OUTAGE && t + length < n && fabs(y[t + length]) <= most)
		length++;
	if (n < FEWEST_FOR_OUTAGE || length > LONGEST_OUTAGE || t + length >= n || !(most > 0.0))
		return 0;
	return y[t + length] / y[t - 1] > ALIKE && y[t - 1] / y[t + length] > ALIKE ? length : 0;
}

static bool
is_last_in_doubt(const double *y, int n, int period, double far)
{
	double		step = y[n - 1] - y[n - 2];
	int			before = n - 1 - (period > 1 ? period : 7);

	if (!(fabs(step) > far) || !(fabs(step) > LAST_LARGE * fabs(y[n - 2])))
		return false;
	if (before >= 0 && fabs(y[n - 1] - y[before]) < 0.5 * fabs(step))
		return false;
	for (int t = 1; t < n - 1; t++)
		if ((y[t] - y[t - 1]) * (step > 0.0 ? 1.0 : -1.0) > LIKE_BEFORE * fabs(step))
			return false;
	return true;
}

/* A straight line over each run of wrong values. */
static void
mend(double *y, const CfGlitches *glitches)
{
	for (int i = 0; i < glitches->n;)
	{
		int			t = glitches->index[i];
		int			length = 1;
		double		step;

		while (i + length < glitches->n && glitches->index[i + length] == t + length)
			length++;
		step = (y[t + length] - y[t - 1]) / (length + 1);
		for (int j = 0; j < length; j++)
			y[t + j] = y[t - 1] + step * (j + 1);
		i += length;
	}
}

void
cf_glitch_mend(double *y, int n, int period, double *work, CfGlitches *glitches)
{
	int			most = 2 + n / 60 < CF_MAX_GLITCHES - 1 ? 2 + n / 60 : CF_MAX_GLITCHES - 1;
	int			events = 0;
	double		median;
	double		far;

	glitches->n = 0;
	glitches->is_last = false;
	if (n < FEWEST)
		return;
	far = FAR * usual_step(y, n, work, &median);
	for (int t = 1; t < n - 1; t++)
	{
		int			length = is_denied(y, t, far) ? 1 : outage_length(y, n, t);

		if (length == 0)
			continue;
		if (events == most || glitches->n + length >= CF_MAX_GLITCHES)
		{
			glitches->n = 0;
			break;
		}
		events++;
		for (int i = 0; i < length; i++)
		{
			glitches->index[glitches->n] = t + i;
			glitches->seen[glitches->n++] = y[t + i];
		}
		t += length;
	}
	mend(y, glitches);
	if (!is_last_in_doubt(y, n, period, far))
		return;
	glitches->is_last = true;
	glitches->index[glitches->n] = n - 1;
	glitches->seen[glitches->n++] = y[n - 1];
	y[n - 1] = y[n - 2] + median;
}
