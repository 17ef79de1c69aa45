/* Draws a ladder, for a terminal and as SVG. */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "report/ladder.h"
#include "report/xml.h"

enum { TIME_COLUMNS = 10, WIDTH_MIN = 40, WIDTH_DEFAULT = 100, WIDTH_MAX = 200, LABEL_MAX = 128 };

const char *ladder_flags(uint8_t flags, char out[32])
{
    static const struct {
        uint8_t flag;
        const char *name;
    } names[] = {{LADDER_SYN, "SYN"}, {LADDER_FIN, "FIN"}, {LADDER_RST, "RST"}, {LADDER_PSH, "PSH"},
                 {LADDER_ACK, "ACK"}, {LADDER_ECE, "ECE"}, {LADDER_CWR, "CWR"}};

    out[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((flags & names[i].flag) != 0) {
            snprintf(out + strlen(out), 32 - strlen(out), "%s%s", out[0] != '\0' ? " " : "",
                     names[i].name);
        }
    }
    if (out[0] == '\0') {
        snprintf(out, 32, "-");
    }
    return out;
}

/* What stands on the arrow. */
static void label(const struct ladder_event *event, char out[LABEL_MAX])
{
    char flags[32];
    char ack[24] = "";
    char length[32] = "";

    if ((event->flags & LADDER_ACK) != 0) {
        snprintf(ack, sizeof ack, ", ack %" PRIu32, event->ack);
    }
    if (event->length > 0) {
        snprintf(length, sizeof length, ", %" PRIu32 " bytes", event->length);
    }
    snprintf(out, LABEL_MAX, "%s, seq %" PRIu32 "%s%s%s", ladder_flags(event->flags, flags),
             event->seq, ack, length, event->retransmission ? ", sent again" : "");
}

/* What stands where segments are not shown. */
static void gap_label(const struct ladder *ladder, char out[LABEL_MAX])
{
    snprintf(out, LABEL_MAX, "%zu %s%s not shown", ladder->left_out,
             ladder->gap == ladder->count ? "later " : "",
             ladder->left_out == 1 ? "segment is" : "segments are");
}

/* Cut the next line of at most `columns` bytes off *text, between words where that is possible.
 * Events hold ASCII only. Returns its length, 0 at the end. */
static size_t next_line(const char **text, size_t columns, const char **line)
{
    *text += strspn(*text, " ");
    *line = *text;
    size_t n = strlen(*text);
    if (n > columns) {
        n = columns;
        while (n > 0 && (*text)[n] != ' ') {
            n--;
        }
        n = n > 0 ? n : columns;
    }
    *text += n;
    return n;
}

/* A drawing for a terminal. */
struct page {
    FILE *out;
    int lane; /* columns between the lifelines */
    bool colour;
};

/* Select Graphic Rendition (ECMA-48 8.3.117): the client's colour, the server's, ... */
static const char client_colour[] = "34", server_colour[] = "33", again_colour[] = "31",
                  message_colour[] = "1", option_colour[] = "2";

static void paint(const struct page *page, const char *colour)
{
    if (page->colour) {
        fprintf(page->out, "\033[%sm", colour);
    }
}

static void unpaint(const struct page *page)
{
    paint(page, "0");
}

/* Detail lines between the lifelines. */
static void text_details(const struct page *page, const char *text, const char *colour)
{
    const char *line = NULL;
    size_t room = (size_t)page->lane - 8;

    for (size_t n = next_line(&text, room, &line); n > 0; n = next_line(&text, room, &line)) {
        fprintf(page->out, "%*s|      ", TIME_COLUMNS, "");
        paint(page, colour);
        fprintf(page->out, "%.*s", (int)n, line);
        unpaint(page);
        fprintf(page->out, "%*s|\n", page->lane - 6 - (int)n, "");
    }
}

/* The arrow with as much of its label as there is room for; what there isn't comes below. */
static void text_arrow(const struct page *page, const struct ladder_event *event)
{
    const char *colour = event->retransmission ? again_colour
                         : event->from_client  ? client_colour
                                               : server_colour;
    char text[LABEL_MAX];
    const char *rest = text;
    const char *line = NULL;

    label(event, text);
    size_t n = next_line(&rest, (size_t)page->lane - 7, &line);
    int dashes = page->lane - 7 - (int)n; /* "<--- " or "--- ", then " " and at least ">" */
    fprintf(page->out, "%*.3f |", TIME_COLUMNS - 1, (double)event->time_us / 1000);
    paint(page, colour);
    fprintf(page->out, "%s %.*s ", event->from_client ? "----" : "<---", (int)n, line);
    for (int i = 0; i < dashes; i++) {
        fputc('-', page->out);
    }
    fputc(event->from_client ? '>' : '-', page->out);
    unpaint(page);
    fputs("|\n", page->out);
    text_details(page, rest, colour);
}

