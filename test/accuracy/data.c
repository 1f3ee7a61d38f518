/*
 * data.c
 *		Reads the comma-separated files of the accuracy program, plain or compressed.
 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data.h"

#define MAX_FIELDS 12

const char *const baseline_names[N_BASELINES] = {"ols", "snaive", "ets", "theta"};

typedef struct Reader
{
	FILE	   *file;
	char		line[1024];
	char	   *field[MAX_FIELDS];
	int			n_fields;
} Reader;

static bool
reader_open(Reader *r, const char *folder, const char *name)
{
	char		command[2048];

	snprintf(command, sizeof(command), "%s/%s", folder, name);
	if (access(command, R_OK) == 0)
		snprintf(command, sizeof(command), "cat '%s/%s'", folder, name);
	else
		snprintf(command, sizeof(command), "gzip -dc '%s/%s.gz'", folder, name);
	r->file = popen(command, "r");
	if (r->file == NULL || fgets(r->line, sizeof(r->line), r->file) == NULL)
	{
		fprintf(stderr, "cannot read %s in %s\n", name, folder);
		return false;
	}
	return true;
}

/* The next line, split at commas outside quotes; quotes are dropped. */
static bool
reader_next(Reader *r)
{
	char	   *from = r->line;
	char	   *to = r->line;
	bool		is_quoted = false;

	if (fgets(r->line, sizeof(r->line), r->file) == NULL)
	{
		pclose(r->file);
		return false;
	}
	r->n_fields = 1;
	r->field[0] = to;
	for (; *from != '\0' && *from != '\n' && *from != '\r'; from++)
	{
		if (*from == '"')
			is_quoted = !is_quoted;
		else if (*from == ',' && !is_quoted && r->n_fields < MAX_FIELDS)
		{
			*to++ = '\0';
			r->field[r->n_fields++] = to;
		}
		else
			*to++ = *from;
	}
	*to = '\0';
	return true;
}

static void *
grown(void *array, int n, size_t size)
{
	if ((n & (n - 1)) == 0)
		array = realloc(array, (n == 0 ? 1 : 2 * (size_t) n) * size);
	if (array == NULL)
		exit(2);
	return array;
}

static int
day_number(const char *date)
{
	int			y = atoi(date);
	int			m = atoi(date + 5);
	int			d = atoi(date + 8);

	y -= m <= 2;
	m += m <= 2 ? 9 : -3;
	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + d;
}

static Series *
add_series(Series **list, int *n, const char *id, const char *group)
{
	Series	   *s;

	*list = grown(*list, *n, sizeof(Series));
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
		int			day = day_number(r.field[1]);

		s = find(data->daily, data->n_daily, r.field[0], near);
		if (s == NULL)
			continue;
		near = (int) (s - data->daily);
		if (s->n == 0)
			s->first_day = day;
		while (s->n <= day - s->first_day)
		{
			s->value = grown(s->value, s->n, sizeof(double));
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
		data->tasks = grown(data->tasks, data->n_tasks, sizeof(Task));
		task = &data->tasks[data->n_tasks++];
		task->series = s;
		task->origin = day_number(r.field[1]) - s->first_day;
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
				|| task->origin != day_number(r.field[1]) - task->series->first_day)
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

bool
data_read(const char *folder, Data *data)
{
	memset(data, 0, sizeof(*data));
	return read_m3(folder, data) && read_daily(folder, data) && read_tasks(folder, data);
}
