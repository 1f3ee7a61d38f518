/*
 * data.c
 *		Reads the comma-separated files of the accuracy program, plain or compressed.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"
#include "reader.h"

const char *const rival_names[N_RIVALS] = {"naive", "snaive", "drift", "ols", "ets", "ces", "dot", "scum3", "mstl", "mfles",
"tsb", "sba", "imapa"};
const char *const baseline_names[N_BASELINES] = {"ols", "snaive", "ets", "theta"};

static Series *
add_series(Series **list, int *n, const char *id, const char *group)
{
	Series	   *s;

	*list = reader_grown(*list, *n, sizeof(Series));
	s = &(*list)[(*n)++];
	memset(s, 0, sizeof(*s));
	snprintf(s->id, sizeof(s->id), "%s", id);
	snprintf(s->group, sizeof(s->group), "%s", group);
	return s;
}

static Series *
find(Series *list, int n, const char *id, int near)
{
	for (int i = 0; i < n; i++)
	{
		Series	   *s = &list[(near + i) % n];

		if (strcmp(s->id, id) == 0)
			return s;
	}
	return NULL;
}

static bool
read_m3(const char *folder, Data *data)
{
	Reader		r;
	int			near = 0;

	if (!reader_open(&r, folder, "m3_info.csv"))
		return false;
	while (reader_next(&r))
	{
		Series	   *s = add_series(&data->m3, &data->n_m3, r.field[0], r.field[1]);

		s->season = atoi(r.field[2]);
		s->horizon = atoi(r.field[3]);
		s->n = atoi(r.field[4]);
		s->value = calloc((size_t) (s->n + s->horizon), sizeof(double));
	}
	if (!reader_open(&r, folder, "m3_long.csv"))
		return false;
	while (reader_next(&r))
	{
		Series	   *s = find(data->m3, data->n_m3, r.field[0], near);
		int			t = atoi(r.field[2]) - 1;

		if (s == NULL)
			continue;
		near = (int) (s - data->m3);
		if (strcmp(r.field[1], "test") == 0)
		{
			if (t >= s->n)
				t -= s->n;
			if (t < s->horizon)
				s->value[s->n + t] = atof(r.field[3]);
			if (t + 1 > s->n_test)
				s->n_test = t + 1;
		}
		else if (t < s->n)
			s->value[t] = atof(r.field[3]);
	}
	return true;
}

static bool
read_daily(const char *folder, Data *data)
{
	Reader		r;
	Series	   *s = NULL;
	int			near = 0;

	if (!reader_open(&r, folder, "capdaily_info.csv"))
		return false;
	while (reader_next(&r))
	{
		s = add_series(&data->daily, &data->n_daily, r.field[0], r.field[1]);
		s->season = 7;
		s->n = 0;
	}
	if (!reader_open(&r, folder, "capdaily_long.csv"))
		return false;
	while (reader_next(&r))
	{
		int			day = reader_day(r.field[1]);

		s = find(data->daily, data->n_daily, r.field[0], near);
		if (s == NULL)
			continue;
		near = (int) (s - data->daily);
		if (s->n == 0)
			s->first_day = day;
		while (s->n <= day - s->first_day)
		{
			s->value = reader_grown(s->value, s->n, sizeof(double));
			s->value[s->n++] = (double) NAN;
		}
		s->value[day - s->first_day] = strcmp(r.field[2], "NA") == 0 ? (double) NAN : atof(r.field[2]);
	}
	return true;
}

static bool
read_tasks(const char *folder, Data *data)
{
	Reader		r;
	int			near = 0;

	if (!reader_open(&r, folder, "capdaily_tasks.csv"))
		return false;
	while (reader_next(&r))
	{
		Series	   *s = find(data->daily, data->n_daily, r.field[0], 0);
		Task	   *task;

		if (s == NULL)
			continue;
		data->tasks = reader_grown(data->tasks, data->n_tasks, sizeof(Task));
		task = &data->tasks[data->n_tasks++];
		task->series = s;
		task->origin = reader_day(r.field[1]) - s->first_day;
		task->is_stock = strcmp(r.field[2], "stock") == 0;
		task->n = atoi(r.field[3]);
		task->h = atoi(r.field[4]);
		for (int b = 0; b < N_BASELINES; b++)
			task->mase[b] = task->msis[b] = (double) NAN;
	}
	if (!reader_open(&r, folder, "capdaily_baselines.csv"))
		return false;
	while (reader_next(&r))
	{
		for (int i = 0; i < data->n_tasks; i++)
		{
			Task	   *task = &data->tasks[(near + i) % data->n_tasks];

			if (task->n != atoi(r.field[3]) || task->h != atoi(r.field[4])
				|| strcmp(task->series->id, r.field[0]) != 0
				|| task->origin != reader_day(r.field[1]) - task->series->first_day)
				continue;
			near = (int) (task - data->tasks);
			for (int b = 0; b < N_BASELINES; b++)
			{
				if (strcmp(r.field[5], baseline_names[b]) != 0)
					continue;
				task->mase[b] = strcmp(r.field[7], "NA") == 0 ? (double) NAN : atof(r.field[7]);
				task->msis[b] = strcmp(r.field[8], "NA") == 0 ? (double) NAN : atof(r.field[8]);
			}
			break;
		}
	}
	return true;
}

/* Values between blanks; what is not a number is missing. */
static double *
read_values(char *text, int n)
{
	double	   *value = calloc((size_t) n, sizeof(double));

	if (value == NULL)
		exit(2);
	for (int i = 0; i < n; i++)
	{
		char	   *end;

		value[i] = strtod(text, &end);
		if (end == text)
		{
			value[i] = (double) NAN;
			end += strcspn(end, " ");
		}
		text = end + strspn(end, " ");
	}
	return value;
}

