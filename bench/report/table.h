/* A table for people: headings and rows of text. text.h and html.h both print it.
 *
 * Cells are given in reading order; a row ends by itself when it is full. The first error (no
 * memory, a section or the end inside a row) sticks in `error`, and whoever prints reports it.
 */
#ifndef TLSYN_REPORT_TABLE_H
#define TLSYN_REPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct table_column {
    const char *heading; /* lines of at most 63 bytes, parted by '\n' */
    bool right;          /* numbers: align right */
    unsigned spare; /* 0: always shown; a terminal that is too narrow drops the greatest first */
};

struct table_row {
    char *section; /* a heading over the rows that follow, or NULL */
    char **cells;  /* one per column, or NULL */
};

struct report_table {
    const struct table_column *columns; /* the caller's; must outlive the table */
    size_t width;                       /* number of columns, >= 1 */
    struct table_row *rows;
    size_t count, room;
    size_t filled; /* cells of the last row that are given; `width` or 0 when it is complete */
    int error;
};

void report_table_init(struct report_table *table, const struct table_column *columns,
                       size_t width);
void report_table_fini(struct report_table *table);

/* The next cell, as printf. */
void report_table_cell(struct report_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The next cell: a number with so many decimals, or "-" if it is not finite. */
void report_table_number(struct report_table *table, double value, int decimals);

/* The next cell: "lo .. hi", or "-" if either is not finite. */
void report_table_interval(struct report_table *table, double lo, double hi, int decimals);

/* A heading across the table, between rows. */
void report_table_section(struct report_table *table, const char *text);

/* 0 if the table can be printed: no error, and the last row is full. Else -EINVAL or -ENOMEM. */
int report_table_check(const struct report_table *table);

#endif
