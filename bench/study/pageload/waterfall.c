/*
 * study/pageload/waterfall.c: a load as a drawing: a line per connection, time to the right; more
 * lines where a connection does several things at a time (HTTP/2).
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
#define COLUMN 58   /* at most: 16 round trips are as wide as the page */
#define NUMBER 24   /* what a number above the columns needs */
#define LEAST  0.05 /* of a round trip: what takes less cost nothing */
/* A letter's width, for what fits into a bar. */
#define LETTER 5.5

static const char *colour_of(enum load_step step)
{
    static const char *const colours[] = {[LOAD_DNS] = "var(--figure-3,#8a6d00)",
                                          [LOAD_TCP] = "var(--figure-2,#2b7a3d)",
                                          [LOAD_FULL] = "var(--figure-1,#b34700)",
                                          [LOAD_RESUMED] = "var(--figure-1,#b34700)",
                                          [LOAD_GET] = "var(--figure-0,#0a5cc2)"};

    return colours[step];
}

/* Where things stand. */
struct layout {
    int *line;                             /* of each bar, from 0 */
    int first[POLICY_CONNECTIONS_MAX + 1]; /* of each connection; behind them, how many there are */
    int columns;                           /* one for each round trip */
    double column;                         /* how wide each of them is */
};

static bool share_time(const struct waterfall_bar *a, const struct waterfall_bar *b)
{
    return a->connection == b->connection && a->start < b->end && b->start < a->end;
}

/* The first line of its connection that is free for a bar, counted from the connection's own. */
static int free_line(const struct waterfall *w, const int *line, int bar)
{
    int at = 0;

    for (int i = 0; i < bar; i++) {
        if (line[i] != at || !share_time(&w->bar[i], &w->bar[bar]))
            continue;
        at++;
        i = -1; /* those before may be on the next one */
    }
    return at;
}

/* Whole round trips, of which the last holds the end. */
static int columns_of(const struct waterfall *w)
{
    double end = 0;

    for (int i = 0; i < w->bars; i++)
        end = w->bar[i].end > end ? w->bar[i].end : end;
    return (int)ceil(end - 0.005);
}

/* Of a page that is near, or slow, they may be thousands. */
static double column_width(int columns)
{
    return fmin((double)(WIDTH - LEFT) / (columns ? columns : 1), COLUMN);
}

/* Every so many columns there is a line with its number: 1, 2, 5, 10 and so on. */
static int columns_per_line(double column)
{
    static const int steps[] = {1, 2, 5};
    int power = 1, i = 0;

    while (steps[i] * power * column < NUMBER) {
        i = (i + 1) % 3;
        power *= i == 0 ? 10 : 1;
    }
    return steps[i] * power;
}

static int lay_out(const struct waterfall *w, struct layout *l)
{
    int lines[POLICY_CONNECTIONS_MAX] = {0};

    *l = (struct layout){.columns = columns_of(w)};
    l->column = column_width(l->columns);
    l->line = calloc((size_t)w->bars + 1, sizeof(*l->line));
    if (!l->line)
        return -ENOMEM;
    for (int i = 0; i < w->bars; i++) {
        int *needed = &lines[w->bar[i].connection - 1];

        l->line[i] = free_line(w, l->line, i);
        *needed = l->line[i] >= *needed ? l->line[i] + 1 : *needed;
    }
    for (int c = 0; c < w->connections; c++)
        l->first[c + 1] = l->first[c] + (lines[c] ? lines[c] : 1);
    for (int i = 0; i < w->bars; i++)
        l->line[i] += l->first[w->bar[i].connection - 1];
    return 0;
}

static void put_label(FILE *out, int x, int y, const char *text, int room)
{
    size_t fits = (size_t)(room / LETTER);

    (void)fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" font-size=\"10\">", x, y);
    xml_text(out, text, fits);
    (void)fputs("</text>\n", out);
}

/* Once in the page's colour, so that no line of the grid shines through, and then in its own. */
static void put_bar(FILE *out, const struct waterfall_bar *bar, int line, double column)
{
    double x = LEFT + bar->start * column, width = fmax((bar->end - bar->start) * column, 3);
    int y = TOP + line * ROW;
    const char *name = bar->step == LOAD_GET ? bar->label : pageload_step_name(bar->step);

    if (bar->end - bar->start < LEAST)
        return;
    (void)fprintf(out,
                  "<rect x=\"%.5g\" y=\"%d\" width=\"%.5g\" height=\"%d\" rx=\"2\" "
                  "fill=\"var(--card,#f8f9fa)\"/>",
                  x + 1, y, width - 2, BAR);
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

static void put_axis(FILE *out, const struct waterfall *w, const struct layout *l)
{
    int bottom = TOP + l->first[w->connections] * ROW, step = columns_per_line(l->column);

    for (int t = 0; t <= l->columns; t += step) {
        double x = LEFT + t * l->column;

        (void)fprintf(
            out,
            "<line x1=\"%.5g\" x2=\"%.5g\" y1=\"%d\" y2=\"%d\" "
            "stroke=\"var(--figure-grid,#d5d9de)\"/>"
            "<text x=\"%.5g\" y=\"%d\" text-anchor=\"middle\" font-size=\"12\">%d</text>\n",
            x, x, TOP - 8, bottom, x, TOP - 14, t);
    }
    for (int c = 1; c <= w->connections; c++)
        (void)fprintf(out,
                      "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" font-size=\"12\">%d</text>\n",
                      LEFT - 10, TOP + l->first[c - 1] * ROW + 15, c);
}

/* A round trip is as wide in each of them, so they are not stretched to the page. */
static void put_drawing(FILE *out, const struct waterfall *w, const struct layout *l)
{
    int width = LEFT + (int)ceil(l->columns * l->column) + 20;

    (void)fprintf(out,
                  "<svg viewBox=\"0 0 %d %d\" style=\"--wide:%dpx\" role=\"img\" "
                  "xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\" "
                  "fill=\"var(--figure-ink,#1b1f24)\">\n<title>What each connection does in each "
                  "round trip</title>\n",
                  width, TOP + l->first[w->connections] * ROW + 10, width);
    (void)fprintf(out, "<text x=\"0\" y=\"12\" font-size=\"12\">round trips</text>\n");
    put_axis(out, w, l);
    for (int i = 0; i < w->bars; i++)
        put_bar(out, &w->bar[i], l->line[i], l->column);
    (void)fputs("</svg>\n", out);
}

int waterfall_svg(const struct waterfall *w, char **svg)
{
    struct layout layout;
    size_t size;
    int error = lay_out(w, &layout);
    FILE *out = error < 0 ? NULL : open_memstream(svg, &size);

    if (out)
        put_drawing(out, w, &layout);
    free(layout.line);
    if (!out)
        return -ENOMEM;
    if (ferror(out) | fclose(out)) {
        free(*svg);
        *svg = NULL;
        return -ENOMEM;
    }
    return 0;
}
