/* Tables for a terminal. */
#include "report/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/utf8.h"

enum { GAP = 2 };

/* Which columns are shown, and how wide each is. */
struct layout {
    unsigned *columns; /* 0: left out */
    size_t shown;
    size_t total; /* with the gaps */
    unsigned heading_lines;
};

/* The line of a heading that starts at *text; advances behind it. NULL after the last. */
static const char *next_line(const char **text, char *line, size_t size)
{
    if (*text == NULL) {
        return NULL;
    }
    size_t n = strcspn(*text, "\n");
    size_t copied = n < size - 1 ? n : size - 1;
    memcpy(line, *text, copied);
    line[copied] = '\0';
    *text = (*text)[n] == '\n' ? *text + n + 1 : NULL;
    return line;
}

static unsigned widest(const struct report_table *table, size_t column, unsigned *lines)
{
    char line[64];
    size_t most = 1; /* 0 means left out */
    unsigned n = 0;
    const char *heading = table->columns[column].heading;

    while (next_line(&heading, line, sizeof line) != NULL) {
        size_t columns = utf8_columns(line);
        most = columns > most ? columns : most;
        n++;
    }
    *lines = n > *lines ? n : *lines;
    for (size_t r = 0; r < table->count; r++) {
        if (table->rows[r].cells == NULL) {
            continue;
        }
        size_t columns = utf8_columns(table->rows[r].cells[column]);
        most = columns > most ? columns : most;
    }
    return (unsigned)most;
}

/* The shown column that may go first, or table->width if none may. Of equals, the last. */
static size_t most_spare(const struct report_table *table, const struct layout *layout)
{
    size_t victim = table->width;
    unsigned most = 1;

    for (size_t c = 0; c < table->width; c++) {
        if (layout->columns[c] > 0 && table->columns[c].spare >= most) {
            most = table->columns[c].spare;
            victim = c;
        }
    }
    return victim;
}

static void drop_spare(const struct report_table *table, struct layout *layout, unsigned width)
{
    while (width > 0 && layout->total > width) {
        size_t victim = most_spare(table, layout);
        if (victim == table->width) {
            return;
        }
        layout->total -= layout->columns[victim] + GAP;
        layout->columns[victim] = 0;
        layout->shown--;
    }
}

static void spaces(FILE *out, size_t n)
{
    fprintf(out, "%*s", (int)n, "");
}

/* One line of cells; trailing spaces are never written. */
static void write_cells(FILE *out, const struct report_table *table, const struct layout *layout,
                        char *const *cells)
{
    size_t owed = 0;
    bool first = true;

    for (size_t c = 0; c < table->width; c++) {
        if (layout->columns[c] == 0) {
            continue;
        }
        size_t pad = layout->columns[c] - utf8_columns(cells[c]);
        bool right = table->columns[c].right;
        owed += (first ? 0 : GAP) + (right ? pad : 0);
        first = false;
        if (cells[c][0] != '\0') {
            spaces(out, owed);
            fputs(cells[c], out);
            owed = 0;
        }
        owed += right ? 0 : pad;
    }
    fputc('\n', out);
}

/* Row `row` of a heading: headings hang from the bottom, so short ones stand right above their
 * column. */
static void heading_line(const char *heading, unsigned rows, unsigned row, char *line, size_t size)
{
    const char *text = heading;
    unsigned n = 0;

    while (next_line(&text, line, size) != NULL) {
        n++;
    }
    line[0] = '\0';
    text = heading;
    for (unsigned i = rows - n; i <= row; i++) {
        next_line(&text, line, size);
    }
}

static int write_headings(FILE *out, const struct report_table *table, const struct layout *layout)
{
    char(*lines)[64] = calloc(table->width, sizeof *lines);
    char **pointers = calloc(table->width, sizeof *pointers);
    int error = lines == NULL || pointers == NULL ? -ENOMEM : 0;

    for (unsigned row = 0; error == 0 && row < layout->heading_lines; row++) {
        for (size_t c = 0; c < table->width; c++) {
            pointers[c] = lines[c];
            heading_line(table->columns[c].heading, layout->heading_lines, row, lines[c],
                         sizeof lines[c]);
        }
        write_cells(out, table, layout, pointers);
    }
    free(lines);
    free(pointers);
    return error;
}

static void write_rule(FILE *out, const struct report_table *table, const struct layout *layout)
{
    bool first = true;

    for (size_t c = 0; c < table->width; c++) {
        if (layout->columns[c] == 0) {
            continue;
        }
        spaces(out, first ? 0 : GAP);
        first = false;
        for (unsigned i = 0; i < layout->columns[c]; i++) {
            fputc('-', out);
        }
    }
    fputc('\n', out);
}

static void write_left_out(FILE *out, const struct report_table *table, const struct layout *layout)
{
    if (layout->shown == table->width) {
        return;
    }
    fputs("(left out for want of width:", out);
    bool first = true;
    for (size_t c = 0; c < table->width; c++) {
        if (layout->columns[c] > 0) {
            continue;
        }
        fputs(first ? " " : ", ", out);
        first = false;
        for (const char *p = table->columns[c].heading; *p != '\0'; p++) {
            fputc(*p == '\n' ? ' ' : *p, out);
        }
    }
    fputs(")\n", out);
}

int text_table(FILE *out, const struct report_table *table, unsigned width)
{
    int error = report_table_check(table);
    if (error < 0) {
        return error;
    }
    struct layout layout = {.shown = table->width};
    layout.columns = calloc(table->width, sizeof *layout.columns);
    if (layout.columns == NULL) {
        return -ENOMEM;
    }
    for (size_t c = 0; c < table->width; c++) {
        layout.columns[c] = widest(table, c, &layout.heading_lines);
        layout.total += layout.columns[c] + (c > 0 ? GAP : 0);
    }
    drop_spare(table, &layout, width);
    error = write_headings(out, table, &layout);
    write_rule(out, table, &layout);
    for (size_t r = 0; r < table->count; r++) {
        if (table->rows[r].section != NULL) {
            fprintf(out, "%s%s\n", r > 0 ? "\n" : "", table->rows[r].section);
        } else {
            write_cells(out, table, &layout, table->rows[r].cells);
        }
    }
    write_left_out(out, table, &layout);
    free(layout.columns);
    return text_end(out, error);
}

int text_put_table(FILE *out, struct report_table *table, unsigned width)
{
    int error = text_table(out, table, width);

    report_table_fini(table);
    (void)fputc('\n', out);
    return error;
}

int text_end(FILE *out, int error)
{
    return error == 0 && (fflush(out) != 0 || ferror(out)) ? -EIO : error;
}

void text_paragraph(FILE *out, const char *text, unsigned indent, unsigned width)
{
    size_t column = 0;

    while (*text != '\0') {
        text += strspn(text, " \n");
        size_t n = strcspn(text, " \n");
        if (n == 0) {
            break;
        }
        char *word = strndup(text, n);
        size_t columns = word != NULL ? utf8_columns(word) : n;
        free(word);
        if (column > 0 && width > 0 && column + 1 + columns > width) {
            fputc('\n', out);
            column = 0;
        }
        if (column == 0) {
            spaces(out, indent);
            column = indent;
        } else {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, n, out);
        column += columns;
        text += n;
    }
    if (column > 0) {
        fputc('\n', out);
    }
}
