/*
 * study/waterfall.c: a load as a drawing: a line per connection, time to the right.
 */
#include <errno.h>
#include <stdlib.h>

#include "report/xml.h"
#include "study/pageload.h"

#define LEFT   46 /* of the first column: the connections' numbers stand there */
#define TOP    44
#define ROW    24
#define BAR    20
#define WIDTH  980
#define COLUMN 68 /* at most */
/* A letter's width, for what fits into a bar. */
#define LETTER 6.4

static const char *colour_of(enum browser_step step)
{
    static const char *const colours[] = {[BROWSER_DNS] = "var(--figure-3,#8a6d00)",
                                          [BROWSER_TCP] = "var(--figure-2,#2b7a3d)",
                                          [BROWSER_FULL] = "var(--figure-1,#b34700)",
                                          [BROWSER_RESUMED] = "var(--figure-1,#b34700)",
                                          [BROWSER_GET] = "var(--figure-0,#0a5cc2)"};

    return colours[step];
}

static int column_width(const struct browser_load *load)
{
    int width = (WIDTH - LEFT) / (load->round_trips ? load->round_trips : 1);

    return width < COLUMN ? width : COLUMN;
}

static void put_label(FILE *out, int x, int y, const char *text, int room)
{
    size_t fits = (size_t)(room / LETTER);

    (void)fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" font-size=\"11\">", x, y);
    xml_text(out, text, fits);
    (void)fputs("</text>\n", out);
}

static void put_event(FILE *out, const struct page *page, const struct browser_event *e, int column)
{
    int x = LEFT + e->start * column, width = (e->end - e->start) * column;
    int y = TOP + (e->connection - 1) * ROW;
    const char *name =
        e->step == BROWSER_GET ? page->url[e->url].name : pageload_step_name(e->step);

    if (width == 0)
        return; /* it cost nothing */
    (void)fprintf(out,
                  "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"2\" fill=\"%s\" "
                  "fill-opacity=\"%s\" stroke=\"%s\"><title>connection %d, %d to %d: %s</title>"
                  "</rect>\n",
                  x + 1, y, width - 2, BAR, colour_of(e->step),
                  e->step == BROWSER_RESUMED ? ".12" : ".3", colour_of(e->step), e->connection,
                  e->start, e->end, name);
    put_label(out, x + width / 2, y + 14, e->step == BROWSER_RESUMED ? "TLS" : name, width);
}

static void put_axis(FILE *out, const struct browser_load *load, int column, int bottom)
{
    for (int t = 0; t <= load->round_trips; t++)
        (void)fprintf(out,
                      "<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" "
                      "stroke=\"var(--figure-grid,#d5d9de)\"/>"
                      "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" font-size=\"12\">%d</text>\n",
                      LEFT + t * column, LEFT + t * column, TOP - 8, bottom, LEFT + t * column,
                      TOP - 14, t);
    for (int c = 1; c <= load->connections; c++)
        (void)fprintf(out,
                      "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" font-size=\"12\">%d</text>\n",
                      LEFT - 10, TOP + (c - 1) * ROW + 15, c);
}

int waterfall_svg(const struct page *page, const struct browser_load *load, char **svg)
{
    int column = column_width(load), bottom = TOP + load->connections * ROW;
    size_t size;
    FILE *out = open_memstream(svg, &size);

    if (!out)
        return -ENOMEM;
    (void)fprintf(out,
                  "<svg viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\" "
                  "xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\" "
                  "fill=\"var(--figure-ink,#1b1f24)\">\n<title>What each connection does in each "
                  "round trip</title>\n",
                  LEFT + load->round_trips * column + 20, bottom + 10, WIDTH);
    (void)fprintf(out, "<text x=\"0\" y=\"12\" font-size=\"12\">round trips</text>\n");
    put_axis(out, load, column, bottom);
    for (int i = 0; i < load->events; i++)
        put_event(out, page, &load->event[i], column);
    (void)fputs("</svg>\n", out);
    if (ferror(out) | fclose(out)) {
        free(*svg);
        *svg = NULL;
        return -ENOMEM;
    }
    return 0;
}
