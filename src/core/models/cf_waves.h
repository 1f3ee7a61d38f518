/*
 * cf_waves.h
 *		Waves of a year of 365 days: cosines and sines of whole numbers of turns.
 */
#ifndef CF_WAVES_H
#define CF_WAVES_H

#include "core/cf_core.h"

#define CF_WAVES_DAYS 365
#define CF_WAVES_MOST 18			/* the shortest of 20 days: a peak of a month is resolved */

typedef struct CfWaves
{
	double		cosine[CF_WAVES_MOST];
	double		sine[CF_WAVES_MOST];
} CfWaves;

/* Cosines and sines of the angles of a day's step, by wave; of day 0; of one day later. */
extern void cf_waves_turn(int waves, CfWaves *turn);
extern void cf_waves_start(int waves, CfWaves *angle);
extern void cf_waves_turn_on(int waves, CfWaves *angle, const CfWaves *turn);

/* The first so many waves in values by day of the year (CF_WAVES_DAYS of them). */
extern void cf_waves_take(const double *by_day, int waves, CfWaves *sum);

/* The first so many waves, each times its share (NULL: whole), by day of the year. */
extern void cf_waves_put(const CfWaves *sum, const double *share, int waves, double *by_day);

#endif							/* CF_WAVES_H */
