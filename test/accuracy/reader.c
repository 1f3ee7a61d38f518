/*
 * reader.c
 *		Reads comma-separated files, plain or compressed.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reader.h"

bool
reader_open(Reader *r, const char *folder, const char *name)
{
	char		command[2048];

	snprintf(command, sizeof(command), "%s/%s", folder, name);
	if (access(command, R_OK) == 0)
		snprintf(command, sizeof(command), "cat '%s/%s'", folder, name);
	else
		snprintf(command, sizeof(command), "gzip -dc '%s/%s.gz'", folder, name);
	r->line = NULL;
	r->size = 0;
	r->file = popen(command, "r");
	if (r->file == NULL || getline(&r->line, &r->size, r->file) < 0)
	{
		fprintf(stderr, "cannot read %s in %s\n", name, folder);
		return false;
	}
	return true;
}

bool
reader_next(Reader *r)
{
	char	   *from;
	char	   *to;
	bool		is_quoted = false;

	if (getline(&r->line, &r->size, r->file) < 0)
	{
		pclose(r->file);
		free(r->line);
		return false;
	}
	from = to = r->line;
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

int
reader_day(const char *date)
{
	int			y = atoi(date);
	int			m = atoi(date + 5);
	int			d = atoi(date + 8);

	y -= m <= 2;
	m += m <= 2 ? 9 : -3;
	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + d;
}

void *
reader_grown(void *array, int n, size_t size)
{
	if ((n & (n - 1)) == 0)
		array = realloc(array, (n == 0 ? 1 : 2 * (size_t) n) * size);
	if (array == NULL)
		exit(2);
	return array;
}