static bool
read_fresh(const char *folder, Data *data)
{
	Reader		r;
	int			near = 0;

	if (!reader_open(&r, folder, "fresh_tasks.csv"))
		return false;
	while (reader_next(&r))
	{
		FreshTask  *t;

		data->fresh = reader_grown(data->fresh, data->n_fresh, sizeof(FreshTask));
		t = &data->fresh[data->n_fresh++];
		*t = (FreshTask) {.id = atoi(r.field[0]), .freq = r.field[4][0], .season = atoi(r.field[5]),
			.is_stock = strcmp(r.field[6], "stock") == 0, .n = atoi(r.field[7]), .h = atoi(r.field[8])};
		snprintf(t->cell, sizeof(t->cell), "%s %s", r.field[1], r.field[2]);
		snprintf(t->series, sizeof(t->series), "%s", r.field[3]);
		t->first_day = reader_day(r.field[9]) - reader_day("2000-01-01");
		t->history = read_values(r.field[10], t->n);
		t->future = read_values(r.field[11], t->h);
		for (int b = 0; b < N_RIVALS; b++)
			t->mase[b] = (double) NAN;
	}
	if (!reader_open(&r, folder, "fresh_baselines.csv"))
		return false;
	while (reader_next(&r))
		for (int i = 0; i < data->n_fresh; i++)
		{
			FreshTask  *t = &data->fresh[(near + i) % data->n_fresh];

			if (t->id != atoi(r.field[0]))
				continue;
			near = (int) (t - data->fresh);
			for (int b = 0; b < N_RIVALS; b++)
				if (strcmp(r.field[1], rival_names[b]) == 0 && r.field[3][0] != '\0')
					t->mase[b] = atof(r.field[3]);
			break;
		}
	return true;
}

bool
data_read(const char *folder, Data *data)
{
	memset(data, 0, sizeof(*data));
	return read_m3(folder, data) && read_daily(folder, data) && read_tasks(folder, data) && read_fresh(folder, data);
}
