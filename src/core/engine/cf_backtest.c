/*
 * cf_backtest.c
 *		Back-test: forecasts from earlier days, compared with what came.
 */
#include <math.h>

#include "core/engine/cf_backtest.h"

size_t
cf_backtest_worksize(int n, int horizon)
{
	size_t		forecast = cf_forecast_worksize(n, horizon);

	return forecast == 0 ? 0 : forecast + 3 * (size_t) horizon + CF_MAX_FOLDS * (sizeof(CfScore) / sizeof(double) + 1);
}

/* The origins that the history allows: the last, how many, and how far apart. */
typedef struct Origins
{
	int			last;
	int			n;
	int			distance;
} Origins;

static Origins
place_origins(int n, CfModel model, int horizon, int n_folds)
{
	Origins		origins = {n - horizon, 0, horizon};
	int			earliest = cf_model_entry(model)->min_points;

	earliest = earliest < 4 ? 4 : earliest;
	earliest = earliest < n / 4 ? n / 4 : earliest;
	if (origins.last < earliest)
		return origins;
	if (n_folds > 1 && (origins.last - earliest) / (n_folds - 1) < horizon)
		origins.distance = (origins.last - earliest) / (n_folds - 1);
	if (origins.distance < 1)
		origins.distance = 1;
	origins.n = 1 + (origins.last - earliest) / origins.distance;
	if (origins.n > n_folds)
		origins.n = n_folds;
	return origins;
}

static double *
row_of(double *rows, int row, int horizon, double *spare)
{
	return rows != NULL ? rows + (size_t) row * (size_t) horizon : spare;
}

CfStatus
cf_backtest(const double *y, int n, const CfOptions *options, int horizon, int n_folds, double level,
			const CfStop *stop, double *work, CfFold *folds, int *made, CfScore *total,
			double *yhat, double *lower, double *upper)
{
	Origins		origins;
	CfForecastInfo info;
	CfScore    *scores;
	double	   *spare;
	int			n_scores = 0;

	*made = 0;
	if (cf_backtest_worksize(n, horizon) == 0 || n_folds < 1 || n_folds > CF_MAX_FOLDS
		|| cf_model_entry(options->model) == NULL)
		return CF_BAD_ARGUMENT;
	origins = place_origins(n, options->model, horizon, n_folds);
	if (origins.n == 0)
		return CF_TOO_FEW;
	spare = work + cf_forecast_worksize(n, horizon);
	scores = (CfScore *) (spare + 3 * horizon);
	for (int f = 0; f < origins.n; f++)
	{
		CfFold	   *fold = &folds[f];
		double	   *mean = row_of(yhat, f, horizon, spare);
		double	   *low = row_of(lower, f, horizon, spare + horizon);
		double	   *high = row_of(upper, f, horizon, spare + 2 * horizon);
		double		absolute;
		double		square;

		fold->origin = origins.last - (origins.n - 1 - f) * origins.distance;
		fold->model = options->model;
		fold->status = cf_forecast(y, fold->origin, options, horizon, &level, 1, stop, work, mean, low, high, &info);
		if (fold->status == CF_STOPPED || fold->status == CF_BAD_ARGUMENT || fold->status == CF_NOT_FINITE)
			return fold->status;
		if (fold->status != CF_OK)
		{
			for (int k = 0; k < horizon; k++)
				mean[k] = low[k] = high[k] = (double) NAN;
			cf_score(y, mean, NULL, NULL, 0, level, (double) NAN, (double) NAN, &fold->score);
			continue;
		}
		cf_score_scale(y, fold->origin, info.season_length, &absolute, &square);
		cf_score(y + fold->origin, mean, low, high, horizon, level, absolute, square, &fold->score);
		scores[n_scores++] = fold->score;
	}
	*made = origins.n;
	cf_score_mean(scores, n_scores, total);
	return n_scores > 0 ? CF_OK : CF_TOO_FEW;
}