static void text_gap(const struct page *page, const struct ladder *ladder)
{
    char text[LABEL_MAX];

    gap_label(ladder, text);
    int room = page->lane - 3 - (int)strlen(text);
    fprintf(page->out, "%*s:%*s:\n", TIME_COLUMNS, "", page->lane, "");
    fprintf(page->out, "%*s:   %s%*s:\n", TIME_COLUMNS, "", text, room > 0 ? room : 0, "");
    fprintf(page->out, "%*s:%*s:\n", TIME_COLUMNS, "", page->lane, "");
}

/* Both ends' names above their lifelines, on two lines where one is too short. */
static void text_names(const struct page *page, const struct ladder *ladder)
{
    int room = page->lane + 2 - (int)strlen(ladder->client);

    fprintf(page->out, "%*s %s", TIME_COLUMNS - 1, "ms", ladder->client);
    if (room <= (int)strlen(ladder->server)) {
        fprintf(page->out, "\n%*s", TIME_COLUMNS, "");
        room = page->lane + 2;
    }
    fprintf(page->out, "%*s\n", room, ladder->server);
}

int ladder_text(FILE *out, const struct ladder *ladder, const struct ladder_style *style)
{
    unsigned width = style->width == 0          ? WIDTH_DEFAULT
                     : style->width < WIDTH_MIN ? WIDTH_MIN
                     : style->width > WIDTH_MAX ? WIDTH_MAX
                                                : style->width;
    const struct page page = {
        .out = out, .lane = (int)width - TIME_COLUMNS - 2, .colour = style->colour};

    text_names(&page, ladder);
    for (size_t i = 0; i < ladder->count; i++) {
        const struct ladder_event *event = &ladder->events[i];
        if (ladder->left_out > 0 && i == ladder->gap) {
            text_gap(&page, ladder);
        }
        text_arrow(&page, event);
        text_details(&page, event->options, option_colour);
        text_details(&page, event->tls, message_colour);
    }
    if (ladder->left_out > 0 && ladder->gap == ladder->count) {
        text_gap(&page, ladder);
    }
    return ferror(out) ? -EIO : 0;
}

/* SVG: all in user units, about pixels at full width. */
enum {
    SVG_WIDTH = 880,
    LEFT = 110,
    RIGHT = 860,
    TOP = 50,
    ARROW_ROOM = 34,
    LINE_ROOM = 18,
    GAP_ROOM = 90,     /* shared out among the waits, so that round trips can be seen */
    LINE_COLUMNS = 96, /* characters of a detail line */
    HEAD = 9           /* of an arrow */
};

static void svg_text(FILE *out, int x, int y, const char *style, const char *text, size_t n)
{
    fprintf(out, "<text x=\"%d\" y=\"%d\" %s>", x, y, style);
    xml_text(out, text, n);
    fputs("</text>\n", out);
}

/* Lines of details from y on; returns the y below them. out NULL: only measures. */
static int svg_details(FILE *out, const char *text, int y, const char *style)
{
    const char *line = NULL;

    for (size_t n = next_line(&text, LINE_COLUMNS, &line); n > 0;
         n = next_line(&text, LINE_COLUMNS, &line)) {
        y += LINE_ROOM;
        if (out != NULL) {
            svg_text(out, (LEFT + RIGHT) / 2, y, style, line, n);
        }
    }
    return y;
}

