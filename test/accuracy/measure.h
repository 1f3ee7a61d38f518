/*
 * measure.h
 *		What the tables of the accuracy program share.
 */
#ifndef ACCURACY_MEASURE_H
#define ACCURACY_MEASURE_H

#include <stddef.h>

#include "core/models/cf_models.h"
#include "data.h"

/* The lengths of history of the daily tasks: the cells of a table. */
#define N_CELLS 6
extern const int cell_lengths[N_CELLS];
extern int	cell_of(const Task *task);

/* Processor time used so far. */
extern double measure_seconds(void);

/* 0 or 1 by a hash of the series' name: a figure that holds in one half only is luck. */
extern int	measure_half(const char *id);

/* At least so many doubles of scratch, kept between calls. */
extern double *measure_workspace(size_t size);

extern void forecasts_m3(const Data *data, CfModel model);
extern void forecasts_daily(const Data *data, CfModel model, bool is_stock);
extern void forecasts_fresh(const Data *data);
extern void calendar(const Data *data);
extern void thresholds(const Data *data);

#endif							/* ACCURACY_MEASURE_H */
