/* Rolling origins. */
#include "core/engine/cf_backtest.h"
#include "made.h"
#include "tap.h"

#define N 100
#define H 7

int
main(void)
{
	double		y[N];
	double		yhat[5 * H];
	double		lower[5 * H];
	double		upper[5 * H];
	CfFold		folds[CF_MAX_FOLDS];
	CfScore		total;
	CfOptions	o;
	CfForecastInfo info;
	int			made;
	double		alone[H];
	double	   *work = tap_memory(cf_backtest_worksize(N, H));

	cf_options_init(&o);
	o.season_hint = 7;
	for (int t = 0; t < N; t++)
		y[t] = 3.0 * t;
	ok(cf_backtest(y, N, &o, H, 5, 0.9, NULL, work, folds, &made, &total, yhat, lower, upper) == CF_OK && made == 5, "five folds");
	ok(folds[4].origin == N - H && folds[0].origin == N - 5 * H, "one horizon apart, the last ends with the series");
	ok(total.mae < 1e-6 && total.coverage == 1.0 && total.n == 5 * H, "a line is forecast without error");
	cf_forecast(y, N - H, &o, H, NULL, 0, NULL, work, alone, NULL, NULL, &info);
	ok(memcmp(alone, yhat + 4 * H, sizeof(alone)) == 0, "a fold is the forecast of that day");
	made_flow(y, N, 50.0, 0.0, 10.0, 3.0, 6);
	cf_backtest(y, N, &o, H, 20, 0.9, NULL, work, folds, &made, &total, NULL, NULL, NULL);
	ok(made == 20 && folds[1].origin - folds[0].origin < H && folds[0].origin >= N / 4, "folds overlap where history is short");
	ok(total.mase > 0.0 && total.mase < 1.0, "better than the last week: MASE %.2f", total.mase);
	ok(total.coverage > 0.75 && total.coverage <= 1.0, "90 %% intervals hold %.2f", total.coverage);
	ok(cf_backtest(y, 10, &o, H, 3, 0.9, NULL, work, folds, &made, &total, NULL, NULL, NULL) == CF_TOO_FEW && made == 0,
	   "too short for a single fold");
	ok(cf_backtest(y, N, &o, H, 0, 0.9, NULL, work, folds, &made, &total, NULL, NULL, NULL) == CF_BAD_ARGUMENT, "no folds are refused");
	ok(cf_model_by_name("theil_sen") == CF_MODEL_LINE && cf_model_by_name("Auto") == CF_MODEL_COUNT, "models by exact name");
	ok(cf_model_entry(CF_MODEL_COUNT) == NULL && cf_model_entry(CF_MODEL_AUTO)->min_points == 1, "the table of models");
	free(work);
	return tap_done();
}
