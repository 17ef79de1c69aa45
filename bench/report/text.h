/* Tables for a terminal: aligned columns, no box characters, narrow enough for the width given. */
#ifndef TLSYN_REPORT_TEXT_H
#define TLSYN_REPORT_TEXT_H

#include <stdio.h>

#include "report/table.h"

/* Print a table. Columns are two spaces apart; numbers align right. If the table is wider than
 * `width` columns (0: no limit), spare columns are left out, the greatest `spare` first, and a line
 * below says which; what may not be left out is printed however wide it is.
 * report_table_check()'s errors, -ENOMEM, or -EIO. */
int text_table(FILE *out, const struct report_table *table, unsigned width);

/* The same and a blank line; the table is freed, printed or not. */
int text_put_table(FILE *out, struct report_table *table, unsigned width);

/* What printing came to, when all is: `error`, or -EIO if the stream has failed. */
int text_end(FILE *out, int error);

/* Print text, broken between words so that no line exceeds `width` columns (0: no limit), every
 * line after `indent` spaces. A word longer than a line stays whole. */
void text_paragraph(FILE *out, const char *text, unsigned indent, unsigned width);

#endif
