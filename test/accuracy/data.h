/*
 * data.h
 *		The series, tasks and baselines that the accuracy program measures on.
 */
#ifndef ACCURACY_DATA_H
#define ACCURACY_DATA_H

#include <stdbool.h>

typedef struct Series
{
	char		id[96];
	char		group[16];		/* M3: frequency; capdaily: kind */
	int			season;			/* steps of a season; 1: none */
	int			horizon;		/* M3 */
	int			n;				/* values to learn from (capdaily: all) */
	int			n_test;			/* M3: values after them */
	int			first_day;		/* capdaily: day number of value[0] */
	double	   *value;			/* NaN: missing */
} Series;

#define N_BASELINES 4
extern const char *const baseline_names[N_BASELINES];

typedef struct Task
{
	const Series *series;
	bool		is_stock;
	int			origin;			/* index of the last value known */
	int			n;
	int			h;
	double		mase[N_BASELINES];	/* NaN: not in the file */
	double		msis[N_BASELINES];
} Task;

#define N_RIVALS 13
extern const char *const rival_names[N_RIVALS];

/* A task of fresh_tasks.csv: its own piece of a series. */
typedef struct FreshTask
{
	int			id;
	char		cell[40];
	char		series[96];
	char		freq;			/* M, W, D, H */
	int			season;
	bool		is_stock;
	int			n;
	int			h;
	int			first_day;		/* from 2000-01-01 */
	double	   *history;		/* NaN: missing */
	double	   *future;
	double		mase[N_RIVALS];	/* NaN: not in the file */
} FreshTask;

typedef struct Data
{
	Series	   *m3;
	int			n_m3;
	Series	   *daily;
	int			n_daily;
	Task	   *tasks;
	int			n_tasks;
	FreshTask  *fresh;
	int			n_fresh;
} Data;

/* Reads the files of a folder (plain or .gz); false, with a message, where one cannot be read. */
extern bool data_read(const char *folder, Data *data);

#endif							/* ACCURACY_DATA_H */
