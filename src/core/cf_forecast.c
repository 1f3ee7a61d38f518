/*
 * cf_forecast.c
 *		Forecast of a regular series: prepare, fit, combine, bound.
 */
#include <math.h>

#include "cf_combine.h"
#include "cf_forecast.h"
#include "cf_interval.h"
#include "cf_num.h"
#include "cf_prepare.h"

void
cf_options_init(CfOptions *options)
{
	options->kind = CF_KIND_AUTO;
	options->model = CF_MODEL_AUTO;
	options->season_length = 0;
	options->season_hint = 0;
	options->floor = (double) NAN;
	options->cap = (double) NAN;
	options->is_count = false;
}

size_t
cf_forecast_worksize(int n, int horizon)
{
	if (n < 0 || n > CF_MAX_POINTS || horizon < 1 || horizon > CF_MAX_HORIZON)
		return 0;
	return cf_prepare_worksize(n, CF_MAX_SEASON) + cf_combine_worksize(n) + cf_interval_worksize(n, horizon)
		+ CF_MAX_LEVELS * (size_t) (horizon + n);
}

CfStatus
cf_forecast(const double *y, int n, const CfOptions *options, int horizon,
			const double *levels, int n_levels, const CfStop *stop, double *work,
			double *yhat, double *lower, double *upper, CfForecastInfo *info)
{
	CfPrepared	p;
	CfCombination c;
	CfStatus	status = cf_prepare(y, n, options, stop, work, &p);
	double	   *radius;
	int			ahead;

	if (status != CF_OK)
		return status;
	work += cf_prepare_worksize(n, CF_MAX_SEASON);
	cf_combine_fit(&p, options->model, work, &c);
	work += cf_combine_worksize(n);
	ahead = horizon + p.trail;
	radius = work + cf_interval_worksize(n, horizon);
	if (lower != NULL)
	{
		status = cf_interval_radius(&p, &c, ahead, levels, n_levels, stop, work, radius);
		if (status != CF_OK)
			return status;
	}
	for (int h = 0; h < horizon; h++)
	{
		int			k = h + p.trail + 1;
		double		reach[CF_MAX_MEMBERS];
		double		x;

		cf_combine_reach(&c, k, reach);
		x = cf_combine_at(&c, p.n - 1, reach);
		yhat[h] = cf_prepare_restore(&p, p.n - 1 + k, x);
		if (!isnan(options->floor) && yhat[h] < options->floor)
			yhat[h] = options->floor;
		for (int l = 0; l < n_levels && lower != NULL; l++)
		{
			double		r = cf_prepare_restore_width(&p, p.n - 1 + k, radius[l * ahead + k - 1]);

			lower[l * horizon + h] = yhat[h] - r;
			upper[l * horizon + h] = yhat[h] + r;
			if (!isnan(options->floor) && lower[l * horizon + h] < options->floor)
				lower[l * horizon + h] = options->floor;
		}
	}
	info->kind = p.kind;
	info->season_length = p.season.period;
	return CF_OK;
}
