/*
 * reader.h
 *		Comma-separated files, plain or compressed.
 */
#ifndef ACCURACY_READER_H
#define ACCURACY_READER_H

#include <stdbool.h>
#include <stdio.h>

#define MAX_FIELDS 12

typedef struct Reader
{
	FILE	   *file;
	char	   *line;
	size_t		size;
	char	   *field[MAX_FIELDS];
	int			n_fields;
} Reader;

/* Opens NAME or NAME.gz in a folder and skips the headings; false, with a message, where it cannot be read. */
extern bool reader_open(Reader *r, const char *folder, const char *name);

/* The next line, split at commas outside quotes; quotes are dropped. */
extern bool reader_next(Reader *r);

/* Days from a fixed day to a date as YYYY-MM-DD. */
extern int	reader_day(const char *date);

/* An array of n elements with room for one more. */
extern void *reader_grown(void *array, int n, size_t size);

#endif							/* ACCURACY_READER_H */
