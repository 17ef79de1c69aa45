/* A table for people: rows of text that grow by the cell. */
#include "report/table.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/number.h"

void report_table_init(struct report_table *table, const struct table_column *columns, size_t width)
{
    *table = (struct report_table){.columns = columns, .width = width};
}

void report_table_fini(struct report_table *table)
{
    for (size_t r = 0; r < table->count; r++) {
        struct table_row *row = &table->rows[r];
        for (size_t c = 0; row->cells != NULL && c < table->width; c++) {
            free(row->cells[c]);
        }
        free(row->cells);
        free(row->section);
    }
    free(table->rows);
    *table = (struct report_table){.columns = table->columns, .width = table->width};
}

static struct table_row *add_row(struct report_table *table)
{
    if (table->count == table->room) {
        size_t room = table->room == 0 ? 16 : 2 * table->room;
        struct table_row *rows = realloc(table->rows, room * sizeof *rows);
        if (rows == NULL) {
            table->error = -ENOMEM;
            return NULL;
        }
        table->rows = rows;
        table->room = room;
    }
    struct table_row *row = &table->rows[table->count++];
    *row = (struct table_row){0};
    return row;
}

/* Put text (which we now own; NULL means that memory ran out) into the next cell. */
static void take_cell(struct report_table *table, char *text)
{
    if (text == NULL && table->error == 0) {
        table->error = -ENOMEM;
    }
    if (table->error != 0) {
        free(text);
        return;
    }
    if (table->filled == 0) {
        struct table_row *row = add_row(table);
        if (row != NULL) {
            row->cells = calloc(table->width, sizeof *row->cells);
        }
        if (row == NULL || row->cells == NULL) {
            table->error = -ENOMEM;
            free(text);
            return;
        }
    }
    table->rows[table->count - 1].cells[table->filled] = text;
    table->filled = (table->filled + 1) % table->width;
}

void report_table_cell(struct report_table *table, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0) {
        text = NULL;
    }
    va_end(arguments);
    take_cell(table, text);
}

void report_table_number(struct report_table *table, double value, int decimals)
{
    if (isfinite(value)) {
        report_table_cell(table, "%.*f", decimals, number_printed(value, decimals));
    } else {
        report_table_cell(table, "-");
    }
}

void report_table_interval(struct report_table *table, double lo, double hi, int decimals)
{
    if (isfinite(lo) && isfinite(hi)) {
        report_table_cell(table, "%.*f .. %.*f", decimals, number_printed(lo, decimals), decimals,
                          number_printed(hi, decimals));
    } else {
        report_table_cell(table, "-");
    }
}

void report_table_section(struct report_table *table, const char *text)
{
    if (table->error == 0 && table->filled != 0) {
        table->error = -EINVAL;
    }
    if (table->error != 0) {
        return;
    }
    struct table_row *row = add_row(table);
    if (row == NULL) {
        return;
    }
    row->section = strdup(text);
    if (row->section == NULL) {
        table->error = -ENOMEM;
    }
}

int report_table_check(const struct report_table *table)
{
    if (table->error != 0) {
        return table->error;
    }
    return table->filled == 0 ? 0 : -EINVAL;
}
