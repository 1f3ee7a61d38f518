/*
 * cf_waves.c
 *		Waves of a year of 365 days.
 *
 * Angles are turned from day to day by the sum formulas, so that neither a sine nor a cosine is called.
 */
#include "core/models/cf_waves.h"

/* of an angle of 2 pi / 365 */
#define COSINE 0.9998518392091162
#define SINE 0.017213356155834685

void
cf_waves_turn(int waves, CfWaves *turn)
{
	turn->cosine[0] = COSINE;
	turn->sine[0] = SINE;
	for (int k = 1; k < waves; k++)
	{
		turn->cosine[k] = turn->cosine[k - 1] * COSINE - turn->sine[k - 1] * SINE;
		turn->sine[k] = turn->sine[k - 1] * COSINE + turn->cosine[k - 1] * SINE;
	}
}

void
cf_waves_turn_on(int waves, CfWaves *angle, const CfWaves *turn)
{
	for (int k = 0; k < waves; k++)
	{
		double		cosine = angle->cosine[k] * turn->cosine[k] - angle->sine[k] * turn->sine[k];

		angle->sine[k] = angle->sine[k] * turn->cosine[k] + angle->cosine[k] * turn->sine[k];
		angle->cosine[k] = cosine;
	}
}

void
cf_waves_start(int waves, CfWaves *angle)
{
	for (int k = 0; k < waves; k++)
	{
		angle->cosine[k] = 1.0;
		angle->sine[k] = 0.0;
	}
}

void
cf_waves_take(const double *by_day, int waves, CfWaves *sum)
{
	CfWaves		turn;
	CfWaves		angle;

	cf_waves_turn(waves, &turn);
	cf_waves_start(waves, &angle);
	for (int k = 0; k < waves; k++)
		sum->cosine[k] = sum->sine[k] = 0.0;
	for (int d = 0; d < CF_WAVES_DAYS; d++)
	{
		for (int k = 0; k < waves; k++)
		{
			sum->cosine[k] += by_day[d] * angle.cosine[k];
			sum->sine[k] += by_day[d] * angle.sine[k];
		}
		cf_waves_turn_on(waves, &angle, &turn);
	}
	for (int k = 0; k < waves; k++)
	{
		sum->cosine[k] *= 2.0 / CF_WAVES_DAYS;
		sum->sine[k] *= 2.0 / CF_WAVES_DAYS;
	}
}

void
cf_waves_put(const CfWaves *sum, const double *share, int waves, double *by_day)
{
	CfWaves		turn;
	CfWaves		angle;
	CfWaves		part;

	cf_waves_turn(waves, &turn);
	cf_waves_start(waves, &angle);
	for (int k = 0; k < waves; k++)
	{
		double		s = share == NULL ? 1.0 : share[k];

		part.cosine[k] = s * sum->cosine[k];
		part.sine[k] = s * sum->sine[k];
	}
	for (int d = 0; d < CF_WAVES_DAYS; d++)
	{
		double		term[CF_WAVES_MOST];
		double		value = 0.0;

		for (int k = 0; k < waves; k++)
			term[k] = part.cosine[k] * angle.cosine[k] + part.sine[k] * angle.sine[k];
		for (int k = 0; k < waves; k++)
			value += term[k];
		by_day[d] = value;
		cf_waves_turn_on(waves, &angle, &turn);
	}
}
