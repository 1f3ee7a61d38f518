/*
 * accuracy.c
 *		Measures the engine on real series: accuracy DIR [MODEL]
 *
 * DIR holds m3_info.csv, m3_long.csv, capdaily_info.csv, capdaily_long.csv,
 * capdaily_tasks.csv and capdaily_baselines.csv, plain or .gz: the 3003 series of the M3
 * competition; daily series with rolling origins, and the scores of other methods on the same tasks.
 * fresh_tasks.csv and fresh_baselines.csv: the same of hours, days, weeks and months, counts among them.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "measure.h"

const int	cell_lengths[N_CELLS] = {14, 28, 60, 90, 180, 365};

int
cell_of(const Task *task)
{
	int			cell = 0;

	while (cell < N_CELLS - 1 && cell_lengths[cell] != task->n)
		cell++;
	return cell;
}

double
measure_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

int
measure_half(const char *id)
{
	unsigned	hash = 2166136261u;

	for (; *id != '\0'; id++)
		hash = (hash ^ (unsigned char) *id) * 16777619u;
	return (int) (hash >> 16 & 1u);
}

double *
measure_workspace(size_t size)
{
	static double *work;
	static size_t work_size;

	if (size > work_size)
	{
		free(work);
		work = malloc(size * sizeof(double));
		work_size = size;
		if (work == NULL)
			exit(2);
	}
	return work;
}

int
main(int argc, char **argv)
{
	Data		data;
	CfModel		model = CF_MODEL_AUTO;

	if (argc < 2 || argc > 3)
	{
		fprintf(stderr, "usage: accuracy DIR [MODEL]\n");
		return 2;
	}
	if (argc == 3 && (model = cf_model_by_name(argv[2])) == CF_MODEL_COUNT)
	{
		fprintf(stderr, "no model \"%s\"\n", argv[2]);
		return 2;
	}
	if (!data_read(argv[1], &data))
		return 1;
	forecasts_m3(&data, model);
	forecasts_daily(&data, model, false);
	forecasts_daily(&data, model, true);
	if (model == CF_MODEL_AUTO)
	{
		forecasts_fresh(&data);
		calendar(&data);
	}
	thresholds(&data);
	return 0;
}