static void svg_arrow(FILE *out, const struct ladder_event *event, int y)
{
    static const char label_style[] = "text-anchor=\"middle\" font-size=\"14\"";
    static const char time_style[] =
        "text-anchor=\"end\" font-size=\"13\" style=\"font-variant-numeric:tabular-nums\"";
    const char *colour = event->from_client ? "var(--figure-0,#0072b2)" : "var(--figure-1,#d55e00)";
    int tip = event->from_client ? RIGHT : LEFT;
    int back = event->from_client ? -HEAD : HEAD;
    char text[LABEL_MAX];

    snprintf(text, sizeof text, "%.3f ms", (double)event->time_us / 1000);
    svg_text(out, LEFT - 10, y + 4, time_style, text, sizeof text);
    label(event, text);
    svg_text(out, (LEFT + RIGHT) / 2, y - 7, label_style, text, sizeof text);
    fprintf(out,
            "<path d=\"M%d %dH%d\" stroke=\"%s\" stroke-width=\"1.8\"%s/>"
            "<path d=\"M%d %dl%d -5v10z\" fill=\"%s\"/>\n",
            event->from_client ? LEFT : RIGHT, y, tip + back, colour,
            event->retransmission ? " stroke-dasharray=\"6 4\"" : "", tip, y, back, colour);
}

/* Room for the wait before event i, in proportion to the whole time. */
static int gap_before(const struct ladder *ladder, size_t i)
{
    if (i == 0 || (ladder->left_out > 0 && i == ladder->gap)) {
        return 0;
    }
    int64_t whole = ladder->events[ladder->count - 1].time_us;
    int64_t wait = ladder->events[i].time_us - ladder->events[i - 1].time_us;
    if (whole <= 0 || wait <= 0) {
        return 0;
    }
    double share = (double)wait / (double)whole;
    return (int)(GAP_ROOM * (share < 1 ? share : 1));
}

/* Where segments are not shown. Returns the y below. */
static int svg_gap(FILE *out, const struct ladder *ladder, int y)
{
    char text[LABEL_MAX];

    gap_label(ladder, text);
    if (out != NULL) {
        svg_text(out, (LEFT + RIGHT) / 2, y + ARROW_ROOM, "text-anchor=\"middle\" font-size=\"13\"",
                 text, sizeof text);
    }
    return y + ARROW_ROOM + LINE_ROOM / 2;
}

/* Draw every event, or only measure (out NULL). Returns the y below the last. */
static int svg_events(FILE *out, const struct ladder *ladder)
{
    static const char tls_style[] = "text-anchor=\"middle\" font-size=\"14\" font-weight=\"600\"";
    static const char options_style[] =
        "text-anchor=\"middle\" font-size=\"12.5\" fill-opacity=\".75\"";
    int y = TOP;

    for (size_t i = 0; i < ladder->count; i++) {
        const struct ladder_event *event = &ladder->events[i];
        if (ladder->left_out > 0 && i == ladder->gap) {
            y = svg_gap(out, ladder, y);
        }
        y += ARROW_ROOM + gap_before(ladder, i);
        if (out != NULL) {
            svg_arrow(out, event, y);
        }
        y = svg_details(out, event->options, y, options_style);
        y = svg_details(out, event->tls, y, tls_style);
    }
    if (ladder->left_out > 0 && ladder->gap == ladder->count) {
        y = svg_gap(out, ladder, y);
    }
    return y;
}

int ladder_svg(const struct ladder *ladder, char **svg)
{
    static const char name_style[] = "text-anchor=\"%s\" font-size=\"15\" font-weight=\"600\"";
    char style[96];
    size_t size = 0;
    int bottom = svg_events(NULL, ladder) + 20;

    FILE *out = open_memstream(svg, &size);
    if (out == NULL) {
        return -ENOMEM;
    }
    fprintf(out,
            "<svg viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\" "
            "xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\" "
            "fill=\"var(--figure-ink,#1b1f24)\">\n<title>Segments between ",
            SVG_WIDTH, bottom + 30, SVG_WIDTH);
    xml_text(out, ladder->client, sizeof ladder->client);
    fputs(" and ", out);
    xml_text(out, ladder->server, sizeof ladder->server);
    fputs("</title>\n", out);
    fprintf(out,
            "<path d=\"M%d %dV%dM%d %dV%d\" stroke=\"var(--figure-ink,#1b1f24)\" "
            "stroke-width=\"1.2\"/>\n",
            LEFT, TOP - 8, bottom, RIGHT, TOP - 8, bottom);
    snprintf(style, sizeof style, name_style, "start");
    svg_text(out, LEFT - 40, TOP - 20, style, ladder->client, sizeof ladder->client);
    snprintf(style, sizeof style, name_style, "end");
    svg_text(out, RIGHT + 10, TOP - 20, style, ladder->server, sizeof ladder->server);
    svg_events(out, ladder);
    fputs("</svg>\n", out);
    if (fclose(out) != 0) {
        free(*svg);
        *svg = NULL;
        return -ENOMEM;
    }
    return 0;
}
