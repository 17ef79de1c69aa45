/*
 * study/pageload/waterfall.c: a load as a drawing: a line per connection, time to the right.
 */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "report/xml.h"
#include "study/pageload/pageload.h"

#define LEFT   46 /* of the first column: the connections' numbers stand there */
#define TOP    44
#define ROW    24
#define BAR    20
#define WIDTH  980
#define COLUMN 68 /* at most */
/* A letter's width, for what fits into a bar. */
#define LETTER 6.4

static const char *colour_of(enum load_step step)
{
    static const char *const colours[] = {[LOAD_DNS] = "var(--figure-3,#8a6d00)",
                                          [LOAD_TCP] = "var(--figure-2,#2b7a3d)",
                                          [LOAD_FULL] = "var(--figure-1,#b34700)",
                                          [LOAD_RESUMED] = "var(--figure-1,#b34700)",
                                          [LOAD_GET] = "var(--figure-0,#0a5cc2)"};

    return colours[step];
}

/* Whole round trips, of which the last holds the end. */
static int columns_of(const struct waterfall *w)
{
    double end = 0;

    for (int i = 0; i < w->bars; i++)
        end = w->bar[i].end > end ? w->bar[i].end : end;
    return (int)ceil(end - 0.005);
}

static int column_width(int columns)
{
    int width = (WIDTH - LEFT) / (columns ? columns : 1);

    return width < COLUMN ? width : COLUMN;
}

static void put_label(FILE *out, int x, int y, const char *text, int room)
{
    size_t fits = (size_t)(room / LETTER);

    (void)fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" font-size=\"11\">", x, y);
    xml_text(out, text, fits);
    (void)fputs("</text>\n", out);
}

static void put_bar(FILE *out, const struct waterfall_bar *bar, int column)
{
    double x = LEFT + bar->start * column, width = (bar->end - bar->start) * column;
    int y = TOP + (bar->connection - 1) * ROW;
    const char *name = bar->step == LOAD_GET ? bar->label : pageload_step_name(bar->step);

    if (width < 3)
        return; /* it cost nothing */
    (void)fprintf(out,
                  "<rect x=\"%.5g\" y=\"%d\" width=\"%.5g\" height=\"%d\" rx=\"2\" "
                  "fill=\"%s\" fill-opacity=\"%s\" stroke=\"%s\"><title>connection %d, %.4g to "
                  "%.4g: ",
                  x + 1, y, width - 2, BAR, colour_of(bar->step),
                  bar->step == LOAD_RESUMED ? ".12" : ".3", colour_of(bar->step), bar->connection,
                  bar->start, bar->end);
    xml_text(out, name, SIZE_MAX);
    (void)fputs("</title></rect>\n", out);
    put_label(out, (int)(x + width / 2), y + 14, bar->step == LOAD_RESUMED ? "TLS" : name,
              (int)width);
}

static void put_axis(FILE *out, const struct waterfall *w, int columns, int column)
{
    int bottom = TOP + w->connections * ROW;

    for (int t = 0; t <= columns; t++)
        (void)fprintf(out,
                      "<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" "
                      "stroke=\"var(--figure-grid,#d5d9de)\"/>"
                      "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" font-size=\"12\">%d</text>\n",
                      LEFT + t * column, LEFT + t * column, TOP - 8, bottom, LEFT + t * column,
                      TOP - 14, t);
    for (int c = 1; c <= w->connections; c++)
        (void)fprintf(out,
                      "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" font-size=\"12\">%d</text>\n",
                      LEFT - 10, TOP + (c - 1) * ROW + 15, c);
}

int waterfall_svg(const struct waterfall *w, char **svg)
{
    int columns = columns_of(w), column = column_width(columns);
    size_t size;
    FILE *out = open_memstream(svg, &size);

    if (!out)
        return -ENOMEM;
    (void)fprintf(out,
                  "<svg viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\" "
                  "xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\" "
                  "fill=\"var(--figure-ink,#1b1f24)\">\n<title>What each connection does in each "
                  "round trip</title>\n",
                  LEFT + columns * column + 20, TOP + w->connections * ROW + 10, WIDTH);
    (void)fprintf(out, "<text x=\"0\" y=\"12\" font-size=\"12\">round trips</text>\n");
    put_axis(out, w, columns, column);
    for (int i = 0; i < w->bars; i++)
        put_bar(out, &w->bar[i], column);
    (void)fputs("</svg>\n", out);
    if (ferror(out) | fclose(out)) {
        free(*svg);
        *svg = NULL;
        return -ENOMEM;
    }
    return 0;
}
