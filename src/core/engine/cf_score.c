/*
 * cf_score.c
 *		Error measures of forecasts.
 */
#include <math.h>

#include "core/engine/cf_score.h"

void
cf_score_scale(const double *y, int n, int lag, double *absolute, double *square)
{
	double		sum = 0.0;
	double		squares = 0.0;
	int			count = 0;

	for (int t = lag; t < n; t++)
	{
		double		d = y[t] - y[t - lag];

		if (isnan(d))
			continue;
		sum += fabs(d);
		squares += d * d;
		count++;
	}
	*absolute = count > 0 ? sum / count : (double) NAN;
	*square = count > 0 ? sqrt(squares / count) : (double) NAN;
}

static double
over(double value, double scale)
{
	return scale > 0.0 ? value / scale : (double) NAN;
}

void
cf_score(const double *actual, const double *yhat, const double *lower, const double *upper, int h,
		 double level, double absolute_scale, double square_scale, CfScore *score)
{
	CfScore		sum = {0};

	for (int k = 0; k < h; k++)
	{
		double		e = yhat[k] - actual[k];
		double		size = fabs(actual[k]) + fabs(yhat[k]);

		if (isnan(actual[k]))
			continue;
		sum.n++;
		sum.mae += fabs(e);
		sum.rmse += e * e;
		sum.bias += e;
		sum.smape += size > 0.0 ? 200.0 * fabs(e) / size : 0.0;
		if (lower == NULL || upper == NULL)
			continue;
		sum.coverage += lower[k] <= actual[k] && actual[k] <= upper[k];
		sum.width += upper[k] - lower[k];
		sum.interval_score += upper[k] - lower[k];
		if (actual[k] < lower[k])
			sum.interval_score += 2.0 / (1.0 - level) * (lower[k] - actual[k]);
		if (actual[k] > upper[k])
			sum.interval_score += 2.0 / (1.0 - level) * (actual[k] - upper[k]);
	}
	score->n = sum.n;
	score->mae = over(sum.mae, sum.n);
	score->rmse = sqrt(over(sum.rmse, sum.n));
	score->bias = over(sum.bias, sum.n);
	score->smape = over(sum.smape, sum.n);
	score->mase = over(score->mae, absolute_scale);
	score->rmsse = over(score->rmse, square_scale);
	score->coverage = lower != NULL && upper != NULL ? over(sum.coverage, sum.n) : (double) NAN;
	score->width = lower != NULL && upper != NULL ? over(sum.width, sum.n) : (double) NAN;
	score->interval_score = lower != NULL && upper != NULL ? over(sum.interval_score, sum.n) : (double) NAN;
	score->msis = over(score->interval_score, absolute_scale);
}

static void
add(double value, int n, double *sum, double *weight)
{
	if (isnan(value))
		return;
	*sum += n * value;
	*weight += n;
}

void
cf_score_mean(const CfScore *scores, int n_scores, CfScore *mean)
{
	double		sum[10] = {0};
	double		weight[10] = {0};
	int			n = 0;

	for (int i = 0; i < n_scores; i++)
	{
		const CfScore *s = &scores[i];

		n += s->n;
		add(s->mae, s->n, &sum[0], &weight[0]);
		add(s->rmse * s->rmse, s->n, &sum[1], &weight[1]);
		add(s->bias, s->n, &sum[2], &weight[2]);
		add(s->smape, s->n, &sum[3], &weight[3]);
		add(s->mase, s->n, &sum[4], &weight[4]);
		add(s->rmsse * s->rmsse, s->n, &sum[5], &weight[5]);
		add(s->coverage, s->n, &sum[6], &weight[6]);
		add(s->width, s->n, &sum[7], &weight[7]);
		add(s->interval_score, s->n, &sum[8], &weight[8]);
		add(s->msis, s->n, &sum[9], &weight[9]);
	}
	mean->n = n;
	mean->mae = over(sum[0], weight[0]);
	mean->rmse = sqrt(over(sum[1], weight[1]));
	mean->bias = over(sum[2], weight[2]);
	mean->smape = over(sum[3], weight[3]);
	mean->mase = over(sum[4], weight[4]);
	mean->rmsse = sqrt(over(sum[5], weight[5]));
	mean->coverage = over(sum[6], weight[6]);
	mean->width = over(sum[7], weight[7]);
	mean->interval_score = over(sum[8], weight[8]);
	mean->msis = over(sum[9], weight[9]);
}
