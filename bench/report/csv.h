/* A CSV writer (RFC 4180).
 *
 * Fields are given one by one and a row is ended explicitly; the writer quotes where it must, ends
 * lines with CRLF, and holds every row to the number of fields of the first (RFC 4180 2.4). The
 * first error sticks and csv_finish() reports it.
 */
#ifndef TLSYN_REPORT_CSV_H
#define TLSYN_REPORT_CSV_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct csv {
    FILE *out;
    int error;
    size_t fields; /* of the row being written */
    size_t width;  /* of the first row; 0 until it ends */
};

/* Write to `out`, which the caller keeps and closes. */
void csv_init(struct csv *csv, FILE *out);

/* Append a field. NULL and numbers that are not finite give an empty one. */
void csv_string(struct csv *csv, const char *value);
void csv_number(struct csv *csv, double value);
void csv_integer(struct csv *csv, int64_t value);

void csv_end_row(struct csv *csv);

/* Flush. 0; -EINVAL: a row without fields, of another width than the first, or never ended;
 * -EIO: writing failed. */
int csv_finish(struct csv *csv);

#endif
